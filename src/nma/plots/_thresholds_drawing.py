"""The drawing of thresholds: rows on a sheet, their axis between names and numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nma.plots._axis import axis_of, numeral, typeset
from nma.plots._canvas import finished, sheet
from nma.plots._forest_drawing import draw_bars
from nma.plots._journal import paged
from nma.plots._style import BETTER, DARK, INK, SIZES, WARNING, on_page, styled
from nma.plots._text import extent, fitted, foot, foot_lines, head, head_lines, plain, told

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from nma.plots._axis import Axis
    from nma.plots._text import Line

__all__ = ["draw"]

MARGIN, GAP = 0.12, 0.12
"""Room around the picture and between its columns, in inches."""

WIDE = 2.8
"""Width of the axis, in inches."""

LABEL, NAME = 2.6, 1.25
"""Widths of a label and of a treatment beside the axis, in inches, before they wrap."""

LINES = 3
"""Lines of a label, at the most; of a treatment beside the axis as well."""

ROW = 0.22
"""Height of the lowest row, in inches."""

BELOW = 0.42
"""Room below the axis for its numbers and the measure, in inches."""

KEPT, LOST = "#c9deed", "#eab167"
"""Bands of rows whose own interval stays within, and of those that reach past a threshold."""


@final
@dataclass(frozen=True, eq=False)
class _Plan:
    """Sizes in inches, y upward from the lower edge."""

    marks: pd.DataFrame
    ask: Callable[[str], Any]

    @cached_property
    def weights(self) -> list[str]:
        """How labels are written: bold where the estimate's own interval reaches past."""
        return ["bold" if crossed else "normal" for crossed in self.marks["crossed"]]

    @cached_property
    def labels(self) -> list[str]:
        """What is shifted: the trial and what it compares, or the comparison."""
        if "study" not in self.marks:
            return [self._fitted(text, weight) for text, weight in self._named("label")]
        studies = (self._fitted(t, w, most=2) for t, w in self._named("study"))
        pairs = (self._fitted(t, w) for t, w in self._named("label"))
        return [f"{study}\n{pair}" for study, pair in zip(studies, pairs, strict=True)]

    def _named(self, column: str) -> list[tuple[str, str]]:
        return list(zip(self.marks[column].astype(str), self.weights, strict=True))

    @staticmethod
    def _fitted(text: str, weight: str, most: int = LINES) -> str:
        return fitted(plain(text), on_page(LABEL), SIZES.small, most=most, weight=weight)

    @cached_property
    def names(self) -> tuple[list[str], list[str]]:
        """Who is recommended below and above the band."""
        return (self._names("below"), self._names("above"))

    def _names(self, side: str) -> list[str]:
        return [
            fitted(str(name), on_page(NAME), SIZES.small, most=LINES) for name in self.marks[side]
        ]

    @cached_property
    def heights(self) -> NDArray[np.float64]:
        """Heights of the rows."""
        texts = zip(self.labels, *self.names, strict=True)
        return np.array(
            [max(ROW, *(extent(t, SIZES.small)[1] + 0.07 for t in row)) for row in texts]
        )

    @cached_property
    def heads(self) -> tuple[str, ...]:
        """What stands above the columns: estimate, below, above, limits."""
        measure = fitted(f"{self.ask('measure')} (95% CI)", 1.5, SIZES.small, most=3, weight="bold")
        return measure, "below:\nbest is", "above:\nbest is", "invariant\ninterval"

    @cached_property
    def widths(self) -> tuple[float, float, float, float, float]:
        """Widths of label, estimate, below, above and limits."""
        labels = zip(self.labels, self.weights, strict=True)
        return (
            max(extent(text, SIZES.small, weight=weight)[0] for text, weight in labels),
            self._wide(list(self.marks["text"]), self.heads[0]),
            self._wide(self.names[0], self.heads[1]),
            self._wide(self.names[1], self.heads[2]),
            self._wide(list(self.marks["limits"]), self.heads[3]),
        )

    @staticmethod
    def _wide(texts: list[str], heading: str) -> float:
        found = [extent(typeset(text), SIZES.small)[0] for text in texts if text]
        return (
            max(*found, extent(heading, SIZES.small, weight="bold")[0])
            if found
            else extent(heading, SIZES.small, weight="bold")[0]
        )

    @property
    def left(self) -> float:
        """Left end of the axis."""
        return MARGIN + sum(self.widths[:3]) + 3 * GAP

    @property
    def right(self) -> float:
        """Right end of the axis."""
        return self.left + on_page(WIDE)

    @property
    def width(self) -> float:
        """Width of the picture."""
        return self.right + sum(self.widths[3:]) + 2 * GAP + MARGIN

    @cached_property
    def title(self) -> list[Line]:
        """Lines above."""
        words = f"Thresholds: how far an estimate may move while {self.ask('best')} stays best"
        return head_lines(words, self.ask("poor"), self.width - 2 * MARGIN)

    @cached_property
    def notes(self) -> list[Line]:
        """Lines below."""
        return foot_lines(self.ask("text"), self.ask("data"), self.width - 2 * MARGIN)

    @property
    def bottom(self) -> float:
        """Height of the axis above the lower edge."""
        return MARGIN + head(self.notes) + BELOW

    @property
    def top(self) -> float:
        """Upper edge of the rows."""
        return self.bottom + float(self.heights.sum())

    @property
    def height(self) -> float:
        """Height of the picture."""
        above = max(extent(text, SIZES.small)[1] for text in self.heads)
        return self.top + above + 0.16 + head(self.title) + MARGIN


