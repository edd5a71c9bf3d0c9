"""What is to be learnt: beta with its prior, and the scales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from nma.errors import ModelError
from nma.mixtures import readonly
from nma.priors import Prior

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Parameters", "Scale"]


RESERVED = {"beta", "u", "chain", "draw", "parameter", "arm", "study"}
"""Names that mean something else among the draws."""


@final
@dataclass(frozen=True)
class Scale:
    """A standard deviation to be learnt, such as the heterogeneity tau.

    Parameters
    ----------
    name : str
        Its name in the draws.
    prior : Prior
        Its prior, on zero and above.

    Raises
    ------
    ModelError
        If the name cannot be one of a variable or means something else among the draws, or the
        prior allows negative values.

    Examples
    --------
    >>> import nma
    >>> nma.problem.Scale("tau_class", nma.priors.HalfNormal(0.5)).name
    'tau_class'
    """

    name: str
    prior: Prior

    def __post_init__(self) -> None:
        taken = self.name in RESERVED or self.name.startswith(("trial_level", "auxiliary"))
        if taken or not self.name.isidentifier():
            message = f"A scale cannot be called {self.name!r}: choose a word like tau_class."
            raise ModelError(message)
        if self.prior.support[0] < 0:
            message = (
                f"{self.prior!r} allows negative values, and {self.name} is a standard deviation. "
                "Use a prior on zero and above, such as HalfNormal or Uniform(0, 5)."
            )
            raise ModelError(message)


@final
@dataclass(frozen=True, eq=False)
class Parameters:
    """Multivariate normal prior of beta, at unit scale.

    Parameters
    ----------
    names : tuple of str
        One for each parameter.
    mean : array, (parameter,)
        Prior mean.
    covariance : array, (parameter, parameter)
        Prior covariance before any scale multiplies; positive definite.
    scale : tuple of str or None
        For each parameter the name of the scale that multiplies its deviation from the mean.
    scales : tuple of Scale
        The scales named there.

    Examples
    --------
    >>> import nma
    >>> slope = nma.problem.Parameters.independent(["per year of age"], 0.1)
    >>> both = nma.problem.Parameters.exchangeable(["B vs A", "C vs A"], 10.0) + slope
    >>> both.names, both.covariance.shape
    (('B vs A', 'C vs A', 'per year of age'), (3, 3))
    """

    names: tuple[str, ...]
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    scale: tuple[str | None, ...] = ()
    scales: tuple[Scale, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", readonly(self.mean))
        object.__setattr__(self, "covariance", readonly(self.covariance))
        object.__setattr__(self, "scale", self.scale or (None,) * len(self.names))

    @classmethod
    def exchangeable(
        cls, names: Sequence[str], sd: float, *, scale: Scale | None = None
    ) -> Parameters:
        """Return effects against one treatment such that every contrast has prior sd ``sd``.

        The covariance is sd^2/2 (I + J), multiplied by ``scale`` where one is given: changing which
        treatment they are against changes nothing.

        Parameters
        ----------
        names : sequence of str
            One for each effect.
        sd : float
            Prior standard deviation of every contrast, on the scale of the model.
        scale : Scale, optional
            What multiplies them all; ``sd`` is then that at a scale of one.

        Returns
        -------
        nma.problem.Parameters
            With mean zero.

        Examples
        --------
        >>> import nma
        >>> prior = nma.problem.Parameters.exchangeable(["B vs A", "C vs A"], 2.0)
        >>> prior.covariance.tolist()
        [[4.0, 2.0], [2.0, 4.0]]
        """
        size = len(names)
        covariance = sd**2 / 2 * (np.eye(size) + np.ones((size, size)))
        return cls._centred(names, covariance, scale)

    @classmethod
    def independent(
        cls, names: Sequence[str], sd: float, *, scale: Scale | None = None
    ) -> Parameters:
        """Return iid N(0, sd^2) parameters, all multiplied by ``scale`` where one is given.

        Parameters
        ----------
        names : sequence of str
            One for each parameter.
        sd : float
            Prior standard deviation of each, on the scale of the model.
        scale : Scale, optional
            What multiplies them all; ``sd`` is then that at a scale of one.

        Returns
        -------
        nma.problem.Parameters
            With mean zero.

        Examples
        --------
        >>> import nma
        >>> tau_class = nma.problem.Scale("tau_class", nma.priors.HalfNormal(0.5))
        >>> nma.problem.Parameters.independent(["yoga", "Pilates"], 1.0, scale=tau_class).scale
        ('tau_class', 'tau_class')
        """
        return cls._centred(names, sd**2 * np.eye(len(names)), scale)

    @classmethod
    def _centred(
        cls, names: Sequence[str], covariance: NDArray[np.float64], scale: Scale | None
    ) -> Parameters:
        multiplier = () if scale is None else (scale.name,) * len(names)
        scales = () if scale is None else (scale,)
        return cls(tuple(names), np.zeros(len(names)), covariance, multiplier, scales)

    def __add__(self, other: Parameters) -> Parameters:
        """Return the parameters of both, independent of each other; a scale of both is one."""
        first, second = len(self.names), len(other.names)
        covariance = np.zeros((first + second, first + second))
        covariance[:first, :first] = self.covariance
        covariance[first:, first:] = other.covariance
        return Parameters(
            names=self.names + other.names,
            mean=np.concatenate([self.mean, other.mean]),
            covariance=covariance,
            scale=self.scale + other.scale,
            scales=tuple(dict.fromkeys(self.scales + other.scales)),
        )
