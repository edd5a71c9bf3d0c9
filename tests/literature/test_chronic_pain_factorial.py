"""MUSICIAN (Beasley et al. 2015), telephone CBT and exercise: do two components add up?

One trial with usual care (U), CBT (C), exercise (E) and both (B). With y the log odds and v their
variances 1/r + 1/(n - r), everything has a closed form. What both do beyond the sum is

    I = (y_B - y_U) - (y_C - y_U) - (y_E - y_U),    var(I) = v_U + v_C + v_E + v_B,

on the one degree of freedom that additivity leaves, and adjusting for I = 0 moves the effect of a
component by -cov / var(I) * I, with cov(y_C - y_U, I) = -(v_C + v_U) and
cov(y_B - y_U, I) = v_B - v_U.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import digamma, polygamma
from scipy.stats import chi2

import nma
from nma.structures import Components, Consistency
from published import assert_apart, assert_near, exactly
from sources import BEASLEY

USUAL, CBT, EXERCISE, BOTH = (
    "usual care",
    "telephone CBT",
    "exercise",
    "exercise + telephone CBT",
)
COMPONENTS = Components(separator=" + ", inactive=USUAL)
TRIAL = nma.datasets.load("musician").set_index("treatment")
COUNTS = {name: TRIAL.loc[name, ["responders", "n"]].astype(float) for name in TRIAL.index}
LOGIT = {name: float(np.log(r / (n - r))) for name, (r, n) in COUNTS.items()}
VARIANCE = {name: float(1 / r + 1 / (n - r)) for name, (r, n) in COUNTS.items()}
BEYOND = LOGIT[BOTH] - LOGIT[CBT] - LOGIT[EXERCISE] + LOGIT[USUAL]
SPREAD = sum(VARIANCE.values())


def fitted(structure: Components | Consistency) -> nma.Posterior:
    network = nma.datasets.network("musician").as_normal()
    return nma.fit(network, nma.Model(structure), engine=nma.engines.LeastSquares("common"))


def effects(structure: Components | Consistency) -> dict[str, tuple[float, float]]:
    """Return estimate and standard error versus usual care."""
    table = nma.effect_table(fitted(structure), comparators=[USUAL])
    return {
        name: (table["mean"][name, USUAL], table["sd"][name, USUAL])
        for name in (CBT, EXERCISE, BOTH)
    }


def test_the_interaction_and_its_q() -> None:
    """By hand: -1.23 (0.50) on log odds, both together do less than the sum; p 0.014."""
    assert pytest.approx(-1.2319, abs=5e-5) == BEYOND
    assert pytest.approx(0.5014, abs=5e-5) == np.sqrt(SPREAD)
    found = nma.summary(fitted(COMPONENTS)).attrs
    assert found["Q"] == pytest.approx(BEYOND**2 / SPREAD, rel=1e-12)
    assert found["df"] == 1
    assert chi2.sf(found["Q"], 1) == pytest.approx(0.014, abs=5e-4)
    with_it = nma.summary(fitted(Consistency())).attrs
    assert (with_it["Q"], with_it["df"]) == (pytest.approx(0, abs=1e-12), 0)


@pytest.mark.parametrize("name", [CBT, EXERCISE])
def test_additive_effects_in_closed_form(name: str) -> None:
    alone = VARIANCE[name] + VARIANCE[USUAL]
    estimate = LOGIT[name] - LOGIT[USUAL] + alone / SPREAD * BEYOND
    error = np.sqrt(alone - alone**2 / SPREAD)
    assert effects(COMPONENTS)[name] == pytest.approx((estimate, error), rel=1e-12)


def test_the_effect_of_both_is_the_sum() -> None:
    found = effects(COMPONENTS)
    assert found[BOTH][0] == pytest.approx(found[CBT][0] + found[EXERCISE][0], rel=1e-12)
    alone, shared = VARIANCE[BOTH] + VARIANCE[USUAL], VARIANCE[BOTH] - VARIANCE[USUAL]
    estimate = LOGIT[BOTH] - LOGIT[USUAL] - shared / SPREAD * BEYOND
    error = np.sqrt(alone - shared**2 / SPREAD)
    assert found[BOTH] == pytest.approx((estimate, error), rel=1e-12)


def test_an_interaction_makes_it_the_standard_model() -> None:
    structure = replace(COMPONENTS, interactions=[(CBT, EXERCISE)])
    posterior = fitted(structure)
    for name, numbers in effects(Consistency()).items():
        assert effects(structure)[name] == pytest.approx(numbers, rel=1e-12), name
    moments, names = posterior.draws.moments, posterior.problem.parameters.names
    assert moments is not None
    assert names == (EXERCISE, CBT, f"{EXERCISE} x {CBT}")
    told = moments.of(np.eye(3)[[2]])
    assert [*told.mean, *told.sd] == pytest.approx([BEYOND, np.sqrt(SPREAD)], rel=1e-12)


def test_a_table_says_the_same_as_a_separator() -> None:
    table = {USUAL: [USUAL], CBT: ["CBT"], EXERCISE: ["movement"], BOTH: ["movement", "CBT"]}
    structure = Components(table=table, inactive=USUAL)
    for name, numbers in effects(COMPONENTS).items():
        assert effects(structure)[name] == pytest.approx(numbers, rel=1e-12), name


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        (CBT, ("3.7", "1.8", "8.0")),
        (EXERCISE, ("2.8", "1.3", "6.0")),
        (BOTH, ("3.1", "1.3", "6.0")),
    ],
)
def test_odds_ratios_of_the_abstract(name: str, printed: tuple[str, ...]) -> None:
    """RMD Open 1:e000026. Its interval of both, 1.3 to 6.0, is that of exercise printed again."""
    table = nma.effect_table(fitted(Consistency()))
    place = BEASLEY.at("chronic widespread pain", "odds ratios")
    numbers = dict(zip(("estimate", "lower", "upper"), printed, strict=True))
    found = exactly([table[column][name, USUAL] for column in numbers], numbers, 0.05)
    if name == BOTH:
        assert_apart(found.iloc[1:], (name, USUAL), place)
        assert found["ours"].round(1).tolist() == [3.1, 1.5, 6.5]
        found = found.iloc[:1]
    assert_near(found, (name, USUAL), place)


def test_the_posterior_of_the_interaction_from_counts() -> None:
    """Common effect, N(0, 100^2): log odds of r of n are those of a Beta(r, n - r)."""
    structure = replace(
        COMPONENTS,
        effect=nma.priors.Normal(0, 100),
        interactions=[(CBT, EXERCISE)],
        interaction=nma.priors.Normal(0, 100),
    )
    model = nma.Model(structure, nma.heterogeneity.Common(), trial_levels=nma.priors.Normal(0, 100))
    posterior = nma.fit(nma.datasets.network("musician"), model)
    told = posterior.draws.values["beta"].sel(parameter=f"{EXERCISE} x {CBT}").to_numpy()
    signs = {BOTH: 1, CBT: -1, EXERCISE: -1, USUAL: 1}
    mean = sum(signs[k] * (digamma(r) - digamma(n - r)) for k, (r, n) in COUNTS.items())
    variance = sum(polygamma(1, r) + polygamma(1, n - r) for r, n in COUNTS.values())
    for x, exact in ((told, mean), ((told - mean) ** 2, variance)):
        chains = x.mean(axis=1)
        error = chains.std(ddof=1) / np.sqrt(len(chains))
        assert abs(chains.mean() - exact) < 4.5 * error
