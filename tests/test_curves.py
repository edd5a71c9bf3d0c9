"""Curves: what nma.at says value by value, and where the trials end."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
from nma.errors import ModelError
from nma.priors import Fixed
from nma.structures import Consistency, Dose, Regression

FRAME = pd.DataFrame(
    [
        ("1", "usual", 0.0, 5.1, 2.0),
        ("1", "yoga", 12.0, 4.0, 2.1),
        ("2", "usual", 0.0, 5.3, 2.5),
        ("2", "yoga", 6.0, 4.6, 2.0),
        ("2", "yoga", 24.0, 3.2, 2.2),
        ("3", "usual", 0.0, 5.0, 3.0),
        ("3", "pilates", 10.0, 4.5, 2.6),
        ("4", "yoga", 12.0, 4.4, 2.0),
        ("4", "pilates", 10.0, 4.6, 2.0),
    ],
    columns=["study", "treatment", "sessions", "mean", "sd"],
).assign(n=60)
MD = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")


@cache
def dosed(shape: Any = "linear") -> nma.Posterior:
    made = nma.Network.from_arms(
        FRAME,
        study="study",
        treatment="treatment",
        outcome=MD,
        reference="usual",
        repeated_arms="keep",
    )
    return fitted(made, Dose("sessions", control="usual", shape=shape))


@cache
def by_latitude() -> nma.Posterior:
    made = nma.datasets.network("bcg").as_normal()
    return fitted(made, Regression(Consistency(), "latitude", control="unvaccinated"))


def fitted(made: nma.Network, structure: nma.protocols.Structure) -> nma.Posterior:
    return nma.fit(made, nma.Model(structure, nma.heterogeneity.Random(Fixed(0.2))))


def plain(table: Any) -> Any:
    return pd.DataFrame(table)


@pytest.mark.parametrize("comparator", ["usual", "pilates"])
@pytest.mark.parametrize("shape", ["linear", "log", nma.shapes.Spline([6, 10, 24])])
def test_a_curve_is_what_at_says_at_each_value(shape: Any, comparator: str) -> None:
    posterior = dosed(shape)
    table = plain(nma.curve(posterior, "sessions", values=[2, 9, 30], comparator=comparator))
    for x in (2.0, 9.0, 30.0):
        asked = nma.at(posterior, sessions=x)
        expected = plain(nma.effect_table(asked, comparators=[comparator])).droplevel("comparator")
        found = table.xs(x, level="sessions").drop(columns="extrapolated")
        pd.testing.assert_frame_equal(found.loc[expected.index], expected, rtol=1e-10)


def test_a_curve_of_a_ratio_over_a_covariate_is_what_at_says() -> None:
    posterior = by_latitude()
    table = plain(nma.curve(posterior, "latitude", values=[13, 40], level=0.8))
    for x in (13.0, 40.0):
        asked = nma.effect_table(
            nma.at(posterior, latitude=x), comparators=["unvaccinated"], level=0.8
        )
        row = plain(asked).loc[("vaccinated", "unvaccinated")]
        found = table.loc[("vaccinated", x)].drop("extrapolated").astype(float)
        pd.testing.assert_series_equal(found, row, check_names=False, rtol=1e-10)


def test_other_covariates_stay_where_they_are_asked_and_are_said() -> None:
    made = nma.assign(dosed().network, by="study", age={"1": 40.0, "2": 50.0, "3": 65.0, "4": 40.0})
    posterior = fitted(made, Regression(Dose("sessions", control="usual"), "age", control="usual"))
    asked = nma.at(posterior, age=60.0)
    table = nma.curve(asked, "sessions", values=[4])
    assert "At age 60." in table.caption
    assert "sessions 4" not in table.caption
    row: Any = nma.effect_table(nma.at(asked, sessions=4.0)).loc[("yoga", "usual")]
    assert plain(table).loc[("yoga", 4.0), "mean"] == pytest.approx(row["mean"], rel=1e-10)


def test_values_outside_those_of_the_treatments_arms_are_extrapolated() -> None:
    """Yoga has 6 to 24 and pilates 10 alone; the control has no dose, and dose 0 is the control."""
    table = plain(nma.curve(dosed(), "sessions", values=[0, 5.9, 6, 10, 24, 24.1]))
    marked = table["extrapolated"]
    assert marked.loc["yoga"].tolist() == [False, True, False, False, False, True]
    assert marked.loc["pilates"].tolist() == [False, True, True, False, True, True]
    against = plain(nma.curve(dosed(), "sessions", values=[6, 10], comparator="pilates"))
    assert against["extrapolated"].loc["yoga"].tolist() == [True, False]
    notes = nma.curve(dosed(), "sessions").notes
    assert notes[0] == (
        "Extrapolated where sessions is outside that of the trials' arms, pilates 10; yoga "
        "6 to 24: what is said there rests on the structure, Dose."
    )
    whole = nma.curve(by_latitude(), "latitude")
    assert not plain(whole)["extrapolated"].any()
    assert not [note for note in whole.notes if "Extrapolated" in note]
    beyond = plain(nma.curve(by_latitude(), "latitude", values=[12.9, 13, 55, 55.1]))
    assert beyond["extrapolated"].tolist() == [True, False, False, True]


def test_what_the_trials_do_not_tell_of_a_curve_is_marked() -> None:
    """One dose of pilates and two functions: the prior tells all but the effect of that dose."""
    posterior = dosed(nma.shapes.Spline([6, 10, 24]))
    table = nma.curve(posterior, "sessions", values=[0, 8, 10, 12])
    assert plain(table)["extrapolated"].xs("pilates").tolist() == [False, True, False, True]
    assert plain(table)["extrapolated"].xs("yoga").tolist() == [False, False, False, False]
    assert any("do not tell the curve of pilates: where" in note for note in table.notes)


def test_what_the_trials_do_not_tell_between_their_doses_is_marked() -> None:
    """Pilates at 10 and 20, and three functions: 15 lies between, and yet nothing tells it."""
    more = pd.DataFrame(
        [("5", "usual", 0.0, 5.0, 2.0, 60), ("5", "pilates", 20.0, 4.0, 2.0, 60)],
        columns=FRAME.columns,
    )
    made = nma.Network.from_arms(
        pd.concat([FRAME, more]),
        study="study",
        treatment="treatment",
        outcome=MD,
        reference="usual",
        repeated_arms="keep",
    )
    shape = nma.shapes.Spline([5, 8, 16, 22])
    posterior = fitted(made, Dose("sessions", control="usual", shape=shape))
    table = nma.curve(posterior, "sessions", values=[10, 15, 20], treatments=["pilates"])
    assert plain(table)["extrapolated"].tolist() == [False, True, False]


def test_by_default_doses_begin_at_zero_and_covariates_at_the_smallest() -> None:
    doses = nma.curve(dosed(), "sessions").index.unique("sessions")
    np.testing.assert_allclose(doses, np.linspace(0, 24, 11))
    missing = FRAME.assign(sessions=FRAME["sessions"].replace(0, np.nan))
    made = nma.Network.from_arms(
        missing, study="study", treatment="treatment", outcome=MD, repeated_arms="keep"
    )
    posterior = fitted(made, Dose("sessions", control="usual"))
    assert nma.curve(posterior, "sessions").index.unique("sessions")[0] == 0
    latitudes = nma.curve(by_latitude(), "latitude").index.unique("latitude")
    np.testing.assert_allclose(latitudes, np.linspace(13, 55, 11))


def test_values_come_in_order_and_once() -> None:
    table = nma.curve(dosed(), "sessions", values=[9, 3, 9], treatments=["yoga"])
    assert table.index.tolist() == [("yoga", 3.0), ("yoga", 9.0)]


def test_treatments_of_doses_are_asked_by_their_agent() -> None:
    names = [
        "usual" if t == "usual" else f"{t} {x:g}"
        for t, x in zip(FRAME["treatment"], FRAME["sessions"], strict=True)
    ]
    made = nma.Network.from_arms(
        FRAME.assign(agent=FRAME["treatment"], treatment=names),
        study="study",
        treatment="treatment",
        outcome=MD,
        reference="usual",
    )
    posterior = fitted(made, Dose("sessions", control="usual", agent="agent"))
    ours = nma.curve(posterior, "sessions", values=[3, 9], treatments=["yoga", "pilates"])
    pd.testing.assert_frame_equal(
        plain(ours),
        plain(nma.curve(dosed(), "sessions", values=[3, 9], treatments=["yoga", "pilates"])),
        rtol=1e-9,
    )
    assert not [note for note in ours.notes if "no trial has" in note]


def test_draws_and_least_squares_have_curves_too() -> None:
    made, structure = dosed().network, Dose("sessions", control="usual")
    flat = nma.fit(made, nma.Model(structure), engine=nma.engines.LeastSquares("REML"))
    table = nma.curve(flat, "sessions", values=[9])
    assert "confidence interval" in table.caption
    assert any("No posterior" in note for note in table.notes)
    counts = nma.fit(
        nma.datasets.network("bcg"), by_latitude().model, engine=nma.engines.Laplace(draws=1024)
    )
    drawn = plain(nma.curve(counts, "latitude", values=[40]))
    exact = plain(nma.curve(by_latitude(), "latitude", values=[40]))
    assert drawn["mcse"].gt(0).all()
    assert drawn["mean"].iloc[0] == pytest.approx(exact["mean"].iloc[0], abs=0.1)


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"covariate": "session"}, "Did you mean 'sessions'"),
        ({"values": []}, "write numbers of sessions"),
        ({"values": ["many"]}, "write numbers of sessions"),
        ({"values": [1.0, float("nan")]}, "write numbers of sessions"),
        ({"values": [-1.0]}, "a number of zero or more"),
        ({"treatments": "yoga"}, "is one name"),
        ({"treatments": ["yogi"]}, "Did you mean 'yoga'"),
        ({"treatments": ["usual"]}, "is alone"),
        ({"comparator": "usul"}, "Did you mean 'usual'"),
        ({"level": 95}, "not a probability"),
    ],
)
def test_what_cannot_be_answered_is_refused(question: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        nma.curve(dosed(), **{"covariate": "sessions", **question})


def test_a_covariate_of_names_has_no_curve() -> None:
    made = nma.assign(dosed().network, by="study", place=dict(zip("1234", "abab", strict=True)))
    posterior = fitted(made, Regression(Consistency(), "place", control="usual"))
    with pytest.raises(ModelError, match=r"has names.*nma\.at\(posterior, place='a'\)"):
        nma.curve(posterior, "place")
