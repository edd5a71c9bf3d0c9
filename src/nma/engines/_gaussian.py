"""The exact engine: normal evidence, scales integrated by quadrature."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, final

import numpy as np

from nma.engines import _quadrature
from nma.engines._charts import Chart, chart_of
from nma.engines._conditional import (
    Answer,
    factored,
    interpolated,
    inverse,
    multipliers,
    scaled,
)
from nma.engines._settings import require_whole
from nma.engines._sobol import dataset, sobol
from nma.errors import EngineError
from nma.least_squares import Rows, rows
from nma.problem import Contrasts, Draws, Moments, Parameters, Problem
from nma.threads import one_thread

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

__all__ = ["Gaussian"]

HOPELESS = 0.01
"""Error of the log evidence above which there is no answer to give."""

ROUNDED = 1e-6
"""Relative rounding error of standard deviations above which the reader is told."""


@final
@dataclass(frozen=True)
class Gaussian:
    r"""Exact posterior for normal evidence.

    Given the scales, beta is multivariate normal, so only the scales are left to integrate:

    .. math:: p(\beta \mid y) = \sum_g w_g N(\beta; \hat\beta(\tau_g), \Sigma(\tau_g))

    with nodes :math:`\tau_g` added until the log evidence and the mean of every scale settle.
    Moments, quantiles and evidence come from the mixture and carry no Monte Carlo error. Draws
    are made when first asked for: independent scrambled Sobol sets as chains, so that the spread
    between chains is an honest Monte Carlo error.

    Parameters
    ----------
    draws : int, default 512
        Draws in each chain; powers of two fill the space best.
    chains : int, default 8
        Independent scrambled sets.
    seed : int, default 0
        The same seed gives the same draws on any machine with any number of cores.
    tolerance : float, default 1e-7
        Bound on the last change of the log evidence, and relatively of the mean of every scale.

    Raises
    ------
    EngineError
        If draws or chains are no whole number from 1, or the seed none from 0.

    Examples
    --------
    >>> import nma
    >>> nma.engines.Gaussian(seed=7)
    Gaussian(draws=512, chains=8, seed=7, tolerance=1e-07)

    References
    ----------
    Trefethen and Weideman 2014, doi:10.1137/130932132, on the trapezoid rule;
    Matousek 1998, doi:10.1006/jcom.1998.0489, on scrambled Sobol sets.
    """

    draws: int = 512
    chains: int = 8
    seed: int = 0
    tolerance: float = 1e-7

    def __post_init__(self) -> None:
        for name, least in (("draws", 1), ("chains", 1), ("seed", 0)):
            require_whole(self, name, least)

    def unsuited(self, problem: Problem) -> str | None:
        """Return why the engine cannot answer: evidence or a predictor that is not normal."""
        if problem.predictor is not None:
            return "the model is not linear in its parameters"
        if not all(isinstance(part, Contrasts) for part in problem.evidence):
            return "some trials report arms with a likelihood that is not normal"
        return None

    def sample(self, problem: Problem) -> Draws:
        """Return the exact posterior of a problem."""
        reason = self.unsuited(problem)
        if reason is not None:
            message = f"The Gaussian engine cannot answer: {reason}."
            raise EngineError(message)
        with one_thread():
            conditional = _Conditional.of(problem)
            grid = _quadrature.integrate(
                conditional.log_density, conditional.charts, tolerance=self.tolerance
            )
            if grid.error > HOPELESS:
                raise EngineError(_unsettled(self, grid))
            answer = conditional.solve(grid.nodes, factor=True)
            moments = _moments(problem, grid, answer)
        rounding = _rounding(problem.parameters, answer)
        return Draws(
            sampler=partial(_draw, self, problem, grid, answer),
            moments=moments,
            diagnostics={
                "quadrature_error": grid.error,
                "quadrature_nodes": grid.weight.size,
                "rounding_error": rounding,
            },
            notices=_notices(self, grid, moments, rounding),
        )


def _rounding(parameters: Parameters, answer: Answer) -> float:
    """Return about how far rounding moves standard deviations, relative to themselves.

    The squared ratio of the largest to the smallest diagonal entry of a triangular factor is a
    lower bound of the condition number, and seldom far below it.
    """
    fixed = np.array([scale is None for scale in parameters.scale])
    diagonal = np.abs(np.diagonal(answer.factor, axis1=1, axis2=2))[:, fixed]
    if not diagonal.size:
        return 0.0
    ratio = diagonal.max(axis=1) / diagonal.min(axis=1)
    return float(ratio.max() ** 2 * np.finfo(float).eps)


def _notices(
    engine: Gaussian, grid: _quadrature.Grid, moments: Moments, rounding: float
) -> tuple[str, ...]:
    found = [_unsettled(engine, grid)] if grid.error > engine.tolerance else []
    if rounding > ROUNDED:
        found.append(
            "Standard errors or priors lie so far apart that rounding may move standard "
            f"deviations by {rounding:.0e} of themselves: look at the largest standard errors."
        )
    for name, marginal in moments.marginals.items():
        if not np.isfinite(marginal.sd):
            what = "mean" if not np.isfinite(marginal.mean) else "standard deviation"
            few = "too few trials for a prior with so heavy a tail"
            found.append(f"The posterior {what} of {name} is infinite: {few}.")
    return tuple(found)


def _unsettled(engine: Gaussian, grid: _quadrature.Grid) -> str:
    asked = f"an error of {grid.error:.1g}, above the {engine.tolerance:.1g} asked for"
    return f"The quadrature stopped at {grid.weight.size} nodes with {asked}."


@final
@dataclass(frozen=True, eq=False)
class _Conditional:
    """Everything needed to condition on values of the scales."""

    problem: Problem
    precision: NDArray[np.float64]
    log_determinant: float
    lone: Rows
    free: str | None
    others: tuple[str, ...]

    @classmethod
    def of(cls, problem: Problem) -> _Conditional:
        precision, log_determinant = inverse(problem.parameters)
        within = tuple(dict.fromkeys(effect.scale for effect in problem.effects))
        free, others = (within[0], within[1:]) if within else (None, ())
        lone = rows(problem, free, {})
        return cls(problem, precision, log_determinant, lone, free, others)

    @property
    def charts(self) -> list[Chart]:
        spread = self.lone.spread[self.lone.spread > 0]
        width = float(np.median(spread**-0.5)) if spread.size else 1.0
        return [chart_of(scale.prior, width) for scale in self.problem.scales]

    def log_density(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log integrand, (node,), at values of the scales, (node, scale)."""
        columns = zip(self.problem.scales, points.T, strict=True)
        priors = [
            scale.prior.log_density(column)
            for scale, column in columns
            if scale.prior.support[0] < scale.prior.support[1]
        ]
        return np.asarray(self.solve(points, factor=False).log_evidence + sum(priors))

    def solve(self, points: NDArray[np.float64], *, factor: bool) -> Answer:
        """Return the conditional posteriors; ``factor`` only where asked for."""
        at = {scale.name: points[:, k] for k, scale in enumerate(self.problem.scales)}
        parts: list[tuple[NDArray[np.int64], Answer]] = []
        for nodes, evidence in self._rotations(at, len(points)):
            here = {name: values[nodes] for name, values in at.items()}
            parts.append((nodes, self._solve(evidence, here, len(nodes), factor=factor)))
        order = np.argsort(np.concatenate([nodes for nodes, _ in parts]))
        fields = ("log_evidence", "mean", "factor")
        joined = [np.concatenate([getattr(answer, f) for _, answer in parts]) for f in fields]
        return Answer(*(values[order] for values in joined))

    def _rotations(
        self, at: dict[str, NDArray[np.float64]], nodes: int
    ) -> list[tuple[NDArray[np.int64], Rows]]:
        """Return the rotated evidence for each distinct setting of the scales not left free."""
        if not self.others:
            return [(np.arange(nodes), self.lone)]
        settings = np.stack([at[name] for name in self.others], axis=-1)
        distinct, group = np.unique(settings, axis=0, return_inverse=True)
        return [
            (
                np.flatnonzero(group.ravel() == k),
                rows(self.problem, self.free, dict(zip(self.others, setting, strict=True))),
            )
            for k, setting in enumerate(distinct)
        ]

    def _solve(
        self, evidence: Rows, at: dict[str, NDArray[np.float64]], nodes: int, *, factor: bool
    ) -> Answer:
        """Condition beta = mean + D b, b ~ N(0, K), where D holds the scales of the parameters."""
        prior = self.problem.parameters
        tau = at[self.free] if self.free is not None else np.zeros(nodes)
        variance = 1 + tau[:, None] ** 2 * evidence.spread
        D = multipliers(prior, at, nodes)
        residual = evidence.y - evidence.X @ prior.mean
        right = D * ((residual / variance) @ evidence.X)
        precision = scaled(evidence.gram(1 / variance), D)
        precision += self.precision
        b, half_log_determinant, factors = factored(precision, right, factor=factor)
        beta = prior.mean + D * b
        misfit = ((evidence.y - beta @ evidence.X.T) ** 2 / variance).sum(axis=1)
        misfit += np.einsum("np,pq,nq->n", b, self.precision, b)
        log_evidence = -0.5 * (
            misfit
            + np.log(variance).sum(axis=1)
            + evidence.log_determinant
            + len(evidence.y) * np.log(2 * np.pi)
            + self.log_determinant
        )
        if D.shape[1] > 1:
            factors = factors * D[:, :, None]
        return Answer(log_evidence - half_log_determinant, beta, factors)


