"""Prior sensitivity: the same trials under one prior of tau after another."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nma.checks._prior_table import OWN, Answer, tabulated
from nma.errors import ModelError
from nma.estimates import estimates, is_credible, ordered_pairs, require_level
from nma.heterogeneity import Random
from nma.model import prior_words
from nma.posterior import require_posterior
from nma.prior_predictive import before_data, scale_quantile
from nma.priors import HalfCauchy, HalfNormal, Prior, Uniform
from nma.ranking import p_best, shares
from nma.refits import Executor, Refit, refit_all
from nma.summaries import summary
from nma.tables import Table

if TYPE_CHECKING:
    import pandas as pd

    from nma.network import Network
    from nma.posterior import Posterior

__all__ = ["prior_sensitivity"]


def prior_sensitivity(
    posterior: Posterior,
    priors: Mapping[str, Prior] | None = None,
    *,
    standard: bool = True,
    comparator: str | None = None,
    level: float = 0.95,
    executor: Executor | None = None,
    progress: bool = True,
) -> Table:
    """Return tau, effects and ranks under one prior of tau after another.

    The model is fitted again with nothing but that prior changed. With few trials tau leans on its
    prior, and the intervals of effects with it: what stays the same under all reasonable priors is
    what the trials say. ``nma.plots.prior_sensitivity`` draws the table.

    Parameters
    ----------
    posterior : Posterior
        A fitted model whose heterogeneity has a prior of tau.
    priors : mapping of str to Prior, optional
        Priors to try, by the names that they are to have in the table; such as those of
        ``nma.priors.turner2015`` or ``nma.priors.rhodes2015`` for your outcome.
    standard : bool, default True
        Whether to try, before those, half-normal priors of half, once and twice the default scale,
        a half-Cauchy of that scale and a uniform prior up to five times it. The model's own prior
        comes first in any case.
    comparator : str, optional
        Whom effects are against; the network's reference if not given.
    level : float, default 0.95
        Probability of the equal-tailed credible intervals.
    executor : Executor, optional
        Where to fit: anything with ``map``, such as those of ``concurrent.futures``. Here, one
        after another, if not given; the numbers are the same.
    progress : bool, default True
        Whether to show a bar, on terminals and in notebooks.

    Returns
    -------
    Table
        By (``quantity``, ``prior``): tau before the data (``estimate`` is the median) and after
        them (likewise), then the effect of each treatment against the comparator (the posterior
        mean) with ``p_best`` and ``sucra``: ``estimate``, ``lower`` and ``upper`` in the measure's
        own numbers, and ``mcse`` on the scale of the model. Notes say what moved and what each
        prior is. A prior that could not be fitted is named there, and after an interruption the
        caption begins with PARTIAL.

    Raises
    ------
    ModelError
        If the model has no prior of tau, there is none to compare it with, the comparator is
        unknown, the level is not between 0 and 1, or a standard prior cannot be sized.
    EngineError
        If no fit succeeded.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("parkinson"))
    >>> rhodes = nma.priors.rhodes2015(
    ...     outcome="signs or symptoms of the condition",
    ...     comparison="pharmacological vs placebo or control",
    ...     scale=posterior.network.unit[0],
    ... )
    >>> table = nma.checks.prior_sensitivity(posterior, {"Rhodes 2015": rhodes})
    >>> table.loc["tau", "estimate"].round(2).to_dict()
    {"this model's": 0.26, 'half-normal(0.75)': 0.23, 'half-normal(3)': 0.27,
    'half-cauchy(1.5)': 0.25, 'uniform(0, 7.5)': 0.28, 'Rhodes 2015': 0.2}

    References
    ----------
    Lambert et al. 2005, doi:10.1002/sim.2112, on how vague priors of tau differ;
    Roever et al. 2021, doi:10.1002/jrsm.1475.
    """
    require_posterior(posterior, "prior_sensitivity")
    require_level(level)
    own = _own(posterior)
    against = posterior.comparator if comparator is None else comparator
    pairs = tuple(ordered_pairs(posterior, [against]))
    if not pairs:
        message = f"{against!r} is alone: ask about a treatment to compare it with."
        raise ModelError(message)
    tried = _standard(posterior.network, own) if standard else {}
    tried |= _given({} if priors is None else priors, {OWN, *tried})
    read = _Reader(posterior.targets, pairs, level)
    ours = read(posterior)
    found = refit_all(_tasks(posterior, tried), read, executor=executor, progress=progress)
    return tabulated(posterior, {OWN: ours, **found.done}, found, pairs=pairs, level=level)


def _own(posterior: Posterior) -> Prior:
    """Return the model's prior of tau."""
    if not is_credible(posterior):
        message = (
            f"{type(posterior.engine).__name__} ignores priors, so none can matter: fit with "
            "nma.engines.Gaussian(), or for counts with nma.engines.Laplace()."
        )
        raise ModelError(message)
    heterogeneity = posterior.model.heterogeneity
    tau = getattr(_holder(heterogeneity), "tau", None)
    if not isinstance(tau, Prior):
        message = (
            f"{heterogeneity!r} has no prior of tau to change: fit with nma.heterogeneity.Random()."
        )
        raise ModelError(message)
    return tau


