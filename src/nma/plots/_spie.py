"""Spie charts: for every treatment a pie whose sectors reach as far as its SUCRAs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nma.decisions._outcomes import Outcomes
from nma.decisions._utility import weights_of
from nma.errors import shortened
from nma.plots._canvas import finished, inches, sheet
from nma.plots._figure import figure
from nma.plots._journal import paged
from nma.plots._plane import outcome_words
from nma.plots._style import DARK, GREY, INK, SHADES, SIZES, columns_on_page, on_page, styled
from nma.plots._sucra_scatter import shared_sucra
from nma.plots._text import SPACING, extent, fitted, foot, foot_lines, head, head_lines, told
from nma.tables import Table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from nma.plots._text import Line
    from nma.posterior import Posterior

__all__ = ["spie"]

RADIUS = 0.44
"""That of the whole circle, in inches."""

PANEL = 1.42
"""Width of a panel, in inches."""

RIM = 0.13
"""Room around a circle for the numbers of its sectors, in inches."""

FINE = math.pi / 60
"""Angle between the points of an arc."""

HATCHES = ("", "///", "...", "\\\\\\", "xxx", "ooo")
"""What tells outcomes apart where there are more than colours, and in grey."""


def marks(
    posteriors: Mapping[str, Posterior], *, weights: Mapping[str, float] | None = None
) -> Table:
    """Return what spie charts show.

    Parameters
    ----------
    posteriors : mapping of str to Posterior
        Two fitted models or more, by the name of their outcome.
    weights : mapping of str to float, optional
        How much each outcome counts; all alike if not given.

    Returns
    -------
    Table
        One row for each ``treatment`` and ``outcome``, from the largest area on: its ``sucra``
        among the treatments that all outcomes have, the ``share`` of the circle that the outcome
        takes, and the treatment's ``area`` as a share of the whole circle.

    Raises
    ------
    ModelError
        If there are fewer than two outcomes, they share no two treatments, or weights do not name
        every outcome.
    """
    outcomes = Outcomes.of(posteriors, verb="spie")
    names = list(outcomes.posteriors)
    weight = dict.fromkeys(names, 1.0) if weights is None else weights_of(outcomes, weights)
    share = np.array([weight[name] for name in names]) / sum(weight.values())
    scores = np.stack([shared_sucra(outcomes, name) for name in names], axis=1)
    area = scores**2 @ share
    order = np.argsort(-area, kind="stable")
    count = len(names)
    found = Table(
        {
            "treatment": np.repeat([outcomes.treatments[k] for k in order], count),
            "outcome": names * len(order),
            "sucra": scores[order].ravel(),
            "share": np.tile(share, len(order)),
            "area": np.repeat(area[order], count),
        },
        caption="SUCRA of every treatment on every outcome.",
    )
    angles = "alike" if weights is None else "as weighted"
    text = (
        "Each sector reaches as far as the treatment's SUCRA on that outcome, the rim being 1: "
        f"surely best. Angles are {angles}; the area, as a share of the circle, orders the "
        "treatments, and can hide a poor SUCRA on one outcome behind good ones on others. "
        f"{outcomes.notes[0]}"
    )
    found.attrs = outcome_words(outcomes, text)
    return found


@final
@dataclass(frozen=True, eq=False)
class _Plan:
    """Sizes in inches; places count from the lower left corner."""

    names: list[str]
    labels: list[str]
    columns: int
    width: float
    title: list[Line]
    key: list[list[tuple[int, str]]]
    notes: list[Line]

    @property
    def caption(self) -> float:
        """Room above a circle for the name and the area."""
        lines = max(label.count("\n") for label in self.labels) + 2
        return lines * SPACING * SIZES.small / 72 + 0.06

    @property
    def step(self) -> float:
        """Height of a row of panels."""
        return self.caption + 2 * (RADIUS + RIM) + 0.08

    @property
    def base(self) -> float:
        """Height of the lower edge of the last row."""
        return 0.15 + head(self.notes) + 0.19 * len(self.key)

    @property
    def height(self) -> float:
        """Height of the picture."""
        return self.base + math.ceil(len(self.names) / self.columns) * self.step + self.top

    @property
    def top(self) -> float:
        """Room for the title."""
        return head(self.title) + 0.12

    def middle(self, place: int) -> tuple[float, float]:
        """Return the middle of a circle."""
        row, column = divmod(place, self.columns)
        top = self.height - self.top - row * self.step
        return 0.1 + (column + 0.5) * on_page(PANEL), top - self.caption - RIM - RADIUS


@paged
def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of spie charts.

    Parameters
    ----------
    marks : DataFrame
        What ``nma.plots.spie.marks`` returned, or a changed copy.
    ax : Axes, optional
        Where to draw. A figure of its own if not given.

    Returns
    -------
    Axes
    """
    with styled():
        ask = told(marks, "spie")
        plan = _planned(marks, ask) if ax is None else _inside(marks, ask, inches(ax))
        axes, scale = sheet(ax, plan.width, plan.height)
        for place, name in enumerate(plan.names):
            _draw_panel(axes, marks[marks["treatment"] == name], plan, place, scale)
        _draw_key(axes, plan, scale)
        foot(axes, plan.title, 0.1, plan.height - 0.05, scale=scale)
        foot(axes, plan.notes, 0.1, 0.08 + head(plan.notes), scale=scale)
    return finished(axes)


