"""Ranks: of draws, and the mean certainty of being better."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma.errors import ModelError
from nma.estimates import (
    attributes,
    captioned,
    is_credible,
    located,
    prior_driven,
    replicate_error,
)
from nma.posterior import require_posterior
from nma.tables import Table

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from nma.posterior import Posterior
    from nma.problem import Moments

__all__ = [
    "badness",
    "best_mass",
    "cumulative_ranks",
    "p_best",
    "rank_caption",
    "rank_probabilities",
    "ranks",
    "require_determined",
    "require_two",
    "shares",
    "untold_ranks",
    "wins",
]


def badness(posterior: Posterior) -> NDArray[np.float64]:
    """Return levels such that less is better, (chain, draw, treatment).

    Treatments that the model puts on the same level tie in every draw, to the last bit.

    Raises
    ------
    ModelError
        If the structure gives no level outside a trial.
    """
    once, where = np.unique(posterior.levels, axis=0, return_inverse=True)
    levels = (posterior.draws.values["beta"].to_numpy() @ once.T)[..., where.ravel()]
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
        From 1, the best, to the number of treatments; halves where two tie.

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

    References
    ----------
    Salanti et al. 2011, doi:10.1016/j.jclinepi.2010.03.016.
    """
    require_posterior(posterior, "ranks")
    import xarray as xr
    from scipy.stats import rankdata

    values = posterior.draws.values
    levels = xr.DataArray(
        badness(posterior),
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

    Raises
    ------
    ModelError
        If the structure gives no level outside a trial.

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
    require_posterior(posterior, "rank_probabilities")
    return _by_rank(posterior, _rank_mass(badness(posterior)), "each rank")


def cumulative_ranks(posterior: Posterior) -> Table:
    """Return the probability of every rank or a better one, for every treatment.

    The mean over all ranks but the last is the SUCRA. Reversing ``better`` gives one minus the
    probability of the ranks that remain.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.

    Returns
    -------
    Table
        Rows: treatments. Columns: ranks from 1, the best; the last holds ones. ``attrs["mcse"]``
        holds the Monte Carlo standard errors in the same shape.

    Raises
    ------
    ModelError
        If the structure gives no level outside a trial.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> nma.cumulative_ranks(posterior).loc["multimodal care"].round(2).tolist()
    [0.69, 0.91, 1.0, 1.0]

    References
    ----------
    Salanti et al. 2011, doi:10.1016/j.jclinepi.2010.03.016.
    """
    require_posterior(posterior, "cumulative_ranks")
    mass = _rank_mass(badness(posterior)).cumsum(axis=-1)
    mass[..., -1] = 1.0
    return _by_rank(posterior, mass, "each rank or a better one")


def _by_rank(posterior: Posterior, mass: NDArray[np.float64], what: str) -> Table:
    """Return the mean over chains of a mass of ranks, (chain, treatment, rank)."""
    names = pd.Index(posterior.treatments, name="treatment")
    columns = pd.RangeIndex(1, len(names) + 1, name="rank")
    errors = replicate_error(mass[:, None])
    table = Table(
        mass.mean(axis=0),
        index=names,
        columns=columns,
        caption=rank_caption(posterior, f"Probability of {what}; 1 is best"),
        notes=[
            f"Monte Carlo standard error at most {np.max(errors):.1g}.",
            *untold_ranks(posterior),
        ],
        probabilities=[rank for rank in columns if not (mass[..., rank - 1] == 1).all()],
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

    Raises
    ------
    ModelError
        If the structure gives no level outside a trial.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> nma.p_best(posterior)["p_best"].idxmax()
    'multimodal care'

    References
    ----------
    Salanti et al. 2011, doi:10.1016/j.jclinepi.2010.03.016.
    """
    require_posterior(posterior, "p_best")
    mass = best_mass(badness(posterior))
    return Table(
        {"p_best": mass.mean(axis=0), "mcse": replicate_error(mass[:, None])},
        index=pd.Index(posterior.treatments, name="treatment"),
        caption=rank_caption(posterior, "Probability of being the best"),
        notes=[
            "A treatment with little evidence can be best by its uncertainty alone.",
            *untold_ranks(posterior),
        ],
        digits={"mcse": 4},
        probabilities=["p_best"],
    )


def best_mass(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how often each treatment is the best in each chain, (chain, treatment)."""
    best = levels == levels.min(axis=-1, keepdims=True)
    return np.asarray((best / best.sum(axis=-1, keepdims=True)).mean(axis=1))


def require_two(posterior: Posterior) -> None:
    """Refuse to rank one treatment alone."""
    if len(posterior.treatments) == 1:
        message = f"{posterior.treatments[0]!r} alone cannot be ranked: ask about two or more."
        raise ModelError(message)


def require_determined(posterior: Posterior, share: NDArray[np.float64]) -> None:
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


def shares(posterior: Posterior) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return SUCRA and its Monte Carlo standard error, (treatment,).

    Raises
    ------
    ModelError
        If there is one treatment alone, or the trials leave a comparison undetermined.
    """
    require_two(posterior)
    count = len(posterior.treatments)
    moments = posterior.draws.moments
    if moments is None:
        drawn = ranks(posterior).to_numpy()
        share = (count - drawn.mean(axis=(0, 1))) / (count - 1)
        return share, replicate_error(drawn) / (count - 1)
    share = _exact_wins(posterior, moments).sum(axis=1) / (count - 1)
    require_determined(posterior, share)
    return share, np.zeros(count)


def wins(posterior: Posterior) -> NDArray[np.float64]:
    """Return the probability that one treatment is better than another, (chain, one, other).

    Exact and in one chain where the posterior has moments, else by chain; ties count half, and
    nothing beats itself.

    Raises
    ------
    ModelError
        If the trials leave a comparison undetermined.
    """
    if posterior.draws.moments is not None:
        found = _exact_wins(posterior, posterior.draws.moments)
        require_determined(posterior, found.sum(axis=1))
        return found[None]
    levels = badness(posterior)
    each = [_beaten(levels, k) for k in range(levels.shape[-1])]
    return np.stack(each, axis=1)


def _beaten(levels: NDArray[np.float64], place: int) -> NDArray[np.float64]:
    """Return how often one treatment is better than each other, (chain, other)."""
    own = levels[..., place : place + 1]
    found = (own < levels).mean(axis=1) + (own == levels).mean(axis=1) / 2
    found[:, place] = 0.0
    return np.asarray(found)


def _exact_wins(posterior: Posterior, moments: Moments) -> NDArray[np.float64]:
    levels = posterior.levels
    count = len(levels)
    first, second = np.triu_indices(count, k=1)
    below = moments.differences(levels, first, second).below(0.0)
    better = below if posterior.network.better == "lower" else 1 - below
    found = np.zeros((count, count))
    found[first, second], found[second, first] = better, 1 - better
    return found


def rank_caption(posterior: Posterior, text: str) -> str:
    """Return a caption of ranks: measure, direction, and what the draws are of."""
    network = posterior.network
    of = "" if is_credible(posterior) else "; sampling distribution of the estimates"
    said = f"{text} ({network.measure}, {network.better} is better{of})."
    return captioned(posterior, located(posterior, said))


def untold_ranks(posterior: Posterior) -> list[str]:
    """Return which ranks something else than the trials tells."""
    found = prior_driven(posterior)
    return [*found, "So do ranks, of them and against them."] if found else []
