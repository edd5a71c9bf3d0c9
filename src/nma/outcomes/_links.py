"""From the outcome's own scale to that of the linear predictor, by measure."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np

from nma.arrays import sigmoid

__all__ = ["LINKS", "Link"]


class Function(Protocol):
    """A function of one array in the functions of ``xp``, which is NumPy or PyTensor's tensors."""

    def __call__(self, x: Any, xp: Any = np) -> Any:
        """Return the function at ``x``."""


class Link(NamedTuple):
    """A link, its inverse, and the level that both are about in words."""

    link: Function
    inverse: Function
    level: str


def _same(x: Any, xp: Any = np) -> Any:  # noqa: ARG001  arithmetic is enough
    return x


def _log(x: Any, xp: Any = np) -> Any:
    return xp.log(x)


def _exp(x: Any, xp: Any = np) -> Any:
    return xp.exp(x)


def _logit(x: Any, xp: Any = np) -> Any:
    return xp.log(x) - xp.log1p(-x)


def _cloglog(x: Any, xp: Any = np) -> Any:
    return xp.log(-xp.log1p(-x))


def _inverse_cloglog(x: Any, xp: Any = np) -> Any:
    return -xp.expm1(-xp.exp(x))


LINKS = {
    "MD": Link(_same, _same, "mean"),
    "SMD": Link(_same, _same, "mean"),
    "ROM": Link(_log, _exp, "mean"),
    "OR": Link(_logit, sigmoid, "probability"),
    "RR": Link(_log, _exp, "probability"),
    "RD": Link(_same, _same, "probability"),
    "HR": Link(_cloglog, _inverse_cloglog, "probability"),
    "IRR": Link(_log, _exp, "rate"),
}
"""For each measure the link of its linear predictor; HR's is of the risk in one unit of time."""
