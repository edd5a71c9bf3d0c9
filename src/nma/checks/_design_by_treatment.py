"""The design-by-treatment decomposition of Q, and the global test of inconsistency."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np
import pandas as pd

from nma.estimates import briefly, captioned
from nma.normal_evidence import (
    Design,
    NormalEvidence,
    design_name,
    estimated,
    normal_evidence,
)
from nma.posterior import require_posterior
from nma.tables import Table
from nma.threads import one_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.engines._tau import Profile
    from nma.posterior import Posterior

__all__ = ["Decomposition", "design_by_treatment", "global_p"]

NAMES = ["part", "design"]
"""Names of the levels of the index."""

PARTS = ("within", "detached")
"""What the rows of single designs are called in the index."""

Row = tuple[str, str, float, int]
"""Part, design, Q and df."""


@final
@dataclass(frozen=True, eq=False)
class Decomposition:
    """Consistency against effects of their own for every design, at one tau.

    Parameters
    ----------
    evidence : NormalEvidence
        The trials.
    tau : float
        The heterogeneity that is held fixed.
    """

    evidence: NormalEvidence
    tau: float = 0.0

    @cached_property
    def saturated(self) -> Profile:
        """The design-by-treatment model."""
        return self.evidence.profile(self.evidence.columns(self.evidence.designs))

    @cached_property
    def within(self) -> NDArray[np.float64]:
        """Q within each design."""
        return self._by_design(self.saturated)

    @cached_property
    def total(self) -> NDArray[np.float64]:
        """What the contrasts of each design add to Q under consistency."""
        return self._by_design(self.evidence.consistent)

    @property
    def df(self) -> NDArray[np.int64]:
        """Degrees of freedom within each design: contrasts beyond those of one trial."""
        designs = self.evidence.designs
        count = np.bincount(self.evidence.design_of_row, minlength=len(designs))
        return np.asarray(count - np.array([len(design) - 1 for design in designs]))

    @property
    def df_between(self) -> int:
        """Degrees of freedom of inconsistency."""
        free = sum(len(design) - 1 for design in self.evidence.designs)
        return free - (len(self.evidence.network.treatments) - 1)

    @property
    def between(self) -> float:
        """Q between designs; nil where there is nothing to be inconsistent."""
        return max(0.0, float(self.total.sum() - self.within.sum())) if self.df_between else 0.0

    def detached(self, design: Design) -> tuple[NDArray[np.float64], int]:
        """Return what each design adds to Q when one has effects of its own, and the df lost."""
        own = np.column_stack([self.evidence.problem.levels, self.evidence.columns([design])])
        profile = self.evidence.profile(own)
        return self._by_design(profile), self.evidence.consistent.df - profile.df

    def _by_design(self, profile: Profile) -> NDArray[np.float64]:
        fit = profile.at(self.tau**2)
        square = fit.weight * fit.residual**2
        designs = len(self.evidence.designs)
        return np.bincount(self.evidence.design_of_row, square, designs).astype(float)


def design_by_treatment(posterior: Posterior, *, tau: str | float = "DL") -> Table:
    r"""Return Q within and between designs, and the global test of inconsistency.

    A design is the set of treatments that a trial compares. Under a common effect

    .. math:: Q_{total} = Q_{within} + Q_{between}

    where :math:`Q_{within}` is left when every design has effects of its own, on
    :math:`\sum_d (n_d - 1)(k_d - 1)` degrees of freedom, and :math:`Q_{between}` is what
    consistency adds, on :math:`\sum_d (k_d - 1) - (T - 1)`. It is the global Wald test; the test
    under random effects takes both sums at the tau of the design-by-treatment model itself, so
    that inconsistency is not taken for heterogeneity. Relabelling, the order of rows and the
    reference change no number. ``nma.plots.design_by_treatment`` draws the table.

    Parameters
    ----------
    posterior : Posterior
        A fitted model; its trials are read as normal contrasts, and no number depends on its
        priors or its engine.
    tau : {"DL", "REML", "ML", "PM"} or float, default "DL"
        How the design-by-treatment model finds tau, or its value.

    Returns
    -------
    Table
        ``Q``, ``df``, ``p`` and ``tau`` by ``part`` and ``design``: total, within designs, between
        designs, global Wald under random effects; then ``within`` each design, and what is left
        between designs after one is ``detached``, that is given effects of its own. Designs whose
        detaching leaves the rest as inconsistent as before are left out of the last.

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
    >>> table = nma.checks.design_by_treatment(posterior)
    >>> table.loc[("between designs", ""), ["Q", "df"]].round(3).tolist()
    [22.53, 7.0]

    References
    ----------
    Higgins et al. 2012, doi:10.1002/jrsm.1044; White et al. 2012, doi:10.1002/jrsm.1045;
    Krahn, Binder and Koenig 2013, doi:10.1186/1471-2288-13-35, on detaching.
    """
    require_posterior(posterior, "design_by_treatment")
    evidence = normal_evidence(posterior)
    parts = Decomposition(evidence)
    with one_thread():
        own = _own_tau(parts, tau)
        rows = [*_whole(parts), _random(evidence, own), *_single(parts), *_detached(parts)]
    taus = [own if part == "global Wald, random effects" else 0.0 for part, *_ in rows]
    return _tabulated(posterior, evidence, rows, taus, tau)


def global_p(posterior: Posterior) -> float:
    """Return p of the global test of inconsistency under random effects, tau by DL.

    NaN where nothing can be inconsistent, or no design has two trials to tell tau.

    Raises
    ------
    ModelError
        If the trials, read as normal contrasts, do not connect all treatments.
    """
    from scipy.special import chdtrc

    evidence = normal_evidence(posterior)
    parts = Decomposition(evidence)
    if not parts.df_between:
        return math.nan
    with one_thread():
        *_, Q, df = _random(evidence, _own_tau(parts, "DL"))
    return float(chdtrc(df, Q))


def _own_tau(parts: Decomposition, asked: str | float) -> float:
    """Return tau of the design-by-treatment model; NaN where no design has two trials."""
    profile = parts.saturated
    return math.nan if profile.df == 0 and isinstance(asked, str) else estimated(profile, asked)


def _whole(parts: Decomposition) -> list[Row]:
    within, df = float(parts.within.sum()), int(parts.df.sum())
    return [
        ("total", "", within + parts.between, df + parts.df_between),
        ("within designs", "", within, df),
        ("between designs", "", parts.between, parts.df_between),
    ]


def _random(evidence: NormalEvidence, tau: float) -> Row:
    random = Decomposition(evidence, tau)
    Q = math.nan if math.isnan(tau) else random.between
    return ("global Wald, random effects", "", Q, random.df_between)


def _single(parts: Decomposition) -> list[Row]:
    each = zip(parts.evidence.designs, parts.within, parts.df, strict=True)
    return [
        (PARTS[0], design_name(design), float(Q) if df else 0.0, int(df)) for design, Q, df in each
    ]


def _detached(parts: Decomposition) -> list[Row]:
    found: list[Row] = []
    for design in parts.evidence.designs:
        by_design, lost = parts.detached(design)
        left = parts.df_between - lost
        Q = max(0.0, float(by_design.sum() - parts.within.sum())) if left else 0.0
        found += [(PARTS[1], design_name(design), Q, left)] * (lost > 0)
    return found


def _tabulated(
    posterior: Posterior,
    evidence: NormalEvidence,
    rows: list[Row],
    taus: list[float],
    asked: str | float,
) -> Table:
    from scipy.special import chdtrc

    found = pd.DataFrame(rows, columns=[*NAMES, "Q", "df"]).set_index(NAMES)
    p = np.where(found["df"] > 0, chdtrc(np.maximum(found["df"], 1), found["Q"]), np.nan)
    how = f"by {asked}" if isinstance(asked, str) else "given"
    table = Table(
        found.assign(p=p, tau=taus),
        caption=captioned(
            posterior,
            "Q by design under a common effect, and the global test of inconsistency under random "
            f"effects at tau of the design-by-treatment model, {how}.",
        ),
        notes=[*_said(rows[2][3], taus[3]), *evidence.notices, *briefly(posterior)],
        digits={"Q": 3, "tau": 3},
        probabilities=["p"],
    )
    table.attrs = {
        "poor": posterior.poor,
        "data": posterior.network.caption,
        "between": [rows[2][2], rows[2][3], float(p[2])],
        "random": [rows[3][2], rows[3][3], float(p[3]), taus[3]],
    }
    return table


def _said(df: int, tau: float) -> list[str]:
    """Return what the numbers cannot tell, in words."""
    nothing = (
        "No two designs tell of the same comparison, so nothing here can be inconsistent: that is "
        "no evidence of consistency."
    )
    untold = (
        "No design has two trials, so tau of the design-by-treatment model cannot be estimated and "
        "the test under random effects is left empty: give tau as a number."
    )
    if not df:
        return [nothing]
    weak = "A large p is no evidence of consistency: global tests have little power."
    return [untold if math.isnan(tau) else weak]
