"""Curves: how the effect of each treatment changes with a covariate or a dose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from nma.curves import curve as curve_table
from nma.curves import span
from nma.estimates import centre, direction, scale_name
from nma.plots._curve_drawing import draw
from nma.plots._figure import figure
from nma.plots._text import effect_words, interval_name, require_posterior
from nma.posterior import at
from nma.ranges import homes
from nma.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

    from nma.posterior import Posterior

__all__ = ["curve"]

SMOOTH = 81
"""Values that a curve is drawn through, besides those of the trials."""

MOST = 120
"""Different values of the trials up to which a curve goes through each."""


def marks(
    posterior: Posterior,
    covariate: str,
    *,
    values: Sequence[float] | None = None,
    treatments: Sequence[str] | None = None,
    comparator: str | None = None,
    level: float = 0.95,
) -> Table:
    """Return what a picture of curves shows.

    Parameters
    ----------
    posterior, covariate, values, treatments, comparator, level
        As ``nma.plots.curve`` takes them.

    Returns
    -------
    Table
        One row for each treatment and ``value``: ``estimate``, ``lower``, ``upper`` and
        ``extrapolated``, where ``part`` is "curve"; and where it is "trials" the number of ``arms``
        that trials have at that value.

    Raises
    ------
    ModelError
        As ``nma.curve`` does.
    """
    require_posterior(posterior, "curve")
    asked = values if values is not None else _smooth(posterior, covariate)
    table = curve_table(
        posterior,
        covariate,
        values=asked,
        treatments=treatments,
        comparator=comparator,
        level=level,
    )
    against = posterior.network.reference if comparator is None else comparator
    rows = pd.DataFrame(table)[["estimate", "lower", "upper", "extrapolated"]].reset_index()
    rows = rows.rename(columns={covariate: "value"}).assign(part="curve")
    names = list(dict.fromkeys(rows["treatment"]))
    ticks = pd.DataFrame(_observed(posterior, covariate, names, rows["value"].iloc[0]))
    found = Table(pd.concat([rows, ticks], ignore_index=True), caption=table.caption)
    rest = replace(_without(posterior, covariate), notices=table.notes)
    found.attrs = effect_words(rest, _sentence(posterior, covariate, level, rows)) | {
        "comparator": against,
        "covariate": covariate,
    }
    return found


def _smooth(posterior: Posterior, covariate: str) -> list[float] | None:
    """Return values close enough to draw a curve; ``nma.curve`` refuses what is no covariate."""
    known = posterior.model.structure.covariates(posterior.network)
    if isinstance(known.get(covariate, ""), str):
        return None
    own = pd.unique(posterior.network.table[covariate].dropna()).astype(float)
    drawn = span(posterior, covariate, SMOOTH)
    inside = [float(x) for x in own if drawn[0] <= x <= drawn[-1]]
    return sorted({*drawn, *(inside if len(inside) <= MOST else [])})


def _without(posterior: Posterior, covariate: str) -> Posterior:
    """Return the posterior without the value of the covariate that the curves run over."""
    return replace(posterior, targets=posterior.targets.drop(columns=covariate))


def _observed(
    posterior: Posterior, covariate: str, names: Sequence[str], value: float
) -> Iterator[dict[str, Any]]:
    """Yield the values at which trials have arms on a treatment, and how many."""
    asked: dict[str, Any] = {covariate: value}
    network, structure = posterior.network, posterior.model.structure
    of = homes(network, structure, at(posterior, treatments=names, **asked).targets)
    for name in names:
        counts = network.table[covariate][of[name]].dropna().astype(float).value_counts()
        for x, arms in counts.sort_index().items():
            yield {"treatment": name, "value": x, "arms": int(arms), "part": "trials"}


def _sentence(posterior: Posterior, covariate: str, level: float, rows: pd.DataFrame) -> str:
    network = posterior.network
    log = f" of the {scale_name(posterior)}" if network.ratio else ""
    beyond = bool(rows["extrapolated"].any()) * (
        f"; dashed and pale: {covariate} outside that of the trials' arms on the treatment or the "
        "comparator, or where they do not tell the effect"
    )
    return (
        f"Line: {centre(posterior)}{log}; band: {100 * level:g}% {interval_name(posterior)} at "
        f"each value{beyond}; ticks: values of the trials' arms. "
        f"{network.measure}, {network.better} is better: {direction(posterior)}."
    )


@figure(marks, draw)
def curve(
    posterior: Posterior,
    covariate: str,
    *,
    values: Sequence[float] | None = None,
    treatments: Sequence[str] | None = None,
    comparator: str | None = None,
    level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw how the effects of treatments change with a covariate or a dose, a panel for each.

    A line is the posterior mean, a band the credible interval at each value; both are pale and
    dashed outside the values that the trials' arms on the treatment have, which ticks show. Ratio
    measures stand on a log axis.

    Parameters
    ----------
    posterior : Posterior
        A fitted model, such as one with ``structures.Dose`` or ``structures.Regression``.
    covariate : str
        A covariate of the model that is a number.
    values : sequence of float, optional
        What the curves go through; values close together, those of the trials among them, if not
        given.
    treatments : sequence of str, optional
        The treatments to show; all that the posterior is asked about if not given.
    comparator : str, optional
        The network's reference if not given.
    level : float, default 0.95
        Probability of the equal-tailed intervals.
    ax : Axes, optional
        Where to draw. A figure of its own if not given, as large as the panels need.

    Returns
    -------
    Axes
        The sheet; the panels are its ``child_axes``.

    Raises
    ------
    ModelError
        As ``nma.curve`` does.

    Examples
    --------
    >>> import nma
    >>> network = nma.datasets.network("bcg").as_normal()
    >>> structure = nma.structures.Regression(
    ...     nma.structures.Consistency(), "latitude", control="unvaccinated"
    ... )
    >>> posterior = nma.fit(network, nma.Model(structure))
    >>> len(nma.plots.curve(posterior, "latitude").child_axes)
    1
    >>> nma.plots.curve.marks(posterior, "latitude").columns.tolist()
    ['treatment', 'value', 'estimate', 'lower', 'upper', 'extrapolated', 'part', 'arms']
    """
    found = marks(
        posterior,
        covariate,
        values=values,
        treatments=treatments,
        comparator=comparator,
        level=level,
    )
    return draw(found, ax=ax)
