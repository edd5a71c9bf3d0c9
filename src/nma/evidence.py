"""Where estimates come from: the hat matrix, the share of direct evidence and the path length."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma.errors import ModelError
from nma.estimates import briefly, captioned
from nma.normal_evidence import NormalEvidence, normal_evidence, tau_words, total
from nma.posterior import require_posterior
from nma.tables import Table
from nma.threads import one_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior

__all__ = ["direct_proportions", "hat_matrix"]

NEGLIGIBLE = 1e-12
"""Share of the largest weight below which a comparison carries rounding alone."""


def hat_matrix(posterior: Posterior, *, tau: str | float | None = None) -> Table:
    r"""Return how every network estimate is made of the direct comparisons.

    .. math:: \hat d = H y, \qquad H = B L^+ B' W

    with B the comparisons, W their weights at a fixed tau and :math:`L = B'WB`. A multi-arm trial
    enters by its reduced weights, the two-arm trials that tell the same together. In each row the
    comparisons form a flow of one from the treatment to the comparator. Changing the reference or
    the order of rows changes no number.

    Parameters
    ----------
    posterior : Posterior
        A fitted model. Counts are read by the normal approximation.
    tau : float or {"DL", "REML", "ML", "PM", "common"}, optional
        The heterogeneity that is held fixed; that of the fit if not given: its posterior mean, or
        the value that was plugged in.

    Returns
    -------
    Table
        One row for each (treatment, comparator), one column for each direct comparison.

    Raises
    ------
    ModelError
        If the trials do not connect all treatments.
    EngineError
        If tau is no way to find it.

    Examples
    --------
    >>> import nma
    >>> network = nma.datasets.network("senn2013")
    >>> posterior = nma.fit(network, engine=nma.engines.LeastSquares("DL"))
    >>> print(nma.evidence.hat_matrix(posterior)["rosiglitazone vs placebo"].round(3).max())
    0.756

    References
    ----------
    Koenig, Krahn and Binder 2013, doi:10.1002/sim.6001; Ruecker and Schwarzer 2014,
    doi:10.1002/sim.6236, on reduced weights.
    """
    require_posterior(posterior, "hat_matrix")
    evidence = normal_evidence(posterior)
    value = evidence.tau(tau)
    whole = evidence.whole(value)
    direct = _direct(evidence, whole.matrix)
    plus, minus = _codes(evidence, evidence.pairs)
    ends, starts = _codes(evidence, direct)
    with one_thread():
        potential = whole.inverse[plus] - whole.inverse[minus]
    flow = (potential[:, ends] - potential[:, starts]) * -whole.matrix[ends, starts]
    return _table(
        posterior,
        evidence,
        {f"{a} vs {b}": flow[:, k] for k, (a, b) in enumerate(direct)},
        f"Hat matrix: network estimates (rows) from direct comparisons; {tau_words(tau, value)}.",
    )


def direct_proportions(posterior: Posterior, *, tau: str | float | None = None) -> Table:
    r"""Return how much of every estimate is direct, and over how many comparisons it comes.

    The direct proportion is the variance of the network estimate divided by that of the direct
    estimate: the inverse-variance mean of the trials that compare the two. The path length is the
    flow of evidence summed over designs: with :math:`x_d` what design d takes in and gives off in
    a flow of one from the treatment to the comparator, :math:`\sum_d \sum_k |x_{dk}| / 2`. It is 1
    where all evidence is direct; at 2 or more most of it is indirect. Names, order and reference
    change no number.

    Parameters
    ----------
    posterior : Posterior
        A fitted model. Counts are read by the normal approximation.
    tau : float or {"DL", "REML", "ML", "PM", "common"}, optional
        The heterogeneity that is held fixed; that of the fit if not given: its posterior mean, or
        the value that was plugged in.

    Returns
    -------
    Table
        For each (treatment, comparator) the ``trials`` that compare the two, ``direct_proportion``
        and ``path_length``.

    Raises
    ------
    ModelError
        If the trials do not connect all treatments.
    EngineError
        If tau is no way to find it.

    Examples
    --------
    >>> import nma
    >>> network = nma.datasets.network("senn2013")
    >>> posterior = nma.fit(network, engine=nma.engines.LeastSquares("DL"))
    >>> table = nma.evidence.direct_proportions(posterior)
    >>> print(*table.loc[("sulfonylurea", "metformin")].round(5))
    1.0 0.45092 1.85312

    References
    ----------
    Koenig, Krahn and Binder 2013, doi:10.1002/sim.6001.
    """
    require_posterior(posterior, "direct_proportions")
    evidence = normal_evidence(posterior)
    value = evidence.tau(tau)
    direct = evidence.direct(value)
    variance = _variances(evidence, total(evidence.information(value)).inverse)
    found = [direct.get(frozenset(pair)) for pair in evidence.pairs]
    return _table(
        posterior,
        evidence,
        {
            "trials": [0 if d is None else len(d.share) for d in found],
            "direct_proportion": [
                0.0 if d is None else v / d.variance for d, v in zip(found, variance, strict=True)
            ],
            "path_length": flows(evidence, value, evidence.pairs).sum(axis=1),
        },
        f"Share of direct evidence and mean path length; {tau_words(tau, value)}.",
    )


def flows(
    evidence: NormalEvidence, tau: float, pairs: tuple[tuple[str, str], ...]
) -> NDArray[np.float64]:
    """Return how much of the evidence on pairs of treatments goes through each design.

    Parameters
    ----------
    evidence : NormalEvidence
        The trials.
    tau : float
        The heterogeneity that is held fixed.
    pairs : tuple of (treatment, comparator)
        What is estimated.

    Returns
    -------
    array, (pair, design)
        Half the sum of what a design takes in and gives off; for a design of two arms the size of
        its entry in the hat matrix.
    """
    parts = evidence.information(tau)
    inverse = total(parts).inverse
    plus, minus = _codes(evidence, pairs)
    potential = inverse[plus] - inverse[minus]
    with one_thread():
        each = [np.abs(potential @ part.matrix).sum(axis=1) / 2 for part in parts.values()]
    return np.stack(each, axis=1)


def _codes(
    evidence: NormalEvidence, pairs: tuple[tuple[str, str], ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    first, second = ([pair[side] for pair in pairs] for side in (0, 1))
    return evidence.network.codes(first), evidence.network.codes(second)


def _variances(evidence: NormalEvidence, inverse: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the variance of the network estimate of every pair."""
    plus, minus = _codes(evidence, evidence.pairs)
    own = np.diagonal(inverse)
    return np.asarray(own[plus] + own[minus] - 2 * inverse[plus, minus])


def _direct(evidence: NormalEvidence, matrix: NDArray[np.float64]) -> tuple[tuple[str, str], ...]:
    """Return the pairs whose comparison carries weight."""
    plus, minus = _codes(evidence, evidence.pairs)
    carries = np.abs(matrix[plus, minus]) > NEGLIGIBLE * np.abs(matrix).max()
    return tuple(pair for pair, here in zip(evidence.pairs, carries, strict=True) if here)


def _table(
    posterior: Posterior, evidence: NormalEvidence, columns: dict[str, object], caption: str
) -> Table:
    if not evidence.pairs:
        message = "There is one treatment alone: no comparison is made of anything."
        raise ModelError(message)
    index = pd.MultiIndex.from_tuples(evidence.pairs, names=["treatment", "comparator"])
    return Table(
        columns,
        index=index,
        caption=captioned(posterior, caption),
        notes=[*evidence.notices, *briefly(posterior)],
        digits=3,
    )
