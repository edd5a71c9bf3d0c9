"""Which trials tell the level of the reference, in what unit, and why none does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nma.errors import ModelError, shortened
from nma.problem import Arms, Contrasts, Reading, arm_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.instruments import Instrument
    from nma.posterior import Posterior

__all__ = ["NormalLevels", "normal_levels", "sampled_levels"]

LISTED = 5
"""Trials that a note names."""

Having = list[tuple[Contrasts, "NDArray[np.bool_]"]]
"""Parts of the evidence, and which of their trials tell the level."""


class NormalLevels(NamedTuple):
    """Trials whose arms report normal levels, all of one size.

    ``arms`` (trial, arm) are positions in the problem, ``level`` and ``variance`` (trial, arm) what
    they report, ``points`` (trial,) what one unit of it stands for.
    """

    arms: NDArray[np.int64]
    level: NDArray[np.float64]
    variance: NDArray[np.float64]
    points: NDArray[np.float64]


def normal_levels(
    posterior: Posterior,
    instrument: Instrument | None,
    points: float,
    sampled: NDArray[np.float64] | None,
) -> tuple[tuple[NormalLevels, ...], str]:
    """Return the trials whose arms report normal levels, and what is said of those left out.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    instrument : Instrument, optional
        Whose points, for SMD, where one is named: trials on others are left out.
    points : float
        Points that one SMD stands for, where none is named; 1 for other measures.
    sampled : array, optional
        The levels that were sampled, with which there may be no others.

    Raises
    ------
    ModelError
        If no trial tells a level, or trials tell levels that are not of one scale.
    """
    _require_one_kind(posterior)
    parts = [part for part in posterior.problem.evidence if isinstance(part, Contrasts)]
    having = [(part, _has(posterior, part)) for part in parts]
    _require_some(posterior, parts, having, sampled)
    having, left_out = _chosen(posterior, having, instrument)
    told = (_normal(part, here, instrument, points) for part, here in having if here.any())
    return tuple(told), left_out


def _has(posterior: Posterior, part: Contrasts) -> NDArray[np.bool_]:
    """Return which trials of a part have the reference and report levels, (trial,)."""
    names = posterior.problem.arms["treatment"].to_numpy()[part.arms]
    told = part.reported is not None
    return np.asarray((names == posterior.comparator).any(axis=1) & told)


def _readings(part: Contrasts) -> tuple[Reading, ...]:
    return (Reading(),) * len(part.arms) if part.readings is None else part.readings


def _normal(
    part: Contrasts, here: NDArray[np.bool_], instrument: Instrument | None, points: float
) -> NormalLevels:
    """Return some trials of a part, and the points that their levels are worth."""
    assert part.reported is not None  # noqa: S101  of those that report levels
    worth = np.full(int(here.sum()), points)
    if instrument is not None:
        told = _readings(part)
        worth = np.array([told[k].points for k in np.flatnonzero(here)])
    return NormalLevels(part.arms[here], part.reported[0][here], part.reported[1][here], worth)


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


def _require_one_kind(posterior: Posterior) -> None:
    """Refuse to take the mean over trials of what are levels of different events."""
    outcomes = (source.outcome for source in posterior.network.sources)
    said = {outcome.absolute_link for outcome in outcomes if outcome.reports == "arms"}
    if len(said) > 1:
        message = (
            "reference_level='network' cannot be answered: the trials report levels of different "
            "events or categories, of which there is no mean. State the level."
        )
        raise ModelError(message)


def _refuse(why: str) -> None:
    message = (
        f"reference_level='network' cannot be answered: {why}. State the level as a number or as "
        "nma.priors.Normal, from a cohort or a trial like your patients; trials tell their own if "
        "they are entered by their arms."
    )
    raise ModelError(message)


def sampled_levels(posterior: Posterior) -> NDArray[np.float64] | None:
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
