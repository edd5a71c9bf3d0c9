"""Beta-blockers: NICE DSU TSD 2 (Dias et al. 2011), example 1, and runs of gemtc and multinma.

Log odds ratios. TSD 2 and gemtc 1.0-2 have tau uniform on 0 to 5, multinma 0.5.1 has
half-normal(5). The Monte Carlo error of TSD 2 is taken to be that of gemtc's runs.
"""

from __future__ import annotations

import numpy as np
import pytest

import nma
from nma.priors import HalfNormal, Normal, Uniform
from published import (
    WINBUGS,
    Run,
    Stored,
    Tau,
    assert_near,
    assert_run,
    compared,
    compared_fit,
    exactly,
    fitted,
    model_of,
    of,
    tolerance,
)
from sources import TSD2, Place, stored_run

PAIR = ("beta blocker", "control")
TURNED = ("control", "beta blocker")
SOURCE, WIDER = Uniform(0, 5), HalfNormal(5)
NAMES = ("mean", "sd", "median", "lower", "upper")
FEWEST: dict[Tau, int] = {None: 37247, SOURCE: 2554}
NETWORK = "beta-blockers"


def place(tau: Tau) -> Place:
    return TSD2.at(NETWORK, "example 1", model_of(tau))


# TSD 2, example 1: mean, sd, median, 2.5 % and 97.5 %
COMMON = ("-0.26", "0.050", "-0.26", "-0.36", "-0.16")
RANDOM = ("-0.25", "0.066", "-0.25", "-0.38", "-0.12")
TAU = ("0.14", "0.082", "0.13", "0.01", "0.32")
RUNS = {
    "gemtc, common effect": Run(
        None,
        {TURNED: Stored(0.26205, 0.04994, 0.16387, 0.26215, 0.35954, 37247)},
        (46.759, 23.139, 69.898),
        37247,
    ),
    "gemtc": Run(
        SOURCE,
        {
            TURNED: Stored(0.24774, 0.06532, 0.11469, 0.24916, 0.37398, 10619),
            "tau": Stored(0.13467, 0.08255, 0.00749, 0.12766, 0.31798, 2554),
        },
        (41.834, 28.209, 70.042),
        2554,
    ),
    "multinma, common effect": Run(
        None,
        {PAIR: Stored(-0.26197, 0.05003, -0.35703, -0.26248, -0.16343, 8317)},
        (46.748, 23.128, 69.876),
        8417,
    ),
    "multinma": Run(
        WIDER,
        {
            PAIR: Stored(-0.24930, 0.06423, -0.37169, -0.25057, -0.12037, 6653),
            "tau": Stored(0.13685, 0.08234, 0.00895, 0.12887, 0.31539, 2292),
        },
        (41.803, 28.270, 70.073),
        2292,
    ),
}


@pytest.mark.parametrize(("tau", "printed"), [(None, COMMON), (SOURCE, RANDOM)])
def test_effects_of_tsd_2(tau: Tau, printed: tuple[str, ...]) -> None:
    numbers = dict(zip(NAMES, printed, strict=True))
    draws = of(fitted("blocker", tau), PAIR)
    assert_near(compared(draws, numbers, FEWEST[tau]), PAIR, place(tau))


def test_heterogeneity_of_tsd_2() -> None:
    numbers = dict(zip(NAMES, TAU, strict=True))
    draws = of(fitted("blocker", SOURCE), "tau")
    assert_near(compared(draws, numbers, FEWEST[SOURCE]), "tau", place(SOURCE))


@pytest.mark.parametrize(
    ("tau", "printed"), [(None, ("46.8", "23.0", "69.8")), (SOURCE, ("41.9", "28.1", "70.0"))]
)
def test_deviance_of_tsd_2(tau: Tau, printed: tuple[str, str, str]) -> None:
    """TSD 2, example 1: residual deviance, pD and DIC."""
    table = compared_fit(fitted("blocker", tau), printed, FEWEST[tau], WINBUGS)
    assert_near(table, "fit", place(tau))


@pytest.mark.parametrize("tau", [None, SOURCE])
def test_risks_of_tsd_2(tau: Tau) -> None:
    """TSD 2, example 1: risk 0.11 on control and 0.09 on beta blocker, logit N(-2.2, 1/3.3)."""
    level = Normal(-2.2, 3.3**-0.5)
    table = nma.absolute_table(fitted("blocker", tau), reference_level=level)
    for treatment, printed in (("control", "0.11"), ("beta blocker", "0.09")):
        theirs, ours = table["sd"][treatment] / np.sqrt(FEWEST[tau]), table["mcse"][treatment]
        found = exactly(
            [table["mean"][treatment]], {"mean": printed}, tolerance(printed, theirs, ours)
        )
        assert_near(found, f"risk on {treatment}", place(tau))


@pytest.mark.parametrize("program", RUNS)
def test_runs_of_other_programs(program: str) -> None:
    assert_run("blocker", RUNS[program], stored_run(program, NETWORK))
