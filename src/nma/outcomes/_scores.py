"""The instrument of every arm: what its scores can be, and which direction is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np

from nma.errors import Issue, ModelError, shown
from nma.instruments import Instrument, find, hint, known
from nma.outcomes import _checks
from nma.outcomes._spread import Spread
from nma.problem import Reading
from nma.protocols import Better

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Scores", "meanings"]

MIXED = (
    "Changes and final scores have different SDs: where trials are in units of their own SD, one "
    "SMD should not mix them. Check that all trials report changes, or state the SD of scores on "
    "each instrument: reference_sd={{{stated}}}."
)


def meanings(own: Mapping[str, Instrument] | None) -> dict[str, Instrument]:
    """Return what every name means: the user's own instruments before the library's.

    Raises
    ------
    ModelError
        If what the user gave is no mapping of names to instruments.
    """
    if own is not None and not isinstance(own, Mapping):
        message = f"instruments={shown(own)} is not a mapping: write {{'name': Instrument(...)}}."
        raise ModelError(message)
    for name, instrument in (own or {}).items():
        if not isinstance(instrument, Instrument):
            message = (
                f"instruments={{{name!r}: ...}} holds {shown(instrument)}: give an "
                "Instrument(name, lower, upper, better), or one of nma.instruments."
            )
            raise ModelError(message)
    return {**known(), **(own or {})}


@final
@dataclass(frozen=True, eq=False)
class Scores:
    """The rows, and the instrument of each.

    Parameters
    ----------
    rows : DataFrame
        The arms.
    column : str
        The column that names their instruments.
    meaning : mapping of str to Instrument
        What the names mean.
    """

    rows: pd.DataFrame
    column: str
    meaning: Mapping[str, Instrument]

    @cached_property
    def named(self) -> dict[str, Instrument]:
        """What the names in the column mean, sorted; those that mean nothing are left out."""
        found = ((name, find(name, self.meaning)) for name in sorted(set(self.rows[self.column])))
        return {name: instrument for name, instrument in found if instrument is not None}

    @cached_property
    def by_instrument(self) -> dict[Instrument, NDArray[np.bool_]]:
        """For every instrument in use its rows; two names of one instrument are one."""
        found: dict[str, tuple[Instrument, NDArray[np.bool_]]] = {}
        for name, instrument in self.named.items():
            here = (self.rows[self.column] == name).to_numpy()
            first, before = found.get(str(instrument), (instrument, np.zeros_like(here)))
            found[str(instrument)] = (first, before | here)
        return dict(found.values())

    def studies(self, here: NDArray[np.bool_]) -> list[str]:
        """Return the trials of some rows, sorted."""
        return sorted(set(self.rows["study"][here]))

    def signs(self, better: Better) -> NDArray[np.float64]:
        """Return -1 for arms whose instrument has the other direction than the outcome, else 1."""
        signs = np.ones(len(self.rows))
        for instrument, here in self.by_instrument.items():
            signs[here & (instrument.better != better)] = -1.0
        return signs

    def issues(self, mean: str, spread: Spread) -> list[Issue]:
        """Return unknown names, trials on two instruments, and what no score can be."""
        return [*self._unknown(), *self._several(), *self._beyond(mean, spread)]

    def _unknown(self) -> list[Issue]:
        names = self.rows[self.column]
        return [
            Issue(
                "unknown-instrument",
                f"{shown(name)} is not a known instrument, so its direction is not known either",
                f"Say what it is: instruments={{{name!r}: nma.instruments.NRS}} if it is that one "
                f"by another name (or rename the cell), else instruments={{{name!r}: "
                f"nma.instruments.Instrument(name, lower, upper, better)}}."
                f"{hint(name, self.meaning)}",
                rows=tuple(sorted(self.rows.index[names == name].tolist())),
                column=self.column,
                value=name,
            )
            for name in sorted(set(names) - set(self.named))
        ]

    def _several(self) -> list[Issue]:
        codes = np.full(len(self.rows), -1)
        for code, here in enumerate(self.by_instrument.values()):
            codes[here] = code
        issues = []
        for study, trial in self.rows.groupby("study")[self.column]:
            if len(set(codes[self.rows.index.get_indexer(trial.index)]) - {-1}) > 1:
                listed = " and ".join(map(shown, sorted(set(trial))))
                problem = f"its arms are on different instruments, {listed}"
                remedy = "Keep one instrument in a trial: arms on two cannot be compared."
                place = tuple(sorted(trial.index.tolist()))
                issues.append(
                    Issue("two-instruments", problem, remedy, str(study), place, self.column)
                )
        return issues

    def _beyond(self, mean: str, spread: Spread) -> list[Issue]:
        """Return means and spreads that neither a score nor a change of scores can have."""
        issues = []
        remedy = "Check the cell, and which instrument and which range the trial used."
        means, deviations = self.rows[mean].to_numpy(), spread.deviations(self.rows)
        for instrument, here in self.by_instrument.items():
            bad = here & _outside(instrument, means) & (np.abs(means) > instrument.width)
            on = str(instrument).replace("{", "{{").replace("}", "}}")
            problem = f"{{value}} is neither a mean score nor a mean change on {on}"
            issues += _checks.where(self.rows, mean, bad, "beyond-the-range", problem, remedy)
            wide = here & (deviations > 2 * self._widest(instrument, spread))
            problem = f"{{value}} is a wider spread than scores or changes on {instrument} can have"
            for name, cells in _told_by(self.rows, spread, wide):
                issues += _checks.where(self.rows, name, cells, "beyond-the-range", problem, remedy)
        return issues

    def _widest(self, instrument: Instrument, spread: Spread) -> NDArray[np.float64]:
        """Return the largest standard deviation of final scores: half of the arm at each end."""
        n = spread.participants(self.rows)
        people = np.where(n >= 2, n, 2.0)  # two participants have the widest
        return np.asarray(instrument.width / 2 * np.sqrt(people / (people - 1)))

    def ranges_differ(self) -> list[Issue]:
        """Return the issue that points of the trials have no common unit, if so."""
        found = self.by_instrument
        if len({(instrument.lower, instrument.upper) for instrument in found}) < 2:
            return []
        listed = ", ".join(
            f"{instrument} in {_counted(self.studies(here))}" for instrument, here in found.items()
        )
        return [
            Issue(
                "ranges-differ",
                f"points of its instruments have no common unit: {listed}",
                "Use measure='SMD', or bring means and spreads to one range first.",
                column=self.column,
            )
        ]

    def pooled_as_one(self) -> list[str]:
        """Return the notice that points of several instruments are taken for the same, if so."""
        if len(self.by_instrument) < 2:
            return []
        names = " and ".join(sorted(instrument.name for instrument in self.by_instrument))
        return [f"MD: a point of {names} counts as the same, because they share their range."]

    def changed(self, mean: str, spread: Spread) -> NDArray[np.bool_]:
        """Return the arms of trials with a mean or a spread that no final scores can have."""
        means, deviations = self.rows[mean].to_numpy(), spread.deviations(self.rows)
        found = np.zeros(len(self.rows), dtype=bool)
        for instrument, here in self.by_instrument.items():
            wide = deviations > self._widest(instrument, spread)
            studies = self.studies(here & (_outside(instrument, means) | wide))
            found |= here & self.rows["study"].isin(studies).to_numpy()
        return found

    def notices(self, mean: str, spread: Spread, better: Better) -> list[str]:
        """Return which names were read as others, whose sign was reversed, and what is a change."""
        renamed = [
            f"{shown(name)} was read as {instrument}: a name of the same instrument."
            for name, instrument in self.named.items()
            if name not in self.meaning
        ]
        reversed_ = [
            f"Means on {instrument} were reversed in sign, because {better} is better in "
            f"the outcome: {', '.join(self.studies(here))}."
            for instrument, here in self.by_instrument.items()
            if instrument.better != better
        ]
        return [*renamed, *reversed_, *self._changes(self.changed(mean, spread))]

    def readings(
        self,
        first: NDArray[np.int64],
        sd: NDArray[np.float64],
        better: Better,
        changed: NDArray[np.bool_],
        stated: str | None,
    ) -> tuple[Reading, ...]:
        """Return the unit of the levels of some trials.

        Parameters
        ----------
        first : array of int, (trial,)
            A row of each trial.
        sd : array, (trial,)
            Points that a level of one stands for.
        better : {"lower", "higher"}
            The outcome's direction.
        changed : array, (row,)
            Whether a row's trial reports changes for certain.
        stated : {"final", "change"}, optional
            What the user said the means are of.
        """
        points, found = self.signs(better)[first] * sd, []
        for row, worth in zip(first.tolist(), points.tolist(), strict=True):
            here = next(i for i, rows in self.by_instrument.items() if rows[row])
            told = True if changed[row] else {"final": False, "change": True}.get(stated or "")
            found.append(Reading(here, worth, told))
        return tuple(found)

    def _changes(self, changed: NDArray[np.bool_]) -> list[str]:
        """Return which trials were read as changes, and how all others were."""
        found = []
        for instrument, here in self.by_instrument.items():
            if (here & changed).any():
                others = (
                    f" All other means on {instrument.name} are taken as final scores, or final "
                    "minus baseline; reverse improvements by hand."
                )
                found.append(
                    f"Means or SDs on {instrument} cannot be of final scores and were read as "
                    "changes, final minus baseline: "
                    f"{', '.join(self.studies(here & changed))}."
                    f"{others if (here & ~changed).any() else ''}"
                )
        return found

    def mixed(self, mean: str, spread: Spread) -> list[str]:
        """Return a warning where some trials report changes for certain, and others may not."""
        changed = self.changed(mean, spread)
        if changed.all() or not changed.any():
            return []
        return [MIXED.format(stated=", ".join(f"{name!r}: ..." for name in self.named))]


def _outside(instrument: Instrument, means: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((means < instrument.lower) | (means > instrument.upper))


def _told_by(
    rows: pd.DataFrame, spread: Spread, bad: NDArray[np.bool_]
) -> list[tuple[str, NDArray[np.bool_]]]:
    """Return the cells that told the standard deviations: sd, else se."""
    raw = np.zeros(len(rows), dtype=bool) if spread.sd is None else rows[spread.sd].notna()
    told = [(spread.sd, bad & np.asarray(raw)), (spread.se, bad & ~np.asarray(raw))]
    return [(name, cells) for name, cells in told if name is not None]


def _counted(studies: Sequence[str]) -> str:
    return f"{len(studies)} trial{'s' * (len(studies) != 1)}"
