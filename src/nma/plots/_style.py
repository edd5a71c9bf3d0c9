"""How pictures look: colours that survive colour blindness, and sizes of text.

Colours are those of Okabe and Ito (2008), which most colour-blind readers tell apart. None carries
a meaning alone: a marker, a line style, a width or a number beside it says the same in grey.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = [
    "BETTER",
    "BODY",
    "DARK",
    "DEEP",
    "GREY",
    "INK",
    "LINE",
    "PALE",
    "SHADES",
    "SMALL",
    "TITLE",
    "WARNING",
    "WORSE",
    "styled",
]

INK, DARK, GREY, LINE, PALE = "#1a1a1a", "#4d4d4d", "#6b6b6b", "#b5b5b5", "#e9e9e9"
BETTER, WORSE = "#0072b2", "#e69f00"
DEEP = "#338ec1"
"""The deepest blue on which black text keeps a contrast of 4.5 to 1, also in grey."""

WARNING = "#a33c00"
SHADES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
"""Colours of what has no order, in the order of use."""

TITLE, BODY, SMALL = 10.0, 9.0, 7.5
"""Sizes of text, in points."""

STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.facecolor": "white",
    "axes.formatter.use_mathtext": False,
    "axes.grid": False,
    "axes.labelcolor": INK,
    "axes.labelsize": BODY,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.dpi": 100,
    "figure.edgecolor": "white",
    "figure.facecolor": "white",
    "font.size": BODY,
    "hatch.linewidth": 0.6,
    "lines.linewidth": 1.5,
    "text.color": INK,
    "text.parse_math": False,
    "text.usetex": False,
    "xtick.color": GREY,
    "xtick.direction": "out",
    "xtick.labelcolor": INK,
    "xtick.labelsize": BODY - 0.5,
    "ytick.color": GREY,
    "ytick.direction": "out",
    "ytick.labelcolor": INK,
    "ytick.labelsize": BODY - 0.5,
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the library's style, and leave the settings of the session as they were."""
    from matplotlib import rc_context

    with rc_context(STYLE):
        yield
