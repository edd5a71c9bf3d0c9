"""Responders: published conversions, exact against drawn, numbers needed to treat, bad input."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import nma
import pictures
from nma.decisions import responder_rate, responders
from nma.decisions._number_needed import number_needed
from nma.errors import EngineError, ModelError
from nma.priors import Beta, Normal

LESS = "at least 30 % less pain"
METHODS: tuple[Any, ...] = ("Hasselblad-Hedges", "Furukawa")
NUMBERS = [f"{name}{end}" for name in ("rate", "rr", "rd") for end in ("", "_lower", "_upper")]


@pytest.fixture(scope="module")
def points() -> nma.Posterior:
    return nma.fit(nma.datasets.network("back_pain"))


@pytest.fixture(scope="module")
def odds() -> nma.Posterior:
    return nma.fit(nma.datasets.network("smoking").as_normal())


def rates(posterior: nma.Posterior, **arguments: Any) -> nma.tables.Table:
    asked = {"control_rate": 0.3, "definition": LESS, "sd": 2.4, **arguments}
    return responders(posterior, **asked)


def contrasts(effects: dict[str, float], measure: str, better: Any) -> nma.Network:
    """Two large trials of each treatment against placebo."""
    rows = [
        (f"{name} {k}", name, "placebo", d, 0.05) for name, d in effects.items() for k in (1, 2)
    ]
    frame = pd.DataFrame(rows, columns=["study", "treatment", "comparator", "effect", "se"])
    outcome = nma.outcomes.Contrast("effect", "se", measure=measure, better=better, scale=1.0)
    return nma.Network.from_contrasts(
        frame,
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=outcome,
        reference="placebo",
    )


def fitted(effects: dict[str, float], measure: str = "SMD", better: Any = "lower") -> nma.Posterior:
    engine = nma.engines.LeastSquares(tau="common")
    return nma.fit(contrasts(effects, measure, better), engine=engine)


# published numbers


def test_an_smd_of_028_at_30_percent_is_what_was_published() -> None:
    first, second = (responder_rate(0.28, control_rate=0.3, method=m) for m in METHODS)
    assert round(first / (1 - first) / (0.3 / 0.7), 2) == 1.66
    assert round(first / 0.3, 2) == 1.39
    assert round(second / 0.3, 2) == 1.34


def test_a_log_odds_ratio_is_181_smds_at_every_control_rate_as_in_chinn_2000() -> None:
    for control in (0.02, 0.3, 0.7):
        rate = responder_rate(0.5, control_rate=control)
        log_odds_ratio = math.log(rate / (1 - rate) * (1 - control) / control)
        assert round(log_odds_ratio / 0.5, 2) == 1.81


def test_at_one_half_furukawas_rate_is_cohens_u3() -> None:
    """Cohen 1988, table 2.2.1: 57.9, 69.1 and 78.8 % for small, medium and large effects."""
    found = [responder_rate(d, control_rate=0.5, method="Furukawa") for d in (0.2, 0.5, 0.8)]
    assert [round(100 * rate, 1) for rate in found] == [57.9, 69.1, 78.8]


def test_a_number_needed_to_treat_goes_through_infinity_as_in_altman_1998() -> None:
    """A risk difference of 10 % (-5 to 25): from NNTB 4 through infinity to NNTH 20."""
    assert number_needed(0.10, -0.05, 0.25) == "NNTB 10 (NNTB 4 .. infinity .. NNTH 20)"


def test_a_number_needed_to_treat_is_that_of_gladstone_in_barrowman_2002() -> None:
    """16.6 % (0.9 to 32.2): 6 (3.1 to 111)."""
    assert number_needed(0.166, 0.009, 0.322) == "NNTB 6 (3.1 to 111)"


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        ((-0.10, -0.25, -0.05), "NNTH 10 (4 to 20)"),
        ((0.0, -0.05, 0.2), "infinity (NNTB 5 .. infinity .. NNTH 20)"),
        ((0.1, 0.0, 0.2), "NNTB 10 (NNTB 5 .. infinity)"),
        ((-0.1, -0.2, 0.0), "NNTH 10 (infinity .. NNTH 5)"),
        ((0.0, 0.0, 0.0), "infinity (infinity)"),
        ((1e-9, 1e-10, 1e-8), "NNTB 1e+09 (1e+08 to 1e+10)"),
        ((math.nan, math.nan, math.nan), ""),
    ],
)
def test_numbers_needed_to_treat_at_the_edges(difference: tuple[float, ...], said: str) -> None:
    assert number_needed(*difference) == said


def test_a_number_needed_to_treat_shows_no_more_figures_than_its_error_supports() -> None:
    assert number_needed(0.0302, 0.02, 0.05, mcse=0.0) == "NNTB 33 (20 to 50)"
    assert number_needed(1 / 6543, -0.1, 0.1, mcse=5e-6).startswith("NNTB 6500 (")
    assert number_needed(1 / 6543, -0.1, 0.1, mcse=5e-5).startswith("NNTB 7000 (")


# the verb


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("better", ["lower", "higher"])
def test_rates_are_those_of_the_benefit_whichever_direction_is_better(
    better: str, method: Any
) -> None:
    sign = -1 if better == "lower" else 1
    posterior = fitted({"good": sign * 0.28, "bad": -sign * 0.4}, better=better)
    table = responders(posterior, control_rate=0.3, definition=LESS, method=method)
    for name, benefit in {"good": 0.28, "bad": -0.4}.items():
        expected = responder_rate(benefit, control_rate=0.3, method=method)
        assert table["rate"][name] == pytest.approx(expected, rel=1e-9)
        assert table["rr"][name] == pytest.approx(expected / 0.3, rel=1e-9)
        assert table["rd"][name] == pytest.approx(expected - 0.3, rel=1e-9)
    assert table["NNT"]["good"].startswith("NNTB ")
    assert table["NNT"]["bad"].startswith("NNTH ")
    assert ("signs are turned, since lower is better" in table.caption) is (better == "lower")


def test_reversing_better_of_events_exchanges_benefit_and_harm() -> None:
    effects = {"more": math.log(2.0), "less": math.log(0.5)}
    one, other = (
        responders(fitted(effects, "OR", better), control_rate=0.2, definition="relapse")
        for better in ("higher", "lower")
    )
    pd.testing.assert_frame_equal(one[NUMBERS], other[NUMBERS])
    for name in effects:
        turned = other["NNT"][name].translate(str.maketrans("BH", "HB"))
        assert one["NNT"][name] == turned
    assert one["NNT"]["more"].startswith("NNTB")


def test_where_responses_are_rare_the_risk_ratio_is_the_odds_ratio() -> None:
    table = responders(fitted({"good": -0.5}), control_rate=1e-6, definition=LESS)
    assert table["rr"]["good"] == pytest.approx(math.exp(0.5 * math.pi / math.sqrt(3)), rel=1e-5)


@pytest.mark.parametrize("measure", ["RR", "RD"])
def test_from_odds_ratios_limits_are_those_of_the_standardised_table(
    odds: nma.Posterior, measure: Any
) -> None:
    ours = responders(odds, control_rate=0.06, definition="no smoking at 6 to 12 months")
    theirs = nma.standardised_table(odds, measure=measure, reference_level=0.06)
    for end in ("lower", "upper"):
        expected = theirs[end].droplevel("comparator")[ours.index]
        np.testing.assert_allclose(ours[f"{measure.lower()}_{end}"], expected, rtol=1e-9)


def test_of_ordered_categories_rates_are_of_a_category_or_a_higher_one() -> None:
    common = nma.Model(heterogeneity=nma.heterogeneity.Common())
    posterior = nma.fit(nma.datasets.network("psoriasis"), common)
    ours = responders(posterior, control_rate=0.2, definition="PASI 50")
    theirs = nma.absolute_table(posterior, reference_level=0.2)
    np.testing.assert_allclose(ours["rate"], theirs["median"][ours.index], rtol=1e-9)
    with pytest.raises(ModelError, match="leave it out"):
        responders(posterior, control_rate=0.2, definition="PASI 50", method="Furukawa")


def test_a_mean_difference_over_its_sd_is_an_smd(points: nma.Posterior) -> None:
    table = rates(points, sd=2.0)
    effects = nma.effect_table(points, comparators=["passive control"]).droplevel("comparator")
    for end in ("lower", "upper"):
        other = {"lower": "upper", "upper": "lower"}[end]
        for name in table.index:
            expected = responder_rate(-effects[end][name] / 2.0, control_rate=0.3)
            assert table[f"rate_{other}"][name] == pytest.approx(expected, rel=1e-9)


def test_draws_agree_with_the_exact_answer(points: nma.Posterior) -> None:
    exact = rates(points)
    drawn = rates(replace(points, draws=replace(points.draws, moments=None)))
    for name in ("rate", "rr", "rd"):
        apart = (exact[name] - drawn[name]).abs()
        assert (apart <= 5 * drawn[f"{name}_mcse"]).all()
        assert (exact[f"{name}_mcse"] == 0).all()


def test_a_control_rate_that_is_nearly_known_gives_the_answer_of_a_known_one(
    points: nma.Posterior,
) -> None:
    known = rates(points)
    share, log_odds = Beta(3e7, 7e7), Normal(math.log(3 / 7), 1e-4)
    for spread in (share, log_odds):
        found = rates(points, control_rate=spread)
        np.testing.assert_allclose(found[NUMBERS], known[NUMBERS], atol=0.02)
        assert (found["rate_mcse"] > 0).all()


def test_a_control_rate_that_is_modelled_widens_rates_and_is_reproduced_by_its_seed(
    points: nma.Posterior,
) -> None:
    known, found = rates(points), rates(points, control_rate=Beta(9, 21))
    width = found["rate_upper"] - found["rate_lower"]
    assert (width > 1.1 * (known["rate_upper"] - known["rate_lower"])).all()
    pd.testing.assert_frame_equal(found, rates(points, control_rate=Beta(9, 21)))
    assert not found["rate"].equals(rates(points, control_rate=Beta(9, 21), seed=1)["rate"])
    said = " ".join(found.caption.split())
    assert (
        "(95% 15.3 to 47.2) respond under passive control, the share being Beta(a=9, b=21)" in said
    )
    lower, upper = stats.beta(9, 21).ppf([0.025, 0.975])
    assert (round(100 * lower, 1), round(100 * upper, 1)) == (15.3, 47.2)


def test_rates_draw_by_draw_are_the_conversion_of_every_draw(points: nma.Posterior) -> None:
    spread = Normal(-0.8, 0.3)
    table = rates(points, control_rate=spread, method="Furukawa", comparator="standard exercise")
    draws = nma.relative_effects(points, comparators=["standard exercise"])
    d = draws.sel(treatment="multimodal care", comparator="standard exercise").to_numpy()
    rng = np.random.default_rng([0, 5])
    control = 1 / (1 + np.exp(-(-0.8 + 0.3 * rng.standard_normal(d.shape))))
    rate = stats.norm.cdf(stats.norm.ppf(control) - d / 2.4)
    row = table.loc["multimodal care"]
    expected = np.quantile(rate / control, [0.5, 0.025, 0.975])
    np.testing.assert_allclose(row[["rr", "rr_lower", "rr_upper"]].astype(float), expected)


def test_the_networks_own_control_rate_is_that_of_absolute_effects() -> None:
    posterior = nma.fit(nma.datasets.network("smoking"))
    ours = responders(posterior, control_rate="network", definition="no smoking")
    draws = nma.absolute_effects(posterior, reference_level="network")
    control = draws.sel(treatment="no intervention")
    for name in ours.index:
        rate = draws.sel(treatment=name)
        for column, values in {"rate": rate, "rr": rate / control, "rd": rate - control}.items():
            assert ours[column][name] == pytest.approx(float(values.median()), rel=1e-12)
    assert "The level of no intervention is the network's own" in " ".join(ours.notes)
    with pytest.raises(ModelError, match="state the share under 'self-help'"):
        responders(posterior, control_rate="network", definition="x", comparator="self-help")


def test_the_number_needed_to_treat_is_one_over_the_median_risk_difference(
    points: nma.Posterior,
) -> None:
    table = rates(points, comparator="standard exercise")
    for name in table.index:
        row = table.loc[name]
        assert ("infinity" in row["NNT"]) is bool(row["rd_lower"] < 0 < row["rd_upper"])
        assert row["NNT"] == number_needed(row["rd"], row["rd_lower"], row["rd_upper"])
    assert "infinity" in table["NNT"]["multimodal care"]
    assert table["NNT"]["passive control"].startswith("NNTH")


def test_frequencies_are_of_100_people_or_of_more_where_few_respond(points: nma.Posterior) -> None:
    assert rates(points)["frequencies"]["multimodal care"] == (
        "of 100: 30 without, 61 (46 to 75) with"
    )
    rare = rates(points, control_rate=0.004)["frequencies"]["multimodal care"]
    assert rare.startswith("of 10000: 40 without, ")


def test_the_table_says_who_responds_by_which_method_and_from_which_rate(
    points: nma.Posterior,
) -> None:
    said = " ".join(str(rates(points)).split())
    for words in (
        f"Responders: {LESS}. Treatment versus passive control, where 30% respond",
        "SMD = MD/2.4. By Hasselblad and Hedges: log OR = SMD pi/sqrt(3)",
        "not evidence on treatments",
        "hold for it alone",
        "The SD of 2.4 between people is taken as known",
    ):
        assert words in said
    assert rates(points).attrs["definition"] == LESS
    events = " ".join(
        responders(fitted({"a": 0.2}, "OR"), control_rate=0.1, definition="death").caption.split()
    )
    assert events.startswith("Events: death. Treatment versus placebo, where 10% have one")
    assert "risk differences below 0 favour the treatment" in events


# bad input


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"control_rate": 30}, r"lies strictly between 0 and 1: write 0.3 for 30 %"),
        ({"control_rate": 0}, "lies strictly between 0 and 1"),
        ({"control_rate": 1.0}, "lies strictly between 0 and 1"),
        ({"control_rate": -0.2}, "lies strictly between 0 and 1"),
        ({"control_rate": math.nan}, "is not how many respond"),
        ({"control_rate": "network"}, "is for trials that count who responds; these report MD"),
        ({"control_rate": "30 %"}, r"write a share such as 0.3; or nma.priors.Beta\(31, 71\)"),
        ({"control_rate": nma.priors.HalfNormal(1)}, "is not how many respond"),
        ({"definition": ""}, "say who counts as a responder"),
        ({"definition": None}, "say who counts as a responder"),
        ({"method": "furukawa"}, "Did you mean 'Furukawa'"),
        ({"method": "Hasselblad and Hedges"}, "Did you mean 'Hasselblad-Hedges'"),
        ({"method": "Kraemer"}, "say 'Hasselblad-Hedges' or 'Furukawa'"),
        ({"sd": None}, "`sd` is missing: a mean difference becomes responders by the spread"),
        ({"sd": -2}, "is no standard deviation"),
        ({"comparator": "passive controls"}, "Did you mean 'passive control'"),
        ({"level": 95}, "write 0.95 for 95 %"),
    ],
)
def test_what_makes_no_sense_is_refused(
    points: nma.Posterior, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        rates(points, **arguments)


def test_what_is_of_another_measure_is_refused(odds: nma.Posterior) -> None:
    asked: dict[str, Any] = {"control_rate": 0.1, "definition": "no smoking"}
    with pytest.raises(ModelError, match=r"method='Furukawa' is for differences of means"):
        responders(odds, method="Furukawa", **asked)
    with pytest.raises(ModelError, match="sd=2 is for differences of means"):
        responders(odds, sd=2, **asked)
    with pytest.raises(ModelError, match="are in standard deviations already"):
        responders(fitted({"a": 0.1}), sd=2, **asked)
    with pytest.raises(ModelError, match=r"RR lets shares leave 0 to 1: nma.absolute_table"):
        responders(fitted({"a": 0.1}, "RR"), **asked)
    for measure in ("ROM", "IRR", "my own"):
        with pytest.raises(ModelError, match="responders come from SMD or MD, or from OR or HR"):
            responders(fitted({"a": 0.1}, measure), **asked)


def test_one_treatment_alone_is_refused(points: nma.Posterior) -> None:
    with pytest.raises(ModelError, match="is alone"):
        rates(nma.at(points, treatments=["multimodal care"]), comparator="multimodal care")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"control_rate": 30}, "write 0.3 for 30 %"),
        ({"benefit": math.inf}, "is not an SMD"),
        ({"method": "Chinn"}, "turns no SMD into responders"),
    ],
)
def test_one_conversion_refuses_the_same(arguments: dict[str, Any], message: str) -> None:
    asked: dict[str, Any] = {"benefit": 0.3, "control_rate": 0.3, **arguments}
    with pytest.raises(ModelError, match=message):
        responder_rate(asked.pop("benefit"), **asked)


def test_what_nothing_determines_is_left_empty() -> None:
    rows = [("E", "usual", -0.5, 0.2), ("E + C", "C", -0.6, 0.2), ("C", "S", -0.3, 0.2)]
    frame = pd.DataFrame(rows, columns=["treatment", "comparator", "effect", "se"])
    network = nma.Network.from_contrasts(
        frame.assign(study=["one", "two", "three"]),
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=nma.outcomes.Contrast("effect", "se", measure="SMD", better="lower", scale=1.0),
        reference="usual",
    )
    model = nma.Model(nma.structures.Components(separator=" + ", inactive="usual"))
    posterior = nma.fit(network, model, engine=nma.engines.LeastSquares("common"))
    texts = ["frequencies", "risk ratio", "risk difference", "NNT"]
    table = responders(posterior, control_rate=0.3, definition=LESS)
    empty: Any = table.loc["S", texts]
    assert empty.tolist() == [""] * 4
    assert table.loc["S", NUMBERS].isna().all()
    told: Any = table.loc["E", texts]
    assert "" not in told.tolist()
    with pytest.raises(EngineError, match="determine C, S"):
        responders(posterior, control_rate=Beta(30, 70), definition=LESS)


def test_ratios_of_a_network_of_events_keep_their_order() -> None:
    """More benefit is a higher rate, ratio and difference, at every control rate."""
    posterior = nma.fit(pictures.contrasts(pictures.chain(list("abcde")), better="higher"))
    for control in (0.01, 0.5, 0.99):
        table = responders(posterior, control_rate=control, definition="response")
        effects = nma.effect_table(posterior, comparators=["a"]).droplevel("comparator")
        order = effects["mean"].sort_values().index
        for name in ("rate", "rr", "rd"):
            assert table[name][order].is_monotonic_increasing
        assert table["rate_upper"].max() <= 1
