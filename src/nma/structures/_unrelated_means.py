"""Unrelated mean effects: no loop of comparisons has to close."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, final

import numpy as np

from nma.errors import require_several
from nma.priors import Normal
from nma.problem import Parameters
from nma.structures._priors import diffuse, require_centred, resolved
from nma.structures._trials import in_trials, require_complete, require_trials

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from nma.network import Network
    from nma.protocols import Structure

__all__ = ["UnrelatedMeans"]


@final
@dataclass(frozen=True)
class UnrelatedMeans:
    r"""An effect of its own for every pair of a trial's baseline and another of its treatments.

    .. math:: \theta_{ik} - \theta_{ib} = d_{bk} + \text{random effects}, \qquad
        d_{bk} \sim N(0, s^2)

    where b is the treatment of trial i that comes first in ``order``. Nothing ties the d of
    different pairs together, so they are the direct evidence, and fit that is much better than
    that of consistency speaks of inconsistency. Random effects of a multi-arm trial are correlated
    by 1/2, as under consistency. With multi-arm trials the numbers depend on the order.

    Parameters
    ----------
    order : sequence of str, optional
        All treatments, those that are baselines before others first; the network's order if not
        given.
    effect : Normal, optional
        Prior of every effect, with mean zero; sd 10 units if not given.
    base : Structure, optional
        A structure whose levels the effects are added to, such as a regression whose coefficients
        stay shared; none if not given.

    Raises
    ------
    ModelError
        If ``order`` is one name, or ``effect`` no normal prior with mean zero.

    Examples
    --------
    >>> import nma
    >>> network = nma.datasets.network("smoking")
    >>> structure = nma.structures.UnrelatedMeans().resolve(network)
    >>> structure.parameters(network).names[:2]
    ('individual counselling vs group counselling', 'no intervention vs group counselling')

    References
    ----------
    NICE DSU TSD 4 (Dias et al. 2011); Lu and Ades 2006, doi:10.1198/016214505000001302.
    """

    order: Sequence[str] | None = field(default=None, kw_only=True)
    effect: Normal | None = field(default=None, kw_only=True)
    base: Structure | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        require_several(self.order, "order")
        require_centred(self.effect, "effect")
        if self.order is not None:
            object.__setattr__(self, "order", tuple(self.order))

    def resolve(self, network: Network) -> UnrelatedMeans:
        """Return the structure with its prior as a number and its order in full.

        Raises
        ------
        ModelError
            If the order leaves out a treatment, or names one twice.
        """
        order = network.treatments if self.order is None else tuple(self.order)
        require_complete(order, network)
        return replace(
            self,
            order=order,
            effect=diffuse(network) if self.effect is None else self.effect,
            base=None if self.base is None else self.base.resolve(network),
        )

    def parameters(self, network: Network) -> Parameters:
        """Return those of the base, if there is one, then one for each pair."""
        own_name = "" if self.base is None else ", beside the base"
        names = [f"{other} vs {baseline}{own_name}" for baseline, other in self.pairs(network)]
        own = Parameters.independent(names, resolved(self.effect).sd)
        return own if self.base is None else self.base.parameters(network) + own

    def pairs(self, network: Network) -> tuple[tuple[str, str], ...]:
        """Return the pairs (baseline, other) that have an effect, in the order of treatments.

        Parameters
        ----------
        network : Network
            The evidence.

        Returns
        -------
        tuple of tuple of str
            One for each parameter that the structure adds.

        Examples
        --------
        >>> import nma
        >>> network = nma.datasets.network("parkinson")
        >>> nma.structures.UnrelatedMeans().resolve(network).pairs(network)[0]
        ('bromocriptine', 'cabergoline')
        """
        place = self._places()
        found = {
            (baseline, other)
            for study, baseline in self.baselines(network).items()
            for other in network.trials[study]
            if other != baseline
        }
        return tuple(sorted(found, key=lambda pair: (place[pair[0]], place[pair[1]])))

    def covariates(self, network: Network) -> Mapping[str, float | str]:
        """Return those of the base."""
        return {} if self.base is None else self.base.covariates(network)

    def levels(self, network: Network, arms: pd.DataFrame) -> NDArray[np.float64]:
        """Return one column for each pair, beside the base's levels."""
        require_trials(arms, "Unrelated means give every pair of treatments an effect of its own")
        columns = {pair: k for k, pair in enumerate(self.pairs(network))}
        baseline = self.baselines(network)
        z = np.zeros((len(arms), len(columns)))
        for row, study, treatment in in_trials(arms):
            if treatment != baseline[study]:
                z[row, columns[baseline[study], treatment]] = 1.0
        return z if self.base is None else np.hstack([self.base.levels(network, arms), z])

    def _places(self) -> dict[str, int]:
        return {name: k for k, name in enumerate(resolved(self.order))}

    def baselines(self, network: Network) -> dict[str, str]:
        """Return the baseline treatment of each trial.

        Parameters
        ----------
        network : Network
            The evidence.

        Returns
        -------
        dict of str to str
            By trial.

        Examples
        --------
        >>> import nma
        >>> network = nma.datasets.network("parkinson")
        >>> nma.structures.UnrelatedMeans().resolve(network).baselines(network)["Guttman 1997"]
        'bromocriptine'
        """
        place = self._places()
        return {study: min(arms, key=place.__getitem__) for study, arms in network.trials.items()}
