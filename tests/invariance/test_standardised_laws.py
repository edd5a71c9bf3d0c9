"""Laws of standardised mean differences, as properties of random networks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nma
from nma.network import Network
from nma.outcomes import Continuous, Contrast
from strategies import Trials, arms_network, trials

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMD = Continuous("mean", sd="sd", n="n", measure="SMD", better="lower")
MD = Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
EXACT = 1e-9
"""In units of the posterior sd, as for the laws of mean differences."""

repeatedly = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


def table(network: Network) -> pd.DataFrame:
    return nma.effect_table(nma.fit(network))[["mean", "sd", "lower", "upper"]]


def same(first: pd.DataFrame, second: pd.DataFrame, atol: float = EXACT) -> None:
    sd = first["sd"].to_numpy()[:, None]
    np.testing.assert_allclose(second.loc[first.index] / sd, first / sd, rtol=0, atol=atol)


@repeatedly
@given(trials(), st.integers(0, 2**32 - 1))
def test_the_units_of_a_trial_do_not_matter_at_all(made: Trials, seed: int) -> None:
    rng = np.random.default_rng(seed)
    powers = {study: 2.0 ** rng.integers(-8, 8) for study in made.frame["study"].unique()}
    factor = made.frame["study"].map(powers)  # powers of two, so that no digit is lost
    scaled = made.frame.assign(mean=made.frame["mean"] * factor, sd=made.frame["sd"] * factor)
    before, after = (table(arms_network(f, outcome=SMD)) for f in (made.frame, scaled))
    pd.testing.assert_frame_equal(before, after, check_exact=True)


@repeatedly
@given(trials())
def test_flipping_the_sign_negates_effects_and_mirrors_ranks(made: Trials) -> None:
    flipped = made.frame.assign(mean=-made.frame["mean"])
    first, second = (nma.fit(arms_network(f, outcome=SMD)) for f in (made.frame, flipped))
    one, two = (nma.effect_table(p)[["mean", "sd", "lower", "upper"]] for p in (first, second))
    mirrored = (-two).rename(columns={"lower": "upper", "upper": "lower"}).assign(sd=two["sd"])
    same(one, mirrored[one.columns])
    ranks = [nma.sucra(p)["sucra"].sort_index() for p in (first, second)]
    np.testing.assert_allclose(ranks[0] + ranks[1], 1.0, atol=EXACT)


@repeatedly
@given(trials(), st.integers(0, 3))
def test_which_arm_is_base_does_not_matter(made: Trials, base: int) -> None:
    """Hedges' g against any arm, by hand, with its covariance: the same answer as the arms."""
    by_hand = [_by_hand(f.to_dict("records"), base) for _, f in made.frame.groupby("study")]
    rows = pd.DataFrame([row for found, _ in by_hand for row in found])
    several = {found[0]["study"]: V for found, V in by_hand if len(found) > 1}
    outcome = Contrast("g", "se", measure="SMD", better="lower", covariance=several or None)
    contrasts = Network.from_contrasts(
        rows, study="study", treatment="treatment", comparator="comparator", outcome=outcome
    )
    same(table(arms_network(made.frame, outcome=SMD)), table(contrasts))


def _by_hand(
    arms: list[dict[Any, Any]], base: int
) -> tuple[list[dict[str, Any]], NDArray[np.float64]]:
    first = arms.pop(base % len(arms))
    everyone = [first, *arms]
    people = sum(arm["n"] for arm in everyone)
    m = people - len(everyone)
    s = math.sqrt(sum((arm["n"] - 1) * arm["sd"] ** 2 for arm in everyone) / m)
    J = math.exp(math.lgamma(m / 2) - math.lgamma((m - 1) / 2)) / math.sqrt(m / 2)
    g = np.array([J * (arm["mean"] - first["mean"]) / s for arm in arms])
    own = np.diag([1 / arm["n"] for arm in arms])
    V = own + 1 / first["n"] + np.outer(g, g) / (2 * people)
    return [
        {
            "study": first["study"],
            "treatment": arm["treatment"],
            "comparator": first["treatment"],
            "g": g[k],
            "se": math.sqrt(V[k, k]),
        }
        for k, arm in enumerate(arms)
    ], V


@repeatedly
@given(trials(), st.floats(0.1, 10.0))
def test_one_reference_sd_for_all_rescales_the_mean_difference(made: Trials, R: float) -> None:
    """At equal priors in units of R, effects in SDs are mean differences divided by R."""
    width = 10 + 4 * made.frame[["mean", "sd"]].abs().to_numpy().max()
    scale = nma.instruments.Instrument("scale", -width, width, "lower")
    outcome = Continuous(
        "mean", sd="sd", n="n", measure="SMD", better="lower",
        instrument="scale", instruments={"scale": scale}, reference_sd={"scale": R},
    )  # fmt: skip
    tables = []
    for unit, chosen in ((R, MD), (1.0, outcome)):
        model = nma.Model(
            nma.structures.Consistency(nma.priors.Normal(0, 10 * unit)),
            nma.heterogeneity.Random(nma.priors.HalfNormal(unit / 2)),
        )
        network = arms_network(made.frame.assign(scale="scale"), outcome=chosen)
        tables.append(nma.effect_table(nma.fit(network, model))[["mean", "sd", "lower", "upper"]])
    same(tables[0], tables[1] * R, atol=1e-7)
