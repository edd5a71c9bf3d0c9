"""The forest of components: what each adds, and what they do together beyond their sum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma.errors import ModelError
from nma.estimates import centre, is_credible, scale_name
from nma.parameters import parameter_table
from nma.plots._figure import figure
from nma.plots._forest import scale_words
from nma.plots._forest_drawing import Wording, drawn
from nma.plots._journal import paged
from nma.plots._text import interval_name, require_posterior, told, words
from nma.structures._inside import components_inside
from nma.summaries import summary
from nma.tables import Table, decimals, interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nma.posterior import Posterior

__all__ = ["ADDING", "LEAVING", "components", "numbers_text", "sentence"]

KINDS = ("component", "interaction")
"""What rows are of."""

TOGETHER = "An interaction (x) is what components do together beyond their sum."
"""What interactions are."""

ADDING = ("adding it", "adding it")
LEAVING = ("leaving it out", "leaving it out")
"""Whom the sides of no effect favour."""


def marks(posterior: Posterior, *, level: float = 0.95) -> Table:
    """Return what a forest of components shows.

    Parameters
    ----------
    posterior, level
        As ``nma.plots.components`` takes them.

    Returns
    -------
    Table
        By component, the best first, then by interaction: the rows of ``parameter_table``,
        ``kind``, ``scaled`` (whether a scale shrinks it), and ``text`` as written beside each.

    Raises
    ------
    ModelError
        As ``nma.plots.components`` does.
    """
    require_posterior(posterior, "components")
    inside = components_inside(posterior.model.structure, posterior.network)
    table = parameter_table(posterior, level=level, random=True)
    count, known = len(inside.names), inside.components.parameters(inside.network).names
    found = pd.DataFrame(table).iloc[: len(known)]  # a wrapper's own parameters come later
    if not found["told"].any():
        message = "The trials determine no component: there is nothing to draw but the prior."
        raise ModelError(message)
    found = found.assign(
        kind=np.repeat(KINDS, [count, len(known) - count]),
        scaled=[scale is not None for scale in posterior.problem.parameters.scale[: len(known)]],
    )
    found = _ordered(found, rising=posterior.network.better == "lower")
    texts = numbers_text(posterior, found)
    result = Table(found.assign(text=texts), caption=table.caption, digits=table.digits)
    more = [TOGETHER] if len(known) > count else []
    said = sentence(
        posterior, level, "a component adds", is_told=bool(found["told"].all()), more=more
    )
    result.attrs = words(posterior, said) | {"level": level}
    return result


def _ordered(found: pd.DataFrame, *, rising: bool) -> pd.DataFrame:
    """Return components before interactions, of each the best first, what is untold last."""
    key = found.assign(untold=~found["told"], mean=found["mean"] * (1 if rising else -1))
    order = key.reset_index().sort_values(["kind", "untold", "mean"], kind="stable").index
    return found.iloc[order]


def numbers_text(posterior: Posterior, found: pd.DataFrame) -> list[str]:
    """Return what is written beside rows: numbers, or why there are none."""
    digits = decimals(found["sd"][found["told"]].to_numpy())
    untold = "rests on its prior" if is_credible(posterior) else "not determined"
    columns = (found[name] for name in ("estimate", "lower", "upper", "mcse", "told", "scaled"))
    return [
        interval(*numbers, digits=digits) if known else "no trial has it" if scaled else untold
        for *numbers, known, scaled in zip(*columns, strict=True)
    ]


def sentence(
    posterior: Posterior, level: float, what: str, *, is_told: bool, more: Sequence[str] = ()
) -> str:
    """Return what squares, lines and dashes are, and the scales.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    level : float
        Probability of the intervals.
    what : str
        What it is that is drawn: "a component adds".
    is_told : bool
        Whether the trials determine all rows.
    more : sequence of str
        What else there is to say of the rows.
    """
    network = posterior.network
    log = f" of the {scale_name(posterior)}" if network.ratio else ""
    thick = f"{100 * level:g}% {interval_name(posterior)}"
    dashed = "Dashed, grey: no trials, directly or together, determine it."
    said = [
        f"Square: {centre(posterior)}{log} of what {what}; thick line: {thick}.",
        f"{network.measure}, {network.better} is better.",
        *more,
        *([] if is_told else [dashed]),
    ]
    return " ".join([*said, *scale_words(posterior, summary(posterior, level=level), level)])


@paged
def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of a forest of components, as ``nma.plots.Drawing`` says."""
    ask = told(marks, "components")
    wording = Wording(f"{ask('measure')}: what each component adds", ADDING, LEAVING)
    return drawn(marks, ask, wording, ax=ax)


@figure(marks, draw)
def components(posterior: Posterior, *, level: float = 0.95, ax: Axes | None = None) -> Axes:
    """Draw what each component adds, and the interactions of the model.

    A square is the posterior mean, a line the credible interval; components come first, the best
    at the top, then interactions. What the trials do not determine is dashed and says so. Ratio
    measures stand on a log axis. An interval that goes on beyond the axis ends in an arrow.

    Parameters
    ----------
    posterior : Posterior
        A fitted model with components, ``nma.structures.Components`` alone or wrapped.
    level : float, default 0.95
        Probability of the equal-tailed intervals.
    ax : Axes, optional
        Where to draw; names stand to its left and numbers to its right, so make it with
        ``layout="constrained"`` or leave room. A figure of its own if not given.

    Returns
    -------
    Axes
        Shows itself in a notebook; ``.figure.savefig("components.svg")`` writes a file.

    Raises
    ------
    ModelError
        If the model has no components, the trials determine none of them, or the level is not
        between 0 and 1.

    Examples
    --------
    >>> import nma
    >>> structure = nma.structures.Components(separator=" + ", inactive="usual care")
    >>> posterior = nma.fit(nma.datasets.network("musician"), nma.Model(structure))
    >>> picture = nma.plots.components(posterior)
    >>> nma.plots.components.marks(posterior)["kind"].to_dict()
    {'telephone CBT': 'component', 'exercise': 'component'}
    """
    return draw(marks(posterior, level=level), ax=ax)
