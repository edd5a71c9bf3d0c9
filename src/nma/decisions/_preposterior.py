"""What a proposed trial would tell: exact given the scales, mixed over their posterior."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np

from nma.engines._sobol import sobol
from nma.estimates import replicate_error
from nma.threads import one_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.decisions._proposal import Proposal
    from nma.posterior import Posterior

__all__ = ["Gain", "Given", "Number", "expected_maximum", "given"]

CHAINS = 8
"""Replicates of draws of what three arms or more could tell."""

DRAWS, LEAST = 2048, 16
"""Draws in a replicate, about, and of each node at least."""

BUDGET = 2_000_000
"""Numbers held at once while draws are followed (16 MB)."""

STRATA = 16
"""Parts into which draws are cut along tau where the posterior has no moments."""

SINGULAR = 1e-12
"""Share of the largest eigenvalue below which an observation is one that others give."""


class Number(NamedTuple):
    """A number and its Monte Carlo standard error."""

    value: float
    mcse: float


@final
@dataclass(frozen=True, eq=False)
class Given:
    """The posterior as a mixture of normals, one for each value of the scales.

    Parameters
    ----------
    weight : array, (node,)
        Sums to one.
    scales : mapping of str to array, (node,)
        The scales at each node.
    mean : array, (node, parameter)
    covariance : array, (node, parameter, parameter)
    levels : array, (treatment, parameter)
        Of the treatments to choose from.
    sign : float
        Minus one where lower is better.
    notes : tuple of str
        What the reader must know.
    """

    weight: NDArray[np.float64]
    scales: Mapping[str, NDArray[np.float64]]
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    levels: NDArray[np.float64]
    sign: float
    notes: tuple[str, ...] = ()

    @cached_property
    def means(self) -> NDArray[np.float64]:
        """Means of the treatments, more is better, (node, treatment)."""
        return self.sign * (self.mean @ self.levels.T)

    @cached_property
    def variance(self) -> NDArray[np.float64]:
        """Variance of every difference, (treatment, treatment)."""
        with one_thread():
            between = np.tensordot(self.weight, self.covariance, axes=1)
        inner = self.levels @ between @ self.levels.T
        apart = self.means - self.weight @ self.means
        inner = inner + np.einsum("g,gj,gk->jk", self.weight, apart, apart)
        own = np.diagonal(inner)
        return np.asarray(np.maximum(own[:, None] + own - 2 * inner, 0.0))

    def gain(self, trial: Proposal, *, endless: bool = False) -> Gain:
        """Return what a trial would tell.

        Parameters
        ----------
        trial : Proposal
            The trial.
        endless : bool
            Whether its arms have ever more people: sampling error is nil, heterogeneity stays.
        """
        X = trial.X
        told = trial.heterogeneity(self.scales) + (0.0 if endless else trial.V)
        with one_thread():
            across = self.covariance @ X.T
            values, axes = np.linalg.eigh(X @ across + told)
            told_apart = values > SINGULAR * values[:, -1:]
            root = np.where(told_apart, 1 / np.sqrt(np.where(told_apart, values, 1.0)), 0.0)
            moves = self.levels @ across @ (axes * root[:, None, :])
        return Gain(self, self.sign * moves)


@final
@dataclass(frozen=True, eq=False)
class Gain:
    """What a trial would tell: how posterior means would move.

    Parameters
    ----------
    given : Given
        What is known now.
    moves : array, (node, treatment, arm - 1)
        Posterior means after the trial are those now plus this times standard normals.
    """

    given: Given
    moves: NDArray[np.float64]

    @cached_property
    def removed(self) -> NDArray[np.float64]:
        """By how much the variance of every difference shrinks, (treatment, treatment)."""
        inner = np.einsum("g,gjr,gkr->jk", self.given.weight, self.moves, self.moves)
        own = np.diagonal(inner)
        return np.asarray(np.maximum(own[:, None] + own - 2 * inner, 0.0))

    @cached_property
    def sd(self) -> NDArray[np.float64]:
        """Root of the expected variance of every difference after the trial."""
        return np.asarray(np.sqrt(np.maximum(self.given.variance - self.removed, 0.0)))

    def value(self, seed: int) -> Number:
        """Return by how much the expected loss falls: exact for two arms, else by draws."""
        weight, means = self.given.weight, self.given.means
        count = self.moves.shape[-1] - 1
        if count == 0:
            return Number(float(weight @ expected_maximum(means, self.moves[..., 0])), 0.0)
        z = _normals(count, len(weight), seed)
        step = max(1, BUDGET // (CHAINS * z.shape[2] * means.shape[1]))
        total = np.zeros(CHAINS)
        for first in range(0, len(weight), step):
            part = slice(first, first + step)
            total += self._falls(part, z[:, part]) @ weight[part]
        return Number(float(total.mean()), float(replicate_error(total[:, None])))

    def _falls(self, part: slice, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return by how much the loss falls at some nodes, (chain, node); z (..., draw, arm - 2).

        One direction is integrated exactly, given what is drawn of the others.
        """
        means, moves = self.given.means[part], self.moves[part]
        level = means[:, None] + z @ np.swapaxes(moves[..., 1:], 1, 2)
        slope = np.broadcast_to(moves[:, None, :, 0], level.shape)
        best = np.broadcast_to(means.argmax(axis=1)[:, None, None], (*level.shape[:-1], 1))
        shifted = level.max(axis=-1) - np.take_along_axis(level, best, axis=-1)[..., 0]
        lines = level.shape[-1]
        more = expected_maximum(level.reshape(-1, lines), slope.reshape(-1, lines))
        return np.asarray((shifted + more.reshape(shifted.shape)).mean(axis=-1))


