"""Printed numbers from which nothing may be derived."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd
import pytest

from bad_input.corpus import Case, agrees, cell
from nma import readers
from nma.errors import DataError

Derive = Callable[..., pd.DataFrame]

TABLE = pd.DataFrame(
    {
        "study": ["Turner", "Turner", "Ames", "Boyd"],
        "treatment": ["exercise", "placebo", "CBT", "yoga"],
        "mean": [4.5, 5.0, 4.0, 3.9],
        "lo": [4.0, 4.4, 3.5, 3.2],
        "hi": [5.0, 5.6, 4.5, 4.6],
        "low": [0.0, 1.0, 0.5, 0.0],
        "q1": [3.0, 3.5, 2.5, 3.0],
        "med": [4.5, 5.0, 4.0, 4.1],
        "q3": [6.0, 6.5, 5.5, 5.0],
        "high": [9.0, 9.5, 8.0, 8.5],
        "iqr": [3.0, 3.0, 3.0, 2.0],
        "se": [0.25, 0.3, 0.26, 0.35],
        "sd1": [2.0, 2.1, 1.9, 2.2],
        "sd2": [1.8, 2.2, 2.0, 2.1],
        "change": [1.5, 1.6, 1.7, 1.8],
        "t": [2.1, -1.7, 2.4, 0.6],
        "p": [0.04, 0.09, 0.02, 0.55],
        "n": [40, 41, 32, 30],
        "m": [38, 40, 33, 30],
        "events": [10, 12, 9, 4],
        "oe": [-4.0, -3.0, 2.0, 1.0],
        "v": [12.0, 11.0, 9.0, 8.0],
        "size": [20.0, 20.0, 12.0, 1.0],
        "r": [0.5, 0.5, 0.6, 0.7],
        "icc": [0.05, 0.05, 0.02, 0.01],
        "level": [0.95, 0.95, 0.9, 0.99],
    }
)
STUDY: Any = {"study": "study"}
QUARTILES: Any = {"q1": "q1", "median": "med", "q3": "q3", "n": "n"}
FIVE: Any = {"minimum": "low", "maximum": "high", **QUARTILES}
LIMITS: Any = {"lower": "lo", "upper": "hi"}
sd_from_se: Derive = partial(readers.sd_from_se, **STUDY, sd="new", se="se", n="n")
sd_from_ci: Derive = partial(readers.sd_from_ci, **STUDY, sd="new", mean="mean", n="n", **LIMITS)
sd_from_quartiles: Derive = partial(readers.sd_from_quartiles, **STUDY, sd="new", **QUARTILES)
mean_from_five: Derive = partial(readers.mean_from_five_numbers, **STUDY, mean="new", **FIVE)
sd_from_iqr: Derive = partial(readers.sd_from_iqr, **STUDY, sd="new", iqr="iqr", n="n")
se_from_ci: Derive = partial(readers.se_from_ci, **STUDY, se="new", effect="mean", **LIMITS)
se_from_t: Derive = partial(readers.se_from_t, **STUDY, se="new", effect="mean", t="t")
se_from_p: Derive = partial(readers.se_from_p, **STUDY, se="new", effect="mean", p="p")
se_from_sds: Derive = partial(
    readers.se_from_sds, **STUDY, se="new", sd=("sd1", "sd2"), n=("n", "m")
)
paired: Derive = partial(
    readers.se_from_paired_sds, **STUDY, se="new", sd=("sd1", "sd2"), n="n", correlation=0.5
)
change: Derive = partial(
    readers.sd_of_change, **STUDY, sd="new", baseline_sd="sd1", final_sd="sd2", correlation=0.5
)
correlation: Derive = partial(
    readers.correlation_from_sds, **STUDY, correlation="new", baseline_sd="sd1", final_sd="sd2",
    change_sd="change",
)  # fmt: skip
ratio: Derive = partial(
    readers.log_ratio_from_ci, **STUDY, log_ratio="new", se="new se", ratio="mean", **LIMITS
)
log_rank: Derive = partial(
    readers.log_ratio_from_logrank, **STUDY, log_ratio="new", se="new se",
    observed_minus_expected="oe", variance="v",
)  # fmt: skip
counts: Derive = partial(
    readers.effective_counts, **STUDY, n="n", effective_n="new", events="events",
    effective_events="new events", icc=0.05, cluster_size="size",
)  # fmt: skip
wide: Derive = partial(
    readers.inflated_se, **STUDY, se="se", inflated_se="new", icc=0.05, cluster_size="size"
)
combine: Derive = partial(
    readers.combine_arms, **STUDY, treatment="treatment", n="n", mean="mean", sd="sd1",
    events="events", into={"exercise": "any", "placebo": "any"},
)  # fmt: skip

CELLS: list[tuple[Derive, tuple[int, str, Any], str, str, str, str]] = [
    (sd_from_se, (3, "se", -0.26),
     "se", "not-positive", "-0.26 is not a positive", "check the cell"),
    (sd_from_se, (3, "se", 0.0), "se", "not-positive", "0 is not a positive", "rounded away"),
    (sd_from_se, (3, "n", 1), "n", "too-few", "1 is fewer than 2", "two participants"),
    (sd_from_se, (3, "se", "0,26"), "se", "not-a-number", "'0,26' is text", "decimal comma"),
    (sd_from_se, (3, "se", float("inf")), "se", "infinite", "inf is not finite", "Check the cell"),
    (sd_from_ci, (3, "lo", 5.5),
     "lo", "limits-swapped", "5.5, does not lie below hi 4.5", "lower limit"),
    (sd_from_ci, (3, "mean", 4.6),
     "mean", "outside-limits", "4.6 lies outside its own limits, lo 3.5 and hi 4.5",
     "another comparison"),
    (sd_from_ci, (3, "n", 0), "n", "too-few", "0 is fewer than 2", "two participants"),
    (sd_from_quartiles, (3, "q1", 6.5), "q1", "bounds-swapped", "6.5 is above q3 5.5", "exchanged"),
    (sd_from_quartiles, (3, "med", 2.0),
     "q1", "outside-bounds", "2.5 is above med 2", "another arm"),
    (sd_from_quartiles, (3, "med", 6.0),
     "med", "outside-bounds", "6 is above q3 5.5", "another arm"),
    (sd_from_quartiles, (3, "n", 32.5),
     "n", "not-a-count", "32.5 is no count", "as the trial counted"),
    (mean_from_five, (3, "low", 8.5), "low", "bounds-swapped", "8.5 is above high 8", "exchanged"),
    (mean_from_five, (3, "low", 3.0), "low", "outside-bounds", "3 is above q1 2.5", "another arm"),
    (mean_from_five, (3, "high", 5.0),
     "q3", "outside-bounds", "5.5 is above high 5", "another arm"),
    (sd_from_iqr, (3, "iqr", 0.0), "iqr", "not-positive", "0 is not a positive", "check the cell"),
    (se_from_ci, (3, "hi", 3.0),
     "lo", "limits-swapped", "3.5, does not lie below hi 3", "lower limit"),
    (se_from_ci, (3, "mean", -4.0), "mean", "outside-limits", "-4 lies outside", "another scale"),
    (se_from_t, (3, "t", 0.0), "t", "tells-nothing", "the t is zero", "confidence interval"),
    (se_from_t, (3, "mean", 0.0),
     "mean", "tells-nothing", "the effect is zero", "confidence interval"),
    (se_from_p, (3, "p", 0.0), "p", "not-a-p-value", "0 is not a p-value", "rounded to nothing"),
    (se_from_p, (3, "p", 1.0),
     "p", "not-a-p-value", "1 is not a p-value", "confidence interval or t"),
    (se_from_p, (3, "p", 2.0),
     "p", "not-a-p-value", "2 is not a p-value", "confidence interval or t"),
    (se_from_p, (3, "p", -0.1),
     "p", "not-a-p-value", "-0.1 is not a p-value", "confidence interval or t"),
    (se_from_p, (3, "p", "<0.05"), "p", "not-a-number", "'<0.05' bounds the p-value", "exact p"),
    (se_from_p, (3, "p", "P > 0.2"),
     "p", "not-a-number", "'P > 0.2' bounds the p-value", "exact p"),
    (se_from_p, (3, "p", "n.s."), "p", "not-a-number", "'n.s.' bounds the p-value", "exact p"),
    (se_from_p, (3, "p", "0.03"), "p", "not-a-number", "'0.03' is text", "Convert the column"),
    (se_from_p, (3, "mean", 0.0),
     "mean", "tells-nothing", "the effect is zero", "standard deviations"),
    (se_from_sds, (3, "sd2", -2.0),
     "sd2", "not-positive", "-2 is not a positive", "check the cell"),
    (se_from_sds, (3, "m", 1), "m", "too-few", "1 is fewer than 2", "two participants"),
    (paired, (3, "n", 1), "n", "too-few", "1 is fewer than 2", "two participants"),
    (change, (3, "sd1", -1.9), "sd1", "not-positive", "-1.9 is not a positive", "check the cell"),
    (correlation, (3, "change", 4.0),
     "change", "no-correlation", "4 cannot be the SD of the change between sd1 1.9 and sd2 2",
     "between their difference and their sum"),
    (correlation, (3, "change", 0.05),
     "change", "no-correlation", "0.05 cannot be", "a standard error"),
    (ratio, (3, "lo", -0.1), "lo", "not-positive", "-0.1 is not a positive", "logarithms already"),
    (log_rank, (3, "v", 0.0), "v", "not-positive", "0 is not a positive", "check the cell"),
    (counts, (3, "size", 0.5), "size", "too-few", "0.5 is fewer than 1", "one member"),
    (counts, (3, "events", 33),
     "events", "more-than-n", "33 events are more than the participants, n 32", "of one arm"),
    (counts, (3, "events", -1), "events", "negative", "-1 is negative", "counted from 0"),
    (counts, (3, "events", 9.5),
     "events", "not-a-count", "9.5 is no count", "as the trial counted"),
    (combine, (1, "sd1", None), "sd1", "missing", "is to be combined with another", "derive it"),
    (combine, (1, "events", 41), "events", "more-than-n", "41 events are more", "of one arm"),
    (partial(change, correlation="r"), (3, "r", 1.0),
     "r", "not-a-correlation", "1 is not a correlation", "State one that other trials found"),
    (partial(paired, correlation="r"), (3, "r", -1.2),
     "r", "not-a-correlation", "-1.2 is not a correlation", "vary it"),
    (partial(counts, icc="icc"), (3, "icc", 1.1),
     "icc", "not-an-icc", "1.1 is not an intracluster", "0.01 to 0.05"),
    (partial(wide, icc="icc"), (3, "icc", -0.01),
     "icc", "not-an-icc", "-0.01 is not an intracluster", "0.01 to 0.05"),
    (partial(wide, icc="icc"), (3, "icc", None),
     "icc", "missing", "missing", "fill both, or neither"),
    (partial(wide, icc="icc"), (3, "size", None),
     "size", "missing", "missing", "fill both, or neither"),
    (partial(se_from_ci, level="level"), (3, "level", 90),
     "level", "not-a-level", "90 is not the probability", "Write 0.9 for 90%"),
    (partial(ratio, level="level"), (3, "level", 0.05),
     "level", "not-a-level", "0.05 is not the probability", "from 0.5 to 1"),
]  # fmt: skip


@pytest.mark.parametrize(("derive", "spoilt", "column", "code", "says", "advises"), CELLS)
def test_a_cell_that_cannot_be(
    derive: Derive, spoilt: tuple[int, str, Any], column: str, code: str, says: str, advises: str
) -> None:
    row, name, value = spoilt
    case = Case(
        name, cell(TABLE, row, name, value), code, (says,), (advises,), TABLE["study"][row - 1],
        (row,), column,
    )  # fmt: skip
    with pytest.raises(DataError) as caught:
        derive(case.table)
    agrees(case, caught.value)


@pytest.mark.parametrize(
    "derive", dict.fromkeys(case[0] for case in CELLS if case[0] is not combine)
)
def test_the_table_before_it_is_spoilt_is_sound(derive: Derive) -> None:
    assert derive(TABLE)["new"].notna().all()


STATED: list[tuple[Derive, str, str, str, str]] = [
    (partial(se_from_ci, level=95), "level", "not-a-level", "95 is not", "Write 0.95 for 95%."),
    (partial(sd_from_ci, level=1.0), "level", "not-a-level", "1 is not", "from 0.5 to 1"),
    (partial(change, correlation=1), "correlation", "not-a-correlation", "1 is not", "vary it"),
    (partial(paired, correlation=-1.0), "correlation", "not-a-correlation", "-1 is not", "vary"),
    (partial(change, correlation=True), "correlation", "not-a-number", "=True", "State one"),
    (partial(change, correlation=float("nan")), "correlation", "not-a-number", "nan", "State one"),
    (partial(wide, icc=5), "icc", "not-an-icc", "5 is not", "0.01 to 0.05"),
    (partial(counts, cluster_size=0.5), "cluster_size", "too-few", "0.5 is fewer", "one member"),
    (partial(sd_from_se, se="SE"), "SE", "no-column", "no column 'SE' for the se", "'se'?"),
    (partial(sd_from_se, sd="se"), "se", "column-for-two", "to be the sd and the se", "of its own"),
    (partial(sd_from_se, study="trial"), "trial", "no-column", "for the study", "columns are"),
    (
        partial(sd_from_se, sd="derived by nma"),
        "derived by nma",
        "column-name-taken",
        "log",
        "Name",
    ),
]


@pytest.mark.parametrize(("derive", "column", "code", "says", "advises"), STATED)
def test_a_setting_that_cannot_be(
    derive: Derive, column: str, code: str, says: str, advises: str
) -> None:
    with pytest.raises(DataError) as caught:
        derive(TABLE)
    agrees(Case(column, TABLE, code, (says,), (advises,), column=column), caught.value)


CHOICES: list[tuple[Derive, str, str, str]] = [
    (partial(sd_from_ci, distribution="T"), "unknown-choice", "'T' is not a choice", "mean 't'?"),
    (partial(se_from_sds, sd="sd"), "not-two-columns", "sd='sd'", "sd=('sd1', 'sd2')"),
    (partial(se_from_p, n=("n", "m", "v")), "not-two-columns", "is not two columns", "n=('n1', "),
    (partial(counts, effective_events=None), "one-of-two", "effective_events=None", "or neither"),
    (partial(combine, sd=None), "no-outcome", "sd=None", "means and SDs"),
    (partial(combine, mean=None, sd=None, events=None), "no-outcome", "events=None", "or all"),
    (partial(combine, into=["exercise"]), "not-a-mapping", "['exercise']", "'yoga': 'exercise'"),
    (partial(combine, into={"exercise": ""}), "not-a-mapping", "{'exercise': ''}", "new name"),
    (partial(combine, into={"exercize": "any"}), "unknown-treatment", "'exercize'", "'exercise'?"),
    (partial(combine, treatment="arm"), "no-column", "'arm' for the treatment", "columns are"),
]


@pytest.mark.parametrize(("derive", "code", "says", "advises"), CHOICES)
def test_a_choice_that_is_none(derive: Derive, code: str, says: str, advises: str) -> None:
    with pytest.raises(DataError) as caught:
        derive(TABLE)
    (issue,) = caught.value.issues
    assert issue.code == code
    assert says in issue.problem
    assert advises in issue.remedy


def test_everything_that_is_wrong_is_said_at_once() -> None:
    table = cell(cell(cell(TABLE, 1, "lo", 5.5), 2, "n", 1), 4, "mean", 9.0)
    with pytest.raises(DataError) as caught:
        sd_from_ci(table, level=95)
    found = {(issue.code, issue.study, issue.rows, issue.column) for issue in caught.value.issues}
    assert found == {
        ("limits-swapped", "Turner", (1,), "lo"),
        ("too-few", "Turner", (2,), "n"),
        ("outside-limits", "Boyd", (4,), "mean"),
        ("not-a-level", None, (), "level"),
    }


def test_equal_quantiles_tell_no_spread() -> None:
    for derive, low, high in ((sd_from_quartiles, "q1", "q3"), (mean_from_five, "low", "high")):
        flat = TABLE.assign(**dict.fromkeys(["low", "q1", "med", "q3", "high"], 4.0))
        with pytest.raises(DataError) as caught:
            derive(flat)
        assert {issue.code for issue in caught.value.issues} == {"no-spread"}
        said = [issue for issue in caught.value.issues if issue.column == low]
        assert [issue.rows for issue in said] == [(1,), (2,), (3,), (4,)]
        assert f"4 is also {high} 4" in said[0].problem


def test_names_that_could_be_one_are_not_combined() -> None:
    with pytest.raises(DataError, match="labels-collide"):
        combine(TABLE.assign(treatment=["exercise", "placebo", "Placebo", "yoga"]))


@pytest.mark.parametrize("table", [[1, 2], None, "trials.csv", {}, TABLE.iloc[:0]])
def test_what_is_no_table_is_refused(table: Any) -> None:
    with pytest.raises(DataError):
        sd_from_se(table)
