"""Counts of people and of events that must not be analysed as they stand."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest

import nma
from bad_input.corpus import Case, agrees, cell, from_arms
from nma.errors import DataError

NAN = math.nan
OR = nma.outcomes.Binary("r", "n", measure="OR", better="higher")
RATE = nma.outcomes.Rate("r", "years", better="lower")
HR = nma.outcomes.Binary("r", "n", time="years", measure="HR", better="lower")

COUNTS = pd.DataFrame(
    [
        ("Turner", "placebo", 8, 40, 20.0),
        ("Turner", "exercise", 15, 41, 21.0),
        ("Ames", "placebo", 6, 30, 29.0),
        ("Ames", "CBT", 0, 32, 30.5),
        ("Boyd", "exercise", 9, 25, 12.0),
        ("Boyd", "CBT", 11, 26, 13.0),
    ],
    columns=["study", "treatment", "r", "n", "years"],
)

BINARY = [
    Case(
        "more events than participants", cell(COUNTS, 5, "r", 26), "more-than-n",
        ("26 with the event are more than the 25 participants",),
        ("columns exchanged", "If these are percentages, multiply them by n/100"),
        "Boyd", (5,), "r",
    ),
    Case(
        "more than all, and no percentage", cell(COUNTS, 5, "r", 126), "more-than-n",
        ("126 with the event are more than the 25 participants",), ("counted more than once?",),
        "Boyd", (5,), "r",
    ),
    Case(
        "a percentage above the participants", cell(COUNTS, 5, "r", 36.5), "not-a-count",
        ("36.5 is no count",), ("if this is a percentage, multiply it by n/100",),
        "Boyd", (5,), "r",
    ),
    Case(
        "negative events", cell(COUNTS, 1, "r", -8), "negative",
        ("-8 is negative",), ("counted from 0",), "Turner", (1,), "r",
    ),
    Case(
        "no participants", cell(cell(COUNTS, 4, "n", 0), 4, "r", 0), "too-few",
        ("0 is fewer than 1",), ("an arm needs a participant",), "Ames", (4,), "n",
    ),
    Case(
        "a percentage", cell(COUNTS, 1, "r", 20.5), "not-a-count",
        ("20.5 is no count",), ("if this is a percentage, multiply it by n/100",),
        "Turner", (1,), "r",
    ),
    Case(
        "a proportion", cell(COUNTS, 3, "r", 0.2), "not-a-count",
        ("0.2 is no count",), ("if this is a proportion, multiply it by n",), "Ames", (3,), "r",
    ),
    Case(
        "half a participant", cell(COUNTS, 2, "n", 141.5), "not-a-count",
        ("141.5 is no count",), ("participants, as the trial counted them",),
        "Turner", (2,), "n",
    ),
    Case(
        "events missing", cell(COUNTS, 4, "r", NAN), "missing",
        ("the number is missing",), ("leave the trial out",), "Ames", (4,), "r",
    ),
    Case(
        "participants infinite", cell(COUNTS, 4, "n", math.inf), "infinite",
        ("inf is not finite",), ("Check the cell",), "Ames", (4,), "n",
    ),
    Case(
        "nothing happened", COUNTS.assign(r=0), "no-events",
        ("in no trial do some have the event",), ("check that the column holds the events",),
        column="r",
    ),
    Case(
        "everybody", COUNTS.assign(r=COUNTS["n"]), "no-events",
        ("in no trial do some have the event",), ("check that the column holds the events",),
        column="r",
    ),
]  # fmt: skip

RATES = [
    Case(
        "exposure of zero", cell(COUNTS, 2, "years", 0.0), "not-positive",
        ("0 is not a positive number",), ("person-years, in one unit",),
        "Turner", (2,), "years",
    ),
    Case(
        "exposure negative", cell(COUNTS, 2, "years", -21.0), "not-positive",
        ("-21 is not a positive number",), ("person-years, in one unit",),
        "Turner", (2,), "years",
    ),
    Case(
        "exposure missing", cell(COUNTS, 2, "years", NAN), "missing",
        ("the number is missing",), ("leave the trial out",), "Turner", (2,), "years",
    ),
    Case(
        "events per year", cell(COUNTS, 2, "r", 1.4), "not-a-count",
        ("1.4 is no count",), ("number of people or events",), "Turner", (2,), "r",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", BINARY, ids=lambda case: case.name)
@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
def test_people_with_an_event(case: Case, measure: str) -> None:
    outcome = nma.outcomes.Binary("r", "n", measure=measure, better="higher")
    with pytest.raises(DataError) as caught:
        from_arms(case.table, outcome=outcome)
    agrees(case, caught.value)


@pytest.mark.parametrize("case", RATES, ids=lambda case: case.name)
def test_events_over_an_exposure(case: Case) -> None:
    with pytest.raises(DataError) as caught:
        from_arms(case.table, outcome=RATE)
    agrees(case, caught.value)


def test_follow_up_is_positive() -> None:
    with pytest.raises(DataError, match=r"row 2, column 'years': 0 is not a positive number"):
        from_arms(cell(COUNTS, 2, "years", 0), outcome=HR)


@pytest.mark.parametrize("outcome", [OR, RATE, HR], ids=["OR", "rate", "HR"])
def test_the_good_table_is_not_refused_and_nothing_is_suspected(outcome: Any) -> None:
    notices = from_arms(COUNTS, outcome=outcome).notices
    assert [text for text in notices if "check" in text] == []


def test_everything_is_told_at_once() -> None:
    table = COUNTS.assign(r=COUNTS["r"] / COUNTS["n"])
    with pytest.raises(DataError) as caught:
        from_arms(cell(table, 6, "n", -3), outcome=OR)
    assert sum(issue.code == "not-a-count" for issue in caught.value.issues) == 5
    assert {issue.code for issue in caught.value.issues} >= {"not-a-count", "too-few"}


@pytest.mark.parametrize(
    ("table", "outcome", "said"),
    [
        (COUNTS.assign(n=100), OR, "Every arm has 100 participants: check"),
        (COUNTS.assign(r=[0, 1, 1, 0, 0, 1]), OR, "No arm has more than one event: check"),
        (
            cell(cell(COUNTS, 5, "years", 340.0), 6, "years", 360.0), HR,
            "The follow-up of Boyd (350; rows 5, 6) lies far from the median trial's, 29.8: check",
        ),
        (
            cell(cell(COUNTS, 5, "years", 0.6), 6, "years", 0.5), RATE,
            "The rate of Boyd (18.2; rows 5, 6) lies far from the median trial's, 0.561: check",
        ),
        (
            COUNTS.assign(years=[1.0, 1.0, 2.0, 2.0, 12.0, 12.0]), HR,
            "The follow-up of Boyd (12; rows 5, 6) lies far from the median trial's, 2: check",
        ),
        (
            COUNTS.assign(years=[1.0, 1.0, 2.0, 24.0, 2.0, 2.0]), HR,
            "The follow-up of the arms of Ames (rows 3, 4) runs from 2 to 24: check that 'years'",
        ),
        (
            cell(COUNTS, 6, "years", 156.0), RATE,
            "The exposure of the arms of Boyd (rows 5, 6) runs from 12 to 156: check that 'years'",
        ),
    ],
)  # fmt: skip
def test_what_looks_odd_is_told(table: pd.DataFrame, outcome: Any, said: str) -> None:
    notices = from_arms(table, outcome=outcome).notices
    assert any(text.startswith(said) for text in notices), notices


def test_follow_up_that_differs_as_it_does_in_life_is_not_asked_about() -> None:
    """One to six years, as in the trials of antihypertensives and diabetes (Elliott 2007)."""
    years = [4.2, 4.2, 1.0, 1.0, 6.1, 6.1]
    notices = from_arms(COUNTS.assign(years=years), outcome=HR).notices
    assert [text for text in notices if "check" in text] == []


def test_a_trial_of_zeros_is_told_and_a_treatment_of_zeros_is_prior_driven() -> None:
    table = cell(cell(COUNTS, 6, "r", 0), 3, "r", 0)
    notices = from_arms(table, outcome=OR).notices
    assert "No events in any arm of Ames." in notices
    assert "No events under CBT in any trial: its effects rest on the prior." in notices
