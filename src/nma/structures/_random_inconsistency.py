"""Inconsistency as a random effect: designs deviate from a network that is right on average."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, final

import numpy as np

from nma.priors import Prior
from nma.problem import Scale
from nma.structures._priors import require_prior, resolved, shrinking
from nma.structures._trials import deviation_levels, deviations

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from nma.network import Network
    from nma.problem import Parameters
    from nma.protocols import Structure

__all__ = ["RandomInconsistency"]


@final
@dataclass(frozen=True)
class RandomInconsistency:
    r"""Every design deviates from the network by a random amount that all its trials share.

    .. math:: d_{jk}^{(D)} = d_{jk} + \omega_{jk}^{(D)}, \qquad
        \omega_{jk}^{(D)} \sim N(0, \tau_\omega^2)

    with correlation 1/2 between contrasts of one design that share a treatment. Effects, ranks and
    league tables are those of d, the average over designs, and are wider than under consistency.
    The order of treatments changes no number.

    Parameters
    ----------
    base : Structure
        What the designs deviate from.
    tau_w : Prior, optional
        Prior of the inconsistency standard deviation; half-normal(unit/2) if not given.

    Raises
    ------
    ModelError
        If ``tau_w`` is no prior.

    Examples
    --------
    >>> import nma
    >>> structure = nma.structures.RandomInconsistency(nma.structures.Consistency())
    >>> posterior = nma.fit(nma.datasets.network("back_pain"), nma.Model(structure))
    >>> [scale.name for scale in posterior.problem.scales]
    ['tau', 'tau_w']

    References
    ----------
    Jackson et al. 2014, doi:10.1002/sim.6188.
    """

    base: Structure
    tau_w: Prior | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        require_prior(self.tau_w, "tau_w")

    def resolve(self, network: Network) -> RandomInconsistency:
        """Return the structure with its priors as numbers."""
        prior = shrinking(network) if self.tau_w is None else self.tau_w
        return replace(self, base=self.base.resolve(network), tau_w=prior)

    def parameters(self, network: Network) -> Parameters:
        """Return those of the base, then the deviations of each design."""
        scale = Scale("tau_w", resolved(self.tau_w))
        return self.base.parameters(network) + deviations(network, 1.0, scale=scale)

    def covariates(self, network: Network) -> Mapping[str, float | str]:
        """Return those of the base."""
        return self.base.covariates(network)

    def levels(self, network: Network, arms: pd.DataFrame) -> NDArray[np.float64]:
        """Return the base's levels beside one column for each treatment of each design."""
        return np.hstack([self.base.levels(network, arms), deviation_levels(network, arms)])
