"""Which values lie beyond those of the trials, for whom."""

from __future__ import annotations

import numpy as np
import pandas as pd

import nma
from nma.priors import Fixed, Normal
from nma.ranges import beyond, homes, is_of_arms, stretch
from nma.structures import Classes, Consistency, Regression
from own_models import loop

YEARS = [1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 5.0, 5.0, 5.0]
AGES = [40.0, 40.0, 52.0, 52.0, 47.0, 47.0, 60.0, 60.0, 44.0, 44.0, 44.0]
WIDE, WIDE_SLOPE = Consistency(Normal(0, 20)), Normal(0, 20)


def targets(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"treatment": ["A", "B", "C"], **columns})


def test_values_count_for_all_or_for_the_treatments_that_have_them() -> None:
    made = loop(year=YEARS)
    structure = Regression(WIDE, "year", control="A", effect=WIDE_SLOPE).resolve(made)
    trials = made.arms.groupby("treatment")["year"]
    asked = targets(year=4.5)
    whole = beyond(made, structure, asked, "year", by_arm=False)
    assert not whole.any()
    assert set(whole.low) == {1.0}
    assert set(whole.high) == {5.0}
    own = beyond(made, structure, asked, "year", by_arm=True)
    np.testing.assert_array_equal(own.low, trials.min()[["A", "B", "C"]])
    np.testing.assert_array_equal(own.high, trials.max()[["A", "B", "C"]])
    assert not is_of_arms(made, "year")
    assert is_of_arms(made, "treatment")


def test_a_value_that_does_not_matter_is_not_beyond() -> None:
    """The control of one covariate has no slope on it, wherever the other one stands."""
    made = loop(year=YEARS, age=AGES)
    inner = Regression(WIDE, "age", control="B", effect=WIDE_SLOPE)
    structure = Regression(inner, "year", control="A", effect=WIDE_SLOPE).resolve(made)
    told = beyond(made, structure, targets(year=99.0, age=41.7), "year", by_arm=False)
    assert told.is_so.tolist() == [False, True, True]
    told = beyond(made, structure, targets(year=3.3, age=99.0), "age", by_arm=False)
    assert told.is_so.tolist() == [True, False, True]


def test_a_name_is_at_home_with_the_treatments_that_have_its_level() -> None:
    made = loop()
    classes = {"A": "A", "B": "active", "C": "active"}
    common = Classes(WIDE, classes=classes, within="common").resolve(made)
    spread = Classes(WIDE, classes=classes, tau_class=Fixed(0.1)).resolve(made)
    asked = pd.DataFrame({"treatment": ["active", "A"]})
    names = made.arms["treatment"]
    of = homes(made, common, asked)
    np.testing.assert_array_equal(of["active"], names.isin(["B", "C"]))
    np.testing.assert_array_equal(of["A"], names == "A")
    assert not homes(made, spread, asked)["active"].any()
    posterior = nma.fit(made, nma.Model(spread, nma.heterogeneity.Random(Fixed(0.1))))
    assert nma.at(posterior, treatments=["A", "active"]).notices[0].startswith("Classes, not")


def test_one_value_is_no_stretch() -> None:
    assert stretch(6.0, 6.0) == "6"
    assert stretch(6.0, 24.0) == "6 to 24"
