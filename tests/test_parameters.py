"""The parameters of a structure, whatever it is, and which of them the trials determine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import factorial
import nma
import own_models
from factorial import APART, FACTORIAL, FLAT, RANDOM, additive, network
from nma.errors import ModelError
from nma.priors import Fixed, HalfNormal, Normal
from nma.structures import Classes, Components, DesignByTreatment, NodeSplit, Regression

parameter_table: Any = nma.parameter_table


def test_parameters_of_consistency_are_the_effects_against_the_first_treatment() -> None:
    posterior = nma.fit(nma.datasets.network("senn2013"))
    first, *others = posterior.treatments
    table = parameter_table(posterior)
    assert table.index.tolist() == [f"{name} vs {first}" for name in others]
    effects = nma.effect_table(posterior, comparators=[first])
    assert table["told"].all()
    np.testing.assert_allclose(table[effects.columns], effects, rtol=1e-12, atol=1e-14)


def test_components_and_interactions_are_least_squares_by_hand() -> None:
    posterior = additive(heterogeneity=factorial.COMMON, engine=FLAT, interactions=[("E", "C")])
    table = parameter_table(posterior)
    beta, covariance, _ = factorial.least_squares([0, 1, 2])
    assert table.index.tolist() == ["C", "E", "C x E"]
    np.testing.assert_allclose(table["estimate"], beta, atol=1e-12)
    np.testing.assert_allclose(table["sd"], np.sqrt(np.diagonal(covariance)), atol=1e-12)


def test_ratios_are_back_transformed_and_better_is_the_side_of_no_effect() -> None:
    structure = Components(separator=" + ", inactive="usual care")
    posterior = nma.fit(nma.datasets.network("musician"), nma.Model(structure))
    table = parameter_table(posterior)
    np.testing.assert_allclose(table["estimate"], np.exp(table["mean"]), rtol=1e-12)
    drawn = posterior.draws.values["beta"].to_numpy().reshape(-1, 2)
    np.testing.assert_allclose(table["p_better"], (drawn > 0).mean(axis=0), atol=1e-12)
    assert parameter_table(posterior, level=0.5)["lower"].gt(table["lower"]).all()


def test_a_structure_of_a_users_own_has_them_too() -> None:
    toy = nma.fit(network(FACTORIAL), nma.Model(own_models.Components("usual", 20.0), RANDOM))
    ours = additive(effect=Normal(0, 20))
    pd.testing.assert_frame_equal(
        pd.DataFrame(parameter_table(toy)), pd.DataFrame(parameter_table(ours))
    )


def test_told_is_what_the_differences_of_levels_determine() -> None:
    """E is told in two parts; C and S by their difference alone, each of them by its prior."""
    table = parameter_table(additive(APART, heterogeneity=nma.heterogeneity.Random(Fixed(0.1))))
    assert table["told"].to_dict() == {"C": False, "E": True, "S": False}
    assert "do not determine C, S: what is said of them rests on the prior" in str(table.notes)
    sd = table["sd"]
    assert sd["C"] == pytest.approx(5, rel=0.01)  # 10 / sqrt(2), halved by what tells C - S
    assert sd["E"] < 0.2


def test_least_squares_leaves_empty_what_is_not_told() -> None:
    table = parameter_table(additive(APART, heterogeneity=factorial.COMMON, engine=FLAT))
    numbers = ["estimate", "lower", "upper", "mean", "sd", "p_better"]
    assert table.loc[["C", "S"], numbers].isna().all(axis=None)
    assert table.loc["E", numbers].notna().all()
    assert "do not determine C, S: their cells are left empty" in str(table.notes)


def test_random_effects_are_added_when_asked_for() -> None:
    """Of three pairs of components, the trials have one together."""
    rows = [*FACTORIAL, ("S", "usual", -0.2, 0.2)]
    posterior = additive(rows, interactions="all", tau_interaction=HalfNormal(0.5))
    assert parameter_table(posterior).index.tolist() == ["C", "E", "S"]
    table = parameter_table(posterior, random=True)
    assert table["told"].to_dict() == {
        "C": True, "E": True, "S": True, "C x E": True, "C x S": False, "E x S": False,
    }  # fmt: skip
    assert abs(table.loc["C x S", "mean"]) < 1e-12
    assert table.loc["C x S", "p_better"] == pytest.approx(0.5, abs=1e-9)


def test_deviations_from_a_class_are_random_effects() -> None:
    classes = {"usual": "usual", "E": "active", "C": "active", "E + C": "both"}
    model = nma.Model(Classes(classes=classes), RANDOM)
    posterior = nma.fit(network(FACTORIAL), model)
    assert parameter_table(posterior).index.str.contains(" in ").sum() == 0
    assert parameter_table(posterior, random=True).index.str.contains(" in ").sum() == 2


def test_a_coefficient_is_better_where_effects_get_better_as_the_covariate_rises() -> None:
    rows = [("E", "usual", -0.1 * year, 0.1) for year in range(6)]
    made = network(rows, year=np.arange(6.0).tolist())
    model = nma.Model(Regression(nma.structures.Consistency(), "year", control="usual"), RANDOM)
    table = parameter_table(nma.fit(made, model))
    coefficient = table.iloc[-1]
    assert "per year" in str(coefficient.name)
    assert coefficient["mean"] == pytest.approx(-0.1, abs=0.01)
    assert coefficient["p_better"] > 0.99


def test_what_a_node_split_adds_is_direct_minus_indirect() -> None:
    made = network(FACTORIAL)
    split = NodeSplit(nma.structures.Consistency(), "usual", "E")
    table = parameter_table(nma.fit(made, nma.Model(split, RANDOM)))
    check = nma.checks.node_splitting(nma.fit(made, nma.Model(heterogeneity=RANDOM)))
    w = table.loc["E vs usual, direct minus indirect"]
    assert w["mean"] == pytest.approx(check.loc[("E", "usual"), "difference"], abs=1e-9)
    assert w["told"]


def test_a_sum_that_is_told_tells_no_part_of_it() -> None:
    model = nma.Model(DesignByTreatment(nma.structures.Consistency()), RANDOM)
    assert not parameter_table(nma.fit(network(FACTORIAL), model))["told"].any()


def test_a_level_that_is_no_probability_is_refused() -> None:
    with pytest.raises(ModelError, match="level=95 is not a probability"):
        parameter_table(additive(), level=95)
