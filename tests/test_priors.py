from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats

from nma.errors import ModelError
from nma.priors import Fixed, HalfCauchy, HalfNormal, LogNormal, Normal, Prior, Uniform

KNOWN = [
    (Normal(1.0, 2.0), stats.norm(1, 2)),
    (HalfNormal(0.7), stats.halfnorm(scale=0.7)),
    (HalfCauchy(1.5), stats.halfcauchy(scale=1.5)),
    (Uniform(0.5, 5.0), stats.uniform(0.5, 4.5)),
    (LogNormal(-1.0, 0.8), stats.lognorm(0.8, scale=math.exp(-1))),
]


@pytest.mark.parametrize(("prior", "known"), KNOWN, ids=repr)
def test_density_is_scipys(prior: Prior, known: stats.rv_continuous) -> None:
    x = np.array([-1.0, 0.0, 0.3, 0.6, 2.0, 4.9, 7.0])
    np.testing.assert_allclose(prior.log_density(x), known.logpdf(x), rtol=1e-12)


@pytest.mark.parametrize(("prior", "known"), KNOWN, ids=repr)
def test_density_integrates_to_one_on_its_support(prior: Prior, known: stats.rv_continuous) -> None:
    total, _ = integrate.quad(
        lambda x: float(np.exp(prior.log_density(np.array(x)))), *prior.support
    )
    assert total == pytest.approx(1.0, abs=1e-8)
    assert prior.support == tuple(known.support())


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
        lambda: Fixed(math.inf),
    ],
)
def test_what_is_not_a_distribution_is_refused(wrong: object) -> None:
    with pytest.raises(ModelError, match="is not a distribution"):
        wrong()  # type: ignore[operator]


def test_fixed_is_one_point() -> None:
    assert Fixed(0.3).support == (0.3, 0.3)
    assert Fixed(0.3).log_density(np.array([0.3, 0.4])).tolist() == [0.0, -math.inf]


def test_where_a_prior_came_from_is_no_part_of_what_it_is() -> None:
    assert Normal(0, 1, origin="default") == Normal(0, 1)
    assert repr(Normal(0, 1, origin="default")) == "Normal(mean=0, sd=1)"
