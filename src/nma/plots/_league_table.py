"""The league table as a picture: every treatment against every other, in colour and numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nma.plots._axis import numeral, ticks_between, typeset
from nma.plots._canvas import finished, sheet
from nma.plots._figure import figure
from nma.plots._journal import paged
from nma.plots._league_marks import INTERVALS, NUMBERS, Upper, marks
from nma.plots._style import DARK, DEEP, INK, PALE, SIZES, WORSE, on_page, styled
from nma.plots._text import extent, fitted, foot, foot_lines, head, head_lines, told

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

    from nma.plots._text import Line
    from nma.posterior import Posterior

__all__ = ["league_table"]

NAME = 3.3
"""Width of a name at the left, in inches, beyond which it takes a second line or is shortened."""

EVERY = 5
"""Columns from one number above to the next where cells are small."""

RATIOS = (1.25, 2, 4, 5, 10, 20, 50, 100, 1000, 1e4, 1e6, 1e9)
"""Ratios that are short to write, as are their reciprocals."""

HALVES = ("below", "above")
"""Where of the diagonal a cell stands."""

BAR = 1.25
"""Room for the colour bar, in inches."""


@final
@dataclass(frozen=True, eq=False)
class _Plan:
    """Sizes in inches; places count from the lower left corner."""

    names: list[str]
    labels: list[str]
    cell: tuple[float, float]
    left: float
    width: float
    title: list[Line]
    notes: list[Line]

    @property
    def wide(self) -> bool:
        """Whether cells hold intervals, and the diagonal names."""
        return len(self.names) <= INTERVALS

    @property
    def base(self) -> float:
        """Height of the lower edge of the table."""
        return 0.2 + head(self.notes)

    @property
    def top(self) -> float:
        """Height of the upper edge of the table."""
        return self.base + len(self.names) * self.cell[1]

    @property
    def height(self) -> float:
        """Height of the picture."""
        return self.top + (0.12 if self.wide else 0.32) + head(self.title) + 0.1

    def middle(self, row: int, column: int) -> tuple[float, float]:
        """Return the middle of a cell."""
        return self.left + (column + 0.5) * self.cell[0], self.top - (row + 0.5) * self.cell[1]


@paged
def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of a league table, as ``nma.plots.Drawing`` says."""
    with styled():
        ask = told(marks, "league_table")
        plan = _planned(marks, ask)
        axes, scale = sheet(ax, plan.width, plan.height)
        farthest = _farthest(marks, len(ask("scales")))
        _draw_colours(axes, marks, plan, farthest)
        if len(plan.names) <= NUMBERS:
            _draw_numbers(axes, marks, plan, scale)
        _draw_names(axes, plan, scale)
        for k, told_of in enumerate(ask("scales")):
            _draw_bar(axes, plan, k, farthest[k], told_of, scale)
        foot(axes, plan.title, 0.1, plan.height - 0.05, scale=scale)
        foot(axes, plan.notes, 0.1, plan.base - 0.1, scale=scale)
    return finished(axes)


def _farthest(marks: pd.DataFrame, scales: int) -> list[float]:
    """Return the benefit of the darkest colour: the largest, or two typical posterior sd.

    So that a table whose effects are all uncertain is pale. One for each half that has a scale of
    its own, that below the diagonal first.
    """
    halves = [marks] if scales == 1 else [marks[marks["half"] == half] for half in HALVES]
    return [
        float(max(half["benefit"].abs().max(), 2 * half["sd"].median(), 1e-12)) for half in halves
    ]


def _planned(marks: pd.DataFrame, ask: Callable[[str], Any]) -> _Plan:
    names = [str(name) for name in ask("order")]
    wide = len(names) <= INTERVALS
    cell = _cell(marks, names, wide=wide)
    if wide:
        labels, left = [_diagonal_name(name, cell[0]) for name in names], 0.1
    else:
        size = _label_size(cell)
        labels = [fitted(name, on_page(NAME), size, most=1) for name in names]
        left = 0.5 + max(extent(label, size)[0] for label in labels)
    width = max(left + len(names) * cell[0] + BAR * len(ask("scales")), on_page(3.8))
    return _Plan(
        names=names,
        labels=labels,
        cell=cell,
        left=left,
        width=width,
        title=head_lines(ask("title"), ask("poor"), width - 0.2),
        notes=foot_lines(ask("text"), ask("data"), width - 0.2),
    )


