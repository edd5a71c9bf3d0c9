"""Levels of trials whose arms have a likelihood of their own: kept by the engine, or drawn back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nma.arm_trials import ArmTrials, arm_trials
from nma.errors import ModelError
from nma.integrated import not_integrable
from nma.new_trial import generator
from nma.problem import Arms, arm_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior

__all__ = ["ArmLevels", "arm_levels"]

SETTLED = 64
"""Draws at which it is settled how many quadrature nodes trials need."""


@final
@dataclass(frozen=True, eq=False)
class ArmLevels:
    """Trials whose arms have a likelihood of their own, and the reference among them.

    Parameters
    ----------
    posterior : Posterior
        What was fitted.
    part : Arms
        The evidence that they are of.
    suffix : str
        What the names of its draws end in.
    has : array of int, (trial,)
        Which trials of the part have the reference, counted as their codes are sorted.
    """

    posterior: Posterior
    part: Arms
    suffix: str
    has: NDArray[np.int64]

    def draws(self, seed: int) -> NDArray[np.float64]:
        """Return draws of the sum of their levels, (chain, draw).

        Parameters
        ----------
        seed : int
            For trial levels that the engine integrated out, and that are drawn back.
        """
        problem, part = self.posterior.problem, self.part
        member = (self._trial == np.arange(self._trial.max() + 1)[:, None]).astype(float)
        mean = member / member.sum(axis=1, keepdims=True) @ problem.levels[part.arms]
        level = self.posterior.levels[self.posterior.position(self.posterior.comparator)]
        beta = self.posterior.draws.values["beta"].to_numpy()
        effects = beta @ (level - mean[self.has]).sum(axis=0)
        return np.asarray(self._trial_levels(seed) + effects)

    @property
    def _trial(self) -> NDArray[np.int64]:
        """The trial of each arm of the part."""
        return np.unique(self.part.trial, return_inverse=True)[1]

    def _trial_levels(self, seed: int) -> Any:
        """Return the sum of m over the trials, as it is known, was drawn, or is drawn back."""
        lower, upper = self.part.trial_level.support
        if lower == upper:
            return lower * len(self.has)
        name, values = f"trial_level{self.suffix}", self.posterior.draws.values
        if name in values:
            return values[name].to_numpy()[..., self.has].sum(axis=-1)
        return self._drawn_back(seed)

    def require_told(self) -> None:
        """Refuse an engine that neither kept the trial levels nor can have integrated them out.

        Raises
        ------
        ModelError
            With what to do.
        """
        lower, upper = self.part.trial_level.support
        values = self.posterior.draws.values
        if lower == upper or f"trial_level{self.suffix}" in values:
            return
        reason = not_integrable(self.posterior.problem)
        if reason is not None:
            message = (
                f"{type(self.posterior.engine).__name__} kept no trial levels, of which "
                f"reference_level='network' is made, and they cannot be drawn back: {reason}. Fit "
                "with nma.engines.NUTS(), or state the level."
            )
            raise ModelError(message)

    def _drawn_back(self, seed: int) -> NDArray[np.float64]:
        values, part = self.posterior.draws.values, self.part
        problem = self.posterior.problem
        beta = values["beta"].to_numpy()
        level = beta.reshape(-1, beta.shape[-1]) @ problem.levels.T
        scales = {s.name: values[s.name].to_numpy().ravel() for s in problem.scales}
        own = None
        if part.auxiliary is not None:
            own = values[f"auxiliary{self.suffix}"].to_numpy().reshape(len(level), -1)
        uniform = generator(seed, purpose=4).random((len(level), len(self.has)))
        some = np.linspace(0, len(level) - 1, SETTLED).astype(np.int64)
        few = {name: drawn[some] for name, drawn in scales.items()}
        total = np.zeros(len(level))
        for trials in self._trials():
            for one in trials.settled(level[some], few, None if own is None else own[some]):
                where = np.searchsorted(self.has, self._trial[one.group.place[:, 0]])
                total += one.trial_levels(level, scales, uniform[:, where], own).sum(axis=1)
        return total.reshape(beta.shape[:2])

    def _trials(self) -> Iterator[ArmTrials]:
        """Yield those of the part's trials that have the reference, by their number of arms."""
        for trials in arm_trials(self.posterior.problem, self.part):
            chosen = np.flatnonzero(np.isin(self._trial[trials.group.place[:, 0]], self.has))
            if chosen.size:
                yield replace(trials, group=trials.group.trials(chosen))


def arm_levels(posterior: Posterior) -> tuple[ArmLevels, ...]:
    """Return the parts of the evidence whose arms have a likelihood of their own.

    Raises
    ------
    ModelError
        If the levels of a part were not kept, and cannot be drawn back.
    """
    problem, found = posterior.problem, []
    names = problem.arms["treatment"].to_numpy()
    for place, suffix in arm_parts(problem).items():
        part = problem.evidence[place]
        assert isinstance(part, Arms)  # noqa: S101  they are the parts of arms
        trial = np.unique(part.trial, return_inverse=True)[1]
        has = np.unique(trial[names[part.arms] == posterior.comparator])
        told = ArmLevels(posterior, part, suffix, has)
        if has.size:
            told.require_told()
        found.append(told)
    return tuple(found)
