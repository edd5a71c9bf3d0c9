"""Shapes of dose-response curves: functions of dose that are zero at dose zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, final

import numpy as np

from nma.errors import DataError, Issue, ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FractionalPolynomial", "Linear", "Log", "Spline"]

POWERS = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0)
"""The usual powers of fractional polynomials; 0 is the logarithm."""

PERCENTILES = {
    3: (10.0, 50.0, 90.0),
    4: (5.0, 35.0, 65.0, 95.0),
    5: (5.0, 27.5, 50.0, 72.5, 95.0),
    6: (5.0, 23.0, 41.0, 59.0, 77.0, 95.0),
    7: (2.5, 18.33, 34.17, 50.0, 65.83, 81.67, 97.5),
}
"""Where knots are, by their number (Harrell 2015, table 2.3)."""


@final
@dataclass(frozen=True)
class Linear:
    """An effect in proportion to dose.

    Examples
    --------
    >>> import nma
    >>> nma.shapes.Linear().basis([0.0, 6.0, 12.0]).ravel().tolist()
    [0.0, 6.0, 12.0]

    References
    ----------
    Mawdsley et al. 2016, doi:10.1002/psp4.12091, on dose in network meta-analysis.
    """

    def resolve(self, doses: NDArray[np.float64]) -> Linear:  # noqa: ARG002  nothing to choose
        """Return the shape as it is."""
        return self

    def terms(self, dose: str) -> tuple[str, ...]:
        """Return the dose itself."""
        return (dose,)

    def basis(self, doses: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the dose, (dose, 1)."""
        return np.asarray(doses, dtype=float)[:, None]


