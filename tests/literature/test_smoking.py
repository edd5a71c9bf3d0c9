"""Smoking cessation: NICE DSU TSD 4 (Dias et al. 2011), and long runs of gemtc and multinma.

TSD 4 and gemtc 1.0-2 (JAGS) have tau uniform on 0 to 5; multinma 0.5.1 (Stan) and a second run of
gemtc have half-normal(5). The Monte Carlo error of TSD 4 is taken to be that of gemtc's run.
"""

from __future__ import annotations

import pandas as pd
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
    exactly,
    fitted,
    of,
    tolerance,
)
from sources import GEMTC, TSD4, Place, stored_run

NONE, SELF = "no intervention", "self-help"
INDIVIDUAL, GROUP = "individual counselling", "group counselling"
SOURCE, WIDER = Uniform(0, 5), HalfNormal(5)
DRAWS = 19040
NETWORK = "smoking cessation"
PLACE = TSD4.at(NETWORK, "random effects")

# TSD 4, smoking cessation, random effects, log odds ratios: mean, sd, 2.5 % and 97.5 %
EFFECTS = {
    (SELF, NONE): ("0.49", "0.40", "-0.29", "1.31"),
    (INDIVIDUAL, NONE): ("0.84", "0.24", "0.39", "1.34"),
    (GROUP, NONE): ("1.10", "0.44", "0.26", "2.00"),
    (INDIVIDUAL, SELF): ("0.35", "0.41", "-0.46", "1.18"),
    (GROUP, SELF): ("0.61", "0.49", "-0.34", "1.59"),
    (GROUP, INDIVIDUAL): ("0.26", "0.41", "-0.55", "1.09"),
}
RUNS = {
    "gemtc": Run(
        SOURCE,
        {
            (INDIVIDUAL, GROUP): Stored(-0.26056, 0.41760, -1.10020, -0.25655, 0.55881, 19233),
            (NONE, GROUP): Stored(-1.10468, 0.44224, -2.01135, -1.09317, -0.26045, 19040),
            (SELF, GROUP): Stored(-0.61211, 0.48721, -1.59424, -0.60600, 0.33981, 30572),
            "tau": Stored(0.84236, 0.18777, 0.54713, 0.81757, 1.27841, 26303),
        },
        (54.063, 43.893, 97.956),
        DRAWS,
    ),
    "gemtc, random effects, tau half-normal": Run(
        WIDER,
        {
            (INDIVIDUAL, GROUP): Stored(-0.25761, 0.41386, -1.08629, -0.25503, 0.55128, 19530),
            (NONE, GROUP): Stored(-1.10093, 0.43715, -1.99419, -1.08989, -0.26905, 18923),
            (SELF, GROUP): Stored(-0.60939, 0.48572, -1.58407, -0.60423, 0.33939, 30247),
            "tau": Stored(0.83965, 0.18623, 0.54480, 0.81558, 1.27071, 26447),
        },
        (54.065, 43.851, 97.916),
        18923,
    ),
    "multinma": Run(
        WIDER,
        {
            (GROUP, NONE): Stored(1.11011, 0.44534, 0.26422, 1.10110, 2.01461, 10176),
            (INDIVIDUAL, NONE): Stored(0.84978, 0.24149, 0.39932, 0.84040, 1.35052, 6769),
            (SELF, NONE): Stored(0.49304, 0.40887, -0.30910, 0.48959, 1.32419, 10021),
            "tau": Stored(0.84453, 0.18869, 0.54509, 0.82121, 1.28951, 6069),
        },
        (53.908, 43.784, 97.691),
        6100,
    ),
}


@pytest.mark.parametrize("pair", EFFECTS)
def test_effects_of_tsd_4(pair: tuple[str, str]) -> None:
    numbers = dict(zip(("mean", "sd", "lower", "upper"), EFFECTS[pair], strict=True))
    assert_near(compared(of(fitted("smoking", SOURCE), pair), numbers, DRAWS), pair, PLACE)


def test_heterogeneity_of_tsd_4() -> None:
    """TSD 4, smoking cessation: median 0.82, sd 0.19, 95 % interval 0.55 to 1.27."""
    numbers = {"median": "0.82", "sd": "0.19", "lower": "0.55", "upper": "1.27"}
    assert_near(compared(of(fitted("smoking", SOURCE), "tau"), numbers, 26303), "tau", PLACE)


def test_deviance_of_tsd_4() -> None:
    """TSD 4, smoking cessation: 54.0, 45.0 and 99.0, at the mean of the linear predictor."""
    printed = ("54.0", "45.0", "99.0")
    assert_near(compared_fit(fitted("smoking", SOURCE), printed, DRAWS, WINBUGS), "fit", PLACE)


# Rank probabilities, highest odds best: of the run that gemtc ships with its own tests, whose tau
# is uniform on 0 to the largest log odds ratio of a trial, about 2.8, and of gemtc 1.0-2 with
# tau uniform on 0 to 5. Posterior tau above 2.7 has no probability to speak of, so both are of one.
FIRST = {NONE: "0.0002", SELF: "0.0591", INDIVIDUAL: "0.2280", GROUP: "0.7129"}
RANKS = {
    GROUP: (0.70793, 0.223445, 0.064355, 0.00427),
    INDIVIDUAL: (0.2356, 0.600655, 0.163525, 0.00022),
    NONE: (0.000005, 0.00231, 0.104315, 0.89337),
    SELF: (0.056465, 0.17359, 0.667805, 0.10214),
}
SUCRA = {GROUP: 0.878345, INDIVIDUAL: 0.690545, NONE: 0.036317, SELF: 0.394793}


@pytest.mark.parametrize("treatment", RANKS)
def test_rank_probabilities_of_gemtc(treatment: str) -> None:
    posterior = fitted("smoking", SOURCE)
    assert (of(posterior, "tau") > 2.7).mean() < 1e-4
    ours = nma.rank_probabilities(posterior).to_numpy()[posterior.position(treatment)].tolist()
    draws = nma.ranks(posterior).sel(treatment=treatment).to_numpy()
    own = GEMTC.at(NETWORK, "run kept with gemtc's own tests")
    run = stored_run("gemtc", NETWORK)
    probabilities: list[tuple[int, str | float, Place]] = [
        (1, FIRST[treatment], own),
        *((rank, stored, run) for rank, stored in enumerate(RANKS[treatment], start=1)),
    ]
    for rank, theirs, place in probabilities:
        spread = (float(theirs) * (1 - float(theirs))) ** 0.5
        errors = spread / DRAWS**0.5, spread / draws.size**0.5
        table = exactly([ours[rank - 1]], {"probability": theirs}, tolerance(theirs, *errors))
        assert_near(table, f"rank {rank} of {treatment}", place)
    table = compared((4 - draws) / 3, {"mean": SUCRA[treatment]}, DRAWS)
    assert_near(table, f"SUCRA of {treatment}", run)
    row = pd.DataFrame(nma.sucra(posterior)).loc[treatment]
    assert row["sucra"] == pytest.approx(((4 - draws) / 3).mean())
    assert row["p_best"] == pytest.approx(ours[0])


@pytest.mark.parametrize("program", RUNS)
def test_runs_of_other_programs(program: str) -> None:
    assert_run("smoking", RUNS[program], stored_run(program, NETWORK))
