"""Standardised effects as points of an instrument that readers know."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, final

from nma.effects import effect_table
from nma.errors import ModelError, nearest, shown
from nma.estimates import briefly, captioned, interval_words, located, meanings
from nma.instruments import Instrument, ReferenceSD, find, named
from nma.posterior import require_posterior
from nma.tables import Table, decimals

if TYPE_CHECKING:
    import pandas as pd

    from nma.network import Network
    from nma.posterior import Posterior
    from nma.protocols import Better

__all__ = [
    "KNOWN_SD",
    "PointScale",
    "beyond",
    "in_points",
    "is_number",
    "notices_on",
    "point_scale",
    "require_standardised",
]

KNOWN_SD = (
    "The SD is taken as known, and the effect in SDs as the same on every instrument: neither "
    "doubt is in the intervals."
)
TWO_KINDS = (
    "Within-person differences judge the change of one person, not these differences between "
    "groups."
)


def in_points(
    posterior: Posterior,
    instrument: Instrument | str,
    *,
    reference_sd: float | None = None,
    comparators: Sequence[str] | None = None,
    level: float = 0.95,
) -> Table:
    r"""Return standardised effects as points of a named instrument.

    .. math:: d_{jk}^{\mathrm{points}} = \pm R \, d_{jk}

    with reference standard deviation R, the sign turned where the instrument's direction is not
    that of the outcome.

    Parameters
    ----------
    posterior : Posterior
        A fitted model of standardised mean differences.
    instrument : Instrument or str
        Whose points; one of ``nma.instruments`` or your own, or the name of one that the trials
        or the library know.
    reference_sd : float, optional
        Standard deviation between people, in points of the instrument: at baseline in a large
        trial of the patients you have in mind, or pooled over trials at follow-up. Not of
        changes: it tells how alike changes are, and depends on the time between. If not given,
        the one the trials on this instrument tell: as the analysis used it, or their SDs at
        follow-up, pooled over all arms.
    comparators : sequence of str, optional
        The network's reference alone if not given.
    level : float, default 0.95
        Probability of the equal-tailed credible interval.

    Returns
    -------
    Table
        By (treatment, comparator): ``estimate`` (posterior mean), ``lower``, ``upper``, ``sd`` and
        ``mcse`` in points; ``p_better``, the probability that the treatment is better than the
        comparator. Notes: the important differences on record, each with its kind and source,
        and of the reference SDs of the analysis that of this instrument alone.

    Raises
    ------
    ModelError
        If the measure is not SMD, nothing tells the standard deviation, or it cannot be one of
        this instrument.

    Examples
    --------
    >>> import nma
    >>> off_time = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="SMD", better="lower")
    >>> network = nma.Network.from_arms(
    ...     nma.datasets.load("parkinson"), study="study", treatment="treatment",
    ...     outcome=off_time, reference="placebo",
    ... )
    >>> diary = nma.instruments.Instrument("hours off", 0, 24, "lower")
    >>> table = nma.in_points(nma.fit(network), diary, reference_sd=4)
    >>> float(table.loc[("pramipexole", "placebo"), "estimate"].round(1))
    -1.9

    References
    ----------
    Higgins et al. 2019, Cochrane Handbook for Systematic Reviews of Interventions,
    doi:10.1002/9781119536604, chapter 15, on SMDs in points of a familiar instrument.
    """
    require_posterior(posterior, "in_points")
    require_standardised(posterior.network)
    scale = point_scale(posterior, instrument, reference_sd)
    against = [posterior.comparator] if comparators is None else comparators
    numbers = effect_table(posterior, comparators=against, level=level)
    points = _scaled(numbers, scale.factor)
    digits = decimals(points["sd"].to_numpy())
    return Table(
        points,
        digits=dict.fromkeys(("estimate", "lower", "upper", "sd"), digits) | {"mcse": digits + 2},
        probabilities=["p_better"],
        caption=captioned(
            posterior, located(posterior, _caption(posterior, scale.reference, level))
        ),
        notes=(
            *_notes(scale.instrument),
            *_beyond(points, scale.instrument),
            *scale.notes,
            *meanings(posterior),
            *notices_on(posterior, scale.instrument),
        ),
    )


@final
@dataclass(frozen=True)
class PointScale:
    """What one SMD stands for on an instrument.

    Parameters
    ----------
    reference : ReferenceSD
        Points that one SMD is worth, and of which instrument.
    better : {"lower", "higher"}
        The outcome's direction.
    """

    reference: ReferenceSD
    better: Better

    @property
    def instrument(self) -> Instrument:
        """Whose points."""
        return self.reference.instrument

    @property
    def turned(self) -> bool:
        """Whether the instrument's direction is not the outcome's."""
        return self.instrument.better != self.better

    @property
    def factor(self) -> float:
        """Points per SMD, negative where signs are turned."""
        return -self.reference.value if self.turned else self.reference.value

    @property
    def notes(self) -> tuple[str, ...]:
        """What is taken for granted, and whether signs are turned."""
        turned = f"Signs are turned: {self.better} is better in the outcome."
        return (KNOWN_SD, turned) if self.turned else (KNOWN_SD,)


def point_scale(posterior: Posterior, instrument: Any, reference_sd: Any) -> PointScale:
    """Return what one SMD stands for on an instrument, by the stated SD or the trials'.

    Raises
    ------
    ModelError
        If it is no instrument, nothing tells its SD, or the SD cannot be one of it.
    """
    network = posterior.network
    asked = _asked(network, instrument)
    reference = (
        _told(network, asked)
        if reference_sd is None
        else ReferenceSD(asked, _required_sd(reference_sd, asked), "as stated")
    )
    _required_sd(reference.value, asked)
    return PointScale(reference, network.better)


def is_number(value: Any) -> bool:
    """Return whether a value is a finite real number."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _required_sd(sd: Any, instrument: Instrument) -> float:
    if not is_number(sd) or not 0 < sd <= instrument.width:
        message = (
            f"{shown(sd)} is not a standard deviation of {instrument}: it lies above 0 and "
            f"within the {instrument.width:g} points of the range."
        )
        raise ModelError(message)
    return float(sd)


