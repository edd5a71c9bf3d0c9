"""Tables in LaTeX, that fit a page: smaller where that is enough, else in parts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from nma.typesetting import Grid

__all__ = ["SPECIAL", "escaped", "latex"]

SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    '"': "''",
    "[": "{[}",  # at the start of a row it would be an argument of the row before
    "*": "{*}",  # likewise
}
"""Characters that mean something to LaTeX, and how each is written to be seen."""

ACROSS = 455.0
"""Points across the text of A4 with margins of 25 mm, the page that tables are made for."""

SIZES = ((r"\normalsize", 5.2, 6.0), (r"\footnotesize", 4.4, 3.0), (r"\scriptsize", 4.0, 2.0))
"""Sizes of text, what a letter takes of a line, and half the room between columns, in points."""

LINES = 36
"""Lines that the rows of a part may take."""

HELD = 10
"""Parts of a table that LaTeX is given before it must place them; old versions hold 18."""

LABEL = 28
"""Letters of a label or of words that one line may hold."""

HEAD = 14
"""Letters of the name of a column of numbers that one line may hold."""

WORD = 8
"""Letters of a word after which it may be broken."""


def escaped(text: str) -> str:
    """Return text as LaTeX prints it, on one line, with nothing in it that LaTeX would act on."""
    line = "".join(SPECIAL.get(letter, letter) for letter in " ".join(text.split()))
    return re.sub("-(?=-)", "-{}", line)  # two hyphens would become a dash


def latex(grid: Grid, *, caption: str, notes: Iterable[str]) -> str:
    """Return ``table`` environments, which need the package booktabs and nothing else.

    After every tenth part of a long table LaTeX is told to place what it has: it holds a limited
    number of tables and then stops.
    """
    parts = list(_parts(grid))
    told = list(notes)
    written = []
    for k, part in enumerate(parts, 1):
        which = f" (part {k} of {len(parts)})" if len(parts) > 1 else ""
        said = told if k == len(parts) else []
        written.append(_environment(part, caption=f"{caption}{which}", notes=said))
        if k % HELD == 0 and k < len(parts):
            written.append("\\clearpage\n")
    return "\n".join(written)


def _parts(grid: Grid) -> Iterator[Grid]:
    """Yield parts of a table that fit a page: some columns, some rows of each."""
    for first, last in _columns(grid):
        part = replace(
            grid,
            heads=grid.heads[first:last],
            words=grid.words[first:last],
            cells=tuple(row[first:last] for row in grid.cells),
        )
        for rows in _rows(part):
            yield replace(part, labels=part.labels[rows], cells=part.cells[rows])


def _rows(grid: Grid) -> Iterator[slice]:
    """Yield which rows go into a part: as many as fit, one at the least."""
    first, used = 0, 0
    above = max((math.ceil(1.3 * len(head) / HEAD) for head in grid.heads), default=1)
    room = max(LINES - above, LINES // 4)
    for place, row in enumerate(zip(grid.labels, grid.cells, strict=True)):
        lines = max(math.ceil(1.2 * len(text) / LABEL) for part in row for text in part)
        if place > first and used + lines > room:
            yield slice(first, place)
            first, used = place, 0
        used += lines
    yield slice(first, len(grid.cells))


def _columns(grid: Grid) -> Iterator[tuple[int, int]]:
    """Yield from which column to which a part goes: as many as fit, one at the least."""
    if _fitting(grid) is not None:
        yield 0, len(grid.heads)
        return
    _, letter, gap = SIZES[-1]
    stub, each = _widths(grid, letter, gap)
    first, used = 0, stub
    for place, width in enumerate(each):
        if place > first and used + width > ACROSS:
            yield first, place
            first, used = place, stub
        used += width
    yield first, len(each)


def _fitting(grid: Grid) -> tuple[str, float] | None:
    """Return the largest size of text at which a table fits, and its gap; None if none does."""
    for size, letter, gap in SIZES:
        stub, each = _widths(grid, letter, gap)
        if stub + sum(each) <= ACROSS:
            return size, gap
    return None


def _widths(grid: Grid, letter: float, gap: float) -> tuple[float, list[float]]:
    """Return the width of all labels, and of each column, in points."""
    stub = sum(
        letter * min(LABEL, max(map(len, (name, *column)))) + 2 * gap
        for name, column in zip(grid.stub, zip(*grid.labels, strict=True), strict=False)
    )
    each = []
    for place, head in enumerate(grid.heads):
        longest = max((len(row[place]) for row in grid.cells), default=0)
        most = LABEL if grid.words[place] else longest
        each.append(letter * max(min(longest, most), min(len(head), HEAD)) + 2 * gap)
    return stub, each


def _environment(grid: Grid, *, caption: str, notes: list[str]) -> str:
    size, gap = _fitting(grid) or (SIZES[-1][0], SIZES[-1][2])
    small = [] if size == SIZES[0][0] else [size, rf"\setlength{{\tabcolsep}}{{{gap:g}pt}}"]
    aligned = "l" * len(grid.stub) + "".join("l" if words else "r" for words in grid.words)
    heads = [_head(head, words) for head, words in zip(grid.heads, grid.words, strict=True)]
    rows = [
        _row(
            [*map(_words, label)]
            + [
                _words(c) if words else _number(c)
                for c, words in zip(cells, grid.words, strict=True)
            ]
        )
        for label, cells in zip(grid.labels, grid.cells, strict=True)
    ]
    lines = [
        r"\begin{table}",
        r"\centering",
        *([rf"\caption{{{escaped(caption)}}}"] if caption else []),
        *small,
        rf"\begin{{tabular}}{{{aligned}}}",
        r"\toprule",
        *_spanned(grid),
        _row([*map(escaped, grid.stub), *heads]),
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
        *_noted(notes),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _broken(text: str) -> str:
    """Return escaped text whose long words may be broken."""
    words = (re.findall(f".{{1,{WORD}}}", word) for word in text.split())
    return " ".join(r"\hspace{0pt}".join(map(escaped, pieces)) for pieces in words)


def _words(text: str) -> str:
    """Return words as LaTeX prints them, on several lines where they are long."""
    if len(text) <= LABEL:
        return escaped(text)
    return rf"\parbox[t]{{{LABEL / 2:g}em}}{{\raggedright {_broken(text)}}}"


def _head(text: str, words: bool) -> str:
    if len(text) <= HEAD:
        return escaped(text)
    side = r"\raggedright" if words else r"\raggedleft"
    return rf"\parbox[b]{{{HEAD / 2:g}em}}{{{side} {_broken(text)}}}"


def _number(cell: str) -> str:
    """Return a cell with its minus signs as long as they should be."""
    if len(cell) > LABEL and not re.search(r"\d", cell):
        return _words(cell)
    return re.sub(r"(?:^|(?<=[( ]))-(?=[\d.])", "$-$", escaped(cell))


def _row(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _spanned(grid: Grid) -> list[str]:
    if not grid.spanner or not grid.heads:
        return []
    first, width = len(grid.stub) + 1, len(grid.heads)
    over = rf"\multicolumn{{{width}}}{{c}}{{{escaped(grid.spanner)}}}"
    return [_row([""] * (first - 1) + [over]), rf"\cmidrule{{{first}-{first + width - 1}}}"]


def _noted(notes: Iterable[str]) -> list[str]:
    lines = [rf"{escaped(note)}\par" for note in notes]
    if not lines:
        return []
    opening = [r"\par\medskip", r"\begin{minipage}{\linewidth}", r"\footnotesize"]
    return [*opening, *lines, r"\end{minipage}"]
