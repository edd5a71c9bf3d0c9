"""The methods paragraph is true of the fit."""

from __future__ import annotations

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


def test_heterogeneity_is_what_the_engine_used() -> None:
    common, fixed = nma.heterogeneity.Common(), nma.heterogeneity.Random(nma.priors.Fixed(0.3))
    assert "common effect" in said(heterogeneity=common)
    assert "Taken as known: tau = 0.3." in said(heterogeneity=fixed)
    assert "integrated over tau" not in said(heterogeneity=fixed)
    least = nma.engines.LeastSquares
    assert "common effect" in said(engine=least("common"))
    assert "tau estimated by REML and taken as known" in said(engine=least())
    assert "tau taken as 0.3" in said(engine=least(0.3))


def test_evidence_says_how_it_was_read() -> None:
    counts = nma.datasets.network("smoking")
    told = methods(nma.fit(counts, engine=nma.engines.Laplace(draws=32)))
    assert "odds ratio (OR), analysed as its logarithm" in told
    assert "binomial likelihood with logit link" in told
    assert "Events in the arms entered as normal contrasts" in methods(nma.fit(counts.as_normal()))
