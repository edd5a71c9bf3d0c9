"""Simulated networks have the truth they say they have.

Seeds are fixed. `ALARM` is the chance that one comparison with a closed form fails for another
seed although nothing is wrong; there are about 40 of them.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import nma
import own_models
from nma.errors import DataError, ModelError
from nma.simulation import Truth

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALARM = 1e-6
BOUND = float(stats.norm.isf(ALARM / 2))
COMMON = nma.Model(heterogeneity=nma.heterogeneity.Common())
PAIRS = {"B vs A": -0.5, "C vs A": 0.3}
MD = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
OR = nma.outcomes.Binary("r", "n", measure="OR", better="higher")


def plan(trials: int, arms: str = "ABC", **columns: object) -> dict[str, object]:
    """Many trials of the same arms."""
    size = trials * len(arms)
    return {
        "study": np.repeat([f"trial {k:05d}" for k in range(trials)], len(arms)),
        "treatment": list(arms) * trials,
        **{name: np.resize(np.asarray(values), size) for name, values in columns.items()},
    }


def planned(outcome: Any, trials: int = 3000, arms: str = "ABC", **columns: object) -> nma.Network:
    frame = plan(trials, arms, **columns)
    return nma.planned(frame, study="study", treatment="treatment", outcome=outcome)


def rows_of(network: nma.Network) -> pd.DataFrame:
    (source,) = network.sources
    return source.rows


def by_trial(values: Any, arms: int = 3) -> NDArray[np.float64]:
    return np.asarray(values, dtype=float).reshape(-1, arms)


def require_covariance(x: NDArray[np.float64], mean: Any, covariance: NDArray[np.float64]) -> None:
    """Every mean and every covariance of normal rows, by its own standard error."""
    n, size = x.shape
    error = np.sqrt(np.diag(covariance) / n)
    assert (np.abs(x.mean(axis=0) - mean) < BOUND * error).all()
    found, variance = np.cov(x.T), np.diag(covariance)
    spread = np.sqrt((covariance**2 + np.outer(variance, variance)) / (n - 1))
    assert (np.abs(found - covariance) < BOUND * spread).all()
    assert size == len(covariance)


def require_counts(seen: NDArray[np.float64], chance: NDArray[np.float64]) -> None:
    """Counts of what was seen against its chances; rare values joined to the last."""
    observed = np.bincount(seen.astype(int), minlength=len(chance))[: len(chance)]
    expected = chance * len(seen)
    kept = expected > 10
    o, e = observed[kept], expected[kept]
    o, e = np.r_[o, len(seen) - o.sum()], np.r_[e, len(seen) - e.sum()]
    statistic = ((o - e) ** 2 / np.maximum(e, 1e-9)).sum()
    assert stats.chi2.sf(statistic, len(e) - 1) > ALARM


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


@pytest.mark.parametrize("name", ["back_pain_simulated", "bcg", "diabetes", "dietary_fat"])
def test_a_refit_finds_the_truth_within_its_posterior(name: str) -> None:
    """Each of eight estimates in all lies beyond 4.5 posterior sds with chance 7e-6."""
    network = nma.datasets.network(name)
    pairs = {f"{t} vs {network.reference}": 0.2 for t in network.treatments}
    del pairs[f"{network.reference} vs {network.reference}"]
    made, _ = nma.simulate(network, truth={**pairs, "tau": 0.15}, seed=11)
    table = nma.effect_table(nma.fit(made), comparators=[network.reference])
    posterior = nma.fit(made)
    effects = nma.relative_effects(posterior, comparators=[network.reference])
    for treatment in network.treatments:
        if treatment != network.reference:
            draws = effects.sel(treatment=treatment).to_numpy()
            assert abs(draws.mean() - 0.2) < 4.5 * draws.std()
            assert draws.std() < 0.25
    assert "Simulated: drawn by nma.simulate" in table.caption


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others() -> None:
    network = nma.datasets.network("smoking")
    truth = {f"{t} vs {network.reference}": 0.5 for t in network.treatments[:2]}
    truth |= {"self-help vs no intervention": 0.2, "tau": 0.3}
    seeds: list[Any] = [7, 7, (7, 0), (7, 1), 8]
    made = [rows_of(nma.simulate(network, truth=truth, seed=s).network)["events"] for s in seeds]
    assert made[0].equals(made[1])
    assert not any(a.equals(b) for a, b in combinations(made[1:], 2))


def test_the_order_of_rows_changes_only_their_order() -> None:
    frame = nma.datasets.load("parkinson")

    def made(table: pd.DataFrame) -> pd.DataFrame:
        network = nma.Network.from_arms(
            table, study="study", treatment="treatment", outcome=MD, reference="placebo"
        )
        truth = {f"{t} vs placebo": -1 for t in network.treatments if t != "placebo"}
        rows = rows_of(nma.simulate(network, truth={**truth, "tau": 0.3}, seed=5).network)
        return rows.reset_index(drop=True)

    pd.testing.assert_frame_equal(made(frame), made(frame.iloc[::-1]))


def test_nothing_that_was_given_is_changed() -> None:
    network = nma.datasets.network("psoriasis")
    table, rows = network.arms, rows_of(network).copy()
    truth = {f"{t} vs {network.treatments[0]}": 0.1 for t in network.treatments[1:]}
    truth |= {"tau": 0.2, "pasi50 to pasi75": 0.6, "pasi75 to pasi90": 0.7}
    given = dict(truth)
    made, _ = nma.simulate(network, truth=truth, seed=1)
    pd.testing.assert_frame_equal(network.table, table)
    pd.testing.assert_frame_equal(rows_of(network), rows)
    assert truth == given
    pd.testing.assert_frame_equal(made.arms[["study", "treatment"]], table[["study", "treatment"]])
    told = rows_of(made)[["pasi50", "pasi75", "pasi90"]].notna()
    pd.testing.assert_frame_equal(told, rows[["pasi50", "pasi75", "pasi90"]].notna())


def test_arms_and_rows_hold_the_same_new_numbers() -> None:
    network = nma.datasets.network("back_pain_simulated")
    truth = dict.fromkeys(nma.fit(network).problem.parameters.names, -0.2)
    made, _ = nma.simulate(network, truth={**truth, "tau": 0.2}, seed=1)
    rows, arms = rows_of(made), made.arms
    for name in ("mean", "sd", "n"):
        assert arms[name].tolist() == rows[name].tolist()
    assert arms["mean"].tolist() != network.arms["mean"].tolist()
    (said,) = [text for text in made.notices if "not simulated" in text]
    assert said == "As they were, not simulated: responders, weeks, risk_of_bias."


def again(network: nma.Network, truth: Truth, seed: int, **how: Any) -> nma.Network:
    values, levels = truth.values, truth.trial_levels
    return nma.simulate(network, truth=values, trial_levels=levels, seed=seed, **how).network


def test_the_truth_that_is_returned_is_the_truth_that_was_used() -> None:
    network = nma.datasets.network("smoking")
    made, truth = nma.simulate(network, truth="prior", seed=3, trial_levels=-1.5)
    assert again(network, truth, 3).arms.equals(made.arms)
    arms = truth.arms
    total = arms["trial_level"] + arms["relative"] + arms["random"]
    np.testing.assert_array_equal(arms["level"], total)
    assert arms.groupby("study")["relative"].sum().abs().max() < 1e-12


def test_trials_keep_the_levels_they_reported_unless_told() -> None:
    network = nma.datasets.network("smoking")
    names = nma.fit(network).problem.parameters.names
    told: Any = {**dict.fromkeys(names, 0.0), "tau": 0.0}
    _, truth = nma.simulate(network, truth=told, seed=1)
    rows = rows_of(network)
    risk = (rows["events"] + 0.5) / (rows["n"] + 1)
    level = pd.Series(np.log(risk / (1 - risk))).groupby(rows["study"]).mean()
    assert truth.trial_levels == pytest.approx(level.to_dict(), rel=1e-12)
    drawn = nma.simulate(network, truth=told, seed=1, reference_level=nma.priors.Normal(-2, 0.5))
    assert stats.kstest(list(drawn.truth.trial_levels.values()), stats.norm(-2, 0.5).cdf)[1] > ALARM


def test_models_of_a_users_own_are_simulated_as_ours() -> None:
    network = own_models.loop(age=list(np.linspace(-1, 1, 11)))
    base = nma.structures.Consistency(nma.priors.Normal(0, 10))
    two = own_models.TwoKinds(nma.priors.HalfNormal(1), nma.priors.HalfNormal(1), "A")
    model = nma.Model(own_models.Regression(base, "age", "A", 10.0), two)
    told = {**PAIRS, "age": 0.4, "tau": 0.1, "tau_2": 0.2}
    _, truth = nma.simulate(network, model, truth=told, seed=1)
    arms = network.arms
    z = arms["treatment"].map({"A": 0.0, "B": -0.5, "C": 0.3})
    z += 0.4 * arms["age"] * (arms["treatment"] != "A")
    np.testing.assert_allclose(
        truth.arms["relative"], z - z.groupby(arms["study"]).transform("mean"), atol=1e-12
    )
    relative = nma.Model(own_models.UnrelatedMeans(10.0), nma.heterogeneity.Common())
    pairs = {"B vs A": 1.0, "C vs A": 2.0, "C vs B": 5.0}
    _, truth = nma.simulate(network, relative, truth=pairs, seed=1)
    found = truth.arms[truth.arms["study"] == "3"].set_index("treatment")["relative"]
    assert found["C"] - found["B"] == pytest.approx(5.0)


def test_a_shared_random_effect_is_one_number_for_the_arms_that_share_it() -> None:
    network = planned(MD, trials=2000, sd=1.0, n=50)
    two = own_models.TwoKinds(nma.priors.HalfNormal(1), nma.priors.HalfNormal(1), "A")
    told = {**PAIRS, "tau": 0.3, "tau_2": 0.4}
    model = nma.Model(heterogeneity=two)
    truth = nma.simulate(network, model, truth=told, seed=1, reference_level=0).truth
    V = 0.3**2 / 2 * np.eye(3)
    V[1:, 1:] += 0.4**2 / 2
    require_covariance(by_trial(truth.arms["random"]), np.zeros(3), V)


class Simulable(own_models.Responders):
    """Binomial arms that can be simulated."""

    awaited = ("r",)
    nuisance: dict[str, Any] = {}  # noqa: RUF012

    def reported(self, rows: pd.DataFrame, nuisance: Any) -> NDArray[np.float64]:
        yes, no = rows["r"].to_numpy(), (rows["n"] - rows["r"]).to_numpy()
        return np.asarray(np.log((yes + 0.5) / (no + 0.5)))

    def simulate(self, rows: pd.DataFrame, levels: Any, nuisance: Any, rng: Any) -> Any:
        return {"r": rng.binomial(rows["n"].astype(int), 1 / (1 + np.exp(-levels[:, 0]))) + 0.0}


def test_an_outcome_of_a_users_own_is_simulated_once_it_can_draw() -> None:
    truth = {**PAIRS, "tau": 0.2}
    with pytest.raises(ModelError, match="Responders cannot be simulated: it has no awaited, nui"):
        nma.simulate(own_models.responders(), truth=truth, seed=1)
    network = planned(Simulable("r", "n"), trials=2000, n=15)
    made, _ = nma.simulate(network, COMMON, truth=PAIRS, seed=1, reference_level=0.5)
    for k, effect in enumerate([0.0, -0.5, 0.3]):
        risk = 1 / (1 + np.exp(-effect))
        chance = np.asarray(stats.binom.pmf(np.arange(16), 15, risk))
        require_counts(by_trial(rows_of(made)["r"])[:, k], chance)


def test_numbers_that_no_trial_can_report_are_refused_with_their_arms() -> None:
    outcome = nma.outcomes.Binary("r", "n", measure="RR", better="higher")
    network = planned(outcome, trials=3, n=20)
    with pytest.raises(DataError, match="the truth makes the risk of this arm") as caught:
        nma.simulate(network, COMMON, truth={**PAIRS, "C vs A": 2.0}, seed=1, reference_level=0.5)
    assert [issue.study for issue in caught.value.issues] == [f"trial {k:05d}" for k in range(3)]
    ratio = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="ROM", better="lower")
    network = planned(ratio, trials=50, sd=20.0, n=4)
    with pytest.raises(DataError, match="Simulated numbers came out so"):
        nma.simulate(network, COMMON, truth=PAIRS, seed=1, reference_level=5.0)


def test_trials_of_means_and_of_contrasts_are_simulated_together() -> None:
    arms = nma.Network.from_arms(
        pd.DataFrame(plan(2, "AB", mean=1.0, sd=1.0, n=50)),
        study="study",
        treatment="treatment",
        outcome=MD,
    )
    both = nma.Network.combine(arms, own_contrasts())
    made, truth = nma.simulate(both, truth={**PAIRS, "tau": 0.1}, seed=1)
    assert truth.arms["trial_level"].isna().tolist() == [False] * 4 + [True] * 2
    assert set(truth.trial_levels) == {"trial 00000", "trial 00001"}
    assert nma.fit(made).draws.moments is not None


def own_contrasts() -> nma.Network:
    frame = {"study": ["x"], "treatment": ["C"], "comparator": ["A"], "y": [0.1], "se": [0.3]}
    outcome = nma.outcomes.Contrast("y", "se", measure="MD", better="lower")
    names = {"study": "study", "treatment": "treatment", "comparator": "comparator"}
    return nma.Network.from_contrasts(frame, **names, outcome=outcome)
