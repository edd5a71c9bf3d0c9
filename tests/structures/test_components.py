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


def test_components_that_always_come_together_are_named() -> None:
    made = network([("E + C", "usual", -0.5, 0.2), ("S", "usual", -0.1, 0.2)])
    structure = Components(separator=" + ", inactive="usual").resolve(made)
    assert structure.undetermined(made) == ("C", "E")
    left = nma.fit(made, nma.Model(structure), engine=nma.engines.LeastSquares("common"))
    table = numbers(nma.at(left, treatments=["usual", "E", "C", "E + C"]))["mean"]
    assert table[["E vs usual", "C vs usual"]].isna().all()
    assert table["E + C vs usual"] == pytest.approx(-0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give one of them"),
        ({"separator": "+", "table": {"A": ["A"]}}, "give one of them"),
        ({"separator": ""}, "parts nothing"),
        ({"table": {"A": "AB"}}, "not a text"),
        ({"separator": "+", "effect": HalfNormal(1)}, "mean zero"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        Components(**arguments)


def test_every_problem_with_components_is_told_at_once() -> None:
    made = network([("E +", "usual", -0.5, 0.2), ("C + C", "usual", -0.1, 0.2)])
    with pytest.raises(DataError) as caught:
        Components(separator="+", inactive="usualy").resolve(made)
    codes = {issue.code for issue in caught.value.issues}
    assert codes == {"component-empty", "component-twice", "component-unknown"}
    assert "Did you mean 'usual'?" in str(caught.value)
    with pytest.raises(DataError, match=r"'C \+ C' is not in the table of components"):
        Components(table={"E +": ["E"], "usual": ["usual"]}).resolve(made)


@pytest.mark.parametrize("name", ["E +", "+ E", "E +  + C"])
def test_a_separator_at_an_end_or_twice_is_an_empty_component(name: str) -> None:
    """Names are trimmed before they are parted, and blanks within them made one."""
    made = network([("E", "usual", -0.5, 0.2), (" ".join(name.split()), "usual", -0.1, 0.2)])
    with pytest.raises(DataError, match="has an empty component") as caught:
        Components(separator=" + ", inactive="usual").resolve(made)
    assert ".." not in str(caught.value)
