"""Reading a table of trials: rows, arms and every problem between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from nma import readers
from nma.errors import DataError, Issue
from nma.problem import Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Read", "read"]


class Read(NamedTuple):
    """A table of trials, read.

    ``rows`` are the user's numbers in canonical order; ``positions`` (row, side) point into
    ``arms``; ``issues`` must be empty before any of it is used.
    """

    rows: pd.DataFrame
    arms: pd.DataFrame
    positions: NDArray[np.int64]
    treatments: tuple[str, ...]
    caption: str
    changes: tuple[str, ...]
    issues: tuple[Issue, ...]


def read(frame: Any, columns: Mapping[str, str], outcome: Outcome, missing: str) -> Read:
    """Return a table of trials with everything that is wrong with it.

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

    Raises
    ------
    DataError
        If the table cannot be read as trials at all: columns missing, labels missing.
    """
    _require_kind(columns, outcome, missing)
    given = readers.table(frame)
    wanted = {**columns, **{f"outcome's {name!r}": name for name in outcome.columns}}
    if issues := readers.missing_columns(given, wanted):
        raise DataError(issues)
    rows, issues, changes = _cleaned(given, columns, outcome)
    rows = rows.sort_values(list(columns), kind="stable")
    found = list(outcome.check(rows))
    if missing == "drop_arm":
        rows, found, dropped = _without_missing(rows, found)
        changes += dropped
    issues += found
    issues += _ill_formed(rows, "comparator" in columns)
    caption = str(getattr(frame, "attrs", {}).get("caption", ""))
    treatments = tuple(sorted({name for side in _sides(rows) for name in rows[side]}))
    arms, positions = _arms(rows, outcome)
    return Read(rows, arms, positions, treatments, caption, tuple(changes), tuple(issues))


def _require_kind(columns: Mapping[str, str], outcome: Outcome, missing: str) -> None:
    kind = "contrasts" if "comparator" in columns else "arms"
    issues = []
    if outcome.reports != kind:
        issues.append(
            Issue(
                "wrong-reader",
                f"{type(outcome).__name__} reports {outcome.reports}, not {kind}",
                f"Use Network.from_{outcome.reports}.",
            )
        )
    if missing not in {"refuse", "drop_arm"}:
        remedy = "Use missing='refuse' or missing='drop_arm'."
        issues.append(Issue("unknown-choice", f"missing={missing!r} is not a choice", remedy))
    if issues:
        raise DataError(issues)


def _cleaned(
    given: pd.DataFrame, columns: Mapping[str, str], outcome: Outcome
) -> tuple[pd.DataFrame, list[Issue], list[str]]:
    """Return the rows with clean labels and numbers, indexed by the user's row from 1."""
    extras = [name for name in given.columns if name not in columns.values()]
    rows = given[extras].rename(columns={name: f"{name} (given)" for name in columns})
    changes: list[str] = []
    issues: list[Issue] = []
    sides = {role: name for role, name in columns.items() if role != "study"}
    studies = readers.labels(given[columns["study"]], columns["study"])
    treatments = readers.labels(
        pd.concat([given[name] for name in sides.values()], ignore_index=True),
        " / ".join(sides.values()),
    )
    for label in (studies, treatments):
        issues += label.issues
        changes += label.notices
    rows.insert(0, "study", studies.values)
    for k, role in enumerate(sides):
        rows.insert(1 + k, role, treatments.values[k * len(given) : (k + 1) * len(given)])
    for name in dict.fromkeys(outcome.columns):
        numbers = readers.numeric(given[name], list(studies.values), name)
        rows[name] = numbers.values
        issues += numbers.issues
    rows.index = pd.RangeIndex(1, len(rows) + 1)
    if any(issue.code == "no-label" for issue in issues):
        raise DataError(issues)
    return rows, issues, changes


