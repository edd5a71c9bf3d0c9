"""Laws that every public outcome, structure, heterogeneity, prior and engine keeps.

A new member of a package is met here by the examples table: the test below fails until it has one.
Further examples of a member go by its name and what sets them apart, such as "Continuous, SMD".
"""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import nma
import oracle
from nma.model import problem
from nma.priors import Fixed, HalfNormal, Normal
from nma.problem import Arms, Contrasts
from nma.protocols import Engine, Heterogeneity, Outcome, Shape, Simulable, Structure

if TYPE_CHECKING:
    from numpy.typing import NDArray

ARMS = pd.DataFrame(
    {
        "study": ["1", "1", "2", "2", "2", "3", "3"],
        "treatment": ["A", "B", "A", "B", "C", "B", "C"],
        "mean": [0.0, 0.4, 0.1, 0.6, 0.8, 0.3, 0.2],
        "sd": [1.0, 1.2, 0.9, 1.0, 1.1, 1.0, 0.8],
        "n": [20, 25, 40, 38, 41, 12, 15],
        "r": [4, 9, 11, 15, 20, 0, 6],
        "s": [7, 6, float("nan"), float("nan"), float("nan"), 3, 4],
        "years": [10.5, 12.0, 41.0, 40.0, 39.5, 6.0, 7.0],
        "score": [5.0, 4.0, 6.1, 5.5, 5.2, 4.4, 4.9],
        "scale": ["NRS", "NRS", "PSFS", "PSFS", "PSFS", "NRS", "NRS"],
        "size": [1.0, 1.0, 2.0, 2.0, 2.0, 4.0, 4.0],
        "place": ["ward", "ward", "home", "home", "home", "ward", "ward"],
        "sessions": [0.0, 6.0, float("nan"), 12.0, 8.0, 12.0, 20.0],
    }
)
PAIRS = pd.DataFrame(
    {
        "study": ["1", "2", "2", "3"],
        "treatment": ["B", "B", "C", "C"],
        "comparator": ["A", "A", "A", "B"],
        "md": [0.4, 0.5, 0.7, -0.1],
        "se": [0.33, 0.22, 0.23, 0.4],
        "base": 0.14,
        "size": [1.0, 2.0, 2.0, 4.0],
        "place": ["ward", "home", "home", "ward"],
        "n1": [25, 38, 41, 15],
        "n2": [20, 40, 40, 12],
        "hr": [1.49, 1.65, 2.01, 0.9],
        "lower": [0.78, 1.07, 1.28, 0.41],
        "upper": [2.85, 2.54, 3.16, 1.98],
    }
)

