"""Components: what each part adds, whatever it is added to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
import own_models
from nma.errors import DataError, ModelError
from nma.priors import Fixed, HalfNormal, Normal
from nma.structures import Components, Consistency

OUTCOME = nma.outcomes.Contrast("effect", "se", measure="MD", better="lower", scale=1.0)
RANDOM = nma.heterogeneity.Random(HalfNormal(1))
FACTORIAL = [
    ("E", "usual", -0.5, 0.2),
    ("E", "usual", -0.7, 0.3),
    ("C", "usual", -0.3, 0.2),
    ("E + C", "usual", -1.0, 0.25),
    ("E + C", "E", -0.2, 0.3),
    ("C", "E", 0.3, 0.3),
]


def network(rows: Sequence[tuple[str, str, float, float]], reference: str = "usual") -> nma.Network:
    frame = pd.DataFrame(rows, columns=["treatment", "comparator", "effect", "se"])
    return nma.Network.from_contrasts(
        frame.assign(study=[f"trial {k}" for k in range(len(frame))]),
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=OUTCOME,
        reference=reference,
    )


def numbers(posterior: nma.Posterior) -> Any:
    return nma.summary(posterior)


def test_the_prior_of_a_difference_between_components_is_that_of_an_effect() -> None:
    made = network(FACTORIAL)
    structure = Components(separator=" + ", inactive="usual").resolve(made)
    assert structure.effect == Normal(0, 10)
    covariance = structure.parameters(made).covariance
    assert covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1] == pytest.approx(100)


def test_the_same_model_as_one_of_a_users_own() -> None:
    made = network(FACTORIAL)
    ours = nma.fit(
        made,
        nma.Model(Components(separator=" + ", inactive="usual", effect=Normal(0, 20)), RANDOM),
    )
    toy = nma.fit(made, nma.Model(own_models.Components("usual", 20.0), RANDOM))
    pd.testing.assert_frame_equal(pd.DataFrame(numbers(ours)), pd.DataFrame(numbers(toy)))


def test_the_effects_are_least_squares_by_hand() -> None:
    """Common effect, flat priors: X'WX by hand on the six contrasts."""
    model = nma.Model(Components(separator=" + ", inactive="usual"), nma.heterogeneity.Common())
    posterior = nma.fit(network(FACTORIAL), model, engine=nma.engines.LeastSquares("common"))
    y, se = (np.array([row[k] for row in FACTORIAL]) for k in (2, 3))
    X = np.array([[0, 1], [0, 1], [1, 0], [1, 1], [1, 0], [1, -1]], dtype=float)
    gram = X.T @ (X / se[:, None] ** 2)
    beta = np.linalg.solve(gram, X.T @ (y / se**2))
    table = numbers(nma.at(posterior, treatments=["usual", "C", "E"]))
    np.testing.assert_allclose(table.loc[["C vs usual", "E vs usual"], "mean"], beta, atol=1e-12)
    sd = np.sqrt(np.diagonal(np.linalg.inv(gram)))
    np.testing.assert_allclose(table.loc[["C vs usual", "E vs usual"], "sd"], sd, atol=1e-12)


def test_one_component_for_each_treatment_is_the_standard_model() -> None:
    """By least squares, where one is inactive: no label has a separator in it."""
    made = nma.datasets.network("senn2013")
    engine = nma.engines.LeastSquares("DL")
    ours = nma.fit(made, nma.Model(Components(separator=" + ", inactive="placebo")), engine=engine)
    pd.testing.assert_frame_equal(
        pd.DataFrame(numbers(ours)), pd.DataFrame(numbers(nma.fit(made, engine=engine))), rtol=1e-9
    )


def test_without_an_inactive_one_and_with_exchangeable_levels_so_it_is_exactly() -> None:
    """Levels iid N(0, s^2/2) give every contrast the prior N(0, s^2): the same evidence."""
    made = nma.datasets.network("senn2013")
    ours = nma.fit(made, nma.Model(Components(separator=" + "), RANDOM)).draws.moments
    theirs = nma.fit(made, nma.Model(Consistency(), RANDOM)).draws.moments
    assert ours is not None
    assert theirs is not None
    assert ours.log_evidence == pytest.approx(theirs.log_evidence, abs=1e-6)


