"""The counts of the NICE DSU documents: totals, and what other sources make of the same trials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import nma
from nma import datasets

if TYPE_CHECKING:
    import pandas as pd

NAMES = ("bcg", "diabetes", "dietary_fat", "statins", "transfusion")
EXTRA = {"bcg": "latitude", "diabetes": "time", "statins": "prevention"}
PSORIASIS = datasets.load("psoriasis")
STEPS = ["pasi50", "pasi75", "pasi90"]


def sums(frame: pd.DataFrame, by: str, columns: list[str]) -> dict[str, list[float]]:
    table = frame.groupby(by)[columns].sum()
    return {str(name): row.tolist() for name, row in table.iterrows()}


def least_squares(
    name: str, tau: str, *, repeated_arms: Any = "refuse", **outcome: Any
) -> nma.Posterior:
    """Return a dataset read as normal contrasts, by the outcome of its toml or another one."""
    frame = datasets.load(name)
    made = outcome.pop("kind")(**outcome, better="lower")
    network = nma.Network.from_arms(
        frame, study="study", treatment="treatment", outcome=made, repeated_arms=repeated_arms
    )
    return nma.fit(network.as_normal(), engine=nma.engines.LeastSquares(tau))


@pytest.mark.parametrize(
    ("name", "arms", "trials", "treatments", "events", "participants", "three", "zero"),
    [
        ("bcg", 26, 13, 2, 2575, 357347, 0, 0),
        ("diabetes", 48, 22, 6, 10962, 154176, 4, 0),
        ("dietary_fat", 21, 10, 2, 1391, 13699, 1, 0),
        ("statins", 38, 19, 2, 2086, 40470, 0, 3),
        ("transfusion", 12, 6, 2, 77, 237, 0, 1),
    ],
)
def test_totals(
    name: str,
    arms: int,
    trials: int,
    treatments: int,
    events: int,
    participants: int,
    three: int,
    zero: int,
) -> None:
    frame = datasets.load(name)
    assert (frame["study"].nunique(), frame["treatment"].nunique()) == (trials, treatments)
    assert (len(frame), frame["events"].sum(), frame["n"].sum()) == (arms, events, participants)
    assert frame["events"].between(0, frame["n"]).all()
    sizes = frame["study"].value_counts()
    assert sizes.between(2, 3).all()
    assert (sizes == 3).sum() == three
    assert (frame["events"] == 0).sum() == zero
    whole = f"{trials} trials"
    notes = " ".join(datasets.describe(name).notes)
    assert all(told in notes for told in (whole, f"{arms} arms", f"{events:,}"))
    assert f"{participants:,}" in notes


@pytest.mark.parametrize("name", NAMES)
def test_columns_and_order(name: str) -> None:
    """The arms of a trial stand together."""
    frame = datasets.load(name)
    expected = ["study", "treatment", "events", "n"]
    if name == "dietary_fat":
        expected.insert(3, "person_years")
    if name in EXTRA:
        expected.append(EXTRA[name])
    assert list(frame.columns) == expected
    assert (frame["study"] != frame["study"].shift()).sum() == frame["study"].nunique()


@pytest.mark.parametrize(
    ("name", "trials", "treatments", "measure", "reference"),
    [
        ("bcg", 13, 2, "OR", "unvaccinated"),
        ("diabetes", 22, 6, "HR", "diuretic"),
        ("dietary_fat", 10, 2, "IRR", "control"),
        ("statins", 19, 2, "OR", "placebo"),
        ("transfusion", 6, 2, "OR", "control"),
    ],
)
def test_networks(name: str, trials: int, treatments: int, measure: str, reference: str) -> None:
    network = datasets.network(name)
    assert (len(network.trials), len(network.treatments)) == (trials, treatments)
    assert (network.measure, network.reference, network.better) == (measure, reference, "lower")
    if name in EXTRA:
        assert EXTRA[name] in network.table.columns


def test_diabetes_adds_up_to_the_corrected_paper() -> None:
    """Elliott and Meyer 2007, correction of the summary (Lancet 369:1518): cases and people.

    Two sums differ: it prints 998 cases on diuretics and 24,767 people on placebo.
    """
    frame = datasets.load("diabetes")
    assert sums(frame, "treatment", ["events", "n"]) == {
        "ARB": [1189, 14185],
        "ACE inhibitor": [1618, 23351],
        "CCB": [2791, 38809],
        "placebo": [1686, 22982],
        "beta blocker": [2705, 36150],
        "diuretic": [973, 18699],
    }
    groups = {"ARB": 5, "ACE inhibitor": 8, "CCB": 9, "placebo": 9, "beta blocker": 9}
    assert frame["treatment"].value_counts().to_dict() == {**groups, "diuretic": 8}


def test_diabetes_trials_have_one_time_each() -> None:
    """Years of follow-up, from 1 (ALPINE) to 6.1 (CAPPP); Elliott and Meyer 2007, TSD 2."""
    frame = datasets.load("diabetes")
    times = frame.groupby("study")["time"].agg(["nunique", "first"])
    assert (times["nunique"] == 1).all()
    assert (times["first"].idxmin(), times["first"].min()) == ("ALPINE", 1)
    assert (times["first"].idxmax(), times["first"].max()) == ("CAPPP", 6.1)
    assert times["first"].sum() == pytest.approx(88.7)


def test_dietary_fat_is_netmetas_copy() -> None:
    """Deaths and person-years by arm, netmeta's data set `dietaryfat`."""
    frame = datasets.load("dietary_fat")
    order = frame.groupby("study").cumcount()
    assert frame.groupby(order)["events"].sum().tolist() == [692, 696, 3]
    years = frame.groupby(order)["person_years"].sum()
    assert years.tolist() == pytest.approx([11436.9, 11550.2, 38.0])
    twice = frame[frame.duplicated(["study", "treatment"], keep=False)]
    assert twice[["study", "treatment"]].drop_duplicates().to_numpy().tolist() == [
        ["London Corn/Olive", "reduced fat"]
    ]


