"""Prior distributions as values: each knows its density, its support and how it is written."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Protocol, final, runtime_checkable

import numpy as np

from nma.arrays import ndtr, ndtri
from nma.errors import ModelError

__all__ = [
    "Fixed",
    "HalfCauchy",
    "HalfNormal",
    "Invertible",
    "Measured",
    "Normal",
    "Prior",
    "QuantilePrior",
    "Uniform",
    "finite",
    "require",
]


@runtime_checkable
class Prior(Protocol):
    """A distribution of one real quantity.

    ``origin`` says where the numbers came from when the library chose them; it is empty for a
    prior the user wrote.
    """

    @property
    def origin(self) -> str:
        """Where the numbers came from; empty when the user gave them."""

    @property
    def support(self) -> tuple[float, float]:
        """The interval outside which the density is zero."""

    def log_density(self, x: Any, xp: Any = np) -> Any:
        """Natural logarithm of the normalised density at ``x``.

        Written in the functions of ``xp``, which is NumPy, or PyTensor's tensors where an engine
        needs derivatives.
        """


@runtime_checkable
class QuantilePrior(Prior, Protocol):
    """A prior that also tells its quantiles, so that a standard normal quantity can carry it."""

    def at_score(self, z: Any, xp: Any = np) -> Any:
        r"""Value below which lies the probability :math:`\Phi(z)`; smooth and increasing in z.

        Where z is standard normal, the value has this prior exactly.
        """


@runtime_checkable
class Invertible(Protocol):
    """A prior that knows its quantiles as numbers, for tables; those of others take quadrature.

    ``QuantilePrior.at_score`` tells the same to engines, which need derivatives.
    """

    def quantile(self, probability: float) -> float:
        """Value below which the quantity lies with the given probability."""


@runtime_checkable
class Measured(Protocol):
    """A prior that holds for some measures only, such as odds ratios."""

    def on(self, measure: str) -> Prior:
        """Prior as it stands for a measure, what is unusual about that in its ``origin``.

        Raises
        ------
        ModelError
            If it says nothing about the measure.
        """


def require(condition: bool, prior: object, rule: str) -> None:
    """Refuse numbers that make no distribution."""
    if not condition:
        message = f"{prior!r} is not a distribution: {rule}."
        raise ModelError(message)


def finite(*numbers: float) -> bool:
    """Return whether all numbers are finite."""
    return all(math.isfinite(number) for number in numbers)


@final
@dataclass(frozen=True)
class Normal:
    r"""Normal prior, :math:`x \sim N(\mathrm{mean}, \mathrm{sd}^2)`.

    Parameters
    ----------
    mean : float
        Mean.
    sd : float
        Standard deviation, positive.
    origin : str, optional
        Where the numbers came from, when the library chose them.

    Raises
    ------
    ModelError
        If sd is not above zero, or a number is not finite.

    Examples
    --------
    >>> import nma
    >>> nma.priors.Normal(0, 100)
    Normal(mean=0, sd=100)
    """

    mean: float
    sd: float
    origin: str = field(default="", compare=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        require(finite(self.mean, self.sd) and self.sd > 0, self, "sd must be positive")

    @property
    def support(self) -> tuple[float, float]:
        """The whole line."""
        return -math.inf, math.inf

    def quantile(self, probability: float) -> float:
        """Value below which the quantity lies with the given probability."""
        return self.mean + self.sd * float(ndtri(probability, np))

    def log_density(self, x: Any, xp: Any = np) -> Any:  # noqa: ARG002  arithmetic is enough
        """Natural logarithm of the density."""
        z = (x - self.mean) / self.sd
        return -0.5 * z**2 - math.log(self.sd * math.sqrt(2 * math.pi))

    def at_score(self, z: Any, xp: Any = np) -> Any:  # noqa: ARG002  arithmetic is enough
        """Value at the normal score ``z``."""
        return self.mean + self.sd * z


@final
@dataclass(frozen=True)
class HalfNormal:
    r"""Half-normal prior, :math:`x = |z|` with :math:`z \sim N(0, \mathrm{scale}^2)`.

    Parameters
    ----------
    scale : float
        Standard deviation of the normal that is folded, positive; the median is 0.674 scale.
    origin : str, optional
        Where the number came from, when the library chose it.

    Raises
    ------
    ModelError
        If the scale is not above zero, or not finite.

    Examples
    --------
    >>> import nma
    >>> nma.heterogeneity.Random(tau=nma.priors.HalfNormal(5))
    Random(tau=HalfNormal(scale=5))

    References
    ----------
    Gelman 2006, doi:10.1214/06-BA117A; Roever et al. 2021, doi:10.1002/jrsm.1475.
    """

    scale: float
    origin: str = field(default="", compare=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        require(finite(self.scale) and self.scale > 0, self, "scale must be positive")

    @property
    def support(self) -> tuple[float, float]:
        """Zero and above."""
        return 0.0, math.inf

    def quantile(self, probability: float) -> float:
        """Value below which the quantity lies with the given probability."""
        return self.scale * float(ndtri((1 + probability) / 2, np))

    def log_density(self, x: Any, xp: Any = np) -> Any:
        """Natural logarithm of the density."""
        z = x / self.scale
        inside = -0.5 * z**2 - math.log(self.scale * math.sqrt(math.pi / 2))
        return xp.where(z >= 0, inside, -math.inf)

    def at_score(self, z: Any, xp: Any = np) -> Any:
        """Value at the normal score ``z``."""
        return -self.scale * ndtri(ndtr(-z, xp) / 2, xp)


@final
@dataclass(frozen=True)
class HalfCauchy:
    r"""Half-Cauchy prior, :math:`p(x) = 2 / (\pi s (1 + x^2/s^2))` for :math:`x \ge 0`.

    Parameters
    ----------
    scale : float
        Scale s, positive; also the median.
    origin : str, optional
        Where the number came from, when the library chose it.

    Raises
    ------
    ModelError
        If the scale is not above zero, or not finite.

    Examples
    --------
    >>> import nma
    >>> nma.heterogeneity.Random(tau=nma.priors.HalfCauchy(0.5))
    Random(tau=HalfCauchy(scale=0.5))
    >>> round(nma.priors.HalfCauchy(0.5).quantile(0.95), 1)
    6.4

    References
    ----------
    Gelman 2006, doi:10.1214/06-BA117A.
    """

    scale: float
    origin: str = field(default="", compare=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        require(finite(self.scale) and self.scale > 0, self, "scale must be positive")

    @property
    def support(self) -> tuple[float, float]:
        """Zero and above."""
        return 0.0, math.inf

    def quantile(self, probability: float) -> float:
        """Value below which the quantity lies with the given probability."""
        return self.scale * math.tan(math.pi * probability / 2)

    def log_density(self, x: Any, xp: Any = np) -> Any:
        """Natural logarithm of the density."""
        z = x / self.scale
        inside = math.log(2 / (math.pi * self.scale)) - xp.log1p(z**2)
        return xp.where(z >= 0, inside, -math.inf)

    def at_score(self, z: Any, xp: Any = np) -> Any:
        """Value at the normal score ``z``."""
        return self.scale / xp.tan(math.pi / 2 * ndtr(-z, xp))


@final
@dataclass(frozen=True)
class Uniform:
    """Uniform prior between two limits.

    Parameters
    ----------
    lower, upper : float
        The limits, ``lower < upper``.
    origin : str, optional
        Where the numbers came from, when the library chose them.

    Raises
    ------
    ModelError
        If the limits are not finite, or the lower is not below the upper.

    Examples
    --------
    >>> import nma
    >>> nma.heterogeneity.Random(tau=nma.priors.Uniform(0, 5))
    Random(tau=Uniform(lower=0, upper=5))

    References
    ----------
    Gelman 2006, doi:10.1214/06-BA117A.
    """

    lower: float
    upper: float
    origin: str = field(default="", compare=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        ordered = finite(self.lower, self.upper) and self.lower < self.upper
        require(ordered, self, "lower must be below upper")

    @property
    def support(self) -> tuple[float, float]:
        """The two limits."""
        return self.lower, self.upper

    def quantile(self, probability: float) -> float:
        """Value below which the quantity lies with the given probability."""
        return self.lower + probability * (self.upper - self.lower)

    def log_density(self, x: Any, xp: Any = np) -> Any:
        """Natural logarithm of the density."""
        inside = (x >= self.lower) & (x <= self.upper)
        return xp.where(inside, -math.log(self.upper - self.lower), -math.inf)

    def at_score(self, z: Any, xp: Any = np) -> Any:
        """Value at the normal score ``z``."""
        return self.lower + (self.upper - self.lower) * ndtr(z, xp)


@final
@dataclass(frozen=True)
class Fixed:
    """A known number: the prior with all its mass at one value.

    Parameters
    ----------
    value : float
        The number.
    origin : str, optional
        Where the number came from, when the library chose it.

    Raises
    ------
    ModelError
        If the value is not finite.

    Examples
    --------
    >>> import nma
    >>> nma.heterogeneity.Random(tau=nma.priors.Fixed(0.36))
    Random(tau=Fixed(value=0.36))
    """

    value: float
    origin: str = field(default="", compare=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        require(finite(self.value), self, "value must be finite")

    @property
    def support(self) -> tuple[float, float]:
        """The one value, twice."""
        return self.value, self.value

    def quantile(self, probability: float) -> float:  # noqa: ARG002  whatever it is
        """Return the one value."""
        return self.value

    def log_density(self, x: Any, xp: Any = np) -> Any:
        """Zero at the value (mass, not density), minus infinity elsewhere."""
        return xp.where(xp.equal(x, self.value), 0.0, -math.inf)

    def at_score(self, z: Any, xp: Any = np) -> Any:  # noqa: ARG002  the same at every score
        """Value at the normal score ``z``."""
        return self.value + 0 * z