MEANS = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
SMD = dataclasses.replace(MEANS, measure="SMD")
OR = nma.outcomes.Binary("r", "n", measure="OR", better="higher")
RATE = nma.outcomes.Rate("r", "years", better="lower")
BY_INSTRUMENT = dataclasses.replace(SMD, instrument="scale")
ORDERED = nma.outcomes.Ordinal(["r", "s"], "n", counts="exclusive", measure="SMD", better="higher")
OUTCOMES: dict[str, Outcome] = {
    "Binary": OR,
    "Binary, HR": dataclasses.replace(OR, measure="HR", time="years"),
    "Binary, RR": dataclasses.replace(OR, measure="RR"),
    "Binary, RD": dataclasses.replace(OR, measure="RD"),
    "Binary, normal": OR.as_normal(),
    "Continuous": MEANS,
    "Continuous, MD by instrument": dataclasses.replace(MEANS, instrument="scale"),
    "Continuous, SMD": SMD,
    "Continuous, SMD by instrument": BY_INSTRUMENT,
    "Continuous, pooled SDs": dataclasses.replace(BY_INSTRUMENT, reference_sd="pooled"),
    "Continuous, known SDs": dataclasses.replace(
        BY_INSTRUMENT, reference_sd={"NRS": 1.1, "PSFS": 0.9}
    ),
    "Continuous, ROM": dataclasses.replace(MEANS, mean="score", measure="ROM"),
    "Contrast": nma.outcomes.Contrast(
        "md", "se", base_se="base", n=("n1", "n2"), measure="MD", better="higher"
    ),
    "Contrast, HR": nma.outcomes.Contrast(
        "hr", lower="lower", upper="upper", base_se="base", measure="HR", better="lower"
    ),
    "Ordinal": ORDERED,
    "Ordinal, OR": dataclasses.replace(ORDERED, measure="OR"),
    "Ordinal, events": dataclasses.replace(ORDERED, categories=["r"]),
    "Ordinal, normal": ORDERED.as_normal(),
    "Rate": RATE,
    "Rate, normal": RATE.as_normal(),
}
CONSISTENCY = nma.structures.Consistency()
BY_SIZE = nma.structures.Regression(CONSISTENCY, "size", control="A")
BY_DOSE = nma.structures.Dose("sessions", control="A")
STRUCTURES: dict[str, Structure] = {
    "Classes": nma.structures.Classes(classes={"A": "A", "B": "active", "C": "active"}),
    "Classes, common": nma.structures.Classes(
        classes={"A": "A", "B": "active", "C": "active"}, within="common"
    ),
    "Components": nma.structures.Components(separator=" + "),
    "Consistency": CONSISTENCY,
    "DesignByTreatment": nma.structures.DesignByTreatment(CONSISTENCY),
    "Dose": BY_DOSE,
    "Dose, shared": dataclasses.replace(
        BY_DOSE, agents="shared", shape=nma.shapes.Spline(knots=[6, 12, 20])
    ),
    "Dose, exchangeable": dataclasses.replace(
        BY_DOSE, agents="exchangeable", shape=nma.shapes.FractionalPolynomial(powers=[-1, 0])
    ),
    "Dose, components": dataclasses.replace(
        BY_DOSE, agents=nma.structures.Components(separator=" + ", inactive="A"), shape="log"
    ),
    "NodeSplit": nma.structures.NodeSplit(CONSISTENCY, "A", "C"),
    "NodeSplit, baseline": nma.structures.NodeSplit(CONSISTENCY, "A", "C", multiarm="baseline"),
    "RandomInconsistency": nma.structures.RandomInconsistency(CONSISTENCY),
    "Regression": BY_SIZE,
    "Regression, exchangeable": dataclasses.replace(BY_SIZE, interactions="exchangeable"),
    "Regression, by name": dataclasses.replace(BY_SIZE, covariate="place"),
    "UnrelatedMeans": nma.structures.UnrelatedMeans(),
    "UnrelatedMeans, over a base": nma.structures.UnrelatedMeans(base=CONSISTENCY),
}
HETEROGENEITIES: dict[str, Heterogeneity] = {
    "Common": nma.heterogeneity.Common(),
    "DownWeighted": nma.heterogeneity.DownWeighted(column="place", levels=["ward"]),
    "DownWeighted, over a common effect": nma.heterogeneity.DownWeighted(
        nma.heterogeneity.Common(), column="place", levels=["ward"]
    ),
    "Random": nma.heterogeneity.Random(),
}
ENGINES: dict[str, Engine] = {
    "Gaussian": nma.engines.Gaussian(draws=1024),
    "Laplace": nma.engines.Laplace(draws=1024),
    "LeastSquares": nma.engines.LeastSquares(draws=1024),
    "NUTS": nma.engines.NUTS(draws=1000, tune=500, chains=8, progress=False),
}
SHAPES: dict[str, Shape] = {
    "FractionalPolynomial": nma.shapes.FractionalPolynomial(powers=[0.5]),
    "FractionalPolynomial, shifted": nma.shapes.FractionalPolynomial(powers=[-1, 2], unit=8.0),
    "FractionalPolynomial, twice": nma.shapes.FractionalPolynomial(powers=[1, 1]),
    "FractionalPolynomial, shifted twice": nma.shapes.FractionalPolynomial(powers=[0, 0]),
    "Linear": nma.shapes.Linear(),
    "Log": nma.shapes.Log(),
    "Spline": nma.shapes.Spline(),
    "Spline, knots": nma.shapes.Spline(knots=[0.0, 5.0, 9.0, 20.0]),
}
FLAT = ["LeastSquares"]
"""Engines that take no prior and one value of tau: they meet the others where priors are wide."""
EXAMPLES: list[tuple[ModuleType, Mapping[str, Any]]] = [
    (nma.outcomes, OUTCOMES),
    (nma.structures, STRUCTURES),
    (nma.heterogeneity, HETEROGENEITIES),
    (nma.engines, ENGINES),
    (nma.shapes, SHAPES),
]


