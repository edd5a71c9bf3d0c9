"""The multinomial likelihood of ordered categories, on the probit and on the logit scale.

Every arm has C + 1 cells, for C cut-points. Cell 0 is the lowest; cell c holds the people from
cut-point c up to the next cut-point that the arm tells, and nobody where it does not tell c.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, final

import numpy as np

from nma.arrays import log1m_exp, log1p_exp, log_ndtr, ndtr, xlogy
from nma.priors import QuantilePrior

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SCALES", "Cumulative", "LatentScale", "cells", "deviance", "observed", "points"]

Data = Mapping[str, Any]

NARROW = 0.02
"""Width of a cell, in its distance from the middle, below which a series is exact and tails not."""

DEEP = -35.0
"""Where the normal distribution function is nearly the smallest number there is."""

TINY = 1e-300
"""Least width of a cell, so that one which rounding closes is next to impossible, not undefined."""


def cells(count: NDArray[np.float64], upto: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Return the data of the likelihood.

    Parameters
    ----------
    count : array, (arm, cell)
        People in every cell.
    upto : array of int, (arm, cell)
        The next cut-point that the arm tells, C + 1 where there is none; the cell's own number
        where the arm does not tell the cell.
    """
    from scipy.special import gammaln

    n = count.sum(axis=1)
    log_ways = gammaln(n + 1) - gammaln(count + 1).sum(axis=1)
    return {"count": count, "upto": upto, "n": n, "log_ways": log_ways}


class LatentScale(NamedTuple):
    """A symmetric latent distribution F.

    ``log_below(x, xp)`` is log F(x); ``log_between(above, below, width, xp)`` is log(F(above) -
    F(below)), where ``width`` is above minus below without their rounding.
    """

    log_below: Callable[..., Any]
    log_between: Callable[..., Any]

    def log_cell(self, eta: Any, low: Any, high: Any, xp: Any) -> Any:
        """Return the log probability between two cut-points, one of which may be missing."""
        if low is None:
            return self.log_below(high - eta, xp)
        if high is None:
            return self.log_below(eta - low, xp)
        return self.log_between(eta - low, eta - high, high - low, xp)


def _between_probits(above: Any, below: Any, width: Any, xp: Any) -> Any:
    """Return log(Phi(above) - Phi(below)), by whichever tail is the smaller."""
    turned = above + below > 0
    high, low = xp.where(turned, -below, above), xp.where(turned, -above, below)
    if xp is not np:
        return _with_care(high, low, width, xp)
    hard = (width < NARROW / (1 + abs(high + low) / 2)) | (high < DEEP)
    found = np.log(np.where(hard, 1.0, ndtr(high) - ndtr(low)))
    if hard.any():
        apart = np.broadcast_to(width, hard.shape)
        found[hard] = _with_care(high[hard], low[hard], apart[hard], np)
    return found


def _with_care(high: Any, low: Any, width: Any, xp: Any) -> Any:
    """Return log(Phi(high) - Phi(low)) far down the tail, or by a series where both are near."""
    middle = (high + low) / 2
    narrow = NARROW / (1 + abs(middle))
    thin = _thin_probits(middle, xp.minimum(width, narrow), xp)
    top = log_ndtr(high, xp)
    apart = xp.maximum(top - log_ndtr(low, xp), NARROW / 1e3)
    return xp.where(width < narrow, thin, top + log1m_exp(apart, xp))


def _thin_probits(middle: Any, width: Any, xp: Any) -> Any:
    """Return log(Phi(middle + width / 2) - Phi(middle - width / 2)) for a small width."""
    m, h = middle**2, width**2
    bent = (m - 1) * h / 24 + (m**2 - 6 * m + 3) * h**2 / 1920
    log_width = xp.log(xp.maximum(width, TINY))
    return log_width - m / 2 - math.log(2 * math.pi) / 2 + xp.log1p(bent)


