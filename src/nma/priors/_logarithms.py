"""Priors of a positive quantity by its logarithm, written for the quantity or for its square."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from nma.arrays import ndtri
from nma.priors._values import finite, require

__all__ = ["LogNormal", "LogT"]


@final
@dataclass(frozen=True)
class LogNormal:
    r"""Log-normal prior, :math:`\log x \sim N(\mathrm{mean}, \mathrm{sd}^2)`.

    Priors of heterogeneity are often published for the variance :math:`\tau^2`:
    ``LogNormal.of_square(m, s)`` takes those numbers as they are printed.

    Parameters
    ----------
    mean, sd : float
        Mean and (positive) standard deviation of the logarithm.
    origin : str, optional
        Where the numbers came from, when the library chose them.

    Raises
    ------
    ModelError
        If sd is not above zero, or a number is not finite.

    Examples
    --------
    >>> import nma
    >>> nma.priors.LogNormal.of_square(-3.93, 1.51)
    LogNormal(mean=-1.965, sd=0.755)
    """

    mean: float
    sd: float
    origin: str = field(default="", compare=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        require(finite(self.mean, self.sd) and self.sd > 0, self, "sd must be positive")

    @classmethod
    def of_square(cls, mean: float, sd: float) -> LogNormal:
        r"""Return the prior of x when :math:`\log x^2 \sim N(\mathrm{mean}, \mathrm{sd}^2)`.

        The logarithm of x has half that mean and half that standard deviation.

        Parameters
        ----------
        mean, sd : float
            Mean and standard deviation of the logarithm of the square, as they are printed.

        Returns
        -------
        LogNormal
            Of x itself, with what was printed as its origin.

        Examples
        --------
        >>> import nma
        >>> nma.priors.LogNormal.of_square(-3.93, 1.51).origin
        'log-normal(-3.93, 1.51^2) on its square'
        """
        written = f"log-normal({mean:g}, {sd:g}^2) on its square"
        return cls(mean / 2, sd / 2, origin=written)

    @property
    def support(self) -> tuple[float, float]:
        """Zero and above."""
        return 0.0, math.inf

    def quantile(self, probability: float) -> float:
        """Value below which the quantity lies with the given probability."""
        return _exp(self.mean + self.sd * float(ndtri(probability, np)))

    def log_density(self, x: Any, xp: Any = np) -> Any:
        """Natural logarithm of the density."""
        positive = x > 0
        log_x = xp.log(xp.where(positive, x, 1.0))
        z = (log_x - self.mean) / self.sd
        inside = -0.5 * z**2 - log_x - math.log(self.sd * math.sqrt(2 * math.pi))
        return xp.where(positive, inside, -math.inf)

    def at_score(self, z: Any, xp: Any = np) -> Any:
        """Value at the normal score ``z``."""
        return xp.exp(self.mean + self.sd * z)


@final
@dataclass(frozen=True)
class LogT:
    r"""Log-t prior, :math:`\log x = \mathrm{location} + \mathrm{scale}\, t`, with t on df degrees.

    .. math:: p(x) = \frac{1}{x\, s}\, t_\nu\!\left(\frac{\log x - m}{s}\right)

    Its tails are so heavy that no mean exists: leave it to data that tell something of x.
    ``LogT.of_square`` takes numbers that were published for :math:`x^2`.

    Parameters
    ----------
    location, scale : float
        Centre m and (positive) scale s of the logarithm. The scale is no standard deviation, which
        is larger by :math:`\sqrt{\nu/(\nu - 2)}`.
    df : float, default 5
        Degrees of freedom, positive.
    origin : str, optional
        Where the numbers came from, when the library chose them.

    Raises
    ------
    ModelError
        If scale or df is not above zero, or a number is not finite.

    Examples
    --------
    >>> import nma
    >>> nma.priors.LogT.of_square(-3.44, 2.59)
    LogT(location=-1.72, scale=1.295, df=5)
    """

    location: float
    scale: float
    df: float = 5
    origin: str = field(default="", compare=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        positive = self.scale > 0 and self.df > 0
        known = finite(self.location, self.scale, self.df)
        require(known and positive, self, "scale and df must be positive")

    @classmethod
    def of_square(cls, location: float, scale: float, df: float = 5) -> LogT:
        r"""Return the prior of x when :math:`\log x^2 = \mathrm{location} + \mathrm{scale}\, t`.

        The logarithm of x has half that location and half that scale, on the same degrees of
        freedom.

        Parameters
        ----------
        location, scale : float
            Centre and scale of the logarithm of the square, as they are printed.
        df : float, default 5
            Degrees of freedom.

        Returns
        -------
        LogT
            Of x itself, with what was printed as its origin.

        Examples
        --------
        >>> import nma
        >>> nma.priors.LogT.of_square(-3.44, 2.59).origin
        'log-t(-3.44, 2.59^2) with 5 df on its square'
        """
        written = f"log-t({location:g}, {scale:g}^2) with {df:g} df on its square"
        return cls(location / 2, scale / 2, df, origin=written)

    @property
    def support(self) -> tuple[float, float]:
        """Zero and above."""
        return 0.0, math.inf

    def quantile(self, probability: float) -> float:
        """Value below which the quantity lies with the given probability."""
        from scipy.special import stdtrit

        return _exp(self.location + self.scale * float(stdtrit(self.df, probability)))

    def log_density(self, x: Any, xp: Any = np) -> Any:
        """Natural logarithm of the density."""
        positive = x > 0
        log_x = xp.log(xp.where(positive, x, 1.0))
        z = (log_x - self.location) / self.scale
        half = (self.df + 1) / 2
        constant = math.lgamma(half) - math.lgamma(self.df / 2) - math.log(self.df * math.pi) / 2
        inside = constant - math.log(self.scale) - log_x - half * xp.log1p(z**2 / self.df)
        return xp.where(positive, inside, -math.inf)


def _exp(logarithm: float) -> float:
    """Return the exponential, infinite where it is too large for a number."""
    with np.errstate(over="ignore"):
        return float(np.exp(logarithm))
