"""Predictive effects: one new trial with all treatments, exact and drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, optimize, stats

import nma
import strategies
from nma.errors import ModelError
from nma.estimates import replicate_error
from nma.new_trial import pair_variance
from nma.priors import Fixed, HalfNormal, Normal
from nma.problem import ArmEffect, Scale

Y, SE, SD, SCALE = np.array([0.2, 0.9, 0.5, -0.1]), np.array([0.2, 0.3, 0.15, 0.25]), 5.0, 0.8


@pytest.fixture(scope="module")
def posterior() -> nma.Posterior:
    return nma.fit(nma.datasets.network("back_pain"), engine=nma.engines.Gaussian(draws=4096))


def pairwise(measure: str = "SMD") -> nma.Posterior:
    """Four trials of B versus A, which a page of quadrature can answer."""
    frame = pd.DataFrame({"s": list("1234"), "t": "B", "c": "A", "y": Y, "se": SE})
    network = nma.Network.from_contrasts(
        frame,
        study="s",
        treatment="t",
        comparator="c",
        outcome=nma.outcomes.Contrast("y", "se", measure=measure, better="lower"),
        reference="A",
    )
    model = nma.Model(
        nma.structures.Consistency(Normal(0, SD)), nma.heterogeneity.Random(HalfNormal(SCALE))
    )
    return nma.fit(network, model)


def given(tau: float) -> tuple[float, float, float]:
    """Likelihood times prior of tau; mean and variance of d given tau; flat normal algebra."""
    precision = 1 / (SE**2 + tau**2)
    variance = 1 / (precision.sum() + SD**-2)
    mean = variance * (precision * Y).sum()
    log = np.sum(stats.norm.logpdf(Y, 0, precision**-0.5)) + mean**2 / variance / 2
    return float(np.exp(log) * variance**0.5 * np.exp(-((tau / SCALE) ** 2) / 2)), mean, variance


def expected(function: Any) -> float:
    """Posterior expectation of a function of tau, mean and variance of d given tau."""

    def integral(f: Any) -> float:
        found, _ = integrate.quad(
            lambda tau: given(tau)[0] * f(tau, *given(tau)[1:]),
            0,
            10,
            epsabs=0,
            epsrel=1e-11,
            points=[0.2, 1],
        )
        return float(found)

    return integral(function) / integral(lambda *_: 1.0)


def test_the_predictive_variance_is_that_of_the_effect_plus_the_mean_of_tau_squared() -> None:
    fitted = pairwise()
    moments = fitted.draws.moments
    assert moments is not None
    one, zero = np.array([1]), np.array([0])
    mixture = moments.differences(fitted.levels, one, zero)
    new = mixture.plus(pair_variance(fitted, one, zero, moments.scales))
    mean = expected(lambda tau, m, v: m)
    spread = expected(lambda tau, m, v: v + m**2) - mean**2
    tau_squared = expected(lambda tau, m, v: tau**2)
    assert float(moments.weight @ moments.scales["tau"] ** 2) == pytest.approx(tau_squared, 1e-6)
    assert float(new.sd[0] ** 2) == pytest.approx(spread + tau_squared, rel=1e-6)
    assert float(new.mean[0]) == float(mixture.mean[0])
    total = mixture.sd**2 + moments.weight @ moments.scales["tau"] ** 2
    np.testing.assert_allclose(new.sd**2, total, rtol=1e-14)


@pytest.mark.parametrize("measure", ["SMD", "OR"])
def test_predictive_intervals_are_those_of_the_mixture(measure: str) -> None:
    def below(x: float) -> float:
        return expected(lambda tau, m, v: stats.norm.cdf(x, m, (v + tau**2) ** 0.5))

    bounds = [optimize.brentq(lambda x, p=p: below(x) - p, -9, 9, xtol=1e-8) for p in (0.05, 0.95)]
    table = nma.effect_table(pairwise(measure), comparators=["A"], level=0.9, predictive=True)
    found = table.loc[("B", "A"), ["predictive_lower", "predictive_upper"]].to_numpy(dtype=float)
    natural = np.exp if measure == "OR" else np.asarray
    np.testing.assert_allclose(found, natural(bounds), atol=2e-6)


def test_predictive_effects_are_transitive(posterior: nma.Posterior) -> None:
    new = nma.predictive_effects(posterior, comparators=posterior.treatments)
    a, b, c, _ = posterior.treatments

    def between(treatment: str, comparator: str) -> np.ndarray:
        return new.sel(treatment=treatment, comparator=comparator).to_numpy()

    np.testing.assert_allclose(between(c, a), between(c, b) + between(b, a), atol=1e-13)
    np.testing.assert_array_equal(between(a, b), -between(b, a))
    assert (between(a, a) == 0).all()
    one = nma.predictive_effects(posterior, comparators=[b])
    np.testing.assert_array_equal(one.sel(treatment=a, comparator=b), between(a, b))


def test_without_heterogeneity_a_new_trial_is_like_the_others(posterior: nma.Posterior) -> None:
    common = nma.Model(heterogeneity=nma.heterogeneity.Common())
    fitted = nma.fit(posterior.network, common)
    np.testing.assert_array_equal(nma.predictive_effects(fitted), nma.relative_effects(fitted))
    table = nma.effect_table(fitted, predictive=True)
    np.testing.assert_array_equal(table["predictive_lower"], table["lower"])
    np.testing.assert_array_equal(table["predictive_upper"], table["upper"])


def test_draws_of_a_new_trial_agree_with_the_moments(posterior: nma.Posterior) -> None:
    moments = posterior.draws.moments
    assert moments is not None
    reference = posterior.treatments.index(posterior.comparator)
    others = np.array([k for k in range(4) if k != reference])
    second = np.full(3, reference)
    exact = moments.differences(posterior.levels, others, second).plus(
        pair_variance(posterior, others, second, moments.scales)
    )
    drawn = nma.predictive_effects(posterior).to_numpy()[:, :, others, 0]
    mean_error = replicate_error(drawn)
    assert (np.abs(drawn.mean(axis=(0, 1)) - exact.mean) <= 5 * mean_error).all()
    squares = (drawn - exact.mean) ** 2
    assert (np.abs(squares.mean(axis=(0, 1)) - exact.sd**2) <= 5 * replicate_error(squares)).all()
    for tail in (0.025, 0.5, 0.975):
        inside = (drawn < exact.quantile(tail)).astype(float)
        assert (np.abs(inside.mean(axis=(0, 1)) - tail) <= 5 * replicate_error(inside)).all()


def test_a_table_of_draws_agrees_with_the_exact_one(posterior: nma.Posterior) -> None:
    drawn = replace(posterior, draws=replace(posterior.draws, moments=None))
    exact, sampled = (nma.effect_table(p, predictive=True) for p in (posterior, drawn))
    for name in ("predictive_lower", "predictive_upper"):
        np.testing.assert_allclose(
            (sampled[name] - exact[name]) / exact["sd"], 0, atol=0.2
        )  # 5 MCSE
    draws = nma.predictive_effects(drawn).sel(treatment="multimodal care")
    bounds = np.quantile(draws, [0.025, 0.975])
    row = pd.DataFrame(sampled).loc[[("multimodal care", "passive control")]]
    np.testing.assert_allclose(row[["predictive_lower", "predictive_upper"]].to_numpy()[0], bounds)


def test_predictive_intervals_mirror_and_hold_the_credible_ones(posterior: nma.Posterior) -> None:
    table = nma.effect_table(posterior, predictive=True)
    assert (table["predictive_lower"] < table["lower"]).all()
    assert (table["predictive_upper"] > table["upper"]).all()
    mirrored = table.swaplevel().loc[table.index]
    np.testing.assert_array_equal(table["predictive_lower"], -mirrored["predictive_upper"])
    assert "predictive: the effect in one new trial like these" in table.caption


def test_a_table_without_them_is_as_it_was(posterior: nma.Posterior) -> None:
    plain, more = (nma.effect_table(posterior, predictive=asked) for asked in (False, True))
    assert list(plain) == ["estimate", "lower", "upper", "mean", "sd", "mcse", "p_better"]
    pd.testing.assert_frame_equal(pd.DataFrame(plain), pd.DataFrame(more)[list(plain)])
    assert str(nma.effect_table(posterior)) == str(plain)
    assert "predictive" not in str(plain)


def test_the_same_seed_gives_the_same_new_trials(posterior: nma.Posterior) -> None:
    first, again, other = (nma.predictive_effects(posterior, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    assert first.attrs == {"measure": "MD", "better": "lower", "seed": 1}
    for seed in (-1, 1.5, "1", None, True):
        with pytest.raises(ModelError, match="is not a whole number of zero or above"):
            nma.predictive_effects(posterior, seed=seed)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Shared:
    """A user's own: actives share an effect of theirs, besides one for each arm."""

    def resolve(self, network: Any) -> Shared:
        return self

    def scales(self, network: Any) -> tuple[Scale, ...]:
        return Scale("tau", HalfNormal(0.5)), Scale("active", Fixed(0.7))

    def effects(self, network: Any, arms: pd.DataFrame) -> tuple[ArmEffect, ...]:
        active = np.asarray(arms["treatment"] != "A", dtype=float)
        weight = np.asarray(active * np.where(arms["treatment"] == "C", 2.0, 1.0))
        trial = arms["study"] if "study" in arms else pd.Series("new", index=arms.index)
        unit = pd.factorize(trial + (active > 0).astype(str))[0]
        own = ArmEffect("tau", np.ones(len(arms)), np.arange(len(arms)))
        return own, ArmEffect("active", weight, unit)


