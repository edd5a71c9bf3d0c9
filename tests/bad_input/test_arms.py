"""Trials reported arm by arm that must not be analysed as they stand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

import nma
from bad_input.corpus import ARMS, MEANS, SPREAD, Case, added, agrees, cell, from_arms, without
from nma.errors import DataError, DataWarning, ModelError

if TYPE_CHECKING:
    import pandas as pd

NAN = math.nan
ZERO_SPREAD = ("zero would give the arm all the weight",)
LEFT_OUT = ("leave the trial out: with one arm left it compares nothing",)

VALUES = [
    Case(
        "negative SD", cell(ARMS, 3, "sd", -1.8), "not-positive",
        ("-1.8 is not a positive number",), ZERO_SPREAD, "Ames", (3,), "sd",
    ),
    Case(
        "SD of zero", cell(ARMS, 6, "sd", 0.0), "not-positive",
        ("0 is not a positive number",), ZERO_SPREAD, "Boyd", (6,), "sd",
    ),
    Case(
        "one participant", cell(ARMS, 6, "n", 1), "too-few",
        ("1 is fewer than 2",), ("two participants or more",), "Boyd", (6,), "n",
    ),
    Case(
        "no participants", cell(ARMS, 1, "n", 0), "too-few",
        ("0 is fewer than 2",), ("two participants or more",), "Turner", (1,), "n",
    ),
    Case(
        "mean missing", cell(ARMS, 4, "mean", NAN), "missing",
        ("the number is missing",), LEFT_OUT, "Ames", (4,), "mean",
    ),
    Case(
        "SD missing", cell(ARMS, 2, "sd", NAN), "missing",
        ("the number is missing", "the spread of the mean"),
        ("confidence interval", *LEFT_OUT), "Turner", (2,), "sd",
    ),
    Case(
        "participants missing", cell(ARMS, 5, "n", NAN), "missing",
        ("the number is missing", "the spread of the mean"), LEFT_OUT, "Boyd", (5,), "n",
    ),
    Case(
        "mean infinite", cell(ARMS, 4, "mean", math.inf), "infinite",
        ("inf is not finite",), ("no report prints an infinite number",), "Ames", (4,), "mean",
    ),
    Case(
        "SD negative infinite", cell(ARMS, 2, "sd", -math.inf), "infinite",
        ("-inf is not finite",), ("Check the cell",), "Turner", (2,), "sd",
    ),
    Case(
        "participants infinite", cell(ARMS, 5, "n", math.inf), "infinite",
        ("inf is not finite",), ("Check the cell",), "Boyd", (5,), "n",
    ),
]  # fmt: skip

STRUCTURE = [
    Case(
        "single-arm trial", without(ARMS, 2), "single-arm",
        ("one arm, 'placebo'",), ("two arms or more", "leave it out", "companion report"),
        "Turner", (1,),
    ),
    Case(
        "one treatment twice", added(ARMS, ("Ames", "CBT", -0.9, 2.0, 33)), "repeated-arm",
        ("'CBT' has 2 arms",), ("Merge the arms", "different names, such as doses"),
        "Ames", (4, 7),
    ),
    Case(
        "one row twice", added(ARMS, ("Ames", "CBT", -1.2, 1.9, 32)), "repeated-arm",
        ("'CBT' has 2 arms",), ("numbers are the same", "keep one row"), "Ames", (4, 7),
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", [*VALUES, *STRUCTURE], ids=lambda case: case.name)
def test_refused(case: Case) -> None:
    with pytest.raises(DataError) as caught:
        from_arms(case.table)
    agrees(case, caught.value)


def test_the_good_table_is_not_refused() -> None:
    assert len(from_arms(ARMS).trials) == 3


def test_the_offending_value_is_kept() -> None:
    with pytest.raises(DataError) as caught:
        from_arms(cell(ARMS, 3, "sd", -1.8))
    assert caught.value.issues[0].value == -1.8


def test_values_and_structure_are_reported_together() -> None:
    table = cell(cell(without(ARMS, 5), 3, "sd", -1.0), 4, "n", 1)
    table = added(table, ("Turner", "placebo", 0.1, 1.0, 20))
    with pytest.raises(DataError, match="5 problems in the data") as caught:
        from_arms(table, reference="placbo")
    found = {(i.code, i.study, i.rows, i.column) for i in caught.value.issues}
    assert found == {
        ("not-positive", "Ames", (3,), "sd"),
        ("too-few", "Ames", (4,), "n"),
        ("repeated-arm", "Turner", (1, 6), None),
        ("single-arm", "Boyd", (5,), None),
        ("unknown-reference", None, (), None),
    }


def test_an_sd_in_one_arm_and_an_se_in_another_will_do() -> None:
    table = cell(ARMS.assign(se=NAN), 2, "sd", NAN)
    with pytest.raises(DataError, match=r"trial 'Turner', row 2, column 'sd'"):
        from_arms(table, outcome=SPREAD)
    network = from_arms(cell(table, 2, "se", 0.3), outcome=SPREAD)
    assert "Standard errors were read from 'se' in Turner." in network.notices


def test_an_arm_is_dropped_on_the_users_word_alone() -> None:
    table = added(ARMS, ("Boyd", "placebo", NAN, 2.0, 25))
    with pytest.raises(DataError, match="row 7, column 'mean': the number is missing"):
        from_arms(table)
    with pytest.warns(DataWarning, match="Dropped as asked: trial 'Boyd', row 7, column 'mean'"):
        network = from_arms(table, missing="drop_arm")
    assert network.trials["Boyd"] == ("CBT", "exercise")
    assert network.notices[0].startswith("Dropped as asked: trial 'Boyd', row 7")


def advised(table: pd.DataFrame) -> list[str]:
    """Return what is advised about each missing number."""
    with pytest.raises(DataError) as caught:
        from_arms(table)
    return [issue.remedy for issue in caught.value.issues if issue.code == "missing"]


def test_to_leave_an_arm_out_is_advised_where_two_others_stay() -> None:
    three = added(ARMS, ("Boyd", "placebo", NAN, 2.0, 25))
    (advice,) = advised(three)
    assert advice == "Supply the number, or leave the arm out with missing='drop_arm'."
    with pytest.warns(DataWarning, match="Dropped as asked"):
        assert len(from_arms(three, missing="drop_arm").trials) == 3  # as advised

    one_left = cell(three, 6, "mean", NAN)
    assert advised(one_left) == [f"Supply the number, or {LEFT_OUT[0]}."] * 2
    assert len(from_arms(one_left[one_left["study"] != "Boyd"]).trials) == 2  # as advised


def test_an_arm_that_lacks_another_number_does_not_count_as_staying() -> None:
    table = cell(added(ARMS, ("Boyd", "placebo", NAN, 2.0, 25)), 6, "sd", NAN)
    assert all(LEFT_OUT[0] in advice for advice in advised(table))


def test_a_trial_without_any_numbers_is_left_out_arm_by_arm() -> None:
    table = cell(cell(ARMS, 3, "mean", NAN), 4, "mean", NAN)
    assert all("missing='drop_arm'" in advice for advice in advised(table))


def test_a_trial_left_with_one_arm_says_why() -> None:
    with pytest.raises(DataError) as caught:
        from_arms(cell(ARMS, 4, "mean", NAN), missing="drop_arm")
    (issue,) = caught.value.issues
    assert (issue.code, issue.study, issue.rows) == ("single-arm", "Ames", (3,))
    assert issue.problem == "it has one arm, 'placebo', once arms without a number are dropped"


def test_a_trial_left_with_no_arm_is_told() -> None:
    table = cell(cell(ARMS, 3, "mean", NAN), 4, "mean", NAN)
    with pytest.warns(DataWarning) as caught:
        network = from_arms(table, missing="drop_arm")
    assert sorted(network.trials) == ["Boyd", "Turner"]
    told = [str(warning.message) for warning in caught]
    assert told[-1] == "Trial 'Ames' is gone: each of its arms lacked a number."
    assert set(told) <= set(network.notices)


def test_a_treatment_that_was_dropped_cannot_be_the_reference() -> None:
    table = added(ARMS, ("Boyd", "yoga", NAN, 2.0, 25))
    with pytest.raises(DataError, match="the reference 'yoga' is not among the treatments"):
        from_arms(table, missing="drop_arm", reference="yoga")


def test_nothing_is_left_when_every_arm_lacks_a_number() -> None:
    with pytest.raises(DataError, match="every arm lacks a number"):
        from_arms(ARMS.assign(mean=NAN), missing="drop_arm")


@pytest.mark.parametrize("missing", ["Drop_arm", "drop", "", None, True])
def test_missing_is_one_of_two_words(missing: object) -> None:
    with pytest.raises(DataError, match="Use missing='refuse' or missing='drop_arm'") as caught:
        from_arms(ARMS, missing=missing)
    assert [issue.code for issue in caught.value.issues] == ["unknown-choice"]


@pytest.mark.parametrize(
    ("outcome", "problem", "remedy"),
    [
        (
            nma.outcomes.Contrast("mean", "sd", measure="MD", better="lower"),
            "Contrast reports contrasts, not arms",
            "Use Network.from_contrasts",
        ),
        ("MD", "outcome='MD' is not an outcome", "nma.outcomes.Continuous"),
        (nma.outcomes.Continuous, "is not an outcome", "nma.outcomes.Continuous"),
        (None, "outcome=None is not an outcome", "nma.outcomes.Continuous"),
    ],
)
def test_the_outcome_must_be_one_of_arms(outcome: object, problem: str, remedy: str) -> None:
    with pytest.raises(DataError) as caught:
        from_arms(ARMS, outcome=outcome)
    (issue,) = caught.value.issues
    assert issue.code == ("wrong-reader" if "reports" in problem else "not-an-outcome")
    assert problem in issue.problem
    assert remedy in issue.remedy


@pytest.mark.parametrize("better", ["", "Lower", "small", "high", None])
def test_better_has_no_default(better: str) -> None:
    settings: dict[str, Any] = {} if better == "" else {"better": better}
    with pytest.raises(ModelError) as caught:
        nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", **settings)
    message = str(caught.value)
    assert ("`better` is missing" if better in ("", None) else f"better={better!r}") in message
    assert "better='lower' if lower values are better for the patient" in message
    assert "turns every ranking upside down" in message


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"se": "se"}, "`measure` is missing"),
        ({"se": "se", "measure": "md"}, "write 'MD'"),
        ({"sd": "sd", "measure": "MD"}, "name `se`, or `sd` and `n`"),
        ({"measure": "MD"}, "name `se`, or `sd` and `n`"),
    ],
)
def test_an_outcome_needs_measure_and_spread(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        nma.outcomes.Continuous("mean", better="lower", **settings)


def test_means_are_what_the_corpus_reads() -> None:
    assert set(MEANS.columns) < set(ARMS.columns)
