"""Contrasts of one multi-arm trial: from three forms to one covariance."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple, final

import numpy as np
import pandas as pd

from nma.errors import Issue

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Trial", "Whole", "error", "notice", "problems", "whole"]

ADDS_UP = 0.1
"""Closing error, in units of the trial's smallest standard error, that rounding may explain."""


@final
@dataclass(frozen=True, eq=False)
class Trial:
    """The rows of one trial.

    Parameters
    ----------
    study : str
        Its name.
    rows : tuple of int
        The user's rows.
    sides : tuple of (str, str)
        Treatment and comparator of each row.
    effect, se, base_se : array, (row,)
        As reported; ``base_se`` NaN where not given.
    covariance : matrix, optional
        As the user stated it.
    """

    study: str
    rows: tuple[int, ...]
    sides: tuple[tuple[str, str], ...]
    effect: NDArray[np.float64]
    se: NDArray[np.float64]
    base_se: NDArray[np.float64]
    covariance: Any

    @property
    def treatments(self) -> tuple[str, ...]:
        """The trial's treatments, sorted."""
        return tuple(sorted({name for pair in self.sides for name in pair}))

    @property
    def incidence(self) -> NDArray[np.float64]:
        """Each row as a difference of treatments, (row, treatment)."""
        place = {name: k for k, name in enumerate(self.treatments)}
        matrix = np.zeros((len(self.sides), len(place)))
        for row, (treatment, comparator) in enumerate(self.sides):
            matrix[row, place[treatment]] += 1
            matrix[row, place[comparator]] -= 1
        return matrix

    @property
    def base(self) -> str | None:
        """The one treatment that all rows share, if there is one."""
        shared = set.intersection(*(set(pair) for pair in self.sides))
        return shared.pop() if len(shared) == 1 else None

    @property
    def is_complete(self) -> bool:
        """Whether every pair of the trial's treatments has its row."""
        arms = len(self.treatments)
        return len(self.sides) == arms * (arms - 1) // 2

    def issue(self, code: str, problem: str, remedy: str) -> Issue:
        """Return an issue with this trial."""
        return Issue(code, problem, remedy, study=self.study, rows=tuple(sorted(self.rows)))


class Whole(NamedTuple):
    """A trial as one vector of contrasts against its first arm."""

    arms: NDArray[np.int64]
    y: NDArray[np.float64]
    V: NDArray[np.float64]


def problems(trial: Trial) -> list[Issue]:
    """Return what keeps the trial's rows from being one multivariate observation."""
    for find in (_repeated_pair, _rows_unconnected, _without_covariance, _misshapen):
        if issue := find(trial):
            return [issue]
    found = [_not_adding_up(trial), _base_too_wide(trial) or _not_positive_definite(trial)]
    return [issue for issue in found if issue is not None]


def _repeated_pair(trial: Trial) -> Issue | None:
    pairs = [frozenset(pair) for pair in trial.sides]
    twice = sorted({" and ".join(sorted(pair)) for pair in pairs if pairs.count(pair) > 1})
    if not twice:
        return None
    return trial.issue(
        "pair-twice",
        f"{twice[0]} are compared in more than one row",
        "Keep one row for a pair, in one direction; give separate trials separate names.",
    )


def _rows_unconnected(trial: Trial) -> Issue | None:
    if np.linalg.matrix_rank(trial.incidence) == len(trial.treatments) - 1:
        return None
    return trial.issue(
        "rows-unconnected",
        "its rows do not connect its treatments with each other",
        "Add the missing contrast, or give separate trials separate names.",
    )


def _without_covariance(trial: Trial) -> Issue | None:
    if trial.covariance is not None or trial.is_complete:
        return None
    based = trial.base is not None and np.all(np.isfinite(trial.base_se))
    if based and len(np.unique(trial.base_se)) == 1:
        return None
    arms = len(trial.treatments)
    problem = (
        "the standard errors of its base arm differ between rows"
        if based
        else f"{len(trial.sides)} contrasts of {arms} treatments are correlated, and nothing tells "
        "their covariance"
    )
    return trial.issue(
        "no-covariance",
        problem,
        "Give one of: contrasts against one base arm with the standard error of that arm's own "
        "mean (`base_se`, whose square is the covariance of any two of them); all "
        f"{arms * (arms - 1) // 2} pairwise contrasts with standard errors; or an explicit "
        "`covariance`.",
    )


