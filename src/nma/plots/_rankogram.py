"""The rankogram: how probable every rank is for every treatment."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd

from nma.hierarchy import sucra
from nma.plots._canvas import READABLE, finished, inches, sheet
from nma.plots._figure import figure
from nma.plots._journal import paged
from nma.plots._style import BETTER, DARK, INK, SIZES, columns_on_page, on_page, styled
from nma.plots._text import (
    SPACING,
    effect_words,
    extent,
    fitted,
    foot,
    foot_lines,
    head,
    head_lines,
    require_posterior,
    told,
)
from nma.ranking import rank_probabilities
from nma.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from nma.plots._text import Line
    from nma.posterior import Posterior

__all__ = ["rankogram"]

PANEL = (1.45, 1.0)
"""Width and height of a panel, in inches."""

GAP = 0.3
"""Between panels side by side, in inches."""

LEFT = 0.55
"""Room for the scale of probabilities, in inches."""

BRIEF = 4.2
"""Width of a picture, in inches, below which its key is brief."""

APART = 25
"""Ranks up to which bars stand apart."""

KEY = 0.57
"""Room for the scale of ranks and the key, in inches."""

SHARES = tuple(share / 20 for share in range(20, 7, -1))
"""Sizes of panels to be tried in axes that are given, as shares of ``PANEL``."""


def marks(posterior: Posterior) -> Table:
    """Return what a rankogram shows.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.

    Returns
    -------
    Table
        One row for each treatment and ``rank``, from the best SUCRA on: its ``probability``, the
        ``cumulative`` probability of that rank or a better one, and the treatment's ``sucra``.

    Raises
    ------
    ModelError
        If there is one treatment alone.
    """
    require_posterior(posterior, "rankogram")
    scores = sucra(posterior)["sucra"]
    chances = pd.DataFrame(rank_probabilities(posterior)).loc[scores.index]
    grid = chances.to_numpy()
    names = np.repeat(chances.index.to_numpy(), len(chances))
    found = Table(
        {
            "treatment": names,
            "rank": np.tile(np.arange(1, len(chances) + 1), len(chances)),
            "probability": grid.ravel(),
            "cumulative": grid.cumsum(axis=1).ravel(),
            "sucra": np.repeat(scores.to_numpy(), len(chances)),
        },
        caption="Probability of every rank; 1 is best.",
    )
    network = posterior.network
    found.attrs = effect_words(
        posterior,
        f"Rank 1 is best; from the best SUCRA to the worst. SUCRA is the mean height of the line "
        f"before the last rank. {network.measure}, {network.better} is better.",
    )
    return found


@final
@dataclass(frozen=True, eq=False)
class _Plan:
    """Sizes in inches; places count from the lower left corner."""

    names: list[str]
    labels: list[str]
    columns: int
    share: float
    width: float
    title: list[Line]
    notes: list[Line]
    size: float

    @property
    def panel(self) -> tuple[float, float]:
        """Width and height of a panel."""
        return self.share * on_page(PANEL[0]), self.share * PANEL[1]

    @property
    def gap(self) -> float:
        """Room between panels side by side."""
        return _gap(self.share)

    @property
    def dots(self) -> float:
        """Size of the dots on a line, in points; none where they would touch."""
        return 2.6 * self.share if len(self.names) <= 12 else 0.0

    @property
    def caption(self) -> float:
        """Room above a panel for the name and the SUCRA."""
        lines = max(label.count("\n") for label in self.labels) + 2
        return lines * SPACING * SIZES.small / 72 + 0.1

    @property
    def step(self) -> float:
        """Height of a row of panels with their names and ranks."""
        return self.caption + self.panel[1] + 0.27

    @property
    def base(self) -> float:
        """Height of the lower edge of the last row."""
        return 0.1 + head(self.notes) + KEY

    @property
    def height(self) -> float:
        """Height of the picture."""
        rows = math.ceil(len(self.names) / self.columns)
        return self.base + rows * self.step - 0.1 + head(self.title)

    def corner(self, place: int) -> tuple[float, float]:
        """Return the lower left corner of a panel."""
        row, column = divmod(place, self.columns)
        top = self.height - head(self.title) - 0.1 - row * self.step
        return LEFT + column * (self.panel[0] + self.gap), top - self.caption - self.panel[1]


@paged
def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of a rankogram, as ``nma.plots.Drawing`` says."""
    with styled():
        ask = told(marks, "rankogram")
        plan = _planned(marks, ask) if ax is None else _inside(marks, ask, inches(ax))
        axes, scale = sheet(ax, plan.width, plan.height)
        for place, name in enumerate(plan.names):
            rows = marks[marks["treatment"] == name]
            _draw_panel(axes, rows, plan, place, scale)
        _draw_key(axes, plan, scale)
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
    names = [str(name) for name in dict.fromkeys(marks["treatment"])]
    count = len(names)
    usual = count if count <= 4 else min(5, math.ceil(math.sqrt(1.25 * count)))
    room = share * on_page(PANEL[0]) + _gap(share)
    columns = columns or columns_on_page(usual, room, LEFT)
    longest = max(
        extent(word, SIZES.small, weight="bold")[0] for name in names for word in name.split()
    )
    size = min(SIZES.small, max(READABLE, SIZES.small * (room - 0.1) / longest))
    width = max(LEFT + columns * room, on_page(4.3))
    return _Plan(
        names=names,
        labels=[fitted(name, room - 0.09, size, weight="bold") for name in names],
        columns=columns,
        share=share,
        width=width,
        title=head_lines("Probability of every rank", ask("poor"), width - 0.2),
        notes=foot_lines(ask("text"), ask("data"), width - 0.2),
        size=size,
    )


