"""What a model says before data, against SciPy's distributions and quadrature."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, optimize, stats

import nma
from nma.errors import ModelError
from nma.heterogeneity import Common, Random
from nma.priors import Fixed, HalfCauchy, HalfNormal, LogT, Normal, Prior, Uniform, turner2015
from nma.problem import ArmEffect, Scale
from own_models import loop

TAILS = {"lower": 0.025, "median": 0.5, "upper": 0.975}


@pytest.fixture(scope="module")
def smoking() -> nma.Network:
    return nma.datasets.network("smoking")


def model(tau: Prior, sd: float = 2.0) -> nma.Model:
    return nma.Model(nma.structures.Consistency(Normal(0, sd)), Random(tau))


def rows(table: pd.DataFrame) -> Any:
    return table.set_index("kind")[list(TAILS)]


KNOWN = [
    (HalfNormal(1), stats.halfnorm()),
    (HalfCauchy(0.5), stats.halfcauchy(scale=0.5)),
    (Uniform(0, 5), stats.uniform(0, 5)),
    (
        turner2015(outcome="pain", comparison="pharmacological vs pharmacological"),
        stats.lognorm(1.58 / 2, scale=math.exp(-2.06 / 2)),
    ),
]


@pytest.mark.parametrize(("tau", "known"), KNOWN, ids=[repr(tau) for tau, _ in KNOWN])
def test_tau_and_the_range_of_trials_are_quantiles(
    smoking: nma.Network, tau: Prior, known: Any
) -> None:
    found = rows(nma.prior_predictive(smoking, model(tau)))
    for name, p in TAILS.items():
        assert found.loc["scale", name] == pytest.approx(known.ppf(p), rel=1e-12)
        span = math.exp(3.92 * known.ppf(p))
        assert found.loc["range", name] == pytest.approx(span, rel=1e-9)
        effect = math.exp(2 * stats.norm.ppf(p))
        assert found.loc["effect", name] == pytest.approx(effect, rel=1e-9)


@pytest.mark.parametrize(("tau", "known"), KNOWN, ids=[repr(tau) for tau, _ in KNOWN])
def test_the_effect_in_a_new_trial_is_integrated_over_tau(
    smoking: nma.Network, tau: Prior, known: Any
) -> None:
    """Normal with variance sd^2 + tau^2, mixed over the prior along its quantiles."""

    def cdf(x: float) -> float:
        total, _ = integrate.quad(
            lambda p: stats.norm.cdf(x / math.hypot(2, known.ppf(p))), 0, 1, epsabs=1e-11, limit=500
        )
        return float(total)

    found = rows(nma.prior_predictive(smoking, model(tau), level=0.8)).loc["new trial"]
    expected = optimize.brentq(lambda x: cdf(x) - 0.9, 0, 60, xtol=1e-10)
    assert math.log(found["upper"]) == pytest.approx(expected, rel=1e-6)
    assert found["lower"] * found["upper"] == pytest.approx(1.0, rel=1e-9)
    assert found["median"] == pytest.approx(1.0, abs=1e-9)


@dataclass(frozen=True)
class Gamma:
    """A user's own prior, which knows its density alone: gamma with shape 2."""

    origin: str = ""
    support: tuple[float, float] = (0.0, math.inf)

    def log_density(self, x: Any, xp: Any = np) -> Any:
        return xp.where(x > 0, xp.log(xp.where(x > 0, x, 1.0)) - x, -math.inf)


def test_a_prior_without_quantiles_is_served_by_quadrature(smoking: nma.Network) -> None:
    found = rows(nma.prior_predictive(smoking, model(Gamma())))
    for name, p in TAILS.items():
        value = found.loc["scale", name]
        assert stats.gamma(2).cdf(value) == pytest.approx(p, abs=2e-4)
        assert found.loc["range", name] == pytest.approx(math.exp(3.92 * value), rel=1e-9)


def test_what_the_trials_found_plays_no_part(smoking: nma.Network) -> None:
    trials = nma.datasets.load("smoking")
    quitters = nma.outcomes.Binary("events", "n", measure="OR", better="higher")
    other = nma.Network.from_arms(
        trials.assign(events=trials["n"] - trials["events"]),
        study="study",
        treatment="treatment",
        outcome=quitters,
        reference=smoking.reference,
    )
    first, second = (nma.prior_predictive(network) for network in (smoking, other))
    pd.testing.assert_frame_equal(pd.DataFrame(first), pd.DataFrame(second))


