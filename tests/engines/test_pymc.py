"""The graph PyMC is given: its log density is the one written out in NumPy.

At random points, to 1e-8, for every structure, outcome, prior and parametrisation.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import densities
import nma
from nma.engines._pymc import Parametrisation, build
from nma.errors import EngineError
from nma.model import problem
from nma.network import Network
from nma.priors import (
    Fixed,
    HalfCauchy,
    HalfNormal,
    LogNormal,
    LogT,
    Normal,
    Prior,
    Uniform,
    rhodes2015,
)
from nma.problem import Arms, Contrasts, Parameters, Problem, Scale
from nma.protocols import Heterogeneity, Structure
from own_models import (
    Components,
    NodeSplit,
    RandomInconsistency,
    Regression,
    TwoKinds,
    UnrelatedMeans,
    loop,
    responders,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

HOW: tuple[Parametrisation, ...] = get_args(Parametrisation)
CONSISTENCY = nma.structures.Consistency(Normal(0, 20))
STRUCTURES: dict[str, Structure] = {
    "consistency": CONSISTENCY,
    "unrelated means": UnrelatedMeans(20.0),
    "node-split": NodeSplit(CONSISTENCY, "A", "B", 20.0),
    "regression": Regression(CONSISTENCY, "year", "A", 5.0),
    "components": Components("A", 10.0),
    "random inconsistency": RandomInconsistency(CONSISTENCY, HalfNormal(0.7)),
}
PRIORS: tuple[Prior, ...] = (
    HalfNormal(0.8),
    HalfCauchy(0.5),
    Uniform(0, 5),
    Uniform(0.1, 2),
    LogNormal(-1.3, 0.7),
    LogT.of_square(-3.44, 2.59),
    rhodes2015(outcome="any", comparison="any", scale=2.0),
    Fixed(0.4),
)
HETEROGENEITIES: dict[str, Heterogeneity] = {
    "common": nma.heterogeneity.Common(),
    **{repr(prior): nma.heterogeneity.Random(prior) for prior in PRIORS},
}


def networks() -> dict[str, Network]:
    year = {"year": [0.0, 0.0, 1.0, 1.0, 0.4, 0.4, -0.7, -0.7, 0.2, 0.2, 0.2]}
    normal = loop(**year)
    events = Network.from_arms(
        pd.DataFrame(
            {
                "study": ["6", "6", "7", "7", "7"],
                "treatment": list("ABABC"),
                "r": [12, 29, 27, 29, 0],
                "n": [94, 82, 92, 93, 10],
                "year": [0.3, 0.3, -1.0, -1.0, -1.0],
            }
        ),
        study="study",
        treatment="treatment",
        outcome=replace(responders().sources[0].outcome, measure="MD", better="lower"),  # type: ignore[type-var]
    )
    both = Network.combine(normal, events)
    return {"normal": normal, "binomial": events, "mixed": both}


NETWORKS = networks()


def task_of(network: Network, structure: Structure, heterogeneity: Heterogeneity) -> Problem:
    return problem(nma.Model(structure, heterogeneity).resolve(network), network)


def written_out(task: Problem, how: Parametrisation, point: dict[str, Any]) -> float:
    """Return the log density of the sampled quantities at a point, by the plain formulas."""
    scales, total = {}, 0.0
    for scale in task.scales:
        lower, upper = scale.prior.support
        scales[scale.name] = lower if lower == upper else point[scale.name]
        total += densities.of_prior(scale.prior, scales[scale.name])
    prior = task.parameters
    if any(prior.scale) and how != "centred":
        z = point["beta_unscaled"]
        total += densities.of_parameters(replace(prior, scale=()), z + prior.mean, {})
        beta = prior.mean + z * [1.0 if s is None else scales[s] for s in prior.scale]
    else:
        beta = point["beta"]
        total += densities.of_parameters(prior, beta, scales)
    u = None
    if how != "integrated" or any(isinstance(part, Arms) for part in task.evidence):
        u, density = effects(task, how, point, scales)
        total += density
    levels: dict[str, float] = {}
    for part in task.evidence:
        if isinstance(part, Arms):
            studies = task.arms["study"].to_numpy()[part.arms]
            _, first = np.unique(part.trial, return_index=True)
            levels |= dict(zip(studies[first], point["trial_level"], strict=True))
            total += densities.of_prior(part.trial_level, point["trial_level"])
    for part in task.evidence:
        integrated = how == "integrated" and isinstance(part, Contrasts)
        alone = replace(task, evidence=(part,))
        total += densities.of_evidence(alone, beta, scales, None if integrated else u, levels)
    return total


def effects(
    task: Problem, how: Parametrisation, point: dict[str, Any], scales: dict[str, float]
) -> tuple[NDArray[np.float64], float]:
    u, total = np.zeros(len(task.arms)), 0.0
    arms = [
        arm
        for part in task.evidence
        if how != "integrated" or isinstance(part, Arms)
        for arm in part.arms.ravel().tolist()
    ]
    order = pd.factorize(task.arms["study"])[0]
    for number, effect in enumerate(task.effects):
        sd = scales[effect.scale] * np.sqrt(0.5)
        units = sorted({(order[arm], effect.unit[arm]) for arm in arms})
        name = f"{effect.scale}_effect_{number}"
        if how == "centred":
            b = point[name]
            total += float(np.sum(stats.norm(0, sd).logpdf(b)))
        else:
            b = sd * point[f"{name}_unscaled"]
            total += float(np.sum(stats.norm().logpdf(point[f"{name}_unscaled"])))
        for arm in arms:
            u[arm] += effect.weight[arm] * b[units.index((order[arm], effect.unit[arm]))]
    return u, total


def agrees(task: Problem, how: Parametrisation, *, seed: int = 0, points: int = 3) -> None:
    """Compare at random points; PyMC's own names and transforms give the points."""
    model = build(task, how)
    density = model.compile_logp(jacobian=False, mode="FAST_COMPILE")
    rng = np.random.default_rng(seed)
    for _ in range(points):
        free = {k: rng.normal(0, 0.7, np.shape(v)) for k, v in model.initial_point().items()}
        point = {name: value for name, value in free.items() if not name.endswith("__")}
        for scale in task.scales:
            lower, upper = scale.prior.support
            if f"{scale.name}_log__" in free:
                point[scale.name] = np.exp(free[f"{scale.name}_log__"])
            elif f"{scale.name}_interval__" in free:
                share = 1 / (1 + np.exp(-free[f"{scale.name}_interval__"]))
                point[scale.name] = lower + (upper - lower) * share
        expected = written_out(task, how, point)
        assert float(density(free)) == pytest.approx(expected, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES)
