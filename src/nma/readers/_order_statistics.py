r"""What the quantiles of a normal sample are expected to be, by its size.

.. math:: E Z_{(r)} = \frac{n!}{(r-1)!\,(n-r)!}
   \int z\, \Phi(z)^{r-1} (1 - \Phi(z))^{n-r} \varphi(z)\, dz
"""

from __future__ import annotations

from functools import lru_cache
from math import floor
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["expected", "iqr_in_sds", "range_in_sds"]

REACH, NODES = 40.0, 8001
"""Standard deviations of the order statistic on either side, and points of the trapezoid rule."""


@lru_cache(maxsize=4096)
def expected(rank: int, n: int) -> float:
    """Return the mean of the ``rank``-th smallest of ``n`` independent standard normals.

    The integrand is analytic and vanishes at both ends, so the trapezoid rule is exact to
    rounding.

    Parameters
    ----------
    rank : int
        From 1 to n.
    n : int
        Size of the sample.
    """
    from scipy.special import log_ndtr, ndtri

    share = (rank - 0.375) / (n + 0.25)
    centre = float(ndtri(share))
    density = np.exp(-(centre**2) / 2) / np.sqrt(2 * np.pi)
    sd = np.sqrt(share * (1 - share) / (n + 1)) / density
    z = centre + sd * np.linspace(-REACH, REACH, NODES)
    log = (rank - 1) * log_ndtr(z) + (n - rank) * log_ndtr(-z) - z**2 / 2
    weight = np.exp(log - log.max())
    return float(weight @ z / weight.sum())


def _iqr(n: int) -> float:
    """Return the expected distance of the quartiles of n standard normals.

    The quartiles are those of R and Excel: the upper one has rank 0.75 n + 0.25, between the
    neighbours of which it is interpolated.
    """
    rank = 0.75 * n + 0.25
    below = floor(rank)
    share = rank - below
    above = expected(below + 1, n) if share else 0.0
    return 2 * ((1 - share) * expected(below, n) + share * above)


def _of_each(n: NDArray[np.float64], width: object) -> NDArray[np.float64]:
    values = [width(int(size)) if np.isfinite(size) else np.nan for size in n.tolist()]  # type: ignore[operator]
    return np.array(values)


def range_in_sds(n: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the expected range of normal samples, in standard deviations; Wan's xi(n)."""
    return _of_each(n, lambda size: 2 * expected(size, size))


def iqr_in_sds(n: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the expected interquartile range, in standard deviations; Wan's eta(n)."""
    return _of_each(n, _iqr)
