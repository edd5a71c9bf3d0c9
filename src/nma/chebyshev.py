"""Functions of what a trial depends on, tabulated where many values are asked for.

What a trial says depends on the differences between its arms, on one scale, and on parameters of
the likelihood. Over the values that are asked for it is smooth, so that a few Chebyshev
polynomials give it (Trefethen 2013, Approximation Theory and Approximation Practice), at a cost
that no longer grows with the values: interpolated on a grid of one or two coordinates, by least
squares on some of the values themselves where there are more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, final

import numpy as np

from nma.least_squares import BUDGET

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Coordinates", "tabulated"]

SIZES = (7, 11, 17)
"""Polynomials along each of up to two coordinates, tried in turn."""

DEGREES = (7, 10, 14)
"""Total degrees of polynomials in more coordinates, tried in turn."""

COSTS = (2, 1, 3)
"""What a degree counts for: in a difference of levels, in tau, in a parameter of the likelihood.

Over the posterior tau changes the likelihood most, and the data tell its parameters closely.
"""

REDUNDANT = 2.5
"""Values for each coefficient of a least-squares fit."""

LOOKS = 24
"""Values at which a table is compared with the function itself."""

GAIN = 2
"""How many times fewer evaluations a table must take, for it to be made."""

Function = Callable[..., "NDArray[np.float64]"]


@final
@dataclass(frozen=True, eq=False)
class Coordinates:
    """What trials depend on, at many values.

    Parameters
    ----------
    c : array, (value, trial, arm)
        Levels of the arms about the mean of their trial.
    weight : array, (trial, arm)
        Effect sds at tau = 1.
    tau : array, (value,), optional
        The scale; none where effects do not depend on any.
    auxiliary : array, (value, parameter), optional
        Parameters of the likelihood alone.
    width : array, (trial,)
        Size of tau at which each trial begins to notice it.
    """

    c: NDArray[np.float64]
    weight: NDArray[np.float64]
    tau: NDArray[np.float64] | None
    auxiliary: NDArray[np.float64] | None
    width: NDArray[np.float64]

    @property
    def own(self) -> int:
        """How many parameters the likelihood has of its own."""
        return 0 if self.auxiliary is None else self.auxiliary.shape[1]

    def of(self, trials: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return differences from the first arm, tau unfolded, parameters: (value, trial, ...)."""
        c = self.c[:, trials]
        parts = [c[:, :, 1:] - c[:, :, :1]]
        if self.tau is not None:
            parts.append(np.arcsinh(self.tau[:, None, None] / self.width[trials][:, None]))
        if self.auxiliary is not None:
            shape = (*c.shape[:2], self.own)
            parts.append(np.broadcast_to(self.auxiliary[:, None], shape))
        return np.concatenate(parts, axis=2)

    def at(
        self, function: Function, points: NDArray[np.float64], trials: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the function at points (value, trial, coordinate); parameters shared by trials."""
        arms = self.weight.shape[1]
        first = np.zeros((*points.shape[:2], 1))
        c = np.concatenate([first, points[:, :, : arms - 1]], axis=2)
        c -= c.mean(axis=2, keepdims=True)
        sd = np.zeros(c.shape)
        if self.tau is not None:
            tau = self.width[trials] * np.sinh(points[:, :, arms - 1])
            sd = tau[..., None] * self.weight[trials]
        own = None if self.auxiliary is None else points[:, 0, points.shape[2] - self.own :]
        return function(c, sd, own, trials)

    def directly(self, function: Function, trials: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the function at all values."""
        c = self.c[:, trials]
        tau = 0.0 if self.tau is None else self.tau[:, None, None]
        sd = np.broadcast_to(tau * self.weight[trials], c.shape)
        return function(c, sd, self.auxiliary, trials)


def tabulated(
    function: Function, coordinates: Coordinates, *, tolerance: float
) -> NDArray[np.float64]:
    """Return a function at many values, (value, trial, ...).

    Parameters
    ----------
    function : callable
        ``function(c, sd, auxiliary, trials)``: the function, (value, trial, ...), of levels and
        effect sds, (value, trial, arm), and of parameters, (value, parameter), for the trials at
        these positions.
    coordinates : Coordinates
        The values.
    tolerance : float
        Bound on the error at the values that are looked at; trials that no table brings below it
        are evaluated directly.
    """
    values, trials, arms = coordinates.c.shape
    found: Any = None
    left = np.arange(trials)
    costs = [COSTS[0]] * (arms - 1)
    costs += [COSTS[1]] * (coordinates.tau is not None) + [COSTS[2]] * coordinates.own
    for table in _ladder(values, costs):
        if not left.size:
            break
        told = table(function, coordinates, left)
        looks = np.unique(np.linspace(0, values - 1, LOOKS).astype(int))
        exact = coordinates.at(function, coordinates.of(left)[looks], left)
        error = np.abs(told[looks] - exact).reshape(len(looks), len(left), -1)
        good = error.max(axis=(0, 2)) <= tolerance
        if found is None:
            found = np.empty((values, trials, *told.shape[2:]))
        found[:, left[good]] = told[:, good]
        left = left[~good]
    if not left.size:
        return np.asarray(found)
    told = coordinates.directly(function, left)
    if found is None:
        return told
    found[:, left] = told
    return np.asarray(found)


def _ladder(values: int, costs: list[int]) -> Iterator[Table]:
    """Yield the tables that are worth making, the smallest first."""
    if len(costs) <= 2:
        sizes = [size for size in SIZES if GAIN * size ** len(costs) <= values]
        yield from (_Grid(size) for size in sizes)
        return
    for most in DEGREES:
        degrees = np.array(list(_degrees(costs, most)))
        if GAIN * REDUNDANT * len(degrees) > values:
            return
        yield _Fit(degrees)


def _degrees(costs: list[int], most: int) -> Iterator[tuple[int, ...]]:
    """Yield the degrees along each coordinate whose costs add up to no more than ``most``."""
    if not costs:
        yield ()
        return
    for here in range(most // costs[0] + 1):
        for rest in _degrees(costs[1:], most - here * costs[0]):
            yield (here, *rest)


class Table(Protocol):
    """A way to tabulate a function."""

    def __call__(
        self, function: Function, coordinates: Coordinates, trials: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the function at all values, about, (value, trial, ...)."""


@final
@dataclass(frozen=True)
class _Grid:
    """Interpolation at Chebyshev points of one or two coordinates."""

    size: int

    def __call__(
        self, function: Function, coordinates: Coordinates, trials: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        points = coordinates.of(trials)
        middle, half = _box(points)
        dims = points.shape[2]
        angle = np.pi * (np.arange(self.size) + 0.5) / self.size
        mesh = np.stack(np.meshgrid(*[np.cos(angle)] * dims, indexing="ij"), axis=-1)
        nodes = middle + half * mesh.reshape(-1, 1, dims)
        told = coordinates.at(function, nodes, trials)
        coefficients = self._coefficients(told.reshape(len(nodes), len(trials), -1), angle, dims)
        made = np.empty((len(points), *told.shape[1:]))
        for batch in _batches(len(trials), len(points) * self.size ** max(dims - 1, 1)):
            scaled = np.moveaxis((points[:, batch] - middle[batch]) / half[batch], 1, 0)
            found = self._evaluated(coefficients[batch], scaled)
            made[:, batch] = found.reshape(len(points), -1, *told.shape[2:])
        return made

    def _coefficients(self, told: NDArray[np.float64], angle: Any, dims: int) -> Any:
        """Return the coefficients of the polynomials, (trial, term, output)."""
        turn = np.cos(np.outer(np.arange(self.size), angle)) * 2 / self.size
        turn[0] /= 2
        found = told.reshape((self.size,) * dims + told.shape[1:])
        for axis in range(dims):
            found = np.moveaxis(np.tensordot(turn, found, axes=(1, axis)), 0, axis)
        return np.moveaxis(found, dims, 0).reshape(told.shape[1], len(told), -1)

    def _evaluated(self, coefficients: Any, scaled: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the polynomials at points (trial, value, coordinate): (value, trial, output)."""
        from numpy.polynomial.chebyshev import chebvander

        trials, values, dims = scaled.shape
        basis = chebvander(scaled, self.size - 1)
        total = np.matmul(basis[:, :, 0], coefficients.reshape(trials, self.size, -1))
        for axis in range(1, dims):
            total = total.reshape(trials, values, self.size, -1)
            total = np.einsum("tva,tvar->tvr", basis[:, :, axis], total)
        return np.asarray(np.moveaxis(total, 0, 1))


@final
@dataclass(frozen=True, eq=False)
class _Fit:
    """Least squares on some of the values, the outermost among them."""

    degrees: NDArray[np.int64]

    def __call__(
        self, function: Function, coordinates: Coordinates, trials: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        points = coordinates.of(trials)
        middle, half = _box(points)
        scaled = (points - middle) / half
        outermost = np.argsort(np.abs(scaled).max(axis=(1, 2)))[-LOOKS:]
        count = int(np.ceil(REDUNDANT * len(self.degrees)))
        some = np.linspace(0, len(points) - 1, count).astype(int)
        chosen = np.unique(np.concatenate([some, outermost]))
        told = coordinates.at(function, points[chosen], trials)
        made = np.empty((len(points), *told.shape[1:]))
        for trial in range(len(trials)):
            basis = self._basis(scaled[:, trial])
            right = told[:, trial].reshape(len(chosen), -1)
            coefficients = np.linalg.lstsq(basis[chosen], right, rcond=None)[0]
            made[:, trial] = (basis @ coefficients).reshape(made[:, trial].shape)
        return made

    def _basis(self, scaled: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the polynomials at points (value, coordinate): (value, term)."""
        from numpy.polynomial.chebyshev import chebvander

        along = chebvander(scaled, int(self.degrees.max()))
        found = along[:, 0, self.degrees[:, 0]]
        for axis in range(1, scaled.shape[1]):
            found = found * along[:, axis, self.degrees[:, axis]]
        return np.asarray(found)


def _box(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the middle and half the extent of points, (trial, coordinate)."""
    lower, upper = points.min(axis=0), points.max(axis=0)
    return (lower + upper) / 2, np.maximum((upper - lower) / 2, 1e-9)


def _batches(count: int, each: int) -> Iterator[slice]:
    step = max(1, BUDGET // each)
    for start in range(0, count, step):
        yield slice(start, start + step)
