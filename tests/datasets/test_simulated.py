"""The simulated network: what it is, that it can be made again, and that its truth is found."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
from nma import datasets

FRAME, ABOUT = datasets.load("back_pain_simulated"), datasets.describe("back_pain_simulated")
RANGE, SD = {"NRS": 10, "VAS": 100}, {"NRS": 2.2, "VAS": 23.0}
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "benchmarks" / "simulate_back_pain.py"))


def network_of(frame: pd.DataFrame, reference_sd: dict[str, float] | None = None) -> nma.Network:
    """Return the trials in SMD: by each trial's own standard deviation, or by the true ones."""
    outcome = nma.outcomes.Continuous(
        "mean",
        sd="sd",
        n="n",
        measure="SMD",
        better="lower",
        instrument="instrument",
        reference_sd=reference_sd,
    )
    return nma.Network.from_arms(
        frame,
        study="study",
        treatment="treatment",
        outcome=outcome,
        reference="passive control",
    )


def named_like_the_truth(table: pd.DataFrame) -> pd.DataFrame:
    return table.rename(index=lambda name: str(name).removesuffix(" vs passive control"))


def z_scores(network: nma.Network) -> pd.Series:
    """Return how many posterior standard deviations each truth lies from its mean."""
    table = named_like_the_truth(nma.summary(nma.fit(network)))
    truth = pd.Series(ABOUT.truth)[table.index]
    return (truth - table["mean"]) / table["sd"]


def test_the_generator_writes_what_is_shipped(script: dict[str, Any]) -> None:
    pd.testing.assert_frame_equal(script["simulate"](), FRAME, check_exact=True)


def test_the_generator_holds_the_stated_truth(script: dict[str, Any]) -> None:
    effects = {name: d for name, d in script["EFFECTS"].items() if name != "passive control"}
    assert {**effects, "tau": script["TAU"]} == dict(ABOUT.truth)
    assert {name: how[1] for name, how in script["INSTRUMENTS"].items()} == SD


def test_size_and_designs(script: dict[str, Any]) -> None:
    """As many trials and participants as the review; arms of two, three and four."""
    assert FRAME["study"].nunique() == 58
    assert FRAME["n"].sum() == 10_084
    assert FRAME["study"].value_counts().value_counts().to_dict() == {2: 49, 3: 7, 4: 2}
    assert not FRAME.duplicated(["study", "treatment"]).any()
    assert FRAME["study"].str.fullmatch(r"Simulated \d\d").all()
    assert set(FRAME["treatment"]) == set(datasets.network("back_pain").treatments)
    found = FRAME.groupby("study")["treatment"].apply(frozenset).value_counts().to_dict()
    assert found == {frozenset(design): times for design, times in script["DESIGNS"].items()}


def test_numbers_are_such_as_the_instruments_can_give() -> None:
    top = FRAME["instrument"].map(RANGE)
    assert (FRAME["mean"].between(0, top)).all()
    assert (FRAME["sd"] <= np.sqrt(FRAME["mean"] * (top - FRAME["mean"]) * 1.1)).all()
    assert FRAME["responders"].between(0, FRAME["n"]).all()
    assert FRAME["n"].min() >= 15
    per_trial = FRAME.groupby("study")[["instrument", "weeks", "risk_of_bias"]].nunique()
    assert (per_trial == 1).all(axis=None)
    for name, arms in FRAME.groupby("instrument"):
        free = arms["n"] - 1
        pooled = np.sqrt((free * arms["sd"] ** 2).sum() / free.sum())
        assert pooled == pytest.approx(SD[str(name)], rel=0.02)


def test_it_says_everywhere_that_it_is_simulated() -> None:
    assert ABOUT.title.startswith("Simulated")
    assert ABOUT.caption.startswith("Simulated")
    for said in ("invented numbers", "truth", "review", "no evidence on treatments"):
        assert said in ABOUT.caption
    assert FRAME.attrs["caption"] == ABOUT.caption
    network = datasets.network("back_pain_simulated")
    assert network.caption == ABOUT.caption
    for printed in (network, nma.summary(nma.fit(network))):
        assert ABOUT.caption in " ".join(str(printed).split())
    assert "truth, individualised exercise: -0.4" in str(ABOUT)
    assert "truth, tau: 0.25" in str(ABOUT)


def test_the_truth_comes_from_the_shipped_reviews() -> None:
    """Individualised exercise against passive control, and against active controls."""
    reviews = datasets.load("back_pain_reviews")
    pain = reviews[reviews["review"].eq("Fleckenstein 2022") & reviews["outcome"].eq("pain")]
    assert set(pain["measure"]) == {"SMD"}
    alone = pain["treatment"].str.contains("with or without")
    short = pain[alone & pain["time"].str.startswith("short")]
    printed = dict(zip(short["comparator"], short["effect"].astype(float), strict=True))
    passive, active = printed["passive control"], printed["active (exercise) control"]
    (added,) = pain.loc[~alone, "effect"].astype(float).tolist()
    assert ABOUT.truth["individualised exercise"] == passive
    assert ABOUT.truth["standard exercise"] == pytest.approx(passive - active, abs=1e-12)
    assert ABOUT.truth["multimodal care"] == pytest.approx(passive - active + added, abs=1e-12)


def test_only_simulated_data_have_a_truth() -> None:
    known = [name for name in datasets.names() if datasets.describe(name).truth]
    assert known == ["back_pain_simulated"]


@pytest.mark.parametrize("reference_sd", [None, SD], ids=["own SD", "known SD"])
def test_the_truth_is_found(reference_sd: dict[str, float] | None) -> None:
    """Every true value lies in its 99 % interval: the seed was chosen before it was fitted."""
    posterior = nma.fit(network_of(FRAME, reference_sd))
    table = named_like_the_truth(nma.summary(posterior, level=0.99))
    truth = pd.Series(ABOUT.truth)[table.index]
    assert (truth > table["lower"]).all()
    assert (truth < table["upper"]).all()


def test_the_shipped_network_is_the_one_tested() -> None:
    """Its estimates at tau 0.2926 (REML) are those of Hedges' g and matrices written out apart."""
    network = datasets.network("back_pain_simulated")
    assert repr(network) == repr(network_of(FRAME))
    fixed = nma.heterogeneity.Random(nma.priors.Fixed(0.29257694))
    flat = nma.structures.Consistency(nma.priors.Normal(0, 1e4))
    table = named_like_the_truth(nma.summary(nma.fit(network, nma.Model(flat, fixed))))
    effects = ["standard exercise", "individualised exercise", "multimodal care"]
    found = table.loc[effects, ["mean", "sd"]].to_numpy(float).T
    np.testing.assert_allclose(found[0], [-0.04074116, -0.34917565, -0.32588907], atol=1e-6)
    np.testing.assert_allclose(found[1], [0.07506438, 0.06804464, 0.08548881], atol=1e-6)


def test_the_truth_is_found_as_often_as_intervals_promise(script: dict[str, Any]) -> None:
    """Over 20 networks the z-scores of the effects and of tau have mean 0 and variance 1.

    Each mean is normal with standard deviation 1 / sqrt(20), each sum of squares chi-squared on
    20 degrees of freedom; the bounds are the 1 in 1000 points, both sides together.
    """
    z = np.array([z_scores(network_of(script["simulate"](k))) for k in range(20)])
    assert z.shape == (20, 4)
    assert (np.abs(z.mean(axis=0)) * np.sqrt(20) < 3.29).all()
    assert ((z**2).sum(axis=0) > 5.4).all()
    assert ((z**2).sum(axis=0) < 47.5).all()
