"""Hierarchies: SUCRA and its kin, and when an order is not to be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma import graph
from nma.errors import ModelError
from nma.estimates import require_level
from nma.ranking import (
    exact_shares,
    rank_caption,
    ranks,
    require_determined,
    require_two,
    shares,
    untold_ranks,
)
from nma.tables import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior

__all__ = ["p_scores", "sucra"]

WEAK_HIERARCHY = 0.5
"""POTH below which a hierarchy is called weak."""

OVER_TAU = "Tau has a posterior: this is the mean of P-scores over it, which is the SUCRA."
"""What a P-score is where tau is not known."""


def sucra(posterior: Posterior, *, level: float = 0.95) -> Table:
    r"""Return SUCRA and its kin: the surface under the cumulative ranking curve.

    .. math:: \mathrm{SUCRA}_j = \frac{T - E[\mathrm{rank}_j]}{T - 1}
              = \frac{1}{T - 1} \sum_{k \ne j} P(j \text{ better than } k)

    The right-hand side is exact where the posterior has moments. The mean SUCRA is 1/2.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    level : float, default 0.95
        Probability of the interval of ranks.

    Returns
    -------
    Table
        By treatment, best first: ``sucra``, its Monte Carlo standard error ``mcse`` (zero where
        exact), ``mean_rank``, and the interval of ranks ``rank_lower`` to ``rank_upper``. Notes
        warn where the hierarchy is weak or hangs on little; ``attrs["poth"]`` is the precision
        of the treatment hierarchy.

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
    require_level(level)
    share, errors = shares(posterior)
    count = len(share)
    drawn = ranks(posterior).to_numpy().reshape(-1, count)
    lower, upper = np.quantile(
        drawn, [(1 - level) / 2, (1 + level) / 2], axis=0, method="inverted_cdf"
    )
    table = pd.DataFrame(
        {
            "sucra": share,
            "mcse": errors,
            "mean_rank": count - (count - 1) * share,
            "rank_lower": lower,
            "rank_upper": upper,
        },
        index=pd.Index(posterior.treatments, name="treatment"),
    ).sort_values("sucra", ascending=False, kind="stable")
    poth = _poth(share)
    result = Table(
        table,
        caption=rank_caption(
            posterior, f"SUCRA and ranks with {100 * level:g}% intervals; 1 is best"
        ),
        notes=_cautions(posterior, poth),
        digits={"mcse": 4, "rank_lower": 0, "rank_upper": 0},
    )
    result.attrs["poth"] = poth
    return result


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
    require_two(posterior)
    moments = posterior.draws.moments
    if moments is None:
        message = (
            f"{type(posterior.engine).__name__} gives draws, and P-scores are made of means and "
            "covariances: use nma.sucra, or fit with nma.engines.LeastSquares()."
        )
        raise ModelError(message)
    share = exact_shares(moments, posterior.levels, posterior.network.better)
    require_determined(posterior, share)
    scores = pd.Series(share, pd.Index(posterior.treatments, name="treatment"))
    poth = _poth(share)
    known = len(moments.weight) == 1
    said = "At this tau the P-score equals SUCRA." if known else OVER_TAU
    result = Table(
        {"p_score": scores.sort_values(ascending=False, kind="stable")},
        caption=rank_caption(posterior, "P-score: mean certainty of being better than another"),
        notes=[said, *_cautions(posterior, poth)],
    )
    result.attrs["poth"] = poth
    return result


def _poth(share: NDArray[np.float64]) -> float:
    """Return the precision of the treatment hierarchy."""
    count = len(share)
    return 12 * (count - 1) / (count + 1) * float(np.var(share))


def _cautions(posterior: Posterior, poth: float) -> list[str]:
    network = posterior.network
    notes = untold_ranks(posterior)
    notes.append(f"Precision of the treatment hierarchy (POTH) {poth:.2f}, between 0 and 1.")
    if poth < WEAK_HIERARCHY:
        notes.append("The hierarchy is weak: the data hardly tell the treatments apart.")
    if graph.is_star(network.graph):
        notes.append(
            "The network is a star: all comparisons between the others are indirect and "
            "cannot be checked."
        )
    lonely = set(graph.bridges(network.graph)) & set(graph.single_trial_edges(network.graph))
    notes += [
        f"{a} and {b}: the hierarchy hangs on the one trial that joins them."
        for a, b in sorted(lonely)
    ]
    return notes
