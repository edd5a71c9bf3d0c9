"""Trials that are planned: read as any table is, without results, and never fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
from nma.errors import DataError, ModelError
from nma.planning import Planned

MD = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
OR = nma.outcomes.Binary("r", "n", measure="OR", better="higher")
IRR = nma.outcomes.Rate("r", "years", better="lower")
ORDERED = nma.outcomes.Ordinal(
    ["some", "much"], "n", counts="inclusive", measure="OR", better="higher"
)
FRAME: dict[str, Any] = {
    "study": ["1", "1", "2", "2"],
    "treatment": ["A", "B", "A", "B"],
    "sd": 20.0,
    "n": 50,
    "years": 40.0,
}
OUTCOMES: dict[str, Any] = {"MD": MD, "OR": OR, "IRR": IRR, "ordinal": ORDERED}
LEVELS = {"MD": 50.0, "OR": 0.3, "IRR": 0.1, "ordinal": 0.4}


def plan(outcome: Any = MD, frame: Any = FRAME, **how: Any) -> nma.Network:
    return nma.planned(frame, study="study", treatment="treatment", outcome=outcome, **how)


@pytest.mark.parametrize("name", OUTCOMES)
def test_planned_trials_have_no_results_until_they_are_simulated(name: str) -> None:
    network = plan(OUTCOMES[name])
    (source,) = network.sources
    for column in OUTCOMES[name].awaited:
        assert source.rows[column].isna().all()
        assert network.arms[column].isna().all()
    truth: dict[str, float] = {"B vs A": -0.4, "tau": 0.1}
    truth |= dict.fromkeys(OUTCOMES[name].nuisance, 0.7)
    with pytest.raises(ModelError, match="No results tell the levels of 1, 2: give reference_lev"):
        nma.simulate(network, truth=truth, seed=1)
    made, _ = nma.simulate(network, truth=truth, seed=1, reference_level=LEVELS[name])
    assert made.sources[0].outcome == OUTCOMES[name]
    assert made.arms[list(OUTCOMES[name].awaited)].notna().all(axis=None)
    assert made.caption.startswith("Simulated: ")
    assert "Planned" not in made.caption
    assert nma.fit(made).network is made


def test_planned_trials_are_never_fitted() -> None:
    for network in (plan(), plan().as_normal(), plan(OR).as_normal()):
        with pytest.raises(ModelError, match=r"These trials are planned and have no results yet"):
            nma.fit(network)


def test_results_that_a_table_has_are_emptied() -> None:
    network = plan(frame={**FRAME, "mean": [1.0, 2.0, 3.0, 4.0]})
    assert network.arms["mean"].isna().all()


def test_trials_of_one_size_are_not_taken_for_one_trial() -> None:
    assert not [text for text in plan().notices if "one trial" in text]


def test_every_fault_of_a_plan_is_found_at_once() -> None:
    frame = {**FRAME, "sd": [20.0, -1.0, None, 20.0], "n": [50, 1, 50, 50]}
    with pytest.raises(DataError) as caught:
        plan(frame=frame)
    assert {(issue.code, issue.column) for issue in caught.value.issues} == {
        ("not-positive", "sd"),
        ("too-few", "n"),
        ("missing", "sd"),
    }
    with pytest.raises(DataError, match="'n'"):
        plan(OR, {name: FRAME[name] for name in ("study", "treatment")})


def test_a_plan_is_the_users_own_table_afterwards() -> None:
    frame = pd.DataFrame(FRAME)
    before = frame.copy()
    plan(frame=frame)
    pd.testing.assert_frame_equal(frame, before)


def test_limits_cannot_be_planned_and_standard_errors_can() -> None:
    frame = {"study": ["1"], "treatment": ["B"], "comparator": ["A"], "se": [0.2]}
    names = {"study": "study", "treatment": "treatment", "comparator": "comparator"}
    limits = nma.outcomes.Contrast("hr", lower="lo", upper="up", measure="HR", better="lower")
    with pytest.raises(ModelError, match="Confidence limits are results"):
        nma.planned(frame, **names, outcome=limits)
    network = nma.planned(
        frame, **names, outcome=nma.outcomes.Contrast("y", "se", measure="HR", better="lower")
    )
    made, truth = nma.simulate(network, truth={"B vs A": -0.3, "tau": 0.0}, seed=1)
    assert np.isfinite(made.sources[0].rows["y"]).all()
    assert truth.trial_levels == {}


def test_what_is_no_outcome_is_refused() -> None:
    with pytest.raises(DataError, match="is not an outcome"):
        plan("mean")
    with pytest.raises(DataError, match="is not an outcome"):
        plan(nma.outcomes.Binary)


def test_risk_differences_leave_their_priors_to_the_user() -> None:
    """Nothing tells the unit before results; a stated truth needs no priors."""
    network = plan(nma.outcomes.Binary("r", "n", measure="RD", better="higher"))
    with pytest.raises(ModelError, match="no trial tells it"):
        nma.simulate(network, truth="prior", seed=1, reference_level=0.3)
    truth = {"B vs A": 0.1, "tau": 0.0}
    made, _ = nma.simulate(network, truth=truth, seed=1, reference_level=0.3)
    assert nma.fit(made).network is made


def test_a_plan_is_a_value_that_survives_a_pickle() -> None:
    import pickle

    (source,) = plan().sources
    copy = pickle.loads(pickle.dumps(source.outcome))  # noqa: S301  our own value
    assert isinstance(copy, Planned)
    assert copy == source.outcome
    assert copy.measure == "MD"


def test_the_reference_leads_to_the_stated_level_whichever_it_is() -> None:
    network = plan(OR, reference="B")
    model = nma.Model(heterogeneity=nma.heterogeneity.Common())
    levels = {"1": 0.3, "2": 0.6}
    truth = nma.simulate(network, model, truth={"B vs A": 0.7}, seed=1, reference_level=levels)[1]
    found = truth.arms.set_index(["treatment", "study"])["level"]
    logit = {study: np.log(risk / (1 - risk)) for study, risk in levels.items()}
    assert found["B"].to_dict() == pytest.approx(logit)
    assert found["A"].to_dict() == pytest.approx({s: x - 0.7 for s, x in logit.items()})


def test_a_larger_trial_gives_a_narrower_interval() -> None:
    """Widths of 95% intervals of a single two-arm comparison: 2 x 1.96 root(2 sd^2 / n)."""
    widths = []
    for n in (50, 200):
        network = plan(frame={**FRAME, "n": n})
        model = nma.Model(heterogeneity=nma.heterogeneity.Common())
        made, _ = nma.simulate(network, model, truth={"B vs A": -5}, seed=1, reference_level=50)
        row = nma.effect_table(nma.fit(made, model)).iloc[0]
        widths.append(row["upper"] - row["lower"])
    expected = 2 * 1.96 * np.sqrt(2 * 20**2 / (2 * np.array([50, 200])))
    np.testing.assert_allclose(widths, expected, rtol=0.15)
