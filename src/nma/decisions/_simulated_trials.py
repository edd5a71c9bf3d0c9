"""Trials that could come, each added to the evidence and fitted with it exactly."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np
import pandas as pd

from nma.decisions._preposterior import Number
from nma.errors import ModelError, shown
from nma.new_trial import generator
from nma.problem import ArmEffect, Contrasts, Problem
from nma.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nma.decisions._preposterior import Given
    from nma.decisions._proposal import Proposal
    from nma.posterior import Posterior
    from nma.protocols import Engine
    from nma.refits import Executor

__all__ = ["Simulated", "simulated"]


class _Answer(NamedTuple):
    """What one trial led to."""

    means: NDArray[np.float64]
    variance: NDArray[np.float64]
    scales: NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Simulated:
    """What simulated trials led to.

    Parameters
    ----------
    means : array, (trial, treatment)
        Posterior means after each, more is better.
    variance : array, (trial, treatment, treatment)
        Posterior variance of every difference after each.
    scales : array, (trial, scale)
        Posterior standard deviations of the scales after each.
    at_tau : array, (trial,)
        By how much each would lower the expected loss were the tau known that it was drawn at.
    """

    means: NDArray[np.float64]
    variance: NDArray[np.float64]
    scales: NDArray[np.float64]
    at_tau: NDArray[np.float64]

    def value(self, now: NDArray[np.float64], at_tau: Number) -> Number:
        """Return by how much the expected loss falls, and its Monte Carlo standard error.

        That at known tau is known exactly, and only the difference to it is simulated. Where no
        trial changed the choice nothing tells how wrong the answer is: the error is NaN.

        Parameters
        ----------
        now : array, (treatment,)
            Posterior means before the trial, more is better.
        at_tau : Number
            The value at known tau, averaged over its posterior.
        """
        falls = self.means.max(axis=1) - self.means[:, now.argmax()]
        mean, error = averaged(falls - self.at_tau)
        told = bool(falls.any() or self.at_tau.any())
        mcse = float(np.hypot(error, at_tau.mcse)) if told else np.nan
        return Number(at_tau.value + mean, mcse)

    @property
    def sd(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Root of the expected variance of every difference, and its Monte Carlo error."""
        sd = np.sqrt(self.variance.mean(axis=0))
        error = self.variance.std(axis=0, ddof=1) / np.sqrt(len(self.variance))
        return sd, error / (2 * np.where(sd > 0, sd, 1.0))


def averaged(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean of independent values and its Monte Carlo standard error."""
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def simulated(
    posterior: Posterior,
    now: Given,
    trial: Proposal,
    *,
    simulations: int,
    seed: int,
    executor: Executor | None,
) -> Simulated:
    """Return what trials drawn from the posterior predictive distribution lead to.

    Parameters
    ----------
    posterior : Posterior
        An exact one.
    now : Given
        The same, given its scales.
    trial : Proposal
        The trial.
    simulations : int
        How many are drawn.
    seed : int
        The same seed gives the same trials.
    executor : Executor, optional
        Where to fit; here if not given.

    Raises
    ------
    ModelError
        If the posterior is not exact, or the simulations are too few.
    """
    _require_exact(posterior)
    _require_count(simulations)
    job = _Refit(posterior.engine, posterior.problem, trial, now.levels, now.sign)
    nodes, results = _drawn(now, trial, simulations, generator(seed, purpose=9))
    found = list(map(job, results) if executor is None else executor.map(job, results))
    means, variance, scales = (np.stack(column) for column in zip(*found, strict=True))
    return Simulated(means, variance, scales, _at_tau(now, trial, nodes, np.stack(results)))


def _require_exact(posterior: Posterior) -> None:
    if posterior.draws.moments is None:
        message = (
            "learn_tau=True fits every simulated trial exactly, and "
            f"{type(posterior.engine).__name__} gives draws: fit network.as_normal() "
            "with nma.engines.Gaussian()."
        )
        raise ModelError(message)


def _require_count(simulations: int) -> None:
    whole = isinstance(simulations, int | np.integer) and not isinstance(simulations, bool)
    if not whole or simulations < 2:
        message = f"simulations={shown(simulations)}: give a whole number of 2 or more, as in 200."
        raise ModelError(message)


def _drawn(
    now: Given, trial: Proposal, count: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], list[NDArray[np.float64]]]:
    """Return nodes, and what trials drawn at them observe: the later arms minus the first."""
    nodes = rng.choice(len(now.weight), size=count, p=now.weight / now.weight.sum())
    mean = now.mean[nodes] @ trial.X.T
    z = rng.standard_normal(mean.shape)
    turn = np.linalg.cholesky(_spread(now, trial))[nodes]
    return nodes, list(mean + np.einsum("sjk,sk->sj", turn, z))


def _spread(now: Given, trial: Proposal) -> NDArray[np.float64]:
    """Return the covariance of what a trial observes at every node."""
    X = trial.X
    return np.asarray(X @ now.covariance @ X.T + trial.V + trial.heterogeneity(now.scales))


def _at_tau(
    now: Given, trial: Proposal, nodes: NDArray[np.int64], y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return by how much each trial lowers the expected loss if its tau were known."""
    across = now.covariance @ trial.X.T @ np.linalg.inv(_spread(now, trial))
    moves = (now.levels @ across)[nodes]
    means = now.means[nodes]
    apart = y - now.mean[nodes] @ trial.X.T
    after = means + now.sign * np.einsum("sjr,sr->sj", moves, apart)
    return np.asarray(after.max(axis=1) - after[np.arange(len(y)), means.argmax(axis=1)])


@final
@dataclass(frozen=True, eq=False)
class _Refit:
    """Fits the evidence and one more trial; it can be sent to another process."""

    engine: Engine
    problem: Problem
    trial: Proposal
    levels: NDArray[np.float64]
    sign: float

    def __call__(self, y: NDArray[np.float64]) -> _Answer:
        """Return what is known after a trial that observed ``y``."""
        moments = self.engine.sample(extended(self.problem, self.trial, y)).moments
        assert moments is not None  # noqa: S101  the engine is exact
        count = len(self.levels)
        first, second = (grid.ravel() for grid in np.indices((count, count)))
        with one_thread():
            apart = moments.differences(self.levels, first, second)
            means = self.sign * (moments.weight @ moments.mean @ self.levels.T)
        variance = (apart.sd**2).reshape(count, count)
        scales = np.array([marginal.sd for marginal in moments.marginals.values()])
        return _Answer(means, variance, scales)


def extended(problem: Problem, trial: Proposal, y: NDArray[np.float64]) -> Problem:
    """Return a problem with one more trial that observed ``y``."""
    start, count = len(problem.arms), len(trial.arms)
    block = Contrasts(start + np.arange(count)[None], y[None], trial.V[None])
    more = trial.frame.assign(study=_new_name(problem.arms["study"].tolist()))
    return replace(
        problem,
        arms=pd.concat([problem.arms, more], ignore_index=True),
        levels=np.concatenate([problem.levels, trial.levels]),
        effects=tuple(
            ArmEffect(
                old.scale,
                np.concatenate([old.weight, new.weight]),
                np.concatenate([old.unit, new.unit]),
            )
            for old, new in zip(problem.effects, trial.effects, strict=True)
        ),
        evidence=(*problem.evidence, block),
    )


def _new_name(studies: Sequence[str]) -> str:
    name = "new trial"
    while name in studies:
        name = f"{name}'"
    return name
