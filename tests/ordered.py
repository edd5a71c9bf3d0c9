"""Trials that count people in ordered categories, and their likelihood by the definition."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import gammaln, xlogy

import nma
from nma.outcomes import Binary, Ordinal
from nma.priors import Normal
from nma.problem import Arms

NAN = float("nan")
NAMES = ["some", "much", "full"]
COUNTS = pd.DataFrame(
    [
        ("1", "A", 50, 10, 5, 2),
        ("1", "B", 48, 12, 9, 8),
        ("2", "A", 40, 9, 6, NAN),
        ("2", "B", 41, 8, 14, NAN),
        ("2", "C", 39, 10, 11, NAN),
        ("3", "B", 30, NAN, 4, NAN),
        ("3", "C", 28, NAN, 11, NAN),
        ("4", "A", 20, 0, NAN, 0),
        ("4", "C", 22, 6, NAN, 3),
    ],
    columns=["study", "treatment", "n", *NAMES],
)
SMD = Ordinal(NAMES, "n", counts="exclusive", measure="SMD", better="higher")
OR = replace(SMD, measure="OR")
LATENT: dict[str, Any] = {"SMD": stats.norm, "OR": stats.logistic}
AT = np.array([0.4, -0.9])
"""Normal scores of the two increments."""


def network(outcome: Any = SMD, counts: pd.DataFrame = COUNTS, **options: Any) -> nma.Network:
    return nma.Network.from_arms(
        counts, study="study", treatment="treatment", outcome=outcome, **options
    )


def arms(outcome: Any = SMD, counts: pd.DataFrame = COUNTS) -> Arms:
    (source,) = network(outcome, counts).sources
    (part,) = source.outcome.evidence(source.rows, source.arms, Normal(0, 10))
    assert isinstance(part, Arms)
    return part


def inclusive(counts: pd.DataFrame = COUNTS) -> pd.DataFrame:
    """The same people, each counted in their category and all below."""
    given = counts[NAMES].to_numpy()
    upwards = np.nancumsum(given[:, ::-1], axis=1)[:, ::-1]
    told = dict(zip(NAMES, np.where(np.isnan(given), NAN, upwards).T, strict=True))
    return counts.assign(**told)


def by_scipy(outcome: Ordinal, eta: Any, z: Any, counts: pd.DataFrame = COUNTS) -> Any:
    """Log likelihood of every arm, one at a time, by the definition."""
    latent, found = LATENT[outcome.measure], []
    people, given = counts["n"].tolist(), counts[NAMES].to_numpy(dtype=float)
    for level, n, row in zip(eta, people, given, strict=True):
        told = np.flatnonzero(~np.isnan(row))
        above = [1.0, *latent.cdf(level - z[told]), 0.0]
        table = np.array([n - row[told].sum(), *row[told]])
        ways = gammaln(n + 1) - gammaln(table + 1).sum()
        found.append(ways + xlogy(table, -np.diff(above)).sum())
    return np.array(found)


TWO = pd.DataFrame(
    {
        "study": ["1", "1", "2", "2", "2", "3", "3"],
        "treatment": ["A", "B", "A", "B", "C", "B", "C"],
        "r": [4, 9, 11, 15, 20, 0, 6],
        "n": [20, 25, 40, 38, 41, 12, 15],
    }
)
ONE_CUT = Ordinal(["r"], "n", counts="inclusive", measure="OR", better="higher")
EVENTS = Binary("r", "n", measure="OR", better="higher")
