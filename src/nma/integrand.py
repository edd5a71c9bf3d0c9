r"""The integrand within trials: its peak, and integrals about the peak.

See ``nma.integrated`` for what it is the likelihood of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nma.interpolation import inverted
from nma.problem import Arms
from nma.two_sided import Rule, widths

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Integrand"]

STEP = 1e-3
"""Step of numerical derivatives, on the scale of the linear predictor."""

LONGEST = 4.0
"""Longest move of a trial's level in one step towards its mode."""

MOVES = 60
"""Steps towards a mode, at most."""

AMPLE = 1.1
"""Factor on the widths that a single look tells."""

LOWEST = -1e300
"""Log density below every other, finite so that it can be subtracted."""

LOG_ROOT = 0.5 * float(np.log(2 * np.pi))

SETTLED = 1e-2
"""Last move towards a mode, in standard deviations: nodes need to be near it, no more."""


@final
@dataclass(frozen=True, eq=False)
class _Mode:
    """Where the integrand of each trial peaks, and how it bends there.

    Parameters
    ----------
    m, sd : array, (value, trial)
        The trial's level, and the standard deviation that its curvature stands for.
    e, bend : array, (value, arm)
        The effects in standard deviations, and minus the second derivative of the log density.
    """

    m: NDArray[np.float64]
    sd: NDArray[np.float64]
    e: NDArray[np.float64]
    bend: NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Integrand:
    """The integrand of trials with as many arms as each other, at values of what is given.

    Parameters
    ----------
    part : Arms
        Has the density and the prior of trial levels.
    data : mapping of str to array, (arm, ...)
        Of these arms, trial by trial.
    shape : tuple of int
        Trials, and arms of each.
    power : array, (arm,)
        How often each arm is counted.
    rule : Rule
        Nodes of each integral.
    c, sd : array, (value, arm)
        Levels about the mean of their trial, and standard deviations of the random effects.
    auxiliary : array, (value, parameter), optional
        Parameters of the likelihood alone.
    """

    part: Arms
    data: Mapping[str, NDArray[np.float64]]
    shape: tuple[int, int]
    power: NDArray[np.float64]
    rule: Rule
    c: NDArray[np.float64]
    sd: NDArray[np.float64]
    auxiliary: Any

    @property
    def values(self) -> int:
        """How many values are given."""
        return len(self.c)

    def integral(
        self, functions: Sequence[Any]
    ) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
        """Return the log likelihood, (value, trial), and means of functions, (value, arm)."""
        log_value, inner, _, _ = self._outer(functions)
        top = log_value.max(axis=0)
        weight = np.exp(log_value - top)
        total = weight.sum(axis=0)
        share = self._each(weight / total)
        means = [_averaged(share, np.stack(values)) for values in zip(*inner, strict=True)]
        return top + np.log(total), means

    def laplace(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return value, slope and information at the peak; see ``Laplace``."""
        mode = self._mode()
        eta = self._each(mode.m) + self.c + self.sd * mode.e
        log_density, slope, bend = self._derivatives(eta)
        lesser = 1 + self.sd**2 * bend
        value = self._by_trial(log_density - mode.e**2 / 2 - 0.5 * np.log(lesser))
        shape = (self.values, *self.shape)
        weight = (bend / lesser).reshape(shape)
        information = weight[..., None] * np.eye(shape[2])
        if self._known is None:
            value = value + self._prior(mode.m) + LOG_ROOT + np.log(mode.sd)
            shared = weight[..., None] * weight[..., None, :] * mode.sd[..., None, None] ** 2
            information = information - shared
        return value, slope.reshape(shape), information

    def drawn(self, uniform: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the levels m at which the conditional distribution reaches ``uniform``."""
        if self._known is not None:
            return np.full_like(uniform, self._known)
        log_value, _, mode, sides = self._outer([])
        rows = log_value.reshape(len(log_value), -1).T
        position, _ = inverted(rows, uniform.ravel())
        nodes = self.rule.t
        t = np.interp(position, np.arange(len(nodes)), nodes).reshape(uniform.shape)
        return np.asarray(mode.m + self.rule.step(t, *sides))

    def _outer(self, functions: Sequence[Any]) -> tuple[Any, list[Any], Any, Any]:
        """Return the log integrand at every node, (node, value, trial), and what is within."""
        mode = self._mode()
        if self._known is not None:
            log_arm, means = self._arms(mode.m, mode.e, functions)
            return self._by_trial(log_arm)[None], [means], mode, None
        sides = tuple(widths(self._fall(mode, sign), mode.sd) for sign in (-1.0, 1.0))
        levels = mode.m + self.rule.steps(*sides)
        middle, found = len(levels) // 2, {}
        for order in (range(middle, -1, -1), range(middle + 1, len(levels))):
            m, e, bend = mode.m, mode.e, mode.bend
            for node in order:
                e, bend = self._followed(levels[node] - m, levels[node], e, bend)
                m = levels[node]
                found[node] = self._arms(m, e, functions)
        log_level = self._prior(levels) + self.rule.log_weights(*sides)
        log_arms = np.stack([found[node][0] for node in range(len(levels))])
        inner = [found[node][1] for node in range(len(levels))]
        return log_level + self._by_trial(log_arms), inner, mode, sides

    def _arms(
        self, m: NDArray[np.float64], e: NDArray[np.float64], functions: Sequence[Any]
    ) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
        """Return the log integral over each arm's effect, (value, arm), and means of functions."""
        centre = self._each(m) + self.c
        if not self.sd.any():
            return self._density(centre), self._asked(functions, centre)
        sd = 1 / np.sqrt(1 + self.sd**2 * self._derivatives(centre + self.sd * e)[2])
        sides = tuple(self._breadth(centre, e, sign, sd) for sign in (-1.0, 1.0))
        effect = e + self.rule.steps(*sides)
        eta = centre + self.sd * effect
        log_value = self._density(eta) - effect**2 / 2 + self.rule.log_weights(*sides) - LOG_ROOT
        top = np.maximum(log_value.max(axis=0), LOWEST)
        weight = np.exp(log_value - top)
        total = weight.sum(axis=0)
        told = self._asked(functions, eta)
        return top + np.log(total), [_averaged(weight / total, value) for value in told]

    def _asked(self, functions: Sequence[Any], eta: NDArray[np.float64]) -> list[Any]:
        """Return the functions' values, which may overflow where there is no weight."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return [function(eta, self.auxiliary, self.data) for function in functions]

    def _breadth(
        self, centre: NDArray[np.float64], e: NDArray[np.float64], sign: float, sd: Any
    ) -> NDArray[np.float64]:
        """Return the standard deviation that the fall of an arm's integrand to one side tells."""
        away = e + 3 * sign * sd
        both = np.stack([e, away])
        here, there = self._density(centre + self.sd * both) - both**2 / 2
        with np.errstate(invalid="ignore", over="ignore"):
            found = AMPLE * 3 * sd / np.sqrt(2 * np.maximum(here - there, 1e-9))
        return np.asarray(np.clip(found, sd / 4, AMPLE * np.maximum(sd, 1.0)))

    def _mode(self) -> _Mode:
        m, e = self._start(), np.zeros_like(self.c)
        for _ in range(MOVES):
            move = self._move(m, e)
            m, e, settled = self._improved(m, e, move)
            if settled:
                break
        bend = self._derivatives(self._each(m) + self.c + self.sd * e)[2]
        precision = self._by_trial(bend / (1 + self.sd**2 * bend)) + self._prior_derivatives(m)[1]
        return _Mode(m, 1 / np.sqrt(np.maximum(precision, 1e-8)), e, bend)

    def _start(self) -> NDArray[np.float64]:
        shape = (self.values, self.shape[0])
        lower, upper = self.part.trial_level.support
        if np.isfinite(lower) and np.isfinite(upper):
            return np.full(shape, (lower + upper) / 2)
        return np.full(shape, max(lower + 1.0, min(upper - 1.0, 0.0)))

    def _move(self, m: NDArray[np.float64], e: NDArray[np.float64]) -> tuple[Any, Any, Any]:
        """Return a Newton step of (m, e), and the standard deviation of m."""
        _, slope, bend = self._derivatives(self._each(m) + self.c + self.sd * e)
        lesser = 1 + self.sd**2 * bend
        prior_slope, prior_bend = self._prior_derivatives(m)
        precision = np.maximum(self._by_trial(bend / lesser) + prior_bend, 1e-8)
        dm = (self._by_trial((slope + bend * self.sd * e) / lesser) + prior_slope) / precision
        dm = np.clip(dm, -LONGEST, LONGEST) if self._known is None else np.zeros_like(m)
        de = (self.sd * slope - self.sd * bend * self._each(dm) - e) / lesser
        return dm, de, 1 / np.sqrt(precision)

    def _improved(
        self, m: NDArray[np.float64], e: NDArray[np.float64], move: tuple[Any, Any, Any]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
        """Return (m, e) after a step, halved while it leads down, and whether it was small."""
        dm, de, sd = move
        before = self._joint(m, e)
        for _ in range(MOVES):
            worse = ~(self._joint(m + dm, e + de) >= before - 1e-9 * (1 + np.abs(before)))
            if not worse.any():
                break
            dm = np.where(worse, dm / 2, dm)
            de = np.where(self._each(worse), de / 2, de)
        lesser = np.abs(dm) <= SETTLED * sd
        settled = bool(lesser.all() and (np.abs(de) <= 10 * SETTLED).all())
        return m + dm, e + de, settled

    def _joint(self, m: NDArray[np.float64], e: NDArray[np.float64]) -> NDArray[np.float64]:
        arms = self._density(self._each(m) + self.c + self.sd * e) - e**2 / 2
        return self._by_trial(arms) + self._prior(m)

    def _followed(
        self, dm: NDArray[np.float64], m: NDArray[np.float64], e: NDArray[np.float64], bend: Any
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the effects' modes after a move of m, from those before, and the bend there."""
        if not self.sd.any():
            return e, bend
        e = e - self.sd * bend / (1 + self.sd**2 * bend) * self._each(dm)
        _, slope, bend = self._derivatives(self._each(m) + self.c + self.sd * e)
        step = (self.sd * slope - e) / (1 + self.sd**2 * bend)
        return e + np.clip(step, -3.0, 3.0), bend

    def _fall(self, mode: _Mode, sign: float) -> Callable[[Any], Any]:
        """Return how far Laplace's log integrand lies below its peak at distances from it."""

        def value(m: NDArray[np.float64]) -> NDArray[np.float64]:
            e, _ = self._followed(m - mode.m, m, mode.e, mode.bend)
            e, bend = self._followed(np.zeros_like(m), m, e, mode.bend)
            arms = self._density(self._each(m) + self.c + self.sd * e) - e**2 / 2
            arms = arms - 0.5 * np.log1p(self.sd**2 * bend)
            return self._by_trial(arms) + self._prior(m)

        top = value(mode.m)
        return lambda distance: top - value(mode.m + sign * distance)

    @property
    def _known(self) -> float | None:
        lower, upper = self.part.trial_level.support
        return lower if lower == upper else None

    def _prior(self, m: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self.part.trial_level.log_density(m))

    def _prior_derivatives(
        self, m: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        below, here, above = (self._prior(m + step) for step in (-STEP, 0.0, STEP))
        with np.errstate(invalid="ignore"):
            slope, bend = (above - below) / (2 * STEP), (2 * here - above - below) / STEP**2
        inside = np.isfinite(slope)
        return np.where(inside, slope, 0.0), np.where(inside, np.maximum(bend, 0.0), 0.0)

    def _derivatives(
        self, eta: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return the log density of arms, its slope, and minus its second derivative."""
        below, here, above = self._density(np.stack([eta - STEP, eta, eta + STEP]))
        with np.errstate(invalid="ignore"):
            slope, bend = (above - below) / (2 * STEP), (2 * here - above - below) / STEP**2
        return here, np.nan_to_num(slope), np.maximum(np.nan_to_num(bend), 0.0)

    def _density(self, eta: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            found = self.part.density(eta, self.auxiliary, self.data, np)
        found = np.where(np.isnan(found), -np.inf, found)
        if self._is_whole:
            return found
        power = self.power
        with np.errstate(invalid="ignore"):
            return np.where(power > 0, power * found, 0.0)

    @cached_property
    def _is_whole(self) -> bool:
        return bool((self.power == 1).all())

    def _by_trial(self, arms: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum over the arms of each trial."""
        return np.asarray(arms.reshape(*arms.shape[:-1], *self.shape).sum(axis=-1))

    def _each(self, trials: NDArray[Any]) -> NDArray[Any]:
        """Return what trials have, arm by arm."""
        return np.repeat(trials, self.shape[1], axis=-1)


def _averaged(share: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weighted means over nodes, (value, arm, ...), from shares (node, value, arm)."""
    share = share.reshape(share.shape + (1,) * (values.ndim - share.ndim))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(share > 0, share * values, 0.0).sum(axis=0))
