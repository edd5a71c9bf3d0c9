"""Every check runs on regression, class and component models too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import factorial
import nma
from coherent import TANGLED, A, B, C, D, frame, network
from nma.errors import ModelError
from nma.priors import HalfNormal, Normal
from own_models import Classes, Components, Regression

WIDE = nma.structures.Consistency(Normal(0, 20))
RANDOM = nma.heterogeneity.Random(HalfNormal(1))


def regression() -> nma.Posterior:
    arms = frame(TANGLED)
    years = arms["study"].str.removeprefix("trial ").astype(float) % 5
    model = nma.Model(Regression(WIDE, "years", A, 2.0), RANDOM)
    return nma.at(nma.fit(network(arms.assign(years=years)), model), years=2.0)


def classes() -> nma.Posterior:
    members = ((A, "control"), (B, "active"), (C, "active"), (D, "other"))
    model = nma.Model(Classes(members, 20.0, HalfNormal(0.5)), RANDOM)
    return nma.fit(network(frame(TANGLED)), model)


def shrunken() -> nma.Posterior:
    members = {A: "control", B: "active", C: "active", D: "active"}
    structure = nma.structures.Classes(WIDE, classes=members, tau_class=HalfNormal(0.5))
    return nma.fit(network(frame(TANGLED)), nma.Model(structure, RANDOM))


def components() -> nma.Posterior:
    outcome = nma.outcomes.Contrast("effect", "se", measure="MD", better="lower", scale=1.0)
    rows = [
        ("1", "E", "usual", -0.5, 0.2),
        ("2", "E", "usual", -0.7, 0.3),
        ("3", "C", "usual", -0.3, 0.2),
        ("4", "E + C", "usual", -1.0, 0.25),
        ("5", "E + C", "E", -0.2, 0.3),
        ("6", "C", "E", 0.3, 0.3),
    ]
    table = pd.DataFrame(rows, columns=["study", "treatment", "comparator", "effect", "se"])
    trials = nma.Network.from_contrasts(
        table, study="study", treatment="treatment", comparator="comparator", outcome=outcome
    )
    return nma.fit(trials, nma.Model(Components("usual", 20.0), RANDOM))


MODELS = {
    "regression": regression,
    "classes": classes,
    "components": components,
    "shrunken": shrunken,
    "combinations": factorial.additive,
}
ONLY = {
    "additivity": ("combinations", "has no components"),
    "interactions": ("combinations", "has no components"),
    "class_shrinkage": ("shrunken", "has no classes"),
}
"""Checks of one kind of model, and why the others are refused."""


@pytest.fixture(scope="module")
def posteriors() -> dict[str, nma.Posterior]:
    return {name: made() for name, made in MODELS.items()}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", nma.checks.__all__)
def test_every_check_runs_on_regression_class_and_component_models_too(
    name: str, model: str, posteriors: dict[str, nma.Posterior]
) -> None:
    check: Any = getattr(nma.checks, name)
    posterior = posteriors[model]
    only, why = ONLY.get(name, (model, ""))
    if model != only:
        with pytest.raises(ModelError, match=why):
            check(posterior)
        return
    table = check(posterior)
    numbers = pd.DataFrame(table).select_dtypes("number").to_numpy(dtype=float)
    assert np.isfinite(numbers).any()
    assert not table.attrs.get("poor")


def test_what_can_be_split_follows_from_the_model() -> None:
    """Without trials of E + C against usual care or E, additivity tells of them all the same."""
    posterior = components()
    under_components = nma.checks.node_splitting(posterior)["p"].notna()
    assert under_components.all()
    tree = nma.Network.from_contrasts(
        pd.DataFrame(
            {
                "study": ["1", "2", "3"],
                "treatment": ["E", "C", "E + C"],
                "comparator": "usual",
                "effect": [-0.5, -0.3, -1.0],
                "se": 0.2,
            }
        ),
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=posterior.network.sources[0].outcome,
    )
    star = nma.fit(tree, nma.Model(Components("usual", 20.0), RANDOM))
    assert nma.checks.node_splitting(star)["p"].notna().all()
    assert nma.checks.node_splitting(nma.fit(tree))["p"].isna().all()
