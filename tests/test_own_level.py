"""The network's own level: against a joint normal with an explicit, very wide trial level."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import linalg, stats
from scipy.integrate import trapezoid

import nma
from levels import Given
from nma.errors import ModelError
from nma.estimates import replicate_error
from nma.network import Network
from nma.priors import Fixed, HalfNormal, Normal
from own_models import Components, NodeSplit, RandomInconsistency, Regression, TwoKinds, loop

Array = NDArray[np.float64]
WIDE = 1e5
"""Standard deviation of the explicit trial level."""


def joint(
    posterior: nma.Posterior, scales: dict[str, float], *, wide: float = WIDE
) -> tuple[float, Array, Array]:
    """Return log evidence, mean and covariance of the levels that each treatment leads to.

    beta and the trial levels m ~ N(0, wide^2) are one normal vector, conditioned on what every arm
    or contrast reports; random effects are part of the errors.
    """
    problem, network = posterior.problem, posterior.network
    prior, arms = problem.parameters, problem.arms
    studies = list(dict.fromkeys(arms["study"]))
    member = (arms["study"].to_numpy() == np.array(studies)[:, None]).astype(float)
    means = (member / member.sum(axis=1, keepdims=True)) @ problem.levels
    D = np.array([1.0 if name is None else scales[name] for name in prior.scale])
    p, t = len(D), len(studies)
    C = linalg.block_diag(D[:, None] * prior.covariance * D, wide**2 * np.eye(t))
    U = np.zeros((len(arms), len(arms)))
    for effect in problem.effects:
        same = member.T @ member * (effect.unit[:, None] == effect.unit)
        U += scales[effect.scale] ** 2 / 2 * np.outer(effect.weight, effect.weight) * same
    observe, y, V = reported(network, len(arms))
    A = observe @ np.hstack([problem.levels - member.T @ means, member.T])
    R = V + observe @ U @ observe.T
    centre = np.concatenate([prior.mean, np.zeros(t)])
    weighted, residual = np.linalg.solve(R, A), y - A @ centre
    precision = np.linalg.inv(C) + A.T @ weighted
    covariance, told = np.linalg.inv(precision), weighted.T @ residual
    misfit = residual @ np.linalg.solve(R, residual) - told @ covariance @ told
    size = sum(np.linalg.slogdet(matrix)[1] for matrix in (R, C, precision))
    at, z0 = posterior.levels, posterior.levels[posterior.position(posterior.comparator)]
    has = [k for k, study in enumerate(studies) if tells(network, study, posterior.comparator)]
    ask = np.zeros((len(at), p + t))
    ask[:, :p] = at - z0 + (z0 - means[has]).mean(axis=0)
    ask[:, [p + k for k in has]] = 1 / len(has)
    return -0.5 * (misfit + size), ask @ (centre + covariance @ told), ask @ covariance @ ask.T


def tells(network: Network, study: str, treatment: str) -> bool:
    """Return whether a trial has the treatment, and its source reports arms."""
    for source in network.sources:
        rows = source.rows[source.rows["study"] == study]
        if len(rows):
            return source.outcome.reports == "arms" and treatment in set(rows["treatment"])
    return False


def reported(network: Network, arms: int) -> tuple[Array, Array, Array]:
    """Return what is observed as differences or single arms, the numbers, and their covariance."""
    observe, y, V = [], [], []
    for source in network.sources:
        outcome: Any = source.outcome
        for (_, row), sides in zip(source.rows.iterrows(), source.arms, strict=True):
            seen = np.zeros(arms)
            seen[sides[0]] = 1.0
            if outcome.reports == "contrasts":
                seen[sides[1]] = -1.0
                y.append(row[outcome.effect])
                V.append(row[outcome.se] ** 2)
            else:
                y.append(row["x"])
                V.append(row["v"])
            observe.append(seen)
    return np.array(observe), np.array(y), np.diag(V)


def with_levels(frame: pd.DataFrame) -> pd.DataFrame:
    """Return arms with the level and variance that each reports, for the joint normal."""
    return frame.assign(x=frame["mean"], v=frame["se"] ** 2)


def looped() -> Network:
    network = loop()
    frame = with_levels(network.sources[0].rows)
    return replace(network, sources=(replace(network.sources[0], rows=frame),))


BASE = nma.structures.Consistency(Normal(0, 10))
COMMON = nma.Model(BASE, nma.heterogeneity.Common())
FIXED = nma.heterogeneity.Random(Fixed(0.4))
MODELS: list[tuple[nma.Model, dict[str, float]]] = [
    (COMMON, {}),
    (nma.Model(BASE, FIXED), {"tau": 0.4}),
    (nma.Model(NodeSplit(BASE, "A", "B", 10.0), FIXED), {"tau": 0.4}),
    (
        nma.Model(RandomInconsistency(BASE, Fixed(0.3)), FIXED),
        {"tau": 0.4, "tau_w": 0.3},
    ),
    (nma.Model(BASE, TwoKinds(Fixed(0.4), Fixed(0.6), "A")), {"tau": 0.4, "tau_2": 0.6}),
    (nma.Model(Components("A", 10.0), FIXED), {"tau": 0.4}),
]


def kind(value: object) -> str:
    return f"{type(value.structure).__name__}-{type(value.heterogeneity).__name__}"  # type: ignore[attr-defined]


@pytest.mark.parametrize(("model", "scales"), MODELS, ids=[kind(model) for model, _ in MODELS])
@pytest.mark.parametrize("reference", ["A", "B", "C"])
def test_the_level_is_that_of_the_joint_normal(
    model: nma.Model, scales: dict[str, float], reference: str
) -> None:
    """Means and standard deviations of every absolute effect, at known scales."""
    posterior = nma.fit(replace(looped(), reference=reference), model)
    _, mean, covariance = joint(posterior, scales)
    table = nma.absolute_table(posterior, reference_level="network")
    np.testing.assert_allclose(table["mean"], mean, rtol=1e-6)
    np.testing.assert_allclose(table["sd"], np.sqrt(np.diag(covariance)), rtol=1e-6)
    width = 1.959963984540054 * np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(table["upper"], mean + width, rtol=1e-6)
    assert (table["mcse"] == 0).all()


def test_covariates_enter_the_trials_and_the_question() -> None:
    covariate = [0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 0.5, 0.5, 1.5, 1.5, 1.5]
    network = loop(dose=covariate)
    frame = with_levels(network.sources[0].rows)
    network = replace(network, sources=(replace(network.sources[0], rows=frame),))
    model = nma.Model(Regression(BASE, "dose", "A", 5.0), FIXED)
    posterior = nma.at(nma.fit(network, model), dose=1.0)
    _, mean, covariance = joint(posterior, {"tau": 0.4})
    table = nma.absolute_table(posterior, reference_level="network")
    np.testing.assert_allclose(table["mean"], mean, rtol=1e-6)
    np.testing.assert_allclose(table["sd"], np.sqrt(np.diag(covariance)), rtol=1e-6)


def averaged(posterior: nma.Posterior, prior: HalfNormal) -> tuple[Array, Array]:
    """Return mean and sd of every level, tau integrated on a fine grid of its own."""
    tau = np.linspace(0, 8 * prior.scale, 801)
    found = [joint(posterior, {"tau": float(value)}, wide=1e5) for value in tau]
    log = np.array([evidence for evidence, _, _ in found]) + prior.log_density(tau)
    weight = np.exp(log - log.max())
    weight = weight / trapezoid(weight, tau)
    means = np.array([mean for _, mean, _ in found])
    variances = np.array([np.diag(covariance) for _, _, covariance in found])
    mean = trapezoid(weight[:, None] * means, tau, axis=0)
    second = trapezoid(weight[:, None] * (variances + (means - mean) ** 2), tau, axis=0)
    return mean, np.sqrt(second)


def parkinson(*, mixed: bool = False) -> Network:
    frame = nma.datasets.load("parkinson")
    frame = frame.assign(x=frame["mean"], v=frame["sd"] ** 2 / frame["n"])
    outcome = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
    contrasts = ["Lieberman 1998", "Brunt 2002, Group B", "Gershanik 1994a"] * mixed
    told = ~frame["study"].isin(contrasts)
    arms = Network.from_arms(
        frame[told], study="study", treatment="treatment", outcome=outcome, reference="placebo"
    )
    if not mixed:
        return arms
    rows = []
    for study, trial in frame[~told].groupby("study"):
        first, second = trial.to_dict("records")
        rows.append(
            {
                "study": study,
                "treatment": second["treatment"],
                "comparator": first["treatment"],
                "md": second["x"] - first["x"],
                "se": np.sqrt(second["v"] + first["v"]),
            }
        )
    contrast = nma.outcomes.Contrast("md", "se", measure="MD", better="lower")
    others = Network.from_contrasts(
        pd.DataFrame(rows),
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=contrast,
    )
    return Network.combine(arms, others, reference="placebo")


@pytest.mark.parametrize("mixed", [False, True], ids=["arms", "arms and contrasts"])
def test_tau_is_integrated(mixed: bool) -> None:
    """Parkinson's disease: trials that report contrasts inform effects and tau, and no level."""
    prior = HalfNormal(1.0)
    model = nma.Model(BASE, nma.heterogeneity.Random(prior))
    posterior = nma.fit(parkinson(mixed=mixed), model)
    mean, sd = averaged(posterior, prior)
    table = nma.absolute_table(posterior, reference_level="network")
    np.testing.assert_allclose(table["mean"], mean, rtol=2e-6)
    np.testing.assert_allclose(table["sd"], sd, rtol=2e-5)
    trials = 2 if mixed else 3
    assert f"placebo leads to the mean level of the {trials} trials with it" in table.caption