def test_renaming_components_and_the_order_of_rows_change_nothing() -> None:
    names = {"E": "b", "C": "a", "usual": "z", "E + C": "b + a"}
    turned = [(names[t], names[c], y, se) for t, c, y, se in reversed(FACTORIAL)]
    here = nma.fit(
        network(FACTORIAL), nma.Model(Components(separator=" + ", inactive="usual"), RANDOM)
    )
    there = nma.fit(
        network(turned, "z"), nma.Model(Components(separator=" + ", inactive="z"), RANDOM)
    )
    a = numbers(nma.at(here, treatments=["usual", "E", "E + C"]))
    b = numbers(nma.at(there, treatments=["z", "b", "a + b"]))
    np.testing.assert_allclose(
        a[["mean", "sd", "lower"]].abs(), b[["mean", "sd", "lower"]].abs(), rtol=1e-7
    )


def test_an_untested_combination_is_the_sum_of_its_components() -> None:
    made = network([row for row in FACTORIAL if "+" not in row[0]])
    posterior = nma.fit(made, nma.Model(Components(separator=" + ", inactive="usual"), RANDOM))
    table = numbers(nma.at(posterior, treatments=["usual", "C", "E", "C + E"]))["mean"]
    total = table["C vs usual"] + table["E vs usual"]
    assert table["C + E vs usual"] == pytest.approx(total, abs=1e-12)
    with pytest.raises(ModelError, match=r"'Exx' in 'C \+ Exx' is not a component"):
        nma.at(posterior, treatments=["usual", "C + Exx"])


def test_a_table_says_the_same_as_a_separator() -> None:
    made = network(FACTORIAL)
    table = {"usual": ["usual"], "E": ["E"], "C": ["C"], "E + C": ["C", "E"]}
    structures = [
        Components(table=table, inactive="usual"),
        Components(separator=" + ", inactive="usual"),
    ]
    found = [numbers(nma.fit(made, nma.Model(structure, RANDOM))) for structure in structures]
    pd.testing.assert_frame_equal(pd.DataFrame(found[0]), pd.DataFrame(found[1]))
    assert hash(structures[0].resolve(made)) == hash(structures[0].resolve(made))


def test_parts_that_share_components_are_joined() -> None:
    """No trial connects them, and consistency refuses; additivity tells E + C against usual."""
    made = network([("E", "usual", -0.5, 0.2), ("E + C", "C", -0.6, 0.2), ("C", "S", -0.3, 0.2)])
    assert len(made.components) == 2
    with pytest.raises(DataError, match="parts that no trial connects"):
        nma.fit(made)
    structure = Components(separator=" + ", inactive="usual")
    model = nma.Model(structure, nma.heterogeneity.Random(Fixed(1e-6)))
    posterior = nma.fit(made, model)
    effect = numbers(nma.at(posterior, treatments=["usual", "E"])).loc["E vs usual"]
    assert effect["mean"] == pytest.approx(-0.55, abs=1e-3)
    assert effect["sd"] == pytest.approx(0.2 / np.sqrt(2), rel=1e-3)
    assert structure.resolve(made).undetermined(made) == ("C", "S")


def told(rows: Sequence[tuple[str, str, float, float]], **arguments: Any) -> str:
    """Return what is wrong with the components of some trials."""
    structure = Components(**{"separator": " + ", "inactive": "usual", **arguments})
    with pytest.raises(DataError) as caught:
        structure.resolve(network(rows, rows[0][1]))
    return str(caught.value)


def test_components_that_no_trial_can_tell_apart_are_refused() -> None:
    together = told([("E + C", "usual", -0.5, 0.2), ("S", "usual", -0.1, 0.2)])
    assert "'C' and 'E' are only ever together" in together
    always = told([("E + U", "U", -0.5, 0.2), ("E + C + U", "E + U", -0.1, 0.2)], inactive=None)
    assert "every treatment has 'U'" in always
    assert "Name it as inactive=" in always


