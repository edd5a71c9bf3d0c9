"""Reading a table of trials: rows, arms and every problem between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from nma import readers, repeats
from nma.errors import DataError, Issue, shown
from nma.labels import labels, misnamed
from nma.protocols import Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Read", "read"]

OURS = ("study", "treatment", "comparator", "participants")
"""Columns of our own; a column of the user's that has such a name travels under another."""


class Read(NamedTuple):
    """A table of trials, read and found to be sound.

    ``rows`` are the user's numbers in canonical order; ``positions`` (row, side) point into
    ``arms``; ``changes`` were made to the data, ``remarks`` only look odd.
    """

    rows: pd.DataFrame
    arms: pd.DataFrame
    positions: NDArray[np.int64]
    treatments: tuple[str, ...]
    caption: str
    changes: tuple[str, ...]
    remarks: tuple[str, ...]


class _Found(NamedTuple):
    """What has been found so far."""

    issues: list[Issue]
    changes: list[str]
    remarks: list[str]


def read(
    frame: Any,
    columns: Mapping[str, str],
    outcome: Outcome,
    missing: str = "refuse",
    repeated_arms: str = "refuse",
    *,
    reference: str | None = None,
    treatments: Sequence[str] | None = None,
) -> Read:
    """Return a table of trials, or refuse it with everything that is wrong.

    Parameters
    ----------
    frame : table
        The user's.
    columns : mapping of str to str
        The columns of study, treatment and, for contrasts, comparator.
    outcome : Outcome
        What the rows report.
    missing : {"refuse", "drop_arm"}
        What to do with arms that lack a number.
    repeated_arms : {"refuse", "merge", "keep"}
        What to do with several arms of one trial on one treatment.
    reference, treatments : optional
        The names the user gave, which must be in the table.

    Raises
    ------
    DataError
        With every problem in the table.
    """
    _require_choices(columns, outcome, missing, repeated_arms)
    given, derived = readers.taken(readers.table(frame))
    _require_columns(given, columns, outcome, _index_names(frame))
    found = _Found([], [], [])
    rows = _cleaned(given, columns, outcome, found)
    whole = judged = _fully_labelled(rows, outcome)
    numbers = _only_once(outcome.check(whole), found.issues)
    if "comparator" not in columns:
        numbers = _leaving_out(whole, numbers)
    if missing == "drop_arm":
        whole, numbers = _without_missing(whole, numbers, found)
    found.issues.extend(numbers)
    found.remarks.extend(readers.sentences(derived, whole.sort_index()["study"]))
    if "comparator" not in columns and not (numbers and repeated_arms == "merge"):
        whole = _repeats_answered(whole, outcome, repeated_arms, found)
    if "" not in set(rows["study"]):
        found.issues.extend(_ill_formed(whole, rows, outcome, repeated_arms))
    names = _names(rows if len(judged) < len(rows) or whole.empty else whole)
    found.issues.extend(misnamed(names, reference, treatments))
    if found.issues:
        raise DataError(found.issues)
    caption = str(getattr(frame, "attrs", {}).get("caption", ""))
    arms, positions = _arms(whole, outcome, found)
    found.remarks.extend(_reported_twice(whole, outcome))
    return Read(whole, arms, positions, names, caption, tuple(found.changes), tuple(found.remarks))


def _require_choices(
    columns: Mapping[str, str], outcome: Outcome, missing: str, repeated_arms: str
) -> None:
    kind = "contrasts" if "comparator" in columns else "arms"
    reports = getattr(outcome, "reports", None)
    issues = []
    if reports is None or isinstance(outcome, type):
        remedy = "Give an outcome, such as nma.outcomes.Continuous('mean', sd='sd', n='n', ...)."
        problem = f"outcome={shown(outcome)} is not an outcome"
        issues.append(Issue("not-an-outcome", problem, remedy))
    elif reports != kind:
        problem = f"{type(outcome).__name__} reports {reports}, not {kind}"
        issues.append(Issue("wrong-reader", problem, f"Use Network.from_{reports}."))
    if missing not in {"refuse", "drop_arm"}:
        remedy = "Use missing='refuse' or missing='drop_arm'."
        issues.append(Issue("unknown-choice", f"missing={missing!r} is not a choice", remedy))
    issues += repeats.unknown_choice(repeated_arms)
    if issues:
        raise DataError(issues)


