"""The waist: models the library does not ship yet, written here, go through it unchanged.

Unrelated means, a node-split over a base, regression, components on a disconnected network with
an untested combination, random inconsistency, and an arm-level binomial problem. Each is a few
lines of levels and priors; the engine sees nothing but the finished problem and agrees with
a dense computation of another kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import nma
import oracle
from nma.errors import EngineError, Issue, ModelError
from nma.instruments import ReferenceSD
from nma.model import problem
from nma.network import Network
from nma.priors import Fixed, HalfNormal, Normal, Prior
from nma.problem import Arms, Evidence, Parameters, Problem, Scale
from nma.protocols import Better, Heterogeneity, Structure

Array = NDArray[np.float64]


def outside(arms: pd.DataFrame) -> bool:
    return "study" not in arms


@dataclass(frozen=True)
class UnrelatedMeans:
    """A mean of its own for every pair (baseline arm of the trial, other arm)."""

    sd: float

    def resolve(self, network: Network) -> UnrelatedMeans:
        return self

    def _pairs(self, network: Network) -> list[tuple[str, str]]:
        order = network.treatments.index
        bases = [sorted(arms, key=order) for arms in network.trials.values()]
        return sorted({(arms[0], other) for arms in bases for other in arms[1:]})

    def parameters(self, network: Network) -> Parameters:
        names = [f"{b} vs {a}" for a, b in self._pairs(network)]
        return Parameters.independent(names, self.sd)

    def levels(self, network: Network, arms: pd.DataFrame) -> Array:
        if outside(arms):
            message = "Unrelated means give no treatment a level outside its trials."
            raise ModelError(message)
        pairs = self._pairs(network)
        base = {s: min(t, key=network.treatments.index) for s, t in network.trials.items()}
        z = np.zeros((len(arms), len(pairs)))
        for row, (study, name) in enumerate(zip(arms["study"], arms["treatment"], strict=True)):
            if name != base[study]:
                z[row, pairs.index((base[study], name))] = 1.0
        return z


@dataclass(frozen=True)
class NodeSplit:
    """The base's levels plus w/2 and -w/2 on the two arms of trials that compare a and b."""

    base: Structure
    a: str
    b: str
    sd: float

    def resolve(self, network: Network) -> NodeSplit:
        return NodeSplit(self.base.resolve(network), self.a, self.b, self.sd)

    def parameters(self, network: Network) -> Parameters:
        return self.base.parameters(network) + Parameters.independent(["w"], self.sd)

    def levels(self, network: Network, arms: pd.DataFrame) -> Array:
        w = np.zeros((len(arms), 1))
        if not outside(arms):
            both = arms["study"].map(lambda s: {self.a, self.b} <= set(network.trials[s]))
            w[:, 0] = (
                (arms["treatment"] == self.b) * 0.5 - (arms["treatment"] == self.a) * 0.5
            ) * both
        return np.hstack([self.base.levels(network, arms), w])


@dataclass(frozen=True)
class Regression:
    """One interaction of a covariate with every treatment but the control."""

    base: Structure
    covariate: str
    control: str
    sd: float

    def resolve(self, network: Network) -> Regression:
        return Regression(self.base.resolve(network), self.covariate, self.control, self.sd)

    def parameters(self, network: Network) -> Parameters:
        return self.base.parameters(network) + Parameters.independent([self.covariate], self.sd)

    def levels(self, network: Network, arms: pd.DataFrame) -> Array:
        active = (arms["treatment"] != self.control).to_numpy()
        interaction = (arms[self.covariate].to_numpy(dtype=float) * active)[:, None]
        return np.hstack([self.base.levels(network, arms), interaction])


