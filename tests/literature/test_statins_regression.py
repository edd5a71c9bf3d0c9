"""Statins in primary and secondary prevention: NICE DSU TSD 3 (Dias et al. 2011), gemtc, multinma.

Log odds ratios; the effect is that of primary prevention, the interaction what secondary prevention
adds. TSD 3 and gemtc 1.0-2 have tau uniform on 0 to 5, multinma 0.5.1 has half-normal(5). TSD 3 has
N(0, 100^2) for the interaction, multinma N(0, 10^2), which is the same to 7e-4 of its sd. gemtc
reports effects at the mean of secondary prevention, 14 of 19 trials, and has a Cauchy prior for the
interaction, whose scale is the largest log odds ratio of a trial with half a death added to each
cell. The Monte Carlo error of TSD 3 is taken to be that of gemtc's runs.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

import nma
from nma import fit_measures
from nma.priors import HalfNormal, Uniform
from published import (
    WINBUGS,
    Run,
    Stored,
    Tau,
    assert_apart,
    assert_near,
    assert_same,
    compared,
    compared_fit,
    fitted,
    model_of,
    of,
    regression,
    weighed,
)
from sources import TSD3, Place, stored_run

PAIR = ("statin", "placebo")
PRIMARY = "statin versus placebo, primary prevention"
SLOPE = "statin vs placebo, prevention secondary"
SOURCE = Uniform(0, 5)
DRAWS, COMMON_DRAWS = 1761, 40979
NETWORK = "statins by prevention"
BY_PREVENTION = regression("prevention", "placebo")
MULTINMA = {
    "common effect": Run(
        None,
        {
            PAIR: Stored(-0.10595, 0.09787, -0.29902, -0.10650, 0.08841, 4780),
            SLOPE: Stored(-0.20604, 0.11238, -0.42684, -0.20673, 0.01850, 5282),
        },
        (45.774, 21.519, 67.293),
        4780,
    ),
    "random effects": Run(
        HalfNormal(5),
        {
            PAIR: Stored(-0.06764, 0.20771, -0.49923, -0.07548, 0.38399, 3770),
            SLOPE: Stored(-0.29801, 0.26413, -0.91091, -0.27667, 0.21658, 4203),
            "tau": Stored(0.24264, 0.19960, 0.00993, 0.19041, 0.74974, 2043),
        },
        (42.427, 24.891, 67.318),
        2043,
    ),
}
GEMTC = {
    "common effect": Run(
        None,
        {SLOPE: Stored(-0.20558, 0.11129, -0.42282, -0.20587, 0.01248, 40979)},
        (45.948, 21.694, 67.642),
        COMMON_DRAWS,
    ),
    "random effects": Run(
        SOURCE,
        {
            SLOPE: Stored(-0.28960, 0.24967, -0.84180, -0.27184, 0.17845, 4143),
            "tau": Stored(0.23702, 0.19965, 0.00838, 0.18755, 0.74499, 1761),
        },
        (42.717, 25.059, 67.776),
        DRAWS,
    ),
}
GEMTC_AT_THE_MEAN = {
    "common effect": Stored(-0.25750, 0.04687, -0.34954, -0.25747, -0.16577, 46189),
    "random effects": Stored(-0.28651, 0.12623, -0.56733, -0.27786, -0.04110, 11919),
}


def place(tau: Tau) -> Place:
    return TSD3.at(NETWORK, model_of(tau))


def by_prevention(tau: Tau) -> nma.Posterior:
    return fitted("statins", tau, BY_PREVENTION)


def test_the_common_effect_of_tsd_3() -> None:
    """TSD 3, statins, common effect: mean -0.11, sd 0.10, 95 % interval -0.30 to 0.09."""
    numbers = {"mean": "-0.11", "sd": "0.10", "lower": "-0.30", "upper": "0.09"}
    assert_near(
        compared(of(by_prevention(None), PAIR), numbers, COMMON_DRAWS), PRIMARY, place(None)
    )


def test_the_common_interaction_of_tsd_3() -> None:
    """TSD 3, statins, common effect: mean -0.21, sd 0.11, 95 % interval -0.42 to 0.01."""
    numbers = {"mean": "-0.21", "sd": "0.11", "lower": "-0.42", "upper": "0.01"}
    assert_near(compared(of(by_prevention(None), SLOPE), numbers, COMMON_DRAWS), SLOPE, place(None))


def test_the_deviance_of_the_common_effect_of_tsd_3() -> None:
    """TSD 3, statins, common effect: 45.9, and a pD of 21.0 between those of the two plug-ins."""
    posterior = by_prevention(None)
    found = compared_fit(posterior, ("45.9", "21.0", "66.9"), COMMON_DRAWS)
    assert_near(found.loc[["deviance"]], "fit", place(None))
    assert_apart(found.loc[["pD", "DIC"]], "fit", place(None))
    at_predictors = fit_measures.dic(posterior, plug_in=WINBUGS)["pD"].item()
    assert at_predictors < 21.0 < found["ours"]["pD"]


def test_the_effect_of_tsd_3() -> None:
    """TSD 3, statins, random effects: mean -0.07, sd 0.20, 95 % interval -0.48 to 0.36."""
    numbers = {"mean": "-0.07", "sd": "0.20", "lower": "-0.48", "upper": "0.36"}
    assert_near(compared(of(by_prevention(SOURCE), PAIR), numbers, DRAWS), PRIMARY, place(SOURCE))


def test_the_interaction_of_tsd_3() -> None:
    """TSD 3, statins, random effects: mean -0.29, sd 0.26, 95 % interval -0.86 to 0.20."""
    numbers = {"mean": "-0.29", "sd": "0.26", "lower": "-0.86", "upper": "0.20"}
    assert_near(compared(of(by_prevention(SOURCE), SLOPE), numbers, DRAWS), SLOPE, place(SOURCE))


def test_heterogeneity_of_tsd_3() -> None:
    """TSD 3, statins, random effects: median 0.19, sd 0.20, 95 % interval 0.01 to 0.76."""
    numbers = {"median": "0.19", "sd": "0.20", "lower": "0.01", "upper": "0.76"}
    assert_near(compared(of(by_prevention(SOURCE), "tau"), numbers, DRAWS), "tau", place(SOURCE))


def test_the_deviance_of_tsd_3() -> None:
    """TSD 3, statins, random effects: 42.6, 24.2 and 66.8."""
    printed = ("42.6", "24.2", "66.8")
    table = compared_fit(by_prevention(SOURCE), printed, DRAWS, WINBUGS)
    assert_near(table, "fit", place(SOURCE))


@pytest.mark.parametrize("model", MULTINMA)
def test_runs_of_multinma(model: str) -> None:
    run = MULTINMA[model]
    assert_same(by_prevention(run.tau), run, stored_run(f"multinma, {model}", NETWORK))


@cache
def under_gemtcs_prior(model: str) -> nma.Posterior:
    posterior = by_prevention(GEMTC[model].tau)
    cells = nma.datasets.load("statins").pivot_table(
        index="study", columns="treatment", values=["events", "n"]
    )
    odds = (cells["events"] + 0.5) / (cells["n"] - cells["events"] + 0.5)
    largest = float(np.log(odds["statin"] / odds["placebo"]).abs().max())
    return weighed(posterior, 1 / (1 + (of(posterior, SLOPE) / largest) ** 2))


@pytest.mark.parametrize("model", GEMTC)
def test_runs_of_gemtc(model: str) -> None:
    run = stored_run(f"gemtc, {model}", NETWORK)
    assert_same(under_gemtcs_prior(model), GEMTC[model], run)


@pytest.mark.parametrize("model", GEMTC_AT_THE_MEAN)
def test_effects_of_gemtc_at_the_mean_of_secondary_prevention(model: str) -> None:
    posterior, stored = under_gemtcs_prior(model), GEMTC_AT_THE_MEAN[model]
    prevention = nma.datasets.load("statins").groupby("study")["prevention"].first()
    share = float((prevention == "secondary").mean())
    mean = of(posterior, PAIR) + share * of(posterior, SLOPE)
    what = "statin versus placebo, at the mean of secondary prevention"
    run = stored_run(f"gemtc, {model}", NETWORK)
    assert_near(compared(mean, stored.numbers, stored.draws), what, run)


def test_what_secondary_prevention_adds_is_the_difference_of_the_two_effects() -> None:
    posterior = by_prevention(None)
    secondary = of(nma.at(posterior, prevention="secondary"), PAIR)
    added = pd.Series((secondary - of(posterior, PAIR)).ravel())
    np.testing.assert_allclose(added, of(posterior, SLOPE).ravel(), atol=1e-12)
