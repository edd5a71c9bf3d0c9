"""Where everything in a picture of a network goes, in inches, before anything is drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np

from nma.plots._circle import spread
from nma.plots._style import SIZES, on_page
from nma.plots._text import Line, extent, fitted, foot_lines, head, head_lines

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Edge", "Node", "Plan", "Sign", "Size", "planned"]

Size = Literal["participants", "trials"]
Point = tuple[float, float]

LABEL = 2.1
"""Width of a label, in inches, beyond which it takes a second line."""

MARGIN = 0.1
"""Room around the picture and between things, in inches."""

SMALLEST = 0.035
"""Radius below which a node could not be seen, in inches."""

LARGEST = 0.27
"""Radius of the largest node where there is room, in inches."""

WIDEST = 8.0
"""Width of the widest line, in points."""


@final
@dataclass(frozen=True)
class Node:
    """A treatment and its label."""

    name: str
    place: Point
    radius: float
    label: str
    text_at: Point
    side: Literal["left", "right"]
    leader: tuple[Point, Point] | None


@final
@dataclass(frozen=True)
class Edge:
    """A comparison; ``width`` in points."""

    start: Point
    end: Point
    width: float
    label: str
    place: Point


@final
@dataclass(frozen=True)
class Sign:
    """An entry of the key; ``size`` a radius in inches or a width in points."""

    kind: str
    size: float
    text: str
    place: Point
    text_at: Point


@final
@dataclass(frozen=True)
class Plan:
    """The whole picture; points count from its lower left corner."""

    width: float
    height: float
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    polygons: tuple[tuple[Point, ...], ...]
    key: tuple[Sign, ...]
    above: list[Line]
    below: list[Line]

    @property
    def foot(self) -> float:
        """Height of the lines below."""
        return head(self.below)


def planned(marks: pd.DataFrame, ask: Callable[[str], Any]) -> Plan:
    """Return the plan of a picture from its marks."""
    kinds = {name: marks[marks["mark"] == name] for name in ("treatment", "comparison", "design")}
    nodes = _stacked(kinds["treatment"], ask("size"))
    left, bottom, right, top = _box(nodes)
    signs = _signs(kinds, ask("size"), nodes)
    width = max(right - left + 2 * MARGIN, _keyed(signs))
    above = head_lines(ask("title"), ask("poor"), width - 2 * MARGIN)
    below = foot_lines(_sentence(ask, kinds), ask("data"), width - 2 * MARGIN)
    key, key_height = _packed(signs, width, head(below) + 2 * MARGIN)
    base = head(below) + key_height + 4 * MARGIN
    height = base + top - bottom + 2 * MARGIN + head(above)
    shift = ((width - (right - left)) / 2 - left, base - bottom)
    moved = tuple(_moved(node, shift) for node in nodes)
    corners = {node.name: node.place for node in moved}
    shapes = [tuple(corners[name] for name in row) for row in kinds["design"]["treatments"]]
    edges = tuple(_edges(kinds["comparison"], corners, counts=ask("counts")))
    polygons = tuple(_around(shape) for shape in shapes)
    return Plan(width, height, moved, edges, polygons, tuple(key), above, below)


def _around(corners: Sequence[Point]) -> tuple[Point, ...]:
    """Return corners in their order around their middle, so that sides do not cross."""
    x, y = (sum(corner[k] for corner in corners) / len(corners) for k in (0, 1))
    return tuple(sorted(corners, key=lambda p: math.atan2(p[1] - y, p[0] - x)))


def _radius(count: int) -> float:
    """Return the radius of the circle."""
    return max(on_page(1.15), on_page(0.085) * count)


def _stacked(rows: pd.DataFrame, size: Size) -> list[Node]:
    """Return the nodes with their labels, unconnected parts below one another."""
    parts = [part for _, part in rows.groupby("part")]
    largest = max(*rows[size].fillna(0), 1)
    per = min(LARGEST, *map(_room, parts)) / math.sqrt(largest)
    found: list[Node] = []
    y = 0.0
    for part in parts:
        nodes = _labelled(_nodes(part, size, per))
        _, bottom, _, top = _box(nodes)
        found += [_moved(node, (0.0, y - top)) for node in nodes]
        y -= top - bottom + 3 * MARGIN
    return found


def _room(rows: pd.DataFrame) -> float:
    """Return the largest radius of nodes on a circle that do not touch."""
    return 0.85 * _radius(len(rows)) * math.sin(math.pi / max(len(rows), 2))


def _nodes(rows: pd.DataFrame, size: Size, per: float) -> list[Node]:
    """Return the nodes of a part around the origin; ``per`` scales their radius."""
    around = _radius(len(rows))
    columns = (rows[name].tolist() for name in ("treatments", "x", "y"))
    return [
        Node(
            name=name,
            place=(around * x, around * y),
            radius=max(SMALLEST, per * math.sqrt(value)),
            label=fitted(name, on_page(LABEL), SIZES.body),
            text_at=(0.0, 0.0),
            side="left" if x > -1e-9 else "right",
            leader=None,
        )
        for (name,), x, y, value in zip(*columns, rows[size].fillna(0), strict=True)
    ]


def _labelled(nodes: Sequence[Node]) -> list[Node]:
    """Return the nodes with labels outside the circle, on each side from top to bottom."""
    found: dict[str, Node] = {}
    for side in ("left", "right"):
        ours = sorted((n for n in nodes if n.side == side), key=lambda n: (-n.place[1], n.name))
        heights = [extent(node.label, SIZES.body)[1] + 0.03 for node in ours]
        middles = spread([node.place[1] * 1.06 for node in ours], heights)
        for node, y, height in zip(ours, middles, heights, strict=True):
            found[node.name] = _beside(node, y, height, nodes)
    return [found[node.name] for node in nodes]


def _beside(node: Node, y: float, height: float, nodes: Sequence[Node]) -> Node:
    """Return a node with its label at a height, where it is clear of all nodes and lines."""
    sign = 1 if node.side == "left" else -1
    x = abs(node.place[0]) + 0.02
    hull = Node("", (0.0, 0.0), math.hypot(*node.place) - 0.02, "", (0, 0), "left", None)
    for other in [hull, *nodes]:
        away = max(abs(other.place[1] - y) - height / 2, 0.0)
        reach = other.radius + 0.07
        if away < reach:
            x = max(x, sign * other.place[0] + math.sqrt(reach**2 - away**2))
    start = (sign * (x - 0.03), y)
    far = math.dist(start, node.place) > node.radius + 0.16
    return replace(node, text_at=(sign * x, y), leader=(node.place, start) if far else None)


def _box(nodes: Sequence[Node]) -> tuple[float, float, float, float]:
    xs, ys = [], []
    for node in nodes:
        width, height = extent(node.label, SIZES.body)
        x, y = node.text_at
        xs += [x, x + (width if node.side == "left" else -width)]
        ys += [y - height / 2, y + height / 2]
        ys += [node.place[1] - node.radius, node.place[1] + node.radius]
    return min(xs), min(ys), max(xs), max(ys)


def _moved(node: Node, shift: Point) -> Node:
    def move(point: Point) -> Point:
        return point[0] + shift[0], point[1] + shift[1]

    leader = (move(node.leader[0]), move(node.leader[1])) if node.leader else None
    return replace(node, place=move(node.place), text_at=move(node.text_at), leader=leader)


def _edges(rows: pd.DataFrame, at: dict[str, Point], *, counts: bool) -> Iterator[Edge]:
    most = max(rows["trials"].max(), 1)
    ends = np.array([[at[name] for name in pair] for pair in rows["treatments"]])
    taken: list[NDArray[np.float64]] = []
    for k, (trials, (start, end)) in enumerate(zip(rows["trials"], ends, strict=True)):
        place = (start + end) / 2
        if counts:
            place = _free(start, end, np.delete(ends, k, axis=0), taken)
            taken.append(place)
        label = str(trials) if counts else ""
        yield Edge(_point(start), _point(end), _width(trials, most), label, _point(place))


def _point(xy: NDArray[np.float64]) -> Point:
    return float(xy[0]), float(xy[1])


def _width(trials: float, most: float) -> float:
    """Return a width that grows with trials: one point each, or less where there are many."""
    return max(0.6, trials * min(1.2, WIDEST / most))


def _free(
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    lines: NDArray[np.float64],
    taken: Sequence[NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Return the point of a line, near its middle, that is clear of other lines and points."""
    shares = np.array([0.5, 0.45, 0.55, 0.4, 0.6, 0.35, 0.65, 0.3, 0.7, 0.25, 0.75])
    places = start + shares[:, None] * (end - start)
    along = lines[:, 1] - lines[:, 0]
    from_first = places[:, None] - lines[:, 0]
    share = np.clip((from_first * along).sum(-1) / (along**2).sum(-1), 0, 1)
    gaps = np.linalg.norm(from_first - share[..., None] * along, axis=-1).min(1, initial=0.14)
    points = np.array([*taken, (-99.0, -99.0)])
    apart = np.linalg.norm(places[:, None] - points, axis=-1).min(axis=1)
    return np.asarray(places[np.argmax(gaps + np.minimum(apart, 0.25))])


