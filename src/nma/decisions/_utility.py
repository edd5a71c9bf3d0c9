"""What choosing a treatment is worth: one outcome's own scale, or a weighted sum of several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from nma.absolute import absolute_effects
from nma.decisions._outcomes import Outcomes, benefits, paired, require_credible
from nma.errors import ModelError, nearest, shown
from nma.estimates import briefly, captioned, located, scale_name
from nma.points import is_number
from nma.posterior import Posterior, require_posterior

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Utility", "summed", "utility", "weights_of"]


@final
@dataclass(frozen=True, eq=False)
class Utility:
    """Draws of what each treatment is worth; only differences between treatments mean anything.

    Parameters
    ----------
    treatments : tuple of str
        Those to choose from.
    parts : mapping of str to array, (chain, draw, treatment)
        What each outcome adds, weighted; more is better.
    unit : str
        In what it counts.
    outcomes : Outcomes, optional
        Where it is of several.
    posterior : Posterior, optional
        Where it is of one.
    notes : tuple of str
        What the reader must know.
    """

    treatments: tuple[str, ...]
    parts: Mapping[str, NDArray[np.float64]]
    unit: str
    outcomes: Outcomes | None
    posterior: Posterior | None
    notes: tuple[str, ...]

    @property
    def draws(self) -> NDArray[np.float64]:
        """What each treatment is worth, (chain, draw, treatment)."""
        return np.asarray(sum(self.parts.values()))

    def captioned(self, text: str) -> str:
        """Return a caption that first says if a fit is poor, and last what the data are."""
        if self.outcomes is not None:
            return self.outcomes.captioned(text)
        assert self.posterior is not None  # noqa: S101  one of the two is there
        return captioned(self.posterior, located(self.posterior, text))


def utility(
    asked: Posterior | Mapping[str, Posterior],
    *,
    weights: Mapping[str, float] | None,
    reference_level: float | Mapping[str, float] | None,
    seed: int,
    verb: str,
) -> Utility:
    """Return what treatments are worth: on one outcome, or on several by weights.

    Raises
    ------
    ModelError
        If weights do not name every outcome, or a level is not that of a ratio's outcome.
    """
    if isinstance(asked, Posterior):
        return _of_one(asked, weights, reference_level, verb)
    if not isinstance(asked, Mapping):
        require_posterior(asked, verb)
    outcomes = Outcomes.of(asked, verb=verb)
    return summed(outcomes, weights, reference_level, seed)


def _of_one(
    posterior: Posterior,
    weights: Mapping[str, float] | None,
    reference_level: float | Mapping[str, float] | None,
    verb: str,
) -> Utility:
    require_credible(posterior, verb)
    if weights is not None:
        message = 'weights= are for several outcomes, by name: {"pain": posterior, ...}.'
        raise ModelError(message)
    if isinstance(reference_level, Mapping):
        message = (
            f"reference_level= is one number for one outcome; this is {shown(reference_level)}."
        )
        raise ModelError(message)
    places = np.arange(len(posterior.treatments))
    drawn = _worth(posterior, places, reference_level, "The outcome")
    unit = _unit(posterior, reference_level)
    return Utility(posterior.treatments, {"": drawn}, unit, None, posterior, briefly(posterior))


def summed(
    outcomes: Outcomes,
    weights: Mapping[str, float] | None,
    reference_level: float | Mapping[str, float] | None,
    seed: int,
) -> Utility:
    """Return the weighted sum of what treatments are worth on several outcomes."""
    weight = weights_of(outcomes, weights)
    levels = {} if reference_level is None else reference_level
    if not isinstance(levels, Mapping):
        message = (
            f"reference_level={shown(levels)}: say of which outcome, as in "
            f"reference_level={{{next(iter(outcomes.posteriors))!r}: {levels}}}."
        )
        raise ModelError(message)
    outcomes.require_named(levels, "reference_level=")
    drawn = [
        _worth(posterior, outcomes.places(name, outcomes.treatments), levels.get(name), name)
        for name, posterior in outcomes.posteriors.items()
    ]
    parts = {
        name: weight[name] * values
        for name, values in zip(outcomes.posteriors, paired(drawn, seed), strict=True)
    }
    terms = [
        f"{weight[name]:g} x {name} ({_unit(posterior, levels.get(name))})"
        for name, posterior in outcomes.posteriors.items()
    ]
    unit = f"weighted units of {' + '.join(terms)}, each in its direction of benefit"
    return Utility(outcomes.treatments, parts, unit, outcomes, None, outcomes.told)


def weights_of(outcomes: Outcomes, weights: Mapping[str, float] | None) -> dict[str, float]:
    """Return the weights, one for every outcome, or say which are missing or senseless."""
    example = ", ".join(f"{name!r}: ..." for name in outcomes.posteriors)
    if not isinstance(weights, Mapping):
        message = (
            f"weights={{{example}}} must say what one unit of benefit on each outcome is worth: "
            "whose values these are is the user's to say, and there is no default."
        )
        raise ModelError(message)
    unknown = [name for name in weights if name not in outcomes.posteriors]
    missing = [name for name in outcomes.posteriors if name not in weights]
    faults = [
        f"{shown(name)} is no outcome here.{nearest(name, missing or outcomes.posteriors)}"
        for name in unknown
    ]
    if missing:
        listed = ", ".join(map(shown, missing))
        faults.append(f"{listed} has no weight: give every outcome one, 0 if it is not to count.")
    faults += [
        f"The weight of {shown(name)} is {shown(value)}: give a number of zero or above; which "
        "direction is better belongs to the outcome."
        for name, value in weights.items()
        if not is_number(value) or value < 0
    ]
    if not faults and not any(weights.values()):
        faults.append("All are zero: nothing would count.")
    if faults:
        message = f"weights=: {' '.join(faults)}"
        raise ModelError(message)
    return {name: float(weights[name]) for name in outcomes.posteriors}


def _worth(
    posterior: Posterior, places: NDArray[np.int64], level: float | None, name: str
) -> NDArray[np.float64]:
    """Return draws on the outcome's scale, more is better, (chain, draw, treatment)."""
    if level is None:
        return benefits(posterior, places)
    if not posterior.network.ratio:
        message = (
            f"{name} is measured as {posterior.network.measure}, which is on its own scale "
            "already: reference_level= turns ratios into differences of probabilities, rates or "
            "means. Leave it out."
        )
        raise ModelError(message)
    drawn = absolute_effects(posterior, reference_level=level).to_numpy()[..., places]
    return -drawn if posterior.network.better == "lower" else np.asarray(drawn)


def _unit(posterior: Posterior, level: float | None) -> str:
    """Return in what benefits on one outcome count."""
    if level is None:
        return scale_name(posterior)
    kinds = (source.outcome.absolute_link for source in posterior.network.sources)
    kind = next((link.level for link in kinds if link is not None), "level")
    told = f"{level:g}" if is_number(level) else str(level)
    return f"{kind}, at {told} under {posterior.comparator}"
