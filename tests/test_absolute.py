"""Absolute effects: a level plus the relative effects, exact and drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
from nma.errors import ModelError
from nma.estimates import briefly, replicate_error
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
        "measure": "mean outcome",
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
    assert "A 50.00 0.00 50.00 50.00" in text
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


def test_points_of_the_other_direction_are_turned() -> None:
    """Higher is better on the scale, lower in the outcome: what is better stands higher."""
    posterior = fitted("SMD")
    effects = against_a(posterior)
    scale = nma.instruments.PSFS
    asked: dict[str, Any] = {
        "reference_level": Normal(5, 0.3),
        "instrument": scale,
        "reference_sd": 2.0,
    }
    table = nma.absolute_table(posterior, **asked)
    np.testing.assert_allclose(table["mean"][["B", "C"]], 5 - 2 * effects["mean"], rtol=1e-12)
    np.testing.assert_allclose(
        table["sd"][["B", "C"]] ** 2, (2 * effects["sd"]) ** 2 + 0.09, rtol=1e-12
    )
    assert (table["lower"] < table["mean"]).all()
    assert (table["mean"] < table["upper"]).all()
    known = nma.absolute_table(posterior, **(asked | {"reference_level": 5}))
    points = nma.in_points(posterior, scale, reference_sd=2.0).droplevel("comparator")
    for name, of in (("mean", "estimate"), ("lower", "lower"), ("upper", "upper")):
        np.testing.assert_allclose(known[name][["B", "C"]] - 5, points[of], atol=1e-9)
    drawn = nma.absolute_effects(posterior, **(asked | {"reference_level": 5}))
    relative = nma.relative_effects(posterior).sel(comparator="A", drop=True)
    np.testing.assert_allclose(drawn, 5 - 2 * relative, rtol=1e-12)
    assert drawn.attrs["points"] == -2.0
    assert drawn.attrs["better"] == "higher"
    assert drawn.attrs["instrument"] == "PSFS (0 to 10, higher is better)"
    assert "points of PSFS (1 SMD = 2 points, the SD as stated)" in table.caption
    assert table.caption.endswith("credible intervals; higher is better.")
    assert "Signs are turned: lower is better in the outcome." in table.notes
    sampled = replace(posterior, draws=replace(posterior.draws, moments=None))
    again = nma.absolute_table(sampled, **asked)
    np.testing.assert_allclose(again["mean"], table["mean"], atol=0.05)


def test_the_trials_tell_the_sd_of_a_named_instrument() -> None:
    frame = pd.DataFrame(
        {"s": list("1122"), "t": list("ABAB"), "on": "NRS", "y": [5.0, 4, 6, 5], "sd": 2, "n": 50}
    )
    pain = nma.outcomes.Continuous(
        "y", sd="sd", n="n", measure="SMD", better="lower", instrument="on"
    )
    posterior = nma.fit(nma.Network.from_arms(frame, study="s", treatment="t", outcome=pain))
    table = nma.absolute_table(posterior, reference_level=5, instrument="NPRS")
    assert "1 SMD = 2 points, the SD pooled over the arms of 2 trials (SDs" in table.caption
    assert not any("Signs are turned" in note for note in table.notes)
    assert set(briefly(posterior)) <= set(table.notes)
    with pytest.raises(ModelError, match="No trial tells the SD of VAS"):
        nma.absolute_table(posterior, reference_level=5, instrument="VAS")


def test_without_an_instrument_the_direction_is_said() -> None:
    for better in ("lower", "higher"):
        posterior = fitted("SMD", better)
        table = nma.absolute_table(posterior, reference_level=50, reference_sd=22)
        assert f"points of a scale on which {better} is better" in table.caption
        assert "for a scale of the other direction give instrument=." in table.caption
        assert set(briefly(posterior)) <= set(table.notes)
    plain = nma.absolute_table(fitted(), reference_level=50)
    assert "instrument" not in plain.caption


def test_means_outside_the_range_are_noted() -> None:
    posterior = fitted("SMD")
    asked: dict[str, Any] = {"instrument": "NRS", "reference_sd": 4.0}
    notes = nma.absolute_table(posterior, reference_level=9.5, **asked).notes
    outside = "Means outside the range of NRS (0 to 10, lower is better): B, C."
    assert any(note.startswith(outside) for note in notes)
    notes = nma.absolute_table(posterior, reference_level=5, **asked).notes
    assert not any("outside" in note for note in notes)


@pytest.mark.parametrize("verb", VERBS)
def test_what_does_not_fit_the_instrument_is_refused(posterior: nma.Posterior, verb: Any) -> None:
    with pytest.raises(ModelError, match="instrument='NRS' is for SMD: these effects are MD"):
        verb(posterior, reference_level=5, instrument="NRS")
    smd = fitted("SMD")
    for sd in (0, 11, float("nan"), "2", True):
        with pytest.raises(ModelError, match="is not a standard deviation of NRS"):
            verb(smd, reference_level=5, instrument="NRS", reference_sd=sd)
    with pytest.raises(ModelError, match="'NSR' is not an instrument"):
        verb(smd, reference_level=5, instrument="NSR", reference_sd=2)


@pytest.mark.parametrize("verb", VERBS)
def test_measures_of_ones_own_are_refused(verb: Any) -> None:
    with pytest.raises(ModelError, match="not available for steps: what links it to a level"):
        verb(fitted("steps"), reference_level=0.2)


def test_a_level_of_probability_is_still_asked_for(posterior: nma.Posterior) -> None:
    with pytest.raises(ModelError, match=r"write 0.95 for 95 %"):
        nma.absolute_table(posterior, reference_level=50, level=95)
    with pytest.raises(ModelError, match="whole number"):
        nma.absolute_effects(posterior, reference_level=50, seed=-1)