def test_log_density_of_every_structure(
    structure: Structure, network: Network, how: Parametrisation
) -> None:
    agrees(task_of(network, structure, nma.heterogeneity.Random(HalfNormal(0.8))), how)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("heterogeneity", HETEROGENEITIES.values(), ids=HETEROGENEITIES)
def test_log_density_of_every_heterogeneity(
    heterogeneity: Heterogeneity, how: Parametrisation
) -> None:
    agrees(task_of(NETWORKS["mixed"], CONSISTENCY, heterogeneity), how)


COUNTS = pd.DataFrame(
    {
        "study": ["6", "6", "7", "7", "7"],
        "treatment": list("ABABC"),
        "r": [12, 29, 27, 29, 0],
        "n": [94, 82, 92, 29, 10],
        "years": [9.0, 8.5, 20.0, 21.0, 5.0],
    }
)
COUNTED: dict[str, Any] = {
    "OR": nma.outcomes.Binary("r", "n", measure="OR", better="lower"),
    "HR": nma.outcomes.Binary("r", "n", time="years", measure="HR", better="lower"),
    "IRR": nma.outcomes.Rate("r", "years", better="lower"),
}


def log_likelihood(name: str, eta: NDArray[np.float64]) -> float:
    """Return the log likelihood of COUNTS by SciPy."""
    r, n, years = (COUNTS[column].to_numpy() for column in ("r", "n", "years"))
    if name == "HR":  # SciPy would round probabilities near one
        hazard = years * np.exp(eta)
        ways = stats.binom(n, 0.5).logpmf(r) + n * np.log(2)
        return float((ways + r * np.log(-np.expm1(-hazard)) - (n - r) * hazard).sum())
    frozen: Any = {
        "OR": stats.binom(n, 1 / (1 + np.exp(-eta))),
        "IRR": stats.poisson(years * np.exp(eta)),
    }[name]
    return float(frozen.logpmf(r).sum())


@pytest.mark.parametrize("how", ["integrated", "centred"])
@pytest.mark.parametrize("name", COUNTED)
def test_log_density_of_counts(name: str, how: Parametrisation) -> None:
    """The whole density of each outcome, its likelihood by SciPy and not by its own formula."""
    made = Network.from_arms(COUNTS, study="study", treatment="treatment", outcome=COUNTED[name])
    task = task_of(made, CONSISTENCY, nma.heterogeneity.Random(HalfNormal(0.8)))
    (part,) = task.evidence
    assert isinstance(part, Arms)
    own = part.density

    def density(eta: Any, auxiliary: Any, data: Any, xp: Any) -> Any:
        return log_likelihood(name, eta) if xp is np else own(eta, auxiliary, data, xp)

    agrees(replace(task, evidence=(replace(part, density=density),)), how)