def test_differences_scale_with_their_unit() -> None:
    """Ten times the unit: ten times the range, in points."""
    narrow = nma.prior_predictive(loop(), model(HalfNormal(1), 2))
    wide = nma.prior_predictive(loop(), model(HalfNormal(10), 20))
    np.testing.assert_allclose(rows(wide), 10 * rows(narrow), rtol=1e-9, atol=1e-12)


def test_the_defaults_are_those_of_the_fit() -> None:
    network = nma.datasets.network("parkinson")
    table = nma.prior_predictive(network)
    assert set(nma.fit(network).priors) <= set(table.notes)
    unit = network.unit[0]
    beyond = stats.halfnorm(scale=unit / 2).sf(unit / 3.92)
    (note,) = [note for note in table.notes if "more than one unit" in note]
    assert note.endswith(f"): {beyond:.2f}.")


def test_sizes_of_heterogeneity_are_put_into_words(smoking: nma.Network) -> None:
    half, sizes, *_ = nma.prior_predictive(smoking, model(HalfNormal(1))).notes
    shares = np.diff(stats.halfnorm().cdf([0, 0.1, 0.5, 1, math.inf]))
    said = [f"{share:.2f}" for share in shares]
    assert [word for word in sizes.replace(",", " ").split() if word in said] == said
    assert "tau lies below 0.674" in half
    assert "within a factor of 14.1" in half


@pytest.mark.parametrize("tau", [LogT(-1.7, 1.3), HalfCauchy(5), Uniform(0, 0.05)], ids=repr)
def test_shares_of_any_prior_add_up(smoking: nma.Network, tau: Prior) -> None:
    sizes = nma.prior_predictive(smoking, model(tau)).notes[1]
    shares = [word.strip("<>,") for word in sizes.split(") ")[1:]]
    numbers = [float(share.split(",")[0].split(" ")[0].strip("<>")) for share in shares]
    assert sum(numbers) == pytest.approx(1.0, abs=0.035)


def test_without_heterogeneity_a_new_trial_is_like_the_others(smoking: nma.Network) -> None:
    found = rows(nma.prior_predictive(smoking, nma.Model(heterogeneity=Common())))
    assert list(found.index) == ["effect", "new trial"]
    np.testing.assert_array_equal(found.loc["effect"], found.loc["new trial"])


def test_a_known_tau_is_said_to_be_known(smoking: nma.Network) -> None:
    table = nma.prior_predictive(smoking, model(Fixed(0.3)))
    assert rows(table).loc["scale"].tolist() == [0.3, 0.3, 0.3]
    assert table.notes[0].startswith("tau is taken as known: the true ORs of 95% of trials")


@dataclass(frozen=True)
class Uneven:
    """Arms of C stray by a scale of their own beside that of all arms."""

    tau: Prior
    tau_c: Prior

    def resolve(self, network: nma.Network) -> Uneven:
        return self

    def scales(self, network: nma.Network) -> tuple[Scale, ...]:
        return Scale("tau", self.tau), Scale("tau_c", self.tau_c)

    def effects(self, network: nma.Network, arms: pd.DataFrame) -> tuple[ArmEffect, ...]:
        own = (arms["treatment"] == "C").to_numpy().astype(np.float64)
        unit = np.arange(len(arms))
        return ArmEffect("tau", np.ones(len(arms)), unit), ArmEffect("tau_c", own, unit)


def test_pairs_with_different_priors_have_their_own_rows() -> None:
    uneven = Uneven(Fixed(0.6), Fixed(0.8))
    table = nma.prior_predictive(
        loop(), nma.Model(nma.structures.Consistency(Normal(0, 2)), uneven)
    )
    assert table["kind"].tolist().count("scale") == 2
    assert "range" not in set(table["kind"])  # no one number for all pairs
    new = table.loc[table["kind"] == "new trial", "upper"]
    variance = {"B": 0.6**2, "C": 0.6**2 + 0.8**2 / 2}
    for name, added in variance.items():
        expected = stats.norm(0, math.sqrt(4 + added)).ppf(0.975)
        assert new[f"MD of {name} versus A, in one new trial"] == pytest.approx(expected)


def test_the_table_prints_three_figures(smoking: nma.Network) -> None:
    printed = str(nma.prior_predictive(smoking))
    assert "before any data" in printed
    assert "kind" not in printed
    assert " 6540\n" in printed
    assert "3.25e+08" in printed


def test_a_level_of_95_is_refused(smoking: nma.Network) -> None:
    with pytest.raises(ModelError, match=r"write 0\.95"):
        nma.prior_predictive(smoking, level=95)
