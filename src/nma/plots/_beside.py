"""Names beside points: where they lie on nothing, the most important first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, final

import numpy as np

from nma.errors import shortened
from nma.plots._canvas import inches, laid_out
from nma.plots._style import GREY, INK, SIZES, on_page
from nma.plots._text import extent, fitted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["PATCH", "Naming", "called", "naming", "panel_size"]

DOT = 0.04
"""Half the width of a point, in inches."""

WIDE = 1.6
"""Inches that a line of a name may fill."""

FAR = (0.07, 0.16, 0.28, 0.42, 0.58, 0.78, 1.0)
"""Inches from a point at which its name is tried."""

ANGLES = np.arange(24) * np.pi / 12
"""Directions in which it is tried."""

LISTED = 24
"""Names that a key lists."""

PATCH: Any = {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0.6}
"""What lies between a name and the lines below it."""

LEADER = 0.1
"""Inches from a point beyond which a line leads to its name."""


class Box(NamedTuple):
    """A rectangle, in inches from the lower left corner of a panel."""

    left: float
    bottom: float
    right: float
    top: float

    def overlaps(self, other: Box) -> bool:
        """Return whether two rectangles share more than an edge."""
        across = self.left < other.right and other.left < self.right
        return across and self.bottom < other.top and other.bottom < self.top

    def within(self, width: float, height: float) -> bool:
        """Return whether the rectangle lies in the panel."""
        return self.left >= 0 and self.bottom >= 0 and self.right <= width and self.top <= height

    def nearest(self, x: float, y: float) -> tuple[float, float]:
        """Return the point of the rectangle that is nearest to another."""
        across, up = np.clip(x, self.left, self.right), np.clip(y, self.bottom, self.top)
        return float(across), float(up)

    def holds(self, at: NDArray[np.float64], room: float) -> NDArray[np.bool_]:
        """Return which points are in the rectangle or within ``room`` of its sides."""
        low, high = (self.left - room, self.bottom - room), (self.right + room, self.top + room)
        return np.asarray(((at > low) & (at < high)).all(axis=-1))


class Place(NamedTuple):
    """Where a name goes, what leads from its point to it, (step, 2), and how far."""

    box: Box
    leader: NDArray[np.float64]
    far: float


def called(study: Sequence[str], treatment: Sequence[str]) -> list[str]:
    """Return how points are named: by their trial alone where it has no other point."""
    count: dict[str, int] = {}
    for name in study:
        count[name] = count.get(name, 0) + 1
    return [
        name if count[name] == 1 else f"{name}: {arm}"
        for name, arm in zip(study, treatment, strict=True)
    ]


def panel_size(ax: Axes, left: float, above_and_below: float) -> tuple[float, float]:
    """Return width and height of a panel, in inches; what its words will take is left out.

    Parameters
    ----------
    ax : Axes
        The caller's, or our own.
    left, above_and_below : float
        What axes, title and foot take of the cell where a layout engine makes room for them.
    """
    width, height = inches(ax)
    return (width - left, height - above_and_below) if laid_out(ax) else (width, height)


@final
@dataclass(frozen=True, eq=False)
class Naming:
    """How points are named: what is written beside each, where, and a key where that is numbers.

    Parameters
    ----------
    points : tuple of int
        Which points, the most important first.
    texts : tuple of str
        What is written beside each.
    places : mapping of int to Place
        Where, by the order of the points; some may find no place.
    shifts : array, (point, 2)
        From each point to the middle of its text, in inches.
    key : str
        What the numbers mean; empty where names are written.
    """

    points: tuple[int, ...]
    texts: tuple[str, ...]
    places: Mapping[int, Place]
    shifts: NDArray[np.float64]
    key: str

    def write(self, ax: Axes, xy: NDArray[np.float64], *, over_lines: bool = False) -> None:
        """Write them into axes whose limits are those of the plan.

        Parameters
        ----------
        ax : Axes
            Where.
        xy : array, (point, 2)
            The points, in the units of the axes.
        over_lines : bool
            Whether names may lie on lines, which then must not strike them through.
        """
        for k, place in self.places.items():
            spot = xy[self.points[k]]
            _write(ax, self.texts[k], spot, self.shifts[k], place, over_lines=over_lines)


def naming(
    at: NDArray[np.float64],
    names: Sequence[tuple[int, str]],
    size: tuple[float, float],
    *,
    most: int = LISTED,
) -> Naming:
    """Return how to name points so that no text covers a point or another.

    Names stand beside their points if all find room; else numbers do, and a key tells the names.

    Parameters
    ----------
    at : array, (point, 2)
        All points, in inches from the lower left corner of the panel.
    names : sequence of (int, str)
        Which points to name and how, the most important first.
    size : pair of float
        Width and height of the panel, in inches.
    most : int, optional
        Names that a key lists.
    """
    points = tuple(point for point, _ in names)
    texts = tuple(fitted(text, on_page(WIDE), SIZES.small, most=2) for _, text in names)
    places, key = _best(at, points, texts, size), ""
    if len(places) < len(names):
        points = points[:most]
        texts = tuple(str(k + 1) for k in range(len(points)))
        places, key = _best(at, points, texts, size), _key([name for _, name in names], most)
        places = _completed(places, at, points, texts, size)
    shifts = np.zeros((len(points), 2))
    for k, place in places.items():
        shifts[k] = np.subtract(_centre(place.box), at[points[k]])
    return Naming(points, texts, places, shifts, key)


def _key(names: Sequence[str], most: int) -> str:
    told = [f"{k + 1} {shortened(name, 60)}" for k, name in enumerate(names[:most])]
    more = len(names) - most
    return "; ".join(told) + (f"; and {more} more, in the marks" if more > 0 else "") + "."


def _best(
    at: NDArray[np.float64],
    points: Sequence[int],
    texts: Sequence[str],
    size: tuple[float, float],
) -> dict[int, Place]:
    """Return the places found in that order of taking them in which most find one, and near."""
    extents = [extent(text, SIZES.small) for text in texts]
    count = range(len(texts))
    across = sorted(count, key=lambda k: float(at[points[k], 0]))
    upward = sorted(count, key=lambda k: float(at[points[k], 1]))
    tried = [
        _placed(at, points, extents, size, order)
        for order in (list(count), upward[::-1], across, across[::-1])
    ]
    return max(tried, key=lambda found: (len(found), -sum(p.far for p in found.values())))


def _placed(
    at: NDArray[np.float64],
    points: Sequence[int],
    extents: Sequence[tuple[float, float]],
    size: tuple[float, float],
    order: Sequence[int],
) -> dict[int, Place]:
    """Return where names go if they take their places in an order; some may find none."""
    placed: dict[int, Place] = {}
    for k in order:
        found = _place(at, points[k], extents[k], size, list(placed.values()))
        if found is not None:
            placed[k] = found
    return placed


def _completed(
    places: Mapping[int, Place],
    at: NDArray[np.float64],
    points: Sequence[int],
    texts: Sequence[str],
    size: tuple[float, float],
) -> dict[int, Place]:
    """Return places for all texts: those without one anywhere free, however their leader runs."""
    found = dict(places)
    for k in range(len(points)):
        if k not in found:
            boxes = [place.box for place in found.values()]
            box = _anywhere(at, at[points[k]], extent(texts[k], SIZES.small), size, boxes)
            if box is not None:
                leader = np.linspace(at[points[k]], box.nearest(*at[points[k]]), 24)
                found[k] = Place(box, leader, float(np.hypot(*(leader[-1] - leader[0]))))
    return found


def _anywhere(
    at: NDArray[np.float64],
    point: NDArray[np.float64],
    extent_: tuple[float, float],
    size: tuple[float, float],
    taken: Sequence[Box],
) -> Box | None:
    """Return the nearest rectangle of a grid that covers no text and no point."""
    (width, height), (wide, high) = extent_, size
    corners = [(x, y) for x in np.arange(0, wide, width / 2) for y in np.arange(0, high, height)]
    boxes = [Box(float(x), float(y), float(x + width), float(y + height)) for x, y in corners]
    free = (
        box
        for box in boxes
        if box.within(*size)
        and not box.holds(at, DOT).any()
        and not any(box.overlaps(other) for other in taken)
    )
    return min(free, key=lambda box: float(np.hypot(*(box.nearest(*point) - point))), default=None)


def _centre(box: Box) -> tuple[float, float]:
    return (box.left + box.right) / 2, (box.bottom + box.top) / 2


def _write(
    ax: Axes,
    text: str,
    xy: NDArray[np.float64],
    shift: NDArray[np.float64],
    place: Place,
    *,
    over_lines: bool,
) -> None:
    """Write a name, its middle shifted from its point, and lead to it where it is far."""
    ax.annotate(
        text,
        tuple(xy.tolist()),
        xytext=tuple((72 * shift).tolist()),
        textcoords="offset points",
        ha="center",
        va="center",
        fontsize=SIZES.small,
        color=INK,
        linespacing=1.1,
        parse_math=False,
        bbox=PATCH if over_lines else None,
    )
    line = place.leader[-1] - place.leader[0]
    if np.hypot(*line) > LEADER:
        ax.annotate(
            "",
            tuple(xy.tolist()),
            xytext=tuple((72 * line).tolist()),
            textcoords="offset points",
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkA": 0},
            zorder=1.5,
        )


def _place(
    at: NDArray[np.float64],
    point: int,
    extent_: tuple[float, float],
    size: tuple[float, float],
    placed: Sequence[Place],
) -> Place | None:
    """Return where a name is nearest to its point and covers nothing; its leader neither."""
    others = np.delete(at, point, axis=0)
    for far, box in _boxes(at[point], extent_):
        if not box.within(*size) or box.holds(at, DOT).any():
            continue
        leader = np.linspace(at[point], box.nearest(*at[point]), 24)
        if far > LEADER and _runs_over(leader, others):
            continue
        if _is_free(box, leader, placed):
            return Place(box, leader, far)
    return None


def _runs_over(leader: NDArray[np.float64], others: NDArray[np.float64]) -> bool:
    """Return whether a line runs over points other than those that lie on its own."""
    apart = np.hypot(*(others - leader[0]).T) > DOT
    gaps = leader[:, None] - others[apart]
    return bool((np.hypot(gaps[..., 0], gaps[..., 1]) < 0.6 * DOT).any())


def _is_free(box: Box, leader: NDArray[np.float64], placed: Sequence[Place]) -> bool:
    """Return whether neither name nor leader meets those that are there."""
    return not any(
        box.overlaps(other.box)
        or other.box.holds(leader, 0.0).any()
        or box.holds(other.leader, 0.0).any()
        or _crossing(leader, other.leader)
        for other in placed
    )


def _crossing(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Return whether two lines meet, given by points of which the outermost tell."""

    def sides(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
        along, ends = a[-1] - a[0], b[[0, -1]] - a[0]
        turned = along[0] * ends[:, 1] - along[1] * ends[:, 0]
        return float(turned[0] * turned[1])

    return sides(one, other) < 0 and sides(other, one) < 0


def _boxes(at: NDArray[np.float64], extent_: tuple[float, float]) -> Iterator[tuple[float, Box]]:
    """Yield the places to try for a name, and how far each is from its point."""
    width, height = extent_
    for far in FAR:
        for across, up in zip(np.cos(ANGLES), np.sin(ANGLES), strict=True):
            x = at[0] + far * across + np.sign(np.round(across, 6)) * width / 2
            y = at[1] + far * up + np.sign(np.round(up, 6)) * height / 2
            yield far, Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
