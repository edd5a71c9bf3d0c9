"""The evidence in words, as networks print it."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from nma.errors import shortened

__all__ = ["as_sentence", "as_text", "left_out", "most_tried"]

PRINTED = 20
"""Comparisons that showing a network shows."""


def most_tried(table: pd.DataFrame) -> pd.DataFrame:
    """Return comparisons in their order: all of them, or those with the most trials."""
    most = table.sort_values("trials", ascending=False, kind="stable").index[:PRINTED]
    return table.loc[sorted(most)]


def left_out(table: pd.DataFrame) -> str:
    """Return a sentence on the comparisons that ``most_tried`` leaves out, or nothing."""
    if len(table) <= PRINTED:
        return ""
    return (
        f"These are the {PRINTED} comparisons with the most trials; network.comparisons() "
        f"has all {len(table)}."
    )


def as_sentence(
    trials: Mapping[str, tuple[str, ...]], participants: pd.Series[float], parts: int
) -> str:
    """Return how much evidence there is and whether it hangs together, in words.

    Parameters
    ----------
    trials : mapping of str to tuple of str
        For each trial the treatments it compares.
    participants : Series
        Of each arm, NaN where not told.
    parts : int
        Number of unconnected parts.
    """
    count, several = len(trials), sum(len(arms) > 2 for arms in trials.values())
    treatments = len({name for arms in trials.values() for name in arms})
    multi = f", {several} of them multi-arm," if several and count > 1 else ""
    told = participants.notna()
    counted = f" on {participants.sum():,.0f} participants" if told.any() else ""
    of = f" (told by {told.sum()} of {len(told)} arms)" if 0 < told.sum() < len(told) else ""
    whole = f"in {parts} unconnected parts" if parts > 1 else "connected"
    return (
        f"{count} trial{'s' * (count > 1)}{multi} compare{'s' * (count == 1)} "
        f"{treatments} treatments{counted}{of}; {whole}."
    )


def as_text(table: pd.DataFrame) -> str:
    """Return comparisons as text: all of them, or those with the most trials."""
    few = most_tried(table)
    names = [
        f"{shortened(treatment)} vs {shortened(comparator)}"
        for treatment, comparator in zip(few["treatment"], few["comparator"], strict=True)
    ]
    width = max(map(len, names))
    cells = {"": [name.ljust(width) for name in names], "trials": few["trials"].tolist()}
    if few["participants"].notna().any():
        people = few["participants"].tolist()
        cells["participants"] = [
            "" if math.isnan(number) else f"{number:,.0f}" for number in people
        ]
    for name in ("indirect", "bridge"):
        if few[name].any():
            cells[name] = ["yes" if here else "" for here in few[name]]
    lines = [line.rstrip() for line in pd.DataFrame(cells).to_string(index=False).splitlines()]
    return "\n".join([*lines, *filter(None, [left_out(table)])])
