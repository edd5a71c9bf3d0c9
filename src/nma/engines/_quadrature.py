"""Product trapezoid quadrature over scales, refined until it settles.

On the line of a chart the trapezoid rule converges exponentially (Trefethen and Weideman 2014,
doi:10.1137/130932132), its nodes are nested, and they serve interpolation afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from nma.engines._charts import Chart
from nma.interpolation import cumulative, inverted, local_weights
from nma.mixtures import Marginal

if TYPE_CHECKING:
    from numpy.typing import NDArray


__all__ = ["Grid", "integrate"]

DROP = 30.0
"""Log density below the maximum at which a node no longer matters (e^-30 = 1e-13)."""

START = 21
"""Nodes on an axis to begin with; every refinement doubles the intervals.

Over the width that matters of a normal density they stand one sd apart, where the trapezoid rule
errs by 6e-9, so that the first doubling confirms it.
"""

MOST = 20_000
"""Nodes in all at which refinement stops."""

FILLED = 0.75
"""Share of a window that must matter before its nodes are the ones to refine."""

WIDEN = 4.0
"""Distance on a chart's line by which a window grows where the integrand matters at its end."""

NOWHERE = -1e9
"""Log density where there is none, finite so that it can be interpolated."""

DIES_OFF = 8.0
"""Fall of a moment's log integrand, at the upper end, without which the moment is infinite."""


