"""The exact engine beyond its numbers: draws, diagnostics, refusals."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
from nma.errors import EngineError, ModelError
from nma.priors import Fixed, HalfCauchy, HalfNormal, Normal
from nma.problem import Parameters, Problem

TIGHT = 3e-3
"""Distance of the mean of 4096 draws from the exact one, in posterior sd."""


@dataclass(frozen=True)
class Broken:
    """A prior with a jump, which no smooth rule integrates to seven digits."""

    origin: str = ""
    support: tuple[float, float] = (0.0, np.inf)

    def log_density(self, x: Any, xp: Any = np) -> Any:
        return xp.where(x < 0.4321, 0.0, -np.inf)


@pytest.fixture(scope="module")
def posterior() -> nma.Posterior:
    return nma.fit(nma.datasets.network("parkinson"))


@pytest.fixture(scope="module")
def task(posterior: nma.Posterior) -> Problem:
    return posterior.problem


def test_draws_have_chains_draws_and_parameters(posterior: nma.Posterior) -> None:
    values = posterior.draws.values
    assert values["beta"].dims == ("chain", "draw", "parameter")
    assert values["tau"].dims == ("chain", "draw")
    assert dict(values.sizes) == {"chain": 8, "draw": 512, "parameter": 4}
    assert values["parameter"].to_numpy().tolist()[0] == "cabergoline vs bromocriptine"


def test_draws_agree_with_the_moments(posterior: nma.Posterior) -> None:
    moments = posterior.draws.moments
    assert moments is not None
    beta = posterior.draws.values["beta"].to_numpy()
    flat = beta.reshape(-1, 4)
    exact = moments.of(np.eye(4))
    np.testing.assert_allclose((flat.mean(axis=0) - exact.mean) / exact.sd, 0, atol=5 * TIGHT)
    np.testing.assert_allclose(flat.std(axis=0) / exact.sd, 1, atol=0.03)
    for p in (0.025, 0.25, 0.5, 0.75, 0.975):
        share = (flat < exact.quantile(p)).mean(axis=0)
        # the share of 8 x 512 scrambled Sobol points below a plane is off by up to 0.006 here
        np.testing.assert_allclose(share, p, atol=0.008)


def test_the_spread_between_chains_is_an_honest_error(task: Problem) -> None:
    """Over 60 seeds, errors in units of their estimate have the size of a t with 7 df."""
    scores = []
    for seed in range(60):
        draws = nma.engines.Gaussian(draws=128, seed=seed).sample(task)
        assert draws.moments is not None
        means = draws.values["beta"].to_numpy().mean(axis=1)
        error = means.std(axis=0, ddof=1) / np.sqrt(8)
        scores.append((means.mean(axis=0) - draws.moments.of(np.eye(4)).mean) / error)
    size = np.mean(np.square(scores))
    assert 0.7 < size < 2.2  # a t with 7 df has variance 1.4


def test_draws_are_read_only(posterior: nma.Posterior) -> None:
    with pytest.raises(ValueError, match="read-only"):
        posterior.draws.values["beta"].to_numpy()[0] = 0.0


def test_draws_travel_to_another_process(posterior: nma.Posterior) -> None:
    again = pickle.loads(pickle.dumps(posterior))  # noqa: S301  our own bytes
    assert again.draws.values.identical(posterior.draws.values)
    assert nma.league_table(again).equals(nma.league_table(posterior))


@pytest.mark.parametrize(("draws", "chains"), [(100, 3), (1, 1), (7, 2)])
def test_any_number_of_draws_and_chains(task: Problem, draws: int, chains: int) -> None:
    values = nma.engines.Gaussian(draws=draws, chains=chains).sample(task).values
    assert values["beta"].shape == (chains, draws, 4)
    assert np.isfinite(values["beta"]).all()


@pytest.mark.parametrize("choice", [{"draws": 0}, {"chains": 0}, {"draws": -3}])
def test_no_draws_are_refused(choice: dict[str, int]) -> None:
    with pytest.raises(EngineError, match="is not a whole number of 1 or more"):
        nma.engines.Gaussian(**choice)


def test_the_quadrature_reports_its_error(posterior: nma.Posterior, task: Problem) -> None:
    assert posterior.draws.diagnostics["quadrature_error"] <= 1e-7
    assert posterior.draws.notices == ()
    (scale,) = task.scales
    broken = replace(task, scales=(replace(scale, prior=Broken()),))
    rough = nma.engines.Gaussian().sample(broken)
    assert rough.diagnostics["quadrature_error"] > 1e-7
    assert "above the 1e-07 asked for" in rough.notices[0]


def test_a_mean_that_does_not_exist_is_said_to_be_infinite() -> None:
    two = pd.DataFrame({"study": ["1", "1"], "treatment": ["A", "B"], "mean": [0, 1], "se": 1.0})
    outcome = nma.outcomes.Continuous("mean", se="se", measure="MD", better="lower")
    network = nma.Network.from_arms(two, study="study", treatment="treatment", outcome=outcome)
    model = nma.Model(
        nma.structures.Consistency(Normal(0, 100)), nma.heterogeneity.Random(HalfCauchy(1))
    )
    posterior = nma.fit(network, model)
    assert nma.summary(posterior).loc["tau", "sd"] == np.inf
    assert any("of tau is infinite" in notice for notice in posterior.notices)


def test_without_evidence_the_posterior_is_the_prior(task: Problem) -> None:
    moments = nma.engines.Gaussian().sample(replace(task, evidence=())).moments
    assert moments is not None
    (scale,), weight = task.scales, moments.weight
    assert isinstance(scale.prior, HalfNormal)
    assert moments.log_evidence == pytest.approx(0.0, abs=1e-9)
    assert weight @ moments.scales["tau"] ** 2 == pytest.approx(scale.prior.scale**2, rel=1e-8)
    prior = np.broadcast_to(task.parameters.covariance, moments.covariance.shape)
    np.testing.assert_allclose(moments.covariance, prior, rtol=1e-12)
    np.testing.assert_array_equal(moments.mean, 0.0)


def test_a_looser_tolerance_is_as_good_as_it_says(task: Problem) -> None:
    loose = nma.engines.Gaussian(tolerance=1e-3).sample(task)
    tight = nma.engines.Gaussian(tolerance=1e-11).sample(task)
    assert loose.moments is not None
    assert tight.moments is not None
    error = loose.diagnostics["quadrature_error"]
    assert len(loose.moments.weight) < len(tight.moments.weight)
    assert abs(loose.moments.log_evidence - tight.moments.log_evidence) <= error


def test_models_that_are_not_linear_are_refused(task: Problem) -> None:
    curved = replace(task, predictor=lambda beta: beta)
    assert nma.engines.Gaussian().unsuited(curved) == "the model is not linear in its parameters"
    with pytest.raises(EngineError, match="not linear"):
        nma.engines.Gaussian().sample(curved)


def test_a_prior_covariance_that_cannot_be_is_refused(task: Problem) -> None:
    flat = Parameters(task.parameters.names, np.zeros(4), np.ones((4, 4)))
    with pytest.raises(EngineError, match="not positive definite"):
        nma.engines.Gaussian().sample(replace(task, parameters=flat))


def test_log_evidence_tells_models_apart() -> None:
    """Common against random effects on Senn 2013, where heterogeneity is plain."""
    network = nma.datasets.network("senn2013")
    structure = nma.structures.Consistency(Normal(0, 10))
    random, common = (
        nma.summary(nma.fit(network, nma.Model(structure, heterogeneity))).attrs["log_evidence"]
        for heterogeneity in (
            nma.heterogeneity.Random(HalfNormal(0.5)),
            nma.heterogeneity.Common(),
        )
    )
    assert random - common > 20


def test_a_scale_below_zero_is_refused() -> None:
    model = nma.Model(heterogeneity=nma.heterogeneity.Random(Normal(0, 1)))
    with pytest.raises(ModelError, match="tau is a standard deviation"):
        nma.fit(nma.datasets.network("parkinson"), model)


def test_a_number_in_place_of_a_prior_is_refused_with_the_remedy() -> None:
    with pytest.raises(ModelError, match=r"write nma.priors.Fixed\(0.3\)"):
        nma.heterogeneity.Random(tau=0.3)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="HalfNormal is a kind of prior: give it numbers"):
        nma.heterogeneity.Random(tau=HalfNormal)  # type: ignore[arg-type]


def test_a_fixed_tau_stays_fixed_in_every_draw() -> None:
    model = nma.Model(heterogeneity=nma.heterogeneity.Random(Fixed(0.36)))
    values = nma.fit(nma.datasets.network("parkinson"), model).draws.values
    assert np.unique(values["tau"]).tolist() == [0.36]
