"""A model on the arms of trials that will be simulated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nma.errors import ModelError, shown
from nma.model import Model
from nma.network import Network
from nma.planning import simulable, without_results
from nma.posterior import Posterior
from nma.problem import ArmEffect, Parameters, Scale
from nma.protocols import Heterogeneity
from nma.truths import Unknown

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Setting", "setting"]


class Setting(NamedTuple):
    """A model on the arms of trials that will be simulated.

    Parameters
    ----------
    model : Model
        With its priors as numbers.
    unknown : Unknown
        What the truth must tell.
    z : array, (arm, parameter)
        Levels of the arms as functions of beta.
    at_reference : callable
        The same, were every arm on the network's reference treatment.
    effects : tuple of ArmEffect
        Random effects within trials.
    """

    model: Model
    unknown: Unknown
    z: NDArray[np.float64]
    at_reference: Callable[[], NDArray[np.float64]]
    effects: tuple[ArmEffect, ...]


def setting(network: Network, model: Model | None, truth: Any) -> Setting:
    """Return a model on the arms of a network, as far as the kind of truth needs it.

    Raises
    ------
    ModelError
        If this is no network or no truth, or a posterior meets a second model.
    """
    _require_kinds(network, model, truth)
    resolved, home = _resolved(network, model, truth)
    parameters = resolved.structure.parameters(home)
    levels = partial(resolved.structure.levels, home)
    outside = network.table.drop(columns="study")
    unknown = Unknown(
        parameters=parameters,
        scales=_scales(resolved.heterogeneity, network, parameters),
        nuisance=_nuisance(network),
        treatments=network.treatments,
        relative=partial(_relative, levels, _where(resolved, home, outside)),
    )
    unknown.require_distinct()
    return Setting(
        model=resolved,
        unknown=unknown,
        z=levels(network.table if _has_trials(home, network) else outside),
        at_reference=lambda: levels(outside.assign(treatment=network.reference)),
        effects=resolved.heterogeneity.effects(network, network.table),
    )


def _has_trials(home: Network, network: Network) -> bool:
    """Return whether the trials are among those whose structure is known."""
    return all(home.trials.get(study) == arms for study, arms in network.trials.items())


def _where(model: Model, home: Network, outside: pd.DataFrame) -> pd.DataFrame:
    """Return the arms, at the covariates at which the structure tells effects."""
    told = getattr(model.structure, "covariates", None)
    return outside.assign(**told(home)) if told else outside


def _relative(levels: Any, where: pd.DataFrame, treatment: str, comparator: str) -> Any:
    """Return an effect between treatments as a function of beta, the same in all arms."""
    found = levels(where.assign(treatment=treatment)) - levels(where.assign(treatment=comparator))
    if not np.allclose(found, found[0], rtol=0, atol=1e-12):
        message = (
            f"'{treatment} vs {comparator}' depends on the covariates of arms in this model: state "
            "parameters by name instead."
        )
        raise ModelError(message)
    return found[0]


def _resolved(network: Network, model: Model | None, truth: Any) -> tuple[Model, Network]:
    """Return the model with its priors as numbers, and the network whose parameters it has."""
    if isinstance(truth, Posterior):
        return truth.model, truth.network
    asked = Model() if model is None else model
    if isinstance(truth, str):
        return asked.resolve(network), network
    # any size will do where the truth is stated: no number depends on the priors
    return asked.resolve(without_results(network, 1.0)), network


def _scales(
    heterogeneity: Heterogeneity, network: Network, parameters: Parameters
) -> tuple[Scale, ...]:
    return tuple(dict.fromkeys((*heterogeneity.scales(network), *parameters.scales)))


def _nuisance(network: Network) -> dict[str, Any]:
    return {
        name: prior
        for source in network.sources
        for name, prior in simulable(source.outcome).nuisance.items()
    }


def _require_kinds(network: Any, model: Any, truth: Any) -> None:
    """Refuse what is not a network, and truths that are none."""
    if not isinstance(network, Network):
        message = (
            f"simulate takes a Network, and this is a {type(network).__name__}: nma.planned makes "
            "one of trials without results."
        )
        raise ModelError(message)
    if isinstance(truth, Posterior):
        if model is not None:
            message = "A posterior as truth brings its own model: leave `model` out."
            raise ModelError(message)
    elif truth != "prior" and not isinstance(truth, Mapping):
        message = (
            f"truth={shown(truth)} is no truth: give a mapping such as {{'B vs A': -0.4, 'tau': "
            "0.2}, a posterior, or 'prior'."
        )
        raise ModelError(message)