@dataclass(frozen=True)
class Components:
    """A treatment's level is the sum of its components'; the inactive one adds nothing."""

    inactive: str
    sd: float

    def resolve(self, network: Network) -> Components:
        return self

    def _components(self, network: Network) -> list[str]:
        parts = {part for name in network.treatments for part in name.split(" + ")}
        return sorted(parts - {self.inactive})

    def parameters(self, network: Network) -> Parameters:
        return Parameters.independent(self._components(network), self.sd / np.sqrt(2))

    def levels(self, network: Network, arms: pd.DataFrame) -> Array:
        names = self._components(network)
        z = np.zeros((len(arms), len(names)))
        for row, treatment in enumerate(arms["treatment"]):
            for part in treatment.split(" + "):
                if part != self.inactive and part not in names:
                    message = f"{part!r} is not a component of this network."
                    raise ModelError(message)
                z[row] += [part == name for name in names]
        return z


@dataclass(frozen=True)
class RandomInconsistency:
    """A deviation for every treatment in every design, shared by all trials of the design."""

    base: Structure
    prior: Prior

    def resolve(self, network: Network) -> RandomInconsistency:
        return RandomInconsistency(self.base.resolve(network), self.prior)

    def parameters(self, network: Network) -> Parameters:
        names = [f"{t} in {'/'.join(d)}" for d, t in self._columns(network)]
        deviations = Parameters.independent(names, np.sqrt(0.5), scale=Scale("tau_w", self.prior))
        return self.base.parameters(network) + deviations

    def _columns(self, network: Network) -> list[tuple[tuple[str, ...], str]]:
        return [(d, t) for d in nma.graph.designs(network.trials) for t in d]

    def levels(self, network: Network, arms: pd.DataFrame) -> Array:
        columns = self._columns(network)
        z = np.zeros((len(arms), len(columns)))
        if not outside(arms):
            for row, (study, t) in enumerate(zip(arms["study"], arms["treatment"], strict=True)):
                z[row, columns.index((tuple(sorted(network.trials[study])), t))] = 1.0
        return np.hstack([self.base.levels(network, arms), z])


@dataclass(frozen=True)
class Responders:
    """Binomial arms on the logit scale."""

    events: str
    n: str
    better: Better = "higher"
    measure: str = "OR"
    ratio: ClassVar[bool] = True
    scale: ClassVar[None] = None
    reports: ClassVar[Literal["arms"]] = "arms"
    labels: ClassVar[tuple[str, ...]] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return self.events, self.n

    def check(self, rows: pd.DataFrame) -> list[Issue]:
        return []

    def participants(self, rows: pd.DataFrame) -> Array:
        return rows[[self.n]].to_numpy()

    def unit(self, rows: pd.DataFrame) -> Array:
        return np.ones(1)

    def reference_sds(self, rows: pd.DataFrame) -> tuple[ReferenceSD, ...]:
        return ()

    def notices(self, rows: pd.DataFrame) -> tuple[str, ...]:
        return ()

    def log_density(self, eta: Any, auxiliary: Any, data: Any, xp: Any) -> Any:
        return data["events"] * eta - data["n"] * xp.log1p(xp.exp(eta))

    def evidence(
        self, rows: pd.DataFrame, arms: NDArray[np.int64], trial_level: Prior
    ) -> tuple[Evidence, ...]:
        data = {"events": rows[self.events].to_numpy(), "n": rows[self.n].to_numpy()}
        trial = pd.factorize(rows["study"])[0]
        return (Arms(arms[:, 0], trial, data, self.log_density, trial_level),)


CONSISTENCY = nma.structures.Consistency(Normal(0, 20))
RANDOM = nma.heterogeneity.Random(HalfNormal(1))
HALF = nma.heterogeneity.Random(Fixed(0.5))


def resolved(network: Network, structure: Structure, heterogeneity: Heterogeneity) -> Problem:
    return problem(nma.Model(structure, heterogeneity).resolve(network), network)


def agrees(task: Problem, *, atol: float) -> None:
    moments = nma.engines.Gaussian().sample(task).moments
    assert moments is not None
    expected = oracle.answer(task, upto=9.0)
    assert moments.log_evidence == pytest.approx(expected.log_evidence, abs=atol)
    mixture = moments.of(np.eye(len(task.parameters.names)))
    sd = np.sqrt(np.diagonal(expected.covariance))
    np.testing.assert_allclose(mixture.mean / sd, expected.mean / sd, rtol=0, atol=atol)
    np.testing.assert_allclose(mixture.sd / sd, 1.0, rtol=0, atol=atol)
    for name, mean in expected.scales.items():
        assert moments.marginals[name].mean == pytest.approx(mean, rel=10 * atol)


