"""Mean levels of simulated trials: reported, stated, or drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd

from nma.errors import ModelError, nearest, shortened, shown
from nma.outcomes._events import listed
from nma.planning import simulable
from nma.points import is_number
from nma.priors import Normal, Prior
from nma.sources import shared_link
from nma.truths import draw

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.links import Link
    from nma.network import Network

__all__ = ["Design", "trial_means"]

ASK = (
    "give reference_level=, what the reference treatment leads to, or trial_levels=, the mean "
    "level of each trial's arms."
)


@final
@dataclass(frozen=True, eq=False)
class Design:
    """Trials and the truth of their effects, before their levels are known.

    Parameters
    ----------
    network : Network
        The trials.
    z : array, (arm, parameter)
        Levels of the arms as functions of beta.
    at_reference : callable
        The same, were every arm on the reference treatment; ModelError where there is none.
    beta : array, (parameter,)
        The true parameters.
    values : mapping of str to float
        Every truth by name.
    """

    network: Network
    z: NDArray[np.float64]
    at_reference: Callable[[], NDArray[np.float64]]
    beta: NDArray[np.float64]
    values: Mapping[str, float]

    @cached_property
    def trial(self) -> NDArray[np.int64]:
        """The trial of each arm, counted from zero."""
        return pd.factorize(self.network.table["study"].to_numpy())[0]

    @cached_property
    def studies(self) -> list[str]:
        """The names of the trials, in that order."""
        return list(dict.fromkeys(self.network.table["study"]))

    @cached_property
    def has_level(self) -> NDArray[np.bool_]:
        """Whether a trial reports arms, (trial,)."""
        found = np.zeros(len(self.studies), dtype=bool)
        for source in self.network.sources:
            if source.outcome.reports == "arms":
                found[self.trial[source.arms[:, 0]]] = True
        return found

    def mean(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean over the arms of each trial, (trial, ...)."""
        total = np.zeros((len(self.studies), *values.shape[1:]))
        np.add.at(total, self.trial, values)
        arms = np.bincount(self.trial).reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(total / arms)

    @cached_property
    def centred(self) -> NDArray[np.float64]:
        """Z less its mean over the trial's arms, (arm, parameter)."""
        return np.asarray(self.z - self.mean(self.z)[self.trial])


def trial_means(
    design: Design,
    reference_level: Any,
    trial_levels: Any,
    prior: Prior | None,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], list[str]]:
    """Return the mean level of every arm's trial, NaN without one, and in words where it is from.

    Parameters
    ----------
    design : Design
        The trials and their true effects.
    reference_level, trial_levels : optional
        As the user stated them.
    prior : Prior, optional
        Of trial levels, where nothing is stated and the truth is drawn from the prior.
    rng : Generator
        The source of chance.

    Raises
    ------
    ModelError
        If both are given, or neither where trials report nothing, or a trial is missing.
    """
    if reference_level is not None and trial_levels is not None:
        message = "reference_level and trial_levels both say where trials lie: give one of them."
        raise ModelError(message)
    if not design.has_level.any():
        found, said = np.full(len(design.studies), np.nan), ""
    elif trial_levels is not None:
        found = _each(design, trial_levels, "trial_levels", Prior, rng)
        said = "Levels of trials: as stated."
    elif reference_level is not None:
        found, said = _by_reference(design, reference_level, rng)
    else:
        found, said = _reported(design, prior, rng)
    found = np.where(design.has_level, found, np.nan)
    return found[design.trial], [said] if said else []


def _each(
    design: Design, given: Any, name: str, kind: Any, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return a number for each trial: one for all, by name, or drawn."""
    studies = design.studies
    if is_number(given):
        return np.full(len(studies), float(given))
    if isinstance(given, kind):
        return np.array([draw(given, rng) for _ in studies])
    if not isinstance(given, Mapping):
        message = f"{name}={shown(given)} is no number, no prior, and no mapping of trials to them."
        raise ModelError(message)
    wanted = [study for study, told in zip(studies, design.has_level, strict=True) if told]
    faults = [
        f"{study!r} is no trial that reports arms.{nearest(study, wanted)}"
        for study in given
        if study not in wanted
    ]
    lacking = [study for study in wanted if study not in given]
    if lacking:
        faults.append(f"No level is given for {listed(lacking)}.")
    faults += [f"{study!r}: {shown(x)} is no number." for study, x in given.items() if _odd(x)]
    if faults:
        message = f"{name}: {' '.join(faults)}"
        raise ModelError(message)
    return np.array([float(given.get(study, np.nan)) for study in studies])


def _odd(value: Any) -> bool:
    return not is_number(value)


def _by_reference(
    design: Design, given: Any, rng: np.random.Generator
) -> tuple[NDArray[np.float64], str]:
    """Return the mean levels of trials in which the reference leads to what is stated."""
    link = shared_link([s for s in design.network.sources if s.outcome.reports == "arms"])
    if link is None:
        message = (
            f"What links {design.network.measure} to a level is unknown: give trial_levels=, on "
            "the scale of the model."
        )
        raise ModelError(message)
    level = _each(design, given, "reference_level", Normal, rng)
    if not isinstance(given, Normal):
        level = _linked(design, link, level)
    added = design.mean(design.z - design.at_reference()) @ design.beta
    drawn = "drawn for each trial from " if isinstance(given, Normal) else ""
    value = "as stated for each trial" if isinstance(given, Mapping) else f"{drawn}{shown(given)}"
    name = shortened(design.network.reference)
    return level + added, f"Levels of trials: under {name}, before random effects, {value}."


def _linked(design: Design, link: Link, level: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return levels on the scale of the model; refuse what the outcome cannot be."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.asarray(link.link(level))
    bad = ~np.isfinite(found) & design.has_level
    if link.level == "probability":
        bad |= (level <= 0) | (level >= 1)
    if bad.any():
        message = (
            f"reference_level={level[bad][0]:g} is not a {link.level} of {link.of} on its own scale"
            f"{', between 0 and 1' if link.level == 'probability' else ''}."
        )
        raise ModelError(message)
    return found


def _reported(
    design: Design, prior: Prior | None, rng: np.random.Generator
) -> tuple[NDArray[np.float64], str]:
    """Return the mean of what the arms of each trial reported, or draws of the prior."""
    found = np.full(len(design.trial), np.nan)
    for source in design.network.sources:
        outcome, arms = simulable(source.outcome), source.arms
        if outcome.reports != "arms":
            continue
        arms = arms[:, 0]
        if prior is not None and outcome.as_normal() != outcome:
            found[arms] = np.array([draw(prior, rng) for _ in design.studies])[design.trial[arms]]
        else:
            nuisance = {name: design.values[name] for name in outcome.nuisance}
            found[arms] = outcome.reported(source.rows, nuisance)
    means = design.mean(found)
    untold = [s for s, bad in zip(design.studies, np.isnan(means) & design.has_level) if bad]  # noqa: B905
    if untold:
        message = f"No results tell the levels of {listed(untold)}: {ASK}"
        raise ModelError(message)
    if prior is not None:
        return means, "Levels of trials: drawn from the model's prior, where it has one."
    return means, "Levels of trials: the mean of what their arms had reported."
