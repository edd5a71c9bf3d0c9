"""The forest of effects: every treatment against one comparator, with its intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd

from nma.effects import effect_table
from nma.errors import ModelError
from nma.estimates import centre, interval_name, scale_name
from nma.plots._axis import Axis, axis_of, numeral, typeset
from nma.plots._canvas import inches, owned
from nma.plots._figure import figure
from nma.plots._style import BETTER, BODY, DARK, INK, SMALL, styled
from nma.plots._text import (
    extent,
    fitted,
    foot,
    foot_lines,
    head,
    head_lines,
    interval,
    plain,
    told,
    words,
)
from nma.posterior import require_several
from nma.tables import Table, decimals

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from nma.plots._text import Line
    from nma.posterior import Posterior

__all__ = ["forest"]

PLOT = 3.4
"""Width of the axes in a figure of their own, in inches."""

LABEL = 2.4
"""Width of a label, in inches, beyond which it takes a second line."""

ROW = 0.27
"""Height of a row, in inches; more where a label takes two lines."""


def marks(
    posterior: Posterior,
    *,
    comparator: str | None = None,
    level: float = 0.95,
    predictive: bool = True,
    order: Sequence[str] | None = None,
) -> Table:
    """Return what a forest shows.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    comparator : str, optional
        The network's reference if not given.
    level : float, default 0.95
        Probability of the equal-tailed intervals.
    predictive : bool, default True
        Whether to add the interval of the effect in one new trial.
    order : sequence of str, optional
        The treatments to show, from the top; all, the best estimate first, if not given.

    Returns
    -------
    Table
        By treatment: the rows of ``effect_table``, and ``text`` as written beside each.

    Raises
    ------
    ModelError
        If a treatment is unknown, or the level is not between 0 and 1.
    """
    require_several(order, "order")
    against = posterior.comparator if comparator is None else comparator
    table = effect_table(posterior, comparators=[against], level=level, predictive=predictive)
    if table.empty:
        message = f"{against!r} is alone: ask about a treatment to compare it with."
        raise ModelError(message)
    found = pd.DataFrame(table).droplevel("comparator")
    found = found.loc[_order(posterior, found, against, order)]
    digits = decimals(found["sd"].to_numpy())
    columns = (found[name] for name in ("estimate", "lower", "upper", "mcse"))
    text = [interval(*row, digits=digits) for row in zip(*columns, strict=True)]
    result = Table(found.assign(text=text), caption=table.caption, digits=table.digits)
    result.attrs = {
        **words(posterior, _sentence(posterior, level, _thin(found))),
        "comparator": against,
        "level": level,
    }
    return result


def _order(
    posterior: Posterior, found: pd.DataFrame, comparator: str, order: Sequence[str] | None
) -> list[str]:
    if order is None:
        rising = posterior.network.better == "lower"
        return list(found.sort_values("mean", ascending=rising, kind="stable").index)
    names = [name for name in dict.fromkeys(order) if name != comparator]
    for name in names:
        posterior.position(name)
    if not names:
        message = f"order={list(order)!r} names no treatment besides the comparator {comparator!r}."
        raise ModelError(message)
    return names


def _thin(found: pd.DataFrame) -> str:
    """Return what the thin lines are, if there are any."""
    if "predictive_lower" not in found:
        return ""
    if _same(found):
        return ", also of the effect in one new trial, since there is no heterogeneity"
    return "; thin line: interval of the effect in one new trial like these"


def _same(found: pd.DataFrame) -> bool:
    """Return whether a new trial is as certain as the mean effect."""
    ends = (found[f"predictive_{end}"] - found[end] for end in ("lower", "upper"))
    width = found["upper"] - found["lower"]
    return bool(max(float((end.abs() / width).max()) for end in ends) < 1e-9)


def _sentence(posterior: Posterior, level: float, thin: str) -> str:
    log = f" of the {scale_name(posterior)}" if posterior.network.ratio else ""
    return (
        f"Square: {centre(posterior)}{log}; thick line: {interval_name(posterior, level)}{thin}. "
        f"{posterior.network.measure}, {posterior.network.better} is better."
    )


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
    sides: tuple[str, str]
    notes: list[Line]

    @property
    def stacked(self) -> bool:
        """Whether the two directions take a line each."""
        needed = sum(extent(text, SMALL)[0] for text in self.sides)
        return needed + 0.2 > self.width

    @property
    def top(self) -> float:
        """Room above the axes: the title, and the heading of the numbers."""
        return head(self.title) + 0.42

    @property
    def below(self) -> float:
        """Room between the axes and the notes: tick labels, directions, measure."""
        return 0.62 + 0.14 * self.stacked

    @property
    def bottom(self) -> float:
        """Room below the axes."""
        return self.below + head(self.notes) + 0.1


def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of a forest.

    Parameters
    ----------
    marks : DataFrame
        What ``nma.plots.forest.marks`` returned, or a changed copy.
    ax : Axes, optional
        Where to draw; names stand to its left and numbers to its right, so make it with
        ``layout="constrained"`` or leave room. A figure of its own if not given.

    Returns
    -------
    Axes
    """
    with styled():
        ask = told(marks, "forest")
        plan = _planned(marks, ask, None if ax is None else inches(ax)[0])
        axes = _own(plan) if ax is None else ax
        axis = axis_of(marks, ratio=ask("ratio"))
        scale = min(1.0, inches(axes)[1] / sum(plan.heights))
        _draw_axis(axes, axis, plan)
        _draw_rows(axes, marks, axis, plan)
        _draw_names(axes, marks, plan, scale)
        _draw_words(axes, plan, ask)
    return axes