def _holder(heterogeneity: Any) -> Any:
    """Return the part that has a prior of tau: itself, or what it wraps; None if there is none."""
    has = {entry.name for entry in fields(heterogeneity)} if is_dataclass(heterogeneity) else set()
    if "tau" in has:
        return heterogeneity
    return _holder(heterogeneity.base) if "base" in has else None


def _with_tau(heterogeneity: Any, prior: Prior) -> Any:
    """Return the same with another prior of tau, wherever it stands."""
    if heterogeneity is _holder(heterogeneity):
        return replace(heterogeneity, tau=prior)
    return replace(heterogeneity, base=_with_tau(heterogeneity.base, prior))


def _standard(network: Network, own: Prior) -> dict[str, Prior]:
    """Return the priors that are tried unless told otherwise, without the model's own."""
    try:
        scale = Random.default(network).scale
    except ModelError as error:
        message = f"{error} Or say standard=False and name the priors to try."
        raise ModelError(message) from error
    found: dict[str, Prior] = {
        **{f"half-normal({k * scale:.3g})": HalfNormal(k * scale) for k in (0.5, 1, 2)},
        f"half-cauchy({scale:.3g})": HalfCauchy(scale),
        f"uniform(0, {5 * scale:.3g})": Uniform(0, 5 * scale),
    }
    return {label: prior for label, prior in found.items() if prior != own}


def _given(priors: Mapping[str, Prior], taken: Collection[str]) -> dict[str, Prior]:
    """Refuse what is no mapping of new names to priors, and no priors at all."""
    if not isinstance(priors, Mapping):
        said = f"This is a {type(priors).__name__}."
    elif wrong := [f"{name!r}: {value!r}" for name, value in priors.items() if not _is(value)]:
        said = f"Not a prior: {', '.join(wrong)}."
    elif again := [repr(name) for name in priors if name in taken]:
        said = f"In the table already: {', '.join(again)}."
    elif not priors and len(taken) == 1:
        said = "There is none to compare the model's own with."
    else:
        return {str(name): prior for name, prior in priors.items()}
    message = f"priors= names priors of tau, as in {{'name': nma.priors.HalfNormal(1)}}. {said}"
    raise ModelError(message)


def _is(value: object) -> bool:
    """Return whether a value is a prior; the class of one looks like it."""
    return isinstance(value, Prior) and not isinstance(value, type)


def _tasks(posterior: Posterior, tried: Mapping[str, Prior]) -> list[Refit]:
    """Return the fits to make: the model with each prior of tau in place of its own."""
    heterogeneity = posterior.model.heterogeneity
    changed = {label: _with_tau(heterogeneity, prior) for label, prior in tried.items()}
    return [
        Refit.of(posterior, label, model=replace(posterior.model, heterogeneity=made))
        for label, made in changed.items()
    ]


@final
@dataclass(frozen=True, eq=False)
class _Reader:
    """Reads one answer of a posterior, wherever it was fitted."""

    targets: pd.DataFrame
    pairs: tuple[tuple[str, str], ...]
    level: float

    def __call__(self, fitted: Posterior) -> Answer:
        posterior = replace(fitted, targets=self.targets)
        prior = before_data(posterior.network, posterior.model)
        tails = (0.5, (1 - self.level) / 2, (1 + self.level) / 2)
        (tau,) = (s.prior for s in posterior.problem.scales if s.name == "tau")
        after = summary(posterior, level=self.level).loc["tau", ["median", "lower", "upper"]]
        found = estimates(posterior, self.pairs, self.level)
        best, ranked = p_best(posterior)["p_best"], shares(posterior)[0]
        return Answer(
            prior=prior_words(tau),
            before=np.array([scale_quantile(prior, "tau", tail) for tail in tails]),
            after=after.to_numpy(dtype=float),
            effects=np.stack([found.mean, found.lower, found.upper]),
            sd=found.sd,
            mcse=found.mcse,
            p_best={str(name): float(value) for name, value in best.items()},
            sucra=dict(zip(posterior.treatments, ranked.tolist(), strict=True)),
        )