def test_what_a_trial_left_out_takes_with_it_is_no_fault_of_the_components() -> None:
    """A check refits the resolved structure: no trial has the inactive one, or all are together."""
    structure = Components(separator=" + ", inactive="usual").resolve(network(FACTORIAL))
    left = network([("E + C", "E", -0.5, 0.2), ("C", "E", -0.1, 0.2)], "E")
    assert structure.resolve(left) is structure
    assert np.isfinite(numbers(nma.fit(left, nma.Model(structure, RANDOM)))["mean"]).all()
    table = nma.checks.leave_one_study_out(
        nma.fit(
            network([*FACTORIAL[3:], ("E", "C + E", 0.2, 0.2)]),
            nma.Model(Components(separator=" + ", inactive="usual"), RANDOM),
        )
    )
    assert "trial 0" in table.index.get_level_values("study")


def test_what_additivity_tells_of_a_combination_stays_without_its_only_trial() -> None:
    """Untested combinations too: the influence of each trial on what rests on the sum."""
    rows = [row for row in FACTORIAL if row[0] != "E + C"] + [FACTORIAL[3]]
    model = nma.Model(Components(separator=" + ", inactive="usual"), RANDOM)
    found = nma.checks.leave_one_study_out(nma.fit(network(rows), model))["estimate"]
    alone = found.xs("trial 4", level="study")
    assert alone["E + C vs usual"] == pytest.approx(alone["E vs usual"] + alone["C vs usual"])


def test_a_resolved_model_still_asks_for_the_components_of_a_new_treatment() -> None:
    table = {"usual": ["usual"], "E": ["E"], "C": ["C"], "E + C": ["C", "E"]}
    structure = Components(table=table, inactive="usual").resolve(network(FACTORIAL))
    with pytest.raises(DataError, match="'S' is not in the table"):
        structure.resolve(network([*FACTORIAL, ("S", "usual", -0.1, 0.2)]))


def test_named_interactions_are_least_squares_by_hand() -> None:
    structure = Components(separator=" + ", inactive="usual", interactions=[("E", "C")])
    model = nma.Model(structure, nma.heterogeneity.Common())
    posterior = nma.fit(network(FACTORIAL), model, engine=nma.engines.LeastSquares("common"))
    assert posterior.problem.parameters.names == ("C", "E", "C x E")
    y, se = (np.array([row[k] for row in FACTORIAL]) for k in (2, 3))
    X = np.array([[0, 1, 0], [0, 1, 0], [1, 0, 0], [1, 1, 1], [1, 0, 1], [1, -1, 0]], dtype=float)
    gram = X.T @ (X / se[:, None] ** 2)
    beta = np.linalg.solve(gram, X.T @ (y / se**2))
    table = numbers(posterior)["mean"]
    assert table["E + C vs usual"] == pytest.approx(beta.sum(), abs=1e-12)


def test_interactions_of_every_set_are_the_full_network() -> None:
    """Two components and their interaction for four treatments: nothing is left to assume."""
    structure = Components(separator=" + ", inactive="usual", interactions=[("E", "C")])
    engine = nma.engines.LeastSquares("DL")
    made = network(FACTORIAL)
    ours, theirs = (
        numbers(nma.fit(made, model, engine=engine)) for model in (nma.Model(structure), None)
    )
    pd.testing.assert_frame_equal(pd.DataFrame(ours), pd.DataFrame(theirs), rtol=1e-9)


def test_shrunken_interactions_reach_untested_combinations() -> None:
    """Var(E + C) = Var of the sum + E[tau_int^2] if no trial has the pair."""
    made = network([row for row in FACTORIAL if "+" not in row[0]])
    prior = Fixed(0.4)
    sd = [
        numbers(
            nma.at(
                nma.fit(made, nma.Model(structure, nma.heterogeneity.Random(Fixed(0.1)))),
                treatments=["usual", "C + E"],
            )
        )["sd"]["C + E vs usual"]
        for structure in (
            Components(separator=" + ", inactive="usual"),
            Components(
                separator=" + ", inactive="usual", interactions="all", tau_interaction=prior
            ),
        )
    ]
    assert sd[1] ** 2 - sd[0] ** 2 == pytest.approx(0.4**2, rel=1e-9)


