"""Where pictures are drawn: the caller's axes, or a figure of our own.

A figure of our own belongs to nobody's list: it is a plain ``matplotlib.figure.Figure`` that pyplot
does not know, so drawing opens no window, chooses no backend, changes no setting and keeps nothing
alive. Its axes show themselves as the last value of a notebook's cell, with or without
``%matplotlib inline``, and ``axes.figure.savefig`` writes files: text in SVG stays text, PDF holds
TrueType fonts, and the same picture is the same file.

For a window, or as a part of another picture, make the axes and hand them over:

    fig, ax = plt.subplots()
    nma.plots.forest(posterior, ax=ax)
    plt.show()
"""

from __future__ import annotations

import warnings
from functools import cache, partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, final

from nma.errors import ModelError, NmaWarning
from nma.plots._style import SIZES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import FigureCanvasBase
    from matplotlib.figure import Figure

__all__ = [
    "READABLE",
    "cell",
    "finished",
    "inches",
    "laid_out",
    "owned",
    "require_readable",
    "sheet",
]

PIXELS = 90
"""Pixels to the inch in a notebook; pictures have twice as many, for sharp screens."""

SAVED: Any = {"svg.fonttype": "none", "svg.hashsalt": "nma", "pdf.fonttype": 42, "ps.fonttype": 42}
"""Settings while a picture is written."""

SNUG = 0.96
"""How much more text shrinks than the picture, since small letters are drawn a little wider."""

PAD = 0.1
"""What a layout engine keeps free around a cell, in inches."""

READABLE = 6.0
"""Size of text, in points, below which a reader is warned."""

DATES = {"svg": "Date", "pdf": "CreationDate"}
"""What files of a kind call the time they were written, which is left out."""


@cache
def _canvas() -> type[FigureCanvasBase]:
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    @final
    class Canvas(FigureCanvasAgg):
        """Writes files with the settings of this library, whatever those of the session are."""

        def print_figure(self, filename: Any, *args: Any, **options: Any) -> Any:
            kind = options.get("format") or str(filename).rpartition(".")[2]
            if kind in DATES:
                options["metadata"] = {DATES[kind]: None} | (options.get("metadata") or {})
            with rc_context(SAVED):
                return super().print_figure(filename, *args, **options)

    return Canvas


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    made = Figure(figsize=(width, height))
    _canvas()(made)
    vars(made)["_repr_png_"] = partial(_picture, made)
    return made


def _picture(figure: Figure) -> tuple[bytes, dict[str, int]]:
    """Return a picture for a notebook, and its size on the page."""
    written = BytesIO()
    figure.savefig(written, format="png", dpi=2 * PIXELS, metadata={"Software": None})
    width, height = figure.get_size_inches() * PIXELS
    return written.getvalue(), {"width": round(width), "height": round(height)}


def owned(
    size: tuple[float, float], *, left: float, right: float, top: float, bottom: float
) -> Axes:
    """Return axes of a size, in inches, in a figure of their own with the given margins."""
    width, height = left + size[0] + right, top + size[1] + bottom
    figure = _figure(width, height)
    place = (left / width, bottom / height, size[0] / width, size[1] / height)
    return _showing(figure.add_axes(place))


def _showing(axes: Axes) -> Axes:
    vars(axes)["_repr_png_"] = vars(axes.figure)["_repr_png_"]
    return axes


def sheet(ax: Axes | None, width: float, height: float) -> tuple[Axes, float]:
    """Return bare axes whose unit is an inch, y upward, and how much smaller they are drawn.

    Parameters
    ----------
    ax : Axes or None
        The caller's; whatever is drawn, text included, is then to shrink to fit.
    width, height : float
        What the picture needs.
    """
    drawn = owned((width, height), left=0, right=0, top=0, bottom=0) if ax is None else ax
    across, up = inches(drawn)
    drawn.set_axis_off()
    drawn.set_aspect("equal")
    drawn.set_xlim(0, width)
    drawn.set_ylim(0, height)
    share = min(across / width, up / height)
    scale = 1.0 if share > SNUG else share * SNUG
    require_readable(SIZES.small * scale, (width, height))
    return drawn, scale


def require_readable(size: float, wanted: tuple[float, float]) -> None:
    """Warn if text is too small to read, and say how large the picture wants to be, in inches."""
    if size < READABLE:
        message = (
            f"The text of this picture is {size:.1f} points high, too small to read: it wants "
            f"{wanted[0]:.1f} x {wanted[1]:.1f} inches. Use a larger figure, or leave out ax=."
        )
        warnings.warn(message, NmaWarning, stacklevel=5)


def finished(ax: Axes) -> Axes:
    """Return a sheet whose contents a layout engine leaves alone: they lie inside it already."""
    for artist in ax.get_children():
        artist.set_in_layout(False)
    return ax


def inches(ax: Axes) -> tuple[float, float]:
    """Return the width and height of axes; of their cell if they alone are laid out on a page."""
    figure = ax.get_figure()
    if figure is None:
        message = "These axes are in no figure: draw into axes of a figure, such as plt.subplots()."
        raise ModelError(message)
    if laid_out(ax) and figure.figure.axes == [ax]:
        return cell(ax)
    box = ax.get_position(original=True)
    width, height = figure.bbox.width / figure.figure.dpi, figure.bbox.height / figure.figure.dpi
    return float(box.width * width), float(box.height * height)


def laid_out(ax: Axes) -> bool:
    """Return whether a layout engine makes room for words beside and below the axes."""
    owner = ax.get_figure()
    if owner is None or ax.get_subplotspec() is None:
        return False
    return owner.figure.get_layout_engine() is not None


def cell(ax: Axes) -> tuple[float, float]:
    """Return the width and height of the cell that axes share with the words around them."""
    figure, spec = ax.get_figure(), ax.get_subplotspec()
    if figure is None or spec is None:
        return inches(ax)
    rows, columns = spec.get_gridspec().get_geometry()
    wide, high = figure.bbox.width / figure.figure.dpi, figure.bbox.height / figure.figure.dpi
    across, up = len(spec.colspan) / columns, len(spec.rowspan) / rows
    return float(across * wide - PAD), float(up * high - PAD)
