"""Stroke in atrial fibrillation as rate ratios, without covariates: gemtc and multinma.

All 26 trials, WASPO too, by the Poisson likelihood with person-years. gemtc 1.0-2 (JAGS) has tau
uniform on 0 to 5, multinma 0.5.1 (Stan) half-normal(5), and both have N(0, 100^2) for the rest;
gemtc's effects are those along the edges of a spanning tree.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import pytest

import nma
from nma.priors import HalfNormal, Uniform
from published import Key, Run, Stored, Tau, assert_same, fit
from sources import stored_run

Effects = Mapping[str, Mapping[str, Stored]]
"""By comparator, then by treatment."""

CONTROL = "placebo or standard care"
ADJUSTED = "standard adjusted dose anti-coagulant"
GEMTC_COMMON: Effects = {
    CONTROL: {
        "alternate day aspirin": Stored(-1.90047, 1.32973, -4.98656, -1.71473, 0.16315, 3019),
        "dipyridamole": Stored(-0.23123, 0.28454, -0.80497, -0.22606, 0.31421, 10848),
        "fixed dose warfarin + low dose aspirin": Stored(
            -0.25150, 0.23893, -0.72576, -0.24954, 0.21433, 20940
        ),
        "high dose aspirin": Stored(-0.23566, 0.61691, -1.47885, -0.22500, 0.94861, 18278),
        "low adjusted dose anti-coagulant": Stored(
            -1.11932, 0.30056, -1.72438, -1.11261, -0.54753, 10442
        ),
        "low dose aspirin": Stored(-0.18146, 0.15062, -0.47615, -0.18100, 0.11250, 17821),
        "low dose aspirin + dipyridamole": Stored(
            -0.54972, 0.32299, -1.20737, -0.54251, 0.06174, 36177
        ),
        "medium dose aspirin": Stored(-0.37905, 0.13594, -0.64453, -0.37985, -0.11241, 17244),
        ADJUSTED: Stored(-0.82962, 0.13810, -1.09983, -0.82940, -0.55745, 18454),
    },
    ADJUSTED: {
        "acenocoumarol": Stored(-0.72989, 0.76138, -2.31350, -0.70263, 0.68905, 4577),
        "fixed dose warfarin": Stored(0.91360, 0.32557, 0.27314, 0.91628, 1.54441, 13813),
        "fixed dose warfarin + medium dose aspirin": Stored(
            0.92288, 0.22372, 0.48872, 0.92099, 1.36806, 33159
        ),
        "indobufen": Stored(0.22580, 0.31952, -0.39693, 0.22494, 0.85649, 27626),
        "low dose aspirin + clopidogrel": Stored(
            0.49599, 0.15714, 0.19019, 0.49526, 0.80506, 33961
        ),
        "triflusal": Stored(0.61494, 0.52817, -0.38962, 0.60440, 1.68724, 15560),
        "ximelagatran": Stored(-0.08021, 0.14287, -0.35888, -0.08000, 0.20046, 26582),
    },
}
GEMTC_RANDOM: Effects = {
    CONTROL: {
        "alternate day aspirin": Stored(-1.95172, 1.41160, -5.34060, -1.72960, 0.16865, 501),
        "dipyridamole": Stored(-0.22228, 0.37290, -0.96313, -0.21854, 0.51601, 7045),
        "fixed dose warfarin + low dose aspirin": Stored(
            -0.25883, 0.36060, -0.97441, -0.25982, 0.46334, 18780
        ),
        "high dose aspirin": Stored(-0.25744, 0.66211, -1.60035, -0.24989, 1.01861, 2566),
        "low adjusted dose anti-coagulant": Stored(
            -1.10229, 0.34512, -1.80280, -1.09432, -0.44723, 3226
        ),
        "low dose aspirin": Stored(-0.19266, 0.19369, -0.57446, -0.19265, 0.18581, 6649),
        "low dose aspirin + dipyridamole": Stored(
            -0.54759, 0.40764, -1.36360, -0.54417, 0.25227, 9938
        ),
        "medium dose aspirin": Stored(-0.44262, 0.20017, -0.85517, -0.43635, -0.05950, 7950),
        ADJUSTED: Stored(-0.82667, 0.18195, -1.18658, -0.82566, -0.46939, 6901),
    },
    ADJUSTED: {
        "acenocoumarol": Stored(-0.71675, 0.78260, -2.32783, -0.69251, 0.76714, 1873),
        "fixed dose warfarin": Stored(0.87645, 0.37809, 0.11738, 0.88302, 1.61723, 4431),
        "fixed dose warfarin + medium dose aspirin": Stored(
            0.85336, 0.29626, 0.25497, 0.85411, 1.43056, 10576
        ),
        "indobufen": Stored(0.22424, 0.42120, -0.60116, 0.22430, 1.06868, 11289),
        "low dose aspirin + clopidogrel": Stored(
            0.49752, 0.31212, -0.13751, 0.49788, 1.13335, 40843
        ),
        "triflusal": Stored(0.63024, 0.59787, -0.50475, 0.61380, 1.83565, 5665),
        "ximelagatran": Stored(-0.07655, 0.23949, -0.55803, -0.07626, 0.40497, 23325),
    },
}
MULTINMA_COMMON: Effects = {
    CONTROL: {
        "acenocoumarol": Stored(-1.57347, 0.76399, -3.14269, -1.53523, -0.17983, 3743),
        "alternate day aspirin": Stored(-1.89047, 1.32765, -4.92084, -1.70828, 0.20208, 3338),
        "dipyridamole": Stored(-0.23300, 0.28430, -0.80236, -0.22945, 0.30905, 4254),
        "fixed dose warfarin": Stored(0.09182, 0.34276, -0.59849, 0.09540, 0.74370, 2442),
        "fixed dose warfarin + low dose aspirin": Stored(
            -0.25215, 0.23492, -0.70948, -0.24974, 0.20041, 4651
        ),
        "fixed dose warfarin + medium dose aspirin": Stored(
            0.10011, 0.25683, -0.39503, 0.09861, 0.59867, 1692
        ),
        "high dose aspirin": Stored(-0.24760, 0.61183, -1.51033, -0.22836, 0.89691, 3759),
        "indobufen": Stored(-0.60162, 0.34518, -1.26528, -0.60792, 0.09537, 2789),
        "low adjusted dose anti-coagulant": Stored(
            -1.11633, 0.30346, -1.73052, -1.10518, -0.54963, 4287
        ),
        "low dose aspirin": Stored(-0.18090, 0.14674, -0.47477, -0.18086, 0.10635, 1926),
        "low dose aspirin + clopidogrel": Stored(
            -0.32627, 0.21282, -0.74090, -0.32816, 0.08689, 1567
        ),
        "low dose aspirin + dipyridamole": Stored(
            -0.55560, 0.32098, -1.21846, -0.54395, 0.04098, 3851
        ),
        "medium dose aspirin": Stored(-0.37559, 0.13799, -0.63787, -0.37589, -0.10005, 1541),
        ADJUSTED: Stored(-0.82650, 0.13793, -1.09607, -0.82702, -0.55408, 1032),
        "triflusal": Stored(-0.21151, 0.53408, -1.22403, -0.21950, 0.86804, 3124),
        "ximelagatran": Stored(-0.91154, 0.20023, -1.30866, -0.90898, -0.52353, 1470),
    },
}
MULTINMA_RANDOM: Effects = {
    CONTROL: {
        "acenocoumarol": Stored(-1.58835, 0.81178, -3.28448, -1.56382, -0.07113, 6599),
        "alternate day aspirin": Stored(-1.89161, 1.35860, -5.09983, -1.71280, 0.24244, 5257),
        "dipyridamole": Stored(-0.22934, 0.38449, -1.00476, -0.22224, 0.51344, 6699),
        "fixed dose warfarin": Stored(0.04573, 0.41682, -0.78659, 0.04786, 0.86332, 4463),
        "fixed dose warfarin + low dose aspirin": Stored(
            -0.24962, 0.35686, -0.96332, -0.24742, 0.46801, 6653
        ),
        "fixed dose warfarin + medium dose aspirin": Stored(
            0.02200, 0.33990, -0.66570, 0.02615, 0.68865, 3523
        ),
        "high dose aspirin": Stored(-0.25606, 0.66392, -1.61228, -0.24905, 1.04031, 6613),
        "indobufen": Stored(-0.60155, 0.46011, -1.50935, -0.60530, 0.31399, 4909),
        "low adjusted dose anti-coagulant": Stored(
            -1.10525, 0.33979, -1.77744, -1.10342, -0.43531, 6987
        ),
        "low dose aspirin": Stored(-0.19296, 0.19585, -0.58580, -0.19269, 0.18298, 3839),
        "low dose aspirin + clopidogrel": Stored(
            -0.33998, 0.36592, -1.09617, -0.34025, 0.39607, 3890
        ),
        "low dose aspirin + dipyridamole": Stored(
            -0.54934, 0.41213, -1.39979, -0.53995, 0.23652, 6650
        ),
        "medium dose aspirin": Stored(-0.44722, 0.20573, -0.87425, -0.43833, -0.05059, 2978),
        ADJUSTED: Stored(-0.82972, 0.18510, -1.19627, -0.83134, -0.46403, 2309),
        "triflusal": Stored(-0.22592, 0.62393, -1.42998, -0.23467, 1.02284, 5408),
        "ximelagatran": Stored(-0.90421, 0.30630, -1.52152, -0.90672, -0.28936, 3297),
    },
}


def run(
    tau: Tau, effects: Effects, spread: Stored | None, told: tuple[float, float, float], draws: int
) -> Run:
    """Return what a run says, in the words of the tests."""
    marginals: dict[Key, Stored] = {
        (treatment, comparator): stored
        for comparator, column in effects.items()
        for treatment, stored in column.items()
    }
    return Run(tau, marginals | ({} if spread is None else {"tau": spread}), told, draws)


RUNS = {
    "gemtc, common effect": run(None, GEMTC_COMMON, None, (66.23, 41.49, 107.719), 3019),
    "gemtc": run(
        Uniform(0, 5),
        GEMTC_RANDOM,
        Stored(0.24004, 0.12350, 0.02387, 0.23385, 0.50266, 1532),
        (58.811, 47.738, 106.549),
        501,
    ),
    "multinma, common effect": run(None, MULTINMA_COMMON, None, (66.223, 41.462, 107.685), 1032),
    "multinma": run(
        HalfNormal(5),
        MULTINMA_RANDOM,
        Stored(0.24528, 0.12259, 0.02502, 0.24068, 0.50402, 1432),
        (58.586, 47.774, 106.36),
        1432,
    ),
}


@cache
def fitted(tau: Tau) -> nma.Posterior:
    rates = nma.outcomes.Rate("events", "person_years", better="lower")
    network = nma.Network.from_arms(
        nma.datasets.load("atrial_fibrillation"),
        study="study",
        treatment="treatment",
        outcome=rates,
        reference=CONTROL,
    )
    posterior = fit(network, tau)
    assert not posterior.poor
    return posterior


@pytest.mark.parametrize("program", RUNS)
def test_runs_of_other_programs(program: str) -> None:
    place = stored_run(program, "atrial fibrillation as rate ratios")
    assert_same(fitted(RUNS[program].tau), RUNS[program], place)
