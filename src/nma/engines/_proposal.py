"""A normal approximation at every value of the scales: nested Laplace, to draw candidates from.

Where that is too narrow, its two sides are widened direction by direction, as in the split-normal
importance densities of Geweke (1989, doi:10.2307/1913710).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np

from nma.arm_trials import ArmTrials, Scales
from nma.engines import _quadrature
from nma.engines._charts import chart_of
from nma.engines._conditional import Answer, factored, interpolated, multipliers
from nma.engines._target import Target
from nma.integrated import Laplace
from nma.least_squares import heterogeneity, log_normal

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Candidates", "Proposal", "Split"]

TOLERANCE = 1e-3
"""Change at which the grid of scales settles: candidates are near, and weights do the rest."""

STEPS = 40
"""Newton steps towards a mode, at most."""

NEAR = 1e-2
"""Squared length of the last Newton step, in standard deviations."""

FAR = 5.0
"""Longest Newton step along any direction, in standard deviations."""

AMPLE = 1.08
"""Factor on adapted widths, so that tails are covered."""

ALIKE = 0.1
"""Logarithm of a width up to which a direction is left as it was."""

LEAST = 0.5
"""Least width along a direction after adaptation: too wide costs points, too narrow the tails."""

AUXILIARY_STEP = 0.02
"""Step of numerical derivatives along auxiliaries, whose prior has sd of about one."""


@final
@dataclass(frozen=True, eq=False)
class Candidates:
    """Points of the unknowns and the density they were drawn from.

    Parameters
    ----------
    points : array, (value, scale)
        The scales.
    b : array, (value, parameter)
        The other unknowns, at unit scale.
    z : array, (value, parameter)
        The same along the directions of the proposal, where they were drawn.
    log_density : array, (value,)
        Of both, with the scales by their own values.
    """

    points: NDArray[np.float64]
    b: NDArray[np.float64]
    z: NDArray[np.float64]
    log_density: NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Proposal:
    """Normal distributions of b at each node of a grid of the scales.

    Parameters
    ----------
    grid : Grid
        The nodes, with their approximate density.
    answer : Answer
        Mean and factor of b at each node.
    split : Split
        Widths along the columns of the factor; one unless adapted.
    """

    grid: _quadrature.Grid
    answer: Answer
    split: Split

    @classmethod
    def of(cls, target: Target) -> Proposal:
        """Return the proposal for a target."""
        charts = [chart_of(scale.prior, 0.3) for scale in target.problem.scales]

        def log_density(points: NDArray[np.float64]) -> NDArray[np.float64]:
            found = _modes(target, points, factor=False)
            return np.asarray(found.log_evidence + target.log_scale_prior(points))

        grid = _quadrature.integrate(log_density, charts, tolerance=TOLERANCE)
        answer = _modes(target, grid.nodes, factor=True)
        ones = np.ones(answer.mean.shape[1])
        return cls(grid, answer, Split(ones, ones))

    def candidates(self, uniforms: NDArray[np.float64]) -> Candidates:
        """Return points at uniform numbers, (value, scale and parameter)."""
        scales = len(self.grid.axes)
        positions, log_density = self.grid.sample(uniforms[:, :scales])
        z, log_split = self.split.at(uniforms[:, scales:])
        b, log_determinant = interpolated(self.grid, self.answer, positions, z)
        return Candidates(
            self.grid.values_at(positions), b, z, log_density + log_split - log_determinant
        )

    def adapted(self, z: NDArray[np.float64], weight: NDArray[np.float64]) -> Proposal:
        """Return the proposal with the widths that weighted directions tell.

        Parameters
        ----------
        z : array, (value, direction)
            Where candidates lie along the directions.
        weight : array, (value,)
            Their weights.
        """
        sides = [np.maximum(sign * z, 0.0) for sign in (-1.0, 1.0)]
        squared = [weight @ side**2 / np.maximum(weight @ (side > 0), 1e-9) for side in sides]
        left, right = (AMPLE * np.sqrt(np.clip(each, LEAST**2, None)) for each in squared)
        alike = np.maximum(np.abs(np.log(left / AMPLE)), np.abs(np.log(right / AMPLE))) < ALIKE
        return replace(self, split=Split(np.where(alike, 1, left), np.where(alike, 1, right)))


@final
@dataclass(frozen=True, eq=False)
class Split:
    """Independent split-normal distributions: of one width to the left of zero, another right.

    Parameters
    ----------
    left, right : array, (direction,)
        The widths.
    """

    left: NDArray[np.float64]
    right: NDArray[np.float64]

    def is_like(self, other: Split) -> bool:
        """Return whether all widths are the same."""
        return np.array_equal(self.left, other.left) and np.array_equal(self.right, other.right)

    def at(self, uniforms: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the values at uniform numbers, (value, direction), and their log density."""
        from scipy.special import ndtri

        share = self.left / (self.left + self.right)
        below = uniforms < share
        turned = np.where(below, uniforms / share, 1 + (uniforms - share) / (1 - share)) / 2
        normal = ndtri(np.clip(turned, np.finfo(float).tiny, 1 - np.finfo(float).epsneg))
        z = normal * np.where(below, self.left, self.right)
        level = np.log(2 / (self.left + self.right) / np.sqrt(2 * np.pi)).sum()
        return z, level - 0.5 * (normal**2).sum(axis=1)


