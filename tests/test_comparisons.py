"""Rows of docs/checked.csv are stale when they should be, and read as they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

import comparisons
from comparisons import Comparison, differences, record, recording, rounded
from sources import SOURCES, TSD2

PLACE = TSD2.at("beta-blockers", "example 1", "common effect")
NUMBERS = {"mean": "-0.26", "sd": "0.050"}


def rows(
    *ours: float, numbers: dict[str, str] = NUMBERS, allowed: float = 0.01
) -> list[Comparison]:
    with recording() as found:
        within = [allowed] * len(numbers)
        record(PLACE, "effect", theirs=numbers, ours=ours, allowed=within, verdict="agrees")
        return [*found]


def test_a_row_says_where_a_number_stands() -> None:
    first, _ = rows(-0.26142, 0.05)
    assert first == Comparison(
        *("NICE DSU TSD 2", "beta-blockers", "example 1, common effect", "effect", "mean"),
        *("-0.26", "-0.261", "0.01", "agrees"),
    )


def test_rows_are_stale_when_ours_moves_by_more_than_a_fifth_of_what_is_allowed() -> None:
    before = rows(-0.261, 0.05)
    assert differences(before, rows(-0.2615, 0.05)) == []
    (told,) = differences(before, rows(-0.264, 0.05))
    assert told.startswith("ours was -0.261 +- 0.01, is -0.264 +- 0.01")


def test_rows_are_stale_when_a_tolerance_is_another() -> None:
    assert len(differences(rows(-0.261, 0.05), rows(-0.261, 0.05, allowed=0.02))) == 2


@pytest.mark.parametrize(
    "numbers", [{"mean": "-0.26"}, {**NUMBERS, "upper": "-0.16"}, {**NUMBERS, "mean": "-0.27"}]
)
def test_rows_are_stale_when_other_numbers_are_compared(numbers: dict[str, str]) -> None:
    assert differences(rows(-0.261, 0.05), rows(*[-0.261] * len(numbers), numbers=numbers))


def test_rows_are_stale_when_one_is_there_twice() -> None:
    (first, second) = rows(-0.261, 0.05)
    assert differences([first, second, second], [first, second])


def test_rows_are_stale_when_their_verdict_is_another() -> None:
    before = rows(-0.261, 0.05)
    assert differences(before, [row._replace(verdict="differs") for row in before])


@pytest.mark.parametrize(
    ("number", "allowed", "text"),
    [
        (-0.26142, 0.0061, "-0.2614"),
        (-0.00001, 0.01, "0.000"),
        (96.98555300526, 1e-6, "96.9855530"),
        (18.0, 0.0, "18"),
        (float("inf"), 0.1, "none"),
        (7.871368552e-13, 7.9e-19, "7.8713686e-13"),
    ],
)
def test_ours_is_written_to_a_tenth_of_what_is_allowed(
    number: float, allowed: float, text: str
) -> None:
    assert rounded(number, allowed) == text


def test_rows_are_read_as_they_are_written(tmp_path: Path) -> None:
    given = {"a.py::test[x, y]": rows(-0.261, 0.05), "a.py::test[z]": rows(-0.3, 0.06)}
    comparisons.write(given, tmp_path / "rows.csv")
    assert comparisons.read(tmp_path / "rows.csv") == given


def test_sources_are_told_apart_and_placed() -> None:
    assert len({source.name for source in SOURCES}) == len(SOURCES)
    assert all(source.place.endswith(".") for source in SOURCES)
    assert not any(source.doi.startswith(("http", "doi")) for source in SOURCES)