def test_two_arms_and_a_common_effect_by_hand() -> None:
    """Every arm tells the level at the reference, by its precision."""
    frame = pd.DataFrame(
        {
            "s": list("1122"),
            "t": list("ABAB"),
            "y": [5.0, 4.2, 6.0, 5.5],
            "se": [0.3, 0.4, 0.2, 0.5],
        }
    )
    outcome = nma.outcomes.Continuous("y", se="se", measure="MD", better="lower")
    network = Network.from_arms(frame, study="s", treatment="t", outcome=outcome, reference="A")
    engine = nma.engines.LeastSquares(tau="common")
    table = nma.absolute_table(nma.fit(network, COMMON, engine=engine), reference_level="network")
    y, v = frame["y"].to_numpy().reshape(2, 2), frame["se"].to_numpy().reshape(2, 2) ** 2
    w = 1 / v.sum(axis=1)
    d = ((y[:, 1] - y[:, 0]) * w).sum() / w.sum()
    share = (1 / v) / (1 / v).sum(axis=1, keepdims=True)
    level = (share[:, 0] * y[:, 0] + share[:, 1] * (y[:, 1] - d)).mean()
    slope = -share[:, 1].mean()
    variance = (1 / (1 / v).sum(axis=1)).sum() / 4
    np.testing.assert_allclose(table["mean"], [level, level + d], rtol=1e-12)
    expected = np.sqrt(np.array([slope**2, (1 + slope) ** 2]) / w.sum() + variance)
    np.testing.assert_allclose(table["sd"], expected, rtol=1e-12)


