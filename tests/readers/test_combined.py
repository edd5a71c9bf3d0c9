"""Arms combined are what the pooled data would have given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
from nma import readers

MEANS = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
INTO = {"yoga": "mind-body", "tai chi": "mind-body"}


def arms(seed: int = 1) -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
    """Return three arms of one trial and one of another, and the raw data of the first two."""
    rng = np.random.default_rng(seed)
    raw = [rng.normal(mean, 2, n) for mean, n in ((-1.5, 20), (-0.5, 31), (0.0, 25), (0.4, 22))]
    table = pd.DataFrame(
        {
            "study": ["Ames", "Ames", "Ames", "Boyd", "Boyd"],
            "treatment": ["yoga", "tai chi", "usual care", "usual care", "yoga"],
            "mean": [*(x.mean() for x in raw), -1.0],
            "sd": [*(x.std(ddof=1) for x in raw), 2.0],
            "se": [*(x.std(ddof=1) / np.sqrt(len(x)) for x in raw), 0.4],
            "n": [*map(len, raw), 25],
            "responders": [9, 11, 5, 4, 10],
            "year": [2001, 2001, 2001, 2003, 2003],
            "sessions": [12, 24, 0, 0, 12],
        },
        index=[10, 20, 30, 40, 50],
    )
    return table, np.concatenate(raw[:2])


def combined(table: Any, **settings: Any) -> pd.DataFrame:
    named: Any = {"n": "n", "mean": "mean", "sd": "sd", "se": "se", "events": "responders"}
    return readers.combine_arms(
        table, study="study", treatment="treatment", **{"into": INTO, **named, **settings}
    )


def test_combined_arms_are_the_pooled_data() -> None:
    table, pooled = arms()
    row = combined(table).iloc[0]
    assert row["treatment"] == "mind-body"
    assert (row["n"], row["responders"]) == (51, 20)
    assert row["mean"] == pytest.approx(pooled.mean(), rel=1e-12)
    assert row["sd"] == pytest.approx(pooled.std(ddof=1), rel=1e-12)
    assert row["se"] == pytest.approx(pooled.std(ddof=1) / np.sqrt(51), rel=1e-12)


def test_three_arms_at_once_are_two_and_then_the_third() -> None:
    table, _ = arms()
    named: Any = {"study": "study", "treatment": "treatment", "n": "n", "mean": "mean", "sd": "sd"}
    all_at_once = readers.combine_arms(
        table, into=dict.fromkeys(["yoga", "tai chi", "usual care"], "any"), **named
    )
    two = readers.combine_arms(table, into=INTO, **named)
    third = readers.combine_arms(two, into={"mind-body": "any", "usual care": "any"}, **named)
    numbers = ["n", "mean", "sd"]
    np.testing.assert_allclose(third[numbers], all_at_once[numbers], rtol=1e-12)


def test_other_arms_stay_and_columns_are_kept_where_the_trial_agrees() -> None:
    table, _ = arms()
    found = combined(table)
    assert found.index.tolist() == [10, 30, 40, 50]
    assert found["year"].tolist() == [2001, 2001, 2003, 2003]
    assert found["sessions"].tolist() == pytest.approx([np.nan, 0, 0, 12], nan_ok=True)
    pd.testing.assert_series_equal(found["mean"].iloc[1:], table["mean"].iloc[2:])
    assert found["treatment"].tolist() == ["mind-body", "usual care", "usual care", "mind-body"]


def test_numbers_of_arms_that_happen_to_be_equal_are_not_kept() -> None:
    table, _ = arms()
    table["median"] = [3.0, 3.0, 4.0, 4.0, 3.0]
    found = combined(table)["median"].tolist()
    assert found == pytest.approx([np.nan, 4, 4, 3], nan_ok=True)


def test_the_log_tells_what_went_in() -> None:
    table, _ = arms()
    both, renamed = readers.notices(combined(table), study="study")
    assert both.startswith(
        "mind-body = yoga + tai chi, combined as asked (Cochrane Handbook 6.5.2.10): Ames, row 1: "
        "n 51, mean "
    )
    assert "from yoga (n 20, mean" in both
    assert "and tai chi (n 31, mean" in both
    assert both.endswith("left empty, as arms of the trial differ, sessions.")
    assert renamed == (
        "mind-body is the new name of yoga, as asked: Boyd, row 4: alone in its trial."
    )


def test_what_was_derived_before_is_kept() -> None:
    table, _ = arms()
    derived = readers.sd_from_se(table.assign(sd=np.nan), study="study", sd="sd", se="se", n="n")
    said = readers.notices(combined(derived), study="study")
    assert said[0].startswith("sd = se sqrt(n)")
    assert said[0].count("Ames, row 1") == 1
    assert said[0].count("; row 1: ") == 1  # of both arms that are one now


def test_networks_merge_arms_into_the_same_numbers() -> None:
    table, _ = arms()
    renamed = table.assign(treatment=table["treatment"].replace(INTO))
    named: Any = {"study": "study", "treatment": "treatment", "outcome": MEANS}
    with pytest.warns(nma.errors.DataWarning, match="Merged as asked"):
        merged = nma.Network.from_arms(renamed, repeated_arms="merge", **named)
    ours = nma.Network.from_arms(combined(table), **named)
    numbers = ["mean", "sd", "n"]
    np.testing.assert_allclose(ours.arms[numbers], merged.arms[numbers], rtol=1e-12)


def test_an_arm_that_has_the_new_name_joins() -> None:
    table, _ = arms()
    found = combined(table, into={"yoga": "tai chi"})
    assert found["treatment"].tolist() == ["tai chi", "usual care", "usual care", "tai chi"]
    assert found["n"].tolist() == [51, 25, 22, 25]


def test_events_alone_are_added() -> None:
    table, _ = arms()
    found = readers.combine_arms(
        table[["study", "treatment", "n", "responders"]], study="study", treatment="treatment",
        into=INTO, n="n", events="responders",
    )  # fmt: skip
    assert found[["n", "responders"]].iloc[0].tolist() == [51, 20]
