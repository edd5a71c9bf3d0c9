"""Trial levels and random effects of ordered categories integrated out: against dense grids."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.special import logsumexp

from nma.integrated import groups, settled
from nma.outcomes import Ordinal
from nma.priors import Normal
from nma.problem import Arms
from ordered import COUNTS, OR, SMD, by_scipy, network

LEVEL = Normal(0, 1)
SCORES = np.array([[0.4, -0.9], [-1.0, 0.2], [0.1, 1.1]])
SDS = np.sqrt(0.5) * np.array([0.1, 0.6, 1.5])


def by_grid(outcome: Ordinal, rows: Any, c: Any, sd: float, scores: Any) -> float:
    """Log of the double integral of one trial, the likelihood by its definition."""
    z, counts = outcome.cut_points_at(scores), COUNTS.iloc[rows]
    e, m = np.linspace(-8, 8, 161), np.linspace(-9, 9, 361)
    edge = {"SMD": 8.0, "OR": 14.0}[outcome.measure]  # beyond, the integrand is next to nothing
    x = np.linspace(-edge, edge, 3201)
    curves = [by_scipy(outcome, x, z, counts.iloc[[k] * len(x)]) for k in range(len(rows))]
    log_weight = -(e**2) / 2 - np.log(2 * np.pi) / 2 + np.log(e[1] - e[0])
    total = LEVEL.log_density(m) + np.log(m[1] - m[0])
    for curve, level in zip(curves, c, strict=True):
        at = m[:, None] + level + sd * e
        inside = CubicSpline(x, curve)(np.clip(at, -edge, edge))
        value = np.where(np.abs(at) < edge, inside, -1e4)
        total = total + logsumexp(value + log_weight, axis=1)
    return float(logsumexp(total))


@pytest.mark.parametrize("outcome", [SMD, OR], ids=lambda o: o.measure)
def test_the_integrated_likelihood_is_that_of_dense_sums(outcome: Ordinal) -> None:
    """At three values of levels, scale and cut-points together, for trials of two and of three."""
    (source,) = network(outcome).sources
    (part,) = outcome.evidence(source.rows, source.arms, LEVEL)
    assert isinstance(part, Arms)
    looked = 0
    for group in groups(part):
        trials, arms = group.place.shape
        c = np.linspace(-0.5, 0.5, arms) * np.array([1.0, -0.6, 1.7])[:, None, None]
        c = np.broadcast_to(c, (3, trials, arms))
        sd = np.broadcast_to(SDS[:, None, None], c.shape)
        for enough in settled(group, c, sd, SCORES, tolerance=1e-7):
            own = c[:, : len(enough.place)]
            found = enough.log_likelihood(own, sd[:, : len(enough.place)], SCORES)
            for (value, trial), log_likelihood in np.ndenumerate(found):
                rows = enough.place[trial]
                exact = by_grid(outcome, rows, own[value, trial], SDS[value], SCORES[value])
                assert log_likelihood == pytest.approx(exact, abs=1e-6)
                looked += 1
    assert looked == 12
