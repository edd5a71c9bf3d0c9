"""Parkinson's disease: Franchini et al. 2012 and NICE DSU TSD 2 (Dias et al. 2011), example 5.

Printed numbers are compared within half a unit of their last digit; the exact answer stands
beside each. The source's chains leave Monte Carlo error in the tails of tau, where two units
are allowed and the exact value is given.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import nma
from nma.network import Network
from nma.priors import HalfNormal, Normal, Uniform
from published import assert_near, exactly
from sources import NETMETA, TSD2

NETWORK = "Parkinson's disease"
ENTERED = {"arms": "as arms", "contrasts": "as contrasts", "mixed": "as arms and contrasts"}
PLACEBO = "placebo"
DRUGS = ["pramipexole", "ropinirole", "bromocriptine", "cabergoline"]
ARMS = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
CONTRASTS = nma.outcomes.Contrast("md", "se", base_se="base_se", measure="MD", better="lower")
TWO = nma.structures.Consistency(Normal(0, 100))


def as_contrasts(arms: pd.DataFrame) -> pd.DataFrame:
    """Every later arm of a trial against its first, with the first arm's own standard error."""
    rows = []
    for study, trial in arms.groupby("study"):
        base, *others = (arm for _, arm in trial.iterrows())
        base_se = base["sd"] / np.sqrt(base["n"])
        rows += [
            {
                "study": study,
                "treatment": arm["treatment"],
                "comparator": base["treatment"],
                "md": arm["mean"] - base["mean"],
                "se": np.hypot(arm["sd"] / np.sqrt(arm["n"]), base_se),
                "base_se": base_se,
            }
            for arm in others
        ]
    return pd.DataFrame(rows)


def from_arms(frame: pd.DataFrame) -> Network:
    return Network.from_arms(
        frame, study="study", treatment="treatment", outcome=ARMS, reference=PLACEBO
    )


def from_contrasts(frame: pd.DataFrame) -> Network:
    return Network.from_contrasts(
        as_contrasts(frame),
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=CONTRASTS,
        reference=PLACEBO if PLACEBO in set(frame["treatment"]) else None,
    )


def arms() -> Network:
    return from_arms(nma.datasets.load("parkinson"))


def contrasts() -> Network:
    return from_contrasts(nma.datasets.load("parkinson"))


def mixed() -> Network:
    """TSD 2, example 7: the first three trials as arms, the others as contrasts."""
    frame = nma.datasets.load("parkinson")
    first = frame["study"].isin(["Lieberman 1998", "Lieberman 1997", "Guttman 1997"])
    return Network.combine(from_arms(frame[first]), from_contrasts(frame[~first]))


@pytest.mark.parametrize("network", [arms, contrasts, mixed])
def test_random_effects_under_a_half_normal_prior(network: Callable[[], Network]) -> None:
    model = nma.Model(TWO, nma.heterogeneity.Random(HalfNormal(5)))
    posterior = nma.at(nma.fit(network(), model), treatments=[PLACEBO, *DRUGS])
    table = nma.effect_table(posterior, comparators=[PLACEBO])
    # TSD 2, table for example 5, random effects: mean (sd)
    place = TSD2.at(NETWORK, "example 5", "random effects", ENTERED[network.__name__])
    printed = (("-1.85", "0.54"), ("-0.50", "0.66"), ("-0.53", "0.65"), ("-0.83", "0.80"))
    for drug, (mean, sd) in zip(DRUGS, printed, strict=True):
        numbers = {"mean": mean, "sd": sd}
        found = exactly(table.loc[(drug, PLACEBO), [*numbers]], numbers, 0.005)
        assert_near(found, (drug, PLACEBO), place)
    tau = nma.summary(posterior).loc["tau"]
    told = {"mean": "0.40", "median": "0.28"}  # exact 0.395322, 0.274978
    assert_near(exactly(tau[[*told]], told, [0.005, 0.0051]), "tau", place)


