"""The level that the network's own trials tell, whether it was sampled or cancelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, final

import numpy as np

from nma.errors import ModelError, shortened
from nma.least_squares import BUDGET
from nma.mixtures import Mixture
from nma.new_trial import generator
from nma.problem import Arms, Contrasts, Reading, arm_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.instruments import Instrument
    from nma.posterior import Posterior
    from nma.problem import Problem

__all__ = ["OwnLevel", "own_level"]

LISTED = 5
"""Trials that a note names."""


class _Normal(NamedTuple):
    """Trials whose arms report normal levels, all of one size.

    ``arms`` (trial, arm) are positions in the problem, ``level`` and ``variance`` (trial, arm) what
    they report, ``points`` (trial,) what one unit of it stands for.
    """

    arms: NDArray[np.int64]
    level: NDArray[np.float64]
    variance: NDArray[np.float64]
    points: NDArray[np.float64]


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
    effects. Where arms have a likelihood of their own, :math:`m_i` was sampled. Where they report
    normal levels :math:`x_k` with variances :math:`v_k`, and :math:`m_i` is flat,

    .. math:: m_i + (z_0 - \bar z_i)'\beta \mid \beta, \tau \sim
       N\Big(\sum_k c_k (x_k + (z_0 - z_k)'\beta),\ 1/(1'W1)\Big), \qquad
       W = (V + U)^{-1}, \quad c = W1/(1'W1)

    with :math:`V = \mathrm{diag}(v)` and U the covariance of the trial's random effects:
    :math:`\tau^2/2` on the diagonal, so that :math:`c_k \propto 1/(v_k + \tau^2/2)`.

    Parameters
    ----------
    posterior : Posterior
        What was fitted.
    sampled : array, (chain, draw), or None
        Sum of the levels of trials whose level was sampled, if there are any.
    normal : tuple of _Normal
        The trials whose arms report normal levels.
    trials : int
        How many trials there are in all.
    left_out : str
        What the reader must know of trials that are not among them; may be empty.
    """

    posterior: Posterior
    sampled: NDArray[np.float64] | None
    normal: tuple[_Normal, ...]
    trials: int
    left_out: str = ""

    @property
    def is_exact(self) -> bool:
        """Whether the level has a closed form given the scales, and the scales are quadrature."""
        moments = self.posterior.draws.moments
        return self.sampled is None and moments is not None and not np.isfinite(moments.df)

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
        found = np.zeros(shape) if self.sampled is None else self.sampled / self.trials
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
    part: _Normal,
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
    problem: Problem, part: _Normal, scales: Mapping[str, NDArray[np.float64]], count: int
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
    problem = posterior.problem
    if problem.predictor is not None:
        message = "reference_level='network' needs a linear model: state the level as a number."
        raise ModelError(message)
    sampled = _sampled(posterior)
    parts = [part for part in problem.evidence if isinstance(part, Contrasts)]
    having = [(part, _has(posterior, part)) for part in parts]
    _require_some(posterior, parts, having, sampled)
    having, left_out = _chosen(posterior, having, instrument)
    normal = tuple(_normal(part, here, instrument, points) for part, here in having if here.any())
    trials = sum(len(part.arms) for part in normal) + (0 if sampled is None else sampled.shape[-1])
    total = None if sampled is None else sampled.sum(axis=-1)
    return OwnLevel(posterior, total, normal, trials, left_out)


def _has(posterior: Posterior, part: Contrasts) -> NDArray[np.bool_]:
    """Return which trials of a part have the reference and report levels, (trial,)."""
    names = posterior.problem.arms["treatment"].to_numpy()[part.arms]
    told = part.reported is not None
    return np.asarray((names == posterior.comparator).any(axis=1) & told)


def _readings(part: Contrasts) -> tuple[Reading, ...]:
    return (Reading(),) * len(part.arms) if part.readings is None else part.readings


def _normal(
    part: Contrasts, here: NDArray[np.bool_], instrument: Instrument | None, points: float
) -> _Normal:
    """Return some trials of a part, and the points that their levels are worth."""
    assert part.reported is not None  # noqa: S101  of those that report levels
    worth = np.full(int(here.sum()), points)
    if instrument is not None:
        told = _readings(part)
        worth = np.array([told[k].points for k in np.flatnonzero(here)])
    return _Normal(part.arms[here], part.reported[0][here], part.reported[1][here], worth)


Having = list[tuple[Contrasts, "NDArray[np.bool_]"]]
"""Parts of the evidence, and which of their trials tell the level."""


def _chosen(
    posterior: Posterior, having: Having, instrument: Instrument | None
) -> tuple[Having, str]:
    """Return the trials on one scale that report final scores if any does, and what was left."""
    on = [
        (part, here & [_is_on(told, instrument) for told in _readings(part)])
        for part, here in having
    ]
    if instrument is not None and not any(here.any() for _, here in on):
        _refuse(f"no trial that has {posterior.comparator!r} and reports arms is on {instrument}")
    changes = [
        (part, here & [told.is_change is True for told in _readings(part)]) for part, here in on
    ]
    finals = [(part, here & ~change) for (part, here), (_, change) in zip(on, changes, strict=True)]
    chosen, gone = (finals, changes) if any(h.any() for _, h in finals) else (changes, [])
    _require_one_scale(posterior, chosen, named=instrument is not None)
    return chosen, _words(posterior, chosen, gone)


