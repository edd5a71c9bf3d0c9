"""Inconsistency that is not restrained: every design has effects of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, final

import numpy as np

from nma.priors import Normal
from nma.structures._priors import diffuse, require_centred, resolved
from nma.structures._trials import deviation_levels, deviations, require_trials

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from nma.network import Network
    from nma.problem import Parameters
    from nma.protocols import Structure

__all__ = ["DesignByTreatment"]


@final
@dataclass(frozen=True)
class DesignByTreatment:
    r"""Every design has effects of its own, on top of those of another structure.

    .. math:: d_{jk}^{(D)} = d_{jk} + w_{jk}^{(D)}, \qquad w_{jk}^{(D)} \sim N(0, s^2)

    for the trials of design D, the set of treatments that they compare. The contrasts of a design
    are consistent with each other and free of those of other designs; d and w are told by their
    sum alone. The order of treatments changes no number.

    Parameters
    ----------
    base : Structure
        What the designs deviate from.
    inconsistency : Normal, optional
        Prior of w in every contrast, with mean zero; sd 10 units if not given.

    Raises
    ------
    ModelError
        If ``inconsistency`` is no normal prior with mean zero.

    Examples
    --------
    >>> import nma
    >>> structure = nma.structures.DesignByTreatment(nma.structures.Consistency())
    >>> posterior = nma.fit(nma.datasets.network("back_pain"), nma.Model(structure))
    >>> len(posterior.problem.parameters.names)
    9

    References
    ----------
    Higgins et al. 2012, doi:10.1002/jrsm.1044; White et al. 2012, doi:10.1002/jrsm.1045.
    """

    base: Structure
    inconsistency: Normal | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        require_centred(self.inconsistency, "inconsistency")

    def resolve(self, network: Network) -> DesignByTreatment:
        """Return the structure with its priors as numbers."""
        prior = diffuse(network) if self.inconsistency is None else self.inconsistency
        return replace(self, base=self.base.resolve(network), inconsistency=prior)

    def parameters(self, network: Network) -> Parameters:
        """Return those of the base, then w of each design."""
        sd = resolved(self.inconsistency).sd
        return self.base.parameters(network) + deviations(network, sd)

    def covariates(self, network: Network) -> Mapping[str, float | str]:
        """Return those of the base."""
        return self.base.covariates(network)

    def levels(self, network: Network, arms: pd.DataFrame) -> NDArray[np.float64]:
        """Return the base's levels beside one column for each treatment of each design."""
        require_trials(arms, "Every design has effects of its own")
        return np.hstack([self.base.levels(network, arms), deviation_levels(network, arms)])
