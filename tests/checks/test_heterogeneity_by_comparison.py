"""Heterogeneity by comparison: every row is the pairwise meta-analysis of its trials alone."""

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
from nma.checks import heterogeneity_by_comparison
from nma.errors import EngineError, ModelError
from nma.network import Network
from nma.priors import Fixed, HalfNormal, Normal
from nma.problem import Draws, Problem
from pictures import arms, contrasts

HBA1C = nma.outcomes.Contrast("effect", "se", measure="MD", better="lower", n=("n1", "n2"))
COUNTS = nma.outcomes.Binary("events", "n", measure="OR", better="higher")
EXACT = nma.engines.Gaussian(draws=64)

# netmeta 3.3-1, decomp.design of Senn 2013: Q and df of each design of two arms
SENN = {
    ("metformin", "placebo"): (42.164, 2),
    ("rosiglitazone", "placebo"): (21.273, 5),
    ("miglitol", "placebo"): (6.449, 2),
    ("benfluorex", "placebo"): (4.381, 1),
    ("rosiglitazone", "metformin"): (0.187, 1),
}


def cells_of(table: pd.DataFrame) -> Any:
    return pd.DataFrame(table)


def senn() -> pd.DataFrame:
    return nma.datasets.load("senn2013")


def of(frame: pd.DataFrame, outcome: nma.protocols.Outcome = HBA1C) -> Network:
    return Network.from_contrasts(
        frame,
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=outcome,
        reference="placebo",
    )


def counts(frame: pd.DataFrame, **more: Any) -> Network:
    return Network.from_arms(frame, study="study", treatment="treatment", outcome=COUNTS, **more)


def alone(name: str, first: str, second: str) -> pd.DataFrame:
    """Return the arms on two treatments of the trials that have both."""
    frame = nma.datasets.load(name)
    frame = frame[frame["treatment"].isin([first, second])]
    both = frame.groupby("study")["treatment"].transform("nunique") == 2
    return frame[both].reset_index(drop=True)


@cache
def fitted() -> nma.Posterior:
    return nma.fit(of(senn()), engine=EXACT)


def test_q_by_comparison_is_that_of_netmeta_by_design() -> None:
    """Without Willms 1999, the one trial of three arms, comparisons and designs are the same."""
    frame = senn()
    network = of(frame[frame["study"] != "Willms 1999"])
    cells = cells_of(heterogeneity_by_comparison(nma.fit(network, engine=EXACT)))
    assert set(cells.index) == set(SENN)
    for pair, (q, df) in SENN.items():
        assert cells.loc[pair, "Q"] == pytest.approx(q, abs=5e-4)
        assert cells.loc[pair, "df"] == df
        assert cells.loc[pair, "trials"] == df + 1


def test_a_trial_of_three_arms_enters_by_its_own_contrast() -> None:
    """Its printed contrasts and standard errors make the same rows as trials of two arms."""
    table = heterogeneity_by_comparison(fitted())
    frame = senn()
    for pair in [("metformin", "placebo"), ("acarbose", "placebo")]:
        sides = frame["treatment"].isin(pair) & frame["comparator"].isin(pair)
        single = nma.fit(of(frame[sides]), fitted().model, engine=EXACT)
        said, row = nma.summary(single), cells_of(table).loc[pair]
        assert row["trials"] == sides.sum()
        assert row["df"] == said.attrs["df"]
        assert row["Q"] == pytest.approx(said.attrs["Q"], rel=1e-9)
        assert row["tau"] == pytest.approx(cells_of(said).loc["tau", "median"], rel=1e-6)
    assert any("rows share them: Willms 1999." in note for note in table.notes)


@pytest.mark.parametrize("pair", list(SENN)[:3])
def test_two_treatments_give_the_fit_itself(pair: tuple[str, str]) -> None:
    frame = senn()
    network = of(frame[frame["treatment"].isin(pair) & frame["comparator"].isin(pair)])
    posterior = nma.fit(network, engine=EXACT)
    table = heterogeneity_by_comparison(posterior, level=0.8)
    said = nma.summary(posterior, level=0.8)
    assert list(table.index) == [pair]
    row, tau = cells_of(table).loc[pair], cells_of(said).loc["tau"]
    assert row["trials"] == len(network.trials)
    assert row["Q"] == pytest.approx(said.attrs["Q"], rel=1e-9)
    assert row["df"] == said.attrs["df"]
    assert row["i_squared"] == pytest.approx(said.attrs["i_squared"], rel=1e-9)
    for ours, theirs in (("tau", "median"), ("lower", "lower"), ("upper", "upper")):
        assert row[ours] == pytest.approx(tau[theirs], rel=1e-7)
    assert row["ratio"] == pytest.approx(1, rel=1e-7)
    assert row["mcse"] == 0
    plain = nma.fit(network, engine=nma.engines.LeastSquares("DL"))
    assert row["tau_dl"] == pytest.approx(plain.draws.values["tau"].to_numpy().mean(), rel=1e-9)


