"""From the outcome's own scale to that of the linear predictor, by measure."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np

from nma.arrays import sigmoid

__all__ = ["LINKS", "Link", "link_of"]


class Function(Protocol):
    """A function of one array in the functions of ``xp``, which is NumPy or PyTensor's tensors."""

    def __call__(self, x: Any, xp: Any = np) -> Any:
        """Return the function at ``x``."""


class Link(NamedTuple):
    """A link, its inverse, and in words the level that both are about and the scale it leads to.

    ``bounded`` says whether every linear predictor stands for a level that can be.
    """

    link: Function
    inverse: Function
    level: str
    scale: str
    bounded: bool = True

    @property
    def linear(self) -> bool:
        """Whether the level is its own linear predictor."""
        return self.link is _same


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
    "MD": Link(_same, _same, "mean", "mean"),
    "SMD": Link(_same, _same, "mean", "mean"),
    "ROM": Link(_log, _exp, "mean", "log mean"),
    "OR": Link(_logit, sigmoid, "probability", "log odds"),
    "RR": Link(_log, _exp, "probability", "log probability", bounded=False),
    "RD": Link(_same, _same, "probability", "probability", bounded=False),
    "HR": Link(_cloglog, _inverse_cloglog, "probability", "log cumulative hazard"),
    "IRR": Link(_log, _exp, "rate", "log rate"),
}
"""For each measure the link of its linear predictor; HR's is of the risk in one unit of time."""


def link_of(measure: str) -> Link | None:
    """Return the link of a measure and its inverse; none of a measure that the user named.

    Examples
    --------
    >>> from nma.links import link_of
    >>> odds = link_of("OR")
    >>> odds.level, float(odds.inverse(odds.link(0.2)).round(12))
    ('probability', 0.2)
    """
    return LINKS.get(measure)