def _below_logit(x: Any, xp: Any) -> Any:
    return -log1p_exp(-x, xp)


def _between_logits(above: Any, below: Any, width: Any, xp: Any) -> Any:
    """Return log(F(above) - F(below)), F logistic: F(above) F(-below) (1 - e^-width)."""
    inside = log1m_exp(xp.maximum(width, TINY), xp)
    return inside - log1p_exp(-above, xp) - log1p_exp(below, xp)


SCALES: Mapping[str, LatentScale] = {
    "SMD": LatentScale(log_ndtr, _between_probits),
    "OR": LatentScale(_below_logit, _between_logits),
}
"""For each measure its latent distribution."""


@final
@dataclass(frozen=True)
class Cumulative:
    r"""Ordered categories by one latent scale: :math:`P(Y \ge c) = F(\eta - z_c)`.

    Parameters
    ----------
    scale : LatentScale
        The distribution F.
    increments : QuantilePrior, optional
        Prior of every z_{c+1} - z_c, where there is more than one cut-point. The likelihood's
        parameters are their normal scores, independent standard normal.
    """

    scale: LatentScale
    increments: QuantilePrior | None = None

    def cut_points(self, auxiliary: Any, xp: Any = np) -> Any:
        """Return z_1 = 0 and the others, (..., C)."""
        if self.increments is None:
            return np.zeros(1)
        width = self.increments.at_score(auxiliary, xp)
        parts = [xp.zeros_like(width[..., :1]), xp.cumsum(width, axis=-1)]
        return xp.concatenate(parts, axis=-1)

    def _log_probability(self, eta: Any, auxiliary: Any, data: Data, asked: Any, xp: Any) -> Any:
        """Return the log probability of the cells asked for, (..., arm, cell), 0 of the others."""
        z, upto = self.cut_points(auxiliary, xp), data["upto"]
        begins, ends = np.arange(upto.shape[1]) > 0, upto < upto.shape[1]
        place, size = np.zeros(asked.shape, dtype=np.int64), 1
        found = [0 * (eta[..., :1] + z[..., :1])]  # cells that nobody asks for
        for kind in ((False, True), (True, False), (True, True)):
            arm, cell = np.nonzero(asked & (begins == kind[0]) & (ends == kind[1]))
            if len(arm):
                low = z[..., cell - 1] if kind[0] else None
                high = z[..., upto[arm, cell] - 1] if kind[1] else None
                found.append(self.scale.log_cell(eta[..., arm], low, high, xp))
                place[arm, cell] = size + np.arange(len(arm))
                size += len(arm)
        return xp.concatenate(found, axis=-1)[..., place]

    def density(self, eta: Any, auxiliary: Any, data: Data, xp: Any) -> Any:
        """Return the log likelihood of arms with level ``eta`` above the first cut-point."""
        log_p = self._log_probability(eta, auxiliary, data, data["count"] > 0, xp)
        return data["log_ways"] + (data["count"] * log_p).sum(axis=-1)

    def fitted(self, eta: Any, auxiliary: Any, data: Data, xp: Any) -> Any:
        """Return the probability of every cell, (..., arm, cell), 0 where the arm does not tell."""
        told = data["upto"] > np.arange(data["upto"].shape[1])
        return told * xp.exp(self._log_probability(eta, auxiliary, data, told, xp))


def observed(data: Data) -> Any:
    """Return the proportion in every cell that was seen, (arm, cell)."""
    return data["count"] / data["n"][:, None]


def deviance(fitted: Any, data: Data, xp: Any) -> Any:
    """Return the residual deviance of arms given the probability of every cell."""
    best = xlogy(data["count"], observed(data))
    return 2 * (best - xlogy(data["count"], fitted, xp)).sum(axis=-1)


def points(data: Data) -> Any:
    """Return the data points of every arm: the cells it tells, less one, (arm,)."""
    return (data["upto"] > np.arange(data["upto"].shape[1])).sum(axis=1) - 1
