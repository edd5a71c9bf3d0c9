"""Arms that name their instrument: directions, ranges, and what is refused or said."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
from nma.errors import DataError, DataWarning
from nma.instruments import Instrument
from nma.network import Network
from nma.outcomes import Continuous

FUNCTION = Continuous(
    "mean", sd="sd", se="se", n="n", measure="SMD", better="lower", instrument="scale"
)
POINTS = dataclasses.replace(FUNCTION, measure="MD")
FRAME = pd.DataFrame(
    [
        ("Ames", "usual", "RMDQ", 12.0, 5.0, 40.0),
        ("Ames", "CBT", "RMDQ", 10.0, 6.0, 38.0),
        ("Boyd", "usual", "PSFS", 4.0, 2.0, 60.0),
        ("Boyd", "CBT", "PSFS", 5.0, 2.2, 55.0),
    ],
    columns=["study", "treatment", "scale", "mean", "sd", "n"],
).assign(se=np.nan)


def network(frame: pd.DataFrame = FRAME, outcome: Continuous = FUNCTION, **more: Any) -> Network:
    return Network.from_arms(frame, study="study", treatment="treatment", outcome=outcome, **more)


def contrasts(made: Network) -> dict[str, float]:
    """CBT minus usual care, by trial."""
    (source,) = made.sources
    found = {}
    for part in source.outcome.evidence(source.rows, source.arms, nma.priors.Normal(0, 1)):
        for arms, y in zip(part.arms, part.y, strict=True):  # type: ignore[union-attr]
            base = made.arms["treatment"][arms[0]]
            found[made.arms["study"][arms[0]]] = float(y[0]) * (1 if base == "usual" else -1)
    return found


def test_an_instrument_of_the_other_direction_is_reversed_and_said_so() -> None:
    made = network()
    blind = network(outcome=dataclasses.replace(FUNCTION, instrument=None))
    found, plain = contrasts(made), contrasts(blind)
    assert found["Ames"] == plain["Ames"] < 0
    assert found["Boyd"] == -plain["Boyd"] < 0
    assert (
        "Means on PSFS (0 to 10, higher is better) were reversed in sign, because lower is better "
        "in the outcome: Boyd." in made.notices
    )
    assert not any("reversed" in notice for notice in blind.notices)


def test_the_direction_of_the_outcome_reverses_the_others() -> None:
    higher = contrasts(network(outcome=dataclasses.replace(FUNCTION, better="higher")))
    assert {study: -y for study, y in contrasts(network()).items()} == higher


def test_mean_differences_are_reversed_too() -> None:
    pain = FRAME.assign(scale=["NRS", "NRS", "PSFS", "PSFS"], mean=[5.0, 4.0, 4.0, 5.0])
    made = network(pain, POINTS)
    assert contrasts(made) == {"Ames": -1.0, "Boyd": -1.0}
    assert (
        "MD: a point of NRS and PSFS counts as the same, because they share their range."
        in made.notices
    )


def test_a_users_own_instrument_goes_before_the_librarys() -> None:
    own = Instrument("PSFS", 0, 30, "higher")
    outcome = dataclasses.replace(FUNCTION, instruments={"PSFS": own})
    made = network(FRAME.assign(mean=[12.0, 10.0, 24.0, 25.0]), outcome)
    assert any("PSFS (0 to 30" in notice for notice in made.notices)


def test_two_names_of_one_instrument_are_one() -> None:
    frame = FRAME.assign(scale=["Roland", "RMDQ", "RMDQ", "RMDQ"])
    outcome = dataclasses.replace(POINTS, instruments={"Roland": nma.instruments.RMDQ})
    (source,) = network(frame, outcome).sources
    (only,) = source.outcome.reference_sds(source.rows)
    assert only.origin == "pooled over the arms of 2 trials (SDs at follow-up)"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mean": [-2.0, -4.0, 4.0, 5.0]}, "Ames"),
        ({"sd": [12.5, 6.0, 2.0, 2.2]}, "Ames"),
        ({"mean": [12.0, 10.0, 4.0, -0.5]}, "Boyd"),
    ],
)
def test_what_cannot_be_a_final_score_is_read_as_a_change_and_said_so(
    changes: dict[str, list[float]], said: str
) -> None:
    (notice,) = (n for n in network(FRAME.assign(**changes)).notices if "final minus" in n)
    assert notice.endswith(f"changes, final minus baseline: {said}.")


def test_a_score_may_exceed_the_width_of_a_range_that_does_not_begin_at_zero() -> None:
    own = {"T": Instrument("T", 20, 80, "lower")}
    frame = FRAME.assign(scale="T", mean=[75.0, 70.0, 61.0, 65.0])
    made = network(frame, dataclasses.replace(FUNCTION, instruments=own))
    assert not any("final minus" in notice for notice in made.notices)


def test_changes_mixed_with_final_scores_are_warned_of_where_trials_have_their_own_sds() -> None:
    def warned(frame: pd.DataFrame, outcome: Continuous = FUNCTION) -> bool:
        return any("should not mix" in notice for notice in network(frame, outcome).notices)

    some = FRAME.assign(mean=[-2.0, -4.0, 4.0, 5.0])
    assert warned(some)
    assert not warned(FRAME)
    assert not warned(some.assign(mean=[-2.0, -4.0, -0.5, 0.8]))
    stated = {"RMDQ": 5.0, "PSFS": 2.0}
    assert not warned(some, dataclasses.replace(FUNCTION, reference_sd=stated))
    (warning,) = (notice for notice in network(some).notices if "should not mix" in notice)
    assert warning.endswith("reference_sd={'PSFS': ..., 'RMDQ': ...}.")


def three(**changes: Any) -> pd.DataFrame:
    """Three trials on the RMDQ: Ames, Boyd and Cole."""
    frame = pd.concat([FRAME.iloc[:2].assign(study=study) for study in ("Ames", "Boyd", "Cole")])
    return frame.reset_index(drop=True).assign(**changes)


def test_the_other_means_are_said_to_be_taken_as_they_are() -> None:
    (notice,) = (n for n in network(three(mean=[-2, -4, 9, 8, 9, 8])).notices if "read as" in n)
    assert "changes, final minus baseline: Ames. All other means on RMDQ are taken as" in notice
    assert notice.endswith("final scores, or final minus baseline; reverse improvements by hand.")


def test_sds_of_changes_are_left_out_of_a_pooled_sd() -> None:
    pooled = dataclasses.replace(FUNCTION, reference_sd="pooled")
    frame = three(mean=[-2, -4, 9, 8, 9, 8], sd=[2, 2, 5, 6, 4, 5])
    made = network(frame, pooled)
    (source,) = made.sources
    (only,) = source.outcome.reference_sds(source.rows)
    squares = 39 * 5**2 + 37 * 6**2 + 39 * 4**2 + 37 * 5**2
    assert only.value == pytest.approx(np.sqrt(squares / (2 * 76)), rel=1e-14)
    assert only.origin == (
        "pooled over the arms of 2 trials (SDs at follow-up); Ames reports changes and is left out"
    )
    assert str(only) in made.notices
    (own,) = network(frame).sources
    assert own.outcome.reference_sds(own.rows) == (only,)
    (source,) = network(three(mean=[-2, -4, -2, -1, 9, 8]), pooled).sources
    (two,) = source.outcome.reference_sds(source.rows)
    assert two.origin.endswith(
        "1 trial (SDs at follow-up); Ames, Boyd report changes and are left out"
    )


def doubted(made: Network) -> list[str]:
    return [n for n in made.notices if "standard error" in n]


@pytest.mark.parametrize("outcome", [FUNCTION, POINTS], ids=["SMD", "MD"])
def test_sds_far_apart_on_one_instrument_are_noticed(outcome: Continuous) -> None:
    apart = three(sd=[5, 5, 1.6, 1.6, 4, 4])
    (notice,) = doubted(network(apart, outcome))
    assert notice == (
        "RMDQ: SDs run from 1.6 (Boyd) to 5 (Ames): is one in other units, or a standard error?"
    )
    assert doubted(network(apart.assign(sd=[5, 5, 1.7, 1.7, 4, 4]), outcome)) == []


def test_sds_are_compared_where_points_are_the_same() -> None:
    apart = three(sd=[5, 5, 1.6, 1.6, 4, 4])
    (notice,) = doubted(network(apart, dataclasses.replace(POINTS, instrument=None)))
    assert notice.startswith("SDs run from 1.6 (Boyd) to 5 (Ames):")
    assert doubted(network(apart, dataclasses.replace(FUNCTION, instrument=None))) == []
    assert doubted(network(FRAME)) == []


def test_an_effect_that_is_rarely_real_is_noticed() -> None:
    frame = three(mean=[12, 8, 12, 10, 12, 10], sd=[0.6, 0.7, 1, 1, 1, 1])
    for outcome in (FUNCTION, POINTS, dataclasses.replace(FUNCTION, instrument=None)):
        (notice,) = doubted(network(frame, outcome))
        assert notice == (
            "Ames: an effect of 6.1 standard deviations is rarely real: was a standard error "
            "read as an SD?"
        )
    (notice,) = doubted(network(frame.assign(mean=[12, 8, 12, 8, 12, 10])))
    assert notice.startswith("Ames (6.1), Boyd (4): effects of more than 3 standard deviations")


def test_shipped_datasets_raise_no_doubt() -> None:
    parkinson = Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
    assert doubted(network(nma.datasets.load("parkinson"), parkinson)) == []
    outcome = dataclasses.replace(FUNCTION, se=None, instrument="instrument")
    assert doubted(network(nma.datasets.load("back_pain_simulated"), outcome)) == []


def test_standardising_without_an_instrument_says_which_direction_is_assumed() -> None:
    said = "No instrument is named: all means are taken to be on scales where {} is better."
    for better in ("lower", "higher"):
        outcome = dataclasses.replace(FUNCTION, instrument=None, better=better)
        assert said.format(better) in network(outcome=outcome).notices
    for outcome in (FUNCTION, dataclasses.replace(POINTS, instrument=None)):
        assert not any("No instrument" in notice for notice in network(outcome=outcome).notices)


def test_an_alias_in_a_cell_is_read_and_said_so() -> None:
    frame = FRAME.assign(scale=["Roland-Morris", "Roland-Morris", "PSFS", "PSFS"])
    made = network(frame)
    assert contrasts(made) == contrasts(network())
    assert (
        "'Roland-Morris' was read as RMDQ (0 to 24, lower is better): a name of the same "
        "instrument." in made.notices
    )
    assert not any("was read as" in notice for notice in network().notices)
    stated = dataclasses.replace(FUNCTION, reference_sd={"RDQ": 5.0, "PSFS": 2.0})
    (source,) = network(frame, stated).sources
    assert [r.value for r in source.outcome.reference_sds(source.rows)] == [2.0, 5.0]


def test_names_are_trimmed_and_travel_with_the_arms() -> None:
    with pytest.warns(DataWarning, match="'RMDQ ' was read as 'RMDQ'"):
        made = network(FRAME.assign(scale=["RMDQ ", "RMDQ ", "PSFS", "PSFS"]))
    assert made.arms["scale"].tolist() == ["RMDQ", "RMDQ", "PSFS", "PSFS"]


def test_an_outcome_without_an_instrument_column_tells_no_reference_sd() -> None:
    (source,) = network(outcome=dataclasses.replace(FUNCTION, instrument=None)).sources
    assert source.outcome.reference_sds(source.rows) == ()


def test_braces_in_a_name_do_no_harm() -> None:
    own = {"{x}": Instrument("{x}", 0, 1, "lower")}
    with pytest.raises(DataError, match=r"5 is neither a mean score.*on \{x\} \(0 to 1"):
        network(
            FRAME.iloc[:2].assign(scale="{x}", mean=[5.0, 0.1], sd=0.2),
            dataclasses.replace(FUNCTION, instruments=own),
        )
