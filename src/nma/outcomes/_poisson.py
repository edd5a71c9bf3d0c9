"""The Poisson likelihood of arms, on the log scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nma.arrays import xlogy

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["counts", "deviance", "fitted", "log", "observed"]

Data = Mapping[str, Any]


def counts(
    events: NDArray[np.float64], exposure: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Return the data of the likelihood, with the part that no parameter enters."""
    from scipy.special import gammaln

    constant = events * np.log(exposure) - gammaln(events + 1)
    return {"events": events, "exposure": exposure, "constant": constant}


def log(eta: Any, auxiliary: Any, data: Data, xp: Any) -> Any:  # noqa: ARG001  none here
    """Return the log likelihood of arms with log rate ``eta``."""
    return data["constant"] + data["events"] * eta - data["exposure"] * xp.exp(eta)


def fitted(eta: Any, auxiliary: Any, data: Data, xp: Any) -> Any:  # noqa: ARG001
    """Return the events per unit of exposure."""
    return xp.exp(eta)


def observed(data: Data) -> Any:
    """Return the events per unit of exposure that was seen."""
    return data["events"] / data["exposure"]


def deviance(fitted: Any, data: Data, xp: Any) -> Any:
    """Return the residual deviance of arms given the rate."""
    events, exposure = data["events"], data["exposure"]
    best = xlogy(events, events / exposure) - events
    return 2 * (best - xlogy(events, fitted, xp) + exposure * fitted)
