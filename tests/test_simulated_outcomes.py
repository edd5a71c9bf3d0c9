"""Every outcome is drawn from its own distribution at the true levels of arms."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import nma
from simulated import (
    ALARM,
    BOUND,
    COMMON,
    MD,
    OR,
    PAIRS,
    by_trial,
    plan,
    planned,
    require_counts,
    require_covariance,
    rows_of,
)


def test_contrasts_of_means_have_the_mean_and_covariance_of_the_model() -> None:
    network = planned(MD, sd=[2.0, 1.0, 1.5], n=[20, 30, 40])
    made, truth = nma.simulate(network, truth={**PAIRS, "tau": 0.4}, seed=1, reference_level=10)
    mean = by_trial(rows_of(made)["mean"])
    V = 0.4**2 / 2 * (np.eye(2) + 1) + 4 / 20 + np.diag([1 / 30, 1.5**2 / 40])
    require_covariance(mean[:, 1:] - mean[:, :1], [-0.5, 0.3], V)
    level = by_trial(truth.arms["trial_level"] + truth.arms["relative"])
    np.testing.assert_allclose(level, np.broadcast_to([10, 9.5, 10.3], level.shape), rtol=1e-12)


def test_random_effects_have_correlation_one_half_in_trials_of_any_size() -> None:
    network = planned(MD, arms="ABCD", sd=1.0, n=50)
    truth = {**PAIRS, "D vs A": 0.0, "tau": 0.4}
    u = by_trial(nma.simulate(network, truth=truth, seed=2, reference_level=0)[1].arms["random"], 4)
    require_covariance(u[:, 1:] - u[:, :1], np.zeros(3), 0.4**2 / 2 * (np.eye(3) + 1))


def test_means_are_normal_and_spreads_chi_square() -> None:
    network = planned(MD, sd=[2.0, 1.0, 1.5], n=[5, 30, 12])
    made, _ = nma.simulate(network, COMMON, truth=PAIRS, seed=3, reference_level=0)
    rows, n = rows_of(made), np.array([5, 30, 12])
    sigma, level = np.array([2.0, 1.0, 1.5]), np.array([0.0, -0.5, 0.3])
    z = (by_trial(rows["mean"]) - level) / (sigma / np.sqrt(n))
    square = (n - 1) * by_trial(rows["sd"]) ** 2 / sigma**2
    for k in range(3):
        assert stats.kstest(z[:, k], "norm").pvalue > ALARM
        assert stats.kstest(square[:, k], stats.chi2(n[k] - 1).cdf).pvalue > ALARM
    assert abs(np.corrcoef(z[:, 0], square[:, 0])[0, 1]) < BOUND / np.sqrt(len(z))


def test_a_standard_error_without_participants_stays_as_it_is() -> None:
    outcome = nma.outcomes.Continuous("mean", se="se", measure="MD", better="lower")
    network = planned(outcome, se=[0.2, 0.5, 0.3])
    made, _ = nma.simulate(network, COMMON, truth=PAIRS, seed=4, reference_level=0)
    assert rows_of(made)["se"].tolist() == rows_of(network)["se"].tolist()
    z = by_trial(rows_of(made)["mean"]) - [0.0, -0.5, 0.3]
    assert stats.kstest((z / [0.2, 0.5, 0.3]).ravel(), "norm").pvalue > ALARM


@pytest.mark.parametrize(
    ("measure", "risk"),
    [
        ("OR", lambda d: 1 / (1 + 7 / 3 * np.exp(-d))),
        ("RR", lambda d: 0.3 * np.exp(d)),
        ("RD", lambda d: 0.3 + d),
    ],
)
def test_events_are_binomial_at_the_true_risks(measure: str, risk: Any) -> None:
    outcome = nma.outcomes.Binary("r", "n", measure=measure, better="higher")
    network = planned(outcome, n=12)
    effects = {"B vs A": -0.2, "C vs A": 0.3}
    made, _ = nma.simulate(network, COMMON, truth=effects, seed=5, reference_level=0.3)
    r = by_trial(rows_of(made)["r"])
    for k, effect in enumerate([0.0, -0.2, 0.3]):
        require_counts(r[:, k], stats.binom.pmf(np.arange(13), 12, risk(effect)))


def test_hazards_act_over_the_time_of_follow_up() -> None:
    outcome = nma.outcomes.Binary("r", "n", time="years", measure="HR", better="lower")
    network = planned(outcome, n=12, years=[1.0, 2.0, 0.5])
    made, _ = nma.simulate(network, COMMON, truth=PAIRS, seed=6, reference_level=0.3)
    hazard = -np.log(0.7) * np.array([1.0, 2.0, 0.5]) * np.exp([0.0, -0.5, 0.3])
    r = by_trial(rows_of(made)["r"])
    for k, h in enumerate(hazard):
        require_counts(r[:, k], stats.binom.pmf(np.arange(13), 12, 1 - np.exp(-h)))


def test_events_over_an_exposure_are_poisson() -> None:
    outcome = nma.outcomes.Rate("r", "years", better="lower")
    network = planned(outcome, years=[10.0, 20.0, 5.0])
    made, _ = nma.simulate(network, COMMON, truth=PAIRS, seed=7, reference_level=0.2)
    r = by_trial(rows_of(made)["r"])
    for k, expected in enumerate(0.2 * np.array([10, 20, 5]) * np.exp([0.0, -0.5, 0.3])):
        require_counts(r[:, k], stats.poisson.pmf(np.arange(60), expected))


@pytest.mark.parametrize("counts", ["exclusive", "inclusive"])
@pytest.mark.parametrize("measure", ["SMD", "OR"])
def test_categories_are_multinomial_between_the_cut_points(counts: str, measure: str) -> None:
    outcome: Any = nma.outcomes.Ordinal(
        ["some", "much", "most"],
        "n",
        counts=counts,  # type: ignore[arg-type]
        measure=measure,
        better="higher",
    )
    truth = {**PAIRS, "some to much": 0.6, "much to most": 0.9}
    network = planned(outcome, trials=1000, n=30)
    made, _ = nma.simulate(network, COMMON, truth=truth, seed=8, reference_level=0.6)
    rows = rows_of(made)
    above = rows[["some", "much", "most"]].to_numpy()
    if counts == "exclusive":
        above = above[:, ::-1].cumsum(axis=1)[:, ::-1]
    F: Any = stats.norm if measure == "SMD" else stats.logistic
    for k, effect in enumerate([0.0, -0.5, 0.3]):
        chance = F.cdf(F.ppf(0.6) + effect - np.array([0, 0.6, 1.5]))
        found = above[k::3].sum(axis=0)
        cells, people = -np.diff(np.r_[30000, found, 0]), -np.diff(np.r_[1, chance, 0])
        assert stats.chisquare(cells, 30000 * people).pvalue > ALARM


def contrasts(form: str, trials: int = 2000) -> nma.Network:
    """Trials of three arms, variances 0.04, 0.09 and 0.25, reported in one of the forms."""
    v = {"A": 0.04, "B": 0.09, "C": 0.25}
    pairs = list(combinations("ABC", 2)) if form == "pairs" else [("A", "B"), ("A", "C")]
    frame: dict[str, Any] = {
        "study": np.repeat([f"trial {k:05d}" for k in range(trials)], len(pairs)),
        "comparator": [a for a, _ in pairs] * trials,
        "treatment": [b for _, b in pairs] * trials,
        "se": [np.sqrt(v[a] + v[b]) for a, b in pairs] * trials,
        "base": 0.2,
    }
    V = np.diag([v["B"], v["C"]]) + v["A"]
    outcome = nma.outcomes.Contrast(
        "y",
        "se",
        measure="MD",
        better="lower",
        scale=1.0,
        base_se="base" if form == "base" else None,
        covariance=dict.fromkeys(frame["study"], V) if form == "covariance" else None,
    )
    names = {"study": "study", "treatment": "treatment", "comparator": "comparator"}
    return nma.planned(frame, **names, outcome=outcome)


@pytest.mark.parametrize("form", ["pairs", "base", "covariance"])
def test_contrasts_of_three_arms_keep_their_covariance_in_every_form(form: str) -> None:
    made, _ = nma.simulate(contrasts(form), truth={**PAIRS, "tau": 0.3}, seed=9)
    rows = rows_of(made)
    wide = rows.assign(pair=rows["treatment"] + rows["comparator"]).pivot_table(
        index="study", columns="pair", values="y"
    )
    V = np.diag([0.09, 0.25]) + 0.04 + 0.3**2 / 2 * (np.eye(2) + 1)
    require_covariance(wide[["BA", "CA"]].to_numpy(), [-0.5, 0.3], V)
    if form == "pairs":
        np.testing.assert_allclose(wide["CB"], wide["CA"] - wide["BA"], atol=1e-12)


def test_limits_of_printed_ratios_lie_about_the_simulated_estimate() -> None:
    frame = {"study": ["1", "2"], "treatment": "B", "comparator": "A", "hr": 1.0}
    outcome = nma.outcomes.Contrast("hr", lower="lo", upper="up", measure="HR", better="lower")
    network = nma.Network.from_contrasts(
        {**frame, "lo": [0.5, 0.8], "up": [2.0, 1.25]},
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=outcome,
    )
    made, _ = nma.simulate(network, truth={"B vs A": -0.7, "tau": 0.1}, seed=1)
    rows = rows_of(made)
    np.testing.assert_allclose(np.log(rows["up"] / rows["lo"]), 2 * np.log([2.0, 1.25]))
    np.testing.assert_allclose(rows["hr"] ** 2, rows["up"] * rows["lo"])
    assert (rows["hr"] != 1.0).all()


LARGE = pd.DataFrame(
    {
        **plan(2, "AB", years=[1.0, 2.0, 0.5, 4.0], sd=[1.0, 3.0, 2.0, 2.5], n=1e9),
        "scale": ["NRS", "NRS", "PSFS", "PSFS"],
    }
)
SMD = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="SMD", better="lower")
ORDERED = nma.outcomes.Ordinal(["s", "t"], "n", counts="exclusive", measure="SMD", better="lower")
HR = nma.outcomes.Binary("r", "n", time="years", measure="HR", better="lower")
INSTRUMENTS = replace(SMD, instrument="scale")


@pytest.mark.parametrize(
    "outcome",
    [
        MD,
        SMD,
        INSTRUMENTS,
        replace(INSTRUMENTS, reference_sd={"NRS": 2.0, "PSFS": 1.5}),
        replace(MD, measure="ROM"),
        OR,
        HR,
        replace(OR, measure="RR"),
        replace(OR, measure="RD"),
        nma.outcomes.Rate("r", "n", better="lower"),
        ORDERED,
        replace(ORDERED, measure="OR"),
    ],
    ids=repr,
)
def test_large_trials_report_their_true_levels(outcome: Any) -> None:
    """Of 10^9 people each: standard errors are below 2e-4, the bound is 5 of them."""
    network = planned_from(outcome, LARGE)
    sign = -1 if outcome.measure == "RR" else 1
    levels = {"trial 00000": sign * 0.5, "trial 00001": -2.0 if outcome.labels else sign * 0.6}
    truth = {"B vs A": 0.2, "tau": 0.05, **dict.fromkeys(outcome.nuisance, 0.4)}
    made, known = nma.simulate(network, truth=truth, seed=1, trial_levels=levels)
    reported = outcome.reported(rows_of(made), dict.fromkeys(outcome.nuisance, 0.4))
    np.testing.assert_allclose(reported, known.arms["level"], rtol=0, atol=1e-3)


def planned_from(outcome: Any, frame: pd.DataFrame) -> nma.Network:
    return nma.planned(frame, study="study", treatment="treatment", outcome=outcome)


def test_arms_tell_the_categories_they_told_before_and_report_by_the_lowest() -> None:
    frame = LARGE.assign(s=[1.0, 1.0, np.nan, np.nan], t=[1.0, np.nan, 1.0, 2.0])
    network = nma.Network.from_arms(
        frame, study="study", treatment="treatment", outcome=ORDERED, reference="A"
    )
    truth = {"B vs A": 0.2, "tau": 0.05, "s to t": 0.4}
    made, known = nma.simulate(network, truth=truth, seed=1, trial_levels=0.5)
    rows = rows_of(made)
    assert rows["s"].isna().tolist() == [False, False, True, True]
    assert rows["t"].isna().tolist() == [False, True, False, False]
    reported = ORDERED.reported(rows, {"s to t": 0.4})
    np.testing.assert_allclose(reported, known.arms["level"], rtol=0, atol=1e-3)


def test_scores_of_the_other_direction_are_drawn_with_their_own_sign() -> None:
    """In SMDs where lower is better, a mean of 4 points on PSFS, sd 2, is a level of -2."""
    frame = LARGE[LARGE["scale"] == "PSFS"].assign(sd=2.0)
    made, _ = nma.simulate(
        planned_from(INSTRUMENTS, frame), COMMON, truth={"B vs A": -0.5}, seed=1, reference_level=-2
    )
    np.testing.assert_allclose(rows_of(made)["mean"], [4.0, 5.0], rtol=1e-3)


@pytest.mark.parametrize(
    ("outcome", "level"),
    [
        (OR, np.log(0.5 / 9.5)),
        (replace(OR, measure="RR"), np.log(0.5 / 10)),
        (replace(OR, measure="RD"), 0.0),
        (HR, np.log(-np.log(1 - 0.5 / 10)) - np.log(2)),
        (nma.outcomes.Rate("r", "n", better="lower"), np.log(0.5 / 9)),
        (replace(ORDERED, categories=["r", "s"], measure="OR"), np.log(0.5 / 9.5)),
    ],
    ids=repr,
)
def test_arms_without_events_report_a_level_by_half_a_person(outcome: Any, level: float) -> None:
    rows = pd.DataFrame({"study": ["1"], "r": [0.0], "s": [0.0], "n": [9.0], "years": [2.0]})
    found = outcome.reported(rows, dict.fromkeys(outcome.nuisance, 1.0))
    np.testing.assert_allclose(found, [level], rtol=1e-12)
