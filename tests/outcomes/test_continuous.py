from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nma
from nma.network import Network
from nma.problem import Contrasts

PRIOR = nma.priors.Normal(0, 1)
ROWS = pd.DataFrame(
    [
        ("b", "C", 1.0, 2.0, np.nan, 16.0),
        ("b", "A", 4.0, 3.0, np.nan, 36.0),
        ("a", "B", 0.5, np.nan, 0.4, np.nan),
        ("a", "A", 0.0, 1.0, 0.9, 25.0),
        ("a", "C", 0.2, 1.5, np.nan, 9.0),
    ],
    columns=["study", "treatment", "mean", "sd", "se", "n"],
)
MEANS = nma.outcomes.Continuous("mean", sd="sd", se="se", n="n", measure="MD", better="lower")


def network(outcome: nma.outcomes.Continuous = MEANS) -> Network:
    return Network.from_arms(ROWS, study="study", treatment="treatment", outcome=outcome)


def test_differences_and_covariance_are_those_of_the_formula() -> None:
    made = network()
    (source,) = made.sources
    two, three = source.outcome.evidence(source.rows, source.arms, PRIOR)
    assert isinstance(two, Contrasts)
    assert isinstance(three, Contrasts)
    names = made.arms["treatment"].to_numpy()
    assert names[two.arms].tolist() == [["A", "C"]]
    assert names[three.arms].tolist() == [["A", "B", "C"]]
    assert two.y.tolist() == [[-3.0]]
    np.testing.assert_allclose(two.V, [[[2**2 / 16 + 3**2 / 36]]], rtol=1e-15)
    assert three.y.tolist() == [[0.5, 0.2]]
    a, b, c = 1 / 25, 0.4**2, 1.5**2 / 9
    np.testing.assert_allclose(three.V, [[[a + b, a], [a, a + c]]], rtol=1e-15)


def test_sd_and_n_are_read_before_a_rounded_se() -> None:
    notices = network().notices
    assert "Standard errors were read from 'se' in a." in notices


def test_participants_are_n_or_unknown() -> None:
    np.testing.assert_array_equal(network().arms["participants"], [25, np.nan, 9, 36, 16])
    outcome = nma.outcomes.Continuous("mean", se="one", measure="MD", better="lower")
    rows = ROWS.assign(one=1.0)
    made = Network.from_arms(rows, study="study", treatment="treatment", outcome=outcome)
    assert made.arms["participants"].isna().all()
    with pytest.raises(nma.errors.ModelError, match="default priors are sized"):
        _ = made.unit


def test_the_unit_is_the_pooled_sd_of_each_trial_that_tells() -> None:
    outcome = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
    told = outcome.unit(network().sources[0].rows.query("study == 'b'"))
    np.testing.assert_allclose(told, [np.sqrt((15 * 2**2 + 35 * 3**2) / 50)], rtol=1e-15)
