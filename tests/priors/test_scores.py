"""Priors that a standard normal quantity can carry."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from nma.priors import Fixed, HalfCauchy, HalfNormal, LogNormal, Normal, QuantilePrior, Uniform

KNOWN: list[tuple[QuantilePrior, Any]] = [
    (Normal(1.0, 2.0), stats.norm(1, 2)),
    (HalfNormal(0.7), stats.halfnorm(scale=0.7)),
    (HalfCauchy(1.5), stats.halfcauchy(scale=1.5)),
    (Uniform(0.5, 5.0), stats.uniform(0.5, 4.5)),
    (LogNormal(-1.0, 0.8), stats.lognorm(0.8, scale=math.exp(-1))),
]


@pytest.mark.parametrize(("prior", "known"), KNOWN, ids=[repr(prior) for prior, _ in KNOWN])
def test_the_value_at_a_score_is_the_quantile(prior: QuantilePrior, known: Any) -> None:
    z = np.array([-5.0, -2.0, -0.1, 0.0, 1.3, 4.0])
    np.testing.assert_allclose(prior.at_score(z), known.ppf(stats.norm.cdf(z)), rtol=1e-8)
    high = np.array([4.0, 8.0, 20.0])
    np.testing.assert_allclose(prior.at_score(high), known.isf(stats.norm.sf(high)), rtol=1e-8)
    far = prior.at_score(np.array([-30.0, 30.0]))
    assert np.isfinite(far).all()
    assert (far >= prior.support[0]).all()


@pytest.mark.parametrize(("prior", "known"), KNOWN, ids=[repr(prior) for prior, _ in KNOWN])
def test_both_libraries_agree(prior: QuantilePrior, known: Any) -> None:
    import pytensor.tensor as pt

    z = pt.dvector("z")
    at = np.array([-5.0, -2.0, -0.1, 0.0, 1.3, 4.0, 8.0])
    np.testing.assert_allclose(prior.at_score(z, pt).eval({z: at}), prior.at_score(at), rtol=1e-9)


def test_a_known_number_is_itself_at_every_score() -> None:
    assert Fixed(0.3).at_score(np.array([-2.0, 5.0])).tolist() == [0.3, 0.3]
