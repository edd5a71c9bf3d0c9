"""The drawing of curves: a panel for each treatment, all on the same axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nma.plots._axis import Axis, axis_of, numeral, ticks_between
from nma.plots._canvas import READABLE, finished, inches, sheet
from nma.plots._journal import paged
from nma.plots._style import BETTER, DARK, INK, SIZES, columns_on_page, on_page, styled
from nma.plots._text import (
    SPACING,
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

__all__ = ["draw"]

PANELS = {1: (3.6, 2.3), 4: (2.1, 1.6), math.inf: (1.55, 1.2)}
"""Width and height of a panel, in inches, by how many there are at most."""

BESIDE = 0.75
"""Room that the vertical axis may take, in inches."""

GAP = 0.22
"""Between panels side by side, in inches."""

MEASURE = 0.27
"""Room for the measure, in inches, beside that for directions and numbers."""

KEY = 0.5
"""Room for the scale of values and its name, in inches."""

SHARES = tuple(share / 20 for share in range(20, 7, -1))
"""Sizes of panels to be tried in axes that are given, as shares of their usual one."""


@final
@dataclass(frozen=True, eq=False)
class _Plan:
    """Sizes in inches; places count from the lower left corner."""

    names: list[str]
    labels: list[str]
    columns: int
    panel: tuple[float, float]
    left: float
    width: float
    title: list[Line]
    notes: list[Line]
    size: float
    sides: tuple[str, str]
    axis: Axis
    ends: tuple[float, float]

    @property
    def caption(self) -> float:
        """Room above a panel for the name."""
        lines = max(label.count("\n") for label in self.labels) + 1
        return lines * SPACING * self.size / 72 + 0.1

    @property
    def step(self) -> float:
        """Height of a row of panels with their names and numbers."""
        return self.caption + self.panel[1] + 0.25

    @property
    def base(self) -> float:
        """Height below the last row, its numbers included."""
        return 0.1 + head(self.notes) + KEY

    @property
    def rows(self) -> int:
        """How many rows of panels there are."""
        return math.ceil(len(self.names) / self.columns)

    @property
    def height(self) -> float:
        """Height of the picture."""
        return self.base + self.rows * self.step - 0.25 + head(self.title) + 0.1

    @property
    def across(self) -> list[float]:
        """Values written below panels."""
        return ticks_between(*self.ends, max(3, int(self.panel[0] / 0.4)), ratio=False)

    @property
    def up(self) -> list[float]:
        """Effects written beside panels."""
        return self.axis.ticks(max(3, int(self.panel[1] / 0.3)))

    def corner(self, place: int) -> tuple[float, float]:
        """Return the lower left corner of a panel."""
        row, column = divmod(place, self.columns)
        top = self.height - head(self.title) - 0.1 - row * self.step
        return self.left + column * (self.panel[0] + GAP), top - self.caption - self.panel[1]


@paged
def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of curves, as ``nma.plots.Drawing`` says."""
    with styled():
        ask = told(marks, "curve")
        plan = _planned(marks, ask) if ax is None else _inside(marks, ask, inches(ax))
        axes, scale = sheet(ax, plan.width, plan.height)
        for place, name in enumerate(plan.names):
            _draw_panel(axes, marks[marks["treatment"] == name], plan, place, scale)
        _draw_scales(axes, ask, plan, scale)
        foot(axes, plan.title, 0.1, plan.height - 0.05, scale=scale)
        foot(axes, plan.notes, 0.1, 0.08 + head(plan.notes), scale=scale)
    return finished(axes)


