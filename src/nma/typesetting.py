"""Tables for manuscripts: the printed cells as LaTeX, as HTML for word processors, and as CSV."""

from __future__ import annotations

import html as html_
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import pandas as pd

__all__ = ["Grid", "commented", "escaped", "html", "latex", "printed"]

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

RULE = "1pt solid"
THIN = "0.5pt solid"


@final
@dataclass(frozen=True)
class Grid:
    """The text of a table, cell by cell, as it is printed.

    Parameters
    ----------
    stub : tuple of str
        Names of the columns of labels; empty where they have none.
    spanner : str
        Name over all the other columns, or nothing.
    heads : tuple of str
        Names of the other columns.
    labels : tuple of tuple of str
        Labels of each row.
    cells : tuple of tuple of str
        Cells of each row.
    words : tuple of bool
        Columns that hold words, which stand left.
    """

    stub: tuple[str, ...]
    spanner: str
    heads: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    cells: tuple[tuple[str, ...], ...]
    words: tuple[bool, ...]


def printed(
    frame: pd.DataFrame,
    *,
    columns: Sequence[Any],
    float_format: Callable[[float], str],
    formatters: Mapping[Any, Callable[[float], str]],
    na_rep: str,
) -> Grid:
    """Return the cells that ``DataFrame.to_string`` would print with the same arguments."""
    written = [
        [_text(value, formatters.get(name), float_format, na_rep) for value in frame[name]]
        for name in columns
    ]
    return Grid(
        stub=tuple("" if name is None else str(name) for name in frame.index.names),
        spanner=" ".join(str(name) for name in frame.columns.names if name is not None),
        heads=tuple(_label(name) for name in columns),
        labels=tuple(
            tuple(_label(part) for part in (row if isinstance(row, tuple) else (row,)))
            for row in frame.index
        ),
        cells=tuple(zip(*written, strict=True)),
        words=tuple(not any(re.search(r"\d", cell) for cell in column) for column in written),
    )


def _text(
    value: Any, named: Callable[[float], str] | None, other: Callable[[float], str], missing: str
) -> str:
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return missing
    if named is not None:
        return named(value)
    return other(value) if isinstance(value, float) else str(value)


def _label(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(_label(part) for part in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def escaped(text: str) -> str:
    """Return text as LaTeX prints it, on one line, with nothing in it that LaTeX would act on."""
    line = "".join(SPECIAL.get(letter, letter) for letter in " ".join(text.split()))
    return re.sub("-(?=-)", "-{}", line)  # two hyphens would become a dash


def _number(cell: str) -> str:
    """Return a cell with its minus signs as long as they should be."""
    return re.sub(r"(?:^|(?<=[( ]))-(?=[\d.])", "$-$", escaped(cell))


def latex(grid: Grid, *, caption: str, notes: Iterable[str]) -> str:
    """Return a ``table`` environment, which needs the package booktabs and nothing else."""
    aligned = "l" * len(grid.stub) + "".join("l" if words else "r" for words in grid.words)
    head = _row([*map(escaped, grid.stub), *map(escaped, grid.heads)])
    rows = [
        _row([*map(escaped, label), *map(_number, cells)])
        for label, cells in zip(grid.labels, grid.cells, strict=True)
    ]
    table = [r"\toprule", *_spanned(grid), head, r"\midrule", *rows, r"\bottomrule"]
    lines = [
        r"\begin{table}",
        r"\centering",
        *([rf"\caption{{{escaped(caption)}}}"] if caption else []),
        rf"\begin{{tabular}}{{{aligned}}}",
        *table,
        r"\end{tabular}",
        *_noted(notes),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


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


def html(grid: Grid, *, caption: str, notes: Iterable[str]) -> str:
    """Return a table whose rules are written in it, so that word processors keep them."""
    align = ["left" if words else "right" for words in grid.words]
    head = [_header(name, "col", "left") for name in grid.stub]
    head += [_header(name, "col", side) for name, side in zip(grid.heads, align, strict=True)]
    body = "".join(
        "<tr>"
        + "".join(_header(part, "row", "left") for part in label)
        + "".join(_cell(cell, side) for cell, side in zip(cells, align, strict=True))
        + "</tr>\n"
        for label, cells in zip(grid.labels, grid.cells, strict=True)
    )
    title = f'<caption style="text-align: left">{html_.escape(caption)}</caption>\n'
    style = f"border-collapse: collapse; border-top: {RULE}; border-bottom: {RULE}"
    return (
        f'<table style="{style}">\n{title if caption else ""}'
        f"<thead>\n{_over(grid)}<tr>{''.join(head)}</tr>\n</thead>\n"
        f"<tbody>\n{body}</tbody>\n</table>\n"
        + "".join(f"<p>{html_.escape(note)}</p>\n" for note in notes)
    )


def _header(text: str, scope: str, side: str) -> str:
    rule = f"; border-bottom: {THIN}" if scope == "col" else "; font-weight: normal"
    if not text:
        return f'<td style="{rule[2:]}"></td>'
    style = f"text-align: {side}; padding: 2pt 6pt{rule}"
    return f'<th scope="{scope}" style="{style}">{html_.escape(text)}</th>'


def _cell(text: str, side: str) -> str:
    style = f"text-align: {side}; padding: 2pt 6pt; white-space: nowrap"
    return f'<td style="{style}">{html_.escape(text)}</td>'


def _over(grid: Grid) -> str:
    if not grid.spanner or not grid.heads:
        return ""
    empty = f'<td colspan="{len(grid.stub)}"></td>'
    name = html_.escape(grid.spanner)
    over = f'scope="colgroup" colspan="{len(grid.heads)}"'
    style = f"text-align: center; border-bottom: {THIN}"
    return f'<tr>{empty}<th {over} style="{style}">{name}</th></tr>\n'


def commented(lines: Iterable[str]) -> str:
    """Return sentences as the comments that may open a CSV file."""
    return "".join(f"# {' '.join(line.split())}\n" for line in lines if line)
