"""HTML for notebooks: escaped, accessible, and in whatever colours the notebook has."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

__all__ = ["block", "bullets", "cells", "comparisons", "facts", "folded", "paragraph"]

CAPTION = '<caption style="caption-side: top; text-align: left; width: min(38em, 80vw)">'
"""Opens a caption: above its table, as wide as a line that reads well, within a phone's window.

Beside its outputs a notebook keeps a fifth of such a window for itself.
"""

LEFT = 'style="text-align: left"'
WHOLE = 'style="white-space: nowrap; text-align: right; padding: 0.2em 0.6em"'
PROSE = 'style="max-width: 60em"'


def block(*parts: str) -> str:
    """Return parts of HTML as one; what is too wide can be scrolled."""
    return f'<div class="nma" style="overflow-x: auto">{"".join(parts)}</div>'


def paragraph(text: str, *, loud: bool = False) -> str:
    """Return text as a paragraph."""
    inner = html.escape(text)
    return f"<p {PROSE}>{f'<strong>{inner}</strong>' if loud else inner}</p>"


def bullets(items: Iterable[str]) -> str:
    """Return sentences as a list, or nothing if there are none."""
    inner = "".join(f"<li>{html.escape(item)}</li>" for item in items)
    return f"<ul {PROSE}>{inner}</ul>" if inner else ""


def folded(name: str, values: Mapping[str, object]) -> str:
    """Return named facts that open on a click, or nothing if there are none."""
    inner = facts(name, values)
    return f"<details><summary>{html.escape(name)}</summary>{inner}</details>" if inner else ""


def facts(name: str, values: Mapping[str, object]) -> str:
    """Return values as a table with row headers and a name, or nothing if there are none."""
    rows = "".join(
        f'<tr><th scope="row" {LEFT}>{html.escape(key)}</th>'
        f"<td {LEFT}>{html.escape(str(value))}</td></tr>"
        for key, value in values.items()
    )
    label = html.escape(name)
    return f'<table aria-label="{label}"><tbody>{rows}</tbody></table>' if rows else ""


def cells(frame: pd.DataFrame, *, caption: str = "", **printing: Any) -> str:
    """Return a table with a caption, and headers that say what they head.

    Parameters
    ----------
    frame : DataFrame
        The cells.
    caption : str
        What they are.
    **printing
        What ``DataFrame.to_html`` takes.
    """
    with pd.option_context("display.max_colwidth", None):
        plain = frame.to_html(**printing, escape=True, border=0)
    head, body = plain.replace("<th></th>", "<td></td>").split("<tbody>")  # heads nothing
    columns, row, index = head.partition("<tr>")
    named = f"{CAPTION}{html.escape(caption)}</caption>" if caption else ""
    start, end = columns.split(">", 1)
    top = f"{start}>{named}{_scoped(end, 'col')}{row}{_scoped(index, 'col', LEFT)}"
    whole = body.replace("<td>", f"<td {WHOLE}>")
    return f"{top}<tbody>{_scoped(whole, 'row', LEFT)}"


def _scoped(rows: str, scope: str, style: str = "") -> str:
    """Return rows of a table whose headers say what they head; labels in them are escaped."""
    return re.sub(r"<th(?=[ >])", f'<th scope="{scope}" {style}'.rstrip(), rows)


def comparisons(table: pd.DataFrame) -> str:
    """Return direct comparisons, with trials and whatever participants are told."""
    pairs = zip(table["treatment"], table["comparator"], strict=True)
    shown = table[["trials", "participants"]].set_axis([f"{a} vs {b}" for a, b in pairs])
    if shown["participants"].isna().all():
        shown = shown[["trials"]]
    return cells(shown, caption="Direct comparisons", float_format="{:,.0f}".format, na_rep="")
