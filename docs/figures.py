"""Draws the figures of the pages, each time they are built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import nma

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, DIRECT, INDIRECT = "#1f2933", "#0072b2", "#d55e00"


def draw(folder: Path) -> tuple[Path, ...]:
    """Write every figure into a folder as SVG, the same bytes each time, and return where."""
    import matplotlib as mpl

    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context({"svg.hashsalt": "nma", "svg.fonttype": "none"}):
        return tuple(_saved(folder / f"{name}.svg", axes) for name, axes in figures())


def figures() -> Iterator[tuple[str, Axes]]:
    """Yield every figure, named."""
    posterior = nma.fit(nma.datasets.network("back_pain"))
    yield "network", nma.plots.network(posterior)
    yield "flow", flow(posterior, ("multimodal care", "passive control"))
    yield "loop", loop()
    splits = nma.checks.node_splitting(posterior, progress=False)
    yield "node-splitting", nma.plots.node_splitting(splits)


def _saved(path: Path, axes: Axes) -> Path:
    metadata = {"Date": None, "Creator": None}
    axes.figure.savefig(path, bbox_inches="tight", metadata=metadata)
    return path


def _sheet(width: float, height: float) -> Axes:
    from matplotlib.figure import Figure

    axes = Figure(figsize=(width, height)).subplots()
    axes.set_axis_off()
    return axes


def _arrow(
    axes: Axes, tail: tuple[float, float], head: tuple[float, float], colour: str, width: float
) -> None:
    style = {"arrowstyle": "-|>", "color": colour, "lw": width, "mutation_scale": 12 + width}
    axes.annotate("", head, tail, arrowprops={**style, "shrinkA": 0, "shrinkB": 0})


def flow(posterior: nma.Posterior, pair: tuple[str, str]) -> Axes:
    """Draw how one estimate draws on direct comparisons: a flow of one between two treatments."""
    marks = nma.plots.network.marks(posterior)
    nodes = marks[marks["mark"] == "treatment"]
    place = {name: np.array([x, y]) for (name,), x, y in nodes[["treatments", "x", "y"]].to_numpy()}
    axes = _sheet(6, 4.2)
    weights: Mapping[str, float] = nma.evidence.hat_matrix(posterior).loc[pair].to_dict()
    for comparison, weight in weights.items():
        ends = comparison.split(" vs ") if weight > 0 else comparison.split(" vs ")[::-1]
        tail, head = (place[name] for name in ends)
        start, end = tail + 0.1 * (head - tail), tail + 0.9 * (head - tail)
        colour = DIRECT if set(ends) == set(pair) else INDIRECT
        _arrow(axes, tuple(start), tuple(end), colour, 1 + 9 * abs(weight))
        label = start + 0.36 * (end - start)
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        axes.text(*label, f"{abs(weight):.2f}", ha="center", va="center", color=INK, bbox=box)
    for name, (x, y) in place.items():
        axes.plot(x, y, "o", color=INK, ms=8)
        axes.text(x, y + 0.17 * np.sign(y), name, ha="center", va="center", color=INK)
    axes.set_xlim(-1.5, 1.5)
    axes.set_ylim(-1.25, 1.25)
    return axes


def loop() -> Axes:
    """Draw a loop that does not close: two direct effects in a row, and the third beside them."""
    axes = _sheet(6, 1.9)
    for tail, head, height, words, colour in (
        (0.0, 1.0, 1.0, "B versus A, direct: 1.0", INDIRECT),
        (1.0, 1.6, 1.0, "C versus B, direct: 0.6", INDIRECT),
        (0.0, 1.1, 0.0, "C versus A, direct: 1.1", DIRECT),
    ):
        _arrow(axes, (tail, height), (head, height), colour, 2.5)
        axes.text((tail + head) / 2, height + 0.14, words, ha="center", color=INK)
    for x, top in ((1.6, 1.0), (1.1, 0.0)):
        axes.plot([x, x], [-0.5, top], ":", color=INK, lw=1)
    axes.annotate("", (1.6, -0.45), (1.1, -0.45), arrowprops={"arrowstyle": "<->", "color": INK})
    axes.text(1.35, -0.36, "inconsistency", ha="center", color=INK)
    axes.set_xlim(-0.05, 1.75)
    axes.set_ylim(-0.6, 1.35)
    return axes


if __name__ == "__main__":
    draw(Path(__file__).parent / "_figures")
