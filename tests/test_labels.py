from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nma.labels import collisions, labels, misnamed


def test_names_are_trimmed_and_kept_by_column_and_row() -> None:
    read = labels({"t": pd.Series(["a ", "b"]), "c": pd.Series(["c", "a "])})
    assert read.values.tolist() == [["a", "b"], ["c", "a"]]
    assert read.issues == []
    assert read.changes == ["Column 't / c': 'a ' was read as 'a'."]


def test_a_missing_name_is_empty_text() -> None:
    read = labels({"t": pd.Series(["a", None]), "c": pd.Series(["", "b"])})
    assert read.values.tolist() == [["a", ""], ["", "b"]]
    assert [(i.code, i.column, i.rows) for i in read.issues] == [
        ("no-label", "t", (2,)),
        ("no-label", "c", (1,)),
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("placebo", "Placebo"),
        ("stra\u00dfe", "STRASSE"),
        ("A", "\u0391"),
        ("CBT", "\u0421\u0412\u0422"),
        ("x\u00b2", "x2"),
        ("a\u00adb", "ab"),
        ("\ufb01t", "fit"),
    ],
)
def test_names_that_could_be_one_collide(one: str, other: str) -> None:
    (issue,) = collisions([one, "something else", other])
    assert issue.code == "labels-collide"


@pytest.mark.parametrize(
    ("one", "other"),
    [("a", "b"), ("\u03b1", "a"), ("01", "1"), ("a+b", "a b"), ("5 mg", "50 mg"), ("e", "\u00e9")],
)
def test_names_that_differ_do_not_collide(one: str, other: str) -> None:
    assert collisions([one, other]) == []


def test_every_kind_of_missing_cell_is_a_missing_name() -> None:
    cells = pd.Series([None, np.nan, pd.NA, pd.NaT, "a"], dtype=object)
    read = labels({"t": cells})
    assert read.values.tolist() == [["", "", "", "", "a"]]
    assert read.issues[0].rows == (1, 2, 3, 4)


def test_true_is_not_one() -> None:
    read = labels({"t": pd.Series([1, True, 1.0, "x\0", "x"], dtype=object)})
    assert read.values.tolist() == [["1", "True", "1", "x\0", "x"]]
    assert [issue.code for issue in read.issues] == ["control-character"]


def test_names_that_fit_are_not_misnamed() -> None:
    assert misnamed(["a", "b"], "a", ["b", "a"]) == []
    assert misnamed(["a", "b"], None, None) == []