@paged
def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of thresholds, as ``nma.plots.Drawing`` says."""
    with styled():
        plan = _Plan(marks, told(marks, "thresholds"))
        title, notes = plan.title, plan.notes  # refuse marks without words before drawing
        axes, scale = sheet(ax, plan.width, plan.height)
        _draw_panel(axes, plan, scale)
        _draw_words(axes, plan, scale)
        foot(axes, title, MARGIN, plan.height - 0.05, scale=scale)
        foot(axes, notes, MARGIN, MARGIN + head(notes), scale=scale)
    return finished(axes)


def _axis(plan: _Plan) -> Axis:
    """Return an axis that shows estimates and, where they are near those, thresholds."""
    axis = axis_of(plan.marks[["estimate", "lower", "upper"]], ratio=plan.ask("ratio"))
    link = np.log if axis.ratio else np.asarray
    reach = 0.5 * float(link(axis.high) - link(axis.low))
    ends = np.r_[plan.marks["invariant_lower"], plan.marks["invariant_upper"]]
    with np.errstate(divide="ignore"):
        at = link(ends.astype(float))
    near = ends[(at > link(axis.low) - reach) & (at < link(axis.high) + reach)]
    for end in (near.min(initial=axis.high), near.max(initial=axis.low)):
        axis = axis.including(float(end))
    return axis


def _draw_panel(ax: Axes, plan: _Plan, scale: float) -> None:
    """Draw bands, estimates and the axis."""
    axis, marks = _axis(plan), plan.marks
    tall = float(plan.heights.sum())
    panel = ax.inset_axes(
        (plan.left, plan.bottom, on_page(WIDE), tall), transform=ax.transData, facecolor="none"
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
    panel.axvline(axis.null, color=INK, linewidth=0.8 * scale, zorder=2)
    _draw_bands(panel, plan, axis, scale)
    middles = _middles(plan)
    draw_bars(panel, axis, middles, marks["lower"], marks["upper"], width=1.3 * scale, colour=INK)
    panel.plot(
        marks["estimate"], middles, linestyle="none", marker="s", markersize=4.2 * scale,
        markerfacecolor="white", markeredgecolor=INK, markeredgewidth=1.0 * scale, zorder=4,
    )  # fmt: skip


def _middles(plan: _Plan) -> NDArray[np.float64]:
    return np.asarray(np.cumsum(plan.heights) - plan.heights / 2)


def _draw_bands(panel: Axes, plan: _Plan, axis: Axis, scale: float) -> None:
    """Draw the invariant intervals, with a line at every threshold that is in sight."""
    bounds = plan.marks[["invariant_lower", "invariant_upper"]].to_numpy(dtype=float)
    middles, crossed = _middles(plan), plan.marks["crossed"].to_numpy(dtype=bool)
    half = np.minimum(plan.heights, 2 * ROW) * 0.36
    for (low, high), middle, reach, lost in zip(bounds, middles, half, crossed, strict=True):
        ends = np.clip([low, high], axis.low, axis.high)
        panel.fill_between(
            ends, middle - reach, middle + reach, color=LOST if lost else KEPT, linewidth=0,
            zorder=1,
        )  # fmt: skip
        for bound in (low, high):
            if axis.low < bound < axis.high:
                panel.vlines(
                    bound, middle - reach, middle + reach, color=WARNING if lost else BETTER,
                    linewidth=1.4 * scale, zorder=1.5,
                )  # fmt: skip


def _draw_words(ax: Axes, plan: _Plan, scale: float) -> None:
    """Write labels, numbers and who comes after, and what stands above them."""
    look: dict[str, Any] = {
        "fontsize": SIZES.small * scale,
        "parse_math": False,
        "linespacing": 1.1,
    }
    label, text, below, above, _ = plan.widths
    x = np.cumsum([MARGIN, label + GAP, text + GAP]).tolist()
    beside = (x[2] + below, plan.right + GAP, plan.right + above + 2 * GAP)
    heads = zip(plan.heads, (x[1], *beside), ("left", "right", "left", "left"), strict=True)
    for words, at, side in heads:
        ax.text(at, plan.top + 0.06, words, ha=side, va="bottom", fontweight="bold", **look)
    columns = zip(
        plan.labels, plan.weights, plan.marks["text"], *plan.names, plan.marks["limits"],
        plan.top - _middles(plan), strict=True,
    )  # fmt: skip
    for name, weight, number, lower, upper, limits, y in columns:
        ax.text(x[0], y, name, va="center", fontweight=weight, **look)
        ax.text(x[1], y, typeset(number), va="center", **look)
        ax.text(beside[0], y, lower, va="center", ha="right", color=DARK, **look)
        ax.text(beside[1], y, upper, va="center", color=DARK, **look)
        ax.text(beside[2], y, typeset(limits), va="center", **look)
    measure = f"{plan.ask('measure')}{' (log scale)' * plan.ask('ratio')}"
    shown = fitted(measure, on_page(WIDE) + 1.0, SIZES.small, most=1)
    middle = (plan.left + plan.right) / 2
    ax.text(middle, plan.bottom - 0.22, shown, va="top", ha="center", **look)
