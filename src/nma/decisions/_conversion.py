"""From a difference of means to the share of people who respond, by published methods."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, final, get_args

import numpy as np

from nma.errors import ModelError, nearest, shown
from nma.links import LINKS, PROBIT, Link
from nma.points import is_number
from nma.sources import shared_link

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior

__all__ = ["Conversion", "Method", "conversion", "rate_in", "responder_rate"]

Method = Literal["Hasselblad-Hedges", "Furukawa"]
"""How a standardised difference is turned into responders."""

USUAL: Method = "Hasselblad-Hedges"


class _Way(NamedTuple):
    """The scale on which a rate moves, by how much for one SMD, and in words."""

    link: Link
    factor: float
    formula: str
    assumes: str


WAYS: dict[str, _Way] = {
    "Hasselblad-Hedges": _Way(
        LINKS["OR"],
        math.pi / math.sqrt(3),
        "log OR = SMD pi/sqrt(3)",
        "outcomes that are logistic with one spread in both groups, and one cut between those who "
        "respond and those who do not",
    ),
    "Furukawa": _Way(
        PROBIT,
        1.0,
        "probit(rate) = probit(control rate) + SMD",
        "outcomes that are normal with one spread in both groups, and one cut between those who "
        "respond and those who do not",
    ),
}


@final
@dataclass(frozen=True)
class Conversion:
    """How effects move the rate of those who respond.

    Parameters
    ----------
    link : Link
        Of the rate.
    factor : float
        What an effect of one, as the model has it, moves the rate by on that scale.
    is_good : bool
        Whether it is good to be counted.
    words : str
        What was done, as a sentence for a caption.
    notes : tuple of str
        What it takes for granted.
    of_events : bool
        Whether the trials count them.
    """

    link: Link
    factor: float
    is_good: bool
    words: str
    notes: tuple[str, ...] = ()
    of_events: bool = False

    def moved(self, control: Any, by: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return rates, from those under the comparator and moves on the scale of the link."""
        with np.errstate(invalid="ignore"):  # what nothing determines stays unknown
            return np.asarray(self.link.inverse(self.link.link(control) + by))


def require_method(method: object) -> None:
    """Refuse what is no published method."""
    if method not in get_args(Method):
        named = " or ".join(map(repr, get_args(Method)))
        message = (
            f"method={shown(method)} turns no SMD into responders: say {named}."
            f"{nearest(method, get_args(Method))}"
        )
        raise ModelError(message)


def rate_in(value: Any, name: str) -> float:
    """Return a rate strictly between 0 and 1, or say what is wrong with it.

    Raises
    ------
    ModelError
        With the number to write where it was given in percent.
    """
    if is_number(value) and 0 < value < 1:
        return float(value)
    percent = is_number(value) and 1 < value < 100
    write = f": write {value / 100:g} for {value:g} %" if percent else ""
    message = (
        f"{name}={shown(value)} is not the share of people who respond under the comparator, which "
        f"lies strictly between 0 and 1{write}."
    )
    raise ModelError(message)


