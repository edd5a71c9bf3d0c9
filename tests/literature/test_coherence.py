"""Inconsistency by least squares against netmeta 3.3-1 (R 4.2.2), to 1e-6.

Senn et al. 2013 (mean differences) and smoking cessation (log odds ratios by the normal
approximation): ``decomp.design``, ``netsplit`` by back-calculation and ``netmeasures``, random
effects at DerSimonian-Laird tau.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pandas as pd
import pytest

import nma
from published import assert_near, exactly
from sources import NETMETA, Place

SENN_WITHIN = {
    "metformin : placebo": (42.1643140826748, 2),
    "placebo : rosiglitazone": (21.2733619458499, 5),
    "miglitol : placebo": (6.44927777993925, 2),
    "benfluorex : placebo": (4.3813771307813, 1),
    "metformin : rosiglitazone": (0.186950796267318, 1),
}
SENN_DETACHED = {
    "acarbose : sulfonylurea": (22.5171402360241, 6),
    "metformin : pioglitazone": (17.1286394598212, 6),
    "metformin : rosiglitazone": (22.5202925201917, 6),
    "metformin : sulfonylurea": (7.51348695050416, 6),
    "pioglitazone : rosiglitazone": (22.4835544333847, 6),
    "acarbose : placebo": (22.4444629717484, 6),
    "metformin : placebo": (22.0695173806734, 6),
    "pioglitazone : placebo": (17.246842418841, 6),
    "placebo : rosiglitazone": (16.2907102021363, 6),
    "rosiglitazone : sulfonylurea": (6.77165693829367, 6),
    "acarbose : metformin : placebo": (22.3844276510587, 5),
}
SMOKING_DETACHED = {
    "group counselling : individual counselling": (13.9044438190178, 6),
    "group counselling : self-help": (13.5057439987923, 6),
    "individual counselling : self-help": (13.0222932637145, 6),
    "group counselling : no intervention": (11.6514091985494, 6),
    "individual counselling : no intervention": (15.0892091641026, 6),
    "no intervention : self-help": (14.2791117696549, 6),
    "group counselling : individual counselling : self-help": (14.053832832214, 5),
    "group counselling : individual counselling : no intervention": (7.4647433519032, 5),
}
GROUP, SINGLE, NONE, SELF = (
    "group counselling",
    "individual counselling",
    "no intervention",
    "self-help",
)
# direct, se; indirect, se; difference, se; z; p, of the first against the second
SMOKING_SPLITS = {
    (GROUP, SINGLE): (
        *(-0.0798752589030497, 0.452634240717006, 0.895636293910699, 0.773644411535088),
        *(-0.975511552813749, 0.896327747740152, -1.08834246766681, 0.276443949241769),
    ),
    (GROUP, NONE): (
        *(0.892858698298929, 0.799714895928941, 0.905699501171415, 0.480045607002235),
        *(-0.0128408028724855, 0.932731311564472, -0.0137668830383184, 0.989015963536481),
    ),
    (GROUP, SELF): (
        *(0.620082279584493, 0.621459006234002, 0.337635032915288, 0.654001911916908),
        *(0.282447246669205, 0.902180579052955, 0.313071743315178, 0.754226156323538),
    ),
    (SINGLE, NONE): (
        *(0.743465518361442, 0.230903215961546, 0.643936560596419, 0.688619484347716),
        *(0.0995289577650231, 0.726300963351075, 0.137035420283359, 0.891002797859763),
    ),
    (SINGLE, SELF): (
        *(-0.0761294355955439, 0.629367259936798, 0.541044920488059, 0.474840514588078),
        *(-0.617174356083603, 0.788401333189274, -0.782817494215774, 0.433734292883222),
    ),
    (SELF, NONE): (
        *(0.325195965192066, 0.483895040042332, 0.54128014868056, 0.567099968503645),
        *(-0.216084183488494, 0.745490968459314, -0.289854864285035, 0.771927272989939),
    ),
}
# share of direct evidence and mean path length
MEASURES: dict[str, dict[tuple[str, str], tuple[float, float]]] = {
    "senn2013": {
        ("acarbose", "placebo"): (0.652578771320257, 1.78100540649176),
        ("acarbose", "metformin"): (0.281224092924669, 2.00823091711888),
        ("acarbose", "sulfonylurea"): (0.531146174304005, 1.81925365890483),
        ("metformin", "pioglitazone"): (0.438872064258097, 1.69087596728744),
        ("metformin", "placebo"): (0.560577416023613, 1.56583595816786),
        ("metformin", "rosiglitazone"): (0.338679827754477, 1.72371218252942),
        ("metformin", "sulfonylurea"): (0.450923632609445, 1.8531212959228),
        ("placebo", "rosiglitazone"): (0.756499858118, 1.30635951454785),
        ("placebo", "sitagliptin"): (1.0, 1.0),
        ("sitagliptin", "sulfonylurea"): (0.0, 3.112113517037),
    },
    "smoking": {
        (GROUP, SINGLE): (0.744987701234527, 1.46439547782586),
        (GROUP, NONE): (0.264881658574376, 1.80620728552576),
        (GROUP, SELF): (0.52549802483173, 1.70271453877053),
        (SINGLE, NONE): (0.898928962681106, 1.12239025320018),
        (SINGLE, SELF): (0.3627444980084, 1.66656843734097),
        (NONE, SELF): (0.578674671194571, 1.50064346825058),
    },
}


NETWORKS = {"senn2013": "glucose-lowering drugs", "smoking": "smoking cessation"}
COLUMNS = (
    *("direct", "direct_se", "indirect", "indirect_se"),
    *("difference", "difference_se", "z", "p"),
)
NAMED = {
    "direct_se": "standard error of direct",
    "indirect_se": "standard error of indirect",
    "network_se": "standard error of network",
    "difference_se": "standard error of difference",
    "direct_proportion": "direct proportion",
}


def run(name: str, function: str) -> Place:
    return NETMETA.at(NETWORKS[name], function)


@cache
def fitted(name: str) -> nma.Posterior:
    network = nma.datasets.network(name).as_normal()
    return nma.fit(network, engine=nma.engines.LeastSquares("DL"))


def decomposed(name: str) -> Any:
    return pd.DataFrame(nma.checks.design_by_treatment(fitted(name)))


@pytest.mark.parametrize(
    ("name", "part", "Q", "df", "p"),
    [
        ("senn2013", "total", 96.9855530052601, 18, 7.87136855204669e-13),
        ("senn2013", "within designs", 74.4552817355127, 11, 1.72394355555806e-11),
        ("senn2013", "between designs", 22.5302712697474, 7, 0.00205701423800982),
        ("senn2013", "global Wald, random effects", 2.1940001320969, 7, 0.948327107351113),
        ("smoking", "total", 202.618871212979, 23, 1.0780738289198e-30),
        ("smoking", "within designs", 187.398534192085, 16, 2.75406622439766e-31),
        ("smoking", "between designs", 15.2203370208934, 7, 0.0332764724515696),
        ("smoking", "global Wald, random effects", 4.66350592109507, 7, 0.700949405246551),
    ],
)
def test_decomposition_of_q(name: str, part: str, Q: float, df: int, p: float) -> None:
    row = decomposed(name).loc[(part, "")]
    table = exactly(row[["Q", "df", "p"]], {"Q": Q, "df": df, "p": p}, [1e-6, 0, 1e-6 * p])
    assert_near(table, part, run(name, "decomp.design"))


@pytest.mark.parametrize(
    ("name", "tau"), [("senn2013", 0.379745003030859), ("smoking", 0.813106463801814)]
)
def test_tau_of_the_design_by_treatment_model(name: str, tau: float) -> None:
    found = decomposed(name).loc[("global Wald, random effects", ""), "tau"]
    table = exactly([found], {"tau": tau}, 1e-6)
    assert_near(table, "global Wald, random effects", run(name, "decomp.design"))


@pytest.mark.parametrize(
    ("name", "part", "stored"),
    [
        ("senn2013", "within", SENN_WITHIN),
        ("senn2013", "detached", SENN_DETACHED),
        ("smoking", "detached", SMOKING_DETACHED),
    ],
)
def test_q_by_design(name: str, part: str, stored: dict[str, tuple[float, int]]) -> None:
    rows = decomposed(name).loc[part]
    rows = rows[rows["df"] > 0]
    assert sorted(rows.index) == sorted(stored)
    for design, (Q, df) in stored.items():
        table = exactly(rows.loc[design, ["Q", "df"]], {"Q": Q, "df": df}, [1e-6, 0])
        assert_near(table, f"{part}: {design}", run(name, "decomp.design"))


@pytest.mark.parametrize("pair", SMOKING_SPLITS)
def test_side_splitting_of_smoking(pair: tuple[str, str]) -> None:
    table: Any = pd.DataFrame(nma.checks.side_splitting(fitted("smoking")))
    same = pair in table.index
    sign = 1 if same else -1
    row = table.loc[pair if same else pair[::-1], [*COLUMNS]].to_numpy(dtype=float)
    turn = [sign, 1, sign, 1, sign, 1, sign, 1]
    names = [NAMED.get(name, name) for name in COLUMNS]
    stored = dict(zip(names, SMOKING_SPLITS[pair], strict=True))
    assert_near(exactly(row * turn, stored, 1e-6), pair, run("smoking", "netsplit"))


def test_side_splitting_of_senn() -> None:
    """Held fixed at DL tau, on a fit that has another."""
    posterior = nma.fit(nma.datasets.network("senn2013"))
    table: Any = pd.DataFrame(nma.checks.side_splitting(posterior, tau=0.329722494140783))
    row = table.loc[("sulfonylurea", "rosiglitazone")]
    stored = {  # of rosiglitazone against sulfonylurea: signs turn
        "direct": 1.2,
        "direct_se": 0.359635764548548,
        "indirect": 0.522157354669544,
        "indirect_se": 0.31544548420861,
        "network": 0.816896952767488,
        "network_se": 0.237147021099207,
        "difference": 0.677842645330455,
        "difference_se": 0.478376145569596,
        "z": 1.41696581572511,
        "p": 0.156492922164632,
        "direct_proportion": 0.434820087122514,
    }
    told = {NAMED.get(name, name): value for name, value in stored.items()}
    pair = ("rosiglitazone", "sulfonylurea")
    assert_near(exactly(row[[*stored]], told, 1e-6), pair, run("senn2013", "netsplit"))


@pytest.mark.parametrize("name", MEASURES)
def test_direct_proportion_and_path_length(name: str) -> None:
    table: Any = pd.DataFrame(nma.evidence.direct_proportions(fitted(name)))
    for pair, stored in MEASURES[name].items():
        row = table.loc[pair if pair in table.index else pair[::-1]]
        told = dict(zip(("direct proportion", "mean path length"), stored, strict=True))
        found = exactly(row[["direct_proportion", "path_length"]], told, 1e-6)
        assert_near(found, pair, run(name, "netmeasures"))