def _normals(count: int, nodes: int, seed: int) -> NDArray[np.float64]:
    """Return standard normals, other ones for each node, (chain, node, draw, count)."""
    from scipy.special import ndtri

    draws = max(LEAST, 1 << math.ceil(math.log2(DRAWS / nodes))) if nodes < DRAWS else LEAST
    uniforms = sobol(count, chains=CHAINS, draws=nodes * draws, seed=seed)
    return np.asarray(ndtri(uniforms).reshape(CHAINS, nodes, draws, count))


def expected_maximum(level: NDArray[np.float64], slope: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Return E max_k (a_k + b_k Z) - max_k a_k with Z standard normal, (case,), exactly.

    The upper envelope of the lines is followed from the least slope upward; with its kinks at
    :math:`c_i` the answer is :math:`\sum_i (b_{i+1} - b_i) f(-|c_i|)`, where
    :math:`f(z) = \phi(z) + z \Phi(z)` (Frazier, Powell and Dayanik 2009).

    Parameters
    ----------
    level, slope : array, (case, line)
        a and b.
    """
    case = np.arange(len(level))
    flattest = slope == slope.min(axis=1, keepdims=True)
    here = np.where(flattest, level, -np.inf).argmax(axis=1)
    total = np.zeros(len(level))
    while True:
        rise = slope - slope[case, here][:, None]
        goes_on = (rise > 0).any(axis=1)
        if not goes_on.any():
            return total
        fall = level[case, here][:, None] - level
        kink = np.where(rise > 0, fall / np.where(rise > 0, rise, 1.0), np.inf)
        first = kink.min(axis=1)
        there = np.where(kink == first[:, None], slope, -np.inf).argmax(axis=1)
        added = rise[case, there] * _beyond(np.where(goes_on, first, 0.0))
        total += np.where(goes_on, added, 0.0)
        here = np.where(goes_on, there, here)


def _beyond(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return E max(Z - |z|, 0)."""
    from scipy.special import ndtr

    far = np.abs(z)
    density = np.exp(-0.5 * far**2) / np.sqrt(2 * np.pi)
    return np.asarray(np.maximum(density - far * ndtr(-far), 0.0))


def given(posterior: Posterior) -> Given:
    """Return a posterior given its scales: from its moments, or by parts of its draws.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    """
    sign = -1.0 if posterior.network.better == "lower" else 1.0
    moments = posterior.draws.moments
    if moments is not None:
        return Given(
            np.asarray(moments.weight),
            moments.scales,
            moments.mean,
            moments.covariance,
            posterior.levels,
            sign,
        )
    return _from_draws(posterior, sign)


def _from_draws(posterior: Posterior, sign: float) -> Given:
    """Return normals fitted to parts of the draws, cut along the first scale of the arms."""
    values = posterior.draws.values
    beta = values["beta"].to_numpy()
    beta = beta.reshape(-1, beta.shape[-1])
    names = dict.fromkeys(effect.scale for effect in posterior.problem.effects)
    scales = {name: values[name].to_numpy().ravel() for name in names}
    order = np.argsort(next(iter(scales.values()))) if scales else np.arange(len(beta))
    parts = max(1, min(STRATA if scales else 1, len(beta) // (20 * (beta.shape[1] + 1))))
    cut = np.array_split(order, parts)
    covariance = [np.atleast_2d(np.cov(beta[part], rowvar=False)) for part in cut]
    note = (
        f"{type(posterior.engine).__name__} gives draws: given tau the effects are taken as "
        f"normal, with means and covariances of {parts} part{'s' * (parts > 1)} of the draws"
        f"{' along tau' * (parts > 1)}."
    )
    return Given(
        weight=np.array([len(part) for part in cut]) / len(beta),
        scales={n: np.array([np.sqrt(np.mean(s[p] ** 2)) for p in cut]) for n, s in scales.items()},
        mean=np.stack([beta[part].mean(axis=0) for part in cut]),
        covariance=np.stack(covariance),
        levels=posterior.levels,
        sign=sign,
        notes=(note,),
    )
