"""By how much treatments are better than others: benefits above zero, whatever the outcome."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np

from nma.decisions._mcid import MCID, magnitude
from nma.errors import ModelError
from nma.estimates import is_credible, positions, replicate_error
from nma.new_trial import drawn_effects, pair_variance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.mixtures import Mixture
    from nma.posterior import Posterior

__all__ = [
    "Benefits",
    "Chances",
    "Important",
    "benefit_levels",
    "confidence",
    "important",
    "require_two",
]

CONFIDENCE = (
    "No posterior: these are one-sided confidences, one minus the one-sided p-value of a benefit "
    "no larger than that."
)


class Chances(NamedTuple):
    """Probabilities and their Monte Carlo standard errors, zero where exact."""

    value: NDArray[np.float64]
    mcse: NDArray[np.float64]


@final
@dataclass(frozen=True)
class Important:
    """An MCID beside its size on the scale of the model.

    Parameters
    ----------
    mcid : MCID
        In the user's unit.
    size : float
        On the scale of the model, above zero.
    ratio : bool
        Whether that scale is a logarithm.
    measure : str
        Of the effects.
    """

    mcid: MCID
    size: float
    ratio: bool
    measure: str

    def own(self, sizes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return sizes on the scale of the model in the unit of the MCID."""
        if self.ratio:
            return np.asarray(np.exp(sizes))
        return np.asarray(sizes * (self.mcid.value / self.size))

    def said(self) -> str:
        """Return the size with its unit, for a caption."""
        if self.mcid.instrument is not None:
            return f"{self.mcid.value:g} points of {self.mcid.instrument.name}"
        if self.ratio:
            return f"a ratio of {self.mcid.value:g}"
        return f"{self.mcid.value:g}{' SDs' * (self.measure == 'SMD')}"

    def unit(self) -> str:
        """Return the unit in which sizes are printed."""
        if self.mcid.instrument is not None:
            return f"points of {self.mcid.instrument.name}"
        return self.measure

    def notes(self) -> list[str]:
        """Return whose it is and, of an instrument, what an SMD was taken to be worth."""
        told = [f"MCID: {self.mcid}."]
        if self.mcid.instrument is None:
            return told
        worth = self.mcid.value / self.size
        return [
            *told,
            f"1 SMD = {worth:.4g} points of {self.mcid.instrument.name}, taken as known.",
        ]


def important(posterior: Posterior, mcid: MCID) -> Important:
    """Return an MCID with its size on the scale of the model, or say what is wrong with it."""
    network = posterior.network
    return Important(mcid, magnitude(posterior, mcid), network.ratio, network.measure)


def confidence(posterior: Posterior) -> tuple[str, ...]:
    """Return what probabilities are where there is no posterior."""
    return () if is_credible(posterior) else (CONFIDENCE,)


def require_two(posterior: Posterior) -> None:
    """Refuse to compare one treatment."""
    if len(posterior.treatments) == 1:
        message = f"{posterior.treatments[0]!r} is alone: ask about a treatment to compare it with."
        raise ModelError(message)


def benefit_levels(posterior: Posterior) -> NDArray[np.float64]:
    """Return draws of levels such that more is better, (chain, draw, treatment)."""
    require_two(posterior)
    drawn = posterior.draws.values["beta"].to_numpy() @ posterior.levels.T
    return np.asarray(_sign(posterior) * drawn)


def _sign(posterior: Posterior) -> float:
    return -1.0 if posterior.network.better == "lower" else 1.0


@final
@dataclass(frozen=True, eq=False)
class Benefits:
    """By how much treatments are better than their comparators, on the scale of the model.

    Parameters
    ----------
    mixture : Mixture, optional
        The exact distribution, (node, pair).
    levels : array, (chain, draw, treatment)
        Draws such that more is better; empty where exact.
    first, second : array of int, (pair,)
        Positions of treatments and comparators.
    """

    mixture: Mixture | None
    levels: NDArray[np.float64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]

    @classmethod
    def of(
        cls, posterior: Posterior, pairs: Sequence[tuple[str, str]], *, predictive: bool = False
    ) -> Benefits:
        """Return the benefits of pairs, or those in one new trial."""
        first, second = positions(posterior, pairs)
        moments, levels, sign = posterior.draws.moments, posterior.levels, _sign(posterior)
        if moments is not None:
            mixture = moments.differences(levels, first, second).times(sign)
            if predictive:
                mixture = mixture.plus(pair_variance(posterior, first, second, moments.scales))
            return cls(mixture, np.empty((0, 0, 0)), first, second)
        drawn = posterior.draws.values["beta"].to_numpy() @ levels.T
        if predictive:
            drawn = drawn + drawn_effects(posterior, 0)
        return cls(None, sign * drawn, first, second)

    def at_least(self, size: float) -> Chances:
        """Return the probability of a benefit of a size or more."""
        if self.mixture is not None:
            return _exact(np.clip(1 - self.mixture.below(size), 0, 1))
        return self._drawn(lambda benefit: benefit >= size)

    def within(self, size: float) -> Chances:
        """Return the probability of a benefit or harm of less than a size."""
        if self.mixture is not None:
            return _exact(np.clip(self.mixture.below(size) - self.mixture.below(-size), 0, 1))
        return self._drawn(lambda benefit: np.abs(benefit) < size)

    def at_most(self, size: float) -> Chances:
        """Return the probability of a benefit of a size or less."""
        if self.mixture is not None:
            return _exact(np.clip(self.mixture.below(size), 0, 1))
        return self._drawn(lambda benefit: benefit <= size)

    def reached(self, probability: float) -> Chances:
        """Return the benefit that is reached or exceeded with a probability."""
        if self.mixture is not None:
            return _exact(self.mixture.quantile(1 - probability))
        return self._each(lambda benefit: exceeded(benefit, probability))

    def _drawn(self, event: Callable[[NDArray[np.float64]], NDArray[np.bool_]]) -> Chances:
        def asked(benefit: NDArray[np.float64]) -> tuple[float, float]:
            happened = event(benefit).astype(float)
            return float(happened.mean()), float(replicate_error(happened))

        return self._each(asked)

    def _each(self, ask: Callable[[NDArray[np.float64]], tuple[float, float]]) -> Chances:
        """Ask the draws of one pair after another, which keeps few of them at a time."""
        pairs = zip(self.first, self.second, strict=True)
        found = [ask(self.levels[..., a] - self.levels[..., b]) for a, b in pairs]
        value, mcse = np.array(found).reshape(-1, 2).T
        return Chances(value, mcse)


def _exact(value: NDArray[np.float64]) -> Chances:
    return Chances(value, np.zeros(len(value)))


def exceeded(values: NDArray[np.float64], probability: float) -> tuple[float, float]:
    """Return the largest drawn value that is reached with a probability, and its error."""
    count = values.size
    place = max(count - math.ceil(probability * count - 1e-9), 0)
    each = np.quantile(values, 1 - probability, axis=1)[:, None]
    return float(np.sort(values, axis=None)[place]), float(replicate_error(each))