def network(outcome: Outcome) -> nma.Network:
    if outcome.reports == "arms":
        return nma.Network.from_arms(ARMS, study="study", treatment="treatment", outcome=outcome)
    made = nma.Network.from_contrasts(
        PAIRS, study="study", treatment="treatment", comparator="comparator", outcome=outcome
    )
    return nma.assign(made, sessions={"B": 12.0, "C": 20.0})


@pytest.mark.parametrize(
    ("package", "examples"), EXAMPLES, ids=lambda x: getattr(x, "__name__", "")
)
def test_every_public_member_has_an_example(
    package: ModuleType, examples: Mapping[str, Any]
) -> None:
    assert {name.split(", ")[0] for name in examples} == set(package.__all__)


@pytest.mark.parametrize(
    "value", [example for _, examples in EXAMPLES for example in examples.values()], ids=repr
)
def test_choices_are_frozen_values(value: Any) -> None:
    first = dataclasses.fields(value)[:1]
    for field in first:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, field.name, None)
    assert value == dataclasses.replace(value)
    copy = pickle.loads(pickle.dumps(value))  # noqa: S301  our own value
    assert copy == value
    assert hash(copy) == hash(value)
    assert type(value).__final__  # abstract or final


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
def test_outcomes_give_proper_evidence(outcome: Outcome) -> None:
    made = network(outcome)
    (source,) = made.sources
    people = outcome.participants(source.rows)
    assert people.shape == source.arms.shape
    assert (outcome.unit(source.rows) > 0).all()
    assert {*outcome.columns, *outcome.labels} <= set(source.rows.columns)
    for reference in outcome.reference_sds(source.rows):
        assert 0 < reference.value < reference.instrument.width
    assert list(outcome.check(source.rows)) == []
    seen: list[int] = []
    normal = outcome.as_normal()
    assert normal.as_normal() is normal or normal.as_normal() == normal
    assert (normal.measure, normal.better) == (outcome.measure, outcome.better)
    for part in normal.evidence(source.rows, source.arms, Normal(0, 10)):
        assert isinstance(part, Contrasts)
        trials, arms = part.arms.shape
        assert part.y.shape == (trials, arms - 1)
        assert part.V.shape == (trials, arms - 1, arms - 1)
        assert (np.linalg.eigvalsh(part.V) > 0).all()
        seen += part.arms.ravel().tolist()
    assert sorted(seen) == list(range(len(made.arms)))


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
def test_outcomes_can_be_simulated_and_read_again(outcome: Outcome) -> None:
    """New numbers fill the outcome's own columns, and pass the checks of any table."""
    made = network(outcome)
    (source,) = made.sources
    assert isinstance(outcome, Simulable)
    assert set(outcome.awaited) <= set(outcome.columns)
    nuisance = dict.fromkeys(outcome.nuisance, 0.8)
    reported = outcome.reported(source.rows, nuisance)
    assert reported.shape == (len(source.rows),)
    told = np.isfinite(reported)
    assert told.all() if outcome.reports == "arms" else not told.any()
    truth = {"B vs A": 0.05, "C vs A": 0.02, "tau": 0.01, **nuisance}
    simulated, _ = nma.simulate(made, truth=truth, seed=2)
    (new,) = simulated.sources
    assert new.outcome == outcome
    assert list(outcome.check(new.rows)) == []
    kept = [name for name in source.rows.columns if name not in outcome.columns]
    pd.testing.assert_frame_equal(new.rows[kept], source.rows[kept])
    for name in outcome.awaited:
        assert not new.rows[name].equals(source.rows[name])
        assert new.rows[name].isna().equals(source.rows[name].isna())


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
def test_arms_tell_density_fitted_values_and_deviance(outcome: Outcome) -> None:
    """Deviance = 2 (saturated - log density), up to what the data alone say."""
    (source,) = network(outcome).sources
    rng = np.random.default_rng(3)
    for part in outcome.evidence(source.rows, source.arms, Normal(0, 10)):
        if isinstance(part, Contrasts):
            continue
        assert sorted(part.arms.tolist()) == list(range(len(source.rows)))
        copy = pickle.loads(pickle.dumps(part))  # noqa: S301  our own value
        saturated = []
        for _ in range(3):
            eta, own = rng.normal(-3, 0.5, len(part.arms)), auxiliary_of(part, rng)
            density = part.density(eta, own, part.data, np)
            np.testing.assert_array_equal(copy.density(eta, own, copy.data, np), density)
            fitted = part.fitted(eta, own, part.data, np)
            saturated.append(part.deviance(fitted, part.data, np) / 2 + density)
        np.testing.assert_allclose(saturated, saturated[:1] * 3, rtol=1e-9, atol=1e-9)