def test_dietary_fat_keeps_both_arms_and_says_so() -> None:
    network = datasets.network("dietary_fat")
    assert len(network.table) == 21
    assert any("Kept as asked: trial 'London Corn/Olive'" in line for line in network.notices)


def test_bcg_is_the_table_of_van_houwelingen_2002() -> None:
    """Log odds ratios and latitudes, Table I (Statistics in Medicine 21:589-624)."""
    frame = datasets.load("bcg")
    odds = np.log(frame["events"] / (frame["n"] - frame["events"])).to_numpy()
    effect = odds[1::2] - odds[::2]
    printed = [-0.9387, -1.6662, -1.3863, -1.4564, -0.2191, -0.9581, -1.6338]
    assert effect[:7].round(4).tolist() == printed
    latitudes = [44, 55, 42, 52, 13, 44, 19, 13, 27, 42, 18, 33, 33]
    assert frame["latitude"].tolist() == list(np.repeat(latitudes, 2))


def test_bcg_risk_ratios_are_metafors() -> None:
    """Viechtbauer 2010 (doi:10.18637/jss.v036.i03), REML: -0.7145 (0.1798), Q 152.2330 on 12."""
    posterior = least_squares(
        "bcg", "REML", kind=nma.outcomes.Binary, events="events", n="n", measure="RR"
    )
    row = nma.summary(posterior).loc["vaccinated vs unvaccinated"]
    assert row["mean"] == pytest.approx(-0.7145, abs=5e-5)
    assert row["sd"] == pytest.approx(0.1798, abs=5e-5)
    found = nma.summary(posterior).attrs
    assert (found["Q"], found["df"]) == (pytest.approx(152.2330, abs=5e-5), 12)
    assert found["tau"] ** 2 == pytest.approx(0.3132, abs=5e-5)


OR: dict[str, Any] = {"kind": nma.outcomes.Binary, "events": "events", "n": "n", "measure": "OR"}
MERGED: dict[str, Any] = {
    "kind": nma.outcomes.Rate,
    "events": "events",
    "exposure": "person_years",
    "repeated_arms": "merge",
}


@pytest.mark.filterwarnings("ignore:Merged as asked")
@pytest.mark.parametrize(
    ("name", "outcome", "Q", "df", "tau"),
    [
        ("diabetes", OR, 49.5433012593018, 21, 0.126812219609774),
        ("statins", OR, 19.5386508863085, 18, 0.0723435188167911),
        ("dietary_fat", MERGED, 9.76759899823518, 9, 0.0542419727254025),
    ],
)
def test_q_and_tau_are_netmetas(
    name: str, outcome: dict[str, Any], Q: float, df: int, tau: float
) -> None:
    """Cochran's Q and DerSimonian-Laird's tau, netmeta 3.3-1 on its own copy of the trials."""
    found = nma.summary(least_squares(name, "DL", **outcome)).attrs
    assert found["Q"] == pytest.approx(Q, rel=1e-9)
    assert found["df"] == df
    assert found["tau"] == pytest.approx(tau, rel=1e-8)


