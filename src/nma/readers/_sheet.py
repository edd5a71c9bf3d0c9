"""A table on the desk: the numbers a derivation reads, what is wrong with them, what it fills."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd

from nma.errors import DataError, Issue, shown
from nma.labels import labels
from nma.readers import _log
from nma.readers._tables import missing_columns, numeric, table

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Column", "Sheet", "opened", "real"]

ALIKE = frozenset(
    {"effect", "mean", "ratio", "lower", "upper", "minimum", "q1", "median", "q3", "maximum"}
    | {"sd1", "sd2", "baseline_sd", "final_sd", "change_sd"}
)
"""Roles of numbers that a trial prints to the same decimals."""

MOST = 6
"""Decimals beyond which a number was not printed but worked out."""

Column = str | float
"""A column's name, or a number that is stated for every row."""


@final
@dataclass(frozen=True, eq=False)
class Sheet:
    """What a derivation reads and fills, by the role that each column plays.

    Parameters
    ----------
    frame : DataFrame
        The user's table, a copy, its rows counted from zero.
    index : Index or None
        The user's index, which the result gets back.
    studies : tuple of str
        The trial of each row.
    columns : mapping of str to str or float
        The user's column for each role, or the number stated for it.
    numbers : mapping of str to array
        The numbers for each role, (row,); NaN where there are none.
    targets : tuple of str
        The roles to be filled.
    entries : list of list of str
        What has been derived in each row.
    issues : tuple of Issue
        What is wrong.
    overwrite : bool
        Whether numbers that are there give way to derived ones.
    """

    frame: pd.DataFrame
    index: pd.Index[Any] | None
    studies: tuple[str, ...]
    columns: Mapping[str, Column]
    numbers: Mapping[str, NDArray[np.float64]]
    targets: tuple[str, ...]
    entries: _log.Entries
    issues: tuple[Issue, ...]
    overwrite: bool

    def __getitem__(self, role: str) -> NDArray[np.float64]:
        """Return the numbers that play a role, (row,)."""
        return self.numbers[role]

    def stated(self, role: str) -> bool:
        """Return whether the role is played by one number for every row."""
        return not isinstance(self.columns[role], str)

    def name(self, role: str) -> str:
        """Return the user's name for a role."""
        column = self.columns[role]
        return column if isinstance(column, str) else role

    def said(self, role: str, row: int) -> str:
        """Return a number as the log says it: its column, or its role if stated, and value."""
        return f"{self.name(role)} {self[role][row]:g}"

    @cached_property
    def halves(self) -> dict[str, NDArray[np.float64]]:
        """Half a unit of the last printed digit, by role, (row,), as far as it can be known.

        Zeros at the end are lost in reading. So a number has at least the decimals that are usual
        in its column, and those of the estimate, limits or quantiles it was printed with.
        """
        places = {role: decimals(values) for role, values in self.numbers.items()}
        alike = [np.where(own <= MOST, own, 0) for role, own in places.items() if role in ALIKE]
        beside = np.max(alike, axis=0, initial=0)
        return {
            role: 0.5 * 10.0 ** -np.maximum(own, beside if role in ALIKE else 0)
            for role, own in places.items()
        }

    def where(
        self, role: str, bad: NDArray[np.bool_], code: str, problem: str, remedy: str
    ) -> list[Issue]:
        """Return an issue for each row where ``bad``, or one for a number that was stated.

        ``{value}`` in the problem stands for the number, ``{other role}`` for others of the row.
        """
        rows = np.flatnonzero(bad).tolist()
        return [
            Issue(
                code,
                problem.format(value=f"{self[role][row]:g}", **self._others(row)),
                remedy,
                study=None if self.stated(role) else self.studies[row] or None,
                rows=() if self.stated(role) else (row + 1,),
                column=self.name(role),
                value=float(self[role][row]),
            )
            for row in (rows[:1] if self.stated(role) else rows)
        ]

    def _others(self, row: int) -> dict[str, str]:
        return {role: self.said(role, row) for role in self.numbers}

    def sound(self, *found: Sequence[Issue]) -> Sheet:
        """Return the sheet, or refuse it with everything that is wrong.

        Raises
        ------
        DataError
            If anything was found, now or in opening it.
        """
        issues = [*self.issues, *(issue for some in found for issue in some)]
        if issues:
            raise DataError(issues)
        return self

    def remarked(self, bad: NDArray[np.bool_], what: str, numbers: Sequence[str]) -> Sheet:
        """Return the sheet with a question to the user in the log of each row where ``bad``."""
        entries = [list(here) for here in self.entries]
        for row in np.flatnonzero(bad).tolist():
            told = ", ".join(self.said(role, row) for role in numbers)
            _log.add(entries[row], _log.entry(what, told))
        return replace(self, entries=entries)

    def finished(self) -> pd.DataFrame:
        """Return the user's table with the targets filled and the log in its last column."""
        filled = self.frame.copy()
        for role in self.targets:
            filled[self.name(role)] = self[role]
        result = _log.written(filled, self.entries)
        if self.index is not None:
            result.index = self.index
        result.attrs = dict(self.frame.attrs)
        return result