def test_draws_agree_with_the_exact_table_and_follow_the_seed() -> None:
    posterior = nma.fit(parkinson(), engine=nma.engines.Gaussian(draws=4096, seed=3))
    table = nma.absolute_table(posterior, reference_level="network")
    drawn = nma.absolute_effects(posterior, reference_level="network", seed=5)
    error = replicate_error(drawn.to_numpy())
    apart = drawn.mean(("chain", "draw")).to_numpy() - table["mean"].to_numpy()
    assert (np.abs(apart) < 5 * error).all()
    squares = (drawn - table["mean"].to_numpy()).to_numpy() ** 2
    error = replicate_error(squares)
    assert (np.abs(squares.mean(axis=(0, 1)) - table["sd"] ** 2) < 5 * error).all()
    again = nma.absolute_effects(posterior, reference_level="network", seed=5)
    other = nma.absolute_effects(posterior, reference_level="network", seed=6)
    assert drawn.identical(again)
    assert not np.allclose(drawn, other)
    relative = nma.relative_effects(posterior).sel(comparator="placebo", drop=True)
    against = drawn - drawn.sel(treatment="placebo", drop=True)
    np.testing.assert_allclose(against, relative, atol=1e-12)
    sampled = replace(posterior, draws=replace(posterior.draws, moments=None))
    found = nma.absolute_table(sampled, reference_level="network")
    np.testing.assert_allclose((found["mean"] - table["mean"]) / table["sd"], 0, atol=0.02)
    assert (found["mcse"] > 0).all()


