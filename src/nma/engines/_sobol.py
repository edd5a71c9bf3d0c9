"""Low-discrepancy draws: scrambled Sobol sets as chains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from nma.problem import Problem

__all__ = ["dataset", "neighbours", "sobol"]


def sobol(dimensions: int, *, chains: int, draws: int, seed: int) -> NDArray[np.float64]:
    """Return Sobol sets inside the open unit cube, (chain, draw, dimension).

    One linear scramble serves all chains, and each chain has a random digital shift of its own:
    given the scramble, the chains are independent and every point is uniform.
    """
    from scipy.stats import qmc

    bits = 30
    rng = np.random.default_rng(seed)
    power = int(draws - 1).bit_length()
    points = qmc.Sobol(dimensions, bits=bits, rng=rng).random_base2(power)[:draws]
    digits = (points * 2**bits).astype(np.int64)
    shift = rng.integers(2**bits, size=(chains, 1, dimensions))
    return np.asarray(((digits ^ shift) + 0.5) / 2**bits)


def neighbours(points: NDArray[np.float64], axis: int = 0) -> NDArray[np.int64]:
    """Return an order of points, (value, dimension), in which those in sequence lie close by.

    They are halved at the median along one axis after the other.
    """
    if len(points) <= 2:
        return np.arange(len(points))
    order = np.argsort(points[:, axis], kind="stable")
    halves = order[: len(order) // 2], order[len(order) // 2 :]
    following = (axis + 1) % points.shape[1]
    return np.concatenate([half[neighbours(points[half], following)] for half in halves])


def dataset(
    problem: Problem, scales: Mapping[str, NDArray[np.float64]], beta: NDArray[np.float64]
) -> xr.Dataset:
    """Return draws with their labels.

    Parameters
    ----------
    problem : Problem
        What was sampled.
    scales : mapping of str to array, (chain, draw)
        The draws of each scale.
    beta : array, (chain, draw, parameter)
        The draws of beta.
    """
    import xarray as xr

    chains, draws, _ = beta.shape
    return xr.Dataset(
        {name: (("chain", "draw"), values) for name, values in scales.items()}
        | {"beta": (("chain", "draw", "parameter"), beta)},
        coords={
            "chain": np.arange(chains),
            "draw": np.arange(draws),
            "parameter": list(problem.parameters.names),
        },
    )
