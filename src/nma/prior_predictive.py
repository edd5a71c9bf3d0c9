"""What a model says before any data: how far trials would differ, and how large effects may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma.engines import Gaussian
from nma.errors import ModelError
from nma.estimates import estimates, ordered_pairs, require_level, scale_name
from nma.model import Model, problem
from nma.network import Network
from nma.new_trial import pair_variance
from nma.posterior import Posterior
from nma.priors import Invertible, Prior
from nma.tables import Table, figures, probability

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["before_data", "prior_predictive", "scale_quantile"]

SPAN = 3.92
"""Width of the central 95% of a normal distribution, in standard deviations."""

KINDS = ((0.1, "small"), (0.5, "reasonable"), (1.0, "fairly high"), (np.inf, "fairly extreme"))
"""Upper ends of tau on a log odds ratio, and what Spiegelhalter et al. 2004 call them."""


def prior_predictive(network: Network, model: Model | None = None, *, level: float = 0.95) -> Table:
    r"""Return what a model says before any data, in the measure's own numbers.

    Of trials on the same two treatments, the true effects of 95 % lie within a range of

    .. math:: 3.92\,\tau, \qquad \text{or within a factor of } e^{3.92\,\tau}

    for ratio measures. A prior of tau that is mild as a number can be wild as a range: a tau of 1
    lets odds ratios differ 50-fold. Nothing is drawn: quantiles of tau are those of its prior, and
    those of effects are integrated over it.

    Parameters
    ----------
    network : Network
        Its measure, treatments and unit; what its trials found plays no part.
    model : Model, optional
        The one that ``fit`` would use if not given.
    level : float, default 0.95
        Probability of the equal-tailed intervals.

    Returns
    -------
    Table
        Columns ``lower``, ``median`` and ``upper``. Rows, by ``kind``: every ``scale``; the
        ``range`` of trials; an ``effect`` on average; and the same effect in one ``new trial``.
        Pairs of treatments with one prior share their rows. Notes put the prior of tau into words.

    Raises
    ------
    ModelError
        If a default prior cannot be sized, or the level is not between 0 and 1.
    EngineError
        If the model is not linear in its parameters.

    Examples
    --------
    >>> import nma
    >>> network = nma.datasets.network("smoking")
    >>> table = nma.prior_predictive(network)
    >>> print(table.set_index("kind").loc["range"].round(1).to_dict())
    {'lower': 1.1, 'median': 14.1, 'upper': 6544.0}

    References
    ----------
    Spiegelhalter, Abrams and Myles 2004, Bayesian Approaches to Clinical Trials and Health-Care
    Evaluation, section 5.7.3; Roever et al. 2021, doi:10.1002/jrsm.1475.
    """
    require_level(level)
    prior = before_data(network, Model() if model is None else model)
    tails = [(1 - level) / 2, 0.5, (1 + level) / 2]
    rows = [*_scale_rows(prior, tails), *_range_rows(prior, tails), *_effect_rows(prior, level)]
    return Table(
        [row[1:] for row in rows],
        index=[row[0] for row in rows],
        columns=["kind", "lower", "median", "upper"],
        caption=(
            f"What the priors say before any data: median and {100 * level:g}% interval "
            f"({network.measure}, {network.better} is better)."
        ),
        notes=[*_notes(prior), *prior.priors],
        significant=["lower", "median", "upper"],
        unprinted=["kind"],
    )


def before_data(network: Network, model: Model) -> Posterior:
    """Return the prior of a model as a posterior without evidence, exact.

    Raises
    ------
    ModelError
        If a default prior cannot be sized.
    EngineError
        If the model is not linear in its parameters.
    """
    resolved, engine = model.resolve(network), Gaussian()
    task = replace(problem(resolved, network), evidence=())
    return Posterior(
        network=network,
        model=resolved,
        engine=engine,
        problem=task,
        draws=engine.sample(task),
        targets=pd.DataFrame({"treatment": list(network.treatments)}),
        notices=(),
        provenance={},
    )


def scale_quantile(prior: Posterior, name: str, probability: float) -> float:
    """Return a quantile of a scale before any data, in closed form where its prior has one.

    Parameters
    ----------
    prior : Posterior
        What ``before_data`` returned.
    name : str
        Name of the scale.
    probability : float
        Probability of lying below.
    """
    stated = _stated(prior, name)
    if isinstance(stated, Invertible):
        return stated.quantile(probability)
    moments = prior.draws.moments
    return np.nan if moments is None else moments.marginals[name].quantile(probability)


def _stated(prior: Posterior, name: str) -> Prior:
    """Return the prior of a scale."""
    return next(scale.prior for scale in prior.problem.scales if scale.name == name)


Row = tuple[str, str, float, float, float]
"""Words, kind, lower, median and upper."""


def _row(words: str, kind: str, values: Sequence[float] | NDArray[np.float64]) -> Row:
    lower, median, upper = (float(value) for value in values)
    return words, kind, lower, median, upper


def _scale_rows(prior: Posterior, tails: Sequence[float]) -> list[Row]:
    unit = scale_name(prior)
    said = {"tau": f"tau, the sd of the {unit} between trials"}
    return [
        _row(said.get(s.name, s.name), "scale", [scale_quantile(prior, s.name, p) for p in tails])
        for s in prior.problem.scales
    ]


def _range_rows(prior: Posterior, tails: Sequence[float]) -> list[Row]:
    """Return the range of trials on any two treatments, where one scale makes it."""
    network, factor = prior.network, _factor(prior)
    if factor is None:
        return []
    name, times = factor
    spans = [SPAN * times * scale_quantile(prior, name, p) for p in tails]
    if not network.ratio:
        words = f"{network.measure} of the highest less the lowest of 95% of trials"
        return [_row(words, "range", spans)]
    words = f"{network.measure} of the highest over the lowest of 95% of trials"
    return [_row(words, "range", _exp(np.array(spans)))]


def _factor(prior: Posterior) -> tuple[str, float] | None:
    """Return the one scale that makes trials differ, and the sd of contrasts by its units.

    None where there are several, or none, or where some contrasts differ more than others.
    """
    effects = prior.model.heterogeneity.effects(prior.network, prior.targets)
    names = {effect.scale for effect in effects}
    if len(names) != 1 or len(prior.treatments) < 2:
        return None
    first, second = np.triu_indices(len(prior.treatments), k=1)
    (name,) = names
    variance = pair_variance(prior, first, second, {name: np.ones(1)})[0]
    return (name, float(np.sqrt(variance[0]))) if np.ptp(variance) == 0 else None


def _effect_rows(prior: Posterior, level: float) -> list[Row]:
    """Return the effects against the reference, those with one prior together."""
    pairs = ordered_pairs(prior, [prior.comparator])
    if not pairs:
        return []
    natural = _exp if prior.network.ratio else np.asarray
    kinds = {"on average": "effect", "in one new trial": "new trial"}
    found = [estimates(prior, pairs, level, predictive=new) for new in (False, True)]
    numbers = np.array([natural(np.array([e.lower, e.median, e.upper])) for e in found])
    alike = bool(np.allclose(numbers, numbers[..., :1], rtol=1e-9, atol=0))
    some = [("any treatment", pairs[0][1])] if alike else pairs
    return [
        _row(f"{prior.network.measure} of {a} versus {b}, {when}", kind, numbers[number, :, k])
        for k, (a, b) in enumerate(some)
        for number, (when, kind) in enumerate(kinds.items())
    ]


def _exp(values: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):
        return np.exp(values)


def _notes(prior: Posterior) -> list[str]:
    """Return the prior of tau in words."""
    factor = _factor(prior)
    if factor is None:
        return []
    name, times = factor
    middle = scale_quantile(prior, name, 0.5)
    low, high = _stated(prior, name).support
    if low == high:
        return [f"{name} is taken as known: {_spans(prior, times * middle)}."]
    half = f"Half of the belief is that {name} lies below {figures(middle)}"
    notes = [f"{half}: at that value {_spans(prior, times * middle)}."]
    return [*notes, *_sizes(prior, name, times)]


def _spans(prior: Posterior, sd: float) -> str:
    """Return what a standard deviation between trials means."""
    network, wide = prior.network, SPAN * sd
    if network.ratio:
        factor = float(_exp(np.array(wide)))
        return (
            f"the true {network.measure}s of 95% of trials lie within a factor of {figures(factor)}"
        )
    return f"the true {network.measure}s of 95% of trials span {figures(wide)}"


def _sizes(prior: Posterior, name: str, times: float) -> list[str]:
    """Return how likely the prior takes heterogeneity of several sizes to be."""
    network = prior.network
    if network.ratio:
        ends = [0.0, *(_below(prior, name, end / times) for end, _ in KINDS)]
        shares = [probability(b - a) for a, b in pairwise(ends)]
        spelt = ("below 0.1", "0.1 to 0.5", "0.5 to 1", "above 1")
        said = zip((word for _, word in KINDS), spelt, shares, strict=True)
        listed = ", ".join(f"{word} ({where}) {share}" for word, where, share in said)
        return [f"Probability of heterogeneity that is {listed} (Spiegelhalter 2004)."]
    try:
        unit, _ = network.unit
    except ModelError:
        return []
    beyond = 1 - _below(prior, name, unit / SPAN / times)
    wide = f"95% of trials span more than one unit ({figures(unit)})"
    return [f"Probability that {wide}: {probability(beyond)}."]


def _below(prior: Posterior, name: str, value: float) -> float:
    """Return the probability that a scale lies below a value, by its quantiles."""
    from scipy.optimize import brentq

    if not np.isfinite(value):
        return 1.0
    low, high = 1e-12, 1 - 1e-12
    if scale_quantile(prior, name, low) >= value:
        return 0.0
    if scale_quantile(prior, name, high) <= value:
        return 1.0
    return float(brentq(lambda p: scale_quantile(prior, name, p) - value, low, high, xtol=1e-13))