def _own(plan: _Plan) -> Axes:
    size = (plan.width, sum(plan.heights))
    return owned(size, left=plan.left, right=plan.right, top=plan.top, bottom=plan.bottom)


def _planned(marks: pd.DataFrame, ask: Callable[[str], Any], given: float | None) -> _Plan:
    """Return the plan; axes of a ``given`` width may yet shrink to leave room beside them."""
    labels = [fitted(str(name), LABEL, BODY) for name in marks.index]
    left = max(extent(label, BODY)[0] for label in labels) + 0.25
    numbers = [extent(typeset(text), BODY)[0] for text in marks["text"]]
    right = max(*numbers, extent(_heading(ask), BODY, weight="bold")[0]) + 0.25
    width = PLOT if given is None else max(given - left - right, 1.0)
    whole = left + width + right - 0.2
    return _Plan(
        labels=labels,
        heights=[max(ROW, extent(label, BODY)[1] + 0.08) for label in labels],
        left=left,
        right=right,
        width=width,
        title=head_lines(f"{ask('measure')} versus {ask('comparator')}", ask("poor"), whole),
        sides=_sides(marks, ask, width),
        notes=foot_lines(ask("text"), ask("data"), whole),
    )


def _heading(ask: Callable[[str], Any]) -> str:
    return f"{plain(ask('measure'))} ({100 * ask('level'):g}% interval)"


def _sides(marks: pd.DataFrame, ask: Callable[[str], Any], width: float) -> tuple[str, str]:
    """Return what lies to the left and to the right of no effect."""
    treatment = str(marks.index[0]) if len(marks) == 1 else "the treatment"
    names = [treatment, ask("comparator")]
    if ask("better") == "higher":
        names.reverse()
    first, second = (fitted(f"favours {name}", width - 0.2, SMALL, most=1) for name in names)
    return f"← {first}", f"{second} →"


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


def _draw_rows(ax: Axes, marks: pd.DataFrame, axis: Axis, plan: _Plan) -> None:
    middles = _middles(plan)
    edges = np.cumsum([0.0, *plan.heights])
    for top, bottom in zip(edges[:-1:2], edges[1::2], strict=False):
        ax.axhspan(top, bottom, color="#f4f4f4", linewidth=0, zorder=0)
    if "predictive_lower" in marks and not _same(marks):
        low, high = marks["predictive_lower"], marks["predictive_upper"]
        _draw_bars(ax, axis, middles, low, high, width=1.1, colour=DARK)
    _draw_bars(ax, axis, middles, marks["lower"], marks["upper"], width=4.2, colour=BETTER)
    ax.plot(
        marks["estimate"], middles, linestyle="none", marker="s", markersize=6.5, zorder=4,
        markerfacecolor="white", markeredgecolor=INK, markeredgewidth=1.2,
    )  # fmt: skip


