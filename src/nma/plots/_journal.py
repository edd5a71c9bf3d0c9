"""The page of a journal: pictures as wide as a column, in the sizes of text that journals take."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any

from nma.errors import ModelError, NmaWarning, nearest
from nma.plots._style import PAGE, Page

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from nma.plots._figure import Drawing

__all__ = ["COLUMNS", "journal", "paged"]

COLUMNS = {"single": 85.0, "double": 175.0}
"""Widths of one column of a journal and of two, in millimetres."""

INCH, EDGE = 25.4, 1e-6

TALLEST = 235.0
"""Millimetres beyond which panels shrink further, so that more stand side by side."""

ROOMS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.42)
"""What widths of panels and labels are multiplied by, in turn, until a picture fits."""


@contextmanager
def journal(width: str | float = "double", *, font: str | None = None) -> Iterator[None]:
    """Draw for a journal: no picture wider than a column, text of 7 to 8 points.

    Pictures made inside are laid out anew rather than shrunk: panels become narrower, names break
    or lose their middle, panels move below each other, and text keeps its size. Better and worse
    differ in grey, too. Axes that are handed over with ``ax=`` keep their own size. Nothing of
    the session is changed.

    Parameters
    ----------
    width : {"single", "double"} or float, default "double"
        One column of a journal (85 mm), two (175 mm), or how many millimetres.
    font : str, optional
        A font that is installed, such as ``"Arial"``; matplotlib's own if not given. Letters that
        it lacks come from matplotlib's DejaVu Sans.

    Yields
    ------
    None
        The pictures made inside are those for the journal.

    Raises
    ------
    ModelError
        If the width is none, or the font is not installed.

    Warns
    -----
    NmaWarning
        If a picture cannot be made so narrow, with the width that it has.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> with nma.plots.journal("double"):
    ...     axes = nma.plots.forest(posterior)
    >>> bool(25.4 * axes.figure.get_figwidth() <= 175)
    True
    """
    from matplotlib import rc_context

    widest = _millimetres(width) / INCH
    family: Any = {"font.family": [_installed(font), "DejaVu Sans"]} if font else {}
    token = PAGE.set(Page(title=8.0, body=7.5, small=7.0, widest=widest))
    try:
        with rc_context(family):
            yield
    finally:
        PAGE.reset(token)


def _millimetres(width: str | float) -> float:
    if isinstance(width, str):
        if width in COLUMNS:
            return COLUMNS[width]
        message = (
            f"width={width!r} is no column: write 'single', 'double' or millimetres."
            f"{nearest(width, list(COLUMNS))}"
        )
        raise ModelError(message)
    if not 30 <= width <= 1000:
        message = f"width={width!r}: a page is between 30 and 1000 mm wide."
        raise ModelError(message)
    return float(width)


def _installed(font: str) -> str:
    from matplotlib.font_manager import FontProperties, findfont

    try:
        findfont(FontProperties(family=font), fallback_to_default=False)
    except ValueError:
        message = (
            f"font={font!r} is not installed where matplotlib looks. Install it, or leave font= "
            "out; matplotlib.font_manager.get_font_names() lists those there are."
        )
        raise ModelError(message) from None
    return font


def paged(draw: Callable[..., Axes]) -> Drawing:
    """Return a drawing that keeps to the width of the page that is drawn for."""

    @wraps(draw)
    def drawn(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
        page = PAGE.get()
        if ax is not None or page.widest is None:
            return draw(marks, ax=ax)
        tried = []
        for room in ROOMS:
            tried.append(_with(replace(page, room=room), draw, marks))
            width, height = _size(tried[-1])
            if width <= page.widest + EDGE and height <= TALLEST / INCH:
                return tried[-1]
        narrow = [axes for axes in tried if _size(axes)[0] <= page.widest + EDGE]
        if not narrow:
            _warn(_size(tried[-1])[0], page.widest)
        return min(narrow or tried[-1:], key=lambda axes: round(_size(axes)[1], 1))

    return drawn


def _with(page: Page, draw: Callable[..., Axes], marks: pd.DataFrame) -> Axes:
    token = PAGE.set(page)
    try:
        return draw(marks)
    finally:
        PAGE.reset(token)


def _size(axes: Axes) -> tuple[float, float]:
    width, height = axes.figure.figure.get_size_inches()
    return float(width), float(height)


def _warn(width: float, widest: float) -> None:
    message = (
        f"This picture is {INCH * width:.0f} mm wide, more than the {INCH * widest:.0f} mm asked "
        "for: its text would be too small to read. Give it a page on its side, such as "
        "width=240, or show fewer treatments."
    )
    warnings.warn(message, NmaWarning, stacklevel=4)