def _nice(largest: float) -> list[int]:
    """Return up to three numbers for a key: the largest itself, and round ones below it."""
    top = int(largest)
    middle = _round(top / 2)
    return sorted({_round(middle / 3), middle, top})


def _round(most: float) -> int:
    """Return the largest of 1, 2, 3, 5, 10, ... up to a number; one at least."""
    power = 10 ** max(len(str(int(most))) - 1, 0)
    return max((step * power for step in (1, 2, 3, 5) if step * power <= most), default=1)


def _signs(
    kinds: dict[str, pd.DataFrame], size: Size, nodes: Sequence[Node]
) -> list[tuple[str, float, str]]:
    """Return the key: kind, size and text of each entry."""
    values = kinds["treatment"][size].fillna(0)
    largest = max(float(values.max()), 1.0)
    per = max(node.radius for node in nodes) / math.sqrt(largest)
    signs = [
        ("node", max(SMALLEST, per * math.sqrt(value)), f"{value:,}") for value in _nice(largest)
    ]
    signs[-1] = (*signs[-1][:2], f"{signs[-1][2]} {_plural(size, _nice(largest)[-1])}")
    most = float(kinds["comparison"]["trials"].max())
    lines = [("edge", _width(value, most), f"{value}") for value in _nice(most)]
    lines[-1] = (*lines[-1][:2], f"{lines[-1][2]} {_plural('trials', _nice(most)[-1])}")
    shaded = [("design", 0.0, "trials of 3 or more arms")] if len(kinds["design"]) else []
    return [*signs, *lines, *shaded]


