"""Posteriors of every measure, and draws that somebody else made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

import nma
from nma.problem import Draws, Problem
from nma.protocols import Better, Engine

MEASURES = ("OR", "HR", "RR", "RD", "IRR", "ROM")
"""Those whose level is a probability, a rate or a positive mean."""


def fitted(
    measure: str, better: Better = "lower", *, engine: Engine | None = None, unit: float = 1.0
) -> nma.Posterior:
    """Return a posterior of three treatments, with effects about 0.35 units."""
    frame = pd.DataFrame(
        {"s": list("1234"), "t": [*"BCCB"], "c": [*"AABA"], "y": [0.2, 0.5, 0.2, 0.4], "se": 0.15}
    )
    frame[["y", "se"]] *= unit
    outcome = nma.outcomes.Contrast("y", "se", measure=measure, better=better, scale=unit)
    network = nma.Network.from_contrasts(
        frame, study="s", treatment="t", comparator="c", outcome=outcome, reference="A"
    )
    return nma.fit(network, engine=engine or nma.engines.Gaussian(draws=4096))


@dataclass(frozen=True)
class Given:
    """An engine that gives the draws it was given."""

    values: xr.Dataset

    def unsuited(self, problem: Problem) -> str | None:
        return None

    def sample(self, problem: Problem) -> Draws:
        return Draws(sampler=lambda: self.values)


def counted(outcome: Any, rows: dict[str, Any], values: xr.Dataset) -> nma.Posterior:
    """Return trials that report arms, with a trial level for each in the draws."""
    frame = pd.DataFrame(rows)
    network = nma.Network.from_arms(
        frame, study="s", treatment="t", outcome=outcome, reference="A", repeated_arms="keep"
    )
    return nma.fit(network, engine=Given(values))


def drawn(studies: str, parameters: int, *, seed: int = 1, shift: float = -1.0) -> xr.Dataset:
    """Return draws of beta, tau and trial levels, of three chains of seven."""
    rng = np.random.default_rng(seed)
    return xr.Dataset(
        {
            "beta": (("chain", "draw", "parameter"), rng.normal(0.3, 0.2, (3, 7, parameters))),
            "tau": (("chain", "draw"), rng.uniform(0, 1, (3, 7))),
            "trial_level": (
                ("chain", "draw", "study"),
                rng.normal(shift, 0.5, (3, 7, len(studies))),
            ),
        },
        coords={"chain": range(3), "draw": range(7), "study": list(studies)},
    )
