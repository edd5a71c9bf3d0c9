"""BCG vaccine by latitude: NICE DSU TSD 3 (Dias et al. 2011), gemtc and multinma.

Log odds ratios, latitude less its mean over trials, 33.46 degrees. TSD 3 and gemtc 1.0-2 have tau
uniform on 0 to 5, multinma 0.5.1 has half-normal(5). TSD 3 has N(0, 100^2) for the slope, multinma
N(0, 10^2), which is the same to 3e-6 of its sd. gemtc divides latitude by two standard deviations
and has a Cauchy prior for that slope, whose scale is the largest log odds ratio of a trial with
half a case added to each cell: -1.603, Ferguson & Simes 1949. The Monte Carlo error of TSD 3 is
taken to be that of gemtc's run.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import nma
from nma.priors import HalfNormal, Uniform
from published import (
    WINBUGS,
    Run,
    Stored,
    assert_near,
    assert_same,
    compared,
    compared_fit,
    fitted,
    of,
    regression,
    weighed,
)
from sources import TSD3, stored_run

PAIR = ("vaccinated", "unvaccinated")
SLOPE = "vaccinated vs unvaccinated, per latitude"
SOURCE = Uniform(0, 5)
DRAWS = 2169
NETWORK = "BCG vaccine by latitude"
PLACE = TSD3.at(NETWORK, "random effects")
BY_LATITUDE = regression("latitude", "unvaccinated")
TWICE = 28.886160291915857
"""Two standard deviations of latitude over trials."""

GEMTC = Run(
    SOURCE,
    {
        PAIR: Stored(-0.76159, 0.12567, -1.03539, -0.75406, -0.52383, 34921),
        "tau": Stored(0.30131, 0.18606, 0.02966, 0.27282, 0.74590, 3522),
    },
    (30.453, 21.476, 51.929),
    DRAWS,
)
GEMTC_SLOPE = Stored(-0.88025, 0.24933, -1.34586, -0.89997, -0.31845, 2169)
MULTINMA = Run(
    HalfNormal(5),
    {
        PAIR: Stored(-0.76275, 0.12290, -1.03424, -0.75561, -0.53072, 3701),
        SLOPE: Stored(-0.03161, 0.00807, -0.04717, -0.03204, -0.01371, 3729),
        "tau": Stored(0.29253, 0.18446, 0.02747, 0.26341, 0.72498, 1210),
    },
    (30.679, 21.365, 52.044),
    1210,
)


def by_latitude() -> nma.Posterior:
    return fitted("bcg", SOURCE, BY_LATITUDE)


def test_the_slope_of_tsd_3() -> None:
    """TSD 3, BCG, latitude: mean -0.032, sd 0.009, 95 % interval -0.05 to -0.01."""
    numbers = {"mean": "-0.032", "sd": "0.009", "lower": "-0.05", "upper": "-0.01"}
    assert_near(compared(of(by_latitude(), SLOPE), numbers, DRAWS), SLOPE, PLACE)


def test_the_effect_at_the_mean_latitude_of_tsd_3() -> None:
    """TSD 3, BCG, latitude: mean -0.763, sd 0.126, 95 % interval -1.04 to -0.52."""
    numbers = {"mean": "-0.763", "sd": "0.126", "lower": "-1.04", "upper": "-0.52"}
    what = "vaccinated versus unvaccinated, at the mean latitude"
    assert_near(compared(of(by_latitude(), PAIR), numbers, DRAWS), what, PLACE)


def test_heterogeneity_of_tsd_3() -> None:
    """TSD 3, BCG, latitude: median 0.272, sd 0.188, 95 % interval 0.03 to 0.75."""
    numbers = {"median": "0.272", "sd": "0.188", "lower": "0.03", "upper": "0.75"}
    assert_near(compared(of(by_latitude(), "tau"), numbers, DRAWS), "tau", PLACE)


def test_deviance_of_tsd_3() -> None:
    """TSD 3, BCG, latitude: 30.4, 21.1 and 51.5."""
    printed = ("30.4", "21.1", "51.5")
    assert_near(compared_fit(by_latitude(), printed, DRAWS, WINBUGS), "fit", PLACE)


@pytest.mark.parametrize(("latitude", "printed"), [(0, "0.80"), (13, "0.35"), (50, "0.006")])
def test_the_vaccine_may_do_harm_in_a_new_trial_of_tsd_3(latitude: float, printed: str) -> None:
    """TSD 3, BCG, latitude: P(effect in a new trial > 0) at 0, 13 and 50 degrees."""
    there = nma.at(by_latitude(), latitude=latitude)
    new = nma.predictive_effects(there, comparators=[PAIR[1]])
    harm = (new.sel(treatment=PAIR[0], comparator=PAIR[1]) > 0).to_numpy()
    what = f"P(harm in a new trial) at {latitude} degrees"
    assert_near(compared(harm.astype(float), {"mean": printed}, DRAWS), what, PLACE)


def test_the_run_of_multinma() -> None:
    found = fitted("bcg", MULTINMA.tau, BY_LATITUDE)
    assert_same(found, MULTINMA, stored_run("multinma", NETWORK))


@cache
def under_gemtcs_prior() -> nma.Posterior:
    latitude = nma.datasets.load("bcg").groupby("study")["latitude"].first()
    assert 2 * latitude.std() == pytest.approx(TWICE, rel=1e-12)
    trial = np.log(6.5 / 300.5) - np.log(29.5 / 274.5)
    slope = of(by_latitude(), SLOPE) * TWICE
    return weighed(by_latitude(), 1 / (1 + (slope / trial) ** 2))


def test_the_run_of_gemtc() -> None:
    assert_same(under_gemtcs_prior(), GEMTC, stored_run("gemtc", NETWORK))


def test_the_slope_of_gemtc_per_two_standard_deviations() -> None:
    slope = of(under_gemtcs_prior(), SLOPE) * TWICE
    table = compared(slope, GEMTC_SLOPE.numbers, GEMTC_SLOPE.draws)
    assert_near(table, "slope per two standard deviations", stored_run("gemtc", NETWORK))


def test_gemtcs_slope_is_not_that_under_a_wide_prior() -> None:
    """Its Cauchy prior moves the mean by more than the Monte Carlo error."""
    table = compared(of(by_latitude(), SLOPE) * TWICE, {"mean": -0.88025}, GEMTC_SLOPE.draws)
    assert (table["theirs"] - table["ours"]).abs().item() > table["tolerance"].item()