def _plural(noun: str, number: int) -> str:
    return noun if number != 1 else noun.removesuffix("s")


def _step(sign: tuple[str, float, str]) -> tuple[float, float]:
    """Return the width of a sign and of the whole entry."""
    own = 2 * sign[1] if sign[0] == "node" else 0.3
    return own, own + 0.06 + extent(sign[2], SIZES.small)[0] + 0.18


def _keyed(signs: Sequence[tuple[str, float, str]]) -> float:
    """Return the width that a key needs: on one line, or on two where that is long."""
    steps = [_step(sign)[1] for sign in signs]
    return max(min(sum(steps), on_page(4.6)), *steps) + 2 * MARGIN + 1e-6


def _packed(
    signs: Sequence[tuple[str, float, str]], width: float, bottom: float
) -> tuple[list[Sign], float]:
    """Return the key set in rows of a width above ``bottom``, and its height."""
    rows: list[list[tuple[str, float, str]]] = [[]]
    for _, same in groupby(signs, key=lambda sign: sign[0]):
        for k, sign in enumerate(group := list(same)):
            together = group if k == 0 else [sign]
            needed = sum(_step(other)[1] for other in [*rows[-1], *together])
            if needed > width - 2 * MARGIN and rows[-1]:
                rows.append([])
            rows[-1].append(sign)
    found, y = [], bottom
    for row in reversed(rows):
        tall = max([0.17, *(2 * size for kind, size, _ in row if kind == "node")]) + 0.05
        x = MARGIN
        for kind, size, text in row:
            own, step = _step((kind, size, text))
            middle = y + tall / 2
            found.append(Sign(kind, size, text, (x + own / 2, middle), (x + own + 0.06, middle)))
            x += step
        y += tall
    return found, y - bottom


def _sentence(ask: Callable[[str], Any], kinds: dict[str, pd.DataFrame]) -> str:
    size = ask("size")
    parts = "participants" if size == "participants" else "trials that have the treatment"
    missing = ask("incomplete")
    if missing and size == "participants":
        parts += " of the arms that report them"
    elif missing:
        parts += " (participants are not reported for every arm)"
    designs = len(kinds["design"])
    shade = "; shading: trials of three or more arms" if designs else ""
    shade += ", whose colours only tell sets of treatments apart" if designs > 1 else ""
    return f"Area of a node: {parts}; width of a line: trials that compare the two{shade}."
