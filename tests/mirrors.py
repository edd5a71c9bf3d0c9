"""The same draws asked otherwise: read the other way, with a twin, or one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

import nma


def mirrored(posterior: nma.Posterior) -> nma.Posterior:
    """Return the same numbers, read the other way."""
    source = posterior.network.sources[0]
    better = "higher" if posterior.network.better == "lower" else "lower"
    outcome: Any = replace(source.outcome, better=better)  # type: ignore[type-var]
    return replace(
        posterior, network=replace(posterior.network, sources=(replace(source, outcome=outcome),))
    )


def with_twin(posterior: nma.Posterior, treatment: str) -> nma.Posterior:
    """Return a posterior asked about a treatment twice, the second time as its ``twin``."""
    place = posterior.treatments.index(treatment)
    targets = posterior.targets.iloc[[*range(len(posterior.treatments)), place]]
    labels = [*posterior.treatments, "twin"]
    return replace(posterior, targets=targets.reset_index(drop=True).assign(label=labels))


def renamed(posterior: nma.Posterior, shift: int) -> nma.Posterior:
    """Return a posterior whose treatments have each other's names, as another outcome."""
    return named(posterior, [str(name) for name in np.roll(posterior.treatments, shift)])


def named(posterior: nma.Posterior, names: Sequence[str]) -> nma.Posterior:
    """Return a posterior whose treatments are called otherwise."""
    return replace(posterior, targets=posterior.targets.assign(label=list(names)))


def drawn(posterior: nma.Posterior) -> nma.Posterior:
    """Return the draws of a posterior without its moments."""
    return replace(posterior, draws=replace(posterior.draws, moments=None))


def only_these(posterior: nma.Posterior, beta: Any) -> nma.Posterior:
    """Return a posterior with the given draws of beta, (chain, draw, parameter)."""
    names = posterior.draws.values["beta"]["parameter"].to_numpy()
    given = np.asarray(beta, dtype=float)
    tau = (("chain", "draw"), np.ones(given.shape[:2]))
    kept = xr.Dataset({"beta": (("chain", "draw", "parameter"), given), "tau": tau})
    kept = kept.assign_coords(
        chain=range(len(beta)), draw=range(len(beta[0])), parameter=list(names)
    )
    return replace(posterior, draws=replace(posterior.draws, moments=None, sampler=lambda: kept))
