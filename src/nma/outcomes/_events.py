"""Counts of events: what they cannot be, and what arms and trials without any tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np
import pandas as pd

from nma import graph
from nma.errors import Issue, shortened
from nma.outcomes import _checks

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["APART", "Events", "joined", "listed", "uneven", "uneven_arms", "whole"]

FOLD = 10.0
"""How far numbers of one unit are taken to lie from each other; a year has twelve months."""

APART = 5.0
"""How many times longer trials follow people than the next shorter ones, if in one unit."""

ONE_UNIT = "check that {column!r} is in one unit (years, months, days) throughout."

WITHIN = 6.0
"""How far numbers of one unit are taken to lie from each other within a trial."""


def listed(names: Sequence[str], most: int | None = 8) -> str:
    """Return names as a sentence lists them; all of them where ``most`` is None."""
    return joined([shortened(name) for name in names], most)


def joined(parts: Sequence[str], most: int | None = 8) -> str:
    """Return parts of a sentence, and how many more there are."""
    shown = ", ".join(parts[:most])
    more = 0 if most is None else len(parts) - most
    return f"{shown} and {more} more" if more > 0 else shown


def whole(rows: pd.DataFrame, column: str, counted: str) -> list[Issue]:
    """Return an issue for every finite number in a column of counts that is not one."""
    values = rows[column].to_numpy()
    broken = np.isfinite(values) & (values != np.floor(values))
    share = broken & (values > 0) & (values < 1)
    percent = broken & ~share & (values > 0) & (values < 100)
    issues = []
    for bad, remedy in (
        (share, f"Give the number of {counted}; if this is a proportion, multiply it by n."),
        (percent, f"Give the number of {counted}; if this is a percentage, multiply it by n/100."),
        (broken & ~share & ~percent, f"Give the number of {counted}, as the trial counted them."),
    ):
        issues += _checks.where(rows, column, bad, "not-a-count", "{value} is no count", remedy)
    return issues


def uneven(
    rows: pd.DataFrame,
    values: NDArray[np.float64],
    column: str,
    what: str,
    *,
    gap: float = FOLD,
) -> list[str]:
    """Return a remark on trials whose numbers lie far from all others'.

    Parameters
    ----------
    rows : DataFrame
        The arms.
    values : array, (row,)
        What should be alike; of a trial the median over its arms counts. NaN where not known.
    column, what : str
        The column that may be in mixed units, and what is compared.
    gap : float
        How many times the next trial's a trial's may be.
    """
    by_trial = pd.Series(values, index=rows["study"].to_numpy()).groupby(level=0).median().dropna()
    middle = float(by_trial.median())
    ratio = by_trial / middle
    order = by_trial.sort_values()
    step = np.r_[False, (order.to_numpy()[1:] >= gap * order.to_numpy()[:-1])].cumsum()
    apart = order.index[step != np.bincount(step).argmax()] if len(order) > 2 else []
    far = sorted({*by_trial.index[(ratio >= FOLD) | (ratio <= 1 / FOLD)], *apart})
    if not far:
        return []
    named = joined(
        [f"{shortened(study)} ({by_trial[study]:.3g}; {_rows_of(rows, study)})" for study in far]
    )
    lie = "lies" if len(far) == 1 else "lie"
    apart = f"The {what} of {named} {lie} far from the median trial's, {middle:.3g}"
    return [f"{apart}: {ONE_UNIT.format(column=column)}"]


def uneven_arms(
    rows: pd.DataFrame, values: NDArray[np.float64], column: str, what: str
) -> list[str]:
    """Return a remark on trials whose own arms' numbers lie far from each other."""
    trials = pd.Series(values, index=rows["study"].to_numpy()).groupby(level=0).agg(["min", "max"])
    far = sorted(trials.index[trials["max"] >= WITHIN * trials["min"]])
    apart = [
        f"{shortened(study)} ({_rows_of(rows, study)}) runs from {low:.3g} to {high:.3g}"
        for study, low, high in zip(far, trials["min"][far], trials["max"][far], strict=True)
    ]
    asked = ONE_UNIT.format(column=column)
    return [f"The {what} of the arms of {trial}: {asked}" for trial in apart]


def _rows_of(rows: pd.DataFrame, study: str) -> str:
    here = sorted(rows.index[rows["study"].to_numpy() == study].tolist())
    return f"rows {', '.join(map(str, here))}"


