"""Trials that report arms, as functions of levels and scales: tabulated where that pays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nma.chebyshev import Coordinates, tabulated
from nma.integrated import Group, effect_sds, groups, settled
from nma.problem import Arms, Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ArmTrials", "Scales", "arm_trials"]

Scales = Mapping[str, "NDArray[np.float64]"]
"""Values of the scales by name, each (value,)."""

LIKELIHOOD, MEAN = 2e-4, 1e-3
"""Bounds on the error of tables: of a trial's log likelihood, and of the mean of a function.

Log weights then err by little more than 0.001, a deviance by less than its printed digit.
"""


@final
@dataclass(frozen=True, eq=False)
class ArmTrials:
    """Trials with as many arms as each other, everything within them integrated out.

    Parameters
    ----------
    problem : Problem
        What they belong to.
    group : Group
        The trials.
    """

    problem: Problem
    group: Group

    @cached_property
    def centred(self) -> NDArray[np.float64]:
        """Levels of the arms about their trial's mean, (trial, arm, parameter)."""
        levels = self.problem.levels[self.group.arms]
        return np.asarray(levels - levels.mean(axis=1, keepdims=True))

    def given(self, level: NDArray[np.float64], scales: Scales) -> tuple[Any, Any]:
        """Return centred levels and effect sds, (value, trial, arm), from levels (value, arm)."""
        c = self.group.centred(level)
        return c, np.broadcast_to(effect_sds(self.problem, self.group.arms, scales), c.shape)

    def log_likelihood(
        self, level: NDArray[np.float64], scales: Scales, auxiliary: Any = None
    ) -> NDArray[np.float64]:
        """Return the log likelihood of each trial, (value, trial).

        Parameters
        ----------
        level : array, (value, arm)
            Of all arms of the problem.
        scales : mapping of str to array, (value,)
        auxiliary : array, (value, parameter), optional
            Parameters of the likelihood alone.
        """
        return self._told(
            lambda group, *given: group.log_likelihood(*given),
            level,
            scales,
            auxiliary,
            tolerance=LIKELIHOOD,
        )

    def expectations(
        self,
        functions: Sequence[Callable[[Any, Any, Mapping[str, Any]], Any]],
        level: NDArray[np.float64],
        scales: Scales,
        auxiliary: Any = None,
    ) -> list[NDArray[np.float64]]:
        """Return the means of functions of each arm's linear predictor, (value, trial, arm, ...).

        Parameters
        ----------
        functions : sequence of callable
            ``function(eta, auxiliary, data)``, with eta (..., arm) and data of these arms.
        level, scales, auxiliary
            As for ``log_likelihood``.
        """
        sizes: list[tuple[int, ...]] = []

        def joined(group: Group, *given: Any) -> NDArray[np.float64]:
            told = group.expectations(functions, *given)
            sizes[:] = [values.shape[3:] for values in told]
            return np.concatenate([v.reshape(*v.shape[:3], -1) for v in told], axis=3)

        found = self._told(joined, level, scales, auxiliary, tolerance=MEAN)
        ends = np.cumsum([int(np.prod(size)) for size in sizes])[:-1]
        parts = np.split(found, ends, axis=3)
        return [p.reshape(*p.shape[:3], *size) for p, size in zip(parts, sizes, strict=True)]

    def _told(
        self,
        function: Callable[..., NDArray[np.float64]],
        level: NDArray[np.float64],
        scales: Scales,
        auxiliary: Any,
        *,
        tolerance: float,
    ) -> NDArray[np.float64]:
        """Return what a function of a group and of what is given tells, (value, trial, ...)."""
        c, sd = self.given(level, scales)
        free = tuple(dict.fromkeys(effect.scale for effect in self.problem.effects))
        if len(free) > 1:
            return function(self.group, c, sd, auxiliary)
        alone = {name: np.ones(1) for name in free}
        coordinates = Coordinates(
            c=c,
            weight=effect_sds(self.problem, self.group.arms, alone)[0],
            tau=scales[free[0]] if free else None,
            auxiliary=auxiliary,
            width=self.group.width(c[:1], None if auxiliary is None else auxiliary[:1]),
        )
        return tabulated(
            lambda c, sd, own, trials: function(self.group.trials(trials), c, sd, own),
            coordinates,
            tolerance=tolerance,
        )

    def counting(self, arm: int, times: int) -> ArmTrials:
        """Return the same trials with one arm of each counted several times, or not at all."""
        power = self.group.power.copy()
        power[:, arm] = times
        return replace(self, group=self.group.counting(power))

    def settled(
        self, level: NDArray[np.float64], scales: Scales, auxiliary: Any = None
    ) -> list[ArmTrials]:
        """Return the trials by the quadrature nodes they need at these values."""
        found = settled(self.group, *self.given(level, scales), auxiliary)
        return [replace(self, group=group) for group in found]

    def finer(self) -> ArmTrials:
        """Return the same trials with twice the nodes."""
        return replace(self, group=self.group.finer())


def arm_trials(problem: Problem, part: Arms) -> list[ArmTrials]:
    """Return the trials of a part, those with as many arms as each other together."""
    return [ArmTrials(problem, group) for group in groups(part)]
