"""Estimates as they are printed: with a standard error, or between confidence limits."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, final

import numpy as np

from nma.errors import Issue, ModelError, shortened
from nma.outcomes import _checks
from nma.outcomes._events import joined, listed
from nma.outcomes._measures import RATIOS

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["NO_SPREAD", "Estimates", "require_one_spread"]

NO_SPREAD = "Check the cell: a standard error of zero would give the trial all the weight."
HUGE = 1000.0
"""Ratio that treatments rarely make; a ratio or a percentage read as a logarithm does."""

UNLIKE = 0.2
"""Standard errors by which an estimate may lie off the middle of its interval unremarked."""


def require_one_spread(se: str | None, lower: str | None, upper: str | None, level: float) -> None:
    """Refuse a spread that is told twice, by half, or not at all."""
    if (lower is None) != (upper is None) or (se is None) == (lower is None):
        message = (
            "Contrast needs the spread of every effect, told once: name `se`, or both limits, "
            "`lower` and `upper`."
        )
        raise ModelError(message)
    if not 0.5 <= level < 1:
        message = (
            f"level={level!r} is not the probability of a confidence interval: write 0.95 for 95%."
        )
        raise ModelError(message)


@final
@dataclass(frozen=True)
class Estimates:
    """The columns that tell effects and their spread.

    Parameters
    ----------
    effect : str
        Effects: logarithms of ratios beside ``se``, the ratios themselves beside limits.
    se, lower, upper : str, optional
        Standard error, or confidence limits.
    level : float
        Probability of the interval.
    measure : str
        The measure.
    """

    effect: str
    se: str | None
    lower: str | None
    upper: str | None
    level: float
    measure: str

    @property
    def _limits(self) -> tuple[str, ...]:
        return tuple(name for name in (self.lower, self.upper) if name is not None)

    @property
    def _printed_ratios(self) -> bool:
        return self.se is None and self.measure in RATIOS

    @property
    def _z(self) -> float:
        from scipy.special import ndtri

        return float(ndtri((1 + self.level) / 2))

    def _on_scale(self, rows: pd.DataFrame, name: str) -> NDArray[np.float64]:
        """Return a column on the scale of the measure."""
        values = rows[name].to_numpy()
        return np.asarray(np.log(values) if self._printed_ratios else values, dtype=float)

    def told(self, rows: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return effects and standard errors on the scale of the measure, (row,) each."""
        with np.errstate(divide="ignore", invalid="ignore"):  # `issues` refuses such ratios
            effect = self._on_scale(rows, self.effect)
            if self.se is not None:
                return effect, rows[self.se].to_numpy()
            lower, upper = (self._on_scale(rows, name) for name in self._limits)
        return effect, (upper - lower) / (2 * self._z)

    def printed(
        self, effect: NDArray[np.float64], se: NDArray[np.float64]
    ) -> dict[str, NDArray[np.float64]]:
        """Return by column what estimates on the scale of the measure are printed as."""
        told = {self.effect: effect}
        if self.lower is not None and self.upper is not None:
            told |= {self.lower: effect - self._z * se, self.upper: effect + self._z * se}
        return {name: np.exp(x) if self._printed_ratios else x for name, x in told.items()}

    def issues(self, rows: pd.DataFrame) -> list[Issue]:
        """Return every number that is missing, and every interval that cannot be."""
        remedy = "Supply the number, or leave the whole trial out and say so."
        issues = _checks.missing(rows, self.effect, remedy)
        if self.se is not None:
            issues += _checks.missing(rows, self.se, remedy)
            return issues + _checks.positive(rows, self.se, NO_SPREAD)
        for name in self._limits:
            issues += _checks.missing(rows, name, remedy)
        if self._printed_ratios:
            remedy = (
                f"Beside limits, {self.measure} is read as printed, a ratio. For logarithms name "
                "their standard error, `se`, instead of limits."
            )
            for name in (self.effect, *self._limits):
                issues += _checks.positive(rows, name, remedy)
        return issues + self._impossible(rows)

    def _impossible(self, rows: pd.DataFrame) -> list[Issue]:
        effect, lower, upper = (rows[name].to_numpy() for name in (self.effect, *self._limits))
        remedy = "Check the row: the lower limit must lie below the upper one."
        swapped = lower >= upper
        problem = "the lower limit, {value}, does not lie below the upper one"
        issues = _checks.where(rows, self._limits[0], swapped, "limits-swapped", problem, remedy)
        remedy = "Check the row: is the interval of another comparison, or of another scale?"
        outside = ~swapped & ((effect < lower) | (effect > upper))
        problem = "{value} lies outside its own limits"
        issues += _checks.where(rows, self.effect, outside, "outside-limits", problem, remedy)
        return issues

    def notices(self, rows: pd.DataFrame) -> list[str]:
        """Return how standard errors were derived, and estimates that do not suit their limits."""
        if self.se is not None:
            return self._unlogged(rows)
        log = "logarithms of the " if self._printed_ratios else ""
        derived = (
            f"Standard errors were derived from the {log}{100 * self.level:g}% limits: "
            f"(upper - lower) / {2 * self._z:.6f}."
        )
        return [derived, *self._lopsided(rows)]

    def _unlogged(self, rows: pd.DataFrame) -> list[str]:
        """Return a remark on ratios that may have been given for their logarithms."""
        effect = rows[self.effect].to_numpy()
        if self.measure not in RATIOS or not len(effect):
            return []
        if len(effect) > 2 and effect.min() > 0 and 0.5 < np.median(effect) < 2:
            about = f"lie about 1 ({effect.min():g} to {effect.max():g})"
            asked = f"check that {self.effect!r} holds logarithms, not ratios."
            return [f"Effects of {self.measure} are all positive and {about}: {asked}"]
        far = np.flatnonzero(np.abs(effect) > np.log(HUGE))
        return [self._huge(rows.iloc[far])] if far.size else []

    def _huge(self, rows: pd.DataFrame) -> str:
        """Return a remark on effects that no logarithm of a ratio is likely to be."""
        places = zip(rows["study"], rows.index, rows[self.effect], strict=True)
        named = joined(
            [f"{shortened(study)} ({value:g} at row {row})" for study, row, value in places]
        )
        return (
            f"As a logarithm, the effect of {named} means {self.measure} beyond {HUGE:g} or its "
            f"inverse: check that {self.effect!r} holds logarithms, not ratios or percentages."
        )

    def _lopsided(self, rows: pd.DataFrame) -> list[str]:
        """Return a remark on estimates that lie off the middle of their limits."""
        bad = self._off_middle(rows, log=self._printed_ratios)
        if not bad.any():
            return []
        studies = listed(sorted(set(rows["study"][bad])))
        scale = " on the log scale" if self._printed_ratios else ""
        return [
            (
                f"Estimates lie off the middle of their limits{scale} by more than rounding: "
                f"{studies}. {self._other_scale(rows[bad])}"
            )
        ]

    def _other_scale(self, rows: pd.DataFrame) -> str:
        """Return what to check: the scale, if on another all estimates are in the middle."""
        log = not self._printed_ratios
        numbers = rows[[self.effect, *self._limits]]
        possible = not log or bool((numbers > 0).all(axis=None))
        if not possible or self._off_middle(rows, log=log).any():
            return "Check the numbers, the level and the scale of the interval."
        if log:
            return "On the log scale they would be in the middle: check that they are no ratios."
        named = f"{self.effect!r}, {self.lower!r} and {self.upper!r}"
        return (
            f"As they stand they are in the middle: check that {named} hold ratios, not logarithms "
            "or differences."
        )

    def _off_middle(self, rows: pd.DataFrame, *, log: bool) -> NDArray[np.bool_]:
        """Return which estimates lie off the middle of their limits by more than rounding."""

        def on(name: str) -> NDArray[np.float64]:
            values = rows[name].to_numpy()
            return np.asarray(np.log(values) if log else values, dtype=float)

        effect, lower, upper = (on(name) for name in (self.effect, *self._limits))
        off = np.abs(effect - (lower + upper) / 2)
        rounding = self._rounding(rows, self.effect, log=log)
        rounding = rounding + sum(self._rounding(rows, name, log=log) for name in self._limits) / 2
        return np.asarray(off > UNLIKE * (upper - lower) / (2 * self._z) + rounding)

    def _rounding(self, rows: pd.DataFrame, name: str, *, log: bool) -> NDArray[np.float64]:
        """Return half a unit of the column's last printed digit, on the log scale or its own."""
        values = rows[name].to_numpy()
        places = max(_decimals(value) for value in values.tolist())
        half = np.full(len(values), 0.5 * 10.0**-places)
        return half / values if log else half


def _decimals(value: float) -> int:
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
