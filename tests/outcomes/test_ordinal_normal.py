"""Ordered categories as normal contrasts: each trial's own maximum likelihood."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

import nma
from nma.errors import ModelError
from nma.outcomes import _cumulative_normal
from nma.outcomes._cumulative_normal import LATENT, _has_maximum, maximum_likelihood
from nma.priors import Normal
from nma.problem import Contrasts
from ordered import COUNTS, EVENTS, NAMES, NAN, ONE_CUT, OR, SMD, TWO, network
from ordered import LATENT as KNOWN

MEASURES = pytest.mark.parametrize("measure", ["SMD", "OR"])
CELLS = np.array([[10.0, 12, 9, 20], [15, 3, 8, 4], [11, 0, 7, 15]])


def contrasts(outcome: Any, counts: pd.DataFrame = COUNTS) -> tuple[Contrasts, ...]:
    (source,) = network(outcome, counts).sources
    found = source.outcome.evidence(source.rows, source.arms, Normal(0, 1))
    return tuple(part for part in found if isinstance(part, Contrasts))


def chances(measure: str, at: Any, arms: int) -> Any:
    x = at[:arms, None] - np.r_[0.0, np.cumsum(np.exp(at[arms:]))]
    above = np.column_stack([np.ones(arms), KNOWN[measure].cdf(x), np.zeros(arms)])
    return -np.diff(above, axis=1)


@MEASURES
def test_the_maximum_is_a_general_optimisers(measure: str) -> None:
    def cost(at: Any) -> float:
        return float(-(CELLS * np.log(chances(measure, at, 3))).sum())

    start = np.array([0.5, 0.0, 0.5, 0.0, 0.0])
    found = optimize.minimize(cost, start, method="BFGS", options={"gtol": 1e-8})
    level, covariance = maximum_likelihood(CELLS, LATENT[measure])
    np.testing.assert_allclose(level, found.x[:3], atol=1e-6)
    # the expected information by differences, in the optimiser's own parameters
    step = 1e-6 * np.eye(5)
    slope = np.stack(
        [(chances(measure, found.x + h, 3) - chances(measure, found.x - h, 3)) / 2e-6 for h in step]
    )
    weight = CELLS.sum(axis=1)[:, None] / chances(measure, found.x, 3)
    information = np.einsum("akc,kc,bkc->ab", slope, weight, slope)
    np.testing.assert_allclose(covariance, np.linalg.inv(information)[:3, :3], rtol=1e-5)


def test_a_published_fit_of_proportional_odds() -> None:
    """McCullagh 1980: size of the tonsils of carriers of Streptococcus pyogenes."""
    tonsils = np.array([[497.0, 560, 269], [19, 29, 24]])
    level, covariance = maximum_likelihood(tonsils, LATENT["OR"])
    contrast = np.array([-1.0, 1.0])
    assert contrast @ level == pytest.approx(0.603, abs=0.0005)
    assert np.sqrt(contrast @ covariance @ contrast) == pytest.approx(0.225, abs=0.0005)


def has_direction(cells: Any) -> bool:
    """Whether arms or cut-points can drift without end, by linear programming."""
    arms, cuts = len(cells), cells.shape[1] - 1
    rows = [np.zeros(arms + cuts)]
    for k, c in zip(*np.nonzero(cells), strict=True):
        if c > 0:  # v_k >= w_c
            rows.append(np.eye(arms + cuts)[arms + c - 1] - np.eye(arms + cuts)[k])
        if c < cuts:  # v_k <= w_(c + 1)
            rows.append(np.eye(arms + cuts)[k] - np.eye(arms + cuts)[arms + c])
    bounds = [(-1, 1)] * arms + [(0, 0)] + [(-1, 1)] * (cuts - 1)
    for sign, place in product((1, -1), range(arms + cuts)):
        goal = sign * np.eye(arms + cuts)[place]
        found = optimize.linprog(goal, A_ub=np.array(rows), b_ub=np.zeros(len(rows)), bounds=bounds)
        if float(goal @ found.x) < -1e-6:
            return True
    return False


@pytest.mark.parametrize("shape", [(2, 2), (2, 3), (3, 3), (2, 4), (3, 4)])
def test_trials_without_a_maximum_are_known(shape: tuple[int, int]) -> None:
    """Against the directions in which no count becomes less likely."""
    rng = np.random.default_rng(sum(shape))
    met = set()
    for _ in range(60):
        cells = (rng.integers(0, 3, shape) * rng.integers(0, 2, shape)).astype(float)
        if cells.any(axis=0).all() and cells.any(axis=1).all():
            assert _has_maximum(cells) is not has_direction(cells), cells
            met.add(_has_maximum(cells))
    assert met == {True, False}


@MEASURES
def test_where_there_is_a_maximum_it_is_found(measure: str) -> None:
    """Sparse tables, some with arms that share a single category."""
    rng = np.random.default_rng(8)
    tried = 0
    for _ in range(300):
        cells = rng.integers(0, 4, (2, 4)).astype(float)
        if cells.any(axis=0).all() and cells.any(axis=1).all() and _has_maximum(cells):
            level, covariance = maximum_likelihood(cells, LATENT[measure])
            assert np.isfinite(level).all()
            assert (np.linalg.eigvalsh(covariance) > 0).all()
            tried += 1
    assert tried > 100


def test_what_does_not_settle_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cumulative_normal, "STEPS", 2)
    with pytest.raises(ModelError, match="did not settle: use its own likelihood"):
        maximum_likelihood(np.array([[40.0, 1, 1], [1, 1, 60]]), LATENT["OR"])


def test_two_categories_are_the_odds_ratio_with_its_corrections() -> None:
    table = pd.concat(
        [
            TWO,
            pd.DataFrame({"study": ["4", "4"], "treatment": ["A", "B"], "r": 0, "n": [9, 8]}),
            pd.DataFrame({"study": ["5", "5"], "treatment": ["A", "C"], "r": [9, 8], "n": [9, 8]}),
        ]
    )
    ours, theirs = (contrasts(x.as_normal(), table) for x in (ONE_CUT, EVENTS))
    assert [part.arms.shape for part in ours] == [part.arms.shape for part in theirs]
    model = nma.Model(heterogeneity=nma.heterogeneity.Common())
    one, other = (nma.fit(network(x.as_normal(), table), model) for x in (ONE_CUT, EVENTS))
    first, second = (nma.summary(posterior)[["mean", "sd"]] for posterior in (one, other))
    np.testing.assert_allclose(first, second, rtol=1e-9)
    notices = network(ONE_CUT.as_normal(), table).notices
    assert (
        "Set aside from the contrasts: 4, 5; all people are in one category that all arms tell."
        in notices
    )
    assert any(text.startswith("0.5 was added to every cell of 3:") for text in notices)


@MEASURES
def test_the_order_of_arms_and_of_trials_changes_nothing(measure: str) -> None:
    outcome = (SMD if measure == "SMD" else OR).as_normal()
    shuffled = COUNTS.sample(frac=1, random_state=4)
    tables = [nma.summary(nma.fit(network(outcome, table))) for table in (COUNTS, shuffled)]
    np.testing.assert_allclose(tables[0], tables[1], rtol=1e-9)


@MEASURES
def test_turning_the_categories_round_turns_the_contrasts(measure: str) -> None:
    level, covariance = maximum_likelihood(CELLS, LATENT[measure])
    turned, same = maximum_likelihood(CELLS[:, ::-1], LATENT[measure])
    difference = np.array([[-1.0, 1, 0], [-1, 0, 1]])
    np.testing.assert_allclose(difference @ turned, -difference @ level, atol=1e-9)
    np.testing.assert_allclose(
        difference @ same @ difference.T, difference @ covariance @ difference.T, rtol=1e-8
    )


@MEASURES
def test_large_trials_tell_the_truth(measure: str) -> None:
    """Expected counts of known levels and cut-points; a thousandth has a thousand variances."""
    at = np.array([0.2, 0.9, -0.4, np.log(0.6), np.log(1.1)])
    p = chances(measure, at, 3)
    level, covariance = maximum_likelihood(1e6 * p, LATENT[measure])
    np.testing.assert_allclose(level, at[:3], atol=1e-8)
    _, less = maximum_likelihood(1e3 * p, LATENT[measure])
    np.testing.assert_allclose(less, 1e3 * covariance, rtol=1e-8)


def test_categories_that_not_all_arms_tell_are_joined_and_named() -> None:
    table = COUNTS.copy()
    table.loc[1, ["much", "full"]] = [17, NAN]
    joined = COUNTS.copy()
    joined.loc[0, ["much", "full"]] = [7, NAN]
    joined.loc[1, ["much", "full"]] = [17, NAN]
    one, other = (contrasts(SMD.as_normal(), rows) for rows in (table, joined))
    for part, same in zip(one, other, strict=True):
        np.testing.assert_array_equal(part.y, same.y)
        np.testing.assert_array_equal(part.V, same.V)
    said = "Categories that not all arms tell were joined to the one below in 1."
    assert said in network(SMD.as_normal(), table).notices
    assert said not in network(SMD.as_normal(), joined).notices


def test_a_trial_whose_arms_tell_nothing_in_common_is_set_aside() -> None:
    table = COUNTS.copy()
    table.loc[5, NAMES] = [3, NAN, NAN]
    network_ = network(SMD.as_normal(), table)
    assert any(text.startswith("Set aside from the contrasts: 3;") for text in network_.notices)
    parts = contrasts(SMD.as_normal(), table)
    assert sorted(np.concatenate([part.arms.ravel() for part in parts]).tolist()) == [
        *range(5), 7, 8,
    ]  # fmt: skip


def test_the_normal_outcome_is_read_by_least_squares_and_keeps_its_link() -> None:
    posterior = nma.fit(network(OR).as_normal(), engine=nma.engines.LeastSquares())
    assert "OR by the normal approximation: maximum likelihood and expected" in str(posterior)
    risks = nma.absolute_table(posterior, reference_level=0.3)
    table = nma.effect_table(posterior, comparators=["A"])
    odds = 0.3 / 0.7 * table["estimate"].to_numpy()
    np.testing.assert_allclose(risks["mean"][["B", "C"]], odds / (1 + odds), rtol=1e-9)
