"""Faults that a reader found, each kept from coming back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
import strategies
from nma.errors import EngineError, ModelError
from nma.priors import LogNormal, Normal

MODEL = nma.Model(nma.structures.Consistency(Normal(0, 10)), nma.heterogeneity.Common())


@pytest.mark.parametrize("ratio", [1e0, 1e6, 1e8, 1e10])
@pytest.mark.parametrize("name", ["A", "Z"])
def test_an_arm_that_tells_nothing_does_not_drown_the_others(name: str, ratio: float) -> None:
    """Whatever its label: the trial's contrasts are taken from its most precise arm."""
    frame = pd.DataFrame(
        {
            "study": ["x"] * 3 + ["y"] * 2,
            "treatment": [name, "B", "C", "B", "C"],
            "mean": [0.5, 0.2, 0.1, 0.3, 0.35],
            "se": [ratio * 1e-3, 1e-3, 1e-3, 1e-3, 1e-3],
        }
    )
    outcome = nma.outcomes.Continuous("mean", se="se", measure="MD", better="lower")
    network = strategies.arms_network(frame, outcome=outcome)
    table = nma.effect_table(nma.fit(network, MODEL), comparators=["B"])
    assert table["mean"]["C", "B"] == pytest.approx(-0.025, abs=1e-8)
    assert table["sd"]["C", "B"] == pytest.approx(1e-3, rel=1e-6)


def test_rounding_that_shows_is_said() -> None:
    """A treatment hung on the rest by one trial a million times less precise."""
    frame = pd.DataFrame(
        {
            "study": ["1", "1", "2", "2", "3", "3"],
            "treatment": ["A", "B", "B", "C", "B", "D"],
            "mean": 0.0,
            "se": [1e4, 1e4, 1e-3, 1e-3, 1e-3, 1e-3],
        }
    )
    outcome = nma.outcomes.Continuous("mean", se="se", measure="MD", better="lower")
    wide = nma.Model(nma.structures.Consistency(Normal(0, 1e4)), nma.heterogeneity.Common())
    posterior = nma.fit(strategies.arms_network(frame, outcome=outcome), wide)
    assert posterior.draws.diagnostics["rounding_error"] > 1e-6
    assert any("rounding may move" in notice for notice in posterior.notices)
    plain = nma.fit(nma.datasets.network("senn2013"))
    assert plain.draws.diagnostics["rounding_error"] < 1e-12


def test_an_integral_that_fails_is_no_answer() -> None:
    spike = nma.Model(heterogeneity=nma.heterogeneity.Random(LogNormal(0, 1e-6)))
    with pytest.raises(EngineError, match="The quadrature stopped at"):
        nma.fit(nma.datasets.network("parkinson"), spike)


def contrasts(measure: str = "MD", scale: float | None = None, study: str = "z") -> nma.Network:
    outcome = nma.outcomes.Contrast("y", "se", measure=measure, better="lower", scale=scale)
    frame = pd.DataFrame(
        {"s": [study], "t": ["placebo"], "c": ["ropinirole"], "y": [0.4], "se": [0.3]}
    )
    return nma.Network.from_contrasts(
        frame, study="s", treatment="t", comparator="c", outcome=outcome
    )


def test_a_stated_scale_wins_over_the_trials() -> None:
    arms = nma.datasets.network("parkinson")
    assert nma.Network.combine(arms, contrasts(scale=50.0)).unit == (50.0, "unit = 50 as stated")
    both = nma.Network.combine(contrasts(scale=50.0), contrasts(scale=40.0, study="y"))
    with pytest.raises(ModelError, match="state different scales"):
        both.unit  # noqa: B018


@pytest.mark.parametrize(
    ("written", "name"),
    [("odds ratio", "OR"), ("Hazard Ratio", "HR"), ("relative risk", "RR"), ("rate ratio", "IRR")],
)
def test_a_ratio_written_out_is_not_taken_for_a_difference(written: str, name: str) -> None:
    with pytest.raises(ModelError, match=f"write '{name}', and give logarithms"):
        contrasts(written)


def test_one_name_is_not_a_list_of_letters() -> None:
    posterior = nma.fit(nma.datasets.network("parkinson"))
    with pytest.raises(ModelError, match=r"write treatments=\['placebo'\]"):
        nma.at(posterior, treatments="placebo")
    for verb in (nma.effect_table, nma.relative_effects):
        with pytest.raises(ModelError, match=r"write comparators=\['placebo'\]"):
            verb(posterior, comparators="placebo")
    with pytest.raises(ModelError, match="'treatment' is no covariate of this model"):
        nma.at(posterior, treatment="placebo")


def test_one_treatment_cannot_be_ranked() -> None:
    posterior = nma.at(nma.fit(nma.datasets.network("parkinson")), treatments=["placebo"])
    with pytest.raises(ModelError, match="'placebo' alone cannot be ranked"):
        nma.sucra(posterior)


def test_levels_are_printed_as_they_were_asked_for() -> None:
    posterior = nma.fit(nma.datasets.network("parkinson"))
    assert "99.9% credible" in nma.league_table(posterior, level=0.999).caption
    assert "97.5% credible" in nma.summary(posterior, level=0.975).caption


def test_opposite_cells_of_a_league_table_are_opposite_to_the_last_bit() -> None:
    table = nma.effect_table(nma.fit(nma.datasets.network("senn2013")))
    mirrored = table.swaplevel().loc[table.index]
    np.testing.assert_array_equal(table["mean"], -mirrored["mean"])
    np.testing.assert_array_equal(table["lower"], -mirrored["upper"])
    np.testing.assert_array_equal(table["p_better"] + mirrored["p_better"], 1.0)


@pytest.mark.parametrize(
    "ask",
    [
        lambda p: nma.in_points(p, nma.instruments.NRS, reference_sd="abc"),  # type: ignore[arg-type]
        lambda p: nma.in_points(p, nma.instruments.NRS, reference_sd=True),
        lambda p: nma.instruments.Instrument("x", "0", "10", "lower"),  # type: ignore[arg-type]
        lambda p: nma.instruments.Instrument(None, 0, 10, "lower"),  # type: ignore[arg-type]
        lambda p: nma.instruments.ImportantDifference("5", "within-person", "a source"),  # type: ignore[arg-type]
        lambda p: nma.instruments.named(["VAS"]),  # type: ignore[arg-type]
        lambda p: nma.effect_table(p, level="0.95"),  # type: ignore[arg-type]
        lambda p: nma.effect_table(p, level=None),  # type: ignore[arg-type]
        lambda p: nma.fit(nma.datasets.load("back_pain")),  # type: ignore[arg-type]
        lambda p: nma.at(p, comparator="passive control"),
    ],
)
def test_wrong_types_are_refused_in_our_words(ask: Callable[[Any], object]) -> None:
    posterior = nma.fit(nma.datasets.network("back_pain_simulated"))
    with pytest.raises(ModelError):
        ask(posterior)


def test_asking_about_nothing_gives_an_empty_table() -> None:
    posterior = nma.fit(nma.datasets.network("back_pain_simulated"))
    alone = nma.at(posterior, treatments=["passive control"])
    assert nma.in_points(alone, nma.instruments.NRS).empty
    assert nma.in_points(posterior, nma.instruments.NRS, comparators=[]).empty
    assert nma.effect_table(posterior, comparators=[]).empty
