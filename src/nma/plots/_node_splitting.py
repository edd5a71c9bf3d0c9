"""Node-splits: of every comparison direct, indirect and network evidence below each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nma.errors import ModelError, shortened
from nma.plots._figure import figure
from nma.plots._node_splitting_drawing import draw
from nma.posterior import Posterior
from nma.tables import Table, decimals, interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["node_splitting"]

EVIDENCE = ("direct", "indirect", "network")
"""The rows of a block, from the top."""

NAMED = 3
"""Comparisons that the foot names, where no more cannot be split."""

SHOWN = ("treatment", "comparator", "evidence", "estimate", "lower", "upper", "text")


def marks(check: Table) -> Table:
    """Return what a picture of node-splits shows.

    Parameters
    ----------
    check : Table
        What ``nma.checks.node_splitting`` returned.

    Returns
    -------
    Table
        For each ``treatment`` and ``comparator`` that were split, the smallest ``p`` first, a row
        for each kind of ``evidence`` (direct, indirect, network): ``estimate``, ``lower`` and
        ``upper`` in the measure's own numbers, and ``text`` as written beside it; the same on the
        three, ``p``, ``share_direct`` and the ``trials`` that compare the two.

    Raises
    ------
    ModelError
        If it is no such table, or nothing was split.
    """
    _require_check(check)
    table = pd.DataFrame(check)
    done = table[table["p"].notna()].sort_values("p", kind="stable")
    if done.empty:
        message = f"There are no node-splits to draw.{_unsplit(check)}"
        raise ModelError(message)
    parts = [_rows(done, name, ratio=check.attrs["ratio"]) for name in EVIDENCE]
    found = pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)
    digits = decimals(done[[f"{name}_sd" for name in EVIDENCE]].to_numpy().ravel())
    columns = (found[name] for name in ("estimate", "lower", "upper"))
    found["text"] = [
        interval(mean, low, high, 0.0, digits=digits)
        for mean, low, high in zip(*columns, strict=True)
    ]
    result = Table(found[[*SHOWN, "p", "share_direct", "trials"]], caption=check.caption)
    result.attrs = {**check.attrs, "text": _sentence(check, done)}
    return result


def _rows(done: pd.DataFrame, name: str, *, ratio: bool) -> pd.DataFrame:
    """Return one kind of evidence on every comparison, in the measure's own numbers."""
    numbers = done[[name, f"{name}_lower", f"{name}_upper"]].to_numpy(dtype=float)
    found = done[["p", "share_direct", "trials"]].reset_index()
    found["evidence"] = name
    return found.assign(
        **dict(zip(SHOWN[3:6], (np.exp(numbers) if ratio else numbers).T, strict=True))
    )


def _require_check(check: object) -> None:
    if isinstance(check, Table) and {"direct", "detectable", "share_direct"} <= set(check.columns):
        return
    call = "nma.plots.node_splitting(nma.checks.node_splitting(posterior))"
    how = f": {call}" if isinstance(check, Posterior) else f", such as {call}"
    message = (
        "node_splitting draws what nma.checks.node_splitting returned; this is a "
        f"{type(check).__name__}{how}."
    )
    raise ModelError(message)


def _sentence(check: Table, done: pd.DataFrame) -> str:
    say = check.attrs
    credible = say["interval"].startswith("credible")
    log = f" of the log {say['measure']}" if say["ratio"] else ""
    absent = f" Not fitted: {', '.join(say['absent'])}." if say["absent"] else ""
    poor = f" POOR FIT, do not rely on: {', '.join(say['doubted'])}." if say["doubted"] else ""
    return (
        f"{'Posterior means' if credible else 'Estimates'}{log} and {100 * say['level']:g}% "
        f"{say['interval']}s of treatment vs comparator. Direct (square): from trials that "
        "compare the two; indirect (circle, dashed): from the others; network (diamond): from all, "
        "taken to agree. p: two-sided, of no difference between direct and indirect, the "
        "smallest first; % direct: share of their precision that is direct."
        f"\n{_power(done, say['measure'], ratio=say['ratio'])}{_unsplit(check)}{absent}{poor}"
    )


def _power(done: pd.DataFrame, measure: str, *, ratio: bool) -> str:
    """Return what could have been missed, in the measure's own numbers."""
    least = np.exp(done["detectable"]) if ratio else done["detectable"]
    ends = (int(least.argmin()), int(least.argmax()))
    easy, hard = (f"{least.iloc[k]:.3g} ({_label(least.index[k])})" for k in ends)
    size = easy if len(least) == 1 else f"{easy} to {hard}"
    what = (
        f"direct and indirect {measure} that differ by a factor of {size}"
        if ratio
        else f"a difference between direct and indirect {measure} of {size}"
    )
    return f"With 80% power a split finds {what}; smaller ones are likely missed."


def _label(pair: Any) -> str:
    return " vs ".join(shortened(str(name), 60) for name in pair)


def _unsplit(check: Table) -> str:
    """Return how many comparisons cannot be split, and why."""
    by_reason: dict[str, list[str]] = {}
    for label, reason in check.attrs["reasons"].items():
        by_reason.setdefault(reason, []).append(label)
    told = ""
    for reason, labels in by_reason.items():
        which = f" ({', '.join(labels)})" if len(labels) <= NAMED else ""
        many = "comparison" if len(labels) == 1 else "comparisons"
        told += f" {len(labels)} {many} cannot be split, because {reason}{which}."
    return told


@figure(marks, draw)
def node_splitting(check: Table, *, ax: Axes | None = None) -> Axes:
    """Draw direct against indirect evidence on every comparison that was split.

    Each comparison has three rows: what the trials that compare the two say, what the others say,
    and both together. The smallest p stands first. Wide intervals that overlap show little
    evidence, not agreement: the foot says what a split could have found.

    Parameters
    ----------
    check : Table
        What ``nma.checks.node_splitting`` returned.
    ax : Axes, optional
        Where to draw. A figure of its own if not given, as large as the rows need.

    Returns
    -------
    Axes
        The sheet; its columns are its ``child_axes``. Shows itself in a notebook;
        ``.figure.savefig("splits.svg")`` writes a file.

    Raises
    ------
    ModelError
        If it is given something else, or nothing was split.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("parkinson"))
    >>> check = nma.checks.node_splitting(posterior)
    >>> picture = nma.plots.node_splitting(check)
    >>> nma.plots.node_splitting.marks(check)["text"].iloc[0]
    '-0.90 (-2.65, 0.85)'
    """
    return draw(marks(check), ax=ax)