@pytest.fixture(scope="module")
def parkinson() -> Network:
    return nma.datasets.network("parkinson")


def loop(**extra: list[float]) -> Network:
    """A loop of two-arm trials, one comparison twice, and a three-arm trial."""
    rows = [
        ("1", "A", 0.0),
        ("1", "B", -0.8),
        ("2", "A", 0.3),
        ("2", "B", -1.1),
        ("3", "B", -0.2),
        ("3", "C", -0.1),
        ("4", "A", 0.1),
        ("4", "C", -1.6),
        ("5", "A", 0.0),
        ("5", "B", -0.5),
        ("5", "C", -1.0),
    ]
    frame = pd.DataFrame(rows, columns=["study", "treatment", "mean"])
    frame["se"] = np.linspace(0.2, 0.45, len(frame))
    outcome = nma.outcomes.Continuous("mean", se="se", measure="MD", better="lower")
    return Network.from_arms(
        frame.assign(**extra), study="study", treatment="treatment", outcome=outcome
    )


def test_consistency_agrees_with_the_dense_computation(parkinson: Network) -> None:
    agrees(resolved(parkinson, CONSISTENCY, RANDOM), atol=1e-7)


def test_unrelated_means_agree_with_the_dense_computation(parkinson: Network) -> None:
    agrees(resolved(parkinson, UnrelatedMeans(20.0), RANDOM), atol=1e-7)


def test_unrelated_means_have_no_level_outside_a_trial(parkinson: Network) -> None:
    posterior = nma.fit(parkinson, nma.Model(UnrelatedMeans(20.0), RANDOM))
    for verb in (nma.league_table, nma.sucra, nma.ranks, nma.summary, nma.relative_effects):
        with pytest.raises(ModelError, match="no treatment a level outside"):
            verb(posterior)


def test_unrelated_means_are_consistency_on_a_tree() -> None:
    network = loop()
    tree = Network.from_arms(
        network.arms[network.arms["study"].isin(["1", "2", "4"])],
        study="study",
        treatment="treatment",
        outcome=nma.outcomes.Continuous("mean", se="se", measure="MD", better="lower"),
    )
    wide = 1e4
    unrelated = nma.engines.Gaussian().sample(resolved(tree, UnrelatedMeans(wide), HALF)).moments
    consistent = nma.fit(tree, nma.Model(nma.structures.Consistency(Normal(0, wide)), HALF))
    assert unrelated is not None
    table = nma.effect_table(consistent, comparators=["A"])
    np.testing.assert_allclose(unrelated.of(np.eye(2)).mean, table["mean"], atol=1e-6)
    np.testing.assert_allclose(unrelated.of(np.eye(2)).sd, table["sd"], atol=1e-6)


def test_node_split_agrees_with_the_dense_computation() -> None:
    agrees(resolved(loop(), NodeSplit(CONSISTENCY, "A", "B", 20.0), RANDOM), atol=1e-7)


def test_node_split_mirrors() -> None:
    forward, backward = (
        nma.engines.Gaussian().sample(resolved(loop(), NodeSplit(CONSISTENCY, *ab, 20.0), RANDOM))
        for ab in (("A", "B"), ("B", "A"))
    )
    assert forward.moments is not None
    assert backward.moments is not None
    w = np.array([[0.0, 0.0, 1.0]])
    assert forward.moments.of(w).mean == pytest.approx(-backward.moments.of(w).mean, abs=1e-10)
    assert forward.moments.log_evidence == pytest.approx(backward.moments.log_evidence, abs=1e-10)


def test_node_split_keeps_the_base_outside_trials() -> None:
    posterior = nma.fit(loop(), nma.Model(NodeSplit(CONSISTENCY, "A", "B", 20.0), RANDOM))
    assert posterior.levels[:, -1].tolist() == [0.0, 0.0, 0.0]
    assert nma.league_table(posterior).shape == (3, 3)


