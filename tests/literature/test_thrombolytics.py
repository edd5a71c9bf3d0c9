"""Thrombolytics, common effect: NICE DSU TSD 4 (Dias et al. 2011), gemtc and multinma.

The Monte Carlo error of TSD 4 is taken to be that of gemtc's run.
"""

from __future__ import annotations

import pytest

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
from sources import TSD4, stored_run

DRAWS = 5126
NETWORK = "thrombolytics"
PLACE = TSD4.at(NETWORK, "common effect")

# TSD 4, thrombolytics, common effect, log odds ratios: mean, sd, 2.5 % and 97.5 %
EFFECTS = {
    ("t-PA", "SK"): ("0.002", "0.030", "-0.06", "0.06"),
    ("Acc t-PA", "SK"): ("-0.177", "0.043", "-0.26", "-0.09"),
    ("SK + t-PA", "SK"): ("-0.049", "0.046", "-0.14", "0.04"),
    ("r-PA", "SK"): ("-0.124", "0.060", "-0.24", "-0.01"),
    ("PTCA", "SK"): ("-0.476", "0.101", "-0.67", "-0.28"),
    ("UK", "SK"): ("-0.203", "0.221", "-0.64", "0.23"),
    ("ASPAC", "SK"): ("0.016", "0.037", "-0.06", "0.09"),
    ("PTCA", "t-PA"): ("-0.478", "0.104", "-0.68", "-0.27"),
    ("UK", "t-PA"): ("-0.206", "0.221", "-0.64", "0.23"),
    ("ASPAC", "t-PA"): ("0.013", "0.037", "-0.06", "0.09"),
    ("r-PA", "Acc t-PA"): ("0.054", "0.055", "-0.05", "0.16"),
    ("TNK", "Acc t-PA"): ("0.005", "0.064", "-0.12", "0.13"),
    ("PTCA", "Acc t-PA"): ("-0.298", "0.098", "-0.49", "-0.11"),
    ("UK", "Acc t-PA"): ("-0.026", "0.221", "-0.46", "0.41"),
    ("ASPAC", "Acc t-PA"): ("0.193", "0.056", "0.08", "0.30"),
}
RUNS = {
    "gemtc, common effect": Run(
        None,
        {
            ("ASPAC", "Acc t-PA"): Stored(0.19387, 0.05606, 0.08458, 0.19401, 0.30381, 5389),
            ("PTCA", "Acc t-PA"): Stored(-0.29749, 0.09743, -0.48931, -0.29663, -0.10826, 23341),
            ("r-PA", "Acc t-PA"): Stored(0.05323, 0.05551, -0.05551, 0.05307, 0.16267, 14178),
            ("SK", "Acc t-PA"): Stored(0.17779, 0.04310, 0.09342, 0.17764, 0.26239, 5126),
            ("SK + t-PA", "Acc t-PA"): Stored(0.12816, 0.05361, 0.02320, 0.12808, 0.23337, 10898),
            ("TNK", "Acc t-PA"): Stored(0.00482, 0.06345, -0.11928, 0.00479, 0.12922, 24818),
            ("UK", "Acc t-PA"): Stored(-0.02527, 0.22170, -0.45886, -0.02505, 0.40902, 22262),
            ("t-PA", "ASPAC"): Stored(-0.01362, 0.03663, -0.08546, -0.01361, 0.05828, 13043),
        },
        (105.993, 58.814, 164.807),
        DRAWS,
    ),
    "multinma, common effect": Run(
        None,
        {
            ("Acc t-PA", "SK"): Stored(-0.17740, 0.04340, -0.26471, -0.17698, -0.09343, 6657),
            ("ASPAC", "SK"): Stored(0.01557, 0.03700, -0.05719, 0.01547, 0.08791, 8582),
            ("PTCA", "SK"): Stored(-0.47664, 0.10128, -0.67415, -0.47811, -0.27895, 8559),
            ("r-PA", "SK"): Stored(-0.12379, 0.06000, -0.24379, -0.12317, -0.00837, 8143),
            ("SK + t-PA", "SK"): Stored(-0.04919, 0.04679, -0.14104, -0.04857, 0.04303, 7747),
            ("t-PA", "SK"): Stored(0.00211, 0.03060, -0.05946, 0.00205, 0.06107, 8491),
            ("TNK", "SK"): Stored(-0.17139, 0.07875, -0.32352, -0.17186, -0.01490, 8207),
            ("UK", "SK"): Stored(-0.20392, 0.22275, -0.65183, -0.20319, 0.22717, 8452),
        },
        (106.039, 58.868, 164.908),
        6687,
    ),
}


@pytest.mark.parametrize("pair", EFFECTS)
def test_effects_of_tsd_4(pair: tuple[str, str]) -> None:
    numbers = dict(zip(("mean", "sd", "lower", "upper"), EFFECTS[pair], strict=True))
    assert_near(compared(of(fitted("thrombolytics"), pair), numbers, DRAWS), pair, PLACE)


def test_deviance_of_tsd_4() -> None:
    """TSD 4, thrombolytics, common effect: 105.9, 58 and 163.9."""
    printed = ("105.9", "58", "163.9")
    assert_near(compared_fit(fitted("thrombolytics"), printed, DRAWS, WINBUGS), "fit", PLACE)


@pytest.mark.parametrize("program", RUNS)
def test_runs_of_other_programs(program: str) -> None:
    assert_run("thrombolytics", RUNS[program], stored_run(program, NETWORK))
