from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import nma
from nma.network import Network
from nma.problem import Contrasts

PRIOR = nma.priors.Normal(0, 1)
ROWS = pd.DataFrame(
    [
        ("b", "B", "A", -1.0, 0.5, 20.0, 30.0),
        ("a", "C", "A", 0.4, 0.2, 50.0, np.nan),
        ("c", "B", "C", 0.1, 0.3, 25.0, 25.0),
    ],
    columns=["study", "treatment", "comparator", "md", "se", "n1", "n2"],
)
PAIN = nma.outcomes.Contrast("md", "se", measure="MD", better="lower", n=("n1", "n2"))


def network(outcome: nma.outcomes.Contrast = PAIN, rows: pd.DataFrame = ROWS) -> Network:
    return Network.from_contrasts(
        rows, study="study", treatment="treatment", comparator="comparator", outcome=outcome
    )


def test_effects_are_treatment_minus_comparator() -> None:
    made = network()
    (source,) = made.sources
    (part,) = source.outcome.evidence(source.rows, source.arms, PRIOR)
    assert isinstance(part, Contrasts)
    names = made.arms["treatment"].to_numpy()[part.arms]
    assert names.tolist() == [["A", "C"], ["A", "B"], ["C", "B"]]
    assert part.y.tolist() == [[0.4], [-1.0], [0.1]]
    np.testing.assert_allclose(part.V[:, 0, 0], [0.04, 0.25, 0.09], rtol=1e-15)


def test_participants_come_from_rows_and_may_be_missing_on_one_side() -> None:
    arms = network().arms.set_index(["study", "treatment"])["participants"]
    assert arms["b", "B"] == 20.0
    assert arms["b", "A"] == 30.0
    assert arms["a", "C"] == 50.0
    assert np.isnan(arms["a", "A"])
    without = network(replace(PAIN, n=None)).arms["participants"]
    assert without.isna().all()


def test_rows_that_count_an_arm_differently_are_told() -> None:
    rows = pd.DataFrame(
        [
            ("a", "B", "A", -1.0, 0.5, 20, 30),
            ("a", "C", "A", -1.2, 0.5, 22, 31),
            ("a", "C", "B", -0.2, 0.5, 22, 20),
        ],
        columns=ROWS.columns,
    )
    made = network(rows=rows)
    assert "a: its rows give A 30 to 31 participants; the fewest were counted." in made.notices
    assert made.arms["participants"].tolist() == [30.0, 20.0, 22.0]
    assert not any("fewest" in notice for notice in network().notices)


def test_the_unit_is_the_median_within_arm_sd_of_trials_that_tell() -> None:
    told = PAIN.unit(network().sources[0].rows)
    np.testing.assert_allclose(told, [0.5 / np.sqrt(1 / 20 + 1 / 30), 0.3 / np.sqrt(2 / 25)])
    unit, words = network().unit
    assert unit == pytest.approx(np.median(told), rel=1e-15)
    assert "median within-arm SD of 2 trials" in words


def test_the_unit_is_one_for_log_ratios_and_smds_and_as_said_by_scale() -> None:
    for measure in ("OR", "RR", "HR", "IRR", "ROM", "SMD"):
        assert network(replace(PAIN, measure=measure)).unit == (1.0, "unit = 1")
    assert network(replace(PAIN, scale=2.5)).unit == (2.5, "unit = 2.5 as stated")


def test_a_unit_nobody_tells_is_refused_when_it_is_needed() -> None:
    made = network(replace(PAIN, n=None))
    with pytest.raises(nma.errors.ModelError, match="give `scale=` in the outcome"):
        _ = made.unit


def test_ratios_are_known_by_their_names() -> None:
    assert [replace(PAIN, measure=m).ratio for m in ("OR", "RR", "HR", "IRR", "ROM")] == [True] * 5
    assert [replace(PAIN, measure=m).ratio for m in ("MD", "SMD", "RD", "points")] == [False] * 4


def test_the_stated_covariance_is_the_outcomes_own() -> None:
    matrix = np.array([[0.25, 0.1], [0.1, 0.25]])
    stated = {"a": matrix}
    outcome = replace(PAIN, covariance=stated)
    matrix[0, 0] = 99.0
    stated["b"] = matrix
    assert outcome.covariance is not None
    assert list(outcome.covariance) == ["a"]
    assert outcome.covariance["a"].tolist() == [[0.25, 0.1], [0.1, 0.25]]
    again = pickle.loads(pickle.dumps(outcome))  # noqa: S301  our own pickle
    assert again.covariance["a"].tolist() == outcome.covariance["a"].tolist()


def test_two_columns_may_come_as_a_list() -> None:
    assert replace(PAIN, n=["n1", "n2"]) == PAIN  # type: ignore[arg-type]