def _gap(share: float) -> float:
    return max(0.15, share * GAP)


def _inside(marks: pd.DataFrame, ask: Callable[[str], Any], given: tuple[float, float]) -> _Plan:
    """Return a plan for given axes: panels shrink and move before the text does."""
    count = marks["treatment"].nunique()
    for share in SHARES:
        for columns in range(min(count, 8), 0, -1):
            wide = LEFT + columns * (share * PANEL[0] + _gap(share))
            tall = math.ceil(count / columns) * (share * PANEL[1] + 0.6) + 0.5
            if wide > given[0] or tall > given[1]:
                continue
            plan = _planned(marks, ask, columns=columns, share=share)
            if plan.width <= given[0] and plan.height <= given[1]:
                return plan
    return _planned(marks, ask)


def _draw_panel(ax: Axes, rows: pd.DataFrame, plan: _Plan, place: int, scale: float) -> None:
    x, y = plan.corner(place)
    panel = ax.inset_axes((x, y, *plan.panel), transform=ax.transData)
    ranks = rows["rank"].to_numpy()
    _draw_bars(panel, ranks, rows["probability"].to_numpy())
    panel.plot(
        ranks,
        rows["cumulative"],
        color=INK,
        linewidth=1.1 * scale,
        marker="o",
        markersize=plan.dots * scale,
    )
    panel.set_xlim(0.3, ranks.max() + 0.7)
    panel.set_ylim(0, 1.04)
    size = SIZES.small * scale
    ticks = _rank_ticks(int(ranks.max()), max(2, int(plan.panel[0] / 0.24)))
    panel.set_xticks(ticks, [str(tick) for tick in ticks], fontsize=size)
    first = place % plan.columns == 0
    panel.set_yticks([0, 0.5, 1], ["0", "0.5", "1"] if first else ["", "", ""], fontsize=size)
    panel.tick_params(length=2.5 * scale, width=0.7 * scale, pad=2 * scale)
    lift = y + plan.panel[1] + 0.07
    score = f"SUCRA {rows['sucra'].iloc[0]:.2f}"
    ax.text(x, lift, score, fontsize=size, color=DARK, va="bottom")
    ax.text(
        x, lift + SPACING * SIZES.small / 72, plan.labels[place], fontsize=plan.size * scale,
        fontweight="bold", va="bottom", linespacing=1.1, parse_math=False,
    )  # fmt: skip


def _draw_bars(panel: Axes, ranks: NDArray[np.int64], chances: NDArray[np.float64]) -> None:
    """Draw bars apart, or as one shape where they are too many to draw one by one."""
    if len(ranks) <= APART:
        panel.bar(ranks, chances, width=0.8, color=BETTER, linewidth=0)
    else:
        panel.stairs(chances, np.arange(len(ranks) + 1) + 0.5, fill=True, color=BETTER)


def _rank_ticks(count: int, most: int) -> list[int]:
    """Return ranks to name, about so many, the first and the last among them."""
    steps = (1, 2, 3, 5, 10, 20, 50)
    step = next((step for step in steps if count / step <= most), count)
    between = range(step if step > 2 else 1 + step, count, step)
    return [1, *(rank for rank in between if 1 < rank <= count - 0.7 * step), count]


def _draw_key(ax: Axes, plan: _Plan, scale: float) -> None:
    from matplotlib.patches import Rectangle

    middle = plan.base - 0.27
    size = SIZES.body * scale
    last = (len(plan.names) - 1) % plan.columns + 1
    across = LEFT + (last * (plan.panel[0] + plan.gap) - plan.gap) / 2
    ax.text(across, middle, "rank, 1 is best", fontsize=size, ha="center", va="center")
    up = (plan.corner(0)[1] + plan.corner(len(plan.names) - 1)[1] + plan.panel[1]) / 2
    ax.text(0.14, up, "probability", fontsize=size, rotation=90, ha="center", va="center")
    y, x = middle - 0.2, 0.1
    ax.add_patch(Rectangle((x, y - 0.05), 0.16, 0.1, facecolor=BETTER, linewidth=0))
    text = "probability of this rank"
    look: dict[str, Any] = {"fontsize": SIZES.small * scale, "va": "center", "color": DARK}
    ax.text(x + 0.22, y, text, **look)
    x += 0.22 + extent(text, SIZES.small)[0] + 0.2
    ax.plot([x, x + 0.25], [y, y], color=INK, linewidth=1.1 * scale)
    ax.plot([x + 0.125], [y], color=INK, marker="o", markersize=plan.dots * scale)
    said = "of this rank or better"
    ax.text(x + 0.31, y, said if plan.width < BRIEF else f"{said} (cumulative)", **look)


@figure(marks, draw)
def rankogram(posterior: Posterior, *, ax: Axes | None = None) -> Axes:
    """Draw the probabilities of all ranks, one panel for each treatment.

    Bars are the probabilities of the ranks, the line that of a rank or a better one; its mean
    height before the last rank is the SUCRA. Panels go from the best SUCRA to the worst.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    ax : Axes, optional
        Where to draw. A figure of its own if not given, as large as the panels need.

    Returns
    -------
    Axes
        The sheet; the panels are its ``child_axes``. Shows itself in a notebook;
        ``.figure.savefig("ranks.svg")`` writes a file.

    Raises
    ------
    ModelError
        If there is one treatment alone.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> len(nma.plots.rankogram(posterior).child_axes)
    4
    >>> nma.plots.rankogram.marks(posterior).columns.tolist()
    ['treatment', 'rank', 'probability', 'cumulative', 'sucra']

    References
    ----------
    Salanti et al. 2011, doi:10.1016/j.jclinepi.2010.03.016.
    """
    return draw(marks(posterior), ax=ax)
