"""Sensitivity to the prior of tau: a row for each prior, with tau and every effect beside it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd

from nma.errors import ModelError
from nma.plots._axis import Axis, axis_of, numeral, typeset
from nma.plots._canvas import finished, inches, sheet
from nma.plots._figure import figure
from nma.plots._forest_drawing import draw_bars
from nma.plots._journal import paged
from nma.plots._style import (
    BETTER,
    DARK,
    GREY,
    INK,
    SIZES,
    WARNING,
    columns_on_page,
    on_page,
    styled,
)
from nma.plots._text import SPACING, extent, fitted, foot, foot_lines, head, head_lines, told
from nma.posterior import Posterior
from nma.tables import Table, decimals, probability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nma.plots._text import Line

__all__ = ["prior_sensitivity"]

WIDE, USUAL = 2.3, 1.5
"""Width of a panel, in inches: where there are two, and where there are more."""

NUMBERS = 0.62
"""Room to the right of a panel for its numbers, in inches."""

ROW = 0.25
"""Height of a row, in inches; more where a name takes two lines."""

LABEL = 1.9
"""Width of the name of a prior, in inches, beyond which it takes a second line."""

BELOW = 0.3
"""Room below a panel for its numbers, in inches."""

MOST = 4
"""Panels side by side."""

REACH = 1.25
"""Where the axis of tau ends at the least, as a multiple of the highest posterior limit."""

FARTHEST = 1.7
"""Where it ends at the most, whatever the priors say."""

DASHES = (0, (2.5, 1.2))
"""Line style of what was believed before the data."""

SHOWN = ["estimate", "lower", "upper"]
"""Columns of what is after them."""

BEFORE = ("before", "before_lower", "before_upper")
"""Columns of tau before the data."""


def marks(check: Table) -> Table:
    """Return what a picture of prior sensitivity shows.

    Parameters
    ----------
    check : Table
        What ``nma.checks.prior_sensitivity`` returned.

    Returns
    -------
    Table
        For each ``prior`` a row for tau and for every effect, by ``panel``: ``estimate``, ``lower``
        and ``upper`` after the data, ``p_best`` of effects, and of tau ``before`` with
        ``before_lower`` and ``before_upper``.

    Raises
    ------
    ModelError
        If it is no such table.
    """
    _require_check(check)
    rows = pd.DataFrame(check).reset_index()
    is_tau = rows["quantity"].str.startswith("tau")
    before, after = (part for _, part in rows[is_tau].groupby("quantity", sort=False))
    tau = after.assign(**dict(zip(BEFORE, before[SHOWN].to_numpy().T, strict=True)))
    effects = rows[~is_tau & rows["estimate"].notna()]
    against = f" vs {check.attrs['comparator']}"
    found = pd.concat([tau, effects], ignore_index=True)
    found.insert(0, "panel", found.pop("quantity").str.removesuffix(against))
    result = Table(found[["panel", "prior", *SHOWN, "p_best", *BEFORE]], caption=check.caption)
    result.attrs = {**check.attrs, "text": _sentence(check)}
    return result


def _require_check(check: object) -> None:
    if isinstance(check, Table) and check.index.names == ["quantity", "prior"]:
        return
    call = "nma.plots.prior_sensitivity(nma.checks.prior_sensitivity(posterior))"
    how = f": {call}" if isinstance(check, Posterior) else f", such as {call}"
    message = (
        "prior_sensitivity draws what nma.checks.prior_sensitivity returned; this is a "
        f"{type(check).__name__}{how}."
    )
    raise ModelError(message)


def _sentence(check: Table) -> str:
    say = check.attrs
    intervals = f"{100 * say['level']:g}% {say['interval']}s"
    side = "below" if say["better"] == "lower" else "above"
    null = 1 if say["ratio"] else 0
    absent = f" Not fitted: {', '.join(say['absent'])}." if say["absent"] else ""
    poor = f" POOR FIT, do not rely on: {', '.join(say['doubted'])}." if say["doubted"] else ""
    return (
        f"Tau, on the scale of {say['unit']}: dashed before the data, thick after them; tick and "
        f"square are medians. {say['measure']}: thick, with the posterior mean; {side} {null} "
        f"favours the treatment. All are {intervals}. Dotted: under this model's prior."
        f"{absent}{poor}"
    )


@final
@dataclass(frozen=True, eq=False)
class _Plan:
    """Sizes in inches, y upward from the lower edge."""

    marks: pd.DataFrame
    ask: Callable[[str], Any]
    most: int = MOST

    @cached_property
    def panels(self) -> list[str]:
        """Tau, then the treatments."""
        return list(dict.fromkeys(self.marks["panel"]))

    @cached_property
    def labels(self) -> list[str]:
        """Names of the priors."""
        names = dict.fromkeys(str(name) for name in self.marks["prior"])
        return [fitted(name, on_page(LABEL), SIZES.small) for name in names]

    @cached_property
    def heights(self) -> list[float]:
        """Heights of the rows."""
        return [max(ROW, extent(label, SIZES.small)[1] + 0.06) for label in self.labels]

    @property
    def columns(self) -> int:
        """Panels side by side: as many in each band as in the others, or nearly."""
        most = columns_on_page(self.most, self.panel + NUMBERS, self.left)
        bands = math.ceil(len(self.panels) / most)
        return math.ceil(len(self.panels) / bands)

    @property
    def panel(self) -> float:
        """Width of a panel."""
        return on_page(WIDE) if len(self.panels) == 2 else on_page(USUAL)

    @cached_property
    def left(self) -> float:
        """Room for the names of the priors."""
        return 0.22 + max(extent(label, SIZES.small, weight="bold")[0] for label in self.labels)

    @property
    def width(self) -> float:
        """Width of the picture."""
        return self.left + self.columns * (self.panel + NUMBERS)

    @cached_property
    def heads(self) -> list[str]:
        """What stands above each panel."""
        return [fitted(str(n), self.panel, SIZES.small, most=3, weight="bold") for n in self.panels]

    @cached_property
    def above(self) -> float:
        """Room for what stands above a panel."""
        return (
            max(label.count("\n") + 1 for label in self.heads) * SPACING * SIZES.small / 72 + 0.16
        )

    @property
    def step(self) -> float:
        """Height of a band of panels with all that belongs to it."""
        return self.above + sum(self.heights) + BELOW

    @cached_property
    def title(self) -> list[Line]:
        """Lines above."""
        words = f"Sensitivity to the prior of tau: {self.ask('measure')} versus "
        return head_lines(words + self.ask("comparator"), self.ask("poor"), self.width - 0.2)

    @cached_property
    def notes(self) -> list[Line]:
        """Lines below."""
        return foot_lines(self.ask("text"), self.ask("data"), self.width - 0.2)

    @property
    def height(self) -> float:
        """Height of the picture."""
        bands = math.ceil(len(self.panels) / self.columns)
        return 0.15 + head(self.title) + bands * self.step + head(self.notes) + 0.15

    def corner(self, place: int) -> tuple[float, float]:
        """Return the lower left corner of a panel."""
        band, column = divmod(place, self.columns)
        top = self.height - 0.15 - head(self.title) - band * self.step - self.above
        return self.left + column * (self.panel + NUMBERS), top - sum(self.heights)


@paged
def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of prior sensitivity, as ``nma.plots.Drawing`` says."""
    with styled():
        plan = _planned(marks, told(marks, "prior_sensitivity"), ax)
        title, notes = plan.title, plan.notes  # refuse marks without words before drawing
        axes, scale = sheet(ax, plan.width, plan.height)
        after = marks.loc[marks["panel"] != plan.panels[0], SHOWN]
        effects = axis_of(after, ratio=plan.ask("ratio"))
        for place, name in enumerate(plan.panels):
            rows = marks[marks["panel"] == name].reset_index(drop=True)
            axis = effects if place else _axis_of_tau(rows)
            _draw_panel(axes, rows, plan, place, axis, scale)
            if place % plan.columns == 0:
                _draw_names(axes, plan, place, scale)
        foot(axes, title, 0.1, plan.height - 0.05, scale=scale)
        foot(axes, notes, 0.1, 0.08 + head(notes), scale=scale)
    return finished(axes)


