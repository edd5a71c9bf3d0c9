"""Sensitivity to the prior of tau: every row is a fit that anybody could make by hand."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
from nma.checks import prior_sensitivity
from nma.checks._prior_table import Answer, _leaders, _verdicts
from nma.errors import EngineError, ModelError
from nma.heterogeneity import Common, Random
from nma.priors import (
    Fixed,
    HalfCauchy,
    HalfNormal,
    LogNormal,
    Prior,
    Uniform,
    turner2015,
)
from nma.problem import Draws, Problem
from nma.refits import Refit
from own_models import UnrelatedMeans, loop

OWN = "this model's"
ENGINE = nma.engines.Gaussian(draws=128)
TURNER = turner2015(
    outcome="subjective outcomes", comparison="non-pharmacological vs placebo or control"
)
BEFORE = "tau, before the data"


@pytest.fixture(scope="module")
def senn() -> nma.Posterior:
    return nma.fit(nma.datasets.network("senn2013"), engine=ENGINE)


@pytest.fixture(scope="module")
def smoking() -> nma.Posterior:
    return nma.fit(nma.datasets.network("smoking").as_normal(), engine=ENGINE)


def cells(table: pd.DataFrame, quantity: str, prior: str) -> Any:
    return pd.DataFrame(table).loc[(quantity, prior)]


@pytest.mark.parametrize("which", ["senn", "smoking"])
def test_every_row_is_the_fit_under_that_prior(which: str, request: pytest.FixtureRequest) -> None:
    posterior = request.getfixturevalue(which)
    given: dict[str, Prior] = {"wide": HalfNormal(7), "log": LogNormal(-1, 0.5)}
    table = prior_sensitivity(posterior, given, standard=False, level=0.9)
    assert list(table.index.unique("prior")) == [OWN, "wide", "log"]
    own = posterior.model.heterogeneity.tau
    for label, prior in {OWN: own, **given}.items():
        model = replace(posterior.model, heterogeneity=Random(prior))
        refit = nma.fit(posterior.network, model, engine=ENGINE)
        tau = nma.summary(refit, level=0.9).loc["tau"]
        found = cells(table, "tau", label)
        assert found[["estimate", "lower", "upper"]].tolist() == [
            tau["median"],
            tau["lower"],
            tau["upper"],
        ]
        before = cells(table, BEFORE, label)
        expected = [prior.quantile(p) for p in (0.5, 0.05, 0.95)]
        assert before[["estimate", "lower", "upper"]].tolist() == expected
        effects = nma.effect_table(refit, comparators=[refit.comparator], level=0.9)
        best, shares = nma.p_best(refit)["p_best"], nma.sucra(refit)["sucra"]
        for name, against in effects.index:
            found = cells(table, f"{name} vs {against}", label)
            row = pd.DataFrame(effects).loc[(name, against)]
            np.testing.assert_array_equal(
                found[["estimate", "lower", "upper"]].to_numpy(dtype=float),
                row[["estimate", "lower", "upper"]].to_numpy(dtype=float),
            )
            assert found["p_best"] == best[name]
            assert found["sucra"] == shares[name]
        assert cells(table, refit.comparator, label)["sucra"] == shares[refit.comparator]


@dataclass(frozen=True)
class Watching:
    """An executor that keeps what it is given."""

    seen: list[Refit]

    def map(self, function: Callable[[Any], Any], values: Iterable[Any], /) -> Iterator[Any]:
        self.seen.extend(values)
        return map(function, self.seen)


def test_nothing_but_the_prior_of_tau_is_changed(senn: nma.Posterior) -> None:
    watching = Watching([])
    table = prior_sensitivity(senn, {"mine": Fixed(0.3)}, executor=watching)
    labels = list(table.index.unique("prior"))
    assert [task.label for task in watching.seen] == labels[1:]
    for task in watching.seen:
        assert task.network is senn.network
        assert task.engine == senn.engine
        assert replace(task.model, heterogeneity=senn.model.heterogeneity) == senn.model
    assert watching.seen[-1].model.heterogeneity == Random(Fixed(0.3))


def test_the_standard_priors_are_sized_by_the_default(
    senn: nma.Posterior, smoking: nma.Posterior
) -> None:
    watching = Watching([])
    prior_sensitivity(smoking, executor=watching)
    tried: list[Any] = [task.model.heterogeneity for task in watching.seen]
    ours = [HalfNormal(0.5), HalfNormal(2), HalfCauchy(1), Uniform(0, 5)]
    assert [random.tau for random in tried] == ours  # half-normal(1) is the model's own
    half = senn.network.unit[0] / 2
    other = nma.fit(
        senn.network, replace(senn.model, heterogeneity=Random(Uniform(0, 3))), engine=ENGINE
    )
    watching = Watching([])
    prior_sensitivity(other, executor=watching)
    sizes = [HalfNormal(half * k) for k in (0.5, 1, 2)]
    found: list[Any] = [task.model.heterogeneity for task in watching.seen]
    assert [random.tau for random in found] == [*sizes, HalfCauchy(half), Uniform(0, 5 * half)]


def test_the_numbers_are_the_same_whatever_the_executor(senn: nma.Posterior) -> None:
    here = prior_sensitivity(senn, {"log": LogNormal(-1, 0.5)})
    with ThreadPoolExecutor(3) as threads:
        there = prior_sensitivity(senn, {"log": LogNormal(-1, 0.5)}, executor=threads)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as processes:
        apart = prior_sensitivity(senn, {"log": LogNormal(-1, 0.5)}, executor=processes)
    for other in (there, apart):
        pd.testing.assert_frame_equal(pd.DataFrame(other), pd.DataFrame(here), check_exact=True)
        assert str(other) == str(here)


def test_a_wider_prior_never_lowers_tau(senn: nma.Posterior) -> None:
    """Half-normals are ordered by likelihood ratio, and so are their posteriors."""
    scales = (0.05, 0.1, 0.2, 0.5, 1.0, 3.0)
    table = prior_sensitivity(
        senn, {f"{s}": HalfNormal(s) for s in scales}, standard=False, progress=False
    )
    medians = [cells(table, "tau", f"{s}")["estimate"] for s in scales]
    assert (np.diff(medians) > 0).all()


def test_notes_say_what_moved_and_which_priors(senn: nma.Posterior) -> None:
    table = prior_sensitivity(senn, {"tight": HalfNormal(0.05)}, standard=False)
    low, high = (cells(table, "tau", label)["estimate"] for label in ("tight", OWN))
    said = f"The median of tau lies between {low:.3f} (tight) and {high:.3f} ({OWN})."
    assert said in table.notes
    (moved,) = [note for note in table.notes if note.startswith("Between priors")]
    effects = nma.effect_table(senn, comparators=[senn.comparator])
    shift = {
        name: abs(
            np.diff([cells(table, f"{name} vs placebo", k)["estimate"] for k in (OWN, "tight")])
        )
        / effects.loc[(name, "placebo"), "sd"]
        for name, _ in effects.index
    }
    most = max(shift, key=shift.__getitem__)
    assert f"up to {shift[most].item():.2f} of their posterior sd" in moved
    assert f"({most} vs placebo), and the widest" in moved
    assert "tight: tau ~ HalfNormal(scale=0.05)." in table.notes
    assert any(note.startswith(f"{OWN}: tau ~ HalfNormal") for note in table.notes)
    assert "First by SUCRA under every prior: rosiglitazone." in table.notes


def answer(**shares: float) -> Answer:
    nothing = np.zeros(1)
    return Answer("", nothing, nothing, nothing, nothing, nothing, shares, shares)


def test_a_prior_that_decides_who_is_first_is_named() -> None:
    done = {"a": answer(x=0.6, y=0.4), "b": answer(x=0.4, y=0.6), "c": answer(x=0.7, y=0.3)}
    assert _leaders(done) == ["The prior decides who is first by SUCRA: x under a, c; y under b."]


def test_a_prior_that_decides_whether_there_is_an_effect_is_named() -> None:
    """Of A nothing hangs on the prior; the interval of B holds zero under a wide one."""
    tight, wide = (
        replace(answer(A=1, B=0), effects=np.array([[-1, -1], [-2, -2], [-0.5, upper]]))
        for upper in (-0.1, 0.2)
    )
    pairs = [("A", "C"), ("B", "C")]
    (said,) = _verdicts({"tight": tight, "mild": tight, "wide": wide}, pairs)
    assert said.startswith("The prior decides whether the interval of B vs C excludes no effect: ")
    assert said.endswith("it does under tight, mild; it does not under wide.")
    assert _verdicts({"tight": tight, "mild": tight}, pairs) == []


def test_a_prior_that_does_not_fit_is_named_and_spoils_no_other(senn: nma.Posterior) -> None:
    table = prior_sensitivity(senn, {"Turner": TURNER, "tight": HalfNormal(0.1)}, standard=False)
    assert list(table.index.unique("prior")) == [OWN, "tight"]
    assert table.notes[0].startswith(
        "Turner: the fit failed. ModelError: This prior of tau is for OR"
    )
    with pytest.raises(EngineError, match="None of 1 fits succeeded"):
        prior_sensitivity(senn, {"Turner": TURNER}, standard=False)


def test_a_lent_prior_says_so(smoking: nma.Posterior) -> None:
    frame = pd.DataFrame(
        {"s": ["1", "2", "3"], "t": "B", "c": "A", "y": [0.1, 0.4, 0.6], "se": 0.2}
    )
    network = nma.Network.from_contrasts(
        frame,
        study="s",
        treatment="t",
        comparator="c",
        outcome=nma.outcomes.Contrast("y", "se", measure="HR", better="lower"),
    )
    table = prior_sensitivity(nma.fit(network), {"Turner": TURNER}, standard=False)
    (note,) = [note for note in table.notes if note.startswith("Turner: tau ~")]
    assert note.endswith("of OR, lent to HR).")
    assert "tau that of the log HR" in table.caption
    assert np.exp(0.1) < cells(table, "B vs A", OWN)["estimate"] < np.exp(0.6)


@dataclass(frozen=True)
class Stopping:
    """The exact engine, until the user stops it at a uniform prior; draws alone if asked for."""

    exact: bool = True

    def unsuited(self, problem: Problem) -> str | None:
        return None

    def sample(self, problem: Problem) -> Draws:
        if isinstance(problem.scales[0].prior, Uniform):
            raise KeyboardInterrupt
        draws = ENGINE.sample(problem)
        return draws if self.exact else replace(draws, moments=None)


def test_an_interruption_keeps_what_has_finished_and_says_so(senn: nma.Posterior) -> None:
    stopping = replace(senn, engine=Stopping())
    table = prior_sensitivity(stopping)
    assert len(table.index.unique("prior")) == 4
    assert table.caption.startswith("PARTIAL, interrupted after 3 of 4 fits: Sensitivity")
    assert table.notes[0].startswith("Not fitted: uniform(0,")
    assert table.attrs["poor"] == "PARTIAL, interrupted after 3 of 4 fits"
    whole = prior_sensitivity(senn)
    kept = pd.DataFrame(whole).loc[table.index]
    pd.testing.assert_frame_equal(pd.DataFrame(table), kept, check_exact=True)


def test_draws_carry_their_monte_carlo_error(senn: nma.Posterior) -> None:
    task = nma.fit(senn.network, senn.model, engine=Stopping(exact=False))
    table = prior_sensitivity(task, {"wide": HalfNormal(5)}, standard=False)
    effects = table.loc[[name for name in table.index if " vs " in name[0]]]
    assert (effects["mcse"] > 0).all()
    assert "mcse" in str(table)
    assert "mcse" not in str(prior_sensitivity(senn))


def test_a_selection_of_treatments_is_ranked_among_itself(senn: nma.Posterior) -> None:
    few = nma.at(senn, treatments=["metformin", "acarbose", "placebo"])
    table = prior_sensitivity(few, {"wide": HalfNormal(5)}, standard=False, comparator="metformin")
    assert list(table.index.unique("quantity")) == [
        BEFORE,
        "tau",
        "acarbose vs metformin",
        "placebo vs metformin",
        "metformin",
    ]
    for _, shares in pd.DataFrame(table)["sucra"].dropna().groupby("prior"):
        assert shares.mean() == pytest.approx(0.5, abs=1e-12)


def test_two_treatments_will_do() -> None:
    two = nma.fit(nma.datasets.network("blocker").as_normal(), engine=ENGINE)
    table = prior_sensitivity(two)
    assert len(table.index.unique("quantity")) == 4
    np.testing.assert_allclose(
        pd.DataFrame(table)["p_best"].dropna(), pd.DataFrame(table)["sucra"].dropna(), atol=2e-3
    )


@pytest.mark.parametrize(
    ("priors", "said"),
    [
        ({"one": 1}, "Not a prior: 'one': 1."),
        ({"one": HalfNormal}, "Not a prior: 'one'"),
        ({OWN: HalfNormal(1)}, "In the table already"),
        ([HalfNormal(1)], "This is a list"),
        (HalfNormal(1), "This is a HalfNormal"),
        (None, "none to compare the model's own with"),
        ({}, "none to compare the model's own with"),
    ],
)
def test_what_are_no_priors_is_refused(senn: nma.Posterior, priors: Any, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        prior_sensitivity(senn, priors, standard=False)


def test_what_has_no_prior_of_tau_is_refused(senn: nma.Posterior) -> None:
    common = nma.fit(senn.network, nma.Model(heterogeneity=Common()))
    with pytest.raises(ModelError, match="no prior of tau to change"):
        prior_sensitivity(common)
    plain = nma.fit(senn.network, engine=nma.engines.LeastSquares())
    with pytest.raises(ModelError, match=r"LeastSquares ignores priors.*, or for counts"):
        prior_sensitivity(plain)


def test_questions_that_have_no_answer_are_refused_before_any_fit(senn: nma.Posterior) -> None:
    with pytest.raises(ModelError, match="Did you mean 'metformin'"):
        prior_sensitivity(senn, comparator="metformine")
    with pytest.raises(ModelError, match=r"write 0\.95"):
        prior_sensitivity(senn, level=95)
    with pytest.raises(ModelError, match="is alone"):
        prior_sensitivity(nma.at(senn, treatments=["metformin"]))
    unrelated = nma.fit(loop(), nma.Model(UnrelatedMeans(20.0), Random(HalfNormal(1))))
    with pytest.raises(ModelError, match="no treatment a level outside its trials"):
        prior_sensitivity(unrelated, {"wide": HalfNormal(3)}, standard=False)


def test_without_a_unit_the_priors_have_to_be_named() -> None:
    model = nma.Model(nma.structures.Consistency(nma.priors.Normal(0, 20)), Random(HalfNormal(1)))
    posterior = nma.fit(loop(), model, engine=ENGINE)  # standard errors without participants
    with pytest.raises(ModelError, match="say standard=False and name the priors"):
        prior_sensitivity(posterior)
    named = prior_sensitivity(posterior, {"wide": HalfNormal(3)}, standard=False)
    assert list(named.index.unique("prior")) == [OWN, "wide"]
