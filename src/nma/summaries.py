"""A fit at a glance: effects, scales, and everything that was assumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma.errors import ModelError
from nma.estimates import (
    Estimates,
    captioned,
    estimates,
    functions,
    interval_words,
    is_credible,
    located,
    meanings,
    ordered_pairs,
    positions,
    replicate_error,
    scale_name,
)
from nma.least_squares import common_effect, estimable
from nma.posterior import require_posterior
from nma.problem import Contrasts
from nma.tables import Table, decimals

if TYPE_CHECKING:
    from nma.posterior import Posterior

__all__ = ["summary"]


def summary(posterior: Posterior, *, level: float = 0.95) -> Table:
    r"""Return the fit at a glance: effects against the reference, tau, and what was assumed.

    .. math:: I^2 = \max(0, (Q - df)/Q)

    with Q from common-effect least squares. ``attrs`` holds ``i_squared``, ``Q``, ``df``,
    ``log_evidence`` and ``quadrature_error`` as numbers; of a least-squares fit ``tau`` and
    ``Q_gen``, the generalised Q at that tau, in place of the last two.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    level : float, default 0.95
        Probability of the equal-tailed credible intervals.

    Returns
    -------
    Table
        Rows: each treatment versus the reference, then each scale; where treatments have no one
        level, as under a node-split, the parameters of the structure, and why. Columns on the
        scale of the model: ``mean``, ``sd``, ``median``, ``lower``, ``upper`` and ``p_better``.
        Notes: which priors were used and which were defaults, heterogeneity, evidence, every
        notice. A tau that least squares estimated has no spread of its own.

    Raises
    ------
    ModelError
        If the level is not between 0 and 1.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> print(nma.summary(posterior).round(2).loc["tau", "median"])
    0.38

    References
    ----------
    Higgins and Thompson 2002, doi:10.1002/sim.1186, on I-squared.
    """
    require_posterior(posterior, "summary")
    undefined = _undefined(posterior)
    pairs = [] if undefined else ordered_pairs(posterior, [posterior.comparator])
    found = _parameters(posterior, level) if undefined else estimates(posterior, pairs, level)
    effects = pd.DataFrame(
        {
            "mean": found.mean,
            "sd": found.sd,
            "median": found.median,
            "lower": found.lower,
            "upper": found.upper,
            "p_better": found.better,
        },
        index=posterior.problem.parameters.names
        if undefined
        else [f"{a} vs {b}" for a, b in pairs],
    )
    scales = pd.DataFrame.from_dict(
        {
            scale.name: _scale_row(posterior, scale.name, level)
            for scale in posterior.problem.scales
        },
        orient="index",
        columns=effects.columns,
    )
    numbers = _numbers(posterior)
    table = Table(
        pd.concat([effects, scales]) if len(scales) else effects,
        caption=captioned(
            posterior,
            located(
                posterior,
                f"{scale_name(posterior)} with {interval_words(posterior, level)}s; "
                f"{posterior.network.better} is better.",
            ),
        ),
        notes=(*undefined, *_notes(posterior, pairs, numbers)),
        digits=dict.fromkeys(effects.columns.drop("p_better"), decimals(found.sd)),
        probabilities=["p_better"],
    )
    table.attrs.update(numbers)
    return table


def _undefined(posterior: Posterior) -> tuple[str, ...]:
    """Return why treatments have no one level, if so."""
    try:
        posterior.levels  # noqa: B018  asked for its refusal
    except ModelError as error:
        return (f"Parameters of the structure. {error}",)
    return ()


def _parameters(posterior: Posterior, level: float) -> Estimates:
    """Return estimates of the parameters themselves, none of which has a better side."""
    found = functions(posterior, np.eye(len(posterior.problem.parameters.names)), level)
    return replace(found, better=np.full(len(found.mean), np.nan))


def _scale_row(posterior: Posterior, name: str, level: float) -> list[float]:
    tails = [0.5, (1 - level) / 2, (1 + level) / 2]
    if posterior.draws.moments is not None:
        marginal = posterior.draws.moments.marginals[name]
        if np.isnan(marginal.sd):  # a single value, found with no distribution
            return [marginal.mean, np.nan, marginal.mean, *[np.nan] * 3]
        quantiles = [marginal.quantile(tail) for tail in tails]
        return [marginal.mean, marginal.sd, *quantiles, np.nan]
    values = posterior.draws.values[name].to_numpy()
    return [float(values.mean()), float(values.std()), *np.quantile(values, tails), np.nan]


def _numbers(posterior: Posterior) -> dict[str, float]:
    found: dict[str, float] = dict(posterior.draws.diagnostics)
    if _is_normal(posterior):
        common = common_effect(posterior.problem)
        found |= {"Q": common.Q, "df": float(common.df), "i_squared": common.i_squared}
    if posterior.draws.moments is not None and is_credible(posterior):
        found["log_evidence"] = posterior.draws.moments.log_evidence
    return found


def _notes(
    posterior: Posterior, pairs: Sequence[tuple[str, str]], numbers: dict[str, float]
) -> tuple[str, ...]:
    return (
        *_heterogeneity_notes(posterior, numbers),
        *_exactness_notes(posterior, numbers),
        *posterior.priors,
        *_prior_driven_notes(posterior, pairs),
        *meanings(posterior),
        *posterior.notices,
    )


def _heterogeneity_notes(posterior: Posterior, numbers: dict[str, float]) -> list[str]:
    if "Q" not in numbers:
        return []
    if numbers["df"] == 0:
        once = "the trials leave nothing over to tell heterogeneity from chance"
        rests = ", so any tau rests on its prior" if is_credible(posterior) else ""
        return [f"Q on 0 df: {once}{rests}."]
    q = f"Q = {numbers['Q']:.2f} on {numbers['df']:.0f} df at common effect"
    return [f"I-squared {numbers['i_squared']:.0%}: {q}."]


def _exactness_notes(posterior: Posterior, numbers: dict[str, float]) -> list[str]:
    moments = posterior.draws.moments
    if moments is None:
        beta = posterior.draws.values["beta"]
        error = np.max(replicate_error(beta.to_numpy()) / beta.to_numpy().std(axis=(0, 1)))
        told = f"up to {error:.1%} of a posterior sd" if np.isfinite(error) else "unknown"
        judged = (*_convergence_notes(numbers), *_weight_notes(numbers))
        return [f"From draws: Monte Carlo error {told}.", *judged]
    if not is_credible(posterior):
        return ["Exact given tau: no quadrature, no draws."]
    error = numbers.get("quadrature_error", 0.0)
    nodes = f"{len(moments.weight)} quadrature nodes, error below {max(error, 1e-12):.0e}"
    return [f"Exact: {nodes}; log evidence {moments.log_evidence:.4f}."]


def _convergence_notes(numbers: dict[str, float]) -> list[str]:
    if not np.isfinite(numbers.get("r_hat", np.nan)):
        return []
    bulk, tail = (f"{numbers[name]:.0f}" for name in ("ess_bulk", "ess_tail"))
    energy = f"{numbers['divergences']:.0f} divergences; E-FMI at least {numbers['e_fmi']:.2f}"
    effective = f"effective draws at least {bulk} (bulk) and {tail} (tail)"
    return [f"R-hat at most {numbers['r_hat']:.3f}; {effective}; {energy}."]


def _weight_notes(numbers: dict[str, float]) -> list[str]:
    """Return how near weighted candidates were to the posterior, where there were any."""
    if "pareto_k" not in numbers:
        return []
    worth = (
        f"{numbers['candidates']:.0f} candidates are worth {numbers['effective_candidates']:.0f}"
    )
    k = f"Pareto k {numbers['pareto_k']:.2f}, to be at most 0.7"
    return [f"{k}; {worth}; log evidence {numbers['log_evidence']:.3f}."]


def _prior_driven_notes(posterior: Posterior, pairs: Sequence[tuple[str, str]]) -> list[str]:
    if not pairs or not _is_normal(posterior):
        return []
    first, second = positions(posterior, pairs)
    told = estimable(posterior.problem, posterior.levels[first] - posterior.levels[second])
    rests = "rests on its prior" if is_credible(posterior) else "is left empty"
    return [
        f"{a} versus {b} {rests}: no trials, directly or together, determine it."
        for (a, b), known in zip(pairs, told, strict=True)
        if not known
    ]


def _is_normal(posterior: Posterior) -> bool:
    return all(isinstance(part, Contrasts) for part in posterior.problem.evidence)
