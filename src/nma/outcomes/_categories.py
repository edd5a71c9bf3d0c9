"""Counts of ordered categories, however they are given, and what there is to say about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np
import pandas as pd

from nma.outcomes._events import listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Categories"]


@final
@dataclass(frozen=True, eq=False)
class Categories:
    """The arms and their people in ordered categories.

    Parameters
    ----------
    rows : DataFrame
        The arms; those of a trial stand together.
    names : tuple of str
        Columns of counts, upwards; the lowest category is what remains of the participants.
    n : str
        Column of participants.
    inclusive : bool
        Whether a count holds the people in all higher categories too.
    """

    rows: pd.DataFrame
    names: tuple[str, ...]
    n: str
    inclusive: bool

    @cached_property
    def people(self) -> NDArray[np.float64]:
        """Participants of each arm, (row,)."""
        return np.asarray(self.rows[self.n].to_numpy(), dtype=float)

    @cached_property
    def given(self) -> NDArray[np.float64]:
        """The counts as given, (row, category), NaN where an arm does not tell."""
        return np.asarray(self.rows[list(self.names)].to_numpy(), dtype=float)

    @cached_property
    def told(self) -> NDArray[np.bool_]:
        """Which categories an arm tells, (row, category)."""
        return ~np.isnan(self.given)

    @cached_property
    def at_least(self) -> NDArray[np.float64]:
        """People in a category or a higher one, (row, category), NaN where not told."""
        if self.inclusive:
            return self.given
        upwards = np.nancumsum(self.given[:, ::-1], axis=1)[:, ::-1]
        return np.where(self.told, upwards, np.nan)

    @cached_property
    def upto(self) -> NDArray[np.int64]:
        """The next category that is told, (row, 1 + category); the cell's own number if untold.

        Cell 0 is the lowest, which n always tells; one beyond the last where nothing follows.
        """
        told = np.column_stack([np.ones(len(self.rows), dtype=bool), self.told])
        place, beyond = np.arange(told.shape[1]), np.full(len(told), told.shape[1])
        downwards = np.where(told, place, told.shape[1])[:, ::-1]
        here_or_after = np.minimum.accumulate(downwards, axis=1)[:, ::-1]
        after = np.column_stack([here_or_after[:, 1:], beyond])
        return np.where(told, after, place)

    @cached_property
    def cells(self) -> NDArray[np.float64]:
        """People from each category that is told up to the next, (row, 1 + category)."""
        level = np.column_stack([self.people, self.at_least, np.zeros(len(self.rows))])
        following = np.take_along_axis(level, self.upto, axis=1)
        return np.where(np.isnan(level[:, :-1]), 0.0, level[:, :-1] - following)

    @cached_property
    def trial(self) -> NDArray[np.int64]:
        """The trial of each arm, (row,)."""
        return pd.factorize(self.rows["study"].to_numpy())[0]

    @cached_property
    def only(self) -> NDArray[np.int64]:
        """The cell that everybody in an arm is in, (row,); -1 where they differ.

        The highest cell that the arm tells is numbered as the last.
        """
        cell = np.argmax(self.cells, axis=1)
        row = np.arange(len(cell))
        is_top = self.upto[row, cell] == self.cells.shape[1]
        place = np.where(is_top, self.cells.shape[1] - 1, cell)
        return np.where(self.cells[row, cell] == self.people, place, -1)

    def _alike(self, group: NDArray[np.int64], cell: int) -> NDArray[np.bool_]:
        """Return for every row whether all people in all rows of its group are in one cell."""
        return np.asarray((np.bincount(group, self.only != cell) == 0)[group])

    @cached_property
    def uninformative(self) -> NDArray[np.bool_]:
        """Whether everybody in all arms of the trial is in one and the same cell, (row,)."""
        alike = [self._alike(self.trial, cell) for cell in range(self.cells.shape[1])]
        return np.asarray(np.any(alike, axis=0))

    def studies(self, here: NDArray[np.bool_]) -> list[str]:
        """Return the trials of some rows, sorted."""
        return sorted(set(self.rows["study"][here]))

    def merged(self) -> dict[str, float]:
        """Return the sums of all arms, NaN where some tell a category and others do not."""
        return {name: float(self.rows[name].sum(skipna=False)) for name in (*self.names, self.n)}

    def notices(self) -> list[str]:
        """Return what the counts do not tell, and what looks odd."""
        return [*self._untold(), *self._alone(), *self._prior_driven(), *self._falling()]

    def _untold(self) -> list[str]:
        fewer = self.studies(np.asarray(~self.told.all(axis=1)))
        if not fewer:
            return []
        kind = "" if self.inclusive else " A count there runs up to the next category told."
        return [f"Not all of {_quoted(self.names)} are told by {listed(fewer)}.{kind}"]

    def _alone(self) -> list[str]:
        """Return the arms in which everybody is in one category."""
        here = self.rows[self.only >= 0]
        arms = [f"{s} ({t})" for s, t in zip(here["study"], here["treatment"], strict=True)]
        return [f"Everybody is in one category in {listed(arms)}."] if arms else []

    def _prior_driven(self) -> list[str]:
        """Return the treatments and the cut-points that the counts leave to the prior."""
        found = []
        code, names = pd.factorize(self.rows["treatment"].to_numpy(), sort=True)
        last = self.cells.shape[1] - 1
        for cell, said in ((0, "lowest"), (last, "highest")):
            never = list(dict.fromkeys(names[code[self._alike(code, cell)]]))
            if never:
                whose = "its effects rest" if len(never) == 1 else "their effects rest"
                told = f"Everybody is in the {said} category under {listed(never)} in every trial"
                found.append(f"{told}: {whose} on the prior.")
        seen = np.asarray(self.cells[:, 1:].any(axis=0)).tolist()
        empty = [name for name, there in zip(self.names, seen, strict=True) if not there]
        if empty:
            found.append(f"Nobody is in {_quoted(empty)}: where it begins rests on the prior.")
        return found

    def _falling(self) -> list[str]:
        """Ask about exclusive counts that fall from category to category in every arm."""
        with np.errstate(invalid="ignore"):
            rises = (np.diff(self.given, axis=1) > 0).any()
        if self.inclusive or len(self.names) == 1 or rises:
            return []
        asked = (
            "In every arm the counts fall from category to category: is everybody counted once, or "
            "are they inclusive, counts='inclusive'?"
        )
        return [asked]


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