def auxiliary_of(part: Arms, rng: np.random.Generator, *leading: int) -> Any:
    """Draw the parameters of a likelihood alone from their prior, if it has any."""
    if part.auxiliary is None:
        return None
    return rng.normal(size=(*leading, len(part.auxiliary.names)))


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
def test_arms_answer_for_many_values_at_once(outcome: Outcome) -> None:
    """Linear predictors (value, node, arm) beside auxiliary (value, 1, parameter), and fewer."""
    (source,) = network(outcome).sources
    rng = np.random.default_rng(5)
    for part in outcome.evidence(source.rows, source.arms, Normal(0, 10)):
        if isinstance(part, Contrasts):
            continue
        many = rng.normal(-3, 0.5, (4, 3, len(part.arms)))
        own = auxiliary_of(part, rng, 4, 1)
        density = part.density(many, own, part.data, np)
        fitted = part.fitted(many, own, part.data, np)
        deviance = part.deviance(fitted, part.data, np)
        assert density.shape == deviance.shape == many.shape
        for value, node in np.ndindex(4, 3):
            one = many[value, node], None if own is None else own[value, 0], part.data, np
            np.testing.assert_allclose(density[value, node], part.density(*one), rtol=1e-13)
            np.testing.assert_allclose(fitted[value, node], part.fitted(*one), rtol=1e-13)
            alone = part.deviance(part.fitted(*one), part.data, np)
            np.testing.assert_allclose(deviance[value, node], alone, rtol=1e-13)
        flat = many[:, 0], None if own is None else own[:, 0], part.data, np
        np.testing.assert_array_equal(part.density(*flat), density[:, 0])
        shared = many, None if own is None else own[0, 0], part.data, np
        np.testing.assert_array_equal(part.density(*shared)[0], density[0])
        if part.observed is not None:
            seen = part.observed(part.data)
            assert seen.shape == fitted.shape[2:]
            np.testing.assert_allclose(part.deviance(seen, part.data, np), 0, atol=1e-9)
        if part.points is not None:
            assert (part.points(part.data) >= 1).all()


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
def test_outcomes_merge_the_numbers_of_arms(outcome: Outcome) -> None:
    (source,) = network(outcome).sources
    assert set(outcome.merged(source.rows.iloc[:2])) == set(outcome.columns)


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
def test_outcomes_have_no_default_direction(outcome: Any) -> None:
    with pytest.raises(nma.errors.ModelError, match="There is no default"):
        dataclasses.replace(outcome, better="")
    with pytest.raises(nma.errors.ModelError, match="better='up' is not a direction"):
        dataclasses.replace(outcome, better="up")
    with pytest.raises(nma.errors.ModelError, match="`measure` is missing"):
        dataclasses.replace(outcome, measure="")


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
@pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES)
def test_structures_give_every_arm_a_level(structure: Structure, outcome: Outcome) -> None:
    made = network(outcome)
    resolved = structure.resolve(made)
    assert resolved.resolve(made) == resolved
    prior = resolved.parameters(made)
    assert len(set(prior.names)) == len(prior.names) == len(prior.mean)
    assert (np.linalg.eigvalsh(prior.covariance) > 0).all()
    assert resolved.levels(made, made.arms).shape == (len(made.arms), len(prior.names))


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_shapes_are_smooth_from_zero_and_follow_the_unit_of_dose(shape: Shape) -> None:
    """A default unit or knot goes with the doses: hours for minutes give the same curve."""
    doses = np.array([4.0, 6.0, 8.0, 8.0, 12.0, 15.0, 24.0])
    resolved = shape.resolve(doses)
    assert resolved.resolve(2 * doses) == resolved
    x = np.linspace(0, 30, 3001)
    f = resolved.basis(x)
    assert f.shape == (len(x), len(resolved.terms("dose")))
    assert len(set(resolved.terms("dose"))) == f.shape[1] == len(shape.terms("dose"))
    assert not f[0].any()
    assert np.isfinite(f).all()
    assert np.linalg.matrix_rank(resolved.basis(doses)) == f.shape[1]
    step = np.abs(np.diff(f, axis=0)).max(axis=0)
    assert (step < 0.1 * np.ptp(f, axis=0)).all()
    if resolved == shape:
        return
    scaled = shape.resolve(60 * doses).basis(60 * x)
    size = np.abs(f).max(axis=0)
    np.testing.assert_allclose(scaled / np.abs(scaled).max(axis=0), f / size, atol=1e-12)


