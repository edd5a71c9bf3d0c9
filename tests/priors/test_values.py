from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

import nma
import oracle
from nma.errors import ModelError
from nma.model import problem
from nma.priors import (
    Beta,
    Fixed,
    HalfCauchy,
    HalfNormal,
    Invertible,
    LogNormal,
    LogT,
    Normal,
    Prior,
    Uniform,
)

KNOWN = [
    (Normal(1.0, 2.0), stats.norm(1, 2)),
    (HalfNormal(0.7), stats.halfnorm(scale=0.7)),
    (HalfCauchy(1.5), stats.halfcauchy(scale=1.5)),
    (Uniform(0.5, 5.0), stats.uniform(0.5, 4.5)),
    (Beta(31.0, 2.5), stats.beta(31, 2.5)),
    (LogNormal(-1.0, 0.8), stats.lognorm(0.8, scale=math.exp(-1))),
]


@pytest.mark.parametrize(("prior", "known"), KNOWN, ids=[repr(prior) for prior, _ in KNOWN])
def test_density_is_scipys(prior: Prior, known: stats.rv_continuous) -> None:
    x = np.array([-1.0, 0.0, 0.3, 0.6, 2.0, 4.9, 7.0])
    np.testing.assert_allclose(prior.log_density(x), known.logpdf(x), rtol=1e-12)


@pytest.mark.parametrize(("prior", "known"), KNOWN, ids=[repr(prior) for prior, _ in KNOWN])
def test_density_integrates_to_one_on_its_support(prior: Prior, known: stats.rv_continuous) -> None:
    total, _ = integrate.quad(
        lambda x: float(np.exp(prior.log_density(np.array(x)))), *prior.support
    )
    assert total == pytest.approx(1.0, abs=1e-8)
    assert prior.support == tuple(known.support())


@pytest.mark.parametrize(("prior", "known"), KNOWN, ids=[repr(prior) for prior, _ in KNOWN])
def test_quantiles_are_scipys(prior: Invertible, known: stats.rv_continuous) -> None:
    for p in (0.001, 0.025, 0.5, 0.8, 0.975):
        assert prior.quantile(p) == pytest.approx(known.ppf(p), rel=1e-12)


def test_a_log_t_is_a_t_of_the_logarithm() -> None:
    prior, x = LogT(-1.7, 1.3, 5), np.array([1e-12, 0.01, 0.2, 1.0, 50.0])
    t = stats.t(5, -1.7, 1.3)
    np.testing.assert_allclose(prior.log_density(x), t.logpdf(np.log(x)) - np.log(x), rtol=1e-12)
    assert prior.log_density(np.array([0.0, -1.0])).tolist() == [-math.inf, -math.inf]
    total, _ = integrate.quad(
        lambda u: float(np.exp(prior.log_density(np.array(math.exp(u))) + u)), -300, 300, limit=500
    )
    assert total == pytest.approx(1.0, abs=1e-7)
    for p in (0.001, 0.025, 0.5, 0.975):
        assert prior.quantile(p) == pytest.approx(math.exp(t.ppf(p)), rel=1e-10)


SQUARES = [
    (LogNormal.of_square(-3.93, 1.51), lambda y: stats.lognorm(1.51, scale=math.exp(-3.93)).pdf(y)),
    (LogT.of_square(-3.44, 2.59), lambda y: stats.t(5, -3.44, 2.59).pdf(np.log(y)) / y),
    (LogT.of_square(-3.44, 2.59, 3), lambda y: stats.t(3, -3.44, 2.59).pdf(np.log(y)) / y),
]


@pytest.mark.parametrize(("prior", "of_square"), SQUARES, ids=[repr(prior) for prior, _ in SQUARES])
def test_the_density_of_a_root_has_its_jacobian(prior: Prior, of_square: Any) -> None:
    x = np.array([1e-3, 0.05, 0.14, 0.9, 3.0])
    np.testing.assert_allclose(np.exp(prior.log_density(x)), of_square(x**2) * 2 * x, rtol=1e-12)
    assert prior.origin.endswith("on its square")


@pytest.mark.parametrize("scale", [2.59, 0.8])
def test_a_log_t_goes_through_the_exact_engine(scale: float) -> None:
    """The same integral by the plain trapezoid rule along log tau."""
    prior = LogT.of_square(-3.44, scale)
    model = nma.Model(nma.structures.Consistency(Normal(0, 10)), nma.heterogeneity.Random(prior))
    task = problem(model, nma.datasets.network("parkinson"))
    moments = nma.engines.Gaussian(tolerance=1e-9).sample(task).moments
    assert moments is not None
    u = np.arange(-200.0, 12.0, 0.05)
    found = [oracle.given(task, {"tau": math.exp(value)}) for value in u[u > -30]]
    evidence = np.array([log for log, _, _ in found])
    flat = np.full((u <= -30).sum(), evidence[0])  # tau below e^-30 is as good as zero
    weight = np.exp(np.r_[flat, evidence] + prior.log_density(np.exp(u)) + u)
    assert moments.log_evidence == pytest.approx(math.log(weight.sum() * 0.05), abs=1e-7)
    mean = weight[u > -30] @ [mean for _, mean, _ in found]
    mean += weight[u <= -30].sum() * found[0][1]
    np.testing.assert_allclose(moments.weight @ moments.mean, mean / weight.sum(), rtol=1e-6)
    tau = weight @ np.exp(u) / weight.sum()
    assert moments.marginals["tau"].mean == pytest.approx(tau, rel=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Normal(0, 0),
        lambda: Normal(math.nan, 1),
        lambda: HalfNormal(-1),
        lambda: HalfNormal(math.inf),
        lambda: HalfCauchy(0),
        lambda: Uniform(2, 1),
        lambda: LogNormal(0, -0.1),
        lambda: LogNormal.of_square(-3.93, math.inf),
        lambda: LogT(0, 0),
        lambda: LogT(0, 1, 0),
        lambda: LogT.of_square(math.nan, 1),
        lambda: Fixed(math.inf),
    ],
)
def test_what_is_not_a_distribution_is_refused(wrong: object) -> None:
    with pytest.raises(ModelError, match="is not a distribution"):
        wrong()  # type: ignore[operator]


def test_fixed_is_one_point() -> None:
    assert Fixed(0.3).support == (0.3, 0.3)
    assert Fixed(0.3).quantile(0.975) == 0.3
    assert Fixed(0.3).log_density(np.array([0.3, 0.4])).tolist() == [0.0, -math.inf]


def test_where_a_prior_came_from_is_no_part_of_what_it_is() -> None:
    assert Normal(0, 1, origin="default") == Normal(0, 1)
    assert repr(Normal(0, 1, origin="default")) == "Normal(mean=0, sd=1)"
