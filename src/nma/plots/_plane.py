"""Treatments as points of a plane: two outcomes at once, with names and words in the corners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nma.plots._beside import PATCH, naming, panel_size
from nma.plots._canvas import inches, owned
from nma.plots._style import GREY, SIZES, on_page
from nma.plots._text import SPACING, extent, fitted, foot, foot_lines, head, head_lines

if TYPE_CHECKING:
    from collections.abc import Hashable

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from nma.decisions._outcomes import Outcomes
    from nma.plots._beside import Naming

__all__ = ["Plane", "draw_plane", "outcome_words"]

SIZE = (4.6, 4.0)
"""Width and height of the panel, in inches."""

LEFT, BELOW = 0.75, 0.5
"""Room for the axes, in inches."""

LISTED = 60
"""Names that a key lists: all of them, but for the largest networks."""

LOW = 1.8
"""Height of a panel, in inches, up to which its corners stay empty."""

KEY = 0.3
"""Share of given axes that a key may take."""

PARTED = 12
"""Names in a paragraph of the key."""

GRAIN = 0.06
"""Inches between the points that keep names off the words in the corners."""

CORNERS = ((0, 1), (1, 1), (0, 0), (1, 0))
"""Where words stand, from the upper left: shares of the panel's width and height."""


@final
@dataclass(frozen=True, eq=False)
class Plane:
    """What is to be drawn.

    Parameters
    ----------
    xy : array, (point, 2)
        Where the treatments are.
    names : list of str
        What they are called.
    limits : array, (axis, end)
        Where the axes begin, at the left and below, and end.
    labels : tuple of str
        What the axes are.
    ticks : tuple of list of (float, str)
        Where the axes have numbers, and which.
    title : str
        Above the panel.
    corners : tuple of str
        Words in the corners, from the upper left to the lower right; may be empty.
    marked : array, (point, 2)
        What else names must keep off.
    """

    xy: NDArray[np.float64]
    names: list[str]
    limits: NDArray[np.float64]
    labels: tuple[str, str]
    ticks: tuple[list[tuple[float, str]], list[tuple[float, str]]]
    title: str
    corners: tuple[str, ...] = ()
    marked: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)))


def outcome_words(outcomes: Outcomes, text: str) -> dict[Hashable, Any]:
    """Return what a picture of several outcomes says: faults first, then itself, then the data."""
    places = [f"{n}: {p.conditions}" for n, p in outcomes.posteriors.items() if p.conditions]
    data = " ".join([*places, *outcomes.told[1:], outcomes.data]).strip()
    return {
        "poor": outcomes.poor,
        "text": text,
        "data": data,
        "outcomes": list(outcomes.posteriors),
    }


def draw_plane(
    plane: Plane, ask: Callable[[str], Any], ax: Axes | None, paint: Callable[[Axes], None]
) -> Axes:
    """Draw a plane; ``paint`` adds what belongs to the figure."""
    width = on_page(SIZE[0]) + LEFT if ax is None else inches(ax)[0]
    title = head_lines(plane.title, ask("poor"), width)
    notes = foot_lines(ask("text"), ask("data"), width)
    top = head(title) + 0.2
    for _ in range(1 if ax is None else 2):  # once more with the room that a key leaves
        size = (
            (on_page(SIZE[0]), on_page(SIZE[1]))
            if ax is None
            else panel_size(ax, LEFT, top + BELOW + head(notes) + 0.1)
        )
        words = [_corner(word, size[0]) for word in plane.corners if size[1] > LOW]
        most = LISTED if ax is None else _listed(plane.names, width, inches(ax)[1])
        limits = _widened(plane.limits, words, size[1])
        named = _naming(plane, limits, words, size, most)
        notes = foot_lines(f"{ask('text')}\n{_parts(named.key)}", ask("data"), width)
    below = BELOW + head(notes) + 0.1
    drawn = ax if ax is not None else owned(size, left=LEFT, right=0.2, top=top, bottom=below)
    _draw_axes(drawn, plane, limits, size)
    _draw_corners(drawn, words)
    paint(drawn)
    named.write(drawn, plane.xy, over_lines=True)
    foot(drawn, title, -LEFT + 0.1, top - 0.08, corner=1)
    foot(drawn, notes, -LEFT + 0.1, -BELOW, corner=0)
    return drawn


