"""The few special functions that NumPy, SciPy and PyTensor name differently.

``xp`` is NumPy, or PyTensor's tensors where an engine needs derivatives.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["log1m_exp", "log1p_exp", "log_ndtr", "ndtr", "ndtri", "sigmoid", "xlogy"]


def log1p_exp(x: Any, xp: Any = np) -> Any:
    """Return log(1 + e^x) without overflow.

    Examples
    --------
    >>> float(log1p_exp(1000.0))
    1000.0
    """
    if xp is np:  # five times as fast as logaddexp
        return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))
    return xp.softplus(x)


def sigmoid(x: Any, xp: Any = np) -> Any:
    """Return 1 / (1 + e^-x) without overflow.

    Examples
    --------
    >>> float(sigmoid(0.0)), float(sigmoid(-1000.0))
    (0.5, 0.0)
    """
    return np.exp(-np.logaddexp(0.0, -np.asarray(x))) if xp is np else xp.sigmoid(x)


def log1m_exp(x: Any, xp: Any = np) -> Any:
    """Return log(1 - e^-x) for x > 0, exact where x is small.

    Examples
    --------
    >>> float(log1m_exp(np.exp(-40.0)))
    -40.0
    """
    return xp.log(-xp.expm1(-x))


def ndtr(x: Any, xp: Any = np) -> Any:
    """Return the standard normal distribution function, exact in the lower tail.

    Examples
    --------
    >>> float(ndtr(0.0)), float(ndtr(-37.0)) > 0
    (0.5, True)
    """
    if xp is not np:
        return xp.erfc(-x / math.sqrt(2)) / 2
    from scipy import special

    return special.ndtr(x)


def ndtri(x: Any, xp: Any = np) -> Any:
    """Return the standard normal quantile of a probability, exact where it is small.

    Examples
    --------
    >>> float(ndtri(0.5)), round(float(ndtri(1e-300)), 1)
    (0.0, -37.0)
    """
    if xp is not np:
        return -math.sqrt(2) * xp.erfcinv(2 * x)
    from scipy import special

    return special.ndtri(x)


def log_ndtr(x: Any, xp: Any = np) -> Any:
    """Return the logarithm of the standard normal distribution function, exact in both tails.

    Examples
    --------
    >>> round(float(log_ndtr(-1000.0)), 3), float(log_ndtr(20.0)) < 0
    (-500007.827, True)
    """
    if xp is np:
        from scipy import special

        return special.log_ndtr(x)
    low, high = xp.minimum(x, -1.0), xp.maximum(x, -1.0)  # each branch stays where it is finite
    lower = xp.log(xp.erfcx(-low / math.sqrt(2)) / 2) - low**2 / 2
    return xp.where(x < -1.0, lower, xp.log1p(-xp.erfc(high / math.sqrt(2)) / 2))


def xlogy(count: Any, x: Any, xp: Any = np) -> Any:
    """Return count log x for counts that are data, with 0 log 0 = 0.

    Examples
    --------
    >>> xlogy(np.array([0.0, 2.0]), np.array([0.0, 1.0]))
    array([0., 0.])
    """
    return count * xp.log(xp.where(count > 0, x, 1.0))
