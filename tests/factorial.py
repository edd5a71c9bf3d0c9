"""Small networks of components, and the numbers that hand calculation gives of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import nma
from nma.structures import Components

Array = NDArray[np.float64]
Row = tuple[str, str, float, float]

OUTCOME = nma.outcomes.Contrast("effect", "se", measure="MD", better="lower", scale=1.0)
COMMON = nma.heterogeneity.Common()
RANDOM = nma.heterogeneity.Random(nma.priors.HalfNormal(1))
FLAT = nma.engines.LeastSquares("common")
FACTORIAL: list[Row] = [
    ("E", "usual", -0.5, 0.2),
    ("E", "usual", -0.7, 0.3),
    ("C", "usual", -0.3, 0.2),
    ("E + C", "usual", -1.5, 0.25),
    ("E + C", "E", -0.6, 0.3),
    ("C", "E", 0.3, 0.3),
]
X = np.array([[0, 1, 0], [0, 1, 0], [1, 0, 0], [1, 1, 1], [1, 0, 1], [1, -1, 0]], dtype=float)
"""Differences of levels of C, E and their interaction."""

APART: list[Row] = [
    ("E", "usual", -0.5, 0.2),
    ("E", "usual", -0.9, 0.2),
    ("E + C", "C", -0.6, 0.2),
    ("C", "S", -0.3, 0.2),
    ("C", "S", 0.2, 0.3),
]
"""Two parts that no trial connects; E is told in both."""


def network(
    rows: Sequence[Row], reference: str = "usual", **columns: Sequence[float]
) -> nma.Network:
    frame = pd.DataFrame(rows, columns=["treatment", "comparator", "effect", "se"])
    return nma.Network.from_contrasts(
        frame.assign(study=[f"trial {k}" for k in range(len(frame))], **columns),
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=OUTCOME,
        reference=reference,
    )


def additive(rows: Sequence[Row] = FACTORIAL, **arguments: object) -> nma.Posterior:
    """Return the fit of additive components, by default with random effects."""
    reference = str(arguments.pop("reference", "usual"))
    heterogeneity = arguments.pop("heterogeneity", RANDOM)
    engine = arguments.pop("engine", None)
    structure = Components(separator=" + ", inactive=reference, **arguments)  # type: ignore[arg-type]
    model = nma.Model(structure, heterogeneity)  # type: ignore[arg-type]
    return nma.fit(network(rows, reference), model, engine=engine)  # type: ignore[arg-type]


def least_squares(columns: Sequence[int]) -> tuple[Array, Array, float]:
    """Return estimates, their covariance and Q of some columns of the factorial network."""
    y, se = (np.array([row[k] for row in FACTORIAL]) for k in (2, 3))
    z = X[:, list(columns)]
    covariance = np.linalg.inv(z.T @ (z / se[:, None] ** 2))
    beta = covariance @ z.T @ (y / se**2)
    return beta, covariance, float((((y - z @ beta) / se) ** 2).sum())
