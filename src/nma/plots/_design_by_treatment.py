"""Q by design: what each design adds within itself, and what is left when it is detached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd

from nma.errors import ModelError
from nma.plots._axis import numeral, ticks_between
from nma.plots._canvas import finished, sheet
from nma.plots._figure import figure
from nma.plots._journal import paged
from nma.plots._style import BETTER, DARK, LINE, SIZES, WORSE, on_page, styled
from nma.plots._text import SPACING, design_label, extent, foot, foot_lines, head, head_lines, told
from nma.posterior import Posterior
from nma.tables import Table, probability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nma.plots._text import Line

__all__ = ["design_by_treatment"]

PANEL, NUMBERS, GAP = 1.65, 1.05, 0.2
"""Width of a panel, of the numbers beside it, and between panels, in inches."""

ROW, LABEL, BELOW = 0.22, 2.6, 0.28
"""Height of a row, the widest name, and room for the numbers of the axes, in inches."""

PANELS = {"within": "Q within the design", "detached": "Q between, it detached"}
"""Parts that are drawn, and what stands above them."""


def marks(check: Table) -> Table:
    """Return what a picture of Q by design shows.

    Parameters
    ----------
    check : Table
        What ``nma.checks.design_by_treatment`` returned.

    Returns
    -------
    Table
        For each ``design`` and ``part`` (within, detached) its ``Q``, ``df`` and ``p``; what
        has no degree of freedom is left out.

    Raises
    ------
    ModelError
        If it is no such table, or nothing in it can disagree.
    """
    _require_check(check)
    rows = pd.DataFrame(check).reset_index()
    rows = rows[rows["part"].isin(list(PANELS))]
    told_ = (rows["part"] == "detached") | (rows["df"] > 0)
    if not told_.any():
        message = (
            "No design has two trials and no two designs tell of the same comparison: there is no "
            "Q by design to draw."
        )
        raise ModelError(message)
    order = list(dict.fromkeys(rows["design"]))
    kept = rows[told_].sort_values(
        "design", key=lambda names: names.map(order.index), kind="stable"
    )
    kept = kept[["design", "part", "Q", "df", "p"]].reset_index(drop=True)
    result = Table(kept, caption=check.caption)
    result.attrs = {**check.attrs, "text": _sentence(check)}
    return result


def _require_check(check: object) -> None:
    if isinstance(check, Table) and check.index.names == ["part", "design"]:
        return
    call = "nma.plots.design_by_treatment(nma.checks.design_by_treatment(posterior))"
    how = f": {call}" if isinstance(check, Posterior) else f", such as {call}"
    message = (
        "design_by_treatment draws what nma.checks.design_by_treatment returned; this is a "
        f"{type(check).__name__}{how}."
    )
    raise ModelError(message)


def _sentence(check: Table) -> str:
    Q, df, p = check.attrs["between"]
    random, _, chance, tau = check.attrs["random"]
    shown = "" if np.isnan(tau) else f" at tau {tau:.3g}: Q {random:.2f}, p {probability(chance)}."
    under = f" Under random effects{shown}" if shown else ""
    whole = f"Q between designs {Q:.2f} on {df} df, p {probability(p)}.{under}" if df else ""
    return (
        "Bars: Q under a common effect; tick: what is expected, its degrees of freedom. Left: "
        "trials of one design against each other. Right: what is left between designs when this "
        f"one has effects of its own, beside the dashed line with none detached.\n{whole}"
    )


@final
@dataclass(frozen=True, eq=False)
class _Plan:
    """Sizes in inches, y upward from the lower edge."""

    marks: pd.DataFrame
    ask: Callable[[str], Any]

    @cached_property
    def designs(self) -> list[str]:
        """Names of the designs, in their order."""
        return list(dict.fromkeys(self.marks["design"]))

    @cached_property
    def labels(self) -> list[str]:
        """The same as they are written."""
        return [design_label(str(name), on_page(LABEL), SIZES.small) for name in self.designs]

    @cached_property
    def at(self) -> list[float]:
        """Heights of the middles of the rows above the lowest edge of the panels."""
        sizes = [max(ROW, extent(label, SIZES.small)[1] + 0.06) for label in self.labels]
        edges = np.r_[0.0, np.cumsum(sizes)]
        return [float(x) for x in edges[-1] - (edges[1:] + edges[:-1]) / 2]

    @cached_property
    def high(self) -> float:
        """Height of the panels."""
        return sum(max(ROW, extent(label, SIZES.small)[1] + 0.06) for label in self.labels)

    @cached_property
    def left(self) -> float:
        """Room for the names."""
        return 0.2 + max(extent(label, SIZES.small)[0] for label in self.labels)

    @property
    def width(self) -> float:
        """Width of the picture."""
        return self.left + 2 * (on_page(PANEL) + NUMBERS) + GAP + 0.1

    @cached_property
    def title(self) -> list[Line]:
        """Lines above the panels."""
        return head_lines("Q by design", self.ask("poor"), self.width - 0.2)

    @cached_property
    def notes(self) -> list[Line]:
        """Lines below them."""
        return foot_lines(self.ask("text"), self.ask("data"), self.width - 0.2)

    @property
    def base(self) -> float:
        """Lower edge of the panels."""
        return 0.15 + head(self.notes) + BELOW

    @property
    def height(self) -> float:
        """Height of the picture."""
        return self.base + self.high + 0.3 + head(self.title) + 0.1


@paged
def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of Q by design, as ``nma.plots.Drawing`` says."""
    with styled():
        plan = _Plan(marks, told(marks, "design_by_treatment"))
        plan.ask("between")
        axes, scale = sheet(ax, plan.width, plan.height)
        for label, y in zip(plan.labels, plan.at, strict=True):
            axes.text(
                plan.left - 0.1, plan.base + y, label, fontsize=SIZES.small * scale, ha="right",
                va="center", linespacing=1.1, parse_math=False,
            )  # fmt: skip
        for k, part in enumerate(PANELS):
            _draw_panel(axes, plan, part, plan.left + k * (on_page(PANEL) + NUMBERS + GAP), scale)
        foot(axes, plan.title, 0.1, plan.height - 0.05, scale=scale)
        foot(axes, plan.notes, 0.1, plan.base - BELOW - 0.05, scale=scale)
    return finished(axes)