@final
@dataclass(frozen=True, eq=False)
class Events:
    """The arms and their events.

    Parameters
    ----------
    rows : DataFrame
        The arms; those of a trial stand together.
    column : str
        The column of events.
    most : array, (row,), optional
        Participants, where events cannot be more.
    """

    rows: pd.DataFrame
    column: str
    most: NDArray[np.float64] | None = None

    @cached_property
    def count(self) -> NDArray[np.float64]:
        """The events of each arm, (row,)."""
        return np.asarray(self.rows[self.column].to_numpy(), dtype=float)

    @cached_property
    def trial(self) -> NDArray[np.int64]:
        """The trial of each arm, (row,)."""
        return pd.factorize(self.rows["study"].to_numpy())[0]

    @cached_property
    def none(self) -> NDArray[np.bool_]:
        """Whether an arm has no events, (row,)."""
        return np.asarray(self.count == 0)

    @cached_property
    def full(self) -> NDArray[np.bool_]:
        """Whether everybody in an arm has the event, (row,)."""
        return (
            np.zeros_like(self.none) if self.most is None else np.asarray(self.count == self.most)
        )

    def _all_of(self, group: NDArray[np.int64], here: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return for every row whether all rows of its group are so."""
        return np.asarray((np.bincount(group, ~here) == 0)[group])

    @cached_property
    def corrected(self) -> NDArray[np.bool_]:
        """Whether the arm's trial has an empty cell, (row,)."""
        return ~self._all_of(self.trial, ~(self.none | self.full))

    @cached_property
    def uninformative(self) -> NDArray[np.bool_]:
        """Whether no arm of the trial has events, or all arms have nothing else, (row,)."""
        return self._all_of(self.trial, self.none) | self._all_of(self.trial, self.full)

    def studies(self, here: NDArray[np.bool_]) -> list[str]:
        """Return the trials of some rows, sorted."""
        return sorted(set(self.rows["study"][here]))

    def issues(self) -> list[Issue]:
        """Return every count that cannot be, and the network in which nothing happened."""
        remedy = "Check the cell: events are counted from 0."
        bad = self.count < 0
        issues = _checks.where(
            self.rows, self.column, bad, "negative", "{value} is negative", remedy
        )
        issues += whole(self.rows, self.column, "people or events")
        if not issues and len(self.rows) and self.uninformative.all():
            problem = "in no trial do some have the event and others not"
            remedy = "Nothing can be estimated: check that the column holds the events."
            issues.append(Issue("no-events", problem, remedy, column=self.column))
        return issues

    def notices(self, rests_on: str = "") -> list[str]:
        """Return the trials and treatments of which the events tell nothing.

        Parameters
        ----------
        rests_on : str
            What tells an effect where the events do not, such as "the prior"; empty where the
            events always do.
        """
        return [*self._alone(), *self._never(rests_on), *self._loose(rests_on)]

    def _alone(self) -> list[str]:
        """Return the trials in all of whose arms nobody, or everybody, has the event."""
        found = []
        for here, said in ((self.none, "No events"), (self.full, "Events in everybody")):
            alone = self.studies(self._all_of(self.trial, here))
            if alone:
                found.append(f"{said} in any arm of {listed(alone)}.")
        return found

    @cached_property
    def _treatment(self) -> tuple[NDArray[np.int64], list[str]]:
        code, names = pd.factorize(self.rows["treatment"].to_numpy(), sort=True)
        return code, list(names)

    def _everywhere(self, here: NDArray[np.bool_]) -> list[str]:
        """Return the treatments all of whose arms are so."""
        code, names = self._treatment
        return [names[k] for k in np.unique(code[self._all_of(code, here)])]

    def _never(self, rests_on: str) -> list[str]:
        """Return the treatments under which nobody, or everybody, ever has the event."""
        found = []
        for here, said in ((self.none, "No events"), (self.full, "Events in everybody")):
            never = self._everywhere(here)
            if never:
                whose = "its effects rest" if len(never) == 1 else "their effects rest"
                rest = f": {whose} on {rests_on}" if rests_on else ""
                found.append(f"{said} under {listed(never, None)} in any trial{rest}.")
        return found

    def _loose(self, rests_on: str) -> list[str]:
        """Return the other treatments that empty or full cells alone tie to the rest."""
        if not rests_on:
            return []
        told = {*self._everywhere(self.none), *self._everywhere(self.full)}
        code, _ = self._treatment
        arms = list(zip(code.tolist(), (-1 - self.trial).tolist(), strict=True))
        at_most = [arm for arm, full in zip(arms, self.full, strict=True) if not full]
        at_least = [arm[::-1] for arm, none in zip(arms, self.none, strict=True) if not none]
        groups = self._tied([*at_most, *at_least])
        parts = self._tied([*arms, *(arm[::-1] for arm in arms)])
        main = [next(group for group in groups if set(group) <= set(part)) for part in parts]
        return [
            f"Empty or full cells alone tie {listed(group, None)} to the other treatments: effects "
            f"between them rest on {rests_on}."
            for group in groups
            if group not in main and not told.issuperset(group)
        ]

    def _tied(self, at_most: list[tuple[int, int]]) -> list[list[str]]:
        """Return the treatments that bounds tie to each other, largest group first."""
        names = self._treatment[1]
        groups = [
            sorted(names[node] for node in group if isinstance(node, int) and node >= 0)
            for group in graph.tied(at_most)
        ]
        return sorted((group for group in groups if group), key=lambda g: (-len(g), g))
