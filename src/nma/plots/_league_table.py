"""The league table as a picture: every treatment against every other, in colour and numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd

from nma.effects import effect_table
from nma.estimates import centre, scale_name
from nma.hierarchy import sucra
from nma.plots._axis import numeral, ticks_between, typeset
from nma.plots._canvas import finished, sheet
from nma.plots._figure import figure
from nma.plots._style import BODY, DARK, DEEP, INK, PALE, SMALL, WORSE, styled
from nma.plots._text import (
    effect_words,
    extent,
    fitted,
    foot,
    foot_lines,
    head,
    head_lines,
    interval_name,
    require_posterior,
    told,
)
from nma.tables import Table, decimals, interval, rounded

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

    from nma.plots._text import Line
    from nma.posterior import Posterior

__all__ = ["league_table"]

INTERVALS = 12
"""Treatments up to which cells hold intervals and the diagonal holds names."""

NUMBERS = 40
"""Treatments up to which cells hold numbers at all."""

NAME = 3.3
"""Width of a name at the left, in inches, beyond which it takes a second line or is shortened."""

EVERY = 5
"""Columns from one number above to the next where cells are small."""

RATIOS = (1.25, 2, 4, 5, 10, 20, 50, 100, 1000, 1e4, 1e6, 1e9)
"""Ratios that are short to write, as are their reciprocals."""

BAR = 1.25
"""Room for the colour bar, in inches."""


def marks(posterior: Posterior, *, level: float = 0.95) -> Table:
    """Return what a league table shows.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    level : float, default 0.95
        Probability of the equal-tailed credible intervals.

    Returns
    -------
    Table
        One row for each cell, ``row`` versus ``column``, from the best SUCRA on: the numbers of
        ``effect_table``; ``number`` and ``text`` as written; ``benefit``, the effect on the scale
        of the model with its sign turned so that above zero the row is better; ``clear``, whether
        the interval leaves out no effect.

    Raises
    ------
    ModelError
        If there is one treatment alone, or the level is not between 0 and 1.
    """
    require_posterior(posterior, "league_table")
    order = list(sucra(posterior, level=level).index)
    table = effect_table(posterior, level=level)
    pairs = [(row, column) for row in order for column in order if row != column]
    found = pd.DataFrame(table).loc[pairs].rename_axis(["row", "column"]).reset_index()
    null, sign = _orientation(posterior)
    digits = decimals(found["sd"].to_numpy())
    result = Table(
        found.assign(
            number=[
                rounded(estimate, mcse, digits=digits)
                for estimate, mcse in zip(found["estimate"], found["mcse"], strict=True)
            ],
            text=[
                interval(*row, digits=digits)
                for row in found[["estimate", "lower", "upper", "mcse"]].itertuples(index=False)
            ],
            benefit=sign * found["mean"],
            clear=(found["lower"] > null) | (found["upper"] < null),
        ),
        caption=table.caption,
        digits=table.digits,
    )
    result.attrs = {**effect_words(posterior, _sentence(posterior, level)), "level": level}
    return result


def _orientation(posterior: Posterior) -> tuple[float, float]:
    """Return no effect, and the sign that makes benefits positive."""
    network = posterior.network
    return float(network.ratio), -1.0 if network.better == "lower" else 1.0


def _sentence(posterior: Posterior, level: float) -> str:
    network, count = posterior.network, len(posterior.treatments)
    mean = f"{centre(posterior)}{f' of the {scale_name(posterior)}' if network.ratio else ''}"
    limits = f"{100 * level:g}% {interval_name(posterior)}"
    shown = f": {mean}" if count <= NUMBERS else ""
    shown += f" with {limits}" if count <= INTERVALS else ""
    bold = f"; bold: the {limits} leaves out no effect" if count <= NUMBERS else ""
    alone = f"; over {NUMBERS} treatments: colours only; the numbers are in nma.league_table"
    shown += alone if count > NUMBERS else ""
    return (
        f"Row versus column, from the best SUCRA to the worst{shown}. Blue: the row is better, "
        "orange: the column is better; the deeper the colour, the larger the effect"
        f"{bold}. {network.measure}, {network.better} is better."
    )


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


def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of a league table, as ``nma.plots.Drawing`` says."""
    with styled():
        ask = told(marks, "league_table")
        plan = _planned(marks, ask)
        axes, scale = sheet(ax, plan.width, plan.height)
        farthest = _farthest(marks)
        _draw_colours(axes, marks, plan, farthest)
        if len(plan.names) <= NUMBERS:
            _draw_numbers(axes, marks, plan, scale)
        _draw_names(axes, plan, scale)
        _draw_bar(axes, plan, farthest, ask, scale)
        foot(axes, plan.title, 0.1, plan.height - 0.05, scale=scale)
        foot(axes, plan.notes, 0.1, plan.base - 0.1, scale=scale)
    return finished(axes)