def _draw_panel(ax: Axes, plan: _Plan, part: str, x: float, scale: float) -> None:
    rows = plan.marks[plan.marks["part"] == part]
    between = float(plan.ask("between")[0]) if part == "detached" else 0.0
    reach = 1.05 * max([between, 1.0, *rows["Q"], *rows["df"].astype(float)])
    _draw_axis(ax, plan, x, reach, scale)
    look: dict[str, Any] = {"fontsize": SIZES.small * scale, "va": "center", "color": DARK}
    middle = plan.base + plan.high + 0.15
    ax.text(x, middle, PANELS[part], fontweight="bold", ha="left", **look)
    if rows.empty:
        nothing = "no design has two trials" if part == "within" else "nothing can disagree"
        ax.text(x + 0.1, plan.base + plan.high / 2, nothing, **look)
        return
    ax.text(x + on_page(PANEL) + NUMBERS, middle, "Q (df), p", ha="right", **look)
    if between:
        place = x + on_page(PANEL) * between / reach
        edge = [plan.base, plan.base + plan.high]
        ax.plot([place, place], edge, color=DARK, linewidth=0.9 * scale, linestyle=(0, (3, 2)))
    at = dict(zip(plan.designs, plan.at, strict=True))
    for row in rows.to_dict("records"):
        y, colour = plan.base + at[str(row["design"])], WORSE if part == "within" else BETTER
        _draw_bar(ax, x, y, row, on_page(PANEL) / reach, colour, scale)


def _draw_axis(ax: Axes, plan: _Plan, x: float, reach: float, scale: float) -> None:
    ax.plot([x, x + on_page(PANEL)], [plan.base] * 2, color=LINE, linewidth=0.8 * scale)
    for tick in ticks_between(0.0, reach, 5, ratio=False):
        place = x + on_page(PANEL) * tick / reach
        ax.plot([place] * 2, [plan.base, plan.base - 0.04], color=LINE, linewidth=0.8 * scale)
        ax.text(
            place, plan.base - 0.06 - SPACING * SIZES.small / 144, numeral(tick),
            fontsize=SIZES.small * scale, ha="center", va="center", color=DARK,
        )  # fmt: skip


def _draw_bar(
    ax: Axes, x: float, y: float, row: dict[Any, Any], unit: float, colour: str, scale: float
) -> None:
    from matplotlib.patches import Rectangle

    ax.add_patch(Rectangle((x, y - 0.06), unit * row["Q"], 0.12, color=colour, linewidth=0))
    if row["df"]:
        expected = x + unit * row["df"]
        ax.plot([expected] * 2, [y - 0.09, y + 0.09], color="black", linewidth=1.2 * scale)
    p = f", {probability(row['p'])}" if row["df"] else ""
    ax.text(
        x + on_page(PANEL) + NUMBERS, y, f"{row['Q']:.2f} ({row['df']}){p}",
        fontsize=SIZES.small * scale,
        ha="right", va="center",
    )  # fmt: skip


@figure(marks, draw)
def design_by_treatment(check: Table, *, ax: Axes | None = None) -> Axes:
    """Draw Q by design: within each, and between designs when each is detached.

    A long bar on the left is a design whose own trials disagree: heterogeneity. A bar on the right
    that falls far short of the dashed line is a design that disagrees with the others: without it
    most of the inconsistency is gone.

    Parameters
    ----------
    check : Table
        What ``nma.checks.design_by_treatment`` returned.
    ax : Axes, optional
        Where to draw. A figure of its own if not given, as large as the designs need.

    Returns
    -------
    Axes
        Shows itself in a notebook; ``.figure.savefig("q.svg")`` writes a file.

    Raises
    ------
    ModelError
        If it is given something else, or nothing can disagree.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("senn2013"))
    >>> check = nma.checks.design_by_treatment(posterior)
    >>> picture = nma.plots.design_by_treatment(check)
    >>> len(nma.plots.design_by_treatment.marks(check))
    16

    References
    ----------
    Krahn, Binder and Koenig 2013, doi:10.1186/1471-2288-13-35.
    """
    return draw(marks(check), ax=ax)
