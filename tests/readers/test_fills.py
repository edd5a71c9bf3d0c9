"""Which cells are filled, and what is said of those that are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from nma import readers

TABLE = pd.DataFrame(
    {
        "study": ["Ames", "Boyd", "Cole", "Dorn"],
        "sd": [2.1, np.nan, np.nan, 2.83],
        "se": [0.45, 0.45, np.nan, 0.45],
        "n": [40, 38, 30, 40],
    }
)


def derived(frame: Any = TABLE, **settings: Any) -> pd.DataFrame:
    return readers.sd_from_se(frame, study="study", sd="sd", se="se", n="n", **settings)


def test_only_empty_cells_are_filled_and_none_without_its_numbers() -> None:
    assert derived()["sd"].round(3).tolist() == pytest.approx(
        [2.1, 2.774, np.nan, 2.83], nan_ok=True
    )


def test_a_cell_that_contradicts_its_derivation_is_reported_and_kept() -> None:
    doubt, said = readers.notices(derived(), study="study")
    assert doubt == (
        "sd was there and is not se sqrt(n) (Cochrane Handbook 6.5.2.2); which is right? "
        "Ames, row 1: 2.1 kept, not 2.846 from se 0.45, n 40."
    )
    assert said.count("row") == 1
    assert "Dorn" not in doubt + said


def test_cells_are_overwritten_when_asked_and_the_log_says_what_was_there() -> None:
    found = derived(overwrite=True)
    assert found["sd"].round(3).tolist() == pytest.approx(
        [2.846, 2.774, np.nan, 2.846], nan_ok=True
    )
    over, filled = readers.notices(found, study="study")
    assert over == (
        "sd = se sqrt(n) (Cochrane Handbook 6.5.2.2), in place of numbers that were there: Ames, "
        "row 1: 2.846 for 2.1, from se 0.45, n 40; Dorn, row 4: 2.846 for 2.83, from se 0.45, n 40."
    )
    assert "Boyd, row 2" in filled


@pytest.mark.parametrize("overwrite", [False, True])
def test_deriving_twice_is_deriving_once(overwrite: bool) -> None:
    once = derived(overwrite=overwrite)
    pd.testing.assert_frame_equal(derived(once, overwrite=overwrite), once)


def test_a_second_source_of_a_derived_number_does_not_contradict_it_by_rounding() -> None:
    table = TABLE.assign(
        mean=0.0, low=[np.nan, -0.9, np.nan, np.nan], high=[np.nan, 0.9] + [np.nan] * 2
    )
    found = readers.sd_from_ci(
        derived(table), study="study", sd="sd", mean="mean", lower="low", upper="high", n="n"
    )
    assert readers.notices(found, study="study") == readers.notices(derived(), study="study")


def test_rows_without_a_number_can_be_filled_by_another_formula() -> None:
    table = {
        "study": ["Ames", "Boyd"], "md": [1.25, 1.25], "p": [0.041, 0.041], "n1": [10, None],
        "n2": [10, None],
    }  # fmt: skip
    first = readers.se_from_p(table, study="study", se="se", effect="md", p="p", n=("n1", "n2"))
    assert np.isnan(first["se"].iloc[1])
    both = readers.se_from_p(first, study="study", se="se", effect="md", p="p")
    assert both["se"].iloc[0] == first["se"].iloc[0] < both["se"].iloc[1]
    assert [text.split(" (")[0] for text in readers.notices(both, study="study")] == [
        "se = abs(effect) / t of a two-sided p, t on n1 + n2 - 2 df",
        "se = abs(effect) / z of a two-sided p",
    ]


def test_numbers_that_hang_on_rounding_are_asked_about() -> None:
    table = {"study": ["Ames", "Boyd"], "md": [0.1, 3.8], "p": [0.9, 0.008]}
    found = readers.se_from_p(table, study="study", se="se", effect="md", p="p")
    _, doubt = readers.notices(found, study="study")
    assert "(Cochrane Handbook 6.5.2.3) hangs on rounding; can more digits be found?" in doubt
    assert "Ames, row 1: 0.7958, give or take 0.4." in doubt
    assert "Boyd" not in doubt


def test_estimates_from_quantiles_are_held_to_a_factor_of_two() -> None:
    table = pd.DataFrame(
        {"study": ["a", "b", "c"], "sd": [1.0, 2.0, 5.0], "q1": 1.0, "q3": 4.0, "n": 50}
    )
    found = readers.sd_from_quartiles(table, study="study", sd="sd", q1="q1", q3="q3", n="n")
    (doubt,) = readers.notices(found, study="study")
    assert [f"{study}, row" in doubt for study in "abc"] == [True, False, True]
    assert found["sd"].tolist() == [1.0, 2.0, 5.0]


def test_given_means_far_from_their_quantiles_are_asked_about() -> None:
    table = pd.DataFrame(
        {
            "study": ["a", "b"],
            "mean": [2.9, 4.4],
            "q1": 1.0,
            "m": 2.5,
            "q3": 4.0,
            "a": -1.0,
            "b": 6.0,
            "n": 50,
        }
    )
    columns: Any = {"q1": "q1", "median": "m", "q3": "q3", "minimum": "a", "maximum": "b"}
    for derive, roles in (
        (readers.mean_from_quartiles, ("q1", "median", "q3")),
        (readers.mean_from_range, ("minimum", "median", "maximum")),
        (readers.mean_from_five_numbers, tuple(columns)),
    ):
        named = {role: columns[role] for role in roles}
        found = derive(table, study="study", mean="mean", n="n", **named)
        (doubt,) = readers.notices(found, study="study")
        assert ["a, row" in doubt, "b, row" in doubt] == [False, True]


def test_lopsided_limits_are_asked_about() -> None:
    table = pd.DataFrame(
        {"study": ["a", "b"], "md": [1.0, 1.4], "lo": [0.0, 0.0], "hi": [2.0, 2.0], "n": [40, 40]}
    )
    limits: Any = {"study": "study", "lower": "lo", "upper": "hi"}
    for found in (
        readers.se_from_ci(table, se="se", effect="md", **limits),
        readers.sd_from_ci(table, sd="sd", mean="md", n="n", **limits),
    ):
        (doubt,) = (text for text in readers.notices(found, study="study") if "?" in text)
        assert doubt == (
            "md lies off the middle of its limits, beyond rounding; is it misprinted, or of "
            "another scale or level? b, row 2: md 1.4, lo 0, hi 2."
        )


def test_ratios_are_symmetric_on_the_log_scale() -> None:
    table = {"study": ["a", "b"], "hr": [0.72, 0.755], "lo": [0.53, 0.53], "hi": [0.98, 0.98]}
    found = readers.log_ratio_from_ci(
        table, study="study", log_ratio="log", se="se", ratio="hr", lower="lo", upper="hi"
    )
    (doubt,) = (text for text in readers.notices(found, study="study") if "?" in text)
    assert doubt.startswith("hr lies off the middle of its limits on the log scale")
    assert doubt.endswith("b, row 2: hr 0.755, lo 0.53, hi 0.98.")


def test_given_log_ratios_are_held_to_their_standard_error() -> None:
    table = {
        "study": ["a", "b"], "hr": [1.01, 1.01], "lo": [0.8, 0.8], "hi": [1.27, 1.27],
        "log": [0.01, 0.05],
    }  # fmt: skip
    found = readers.log_ratio_from_ci(
        table, study="study", log_ratio="log", se="se", ratio="hr", lower="lo", upper="hi"
    )
    (doubt,) = (text for text in readers.notices(found, study="study") if "?" in text)
    assert "b, row 2: 0.05 kept, not 0.00995 from hr 1.01." in doubt


def test_large_effects_from_log_rank_tests_are_asked_about() -> None:
    table = {"study": ["a", "b"], "oe": [-12.0, -30.0], "v": [37.0, 40.0]}
    found = readers.log_ratio_from_logrank(
        table, study="study", log_ratio="log", se="se", observed_minus_expected="oe", variance="v"
    )
    (doubt,) = (text for text in readers.notices(found, study="study") if "?" in text)
    assert doubt.endswith("is there one from a model? b, row 2: oe -30, v 40.")


def test_cluster_trials_are_derived_and_others_carried_over() -> None:
    table = pd.DataFrame(
        {"study": ["a", "a", "b", "b"], "n": [100, 110, 40, 41], "r": [10, 1, 4, 5],
         "m": [20, 20, np.nan, np.nan], "icc": [0.1, 0.1, np.nan, np.nan]}
    )  # fmt: skip
    settings: Any = {"study": "study", "n": "n", "effective_n": "n2", "cluster_size": "m"}
    alone = readers.effective_counts(table, icc=0.1, **settings)
    assert alone["n2"].tolist() == pytest.approx([100 / 2.9, 110 / 2.9, 40, 41])
    counts = readers.effective_counts(
        table, icc="icc", events="r", effective_events="r2", **settings
    )
    assert counts["n2"].tolist() == [34, 38, 40, 41]
    assert counts["r2"].tolist() == [3, 0, 4, 5]
    doubt = [text for text in readers.notices(counts, study="study") if "?" in text]
    assert len(doubt) == 1
    assert doubt[0].endswith("a, row 2: r 1, n 110, r2 0, n2 38.")
    assert "b, row" not in " ".join(readers.notices(counts, study="study"))


def test_effective_counts_that_are_there_stay_with_or_without_clusters() -> None:
    table = pd.DataFrame(
        {"study": ["a", "b"], "n": [100, 40], "m": [20, np.nan], "n2": [36.0, 38.0],
         "r": [100, 40], "r2": [36.0, 38.0]}
    )  # fmt: skip
    settings: Any = {"study": "study", "n": "n", "effective_n": "n2", "events": "r",
                     "effective_events": "r2", "icc": 0.1, "cluster_size": "m"}  # fmt: skip
    kept = readers.effective_counts(table, **settings)
    assert kept["n2"].tolist() == kept["r2"].tolist() == [36, 38]
    over = readers.effective_counts(table, overwrite=True, **settings)
    assert over["n2"].tolist() == over["r2"].tolist() == [34, 40]
    assert "Rounding" not in " ".join(readers.notices(over, study="study"))


def test_cluster_trials_of_nothing_else_are_stated_at_once() -> None:
    table = {"study": ["a", "b"], "se": [0.2, 0.3]}
    found = readers.inflated_se(
        table, study="study", se="se", inflated_se="wide", icc=0.02, cluster_size=51
    )
    assert found["wide"].tolist() == pytest.approx([0.2 * 2**0.5, 0.3 * 2**0.5])


def test_numbers_of_every_kind_are_read() -> None:
    table = pd.DataFrame(
        {"study": ["a", "b"], "sd": pd.array([None, 2], dtype="Int64"), "se": [0.5, 0.5],
         "n": np.array([16, 16], dtype="int8")}
    )  # fmt: skip
    assert derived(table)["sd"].tolist() == [2.0, 2.0]


def test_text_does_no_harm_where_nothing_is_to_be_filled() -> None:
    table = {"study": ["a", "b"], "se": [0.4, None], "md": [1.0, 1.0], "p": ["<0.05", 0.03]}
    found = readers.se_from_p(table, study="study", se="se", effect="md", p="p")
    assert found["se"].round(3).tolist() == [0.4, 0.461]
