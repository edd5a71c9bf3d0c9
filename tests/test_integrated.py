"""Trial levels and random effects integrated out: against brute force on dense grids."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp

import nma
from nma.integrand import _averaged
from nma.integrated import groups, settled
from nma.model import problem
from nma.priors import Fixed, Normal, Prior
from nma.problem import Arms

if TYPE_CHECKING:
    from numpy.typing import NDArray

EVENTS = nma.outcomes.Binary("events", "n", measure="OR", better="higher")
HAZARDS = nma.outcomes.Binary("events", "n", time="time", measure="HR", better="lower")
RATES = nma.outcomes.Rate("events", "exposure", better="lower")


def arms(outcome: Any, rows: list[tuple[float, ...]], level: Prior) -> Arms:
    """One trial, an arm a row, and a plain one, so that no network is without events."""
    frame = pd.DataFrame(rows, columns=list(outcome.columns))
    frame = frame.assign(study="one", treatment=[f"t{k}" for k in range(len(rows))])
    plain = frame.assign(study="two", **dict(zip(outcome.columns, (5, 50.0, 2.0), strict=False)))
    frame = pd.concat([frame, plain])
    network = nma.Network.from_arms(frame, study="study", treatment="treatment", outcome=outcome)
    task = problem(nma.Model(trial_levels=level).resolve(network), network)
    (part,) = task.evidence
    assert isinstance(part, Arms)
    return part


def brute_force(
    part: Arms, c: NDArray[np.float64], sd: NDArray[np.float64], power: Any = None
) -> float:
    """Log of the double integral for the first trial, from dense sums."""
    k = len(c)
    data = {name: array[:k] for name, array in part.data.items()}
    lower, upper = part.trial_level.support
    edges = (max(lower, -1000.0), min(upper, 1000.0))
    known = lower == upper
    m = np.array([lower]) if known else np.linspace(*edges, 10_001)
    prior = np.asarray(part.trial_level.log_density(m))
    coarse = prior + _given(part, data, m, c, sd, 61, power)
    if not known:
        near = m[coarse > coarse.max() - 40]
        m = np.linspace(near[0] - 0.2, near[-1] + 0.2, 1001 if near[-1] - near[0] < 50 else 8001)
        m = m[(m >= edges[0]) & (m <= edges[1])]
        prior = np.asarray(part.trial_level.log_density(m))
    fine = prior + _given(part, data, m, c, sd, 481, power)
    if known:
        return float(fine[0])
    weight = np.r_[0.5, np.ones(len(m) - 2), 0.5] * (m[1] - m[0])
    return float(logsumexp(fine, b=weight))


def _given(
    part: Arms, data: Any, m: Any, c: Any, sd: Any, nodes: int, power: Any
) -> NDArray[np.float64]:
    e = np.linspace(-9, 9, nodes)
    log_normal = -(e**2) / 2 - np.log(np.sqrt(2 * np.pi)) + np.log(e[1] - e[0])
    total = np.zeros(len(m))
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        for batch in np.array_split(np.arange(len(m)), max(1, len(m) * nodes // 2_000_000)):
            eta = m[batch][:, None, None] + c + sd * e[:, None]
            value = np.nan_to_num(part.density(eta, None, data, np), nan=-np.inf)
            if power is not None:
                value = np.where(power > 0, power * value, 0.0)
            total[batch] = logsumexp(value + log_normal[:, None], axis=1).sum(axis=1)
    return total


CASES: dict[str, tuple[Any, list[tuple[float, ...]]]] = {
    "plain": (EVENTS, [(10, 100), (15, 100)]),
    "three arms": (EVENTS, [(9, 140), (23, 140), (10, 138)]),
    "a zero cell": (EVENTS, [(0, 33), (9, 33)]),
    "no events at all": (EVENTS, [(0, 50), (0, 40)]),
    "events in all": (EVENTS, [(20, 20), (25, 25)]),
    "one zero, one full": (EVENTS, [(0, 20), (25, 25)]),
    "large": (EVENTS, [(147, 2017), (65, 1040), (72, 1034)]),
    "tiny": (EVENTS, [(1, 2), (0, 1)]),
    "hazards": (HAZARDS, [(43, 1081, 5.8), (34, 2213, 5.8)]),
    "hazards without events": (HAZARDS, [(0, 108, 3.0), (2, 110, 3.0)]),
    "rates": (RATES, [(113, 1917.0), (111, 1925.0)]),
    "rates without events": (RATES, [(0, 19.0), (3, 25.0)]),
}


LEVELS = [Normal(0, 10), Normal(0, 100), Normal(-3, 0.5), Fixed(-2.0)]


def values(k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Levels and standard deviations to look at, (value, arm)."""
    c = np.array([np.linspace(-0.4, 0.4, k), np.linspace(0.3, -0.3, k), np.linspace(2, -2, k)])
    return c, np.sqrt(0.5) * np.array([0.8, 0.1, 2.5])[:, None] * np.ones(k)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("level", LEVELS, ids=repr)