def _planned(
    marks: pd.DataFrame,
    ask: Callable[[str], Any],
    *,
    columns: int | None = None,
    share: float = 1.0,
) -> _Plan:
    lines = marks[marks["part"] == "curve"]
    names = [str(name) for name in dict.fromkeys(lines["treatment"])]
    count = len(names)
    usual = count if count <= 3 else math.ceil(math.sqrt(1.2 * count))
    panel = _panel(count, share)
    columns = columns or columns_on_page(usual, panel[0] + GAP, BESIDE)
    axis, ends = _axis(lines, ratio=ask("ratio")), (lines["value"].min(), lines["value"].max())
    up = axis.ticks(max(3, int(panel[1] / 0.3)))
    sides = _sides(ask, names, math.ceil(count / columns) * (panel[1] + 0.4) - 0.4)
    left = (
        MEASURE
        + extent(sides[0], SIZES.small)[1]
        + max(extent(numeral(t), SIZES.small)[0] for t in up)
        + 0.2
    )
    longest = max(
        extent(word, SIZES.small, weight="bold")[0] for name in names for word in name.split()
    )
    size = min(SIZES.small, max(READABLE, SIZES.small * panel[0] / longest))
    width = max(left + columns * (panel[0] + GAP), on_page(4.3))
    title = f"{ask('measure')} versus {ask('comparator')} over {ask('covariate')}"
    return _Plan(
        names=names,
        labels=[fitted(name, panel[0] + GAP - 0.08, size, weight="bold") for name in names],
        columns=columns,
        panel=panel,
        left=left,
        width=width,
        title=head_lines(title, ask("poor"), width - 0.2),
        notes=foot_lines(ask("text"), ask("data"), width - 0.2),
        size=size,
        sides=sides,
        axis=axis,
        ends=ends if ends[0] < ends[1] else (ends[0] - 1, ends[1] + 1),
    )


def _panel(count: int, share: float) -> tuple[float, float]:
    width, height = next(size for most, size in PANELS.items() if count <= most)
    return share * on_page(width), share * height


def _axis(lines: pd.DataFrame, *, ratio: bool) -> Axis:
    """Return an axis that shows the bands within the trials' values, and all lines."""
    within = lines[~lines["extrapolated"].astype(bool)]
    axis = axis_of(within if len(within) else lines, ratio=ratio)
    for end in (lines["estimate"].min(), lines["estimate"].max()):
        axis = axis.including(float(end))
    return axis


def _inside(marks: pd.DataFrame, ask: Callable[[str], Any], given: tuple[float, float]) -> _Plan:
    """Return a plan for given axes: panels shrink and move before the text does."""
    count = marks["treatment"].nunique()
    for share in SHARES:
        width, height = _panel(count, share)
        for columns in range(min(count, 8), 0, -1):
            wide, tall = columns * (width + GAP), math.ceil(count / columns) * (height + 0.4)
            if wide > given[0] or tall > given[1]:
                continue
            plan = _planned(marks, ask, columns=columns, share=share)
            if plan.width <= given[0] and plan.height <= given[1]:
                return plan
    return _planned(marks, ask)


def _draw_panel(ax: Axes, rows: pd.DataFrame, plan: _Plan, place: int, scale: float) -> None:
    x, y = plan.corner(place)
    panel = ax.inset_axes((x, y, *plan.panel), transform=ax.transData)
    if plan.axis.ratio:
        panel.set_yscale("log")
    panel.axhline(plan.axis.null, color=INK, linewidth=0.8 * scale, zorder=1.5)
    seen = rows[rows["part"] == "trials"]
    _draw_curve(panel, rows[rows["part"] == "curve"], seen["value"], scale)
    _draw_ticks(panel, seen, plan, scale)
    room = 0.03 * (plan.ends[1] - plan.ends[0])
    panel.set_xlim(plan.ends[0] - room, plan.ends[1] + room)
    panel.set_ylim(plan.axis.low, plan.axis.high)
    size, first = SIZES.small * scale, place % plan.columns == 0
    last = place + plan.columns >= len(plan.names)
    panel.set_xticks(plan.across, [numeral(t) * last for t in plan.across], fontsize=size)
    panel.set_yticks(plan.up, [numeral(t) * first for t in plan.up], fontsize=size)
    panel.set_yticks([], minor=True)
    panel.tick_params(length=2.5 * scale, width=0.7 * scale, pad=2 * scale)
    ax.text(
        x, y + plan.panel[1] + 0.06, plan.labels[place], fontsize=plan.size * scale,
        fontweight="bold", va="bottom", linespacing=1.1, parse_math=False,
    )  # fmt: skip