def _planned(marks: pd.DataFrame, ask: Callable[[str], Any], columns: int | None = None) -> _Plan:
    names = [str(name) for name in dict.fromkeys(marks["treatment"])]
    count = len(names)
    usual = count if count <= 4 else min(6, math.ceil(math.sqrt(1.4 * count)))
    columns = columns or columns_on_page(usual, on_page(PANEL), 0.2)
    width = max(columns * on_page(PANEL) + 0.2, on_page(4.3))
    outcomes = [shortened(str(name)) for name in dict.fromkeys(marks["outcome"])]
    return _Plan(
        names=names,
        labels=[
            fitted(name, on_page(PANEL) - 0.12, SIZES.small, most=3, weight="bold")
            for name in names
        ],
        columns=columns,
        width=width,
        title=head_lines("SUCRA on every outcome", ask("poor"), width - 0.2),
        key=_key(outcomes, width - 0.2),
        notes=foot_lines(ask("text"), ask("data"), width - 0.2),
    )


def _inside(marks: pd.DataFrame, ask: Callable[[str], Any], given: tuple[float, float]) -> _Plan:
    """Return the plan for given axes in which text shrinks least."""
    count = marks["treatment"].nunique()
    plans = [_planned(marks, ask, columns) for columns in range(1, min(count, 9) + 1)]
    return max(plans, key=lambda plan: min(given[0] / plan.width, given[1] / plan.height, 1.0))


def _key(outcomes: list[str], width: float) -> list[list[tuple[int, str]]]:
    """Return the entries of the key in rows of a width."""
    rows: list[list[tuple[int, str]]] = [[]]
    for k, name in enumerate(outcomes):
        taken = sum(_entry(other) for other in [*rows[-1], (k, name)])
        if taken > width and rows[-1]:
            rows.append([])
        rows[-1].append((k, name))
    return rows


def _entry(entry: tuple[int, str]) -> float:
    return 0.42 + extent(f"{entry[0] + 1} {entry[1]}", SIZES.small)[0]


def _look(place: int) -> dict[str, Any]:
    """Return the looks of an outcome's sectors."""
    hatch = HATCHES[place % len(HATCHES)]
    return {
        "facecolor": SHADES[place % len(SHADES)],
        "edgecolor": "white",
        "hatch": hatch,
        "linewidth": 0.5,
    }