def _index_names(frame: Any) -> list[object]:
    return list(frame.index.names) if isinstance(frame, pd.DataFrame) else []


def _require_columns(
    given: pd.DataFrame, columns: Mapping[str, str], outcome: Outcome, index: Sequence[object]
) -> None:
    theirs = dict.fromkeys([*outcome.columns, *outcome.labels])
    wanted = [
        *columns.items(),
        *(("outcome", name) for name in dict.fromkeys(outcome.columns)),
        *(("outcome's names", name) for name in outcome.labels),
    ]
    issues = readers.missing_columns(given, wanted, index=index)
    remedy = "Name a column of its own for each."
    for name in dict.fromkeys(name for _, name in wanted if isinstance(name, str)):
        roles = [role for role, other in wanted if other == name]
        if len(roles) > 1:
            problem = f"one column is to be the {' and the '.join(roles)}"
            issues.append(Issue("column-for-two", problem, remedy, column=name))
    issues += [
        Issue(
            "column-name-taken",
            "a column of the outcome cannot have this name",
            "Rename it.",
            column=name,
        )
        for name in theirs
        if name in OURS[:3] and name not in columns.values()
    ]
    if issues:
        raise DataError(issues)


def _cleaned(
    given: pd.DataFrame, columns: Mapping[str, str], outcome: Outcome, found: _Found
) -> pd.DataFrame:
    """Return the rows with clean names and numbers, sorted, indexed by the user's row from 1."""
    sides = [role for role in columns if role != "study"]
    studies = labels({columns["study"]: given[columns["study"]]})
    treatments = labels({columns[side]: given[columns[side]] for side in sides})
    for cleaned in (studies, treatments):
        found.issues.extend(_about_base_arms(cleaned.issues, columns.get("comparator")))
        found.changes.extend(cleaned.changes)
        found.remarks.extend(cleaned.remarks)
    names = {"study": studies.values[0], **dict(zip(sides, treatments.values, strict=True))}
    data: dict[str, Any] = dict(names)
    for name in given.columns:
        if name in outcome.columns:
            numbers = readers.numeric(given[name], list(studies.values[0]), name)
            found.issues.extend(numbers.issues)
            found.remarks.extend(numbers.remarks)
            data[name] = numbers.values
        elif name in outcome.labels:
            cleaned = labels({name: given[name]})
            found.issues.extend(cleaned.issues)
            found.changes.extend(cleaned.changes)
            found.remarks.extend(cleaned.remarks)
            data[name] = cleaned.values[0]
        elif name not in columns.values():
            data[f"{name} (given)" if name in OURS else name] = given[name].array
    keys = [pd.factorize(column, sort=True)[0] for column in names.values()]
    order = np.lexsort(keys[::-1])
    return pd.DataFrame(data, index=pd.RangeIndex(1, len(given) + 1)).iloc[order]


def _about_base_arms(issues: list[Issue], comparator: str | None) -> list[Issue]:
    """Say what to do about rows of a base arm, which other programs mark by an empty comparator."""
    remedy = (
        "Every row names both treatments. A base arm has no row of its own here: repeat it as "
        "comparator, and give its standard error as `base_se`."
    )
    return [
        replace(issue, remedy=remedy)
        if issue.code == "no-label" and issue.column == comparator
        else issue
        for issue in issues
    ]


def _sides(rows: pd.DataFrame) -> list[str]:
    return ["treatment", "comparator"] if "comparator" in rows else ["treatment"]


