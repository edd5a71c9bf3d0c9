"""Events and participants as log odds ratios, with half an event more where a cell is empty."""

from __future__ import annotations

import numpy as np
import pandas as pd

import nma
from nma.protocols import Better


def contrasts(frame: pd.DataFrame) -> pd.DataFrame:
    """Return every arm against its trial's first, with that arm's own standard error.

    Half is added to each cell of a trial that has an empty one.
    """
    rows = []
    for study, arms in frame.groupby("study", sort=False):
        yes = arms["events"].to_numpy(float)
        no = arms["n"].to_numpy(float) - yes
        half = 0.5 * bool((yes * no == 0).any())
        logit = np.log((yes + half) / (no + half))
        variance = 1 / (yes + half) + 1 / (no + half)
        names = arms["treatment"].tolist()
        rows += [
            {
                "study": str(study),
                "treatment": names[k],
                "comparator": names[0],
                "effect": logit[k] - logit[0],
                "se": np.sqrt(variance[k] + variance[0]),
                "base_se": np.sqrt(variance[0]),
            }
            for k in range(1, len(names))
        ]
    return pd.DataFrame(rows)


def network(name: str, *, better: Better, reference: str) -> nma.Network:
    """Return a dataset of events as a network of log odds ratios."""
    return nma.Network.from_contrasts(
        contrasts(nma.datasets.load(name)),
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=nma.outcomes.Contrast(
            "effect", "se", base_se="base_se", measure="OR", better=better
        ),
        reference=reference,
    )
