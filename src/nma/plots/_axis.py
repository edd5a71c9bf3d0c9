"""The axis of effects: limits that show what matters, and ticks in the measure's own numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Axis", "axis_of", "numeral", "ticks_between", "typeset"]

REACH = 8.0
"""Median half-widths beyond the outermost estimate at which an interval is cut, with an arrow."""

SIDE = 0.12
"""Share of the axis that each side of no effect has at least."""

FARTHEST = 300.0
"""End of a log axis, so that its numbers exist."""


@final
@dataclass(frozen=True)
class Axis:
    """From where to where an axis of effects goes, in the measure's own numbers."""

    ratio: bool
    low: float
    high: float

    @property
    def null(self) -> float:
        """No effect."""
        return 1.0 if self.ratio else 0.0

    def including(self, value: float | None) -> Axis:
        """Return an axis that shows a value too."""
        if value is None or self.low < value < self.high:
            return self
        if self.ratio:
            return replace(self, low=min(self.low, value / 1.1), high=max(self.high, value * 1.1))
        room = 0.03 * (self.high - self.low)
        return replace(self, low=min(self.low, value - room), high=max(self.high, value + room))

    def ticks(self, most: int) -> list[float]:
        """Return where to write numbers, at most so many or nearly."""
        return ticks_between(self.low, self.high, most, ratio=self.ratio)


def axis_of(marks: pd.DataFrame, *, ratio: bool) -> Axis:
    """Return an axis that shows estimates and intervals, and both sides of no effect."""
    outer = [name for name in marks if str(name).endswith(("lower", "upper"))]
    with np.errstate(divide="ignore"):
        known = {name: _link(marks[name], ratio) for name in ["estimate", *outer]}
    centre = known["estimate"]
    lower = np.min([known[name] for name in outer if str(name).endswith("lower")], axis=0)
    upper = np.max([known[name] for name in outer if str(name).endswith("upper")], axis=0)
    reach = REACH * max(float(np.median(upper - lower)) / 2, 1e-9)
    low = min(max(lower.min(), centre.min() - reach), 0.0)
    high = max(min(upper.max(), centre.max() + reach), 0.0)
    low, high = min(low, -SIDE * (high - low)), max(high, SIDE * (high - low))
    room = 0.03 * (high - low)
    ends = np.array([low - room, high + room])
    ends = np.exp(np.clip(ends, -FARTHEST, FARTHEST)) if ratio else ends
    return Axis(ratio, float(ends[0]), float(ends[1]))


def _link(values: pd.Series, ratio: bool) -> NDArray[np.float64]:
    numbers = values.to_numpy(dtype=float)
    return np.log(numbers) if ratio else numbers


def ticks_between(low: float, high: float, most: int, *, ratio: bool) -> list[float]:
    """Return round numbers between two, evenly spread on the axis they are for."""
    decades = np.log10(high / low) if ratio else 0.0
    if not ratio or decades < 0.6:
        return _linear(low, high, most)
    powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    for steps in ((1.0, 2.0, 5.0), (1.0, 3.0), (1.0,)):
        found = [step * 10.0**power for power in powers for step in steps]
        found = [value for value in found if low <= value <= high]
        if len(found) <= most:
            return found
    every = int(np.ceil(len(found) / most))
    return [value for value in found if round(np.log10(value)) % every == 0]


def _linear(low: float, high: float, most: int) -> list[float]:
    from matplotlib.ticker import MaxNLocator

    found = MaxNLocator(nbins=max(most - 1, 1), steps=[1, 2, 5, 10]).tick_values(low, high)
    edge = 1e-9 * (high - low)
    return [float(value) for value in found if low - edge <= value <= high + edge]


def numeral(value: float) -> str:
    """Return a round number as an axis shows it: 0.5, 1, 2; 1e6 where that is shorter."""
    text = f"{value:.6g}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")
    return typeset("0" if float(text) == 0 else text)


def typeset(text: str) -> str:
    """Return numbers with a true minus sign."""
    return text.replace("-", "\N{MINUS SIGN}")