def _names(rows: pd.DataFrame) -> tuple[str, ...]:
    return tuple(sorted({name for side in _sides(rows) for name in rows[side]} - {""}))


def _fully_labelled(rows: pd.DataFrame, outcome: Outcome) -> pd.DataFrame:
    """Return the rows of trials in which no name is missing: the others cannot be judged."""
    lacking = (rows[["study", *_sides(rows), *outcome.labels]] == "").any(axis=1)
    return rows[~rows["study"].isin(set(rows["study"][lacking]))]


def _only_once(found: Sequence[Issue], before: Sequence[Issue]) -> list[Issue]:
    """Leave out the numbers that are missing because their cell has been refused already."""
    refused = {(issue.rows, issue.column) for issue in before if issue.code == "not-a-number"}
    return [
        issue
        for issue in found
        if issue.code != "missing" or (issue.rows, issue.column) not in refused
    ]


def _leaving_out(rows: pd.DataFrame, issues: Sequence[Issue]) -> list[Issue]:
    """Add to what helps against a missing number how to do without it: arm, or trial."""
    lacking = {row for issue in issues if issue.code == "missing" for row in issue.rows}
    left = Counter(rows["study"].drop(index=sorted(lacking)))
    arm = "leave the arm out with missing='drop_arm'"
    trial = "leave the trial out: with one arm left it compares nothing"
    return [
        replace(
            issue,
            remedy=f"{issue.remedy.rstrip('.')}, or {trial if left[issue.study] == 1 else arm}.",
        )
        if issue.code == "missing"
        else issue
        for issue in issues
    ]


def _without_missing(
    rows: pd.DataFrame, issues: list[Issue], found: _Found
) -> tuple[pd.DataFrame, list[Issue]]:
    gone = [issue for issue in issues if issue.code == "missing"]
    kept = [issue for issue in issues if issue.code != "missing"]
    left = rows.drop(index=sorted({row for issue in gone for row in issue.rows}))
    found.changes.extend(f"Dropped as asked: {issue.place} ({issue.problem})." for issue in gone)
    found.changes.extend(
        f"Trial {study!r} is gone: each of its arms lacked a number."
        for study in sorted(set(rows["study"]) - set(left["study"]))
    )
    if gone and left.empty:
        remedy = "Supply the numbers: no trial is left without them."
        kept.append(Issue("empty", "every arm lacks a number", remedy))
    return left, kept


def _repeats_answered(
    rows: pd.DataFrame, outcome: Outcome, choice: str, found: _Found
) -> pd.DataFrame:
    answered = repeats.answer(rows, outcome, choice)
    found.issues.extend(issue for issue in answered.issues if issue.study)
    found.changes.extend(answered.changes)
    found.remarks.extend(answered.remarks)
    return answered.rows


def _ill_formed(
    rows: pd.DataFrame, before: pd.DataFrame, outcome: Outcome, repeated_arms: str
) -> list[Issue]:
    if "comparator" in rows:
        return _against_itself(rows)
    if repeated_arms == "keep":
        rows = rows[~rows["study"].isin(repeats.at_several_doses(rows, outcome))]
    if repeated_arms != "refuse":
        rows, before = (table.drop_duplicates(["study", "treatment"]) for table in (rows, before))
    return _single_arm(rows, before, f" {repeats.APART}" * (repeated_arms == "keep"))


def _against_itself(rows: pd.DataFrame) -> list[Issue]:
    same = rows[rows["treatment"] == rows["comparator"]]
    remedy = "Name the two treatments, or leave the row out."
    return [
        Issue("same-treatment", f"{shown(name)} is compared with itself", remedy, study, (row,))
        for row, study, name in zip(
            same.index.tolist(), same["study"], same["treatment"], strict=True
        )
    ]


