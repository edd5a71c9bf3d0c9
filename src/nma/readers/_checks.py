"""What printed numbers can and cannot be: the checks that derivations share."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from nma.errors import DataError, Issue, shown
from nma.readers._sheet import Sheet

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "apart",
    "at_least",
    "correlation",
    "counts",
    "exact_p",
    "intracluster",
    "level",
    "limits",
    "lopsided",
    "nonzero",
    "ordered",
    "positive",
    "require_pair",
    "whole",
    "worded_p",
]

SPANS = (("minimum", "maximum"), ("q1", "q3"))
"""Quantiles between which the others lie."""

UNLIKE = 0.2
"""Standard errors by which an estimate may lie off the middle of its interval unremarked."""


def positive(sheet: Sheet, *roles: str, remedy: str = "") -> list[Issue]:
    """Return an issue for every number that is zero or negative."""
    advice = remedy or (
        "A spread is above zero: check the cell, and whether it was rounded away or left out."
    )
    problem = "{value} is not a positive number"
    return [
        issue
        for role in roles
        if role in sheet.numbers
        for issue in sheet.where(role, sheet[role] <= 0, "not-positive", problem, advice)
    ]


def at_least(sheet: Sheet, least: int, *roles: str) -> list[Issue]:
    """Return an issue for every number of participants, or size of clusters, below ``least``."""
    remedies = {1: "A cluster has one member or more.", 2: "A spread needs two participants."}
    problem = f"{{value}} is fewer than {least}"
    return [
        issue
        for role in roles
        if role in sheet.numbers
        for issue in sheet.where(role, sheet[role] < least, "too-few", problem, remedies[least])
    ]


def whole(sheet: Sheet, *roles: str) -> list[Issue]:
    """Return an issue for every count that is none."""
    remedy = "Give the number, as the trial counted it."
    issues = []
    for role in roles:
        broken = np.isfinite(sheet[role]) & (sheet[role] != np.floor(sheet[role]))
        issues += sheet.where(role, broken, "not-a-count", "{value} is no count", remedy)
    return issues


def level(sheet: Sheet) -> list[Issue]:
    """Return an issue for every level that is no probability of a confidence interval."""
    values = sheet["level"]
    percent = (values > 1) & (values < 100)
    problem = "{value} is not the probability of a confidence interval"
    issues = []
    for row in np.flatnonzero(percent).tolist()[:1]:
        remedy = f"Write {values[row] / 100:g} for {values[row]:g}%."
        issues += sheet.where("level", percent, "not-a-level", problem, remedy)
    others = ~percent & ((values < 0.5) | (values >= 1))
    remedy = "Give a number from 0.5 to 1, such as 0.95."
    return issues + sheet.where("level", others, "not-a-level", problem, remedy)


def correlation(sheet: Sheet) -> list[Issue]:
    """Return an issue for every correlation that is none."""
    bad = np.abs(sheet["correlation"]) >= 1
    problem = "{value} is not a correlation between -1 and 1"
    remedy = "State one that other trials found with this outcome, such as 0.5, and vary it."
    return sheet.where("correlation", bad, "not-a-correlation", problem, remedy)


def intracluster(sheet: Sheet) -> list[Issue]:
    """Return an issue for every intracluster correlation outside 0 to 1."""
    bad = (sheet["icc"] < 0) | (sheet["icc"] > 1)
    problem = "{value} is not an intracluster correlation, which lies from 0 to 1"
    remedy = "Take it from the trial or from others like it; 0.01 to 0.05 is usual."
    return sheet.where("icc", bad, "not-an-icc", problem, remedy)


def counts(sheet: Sheet) -> list[Issue]:
    """Return an issue for every number of events that is no count, or above the participants."""
    if "events" not in sheet.numbers:
        return []
    events, remedy = sheet["events"], "Check the cell: events are counted from 0."
    issues = sheet.where("events", events < 0, "negative", "{value} is negative", remedy)
    remedy = "Check the row: do the columns hold events and participants of one arm?"
    problem = "{value} events are more than the participants, {n}"
    issues += sheet.where("events", events > sheet["n"], "more-than-n", problem, remedy)
    return issues + whole(sheet, "n", "events")


def exact_p(sheet: Sheet) -> list[Issue]:
    """Return an issue for every p-value that cannot be one."""
    bad = (sheet["p"] <= 0) | (sheet["p"] >= 1)
    problem = "{value} is not a p-value between 0 and 1"
    remedy = (
        "A p printed as 0.000 was rounded to nothing, and one of 1 says that there is no "
        "difference: neither tells a standard error. Take the confidence interval or t."
    )
    return sheet.where("p", bad, "not-a-p-value", problem, remedy)


def worded_p(role: str, issue: Issue) -> Issue:
    """Return better words for a p-value that is a bound or a phrase."""
    text = str(issue.value).strip().casefold()
    if role != "p" or not re.match(r"[<>\u2264\u2265]|p\b|n\.?s\.?$|not sig|sig", text):
        return issue
    return replace(
        issue,
        problem=f"{shown(issue.value)} bounds the p-value and does not tell it",
        remedy="Only an exact p tells a standard error: take it, the confidence interval or t from "
        "the paper, or leave the cell empty.",
    )


def nonzero(sheet: Sheet, role: str, told: str) -> list[Issue]:
    """Return an issue for every zero from which a standard error would follow."""
    problem = f"the {role} is zero, and a {told} beside it tells no standard error"
    remedy = "Take the confidence interval, or the standard deviations, from the paper."
    return sheet.where(role, sheet[role] == 0, "tells-nothing", problem, remedy)


def ordered(sheet: Sheet, *roles: str) -> list[Issue]:
    """Return an issue for every row whose quantiles, named from low to high, are not in order."""
    there = [role for role in roles if role in sheet.numbers]
    spans = [pair for pair in SPANS if pair[0] in there]
    remedy = "Check the row: the quantiles may have been exchanged, or be of another arm."
    problem = "{{value}} is above {{{high}}}"
    issues: list[Issue] = []
    swapped = np.zeros(len(sheet.studies), dtype=bool)
    for low, high in spans:
        bad = sheet[low] > sheet[high]
        issues += sheet.where(low, bad, "bounds-swapped", problem.format(high=high), remedy)
        swapped |= bad
    for low, high in pairwise(there):
        if (low, high) not in spans:
            bad = (sheet[low] > sheet[high]) & ~swapped
            issues += sheet.where(low, bad, "outside-bounds", problem.format(high=high), remedy)
    return issues


def apart(sheet: Sheet) -> list[Issue]:
    """Return an issue for every row in which two quantiles leave no spread between them."""
    problem = "{{value}} is also {{{high}}}, and two equal quantiles tell no spread"
    remedy = "Check the row; if it is so, take the standard deviation from elsewhere."
    return [
        issue
        for low, high in SPANS
        if low in sheet.numbers
        for issue in sheet.where(
            low, sheet[low] == sheet[high], "no-spread", problem.format(high=high), remedy
        )
    ]


def limits(sheet: Sheet, estimate: str) -> list[Issue]:
    """Return an issue for every interval that is exchanged, or does not hold its estimate."""
    value, lower, upper = sheet[estimate], sheet["lower"], sheet["upper"]
    swapped = lower >= upper
    remedy = "Check the row: the lower limit must lie below the upper one."
    problem = "the lower limit, {value}, does not lie below {upper}"
    issues = sheet.where("lower", swapped, "limits-swapped", problem, remedy)
    outside = ~swapped & ((value < lower) | (value > upper))
    remedy = "Check the row: is the interval of another comparison, or of another scale?"
    problem = "{value} lies outside its own limits, {lower} and {upper}"
    return issues + sheet.where(estimate, outside, "outside-limits", problem, remedy)


def lopsided(sheet: Sheet, estimate: str, se: NDArray[np.float64], *, log: bool = False) -> Sheet:
    """Return the sheet with a question wherever an estimate lies off the middle of its limits.

    Parameters
    ----------
    sheet : Sheet
        With the estimate, ``lower`` and ``upper``.
    estimate : str
        Role of the estimate.
    se : array, (row,)
        Standard errors that the limits tell, on the scale on which they are symmetric.
    log : bool
        Whether that is the log scale.
    """
    roles = (estimate, "lower", "upper")
    values = [sheet[role] for role in roles]
    halves = [sheet.halves[role] for role in roles]
    if log:
        halves = [half / value for half, value in zip(halves, values, strict=True)]
        values = [np.log(value) for value in values]
    off = np.abs(values[0] - (values[1] + values[2]) / 2)
    rounding = halves[0] + (halves[1] + halves[2]) / 2
    scale = " on the log scale" if log else ""
    name = sheet.name(estimate)
    what = (
        f"{name} lies off the middle of its limits{scale}, beyond rounding; is it misprinted, or "
        "of another scale or level?"
    )
    return sheet.remarked(off > UNLIKE * se + rounding, what, roles)


def require_pair(role: str, columns: object) -> tuple[str, str]:
    """Return two columns, or refuse what is not.

    Raises
    ------
    DataError
        If it is anything but two names.
    """
    if not isinstance(columns, tuple | list) or len(columns) != 2:
        remedy = f"Name the columns of both sides, such as {role}=('{role}1', '{role}2')."
        problem = f"{role}={shown(columns)} is not two columns"
        raise DataError([Issue("not-two-columns", problem, remedy)])
    return str(columns[0]), str(columns[1])
