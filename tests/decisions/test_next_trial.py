"""The next trial: exact given tau, against trials that are simulated and fitted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import norm

import nma
from nma.decisions import candidate_trials, evpi
from nma.decisions._measurement import contrasted, measured
from nma.decisions._preposterior import expected_maximum, given
from nma.decisions._proposal import proposed
from nma.decisions._simulated_trials import simulated
from nma.errors import ModelError

next_trial: Any = nma.decisions.next_trial
effect_table: Any = nma.effect_table

ARMS = ["multimodal care", "standard exercise"]
SD = 2.2


@cache
def pain(tau: float | None = None) -> nma.Posterior:
    """Back pain, with tau known or learnt."""
    network = nma.datasets.network("back_pain")
    if tau is None:
        return nma.fit(network)
    return nma.fit(
        network, nma.Model(heterogeneity=nma.heterogeneity.Random(nma.priors.Fixed(tau)))
    )


def added(posterior: nma.Posterior, y: np.ndarray, se: float) -> nma.Network:
    """The evidence and one more trial of two arms that observed ``y``, by the public path."""
    frame = pd.DataFrame(
        {"study": ["new"], "treatment": [ARMS[0]], "comparator": [ARMS[1]], "effect": y, "se": [se]}
    )
    new = nma.Network.from_contrasts(
        frame,
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=nma.outcomes.Contrast("effect", "se", measure="MD", better="lower"),
    )
    return nma.Network.combine(posterior.network, new)


def test_preposterior_variance_and_value_equal_simulated_trials_at_fixed_tau() -> None:
    """The variance to rounding; spread and value of 200 fits within 4.5 of their errors."""
    posterior, n, count = pain(0.3), 80, 200
    names = list(posterior.treatments)
    table = next_trial(posterior, arms=ARMS, n=n, sd=SD)
    effects = effect_table(posterior, comparators=[ARMS[1]]).loc[(ARMS[0], ARMS[1])]
    se = SD * np.sqrt(2 / n)
    rng = np.random.default_rng(5)
    spread = np.sqrt(effects["sd"] ** 2 + 0.3**2 + se**2)
    observed = effects["mean"] + spread * rng.standard_normal(count)
    means, sds = [], []
    for y in observed:
        fitted = nma.fit(added(posterior, np.array([y]), se), posterior.model)
        found = effect_table(fitted, comparators=[posterior.comparator])
        means.append([-found["mean"].get((t, posterior.comparator), 0.0) for t in names])
        pair = effect_table(fitted, comparators=[ARMS[1]])["sd"]
        sds.append(pair[(ARMS[0], ARMS[1])])
    row = table.loc[(ARMS[1], ARMS[0])]
    np.testing.assert_allclose(sds, row["expected_sd"], rtol=1e-9)
    after = np.array(means)
    apart = after[:, names.index(ARMS[0])] - after[:, names.index(ARMS[1])]
    removed = row["sd"] ** 2 - row["expected_sd"] ** 2
    assert abs(apart.var(ddof=1) / removed - 1) < 4.5 * np.sqrt(2 / (count - 1))
    now = [-effect_table(posterior)["mean"].get((t, posterior.comparator), 0.0) for t in names]
    gains = after.max(axis=1) - after[:, int(np.argmax(now))]
    assert table.attrs["evsi"] > 0
    error = gains.std(ddof=1) / np.sqrt(count)
    assert abs(gains.mean() - table.attrs["evsi"]) < 4.5 * error


def test_the_gain_of_a_pair_has_its_textbook_form() -> None:
    posterior = pain(0.3)
    row = next_trial(posterior, arms=ARMS, n=50, sd=SD).loc[(ARMS[1], ARMS[0])]
    precision = 1 / row["sd"] ** 2 + 1 / (2 * SD**2 / 50 + 0.3**2)
    assert row["expected_sd"] == pytest.approx(precision**-0.5, rel=1e-10)
    assert row["limit"] == pytest.approx((1 / row["sd"] ** 2 + 1 / 0.3**2) ** -0.5, rel=1e-10)


def test_sd_now_is_that_of_the_effect_table() -> None:
    table = next_trial(pain(), arms=ARMS, n=50, sd=SD)
    effects = effect_table(pain())["sd"]
    np.testing.assert_allclose(table["sd"], effects[table.index], rtol=1e-10)


@pytest.mark.parametrize("arms", [ARMS, [*ARMS, "passive control"]])
def test_the_gain_goes_to_zero_with_n(arms: list[str]) -> None:
    found = [next_trial(pain(), arms=arms, n=n, sd=SD) for n in (1e2, 1e-2, 1e-6)]
    reductions = [table["reduction"].max() for table in found]
    values = [table.attrs["evsi"] for table in found]
    assert reductions[0] > 0.03
    assert 0 <= reductions[2] < 1e-6 < reductions[1] < 1e-2
    assert values[0] > 1e-3
    assert 0 <= values[2] <= values[1] < 1e-6


@pytest.mark.parametrize("tau", [0.05, 0.3, 1.0, None])
def test_the_gain_stays_bounded_by_tau_as_n_grows(tau: float | None) -> None:
    huge = next_trial(pain(tau), arms=ARMS, n=1e12, sd=SD)
    np.testing.assert_allclose(huge["expected_sd"], huge["limit"], rtol=1e-6)
    assert huge.attrs["evsi"] == pytest.approx(huge.attrs["evsi_limit"], rel=1e-6)
    own = huge.loc[(ARMS[1], ARMS[0])]
    assert own["limit"] > 0.01
    some = next_trial(pain(tau), arms=ARMS, n=100, sd=SD)
    assert (some["expected_sd"] > some["limit"] - 1e-12).all()
    assert 0 < some.attrs["evsi"] < some.attrs["evsi_limit"] < some.attrs["evpi"]


def test_less_heterogeneity_lets_a_huge_trial_tell_more() -> None:
    limits = [next_trial(pain(tau), arms=ARMS, n=1, sd=SD)["limit"].min() for tau in (0.05, 0.3, 1)]
    assert limits == sorted(limits)


def test_without_heterogeneity_a_huge_trial_tells_its_own_contrast_exactly() -> None:
    posterior = nma.fit(
        nma.datasets.network("back_pain"), nma.Model(heterogeneity=nma.heterogeneity.Common())
    )
    table = next_trial(posterior, arms=ARMS, n=10, sd=SD)
    assert table.loc[(ARMS[1], ARMS[0]), "limit"] < 1e-7
    assert table["limit"].max() > 0.1


@pytest.mark.parametrize("tau", [0.05, 0.3, 1.0])
def test_a_trial_widens_no_contrast_at_fixed_tau(tau: float) -> None:
    table = candidate_trials(pain(tau), n=30, sd=SD)
    assert (table["reduction"] >= 0).all()
    for name in table.index:
        found = next_trial(pain(tau), arms=name.split(" : "), n=30, sd=SD)
        assert (found["reduction"] >= -1e-14).all()


def test_permuting_arms_changes_nothing() -> None:
    three = [*ARMS, "passive control"]
    n = {three[0]: 40, three[1]: 90, three[2]: 70}
    one = next_trial(pain(), arms=three, n=n, sd=SD)
    for other in (three[::-1], [three[1], three[0], three[2]]):
        two = next_trial(pain(), arms=other, n=n, sd=SD)
        pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(two))
        assert one.attrs == two.attrs


def test_reversing_better_and_the_effects_leaves_the_value() -> None:
    frame = nma.datasets.load("senn2013")

    def value(sign: float, better: Any) -> float:
        turned = frame.assign(effect=sign * frame["effect"])
        network = nma.Network.from_contrasts(
            turned,
            study="study",
            treatment="treatment",
            comparator="comparator",
            outcome=nma.outcomes.Contrast("effect", "se", measure="MD", better=better, scale=1.0),
            reference="placebo",
        )
        posterior = nma.fit(network)
        arms = ["rosiglitazone", "metformin"]
        return float(next_trial(posterior, arms=arms, n=40, sd=1.2).attrs["evsi"])

    assert value(1.0, "lower") == pytest.approx(value(-1.0, "higher"), rel=1e-9)


def test_the_expected_maximum_is_that_of_quadrature() -> None:
    rng = np.random.default_rng(2)
    level, slope = rng.normal(size=(40, 6)), rng.normal(size=(40, 6))
    slope[0] = slope[0, 0]  # parallel: nothing can change
    slope[1, 3:] = slope[1, 2]  # ties of slopes
    found = expected_maximum(level, slope)
    for a, b, value in zip(level, slope, found, strict=True):
        kinks = [-(a[j] - a[k]) / (b[j] - b[k]) for j in range(6) for k in range(j) if b[j] != b[k]]
        ends = [-12.0, *sorted(k for k in kinks if abs(k) < 12), 12.0]
        total = sum(
            quad(lambda z, a=a, b=b: (a + b * z).max() * norm.pdf(z), lo, hi)[0]
            for lo, hi in pairwise(ends)
        )
        assert value == pytest.approx(total - a.max(), abs=1e-9)
    assert found[0] == 0
    assert (found >= 0).all()


def test_the_value_of_three_arms_is_that_of_plain_draws() -> None:
    posterior = pain()
    trial = proposed(posterior, [*ARMS, "passive control"], 60, measured(posterior, SD, None, None))
    gain = given(posterior).gain(trial)
    value = gain.value(0)
    rng = np.random.default_rng(3)
    nodes = rng.choice(len(gain.given.weight), size=400_000, p=gain.given.weight)
    z = rng.standard_normal((len(nodes), 2))
    now = gain.given.means[nodes]
    after = now + np.einsum("sjr,sr->sj", gain.moves[nodes], z)
    plain = after.max(axis=1) - after[np.arange(len(nodes)), now.argmax(axis=1)]
    error = plain.std() / np.sqrt(len(plain))
    assert abs(value.value - plain.mean()) < 4.5 * np.hypot(error, value.mcse)
    assert value.mcse < 0.02 * value.value


def test_variances_of_three_arms_are_those_of_a_refit() -> None:
    """At fixed tau the posterior variance does not depend on what the trial observes."""
    posterior = pain(0.3)
    three = [*ARMS, "passive control"]
    table = next_trial(posterior, arms=three, n=60, sd=SD)
    frame = pd.DataFrame(
        {"study": "new", "treatment": three, "mean": [1.0, 5.0, 2.0], "sd": SD, "n": 60}
    )
    outcome = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
    new = nma.Network.from_arms(frame, study="study", treatment="treatment", outcome=outcome)
    refit = nma.fit(nma.Network.combine(posterior.network, new), posterior.model)
    sd = effect_table(refit)["sd"]
    np.testing.assert_allclose(table["expected_sd"], sd[table.index], rtol=1e-9)


def test_learning_tau_obeys_the_law_of_total_variance() -> None:
    """Expected variance after the trial plus that of the means is that now, to 4.5 errors."""
    posterior, count = pain(), 300
    learnt = next_trial(
        posterior, arms=ARMS, n=100, sd=SD, learn_tau=True, simulations=count, seed=4
    )
    exact = next_trial(posterior, arms=ARMS, n=100, sd=SD)
    assert (learnt["mcse"] > 0).all()
    ours, theirs = learnt.loc[(ARMS[1], ARMS[0])], exact.loc[(ARMS[1], ARMS[0])]
    assert ours["expected_sd"] < theirs["sd"]
    assert abs(ours["expected_sd"] - theirs["expected_sd"]) < 0.05 * theirs["sd"]
    now, after, error = learnt.attrs["scales"]["tau"]
    assert after + 4.5 * error < now
    assert learnt.attrs["evsi_mcse"] > 0
    assert learnt.attrs["evsi_mcse"] < 0.1 * learnt.attrs["evsi"]
    trial = proposed(posterior, ARMS, 100, measured(posterior, SD, None, None))
    known = given(posterior)
    found = simulated(posterior, known, trial, simulations=count, seed=4, executor=None)
    apart = found.means[:, 1] - found.means[:, 3]
    squares = (apart - apart.mean()) ** 2
    total = found.variance[:, 1, 3] + squares
    assert abs(total.mean() - known.variance[1, 3]) < 4.5 * total.std() / np.sqrt(count)


def test_the_value_with_tau_learnt_is_that_of_the_trials_alone_with_less_noise() -> None:
    posterior = pain()
    trial = proposed(posterior, ARMS, 100, measured(posterior, SD, None, None))
    known = given(posterior)
    found = simulated(posterior, known, trial, simulations=400, seed=6, executor=None)
    now = known.weight @ known.means
    value = found.value(now, known.gain(trial).value(0))
    falls = found.means.max(axis=1) - found.means[:, now.argmax()]
    plain = falls.std(ddof=1) / np.sqrt(len(falls))
    assert value.mcse < plain / 2
    assert abs(value.value - falls.mean()) < 4.5 * plain
    exact = known.gain(trial).value(0).value
    error = found.at_tau.std(ddof=1) / np.sqrt(len(falls))
    assert abs(found.at_tau.mean() - exact) < 4.5 * error


def test_no_error_is_claimed_where_no_simulated_trial_changes_the_choice() -> None:
    posterior = nma.fit(nma.datasets.network("senn2013"))
    asked: dict[str, Any] = {"arms": ["placebo", "metformin"], "n": 50, "sd": 1.2}
    table = next_trial(posterior, **asked, learn_tau=True, simulations=10)
    assert np.isnan(table.attrs["evsi_mcse"])
    assert any("no simulated trial changed the choice" in note for note in table.notes)


def test_at_fixed_tau_learning_changes_nothing_but_noise() -> None:
    asked: dict[str, Any] = {"arms": ARMS, "n": 100, "sd": SD}
    exact = next_trial(pain(0.3), **asked)
    learnt = next_trial(pain(0.3), **asked, learn_tau=True, simulations=400, seed=2)
    np.testing.assert_allclose(
        learnt["expected_sd"].loc[exact.index], exact["expected_sd"], rtol=1e-9
    )
    assert learnt.attrs["evsi"] == pytest.approx(exact.attrs["evsi"], rel=1e-9)
    assert learnt.attrs["evsi_mcse"] < 1e-9


def test_an_executor_gives_the_same_numbers() -> None:
    asked: dict[str, Any] = {"arms": ARMS, "n": 50, "sd": SD, "learn_tau": True, "simulations": 8}
    with ThreadPoolExecutor(2) as executor:
        there = next_trial(pain(), **asked, executor=executor)
    here = next_trial(pain(), **asked)
    pd.testing.assert_frame_equal(pd.DataFrame(here), pd.DataFrame(there))
    assert here.attrs == there.attrs


def test_candidates_say_what_the_next_trial_says() -> None:
    table = candidate_trials(pain(), n=100, sd=SD)
    assert len(table) == 6
    assert table["evsi"].is_monotonic_decreasing
    assert (table["mcse"] == 0).all()
    best = table.index[0].split(" : ")
    one = next_trial(pain(), arms=best, n=100, sd=SD)
    assert one.attrs["evsi"] == pytest.approx(table["evsi"].iloc[0], rel=1e-12)
    assert one["reduction"].max() == pytest.approx(table["reduction"].iloc[0], rel=1e-9)
    assert one["reduction"].mean() == pytest.approx(table["mean_reduction"].iloc[0], rel=1e-9)
    assert table.attrs["evpi"] == evpi(pain())["evpi"].iloc[0]
    by_sd = candidate_trials(pain(), n=100, sd=SD, rank_by="sd")
    assert by_sd["mean_reduction"].is_monotonic_decreasing
    three = candidate_trials(pain(), n=100, sd=SD, most_arms=3)
    assert len(three) == 10
    pd.testing.assert_frame_equal(
        pd.DataFrame(three.loc[table.index]), pd.DataFrame(table), rtol=1e-12
    )


def test_a_combination_no_trial_has_tested_can_be_tried() -> None:
    rows = [
        (f"t{k}", name, -level + 0.1 * k, 1.5, 40)
        for k, trial in enumerate([("usual", "A"), ("usual", "B"), ("A", "B"), ("usual", "A")])
        for name, level in zip(trial, (0.0, 0.5), strict=True)
    ]
    frame = pd.DataFrame(rows, columns=["study", "treatment", "mean", "sd", "n"])
    outcome = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
    network = nma.Network.from_arms(
        frame, study="study", treatment="treatment", outcome=outcome, reference="usual"
    )
    structure = nma.structures.Components(separator=" + ", inactive="usual")
    posterior = nma.fit(network, nma.Model(structure))
    table = next_trial(posterior, arms=["usual", "A + B"], n=100, sd=1.5)
    assert table["reduction"].max() > 0
    asked = nma.at(posterior, treatments=["usual", "A", "B", "A + B"])
    wide = next_trial(asked, arms=["usual", "A + B"], n=100, sd=1.5)
    assert wide.index[0] == ("A + B", "usual")
    assert wide.loc[("A", "usual"), "sd"] == pytest.approx(table.loc[("A", "usual"), "sd"])


def test_a_trial_is_at_the_values_of_covariates_asked_about() -> None:
    network = nma.datasets.network("bcg").as_normal()
    structure = nma.structures.Regression(
        nma.structures.Consistency(), "latitude", control="unvaccinated"
    )
    posterior = nma.fit(network, nma.Model(structure))
    found = {}
    for latitude in (33.0, 55.0):
        at = nma.at(posterior, latitude=latitude)
        table = next_trial(at, arms=["vaccinated", "unvaccinated"], n=5000, baseline=0.02)
        sd = effect_table(at)["sd"].iloc[0]
        assert table["sd"].iloc[0] == pytest.approx(sd, rel=1e-10)
        found[latitude] = table["reduction"].iloc[0]
    assert found[33.0] != found[55.0]


def test_draws_stand_in_for_moments_where_there_are_none() -> None:
    exact = pain()
    drawn = replace(exact, draws=replace(exact.draws, moments=None))
    one = next_trial(exact, arms=ARMS, n=100, sd=SD)
    two = next_trial(drawn, arms=ARMS, n=100, sd=SD)
    np.testing.assert_allclose(two["expected_sd"].loc[one.index], one["expected_sd"], rtol=0.02)
    assert two.attrs["evsi"] == pytest.approx(one.attrs["evsi"], rel=0.1)
    assert any("gives draws" in note for note in two.notes)
    with pytest.raises(
        ModelError, match=r"learn_tau=True fits .* exactly, and Gaussian gives draws"
    ):
        next_trial(drawn, arms=ARMS, n=100, sd=SD, learn_tau=True)


@pytest.mark.parametrize(
    ("measure", "per_person"),
    [
        ("OR", 1 / 0.2 + 1 / 0.8),
        ("RR", 1 / 0.2 - 1),
        ("RD", 0.16),
        ("HR", 0.2 / (0.8 * np.log(0.8) ** 2)),
    ],
)
def test_counts_have_the_variance_of_a_binomial(measure: str, per_person: float) -> None:
    frame = pd.DataFrame(
        {
            "study": ["a", "b"],
            "treatment": ["X", "X"],
            "comparator": ["P", "P"],
            "effect": [0.01, -0.01],
            "se": [0.1, 0.1],
        }
    )
    network = nma.Network.from_contrasts(
        frame,
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=nma.outcomes.Contrast("effect", "se", measure=measure, better="lower", scale=1.0),
        reference="P",
    )
    posterior = nma.fit(network)
    trial = proposed(posterior, ["P", "X"], 50, measured(posterior, None, 0.2, None))
    assert abs(trial.V[0, 0] * 50 / (2 * per_person) - 1) < 0.01


def test_what_arms_share_cancels_in_their_contrasts() -> None:
    alone = np.diag([1.0, 2.0, 3.0])
    np.testing.assert_allclose(contrasted(alone + 5.0), contrasted(alone), atol=1e-12)
    np.testing.assert_allclose(contrasted(alone), [[3.0, 1.0], [1.0, 4.0]])


def test_bad_questions_are_refused_in_words() -> None:
    good: dict[str, Any] = {"arms": ARMS, "n": 100, "sd": SD}
    ask: list[tuple[dict[str, Any], str]] = [
        ({"arms": [ARMS[0], "standard exercis"]}, "Did you mean 'standard exercise'"),
        ({"arms": ARMS[:1]}, "'multimodal care' alone compares nothing"),
        ({"arms": []}, "There is no arm"),
        ({"arms": ARMS[0]}, "is one name: write arms="),
        ({"arms": [ARMS[0], ARMS[0]]}, "comes twice"),
        ({"n": 0}, "n=0: every arm needs a number above zero"),
        ({"n": -5}, "n=-5: every arm needs"),
        ({"n": float("nan")}, "n=nan: every arm needs"),
        ({"n": {ARMS[0]: 50, "standard exercis": 50}}, "Did you mean 'standard exercis'"),
        ({"sd": None}, r"depends on sd= \(the standard deviation between people\): give it"),
        ({"sd": 0}, "sd=0: every arm needs a number above zero"),
        ({"sd": None, "baseline": 0.2}, "depends on sd=.* baseline= must be left out"),
        ({"exposure": 1.0}, "exposure= must be left out: MD has no use for it"),
        ({"contrasts": [(ARMS[0], "x")]}, "'x' is not among the treatments asked about"),
        ({"contrasts": [(ARMS[0], ARMS[0])]}, "pairs of two treatments"),
        ({"learn_tau": True, "simulations": 1}, "simulations=1: give a whole number of 2 or more"),
        ({"seed": -1}, "not a whole number of zero or above"),
    ]
    for changed, message in ask:
        with pytest.raises(ModelError, match=message):
            next_trial(pain(), **good | changed)
    plain = nma.fit(pain().network, engine=nma.engines.LeastSquares())
    with pytest.raises(ModelError, match="is no posterior, and next_trial asks what is probable"):
        next_trial(plain, **good)
    with pytest.raises(ModelError, match="One treatment leaves nothing to compare"):
        next_trial(nma.at(pain(), treatments=ARMS[:1]), **good)


def test_bad_candidates_are_refused_in_words() -> None:
    ask: list[tuple[dict[str, Any], str]] = [
        ({"candidates": [ARMS, ARMS[::-1]]}, "name each candidate once"),
        ({"candidates": [ARMS[:1]]}, "alone compares nothing"),
        ({"candidates": []}, "list the arms of each"),
        ({"most_arms": 5}, "name larger trials in candidates="),
        ({"rank_by": "los"}, "is not 'loss' or 'sd'. Did you mean 'loss'"),
    ]
    for changed, message in ask:
        with pytest.raises(ModelError, match=message):
            candidate_trials(pain(), n=100, sd=SD, **changed)


@pytest.mark.parametrize("baseline", [0, 1, -0.2, 1.5, float("nan"), "low"])
def test_a_baseline_outside_0_to_1_is_refused(baseline: Any) -> None:
    posterior = smoking()
    arms = list(posterior.treatments[:2])
    with pytest.raises(ModelError, match="must be a probability between 0 and 1"):
        next_trial(posterior, arms=arms, n=100, baseline=baseline)
    with pytest.raises(ModelError, match=r"baseline= .what the reference treatment leads to"):
        next_trial(posterior, arms=arms, n=100)


@cache
def smoking() -> nma.Posterior:
    return nma.fit(nma.datasets.network("smoking").as_normal())
