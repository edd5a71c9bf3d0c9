"""Normal distributions given the scales: solved at every node, and interpolated between nodes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, final

import numpy as np

from nma.engines import _quadrature
from nma.errors import EngineError
from nma.interpolation import local_weights
from nma.problem import Parameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Answer", "factored", "interpolated", "inverse", "multipliers", "scaled"]


@final
@dataclass(frozen=True, eq=False)
class Answer:
    """The normal posterior of beta at each node: mean + factor . z with z standard normal."""

    log_evidence: NDArray[np.float64]
    mean: NDArray[np.float64]
    factor: NDArray[np.float64]


def multipliers(
    prior: Parameters, at: dict[str, NDArray[np.float64]], nodes: int
) -> NDArray[np.float64]:
    """Return the scale of every parameter at every node, or one column of ones for them all."""
    if not any(prior.scale):
        return np.ones((nodes, 1))
    ones = np.ones(nodes)
    return np.stack([at[name] if name is not None else ones for name in prior.scale], axis=1)


def scaled(gram: NDArray[np.float64], D: NDArray[np.float64]) -> NDArray[np.float64]:
    return gram if D.shape[1] == 1 else D[:, :, None] * gram * D[:, None, :]


def inverse(parameters: Parameters) -> tuple[NDArray[np.float64], float]:
    """Return the prior precision at unit scale and the log determinant of the covariance."""
    try:
        lower = np.linalg.cholesky(parameters.covariance)
    except np.linalg.LinAlgError as error:
        message = "The prior covariance of the parameters is not positive definite."
        raise EngineError(message) from error
    inverse = np.linalg.inv(lower)
    return inverse.T @ inverse, 2 * float(np.log(np.diagonal(lower)).sum())


def factored(
    precision: NDArray[np.float64], right: NDArray[np.float64], *, factor: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Solve at every node: solution, half the log determinant, and F with F F' = inverse."""
    from scipy.linalg.lapack import dpotrf, dpotrs, dtrtri

    solution, diagonal = np.empty_like(right), np.empty_like(right)
    factors = np.empty(precision.shape if factor else (len(right), right.shape[1], 0))
    for node, (matrix, vector) in enumerate(zip(precision, right, strict=True)):
        lower, failed = dpotrf(matrix, lower=1)
        if failed:
            message = "The posterior precision is not positive definite to machine accuracy."
            raise EngineError(message)
        solution[node] = dpotrs(lower, vector, lower=1)[0]
        diagonal[node] = lower.diagonal()
        if factor:
            factors[node] = dtrtri(lower, lower=1)[0].T
    return solution, np.log(diagonal).sum(axis=1), factors


def interpolated(
    grid: _quadrature.Grid,
    answer: Answer,
    positions: NDArray[np.float64],
    normal: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return beta at each draw's scales, by local cubic interpolation of mean and factor.

    With it comes the log determinant of each draw's factor, (draw,).

    Both are analytic in the chart's position, so that a few neighbouring nodes give them far
    more closely than draws can tell. Draws between the same nodes are turned together.
    """
    node = np.zeros((len(positions), 1), dtype=int)
    weight = np.ones((len(positions), 1))
    for scale, axis in enumerate(grid.axes):
        nodes, weights = local_weights(positions[:, scale], len(axis))
        node = (node[:, :, None] * len(axis) + nodes[:, None, :]).reshape(len(node), -1)
        weight = (weight[:, :, None] * weights[:, None, :]).reshape(len(weight), -1)
    order = np.argsort(node[:, 0], kind="stable")
    node, weight, normal = node[order], weight[order], normal[order]
    start = np.flatnonzero(np.r_[True, np.diff(node[:, 0]) > 0])
    beta, log_determinant = np.empty(normal.shape), np.empty(len(order))
    diagonal = np.diagonal(answer.factor, axis1=1, axis2=2)
    for first, last in pairwise([*start.tolist(), len(order)]):
        near = node[first]
        turned = np.swapaxes(answer.factor[near], 1, 2)
        values = normal[first:last] @ turned + answer.mean[near][:, None]
        beta[order[first:last]] = np.einsum("dk,kdp->dp", weight[first:last], values)
        spread = weight[first:last] @ diagonal[near]
        with np.errstate(divide="ignore"):  # of a scale that is known to be zero
            log_determinant[order[first:last]] = np.log(spread).sum(axis=1)
    return beta, log_determinant
