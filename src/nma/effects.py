"""Relative effects: draws, numbers and the league table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma.estimates import captioned, estimates, ordered_pairs, positions, scale_name
from nma.posterior import require_several
from nma.tables import Table, decimals, rounded

if TYPE_CHECKING:
    import xarray as xr

    from nma.posterior import Posterior

__all__ = ["effect_table", "league_table", "relative_effects"]


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

    require_several(comparators, "comparators")
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
        attrs={"measure": scale_name(posterior), "better": posterior.network.better},
    )


def _direction(posterior: Posterior) -> str:
    better = posterior.network.better
    if posterior.network.ratio:
        return f"{'below' if better == 'lower' else 'above'} 1 favours the treatment"
    return f"{'negative' if better == 'lower' else 'positive'} favours the treatment"


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
    pairs = ordered_pairs(posterior, comparators)
    found = estimates(posterior, pairs, level)
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
        digits=dict.fromkeys(("estimate", "lower", "upper", "mean", "sd"), decimals(found.sd))
        | {"mcse": decimals(found.sd) + 2},
        caption=captioned(
            posterior,
            f"{posterior.network.measure}, treatment versus comparator, with {100 * level:g}% "
            f"credible intervals; {_direction(posterior)}.",
        ),
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
    cells = np.full((len(names), len(names)), "", dtype=object)
    np.fill_diagonal(cells, names)
    digits = decimals(numbers["sd"].to_numpy())
    first, second = positions(posterior, list(numbers.index))
    columns = (numbers[name].to_numpy() for name in ("estimate", "lower", "upper", "mcse"))
    for row, column, *found in zip(first, second, *columns, strict=True):
        cells[row, column] = _cell(*found, digits=digits)
    return Table(
        cells,
        index=names,
        columns=names,
        caption=captioned(
            posterior,
            f"League table: {posterior.network.measure} of row versus column with {100 * level:g}% "
            f"credible intervals; {_direction(posterior).replace('the treatment', 'the row')}.",
        ),
        notes=posterior.notices,
    )


def _cell(estimate: float, lower: float, upper: float, mcse: float, *, digits: int) -> str:
    low, high = (rounded(bound, 3 * mcse, digits=digits) for bound in (lower, upper))
    return f"{rounded(estimate, mcse, digits=digits)} ({low}, {high})"
