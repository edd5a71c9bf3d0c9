"""Arms in their trials: what a structure that differs between trials asks of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nma import graph
from nma.errors import ModelError, nearest
from nma.problem import Parameters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from nma.network import Network
    from nma.problem import Scale

__all__ = [
    "deviation_levels",
    "deviations",
    "differences",
    "in_trials",
    "is_outside",
    "require_complete",
    "require_trials",
]

Column = tuple[tuple[str, ...], str]
"""A design and a treatment in it."""


def is_outside(arms: pd.DataFrame) -> bool:
    """Return whether arms are asked about that stand in no trial."""
    return "study" not in arms


def require_trials(arms: pd.DataFrame, why: str) -> None:
    """Refuse arms outside trials where treatments have no one level."""
    if is_outside(arms):
        message = (
            f"{why}, so no treatment has one level outside its trials: relative effects by "
            "transitivity, league tables and ranks are not defined. Rank under a structure that "
            "is consistent, such as nma.structures.Consistency()."
        )
        raise ModelError(message)


def in_trials(arms: pd.DataFrame) -> Iterator[tuple[int, str, str]]:
    """Yield the row, the trial and the treatment of each arm."""
    for row, (study, treatment) in enumerate(zip(arms["study"], arms["treatment"], strict=True)):
        yield row, str(study), str(treatment)


def differences(z: NDArray[np.float64], arms: pd.DataFrame) -> NDArray[np.float64]:
    """Return the levels of each arm less those of its trial's first, (arm, parameter)."""
    first: dict[str, int] = {}
    return z - z[[first.setdefault(study, row) for row, study, _ in in_trials(arms)]]


def _columns(network: Network) -> list[Column]:
    """Return every treatment of every design but the design's first."""
    return [(design, name) for design in graph.designs(network.trials) for name in design[1:]]


def deviations(network: Network, sd: float, *, scale: Scale | None = None) -> Parameters:
    """Return what each design adds to its contrasts: every contrast alike, in every design.

    Parameters
    ----------
    network : Network
        The evidence.
    sd : float
        Prior sd of what is added to one contrast.
    scale : Scale, optional
        What multiplies them all.
    """
    parts = [
        Parameters.exchangeable(_names(design), sd, scale=scale)
        for design in graph.designs(network.trials)
    ]
    return sum(parts[1:], start=parts[0])


def _names(design: Sequence[str]) -> list[str]:
    return [f"{name} vs {design[0]} in {' : '.join(design)}" for name in design[1:]]


def deviation_levels(network: Network, arms: pd.DataFrame) -> NDArray[np.float64]:
    """Return one column for each treatment of each design but its first; none outside trials."""
    columns = {column: k for k, column in enumerate(_columns(network))}
    z = np.zeros((len(arms), len(columns)))
    if is_outside(arms):
        return z
    for row, study, treatment in in_trials(arms):
        column = columns.get((tuple(sorted(network.trials[study])), treatment))
        if column is not None:
            z[row, column] = 1.0
    return z


def require_complete(order: Sequence[str], network: Network) -> None:
    """Refuse an order without some treatment; names of others, such as of a trial left out, may be.

    A misspelt name is found by the treatment that it leaves out.
    """
    known = set(network.treatments)
    extra = [name for name in order if name not in known]
    faults = [
        f"{name!r} is left out.{nearest(name, extra)}" for name in known.difference(order)
    ] + [f"{name!r} comes twice." for name in dict.fromkeys(order) if list(order).count(name) > 1]
    if faults:
        message = f"order= names every treatment once. {' '.join(sorted(faults))}"
        raise ModelError(message)
