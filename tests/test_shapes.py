"""Shapes of curves: closed forms, what they are at zero and beyond the knots, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

import nma
from nma.errors import DataError, ModelError
from nma.shapes import FractionalPolynomial, Linear, Log, Spline

DOSES = np.array([2.0, 4.0, 6.0, 6.0, 8.0, 12.0, 15.0, 20.0, 24.0, 30.0])
KNOTS = (4.0, 8.0, 15.0, 24.0)


def test_every_cubic_of_a_spline_is_the_natural_spline_through_its_values_at_the_knots() -> None:
    """Two computations: Harrell's truncated powers, and the interpolant that scipy solves for."""
    x = np.linspace(KNOTS[0], KNOTS[-1], 301)
    basis, at_knots = Spline(KNOTS).basis(x), Spline(KNOTS).basis(np.array(KNOTS))
    for term in range(3):
        natural = CubicSpline(KNOTS, at_knots[:, term], bc_type="natural")
        np.testing.assert_allclose(basis[:, term], natural(x), atol=1e-12)


def test_a_spline_is_linear_beyond_its_outer_knots_and_bends_smoothly_at_all() -> None:
    x = np.linspace(0, 60, 6001)
    f = Spline(KNOTS).basis(x)
    second = np.diff(f, n=2, axis=0) / 0.01**2
    middle = x[1:-1]
    tails = (middle < KNOTS[0] - 0.02) | (middle > KNOTS[-1] + 0.02)
    assert np.abs(second[tails]).max() < 1e-7
    assert np.abs(second[~tails, 1:]).max() > 0.01
    assert np.abs(np.diff(second, axis=0)).max() < 0.01  # continuous: it changes by little
    assert not f[x <= KNOTS[0], 1:].any()


def test_knots_stand_where_harrell_has_them() -> None:
    percentiles = {3: (10, 50, 90), 4: (5, 35, 65, 95), 5: (5, 27.5, 50, 72.5, 95)}
    for count, at in percentiles.items():
        made = Spline(count).resolve(DOSES)
        assert made.knots == pytest.approx(np.percentile(DOSES, at))
        assert len(made.terms("dose")) == count - 1


def test_a_logarithm_adds_the_same_for_every_doubling_far_above_its_unit() -> None:
    f = Log(unit=3.0).basis(np.array([0.0, 3.0, 3e6, 6e6])).ravel()
    assert f[:2] == pytest.approx([0, np.log(2)])
    assert f[3] - f[2] == pytest.approx(np.log(2), rel=1e-6)
    assert Log().resolve(DOSES).unit == np.median(DOSES)


@pytest.mark.parametrize(
    ("powers", "functions"),
    [
        ((0.5,), [np.sqrt]),
        ((2, 3), [lambda z: z**2, lambda z: z**3]),
        ((1, 1), [lambda z: z, lambda z: z * np.log(z)]),
        ((-1,), [lambda z: 1 / (1 + z) - 1]),
        ((0,), [np.log1p]),
        ((0, 0), [np.log1p, lambda z: np.log1p(z) ** 2]),
        ((-2, 0), [lambda z: (1 + z) ** -2.0 - 1, np.log1p]),
        ((3, -0.5), [lambda z: (1 + z) ** -0.5 - 1, lambda z: (1 + z) ** 3 - 1]),
        (
            (-1, -1),
            [lambda z: 1 / (1 + z) - 1, lambda z: np.log1p(z) / (1 + z)],
        ),
    ],
)
def test_fractional_polynomials_are_their_closed_forms(powers: Any, functions: Any) -> None:
    shape = FractionalPolynomial(powers=powers, unit=4.0)
    expected = np.column_stack([function(DOSES / 4) for function in functions])
    np.testing.assert_allclose(shape.basis(DOSES), expected, rtol=1e-13)
    assert not shape.basis(np.zeros(1)).any()


def test_power_one_and_a_straight_spline_are_the_line() -> None:
    line = Linear().basis(DOSES)
    np.testing.assert_allclose(FractionalPolynomial([1], unit=1.0).basis(DOSES), line)
    np.testing.assert_allclose(Spline(KNOTS).basis(DOSES)[:, :1], line)


def test_terms_say_what_each_function_is() -> None:
    assert Linear().terms("weeks") == ("weeks",)
    assert Log(unit=12).terms("weeks") == ("log(1 + weeks/12)",)
    assert Spline(KNOTS).terms("weeks") == ("weeks", "cubic 1 of weeks", "cubic 2 of weeks")
    assert FractionalPolynomial([-1, 2], unit=8).terms("mg") == ("(1 + mg/8)^-1", "(1 + mg/8)^2")
    assert FractionalPolynomial([1, 1], unit=8).terms("mg") == ("(mg/8)^1", "(mg/8)^1 log(mg/8)")
    assert FractionalPolynomial([0, 0], unit=8).terms("mg") == ("log(1 + mg/8)", "log(1 + mg/8)^2")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FractionalPolynomial([1.5]), "write one or two of -2, -1, -0.5, 0, 0.5, 1, 2, 3"),
        (lambda: FractionalPolynomial([1, 2, 3]), "write one or two"),
        (lambda: FractionalPolynomial([]), "write one or two"),
        (lambda: FractionalPolynomial([1], unit=0.0), "not a dose above zero"),
        (lambda: Log(unit=-1.0), "not a dose above zero"),
        (lambda: Spline(2), "a number from 3 to 7"),
        (lambda: Spline([3, 2, 5]), "rising from zero up"),
        (lambda: Spline([1, 2]), "three or more"),
        (lambda: Spline([-1, 2, 3]), "rising from zero up"),
        (lambda: Spline([1, 2, float("nan")]), "rising from zero up"),
        (lambda: Spline().basis(DOSES), "resolve the shape first"),
        (lambda: Log().basis(DOSES), "resolve the shape first"),
    ],
)
def test_what_is_no_shape_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        make()


def test_knots_that_fall_together_are_refused_with_some_that_do_not() -> None:
    tied = np.array([6.0, *[12.0] * 20, 24.0])
    with pytest.raises(DataError, match=r"Spline\(knots=\[6, 12, 24\]\)"):
        Spline().resolve(tied)
    with pytest.raises(DataError, match="The trials have 2 doses above zero"):
        Spline().resolve(np.array([6.0, 12.0, 12.0, 12.0]))
    assert nma.shapes.Spline([6, 12, 24]).resolve(tied) == Spline([6, 12, 24])
