"""The forest of effects: every treatment against one comparator, with its intervals."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from nma.effects import effect_table
from nma.errors import ModelError, require_several
from nma.estimates import centre, is_credible, scale_name
from nma.instruments import Instrument
from nma.plots._axis import numeral
from nma.plots._figure import figure
from nma.plots._forest_drawing import draw, same
from nma.plots._text import effect_words, interval_name, require_posterior, scale_interval
from nma.points import KNOWN_SD, in_points
from nma.summaries import summary
from nma.tables import Table, decimals, interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nma.posterior import Posterior

__all__ = ["forest", "scale_words"]


def marks(
    posterior: Posterior,
    *,
    comparator: str | None = None,
    level: float = 0.95,
    predictive: bool = True,
    order: Sequence[str] | None = None,
    important: float | None = None,
    instrument: Instrument | None = None,
    reference_sd: float | None = None,
) -> Table:
    """Return what a forest shows.

    Parameters
    ----------
    posterior, comparator, level, predictive, order, important, instrument, reference_sd
        As ``nma.plots.forest`` takes them.

    Returns
    -------
    Table
        By treatment: the rows of ``effect_table`` (in points where there is an instrument), and
        ``text`` as written beside each.

    Raises
    ------
    ModelError
        As ``nma.plots.forest`` does.
    """
    require_posterior(posterior, "forest")
    require_several(order, "order")
    against = posterior.comparator if comparator is None else comparator
    table = effect_table(posterior, comparators=[against], level=level, predictive=predictive)
    if table.empty:
        message = f"{against!r} is alone: ask about a treatment to compare it with."
        raise ModelError(message)
    found = pd.DataFrame(table).droplevel("comparator")
    names = _order(posterior, found, against, order)
    told = effect_words(posterior, "") | {"comparator": against, "level": level}
    if instrument is not None:
        points = in_points(
            posterior, instrument, reference_sd=reference_sd, comparators=[against], level=level
        )
        turned = instrument.better != posterior.network.better
        told |= _point_words(instrument, float((points["sd"] / table["sd"]).iloc[0]))
        found, table = _in_points(found, points, turned=turned), points
    told["important"] = _important(important, told)
    told["text"] = _sentence(posterior, found.loc[names], told)
    return _written(found.loc[names], table, told)


def _written(found: pd.DataFrame, table: Table, told: dict[Hashable, Any]) -> Table:
    """Return the rows with their texts and words."""
    digits = decimals(found["sd"].to_numpy())
    columns = (found[name] for name in ("estimate", "lower", "upper", "mcse"))
    text = [interval(*row, digits=digits) for row in zip(*columns, strict=True)]
    result = Table(found.assign(text=text), caption=table.caption, digits=table.digits)
    result.attrs = told
    return result


def _order(
    posterior: Posterior, found: pd.DataFrame, comparator: str, order: Sequence[str] | None
) -> list[str]:
    if order is None:
        rising = posterior.network.better == "lower"
        return list(found.sort_values("mean", ascending=rising, kind="stable").index)
    names = [name for name in dict.fromkeys(order) if name != comparator]
    for name in names:
        posterior.position(name)
    if not names:
        message = f"order={list(order)!r} names no treatment besides the comparator {comparator!r}."
        raise ModelError(message)
    return names


def _in_points(found: pd.DataFrame, points: Table, *, turned: bool) -> pd.DataFrame:
    """Return the rows in points, those of a new trial scaled as the others are."""
    rows = pd.DataFrame(points).droplevel("comparator").loc[found.index]
    factor = rows["sd"] / found["sd"] * (-1 if turned else 1)
    for end, other in (("lower", "upper"), ("upper", "lower")):
        if f"predictive_{end}" in found:
            rows[f"predictive_{end}"] = factor * found[f"predictive_{other if turned else end}"]
    return rows


def _point_words(instrument: Instrument, sd: float) -> dict[Hashable, Any]:
    return {
        "measure": f"Points of {instrument.name}",
        "ratio": False,
        "better": instrument.better,
        "points": f" SMD times {sd:.4g}. {KNOWN_SD}",
    }


def _important(size: float | None, told: dict[Hashable, Any]) -> float | None:
    """Return where a difference that matters lies, on the better side."""
    if size is None:
        return None
    if not 0 < size < math.inf or (told["ratio"] and size == 1):
        what = "a ratio other than 1" if told["ratio"] else "a difference"
        message = f"important={size!r} is not {what} that could matter: give a number above 0."
        raise ModelError(message)
    lower = told["better"] == "lower"
    if told["ratio"]:
        return float(min(size, 1 / size) if lower else max(size, 1 / size))
    return float(-size if lower else size)


def _sentence(
    posterior: Posterior,
    found: pd.DataFrame,
    told: dict[Hashable, Any],
) -> str:
    log = f" of the {scale_name(posterior)}" if told["ratio"] else ""
    thick = f"{100 * told['level']:g}% {told['interval']}"
    marked, gap = told["important"], "ratio" if told["ratio"] else "difference"
    dashed = "" if marked is None else f"; dashed: {numeral(marked)}, the {gap} stated to matter"
    scales = _scales(posterior, told["level"])
    return (
        f"Square: {centre(posterior)}{log}; "
        f"thick line: {thick}{_thin(found, told['level'])}{dashed}. "
        f"{told['measure']}, {told['better']} is better.{told.get('points', '')}{scales}"
    )


def _thin(found: pd.DataFrame, level: float) -> str:
    """Return what the thin lines are, if there are any."""
    if "predictive_lower" not in found:
        return ""
    if same(found):
        return ", also of the effect in one new trial, since there is no heterogeneity"
    new = "the effect in one new trial like these"
    return f"; thin line: {100 * level:g}% predictive interval ({new})"


def _scales(posterior: Posterior, level: float) -> str:
    """Return tau and other scales, and what the summary says rests on a prior."""
    found = summary(posterior, level=level)
    driven = ("rests on its prior", "is left empty")
    notes = [note for note in found.notes if any(words in note for words in driven)]
    sentences = [*scale_words(posterior, found, level), *notes]
    return "".join(f" {sentence}" for sentence in sentences)


def scale_words(posterior: Posterior, found: Table, level: float) -> list[str]:
    """Return a sentence that tells tau and other scales as a summary has them, if there are any."""
    names = [scale.name for scale in posterior.problem.scales]
    rows = (found.loc[name, ["median", "lower", "upper"]] for name in names)
    said = [f"{name} {scale_interval(*row)}" for name, row in zip(names, rows, strict=True)]
    shown = said and is_credible(posterior)
    unit = f" (median and {100 * level:g}% {interval_name(posterior)})" if shown else ""
    return [f"{', '.join(said)}{unit}."] * bool(said)


@figure(marks, draw)
def forest(
    posterior: Posterior,
    *,
    comparator: str | None = None,
    level: float = 0.95,
    predictive: bool = True,
    order: Sequence[str] | None = None,
    important: float | None = None,
    instrument: Instrument | None = None,
    reference_sd: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the effects of all treatments against one comparator.

    A square is the posterior mean, a thick line the credible interval of the mean effect, a thin
    line that of the effect in one new trial. The sides of no effect say whom they favour;
    ratio measures stand on a log axis. An interval that goes on beyond the axis ends in an arrow.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    comparator : str, optional
        The network's reference if not given.
    level : float, default 0.95
        Probability of the equal-tailed intervals.
    predictive : bool, default True
        Whether to add the interval of the effect in one new trial.
    order : sequence of str, optional
        The treatments to show, from the top; all, the best estimate first, if not given.
    important : float, optional
        A difference or ratio that matters, on the printed scale: a dashed line on the better side.
    instrument : Instrument, optional
        Draw standardised effects as its points; see ``nma.in_points``.
    reference_sd : float, optional
        Standard deviation in points of the instrument; what the trials tell if not given.
    ax : Axes, optional
        Where to draw; names stand to its left and numbers to its right, so make it with
        ``layout="constrained"`` or leave room. A figure of its own if not given.

    Returns
    -------
    Axes
        Shows itself in a notebook; ``.figure.savefig("forest.svg")`` writes a file.

    Raises
    ------
    ModelError
        If a treatment is unknown, the level is not between 0 and 1, no difference can be that
        important, or effects cannot be points of the instrument.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> picture = nma.plots.forest(posterior, comparator="passive control")
    >>> nma.plots.forest.marks(posterior, comparator="passive control")["text"].iloc[0]
    '-1.72 (-2.57, -0.89)'
    """
    found = marks(
        posterior,
        comparator=comparator,
        level=level,
        predictive=predictive,
        order=order,
        important=important,
        instrument=instrument,
        reference_sd=reference_sd,
    )
    return draw(found, ax=ax)