def test_p_is_the_upper_tail_of_chi_squared() -> None:
    """On two degrees of freedom that is exp(-Q/2)."""
    row = cells_of(heterogeneity_by_comparison(fitted())).loc[("miglitol", "placebo")]
    assert row["df"] == 2
    assert row["p"] == pytest.approx(np.exp(-row["Q"] / 2), rel=1e-12)
    assert row["i_squared"] == pytest.approx(1 - 2 / row["Q"], rel=1e-12)


def test_counts_are_fitted_by_their_likelihood_and_keep_their_rows() -> None:
    posterior = nma.fit(
        counts(nma.datasets.load("smoking"), reference="no intervention"),
        engine=nma.engines.Laplace(draws=256),
    )
    table = heterogeneity_by_comparison(posterior)
    assert len(table) == 6
    for pair in [("self-help", "no intervention"), ("self-help", "group counselling")]:
        network = counts(alone("smoking", *pair), reference=pair[1])
        single = nma.fit(network, posterior.model, engine=posterior.engine)
        tau, row = cells_of(nma.summary(single)).loc["tau"], cells_of(table).loc[pair]
        assert row["tau"] == pytest.approx(tau["median"], rel=1e-9)
        assert row["upper"] == pytest.approx(tau["upper"], rel=1e-9)
        assert 0 < row["mcse"] < 0.05
        assert row["Q"] == pytest.approx(nma.summary(nma.fit(network.as_normal())).attrs["Q"])
    assert any("normal approximation" in note for note in table.notes)


def test_an_sd_pooled_over_three_arms_stays_what_it_is() -> None:
    """A standardised difference of two arms of three is that which the network has."""
    frame = arms([("A", "B", "C"), ("A", "B"), ("A", "C")]).sources[0].rows.copy()
    frame["sd"] = np.linspace(3, 6, len(frame))
    outcome = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="SMD", better="lower")
    network = Network.from_arms(
        frame, study="study", treatment="treatment", outcome=outcome, reference="A"
    )
    posterior = nma.fit(network, engine=EXACT)
    three, two = posterior.problem.evidence[::-1]
    a, b = three.y[0, 0] - two.y[0, 0], three.V[0, 0, 0] + two.V[0, 0, 0]  # type: ignore[union-attr]
    row = cells_of(heterogeneity_by_comparison(posterior)).loc[("B", "A")]
    assert row["Q"] == pytest.approx(a**2 / b, rel=1e-9)


def test_several_arms_on_one_treatment_are_kept_apart_in_trials_of_two_treatments() -> None:
    rows = [("a", "P", 1.0), ("a", "A", 2.0), ("a", "A", 3.5), ("b", "P", 1.0), ("b", "A", 1.5)]
    frame = pd.DataFrame(rows, columns=["study", "treatment", "mean"]).assign(sd=2.0, n=50)
    outcome = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
    network = Network.from_arms(
        frame, study="study", treatment="treatment", outcome=outcome, repeated_arms="keep"
    )
    posterior = nma.fit(network, engine=EXACT)
    said = nma.summary(posterior)
    row = cells_of(heterogeneity_by_comparison(posterior)).iloc[0]
    assert (row["trials"], row["df"]) == (2, said.attrs["df"]) == (2, 2)
    assert row["Q"] == pytest.approx(said.attrs["Q"], rel=1e-9)
    assert row["tau"] == pytest.approx(cells_of(said).loc["tau", "median"], rel=1e-7)


