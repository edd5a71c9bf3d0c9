"""Risk ratios and differences at a baseline risk: by hand, and by their laws."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad_vec

import nma
from levels import counted, drawn, fitted
from nma.errors import ModelError
from nma.priors import Normal
from test_absolute_measures import ROWS, by_hand, norm_density

ENDS = ["lower", "upper"]


@pytest.mark.parametrize("fitted_measure", ["OR", "HR"])
def test_quantiles_are_those_of_the_effect_carried_through(fitted_measure: str) -> None:
    posterior = fitted(fitted_measure)
    effects = nma.effect_table(posterior, comparators=["A"])
    p = by_hand(fitted_measure, 0.2, np.log(effects[ENDS]))
    ratio = nma.standardised_table(posterior, measure="RR", reference_level=0.2)
    np.testing.assert_allclose(ratio[ENDS], p / 0.2, rtol=1e-11)
    difference = nma.standardised_table(posterior, measure="RD", reference_level=0.2)
    np.testing.assert_allclose(difference[ENDS], p - 0.2, rtol=1e-10)
    for table in (ratio, difference):
        assert table.index.tolist() == [("B", "A"), ("C", "A")]
        np.testing.assert_allclose(table["p_better"], effects["p_better"], rtol=1e-12)
        assert (table["mcse"] == 0).all()
    absolute = nma.absolute_table(posterior, reference_level=0.2)
    np.testing.assert_allclose(difference["mean"], absolute["mean"][["B", "C"]] - 0.2, rtol=1e-10)
    np.testing.assert_allclose(difference["sd"], absolute["sd"][["B", "C"]], rtol=1e-10)


def test_the_mean_log_risk_ratio_is_that_of_adaptive_quadrature() -> None:
    posterior = fitted("OR")
    moments = posterior.draws.moments
    assert moments is not None
    d = moments.of(posterior.levels - posterior.levels[0])

    def integrand(z: float) -> Any:
        log = np.log(by_hand("OR", 0.2, d.means[:, 1] + d.sds[:, 1] * z) / 0.2)
        return log * norm_density(z)

    mean = d.weight @ quad_vec(integrand, -9, 9, epsabs=1e-14, limit=2000)[0]
    table = nma.standardised_table(posterior, measure="RR", reference_level=0.2)
    np.testing.assert_allclose(table["mean"].iloc[0], mean, rtol=1e-9)
    np.testing.assert_allclose(table["estimate"], np.exp(table["mean"]), rtol=1e-12)


@pytest.mark.parametrize("measure", ["OR", "HR"])
def test_at_small_risks_the_risk_ratio_is_the_effect(measure: str) -> None:
    posterior = fitted(measure)
    effects = nma.effect_table(posterior, comparators=["A"])
    table = nma.standardised_table(posterior, measure="RR", reference_level=1e-10)
    names = ["estimate", "lower", "upper", "mean", "sd"]
    np.testing.assert_allclose(table[names], effects[names], rtol=1e-8)


def test_without_an_effect_the_ratio_is_one_and_the_difference_zero() -> None:
    values = drawn("123", 2)
    values["beta"] = values["beta"] * 0
    outcome = nma.outcomes.Binary("r", "n", measure="OR", better="lower")
    posterior = counted(outcome, ROWS, values)
    for level in (0.2, Normal(-1.4, 0.3), "network"):
        asked: dict[str, Any] = {"reference_level": level}
        ratio = nma.standardised_table(posterior, measure="RR", **asked)
        np.testing.assert_allclose(ratio[["estimate", *ENDS]], 1, rtol=1e-12)
        difference = nma.standardised_table(posterior, measure="RD", **asked)
        np.testing.assert_allclose(difference[["estimate", *ENDS]], 0, atol=1e-12)
        assert (difference["p_better"] == 0.5).all()


def test_event_and_non_event_mirror_the_risk_difference() -> None:
    """The odds ratio of the opposite event is the inverse, its risk difference the negative."""
    posterior = fitted("OR")
    here = nma.standardised_table(posterior, measure="RD", reference_level=0.2)
    effects = nma.effect_table(posterior, comparators=["A"])
    opposite = by_hand("OR", 0.8, -np.log(effects[ENDS])) - 0.8
    np.testing.assert_allclose(-opposite, here[ENDS], rtol=1e-9)


@pytest.mark.parametrize("measure", ["RR", "RD"])
def test_an_uncertain_risk_is_drawn_with_its_error(measure: Any) -> None:
    posterior = fitted("OR")
    level = Normal(-1.4, 0.3)
    table = nma.standardised_table(posterior, measure=measure, reference_level=level)
    p = nma.absolute_effects(posterior, reference_level=level)
    p0, others = p.sel(treatment=["A"]).to_numpy(), p.sel(treatment=["B", "C"]).to_numpy()
    by_draw = np.log(others / p0) if measure == "RR" else others - p0
    np.testing.assert_allclose(table["mean"], by_draw.mean(axis=(0, 1)), rtol=1e-10)
    own = np.exp if measure == "RR" else np.asarray
    expected = np.quantile(by_draw.reshape(-1, 2), [0.025, 0.975], axis=0).T
    np.testing.assert_allclose(table[ENDS], own(expected), rtol=1e-10)
    assert (table["mcse"] > 0).all()
    sure = replace(posterior, draws=replace(posterior.draws, moments=None))
    known = nma.standardised_table(sure, measure=measure, reference_level=0.2)
    exact = nma.standardised_table(posterior, measure=measure, reference_level=0.2)
    assert (np.abs(known["mean"] - exact["mean"]) <= 5 * known["mcse"]).all()


def test_the_caption_says_at_which_risk() -> None:
    table = nma.standardised_table(fitted("OR", "higher"), measure="RR", reference_level=0.2)
    assert table.caption.startswith(
        "Risk ratio, treatment versus A, where A leads to 0.2, with 95% credible intervals; "
        "above 1 favours the treatment. Standardised from OR, which is taken as the same at"
    )
    table = nma.standardised_table(fitted("HR"), measure="RD", reference_level=0.2)
    assert "negative favours the treatment" in table.caption
    assert any("by the time for which that of A was given" in note for note in table.notes)


def test_what_cannot_be_standardised_is_refused() -> None:
    ask: Any = nma.standardised_table
    with pytest.raises(ModelError, match=r"measure='NNT' cannot be standardised: ask for 'RR' or"):
        ask(fitted("OR"), measure="NNT", reference_level=0.2)
    with pytest.raises(ModelError, match=r"this one is of RR. nma.effect_table has its effects"):
        ask(fitted("RR"), measure="RR", reference_level=0.2)
    with pytest.raises(ModelError, match="RD at a baseline risk comes from a model of OR or HR"):
        ask(fitted("MD"), measure="RD", reference_level=0.2)
    with pytest.raises(ModelError, match=r"write 0.4 for 40 %"):
        ask(fitted("OR"), measure="RD", reference_level=40)
    with pytest.raises(ModelError, match=r"write 0.95 for 95 %"):
        ask(fitted("OR"), measure="RD", reference_level=0.2, level=95)


def test_least_squares_gives_the_ratio_at_the_estimate() -> None:
    posterior = fitted("OR", engine=nma.engines.LeastSquares(tau="DL"))
    table = nma.standardised_table(posterior, measure="RR", reference_level=0.2)
    effects = nma.effect_table(posterior, comparators=["A"])
    p = by_hand("OR", 0.2, effects["mean"])
    np.testing.assert_allclose(table["estimate"], p / 0.2, rtol=1e-12)
    np.testing.assert_allclose(table["sd"], (1 - p) * effects["sd"], rtol=1e-8)
    assert "confidence interval" in table.caption
