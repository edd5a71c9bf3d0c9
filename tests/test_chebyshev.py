"""Tables of what trials tell: as good as the function at every value, or not used."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nma
from nma.arm_trials import ArmTrials, arm_trials
from nma.chebyshev import Coordinates, _degrees, tabulated
from nma.model import problem
from nma.problem import Arms


def values(network: nma.Network, count: int) -> tuple[list[ArmTrials], Any, Any, Any]:
    """Trials, and levels, scales and auxiliaries like those of a posterior."""
    task = problem(nma.Model().resolve(network), network)
    (part,) = task.evidence
    assert isinstance(part, Arms)
    rng = np.random.default_rng(0)
    beta = rng.normal(0.5, 0.3, (count, task.levels.shape[1]))
    scales = {"tau": np.exp(rng.normal(-0.7, 0.5, count))}
    own = None
    if part.auxiliary is not None:
        own = rng.normal(part.auxiliary.mean - 1, 0.1, (count, len(part.auxiliary.names)))
    return arm_trials(task, part), beta @ task.levels.T, scales, own


@pytest.mark.parametrize("name", ["smoking", "thrombolytics", "psoriasis"])
def test_tables_are_the_function_at_values_that_were_not_looked_at(name: str) -> None:
    count = 2048 if name == "psoriasis" else 4096
    trials, level, scales, own = values(nma.datasets.network(name), count)
    some = np.arange(7, count, 97)
    here = {key: array[some] for key, array in scales.items()}
    for each in trials:
        found = each.log_likelihood(level, scales, own)[some]
        given = each.given(level[some], here)
        exact = each.group.log_likelihood(*given, None if own is None else own[some])
        error = np.abs(found - exact)
        assert error.max() < 2e-3
        assert np.sqrt((error**2).mean()) < 2e-4


def coordinates(count: int, arms: int) -> Coordinates:
    rng = np.random.default_rng(1)
    c = rng.normal(size=(count, 3, arms))
    c -= c.mean(axis=2, keepdims=True)
    return Coordinates(c, np.ones((3, arms)), rng.uniform(0.1, 2, count), None, np.full(3, 0.4))


@pytest.mark.parametrize("arms", [2, 3])
def test_polynomials_are_met_exactly(arms: int) -> None:
    where = coordinates(2000, arms)
    calls = []

    def function(c: Any, sd: Any, own: Any, trials: Any) -> Any:
        calls.append(len(c))
        return np.stack([(c[:, :, 1] - c[:, :, 0]) ** 2 + trials, c[:, :, -1] * 3], axis=-1)

    found = tabulated(function, where, tolerance=1e-9)
    exact = function(where.c, None, None, np.arange(3))
    np.testing.assert_allclose(found, exact, atol=1e-8)
    assert sum(calls[:-1]) < 1000


def test_what_no_polynomial_meets_is_evaluated_directly() -> None:
    where = coordinates(2000, 2)

    def function(c: Any, sd: Any, own: Any, trials: Any) -> Any:
        edge = np.sign(np.sin(40 * c[:, :, 1])) * sd[:, :, 0]
        return np.where(trials == 1, edge, c[:, :, 1])

    found = tabulated(function, where, tolerance=1e-4)
    assert where.tau is not None
    sd = where.tau[:, None, None] * np.ones((3, 2))
    exact = function(where.c, sd, None, np.arange(3))
    np.testing.assert_array_equal(found[:, 1], exact[:, 1])
    np.testing.assert_allclose(found, exact, atol=1e-4)


def test_degrees_cost_what_they_are_said_to() -> None:
    found = set(_degrees([2, 1, 3], 4))
    assert found == {
        (a, b, c) for a in range(5) for b in range(5) for c in range(5) if 2 * a + b + 3 * c <= 4
    }
