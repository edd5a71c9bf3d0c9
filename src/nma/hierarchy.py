"""Hierarchies: SUCRA and its kin, and when an order is not to be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma import graph
from nma.checks._design_by_treatment import global_p
from nma.errors import ModelError, NmaError
from nma.estimates import replicate_error, require_level
from nma.posterior import require_posterior
from nma.ranking import (
    badness,
    best_mass,
    rank_caption,
    ranks,
    require_two,
    shares,
    untold_ranks,
    wins,
)
from nma.tables import Table, probability

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior

__all__ = ["doubts", "p_scores", "poth", "sucra"]

WEAK_HIERARCHY = 0.5
"""POTH below which a hierarchy is called weak."""

ALPHA = 0.05
"""p of the global test of inconsistency below which it is said."""

MANY = 300
"""Trials up to which the test is quick enough to come with every hierarchy."""

LISTED = 3
"""Comparisons on single trials that are named."""

RANKS = ("median_rank", "rank_lower", "rank_upper")
"""Columns that hold ranks."""

OVER_TAU = "Tau has a posterior: this is the mean of P-scores over it, which is the SUCRA."
"""What a P-score is where tau is not known."""


def sucra(posterior: Posterior, *, level: float = 0.95) -> Table:
    r"""Return SUCRA and its kin: the surface under the cumulative ranking curve.

    .. math:: \mathrm{SUCRA}_j = \frac{T - E[\mathrm{rank}_j]}{T - 1}
              = \frac{1}{T - 1} \sum_{k \ne j} P(j \text{ better than } k)

    The right-hand side is exact where the posterior has moments. The mean SUCRA is 1/2. It is one
    number, an expectation, and has no uncertainty of its own: its interval is that of what it is
    the mean of, the share of the others that a treatment beats in a draw,
    :math:`(T - \mathrm{rank}_j)/(T - 1)`, and so says the same as the interval of the rank. At a
    known tau SUCRA is also the P-score.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    level : float, default 0.95
        Probability of the intervals of ranks and of shares.

    Returns
    -------
    Table
        By treatment, best first: ``sucra`` (0 of what is always worst, 1 of what is always best),
        its Monte Carlo standard error ``mcse`` (zero where exact), ``sucra_lower`` to
        ``sucra_upper``, ``mean_rank``, ``median_rank``, ``rank_lower`` to ``rank_upper``,
        ``p_best`` and its Monte Carlo standard error ``p_best_mcse``. Notes warn where the
        hierarchy is weak, hangs on little, or where designs disagree;
        ``attrs["poth"]`` is the precision of the treatment hierarchy.

    Raises
    ------
    ModelError
        If there is one treatment alone, the structure gives no level outside a trial, or the level
        is not between 0 and 1.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> nma.sucra(posterior).index[0]
    'multimodal care'

    References
    ----------
    Salanti et al. 2011, doi:10.1016/j.jclinepi.2010.03.016;
    Wigle et al. 2025, doi:10.48550/arXiv.2501.11596, on the precision of the hierarchy.
    """
    require_posterior(posterior, "sucra")
    require_level(level)
    share, errors = shares(posterior)
    count = len(share)
    drawn = ranks(posterior).to_numpy().reshape(-1, count)
    lower, upper = _tail(drawn, level), count + 1 - _tail(count + 1 - drawn, level)
    first = best_mass(badness(posterior))
    table = pd.DataFrame(
        {
            "sucra": share,
            "mcse": errors,
            "sucra_lower": (count - upper) / (count - 1),
            "sucra_upper": (count - lower) / (count - 1),
            "mean_rank": count - (count - 1) * share,
            "median_rank": np.median(drawn, axis=0),
            "rank_lower": lower,
            "rank_upper": upper,
            "p_best": first.mean(axis=0),
            "p_best_mcse": replicate_error(first[:, None]),
        },
        index=pd.Index(posterior.treatments, name="treatment"),
    ).sort_values("sucra", ascending=False, kind="stable")
    precision = _poth(share)
    whole = bool((drawn % 1 == 0).all())
    result = Table(
        table,
        caption=rank_caption(
            posterior, f"SUCRA and ranks with {100 * level:g}% intervals; 1 is best"
        ),
        notes=_cautions(posterior, precision),
        digits={"mcse": 4, **dict.fromkeys(RANKS, 0 if whole else 1)},
        probabilities=["p_best"],
        unprinted=["sucra_lower", "sucra_upper", "p_best_mcse"],
    )
    result.attrs["poth"] = precision
    return result


def _tail(drawn: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """Return the lower limits of draws; the upper ones mirror them."""
    found = np.quantile(drawn, (1 - level) / 2, axis=0, method="inverted_cdf")
    return np.asarray(found, dtype=float)


def p_scores(posterior: Posterior) -> Table:
    r"""Return the P-scores: how sure it is, on average, that a treatment beats another.

    .. math:: P_j = \frac{1}{T - 1} \sum_{k \ne j}
              \Phi\left(\pm \frac{\hat d_{jk}}{se_{jk}}\right)

    with the sign under which benefits are positive, from the estimates and their standard errors
    alone. At a known tau the P-score equals SUCRA; where tau has a posterior, the mean of P-scores
    over it is the SUCRA, and the note says that this is what is given. With ``knapp_hartung`` the
    distribution is t.

    Parameters
    ----------
    posterior : Posterior
        A fitted model, by an engine that gives means and covariances: ``engines.LeastSquares`` or
        ``engines.Gaussian``.

    Returns
    -------
    Table
        By treatment, best first: ``p_score``. ``attrs["poth"]`` is the precision of the hierarchy.

    Raises
    ------
    ModelError
        If the posterior has draws alone, there is one treatment alone, or the trials leave a
        comparison undetermined.

    Examples
    --------
    >>> import nma
    >>> network = nma.datasets.network("senn2013")
    >>> posterior = nma.fit(network, engine=nma.engines.LeastSquares(tau="DL"))
    >>> float(nma.p_scores(posterior).loc["rosiglitazone", "p_score"].round(5))
    0.89337

    References
    ----------
    Ruecker and Schwarzer 2015, doi:10.1186/s12874-015-0060-8.
    """
    require_posterior(posterior, "p_scores")
    require_two(posterior)
    moments = posterior.draws.moments
    if moments is None:
        message = (
            f"{type(posterior.engine).__name__} gives draws, and P-scores are made of means and "
            "covariances: use nma.sucra, or fit with nma.engines.LeastSquares()."
        )
        raise ModelError(message)
    share, _ = shares(posterior)
    scores = pd.Series(share, pd.Index(posterior.treatments, name="treatment"))
    precision = _poth(share)
    known = len(moments.weight) == 1
    said = "At this tau the P-score equals SUCRA." if known else OVER_TAU
    result = Table(
        {"p_score": scores.sort_values(ascending=False, kind="stable")},
        caption=rank_caption(posterior, "P-score: mean certainty of being better than another"),
        notes=[said, *_cautions(posterior, precision)],
    )
    result.attrs["poth"] = precision
    return result


def poth(posterior: Posterior) -> Table:
    r"""Return the precision of the treatment hierarchy, and what each treatment does to it.

    .. math:: \mathrm{POTH} = 12 \frac{T - 1}{T + 1} \cdot \frac{1}{T} \sum_j
              \left(\mathrm{SUCRA}_j - \tfrac12\right)^2

    It is 0 when nothing is known about the order and 1 when it is certain. Without a treatment
    the others are ranked again in the same posterior: nothing is fitted again, so its trials still
    inform the rest. Exact where the posterior has moments. Reversing ``better`` changes nothing.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.

    Returns
    -------
    Table
        By treatment, best first: its ``sucra`` among all, ``poth_without`` it, ``change`` against
        that of all (above zero: the others are told apart better without it), and the Monte Carlo
        standard errors ``mcse`` of ``poth_without`` and ``change_mcse``; zero where exact.
        ``attrs["poth"]`` and ``attrs["mcse"]`` are of all treatments.

    Raises
    ------
    ModelError
        If there is one treatment alone, or the trials leave a comparison undetermined.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("senn2013"))
    >>> table = nma.poth(posterior)
    >>> round(table.attrs["poth"], 2), table["change"].idxmax()
    (0.66, 'vildagliptin')

    References
    ----------
    Wigle et al. 2025, doi:10.48550/arXiv.2501.11596.
    """
    require_posterior(posterior, "poth")
    require_two(posterior)
    beats = wins(posterior)
    count = beats.shape[-1]
    whole, linear = _precision(beats)
    share = beats.mean(axis=0).sum(axis=1) / (count - 1)
    found = [_without(beats, k, whole, linear) for k in range(count)]
    table = pd.DataFrame(
        found,
        columns=["poth_without", "change", "mcse", "change_mcse"],
        index=pd.Index(posterior.treatments, name="left_out"),
    )
    table.insert(0, "sucra", share)
    alone = ["Without one of two treatments there is nothing to rank."] * (count == 2)
    result = Table(
        table.sort_values("sucra", ascending=False, kind="stable"),
        caption=rank_caption(
            posterior,
            f"Precision of the treatment hierarchy (POTH) {whole:.2f} of all treatments, and "
            "without each in turn, the others ranked again",
        ),
        notes=[*alone, *_cautions(posterior, whole)],
        digits={"mcse": 4},
        unprinted=["change_mcse"],
    )
    result.attrs |= {"poth": whole, "mcse": _error(linear)}
    return result


def _precision(beats: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Return POTH of (chain, one, other), and that of each chain to first order."""
    count = beats.shape[-1]
    each = beats.sum(axis=-1) / (count - 1)
    share = each.mean(axis=0)
    slope = 24 * (count - 1) / ((count + 1) * count) * (share - share.mean())
    return _poth(share), each @ slope


