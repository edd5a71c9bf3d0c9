"""Standardised effects as points of an instrument that readers know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nma.effects import effect_table
from nma.errors import ModelError, nearest, shown
from nma.estimates import captioned, interval_name, meanings
from nma.instruments import Instrument, ReferenceSD
from nma.tables import Table, decimals

if TYPE_CHECKING:
    import pandas as pd

    from nma.network import Network
    from nma.posterior import Posterior

__all__ = ["in_points"]

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
    instrument: Instrument,
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
    instrument : Instrument
        Whose points; one of ``nma.instruments`` or your own.
    reference_sd : float, optional
        Standard deviation between participants, in points of the instrument. If not given, the
        one the trials on this instrument tell: as the analysis used it, or pooled over their arms.
    comparators : sequence of str, optional
        The network's reference alone if not given.
    level : float, default 0.95
        Probability of the equal-tailed credible interval.

    Returns
    -------
    Table
        By (treatment, comparator): ``estimate`` (posterior mean), ``lower``, ``upper``, ``sd`` and
        ``mcse`` in points; ``p_better``, the probability that the treatment is better than the
        comparator. Notes: the important differences on record, each with its kind and source.

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
    """
    _require_standardised(posterior.network)
    reference = _reference(posterior.network, instrument, reference_sd)
    against = [posterior.comparator] if comparators is None else comparators
    numbers = effect_table(posterior, comparators=against, level=level)
    turned = instrument.better != posterior.network.better
    points = _scaled(numbers, -reference.value if turned else reference.value)
    digits = decimals(points["sd"].to_numpy())
    return Table(
        points,
        digits=dict.fromkeys(("estimate", "lower", "upper", "sd"), digits) | {"mcse": digits + 2},
        caption=captioned(posterior, _caption(posterior, reference, level)),
        notes=(
            *_notes(instrument),
            *_beyond(points, instrument),
            KNOWN_SD,
            *([f"Signs are turned: {posterior.network.better} is better in the outcome."] * turned),
            *meanings(posterior),
            *posterior.notices,
        ),
    )


def _require_standardised(network: Network) -> None:
    measure = network.measure
    if measure == "SMD":
        return
    why = (
        "mean differences are in points already: use nma.effect_table"
        if measure == "MD"
        else "only standardised mean differences can be turned into points"
    )
    message = f"The measure is {measure}: {why}."
    raise ModelError(message)


def _reference(network: Network, instrument: Instrument, stated: float | None) -> ReferenceSD:
    if not isinstance(instrument, Instrument):
        message = (
            f"instrument={shown(instrument)} is not an instrument: give one of "
            "nma.instruments, such as instruments.NRS, or Instrument(name, lower, upper, better)."
        )
        raise ModelError(message)
    reference = (
        _told(network, instrument)
        if stated is None
        else ReferenceSD(instrument, float(stated), "as stated")
    )
    if not 0 < reference.value <= instrument.width:
        message = (
            f"{reference.value:g} is not a standard deviation of {instrument}: it lies above 0 and "
            f"within the {instrument.width:g} points of the range."
        )
        raise ModelError(message)
    return reference


def _told(network: Network, instrument: Instrument) -> ReferenceSD:
    """Return the standard deviation that the network's trials tell of an instrument."""
    told = [r for s in network.sources for r in s.outcome.reference_sds(s.rows)]
    found = [reference for reference in told if instrument.same_points(reference.instrument)]
    if len({reference.value for reference in found}) == 1:
        return found[0]
    if found:
        listed = " and ".join(f"{r.value:.4g} ({r.origin})" for r in found)
        message = f"The network tells two SDs of {instrument}, {listed}: state reference_sd=."
        raise ModelError(message)
    listed = ", ".join(sorted({str(reference.instrument) for reference in told}))
    message = (
        f"No trial tells the SD of {instrument}: state reference_sd=, from a trial or survey on "
        f"that instrument. {f'The trials tell those of {listed}.' if told else ''}"
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
        f"{interval_name(posterior, level)}s; {side} favours the treatment. SMD times "
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
    most = float(points[["estimate", "lower", "upper"]].abs().to_numpy().max())
    if most <= instrument.width:
        return []
    warning = (
        f"Some numbers exceed the {instrument.width:g} points by which two mean scores can differ "
        "at most: the effect in SDs, or the SD, does not fit this instrument."
    )
    return [warning]
