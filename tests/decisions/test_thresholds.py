"""Thresholds: each is where a refit of shifted data ties, and the decision changes beyond it."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest

import nma
from nma.decisions import thresholds
from nma.decisions._crossings import FARTHEST, PRECISION, beta_mean
from nma.errors import EngineError, ModelError
from nma.heterogeneity import Common, Random
from nma.network import Network
from nma.priors import Fixed
from nma.problem import Draws, Problem
from nma.structures import (
    Classes,
    Components,
    Consistency,
    NodeSplit,
    RandomInconsistency,
    Regression,
    UnrelatedMeans,
)
from nma.tables import Table

OFF = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
HBA1C = nma.outcomes.Contrast("effect", "se", measure="MD", better="lower", scale=1.0)
MULTI_ARM = "Guttman 1997"
Of = Literal["trials", "comparisons"]


def arms(frame: pd.DataFrame, outcome: Any = OFF, reference: str = "placebo") -> Network:
    return Network.from_arms(
        frame, study="study", treatment="treatment", outcome=outcome, reference=reference
    )


def contrasts(frame: pd.DataFrame, outcome: Any = HBA1C) -> Network:
    return Network.from_contrasts(
        frame,
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=outcome,
        reference="placebo",
    )


@cache
def parkinson() -> nma.Posterior:
    return nma.fit(arms(nma.datasets.load("parkinson")))


@cache
def asked(of: Of = "trials", tau: Literal["fixed", "re-estimated"] = "fixed") -> Table:
    return thresholds(parkinson(), of=of, tau=tau)


def moved(label: tuple[str, ...], shift: float) -> pd.DataFrame:
    """Return the arms of trials, those of a data point moved by hand."""
    frame = nma.datasets.load("parkinson")
    *study, treatment, comparator = label
    on, against = frame["treatment"] == treatment, frame["treatment"] == comparator
    if study:
        frame.loc[on & (frame["study"] == study[0]), "mean"] += shift
        return frame
    both = set(frame["study"][on]) & set(frame["study"][against])
    inside = frame["study"].isin(both)
    frame.loc[on & inside, "mean"] += shift / 2
    frame.loc[against & inside, "mean"] -= shift / 2
    return frame


def row_of(table: pd.DataFrame, *label: str) -> Any:
    """Return one row of a table, by its label."""
    found: Any = table
    return found.loc[label]


def means(posterior: nma.Posterior) -> pd.Series:
    moments = posterior.draws.moments
    assert moments is not None
    levels = posterior.levels @ (moments.weight @ moments.mean)
    return pd.Series(levels, index=list(posterior.treatments))


def refitted(label: tuple[str, ...], shift: float, engine: Any, model: nma.Model) -> pd.Series:
    return means(nma.fit(arms(moved(label, shift)), model, engine=engine))


def ends(row: pd.Series) -> list[tuple[float, str]]:
    found = [(float(row["shift_lower"]), row["below"]), (float(row["shift_upper"]), row["above"])]
    return [(shift, best) for shift, best in found if np.isfinite(shift)]


def assert_changes_there(refit: Callable[[float], pd.Series], row: pd.Series, best: str) -> int:
    """Check every finite threshold of a row against refits there, inside and outside."""
    checked = 0
    for shift, new in ends(row):
        if abs(shift) > 100:  # through the prior: a tie to rounding of a huge shift
            continue
        there = refit(shift)
        assert there.sort_values().index[:2].isin([best, new]).all()
        assert abs(there[best] - there[new]) < 1e-8
        assert refit(shift * (1 - 1e-6)).idxmin() == best
        assert refit(shift * (1 + 1e-6)).idxmin() == new
        checked += 1
    return checked


@pytest.mark.parametrize(
    "engine", [nma.engines.Gaussian(), nma.engines.LeastSquares("DL")], ids=str
)
@pytest.mark.parametrize("of", ["trials", "comparisons"])
def test_at_a_fixed_tau_refits_tie_at_every_threshold(of: Of, engine: Any) -> None:
    posterior = nma.fit(arms(nma.datasets.load("parkinson")), engine=engine)
    assert posterior.draws.moments is not None
    tau = posterior.draws.moments.marginals["tau"].mean
    model = nma.Model(posterior.model.structure, Random(Fixed(tau)))
    table = thresholds(posterior, of=of)
    best, checked = table.attrs["best"], 0
    for label, row in table.iterrows():
        assert isinstance(label, tuple)
        refit = partial(refitted, label, engine=engine, model=model)
        checked += assert_changes_there(refit, row, best)
    assert checked >= 9


def test_of_contrasts_with_a_multi_arm_trial_refits_tie_too() -> None:
    frame = nma.datasets.load("senn2013")
    posterior = nma.fit(contrasts(frame))
    assert posterior.draws.moments is not None
    tau = posterior.draws.moments.marginals["tau"].mean
    model = nma.Model(posterior.model.structure, Random(Fixed(tau)))

    def refit(label: tuple[str, ...], shift: float) -> pd.Series:
        changed = frame.copy()
        here = changed["study"] == label[0]
        sign = (changed["treatment"] == label[1]).astype(float)
        sign -= (changed["comparator"] == label[1]).astype(float)
        changed["effect"] += shift * sign * here
        return means(nma.fit(contrasts(changed), model))

    table = thresholds(posterior)
    checked = sum(
        assert_changes_there(partial(refit, label), row, "rosiglitazone")
        for label, row in table.iterrows()
        if isinstance(label, tuple)
    )
    assert checked == 39


def test_between_thresholds_nothing_changes_the_decision() -> None:
    model = nma.Model(parkinson().model.structure, Random(Fixed(_tau())))
    for label, row in asked().iterrows():
        low, high = (np.clip(row[f"shift_{end}"], -30, 30) for end in ("lower", "upper"))
        for shift in np.linspace(low, high, 7)[1:-1]:
            assert refitted(label, shift, None, model).idxmin() == asked().attrs["best"]  # type: ignore[arg-type]


def _tau() -> float:
    moments = parkinson().draws.moments
    assert moments is not None
    return moments.marginals["tau"].mean


def test_where_no_shift_changes_the_decision_there_is_no_threshold() -> None:
    row = row_of(asked(), MULTI_ARM, "pramipexole", "the other arms")
    model = nma.Model(parkinson().model.structure, Random(Fixed(_tau())))
    assert row["shift_lower"] == -np.inf
    assert row["below"] == ""
    label = (MULTI_ARM, "pramipexole", "the other arms")
    for shift in (-1.0, -10.0, -1e3, -1e6):
        assert refitted(label, shift, None, model).idxmin() == "pramipexole"


@pytest.mark.parametrize("of", ["trials", "comparisons"])
def test_with_tau_estimated_again_bisection_of_refits_finds_the_same(of: Of) -> None:
    table, model = asked(of, "re-estimated"), parkinson().model
    best, checked = table.attrs["best"], 0
    for label, row in table.iterrows():
        assert isinstance(label, tuple)
        for shift, new in ends(row):
            for size, winner in ((0.5, best), (0.999, best), (1.001, new)):
                assert refitted(label, size * shift, None, model).idxmin() == winner
            near, far = 0.999 * shift, 1.001 * shift
            while abs(far - near) > PRECISION * row["se"] / 10:
                middle = (near + far) / 2
                inside = refitted(label, middle, None, model).idxmin() == best
                near, far = (middle, far) if inside else (near, middle)
            assert abs((near + far) / 2 - shift) <= PRECISION * row["se"]
            checked += 1
    assert checked >= 8


def test_thresholds_with_tau_estimated_again_do_not_hang_on_the_quadrature() -> None:
    finer = nma.fit(
        arms(nma.datasets.load("parkinson")), engine=nma.engines.Gaussian(tolerance=1e-11)
    )
    one, two = asked("trials", "re-estimated"), thresholds(finer, tau="re-estimated")
    for end in ("shift_lower", "shift_upper"):
        off = (one[end] - two[end].reindex(one.index)).abs() / one["se"]
        assert off[np.isfinite(one[end])].max() < 3 * PRECISION


def test_beyond_the_search_no_threshold_is_claimed() -> None:
    table = asked("trials", "re-estimated")
    label = ("Gershanik 1994a", "cabergoline", "bromocriptine")
    row = row_of(table, *label)
    assert row["shift_upper"] == np.inf
    assert row["above"] == ""
    step = float(np.hypot(row["se"], _tau()))
    shift = 0.99 * FARTHEST * step
    assert refitted(label, shift, None, parkinson().model).idxmin() == "pramipexole"
    assert any(f"as far as {FARTHEST:g}" in note for note in table.notes)


def test_the_next_step_of_a_scale_that_is_stated_is_the_closed_form() -> None:
    model = nma.Model(heterogeneity=Common())
    posterior = nma.fit(arms(nma.datasets.load("parkinson")), model)
    again = thresholds(posterior, tau="re-estimated")
    pd.testing.assert_frame_equal(pd.DataFrame(again), pd.DataFrame(thresholds(posterior)))
    assert "No scale is learnt from the trials" in " ".join(again.notes)


def mirrored(table: Table) -> pd.DataFrame:
    """Return shifts with their signs reversed."""
    flipped = {
        "shift_lower": -table["shift_upper"],
        "shift_upper": -table["shift_lower"],
        "below": table["above"],
        "above": table["below"],
        "estimate": -table["estimate"],
        "nearest": table["nearest"],
        "crossed": table["crossed"],
    }
    return pd.DataFrame(flipped)


def assert_same(one: pd.DataFrame, two: pd.DataFrame) -> None:
    other = two.loc[one.index, one.columns]
    for name in one:
        if one[name].dtype == float:
            close = np.isclose(one[name], other[name], rtol=1e-6, atol=1e-9)
            assert close.all(), name
        else:
            assert one[name].tolist() == other[name].tolist(), name


@pytest.mark.parametrize("tau", ["fixed", "re-estimated"])
def test_reversing_better_and_signs_mirrors_thresholds(tau: Any) -> None:
    frame = nma.datasets.load("parkinson")
    frame["mean"] = -frame["mean"]
    higher = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="higher")
    turned = thresholds(nma.fit(arms(frame, higher)), tau=tau)
    assert_same(mirrored(asked("trials", tau)), pd.DataFrame(turned))


def test_reversing_better_alone_recommends_the_other_end() -> None:
    higher = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="higher")
    turned = thresholds(nma.fit(arms(nma.datasets.load("parkinson"), higher)))
    assert turned.attrs["best"] == means(parkinson()).idxmax()


@pytest.mark.parametrize("of", ["trials", "comparisons"])
def test_relabelling_changes_nothing_but_names(of: Of) -> None:
    names = {"placebo": "placebo", "bromocriptine": "z", "cabergoline": "y", "pramipexole": "x"}
    names |= {"ropinirole": "a", "the other arms": "the other arms", "": ""}
    frame = nma.datasets.load("parkinson")
    frame["treatment"] = frame["treatment"].map(names)
    found = thresholds(nma.fit(arms(frame)), of=of)
    ours = pd.DataFrame(asked(of)).reset_index()
    for name in ("treatment", "comparator", "below", "above"):
        ours[name] = ours[name].map(names)
    assert_same_pairs(ours.set_index(found.index.names), pd.DataFrame(found))


def assert_same_pairs(one: pd.DataFrame, two: pd.DataFrame) -> None:
    """Compare tables in which pairs may be named either way round."""
    for label, row in one.iterrows():
        assert isinstance(label, tuple)
        *study, treatment, comparator = label
        if label in two.index:
            other, sign = two.loc[[label]].iloc[0], 1
        else:
            other, sign = two.loc[[(*study, comparator, treatment)]].iloc[0], -1
        found = ends(other)
        expected = sorted((sign * shift, best) for shift, best in found)
        assert [best for _, best in ends(row)] == [best for _, best in expected]
        np.testing.assert_allclose(
            [shift for shift, _ in ends(row)], [shift for shift, _ in expected], rtol=1e-6
        )
        assert row["estimate"] == pytest.approx(sign * other["estimate"], abs=1e-12)
        assert row["crossed"] == other["crossed"]
    assert len(one) == len(two)


@pytest.mark.parametrize("of", ["trials", "comparisons"])
def test_the_reference_and_the_order_of_rows_change_nothing(of: Of) -> None:
    frame = nma.datasets.load("parkinson").iloc[::-1].reset_index(drop=True)
    found = thresholds(nma.fit(arms(frame, reference="ropinirole")), of=of)
    assert found.attrs["best"] == asked(of).attrs["best"]
    assert_same_pairs(pd.DataFrame(asked(of)), pd.DataFrame(found))


def star(better: Any = "lower") -> Network:
    effects = {"a": -1.0, "b": -0.7, "c": 0.4}
    rows = [(f"trial of {n}", n, "placebo", effect, 0.2) for n, effect in effects.items()]
    frame = pd.DataFrame(rows, columns=["study", "treatment", "comparator", "effect", "se"])
    return contrasts(
        frame, nma.outcomes.Contrast("effect", "se", measure="MD", better=better, scale=1.0)
    )


def test_a_trial_that_tells_nothing_of_the_choice_has_no_thresholds() -> None:
    posterior = nma.fit(star(), engine=nma.engines.LeastSquares("common"))
    table = thresholds(posterior, treatments=["a", "b"])
    row = row_of(table, "trial of c", "c", "placebo")
    assert (row["shift_lower"], row["shift_upper"]) == (-np.inf, np.inf)
    assert (row["below"], row["above"], row["nearest"]) == ("", "", np.inf)
    assert not row["crossed"]
    assert table.index[-1][0] == "trial of c"


def test_in_a_star_thresholds_are_the_differences_themselves() -> None:
    table = thresholds(nma.fit(star(), engine=nma.engines.LeastSquares("common")))
    assert table.attrs["best"] == "a"
    a, b, c = (row_of(table, f"trial of {n}", n, "placebo") for n in "abc")
    assert (a["shift_lower"], a["above"]) == (-np.inf, "b")
    assert a["shift_upper"] == pytest.approx(0.3, abs=1e-12)
    assert (b["shift_upper"], b["below"]) == (np.inf, "b")
    assert b["shift_lower"] == pytest.approx(-0.3, abs=1e-12)
    assert c["shift_lower"] == pytest.approx(-1.4, abs=1e-12)
    assert c["invariant_lower"] == pytest.approx(-1.0, abs=1e-12)
    assert list(table["crossed"]) == [True, True, False]
    assert a["nearest"] == pytest.approx(1.5, abs=1e-12)


def test_the_estimate_of_a_trial_is_its_own() -> None:
    frame = nma.datasets.load("parkinson").set_index(["study", "treatment"])
    variance = frame["sd"] ** 2 / frame["n"]
    row = row_of(asked(), "Lieberman 1997", "pramipexole", "placebo")
    two = frame["mean"]["Lieberman 1997"]
    assert row["estimate"] == pytest.approx(two["pramipexole"] - two["placebo"], abs=1e-12)
    assert row["se"] == pytest.approx(np.sqrt(variance["Lieberman 1997"].sum()), abs=1e-12)
    assert row["upper"] - row["lower"] == pytest.approx(2 * 1.959963984540054 * row["se"])
    three, spread = frame["mean"][MULTI_ARM], variance[MULTI_ARM]
    row = row_of(asked(), MULTI_ARM, "placebo", "the other arms")
    others = three.drop("placebo").mean()
    assert row["estimate"] == pytest.approx(three["placebo"] - others, abs=1e-12)
    expected = np.sqrt(spread["placebo"] + spread.drop("placebo").sum() / 4)
    assert row["se"] == pytest.approx(expected, abs=1e-12)


def test_the_direct_estimate_of_a_comparison_pools_its_trials_at_tau() -> None:
    row = row_of(asked("comparisons"), "ropinirole", "bromocriptine")
    trials: Any = pd.DataFrame(asked())
    trials = trials.loc[["Brunt 2002, Group A", "Brunt 2002, Group B"]]
    weight = 1 / (trials["se"] ** 2 + _tau() ** 2)
    pooled = (weight * trials["estimate"]).sum() / weight.sum()
    assert row["estimate"] == pytest.approx(pooled, abs=1e-12)
    assert row["se"] == pytest.approx(weight.sum() ** -0.5, abs=1e-12)


def test_ratios_are_shifted_as_logarithms_and_printed_as_ratios() -> None:
    posterior = nma.fit(nma.datasets.network("bcg").as_normal())
    table = thresholds(posterior)
    inside = table["estimate"] * np.exp(table["shift_upper"])
    np.testing.assert_allclose(table["invariant_upper"], inside)
    np.testing.assert_allclose(
        table["upper"], table["estimate"] * np.exp(1.959963984540054 * table["se"])
    )


def test_counts_are_read_as_normal_and_it_is_said() -> None:
    frame = nma.datasets.load("smoking")
    some = frame[frame["study"].isin(list(dict.fromkeys(frame["study"]))[:8])]
    counts = nma.outcomes.Binary("events", "n", measure="OR", better="higher")
    network = Network.from_arms(some, study="study", treatment="treatment", outcome=counts)
    counted = nma.fit(network, engine=nma.engines.Laplace(draws=64))
    table = thresholds(counted)
    assert any("read by the normal approximation here" in note for note in table.notes)
    moments = counted.draws.moments
    mean = (
        moments.marginals["tau"].mean
        if moments is not None
        else float(counted.draws.values["tau"].mean())
    )
    model = nma.Model(counted.model.structure, Random(Fixed(mean)))
    normal = thresholds(nma.fit(counted.network.as_normal(), model))
    pd.testing.assert_frame_equal(pd.DataFrame(table), pd.DataFrame(normal))
    again = thresholds(counted, tau="re-estimated", treatments=["no intervention", "self-help"])
    exact = nma.fit(counted.network.as_normal(), counted.model)
    expected = thresholds(exact, tau="re-estimated", treatments=["no intervention", "self-help"])
    assert_same(pd.DataFrame(again)[["shift_lower", "shift_upper"]], pd.DataFrame(expected))


def test_draws_of_normal_data_give_way_to_the_exact_engine() -> None:
    exact = parkinson()
    assert exact.draws.moments is not None
    drawn = Drawn()
    found = thresholds(nma.fit(exact.network, engine=drawn), tau="re-estimated")
    assert_same(pd.DataFrame(asked("trials", "re-estimated")), pd.DataFrame(found))


@dataclass(frozen=True)
class Drawn:
    """An engine of draws alone."""

    def unsuited(self, problem: Problem) -> str | None:
        return nma.engines.Gaussian().unsuited(problem)

    def sample(self, problem: Problem) -> Draws:
        return Draws(sampler=nma.engines.Gaussian(draws=64).sample(problem).sampler)


def test_whatever_gives_levels_has_thresholds() -> None:
    frame = nma.datasets.load("parkinson")
    frame["year"] = frame["study"].str.extract(r"(\d{4})")[0].astype(float)
    network = arms(frame)
    structures: list[nma.protocols.Structure] = [
        Regression(Consistency(), "year", control="placebo"),
        Classes(classes={n: "agonist" if n != "placebo" else n for n in network.treatments}),
        Components(separator="+", inactive="placebo"),
        RandomInconsistency(Consistency()),
    ]
    for structure in structures:
        posterior = nma.fit(network, nma.Model(structure))
        assert posterior.draws.moments is not None
        held = {n: m.mean for n, m in posterior.draws.moments.marginals.items()}
        table = thresholds(posterior)
        for label, row in table.head(3).iterrows():
            assert isinstance(label, tuple)
            shift, new = min(ends(row), key=lambda end: abs(end[0]))
            shifted = arms(moved(label, shift).assign(year=frame["year"]))
            there = held_at(nma.fit(shifted, posterior.model), held)
            assert set(there.sort_values().index[:2]) == {table.attrs["best"], new}
            assert abs(there[table.attrs["best"]] - there[new]) < 1e-8


def held_at(posterior: nma.Posterior, scales: dict[str, float]) -> pd.Series:
    """Return levels at fixed scales, by dense algebra."""
    problem = posterior.problem
    prior = problem.parameters
    size = [1.0 if name is None else scales[name] for name in prior.scale]
    covariance = prior.covariance * np.outer(size, size)
    X, y, V = dense(problem, scales["tau"])
    gain = covariance @ X.T @ np.linalg.inv(X @ covariance @ X.T + V)
    beta = prior.mean + gain @ (y - X @ prior.mean)
    return pd.Series(posterior.levels @ beta, index=list(posterior.treatments))


def dense(problem: Problem, tau: float) -> tuple[Any, Any, Any]:
    from scipy.linalg import block_diag

    X, y, V = [], [], []
    for part in problem.evidence:
        assert isinstance(part, nma.problem.Contrasts)
        for positions, told, sampling in zip(part.arms, part.y, part.V, strict=True):
            X.append(problem.levels[positions[1:]] - problem.levels[positions[0]])
            y.append(told)
            V.append(sampling + tau**2 / 2 * (1 + np.eye(len(told))))
    return np.concatenate(X), np.concatenate(y), block_diag(*V)


def test_treatments_that_the_model_makes_one_are_recommended_together() -> None:
    network = parkinson().network
    sorts = {n: n for n in network.treatments} | {"pramipexole": "new", "cabergoline": "new"}
    model = nma.Model(Classes(classes=sorts, within="common"))
    table = thresholds(nma.fit(network, model))
    everyone = {table.attrs["best"], *table["below"], *table["above"]}
    assert "cabergoline and pramipexole" in everyone
    assert not everyone & {"cabergoline", "pramipexole"}
    with pytest.raises(ModelError, match="one and the same: there is no choice"):
        thresholds(nma.fit(network, model), treatments=["cabergoline", "pramipexole"])


def test_the_choice_can_be_among_some() -> None:
    some = ["placebo", "ropinirole", "bromocriptine"]
    table = thresholds(parkinson(), treatments=some)
    assert table.attrs["best"] == means(parkinson())[some].idxmin()
    assert {*table["below"], *table["above"]} <= {*some, ""}
    assert "Chosen from: placebo, ropinirole, bromocriptine." in table.notes[0]
    assert "Chosen from" not in " ".join(asked().notes)
    narrowed = thresholds(nma.at(parkinson(), treatments=some))
    pd.testing.assert_frame_equal(pd.DataFrame(table), pd.DataFrame(narrowed))


def test_another_best_over_the_posterior_of_tau_is_said() -> None:
    rows = [
        ("1", "a", "placebo", -1.0, 0.05),
        ("2", "a", "placebo", 0.6, 0.4),
        ("3", "b", "placebo", -0.62, 0.1),
    ]
    frame = pd.DataFrame(rows, columns=["study", "treatment", "comparator", "effect", "se"])
    outcome = nma.outcomes.Contrast("effect", "se", measure="MD", better="lower", scale=1.0)
    posterior = nma.fit(contrasts(frame, outcome))
    found = {}
    for effect in np.linspace(-0.9, -0.3, 61):
        frame.loc[2, "effect"] = effect
        posterior = nma.fit(contrasts(frame, outcome))
        fixed = thresholds(posterior)
        found[fixed.attrs["best"], str(means(posterior).idxmin())] = fixed, posterior
    differ = [(best, fitted) for best, fitted in found if best != fitted]
    assert differ
    for best, fitted in differ:
        table, posterior = found[best, fitted]
        said = f"In the fit itself {fitted} has the best posterior mean; these thresholds are of"
        assert any(note.startswith(said) for note in table.notes)
        assert thresholds(posterior, tau="re-estimated").attrs["best"] == fitted


def test_any_executor_finds_the_same() -> None:
    with ThreadPoolExecutor(2) as pool:
        found = thresholds(parkinson(), tau="re-estimated", executor=pool)
    pd.testing.assert_frame_equal(
        pd.DataFrame(found), pd.DataFrame(asked("trials", "re-estimated"))
    )


@dataclass(frozen=True, eq=False)
class Copying:
    """Sends everything through a pickle, as processes do."""

    sent: list[bytes] = field(default_factory=list)

    def map(self, function: Callable[[Any], Any], values: Iterable[Any], /) -> Iterable[Any]:
        for value in values:
            self.sent.append(pickle.dumps((function, value)))
            job, task = pickle.loads(self.sent[-1])  # noqa: S301  our own
            yield pickle.loads(pickle.dumps(job(task)))  # noqa: S301  our own


def test_tasks_can_be_sent_to_other_processes() -> None:
    copying = Copying()
    found = thresholds(parkinson(), tau="re-estimated", executor=copying)
    assert len(copying.sent) == len(found)
    pd.testing.assert_frame_equal(
        pd.DataFrame(found), pd.DataFrame(asked("trials", "re-estimated"))
    )


class Stopped:
    """An executor that the user interrupts after some, or in which one fails."""

    def __init__(self, after: int) -> None:
        self.after = after

    def map(self, function: Callable[[Any], Any], values: Iterable[Any], /) -> Iterable[Any]:
        for k, value in enumerate(values):
            if k == self.after:
                raise KeyboardInterrupt
            yield function(value)


def test_an_interruption_keeps_what_was_found() -> None:
    table = thresholds(parkinson(), tau="re-estimated", executor=Stopped(3))
    assert len(table) == 3
    assert table.caption.startswith("PARTIAL, interrupted after 3 of 9 fits:")
    assert len(table.attrs["absent"]) == 6
    whole = asked("trials", "re-estimated")
    assert_same(pd.DataFrame(table), pd.DataFrame(whole))
    assert "PARTIAL" in table.attrs["poor"]


def test_the_nearest_threshold_stands_first() -> None:
    for of in ("trials", "comparisons"):
        assert asked(of)["nearest"].is_monotonic_increasing


def test_the_words_say_the_rule_and_what_was_held() -> None:
    table = asked()
    assert "pramipexole keeps the best posterior mean (MD, lower is better" in table.caption
    assert f"tau held at {_tau():.4g}, its posterior mean" in table.caption
    assert "tau learnt again at every shift" in asked("trials", "re-estimated").caption
    squares = nma.fit(parkinson().network, engine=nma.engines.LeastSquares())
    assert "best least-squares estimate" in thresholds(squares).caption
    assert "as plugged in" in thresholds(squares).caption
    common = nma.fit(parkinson().network, nma.Model(heterogeneity=Common()))
    assert "tau" not in thresholds(common).caption
    stated = nma.fit(parkinson().network, nma.Model(heterogeneity=Random(Fixed(0.3))))
    assert "tau held at 0.3, as stated" in thresholds(stated).caption


def test_what_cannot_be_chosen_is_refused() -> None:
    posterior = parkinson()
    with pytest.raises(ModelError, match="'placebo' alone leaves nothing to choose"):
        thresholds(posterior, treatments=["placebo"])
    with pytest.raises(ModelError, match=r"treatments='placebo' is one name"):
        thresholds(posterior, treatments="placebo")
    with pytest.raises(ModelError, match=r"'plcebo' is not among .* Did you mean 'placebo'"):
        thresholds(posterior, treatments=["plcebo", "ropinirole"])
    with pytest.raises(ModelError, match=r"of='trial' is no choice.* Did you mean 'trials'"):
        thresholds(posterior, of="trial")  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=r"tau='REML' is no choice: write one of 'fixed'"):
        thresholds(posterior, tau="REML")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "structure",
    [UnrelatedMeans(), NodeSplit(Consistency(), "ropinirole", "bromocriptine")],
    ids=lambda structure: type(structure).__name__,
)
def test_a_structure_without_levels_outside_a_trial_is_refused(structure: Any) -> None:
    inconsistent = nma.fit(parkinson().network, nma.Model(structure))
    with pytest.raises(ModelError, match="no treatment has one level outside its trials"):
        thresholds(inconsistent)


def test_two_equally_good_treatments_are_refused() -> None:
    rows = [(n, n, "placebo", -1.0, 0.2) for n in "ab"]
    frame = pd.DataFrame(rows, columns=["study", "treatment", "comparator", "effect", "se"])
    outcome = nma.outcomes.Contrast("effect", "se", measure="MD", better="lower", scale=1.0)
    with pytest.raises(ModelError, match="'a' and 'b' have the same mean: there is no one"):
        thresholds(nma.fit(contrasts(frame, outcome)))


def test_least_squares_does_not_choose_between_what_no_trial_joins() -> None:
    rows = [("1", "a", "placebo", -1.0, 0.2), ("2", "b", "c", -1.0, 0.2)]
    frame = pd.DataFrame(rows, columns=["study", "treatment", "comparator", "effect", "se"])
    outcome = nma.outcomes.Contrast("effect", "se", measure="MD", better="lower", scale=1.0)
    structure = Components(separator="+")
    posterior = nma.fit(
        contrasts(frame, outcome),
        nma.Model(structure),
        engine=nma.engines.LeastSquares("common"),
    )
    with pytest.raises(ModelError, match="No trials, directly or together, compare"):
        thresholds(posterior)
    assert thresholds(posterior, treatments=["a", "placebo"]).attrs["best"] == "a"


def test_a_model_that_is_not_linear_is_refused() -> None:
    posterior = parkinson()
    bent = replace(posterior, problem=replace(posterior.problem, predictor=lambda *_: None))
    with pytest.raises(ModelError, match="not linear in its parameters"):
        thresholds(bent)


def test_a_tau_without_a_mean_cannot_be_held() -> None:
    posterior = parkinson()
    moments = posterior.draws.moments
    assert moments is not None
    endless = {"tau": replace(moments.marginals["tau"], mean=np.inf)}
    draws = replace(posterior.draws, moments=replace(moments, marginals=endless))
    with pytest.raises(ModelError, match="tau has no finite posterior mean to hold it at"):
        thresholds(replace(posterior, draws=draws))


def test_an_engine_of_draws_cannot_search() -> None:
    with pytest.raises(EngineError, match="too noisy"):
        beta_mean(Drawn().sample(parkinson().problem))
