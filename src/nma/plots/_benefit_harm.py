"""The benefit-harm plane: effects on two outcomes at once, against one comparator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nma.decisions._outcomes import Outcomes
from nma.effects import effect_table
from nma.errors import ModelError, shortened
from nma.estimates import require_level
from nma.plots._axis import Axis, axis_of, numeral
from nma.plots._figure import figure
from nma.plots._journal import paged
from nma.plots._plane import Plane, draw_plane, outcome_words
from nma.plots._style import BETTER, DARK, GREY, LINE, styled
from nma.plots._text import told
from nma.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from nma.posterior import Posterior

__all__ = ["benefit_harm"]

SIDES = ("x", "y")


def marks(
    posteriors: Mapping[str, Posterior], *, comparator: str | None = None, level: float = 0.95
) -> Table:
    """Return what a benefit-harm plane shows.

    Parameters
    ----------
    posteriors : mapping of str to Posterior
        Two fitted models by the name of their outcome: the first across, the second upward.
    comparator : str, optional
        Whom effects are against; the first outcome's reference if not given.
    level : float, default 0.95
        Probability of the equal-tailed intervals.

    Returns
    -------
    Table
        For each ``treatment`` the effect on the first outcome, ``x`` with ``x_lower`` and
        ``x_upper``, on the second, ``y`` with ``y_lower`` and ``y_upper``, both in the measure's
        own numbers, and the probability ``p_both`` of being better on both.

    Raises
    ------
    ModelError
        If they are not two outcomes, or share no two treatments.
    """
    require_level(level)
    outcomes = two(posteriors, comparator, "benefit_harm")
    pairs = [(name, outcomes.comparator) for name in outcomes.others]
    columns: dict[str, Any] = {"treatment": list(outcomes.others)}
    both = np.ones(len(pairs))
    for side, posterior in zip(SIDES, outcomes.posteriors.values(), strict=True):
        table = effect_table(posterior, comparators=[outcomes.comparator], level=level).loc[pairs]
        columns[side] = table["estimate"].to_numpy()
        columns[f"{side}_lower"] = table["lower"].to_numpy()
        columns[f"{side}_upper"] = table["upper"].to_numpy()
        both *= table["p_better"].to_numpy()
    networks = [posterior.network for posterior in outcomes.posteriors.values()]
    found = Table(
        columns | {"p_both": both},
        caption=f"Effects on two outcomes against {outcomes.comparator}.",
        probabilities=["p_both"],
    )
    text = (
        f"Posterior means against {outcomes.comparator} with {100 * level:g}% credible intervals "
        f"on each outcome. Right and up are better, whatever the scale. {outcomes.notes[0]}"
    )
    found.attrs = outcome_words(outcomes, text) | {
        "comparator": outcomes.comparator,
        "measures": [network.measure for network in networks],
        "ratios": [network.ratio for network in networks],
        "betters": [network.better for network in networks],
    }
    return found


def two(posteriors: Mapping[str, Posterior], comparator: str | None, verb: str) -> Outcomes:
    """Return two outcomes, or say that there must be two."""
    outcomes = Outcomes.of(posteriors, comparator, verb=verb)
    if len(outcomes.posteriors) != 2:
        message = (
            f"{verb} draws two outcomes, one across and one upward; these are "
            f"{len(outcomes.posteriors)}. nma.plots.spie takes any number."
        )
        raise ModelError(message)
    return outcomes


@paged
def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of a benefit-harm plane.

    Parameters
    ----------
    marks : DataFrame
        What ``nma.plots.benefit_harm.marks`` returned, or a changed copy.
    ax : Axes, optional
        Where to draw. A figure of its own if not given.

    Returns
    -------
    Axes
    """
    with styled():
        ask = told(marks, "benefit_harm")
        axes = [_axis(marks, ask("ratios")[k], side) for k, side in enumerate(SIDES)]
        names = [shortened(name, 24) for name in ask("outcomes")]
        labels = [
            f"{name}, {measure} ({way} is better)"
            for name, measure, way in zip(names, ask("measures"), ("right", "up"), strict=True)
        ]
        plane = Plane(
            xy=np.stack([_placed(marks[s], a) for s, a in zip(SIDES, axes, strict=True)], axis=1),
            names=[str(name) for name in marks["treatment"]],
            limits=np.array([_ends(a, b) for a, b in zip(axes, ask("betters"), strict=True)]),
            labels=(labels[0], labels[1]),
            ticks=(_ticks(axes[0], 6), _ticks(axes[1], 6)),
            title=f"Effects on two outcomes, against {ask('comparator')}",
            marked=_null(axes),
            corners=(
                f"{names[0]} worse, {names[1]} better",
                "both better",
                "both worse",
                f"{names[0]} better, {names[1]} worse",
            ),
        )
        return draw_plane(plane, ask, ax, lambda panel: _paint(panel, marks, plane, axes))


