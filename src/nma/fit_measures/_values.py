"""What a posterior gives weight to: nodes of its exact mixture, or draws, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nma.arm_trials import ArmTrials, arm_trials
from nma.errors import ModelError
from nma.least_squares import BUDGET, heterogeneity
from nma.problem import Arms, Contrasts, Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior
    from nma.problem import Evidence, Moments

__all__ = ["Values", "misfit", "require_proper", "strata"]


@final
@dataclass(frozen=True, eq=False)
class Values:
    """Some nodes or draws, and what they say of every arm.

    Parameters
    ----------
    problem : Problem
        What was fitted.
    chain : array of int, (value,)
        The stratum each is from: a chain of draws, or 0 for all nodes.
    weight : array, (value,)
        Sums to one over each stratum.
    scales : mapping of str to array, (value,)
        The scales.
    level : array, (value, arm)
        Level of every arm, z . beta, at the mean of beta given the scales.
    covariance : array, (value, parameter, parameter), optional
        Of beta given the scales; none for draws, in which beta is known.
    drawn : mapping of str to array, (value, ...)
        What else was drawn.
    """

    problem: Problem
    chain: NDArray[np.int64]
    weight: NDArray[np.float64]
    scales: Mapping[str, NDArray[np.float64]]
    level: NDArray[np.float64]
    covariance: NDArray[np.float64] | None
    drawn: Mapping[str, NDArray[np.float64]]

    def heterogeneity(self, part: Contrasts) -> NDArray[np.float64]:
        """Return what the random effects add to the covariance, (value, trial, row, row)."""
        found = heterogeneity(self.problem, part, self.scales)
        return np.broadcast_to(found, (len(self.weight), *part.V.shape))

    def residual(self, part: Contrasts) -> NDArray[np.float64]:
        """Return observed contrasts minus those of the levels, (value, trial, row)."""
        level = self.level[:, part.arms]
        return np.asarray(part.y - (level[:, :, 1:] - level[:, :, :1]))

    def uncertainty(self, part: Contrasts) -> NDArray[np.float64]:
        """Return the covariance of the levels' contrasts, (value, trial, row, row)."""
        if self.covariance is None:
            return np.zeros((len(self.weight), *part.V.shape))
        levels = self.problem.levels[part.arms]
        X = levels[:, 1:] - levels[:, :1]
        moved = np.matmul(X.reshape(-1, X.shape[2]), self.covariance)
        found = np.einsum("vtkp,tlp->vtkl", moved.reshape(len(self.weight), *X.shape), X)
        return np.asarray(found)

    def predictor(self, part: Arms, suffix: str) -> NDArray[np.float64]:
        """Return the linear predictor of every arm of a part, (value, arm)."""
        trial, index = np.unique(part.trial, return_inverse=True)
        member = (index == np.arange(len(trial))[:, None]).astype(float)
        level = self.level[:, part.arms]
        mean = level @ (member / member.sum(axis=1, keepdims=True)).T
        m = self._trial_level(part, suffix)
        return np.asarray(level + (m - mean)[:, index] + self._effects(part))

    def _trial_level(self, part: Arms, suffix: str) -> NDArray[np.float64] | float:
        lower, upper = part.trial_level.support
        return lower if lower == upper else self._kept(f"trial_level{suffix}")

    def _effects(self, part: Arms) -> NDArray[np.float64] | float:
        return self._kept("u")[:, part.arms] if self.problem.effects else 0.0

    def _kept(self, name: str) -> NDArray[np.float64]:
        if name not in self.drawn:
            message = (
                f"The engine kept no draws of {name!r}, and fitted values of arms need them: fit "
                "with nma.engines.Laplace() or nma.engines.NUTS()."
            )
            raise ModelError(message)
        return self.drawn[name]

    def keeps(self, part: Arms, suffix: str) -> bool:
        """Return whether trial levels and random effects of a part are among the draws."""
        lower, upper = part.trial_level.support
        has_level = lower == upper or f"trial_level{suffix}" in self.drawn
        return has_level and (not self.problem.effects or "u" in self.drawn)

    def expectations(self, part: Arms, suffix: str) -> dict[str, NDArray[np.float64]]:
        """Return means of fitted values, linear predictors and deviances given each value.

        Trial levels and random effects are integrated out. Each is (value, arm of the part, ...).
        """
        functions = {
            "fitted": lambda eta, own, data: part.fitted(eta, own, data, np),
            "eta": lambda eta, own, data: eta,  # noqa: ARG005
            "density": lambda eta, own, data: part.density(eta, own, data, np),
        }
        own = self.auxiliary(part, suffix)
        found: dict[str, NDArray[np.float64]] = {}
        for trials in arm_trials(self.problem, part):
            told = trials.expectations([*functions.values()], self.level, self.scales, own)
            for name, values in zip(functions, told, strict=True):
                shape = (len(values), len(part.arms), *values.shape[3:])
                whole = found.setdefault(name, np.empty(shape))
                whole[:, trials.group.place] = values
        typical = found["eta"].mean(axis=0), None if own is None else own.mean(axis=0)
        best = part.deviance(part.fitted(*typical, part.data, np), part.data, np) / 2
        best = best + part.density(*typical, part.data, np)
        # through the density, which stays finite where a probability rounds to one
        found["deviance"] = 2 * (best - found.pop("density"))
        return found

    def log_likelihood(self, part: Arms, suffix: str) -> NDArray[np.float64]:
        """Return the log likelihood of the trials of a part, (value, trial), likewise."""
        own = self.auxiliary(part, suffix)
        return self._by_place(part, lambda one: one.log_likelihood(self.level, self.scales, own))

    def without(self, part: Arms, suffix: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the log density of each arm given its trial's others, (value, arm), likewise.

        The first is that of the arm seen once more, the second that of the arm left out.
        """
        own = self.auxiliary(part, suffix)
        again, out = (np.empty((len(self.weight), len(part.arms))) for _ in range(2))
        for trials in arm_trials(self.problem, part):
            once = trials.log_likelihood(self.level, self.scales, own)
            for arm in range(trials.group.place.shape[1]):
                twice, never = (
                    trials.counting(arm, times).log_likelihood(self.level, self.scales, own)
                    for times in (2, 0)
                )
                again[:, trials.group.place[:, arm]] = twice - once
                out[:, trials.group.place[:, arm]] = once - never
        return again, out

    def _by_place(
        self, part: Arms, told: Callable[[ArmTrials], NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """Return what trials tell, in the order in which they stand in a part."""
        trials = arm_trials(self.problem, part)
        found = np.concatenate([told(each) for each in trials], axis=1)
        first = np.concatenate([each.group.place[:, 0] for each in trials])
        return np.asarray(found[:, np.argsort(first)])

    def auxiliary(self, part: Arms, suffix: str) -> NDArray[np.float64] | None:
        """Return the parameters of a likelihood alone, (value, parameter)."""
        return None if part.auxiliary is None else self._kept(f"auxiliary{suffix}")


def misfit(values: Values, part: Contrasts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Return mean and covariance of y minus the trials' own contrasts delta.

    With :math:`R = V + C`, where C is what heterogeneity adds, and :math:`A = V R^{-1}`,

    .. math:: y - \delta \mid y \sim N(A (y - X b),\ A C + A X \Sigma X' A').

    Returns
    -------
    mean : array, (value, trial, row)
    covariance : array, (value, trial, row, row)
    """
    C = values.heterogeneity(part)
    A = np.swapaxes(np.linalg.solve(part.V + C, np.broadcast_to(part.V, C.shape)), 2, 3)
    mean = np.einsum("vtjk,vtk->vtj", A, values.residual(part))
    covariance = A @ C
    if values.covariance is not None:
        covariance = covariance + A @ values.uncertainty(part) @ np.swapaxes(A, 2, 3)
    return mean, covariance


def require_proper(posterior: Posterior) -> None:
    """Refuse an answer that is no posterior: one without an evidence has no deviance to average.

    Raises
    ------
    ModelError
        If the log evidence is not a number.
    """
    moments = posterior.draws.moments
    if moments is not None and not np.isfinite(moments.log_evidence):
        message = (
            f"{type(posterior.engine).__name__} gives no posterior: with flat priors and a known "
            "heterogeneity there is no deviance to average and nothing to predict with. Fit with "
            "nma.engines.Gaussian(), or for counts with nma.engines.Laplace()."
        )
        raise ModelError(message)


def strata(posterior: Posterior) -> Iterator[Values]:
    """Yield everything a posterior gives weight to, in batches that fit into memory."""
    problem, moments = posterior.problem, posterior.draws.moments
    rows = sum(_size(part) for part in problem.evidence)
    parameters = len(problem.parameters.names)
    if moments is not None:
        step = max(1, BUDGET // max(rows * parameters, parameters**2))
        yield from _nodes(problem, moments, step)
    else:
        yield from _draws(posterior, max(1, BUDGET // max(4 * rows, len(problem.arms))))


def _size(part: Evidence) -> int:
    """Return how many numbers a part has for each value of the parameters, about."""
    if isinstance(part, Contrasts):
        return int(np.size(part.V))
    return max(len(part.arms), *(np.size(column) for column in part.data.values()))


def _nodes(problem: Problem, moments: Moments, step: int) -> Iterator[Values]:
    for start in range(0, len(moments.weight), step):
        here = slice(start, start + step)
        yield Values(
            problem=problem,
            chain=np.zeros(len(moments.weight[here]), dtype=np.int64),
            weight=moments.weight[here],
            scales={name: values[here] for name, values in moments.scales.items()},
            level=moments.mean[here] @ problem.levels.T,
            covariance=moments.covariance[here],
            drawn={},
        )


def _draws(posterior: Posterior, step: int) -> Iterator[Values]:
    problem, values = posterior.problem, posterior.draws.values
    arrays = {str(name): table.to_numpy() for name, table in values.data_vars.items()}
    chains, draws = values.sizes["chain"], values.sizes["draw"]
    flat = {name: array.reshape(chains * draws, *array.shape[2:]) for name, array in arrays.items()}
    for start in range(0, chains * draws, step):
        drawn = {name: array[start : start + step] for name, array in flat.items()}
        size = len(drawn["beta"])
        yield Values(
            problem=problem,
            chain=np.arange(start, start + size) // draws,
            weight=np.full(size, 1 / draws),
            scales={scale.name: drawn[scale.name] for scale in problem.scales},
            level=_levels(problem, drawn["beta"]),
            covariance=None,
            drawn=drawn,
        )


def _levels(problem: Problem, beta: NDArray[np.float64]) -> NDArray[np.float64]:
    if problem.predictor is None:
        return beta @ problem.levels.T
    found: list[Any] = [problem.predictor(values, problem.levels, np) for values in beta]
    return np.stack(found)