def test_several_arms_on_one_treatment_of_a_larger_trial_are_averaged_and_said_to_be() -> None:
    rows = [("a", "P", 1.0), ("a", "A", 2.0), ("a", "A", 3.5), ("a", "B", 0.0), ("b", "P", 1.0)]
    frame = pd.DataFrame([*rows, ("b", "A", 1.5)], columns=["study", "treatment", "mean"])
    outcome = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
    network = Network.from_arms(
        frame.assign(sd=2.0, n=50),
        study="study",
        treatment="treatment",
        outcome=outcome,
        reference="P",
        repeated_arms="keep",
    )
    table = heterogeneity_by_comparison(nma.fit(network, engine=EXACT))
    row = cells_of(table).loc[("A", "P")]
    mean, variance = (2.0 + 3.5) / 2 - 1.0, 4 / 100 + 4 / 50
    assert row["df"] == 1
    assert row["Q"] == pytest.approx((mean - 0.5) ** 2 / (variance + 8 / 50), rel=1e-9)
    assert "Several arms on one treatment are read as their average in a." in table.notes


def test_trials_without_events_are_counted_and_tell_nothing_of_q() -> None:
    """Nobody has the event under A or P: the likelihood has those trials, Q has not."""
    rows = [(s, t, 0) for s in ("a", "b") for t in ("P", "A")]
    rows += [(s, t, k) for s, k in (("c", 3), ("d", 9)) for t in ("P", "B")]
    rows += [("e", "A", 2), ("e", "B", 4)]
    frame = pd.DataFrame(rows, columns=["study", "treatment", "events"]).assign(n=40)
    posterior = nma.fit(counts(frame, reference="P"), engine=nma.engines.Laplace(draws=64))
    table = heterogeneity_by_comparison(posterior)
    row = cells_of(table).loc[("A", "P")]
    assert (row["trials"], row["df"], row["Q"]) == (2, 0, 0)
    assert row[["i_squared", "p", "tau_dl"]].isna().all()
    assert row["tau"] > 0
    assert any(note.startswith("No trial, read as normal contrasts, tells") for note in table.notes)


def test_order_reference_and_names_change_no_number() -> None:
    frame, here = senn(), cells_of(heterogeneity_by_comparison(fitted()))
    shuffled = of(frame.sample(frac=1, random_state=3).reset_index(drop=True))
    again = cells_of(heterogeneity_by_comparison(nma.fit(shuffled, engine=EXACT)))
    pd.testing.assert_frame_equal(again.loc[here.index], here, rtol=1e-6)
    names = sorted({*frame["treatment"], *frame["comparator"]})
    code = {name: f"t{len(names) - k:02d}" for k, name in enumerate(names)}
    frame["treatment"] = frame["treatment"].map(code)
    frame["comparator"] = frame["comparator"].map(code)
    renamed = Network.from_contrasts(
        frame,
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=HBA1C,
        reference=code["acarbose"],
    )
    other = cells_of(heterogeneity_by_comparison(nma.fit(renamed, engine=EXACT)))
    place = {frozenset(pair): k for k, pair in enumerate(other.index)}
    order = [place[frozenset(code[name] for name in pair)] for pair in here.index]
    np.testing.assert_allclose(other.to_numpy()[order], here.to_numpy(), rtol=1e-6, atol=1e-12)


def test_no_prior_moves_with_the_comparison() -> None:
    """A prior so narrow that it is the answer: every comparison has it, whatever its own unit."""
    model = nma.Model(heterogeneity=nma.heterogeneity.Random(HalfNormal(1e-6)))
    cells = cells_of(heterogeneity_by_comparison(nma.fit(of(senn()), model, engine=EXACT)))
    median = 1e-6 * 0.6744897501960817
    np.testing.assert_allclose(cells["tau"], median, rtol=1e-4)
    np.testing.assert_allclose(cells["ratio"], 1.0, rtol=1e-4)


def test_the_numbers_are_the_same_whatever_the_executor() -> None:
    here = heterogeneity_by_comparison(fitted())
    with ThreadPoolExecutor(2) as threads:
        there = heterogeneity_by_comparison(fitted(), executor=threads)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        apart = heterogeneity_by_comparison(fitted(), executor=processes)
    for other in (there, apart):
        pd.testing.assert_frame_equal(pd.DataFrame(other), pd.DataFrame(here), check_exact=True)
        assert str(other) == str(here)


def test_notes_tell_the_tau_of_the_network_and_who_cannot_tell() -> None:
    table = heterogeneity_by_comparison(fitted())
    tau = cells_of(nma.summary(fitted())).loc["tau"]
    assert table.attrs["tau"] == pytest.approx([tau["median"], tau["lower"], tau["upper"]])
    assert f"tau of the network: {tau['median']:.3f}" in table.notes[0]
    assert "leans on that prior" in table.notes[1]
    (said,) = [note for note in table.notes if note.startswith("Made by one trial")]
    assert ("sitagliptin", "placebo") in table.attrs["single"]
    assert "sitagliptin vs placebo" in said
    assert not set(table.attrs["single"]) & set(table.index)
    ratio = cells_of(table)["tau"] / tau["median"]
    np.testing.assert_allclose(cells_of(table)["ratio"], ratio, rtol=1e-12)