def _without(
    beats: NDArray[np.float64], place: int, whole: float, linear: NDArray[np.float64]
) -> tuple[float, float, float, float]:
    """Return POTH without a treatment, the change, and their Monte Carlo errors."""
    if beats.shape[-1] == 2:
        return np.nan, np.nan, np.nan, np.nan
    inner = np.delete(np.delete(beats, place, axis=1), place, axis=2)
    found, theirs = _precision(inner)
    return found, found - whole, _error(theirs), _error(theirs - linear)


def _error(linear: NDArray[np.float64]) -> float:
    """Return the Monte Carlo standard error of a mean over chains; none where exact."""
    return 0.0 if len(linear) == 1 else float(replicate_error(linear[:, None]))


def _poth(share: NDArray[np.float64]) -> float:
    """Return the precision of the treatment hierarchy."""
    count = len(share)
    return 12 * (count - 1) / (count + 1) * float(np.var(share))


def _cautions(posterior: Posterior, precision: float) -> list[str]:
    """Return what must be known of a hierarchy with this POTH."""
    notes = [f"Precision of the treatment hierarchy (POTH) {precision:.2f}, between 0 and 1."]
    if precision < WEAK_HIERARCHY:
        notes.append("The hierarchy is weak: the data hardly tell the treatments apart.")
    return [*untold_ranks(posterior), *notes, *doubts(posterior)]


