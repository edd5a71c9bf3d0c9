"""Places on a circle: an order in which few lines cross, and labels beside it that do not meet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

__all__ = ["angles", "circular_order", "spread"]

ROUNDS = 10
"""Rounds of sifting; it settles in three or four."""

Neighbours = Mapping[str, frozenset[str]]


def circular_order(
    parts: Sequence[Sequence[str]], edges: Iterable[tuple[str, str]]
) -> list[list[str]]:
    """Return each connected part in an order around a circle in which few of its edges cross.

    Every node in turn is moved to its best place, until none moves (circular sifting). The order
    of ``parts`` and the names decide ties, never the order of ``edges``.

    References
    ----------
    Baur and Brandes 2005, Crossing reduction in circular layouts, doi:10.1007/978-3-540-30559-0_28.
    """
    near: dict[str, set[str]] = {name: set() for part in parts for name in part}
    for a, b in edges:
        near[a].add(b)
        near[b].add(a)
    fixed = {name: frozenset(others) for name, others in near.items()}
    return [_sifted(_walked(sorted(part), fixed), fixed) for part in parts]


def _walked(names: Sequence[str], near: Neighbours) -> list[str]:
    """Return a first order: from the busiest node, always to one with most neighbours placed."""
    order: list[str] = []
    left = list(names)
    while left:
        placed = set(order)
        best = max(left, key=lambda name: (len(near[name] & placed), len(near[name])))
        order.append(best)
        left.remove(best)
    return order


def _sifted(order: list[str], near: Neighbours) -> list[str]:
    for _ in range(ROUNDS):
        before = list(order)
        for name in sorted(order, key=lambda name: (-len(near[name]), name)):
            order = _placed(name, order, near)
        if order == before:
            break
    return order


def _placed(name: str, order: list[str], near: Neighbours) -> list[str]:
    """Return the order with one node where its edges cross fewest others, then are shortest."""
    start = order.index(name)
    others = order[start + 1 :] + order[:start]
    best, crossings = (0, _length(name, 0, others, near)), 0
    where = 0
    for place in range(1, len(others)):
        crossings += _change(name, others[place - 1], others, near)
        found = (crossings, _length(name, place, others, near))
        if found < best:
            best, where = found, place
    if where == 0:
        return order
    return [*others[:where], name, *others[where:]]


def _change(name: str, passed: str, others: Sequence[str], near: Neighbours) -> int:
    """Return how many crossings are added when a node moves behind the one after it."""
    size, place = len(others), {other: k for k, other in enumerate(others)}
    start = place[passed]
    ours = [(place[a] - start) % size for a in near[name] if a != passed]
    theirs = [(place[b] - start) % size for b in near[passed] if b != name]
    return sum((a > b) - (a < b) for a in ours for b in theirs)


def _length(name: str, place: int, others: Sequence[str], near: Neighbours) -> float:
    """Return the length of a node's edges were it placed before ``others[place]``."""
    size = len(others) + 1
    steps = (k + (k >= place) - place for k, other in enumerate(others) if other in near[name])
    return round(sum(math.sin(math.pi * (step % size) / size) for step in steps), 9)


def angles(order: Sequence[str]) -> dict[str, float]:
    """Return the angle of every node, clockwise from the top.

    No node stands at the very top, so that every label has a side.
    """
    step = 2 * math.pi / len(order)
    return {name: math.pi / 2 - step * (slot + 0.5) for slot, name in enumerate(order)}


def spread(wanted: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Return places near those wanted, in the same order from high to low, that do not meet.

    The nearest in least squares: labels that would meet are pooled around their mean.

    Parameters
    ----------
    wanted : sequence of float
        Middles, from high to low.
    heights : sequence of float
        What each needs.
    """
    below = [0.0]
    for first, second in pairwise(heights):
        below.append(below[-1] + (first + second) / 2)
    pools: list[tuple[float, int]] = []
    for height, offset in zip(wanted, below, strict=True):
        pools.append((height + offset, 1))
        while len(pools) > 1 and pools[-2][0] < pools[-1][0]:
            (first, many), (second, more) = pools[-2:]
            pools[-2:] = [((first * many + second * more) / (many + more), many + more)]
    flat = [middle for middle, many in pools for _ in range(many)]
    return [middle - offset for middle, offset in zip(flat, below, strict=True)]