def _draw_panel(ax: Axes, rows: pd.DataFrame, plan: _Plan, place: int, scale: float) -> None:
    from matplotlib.patches import Circle, Polygon

    x, y = plan.middle(place)
    ax.add_patch(Circle((x, y), RADIUS, facecolor="none", edgecolor=GREY, linewidth=0.8 * scale))
    half = RADIUS / 2
    ax.add_patch(
        Circle((x, y), half, facecolor="none", edgecolor=GREY, linewidth=0.4 * scale, zorder=3)
    )
    start = math.pi / 2
    for k, (reach, share) in enumerate(zip(rows["sucra"], rows["share"], strict=True)):
        end = start - 2 * math.pi * share
        angle = np.linspace(start, end, max(3, math.ceil((start - end) / FINE)))
        edge = np.stack([x + RADIUS * reach * np.cos(angle), y + RADIUS * reach * np.sin(angle)])
        ax.add_patch(Polygon(np.column_stack([edge, [x, y]]).T, closed=True, **_look(k)))
        for side in (start, end):
            tip = (x + RADIUS * math.cos(side), y + RADIUS * math.sin(side))
            ax.plot([x, tip[0]], [y, tip[1]], color=GREY, linewidth=0.4 * scale, zorder=3)
        _number(ax, (x, y), (start + end) / 2, k, scale)
        start = end
    lift = y + RADIUS + RIM + 0.02
    left = x - on_page(PANEL) / 2 + 0.05
    area = f"area {rows['area'].iloc[0]:.2f}"
    ax.text(left, lift, area, fontsize=SIZES.small * scale, color=DARK, va="bottom")
    ax.text(
        left, lift + SPACING * SIZES.small / 72, plan.labels[place], fontsize=SIZES.small * scale,
        fontweight="bold", va="bottom", linespacing=1.1, parse_math=False,
    )  # fmt: skip


def _number(ax: Axes, centre: tuple[float, float], angle: float, k: int, scale: float) -> None:
    """Write the number of an outcome at the rim of its sector."""
    far = RADIUS + 0.075
    ax.text(
        centre[0] + far * math.cos(angle),
        centre[1] + far * math.sin(angle),
        str(k + 1),
        fontsize=max(0.85 * SIZES.small, 6.0) * scale,
        color=DARK,
        ha="center",
        va="center",
    )


def _draw_key(ax: Axes, plan: _Plan, scale: float) -> None:
    from matplotlib.patches import Rectangle

    y = plan.base - 0.12
    for row in plan.key:
        x = 0.1
        for k, name in row:
            ax.add_patch(Rectangle((x, y - 0.05), 0.16, 0.1, **_look(k)))
            text = f"{k + 1} {name}"
            ax.text(
                x + 0.21,
                y,
                text,
                fontsize=SIZES.small * scale,
                color=INK,
                va="center",
                parse_math=False,
            )
            x += _entry((k, name))
        y -= 0.19


@figure(marks, draw)
def spie(
    posteriors: Mapping[str, Posterior],
    *,
    weights: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    r"""Draw a spie chart for every treatment: its SUCRAs on several outcomes.

    A sector for each outcome reaches as far as the SUCRA, the rim of the circle being 1. The area
    as a share of the circle, :math:`\sum_o w_o \, \mathrm{SUCRA}_o^2` with weights that add to
    one, does not depend on the order of the outcomes, as that of a radar plot does. It says
    nothing of the size of effects, and can hide a poor SUCRA on harms behind good ones.

    Parameters
    ----------
    posteriors : mapping of str to Posterior
        Two fitted models or more, by the name of their outcome. Treatments are matched by name,
        and ranked among those that all outcomes have.
    weights : mapping of str to float, optional
        How much each outcome counts: the angles of its sectors. All alike if not given.
    ax : Axes, optional
        Where to draw. A figure of its own if not given, as large as the charts need.

    Returns
    -------
    Axes
        Shows itself in a notebook; ``.figure.savefig("spie.svg")`` writes a file.

    Raises
    ------
    ModelError
        If there are fewer than two outcomes, they share no two treatments, or weights do not name
        every outcome.

    Examples
    --------
    >>> import nma
    >>> pain = nma.fit(nma.datasets.network("back_pain"))
    >>> again = nma.fit(nma.datasets.network("back_pain").as_normal())
    >>> marks = nma.plots.spie.marks({"pain": pain, "again": again})
    >>> marks["treatment"].iloc[0]
    'multimodal care'

    References
    ----------
    Daly et al. 2020, doi:10.1186/s12874-020-01128-2.
    """
    return draw(marks(posteriors, weights=weights), ax=ax)
