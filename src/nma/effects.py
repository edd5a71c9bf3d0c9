"""Relative effects: draws, numbers and the league table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma.errors import require_several
from nma.estimates import (
    attributes,
    briefly,
    captioned,
    direction,
    estimates,
    interval_words,
    located,
    meanings,
    ordered_pairs,
    positions,
)
from nma.new_trial import drawn_effects
from nma.posterior import require_posterior
from nma.tables import Table, decimals, interval

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from nma.posterior import Posterior

__all__ = ["direction", "effect_table", "league_table", "predictive_effects", "relative_effects"]


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
    require_posterior(posterior, "relative_effects")
    levels = posterior.draws.values["beta"].to_numpy() @ posterior.levels.T
    return _differences(posterior, levels, comparators, name="relative effect")


def predictive_effects(
    posterior: Posterior, *, comparators: Sequence[str] | None = None, seed: int = 0
) -> xr.DataArray:
    r"""Return draws of the effects in one new trial like these, which has all treatments.

    .. math:: \theta^{\mathrm{new}}_j - \theta^{\mathrm{new}}_k = d_{jk} + u_j - u_k,
              \qquad u_k \sim N(0, \tau^2/2)

    on the scale of the model: the logarithm for ratio measures. Their variance is
    :math:`\mathrm{Var}(d_{jk}) + E[\tau^2]`. All arms belong to the same new trial, so in every
    draw :math:`d_{AC} = d_{AB} + d_{BC}` holds here too. Without heterogeneity they are the
    relative effects. ``effect_table(posterior, predictive=True)`` has their intervals, exact where
    the posterior is.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    comparators : sequence of str, optional
        The network's reference alone if not given.
    seed : int, default 0
        The same seed gives the same new trials.

    Returns
    -------
    DataArray, (chain, draw, treatment, comparator)
        Treatment minus comparator.

    Raises
    ------
    ModelError
        If a comparator is unknown, the structure gives no level outside a trial, or the seed is
        not a whole number of zero or above.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> new = nma.predictive_effects(posterior, comparators=["passive control"])
    >>> bool(new.std() > nma.relative_effects(posterior).std())
    True

    References
    ----------
    Higgins, Thompson and Spiegelhalter 2009, doi:10.1111/j.1467-985X.2008.00552.x.
    """
    require_posterior(posterior, "predictive_effects")
    levels = posterior.draws.values["beta"].to_numpy() @ posterior.levels.T
    new = levels + drawn_effects(posterior, seed)
    found = _differences(posterior, new, comparators, name="predictive effect")
    return found.assign_attrs(seed=seed)


def _differences(
    posterior: Posterior,
    levels: NDArray[np.float64],
    comparators: Sequence[str] | None,
    *,
    name: str,
) -> xr.DataArray:
    """Return levels (chain, draw, treatment) against those of the comparators, labelled."""
    import xarray as xr

    require_several(comparators, "comparators")
    names = [posterior.comparator] if comparators is None else list(comparators)
    against = [posterior.position(name) for name in names]
    beta = posterior.draws.values["beta"]
    return xr.DataArray(
        levels[..., :, None] - levels[..., None, against],
        dims=("chain", "draw", "treatment", "comparator"),
        coords={
            "chain": beta["chain"],
            "draw": beta["draw"],
            "treatment": list(posterior.treatments),
            "comparator": names,
        },
        name=name,
        attrs=attributes(posterior),
    )


def effect_table(
    posterior: Posterior,
    *,
    comparators: Sequence[str] | None = None,
    level: float = 0.95,
    predictive: bool = False,
) -> Table:
    r"""Return the relative effects as numbers, one row for each ordered pair.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    comparators : sequence of str, optional
        Every treatment in turn if not given.
    level : float, default 0.95
        Probability of the equal-tailed intervals.
    predictive : bool, default False
        Whether to add the interval of the effect in one new trial like these, as
        ``predictive_effects`` defines it.

    Returns
    -------
    Table
        By (treatment, comparator): ``estimate`` (posterior mean), ``lower`` and ``upper`` on the
        measure's own scale (back-transformed for ratio measures), with ``predictive_lower`` and
        ``predictive_upper`` where asked for; ``mean``, ``sd`` and ``mcse`` on the scale of the
        model; ``p_better``, the probability that the treatment is better than the comparator.
        ``mcse`` is zero where the posterior is exact. Of a least-squares fit they are the estimate,
        its standard error and the one-sided confidence, and intervals are confidence intervals.

    Raises
    ------
    ModelError
        If a comparator is unknown or the level is not between 0 and 1.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> table = nma.effect_table(posterior, comparators=["passive control"], predictive=True)
    >>> row = table.loc[("multimodal care", "passive control")].round(2)
    >>> print(*row[["estimate", "lower", "upper", "predictive_lower", "predictive_upper"]])
    -1.72 -2.57 -0.89 -3.13 -0.34

    References
    ----------
    Lu and Ades 2004, doi:10.1002/sim.1875; Higgins, Thompson and Spiegelhalter 2009,
    doi:10.1111/j.1467-985X.2008.00552.x, on effects in a new trial.
    """
    require_posterior(posterior, "effect_table")
    pairs = ordered_pairs(posterior, comparators)
    found = estimates(posterior, pairs, level)
    natural = np.exp if posterior.network.ratio else np.asarray
    columns = {
        "estimate": natural(found.mean),
        "lower": natural(found.lower),
        "upper": natural(found.upper),
    }
    if predictive:
        new = estimates(posterior, pairs, level, predictive=True)
        columns |= {
            "predictive_lower": natural(new.lower),
            "predictive_upper": natural(new.upper),
        }
    digits = decimals(found.sd)
    return Table(
        columns
        | {"mean": found.mean, "sd": found.sd, "mcse": found.mcse, "p_better": found.better},
        index=pd.MultiIndex.from_tuples(pairs, names=["treatment", "comparator"]),
        digits=dict.fromkeys((*columns, "mean", "sd"), digits) | {"mcse": digits + 2},
        probabilities=["p_better"],
        unprinted=[] if posterior.network.ratio else ["mean"],
        caption=captioned(
            posterior,
            located(posterior, _effects_caption(posterior, level, predictive=predictive)),
        ),
        notes=(*meanings(posterior), *briefly(posterior)),
    )


def _effects_caption(posterior: Posterior, level: float, *, predictive: bool) -> str:
    new = "; predictive: the effect in one new trial like these" if predictive else ""
    return (
        f"{posterior.network.measure}, treatment versus comparator, with "
        f"{interval_words(posterior, level)}s{new}; {direction(posterior)}."
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

    Raises
    ------
    ModelError
        If the structure gives no level outside a trial, or the level is not between 0 and 1.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> nma.league_table(posterior).loc["multimodal care", "standard exercise"]
    '-0.28 (-1.02, 0.46)'

    References
    ----------
    Lu and Ades 2004, doi:10.1002/sim.1875.
    """
    require_posterior(posterior, "league_table")
    numbers = effect_table(posterior, level=level)
    names = list(posterior.treatments)
    cells = np.full((len(names), len(names)), "", dtype=object)
    np.fill_diagonal(cells, names)
    digits = decimals(numbers["sd"].to_numpy())
    first, second = positions(posterior, list(numbers.index))
    columns = (numbers[name].to_numpy() for name in ("estimate", "lower", "upper", "mcse"))
    for row, column, *found in zip(first, second, *columns, strict=True):
        cells[row, column] = interval(*found, digits=digits)
    return Table(
        cells,
        index=names,
        columns=names,
        caption=captioned(
            posterior,
            located(
                posterior,
                f"League table: {posterior.network.measure} of row versus column with "
                f"{interval_words(posterior, level)}s; "
                f"{direction(posterior, 'the row')}.",
            ),
        ),
        notes=briefly(posterior),
    )
