from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

import nma
from nma import instruments
from nma.errors import ModelError
from nma.instruments import Instrument
from nma.network import Network
from nma.outcomes import Continuous, Contrast

SMD = Continuous("mean", sd="sd", n="n", measure="SMD", better="lower", instrument="scale")
FRAME = pd.DataFrame(
    [
        ("1", "usual", "RMDQ", 12.0, 5.0, 40),
        ("1", "CBT", "RMDQ", 10.0, 6.0, 38),
        ("2", "usual", "PSFS", 4.0, 2.0, 60),
        ("2", "CBT", "PSFS", 5.0, 2.2, 55),
        ("2", "yoga", "PSFS", 4.8, 2.4, 58),
        ("3", "usual", "RMDQ", 9.0, 4.5, 25),
        ("3", "yoga", "RMDQ", 7.5, 5.5, 27),
    ],
    columns=["study", "treatment", "scale", "mean", "sd", "n"],
)
CONTRASTS = pd.DataFrame(
    {"study": ["4"], "treatment": ["CBT"], "comparator": ["usual"], "g": [-0.4], "se": [0.2]}
)


def from_arms(outcome: Continuous = SMD, frame: pd.DataFrame = FRAME) -> Network:
    return Network.from_arms(
        frame, study="study", treatment="treatment", outcome=outcome, reference="usual"
    )


def from_contrasts(measure: str) -> Network:
    return Network.from_contrasts(
        CONTRASTS,
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=Contrast("g", "se", measure=measure, better="lower", scale=1.0),
        reference="usual",
    )


@pytest.fixture(scope="module")
def posterior() -> nma.Posterior:
    return nma.fit(from_arms())


def test_points_are_the_effects_times_the_reference_sd(posterior: nma.Posterior) -> None:
    effects = nma.effect_table(posterior, comparators=["usual"])
    points = nma.in_points(posterior, instruments.RMDQ, reference_sd=6.0)
    assert points.index.equals(effects.index)
    for column in ("estimate", "lower", "upper", "sd", "mcse"):
        np.testing.assert_array_equal(points[column], 6.0 * effects[column])
    np.testing.assert_array_equal(points["p_better"], effects["p_better"])
    assert "Points of RMDQ (0 to 24, lower is better)" in points.caption
    assert (
        "negative favours the treatment. SMD times 6, the SD of RMDQ, as stated" in points.caption
    )


def test_an_instrument_of_the_other_direction_turns_the_sign(posterior: nma.Posterior) -> None:
    lower = Instrument("PSFS reversed", 0, 10, "lower")
    mirrored = nma.in_points(posterior, lower, reference_sd=2.0, comparators=["CBT"])
    points = nma.in_points(posterior, instruments.PSFS, reference_sd=2.0, comparators=["CBT"])
    np.testing.assert_array_equal(points["estimate"], -mirrored["estimate"])
    np.testing.assert_array_equal(points["lower"], -mirrored["upper"])
    np.testing.assert_array_equal(points["upper"], -mirrored["lower"])
    np.testing.assert_array_equal(points["sd"], mirrored["sd"])
    np.testing.assert_array_equal(points["p_better"], mirrored["p_better"])
    assert "positive favours the treatment" in points.caption
    assert "Signs are turned: lower is better in the outcome." in points.notes
    assert not any("turned" in note for note in mirrored.notes)


def test_the_trials_tell_the_reference_sd(posterior: nma.Posterior) -> None:
    points = nma.in_points(posterior, instruments.RMDQ)
    squares = 39 * 5.0**2 + 37 * 6.0**2 + 24 * 4.5**2 + 26 * 5.5**2
    effects = nma.effect_table(posterior, comparators=["usual"])
    np.testing.assert_allclose(
        points["estimate"], effects["estimate"] * np.sqrt(squares / 126), rtol=1e-14
    )
    assert "the SD of RMDQ, pooled over the arms of 2 trials" in points.caption


def test_points_undo_the_division_of_the_analysis() -> None:
    """One instrument, standardised by any R and turned back by it: the mean differences."""
    outcome = dataclasses.replace(SMD, reference_sd={"RMDQ": 7.0})
    frame = FRAME[FRAME["scale"] == "RMDQ"]
    model = nma.Model(
        nma.structures.Consistency(nma.priors.Normal(0, 1e4)), nma.heterogeneity.Common()
    )
    plain = nma.fit(from_arms(dataclasses.replace(SMD, measure="MD"), frame), model)
    points = nma.in_points(nma.fit(from_arms(outcome, frame), model), instruments.RMDQ)
    assert "SMD times 7, the SD of RMDQ, as stated for the analysis" in points.caption
    expected = nma.effect_table(plain, comparators=["usual"])
    np.testing.assert_allclose(points["estimate"], expected["estimate"], rtol=1e-6)
    np.testing.assert_allclose(points["sd"], expected["sd"], rtol=1e-6)


def test_important_differences_come_with_their_kind_and_a_warning(
    posterior: nma.Posterior,
) -> None:
    notes = "\n".join(nma.in_points(posterior, instruments.RMDQ).notes)
    assert "Important difference, between-group: 2.4 points (Hayden 2021" in notes
    assert "Important difference, within-person: 5 points (Ostelo 2008" in notes
    assert "not these differences between groups" in notes
    none = "\n".join(nma.in_points(posterior, instruments.PSFS).notes)
    assert "No important difference of PSFS is on record here." in none
    assert "between groups" not in none


