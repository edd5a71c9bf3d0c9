"""Influence of trials: a row for each trial, a column for tau and for every effect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd

from nma.errors import ModelError
from nma.plots._axis import typeset
from nma.plots._canvas import finished, sheet
from nma.plots._figure import figure
from nma.plots._journal import paged
from nma.plots._style import DEEP, GREY, INK, LINE, SIZES, on_page, styled
from nma.plots._text import SPACING, extent, fitted, foot, foot_lines, head, head_lines, told
from nma.posterior import Posterior
from nma.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nma.plots._text import Line

__all__ = ["influence"]

NARROW, WIDE = 0.8, 1.3
"""Least and greatest width of a column, in inches: as its longest word asks."""

HIGH = 0.22
"""Height of a row, in inches."""

LABEL = 2.2
"""Width of a trial's name, in inches, beyond which its middle is left out."""

NARROWEST = 4.6
"""Width of the narrowest picture, in inches, so that its words have room."""

FULL = 1.0
"""Shift at which a cell is as dark as it gets, in posterior standard deviations."""

MARGIN = 0.12
"""Room around the picture, in inches."""

DASH = "\N{EN DASH}"
"""What stands where an answer is not estimable."""


def marks(check: Table) -> Table:
    """Return what a picture of influence shows.

    Parameters
    ----------
    check : Table
        What ``nma.checks.leave_one_study_out`` returned.

    Returns
    -------
    Table
        By ``study``, first those without which something is not estimable, then those that move an
        answer most: the shift of every scale such as tau and of every effect, in posterior
        standard deviations, a column each; NaN where it is not estimable.

    Raises
    ------
    ModelError
        If it is no such table.
    """
    _require_check(check)
    against = check.attrs["comparator"]
    columns = {
        str(name).removesuffix(f" vs {against}"): rows["shift"].droplevel("quantity")
        for name, rows in pd.DataFrame(check).groupby("quantity", sort=False)
        if name != against
    }
    shift = pd.DataFrame(columns)
    most = shift.abs().max(axis=1).where(shift.notna().all(axis=1), np.inf)
    order = np.argsort(-most.to_numpy(), kind="stable")
    result = Table(shift.iloc[order], caption=check.caption)
    result.attrs = {**check.attrs, "text": _sentence(check)}
    return result


def _require_check(check: object) -> None:
    if isinstance(check, Table) and check.index.names == ["study", "quantity"]:
        return
    call = "nma.plots.influence(nma.checks.leave_one_study_out(posterior))"
    how = f": {call}" if isinstance(check, Posterior) else f", such as {call}"
    message = (
        "influence draws what nma.checks.leave_one_study_out returned; this is a "
        f"{type(check).__name__}{how}."
    )
    raise ModelError(message)


def _sentence(check: Table) -> str:
    say = check.attrs
    absent = f" Not fitted: {', '.join(say['absent'])}." if say["absent"] else ""
    poor = f" POOR FIT, do not rely on: {', '.join(say['doubted'])}." if say["doubted"] else ""
    lost = f" {DASH}: not estimable without the trial." if say["not_estimable"] else ""
    against = say["comparator"]
    quantities = [str(name) for name in check.index.unique("quantity") if name != against]
    has_scales = not all(name.endswith(f" vs {against}") for name in quantities)
    what = "the median of tau or the estimate of an effect" if has_scales else "an estimate"
    first = "those without which something is not estimable first, " if lost else ""
    return (
        f"How far {what} moves when the trial is left out, in standard deviations of the fit of "
        f"all trials, darkest at {FULL:g} and more. "
        f"Trials: {first}{'then ' if lost else ''}those that move most{'' if lost else ' first'}."
        f"{lost}{absent}{poor}"
    )