def _single_arm(rows: pd.DataFrame, before: pd.DataFrame, more: str) -> list[Issue]:
    counts, had = Counter(rows["study"]), Counter(before["study"])
    remedy = "A trial needs two arms or more: leave it out, or join it with its companion report."
    alone = rows[np.array([counts[study] == 1 for study in rows["study"]], dtype=bool)]
    return [
        Issue(
            "single-arm",
            f"it has one arm, {shown(name)}"
            + (", once arms without a number are dropped" if had[study] > 1 else ""),
            remedy + more,
            study,
            (row,),
        )
        for row, study, name in zip(
            alone.index.tolist(), alone["study"], alone["treatment"], strict=True
        )
    ]


def _arms(
    rows: pd.DataFrame, outcome: Outcome, found: _Found
) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Return the arms, sorted by study and treatment, and where each row's sides are in them."""
    named = rows[_sides(rows)].to_numpy()
    key = np.arange(len(rows))[:, None]  # rows that are arms, even two on one treatment
    if "comparator" in rows:
        code, treatments = pd.factorize(named.ravel(), sort=True)
        study = pd.factorize(rows["study"].to_numpy())[0]
        key = study[:, None] * len(treatments) + code.reshape(named.shape)
    arm, first, positions = np.unique(key, return_index=True, return_inverse=True)
    positions = positions.reshape(key.shape)
    people = np.asarray(outcome.participants(rows))
    fewest, most = np.full(len(arm), np.nan), np.full(len(arm), np.nan)
    np.fmin.at(fewest, positions, people)
    np.fmax.at(most, positions, people)
    arms = pd.DataFrame(
        {
            "study": rows["study"].to_numpy()[first // named.shape[1]],
            "treatment": named.ravel()[first],
            "participants": fewest,
        }
    )
    found.remarks.extend(
        f"{arms['study'][k]}: its rows give {arms['treatment'][k]} {fewest[k]:g} to {most[k]:g} "
        "participants; the fewest were counted."
        for k in np.flatnonzero(fewest < most)
    )
    return _with_covariates(arms, rows, outcome), positions


def _with_covariates(arms: pd.DataFrame, rows: pd.DataFrame, outcome: Outcome) -> pd.DataFrame:
    """Let other columns travel: with the arm, or for contrasts where constant within the trial."""
    others = [name for name in rows.columns if name not in OURS]
    if "comparator" not in rows:
        return arms.join(rows[others].reset_index(drop=True))
    others = [name for name in others if name not in outcome.columns]
    trial, studies = pd.factorize(rows["study"].to_numpy())
    start = np.searchsorted(trial, np.arange(len(studies)))
    constant = [name for name in others if _is_constant(rows[name], start[trial])]
    of_arm = start[pd.Index(studies).get_indexer(arms["study"])]
    return arms.join(rows[constant].iloc[of_arm].reset_index(drop=True))


def _is_constant(column: pd.Series[Any], first: NDArray[np.int64]) -> bool:
    """Return whether every cell equals the cell at ``first``, its trial's first."""
    codes = pd.factorize(column.astype(str).where(column.notna()))[0]
    return bool(np.array_equal(codes, codes[first]))


def _reported_twice(rows: pd.DataFrame, outcome: Outcome) -> list[str]:
    """Return a remark on trials whose treatments and numbers are all the same."""
    codes = [pd.factorize(rows[side].to_numpy())[0] for side in _sides(rows)]
    numbers = [rows[name].to_numpy() + 0.0 for name in outcome.columns]
    table = np.column_stack([*codes, *numbers])
    trial, studies = pd.factorize(rows["study"].to_numpy())
    ends = np.flatnonzero(np.diff(trial)) + 1
    same: dict[bytes, list[str]] = {}
    for study, block in zip(studies, np.split(table, ends), strict=True):
        same.setdefault(block.tobytes(), []).append(study)
    return [
        f"{' and '.join(group)} report the same treatments and numbers; check that they are not "
        "one trial, which would count twice."
        for group in same.values()
        if len(group) > 1
    ]