COUNTS = {"s": [*"112223344"], "t": [*"ABABCBCAC"], "r": [9, 14, 8, 7, 12, 20, 31, 4, 9], "n": 60}


@pytest.mark.parametrize("measure", ["OR", "RR", "RD", "HR", "IRR", "ROM"])
def test_counts_read_as_normal_tell_their_level(measure: str) -> None:
    """Against the joint normal of what each arm says by the formulas of the outcome."""
    frame = pd.DataFrame(COUNTS).assign(time=2.0, mean=lambda f: f["r"] + 2.5, sd=4.0)
    r, n = frame["r"].to_numpy(float), frame["n"].to_numpy(float)
    p = r / n
    told = {
        "OR": (np.log(r / (n - r)), 1 / r + 1 / (n - r)),
        "RR": (np.log(p), 1 / r - 1 / n),
        "RD": (p, p * (1 - p) / n),
        "HR": (np.log(-np.log1p(-p)) - np.log(2), p / (n * (1 - p) * np.log1p(-p) ** 2)),
        "IRR": (np.log(r / n), 1 / r),
        "ROM": (np.log(r + 2.5), 16 / (n * (r + 2.5) ** 2)),
    }[measure]
    more: dict[str, Any] = {"better": "lower"}
    outcome: Any = nma.outcomes.Rate("r", "n", **more, likelihood="normal")
    if measure == "ROM":
        outcome = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="ROM", **more)
    elif measure != "IRR":
        time: dict[str, Any] = {"time": "time"} if measure == "HR" else {}
        outcome = nma.outcomes.Binary(
            "r", "n", measure=measure, likelihood="normal", **time, **more
        )
    network = Network.from_arms(
        frame.assign(x=told[0], v=told[1]), study="s", treatment="t", outcome=outcome, reference="A"
    )
    posterior = nma.fit(network, nma.Model(BASE, FIXED))
    _, mean, covariance = joint(posterior, {"tau": 0.4})
    table = nma.absolute_table(posterior, reference_level="network")
    sd = np.sqrt(np.diag(covariance))
    z = 1.959963984540054
    inverse: Any = {
        "OR": lambda x: 1 / (1 + np.exp(-x)),
        "HR": lambda x: -np.expm1(-np.exp(x)),
        "RD": np.asarray,
    }.get(measure, np.exp)
    np.testing.assert_allclose(table["lower"], inverse(mean - z * sd), rtol=1e-6)
    np.testing.assert_allclose(table["upper"], inverse(mean + z * sd), rtol=1e-6)
    if measure != "RD":
        np.testing.assert_allclose(table["median"], inverse(mean), rtol=1e-6)
    assert "of the 3 trials with it" in table.caption
    unit = {"HR": "one unit of the trials' time", "IRR": "per unit of the trials' exposure"}
    assert unit.get(measure, "") in " ".join(table.notes)


