"""What a posterior says of a scale such as tau."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nma.summaries import summary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior

__all__ = ["scale_numbers"]


def scale_numbers(posterior: Posterior, name: str, level: float) -> NDArray[np.float64]:
    """Return median, lower, upper, sd and the Monte Carlo error of the median.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    name : str
        One of its scales.
    level : float
        Probability of the equal-tailed interval.
    """
    row = summary(posterior, level=level).loc[name]
    error = 0.0
    if posterior.draws.moments is None:
        each = np.median(posterior.draws.values[name].to_numpy(), axis=1)
        error = each.std(ddof=1) / np.sqrt(len(each)) if len(each) > 1 else np.nan
    return np.array([*row[["median", "lower", "upper", "sd"]], error], dtype=float)
