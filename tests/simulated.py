"""Many trials of the same arms, and what their numbers must keep to.

`ALARM` is the chance that one comparison with a closed form fails for another seed although
nothing is wrong; the tests of simulation make about 60 of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

import nma

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

ALARM = 1e-6
BOUND = float(stats.norm.isf(ALARM / 2))
COMMON = nma.Model(heterogeneity=nma.heterogeneity.Common())
PAIRS = {"B vs A": -0.5, "C vs A": 0.3}
MD = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
OR = nma.outcomes.Binary("r", "n", measure="OR", better="higher")


def plan(trials: int, arms: str = "ABC", **columns: object) -> dict[str, object]:
    """Many trials of the same arms."""
    size = trials * len(arms)
    return {
        "study": np.repeat([f"trial {k:05d}" for k in range(trials)], len(arms)),
        "treatment": list(arms) * trials,
        **{name: np.resize(np.asarray(values), size) for name, values in columns.items()},
    }


def planned(outcome: Any, trials: int = 3000, arms: str = "ABC", **columns: object) -> nma.Network:
    frame = plan(trials, arms, **columns)
    return nma.planned(frame, study="study", treatment="treatment", outcome=outcome)


def rows_of(network: nma.Network) -> pd.DataFrame:
    (source,) = network.sources
    return source.rows


def by_trial(values: Any, arms: int = 3) -> NDArray[np.float64]:
    return np.asarray(values, dtype=float).reshape(-1, arms)


def require_covariance(x: NDArray[np.float64], mean: Any, covariance: NDArray[np.float64]) -> None:
    """Every mean and every covariance of normal rows, by its own standard error."""
    n, size = x.shape
    error = np.sqrt(np.diag(covariance) / n)
    assert (np.abs(x.mean(axis=0) - mean) < BOUND * error).all()
    found, variance = np.atleast_2d(np.cov(x.T)), np.diag(covariance)
    spread = np.sqrt((covariance**2 + np.outer(variance, variance)) / (n - 1))
    assert (np.abs(found - covariance) < BOUND * spread).all()
    assert size == len(covariance)


def require_counts(seen: NDArray[np.float64], chance: NDArray[np.float64]) -> None:
    """Counts of what was seen against its chances; rare values joined to the last."""
    observed = np.bincount(seen.astype(int), minlength=len(chance))[: len(chance)]
    expected = chance * len(seen)
    kept = expected > 10
    o, e = observed[kept], expected[kept]
    o, e = np.r_[o, len(seen) - o.sum()], np.r_[e, len(seen) - e.sum()]
    statistic = ((o - e) ** 2 / np.maximum(e, 1e-9)).sum()
    assert stats.chi2.sf(statistic, len(e) - 1) > ALARM
