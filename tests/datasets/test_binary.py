"""The tables of events and participants: crude facts, and other people's answers from them."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import nma
from nma import datasets

SMOKING, THROMBOLYTICS = datasets.load("smoking"), datasets.load("thrombolytics")
NONE, SELF = "no intervention", "self-help"
INDIVIDUAL, GROUP = "individual counselling", "group counselling"


def designs(frame: pd.DataFrame) -> Counter[frozenset[str]]:
    """Return how many trials compare each set of treatments."""
    return Counter(frozenset(arms) for _, arms in frame.groupby("study")["treatment"])


def comparisons(frame: pd.DataFrame) -> Counter[frozenset[str]]:
    """Return how many trials compare each pair, trials with three arms in three pairs."""
    found: Counter[frozenset[str]] = Counter()
    for design, trials in designs(frame).items():
        found.update({frozenset(pair): trials for pair in combinations(design, 2)})
    return found


def contrasts(frame: pd.DataFrame) -> pd.DataFrame:
    """Return every log odds ratio, half added to each cell of a trial with an empty one."""
    rows = []
    for study, arms in frame.groupby("study"):
        cells = arms[["events", "n"]].to_numpy(float)
        yes, no = cells[:, 0], cells[:, 1] - cells[:, 0]
        half = 0.5 * bool((yes * no == 0).any())
        logit = np.log((yes + half) / (no + half))
        error = 1 / (yes + half) + 1 / (no + half)
        names = arms["treatment"].tolist()
        rows += [
            (study, names[j], names[k], logit[j] - logit[k], np.sqrt(error[j] + error[k]))
            for j, k in combinations(range(len(names)), 2)
        ]
    return pd.DataFrame(rows, columns=["study", "treatment", "comparator", "effect", "se"])


def common_effect(frame: pd.DataFrame) -> nma.Posterior:
    outcome = nma.outcomes.Contrast("effect", "se", measure="OR", better="higher")
    network = nma.Network.from_contrasts(
        contrasts(frame),
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=outcome,
    )
    model = nma.Model(
        nma.structures.Consistency(nma.priors.Normal(0, 1e4)), nma.heterogeneity.Common()
    )
    return nma.fit(network, model)


def most_likely(frame: pd.DataFrame, reference: str) -> dict[str, tuple[float, float]]:
    """Return the binomial common-effect estimates versus the reference, with standard errors."""
    others = [name for name in frame["treatment"].unique() if name != reference]
    trial = pd.get_dummies(frame["study"]).to_numpy(float)
    X = np.hstack([np.equal.outer(frame["treatment"].to_numpy(), others).astype(float), trial])
    r, n = frame["events"].to_numpy(float), frame["n"].to_numpy(float)
    start = np.log((r + 0.5) / (n - r + 0.5))
    beta = np.linalg.lstsq(X, start, rcond=None)[0]
    for _ in range(30):
        p = expit(X @ beta)
        information = X.T @ (X * (n * p * (1 - p))[:, None])
        beta = beta + np.linalg.solve(information, X.T @ (r - n * p))
    error = np.sqrt(np.diag(np.linalg.inv(information)))
    return {name: (beta[k], error[k]) for k, name in enumerate(others)}


@pytest.mark.parametrize(
    ("name", "arms", "trials", "treatments", "events", "participants", "three", "zero"),
    [
        ("smoking", 50, 24, 4, 2082, 16740, 2, 2),
        ("thrombolytics", 102, 50, 9, 12484, 154201, 2, 1),
        ("blocker", 44, 22, 2, 1811, 20290, 0, 0),
        ("musician", 4, 1, 4, 97, 361, 0, 0),
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
    event = "responders" if name == "musician" else "events"
    assert list(frame.columns) == ["study", "treatment", event, "n"]
    assert (frame["study"].nunique(), frame["treatment"].nunique()) == (trials, treatments)
    assert (len(frame), frame[event].sum(), frame["n"].sum()) == (arms, events, participants)
    assert not frame.duplicated(["study", "treatment"]).any()
    assert frame[event].between(0, frame["n"]).all()
    assert (frame["study"].value_counts() == 3).sum() == three
    assert (frame[event] == 0).sum() == zero


def test_smoking_comparisons() -> None:
    """Trials of each pair, as in TSD 4 and Lu and Ades 2006."""
    assert comparisons(SMOKING) == {
        frozenset({NONE, SELF}): 3,
        frozenset({NONE, INDIVIDUAL}): 15,
        frozenset({NONE, GROUP}): 2,
        frozenset({SELF, INDIVIDUAL}): 2,
        frozenset({SELF, GROUP}): 2,
        frozenset({INDIVIDUAL, GROUP}): 4,
    }
    assert len(designs(SMOKING)) == 8
    assert SMOKING["study"].str.fullmatch(r"[A-Z][a-z]+ 19\d\d").all()


def test_smoking_is_the_version_of_hasselblad_and_tsd_4() -> None:
    """Three cells in which copies differ."""
    rows = SMOKING.to_numpy().tolist()
    assert ["Pallonen 1994", SELF, 19, 149] in rows
    assert ["Russell 1983", INDIVIDUAL, 143, 1031] in rows
    assert ["Stewart 1982", INDIVIDUAL, 36, 504] in rows


def test_thrombolytics_comparisons() -> None:
    """The pairs with direct evidence in Dias 2010, Table II, and those without a loop."""
    pairs = comparisons(THROMBOLYTICS)
    assert len(designs(THROMBOLYTICS)) == 16
    assert len(pairs) == 16
    assert pairs[frozenset({"Acc t-PA", "PTCA"})] == 11
    assert pairs[frozenset({"SK", "PTCA"})] == 8
    assert pairs[frozenset({"SK", "t-PA"})] == 8
    assert pairs[frozenset({"Acc t-PA", "ASPAC"})] == 2
    assert [pair for pair in pairs if "TNK" in pair] == [frozenset({"Acc t-PA", "TNK"})]
    assert THROMBOLYTICS["study"].tolist() == sorted(THROMBOLYTICS["study"])


def test_thrombolytics_is_the_version_of_dias_2010() -> None:
    """Participants of the three trials in which Lu and Ades 2006 have fewer."""
    rows = {study: arms["n"].tolist() for study, arms in THROMBOLYTICS.groupby("study")}
    assert rows[1] == [20251, 10396, 10374]
    assert rows[8] == [159, 157]
    assert rows[11] == [3004, 3006]


@pytest.mark.parametrize(
    ("frame", "Q", "df"), [(SMOKING, 202.61887, 23), (THROMBOLYTICS, 40.45, 44)]
)
def test_q_is_netmetas(frame: pd.DataFrame, Q: float, df: int) -> None:
    """The Q of all odds ratios, netmeta 3.3-1 on its own copy of the trials."""
    found = nma.summary(common_effect(frame)).attrs
    assert found["Q"] == pytest.approx(Q, abs=0.5 * 10.0 ** -len(str(Q).split(".")[1]))
    assert found["df"] == df


@pytest.mark.parametrize(
    ("drug", "mean", "sd"),
    [
        ("t-PA", 0.002, 0.030),
        ("Acc t-PA", -0.177, 0.043),
        ("SK + t-PA", -0.049, 0.046),
        ("r-PA", -0.124, 0.060),
        ("PTCA", -0.476, 0.101),
        ("UK", -0.203, 0.221),
        ("ASPAC", 0.016, 0.037),
    ],
)
def test_thrombolytics_give_the_printed_effects(drug: str, mean: float, sd: float) -> None:
    """TSD 4, common effect, log odds ratios versus SK: posteriors under flat priors.

    They are normal but for UK, with 45 deaths, whose posterior is a hundredth wider.
    """
    estimate, error = most_likely(THROMBOLYTICS, "SK")[drug]
    assert estimate == pytest.approx(mean, abs=0.003)
    assert error == pytest.approx(sd, rel=0.012, abs=0.0006)


def test_musician_is_one_trial_and_says_so() -> None:
    """Percentages and odds ratios as printed in the abstract of Beasley 2015, RMD Open."""
    frame = datasets.load("musician")
    assert frame.attrs["caption"].startswith("One trial with four arms (MUSICIAN), not a network")
    percent = (100 * frame["responders"] / frame["n"]).round(1)
    assert percent.tolist() == [12.8, 35.4, 29.3, 31.2]
    odds = frame["responders"] / (frame["n"] - frame["responders"])
    assert (odds[1:] / odds[0]).round(1).tolist() == [3.7, 2.8, 3.1]
