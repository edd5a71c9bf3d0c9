"""Networks of every shape, connected by construction."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from hypothesis import strategies as st

import nma
from nma.network import Network

OUTCOME = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
CONTRAST = nma.outcomes.Contrast("md", "se", base_se="base", measure="MD", better="lower")

labels = (
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=8)
    .map(lambda text: unicodedata.normalize("NFC", text))
    .filter(lambda text: text not in {".", "-", "NA", "N/A"})
)


@dataclass(frozen=True)
class Trials:
    """Arms of normal trials; treatments and studies as T0, T1, ... and S0, S1, ..."""

    frame: pd.DataFrame

    @property
    def treatments(self) -> list[str]:
        return sorted(self.frame["treatment"].unique())

    def network(self, frame: pd.DataFrame | None = None, **options: object) -> Network:
        return arms_network(self.frame if frame is None else frame, **options)

    @property
    def only_two_arm(self) -> bool:
        return bool((self.frame["study"].value_counts() == 2).all())


def arms_network(frame: pd.DataFrame, **options: object) -> Network:
    settings: dict[str, object] = {"outcome": OUTCOME, **options}
    return Network.from_arms(frame, study="study", treatment="treatment", **settings)  # type: ignore[arg-type]


def contrasts(frame: pd.DataFrame, base: int = 0) -> pd.DataFrame:
    """Every trial as contrasts against its arm number ``base`` (counted round)."""
    rows = []
    for study, trial in frame.groupby("study"):
        arms = trial.to_dict("records")
        first = arms.pop(base % len(arms))
        variance = first["sd"] ** 2 / first["n"]
        rows += [
            {
                "study": study,
                "treatment": arm["treatment"],
                "comparator": first["treatment"],
                "md": arm["mean"] - first["mean"],
                "se": np.sqrt(arm["sd"] ** 2 / arm["n"] + variance),
                "base": np.sqrt(variance),
            }
            for arm in arms
        ]
    return pd.DataFrame(rows)


def contrasts_network(frame: pd.DataFrame) -> Network:
    return Network.from_contrasts(
        frame, study="study", treatment="treatment", comparator="comparator", outcome=CONTRAST
    )


@st.composite
def trials(
    draw: st.DrawFn,
    *,
    most_treatments: int = 7,
    most_arms: int = 4,
    least_treatments: int = 2,
    tree: bool = False,
) -> Trials:
    """Return trials that connect all treatments: a chain of two-arm trials, shuffled, and more."""
    count = draw(st.integers(least_treatments, most_treatments))
    order = draw(st.permutations(range(count)))
    designs = [list(pair) for pair in pairwise(order)]
    more = 0 if tree else draw(st.integers(0, 6))
    for _ in range(more):
        size = draw(st.integers(2, min(most_arms, count)))
        designs.append(draw(st.permutations(range(count)))[:size])
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = [(f"S{s}", f"T{t}") for s, design in enumerate(designs) for t in design]
    spread = 10.0 ** draw(st.floats(-1.5, 1.5))
    frame = pd.DataFrame(rows, columns=["study", "treatment"])
    frame["mean"] = np.round(rng.normal(0, 2 * spread, len(frame)), 3)
    frame["sd"] = spread * 10 ** rng.uniform(-0.5, 0.5, len(frame))
    frame["n"] = rng.integers(5, 200, len(frame))
    return Trials(frame)
