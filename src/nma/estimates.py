"""Means, spreads and quantiles of relative effects: exact where possible, else of draws."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nma.errors import ModelError, require_several
from nma.new_trial import drawn_effects, pair_variance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.mixtures import Mixture
    from nma.posterior import Posterior
    from nma.protocols import Better

__all__ = [
    "Estimates",
    "attributes",
    "briefly",
    "captioned",
    "centre",
    "direction",
    "estimates",
    "exact",
    "exact_through",
    "functions",
    "interval_words",
    "is_credible",
    "located",
    "meanings",
    "ordered_pairs",
    "positions",
    "prior_driven",
    "replicate_error",
    "require_level",
    "sampled",
    "scale_name",
]


@final
@dataclass(frozen=True, eq=False)
class Estimates:
    """What is reported of each function.

    Parameters
    ----------
    mean, sd, median, lower, upper : array, (function,)
        Of the posterior, or of the sampling distribution of the estimate.
    better : array, (function,)
        Probability of lying on the better side of zero; exact ties count half.
    mcse : array, (function,)
        Monte Carlo standard error of the mean; zero where exact.
    """

    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    median: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    better: NDArray[np.float64]
    mcse: NDArray[np.float64]

    def oriented(self, where: NDArray[np.int64], reversed_: NDArray[np.bool_]) -> Estimates:
        """Return estimates of pairs from those of unordered pairs, mirrored where reversed."""
        sign = np.where(reversed_, -1.0, 1.0)
        lower, upper = self.lower[where], self.upper[where]
        return Estimates(
            mean=sign * self.mean[where],
            sd=self.sd[where],
            median=sign * self.median[where],
            lower=np.where(reversed_, -upper, lower),
            upper=np.where(reversed_, -lower, upper),
            better=np.where(reversed_, 1 - self.better[where], self.better[where]),
            mcse=self.mcse[where],
        )


def scale_name(posterior: Posterior) -> str:
    """Return the name of the scale of the model, such as ``log OR``."""
    measure = posterior.network.measure
    return f"log {measure}" if posterior.network.ratio else measure


def captioned(posterior: Posterior, text: str) -> str:
    """Return a caption that first says if the fit is poor, and last what the data are."""
    return " ".join(part for part in (posterior.poor, text, posterior.network.caption) if part)


def located(posterior: Posterior, text: str) -> str:
    """Return a text on effects, followed by the values of the covariates that they are at."""
    return f"{text} {posterior.conditions}".rstrip()


def interval_words(posterior: Posterior, level: float) -> str:
    """Return what an interval is called, such as ``95% credible interval``."""
    return f"{100 * level:g}% {posterior.draws.intervals} interval"


def direction(posterior: Posterior, favoured: str = "the treatment") -> str:
    """Return which side of no effect is the better one, and whom it favours."""
    side, none = ("below", "above"), " 1"
    if not posterior.network.ratio:
        side, none = ("negative", "positive"), ""
    return f"{side[posterior.network.better == 'higher']}{none} favours {favoured}"


def is_credible(posterior: Posterior) -> bool:
    """Return whether the numbers are those of a posterior, and not of estimates."""
    return posterior.draws.intervals == "credible"


def centre(posterior: Posterior) -> str:
    """Return what the mean of an effect is called."""
    return "posterior mean" if is_credible(posterior) else "least-squares estimate"


def meanings(posterior: Posterior) -> tuple[str, ...]:
    """Return what columns hold where there is no posterior."""
    if is_credible(posterior):
        return ()
    said = (
        "No posterior: sd is the standard error, and p_better the one-sided confidence, one minus "
        "the one-sided p-value of no difference."
    )
    return (said,)


def attributes(posterior: Posterior, **more: Any) -> dict[str, Any]:
    """Return what draws must carry: the scale, the direction, and what speaks against them."""
    poor: dict[str, Any] = {"poor": posterior.poor} if posterior.poor else {}
    rests = prior_driven(posterior)
    poor |= {"prior_driven": rests} if rests else {}
    scale = {"measure": scale_name(posterior), "better": posterior.network.better}
    return {**poor, **scale, **more}


RESTS = re.compile(r"\brests? on\b")
"""What a notice says of effects that something else than the trials tells."""

ASKS = re.compile(r"\?|\b[Cc]heck\b")
"""What a notice says that asks the reader to look again."""


def prior_driven(posterior: Posterior) -> list[str]:
    """Return the notices that say which effects something else than the trials tells.

    Treatments under which nobody has the event, say, whose effects rest on the prior; every
    table and figure that shows them says so.
    """
    return [notice for notice in posterior.notices if RESTS.search(notice)]


def briefly(posterior: Posterior) -> tuple[str, ...]:
    """Return the notices, or where to read them if they would drown the numbers.

    Those that ask the reader to look again, because the data look odd, are never left out, nor are
    those that say which effects the trials do not tell.
    """
    if len(posterior.notices) <= 3:
        return posterior.notices
    asked = tuple(n for n in posterior.notices if ASKS.search(n) or RESTS.search(n))
    rest = len(posterior.notices) - len(asked)
    more = (f"{rest} notices on the data and the fit: nma.summary(posterior) prints them.",)
    return asked + more * (rest > 0)


def ordered_pairs(posterior: Posterior, comparators: Sequence[str] | None) -> list[tuple[str, str]]:
    """Return (treatment, comparator), every treatment against each comparator but itself."""
    require_several(comparators, "comparators")
    names = posterior.treatments if comparators is None else tuple(dict.fromkeys(comparators))
    for name in names:
        posterior.position(name)
    return [(a, b) for b in names for a in posterior.treatments if a != b]


def positions(
    posterior: Posterior, pairs: Sequence[tuple[str, str]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where the treatments and the comparators of pairs stand among the targets."""
    place = {name: k for k, name in enumerate(posterior.treatments)}
    first, second = ([place[pair[side]] for pair in pairs] for side in (0, 1))
    return np.array(first, dtype=np.int64), np.array(second, dtype=np.int64)


