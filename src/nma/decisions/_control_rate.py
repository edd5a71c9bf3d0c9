"""How many respond under the comparator: known, or with a distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nma.arrays import sigmoid
from nma.baselines import OWN, Baseline, baseline, standing
from nma.decisions._conversion import Conversion, rate_in
from nma.errors import ModelError, shortened, shown
from nma.new_trial import generator
from nma.points import is_number
from nma.priors import Beta, Normal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior

__all__ = ["ControlRate", "control_rate_of"]

LEAST, MOST = 1e-300, 1 - 1e-16
"""Shares that links can take, where a distribution rounds to 0 or 1."""


@final
@dataclass(frozen=True, eq=False)
class ControlRate:
    """The share that responds under the comparator.

    Parameters
    ----------
    known : float, optional
        Where it is a number.
    spread : Beta or Normal, optional
        Where it has a distribution: of the share, or of its log odds.
    own : Baseline, optional
        Where it is the network's own.
    seed : int, default 0
        The same seed gives the same draws.
    """

    known: float | None = None
    spread: Beta | Normal | None = None
    own: Baseline | None = None
    seed: int = 0

    def draws(self, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Return draws of the share, (chain, draw)."""
        if self.known is not None:
            return np.full(shape, self.known)
        if self.own is not None:
            return np.clip(self.own.inverse(self.own.draws(shape, self.seed)), LEAST, MOST)
        rng = generator(self.seed, purpose=5)
        if isinstance(self.spread, Beta):
            drawn = rng.beta(self.spread.a, self.spread.b, shape)
        else:
            z = rng.standard_normal(shape)
            drawn = sigmoid(self._normal.mean + self._normal.sd * z)
        return np.asarray(np.clip(drawn, LEAST, MOST))

    @property
    def _normal(self) -> Normal:
        assert isinstance(self.spread, Normal)  # noqa: S101  one of the three it can be
        return self.spread

    def quantile(self, probability: float) -> float:
        """Return the share below which it lies with a probability."""
        if self.known is not None:
            return self.known
        if self.own is not None:
            return float(np.quantile(self.draws(()), probability))
        if isinstance(self.spread, Beta):
            return self.spread.quantile(probability)
        return float(sigmoid(self._normal.quantile(probability)))

    def said(self, comparator: str, verb: str) -> str:
        """Return it in words, for a caption."""
        name = shortened(comparator)
        if self.known is not None:
            return f"{100 * self.known:.3g}% {verb} under {name}"
        middle, lower, upper = (100 * self.quantile(p) for p in (0.5, 0.025, 0.975))
        what = "share" if isinstance(self.spread, Beta) else "log odds"
        end = "as in the trials" if self.own is not None else f"the {what} being {self.spread!r}"
        return f"{middle:.3g}% (95% {lower:.3g} to {upper:.3g}) {verb} under {name}, {end}"

    def standing(self, posterior: Posterior, comparator: str) -> str:
        """Return what it stands on, as a note."""
        if self.own is not None:
            return standing(posterior, self.own)
        name = shortened(comparator)
        if self.known is not None:
            return (
                f"The rate under {name} is taken as known, and ratios, differences and NNT hold "
                "for it alone: give a Beta or Normal if it is not."
            )
        return f"The rate under {name} is taken as independent of the effects."


def control_rate_of(
    posterior: Posterior, value: Any, how: Conversion, comparator: str, seed: int
) -> ControlRate:
    """Return the user's rate, or say what is wrong with it.

    Raises
    ------
    ModelError
        If it is neither a share between 0 and 1 nor a distribution of one, or is to be the
        network's own and the trials do not tell it.
    """
    if isinstance(value, Beta | Normal):
        return ControlRate(spread=value, seed=seed)
    if isinstance(value, str) and value == OWN:
        return ControlRate(own=_own(posterior, how, comparator), seed=seed)
    if is_number(value):
        return ControlRate(known=rate_in(value, "control_rate"))
    message = (
        f"control_rate={shown(value)} is not how many respond under the comparator: write a share "
        "such as 0.3; or nma.priors.Beta(31, 71) for what 30 of 100 people tell, or "
        "nma.priors.Normal(-0.85, 0.2) of the log odds; or 'network' where its trials count them."
    )
    raise ModelError(message)


def _own(posterior: Posterior, how: Conversion, comparator: str) -> Baseline:
    """Return the rate that the network's own trials tell, of its reference alone."""
    if not how.of_events:
        message = (
            "control_rate='network' is for trials that count who responds; these report "
            f"{posterior.network.measure}: state the share as a number or a distribution."
        )
        raise ModelError(message)
    if comparator != posterior.comparator:
        message = (
            f"control_rate='network' is that under the reference, {posterior.comparator!r}: state "
            f"the share under {comparator!r}, or leave comparator= out."
        )
        raise ModelError(message)
    return baseline(posterior, OWN)
