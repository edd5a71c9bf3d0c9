"""SUCRA against the effect: how sure a place in the hierarchy is, and how much it is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd

from nma.effects import effect_table
from nma.errors import ModelError
from nma.estimates import centre
from nma.hierarchy import sucra
from nma.plots._axis import axis_of, numeral
from nma.plots._canvas import finished, sheet
from nma.plots._circle import spread
from nma.plots._directions import Directions, directions
from nma.plots._figure import figure
from nma.plots._forest_drawing import draw_bars
from nma.plots._journal import paged
from nma.plots._style import BETTER, INK, LINE, SIZES, on_page, styled
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
from nma.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nma.plots._text import Line
    from nma.posterior import Posterior

__all__ = ["sucra_against_effect"]

WIDE, TALL = 4.2, 3.4
"""Least size of the plot, in inches."""

LEFT, LEAD = 0.62, 0.35
"""Room for the scale of SUCRA at the left, and for lines to the names at the right."""

NAME = 2.9
"""Width of a name, in inches, beyond which it takes a second line."""

LOW, HIGH = -0.04, 1.04
"""Ends of the scale of SUCRA."""

SHOWN = ["estimate", "lower", "upper"]
"""What is shown of effects."""


def marks(posterior: Posterior, *, comparator: str | None = None, level: float = 0.95) -> Table:
    """Return what a plot of SUCRA against the effect shows.

    Parameters
    ----------
    posterior, comparator, level
        As ``nma.plots.sucra_against_effect`` takes them.

    Returns
    -------
    Table
        By treatment, from the best SUCRA on: ``estimate``, ``lower`` and ``upper`` of its effect
        against the comparator, ``sucra``, and ``sucra_lower`` to ``sucra_upper``, where the share
        of the others that it beats lies.

    Raises
    ------
    ModelError
        If there is one treatment alone, the comparator is unknown, or the level is not between
        0 and 1.
    """
    require_posterior(posterior, "sucra_against_effect")
    against = posterior.comparator if comparator is None else comparator
    ranked = sucra(posterior, level=level)
    effects = effect_table(posterior, comparators=[against], level=level)
    found = pd.DataFrame(effects).droplevel("comparator")[SHOWN]
    null = float(posterior.network.ratio)
    found.loc[against] = [null, null, null]
    shares = pd.DataFrame(ranked)[["sucra", "sucra_lower", "sucra_upper"]]
    table = Table(shares.join(found)[[*SHOWN, *shares]], caption=effects.caption)
    if not np.isfinite(table.to_numpy()).all():
        message = f"Not every treatment has a known effect against {against!r}: nothing to draw."
        raise ModelError(message)
    notes = " ".join(note for note in ranked.notes if note not in posterior.notices)
    words = effect_words(posterior, f"{_sentence(posterior, level)}\n{notes}")
    table.attrs = words | {"comparator": against, "level": level}
    return table


def _sentence(posterior: Posterior, level: float) -> str:
    network = posterior.network
    of = f" of the log {network.measure}" if network.ratio else ""
    return (
        f"Across: {centre(posterior)}{of} with {100 * level:g}% {interval_name(posterior)}. Up: "
        f"SUCRA, 1 is surely the best; pale: where the share of the others that it beats lies in "
        f"{100 * level:g}% of draws. Hollow: the comparator. {network.measure}, {network.better} "
        "is better."
    )


@final
@dataclass(frozen=True, eq=False)
class _Plan:
    """Sizes in inches; places count from the lower left corner."""

    labels: list[str]
    middles: list[float]
    size: tuple[float, float]
    width: float
    sides: Directions
    measure: str
    title: list[Line]
    notes: list[Line]

    @property
    def base(self) -> float:
        """Height of the lower edge of the plot."""
        below = extent(self.measure, SIZES.body)[1] + self.sides.height
        return 0.2 + head(self.notes) + below + 0.3

    @property
    def height(self) -> float:
        """Height of the picture."""
        return self.base + self.size[1] + 0.2 + head(self.title) + 0.1

    def level(self, share: float) -> float:
        """Return how high in the plot a SUCRA stands."""
        return self.size[1] * (share - LOW) / (HIGH - LOW)


@paged
def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of SUCRA against the effect, as ``nma.plots.Drawing`` says."""
    with styled():
        plan = _planned(marks, told(marks, "sucra_against_effect"))
        axes, scale = sheet(ax, plan.width, plan.height)
        place = (LEFT, plan.base, *plan.size)
        panel = axes.inset_axes(place, transform=axes.transData)
        _draw_panel(panel, marks, told(marks, "sucra_against_effect"), scale)
        _draw_names(axes, marks, plan, scale)
        _draw_words(axes, plan, scale)
        foot(axes, plan.title, 0.1, plan.height - 0.05, scale=scale)
        foot(axes, plan.notes, 0.1, 0.1 + head(plan.notes), scale=scale)
    return finished(axes)


def _planned(marks: pd.DataFrame, ask: Callable[[str], Any]) -> _Plan:
    order = marks["sucra"].to_numpy()
    labels = [fitted(str(name), on_page(NAME), SIZES.small) for name in marks.index]
    heights = [extent(label, SIZES.small)[1] + 0.03 for label in labels]
    tall = max(TALL, sum(heights) + 0.1)
    wanted = [tall * (share - LOW) / (HIGH - LOW) for share in order]
    middles = _kept(spread(wanted, heights), heights, tall)
    right = max(extent(label, SIZES.small)[0] for label in labels)
    width = LEFT + on_page(WIDE) + LEAD + right + 0.15
    scale = ", log scale" if ask("ratio") else ""
    whole = f"{ask('measure')} versus {ask('comparator')}{scale}"
    return _Plan(
        labels=labels,
        middles=middles,
        size=(on_page(WIDE), tall),
        width=width,
        sides=directions(*_sides(ask), width=on_page(WIDE), beside=(LEFT - 0.1, LEAD + right)),
        measure=fitted(whole, on_page(WIDE), SIZES.body),
        title=head_lines("SUCRA against the effect", ask("poor"), width - 0.2),
        notes=foot_lines(ask("text"), ask("data"), width - 0.2),
    )


