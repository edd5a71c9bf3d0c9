"""The drawing of an equivalence forest: rows beside a shaded range, and three shares each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nma.plots._axis import axis_of, numeral, typeset
from nma.plots._canvas import finished, sheet
from nma.plots._directions import Directions, directions, favours
from nma.plots._forest_drawing import draw_bars
from nma.plots._journal import paged
from nma.plots._style import BETTER, INK, SIZES, WARNING, on_page, styled
from nma.plots._text import SPACING, extent, fitted, foot, foot_lines, head, head_lines, told
from nma.tables import probability

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from nma.plots._axis import Axis
    from nma.plots._text import Line

__all__ = ["draw"]

PANEL = 3.2
"""Width of the axis, in inches."""

LABEL = 2.4
"""Width of a name, in inches, beyond which it takes a second line."""

ROW = 0.27
"""Height of a row, in inches; more where a name takes two lines."""

SHARE = 0.62
"""Width of a column of shares, in inches."""

SHARES = ("better", "trivial", "worse")

SHADE = "#c9deed"
"""The range of equivalence: a pale blue, and a pale grey in print."""

EDGE = 0.1
"""Room around everything, in inches."""


def _share() -> float:
    return max(on_page(SHARE), 0.47)


@final
@dataclass(frozen=True, eq=False)
class _Plan:
    """Sizes in inches, y upward from the lower edge."""

    marks: pd.DataFrame
    ask: Callable[[str], Any]

    @cached_property
    def labels(self) -> list[str]:
        """Names of the treatments."""
        return [fitted(str(name), on_page(LABEL), SIZES.body) for name in self.marks.index]

    @cached_property
    def heights(self) -> list[float]:
        """Heights of the rows."""
        return [max(ROW, extent(label, SIZES.body)[1] + 0.08) for label in self.labels]

    @cached_property
    def left(self) -> float:
        """Left edge of the axis."""
        return EDGE + 0.15 + max(extent(label, SIZES.body)[0] for label in self.labels)

    @cached_property
    def numbers(self) -> float:
        """Width of the column of estimates."""
        return max(1.3, *(extent(typeset(text), SIZES.body)[0] for text in self.marks["text"]))

    @cached_property
    def heading(self) -> str:
        """What stands above the estimates."""
        words = f"{self.ask('measure')} ({100 * self.ask('level'):g}% {self.ask('interval')})"
        return fitted(words, self.numbers, SIZES.body, most=3, weight="bold")

    @property
    def shares(self) -> float:
        """Left edge of the first column of shares."""
        return self.left + on_page(PANEL) + 0.12 + self.numbers + 0.1

    @property
    def width(self) -> float:
        """Width of the picture."""
        return self.shares + len(SHARES) * _share() + EDGE

    @cached_property
    def sides(self) -> Directions:
        """Whom the sides of no effect favour."""
        treatment = str(self.marks.index[0]) if len(self.marks) == 1 else "the treatment"
        comparator = str(self.ask("comparator"))
        left, right = favours(self.ask("better"), treatment=treatment, comparator=comparator)
        beside = (self.left - EDGE, self.numbers)
        return directions(left, right, width=on_page(PANEL), beside=beside)

    @cached_property
    def below(self) -> float:
        """Room between the axis and the notes: tick labels, directions, measure."""
        return 0.24 + self.sides.height + SPACING * SIZES.body / 72 + 0.12

    @cached_property
    def title(self) -> list[Line]:
        """Lines above."""
        words = f"Equivalence: {self.ask('measure')} versus {self.ask('comparator')}"
        return head_lines(words, self.ask("poor"), self.width - 2 * EDGE)

    @cached_property
    def notes(self) -> list[Line]:
        """Lines below."""
        return foot_lines(self.ask("text"), self.ask("data"), self.width - 2 * EDGE)

    @property
    def bottom(self) -> float:
        """Lower edge of the axis."""
        return EDGE + head(self.notes) + self.below

    @property
    def top(self) -> float:
        """Upper edge of the rows."""
        return self.bottom + sum(self.heights)

    @property
    def height(self) -> float:
        """Height of the picture."""
        above = extent(self.heading, SIZES.body)[1] + 0.14
        return self.top + above + head(self.title) + EDGE

    @property
    def middles(self) -> Any:
        """Middles of the rows, downward from the upper edge."""
        return np.cumsum(self.heights) - np.array(self.heights) / 2


@paged
def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of an equivalence forest, as ``nma.plots.Drawing`` says."""
    with styled():
        plan = _Plan(marks, told(marks, "equivalence"))
        title, notes = plan.title, plan.notes  # refuse marks without words before drawing
        low, high = plan.ask("range")
        known = marks.dropna(subset=["estimate"])[["estimate", "lower", "upper"]]
        axis = axis_of(known, ratio=plan.ask("ratio")).including(low).including(high)
        axes, scale = sheet(ax, plan.width, plan.height)
        _draw_panel(axes, marks, plan, axis, scale)
        _write_rows(axes, marks, plan, scale)
        _write_around(axes, plan, scale)
        foot(axes, title, EDGE, plan.height - 0.05, scale=scale)
        foot(axes, notes, EDGE, EDGE + head(notes), scale=scale)
    return finished(axes)