def covariate() -> list[float]:
    return [0.0, 0.0, 1.0, 1.0, 0.4, 0.4, -0.7, -0.7, 0.2, 0.2, 0.2]


def test_regression_agrees_with_the_dense_computation() -> None:
    network = loop(year=covariate())
    agrees(resolved(network, Regression(CONSISTENCY, "year", "A", 5.0), RANDOM), atol=1e-7)


def test_regression_answers_at_a_value_of_the_covariate() -> None:
    posterior = nma.fit(
        loop(year=covariate()), nma.Model(Regression(CONSISTENCY, "year", "A", 5.0), RANDOM)
    )
    moments = posterior.draws.moments
    assert moments is not None
    slope = moments.of(np.array([[0.0, 0.0, 1.0]])).mean[0]
    zero, two = (
        nma.effect_table(nma.at(posterior, year=year), comparators=["A"])["mean"]
        for year in (0.0, 2.0)
    )
    assert abs(slope) > 0.01
    np.testing.assert_allclose(two - zero, 2 * slope, atol=1e-12)


def pieces() -> Network:
    """Two parts without a trial between them: usual care with CBT, and exercise with diet."""
    rows = [
        ("1", "usual", "usual + CBT", -0.4, 0.2),
        ("2", "usual", "usual + CBT", -0.7, 0.25),
        ("3", "usual + exercise", "usual + exercise + CBT", -0.3, 0.3),
        ("4", "usual + diet", "usual + exercise + diet", -0.9, 0.2),
    ]
    frame = pd.DataFrame(rows, columns=["study", "comparator", "treatment", "md", "se"])
    outcome = nma.outcomes.Contrast("md", "se", measure="MD", better="lower")
    return Network.from_contrasts(
        frame, study="study", treatment="treatment", comparator="comparator", outcome=outcome
    )


def test_components_agree_with_the_dense_computation_on_a_disconnected_network() -> None:
    assert len(pieces().components) == 3
    agrees(resolved(pieces(), Components("usual", 10.0), RANDOM), atol=1e-7)


def test_components_answer_about_an_untested_combination() -> None:
    model = nma.Model(Components("usual", 10.0), RANDOM)
    posterior = nma.at(
        nma.fit(pieces(), model), treatments=["usual", "usual + exercise", "usual + diet + CBT"]
    )
    moments = posterior.draws.moments
    assert moments is not None
    parts = dict(zip(posterior.problem.parameters.names, moments.of(np.eye(3)).mean, strict=True))
    table = nma.effect_table(posterior, comparators=["usual"])["mean"]
    assert table["usual + diet + CBT", "usual"] == pytest.approx(parts["CBT"] + parts["diet"])
    assert table["usual + exercise", "usual"] == pytest.approx(parts["exercise"])
    notes = "\n".join(nma.summary(posterior).notes)
    assert "usual + diet + CBT versus usual rests on its prior" in notes
    assert "usual + exercise versus usual rests" not in notes
    with pytest.raises(ModelError, match="'yoga' is not a component"):
        nma.at(posterior, treatments=["usual", "yoga"])


def test_random_inconsistency_agrees_with_the_dense_computation() -> None:
    structure = RandomInconsistency(CONSISTENCY, HalfNormal(0.7))
    task = resolved(loop(), structure, HALF)
    assert [scale.name for scale in task.scales] == ["tau", "tau_w"]
    agrees(task, atol=1e-7)


def test_random_inconsistency_with_both_scales_free_agrees_with_the_dense_computation() -> None:
    structure = RandomInconsistency(CONSISTENCY, HalfNormal(0.7))
    agrees(resolved(loop(), structure, RANDOM), atol=2e-6)


