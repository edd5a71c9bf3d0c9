"""The log of derived numbers: a column of the table, so that it stays with its rows."""

from __future__ import annotations

from typing import Any

import pandas as pd

from nma.errors import DataError, shortened
from nma.labels import labels
from nma.readers._tables import missing_columns, table

__all__ = [
    "LOG",
    "Entries",
    "add",
    "entry",
    "notices",
    "plain",
    "read",
    "sentences",
    "taken",
    "written",
]

LOG = "derived by nma"
"""The column that says how the numbers of each row were derived."""

BETWEEN, WITHIN = " | ", ": "
IN_FULL = 20
"""Derived numbers that one notice prints; beyond them it names their trials and rows."""

Entries = list[list[str]]
"""What was derived in each row."""


def plain(text: str) -> str:
    """Return a name without the marks that divide entries."""
    return text.replace("|", "/").replace(WITHIN, " ")


def entry(what: str, numbers: str) -> str:
    """Return an entry: what was done, the same for all rows it was done to, and this row's numbers.

    Parameters
    ----------
    what : str
        Such as ``"sd = se sqrt(n) (Cochrane Handbook 6.5.2.2)"``.
    numbers : str
        Such as ``"2.846 from se 0.45, n 40"``.
    """
    return f"{plain(what)}{WITHIN}{numbers.replace('|', '/')}"


def read(frame: pd.DataFrame) -> Entries:
    """Return the entries of every row; pandas may have given the column a suffix in a merge."""
    found: Entries = [[] for _ in range(len(frame))]
    for name in names(frame):
        for row, cell in enumerate(frame[name]):
            if isinstance(cell, str):
                add(found[row], *filter(None, map(str.strip, cell.split(BETWEEN))))
    return found


def names(frame: pd.DataFrame) -> list[str]:
    """Return the columns that hold the log."""
    return [name for name in frame.columns if str(name).startswith(LOG)]


def add(entries: list[str], *more: str) -> None:
    """Add entries to those of a row, each once."""
    entries.extend(text for text in dict.fromkeys(more) if text not in entries)


def written(frame: pd.DataFrame, entries: Entries) -> pd.DataFrame:
    """Return the table with its log as the last column, or without one if there is nothing."""
    bare = frame.drop(columns=names(frame))
    if any(entries):
        bare[LOG] = pd.Series(map(BETWEEN.join, entries), index=bare.index, dtype=object)
    return bare


def taken(frame: pd.DataFrame) -> tuple[pd.DataFrame, Entries]:
    """Return the table without its log, and the log."""
    return frame.drop(columns=names(frame)), read(frame)


def sentences(entries: Entries, studies: pd.Series[Any]) -> list[str]:
    """Return a notice for each thing that was done: trials, rows and numbers.

    Parameters
    ----------
    entries : list of list of str
        What was derived in each row of the user's table.
    studies : Series
        The trials of the rows to speak of, indexed by the user's row, from 1.
    """
    done: dict[str, list[tuple[str, int, str]]] = {}
    for row, study in zip(studies.index.tolist(), studies, strict=True):
        for text in entries[row - 1]:
            what, _, numbers = text.partition(WITHIN)
            done.setdefault(what, []).append((study, row, numbers))
    return [f"{what}{'' if what.endswith('?') else ':'} {_places(done[what])}." for what in done]


def _places(places: list[tuple[str, int, str]]) -> str:
    """Return trials, rows and numbers; beyond the first, trials and rows."""
    said = []
    for position, (study, row, numbers) in enumerate(places[:IN_FULL]):
        again = position > 0 and study == places[position - 1][0]
        trial = "" if again else f"{shortened(study)}, "
        said.append(f"{trial}row {row}{WITHIN if numbers else ''}{numbers}")
    if places[IN_FULL:]:
        more = [f"{shortened(study)}, row {row}" for study, row, _ in places[IN_FULL:]]
        said.append(f"and, with numbers in the column {LOG!r}: {'; '.join(more)}")
    return "; ".join(said)


def notices(frame: Any, *, study: str) -> tuple[str, ...]:
    """Return what was derived in a table, as the result will say it.

    Networks read the same notices from the table and hand them on to every result; this is for
    looking at them before.

    Parameters
    ----------
    frame : table
        With or without derived numbers.
    study : str
        Column with the names of trials.

    Returns
    -------
    tuple of str
        One for each formula, with the trials, rows and numbers it was used for; those that ask
        a question are printed with every table of effects.

    Raises
    ------
    DataError
        If there is no such column.

    Examples
    --------
    >>> import nma
    >>> trials = {"study": ["Trial A"], "se": [0.45], "n": [40]}
    >>> derived = nma.readers.sd_from_se(trials, study="study", sd="sd", se="se", n="n")
    >>> print(*nma.readers.notices(derived, study="study"))
    sd = se sqrt(n) (Cochrane Handbook 6.5.2.2): Trial A, row 1: 2.846 from se 0.45, n 40.
    """
    given = table(frame)
    issues = missing_columns(given, [("study", study)])
    if issues:
        raise DataError(issues)
    studies = pd.Series(labels({study: given[study]}).values[0])
    return tuple(sentences(read(given), studies.set_axis(studies.index + 1)))
