"""Loops: whether the way round comes back to where it started."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma import graph
from nma.errors import ModelError
from nma.estimates import briefly, captioned, scale_name
from nma.normal_evidence import normal_evidence, tau_words
from nma.posterior import require_posterior
from nma.tables import Table, decimals

if TYPE_CHECKING:
    from nma.normal_evidence import Direct, Information, NormalEvidence
    from nma.posterior import Posterior

__all__ = ["loops"]

COLUMNS = ["comparisons", "trials", "difference", "se", "lower", "upper", "z", "p"]
"""What is told of each loop."""


def loops(
    posterior: Posterior, *, tau: str | float | None = None, longest: int = 4, level: float = 0.95
) -> Table:
    r"""Return how far direct estimates round each closed loop fail to add up to nothing.

    .. math:: w = \left| \sum_{(j,k) \in loop} \hat d^{dir}_{jk} \right|

    with the inverse-variance mean of the trials of each comparison at a fixed tau. Loops have no
    shortcut. The variance takes account of a trial that feeds several comparisons of the loop. A
    loop fed by one multi-arm trial alone, or by several that each hold all of it, cannot be
    inconsistent: it is skipped and named. Loops share trials, so their tests are not independent.
    Names, order and reference change no number.

    Parameters
    ----------
    posterior : Posterior
        A fitted model; its trials are read as normal contrasts.
    tau : float or {"DL", "REML", "ML", "PM", "common"}, optional
        The heterogeneity that is held fixed; that of the fit if not given: its posterior mean, or
        the value that was plugged in.
    longest : int, default 4
        Comparisons in the longest loop to look for.
    level : float, default 0.95
        Of the confidence intervals.

    Returns
    -------
    Table
        For each loop, by its treatments in order: ``comparisons``, ``trials``, ``difference`` (w,
        without a sign, on the scale of the model), ``se``, ``lower`` and ``upper``, ``z`` and ``p``
        of two sides.

    Raises
    ------
    ModelError
        If the trials do not connect all treatments, or no loop can be so short.
    EngineError
        If tau is no way to find it.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("senn2013"))
    >>> table = nma.checks.loops(posterior, tau="DL")
    >>> table["comparisons"].value_counts().to_dict()
    {3: 7, 4: 1}

    References
    ----------
    Bucher et al. 1997, doi:10.1016/S0895-4356(97)00049-8;
    Veroniki et al. 2013, doi:10.1093/ije/dys222.
    """
    require_posterior(posterior, "loops")
    _require_length(longest, level)
    evidence = normal_evidence(posterior)
    value = evidence.tau(tau)
    direct, trials = evidence.direct(value), evidence.by_trial(value)
    around, skipped = _found(evidence, direct, longest)
    rows = [_row(evidence, cycle, direct, trials, level) for cycle in around]
    index = pd.Index([" : ".join(cycle) for cycle in around], name="loop")
    found = pd.DataFrame(rows, index=index, columns=COLUMNS)
    table = Table(
        found,
        caption=captioned(
            posterior,
            f"Inconsistency of closed loops of up to {longest} comparisons, on the scale of the "
            f"{scale_name(posterior)}, with {100 * level:g}% confidence intervals; "
            f"{tau_words(tau, value)}.",
        ),
        notes=[*_said(around, skipped), *evidence.notices, *briefly(posterior)],
        digits=decimals(found["se"].to_numpy(dtype=float)),
        probabilities=["p"],
    )
    table.attrs = {"poor": posterior.poor, "data": posterior.network.caption}
    return table


def _require_length(longest: int, level: float) -> None:
    if longest < 3:
        message = f"longest={longest!r}: a loop has 3 comparisons or more."
        raise ModelError(message)
    if not 0 < level < 1:
        message = f"level={level!r} must lie between 0 and 1, as in level=0.95."
        raise ModelError(message)


def _found(
    evidence: NormalEvidence, direct: dict[frozenset[str], Direct], longest: int
) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Return the loops that can be inconsistent, and those that no trial can contradict."""
    every = [
        *graph.loops(evidence.trials, longest=longest),
        *graph.single_trial_loops(evidence.trials, longest=longest),
    ]
    skipped = [
        cycle
        for cycle in every
        if all(set(cycle) <= set(evidence.trials[study]) for study in _feeding(cycle, direct))
    ]
    return [cycle for cycle in every if cycle not in skipped], sorted(skipped)


def _edges(cycle: tuple[str, ...]) -> list[tuple[str, str]]:
    return list(pairwise([*cycle, cycle[0]]))


def _feeding(cycle: tuple[str, ...], direct: dict[frozenset[str], Direct]) -> list[str]:
    """Return the trials that compare neighbours of a loop."""
    found = (study for edge in _edges(cycle) for study in direct[frozenset(edge)].share)
    return list(dict.fromkeys(found))


def _row(
    evidence: NormalEvidence,
    cycle: tuple[str, ...],
    direct: dict[frozenset[str], Direct],
    trials: dict[str, Information],
    level: float,
) -> list[float]:
    """Return the numbers of one loop."""
    from scipy.special import ndtr, ndtri

    edges, feeding = _edges(cycle), _feeding(cycle, direct)
    difference = abs(sum(direct[frozenset(edge)].versus(*edge) for edge in edges))
    variance = sum(
        _part(evidence.trials[study], edges, direct, study, trials[study]) for study in feeding
    )
    error = math.sqrt(variance)
    half = float(ndtri((1 + level) / 2)) * error
    z = difference / error
    p = 2 * float(ndtr(-z))
    count = (len(edges), len(feeding))
    return [*count, difference, error, difference - half, difference + half, z, p]


def _part(
    design: Sequence[str],
    edges: list[tuple[str, str]],
    direct: dict[frozenset[str], Direct],
    study: str,
    told: Information,
) -> float:
    """Return what one trial adds to the variance, over all the comparisons that it feeds."""
    place = {name: k for k, name in enumerate(design)}
    weight = np.zeros(len(design))
    for treatment, comparator in edges:
        share = direct[frozenset((treatment, comparator))].share.get(study, 0.0)
        if share:
            weight[place[treatment]] += share
            weight[place[comparator]] -= share
    return float(weight @ told.inverse @ weight)


def _said(around: list[tuple[str, ...]], skipped: list[tuple[str, ...]]) -> list[str]:
    """Return which loops are not there, and why."""
    found = [] if around else ["There is no closed loop of several trials: nothing to compare."]
    if skipped:
        named = [" : ".join(cycle) for cycle in skipped]
        more = f" and {len(named) - 5} more" if len(named) > 5 else ""
        found.append(
            "Skipped, since every trial that feeds them holds the whole loop: "
            f"{', '.join(named[:5])}{more}."
        )
    return found
