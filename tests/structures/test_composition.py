"""Structures around structures: every engine, check and table works on them unchanged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
import oracle
from coherent import TANGLED, A, B, C, D, frame
from coherent import network as coherent
from nma.errors import ModelError
from nma.priors import Fixed, HalfNormal, Normal
from nma.structures import (
    Classes,
    Components,
    Consistency,
    DesignByTreatment,
    NodeSplit,
    RandomInconsistency,
    Regression,
    UnrelatedMeans,
)

WIDE = Consistency(Normal(0, 20))
PARTS = Components(
    table={A: ["usual"], B: ["x"], C: ["y"], D: ["x", "y"]}, inactive="usual", effect=Normal(0, 20)
)
CLASSES: dict[str, Any] = {"classes": {A: "control", B: "active", C: "active", D: "active"}}
CLASSED = Classes(WIDE, tau_class=Fixed(0.3), **CLASSES)
YEARS: dict[str, Any] = {"covariate": "years", "control": A}


def by_year(base: nma.protocols.Structure, **arguments: Any) -> Regression:
    return Regression(base, **{**YEARS, **arguments})


COMPOSED: dict[str, nma.protocols.Structure] = {
    "regression of components": by_year(PARTS),
    "regression with slopes of components": Regression(PARTS, "years", interactions=PARTS),
    "regression of classes": by_year(CLASSED, interactions="independent"),
    "regression with slopes of classes": by_year(WIDE, control=None, interactions=CLASSED),
    "regression of regression": Regression(by_year(WIDE), "place", control=A),
    "exchangeable slopes": by_year(WIDE, interactions="exchangeable", tau=Fixed(0.1)),
    "classes of regression": Classes(
        by_year(WIDE, control="control"), tau_class=Fixed(0.2), **CLASSES
    ),
    "classes of components": Classes(
        Components(separator=" + ", inactive="control", effect=Normal(0, 20)),
        tau_class=Fixed(0.2),
        **CLASSES,
    ),
    "shrunken interactions": Components(
        table=PARTS.table,
        inactive="usual",
        effect=Normal(0, 20),
        interactions="all",
        tau_interaction=Fixed(0.2),
    ),
    "random inconsistency of regression": RandomInconsistency(by_year(WIDE), tau_w=Fixed(0.1)),
    "random inconsistency of classes": RandomInconsistency(CLASSED, tau_w=Fixed(0.1)),
    "random inconsistency of components": RandomInconsistency(PARTS, tau_w=Fixed(0.1)),
    "node-split of regression": NodeSplit(by_year(WIDE), A, B),
    "node-split of classes": NodeSplit(CLASSED, A, B),
    "node-split of components": NodeSplit(PARTS, A, D),
    "designs of regression": DesignByTreatment(by_year(WIDE)),
    "unrelated means beside regression": UnrelatedMeans(base=by_year(WIDE)),
}
SPLIT = [name for name in COMPOSED if name.split(" ")[0] in {"node-split", "designs", "unrelated"}]


def evidence() -> nma.Network:
    arms = frame(TANGLED)
    number = arms["study"].str.removeprefix("trial ").astype(int)
    places = (number % 3).map({0: "ward", 1: "home", 2: "home"})
    return coherent(arms.assign(years=(7.0 * number) % 5, place=places))


def fitted(name: str, tau: nma.priors.Prior | None = None) -> nma.Posterior:
    model = nma.Model(COMPOSED[name], nma.heterogeneity.Random(tau or HalfNormal(1)))
    return nma.fit(evidence(), model)


@pytest.mark.parametrize("name", COMPOSED)
def test_a_composition_is_the_dense_computation(name: str) -> None:
    posterior = fitted(name)
    exact = oracle.answer(posterior.problem, upto=12.0)
    moments = posterior.draws.moments
    assert moments is not None
    assert moments.log_evidence == pytest.approx(exact.log_evidence, abs=1e-5)
    sd = np.sqrt(np.diagonal(exact.covariance))
    found = moments.of(np.eye(len(sd)))
    np.testing.assert_allclose((found.mean - exact.mean) / sd, 0, atol=1e-5)
    np.testing.assert_allclose(found.sd / sd, 1, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in COMPOSED if name not in SPLIT])
def test_a_composition_answers_every_table(name: str) -> None:
    posterior = fitted(name)
    for verb in (nma.summary, nma.league_table, nma.sucra, nma.rank_probabilities, nma.p_best):
        table: Any = verb(posterior)
        assert not table.isna().all(axis=None)
    assert nma.predictive_effects(posterior).sizes["treatment"] == 4


@pytest.mark.parametrize("name", SPLIT)
def test_a_composition_without_levels_says_so_and_prints_its_parameters(name: str) -> None:
    posterior = fitted(name)
    assert set(posterior.problem.parameters.names) <= set(nma.summary(posterior).index)
    with pytest.raises(ModelError, match="no treatment has one level"):
        nma.league_table(posterior)


CHECKED = [
    "regression of components",
    "classes of regression",
    "exchangeable slopes",
    "shrunken interactions",
    "random inconsistency of classes",
]


@pytest.mark.parametrize("name", CHECKED)
@pytest.mark.parametrize("check", ["node_splitting", "leave_one_study_out", "unrelated_means"])
def test_checks_run_on_compositions(check: str, name: str) -> None:
    verb: Callable[..., Any] = getattr(nma.checks, check)
    table = verb(fitted(name, Fixed(0.2)))
    assert np.isfinite(table.select_dtypes("number").to_numpy(dtype=float)).any()
    assert not table.attrs.get("poor")


def test_the_order_of_wrappers_that_do_not_touch_moves_no_effect() -> None:
    """Random inconsistency around regression, or regression around random inconsistency."""
    pair: list[nma.protocols.Structure] = [
        RandomInconsistency(by_year(WIDE), tau_w=Fixed(0.1)),
        by_year(RandomInconsistency(WIDE, tau_w=Fixed(0.1))),
    ]
    tables = [
        pd.DataFrame(nma.summary(nma.at(nma.fit(evidence(), nma.Model(structure)), years=3.0)))
        for structure in pair
    ]
    pd.testing.assert_frame_equal(tables[0], tables[1], rtol=1e-7)
