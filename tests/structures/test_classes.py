"""Classes: treatments that scatter around what their class does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
from nma.errors import DataError, ModelError
from nma.priors import Fixed, HalfNormal, Normal
from nma.structures import Classes, Components, Consistency, NodeSplit

RANDOM = nma.heterogeneity.Random(HalfNormal(1))
WIDE = Consistency(Normal(0, 20))
OUTCOME = nma.outcomes.Contrast("effect", "se", measure="MD", better="lower", scale=1.0)
ROWS = [
    ("A1", "P", -0.9, 0.2),
    ("A2", "P", -1.1, 0.2),
    ("A2", "A1", 0.1, 0.3),
    ("B1", "P", -0.2, 0.2),
    ("B2", "P", -0.5, 0.3),
    ("B2", "A1", 0.6, 0.3),
]
OF = {"P": "P", "A1": "A", "A2": "A", "B1": "B", "B2": "B"}


def network(rows: Any = ROWS, **columns: Any) -> nma.Network:
    frame = pd.DataFrame(rows, columns=["treatment", "comparator", "effect", "se"])
    return nma.Network.from_contrasts(
        frame.assign(study=[f"trial {k}" for k in range(len(frame))], **columns),
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=OUTCOME,
        reference="P",
    )


def table(structure: nma.protocols.Structure, made: nma.Network | None = None) -> Any:
    model = nma.Model(structure, nma.heterogeneity.Random(Fixed(0.1)))
    return pd.DataFrame(nma.summary(nma.fit(made or network(), model)))


def test_singleton_classes_are_no_classes() -> None:
    made = nma.datasets.network("senn2013")
    alone = {name: name for name in made.treatments}
    ours, theirs = (
        nma.fit(made, nma.Model(structure, RANDOM))
        for structure in (Classes(WIDE, classes=alone), WIDE)
    )
    pd.testing.assert_frame_equal(
        pd.DataFrame(nma.summary(ours)), pd.DataFrame(nma.summary(theirs)), rtol=1e-9
    )
    assert [scale.name for scale in ours.problem.scales] == ["tau"]


def test_without_scatter_treatments_are_their_class() -> None:
    """tau_class near zero, the common class and trials with the classes' names agree."""
    exact = table(Classes(WIDE, classes=OF, tau_class=Fixed(1e-6)))
    common = table(Classes(WIDE, classes=OF, within="common"))
    rows = [(OF[a], OF[b], y, se) for a, b, y, se in ROWS if OF[a] != OF[b]]
    pooled = table(WIDE, network(rows))
    np.testing.assert_allclose(
        exact.loc["A1 vs P", "mean"], exact.loc["A2 vs P", "mean"], atol=1e-6
    )
    for name, of in (("A1", "A"), ("B2", "B")):
        for found in (exact, common):
            np.testing.assert_allclose(
                found.loc[f"{name} vs P", ["mean", "sd"]].astype(float),
                pooled.loc[f"{of} vs P", ["mean", "sd"]].astype(float),
                rtol=1e-5,
            )


def test_one_common_class_of_all_active_is_pairwise_against_the_control() -> None:
    rows = [row for row in ROWS if row[1] == "P"]
    classes = {"P": "P", **{name: "active" for name in OF if name != "P"}}
    ours = table(Classes(WIDE, classes=classes, within="common"), network(rows))
    pairwise = table(WIDE, network([("active", b, y, se) for _, b, y, se in rows]))
    np.testing.assert_allclose(ours.loc["A1 vs P", "mean"], pairwise["mean"].iloc[0], rtol=1e-9)
    np.testing.assert_allclose(ours.loc["tau"], pairwise.loc["tau"])


def test_with_wide_scatter_treatments_are_on_their_own() -> None:
    """The prior of a contrast is then that of two independent treatments."""
    free = table(Classes(WIDE, classes=OF, tau_class=Fixed(1e3)))
    alone = table(Consistency(Normal(0, 1e4)))
    np.testing.assert_allclose(free["mean"][:4], alone["mean"][:4], atol=1e-4)


