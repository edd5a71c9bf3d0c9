"""Dev-dev: the fit of every data point under one model against that under another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nma import fit_measures
from nma.errors import ModelError, shortened
from nma.model import part_names
from nma.plots._axis import numeral
from nma.plots._beside import called, naming, panel_size
from nma.plots._canvas import inches, owned
from nma.plots._figure import figure
from nma.plots._journal import paged
from nma.plots._style import BETTER, GREY, LINE, SIZES, WARNING, on_page, styled
from nma.plots._text import foot, foot_lines, head, head_lines, require_posterior, told, words
from nma.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from nma.plots._beside import Naming
    from nma.posterior import Posterior

__all__ = ["dev_dev"]

SIZE = 3.7
"""Side of the square panel, in inches."""

LEFT, BELOW = 0.6, 0.5
"""Room for the axes, in inches."""

NAMED = 1.0
"""Difference in residual deviance above which a data point is named: what one adds that fits."""

SHOWN = 5
"""Differences between data points that a refusal lists."""


def marks(first: Posterior, second: Posterior, *, names: Sequence[str] | None = None) -> Table:
    """Return what a dev-dev plot shows.

    Parameters
    ----------
    first, second : Posterior
        Fits of two models to the same data points.
    names : pair of str, optional
        What the models are called; by default the parts in which they differ, such as "Common"
        and "Random".

    Returns
    -------
    Table
        For each data point ``study``, ``treatment``, ``rows`` (the user's), ``first`` and
        ``second`` (mean residual deviance), ``difference`` (first minus second) and ``named``,
        whether that is more than 1 in size. Of trials of several correlated contrasts the numbers
        are by contrast.

    Raises
    ------
    ModelError
        If the data points are not the same, or an answer is no posterior, such as least squares.
    """
    for posterior in (first, second):
        require_posterior(posterior, "dev_dev", "nma.fit(network, one), nma.fit(network, other)")
    one, other = (fit_measures.deviance(posterior) for posterior in (first, second))
    _require_same(first, second, pd.DataFrame(one), pd.DataFrame(other))
    models = _model_names(first, second, names)
    ours, theirs = (table["deviance"] / table["points"] for table in (one, other))
    found = Table(
        {
            **{name: one[name] for name in ("study", "treatment", "rows")},
            "first": ours,
            "second": theirs,
            "difference": ours - theirs,
            "named": np.abs(ours - theirs) > NAMED,
        },
        caption=f"Residual deviance of every data point: {models[0]} and {models[1]}.",
    )
    fits = [_fit(table.attrs, name) for table, name in zip((one, other), models, strict=True)]
    text = "\n".join([*fits, _how_to_read(models)])
    poor = [f"{p.poor} [{name}]" for p, name in zip((first, second), models, strict=True) if p.poor]
    found.attrs = words(first, text) | {"poor": " ".join(poor), "names": models}
    return found


def _fit(numbers: Any, name: str) -> str:
    D, pD, DIC = (f"{numbers[key]:.1f}" for key in ("deviance", "pD", "DIC"))
    points = f"{numbers['points']:.0f} data points"
    return f"{shortened(name)}: residual deviance {D} on {points}, pD {pD}, DIC {DIC}."


def _how_to_read(names: tuple[str, str]) -> str:
    return (
        f"Below the line of equality {shortened(names[1])} fits a data point better, above it "
        f"{shortened(names[0])}; scales are square roots. "
        f"Dashes: a difference of {NAMED:g}; points beyond are named."
    )


def _model_names(
    first: Posterior, second: Posterior, names: Sequence[str] | None
) -> tuple[str, str]:
    """Return the names of two models, by default the parts in which they differ."""
    if names is not None:
        if isinstance(names, str) or len(names) != 2:
            message = f"names={names!r}: name both models, such as names=('common', 'random')."
            raise ModelError(message)
        return str(names[0]), str(names[1])
    parts = [part_names(posterior.model) for posterior in (first, second)]
    differ = [key for key in parts[0] if parts[0][key] != parts[1][key]]
    one, other = (", ".join(part[key] for key in differ) for part in parts)
    return (one, other) if differ else ("first model", "second model")


def _require_same(
    first: Posterior, second: Posterior, one: pd.DataFrame, other: pd.DataFrame
) -> None:
    """Refuse two fits whose data points are not the same, and say which are not.

    Raises
    ------
    ModelError
        With the difference.
    """
    why = _different(first, second, one, other)
    if why:
        message = (
            f"A dev-dev plot is of two models of the same data points: {why}. Fit both models to "
            "one network."
        )
        raise ModelError(message)


def _different(first: Posterior, second: Posterior, one: pd.DataFrame, other: pd.DataFrame) -> str:
    if first.provenance["data"] == second.provenance["data"]:
        return ""
    measures = first.network.measure, second.network.measure
    if measures[0] != measures[1]:
        return f"the first are of {measures[0]}, the second of {measures[1]}"
    lines = [_lines(table) for table in (one, other)]
    for k, which in enumerate(("first", "second")):
        alone = [line for line in lines[k] if line not in set(lines[1 - k])]
        if alone:
            return f"in the {which} alone {'are' if len(alone) > 1 else 'is'} {_listed(alone)}"
    seen = [table["observed"].to_numpy(dtype=float) for table in (one, other)]
    moved = [line for line, k in zip(lines[0], _moved(*seen), strict=True) if k]
    where = f" of {_listed(moved)}" if moved else ""
    return f"the numbers{where} are not the same, or not read the same way"


def _lines(table: pd.DataFrame) -> list[str]:
    """Return what each data point is called, repeats of an arm counted."""
    again = table.groupby(["study", "treatment"]).cumcount()
    called = table["study"] + ": " + table["treatment"]
    return [f"{name}{f' ({k + 1})' * (k > 0)}" for name, k in zip(called, again, strict=True)]


def _moved(seen: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.bool_]:
    return ~np.isclose(seen, other, rtol=1e-9, atol=0.0, equal_nan=True)


def _listed(lines: Sequence[str]) -> str:
    more = len(lines) - SHOWN
    return ", ".join(map(repr, lines[:SHOWN])) + (f" and {more} more" if more > 0 else "")


@paged
def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of a dev-dev plot.

    Parameters
    ----------
    marks : DataFrame
        What ``nma.plots.dev_dev.marks`` returned, or a changed copy.
    ax : Axes, optional
        Where to draw. A figure of its own if not given.

    Returns
    -------
    Axes
    """
    with styled():
        ask = told(marks, "dev_dev")
        width = on_page(SIZE) + LEFT if ax is None else inches(ax)[0]
        title = head_lines("Residual deviance under two models", ask("poor"), width)
        notes = foot_lines(ask("text"), ask("data"), width)
        top, below = head(title) + 0.2, BELOW + head(notes) + 0.1
        size = (on_page(SIZE), on_page(SIZE)) if ax is None else panel_size(ax, LEFT, top + below)
        reach = _reach(marks)
        named = _naming(marks, reach, size)
        notes = foot_lines(f"{ask('text')}\n{named.key}", ask("data"), width)
        below = BELOW + head(notes) + 0.1
        drawn = ax if ax is not None else owned(size, left=LEFT, right=0.2, top=top, bottom=below)
        _draw_panel(drawn, marks, ask("names"), reach)
        named.write(drawn, _roots(marks))
        foot(drawn, title, -LEFT + 0.1, top - 0.08, corner=1)
        foot(drawn, notes, -LEFT + 0.1, -BELOW, corner=0)
    return drawn


def _roots(marks: pd.DataFrame) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(marks[["first", "second"]].to_numpy(dtype=float)))


