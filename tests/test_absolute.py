"""Absolute effects: a level plus the relative effects, exact and drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
from nma.errors import ModelError
from nma.estimates import replicate_error
from nma.priors import Fixed, Normal

VERBS = (nma.absolute_effects, nma.absolute_table)


def fitted(measure: str = "MD", better: str = "lower") -> nma.Posterior:
    frame = pd.DataFrame(
        {"s": list("1234"), "t": [*"BCCB"], "c": [*"AABA"], "y": [0.2, 0.5, 0.2, 0.4], "se": 0.15}
    )
    outcome = nma.outcomes.Contrast("y", "se", measure=measure, better=better, scale=1)  # type: ignore[arg-type]
    network = nma.Network.from_contrasts(
        frame, study="s", treatment="t", comparator="c", outcome=outcome, reference="A"
    )
    return nma.fit(network, engine=nma.engines.Gaussian(draws=4096))


def against_a(posterior: nma.Posterior) -> pd.DataFrame:
    return pd.DataFrame(nma.effect_table(posterior, comparators=["A"])).droplevel("comparator")


@pytest.fixture(scope="module")
def posterior() -> nma.Posterior:
    return fitted()


def test_absolute_effects_are_the_level_plus_the_relative_effects(posterior: nma.Posterior) -> None:
    found = nma.absolute_effects(posterior, reference_level=50)
    relative = nma.relative_effects(posterior).sel(comparator="A", drop=True)
    assert found.dims == ("chain", "draw", "treatment")
    np.testing.assert_allclose(found, 50 + relative, atol=1e-12)
    assert (found.sel(treatment="A") == 50).all()
    table = nma.absolute_table(posterior, reference_level=50)
    effects = against_a(posterior)
    for name in ("mean", "lower", "upper"):
        np.testing.assert_allclose(table[name][["B", "C"]], 50 + effects[name], atol=1e-10)
    np.testing.assert_allclose(table["sd"][["B", "C"]], effects["sd"], rtol=1e-12)
    assert table.loc[["A"]].to_numpy()[0].tolist() == [50, 0, 50, 50, 0]
    assert (table["mcse"] == 0).all()


def test_an_uncertain_level_adds_its_variance(posterior: nma.Posterior) -> None:
    table = nma.absolute_table(posterior, reference_level=Normal(50, 3), level=0.9)
    effects = against_a(posterior)
    np.testing.assert_allclose(table["sd"][["B", "C"]] ** 2, effects["sd"] ** 2 + 9, rtol=1e-12)
    width = 1.6448536269514722 * 3
    np.testing.assert_allclose(table.loc[["A"]].to_numpy()[0, :4], [50, 3, 50 - width, 50 + width])
    moments = posterior.draws.moments
    assert moments is not None
    d = moments.of(posterior.levels - posterior.levels[0])
    wide = replace(d, sds=np.sqrt(d.sds**2 + 9))
    np.testing.assert_allclose(table["lower"], 50 + wide.quantile(0.05), atol=1e-9)


def test_smd_is_read_in_points_of_the_reference_sd() -> None:
    posterior = fitted("SMD")
    level, sd = Normal(50, 3), 22.0
    table = nma.absolute_table(posterior, reference_level=level, reference_sd=sd)
    effects = against_a(posterior)
    np.testing.assert_allclose(table["mean"][["B", "C"]], 50 + sd * effects["mean"], rtol=1e-12)
    variance = (sd * effects["sd"]) ** 2 + 9
    np.testing.assert_allclose(table["sd"][["B", "C"]] ** 2, variance, rtol=1e-12)
    known = nma.absolute_effects(posterior, reference_level=50, reference_sd=sd)
    relative = nma.relative_effects(posterior).sel(comparator="A", drop=True)
    np.testing.assert_allclose(known, 50 + sd * relative, rtol=1e-12)
    assert "1 SMD = 22 points" in table.caption
    assert known.attrs == {
        "reference": "A",
        "reference_level": 50.0,
        "reference_level_sd": 0.0,
        "points": 22.0,
        "better": "lower",
        "seed": 0,
    }


def test_draws_agree_with_the_moments(posterior: nma.Posterior) -> None:
    level = Normal(50, 0.3)
    exact = nma.absolute_table(posterior, reference_level=level)
    draws = nma.absolute_effects(posterior, reference_level=level).to_numpy()
    error = replicate_error(draws)
    assert (np.abs(draws.mean(axis=(0, 1)) - exact["mean"]) <= 5 * error).all()
    squares = (draws - exact["mean"].to_numpy()) ** 2
    variance = exact["sd"].to_numpy() ** 2
    assert (np.abs(squares.mean(axis=(0, 1)) - variance) <= 5 * replicate_error(squares)).all()
    drawn = replace(posterior, draws=replace(posterior.draws, moments=None))
    sampled = nma.absolute_table(drawn, reference_level=level)
    np.testing.assert_allclose(sampled["mean"], draws.mean(axis=(0, 1)))
    np.testing.assert_allclose(sampled["mcse"], error)
    for name in ("lower", "upper"):
        np.testing.assert_allclose((sampled[name] - exact[name]) / exact["sd"], 0, atol=0.1)


def test_the_level_is_independent_of_the_effects(posterior: nma.Posterior) -> None:
    draws = nma.absolute_effects(posterior, reference_level=Normal(0, 1))
    level = draws.sel(treatment="A")
    for treatment in ("B", "C"):
        product = ((draws.sel(treatment=treatment) - level) * level).to_numpy()
        assert abs(product.mean()) <= 5 * replicate_error(product)
    again, other = (
        nma.absolute_effects(posterior, reference_level=Normal(0, 1), seed=seed) for seed in (0, 1)
    )
    np.testing.assert_array_equal(draws, again)
    assert not np.allclose(draws, other)


def test_the_table_says_what_it_stands_on(posterior: nma.Posterior) -> None:
    text = " ".join(str(nma.absolute_table(posterior, reference_level=50)).split())
    assert "A 50.00 0.00 50.00 50.00 0.0000" in text
    assert "where A leads to 50, with 95% credible intervals; lower is better" in text
    assert "The level of A is taken as known" in text
    sure = nma.absolute_table(fitted(better="higher"), reference_level=Normal(50, 3), level=0.5)
    assert "leads to 50 (sd 3), with 50% credible intervals; higher is better" in sure.caption
    assert "independent of the effects" in sure.notes[0]
    two = nma.at(posterior, treatments=["C", "B"])
    assert "where C leads to 50" in nma.absolute_table(two, reference_level=50).caption
    poor = replace(posterior, draws=replace(posterior.draws, faults=("R-hat 1.2.",)))
    assert nma.absolute_table(poor, reference_level=50).caption.startswith("POOR FIT")


@pytest.mark.parametrize("level", [float("nan"), float("inf"), "50", None, True, [50], Fixed(5)])
@pytest.mark.parametrize("verb", VERBS)
def test_nonsense_levels_are_refused(posterior: nma.Posterior, verb: Any, level: object) -> None:
    with pytest.raises(ModelError, match="is not a level: write the mean outcome under 'A'"):
        verb(posterior, reference_level=level)


@pytest.mark.parametrize("verb", VERBS)
def test_points_per_smd_are_asked_for_and_refused_for_md(
    posterior: nma.Posterior, verb: Any
) -> None:
    smd = fitted("SMD")
    with pytest.raises(ModelError, match="`reference_sd` is missing: one SMD must be worth"):
        verb(smd, reference_level=50)
    for sd in (0, -1, float("nan"), "22", True):
        with pytest.raises(ModelError, match="is no sd"):
            verb(smd, reference_level=50, reference_sd=sd)
    with pytest.raises(ModelError, match="is for SMD: these effects are MD"):
        verb(posterior, reference_level=50, reference_sd=22)


@pytest.mark.parametrize(
    ("measure", "message"),
    [("OR", "baseline risk"), ("RD", "baseline risk"), ("steps", "must be MD, in points, or SMD")],
)
@pytest.mark.parametrize("verb", VERBS)
def test_other_measures_are_refused(verb: Any, measure: str, message: str) -> None:
    with pytest.raises(ModelError, match=f"not available for {measure}.*{message}"):
        verb(fitted(measure), reference_level=0.2)


def test_a_level_of_probability_is_still_asked_for(posterior: nma.Posterior) -> None:
    with pytest.raises(ModelError, match=r"write 0.95 for 95 %"):
        nma.absolute_table(posterior, reference_level=50, level=95)
    with pytest.raises(ModelError, match="whole number"):
        nma.absolute_effects(posterior, reference_level=50, seed=-1)