@pytest.mark.parametrize("how", ["non-centred", "centred"])
def test_log_density_where_unit_codes_repeat_across_trials(how: Parametrisation) -> None:
    """Effects never cross trials, whatever the codes."""
    task = task_of(NETWORKS["mixed"], CONSISTENCY, nma.heterogeneity.Random(HalfNormal(0.8)))
    (effect,) = task.effects
    place = np.asarray(task.arms.groupby("study").cumcount(), dtype=np.int64)
    agrees(replace(task, effects=(replace(effect, unit=place),)), how)


@pytest.mark.parametrize("how", HOW)
def test_log_density_of_two_parts_with_arms(how: Parametrisation) -> None:
    """Trial levels of the second part have a name of their own."""
    task = task_of(NETWORKS["binomial"], CONSISTENCY, nma.heterogeneity.Random(HalfNormal(0.8)))
    (part,) = task.evidence
    assert isinstance(part, Arms)
    first, second = (part_of(part, part.trial == trial) for trial in (0, 1))
    model = build(replace(task, evidence=(first, second)), how)
    assert {"trial_level", "trial_level_2"} <= set(model.named_vars)
    whole = build(task, how).compile_logp(jacobian=False, mode="FAST_COMPILE")
    split = model.compile_logp(jacobian=False, mode="FAST_COMPILE")
    rng = np.random.default_rng(2)
    point = {k: rng.normal(0, 0.7, np.shape(v)) for k, v in model.initial_point().items()}
    levels = np.concatenate([point["trial_level"], point["trial_level_2"]])
    joined = {k: v for k, v in point.items() if k != "trial_level_2"} | {"trial_level": levels}
    assert float(split(point)) == pytest.approx(float(whole(joined)), rel=1e-10)


def part_of(part: Arms, rows: NDArray[np.bool_]) -> Arms:
    data = {name: column[rows] for name, column in part.data.items()}
    return replace(part, arms=part.arms[rows], trial=part.trial[rows], data=data)


@pytest.mark.parametrize("how", ["non-centred", "centred"])
def test_log_density_of_auxiliary_parameters_with_a_scale(how: Parametrisation) -> None:
    task = task_of(NETWORKS["binomial"], CONSISTENCY, nma.heterogeneity.Random(HalfNormal(0.8)))
    (part,) = task.evidence
    assert isinstance(part, Arms)

    def density(eta: Any, auxiliary: Any, data: Any, xp: Any) -> Any:
        return -((data["events"] - xp.exp(auxiliary[0]) * eta) ** 2)

    wide = Scale("tau_slope", HalfNormal(0.5))
    own = Parameters.independent(["log slope"], 1.3, scale=wide)
    scaled = replace(
        task,
        scales=(*task.scales, wide),
        evidence=(replace(part, density=density, auxiliary=own),),
    )
    model = build(scaled, how)
    logp = model.compile_logp(jacobian=False, mode="FAST_COMPILE")
    point = model.initial_point() | {"tau_slope_log__": np.array(np.log(0.7))}
    name = "auxiliary" if how == "centred" else "auxiliary_unscaled"
    low, high = (float(logp(point | {name: np.array([x])})) for x in (0.0, 0.4))
    slope = 0.4 * (1.0 if how == "centred" else 0.7)
    prior = -0.5 * (slope / (0.7 * 1.3)) ** 2
    eta = 0.0  # the initial point has every level and effect at zero
    part_density = density(np.full(5, eta), [slope], part.data, np).sum()
    base = density(np.full(5, eta), [0.0], part.data, np).sum()
    assert high - low == pytest.approx(float(part_density - base) + prior, abs=1e-8)


@pytest.mark.parametrize("how", ["non-centred", "centred"])
def test_log_density_of_two_effect_scales(how: Parametrisation) -> None:
    two = TwoKinds(HalfNormal(1), Uniform(0, 2), "A")
    agrees(task_of(NETWORKS["mixed"], CONSISTENCY, two), how)


def test_several_effect_scales_cannot_be_integrated_out() -> None:
    task = task_of(NETWORKS["mixed"], CONSISTENCY, TwoKinds(HalfNormal(1), HalfNormal(1), "A"))
    reason = nma.engines.NUTS().unsuited(task)
    assert reason is not None
    assert "parametrisation='non-centred'" in reason
    with pytest.raises(EngineError, match="several scales"):
        nma.engines.NUTS().sample(task)
    assert nma.engines.NUTS(parametrisation="non-centred").unsuited(task) is None