def _without_missing(
    rows: pd.DataFrame, found: list[Issue]
) -> tuple[pd.DataFrame, list[Issue], list[str]]:
    gone = [issue for issue in found if issue.code == "missing"]
    kept = [issue for issue in found if issue.code != "missing"]
    dropped = sorted({row for issue in gone for row in issue.rows})
    changes = [f"Dropped as asked: {issue.place} ({issue.problem})." for issue in gone]
    return rows.drop(index=dropped), kept, changes


def _sides(rows: pd.DataFrame) -> list[str]:
    return ["treatment", "comparator"] if "comparator" in rows else ["treatment"]


def _ill_formed(rows: pd.DataFrame, contrasts: bool) -> list[Issue]:
    return _against_itself(rows) if contrasts else _repeated(rows) + _single_arm(rows)


def _against_itself(rows: pd.DataFrame) -> list[Issue]:
    same = rows[rows["treatment"] == rows["comparator"]]
    remedy = "Name the two treatments, or leave the row out."
    return [
        Issue("same-treatment", f"{name!r} is compared with itself", remedy, study, (int(row),))
        for row, study, name in zip(same.index, same["study"], same["treatment"], strict=True)
    ]


def _repeated(rows: pd.DataFrame) -> list[Issue]:
    remedy = (
        "Merge the arms into one (pool their means and standard deviations), or give the "
        "treatments different names, such as doses."
    )
    twice = rows[rows.duplicated(["study", "treatment"], keep=False)]
    arms = list(zip(twice["study"], twice["treatment"], strict=True))
    return [
        Issue(
            "repeated-arm",
            f"{treatment!r} has {arms.count((study, treatment))} arms",
            remedy,
            study,
            tuple(
                int(row)
                for row, arm in zip(twice.index, arms, strict=True)
                if arm == (study, treatment)
            ),
        )
        for study, treatment in dict.fromkeys(arms)
    ]


def _single_arm(rows: pd.DataFrame) -> list[Issue]:
    counts = rows["study"].map(rows["study"].value_counts())
    remedy = "A trial needs two arms or more: leave it out, or join it with its companion report."
    alone = rows[counts == 1]
    return [
        Issue("single-arm", f"it has one arm, {name!r}", remedy, study, (int(row),))
        for row, study, name in zip(alone.index, alone["study"], alone["treatment"], strict=True)
    ]


def _arms(rows: pd.DataFrame, outcome: Outcome) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Return the arms, sorted by study and treatment, and where each row's sides are in them."""
    sides = _sides(rows)
    people = np.asarray(outcome.participants(rows))
    long = pd.DataFrame(
        {
            "study": np.tile(rows["study"].to_numpy(), len(sides)),
            "treatment": np.concatenate([rows[side].to_numpy() for side in sides]),
            "participants": people.T.ravel(),
        }
    )
    known = long.sort_values(["study", "treatment", "participants"], kind="stable")
    arms = known.drop_duplicates(["study", "treatment"]).reset_index(drop=True)
    index = pd.MultiIndex.from_frame(arms[["study", "treatment"]])
    wanted = pd.MultiIndex.from_frame(long[["study", "treatment"]])
    positions = index.get_indexer(wanted).reshape(len(sides), -1).T
    return _with_covariates(arms, rows, positions), positions


def _with_covariates(
    arms: pd.DataFrame, rows: pd.DataFrame, positions: NDArray[np.int64]
) -> pd.DataFrame:
    """Let extra columns travel: with the arm, or for contrasts where constant within the trial."""
    extras = [name for name in rows.columns if name not in {"study", *_sides(rows)}]
    if positions.shape[1] == 1:
        travelling = rows[extras].iloc[np.argsort(positions[:, 0])].reset_index(drop=True)
        return pd.concat([arms, travelling.drop(columns="participants", errors="ignore")], axis=1)
    by_trial = rows.groupby("study", sort=False)[extras]
    different = by_trial.nunique(dropna=False).max()
    constant = [name for name in extras if different[name] <= 1]
    first = by_trial.first()[constant].drop(columns="participants", errors="ignore")
    return arms.join(first, on="study")
