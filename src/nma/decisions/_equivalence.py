"""Better, worse or trivially different: the three shares of the posterior."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nma.decisions._benefits import Benefits, Important, confidence, important, require_two
from nma.estimates import (
    briefly,
    captioned,
    centre,
    estimates,
    interval_words,
    located,
    ordered_pairs,
    prior_driven,
)
from nma.posterior import require_posterior
from nma.tables import Table, decimals

if TYPE_CHECKING:
    from nma.decisions._mcid import MCID
    from nma.posterior import Posterior

__all__ = ["equivalence"]

SHARES = ["better", "trivial", "worse"]


def equivalence(
    posterior: Posterior,
    *,
    mcid: MCID,
    comparators: Sequence[str] | None = None,
    level: float = 0.95,
    predictive: bool = False,
) -> Table:
    r"""Return how much of the posterior says better, trivially different and worse.

    .. math:: P(b \ge \mathrm{MCID}), \qquad P(|b| < \mathrm{MCID}), \qquad P(b \le -\mathrm{MCID})

    with the benefit :math:`b = \pm d_{jk}`; they sum to one. Between -MCID and MCID lies the range
    of equivalence, in which differences do not matter; for ratio measures it goes from 1/MCID to
    MCID. A wide posterior has a small middle share: little is known, which is not equivalence.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    mcid : MCID
        The difference between groups that matters.
    comparators : sequence of str, optional
        Every treatment in turn if not given.
    level : float, default 0.95
        Probability of the equal-tailed interval.
    predictive : bool, default False
        Whether to add the shares of the effect in one new trial like these, as
        ``predictive_effects`` defines it.

    Returns
    -------
    Table
        By (treatment, comparator): ``estimate``, ``lower`` and ``upper`` as in ``effect_table``;
        ``better``, ``trivial`` and ``worse``, with ``predictive_better``, ``predictive_trivial``
        and ``predictive_worse`` where asked for; ``mcse``, the largest Monte Carlo standard error
        of the shares, zero where exact, and unprinted ``estimate_mcse``, that of the mean on the
        scale of the model. ``nma.plots.equivalence`` draws it.

    Raises
    ------
    ModelError
        If the MCID is of the wrong kind or scale, a comparator is unknown, a treatment is alone,
        or the level is not between 0 and 1.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> mcid = nma.decisions.MCID(1.5, kind="between-group", source="Hayden 2021")
    >>> table = nma.decisions.equivalence(posterior, mcid=mcid)
    >>> pair = ("multimodal care", "standard exercise")
    >>> print(*table.loc[pair, ["better", "trivial", "worse"]].round(2))
    0.0 1.0 0.0

    References
    ----------
    Nikolakopoulou et al. 2020, doi:10.1371/journal.pmed.1003082, on ranges of equivalence in
    network meta-analysis.
    """
    require_posterior(posterior, "equivalence")
    require_two(posterior)
    ours = important(posterior, mcid)
    pairs = ordered_pairs(posterior, comparators)
    found = estimates(posterior, pairs, level)
    natural = np.exp if posterior.network.ratio else np.asarray
    ends = {"estimate": found.mean, "lower": found.lower, "upper": found.upper}
    cells = {name: natural(values) for name, values in ends.items()}
    shares, errors = _shares(posterior, pairs, ours.size, predictive=False)
    if predictive:
        new, more = _shares(posterior, pairs, ours.size, predictive=True)
        shares |= {f"predictive_{name}": values for name, values in new.items()}
        errors = np.maximum(errors, more)
    result = Table(
        {**cells, **shares, "mcse": errors, "estimate_mcse": found.mcse},
        index=pd.MultiIndex.from_tuples(pairs, names=["treatment", "comparator"]),
        digits=dict.fromkeys(cells, decimals(found.sd)) | {"mcse": 4},
        probabilities=list(shares),
        unprinted=["estimate_mcse"],
        caption=_caption(posterior, ours, level, predictive=predictive),
        notes=[*ours.notes(), *confidence(posterior), *briefly(posterior)],
    )
    result.attrs = _words(posterior, ours, level)
    return result


def _shares(
    posterior: Posterior, pairs: Sequence[tuple[str, str]], size: float, *, predictive: bool
) -> tuple[dict[str, Any], Any]:
    """Return the three shares and the largest of their errors."""
    benefits = Benefits.of(posterior, pairs, predictive=predictive)
    found = [benefits.at_least(size), benefits.within(size), benefits.at_most(-size)]
    shares = {name: chances.value for name, chances in zip(SHARES, found, strict=True)}
    return shares, np.max([chances.mcse for chances in found], axis=0)


def _range(posterior: Posterior, ours: Important) -> tuple[float, float]:
    """Return the range of equivalence on the measure's own scale."""
    if posterior.network.ratio:
        return float(np.exp(-ours.size)), float(np.exp(ours.size))
    return -ours.size, ours.size


def _caption(posterior: Posterior, ours: Important, level: float, *, predictive: bool) -> str:
    network = posterior.network
    low, high = _range(posterior, ours)
    new = "; predictive: in one new trial like these" * predictive
    said = (
        f"{network.measure}, treatment versus comparator, with "
        f"{interval_words(posterior, level)}s; {network.better} is better. Shares: better or worse "
        f"by at least {ours.said()}, or trivially different, between {low:.3g} and {high:.3g}{new}."
    )
    return captioned(posterior, located(posterior, said))


def _words(posterior: Posterior, ours: Important, level: float) -> dict[Any, Any]:
    """Return what a picture says."""
    network = posterior.network
    data = " ".join([*prior_driven(posterior), network.caption])
    return {
        "poor": posterior.poor,
        "data": f"{posterior.conditions} {data}".strip(),
        "measure": network.measure,
        "ratio": network.ratio,
        "better": network.better,
        "interval": f"{posterior.draws.intervals} interval",
        "centre": centre(posterior),
        "level": level,
        "range": _range(posterior, ours),
        "mcid": str(ours.mcid),
        "comparator": posterior.comparator,
    }
