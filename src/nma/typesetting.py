"""Tables for manuscripts: the printed cells, as HTML for word processors, and as CSV."""

from __future__ import annotations

import html as html_
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import pandas as pd

__all__ = ["Grid", "commented", "harmless", "html", "printed"]

RULE = "1pt solid"
THIN = "0.5pt solid"

NUMBER = re.compile(r"(NNT[BH] )?[<>]?[-+]?\.?\d")
"""How a number begins; a study such as "Smith 2012" is none."""


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
        words=tuple(not any(map(NUMBER.match, column)) for column in written),
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


def html(grid: Grid, *, caption: str, notes: Iterable[str]) -> str:
    """Return a table whose rules are written in its cells, so that word processors keep them."""
    align = ["left" if words else "right" for words in grid.words]
    over = _over(grid)
    rules = f"border-bottom: {THIN}" if over else f"border-top: {RULE}; border-bottom: {THIN}"
    head = [_header(name, "col", "left", rules) for name in grid.stub]
    sides = zip(grid.heads, align, strict=True)
    head += [_header(name, "col", side, rules) for name, side in sides]
    rows = [*zip(grid.labels, grid.cells, strict=True)]
    body = ""
    for k, (label, cells) in enumerate(rows, 1):
        rule = f"border-bottom: {RULE}" if k == len(rows) else ""
        names = "".join(_header(part, "row", "left", rule) for part in label)
        numbers = (_cell(cell, side, rule) for cell, side in zip(cells, align, strict=True))
        body += f"<tr>{names}{''.join(numbers)}</tr>\n"
    title = f'<caption style="min-width: 34em">{_left(caption)}</caption>\n' if caption else ""
    return (
        f'<table cellpadding="4" style="border-collapse: collapse">\n{title}'
        f"<thead>\n{over}<tr>{''.join(head)}</tr>\n</thead>\n"
        f"<tbody>\n{body}</tbody>\n</table>\n"
        + "".join(f"<p>{html_.escape(note)}</p>\n" for note in notes)
    )


def _left(caption: str) -> str:
    """Return a caption that stands left in word processors, too."""
    return f'<p style="text-align: left; margin: 0 0 4pt 0">{html_.escape(caption)}</p>'


def _style(*parts: str) -> str:
    return "; ".join(filter(None, parts))


def _header(text: str, scope: str, side: str, rules: str) -> str:
    if not text:
        return f'<td style="{rules}"></td>' if rules else "<td></td>"
    weight = "" if scope == "col" else "font-weight: normal"
    style = _style(f"text-align: {side}; padding: 2pt 6pt", weight, rules)
    return f'<th scope="{scope}" style="{style}">{html_.escape(text)}</th>'


def _cell(text: str, side: str, rules: str) -> str:
    style = _style(f"text-align: {side}; padding: 2pt 6pt; white-space: nowrap", rules)
    return f'<td style="{style}">{html_.escape(_whole(text))}</td>'


def _whole(text: str) -> str:
    """Return numbers with true minus signs, and limits in brackets that no program parts."""
    signed = re.sub(r"(?:^|(?<=[( ]))-(?=[\d.])", "\N{MINUS SIGN}", text)
    return re.sub(r"(?<=\d,) (?=[\d\N{MINUS SIGN}])", "\N{NO-BREAK SPACE}", signed)


def _over(grid: Grid) -> str:
    if not grid.spanner or not grid.heads:
        return ""
    empty = f'<td colspan="{len(grid.stub)}" style="border-top: {RULE}"></td>'
    name = html_.escape(grid.spanner)
    over = f'scope="colgroup" colspan="{len(grid.heads)}"'
    style = f"text-align: center; border-top: {RULE}; border-bottom: {THIN}"
    return f'<tr>{empty}<th {over} style="{style}">{name}</th></tr>\n'


def commented(lines: Iterable[str]) -> str:
    """Return sentences as the comments that may open a CSV file.

    A spreadsheet takes them apart like any row, so no part of them is a formula either.
    """
    return "".join(f"# {_inert_parts(' '.join(line.split()))}\n" for line in lines if line)


def _inert_parts(line: str) -> str:
    return re.sub("(?<=[,;])[^,;]+", lambda part: str(_inert(part[0])), line)


FORMULA = re.compile(r"\s*[=+\-@]")
"""How a cell begins that a spreadsheet would calculate."""

ARITHMETIC = re.compile(r"[\s\d.,()%+-]*")
"""What calculates nothing but a number: an interval, say, that begins with a minus sign."""


def harmless(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame in which no text is a formula to a spreadsheet: an apostrophe goes before it.

    Numbers, and numbers with their interval, stay as they are.
    """
    found = pd.DataFrame({k: frame.iloc[:, k].map(_inert) for k in range(frame.shape[1])})
    found.index = _inert_labels(frame.index)
    found.columns = _inert_labels(frame.columns)
    return found


def _inert(value: Any) -> Any:
    if not isinstance(value, str) or not FORMULA.match(value) or ARITHMETIC.fullmatch(value):
        return value
    return f"'{value}"


def _inert_labels(labels: pd.Index) -> pd.Index:
    if isinstance(labels, pd.MultiIndex):
        rows = [tuple(_inert(part) for part in row) for row in labels]
        return pd.MultiIndex.from_tuples(rows, names=[*map(_inert, labels.names)])
    found: pd.Index = pd.Index([_inert(label) for label in labels], name=_inert(labels.name))
    return found
