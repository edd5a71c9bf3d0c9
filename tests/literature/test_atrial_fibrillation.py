"""Stroke in atrial fibrillation without covariates: Cooper et al. 2009, as multinma quotes it.

25 trials, without WASPO, odds ratios; N(0, 100^2) and tau half-normal(5), as multinma's example.
The Monte Carlo error of the printed numbers is taken to be that of a run of multinma on the same
trials.
"""

from __future__ import annotations

from functools import cache

import pytest

import nma
from nma.priors import HalfNormal
from published import assert_near, compared, compared_fit, fit, of
from sources import COOPER

PLACE = COOPER.at("atrial fibrillation", "model 1, without covariate")
DRAWS = 1432
CONTROL = "placebo or standard care"

# Cooper et al. 2009, model 1, versus placebo or standard care: mean, 2.5 % and 97.5 %
EFFECTS = {
    "low adjusted dose anti-coagulant": ("-1.08", "-1.77", "-0.37"),
    "standard adjusted dose anti-coagulant": ("-0.76", "-1.16", "-0.36"),
    "fixed dose warfarin": ("0.18", "-0.73", "1.06"),
    "low dose aspirin": ("-0.15", "-0.56", "0.27"),
    "medium dose aspirin": ("-0.37", "-0.83", "0.07"),
    "high dose aspirin": ("-0.25", "-1.72", "1.23"),
    "alternate day aspirin": ("-1.67", "-4.54", "0.41"),
    "ximelagatran": ("-0.84", "-1.50", "-0.18"),
    "triflusal": ("-0.11", "-1.35", "1.20"),
    "indobufen": ("-0.52", "-1.47", "0.47"),
    "dipyridamole": ("-0.18", "-1.02", "0.66"),
    "fixed dose warfarin + low dose aspirin": ("-0.29", "-1.09", "0.51"),
    "fixed dose warfarin + medium dose aspirin": ("0.13", "-0.60", "0.83"),
    "acenocoumarol": ("-1.56", "-3.31", "0.06"),
    "low dose aspirin + clopidogrel": ("-0.24", "-1.06", "0.57"),
    "low dose aspirin + dipyridamole": ("-0.49", "-1.38", "0.38"),
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
    posterior = fit(network, HalfNormal(5))
    assert not posterior.poor
    return posterior


@pytest.mark.parametrize("drug", EFFECTS)
def test_effects(drug: str) -> None:
    numbers = dict(zip(("mean", "lower", "upper"), EFFECTS[drug], strict=True))
    assert_near(compared(of(fitted(), (drug, CONTROL)), numbers, DRAWS), (drug, CONTROL), PLACE)


def test_tau() -> None:
    numbers = {"median": "0.28", "lower": "0.02", "upper": "0.57"}
    assert_near(compared(of(fitted(), "tau"), numbers, DRAWS), "tau", PLACE)


def test_deviance() -> None:
    """60.22, 48.35 and 108.57, of 61 arms."""
    assert_near(compared_fit(fitted(), ("60.22", "48.35", "108.57"), DRAWS), "fit", PLACE)
