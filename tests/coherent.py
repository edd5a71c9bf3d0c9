"""Networks whose direct and indirect evidence is known to be so and so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

import nma

DRUGS = ["drug A", "drug B", "drug C", "drug D"]


def frame(trials: Sequence[Sequence[str]], seed: int = 3) -> pd.DataFrame:
    """Return arms of trials; the k-th name improves by k / 5."""
    rng = np.random.default_rng(seed)
    names = sorted({name for trial in trials for name in trial})
    rows = [
        (f"trial {k}", name, 5 - 0.2 * names.index(name) + rng.normal(0, 0.4), 2 + k % 3, 60 + k)
        for k, trial in enumerate(trials)
        for name in trial
    ]
    return pd.DataFrame(rows, columns=["study", "treatment", "mean", "sd", "n"])


def network(arms: pd.DataFrame, reference: str | None = None) -> nma.Network:
    outcome = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
    return nma.Network.from_arms(
        arms, study="study", treatment="treatment", outcome=outcome, reference=reference
    )


def fitted(trials: Sequence[Sequence[str]], tau: float = 0.2) -> nma.Posterior:
    """Return the least-squares fit of simulated trials at a stated tau."""
    return nma.fit(network(frame(trials)), engine=nma.engines.LeastSquares(tau))


A, B, C, D = DRUGS
STAR = [(A, B), (A, B), (A, C), (A, D), (A, D)]
TREE = [(A, B), (B, C), (B, C), (C, D)]
TWO_ARMS = [(A, B), (A, B), (B, C), (A, C), (C, D), (A, D), (B, D)]
TANGLED = [*TWO_ARMS, (A, B, C), (A, B, C), (B, C, D), (A, B, C, D)]
ONE_DESIGN = [(A, B, C), (A, B, C)]
