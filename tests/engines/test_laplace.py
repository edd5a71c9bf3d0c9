"""The certified Laplace engine: against exact answers of other kinds, and planted faults."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.special import digamma, logsumexp, polygamma

import nma
from nma.arm_trials import arm_trials
from nma.engines import _laplace, _proposal
from nma.engines._target import Target
from nma.errors import EngineError
from nma.model import problem
from nma.priors import Fixed, HalfNormal, Normal, Uniform
from nma.problem import Arms
from nma.two_sided import Rule
from own_models import RandomInconsistency, TwoKinds, loop, responders

if TYPE_CHECKING:
    from numpy.typing import NDArray

RANDOM = nma.Model(
    nma.structures.Consistency(Normal(0, 100)),
    nma.heterogeneity.Random(HalfNormal(5)),
    trial_levels=Normal(0, 100),
)
LARGEST = 4.5
"""Bound on |z|: of 30 numbers it is passed by chance less than once in 4,000 runs."""


def scores(posterior: nma.Posterior, exact: dict[str, tuple[float, float]]) -> NDArray[np.float64]:
    """How far means and variances lie from exact ones, in Monte Carlo errors of eight chains."""
    values = posterior.draws.values
    tables = {str(name): values["beta"].sel(parameter=name) for name in values["parameter"].data}
    tables |= {scale.name: values[scale.name] for scale in posterior.problem.scales}
    found = []
    for name, (mean, sd) in exact.items():
        x = tables[name].to_numpy()
        for told, true in ((x, mean), ((x - mean) ** 2, sd**2)):
            chains = told.mean(axis=1)
            found.append((chains.mean() - true) / (chains.std(ddof=1) / np.sqrt(len(chains))))
    return np.array(found)


@cache
def gaussian(name: str) -> tuple[nma.Posterior, dict[str, tuple[float, float]]]:
    posterior = nma.fit(nma.datasets.network(name))
    moments = posterior.draws.moments
    assert moments is not None
    names = posterior.problem.parameters.names
    told = moments.of(np.eye(len(names)))
    exact = dict(zip(names, zip(told.mean.tolist(), told.sd.tolist(), strict=True), strict=True))
    return posterior, exact | {k: (m.mean, m.sd) for k, m in moments.marginals.items()}


@pytest.mark.parametrize("name", ["parkinson", "back_pain", "senn2013"])
def test_normal_evidence_gets_the_answer_of_the_exact_engine(name: str) -> None:
    exact, numbers = gaussian(name)
    posterior = nma.fit(exact.network, exact.model, engine=nma.engines.Laplace(draws=2048))
    assert posterior.draws.faults == ()
    assert np.abs(scores(posterior, numbers)).max() < LARGEST
    told = posterior.draws.diagnostics
    assert exact.draws.moments is not None
    error = abs(told["log_evidence"] - exact.draws.moments.log_evidence)
    assert error < LARGEST * told["log_evidence_mcse"] + 1e-6


def test_several_scales_and_scaled_parameters_get_the_answer_of_the_exact_engine() -> None:
    structure = RandomInconsistency(nma.structures.Consistency(Normal(0, 9)), HalfNormal(1))
    model = nma.Model(structure, nma.heterogeneity.Random(HalfNormal(1)))
    exact = nma.fit(loop(), model, engine=nma.engines.Gaussian())
    posterior = nma.fit(loop(), model, engine=nma.engines.Laplace(draws=2048))
    moments = exact.draws.moments
    assert moments is not None
    numbers = {name: (told.mean, told.sd) for name, told in moments.marginals.items()}
    told = moments.of(np.eye(len(exact.problem.parameters.names)))
    names = exact.problem.parameters.names
    numbers |= dict(zip(names, zip(told.mean, told.sd, strict=True), strict=True))
    assert posterior.draws.faults == ()
    assert np.abs(scores(posterior, numbers)).max() < LARGEST


@cache
def on_a_grid(name: str) -> tuple[nma.Posterior, dict[str, tuple[float, float]], float]:
    """One effect and tau by sums over a grid; within trials by quadrature with many nodes."""
    network = nma.datasets.network(name)
    task = problem(RANDOM.resolve(network), network)
    (part,) = task.evidence
    assert isinstance(part, Arms)
    d = np.linspace(-0.6, 0.9, 101)
    x = np.linspace(np.log(1e-5), np.log(3), 101)
    grid = np.stack(np.meshgrid(d, np.exp(x), indexing="ij"), axis=-1).reshape(-1, 2)
    level, scales = grid[:, :1] @ task.levels.T, {"tau": grid[:, 1]}
    total = Normal(0, 100).log_density(grid[:, 0]) + HalfNormal(5).log_density(grid[:, 1])
    total = total + np.log(grid[:, 1])
    for trials in arm_trials(task, part):
        c, sd = trials.given(level, scales)
        total = total + trials.group.finer().log_likelihood(c, sd).sum(axis=1)
    top = float(logsumexp(total))
    w = np.exp(total - top)
    numbers = {}
    for key, values in ((task.parameters.names[0], grid[:, 0]), ("tau", grid[:, 1])):
        mean = w @ values
        numbers[key] = (float(mean), float(np.sqrt(w @ (values - mean) ** 2)))
    log_evidence = top + np.log(d[1] - d[0]) + np.log(x[1] - x[0])
    posterior = nma.fit(network, RANDOM, engine=nma.engines.Laplace(draws=2048))
    return posterior, numbers, float(log_evidence)


def test_counts_get_the_answer_of_a_grid() -> None:
    posterior, numbers, log_evidence = on_a_grid("blocker")
    told = posterior.draws.diagnostics
    assert posterior.draws.faults == ()
    assert np.abs(scores(posterior, numbers)).max() < LARGEST
    # what the grid leaves out below tau = 1e-5 is 1e-4 of the whole
    assert told["log_evidence"] == pytest.approx(log_evidence, abs=1e-3)


def test_a_wrong_proposal_density_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pareto k cannot see it; the comparison with an exact answer does."""
    _, numbers, _ = on_a_grid("blocker")
    right = _proposal.Split.at

    def wrong(self: Any, uniforms: Any) -> Any:
        z, log_density = right(self, uniforms)
        wider = 1.1 * z
        return wider, log_density + 0.5 * ((z / self.left) ** 2 - (wider / self.left) ** 2).sum(1)

    monkeypatch.setattr(_proposal.Split, "at", wrong)
    posterior = nma.fit(
        nma.datasets.network("blocker"), RANDOM, engine=nma.engines.Laplace(draws=2048)
    )
    assert posterior.draws.diagnostics["pareto_k"] < 0.7
    assert np.abs(scores(posterior, numbers)).max() > LARGEST


