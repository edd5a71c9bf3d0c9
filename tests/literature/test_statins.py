"""Statins without the covariate: runs of gemtc and multinma on the trials of NICE DSU TSD 3.

Log odds ratios. gemtc 1.0-2 has tau uniform on 0 to 5, multinma 0.5.1 has half-normal(5).
"""

from __future__ import annotations

import pytest

from nma.priors import HalfNormal, Uniform
from published import Run, Stored, assert_run
from sources import stored_run

PAIR = ("statin", "placebo")
RUNS = {
    "gemtc, common effect": Run(
        None,
        {PAIR: Stored(-0.26560, 0.04660, -0.35668, -0.26556, -0.17404, 45893)},
        (48.399, 20.694, 69.093),
        45893,
    ),
    "gemtc": Run(
        Uniform(0, 5),
        {
            PAIR: Stored(-0.25627, 0.12461, -0.52533, -0.25641, -0.00257, 16787),
            "tau": Stored(0.24565, 0.20856, 0.00836, 0.19247, 0.78087, 1745),
        },
        (43.791, 24.844, 68.634),
        1745,
    ),
    "multinma, common effect": Run(
        None,
        {PAIR: Stored(-0.26536, 0.04641, -0.35637, -0.26555, -0.17473, 7740)},
        (48.426, 20.720, 69.146),
        8027,
    ),
    "multinma": Run(
        HalfNormal(5),
        {
            PAIR: Stored(-0.25741, 0.12091, -0.51741, -0.25541, -0.01738, 1295),
            "tau": Stored(0.24009, 0.19953, 0.00862, 0.18956, 0.76172, 1234),
        },
        (43.762, 24.724, 68.485),
        1271,
    ),
}


@pytest.mark.parametrize("program", RUNS)
def test_runs_of_other_programs(program: str) -> None:
    assert_run("statins", RUNS[program], stored_run(program, "statins"))
