"""Exact posterior marginals: mixtures of normals for effects, tabulated curves for scales."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Marginal", "Mixture"]


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
    """Several mixtures of normals over the same nodes.

    Parameters
    ----------
    weight : array, (node,)
        Sums to one.
    means, sds : array, (node, function)
        The components of each function.
    """

    weight: NDArray[np.float64]
    means: NDArray[np.float64]
    sds: NDArray[np.float64]

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean of each function."""
        return self.weight @ self.means

    @property
    def sd(self) -> NDArray[np.float64]:
        """Standard deviation of each function."""
        return np.sqrt(self.weight @ (self.sds**2 + (self.means - self.mean) ** 2))

    def plus(self, variance: NDArray[np.float64]) -> Mixture:
        """Return each function plus an independent normal with mean zero.

        Parameters
        ----------
        variance : array, (node, function)
            The variance added to each component.
        """
        return Mixture(self.weight, self.means, np.sqrt(self.sds**2 + variance))

    def below(self, x: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Return the probability that each function is below ``x``."""
        from scipy.special import ndtr

        sds = np.maximum(self.sds, np.finfo(float).tiny)
        with np.errstate(over="ignore"):  # a known number is on one side or the other
            z = (x - self.means) / sds
        return np.asarray(self.weight @ ndtr(z))

    def quantile(self, probability: float) -> NDArray[np.float64]:
        """Return the quantile of each function, to 1e-12 of its standard deviation.

        Newton steps inside a shrinking bracket; the bracket comes from the components, whose
        quantiles enclose that of the mixture.
        """
        from scipy.special import ndtr, ndtri

        sds = np.maximum(self.sds, np.finfo(float).tiny)
        component = self.means + ndtri(probability) * self.sds
        lower, upper = component.min(axis=0), component.max(axis=0)
        x = np.clip(self.weight @ component, lower, upper)
        tolerance = 1e-12 * self.sd
        for _ in range(200):
            z = (x - self.means) / sds
            excess = self.weight @ ndtr(z) - probability
            density = self.weight @ (np.exp(-0.5 * z**2) / (sds * np.sqrt(2 * np.pi)))
            lower, upper = np.where(excess > 0, lower, x), np.where(excess > 0, x, upper)
            newton = x - excess / np.maximum(density, np.finfo(float).tiny)
            inside = (newton >= lower) & (newton <= upper)
            step = np.where(inside, newton, (lower + upper) / 2)
            if np.all(np.abs(step - x) <= tolerance):
                return step
            x = step
        return x
