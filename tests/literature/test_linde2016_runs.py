"""Depression in primary care (Linde et al. 2016), all treatments apart: gemtc and multinma.

gemtc 1.0-2 (JAGS; tau uniform on 0 to 5) and multinma 0.5.1 (Stan; tau half-normal(5)), binomial
likelihood, N(0, 100^2) for the rest; gemtc's effects are those along the edges of a spanning tree.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from nma.priors import HalfNormal, Uniform
from published import Key, Run, Stored, Tau, assert_run
from sources import stored_run

Effects = Mapping[str, Mapping[str, Stored]]
"""By comparator, then by treatment."""

GEMTC_COMMON: Effects = {
    "Face-to-face CBT": {
        "Remote CBT": Stored(0.01773, 0.15593, -0.28618, 0.01742, 0.32299, 14549),
    },
    "Face-to-face interpsy": {
        "Face-to-face interpsy + SSRI": Stored(0.47608, 0.17713, 0.13045, 0.47640, 0.82446, 20049),
    },
    "Face-to-face PST": {
        "Face-to-face PST + SSRI": Stored(0.12098, 0.39851, -0.65540, 0.11751, 0.90944, 43993),
    },
    "Other face-to-face": {
        "Ind drug": Stored(0.28502, 0.41337, -0.51946, 0.28257, 1.10166, 26304),
    },
    "SSRI": {
        "Face-to-face CBT + SSRI": Stored(3.17855, 1.00517, 1.39593, 3.11421, 5.34646, 36259),
        "Face-to-face psychodyn": Stored(-0.11670, 0.59547, -1.28686, -0.11389, 1.04518, 25815),
        "NRI": Stored(-0.16978, 0.16828, -0.49945, -0.17013, 0.15994, 24630),
    },
    "TCA": {
        "Face-to-face CBT": Stored(0.14365, 0.22334, -0.29141, 0.14304, 0.58069, 3923),
        "Face-to-face interpsy": Stored(-0.48030, 0.15641, -0.78817, -0.48014, -0.17368, 11490),
        "Face-to-face PST": Stored(-0.23957, 0.16747, -0.57002, -0.23915, 0.08865, 13021),
        "Hypericum": Stored(0.15492, 0.10035, -0.04183, 0.15488, 0.35060, 14669),
        "Low-dose SARI": Stored(0.04005, 0.16595, -0.28395, 0.03997, 0.36593, 19944),
        "NaSSa": Stored(-0.35105, 0.13908, -0.62233, -0.35088, -0.07846, 15159),
        "Other face-to-face": Stored(0.06267, 0.22142, -0.37500, 0.06422, 0.49428, 4645),
        "Placebo": Stored(-0.55681, 0.07884, -0.71076, -0.55666, -0.40187, 13443),
        "rMAO-A": Stored(-0.48974, 0.16613, -0.81552, -0.48984, -0.16302, 22940),
        "SNRI": Stored(0.13696, 0.09495, -0.04996, 0.13695, 0.32234, 14744),
        "SSRI": Stored(-0.01056, 0.05508, -0.11849, -0.01036, 0.09758, 10766),
        "UC": Stored(-0.44471, 0.18508, -0.80777, -0.44411, -0.08189, 4050),
    },
    "UC": {
        "No contact CBT": Stored(0.42480, 0.17204, 0.08790, 0.42438, 0.76237, 32705),
        "Self-help CBT": Stored(0.52080, 0.15881, 0.21030, 0.52066, 0.83304, 29217),
    },
}
GEMTC_RANDOM: Effects = {
    "Face-to-face CBT": {
        "Remote CBT": Stored(0.04235, 0.18322, -0.31270, 0.04128, 0.40898, 4140),
    },
    "Face-to-face interpsy": {
        "Face-to-face interpsy + SSRI": Stored(0.45994, 0.22594, 0.00784, 0.46069, 0.90108, 7857),
    },
    "Face-to-face PST": {
        "Face-to-face PST + SSRI": Stored(0.10707, 0.41390, -0.70306, 0.10762, 0.92116, 3408),
    },
    "Other face-to-face": {
        "Ind drug": Stored(0.30630, 0.46208, -0.60209, 0.30486, 1.19155, 2675),
    },
    "SSRI": {
        "Face-to-face CBT + SSRI": Stored(3.10978, 0.98144, 1.33888, 3.06904, 5.15152, 883),
        "Face-to-face psychodyn": Stored(-0.12368, 0.61925, -1.34622, -0.12058, 1.08086, 1957),
        "NRI": Stored(-0.17216, 0.22819, -0.62165, -0.17358, 0.28252, 12697),
    },
    "TCA": {
        "Face-to-face CBT": Stored(0.18690, 0.25504, -0.32840, 0.19047, 0.67498, 1190),
        "Face-to-face interpsy": Stored(-0.45063, 0.18931, -0.81247, -0.45484, -0.07591, 3597),
        "Face-to-face PST": Stored(-0.22116, 0.18781, -0.58956, -0.22004, 0.14863, 3054),
        "Hypericum": Stored(0.14579, 0.11257, -0.07831, 0.14652, 0.36412, 3777),
        "Low-dose SARI": Stored(0.04208, 0.18387, -0.32040, 0.04442, 0.40102, 3933),
        "NaSSa": Stored(-0.37734, 0.15559, -0.68976, -0.37739, -0.07344, 3317),
        "Other face-to-face": Stored(0.11187, 0.25489, -0.39956, 0.11575, 0.60654, 1269),
        "Placebo": Stored(-0.56991, 0.08933, -0.74577, -0.56990, -0.39770, 3185),
        "rMAO-A": Stored(-0.49155, 0.19067, -0.87010, -0.49164, -0.12077, 4790),
        "SNRI": Stored(0.09945, 0.12617, -0.15644, 0.10251, 0.34129, 4855),
        "SSRI": Stored(-0.01879, 0.06661, -0.15028, -0.01793, 0.11048, 3379),
        "UC": Stored(-0.39798, 0.21567, -0.82950, -0.39274, 0.00901, 1133),
    },
    "UC": {
        "No contact CBT": Stored(0.42951, 0.19687, 0.03985, 0.42866, 0.81485, 4094),
        "Self-help CBT": Stored(0.52197, 0.17889, 0.17765, 0.51954, 0.87893, 4645),
    },
}
MULTINMA_COMMON: Effects = {
    "Placebo": {
        "Face-to-face CBT": Stored(0.70324, 0.22892, 0.25728, 0.70242, 1.15746, 750),
        "Face-to-face CBT + SSRI": Stored(3.72853, 1.00314, 1.94111, 3.66585, 5.92020, 6065),
        "Face-to-face interpsy": Stored(0.07733, 0.16680, -0.25037, 0.07736, 0.40496, 1518),
        "Face-to-face interpsy + SSRI": Stored(0.55236, 0.19110, 0.17608, 0.55192, 0.92686, 2321),
        "Face-to-face PST": Stored(0.32268, 0.16784, -0.01097, 0.32435, 0.64534, 2700),
        "Face-to-face PST + SSRI": Stored(0.44428, 0.41465, -0.37285, 0.43845, 1.24749, 8480),
        "Face-to-face psychodyn": Stored(0.43698, 0.59493, -0.74369, 0.44134, 1.59252, 7516),
        "Hypericum": Stored(0.71005, 0.09813, 0.51815, 0.71010, 0.90094, 2300),
        "Ind drug": Stored(0.90386, 0.46903, -0.00593, 0.89694, 1.83148, 2513),
        "Low-dose SARI": Stored(0.59484, 0.17783, 0.24822, 0.59690, 0.94461, 2710),
        "NaSSa": Stored(0.20586, 0.14393, -0.07648, 0.20646, 0.49332, 2780),
        "No contact CBT": Stored(0.54115, 0.26050, 0.01572, 0.53997, 1.05189, 908),
        "NRI": Stored(0.37318, 0.18520, 0.00985, 0.37330, 0.73592, 3187),
        "Other face-to-face": Stored(0.62057, 0.22429, 0.17737, 0.61999, 1.06748, 744),
        "Remote CBT": Stored(0.72122, 0.22933, 0.27633, 0.72167, 1.17027, 754),
        "rMAO-A": Stored(0.06350, 0.18235, -0.29318, 0.06472, 0.42231, 2850),
        "Self-help CBT": Stored(0.63818, 0.24765, 0.15332, 0.63917, 1.11931, 808),
        "SNRI": Stored(0.69388, 0.10626, 0.48538, 0.69401, 0.90247, 1427),
        "SSRI": Stored(0.54556, 0.07375, 0.40123, 0.54549, 0.69093, 903),
        "TCA": Stored(0.55584, 0.07869, 0.39930, 0.55627, 0.71185, 948),
        "UC": Stored(0.11663, 0.19211, -0.26197, 0.11688, 0.48950, 597),
    },
}
MULTINMA_RANDOM: Effects = {
    "Placebo": {
        "Face-to-face CBT": Stored(0.74811, 0.26600, 0.22001, 0.74928, 1.26815, 966),
        "Face-to-face CBT + SSRI": Stored(3.74985, 1.01883, 1.93102, 3.68724, 5.96020, 7897),
        "Face-to-face interpsy": Stored(0.12441, 0.20415, -0.26641, 0.11947, 0.53559, 2062),
        "Face-to-face interpsy + SSRI": Stored(0.57824, 0.24129, 0.10898, 0.57491, 1.05960, 4567),
        "Face-to-face PST": Stored(0.34618, 0.19280, -0.02200, 0.34291, 0.72591, 2890),
        "Face-to-face PST + SSRI": Stored(0.44838, 0.43760, -0.40369, 0.44905, 1.30521, 9032),
        "Face-to-face psychodyn": Stored(0.43754, 0.61288, -0.76931, 0.43099, 1.64613, 9651),
        "Hypericum": Stored(0.71492, 0.11046, 0.49349, 0.71560, 0.93115, 3804),
        "Ind drug": Stored(0.96922, 0.52082, -0.04479, 0.96821, 2.00440, 2975),
        "Low-dose SARI": Stored(0.61656, 0.20235, 0.21259, 0.61413, 1.02393, 3963),
        "NaSSa": Stored(0.19332, 0.16519, -0.12990, 0.19329, 0.51230, 3826),
        "No contact CBT": Stored(0.59736, 0.29458, 0.02491, 0.59972, 1.17576, 1217),
        "NRI": Stored(0.37778, 0.24631, -0.11580, 0.37782, 0.86470, 6574),
        "Other face-to-face": Stored(0.68243, 0.26285, 0.16848, 0.68007, 1.19292, 974),
        "Remote CBT": Stored(0.79206, 0.27521, 0.24559, 0.79208, 1.33895, 1019),
        "rMAO-A": Stored(0.08099, 0.21051, -0.32882, 0.07920, 0.49963, 4178),
        "Self-help CBT": Stored(0.69788, 0.28362, 0.14783, 0.69858, 1.25797, 1104),
        "SNRI": Stored(0.66515, 0.13989, 0.39002, 0.66497, 0.94290, 3096),
        "SSRI": Stored(0.54995, 0.08535, 0.38582, 0.54941, 0.71948, 1710),
        "TCA": Stored(0.57200, 0.09261, 0.39506, 0.57125, 0.75455, 1679),
        "UC": Stored(0.17060, 0.22454, -0.26747, 0.17320, 0.61216, 799),
    },
}


def run(
    effects: Effects,
    heterogeneity: Mapping[Key, Stored],
    tau: Tau,
    fit: tuple[float, float, float],
    draws: int,
) -> Run:
    """Return what a run says, keyed by treatment and comparator."""
    told: dict[Key, Stored] = {
        (treatment, comparator): stored
        for comparator, stored_effects in effects.items()
        for treatment, stored in stored_effects.items()
    }
    return Run(tau, {**told, **heterogeneity}, fit, draws)


RUNS = {
    "gemtc, common effect": run(GEMTC_COMMON, {}, None, (219.438, 114.607, 334.045), 3923),
    "gemtc, random effects": run(
        GEMTC_RANDOM,
        {"tau": Stored(0.13927, 0.06499, 0.01890, 0.14061, 0.26647, 617)},
        Uniform(0, 5),
        (202.503, 130.160, 332.663),
        617,
    ),
    "multinma, common effect": run(MULTINMA_COMMON, {}, None, (219.379, 114.548, 333.927), 597),
    "multinma, random effects": run(
        MULTINMA_RANDOM,
        {"tau": Stored(0.14228, 0.06636, 0.01335, 0.14576, 0.26640, 752)},
        HalfNormal(5),
        (201.903, 130.590, 332.494),
        777,
    ),
}


@pytest.mark.parametrize("program", RUNS)
def test_runs_of_other_programs(program: str) -> None:
    place = stored_run(program, "depression in primary care")
    assert_run("linde2016", RUNS[program], place)
