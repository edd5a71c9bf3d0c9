"""The methods paragraph is true of the fit."""

from __future__ import annotations

import numpy as np
import pytest

import nma
from nma.reports._methods import methods

BASE = nma.structures.Consistency()
CONSISTENT = "Direct and indirect evidence were taken to agree"


def said(structure: nma.protocols.Structure | None = None, **choices: object) -> str:
    engine = choices.pop("engine", None)
    model = nma.Model(structure or BASE, **choices)  # type: ignore[arg-type]
    return methods(nma.fit(nma.datasets.network("back_pain"), model, engine=engine))  # type: ignore[arg-type]


def test_structures_say_what_they_take_for_granted() -> None:
    assert CONSISTENT in said()
    split = said(nma.structures.NodeSplit(BASE, "multimodal care", "standard exercise"))
    assert "The exception is the comparison of standard exercise with multimodal care" in split
    for structure in (nma.structures.DesignByTreatment(BASE), nma.structures.UnrelatedMeans()):
        assert CONSISTENT not in said(structure)


def test_inconsistency_around_another_structure_is_no_consistency() -> None:
    trials = nma.datasets.network("back_pain_simulated")
    risk = nma.structures.Regression(
        BASE,
        "risk_of_bias",
        control="passive control",
        categories=["low", "some concerns", "high"],
    )
    change = "Effects could change with risk_of_bias, with one coefficient for all treatments but "
    for structure in (
        nma.structures.DesignByTreatment(risk),
        nma.structures.RandomInconsistency(risk),
        nma.structures.UnrelatedMeans(base=risk),
    ):
        told = methods(nma.fit(trials, nma.Model(structure)))
        assert CONSISTENT not in told
        assert f"{change}passive control, for each category but low (" in told
    assert CONSISTENT in methods(nma.fit(trials, nma.Model(risk)))


def test_heterogeneity_is_what_the_engine_used() -> None:
    common, fixed = nma.heterogeneity.Common(), nma.heterogeneity.Random(nma.priors.Fixed(0.3))
    assert "common effect" in said(heterogeneity=common)
    assert "Taken as known: tau = 0.3." in said(heterogeneity=fixed)
    assert "integrated over tau" not in said(heterogeneity=fixed)
    least = nma.engines.LeastSquares
    assert "common effect" in said(engine=least("common"))
    assert "tau estimated by REML and taken as known" in said(engine=least())
    assert "tau taken as 0.3" in said(engine=least(0.3))
    assert "tau taken as 0.3" in said(engine=least(np.float32(0.3)))  # type: ignore[arg-type]  # taken all the same


def test_a_scale_that_is_no_heterogeneity_makes_no_random_effects() -> None:
    counts, engine = nma.datasets.network("smoking"), nma.engines.Laplace(draws=32)
    kinds = dict.fromkeys(counts.treatments, "help") | {"no intervention": "none"}
    classes = nma.structures.Classes(classes=kinds)
    common = nma.Model(classes, nma.heterogeneity.Common())
    told = methods(nma.fit(counts, common, engine=engine))
    assert "Trial levels were integrated out" in told
    told = methods(nma.fit(counts, nma.Model(classes), engine=engine))
    assert "Trial levels and random effects were integrated out" in told


def test_evidence_says_how_it_was_read() -> None:
    counts = nma.datasets.network("smoking")
    told = methods(nma.fit(counts, engine=nma.engines.Laplace(draws=32)))
    assert "odds ratio (OR), analysed as its logarithm" in told
    assert "binomial likelihood with logit link" in told
    assert "Events in the arms entered as normal contrasts" in methods(nma.fit(counts.as_normal()))


@pytest.mark.parametrize("measure", ["RR", "RD"])
def test_measures_without_a_likelihood_are_normal_contrasts(measure: str) -> None:
    outcome = nma.outcomes.Binary("events", "n", measure=measure, better="lower")
    network = nma.Network.from_arms(
        nma.datasets.load("bcg"), study="study", treatment="treatment", outcome=outcome
    )
    posterior = nma.fit(network)
    assert all(isinstance(part, nma.problem.Contrasts) for part in posterior.problem.evidence)
    told = methods(posterior)
    assert "Events in the arms entered as normal contrasts" in told
    assert "binomial" not in told