def _kept(middles: list[float], heights: list[float], tall: float) -> list[float]:
    """Return middles moved so that no label reaches beyond the plot; from high to low."""
    found, top = [], tall
    for middle, height in zip(middles, heights, strict=True):
        found.append(min(middle, top - height / 2))
        top = found[-1] - height / 2
    low = 0.0
    for k in range(len(found) - 1, -1, -1):
        found[k] = max(found[k], low + heights[k] / 2)
        low = found[k] + heights[k] / 2
    return found


def _sides(ask: Callable[[str], Any]) -> tuple[list[str], list[str]]:
    """Return what lies to the left and to the right of no effect."""
    better, worse = ["better than the comparator", "better"], ["worse"]
    return (worse, better) if ask("better") == "higher" else (better, worse)


def _draw_panel(panel: Axes, marks: pd.DataFrame, ask: Callable[[str], Any], scale: float) -> None:
    axis = axis_of(marks[SHOWN], ratio=ask("ratio"))
    if axis.ratio:
        panel.set_xscale("log")
    panel.set_xlim(axis.low, axis.high)
    panel.set_ylim(LOW, HIGH)
    ticks = axis.ticks(8)
    panel.set_xticks(ticks, [numeral(tick) for tick in ticks], fontsize=SIZES.small * scale)
    panel.set_xticks([], minor=True)
    panel.set_yticks(np.linspace(0, 1, 6), ["0", "0.2", "0.4", "0.6", "0.8", "1"])
    panel.tick_params(labelsize=SIZES.small * scale, length=2.5 * scale, width=0.7 * scale)
    panel.axvline(axis.null, color=INK, linewidth=0.8 * scale, zorder=1.5)
    middles = marks["sucra"].to_numpy()
    panel.vlines(
        marks["estimate"], marks["sucra_lower"], marks["sucra_upper"], color=LINE,
        linewidth=1.2 * scale, zorder=2,
    )  # fmt: skip
    draw_bars(
        panel, axis, middles, marks["lower"], marks["upper"], width=1.4 * scale, colour=BETTER
    )
    is_comparator = marks.index.astype(str) == ask("comparator")
    for own, face in ((~is_comparator, BETTER), (is_comparator, "white")):
        panel.plot(
            marks["estimate"][own], middles[own], linestyle="none", marker="o",
            markersize=5.5 * scale, markerfacecolor=face, markeredgecolor=INK,
            markeredgewidth=0.9 * scale, zorder=4,
        )  # fmt: skip


def _draw_names(ax: Axes, marks: pd.DataFrame, plan: _Plan, scale: float) -> None:
    """Write the names at the right in the order of SUCRA, each with a line from its height."""
    edge = LEFT + plan.size[0]
    for label, middle, share in zip(plan.labels, plan.middles, marks["sucra"], strict=True):
        start, end = plan.base + plan.level(share), plan.base + middle
        ax.plot(
            [edge, edge + 0.08, edge + LEAD - 0.08, edge + LEAD - 0.03], [start, start, end, end],
            color=LINE, linewidth=0.7 * scale,
        )  # fmt: skip
        ax.text(
            edge + LEAD, end, label, fontsize=SIZES.small * scale, va="center", linespacing=1.1,
            parse_math=False,
        )  # fmt: skip


def _draw_words(ax: Axes, plan: _Plan, scale: float) -> None:
    y = plan.base - 0.24
    plan.sides.write(ax, LEFT, y, scale=scale)
    middle, below = LEFT + plan.size[0] / 2, y - plan.sides.height - 0.03
    ax.text(
        middle, below, plan.measure, fontsize=SIZES.body * scale, ha="center", va="top",
        parse_math=False, linespacing=1.1,
    )  # fmt: skip
    up = plan.base + plan.size[1] / 2
    ax.text(0.16, up, "SUCRA", fontsize=SIZES.body * scale, rotation=90, ha="center", va="center")


@figure(marks, draw)
def sucra_against_effect(
    posterior: Posterior,
    *,
    comparator: str | None = None,
    level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw the SUCRA of every treatment against its effect, both with intervals.

    A high SUCRA says that a treatment is surely better than most, not by how much: one far up but
    near no effect is first among equals. The interval of the SUCRA is that of the share of the
    others that the treatment beats, as ``nma.sucra`` defines it.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    comparator : str, optional
        Whom effects are against; the network's reference if not given.
    level : float, default 0.95
        Probability of the equal-tailed intervals.
    ax : Axes, optional
        Where to draw. A figure of its own if not given, as large as the names need.

    Returns
    -------
    Axes
        The sheet; the plot is its one ``child_axes``. Shows itself in a notebook;
        ``.figure.savefig("sucra.svg")`` writes a file.

    Raises
    ------
    ModelError
        If there is one treatment alone, the comparator is unknown, or the level is not between
        0 and 1.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> picture = nma.plots.sucra_against_effect(posterior)
    >>> marks = nma.plots.sucra_against_effect.marks(posterior)
    >>> marks.index[0], float(marks["sucra"].iloc[0].round(2))
    ('multimodal care', 0.87)

    References
    ----------
    Salanti et al. 2011, doi:10.1016/j.jclinepi.2010.03.016.
    """
    return draw(marks(posterior, comparator=comparator, level=level), ax=ax)
