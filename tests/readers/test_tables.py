from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from nma import readers
from nma.errors import DataError

FRAME = pd.DataFrame(
    {
        "study": ["b", "b", "a", "a"],
        "n": [10, 20, 30, 40],
        "mean": [0.1, np.nan, -0.3, 1e300],
        "weeks": pd.array([8, None, 12, 12], dtype="Int64"),
    }
)


def records(frame: pd.DataFrame) -> Any:
    return frame.astype({"weeks": float}).to_records(index=False)


def as_bytes(frame: pd.DataFrame) -> Any:
    table = records(frame)
    dtype = [(name, "S4" if name == "study" else table.dtype[name]) for name in table.dtype.names]
    return table.astype(dtype)


def arrow(frame: pd.DataFrame) -> Any:
    return pytest.importorskip("pyarrow").Table.from_pandas(frame)


KINDS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "pandas": lambda frame: frame,
    "pandas with labels twice": lambda frame: frame.set_axis([1, 1, 2, 2]),
    "pandas with index of two levels": lambda f: f.set_index([f["study"], f["n"]], drop=False),
    "polars": lambda frame: pl.DataFrame(frame.to_dict("list")),
    "polars, lazy": lambda frame: pl.LazyFrame(frame.to_dict("list")),
    "pyarrow": arrow,
    "mapping of lists": lambda frame: frame.to_dict("list"),
    "mapping of arrays": lambda frame: {name: frame[name].to_numpy() for name in frame},
    "mapping of unlike indexes": lambda f: {
        name: f[name].set_axis(range(k, k + 4)) for k, name in enumerate(f)
    },
    "structured array": records,
    "structured array of bytes": as_bytes,
}


@pytest.mark.parametrize("kind", KINDS)
def test_tables_of_every_kind_are_one(kind: str) -> None:
    table = readers.table(KINDS[kind](FRAME))
    assert table.columns.tolist() == FRAME.columns.tolist()
    assert table["study"].tolist() == FRAME["study"].tolist()
    assert table.index.tolist() == [0, 1, 2, 3]
    for name in ("n", "mean", "weeks"):
        numbers = readers.numeric(table[name], ["s"] * 4, name)
        assert numbers.issues == []
        assert numbers.values.dtype == np.float64
        expected = FRAME[name].to_numpy(dtype=float, na_value=np.nan)
        assert numbers.values.tobytes() == expected.tobytes()


def test_masked_numbers_are_missing() -> None:
    masked = np.ma.MaskedArray([1.0, 2.0, 3.0], mask=[False, True, False])
    table = readers.table({"x": masked, "study": ["a", "b", "c"]})
    values = readers.numeric(table["x"], ["a", "b", "c"], "x").values
    np.testing.assert_array_equal(values, [1.0, np.nan, 3.0])


def test_a_structured_array_of_another_byte_order_is_read() -> None:
    table = readers.table(
        np.array([("a", 1.5), ("b", -2.0)], dtype=[("study", "U1"), ("x", ">f8")])
    )
    assert readers.numeric(table["x"], ["a", "b"], "x").values.tolist() == [1.5, -2.0]


def test_the_table_is_the_readers_own() -> None:
    given = FRAME.copy()
    table = readers.table(given)
    table.loc[0, "mean"] = 99.0
    pd.testing.assert_frame_equal(given, FRAME)


def test_missing_columns_are_named_with_their_role() -> None:
    issues = readers.missing_columns(FRAME, [("study", "study"), ("outcome", "meen")])
    (issue,) = issues
    assert (issue.code, issue.column) == ("no-column", "meen")
    assert issue.problem == "there is no column 'meen' for the outcome"
    assert issue.remedy == ("The columns are 'study', 'n', 'mean', 'weeks'. Did you mean 'mean'?")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("0,35", "decimal comma"),
        ("-0,35", "decimal comma"),
        (",5", "decimal comma"),
        ("1,234", "thousands mark or a decimal comma"),
        ("1.234,5", "thousands mark or a decimal comma"),
        ("1'234'567", "thousands mark or a decimal comma"),
        ("1\u00a0234", "thousands mark or a decimal comma"),
        ("\u22120.4", "typographic minus"),
        ("\u20130.4", "typographic minus"),
        ("\u22120,4", "decimal comma"),
        ("35%", "percentage"),
        ("n.r.", "leave the cell empty"),
        ("\u2013", "leave the cell empty"),
        ("0.4", "Convert the column to numbers"),
        ("about 3", "Convert the column to numbers"),
    ],
)
def test_text_is_never_converted_but_guessed_at(text: str, hint: str) -> None:
    numbers = readers.numeric(pd.Series([text], dtype=object), ["Ames"], "mean")
    (issue,) = numbers.issues
    assert hint in issue.remedy
    assert (issue.study, issue.rows, issue.column, issue.value) == ("Ames", (1,), "mean", text)
    assert np.isnan(numbers.values[0])


def test_a_table_without_rows_is_refused() -> None:
    with pytest.raises(DataError, match="the table has no rows"):
        readers.table({})
