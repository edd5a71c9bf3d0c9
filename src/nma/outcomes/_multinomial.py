"""The multinomial likelihood of ordered categories, on the probit and on the logit scale.

Every arm has C + 1 cells, for C cut-points. Cell 0 is the lowest; cell c holds the people from
cut-point c up to the next cut-point that the arm tells, and nobody where it does not tell c.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nma.arrays import log1m_exp, log1p_exp, log_ndtr, xlogy
from nma.priors import QuantilePrior

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BETWEEN", "Cumulative", "cells", "deviance", "observed", "points"]

Data = Mapping[str, Any]

FAR = 1e6
"""Stands for infinity at both ends of the cut-points: nobody is beyond, gradients stay finite."""

NARROW = 0.02
"""Width of a cell, in its distance from the middle, below which a series is exact and tails not."""

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


def _between_probits(above: Any, below: Any, width: Any, xp: Any) -> Any:
    """Return log(Phi(above) - Phi(below)), by a series where the cell is narrow."""
    middle = (above + below) / 2
    narrow = NARROW / (1 + abs(middle))
    thin = _narrow_probits(middle, xp.minimum(width, narrow), xp)
    return xp.where(width < narrow, thin, _wide_probits(above, below, xp))


def _wide_probits(above: Any, below: Any, xp: Any) -> Any:
    """Return log(Phi(above) - Phi(below)), by whichever tail is the smaller."""
    turned = above + below > 0
    high, low = xp.where(turned, -below, above), xp.where(turned, -above, below)
    top = log_ndtr(high, xp)
    return top + log1m_exp(xp.maximum(top - log_ndtr(low, xp), NARROW / 1e3), xp)


def _narrow_probits(middle: Any, width: Any, xp: Any) -> Any:
    """Return log(Phi(middle + width / 2) - Phi(middle - width / 2)) for a small width."""
    m, h = middle**2, width**2
    bent = (m - 1) * h / 24 + (m**2 - 6 * m + 3) * h**2 / 1920
    log_width = xp.log(xp.maximum(width, TINY))
    return log_width - m / 2 - math.log(2 * math.pi) / 2 + xp.log1p(bent)


def _between_logits(above: Any, below: Any, width: Any, xp: Any) -> Any:
    """Return log(F(above) - F(below)), F logistic: F(above) (1 - F(below)) (1 - e^-width)."""
    inside = log1m_exp(xp.maximum(width, TINY), xp)
    return inside - log1p_exp(-above, xp) - log1p_exp(below, xp)


BETWEEN: Mapping[str, Callable[..., Any]] = {"SMD": _between_probits, "OR": _between_logits}
"""For each measure the log probability of a cell between two cut-points."""


@final
@dataclass(frozen=True)
class Cumulative:
    r"""Ordered categories by one latent scale: :math:`P(Y \ge c) = F(\eta - z_c)`.

    Parameters
    ----------
    between : callable
        ``between(above, below, width, xp)``: log(F(above) - F(below)), where ``width`` is above
        minus below.
    increments : QuantilePrior, optional
        Prior of every z_{c+1} - z_c, where there is more than one cut-point. The likelihood's
        parameters are their normal scores, independent standard normal.
    """

    between: Callable[..., Any]
    increments: QuantilePrior | None = None

    def cut_points(self, auxiliary: Any, xp: Any = np) -> Any:
        """Return z_1 = 0 and the others between both ends, (..., C + 2)."""
        if self.increments is None:
            return np.array([-FAR, 0.0, FAR])
        width = self.increments.at_score(auxiliary, xp)
        first = xp.zeros_like(width[..., :1])
        parts = [first - FAR, first, xp.cumsum(width, axis=-1), first + FAR]
        return xp.concatenate(parts, axis=-1)

    def _log_probability(self, eta: Any, auxiliary: Any, data: Data, asked: Any, xp: Any) -> Any:
        """Return the log probability of the cells asked for, (..., arm, cell), 0 of the others."""
        z, cell = self.cut_points(auxiliary, xp), np.arange(asked.shape[1])
        lower = z[..., np.where(asked, cell, 0)]
        upper = z[..., np.where(asked, data["upto"], len(cell))]
        level = eta[..., None]
        return self.between(level - lower, level - upper, upper - lower, xp)

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
