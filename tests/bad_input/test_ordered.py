"""Ordered categories that must not be analysed as they stand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
from bad_input.corpus import Case, agrees, cell, from_arms
from nma.errors import DataError
from nma.priors import Uniform

NAN = math.nan
EXCLUSIVE = nma.outcomes.Ordinal(
    ["some", "much"], "n", counts="exclusive", measure="SMD", better="higher"
)
INCLUSIVE = replace(EXCLUSIVE, counts="inclusive")

COUNTS = pd.DataFrame(
    [
        ("Turner", "placebo", 40, 8, 5),
        ("Turner", "exercise", 41, 12, 14),
        ("Ames", "placebo", 30, 6, NAN),
        ("Ames", "CBT", 32, 15, NAN),
        ("Boyd", "exercise", 25, 6, 7),
        ("Boyd", "CBT", 26, NAN, 9),
    ],
    columns=["study", "treatment", "n", "some", "much"],
)
NESTED = COUNTS.assign(some=COUNTS["some"] + COUNTS["much"].fillna(0))

NUMBERS = [
    Case(
        "negative", cell(COUNTS, 2, "much", -14), "negative",
        ("-14 is negative",), ("people are counted from 0; leave it empty if not told",),
        "Turner", (2,), "much",
    ),
    Case(
        "a percentage", cell(COUNTS, 2, "much", 14.6), "not-a-count",
        ("14.6 is no count",), ("if this is a percentage, multiply it by n/100",),
        "Turner", (2,), "much",
    ),
    Case(
        "a proportion", cell(COUNTS, 1, "some", 0.2), "not-a-count",
        ("0.2 is no count",), ("if this is a proportion, multiply it by n",),
        "Turner", (1,), "some",
    ),
    Case(
        "half a participant", cell(COUNTS, 5, "n", 25.5), "not-a-count",
        ("25.5 is no count",), ("the number of participants",), "Boyd", (5,), "n",
    ),
    Case(
        "infinite", cell(COUNTS, 6, "much", math.inf), "infinite",
        ("inf is not finite",), ("Check the cell",), "Boyd", (6,), "much",
    ),
    Case(
        "no participants", cell(COUNTS, 4, "n", 0), "too-few",
        ("0 is fewer than 1",), ("an arm needs a participant",), "Ames", (4,), "n",
    ),
    Case(
        "participants missing", cell(COUNTS, 4, "n", NAN), "missing",
        ("the number is missing",), ("leave the trial out",), "Ames", (4,), "n",
    ),
    Case(
        "nothing told", cell(COUNTS, 4, "some", NAN), "missing",
        ("no category has a count",), ("Supply a count", "leave the trial out"),
        "Ames", (4,), "some",
    ),
    Case(
        "a category nobody tells", COUNTS.assign(much=NAN, some=5), "no-counts",
        ("no arm tells this category",), ("Leave the column out of `categories`",),
        column="much",
    ),
]  # fmt: skip

ONCE = [
    Case(
        "more than participants", cell(COUNTS, 2, "much", 30), "more-than-n",
        ("12 + 30 = 42 are more than the 41 participants",),
        ("hold everybody once", "say counts='inclusive'"), "Turner", (2,), "much",
    ),
    Case(
        "a single count of more than all", cell(COUNTS, 4, "some", 33), "more-than-n",
        ("33 are more than the 32 participants",), ("say counts='inclusive'",),
        "Ames", (4,), "some",
    ),
    Case(
        "the lowest category among them",
        COUNTS.assign(some=COUNTS["n"] - COUNTS["much"].fillna(0)), "nobody-below",
        ("nobody in any arm is below the first category that the arm tells",),
        ("it is what remains of n", "leave that column out of `categories`"), column="some",
    ),
    Case(
        "nothing happened", COUNTS.assign(some=0, much=0), "one-category",
        ("in every trial all people are in one category",),
        ("check that the columns hold the counts",), column="some",
    ),
]  # fmt: skip

UPWARDS = [
    Case(
        "more than participants", cell(NESTED, 4, "some", 33), "more-than-n",
        ("33 are more than the 32 participants",), ("say counts='exclusive'",),
        "Ames", (4,), "some",
    ),
    Case(
        "rising", cell(NESTED, 2, "much", 27), "rising",
        ("27 are more than the 26 in 'some' or higher",),
        ("hold the people of all higher categories too", "say counts='exclusive'"),
        "Turner", (2,), "much",
    ),
    Case(
        "the lowest category among them", NESTED.assign(some=NESTED["n"]), "nobody-below",
        ("nobody in any arm is below the first category",),
        ("leave that column out of `categories`",), column="some",
    ),
]  # fmt: skip


def refused(table: pd.DataFrame, outcome: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        from_arms(table, outcome=outcome)
    return caught.value


@pytest.mark.parametrize("case", NUMBERS, ids=lambda case: case.name)
@pytest.mark.parametrize("measure", ["SMD", "OR"])
def test_numbers_that_are_no_counts(case: Case, measure: str) -> None:
    agrees(case, refused(case.table, replace(EXCLUSIVE, measure=measure)))


@pytest.mark.parametrize("case", ONCE, ids=lambda case: case.name)
def test_exclusive_counts_that_are_not(case: Case) -> None:
    agrees(case, refused(case.table, EXCLUSIVE))


@pytest.mark.parametrize("case", UPWARDS, ids=lambda case: case.name)
def test_inclusive_counts_that_are_not(case: Case) -> None:
    agrees(case, refused(case.table, INCLUSIVE))


@pytest.mark.parametrize(("table", "outcome"), [(COUNTS, EXCLUSIVE), (NESTED, INCLUSIVE)])
def test_the_good_table_is_not_refused_and_nothing_is_suspected(table: Any, outcome: Any) -> None:
    assert not [text for text in from_arms(table, outcome=outcome).notices if "?" in text]


def test_inclusive_counts_said_to_be_exclusive_are_refused_or_asked_about() -> None:
    """Where they add up to more than the participants, or else fall everywhere."""
    error = refused(NESTED.assign(n=[40, 35, 30, 32, 25, 26]), EXCLUSIVE)
    assert [issue.code for issue in error.issues] == ["more-than-n"]
    assert any("?" in text for text in from_arms(NESTED, outcome=EXCLUSIVE).notices)
    error = refused(cell(COUNTS, 1, "much", 9), INCLUSIVE)
    assert [issue.code for issue in error.issues] == ["rising"] * 3


def test_a_prior_that_ends_before_the_data_is_refused() -> None:
    short = replace(EXCLUSIVE, cut_points=Uniform(0, 0.2))
    (issue,) = refused(COUNTS, short).issues
    assert (issue.code, issue.column) == ("beyond-prior", "much")
    told = COUNTS.iloc[[0, 1, 4]]
    above = told["some"].sum() + told["much"].sum(), told["much"].sum()
    n = told["n"].sum() + 1
    from scipy.stats import norm

    apart = norm.ppf((above[0] + 0.5) / n) - norm.ppf((above[1] + 0.5) / n)
    assert f"'much' begins {apart:.3g} above 'some'" in issue.problem
    assert "Uniform(lower=0, upper=0.2) ends before" in issue.problem
    assert "Give a wider prior" in issue.remedy
    assert from_arms(COUNTS, outcome=replace(short, cut_points=Uniform(0, 1)))


def test_arms_that_tell_nothing_are_dropped_when_asked() -> None:
    table = pd.concat(
        [COUNTS, pd.DataFrame({"study": "Ames", "treatment": ["exercise"], "n": [31]})]
    )
    (issue,) = refused(table, EXCLUSIVE).issues
    assert (issue.code, issue.rows) == ("missing", (7,))
    with pytest.warns(nma.errors.DataWarning, match="Dropped as asked: trial 'Ames', row 7"):
        network = from_arms(table, outcome=EXCLUSIVE, missing="drop_arm")
    assert len(network.arms) == 6


def test_everything_is_told_at_once() -> None:
    table = cell(cell(cell(COUNTS, 1, "some", -8), 4, "some", 40), 5, "much", 30)
    codes = [issue.code for issue in refused(table, EXCLUSIVE).issues]
    assert codes == ["negative", "more-than-n", "more-than-n"]


def test_arms_that_tell_different_categories_cannot_be_merged() -> None:
    twice = pd.concat([COUNTS, COUNTS.iloc[[4]].assign(much=NAN)])
    with pytest.raises(DataError) as caught:
        from_arms(twice, outcome=EXCLUSIVE, repeated_arms="merge")
    (issue,) = caught.value.issues
    assert (issue.code, issue.study, issue.rows) == ("cannot-merge", "Boyd", (5, 7))
    assert "nothing tells their 'much' as one" in issue.problem
    assert "let each count" in issue.remedy


def test_corruptions_are_refused_or_read_right() -> None:
    """Every cell in turn made larger than its arm, negative, or half a person."""
    rng = np.random.default_rng(1)
    for outcome, table in ((EXCLUSIVE, COUNTS), (INCLUSIVE, NESTED)):
        for row in range(1, 7):
            for column in ("some", "much"):
                value = table[column].iloc[row - 1]
                if np.isnan(value):
                    continue
                for spoilt in (
                    -value - 1,
                    value + 0.5,
                    table["n"].iloc[row - 1] + rng.integers(1, 9),
                ):
                    error = refused(cell(table, row, column, spoilt), outcome)
                    assert any(issue.rows == (row,) for issue in error.issues)
