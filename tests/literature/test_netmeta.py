"""Least squares against netmeta 3.3-1 and metafor 3.8-1, to 1e-6.

Common effect and DerSimonian-Laird from netmeta; REML and ML from metafor's ``rma.mv`` (R 4.2.2)
with the full covariance of multi-arm trials, which netmeta leaves out where it is given contrasts
alone. Log odds ratios add half an event to every cell of a trial with an empty cell, and no other.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

import nma
import odds
from nma.protocols import Better
from published import assert_near, exactly
from sources import METAFOR, NETMETA, Place

Numbers = dict[str, tuple[float, float]]

HETEROGENEITY = {  # Q, df, I-squared, tau by DL
    "senn2013": (96.9855530052601, 18, 0.814405347577657, 0.329722494140783),
    "parkinson": (2.28789024087262, 4, 0.0, 0.0),
    "smoking": (202.618871212979, 23, 0.886486387658216, 0.773870311437712),
    "thrombolytics": (40.4505811550059, 44, 0.0, 0.0),
    "blocker": (23.2622782709024, 21, 0.0972509332300496, 0.0794289504826428),
}
PARKINSON: Numbers = {
    "bromocriptine": (-0.5239937, 0.4786355),
    "cabergoline": (-0.8239937, 0.5219862),
    "pramipexole": (-1.8115533, 0.3326681),
    "ropinirole": (-0.4781118, 0.4866357),
}
THROMBOLYTICS: Numbers = {
    "Acc t-PA": (-0.1711961, 0.0431510),
    "ASPAC": (0.0134500, 0.0367388),
    "PTCA": (-0.4452043, 0.1025103),
    "r-PA": (-0.1192982, 0.0599586),
    "SK + t-PA": (-0.0472268, 0.0464777),
    "t-PA": (0.0018080, 0.0303001),
    "TNK": (-0.1657611, 0.0770797),
    "UK": (-0.2012163, 0.2213268),
}
EFFECTS: dict[tuple[str, str], Numbers] = {
    ("senn2013", "common"): {
        "acarbose": (-0.8273690, 0.1085208),
        "benfluorex": (-0.9051864, 0.1270911),
        "metformin": (-1.1141102, 0.0596115),
        "miglitol": (-0.9439330, 0.1269061),
        "pioglitazone": (-1.0664331, 0.0758475),
        "rosiglitazone": (-1.2018420, 0.0476622),
        "sitagliptin": (-0.57, 0.1291),
        "sulfonylurea": (-0.4394972, 0.0914791),
        "vildagliptin": (-0.7, 0.1273),
    },
    ("senn2013", "DL"): {
        "acarbose": (-0.8417849, 0.2458203),
        "benfluorex": (-0.7311472, 0.2860751),
        "metformin": (-1.1267754, 0.1542666),
        "miglitol": (-0.9497264, 0.2317585),
        "pioglitazone": (-1.1290920, 0.2196381),
        "rosiglitazone": (-1.2334558, 0.1278016),
        "sitagliptin": (-0.57, 0.3540957),
        "sulfonylurea": (-0.4165588, 0.2408838),
        "vildagliptin": (-0.7, 0.3534434),
    },
    ("senn2013", "REML"): {
        "acarbose": (-0.8413787, 0.2384359),
        "metformin": (-1.1284203, 0.1494049),
        "rosiglitazone": (-1.2337413, 0.1234582),
    },
    ("senn2013", "ML"): {
        "acarbose": (-0.8385718, 0.1962979),
        "metformin": (-1.1374690, 0.1216873),
        "rosiglitazone": (-1.2343932, 0.0989657),
    },
    ("parkinson", "common"): PARKINSON,
    ("parkinson", "DL"): PARKINSON,
    ("parkinson", "REML"): PARKINSON,
    ("parkinson", "ML"): PARKINSON,
    ("smoking", "common"): {
        "group counselling": (0.7168193, 0.1879173),
        "individual counselling": (0.6524278, 0.0589500),
        "self-help": (0.1997625, 0.1259807),
    },
    ("smoking", "DL"): {
        "group counselling": (0.9022982, 0.4115865),
        "individual counselling": (0.7334060, 0.2189236),
        "self-help": (0.4162377, 0.3681022),
    },
    ("smoking", "REML"): {
        "group counselling": (0.8687333, 0.3720732),
        "individual counselling": (0.7090093, 0.1952505),
        "self-help": (0.3971685, 0.3286392),
    },
    ("smoking", "ML"): {
        "group counselling": (0.8495419, 0.3503803),
        "individual counselling": (0.6946360, 0.1820420),
        "self-help": (0.3855532, 0.3069775),
    },
    ("thrombolytics", "common"): THROMBOLYTICS,
    ("thrombolytics", "DL"): THROMBOLYTICS,
    ("thrombolytics", "REML"): {
        "Acc t-PA": (-0.1723485, 0.0446778),
        "PTCA": (-0.4461848, 0.1029339),
        "UK": (-0.2014707, 0.2215081),
    },
    ("thrombolytics", "ML"): THROMBOLYTICS,
    ("blocker", "common"): {"beta blocker": (-0.2599244, 0.0503117)},
    ("blocker", "DL"): {"beta blocker": (-0.2526565, 0.0554069)},
    ("blocker", "REML"): {"beta blocker": (-0.2474942, 0.0605310)},
    ("blocker", "ML"): {"beta blocker": (-0.2497062, 0.0580971)},
}
# metafor stops within about 1e-6 of the maximum where it is at zero (6.3e-6 and 3.6e-6 for
# Parkinson's, 1.6e-6 for thrombolytics by ML); ours is zero itself
TAU = {
    ("senn2013", "REML"): 0.316097229336415,
    ("senn2013", "ML"): 0.237457646068056,
    ("parkinson", "REML"): 0.0,
    ("parkinson", "ML"): 0.0,
    ("smoking", "REML"): 0.670991520404126,
    ("smoking", "ML"): 0.613508350791683,
    ("thrombolytics", "REML"): 0.0142833876062308,
    ("thrombolytics", "ML"): 0.0,
    ("blocker", "REML"): 0.119119604852637,
    ("blocker", "ML"): 0.101265118355402,
}
SENN_P_SCORES = {
    "acarbose": 0.5202644,
    "benfluorex": 0.4358170,
    "metformin": 0.7817765,
    "miglitol": 0.6136555,
    "pioglitazone": 0.7745697,
    "placebo": 0.0138951,
    "rosiglitazone": 0.8933682,
    "sitagliptin": 0.3330992,
    "sulfonylurea": 0.2103077,
    "vildagliptin": 0.4232467,
}
NETWORKS = {
    "senn2013": "glucose-lowering drugs",
    "parkinson": "Parkinson's disease",
    "smoking": "smoking cessation",
    "thrombolytics": "thrombolytics",
    "blocker": "beta-blockers",
}
EVENTS: dict[str, tuple[Better, str]] = {
    "smoking": ("higher", "no intervention"),
    "thrombolytics": ("lower", "SK"),
    "blocker": ("lower", "control"),
}


@cache
def fitted(name: str, tau: str) -> nma.Posterior:
    if name in EVENTS:
        better, reference = EVENTS[name]
        network = odds.network(name, better=better, reference=reference)
    else:
        network = nma.datasets.network(name)
    model = nma.Model(
        nma.structures.Consistency(nma.priors.Normal(0, 100)),
        nma.heterogeneity.Random(nma.priors.HalfNormal(1)),
    )
    return nma.fit(network, model, engine=nma.engines.LeastSquares(tau))


def run(name: str, tau: str) -> Place:
    """Return the place of a run: netmeta's, or metafor's by likelihood."""
    source = METAFOR if tau in {"REML", "ML"} else NETMETA
    return source.at(NETWORKS[name], "common effect" if tau == "common" else f"tau by {tau}")


def assert_effects(posterior: nma.Posterior, effects: Numbers, place: Place) -> None:
    reference = posterior.network.reference
    assert reference is not None
    table = nma.effect_table(posterior, comparators=[reference])
    for treatment, (estimate, error) in effects.items():
        pair = treatment, reference
        numbers = {"estimate": estimate, "standard error": error}
        assert_near(exactly((table["mean"][pair], table["sd"][pair]), numbers, 1e-6), pair, place)


@pytest.mark.parametrize(("name", "tau"), EFFECTS)
def test_effects_and_standard_errors(name: str, tau: str) -> None:
    assert_effects(fitted(name, tau), EFFECTS[name, tau], run(name, tau))


@pytest.mark.parametrize("name", HETEROGENEITY)
def test_heterogeneity(name: str) -> None:
    found = nma.summary(fitted(name, "DL")).attrs
    ours = [found[number] for number in ("Q", "df", "i_squared", "tau")]
    numbers = dict(zip(("Q", "df", "I squared", "tau"), HETEROGENEITY[name], strict=True))
    assert_near(exactly(ours, numbers, [1e-6, 0, 1e-6, 1e-6]), "heterogeneity", run(name, "DL"))


@pytest.mark.parametrize(("name", "tau"), TAU)
def test_likelihood_estimates_of_tau(name: str, tau: str) -> None:
    found = nma.summary(fitted(name, tau)).attrs["tau"]
    assert_near(exactly([found], {"estimate": TAU[name, tau]}, 1e-6), "tau", run(name, tau))


def test_p_scores() -> None:
    """netmeta, at DL tau; POTH from the same P-scores."""
    found = nma.p_scores(fitted("senn2013", "DL"))
    for drug, score in SENN_P_SCORES.items():
        table = exactly([found["p_score"][drug]], {"P-score": score}, 1e-6)
        assert_near(table, drug, run("senn2013", "DL"))
    assert found.attrs["poth"] == pytest.approx(0.66856, abs=5e-6)


def by_pooled_sd(*, corrected: bool) -> dict[str, tuple[float, float]]:
    """Return the SMDs of Parkinson's versus placebo, with or without Hedges' J."""
    outcome = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="SMD", better="lower")
    frame = nma.datasets.load("parkinson")
    if corrected:
        network = nma.Network.from_arms(
            frame, study="study", treatment="treatment", outcome=outcome, reference="placebo"
        )
    else:
        network = nma.Network.from_contrasts(
            uncorrected(frame),
            study="study",
            treatment="treatment",
            comparator="comparator",
            outcome=nma.outcomes.Contrast("effect", "se", measure="SMD", better="lower"),
            reference="placebo",
        )
    table = nma.effect_table(
        nma.fit(network, engine=nma.engines.LeastSquares("common")), comparators=["placebo"]
    )
    drugs = table.index.get_level_values("treatment")
    return dict(zip(drugs, zip(table["mean"], table["sd"], strict=True), strict=True))


def uncorrected(frame: pd.DataFrame) -> pd.DataFrame:
    """Return every pair's difference divided by the pooled SD of all its trial's arms."""
    rows = []
    for study, arms in frame.groupby("study"):
        df = arms["n"].sum() - len(arms)
        pooled = np.sqrt(((arms["n"] - 1) * arms["sd"] ** 2).sum() / df)
        names = arms["treatment"].tolist()
        mean, n = arms["mean"].to_numpy(float), arms["n"].to_numpy(float)
        for j, k in combinations(range(len(names)), 2):
            d = (mean[j] - mean[k]) / pooled
            variance = 1 / n[j] + 1 / n[k] + d**2 / (2 * n.sum())
            rows.append((study, names[j], names[k], d, np.sqrt(variance)))
    return pd.DataFrame(rows, columns=["study", "treatment", "comparator", "effect", "se"])


def test_netmetas_standardised_differences_lack_the_small_sample_factor() -> None:
    """The stored netmeta run has Cohen's d; ours is Hedges' g, which is smaller by J."""
    netmeta = {
        "bromocriptine": (-0.1523251, 0.1186592),
        "cabergoline": (-0.2732534, 0.1455319),
        "pramipexole": (-0.4869685, 0.0899834),
        "ropinirole": (-0.1280265, 0.1255151),
    }
    place = NETMETA.at(NETWORKS["parkinson"], "standardised by the pooled SD", "common effect")
    found, ours = by_pooled_sd(corrected=False), by_pooled_sd(corrected=True)
    for drug, (estimate, error) in netmeta.items():
        numbers = {"estimate": estimate, "standard error": error}
        assert_near(exactly(found[drug], numbers, 1e-6), (drug, "placebo"), place)
        assert 0.995 < ours[drug][0] / estimate < 0.999
    assert ours["pramipexole"][0] == pytest.approx(-0.485719, abs=1e-6)
