"""What a figure is: a verb that draws, with its table of marks and its drawing beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, Protocol, cast

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from nma.tables import Table

__all__ = ["Drawing", "Figure", "figure"]

Asked = ParamSpec("Asked")
Marked = ParamSpec("Marked")


class Drawing(Protocol):
    """Draws a table of marks."""

    def __call__(self, marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
        """Draw into ``ax``, or into a figure of its own that is large enough.

        Parameters
        ----------
        marks : DataFrame
            What the ``marks`` of the same figure returned, or a changed copy.
        ax : Axes, optional
            Where to draw. Text shrinks where they are small, with a warning below 6 points. Names
            and numbers of a forest stand beside its axes: make them with ``layout="constrained"``
            or leave room.

        Returns
        -------
        Axes
            Those drawn into; panels, where there are several, are their ``child_axes``.
        """


class Figure(Protocol[Asked, Marked]):
    """A verb that draws: ``figure(...)`` is ``figure.draw(figure.marks(...))``.

    Change a copy of the marks to change the picture; their ``attrs`` carry the words.
    """

    @property
    def marks(self) -> Callable[Marked, Table]:
        """Returns what is drawn, as a table."""

    @property
    def draw(self) -> Drawing:
        """Draws such a table."""

    def __call__(self, *args: Asked.args, **kwargs: Asked.kwargs) -> Axes:
        """Draw the marks and return the axes."""


def figure(
    marks: Callable[Marked, Table], draw: Drawing
) -> Callable[[Callable[Asked, Axes]], Figure[Asked, Marked]]:
    """Return a decorator that sets ``marks`` and ``draw`` beside a verb.

    The verb stays a plain function, so that its signature and docstring are what help shows.
    """

    def beside(verb: Callable[Asked, Axes]) -> Figure[Asked, Marked]:
        vars(verb).update(marks=marks, draw=draw)
        return cast("Figure[Asked, Marked]", verb)

    return beside
