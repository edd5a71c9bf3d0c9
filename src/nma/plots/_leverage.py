"""Leverage: which data the model misses, and which it is bent by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma import fit_measures
from nma.plots._axis import numeral, ticks_between
from nma.plots._beside import called, naming, panel_size
from nma.plots._canvas import inches, owned
from nma.plots._figure import figure
from nma.plots._journal import paged
from nma.plots._style import BETTER, LINE, SIZES, WARNING, on_page, styled
from nma.plots._text import (
    foot,
    foot_lines,
    head,
    head_lines,
    require_posterior,
    told,
    words,
)
from nma.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from nma.plots._beside import Naming
    from nma.posterior import Posterior

__all__ = ["leverage"]

SIZE = (4.6, 3.4)
"""Width and height of the panel, in inches."""

LEFT, BELOW = 0.6, 0.5
"""Room for the axes, in inches."""

CONTOURS = (1, 2, 3, 4)
"""Contributions to DIC that curves are drawn at."""

NAMED = 3.0
"""Contribution of a data point to DIC above which it is named."""

TEXT = (
    "Across: the square root of the residual deviance, negative where less was observed than is "
    "fitted. Curves: equal contributions to DIC, 1 to 4. Points beyond 3 are named."
)


def marks(posterior: Posterior) -> Table:
    """Return what a leverage plot shows.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.

    Returns
    -------
    Table
        For each data point ``study``, ``treatment``, ``root`` (the square root of the mean
        residual deviance, with the sign of observed minus fitted), ``leverage``, ``dic`` (its
        contribution) and ``named``, whether that is above 3. Trials of several correlated
        contrasts and arms of several categories have a positive root, and their numbers are by
        contrast or category.

    Raises
    ------
    ModelError
        If the answer is no posterior, such as least squares.
    """
    require_posterior(posterior, "leverage")
    table = pd.DataFrame(fit_measures.deviance(posterior))
    share = table[["deviance", "leverage"]].div(table["points"], axis=0)
    sign = np.where(table["observed"] < table["fitted"], -1.0, 1.0)
    total = share["deviance"] + share["leverage"]
    found = Table(
        {
            "study": table["study"],
            "treatment": table["treatment"],
            "root": sign * np.sqrt(share["deviance"]),
            "leverage": share["leverage"],
            "dic": total,
            "named": total > NAMED,
        },
        caption="Leverage and residual deviance of every data point.",
    )
    found.attrs = words(posterior, TEXT)
    return found


@paged
def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of a leverage plot.

    Parameters
    ----------
    marks : DataFrame
        What ``nma.plots.leverage.marks`` returned, or a changed copy.
    ax : Axes, optional
        Where to draw. A figure of its own if not given.

    Returns
    -------
    Axes
    """
    with styled():
        ask = told(marks, "leverage")
        width = on_page(SIZE[0]) if ax is None else inches(ax)[0]
        title = head_lines("Leverage and residual deviance", ask("poor"), width)
        notes = foot_lines(ask("text"), ask("data"), width)
        top, below = head(title) + 0.2, BELOW + head(notes) + 0.1
        size = (
            (on_page(SIZE[0]), on_page(SIZE[1]))
            if ax is None
            else panel_size(ax, LEFT, top + below)
        )
        limits = _limits(marks)
        named = _naming(marks, limits, size)
        notes = foot_lines(f"{ask('text')}\n{named.key}", ask("data"), width)
        below = BELOW + head(notes) + 0.1
        drawn = ax if ax is not None else owned(size, left=LEFT, right=0.2, top=top, bottom=below)
        _draw_panel(drawn, marks, limits)
        named.write(drawn, marks[["root", "leverage"]].to_numpy(dtype=float))
        foot(drawn, title, -LEFT + 0.1, top - 0.08, corner=1)
        foot(drawn, notes, -LEFT + 0.1, -BELOW, corner=0)
    return drawn


def _limits(marks: pd.DataFrame) -> NDArray[np.float64]:
    """Return where both axes begin and end, (axis, end)."""
    root, leverage_ = marks["root"].to_numpy(), marks["leverage"].to_numpy()
    reach = 1.1 * max(float(np.abs(root).max()), 2.1)
    high = 1.15 * max(float(leverage_.max()), 1.0)
    return np.array([[-reach, reach], [min(0.0, 1.15 * float(leverage_.min())), high]])


def _naming(marks: pd.DataFrame, limits: NDArray[np.float64], size: tuple[float, float]) -> Naming:
    """Return how the points that stand out are named, the largest first."""
    xy = marks[["root", "leverage"]].to_numpy(dtype=float)
    at = (xy - limits[:, 0]) / (limits[:, 1] - limits[:, 0]) * size
    names = called(marks["study"].tolist(), marks["treatment"].tolist())
    order = np.argsort(-marks["dic"].to_numpy(), kind="stable")
    named = marks["named"].to_numpy(dtype=bool)
    return naming(at, [(int(k), names[k]) for k in order if named[k]], size)


def _draw_panel(ax: Axes, marks: pd.DataFrame, limits: NDArray[np.float64]) -> None:
    root, leverage_ = marks["root"].to_numpy(), marks["leverage"].to_numpy()
    (_, reach), (low, high) = limits.tolist()
    across = np.linspace(-reach, reach, 1501)
    for total in CONTOURS:
        curve = total - across**2
        shown = curve >= low
        ax.plot(across[shown], curve[shown], color=LINE, linewidth=0.9, zorder=1)
    named = marks["named"].to_numpy(dtype=bool)
    ax.scatter(root[~named], leverage_[~named], s=16, color=BETTER, linewidth=0, zorder=2)
    ax.scatter(root[named], leverage_[named], s=22, color=WARNING, marker="D", zorder=3)
    ax.set_xlim(-reach, reach)
    ax.set_ylim(low, high)
    across_ticks = ticks_between(-reach, reach, 7, ratio=False)
    ax.set_xticks(across_ticks, [numeral(tick) for tick in across_ticks])
    up = ticks_between(low, high, 6, ratio=False)
    ax.set_yticks(up, [numeral(tick) for tick in up])
    ax.set_xlabel("signed root of residual deviance", fontsize=SIZES.body, labelpad=3)
    ax.set_ylabel("leverage", fontsize=SIZES.body, labelpad=3)


@figure(marks, draw)
def leverage(posterior: Posterior, *, ax: Axes | None = None) -> Axes:
    """Draw the leverage of every data point against its residual deviance.

    Points far out at the sides are missed by the model; points high up bend it. The curves are
    equal contributions to DIC: :math:`x^2 + y = c` for c = 1, 2, 3 and 4.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    ax : Axes, optional
        Where to draw. A figure of its own if not given.

    Returns
    -------
    Axes
        Shows itself in a notebook; ``.figure.savefig("leverage.svg")`` writes a file.

    Raises
    ------
    ModelError
        If the answer is no posterior, such as least squares.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("senn2013"))
    >>> picture = nma.plots.leverage(posterior)
    >>> nma.plots.leverage.marks(posterior).columns.tolist()
    ['study', 'treatment', 'root', 'leverage', 'dic', 'named']

    References
    ----------
    Spiegelhalter et al. 2002, doi:10.1111/1467-9868.00353;
    NICE DSU TSD 2 (Dias et al. 2011), on leverage plots.
    """
    return draw(marks(posterior), ax=ax)