@final
@dataclass(frozen=True)
class Log:
    r"""An effect that rises with the logarithm of dose: :math:`f(x) = \log(1 + x/u)`.

    Near zero it is in proportion to dose; far above the unit, doubling the dose always adds the
    same.

    Parameters
    ----------
    unit : float, optional
        The dose :math:`u` at which the curve bends; the median dose if not given, so that days or
        weeks give the same curve.

    Raises
    ------
    ModelError
        If the unit is not above zero.

    Examples
    --------
    >>> import nma
    >>> nma.shapes.Log(unit=12).basis([0.0, 12.0]).round(2).ravel().tolist()
    [0.0, 0.69]

    References
    ----------
    Mawdsley et al. 2016, doi:10.1002/psp4.12091, on dose in network meta-analysis.
    """

    unit: float | None = None

    def __post_init__(self) -> None:
        _require_positive(self.unit)

    def resolve(self, doses: NDArray[np.float64]) -> Log:
        """Return the shape with its unit as a number."""
        return self if self.unit is not None else replace(self, unit=float(np.median(doses)))

    def terms(self, dose: str) -> tuple[str, ...]:
        """Return the logarithm in words."""
        return (f"log(1 + {dose}/{_written(self.unit)})",)

    def basis(self, doses: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the logarithm, (dose, 1)."""
        return np.log1p(np.asarray(doses, dtype=float) / _known(self.unit))[:, None]


@final
@dataclass(frozen=True)
class Spline:
    r"""A restricted cubic spline: cubic between knots, linear beyond the outer ones.

    .. math:: f_1(x) = x, \quad f_{j+1}(x) = \frac{(x - t_j)_+^3
              - (x - t_{k-1})_+^3 \frac{t_k - t_j}{t_k - t_{k-1}}
              + (x - t_k)_+^3 \frac{t_{k-1} - t_j}{t_k - t_{k-1}}}{(t_k - t_1)^2}

    for :math:`j = 1, \ldots, k - 2`, so that k knots make k - 1 functions.

    Parameters
    ----------
    knots : int or sequence of float, default 3
        The knots :math:`t_1 < \ldots < t_k`, at zero or above, or how many of them: then at the
        percentiles of the doses above zero that Harrell recommends (10, 50, 90 of three; 5, 35,
        65, 95 of four; 5, 27.5, 50, 72.5, 95 of five).

    Raises
    ------
    ModelError
        If there are fewer than 3 knots or more than 7 by number, or the doses do not rise from zero
        up.

    Examples
    --------
    >>> import nma
    >>> spline = nma.shapes.Spline(knots=[6, 12, 24])
    >>> spline.basis([0.0, 6.0, 12.0, 24.0]).round(2).tolist()
    [[0.0, 0.0], [6.0, 0.0], [12.0, 0.67], [24.0, 10.0]]

    References
    ----------
    Harrell 2015, Regression Modeling Strategies, doi:10.1007/978-3-319-19425-7, section 2.4.5.
    """

    knots: int | Sequence[float] = 3

    def __post_init__(self) -> None:
        if isinstance(self.knots, int):
            if self.knots not in PERCENTILES:
                message = f"knots={self.knots!r}: write a number from 3 to 7, or their doses."
                raise ModelError(message)
            return
        knots = tuple(float(knot) for knot in self.knots)
        rising = all(a < b for a, b in pairwise(knots))
        if len(knots) < 3 or not rising or not np.isfinite(knots).all() or knots[0] < 0:
            message = f"knots={list(self.knots)!r}: write three or more doses, rising from zero up."
            raise ModelError(message)
        object.__setattr__(self, "knots", knots)

    def resolve(self, doses: NDArray[np.float64]) -> Spline:
        """Return the shape with its knots as doses.

        Raises
        ------
        DataError
            If two knots would be one, because too many trials have the same dose.
        """
        if not isinstance(self.knots, int):
            return self
        knots = np.percentile(doses, PERCENTILES[self.knots])
        if len(np.unique(knots)) < len(knots):
            raise DataError([_tied(knots, np.unique(doses), self.knots)])
        return replace(self, knots=tuple(knots.tolist()))

    def terms(self, dose: str) -> tuple[str, ...]:
        """Return the dose, and which cubic of the spline each other function is."""
        count = self.knots if isinstance(self.knots, int) else len(self.knots)
        return (dose, *(f"cubic {k} of {dose}" for k in range(1, count - 1)))

    def basis(self, doses: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the dose and the cubics, (dose, knots - 1)."""
        if isinstance(self.knots, int):
            message = "The knots are not known yet: resolve the shape first."
            raise ModelError(message)
        t, x = np.array(self.knots), np.asarray(doses, dtype=float)
        cubes = np.maximum(x[:, None] - t, 0.0) ** 3
        gap = t[-1] - t[-2]
        bent = (
            cubes[:, :-2]
            - cubes[:, [-2]] * (t[-1] - t[:-2]) / gap
            + cubes[:, [-1]] * (t[-2] - t[:-2]) / gap
        )
        return np.column_stack([x, bent / (t[-1] - t[0]) ** 2])


@final
@dataclass(frozen=True)
class FractionalPolynomial:
    r"""A fractional polynomial: one or two powers of dose.

    .. math:: f(x) = z^p, \qquad z = x/u

    :math:`z^0` means :math:`\log z`, and a power that comes twice is :math:`z^p` and
    :math:`z^p \log z`. Where a power is zero or below, both take :math:`z = 1 + x/u`, and what
    they are at dose zero is taken off, so that the curve begins at zero.

    Parameters
    ----------
    powers : sequence of float
        One or two of -2, -1, -0.5, 0, 0.5, 1, 2 and 3.
    unit : float, optional
        The dose :math:`u`; the median dose if not given, so that days or weeks give the same curve.

    Raises
    ------
    ModelError
        If the powers are not one or two of these, or the unit is not above zero.

    Examples
    --------
    >>> import nma
    >>> nma.shapes.FractionalPolynomial(powers=[0.5], unit=12).basis([0.0, 3.0, 12.0]).tolist()
    [[0.0], [0.5], [1.0]]

    References
    ----------
    Royston and Altman 1994, doi:10.2307/2986270.
    """

    powers: Sequence[float]
    unit: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        _require_positive(self.unit)
        given = self.powers if isinstance(self.powers, Sequence) else (self.powers,)
        if len(given) not in {1, 2} or not set(given) <= set(POWERS):
            listed = ", ".join(f"{power:g}" for power in POWERS)
            message = f"powers={self.powers!r}: write one or two of {listed}."
            raise ModelError(message)
        object.__setattr__(self, "powers", tuple(sorted(map(float, given))))

    def resolve(self, doses: NDArray[np.float64]) -> FractionalPolynomial:
        """Return the shape with its unit as a number."""
        return self if self.unit is not None else replace(self, unit=float(np.median(doses)))

    def terms(self, dose: str) -> tuple[str, ...]:
        """Return the powers in words."""
        z = f"({'1 + ' * self._shifted}{dose}/{_written(self.unit)})"
        names = [f"log{z}" if power == 0 else f"{z}^{power:g}" for power in self.powers]
        if self._repeated:
            names[1] = f"log{z}^2" if self.powers[0] == 0 else f"{names[0]} log{z}"
        return tuple(names)

    def basis(self, doses: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the powers, (dose, power)."""
        z = np.asarray(doses, dtype=float) / _known(self.unit) + self._shifted
        found = [np.log(z) if power == 0 else z**power - self._shifted for power in self.powers]
        if self._repeated:
            power = self.powers[0]
            log = np.log(np.where(z > 0, z, 1.0))
            found[1] = log**2 if power == 0 else z**power * log
        return np.column_stack(found)

    @property
    def _shifted(self) -> bool:
        return min(self.powers) <= 0

    @property
    def _repeated(self) -> bool:
        return len(self.powers) == 2 and self.powers[0] == self.powers[1]


def _tied(knots: NDArray[np.float64], doses: NDArray[np.float64], count: int) -> Issue:
    listed = ", ".join(f"{knot:g}" for knot in knots)
    message = f"the knots of the spline would be at {listed}, and two of them are one"
    if len(doses) < count:
        remedy = f"The trials have {len(doses)} doses above zero: use shape='linear' or 'log'."
        return Issue("knots-tied", message, remedy)
    offer = np.unique(doses)[np.linspace(0, len(doses) - 1, count).round().astype(int)]
    given = ", ".join(f"{knot:g}" for knot in offer)
    remedy = f"Give them: shape=nma.shapes.Spline(knots=[{given}]), or use fewer."
    return Issue("knots-tied", message, remedy)


def _require_positive(unit: float | None) -> None:
    if unit is not None and not 0 < unit < np.inf:
        message = f"unit={unit!r} is not a dose above zero."
        raise ModelError(message)


def _known(unit: float | None) -> float:
    if unit is None:
        message = "The unit is not known yet: resolve the shape first."
        raise ModelError(message)
    return unit


def _written(unit: float | None) -> str:
    return "unit" if unit is None else f"{unit:.4g}"
