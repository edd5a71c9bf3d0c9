"""Class shrinkage: of every treatment where it stands on its own, and where its class draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma.errors import ModelError
from nma.plots._class_shrinkage_drawing import draw
from nma.plots._figure import figure
from nma.posterior import Posterior
from nma.tables import Table, decimals, interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["class_shrinkage"]

NAMES = ("own", "shrunken", "class_mean")
"""What is drawn of each treatment."""

ENDS = ("", "_lower", "_upper")
"""Its mean and the ends of its interval."""


def marks(check: Table) -> Table:
    """Return what a picture of class shrinkage shows.

    Parameters
    ----------
    check : Table
        What ``nma.checks.class_shrinkage`` returned.

    Returns
    -------
    Table
        A row for each treatment with its ``class``: ``own``, ``shrunken`` and ``class_mean``, each
        with ``_lower`` and ``_upper``, in the measure's own numbers; the share ``moved``; and
        ``text``, the shrunken effect as written beside it, ``class_text`` that of the class.

    Raises
    ------
    ModelError
        If it is no such table.
    """
    _require_check(check)
    table = pd.DataFrame(check).reset_index()
    columns = [f"{name}{end}" for name in NAMES for end in ENDS]
    found = table[["class", "treatment", *columns, "moved"]].copy()
    if check.attrs["ratio"]:
        found[columns] = np.exp(found[columns].to_numpy(dtype=float))
    digits = decimals(table["shrunken_sd"].to_numpy())
    for column, name in {"text": "shrunken", "class_text": "class_mean"}.items():
        numbers = found[[f"{name}{end}" for end in ENDS]].to_numpy(dtype=float)
        found[column] = [
            interval(mean, lower, upper, 0.0, digits=digits) for mean, lower, upper in numbers
        ]
    result = Table(found, caption=check.caption)
    result.attrs = {**check.attrs, "text": _sentence(check)}
    return result


def _require_check(check: object) -> None:
    if isinstance(check, Table) and {"own", "shrunken", "class_mean", "moved"} <= {*check.columns}:
        return
    call = "nma.plots.class_shrinkage(nma.checks.class_shrinkage(posterior))"
    how = f": {call}" if isinstance(check, Posterior) else f", such as {call}"
    message = (
        "class_shrinkage draws what nma.checks.class_shrinkage returned; this is a "
        f"{type(check).__name__}{how}."
    )
    raise ModelError(message)


def _sentence(check: Table) -> str:
    say = check.attrs
    credible = say["interval"].startswith("credible")
    log = f" of the log {say['measure']}" if say["ratio"] else ""
    return (
        f"{'Posterior means' if credible else 'Estimates'}{log} and {100 * say['level']:g}% "
        f"{say['interval']}s. Square, thin line: a treatment on its own. Circle, thick line: as "
        "its class shrinks it. Dashed and grey: the mean of the class. %: share of the way to the "
        "class that it moved."
    )


@figure(marks, draw)
def class_shrinkage(check: Table, *, ax: Axes | None = None) -> Axes:
    """Draw how far treatments are drawn to their class.

    An arrow leads from what a treatment shows on its own to its effect in the model, beside the
    mean of its class.

    Parameters
    ----------
    check : Table
        What ``nma.checks.class_shrinkage`` returned.
    ax : Axes, optional
        Where to draw. A figure of its own if not given, as large as the rows need.

    Returns
    -------
    Axes
        The sheet; its panel is among its ``child_axes``. Shows itself in a notebook;
        ``.figure.savefig("shrinkage.svg")`` writes a file.

    Raises
    ------
    ModelError
        If it is given something else.

    Examples
    --------
    >>> import nma
    >>> network = nma.datasets.network("back_pain")
    >>> exercise = dict.fromkeys(
    ...     ["standard exercise", "individualised exercise", "multimodal care"], "exercise"
    ... )
    >>> structure = nma.structures.Classes(
    ...     classes={"passive control": "passive control", **exercise}
    ... )
    >>> posterior = nma.fit(network, nma.Model(structure))
    >>> check = nma.checks.class_shrinkage(posterior, comparator="passive control")
    >>> picture = nma.plots.class_shrinkage(check)
    >>> nma.plots.class_shrinkage.marks(check)["text"].iloc[0]
    '-1.46 (-2.11, -0.85)'
    """
    return draw(marks(check), ax=ax)
