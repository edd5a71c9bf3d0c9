"""Node-splitting: direct against indirect evidence on every comparison, by refits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nma import graph
from nma.checks._bayes_factors import SENSITIVITY, log_evidence, named_prior
from nma.checks._scale import scale_numbers
from nma.checks._split_table import Split, tabulated
from nma.errors import ModelError, require_several
from nma.estimates import functions, is_credible, require_level
from nma.posterior import at, require_posterior
from nma.priors import Normal
from nma.refits import Executor, Refit, refit_all
from nma.structures import NodeSplit
from nma.structures._node_split import unsplittable
from nma.structures._trials import require_complete

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.network import Network
    from nma.posterior import Posterior
    from nma.tables import Table

__all__ = ["node_splitting"]

Pair = tuple[str, str]
"""Treatment and comparator."""


def node_splitting(
    posterior: Posterior,
    comparisons: Sequence[Pair] | None = None,
    *,
    multiarm: Literal["symmetric", "baseline"] = "symmetric",
    order: Sequence[str] | None = None,
    inconsistency: Normal | None = None,
    level: float = 0.95,
    executor: Executor | None = None,
    progress: bool = True,
) -> Table:
    r"""Return direct against indirect evidence on every comparison that can be split.

    The resolved model is fitted again with a term w for the trials that compare the two,

    .. math:: w = d^{dir} - d^{ind}, \qquad p = 2 \min\{P(w > 0 \mid y), P(w < 0 \mid y)\}

    and all else as it was. A comparison can be split if trials compare the two and the other
    trials, without those, tell of it too. In multi-arm trials the split is not unique:
    ``multiarm`` says how it is made. ``nma.plots.node_splitting`` draws the table.

    Parameters
    ----------
    posterior : Posterior
        A fitted model under which treatments have one level each.
    comparisons : sequence of (str, str), optional
        (treatment, comparator) of each comparison to split; all that can be if not given.
    multiarm : {"symmetric", "baseline"}, default "symmetric"
        Where w stands in multi-arm trials: half on each of the two treatments, or, by the rule of
        Dias 2010, all of it on the treatment, the comparator being the baseline.
    order : sequence of str, optional
        All treatments; the earlier of two is the comparator. The network's order if not given, the
        reference being always a comparator.
    inconsistency : Normal, optional
        Prior of w for the Bayes factor, with mean zero; sd one unit if not given. For estimation w
        has sd 10 units; where no trial tells the unit, ten times this sd.
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
        By (``treatment``, ``comparator``), those that cannot be split last and empty: ``trials``
        that compare the two; posterior mean of ``direct``, ``indirect``, ``network`` and
        ``difference`` (w) on the scale of the model, each with ``_sd``, ``_lower`` and ``_upper``;
        ``p``; ``detectable``, the difference that would be found with 80 % power at 5 %,
        2.8 ``difference_sd``; ``share_direct``, the share of the precision of direct and indirect
        evidence that is direct; ``bayes_factor``, of inconsistency on this comparison against none;
        median ``tau`` of the split model; ``mcse`` of the difference. Notes say what cannot be
        split and why, how large an inconsistency could have been missed, and what the Bayes factor
        is under other priors.

    Raises
    ------
    ModelError
        If a comparison cannot be split, the order leaves out a treatment, treatments have no one
        level under the structure, or nothing sizes the prior of w.
    EngineError
        If no fit succeeded.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("senn2013"))
    >>> table = nma.checks.node_splitting(posterior)
    >>> table.loc[("sulfonylurea", "rosiglitazone"), ["direct", "indirect", "p"]].round(2).tolist()
    [1.2, 0.52, 0.15]

    References
    ----------
    Dias et al. 2010, doi:10.1002/sim.3767; van Valkenhoef et al. 2016, doi:10.1002/jrsm.1167.
    """
    require_posterior(posterior, "node_splitting")
    require_level(level)
    network = posterior.network
    asked = at(posterior, treatments=network.treatments)
    pairs = _pairs(network, order)
    reasons = {pair: unsplittable(posterior.model.structure, network, *pair) for pair in pairs}
    chosen = _chosen(comparisons, reasons)
    named, wide = _named(network, inconsistency)
    prior = named if is_credible(posterior) else None
    levels = dict(zip(asked.treatments, asked.levels, strict=True))
    read = partial(_read, levels, prior, level)
    split = partial(NodeSplit, posterior.model.structure, multiarm=multiarm, inconsistency=wide)
    tasks = [_task(posterior, pair, split) for pair in chosen]
    found = refit_all(tasks, read, executor=executor, progress=progress)
    return tabulated(
        asked,
        {label: _weighed(split, posterior) for label, split in found.done.items()},
        found,
        pairs=chosen,
        reasons={pair: reason for pair, reason in reasons.items() if reason},
        prior=prior,
        words=(_rule(network, multiarm),),
        level=level,
    )


def _pairs(network: Network, order: Sequence[str] | None) -> list[Pair]:
    """Return the comparisons that trials make, (treatment, comparator)."""
    require_several(order, "order")
    names, first = (network.treatments, network.reference) if order is None else (order, "")
    require_complete(names, network)
    table = graph.direct_comparisons(network.graph, names, first)
    return list(zip(table["treatment"], table["comparator"], strict=True))


def _chosen(comparisons: Sequence[Pair] | None, reasons: Mapping[Pair, str]) -> list[Pair]:
    """Return what to split; refuse, with the reason, what was asked for and cannot be."""
    can = [pair for pair, reason in reasons.items() if not reason]
    if comparisons is None:
        return can
    require_several(comparisons if isinstance(comparisons, str) else None, "comparisons")
    known = {frozenset(pair): reason for pair, reason in reasons.items()}
    faults: list[str] = []
    chosen: list[Pair] = []
    for asked in dict.fromkeys(map(_pair, comparisons)):
        reason = known.get(frozenset(asked), "no trial compares them")
        if reason:
            faults.append(f"{' versus '.join(map(repr, asked))} cannot be split: {reason}.")
        else:
            chosen.append(asked)
    if faults:
        listed = ", ".join(f"{b!r} and {a!r}" for b, a in can) or "none"
        message = f"{' '.join(faults)} Comparisons that can: {listed}."
        raise ModelError(message)
    return chosen


def _pair(asked: object) -> Pair:
    """Return one comparison; a name is not one."""
    if isinstance(asked, tuple | list) and len(asked) == 2:
        return str(asked[0]), str(asked[1])
    message = f"comparisons= lists (treatment, comparator); {asked!r} is no such pair."
    raise ModelError(message)


def _named(network: Network, prior: Normal | None) -> tuple[Normal, Normal | None]:
    """Return the prior of w for Bayes factors, and that for estimation where w sizes it.

    Where trials tell no unit the named prior does: estimation takes ten times its sd, as ten units.
    """
    named = named_prior(network, prior, "inconsistency")
    try:
        network.unit  # noqa: B018  asked for its refusal
    except ModelError:
        return named, Normal(0, 10 * named.sd, origin="ten times the sd of inconsistency=")
    return named, None


def _task(posterior: Posterior, pair: Pair, split: Callable[[str, str], NodeSplit]) -> Refit:
    """Return the fit of one split: w stands on the treatment, the comparator is the baseline."""
    b, a = pair
    model = replace(posterior.model, structure=split(a, b))
    return Refit.of(posterior, " vs ".join(pair), model=model)


def _rule(network: Network, multiarm: str) -> str:
    if all(len(arms) == 2 for arms in network.trials.values()):
        return "All trials have two arms, so every split is unique."
    return (
        "In multi-arm trials half of the difference stands on each of the two treatments."
        if multiarm == "symmetric"
        else "In multi-arm trials the difference stands on the treatment, the comparator being the "
        "baseline: other orders give other numbers."
    )


def _read(
    levels: Mapping[str, NDArray[np.float64]],
    prior: Normal | None,
    level: float,
    fitted: Posterior,
) -> Split:
    """Read a split where it was fitted."""
    split: Any = fitted.model.structure
    between = levels[split.b] - levels[split.a]
    w = np.eye(len(between) + 1)[-1]
    indirect = np.append(between, 0.0)
    found = functions(fitted, np.stack([indirect + w, indirect, w]), level)
    tau = [scale.name for scale in fitted.problem.scales if scale.name == "tau"]
    return Split(
        numbers=np.stack([found.mean, found.sd, found.lower, found.upper], axis=1),
        p=2 * min(float(found.better[2]), 1 - float(found.better[2])),
        mcse=float(found.mcse[2]),
        tau=float(scale_numbers(fitted, "tau", level)[0]) if tau else np.nan,
        log_evidence=log_evidence(fitted),
        log_ratios=_log_ratios(fitted, split.inconsistency, prior, w),
    )


def _log_ratios(
    posterior: Posterior, own: Normal, prior: Normal | None, w: NDArray[np.float64]
) -> tuple[float, ...]:
    r"""Return log evidence under priors of w less that under the model's own prior.

    .. math:: m_\pi / m_0 = E_0[\pi(w) / \pi_0(w) \mid y]

    the mean over the posterior under the diffuse prior :math:`\pi_0`, in closed form for normals.
    """
    if prior is None:
        return (np.nan,) * len(SENSITIVITY)
    moments = posterior.draws.moments
    if moments is None:
        mean = (posterior.draws.values["beta"].to_numpy() @ w).ravel()
        weight, variance = np.full(len(mean), 1 / len(mean)), np.zeros(len(mean))
    else:
        mixture = moments.of(w[None])
        weight, mean, variance = mixture.weight, mixture.means[:, 0], mixture.sds[:, 0] ** 2
    return tuple(
        _log_ratio(weight, mean, variance, own.sd, factor * prior.sd) for factor in SENSITIVITY
    )


def _log_ratio(
    weight: NDArray[np.float64],
    mean: NDArray[np.float64],
    variance: NDArray[np.float64],
    own: float,
    sd: float,
) -> float:
    precision = 1 / sd**2 - 1 / own**2
    shrunk = 1 + precision * variance
    terms = np.exp(-0.5 * precision * mean**2 / shrunk) / np.sqrt(shrunk)
    return float(np.log(own / sd) + np.log(weight @ terms))


def _weighed(split: Split, posterior: Posterior) -> Split:
    """Return a split with its evidence against that of the fit that was split."""
    return replace(split, log_evidence=split.log_evidence - log_evidence(posterior))
