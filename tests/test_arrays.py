"""The normal distribution function in both libraries, where only one tail is known exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special, stats

from nma.arrays import log1p_exp, log_ndtr, ndtr, ndtri

X = np.array([-1e6, -200.0, -37.0, -8.0, -1.0, -0.3, 0.0, 0.9, 5.0, 8.0, 37.0, 1e6])


@pytest.mark.parametrize(
    ("function", "at", "known"),
    [
        (ndtr, X, special.ndtr(X)),
        (log_ndtr, X, special.log_ndtr(X)),
        (ndtri, special.ndtr(X[2:7]), X[2:7]),
    ],
    ids=["ndtr", "log_ndtr", "ndtri"],
)
def test_both_libraries_know_the_normal_distribution(function: Any, at: Any, known: Any) -> None:
    import pytensor.tensor as pt

    x = pt.dvector("x")
    np.testing.assert_allclose(function(at), known, rtol=1e-13, atol=1e-300)
    np.testing.assert_allclose(function(x, pt).eval({x: at}), known, rtol=1e-13, atol=1e-300)


def test_the_slope_of_the_log_is_finite_everywhere() -> None:
    """It is the inverse Mills ratio: near -x far below, nothing far above."""
    import pytensor
    import pytensor.tensor as pt

    x = pt.dvector("x")
    found = pytensor.grad(log_ndtr(x, pt).sum(), x).eval({x: X})
    inside = slice(2, -1)
    known = np.exp(stats.norm.logpdf(X) - special.log_ndtr(X))
    np.testing.assert_allclose(found[inside], known[inside], rtol=1e-10, atol=1e-300)
    np.testing.assert_allclose(found[[0, 1]], -X[[0, 1]], rtol=1e-4)
    assert found[-1] == 0


def test_log1p_exp_is_that_of_logaddexp() -> None:
    x = np.concatenate([X, np.linspace(-40, 40, 101)])
    np.testing.assert_allclose(log1p_exp(x), np.logaddexp(0, x), rtol=1e-15, atol=0)