def _planned(marks: pd.DataFrame, ask: Callable[[str], Any], ax: Axes | None) -> _Plan:
    """Return the plan; in axes that are given, that whose text is the largest."""
    if ax is None:
        return _Plan(marks, ask)
    wide, high = inches(ax)
    plans = [_Plan(marks, ask, most) for most in range(MOST, 0, -1)]
    return max(plans, key=lambda plan: min(1.0, wide / plan.width, high / plan.height))


def _axis_of_tau(rows: pd.DataFrame) -> Axis:
    """Return an axis from zero that shows the posteriors whole, and of the priors what it can."""
    after = float(rows["upper"].max())
    prior = float(rows["before_upper"].max())
    return Axis(ratio=False, low=0.0, high=float(np.clip(prior, REACH * after, FARTHEST * after)))


def _draw_panel(
    ax: Axes, rows: pd.DataFrame, plan: _Plan, place: int, axis: Axis, scale: float
) -> None:
    x, y = plan.corner(place)
    tall = sum(plan.heights)
    panel = ax.inset_axes((x, y, plan.panel, tall), transform=ax.transData)
    if axis.ratio:
        panel.set_xscale("log")
    panel.set_xlim(axis.low, axis.high)
    panel.set_ylim(tall, 0)
    _draw_ground(panel, rows, plan, axis, scale, null=place > 0)
    middles = np.cumsum(plan.heights) - np.array(plan.heights) / 2
    if place == 0:
        _draw_before(panel, rows, middles, axis, scale)
    shift = 0.0 if place else 0.055
    look: dict[str, Any] = {"width": 3.6 * scale, "colour": BETTER}
    draw_bars(panel, axis, middles + shift, rows["lower"], rows["upper"], **look)
    inside = rows["estimate"].between(axis.low, axis.high).to_numpy()
    panel.plot(
        rows["estimate"][inside], (middles + shift)[inside], linestyle="none", marker="s",
        markersize=4.6 * scale, markerfacecolor="white", markeredgecolor=INK,
        markeredgewidth=1.0 * scale, zorder=4,
    )  # fmt: skip
    _draw_numbers(ax, rows, plan, place, scale)


