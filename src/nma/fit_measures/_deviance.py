"""Residual deviance, leverage and DIC."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np

from nma.errors import ModelError, nearest
from nma.estimates import captioned
from nma.fit_measures._points import PlugIn, points
from nma.fit_measures._values import require_proper
from nma.posterior import require_posterior
from nma.tables import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.fit_measures._points import Points
    from nma.posterior import Posterior

__all__ = ["deviance", "dic"]

TOGETHER = (
    "A trial of several correlated contrasts, or an arm of several numbers, is one line: its "
    "deviance and leverage are those of all of them, and it counts as many data points."
)


def _asked(posterior: Posterior, plug_in: PlugIn) -> Points:
    if plug_in not in get_args(PlugIn):
        listed = " or ".join(map(repr, get_args(PlugIn)))
        hint = nearest(str(plug_in), get_args(PlugIn))
        message = f"plug_in={plug_in!r} is not a choice: use {listed}.{hint}"
        raise ModelError(message)
    require_proper(posterior)
    return points(posterior, plug_in)


def deviance(posterior: Posterior, *, plug_in: PlugIn = "fitted") -> Table:
    r"""Return the residual deviance and the leverage of every data point, on the user's rows.

    .. math:: D_j = 2\,(\log p(y_j \mid \text{saturated}) - \log p(y_j \mid \theta)), \qquad
       \text{leverage}_j = \bar D_j - D_j(\bar\theta)

    In a model that fits, each :math:`\bar D_j` is about 1. Normal data are exact given the scales:
    with :math:`A = V (V + C)^{-1}`, where C is what heterogeneity adds,

    .. math:: y - \delta \mid y, \tau \sim N(A (y - X b),\ A C + A X \Sigma X' A')

    averaged over the posterior of the scales. Means of arms have a flat trial level, which adds
    one to the deviance and to the leverage of each trial.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    plug_in : {"fitted", "linear predictor"}
        Where :math:`D_j(\bar\theta)` is taken: at the posterior mean of fitted values
        (probabilities, rates, means), or of linear predictors; the same for normal data.

    Returns
    -------
    Table
        One line for each arm, two-arm contrast, or trial of several correlated contrasts:
        ``study``, ``treatment``, ``rows`` (the user's), ``points``, ``observed``, ``fitted``
        (proportions, rates, or on the scale of the model; empty for lines of several numbers, such
        as arms of ordered categories), ``deviance`` and ``leverage``.

    Raises
    ------
    ModelError
        If the answer is no posterior, such as least squares.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> table = nma.fit_measures.deviance(posterior)
    >>> table.loc[table["deviance"].idxmax(), "study"]
    'Unsgaard-Tondel 2010'

    References
    ----------
    Spiegelhalter et al. 2002, doi:10.1111/1467-9868.00353, on deviance and leverage;
    NICE DSU TSD 2 (Dias et al. 2011), section 3.2 and the appendix on residual deviance.
    """
    require_posterior(posterior, "deviance")
    found = _asked(posterior, plug_in)
    mean = found.deviance.mean(axis=0)
    table = Table(
        found.labels.assign(
            observed=found.observed,
            fitted=found.fitted,
            deviance=mean,
            leverage=found.leverage,
        ),
        caption=captioned(
            posterior,
            f"Residual deviance {mean.sum():.1f} on {found.labels['points'].sum()} data points; "
            "in a model that fits, about one each.",
        ),
        notes=(*_how(posterior), *([TOGETHER] if (found.labels["points"] > 1).any() else [])),
    )
    table.attrs.update(_numbers(found))
    return table


def dic(posterior: Posterior, *, plug_in: PlugIn = "fitted") -> Table:
    r"""Return the deviance information criterion; of two models of the same data, less is better.

    .. math:: p_D = \bar D - D(\bar\theta), \qquad \mathrm{DIC} = \bar D + p_D

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    plug_in : {"fitted", "linear predictor"}
        Where :math:`D(\bar\theta)` is taken: at the posterior mean of fitted values
        (probabilities, rates, means), or of linear predictors; the same for normal data.

    Returns
    -------
    Table
        One row: ``deviance`` (the posterior mean), ``pD``, ``DIC`` and data ``points``;
        ``attrs`` holds them as numbers with the Monte Carlo standard error of each, zero where
        the posterior is exact.

    Raises
    ------
    ModelError
        If the answer is no posterior, such as least squares.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> print(nma.fit_measures.dic(posterior).round(1).loc["fitted", "pD"])
    6.4

    References
    ----------
    Spiegelhalter et al. 2002, doi:10.1111/1467-9868.00353;
    Dias et al. 2010, doi:10.1002/sim.3767, on its use in network meta-analysis.
    """
    require_posterior(posterior, "dic")
    found = _asked(posterior, plug_in)
    numbers = _numbers(found)
    columns = ("deviance", "pD", "DIC", "points")
    table = Table(
        {name: [numbers[name]] for name in columns},
        index=[plug_in],
        caption=captioned(
            posterior,
            f"Mean residual deviance, effective parameters at the mean of {_place(plug_in)}, and "
            "DIC: less is better among models of the same data points.",
        ),
        notes=(
            *_how(posterior, numbers),
            "Differences in DIC of less than 3 tell the models apart no further.",
        ),
        digits=1,
    )
    table["points"] = table["points"].astype(int)
    table.attrs.update(numbers)
    return table


def _place(plug_in: PlugIn) -> str:
    return "fitted values" if plug_in == "fitted" else "linear predictors"


def _numbers(found: Points) -> dict[str, float]:
    """Return the totals and the Monte Carlo standard errors that chains tell."""
    D, pD = float(found.deviance.mean(axis=0).sum()), float(found.leverage.sum())
    by_chain = found.deviance.sum(axis=1)
    errors = {"deviance": by_chain, "pD": found.chains, "DIC": by_chain + found.chains}
    points_ = int(found.labels["points"].sum())
    numbers: dict[str, float] = {"deviance": D, "pD": pD, "DIC": D + pD, "points": points_}
    return numbers | {f"mcse_{name}": _error(values) for name, values in errors.items()}


def _error(values: NDArray[np.float64]) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def _how(posterior: Posterior, numbers: dict[str, float] | None = None) -> list[str]:
    if posterior.draws.moments is not None:
        return ["Exact: no Monte Carlo error."]
    if numbers is None:
        return ["From draws."]
    error = max(numbers["mcse_deviance"], numbers["mcse_pD"], numbers["mcse_DIC"])
    return [f"From draws: Monte Carlo standard error up to {error:.2g}."]
