"""The binomial likelihood of arms, on the logit and on the complementary log-log scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nma.arrays import log1m_exp, log1p_exp, sigmoid, xlogy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["cloglog", "cloglog_fitted", "counts", "deviance", "logit", "logit_fitted", "observed"]

Data = Mapping[str, Any]


def counts(
    events: NDArray[np.float64], n: NDArray[np.float64], **others: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Return the data of the likelihood, with the logarithm of the binomial coefficient."""
    from scipy.special import gammaln

    ways = gammaln(n + 1) - gammaln(events + 1) - gammaln(n - events + 1)
    return {"events": events, "n": n, "log_ways": ways, **others}


def logit(eta: Any, auxiliary: Any, data: Data, xp: Any) -> Any:  # noqa: ARG001  none here
    """Return the log likelihood of arms with log odds ``eta``."""
    return data["log_ways"] + data["events"] * eta - data["n"] * log1p_exp(eta, xp)


def logit_fitted(eta: Any, auxiliary: Any, data: Data, xp: Any) -> Any:  # noqa: ARG001
    """Return the probability of an event."""
    return sigmoid(eta, xp)


def cloglog(eta: Any, auxiliary: Any, data: Data, xp: Any) -> Any:  # noqa: ARG001
    """Return the log likelihood of arms with log hazard ``eta`` that are followed for a time."""
    hazard = data["time"] * xp.exp(eta)
    missed = data["n"] - data["events"]
    event = xp.where(data["events"] > 0, log1m_exp(hazard, xp), 0.0)
    return data["log_ways"] + data["events"] * event - missed * hazard


def cloglog_fitted(eta: Any, auxiliary: Any, data: Data, xp: Any) -> Any:  # noqa: ARG001
    """Return the probability of an event in the time of follow-up."""
    return -xp.expm1(-data["time"] * xp.exp(eta))


def observed(data: Data) -> Any:
    """Return the proportion with the event that was seen."""
    return data["events"] / data["n"]


def deviance(fitted: Any, data: Data, xp: Any) -> Any:
    """Return the residual deviance of arms given the probability of an event."""
    events, n = data["events"], data["n"]
    missed = n - events
    best = xlogy(events, events / n) + xlogy(missed, missed / n)
    against = missed * xp.log1p(-xp.where(missed > 0, fitted, 0.0))
    return 2 * (best - xlogy(events, fitted, xp) - against)
