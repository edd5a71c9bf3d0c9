"""The network: treatments on a circle, lines where trials compare them directly."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from nma import graph
from nma.errors import ModelError
from nma.network import Network
from nma.plots._canvas import finished, sheet
from nma.plots._circle import angles, circular_order
from nma.plots._figure import figure
from nma.plots._journal import paged
from nma.plots._plan import Plan, Size, planned
from nma.plots._style import DARK, GREY, INK, LINE, SHADES, SIZES, styled
from nma.plots._text import foot, network_words, told
from nma.posterior import Posterior
from nma.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["network"]


def marks(network: Network | Posterior, *, size: Size | None = None, counts: bool = False) -> Table:
    """Return what a picture of a network shows.

    Parameters
    ----------
    network : Network or Posterior
        The evidence; that of a fitted model if a posterior is given.
    size : {"participants", "trials"}, optional
        What the area of a node says; participants if not given and every arm reports them.
    counts : bool, default False
        Whether to write the number of trials on every line.

    Returns
    -------
    Table
        One row for each mark: a ``treatment``, a ``comparison`` or a ``design`` of three or more
        arms. ``treatments`` names the corners; ``x`` and ``y`` place a treatment on the unit
        circle of its connected ``part``; ``trials`` and ``participants`` count.

    Raises
    ------
    ModelError
        If participants are asked for and no arm reports them.
    """
    network = _evidence(network)
    rows = [*_nodes(network), *_comparisons(network), *_designs(network)]
    trials, parts = len(network.trials), len(network.components)
    whole = f", {parts} unconnected parts" if parts > 1 else ""
    part = {name: k for k, names in enumerate(network.components) for name in names}
    frame = pd.DataFrame(rows, columns=["mark", "treatments", "x", "y", "trials", "participants"])
    found = Table(
        frame.assign(part=[part[names[0]] for names in frame["treatments"]]),
        caption="Marks of a network.",
    )
    found.attrs = {
        **network_words(network, ""),
        "title": f"{trials} trial{'s' * (trials > 1)}, {len(network.treatments)} treatments{whole}",
        "size": _size(network, size),
        "incomplete": bool(network.table["participants"].isna().any()),
        "counts": counts,
    }
    return found


def _evidence(asked: Network | Posterior) -> Network:
    found = asked.network if isinstance(asked, Posterior) else asked
    if not isinstance(found, Network):
        message = f"network draws a Network or a Posterior; this is a {type(asked).__name__}."
        raise ModelError(message)
    return found


def _size(network: Network, size: Size | None) -> Size:
    reported = network.table["participants"].notna()
    if size == "participants" and not reported.any():
        message = "No arm reports its participants: draw with size='trials'."
        raise ModelError(message)
    if size not in (None, "participants", "trials"):
        message = f"size={size!r} is neither 'participants' nor 'trials'."
        raise ModelError(message)
    everyone: Literal["participants", "trials"] = "participants" if reported.all() else "trials"
    return size or everyone


Row = tuple[str, tuple[str, ...], float, float, int, float]


def _nodes(network: Network) -> Iterator[Row]:
    edges = [(min(edge), max(edge)) for edge in network.graph.edges]
    orders = circular_order(network.components, sorted(edges))
    places = {name: angle for order in orders for name, angle in angles(order).items()}
    for name in network.treatments:
        data = network.graph.nodes[name]
        x, y = math.cos(places[name]), math.sin(places[name])
        yield "treatment", (name,), x, y, len(data["trials"]), data["participants"]


def _comparisons(network: Network) -> Iterator[Row]:
    for row in network.comparisons().to_dict("records"):
        pair = (str(row["treatment"]), str(row["comparator"]))
        yield "comparison", pair, math.nan, math.nan, row["trials"], row["participants"]


def _designs(network: Network) -> Iterator[Row]:
    table = network.table
    for design, trials in graph.designs(network.trials).items():
        if len(design) > 2:
            people = table.loc[table["study"].isin(trials), "participants"]
            counted = float(people.sum()) if people.notna().any() else math.nan
            yield "design", design, math.nan, math.nan, len(trials), counted


@paged
def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of a network, as ``nma.plots.Drawing`` says."""
    with styled():
        plan = planned(marks, told(marks, "network"))
        axes, scale = sheet(ax, plan.width, plan.height)
        _draw_designs(axes, plan)
        _draw_edges(axes, plan, scale)
        _draw_nodes(axes, plan, scale)
        _draw_labels(axes, plan, scale)
        _draw_key(axes, plan, scale)
        foot(axes, plan.above, 0.1, plan.height - 0.08, scale=scale)
        foot(axes, plan.below, 0.1, 0.08 + plan.foot, scale=scale)
    return finished(axes)


