"""Charts: the support of a scale unfolded onto a line.

A chart is an analytic map of the real line onto the support of a prior. Under it the integrand
dies off at both ends, whatever it does at the limits of the support.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol, final

import numpy as np

from nma.priors import Prior

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Chart", "chart_of"]


class Chart(Protocol):
    """A map of the line onto the support of a scale."""

    @property
    def start(self) -> tuple[float, float]:
        """The part of the line to look at first."""

    @property
    def limits(self) -> tuple[float, float]:
        """The part of the line outside which nothing can matter."""

    def value(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the scale at ``x``."""

    def log_slope(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the logarithm of the derivative of ``value``."""


@final
@dataclass(frozen=True)
class _Point:
    at: float
    start: ClassVar[tuple[float, float]] = (0.0, 0.0)
    limits: ClassVar[tuple[float, float]] = (0.0, 0.0)

    def value(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.full_like(x, self.at)

    def log_slope(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.zeros_like(x)


@final
@dataclass(frozen=True)
class _Open:
    """A lower limit and above: value = lower + width exp(x - exp(-x))."""

    lower: float
    width: float
    start: ClassVar[tuple[float, float]] = (-3.0, 4.0)
    limits: ClassVar[tuple[float, float]] = (-5.0, 40.0)

    def value(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.lower + self.width * np.exp(x - np.exp(-x))

    def log_slope(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return math.log(self.width) + x - np.exp(-x) + np.log1p(np.exp(-x))


@final
@dataclass(frozen=True)
class _Between:
    """Between two limits: value = middle + half tanh(sinh(x))."""

    lower: float
    upper: float
    start: ClassVar[tuple[float, float]] = (-math.asinh(18.0), math.asinh(18.0))
    limits: ClassVar[tuple[float, float]] = start

    def value(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        half = (self.upper - self.lower) / 2
        return self.lower + half * (1 + np.tanh(np.sinh(x)))

    def log_slope(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        half = (self.upper - self.lower) / 2
        slope = np.log(np.cosh(x)) - 2 * np.log(np.cosh(np.sinh(x)))
        return np.asarray(math.log(half) + slope)


def chart_of(prior: Prior, width: float) -> Chart:
    """Return the chart that suits a prior.

    Parameters
    ----------
    prior : Prior
        Prior of the scale.
    width : float
        Size of the scale at which the likelihood begins to notice it.
    """
    lower, upper = prior.support
    if lower == upper:
        return _Point(lower)
    return _Between(lower, upper) if math.isfinite(upper) else _Open(lower, width)
