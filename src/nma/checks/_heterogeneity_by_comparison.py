"""Whether the heterogeneity that a network shares is the same on each comparison."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from nma.checks._heterogeneity_table import NetworkTau, Pair, tabulated, versus
from nma.checks._restricted import Told, restricted, told_by_trial
from nma.checks._scale import scale_numbers
from nma.errors import ModelError
from nma.estimates import briefly, is_credible, require_level
from nma.heterogeneity import Random
from nma.least_squares import common_effect
from nma.model import Model, prior_words, problem
from nma.normal_evidence import NormalEvidence, estimated
from nma.posterior import require_posterior
from nma.priors import Fixed, Normal
from nma.refits import Executor, Refit, Refits, refit_all
from nma.structures import Consistency

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nma.network import Network
    from nma.posterior import Posterior
    from nma.tables import Table

__all__ = ["heterogeneity_by_comparison"]

TAU = "tau"
"""The one scale of the random effects."""

PLAIN = Model(Consistency(Normal(0, 1)), Random(Fixed(0.0)))
"""What least squares needs of a model; its priors are not used."""


def heterogeneity_by_comparison(
    posterior: Posterior,
    *,
    level: float = 0.95,
    executor: Executor | None = None,
    progress: bool = True,
) -> Table:
    r"""Return how heterogeneous the trials of each comparison are, beside the network's one tau.

    Each comparison that two trials or more make directly is analysed alone, as a pairwise
    meta-analysis of its direct contrasts :math:`y_i` with variances :math:`v_i`, at a common
    effect

    .. math:: Q = \sum_i \frac{(y_i - \hat d)^2}{v_i}, \qquad
        I^2 = \max(0, (Q - df)/Q), \qquad p = P(\chi^2_{df} \ge Q)

    and by the model itself: consistency with the resolved prior of tau and of effects, fitted to
    these two arms of these trials by the same engine, so that no prior moves. With few trials such
    a tau leans on its prior, whose median it approaches as evidence runs out: read its interval
    and Q before a ratio. A multi-arm trial enters each of its comparisons, which are then not
    independent. No number depends on names, order or reference.

    Parameters
    ----------
    posterior : Posterior
        A fitted model. For Q, counts are read by the normal approximation.
    level : float, default 0.95
        Probability of the equal-tailed intervals.
    executor : Executor, optional
        Where to fit: anything with ``map``, such as those of ``concurrent.futures``. Here, one
        after another, if not given; the numbers are the same.
    progress : bool, default True
        Whether to show a bar, on terminals and in notebooks.

    Returns
    -------
    Table
        For each (treatment, comparator): ``trials``, ``Q``, ``df``, ``i_squared`` and ``p``;
        ``tau_dl``, the estimate of DerSimonian and Laird; ``tau``, the posterior median, with
        ``lower`` and ``upper``; ``ratio``, that median over the network's; and ``mcse``, the Monte
        Carlo error of ``tau`` (zero where exact). The taus are on the scale of the model. Without
        a posterior of one tau (least squares, a common effect, a tau that is given) ``tau`` and
        what follows is empty, and a note says why. Notes give the network's tau, comparisons of
        one trial, and how multi-arm trials were read. ``attrs`` has ``tau``, the network's median
        and limits, and ``single``, the comparisons of one trial.

    Raises
    ------
    ModelError
        If no comparison has two trials, the level is not between 0 and 1, or the model has another
        structure than consistency and the default prior of effects cannot be sized.
    EngineError
        If no fit succeeded.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("senn2013"))
    >>> table = nma.checks.heterogeneity_by_comparison(posterior)
    >>> table.loc[("rosiglitazone", "placebo"), ["Q", "df", "tau", "ratio"]].round(2).to_dict()
    {'Q': 21.27, 'df': 5.0, 'tau': 0.27, 'ratio': 0.81}

    References
    ----------
    Higgins and Thompson 2002, doi:10.1002/sim.1186, on Q and I-squared; DerSimonian and Laird 1986,
    doi:10.1016/0197-2456(86)90046-2; Lu and Ades 2009, doi:10.1093/biostatistics/kxn032, on
    variances that differ between comparisons.
    """
    require_posterior(posterior, "heterogeneity_by_comparison")
    require_level(level)
    network, evidence = posterior.network, _evidence(posterior.network)
    counts = {pair: _count(network, pair) for pair in evidence.pairs}
    pairs = [pair for pair, count in counts.items() if count > 1]
    if not pairs:
        message = (
            "No comparison is made by two trials, and one alone cannot tell heterogeneity from "
            "chance: there is nothing to compare tau between. Merge treatments that are the same, "
            "or add trials."
        )
        raise ModelError(message)
    trials = evidence.by_trial(0.0)
    told = {pair: told_by_trial(evidence, trials, pair) for pair in pairs}
    numbers = {pair: [counts[pair], *_moments(evidence.network, pair, told[pair])] for pair in told}
    ours = _network_tau(posterior, level)
    found: Refits[NDArray[np.float64]] = Refits({}, {}, {}, ())
    if not ours.without:
        tasks = _tasks(posterior, told)
        read = partial(scale_numbers, name=TAU, level=level)
        found = refit_all(tasks, read, executor=executor, progress=progress)
    table = tabulated(posterior, numbers, ours, found, level=level)
    single = [pair for pair, count in counts.items() if count == 1]
    within = {study for each in told.values() for study in each}
    several = [s for s, arms in network.trials.items() if len(arms) > 2 and s in within]
    table.notes += (
        *_single(single),
        *_multiarm(several),
        *_repeated(network, several),
        *_silent([pair for pair, each in told.items() if not each]),
        *_structure(posterior, fitted=not ours.without),
        *(text for text in evidence.network.notices if text not in network.notices),
        *briefly(posterior),
    )
    table.attrs["single"] = single
    return table


def _evidence(network: Network) -> NormalEvidence:
    """Return trials as normal contrasts; they need not connect all treatments."""
    normal = network.as_normal()
    return NormalEvidence(normal, problem(PLAIN, normal), (), math.nan)


def _count(network: Network, pair: Pair) -> int:
    return sum(set(pair) <= set(arms) for arms in network.trials.values())


def _moments(network: Network, pair: Pair, told: Told) -> list[float]:
    """Return Q, df, I-squared, p and the DerSimonian-Laird tau of normal trials."""
    from scipy.special import chdtrc

    part = restricted(network, pair, told)
    if part is None:
        return [0.0, 0, *[math.nan] * 3]
    evidence = _evidence(part)
    common = common_effect(evidence.problem)
    if common.df == 0:
        return [0.0, 0, *[math.nan] * 3]
    p = float(chdtrc(common.df, common.Q))
    return [common.Q, common.df, common.i_squared, p, estimated(evidence.consistent, "DL")]


def _network_tau(posterior: Posterior, level: float) -> NetworkTau:
    """Return the tau of the fit, or why comparisons cannot have one of their own."""
    scales = {effect.scale for effect in posterior.problem.effects}
    if not scales:
        return NetworkTau(without="The model has a common effect, so no tau")
    if scales != {TAU}:
        return NetworkTau(without="The random effects of the model have no single tau")
    found = scale_numbers(posterior, TAU, level)
    if not is_credible(posterior):
        name = type(posterior.engine).__name__
        told = f"{name} has no posterior; its tau of the network is {found[0]:.4g}"
        return NetworkTau(without=told)
    if found[3] == 0:
        return NetworkTau(without=f"tau is given as {found[0]:.4g}, whatever trials say")
    return NetworkTau(found)


def _tasks(posterior: Posterior, told: Mapping[Pair, Told]) -> list[Refit]:
    """Return the fits to make: each comparison alone, by priors of the whole network."""
    model = posterior.model
    if type(model.structure) is not Consistency:
        effect = Consistency.default(posterior.network)
        model = replace(model, structure=Consistency(effect))
    parts = {pair: restricted(posterior.network, pair, each) for pair, each in told.items()}
    return [
        Refit.of(posterior, versus(pair), network=part, model=model)
        for pair, part in parts.items()
        if part is not None
    ]


def _single(pairs: list[Pair]) -> list[str]:
    if not pairs:
        return []
    return [f"Made by one trial, which cannot tell: {', '.join(versus(p) for p in pairs)}."]


def _multiarm(studies: list[str]) -> list[str]:
    if not studies:
        return []
    said = (
        "Trials of more than two arms enter each of their comparisons by what they say of those "
        f"two alone, so rows share them: {', '.join(studies)}."
    )
    return [said]


def _repeated(network: Network, studies: list[str]) -> list[str]:
    """Return the multi-arm trials whose several arms on one treatment were averaged."""
    arms = network.table[network.table["study"].isin(studies)]
    twice = arms["study"][arms.duplicated(["study", "treatment"])].unique()
    if not len(twice):
        return []
    return [f"Several arms on one treatment are read as their average in {', '.join(twice)}."]


def _silent(pairs: list[Pair]) -> list[str]:
    if not pairs:
        return []
    listed = ", ".join(versus(pair) for pair in pairs)
    return [f"No trial, read as normal contrasts, tells of {listed}: their Q is on 0 df."]


def _structure(posterior: Posterior, *, fitted: bool) -> list[str]:
    structure = posterior.model.structure
    if not fitted or type(structure) is Consistency:
        return []
    effect = prior_words(Consistency.default(posterior.network))
    said = (
        f"Comparisons alone have one effect each, with prior {effect}; what "
        f"{type(structure).__name__} adds is left aside."
    )
    return [said]
