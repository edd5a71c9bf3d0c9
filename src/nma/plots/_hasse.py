"""The Hasse diagram: which treatments are better than which in every outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from nma.errors import ModelError
from nma.plots._canvas import finished, sheet
from nma.plots._figure import figure
from nma.plots._journal import paged
from nma.plots._layers import Layers, layered
from nma.plots._style import DARK, GREY, INK, PAGE, PALE, SIZES, on_page, styled
from nma.plots._text import extent, fitted, foot, foot_lines, head, head_lines, told
from nma.posterior import Posterior
from nma.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["hasse"]

BOXES = (1.15, 1.3, 1.45)
"""Widths of boxes to be tried until all names fit, in inches."""

NARROW = 0.85
"""Width below which no box goes, in inches."""

LEAST = 4.2
"""Width of the picture, in inches, unless the page is narrower."""

LINE = 0.16
"""Height of a line of text in a box, in inches."""


def marks(order: Table) -> Table:
    """Return what a Hasse diagram shows.

    Parameters
    ----------
    order : Table
        What ``nma.decisions.partial_order`` returned.

    Returns
    -------
    Table
        A row for each ``treatment``, with its scores as ``text``; then one for each line, from the
        ``treatment`` to the one ``below`` that it is better than, with none between.

    Raises
    ------
    ModelError
        If it is no such table.
    """
    _require_order(order)
    outcomes = [str(name) for name in order if name not in ("better", "worse", "open")]
    texts = [" / ".join(f"{value:.2f}" for value in row) for row in order[outcomes].to_numpy()]
    nodes = [(str(name), "", text) for name, text in zip(order.index, texts, strict=True)]
    lines = [(better, worse, "") for better, worse in order.attrs["covers"]]
    result = Table(
        pd.DataFrame([*nodes, *lines], columns=["treatment", "below", "text"]),
        caption=order.caption,
    )
    result.attrs = {
        "poor": order.attrs["poor"],
        "text": _sentence(order, outcomes),
        "data": " ".join([*order.attrs["left_out"], order.attrs["data"]]).strip(),
    }
    return result


def _require_order(order: object) -> None:
    if isinstance(order, Table) and "covers" in order.attrs:
        return
    call = 'nma.plots.hasse(nma.decisions.partial_order({"pain": posterior, "harms": other}))'
    how = f": {call}" if isinstance(order, Posterior) else f", such as {call}"
    made_by = "nma.decisions.partial_order"
    message = f"hasse draws what {made_by} returned; this is a {type(order).__name__}{how}."
    raise ModelError(message)


def _sentence(order: Table, outcomes: list[str]) -> str:
    return (
        f"A line downward: the upper treatment is better, since {order.attrs['rule']}; so it is "
        "than all that lines lead down to. Treatments without a way down between them are in no "
        "order: they conflict, or are too alike. Heights mean nothing more. "
        f"{_alone(order)}Numbers: SUCRA in {' / '.join(outcomes)}."
    )


def _alone(order: Table) -> str:
    free = bool((order["open"] == len(order) - 1).any())
    return "White boxes: in no order with any other. " if free else ""


@paged
def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of a Hasse diagram, as ``nma.plots.Drawing`` says."""
    with styled():
        ask = told(marks, "hasse")
        labels, plan = _planned(marks)
        width = max(plan.width + 0.2, min(LEAST, PAGE.get().widest or LEAST))
        title = head_lines("Better in every outcome", ask("poor"), width - 0.2)
        notes = foot_lines(ask("text"), ask("data"), width - 0.2)
        base = 0.25 + head(notes)
        height = base + plan.height + 0.15 + head(title) + 0.1
        axes, scale = sheet(ax, width, height)
        corner = ((width - plan.width) / 2, base)
        _draw_lines(axes, plan, corner, scale)
        _draw_boxes(axes, plan, labels, corner, scale)
        foot(axes, title, 0.1, height - 0.05, scale=scale)
        foot(axes, notes, 0.1, 0.1 + head(notes), scale=scale)
    return finished(axes)


