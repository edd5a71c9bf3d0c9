"""Means, spreads and quantiles of linear functions of beta: exact where possible, else of draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.problem import Better, Draws, Moments

__all__ = ["Estimates", "estimates", "replicate_error"]


@final
@dataclass(frozen=True, eq=False)
class Estimates:
    """What is reported of each function.

    Parameters
    ----------
    mean, sd, median, lower, upper : array, (function,)
        Of the posterior.
    better : array, (function,)
        Probability of lying on the better side of zero; exact ties count half.
    mcse : array, (function,)
        Monte Carlo standard error of the mean; zero where exact.
    """

    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    median: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    better: NDArray[np.float64]
    mcse: NDArray[np.float64]


def estimates(
    draws: Draws, contrasts: NDArray[np.float64], *, level: float, better: Better
) -> Estimates:
    """Return estimates of linear functions of beta, from the moments where there are any.

    Parameters
    ----------
    draws : Draws
        What an engine gave back.
    contrasts : array, (function, parameter)
        The coefficients.
    level : float
        Probability of the equal-tailed interval.
    better : {"lower", "higher"}
        Which side of zero is better.
    """
    if draws.moments is not None:
        return _exact(draws.moments, contrasts, level, better)
    return _sampled(draws, contrasts, level, better)


def _exact(
    moments: Moments, contrasts: NDArray[np.float64], level: float, better: Better
) -> Estimates:
    mixture = moments.of(contrasts)
    below = mixture.below(0.0)
    lower, median, upper = (
        mixture.quantile(probability) for probability in ((1 - level) / 2, 0.5, (1 + level) / 2)
    )
    return Estimates(
        mean=mixture.mean,
        sd=mixture.sd,
        median=median,
        lower=lower,
        upper=upper,
        better=below if better == "lower" else 1 - below,
        mcse=np.zeros(len(contrasts)),
    )


def _sampled(
    draws: Draws, contrasts: NDArray[np.float64], level: float, better: Better
) -> Estimates:
    values = draws.values["beta"].to_numpy() @ contrasts.T
    flat = values.reshape(-1, values.shape[-1])
    below = (flat < 0).mean(axis=0) + (flat == 0).mean(axis=0) / 2
    lower, median, upper = np.quantile(flat, [(1 - level) / 2, 0.5, (1 + level) / 2], axis=0)
    return Estimates(
        mean=flat.mean(axis=0),
        sd=flat.std(axis=0),
        median=median,
        lower=lower,
        upper=upper,
        better=below if better == "lower" else 1 - below,
        mcse=replicate_error(values),
    )


def replicate_error(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Monte Carlo standard error of means over chains and draws.

    Chains are independent replicates, so their means tell the error whatever happens within a
    chain: autocorrelation in MCMC, even spreading in Sobol sets.

    Parameters
    ----------
    values : array, (chain, draw, ...)
        Draws.
    """
    means = values.mean(axis=1)
    if len(means) < 2:
        return np.full(means.shape[1:], np.nan)
    return np.asarray(means.std(axis=0, ddof=1) / np.sqrt(len(means)))
