"""Exact answers: mixtures of normals for effects, tabulated curves for scales."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nma.threads import one_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Marginal", "Mixture", "Moments", "readonly"]

TOUCHED = 1e-8
"""Share of a function's coefficients that lies along a direction nothing determines."""


def readonly(array: Any) -> NDArray[Any]:
    """Return ``array`` as an array nobody can write to."""
    frozen = np.asarray(array)
    if frozen.flags.writeable:
        frozen = frozen.view()
        frozen.setflags(write=False)
    return frozen


@final
@dataclass(frozen=True, eq=False)
class Marginal:
    """The posterior of one scale, tabulated.

    Parameters
    ----------
    value : array, (point,)
        Values of the scale, increasing.
    cumulative : array, (point,)
        Posterior probability of lying at or below each value, from 0 to 1.
    mean, sd : float
        Posterior mean and standard deviation, by quadrature.
    """

    value: NDArray[np.float64]
    cumulative: NDArray[np.float64]
    mean: float
    sd: float

    def quantile(self, probability: float) -> float:
        """Return the value below which the scale lies with the given probability."""
        return float(np.interp(probability, self.cumulative, self.value))


@final
@dataclass(frozen=True, eq=False)
class Mixture:
    """Several mixtures of normals, or of scaled t distributions, over the same nodes.

    Parameters
    ----------
    weight : array, (node,)
        Sums to one.
    means, sds : array, (node, function)
        The components of each function; NaN where nothing determines it.
    df : float, default inf
        Degrees of freedom of the components; normal if infinite. Of t components the ``sds`` are
        the factors by which a standard t is multiplied: standard errors.
    """

    weight: NDArray[np.float64]
    means: NDArray[np.float64]
    sds: NDArray[np.float64]
    df: float = np.inf

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean of each function."""
        return self.weight @ self.means

    @property
    def sd(self) -> NDArray[np.float64]:
        """Standard deviation of each function; of t components, their standard error."""
        return np.sqrt(self.weight @ (self.sds**2 + (self.means - self.mean) ** 2))

    def times(self, factor: float) -> Mixture:
        """Return each function multiplied by a number."""
        return Mixture(self.weight, factor * self.means, abs(factor) * self.sds, self.df)

    def plus(self, variance: NDArray[np.float64]) -> Mixture:
        """Return each function plus an independent normal with mean zero.

        Of t components the squared standard errors are added, and the degrees of freedom stay.

        Parameters
        ----------
        variance : array, (node, function)
            The variance added to each component.
        """
        return Mixture(self.weight, self.means, np.sqrt(self.sds**2 + variance), self.df)

    def averaged(
        self, function: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and standard deviation of a smooth function of each, of normal components.

        By the trapezoid rule, which is exact to rounding for exponentials and for inverse links
        that have no pole within pi/2 of the real line.

        Parameters
        ----------
        function : callable
            Growing no faster than an exponential, which elementwise it is asked at.
        """
        found = [
            _averaged(function, self.weight, means, sds)
            for means, sds in zip(self.means.T, self.sds.T, strict=True)
        ]
        mean, sd = np.array(found).T
        return mean, sd

    def below(self, x: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Return the probability that each function is below ``x``."""
        sds = np.maximum(self.sds, np.finfo(float).tiny)
        with np.errstate(over="ignore"):  # a known number is on one side or the other
            z = (x - self.means) / sds
        return np.asarray(self.weight @ _cumulative(z, self.df))

    def quantile(self, probability: float) -> NDArray[np.float64]:
        """Return the quantile of each function, to 1e-12 of its standard deviation.

        Or to a probability of 1e-12, which is more where tails are so heavy that the standard
        deviation says little. Newton steps inside a shrinking bracket; the bracket comes from the
        components, whose quantiles enclose that of the mixture.
        """
        sds = np.maximum(self.sds, np.finfo(float).tiny)
        component = self.means + _standard_quantile(probability, self.df) * self.sds
        lower, upper = component.min(axis=0), component.max(axis=0)
        x = np.clip(self.weight @ component, lower, upper)
        sd, tiny = self.sd, np.finfo(float).tiny
        for _ in range(200):
            excess, density = self._excess(x, sds, probability)
            lower, upper = np.where(excess > 0, lower, x), np.where(excess > 0, x, upper)
            newton = x - excess / np.maximum(density, tiny)
            inside = (newton >= lower) & (newton <= upper)
            step = np.where(inside, newton, (lower + upper) / 2)
            close = 1e-12 * np.minimum(sd, 1 / np.maximum(density, tiny))
            if not np.any(np.abs(step - x) > close):  # never where nothing is determined
                return step
            x = step
        return x

    def _excess(
        self, x: NDArray[np.float64], sds: NDArray[np.float64], probability: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the probability below ``x`` less the one wanted, and the density there."""
        with np.errstate(over="ignore"):  # a component that is one number has no width
            z = (x - self.means) / sds
            excess = self.weight @ _cumulative(z, self.df) - probability
            return excess, self.weight @ (_density(z, self.df) / sds)


def _averaged(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    weight: NDArray[np.float64],
    means: NDArray[np.float64],
    sds: NDArray[np.float64],
) -> tuple[float, float]:
    """Return mean and standard deviation of a function of one mixture; infinite if they overflow.

    The nodes reach to where the square of an exponential has its mass, 2 sd from the middle.
    """
    if not np.isfinite(means).all():
        return np.nan, np.nan
    widest = float(sds.max(initial=0.0))
    if not widest and (means == means[0]).all():
        return float(function(means[:1])[0]), 0.0
    step = 0.25 / max(1.0, widest)
    z = step * np.arange(-np.ceil(9 / step), np.ceil((9 + min(2 * widest, 30)) / step) + 1)
    share = step * _density(z, np.inf)
    with np.errstate(over="ignore", invalid="ignore"):
        values = function(means[:, None] + sds[:, None] * z)
        mean = weight @ (values @ share)
        sd = np.sqrt(weight @ ((values - mean) ** 2 @ share))
    found = np.nan_to_num([mean, sd], nan=np.inf)
    return float(found[0]), float(found[1])


def _cumulative(z: NDArray[np.float64], df: float) -> NDArray[np.float64]:
    """Return the cumulative distribution of a standard normal, or of t."""
    from scipy.special import ndtr, stdtr

    return np.asarray(stdtr(df, z) if np.isfinite(df) else ndtr(z))


def _standard_quantile(probability: float, df: float) -> float:
    from scipy.special import ndtri, stdtrit

    return float(stdtrit(df, probability) if np.isfinite(df) else ndtri(probability))


def _density(z: NDArray[np.float64], df: float) -> NDArray[np.float64]:
    from scipy.special import gammaln

    if not np.isfinite(df):
        return np.asarray(np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi))
    level = gammaln((df + 1) / 2) - gammaln(df / 2) - 0.5 * np.log(df * np.pi)
    return np.asarray(np.exp(level - (df + 1) / 2 * np.log1p(z**2 / df)))


