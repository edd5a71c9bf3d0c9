"""What an engine knows about its own quality, in one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple, final

import numpy as np

from nma.engines._convergence import E_FMI, ESS_PER_CHAIN, R_HAT, labelled
from nma.engines._laplace import ERROR, HIGH
from nma.estimates import captioned, estimates, is_credible, ordered_pairs, replicate_error
from nma.posterior import require_posterior
from nma.tables import Table

if TYPE_CHECKING:
    from nma.posterior import Posterior

__all__ = ["convergence"]

MCSE = 0.05
"""Monte Carlo error of a mean, in posterior sd, above which it is poor: as of 400 draws."""

UNSAID = ("log_evidence", "candidates")
"""Diagnostics that are no measure of quality by themselves."""

WORDS = {
    "r_hat": "R-hat",
    "ess_bulk": "effective draws, bulk",
    "ess_tail": "effective draws, tails",
    "divergences": "divergences",
    "e_fmi": "E-FMI",
    "pareto_k": "Pareto k",
    "effective_candidates": "effective candidates",
    "quadrature_error": "quadrature error",
    "quadrature_nodes": "quadrature nodes",
    "rounding_error": "rounding error",
    "log_evidence_mcse": "Monte Carlo error of the log evidence",
}
"""What diagnostics are called."""


@final
class _Row(NamedTuple):
    """A diagnostic at its worst, where that is, and from where on it is poor."""

    name: str
    where: str
    value: float
    limit: float = np.nan
    side: Literal["most", "least"] = "most"

    @property
    def verdict(self) -> str:
        """In a word; empty where there is no limit."""
        if np.isnan(self.limit):
            return ""
        if np.isnan(self.value):
            return "unknown"
        fine = self.value <= self.limit if self.side == "most" else self.value >= self.limit
        return "good" if fine else "poor"

    @property
    def bound(self) -> str:
        """The limit in words."""
        return "" if np.isnan(self.limit) else f"at {self.side} {self.limit:.4g}"


def convergence(posterior: Posterior) -> Table:
    r"""Return what the engine knows about its own quality, with a verdict on each number.

    Of a Markov chain R-hat, effective draws, divergences and E-FMI; of weighted points Pareto k,
    the points they are worth and the quadrature error; of the exact engine the quadrature and
    rounding errors. Of all, the Monte Carlo error of effects and scales, in posterior standard
    deviations, from the spread of independent chains: with M of them,

    .. math:: \mathrm{mcse} = \mathrm{sd}_m(\bar d_m) / \sqrt M .

    Each is given at its worst, with where that is. No posterior is refused.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.

    Returns
    -------
    Table
        By ``diagnostic``: ``where`` (the quantity for which it is worst, or what it is of),
        ``value``, ``limit`` in words, ``verdict`` ("good", "poor", "unknown"; empty where there is
        no limit). The caption says whether the fit is to be relied on; ``attrs["verdict"]`` holds
        "good", "poor" or "unknown", the worst of them all and of the engine's own faults.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("smoking"))
    >>> table = nma.checks.convergence(posterior)
    >>> table.loc["Pareto k", "verdict"], table.attrs["verdict"]
    ('good', 'good')

    References
    ----------
    Vehtari et al. 2021, doi:10.1214/20-BA1221, on R-hat and effective draws; Betancourt 2016,
    arXiv:1604.00695, on E-FMI; Vehtari et al. 2024, Journal of Machine Learning Research 25(72),
    on Pareto k.
    """
    require_posterior(posterior, "convergence")
    rows = [_monte_carlo(posterior), *_told(posterior)]
    found = {row.verdict for row in rows} | ({"poor"} if posterior.draws.faults else set())
    verdict = next((word for word in ("poor", "unknown") if word in found), "good")
    table = Table(
        {
            "where": [row.where for row in rows],
            "value": [row.value for row in rows],
            "limit": [row.bound for row in rows],
            "verdict": [row.verdict for row in rows],
        },
        index=[row.name for row in rows],
        caption=captioned(posterior, _sentence(posterior, rows, verdict)),
        notes=[*_exact(posterior), *posterior.draws.notices],
        significant=["value"],
    )
    table.index.name = "diagnostic"
    table.attrs = {"verdict": verdict, "poor": posterior.poor}
    return table


def _sentence(posterior: Posterior, rows: list[_Row], verdict: str) -> str:
    engine = type(posterior.engine).__name__
    if verdict == "good":
        return f"Quality of the fit by {engine}: nothing speaks against it."
    named = [row.name for row in rows if row.verdict == verdict]
    of = f", by {', '.join(named)}" if named else ""
    if verdict == "poor":
        return f"Quality of the fit by {engine}: poor{of}."
    return f"Quality of the fit by {engine}: cannot be told{of}."


def _exact(posterior: Posterior) -> list[str]:
    if posterior.draws.moments is None:
        return []
    if is_credible(posterior):
        return ["Exact: effects and scales carry no Monte Carlo error; draws of ranks do."]
    return ["Exact given tau: there is nothing to converge."]


def _monte_carlo(posterior: Posterior) -> _Row:
    """Return the largest Monte Carlo error of effects and scales, in posterior sd."""
    name = "Monte Carlo error"
    if posterior.draws.moments is not None:
        return _Row(name, "effects and scales", 0.0, MCSE)
    pairs = ordered_pairs(posterior, [posterior.comparator])
    found = estimates(posterior, pairs, 0.95)
    each = {f"{a} vs {b}": e / s for (a, b), e, s in zip(pairs, found.mcse, found.sd, strict=True)}
    for scale in posterior.problem.scales:
        values = posterior.draws.values[scale.name].to_numpy()
        if values.std() > 0:
            each[scale.name] = float(replicate_error(values)) / float(values.std())
    worst = max(each, key=lambda key: np.nan_to_num(each[key], nan=np.inf), default="")
    return _Row(name, worst, float(each.get(worst, np.nan)), MCSE)


def _told(posterior: Posterior) -> Iterator[_Row]:
    """Yield what the engine says, in its own order."""
    if not is_credible(posterior):
        return
    told = posterior.draws.diagnostics
    for key, value in told.items():
        if key in UNSAID:
            continue
        limit, side = _limit(posterior, key)
        yield _Row(WORDS.get(key, key), _where(posterior, key), float(value), limit, side)


def _limit(posterior: Posterior, key: str) -> tuple[float, Literal["most", "least"]]:
    """Return the limit of a diagnostic, NaN where it has none."""
    told = posterior.draws.diagnostics
    if key in {"ess_bulk", "ess_tail"}:
        return _needed(posterior), "least"
    if key == "effective_candidates" and "candidates" in told:
        return min(_needed(posterior), told["candidates"] / 2), "least"
    if key == "quadrature_error":
        exact = getattr(posterior.engine, "tolerance", np.nan)
        return (10 * ERROR if "pareto_k" in told else float(exact)), "most"
    if key == "e_fmi":
        return E_FMI, "least"
    return {"r_hat": R_HAT, "divergences": 0.0, "pareto_k": HIGH}.get(key, np.nan), "most"


def _needed(posterior: Posterior) -> float:
    """Return the effective draws that all chains together need."""
    return float(ESS_PER_CHAIN * posterior.draws.values.sizes["chain"])


def _where(posterior: Posterior, key: str) -> str:
    """Return the quantity for which a diagnostic is worst, or what it is of."""
    told = posterior.draws.convergence
    if told is None or key not in told["statistic"].to_numpy().tolist():
        return _of(posterior.draws.diagnostics).get(key, "")
    sign = -1.0 if key == "r_hat" else 1.0
    values = {name: sign * statistics[key] for name, statistics in labelled(told)}
    return min(values, key=lambda name: np.nan_to_num(values[name], nan=-np.inf), default="")


def _of(told: Mapping[str, float]) -> dict[str, str]:
    """Return what diagnostics are of that belong to no one quantity."""
    weighted = "pareto_k" in told
    return {
        "pareto_k": "importance weights",
        "effective_candidates": f"of {told.get('candidates', np.nan):.0f}",
        "quadrature_error": "log weights" if weighted else "log evidence and tau",
        "rounding_error": "standard deviations",
        "e_fmi": "worst chain",
        "divergences": "all chains",
    }
