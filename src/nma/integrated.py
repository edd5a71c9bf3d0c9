r"""The likelihood of trials that report arms, with trial levels and random effects integrated out.

In a trial with arms k, levels :math:`c_k` about their mean and effects of standard deviation
:math:`\sigma_k`,

.. math:: L(c, \sigma) = \int p(m) \prod_k \int N(e; 0, 1) f_k(m + c_k + \sigma_k e) \, de \, dm

by trapezoid rules placed at the peak of each integrand: nested integrals of one dimension, so that
the cost is linear in arms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, final

import numpy as np

from nma.integrand import Integrand
from nma.least_squares import BUDGET
from nma.problem import Arms, Problem, trials_by_size
from nma.two_sided import Rule

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RULE", "Group", "Laplace", "effect_sds", "groups", "not_integrable", "settled"]

RULE = Rule(13)
"""Nodes of each of the nested integrals."""

MOST = 200
"""Nodes of an integral at which refinement stops."""


def not_integrable(problem: Problem) -> str | None:
    """Return why trial levels and random effects cannot be integrated out one by one, if so."""
    if problem.predictor is not None:
        return "the model is not linear in its parameters"
    for part in problem.evidence:
        if isinstance(part, Arms):
            if _is_shared(problem, part):
                return "arms of a trial share random effects, which cannot be integrated one by one"
            lower, upper = part.trial_level.support
            if lower < upper and (np.isfinite(lower) or np.isfinite(upper)):
                return (
                    f"the prior of trial levels, {part.trial_level!r}, has a limit, where the "
                    "quadrature would end abruptly"
                )
    return None


def _is_shared(problem: Problem, part: Arms) -> bool:
    """Return whether two arms of a trial share a random effect."""
    return any(
        bool((np.diff(np.sort(effect.unit[part.arms[rows]], axis=1), axis=1) == 0).any())
        for effect in problem.effects
        for rows in trials_by_size(part.trial)
    )


def effect_sds(
    problem: Problem, arms: NDArray[np.int64], scales: Mapping[str, NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Return the standard deviation of the random effects of arms, (value, trial, arm)."""
    values = len(next(iter(scales.values()))) if scales else 1
    variance = np.zeros((values, *arms.shape))
    for effect in problem.effects:
        weight = 0.5 * effect.weight[arms] ** 2
        variance += scales[effect.scale][:, None, None] ** 2 * weight
    return np.sqrt(variance)


