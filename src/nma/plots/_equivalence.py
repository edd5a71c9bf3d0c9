"""The equivalence forest: effects beside the range in which differences do not matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nma.errors import ModelError, nearest, shown
from nma.plots._axis import numeral
from nma.plots._equivalence_drawing import draw
from nma.plots._figure import figure
from nma.posterior import Posterior
from nma.tables import Table, decimals, interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["equivalence"]

SHOWN = ["estimate", "lower", "upper", "better", "trivial", "worse", "estimate_mcse"]


def marks(table: Table, *, comparator: str | None = None) -> Table:
    """Return what an equivalence forest shows.

    Parameters
    ----------
    table, comparator
        As ``nma.plots.equivalence`` takes them.

    Returns
    -------
    Table
        By treatment, the best estimate first: ``estimate``, ``lower`` and ``upper``, the shares
        ``better``, ``trivial`` and ``worse`` of the posterior, and ``text`` as written beside each.

    Raises
    ------
    ModelError
        As ``nma.plots.equivalence`` does.
    """
    _require_table(table)
    against = _against(table, comparator)
    rows = pd.DataFrame(table)[SHOWN]
    own = rows[rows.index.get_level_values("comparator") == against].droplevel("comparator")
    rising = table.attrs["better"] == "lower"
    found = own.sort_values("estimate", ascending=rising, kind="stable")
    told: dict[Any, Any] = {**table.attrs, "comparator": against}
    told["text"] = _sentence(told)
    result = Table(
        found.assign(text=_texts(found, ratio=told["ratio"])),
        caption=table.caption,
        digits=table.digits,
    )
    result.attrs = told
    return result


def _texts(found: pd.DataFrame, *, ratio: bool) -> list[str]:
    """Return estimates with their intervals, as written beside the rows."""
    ends = found[["estimate", "lower", "upper", "estimate_mcse"]].to_numpy(dtype=float)
    scaled = np.log(ends[:, :3]) if ratio else ends
    spread = (scaled[:, 2] - scaled[:, 1]) / 4
    digits = decimals(spread[np.isfinite(spread)])
    return ["" if np.isnan(a) else interval(a, b, c, d, digits=digits) for a, b, c, d in ends]


def _require_table(table: object) -> None:
    if isinstance(table, Table) and "range" in table.attrs and "trivial" in table.columns:
        return
    call = "nma.plots.equivalence(nma.decisions.equivalence(posterior, mcid=mcid))"
    how = f": {call}" if isinstance(table, Posterior) else f", such as {call}"
    message = (
        "equivalence draws what nma.decisions.equivalence returned; this is a "
        f"{type(table).__name__}{how}."
    )
    raise ModelError(message)


def _against(table: Table, comparator: str | None) -> str:
    """Return the comparator asked for, else the network's own, else the first there is."""
    there = [str(name) for name in table.index.unique("comparator")]
    if comparator is None:
        own = str(table.attrs["comparator"])
        return own if own in there else there[0]
    if comparator not in there:
        message = (
            f"comparator={shown(comparator)} is none of the table's: {', '.join(map(repr, there))}."
            f"{nearest(comparator, there)}"
        )
        raise ModelError(message)
    return comparator


def _sentence(told: dict[Any, Any]) -> str:
    low, high = (numeral(float(f"{end:.3g}")) for end in told["range"])
    log = f" of the log {told['measure']}" if told["ratio"] else ""
    confident = told["interval"] != "credible interval"
    of = "one-sided confidence" if confident else "posterior probability"
    return (
        f"Square: {told['centre']}{log}; line: {100 * told['level']:g}% {told['interval']}. "
        f"Shaded: {low} to {high}, the range of equivalence, in which differences do not matter. "
        f"Numbers on the right: {of} of being better than the comparator by that much or more, "
        f"trivially different, and worse. {told['measure']}, {told['better']} is better. "
        f"MCID: {told['mcid']}."
    )


@figure(marks, draw)
def equivalence(table: Table, *, comparator: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw effects against one comparator beside the range in which differences do not matter.

    A square is the posterior mean and a line the credible interval; the range of equivalence is
    shaded. Beside each row stand three shares of the posterior: better by the MCID or more,
    trivially different, worse by the MCID or more. An interval that lies in the shade shows
    equivalence; one that reaches across it shows that little is known.

    Parameters
    ----------
    table : Table
        What ``nma.decisions.equivalence`` returned.
    comparator : str, optional
        One of the table's; the network's reference, or the first there is, if not given.
    ax : Axes, optional
        Where to draw. A figure of its own if not given, as large as the rows need.

    Returns
    -------
    Axes
        The sheet; the panel is its one ``child_axes``. Shows itself in a notebook;
        ``.figure.savefig("equivalence.svg")`` writes a file.

    Raises
    ------
    ModelError
        If it is given something else, or the comparator is not in the table.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> mcid = nma.decisions.MCID(1.5, kind="between-group", source="Hayden 2021")
    >>> table = nma.decisions.equivalence(posterior, mcid=mcid)
    >>> picture = nma.plots.equivalence(table)
    >>> nma.plots.equivalence.marks(table)["text"].iloc[0]
    '-1.72 (-2.57, -0.89)'
    """
    return draw(marks(table, comparator=comparator), ax=ax)
