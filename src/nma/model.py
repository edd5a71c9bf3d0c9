"""A model as a value, and how it turns into a problem."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, final

from nma import markup
from nma.heterogeneity import Random
from nma.network import Network
from nma.priors import Normal, Prior
from nma.problem import Problem
from nma.protocols import Heterogeneity, Outcome, Structure
from nma.structures import Consistency

__all__ = ["Model", "part_names", "prior_sentences", "prior_words", "problem", "stated_priors"]

NEXT = "next: nma.fit(network, model)"
"""What can be done with a model."""


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

    def __str__(self) -> str:
        """Return the parts and their priors, a line for each, and what to do next."""
        parts = [f"{name}: {value}" for name, value in part_names(self).items()]
        return "\n".join([*parts, *(f"- {line}" for line in _lines(self)), NEXT])

    def _repr_html_(self) -> str:
        """Return the same as ``print``, for notebooks."""
        return markup.block(
            markup.paragraph("Model"),
            markup.facts("Model", part_names(self)),
            markup.bullets(_lines(self)),
            markup.paragraph(NEXT),
        )

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
    """Return every prior in a value, by the name of its field or what its metadata say it is of."""
    found: list[tuple[str, Prior]] = []
    if not is_dataclass(value):
        return found
    for item in fields(value):
        inner = getattr(value, item.name)
        if isinstance(inner, Prior):
            found.append((item.metadata.get("prior_of", item.name), inner))
        else:
            found += stated_priors(inner)
    return found


def prior_sentences(model: Model, outcomes: Iterable[Outcome] = ()) -> list[str]:
    """Return the priors that are stated, those the library chose said to be so.

    The prior of trial levels is left out: it cancels in normal data.

    Parameters
    ----------
    model : Model
        Whose structure and heterogeneity state priors.
    outcomes : iterable of Outcome
        Likelihoods with parameters of their own state theirs.
    """
    parts = (model.structure, model.heterogeneity, *outcomes)
    said = [
        f"Prior: {name} ~ {prior_words(prior)}."
        for part in parts
        for name, prior in stated_priors(part)
    ]
    return list(dict.fromkeys(said))


def prior_words(prior: Prior) -> str:
    """Return a prior as it is written, its numbers to four figures, and where it came from."""
    written = re.sub(r"\d+\.\d+(e[-+]?\d+)?", lambda found: f"{float(found[0]):.4g}", repr(prior))
    return f"{written} ({prior.origin})" if prior.origin else written


def part_names(model: Model) -> dict[str, str]:
    """Return what a model is made of, by the names of the classes."""
    return {
        "structure": type(model.structure).__name__,
        "heterogeneity": type(model.heterogeneity).__name__,
    }


def _lines(model: Model) -> list[str]:
    """Return the priors of a model, and what is left to the network."""
    parts: list[Any] = [model.structure, model.heterogeneity]
    unsaid = [
        item.name
        for part in filter(is_dataclass, parts)
        for item in fields(part)
        if getattr(part, item.name) is None
    ]
    return prior_sentences(model) + [
        f"Prior: {name} by default, from the network." for name in unsaid
    ]
