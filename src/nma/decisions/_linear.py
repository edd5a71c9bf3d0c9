"""Posterior means at fixed scales, which are linear in what trials report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np

from nma.decisions._data_points import blocks
from nma.engines._conditional import inverse, multipliers
from nma.least_squares import differences, heterogeneity
from nma.span import directions
from nma.threads import one_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.decisions._data_points import DataPoint
    from nma.decisions._options import Contenders
    from nma.problem import Problem

__all__ = ["Crossing", "Linear", "Thresholds"]

ROUNDING = 1e-10
"""Share of what a shift does to all parameters below which it leaves two treatments alone."""


class Crossing(NamedTuple):
    """A shift at which another treatment becomes as good as the best; infinite if none does."""

    shift: float
    best: str


class Thresholds(NamedTuple):
    """The nearest crossings on either side."""

    lower: Crossing
    upper: Crossing


@final
@dataclass(frozen=True, eq=False)
class Linear:
    """Posterior means of beta as a linear function of what trials report.

    Parameters
    ----------
    beta : array, (parameter,)
        As trials are.
    influence : array, (parameter, arm)
        What moving the level of each arm by one does to beta.
    """

    beta: NDArray[np.float64]
    influence: NDArray[np.float64]

    @classmethod
    def of(cls, problem: Problem, scales: Mapping[str, float], *, flat: bool) -> Linear:
        """Return them at fixed scales; with flat priors they are those of least squares."""
        with one_thread():
            matrix, pull, told = _information(problem, scales)
            if flat:
                basis, mean = directions(differences(problem)).known, np.zeros(len(matrix))
                inner = basis.T @ matrix @ basis
            else:
                basis, mean = _scaling(problem, scales), problem.parameters.mean
                inner = basis.T @ matrix @ basis + inverse(problem.parameters)[0]
            spread = basis @ np.linalg.solve(inner, basis.T)
            return cls(mean + spread @ (told - matrix @ mean), spread @ pull)

    def thresholds(self, point: DataPoint, others: Contenders) -> Thresholds:
        """Return the shifts of an estimate at which another treatment is as good."""
        change = self.influence[:, point.arms] @ point.moves
        lead, slope = others.leads(self.beta), others.leads(change)
        slope = np.where(
            np.abs(slope) <= ROUNDING * others.sizes * np.linalg.norm(change), 0.0, slope
        )
        with np.errstate(divide="ignore"):
            at = np.where(slope == 0, np.inf, lead / np.abs(slope))
        return Thresholds(
            _first(at, slope > 0, -1.0, others.names), _first(at, slope < 0, 1.0, others.names)
        )


def _first(
    at: NDArray[np.float64], here: NDArray[np.bool_], side: float, names: tuple[str, ...]
) -> Crossing:
    """Return the nearest crossing of those on one side."""
    away = np.where(here, at, np.inf)
    nearest = int(np.argmin(away))
    found = np.isfinite(away[nearest])
    return Crossing(side * float(away[nearest]), names[nearest] if found else "")


def _scaling(problem: Problem, scales: Mapping[str, float]) -> NDArray[np.float64]:
    """Return what multiplies each parameter's deviation, as a diagonal matrix."""
    at = {name: np.array([value]) for name, value in scales.items()}
    return np.diag(
        np.broadcast_to(multipliers(problem.parameters, at, 1)[0], problem.levels.shape[1])
    )


def _information(
    problem: Problem, scales: Mapping[str, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return Z' W Z, Z' W times the change of contrasts by arms, and Z' W y."""
    parameters, arms = problem.levels.shape[1], len(problem.levels)
    matrix, pull = np.zeros((parameters, parameters)), np.zeros((parameters, arms))
    told = np.zeros(parameters)
    at = {name: np.array([value]) for name, value in scales.items()}
    for block in blocks(problem):
        levels = problem.levels[block.arms]
        Z = levels[:, 1:] - levels[:, :1]
        weight = np.linalg.inv(block.V + heterogeneity(problem, block, at)[0])
        weighted = np.einsum("tkp,tkl->tpl", Z, weight)
        matrix += np.einsum("tpl,tlq->pq", weighted, Z)
        told += np.einsum("tpl,tl->p", weighted, block.y)
        for trial, here in zip(weighted, block.arms, strict=True):
            pull[:, here[1:]] += trial
            pull[:, here[0]] -= trial.sum(axis=1)
    return matrix, pull, told
