"""How many standard errors leave a probability in the tail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["t", "z"]


def z(tail: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the normal quantile above which ``tail`` lies."""
    from scipy.special import ndtri

    return np.asarray(-ndtri(tail))


def t(tail: NDArray[np.float64], df: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the quantile of Student's t above which ``tail`` lies."""
    from scipy.special import stdtrit

    return np.asarray(-stdtrit(df, tail))
