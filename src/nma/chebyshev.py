"""Functions of a trial's levels and of tau, tabulated where many values are asked for.

What a trial says depends on the differences between its arms and on one scale. Over the values
that are asked for it is smooth, so that a few Chebyshev polynomials give it (Trefethen 2013,
Approximation Theory and Approximation Practice), at a cost that no longer grows with the values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from nma.least_squares import BUDGET

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["tabulated"]

SIZES = (7, 11, 17)
"""Polynomials along each coordinate, tried in turn."""

LOOKS = 24
"""Values at which a table is compared with the function itself."""

GAIN = 2
"""How many times fewer evaluations a table must take, for it to be made."""

Function = Callable[["NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.int64]"], Any]


def tabulated(
    function: Function,
    c: NDArray[np.float64],
    weight: NDArray[np.float64],
    tau: NDArray[np.float64] | None,
    *,
    width: NDArray[np.float64],
    tolerance: float,
) -> NDArray[np.float64]:
    """Return a function at many values, (value, trial, ...).

    Parameters
    ----------
    function : callable
        ``function(c, sd, trials)``: the function, (value, trial, ...), of levels and effect sds,
        (value, trial, arm), for the trials at these positions.
    c : array, (value, trial, arm)
        Levels of the arms about the mean of their trial.
    weight : array, (trial, arm)
        Effect sds at tau = 1.
    tau : array, (value,), optional
        The scale; none where effects do not depend on any.
    width : array, (trial,)
        Size of tau at which each trial begins to notice it.
    tolerance : float
        Bound on the error at the values that are looked at; trials that no table brings below it
        are evaluated directly.
    """
    coordinates = _coordinates(c, tau, width)
    values, trials, dims = coordinates.shape
    found: Any = None
    left = np.arange(trials)
    looks = np.unique(np.linspace(0, values - 1, LOOKS).astype(int))
    for size in [*(size for size in SIZES if GAIN * size**dims <= values), None]:
        if not left.size:
            break
        if size is None:
            sd = weight[left] * (0.0 if tau is None else tau[:, None, None])
            told, good = function(c[:, left], np.broadcast_to(sd, c[:, left].shape), left), None
        else:
            told, good = _table(function, coordinates, weight, width, left, size, looks, tolerance)
        if found is None:
            found = np.empty((values, trials, *told.shape[2:]))
        if good is None:
            found[:, left] = told
            break
        found[:, left[good]] = told[:, good]
        left = left[~good]
    return np.asarray(found)


def _coordinates(
    c: NDArray[np.float64], tau: NDArray[np.float64] | None, width: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return differences from the first arm, and tau unfolded, (value, trial, coordinate)."""
    differences = c[:, :, 1:] - c[:, :, :1]
    if tau is None:
        return differences
    return np.concatenate([differences, np.arcsinh(tau[:, None, None] / width[:, None])], axis=2)


def _table(
    function: Function,
    coordinates: NDArray[np.float64],
    weight: NDArray[np.float64],
    width: NDArray[np.float64],
    trials: NDArray[np.int64],
    size: int,
    looks: NDArray[np.int64],
    tolerance: float,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the interpolated function, and for which trials it is good enough."""
    here, weight, width = coordinates[:, trials], weight[trials], width[trials]
    lower, upper = here.min(axis=0), here.max(axis=0)
    middle, half = (lower + upper) / 2, np.maximum((upper - lower) / 2, 1e-9)
    arms, dims = weight.shape[1], here.shape[2]
    angle = np.pi * (np.arange(size) + 0.5) / size
    mesh = np.stack(np.meshgrid(*[np.cos(angle)] * dims, indexing="ij"), axis=-1)
    nodes = middle + half * mesh.reshape(-1, 1, dims)

    def at(points: NDArray[np.float64]) -> Any:
        c = np.concatenate([np.zeros((*points.shape[:2], 1)), points[:, :, : arms - 1]], axis=2)
        tau = width * np.sinh(points[:, :, -1]) if dims == arms else np.zeros(points.shape[:2])
        return function(c - c.mean(axis=2, keepdims=True), tau[..., None] * weight, trials)

    told = at(nodes)
    rest = told.shape[2:]
    turn = np.cos(np.outer(np.arange(size), angle)) * 2 / size
    turn[0] /= 2
    coefficients = told.reshape((size,) * dims + (len(trials), -1))
    for axis in range(dims):
        coefficients = np.moveaxis(np.tensordot(turn, coefficients, axes=(1, axis)), 0, axis)
    coefficients = np.moveaxis(coefficients, dims, 0).reshape(len(trials), size**dims, -1)
    made = np.empty((len(here), *told.shape[1:]))
    for batch in _batches(len(trials), len(here) * size ** max(dims - 1, 1)):
        scaled = (here[:, batch] - middle[batch]) / half[batch]
        made[:, batch] = _evaluated(coefficients[batch], scaled, size).reshape(len(here), -1, *rest)
    error = np.abs(made[looks] - at(here[looks]))
    return made, error.reshape(len(looks), len(trials), -1).max(axis=(0, 2)) <= tolerance


def _evaluated(
    coefficients: NDArray[np.float64], scaled: NDArray[np.float64], size: int
) -> NDArray[np.float64]:
    """Return the polynomials at points of [-1, 1]^d, (value, trial, ...)."""
    from numpy.polynomial.chebyshev import chebvander

    values, trials, dims = scaled.shape
    basis = chebvander(np.moveaxis(scaled, 1, 0), size - 1)
    first = coefficients.reshape(trials, size, -1)
    total = np.matmul(basis[:, :, 0], first)
    for axis in range(1, dims):
        total = total.reshape(trials, values, size, -1)
        total = np.einsum("tva,tvar->tvr", basis[:, :, axis], total)
    return np.moveaxis(total, 0, 1)


def _batches(count: int, each: int) -> Iterator[slice]:
    step = max(1, BUDGET // each)
    for start in range(0, count, step):
        yield slice(start, start + step)
