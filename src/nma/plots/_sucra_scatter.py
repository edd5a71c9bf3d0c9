"""SUCRAs on two outcomes against each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nma.errors import shortened
from nma.hierarchy import sucra
from nma.plots._benefit_harm import two
from nma.plots._figure import figure
from nma.plots._journal import paged
from nma.plots._plane import Plane, draw_plane, outcome_words
from nma.plots._style import BETTER, LINE, styled
from nma.plots._text import told
from nma.tables import Table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from nma.decisions._outcomes import Outcomes
    from nma.posterior import Posterior

__all__ = ["shared_sucra", "sucra_scatter"]

TICKS = [(0.0, "0"), (0.25, "0.25"), (0.5, "0.5"), (0.75, "0.75"), (1.0, "1")]


def marks(posteriors: Mapping[str, Posterior]) -> Table:
    """Return what a scatter of SUCRAs shows.

    Parameters
    ----------
    posteriors : mapping of str to Posterior
        Two fitted models by the name of their outcome: the first across, the second upward.

    Returns
    -------
    Table
        For each ``treatment`` its SUCRA on the first outcome, ``x``, and on the second, ``y``,
        among the treatments that both have.

    Raises
    ------
    ModelError
        If they are not two outcomes, or share no two treatments.
    """
    outcomes = two(posteriors, None, "sucra_scatter")
    x, y = (shared_sucra(outcomes, name) for name in outcomes.posteriors)
    found = Table(
        {"treatment": list(outcomes.treatments), "x": x, "y": y},
        caption="SUCRA on two outcomes.",
    )
    text = (
        "1 is surely best of the treatments that both outcomes have, 0 surely worst. SUCRA says "
        f"nothing of the size of effects. {outcomes.notes[0]}"
    )
    found.attrs = outcome_words(outcomes, text)
    return found


def shared_sucra(outcomes: Outcomes, name: str) -> NDArray[np.float64]:
    """Return SUCRAs on one outcome among the treatments that all outcomes have."""
    posterior = outcomes.posteriors[name]
    places = outcomes.places(name, outcomes.treatments)
    targets = posterior.targets.iloc[places].reset_index(drop=True)
    scores = sucra(replace(posterior, targets=targets))["sucra"]
    return scores.loc[list(outcomes.treatments)].to_numpy(dtype=float)


@paged
def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of a scatter of SUCRAs.

    Parameters
    ----------
    marks : DataFrame
        What ``nma.plots.sucra_scatter.marks`` returned, or a changed copy.
    ax : Axes, optional
        Where to draw. A figure of its own if not given.

    Returns
    -------
    Axes
    """
    with styled():
        ask = told(marks, "sucra_scatter")
        names = [shortened(name, 24) for name in ask("outcomes")]
        plane = Plane(
            xy=marks[["x", "y"]].to_numpy(dtype=float),
            names=[str(name) for name in marks["treatment"]],
            limits=np.array([[-0.04, 1.04], [-0.02, 1.02]]),
            labels=(f"SUCRA, {names[0]}", f"SUCRA, {names[1]}"),
            ticks=(TICKS, TICKS),
            title="Ranks on two outcomes",
            corners=(
                f"{names[1]} good, {names[0]} poor",
                "good on both",
                "poor on both",
                f"{names[0]} good, {names[1]} poor",
            ),
        )
        return draw_plane(plane, ask, ax, lambda panel: _paint(panel, plane))


def _paint(ax: Axes, plane: Plane) -> None:
    ax.axvline(0.5, color=LINE, linewidth=0.9, zorder=1)
    ax.axhline(0.5, color=LINE, linewidth=0.9, zorder=1)
    ax.scatter(plane.xy[:, 0], plane.xy[:, 1], s=20, color=BETTER, linewidth=0, zorder=3)


@figure(marks, draw)
def sucra_scatter(posteriors: Mapping[str, Posterior], *, ax: Axes | None = None) -> Axes:
    """Draw the SUCRAs of treatments on two outcomes against each other.

    Parameters
    ----------
    posteriors : mapping of str to Posterior
        Two fitted models by the name of their outcome: the first across, the second upward.
        Treatments are matched by name, and ranked among those that both outcomes have.
    ax : Axes, optional
        Where to draw. A figure of its own if not given.

    Returns
    -------
    Axes
        Shows itself in a notebook; ``.figure.savefig("ranks.svg")`` writes a file.

    Raises
    ------
    ModelError
        If they are not two outcomes, or share no two treatments.

    Examples
    --------
    >>> import nma
    >>> pain = nma.fit(nma.datasets.network("back_pain"))
    >>> again = nma.fit(nma.datasets.network("back_pain").as_normal())
    >>> picture = nma.plots.sucra_scatter({"pain": pain, "again": again})
    >>> nma.plots.sucra_scatter.marks({"pain": pain, "again": again}).columns.tolist()
    ['treatment', 'x', 'y']

    References
    ----------
    Salanti et al. 2011, doi:10.1016/j.jclinepi.2010.03.016.
    """
    return draw(marks(posteriors), ax=ax)
