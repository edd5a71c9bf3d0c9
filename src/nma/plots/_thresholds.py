"""Thresholds: a forest of estimates, each in the interval of values that keep the decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma.decisions._threshold_table import BEYOND, FACTOR, is_far
from nma.errors import ModelError
from nma.plots._figure import figure
from nma.plots._thresholds_drawing import draw
from nma.posterior import Posterior
from nma.tables import Table, decimals, figures, interval, rounded

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["thresholds"]

MOST = 30
"""Rows that are drawn: of more, those with the nearest thresholds."""

LARGE = 1e4
"""From where on limits are written with three figures."""


def marks(table: Table) -> Table:
    """Return what a picture of thresholds shows.

    Parameters
    ----------
    table : Table
        What ``nma.decisions.thresholds`` returned.

    Returns
    -------
    Table
        Of the 30 estimates with the nearest thresholds, those first: ``label`` (treatment versus
        comparator), with the ``study`` if it is one; ``estimate``, ``lower``, ``upper``,
        ``invariant_lower`` and ``invariant_upper`` in the measure's own numbers, infinite (of
        ratios 0 and infinite) beyond a thousand standard errors or a factor of a thousand;
        ``below`` and ``above``, who is recommended beyond them; ``crossed``, whether the
        estimate's own interval reaches past them; ``text`` and ``limits`` as they are written.

    Raises
    ------
    ModelError
        If it is no such table.
    """
    _require_thresholds(table)
    whole = pd.DataFrame(table).reset_index()
    ratio = table.attrs["ratio"]
    found = _readable(whole.head(MOST), ratio=ratio)
    digits = decimals(whole["se"].to_numpy())
    found["label"] = found["treatment"] + " vs " + found["comparator"]
    found["text"] = [
        interval(mean, low, high, 0.0, digits=digits)
        for mean, low, high in zip(found["estimate"], found["lower"], found["upper"], strict=True)
    ]
    bounds = zip(found["invariant_lower"], found["invariant_upper"], strict=True)
    found["limits"] = [
        f"{_bound(low, digits, ratio=ratio)} to {_bound(high, digits, ratio=ratio)}"
        for low, high in bounds
    ]
    names = ["study"] if "study" in found else []
    shown = ["label", "estimate", "lower", "upper", "invariant_lower", "invariant_upper"]
    result = Table(
        found[[*names, *shown, "below", "above", "crossed", "text", "limits"]],
        caption=table.caption,
    )
    result.attrs = {**table.attrs, "text": _sentence(table, whole)}
    return result


def _readable(frame: pd.DataFrame, *, ratio: bool) -> pd.DataFrame:
    """Return rows in which thresholds that mean nothing are infinite."""
    found = frame.copy()
    for side, other, end in (("lower", "below", -np.inf), ("upper", "above", np.inf)):
        far = is_far(found, side, ratio=ratio)
        found[f"invariant_{side}"] = found[f"invariant_{side}"].where(
            ~far, np.exp(end) if ratio else end
        )
        found[other] = found[other].where(~far, "")
    return found


def _bound(value: float, digits: int, *, ratio: bool) -> str:
    if not np.isfinite(value):
        return f"{'-' * (value < 0)}\N{INFINITY}"
    if value == 0:
        return "0"
    tiny = ratio and value < 10.0**-digits
    return figures(value) if tiny or abs(value) >= LARGE else rounded(value, 0.0, digits=digits)


def _require_thresholds(table: object) -> None:
    if isinstance(table, Table) and {"invariant_lower", "below", "crossed"} <= set(table.columns):
        return
    call = "nma.plots.thresholds(nma.decisions.thresholds(posterior))"
    how = f": {call}" if isinstance(table, Posterior) else f", such as {call}"
    message = (
        "thresholds draws what nma.decisions.thresholds returned; this is a "
        f"{type(table).__name__}{how}."
    )
    raise ModelError(message)


def _sentence(table: Table, whole: pd.DataFrame) -> str:
    say = table.attrs
    what = "trials" if say["of"] == "trials" else "comparisons (direct estimates)"
    among = f" {say['among']}" if say["among"] else ""
    absent = f" Not fitted: {', '.join(say['absent'])}." if say["absent"] else ""
    poor = f" POOR FIT, do not rely on: {', '.join(say['doubted'])}." if say["doubted"] else ""
    return (
        f"Squares and lines: estimates of {what} with 95% confidence intervals{say['spread']}. "
        f"Bands: values of the estimate, its standard error left alone, with which {say['best']} "
        f"keeps the best {say['rule']}{say['held']}; beside them stands who is best beyond. Bold, "
        "with an orange band: the estimate's own interval reaches past a threshold. The nearest "
        f"threshold, in standard errors, stands first.{_open(whole, ratio=say['ratio'])}"
        f"{_cut(whole)}{among}{absent}{poor}"
    )


def _open(whole: pd.DataFrame, *, ratio: bool) -> str:
    """Return what is said of ends that are left open."""
    ends = ("lower", "upper")
    if any(is_far(whole, side, ratio=ratio).any() for side in ends):
        factor = f" or a factor of {FACTOR:g}" * ratio
        return f" Ends that lie beyond {BEYOND:g} standard errors{factor} are left open."
    return ""


def _cut(whole: pd.DataFrame) -> str:
    """Return what is said of rows that are not drawn."""
    if len(whole) <= MOST:
        return ""
    rest = len(whole) - MOST
    least = float(whole["nearest"].iloc[MOST])
    return f" Not drawn: {rest} more, each {least:.3g} standard errors or more from a threshold."


@figure(marks, draw)
def thresholds(table: Table, *, ax: Axes | None = None) -> Axes:
    """Draw how far each estimate may move before another treatment is recommended.

    The band of a row is the interval of values that keep the decision; at its ends stands who is
    recommended beyond them. A row is bold, and its band orange, where the estimate's own 95 %
    interval reaches past a threshold: chance alone, let alone bias, could have changed the
    decision. The nearest thresholds stand first, and no more than 30 rows are drawn.

    Parameters
    ----------
    table : Table
        What ``nma.decisions.thresholds`` returned.
    ax : Axes, optional
        Where to draw. A figure of its own if not given, as large as the rows need.

    Returns
    -------
    Axes
        The sheet; the axis is its one of ``child_axes``. Shows itself in a notebook;
        ``.figure.savefig("thresholds.svg")`` writes a file.

    Raises
    ------
    ModelError
        If it is given something else.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> table = nma.decisions.thresholds(posterior)
    >>> picture = nma.plots.thresholds(table)
    >>> nma.plots.thresholds.marks(table)["limits"].iloc[0]
    '-∞ to 0.74'

    References
    ----------
    Phillippo et al. 2018, doi:10.1111/rssa.12341.
    """
    return draw(marks(table), ax=ax)