def test_a_posterior_under_classes_is_the_normal_one_by_hand() -> None:
    """Known scales: beta | y = (X'WX + V^-1)^-1 X'Wy with the means and deviations as columns."""
    tau, tau_class, sd = 0.1, 0.3, 20.0
    z = {  # A vs P, B vs P, then A1, A2, B1, B2
        "P": [0, 0, 0, 0, 0, 0],
        "A1": [1, 0, 1, 0, 0, 0],
        "A2": [1, 0, 0, 1, 0, 0],
        "B1": [0, 1, 0, 0, 1, 0],
        "B2": [0, 1, 0, 0, 0, 1],
    }
    X = np.array([np.subtract(z[a], z[b]) for a, b, _, _ in ROWS], dtype=float)
    y, se = (np.array([row[k] for row in ROWS]) for k in (2, 3))
    prior = np.zeros((6, 6))
    prior[:2, :2] = sd**2 / 2 * (np.eye(2) + 1)
    prior[2:, 2:] = tau_class**2 * np.eye(4)
    weight = 1 / (se**2 + tau**2)
    V = np.linalg.inv(X.T @ (X * weight[:, None]) + np.linalg.inv(prior))
    effects = np.array([z[name] for name in ("A1", "A2", "B1", "B2")]) @ V @ X.T @ (weight * y)
    found = table(Classes(WIDE, classes=OF, tau_class=Fixed(tau_class)))
    np.testing.assert_allclose(found["mean"][:4], effects, atol=1e-9)
    A = np.array(z["A1"])
    assert found.loc["A1 vs P", "sd"] == pytest.approx(np.sqrt(A @ V @ A), abs=1e-9)


def test_the_level_of_a_class_is_its_mean_and_can_be_ranked() -> None:
    model = nma.Model(Classes(WIDE, classes=OF, tau_class=Fixed(0.3)), RANDOM)
    posterior = nma.fit(network(), model)
    structure = posterior.model.structure
    assert isinstance(structure, Classes)
    names = structure.class_names(posterior.network)
    assert names == ("P", "A", "B")
    by_class = nma.at(posterior, treatments=names)
    assert nma.sucra(by_class).index[0] == "A"
    assert by_class.notices[0].startswith("Classes, not treatments: 'A', 'B': the mean of each")
    assert not any("Extrapolated" in notice for notice in by_class.notices)
    assert posterior.notices == nma.at(by_class, treatments=["P", "A1"]).notices
    moments = posterior.draws.moments
    assert moments is not None
    mean = nma.effect_table(by_class)["mean"]["A", "P"]
    assert mean == pytest.approx(moments.of(np.eye(6)[:1]).mean[0], abs=1e-12)


def test_a_new_treatment_of_a_class_is_more_uncertain_than_its_mean_by_the_scatter() -> None:
    """At known scales Var(A1) = Var of class and deviation; classes never narrow the mean to it."""
    found = table(Classes(WIDE, classes=OF, tau_class=Fixed(0.3)))
    alone = table(WIDE)
    assert (found["sd"][:4] < alone["sd"][:4]).all()


def test_classes_from_a_column_of_the_arms() -> None:
    named = {
        "study": ["1", "1", "2", "2", "3", "3"],
        "treatment": ["P", "A1", "P", "A2", "P", "B1"],
        "mean": [0.0, -1.0, 0.1, -0.8, 0.0, -0.1],
        "se": 0.2,
        "kind": ["none", "A", "none", "A", "none", "B"],
    }
    outcome = nma.outcomes.Continuous("mean", se="se", measure="MD", better="lower")
    made = nma.Network.from_arms(
        pd.DataFrame(named), study="study", treatment="treatment", outcome=outcome
    )
    ours = Classes(WIDE, classes="kind", tau_class=HalfNormal(1)).resolve(made)
    assert ours.members == {"P": "none", "A1": "A", "A2": "A", "B1": "B"}
    with pytest.raises(DataError, match="Did you mean 'kind'"):
        Classes(WIDE, classes="kinds").resolve(made)