def _listed(names: list[str], width: float, height: float) -> int:
    """Return how many names a key may list below axes that are given."""
    lines = KEY * height / (SPACING * SIZES.small / 72)
    each = np.mean([extent(name, SIZES.small)[0] for name in names]) + 0.25
    return max(4, min(LISTED, int(lines * width / each)))


def _parts(key: str) -> str:
    """Return a key in paragraphs, so that the foot leaves nothing out of a long one."""
    told = key.split("; ")
    return "\n".join("; ".join(told[k : k + PARTED]) for k in range(0, len(told), PARTED))


def _corner(word: str, width: float) -> str:
    return fitted(word, width / 2 - 0.15, SIZES.small, most=3)


def _widened(limits: NDArray[np.float64], words: list[str], height: float) -> NDArray[np.float64]:
    """Return limits with room above and below for the words, so that none lies on a point."""
    if not words:
        return limits
    room = max(extent(word, SIZES.small)[1] for word in words) + 0.12
    share = room / max(height - 2 * room, height / 3)
    low, high = limits[1]
    return np.array([limits[0], [low - share * (high - low), high + share * (high - low)]])


def _naming(
    plane: Plane,
    limits: NDArray[np.float64],
    words: list[str],
    size: tuple[float, float],
    most: int,
) -> Naming:
    """Return how the points are named, clear of each other and of the words in the corners."""
    at, marked = (
        (points - limits[:, 0]) / (limits[:, 1] - limits[:, 0]) * size
        for points in (plane.xy, plane.marked)
    )
    blocked = [_grid(word, corner, size) for word, corner in zip(words, CORNERS, strict=False)]
    order = np.argsort(-np.hypot(*(at - at.mean(axis=0)).T), kind="stable")
    asked = [(int(k), plane.names[k]) for k in order]
    return naming(np.concatenate([at, marked, *blocked]), asked, size, most=most)


def _grid(word: str, corner: tuple[int, int], size: tuple[float, float]) -> NDArray[np.float64]:
    """Return points that fill the place of a word in a corner, in inches."""
    wide, high = extent(word, SIZES.small)
    x = np.arange(0.0, wide + 0.1, GRAIN)
    y = np.arange(0.0, high + 0.1, GRAIN)
    x = size[0] - x if corner[0] else x
    y = size[1] - y if corner[1] else y
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def _draw_axes(
    ax: Axes, plane: Plane, limits: NDArray[np.float64], size: tuple[float, float]
) -> None:
    ax.set_xlim(*limits[0].tolist())
    ax.set_ylim(*limits[1].tolist())
    across, up = plane.ticks
    ax.set_xticks([place for place, _ in across], [text for _, text in across])
    ax.set_yticks([place for place, _ in up], [text for _, text in up])
    width, height = (max(side, 1.0) for side in size)
    for label, set_, room in ((0, ax.set_xlabel, width), (1, ax.set_ylabel, height)):
        set_(fitted(plane.labels[label], room, SIZES.body, most=1), fontsize=SIZES.body, labelpad=3)


def _draw_corners(ax: Axes, words: list[str]) -> None:
    for word, (x, y) in zip(words, CORNERS, strict=False):
        ax.annotate(
            word,
            (x, y),
            xytext=(4 * (1 - 2 * x), 4 * (1 - 2 * y)),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="right" if x else "left",
            va="top" if y else "bottom",
            fontsize=SIZES.small,
            fontstyle="italic",
            color=GREY,
            linespacing=SPACING,
            parse_math=False,
            bbox=PATCH,
            zorder=2,
        )
