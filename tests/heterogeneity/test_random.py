from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nma
import oracle
import strategies
from nma.errors import ModelError
from nma.heterogeneity import Random
from nma.model import problem
from nma.priors import HalfNormal, Normal


def test_contrasts_of_a_trial_vary_by_tau_squared_with_correlation_one_half() -> None:
    frame = pd.DataFrame({"study": "s", "treatment": list("ABCD"), "mean": 0.0, "sd": 1.0, "n": 9})
    network = strategies.arms_network(frame)
    model = nma.Model(nma.structures.Consistency(Normal(0, 1)), Random(HalfNormal(1)))
    _, _, _, added = oracle.stacked(problem(model, network))
    np.testing.assert_allclose(added["tau"], 0.5 * (np.eye(3) + np.ones((3, 3))), atol=1e-15)


def test_the_default_is_half_a_unit() -> None:
    network = nma.datasets.network("parkinson")
    tau = Random().resolve(network).tau
    assert tau == HalfNormal(network.unit[0] / 2)
    assert tau is not None
    assert tau.origin.startswith("default: half a unit")


@pytest.mark.parametrize(("measure", "scale"), [("OR", 1.0), ("HR", 1.0), ("SMD", 0.5)])
def test_the_default_for_log_ratios_and_smds(measure: str, scale: float) -> None:
    frame = pd.DataFrame({"s": ["1", "2"], "t": "B", "c": "A", "y": [0.1, 0.4], "se": 0.2})
    outcome = nma.outcomes.Contrast("y", "se", measure=measure, better="higher")
    network = nma.Network.from_contrasts(
        frame, study="s", treatment="t", comparator="c", outcome=outcome
    )
    assert Random().resolve(network).tau == HalfNormal(scale)


def test_a_default_that_cannot_be_sized_is_refused_with_the_remedy() -> None:
    frame = pd.DataFrame({"s": ["1", "2"], "t": "B", "c": "A", "y": [0.1, 0.4], "se": 0.2})
    outcome = nma.outcomes.Contrast("y", "se", measure="MD", better="lower")
    network = nma.Network.from_contrasts(
        frame, study="s", treatment="t", comparator="c", outcome=outcome
    )
    with pytest.raises(ModelError, match=r"Name the participants \(`n=`\) or give `scale=`"):
        nma.fit(network)
    scaled = nma.outcomes.Contrast("y", "se", measure="MD", better="lower", scale=2.0)
    told = nma.Network.from_contrasts(
        frame, study="s", treatment="t", comparator="c", outcome=scaled
    )
    assert nma.fit(told).model.heterogeneity == Random(HalfNormal(1.0))
