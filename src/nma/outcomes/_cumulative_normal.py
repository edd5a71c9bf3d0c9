"""Normal contrasts from ordered categories: maximum likelihood, one trial at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, final

import numpy as np

from nma.arrays import sigmoid
from nma.errors import ModelError
from nma.links import LINKS, PROBIT, Link
from nma.outcomes._events import listed
from nma.problem import Contrasts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.outcomes._categories import Categories

__all__ = ["LATENT", "Latent", "contrasts", "maximum_likelihood", "notices"]

READ_AS_NORMAL = (
    "{measure} by the normal approximation: maximum likelihood and expected information of each "
    "trial, its cut-points free."
)
JOINED = "Categories that not all arms tell were joined to the one below in {studies}."
CORRECTED = (
    "0.5 was added to every cell of {studies}: an arm could be any distance from the others."
)
ASIDE = (
    "Set aside from the contrasts: {studies}; all people are in one category that all arms tell."
)

STEPS = 100
"""Steps of Fisher scoring that are taken at most; ten are many."""


class Latent(NamedTuple):
    """A latent scale: the link that has its quantiles and distribution function, its density."""

    link: Link
    density: Callable[[Any], Any]


def _normal_density(x: Any) -> Any:
    return np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)


def _logistic_density(x: Any) -> Any:
    return sigmoid(x) * sigmoid(-x)


LATENT: Mapping[str, Latent] = {
    "SMD": Latent(PROBIT, _normal_density),
    "OR": Latent(LINKS["OR"], _logistic_density),
}
"""For each measure its latent scale."""


@final
@dataclass(frozen=True, eq=False)
class _Reading:
    """The cells of one trial as the approximation reads them.

    Parameters
    ----------
    study : str
        The trial.
    rows : array of int, (arm,)
        Positions of its arms.
    cells : array, (arm, cell)
        People in the categories that all arms tell and somebody is in, corrected or not; one
        cell where nothing can be told.
    joined, corrected : bool
        Whether categories were joined because not all arms tell them, and whether half a person
        was added to every cell.
    """

    study: str
    rows: NDArray[np.int64]
    cells: NDArray[np.float64]
    joined: bool
    corrected: bool

    @property
    def informative(self) -> bool:
        """Whether the arms can be told apart."""
        return bool(self.cells.shape[1] > 1)


def _readings(categories: Categories) -> Iterator[_Reading]:
    """Yield the trials in their order."""
    for trial in range(categories.trial.max() + 1):
        rows = np.flatnonzero(categories.trial == trial)
        shared = categories.told[rows].all(axis=0)
        level = np.column_stack([categories.people[rows], categories.at_least[rows][:, shared]])
        cells = -np.diff(level, axis=1, append=0.0)
        cells = cells[:, cells.any(axis=0)]
        half = 0.5 * (cells.shape[1] > 1 and not _has_maximum(cells))
        yield _Reading(
            study=str(categories.rows["study"].iloc[rows[0]]),
            rows=rows,
            cells=cells + half,
            joined=bool((categories.told[rows].any(axis=0) & ~shared).any()),
            corrected=half > 0,
        )


def _has_maximum(cells: NDArray[np.float64]) -> bool:
    """Return whether the likelihood has a maximum: no arms can drift away from the others.

    An arm with people on both sides of a cut-point holds it; where it holds two neighbours it
    ties them. All cut-points must be tied, and no arm be wholly in the lowest or highest cell.
    """
    below = np.cumsum(cells, axis=1)[:, :-1] > 0
    above = np.cumsum(cells[:, ::-1], axis=1)[:, ::-1][:, 1:] > 0
    holds = below & above
    held = holds.any(axis=0).all()
    tied = (holds[:, 1:] & holds[:, :-1]).any(axis=0).all()
    at_an_end = (~below).all(axis=1).any() or (~above).all(axis=1).any()
    return bool(held and tied and not at_an_end)


def contrasts(
    categories: Categories, arms: NDArray[np.int64], latent: Latent
) -> tuple[Contrasts, ...]:
    """Return the differences within trials, the largest arm of each first.

    Parameters
    ----------
    categories : Categories
        The arms.
    arms : array of int, (row,)
        Position of each among all arms.
    latent : Latent
        The latent scale.
    """
    told: dict[int, list[tuple[Any, Any, Any]]] = {}
    for reading in _readings(categories):
        if reading.informative:
            order = np.argsort(-reading.cells.sum(axis=1), kind="stable")
            level, covariance = maximum_likelihood(reading.cells[order], latent)
            against = np.column_stack([-np.ones(len(order) - 1), np.eye(len(order) - 1)])
            found = (arms[reading.rows[order]], against @ level, against @ covariance @ against.T)
            told.setdefault(len(order), []).append(found)
    stacked = (
        [np.stack(values) for values in zip(*told[size], strict=True)] for size in sorted(told)
    )
    return tuple(Contrasts(placed, y, V) for placed, y, V in stacked)


def notices(categories: Categories, measure: str) -> list[str]:
    """Return what the approximation did to which trials."""
    read = list(_readings(categories))
    found = [READ_AS_NORMAL.format(measure=measure)]
    for here, said in (
        ([r for r in read if r.informative and r.joined], JOINED),
        ([r for r in read if r.corrected], CORRECTED),
        ([r for r in read if not r.informative], ASIDE),
    ):
        if here:
            found.append(said.format(studies=listed([reading.study for reading in here])))
    return found


def maximum_likelihood(
    cells: NDArray[np.float64], latent: Latent
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Return the levels of the arms and their covariance, the trial's cut-points free.

    .. math:: I = \sum_k n_k \sum_c \nabla p_{kc} \nabla p_{kc}' / p_{kc}

    is the information of levels and cut-points together; the covariance is the levels' part of
    its inverse. Both likelihoods are log-concave, so the maximum is the only one.

    Parameters
    ----------
    cells : array, (arm, cell)
        People; the likelihood must have a maximum.
    latent : Latent
        The latent scale.

    Raises
    ------
    ModelError
        If rounding keeps the maximum from being found.
    """
    arms = len(cells)
    shares = cells.sum(axis=0) + 0.5
    start = latent.link.link(np.cumsum(shares[::-1])[::-1][1:] / shares.sum())
    at = np.r_[np.full(arms, start[0]), start[0] - start[1:]]
    height, score, information = _evaluated(cells, latent, at)
    for _ in range(STEPS):
        step = np.linalg.solve(information, score)
        while _height(cells, latent, at + step) < height and np.abs(step).max() > 1e-12:
            step = step / 2
        at = at + step
        height, score, information = _evaluated(cells, latent, at)
        if np.abs(step).max() < 1e-10:
            return np.asarray(at[:arms]), np.asarray(np.linalg.inv(information)[:arms, :arms])
    message = "The normal approximation of a trial did not settle: use its own likelihood."
    raise ModelError(message)


