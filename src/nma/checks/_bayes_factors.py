"""Bayes factors between structures: only with a prior that is named, and under others beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nma.errors import ModelError
from nma.priors import Normal
from nma.structures._priors import require_centred

if TYPE_CHECKING:
    from nma.network import Network
    from nma.posterior import Posterior

__all__ = ["SENSITIVITY", "log_evidence", "named_prior"]

SENSITIVITY = (1.0, 0.5, 2.0)
"""By what the sd of the Bayes factor's prior is multiplied; the first is the one asked for."""


def named_prior(network: Network, prior: Normal | None, name: str) -> Normal:
    """Return the prior of what a Bayes factor is about: sd one unit where none is given.

    Parameters
    ----------
    network : Network
        Whose trials tell the unit.
    prior : Normal, optional
        As it was given.
    name : str
        What the argument is called.

    Raises
    ------
    ModelError
        If it has another mean than zero, or nothing sizes it.
    """
    require_centred(prior, name)
    if prior is not None:
        return prior
    try:
        unit, words = network.unit
    except ModelError as error:
        message = (
            f"The prior of the {name} has no size, since no trial tells the unit: name it, "
            f"as in {name}=nma.priors.Normal(0, 1)."
        )
        raise ModelError(message) from error
    return Normal(0, unit, origin=f"default: one unit, {words}")


def log_evidence(posterior: Posterior) -> float:
    """Return the logarithm of the marginal likelihood, NaN where the engine tells none."""
    moments = posterior.draws.moments
    told = posterior.draws.diagnostics.get("log_evidence", np.nan)
    return float(told if moments is None else moments.log_evidence)