def _draw_bars(
    ax: Axes,
    axis: Axis,
    middles: NDArray[np.float64],
    lower: pd.Series,
    upper: pd.Series,
    *,
    width: float,
    colour: str,
) -> None:
    """Draw intervals, with arrows where they go on beyond the axis."""
    low, high = np.maximum(lower, axis.low), np.minimum(upper, axis.high)
    ax.hlines(middles, low, high, color=colour, linewidth=width, zorder=3, capstyle="butt")
    beyond = ((lower < axis.low, axis.low, "<"), (upper > axis.high, axis.high, ">"))
    for cut, end, marker in beyond:
        if cut.any():
            ax.plot(
                np.full(int(cut.sum()), end), middles[cut.to_numpy()], linestyle="none",
                marker=marker, color=colour, markersize=2 + width, clip_on=False, zorder=3,
            )  # fmt: skip


def _draw_names(ax: Axes, marks: pd.DataFrame, plan: _Plan, scale: float) -> None:
    ax.set_yticks(_middles(plan), plan.labels, fontsize=BODY * scale, linespacing=1.1)
    ax.tick_params(axis="y", length=0, pad=6)
    for label in ax.get_yticklabels():
        label.set_parse_math(False)
    for middle, text in zip(_middles(plan), marks["text"], strict=True):
        ax.annotate(
            typeset(text), xy=(1, middle), xytext=(9, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", va="center", fontsize=BODY * scale, annotation_clip=False,
        )  # fmt: skip


def _draw_words(ax: Axes, plan: _Plan, ask: Callable[[str], Any]) -> None:
    def write(text: str, at: tuple[float, float], offset: tuple[float, float], **look: Any) -> None:
        ax.annotate(
            text, at, xytext=offset, xycoords="axes fraction", textcoords="offset points",
            va="top", parse_math=False, annotation_clip=False, **look,
        )  # fmt: skip

    drop = 10 * plan.stacked
    write(plan.sides[0], (0, 0), (0, -20), fontsize=SMALL, color=DARK, ha="left")
    write(plan.sides[1], (1, 0), (0, -20 - drop), fontsize=SMALL, color=DARK, ha="right")
    scale = " (log scale)" if ask("ratio") else ""
    label = fitted(f"{ask('measure')}{scale}", plan.width, BODY, most=1)
    write(label, (0.5, 0), (0, -31 - drop), fontsize=BODY, ha="center")
    heading = plain(_heading(ask))
    write(heading, (1, 1), (9, 14), fontsize=BODY, fontweight="bold", ha="left")
    foot(ax, plan.title, 0.1 - plan.left, plan.top - 0.08, corner=1)
    foot(ax, plan.notes, 0.1 - plan.left, -plan.below, corner=0)


@figure(marks, draw)
def forest(
    posterior: Posterior,
    *,
    comparator: str | None = None,
    level: float = 0.95,
    predictive: bool = True,
    order: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the effects of all treatments against one comparator.

    A square is the posterior mean, a thick line the credible interval of the mean effect, a thin
    line the interval of the effect in one new trial. The sides of no effect say whom they favour;
    ratio measures stand on a log axis. An interval that goes on beyond the axis ends in an arrow.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    comparator : str, optional
        The network's reference if not given.
    level : float, default 0.95
        Probability of the equal-tailed intervals.
    predictive : bool, default True
        Whether to add the interval of the effect in one new trial.
    order : sequence of str, optional
        The treatments to show, from the top; all, the best estimate first, if not given.
    ax : Axes, optional
        Where to draw; names stand to its left and numbers to its right, so make it with
        ``layout="constrained"`` or leave room. A figure of its own if not given.

    Returns
    -------
    Axes
        Shows itself in a notebook; ``.figure.savefig("forest.svg")`` writes a file.

    Raises
    ------
    ModelError
        If a treatment is unknown, or the level is not between 0 and 1.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> picture = nma.plots.forest(posterior, comparator="passive control")
    >>> nma.plots.forest.marks(posterior, comparator="passive control")["text"].iloc[0]
    '-1.72 (-2.57, -0.89)'
    """
    return draw(
        marks(posterior, comparator=comparator, level=level, predictive=predictive, order=order),
        ax=ax,
    )
