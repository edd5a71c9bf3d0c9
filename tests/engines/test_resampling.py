"""Resampled draws keep the even spread of the points that they were chosen from."""

from __future__ import annotations

import numpy as np
import pytest

import nma
from nma.engines._sobol import neighbours, sobol
from nma.priors import HalfNormal, Normal

WIDE = Normal(0, 100)
MODEL = nma.Model(
    nma.structures.Consistency(WIDE), nma.heterogeneity.Random(HalfNormal(5)), trial_levels=WIDE
)


@pytest.mark.parametrize("name", ["bcg", "transfusion", "statins"])
def test_chains_differ_less_than_those_of_independent_draws(name: str) -> None:
    """By half at least; resampled in the order of the Sobol set, BCG's differed twice as much."""
    for seed in range(3):
        engine = nma.engines.Laplace(draws=512, seed=seed)
        values = nma.fit(nma.datasets.network(name), MODEL, engine=engine).draws.values
        for draws in (values["beta"].to_numpy()[..., 0], values["tau"].to_numpy()):
            independent = draws.std() / np.sqrt(draws.shape[1])
            assert draws.mean(axis=1).std(ddof=1) < independent / 2


@pytest.mark.parametrize("count", [1, 2, 3, 100, 512])
def test_neighbours_are_every_point_once_and_near_each_other(count: int) -> None:
    points = sobol(2, chains=1, draws=count, seed=1)[0]
    order = neighbours(points)
    assert sorted(order) == list(range(count))
    if count > 3:
        steps = np.linalg.norm(np.diff(points[order], axis=0), axis=1)
        assert steps.mean() < np.linalg.norm(np.diff(points, axis=0), axis=1).mean() / 3