@final
@dataclass(frozen=True, eq=False)
class Grid:
    """The nodes that settled.

    Parameters
    ----------
    charts : tuple of Chart
        One for each scale.
    axes : tuple of array
        Equally spaced positions on each chart's line.
    log_density : array, one axis for each scale
        Log integrand at every node, with respect to the positions.
    log_integral : float
        Logarithm of the integral.
    error : float
        Change of the log integral and (relative) of the means of the scales, where they exist, in
        the last doubling.
    """

    charts: tuple[Chart, ...]
    axes: tuple[NDArray[np.float64], ...]
    log_density: NDArray[np.float64]
    log_integral: float
    error: float

    @property
    def nodes(self) -> NDArray[np.float64]:
        """Values of the scales, (node, scale)."""
        return _values(self.charts, _mesh(self.axes))

    @property
    def weight(self) -> NDArray[np.float64]:
        """Probability of each node, (node,)."""
        return _weights(self.axes, self.log_density)[0].ravel()

    def marginal(self, scale: int) -> Marginal:
        """Return the distribution of one scale."""
        value = self.charts[scale].value(self.axes[scale])
        others = tuple(axis for axis in range(len(self.axes)) if axis != scale)
        weight = self.weight.reshape(self.log_density.shape).sum(axis=others)
        along = _marginal_log(self.log_density, scale)
        mean = float(weight @ value) if _dies_off(along, value, 1) else math.inf
        sd = math.sqrt(weight @ (value - mean) ** 2) if _dies_off(along, value, 2) else math.inf
        position, below = cumulative(along[None])
        fine = np.interp(position, np.arange(len(value)), self.axes[scale])
        return Marginal(self.charts[scale].value(fine), below[0], mean, sd)

    def sample(
        self, uniforms: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return fractional node positions, (draw, scale), one scale after another by its CDF.

        With them comes the log density, (draw,), of the values of the scales there.
        """
        density = self.log_density[None]
        positions, log_density = np.empty_like(uniforms), np.zeros(len(uniforms))
        for scale, (axis, chart) in enumerate(zip(self.axes, self.charts, strict=True)):
            here = _sum_out(density, first=2)
            positions[:, scale], relative = inverted(here, uniforms[:, scale])
            if len(axis) > 1:
                x = np.interp(positions[:, scale], np.arange(len(axis)), axis)
                log_density += np.log(relative / (axis[1] - axis[0])) - chart.log_slope(x)
            if scale + 1 < len(self.axes):
                density = _interpolate(density, positions[:, scale])
        return positions, log_density

    def values_at(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the scales at fractional node positions."""
        points = np.empty_like(positions)
        for scale, axis in enumerate(self.axes):
            points[:, scale] = np.interp(positions[:, scale], np.arange(len(axis)), axis)
        return _values(self.charts, points)


def integrate(
    log_density: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    charts: Sequence[Chart],
    *,
    tolerance: float = 1e-7,
) -> Grid:
    """Integrate over all scales, adding nodes until nothing moves by more than ``tolerance``.

    Parameters
    ----------
    log_density : callable
        Log integrand at values of the scales, (node, scale) to (node,).
    charts : sequence of Chart
        One for each scale.
    tolerance : float
        Bound on the last change of the log integral and, relatively, of each scale's mean where
        it has one.
    """

    def evaluate(points: NDArray[np.float64]) -> NDArray[np.float64]:
        slopes = sum(chart.log_slope(points[:, k]) for k, chart in enumerate(charts))
        with np.errstate(under="ignore"):
            return np.maximum(log_density(_values(charts, points)) + slopes, NOWHERE)

    axes, values = _zoom(evaluate, tuple(charts))
    coarse = _integrals(charts, _every_second(axes), _thinned(values))
    while True:
        fine = _integrals(charts, axes, values)
        error = _change(coarse, fine)
        if error <= tolerance or values.size * 2 ** len(axes) > MOST:
            return Grid(tuple(charts), axes, values, float(fine[0]), error)
        axes, values = _doubled(evaluate, axes, values)
        coarse = fine


def _zoom(
    evaluate: Callable[[NDArray[np.float64]], NDArray[np.float64]], charts: tuple[Chart, ...]
) -> tuple[tuple[NDArray[np.float64], ...], NDArray[np.float64]]:
    windows = [chart.start for chart in charts]
    while True:
        axes = tuple(_axis(*window) for window in windows)
        values = evaluate(_mesh(axes)).reshape([len(axis) for axis in axes])
        kept = [_mattering(axis, values, k, charts[k]) for k, axis in enumerate(axes)]
        if all(_filled(new, old) for new, old in zip(kept, windows, strict=True)):
            return axes, values
        windows = kept


def _axis(lower: float, upper: float) -> NDArray[np.float64]:
    return np.linspace(lower, upper, START) if upper > lower else np.array([lower])


def _filled(new: tuple[float, float], old: tuple[float, float]) -> bool:
    """Return whether looking again would show nothing more: neither wider nor much closer."""
    inside = old[0] <= new[0] and new[1] <= old[1]
    return inside and new[1] - new[0] >= FILLED * (old[1] - old[0])


def _mattering(
    axis: NDArray[np.float64],
    values: NDArray[np.float64],
    k: int,
    chart: Chart,
) -> tuple[float, float]:
    """Return the window where the integrand or its second moment matters.

    It is widened where they still do at an end.
    """
    others = tuple(other for other in range(values.ndim) if other != k)
    along = values.max(axis=others)
    matters = along > along.max() - DROP
    moment = along + 2 * _log(chart.value(axis))
    matter = np.flatnonzero(matters | (moment > moment.max() - DROP))
    first, last = matter[0] - 1, matter[-1] + 1
    lower = axis[first] if first >= 0 else axis[0] - WIDEN
    upper = axis[last] if last < len(axis) else axis[-1] + WIDEN
    return max(lower, chart.limits[0]), min(upper, chart.limits[1])


def _log(value: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log(np.maximum(value, np.finfo(float).tiny))


def _doubled(
    evaluate: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    axes: tuple[NDArray[np.float64], ...],
    values: NDArray[np.float64],
) -> tuple[tuple[NDArray[np.float64], ...], NDArray[np.float64]]:
    finer = tuple(np.linspace(axis[0], axis[-1], 2 * len(axis) - 1) for axis in axes)
    result = np.full([len(axis) for axis in finer], np.nan)
    result[(slice(None, None, 2),) * len(axes)] = values
    new = np.isnan(result).ravel()
    result.ravel()[new] = evaluate(_mesh(finer)[new])
    return finer, result


def _every_second(axes: tuple[NDArray[np.float64], ...]) -> tuple[NDArray[np.float64], ...]:
    return tuple(axis[::2] for axis in axes)


def _thinned(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[(slice(None, None, 2),) * values.ndim]


def _mesh(axes: tuple[NDArray[np.float64], ...]) -> NDArray[np.float64]:
    if not axes:
        return np.empty((1, 0))
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=-1)


def _values(charts: Sequence[Chart], points: NDArray[np.float64]) -> NDArray[np.float64]:
    columns = [chart.value(points[:, k]) for k, chart in enumerate(charts)]
    return np.stack(columns, axis=-1) if columns else points


def _weights(
    axes: tuple[NDArray[np.float64], ...], log_density: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Return normalised weights and the log integral; at the ends nothing is left to halve."""
    top = log_density.max()
    weight = np.exp(log_density - top)
    total = weight.sum()
    steps = math.prod(axis[1] - axis[0] for axis in axes if len(axis) > 1)
    return weight / total, float(top + np.log(total * steps))


def _integrals(
    charts: Sequence[Chart],
    axes: tuple[NDArray[np.float64], ...],
    log_density: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the log integral, then the mean of each scale, or zero where it has none."""
    weight, log_integral = _weights(axes, log_density)
    means = weight.ravel() @ _values(charts, _mesh(axes))
    for k, (chart, axis) in enumerate(zip(charts, axes, strict=True)):
        means[k] *= _dies_off(_marginal_log(log_density, k), chart.value(axis), 1)
    return np.append(log_integral, means)


def _dies_off(along: NDArray[np.float64], value: NDArray[np.float64], power: int) -> bool:
    """Return whether the integrand of a moment of a scale dies off towards the upper end."""
    moment = along + power * _log(value)
    return len(moment) == 1 or bool(moment[-1] < moment.max() - DIES_OFF)


def _change(coarse: NDArray[np.float64], fine: NDArray[np.float64]) -> float:
    size = np.r_[1.0, np.maximum(np.abs(fine[1:]), np.finfo(float).tiny)]
    return float(np.max(np.abs(fine - coarse) / size))


def _sum_out(density: NDArray[np.float64], *, first: int) -> NDArray[np.float64]:
    """Return the log density summed over all axes from ``first`` on."""
    rest = tuple(range(first, density.ndim))
    top = density.max(axis=rest, keepdims=True)
    total = np.exp(density - top).sum(axis=rest, keepdims=True)
    return np.reshape(top + np.log(total), density.shape[:first])


def _marginal_log(log_density: NDArray[np.float64], scale: int) -> NDArray[np.float64]:
    return _sum_out(np.moveaxis(log_density, scale, 0), first=1)


def _interpolate(
    density: NDArray[np.float64], position: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the log density along the remaining axes at each draw's position on the first."""
    nodes, weights = local_weights(position, density.shape[1])
    rows = np.arange(len(position))[:, None] if len(density) > 1 else 0
    finite = np.maximum(density, density.max() - 700.0)
    return np.asarray(np.einsum("dk...,dk->d...", finite[rows, nodes], weights))