def test_the_integrated_likelihood_is_that_of_brute_force(case: str, level: Prior) -> None:
    outcome, rows = CASES[case]
    part = arms(outcome, rows, level)
    c, sd = values(len(rows))
    if level == Fixed(-2.0) and outcome is not EVENTS:
        c = c - (3.2 if outcome is HAZARDS else 0.8)  # nearer to what was seen
    (group,) = groups(part)
    one = group.trials(np.array([0]))
    exact = [brute_force(part, *both) for both in zip(c, sd, strict=True)]
    (enough,) = settled(one, c[:, None], sd[:, None], tolerance=1e-7)
    found = enough.log_likelihood(c[:, None], sd[:, None])[:, 0]
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-6)


@pytest.mark.parametrize("case", ["plain", "a zero cell", "no events at all"])
def test_drawn_levels_follow_their_conditional_distribution(case: str) -> None:
    """Quantiles of m given everything else, against the brute-force density."""
    outcome, rows = CASES[case]
    part = arms(outcome, rows, Normal(0, 10))
    k = len(rows)
    c, sd = np.linspace(-0.4, 0.4, k), np.full(k, 0.6)
    (group,) = groups(part)
    (one,) = settled(group.trials(np.array([0])), c[None, None], sd[None, None], tolerance=1e-7)
    u = np.linspace(0.005, 0.995, 199)
    given = np.broadcast_to(c, (199, 1, k)), np.broadcast_to(sd, (199, 1, k))
    found = one.levels(*given, u[:, None])[:, 0]
    assert (np.diff(found) > 0).all()
    m = np.linspace(-60, 10, 14_001)
    data = {name: array[:k] for name, array in part.data.items()}
    log_density = np.asarray(part.trial_level.log_density(m))
    log_density = log_density + _given(part, data, m, c, sd, 241, None)
    density = np.exp(log_density - log_density.max())
    below = np.cumsum(density) - density / 2
    np.testing.assert_allclose(np.interp(found, m, below / density.sum()), u, atol=1e-3)


def test_functions_are_averaged_over_all_that_is_integrated_out() -> None:
    """The mean of exp(-eta) of an arm, from two integrals: with the factor and without."""
    outcome, rows = CASES["three arms"]
    part = arms(outcome, rows, Normal(0, 10))
    c, sd = (x[:2, None] for x in values(3))
    (group,) = groups(part)
    one = group.trials(np.array([0])).finer()
    (told,) = one.expectations([lambda eta, own, data: np.exp(-0.3 * eta)], c, sd)
    plain = one.log_likelihood(c, sd)

    def tilted(eta: Any, auxiliary: Any, data: Any, xp: Any) -> Any:
        more = np.zeros(eta.shape[-1])
        more[1] = -0.3
        return part.density(eta, auxiliary, data, xp) + more * eta

    moved = replace(one, part=replace(part, density=tilted)).log_likelihood(c, sd)
    np.testing.assert_allclose(told[:, 0, 1], np.exp(moved - plain)[:, 0], rtol=1e-5)


def test_an_arm_may_be_left_out_or_seen_twice() -> None:
    outcome, rows = CASES["three arms"]
    part = arms(outcome, rows, Normal(0, 10))
    c, sd = values(3)
    (group,) = groups(part)
    one = group.trials(np.array([0])).finer()
    for power in ([1, 0, 1], [1, 2, 1], [0, 0, 1]):
        counted = one.counting(np.array([power], dtype=float))
        found = counted.log_likelihood(c[:2, None], sd[:2, None])[:, 0]
        exact = [brute_force(part, c[k], sd[k], np.array(power)) for k in range(2)]
        np.testing.assert_allclose(found, exact, rtol=0, atol=1e-6)


def test_what_has_no_weight_does_not_count_however_large() -> None:
    """A deviance is infinite where a probability rounds to one, and the likelihood is zero."""
    share, values = (
        np.array([[[0.0]], [[0.25]], [[0.75]]]),
        np.array([[[np.inf]], [[2.0]], [[4.0]]]),
    )
    np.testing.assert_array_equal(_averaged(share, values), [[3.5]])
