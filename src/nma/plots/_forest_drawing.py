"""The drawing of a forest: rows, axis, and words that keep to the room there is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, final

import numpy as np

from nma.plots._axis import Axis, axis_of, numeral, typeset
from nma.plots._canvas import cell, inches, laid_out, owned, require_readable
from nma.plots._journal import paged
from nma.plots._style import BETTER, DARK, GREY, INK, PAGE, SIZES, WARNING, on_page, styled
from nma.plots._text import (
    extent,
    fitted,
    foot,
    foot_lines,
    head,
    head_lines,
    plain,
    told,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from nma.plots._text import Line

__all__ = ["LABEL", "Wording", "draw", "draw_bars", "drawn", "same"]

PLOT = 3.4
"""Width of the axes in a figure of their own, in inches."""

LABEL = 2.4
"""Width of a label, in inches, beyond which it takes a second line."""

ROW = 0.27
"""Height of a row, in inches; more where a label takes two lines."""

TICKS = 17.0
"""From the axis down to the end of its tick labels, in points."""

DIRECTION = 20.0
"""From the axis down to the directions, in points."""


UNTOLD: Any = (0, (2, 1.5))
"""Dashes of intervals that no trial tells."""


class Wording(NamedTuple):
    """What the rows are, and whom the sides favour: by name, or by its part where that is long.

    ``labels`` name the rows, on two lines at the most; the index does if there are none.
    """

    title: str
    better: tuple[str, str]
    worse: tuple[str, str]
    labels: Sequence[str] = ()


@final
@dataclass(frozen=True, eq=False)
class _Plan:
    """Sizes in inches, and the words."""

    labels: list[str]
    heights: list[float]
    left: float
    right: float
    width: float
    title: list[Line]
    heading: str
    sides: tuple[str, str]
    measure: str
    notes: list[Line]

    @property
    def drops(self) -> tuple[float, float]:
        """How far below the axis the right direction and the measure begin, in points."""
        first, second = (extent(text, SIZES.small) for text in self.sides)
        if first[0] + second[0] + 0.2 <= self.width:
            return DIRECTION, DIRECTION + 72 * max(first[1], second[1])
        below = DIRECTION + 72 * first[1]
        return below, below + 72 * second[1]

    @property
    def top(self) -> float:
        """Room above the axes: the title, and the heading of the numbers."""
        return head(self.title) + 0.25 + extent(self.heading, SIZES.body)[1]

    @property
    def below(self) -> float:
        """Room between the axes and the notes: tick labels, directions, measure."""
        return (self.drops[1] + 8) / 72 + extent(self.measure, SIZES.body)[1]

    @property
    def bottom(self) -> float:
        """Room below the axes."""
        return self.below + head(self.notes) + 0.1


@paged
def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of a forest, as ``nma.plots.Drawing`` says."""
    ask = told(marks, "forest")
    treatment = str(marks.index[0]) if len(marks) == 1 else "the treatment"
    wording = Wording(
        title=f"{ask('measure')} versus {ask('comparator')}",
        better=(treatment, "the treatment"),
        worse=(ask("comparator"), "the comparator"),
    )
    return drawn(marks, ask, wording, ax=ax, important=ask("important"))


def drawn(
    marks: pd.DataFrame,
    ask: Callable[[str], Any],
    wording: Wording,
    *,
    ax: Axes | None,
    important: float | None = None,
) -> Axes:
    """Draw effects with their intervals, one row for each.

    Parameters
    ----------
    marks : DataFrame
        ``estimate``, ``lower``, ``upper`` and ``text``, and the ends of predictive intervals if
        there are any; where it has ``told``, rows that no trial tells are dashed, and the axis does
        not make room for them.
    ask : callable
        Asks the marks for their words.
    wording : Wording
        What the rows are.
    ax : Axes or None
        Where to draw.
    important : float, optional
        Where a dashed line stands.
    """
    with styled():
        plan = _planned(marks, ask, wording, ax)
        axes = _own(plan) if ax is None else ax
        axis = axis_of(marks[_known(marks)], ratio=ask("ratio")).including(important)
        scale = 1.0 if ax is None else _scale(ax, plan)
        _draw_axis(axes, axis, plan)
        _draw_rows(axes, marks, axis, plan, scale)
        _draw_important(axes, important)
        _draw_names(axes, marks, plan, scale)
        _draw_words(axes, plan)
    return axes


