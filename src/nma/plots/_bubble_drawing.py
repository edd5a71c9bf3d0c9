"""The drawing of bubbles: circles by precision, and a line or boxes of the mean effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nma.plots._axis import Axis, numeral, ticks_between
from nma.plots._beside import panel_size
from nma.plots._canvas import inches, owned
from nma.plots._journal import paged
from nma.plots._style import BETTER, DARK, LINE, SIZES, WARNING, on_page, styled
from nma.plots._text import extent, fitted, foot, foot_lines, head, head_lines, told

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["draw", "is_cut"]

SIZE = (4.6, 3.3)
"""Width and height of the panel, in inches; wider where there are many categories."""

COLUMN = 0.9
"""Width of the column of a category, in inches."""

LEFT, BELOW = 0.75, 0.3
"""Room for the scale of effects, and for the numbers of the covariate, in inches."""

LARGEST, SMALLEST = 13.0, 2.0
"""Radius of the largest circle of a few, in points, and of one that can still be seen."""

FEW = 15
"""Trials beyond which circles are smaller."""

EDGE = 0.07
"""Share of the axes that is left free at their ends, for the largest circle."""

BEYOND = 0.6
"""Share of the range of estimates that a band may go beyond it before it is cut."""

SPREAD = 0.32
"""Half the width of the points of a category."""


@paged
def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of a bubble plot, as ``nma.plots.Drawing`` says."""
    with styled():
        ask = told(marks, "bubble")
        categories = tuple(ask("categories"))
        own = (on_page(max(SIZE[0], COLUMN * len(categories))), on_page(SIZE[1]))
        width = own[0] if ax is None else inches(ax)[0] - LEFT
        names = [
            fitted(name, width / max(len(categories), 1) - 0.1, SIZES.body) for name in categories
        ]
        label = fitted(ask("covariate"), width, SIZES.body)
        title = head_lines(ask("title"), ask("poor"), width + LEFT - 0.2)
        notes = foot_lines(ask("text"), ask("data"), width + LEFT - 0.2)
        under = BELOW + extent(label, SIZES.body)[1] + (_height(names) - _height(["0"]))
        top, bottom = head(title) + 0.2, under + head(notes) + 0.15
        drawn = ax if ax is not None else owned(own, left=LEFT, right=0.2, top=top, bottom=bottom)
        height = own[1] if ax is None else panel_size(ax, LEFT, top + bottom)[1]
        axis = _axis(marks, ratio=ask("ratio"))
        _draw_scales(drawn, marks, axis, names, (width, height))
        _draw_marks(drawn, marks, categories)
        drawn.set_xlabel(label, fontsize=SIZES.body, labelpad=3, parse_math=False)
        scale = " (log scale)" if ask("ratio") else ""
        drawn.set_ylabel(
            f"{ask('measure')}{scale}", fontsize=SIZES.body, labelpad=3, parse_math=False
        )
        foot(drawn, title, -LEFT + 0.1, top - 0.08, corner=1)
        foot(drawn, notes, -LEFT + 0.1, -under, corner=0)
    return drawn


def _height(names: list[str]) -> float:
    """Return the height of the highest label."""
    return max((extent(name, SIZES.body)[1] for name in names), default=extent("0", SIZES.body)[1])


def _axis(marks: pd.DataFrame, *, ratio: bool) -> Axis:
    """Return an axis that shows every estimate, no effect, and bands unless they go far beyond."""
    link: Any = np.log if ratio else np.asarray
    estimate = link(marks["estimate"].to_numpy(dtype=float))
    line = (marks["mark"] == "line").to_numpy()
    low, high = min(estimate.min(), 0.0), max(estimate.max(), 0.0)
    room = BEYOND * (high - low) or 1.0
    lower, upper = (link(marks[name].to_numpy(dtype=float))[line] for name in ("lower", "upper"))
    low = max(min(low, lower.min()), low - room)
    high = min(max(high, upper.max()), high + room)
    room = EDGE * (high - low)
    ends = np.array([low - room, high + room])
    ends = np.exp(ends) if ratio else ends
    return Axis(ratio, float(ends[0]), float(ends[1]))