class Laplace(NamedTuple):
    """Laplace's approximation to the integrated likelihood of trials.

    Parameters
    ----------
    value : array, (value, trial)
        Its logarithm.
    slope : array, (value, trial, arm)
        Derivative of the integrand's peak with respect to each arm's level.
    information : array, (value, trial, arm, arm)
        Minus the second derivatives.
    """

    value: NDArray[np.float64]
    slope: NDArray[np.float64]
    information: NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Group:
    """Trials of one part of the evidence with as many arms as each other.

    Parameters
    ----------
    part : Arms
        The evidence.
    place : array of int, (trial, arm)
        Positions in the part's own arrays.
    power : array, (trial, arm)
        How often each arm is counted: once, or not at all to leave it out.
    rule : Rule
        Nodes of each integral.
    """

    part: Arms
    place: NDArray[np.int64]
    power: NDArray[np.float64]
    rule: Rule = RULE

    @property
    def arms(self) -> NDArray[np.int64]:
        """Positions in the problem's arms, (trial, arm)."""
        return self.part.arms[self.place]

    def counting(self, power: NDArray[np.float64]) -> Group:
        """Return the same trials with each arm counted as often as told, (trial, arm)."""
        return replace(self, power=power)

    def trials(self, chosen: NDArray[np.int64]) -> Group:
        """Return some of the trials, by their positions."""
        return replace(self, place=self.place[chosen], power=self.power[chosen])

    def finer(self) -> Group:
        """Return the same trials with twice the nodes."""
        return replace(self, rule=self.rule.doubled)

    def centred(self, levels: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return levels (value, arm of the problem) about the mean of each trial."""
        inside = levels[:, self.arms]
        return np.asarray(inside - inside.mean(axis=2, keepdims=True))

    def log_likelihood(
        self, c: NDArray[np.float64], sd: NDArray[np.float64], auxiliary: Any = None
    ) -> NDArray[np.float64]:
        """Return the log likelihood of each trial, (value, trial).

        Parameters
        ----------
        c, sd : array, (value, trial, arm)
            Levels about their mean, and standard deviations of the random effects.
        auxiliary : array, (value, parameter), optional
            Parameters of the likelihood alone.
        """
        parts = [batch.integral([])[0] for batch in self._batches(c, sd, auxiliary)]
        return np.concatenate(parts)

    def expectations(
        self,
        functions: Sequence[Callable[[Any, Any, Mapping[str, Any]], Any]],
        c: NDArray[np.float64],
        sd: NDArray[np.float64],
        auxiliary: Any = None,
    ) -> list[NDArray[np.float64]]:
        """Return the means of functions of each arm's linear predictor, given its trial.

        Parameters
        ----------
        functions : sequence of callable
            ``function(eta, auxiliary, data)``, with eta (..., arm) and data of these arms.
        c, sd, auxiliary : array
            As for ``log_likelihood``.

        Returns
        -------
        list of array, (value, trial, arm, ...)
            Of functions that give (..., arm) or (..., arm, number).
        """
        told = [batch.integral(functions)[1] for batch in self._batches(c, sd, auxiliary)]
        joined = [np.concatenate(values) for values in zip(*told, strict=True)]
        return [values.reshape(-1, *self.place.shape, *values.shape[2:]) for values in joined]

    def laplace(
        self, c: NDArray[np.float64], sd: NDArray[np.float64], auxiliary: Any = None
    ) -> Laplace:
        """Return Laplace's approximation, from the peak of each trial's integrand alone."""
        found = [batch.laplace() for batch in self._batches(c, sd, auxiliary)]
        return Laplace(*(np.concatenate(values) for values in zip(*found, strict=True)))

    def width(self, c: NDArray[np.float64], auxiliary: Any = None) -> NDArray[np.float64]:
        """Return the size of tau at which each trial begins to notice it, (trial,), at levels c."""
        bend = self.laplace(c[:1], np.zeros_like(c[:1]), auxiliary).information[0]
        most = np.diagonal(bend, axis1=1, axis2=2).max(axis=1)
        return np.asarray(1 / np.sqrt(np.maximum(most, 1e-4)))

    def levels(
        self,
        c: NDArray[np.float64],
        sd: NDArray[np.float64],
        uniform: NDArray[np.float64],
        auxiliary: Any = None,
    ) -> NDArray[np.float64]:
        """Return draws of the trials' levels m, (value, trial), at as many uniform numbers."""
        start, found = 0, []
        for batch in self._batches(c, sd, auxiliary):
            found.append(batch.drawn(uniform[start : start + batch.values]))
            start += batch.values
        return np.concatenate(found)

    def _batches(
        self, c: NDArray[np.float64], sd: NDArray[np.float64], auxiliary: Any
    ) -> Iterator[Integrand]:
        data = {name: array[self.place.ravel()] for name, array in self.part.data.items()}
        step = max(1, BUDGET // (4 * self.rule.nodes * self.place.size))
        sd = np.broadcast_to(sd, c.shape)
        for first in range(0, len(c), step):
            here = slice(first, first + step)
            size = len(c[here])
            yield Integrand(
                part=self.part,
                data=data,
                shape=(len(self.place), self.place.shape[1]),
                power=self.power.ravel(),
                rule=self.rule,
                c=c[here].reshape(size, -1),
                sd=sd[here].reshape(size, -1),
                auxiliary=None if auxiliary is None else auxiliary[here],
            )


def groups(part: Arms) -> list[Group]:
    """Return the trials of a part, those with as many arms as each other together."""
    return [Group(part, rows, np.ones(rows.shape)) for rows in trials_by_size(part.trial)]


def settled(
    group: Group,
    c: NDArray[np.float64],
    sd: NDArray[np.float64],
    auxiliary: Any = None,
    *,
    tolerance: float = 1e-5,
) -> list[Group]:
    """Return the trials by the nodes they need, so that twice as many would change nothing.

    Parameters
    ----------
    group : Group
        The trials.
    c, sd, auxiliary : array
        Values to look at, as for ``log_likelihood``.
    tolerance : float
        Bound on the change of a trial's log likelihood at any of them.
    """
    coarse, left, found = group.log_likelihood(c, sd, auxiliary), np.arange(len(group.place)), []
    while left.size:
        finer = group.finer()
        fine = finer.trials(left).log_likelihood(c[:, left], sd[:, left], auxiliary)
        done = np.abs(fine - coarse).max(axis=0) <= tolerance
        if finer.rule.nodes > MOST:
            done[:] = True
        if done.any():
            found.append(group.trials(left[done]))
        group, left, coarse = finer, left[~done], fine[:, ~done]
    return found