def require_level(level: float) -> None:
    """Refuse a level that is no probability, such as 95."""
    if not isinstance(level, float | int | np.number) or not 0 < level < 1:
        message = f"level={level!r} is not a probability between 0 and 1: write 0.95 for 95 %."
        raise ModelError(message)


def estimates(
    posterior: Posterior,
    pairs: Sequence[tuple[str, str]],
    level: float,
    *,
    predictive: bool = False,
) -> Estimates:
    """Return estimates of relative effects, from the moments where there are any.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    pairs : sequence of (str, str)
        Treatment and comparator of each effect.
    level : float
        Probability of the equal-tailed interval.
    predictive : bool, default False
        The effects in one new trial instead.

    Raises
    ------
    ModelError
        If the level is not between 0 and 1.
    """
    require_level(level)
    first, second = positions(posterior, pairs)
    count = len(posterior.treatments)
    once, where = np.unique(
        np.minimum(first, second) * count + np.maximum(first, second), return_inverse=True
    )
    ask = _predicted if predictive else _unordered
    found = ask(posterior, once // count, once % count, level)
    return found.oriented(where.ravel(), first > second)


def _unordered(
    posterior: Posterior, first: NDArray[np.int64], second: NDArray[np.int64], level: float
) -> Estimates:
    levels, moments = posterior.levels, posterior.draws.moments
    if moments is not None:
        mixture = moments.differences(levels, first, second)
        return exact(mixture, level, posterior.network.better)
    return functions(posterior, levels[first] - levels[second], level)


def _predicted(
    posterior: Posterior, first: NDArray[np.int64], second: NDArray[np.int64], level: float
) -> Estimates:
    levels, better = posterior.levels, posterior.network.better
    moments = posterior.draws.moments
    if moments is not None:
        added = pair_variance(posterior, first, second, moments.scales)
        return exact(moments.differences(levels, first, second).plus(added), level, better)
    drawn = posterior.draws.values["beta"].to_numpy() @ levels.T + drawn_effects(posterior, 0)
    return sampled(drawn[..., first] - drawn[..., second], level, better)


def functions(posterior: Posterior, contrasts: NDArray[np.float64], level: float) -> Estimates:
    """Return estimates of linear functions of beta, whatever they mean to the structure.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    contrasts : array, (function, parameter)
        The coefficients of each.
    level : float
        Probability of the equal-tailed interval.
    """
    require_level(level)
    better = posterior.network.better
    if posterior.draws.moments is not None:
        return exact(posterior.draws.moments.of(contrasts), level, better)
    return sampled(posterior.draws.values["beta"].to_numpy() @ contrasts.T, level, better)


def exact(mixture: Mixture, level: float, better: Better) -> Estimates:
    """Return the estimates of a mixture."""
    below = mixture.below(0.0)
    lower, median, upper = (
        mixture.quantile(probability) for probability in ((1 - level) / 2, 0.5, (1 + level) / 2)
    )
    return Estimates(
        mean=mixture.mean,
        sd=mixture.sd,
        median=median,
        lower=lower,
        upper=upper,
        better=below if better == "lower" else 1 - below,
        mcse=np.zeros(len(below)),
    )


def exact_through(
    mixture: Mixture,
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    level: float,
    better: Better,
    *,
    credible: bool,
) -> Estimates:
    """Return the estimates of an increasing function of a mixture; ``better`` stays the mixture's.

    Quantiles are those of the mixture, carried through the function. Without a posterior the mean
    is the function at the estimate, and sd its standard error by the delta method.

    Parameters
    ----------
    mixture : Mixture
        What the function is of.
    function : callable
        Smooth and increasing, elementwise.
    level : float
        Probability of the equal-tailed interval.
    better : {"lower", "higher"}
        Which direction of the mixture is better.
    credible : bool
        Whether the mixture is a posterior.
    """
    plain = exact(mixture, level, better)
    if credible:
        mean, sd = mixture.averaged(function)
    else:
        h = 1e-5
        slope = (function(plain.mean + h) - function(plain.mean - h)) / (2 * h)
        mean, sd = function(plain.mean), slope * plain.sd
    lower, median, upper = (function(x) for x in (plain.lower, plain.median, plain.upper))
    return replace(plain, mean=mean, sd=sd, median=median, lower=lower, upper=upper)


def sampled(values: NDArray[np.float64], level: float, better: Better) -> Estimates:
    """Return the estimates of draws, (chain, draw, function)."""
    flat = values.reshape(math.prod(values.shape[:-1]), values.shape[-1])
    below = (flat < 0).mean(axis=0) + (flat == 0).mean(axis=0) / 2
    lower, median, upper = np.quantile(flat, [(1 - level) / 2, 0.5, (1 + level) / 2], axis=0)
    return Estimates(
        mean=flat.mean(axis=0),
        sd=flat.std(axis=0),
        median=median,
        lower=lower,
        upper=upper,
        better=below if better == "lower" else 1 - below,
        mcse=replicate_error(values),
    )


def replicate_error(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Monte Carlo standard error of means over chains and draws.

    Chains are independent replicates, so their means tell the error whatever happens within a
    chain: autocorrelation in MCMC, even spreading in Sobol sets.

    Parameters
    ----------
    values : array, (chain, draw, ...)
        Draws.
    """
    means = values.mean(axis=1)
    if len(means) < 2:
        return np.full(means.shape[1:], np.nan)
    return np.asarray(means.std(axis=0, ddof=1) / np.sqrt(len(means)))
