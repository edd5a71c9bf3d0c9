"""Text in pictures: how large it is, how it wraps, and what every picture must say."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from nma.errors import ModelError
from nma.estimates import prior_driven
from nma.network import Network
from nma.plots._style import GREY, SIZES, WARNING
from nma.posterior import Posterior
from nma.tables import decimals, interval

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = [
    "design_label",
    "effect_words",
    "extent",
    "fitted",
    "foot",
    "foot_lines",
    "head",
    "head_lines",
    "interval_name",
    "network_words",
    "plain",
    "require_posterior",
    "scale_interval",
    "told",
    "words",
]

SPACING = 1.22
"""Height of a line of text, in sizes of its letters."""

ROOM = 1.05
"""What a renderer may add to a measured width by placing letters on pixels."""


def plain(text: str) -> str:
    """Return text on one line, without characters that cannot be shown."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def extent(text: str, size: float, *, weight: str = "normal") -> tuple[float, float]:
    """Return the width and height of text, in inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    lines = text.split("\n")
    font = FontProperties(size=size, weight=weight)
    widths = [text_to_path.get_text_width_height_descent(line, font, False)[0] for line in lines]
    return ROOM * float(max(widths)) / 72, SPACING * size * len(lines) / 72


def fitted(text: str, width: float, size: float, *, most: int = 2, weight: str = "normal") -> str:
    """Return text on lines of a width in inches; where they are too many, its middle left out.

    Words go first, from the middle, then letters: names often differ at their ends.
    """
    whole = plain(text)
    for shorter in _shorter(whole):
        if extent(shorter, size, weight=weight)[0] > most * (width + 0.1):
            continue  # far too long: spares the breaking of lines
        lines = _lines(shorter, width, size, weight)
        if len(lines) <= most:
            break
    else:
        lines = _lines(shorter, width, size, weight)
    return "\n".join(lines)


def design_label(design: str, width: float, size: float) -> str:
    """Return a design on two lines at the most, each of its treatments shortened by itself."""
    names = design.split(" : ")
    for share in (2.0, 0.9, 0.7, 0.5, 0.4, 0.3, 0.2):
        text = " : ".join(fitted(name, share * width, size, most=1) for name in names)
        shown = fitted(text, width, size)
        if shown.split() == text.split():
            break
    return shown


def _shorter(text: str) -> Iterator[str]:
    """Yield text with more and more of its middle left out."""
    yield text
    tokens = text.split()
    for kept in range(len(tokens) - 1, 1, -1):
        yield " ".join([*tokens[: (kept + 1) // 2], "…", *tokens[-(kept // 2) :]])
    letters = len(text)
    while letters > 4:
        letters -= max(1, letters // 20)
        yield f"{text[: (letters + 1) // 2].rstrip()}…{text[-(letters // 2) :].lstrip()}"


def _lines(text: str, width: float, size: float, weight: str) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if extent(longer, size, weight=weight)[0] <= width:
            lines[-1] = longer
        else:
            pieces = _pieces(word, width, size, weight)
            lines = [*filter(None, lines), *pieces]
    return lines


def _pieces(word: str, width: float, size: float, weight: str) -> list[str]:
    """Return a word, broken where it is wider than a line."""
    pieces = [word]
    while extent(pieces[-1], size, weight=weight)[0] > width and len(pieces[-1]) > 1:
        rest = pieces.pop()

        def is_over(end: int, text: str = rest) -> bool:
            return extent(text[: end + 1], size, weight=weight)[0] > width

        end = 1 + bisect_left(range(1, len(rest) - 1), x=True, key=is_over)
        pieces += [rest[:end], rest[end:]]
    return pieces


def interval_name(posterior: Posterior) -> str:
    """Return what the intervals of a posterior are called, wherever a picture names them."""
    return f"{posterior.draws.intervals} interval"


def require_posterior(asked: object, figure: str, how: str = "nma.fit(network)") -> None:
    """Refuse what is no posterior, and say how to get one: what the figure is to be given.

    Raises
    ------
    ModelError
        With the call that draws, where there is one.
    """
    if isinstance(asked, Posterior):
        return
    remedy = f": nma.plots.{figure}({how})" if isinstance(asked, Network) else ""
    message = f"{figure} draws a Posterior; this is a {type(asked).__name__}{remedy}."
    raise ModelError(message)


def scale_interval(median: float, lower: float, upper: float) -> str:
    """Return ``median (lower, upper)`` of a scale such as tau."""
    if lower == upper:
        return f"{median:g} (taken as known)"
    if np.isnan(lower):
        return f"{median:.3g} (estimated, then taken as known)"
    digits = decimals(np.array([(upper - lower) / 4]))
    return interval(median, lower, upper, 0.0, digits=digits)


def words(posterior: Posterior, text: str) -> dict[Hashable, Any]:
    """Return what a picture of a posterior says: faults first, then itself, then the data.

    Before the data stands which effects they do not tell.
    """
    data = " ".join([*prior_driven(posterior), posterior.network.caption]).rstrip()
    own = {"poor": posterior.poor, "interval": interval_name(posterior), "data": data}
    return network_words(posterior.network, text) | own


def effect_words(posterior: Posterior, text: str) -> dict[Hashable, Any]:
    """Return what a picture of effects says: also at which values of covariates they are."""
    told = words(posterior, text)
    return told | {"data": f"{posterior.conditions} {told['data']}".strip()}


def network_words(network: Network, text: str) -> dict[Hashable, Any]:
    """Return what a picture of a network says."""
    return {
        "poor": "",
        "text": text,
        "data": network.caption,
        "measure": network.measure,
        "ratio": network.ratio,
        "better": network.better,
    }


def told(marks: pd.DataFrame, figure: str) -> Callable[[str], Any]:
    """Return a function that asks the marks for one of their words.

    Raises
    ------
    ModelError
        If they have lost it.
    """

    def ask(name: str) -> Any:
        if name not in marks.attrs:
            message = (
                f"These marks do not say {name!r}: draw what nma.plots.{figure}.marks returned, or "
                "a changed copy that keeps its attrs."
            )
            raise ModelError(message)
        return marks.attrs[name]

    return ask


Line = tuple[str, float, str, str]
"""Text, size, weight and colour."""


def head_lines(title: str, poor: str, width: float) -> list[Line]:
    """Return the lines above a picture: a poor fit first, then the title."""
    warning = fitted(poor, width, SIZES.body, most=6, weight="bold").split("\n") if poor else []
    lines = [(line, SIZES.body, "bold", WARNING) for line in warning]
    if title:
        shown = fitted(title, width, SIZES.title, most=3, weight="bold").split("\n")
        lines += [(line, SIZES.title, "bold", "#1a1a1a") for line in shown]
    return lines


def foot_lines(text: str, data: str, width: float) -> list[Line]:
    """Return the small lines below a picture: what it shows, in paragraphs, then its data."""
    parts = [part for part in (*text.split("\n"), data) if part]
    shown = [
        line for part in parts for line in fitted(part, width, SIZES.small, most=12).split("\n")
    ]
    return [(line, SIZES.small, "normal", GREY) for line in shown]


def head(lines: list[Line]) -> float:
    """Return the height of lines, in inches."""
    return sum(SPACING * size / 72 for _, size, _, _ in lines)


def foot(
    ax: Axes, lines: list[Line], x: float, y: float, *, scale: float = 1.0, **where: Any
) -> None:
    """Write lines downward from a point.

    Parameters
    ----------
    ax : Axes
        Where.
    lines : list of Line
        What.
    x, y : float
        Left and top of the first line: in inches on a sheet, else in inches from the lower or,
        with ``corner=1``, the upper left corner of the axes.
    scale : float, default 1
        How much smaller the text is to be.
    """
    corner = where.pop("corner", None)
    for text, size, weight, colour in lines:
        y -= SPACING * size / 72
        style: dict[str, Any] = {
            "fontsize": size * scale,
            "fontweight": weight,
            "color": colour,
            "va": "baseline",
        }
        lift = 0.25 * size / 72
        if corner is None:
            ax.text(x, y + lift, text, clip_on=False, parse_math=False, **style)
        else:
            ax.annotate(
                text,
                (0, corner),
                xytext=(72 * x, 72 * (y + lift)),
                xycoords="axes fraction",
                textcoords="offset points",
                annotation_clip=False,
                parse_math=False,
                **style,
            )
