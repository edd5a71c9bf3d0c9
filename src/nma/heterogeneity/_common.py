"""No heterogeneity: trials estimate one common effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from nma.network import Network

if TYPE_CHECKING:
    import pandas as pd

    from nma.problem import ArmEffect, Scale

__all__ = ["Common"]


@final
@dataclass(frozen=True)
class Common:
    """All trials estimate one common effect: tau = 0.

    Examples
    --------
    >>> import nma
    >>> nma.Model(heterogeneity=nma.heterogeneity.Common()).heterogeneity
    Common()

    References
    ----------
    Lu and Ades 2004, doi:10.1002/sim.1875; NICE DSU TSD 2 (Dias et al. 2011).
    """

    def resolve(self, network: Network) -> Common:  # noqa: ARG002  nothing to resolve
        """Return itself."""
        return self

    def scales(self, network: Network) -> tuple[Scale, ...]:  # noqa: ARG002  none
        """Return no scales."""
        return ()

    def effects(self, network: Network, arms: pd.DataFrame) -> tuple[ArmEffect, ...]:  # noqa: ARG002
        """Return no effects."""
        return ()
