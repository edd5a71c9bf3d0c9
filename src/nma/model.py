"""A model as a value, and how it turns into a problem."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, final

from nma.heterogeneity import Random
from nma.network import Network
from nma.priors import Normal, Prior
from nma.problem import Problem
from nma.protocols import Heterogeneity, Structure
from nma.structures import Consistency

__all__ = ["Model", "problem", "stated_priors"]


@final
@dataclass(frozen=True)
class Model:
    """What is believed before the data: a structure, a heterogeneity and their priors.

    Parameters
    ----------
    structure : Structure, default ``structures.Consistency()``
        How the level of an arm depends on its treatment.
    heterogeneity : Heterogeneity, default ``heterogeneity.Random()``
        How arms of one treatment differ between trials.
    trial_levels : Prior, default ``priors.Normal(0, 10)``
        Prior of each trial's mean linear predictor, for arm-level likelihoods only; in normal
        data it is flat and cancels exactly.

    Examples
    --------
    >>> import nma
    >>> nma.Model(heterogeneity=nma.heterogeneity.Common())
    Model(structure=Consistency(effect=None), heterogeneity=Common(), \
trial_levels=Normal(mean=0, sd=10))
    """

    structure: Structure = field(default_factory=Consistency)
    heterogeneity: Heterogeneity = field(default_factory=Random)
    trial_levels: Prior = field(default_factory=lambda: Normal(0, 10, origin="default"))

    def resolve(self, network: Network) -> Model:
        """Return the model with every default turned into a number.

        A check that drops a trial or wraps the structure refits this resolved model, so that no
        prior moves with the data.
        """
        return replace(
            self,
            structure=self.structure.resolve(network),
            heterogeneity=self.heterogeneity.resolve(network),
        )


def problem(model: Model, network: Network) -> Problem:
    """Return a resolved model and a network as the problem an engine solves."""
    arms = network.table
    parameters = model.structure.parameters(network)
    return Problem(
        arms=arms,
        levels=model.structure.levels(network, arms),
        parameters=parameters,
        effects=model.heterogeneity.effects(network, arms),
        scales=model.heterogeneity.scales(network) + parameters.scales,
        evidence=tuple(
            part
            for source in network.sources
            for part in source.outcome.evidence(source.rows, source.arms, model.trial_levels)
        ),
    )


def stated_priors(value: Any) -> list[tuple[str, Prior]]:
    """Return every prior in a model, structure or heterogeneity, by the name of its field."""
    found: list[tuple[str, Prior]] = []
    for item in fields(value):
        inner = getattr(value, item.name)
        if isinstance(inner, Prior):
            found.append((item.name, inner))
        elif is_dataclass(inner):
            found += stated_priors(inner)
    return found