def _draw_designs(ax: Axes, plan: Plan) -> None:
    from matplotlib.patches import Polygon

    for k, corners in enumerate(plan.polygons):
        colour = SHADES[k % len(SHADES)]
        patch = Polygon(corners, closed=True, facecolor=colour, alpha=0.16, linewidth=0, zorder=1)
        ax.add_patch(patch)


def _draw_edges(ax: Axes, plan: Plan, scale: float) -> None:
    for edge in plan.edges:
        x, y = np.transpose([edge.start, edge.end])
        ax.plot(
            x, y, color=GREY, linewidth=edge.width * scale, solid_capstyle="butt", zorder=2,
            scalex=False, scaley=False,
        )  # fmt: skip
        if edge.label:
            box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"}
            ax.text(
                *edge.place, edge.label, fontsize=SIZES.small * scale, color=INK, ha="center",
                va="center", bbox=box, zorder=3,
            )  # fmt: skip


def _draw_nodes(ax: Axes, plan: Plan, scale: float) -> None:
    from matplotlib.patches import Circle

    for node in plan.nodes:
        look = {"facecolor": "#0072b2", "edgecolor": "white", "linewidth": 0.8 * scale}
        ax.add_patch(Circle(node.place, node.radius, zorder=4, **look))


def _draw_labels(ax: Axes, plan: Plan, scale: float) -> None:
    for node in plan.nodes:
        if node.leader:
            x, y = np.transpose(node.leader)
            ax.plot(x, y, color=LINE, linewidth=0.7 * scale, zorder=1, scalex=False, scaley=False)
        ax.text(
            *node.text_at, node.label, fontsize=SIZES.body * scale, ha=node.side, va="center",
            color=INK, linespacing=1.1, parse_math=False, zorder=5,
        )  # fmt: skip


def _draw_key(ax: Axes, plan: Plan, scale: float) -> None:
    from matplotlib.patches import Circle, Rectangle

    for sign in plan.key:
        x, y = sign.place
        if sign.kind == "node":
            ax.add_patch(Circle((x, y), sign.size, facecolor="#0072b2", edgecolor="white"))
        elif sign.kind == "edge":
            ax.plot(
                [x - 0.15, x + 0.15], [y, y], color=GREY, linewidth=sign.size * scale,
                solid_capstyle="butt", scalex=False, scaley=False,
            )  # fmt: skip
        elif sign.kind == "design":
            place = (x - 0.13, y - 0.08)
            ax.add_patch(Rectangle(place, 0.26, 0.16, facecolor=SHADES[0], alpha=0.25, linewidth=0))
        ax.text(
            *sign.text_at,
            sign.text,
            fontsize=SIZES.small * scale,
            color=DARK,
            ha="left",
            va="center",
        )


@figure(marks, draw)
def network(
    network: Network | Posterior,
    *,
    size: Size | None = None,
    counts: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw the network of evidence.

    Treatments stand on a circle, in an order in which few lines cross; unconnected parts of the
    network stand below one another. The area of a node says how
    many participants it has (trials where arms do not report them; the key says which), the width
    of a line how many trials compare the two directly, and shading which trials have three or
    more arms.

    Parameters
    ----------
    network : Network or Posterior
        The evidence; that of a fitted model if a posterior is given.
    size : {"participants", "trials"}, optional
        What the area of a node says; participants if not given and every arm reports them.
    counts : bool, default False
        Whether to write the number of trials on every line.
    ax : Axes, optional
        Where to draw. A figure of its own if not given, as large as the network needs.

    Returns
    -------
    Axes
        Shows itself in a notebook; ``.figure.savefig("network.svg")`` writes a file.

    Raises
    ------
    ModelError
        If participants are asked for and no arm reports them.

    Examples
    --------
    >>> import nma
    >>> picture = nma.plots.network(nma.datasets.network("senn2013"))
    >>> nma.plots.network.marks(nma.datasets.network("senn2013"))["mark"].value_counts().to_dict()
    {'comparison': 15, 'treatment': 10, 'design': 1}
    """
    return draw(marks(network, size=size, counts=counts), ax=ax)
