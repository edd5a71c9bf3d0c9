"""Influence of trials: every row is the fit of a network that never had the trial."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
from nma.checks import leave_one_study_out
from nma.checks._without import without
from nma.errors import EngineError, ModelError
from nma.network import Network
from nma.priors import Fixed, HalfNormal
from nma.problem import Draws, Problem
from pictures import arms, contrasts

COUNTS = nma.outcomes.Binary("events", "n", measure="OR", better="lower")
ENGINES: dict[str, nma.protocols.Engine] = {
    "counts": nma.engines.Laplace(draws=64),
    "normal": nma.engines.Gaussian(draws=64),
    "least squares": nma.engines.LeastSquares(draws=64),
}


def counts(frame: pd.DataFrame) -> Network:
    return Network.from_arms(frame, study="study", treatment="treatment", outcome=COUNTS)


def cells_of(table: pd.DataFrame) -> Any:
    return pd.DataFrame(table)


def smoking() -> pd.DataFrame:
    frame = nma.datasets.load("smoking")
    some = list(dict.fromkeys(frame["study"]))[:7]
    return frame[frame["study"].isin(some)].reset_index(drop=True)


@cache
def fitted(which: str) -> nma.Posterior:
    network = counts(smoking())
    return nma.fit(network if which == "counts" else network.as_normal(), engine=ENGINES[which])


@pytest.mark.parametrize("which", list(ENGINES))
def test_every_row_is_the_fit_of_the_network_without_the_trial(which: str) -> None:
    posterior, frame = fitted(which), smoking()
    table: Any = pd.DataFrame(leave_one_study_out(posterior, level=0.9))
    against, whole = posterior.comparator, cells_of(nma.summary(posterior))
    studies = list(posterior.network.trials)
    assert list(table.index.unique("study")) == studies
    told = 0
    for study in studies:
        network = counts(frame[frame["study"] != study])
        network = network if which == "counts" else network.as_normal()
        refit = nma.fit(network, posterior.model, engine=posterior.engine)
        again = cells_of(nma.effect_table(refit, comparators=[against], level=0.9))
        for name in posterior.treatments:
            if name not in network.treatments:
                assert np.isnan(table.loc[(study, f"{name} vs {against}"), "estimate"])
            elif name != against:
                row = table.loc[(study, f"{name} vs {against}")]
                expected = again.loc[(name, against)]
                for column in ("estimate", "lower", "upper"):
                    assert row[column] == pytest.approx(expected[column], rel=1e-9)
                moved = np.log(expected["estimate"]) - whole.loc[f"{name} vs {against}", "mean"]
                sd = whole.loc[f"{name} vs {against}", "sd"]
                assert row["shift"] == pytest.approx(moved / sd, abs=1e-9)
                assert row["sd_ratio"] == pytest.approx(expected["sd"] / sd, rel=1e-9)
                told += 1
        after = cells_of(nma.summary(refit, level=0.9)).loc["tau"]
        found = table.loc[(study, "tau")]
        assert found["estimate"] == pytest.approx(after["median"], rel=1e-9)
        if which != "least squares":
            shift = (after["median"] - whole.loc["tau", "median"]) / whole.loc["tau", "sd"]
            assert found["shift"] == pytest.approx(shift, abs=1e-9)
        if network.treatments == posterior.network.treatments:
            shares = nma.sucra(refit)["sucra"]
            for name in posterior.treatments:
                quantity = name if name == against else f"{name} vs {against}"
                assert table.loc[(study, quantity), "sucra"] == pytest.approx(shares[name])
    assert told > len(studies)


def test_a_network_without_a_trial_is_that_of_the_other_rows() -> None:
    posterior, frame = fitted("counts"), smoking()
    for study in posterior.network.trials:
        made, expected = without(posterior.network, study), counts(frame[frame["study"] != study])
        assert made is not None
        assert made.treatments == expected.treatments
        pd.testing.assert_frame_equal(made.table, expected.table)
        for ours, theirs in zip(made.sources, expected.sources, strict=True):
            np.testing.assert_array_equal(ours.arms, theirs.arms)
            np.testing.assert_array_equal(
                ours.rows[["events", "n"]].to_numpy(), theirs.rows[["events", "n"]].to_numpy()
            )


def test_a_trial_on_a_bridge_is_not_estimable_and_said_to_be() -> None:
    """B and C hang on the rest by one trial; D by a trial of its own; A and E by two each."""
    network = arms([("P", "A"), ("P", "A"), ("A", "B"), ("B", "C"), ("B", "C"), ("P", "D")])
    posterior = nma.fit(network)
    table = leave_one_study_out(posterior, comparator="P")
    cells: Any = pd.DataFrame(table)
    bridge, leaf, other = "trial 002", "trial 005", "trial 000"
    assert table.attrs["not_estimable"] == {bridge: ["A", "B", "C", "D"], leaf: ["D"]}
    assert cells.loc[bridge].drop(columns="mcse").isna().all(axis=None)
    assert cells.loc[(leaf, "D vs P")].drop("mcse").isna().all()
    assert cells.loc[leaf, "sucra"].isna().all()
    assert cells.loc[leaf, "shift"].drop(["D vs P", "P"]).notna().all()
    assert cells.loc[other, "shift"].drop("P").notna().all()
    (said,) = [note for note in table.notes if note.startswith(f"Not estimable without {bridge}")]
    assert said.endswith("the others fall into 2 parts that no trial connects.")
    (said,) = [note for note in table.notes if note.startswith(f"Not estimable without {leaf}")]
    assert "D, which no other trials tie" in said


def test_without_the_only_trial_of_the_comparator_no_effect_is_estimable() -> None:
    posterior = nma.fit(arms([("P", "A"), ("A", "B"), ("A", "B")]))
    table = leave_one_study_out(posterior, comparator="P")
    cells: Any = pd.DataFrame(table)
    assert table.attrs["not_estimable"]["trial 000"] == ["A", "B"]
    assert cells.loc["trial 000"]["estimate"].drop("tau").isna().all()
    assert np.isfinite(cells.loc[("trial 000", "tau"), "estimate"])


def test_a_network_of_one_trial_has_nothing_left() -> None:
    table = leave_one_study_out(nma.fit(arms([("P", "A")])))
    assert pd.DataFrame(table)["estimate"].isna().all()
    assert "Not estimable without trial 000: there is no other trial." in table.notes


def test_a_known_tau_has_no_row_and_a_copy_of_the_evidence_moves_nothing() -> None:
    """Two alike trials, tau known: leaving one out doubles the variance and moves no effect."""
    frame = pd.DataFrame(
        {"study": ["a", "b"], "treatment": "A", "comparator": "P", "effect": 0.4, "se": 0.1}
    )
    outcome = nma.outcomes.Contrast("effect", "se", measure="OR", better="lower")
    network = Network.from_contrasts(
        frame, study="study", treatment="treatment", comparator="comparator", outcome=outcome
    )
    model = nma.Model(
        nma.structures.Consistency(nma.priors.Normal(0, 1e4)), nma.heterogeneity.Random(Fixed(0.0))
    )
    cells: Any = pd.DataFrame(leave_one_study_out(nma.fit(network, model), comparator="P"))
    assert list(cells.loc["a"].index) == ["A vs P", "P"]
    row = cells.loc[("a", "A vs P")]
    assert row["estimate"] == pytest.approx(np.exp(0.4), rel=1e-6)
    assert row["shift"] == pytest.approx(0.0, abs=1e-6)
    assert row["sd_ratio"] == pytest.approx(np.sqrt(2), rel=1e-6)


def test_mixed_sources_lose_the_right_trial() -> None:
    """Arms and contrasts together: positions of both move when a trial goes."""
    first = counts(smoking())
    effects = pd.DataFrame(
        {
            "study": ["k", "l"],
            "treatment": "self-help",
            "comparator": "no intervention",
            "effect": [0.3, 0.9],
            "se": [0.3, 0.4],
        }
    )
    outcome = nma.outcomes.Contrast("effect", "se", measure="OR", better="lower")
    second = Network.from_contrasts(
        effects, study="study", treatment="treatment", comparator="comparator", outcome=outcome
    )
    both = Network.combine(first, second)
    study = next(iter(first.trials))
    made = without(both, study)
    kept = counts(smoking().query("study != @study"))
    expected = Network.combine(kept, second)
    assert made is not None
    pd.testing.assert_frame_equal(made.table, expected.table)
    for ours, theirs in zip(made.sources, expected.sources, strict=True):
        np.testing.assert_array_equal(ours.arms, theirs.arms)
    alone = without(without(both, "k") or both, "l")
    assert alone is not None
    assert len(alone.sources) == 1


def test_the_numbers_are_the_same_whatever_the_executor() -> None:
    posterior = fitted("normal")
    here = leave_one_study_out(posterior)
    with ThreadPoolExecutor(3) as threads:
        there = leave_one_study_out(posterior, executor=threads)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        apart = leave_one_study_out(posterior, executor=processes)
    for other in (there, apart):
        pd.testing.assert_frame_equal(pd.DataFrame(other), pd.DataFrame(here), check_exact=True)
        assert str(other) == str(here)


def test_monte_carlo_errors_of_shifts_are_those_of_both_fits() -> None:
    exact: Any = pd.DataFrame(leave_one_study_out(fitted("normal")))
    assert (exact["mcse"] == 0).all()
    drawn: Any = pd.DataFrame(leave_one_study_out(fitted("counts")))
    assert drawn.loc[drawn["shift"].isna(), "mcse"].isna().all()
    shifts = drawn.loc[drawn["shift"].notna()]
    assert (shifts["mcse"] > 0).all()
    assert (shifts["mcse"] < 0.2).all()


def test_notes_name_the_most_influential_trial_and_verdicts_that_turn() -> None:
    network = contrasts([("A", "B"), ("A", "B"), ("A", "B"), ("A", "C"), ("A", "C")], step=0.3)
    posterior = nma.fit(network, nma.Model(heterogeneity=nma.heterogeneity.Random(HalfNormal(0.1))))
    table = leave_one_study_out(posterior, comparator="A")
    cells: Any = pd.DataFrame(table)
    study, quantity = cells["shift"].abs().idxmax()
    shift = cells.loc[(study, quantity), "shift"]
    said = f"Most influential: without {study}, {quantity} moves by {shift:+.2f} standard"
    assert any(note.startswith(said) for note in table.notes)
    effects = cells_of(nma.effect_table(posterior, comparators=["A"]))
    for name in ("B", "C"):
        row = effects.loc[(name, "A")]
        excluded = row["lower"] > 1 or row["upper"] < 1
        parts = cells.xs(f"{name} vs A", level="quantity")
        turned = parts.index[((parts["lower"] > 1) | (parts["upper"] < 1)) != excluded]
        notes = [note for note in table.notes if note.startswith(f"The interval of {name} vs A")]
        assert bool(notes) == bool(len(turned))
        assert all(study in notes[0] for study in turned)
    assert any("no effect without" in note for note in table.notes)


@dataclass(frozen=True)
class Stumbling:
    """The exact engine, which fails without one trial and is interrupted without another."""

    fails: str
    stops: str = ""

    def unsuited(self, problem: Problem) -> str | None:
        return nma.engines.Gaussian().unsuited(problem)

    def sample(self, problem: Problem) -> Draws:
        have = set(problem.arms["study"])
        if self.fails not in have:
            message = "no luck"
            raise EngineError(message)
        if self.stops and self.stops not in have:
            raise KeyboardInterrupt
        return nma.engines.Gaussian(draws=64).sample(problem)


def test_a_fit_that_fails_is_named_and_an_interruption_keeps_what_is_done() -> None:
    network = fitted("normal").network
    first, second, third, *later = network.trials
    posterior = nma.fit(network, engine=Stumbling(second, third))
    table = leave_one_study_out(posterior)
    assert list(table.index.unique("study")) == [first]
    assert f"{second}: the fit failed. EngineError: no luck" in table.notes
    assert table.caption.startswith("PARTIAL")
    assert table.attrs["absent"] == [second, third, *later]
    whole = pd.DataFrame(leave_one_study_out(nma.fit(network, engine=ENGINES["normal"])))
    pd.testing.assert_frame_equal(pd.DataFrame(table), whole.loc[[first]])


def test_what_makes_no_sense_is_refused() -> None:
    posterior = fitted("normal")
    with pytest.raises(ModelError, match="is not among the treatments"):
        leave_one_study_out(posterior, comparator="placebo")
    with pytest.raises(ModelError, match="is not a probability"):
        leave_one_study_out(posterior, level=95)
    alone = nma.at(posterior, treatments=["self-help"])
    with pytest.raises(ModelError, match="is alone"):
        leave_one_study_out(alone, comparator="self-help")
