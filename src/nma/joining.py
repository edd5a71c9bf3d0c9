"""Several networks as one: their arms below each other, if nothing speaks against it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from nma.errors import DataError, Issue
from nma.labels import collisions, misnamed
from nma.sources import Source

__all__ = ["Joined", "joined"]


class Joined(NamedTuple):
    """What networks have together; treatments are sorted if they were in each."""

    table: pd.DataFrame
    sources: tuple[Source, ...]
    treatments: tuple[str, ...]
    caption: str


def joined(networks: Sequence[Any], reference: str | None) -> Joined:
    """Return what networks have together.

    Raises
    ------
    DataError
        If they cannot become one, or the reference is in none of them.
    """
    treatments = tuple(dict.fromkeys(chain.from_iterable(n.treatments for n in networks)))
    if all(list(n.treatments) == sorted(n.treatments) for n in networks):
        treatments = tuple(sorted(treatments))
    issues = [*_uncombinable(networks), *misnamed(treatments, reference, None)]
    if issues:
        raise DataError(issues)
    starts = np.cumsum([0, *(len(network.table) for network in networks)])
    sources = [
        Source(source.outcome, source.rows, source.arms + start)
        for network, start in zip(networks, starts, strict=False)
        for source in network.sources
    ]
    return Joined(
        table=pd.concat([network.table for network in networks], ignore_index=True),
        sources=tuple(sources),
        treatments=treatments,
        caption=" ".join(dict.fromkeys(n.caption for n in networks if n.caption)),
    )


def _uncombinable(networks: Sequence[Any]) -> list[Issue]:
    """Return why networks cannot become one."""
    if not networks:
        return [Issue("empty", "there is nothing to combine", "Give one network or more.")]
    issues = []
    for what in ("measure", "better"):
        said = sorted({str(getattr(network, what)) for network in networks})
        if len(said) > 1:
            remedy = "Bring all trials to one measure and direction first."
            issues.append(Issue("different-outcomes", f"{what} differs: {', '.join(said)}", remedy))
    counts: dict[str, int] = {}
    for study in chain.from_iterable(network.trials for network in networks):
        counts[study] = counts.get(study, 0) + 1
    remedy = "Keep the trial in one of the networks: its data would count twice."
    issues += [
        Issue("trial-twice", "the trial is in more than one network", remedy, study=study)
        for study, count in counts.items()
        if count > 1
    ]
    for names in (counts, chain.from_iterable(network.treatments for network in networks)):
        issues += collisions(tuple(dict.fromkeys(names)))
    return issues