def test_without_spread_shrunken_interactions_are_additivity() -> None:
    made = network(FACTORIAL)
    tight = Components(
        separator=" + ", inactive="usual", interactions="all", tau_interaction=Fixed(1e-7)
    )
    additive = Components(separator=" + ", inactive="usual")
    found = [numbers(nma.fit(made, nma.Model(s, RANDOM))) for s in (tight, additive)]
    rows = ["C vs usual", "E vs usual", "E + C vs usual", "tau"]
    np.testing.assert_allclose(
        found[0].loc[rows, ["mean", "sd"]], found[1].loc[rows, ["mean", "sd"]], rtol=1e-6
    )


def test_interactions_that_cannot_be_told_are_refused_with_why() -> None:
    faults = told(FACTORIAL, interactions=[("E", "Cc"), ("usual", "E")])
    assert "'Cc' in the interaction Cc x E" in faults
    assert "Did you mean 'C'?" in faults
    assert "'usual' in the interaction E x usual" in faults
    apart = [row for row in FACTORIAL if "+" not in row[0]]
    assert "no treatment has all of C x E" in told(apart, interactions=[("E", "C")])


def test_components_that_could_be_one_and_marks_inside_names_are_asked_about() -> None:
    faults = told([("E+S", "usual", -0.5, 0.2), ("S + e", "usual", -0.1, 0.2), *FACTORIAL])
    assert "'E+S' has '+' inside a component, apart from its separator ' + '" in faults
    assert "'E'" in faults
    assert "'e'" in faults


def test_a_table_may_list_what_no_trial_has_and_names_beside_it_are_parted() -> None:
    table = {"usual": ["usual"], "exercise": ["E"], "CBT": ["C"], "both": ["C", "E"]}
    made = network([("exercise", "usual", -0.5, 0.2), ("CBT", "usual", -0.3, 0.2)])
    structure = Components(table=table, inactive="usual")
    posterior = nma.fit(made, nma.Model(structure, RANDOM))
    found = numbers(nma.at(posterior, treatments=["usual", "both", "C + E"]))["mean"]
    assert found["both vs usual"] == pytest.approx(found["C + E vs usual"], abs=1e-12)
    assert structure.combination(made, "exercise", "C") == "both"
    assert structure.combination(made, "usual", "C") == "CBT"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give one of them"),
        ({"separator": "+", "interactions": "CBT"}, r"write \[\("),
        ({"separator": "+", "interactions": ["CBT", "E"]}, r"write \[\("),
        ({"separator": "+", "interactions": [("E",)]}, "two components or more"),
        ({"separator": "+", "interactions": [("E", "C"), ("C", "E")]}, "comes once"),
        ({"separator": "+", "tau_interaction": 0.5}, "not a prior"),
        ({"separator": ""}, "parts nothing"),
        ({"table": {"A": "AB"}}, "not a text"),
        ({"separator": "+", "effect": HalfNormal(1)}, "mean zero"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        Components(**arguments)


def test_every_problem_with_components_is_told_at_once() -> None:
    faults = told([("E +", "usual", -0.5, 0.2), ("C + C", "usual", -0.1, 0.2)], separator="+")
    assert "component-empty" in faults
    assert "component-twice" in faults
    assert "Did you mean 'usual'?" in told(FACTORIAL, inactive="usualy")
    with pytest.raises(DataError, match=r"'C \+ C' is not in the table of components"):
        Components(table={"E +": ["E"], "usual": ["usual"]}).resolve(
            network([("E +", "usual", -0.5, 0.2), ("C + C", "usual", -0.1, 0.2)])
        )


@pytest.mark.parametrize("name", ["E +", "+ E", "E +  + C"])
def test_a_separator_at_an_end_or_twice_is_an_empty_component(name: str) -> None:
    """Names are trimmed before they are parted, and blanks within them made one."""
    made = network([("E", "usual", -0.5, 0.2), (" ".join(name.split()), "usual", -0.1, 0.2)])
    with pytest.raises(DataError, match="has an empty component") as caught:
        Components(separator=" + ", inactive="usual").resolve(made)
    assert ".." not in str(caught.value)
