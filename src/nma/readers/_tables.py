"""From whatever table the user has to columns of numbers, with every problem on the way."""

from __future__ import annotations

import datetime as dt
import math
import numbers
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from nma.errors import DataError, Issue, nearest, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Numbers", "missing_columns", "numeric", "table"]


MINUS = "[-+\u2212\u2012\u2013]?"
GUESSES = (
    (
        r"|\.|-|\u2013|n\.?[ar]\.?|n/a|nan|null|none",
        "If it stands for a missing number, leave the cell empty (None or NaN).",
    ),
    (
        r".*%",
        "It looks like a percentage: give the number, on the scale the outcome needs.",
    ),
    (
        MINUS + "\\d{1,3}([.,' \u00a0\u202f]\\d{3})+([.,]\\d+)?",
        "It may hold a thousands mark or a decimal comma: only you can tell; convert it.",
    ),
    (
        MINUS + r"\d*,\d+",
        "It looks like a decimal comma: convert the column before you hand it over.",
    ),
    (
        "[\u2212\u2012\u2013].*",
        "It holds a typographic minus: replace it by '-' and convert the column.",
    ),
)
"""What text in a column of numbers may have been meant as, the first that fits."""


class Numbers(NamedTuple):
    """A cleaned column of numbers, NaN where nothing was given."""

    values: NDArray[np.float64]
    issues: list[Issue]
    remarks: list[str]


def table(frame: Any) -> pd.DataFrame:
    """Return any table as a pandas DataFrame of its own, its rows counted from zero.

    Parameters
    ----------
    frame : DataFrame of any library narwhals knows, mapping of columns, or structured array
        pandas, polars (also lazy), pyarrow, ...

    Raises
    ------
    DataError
        If it is not a table, is empty, or two of its columns share a name.
    """
    try:
        result = _as_pandas(frame)
    except (TypeError, ValueError) as error:
        raise DataError([_not_a_table(frame, error)]) from None
    if result.columns.nlevels > 1:
        problem = f"its column names have {result.columns.nlevels} levels"
        raise DataError([Issue("nested-columns", problem, "Give every column one name.")])
    result.columns = result.columns.map(str)
    issues = []
    if not len(result):
        issues.append(
            Issue("empty", "the table has no rows", "Give one row for each arm or contrast.")
        )
    twice = result.columns[result.columns.duplicated()].unique()
    issues += [
        Issue("column-twice", "two columns have this name", "Rename one.", column=name)
        for name in twice
    ]
    if issues:
        raise DataError(issues)
    return result


def _as_pandas(frame: Any) -> pd.DataFrame:
    if isinstance(frame, pd.DataFrame):
        return frame.reset_index(drop=True)
    if isinstance(frame, Mapping):
        return pd.DataFrame({name: _positional(column) for name, column in frame.items()})
    if isinstance(frame, np.ndarray) and frame.dtype.names:
        return pd.DataFrame({name: _text(frame[name]) for name in frame.dtype.names})
    import narwhals as nw

    known: Any = nw.from_native(frame)
    eager = known.collect() if isinstance(known, nw.LazyFrame) else known
    return pd.DataFrame({name: eager[name].to_numpy() for name in eager.columns})


def _positional(column: Any) -> Any:
    """Return a column that pandas cannot align by index."""
    return column.reset_index(drop=True) if isinstance(column, pd.Series) else column


def _text(field: NDArray[Any]) -> Any:
    """Return a field of a structured array; old readers leave text as bytes."""
    return np.char.decode(field, "utf-8") if field.dtype.kind == "S" else field


def _not_a_table(frame: Any, error: Exception) -> Issue:
    why = f" ({error})" if isinstance(frame, Mapping | np.ndarray) else ""
    return Issue(
        "not-a-table",
        f"a {type(frame).__name__} is not a table{why}",
        "Give a DataFrame (pandas, polars, pyarrow, ...), a mapping of columns or a "
        "structured array.",
    )


def missing_columns(
    frame: pd.DataFrame, wanted: Iterable[tuple[str, str]], *, index: Sequence[object] = ()
) -> list[Issue]:
    """Return an issue for every wanted column the table lacks.

    Parameters
    ----------
    frame : DataFrame
        The user's table.
    wanted : pairs of str
        What a column is for (such as the study), and its name.
    index : sequence
        Names of the levels of the table's index, where a column may hide.
    """
    there = list(frame.columns)
    return [
        Issue(
            "no-column",
            f"there is no column {name!r} for the {role}",
            "It is in the index: call reset_index() first."
            if name in index
            else f"The columns are {', '.join(map(repr, there))}.{nearest(name, there)}",
            column=str(name),
        )
        for role, name in wanted
        if name not in there
    ]


def numeric(column: pd.Series[Any], studies: Sequence[str], name: str) -> Numbers:
    """Return a column as float64, with an issue for every cell that is not a number.

    Missing cells become NaN without an issue: whether they are needed is the outcome's to say.

    Parameters
    ----------
    column : Series
        The user's cells: numbers of any kind, also as objects, decimals or fractions.
    studies : sequence of str
        The trial of each row, for messages.
    name : str
        The column's name, for messages.
    """
    if column.dtype.kind in "iuf":
        values = column.to_numpy(dtype=float, na_value=np.nan)
        bits = 8 * getattr(column.dtype, "itemsize", 8)
        remark = f"Column {name!r} has {bits}-bit numbers, which hold fewer digits."
        return Numbers(values, [], [remark] if column.dtype.kind == "f" and bits < 64 else [])
    values = np.full(len(column), np.nan)
    issues = []
    for row, cell in enumerate(column):
        number = _number(cell)
        if number is None:
            issues.append(_not_a_number(cell, studies[row], row, name))
        else:
            values[row] = number
    return Numbers(values, sorted(issues, key=_is_numeral), [])


def _is_numeral(issue: Issue) -> bool:
    """Return whether a cell is a number but for its type.

    One cell that is none makes text of a whole file's column: it is named first.
    """
    try:
        return isinstance(issue.value, str) and math.isfinite(float(issue.value))
    except ValueError:
        return False


def _number(cell: object) -> float | None:
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return np.nan
    if isinstance(cell, bool | np.bool_) or not isinstance(cell, numbers.Real | Decimal):
        return None
    return float(cell)


def _not_a_number(cell: object, study: str, row: int, name: str) -> Issue:
    return Issue(
        "not-a-number",
        f"{shown(cell)} is {_kind(cell)}, not a number",
        _guess(cell),
        study=study or None,
        rows=(row + 1,),
        column=name,
        value=cell,
    )


def _kind(cell: object) -> str:
    kinds: dict[type | tuple[type, ...], str] = {
        str: "text",
        (bool, np.bool_): "a yes-or-no value",
        (dt.date, np.datetime64): "a date",
        (complex, np.complexfloating): "a complex number",
    }
    known = (words for kind, words in kinds.items() if isinstance(cell, kind))
    return next(known, f"a {type(cell).__name__}")


def _guess(cell: object) -> str:
    """Return what the cell may have been meant as; nothing is ever converted on a guess."""
    if isinstance(cell, dt.date | np.datetime64):
        return "A spreadsheet may have turned a number such as 1.12 into a date: check the source."
    text = str(cell).strip()
    fitting = (remedy for pattern, remedy in GUESSES if re.fullmatch(pattern, text, re.IGNORECASE))
    return next(fitting, "Convert the column to numbers before you hand it over.")
