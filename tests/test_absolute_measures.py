"""Absolute effects of measures with a link: by hand, by quadrature, and in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad_vec
from scipy.stats import norm

import nma
from levels import MEASURES, counted, drawn, fitted
from nma.errors import ModelError
from nma.estimates import replicate_error
from nma.links import link_of
from nma.mixtures import Mixture
from nma.priors import Normal

VERBS = (nma.absolute_effects, nma.absolute_table)


def by_hand(measure: str, level: float, d: Any) -> Any:
    """Return the outcome of an effect on the level, by the definition of the measure."""
    if measure == "OR":
        odds = level / (1 - level) * np.exp(d)
        return odds / (1 + odds)
    if measure == "HR":  # the survivors, to the power of the hazard ratio
        return 1 - (1 - level) ** np.exp(d)
    return level + d if measure == "RD" else level * np.exp(d)


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_by_hand(measure: str) -> None:
    posterior = fitted(measure)
    relative = nma.relative_effects(posterior).sel(comparator="A", drop=True)
    drawn_ = nma.absolute_effects(posterior, reference_level=0.2)
    np.testing.assert_allclose(drawn_, by_hand(measure, 0.2, relative), rtol=1e-12)
    np.testing.assert_allclose(drawn_.sel(treatment="A"), 0.2, rtol=1e-14)
    table = nma.absolute_table(posterior, reference_level=0.2, level=0.9)
    effects = nma.effect_table(posterior, comparators=["A"], level=0.9).droplevel("comparator")
    log = np.log if posterior.network.ratio else np.asarray
    for end in ("lower", "upper"):
        expected = by_hand(measure, 0.2, log(effects[end]))
        np.testing.assert_allclose(table[end][["B", "C"]], expected, rtol=1e-11)
    assert (table["mcse"] == 0).all()
    np.testing.assert_allclose(table.loc[["A"], ["mean", "lower", "upper"]], 0.2, rtol=1e-14)
    assert table["sd"]["A"] == 0
    error = replicate_error(drawn_.to_numpy())
    apart = drawn_.mean(("chain", "draw")).to_numpy() - table["mean"].to_numpy()
    assert (np.abs(apart) <= 5 * error + 1e-12).all()


@pytest.mark.parametrize("measure", ["OR", "HR", "RR", "IRR", "ROM"])
@pytest.mark.parametrize("level", [0.2, Normal(-1.4, 0.3)])
def test_means_and_sds_are_those_of_adaptive_quadrature(measure: str, level: Any) -> None:
    posterior = fitted(measure)
    table = nma.absolute_table(posterior, reference_level=level)
    moments, link = posterior.draws.moments, link_of(measure)
    assert moments is not None
    assert link is not None
    at, sd = (level.mean, level.sd) if isinstance(level, Normal) else (link.link(0.2), 0.0)
    d = moments.of(posterior.levels - posterior.levels[0])
    for k, name in ((1, "B"), (2, "C")):
        spread = np.sqrt(d.sds[:, k] ** 2 + sd**2)

        def mean(power: int, k: int = k, spread: Any = spread) -> float:
            """All nodes at once, over the standard normal that each stands for."""

            def integrand(z: float) -> Any:
                return link.inverse(at + d.means[:, k] + spread * z) ** power * norm_density(z)

            found = quad_vec(integrand, -9, 9 + 2 * spread.max(), epsabs=1e-14, limit=2000)[0]
            return float(d.weight @ found)

        first = mean(1)
        np.testing.assert_allclose(table["mean"][name], first, rtol=1e-9)
        np.testing.assert_allclose(table["sd"][name] ** 2, mean(2) - first**2, rtol=1e-6)


def norm_density(z: float) -> float:
    return float(np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi))


def expit(x: Any) -> Any:
    return np.exp(-np.logaddexp(0, -x))


@pytest.mark.parametrize("sd", [0.01, 0.5, 1.0, 3.0, 14.0, 100.0])
@pytest.mark.parametrize("inverse", [expit, lambda x: -np.expm1(-np.exp(x))])
def test_the_trapezoid_rule_holds_at_every_spread(sd: float, inverse: Callable[[Any], Any]) -> None:
    """Against four times the nodes, and symmetry: E expit of a centred normal is one half."""
    mixture = Mixture(np.ones(1), np.array([[-1.5]]), np.array([[sd]]))
    mean, spread = mixture.averaged(lambda x: inverse(np.minimum(x, 700)))
    z = np.linspace(-10, 10, 400_001)
    weight = norm.pdf(z) * (z[1] - z[0])
    values = inverse(np.minimum(-1.5 + sd * z, 700))
    np.testing.assert_allclose(mean, values @ weight, atol=1e-10)
    np.testing.assert_allclose(spread**2, (values - mean) ** 2 @ weight, atol=1e-10)
    half = Mixture(np.ones(1), np.zeros((1, 1)), np.array([[sd]])).averaged(expit)[0]
    np.testing.assert_allclose(half, 0.5, atol=1e-13)


def test_exponentials_have_their_closed_form_and_may_overflow() -> None:
    sds = np.array([[0.1, 1.0, 5.0]])
    mixture = Mixture(np.ones(1), np.full((1, 3), -0.7), sds)
    mean, sd = mixture.averaged(np.exp)
    np.testing.assert_allclose(mean, np.exp(-0.7 + sds[0] ** 2 / 2), rtol=1e-11)
    np.testing.assert_allclose(sd, mean * np.sqrt(np.expm1(sds[0] ** 2)), rtol=1e-9)
    wide = Mixture(np.ones(1), np.zeros((1, 1)), np.full((1, 1), 100.0))
    assert np.isinf(wide.averaged(np.exp)).all()
    posterior = fitted("IRR")
    table = nma.absolute_table(posterior, reference_level=Normal(0, 100))
    assert np.isfinite(table["median"]).all()
    assert any("overflow: read the median" in note for note in table.notes)


@pytest.mark.parametrize("measure", MEASURES)
def test_an_uncertain_level_is_on_the_scale_of_the_model(measure: str) -> None:
    posterior = fitted(measure)
    level = Normal(0.3, 0.05) if measure == "RD" else Normal(-1.4, 0.3)
    table = nma.absolute_table(posterior, reference_level=level)
    draws = nma.absolute_effects(posterior, reference_level=level).to_numpy()
    error = replicate_error(draws)
    assert (np.abs(draws.mean(axis=(0, 1)) - table["mean"]) <= 5 * error).all()
    sampled = replace(posterior, draws=replace(posterior.draws, moments=None))
    again = nma.absolute_table(sampled, reference_level=level)
    np.testing.assert_allclose(again["mean"], draws.mean(axis=(0, 1)), rtol=1e-12)
    for name in ("lower", "upper"):
        np.testing.assert_allclose((again[name] - table[name]) / table["sd"], 0, atol=0.1)
    link = link_of(measure)
    assert link is not None
    assert measure == "RD" or f"in {link.scale}, with" in " ".join(table.caption.split())
    ends = norm.ppf([0.025, 0.975], level.mean, level.sd)
    own = table.loc["A", ["lower", "upper"]].astype(float)
    np.testing.assert_allclose(own, link.inverse(ends), rtol=1e-11)


@pytest.mark.parametrize("verb", VERBS)
def test_levels_that_cannot_be_are_refused(verb: Any) -> None:
    for measure in ("OR", "RR", "RD", "HR"):
        posterior = fitted(measure)
        with pytest.raises(ModelError, match=r"not a probability under 'A'.*: write 0.4 for 40 %"):
            verb(posterior, reference_level=40)
        for level in (0, 1, -0.1, 1.0, 250):
            with pytest.raises(ModelError, match="strictly between 0 and 1"):
                verb(posterior, reference_level=level)
    for measure, what in (("IRR", "rate"), ("ROM", "mean")):
        for level in (0, -1.5):
            with pytest.raises(ModelError, match=f"is not a {what} under 'A': it must be above"):
                verb(fitted(measure), reference_level=level)
    for nonsense in (float("nan"), float("inf"), "0.2", None, True, "networks"):
        with pytest.raises(ModelError, match="is not a level: write the probability of the"):
            verb(fitted("OR"), reference_level=nonsense)
    with pytest.raises(ModelError, match="instrument='NRS' is for SMD: these effects are OR"):
        verb(fitted("OR"), reference_level=0.2, instrument="NRS")


def test_what_a_probability_cannot_be_is_noted_and_kept() -> None:
    for measure, level in (("RD", 0.6), ("RR", 0.7)):
        posterior = fitted(measure)
        table = nma.absolute_table(posterior, reference_level=level)
        assert table["upper"]["C"] > 1
        assert any("Beyond what a probability can be: B, C." in note for note in table.notes)
        draws = nma.absolute_effects(posterior, reference_level=level)
        assert float(draws.max()) > 1
        assert draws.attrs["beyond"] == ["B", "C"]
        low = nma.absolute_table(fitted(measure, unit=0.1), reference_level=0.4)
        assert not any("Beyond" in note for note in low.notes)
    for measure in ("OR", "HR"):
        draws = nma.absolute_effects(fitted(measure), reference_level=0.7)
        assert "beyond" not in draws.attrs
        assert float(draws.max()) <= 1


def test_captions_say_what_and_of_when() -> None:
    told = {m: nma.absolute_table(fitted(m), reference_level=0.2) for m in MEASURES}
    assert told["OR"].caption.startswith(
        "Probability of the outcome under each treatment, where A leads to 0.2, with 95%"
    )
    assert told["IRR"].caption.startswith("Rate of the outcome")
    assert "Rates are per unit of exposure in which that of A was given." in told["IRR"].notes
    assert told["ROM"].caption.startswith("Mean outcome under each treatment, where")
    assert any("by the time for which that of A was given" in note for note in told["HR"].notes)
    unsure = nma.absolute_table(fitted("OR"), reference_level=Normal(-1.4, 0.3))
    text = " ".join(unsure.caption.split())
    assert "A leads to 0.198 (95% 0.12 to 0.307), normal with mean -1.4 and sd 0.3 in" in text
    attrs = nma.absolute_effects(fitted("OR"), reference_level=0.2).attrs
    assert (attrs["measure"], attrs["reference_level"]) == ("probability", 0.2)
    assert attrs["reference_level_scale"] == "probability"


def test_risks_of_hazard_ratios_agree_at_every_time() -> None:
    """Hazards are proportional: the survivors at twice the time are the squares."""
    posterior = fitted("HR")
    once = nma.absolute_effects(posterior, reference_level=0.2)
    twice = nma.absolute_effects(posterior, reference_level=1 - 0.8**2)
    np.testing.assert_allclose(1 - twice, (1 - once) ** 2, rtol=1e-10, atol=1e-14)


def test_least_squares_carries_the_estimate_through() -> None:
    posterior = fitted("OR", engine=nma.engines.LeastSquares(tau="DL", knapp_hartung=True))
    table = nma.absolute_table(posterior, reference_level=0.2)
    effects = nma.effect_table(posterior, comparators=["A"]).droplevel("comparator")
    p = by_hand("OR", 0.2, effects["mean"])
    np.testing.assert_allclose(table["mean"][["B", "C"]], p, rtol=1e-12)
    np.testing.assert_allclose(table["sd"][["B", "C"]], p * (1 - p) * effects["sd"], rtol=1e-8)
    expected = by_hand("OR", 0.2, np.log(effects["upper"]))
    np.testing.assert_allclose(table["upper"][["B", "C"]], expected, rtol=1e-11)
    assert any(note.startswith("No posterior: mean is that at") for note in table.notes)
    unsure = nma.absolute_table(posterior, reference_level=Normal(-1.4, 0.1))
    assert (unsure["mcse"] > 0).all()


INVERSES: dict[str, Callable[[Any], Any]] = {
    "OR": expit,
    "HR": lambda x: 1 - np.exp(-np.exp(x)),
    "IRR": np.exp,
}

ROWS = {
    "s": [*"1122233"],
    "t": [*"ABABCBC"],
    "r": [3, 4, 5, 6, 7, 8, 9],
    "n": 50,
    "time": [1, 1, 2, 2, 2, 1, 1],
}


@pytest.mark.parametrize("measure", ["OR", "HR", "IRR"])
def test_the_networks_own_level_by_hand(measure: str) -> None:
    """Trial 1 has A and B, trial 2 A, B and C; trial 3 has no A."""
    values = drawn("123", 2)
    time: dict[str, Any] = {"time": "time"} if measure == "HR" else {}
    outcome: Any = nma.outcomes.Rate("r", "n", better="lower")
    if measure != "IRR":
        outcome = nma.outcomes.Binary("r", "n", measure=measure, better="lower", **time)
    posterior = counted(outcome, ROWS, values)
    b, c = (values["beta"].to_numpy()[..., k] for k in (0, 1))
    m = values["trial_level"].to_numpy()
    eta = (m[..., 0] - b / 2 + m[..., 1] - (b + c) / 3) / 2
    inverse = INVERSES[measure]
    found = nma.absolute_effects(posterior, reference_level="network")
    for name, d in (("A", 0), ("B", b), ("C", c)):
        np.testing.assert_allclose(found.sel(treatment=name), inverse(eta + d), rtol=1e-12)
    assert found.attrs["reference_level"] == "network"
    table = nma.absolute_table(posterior, reference_level="network")
    np.testing.assert_allclose(table["mean"], found.mean(("chain", "draw")), rtol=1e-12)
    np.testing.assert_allclose(table["mcse"], replicate_error(found.to_numpy()), rtol=1e-12)
    assert "A leads to the mean level of the 2 trials with it" in table.caption
    assert "without random effects. How much levels differ between trials is" in table.notes[0]
    unit = {"HR": "one unit of the trials' time", "IRR": "per unit of the trials' exposure"}
    assert unit.get(measure, "") in " ".join(table.notes)
    other = nma.at(posterior, treatments=["C", "B"])
    assert other.comparator == "C"
    again = nma.absolute_effects(other, reference_level="network")
    eta = (m[..., 1] - (b + c) / 3 + m[..., 2] - (b + c) / 2) / 2 + c
    np.testing.assert_allclose(again.sel(treatment="C"), inverse(eta), rtol=1e-12)


def test_the_networks_own_level_counts_arms_twice_in_their_trial_alone() -> None:
    rows = {"s": [*"11122"], "t": [*"AABAB"], "r": 3, "n": 50}
    values = drawn("12", 1)
    outcome = nma.outcomes.Binary("r", "n", measure="OR", better="lower")
    posterior = counted(outcome, rows, values)
    b, m = values["beta"].to_numpy()[..., 0], values["trial_level"].to_numpy()
    found = nma.absolute_effects(posterior, reference_level="network").sel(treatment="A")
    np.testing.assert_allclose(found, expit((m[..., 0] - b / 3 + m[..., 1] - b / 2) / 2))


@pytest.mark.parametrize("verb", VERBS)
def test_where_no_arms_tell_a_level_it_is_refused(verb: Any) -> None:
    smd: dict[str, Any] = {"reference_sd": 20}
    for measure, more in (("MD", {}), ("SMD", smd), ("OR", {}), ("ROM", {})):
        with pytest.raises(ModelError, match=r"differences within trials tell no level. State"):
            verb(fitted(measure), reference_level="network", **more)
    outcome = nma.outcomes.Binary("r", "n", measure="OR", better="lower")
    posterior = counted(outcome, ROWS, drawn("123", 2))
    arms = posterior.problem.arms.replace({"treatment": {"A": "Z"}})
    nowhere = replace(posterior, problem=replace(posterior.problem, arms=arms))
    with pytest.raises(ModelError, match="no trial that reports arms has 'A'"):
        verb(nowhere, reference_level="network")
    bent = replace(posterior.problem, predictor=lambda beta, levels, xp: xp.dot(levels, beta))
    with pytest.raises(ModelError, match="needs a linear model"):
        verb(replace(posterior, problem=bent), reference_level="network")


def test_smoking_at_six_percent() -> None:
    """Exact, and as the smoking table's odds ratios say by hand."""
    posterior = nma.fit(nma.datasets.network("smoking").as_normal())
    table = pd.DataFrame(nma.absolute_table(posterior, reference_level=0.06))
    odds = 0.06 / 0.94 * nma.effect_table(posterior).xs("no intervention", level=1)["upper"]
    np.testing.assert_allclose(table["upper"][odds.index], odds / (1 + odds), rtol=1e-11)
