"""The level that the network's own trials tell, whether it was sampled or cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, final

import numpy as np

from nma.arm_levels import ArmLevels, arm_levels
from nma.errors import ModelError
from nma.least_squares import BUDGET
from nma.level_trials import NormalLevels, normal_levels
from nma.mixtures import Mixture
from nma.new_trial import generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.instruments import Instrument
    from nma.posterior import Posterior
    from nma.problem import Problem

__all__ = ["OwnLevel", "own_level"]


class _Given(NamedTuple):
    """A sum of levels given the scales: normal about ``constant + slope . beta``, (value, ...)."""

    constant: NDArray[np.float64]
    slope: NDArray[np.float64]
    variance: NDArray[np.float64]

    def __add__(self, other: tuple[Any, ...]) -> _Given:
        """Return the sum of two sums, independent given beta."""
        return _Given(*(one + two for one, two in zip(self, other, strict=True)))


@final
@dataclass(frozen=True, eq=False)
class OwnLevel:
    r"""Mean level of the reference treatment over the trials that tell it.

    A trial's level is that of its mean arm, :math:`m_i + (z_0 - \bar z_i)'\beta`, without random
    effects. Where arms have a likelihood of their own, :math:`m_i` was sampled, or is drawn from
    its distribution given :math:`\beta` and the scales. Where they report normal levels
    :math:`x_k` with variances :math:`v_k`, and :math:`m_i` is flat,

    .. math:: m_i + (z_0 - \bar z_i)'\beta \mid \beta, \tau \sim
       N\left(\sum_k c_k (x_k + (z_0 - z_k)'\beta),\ 1/(1'W1)\right), \qquad
       W = (V + U)^{-1}, \quad c = W1/(1'W1)

    with :math:`V = \mathrm{diag}(v)` and U the covariance of the trial's random effects:
    :math:`\tau^2/2` on the diagonal, so that :math:`c_k \propto 1/(v_k + \tau^2/2)`.

    Parameters
    ----------
    posterior : Posterior
        What was fitted.
    arms : tuple of ArmLevels
        The trials whose arms have a likelihood of their own.
    normal : tuple of NormalLevels
        The trials whose arms report normal levels.
    trials : int
        How many trials there are in all.
    left_out : str
        What the reader must know of trials that are not among them; may be empty.
    """

    posterior: Posterior
    arms: tuple[ArmLevels, ...]
    normal: tuple[NormalLevels, ...]
    trials: int
    left_out: str = ""

    @property
    def is_exact(self) -> bool:
        """Whether the level has a closed form given the scales, and the scales are quadrature."""
        moments = self.posterior.draws.moments
        return not self.arms and moments is not None and not np.isfinite(moments.df)

    @cached_property
    def _level(self) -> NDArray[np.float64]:
        posterior = self.posterior
        return np.asarray(posterior.levels[posterior.position(posterior.comparator)])

    def _given(self, scales: Mapping[str, NDArray[np.float64]], count: int) -> _Given:
        """Return the mean of the normal trials' levels, divided by all trials."""
        size = len(self._level)
        total = _Given(np.zeros(count), np.zeros((count, size)), np.zeros(count))
        for part in self.normal:
            total += _sum(self.posterior.problem, part, self._level, scales, count)
        return _Given(
            total.constant / self.trials, total.slope / self.trials, total.variance / self.trials**2
        )

    def mixture(self, effects: NDArray[np.float64]) -> Mixture:
        """Return the exact posterior of the level plus effects, given as functions of beta.

        Parameters
        ----------
        effects : array, (function, parameter)
            What is added to the level, in its unit.
        """
        moments = self.posterior.draws.moments
        assert moments is not None  # noqa: S101  asked only where exact
        count = len(moments.weight)
        told = self._given(moments.scales, count)
        found = moments.of(told.slope[:, None, :] + effects)
        moved = Mixture(found.weight, found.means + told.constant[:, None], found.sds, found.df)
        return moved.plus(np.broadcast_to(told.variance[:, None], found.sds.shape))

    def draws(self, seed: int) -> NDArray[np.float64]:
        """Return draws of the level, (chain, draw).

        Parameters
        ----------
        seed : int
            The same seed gives the same levels, beside effects that are those of the posterior.
        """
        values, noise = self.posterior.draws.values, generator(seed, purpose=3)
        beta = values["beta"].to_numpy()
        shape = beta.shape[:2]
        found = sum((part.draws(seed) for part in self.arms), np.zeros(shape)) / self.trials
        if not self.normal:
            return found
        scales = {s.name: values[s.name].to_numpy() for s in self.posterior.problem.scales}
        level, z = np.empty(shape), noise.standard_normal(shape)
        arms = max(part.arms.size * part.arms.shape[1] for part in self.normal)
        step = max(1, BUDGET // max(arms, 1))
        for chain in range(shape[0]):
            for start in range(0, shape[1], step):
                here = (chain, slice(start, start + step))
                told = self._given({s: drawn[here] for s, drawn in scales.items()}, len(z[here]))
                mean = told.constant + (told.slope * beta[here]).sum(axis=1)
                level[here] = mean + np.sqrt(told.variance) * z[here]
        return found + level


def _sum(
    problem: Problem,
    part: NormalLevels,
    level: NDArray[np.float64],
    scales: Mapping[str, NDArray[np.float64]],
    count: int,
) -> _Given:
    """Return the sum over trials of points times the level of the reference, given the scales."""
    share, variance = _shares(problem, part, scales, count)
    weight = part.points[:, None] * share
    constant = np.einsum("vtk,tk->v", weight, part.level)
    z = problem.levels[part.arms]
    slope = part.points.sum() * level - np.tensordot(weight, z, axes=([1, 2], [0, 1]))
    return _Given(constant, slope, variance @ part.points**2)


def _shares(
    problem: Problem, part: NormalLevels, scales: Mapping[str, NDArray[np.float64]], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return c, (value, trial, arm), and 1/(1'W1), (value, trial)."""
    size = part.arms.shape[1]
    R = np.broadcast_to(part.variance[..., None] * np.eye(size), (count, *part.arms.shape, size))
    for effect in problem.effects:
        w, unit = effect.weight[part.arms], effect.unit[part.arms]
        shared = unit[:, :, None] == unit[:, None, :]
        square = scales[effect.scale][:, None, None, None] ** 2
        R = R + square * 0.5 * w[:, :, None] * w[:, None, :] * shared
    W = np.linalg.solve(R, np.ones((*R.shape[:-1], 1)))[..., 0]
    total = W.sum(axis=-1)
    return W / total[..., None], 1 / total


def own_level(posterior: Posterior, instrument: Instrument | None, points: float) -> OwnLevel:
    """Return the level that a network's own trials tell, or say why they tell none.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    instrument : Instrument, optional
        Whose points, for SMD, where one is named: trials on others are left out.
    points : float
        Points that one SMD stands for, where none is named; 1 for other measures.

    Raises
    ------
    ModelError
        If no trial tells it, or trials tell levels that are not of one scale.
    """
    if posterior.problem.predictor is not None:
        message = "reference_level='network' needs a linear model: state the level as a number."
        raise ModelError(message)
    arms = arm_levels(posterior)
    normal, left_out = normal_levels(posterior, instrument, points, arms)
    trials = sum(len(part.arms) for part in normal) + sum(len(part.has) for part in arms)
    having = tuple(part for part in arms if part.has.size)
    return OwnLevel(posterior, having, normal, trials, left_out)
