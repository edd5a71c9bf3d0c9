"""Stroke in atrial fibrillation: totals, corrections of the printed table, netmeta's answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import nma
from nma import datasets

FRAME = datasets.load("atrial_fibrillation")


def test_totals() -> None:
    assert (len(FRAME), FRAME["study"].nunique(), FRAME["treatment"].nunique()) == (63, 26, 17)
    assert FRAME[["events", "n"]].sum().tolist() == [1249, 27444]
    assert FRAME["person_years"].sum() == pytest.approx(43527.7)
    assert FRAME["study"].value_counts().value_counts().to_dict() == {2: 17, 3: 7, 4: 2}
    assert (FRAME["study"] != FRAME["study"].shift()).sum() == 26
    assert FRAME["events"].between(0, FRAME["n"]).all()
    notes = " ".join(datasets.describe("atrial_fibrillation").notes)
    for told in ("26 trials", "17 treatments", "63 arms", "1,249", "27,444", "43,527.7"):
        assert told in notes


def test_trials_have_one_value_of_what_describes_them() -> None:
    each = FRAME.groupby("study")[["stroke", "year", "follow_up"]]
    assert each.min().equals(each.max())
    sums = each.first().sum()
    assert sums.tolist() == pytest.approx([6.85, 51956, 49.1])
    assert FRAME["stroke"].between(0, 1).all()
    assert FRAME["year"].between(1989, 2007).all()


def test_classes() -> None:
    """The classes of Cooper et al. 2009: codes 2, 3, 4, 9; 5 to 8, 10 to 12, 16, 17; 13 to 15."""
    each = FRAME.groupby("treatment")["class"]
    assert each.min().equals(each.max())
    sizes = FRAME.groupby("class")["treatment"].nunique()
    assert sizes.to_dict() == {"anti-coagulant": 4, "anti-platelet": 9, "control": 1, "mixed": 3}
    strokes = FRAME.groupby("class")[["events", "n"]].sum().T.to_dict("list")
    assert strokes["anti-platelet"] == [469, 8055]


def test_the_copy_of_gemtc_with_its_corrections() -> None:
    """Strokes and patients by treatment of the R package gemtc, which says what it corrects."""
    table = FRAME.groupby("treatment")[["events", "n"]].sum().T.to_dict("list")
    assert table["standard adjusted dose anti-coagulant"] == [334, 11030]
    assert table["low dose aspirin"] == [122, 1965]
    assert table["medium dose aspirin"] == [167, 1722]
    assert table["fixed dose warfarin + low dose aspirin"] == [32, 334]
    assert table["fixed dose warfarin + medium dose aspirin"] == [59, 692]
    arms = FRAME.groupby("study")["treatment"].apply(list)
    assert arms["SPAF 1"][-1] == "medium dose aspirin"
    both = "fixed dose warfarin + low dose aspirin"
    assert FRAME["study"][FRAME["treatment"] == both].tolist() == ["SAFT"]


def test_the_network_is_cooper_s_but_for_waspo() -> None:
    network = datasets.network("atrial_fibrillation")
    assert (network.measure, network.better) == ("OR", "lower")
    assert (network.notices) == ("No events in any arm of WASPO.",)
    told = FRAME.groupby("study")["events"].sum()
    assert told.index[told == 0].tolist() == ["WASPO"]
    assert {"class", "stroke", "year", "follow_up"} <= set(network.table.columns)


RATE = nma.outcomes.Rate("events", "person_years", better="lower")


def by_rates(frame: pd.DataFrame) -> nma.Network:
    return nma.Network.from_arms(
        frame, study="study", treatment="treatment", outcome=RATE
    ).as_normal()


def waspo() -> nma.Network:
    """Return the contrast that netmeta makes of no strokes in 36 and 39 person-years."""
    arms = FRAME[FRAME["study"] == "WASPO"].set_index("treatment")["person_years"]
    row = {
        "study": "WASPO",
        "treatment": arms.index[0],
        "comparator": arms.index[1],
        "effect": np.log(0.5 / arms.iloc[0]) - np.log(0.5 / arms.iloc[1]),
        "se": np.sqrt(1 / 0.5 + 1 / 0.5),
    }
    return nma.Network.from_contrasts(
        pd.DataFrame([row]),
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=nma.outcomes.Contrast("effect", "se", measure="IRR", better="lower"),
    )


def test_rate_ratios_are_netmetas_with_the_trial_without_strokes() -> None:
    """netmeta 3.3-1 adds 0.5 to WASPO and keeps it: one more degree of freedom."""
    rest = by_rates(FRAME[FRAME["study"] != "WASPO"])
    whole = nma.Network.combine(rest, waspo())
    found = nma.summary(nma.fit(whole, engine=nma.engines.LeastSquares("DL"))).attrs
    assert (found["Q"], found["df"]) == (pytest.approx(24.7198236831317, rel=1e-9), 21)
    assert found["tau"] == pytest.approx(0.158368980297859, rel=1e-9)


def test_restricted_likelihood_is_not_netmetas() -> None:
    """With WASPO as netmeta has it, tau is 0.230219; netmeta says 0.220399.

    Ours is that of dense covariance matrices and SciPy's bounded search as well, and the estimate
    by moments is netmeta's; where its likelihood goes another way was not found.
    """
    rest = by_rates(FRAME[FRAME["study"] != "WASPO"])
    whole = nma.Network.combine(rest, waspo())
    found = nma.summary(nma.fit(whole, engine=nma.engines.LeastSquares("REML"))).attrs
    assert found["tau"] == pytest.approx(0.23021866, abs=1e-7)


def test_rate_ratios_set_the_trial_without_strokes_aside() -> None:
    """Ours have one degree of freedom less, and nearly the same Q."""
    posterior = nma.fit(by_rates(FRAME), engine=nma.engines.LeastSquares("DL"))
    found = nma.summary(posterior).attrs
    assert (found["Q"], found["df"]) == (pytest.approx(24.6584, abs=5e-5), 20)
    assert found["tau"] == pytest.approx(0.1774, abs=5e-5)
    assert any("Set aside" in text and "WASPO" in text for text in posterior.network.notices)
