"""Node-splits by the baseline rule: smoking by multinma, thrombolytics by Dias et al. 2010.

multinma 0.5.1 (Stan) has half-normal(5) for tau; its vignette prints another run of the same model,
whose Monte Carlo error is taken to be that of the stored one. Dias et al. 2010,
doi:10.1002/sim.3767, table of node-splits of the thrombolytics network under a common effect, as
multinma's and gemtc's tests quote it; their Monte Carlo error is taken to be that of gemtc's run.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest

import nma
from nma.priors import HalfNormal, Normal
from nma.structures import NodeSplit
from published import (
    Array,
    Stored,
    Tau,
    assert_near,
    compared,
    compared_fit,
    exactly,
    fitted,
    tolerance,
)
from sources import DIAS, MULTINMA, Place

NONE, GROUP = "no intervention", "group counselling"
INDIVIDUAL, SELF = "individual counselling", "self-help"
WIDER = HalfNormal(5)
KINDS = ("direct", "indirect", "difference", "tau")


class Runs(NamedTuple):
    """The marginals of one split: direct, indirect, their difference and tau; and p."""

    direct: Stored
    indirect: Stored
    difference: Stored
    tau: Stored
    p: float


# multinma, smoking, random effects, in the order no intervention, group, individual, self-help
RUNS = {
    (NONE, GROUP): Runs(
        Stored(1.05700, 0.74735, -0.34646, 1.02941, 2.61789, 7761),
        Stored(1.13837, 0.53051, 0.10418, 1.13547, 2.20864, 4619),
        Stored(-0.08137, 0.89480, -1.79122, -0.11219, 1.80213, 5998),
        Stored(0.86697, 0.19822, 0.55270, 0.84165, 1.32481, 2962),
        0.8972,
    ),
    (NONE, INDIVIDUAL): Runs(
        Stored(0.87847, 0.25498, 0.39277, 0.87241, 1.40695, 5211),
        Stored(0.56639, 0.67042, -0.71413, 0.55459, 1.90961, 4486),
        Stored(0.31208, 0.69686, -1.05129, 0.31696, 1.69100, 4636),
        Stored(0.85604, 0.19200, 0.55434, 0.83123, 1.31285, 3061),
        0.6402,
    ),
    (NONE, SELF): Runs(
        Stored(0.34271, 0.55215, -0.74401, 0.34588, 1.43008, 7916),
        Stored(0.69505, 0.62945, -0.53208, 0.69329, 1.98779, 5110),
        Stored(-0.35234, 0.84413, -2.05457, -0.34965, 1.29005, 5047),
        Stored(0.87036, 0.20024, 0.56423, 0.84273, 1.34356, 3192),
        0.6714,
    ),
    (GROUP, INDIVIDUAL): Runs(
        Stored(-0.10682, 0.47906, -1.06469, -0.10284, 0.83351, 9671),
        Stored(-0.52806, 0.60225, -1.76667, -0.52085, 0.63512, 4166),
        Stored(0.42124, 0.66835, -0.89562, 0.40986, 1.75631, 4318),
        Stored(0.85957, 0.19327, 0.55821, 0.83216, 1.31247, 3183),
        0.5144,
    ),
    (GROUP, SELF): Runs(
        Stored(-0.59737, 0.65671, -1.90667, -0.58742, 0.68238, 8534),
        Stored(-0.62934, 0.68039, -1.98848, -0.62500, 0.71519, 4490),
        Stored(0.03197, 0.88825, -1.71076, 0.02649, 1.82097, 4692),
        Stored(0.87262, 0.20002, 0.55672, 0.84598, 1.34321, 2831),
        0.9758,
    ),
    (INDIVIDUAL, SELF): Runs(
        Stored(0.06798, 0.66332, -1.25553, 0.07238, 1.39534, 7729),
        Stored(-0.62583, 0.53253, -1.69895, -0.61978, 0.42445, 4435),
        Stored(0.69381, 0.82803, -0.94832, 0.68663, 2.34815, 5355),
        Stored(0.85693, 0.20237, 0.54780, 0.82634, 1.33541, 2537),
        0.3786,
    ),
}

# multinma's vignette on smoking: direct and indirect as mean and sd (where it prints them), p
VIGNETTE = {
    (NONE, GROUP): (("1.09", "0.76"), ("1.14", "0.54"), "0.94"),
    (NONE, INDIVIDUAL): (("0.88", "0.25"), ("0.57", "0.67"), "0.62"),
    (NONE, SELF): (("0.34", "0.55"), ("0.69", "0.62"), "0.64"),
    (GROUP, INDIVIDUAL): (("-0.12", "0.48"), ("-0.54", "0.62"), "0.53"),
    (GROUP, SELF): (("-0.62",), ("-0.64",), "0.98"),
    (INDIVIDUAL, SELF): (("0.07", "0.66"), ("-0.61", "0.53"), "0.39"),
}

CODES = ("SK", "t-PA", "Acc t-PA", "SK + t-PA", "r-PA", "TNK", "PTCA", "UK", "ASPAC")
"""Codes 1 to 9 of the thrombolytics network."""

# Dias 2010, common effect: direct, indirect, their difference, p
SPLITS = {
    (1, 2): ("0.000", "0.189", "-0.190", ".42"),
    (1, 3): ("-0.158", "-0.247", "0.088", ".39"),
    (1, 5): ("-0.060", "-0.175", "0.115", ".34"),
    (1, 7): ("-0.666", "-0.393", "-0.272", ".22"),
    (1, 8): ("-0.369", "-0.168", "-0.207", ".73"),
    (1, 9): ("0.009", "0.424", "-0.413", ".10"),
    (2, 7): ("-0.545", "-0.475", "-0.073", ".88"),
    (2, 8): ("-0.295", "-0.144", "-0.155", ".74"),
    (2, 9): ("0.006", "0.471", "-0.468", ".05"),
    (3, 4): ("0.126", "0.630", "-0.506", ".47"),
    (3, 5): ("0.019", "0.135", "-0.116", ".34"),
    (3, 7): ("-0.216", "-0.477", "0.260", ".21"),
    (3, 8): ("0.143", "-0.136", "0.277", ".55"),
    (3, 9): ("1.409", "0.165", "1.239", ".001"),
}
DRAWS = 5126
"""Effective draws of gemtc's run of the thrombolytics network."""