def test_a_heterogeneity_of_ones_own_is_asked_about_the_new_trial() -> None:
    frame = pd.DataFrame(
        {"study": [*"11223344"], "treatment": [*"ABACBCAB"], "mean": 0.1, "sd": 1.0, "n": 30}
    )
    model = nma.Model(heterogeneity=Shared())
    fitted = nma.fit(strategies.arms_network(frame), model, engine=nma.engines.Gaussian(4096))
    moments = fitted.draws.moments
    assert moments is not None
    first, second = np.array([1, 2, 2]), np.array([0, 0, 1])
    added = moments.weight @ pair_variance(fitted, first, second, moments.scales)
    tau_squared = moments.weight @ moments.scales["tau"] ** 2
    # B - A: (1 + 0)/2; C - A: (4 + 0)/2; C - B, which share: (2 - 1)^2/2
    np.testing.assert_allclose(added, tau_squared + 0.49 * np.array([0.5, 2.0, 0.5]), rtol=1e-12)
    extra = nma.predictive_effects(fitted, comparators=["A", "B"]) - nma.relative_effects(
        fitted, comparators=["A", "B"]
    )
    pairs: Mapping[int, tuple[str, str]] = {0: ("B", "A"), 1: ("C", "A"), 2: ("C", "B")}
    for k, (treatment, comparator) in pairs.items():
        squares = extra.sel(treatment=treatment, comparator=comparator).to_numpy() ** 2
        assert abs(squares.mean() - added[k]) <= 5 * replicate_error(squares)