def test_odds_ratios_at_the_networks_own_risk() -> None:
    """Standardised from draws whose levels and effects belong together."""
    network = nma.datasets.network("smoking").as_normal()
    posterior = nma.fit(network, engine=nma.engines.Gaussian(draws=1024))
    table = nma.standardised_table(posterior, measure="RD", reference_level="network")
    risks = nma.absolute_effects(posterior, reference_level="network")
    differences = risks - risks.sel(treatment="no intervention", drop=True)
    expected = differences.sel(treatment="self-help").mean()
    found = table["mean"][("self-help", "no intervention")]
    np.testing.assert_allclose(found, expected)
    assert "the network's own" in table.notes[0]


def test_sampled_and_normal_trials_count_alike() -> None:
    """Two trials with a sampled level and two normal ones: given the draws, a known normal."""
    rows = pd.DataFrame(COUNTS)
    binomial = nma.outcomes.Binary("r", "n", measure="OR", better="lower")
    normal = replace(binomial, likelihood="normal")
    halves = [
        Network.from_arms(
            rows[rows["s"].isin(studies)], study="s", treatment="t", outcome=outcome, reference="A"
        )
        for studies, outcome in (({"1", "3"}, binomial), ({"2", "4"}, normal))
    ]
    rng = np.random.default_rng(8)
    shape = (4, 1000)
    import xarray as xr

    values = xr.Dataset(
        {
            "beta": (("chain", "draw", "parameter"), rng.normal(0.3, 0.2, (*shape, 2))),
            "tau": (("chain", "draw"), rng.uniform(0, 1, shape)),
            "trial_level": (("chain", "draw", "study"), rng.normal(-1, 0.5, (*shape, 2))),
        }
    )
    posterior = nma.fit(Network.combine(*halves, reference="A"), engine=Given(values))
    found = nma.absolute_effects(posterior, reference_level="network").sel(treatment="A")
    risk = found.to_numpy()
    level = np.log(risk / (1 - risk))
    b, c = (values["beta"].to_numpy()[..., k] for k in (0, 1))
    half = values["tau"].to_numpy() ** 2 / 2
    sampled = values["trial_level"].to_numpy()[..., 0] - b / 2  # trial 1; trial 3 has no A
    total, variance = sampled, np.zeros(shape)
    for study in ("2", "4"):
        arms = rows[rows["s"] == study]
        r, n = arms["r"].to_numpy(float), arms["n"].to_numpy(float)
        weight = 1 / (1 / r + 1 / (n - r) + half[..., None])
        d = np.stack([{"A": 0 * b, "B": b, "C": c}[name] for name in arms["t"]], axis=-1)
        total = total + (weight * (np.log(r / (n - r)) - d)).sum(-1) / weight.sum(-1)
        variance = variance + 1 / weight.sum(-1)
    score = (level - total / 3) / (np.sqrt(variance) / 3)
    assert abs(score.mean()) < 4 / np.sqrt(score.size)
    assert abs(score.std() - 1) < 4 / np.sqrt(2 * score.size)
    assert stats.kstest(score.ravel(), "norm").pvalue > 1e-3
    table = nma.absolute_table(posterior, reference_level="network")
    assert (table["mcse"] > 0).all()
    assert "of the 3 trials with it" in table.caption