@cache
def split(name: str, a: str, b: str, tau: Tau = None) -> nma.Posterior:
    """Return the split of b versus a, with N(0, 100^2) for everything but tau."""
    whole = fitted(name, tau)
    structure = NodeSplit(
        whole.model.structure, a, b, multiarm="baseline", inconsistency=Normal(0, 100)
    )
    posterior = nma.fit(whole.network, replace(whole.model, structure=structure))
    assert not posterior.poor
    return posterior


def drawn(name: str, a: str, b: str, tau: Tau = None) -> dict[str, Array]:
    """Return draws of direct, indirect, difference and tau, (chain, draw)."""
    posterior = split(name, a, b, tau)
    base = fitted(name, tau)
    beta = posterior.draws.values["beta"].to_numpy()
    levels = base.levels[base.position(b)] - base.levels[base.position(a)]
    indirect, w = beta[..., :-1] @ levels, beta[..., -1]
    heterogeneity = {"tau": posterior.draws.values["tau"].to_numpy()} if tau else {}
    return {"direct": indirect + w, "indirect": indirect, "difference": w, **heterogeneity}


def split_at(a: str, b: str) -> str:
    return f"split {b} versus {a}"


def assert_p(draws: Array, printed: str | float, effective: float, place: Place) -> None:
    """Assert that a two-sided p is as near as so many effective draws allow."""
    below = (draws < 0).mean(axis=1)
    p = 2 * min(below.mean(), 1 - below.mean())
    theirs = 2 * np.sqrt(p / 2 * (1 - p / 2) / effective)
    ours = 2 * below.std(ddof=1) / np.sqrt(len(below))
    within = tolerance(printed, float(theirs), float(ours))
    assert_near(exactly([p], {"p": printed}, within), "difference", place)


@pytest.mark.parametrize("pair", RUNS, ids=" - ".join)
def test_smoking_by_multinma(pair: tuple[str, str]) -> None:
    found, run = drawn("smoking", *pair, WIDER), RUNS[pair]
    place = MULTINMA.at("smoking cessation", split_at(*pair), "random effects")
    for kind in KINDS:
        stored = getattr(run, kind)
        assert_near(compared(found[kind], stored.numbers, stored.draws), kind, place)
    assert_p(found["difference"], run.p, run.difference.draws, place)


@pytest.mark.parametrize("pair", VIGNETTE, ids=" - ".join)
def test_smoking_in_the_vignette_of_multinma(pair: tuple[str, str]) -> None:
    found, run = drawn("smoking", *pair, WIDER), RUNS[pair]
    direct, indirect, p = VIGNETTE[pair]
    place = MULTINMA.at("smoking cessation", "vignette", split_at(*pair), "random effects")
    for kind, printed in (("direct", direct), ("indirect", indirect)):
        numbers = dict(zip(("mean", "sd"), printed, strict=False))
        assert_near(compared(found[kind], numbers, getattr(run, kind).draws), kind, place)
    assert_p(found["difference"], p, run.difference.draws, place)


@pytest.mark.parametrize("codes", SPLITS, ids=lambda codes: "{}-{}".format(*codes))
def test_thrombolytics_by_dias(codes: tuple[int, int]) -> None:
    a, b = (CODES[code - 1] for code in codes)
    found = drawn("thrombolytics", a, b)
    *numbers, p = SPLITS[codes]
    place = DIAS.at("thrombolytics", "common effect", split_at(a, b))
    for kind, number in zip(KINDS, numbers, strict=False):
        assert_near(compared(found[kind], {"mean": number}, DRAWS), kind, place)
    assert_p(found["difference"], p, DRAWS, place)


def test_thrombolytics_splits_are_those_of_dias() -> None:
    """Exactly the fourteen comparisons of the table can be split."""
    posterior = fitted("thrombolytics")
    table = nma.checks.node_splitting(posterior, multiarm="baseline", order=CODES)
    made = table.index[table["p"].notna()]
    assert {(CODES.index(a) + 1, CODES.index(b) + 1) for b, a in made} == set(SPLITS)


def test_deviance_of_the_split_that_dias_finds() -> None:
    """Dias 2010, split 3-9: DIC 155.6, where consistency has 163.9."""
    a, b = CODES[2], CODES[8]
    posterior = split("thrombolytics", a, b)
    table = compared_fit(posterior, ("0", "0", "155.6"), DRAWS, "linear predictor")
    place = DIAS.at("thrombolytics", "common effect", split_at(a, b))
    assert_near(table.loc[["DIC"]], "fit", place)
