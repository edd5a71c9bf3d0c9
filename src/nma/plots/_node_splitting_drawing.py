"""The drawing of node-splits: blocks of rows below and beside each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nma.plots._axis import axis_of, numeral, typeset
from nma.plots._canvas import finished, inches, sheet
from nma.plots._directions import Directions, directions, favours
from nma.plots._forest_drawing import draw_bars
from nma.plots._journal import paged
from nma.plots._style import (
    BETTER,
    DARK,
    INK,
    PALE,
    SIZES,
    WARNING,
    columns_on_page,
    on_page,
    styled,
)
from nma.plots._text import SPACING, extent, fitted, foot, foot_lines, head, head_lines, plain, told
from nma.tables import probability

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from nma.plots._axis import Axis
    from nma.plots._text import Line

__all__ = ["LOOKS", "draw"]

LOOKS: dict[str, tuple[str, str, float, str, str, float]] = {
    "direct": (BETTER, "solid", 3.4, "s", "white", 4.4),
    "indirect": (WARNING, "dashed", 2.2, "o", "white", 4.4),
    "network": (INK, "solid", 1.1, "D", INK, 4.2),
}
"""Colour, style and width of the line; shape, face and size of the marker."""

WIDE = 2.7
"""Width of the axis of a column, in inches."""

ROW = 0.155
"""Height of a row, in inches."""

GAP = 0.06
"""Room below a block, in inches."""

INDENT = 0.12
"""From the edge of a column to the names of its rows, in inches."""

TICKS = 0.22
"""Room below a column for the numbers of its axis, in inches."""

BETWEEN = 0.3
"""Room between columns, in inches."""

MOST = 12
"""Blocks below each other in a figure of its own."""

COLUMNS = 6
"""Columns side by side in axes that are given, at the most."""


@final
@dataclass(frozen=True, eq=False)
class _Block:
    """One comparison: what stands above its rows, and how high it is, in inches."""

    rows: pd.DataFrame
    heading: str
    said: str

    @property
    def top(self) -> float:
        """Height of the heading."""
        return extent(self.heading, SIZES.small)[1] + 0.05

    @property
    def height(self) -> float:
        """Height of all of it."""
        return self.top + len(self.rows) * ROW + GAP


@final
@dataclass(frozen=True, eq=False)
class _Plan:
    """Sizes in inches, y upward from the lower edge."""

    marks: pd.DataFrame
    ask: Callable[[str], Any]
    columns: int

    @cached_property
    def names(self) -> list[str]:
        """Names of the rows; of direct evidence with its trials."""
        kinds = zip(self.marks["evidence"], self.marks["trials"], strict=True)
        return [_name(str(kind), int(trials)) for kind, trials in kinds]

    @cached_property
    def left(self) -> float:
        """Room for the names of the rows."""
        return INDENT + 0.1 + max(extent(name, SIZES.small)[0] for name in self.names)

    @cached_property
    def numbers(self) -> float:
        """Room for the numbers."""
        return max(1.0, *(extent(typeset(text), SIZES.small)[0] for text in self.marks["text"]))

    @cached_property
    def heading(self) -> str:
        """What stands above the numbers."""
        words = f"{self.ask('measure')} ({100 * self.ask('level'):g}% {self.ask('interval')})"
        return fitted(words, self.numbers, SIZES.small, most=3, weight="bold")

    @property
    def column(self) -> float:
        """Width of a column."""
        return self.left + on_page(WIDE) + 0.1 + self.numbers

    @property
    def width(self) -> float:
        """Width of the picture."""
        return 0.2 + self.columns * (self.column + on_page(BETWEEN)) - on_page(BETWEEN)

    @cached_property
    def blocks(self) -> list[_Block]:
        """Comparisons, in order."""
        return [_block(rows, self.column) for _, rows in _comparisons(self.marks)]

    @cached_property
    def parts(self) -> list[list[_Block]]:
        """Blocks of each column."""
        step = math.ceil(len(self.blocks) / self.columns)
        return [self.blocks[k : k + step] for k in range(0, len(self.blocks), step)]

    @cached_property
    def tall(self) -> float:
        """Height of the tallest column."""
        return max(sum(block.height for block in part) for part in self.parts)

    @cached_property
    def title(self) -> list[Line]:
        """Lines above."""
        words = f"Node-splits: direct against indirect evidence, {self.ask('measure')}"
        return head_lines(words, self.ask("poor"), self.width - 0.2)

    @cached_property
    def notes(self) -> list[Line]:
        """Lines below."""
        return foot_lines(self.ask("text"), self.ask("data"), self.width - 0.2)

    @cached_property
    def sides(self) -> Directions:
        """Whom the sides of no effect favour."""
        left, right = favours(
            self.ask("better"), treatment="the treatment", comparator="the comparator"
        )
        beside = (self.left, self.numbers + 0.1)
        return directions(left, right, width=on_page(WIDE), beside=beside)

    @property
    def below(self) -> float:
        """Room below a column for its numbers, directions and measure."""
        return TICKS + self.sides.height + SPACING * SIZES.small / 72 + 0.14

    @property
    def top(self) -> float:
        """Upper edge of the columns."""
        return 0.15 + head(self.notes) + self.below + self.tall

    @property
    def height(self) -> float:
        """Height of the picture."""
        return self.top + 0.1 + extent(self.heading, SIZES.small)[1] + head(self.title) + 0.1


def _name(kind: str, trials: int) -> str:
    return f"{kind}, {trials} trial{'s' * (trials != 1)}" if kind == "direct" else kind


def _comparisons(marks: pd.DataFrame) -> Iterator[tuple[Any, pd.DataFrame]]:
    yield from marks.groupby(["treatment", "comparator"], sort=False)


def _block(rows: pd.DataFrame, width: float) -> _Block:
    treatment, comparator, p, share = (
        rows[name].iloc[0] for name in ("treatment", "comparator", "p", "share_direct")
    )
    shown = probability(float(p))
    said = f"p {shown if shown[0] in '<>' else f'= {shown}'}, {100 * share:.0f}% direct"
    room = width - extent(said, SIZES.small)[0] - 0.25
    whole = plain(f"{treatment} vs {comparator}")
    heading = fitted(whole, room, SIZES.small, weight="bold")
    if "".join(heading.split()) != whole.replace(" ", ""):  # each by itself, so that both stay
        names = (str(treatment), str(comparator))
        short = (fitted(name, room - 0.3, SIZES.small, most=1, weight="bold") for name in names)
        heading = " vs\n".join(short)
    return _Block(rows, heading, said)


@paged
def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of node-splits, as ``nma.plots.Drawing`` says."""
    with styled():
        plan = _planned(marks, told(marks, "node_splitting"), ax)
        title, notes = plan.title, plan.notes  # refuse marks without words before drawing
        axis = axis_of(marks, ratio=plan.ask("ratio"))
        axes, scale = sheet(ax, plan.width, plan.height)
        for place in range(len(plan.parts)):
            _draw_column(axes, plan, place, axis, scale)
        foot(axes, title, 0.1, plan.height - 0.05, scale=scale)
        foot(axes, notes, 0.1, 0.08 + head(notes), scale=scale)
    return finished(axes)


