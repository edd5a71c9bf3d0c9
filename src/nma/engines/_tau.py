r"""Estimates of tau by least squares: moments, likelihood and generalised Q.

Rows r have mean :math:`x_r \beta` and variance :math:`1 + \tau^2 \lambda_r`; everything here is a
function of :math:`t = \tau^2`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, final

import numpy as np

from nma.errors import EngineError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.least_squares import Rows

__all__ = ["ESTIMATORS", "Estimate", "Fit", "Profile"]

PER_DECADE = 4
"""Values of tau squared tried in each decade: likelihoods change over a decade or more."""


@final
@dataclass(frozen=True, eq=False)
class Fit:
    """Weighted least squares at one tau.

    Parameters
    ----------
    mean : array, (direction,)
        Estimate.
    factor : array, (direction, direction)
        F with F F' the covariance of the estimate.
    weight, residual, leverage : array, (row,)
        Of the rotated rows; residuals are not divided by their standard deviations.
    """

    mean: NDArray[np.float64]
    factor: NDArray[np.float64]
    weight: NDArray[np.float64]
    residual: NDArray[np.float64]
    leverage: NDArray[np.float64]

    @property
    def Q(self) -> float:
        """Generalised Q: the weighted sum of squared residuals."""
        return float(self.weight @ self.residual**2)


@final
@dataclass(frozen=True, eq=False)
class Profile:
    """Least squares as a function of tau squared.

    Parameters
    ----------
    rows : Rows
        Independent rows, whose X has full column rank.
    """

    rows: Rows

    @property
    def df(self) -> int:
        """Rows minus what they determine."""
        return int(self.rows.X.shape[0] - self.rows.X.shape[1])

    def at(self, t: float) -> Fit:
        """Return the fit at one tau squared, by an orthogonal factorisation."""
        weight = 1 / (1 + t * self.rows.spread)
        root = np.sqrt(weight)
        turn, upper = np.linalg.qr(root[:, None] * self.rows.X)
        rotated = turn.T @ (root * self.rows.y)
        factor = np.linalg.inv(upper)
        mean = factor @ rotated
        residual = self.rows.y - self.rows.X @ mean
        return Fit(mean, factor, weight, residual, (turn**2).sum(axis=1))

    def log_likelihood(self, t: float, *, restricted: bool) -> float:
        """Return the profile log likelihood, restricted or not, up to a constant."""
        fit = self.at(t)
        twice = np.log(fit.weight).sum() - fit.Q
        if restricted:
            twice += 2 * np.linalg.slogdet(fit.factor)[1]
        return float(twice / 2)

    def score(self, t: float, *, restricted: bool) -> float:
        r"""Return minus twice the slope of the log likelihood.

        .. math:: \sum_r \lambda_r w_r (1 - h_r) - \sum_r \lambda_r w_r^2 e_r^2

        with leverages h left out where not restricted.
        """
        fit = self.at(t)
        each = self.rows.spread * fit.weight
        expected = each * (1 - fit.leverage) if restricted else each
        return float(expected.sum() - (each * fit.weight) @ fit.residual**2)

    @property
    def widths(self) -> tuple[float, float]:
        r"""Values of tau squared, the first far below and the second above all that matters.

        With S any sum of :math:`e_r^2/\lambda_r`, the score is positive beyond the larger root of
        :math:`t^2 a - t b - S`, where :math:`a = \lambda_{\min} df` and
        :math:`b = \lambda_{\min} S`.
        """
        spread = self.rows.spread
        within = spread > 0
        smallest, largest = spread[within].min(), spread.max()
        S = float((self.at(0.0).residual[within] ** 2 / spread[within]).sum())
        a, b = smallest * max(self.df, 1), smallest * S
        upper = (b + np.sqrt(b**2 + 4 * a * S)) / (2 * a)
        return 1e-3 / float(largest), max(float(upper), 1 / float(smallest))


@final
@dataclass(frozen=True)
class Estimate:
    """An estimate of tau squared.

    Parameters
    ----------
    value : float
        Zero or above.
    others : tuple of float
        Other local maxima of the likelihood, lower than the one at ``value``.
    """

    value: float
    others: tuple[float, ...] = ()


def moments(profile: Profile) -> Estimate:
    r"""Return the moment estimate of DerSimonian and Laird, for any network.

    .. math:: \hat\tau^2 = \max\left(0, \frac{Q - df}{\sum_r \lambda_r (1 - h_r)}\right)

    In unrotated form the denominator is :math:`tr(W D) - tr((X'WX)^{-1} X'W D W X)`, with W the
    inverse sampling covariance and D the covariance of effects at tau = 1.
    """
    fit = profile.at(0.0)
    per_tau = float(profile.rows.spread @ (1 - fit.leverage))
    return Estimate(max(0.0, (fit.Q - profile.df) / per_tau))


def generalised_q(profile: Profile) -> Estimate:
    """Return the value at which generalised Q equals its degrees of freedom (Paule, Mandel)."""

    def excess(t: float) -> float:
        return profile.at(t).Q - profile.df

    if excess(0.0) <= 0:
        return Estimate(0.0)
    upper = _beyond(lambda t: -excess(t), profile.widths[1])
    return Estimate(_root(excess, 0.0, upper))


def maximum(profile: Profile, *, restricted: bool) -> Estimate:
    """Return the highest of all maxima of the likelihood; the lower end, zero, may be one."""

    def score(t: float) -> float:
        return profile.score(t, restricted=restricted)

    lower, upper = profile.widths
    upper = _beyond(score, upper)
    count = 2 + int(PER_DECADE * np.log10(upper / lower))
    grid = np.r_[0.0, np.geomspace(lower, upper, count)]
    found = np.array([score(t) for t in grid])
    turns = np.flatnonzero((found[:-1] < 0) & (found[1:] >= 0))
    maxima = [0.0] if found[0] >= 0 else []
    maxima += [_root(score, grid[k], grid[k + 1]) for k in turns]
    maxima.sort(key=lambda t: -profile.log_likelihood(t, restricted=restricted))
    return Estimate(maxima[0], tuple(maxima[1:]))


def _beyond(function: Callable[[float], float], start: float) -> float:
    """Return a value at or above ``start`` where the function is positive."""
    value = start
    for _ in range(40):
        if function(value) > 0:
            return value
        value *= 10
    message = (
        "No value of tau fits these trials: the spread between them grows faster than any "
        "heterogeneity allows. Look for a wrong standard error, or give tau as a number."
    )
    raise EngineError(message)


def _root(function: Callable[[float], float], lower: float, upper: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(function, lower, upper, xtol=1e-300, rtol=1e-14, maxiter=500))


Name = Literal["DL", "REML", "ML", "PM"]

ESTIMATORS: dict[str, Callable[[Profile], Estimate]] = {
    "DL": moments,
    "REML": lambda profile: maximum(profile, restricted=True),
    "ML": lambda profile: maximum(profile, restricted=False),
    "PM": generalised_q,
}
"""By name: DerSimonian and Laird, restricted and full maximum likelihood, Paule and Mandel."""