def _axis(marks: pd.DataFrame, ratio: bool, side: str) -> Axis:
    columns = {"estimate": marks[side], "lower": marks[f"{side}_lower"]}
    return axis_of(pd.DataFrame(columns | {"upper": marks[f"{side}_upper"]}), ratio=ratio)


def _placed(values: Any, axis: Axis) -> NDArray[np.float64]:
    """Return where numbers are on an axis: at their logarithms for ratios."""
    numbers = np.asarray(values, dtype=float)
    return np.log(np.maximum(numbers, np.finfo(float).tiny)) if axis.ratio else numbers


def _null(axes: list[Axis]) -> NDArray[np.float64]:
    """Return where no effect is on either axis, (1, 2)."""
    return np.array([[float(_placed(axis.null, axis)) for axis in axes]])


def _ends(axis: Axis, better: str) -> list[float]:
    """Return where an axis begins and ends, so that right and up are better."""
    ends = [float(end) for end in _placed([axis.low, axis.high], axis)]
    return ends[::-1] if better == "lower" else ends


def _ticks(axis: Axis, most: int) -> list[tuple[float, str]]:
    ticks = axis.ticks(most)
    return list(zip(_placed(ticks, axis).tolist(), map(numeral, ticks), strict=True))


def _paint(ax: Axes, marks: pd.DataFrame, plane: Plane, axes: list[Axis]) -> None:
    null = _null(axes)[0].tolist()
    ax.axvline(null[0], color=LINE, linewidth=0.9, zorder=1)
    ax.axhline(null[1], color=LINE, linewidth=0.9, zorder=1)
    low, high = (
        np.stack(
            [_placed(marks[f"{s}_{end}"], a) for s, a in zip(SIDES, axes, strict=True)], axis=1
        )
        for end in ("lower", "upper")
    )
    x, y = plane.xy.T
    many = len(x) > 8
    look: dict[str, Any] = {
        "color": LINE if many else GREY,
        "linewidth": 0.6 if many else 0.9,
        "zorder": 1.5,
    }
    ax.hlines(y, low[:, 0], high[:, 0], **look)
    ax.vlines(x, low[:, 1], high[:, 1], **look)
    ax.scatter(x, y, s=20, color=BETTER, linewidth=0, zorder=3)
    ax.scatter(null[0], null[1], s=30, facecolor="white", edgecolor=DARK, marker="s", zorder=2.5)


@figure(marks, draw)
def benefit_harm(
    posteriors: Mapping[str, Posterior],
    *,
    comparator: str | None = None,
    level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw effects on two outcomes against each other: what a treatment gives and what it takes.

    Each point is a treatment, its lines the intervals on either outcome; the square is the
    comparator. Axes are turned so that right and up are better, whichever direction the outcome
    has, and words in the corners say what each quarter means. The outcomes have fits of their own,
    so given the data they are independent and the intervals stand at right angles.

    Parameters
    ----------
    posteriors : mapping of str to Posterior
        Two fitted models by the name of their outcome, such as "pain" and "harms": the first
        across, the second upward. Treatments are matched by name.
    comparator : str, optional
        Whom effects are against; the first outcome's reference if not given.
    level : float, default 0.95
        Probability of the equal-tailed intervals.
    ax : Axes, optional
        Where to draw. A figure of its own if not given.

    Returns
    -------
    Axes
        Shows itself in a notebook; ``.figure.savefig("plane.svg")`` writes a file.

    Raises
    ------
    ModelError
        If they are not two outcomes, or share no two treatments.

    Examples
    --------
    >>> import nma
    >>> pain = nma.fit(nma.datasets.network("back_pain"))
    >>> again = nma.fit(nma.datasets.network("back_pain").as_normal())
    >>> picture = nma.plots.benefit_harm({"pain": pain, "again": again})
    >>> nma.plots.benefit_harm.marks({"pain": pain, "again": again}).columns.tolist()
    ['treatment', 'x', 'x_lower', 'x_upper', 'y', 'y_lower', 'y_upper', 'p_both']
    """
    return draw(marks(posteriors, comparator=comparator, level=level), ax=ax)
