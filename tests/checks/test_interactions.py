"""Interactions one at a time: the model with one term more."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

import factorial
import nma
from factorial import COMMON, FACTORIAL, FLAT, RANDOM, additive, network
from nma.errors import ModelError
from nma.priors import Normal
from nma.structures import Components, Regression

interactions: Any = nma.checks.interactions
parameter_table: Any = nma.parameter_table


THREE = [
    *FACTORIAL,
    ("S", "usual", -0.2, 0.2),
    ("E + S", "usual", -0.8, 0.2),
    ("C + E + S", "C", -0.7, 0.2),
    ("C + S", "E", 0.1, 0.2),
]


def test_one_interaction_is_least_squares_by_hand() -> None:
    table = interactions(additive(heterogeneity=COMMON, engine=FLAT))
    beta, covariance, Q = factorial.least_squares([0, 1, 2])
    row = table.loc["C x E"]
    assert row["mean"] == pytest.approx(beta[2], abs=1e-12)
    assert row["sd"] == pytest.approx(np.sqrt(covariance[2, 2]), abs=1e-12)
    assert row["Q"] == pytest.approx(Q, abs=1e-12)
    assert row["df"] == 3
    assert table.attrs["without"] == pytest.approx([factorial.least_squares([0, 1])[2], 4])


def test_what_an_interaction_takes_from_q_is_its_squared_z_at_common_effect() -> None:
    table = interactions(additive(THREE, heterogeneity=COMMON, engine=FLAT))
    assert table.index.tolist() == ["C x E", "C x S", "E x S"]
    z = (table["mean"] / table["sd"]).to_numpy()
    np.testing.assert_allclose(table.attrs["without"][0] - table["Q"], z**2, atol=1e-10)
    np.testing.assert_allclose(table["p_Q"], chi2.sf(z**2, 1), rtol=1e-8)
    np.testing.assert_allclose(table["p"], table["p_Q"], rtol=1e-8)
    assert table["trials"].tolist() == [3, 2, 2]


def test_each_is_the_fit_of_the_model_that_names_it() -> None:
    posterior = additive(THREE)
    table = interactions(posterior, [("S", "E"), ("C", "E", "S")])
    assert table.index.tolist() == ["E x S", "C x E x S"]
    for name in table.index:
        direct = additive(THREE, interactions=[tuple(name.split(" x "))])
        row = parameter_table(direct).loc[name]
        same = ["mean", "sd", "lower", "upper"]
        np.testing.assert_allclose(
            table.loc[name, same].astype(float), row[same].astype(float), rtol=1e-9
        )
        p = 2 * min(row["p_better"], 1 - row["p_better"])
        assert table.loc[name, "p"] == pytest.approx(p, abs=1e-12)


def test_what_the_model_names_already_stays_and_comes_no_second_time() -> None:
    posterior = additive(THREE, interactions=[("E", "C")])
    table = interactions(posterior)
    assert table.index.tolist() == ["C x S", "E x S"]
    both = additive(THREE, interactions=[("C", "E"), ("C", "S")])
    assert table.loc["C x S", "mean"] == pytest.approx(
        parameter_table(both).loc["C x S", "mean"], abs=1e-9
    )
    with pytest.raises(ModelError, match="C x E is in the model already"):
        interactions(posterior, [("C", "E")])


def test_the_prior_of_an_interaction_is_that_of_an_effect() -> None:
    tight = interactions(additive(effect=Normal(0, 0.01), heterogeneity=COMMON))
    wide = interactions(additive(heterogeneity=COMMON))
    assert tight.loc["C x E", "sd"] < 0.0101
    assert wide.loc["C x E", "sd"] > 0.1


def test_where_the_model_states_the_prior_of_interactions_it_is_that() -> None:
    stated = {"interactions": [("E", "C")], "interaction": Normal(0, 0.01)}
    table = interactions(additive(THREE, heterogeneity=COMMON, **stated))
    assert (table["sd"] < 0.0101).all()


def test_a_planted_interaction_is_found() -> None:
    """Effects without error, but for what C and S do together."""
    part = {"E": -0.5, "C": -0.3, "S": -0.2}

    def level(name: str) -> float:
        parts = [p for p in name.split(" + ") if p != "usual"]
        return sum(part[p] for p in parts) + 1.5 * ({"C", "S"} <= set(parts))

    rows = [(a, b, level(a) - level(b), se) for a, b, _, se in THREE]
    table = interactions(additive(rows, heterogeneity=COMMON, engine=FLAT))
    assert table["p"].idxmin() == "C x S"
    assert table.loc["C x S", "mean"] == pytest.approx(1.5, abs=1e-12)
    assert table.loc["C x S", "Q"] == pytest.approx(0, abs=1e-12)


def test_what_the_trials_cannot_tell_from_the_components_is_left_empty() -> None:
    """S comes with E alone: what it does there is S and the interaction together."""
    rows = [*FACTORIAL, ("E + S", "E", -0.3, 0.2)]
    table = interactions(additive(rows))
    assert table.index.tolist() == ["C x E", "E x S"]
    assert table.loc["E x S", ["mean", "sd", "p", "p_Q"]].isna().all()
    assert table.loc["E x S", "df"] == table.attrs["without"][1]
    assert "cannot tell from the components alone: E x S" in str(table.notes)


def test_within_a_regression_the_interaction_is_that_of_the_components() -> None:
    made = network(FACTORIAL, year=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])

    def fitted(**choices: Any) -> nma.Posterior:
        components = Components(separator=" + ", inactive="usual", **choices)
        return nma.fit(made, nma.Model(Regression(components, "year", control="usual"), RANDOM))

    table = interactions(fitted())
    direct = parameter_table(fitted(interactions=[("C", "E")]))
    assert table.loc["C x E", "mean"] == pytest.approx(direct.loc["C x E", "mean"], abs=1e-9)


def test_processes_give_the_same_numbers() -> None:
    posterior = additive(THREE)
    with ProcessPoolExecutor(1) as executor:
        there = interactions(posterior, executor=executor)
    here = interactions(posterior)
    pd.testing.assert_frame_equal(pd.DataFrame(here), pd.DataFrame(there))


def test_without_a_pair_there_is_nothing_to_add() -> None:
    rows = [row for row in FACTORIAL if "+" not in row[0]]
    table = interactions(additive(rows))
    assert table.empty
    assert "nothing was added" in str(table.notes)
    assert "Interactions" in str(table)


def test_every_fault_is_told_at_once() -> None:
    posterior = additive([*FACTORIAL, ("exercise", "usual", -0.2, 0.2)])
    asked = [("E", "exercize"), ("E",), ("E", "exercise")]
    with pytest.raises(ModelError) as caught:
        interactions(posterior, asked)
    faults = str(caught.value)
    assert "'exercize' is no component that has an effect. Did you mean 'exercise'?" in faults
    assert "E is no interaction: name two components or more" in faults
    assert "No treatment has all of E x exercise" in faults
    with pytest.raises(ModelError, match="lists interactions"):
        interactions(posterior, [("E", "C"), "E"])
    with pytest.raises(ModelError, match="All pairs of components interact in this model already"):
        interactions(additive(interactions="all"))
    with pytest.raises(ModelError, match="has no components"):
        interactions(nma.fit(network(FACTORIAL)))
    with pytest.raises(ModelError, match="level=95"):
        interactions(posterior, level=95)
