"""The posterior density of what is not integrated out: beta, auxiliaries and scales."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nma.chebyshev import tabulated
from nma.engines._conditional import inverse, multipliers
from nma.integrated import Group, effect_sds, groups, settled
from nma.least_squares import heterogeneity, log_normal
from nma.problem import Arms, Contrasts, Parameters, Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Likelihood", "Target"]

TABLE = 3e-5
"""Bound on the error of a trial's log likelihood by its table."""

Scales = Mapping[str, "NDArray[np.float64]"]


@final
@dataclass(frozen=True, eq=False)
class Likelihood:
    """Trials with as many arms as each other, as a function of all unknowns.

    Parameters
    ----------
    problem : Problem
        What they belong to.
    group : Group
        The trials.
    own : slice
        Where the auxiliaries of their likelihood stand among the unknowns.
    """

    problem: Problem
    group: Group
    own: slice

    @cached_property
    def centred(self) -> NDArray[np.float64]:
        """Levels of the arms about their trial's mean, (trial, arm, parameter)."""
        levels = self.problem.levels[self.group.arms]
        return np.asarray(levels - levels.mean(axis=1, keepdims=True))

    def given(self, unknowns: NDArray[np.float64], scales: Scales) -> tuple[Any, Any, Any]:
        """Return levels and effect sds, (value, trial, arm), and auxiliaries."""
        trials, arms, parameters = self.centred.shape
        flat = unknowns[:, :parameters] @ self.centred.reshape(-1, parameters).T
        c = flat.reshape(-1, trials, arms)
        sd = np.broadcast_to(effect_sds(self.problem, self.group.arms, scales), c.shape)
        own = unknowns[:, self.own]
        return c, sd, own if own.shape[1] else None

    def by_trial(self, unknowns: NDArray[np.float64], scales: Scales) -> NDArray[np.float64]:
        """Return the log likelihood of each trial, (value, trial)."""
        return self.group.log_likelihood(*self.given(unknowns, scales))

    def total(self, unknowns: NDArray[np.float64], scales: Scales) -> NDArray[np.float64]:
        """Return the log likelihood of all trials, (value,), from tables where they pay."""
        c, sd, auxiliary = self.given(unknowns, scales)
        free = tuple(dict.fromkeys(effect.scale for effect in self.problem.effects))
        if auxiliary is not None or len(free) > 1:
            return np.asarray(self.group.log_likelihood(c, sd, auxiliary).sum(axis=1))
        alone = {name: np.ones(1) for name in free}
        found = tabulated(
            lambda c, sd, trials: self.group.trials(trials).log_likelihood(c, sd),
            c,
            effect_sds(self.problem, self.group.arms, alone)[0],
            scales[free[0]] if free else None,
            width=self.group.width(c[:1]),
            tolerance=TABLE,
        )
        return np.asarray(found.sum(axis=1))

    def settled(self, unknowns: NDArray[np.float64], scales: Scales) -> list[Likelihood]:
        """Return the trials by the quadrature nodes they need at these values."""
        found = settled(self.group, *self.given(unknowns, scales))
        return [replace(self, group=group) for group in found]

    def finer(self) -> Likelihood:
        """Return the same trials with twice the nodes."""
        return replace(self, group=self.group.finer())


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
    parts : tuple of Likelihood
        Arm-level evidence.
    """

    problem: Problem
    prior: Parameters
    parts: tuple[Likelihood, ...]

    @classmethod
    def of(cls, problem: Problem) -> Target:
        """Return the target of a problem."""
        prior, parts = problem.parameters, []
        for part in problem.evidence:
            if isinstance(part, Arms):
                start = len(prior.names)
                if part.auxiliary is not None:
                    prior = prior + part.auxiliary
                own = slice(start, len(prior.names))
                parts += [Likelihood(problem, group, own) for group in groups(part)]
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

    def of_contrasts(self, unknowns: NDArray[np.float64], scales: Scales) -> NDArray[np.float64]:
        """Return the log likelihood of the normal evidence, (value,)."""
        total = np.zeros(len(unknowns))
        levels = unknowns[:, : self.problem.levels.shape[1]] @ self.problem.levels.T
        for part in self.contrasts:
            residual = part.y - (levels[:, part.arms[:, 1:]] - levels[:, part.arms[:, :1]])
            covariance = part.V + heterogeneity(self.problem, part, scales)
            total += log_normal(covariance, residual).sum(axis=1)
        return total

    def log_likelihood(self, unknowns: NDArray[np.float64], scales: Scales) -> NDArray[np.float64]:
        """Return the log likelihood of all evidence, (value,)."""
        arms = [part.total(unknowns, scales) for part in self.parts]
        return np.asarray(sum(arms) + self.of_contrasts(unknowns, scales))

    def settled(self, unknowns: NDArray[np.float64], scales: Scales) -> Target:
        """Return the target with the quadrature nodes that trials need at these values."""
        parts = [found for part in self.parts for found in part.settled(unknowns, scales)]
        return replace(self, parts=tuple(parts))

    def finer(self) -> Target:
        """Return the target with twice the quadrature nodes."""
        return replace(self, parts=tuple(part.finer() for part in self.parts))
