"""Dietary fat: NICE DSU TSD 2 (Dias et al. 2011), example 2, and runs of gemtc and multinma.

Log rate ratios. TSD 2 and multinma 0.5.1 keep both arms on reduced fat of London Corn/Olive, 21
data points; gemtc 1.0-2 cannot, and its run has their sum. TSD 2 and gemtc have tau uniform on 0 to
5, multinma has half-normal(5). The Monte Carlo error of TSD 2 is taken to be that of gemtc's runs.
"""

from __future__ import annotations

from functools import cache

import pytest

import nma
from nma.priors import HalfNormal, Uniform
from published import (
    WINBUGS,
    Run,
    Stored,
    Tau,
    assert_near,
    assert_run,
    assert_same,
    compared,
    compared_fit,
    fit,
    fitted,
    model_of,
    of,
)
from sources import GEMTC, MULTINMA, TSD2, Place

PAIR = ("reduced fat", "control")
SOURCE, WIDER = Uniform(0, 5), HalfNormal(5)
NAMES = ("mean", "sd", "median", "lower", "upper")
FEWEST: dict[Tau, int] = {None: 40465, SOURCE: 3134}
NETWORK = "dietary fat"


def place(tau: Tau) -> Place:
    return TSD2.at(NETWORK, "example 2", model_of(tau))


# TSD 2, example 2: mean, sd, median, 2.5 % and 97.5 %
COMMON = ("-0.01", "0.054", "-0.01", "-0.11", "0.10")
RANDOM = ("-0.02", "0.09", "-0.01", "-0.19", "0.16")
TAU = ("0.13", "0.12", "0.10", "0.00", "0.43")
RUNS = {
    "common effect": Run(
        None,
        {PAIR: Stored(-0.00769, 0.05324, -0.11023, -0.00852, 0.09840, 8230)},
        (22.317, 11.082, 33.399),
        8755,
    ),
    "random effects": Run(
        WIDER,
        {
            PAIR: Stored(-0.01363, 0.08721, -0.18393, -0.01370, 0.16459, 4141),
            "tau": Stored(0.12925, 0.11724, 0.00466, 0.09802, 0.43596, 2326),
        },
        (21.564, 13.693, 35.257),
        2326,
    ),
}
SUMMED = {
    "common effect": Run(
        None,
        {PAIR: Stored(-0.00761, 0.05368, -0.11297, -0.00763, 0.09743, 40465)},
        (22.011, 11.129, 33.139),
        40465,
    ),
    "random effects": Run(
        SOURCE,
        {
            PAIR: Stored(-0.01479, 0.09094, -0.20049, -0.01410, 0.16373, 14585),
            "tau": Stored(0.13604, 0.12272, 0.00410, 0.10496, 0.45310, 3134),
        },
        (20.936, 13.562, 34.498),
        3134,
    ),
}


@cache
def merged(tau: Tau) -> nma.Posterior:
    """Return the fit with the two arms on reduced fat added up, 20 data points."""
    deaths = nma.outcomes.Rate("events", "person_years", better="lower")
    frame = nma.datasets.load("dietary_fat")
    with pytest.warns(nma.errors.DataWarning, match="Merged as asked"):
        network = nma.Network.from_arms(
            frame, study="study", treatment="treatment", outcome=deaths, repeated_arms="merge"
        )
    return fit(network, tau)


@pytest.mark.parametrize(("tau", "printed"), [(None, COMMON), (SOURCE, RANDOM)])
def test_effects_of_tsd_2(tau: Tau, printed: tuple[str, ...]) -> None:
    numbers = dict(zip(NAMES, printed, strict=True))
    draws = of(fitted("dietary_fat", tau), PAIR)
    assert_near(compared(draws, numbers, FEWEST[tau]), PAIR, place(tau))


def test_heterogeneity_of_tsd_2() -> None:
    numbers = dict(zip(NAMES, TAU, strict=True))
    draws = of(fitted("dietary_fat", SOURCE), "tau")
    assert_near(compared(draws, numbers, FEWEST[SOURCE]), "tau", place(SOURCE))


@pytest.mark.parametrize(
    ("tau", "printed"), [(None, ("22.3", "10.9", "33.2")), (SOURCE, ("21.5", "13.3", "34.8"))]
)
def test_deviance_of_tsd_2(tau: Tau, printed: tuple[str, str, str]) -> None:
    """TSD 2, example 2: residual deviance, pD and DIC on 21 data points."""
    posterior = fitted("dietary_fat", tau)
    assert len(nma.fit_measures.deviance(posterior)) == 21
    assert_near(compared_fit(posterior, printed, FEWEST[tau], WINBUGS), "fit", place(tau))


@pytest.mark.parametrize("model", RUNS)
def test_runs_of_multinma(model: str) -> None:
    assert_run("dietary_fat", RUNS[model], MULTINMA.at(NETWORK, model))


@pytest.mark.parametrize("model", SUMMED)
def test_runs_of_gemtc_with_the_arms_added_up(model: str) -> None:
    run = SUMMED[model]
    assert_same(merged(run.tau), run, GEMTC.at(NETWORK, model, "arms on one treatment added up"))