def test_arms_contrasts_and_both_mixed_give_the_same_digits() -> None:
    model = nma.Model(TWO, nma.heterogeneity.Random(HalfNormal(5)))
    tables = [nma.summary(nma.fit(network(), model)) for network in (arms, contrasts, mixed)]
    columns = ["mean", "sd", "median", "lower", "upper"]
    for other in tables[1:]:
        np.testing.assert_allclose(
            other.loc[tables[0].index, columns], tables[0][columns], atol=1e-7
        )
        assert other.attrs["log_evidence"] == pytest.approx(
            tables[0].attrs["log_evidence"], abs=1e-9
        )


def test_random_effects_under_the_uniform_prior_of_the_source() -> None:
    model = nma.Model(TWO, nma.heterogeneity.Random(Uniform(0, 5)))
    table = nma.summary(nma.fit(arms(), model))
    # exact median 0.277, sd 0.434, interval 0.012 to 1.546
    tau = table.loc["tau"]
    place = TSD2.at(NETWORK, "example 5", "random effects", "tau uniform on 0 to 5")
    told = {"median": "0.28", "sd": "0.43", "lower": "0.01", "upper": "1.55"}
    assert_near(exactly(tau[[*told]], told, [0.005, 0.005, 0.005, 0.02]), "tau", place)
    limits = {"lower": "-2.91", "upper": "-0.85"}
    pramipexole = table.loc["pramipexole vs placebo"]
    assert_near(exactly(pramipexole[[*limits]], limits, 0.02), ("pramipexole", PLACEBO), place)


@pytest.mark.parametrize("network", [arms, contrasts, mixed])
def test_common_effect(network: Callable[[], Network]) -> None:
    """Least squares: -1.811553 (0.332668), -0.478112, -0.523994, -0.823994 (netmeta 3.3-1)."""
    wide = nma.structures.Consistency(Normal(0, 1e4))
    posterior = nma.fit(network(), nma.Model(wide, nma.heterogeneity.Common()))
    table = nma.effect_table(nma.at(posterior, treatments=[PLACEBO, *DRUGS]), comparators=[PLACEBO])
    place = NETMETA.at(NETWORK, "posterior, common effect", ENTERED[network.__name__])
    estimates = (-1.811553, -0.478112, -0.523994, -0.823994)
    errors = (0.332668, 0.486636, 0.478635, 0.521986)
    for drug, estimate, error in zip(DRUGS, estimates, errors, strict=True):
        numbers = {"estimate": estimate, "standard error": error}
        found = exactly(table.loc[(drug, PLACEBO), ["mean", "sd"]], numbers, 1e-6)
        assert_near(found, (drug, PLACEBO), place)
    told = nma.summary(posterior).attrs
    numbers = {"Q": 2.28789, "df": 4, "I squared": 0.0}
    found = exactly([told["Q"], told["df"], told["i_squared"]], numbers, [1e-5, 0, 0])
    assert_near(found, "heterogeneity", place)


def test_splitting_a_trial_in_two_lowers_tau_but_not_the_common_effect() -> None:
    """Gershanik 1994b as two trials with variances doubled: tau's mean 0.395 becomes 0.292."""
    whole = nma.datasets.load("parkinson")
    whole = whole.assign(se=whole["sd"] / np.sqrt(whole["n"])).drop(columns=["sd", "n"])
    split = whole["study"] == "Gershanik 1994b"
    halves = whole.assign(se=whole["se"].where(~split, whole["se"] * np.sqrt(2)))
    second = halves[split].assign(study="Gershanik 1994b, second half")
    outcome = nma.outcomes.Continuous("mean", se="se", measure="MD", better="lower")
    networks = [
        Network.from_arms(frame, study="study", treatment="treatment", outcome=outcome)
        for frame in (whole, pd.concat([halves, second]))
    ]
    random = nma.Model(TWO, nma.heterogeneity.Random(HalfNormal(5)))
    tau = [nma.summary(nma.fit(network, random)).loc["tau", "mean"] for network in networks]
    assert tau == [pytest.approx(0.395, abs=5e-4), pytest.approx(0.292, abs=6e-4)]
    common = nma.Model(TWO, nma.heterogeneity.Common())
    before, after = (nma.effect_table(nma.fit(network, common)) for network in networks)
    np.testing.assert_allclose(after[["mean", "sd"]], before[["mean", "sd"]], atol=1e-10)