@final
@dataclass(frozen=True, eq=False)
class _Plan:
    """Sizes in inches, y upward from the lower edge."""

    marks: pd.DataFrame
    ask: Callable[[str], Any]

    @cached_property
    def labels(self) -> list[str]:
        """Names of the trials."""
        return [fitted(str(name), on_page(LABEL), SIZES.small, most=1) for name in self.marks.index]

    @cached_property
    def wide(self) -> float:
        """Width of a column."""
        words = [word for name in self.marks.columns for word in str(name).split()]
        longest = max(extent(word, SIZES.small, weight="bold")[0] for word in words)
        return min(max(on_page(NARROW), 0.45, longest + 0.1), on_page(WIDE))

    @cached_property
    def heads(self) -> list[str]:
        """What stands above each column."""
        room = self.wide - 0.06
        return [
            fitted(str(n), room, SIZES.small, most=5, weight="bold") for n in self.marks.columns
        ]

    @cached_property
    def left(self) -> float:
        """Room for the names of the trials."""
        return MARGIN + 0.1 + max(extent(label, SIZES.small)[0] for label in self.labels)

    @cached_property
    def above(self) -> float:
        """Room for what stands above the columns."""
        return max(text.count("\n") + 1 for text in self.heads) * SPACING * SIZES.small / 72 + 0.12

    @property
    def width(self) -> float:
        """Width of the picture."""
        return max(on_page(NARROWEST), self.left + len(self.heads) * self.wide + MARGIN)

    @cached_property
    def title(self) -> list[Line]:
        """Lines above."""
        words = f"Influence of trials: {self.ask('measure')} versus {self.ask('comparator')}"
        return head_lines(words, self.ask("poor"), self.width - 2 * MARGIN)

    @cached_property
    def notes(self) -> list[Line]:
        """Lines below."""
        return foot_lines(self.ask("text"), self.ask("data"), self.width - 2 * MARGIN)

    @property
    def bottom(self) -> float:
        """Lower edge of the cells."""
        return 2 * MARGIN + head(self.notes)

    @property
    def top(self) -> float:
        """Upper edge of the cells."""
        return self.bottom + len(self.labels) * HIGH

    @property
    def height(self) -> float:
        """Height of the picture."""
        return self.top + self.above + head(self.title) + MARGIN


@paged
def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of influence, as ``nma.plots.Drawing`` says."""
    with styled():
        plan = _Plan(marks, told(marks, "influence"))
        title, notes = plan.title, plan.notes  # refuse marks without words before drawing
        axes, scale = sheet(ax, plan.width, plan.height)
        _draw_names(axes, plan, scale)
        _draw_cells(axes, plan, scale)
        foot(axes, title, MARGIN, plan.height - 0.05, scale=scale)
        foot(axes, notes, MARGIN, MARGIN + head(notes), scale=scale)
    return finished(axes)


def _draw_names(ax: Axes, plan: _Plan, scale: float) -> None:
    """Write trials to the left of the rows and answers above the columns."""
    look: dict[str, Any] = {
        "fontsize": SIZES.small * scale,
        "parse_math": False,
        "linespacing": 1.1,
    }
    for row, label in enumerate(plan.labels):
        y = plan.top - (row + 0.5) * HIGH
        ax.text(plan.left - 0.1, y, label, ha="right", va="center", **look)
    for column, label in enumerate(plan.heads):
        x = plan.left + (column + 0.5) * plan.wide
        ax.text(x, plan.top + 0.06, label, ha="center", va="bottom", fontweight="bold", **look)


def _draw_cells(ax: Axes, plan: _Plan, scale: float) -> None:
    """Draw a cell for each shift, the darker the further, with its number."""
    from matplotlib.colors import LinearSegmentedColormap

    shade = LinearSegmentedColormap.from_list("influence", ["#ffffff", DEEP])
    shift = plan.marks.to_numpy(dtype=float)
    rows, columns = shift.shape
    x: Any = plan.left + plan.wide * np.arange(columns + 1)
    y: Any = plan.top - HIGH * np.arange(rows + 1)
    size = np.nan_to_num(np.minimum(np.abs(shift) / FULL, 1.0))
    ax.pcolormesh(
        x, y, size, cmap=shade, vmin=0, vmax=1, edgecolors=LINE, linewidth=0.5 * scale, zorder=1
    )
    for (row, column), value in np.ndenumerate(shift):
        known = bool(np.isfinite(value))
        ax.text(
            x[column] + plan.wide / 2, y[row] - HIGH / 2, _number(value) if known else DASH,
            ha="center", va="center", fontsize=SIZES.small * scale, color=INK if known else GREY,
            parse_math=False,
        )  # fmt: skip


def _number(shift: float) -> str:
    text = f"{shift:+.2f}"
    return typeset("0.00" if float(text) == 0 else text)


@figure(marks, draw)
def influence(check: Table, *, ax: Axes | None = None) -> Axes:
    """Draw how far each trial moves tau and every effect.

    A row is a trial, those that matter most first; a column is tau or the effect of a
    treatment. A cell says how far the answer moves when the trial is left out, in posterior
    standard deviations.

    Parameters
    ----------
    check : Table
        What ``nma.checks.leave_one_study_out`` returned.
    ax : Axes, optional
        Where to draw. A figure of its own if not given, as large as the cells need.

    Returns
    -------
    Axes
        Shows itself in a notebook; ``.figure.savefig("influence.svg")`` writes a file.

    Raises
    ------
    ModelError
        If it is given something else.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> check = nma.checks.leave_one_study_out(posterior)
    >>> picture = nma.plots.influence(check)
    >>> nma.plots.influence.marks(check).columns.tolist()
    ['tau', 'individualised exercise', 'multimodal care', 'standard exercise']
    """
    return draw(marks(check), ax=ax)
