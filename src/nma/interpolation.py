"""Between equally spaced nodes: local cubic interpolation, and distributions by their logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["cumulative", "inverted", "local_weights"]

UPSAMPLE = 16
"""Points of a tabulated marginal for each interval between nodes."""


def local_weights(
    position: NDArray[np.float64], length: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the nodes and Lagrange weights of local cubic interpolation.

    Parameters
    ----------
    position : array, (point,)
        Fractional positions between 0 and ``length - 1``.
    length : int
        Number of nodes.

    Returns
    -------
    nodes, weights : array, (point, neighbour)
        Four neighbours, or all nodes where there are fewer.
    """
    order = min(4, length)
    start = np.clip(np.floor(position).astype(int) - 1, 0, length - order)
    nodes = start[:, None] + np.arange(order)
    weights = np.ones(nodes.shape)
    for j in range(order):
        for k in range(order):
            if j != k:
                weights[:, j] *= (position - nodes[:, k]) / (j - k)
    return nodes, weights


def cumulative(
    log_density: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return fine positions, (point,), and the CDF there, (row, point)."""
    length = log_density.shape[1]
    position = np.linspace(0, length - 1, (length - 1) * UPSAMPLE + 1)
    nodes, weights = local_weights(position, length)
    relative = np.maximum(log_density - log_density.max(axis=1, keepdims=True), -700.0)
    density = np.exp(np.einsum("rpk,pk->rp", relative[:, nodes], weights))
    steps = np.zeros_like(density)
    steps[:, 1:] = np.cumsum((density[:, 1:] + density[:, :-1]) / 2, axis=1)
    return position, steps / np.where(steps[:, -1:] > 0, steps[:, -1:], 1.0)


def inverted(
    log_density: NDArray[np.float64], uniform: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return positions at which the CDFs, one for all or one for each, reach ``uniform``.

    With them comes the density there, by position: constant between the points of the table.
    """
    position, below = cumulative(log_density)
    if len(position) == 1:
        return np.zeros_like(uniform), np.ones_like(uniform)
    if len(below) == 1:
        cell = np.searchsorted(below[0], uniform) - 1
    else:
        cell = (below < uniform[:, None]).sum(axis=1) - 1
    cell = np.clip(cell, 0, len(position) - 2)
    row = np.arange(len(below)) if len(below) > 1 else 0
    before, after = below[row, cell], below[row, cell + 1]
    share = (uniform - before) / (after - before)
    step = position[1] - position[0]
    return position[cell] + share * step, (after - before) / step
