"""Normal approximations of counts, and what they do about cells without anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nma import graph
from nma.outcomes._events import Events, listed

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Told = tuple[NDArray[np.float64], NDArray[np.float64]]

__all__ = ["APPROXIMATIONS", "READ_AS_NORMAL", "notices", "rate", "risk_difference", "untold"]

READ_AS_NORMAL = "{measure} by the normal approximation: estimates and variances of each trial."

ADDED_HALF = "the 0.5 that was added"
"""What tells an effect where the events do not."""

ADDED = {
    "cells": "0.5 was added to events and non-events of every arm in",
    "events": "0.5 was added to the events of every arm in",
    "variance": "0.5 was added to events and non-events, in the variance only, of every arm in",
}


def _corrected(events: Events) -> Told:
    """Return events and non-events, half a person more in trials with an empty cell."""
    assert events.most is not None  # noqa: S101  binary outcomes have participants
    half = 0.5 * events.corrected
    return events.count + half, events.most - events.count + half


def odds_ratio(events: Events) -> Told:
    """Return the log odds of each arm and their variance."""
    yes, no = _corrected(events)
    return np.log(yes / no), 1 / yes + 1 / no


def risk_ratio(events: Events) -> Told:
    """Return the log risk of each arm and its variance."""
    yes, no = _corrected(events)
    return np.log(yes / (yes + no)), 1 / yes - 1 / (yes + no)


def hazard_ratio(events: Events) -> Told:
    """Return the log cumulative hazard of each arm and its variance."""
    yes, no = _corrected(events)
    survival = np.log(no / (yes + no))
    return np.log(-survival), yes / ((yes + no) * no * survival**2)


def risk_difference(events: Events) -> Told:
    """Return the risk of each arm, as it was counted, and its variance."""
    yes, no = _corrected(events)
    assert events.most is not None  # noqa: S101
    return events.count / events.most, yes * no / (yes + no) ** 3


def rate(events: Events, exposure: NDArray[np.float64]) -> Told:
    """Return the log rate of each arm and its variance."""
    counted = events.count + 0.5 * events.corrected
    return np.log(counted / exposure), 1 / counted


APPROXIMATIONS = {
    "OR": odds_ratio,
    "RR": risk_ratio,
    "HR": hazard_ratio,
    "RD": risk_difference,
}


def notices(events: Events, set_aside: NDArray[np.bool_], added: str) -> list[str]:
    """Return which trials were corrected, which were set aside, and what that leaves.

    Parameters
    ----------
    events : Events
        All arms.
    set_aside : array, (row,)
        Whether the trial of an arm is left out of the contrasts.
    added : {"cells", "events", "variance"}
        Where half a person was added.
    """
    found = []
    corrected = events.studies(events.corrected & ~set_aside)
    if corrected:
        found.append(f"{ADDED[added]} {listed(corrected)}, for an empty cell.")
    if set_aside.any():
        found.append(_aside(events.studies(set_aside)))
        found += _left_apart(events, set_aside)
    return found


def untold(events: Events, set_aside: NDArray[np.bool_], measure: str) -> list[str]:
    """Return the trials and treatments of which the events tell nothing but what is added to them.

    Risk differences are told by cells without anybody; of the others those trials that are kept.
    """
    if measure == "RD" or not set_aside.any():
        return events.notices("" if measure == "RD" else ADDED_HALF)
    most = None if events.most is None else events.most[~set_aside]
    kept = Events(events.rows[~set_aside], events.column, most)
    everywhere, there = events.notices(), kept.notices(ADDED_HALF)
    return [*(text for text in everywhere if not _repeated(text, there)), *there]


def _repeated(text: str, others: list[str]) -> bool:
    """Return whether another sentence says the same and more."""
    return any(other.startswith(text.rstrip(".")) for other in others)


def _aside(studies: list[str]) -> str:
    return (
        f"Set aside from the contrasts, {len(studies)} trial{'s' * (len(studies) != 1)}: "
        f"{listed(studies, None)}; nobody, or everybody, has the event in every arm."
    )


def _left_apart(events: Events, set_aside: NDArray[np.bool_]) -> list[str]:
    """Return a warning where treatments hang together through trials set aside alone."""
    rows = events.rows
    before, after = _parts(rows), _parts(rows[~set_aside])
    lost = sorted(set(rows["treatment"]) - {name for part in after for name in part})
    if len(after) + len(lost) <= len(before):
        return []
    parts = "; ".join([*(", ".join(part) for part in after), *lost])
    fallen = "Without them the network falls into parts, and effects between these rest on"
    return [f"{fallen} the prior, if there is one: {parts}."]


def _parts(rows: pd.DataFrame) -> tuple[tuple[str, ...], ...]:
    """Return the treatments that trials connect, part by part."""
    trials: dict[str, tuple[str, ...]] = {}
    for study, treatment in zip(rows["study"], rows["treatment"], strict=True):
        trials[study] = (*trials.get(study, ()), treatment)
    return graph.components(graph.evidence_graph(trials))