def _moments(problem: Problem, grid: _quadrature.Grid, answer: Answer) -> Moments:
    nodes = grid.nodes
    return Moments(
        weight=grid.weight,
        scales={scale.name: nodes[:, k] for k, scale in enumerate(problem.scales)},
        mean=answer.mean,
        covariance=answer.factor @ np.swapaxes(answer.factor, 1, 2),
        log_evidence=grid.log_integral,
        marginals={scale.name: grid.marginal(k) for k, scale in enumerate(problem.scales)},
    )


def _draw(engine: Gaussian, problem: Problem, grid: _quadrature.Grid, answer: Answer) -> xr.Dataset:
    from scipy.special import ndtri

    scales, parameters = len(problem.scales), len(problem.parameters.names)
    shape = (engine.chains, engine.draws)
    uniforms = sobol(
        scales + parameters, chains=engine.chains, draws=engine.draws, seed=engine.seed
    ).reshape(-1, scales + parameters)
    positions, _ = grid.sample(uniforms[:, :scales])
    with one_thread():
        beta, _ = interpolated(grid, answer, positions, ndtri(uniforms[:, scales:]))
    values = grid.values_at(positions)
    drawn = {scale.name: values[:, k].reshape(shape) for k, scale in enumerate(problem.scales)}
    return dataset(problem, drawn, beta.reshape(*shape, parameters))
