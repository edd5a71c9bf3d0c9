"""Whole orders of treatments, and how probable the most probable ones are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma.errors import ModelError
from nma.estimates import replicate_error
from nma.hierarchy import doubts
from nma.posterior import require_posterior
from nma.ranking import badness, rank_caption, require_two, untold_ranks
from nma.tables import Table, probability

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior

__all__ = ["hierarchies"]

WHOLE = 6
"""Treatments up to which whole orders are told unless asked otherwise."""

FEW = 3
"""Places that are told of longer ones."""


def hierarchies(posterior: Posterior, *, most: int = 10, top: int | None = None) -> Table:
    """Return the most probable hierarchies: orders of the treatments from the best on.

    The probability of an order is that of all its places at once, and so much smaller than that
    of any of its treatments at its place: the most probable order of many treatments is seldom
    probable. Orders seen in no draw are not listed. Treatments that tie in a draw share their
    places, which is an order of its own, ``B = C``. Probabilities of all orders sum to one.
    Reversing ``better`` reverses the order of all treatments and keeps its probability.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    most : int, default 10
        How many to list.
    top : int, optional
        Places from the best to tell, the rest in any order; all of them if not given and there
        are at most 6 treatments, else 3.

    Returns
    -------
    Table
        Most probable first: a column for each place, from 1, the best, with the treatment that
        has it; ``probability`` and its Monte Carlo standard error ``mcse``. ``attrs["orders"]``
        is how many were seen, ``attrs["rest"]`` the probability of those not listed.

    Raises
    ------
    ModelError
        If there is one treatment alone, the structure gives no level outside a trial, or ``most``
        or ``top`` is no count of what there is.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> first = nma.hierarchies(posterior).iloc[0]
    >>> print(*first[[1, 2, 3, 4]], sep=" > ")
    multimodal care > standard exercise > individualised exercise > passive control

    References
    ----------
    Papakonstantinou et al. 2021, doi:10.21203/rs.3.rs-858140/v1.
    """
    require_posterior(posterior, "hierarchies")
    require_two(posterior)
    count = len(posterior.treatments)
    places = _places(count, top)
    _require_count("most", most, None)
    levels = badness(posterior)
    kinds, kind = _kinds(levels, places)
    seen = np.stack([np.bincount(chain, minlength=len(kinds)) / chain.size for chain in kind])
    share, errors = seen.mean(axis=0), replicate_error(seen[:, None])
    named = [_named(posterior.treatments, row, places) for row in kinds]
    order = sorted(range(len(kinds)), key=lambda k: (-share[k], _either_way(named[k]), named[k]))
    listed = order[:most]
    table = pd.DataFrame([named[k] for k in listed], columns=range(1, places + 1))
    rest = float(share[order[most:]].sum())
    result = Table(
        table.assign(probability=share[listed], mcse=errors[listed]),
        caption=rank_caption(posterior, _said(places, count)),
        notes=[*_rest(len(kinds), len(listed), rest), *untold_ranks(posterior), *doubts(posterior)],
        digits={"mcse": 4},
        probabilities=["probability"],
    )
    result.index = pd.RangeIndex(1, len(result) + 1, name="hierarchy")
    result.attrs = {"orders": len(kinds), "rest": rest}
    return result


def _places(count: int, top: int | None) -> int:
    if top is None:
        return count if count <= WHOLE else FEW
    _require_count("top", top, count)
    return top


def _require_count(name: str, value: int, most: int | None) -> None:
    """Refuse what is no count of hierarchies or of places."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if whole and value >= 1 and (most is None or value <= most):
        return
    limit = "" if most is None else f" to {most}, the number of treatments"
    message = f"{name}={value!r} is no count: give a whole number from 1{limit}."
    raise ModelError(message)


def _kinds(levels: NDArray[np.float64], places: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the orders that occur, (order, treatment), and which each draw has, (chain, draw).

    An order is the best rank that each treatment shares; 0 for those below the places asked for.
    """
    from scipy.stats import rankdata

    first = rankdata(levels, method="min", axis=-1).astype(np.int64)
    known = np.where(first <= places, first, 0).reshape(-1, levels.shape[-1])
    kinds, kind = np.unique(known, axis=0, return_inverse=True)
    return kinds, kind.reshape(levels.shape[:-1])


def _named(treatments: tuple[str, ...], first: NDArray[np.int64], places: int) -> tuple[str, ...]:
    """Return which treatment has each place; those that share places stand at each of them."""
    found: list[str] = []
    for rank in range(1, places + 1):
        here = [name for name, own in zip(treatments, first, strict=True) if own == rank]
        found += [" = ".join(sorted(here))] * len(here)
    return tuple(found[:places])


def _either_way(named: tuple[str, ...]) -> tuple[str, ...]:
    """Return the same for an order and its reverse, so that neither breaks a tie of the other."""
    return min(named, named[::-1])


def _said(places: int, count: int) -> str:
    part = "" if places == count else f" of the first {places} places"
    return f"Most probable hierarchies{part}, from the best on"


def _rest(orders: int, listed: int, rest: float) -> list[str]:
    """Return how much those not listed hold."""
    if listed == orders:
        return [f"These are all {orders} that the draws show."] if orders > 1 else []
    return [
        f"{listed} of {orders} that the draws show; the others together have {probability(rest)}."
    ]