def test_contrasts_need_a_stated_sd() -> None:
    fitted = nma.fit(from_contrasts("SMD"))
    points = nma.in_points(fitted, instruments.NRS, reference_sd=2.5)
    assert points["estimate"].to_numpy() == pytest.approx([-1.0], abs=0.01)
    with pytest.raises(ModelError, match=r"No trial tells the SD of NRS .*: state reference_sd="):
        nma.in_points(fitted, instruments.NRS)


@pytest.mark.parametrize(
    ("measure", "message"),
    [("MD", "in points already: use nma.effect_table"), ("OR", "The measure is OR: only stand")],
)
def test_other_measures_are_refused(measure: str, message: str) -> None:
    fitted = nma.fit(from_contrasts(measure))
    with pytest.raises(ModelError, match=message):
        nma.in_points(fitted, instruments.NRS, reference_sd=2.5)


@pytest.mark.parametrize("sd", [0.0, -1.0, 24.5, float("nan"), float("inf")])
def test_an_impossible_sd_is_refused(posterior: nma.Posterior, sd: float) -> None:
    with pytest.raises(ModelError, match=r"is not a standard deviation of RMDQ \(0 to 24"):
        nma.in_points(posterior, instruments.RMDQ, reference_sd=sd)


def test_an_instrument_no_trial_is_on_is_refused(posterior: nma.Posterior) -> None:
    with pytest.raises(ModelError, match=r"The trials tell those of PSFS .*, RMDQ"):
        nma.in_points(posterior, instruments.ODI)
    another = dataclasses.replace(instruments.RMDQ, upper=23)
    with pytest.raises(ModelError, match=r"SD of RMDQ \(0 to 23"):
        nma.in_points(posterior, another)
    with pytest.raises(ModelError, match="=24 is not an instrument"):
        nma.in_points(posterior, 24)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=r"'RDMQ' is not an instrument.*Did you mean 'RMDQ'"):
        nma.in_points(posterior, "RDMQ")


def test_an_instrument_may_go_by_its_name(posterior: nma.Posterior) -> None:
    for name in ("RMDQ", "Roland-Morris"):
        points = nma.in_points(posterior, name)
        pd.testing.assert_frame_equal(points, nma.in_points(posterior, instruments.RMDQ))
    assert "Points of ODI" in nma.in_points(posterior, "Oswestry", reference_sd=16.0).caption


def test_a_name_is_the_users_own_before_the_librarys() -> None:
    own = Instrument("RMDQ", 0, 23, "lower")
    frame = FRAME[FRAME["scale"] == "RMDQ"]
    outcome = dataclasses.replace(SMD, instruments={"RMDQ": own})
    assert "RMDQ (0 to 23" in nma.in_points(nma.fit(from_arms(outcome, frame)), "RMDQ").caption
    both = Network.combine(
        from_arms(outcome, frame[frame["study"] == "1"]),
        from_arms(SMD, frame[frame["study"] == "3"]),
    )
    with pytest.raises(ModelError, match=r"could be RMDQ \(0 to 23.* or RMDQ \(0 to 24"):
        nma.in_points(nma.fit(both), "RMDQ")


def test_only_the_sd_of_the_asked_instrument_is_told() -> None:
    fitted = nma.fit(from_arms(dataclasses.replace(SMD, reference_sd="pooled")))
    notes = nma.in_points(fitted, "RMDQ").notes
    told = [note for note in notes if note.startswith("Reference SD of")]
    assert [note[:20] for note in told] == ["Reference SD of RMDQ"]
    assert "notices on the data and the fit" in notes[-1]


def test_sds_of_changes_tell_no_points() -> None:
    frame = FRAME.assign(mean=[-2.0, -4.0, 4.0, 5.0, 4.8, -1.5, -1.0])
    with pytest.raises(ModelError, match=r"No trial tells the SD of RMDQ .*SD of changes"):
        nma.in_points(nma.fit(from_arms(frame=frame)), "RMDQ")


def test_two_sds_of_one_instrument_are_not_chosen_between() -> None:
    first, second = (
        from_arms(dataclasses.replace(SMD, reference_sd={"RMDQ": sd}), FRAME[FRAME["study"] == s])
        for sd, s in ((5.0, "1"), (6.0, "3"))
    )
    fitted = nma.fit(Network.combine(first, second))
    with pytest.raises(ModelError, match=r"two SDs of RMDQ .*: state reference_sd="):
        nma.in_points(fitted, instruments.RMDQ)


def test_more_points_than_there_are_is_warned_of(posterior: nma.Posterior) -> None:
    assert "exceed" not in "\n".join(nma.in_points(posterior, instruments.RMDQ).notes)
    frame = FRAME.assign(scale="wide", mean=[120, 10, 120, 10, 60, 110, 20])
    outcome = dataclasses.replace(SMD, instruments={"wide": Instrument("wide", 0, 200, "lower")})
    far = nma.fit(from_arms(outcome, frame))
    notes = "\n".join(nma.in_points(far, instruments.NRS, reference_sd=3.0).notes)
    assert "Some numbers exceed the 10 points" in notes