def test_a_quadrature_with_too_few_nodes_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    network = nma.datasets.network("smoking")
    task = problem(RANDOM.resolve(network), network)
    target = Target.of(task)
    parts = tuple(
        (replace(trials, group=replace(trials.group, rule=Rule(3))), own)
        for trials, own in target.parts
    )
    monkeypatch.setattr(Target, "settled", lambda self, *given: self)
    monkeypatch.setattr(Target, "of", lambda task: replace(target, parts=parts))
    draws = nma.engines.Laplace().sample(task)
    assert draws.diagnostics["quadrature_error"] > 0.1
    assert any("quadrature has not settled" in fault for fault in draws.faults)


@pytest.mark.parametrize("sd", [3.0, 10.0, 100.0])
def test_a_treatment_without_events_gets_the_answer_of_a_grid(sd: float) -> None:
    """Its effect runs far down, where only the prior ends it."""
    model = nma.Model(nma.structures.Consistency(Normal(0, sd)), nma.heterogeneity.Common())
    network = responders()
    posterior = nma.fit(network, model, engine=nma.engines.Laplace(draws=2048))
    task = posterior.problem
    (part,) = task.evidence
    assert isinstance(part, Arms)
    b, c = np.linspace(-1.5, 3, 121), np.linspace(-5 * sd, 6, 601)
    grid = np.stack(np.meshgrid(b, c, indexing="ij"), axis=-1).reshape(-1, 2)
    precision = np.linalg.inv(task.parameters.covariance)
    total = -0.5 * np.einsum("np,pq,nq->n", grid, precision, grid)
    for trials in arm_trials(task, part):
        total = total + trials.group.finer().log_likelihood(
            *trials.given(grid @ task.levels.T, {})
        ).sum(axis=1)
    w = np.exp(total - logsumexp(total))
    mean = w @ grid
    spread = np.sqrt(w @ (grid - mean) ** 2)
    names = task.parameters.names
    numbers = dict(zip(names, zip(mean.tolist(), spread.tolist(), strict=True), strict=True))
    assert posterior.draws.faults == ()
    assert np.abs(scores(posterior, numbers)).max() < LARGEST


def test_the_same_seed_gives_the_same_draws() -> None:
    network = nma.datasets.network("smoking")
    first, second, other = (
        nma.fit(network, engine=nma.engines.Laplace(draws=128, seed=seed)).draws.values
        for seed in (3, 3, 4)
    )
    assert first.equals(second)
    assert not first.equals(other)


def test_common_effect_is_the_limit_of_random_effects() -> None:
    network = nma.datasets.network("thrombolytics")
    beta = np.random.default_rng(0).normal(0, 0.2, (64, 8))
    told = []
    for heterogeneity in (
        nma.heterogeneity.Common(),
        nma.heterogeneity.Random(Fixed(0.0)),
        nma.heterogeneity.Random(Fixed(1e-6)),
    ):
        task = problem(nma.Model(heterogeneity=heterogeneity).resolve(network), network)
        scales = {scale.name: np.full(64, scale.prior.support[0]) for scale in task.scales}
        told.append(Target.of(task).closely(beta, scales))
    np.testing.assert_allclose(told[1], told[0], rtol=0, atol=1e-9)
    np.testing.assert_allclose(told[2], told[0], rtol=0, atol=1e-5)