WITHOUT: dict[str, tuple[nma.heterogeneity.Random | nma.heterogeneity.Common, Any, str]] = {
    "common": (nma.heterogeneity.Common(), EXACT, "The model has a common effect, so no tau"),
    "known": (nma.heterogeneity.Random(Fixed(0.3)), EXACT, "tau is given as 0.3"),
    "least squares": (
        nma.heterogeneity.Random(),
        nma.engines.LeastSquares("REML"),
        "LeastSquares has no posterior",
    ),
}


@pytest.mark.parametrize("which", list(WITHOUT))
def test_without_a_posterior_of_tau_there_is_q_alone(which: str) -> None:
    heterogeneity, engine, words = WITHOUT[which]
    posterior = nma.fit(of(senn()), nma.Model(heterogeneity=heterogeneity), engine=engine)
    table = heterogeneity_by_comparison(posterior)
    ours, whole = cells_of(table), cells_of(heterogeneity_by_comparison(fitted()))
    told = ["trials", "Q", "df", "i_squared", "p", "tau_dl"]
    pd.testing.assert_frame_equal(ours[told], whole[told])
    assert ours.drop(columns=told).isna().all(axis=None)
    assert table.notes[0].startswith(words)
    assert table.attrs["tau"] == []


@dataclass(frozen=True)
class Shifted(nma.protocols.Structure):
    """A structure of one's own: consistency by another name."""

    base: nma.structures.Consistency

    def resolve(self, network: Network) -> Shifted:
        return Shifted(self.base.resolve(network))

    def parameters(self, network: Network) -> Any:
        return self.base.parameters(network)

    def levels(self, network: Network, arms: pd.DataFrame) -> Any:
        return self.base.levels(network, arms)


def test_another_structure_gives_way_to_consistency_with_the_networks_default_prior() -> None:
    shifted = Shifted(nma.structures.Consistency(Normal(0, 0.01)))
    posterior = nma.fit(of(senn()), nma.Model(shifted), engine=EXACT)
    table = heterogeneity_by_comparison(posterior)
    whole = heterogeneity_by_comparison(fitted())
    columns = ["tau", "lower", "upper"]
    pd.testing.assert_frame_equal(cells_of(table)[columns], cells_of(whole)[columns])
    assert any("what Shifted adds is left aside" in note for note in table.notes)
    assert not any("is left aside" in note for note in whole.notes)


@dataclass(frozen=True)
class Stumbling:
    """The exact engine, which fails on comparisons that a trial is part of."""

    fails: str

    def unsuited(self, problem: Problem) -> str | None:
        return EXACT.unsuited(problem)

    def sample(self, problem: Problem) -> Draws:
        studies = set(problem.arms["study"])
        if self.fails in studies and len(studies) < 10:
            message = "no luck"
            raise EngineError(message)
        return EXACT.sample(problem)


def test_a_fit_that_fails_is_named_and_leaves_its_q() -> None:
    study = senn().query("treatment == 'miglitol' or comparator == 'miglitol'")["study"].iloc[0]
    table = heterogeneity_by_comparison(nma.fit(of(senn()), engine=Stumbling(study)))
    row = cells_of(table).loc[("miglitol", "placebo")]
    assert row["Q"] == pytest.approx(6.449, abs=5e-4)
    assert np.isnan(row["tau"])
    assert "miglitol vs placebo: the fit failed. EngineError: no luck" in table.notes
    assert table.attrs["absent"] == ["miglitol vs placebo"]
    whole = cells_of(heterogeneity_by_comparison(fitted())).drop(("miglitol", "placebo"))
    pd.testing.assert_frame_equal(cells_of(table).drop(("miglitol", "placebo")), whole)


def test_what_makes_no_sense_is_refused() -> None:
    posterior = nma.fit(contrasts([("A", "B"), ("B", "C"), ("A", "C")]), engine=EXACT)
    with pytest.raises(ModelError, match="No comparison is made by two trials"):
        heterogeneity_by_comparison(posterior)
    with pytest.raises(ModelError, match="is not a probability"):
        heterogeneity_by_comparison(fitted(), level=95)