def _planned(marks: pd.DataFrame, ask: Callable[[str], Any], ax: Axes | None) -> _Plan:
    """Return the plan; in axes that are given, that whose text is the largest."""
    count = sum(1 for _ in _comparisons(marks))
    if ax is None:
        usual = math.ceil(count / MOST)
        each = _Plan(marks, ask, 1).column + on_page(BETWEEN)
        return _Plan(marks, ask, columns_on_page(usual, each, 0.2 - on_page(BETWEEN)))
    wide, high = inches(ax)
    most = columns_on_page(COLUMNS, _Plan(marks, ask, 1).column + on_page(BETWEEN))
    plans = [_Plan(marks, ask, columns) for columns in range(1, min(count, most) + 1)]
    return max(plans, key=lambda plan: min(1.0, wide / plan.width, high / plan.height))


def _draw_column(ax: Axes, plan: _Plan, place: int, axis: Axis, scale: float) -> None:
    x = 0.1 + place * (plan.column + on_page(BETWEEN))
    tall = sum(block.height for block in plan.parts[place])
    panel = ax.inset_axes(
        (x + plan.left, plan.top - tall, on_page(WIDE), tall),
        transform=ax.transData,
        facecolor="none",
    )
    if axis.ratio:
        panel.set_xscale("log")
    panel.set_xlim(axis.low, axis.high)
    panel.set_ylim(tall, 0)
    ticks = axis.ticks(int(on_page(WIDE) / 0.42))
    panel.set_xticks(ticks, [numeral(tick) for tick in ticks], fontsize=SIZES.small * scale)
    panel.set_xticks([], minor=True)
    panel.set_yticks([])
    panel.tick_params(length=2.5 * scale, width=0.7 * scale, pad=2 * scale)
    panel.spines[["left", "top", "right"]].set_visible(False)
    at = 0.0
    for block in plan.parts[place]:
        _draw_rows(panel, block, at, axis, scale)
        _write_block(ax, plan, block, (x, plan.top - at), scale)
        at += block.height
    _write_around(ax, plan, x, plan.top - tall, scale)


