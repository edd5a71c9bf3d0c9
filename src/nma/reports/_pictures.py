"""Figures as files: the same picture is the same bytes."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["picture"]

DATES = {"svg": "Date", "pdf": "CreationDate"}


def picture(axes: Axes, kind: str) -> bytes:
    """Return a figure as a file of a kind, without the time it was written.

    Text in SVG stays text; ids come from what is drawn, with a fixed salt.
    """
    from matplotlib import rc_context

    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "nma", "pdf.fonttype": 42}
    written = BytesIO()
    with rc_context(settings):
        axes.figure.figure.savefig(written, format=kind, metadata={DATES[kind]: None})
    return written.getvalue()
