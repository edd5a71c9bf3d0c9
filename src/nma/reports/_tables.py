"""Tables of a report: scrolled on a screen that is narrower, shrunk on paper that is."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable
from dataclasses import replace

from nma import markup
from nma.tables import Table
from nma.typesetting import Grid

__all__ = ["is_wide", "region", "table_region"]

LABEL = 24
"""Letters of a label, or of words in a cell, beyond which they take a second line."""

PROSE = 40
"""Letters that no number takes; and those of words on one line of a phone."""

PAD = 2
"""Letters that the room between two columns takes."""

PHONE = 44
"""Letters across the narrowest screen, 320 pixels: what needs fewer is never scrolled."""

PORTRAIT, LANDSCAPE = 112, 160
"""Letters across a page of A4, upright and on its side, at the size that tables are printed in."""

PRINTED, SMALLER = 7.5, 6.5
"""That size, in points, and the one down to which a table shrinks before its page is turned."""


def region(inner: str, name: str, *, scrolls: bool = True, kind: str = "") -> str:
    """Return what may be wider than the screen in a region that keys can scroll.

    Parameters
    ----------
    inner : str
        The HTML of it.
    name : str
        What a screen reader calls the region.
    scrolls : bool
        Whether it may be wider at all: what never is, is no stop of the tabulator.
    kind : str
        A further class.
    """
    classes = f"scroll {kind}".rstrip()
    if not scrolls:
        return f'<div class="{classes}">{inner}</div>'
    label = html.escape(name)
    return f'<div class="{classes}" role="region" aria-label="{label}" tabindex="0">{inner}</div>'


def table_region(table: Table) -> str:
    """Return a table with its caption and, outside what is scrolled, its notes."""
    grid = _grid(table)
    inner = _table(grid, table.caption)
    letters = sum(_columns(grid, broken=False, prose=PROSE))
    return region(inner, table.caption, scrolls=letters > PHONE) + markup.bullets(table.notes)


def is_wide(table: Table) -> bool:
    """Return whether a table is printed on a page that lies on its side."""
    return _letters(_grid(table)) > PORTRAIT * PRINTED / SMALLER


def _grid(table: Table) -> Grid:
    """Return the printed cells; columns with a long text among them hold words."""
    grid = table._grid()  # noqa: SLF001  our own class
    longest = [max(map(len, column), default=0) for column in zip(*grid.cells, strict=True)]
    words = (word or most > PROSE for word, most in zip(grid.words, longest, strict=False))
    return replace(grid, words=tuple(words) if longest else grid.words)


def _letters(grid: Grid) -> int:
    """Return the width of a table, in letters, with no number on two lines."""
    return sum(_columns(grid, broken=False))


def _columns(grid: Grid, *, broken: bool, prose: int = LABEL) -> Iterable[int]:
    """Yield the width of each column, in letters, with words of a length on one line."""
    for place in range(len(grid.stub)):
        labels = [grid.stub[place], *(row[place] for row in grid.labels)]
        yield PAD + min(LABEL, max(map(len, labels)))
    for place, head in enumerate(grid.heads):
        cells = [row[place] for row in grid.cells]
        most = prose if grid.words[place] else 4 * LABEL
        shown = [word for cell in cells for word in cell.split()] if broken else cells
        longest = max((len(cell) for cell in shown), default=0)
        words = max((len(word) for word in head.split()), default=0)
        yield PAD + max(min(most, longest), min(LABEL // 2, words))


def _print(grid: Grid) -> str:
    """Return how a table is printed: smaller, and where that is too small on broken lines."""
    needed = _letters(grid)
    for across in (PORTRAIT, LANDSCAPE):
        size = PRINTED * min(1, across / needed)
        if size >= SMALLER:
            return "" if size == PRINTED else _styled("", size)
    size = PRINTED * min(1, LANDSCAPE / sum(_columns(grid, broken=True)))
    return _styled(' class="dense"', size)


def _styled(kind: str, size: float) -> str:
    return f'{kind} style="--size:{math.floor(10 * size) / 10:g}pt"'


def _table(grid: Grid, caption: str) -> str:
    title = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    heads = "".join(_header(name, "col") for name in grid.stub)
    heads += "".join(
        _header(name, "col", words=words)
        for name, words in zip(grid.heads, grid.words, strict=True)
    )
    rows = "".join(_row(*row, grid.words) for row in zip(grid.labels, grid.cells, strict=True))
    return (
        f"<table{_print(grid)}>{title}<thead>{_over(grid)}<tr>{heads}</tr></thead>\n"
        f"<tbody>{rows}</tbody></table>"
    )


def _row(labels: Iterable[str], cells: Iterable[str], words: Iterable[bool]) -> str:
    heads = "".join(_header(label, "row") for label in labels)
    shown = (_cell(text, words=is_words) for text, is_words in zip(cells, words, strict=True))
    return f"<tr>{heads}{''.join(shown)}</tr>\n"


def _header(text: str, scope: str, *, words: bool = True) -> str:
    if not text:
        return "<td></td>"
    kind = "" if words else ' class="n"'
    return f'<th scope="{scope}"{kind}>{html.escape(text)}</th>'


def _cell(text: str, *, words: bool) -> str:
    kind = "" if words else ' class="n"'
    return f"<td{kind}>{html.escape(text)}</td>"


def _over(grid: Grid) -> str:
    """Return a row that names all columns of cells together."""
    if not grid.spanner or not grid.heads:
        return ""
    empty = f'<td colspan="{len(grid.stub)}"></td>'
    over = f'scope="colgroup" colspan="{len(grid.heads)}"'
    return f"<tr>{empty}<th {over}>{html.escape(grid.spanner)}</th></tr>"