def _reach(marks: pd.DataFrame) -> float:
    """Return how far both axes go."""
    return 1.06 * max(float(_roots(marks).max()), 2.0)


def _naming(marks: pd.DataFrame, reach: float, size: tuple[float, float]) -> Naming:
    """Return how the points off the line are named, the furthest first."""
    order = np.argsort(-np.abs(marks["difference"].to_numpy()), kind="stable")
    names = called(marks["study"].tolist(), marks["treatment"].tolist())
    named = marks["named"].to_numpy(dtype=bool)
    at = _roots(marks) / reach * size
    return naming(at, [(int(k), names[k]) for k in order if named[k]], size)


def _draw_panel(ax: Axes, marks: pd.DataFrame, names: tuple[str, str], reach: float) -> None:
    x, y = _roots(marks).T
    along = np.linspace(0, reach, 301)
    ax.plot([0, reach], [0, reach], color=GREY, linewidth=0.9, zorder=1)
    off = np.sqrt(along**2 + NAMED)
    for across, up in ((along, off), (off, along)):
        ax.plot(across, up, color=LINE, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    named = marks["named"].to_numpy(dtype=bool)
    ax.scatter(x[~named], y[~named], s=16, color=BETTER, linewidth=0, zorder=2)
    ax.scatter(x[named], y[named], s=22, color=WARNING, marker="D", linewidth=0, zorder=3)
    ax.set_xlim(0, reach)
    ax.set_ylim(0, reach)
    ticks = root_ticks(reach**2)
    text = [numeral(tick) for tick in ticks]
    ax.set_xticks(np.sqrt(ticks), text)
    ax.set_yticks(np.sqrt(ticks), text)
    ax.set_xlabel(f"residual deviance, {shortened(names[0])}", fontsize=SIZES.body, labelpad=3)
    ax.set_ylabel(f"residual deviance, {shortened(names[1])}", fontsize=SIZES.body, labelpad=3)


def root_ticks(high: float, *, most: int = 8) -> list[float]:
    """Return round numbers from zero, far enough from each other on a scale of square roots."""
    powers = 10.0 ** np.arange(-1, np.ceil(np.log10(high)) + 1)
    steps = [float(step * power) for power in powers for step in (1, 2, 5)]
    apart, ticks = np.sqrt(high) / most, [0.0]
    for step in steps:
        if step <= high and np.sqrt(step) - np.sqrt(ticks[-1]) >= apart:
            ticks.append(step)
    return ticks


@figure(marks, draw)
def dev_dev(
    first: Posterior,
    second: Posterior,
    *,
    names: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the residual deviance of every data point under two models against each other.

    Points on the line fit as well under both; one model may leave a trial behind that the other
    explains, such as random effects beside a common effect, or unrelated means beside consistency.
    The foot has the totals, pD and DIC of both.

    Parameters
    ----------
    first, second : Posterior
        Fits of two models to the same data points: the first across, the second upward.
    names : pair of str, optional
        What the models are called; by default the parts in which they differ, such as "Common"
        and "Random".
    ax : Axes, optional
        Where to draw. A figure of its own if not given.

    Returns
    -------
    Axes
        Shows itself in a notebook; ``.figure.savefig("dev-dev.svg")`` writes a file.

    Raises
    ------
    ModelError
        If the data points are not the same, or an answer is no posterior, such as least squares.

    Examples
    --------
    >>> import nma
    >>> network = nma.datasets.network("senn2013")
    >>> common = nma.fit(network, nma.Model(heterogeneity=nma.heterogeneity.Common()))
    >>> picture = nma.plots.dev_dev(common, nma.fit(network))
    >>> nma.plots.dev_dev.marks(common, nma.fit(network)).columns.tolist()
    ['study', 'treatment', 'rows', 'first', 'second', 'difference', 'named']

    References
    ----------
    NICE DSU TSD 4 (Dias et al. 2011), section 3, on plots of deviance against deviance.
    """
    return draw(marks(first, second, names=names), ax=ax)
