"""The drawing of class shrinkage: a block for each class, two intervals for each treatment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd

from nma.plots._axis import axis_of, numeral, typeset
from nma.plots._canvas import finished, sheet
from nma.plots._directions import Directions, directions, favours
from nma.plots._forest_drawing import draw_bars
from nma.plots._journal import paged
from nma.plots._style import BETTER, DARK, GREY, INK, LINE, PALE, SIZES, on_page, styled
from nma.plots._text import SPACING, extent, fitted, foot, foot_lines, head, head_lines, told

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nma.plots._axis import Axis
    from nma.plots._text import Line

__all__ = ["draw"]

WIDE = 3.0
"""Width of the axis, in inches."""

LABEL = 2.2
"""Width of a name, in inches, beyond which it takes a second line."""

ROW = 0.3
"""Height of a treatment, in inches; more where its name takes two lines."""

APART = 0.065
"""From the middle of a row to each of its intervals, in inches."""

GAP = 0.08
"""Room below a class, in inches."""

TICKS = 0.22
"""Room below the rows for the numbers of the axis, in inches."""


@final
@dataclass(frozen=True, eq=False)
class _Block:
    """One class: its rows, its name as written, and its height, in inches."""

    rows: pd.DataFrame
    heading: str
    labels: list[str]

    @property
    def top(self) -> float:
        """Height of the heading."""
        return extent(self.heading, SIZES.small)[1] + 0.06

    @property
    def heights(self) -> list[float]:
        """Height of each row."""
        return [max(ROW, extent(label, SIZES.small)[1] + 0.08) for label in self.labels]

    @property
    def height(self) -> float:
        """Height of all of it."""
        return self.top + sum(self.heights) + GAP


@final
@dataclass(frozen=True, eq=False)
class _Plan:
    """Sizes in inches, y upward from the lower edge."""

    marks: pd.DataFrame
    ask: Callable[[str], Any]

    @cached_property
    def blocks(self) -> list[_Block]:
        """The classes, in order."""
        return [
            _Block(
                rows,
                fitted(str(name), on_page(LABEL) + on_page(WIDE), SIZES.small, weight="bold"),
                [fitted(str(label), on_page(LABEL), SIZES.small) for label in rows["treatment"]],
            )
            for name, rows in self.marks.groupby("class", sort=False)
        ]

    @cached_property
    def left(self) -> float:
        """Room for the names."""
        labels = [label for block in self.blocks for label in block.labels]
        return 0.3 + max(extent(label, SIZES.small)[0] for label in labels)

    @cached_property
    def numbers(self) -> float:
        """Room for the numbers."""
        texts = [*self.marks["text"], *self.marks["class_text"]]
        return max(1.0, *(extent(typeset(text), SIZES.small)[0] for text in texts))

    @cached_property
    def heading(self) -> str:
        """What stands above the numbers."""
        words = f"{self.ask('measure')} ({100 * self.ask('level'):g}% {self.ask('interval')})"
        return fitted(words, self.numbers, SIZES.small, most=3, weight="bold")

    @property
    def right(self) -> float:
        """Where the shares end."""
        return (
            self.left
            + on_page(WIDE)
            + 0.1
            + self.numbers
            + 0.1
            + extent("moved", SIZES.small, weight="bold")[0]
        )

    @property
    def width(self) -> float:
        """Width of the picture."""
        return self.right + 0.2

    @cached_property
    def tall(self) -> float:
        """Height of the rows."""
        return sum(block.height for block in self.blocks)

    @cached_property
    def title(self) -> list[Line]:
        """Lines above."""
        words = f"Shrinkage to classes, {self.ask('measure')} versus {self.ask('comparator')}"
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
        beside = (self.left - 0.1, self.right - self.left - on_page(WIDE))
        return directions(left, right, width=on_page(WIDE), beside=beside)

    @property
    def below(self) -> float:
        """Room below the rows for the numbers of the axis, directions and measure."""
        return TICKS + self.sides.height + SPACING * SIZES.small / 72 + 0.14

    @property
    def top(self) -> float:
        """Upper edge of the rows."""
        return 0.15 + head(self.notes) + self.below + self.tall

    @property
    def height(self) -> float:
        """Height of the picture."""
        return self.top + 0.1 + extent(self.heading, SIZES.small)[1] + head(self.title) + 0.1


@paged
def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of class shrinkage, as ``nma.plots.Drawing`` says."""
    with styled():
        plan = _Plan(marks, told(marks, "class_shrinkage"))
        title, notes = plan.title, plan.notes  # refuse marks without words before drawing
        axes, scale = sheet(ax, plan.width, plan.height)
        _draw_panel(axes, plan, _axis(marks, ratio=plan.ask("ratio")), scale)
        at = plan.top
        for block in plan.blocks:
            _write_block(axes, plan, block, at, scale)
            at -= block.height
        _write_around(axes, plan, scale)
        foot(axes, title, 0.1, plan.height - 0.05, scale=scale)
        foot(axes, notes, 0.1, 0.08 + head(notes), scale=scale)
    return finished(axes)


def _axis(marks: pd.DataFrame, *, ratio: bool) -> Axis:
    """Return an axis that shows all three of every treatment."""
    parts = [
        marks[[name, f"{name}_lower", f"{name}_upper"]].set_axis(
            ["estimate", "lower", "upper"], axis=1
        )
        for name in ("own", "shrunken", "class_mean")
    ]
    return axis_of(pd.concat(parts, ignore_index=True), ratio=ratio)


