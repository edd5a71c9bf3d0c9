"""From the outcome's own scale to that of the linear predictor, by measure."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np

from nma.arrays import ndtr, ndtri, sigmoid

__all__ = ["LINKS", "PROBIT", "Link", "link_of"]


class Function(Protocol):
    """A function of one array in the functions of ``xp``, which is NumPy or PyTensor's tensors."""

    def __call__(self, x: Any, xp: Any = np) -> Any:
        """Return the function at ``x``."""


class Link(NamedTuple):
    """A link, its inverse, and in words the level that both are about and the scale it leads to.

    ``bounded`` says whether every linear predictor stands for a level that can be, ``in_sds``
    whether one unit of the scale is a standard deviation, worth some points of the level. ``of``
    is what the level is of; ``stated`` and ``own`` are what a reader must know where the level of
    {name} was stated, and where it is the trials' own.
    """

    link: Function
    inverse: Function
    level: str
    scale: str
    bounded: bool = True
    in_sds: bool = False
    of: str = "the outcome"
    stated: str = ""
    own: str = ""

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
    "SMD": Link(_same, _same, "mean", "mean", in_sds=True),
    "ROM": Link(_log, _exp, "mean", "log mean"),
    "OR": Link(_logit, sigmoid, "probability", "log odds"),
    "RR": Link(_log, _exp, "probability", "log probability", bounded=False),
    "RD": Link(_same, _same, "probability", "probability", bounded=False),
    "HR": Link(
        _cloglog,
        _inverse_cloglog,
        "probability",
        "log cumulative hazard",
        stated="Risks are by the time for which that of {name} was given, whichever it is: hazards "
        "are taken as proportional.",
        own="Risks are by the end of one unit of the trials' time of follow-up.",
    ),
    "IRR": Link(
        _log,
        _exp,
        "rate",
        "log rate",
        stated="Rates are per unit of exposure in which that of {name} was given.",
        own="Rates are per unit of the trials' exposure.",
    ),
}
"""For each measure the link of its linear predictor; HR's is of the risk in one unit of time."""

PROBIT = Link(ndtri, ndtr, "probability", "probits")
"""The link of a probability by a normal latent scale, whose effects are SMDs."""


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