def test_random_inconsistency_is_consistency_at_scale_zero() -> None:
    structure = RandomInconsistency(CONSISTENCY, Fixed(0.0))
    split = nma.fit(loop(), nma.Model(structure, RANDOM))
    plain = nma.fit(loop(), nma.Model(CONSISTENCY, RANDOM))
    np.testing.assert_allclose(
        nma.effect_table(split)[["mean", "sd"]], nma.effect_table(plain)[["mean", "sd"]], atol=1e-10
    )
    assert split.draws.values["tau_w"].to_numpy().max() == 0.0


def test_draws_of_two_scales_agree_with_the_moments() -> None:
    structure = RandomInconsistency(CONSISTENCY, HalfNormal(0.7))
    draws = nma.engines.Gaussian(draws=2048).sample(resolved(loop(), structure, RANDOM))
    assert draws.moments is not None
    for name in ("tau", "tau_w"):
        found = draws.values[name].to_numpy()
        marginal = draws.moments.marginals[name]
        assert abs(found.mean() - marginal.mean) < 0.01 * marginal.sd
        assert abs(found.std() / marginal.sd - 1) < 0.02
    beta = draws.values["beta"].to_numpy().reshape(-1, len(draws.values["parameter"]))
    exact = draws.moments.of(np.eye(beta.shape[1]))
    np.testing.assert_allclose((beta.mean(axis=0) - exact.mean) / exact.sd, 0.0, atol=0.01)
    np.testing.assert_allclose(beta.std(axis=0) / exact.sd, 1.0, atol=0.02)


def test_two_effect_scales_agree_with_the_dense_computation() -> None:
    """Heterogeneity of two kinds: one shared by two arms of a trial, one for each arm."""
    network = loop()
    task = resolved(network, CONSISTENCY, RANDOM)
    arms = task.arms
    later = np.asarray(arms["treatment"] != "A", dtype=float)
    shared = pd.factorize(arms["study"] + (arms["treatment"] != "A").astype(str))[0]
    from nma.problem import ArmEffect

    second = ArmEffect("tau_2", later, shared)
    both = Problem(
        arms=arms,
        levels=task.levels,
        parameters=task.parameters,
        effects=(*task.effects, second),
        scales=(*task.scales, Scale("tau_2", HalfNormal(0.5))),
        evidence=task.evidence,
    )
    agrees(both, atol=2e-6)


def responders() -> Network:
    frame = pd.DataFrame(
        {
            "study": ["1", "1", "2", "2", "2"],
            "treatment": ["A", "B", "A", "B", "C"],
            "r": [12, 29, 27, 29, 0],
            "n": [94, 82, 92, 93, 10],
        }
    )
    return Network.from_arms(
        frame, study="study", treatment="treatment", outcome=Responders("r", "n")
    )


def test_a_binomial_problem_builds() -> None:
    task = resolved(responders(), nma.structures.Consistency(), nma.heterogeneity.Random())
    (arms,) = task.evidence
    assert isinstance(arms, Arms)
    assert arms.trial.tolist() == [0, 0, 1, 1, 1]
    assert repr(arms.trial_level) == "Normal(mean=0, sd=10)"
    log_odds = np.array([-1.0, 0.5, 0.0, -2.0, 1.0])
    density = arms.density(log_odds, None, arms.data, np)
    assert density[0] == pytest.approx(-12 - 94 * np.log1p(np.exp(-1.0)))
    assert task.levels.tolist() == [[0, 0], [1, 0], [0, 0], [1, 0], [0, 1]]
    assert [repr(scale.prior) for scale in task.scales] == ["HalfNormal(scale=1.0)"]


def test_the_gaussian_engine_says_why_it_cannot_answer_a_binomial_problem() -> None:
    with pytest.raises(EngineError, match="Gaussian: some trials report arms with a likelihood"):
        nma.fit(responders())
    task = resolved(responders(), nma.structures.Consistency(), nma.heterogeneity.Random())
    with pytest.raises(EngineError, match="cannot answer"):
        nma.engines.Gaussian().sample(task)


def test_designs_cover_every_pair_of_the_loop() -> None:
    assert {d for d in nma.graph.designs(loop().trials) if len(d) == 2} == set(
        combinations("ABC", 2)
    )
