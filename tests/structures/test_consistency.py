from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nma
import strategies
from nma.errors import DataError, ModelError
from nma.network import Network
from nma.priors import HalfNormal, Normal
from nma.structures import Consistency


def test_every_contrast_has_the_same_prior_sd() -> None:
    network = nma.datasets.network("senn2013")
    structure = Consistency(Normal(0, 7))
    K = structure.parameters(network).covariance
    z = structure.levels(network, pd.DataFrame({"treatment": list(network.treatments)}))
    for j in range(10):
        for k in range(10):
            contrast = z[j] - z[k]
            assert contrast @ K @ contrast == pytest.approx(49.0 * (j != k))


@pytest.mark.parametrize("prior", [Normal(1, 10), HalfNormal(3)])
def test_a_prior_that_favours_one_side_is_refused(prior: object) -> None:
    with pytest.raises(ModelError, match="d_AB = -d_BA needs a normal prior with mean zero"):
        Consistency(prior)  # type: ignore[arg-type]


def test_the_default_prior_is_ten_units_and_says_so() -> None:
    network = nma.datasets.network("parkinson")
    unit, words = network.unit
    prior = Consistency().resolve(network).effect
    assert prior == Normal(0, 10 * unit)
    assert prior is not None
    assert prior.origin == f"default: 10 units, {words}"


def test_resolving_twice_changes_nothing() -> None:
    network = nma.datasets.network("parkinson")
    once = Consistency().resolve(network)
    assert once.resolve(nma.datasets.network("senn2013")) == once


def pieces() -> Network:
    frame = pd.DataFrame(
        {
            "study": ["s1", "s1", "s2", "s2", "s3", "s3"],
            "treatment": ["A", "B", "C", "D", "B", "E"],
            "mean": [0.0, 1.0, 0.5, 0.2, 0.1, 0.3],
            "sd": 1.0,
            "n": 20,
        }
    )
    return strategies.arms_network(frame)


def test_a_disconnected_network_is_refused_with_its_parts() -> None:
    with pytest.raises(DataError) as refused:
        nma.fit(pieces())
    (issue,) = refused.value.issues
    assert issue.code == "disconnected"
    assert "falls into 2 parts" in issue.problem
    assert "(1) A, B, E: s1, s3" in issue.problem
    assert "(2) C, D: s2" in issue.problem
    assert "add a trial that joins them" in issue.remedy


def test_a_treatment_outside_the_network_has_no_level() -> None:
    network = nma.datasets.network("parkinson")
    with pytest.raises(ModelError, match=r"'placeb' is unknown\. Did you mean 'placebo'\?"):
        Consistency().levels(network, pd.DataFrame({"treatment": ["placeb"]}))


def test_levels_are_one_hot_without_the_first() -> None:
    network = nma.datasets.network("back_pain")
    z = Consistency().levels(network, pd.DataFrame({"treatment": list(network.treatments)}))
    np.testing.assert_array_equal(z, np.eye(4)[:, 1:])