def _farthest(marks: pd.DataFrame) -> float:
    """Return the benefit of the darkest colour: the largest, or two typical posterior sd.

    So that a table whose effects are all uncertain is pale.
    """
    return float(max(marks["benefit"].abs().max(), 2 * marks["sd"].median(), 1e-12))


def _planned(marks: pd.DataFrame, ask: Callable[[str], Any]) -> _Plan:
    names = [str(name) for name in dict.fromkeys(marks["row"])]
    wide = len(names) <= INTERVALS
    cell = _cell(marks, wide=wide, count=len(names))
    if wide:
        labels, left = [_diagonal_name(name, cell[0]) for name in names], 0.1
    else:
        size = _label_size(cell)
        labels = [fitted(name, NAME, size, most=1) for name in names]
        left = 0.5 + max(extent(label, size)[0] for label in labels)
    width = max(left + len(names) * cell[0] + BAR, 3.8)
    return _Plan(
        names=names,
        labels=labels,
        cell=cell,
        left=left,
        width=width,
        title=head_lines(f"{ask('measure')}, row versus column", ask("poor"), width - 0.2),
        notes=foot_lines(ask("text"), ask("data"), width - 0.2),
    )


def _cell(marks: pd.DataFrame, *, wide: bool, count: int) -> tuple[float, float]:
    if wide:
        longest = max(extent(typeset(text), SMALL)[0] for text in _limits(marks))
        return max(_diagonal(marks), longest + 0.16), 0.48
    if count > NUMBERS:
        return 0.15, 0.15
    return max(
        0.36, max(extent(text, SMALL, weight="bold")[0] for text in marks["number"]) + 0.1
    ), 0.26


def _diagonal(marks: pd.DataFrame) -> float:
    """Return the width at which names fit into the diagonal, or the most it may take."""
    names = [str(name) for name in dict.fromkeys(marks["row"])]
    for width in (1.0, 1.1, 1.2, 1.3):
        if not any("…" in _diagonal_name(name, width) for name in names):
            return width
    return 1.4


def _diagonal_name(name: str, width: float) -> str:
    return fitted(name, width - 0.1, SMALL, most=3, weight="bold")


def _limits(marks: pd.DataFrame) -> list[str]:
    """Return the intervals alone, as written."""
    pairs = zip(marks["text"], marks["number"], strict=True)
    return [text.removeprefix(number).strip() for text, number in pairs]


def _label_size(cell: tuple[float, float]) -> float:
    return min(BODY - 0.5, 0.75 * 72 * cell[1])


def _colours() -> Colormap:
    from matplotlib.colors import LinearSegmentedColormap

    made = LinearSegmentedColormap.from_list("benefit", [WORSE, "#ffffff", DEEP])
    return made.with_extremes(bad=PALE)


def _draw_colours(ax: Axes, marks: pd.DataFrame, plan: _Plan, farthest: float) -> None:
    count = len(plan.names)
    place = {name: k for k, name in enumerate(plan.names)}
    shade = np.full((count, count), np.nan)
    rows, columns = ([place[str(name)] for name in marks[side]] for side in ("row", "column"))
    shade[rows, columns] = marks["benefit"]
    across = plan.left + plan.cell[0] * np.arange(count + 1)
    down = plan.top - plan.cell[1] * np.arange(count + 1)
    ax.pcolormesh(
        across, down, np.ma.masked_invalid(shade), cmap=_colours(), vmin=-farthest, vmax=farthest,
        edgecolors="white", linewidth=1.0 if count <= NUMBERS else 0.2,
    )  # fmt: skip