def test_classes_of_components_are_combinations_with_modes_inside() -> None:
    """Pilates and walking are exercise; each with CBT is one combination, its modes inside."""
    rows = [
        ("pilates", "usual", -0.5, 0.2),
        ("walking", "usual", -0.3, 0.2),
        ("walking, CBT", "usual", -0.8, 0.2),
        ("pilates, CBT", "pilates", -0.3, 0.2),
    ]
    classes = {
        "usual": "usual",
        "pilates": "exercise",
        "walking": "exercise",
        "walking, CBT": "exercise + CBT",
        "pilates, CBT": "exercise + CBT",
    }
    frame = pd.DataFrame(rows, columns=["treatment", "comparator", "effect", "se"])
    made = nma.Network.from_contrasts(
        frame.assign(study=["1", "2", "3", "4"]),
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=OUTCOME,
        reference="usual",
    )
    structure = Classes(Components(separator=" + ", inactive="usual"), classes=classes)
    posterior = nma.fit(made, nma.Model(structure, RANDOM))
    assert posterior.problem.parameters.names[:2] == ("CBT", "exercise")
    asked = nma.at(posterior, treatments=["usual", "exercise", "CBT", "exercise + CBT"])
    mean = nma.effect_table(asked)["mean"]
    total = mean["exercise", "usual"] + mean["CBT", "usual"]
    assert mean["exercise + CBT", "usual"] == pytest.approx(total, abs=1e-10)


def test_classes_can_be_split_like_treatments() -> None:
    loop = [*ROWS, ("B1", "A2", 0.2, 0.2)]
    structure = Classes(NodeSplit(WIDE, "A", "B"), classes=OF)
    posterior = nma.fit(network(loop), nma.Model(structure, RANDOM))
    assert "B vs A, direct minus indirect" in posterior.problem.parameters.names
    assert (
        nma.checks.node_splitting(
            nma.fit(network(loop), nma.Model(Classes(WIDE, classes=OF), RANDOM))
        )["p"]
        .notna()
        .any()
    )


def test_what_a_trial_left_out_takes_with_it_is_no_fault_of_the_classes() -> None:
    model = nma.Model(Classes(WIDE, classes=OF, tau_class=HalfNormal(0.5)), RANDOM)
    posterior = nma.fit(network(), model)
    left = network(ROWS[:3])
    assert np.isfinite(nma.summary(nma.fit(left, posterior.model))["mean"]).all()


def test_without_its_only_trial_a_treatment_that_scatters_has_no_level() -> None:
    model = nma.Model(Classes(WIDE, classes=OF, tau_class=Fixed(0.3)), RANDOM)
    posterior = nma.fit(network([*ROWS, ("A1", "P", -0.7, 0.2)]), model)
    found = nma.checks.leave_one_study_out(posterior)["estimate"]
    assert found.loc["trial 3", "B2 vs P"] == found.loc["trial 3", "B2 vs P"]
    assert np.isnan(found.get(("trial 3", "B1 vs P"), np.nan))
    common = nma.Model(Classes(WIDE, classes=OF, within="common"), RANDOM)
    left = nma.checks.leave_one_study_out(nma.fit(network(), common))["estimate"]
    assert left["trial 3", "B1 vs P"] == left["trial 3", "B2 vs P"]


def test_a_resolved_model_still_asks_for_the_class_of_a_new_treatment() -> None:
    model = nma.Model(Classes(WIDE, classes=OF), RANDOM)
    posterior = nma.fit(network(), model)
    more = network([*ROWS, ("A3", "P", -0.4, 0.2)])
    with pytest.raises(DataError, match="'A3' has no class"):
        nma.fit(more, posterior.model)


def told(classes: Any, rows: Any = ROWS) -> str:
    with pytest.raises(DataError) as caught:
        Classes(WIDE, classes=classes).resolve(network(rows))
    return str(caught.value)


def test_every_problem_with_classes_is_told_at_once() -> None:
    some = {name: cls for name, cls in OF.items() if name != "B2"}
    assert "'B2' has no class" in told(some)
    faults = told({**some, "B3": "C", "b2": "B"})
    assert "class 'C' has no treatment: 'B3' is none of the network's" in faults
    assert "Did you mean 'b2'?" in faults
    assert "'A1' is a treatment and a class of others" in told({**OF, "A1": "A1", "A2": "A1"})
    assert "'b'" in told({**OF, "B2": "b"})


def test_classes_join_no_parts_that_trials_do_not() -> None:
    apart = [("A1", "P", -0.9, 0.2), ("A2", "B1", -1.1, 0.2)]
    assert "falls into 2 parts" in told({"P": "P", "A1": "A", "A2": "A", "B1": "B"}, apart)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"within": "same"}, "none of 'exchangeable', 'common'"),
        ({"within": "common", "tau_class": HalfNormal(1)}, "treatments that scatter"),
        ({"tau_class": 0.3}, "not a prior"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        Classes(WIDE, classes=OF, **arguments)