def test_dietary_fat_with_a_third_treatment_is_netmetas_other_answer() -> None:
    """netmeta's example calls the last arm of London Corn/Olive a treatment of its own."""
    frame = datasets.load("dietary_fat")
    frame.loc[frame.duplicated(["study", "treatment"]), "treatment"] = "reduced fat 2"
    deaths = nma.outcomes.Rate("events", "person_years", better="lower")
    network = nma.Network.from_arms(
        frame, study="study", treatment="treatment", outcome=deaths, reference="control"
    )
    posterior = nma.fit(network.as_normal(), engine=nma.engines.LeastSquares("DL"))
    found = nma.summary(posterior).attrs
    assert (found["Q"], found["df"]) == (pytest.approx(10.12499, abs=5e-6), 9)
    assert found["tau"] == pytest.approx(0.065675, abs=5e-7)


def test_statins_trials_have_one_kind_of_prevention_each() -> None:
    frame = datasets.load("statins")
    kinds = frame.groupby("study")["prevention"].unique().map(list)
    primary = sorted(kinds.index[kinds.map(lambda kind: kind == ["primary"])])
    assert primary == ["Downs", "EXCEL", "KAPS", "PMSGCRP", "Wscotland"]
    assert kinds.map(len).max() == 1
    assert sorted(frame["prevention"].unique()) == ["primary", "secondary"]


def test_psoriasis_counts_exclude_each_other_and_leave_somebody_out() -> None:
    assert list(PSORIASIS.columns) == ["study", "treatment", "n", *STEPS]
    assert (len(PSORIASIS), PSORIASIS["study"].nunique(), PSORIASIS["n"].sum()) == (36, 16, 4588)
    assert PSORIASIS[STEPS].sum().tolist() == [1193, 634, 135]
    assert (PSORIASIS[STEPS].sum(axis=1) <= PSORIASIS["n"]).all()
    told = PSORIASIS[STEPS].notna()
    assert told.any(axis=None)
    forms = told.groupby(PSORIASIS["study"]).agg(["nunique"])
    assert (forms == 1).all(axis=None)  # all arms of a trial report the same categories


def test_psoriasis_is_the_review_of_woolacott() -> None:
    """Abstract, efficacy: of etanercept 25 mg, 62% reach PASI 50, 33% PASI 75 and 11% PASI 90.

    And 55% and 4.3% of those on efalizumab reach PASI 50 and PASI 90.
    """

    def percent(drug: str, step: str) -> float:
        arms = PSORIASIS[(PSORIASIS["treatment"] == drug) & PSORIASIS[step].notna()]
        reached = arms[STEPS[STEPS.index(step) :]].sum(axis=1)
        return float(100 * reached.sum() / arms["n"].sum())

    found = [percent("etanercept 25 mg", step) for step in STEPS]
    np.testing.assert_allclose(found, [62, 33, 11], atol=1)
    assert percent("efalizumab", "pasi50") == pytest.approx(55, abs=0.5)
    assert percent("efalizumab", "pasi90") == pytest.approx(4.3, abs=0.05)


def test_psoriasis_trials_by_one_author_are_told_apart() -> None:
    gottlieb = PSORIASIS[PSORIASIS["study"].str.startswith("Gottlieb")]
    arms = gottlieb.groupby("study")["treatment"].apply(list).to_dict()
    assert arms == {
        "Gottlieb 2003": ["supportive care", "etanercept 25 mg"],
        "Gottlieb 2004": ["supportive care", "infliximab", "infliximab"],
    }


def test_psoriasis_is_a_network_of_probits_with_repeated_arms_kept() -> None:
    network = datasets.network("psoriasis")
    assert (len(network.trials), len(network.treatments), len(network.table)) == (16, 8, 36)
    assert (network.measure, network.reference, network.better) == (
        "SMD",
        "supportive care",
        "higher",
    )
    assert sum("Kept as asked" in line for line in network.notices) == 2
