"""What a league table shows: the cells of its two halves, and what they are of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from nma.effects import effect_table
from nma.errors import ModelError, nearest, shown
from nma.estimates import centre, scale_name
from nma.hierarchy import sucra
from nma.plots._text import effect_words, interval_name, require_posterior
from nma.posterior import Posterior
from nma.tables import Table, decimals, interval, rounded

__all__ = ["INTERVALS", "NUMBERS", "Upper", "marks"]

INTERVALS = 12
"""Treatments up to which cells hold intervals and the diagonal holds names."""

NUMBERS = 40
"""Treatments up to which cells hold numbers at all."""

Upper = Literal["predictive"] | Posterior | None
"""What stands above the diagonal, if not the same as below."""


def marks(
    posterior: Posterior,
    *,
    level: float = 0.95,
    upper: Upper = None,
    names: tuple[str, str] | None = None,
) -> Table:
    """Return what a league table shows.

    Parameters
    ----------
    posterior, level, upper, names
        As ``nma.plots.league_table`` takes them.

    Returns
    -------
    Table
        One row for each cell, ``row`` versus ``column``, from the best SUCRA on: the numbers of
        ``effect_table`` (``lower`` and ``upper`` of a new trial where the half is predictive);
        ``half``, whether it stands ``above`` or ``below`` the diagonal; ``number`` and ``text`` as
        written; ``benefit``, the effect on the scale of the model with its sign turned so that
        above zero the row is better; ``clear``, whether the interval leaves out no effect.

    Raises
    ------
    ModelError
        As ``nma.plots.league_table`` does.
    """
    require_posterior(posterior, "league_table")
    _require_upper(upper, names)
    order = list(sucra(posterior, level=level).index)
    found, table = _cells(posterior, order, level, predictive=False)
    if upper is not None:
        second = upper if isinstance(upper, Posterior) else posterior
        shared = [name for name in order if name in second.treatments]
        _require_shared(posterior, second, shared)
        other, _ = _cells(second, shared, level, predictive=upper == "predictive")
        below, above = found[found["half"] == "below"], other[other["half"] == "above"]
        place = {name: k for k, name in enumerate(order)}
        found = pd.concat([below, above]).sort_values(
            ["row", "column"], key=lambda side: side.map(place), ignore_index=True
        )
    result = Table(found, caption=table.caption, digits=table.digits)
    result.attrs = _words(posterior, level, upper, names) | {"level": level, "order": order}
    return result


def _require_upper(upper: object, names: object) -> None:
    if upper is not None and upper != "predictive" and not isinstance(upper, Posterior):
        message = (
            f"upper={shown(upper)} is neither 'predictive' nor a fitted model of a second outcome."
        )
        raise ModelError(message)
    if names is None:
        return
    if not isinstance(upper, Posterior):
        message = f"names={shown(names)} names two outcomes: give the second as upper=."
        raise ModelError(message)
    if isinstance(names, str) or not isinstance(names, Sequence) or len(names) != 2:
        message = f"names={shown(names)}: give two, that below the diagonal first."
        raise ModelError(message)


def _require_shared(first: Posterior, second: Posterior, shared: Sequence[str]) -> None:
    if len(shared) < 2:
        message = f"The two outcomes share fewer than two treatments. {_missing(first, second)}"
        raise ModelError(message)


def _missing(first: Posterior, second: Posterior) -> str:
    """Return a sentence on the treatments that only one of two outcomes has."""
    said = []
    for where, names, others in (
        ("above", first.treatments, second.treatments),
        ("below", second.treatments, first.treatments),
    ):
        free = [name for name in others if name not in names]
        lacking = [f"{n!r}.{nearest(n, free)}" for n in names if n not in others]
        said += [f"Not {where} the diagonal: {' '.join(lacking)}"] if lacking else []
    return " ".join(said)


def _cells(
    posterior: Posterior, order: Sequence[str], level: float, *, predictive: bool
) -> tuple[pd.DataFrame, Table]:
    """Return the cells of a whole table, and the effects that they hold."""
    table = effect_table(posterior, level=level, predictive=predictive)
    pairs = [(row, column) for row in order for column in order if row != column]
    found = pd.DataFrame(table).loc[pairs].rename_axis(["row", "column"]).reset_index()
    if predictive:
        found = found.assign(lower=found["predictive_lower"], upper=found["predictive_upper"])
        found = found.drop(columns=["predictive_lower", "predictive_upper"])
    null, sign = _orientation(posterior)
    digits = decimals(found["sd"].to_numpy())
    place = {name: k for k, name in enumerate(order)}
    above = found["row"].map(place) < found["column"].map(place)
    columns = found[["estimate", "lower", "upper", "mcse"]]
    return found.assign(
        number=[
            rounded(estimate, mcse, digits=digits)
            for estimate, mcse in zip(found["estimate"], found["mcse"], strict=True)
        ],
        text=[interval(*row, digits=digits) for row in columns.itertuples(index=False)],
        benefit=sign * found["mean"],
        clear=(found["lower"] > null) | (found["upper"] < null),
        half=np.where(above, "above", "below"),
    ), table


def _orientation(posterior: Posterior) -> tuple[float, float]:
    """Return no effect, and the sign that makes benefits positive."""
    network = posterior.network
    return float(network.ratio), -1.0 if network.better == "lower" else 1.0


def _words(
    posterior: Posterior, level: float, upper: Upper, names: tuple[str, str] | None
) -> dict[Any, Any]:
    """Return what the picture says, and the scales that its colours have."""
    measure = posterior.network.measure
    title = f"{measure}, row versus column"
    if not isinstance(upper, Posterior):
        text = _sentence(posterior, level, _new_trial(posterior, level, upper))
        told = effect_words(posterior, text)
        title += "; a new trial above the diagonal" * (upper is not None)
        return told | {"title": title, "scales": [_scale(posterior, measure, measure)]}
    both = (posterior, upper)
    called = names or tuple(fit.network.measure for fit in both)
    text = _sentence(posterior, level, _halves(both, called))
    first, second = effect_words(posterior, text), effect_words(upper, "")
    missing = _missing(posterior, upper)
    poor = [first["poor"], f"{second['poor']} [{called[1]}]" if second["poor"] else ""]
    data = [missing, *dict.fromkeys([first["data"], second["data"]])]
    return first | {
        "poor": " ".join(dict.fromkeys(filter(None, poor))),
        "data": " ".join(filter(None, data)),
        "title": f"{called[0]} below the diagonal, {called[1]} above it; row versus column",
        "scales": [
            _scale(fit, f"{where} the diagonal: {_called(name, fit)}", f"{where}: {name}")
            for fit, where, name in zip(both, ("below", "above"), called, strict=True)
        ],
    }


def _scale(posterior: Posterior, name: str, short: str) -> dict[str, Any]:
    """Return what a colour bar says: its name, also where there is little room, and direction."""
    network = posterior.network
    return {"name": name, "short": short, "ratio": network.ratio, "better": network.better}


def _called(name: str, posterior: Posterior) -> str:
    measure = posterior.network.measure
    return name if name == measure else f"{name} ({measure})"


def _halves(both: tuple[Posterior, Posterior], called: tuple[str, ...]) -> str:
    """Return which outcome each half is of, and its direction."""
    below, above = (
        f"{_called(name, fit)}, {fit.network.better} is better"
        for name, fit in zip(called, both, strict=True)
    )
    return (
        f"Below the diagonal: {below}; above it: {above}. The order is that of the outcome below; "
        "colours of the two halves do not compare."
    )


def _new_trial(posterior: Posterior, level: float, upper: Upper) -> str:
    network = posterior.network
    said = f"{network.measure}, {network.better} is better."
    if upper is None:
        return said
    new = f"{100 * level:g}% {interval_name(posterior)}"
    return f"{said} Above the diagonal the {new} is that of the effect in one new trial like these."


def _sentence(posterior: Posterior, level: float, last: str) -> str:
    network, count = posterior.network, len(posterior.treatments)
    mean = f"{centre(posterior)}{f' of the {scale_name(posterior)}' if network.ratio else ''}"
    limits = f"{100 * level:g}% {interval_name(posterior)}"
    shown_ = f": {mean}" if count <= NUMBERS else ""
    shown_ += f" with {limits}" if count <= INTERVALS else ""
    bold = f"; bold: the {limits} leaves out no effect" if count <= NUMBERS else ""
    alone = f"; over {NUMBERS} treatments: colours only; the numbers are in nma.league_table"
    shown_ += alone if count > NUMBERS else ""
    return (
        f"Row versus column, from the best SUCRA to the worst{shown_}. Blue: the row is better, "
        "orange: the column is better; the deeper the colour, the larger the effect"
        f"{bold}. {last}"
    )