def _draw_panel(ax: Axes, marks: pd.DataFrame, plan: _Plan, axis: Axis, scale: float) -> None:
    tall = sum(plan.heights)
    panel = ax.inset_axes((plan.left, plan.bottom, on_page(PANEL), tall), transform=ax.transData)
    if axis.ratio:
        panel.set_xscale("log")
    panel.set_xlim(axis.low, axis.high)
    panel.set_ylim(tall, 0)
    _draw_ground(panel, plan, axis, scale)
    look: dict[str, Any] = {"width": 4.2 * scale, "colour": BETTER}
    draw_bars(panel, axis, plan.middles, marks["lower"], marks["upper"], **look)
    panel.plot(
        marks["estimate"], plan.middles, linestyle="none", marker="s", markersize=6.5 * scale,
        markerfacecolor="white", markeredgecolor=INK, markeredgewidth=1.2 * scale, zorder=4,
    )  # fmt: skip


def _draw_ground(panel: Axes, plan: _Plan, axis: Axis, scale: float) -> None:
    """Draw stripes, the range of equivalence with its edges, no effect, and the axis."""
    edges = np.cumsum([0.0, *plan.heights])
    for top, bottom in zip(edges[:-1:2], edges[1::2], strict=False):
        panel.axhspan(top, bottom, color="#f4f4f4", linewidth=0, zorder=0)
    low, high = plan.ask("range")
    panel.axvspan(low, high, color=SHADE, linewidth=0, zorder=0.5)
    for end in (low, high):
        panel.axvline(end, color=WARNING, linewidth=1.0 * scale, linestyle=(0, (4, 3)), zorder=1.6)
    panel.axvline(axis.null, color=INK, linewidth=0.8 * scale, zorder=1.5)
    ticks = axis.ticks(max(3, int(on_page(PANEL) / 0.5)))
    panel.set_xticks(ticks, [numeral(tick) for tick in ticks], fontsize=(SIZES.body - 0.5) * scale)
    panel.set_xticks([], minor=True)
    panel.set_yticks([])
    panel.tick_params(length=3 * scale, width=0.8 * scale, pad=2 * scale)
    panel.spines[["left", "top", "right"]].set_visible(False)


def _write_rows(ax: Axes, marks: pd.DataFrame, plan: _Plan, scale: float) -> None:
    """Write names to the left of the axis; estimates and shares to the right of it."""
    look: dict[str, Any] = {"fontsize": SIZES.body * scale, "parse_math": False}
    for k, (label, middle) in enumerate(zip(plan.labels, plan.middles, strict=True)):
        y, row = plan.top - middle, marks.iloc[k]
        ax.text(plan.left - 0.1, y, label, ha="right", va="center", linespacing=1.1, **look)
        ax.text(
            plan.left + on_page(PANEL) + 0.12, y, typeset(row["text"]), va="center_baseline", **look
        )
        for place, name in enumerate(SHARES):
            x = plan.shares + (place + 1) * _share()
            share = probability(float(row[name]))
            ax.text(x, y, share, ha="right", va="center_baseline", **look)


def _write_around(ax: Axes, plan: _Plan, scale: float) -> None:
    """Write what stands above the columns, and whom the sides favour below the axis."""
    look: dict[str, Any] = {"parse_math": False, "linespacing": 1.1}
    style = {**look, "fontsize": SIZES.body * scale, "fontweight": "bold", "va": "bottom"}
    flat = {**style, "va": "baseline"}
    y = plan.top + 0.06
    ax.text(plan.left + on_page(PANEL) + 0.12, y, plan.heading, **style)
    for place, name in enumerate(SHARES):
        ax.text(plan.shares + (place + 1) * _share(), y + 0.03, name, ha="right", **flat)
    plan.sides.write(ax, plan.left, plan.bottom - 0.24, scale=scale)
    measure = f"{plan.ask('measure')}{' (log scale)' * plan.ask('ratio')}"
    x, low = plan.left + on_page(PANEL) / 2, plan.bottom - plan.below + 0.02
    shown = fitted(measure, plan.width - 2 * EDGE, SIZES.body, most=1)
    ax.text(x, low, shown, fontsize=SIZES.body * scale, ha="center", va="bottom", parse_math=False)
