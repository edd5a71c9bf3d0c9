"""How far treatments are drawn to their class: in closed form, and at both ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
from nma.errors import ModelError
from nma.heterogeneity import Common, Random
from nma.priors import Fixed, HalfNormal, Normal, Prior
from nma.protocols import Structure
from nma.structures import Classes, Components, Consistency, NodeSplit, Regression

FLAT = Consistency(Normal(0, 1e5))
STAR = pd.DataFrame(
    {
        "study": list("123456"),
        "treatment": ["B1", "B2", "B3", "B3", "C1", "C2"],
        "comparator": "A",
        "effect": [0.9, -0.4, -0.6, -0.3, 2.0, 1.2],
        "se": [0.3, 0.5, 0.4, 0.7, 0.25, 0.35],
        "year": [1, 2, 3, 4, 5, 6],
    }
)
MEMBERS = {"A": "A", "B1": "B", "B2": "B", "B3": "B", "C1": "C", "C2": "C"}
TAU = 0.35


def network(frame: pd.DataFrame = STAR) -> nma.Network:
    return nma.Network.from_contrasts(
        frame,
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=nma.outcomes.Contrast("effect", "se", measure="MD", better="lower", scale=1.0),
        reference="A",
    )


def classes(tau: Prior | None = None, base: Structure = FLAT, **more: Any) -> Classes:
    prior = Fixed(TAU) if tau is None and more.get("within") != "common" else tau
    return Classes(base, classes=MEMBERS, tau_class=prior, **more)


def fit(structure: Structure, frame: pd.DataFrame = STAR) -> nma.Posterior:
    return nma.fit(network(frame), nma.Model(structure, Common()))


def shrinkage(structure: Structure, frame: pd.DataFrame = STAR) -> pd.DataFrame:
    return pd.DataFrame(nma.checks.class_shrinkage(fit(structure, frame))).droplevel("class")


def alone() -> tuple[pd.Series[float], pd.Series[float]]:
    """Return inverse-variance means of each treatment and their variances."""
    weighed = STAR.assign(w=STAR["se"] ** -2)
    weighed["wy"] = weighed["w"] * weighed["effect"]
    each = weighed.groupby("treatment")[["w", "wy"]].sum()
    return each["wy"] / each["w"], 1 / each["w"]


def test_in_a_star_the_share_is_that_of_the_normal_means() -> None:
    """v / (v + tau^2), whatever the other treatments of the class say."""
    table, (mean, variance) = shrinkage(classes()), alone()
    np.testing.assert_allclose(table["own"], mean[table.index], rtol=1e-7)
    np.testing.assert_allclose(table["own_sd"], np.sqrt(variance[table.index]), rtol=1e-7)
    share = variance / (variance + TAU**2)
    np.testing.assert_allclose(table["moved"], share[table.index], rtol=1e-6)


def test_class_means_are_those_of_random_effects() -> None:
    table, (mean, variance) = shrinkage(classes()), alone()
    for name, members in {"B": ["B1", "B2", "B3"], "C": ["C1", "C2"]}.items():
        weight = 1 / (variance[members] + TAU**2)
        expected = (weight * mean[members]).sum() / weight.sum()
        np.testing.assert_allclose(table.loc[members, "class_mean"], expected, rtol=1e-7)
        sd = weight.sum() ** -0.5
        np.testing.assert_allclose(table.loc[members, "class_mean_sd"], sd, rtol=1e-7, err_msg=name)


def test_treatments_stay_where_classes_are_wide_and_are_the_class_where_common() -> None:
    assert shrinkage(classes(Fixed(1e4)))["moved"].abs().max() < 1e-6
    same = nma.checks.class_shrinkage(fit(classes(within="common")))
    np.testing.assert_allclose(same["moved"], 1, rtol=1e-9)
    assert "Treatments of a class are the same by the model, so they are its mean." in same.notes
    np.testing.assert_allclose(shrinkage(classes(Fixed(1e-6)))["moved"], 1, rtol=1e-6)


def test_shrunken_effects_are_those_of_the_model() -> None:
    posterior = fit(classes(HalfNormal(0.5)))
    table = nma.checks.class_shrinkage(posterior, level=0.8)
    effects = nma.effects.effect_table(posterior, comparators=["A"], level=0.8)
    versus = pd.DataFrame(effects).droplevel("comparator")
    ours = pd.DataFrame(table).droplevel("class")
    for column, name in {"mean": "", "lower": "_lower", "upper": "_upper"}.items():
        expected = versus[column][ours.index].to_numpy(dtype=float)
        np.testing.assert_allclose(ours[f"shrunken{name}"], expected, rtol=1e-10)
    asked = nma.at(posterior, treatments=["A", "B", "C"])
    means = nma.effects.effect_table(asked, comparators=["A"], level=0.8)
    mean = means.loc[("C", "A"), "mean"]
    assert table.loc[("C", "C1"), "class_mean"] == pytest.approx(mean, rel=1e-10)
    assert table.attrs["comparator"] == "A"
    assert any(note.startswith("tau_class is ") for note in table.notes)


def test_another_comparator_moves_effects_and_no_share_of_its_own_kind() -> None:
    """Against a treatment of another class; itself is left out."""
    posterior = fit(classes())
    table = nma.checks.class_shrinkage(posterior, comparator="C1")
    assert ("C", "C1") not in table.index
    one = shrinkage(classes())["own"]
    other = pd.DataFrame(table).droplevel("class")["own"]
    np.testing.assert_allclose(one[other.index] - other, one["C1"], rtol=1e-7)


@pytest.mark.parametrize("kind", ["regression", "split", "classes of classes"])
def test_wrappers_are_walked_through(kind: str) -> None:
    tangled = pd.concat(
        [
            STAR.assign(year=[1, 2, 3, 4, 5, 6]),
            STAR.assign(study=list("abcdef"), effect=STAR["effect"] + 0.1, year=[6, 5, 4, 3, 2, 1]),
            pd.DataFrame(
                {
                    "study": ["x"],
                    "treatment": "B1",
                    "comparator": "B2",
                    "effect": 0.4,
                    "se": 0.3,
                    "year": 3,
                }
            ),
        ],
        ignore_index=True,
    )
    inner = classes()
    made: dict[str, Structure] = {
        "regression": Regression(inner, "year", control="A"),
        "split": NodeSplit(inner, "B1", "B2"),
        "classes of classes": classes(
            base=Classes(FLAT, classes={"A": "A", "B": "BC", "C": "BC"}, name="tau_outer")
        ),
    }
    table = shrinkage(made[kind], tangled)
    assert table.index.tolist() == ["B1", "B2", "B3", "C1", "C2"]
    if kind == "regression":
        own = fit(Regression(FLAT, "year", control="A"), tangled)
        effects = nma.effects.effect_table(own, comparators=["A"])
        assert table.loc["B3", "own"] == pytest.approx(effects.loc[("B3", "A"), "mean"], rel=1e-6)
    assert table["moved"].notna().all()
    assert (table["shrunken_sd"] < table["own_sd"]).all()


def test_a_base_that_is_meant_for_classes_gives_way_to_consistency() -> None:
    named = {"A": "usual", "B1": "usual + x", "B2": "usual + x", "B3": "usual + x"}
    base = Components(separator=" + ", inactive="usual")
    frame = STAR[STAR["treatment"].str.startswith("B")]
    structure = Classes(base, classes=named, tau_class=Fixed(TAU))
    table = nma.checks.class_shrinkage(fit(structure, frame))
    mean, _ = alone()
    own = pd.DataFrame(table).droplevel("class")["own"]
    np.testing.assert_allclose(own, mean[own.index], rtol=1e-2)


def test_a_treatment_as_good_as_its_class_has_no_share() -> None:
    even = STAR.assign(effect=[0.5, 0.5, 0.5, 0.5, 2.0, 1.2])
    table = nma.checks.class_shrinkage(fit(classes(), even))
    assert pd.DataFrame(table).xs("B")["moved"].isna().all()
    assert pd.DataFrame(table).xs("C")["moved"].notna().all()
    all_even = nma.checks.class_shrinkage(fit(classes(), even.assign(effect=[0.5] * 4 + [1.0] * 2)))
    assert all_even.notes[0].startswith("On their own the treatments are as good as their classes")


def test_heterogeneity_is_learnt_again() -> None:
    posterior = nma.fit(network(), nma.Model(classes(HalfNormal(0.5)), Random(HalfNormal(0.5))))
    table = nma.checks.class_shrinkage(posterior)
    plain = nma.fit(network(), replace(posterior.model, structure=FLAT))
    effects = nma.effects.effect_table(plain, comparators=["A"])
    assert table.loc[("B", "B1"), "own"] == pytest.approx(
        effects.loc[("B1", "A"), "mean"], rel=1e-6
    )


def test_models_without_classes_are_refused() -> None:
    with pytest.raises(ModelError, match="The model has no classes: its structure is Consistency"):
        nma.checks.class_shrinkage(fit(FLAT))
    single = Classes(FLAT, classes={name: name for name in MEMBERS})
    with pytest.raises(ModelError, match="Every class has one treatment"):
        nma.checks.class_shrinkage(fit(single))
    with pytest.raises(ModelError, match="B9"):
        nma.checks.class_shrinkage(fit(classes()), comparator="B9")
    with pytest.raises(ModelError, match="level=95"):
        nma.checks.class_shrinkage(fit(classes()), level=95)