def _all_told(network: Network) -> list[ReferenceSD]:
    return [r for s in network.sources for r in s.outcome.reference_sds(s.rows)]


def _asked(network: Network, instrument: Any) -> Instrument:
    """Return the instrument, or the one that a name means: the network's before the library's."""
    if isinstance(instrument, Instrument):
        return instrument
    if not isinstance(instrument, str):
        message = (
            f"instrument={shown(instrument)} is not an instrument: give one of "
            "nma.instruments, such as instruments.NRS, or its name, or "
            "Instrument(name, lower, upper, better)."
        )
        raise ModelError(message)
    there = [r.instrument for r in _all_told(network)]
    found = {str(i): i for i in there if find(instrument, {i.name: i}) is not None}
    if len(found) > 1:
        message = (
            f"instrument={instrument!r} could be {' or '.join(found)}: give the Instrument itself."
        )
        raise ModelError(message)
    return next(iter(found.values())) if found else named(instrument)


def notices_on(posterior: Posterior, instrument: Instrument) -> list[str]:
    """Return the notices in brief, with the analysis' SD of this instrument and of no other."""
    told = _all_told(posterior.network)
    own = [str(r) for r in told if r.instrument.same_points(instrument)]
    others = {str(r) for r in told if not r.instrument.same_points(instrument)}
    used = [notice for notice in own if notice in posterior.notices]
    brief = [notice for notice in briefly(posterior) if notice not in others]
    return list(dict.fromkeys([*used, *brief]))


