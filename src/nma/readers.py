"""From whatever table the user has to clean columns, with every problem found on the way."""

from __future__ import annotations

import numbers
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from nma.errors import DataError, Issue, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Labels", "Numbers", "labels", "missing_columns", "numeric", "table"]

BLANKS = frozenset({"", ".", "-", "NA", "N/A"})


class Labels(NamedTuple):
    """A cleaned column of names."""

    values: NDArray[np.object_]
    issues: list[Issue]
    notices: list[str]


class Numbers(NamedTuple):
    """A cleaned column of numbers, NaN where nothing was given."""

    values: NDArray[np.float64]
    issues: list[Issue]


def table(frame: Any) -> pd.DataFrame:
    """Return any table as a pandas DataFrame of its own.

    Parameters
    ----------
    frame : DataFrame of any library narwhals knows, mapping of columns, or structured array
        pandas, polars (also lazy), pyarrow, ...

    Raises
    ------
    DataError
        If it is not a table, is empty, or two of its columns share a name.
    """
    result = _as_pandas(frame)
    issues = []
    if not len(result):
        issues.append(
            Issue("empty", "the table has no rows", "Give one row for each arm or contrast.")
        )
    twice = result.columns[result.columns.duplicated()].unique()
    issues += [
        Issue("column-twice", "two columns have this name", "Rename one.", column=str(name))
        for name in twice
    ]
    if issues:
        raise DataError(issues)
    return result


def _as_pandas(frame: Any) -> pd.DataFrame:
    if isinstance(frame, pd.DataFrame):
        return frame.reset_index(drop=True)
    if isinstance(frame, Mapping):
        return pd.DataFrame(dict(frame))
    if isinstance(frame, np.ndarray) and frame.dtype.names:
        return pd.DataFrame({name: frame[name] for name in frame.dtype.names})
    import narwhals as nw

    try:
        known: Any = nw.from_native(frame)
    except TypeError:
        issue = Issue(
            "not-a-table",
            f"a {type(frame).__name__} is not a table",
            "Give a DataFrame (pandas, polars, pyarrow, ...), a mapping of columns or a "
            "structured array.",
        )
        raise DataError([issue]) from None
    eager = known.collect() if isinstance(known, nw.LazyFrame) else known
    return pd.DataFrame({name: eager[name].to_numpy() for name in eager.columns})


def missing_columns(frame: pd.DataFrame, wanted: Mapping[str, str]) -> list[Issue]:
    """Return an issue for every wanted column the table lacks.

    Parameters
    ----------
    frame : DataFrame
        The user's table.
    wanted : mapping of str to str
        For each role (such as ``study``) the name of its column.
    """
    there = [str(name) for name in frame.columns]
    return [
        Issue(
            "no-column",
            f"there is no column {name!r} for the {role}",
            f"The columns are {', '.join(map(repr, there))}.{nearest(name, there)}",
            column=name,
        )
        for role, name in wanted.items()
        if name not in there
    ]


def numeric(column: pd.Series[Any], studies: Sequence[str], name: str) -> Numbers:
    """Return a column as float64, with an issue for every cell that is not a number.

    Missing cells become NaN without an issue: whether they are needed is the outcome's to say.
    """
    if column.dtype.kind in "iuf":
        return Numbers(column.to_numpy(dtype=float, na_value=np.nan), [])
    values = np.full(len(column), np.nan)
    issues = []
    for row, cell in enumerate(column):
        number = _number(cell)
        if number is None:
            issues.append(_not_a_number(cell, studies[row], row, name))
        else:
            values[row] = number
    return Numbers(values, issues)


def _number(cell: object) -> float | None:
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return np.nan
    if isinstance(cell, bool | np.bool_) or not isinstance(cell, numbers.Real):
        return None
    return float(cell)


def _not_a_number(cell: object, study: str, row: int, name: str) -> Issue:
    return Issue(
        "not-a-number",
        f"{cell!r} is a {type(cell).__name__}, not a number",
        _guess(cell),
        study=study,
        rows=(row + 1,),
        column=name,
        value=cell,
    )


def _guess(cell: object) -> str:
    text = str(cell).strip()
    if "," in text and text.replace(",", ".", 1).lstrip("+-").replace(".", "", 1).isdigit():
        return "It looks like a decimal comma: convert the column before you hand it over."
    if any(sign in text for sign in "\u2212\u2012\u2013"):
        return "It holds a typographic minus: replace it by '-' and convert the column."
    return "Convert the column to numbers before you hand it over."


def labels(column: pd.Series[Any], name: str) -> Labels:
    """Return a column of names as trimmed text, with every collision that trimming would hide.

    Parameters
    ----------
    column : Series
        The user's labels: text, numbers or categories.
    name : str
        Its name, for messages.
    """
    cells = column.astype(object).to_numpy()
    codes, originals = pd.factorize(cells, use_na_sentinel=True)
    cleaned = [_clean(original) for original in originals]
    issues = _blank(codes, cleaned, name) + _hostile(codes, cleaned, name)
    issues += _collisions(codes, list(originals), cleaned, name)
    notices = [
        f"Column {name!r}: {original!r} was read as {label!r}."
        for original, label in zip(originals, cleaned, strict=True)
        if isinstance(original, str) and original != label
    ]
    texts = np.array([*cleaned, ""], dtype=object)
    return Labels(texts[codes], issues, notices)


def _clean(original: object) -> str:
    if isinstance(original, float) and original.is_integer():
        original = int(original)
    visible = str(original).replace("\u200b", "").replace("\ufeff", "")
    return " ".join(unicodedata.normalize("NFC", visible).split())


def _rows_of(codes: NDArray[np.int64], wanted: Iterable[int]) -> tuple[int, ...]:
    return tuple(int(row) + 1 for row in np.flatnonzero(np.isin(codes, list(wanted))))


def _blank(codes: NDArray[np.int64], cleaned: list[str], name: str) -> list[Issue]:
    blank = [code for code, label in enumerate(cleaned) if label in BLANKS]
    rows = _rows_of(codes, [-1, *blank])
    if not rows:
        return []
    remedy = "Fill the cell in, or leave the row out before you hand the table over."
    return [Issue("no-label", "the label is missing", remedy, rows=rows, column=name)]


def _hostile(codes: NDArray[np.int64], cleaned: list[str], name: str) -> list[Issue]:
    def hidden(label: str) -> bool:
        return any(unicodedata.category(character) in {"Cc", "Cf"} for character in label)

    return [
        Issue(
            "control-character",
            f"{label!r} holds a control or direction character",
            "Remove it: it cannot be seen, and changes how the label prints.",
            rows=_rows_of(codes, [code]),
            column=name,
            value=label,
        )
        for code, label in enumerate(cleaned)
        if hidden(label)
    ]


def _collisions(
    codes: NDArray[np.int64], originals: Sequence[object], cleaned: list[str], name: str
) -> list[Issue]:
    alike: dict[str, list[int]] = {}
    for code, label in enumerate(cleaned):
        folded = unicodedata.normalize("NFKC", label).casefold()
        alike.setdefault(folded, []).append(code)
    return [
        Issue(
            "labels-collide",
            f"{' and '.join(repr(originals[code]) for code in group)} differ only in blanks, "
            "case, type or form of their characters",
            "Use one spelling if they are the same; rename one if they are not.",
            rows=_rows_of(codes, group),
            column=name,
        )
        for group in alike.values()
        if len(group) > 1
    ]