def _known(marks: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which rows the trials tell."""
    if "told" in marks:
        return marks["told"].to_numpy(dtype=bool)
    return np.ones(len(marks), dtype=bool)


def _own(plan: _Plan) -> Axes:
    size = (plan.width, sum(plan.heights))
    return owned(size, left=plan.left, right=plan.right, top=plan.top, bottom=plan.bottom)


def _scale(ax: Axes, plan: _Plan) -> float:
    """Return how much smaller the text of rows must be in axes that are given."""
    tall = cell(ax)[1] - plan.top - plan.bottom if laid_out(ax) else inches(ax)[1]
    needed = sum(extent(label, SIZES.body)[1] for label in plan.labels)
    scale = min(1.0, max(tall, 0.3) / needed)
    wide, high = plan.left + plan.width + plan.right, plan.top + needed + plan.bottom
    require_readable(SIZES.body * scale, (wide, high))
    return scale


def _planned(
    marks: pd.DataFrame, ask: Callable[[str], Any], wording: Wording, ax: Axes | None
) -> _Plan:
    labels = list(wording.labels) or [
        fitted(str(name), on_page(LABEL), SIZES.body) for name in marks.index
    ]
    left = max(extent(label, SIZES.body)[0] for label in labels) + 0.25
    numbers = max(extent(typeset(text), SIZES.body)[0] for text in marks["text"])
    roomy = ax is None and PAGE.get().widest is None
    heading = f"{plain(ask('measure'))} ({100 * ask('level'):g}% {ask('interval')})"
    lines = fitted(heading, 9.0 if roomy else max(numbers, 1.1), SIZES.body, weight="bold")
    right = max(numbers, extent(lines, SIZES.body, weight="bold")[0]) + 0.25
    if ax is None:
        width = on_page(PLOT)
    else:
        width = max(cell(ax)[0] - left - right, 1.0) if laid_out(ax) else inches(ax)[0]
    whole = left + width + right - 0.2
    scale = " (log scale)" if ask("ratio") else ""
    return _Plan(
        labels=labels,
        heights=[max(ROW, extent(label, SIZES.body)[1] + 0.08) for label in labels],
        left=left,
        right=right,
        width=width,
        title=head_lines(wording.title, ask("poor"), whole),
        heading=lines,
        sides=_sides(wording, ask("better"), width + min(left, right) - 0.2),
        measure=fitted(f"{ask('measure')}{scale}", width + 2 * min(left, right) - 0.4, SIZES.body),
        notes=foot_lines(ask("text"), ask("data"), whole),
    )


def _sides(wording: Wording, better: str, room: float) -> tuple[str, str]:
    """Return what lies to the left and to the right of no effect."""
    first, second = (_side(*side, room) for side in (wording.better, wording.worse))
    if better == "higher":
        first, second = second, first
    return f"← {first}", f"{second} →"


def _side(name: str, other: str, room: float) -> str:
    """Return whom a side favours, on one line or two; by its part where the name is too long."""
    found = fitted(f"favours {name}", room - 0.2, SIZES.small)
    return f"favours {other}" if "…" in found and "…" not in name else found


def _middles(plan: _Plan) -> NDArray[np.float64]:
    heights = np.array(plan.heights)
    return np.cumsum(heights) - heights / 2


def _draw_axis(ax: Axes, axis: Axis, plan: _Plan) -> None:
    if axis.ratio:
        ax.set_xscale("log")
    ax.set_xlim(axis.low, axis.high)
    ax.set_ylim(sum(plan.heights), 0)
    ticks = axis.ticks(max(3, int(plan.width / 0.5)))
    ax.set_xticks(ticks, [numeral(tick) for tick in ticks])
    ax.set_xticks([], minor=True)
    ax.spines[["left", "top", "right"]].set_visible(False)
    ax.axvline(axis.null, color=INK, linewidth=0.8, zorder=1.5)


def _draw_rows(ax: Axes, marks: pd.DataFrame, axis: Axis, plan: _Plan, scale: float) -> None:
    middles = _middles(plan)
    edges = np.cumsum([0.0, *plan.heights])
    for top, bottom in zip(edges[:-1:2], edges[1::2], strict=False):
        ax.axhspan(top, bottom, color="#f4f4f4", linewidth=0, zorder=0)
    if "predictive_lower" in marks and not same(marks):
        low, high = marks["predictive_lower"], marks["predictive_upper"]
        draw_bars(ax, axis, middles, low, high, width=1.1 * scale, colour=DARK)
    known = _known(marks)
    look: dict[str, Any] = {"width": 4.2 * scale, "colour": BETTER}
    draw_bars(ax, axis, middles[known], *_ends(marks[known]), **look)
    ax.plot(
        marks["estimate"][known], middles[known], linestyle="none", marker="s",
        markersize=6.5 * scale, zorder=4,
        markerfacecolor="white", markeredgecolor=INK, markeredgewidth=1.2 * scale,
    )  # fmt: skip
    look = {"width": 1.4 * scale, "colour": GREY, "style": UNTOLD}
    draw_bars(ax, axis, middles[~known], *_ends(marks[~known]), **look)


def _ends(marks: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    return marks["lower"], marks["upper"]


def draw_bars(
    ax: Axes,
    axis: Axis,
    middles: NDArray[np.float64],
    lower: pd.Series,
    upper: pd.Series,
    *,
    width: float,
    colour: str,
    style: Any = "solid",
) -> None:
    """Draw intervals, with arrows where they go on beyond the axis."""
    low, high = np.maximum(lower, axis.low), np.minimum(upper, axis.high)
    look: dict[str, Any] = {"color": colour, "linewidth": width, "capstyle": "butt"}
    ax.hlines(middles, low, high, linestyle=style, zorder=3, **look)
    beyond = ((lower < axis.low, axis.low, "<"), (upper > axis.high, axis.high, ">"))
    for cut, end, marker in beyond:
        if cut.any():
            ax.plot(
                np.full(int(cut.sum()), end), middles[cut.to_numpy()], linestyle="none",
                marker=marker, color=colour, markersize=2 + width, clip_on=False, zorder=3,
            )  # fmt: skip


def _draw_names(ax: Axes, marks: pd.DataFrame, plan: _Plan, scale: float) -> None:
    ax.set_yticks(_middles(plan), plan.labels, fontsize=SIZES.body * scale, linespacing=1.1)
    ax.tick_params(axis="y", length=0, pad=6)
    for label in ax.get_yticklabels():
        label.set_parse_math(False)
    for middle, text in zip(_middles(plan), marks["text"], strict=True):
        ax.annotate(
            typeset(text), xy=(1, middle), xytext=(9, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", va="center", fontsize=SIZES.body * scale,
            annotation_clip=False,
        )  # fmt: skip


def _draw_important(ax: Axes, important: float | None) -> None:
    if important is not None:
        ax.axvline(important, color=WARNING, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1.6)


def _draw_words(ax: Axes, plan: _Plan) -> None:
    def write(text: str, at: tuple[float, float], offset: tuple[float, float], **look: Any) -> None:
        ax.annotate(
            text, at, xytext=offset, xycoords="axes fraction", textcoords="offset points",
            parse_math=False, annotation_clip=False, **look,
        )  # fmt: skip

    right, measure = plan.drops
    look: dict[str, Any] = {"fontsize": SIZES.small, "color": DARK, "va": "top", "linespacing": 1.1}
    write(plan.sides[0], (0, 0), (0, -DIRECTION), ha="left", **look)
    write(plan.sides[1], (1, 0), (0, -right), ha="right", **look)
    ax.set_xlabel(plan.measure, fontsize=SIZES.body, labelpad=measure - TICKS + 2, parse_math=False)
    look = {"fontsize": SIZES.body, "fontweight": "bold", "linespacing": 1.1}
    write(plan.heading, (1, 1), (9, 4), ha="left", va="bottom", **look)
    foot(ax, plan.title, 0.1 - plan.left, plan.top - 0.08, corner=1)
    foot(ax, plan.notes, 0.1 - plan.left, -plan.below, corner=0)


def same(found: pd.DataFrame) -> bool:
    """Return whether a new trial is as certain as the mean effect."""
    ends = (found[f"predictive_{end}"] - found[end] for end in ("lower", "upper"))
    width = found["upper"] - found["lower"]
    return bool(max(float((end.abs() / width).max()) for end in ends) < 1e-9)
