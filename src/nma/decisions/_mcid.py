"""A difference between groups that matters, on the scale of the outcome."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from nma.errors import ModelError, shown
from nma.instruments import ImportantDifference, Instrument, Kind
from nma.points import is_number, point_scale, require_standardised

if TYPE_CHECKING:
    from nma.posterior import Posterior

__all__ = ["MCID", "magnitude"]


@final
@dataclass(frozen=True)
class MCID:
    r"""The smallest difference between groups that matters, whose it is, and in what unit.

    Parameters
    ----------
    value : float
        On the outcome's own scale and without a sign: points for MD, standard deviations for SMD,
        a ratio above one for OR, RR, HR, IRR and ROM, a share for RD; points of ``instrument``
        where one is named.
    kind : {"between-group", "within-person"}
        What it was made to judge. Verbs on differences between groups refuse the second: the
        change that one person notices is not the difference of two means that matters.
    source : str
        Who says so.
    instrument : Instrument, optional
        For SMDs: in whose points ``value`` is.
    reference_sd : float, optional
        Points of that instrument that one SMD is worth; what the trials tell if not given.

    Raises
    ------
    ModelError
        If the value is not above zero, the kind is neither, or there is no source.

    Examples
    --------
    >>> import nma
    >>> mcid = nma.decisions.MCID(
    ...     1.5, kind="between-group", source="Hayden 2021, doi:10.1002/14651858.CD009790.pub2"
    ... )
    >>> print(mcid)
    1.5, between-group (Hayden 2021, doi:10.1002/14651858.CD009790.pub2)

    References
    ----------
    Jaeschke, Singer and Guyatt 1989, doi:10.1016/0197-2456(89)90005-6, on the differences that
    patients notice.
    """

    value: float
    kind: Kind = field(kw_only=True)
    source: str = field(kw_only=True)
    instrument: Instrument | None = field(default=None, kw_only=True)
    reference_sd: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if not is_number(self.value) or self.value <= 0:
            message = (
                f"MCID({shown(self.value)}) is not a size: give it above zero and without a sign, "
                "whichever direction is better."
            )
            raise ModelError(message)
        if not isinstance(self.source, str) or not self.source.strip():
            message = f"MCID({self.value:g}) needs source=: who says that it matters."
            raise ModelError(message)
        ImportantDifference(self.value, self.kind, self.source)

    def __str__(self) -> str:
        """Return the value, its unit and kind, and the source."""
        unit = f" points of {self.instrument.name}" if self.instrument else ""
        return f"{self.value:g}{unit}, {self.kind} ({self.source})"


def magnitude(posterior: Posterior, mcid: MCID) -> float:
    """Return an important difference on the scale of the model, above zero.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    mcid : MCID
        On the scale of its outcome.

    Raises
    ------
    ModelError
        If it is of the wrong kind or scale, or no MCID.
    """
    if not isinstance(mcid, MCID):
        message = (
            f"mcid={shown(mcid)} does not say whose it is: write nma.decisions.MCID(value, "
            'kind="between-group", source="...").'
        )
        raise ModelError(message)
    if mcid.kind != "between-group":
        message = (
            f"The MCID of {mcid} judges the change of one person; differences between groups need "
            "one of kind 'between-group'. A group can gain by less than that on average while many "
            "of its people gain by more: ask for responders instead."
        )
        raise ModelError(message)
    if mcid.instrument is not None:
        return _of_instrument(posterior, mcid)
    return _of_measure(posterior, mcid)


def _of_measure(posterior: Posterior, mcid: MCID) -> float:
    network = posterior.network
    if network.ratio:
        if mcid.value <= 1:
            message = (
                f"An MCID of {mcid.value:g} is no ratio that matters: {network.measure} is a "
                "ratio, so give one above 1, such as 1.25, for either direction."
            )
            raise ModelError(message)
        return math.log(mcid.value)
    if network.measure == "RD" and mcid.value >= 1:
        message = f"An MCID of {mcid.value:g} is no difference of shares: give one below 1."
        raise ModelError(message)
    return float(mcid.value)


def _of_instrument(posterior: Posterior, mcid: MCID) -> float:
    measure = posterior.network.measure
    if measure != "SMD":
        message = (
            f"The MCID is in points of {mcid.instrument}, and effects are {measure}: leave "
            "instrument= out and give it on that scale."
        )
        raise ModelError(message)
    require_standardised(posterior.network)
    scale = point_scale(posterior, mcid.instrument, mcid.reference_sd)
    if mcid.value > scale.instrument.width:
        message = f"An MCID of {mcid.value:g} is more than {scale.instrument} has."
        raise ModelError(message)
    return float(mcid.value / scale.reference.value)