def _misshapen(trial: Trial) -> Issue | None:
    if trial.covariance is None:
        return None
    found = _wrong_shape(trial)
    if found is None:
        found = _wrong_content(trial)
    return None if found is None else trial.issue(*found)


def _wrong_shape(trial: Trial) -> tuple[str, str, str] | None:
    rows, free = len(trial.sides), len(trial.treatments) - 1
    if rows != free:
        remedy = f"Keep {free} rows that connect the trial's treatments."
        return "covariance-singular", "its rows are not independent", remedy
    remedy = "Give one row and column for each of the trial's rows, in their order."
    try:
        matrix = np.asarray(trial.covariance, dtype=float)
    except (TypeError, ValueError):
        return "covariance-shape", "its covariance is not a matrix of numbers", remedy
    if matrix.shape != (rows, rows):
        shape = " x ".join(map(str, matrix.shape)) or "one number"
        return "covariance-shape", f"its covariance is {shape}, not {rows} x {rows}", remedy
    if isinstance(trial.covariance, pd.DataFrame) and _labelled(trial) is None:
        remedy = "Label rows and columns by the treatments that are compared with the base arm."
        return "covariance-labels", "its covariance has other labels", remedy
    return None


def _wrong_content(trial: Trial) -> tuple[str, str, str] | None:
    matrix = _stated(trial)
    if not np.all(np.isfinite(matrix)):
        return "covariance-shape", "its covariance has an empty or infinite cell", "Fill it in."
    if not np.allclose(matrix, matrix.T, rtol=1e-8, atol=0.0):
        return "covariance-asymmetric", "its covariance is not symmetric", "Check its entries."
    if not np.allclose(np.diagonal(matrix), trial.se**2, rtol=0.02, atol=0.0):
        remedy = "The diagonal holds the squares of the standard errors: check both."
        return "covariance-diagonal", "covariance and standard errors differ", remedy
    return None


def _labelled(trial: Trial) -> list[str] | None:
    """Return the label of each row in a labelled covariance, or None where they do not fit."""
    base = trial.base
    if base is None:
        return None
    names = [a if b == base else b for a, b in trial.sides]
    fits = set(names) == set(trial.covariance.index) == set(trial.covariance.columns)
    return names if fits else None


def _signs(trial: Trial) -> NDArray[np.float64]:
    """Return 1 for rows against the base arm and -1 for rows of the base arm against another."""
    return np.array([1.0 if pair[1] == trial.base else -1.0 for pair in trial.sides])


def _stated(trial: Trial) -> NDArray[np.float64]:
    """Return the stated covariance for the trial's rows as they stand here, in sorted order."""
    if isinstance(trial.covariance, pd.DataFrame):
        names = _labelled(trial) or []
        matrix = trial.covariance.loc[names, names].to_numpy(dtype=float)
        return np.asarray(matrix * np.outer(_signs(trial), _signs(trial)))
    place = np.argsort(np.argsort(trial.rows))
    return np.asarray(trial.covariance, dtype=float)[np.ix_(place, place)]


def _not_adding_up(trial: Trial) -> Issue | None:
    D = trial.incidence
    residual = trial.effect - D @ np.linalg.pinv(D) @ trial.effect
    if np.max(np.abs(residual)) <= ADDS_UP * trial.se.min():
        return None
    a, b, c = _worst_triangle(trial)
    off = _between(trial, a, b) + _between(trial, b, c) - _between(trial, a, c)
    return trial.issue(
        "does-not-add-up",
        f"its contrasts do not add up: ({a} - {b}) + ({b} - {c}) differs from ({a} - {c}) "
        f"by {off:.3g}",
        "Check the signs and which treatment is the comparator; adjusted estimates that truly do "
        f"not add up need {D.shape[1] - 1} rows and their covariance.",
    )


def _between(trial: Trial, a: str, b: str) -> float:
    for row, pair in enumerate(trial.sides):
        if set(pair) == {a, b}:
            return float(trial.effect[row]) * (1 if pair == (a, b) else -1)
    return np.nan


