"""Relative effects: draws, tables, the league table and the summary of a fit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma.errors import ModelError
from nma.estimates import Estimates, estimates, replicate_error
from nma.least_squares import common_effect, estimable
from nma.model import stated_priors
from nma.priors import Prior
from nma.problem import Contrasts
from nma.tables import Table, rounded

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from nma.posterior import Posterior

__all__ = ["effect_table", "league_table", "relative_effects", "summary"]


def relative_effects(
    posterior: Posterior, *, comparators: Sequence[str] | None = None
) -> xr.DataArray:
    r"""Return draws of the effects of all treatments against some comparators.

    .. math:: d_{jk} = \theta_j - \theta_k

    on the scale of the model: the logarithm for ratio measures. In every draw
    :math:`d_{AC} = d_{AB} + d_{BC}`.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    comparators : sequence of str, optional
        The network's reference alone if not given.

    Returns
    -------
    DataArray, (chain, draw, treatment, comparator)
        Treatment minus comparator.

    Raises
    ------
    ModelError
        If a comparator is unknown, or the structure gives no level outside a trial.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> nma.relative_effects(posterior, comparators=["passive control"]).dims
    ('chain', 'draw', 'treatment', 'comparator')

    References
    ----------
    Lu and Ades 2004, doi:10.1002/sim.1875.
    """
    import xarray as xr

    names = [posterior.comparator] if comparators is None else list(comparators)
    against = [posterior.position(name) for name in names]
    beta = posterior.draws.values["beta"]
    levels = beta.to_numpy() @ posterior.levels.T
    return xr.DataArray(
        levels[..., :, None] - levels[..., None, against],
        dims=("chain", "draw", "treatment", "comparator"),
        coords={
            "chain": beta["chain"],
            "draw": beta["draw"],
            "treatment": list(posterior.treatments),
            "comparator": names,
        },
        name="relative effect",
        attrs={"measure": _scale_name(posterior), "better": posterior.network.better},
    )


def _scale_name(posterior: Posterior) -> str:
    measure = posterior.network.measure
    return f"log {measure}" if posterior.network.ratio else measure


def _direction(posterior: Posterior) -> str:
    better = posterior.network.better
    if posterior.network.ratio:
        return f"{'below' if better == 'lower' else 'above'} 1 favours the treatment"
    return f"{'negative' if better == 'lower' else 'positive'} favours the treatment"


def _caption(posterior: Posterior, text: str) -> str:
    return " ".join(part for part in (text, posterior.network.caption) if part)


def _pairs(posterior: Posterior, comparators: Sequence[str] | None) -> list[tuple[str, str]]:
    """Return (treatment, comparator), every treatment against each comparator but itself."""
    names = posterior.treatments if comparators is None else tuple(comparators)
    return [(a, b) for b in names for a in posterior.treatments if a != b]


def _contrasts(posterior: Posterior, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
    position = {name: k for k, name in enumerate(posterior.treatments)}
    for _, comparator in pairs:
        if comparator not in position:
            posterior.position(comparator)
    first = [position[a] for a, _ in pairs]
    second = [position[b] for _, b in pairs]
    return posterior.levels[first] - posterior.levels[second]


def effect_table(
    posterior: Posterior, *, comparators: Sequence[str] | None = None, level: float = 0.95
) -> Table:
    r"""Return the relative effects as numbers, one row for each ordered pair.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    comparators : sequence of str, optional
        Every treatment in turn if not given.
    level : float, default 0.95
        Probability of the equal-tailed credible interval.

    Returns
    -------
    Table
        By (treatment, comparator): ``estimate`` (posterior mean), ``lower`` and ``upper`` on the
        measure's own scale (back-transformed for ratio measures); ``mean``, ``sd`` and ``mcse``
        on the scale of the model; ``p_better``, the probability that the treatment is better
        than the comparator. ``mcse`` is zero where the posterior is exact.

    Raises
    ------
    ModelError
        If a comparator is unknown or the level is not between 0 and 1.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> table = nma.effect_table(posterior, comparators=["passive control"])
    >>> float(table.loc[("multimodal care", "passive control"), "estimate"].round(2))
    -1.72
    """
    pairs = _pairs(posterior, comparators)
    found = _estimates(posterior, pairs, level)
    natural = np.exp if posterior.network.ratio else np.asarray
    return Table(
        {
            "estimate": natural(found.mean),
            "lower": natural(found.lower),
            "upper": natural(found.upper),
            "mean": found.mean,
            "sd": found.sd,
            "mcse": found.mcse,
            "p_better": found.better,
        },
        index=pd.MultiIndex.from_tuples(pairs, names=["treatment", "comparator"]),
        digits={"mcse": 4},
        caption=_caption(
            posterior,
            f"{posterior.network.measure}, treatment versus comparator, with {level:.0%} "
            f"credible intervals; {_direction(posterior)}.",
        ),
    )


def _estimates(posterior: Posterior, pairs: Sequence[tuple[str, str]], level: float) -> Estimates:
    if not 0 < level < 1:
        message = f"level={level!r} is not a probability between 0 and 1: write 0.95 for 95 %."
        raise ModelError(message)
    return estimates(
        posterior.draws,
        _contrasts(posterior, pairs),
        level=level,
        better=posterior.network.better,
    )


def league_table(posterior: Posterior, *, level: float = 0.95) -> Table:
    """Return the league table: every treatment against every other, row versus column.

    Both triangles read the same way, so the cell mirrored at the diagonal holds the opposite
    effect: negated, or the reciprocal for ratio measures, with the bounds of its interval
    exchanged.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    level : float, default 0.95
        Probability of the equal-tailed credible interval.

    Returns
    -------
    Table
        Text cells, ``estimate (lower, upper)``; ``effect_table`` has the numbers.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> nma.league_table(posterior).loc["multimodal care", "standard exercise"]
    '-0.28 (-1.02, 0.46)'
    """
    numbers = effect_table(posterior, level=level)
    names = list(posterior.treatments)
    cells = pd.DataFrame("", index=names, columns=names)
    columns = (numbers[name].to_numpy() for name in ("estimate", "lower", "upper", "mcse"))
    for (a, b), *found in zip(numbers.index, *columns, strict=True):
        cells.loc[a, b] = _cell(*found)
    for name in names:
        cells.loc[name, name] = name
    return Table(
        cells,
        caption=_caption(
            posterior,
            f"League table: {posterior.network.measure} of row versus column with {level:.0%} "
            f"credible intervals; {_direction(posterior).replace('the treatment', 'the row')}.",
        ),
        notes=posterior.notices,
    )


def _cell(estimate: float, lower: float, upper: float, mcse: float) -> str:
    low, high = rounded(lower, 3 * mcse), rounded(upper, 3 * mcse)
    return f"{rounded(estimate, mcse)} ({low}, {high})"


def summary(posterior: Posterior, *, level: float = 0.95) -> Table:
    r"""Return the fit at a glance: effects against the reference, tau, and what was assumed.

    .. math:: I^2 = \max(0, (Q - df)/Q)

    with Q from common-effect least squares. ``attrs`` holds ``i_squared``, ``Q``, ``df``,
    ``log_evidence`` and ``quadrature_error`` as numbers.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    level : float, default 0.95
        Probability of the equal-tailed credible intervals.

    Returns
    -------
    Table
        Rows: each treatment versus the reference, then each scale. Columns on the scale of the
        model: ``mean``, ``sd``, ``median``, ``lower``, ``upper`` and ``p_better``. Notes: which
        priors were used and which were defaults, heterogeneity, evidence, every notice.

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
    pairs = _pairs(posterior, [posterior.comparator])
    found = _estimates(posterior, pairs, level)
    effects = pd.DataFrame(
        {
            "mean": found.mean,
            "sd": found.sd,
            "median": found.median,
            "lower": found.lower,
            "upper": found.upper,
            "p_better": found.better,
        },
        index=[f"{a} vs {b}" for a, b in pairs],
    )
    scales = pd.DataFrame.from_dict(
        {
            scale.name: _scale_row(posterior, scale.name, level)
            for scale in posterior.problem.scales
        },
        orient="index",
        columns=effects.columns,
    )
    table = Table(
        pd.concat([effects, scales]) if len(scales) else effects,
        caption=_caption(
            posterior,
            f"{_scale_name(posterior)} with {level:.0%} credible intervals; "
            f"{posterior.network.better} is better.",
        ),
        notes=_notes(posterior, pairs),
    )
    table.attrs.update(_numbers(posterior))
    return table


