"""The evidence in words, as networks print it."""

from __future__ import annotations

import math
import textwrap
from typing import Any

import pandas as pd

from nma.errors import shortened

__all__ = ["as_sentence", "as_text", "left_out", "most_tried", "wrapped"]

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


def as_sentence(network: Any) -> str:
    """Return how much evidence a network has, whether it hangs together, and how it is read."""
    trials, participants = network.trials, network.table["participants"]
    parts = len(network.components)
    count, several = len(trials), sum(len(arms) > 2 for arms in trials.values())
    treatments = len({name for arms in trials.values() for name in arms})
    multi = f", {several} of them multi-arm," if several and count > 1 else ""
    told = participants.notna()
    counted = f" on {participants.sum():,.0f} participants" if told.any() else ""
    of = f" (told by {told.sum()} of {len(told)} arms)" if 0 < told.sum() < len(told) else ""
    whole = f"in {parts} unconnected parts" if parts > 1 else "connected"
    return (
        f"{count} trial{'s' * (count > 1)}{multi} compare{'s' * (count == 1)} "
        f"{treatments} treatments{counted}{of}; {whole}. {network.measure}, {network.better} is "
        f"better; reference: {shortened(network.reference)}."
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


def wrapped(text: str) -> str:
    """Return a text in lines of 100 characters, further lines of a note indented."""
    indent = "  " * text.startswith("- ")
    return textwrap.fill(text, 100, subsequent_indent=indent, break_on_hyphens=False)
