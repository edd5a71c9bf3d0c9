from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from nma.tables import Table, decimals, figures, probability, rounded


@pytest.mark.parametrize(
    ("value", "mcse", "shown"),
    [
        (-0.2849, 0.0, "-0.28"),
        (-0.004, 0.0, "0.00"),
        (1.2345, 0.04, "1.23"),
        (1.2345, 0.06, "1.2"),
        (1.2345, 0.6, "1"),
        (1234.5, 80.0, "1234"),
    ],
)
def test_no_more_decimals_than_the_error_supports(value: float, mcse: float, shown: str) -> None:
    assert rounded(value, mcse) == shown


@pytest.mark.parametrize(
    ("sd", "digits"), [([0.42, 3.0], 2), ([0.05], 3), ([2e-8, 1.0], 9), ([400.0], 2), ([0.0], 2)]
)
def test_small_spreads_are_shown(sd: list[float], digits: int) -> None:
    assert decimals(np.array(sd)) == digits


def test_a_table_prints_its_caption_and_notes() -> None:
    table = Table({"a": [1.23456], "b": [2.0]}, caption="What it is.", notes=["Mind this."])
    assert str(table).splitlines() == ["What it is.", "     a    b", "0 1.23 2.00", "- Mind this."]
    assert str(table) == repr(table)


def test_columns_may_have_decimals_of_their_own() -> None:
    table = Table({"a": [1.23456], "b": [0.00123]}, digits={"b": 4})
    assert "1.23 0.0012" in str(table)


def test_what_rounds_to_zero_has_no_sign() -> None:
    tiny = {"two": [-0.004], "four": [-0.00004], "three_figures": [-0.0], "kept": [-0.006]}
    table: Any = Table(tiny, digits={"four": 4}, significant=["three_figures"])
    assert table.printed().loc[0].tolist() == ["0.00", "0.0000", "0", "-0.01"]
    for text in (str(table), table._repr_html_(), table.as_latex(), table.as_html()):
        assert "-0.00" not in text
        assert "\N{MINUS SIGN}0.00" not in text
        assert "-0.01" in text.replace("\N{MINUS SIGN}", "-").replace("$-$", "-")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-47.236, "-47.2"),
        (6540.4, "6540"),
        (123456.0, "123000"),
        (0.031337, "0.0313"),
        (3.254e8, "3.25e+08"),
        (3.08e-9, "3.08e-09"),
        (-2e6, "-2e+06"),
        (np.inf, "inf"),
        (np.nan, "nan"),
    ],
)
def test_three_figures_of_any_size(value: float, shown: str) -> None:
    assert figures(value) == shown


def test_columns_far_apart_print_three_figures() -> None:
    table = Table({"a": [0.0123456, 6540.4]}, significant=["a"])
    assert [line.split()[-1] for line in str(table).splitlines()[-2:]] == ["0.0123", "6540"]
    assert "6540" in table._repr_html_()
    assert table["a"].tolist() == [0.0123456, 6540.4]


def test_markup_in_labels_is_escaped_in_notebooks() -> None:
    evil = "<script>alert(1)</script>"
    table = Table({evil: [1.0]}, index=[evil], caption=evil, notes=[evil])
    html = table._repr_html_()
    assert "<script>" not in html
    assert html.count("&lt;script&gt;") == 4


def test_what_is_made_from_a_table_is_a_plain_frame() -> None:
    table = Table({"a": [1.0, 2.0]}, caption="c")
    assert type(table[table["a"] > 1]) is pd.DataFrame
    assert type(table.round(1)) is pd.DataFrame
    assert table.to_csv() == pd.DataFrame({"a": [1.0, 2.0]}).to_csv()


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (0.0, "<0.01"),
        (0.0049, "<0.01"),
        (0.005, "0.01"),
        (0.5, "0.50"),
        (0.995, "0.99"),
        (1, ">0.99"),
    ],
)
def test_probabilities_are_never_printed_as_certain(value: float, printed: str) -> None:
    assert probability(value) == printed
    table = Table({"p": [value, np.nan]}, probabilities=["p"])
    assert str(table).splitlines()[2].split() == ["0", printed]


def test_a_monte_carlo_error_is_printed_only_where_there_is_one() -> None:
    exact = Table({"mean": [1.0], "mcse": [0.0]})
    drawn = Table({"mean": [1.0], "mcse": [0.1]})
    assert "mcse" not in str(exact)
    assert "mcse" not in exact._repr_html_()
    assert "mcse" in str(drawn)
    assert exact.loc[0, "mcse"] == 0


def test_a_column_may_stay_unprinted() -> None:
    table = Table({"a": [1.0], "b": [2.0]}, unprinted=["b"])
    assert str(table).split() == ["a", "0", "1.00"]
    assert table["b"].tolist() == [2.0]


def test_the_first_and_last_rows_keep_what_is_said_of_them() -> None:
    table = Table(
        {"x": [0.12345, 1.0, 2.0], "p": [0.5, 1.0, 0.1]},
        caption="What they are.",
        notes=["A note."],
        digits={"x": 3},
        probabilities=["p"],
    )
    table.attrs["kept"] = 1
    assert str(table.head(2)).splitlines() == [
        "What they are.",
        "      x     p",
        "0 0.123  0.50",
        "1 1.000 >0.99",
        "- Of 3 rows, the first 2.",
        "- A note.",
    ]
    last = table.tail(1)
    assert isinstance(last, Table)
    assert last.notes == ("Of 3 rows, the last 1.", "A note.")
    assert last.attrs == {"kept": 1}
    assert "Of 3 rows, the last 1." in last._repr_html_()
    assert str(table.head(9)) == str(table)
    assert type(table.head(2).round(1)) is pd.DataFrame
