"""Whom the two sides of no effect favour: words below an axis that never touch each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from nma.plots._style import DARK, SIZES
from nma.plots._text import extent, fitted, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Directions", "directions", "favours"]

APART = 0.2
"""Least room between the two sides, in inches."""

ARROW = 0.2
"""Room for an arrow and the space beside it, in inches."""


BASE = 0.25
"""From the foot of a line to its base, in sizes of its letters."""


@final
@dataclass(frozen=True)
class Directions:
    """Two texts below an axis, and how wide the axis is, in inches."""

    left: str
    right: str
    width: float

    @property
    def height(self) -> float:
        """Height of the taller of them."""
        return max(extent(side, SIZES.small)[1] for side in (self.left, self.right))

    @property
    def ends(self) -> tuple[float, float]:
        """Where the left one begins and the right one ends, from the left end of the axis.

        At the ends of the axis; where they would meet in its middle, beyond its ends.
        """
        first, second = (extent(side, SIZES.small)[0] for side in (self.left, self.right))
        if first + second + APART <= self.width:
            return 0.0, self.width
        half = (self.width - APART) / 2
        return min(0.0, half - first), max(self.width, self.width - half + second)

    def write(self, ax: Axes, x: float, y: float, *, scale: float) -> None:
        """Write them on a sheet, below the axis whose left end is at x, downward from y."""
        look: dict[str, Any] = {
            "fontsize": SIZES.small * scale,
            "color": DARK,
            "va": "baseline",
            "linespacing": 1.1,
            "parse_math": False,
        }
        lines = max(self.left.count("\n"), self.right.count("\n"))
        sides = zip((self.left, self.right), self.ends, ("left", "right"), strict=True)
        for text, end, side in sides:
            even = text + "\n" * (lines - text.count("\n"))  # so that first lines are level
            ax.text(x + end, y - self.height + BASE * SIZES.small / 72, even, ha=side, **look)


def directions(
    left: Sequence[str],
    right: Sequence[str],
    *,
    width: float,
    beside: tuple[float, float] = (0.0, 0.0),
    most: int = 2,
) -> Directions:
    """Return what to write below an axis so that the two sides stay apart.

    Parameters
    ----------
    left, right : sequence of str
        What a side may be called; the first that fits is taken, else a part of the last.
    width : float
        Width of the axis, in inches.
    beside : (float, float)
        Free room to the left and to the right of the axis, in inches, that the words may use.
    most : int, default 2
        Lines that a side may take.
    """
    half = (width - APART) / 2 - ARROW
    first, second = (
        _side(names, half + free, most) for names, free in zip((left, right), beside, strict=True)
    )
    return Directions(f"← {first}", f"{second} →", width)


def _side(names: Sequence[str], room: float, most: int) -> str:
    for name in names:
        for lines in range(1, most + 1):
            found = fitted(name, room, SIZES.small, most=lines)
            if " ".join(found.split()) == plain(name):
                return found
    return found


def favours(better: str, *, treatment: str, comparator: str) -> tuple[list[str], list[str]]:
    """Return what the left and the right of no effect may be called, names first."""
    first = _names(treatment, "the treatment")
    second = _names(comparator, "the comparator")
    return (first, second) if better == "lower" else (second, first)


def _names(name: str, role: str) -> list[str]:
    return [f"favours {called}" for called in dict.fromkeys((name, role))]