def _is_on(told: Reading, instrument: Instrument | None) -> bool:
    if instrument is None:
        return True
    return told.instrument is not None and told.instrument.same_points(instrument)


def _words(posterior: Posterior, chosen: Having, gone: Having) -> str:
    """Return what is left out because it is a change, or what the means are taken for."""
    if posterior.network.measure not in {"MD", "SMD"}:
        return ""
    told = [_readings(part)[k].is_change for part, here in chosen for k in np.flatnonzero(here)]
    if not told:
        return ""
    if all(told):
        return "These trials report changes from baseline, so the level is a mean change."
    names = _studies(posterior, gone)
    parts = [f"Left out, for reporting changes from baseline: {_listed(names)}."] if names else []
    if None in told:
        parts.append(
            "Means are taken as final scores: a trial that reports changes tells another level."
        )
    return " ".join(parts)


def _studies(posterior: Posterior, having: Having) -> list[str]:
    study = posterior.problem.arms["study"].to_numpy()
    return sorted(str(name) for part, here in having for name in study[part.arms[here, 0]])


def _listed(names: Sequence[str]) -> str:
    more = len(names) - LISTED
    return ", ".join(map(shortened, names[:LISTED])) + (f" and {more} more" if more > 0 else "")


def _require_one_scale(posterior: Posterior, chosen: Having, *, named: bool) -> None:
    """Refuse levels that are not in one unit: of several instruments, or reversed in part."""
    told = [_readings(part)[k] for part, here in chosen for k in np.flatnonzero(here)]
    by_unit = {(str(reading.instrument), reading.points): reading for reading in told}
    if named or len(by_unit) < 2:
        return
    names = sorted({name for name, _ in by_unit})
    if posterior.network.measure == "SMD":
        first = next(iter(by_unit.values())).instrument
        example = "" if first is None else f", such as instrument={first.name!r}"
        _refuse(
            f"trials with {posterior.comparator!r} report on {' and '.join(names)}, whose levels "
            f"are not on one scale. Name the one to be read{example}"
        )
    if len({reading.points for reading in told}) > 1:
        _refuse(
            f"the means of some instruments among {' and '.join(names)} were reversed in sign, so "
            "the trials' levels are not on one scale"
        )


def _require_some(
    posterior: Posterior,
    parts: Sequence[Contrasts],
    having: Having,
    sampled: NDArray[np.float64] | None,
) -> None:
    """Refuse where no trial tells a level, with the reason."""
    told = any(here.any() for _, here in having) or bool(sampled is not None and sampled.size)
    if told:
        return
    own = any(np.isnan(reading.points) for part in parts for reading in _readings(part))
    if own:
        _refuse(
            "every trial is in units of its own SD, so its level is in a unit of its own too. "
            "Standardise by instrument: in the outcome, name `instrument` and reference_sd='pooled'"
        )
    if sampled is None and not any(part.reported is not None for part in parts):
        _refuse("no trial is analysed by its arms, and differences within trials tell no level")
    _refuse(f"no trial that reports arms has {posterior.comparator!r}")


def _refuse(why: str) -> None:
    message = (
        f"reference_level='network' cannot be answered: {why}. State the level as a number or as "
        "nma.priors.Normal, from a cohort or a trial like your patients; trials tell their own if "
        "they are entered by their arms."
    )
    raise ModelError(message)


def _sampled(posterior: Posterior) -> NDArray[np.float64] | None:
    """Return the sampled levels of the reference in the trials that have it, drawn last."""
    problem = posterior.problem
    found = [
        _of_arms(posterior, part, suffix)
        for place, suffix in arm_parts(problem).items()
        if isinstance(part := problem.evidence[place], Arms)
    ]
    return np.concatenate(found, axis=-1) if found else None


def _of_arms(posterior: Posterior, part: Arms, suffix: str) -> NDArray[np.float64]:
    """Return m_i + (z - mean of z) . beta of the reference in the trials that have it."""
    problem = posterior.problem
    trial, index = np.unique(part.trial, return_inverse=True)
    member = (index == np.arange(len(trial))[:, None]).astype(float)
    mean = member / member.sum(axis=1, keepdims=True) @ problem.levels[part.arms]
    is_reference = problem.arms["treatment"].to_numpy()[part.arms] == posterior.comparator
    has = np.unique(index[is_reference])
    level = posterior.levels[posterior.position(posterior.comparator)]
    beta = posterior.draws.values["beta"].to_numpy()
    return np.asarray(_trial_level(posterior, part, suffix, has) + beta @ (level - mean[has]).T)


def _trial_level(posterior: Posterior, part: Arms, suffix: str, has: NDArray[np.int64]) -> Any:
    lower, upper = part.trial_level.support
    if lower == upper:
        return lower
    name = f"trial_level{suffix}"
    if name not in posterior.draws.values:
        message = (
            f"{type(posterior.engine).__name__} kept no trial levels, of which "
            "reference_level='network' is made: fit with nma.engines.NUTS(), or state the level."
        )
        raise ModelError(message)
    return posterior.draws.values[name].to_numpy()[..., has]