def _draw_ground(
    panel: Axes, rows: pd.DataFrame, plan: _Plan, axis: Axis, scale: float, *, null: bool
) -> None:
    """Draw stripes, the axis, no effect, and the estimate under the model's own prior."""
    edges = np.cumsum([0.0, *plan.heights])
    for top, bottom in zip(edges[:-1:2], edges[1::2], strict=False):
        panel.axhspan(top, bottom, color="#f4f4f4", linewidth=0, zorder=0)
    if null:
        panel.axvline(axis.null, color=INK, linewidth=0.8 * scale, zorder=1.5)
    own = float(rows["estimate"].iloc[0])
    panel.axvline(own, color=GREY, linewidth=0.9 * scale, linestyle=":", zorder=1.4)
    ticks = axis.ticks(max(3, int(plan.panel / 0.42)))
    panel.set_xticks(ticks, [numeral(tick) for tick in ticks], fontsize=SIZES.small * scale)
    panel.set_xticks([], minor=True)
    panel.set_yticks([])
    panel.tick_params(length=2.5 * scale, width=0.7 * scale, pad=2 * scale)
    panel.spines[["left", "top", "right"]].set_visible(False)


def _draw_before(
    panel: Axes, rows: pd.DataFrame, middles: np.ndarray[Any, Any], axis: Axis, scale: float
) -> None:
    """Draw tau before the data, a little higher than after them."""
    at = middles - 0.06
    look: dict[str, Any] = {"width": 1.3 * scale, "colour": WARNING, "style": DASHES}
    draw_bars(panel, axis, at, rows["before_lower"], rows["before_upper"], **look)
    seen = (rows["before"] <= axis.high).to_numpy()
    panel.plot(
        rows["before"][seen], at[seen], linestyle="none", marker="|", color=WARNING,
        markersize=5.5 * scale, markeredgewidth=1.4 * scale, zorder=4,
    )  # fmt: skip


def _draw_numbers(ax: Axes, rows: pd.DataFrame, plan: _Plan, place: int, scale: float) -> None:
    """Write the name of a panel, and a number for each prior to its right."""
    x, y = plan.corner(place)
    top, right = y + sum(plan.heights), x + plan.panel + 0.07
    look: dict[str, Any] = {"fontsize": SIZES.small * scale, "parse_math": False}
    ax.text(
        x, top + 0.07, plan.heads[place], fontweight="bold", va="bottom", linespacing=1.1, **look
    )
    said = "P(best)" if place else "median"
    ax.text(right, top + 0.07, said, color=DARK, va="bottom", **look)
    numbers = [probability(p) for p in rows["p_best"]] if place else _medians(rows)
    at = top - np.cumsum(plan.heights) + np.array(plan.heights) / 2
    for height, text in zip(at, numbers, strict=True):
        ax.text(right, height, typeset(text), va="center", color=DARK, **look)


def _medians(rows: pd.DataFrame) -> list[str]:
    digits = decimals((rows["upper"] - rows["lower"]).to_numpy() / 4)
    return [f"{value:.{digits}f}" for value in rows["estimate"]]


def _draw_names(ax: Axes, plan: _Plan, place: int, scale: float) -> None:
    """Write the names of the priors to the left of a band, the model's own in bold."""
    x, y = plan.corner(place)
    at = y + sum(plan.heights) - np.cumsum(plan.heights) + np.array(plan.heights) / 2
    for number, (height, label) in enumerate(zip(at, plan.labels, strict=True)):
        ax.text(
            x - 0.1, height, label, fontsize=SIZES.small * scale, ha="right", va="center",
            fontweight="normal" if number else "bold", linespacing=1.1, parse_math=False,
        )  # fmt: skip


@figure(marks, draw)
def prior_sensitivity(check: Table, *, ax: Axes | None = None) -> Axes:
    """Draw tau and the effects under one prior of tau after another.

    A row is a prior. Of tau the dashed line is what was believed before the data and the thick line
    what is after them; where both move together, the answer leans on the prior. Effects stand
    beside it, on one axis for them all.

    Parameters
    ----------
    check : Table
        What ``nma.checks.prior_sensitivity`` returned.
    ax : Axes, optional
        Where to draw. A figure of its own if not given, as large as the panels need.

    Returns
    -------
    Axes
        The sheet; the panels are its ``child_axes``, tau first. Shows itself in a notebook;
        ``.figure.savefig("priors.svg")`` writes a file.

    Raises
    ------
    ModelError
        If it is given something else.

    Examples
    --------
    >>> import nma
    >>> check = nma.checks.prior_sensitivity(nma.fit(nma.datasets.network("parkinson")))
    >>> picture = nma.plots.prior_sensitivity(check)
    >>> nma.plots.prior_sensitivity.marks(check).columns.tolist()
    ['panel', 'prior', 'estimate', 'lower', 'upper', 'p_best', 'before', 'before_lower',
    'before_upper']
    """
    return draw(marks(check), ax=ax)