def _scale_row(posterior: Posterior, name: str, level: float) -> list[float]:
    tails = [0.5, (1 - level) / 2, (1 + level) / 2]
    if posterior.draws.moments is not None:
        marginal = posterior.draws.moments.marginals[name]
        quantiles = [marginal.quantile(tail) for tail in tails]
        return [marginal.mean, marginal.sd, *quantiles, np.nan]
    values = posterior.draws.values[name].to_numpy()
    return [float(values.mean()), float(values.std()), *np.quantile(values, tails), np.nan]


def _numbers(posterior: Posterior) -> dict[str, float]:
    found: dict[str, float] = dict(posterior.draws.diagnostics)
    if _is_normal(posterior):
        common = common_effect(posterior.problem)
        found |= {"Q": common.Q, "df": float(common.df), "i_squared": common.i_squared}
    if posterior.draws.moments is not None:
        found["log_evidence"] = posterior.draws.moments.log_evidence
    return found


def _notes(posterior: Posterior, pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    numbers = _numbers(posterior)
    return (
        *_heterogeneity_notes(numbers),
        *_exactness_notes(posterior, numbers),
        *_prior_notes(posterior),
        *_prior_driven_notes(posterior, pairs),
        *posterior.notices,
    )


def _heterogeneity_notes(numbers: dict[str, float]) -> list[str]:
    if "Q" not in numbers:
        return []
    q = f"Q = {numbers['Q']:.2f} on {numbers['df']:.0f} df at common effect"
    return [f"I-squared {numbers['i_squared']:.0%}: {q}."]


def _exactness_notes(posterior: Posterior, numbers: dict[str, float]) -> list[str]:
    moments = posterior.draws.moments
    if moments is None:
        beta = posterior.draws.values["beta"]
        error = np.max(replicate_error(beta.to_numpy()) / beta.to_numpy().std(axis=(0, 1)))
        return [f"From draws: Monte Carlo error up to {error:.1%} of a posterior sd."]
    error = numbers.get("quadrature_error", 0.0)
    nodes = f"{len(moments.weight)} quadrature nodes, error below {max(error, 1e-12):.0e}"
    return [f"Exact: {nodes}; log evidence {moments.log_evidence:.4f}."]


def _prior_notes(posterior: Posterior) -> list[str]:
    """Return the priors that were used, those the library chose said to be so."""
    used = stated_priors(posterior.model.structure) + stated_priors(posterior.model.heterogeneity)
    return [
        f"Prior: {name} ~ {_shown(prior)}{f' ({prior.origin})' if prior.origin else ''}."
        for name, prior in used
    ]


def _shown(prior: Prior) -> str:
    """Return a prior as it is written, its numbers to four figures."""
    return re.sub(r"\d+\.\d+(e[-+]?\d+)?", lambda found: f"{float(found[0]):.4g}", repr(prior))


def _prior_driven_notes(posterior: Posterior, pairs: Sequence[tuple[str, str]]) -> list[str]:
    if not _is_normal(posterior):
        return []
    told = estimable(posterior.problem, _contrasts(posterior, pairs))
    return [
        f"{a} versus {b} rests on its prior: no trials, directly or together, determine it."
        for (a, b), known in zip(pairs, told, strict=True)
        if not known
    ]


def _is_normal(posterior: Posterior) -> bool:
    return all(isinstance(part, Contrasts) for part in posterior.problem.evidence)
