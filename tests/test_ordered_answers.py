"""Answers from ordered categories: measures of fit, probabilities, what is stated and refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import nma
from levels import Given, counted, drawn
from nma import fit_measures
from nma.errors import ModelError
from nma.fit_measures._values import strata
from nma.priors import HalfNormal, Normal
from nma.problem import Arms
from ordered import COUNTS, EVENTS, LATENT, ONE_CUT, OR, SMD, TWO, by_scipy, inclusive, network

if TYPE_CHECKING:
    import xarray as xr

BOTH = pytest.mark.parametrize("outcome", [SMD, OR], ids=lambda o: o.measure)


def values() -> xr.Dataset:
    """Draws of everything that the trials of COUNTS need, from nowhere in particular."""
    rng = np.random.default_rng(7)
    found = drawn("1234", 2, shift=-0.5)
    found["u"] = (("chain", "draw", "arm"), rng.normal(0, 0.1, (3, 7, len(COUNTS))))
    scores = rng.normal(-0.5, 0.3, (3, 7, 2))
    found["auxiliary"] = (("chain", "draw", "auxiliary_parameter"), scores)
    return found


def posterior(outcome: Any = SMD) -> nma.Posterior:
    return nma.fit(network(outcome, reference="A"), engine=Given(values()))


def predictors(fitted: nma.Posterior) -> Any:
    """Return eta of every arm in every draw, (draw, arm), trial by trial."""
    given = {
        str(name): table.to_numpy().reshape(-1, table.shape[-1])
        for name, table in fitted.draws.values.data_vars.items()
        if name != "tau"
    }
    level = given["beta"] @ fitted.problem.levels.T
    eta = level + given["u"]
    for k, rows in enumerate(COUNTS.groupby("study").indices.values()):
        eta[:, rows] += (given["trial_level"][:, k] - level[:, rows].mean(axis=1))[:, None]
    return eta, given["auxiliary"]


@BOTH
def test_deviance_and_both_plug_ins_by_hand(outcome: Any) -> None:
    fitted = posterior(outcome)
    eta, scores = predictors(fitted)
    (part,) = fitted.problem.evidence
    assert isinstance(part, Arms)
    count = part.data["count"]
    seen = count / count.sum(axis=1, keepdims=True)

    def deviance(p: Any) -> Any:
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.where(count > 0, count * (np.log(seen) - np.log(p)), 0)
        return 2 * terms.sum(axis=1)

    def probabilities(level: Any, at: Any) -> Any:
        above = LATENT[outcome.measure].cdf(level[:, None] - outcome.cut_points_at(at))
        whole = np.column_stack([np.ones(9), above, np.zeros(9)])
        upto = part.data["upto"]
        return whole[:, :-1] - np.take_along_axis(whole, upto, axis=1)

    p = np.stack([probabilities(*pair) for pair in zip(eta, scores, strict=True)])
    mean = np.mean([deviance(each) for each in p], axis=0)
    table = fit_measures.deviance(fitted)
    np.testing.assert_allclose(table["deviance"], mean, rtol=1e-10)
    np.testing.assert_allclose(table["leverage"], mean - deviance(p.mean(axis=0)), rtol=1e-8)
    at = probabilities(eta.mean(axis=0), scores.mean(axis=0))
    other = fit_measures.deviance(fitted, plug_in="linear predictor")
    np.testing.assert_allclose(other["leverage"], mean - deviance(at), rtol=1e-8)
    assert table["points"].tolist() == [3, 3, 2, 2, 2, 1, 1, 2, 2]
    assert table["rows"].tolist() == [str(k) for k in range(1, 10)]
    assert table[["observed", "fitted"]].isna().all(axis=None)
    assert any("an arm of several numbers, is one line" in note for note in table.notes)
    dic = fit_measures.dic(fitted)
    assert dic["points"].tolist() == [18]
    assert dic["deviance"].iloc[0] == pytest.approx(mean.sum(), rel=1e-10)


@BOTH
def test_densities_of_draws_are_those_of_the_definition(outcome: Any) -> None:
    """As measures of fit ask for them: many draws at once, each with cut-points of its own."""
    fitted = posterior(outcome)
    eta, scores = predictors(fitted)
    (part,) = fitted.problem.evidence
    assert isinstance(part, Arms)
    found = [
        part.density(values.predictor(part, ""), values.auxiliary(part, ""), part.data, np)
        for values in strata(fitted)
    ]
    expected = [
        by_scipy(outcome, level, outcome.cut_points_at(at))
        for level, at in zip(eta, scores, strict=True)
    ]
    np.testing.assert_allclose(np.concatenate(found), expected, rtol=1e-9)


def test_arms_of_two_categories_have_the_fit_of_events() -> None:
    rows = {"s": [*"1122233"], "t": [*"ABABCBC"], "r": TWO["r"].tolist(), "n": TWO["n"].tolist()}
    draws = drawn("123", 2)
    draws["u"] = (("chain", "draw", "arm"), np.zeros((3, 7, 7)))
    tables = [fit_measures.deviance(counted(x, rows, draws)) for x in (ONE_CUT, EVENTS)]
    for column in ("deviance", "leverage", "points"):
        np.testing.assert_allclose(tables[0][column], tables[1][column], rtol=1e-10)


def test_the_leverage_plot_shares_numbers_among_points() -> None:
    fitted = posterior()
    table = fit_measures.deviance(fitted)
    marks = nma.plots.leverage.marks(fitted)
    np.testing.assert_allclose(marks["root"] ** 2, table["deviance"] / table["points"])
    np.testing.assert_allclose(marks["leverage"], table["leverage"] / table["points"])


@BOTH
def test_probabilities_are_those_of_any_category_that_is_meant(outcome: Any) -> None:
    """By hand from the effects; the cut-points play no part."""
    fitted, latent = posterior(outcome), LATENT[outcome.measure]
    beta = fitted.draws.values["beta"].to_numpy()
    draws = nma.absolute_effects(fitted, reference_level=0.3)
    for k, name in enumerate("BC"):
        expected = latent.cdf(latent.ppf(0.3) + beta[..., k])
        np.testing.assert_allclose(draws.sel(treatment=name), expected, rtol=1e-12)
    table = nma.absolute_table(fitted, reference_level=0.3)
    np.testing.assert_allclose(table["mean"], draws.mean(("chain", "draw")), rtol=1e-12)
    caption = " ".join(table.caption.split())
    assert caption.startswith(
        "Probability of the category meant or a higher one under each treatment, where A leads to"
    )
    assert any("category for which that of A was given, whichever it is" in n for n in table.notes)
    unsure = nma.absolute_table(fitted, reference_level=Normal(-0.5, 0.1))
    scale = {"SMD": "probits", "OR": "log odds"}[outcome.measure]
    assert f"normal with mean -0.5 and sd 0.1 in {scale}" in " ".join(unsure.caption.split())
    assert draws.attrs["measure"] == "probability"


@BOTH
def test_the_networks_own_level_is_of_the_first_category(outcome: Any) -> None:
    fitted, latent = posterior(outcome), LATENT[outcome.measure]
    b, c = (fitted.draws.values["beta"].to_numpy()[..., k] for k in (0, 1))
    m = fitted.draws.values["trial_level"].to_numpy()
    eta = (m[..., 0] - b / 2 + m[..., 1] - (b + c) / 3 + m[..., 3] - c / 2) / 3
    found = nma.absolute_effects(fitted, reference_level="network")
    np.testing.assert_allclose(found.sel(treatment="A"), latent.cdf(eta), rtol=1e-12)
    np.testing.assert_allclose(found.sel(treatment="C"), latent.cdf(eta + c), rtol=1e-12)
    table = nma.absolute_table(fitted, reference_level="network")
    assert "Probabilities are of 'some' or a higher category." in table.notes


@BOTH
def test_risk_ratios_and_differences_at_a_baseline_risk(outcome: Any) -> None:
    fitted = posterior(outcome)
    p = nma.absolute_effects(fitted, reference_level=0.3).sel(treatment=["B", "C"]).to_numpy()
    ratio = nma.standardised_table(fitted, measure="RR", reference_level=0.3)
    mean = np.log(p / 0.3).mean(axis=(0, 1))
    np.testing.assert_allclose(ratio["mean"], mean, rtol=1e-10)
    difference = nma.standardised_table(fitted, measure="RD", reference_level=0.3)
    np.testing.assert_allclose(difference["mean"], p.mean(axis=(0, 1)) - 0.3, rtol=1e-10)
    assert any("whichever it is, or a higher one" in note for note in ratio.notes)


def test_a_risk_that_is_next_to_nothing_has_a_finite_ratio() -> None:
    """Effects of many SDs downwards: no logarithm of zero."""
    draws = values()
    draws["beta"] = draws["beta"] - 60
    fitted = nma.fit(network(reference="A"), engine=Given(draws))
    table = nma.standardised_table(fitted, measure="RR", reference_level=0.3)
    assert np.isfinite(table["mean"]).all()
    assert (table["mean"] < -600).all()


def test_exact_probabilities_of_normal_contrasts_are_integrals() -> None:
    fitted = nma.fit(network(SMD.as_normal(), reference="A"))
    moments = fitted.draws.moments
    assert moments is not None
    table = nma.absolute_table(fitted, reference_level=0.3)
    d = moments.of(fitted.levels - fitted.levels[0])
    at = stats.norm.ppf(0.3)
    # the mean of Phi(x) over a normal x is Phi(mean / sqrt(1 + variance))
    mean = d.weight @ stats.norm.cdf((at + d.means) / np.sqrt(1 + d.sds**2))
    np.testing.assert_allclose(table["mean"], mean, rtol=1e-9)
    assert (table["mcse"] == 0).all()


def test_a_latent_scale_has_no_points() -> None:
    fitted = posterior()
    with pytest.raises(ModelError, match=r"standard deviations of a latent scale that has no poin"):
        nma.in_points(fitted, "NRS", reference_sd=2)
    for asked in ({"reference_sd": 2.0}, {"instrument": "NRS"}):
        with pytest.raises(ModelError, match="for SMD of means: these effects are SMD of a late"):
            nma.absolute_table(fitted, reference_level=0.3, **asked)
    with pytest.raises(ModelError, match=r"is not a probability under 'A'.*write 0.3 for 30 %"):
        nma.absolute_table(fitted, reference_level=30)
    with pytest.raises(ModelError, match="write the probability of the category meant or a high"):
        nma.absolute_table(fitted, reference_level="some")  # type: ignore[arg-type]


MEANS = pd.DataFrame(
    {
        "study": [*"8899"],
        "treatment": [*"ABAC"],
        "mean": [4.0, 5.0, 3.9, 5.2],
        "sd": [2.0, 2.1, 1.9, 2.0],
        "n": [40, 41, 35, 33],
    }
)


def test_smds_of_means_and_of_categories_combine_but_lead_to_no_one_level() -> None:
    means = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="SMD", better="higher")
    both = nma.Network.combine(network(means, MEANS), network(SMD))
    common = nma.Model(heterogeneity=nma.heterogeneity.Common())
    fitted = nma.fit(both.as_normal(), common)
    alone = nma.fit(network(SMD.as_normal()), common)
    assert (nma.summary(fitted)["sd"].iloc[:2] < nma.summary(alone)["sd"].iloc[:2]).all()
    with pytest.raises(ModelError, match="levels of different kinds, a mean of the outcome and a"):
        nma.absolute_table(fitted, reference_level=0.3)
    points = nma.in_points(fitted, "NRS", reference_sd=2.0)
    effects = nma.effect_table(fitted, comparators=["A"])["mean"]
    np.testing.assert_allclose(points["estimate"].abs(), 2 * effects.abs(), rtol=1e-9)


def test_events_and_categories_have_one_odds_ratio_and_no_common_level() -> None:
    events = TWO.assign(study=TWO["study"] + " (events)")
    both = nma.Network.combine(network(OR, reference="A"), network(EVENTS, events))
    fitted = nma.fit(both.as_normal())
    table = nma.absolute_table(fitted, reference_level=0.3)
    assert "Probability of the category meant or a higher one" in table.caption
    with pytest.raises(ModelError, match="levels of different events or categories, of which"):
        nma.absolute_table(fitted, reference_level="network")


def test_the_prior_of_cut_points_is_printed_with_the_others() -> None:
    said = "Prior: distance between neighbouring cut-points ~ Uniform(lower=0, upper=5) (default)."
    fitted = posterior()
    assert said in fitted.priors
    assert said in nma.summary(fitted).notes
    own = posterior(replace(SMD, cut_points=HalfNormal(2)))
    assert "Prior: distance between neighbouring cut-points ~ HalfNormal(scale=2)." in own.priors
    assert not any("cut-points" in prior for prior in nma.fit(network().as_normal()).priors)


def test_both_kinds_of_counts_give_one_answer() -> None:
    model = nma.Model(heterogeneity=nma.heterogeneity.Random(HalfNormal(0.5)))
    one, other = (
        nma.summary(nma.fit(made.as_normal(), model))
        for made in (network(), network(replace(SMD, counts="inclusive"), inclusive()))
    )
    np.testing.assert_array_equal(one["mean"], other["mean"])


def test_another_direction_mirrors_ranks_and_no_effect() -> None:
    turned = replace(SMD, better="lower")
    higher, lower = (nma.fit(network(outcome).as_normal()) for outcome in (SMD, turned))
    first, second = (nma.sucra(fitted)["sucra"] for fitted in (higher, lower))
    np.testing.assert_allclose(first, 1 - second[first.index], rtol=1e-9)
    np.testing.assert_array_equal(nma.summary(higher)["mean"], nma.summary(lower)["mean"])
