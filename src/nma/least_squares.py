"""The shared core of generalised least squares: independent rows, and the common-effect fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np

from nma.errors import EngineError
from nma.problem import Contrasts, Evidence, Problem, trials_by_size
from nma.span import directions

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "CommonEffect",
    "Rotation",
    "Rows",
    "common_effect",
    "differences",
    "effect_covariance",
    "estimable",
    "heterogeneity",
    "log_normal",
    "rotation",
    "rows",
]

BUDGET = 4_000_000
"""Numbers held at once while products are summed (32 MB)."""


@final
@dataclass(frozen=True, eq=False)
class Rows:
    r"""Evidence rotated trial by trial until its rows are independent for every tau.

    Row r has mean ``X[r] . beta`` and variance :math:`1 + \tau^2 \lambda_r`.

    Parameters
    ----------
    X : array, (row, parameter)
        Differences of levels, rotated.
    y : array, (row,)
        Observed differences, rotated.
    spread : array, (row,)
        The :math:`\lambda_r`.
    log_determinant : float
        Of the sampling covariance of all observed contrasts.
    """

    X: NDArray[np.float64]
    y: NDArray[np.float64]
    spread: NDArray[np.float64]
    log_determinant: float

    def gram(self, weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return X' W X for several diagonal W.

        Parameters
        ----------
        weight : array, (node, row)
            The diagonals.

        Returns
        -------
        array, (node, parameter, parameter)
        """
        parameters = self.X.shape[1]
        pairs = self._pairs
        if len(pairs.row) > 8 * self.X.size:
            return np.stack([(self.X.T * diagonal) @ self.X for diagonal in weight])
        step = max(1, BUDGET // max(len(pairs.row), parameters**2))
        parts = [
            pairs.summed(weight[start : start + step], parameters)
            for start in range(0, len(weight), step)
        ]
        return np.concatenate(parts)

    @cached_property
    def _pairs(self) -> _Pairs:
        """Products of the non-zero entries within each row: a trial touches few parameters."""
        row, column = np.nonzero(self.X)
        start = np.searchsorted(row, np.arange(len(self.X) + 1))
        count = np.diff(start)[row]
        first = np.repeat(np.arange(len(row)), count)
        offset = np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
        second = start[row[first]] + offset
        entry = self.X[row, column]
        cell = column[first] * self.X.shape[1] + column[second]
        return _Pairs(row[first], cell, entry[first] * entry[second])


@final
@dataclass(frozen=True, eq=False)
class _Pairs:
    row: NDArray[np.int64]
    cell: NDArray[np.int64]
    product: NDArray[np.float64]

    def summed(self, weight: NDArray[np.float64], parameters: int) -> NDArray[np.float64]:
        cells = parameters**2
        place = np.arange(len(weight))[:, None] * cells + self.cell
        values = weight[:, self.row] * self.product
        total = np.bincount(place.ravel(), values.ravel(), minlength=len(weight) * cells)
        return np.asarray(total, dtype=float).reshape(len(weight), parameters, parameters)


def rows(problem: Problem, free: str | None, known: Mapping[str, float]) -> Rows:
    """Return the evidence as independent rows.

    Parameters
    ----------
    problem : Problem
        Its evidence must be ``Contrasts``.
    free : str or None
        The scale of arm effects that is left free; its square multiplies ``spread``.
    known : mapping of str to float
        Numbers for all other scales of arm effects.
    """
    parts = [
        _rotated(problem, block, free, known)
        for block in problem.evidence
        if isinstance(block, Contrasts)
    ]
    none = (np.empty((0, problem.levels.shape[1])), np.empty(0), np.empty(0))
    X, y, spread = (np.concatenate([none[k], *(part[k] for part in parts)]) for k in range(3))
    return Rows(X, y, spread, float(sum(part[3] for part in parts)))


@final
@dataclass(frozen=True, eq=False)
class Rotation:
    """The turn that makes the contrasts of each trial independent.

    Parameters
    ----------
    turn : array, (trial, row, contrast)
        Multiplies the trial's contrasts.
    spread : array, (trial, row)
        The variance of a row is one plus the squared free scale times this.
    log_determinant : float
        Of the sampling covariance of the contrasts, all trials together.
    """

    turn: NDArray[np.float64]
    spread: NDArray[np.float64]
    log_determinant: float


def rotation(
    problem: Problem, block: Contrasts, free: str | None, known: Mapping[str, float]
) -> Rotation:
    """Return the turn of a block of trials; ``free`` and ``known`` are as in ``rows``."""
    try:
        lower = np.linalg.cholesky(block.V)
    except np.linalg.LinAlgError as error:
        studies = ", ".join(sorted(set(problem.arms["study"].iloc[block.arms.ravel()]))[:5])
        message = (
            "The covariance of a trial's contrasts is not positive definite to machine accuracy "
            f"(one of {studies}): its standard errors are too far apart."
        )
        raise EngineError(message) from error
    whiten = np.linalg.inv(lower)
    log_determinant = 2 * float(np.log(np.diagonal(lower, axis1=1, axis2=2)).sum())
    if known:
        added = np.zeros_like(block.V)
        for name, tau in known.items():
            added += tau**2 * effect_covariance(problem, block, name)
        spread, whiten = _diagonal(added, whiten)
        whiten = whiten / np.sqrt(1 + spread)[:, :, None]
        log_determinant += float(np.log1p(spread).sum())
    spread = np.zeros(block.y.shape)
    if free is not None:
        spread, whiten = _diagonal(effect_covariance(problem, block, free), whiten)
    return Rotation(whiten, spread, log_determinant)


def _rotated(
    problem: Problem, block: Contrasts, free: str | None, known: Mapping[str, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
    found = rotation(problem, block, free, known)
    levels = problem.levels[block.arms]
    X = found.turn @ (levels[:, 1:] - levels[:, :1])
    y = np.einsum("tjk,tk->tj", found.turn, block.y)
    return X.reshape(-1, X.shape[2]), y.ravel(), found.spread.ravel(), found.log_determinant


def _diagonal(
    covariance: NDArray[np.float64], whiten: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rotate whitened contrasts until a further covariance is diagonal; return it and the turn.

    Eigenvalues are clipped at zero: a covariance of low rank leaves rounding in their place.
    """
    spread, axes = np.linalg.eigh(whiten @ covariance @ np.swapaxes(whiten, 1, 2))
    return np.maximum(spread, 0.0), np.swapaxes(axes, 1, 2) @ whiten


def effect_covariance(problem: Problem, block: Contrasts, scale: str) -> NDArray[np.float64]:
    """Return the covariance of the block's contrasts at tau = 1 of one scale."""
    total = np.zeros(block.V.shape)
    for effect in problem.effects:
        if effect.scale == scale:
            weight, unit = effect.weight[block.arms], effect.unit[block.arms]
            shared = unit[:, :, None] == unit[:, None, :]
            arms = 0.5 * weight[:, :, None] * weight[:, None, :] * shared
            total += arms[:, 1:, 1:] - arms[:, 1:, :1] - arms[:, :1, 1:] + arms[:, :1, :1]
    return total


def heterogeneity(
    problem: Problem, block: Contrasts, scales: Mapping[str, NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Return what random effects add to the covariance of contrasts, (value, trial, row, row).

    Parameters
    ----------
    problem : Problem
        Has the effects.
    block : Contrasts
        The trials.
    scales : mapping of str to array, (value,)
        Values of the scales.
    """
    values = len(next(iter(scales.values()))) if scales else 1
    total = np.zeros((values, *block.V.shape))
    for name in dict.fromkeys(effect.scale for effect in problem.effects):
        squared = scales[name][:, None, None, None] ** 2
        total += squared * effect_covariance(problem, block, name)
    return total


def log_normal(
    covariance: NDArray[np.float64], residual: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the log normal density of residuals, (value, trial).

    Parameters
    ----------
    covariance : array, (value, trial, row, row)
    residual : array, (value, trial, row)
    """
    solved = np.linalg.solve(covariance, residual[..., None])[..., 0]
    misfit = np.einsum("vtk,vtk->vt", residual, solved)
    size = residual.shape[-1] * np.log(2 * np.pi)
    found: NDArray[np.float64] = -0.5 * (size + np.linalg.slogdet(covariance)[1] + misfit)
    return found


@final
@dataclass(frozen=True, eq=False)
class CommonEffect:
    """Least squares at tau = 0 with flat priors.

    Parameters
    ----------
    Q : float
        Weighted sum of squared residuals.
    df : int
        Contrasts minus the rank of their levels.
    """

    Q: float
    df: int

    @property
    def i_squared(self) -> float:
        """max(0, (Q - df) / Q), zero where nothing is left over (Higgins and Thompson 2002)."""
        return max(0.0, (self.Q - self.df) / self.Q) if self.df > 0 and self.Q > 0 else 0.0


def estimable(problem: Problem, contrasts: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which linear functions of beta the trials determine without any prior.

    Parameters
    ----------
    problem : Problem
        Parameters that a scale multiplies are random effects, and left aside.
    contrasts : array, (function, parameter)
        The coefficients.
    """
    fixed = np.array([scale is None for scale in problem.parameters.scale])
    return directions(differences(problem)[:, fixed]).determine(contrasts[:, fixed])


def differences(problem: Problem) -> NDArray[np.float64]:
    """Return the levels of every arm minus those of its trial's first, (contrast, parameter)."""
    size = problem.levels.shape[1]
    trials = [arms for part in problem.evidence for arms in _arms_of_trials(part)]
    told = [problem.levels[arms] for arms in trials]
    return np.concatenate(
        [np.empty((0, size)), *((z[:, 1:] - z[:, :1]).reshape(-1, size) for z in told)]
    )


def _arms_of_trials(part: Evidence) -> list[NDArray[np.int64]]:
    """Return the arms of each trial, (trial, arm), trials of one size together."""
    if isinstance(part, Contrasts):
        return [part.arms]
    return [part.arms[rows] for rows in trials_by_size(part.trial)]


def common_effect(problem: Problem) -> CommonEffect:
    """Fit the common-effect model by generalised least squares."""
    whitened = rows(problem, None, {})
    beta, _, rank, _ = np.linalg.lstsq(whitened.X, whitened.y, rcond=None)
    residual = whitened.y - whitened.X @ beta
    return CommonEffect(float(residual @ residual), len(residual) - int(rank))