def _worst_triangle(trial: Trial) -> tuple[str, str, str]:
    def off(triangle: tuple[str, str, str]) -> float:
        a, b, c = triangle
        total = _between(trial, a, b) + _between(trial, b, c) - _between(trial, a, c)
        return abs(total) if np.isfinite(total) else 0.0

    return max(combinations(trial.treatments, 3), key=off)


def _base_too_wide(trial: Trial) -> Issue | None:
    """Find the standard error of a difference that was given as that of the base arm."""
    if trial.covariance is not None or trial.is_complete:
        return None
    narrow = np.flatnonzero(trial.se <= trial.base_se)
    if not narrow.size:
        return None
    k = int(narrow[0])
    a, b = trial.sides[k]
    return trial.issue(
        "covariance-impossible",
        f"the standard error of {a} versus {b}, {trial.se[k]:g}, is not larger than that of "
        f"{trial.base} alone, {trial.base_se[k]:g}",
        "A difference is less certain than either of its arms: `base_se` is the standard error of "
        "the base arm's own mean, not that of a difference.",
    )


def _not_positive_definite(trial: Trial) -> Issue | None:
    smallest = float(np.linalg.eigvalsh(_from_first(trial)[1])[0])
    if smallest > 0:
        return None
    return trial.issue(
        "covariance-impossible",
        f"its standard errors imply a covariance that cannot be (eigenvalue {smallest:.3g})",
        "One of its standard errors is too large or too small beside the others: check them.",
    )


def _row_covariance(trial: Trial) -> NDArray[np.float64]:
    """Return the covariance of the trial's rows, or of all pairs as arm variances imply it."""
    if trial.covariance is not None:
        return _stated(trial)
    sign = _signs(trial)
    shared = np.outer(sign, sign) * trial.base_se[0] ** 2
    return np.where(np.eye(len(sign), dtype=bool), trial.se**2, shared)


def _from_first(trial: Trial) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return contrasts of each later treatment with the first (sorted), and their covariance."""
    D = trial.incidence
    arms = len(trial.treatments)
    first = np.column_stack([-np.ones(arms - 1), np.eye(arms - 1)])
    turn = first @ np.linalg.pinv(D)
    y = turn @ trial.effect
    if trial.covariance is None and trial.is_complete:
        variance = _pairwise_variances(trial)
        V = 0.5 * (variance[1:, :1] + variance[:1, 1:] - variance[1:, 1:])
    else:
        V = turn @ _row_covariance(trial) @ turn.T
    return y, V


def _pairwise_variances(trial: Trial) -> NDArray[np.float64]:
    place = {name: k for k, name in enumerate(trial.treatments)}
    variance = np.zeros((len(place), len(place)))
    for (a, b), se in zip(trial.sides, trial.se, strict=True):
        variance[place[a], place[b]] = variance[place[b], place[a]] = se**2
    return variance


def whole(trial: Trial, arms: NDArray[np.int64]) -> Whole:
    """Return the trial as one vector of contrasts.

    Parameters
    ----------
    trial : Trial
        Without problems.
    arms : array of int, (row, 2)
        Positions of the arms of each row.
    """
    at = {
        name: int(position)
        for pair, here in zip(trial.sides, arms, strict=True)
        for name, position in zip(pair, here, strict=True)
    }
    y, V = _from_first(trial)
    return Whole(np.array([at[name] for name in trial.treatments]), y, (V + V.T) / 2)


def error(trial: Trial, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return sampling errors of the trial's rows, which add up, (row,)."""
    _, V = _from_first(trial)
    later = np.linalg.cholesky((V + V.T) / 2) @ rng.standard_normal(len(V))
    return np.asarray(trial.incidence @ np.r_[0.0, later])


def notice(trial: Trial) -> str:
    """Return how the trial's covariance was found."""
    if trial.covariance is not None:
        return f"{trial.study}: covariance as stated."
    if trial.is_complete:
        D = trial.incidence
        residual = np.abs(trial.effect - D @ np.linalg.pinv(D) @ trial.effect).max()
        closed = "" if residual < 1e-8 else f"; rounding of {residual:.2g} was evened out"
        return f"{trial.study}: covariance from the standard errors of all pairs{closed}."
    return f"{trial.study}: covariance from the standard error of {trial.base}."