def _modes(target: Target, points: NDArray[np.float64], *, factor: bool) -> Answer:
    """Return the mode of b at every value of the scales, and the normal approximation there."""
    scales = target.scales(points)
    D = multipliers(target.prior, scales, len(points))
    b = np.zeros((len(points), len(target.prior.names)))
    for _ in range(STEPS):
        value, slope, information = _bent(target, target.prior.mean + D * b, scales)
        precision = D[:, :, None] * information * D[:, None, :] + target.precision
        right = D * slope - b @ target.precision
        step, half_log_determinant, factors = factored(precision, right, factor=factor)
        length = np.sqrt(np.einsum("np,np->n", step, right))
        b = b + step * np.minimum(1.0, FAR / np.maximum(length, FAR))[:, None]
        if (length**2 <= NEAR).all():
            break
    log_evidence = value + target.log_prior(b - step) - half_log_determinant
    log_evidence = log_evidence + 0.5 * b.shape[1] * np.log(2 * np.pi)
    return Answer(log_evidence, b, factors)


def _bent(
    target: Target, unknowns: NDArray[np.float64], scales: Scales
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the log likelihood by Laplace, its slope, and minus its second derivatives."""
    values, size = unknowns.shape
    total = np.zeros(values), np.zeros((values, size)), np.zeros((values, size, size))
    for part, own in target.parts:
        found = _of_arms(target, part, own, unknowns, scales)
        for sum_, more in zip(total, found, strict=True):
            np.add(sum_, more, out=sum_)
    for block in target.contrasts:
        levels = target.problem.levels[block.arms]
        X = levels[:, 1:] - levels[:, :1]
        covariance = block.V + heterogeneity(target.problem, block, scales)
        residual = block.y - np.einsum("tkp,vp->vtk", X, unknowns[:, : X.shape[2]])
        inverse = np.broadcast_to(np.linalg.inv(covariance), (values, *block.V.shape))
        total[0][:] += log_normal(covariance, residual).sum(axis=1)
        beta = slice(0, X.shape[2])
        total[1][:, beta] += np.einsum("tkp,vtkl,vtl->vp", X, inverse, residual, optimize=True)
        total[2][:, beta, beta] += _squared(X, inverse)
    return total


def _squared(X: NDArray[np.float64], inner: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return X' inner X over all trials, (value, parameter, parameter)."""
    parameters = X.shape[2]
    flat = X.reshape(-1, parameters)
    return np.stack([flat.T @ np.matmul(each, X).reshape(-1, parameters) for each in inner])


def _of_arms(
    target: Target, part: ArmTrials, own: slice, unknowns: NDArray[np.float64], scales: Scales
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return value, slope and information of trials that report arms."""
    values, size = unknowns.shape

    def at(*moves: tuple[int, float]) -> Laplace:
        moved = unknowns.copy()
        for where, by in moves:
            moved[:, where] += by
        given = part.given(target.levels(moved), scales)
        return part.group.laplace(*given, moved[:, own] if own.start < own.stop else None)

    here = at()
    slope, information = np.zeros((values, size)), np.zeros((values, size, size))
    beta, flat = slice(0, part.centred.shape[2]), part.centred.reshape(-1, part.centred.shape[2])
    slope[:, beta] = here.slope.reshape(values, -1) @ flat
    information[:, beta, beta] = _squared(part.centred, here.information)
    for place in range(own.start, own.stop):
        _along(at, here, place, own.start, flat, slope, information)
    return here.value.sum(axis=1), slope, information


def _along(
    at: Callable[..., Laplace],
    here: Laplace,
    place: int,
    first: int,
    centred: NDArray[np.float64],
    slope: NDArray[np.float64],
    information: NDArray[np.float64],
) -> None:
    """Fill in what belongs to one auxiliary, by differences along it."""
    h = AUXILIARY_STEP
    up, down = at((place, h)), at((place, -h))
    slope[:, place] = (up.value - down.value).sum(axis=1) / (2 * h)
    cross = (down.slope - up.slope).reshape(len(slope), -1) @ centred / (2 * h)
    beta = slice(0, centred.shape[1])
    information[:, place, beta] = information[:, beta, place] = cross
    second = (2 * here.value - up.value - down.value).sum(axis=1) / h**2
    information[:, place, place] = np.maximum(second, 0.0)
    for other in range(first, place):
        corners = [at((place, a * h), (other, b * h)).value for a in (1, -1) for b in (1, -1)]
        mixed = (corners[0] - corners[1] - corners[2] + corners[3]).sum(axis=1) / (4 * h**2)
        information[:, place, other] = information[:, other, place] = -mixed
