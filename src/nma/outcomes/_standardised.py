"""Standardised mean differences: Hedges' g with one standard deviation for each trial."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["correction", "hedges"]


def correction(freedom: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Return the factor that makes a standardised difference unbiased.

    .. math:: J = \Gamma(m/2) / (\sqrt{m/2}\ \Gamma((m - 1)/2))

    Parameters
    ----------
    freedom : array
        Degrees of freedom m of the standard deviation, two or more.

    References
    ----------
    Hedges 1981, doi:10.3102/10769986006002107.
    """
    from scipy.special import poch

    half = np.asarray(freedom) / 2
    return np.asarray(poch(half - 0.5, 0.5) / np.sqrt(half))


def hedges(
    y: NDArray[np.float64],
    V: NDArray[np.float64],
    sd: NDArray[np.float64],
    people: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Return Hedges' g of mean differences against one arm of each trial, and its covariance.

    .. math::

        g_j = J y_j / s, \qquad V_{jk} = [j = k]/n_j + 1/n_b + g_j g_k / (2N)

    with N participants in the trial. Another base arm is a linear map of g that carries V
    along, so it changes nothing.

    Parameters
    ----------
    y : array, (trial, contrast)
        Differences of means from base arm b.
    V : array, (trial, contrast, contrast)
        Their covariance at standard deviation 1: 1/n_b, and 1/n_j more on the diagonal.
    sd, people : array, (trial,)
        Standard deviation s pooled over all the trial's arms, and participants N.

    References
    ----------
    Gleser and Olkin 1994, in The Handbook of Research Synthesis, pp. 339-355.
    """
    freedom = people - (y.shape[1] + 1)
    g = (correction(freedom) / sd)[:, None] * y
    return g, V + g[:, :, None] * g[:, None, :] / (2 * people[:, None, None])