def _draw_panel(ax: Axes, plan: _Plan, axis: Axis, scale: float) -> None:
    panel = ax.inset_axes(
        (plan.left, plan.top - plan.tall, on_page(WIDE), plan.tall),
        transform=ax.transData,
        facecolor="none",
    )
    if axis.ratio:
        panel.set_xscale("log")
    panel.set_xlim(axis.low, axis.high)
    panel.set_ylim(plan.tall, 0)
    ticks = axis.ticks(int(on_page(WIDE) / 0.45))
    panel.set_xticks(ticks, [numeral(tick) for tick in ticks], fontsize=SIZES.small * scale)
    panel.set_xticks([], minor=True)
    panel.set_yticks([])
    panel.tick_params(length=2.5 * scale, width=0.7 * scale, pad=2 * scale)
    panel.spines[["left", "top", "right"]].set_visible(False)
    at = 0.0
    for block in plan.blocks:
        _draw_class(panel, block, at, axis, scale)
        middles = at + block.top + np.cumsum(block.heights) - np.array(block.heights) / 2
        _draw_treatments(panel, block.rows, middles, axis, scale)
        at += block.height


def _draw_class(panel: Axes, block: _Block, at: float, axis: Axis, scale: float) -> None:
    """Draw the mean of a class behind its treatments, and no effect."""
    top, bottom = at + block.top, at + block.height - GAP
    mean, lower, upper = (
        float(block.rows[f"class_mean{end}"].iloc[0]) for end in ("", "_lower", "_upper")
    )
    ends = np.clip([lower, upper], axis.low, axis.high)
    panel.fill_between(ends, top, bottom, color=LINE, alpha=0.4, linewidth=0, zorder=1)
    panel.vlines(axis.null, top, bottom, color=INK, linewidth=0.8 * scale, zorder=1.5)
    dashes: Any = (0, (4, 2))
    look: dict[str, Any] = {"color": DARK, "linewidth": 1.2 * scale, "linestyle": dashes}
    panel.vlines(mean, top, bottom, zorder=2, **look)


def _draw_treatments(
    panel: Axes, rows: pd.DataFrame, middles: Any, axis: Axis, scale: float
) -> None:
    """Draw both intervals of each treatment, and an arrow between their means."""
    looks = {"own": (1.1, GREY, "s", "white", -APART), "shrunken": (3.2, BETTER, "o", INK, APART)}
    for name, (width, colour, marker, face, shift) in looks.items():
        y = middles + shift
        lower, upper = rows[f"{name}_lower"], rows[f"{name}_upper"]
        draw_bars(panel, axis, y, lower, upper, width=width * scale, colour=colour)
        panel.plot(
            rows[name], y, linestyle="none", marker=marker, markersize=4.4 * scale, zorder=4,
            markerfacecolor=face, markeredgecolor=INK, markeredgewidth=1.0 * scale,
        )  # fmt: skip
    ends = rows[["own", "shrunken"]].to_numpy(dtype=float)
    for (own, shrunken), y in zip(ends, middles, strict=True):
        panel.annotate(
            "", (shrunken, y + APART), xytext=(own, y - APART), zorder=5,
            arrowprops={
                "arrowstyle": "->", "color": INK, "linewidth": 0.8 * scale,
                "shrinkA": 2.5 * scale, "shrinkB": 2.5 * scale, "mutation_scale": 7 * scale,
            },
        )  # fmt: skip


def _write_block(ax: Axes, plan: _Plan, block: _Block, top: float, scale: float) -> None:
    """Write a class on a band, and the names, numbers and shares of its treatments."""
    look: dict[str, Any] = {"fontsize": SIZES.small * scale, "parse_math": False, "va": "center"}
    look["linespacing"] = 1.1
    numbers = plan.left + on_page(WIDE) + 0.1
    middle = top - block.top / 2
    band = [0.1, plan.right + 0.1]
    ax.fill_between(band, top - block.top, top, color=PALE, linewidth=0, zorder=0)
    ax.text(0.15, middle, block.heading, fontweight="bold", **look)
    ax.text(numbers, middle, typeset(block.rows["class_text"].iloc[0]), **look)
    y = top - block.top
    shares = block.rows["moved"].to_numpy(dtype=float)
    parts = zip(block.labels, block.heights, block.rows["text"], shares, strict=True)
    for label, height, text, moved in parts:
        ax.text(0.2, y - height / 2, label, **look)
        ax.text(numbers, y - height / 2, typeset(text), **look)
        share = "" if np.isnan(moved) else typeset(f"{100 * moved:.0f}%")
        ax.text(plan.right, y - height / 2, share, ha="right", **look)
        y -= height


def _write_around(ax: Axes, plan: _Plan, scale: float) -> None:
    """Write what stands above the numbers, and whom the sides favour below the rows."""
    left, right = plan.left, plan.left + on_page(WIDE)
    look: dict[str, Any] = {
        "fontsize": SIZES.small * scale,
        "parse_math": False,
        "linespacing": 1.1,
    }
    style = {**look, "fontweight": "bold", "va": "bottom"}
    ax.text(right + 0.1, plan.top + 0.05, plan.heading, **style)
    ax.text(plan.right, plan.top + 0.05, "moved", ha="right", **style)
    y = plan.top - plan.tall - TICKS
    plan.sides.write(ax, left, y, scale=scale)
    measure = f"{plan.ask('measure')}{' (log scale)' * plan.ask('ratio')}"
    shown = fitted(measure, plan.width - 0.2, SIZES.small, most=1)
    y -= plan.sides.height + 0.03
    ax.text((left + right) / 2, y, shown, va="top", ha="center", **look)