def responder_rate(
    benefit: float, *, control_rate: float, method: Method = "Hasselblad-Hedges"
) -> float:
    r"""Return which share of people responds where a treatment is better by a stated SMD.

    .. math:: \mathrm{logit}(p_1) = \mathrm{logit}(p_0) + \frac{\pi}{\sqrt 3}\,\mathrm{SMD}
              \qquad \text{or} \qquad p_1 = \Phi(\Phi^{-1}(p_0) + \mathrm{SMD})

    the first by Hasselblad and Hedges, the second by Furukawa and Leucht.

    Parameters
    ----------
    benefit : float
        Standardised mean difference in the direction of benefit: above zero where the treatment is
        better, whichever scores are.
    control_rate : float
        p0, the share that responds without the treatment, strictly between 0 and 1.
    method : {"Hasselblad-Hedges", "Furukawa"}
        How to convert.

    Returns
    -------
    float
        p1, the share that responds with it.

    Raises
    ------
    ModelError
        If the rate is not between 0 and 1, the benefit no number, or the method unknown.

    Examples
    --------
    >>> import nma
    >>> rate = nma.decisions.responder_rate(0.28, control_rate=0.3)
    >>> round(rate / 0.3, 2)
    1.39
    >>> rate = nma.decisions.responder_rate(0.28, control_rate=0.3, method="Furukawa")
    >>> round(rate / 0.3, 2)
    1.34

    References
    ----------
    Hasselblad and Hedges 1995, doi:10.1037/0033-2909.117.1.167;
    Chinn 2000, doi:10.1002/1097-0258(20001130)19:22<3127::AID-SIM784>3.0.CO;2-M;
    Furukawa and Leucht 2011, doi:10.1371/journal.pone.0019070.
    """
    require_method(method)
    if not is_number(benefit):
        message = f"benefit={shown(benefit)} is not an SMD: give a number, above zero for benefit."
        raise ModelError(message)
    way, control = WAYS[method], rate_in(control_rate, "control_rate")
    return float(way.link.inverse(way.link.link(control) + way.factor * benefit))


def conversion(posterior: Posterior, method: Any, sd: Any) -> Conversion:
    """Return how the effects of a model move the rate of those who respond.

    Raises
    ------
    ModelError
        If they cannot, or something is asked for that is of other measures.
    """
    link, measure = shared_link(posterior.network.sources), posterior.network.measure
    if link is not None and link.level == "probability" and link.bounded:
        return _of_events(posterior, link, method, sd)
    if link is not None and link.in_sds:
        if sd is not None:
            message = f"sd={shown(sd)} is for MD: these effects are in standard deviations already."
            raise ModelError(message)
        return _of_means(posterior, method, 1.0)
    if measure == "MD":
        return _of_means(posterior, method, _required_sd(sd))
    message = (
        f"Effects are {measure}, and responders come from SMD or MD, or from OR or HR of events."
    )
    if link is not None and link.level == "probability":
        message += (
            f" {measure} lets shares leave 0 to 1: nma.absolute_table(posterior, "
            "reference_level=...) has the risks under each treatment."
        )
    raise ModelError(message)


def _of_events(posterior: Posterior, link: Link, method: Any, sd: Any) -> Conversion:
    """Return the conversion of effects on events, which need none but a rate to start from."""
    network = posterior.network
    for name, value in (("method", method), ("sd", sd)):
        if value is not None:
            message = (
                f"{name}={shown(value)} is for differences of means; these effects are "
                f"{network.measure} of {link.of}, which move a rate as they are: leave it out."
            )
            raise ModelError(message)
    kept = f"{network.measure} is taken as the same at every control rate."
    words = f"From {network.measure} of {link.of}."
    return Conversion(link, 1.0, network.better == "higher", words, (kept,), of_events=True)


def _of_means(posterior: Posterior, method: Any, sd: float) -> Conversion:
    """Return the conversion of differences of means; benefit raises the rate."""
    name = USUAL if method is None else method
    require_method(name)
    way, network = WAYS[name], posterior.network
    sign = -1.0 if network.better == "lower" else 1.0
    turned = "; signs are turned, since lower is better" if sign < 0 else ""
    words = f"By {name.replace('-', ' and ')}: {way.formula}, SMD above 0 for benefit{turned}."
    notes = [f"The method takes for granted {way.assumes}."]
    if network.measure == "MD":
        words = f"SMD = MD/{sd:g}. {words}"
        notes.append(f"The SD of {sd:g} between people is taken as known.")
    return Conversion(way.link, sign * way.factor / sd, True, words, tuple(notes))


def _required_sd(sd: Any) -> float:
    if not is_number(sd) or sd <= 0:
        said = "`sd` is missing" if sd is None else f"sd={shown(sd)} is no standard deviation"
        message = (
            f"{said}: a mean difference becomes responders by the spread between people, in points "
            "of the outcome, such as sd=2.2 on a scale of 0 to 10: at baseline in a large trial of "
            "the patients you have in mind, or pooled over trials at follow-up; not of changes."
        )
        raise ModelError(message)
    return float(sd)
