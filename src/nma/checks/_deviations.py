"""Components with deviations: every combination may do more, or less, than the sum of its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np

from nma.problem import Parameters

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from nma.network import Network
    from nma.priors import Normal
    from nma.protocols import Structure

__all__ = ["Deviations", "deviation_names"]


@final
@dataclass(frozen=True)
class Deviations:
    r"""The base's levels, and :math:`w_t \sim N(0, s^2)` for some treatments.

    Parameters
    ----------
    base : Structure
        Components.
    treatments : tuple of str
        Those that may deviate.
    deviation : Normal
        Prior of each deviation, with mean zero.
    """

    base: Structure
    treatments: tuple[str, ...]
    deviation: Normal

    def resolve(self, network: Network) -> Deviations:
        """Return the structure with the base's priors as numbers."""
        return replace(self, base=self.base.resolve(network))

    def parameters(self, network: Network) -> Parameters:
        """Return those of the base, then the deviations."""
        own = Parameters.independent(deviation_names(self.treatments), self.deviation.sd)
        return self.base.parameters(network) + own

    def covariates(self, network: Network) -> Mapping[str, float | str]:
        """Return those of the base."""
        return self.base.covariates(network)

    def levels(self, network: Network, arms: pd.DataFrame) -> NDArray[np.float64]:
        """Return the base's levels beside one column for each treatment that may deviate."""
        names = arms["treatment"].to_numpy()[:, None] == np.array(self.treatments, dtype=object)
        return np.hstack([self.base.levels(network, arms), names.astype(float)])


def deviation_names(treatments: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the deviations of treatments."""
    return tuple(f"{name}, beyond the sum of its components" for name in treatments)