def _draw_rows(panel: Axes, block: _Block, at: float, axis: Axis, scale: float) -> None:
    """Draw the intervals of a block, and no effect behind them."""
    panel.vlines(
        axis.null, at + block.top, at + block.height, color=INK, linewidth=0.8 * scale, zorder=1.5
    )
    middles: Any = at + block.top + (np.arange(len(block.rows)) + 0.6) * ROW
    for k, kind in enumerate(block.rows["evidence"]):
        colour, style, width, marker, face, size = LOOKS[kind]
        row, middle = block.rows.iloc[k : k + 1], middles[k : k + 1]
        dashes: Any = (0, (2.2, 1.0)) if style == "dashed" else style
        look: dict[str, Any] = {"width": width * scale, "colour": colour, "style": dashes}
        draw_bars(panel, axis, middle, row["lower"], row["upper"], **look)
        panel.plot(
            row["estimate"], middle, linestyle="none", marker=marker, markersize=size * scale,
            markerfacecolor=face, markeredgecolor=INK, markeredgewidth=1.0 * scale, zorder=4,
        )  # fmt: skip


def _write_block(
    ax: Axes, plan: _Plan, block: _Block, corner: tuple[float, float], scale: float
) -> None:
    """Write a block's heading on a band, and the names and numbers of its rows."""
    (x, top), look = corner, {"fontsize": SIZES.small * scale, "parse_math": False, "va": "center"}
    middle, bottom = top - block.top / 2, top - block.top
    ax.fill_between([x, x + plan.column], bottom, top, color=PALE, linewidth=0, zorder=0)
    style: dict[str, Any] = {**look, "linespacing": 1.1}
    ax.text(x + 0.05, middle, block.heading, fontweight="bold", **style)
    ax.text(x + plan.column - 0.05, middle, block.said, ha="right", **style)
    for k, (_, row) in enumerate(block.rows.iterrows()):
        y = top - block.top - (k + 0.6) * ROW
        ax.text(x + INDENT, y, _name(row["evidence"], row["trials"]), color=DARK, **style)
        ax.text(x + plan.left + on_page(WIDE) + 0.1, y, typeset(row["text"]), **style)


def _write_around(ax: Axes, plan: _Plan, x: float, bottom: float, scale: float) -> None:
    """Write what stands above the numbers of a column, and whom the sides favour below it."""
    left, right = x + plan.left, x + plan.left + on_page(WIDE)
    look: dict[str, Any] = {
        "fontsize": SIZES.small * scale,
        "parse_math": False,
        "linespacing": 1.1,
    }
    style = {**look, "fontweight": "bold", "va": "bottom"}
    ax.text(right + 0.1, plan.top + 0.05, plan.heading, **style)
    plan.sides.write(ax, left, bottom - TICKS, scale=scale)
    measure = f"{plan.ask('measure')}{' (log scale)' * plan.ask('ratio')}"
    shown = fitted(measure, plan.column - 0.1, SIZES.small, most=1)
    y = bottom - TICKS - plan.sides.height - 0.03
    ax.text((left + right) / 2, y, shown, va="top", ha="center", **look)