def doubts(posterior: Posterior) -> list[str]:
    """Return why an order must not be trusted, whatever its probabilities are."""
    network = posterior.network
    notes = []
    if graph.is_star(network.graph):
        notes.append(
            "The network is a star: all comparisons between the others are indirect and "
            "cannot be checked."
        )
    lonely = set(graph.bridges(network.graph)) & set(graph.single_trial_edges(network.graph))
    return [*notes, *_hanging(sorted(lonely)), *_disagreement(posterior)]


def _hanging(lonely: list[tuple[str, str]]) -> list[str]:
    """Return which parts of the network one trial alone joins to the rest."""
    if len(lonely) <= LISTED:
        return [
            f"{a} and {b}: the hierarchy hangs on the one trial that joins them." for a, b in lonely
        ]
    named = "; ".join(f"{a} and {b}" for a, b in lonely[:LISTED])
    more = len(lonely) - LISTED
    return [
        f"The hierarchy hangs on single trials, each of which joins two: {named}; and {more} more."
    ]


def _disagreement(posterior: Posterior) -> list[str]:
    """Return that trials disagree, if the global test, which knows no model, says so."""
    if len(posterior.network.trials) > MANY:
        untested = (
            f"Not tested for designs that disagree, since there are more than {MANY} trials: "
            "nma.checks.design_by_treatment(posterior) does."
        )
        return [untested]
    try:
        p = global_p(posterior)
    except NmaError:  # trials that no normal contrasts tell of: the checks say why
        return []
    if not p < ALPHA:
        return []
    said = (
        f"Designs disagree (global test of inconsistency, p {probability(p)}, which asks the "
        "trials as they stand, whatever the model): loops do not close. Unless the model explains "
        "why, "
        "the order depends on which trials are believed. nma.checks.loops says where, "
        "nma.checks.node_splitting what remains under this model."
    )
    return [said]
