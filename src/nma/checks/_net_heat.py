"""Net heat: which designs make each other look inconsistent."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma.checks._design_by_treatment import Decomposition
from nma.estimates import briefly, captioned
from nma.evidence import flows
from nma.normal_evidence import design_name, normal_evidence
from nma.posterior import require_posterior
from nma.tables import Table
from nma.threads import one_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.normal_evidence import Design, NormalEvidence
    from nma.posterior import Posterior

__all__ = ["net_heat"]


def net_heat(posterior: Posterior, *, tau: str | float = "common") -> Table:
    r"""Return how the inconsistency of each design changes when another is detached.

    .. math:: Q^{diff}_{cd} = Q_c - Q_c^{(d)}

    with :math:`Q_c` what design c adds to Q between designs under consistency, and
    :math:`Q_c^{(d)}` the same when d has effects of its own. Above zero, detaching d makes c fit
    better: the two disagree. The diagonal is :math:`Q_d`, and columns add to what detaching d takes
    off Q between designs. A multi-arm design is one row and one column, so no number depends on a
    base arm, on names, order or reference. ``nma.plots.net_heat`` draws the table.

    Parameters
    ----------
    posterior : Posterior
        A fitted model; its trials are read as normal contrasts.
    tau : {"common", "DL", "REML", "ML", "PM"} or float, default "common"
        The heterogeneity that is held fixed; none, as in the decomposition of Q.

    Returns
    -------
    Table
        One row for each design, one column for each design that is detached, those left out whose
        detaching frees nothing. ``attrs["flow"]`` holds in the same order how much of the estimates
        of the row's comparisons goes through the column's design: for two arms the size of the
        entry in the hat matrix.

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
    >>> heat = nma.checks.net_heat(posterior)
    >>> print(heat["rosiglitazone : sulfonylurea"].sum().round(3))
    15.759

    References
    ----------
    Krahn, Binder and Koenig 2013, doi:10.1186/1471-2288-13-35.
    """
    require_posterior(posterior, "net_heat")
    evidence = normal_evidence(posterior)
    with one_thread():
        value = evidence.tau(tau)
        designs, change, flow = _changes(evidence, value)
    names = [design_name(design) for design in designs]
    held = f"tau held fixed at {value:.4g}" if value else "under a common effect"
    table = Table(
        change,
        index=pd.Index(names, name="design"),
        columns=pd.Index(names, name="detached"),
        caption=captioned(
            posterior, f"How Q of each design (rows) falls when another is detached; {held}."
        ),
        notes=[*_said(names), *evidence.notices, *briefly(posterior)],
        digits=2,
    )
    table.attrs = {
        "poor": posterior.poor,
        "data": posterior.network.caption,
        "flow": flow.tolist(),
        "held": held,
    }
    return table


def _changes(
    evidence: NormalEvidence, tau: float
) -> tuple[list[Design], NDArray[np.float64], NDArray[np.float64]]:
    """Return the designs that can disagree, the changes of Q and the flows, (design, design)."""
    parts = Decomposition(evidence, tau)
    found = [parts.detached(design) for design in evidence.designs]
    kept = [k for k, (_, lost) in enumerate(found) if lost > 0]
    designs = [evidence.designs[k] for k in kept]
    change = [parts.total[kept] - found[k][0][kept] for k in kept]
    shape = (len(kept), len(kept))
    return designs, np.reshape(change, shape).T, _through(evidence, tau, designs)[:, kept]


def _through(evidence: NormalEvidence, tau: float, designs: list[Design]) -> NDArray[np.float64]:
    """Return how much of a design's comparisons goes through each, on average, (row, design)."""
    pairs = [pair for design in designs for pair in combinations(design, 2)]
    of = [k for k, design in enumerate(designs) for _ in combinations(design, 2)]
    mean = np.equal.outer(np.arange(len(designs)), of).astype(float)
    mean /= mean.sum(axis=1, keepdims=True)
    return np.asarray(mean @ flows(evidence, tau, tuple(pairs)))


def _said(names: list[str]) -> list[str]:
    if names:
        return []
    return ["No two designs tell of the same comparison, so nothing here can be inconsistent."]
