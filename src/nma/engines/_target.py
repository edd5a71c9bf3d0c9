"""The posterior density of what is not integrated out: beta, auxiliaries and scales."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nma.arm_trials import ArmTrials, Scales, arm_trials
from nma.engines._conditional import inverse, multipliers
from nma.least_squares import heterogeneity, log_normal
from nma.problem import Arms, Contrasts, Parameters, Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Target"]


@final
@dataclass(frozen=True, eq=False)
class Target:
    """Log posterior of b, with unknowns = mean + D(scales) b, and of the scales.

    Parameters
    ----------
    problem : Problem
        What is asked.
    prior : Parameters
        Of beta and all auxiliaries together.
    parts : tuple of (ArmTrials, slice)
        Arm-level evidence, and where the auxiliaries of its likelihood stand among the unknowns.
    """

    problem: Problem
    prior: Parameters
    parts: tuple[tuple[ArmTrials, slice], ...]

    @classmethod
    def of(cls, problem: Problem) -> Target:
        """Return the target of a problem."""
        prior = problem.parameters
        parts: list[tuple[ArmTrials, slice]] = []
        for part in problem.evidence:
            if isinstance(part, Arms):
                start = len(prior.names)
                if part.auxiliary is not None:
                    prior = prior + part.auxiliary
                own = slice(start, len(prior.names))
                parts += [(trials, own) for trials in arm_trials(problem, part)]
        return cls(problem, prior, tuple(parts))

    @property
    def contrasts(self) -> list[Contrasts]:
        """The normal evidence."""
        return [part for part in self.problem.evidence if isinstance(part, Contrasts)]

    @cached_property
    def _inverse(self) -> tuple[NDArray[np.float64], float]:
        return inverse(self.prior)

    @property
    def precision(self) -> NDArray[np.float64]:
        """Prior precision of b."""
        return self._inverse[0]

    def scales(self, points: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Return values of the scales by name, from (value, scale)."""
        return {scale.name: points[:, k] for k, scale in enumerate(self.problem.scales)}

    def unknowns(self, b: NDArray[np.float64], scales: Scales) -> NDArray[np.float64]:
        """Return beta and auxiliaries, (value, parameter)."""
        return np.asarray(self.prior.mean + multipliers(self.prior, dict(scales), len(b)) * b)

    def log_prior(self, b: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log density of b, (value,)."""
        precision, log_determinant = self._inverse
        squared = np.einsum("np,pq,nq->n", b, precision, b, optimize=True)
        return np.asarray(-0.5 * (squared + b.shape[1] * np.log(2 * np.pi) + log_determinant))

    def log_scale_prior(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log density of the scales, (value,), from (value, scale)."""
        total = np.zeros(len(points))
        for scale, column in zip(self.problem.scales, points.T, strict=True):
            if scale.prior.support[0] < scale.prior.support[1]:
                total += scale.prior.log_density(column)
        return total

    def levels(self, unknowns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the levels of all arms, (value, arm)."""
        levels = self.problem.levels
        return np.asarray(unknowns[:, : levels.shape[1]] @ levels.T)

    def given(
        self, unknowns: NDArray[np.float64], scales: Scales
    ) -> list[tuple[ArmTrials, tuple[NDArray[np.float64], Scales, Any]]]:
        """Return the trials that report arms, each with what its methods take."""
        level = self.levels(unknowns)
        return [
            (trials, (level, scales, unknowns[:, own] if own.start < own.stop else None))
            for trials, own in self.parts
        ]

    def log_likelihood(self, unknowns: NDArray[np.float64], scales: Scales) -> NDArray[np.float64]:
        """Return the log likelihood of all evidence, (value,), from tables where they pay."""
        given = self.given(unknowns, scales)
        arms = [trials.log_likelihood(*values).sum(axis=1) for trials, values in given]
        return np.asarray(sum(arms) + self.of_contrasts(unknowns, scales))

    def closely(self, unknowns: NDArray[np.float64], scales: Scales) -> NDArray[np.float64]:
        """Return the same without tables and with twice the quadrature nodes."""
        arms = [
            trials.group.finer().log_likelihood(*trials.given(level, here), own).sum(axis=1)
            for trials, (level, here, own) in self.given(unknowns, scales)
        ]
        return np.asarray(sum(arms) + self.of_contrasts(unknowns, scales))

    def of_contrasts(self, unknowns: NDArray[np.float64], scales: Scales) -> NDArray[np.float64]:
        """Return the log likelihood of the normal evidence, (value,)."""
        total, level = np.zeros(len(unknowns)), self.levels(unknowns)
        for part in self.contrasts:
            residual = part.y - (level[:, part.arms[:, 1:]] - level[:, part.arms[:, :1]])
            covariance = part.V + heterogeneity(self.problem, part, scales)
            total += log_normal(covariance, residual).sum(axis=1)
        return total

    def settled(self, unknowns: NDArray[np.float64], scales: Scales) -> Target:
        """Return the target with the quadrature nodes that trials need at these values."""
        given = zip(self.given(unknowns, scales), self.parts, strict=True)
        parts = [
            (found, own)
            for (trials, values), (_, own) in given
            for found in trials.settled(*values)
        ]
        return replace(self, parts=tuple(parts))