def _probabilities(latent: Latent, at: NDArray[np.float64], arms: int) -> Any:
    """Return latent positions, (arm, cut-point), and cell probabilities, (arm, cell)."""
    x = at[:arms, None] - np.r_[0.0, at[arms:]]
    above = np.column_stack([np.ones(arms), latent.link.inverse(x), np.zeros(arms)])
    return x, -np.diff(above, axis=1)


def _height(cells: NDArray[np.float64], latent: Latent, at: NDArray[np.float64]) -> float:
    _, p = _probabilities(latent, at, len(cells))
    if (p <= 0).any():
        return -np.inf
    return float((cells * np.log(p)).sum())


def _evaluated(
    cells: NDArray[np.float64], latent: Latent, at: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Return the log likelihood, its gradient and the expected information."""
    arms, cuts = len(cells), cells.shape[1] - 1
    x, p = _probabilities(latent, at, arms)
    f = latent.density(x)
    slope = np.zeros((arms, cuts + 1, arms + cuts))
    for cut in range(cuts):
        for cell, sign in ((cut, -1.0), (cut + 1, 1.0)):
            slope[np.arange(arms), cell, np.arange(arms)] += sign * f[:, cut]
            slope[:, cell, arms + cut] -= sign * f[:, cut]
    slope = np.delete(slope, arms, axis=2)  # the first cut-point is zero
    score = np.einsum("kc,kcp->p", cells / p, slope)
    weight = cells.sum(axis=1)[:, None] / p
    information = np.einsum("kc,kcp,kcq->pq", weight, slope, slope)
    return _height(cells, latent, at), score, information
