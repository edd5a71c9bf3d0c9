"""What the reference treatment leads to: stated, uncertain, or as in the network's own trials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nma.errors import ModelError, shortened, shown
from nma.new_trial import generator
from nma.own_level import OwnLevel, own_level
from nma.points import PointScale, is_number, point_scale
from nma.priors import Normal
from nma.sources import shared_link

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.links import Link
    from nma.posterior import Posterior

__all__ = ["OWN", "Baseline", "against_reference", "baseline", "leads_to", "meant", "standing"]

OWN = "network"
"""What asks for the level that the network's own trials tell."""


@final
@dataclass(frozen=True, eq=False)
class Baseline:
    """Level of the reference treatment on the scale of the model, and points per effect.

    Parameters
    ----------
    mean, sd : float
        Of a stated level; sd is zero where it is known.
    link : Link
        From levels to the scale of the model.
    stated : float, optional
        The known number, on the outcome's own scale.
    points : float
        Points that an effect of one stands for; one but for SMD.
    scale : PointScale, optional
        The instrument whose points they are, where one is named.
    own : OwnLevel, optional
        The network's own level, in place of mean and sd.
    """

    mean: float
    sd: float
    link: Link
    stated: float | None = None
    points: float = 1.0
    scale: PointScale | None = None
    own: OwnLevel | None = None

    def inverse(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the level that is ``x`` above ``mean`` on the scale of the model."""
        with np.errstate(over="ignore"):  # of log levels that nothing tells
            return np.asarray(self.link.inverse(self.mean + x))

    def draws(self, shape: tuple[int, ...], seed: int) -> NDArray[np.float64]:
        """Return draws of the level minus ``mean``, (chain, draw)."""
        if self.own is not None:
            return self.own.draws(seed)
        return self.sd * generator(seed, purpose=2).standard_normal(shape)


def against_reference(posterior: Posterior) -> NDArray[np.float64]:
    """Return every level minus that of the reference treatment, (treatment, parameter)."""
    levels = posterior.levels
    return np.asarray(levels - levels[posterior.position(posterior.comparator)])


def baseline(posterior: Posterior, level: Any, instrument: Any = None, sd: Any = None) -> Baseline:
    """Return the user's level and points, or say what is wrong with them."""
    link = _link(posterior, instrument, sd)
    scale = None if instrument is None else point_scale(posterior, instrument, sd)
    points = _points(link, sd) if scale is None else scale.factor
    if isinstance(level, str) and level == OWN:
        own = own_level(posterior, None if scale is None else scale.instrument, points)
        return Baseline(0.0, 0.0, link, None, points, scale, own)
    if isinstance(level, Normal):
        return Baseline(level.mean, level.sd, link, None, points, scale)
    _require_level_of(posterior, link, level)
    known = float(level)
    return Baseline(float(link.link(known)), 0.0, link, known, points, scale)


def _link(posterior: Posterior, instrument: Any, sd: Any) -> Link:
    """Return the measure's link; refuse measures without one, and for others what is for SMD."""
    measure = posterior.network.measure
    link = shared_link(posterior.network.sources)
    if link is None:
        message = (
            f"Absolute effects are not available for {measure}: what links it to a level is "
            "unknown. Name the measure MD, SMD, ROM, OR, RR, RD, HR or IRR if it is one of them; "
            "nma.effect_table has the relative effects."
        )
        raise ModelError(message)
    why = {"MD": ", in points already", "SMD": " of a latent scale, which has no points"}
    for name, value in (("instrument", instrument), ("reference_sd", sd)):
        if not link.in_sds and value is not None:
            own = f"these effects are {measure}{why.get(measure, '')}"
            message = f"{name}={shown(value)} is for SMD{' of means' * (measure == 'SMD')}: {own}."
            raise ModelError(message)
    return link


def _points(link: Link, sd: Any) -> float:
    """Return the points that an effect of one stands for, where no instrument is named."""
    if not link.in_sds:
        return 1.0
    if not is_number(sd) or sd <= 0:
        said = "`reference_sd` is missing" if sd is None else f"reference_sd={sd!r} is no sd"
        message = (
            f"{said}: one SMD must be worth some points, such as reference_sd=22 on a scale of "
            "0 to 100. Take the standard deviation between people, at baseline in a large trial "
            "of the patients you have in mind or pooled over trials at follow-up, not that of "
            "changes; or name the scale, instrument='NRS', for the SD its trials tell."
        )
        raise ModelError(message)
    return float(sd)


def _require_level_of(posterior: Posterior, link: Link, level: Any) -> None:
    """Refuse what is no number, and numbers that the outcome cannot be under a treatment."""
    name, risk = posterior.comparator, link.level == "probability"
    if not is_number(level):
        what = "mean outcome" if link.level == "mean" else f"{link.level} of {link.of}"
        number, spread = (0.2, "-1.4, 0.2") if risk else (50, "50, 3")
        on = "" if link.linear else f" on the scale of the model, {link.scale}"
        message = (
            f"reference_level={shown(level)} is not a level: write the {what} under {name!r} as a "
            f"number, such as {number}, or as nma.priors.Normal({spread}){on}"
            f"{OR_OWN}"
        )
        raise ModelError(message)
    if risk and not 0 < level < 1:
        write = f": write {level / 100:g} for {level:g} %" if 1 < level < 100 else ""
        message = (
            f"reference_level={level!r} is not a probability under {name!r}, which lies strictly "
            f"between 0 and 1{write}."
        )
        raise ModelError(message)
    if not (risk or link.linear) and level <= 0:
        message = (
            f"reference_level={level!r} is not a {link.level} under {name!r}: it must be above "
            "zero, as there is no logarithm of others. Give the level itself, not its logarithm."
        )
        raise ModelError(message)


OR_OWN = "; 'network' takes that of the trials that report arms."


def leads_to(posterior: Posterior, base: Baseline) -> str:
    """Return what the reference treatment leads to, in words for a caption."""
    name = shortened(posterior.comparator)
    if base.own is not None:
        several = f"the {base.own.trials} trials" if base.own.trials > 1 else "the one trial"
        return f"{name} leads to the mean level of {several} with it"
    if base.link.linear:
        spread = f" (sd {base.sd:g})" if base.sd else ""
        return f"{name} leads to {base.mean:g}{spread}"
    if base.stated is not None:
        return f"{name} leads to {base.stated:g}"
    lower, middle, upper = base.inverse(
        base.sd * np.array([-1.959963984540054, 0, 1.959963984540054])
    )
    return (
        f"{name} leads to {middle:.3g} (95% {lower:.3g} to {upper:.3g}), normal with mean "
        f"{base.mean:g} and sd {base.sd:g} in {base.link.scale}"
    )


def standing(posterior: Posterior, base: Baseline) -> str:
    """Return what the level of the reference treatment stands on, as a note."""
    name = shortened(posterior.comparator)
    if base.own is not None:
        return _own_words(name, base, base.own)
    if base.sd:
        return f"The level of {name} is taken as independent of the effects."
    return f"The level of {name} is taken as known: give a Normal if it is not."


def _own_words(name: str, base: Baseline, own: OwnLevel) -> str:
    several = f"{own.trials} trials" if own.trials > 1 else "one trial"
    what = "outcome" if base.link.scale == "mean" else base.link.scale
    said = (
        f"The level of {name} is the network's own: the mean {what} under {name} of the "
        f"{several} that {'have' if own.trials > 1 else 'has'} it and "
        f"report{'s' * (own.trials == 1)} arms, each counting once, without random effects. How "
        "much levels differ between trials is not in the intervals."
    )
    return f"{said} {own.left_out}".rstrip()


def meant(posterior: Posterior, base: Baseline) -> list[str]:
    """Return what time, exposure or category the levels are of, as notes."""
    if base.own is not None:
        return [base.link.own] if base.link.own else []
    said = base.link.stated.replace("{name}", shortened(posterior.comparator))
    return [said] if said else []