def test_where_every_trial_has_both_the_reference_does_not_matter() -> None:
    frame = pd.DataFrame(
        {
            "s": [*"111222333"],
            "t": [*"ABC" * 3],
            "y": [5, 4, 3.2, 6, 5.5, 5.1, 4, 3.9, 3.0],
            "se": np.linspace(0.2, 0.5, 9),
        }
    )
    outcome = nma.outcomes.Continuous("y", se="se", measure="MD", better="lower")
    model = nma.Model(BASE, nma.heterogeneity.Random(HalfNormal(1)))
    tables = []
    for reference in "AC":
        network = Network.from_arms(
            frame, study="s", treatment="t", outcome=outcome, reference=reference
        )
        tables.append(nma.absolute_table(nma.fit(network, model), reference_level="network"))
    np.testing.assert_allclose(tables[0].to_numpy(), tables[1].to_numpy(), rtol=1e-9)


def test_a_constant_in_one_trial_moves_the_level_by_its_share() -> None:
    frame = nma.datasets.load("parkinson")
    outcome = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
    study = frame.loc[frame["treatment"] == "placebo", "study"].iloc[0]
    model = nma.Model(BASE, nma.heterogeneity.Random(HalfNormal(1)))
    tables = []
    for constant in (0.0, 10.0):
        moved = frame.assign(mean=frame["mean"] + constant * (frame["study"] == study))
        network = Network.from_arms(
            moved, study="study", treatment="treatment", outcome=outcome, reference="placebo"
        )
        tables.append(nma.absolute_table(nma.fit(network, model), reference_level="network"))
    np.testing.assert_allclose(tables[1]["mean"] - tables[0]["mean"], 10 / 3, rtol=1e-9)
    np.testing.assert_allclose(tables[1]["sd"], tables[0]["sd"], rtol=1e-9)


SCORES = pd.DataFrame(
    {
        "s": [*"11223344"],
        "t": [*"ABABBCAC"],
        "on": ["NRS"] * 6 + ["PSFS"] * 2,
        "y": [6.0, 4.8, 5.5, 4.9, 5.2, 4.0, 3.1, 4.5],
        "sd": [2.0, 2.2, 2.1, 1.9, 2.0, 2.3, 1.8, 2.0],
        "n": [40, 42, 55, 50, 61, 60, 33, 30],
    }
)


def scored(frame: pd.DataFrame, measure: str = "SMD", **settings: Any) -> nma.Posterior:
    settings = {"better": "lower", "instrument": "on"} | settings
    model = settings.pop("model", None)
    outcome = nma.outcomes.Continuous("y", sd="sd", n="n", measure=measure, **settings)
    network = Network.from_arms(frame, study="s", treatment="t", outcome=outcome, reference="A")
    return nma.fit(network, model)


def test_points_of_an_instrument_are_those_of_its_own_trials() -> None:
    """At equal priors, SMDs in points of the only instrument are the mean differences."""
    frame = SCORES[SCORES["on"] == "NRS"]
    R = 2.5
    smd = nma.Model(
        nma.structures.Consistency(Normal(0, 10)), nma.heterogeneity.Random(HalfNormal(0.5))
    )
    md = nma.Model(
        nma.structures.Consistency(Normal(0, 10 * R)), nma.heterogeneity.Random(HalfNormal(0.5 * R))
    )
    standardised = scored(frame, reference_sd={"NRS": R}, model=smd)
    plain = nma.absolute_table(scored(frame, "MD", model=md), reference_level="network")
    points = nma.absolute_table(standardised, reference_level="network", instrument="NRS")
    np.testing.assert_allclose(points.to_numpy(), plain.to_numpy(), rtol=1e-8, atol=1e-12)
    unnamed = nma.absolute_table(standardised, reference_level="network", reference_sd=1.0)
    np.testing.assert_allclose(R * unnamed["mean"], plain["mean"], rtol=1e-8)
    np.testing.assert_allclose(R * unnamed["sd"], plain["sd"], rtol=1e-8)
    assert "Means are taken as final scores" in points.notes[0]