def _draw_curve(panel: Axes, rows: pd.DataFrame, seen: pd.Series[float], scale: float) -> None:
    """Draw the band and the line, each stretch in the look of what the trials tell there."""
    outside = rows["extrapolated"].to_numpy(dtype=bool)
    x, middle, low, high = (
        rows[name].to_numpy(dtype=float) for name in ("value", "estimate", "lower", "upper")
    )
    apart = (x[:-1] < seen.min()) | (x[1:] > seen.max())
    between = outside[:-1] | outside[1:] | apart
    for here, is_out in _stretches(between):
        look: dict[str, Any] = {"color": BETTER, "linewidth": 0}
        panel.fill_between(x[here], low[here], high[here], alpha=0.1 if is_out else 0.3, **look)
        style: Any = (0, (3, 2)) if is_out else "solid"
        panel.plot(x[here], middle[here], color=INK, linewidth=1.3 * scale, linestyle=style)
    for k in _alone(outside, between):
        panel.plot(x[k], middle[k], color=INK, marker="o", markersize=3 * scale)
        panel.vlines(x[k], low[k], high[k], color=BETTER, linewidth=2 * scale, alpha=0.6)


def _stretches(outside: NDArray[np.bool_]) -> Iterator[tuple[slice, bool]]:
    """Yield stretches of a line, by which of its steps lie outside the trials' values."""
    edges = np.flatnonzero(np.diff(outside)) + 1
    for start, stop in zip([0, *edges], [*edges, len(outside)], strict=True):
        if stop > start:
            yield slice(int(start), int(stop) + 1), bool(outside[start])


def _alone(outside: NDArray[np.bool_], between: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the values inside the trials' from which no step stays inside: single doses."""
    padded = np.concatenate([[True], between, [True]])
    return np.flatnonzero(~outside & padded[:-1] & padded[1:])


def _draw_ticks(panel: Axes, rows: pd.DataFrame, plan: _Plan, scale: float) -> None:
    """Draw where trials have arms, at the foot of a panel."""
    seen = rows[rows["value"].between(*plan.ends)]
    panel.plot(
        seen["value"], np.zeros(len(seen)), linestyle="none", marker="|", markersize=9 * scale,
        color=DARK, markeredgewidth=1.1 * scale, transform=panel.get_xaxis_transform(),
    )  # fmt: skip


def _draw_scales(ax: Axes, ask: Callable[[str], Any], plan: _Plan, scale: float) -> None:
    """Write the name of the covariate below, and the measure and whom it favours to the left."""
    last = (len(plan.names) - 1) % plan.columns + 1 if plan.rows == 1 else plan.columns
    whole = last * (plan.panel[0] + GAP) - GAP
    name = fitted(ask("covariate"), max(whole, 1.0), SIZES.body, most=1)
    below = plan.base - 0.32
    ax.text(
        plan.left + whole / 2, below, name, fontsize=SIZES.body * scale, ha="center", va="center",
        parse_math=False,
    )  # fmt: skip
    bottom, top = plan.corner(len(plan.names) - 1)[1], plan.corner(0)[1] + plan.panel[1]
    log = " (log scale)" if ask("ratio") else ""
    measure = fitted(f"{plain(ask('measure'))}{log}", top - bottom, SIZES.body, most=1)
    look: dict[str, Any] = {"rotation": 90, "ha": "center", "parse_math": False}
    middle = (top + bottom) / 2
    ax.text(0.14, middle, measure, fontsize=SIZES.body * scale, va="center", **look)
    look |= {"fontsize": SIZES.small * scale, "color": DARK, "linespacing": 1.1}
    x = MEASURE + max(extent(text, SIZES.small)[1] for text in plan.sides) / 2
    ax.text(x, bottom, plan.sides[0], va="bottom", **look)
    ax.text(x, top, plan.sides[1], va="top", **look)


def _sides(ask: Callable[[str], Any], names: list[str], height: float) -> tuple[str, str]:
    """Return what lies below and above no effect; nothing where there is no room to say it."""
    first = _side([names[0], "treatment"] if len(names) == 1 else ["treatment"], height)
    second = _side([ask("comparator"), "comparator"], height)
    if not first or not second:
        return "", ""
    below, above = (second, first) if ask("better") == "higher" else (first, second)
    return f"← {below}", f"{above} →"


def _side(names: list[str], height: float) -> str:
    """Return whom a side favours, on one line or two, by the first of the names that fits."""
    for name in names:
        for lines in (1, 2):
            text = fitted(f"favours {name}", (height - 0.36) / 2, SIZES.small, most=lines)
            if "…" not in text:
                return text
    return ""
