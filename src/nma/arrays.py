"""The few special functions that NumPy, SciPy and PyTensor name differently.

``xp`` is NumPy, or PyTensor's tensors where an engine needs derivatives.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["log1m_exp", "log1p_exp", "sigmoid", "xlogy"]


def log1p_exp(x: Any, xp: Any = np) -> Any:
    """Return log(1 + e^x) without overflow.

    Examples
    --------
    >>> float(log1p_exp(1000.0))
    1000.0
    """
    return np.logaddexp(0.0, x) if xp is np else xp.softplus(x)


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


def xlogy(count: Any, x: Any, xp: Any = np) -> Any:
    """Return count log x for counts that are data, with 0 log 0 = 0.

    Examples
    --------
    >>> xlogy(np.array([0.0, 2.0]), np.array([0.0, 1.0]))
    array([0., 0.])
    """
    return count * xp.log(xp.where(count > 0, x, 1.0))