def _draw_numbers(ax: Axes, marks: pd.DataFrame, plan: _Plan, scale: float) -> None:
    place = {name: k for k, name in enumerate(plan.names)}
    lift = 0.09 if plan.wide else 0.0
    for row, limits in zip(marks.to_dict("records"), _limits(marks), strict=True):
        x, y = plan.middle(place[str(row["row"])], place[str(row["column"])])
        look: dict[str, Any] = {"color": "black", "ha": "center", "va": "center"}
        weight = "bold" if row["clear"] else "normal"
        size = (BODY if plan.wide else SMALL) * scale
        ax.text(x, y + lift, typeset(row["number"]), fontsize=size, fontweight=weight, **look)
        if plan.wide:
            ax.text(x, y - lift, typeset(limits), fontsize=SMALL * scale, **look)


def _draw_names(ax: Axes, plan: _Plan, scale: float) -> None:
    size = (SMALL if plan.wide else _label_size(plan.cell)) * scale
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
    ax: Axes, plan: _Plan, farthest: float, ask: Callable[[str], Any], scale: float
) -> None:
    """Draw the colour bar, from what is better for the row at the top to the column's below."""
    x = plan.left + len(plan.names) * plan.cell[0] + 0.2
    room = min(plan.top - plan.base, 3.2)
    top, low = plan.top - 0.2, plan.top - room + 0.2
    steps = np.linspace(low, top, 65)
    shade = np.linspace(-farthest, farthest, 64)[:, None]
    ax.pcolormesh(
        [x, x + 0.14], steps, shade, cmap=_colours(), vmin=-farthest, vmax=farthest,
        edgecolors="face", linewidth=0.4 * scale,
    )  # fmt: skip
    sign = -1 if ask("better") == "lower" else 1
    for value in _bar_ticks(farthest, ratio=ask("ratio")):
        effect = np.log(value) if ask("ratio") else value
        y = low + (sign * effect + farthest) / (2 * farthest) * (top - low)
        ax.plot([x + 0.14, x + 0.18], [y, y], color=DARK, linewidth=0.7 * scale)
        ax.text(x + 0.22, y, numeral(value), fontsize=SMALL * scale, va="center")
    look: dict[str, Any] = {"fontsize": SMALL * scale, "color": DARK, "ha": "left", "va": "center"}
    ax.text(x, top + 0.11, "row better", **look)
    ax.text(x, low - 0.11, "column better", **look)
    ax.text(
        x + 0.85, (top + low) / 2, _bar_title(ask, room), fontsize=SMALL * scale, color=DARK,
        rotation=270, ha="center", va="center", linespacing=1.1, parse_math=False,
    )  # fmt: skip


def _bar_title(ask: Callable[[str], Any], room: float) -> str:
    """Return what stands along the colour bar, as much as there is room for."""
    name = f"{ask('measure')}{', log scale' if ask('ratio') else ''}"
    whole = fitted(f"{name}; deeper colour: larger effect", room, SMALL)
    return fitted(name, room, SMALL, most=1) if "…" in whole else whole


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
def league_table(posterior: Posterior, *, level: float = 0.95, ax: Axes | None = None) -> Axes:
    """Draw the league table: every treatment against every other, row versus column.

    Treatments go from the best SUCRA to the worst. One colour always means that the row is better,
    whichever direction of the measure that is. Up to twelve treatments cells hold intervals; up to
    forty they hold estimates.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    level : float, default 0.95
        Probability of the equal-tailed credible intervals.
    ax : Axes, optional
        Where to draw. A figure of its own if not given, as large as the table needs.

    Returns
    -------
    Axes
        Shows itself in a notebook; ``.figure.savefig("league.svg")`` writes a file.

    Raises
    ------
    ModelError
        If there is one treatment alone, or the level is not between 0 and 1.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> picture = nma.plots.league_table(posterior)
    >>> nma.plots.league_table.marks(posterior).loc[0, ["row", "column", "text"]].tolist()
    ['multimodal care', 'standard exercise', '-0.28 (-1.02, 0.46)']
    """
    return draw(marks(posterior, level=level), ax=ax)