@pytest.mark.parametrize("heterogeneity", HETEROGENEITIES.values(), ids=HETEROGENEITIES)
def test_heterogeneities_name_the_scales_they_use(heterogeneity: Heterogeneity) -> None:
    made = network(OUTCOMES["Continuous"])
    resolved = heterogeneity.resolve(made)
    assert resolved.resolve(made) == resolved
    scales = {scale.name for scale in resolved.scales(made)}
    for effect in resolved.effects(made, made.arms):
        assert effect.scale in scales
        assert len(effect.weight) == len(effect.unit) == len(made.arms)


def agree(beta: NDArray[np.float64], mean: NDArray[np.float64], sd: NDArray[np.float64]) -> None:
    """Compare means and variances per element, two-sided, by the spread between eight chains."""
    z = (beta - mean) / sd
    for statistic in (z, z**2 - 1):
        by_chain = statistic.mean(axis=1)
        error = by_chain.std(axis=0, ddof=1) / np.sqrt(len(by_chain))
        # |t| of 7 df above 7 has probability 2e-4
        np.testing.assert_array_less(np.abs(by_chain.mean(axis=0)), 7 * error)
        np.testing.assert_array_less(error, 0.1)


OWN_LIKELIHOOD = {
    "Binary",
    "Binary, HR",
    "Ordinal",
    "Ordinal, OR",
    "Ordinal, events",
    "Rate",
}
MET = [
    (engine, outcome)
    for engine in ENGINES
    for outcome in OUTCOMES
    if outcome not in OWN_LIKELIHOOD  # the dense computation is of normal evidence
    if engine not in FLAT
    and (engine != "NUTS" or outcome == "Continuous")  # an engine cannot tell them apart
]


@pytest.mark.parametrize(("engine", "outcome"), MET)
def test_engines_agree_with_the_dense_computation(engine: str, outcome: str) -> None:
    model = nma.Model(
        nma.structures.Consistency(Normal(0, 10)), nma.heterogeneity.Random(HalfNormal(1))
    )
    task = problem(model, network(OUTCOMES[outcome]))
    assert ENGINES[engine].unsuited(task) is None
    draws = ENGINES[engine].sample(task)
    expected = oracle.answer(task, upto=9.0)
    sd = np.sqrt(np.diagonal(expected.covariance))
    agree(draws.values["beta"].to_numpy(), expected.mean, sd)


@pytest.mark.parametrize("name", ENGINES)
def test_engines_take_a_known_tau(name: str) -> None:
    engine, sd = ENGINES[name], 1e4 if name in FLAT else 10
    model = nma.Model(
        nma.structures.Consistency(Normal(0, sd)), nma.heterogeneity.Random(Fixed(0.3))
    )
    task = problem(model, network(OUTCOMES["Continuous"]))
    _, mean, covariance = oracle.given(task, {"tau": 0.3})
    draws = engine.sample(task)
    agree(draws.values["beta"].to_numpy(), mean, np.sqrt(np.diagonal(covariance)))
    assert (draws.values["tau"] == 0.3).all()
