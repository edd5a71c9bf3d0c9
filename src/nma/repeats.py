"""Several arms of one trial on one treatment: refused, merged or kept, as the user says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from nma.errors import Issue, nearest, shown
from nma.protocols import Outcome

__all__ = ["APART", "CHOICES", "Answer", "answer", "at_several_doses", "unknown_choice"]

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHOICES = ("refuse", "merge", "keep")

APART = "Arms on one treatment count where a column of numbers, such as the dose, sets them apart."
"""What makes a trial of one treatment one that tells something."""


class Answer(NamedTuple):
    """The rows as they are to be used, what still forbids it, and what was done."""

    rows: pd.DataFrame
    issues: list[Issue]
    changes: list[str]
    remarks: list[str]


def unknown_choice(choice: Any) -> list[Issue]:
    """Return the issue that the user's word is none of the choices, if so."""
    if isinstance(choice, str) and choice in CHOICES:
        return []
    remedy = "Use repeated_arms='refuse', 'merge' or 'keep'."
    problem = f"repeated_arms={choice!r} is not a choice"
    return [Issue("unknown-choice", problem, remedy + nearest(choice, CHOICES))]


def answer(rows: pd.DataFrame, outcome: Outcome, choice: str) -> Answer:
    """Return what becomes of arms that share their trial and treatment.

    Parameters
    ----------
    rows : DataFrame
        The arms, with numbers that have been checked.
    outcome : Outcome
        What they report; it merges their numbers.
    choice : {"refuse", "merge", "keep"}
        What the user wants.
    """
    found = Answer(rows, [], [], [])
    groups = list(_repeated(rows))
    if not groups:
        return found
    if choice == "refuse":
        return found._replace(issues=[_refused(rows.iloc[group], outcome) for group in groups])
    if choice == "keep":
        return found._replace(remarks=[_kept(rows.iloc[group]) for group in groups])
    return _merged(rows, outcome, groups)


def _repeated(rows: pd.DataFrame) -> Iterator[NDArray[np.int64]]:
    """Yield the positions of arms that share their trial and treatment."""
    twice = rows.duplicated(["study", "treatment"], keep=False).to_numpy()
    places = pd.Series(np.flatnonzero(twice))
    names = [rows[name].to_numpy()[twice] for name in ("study", "treatment")]
    for _, group in places.groupby(names):
        yield group.to_numpy()


def at_several_doses(rows: pd.DataFrame, outcome: Outcome) -> set[str]:
    """Return the trials of one treatment whose arms differ in a number of theirs, such as a dose.

    Parameters
    ----------
    rows : DataFrame
        The arms.
    outcome : Outcome
        What they report, which is no such number.
    """
    numbers = rows[_others(rows, outcome)].select_dtypes("number").columns
    return {
        str(study)
        for study, arms in rows.groupby("study")
        if _is_one(arms["treatment"]) and not all(_is_one(arms[name]) for name in numbers)
    }


def _issue(arms: pd.DataFrame, code: str, problem: str, remedy: str) -> Issue:
    place = tuple(sorted(int(row) for row in arms.index))
    return Issue(code, problem, remedy, str(arms["study"].iloc[0]), place)


def _refused(arms: pd.DataFrame, outcome: Outcome) -> Issue:
    same = len(arms[list(outcome.columns)].drop_duplicates()) == 1
    remedy = (
        "Their numbers are the same: keep one row."
        if same
        else "Merge the arms into one with repeated_arms='merge', let each count with "
        "repeated_arms='keep', or give the treatments different names, such as doses."
    )
    problem = f"{shown(arms['treatment'].iloc[0])} has {len(arms)} arms"
    return _issue(arms, "repeated-arm", problem, remedy)


def _arms(arms: pd.DataFrame) -> str:
    return f"{len(arms)} arms on {shown(arms['treatment'].iloc[0])}"


def _place(arms: pd.DataFrame) -> str:
    listed = ", ".join(str(row) for row in sorted(arms.index.tolist()))
    return f"trial {shown(arms['study'].iloc[0])}, rows {listed}: {_arms(arms)}"


def _kept(arms: pd.DataFrame) -> str:
    return (
        f"Kept as asked: {_place(arms)}, alike up to heterogeneity and what a structure tells "
        "apart, such as doses."
    )


def _merged(rows: pd.DataFrame, outcome: Outcome, groups: list[NDArray[np.int64]]) -> Answer:
    merged, issues, changes = rows.copy(), [], []
    for group in groups:
        arms, first = rows.iloc[group], rows.index[group[0]]
        numbers = {name: x for name, x in outcome.merged(arms).items() if np.isfinite(x)}
        there = [name for name in outcome.columns if arms[name].notna().any()]
        untold = [name for name in there if name not in numbers]
        if untold:
            issues.append(_cannot(arms, untold))
            continue
        differing = [name for name in _others(rows, outcome) if not _is_one(arms[name])]
        for name, number in numbers.items():
            merged.loc[first, name] = number
        for name in differing:
            merged[name] = merged[name].where(merged.index != first)
        changes.append(_said(arms, numbers, differing))
    gone = [rows.index[place] for group in groups for place in group[1:]]
    return Answer(merged.drop(index=gone), issues, changes, [])


def _is_one(column: pd.Series[Any]) -> bool:
    return len(pd.unique(column.astype(str).where(column.notna()))) == 1


def _others(rows: pd.DataFrame, outcome: Outcome) -> list[str]:
    known = {"study", "treatment", *outcome.columns, *outcome.labels}
    return [str(name) for name in rows.columns if name not in known]


def _cannot(arms: pd.DataFrame, untold: list[str]) -> Issue:
    listed = ", ".join(map(repr, untold))
    problem = f"{_arms(arms)} cannot be merged: nothing tells their {listed} as one"
    remedy = "Merge them by hand, or let each count with repeated_arms='keep'."
    return _issue(arms, "cannot-merge", problem, remedy)


def _said(arms: pd.DataFrame, numbers: dict[str, float], differing: list[str]) -> str:
    told = ", ".join(f"{name} {number:g}" for name, number in numbers.items())
    empty = f"; left empty, because the arms differ: {', '.join(differing)}" if differing else ""
    return f"Merged as asked: {_place(arms)}, now {told}{empty}."
