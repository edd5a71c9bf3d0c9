"""Tables to spoil, and how a refusal is described."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

import nma
from nma.errors import DataError, Issue
from nma.network import Network

MEANS = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
SPREAD = nma.outcomes.Continuous("mean", sd="sd", se="se", n="n", measure="MD", better="lower")
EFFECTS = nma.outcomes.Contrast("md", "se", n=("n1", "n2"), measure="MD", better="lower")
BASED = nma.outcomes.Contrast("md", "se", base_se="base_se", measure="MD", better="lower")

ARMS = pd.DataFrame(
    [
        ("Turner", "placebo", -0.5, 2.0, 40),
        ("Turner", "exercise", -1.5, 2.1, 41),
        ("Ames", "placebo", -0.4, 1.8, 30),
        ("Ames", "CBT", -1.2, 1.9, 32),
        ("Boyd", "exercise", -1.1, 2.2, 25),
        ("Boyd", "CBT", -1.4, 2.4, 26),
    ],
    columns=["study", "treatment", "mean", "sd", "n"],
)
"""Six arms of three trials, the trials not in the order of their names."""

PAIRS = pd.DataFrame(
    [
        ("Turner", "exercise", "placebo", -1.0, 0.5, 41, 40),
        ("Ames", "CBT", "placebo", -0.8, 0.4, 32, 30),
        ("Cole", "exercise", "placebo", -1.0, 0.5, 20, 22),
        ("Cole", "CBT", "placebo", -0.7, 0.6, 21, 22),
        ("Cole", "CBT", "exercise", 0.3, 0.4, 21, 20),
    ],
    columns=["study", "treatment", "comparator", "md", "se", "n1", "n2"],
)
"""Two trials of two arms and one of three, with all its contrasts."""


@dataclass(frozen=True)
class Case:
    """A table and the refusal it must meet.

    ``says`` are words of the problem and ``advises`` words of the remedy, in any order.
    """

    name: str
    table: Any
    code: str
    says: tuple[str, ...]
    advises: tuple[str, ...]
    study: str | None = None
    rows: tuple[int, ...] = ()
    column: str | None = None


def cell(table: pd.DataFrame, row: int, column: str, value: Any) -> pd.DataFrame:
    """Return the table with another value in one cell; rows count from 1."""
    changed = table.copy()
    values = changed[column].astype(object)
    values.iloc[row - 1] = value
    changed[column] = values.infer_objects()
    return changed


def without(table: pd.DataFrame, *rows: int) -> pd.DataFrame:
    """Return the table without these rows, which count from 1; the index keeps its gaps."""
    return table.drop(index=[row - 1 for row in rows])


def added(table: pd.DataFrame, *rows: tuple[Any, ...]) -> pd.DataFrame:
    """Return the table with more rows, their last cells empty where not given."""
    width = len(table.columns)
    more = [(*row, *[float("nan")] * (width - len(row))) for row in rows]
    return pd.concat([table, pd.DataFrame(more, columns=table.columns)])


def from_arms(table: Any, **options: Any) -> Network:
    settings = {"study": "study", "treatment": "treatment", "outcome": MEANS, **options}
    return Network.from_arms(table, **settings)


def from_contrasts(table: Any, **options: Any) -> Network:
    settings = {
        "study": "study",
        "treatment": "treatment",
        "comparator": "comparator",
        "outcome": EFFECTS,
        **options,
    }
    return Network.from_contrasts(table, **settings)


def refusal(error: DataError) -> Issue:
    """Return the only issue of a refusal."""
    assert len(error.issues) == 1, str(error)
    return error.issues[0]


def agrees(case: Case, error: DataError) -> None:
    """Assert that the refusal is the one, at the place, and says what to do."""
    issue = refusal(error)
    found = (issue.code, issue.study, issue.rows, issue.column)
    assert found == (case.code, case.study, case.rows, case.column), str(error)
    for word in case.says:
        assert word in issue.problem
    for word in case.advises:
        assert word in issue.remedy
    place = [] if case.study is None else [f"trial {case.study!r}"]
    assert all(part in str(error) for part in [*place, issue.problem, issue.remedy, case.code])
