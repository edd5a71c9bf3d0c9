"""Ranks and what is said about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma import graph
from nma.errors import ModelError
from nma.estimates import (
    attributes,
    captioned,
    is_credible,
    located,
    prior_driven,
    replicate_error,
    require_level,
)
from nma.tables import Table

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from nma.posterior import Posterior
    from nma.problem import Moments

__all__ = ["p_best", "p_scores", "rank_probabilities", "ranks", "sucra"]

WEAK_HIERARCHY = 0.5
"""POTH below which a hierarchy is called weak."""


OVER_TAU = "Tau has a posterior: this is the mean of P-scores over it, which is the SUCRA."
"""What a P-score is where tau is not known."""


def _badness(posterior: Posterior) -> NDArray[np.float64]:
    """Return levels such that less is better, (chain, draw, treatment)."""
    levels = posterior.draws.values["beta"].to_numpy() @ posterior.levels.T
    return levels if posterior.network.better == "lower" else -levels


def ranks(posterior: Posterior) -> xr.DataArray:
    """Return the rank of every treatment in every draw; 1 is best, ties take mid-ranks.

    Reversing ``better`` mirrors the ranks exactly.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.

    Returns
    -------
    DataArray, (chain, draw, treatment)

    Raises
    ------
    ModelError
        If the structure gives no level outside a trial.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> nma.ranks(posterior).sizes["treatment"]
    4
    """
    import xarray as xr
    from scipy.stats import rankdata

    values = posterior.draws.values
    levels = xr.DataArray(
        _badness(posterior),
        dims=("chain", "draw", "treatment"),
        coords={
            "chain": values["chain"],
            "draw": values["draw"],
            "treatment": list(posterior.treatments),
        },
        name="rank",
    )
    ranked: xr.DataArray = xr.apply_ufunc(
        rankdata,
        levels,
        kwargs={"axis": -1},
        input_core_dims=[["treatment"]],
        output_core_dims=[["treatment"]],
    )
    return ranked.assign_attrs(attributes(posterior))


def rank_probabilities(posterior: Posterior) -> Table:
    """Return the probability of every rank for every treatment.

    Rows and columns each sum to one: treatments that tie in a draw share its ranks equally.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.

    Returns
    -------
    Table
        Rows: treatments. Columns: ranks from 1, the best. ``attrs["mcse"]`` holds the Monte
        Carlo standard errors in the same shape.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> nma.rank_probabilities(posterior).sum(axis=1).round(6).tolist()
    [1.0, 1.0, 1.0, 1.0]

    References
    ----------
    Salanti et al. 2011, doi:10.1016/j.jclinepi.2010.03.016.
    """
    mass = _rank_mass(_badness(posterior))
    names = pd.Index(posterior.treatments, name="treatment")
    columns = pd.RangeIndex(1, len(names) + 1, name="rank")
    errors = replicate_error(mass[:, None])
    table = Table(
        mass.mean(axis=0),
        index=names,
        columns=columns,
        caption=_caption(posterior, "Probability of each rank; 1 is best"),
        notes=[f"Monte Carlo standard error at most {np.max(errors):.1g}.", *_untold(posterior)],
        probabilities=list(columns),
    )
    table.attrs["mcse"] = errors.tolist()
    return table


def _rank_mass(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean mass of each rank in each chain, (chain, treatment, rank)."""
    from scipy.stats import rankdata

    best = rankdata(levels, method="min", axis=-1)
    worst = rankdata(levels, method="max", axis=-1)
    share = 1 / (worst - best + 1)
    mass = [
        np.where((best <= rank) & (rank <= worst), share, 0.0).mean(axis=1)
        for rank in range(1, levels.shape[-1] + 1)
    ]
    return np.stack(mass, axis=-1)