def opened(
    frame: Any,
    *,
    study: str,
    targets: Mapping[str, str],
    columns: Mapping[str, Column | None],
    overwrite: bool,
    worded: Callable[[str, Issue], Issue] = lambda _role, issue: issue,
) -> Sheet:
    """Return the table as a derivation needs it; cells that are no numbers become issues.

    Parameters
    ----------
    frame : table
        The user's.
    study : str
        Column with the names of trials.
    targets : mapping of str to str
        The columns to be filled, by role; they need not exist.
    columns : mapping of str to str or float
        The columns to be read, by role, or a number for every row; None for roles not played.
    overwrite : bool
        Whether the targets are filled where they are not empty.
    worded : callable
        Gives an issue about a cell of a role better words.

    Raises
    ------
    DataError
        If it is not a table, or a column is missing or named for two things.
    """
    given = table(frame)
    played = {role: column for role, column in columns.items() if column is not None}
    _require_columns(given, frame, study, {**targets, **played}, frozenset(targets))
    studies = tuple(labels({study: given[study]}).values[0])
    issues: list[Issue] = []
    numbers: dict[str, NDArray[np.float64]] = {}
    empty = np.full(len(given), overwrite)
    for role, column in {**targets, **played}.items():
        values, found = _read(given, studies, role, column)
        numbers[role] = values
        if role in targets:
            empty |= np.isnan(values)
        else:  # text in a row that needs nothing does no harm
            found = [issue for issue in found if not issue.rows or empty[issue.rows[0] - 1]]
        issues += [worded(role, issue) for issue in found]
    return Sheet(
        frame=given,
        index=frame.index if isinstance(frame, pd.DataFrame) else None,
        studies=studies,
        columns={**targets, **played},
        numbers=numbers,
        targets=tuple(targets),
        entries=_log.read(given),
        issues=tuple(issues),
        overwrite=overwrite,
    )


def _require_columns(
    given: pd.DataFrame,
    frame: Any,
    study: str,
    columns: Mapping[str, Column],
    targets: frozenset[str],
) -> None:
    names = [("study", study), *((r, c) for r, c in columns.items() if isinstance(c, str))]
    index = list(frame.index.names) if isinstance(frame, pd.DataFrame) else []
    needed = [(role, name) for role, name in names if role not in targets]
    issues = missing_columns(given, needed, index=index)
    for name in dict.fromkeys(name for _, name in names):
        roles = [role for role, other in names if other == name]
        if len(roles) > 1:
            problem = f"one column is to be the {' and the '.join(roles)}"
            remedy = "Name a column of its own for each."
            issues.append(Issue("column-for-two", problem, remedy, column=name))
        if name.startswith(_log.LOG):
            problem = "this column holds the log of derived numbers"
            issues.append(Issue("column-name-taken", problem, "Name another.", column=name))
    if issues:
        raise DataError(issues)


def _read(
    given: pd.DataFrame, studies: Sequence[str], role: str, column: Column
) -> tuple[NDArray[np.float64], list[Issue]]:
    if not isinstance(column, str):
        stated = real(column)
        problem = f"{role}={shown(column)} is neither a number nor the name of a column"
        issue = Issue("not-a-number", problem, "State one, or name the column.", column=role)
        return np.full(len(given), stated), [] if np.isfinite(stated) else [issue]
    if column not in given:
        return np.full(len(given), np.nan), []
    values, issues, _ = numeric(given[column], studies, column)
    remedy = "Check the cell: no report prints an infinite number."
    issues += [
        Issue(
            "infinite",
            f"{values[row]:g} is not finite",
            remedy,
            studies[row] or None,
            (row + 1,),
            column,
        )
        for row in np.flatnonzero(np.isinf(values)).tolist()
    ]
    return values, issues


def real(value: Any) -> float:
    """Return a number that was stated, NaN if it is none."""
    fits = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    return float(value) if fits else np.nan


def decimals(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the decimals of each number, at least those of the column's middle one."""
    own = np.array([_decimals(value) for value in values.tolist()])
    told = np.sort(own[np.isfinite(values)])
    return np.asarray(np.maximum(own, told[len(told) // 2] if told.size else 0), dtype=float)


def _decimals(value: float) -> int:
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
