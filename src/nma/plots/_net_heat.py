"""Net heat: which designs disagree, in colours, and how much each tells of the other, in grey."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nma.errors import ModelError
from nma.plots._axis import numeral, ticks_between
from nma.plots._canvas import finished, sheet
from nma.plots._figure import figure
from nma.plots._journal import paged
from nma.plots._style import BETTER, DARK, GREY, SIZES, WORSE, on_page, styled
from nma.plots._text import design_label, extent, foot, foot_lines, head, head_lines, told
from nma.posterior import Posterior
from nma.tables import Table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

    from nma.plots._text import Line

__all__ = ["net_heat"]

CELL, LABEL, BAR = 0.3, 2.6, 1.1
"""Side of a cell, the widest name, and room for the colour bar, in inches."""

LINES = 0.26
"""Height of two lines of a name, in inches, which no row is lower than."""

TEXT = (
    "Colour: how much Q of the row's design falls when the column's is detached, {held}. Orange: "
    "it falls, so the two disagree; blue: it rises, so they agree against the rest; on the "
    "diagonal its own Q. Grey squares: how much of the row's estimate goes through the column's "
    "design; a full cell is all of it. Columns are numbered as the rows."
)
"""What the picture says below itself."""


def _cell() -> float:
    return max(on_page(CELL), LINES)


def marks(check: Table) -> Table:
    """Return what a net heat plot shows.

    Parameters
    ----------
    check : Table
        What ``nma.checks.net_heat`` returned.

    Returns
    -------
    Table
        For each ``design`` and each that is ``detached`` the ``change`` of Q and the ``flow``.

    Raises
    ------
    ModelError
        If it is no such table, or no two designs can disagree.
    """
    _require_check(check)
    if check.empty:
        message = "No two designs tell of the same comparison: there is no inconsistency to draw."
        raise ModelError(message)
    order = _order(check)
    names = [str(check.index[k]) for k in order]
    change = check.to_numpy(dtype=float)[np.ix_(order, order)]
    flow = np.array(check.attrs["flow"])[np.ix_(order, order)]
    result = Table(
        {
            "design": np.repeat(names, len(names)),
            "detached": np.tile(names, len(names)),
            "change": change.ravel(),
            "flow": flow.ravel(),
        },
        caption=check.caption,
    )
    said = check.attrs
    result.attrs = {
        "poor": said["poor"],
        "data": said["data"],
        "text": TEXT.format(held=check.attrs["held"]),
    }
    return result


def _require_check(check: object) -> None:
    if isinstance(check, Table) and check.columns.name == "detached":
        return
    call = "nma.plots.net_heat(nma.checks.net_heat(posterior))"
    how = f": {call}" if isinstance(check, Posterior) else f", such as {call}"
    message = (
        f"net_heat draws what nma.checks.net_heat returned; this is a {type(check).__name__}{how}."
    )
    raise ModelError(message)


def _order(check: Table) -> list[int]:
    """Return designs so that those that change together stand together."""
    change = check.to_numpy(dtype=float)
    if len(change) < 3:
        return list(range(len(change)))
    from scipy.cluster.hierarchy import leaves_list, linkage

    profile = np.column_stack([change, change.T])
    return [int(k) for k in leaves_list(linkage(profile, "average", optimal_ordering=True))]


@final
@dataclass(frozen=True, eq=False)
class _Plan:
    """Sizes in inches, y upward from the lower edge."""

    marks: pd.DataFrame
    ask: Callable[[str], Any]

    @cached_property
    def names(self) -> list[str]:
        """Names of the designs, in their order."""
        return [str(name) for name in dict.fromkeys(self.marks["design"])]

    @cached_property
    def labels(self) -> list[str]:
        """The same as they are written."""
        return [design_label(name, on_page(LABEL), SIZES.small) for name in self.names]

    @cached_property
    def left(self) -> float:
        """Room for names and numbers of rows."""
        return 0.5 + max(extent(label, SIZES.small)[0] for label in self.labels)

    @property
    def width(self) -> float:
        """Width of the picture."""
        return max(self.left + len(self.names) * _cell() + BAR, on_page(4.2))

    @cached_property
    def title(self) -> list[Line]:
        """Lines above the cells."""
        return head_lines("Net heat: designs that disagree", self.ask("poor"), self.width - 0.2)

    @cached_property
    def notes(self) -> list[Line]:
        """Lines below them."""
        return foot_lines(self.ask("text"), self.ask("data"), self.width - 0.2)

    @property
    def base(self) -> float:
        """Lower edge of the cells, or of the colour bar where that is longer."""
        spare = max(0.0, 1.6 - len(self.names) * _cell())
        return 0.25 + head(self.notes) + spare

    @property
    def top(self) -> float:
        """Upper edge of the cells."""
        return self.base + len(self.names) * _cell()

    @property
    def height(self) -> float:
        """Height of the picture."""
        return self.top + 0.35 + head(self.title) + 0.1


@paged
def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of a net heat plot, as ``nma.plots.Drawing`` says."""
    with styled():
        plan = _Plan(marks, told(marks, "net_heat"))
        plan.ask("text")
        axes, scale = sheet(ax, plan.width, plan.height)
        farthest = max(float(marks["change"].abs().max()), 1.0)
        _draw_cells(axes, plan, farthest)
        _draw_names(axes, plan, scale)
        _draw_scale(axes, plan, farthest, scale)
        foot(axes, plan.title, 0.1, plan.height - 0.05, scale=scale)
        foot(axes, plan.notes, 0.1, 0.1 + head(plan.notes), scale=scale)
    return finished(axes)


