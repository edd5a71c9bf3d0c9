"""Data points: what trials report of two treatments, and how a shift of it moves their arms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, final

import numpy as np

from nma.least_squares import heterogeneity
from nma.problem import Contrasts, Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.network import Network

__all__ = ["OTHERS", "DataPoint", "blocks", "of_comparisons", "of_trials", "shifted"]

OTHERS = "the other arms"
"""Whom an arm of a multi-arm trial is compared with."""


@final
@dataclass(frozen=True, eq=False)
class DataPoint:
    """An estimate that is shifted.

    Parameters
    ----------
    label : tuple of str
        Trial, if it is one, treatment and comparator.
    estimate, se : float
        On the scale of the model.
    arms : array of int, (arm,)
        The arms that move with it.
    moves : array, (arm,)
        How far their levels move when the estimate moves by one.
    step : float
        Standard deviation of the estimate, heterogeneity included.
    """

    label: tuple[str, ...]
    estimate: float
    se: float
    arms: NDArray[np.int64]
    moves: NDArray[np.float64]
    step: float

    @property
    def name(self) -> str:
        """What it is called where fits are named."""
        return " | ".join(self.label)


@final
@dataclass(frozen=True, eq=False)
class _Trial:
    """The contrasts of one trial against its first arm, with and without heterogeneity."""

    study: str
    arms: NDArray[np.int64]
    treatments: tuple[str, ...]
    y: NDArray[np.float64]
    sampling: NDArray[np.float64]
    whole: NDArray[np.float64]

    def is_on(self, treatment: str) -> NDArray[np.float64]:
        """Return one for arms on a treatment, zero for the others."""
        return np.array([float(name == treatment) for name in self.treatments])

    def told(self, weight: NDArray[np.float64]) -> tuple[float, float, float]:
        """Return a weighted sum of arms, and its variance without and with heterogeneity."""
        w = weight[1:]
        return float(w @ self.y), float(w @ self.sampling @ w), float(w @ self.whole @ w)


def blocks(problem: Problem) -> tuple[Contrasts, ...]:
    """Return the evidence, trials with the same number of arms together."""
    return tuple(part for part in problem.evidence if isinstance(part, Contrasts))


def shifted(problem: Problem, point: DataPoint, shift: float) -> Problem:
    """Return the problem with an estimate shifted; standard errors stay."""
    moved = np.zeros(len(problem.arms))
    moved[point.arms] = shift * point.moves
    return replace(problem, evidence=tuple(_shifted(block, moved) for block in blocks(problem)))


def _shifted(block: Contrasts, moved: NDArray[np.float64]) -> Contrasts:
    here = moved[block.arms]
    reported = block.reported
    if reported is not None:
        reported = np.stack([reported[0] + here, reported[1]])
    return replace(block, y=block.y + here[:, 1:] - here[:, :1], reported=reported)


def of_trials(
    problem: Problem, network: Network, scales: Mapping[str, float]
) -> Iterator[DataPoint]:
    """Yield the difference of every two-arm trial, and of larger trials that of every arm.

    An arm of a multi-arm trial is compared with the mean of the others, and moves alone.
    """
    for trial in _trials(problem, network, scales):
        names = _ordered(network, trial.treatments)
        pair = len(names) == 2
        for name in names[1:] if pair else names * (len(names) > 2):
            on = trial.is_on(name)
            weight = on / on.sum() - (1 - on) / (1 - on).sum()
            estimate, sampling, whole = trial.told(weight)
            yield DataPoint(
                (trial.study, name, names[0] if pair else OTHERS),
                estimate,
                np.sqrt(sampling),
                trial.arms,
                on,
                np.sqrt(whole),
            )


def of_comparisons(
    problem: Problem, network: Network, scales: Mapping[str, float]
) -> Iterator[DataPoint]:
    """Yield the direct estimate of every comparison that trials make.

    All its trials move by the same; in multi-arm trials half of it falls on each of the two arms.
    """
    trials = list(_trials(problem, network, scales))
    for comparator, treatment in combinations(_ordered(network, network.treatments), 2):
        pair = {treatment, comparator}
        both = [trial for trial in trials if pair <= set(trial.treatments)]
        if both:
            yield _direct(treatment, comparator, both)


def _direct(treatment: str, comparator: str, trials: list[_Trial]) -> DataPoint:
    told, moves = [], []
    for trial in trials:
        on, against = trial.is_on(treatment), trial.is_on(comparator)
        estimate, _, variance = trial.told(on / on.sum() - against / against.sum())
        told.append((estimate, 1 / variance))
        moves.append((on - against) / 2)
    estimates, weights = np.array(told).T
    se = 1 / np.sqrt(weights.sum())
    return DataPoint(
        (treatment, comparator),
        float(weights @ estimates / weights.sum()),
        se,
        np.concatenate([trial.arms for trial in trials]),
        np.concatenate(moves),
        se,
    )


def _ordered(network: Network, treatments: tuple[str, ...]) -> list[str]:
    """Return treatments, each once, in the network's order, its reference first."""
    there = set(treatments)
    names = [name for name in network.treatments if name in there]
    return sorted(names, key=lambda name: name != network.reference)


def _trials(problem: Problem, network: Network, scales: Mapping[str, float]) -> Iterator[_Trial]:
    """Yield every trial that tells something, in the network's order."""
    study, treatment = (problem.arms[name].to_numpy() for name in ("study", "treatment"))
    at = {name: np.array([value]) for name, value in scales.items()}
    found = {}
    for block in blocks(problem):
        added = heterogeneity(problem, block, at)[0]
        for arms, y, V, more in zip(block.arms, block.y, block.V, added, strict=True):
            names = tuple(treatment[arms])
            found[study[arms[0]]] = _Trial(study[arms[0]], arms, names, y, V, V + more)
    for name in network.trials:
        if name in found:
            yield found[name]
