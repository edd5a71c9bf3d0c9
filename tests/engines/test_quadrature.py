"""Quadrature against integrals known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from nma.engines._charts import chart_of
from nma.engines._quadrature import Grid, integrate
from nma.interpolation import local_weights
from nma.priors import Fixed, HalfCauchy, HalfNormal, LogNormal, Prior, Uniform

Array = NDArray[np.float64]


def under(prior: Prior, width: float, log_likelihood: object = None) -> Grid:
    def density(points: Array) -> Array:
        extra = log_likelihood(points[:, 0]) if callable(log_likelihood) else 0.0
        return np.asarray(prior.log_density(points[:, 0]) + extra)

    return integrate(density, [chart_of(prior, width)])


PRIORS = [
    (HalfNormal(1.0), stats.halfnorm()),
    (HalfNormal(40.0), stats.halfnorm(scale=40)),
    (HalfNormal(1e-3), stats.halfnorm(scale=1e-3)),
    (Uniform(0, 5), stats.uniform(0, 5)),
    (Uniform(0.2, 0.3), stats.uniform(0.2, 0.1)),
    (LogNormal(-1.3, 0.8), stats.lognorm(0.8, scale=math.exp(-1.3))),
    (LogNormal(0.0, 0.01), stats.lognorm(0.01)),
]


@pytest.mark.parametrize("width", [0.05, 1.0, 20.0])
@pytest.mark.parametrize(("prior", "known"), PRIORS, ids=[repr(prior) for prior, _ in PRIORS])
def test_a_prior_alone_comes_back(prior: Prior, known: stats.rv_continuous, width: float) -> None:
    grid = under(prior, width)
    assert grid.error <= 1e-7
    assert grid.log_integral == pytest.approx(0.0, abs=1e-9)
    marginal = grid.marginal(0)
    assert marginal.mean == pytest.approx(known.mean(), rel=1e-8)
    assert marginal.sd == pytest.approx(known.std(), rel=1e-6)
    for p in (0.01, 0.025, 0.3, 0.5, 0.975, 0.99):
        assert abs(known.cdf(marginal.quantile(p)) - p) < 2e-4


@pytest.mark.parametrize("place", [0.0, 0.01, 0.3, 4.0, 300.0])
@pytest.mark.parametrize("size", [1e-4, 1e-2, 1.0])
def test_a_peak_of_any_place_and_size_is_found(place: float, size: float) -> None:
    """Half-normal(50) times a normal likelihood of tau: a truncated normal."""
    grid = under(HalfNormal(50.0), 0.3, lambda tau: stats.norm.logpdf(tau, place, size))
    precision = size**-2 + 50.0**-2
    mean, sd = place * size**-2 / precision, precision**-0.5
    known = stats.truncnorm(-mean / sd, np.inf, mean, sd)
    total = 2 * stats.norm.pdf(place, 0, math.hypot(50, size)) * stats.norm.sf(-mean / sd)
    assert grid.error <= 1e-7
    assert grid.log_integral == pytest.approx(math.log(total), abs=1e-8)
    assert grid.marginal(0).mean == pytest.approx(known.mean(), rel=1e-8)
    assert grid.marginal(0).quantile(0.5) == pytest.approx(known.median(), abs=2e-4 * known.std())


def test_a_heavy_tail_is_followed() -> None:
    """Half-Cauchy(1) times 1 / (1 + tau^2): total 1/2, mean 2/pi."""
    grid = under(HalfCauchy(1.0), 1.0, lambda tau: -np.log1p(tau**2))
    assert grid.log_integral == pytest.approx(math.log(0.5), abs=1e-9)
    assert grid.marginal(0).mean == pytest.approx(2 / math.pi, rel=1e-7)


def test_moments_that_do_not_exist_are_infinite() -> None:
    grid = under(HalfCauchy(1.0), 1.0)
    assert (grid.error <= 1e-7, grid.weight.size < 1000) == (True, True)  # nor waited for
    assert grid.log_integral == pytest.approx(0.0, abs=1e-9)
    alone = grid.marginal(0)
    assert (alone.mean, alone.sd) == (math.inf, math.inf)
    assert alone.quantile(0.5) == pytest.approx(1.0, abs=1e-3)
    once = under(HalfCauchy(1.0), 1.0, lambda tau: -np.log1p(tau) / 2).marginal(0)
    assert np.isfinite(once.mean)
    assert once.sd == math.inf


def test_a_known_scale_is_one_node() -> None:
    grid = under(Fixed(0.36), 1.0)
    assert grid.nodes.tolist() == [[0.36]]
    assert grid.weight.tolist() == [1.0]
    assert grid.marginal(0).quantile(0.1) == 0.36


def test_no_scale_is_one_node() -> None:
    grid = integrate(lambda points: np.full(len(points), -2.5), [])
    assert grid.log_integral == -2.5
    assert grid.nodes.shape == (1, 0)


def test_two_scales_that_depend_on_each_other() -> None:
    """Two half-normals and a likelihood of their sum, against SciPy's product rule."""
    priors = [HalfNormal(1.0), HalfNormal(2.0)]

    def density(points: Array) -> Array:
        prior = sum(p.log_density(points[:, k]) for k, p in enumerate(priors))
        return np.asarray(prior + stats.norm.logpdf(points.sum(axis=1), 1.5, 0.2))

    grid = integrate(density, [chart_of(prior, 0.5) for prior in priors])
    x, w = np.polynomial.legendre.leggauss(200)
    nodes, weights = 5 * (x + 1), 5 * w
    mesh = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), axis=-1).reshape(-1, 2)
    mass = np.outer(weights, weights).ravel() * np.exp(density(mesh))
    assert grid.log_integral == pytest.approx(math.log(mass.sum()), abs=1e-8)
    for k in range(2):
        assert grid.marginal(k).mean == pytest.approx(mass @ mesh[:, k] / mass.sum(), rel=1e-7)


def test_sampled_positions_follow_the_distribution() -> None:
    grid = under(HalfNormal(1.0), 0.5, lambda tau: stats.norm.logpdf(tau, 0.4, 0.3))
    uniforms = (np.arange(4000)[:, None] + 0.5) / 4000
    values = grid.values_at(grid.sample(uniforms)[0])[:, 0]
    marginal = grid.marginal(0)
    assert values.mean() == pytest.approx(marginal.mean, abs=1e-3 * marginal.sd)
    assert values.std() == pytest.approx(marginal.sd, rel=2e-3)
    assert (np.diff(values) > 0).all()


@pytest.mark.parametrize("length", [1, 2, 3, 4, 9])
def test_local_interpolation_is_exact_for_cubics(length: int) -> None:
    degree = min(3, length - 1)
    coefficients = np.array([0.3, -1.0, 0.7, 0.2])[: degree + 1]
    position = np.linspace(0, length - 1, 41)
    nodes, weights = local_weights(position, length)
    values = np.polynomial.polynomial.polyval(np.arange(length), coefficients)
    found = (values[nodes] * weights).sum(axis=1)
    np.testing.assert_allclose(
        found, np.polynomial.polynomial.polyval(position, coefficients), atol=1e-11
    )