def test_an_instrument_of_the_other_direction_keeps_its_points() -> None:
    """PSFS: higher is better, so its means were reversed; in its own points they are not."""
    R = 2.0
    frame = SCORES[SCORES["on"] == "NRS"].assign(on="PSFS")
    smd = nma.Model(BASE, nma.heterogeneity.Random(HalfNormal(0.5)))
    md = nma.Model(
        nma.structures.Consistency(Normal(0, 10 * R)), nma.heterogeneity.Random(HalfNormal(0.5 * R))
    )
    turned = scored(frame, reference_sd={"PSFS": R}, model=smd)
    table = nma.absolute_table(turned, reference_level="network", instrument="PSFS")
    straight = scored(frame, "MD", better="higher", model=md)
    plain = nma.absolute_table(straight, reference_level="network")
    np.testing.assert_allclose(table.to_numpy(), plain.to_numpy(), rtol=1e-8, atol=1e-12)


def test_of_several_instruments_one_is_read() -> None:
    posterior = scored(SCORES, reference_sd={"NRS": 2.0, "PSFS": 2.0})
    table = nma.absolute_table(posterior, reference_level="network", instrument="NRS")
    assert "the mean level of the 2 trials with it" in table.caption  # trial 4 is on PSFS
    one = nma.absolute_table(posterior, reference_level="network", instrument="PSFS")
    assert "the mean level of the one trial with it" in one.caption
    assert 2.5 < one["mean"]["A"] < 3.7
    stated = nma.absolute_table(
        posterior, reference_level="network", instrument="NRS", reference_sd=4.0
    )
    np.testing.assert_allclose(stated["mean"]["A"], table["mean"]["A"])  # a mean score stays one
    np.testing.assert_allclose(
        stated["mean"]["B"] - stated["mean"]["A"], 2 * (table["mean"]["B"] - table["mean"]["A"])
    )
    with pytest.raises(ModelError, match=r"whose levels are not on one scale\. Name the one"):
        nma.absolute_table(posterior, reference_level="network", reference_sd=2.0)
    with pytest.raises(ModelError, match="has 'A' and reports arms is on VAS"):
        nma.absolute_table(
            posterior, reference_level="network", instrument="VAS", reference_sd=20.0
        )


def test_trials_in_units_of_their_own_sd_tell_no_level() -> None:
    for verb in (nma.absolute_table, nma.absolute_effects):
        with pytest.raises(ModelError, match="in units of its own SD, so its level is in a unit"):
            verb(scored(SCORES), reference_level="network", instrument="NRS")


def test_means_reversed_in_part_are_not_on_one_scale() -> None:
    mixed = scored(SCORES, "MD")
    with pytest.raises(ModelError, match=r"NRS .* and PSFS .* were reversed in sign"):
        nma.absolute_table(mixed, reference_level="network")


def test_changes_are_left_out_of_a_level_of_scores() -> None:
    changes = SCORES.assign(on="NRS", y=SCORES["y"] - 6 * (SCORES["s"] == "2"))
    posterior = scored(changes, "MD")
    table = nma.absolute_table(posterior, reference_level="network")
    assert "the mean level of the 2 trials with it" in table.caption
    assert "Left out, for reporting changes from baseline: 2." in table.notes[0]
    assert 4 < table["mean"]["A"] < 6.1
    final = scored(SCORES.assign(on="NRS"), "MD", scores="final")
    said = nma.absolute_table(final, reference_level="network").notes[0]
    assert "Means are taken" not in said
    alone = scored(SCORES.assign(y=SCORES["y"] - 7), "MD", instrument=None, scores="change")
    said = nma.absolute_table(alone, reference_level="network").notes[0]
    assert "These trials report changes from baseline, so the level is a mean change." in said


def test_knapp_hartung_levels_are_drawn() -> None:
    engine = nma.engines.LeastSquares(tau="DL", knapp_hartung=True)
    posterior = nma.fit(parkinson(), engine=engine)
    table = nma.absolute_table(posterior, reference_level="network")
    assert (table["mcse"] > 0).all()