def test_one_treatment_alone_differs_from_nothing(posterior: nma.Posterior) -> None:
    alone = nma.at(posterior, treatments=["multimodal care"])
    assert float(np.abs(nma.predictive_effects(alone)).max()) == 0.0


def test_unknown_comparators_are_refused(posterior: nma.Posterior) -> None:
    with pytest.raises(ModelError, match="Did you mean 'multimodal care'"):
        nma.predictive_effects(posterior, comparators=["multimodal"])
    with pytest.raises(ModelError, match="is one name"):
        nma.predictive_effects(posterior, comparators="multimodal care")


def test_the_reference_and_the_sign_change_what_they_should(posterior: nma.Posterior) -> None:
    table = nma.effect_table(posterior, predictive=True)
    network = replace(posterior.network, reference="multimodal care")
    again = nma.fit(network, engine=posterior.engine)
    columns = ["predictive_lower", "predictive_upper"]
    other = nma.effect_table(again, predictive=True)
    np.testing.assert_array_equal(table[columns], other[columns])
    options = {"comparators": ["passive control"], "seed": 3}
    first, second = (nma.predictive_effects(p, **options) for p in (posterior, again))  # type: ignore[arg-type]
    np.testing.assert_array_equal(first, second)
    outcome = nma.outcomes.Contrast("y", "se", measure="SMD", better="lower")
    frame = pd.DataFrame({"s": list("1234"), "t": "B", "c": "A", "y": -Y, "se": SE})
    negated = nma.Network.from_contrasts(
        frame, study="s", treatment="t", comparator="c", outcome=outcome, reference="A"
    )
    straight = pairwise()
    flipped = nma.fit(negated, straight.model)
    here, there = (nma.effect_table(p, predictive=True) for p in (straight, flipped))
    np.testing.assert_allclose(here["predictive_lower"], -there["predictive_upper"], atol=1e-10)


def test_many_treatments_have_predictive_intervals() -> None:
    names = [f"t{k:03}" for k in range(120)]
    frame = pd.DataFrame({"s": names[1:], "t": names[1:], "c": names[0], "y": 0.1, "se": 0.2})
    outcome = nma.outcomes.Contrast("y", "se", measure="SMD", better="lower")
    network = nma.Network.from_contrasts(
        frame, study="s", treatment="t", comparator="c", outcome=outcome
    )
    table = nma.effect_table(nma.fit(network), predictive=True)
    assert len(table) == 120 * 119
    assert (table["predictive_upper"] > table["upper"]).all()
