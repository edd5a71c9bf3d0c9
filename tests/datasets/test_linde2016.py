"""Depression in primary care: totals, and an earlier print of the drug trials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nma import datasets

if TYPE_CHECKING:
    import pandas as pd

FRAME = datasets.load("linde2016")
DRUGS = ["Hypericum", "Low-dose SARI", "NRI", "NaSSa", "Placebo", "SNRI", "SSRI", "TCA", "rMAO-A"]
LATER = ["Boyer Teil 2 1996", "Thase 2011"]
"""Trials whose responders Linde et al. 2015 do not have."""


def drug_trials() -> pd.DataFrame:
    """Return the arms on drugs and placebo of trials that compare two or more of them."""
    drugs = FRAME[FRAME["treatment"].isin(DRUGS) & ~FRAME["study"].isin(LATER)]
    return drugs[drugs.groupby("study")["treatment"].transform("size") > 1]


def test_totals() -> None:
    assert list(FRAME.columns) == ["study", "treatment", "events", "n"]
    assert (len(FRAME), FRAME["study"].nunique(), FRAME["treatment"].nunique()) == (201, 93, 22)
    assert FRAME[["events", "n"]].sum().tolist() == [9627, 20580]
    notes = " ".join(datasets.describe("linde2016").notes)
    for told in ("93 trials", "22 treatments", "201 arms", "9,627", "20,580"):
        assert told in notes


def test_arms_of_trials_stand_together_and_no_cell_is_empty() -> None:
    """79 trials have two arms, 13 three and one four, as metadat says."""
    assert (FRAME["study"] != FRAME["study"].shift()).sum() == 93
    assert FRAME["study"].value_counts().value_counts().to_dict() == {2: 79, 3: 13, 4: 1}
    assert ((FRAME["events"] > 0) & (FRAME["events"] < FRAME["n"])).all()
    assert not FRAME.duplicated(["study", "treatment"]).any()


def test_each_combination_is_in_one_trial_with_a_part_of_it() -> None:
    rows = FRAME[FRAME["treatment"].str.contains(" + ", regex=False)].set_index("treatment")
    assert rows["study"].to_dict() == {
        "Face-to-face CBT + SSRI": "Naeem 2010",
        "Face-to-face interpsy + SSRI": "Browne 2002",
        "Face-to-face PST + SSRI": "Mynor-Wallis 2000",
    }
    for study in rows["study"]:
        assert "SSRI" in FRAME["treatment"][FRAME["study"] == study].tolist()


def test_the_drug_trials_have_the_participants_of_linde_2015() -> None:
    """Annals of Family Medicine 13:69-79: 59 trials with responders, participants by treatment."""
    arms = drug_trials()
    assert (arms["study"].nunique(), len(arms)) == (59, 125)
    assert arms.groupby("treatment")["n"].sum().to_dict() == {
        "Hypericum": 1053,
        "Low-dose SARI": 350,
        "NRI": 303,
        "NaSSa": 476,
        "Placebo": 1583,
        "SNRI": 622,
        "SSRI": 4562,
        "TCA": 3387,
        "rMAO-A": 345,
    }


def test_where_responders_differ_from_linde_2015() -> None:
    """Its responders by treatment, and the eight arms in which it has fewer."""
    fewer = {
        ("Simon 1996", "TCA"): 59,
        ("Simon 1996", "SSRI"): 37,
        ("Malt 1999", "SSRI"): 66,
        ("Malt 1999", "NaSSa"): 60,
        ("Malt 1999", "Placebo"): 59,
        ("Wade 2003", "SSRI"): 35,
        ("Wade 2003", "NaSSa"): 43,
        ("Trick 2004", "SNRI"): 19,
    }
    earlier = drug_trials().set_index(["study", "treatment"])["events"]
    for arm, responders in fewer.items():
        assert responders < earlier[arm]
        earlier[arm] = responders
    assert earlier.groupby("treatment").sum().to_dict() == {
        "Hypericum": 599,
        "Low-dose SARI": 192,
        "NRI": 107,
        "NaSSa": 229,
        "Placebo": 628,
        "SNRI": 403,
        "SSRI": 2447,
        "TCA": 1724,
        "rMAO-A": 173,
    }
