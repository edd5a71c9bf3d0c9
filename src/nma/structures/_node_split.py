"""A node-split: direct and indirect evidence on one comparison, told apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, final

import numpy as np

from nma import graph
from nma.errors import ModelError
from nma.priors import Normal
from nma.problem import Parameters
from nma.span import directions
from nma.structures._priors import diffuse, require_centred, resolved
from nma.structures._trials import in_trials, require_trials

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from nma.network import Network
    from nma.protocols import Structure

__all__ = ["NodeSplit", "unsplittable"]

WEIGHTS = {"symmetric": (-0.5, 0.5), "baseline": (0.0, 1.0)}
"""What of w stands on a and on b."""


@final
@dataclass(frozen=True)
class NodeSplit:
    r"""Trials that compare a and b tell of another difference between them than the rest do.

    .. math:: d^{dir}_{ab} = d_{ab} + w, \qquad d^{ind}_{ab} = d_{ab}, \qquad w \sim N(0, s^2)

    where :math:`d_{ab}` is the level of b minus that of a in the base. In trials of a, b and
    further treatments it must be said on which arm w stands: half on b and half, negative, on a by
    default, so that (a, b) and (b, a) mirror each other; or all of it on b, by the baseline rule
    of Dias 2010, where the order of a and b matters. On two-arm trials both are the same.

    Parameters
    ----------
    base : Structure
        What holds apart from w.
    a, b : str
        The two treatments; w is of b versus a, direct minus indirect.
    multiarm : {"symmetric", "baseline"}, default "symmetric"
        Where w stands in multi-arm trials.
    inconsistency : Normal, optional
        Prior of w, with mean zero; sd 10 units if not given.

    Raises
    ------
    ModelError
        If ``inconsistency`` is no normal prior with mean zero, or ``multiarm`` is neither of the
        two.

    Examples
    --------
    >>> import nma
    >>> structure = nma.structures.NodeSplit(
    ...     nma.structures.Consistency(), "rosiglitazone", "sulfonylurea"
    ... )
    >>> posterior = nma.fit(nma.datasets.network("senn2013"), nma.Model(structure))
    >>> posterior.problem.parameters.names[-1]
    'sulfonylurea vs rosiglitazone, direct minus indirect'

    References
    ----------
    Dias et al. 2010, doi:10.1002/sim.3767; White 2015, Stata Journal 15:951-985, on the symmetric
    rule; van Valkenhoef et al. 2016, doi:10.1002/jrsm.1167, on what can be split.
    """

    base: Structure
    a: str
    b: str
    multiarm: Literal["symmetric", "baseline"] = field(default="symmetric", kw_only=True)
    inconsistency: Normal | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        require_centred(self.inconsistency, "inconsistency")
        if self.multiarm not in WEIGHTS:
            message = f"multiarm={self.multiarm!r} is none of {', '.join(map(repr, WEIGHTS))}."
            raise ModelError(message)

    def resolve(self, network: Network) -> NodeSplit:
        """Return the structure with its priors as numbers.

        Raises
        ------
        ModelError
            If a treatment is unknown, both are one, or the comparison cannot be split, with why
            and what can be.
        """
        network.codes([self.a, self.b])
        base = self.base.resolve(network)
        reason = unsplittable(base, network, self.a, self.b)
        if reason:
            pairs = [pair for pair in network.graph.edges if not unsplittable(base, network, *pair)]
            can = ", ".join(f"{a!r} and {b!r}" for a, b in pairs) or "none"
            message = (
                f"{self.b!r} versus {self.a!r} cannot be split: {reason}. "
                f"Comparisons that can: {can}."
            )
            raise ModelError(message)
        prior = diffuse(network) if self.inconsistency is None else self.inconsistency
        return replace(self, base=base, inconsistency=prior)

    def parameters(self, network: Network) -> Parameters:
        """Return those of the base, then w."""
        name = f"{self.b} vs {self.a}, direct minus indirect"
        w = Parameters.independent([name], resolved(self.inconsistency).sd)
        return self.base.parameters(network) + w

    def covariates(self, network: Network) -> Mapping[str, float | str]:
        """Return those of the base."""
        return self.base.covariates(network)

    def levels(self, network: Network, arms: pd.DataFrame) -> NDArray[np.float64]:
        """Return the base's levels beside the column of w."""
        require_trials(
            arms, f"A node-split gives {self.b!r} versus {self.a!r} a direct and an indirect effect"
        )
        weight = dict(zip((self.a, self.b), WEIGHTS[self.multiarm], strict=True))
        w = np.zeros((len(arms), 1))
        for row, study, treatment in in_trials(arms):
            if {self.a, self.b} <= set(network.trials[study]):
                w[row] = weight.get(treatment, 0.0)
        return np.hstack([self.base.levels(network, arms), w])


def unsplittable(base: Structure, network: Network, a: str, b: str) -> str:
    """Return why direct and indirect evidence on a comparison cannot be told apart, or nothing.

    There is indirect evidence if the trials that do not compare the two, each left out whole,
    determine what the others say of them; under consistency, if they still connect them.

    Parameters
    ----------
    base : Structure
        A resolved structure.
    network : Network
        The evidence.
    a, b : str
        The two treatments.
    """
    if a == b:
        return "it is a treatment against itself"
    trials = graph.direct_evidence(network.graph, a, b)
    if not trials:
        return "no trial compares them"
    apart, direct = _differences(base, network, a, b)
    if not directions(apart).determine(direct).any():
        return "no other trials connect them"
    return ""


def _differences(
    base: Structure, network: Network, a: str, b: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return differences of levels in the trials without both, and b minus a in those with both."""
    z = base.levels(network, network.table)
    fixed = np.array([scale is None for scale in base.parameters(network).scale])
    arms: dict[str, list[tuple[str, NDArray[np.float64]]]] = {}
    for row, study, treatment in in_trials(network.table):
        arms.setdefault(study, []).append((treatment, z[row, fixed]))
    empty = np.empty((0, int(fixed.sum())))
    both = {study for study, told in arms.items() if {a, b} <= {name for name, _ in told}}
    apart = [
        level - told[0][1] for study, told in arms.items() if study not in both for _, level in told
    ]
    direct = [
        second - first
        for study in sorted(both)
        for name, first in arms[study]
        for other, second in arms[study]
        if (name, other) == (a, b)
    ]
    return np.vstack([empty, *apart]), np.vstack([empty, *direct])
