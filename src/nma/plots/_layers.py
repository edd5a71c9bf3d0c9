"""Places in layers: boxes whose lines all go down, with few crossings and none through a box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import final

from nma.plots._circle import spread

__all__ = ["Layers", "layered"]

APART = 0.15
"""Room between things side by side, in inches."""

DOWN = 0.42
"""Room between layers for lines, in inches."""

SIDE_BY_SIDE = 8
"""Boxes in a row; a longer layer takes several."""

ROUNDS = 12
"""Sweeps down and up; they settle in a few."""

Point = tuple[float, float]
Item = str | tuple[str, str, int]
"""A treatment, or where the line between two passes a row."""


@final
@dataclass(frozen=True)
class Layers:
    """Where boxes and lines go, in inches from the lower left corner.

    Parameters
    ----------
    places : mapping of str to point
        The middle of every box.
    lines : tuple of tuple of point
        The points that every line goes through, downward.
    box : (float, float)
        Width and height of a box.
    width, height : float
        Of the whole.
    """

    places: Mapping[str, Point]
    lines: tuple[tuple[Point, ...], ...]
    box: tuple[float, float]
    width: float
    height: float


def layered(
    names: Sequence[str], covers: Sequence[tuple[str, str]], box: tuple[float, float]
) -> Layers:
    """Return places for names, each above all that it covers.

    Parameters
    ----------
    names : sequence of str
        In the order that decides ties.
    covers : sequence of (str, str)
        Lines downward from the first to the second; they go round nowhere.
    box : (float, float)
        Width and height of a box.

    References
    ----------
    Sugiyama, Tagawa and Toda 1981, doi:10.1109/TSMC.1981.4308636.
    """
    row = _rows(names, covers)
    ways = [_way(upper, lower, row) for upper, lower in covers]
    rows = _filled(names, row, ways)
    near = _neighbours(ways)
    rows = _sorted(rows, near)
    across = _across(rows, near, box[0])
    return _placed(rows, row, across, ways, box)


def _rows(names: Sequence[str], covers: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return the row of each name: as high as those above it let it be; long layers are split.

    Names without a line stand below all others.
    """
    lined = {name for pair in covers for name in pair}
    above: dict[str, list[str]] = {name: [] for name in names}
    for upper, lower in covers:
        above[lower].append(upper)
    layer: dict[str, int] = {}
    for name in _down(names, above):
        layer[name] = 1 + max((layer[other] for other in above[name]), default=-1)
    found, start = {}, 0
    last = max(layer.values(), default=0) + 1
    layer |= {name: last for name in names if name not in lined}
    for k in range(last + 1):
        here = [name for name in names if layer[name] == k]
        for place, name in enumerate(here):
            found[name] = start + place // SIDE_BY_SIDE
        start += -(-len(here) // SIDE_BY_SIDE)
    return found


def _down(names: Sequence[str], above: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the names in an order in which all that is above one comes before it."""
    found: dict[str, None] = {}
    left = list(names)
    while left:
        ready = [name for name in left if all(other in found for other in above[name])]
        found |= dict.fromkeys(ready)
        left = [name for name in left if name not in found]
    return list(found)


def _way(upper: str, lower: str, row: Mapping[str, int]) -> list[Item]:
    """Return what a line passes, row by row."""
    between = range(row[upper] + 1, row[lower])
    return [upper, *((upper, lower, k) for k in between), lower]


def _filled(
    names: Sequence[str], row: Mapping[str, int], ways: Sequence[list[Item]]
) -> list[list[Item]]:
    """Return the rows with their boxes and the lines that pass."""
    rows: list[list[Item]] = [[] for _ in range(max(row.values(), default=0) + 1)]
    for name in names:
        rows[row[name]].append(name)
    for way in ways:
        for item in way[1:-1]:
            if isinstance(item, tuple):
                rows[item[2]].append(item)
    return rows


Near = dict[Item, tuple[list[Item], list[Item]]]
"""What a line joins each to, above and below."""


def _neighbours(ways: Sequence[list[Item]]) -> Near:
    near: Near = {}
    for way in ways:
        for upper, lower in pairwise(way):
            near.setdefault(upper, ([], []))[1].append(lower)
            near.setdefault(lower, ([], []))[0].append(upper)
    return near


def _sorted(rows: list[list[Item]], near: Near) -> list[list[Item]]:
    """Return the rows in the order with the fewest crossings that sweeps find."""
    best, fewest = rows, _crossings(rows, near)
    for round_ in range(ROUNDS):
        rows = _swept(rows, near, side=round_ % 2)
        crossings = _crossings(rows, near)
        if crossings < fewest:
            best, fewest = rows, crossings
    return best


def _swept(rows: list[list[Item]], near: Near, *, side: int) -> list[list[Item]]:
    """Return the rows, each by the mean place of what it is joined to above, or below."""
    found = list(rows)
    order = range(len(rows)) if side == 0 else range(len(rows) - 1, -1, -1)
    place: dict[Item, float] = {}
    for k in order:
        own = {item: float(n) for n, item in enumerate(found[k])}
        middle = (len(own) - 1) / 2
        wanted = {}
        for item in found[k]:
            joined = [place[other] for other in near.get(item, ([], []))[side]]
            wanted[item] = sum(joined) / len(joined) if joined else own[item] - middle
        found[k] = sorted(found[k], key=wanted.__getitem__)
        place |= {item: n - middle for n, item in enumerate(found[k])}
    return found


def _crossings(rows: list[list[Item]], near: Near) -> int:
    total = 0
    for upper, lower in pairwise(rows):
        place = {item: n for n, item in enumerate(lower)}
        ends = [sorted(place[other] for other in near.get(item, ([], []))[1]) for item in upper]
        flat = [end for row in ends for end in row]
        total += sum(a > b for k, a in enumerate(flat) for b in flat[k + 1 :])
    return total


def _across(rows: list[list[Item]], near: Near, width: float) -> dict[Item, float]:
    """Return how far right the middle of each is: near what it is joined to, never overlapping."""
    room = [[width + APART if isinstance(item, str) else APART for item in row] for row in rows]
    x: dict[Item, float] = {}
    for row, wide in zip(rows, room, strict=True):
        at = -sum(wide) / 2
        for item, own in zip(row, wide, strict=True):
            x[item] = at + own / 2
            at += own
    for _ in range(ROUNDS):
        for row, wide in zip([*rows, *rows[::-1]], [*room, *room[::-1]], strict=True):
            wanted = [_mean(item, x, near) for item in row]
            moved = spread([-place for place in wanted], wide)
            x |= {item: -place for item, place in zip(row, moved, strict=True)}
    joined = [place for item, place in x.items() if item in near]
    middle = (min(joined) + max(joined)) / 2 if joined else 0.0
    return {item: place if item in near else place + middle for item, place in x.items()}


def _mean(item: Item, x: Mapping[Item, float], near: Near) -> float:
    """Return the middle of all that something is joined to."""
    above, below = near.get(item, ([], []))
    joined = [x[other] for other in (*above, *below)]
    return sum(joined) / len(joined) if joined else x[item]


def _placed(
    rows: list[list[Item]],
    row: Mapping[str, int],
    across: Mapping[Item, float],
    ways: Sequence[list[Item]],
    box: tuple[float, float],
) -> Layers:
    wide, tall = box
    ends = [(across[item], wide / 2 if isinstance(item, str) else 0.0) for r in rows for item in r]
    low, high = min(x - own for x, own in ends), max(x + own for x, own in ends)
    height = len(rows) * (tall + DOWN) - DOWN

    def level(k: int) -> float:
        return height - k * (tall + DOWN) - tall / 2

    places = {name: (across[name] - low, level(k)) for name, k in row.items()}
    lines = []
    for way in ways:
        points: list[Point] = [_end(places[str(way[0])], -tall / 2)]
        for item in way[1:-1]:
            if isinstance(item, tuple):
                at = (across[item] - low, level(item[2]))
                points += [_end(at, tall / 2), _end(at, -tall / 2)]
        lines.append((*points, _end(places[str(way[-1])], tall / 2)))
    return Layers(places, tuple(lines), box, high - low, height)


def _end(place: Point, up: float) -> Point:
    return place[0], place[1] + up