def p_best(posterior: Posterior) -> Table:
    """Return the probability that each treatment is the best of all.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.

    Returns
    -------
    Table
        By treatment: ``p_best`` and its Monte Carlo standard error ``mcse``.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> nma.p_best(posterior)["p_best"].idxmax()
    'multimodal care'
    """
    first = rank_probabilities(posterior)
    return Table(
        {"p_best": first[1], "mcse": [row[0] for row in first.attrs["mcse"]]},
        caption=_caption(posterior, "Probability of being the best"),
        notes=[
            "A treatment with little evidence can be best by its uncertainty alone.",
            *_untold(posterior),
        ],
        digits={"mcse": 4},
        probabilities=["p_best"],
    )


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
    _require_two(posterior)
    share, errors = _wins(posterior)
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
        caption=_caption(posterior, f"SUCRA and ranks with {100 * level:g}% intervals; 1 is best"),
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
    _require_two(posterior)
    moments = posterior.draws.moments
    if moments is None:
        message = (
            f"{type(posterior.engine).__name__} gives draws, and P-scores are made of means and "
            "covariances: use nma.sucra, or fit with nma.engines.LeastSquares()."
        )
        raise ModelError(message)
    share = _exact_wins(moments, posterior.levels, posterior.network.better)
    _require_determined(posterior, share)
    scores = pd.Series(share, pd.Index(posterior.treatments, name="treatment"))
    poth = _poth(share)
    known = len(moments.weight) == 1
    said = "At this tau the P-score equals SUCRA." if known else OVER_TAU
    result = Table(
        {"p_score": scores.sort_values(ascending=False, kind="stable")},
        caption=_caption(posterior, "P-score: mean certainty of being better than another"),
        notes=[said, *_cautions(posterior, poth)],
    )
    result.attrs["poth"] = poth
    return result


def _require_two(posterior: Posterior) -> None:
    if len(posterior.treatments) == 1:
        message = f"{posterior.treatments[0]!r} alone cannot be ranked: ask about two or more."
        raise ModelError(message)


def _require_determined(posterior: Posterior, share: NDArray[np.float64]) -> None:
    """Refuse to rank treatments that no trials, directly or together, compare."""
    if np.isfinite(share).all():
        return
    names = zip(posterior.treatments, np.isfinite(share), strict=True)
    listed = ", ".join(repr(name) for name, known in names if not known)
    message = (
        f"No trials, directly or together, compare {listed} with all the others, so there is no "
        "order: rank treatments that are connected, with nma.at(posterior, treatments=[...])."
    )
    raise ModelError(message)


def _poth(share: NDArray[np.float64]) -> float:
    """Return the precision of the treatment hierarchy."""
    count = len(share)
    return 12 * (count - 1) / (count + 1) * float(np.var(share))


def _wins(posterior: Posterior) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return SUCRA and its Monte Carlo standard error, (treatment,)."""
    count = len(posterior.treatments)
    moments = posterior.draws.moments
    if moments is None:
        drawn = ranks(posterior).to_numpy()
        share = (count - drawn.mean(axis=(0, 1))) / (count - 1)
        return share, replicate_error(drawn) / (count - 1)
    share = _exact_wins(moments, posterior.levels, posterior.network.better)
    _require_determined(posterior, share)
    return share, np.zeros(count)


def _exact_wins(moments: Moments, levels: NDArray[np.float64], better: str) -> NDArray[np.float64]:
    count = len(levels)
    first, second = np.triu_indices(count, k=1)
    below = moments.differences(levels, first, second).below(0.0)
    wins = below if better == "lower" else 1 - below
    beats = np.zeros((count, count))
    beats[first, second], beats[second, first] = wins, 1 - wins
    return np.asarray(beats.sum(axis=1) / (count - 1))


def _caption(posterior: Posterior, text: str) -> str:
    network = posterior.network
    of = "" if is_credible(posterior) else "; sampling distribution of the estimates"
    said = f"{text} ({network.measure}, {network.better} is better{of})."
    return captioned(posterior, located(posterior, said))


def _cautions(posterior: Posterior, poth: float) -> list[str]:
    network = posterior.network
    notes = _untold(posterior)
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


def _untold(posterior: Posterior) -> list[str]:
    """Return which ranks something else than the trials tells."""
    found = prior_driven(posterior)
    return [*found, "So do ranks, of them and against them."] if found else []
