"""Regression: effects that depend on what the trials are like."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
import own_models
from nma.errors import DataError, ModelError
from nma.priors import Fixed, HalfNormal, Normal
from nma.structures import Classes, Components, Consistency, Regression

RANDOM = nma.heterogeneity.Random(HalfNormal(1))
COMMON = nma.engines.LeastSquares("common")
WIDE = Consistency(Normal(0, 20))
OUTCOME = nma.outcomes.Contrast("effect", "se", measure="MD", better="lower", scale=1.0)
ROWS = [
    ("A", "P", -0.9, 0.2, 1.0, "low"),
    ("A", "P", -0.6, 0.2, 3.0, "high"),
    ("B", "P", -0.4, 0.2, 2.0, "low"),
    ("B", "P", -0.1, 0.3, 6.0, "high"),
    ("B", "A", 0.3, 0.3, 4.0, "low"),
    ("C", "P", -0.3, 0.3, 5.0, "high"),
    ("C", "A", 0.5, 0.2, 2.5, "low"),
    ("C", "P", -0.2, 0.2, 1.5, "unclear"),
]
NAMES = ["treatment", "comparator", "effect", "se", "age", "risk"]


def network(**columns: Any) -> nma.Network:
    frame = pd.DataFrame(ROWS, columns=NAMES)
    return nma.Network.from_contrasts(
        frame.assign(study=[f"trial {k}" for k in range(len(frame))], **columns),
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=OUTCOME,
        reference="P",
    )


def by_age(**arguments: Any) -> Regression:
    return Regression(arguments.pop("base", WIDE), "age", **{"control": "P", **arguments})


def fitted(structure: nma.protocols.Structure, made: nma.Network | None = None) -> nma.Posterior:
    model = nma.Model(structure, nma.heterogeneity.Random(Fixed(0.1)))
    return nma.fit(made or network(), model)


def table(posterior: nma.Posterior) -> Any:
    return pd.DataFrame(nma.summary(posterior))


def beta(posterior: nma.Posterior) -> Any:
    """Return mean and sd of every parameter."""
    moments = posterior.draws.moments
    assert moments is not None
    names = posterior.problem.parameters.names
    found = moments.of(np.eye(len(names)))
    return pd.DataFrame({"mean": found.mean, "sd": found.sd}, index=list(names))


def by_hand(columns: dict[str, Any], y: Any, se: Any) -> tuple[Any, Any]:
    X = np.stack([*columns.values()], axis=1).astype(float)
    V = np.linalg.inv(X.T @ (X / se[:, None] ** 2))
    return V @ X.T @ (y / se**2), np.sqrt(np.diagonal(V))


def effect_columns() -> dict[str, Any]:
    t, c = (np.array([row[k] for row in ROWS]) for k in (0, 1))
    return {name: (t == name).astype(int) - (c == name).astype(int) for name in "ABC"}


def test_a_shared_interaction_is_least_squares_by_hand() -> None:
    """Trials of two active treatments tell nothing of it: both change alike."""
    y, se, age = (np.array([row[k] for row in ROWS]) for k in (2, 3, 4))
    effects = effect_columns()
    against_control = sum(effects.values())
    mean, sd = by_hand({**effects, "age": against_control * (age - age.mean())}, y, se)
    posterior = nma.fit(network(), nma.Model(by_age()), engine=COMMON)
    found = beta(posterior)
    assert found.index[-1] == "all but P vs P, per age"
    np.testing.assert_allclose(found["mean"].iloc[-1], mean[-1], atol=1e-12)
    np.testing.assert_allclose(found["sd"].iloc[-1], sd[-1], atol=1e-12)
    np.testing.assert_allclose(table(posterior)["mean"][:3].astype(float), mean[:3], atol=1e-12)


def test_independent_interactions_are_least_squares_by_hand() -> None:
    y, se, age = (np.array([row[k] for row in ROWS]) for k in (2, 3, 4))
    effects = effect_columns()
    slopes = {f"{k} by age": v * (age - age.mean()) for k, v in effects.items()}
    mean, sd = by_hand({**effects, **slopes}, y, se)
    model = nma.Model(by_age(interactions="independent"))
    found = beta(nma.fit(network(), model, engine=COMMON))[3:]
    assert list(found.index) == [f"{name} vs P, per age" for name in "ABC"]
    np.testing.assert_allclose(found["mean"], mean[3:], atol=1e-11)
    np.testing.assert_allclose(found["sd"], sd[3:], atol=1e-11)


def test_the_control_of_independent_interactions_moves_no_effect() -> None:
    named = [fitted(by_age(interactions="independent", control=name)) for name in ("P", "B", None)]
    tables = [table(nma.at(posterior, age=5.5)) for posterior in named]
    for other in tables[1:]:
        pd.testing.assert_frame_equal(tables[0], other, rtol=1e-8)


def test_the_same_model_as_one_of_a_users_own() -> None:
    """Without centring, with the same priors."""
    made = network()
    ours = fitted(by_age(centre=0.0, effect=Normal(0, 2)))
    toy = fitted(own_models.Regression(WIDE, "age", "P", 2.0), made)
    for age in (0.0, 4.0):
        pd.testing.assert_frame_equal(
            table(nma.at(ours, age=age)), table(nma.at(toy, age=age)), rtol=1e-7
        )


def test_exchangeable_interactions_lie_between_shared_and_independent() -> None:
    """No spread: shared. Wide spread, wide mean: independent."""
    shared, tight = fitted(by_age()), fitted(by_age(interactions="exchangeable", tau=Fixed(1e-6)))
    pd.testing.assert_frame_equal(
        table(nma.at(shared, age=5.0))[:3],
        table(nma.at(tight, age=5.0))[:3],
        rtol=1e-4,
    )
    loose = fitted(by_age(interactions="exchangeable", tau=Fixed(1e3)))
    free = fitted(by_age(interactions="independent", effect=Normal(0, 1e3)))
    np.testing.assert_allclose(
        table(nma.at(loose, age=5.0))["mean"][:3].astype(float),
        table(nma.at(free, age=5.0))["mean"][:3].astype(float),
        atol=1e-4,
    )
    assert [scale.name for scale in tight.problem.scales] == ["tau", "tau_age"]


def test_centring_changes_nothing_but_the_intercept() -> None:
    """By least squares exactly: slopes, and effects at any one value, are the same."""
    model = [nma.Model(by_age(centre=centre)) for centre in (None, 0.0, 40.0)]
    posteriors = [nma.fit(network(), one, engine=COMMON) for one in model]
    slopes = [beta(posterior).iloc[-1] for posterior in posteriors]
    effects = [table(nma.at(posterior, age=2.0)) for posterior in posteriors]
    for slope, effect in zip(slopes[1:], effects[1:], strict=True):
        np.testing.assert_allclose(slope, slopes[0], rtol=1e-9)
        pd.testing.assert_frame_equal(effect, effects[0], rtol=1e-8)


def test_rescaling_a_covariate_rescales_its_slope_alone() -> None:
    """Default priors are per standard deviation: months for years change no effect."""
    years = fitted(by_age())
    months = fitted(by_age(), network(age=[12 * row[4] for row in ROWS]))
    assert beta(years)["mean"].iloc[-1] == pytest.approx(12 * beta(months)["mean"].iloc[-1])
    pd.testing.assert_frame_equal(
        table(nma.at(years, age=2.0)), table(nma.at(months, age=24.0)), rtol=1e-8
    )


def test_the_default_prior_is_ten_units_per_standard_deviation() -> None:
    structure = by_age().resolve(network())
    sd = np.std([row[4] for row in ROWS], ddof=1)
    assert structure.effect is not None
    assert structure.effect.sd == pytest.approx(10 / sd)
    assert structure.centre == pytest.approx(np.mean([row[4] for row in ROWS]))
    assert "10 units" in structure.effect.origin


def test_subgroups_are_a_covariate_of_names() -> None:
    """Two categories, all two-arm trials against the control: each subgroup by itself."""
    rows = [row for row in ROWS if row[0] == "A" or row[1] == "P"][:4]
    frame = pd.DataFrame(rows, columns=NAMES).assign(
        treatment="A", study=[f"trial {k}" for k in range(4)]
    )
    made = nma.Network.from_contrasts(
        frame,
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=OUTCOME,
        reference="P",
    )
    structure = Regression(WIDE, "risk", control="P", categories=["low", "high"])
    posterior = nma.fit(made, nma.Model(structure), engine=COMMON)
    assert posterior.problem.parameters.names[-1] == "A vs P, risk high"
    for name in ("low", "high"):
        chosen = [row for row in rows if row[5] == name]
        weight = np.array([1 / row[3] ** 2 for row in chosen])
        pooled = weight @ np.array([row[2] for row in chosen]) / weight.sum()
        found = table(nma.at(posterior, risk=name)).loc["A vs P"]
        assert found["mean"] == pytest.approx(pooled, abs=1e-12)
        assert found["sd"] == pytest.approx(weight.sum() ** -0.5, abs=1e-12)
    assert "At risk low." in nma.league_table(posterior).caption


def test_the_order_of_categories_moves_no_effect() -> None:
    made = network()
    kinds = [["high", "low", "unclear"], ["unclear", "high", "low"]]
    found = [
        nma.fit(
            made, nma.Model(Regression(WIDE, "risk", control="P", categories=order)), engine=COMMON
        )
        for order in kinds
    ]
    tables = [table(nma.at(posterior, risk="high")) for posterior in found]
    pd.testing.assert_frame_equal(tables[0], tables[1], rtol=1e-9)


def test_a_covariate_of_two_numbers_is_the_subgroup_of_two_names() -> None:
    made = network(old=[int(row[4] > 2.6) for row in ROWS])
    number = nma.fit(made, nma.Model(Regression(WIDE, "old", control="P")), engine=COMMON)
    names = nma.fit(
        made,
        nma.Model(Regression(WIDE, "old", control="P", categories=["0", "1"])),
        engine=COMMON,
    )
    for value in (0, 1):
        pd.testing.assert_frame_equal(
            table(nma.at(number, old=value)), table(nma.at(names, old=str(value))), rtol=1e-9
        )


def test_covariates_wrap_one_another_in_any_order() -> None:
    made = network(year=[2.0, 1.0, 4.0, 3.0, 6.0, 5.0, 8.0, 9.0])
    pair = [("age", "year"), ("year", "age")]
    found = [
        fitted(Regression(Regression(WIDE, a, control="P"), b, control="P"), made) for a, b in pair
    ]
    tables = [table(nma.at(posterior, age=3.0, year=2.0)) for posterior in found]
    pd.testing.assert_frame_equal(tables[0], tables[1], rtol=1e-8)
    assert dict(found[0].model.structure.covariates(made)) == pytest.approx(
        {"age": 25 / 8, "year": 38 / 8}
    )


def test_interactions_follow_any_structure() -> None:
    """By class: one slope for A and B, another for C; as components: one for each component."""
    classes = {"P": "P", "A": "AB", "B": "AB", "C": "C"}
    structure = Regression(
        WIDE, "age", interactions=Classes(WIDE, classes=classes, within="common")
    )
    names = fitted(structure).problem.parameters.names
    assert names[3:] == ("AB vs P, per age", "C vs P, per age")
    as_components = Components(separator=" + ", inactive="P")
    parts = fitted(Regression(as_components, "age", interactions=as_components))
    assert parts.problem.parameters.names[3:] == ("A, per age", "B, per age", "C, per age")
    spread = Classes(WIDE, classes=classes, tau_class=HalfNormal(0.5))
    both = fitted(Regression(spread, "age", interactions=spread))
    assert [scale.name for scale in both.problem.scales] == ["tau", "tau_class", "tau_class_age"]


def test_wrappers_pass_a_covariate_on() -> None:
    structure = nma.structures.RandomInconsistency(by_age(), tau_w=Fixed(0.1))
    posterior = fitted(structure)
    assert "age" in posterior.targets
    assert not nma.summary(nma.at(posterior, age=4.0)).empty
    split = nma.structures.NodeSplit(by_age(), "P", "A")
    assert "age" in fitted(split).model.structure.covariates(network())


def test_a_missing_covariate_is_refused_or_modelled() -> None:
    """Modelled: the trial with its own interaction under a scale; none if the scale is nothing."""
    ages = [row[4] for row in ROWS]
    made = network(age=[None, *ages[1:]])
    with pytest.raises(
        DataError, match="trial 'trial 0', column 'age': the covariate has no value"
    ):
        by_age().resolve(made)
    modelled = by_age(missing="model", tau_missing=Fixed(1e-6), centre=2.0)
    found = fitted(modelled, made)
    assert found.problem.parameters.names[-1] == "all but P vs P, in trial 0"
    at_the_centre = fitted(by_age(centre=2.0, scale=2.0), network(age=[2.0, *ages[1:]]))
    pd.testing.assert_frame_equal(
        table(nma.at(found, age=3.0))[:3], table(nma.at(at_the_centre, age=3.0))[:3], rtol=1e-3
    )
    wide = fitted(by_age(missing="model", tau_missing=Fixed(1e4), centre=2.0), made)
    without: Any = nma.checks.leave_one_study_out(at_the_centre).loc["trial 0"]
    mean = table(nma.at(wide, age=2.0)).loc["A vs P", "mean"]
    assert mean == pytest.approx(without.loc["A vs P", "estimate"], abs=1e-3)


def test_what_a_trial_left_out_takes_with_it_is_no_fault_of_the_covariate() -> None:
    posterior = fitted(Regression(WIDE, "risk", control="P"))
    found = nma.checks.leave_one_study_out(posterior)
    assert found["estimate"].xs("A vs P", level="quantity").notna().all()


@pytest.mark.parametrize(
    ("structure", "columns", "message"),
    [
        (by_age(), {"age": 5.0}, "age is the same in all trials"),
        (by_age(), {"age": [1.0, None, *range(6)]}, "trial 'trial 1', column 'age'"),
        (by_age(), {"age": [1.0, float("nan"), *range(6)]}, "trial 'trial 1', column 'age'"),
        (by_age(), {"age": [1.0, float("inf"), *range(6)]}, "the covariate is inf"),
        (by_age(), {"age": [str(k) for k in range(8)]}, "numbers and texts"),
        (by_age(), {"age": ["a", "A", *"bcdefg"]}, "labels-collide"),
        (Regression(WIDE, "agee", control="P"), {}, "Did you mean 'age'"),
        (
            Regression(WIDE, "risk", control="P", interactions="independent"),
            {"risk": list("abcdefgh")},
            "21 interactions with risk are more than the 8 trials",
        ),
        (by_age(), {"age": [1.0, 1.0, 1.0, 1.0, 2.0, 1.0, 2.0, 1.0]}, "no trial tells"),
    ],
)
def test_covariates_that_tell_nothing_are_refused(
    structure: Regression, columns: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        structure.resolve(network(**columns))


def test_every_trial_with_a_fault_is_named() -> None:
    nan = float("nan")
    arms = own_models.loop(age=[1.0, 2.0, 1.0, 1.0, nan, nan, 1.0, 1.0, 2.0, 2.0, 2.0])
    with pytest.raises(DataError) as caught:
        Regression(WIDE, "age", control="A").resolve(arms)
    assert "trial '1', column 'age': its arms have 1.0 and 2.0" in str(caught.value)
    assert "trial '3', column 'age': the covariate has no value" in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"control": None}, r"Name control=.*'A', 'B', 'C', 'P'"),
        ({"control": "Q"}, "'Q' is unknown"),
        ({"interactions": "same"}, "is none of 'shared', 'exchangeable', 'independent'"),
        ({"missing": "drop"}, "is none of 'refuse', 'model'"),
        ({"scale": 0.0}, "above zero"),
        ({"tau": HalfNormal(1)}, "of exchangeable interactions"),
        ({"effect": Normal(0, 1), "interactions": WIDE}, "a prior of its own"),
        ({"effect": HalfNormal(1)}, "mean zero"),
        ({"categories": ["1", "2"]}, "name each of these once"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        by_age(**arguments).resolve(network())


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"risk": "hihg"}, "Did you mean 'high'?"),
        ({"age": "old"}, "age is a number, and it was asked about at 'old'"),
    ],
)
def test_values_that_are_none_of_the_covariates_are_refused(
    question: dict[str, Any], message: str
) -> None:
    structure = Regression(by_age(), "risk", control="P")
    posterior = nma.fit(network(), nma.Model(structure, RANDOM))
    with pytest.raises(ModelError, match=message.replace("?", r"\?")):
        nma.at(posterior, **question)