@pytest.mark.parametrize("how", HOW)
def test_log_density_of_a_predictor_that_is_not_linear(how: Parametrisation) -> None:
    def saturating(beta: Any, levels: Any, xp: Any) -> Any:
        return xp.tanh(xp.dot(levels, beta))

    task = task_of(NETWORKS["mixed"], CONSISTENCY, nma.heterogeneity.Random(HalfNormal(0.8)))
    agrees(replace(task, predictor=saturating), how)


def test_log_density_of_auxiliary_parameters() -> None:
    """Over-dispersed arms: the likelihood has a parameter of its own."""
    task = task_of(NETWORKS["binomial"], CONSISTENCY, nma.heterogeneity.Random(HalfNormal(0.8)))
    (part,) = task.evidence
    assert isinstance(part, Arms)

    def density(eta: Any, auxiliary: Any, data: Any, xp: Any) -> Any:
        return -((data["events"] - xp.exp(auxiliary[0]) * eta) ** 2) + auxiliary[1]

    own = Parameters(("log slope", "shift"), np.array([0.1, 0.2]), np.diag([0.5, 2.0]))
    task = replace(task, evidence=(replace(part, density=density, auxiliary=own),))
    model = build(task, "non-centred")
    logp = model.compile_logp(jacobian=False, mode="FAST_COMPILE")
    plain = build(replace(task, evidence=(part,)), "non-centred")
    plain_logp = plain.compile_logp(jacobian=False, mode="FAST_COMPILE")
    rng = np.random.default_rng(1)
    point = {k: rng.normal(0, 0.7, np.shape(v)) for k, v in model.initial_point().items()}
    levels = point["trial_level"]
    scales = {"tau": float(np.exp(point["tau_log__"]))}
    u, _ = effects(task, "non-centred", point, scales)
    studies = task.arms["study"].to_numpy()[part.arms]
    named = dict(zip(pd.unique(studies), levels, strict=True))
    difference = densities.of_evidence(
        task, point["beta"], scales, u, named, point["auxiliary"]
    ) - densities.of_evidence(replace(task, evidence=(part,)), point["beta"], scales, u, named)
    difference += densities.of_parameters(own, point["auxiliary"], {})
    shared = {k: v for k, v in point.items() if k != "auxiliary"}
    assert float(logp(point)) - float(plain_logp(shared)) == pytest.approx(difference, rel=1e-8)


def test_a_wrong_covariance_is_caught() -> None:
    """The comparison has teeth: a variance off by one part in ten thousand fails it."""
    task = task_of(NETWORKS["normal"], CONSISTENCY, nma.heterogeneity.Random(HalfNormal(0.8)))
    spoilt = tuple(replace(p, V=p.V * 1.0001) for p in task.evidence if isinstance(p, Contrasts))
    model = build(replace(task, evidence=spoilt), "integrated")
    density = model.compile_logp(jacobian=False, mode="FAST_COMPILE")
    point = {"beta": np.zeros(2), "tau_log__": np.array(0.0)}
    expected = written_out(task, "integrated", {"beta": np.zeros(2), "tau": 1.0})
    assert abs(float(density(point)) - expected) > 1e-6


def test_quantities_and_dimensions_have_names() -> None:
    task = task_of(NETWORKS["mixed"], CONSISTENCY, nma.heterogeneity.Random(HalfNormal(0.8)))
    model = build(task, "integrated")
    assert model.named_vars_to_dims["beta"] == ("parameter",)
    assert model.named_vars_to_dims["trial_level"] == ("study",)
    assert model.named_vars_to_dims["u"] == ("arm",)
    assert model.coords["parameter"] == ("B vs A", "C vs A")
    assert model.coords["study"] == ("6", "7")
    assert model.coords["arm"][0] == "1: A"


@dataclass(frozen=True)
class NumPyOnly:
    """A prior whose density only NumPy can evaluate."""

    origin: str = ""
    support: tuple[float, float] = (0.0, np.inf)

    def log_density(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return -np.asarray(x)


@dataclass(frozen=True)
class HalfOpen(NumPyOnly):
    support: tuple[float, float] = (0.5, np.inf)


@pytest.mark.parametrize(
    ("prior", "said"),
    [(NumPyOnly(), "write its log_density"), (HalfOpen(), "use a finite interval")],
)
def test_priors_that_cannot_be_sampled_are_named(prior: Any, said: str) -> None:
    task = task_of(NETWORKS["normal"], CONSISTENCY, nma.heterogeneity.Random(HalfNormal(1)))
    with pytest.raises(EngineError, match=said):
        build(replace(task, scales=(Scale("tau", prior),)), "integrated")


def test_every_combination_was_met() -> None:
    assert len(list(itertools.product(STRUCTURES, NETWORKS, HOW))) == 54
