"""Ratios of means."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import nma
from bad_input.corpus import ARMS, cell, from_arms
from nma.errors import DataError, ModelError
from nma.outcomes import Continuous
from nma.priors import Normal
from nma.problem import Contrasts

ROM = Continuous("mean", sd="sd", n="n", measure="ROM", better="lower", scores="final")
SCORES = ARMS.assign(mean=[5.0, 4.0, 6.0, 4.5, 3.5, 3.0])


def test_ratios_by_hand() -> None:
    (source,) = from_arms(SCORES, outcome=ROM).sources
    (part,) = source.outcome.evidence(source.rows, source.arms, Normal(0, 10))
    assert isinstance(part, Contrasts)
    rows = source.rows.reset_index(drop=True)
    for arms, y, V in zip(part.arms, part.y, part.V, strict=True):
        b, k = rows.iloc[arms[0]], rows.iloc[arms[1]]
        assert y[0] == pytest.approx(np.log(k["mean"] / b["mean"]))
        variances = [r["sd"] ** 2 / (r["n"] * r["mean"] ** 2) for r in (b, k)]
        assert V[0, 0] == pytest.approx(sum(variances))


def test_ratios_have_no_unit() -> None:
    """Points of another scale change nothing."""
    tenfold = SCORES.assign(mean=SCORES["mean"] * 10, sd=SCORES["sd"] * 10)
    there, here = (nma.fit(from_arms(table, outcome=ROM)) for table in (tenfold, SCORES))
    for name in ("mean", "sd"):
        np.testing.assert_allclose(
            nma.summary(there)[name], nma.summary(here)[name], rtol=1e-9, atol=1e-12
        )
    assert there.network.ratio
    assert there.network.unit == (1.0, "unit = 1")


@pytest.mark.parametrize("mean", [0.0, -1.2])
def test_means_at_or_below_zero_are_refused(mean: float) -> None:
    with pytest.raises(DataError) as caught:
        from_arms(cell(SCORES, 3, "mean", mean), outcome=ROM)
    (issue,) = caught.value.issues
    assert (issue.code, issue.study, issue.rows, issue.column) == (
        "not-positive", "Ames", (3,), "mean",
    )  # fmt: skip
    assert "not changes from baseline" in issue.remedy


def test_changes_are_refused_and_what_is_unsaid_is_told() -> None:
    with pytest.raises(ModelError, match="refused for changes from baseline"):
        replace(ROM, scores="change")
    with pytest.raises(ModelError, match="say scores='final' or scores='change'"):
        replace(ROM, scores="Final")  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="leave `instrument` out"):
        replace(ROM, instrument="scale")
    unsaid = from_arms(SCORES, outcome=replace(ROM, scores=None)).notices
    assert any("means were read as final scores" in text for text in unsaid)
    assert not any("final scores" in text for text in from_arms(SCORES, outcome=ROM).notices)