def beyond(names: Sequence[str], means: Sequence[float], instrument: Instrument) -> list[str]:
    """Return a warning where mean scores lie outside the range of their instrument."""
    outside = [
        name
        for name, mean in zip(names, means, strict=True)
        if not instrument.lower <= mean <= instrument.upper
    ]
    if not outside:
        return []
    warning = (
        f"Mean{'s' * (len(outside) > 1)} outside the range of {instrument}: {', '.join(outside)}. "
        "The level, the SD, or effects that are the same in SDs do not fit this instrument."
    )
    return [warning]


def require_standardised(network: Network) -> None:
    """Refuse effects that no standard deviation turns into points of an instrument.

    Raises
    ------
    ModelError
        With why, and what to ask instead.
    """
    measure = network.measure
    links = [source.outcome.absolute_link for source in network.sources]
    if measure == "SMD" and any(link is not None and link.in_sds for link in links):
        return
    why = {
        "MD": "mean differences are in points already: use nma.effect_table",
        "SMD": "it is of ordered categories, in standard deviations of a latent scale that has no "
        "points; nma.absolute_table has the probabilities that effects lead to",
    }.get(measure, "only standardised mean differences can be turned into points")
    message = f"The measure is {measure}: {why}."
    raise ModelError(message)


def _told(network: Network, instrument: Instrument) -> ReferenceSD:
    """Return the standard deviation that the network's trials tell of an instrument."""
    told = _all_told(network)
    found = [reference for reference in told if instrument.same_points(reference.instrument)]
    if len({reference.value for reference in found}) == 1:
        return found[0]
    if found:
        listed = " and ".join(f"{r.value:.4g} ({r.origin})" for r in found)
        message = f"The network tells two SDs of {instrument}, {listed}: state reference_sd=."
        raise ModelError(message)
    listed = ", ".join(sorted({str(reference.instrument) for reference in told}))
    message = (
        f"No trial tells the SD of {instrument}: state reference_sd=, from people at baseline in a "
        f"large trial, or at follow-up; the SD of changes is another. "
        f"{f'The trials tell those of {listed}.' if told else ''}"
        f"{nearest(instrument.name, [r.instrument.name for r in told])}"
    )
    raise ModelError(message.strip())


def _scaled(numbers: pd.DataFrame, factor: float) -> pd.DataFrame:
    """Return effects times a factor, the ends of intervals exchanged where it is negative."""
    ends = ("lower", "upper") if factor > 0 else ("upper", "lower")
    points = numbers[["estimate", *ends]] * factor
    points.columns = numbers.columns[:3]
    spread = numbers[["sd", "mcse"]] * abs(factor)
    return points.join(spread).join(numbers["p_better"])


def _caption(posterior: Posterior, reference: ReferenceSD, level: float) -> str:
    instrument = reference.instrument
    side = "negative" if instrument.better == "lower" else "positive"
    return (
        f"Points of {instrument}, treatment versus comparator, with "
        f"{interval_words(posterior, level)}s; {side} favours the treatment. SMD times "
        f"{reference.value:.4g}, the SD of {instrument.name}, {reference.origin}."
    )


def _notes(instrument: Instrument) -> list[str]:
    """Return the important differences, each with its kind, and the warning not to mix them."""
    if not instrument.important:
        return [f"No important difference of {instrument.name} is on record here."]
    listed = [
        f"Important difference, {difference}."
        for difference in sorted(instrument.important, key=lambda found: found.kind)
    ]
    return listed + [TWO_KINDS] * any(d.kind == "within-person" for d in instrument.important)


def _beyond(points: pd.DataFrame, instrument: Instrument) -> list[str]:
    """Return a warning where effects exceed what two mean scores can differ by."""
    most = float(points[["estimate", "lower", "upper"]].abs().to_numpy().max(initial=0.0))
    if most <= instrument.width:
        return []
    warning = (
        f"Some numbers exceed the {instrument.width:g} points by which two mean scores can differ "
        "at most: the effect in SDs, or the SD, does not fit this instrument."
    )
    return [warning]
