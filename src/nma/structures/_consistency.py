"""The consistency model: one level for each treatment, the same in every trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np

from nma.errors import DataError, Issue
from nma.network import Network
from nma.priors import Normal
from nma.problem import Parameters
from nma.structures._priors import diffuse, require_centred, resolved

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Consistency"]


@final
@dataclass(frozen=True)
class Consistency:
    r"""One level for each treatment: :math:`d_{AC} = d_{AB} + d_{BC}`.

    Every contrast between two treatments has the same prior,

    .. math:: d_{jk} \sim N(0, s^2), \qquad \mathrm{Cov}(d) = \tfrac{s^2}{2}(I + J)

    for effects against any one treatment, so no treatment is special and the choice of reference
    changes no number.

    Parameters
    ----------
    effect : Normal, optional
        Prior of every contrast, with mean zero, on the scale of the model (of logarithms for ratio
        measures); sd 10 units if not given, of which ``Network.unit`` tells the size.

    Raises
    ------
    ModelError
        If ``effect`` is no normal prior with mean zero.

    Examples
    --------
    >>> import nma
    >>> nma.structures.Consistency(effect=nma.priors.Normal(0, 100))
    Consistency(effect=Normal(mean=0, sd=100))

    References
    ----------
    Lu and Ades 2004, doi:10.1002/sim.1875; NICE DSU TSD 2 (Dias et al. 2011).
    """

    effect: Normal | None = None

    def __post_init__(self) -> None:
        require_centred(self.effect, "effect")

    def resolve(self, network: Network) -> Consistency:
        """Return the structure with its prior as a number.

        Raises
        ------
        DataError
            If the network is not connected, with its parts.
        """
        _require_connected(network)
        return self if self.effect is not None else replace(self, effect=self.default(network))

    @staticmethod
    def default(network: Network) -> Normal:
        """Return the prior of every contrast that is used where none is given.

        Parameters
        ----------
        network : Network
            Its unit sizes the prior.

        Returns
        -------
        Normal
            With mean zero, and its origin in words.

        Raises
        ------
        ModelError
            If no trial tells the unit that sizes it.

        Examples
        --------
        >>> import nma
        >>> nma.structures.Consistency.default(nma.datasets.network("smoking"))
        Normal(mean=0, sd=10.0)
        """
        return diffuse(network)

    def parameters(self, network: Network) -> Parameters:
        """Return the effects of all treatments against the first in the network's order."""
        first, *others = network.treatments
        names = [f"{treatment} vs {first}" for treatment in others]
        return Parameters.exchangeable(names, resolved(self.effect).sd)

    def covariates(self, network: Network) -> Mapping[str, float | str]:  # noqa: ARG002
        """Return none: levels depend on the treatment alone."""
        return {}

    def levels(self, network: Network, arms: pd.DataFrame) -> NDArray[np.float64]:
        """Return z: one column for each treatment but the first, which has level zero."""
        return np.eye(len(network.treatments))[network.codes(arms["treatment"].tolist())][:, 1:]


def _require_connected(network: Network) -> None:
    parts = network.components
    if len(parts) == 1:
        return
    listed = "; ".join(
        f"({number}) {', '.join(part)}: {_trials_of(network, part)}"
        for number, part in enumerate(parts, start=1)
    )
    raise DataError(
        [
            Issue(
                "disconnected",
                f"the network falls into {len(parts)} parts that no trial connects: {listed}",
                "Effects between the parts cannot be estimated. Analyse one part, add a trial "
                "that joins them, or merge treatments that are the same.",
            )
        ]
    )


def _trials_of(network: Network, part: tuple[str, ...]) -> str:
    inside = [study for study, arms in network.trials.items() if arms[0] in part]
    more = f" and {len(inside) - 3} more" if len(inside) > 3 else ""
    return f"{', '.join(inside[:3])}{more}"