def is_cut(marks: pd.DataFrame, *, ratio: bool) -> bool:
    """Return whether a band goes on beyond the axis."""
    axis, line = _axis(marks, ratio=ratio), marks[marks["mark"] == "line"]
    return bool(line["lower"].min() < axis.low or line["upper"].max() > axis.high)


def _draw_scales(
    ax: Axes, marks: pd.DataFrame, axis: Axis, names: list[str], size: tuple[float, float]
) -> None:
    if axis.ratio:
        ax.set_yscale("log")
    ax.set_ylim(axis.low, axis.high)
    ticks = axis.ticks(max(3, int(size[1] / 0.45)))
    ax.set_yticks(ticks, [numeral(tick) for tick in ticks])
    ax.set_yticks([], minor=True)
    ax.axhline(axis.null, color=DARK, linewidth=0.8, zorder=1)
    if names:
        ax.set_xlim(-0.5, len(names) - 0.5)
        ax.set_xticks(range(len(names)), names)
        ax.tick_params(axis="x", length=0)
        for label in ax.get_xticklabels():
            label.set_parse_math(False)
        return
    x = marks["x"].to_numpy(dtype=float)
    room = EDGE * (float(x.max() - x.min()) or 1.0)
    low, high = float(x.min()) - room, float(x.max()) + room
    ax.set_xlim(low, high)
    across = ticks_between(low, high, max(3, int(size[0] / 0.6)), ratio=False)
    ax.set_xticks(across, [numeral(tick) for tick in across])


def _draw_marks(ax: Axes, marks: pd.DataFrame, categories: tuple[str, ...]) -> None:
    trials, line = (marks[marks["mark"] == kind] for kind in ("trial", "line"))
    if categories:
        _draw_boxes(ax, line, categories)
        x = _columns(trials["x"].tolist(), categories)
    else:
        columns = (line[name].to_numpy(dtype=float) for name in ("x", "estimate", "lower", "upper"))
        _draw_line(ax, *columns)
        x = trials["x"].to_numpy(dtype=float)
    if not trials.empty:
        _draw_circles(
            ax, x, *(trials[name].to_numpy(dtype=float) for name in ("estimate", "precision"))
        )


def _draw_circles(
    ax: Axes, x: NDArray[np.float64], y: NDArray[np.float64], precision: NDArray[np.float64]
) -> None:
    """Draw trials, the small ones on top."""
    largest = LARGEST * min(1.0, np.sqrt(FEW / len(x)))
    radius = np.maximum(largest * np.sqrt(precision / precision.max()), SMALLEST)
    order = np.argsort(-radius, kind="stable")
    ax.scatter(
        x[order], y[order], s=(2 * radius[order]) ** 2, facecolor=(0, 0.447, 0.698, 0.25),
        edgecolor=BETTER, linewidth=1.0, zorder=3,
    )  # fmt: skip


def _draw_line(
    ax: Axes,
    x: NDArray[np.float64],
    estimate: NDArray[np.float64],
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
) -> None:
    """Draw a line with its band."""
    ax.fill_between(x, lower, upper, color=LINE, alpha=0.45, linewidth=0, zorder=1.5)
    ax.plot(x, estimate, color=WARNING, linewidth=1.8, zorder=2)


def _draw_boxes(ax: Axes, line: pd.DataFrame, categories: tuple[str, ...]) -> None:
    """Draw the mean effect of each category, a bar with its interval."""
    numbers = line[["estimate", "lower", "upper"]].to_numpy(dtype=float)
    for name, row in zip(line["x"], numbers, strict=True):
        at = categories.index(str(name))
        ends = np.array([at - SPREAD - 0.08, at + SPREAD + 0.08])
        _draw_line(ax, ends, *(np.full(2, value) for value in row))


def _columns(values: list[str], categories: tuple[str, ...]) -> NDArray[np.float64]:
    """Return where points stand: those of a category side by side in its column."""
    found = np.zeros(len(values))
    for at, category in enumerate(categories):
        here = [k for k, value in enumerate(values) if value == category]
        found[here] = at + np.linspace(-SPREAD, SPREAD, len(here)) if len(here) > 1 else at
    return found