def _cell(marks: pd.DataFrame, names: list[str], *, wide: bool) -> tuple[float, float]:
    if wide:
        longest = max(extent(typeset(text), SIZES.small)[0] for text in _limits(marks))
        return max(_diagonal(names), longest + 0.16), 0.48
    if len(names) > NUMBERS:
        return 0.15, 0.15
    return max(
        0.36, max(extent(text, SIZES.small, weight="bold")[0] for text in marks["number"]) + 0.1
    ), 0.26


def _diagonal(names: list[str]) -> float:
    """Return the width at which names fit into the diagonal, or the most it may take."""
    for width in (1.0, 1.1, 1.2, 1.3):
        if not any("…" in _diagonal_name(name, width) for name in names):
            return width
    return 1.4


def _diagonal_name(name: str, width: float) -> str:
    return fitted(name, width - 0.1, SIZES.small, most=3, weight="bold")


def _limits(marks: pd.DataFrame) -> list[str]:
    """Return the intervals alone, as written."""
    pairs = zip(marks["text"], marks["number"], strict=True)
    return [text.removeprefix(number).strip() for text, number in pairs]


def _label_size(cell: tuple[float, float]) -> float:
    return min(SIZES.body - 0.5, 0.75 * 72 * cell[1])


def _colours() -> Colormap:
    from matplotlib.colors import LinearSegmentedColormap

    made = LinearSegmentedColormap.from_list("benefit", [WORSE, "#ffffff", DEEP])
    return made.with_extremes(bad=PALE)


def _draw_colours(ax: Axes, marks: pd.DataFrame, plan: _Plan, farthest: list[float]) -> None:
    count = len(plan.names)
    place = {name: k for k, name in enumerate(plan.names)}
    shade = np.full((count, count), np.nan)
    rows, columns = ([place[str(name)] for name in marks[side]] for side in ("row", "column"))
    above = marks["half"] == "above"
    shade[rows, columns] = marks["benefit"] * np.where(above, farthest[0] / farthest[-1], 1.0)
    across = plan.left + plan.cell[0] * np.arange(count + 1)
    down = plan.top - plan.cell[1] * np.arange(count + 1)
    ax.pcolormesh(
        across, down, np.ma.masked_invalid(shade), cmap=_colours(), vmin=-farthest[0],
        vmax=farthest[0], edgecolors="white", linewidth=1.0 if count <= NUMBERS else 0.2,
    )  # fmt: skip


def _draw_numbers(ax: Axes, marks: pd.DataFrame, plan: _Plan, scale: float) -> None:
    place = {name: k for k, name in enumerate(plan.names)}
    lift = 0.09 if plan.wide else 0.0
    for row, limits in zip(marks.to_dict("records"), _limits(marks), strict=True):
        x, y = plan.middle(place[str(row["row"])], place[str(row["column"])])
        look: dict[str, Any] = {"color": "black", "ha": "center", "va": "center"}
        weight = "bold" if row["clear"] else "normal"
        size = (SIZES.body if plan.wide else SIZES.small) * scale
        ax.text(x, y + lift, typeset(row["number"]), fontsize=size, fontweight=weight, **look)
        if plan.wide:
            ax.text(x, y - lift, typeset(limits), fontsize=SIZES.small * scale, **look)


def _draw_names(ax: Axes, plan: _Plan, scale: float) -> None:
    size = (SIZES.small if plan.wide else _label_size(plan.cell)) * scale
    look: dict[str, Any] = {"fontsize": size, "va": "center", "parse_math": False, "color": INK}
    for k, label in enumerate(plan.labels):
        x, y = plan.middle(k, k)
        if plan.wide:
            ax.text(x, y, label, fontweight="bold", ha="center", linespacing=1.05, **look)
            continue
        ax.text(plan.left - 0.32, y, label, ha="right", **look)
        ax.text(plan.left - 0.06, y, str(k + 1), ha="right", **look)
        few = len(plan.names) <= NUMBERS
        if few:
            ax.text(x, y, str(k + 1), ha="center", fontweight="bold", **look)
        if few or k == 0 or (k + 1) % EVERY == 0:
            ax.text(x, plan.top + 0.11, str(k + 1), ha="center", **look)