def test_the_stated_error_of_a_skewed_effect_among_many_that_are_not() -> None:
    """One of 21 effects is told by one small trial alone: 2 of 17 against 12 of 17.

    Under flat priors the log odds of r of n is that of a Beta(r, n - r), whose mean and variance
    are differences and sums of polygamma functions. All other effects are nearly normal, so a
    proposal as wide as the mode's normal approximation loses next to no points, and misses this
    tail.

    Squared z from eight chains have mean 7/5 and sd 2.8. The mean of 24 is above 4 by chance less
    than once in 10,000 times; at a narrow proposal it is 11.
    """
    model = nma.Model(
        nma.structures.Consistency(Normal(0, 100)),
        nma.heterogeneity.Common(),
        trial_levels=Normal(0, 100),
    )
    mean = digamma(12) - digamma(5) - digamma(2) + digamma(15)
    variance = sum(polygamma(1, n) for n in (12, 5, 2, 15))
    squared = []
    for seed in range(12):
        engine = nma.engines.Laplace(seed=seed)
        posterior = nma.fit(nma.datasets.network("linde2016"), model, engine=engine)
        effects = nma.relative_effects(posterior, comparators=["SSRI"])
        told = effects.sel(treatment="Face-to-face CBT + SSRI", comparator="SSRI").to_numpy()
        for x, exact in ((told, mean), ((told - mean) ** 2, variance)):
            chains = x.mean(axis=1)
            squared.append(len(chains) * (chains.mean() - exact) ** 2 / chains.var(ddof=1))
    assert np.mean(squared) < 4


def test_what_does_not_suit_is_refused_with_its_reason() -> None:
    engine, network = nma.engines.Laplace(), responders()
    shared = nma.Model(
        nma.structures.Consistency(Normal(0, 9)), TwoKinds(HalfNormal(1), HalfNormal(1), "A")
    )
    with pytest.raises(EngineError, match="arms of a trial share random effects"):
        nma.fit(network, shared, engine=engine)
    limited = nma.Model(trial_levels=Uniform(-5, 5))
    with pytest.raises(EngineError, match=r"Uniform\(lower=-5, upper=5\), has a limit"):
        nma.fit(network, limited, engine=engine)
    task = replace(problem(nma.Model().resolve(network), network), predictor=lambda *_: None)
    assert engine.unsuited(task) == "the model is not linear in its parameters"


@pytest.mark.parametrize("setting", [{"draws": 0}, {"chains": 2.5}, {"seed": -1}, {"draws": True}])
def test_settings_that_make_no_sense_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(EngineError, match="is not a whole number of"):
        nma.engines.Laplace(**setting)


def test_too_few_effective_candidates_are_a_fault() -> None:
    ratio = np.full((2, 512), -50.0)
    ratio[:, :3] = 0.0
    weight = ratio - logsumexp(ratio)
    weighted = _laplace._Weighted(ratio.ravel(), ratio, weight, 0.2, 0.0)
    (fault,) = _laplace._faults(weighted)
    assert "1024 candidates are worth 6 draws, and 200 are needed" in fault


def test_of_few_candidates_half_are_needed_and_no_more_are_asked_for() -> None:
    ratio = np.full((2, 20), -50.0)
    ratio[:, :3] = 0.0
    weight = ratio - logsumexp(ratio)
    weighted = _laplace._Weighted(ratio.ravel(), ratio, weight, 0.2, 0.0)
    (fault,) = _laplace._faults(weighted)
    assert "40 candidates are worth 6 draws, and 20 are needed" in fault


@pytest.mark.parametrize("draws", [1, 3])
def test_draws_too_few_to_judge_are_a_fault_and_nothing_else_is_printed(
    draws: int, caplog: pytest.LogCaptureFixture
) -> None:
    engine = nma.engines.Laplace(draws=draws, chains=1)
    posterior = nma.fit(nma.datasets.network("smoking"), engine=engine)
    assert "POOR FIT" in posterior.poor
    assert caplog.records == []


def test_the_summary_says_how_good_the_weights_were() -> None:
    posterior = nma.fit(nma.datasets.network("blocker"))
    told = posterior.draws.diagnostics
    (note,) = (note for note in nma.summary(posterior).notes if note.startswith("Pareto k"))
    assert f"Pareto k {told['pareto_k']:.2f}" in note
    assert f"4096 candidates are worth {told['effective_candidates']:.0f}" in note
    assert f"log evidence {told['log_evidence']:.3f}" in note
