"""A report as Markdown, with its figures beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from urllib.parse import quote

import pandas as pd

from nma.reports._parts import Figure, Part, Refused, Written
from nma.tables import Table

__all__ = ["markdown", "plain"]


def markdown(
    title: str,
    poor: str,
    sections: Sequence[Written],
    file_of: Callable[[str], str],
) -> str:
    """Return the report as Markdown.

    Parameters
    ----------
    title : str
        The heading.
    poor : str
        Why the fit must not be relied on.
    sections : sequence of Written
        What it says.
    file_of : callable
        Takes the name of a figure and returns the file it is in.
    """
    blocks = [f"# {plain(title)}", *([f"**{plain(poor)}**"] if poor else [])]
    for section in sections:
        blocks.append(f"## {plain(section.title)}")
        for k, part in enumerate(section.parts, 1):
            blocks.append(_part(part, file_of(f"{section.name}-{k}")))
    return "\n\n".join(blocks) + "\n"


def plain(text: str) -> str:
    """Return text in which nothing is markup, on one line."""
    escaped = re.sub(r"([\\`*_{}\[\]<>|#&$~!])", r"\\\1", " ".join(text.split()))
    return re.sub(r"^([-+]|\d+[.)])(?= )", r"\\\1", escaped)


def _part(part: Part, file: str) -> str:
    if isinstance(part, str):
        return plain(part)
    if isinstance(part, Refused):
        return plain(part.reason)
    if isinstance(part, Table):
        return _table(part)
    if isinstance(part, Figure):
        return f"![{plain(part.text)}]({quote(file)})"
    return _bullets(part)


def _bullets(items: Sequence[str]) -> str:
    return "\n".join(f"- {plain(item)}" for item in items)


def _table(table: Table) -> str:
    shown = table.printed()
    levels = [shown.index.get_level_values(k) for k in range(shown.index.nlevels)]
    columns = [*levels, *(shown[name] for name in shown)]
    heads = [*(name or "" for name in shown.index.names), *shown.columns]
    rows = [heads, ["---"] * len(heads), *zip(*columns, strict=True)]
    lines = ["| " + " | ".join(map(_cell, row)) + " |" for row in rows]
    notes = [_bullets(table.notes)] if table.notes else []
    return "\n\n".join([plain(table.caption), "\n".join(lines), *notes])


def _cell(value: object) -> str:
    return "---" if value == "---" else plain("" if pd.isna(value) else str(value))  # type: ignore[call-overload]
