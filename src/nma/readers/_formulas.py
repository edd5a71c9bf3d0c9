"""A formula and what becomes of the cells it fills: derived, kept, doubted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, final

import numpy as np

from nma.readers import _log
from nma.readers._sheet import Sheet

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CLOSE", "Formula", "by_factor", "derive"]

COUNTED = frozenset({"n", "n1", "n2", "events", "level", "correlation", "icc", "cluster_size"})
"""Roles whose numbers are counted or stated, and so are not rounded."""

CLOSE = 0.05
"""Share of a derived number by which a given one may differ, beyond rounding, unremarked."""

COARSE = 0.1
"""Share of a derived number that the rounding of what it is made from may reach unremarked."""

FOLD = 2.0
"""Factor within which a given SD and one estimated from quantiles are taken to agree."""

Arrays = Mapping[str, "NDArray[np.float64]"]


def beyond_rounding(
    given: NDArray[np.float64],
    derived: NDArray[np.float64],
    rounding: NDArray[np.float64],
    _: Arrays,
) -> NDArray[np.bool_]:
    """Return which given numbers are off by more than rounding and a twentieth."""
    return np.asarray(np.abs(given - derived) > rounding + CLOSE * np.abs(derived))


def by_factor(
    given: NDArray[np.float64],
    derived: NDArray[np.float64],
    _rounding: NDArray[np.float64],
    _: Arrays,
) -> NDArray[np.bool_]:
    """Return which given standard deviations are not within a factor of an estimate."""
    return np.asarray(np.abs(np.log(given / derived)) > np.log(FOLD))


@final
@dataclass(frozen=True)
class Formula:
    """How a number follows from others of its row.

    Parameters
    ----------
    text : str
        The right-hand side, as the log prints it.
    source : str
        Where it comes from.
    roles : tuple of str
        What it needs.
    value : callable
        Takes the numbers in the order of ``roles``, (row,) each.
    differs : callable
        Takes given, derived, rounding and the numbers by role, and says which given numbers
        contradict the derived ones.
    sized : bool, default True
        Whether its rounding is judged by its size: not for estimates, which are vaguer, nor for
        numbers about zero.
    """

    text: str
    source: str
    roles: tuple[str, ...]
    value: Callable[..., Any]
    differs: Callable[..., NDArray[np.bool_]] = beyond_rounding
    sized: bool = True

    def __str__(self) -> str:
        """Return what the log prints."""
        return f"{self.text} ({self.source})"

    def of(self, numbers: Arrays) -> NDArray[np.float64]:
        """Return the value in every row, NaN where a number is missing."""
        with np.errstate(all="ignore"):
            return np.asarray(self.value(*(numbers[role] for role in self.roles)), dtype=float)

    def rounding(self, sheet: Sheet) -> NDArray[np.float64]:
        """Return by how much the value may be off because its numbers were rounded, (row,)."""
        total = np.zeros(len(sheet.studies))
        for role in self.roles:
            if role not in COUNTED and not sheet.stated(role):
                half = sheet.halves[role]
                up = self.of({**sheet.numbers, role: sheet[role] + half})
                down = self.of({**sheet.numbers, role: sheet[role] - half})
                total += np.abs(up - down) / 2
        return total


class _Derived(NamedTuple):
    """A number that is there, the one derived, and by how much rounding may move the latter."""

    there: float
    value: float
    off: float


def derive(sheet: Sheet, role: str, formula: Formula) -> Sheet:
    """Return the sheet with a target filled by a formula, and the log of it.

    Empty cells are filled, others only where the sheet says to overwrite. A number that is kept
    and contradicts its derivation is remarked on, and so is a derived one that hangs on the
    rounding of what it is made from. A number that was itself derived only contradicts another
    derivation if it is not within a factor of it: two formulas may differ by more than rounding.
    """
    there, value = sheet[role], formula.of(sheet.numbers)
    told, empty = np.isfinite(value), np.isnan(there)
    off = formula.rounding(sheet)
    with np.errstate(all="ignore"):
        unlike = np.where(
            _derived_before(sheet, role),
            by_factor(there, value, off, sheet.numbers),
            formula.differs(there, value, off + sheet.halves[role], sheet.numbers),
        )
        coarse = formula.sized & (off > COARSE * np.abs(value) * (1 + 1e-9))
    replaced = told & ~empty & sheet.overwrite & ~np.isclose(there, value, rtol=1e-9, atol=0)
    filled = (told & empty) | replaced
    entries = [list(here) for here in sheet.entries]
    for rows, words in (
        (told & empty, _filled),
        (replaced, _replaced),
        (told & ~empty & ~replaced & unlike, _kept),
        (filled & coarse, _coarse),
    ):
        for row in np.flatnonzero(rows).tolist():
            derived = _Derived(there[row], value[row], off[row])
            made_from = ", ".join(sheet.said(other, row) for other in formula.roles)
            _log.add(entries[row], words(sheet.name(role), formula, derived, made_from))
    numbers = {**sheet.numbers, role: np.where(filled, value, there)}
    return replace(sheet, numbers=numbers, entries=entries)


def _derived_before(sheet: Sheet, role: str) -> NDArray[np.bool_]:
    """Return in which rows the log says that a target was derived."""
    start = _log.plain(f"{sheet.name(role)} = ")
    return np.array([any(text.startswith(start) for text in here) for here in sheet.entries])


def _filled(name: str, formula: Formula, derived: _Derived, made_from: str) -> str:
    return _log.entry(f"{name} = {formula}", f"{derived.value:.4g} from {made_from}")


def _replaced(name: str, formula: Formula, derived: _Derived, made_from: str) -> str:
    what = f"{name} = {formula}, in place of numbers that were there"
    return _log.entry(what, f"{derived.value:.4g} for {derived.there:g}, from {made_from}")


def _kept(name: str, formula: Formula, derived: _Derived, made_from: str) -> str:
    what = f"{name} was there and is not {formula}; which is right?"
    return _log.entry(what, f"{derived.there:g} kept, not {derived.value:.4g} from {made_from}")


def _coarse(name: str, formula: Formula, derived: _Derived, _: str) -> str:
    what = f"{name} = {formula} hangs on rounding; can more digits be found?"
    return _log.entry(what, f"{derived.value:.4g}, give or take {derived.off:.2g}")
