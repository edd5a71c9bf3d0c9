"""The trapezoid rule for peaks of two different widths.

A node t on the line becomes a step s(t) from the peak, so that the ends lie as many left widths
below it as right widths above. The map is analytic, so that the rule keeps its exponential
convergence (Trefethen and Weideman 2014, doi:10.1137/130932132).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FALL", "REACH", "Rule", "widths"]

REACH = 6.0
"""Nodes lie between minus and plus this."""

FALL = REACH**2 / 2
"""Fall of a normal log density at ``REACH`` standard deviations."""

LAYER = 3.0
"""Where the slope changes: on the wider side, so that the peak is seen as closely as it asks."""

SPAN = float(np.logaddexp(0.0, REACH - LAYER) - np.logaddexp(0.0, -LAYER))

SEARCHES = 8
"""Looks for the distance at which a peak has fallen far enough; each halves a factor of nine."""


@final
@dataclass(frozen=True)
class Rule:
    """Equally spaced nodes; a normal density is integrated to 5e-9 by 13 of them.

    Parameters
    ----------
    nodes : int
        How many, odd.
    """

    nodes: int

    @cached_property
    def t(self) -> NDArray[np.float64]:
        """The nodes, (node,)."""
        return np.linspace(-REACH, REACH, self.nodes)

    @cached_property
    def log_step(self) -> float:
        """Logarithm of the distance between nodes."""
        return float(np.log(2 * REACH / (self.nodes - 1)))

    @property
    def doubled(self) -> Rule:
        """The rule with a node more between any two."""
        return Rule(2 * self.nodes - 1)

    def step(
        self, t: NDArray[np.float64], left: NDArray[np.float64], right: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the steps from the peak at any ``t``; at the ends at least REACH widths."""
        narrow, side, more = _layered(left, right)
        passed = np.logaddexp(0.0, -LAYER) - np.logaddexp(0.0, side * t - LAYER)
        return np.asarray(narrow * t - side * more * passed)

    def steps(self, left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the steps from the peak at the nodes, (node, ...)."""
        return self.step(self._against(left), left, right)

    def log_weights(
        self, left: NDArray[np.float64], right: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the logarithms of the nodes' weights, (node, ...)."""
        narrow, side, more = _layered(left, right)
        slope = narrow + more / (1 + np.exp(LAYER - side * self._against(left)))
        return np.asarray(np.log(slope) + self.log_step)

    def _against(self, width: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.t.reshape((-1,) + (1,) * width.ndim)


def _layered(left: NDArray[np.float64], right: NDArray[np.float64]) -> tuple[Any, Any, Any]:
    """Return the lesser width, the side of the greater, and the slope to add on that side."""
    narrow = np.minimum(left, right)
    more = REACH * np.abs(right - left) / SPAN
    return narrow, np.where(right >= left, 1.0, -1.0), more


def widths(
    fall: Callable[[NDArray[np.float64]], NDArray[np.float64]], start: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the standard deviation of the normal density that falls by ``FALL`` as far away.

    Parameters
    ----------
    fall : callable
        How far the log density lies below its peak at a distance, (...) to (...).
    start : array, (...)
        Standard deviations to begin with.
    """
    distance = REACH * start
    lower, upper = np.zeros_like(distance), np.full_like(distance, np.inf)
    for _ in range(SEARCHES):
        with np.errstate(over="ignore", invalid="ignore"):
            far = ~(fall(distance) < FALL)
        lower, upper = np.where(far, lower, distance), np.where(far, distance, upper)
        with np.errstate(invalid="ignore"):
            between = np.sqrt(lower * upper)
        further = np.where(lower > 0, 3 * distance, distance / 3)
        bracketed = (lower > 0) & np.isfinite(upper)
        distance = np.where(bracketed, between, further)
    return np.asarray(np.where(np.isfinite(upper), upper, distance) / REACH)
