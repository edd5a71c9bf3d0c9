"""BCG vaccine without the covariate: NICE DSU TSD 3 (Dias et al. 2011), gemtc and multinma.

Log odds ratios. TSD 3 and gemtc 1.0-2 have tau uniform on 0 to 5, multinma 0.5.1 has
half-normal(5). The Monte Carlo error of TSD 3 is taken to be that of gemtc's run.
"""

from __future__ import annotations

import pytest

import nma
from nma.priors import HalfNormal, Uniform
from published import (
    WINBUGS,
    Run,
    Stored,
    assert_near,
    assert_run,
    compared,
    compared_fit,
    fitted,
    of,
)
from sources import TSD3, stored_run

PAIR = ("vaccinated", "unvaccinated")
SOURCE = Uniform(0, 5)
DRAWS = 34631
PLACE = TSD3.at("BCG vaccine", "random effects")
RUNS = {
    "gemtc, common effect": Run(
        None,
        {PAIR: Stored(-0.47718, 0.04123, -0.55830, -0.47710, -0.39634, 50442)},
        (191.032, 14.045, 205.077),
        50442,
    ),
    "gemtc": Run(
        SOURCE,
        {
            PAIR: Stored(-0.76209, 0.21816, -1.20491, -0.75912, -0.33739, 101382),
            "tau": Stored(0.68087, 0.20103, 0.38932, 0.64737, 1.16489, 34631),
        },
        (26.155, 23.627, 49.781),
        DRAWS,
    ),
    "multinma, common effect": Run(
        None,
        {PAIR: Stored(-0.47754, 0.04166, -0.55958, -0.47763, -0.39601, 8809)},
        (191.002, 14.015, 205.017),
        10439,
    ),
    "multinma": Run(
        HalfNormal(5),
        {
            PAIR: Stored(-0.75728, 0.21830, -1.19666, -0.75244, -0.32841, 2563),
            "tau": Stored(0.67817, 0.19916, 0.39222, 0.64448, 1.17032, 2832),
        },
        (26.122, 23.568, 49.690),
        2563,
    ),
}


def test_the_effect_of_tsd_3() -> None:
    """TSD 3, BCG, without covariate: mean -0.762, sd 0.22, 95 % interval -1.21 to -0.34."""
    numbers = {"mean": "-0.762", "sd": "0.22", "lower": "-1.21", "upper": "-0.34"}
    assert_near(compared(of(fitted("bcg", SOURCE), PAIR), numbers, DRAWS), PAIR, PLACE)


def test_heterogeneity_of_tsd_3() -> None:
    """TSD 3, BCG, without covariate: median 0.649, sd 0.202, 95 % interval 0.39 to 1.17."""
    numbers = {"median": "0.649", "sd": "0.202", "lower": "0.39", "upper": "1.17"}
    assert_near(compared(of(fitted("bcg", SOURCE), "tau"), numbers, DRAWS), "tau", PLACE)


def test_deviance_of_tsd_3() -> None:
    """TSD 3, BCG, without covariate: 26.1, 23.5 and 49.6."""
    printed = ("26.1", "23.5", "49.6")
    assert_near(compared_fit(fitted("bcg", SOURCE), printed, DRAWS, WINBUGS), "fit", PLACE)


def test_the_effect_in_a_new_trial_of_tsd_3() -> None:
    """TSD 3, BCG, without covariate: 95 % predictive interval -2.27 to 0.72."""
    new = nma.predictive_effects(fitted("bcg", SOURCE), comparators=[PAIR[1]])
    draws = new.sel(treatment=PAIR[0], comparator=PAIR[1]).to_numpy()
    numbers = {"lower": "-2.27", "upper": "0.72"}
    assert_near(compared(draws, numbers, DRAWS), "effect in a new trial", PLACE)


@pytest.mark.parametrize("program", RUNS)
def test_runs_of_other_programs(program: str) -> None:
    assert_run("bcg", RUNS[program], stored_run(program, "BCG vaccine"))