@final
@dataclass(frozen=True, eq=False)
class Moments:
    """The exact posterior: a mixture of normals, one for each quadrature node of the scales.

    Least squares has one node, at its estimate of the scale, and flat priors.

    Parameters
    ----------
    weight : array, (node,)
        Posterior probability of each node; sums to one.
    scales : mapping of str to array, (node,)
        The scales at each node.
    mean : array, (node, parameter)
        Posterior mean of beta given the scales.
    covariance : array, (node, parameter, parameter)
        Posterior covariance of beta given the scales.
    log_evidence : float
        Logarithm of the marginal likelihood of the observed contrasts; NaN where priors are flat.
    marginals : mapping of str to Marginal
        The posterior distribution of each scale.
    df : float, default inf
        Degrees of freedom of t distributions in place of the normals; ``covariance`` is then their
        squared scale.
    unknown : array, (parameter, direction)
        Orthonormal directions of beta that nothing determines, where priors are flat: ``mean`` and
        ``covariance`` have no part along them, and functions that move along one are NaN.

    Examples
    --------
    >>> import nma
    >>> moments = nma.fit(nma.datasets.network("back_pain")).draws.moments
    >>> print(moments.weight.sum().round(12), moments.mean.shape[1])
    1.0 3
    """

    weight: NDArray[np.float64]
    scales: Mapping[str, NDArray[np.float64]]
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    log_evidence: float
    marginals: Mapping[str, Marginal]
    df: float = np.inf
    unknown: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))

    def __post_init__(self) -> None:
        for name in ("weight", "mean", "covariance", "unknown"):
            object.__setattr__(self, name, readonly(getattr(self, name)))

    def of(self, contrasts: NDArray[np.float64]) -> Mixture:
        """Return the posterior of linear functions of beta.

        Parameters
        ----------
        contrasts : array, (function, parameter) or (node, function, parameter)
            The coefficients of each, where the scales matter at every node.

        Returns
        -------
        Mixture
            With ``mean``, ``sd`` and ``quantile`` of each function.

        Examples
        --------
        >>> import nma
        >>> import numpy as np
        >>> moments = nma.fit(nma.datasets.network("back_pain")).draws.moments
        >>> moments.of(np.eye(3)).mean.round(2).tolist()
        [-0.29, 1.42, -0.02]
        """
        if contrasts.ndim == 3:
            means = np.einsum("nfp,np->nf", contrasts, self.mean)
            variance = np.einsum("nfp,nfp->nf", np.matmul(contrasts, self.covariance), contrasts)
            return self._mixture(means, variance, contrasts)
        moved = self.covariance @ contrasts.T
        variance = np.einsum("fp,npf->nf", contrasts, moved)
        return self._mixture(self.mean @ contrasts.T, variance, contrasts)

    def differences(
        self, levels: NDArray[np.float64], first: NDArray[np.int64], second: NDArray[np.int64]
    ) -> Mixture:
        """Return the posterior of differences between levels, many pairs at little cost.

        Parameters
        ----------
        levels : array, (level, parameter)
            The levels as functions of beta.
        first, second : array of int, (pair,)
            Each difference is level ``first`` minus level ``second``.

        Returns
        -------
        Mixture
            With ``mean``, ``sd`` and ``quantile`` of each pair's difference.

        Examples
        --------
        >>> import nma
        >>> import numpy as np
        >>> moments = nma.fit(nma.datasets.network("back_pain")).draws.moments
        >>> levels = np.vstack([np.zeros(3), np.eye(3)])
        >>> moments.differences(levels, np.array([2]), np.array([0])).mean.round(2).tolist()
        [1.42]
        """
        with one_thread():
            between = levels @ self.covariance @ levels.T
        variance = np.diagonal(between, axis1=1, axis2=2)
        spread = variance[:, first] + variance[:, second] - 2 * between[:, first, second]
        mean = self.mean @ levels.T
        means = mean[:, first] - mean[:, second]
        moves = levels[first] - levels[second] if self.unknown.size else levels
        return self._mixture(means, spread, moves)

    def _mixture(
        self,
        means: NDArray[np.float64],
        variance: NDArray[np.float64],
        contrasts: NDArray[np.float64],
    ) -> Mixture:
        sds = np.sqrt(np.maximum(variance, 0.0))
        if self.unknown.size:
            along = np.linalg.norm(contrasts @ self.unknown, axis=-1)
            touched = along > TOUCHED * np.linalg.norm(contrasts, axis=-1)
            means, sds = (np.where(touched, np.nan, array) for array in (means, sds))
        return Mixture(self.weight, means, sds, self.df)
