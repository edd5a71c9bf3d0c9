"""Glucose-lowering drugs (Senn et al. 2013): long runs of two other programs, and least squares.

gemtc 1.0-2 (JAGS; tau uniform on 0 to 5) and multinma 0.5.1 (Stan; tau half-normal(5)), both with
N(0, 100^2) effects. Their means carry the Monte Carlo error given here; ours is exact, so
z = difference / their error. With 76 comparisons, |z| < 4.5 has a false alarm rate of 5e-4.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import nma
from nma.priors import Fixed, HalfNormal, Normal, Prior, Uniform
from published import assert_near, exactly
from sources import NETMETA, stored_run

Array = NDArray[np.float64]
BOUND = 4.5
NETWORK = "glucose-lowering drugs"
BY_NETMETA = "posterior at known tau"
LIMITS = ("lower", "median", "upper")
DRUGS = [
    "acarbose",
    "benfluorex",
    "metformin",
    "miglitol",
    "pioglitazone",
    "rosiglitazone",
    "sitagliptin",
    "sulfonylurea",
    "vildagliptin",
]
# effects against placebo: mean, sd, effective draws
GEMTC_RANDOM = [
    (-0.84320, 0.25809, 21605),
    (-0.72922, 0.30299, 100155),
    (-1.12531, 0.16276, 21000),
    (-0.95016, 0.24382, 106020),
    (-1.12822, 0.23287, 118143),
    (-1.23295, 0.13523, 102707),
    (-0.56960, 0.37826, 157749),
    (-0.41616, 0.25565, 21000),
    (-0.69916, 0.37621, 158291),
]
MULTINMA_RANDOM = [
    (-0.84013, 0.25871, 7220),
    (-0.72849, 0.30531, 7773),
    (-1.12197, 0.16341, 5345),
    (-0.95406, 0.24452, 7819),
    (-1.12375, 0.23242, 5872),
    (-1.23117, 0.13705, 4653),
    (-0.56528, 0.38522, 8986),
    (-0.41090, 0.25969, 5979),
    (-0.70236, 0.37698, 9516),
]
Tau = tuple[float, float, int, tuple[float, float, float]]
# tau: mean, sd, effective draws, then quantiles at 2.5, 50 and 97.5 %
GEMTC_TAU: Tau = (0.34494, 0.08053, 29164, (0.2181, 0.3345, 0.5331))
MULTINMA_TAU: Tau = (0.34654, 0.08158, 3440, (0.2188, 0.3360, 0.5344))
STORED: dict[str, tuple[Prior, list[tuple[float, float, int]], Tau]] = {
    "gemtc": (Uniform(0, 5), GEMTC_RANDOM, GEMTC_TAU),
    "multinma": (HalfNormal(5), MULTINMA_RANDOM, MULTINMA_TAU),
}
# netmeta 3.3-1: common effect, then random effects at DerSimonian-Laird tau = 0.329722
LEAST_SQUARES = [
    ("acarbose", -0.827369, 0.1085208),
    ("metformin", -1.114110, 0.0596115),
    ("rosiglitazone", -1.201842, 0.0476622),
]
AT_DL = {
    "acarbose": (-0.841785, 0.245820),
    "benfluorex": (-0.731147, 0.286075),
    "metformin": (-1.126775, 0.154267),
    "pioglitazone": (-1.129092, 0.219638),
    "rosiglitazone": (-1.233456, 0.127802),
    "sitagliptin": (-0.57, 0.354096),
    "sulfonylurea": (-0.416559, 0.240884),
    "vildagliptin": (-0.70, 0.353443),
}
P_SCORES = {
    "rosiglitazone": 0.89337,
    "metformin": 0.78178,
    "pioglitazone": 0.77457,
    "miglitol": 0.61366,
    "acarbose": 0.52026,
    "benfluorex": 0.43582,
    "vildagliptin": 0.42325,
    "sitagliptin": 0.33310,
    "sulfonylurea": 0.21031,
    "placebo": 0.01390,
}


def fit(tau: Prior, *, sd: float = 100.0) -> nma.Posterior:
    model = nma.Model(nma.structures.Consistency(Normal(0, sd)), nma.heterogeneity.Random(tau))
    return nma.fit(nma.datasets.network("senn2013"), model)


def bounds(sd: float, draws: int) -> Array:
    """Return how far a mean and an sd of so many draws may be off.

    The sd of n draws of a distribution with kurtosis up to 4 has relative error
    sqrt((4 - 1) / (4 n)).
    """
    return BOUND * sd * np.array([1 / np.sqrt(draws), np.sqrt(3 / (4 * draws))])


@pytest.mark.parametrize("program", STORED)
def test_effects_agree_with_stored_posteriors(program: str) -> None:
    prior, stored, _ = STORED[program]
    table = nma.effect_table(fit(prior), comparators=["placebo"])
    for drug, (mean, sd, draws) in zip(DRUGS, stored, strict=True):
        ours = table["mean"][drug, "placebo"], table["sd"][drug, "placebo"]
        found = exactly(ours, {"mean": mean, "sd": sd}, bounds(ours[1], draws))
        assert_near(found, (drug, "placebo"), stored_run(program, NETWORK))


@pytest.mark.parametrize("program", STORED)
def test_tau_agrees_with_stored_posteriors(program: str) -> None:
    prior, _, (mean, sd, draws, quantiles) = STORED[program]
    ours: Any = nma.summary(fit(prior)).loc["tau"]
    run = stored_run(program, NETWORK)
    numbers = {"mean": mean, "sd": sd}
    assert_near(exactly(ours[[*numbers]], numbers, bounds(ours["sd"], draws)), "tau", run)
    # standard error of a quantile in posterior sd: 2.7 / sqrt(draws) in the lower tail of
    # a normal; tau's upper tail is thinner in density, about twice that
    errors = np.array([2.7, 1.3, 5.4]) * ours["sd"] / np.sqrt(draws)
    told = dict(zip(LIMITS, quantiles, strict=True))
    assert_near(exactly(ours[[*LIMITS]], told, BOUND * errors), "tau", run)


def test_known_tau_is_least_squares() -> None:
    table = nma.effect_table(fit(Fixed(0.329722), sd=1e4), comparators=["placebo"])
    place = NETMETA.at(NETWORK, BY_NETMETA, "DerSimonian-Laird tau")
    for drug, (mean, sd) in AT_DL.items():
        ours = table["mean"][drug, "placebo"], table["sd"][drug, "placebo"]
        found = exactly(ours, {"estimate": mean, "standard error": sd}, 2e-6)
        assert_near(found, (drug, "placebo"), place)


@pytest.mark.parametrize(("drug", "mean", "sd"), LEAST_SQUARES)
def test_common_effect_is_least_squares(drug: str, mean: float, sd: float) -> None:
    table = nma.effect_table(fit(Fixed(0.0), sd=1e4), comparators=["placebo"])
    ours = table["mean"][drug, "placebo"], table["sd"][drug, "placebo"]
    found = exactly(ours, {"estimate": mean, "standard error": sd}, 1e-6)
    assert_near(found, (drug, "placebo"), NETMETA.at(NETWORK, BY_NETMETA, "common effect"))


def test_sucra_at_known_tau_is_the_p_score() -> None:
    found = nma.sucra(fit(Fixed(0.329722), sd=1e4))
    place = NETMETA.at(NETWORK, BY_NETMETA, "DerSimonian-Laird tau")
    for drug, score in P_SCORES.items():
        table = exactly([found["sucra"][drug]], {"P-score": score}, 6e-6)
        assert_near(table, f"SUCRA of {drug}", place)
    assert found.attrs["poth"] == pytest.approx(0.66856, abs=2e-5)


def test_heterogeneity_statistics() -> None:
    found = nma.summary(fit(HalfNormal(5))).attrs
    numbers = {"Q": 96.98555, "df": 18, "I squared": 0.8144}
    table = exactly((found["Q"], found["df"], found["i_squared"]), numbers, [1e-5, 0, 5e-5])
    assert_near(table, "heterogeneity", NETMETA.at(NETWORK, BY_NETMETA, "DerSimonian-Laird tau"))
