"""The trapezoid rule for peaks of two widths, against integrals that are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from nma.two_sided import FALL, REACH, Rule, widths

if TYPE_CHECKING:
    from numpy.typing import NDArray

PEAKS = {  # density, its mode, and how many nodes bring it to 1e-6
    "normal": (stats.norm(), 0.0, 13),
    "logistic": (stats.logistic(), 0.0, 49),
    "gumbel": (stats.gumbel_r(), 0.0, 49),
    "gumbel to the left": (stats.gumbel_l(), 0.0, 49),
    "log of gamma": (stats.loggamma(0.3), float(np.log(0.3)), 49),
}


@pytest.mark.parametrize("name", PEAKS)
def test_the_rule_integrates_peaks_of_two_widths(name: str) -> None:
    density, mode, nodes = PEAKS[name]
    top = density.logpdf(mode)
    start = np.ones(1)

    def fall(sign: float) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
        return lambda x: np.asarray(top - density.logpdf(mode + sign * x))

    left, right = (widths(fall(sign), start) for sign in (-1.0, 1.0))
    rule = Rule(nodes)
    x = mode + rule.steps(left, right)
    total = np.exp(density.logpdf(x) + rule.log_weights(left, right)).sum()
    assert total == pytest.approx(1.0, abs=1e-6)
    coarse = Rule(5)
    x = mode + coarse.steps(left, right)
    rough = np.exp(density.logpdf(x) + coarse.log_weights(left, right)).sum()
    assert abs(rough - 1) > 1e-3


@pytest.mark.parametrize("start", [1e-3, 1.0, 1e3])
def test_widths_are_those_of_a_normal_density(start: float) -> None:
    sd = np.array([0.02, 1.0, 30.0])
    found = widths(lambda x: 0.5 * (x / sd) ** 2, np.full(3, start))
    if start == 1.0:
        np.testing.assert_allclose(found, sd, rtol=0.15)
    assert (found >= np.minimum(sd, start * 3**-8 * 0.9)).all()


def test_ends_are_at_least_as_many_widths_away() -> None:
    left, right = np.array([2.0, 0.1, 1.0]), np.array([0.5, 7.0, 1.0])
    steps = Rule(13).steps(left, right)
    np.testing.assert_allclose(steps[0, [0, 2]], -REACH * left[[0, 2]])  # the wider, exactly
    np.testing.assert_allclose(steps[-1, 1:], REACH * right[1:])
    assert steps[0, 1] < -REACH * left[1]
    assert steps[-1, 0] > REACH * right[0]
    np.testing.assert_allclose(steps[6], 0.0, atol=1e-12)
    assert (np.diff(steps, axis=0) > 0).all()
    assert pytest.approx(18.0) == FALL


def test_doubling_keeps_the_nodes() -> None:
    np.testing.assert_allclose(Rule(13).doubled.t[::2], Rule(13).t)
