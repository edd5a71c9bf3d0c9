"""The log density of a problem written out in NumPy and SciPy, one trial at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from nma.priors import (
    Fixed,
    HalfCauchy,
    HalfNormal,
    LogNormal,
    LogT,
    Normal,
    Prior,
    Published,
    Uniform,
)
from nma.problem import Arms, Contrasts, Parameters, Problem

Array = NDArray[np.float64]


def of_prior(prior: Prior, x: Any) -> float:
    frozen: Any
    match prior:
        case Normal(mean, sd):
            frozen = stats.norm(mean, sd)
        case HalfNormal(scale):
            frozen = stats.halfnorm(scale=scale)
        case HalfCauchy(scale):
            frozen = stats.halfcauchy(scale=scale)
        case Uniform(lower, upper):
            frozen = stats.uniform(lower, upper - lower)
        case LogNormal(mean, sd):
            frozen = stats.lognorm(sd, scale=np.exp(mean))
        case LogT(location, scale, df):
            return float(np.sum(stats.t(df, location, scale).logpdf(np.log(x)) - np.log(x)))
        case Published(distribution):
            return of_prior(distribution, x)
        case Fixed():
            return 0.0
        case _:
            raise AssertionError(prior)
    return float(np.sum(frozen.logpdf(x)))


def of_parameters(prior: Parameters, x: Array, scales: Mapping[str, float]) -> float:
    D = np.diag([1.0 if name is None else scales[name] for name in prior.scale])
    return float(stats.multivariate_normal(prior.mean, D @ prior.covariance @ D).logpdf(x))


def difference(count: int) -> Array:
    return np.column_stack([-np.ones(count - 1), np.eye(count - 1)])


def covariance(problem: Problem, arms: NDArray[np.int64], scales: Mapping[str, float]) -> Array:
    """Return the covariance of u over the arms of one trial."""
    total = np.zeros((len(arms), len(arms)))
    for effect in problem.effects:
        for j, arm in enumerate(arms):
            for k, other in enumerate(arms):
                if effect.unit[arm] == effect.unit[other]:
                    both = effect.weight[arm] * effect.weight[other]
                    total[j, k] += scales[effect.scale] ** 2 / 2 * both
    return total


def of_evidence(
    problem: Problem,
    beta: Array,
    scales: Mapping[str, float],
    u: Array | None,
    trial_level: Mapping[str, float],
    auxiliary: Array | None = None,
) -> float:
    """Return the log likelihood; random effects of normal evidence are integrated if u is None."""
    if problem.predictor is None:
        level = problem.levels @ beta
    else:
        level = np.asarray(problem.predictor(beta, problem.levels, np))
    total = 0.0
    for part in problem.evidence:
        if isinstance(part, Contrasts):
            for arms, y, V in zip(part.arms, part.y, part.V, strict=True):
                D = difference(len(arms))
                theta, spread = level[arms], V
                if u is None:
                    spread = V + D @ covariance(problem, arms, scales) @ D.T
                else:
                    theta = theta + u[arms]
                total += float(stats.multivariate_normal(D @ theta, spread).logpdf(y))
        else:
            total += _of_arms(problem, part, level, u, trial_level, auxiliary)
    return total


def _of_arms(
    problem: Problem,
    part: Arms,
    level: Array,
    u: Array | None,
    trial_level: Mapping[str, float],
    auxiliary: Array | None,
) -> float:
    eta = np.zeros(len(part.arms))
    for trial in np.unique(part.trial):
        rows = np.flatnonzero(part.trial == trial)
        arms = part.arms[rows]
        m = trial_level[problem.arms["study"].iloc[arms[0]]]
        own = 0.0 if u is None else u[arms]
        eta[rows] = m + level[arms] - level[arms].mean() + own
    return float(np.sum(part.density(eta, auxiliary, part.data, np)))
