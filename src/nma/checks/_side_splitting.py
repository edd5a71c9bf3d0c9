"""Side-splitting: direct against indirect evidence by back-calculation, at a fixed tau."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma import graph
from nma.estimates import briefly, captioned, scale_name
from nma.normal_evidence import normal_evidence, tau_words
from nma.posterior import require_posterior
from nma.tables import Table, decimals

if TYPE_CHECKING:
    from nma.normal_evidence import Direct, Information, NormalEvidence
    from nma.posterior import Posterior

__all__ = ["side_splitting"]

EFFECTS = ["direct", "indirect", "network", "difference"]
"""What is estimated; each has a column of standard errors too."""

SURE = 1e-9
"""Share of indirect evidence below which there is none but rounding."""


def side_splitting(posterior: Posterior, *, tau: str | float | None = None) -> Table:
    r"""Return direct against indirect evidence on every comparison, in closed form at a fixed tau.

    The direct estimate is the inverse-variance mean of the trials that compare the two. What it
    does not explain of the network estimate is the indirect one:

    .. math:: \frac{d_{ind}}{v_{ind}} = \frac{d_{net}}{v_{net}} - \frac{d_{dir}}{v_{dir}}, \qquad
        \frac{1}{v_{ind}} = \frac{1}{v_{net}} - \frac{1}{v_{dir}}

    On two-arm trials that is the estimate of all other trials. A multi-arm trial tells of a
    comparison directly and, through its other arms, indirectly, and the split is not unique. No
    number depends on names, order or reference, but for the sign of an effect.

    Parameters
    ----------
    posterior : Posterior
        A fitted model; its trials are read as normal contrasts.
    tau : float or {"DL", "REML", "ML", "PM", "common"}, optional
        The heterogeneity that is held fixed; that of the fit if not given: its posterior mean, or
        the value that was plugged in.

    Returns
    -------
    Table
        For each (treatment, comparator) that trials compare: ``trials``, ``direct_proportion``,
        and ``direct``, ``indirect``, ``network`` and ``difference`` (direct minus indirect) on the
        scale of the model with their standard errors (``direct_se`` and so on), ``z`` and ``p`` of
        two sides. What has no indirect evidence that is independent of its trials is not split.

    Raises
    ------
    ModelError
        If the trials do not connect all treatments.
    EngineError
        If tau is no way to find it.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("senn2013"))
    >>> table = nma.checks.side_splitting(posterior, tau="DL")
    >>> table.loc[("sulfonylurea", "rosiglitazone"), ["direct", "indirect"]].round(4).tolist()
    [1.2, 0.5222]

    References
    ----------
    Dias et al. 2010, doi:10.1002/sim.3767, section 3, on back-calculation;
    Koenig, Krahn and Binder 2013, doi:10.1002/sim.6001, on the share of direct evidence.
    """
    require_posterior(posterior, "side_splitting")
    evidence = normal_evidence(posterior)
    value = evidence.tau(tau)
    direct, whole = evidence.direct(value), evidence.whole(value)
    pairs = [pair for pair in evidence.pairs if frozenset(pair) in direct]
    split = {frozenset(pair) for pair in graph.splittable(graph.evidence_graph(evidence.trials))}
    rows = [
        _row(evidence, whole, pair, direct[frozenset(pair)], split=frozenset(pair) in split)
        for pair in pairs
    ]
    index = pd.MultiIndex.from_tuples(pairs, names=["treatment", "comparator"])
    return _tabulated(posterior, evidence, pd.DataFrame(rows, index=index), tau_words(tau, value))


def _row(
    evidence: NormalEvidence,
    whole: Information,
    pair: tuple[str, str],
    direct: Direct,
    *,
    split: bool,
) -> dict[str, float]:
    """Return the numbers of one comparison."""
    a, b = evidence.network.codes(pair)
    inverse = whole.inverse
    variance = float(inverse[a, a] + inverse[b, b] - 2 * inverse[a, b])
    network = float((inverse[a] - inverse[b]) @ whole.vector)
    found = {
        "trials": len(direct.share),
        "direct_proportion": variance / direct.variance,
        "direct": direct.versus(*pair),
        "direct_se": math.sqrt(direct.variance),
    }
    indirect, error = math.nan, math.nan
    precision = 1 / variance - 1 / direct.variance
    if split and precision > SURE / variance:
        indirect = (network / variance - found["direct"] / direct.variance) / precision
        error = 1 / math.sqrt(precision)
    difference = found["direct"] - indirect
    spread = math.hypot(found["direct_se"], error)
    return found | {
        "indirect": indirect,
        "indirect_se": error,
        "network": network,
        "network_se": math.sqrt(variance),
        "difference": difference,
        "difference_se": spread,
        "z": difference / spread,
    }


def _tabulated(
    posterior: Posterior, evidence: NormalEvidence, found: pd.DataFrame, words: str
) -> Table:
    from scipy.special import ndtr

    digits = decimals(found["network_se"].to_numpy())
    table = Table(
        found.assign(p=2 * ndtr(-np.abs(found["z"].to_numpy()))),
        caption=captioned(
            posterior,
            f"Direct against indirect evidence by back-calculation, on the scale of the "
            f"{scale_name(posterior)}; {words}.",
        ),
        notes=[*_unsplit(found), *evidence.notices, *briefly(posterior)],
        digits=dict.fromkeys([*EFFECTS, *(f"{name}_se" for name in EFFECTS)], digits),
        probabilities=["p"],
    )
    table.attrs = {"poor": posterior.poor, "data": posterior.network.caption}
    return table


def _unsplit(found: pd.DataFrame) -> list[str]:
    """Return which comparisons are not split, and why."""
    named = [f"{a} vs {b}" for a, b in found.index[found["indirect"].isna()]]
    if not named:
        return []
    if len(named) == len(found):
        return ["No comparison has indirect evidence independent of its trials: nothing to split."]
    more = f" and {len(named) - 8} more" if len(named) > 8 else ""
    listed = f"{', '.join(named[:8])}{more}"
    return [f"Not split, without indirect evidence independent of their trials: {listed}."]