def _planned(marks: pd.DataFrame) -> tuple[dict[str, tuple[str, str]], Layers]:
    """Return name and scores of every treatment as written, and where they go."""
    is_line = marks["below"].astype(str) != ""
    nodes, lines = marks[~is_line], marks[is_line]
    names, texts = nodes["treatment"].astype(str), nodes["text"].astype(str)
    wide, shown = _fitted(list(names))
    labels = dict(zip(names, zip(shown, texts, strict=True), strict=True))
    tallest = max(name.count("\n") + 1 for name, _ in labels.values())
    widest = max(*(extent(text, SIZES.small)[0] + 0.12 for _, text in labels.values()), wide)
    covers = list(zip(lines["treatment"].astype(str), lines["below"].astype(str), strict=True))
    return labels, layered(list(labels), covers, (widest, LINE * (tallest + 1) + 0.1))


def _fitted(names: list[str]) -> tuple[float, list[str]]:
    """Return the width of boxes, and the names as they are written there."""
    for width in (max(on_page(box), NARROW) for box in BOXES):
        shown = [fitted(name, width - 0.12, SIZES.small, most=3, weight="bold") for name in names]
        if not any("…" in text for text in shown):
            break
    return width, shown


Point = tuple[float, float]


def _draw_lines(ax: Axes, plan: Layers, corner: Point, scale: float) -> None:
    for way in plan.lines:
        x, y = zip(*((corner[0] + px, corner[1] + py) for px, py in way), strict=True)
        ax.plot(x, y, color=GREY, linewidth=0.9 * scale, zorder=1, scalex=False, scaley=False)


def _draw_boxes(
    ax: Axes, plan: Layers, labels: dict[str, tuple[str, str]], corner: Point, scale: float
) -> None:
    from matplotlib.patches import Rectangle

    wide, tall = plan.box
    ends = {point for way in plan.lines for point in (way[0], way[-1])}
    look: dict[str, Any] = {
        "fontsize": SIZES.small * scale,
        "ha": "center",
        "va": "center",
        "zorder": 3,
    }
    for name, (x, y) in plan.places.items():
        middle, level = corner[0] + x, corner[1] + y
        alone = ends.isdisjoint({(x, y - tall / 2), (x, y + tall / 2)})
        edge: dict[str, Any] = {"facecolor": "white" if alone else PALE, "edgecolor": GREY}
        edge |= {"linewidth": 0.6 * scale, "linestyle": "--" if alone else "-"}
        start = (middle - wide / 2, level - tall / 2)
        ax.add_patch(Rectangle(start, wide, tall, zorder=2, **edge))
        label, text = labels[name]
        ax.text(
            middle, level + LINE / 2, label, fontweight="bold", color=INK, parse_math=False,
            linespacing=1.05, **look,
        )  # fmt: skip
        ax.text(middle, level - tall / 2 + 0.11, text, color=DARK, **look)


@figure(marks, draw)
def hasse(order: Table, *, ax: Axes | None = None) -> Axes:
    """Draw a partial order: lines go down from a treatment to those it is better than.

    Only lines with nothing between are drawn: what a way down leads to is worse in every outcome.
    Treatments without a way between them are in no order.

    Parameters
    ----------
    order : Table
        What ``nma.decisions.partial_order`` returned.
    ax : Axes, optional
        Where to draw. A figure of its own if not given, as large as the order needs.

    Returns
    -------
    Axes
        Shows itself in a notebook; ``.figure.savefig("order.svg")`` writes a file.

    Raises
    ------
    ModelError
        If it is given something else.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> order = nma.decisions.partial_order({"pain": posterior, "the same": posterior})
    >>> picture = nma.plots.hasse(order)
    >>> len(nma.plots.hasse.marks(order))  # 4 treatments and the 3 lines of a chain
    7

    References
    ----------
    Ruecker and Schwarzer 2017, doi:10.1002/jrsm.1270.
    """
    return draw(marks(order), ax=ax)
