"""The forest of increments: what a component adds to one combination after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from nma.errors import ModelError
from nma.incremental import incremental_effects as increments
from nma.plots._components import ADDING, LEAVING, numbers_text, sentence
from nma.plots._figure import figure
from nma.plots._forest_drawing import LABEL, Wording, drawn
from nma.plots._journal import paged
from nma.plots._style import SIZES, on_page
from nma.plots._text import effect_words, fitted, require_posterior, told
from nma.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nma.posterior import Posterior

__all__ = ["incremental_effects"]

MOST = 100
"""Rows that a picture may have."""

UNTESTED = " *"
"""What is written behind numbers of combinations that no trial has."""


def marks(
    posterior: Posterior,
    *,
    adding: Sequence[str] | None = None,
    to: Sequence[str] | None = None,
    level: float = 0.95,
) -> Table:
    """Return what a forest of increments shows.

    Parameters
    ----------
    posterior, adding, to, level
        As ``nma.plots.incremental_effects`` takes them.

    Returns
    -------
    Table
        By what is added to what: the rows of ``nma.incremental_effects``, with ``component`` and
        ``added to``, and ``text`` as written beside each.

    Raises
    ------
    ModelError
        As ``nma.plots.incremental_effects`` does.
    """
    require_posterior(posterior, "incremental_effects")
    table = increments(posterior, adding=adding, to=to, level=level)
    found = pd.DataFrame(table).reset_index()
    if len(found) > MOST:
        message = f"{len(found)} rows are too many to read: name some with adding= or to=."
        raise ModelError(message)
    if not found["told"].any():
        message = "The trials determine none of these: there is nothing to draw but the prior."
        raise ModelError(message)
    pairs = zip(found["component"], found["added to"], strict=True)
    found.index = pd.Index([f"{component}, added to {to}" for component, to in pairs])
    found["scaled"] = False
    text = numbers_text(posterior, found) + found["tested"].map({True: "", False: UNTESTED})
    result = Table(found.assign(text=text), caption=table.caption, digits=table.digits)
    said = sentence(posterior, level, "a component adds", is_told=bool(found["told"].all()))
    untested = " *: no trial has the combination, or what it is added to."
    result.attrs = effect_words(posterior, said + untested * bool((~found["tested"]).any()))
    result.attrs["level"] = level
    return result


@paged
def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of a forest of increments, as ``nma.plots.Drawing`` says."""
    ask = told(marks, "incremental_effects")
    pairs = zip(marks["component"], marks["added to"], strict=True)
    labels = [_label(str(component), str(to)) for component, to in pairs]
    wording = Wording(f"{ask('measure')}: what a component adds to what", ADDING, LEAVING, labels)
    return drawn(marks, ask, wording, ax=ax)


def _label(component: str, to: str) -> str:
    """Return one line, or two of which each keeps the ends of its names."""
    whole = fitted(f"{component}, added to {to}", on_page(LABEL), SIZES.body, most=1)
    if "…" not in whole:
        return whole
    lines = (f"{component},", f"added to {to}")
    return "\n".join(fitted(line, on_page(LABEL), SIZES.body, most=1) for line in lines)


@figure(marks, draw)
def incremental_effects(
    posterior: Posterior,
    *,
    adding: Sequence[str] | None = None,
    to: Sequence[str] | None = None,
    level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw what components add to one combination after another.

    Without interactions a component adds the same to all, by assumption: then
    ``nma.plots.components`` says it in one row each.

    Parameters
    ----------
    posterior : Posterior
        A fitted model with components, ``nma.structures.Components`` alone or wrapped.
    adding : sequence of str, optional
        Components; all that have an effect if not given.
    to : sequence of str, optional
        Treatments, or combinations that no trial has; every treatment if not given.
    level : float, default 0.95
        Probability of the equal-tailed intervals.
    ax : Axes, optional
        Where to draw; names stand to its left and numbers to its right, so make it with
        ``layout="constrained"`` or leave room. A figure of its own if not given.

    Returns
    -------
    Axes
        Shows itself in a notebook; ``.figure.savefig("increments.svg")`` writes a file.

    Raises
    ------
    ModelError
        If the model has no components, one of these is unknown, the trials determine none, or
        there would be more than 100 rows.

    Examples
    --------
    >>> import nma
    >>> structure = nma.structures.Components(
    ...     separator=" + ", inactive="usual care", interactions="all"
    ... )
    >>> posterior = nma.fit(nma.datasets.network("musician"), nma.Model(structure))
    >>> picture = nma.plots.incremental_effects(posterior, adding=["exercise"])
    >>> nma.plots.incremental_effects.marks(posterior, adding=["exercise"]).index[0]
    'exercise, added to telephone CBT'
    """
    return draw(marks(posterior, adding=adding, to=to, level=level), ax=ax)
