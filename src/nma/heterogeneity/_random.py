"""Random effects: every trial has its own effect, around a common mean."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np

from nma.errors import ModelError
from nma.network import Network
from nma.priors import HalfNormal, Measured, Prior
from nma.problem import ArmEffect, Scale

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Random"]


@final
@dataclass(frozen=True)
class Random:
    r"""Arms differ between trials: :math:`u_{ik} \sim N(0, \tau^2/2)`, independent.

    Contrasts within a trial then vary by :math:`\tau^2` and have correlation 1/2, in trials with
    any number of arms.

    Parameters
    ----------
    tau : Prior, optional
        Prior of the heterogeneity standard deviation, on the scale of the model (of logarithms for
        ratio measures); half-normal(1) for log ratios and half-normal(unit/2) for other measures
        if not given.

    Raises
    ------
    ModelError
        If ``tau`` is no prior: a known value is written ``priors.Fixed(0.3)``.

    Examples
    --------
    >>> import nma
    >>> nma.heterogeneity.Random(tau=nma.priors.Uniform(0, 5))
    Random(tau=Uniform(lower=0, upper=5))

    References
    ----------
    Higgins and Whitehead 1996, Statistics in Medicine 15:2733-2749, on correlation 1/2;
    Roever et al. 2021, doi:10.1002/jrsm.1475, on weakly informative priors.
    """

    tau: Prior | None = None

    def __post_init__(self) -> None:
        if isinstance(self.tau, type):
            message = f"tau={self.tau.__name__} is a kind of prior: give it numbers."
            raise ModelError(message)
        if self.tau is not None and not isinstance(self.tau, Prior):
            message = (
                f"tau={self.tau!r} is not a prior: write nma.priors.Fixed({self.tau!r}) for a "
                "known value, or a distribution such as nma.priors.HalfNormal(1)."
            )
            raise ModelError(message)

    def resolve(self, network: Network) -> Random:
        """Return the value with its prior as a number.

        Raises
        ------
        ModelError
            If the prior was published for another measure than the network's.
        """
        if isinstance(self.tau, Measured):
            return replace(self, tau=self.tau.on(network.measure))
        return self if self.tau is not None else replace(self, tau=self.default(network))

    @staticmethod
    def default(network: Network) -> HalfNormal:
        """Return the prior of tau that is used where none is given.

        Parameters
        ----------
        network : Network
            Its measure and its unit size the prior.

        Returns
        -------
        HalfNormal
            With its origin in words.

        Raises
        ------
        ModelError
            If no trial tells the unit that sizes it.

        Examples
        --------
        >>> import nma
        >>> nma.heterogeneity.Random.default(nma.datasets.network("smoking"))
        HalfNormal(scale=1.0)
        """
        unit, words = network.unit
        if network.ratio:
            return HalfNormal(unit, origin="default for log ratios")
        return HalfNormal(unit / 2, origin=f"default: half a unit, {words}")

    def scales(self, network: Network) -> tuple[Scale, ...]:  # noqa: ARG002  the same everywhere
        """Return tau."""
        if self.tau is None:
            message = "The heterogeneity has no prior yet: resolve it first."
            raise ModelError(message)
        return (Scale("tau", self.tau),)

    def effects(self, network: Network, arms: pd.DataFrame) -> tuple[ArmEffect, ...]:  # noqa: ARG002
        """Return one effect of its own for every arm."""
        return (ArmEffect("tau", np.ones(len(arms)), np.arange(len(arms))),)
