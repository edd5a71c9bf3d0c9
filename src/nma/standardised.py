"""Risk ratios and risk differences at a stated baseline risk, from odds or hazard ratios."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, final

import numpy as np
import pandas as pd

from nma.baselines import Baseline, against_reference, baseline, leads_to, meant, standing
from nma.errors import ModelError, nearest, shortened
from nma.estimates import (
    Estimates,
    briefly,
    captioned,
    exact_through,
    interval_words,
    is_credible,
    located,
    meanings,
    require_level,
    sampled,
)
from nma.posterior import require_posterior
from nma.sources import shared_link
from nma.tables import Table, decimals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior
    from nma.priors import Normal

__all__ = ["standardised_table"]

SMALLEST = 1e-300
"""A probability that is nearly the smallest number there is."""


@final
@dataclass(frozen=True)
class _Comparison:
    """How a probability is compared with that of the reference, and in words."""

    words: str
    against: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]
    ratio: bool


COMPARISONS = {
    "RR": _Comparison("Risk ratio", lambda p, p0: np.log(p) - np.log(p0), ratio=True),
    "RD": _Comparison("Risk difference", lambda p, p0: p - p0, ratio=False),
}


def standardised_table(
    posterior: Posterior,
    *,
    measure: Literal["RR", "RD"],
    reference_level: float | Normal | Literal["network"],
    level: float = 0.95,
) -> Table:
    r"""Return risk ratios or risk differences at a baseline risk, from odds or hazard ratios.

    .. math:: p_k = g^{-1}(g(p_0) + d_{k0}), \qquad
       \mathrm{RR}_k = p_k/p_0, \qquad \mathrm{RD}_k = p_k - p_0

    with :math:`p_0` the risk under the reference treatment, ``posterior.comparator``, and g the
    logit for OR, the complementary log-log for HR, and the probit for SMD of ordered categories,
    where risks are of a category or a higher one. One OR means another RR and RD at every baseline
    risk, so both hold for the stated one alone, and no risk leaves 0 to 1.

    Parameters
    ----------
    posterior : Posterior
        A fitted model of odds ratios, hazard ratios, or SMDs of ordered categories.
    measure : {"RR", "RD"}
        Risk ratio or risk difference.
    reference_level : float, Normal or "network"
        Risk under the reference treatment, as in ``absolute_effects``: a probability strictly
        between 0 and 1, a normal distribution on the scale of the model, or the network's own.
    level : float, default 0.95
        Probability of the equal-tailed credible interval.

    Returns
    -------
    Table
        By (treatment, comparator), as ``effect_table``: ``estimate``, ``lower`` and ``upper``,
        back-transformed for RR; ``mean``, ``sd`` and ``mcse`` of log RR or RD; ``p_better``. Exact
        where the posterior is and the risk a number; else from draws.

    Raises
    ------
    ModelError
        If the model is of another measure, another is asked for, the risk makes no sense or the
        level is not between 0 and 1.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("smoking").as_normal())
    >>> table = nma.standardised_table(posterior, measure="RD", reference_level=0.06)
    >>> print(*table.iloc[1][["estimate", "lower", "upper"]].round(3))
    0.057 0.021 0.107

    References
    ----------
    Zhang and Yu 1998, doi:10.1001/jama.280.19.1690, whose formula for one OR this is.
    """
    require_posterior(posterior, "standardised_table")
    require_level(level)
    _require_suited(posterior, measure)
    how, base = COMPARISONS[measure], baseline(posterior, reference_level)
    found = _estimates(posterior, base, how, level)
    own = np.exp if how.ratio else np.asarray
    ends = {"estimate": found.mean, "lower": found.lower, "upper": found.upper}
    cells = {name: own(values) for name, values in ends.items()}
    cells |= {"mean": found.mean, "sd": found.sd, "mcse": found.mcse, "p_better": found.better}
    digits = decimals(found.sd)
    table = pd.DataFrame(
        cells, index=pd.MultiIndex.from_product([posterior.treatments, [posterior.comparator]])
    ).rename_axis(["treatment", "comparator"])
    return Table(
        table.drop(index=(posterior.comparator, posterior.comparator)),
        digits=dict.fromkeys(cells, digits) | {"mcse": digits + 2},
        probabilities=["p_better"],
        unprinted=[] if how.ratio else ["mean"],
        caption=captioned(posterior, located(posterior, _caption(posterior, base, how, level))),
        notes=[*_notes(posterior, base), *meanings(posterior), *briefly(posterior)],
    )


def _require_suited(posterior: Posterior, measure: str) -> None:
    """Refuse other measures than RR and RD, and models whose effects lead to no risk below 1."""
    if measure not in COMPARISONS:
        message = (
            f"measure={measure!r} cannot be standardised: ask for 'RR' or 'RD'."
            f"{nearest(str(measure), list(COMPARISONS))}"
        )
        raise ModelError(message)
    fitted, link = posterior.network.measure, shared_link(posterior.network.sources)
    if link is not None and link.level == "probability" and link.bounded:
        return
    message = (
        f"{measure} at a baseline risk comes from a model of OR or HR, or of ordered categories, "
        f"and this one is of {fitted}."
    )
    if fitted in COMPARISONS:
        message += " nma.effect_table has its effects, nma.absolute_table the risks."
    raise ModelError(message)


def _estimates(posterior: Posterior, base: Baseline, how: _Comparison, level: float) -> Estimates:
    """Return log risk ratios or risk differences against the reference."""
    better, moments = posterior.network.better, posterior.draws.moments
    if moments is not None and base.stated is not None:
        d = moments.of(against_reference(posterior))
        return exact_through(
            d, lambda x: _compared(base, how, x), level, better, credible=is_credible(posterior)
        )
    beta = posterior.draws.values["beta"].to_numpy()
    above = base.draws(beta.shape[:2], 0)[..., None]
    return sampled(
        _compared(base, how, beta @ against_reference(posterior).T, above), level, better
    )


def _compared(
    base: Baseline, how: _Comparison, d: NDArray[np.float64], above: NDArray[np.float64] | float = 0
) -> NDArray[np.float64]:
    """Return the comparison at effects ``d`` where the reference is ``above`` the stated mean."""
    lowest = float(base.link.link(SMALLEST)) - base.mean
    p, p0 = (base.inverse(np.maximum(x, lowest)) for x in (above + d, np.asarray(above)))
    return how.against(p, p0)


def _caption(posterior: Posterior, base: Baseline, how: _Comparison, level: float) -> str:
    zero, sides = ("1", ("below", "above")) if how.ratio else ("", ("negative", "positive"))
    side = sides[posterior.network.better == "higher"]
    return (
        f"{how.words}, treatment versus {shortened(posterior.comparator)}, where "
        f"{leads_to(posterior, base)}, with {interval_words(posterior, level)}s; "
        f"{' '.join(filter(None, [side, zero]))} favours the treatment. Standardised from "
        f"{posterior.network.measure}, which is taken as the same at every baseline risk."
    )


def _notes(posterior: Posterior, base: Baseline) -> list[str]:
    return [standing(posterior, base), *meant(posterior, base)]
