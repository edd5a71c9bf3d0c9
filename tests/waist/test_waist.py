"""The waist: models the library does not ship yet, written here, go through it unchanged.

Unrelated means, a node-split over a base, regression, components on a disconnected network with
an untested combination, random inconsistency, and an arm-level binomial problem. Each is a few
lines of levels and priors; the engine sees nothing but the finished problem and agrees with
a dense computation of another kind.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

import nma
import oracle
from nma.errors import EngineError, ModelError
from nma.model import problem
from nma.network import Network
from nma.priors import Fixed, HalfNormal, Normal
from nma.problem import Arms, Problem
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


def test_consistency_agrees_with_the_dense_computation(parkinson: Network) -> None:
    agrees(resolved(parkinson, CONSISTENCY, RANDOM), atol=1e-7)


def test_unrelated_means_agree_with_the_dense_computation(parkinson: Network) -> None:
    agrees(resolved(parkinson, UnrelatedMeans(20.0), RANDOM), atol=1e-7)


def test_unrelated_means_have_no_level_outside_a_trial(parkinson: Network) -> None:
    posterior = nma.fit(parkinson, nma.Model(UnrelatedMeans(20.0), RANDOM))
    for verb in (nma.league_table, nma.sucra, nma.ranks, nma.relative_effects):
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
    two = TwoKinds(HalfNormal(1), HalfNormal(0.5), "A")
    agrees(resolved(loop(), CONSISTENCY, two), atol=2e-6)


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
    task = resolved(responders(), nma.structures.Consistency(), nma.heterogeneity.Random())
    with pytest.raises(EngineError, match="cannot answer: some trials report arms with a likeliho"):
        nma.engines.Gaussian().sample(task)


def test_designs_cover_every_pair_of_the_loop() -> None:
    assert {d for d in nma.graph.designs(loop().trials) if len(d) == 2} == set(
        combinations("ABC", 2)
    )