def _draw_bar(
    ax: Axes, plan: _Plan, place: int, farthest: float, of: Mapping[str, Any], scale: float
) -> None:
    """Draw a colour bar, from what is better for the row at the top to the column's below."""
    x = plan.left + len(plan.names) * plan.cell[0] + 0.2 + place * BAR
    room = min(plan.top - plan.base, 3.2)
    top, low = plan.top - 0.2, plan.top - room + 0.2
    steps = np.linspace(low, top, 65)
    shade = np.linspace(-farthest, farthest, 64)[:, None]
    ax.pcolormesh(
        [x, x + 0.14], steps, shade, cmap=_colours(), vmin=-farthest, vmax=farthest,
        edgecolors="face", linewidth=0.4 * scale,
    )  # fmt: skip
    sign = -1 if of["better"] == "lower" else 1
    for value in _bar_ticks(farthest, ratio=of["ratio"]):
        effect = np.log(value) if of["ratio"] else value
        y = low + (sign * effect + farthest) / (2 * farthest) * (top - low)
        ax.plot([x + 0.14, x + 0.18], [y, y], color=DARK, linewidth=0.7 * scale)
        ax.text(x + 0.22, y, numeral(value), fontsize=SIZES.small * scale, va="center")
    look: dict[str, Any] = {
        "fontsize": SIZES.small * scale,
        "color": DARK,
        "ha": "left",
        "va": "center",
    }
    ax.text(x, top + 0.11, "row better", **look)
    ax.text(x, low - 0.11, "column better", **look)
    ax.text(
        x + 0.85, (top + low) / 2, _bar_title(of, room), fontsize=SIZES.small * scale, color=DARK,
        rotation=270, ha="center", va="center", linespacing=1.1, parse_math=False,
    )  # fmt: skip


def _bar_title(of: Mapping[str, Any], room: float) -> str:
    """Return what stands along a colour bar, as much as there is room for."""
    name = f"{of['name']}{', log scale' if of['ratio'] else ''}"
    found = fitted(f"{name}; deeper colour: larger effect", room, SIZES.small)
    for shorter in (name, of["name"], of["short"]):
        if "…" in found:
            found = fitted(shorter, room, SIZES.small)
    return found


def _bar_ticks(farthest: float, *, ratio: bool) -> list[float]:
    """Return ticks as far above no effect as below; ratios by pairs such as 0.5 and 2."""
    if not ratio:
        return ticks_between(-farthest, farthest, 5, ratio=False)
    within = [value for value in RATIOS if np.log(value) <= farthest]
    outer = within[-1] if within else float(f"{np.exp(0.8 * farthest):.3g}")
    half = [value for value in within if np.log(value) <= 0.6 * np.log(outer)]
    above = [*half[-1:], outer]
    return [*(float(f"{1 / value:.3g}") for value in above[::-1]), 1.0, *above]


@figure(marks, draw)
def league_table(
    posterior: Posterior,
    *,
    level: float = 0.95,
    upper: Upper = None,
    names: tuple[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the league table: every treatment against every other, row versus column.

    Treatments go from the best SUCRA to the worst. One colour always means that the row is better,
    whichever direction of the measure that is. Up to twelve treatments cells hold intervals; up to
    forty they hold estimates. Both halves read row versus column, also where they are of different
    outcomes.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    level : float, default 0.95
        Probability of the equal-tailed credible intervals.
    upper : {"predictive"} or Posterior, optional
        What stands above the diagonal instead: intervals of the effect in one new trial, or a
        second outcome, matched by the names of treatments, with its own measure, direction and
        depth of colours.
    names : (str, str), optional
        What the outcomes below and above the diagonal are called; by their measures if not given.
    ax : Axes, optional
        Where to draw. A figure of its own if not given, as large as the table needs.

    Returns
    -------
    Axes
        Shows itself in a notebook; ``.figure.savefig("league.svg")`` writes a file.

    Raises
    ------
    ModelError
        If there is one treatment alone, the level is not between 0 and 1, ``upper`` is neither of
        the two, or a second outcome shares fewer than two treatments.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> picture = nma.plots.league_table(posterior)
    >>> nma.plots.league_table.marks(posterior).loc[0, ["row", "column", "text"]].tolist()
    ['multimodal care', 'standard exercise', '-0.28 (-1.02, 0.46)']
    >>> halves = nma.plots.league_table.marks(posterior, upper="predictive")
    >>> halves.loc[0, ["half", "text"]].tolist()
    ['above', '-0.28 (-1.62, 1.06)']
    """
    return draw(marks(posterior, level=level, upper=upper, names=names), ax=ax)
