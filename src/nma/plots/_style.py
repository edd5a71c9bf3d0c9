"""How pictures look: colours that survive colour blindness, and sizes of text.

Colours are those of Okabe and Ito (2008), which most colour-blind readers tell apart. None carries
a meaning alone: a marker, a line style, a width or a number beside it says the same in grey.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, final

__all__ = [
    "BETTER",
    "DARK",
    "DEEP",
    "GREY",
    "INK",
    "LINE",
    "PAGE",
    "PALE",
    "SHADES",
    "SIZES",
    "WARNING",
    "WORSE",
    "Page",
    "columns_on_page",
    "fresh",
    "on_page",
    "styled",
]

INK, DARK, GREY, LINE, PALE = "#1a1a1a", "#4d4d4d", "#6b6b6b", "#b5b5b5", "#e9e9e9"
BETTER, WORSE = "#0072b2", "#e69f00"
DEEP = "#338ec1"
"""The deepest blue on which black text keeps a contrast of 4.5 to 1, also in grey."""

WARNING = "#a33c00"
SHADES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
"""Colours of what has no order, in the order of use."""


@final
@dataclass(frozen=True)
class Page:
    """Sizes that pictures are drawn for.

    Parameters
    ----------
    title, body, small : float
        Sizes of text, in points.
    room : float
        What widths of panels and labels are multiplied by.
    widest : float or None
        How wide a picture of its own may be, in inches.
    """

    title: float = 10.0
    body: float = 9.0
    small: float = 7.5
    room: float = 1.0
    widest: float | None = None


LEAST = 0.7
"""What panels shrink to before they move below each other."""

SCREEN = Page()

PAGE: ContextVar[Page] = ContextVar("page", default=SCREEN)


@final
class Sizes:
    """Sizes of text on the page that is drawn for, in points."""

    @property
    def title(self) -> float:
        """Of titles."""
        return PAGE.get().title

    @property
    def body(self) -> float:
        """Of names and numbers."""
        return PAGE.get().body

    @property
    def small(self) -> float:
        """Of notes, directions and ticks of small panels."""
        return PAGE.get().small


SIZES = Sizes()


def on_page(inches: float) -> float:
    """Return a width on the page that is drawn for, from what it is on a screen."""
    return inches * PAGE.get().room


def columns_on_page(usual: int, each: float, left: float = 0.0) -> int:
    """Return how many columns of a width fit on the page that is drawn for, beside ``left``.

    As many as usual while panels have not shrunk to ``LEAST`` of their width.
    """
    widest, room = PAGE.get().widest, PAGE.get().room
    if widest is None or room > LEAST:
        return usual
    return max(1, min(usual, int((widest - left) / each)))


def _style() -> Any:
    return {
        "axes.axisbelow": True,
        "axes.edgecolor": GREY,
        "axes.facecolor": "white",
        "axes.formatter.use_mathtext": False,
        "axes.grid": False,
        "axes.labelcolor": INK,
        "axes.labelsize": SIZES.body,
        "axes.linewidth": 0.8,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "figure.dpi": 100,
        "figure.edgecolor": "white",
        "figure.facecolor": "white",
        "font.size": SIZES.body,
        "hatch.linewidth": 0.6,
        "lines.linewidth": 1.5,
        "text.color": INK,
        "text.parse_math": False,
        "text.usetex": False,
        "xtick.color": GREY,
        "xtick.direction": "out",
        "xtick.labelcolor": INK,
        "xtick.labelsize": SIZES.body - 0.5,
        "ytick.color": GREY,
        "ytick.direction": "out",
        "ytick.labelcolor": INK,
        "ytick.labelsize": SIZES.body - 0.5,
    }


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the library's style, and leave the settings of the session as they were."""
    from matplotlib import rc_context

    with rc_context(_style()):
        yield


@contextmanager
def fresh() -> Iterator[None]:
    """Draw for the screen by matplotlib's own settings, whatever the session has set."""
    from matplotlib import rc_context, rcdefaults

    token = PAGE.set(SCREEN)
    try:
        with rc_context():
            rcdefaults()
            yield
    finally:
        PAGE.reset(token)
