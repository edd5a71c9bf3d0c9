"""Figures of several outcomes: what their marks say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nma
import pictures
from nma.errors import ModelError

COMMON = nma.Model(heterogeneity=nma.heterogeneity.Common())


@pytest.fixture(scope="module")
def fits() -> dict[str, nma.Posterior]:
    names = [f"drug {chr(65 + k)}" for k in range(6)]
    better: Any = "higher"
    return {
        "pain": nma.fit(pictures.arms(pictures.chain(names))),
        "harms": nma.fit(pictures.contrasts(pictures.chain(names), better=better)),
    }


def test_right_and_up_are_better(fits: dict[str, nma.Posterior]) -> None:
    ax = nma.plots.benefit_harm(fits)
    assert fits["pain"].network.better == "lower"
    assert fits["harms"].network.better == "higher"
    assert ax.xaxis_inverted()
    assert not ax.yaxis_inverted()
    turned = nma.plots.benefit_harm({"harms": fits["harms"], "pain": fits["pain"]})
    assert turned.yaxis_inverted()
    assert not turned.xaxis_inverted()


def test_a_plane_has_the_effects_of_the_table(fits: dict[str, nma.Posterior]) -> None:
    marks = nma.plots.benefit_harm.marks(fits, comparator="drug B", level=0.9)
    for side, posterior in zip("xy", fits.values(), strict=True):
        table = nma.effect_table(posterior, comparators=["drug B"], level=0.9)
        own = table.loc[[(name, "drug B") for name in marks["treatment"]]]
        np.testing.assert_allclose(marks[side], own["estimate"])
        np.testing.assert_allclose(marks[f"{side}_lower"], own["lower"])
        np.testing.assert_allclose(marks[f"{side}_upper"], own["upper"])
    joint = nma.decisions.joint_benefit(fits, comparator="drug B")["all"]
    np.testing.assert_allclose(marks["p_both"], joint[marks["treatment"]], rtol=1e-12)


def test_a_scatter_ranks_the_treatments_that_both_have(fits: dict[str, nma.Posterior]) -> None:
    fewer = nma.at(fits["harms"], treatments=["drug A", "drug C", "drug D"])
    marks = nma.plots.sucra_scatter.marks({"pain": fits["pain"], "harms": fewer})
    assert sorted(marks["treatment"]) == ["drug A", "drug C", "drug D"]
    some = nma.sucra(nma.at(fits["pain"], treatments=list(marks["treatment"])))["sucra"]
    np.testing.assert_allclose(marks["x"], some[marks["treatment"]], rtol=1e-12)
    np.testing.assert_allclose(marks[["x", "y"]].mean(), 0.5)
    assert "Left out" in marks.attrs["data"]


def test_the_area_of_a_spie_is_that_of_its_sectors(fits: dict[str, nma.Posterior]) -> None:
    three = {**fits, "again": nma.fit(fits["pain"].network, COMMON)}
    weights = {"pain": 2.0, "harms": 1.0, "again": 1.0}
    marks = nma.plots.spie.marks(three, weights=weights)
    for _, rows in marks.groupby("treatment"):
        assert rows["share"].tolist() == [0.5, 0.25, 0.25]
        area = float((rows["share"] * rows["sucra"] ** 2).sum())
        np.testing.assert_allclose(rows["area"], area)
    assert marks["area"].is_monotonic_decreasing
    turned = nma.plots.spie.marks(dict(reversed(three.items())), weights=weights)
    first, second = (m.groupby("treatment")["area"].first() for m in (marks, turned))
    np.testing.assert_allclose(first, second, rtol=1e-12)


def test_bad_questions_are_refused_in_words(fits: dict[str, nma.Posterior]) -> None:
    three = {**fits, "again": fits["pain"]}
    plane: Any = nma.plots.benefit_harm
    with pytest.raises(ModelError, match=r"draws two outcomes.* nma\.plots\.spie takes any"):
        plane(three)
    with pytest.raises(ModelError, match="about two outcomes or more"):
        plane(fits["pain"])
    with pytest.raises(ModelError, match="level=95 is not a probability"):
        plane(fits, level=95)
    with pytest.raises(ModelError, match="'again' has no weight"):
        nma.plots.spie(three, weights={"pain": 1, "harms": 1})
    with pytest.raises(ModelError, match="is not among the treatments that all outcomes have"):
        plane(fits, comparator="drug Z")
