"""The tolerances of the literature tests: the errors they allow are those that chains have."""

from __future__ import annotations

import numpy as np
import pytest

from published import (
    assert_apart,
    assert_near,
    compared,
    exactly,
    fitted,
    half_a_unit,
    of,
    our_error,
    summarised,
    their_error,
    tolerance,
    weighed,
)

RNG = np.random.default_rng(7)
SHAPES = {
    "normal": RNG.standard_normal((8, 50_000)),
    "half-normal": np.abs(RNG.standard_normal((8, 50_000))),
    "gamma": RNG.gamma(3.0, size=(8, 50_000)),
}


@pytest.mark.parametrize("name", ["mean", "sd", "lower", "median", "upper"])
@pytest.mark.parametrize("shape", SHAPES)
def test_errors_are_the_spread_of_independent_repetitions(shape: str, name: str) -> None:
    draws = SHAPES[shape]
    each = [summarised(part, name) for part in draws.reshape(-1, 1000)]
    assert their_error(draws, name, 1000) == pytest.approx(np.std(each), rel=0.12)
    assert our_error(draws, name) == pytest.approx(their_error(draws, name, draws.size), rel=0.8)


def test_units_and_sums_by_hand() -> None:
    assert [half_a_unit(x) for x in ("0.49", "-0.177", "58", 1.5)] == [0.005, 0.0005, 0.5, 0.0]
    assert tolerance("0.49", 0.03, 0.04) == pytest.approx(0.005 + 4 * 0.05)


def test_a_number_out_of_tolerance_fails() -> None:
    draws = SHAPES["normal"]
    assert_near(compared(draws, {"mean": "0.0", "upper": "1.96"}, 1e5), "pair", None)
    with pytest.raises(AssertionError, match=r"pair\n +theirs"):
        assert_near(compared(draws, {"mean": "0.0", "upper": "2.02"}, 1e5), "pair", None)


def test_a_misfit_that_goes_away_fails() -> None:
    draws = SHAPES["normal"]
    assert_apart(compared(draws, {"upper": "2.02"}, 1e5), "pair", None)
    with pytest.raises(AssertionError, match="no misfit any more: pair"):
        assert_apart(compared(draws, {"upper": "1.96"}, 1e5), "pair", None)


def test_no_number_that_is_not_one_is_near() -> None:
    table = exactly([float("nan")], {"mean": "0.0"}, 1.0)
    with pytest.raises(AssertionError, match="pair"):
        assert_near(table, "pair", None)


def test_draws_chosen_by_weight_are_those_of_the_weighed_distribution() -> None:
    """By exp(x / 2 sd) a normal moves up by half its sd, and keeps it."""
    posterior = fitted("blocker")
    pair = ("beta blocker", "control")
    effect = of(posterior, pair)
    z = (effect - effect.mean()) / effect.std()
    moved = (of(weighed(posterior, np.exp(z / 2)), pair) - effect.mean()) / effect.std()
    assert moved.mean() == pytest.approx(0.5, abs=0.02)
    assert moved.std() == pytest.approx(1, abs=0.02)
    above = of(weighed(posterior, (z > 0).astype(float)), pair)
    assert above.min() > effect.mean()
