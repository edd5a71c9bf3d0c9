"""Normal contrasts from what each arm says alone: its level and the variance of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nma.problem import Contrasts, trials_by_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["contrasts", "differences", "most_precise_first"]


def differences(
    level: NDArray[np.float64], variance: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return differences from each trial's first arm and their covariance.

    Parameters
    ----------
    level, variance : array, (trial, arm)
        Level of every arm, and the sampling variance of each.
    """
    y = level[:, 1:] - level[:, :1]
    V = variance[:, 1:, None] * np.eye(y.shape[1]) + variance[:, :1, None]
    return y, V


def most_precise_first(
    trial: NDArray[np.int64], variance: NDArray[np.float64]
) -> Iterator[NDArray[np.int64]]:
    """Yield the rows of each trial, its most precise arm first, trials of one size at a time.

    An arm that tells next to nothing would drown the others in rounding if they all shared its
    error.
    """
    for trials in trials_by_size(trial):
        order = np.argsort(variance[trials], kind="stable")
        yield np.take_along_axis(trials, order, axis=1)


def contrasts(
    trial: NDArray[np.int64],
    arms: NDArray[np.int64],
    level: NDArray[np.float64],
    variance: NDArray[np.float64],
) -> tuple[Contrasts, ...]:
    """Return the differences within trials.

    Parameters
    ----------
    trial, arms : array of int, (row,)
        The trial of each row, whose rows stand together, and its position among all arms.
    level, variance : array, (row,)
        Level of every arm, and the sampling variance of each.
    """
    return tuple(
        Contrasts(
            arms[rows],
            *differences(level[rows], variance[rows]),
            reported=np.stack([level[rows], variance[rows]]),
        )
        for rows in most_precise_first(trial, variance)
    )