def _colours() -> Colormap:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("heat", [BETTER, "#ffffff", WORSE])


def _draw_cells(ax: Axes, plan: _Plan, farthest: float) -> None:
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    count = len(plan.names)
    change, flow = (plan.marks[name].to_numpy(dtype=float) for name in ("change", "flow"))
    across = plan.left + _cell() * np.arange(count + 1)
    down = plan.top - _cell() * np.arange(count + 1)
    ax.pcolormesh(
        across, down, change.reshape(count, count), cmap=_colours(), vmin=-farthest, vmax=farthest,
        edgecolors="#d9d9d9", linewidth=0.5,
    )  # fmt: skip
    squares = []
    for k, share in enumerate(flow):
        row, column = divmod(k, count)
        edge = 0.9 * _cell() * float(np.sqrt(min(share, 1.0)))
        x, y = plan.left + (column + 0.5) * _cell(), plan.top - (row + 0.5) * _cell()
        squares.append(Rectangle((x - edge / 2, y - edge / 2), edge, edge))
    ax.add_collection(PatchCollection(squares, facecolor="none", edgecolor=GREY, linewidth=0.8))


def _draw_names(ax: Axes, plan: _Plan, scale: float) -> None:
    look: dict[str, Any] = {"fontsize": SIZES.small * scale, "va": "center", "parse_math": False}
    for k, label in enumerate(plan.labels):
        y, x = plan.top - (k + 0.5) * _cell(), plan.left + (k + 0.5) * _cell()
        ax.text(plan.left - 0.32, y, label, ha="right", linespacing=1.05, **look)
        ax.text(plan.left - 0.06, y, str(k + 1), ha="right", **look)
        ax.text(x, plan.top + 0.11, str(k + 1), ha="center", **look)


def _draw_scale(ax: Axes, plan: _Plan, farthest: float, scale: float) -> None:
    """Draw the colour bar, from disagreement at the top to agreement below."""
    x = plan.left + len(plan.names) * _cell() + 0.2
    top = plan.top - 0.15
    low = max(plan.top - 3.0, min(plan.base, plan.top - 1.5)) + 0.15
    steps = np.linspace(low, top, 65)
    shade = np.linspace(-farthest, farthest, 64)[:, None]
    ax.pcolormesh(
        [x, x + 0.14], steps, shade, cmap=_colours(), vmin=-farthest, vmax=farthest,
        edgecolors="face", linewidth=0.4 * scale,
    )  # fmt: skip
    for value in ticks_between(-farthest, farthest, 5, ratio=False):
        y = low + (value + farthest) / (2 * farthest) * (top - low)
        ax.plot([x + 0.14, x + 0.18], [y, y], color=DARK, linewidth=0.7 * scale)
        ax.text(x + 0.22, y, numeral(value), fontsize=SIZES.small * scale, va="center")
    look: dict[str, Any] = {"fontsize": SIZES.small * scale, "color": DARK, "va": "center"}
    ax.text(x, top + 0.11, "disagree", **look)
    ax.text(x, low - 0.11, "agree", **look)


@figure(marks, draw)
def net_heat(check: Table, *, ax: Axes | None = None) -> Axes:
    """Draw which designs disagree: how Q of each changes when another is detached.

    Designs that change together stand together. A warm cell off the diagonal
    is a pair of designs that contradict each other; a warm column is one whose detaching makes
    many fit better.

    Parameters
    ----------
    check : Table
        What ``nma.checks.net_heat`` returned.
    ax : Axes, optional
        Where to draw. A figure of its own if not given, as large as the designs need.

    Returns
    -------
    Axes
        Shows itself in a notebook; ``.figure.savefig("heat.svg")`` writes a file.

    Raises
    ------
    ModelError
        If it is given something else, or no two designs can disagree.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("senn2013"))
    >>> check = nma.checks.net_heat(posterior)
    >>> picture = nma.plots.net_heat(check)
    >>> len(nma.plots.net_heat.marks(check))
    121

    References
    ----------
    Krahn, Binder and Koenig 2013, doi:10.1186/1471-2288-13-35.
    """
    return draw(marks(check), ax=ax)
