"""Arms of one trial taken as one, by a mapping that the user states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from nma.errors import DataError, Issue, nearest, shown
from nma.labels import labels
from nma.readers import _checks, _log
from nma.readers._sheet import Sheet, opened

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["combine_arms"]

SOURCE = "Cochrane Handbook 6.5.2.10"
ROLES = ("n", "mean", "sd", "events")
"""What arms are combined from."""


class _Group(NamedTuple):
    """Arms of one trial that become one.

    Their new name, their positions, those of all arms of the trial, and their old names.
    """

    name: str
    rows: NDArray[np.int64]
    trial: NDArray[np.int64]
    was: tuple[str, ...]


def combine_arms(
    frame: Any,
    *,
    study: str,
    treatment: str,
    into: Mapping[str, str],
    n: str,
    mean: str | None = None,
    sd: str | None = None,
    se: str | None = None,
    events: str | None = None,
) -> pd.DataFrame:
    r"""Return the table with arms of one trial combined, as if their people had been one group.

    .. math:: N = \sum n_k, \quad \bar x = \frac{\sum n_k \bar x_k}{N}, \quad
       s^2 = \frac{\sum (n_k - 1) s_k^2 + \sum n_k (\bar x_k - \bar x)^2}{N - 1},
       \quad se = \frac{s}{\sqrt N}, \quad R = \sum r_k

    These are the numbers that the pooled data of the arms would give, exactly.

    Parameters
    ----------
    frame : table
        One row for each arm.
    study, treatment : str
        Columns with the names of trials and treatments.
    into : mapping of str to str
        For each treatment to be renamed its new name; arms of one trial that then have one name
        are combined. Arms that are alone in their trial are renamed.
    n : str
        Column with participants.
    mean, sd : str, optional
        Columns with means and standard deviations.
    se : str, optional
        Column to hold the standard errors of combined means, if the table has one.
    events : str, optional
        Column with events.

    Returns
    -------
    DataFrame
        One row for each arm that is left, in the place of the first it was made of. A column that
        is not named is kept where all arms of the trial agree, as on its year, and otherwise left
        empty for the new arm; the log in the last column says so, and gives the numbers that went
        in.

    Raises
    ------
    DataError
        With every treatment that is not there, every number that is missing or cannot be, and
        names of trials or treatments that could be one.

    Examples
    --------
    >>> import nma
    >>> arms = nma.datasets.load("parkinson")
    >>> agonists = {"pramipexole": "dopamine agonist", "bromocriptine": "dopamine agonist"}
    >>> combined = nma.readers.combine_arms(
    ...     arms, study="study", treatment="treatment", into=agonists, n="n", mean="mean", sd="sd"
    ... )
    >>> len(arms), len(combined)
    (15, 14)

    References
    ----------
    Higgins et al. 2019, Cochrane Handbook, doi:10.1002/9781119536604, section 6.5.2.10 and
    table 6.5.a.
    """
    _require_names(into)
    numbers = {"n": n, **_numbers(mean, sd, se, events)}
    sheet = opened(frame, study=study, targets={}, overwrite=False, columns=numbers)
    trials, treatments = _labelled(sheet, study, treatment)
    names = [into.get(name, name) for name in treatments]
    groups = list(_groups(trials, treatments, names))
    needed = np.zeros(len(names), dtype=bool)
    for group in groups:
        needed[group.rows] = len(group.rows) > 1
    sheet.sound(_unknown(into, treatments), _number_issues(sheet, needed))
    return _combined(sheet, treatment, groups).finished()


def _require_names(into: Mapping[str, str]) -> None:
    """Refuse what does not give names new names."""
    names = [name for pair in into.items() for name in pair] if isinstance(into, Mapping) else [""]
    if not all(isinstance(name, str) and name.strip() for name in names):
        remedy = "Give each treatment its new name, such as into={'yoga': 'exercise'}."
        problem = f"into={shown(into)} does not give names new names"
        raise DataError([Issue("not-a-mapping", problem, remedy)])


def _numbers(
    mean: str | None, sd: str | None, se: str | None, events: str | None
) -> dict[str, str]:
    """Return the columns by role, or refuse a choice of them that tells nothing."""
    named = {"mean": mean, "sd": sd, "se": se, "events": events}
    by_half = (mean is None) != (sd is None) or (se is not None and sd is None)
    if by_half or (mean is None and events is None):
        said = ", ".join(f"{role}={column!r}" for role, column in named.items())
        remedy = "Name the columns of means and SDs, or of events, or all."
        raise DataError([Issue("no-outcome", f"{said} tell no outcome of an arm", remedy)])
    return {role: column for role, column in named.items() if column is not None}


def _labelled(sheet: Sheet, study: str, treatment: str) -> tuple[list[str], list[str]]:
    """Return the clean names of trials and treatments, or refuse those that could be others."""
    if treatment not in sheet.frame:
        there = list(sheet.frame.columns)
        remedy = f"The columns are {', '.join(map(repr, there))}.{nearest(treatment, there)}"
        problem = f"there is no column {treatment!r} for the treatment"
        raise DataError([Issue("no-column", problem, remedy, column=treatment)])
    cleaned = [labels({name: sheet.frame[name]}) for name in (study, treatment)]
    issues = [issue for found in cleaned for issue in found.issues]
    if issues:
        raise DataError(issues)
    trials, treatments = (list(found.values[0]) for found in cleaned)
    return trials, treatments


def _unknown(into: Mapping[str, str], treatments: list[str]) -> list[Issue]:
    known = sorted(set(treatments))
    return [
        Issue(
            "unknown-treatment",
            f"no trial has an arm on {shown(name)}",
            f"Take it out of `into`.{nearest(name, known)}",
        )
        for name in into
        if name not in known
    ]


def _groups(trials: list[str], was: list[str], names: list[str]) -> Iterator[_Group]:
    """Yield the arms of one trial that have one name now, where one of them was renamed."""
    together: dict[tuple[str, str], list[int]] = {}
    trial = np.array(trials, dtype=object)
    for row, key in enumerate(zip(trials, names, strict=True)):
        together.setdefault(key, []).append(row)
    for (study, name), rows in together.items():
        before = tuple(was[row] for row in rows)
        if any(old != name for old in before):
            yield _Group(name, np.array(rows), np.flatnonzero(trial == study), before)


def _number_issues(sheet: Sheet, needed: NDArray[np.bool_]) -> list[Issue]:
    remedy = "Supply the number, or derive it; arms are combined from all their numbers."
    problem = "the number is missing, and the arm is to be combined with another"
    issues = []
    for role in ROLES:
        if role in sheet.numbers:
            lacking = needed & np.isnan(sheet[role])
            issues += sheet.where(role, lacking, "missing", problem, remedy)
    issues += _checks.positive(sheet, "sd", "se")
    people = _checks.at_least(sheet, 2, "n") if "sd" in sheet.numbers else []
    return issues + people + _checks.counts(sheet)


def _combined(sheet: Sheet, treatment: str, groups: list[_Group]) -> Sheet:
    """Return the sheet with each group in the row of its first arm, and the log of it."""
    frame, entries = sheet.frame.copy(), [list(here) for here in sheet.entries]
    frame[treatment] = frame[treatment].astype(object)
    for role in sheet.numbers:
        frame[sheet.name(role)] = sheet[role]
    ours = {treatment, *map(sheet.name, sheet.numbers)}
    others = [name for name in frame.columns if name not in {*ours, *_log.names(frame)}]
    gone = np.zeros(len(frame), dtype=bool)
    for group in groups:
        first, rest = group.rows[0], group.rows[1:]
        frame.loc[first, treatment] = group.name
        emptied: list[str] = []
        if len(rest):
            union = _union(sheet, group.rows)
            for role in sheet.numbers:
                frame.loc[first, sheet.name(role)] = union[role]
            emptied = [name for name in others if not _is_one(frame.loc[group.trial, name])]
            for name in emptied:
                frame[name] = frame[name].where(frame.index != first)
        for row in rest:
            _log.add(entries[first], *entries[row])
        _log.add(entries[first], _said(sheet, group, frame.loc[first], emptied))
        gone[rest] = True
    kept = np.flatnonzero(~gone)
    index = None if sheet.index is None else sheet.index[kept]
    left = frame.iloc[kept].reset_index(drop=True)
    return replace(sheet, frame=left, index=index, entries=[entries[row] for row in kept])


def _union(sheet: Sheet, rows: NDArray[np.int64]) -> dict[str, float]:
    """Return the numbers of several arms taken as one group of people."""
    known = {role: values[rows] for role, values in sheet.numbers.items()}
    n = known["n"]
    found = {"n": float(n.sum())}
    if "events" in known:
        found["events"] = float(known["events"].sum())
    if "mean" in known:
        centre = float((n * known["mean"]).sum() / n.sum())
        within = ((n - 1) * known["sd"] ** 2).sum()
        between = (n * (known["mean"] - centre) ** 2).sum()
        sd = float(np.sqrt((within + between) / (n.sum() - 1)))
        found |= {"mean": centre, "sd": sd, "se": sd / float(np.sqrt(n.sum()))}
    return found


def _is_one(column: pd.Series[Any]) -> bool:
    return len(pd.unique(column.astype(str).where(column.notna()))) == 1


def _said(sheet: Sheet, group: _Group, now: pd.Series[Any], emptied: list[str]) -> str:
    if len(group.rows) == 1:
        return _log.entry(
            f"{group.name} is the new name of {group.was[0]}, as asked", "alone in its trial"
        )
    roles = [role for role in ROLES if role in sheet.numbers]
    result = ", ".join(f"{sheet.name(role)} {now[sheet.name(role)]:.4g}" for role in roles)
    parts = [
        f"{was} ({', '.join(sheet.said(role, row) for role in roles)})"
        for was, row in zip(group.was, group.rows.tolist(), strict=True)
    ]
    left = f"; left empty, as arms of the trial differ, {', '.join(emptied)}" if emptied else ""
    what = f"{group.name} = {' + '.join(group.was)}, combined as asked ({SOURCE})"
    return _log.entry(what, f"{result} from {' and '.join(parts)}{left}")
