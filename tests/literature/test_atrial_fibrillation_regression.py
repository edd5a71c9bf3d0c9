"""Stroke in atrial fibrillation by earlier stroke: Cooper et al. 2009, as multinma quotes it.

25 trials, without WASPO, odds ratios; interactions with the proportion who had a stroke before are
those of the class of a treatment. N(0, 100^2) and tau half-normal(5), as multinma's example. The
Monte Carlo error of the printed numbers is taken to be that of a run of multinma without covariate.
"""

from __future__ import annotations

from functools import cache

import pytest

import nma
from nma.priors import HalfNormal
from published import WIDE, assert_apart, assert_near, compared, compared_fit, fit, of
from sources import COOPER

PLACE = COOPER.at("atrial fibrillation", "model 4b, by earlier stroke")
DRAWS = 1432
CONTROL = "placebo or standard care"
NUMBERS = ("mean", "lower", "upper")

# Cooper et al. 2009, model 4b, at 0.27, versus placebo or standard care: mean, 2.5 % and 97.5 %
EFFECTS = {
    "low adjusted dose anti-coagulant": ("-1.20", "-1.89", "-0.54"),
    "standard adjusted dose anti-coagulant": ("-0.77", "-1.14", "-0.38"),
    "fixed dose warfarin": ("-0.11", "-0.90", "0.72"),
    "low dose aspirin": ("-0.08", "-0.47", "0.30"),
    "medium dose aspirin": ("-0.45", "-0.87", "-0.03"),
    "high dose aspirin": ("-0.39", "-1.86", "1.11"),
    "alternate day aspirin": ("-1.74", "-5.16", "0.48"),
    "ximelagatran": ("-0.86", "-1.42", "-0.27"),
    "triflusal": ("0.13", "-1.05", "1.38"),
    "indobufen": ("-1.21", "-2.26", "-0.13"),
    "dipyridamole": ("-0.21", "-1.01", "0.58"),
    "fixed dose warfarin + low dose aspirin": ("0.54", "-0.80", "1.85"),
    "fixed dose warfarin + medium dose aspirin": ("0.12", "-0.53", "0.80"),
    "acenocoumarol": ("-0.53", "-2.67", "1.38"),
    "low dose aspirin + clopidogrel": ("-0.14", "-0.82", "0.53"),
    "low dose aspirin + dipyridamole": ("-0.53", "-1.38", "0.30"),
}
INTERACTIONS = {
    "anti-coagulant": ("-0.71", "-1.58", "0.15"),
    "anti-platelet": ("0.23", "-0.45", "0.93"),
    "mixed": ("3.21", "-0.91", "7.30"),
}


@cache
def fitted() -> nma.Posterior:
    frame = nma.datasets.load("atrial_fibrillation")
    network = nma.Network.from_arms(
        frame[frame["study"] != "WASPO"],
        study="study",
        treatment="treatment",
        outcome=nma.outcomes.Binary("events", "n", measure="OR", better="lower"),
        reference=CONTROL,
    )
    by_class = nma.structures.Classes(
        nma.structures.Consistency(WIDE), classes="class", within="common"
    )
    structure = nma.structures.Regression(
        nma.structures.Consistency(WIDE), "stroke", interactions=by_class, scale=1
    )
    posterior = fit(network, HalfNormal(5), structure)
    assert not posterior.poor
    return posterior


@cache
def at(stroke: float) -> nma.Posterior:
    return nma.at(fitted(), stroke=stroke)


@pytest.mark.parametrize("drug", EFFECTS)
def test_effects_where_27_percent_had_a_stroke_before(drug: str) -> None:
    numbers = dict(zip(NUMBERS, EFFECTS[drug], strict=True))
    what = f"{drug} versus {CONTROL}, where 27 % had a stroke before"
    assert_near(compared(of(at(0.27), (drug, CONTROL)), numbers, DRAWS), what, PLACE)


@pytest.mark.parametrize("name", INTERACTIONS)
def test_interactions_of_classes(name: str) -> None:
    table = fitted().network.table
    drug = table.loc[table["class"] == name, "treatment"].iloc[0]
    pair = (drug, CONTROL)
    numbers = dict(zip(NUMBERS, INTERACTIONS[name], strict=True))
    found = of(at(1), pair) - of(at(0), pair)
    assert_near(compared(found, numbers, DRAWS), f"interaction of the class {name}", PLACE)


def test_tau() -> None:
    """Printed: median 0.19, 95 % interval 0.01 to 0.48; of the median see docs/checked.md."""
    tau = of(fitted(), "tau")
    assert_near(compared(tau, {"lower": "0.01", "upper": "0.48"}, DRAWS), "tau", PLACE)
    assert_apart(compared(tau, {"median": "0.19"}, DRAWS), "tau", PLACE)


def test_the_median_of_tau_is_that_of_the_full_model_sampled() -> None:
    """By engines.NUTS(draws=4000, tune=1500, chains=4, seed=1), worth 1074 draws."""
    numbers = {"median": 0.16250, "lower": 0.00818}
    assert_near(compared(of(fitted(), "tau"), numbers, 1074), "tau", None)


def test_deviance() -> None:
    """58.74, 48.25 and 106.99, of 61 arms."""
    assert_near(compared_fit(fitted(), ("58.74", "48.25", "106.99"), DRAWS), "fit", PLACE)
