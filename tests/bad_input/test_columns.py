"""Tables, columns and cells that cannot be read as numbers and names."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
from bad_input.corpus import ARMS, MEANS, PAIRS, Case, agrees, cell, from_arms, from_contrasts
from nma.errors import DataError

ACCEPTED = ("pandas, polars, pyarrow", "mapping of columns", "structured array")
CONVERT = ("Convert the column",)

TABLES = [
    Case("a list", [["Turner", "placebo"]], "not-a-table", ("a list is not a table",), ACCEPTED),
    Case("nothing", None, "not-a-table", ("a NoneType is not a table",), ACCEPTED),
    Case("a file name", "trials.csv", "not-a-table", ("a str is not a table",), ACCEPTED),
    Case("a column", ARMS["mean"], "not-a-table", ("a Series is not a table",), ACCEPTED),
    Case("a plain array", np.eye(3), "not-a-table", ("a ndarray is not a table",), ACCEPTED),
    Case(
        "columns of unequal length", {"study": ["A", "B"], "mean": [1.0]}, "not-a-table",
        ("a dict is not a table", "same length"), ACCEPTED,
    ),
    Case("no rows", ARMS.head(0), "empty", ("no rows",), ("one row for each arm",)),
    Case("no columns", pd.DataFrame(), "empty", ("no rows",), ("one row for each arm",)),
    Case(
        "two columns of one name", pd.concat([ARMS, ARMS[["sd"]]], axis=1), "column-twice",
        ("two columns have this name",), ("Rename one",), column="sd",
    ),
    Case(
        "column names of two levels",
        ARMS.set_axis(pd.MultiIndex.from_product([["x"], ARMS.columns]), axis=1),
        "nested-columns", ("column names have 2 levels",), ("one name",),
    ),
]  # fmt: skip

COLUMNS = [
    Case(
        "misspelt column", ARMS.rename(columns={"treatment": "Treatment "}), "no-column",
        ("no column 'treatment' for the treatment",),
        ("The columns are 'study', 'Treatment ', 'mean'", "Did you mean 'Treatment '?"),
        column="treatment",
    ),
    Case(
        "abbreviated column", ARMS.rename(columns={"treatment": "trt"}), "no-column",
        ("no column 'treatment'",), ("Did you mean 'trt'?",), column="treatment",
    ),
    Case(
        "missing column of the outcome", ARMS.drop(columns="sd"), "no-column",
        ("no column 'sd' for the outcome",), ("'study', 'treatment', 'mean', 'n'.",), column="sd",
    ),
    Case(
        "column hidden in the index", ARMS.set_index("study"), "no-column",
        ("no column 'study' for the study",), ("in the index", "reset_index()"), column="study",
    ),
]  # fmt: skip

CELLS = [
    Case(
        "number as text", cell(ARMS, 3, "mean", "-0.4"), "not-a-number",
        ("'-0.4' is text, not a number",), CONVERT, "Ames", (3,), "mean",
    ),
    Case(
        "decimal comma", cell(ARMS, 4, "mean", "-1,2"), "not-a-number",
        ("'-1,2' is text",), ("looks like a decimal comma",), "Ames", (4,), "mean",
    ),
    Case(
        "comma that may mark thousands", cell(ARMS, 4, "n", "1,234"), "not-a-number",
        ("'1,234' is text",), ("thousands mark or a decimal comma", "only you can tell"),
        "Ames", (4,), "n",
    ),
    Case(
        "thousands with blanks", cell(ARMS, 1, "n", "1\u202f234"), "not-a-number",
        ("is text",), ("thousands mark",), "Turner", (1,), "n",
    ),
    Case(
        "typographic minus", cell(ARMS, 4, "mean", "\u22121.2"), "not-a-number",
        ("\u22121.2' is text",), ("typographic minus", "'-'"), "Ames", (4,), "mean",
    ),
    Case(
        "percentage", cell(ARMS, 4, "mean", "12 %"), "not-a-number",
        ("'12 %' is text",), ("percentage",), "Ames", (4,), "mean",
    ),
    Case(
        "mark for a missing number", cell(ARMS, 5, "sd", "NR"), "not-a-number",
        ("'NR' is text",), ("leave the cell empty (None or NaN)",), "Boyd", (5,), "sd",
    ),
    Case(
        "empty text", cell(ARMS, 5, "sd", ""), "not-a-number",
        ("'' is text",), ("leave the cell empty (None or NaN)",), "Boyd", (5,), "sd",
    ),
    Case(
        "yes or no", cell(ARMS, 5, "n", value=True), "not-a-number",
        ("True is a yes-or-no value",), CONVERT, "Boyd", (5,), "n",
    ),
    Case(
        "date", cell(ARMS, 6, "mean", dt.datetime(2024, 1, 12)), "not-a-number",  # noqa: DTZ001
        ("is a date, not a number",), ("spreadsheet", "1.12"), "Boyd", (6,), "mean",
    ),
    Case(
        "list in a cell", cell(ARMS, 6, "mean", [1.0, 2.0]), "not-a-number",
        ("[1.0, 2.0] is a list",), CONVERT, "Boyd", (6,), "mean",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", [*TABLES, *COLUMNS, *CELLS], ids=lambda case: case.name)
def test_refused(case: Case) -> None:
    with pytest.raises(DataError) as caught:
        from_arms(case.table)
    agrees(case, caught.value)


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (ARMS["mean"].astype(str), "text"),
        (ARMS["mean"] > -1, "a yes-or-no value"),
        (pd.Series(pd.date_range("2024-01-01", periods=6)), "a date"),
        (ARMS["mean"].astype(complex), "a complex number"),
        (ARMS["mean"].astype(str).astype("category"), "text"),
    ],
    ids=["text", "bool", "datetime", "complex", "categories"],
)
def test_a_column_of_the_wrong_kind_is_refused_row_by_row(
    column: pd.Series[Any], kind: str
) -> None:
    with pytest.raises(DataError, match="6 problems in the data") as caught:
        from_arms(ARMS.assign(mean=column))
    assert [issue.rows for issue in caught.value.issues] == [(row,) for row in range(1, 7)]
    assert {issue.code for issue in caught.value.issues} == {"not-a-number"}
    assert all(kind in issue.problem for issue in caught.value.issues)
    last = str(caught.value).splitlines()[-2]
    assert last.endswith("... and 1 more of [not-a-number] in column 'mean'")


def test_the_cell_that_made_text_of_a_column_is_named_first() -> None:
    spoilt = ARMS.assign(mean=[*ARMS["mean"].astype(str)[:-1], "5,4"])
    with pytest.raises(DataError) as raised:
        from_arms(spoilt)
    first, *others = raised.value.issues
    assert first.value == "5,4"
    assert "decimal comma" in first.remedy
    assert len(others) == len(ARMS) - 1


@pytest.mark.parametrize(
    "number",
    [
        lambda value: value,
        Decimal,
        Fraction,
        np.float64,
        np.longdouble,
    ],
    ids=["float", "Decimal", "Fraction", "float64", "longdouble"],
)
def test_numbers_of_every_kind_are_read_as_they_are(number: Callable[[float], object]) -> None:
    table = ARMS.assign(mean=pd.Series([number(x) for x in ARMS["mean"]], dtype=object))
    network = from_arms(table)
    np.testing.assert_array_equal(network.arms["mean"], from_arms(ARMS).arms["mean"])


@pytest.mark.parametrize("dtype", ["Int64", "int8", "uint8", "int32", "Float64", "category"])
def test_columns_of_every_kind_are_read_as_they_are(dtype: str) -> None:
    found = from_arms(ARMS.astype({"n": dtype})).arms["n"]
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, from_arms(ARMS).arms["n"])


def test_a_missing_nullable_cell_is_a_missing_number() -> None:
    n = pd.array([40, 41, 30, 32, None, 26], dtype="Int64")
    with pytest.raises(DataError) as caught:
        from_arms(ARMS.assign(n=n))
    (issue,) = caught.value.issues
    assert (issue.code, issue.study, issue.rows, issue.column) == ("missing", "Boyd", (5,), "n")


def test_numbers_of_32_bits_are_read_with_a_notice() -> None:
    network = from_arms(ARMS.astype({"mean": "float32"}))
    assert network.arms["mean"].dtype == np.float64
    assert "Column 'mean' has 32-bit numbers, which hold fewer digits." in network.notices
    assert not any("32-bit" in notice for notice in from_arms(ARMS).notices)


def test_several_missing_columns_are_reported_together() -> None:
    with pytest.raises(DataError) as caught:
        from_arms(ARMS.rename(columns={"study": "Study", "sd": "SD"}))
    assert [(i.code, i.column) for i in caught.value.issues] == [
        ("no-column", "study"),
        ("no-column", "sd"),
    ]
    assert "Did you mean 'Study'?" in str(caught.value)
    assert "Did you mean 'SD'?" in str(caught.value)


def test_one_column_cannot_be_two_things() -> None:
    with pytest.raises(DataError, match="to be the study and the treatment") as caught:
        from_arms(ARMS, treatment="study")
    assert (caught.value.issues[0].code, caught.value.issues[0].column) == (
        "column-for-two",
        "study",
    )


@pytest.mark.parametrize("name", [None, 3, ["study"]])
def test_a_column_name_of_the_wrong_kind_is_refused(name: object) -> None:
    with pytest.raises(DataError, match=re.escape(f"no column {name!r} for the study")):
        from_arms(ARMS, study=name)


@pytest.mark.parametrize("name", ["study", "treatment", "comparator"])
def test_our_own_names_cannot_be_columns_of_the_outcome(name: str) -> None:
    table = ARMS.rename(columns={"study": "trial", "treatment": "arm", "mean": name})
    outcome = nma.outcomes.Continuous(name, sd="sd", n="n", measure="MD", better="lower")
    with pytest.raises(DataError, match="cannot have this name") as caught:
        from_arms(table, study="trial", treatment="arm", outcome=outcome)
    assert (caught.value.issues[0].code, caught.value.issues[0].column) == (
        "column-name-taken",
        name,
    )


def test_our_own_names_may_be_used_for_something_else() -> None:
    table = ARMS.rename(columns={"study": "trial", "treatment": "arm"}).assign(
        study=range(6), treatment="daily", comparator="none", participants=0, tau=1.5
    )
    network = from_arms(table, study="trial", treatment="arm")
    assert network.trials == from_arms(ARMS).trials
    assert network.arms["participants"].tolist() == from_arms(ARMS).arms["participants"].tolist()
    assert set(network.arms["comparator (given)"]) == {"none"}
    assert set(network.arms["participants (given)"]) == {0}
    assert set(network.arms["treatment (given)"]) == {"daily"}
    assert sorted(network.arms["study (given)"]) == list(range(6))
    assert set(network.arms["tau"]) == {1.5}


def test_participants_may_be_called_participants() -> None:
    outcome = nma.outcomes.Continuous(
        "mean", sd="sd", n="participants", measure="MD", better="lower"
    )
    network = from_arms(ARMS.rename(columns={"n": "participants"}), outcome=outcome)
    assert network.arms.columns.tolist() == ["study", "treatment", "participants", "mean", "sd"]
    assert network.arms["participants"].tolist() == from_arms(ARMS).arms["n"].tolist()


def test_columns_named_by_numbers_are_read() -> None:
    table = ARMS.set_axis(range(5), axis=1)
    outcome = nma.outcomes.Continuous("2", sd="3", n="4", measure="MD", better="lower")
    network = from_arms(table, study="0", treatment="1", outcome=outcome)
    assert network.trials == from_arms(ARMS).trials


def test_a_cell_that_was_refused_is_not_reported_as_missing_too() -> None:
    with pytest.raises(DataError) as caught:
        from_arms(cell(cell(ARMS, 1, "sd", "2,0"), 3, "mean", math.nan))
    found = [(issue.code, issue.rows, issue.column) for issue in caught.value.issues]
    assert found == [("not-a-number", (1,), "sd"), ("missing", (3,), "mean")]


def test_the_contrast_reader_checks_columns_too() -> None:
    with pytest.raises(DataError, match="no column 'comparator' for the comparator") as caught:
        from_contrasts(PAIRS.rename(columns={"comparator": "Comparator"}))
    assert "Did you mean 'Comparator'?" in str(caught.value)


def test_contrasts_are_not_read_as_arms() -> None:
    with pytest.raises(DataError, match="Continuous reports arms, not contrasts") as caught:
        from_contrasts(PAIRS, outcome=MEANS)
    assert "Use Network.from_arms" in str(caught.value)
