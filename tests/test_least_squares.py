from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import nma
import oracle
from nma.least_squares import Rows, common_effect, estimable, rows
from nma.model import problem
from nma.priors import HalfNormal, Normal
from nma.problem import ArmEffect, Contrasts, Problem

MODEL = nma.Model(
    nma.structures.Consistency(Normal(0, 10)), nma.heterogeneity.Random(HalfNormal(1))
)


@pytest.fixture(scope="module", params=["parkinson", "senn2013"])
def task(request: pytest.FixtureRequest) -> Problem:
    return problem(MODEL, nma.datasets.network(request.param))


@pytest.mark.parametrize("tau", [0.0, 0.3, 5.0])
def test_rotated_rows_carry_the_same_information(task: Problem, tau: float) -> None:
    """X' W X, X' W y and the determinant at any tau are those of the unrotated contrasts."""
    rotated = rows(task, "tau", {})
    y, X, V, added = oracle.stacked(task)
    W = np.linalg.inv(V + tau**2 * added["tau"])
    weight = 1 / (1 + tau**2 * rotated.spread)
    gram = rotated.gram(weight[None])[0]
    np.testing.assert_allclose(gram, X.T @ W @ X, rtol=1e-9, atol=1e-9 * np.abs(gram).max())
    np.testing.assert_allclose(rotated.X.T @ (weight * rotated.y), X.T @ W @ y, rtol=1e-8)
    determinant = rotated.log_determinant - np.log(weight).sum()
    assert determinant == pytest.approx(-np.linalg.slogdet(W)[1], abs=1e-9)


def test_gram_by_pairs_is_gram_by_products(task: Problem) -> None:
    rotated = rows(task, "tau", {})
    weight = np.random.default_rng(1).uniform(0.1, 2.0, (7, len(rotated.y)))
    expected = np.stack([(rotated.X.T * w) @ rotated.X for w in weight])
    np.testing.assert_allclose(rotated.gram(weight), expected, rtol=1e-12, atol=1e-10)


def test_dense_levels_take_the_other_path() -> None:
    rng = np.random.default_rng(2)
    dense = Rows(rng.normal(size=(30, 12)), rng.normal(size=30), np.ones(30), 0.0)
    weight = rng.uniform(0.1, 2.0, (3, 30))
    expected = np.stack([(dense.X.T * w) @ dense.X for w in weight])
    np.testing.assert_allclose(dense.gram(weight), expected, rtol=1e-12)


def test_a_known_scale_enters_the_rotation(task: Problem) -> None:
    """Half of tau^2 known and half free is the whole of it."""
    (effect,) = task.effects
    second = ArmEffect("other", effect.weight, effect.unit)
    both = rows(replace(task, effects=(effect, second)), "tau", {"other": 0.4})
    alone = rows(task, "tau", {})
    one, two = 1 / (1 + 0.3**2 * both.spread), 1 / (1 + (0.3**2 + 0.4**2) * alone.spread)
    np.testing.assert_allclose(both.gram(one[None]), alone.gram(two[None]), rtol=1e-9, atol=1e-9)


def test_i_squared_is_never_negative(task: Problem) -> None:
    found = common_effect(task)
    assert found.i_squared == max(0.0, (found.Q - found.df) / found.Q)


def test_what_trials_determine_without_a_prior(task: Problem) -> None:
    names = task.parameters.names
    assert estimable(task, np.eye(len(names))).all()
    first = task.evidence[0]
    assert isinstance(first, Contrasts)
    one = Contrasts(first.arms[:1], first.y[:1], first.V[:1])
    told = estimable(replace(task, evidence=(one,)), np.eye(len(names)))
    assert not told.all()
    difference = task.levels[one.arms[0, 1]] - task.levels[one.arms[0, 0]]
    assert estimable(replace(task, evidence=(one,)), difference[None]).all()
