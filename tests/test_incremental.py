"""What a component adds to a combination: the difference of two levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

import factorial
import nma
import own_models
from factorial import APART, FACTORIAL, FLAT, RANDOM, additive, network
from nma.errors import ModelError
from nma.priors import Fixed, Normal
from nma.structures import Classes, Components, NodeSplit, Regression

parameter_table: Any = nma.parameter_table
incremental_effects: Any = nma.incremental_effects


def test_without_interactions_a_component_adds_the_same_to_everything() -> None:
    posterior = additive()
    table = incremental_effects(posterior)
    alone = parameter_table(posterior)
    rows = {"C": ["E", "usual"], "E": ["C", "usual"]}
    assert table.index.tolist() == [(c, t) for c, to in rows.items() for t in to]
    for component, to in table.index:
        pd.testing.assert_series_equal(
            table.loc[(component, to), alone.columns], alone.loc[component], check_names=False
        )
    assert table["tested"].all()
    assert "that is the assumption of additivity" in str(table.notes)


def test_an_increment_is_the_effect_of_the_one_combination_versus_the_other() -> None:
    posterior = additive(interactions=[("E", "C")])
    table = incremental_effects(posterior, adding=["E"], to=["C"])
    asked = nma.at(posterior, treatments=["C", "E + C"])
    effect = nma.effect_table(asked, comparators=["C"]).iloc[0]
    np.testing.assert_allclose(
        table.iloc[0][effect.index].astype(float), effect, rtol=1e-10, atol=1e-12
    )


def test_interactions_make_increments_differ_as_by_hand() -> None:
    posterior = additive(heterogeneity=factorial.COMMON, engine=FLAT, interactions=[("E", "C")])
    table = incremental_effects(posterior, adding=["E"])
    (_, E, both), covariance, _ = factorial.least_squares([0, 1, 2])
    assert table.loc[("E", "usual"), "mean"] == pytest.approx(E, abs=1e-12)
    assert table.loc[("E", "C"), "mean"] == pytest.approx(E + both, abs=1e-12)
    together = np.array([0.0, 1.0, 1.0])
    sd = np.sqrt(together @ covariance @ together)
    assert table.loc[("E", "C"), "sd"] == pytest.approx(sd, abs=1e-12)
    assert "differs by what it is added to" in str(table.notes)


def test_renaming_components_changes_no_number() -> None:
    names = {"E": "b", "C": "z", "usual": "a", "E + C": "z + b"}
    turned = [(names[t], names[c], y, se) for t, c, y, se in FACTORIAL]
    here = incremental_effects(additive(interactions=[("E", "C")]))
    there = incremental_effects(additive(turned, reference="a", interactions=[("b", "z")]))
    for component, to in here.index:
        np.testing.assert_allclose(
            here.loc[(component, to)].astype(float),
            there.loc[(names[component], names[to])].astype(float),
            rtol=1e-8,
        )


def test_what_no_trial_has_is_marked_and_said() -> None:
    rows = [*FACTORIAL, ("S", "usual", -0.2, 0.2)]
    table = incremental_effects(additive(rows), adding=["S"])
    assert table["tested"].to_dict() == {
        ("S", "C"): False, ("S", "E"): False, ("S", "E + C"): False, ("S", "usual"): True,
    }  # fmt: skip
    assert "Extrapolated: no trial has 'C + S', 'E + S', 'C + E + S'" in str(table.notes)
    told = incremental_effects(additive(rows), adding=["S"], to=["usual"])
    assert "Extrapolated" not in str(told.notes)


def test_both_combinations_must_be_of_trials_to_be_tested() -> None:
    """Trials have C + E + S, and not C + S."""
    rows = [*FACTORIAL, ("S", "usual", -0.2, 0.2), ("C + E + S", "usual", -1.6, 0.2)]
    table = incremental_effects(additive(rows), adding=["E"], to=["C + S", "C"])
    assert table["tested"].tolist() == [False, True]


def test_a_combination_goes_by_any_order_and_with_what_is_inactive_in_its_name() -> None:
    rows = [("usual + E", "usual", -0.5, 0.2), ("usual + C + E", "usual", -0.9, 0.2)]
    posterior = additive([*rows, ("usual + C", "usual", -0.3, 0.2)])
    table = incremental_effects(posterior, adding=["C"], to=["usual", "E"])
    assert table.index.tolist() == [("C", "usual"), ("C", "usual + E")]
    assert table["tested"].all()
    assert "Extrapolated" not in str(table.notes)
    mixed = incremental_effects(additive(), adding=["E"], to=["C + usual"])
    assert mixed.index.tolist() == [("E", "C")]


def test_the_trials_may_tell_one_increment_and_not_another() -> None:
    common = nma.heterogeneity.Random(Fixed(0.1))
    table = incremental_effects(additive(APART, heterogeneity=common), to=["usual"])
    assert table["told"].to_dict() == {
        ("C", "usual"): False, ("E", "usual"): True, ("S", "usual"): False,
    }  # fmt: skip
    assert "do not determine C added to usual, S added to usual" in str(table.notes)
    flat = additive(APART, heterogeneity=factorial.COMMON, engine=FLAT)
    empty = incremental_effects(flat, to=["usual"])["mean"].isna()
    assert empty.tolist() == [True, False, True]


def test_components_within_a_regression_are_asked_at_the_values_of_its_covariates() -> None:
    made = network(FACTORIAL, year=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    components = Components(separator=" + ", inactive="usual")
    structure = Regression(components, "year", control="usual")
    posterior = nma.fit(made, nma.Model(structure, RANDOM))
    table = incremental_effects(nma.at(posterior, year=6.0), adding=["E"])
    assert "At year 6." in table.caption
    slope = parameter_table(posterior).iloc[-1]["mean"]
    between = table.loc[("E", "usual"), "mean"] - table.loc[("E", "C"), "mean"]
    assert between == pytest.approx(slope * (6 - 3.5), abs=1e-10)


def test_components_of_classes_are_added_to_classes() -> None:
    rows = [*FACTORIAL, ("walk", "usual", -0.4, 0.2)]
    of = {"usual": "usual", "E": "move", "walk": "move", "C": "C", "E + C": "move + C"}
    structure = Classes(Components(separator=" + ", inactive="usual"), classes=of)
    posterior = nma.fit(network(rows), nma.Model(structure, RANDOM))
    table = incremental_effects(posterior)
    assert table.index.tolist() == [
        ("C", "usual"), ("C", "move"), ("move", "usual"), ("move", "C"),
    ]  # fmt: skip
    assert table["tested"].all()
    assert table.loc[("move", "C"), "mean"] == pytest.approx(
        parameter_table(posterior).loc["move", "mean"], abs=1e-12
    )


def test_every_unknown_name_is_told_at_once_with_the_closest() -> None:
    posterior = additive([*FACTORIAL, ("exercise", "usual", -0.2, 0.2)])
    with pytest.raises(ModelError) as caught:
        incremental_effects(posterior, adding=["exercize", "usual", "E"])
    assert "'exercize' is not a component of this network. Did you mean 'exercise'?" in str(
        caught.value
    )
    assert "'usual' is inactive and adds nothing." in str(caught.value)
    with pytest.raises(ModelError) as caught:
        incremental_effects(posterior, to=["E + Q", "usul"])
    assert "'Q' in 'E + Q' is not a component of this network." in str(caught.value)
    assert "'usul' is not a component of this network. Did you mean 'usual'?" in str(caught.value)


def test_what_has_the_component_already_is_left_out_and_said() -> None:
    posterior = additive()
    table = incremental_effects(posterior, adding=["E"], to=["usual", "E + C"])
    assert table.index.tolist() == [("E", "usual")]
    assert "Left out: 'E + C' has 'E'." in table.notes
    with pytest.raises(ModelError, match="Nothing is left to add: 'E' has 'E'"):
        incremental_effects(posterior, adding=["E"], to=["E"])


@pytest.mark.parametrize("argument", ["adding", "to"])
def test_one_name_is_no_list(argument: str) -> None:
    with pytest.raises(ModelError, match=rf"{argument}=\['E'\]"):
        incremental_effects(additive(), **{argument: "E"})


def test_models_without_components_or_without_levels_are_refused() -> None:
    made = network(FACTORIAL)
    with pytest.raises(ModelError, match="has no components: its structure is Consistency"):
        incremental_effects(nma.fit(made))
    components = Components(separator=" + ", inactive="usual")
    split = nma.fit(made, nma.Model(NodeSplit(components, "usual", "E"), RANDOM))
    with pytest.raises(ModelError, match="no treatment has one level outside its trials"):
        incremental_effects(split)


@dataclass(frozen=True)
class Own(own_models.Components):
    """A user's own structure that tells its combinations; it knows no interactions."""

    effect: Normal
    interactions: None = None
    interaction: None = None

    def components(self, network: nma.Network) -> tuple[str, ...]:
        return tuple(self._components(network))

    def parts(self, treatment: str) -> frozenset[str]:
        return frozenset(treatment.split(" + ")) - {self.inactive}

    def combination(self, network: nma.Network, *parts: str) -> str:
        return " + ".join(sorted({one for part in parts for one in self.parts(part)}))


def test_a_structure_of_a_users_own_tells_what_its_components_add() -> None:
    made = network(FACTORIAL)
    structure: Any = Own("usual", 20.0, Normal(0, 20))
    own = nma.fit(made, nma.Model(structure, RANDOM))
    ours = additive(effect=Normal(0, 20))
    for verb in (incremental_effects, nma.checks.additivity, nma.plots.components.marks):
        pd.testing.assert_frame_equal(pd.DataFrame(verb(own)), pd.DataFrame(verb(ours)))
