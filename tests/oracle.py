"""An answer found another way: dense marginal normals and SciPy's own quadrature.

Where the engine works with posterior precisions of independent rows, this works with the full
marginal covariance of the observed contrasts, and integrates with adaptive Gauss-Kronrod.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray
from scipy import integrate, linalg, stats

from nma.problem import Contrasts, Problem

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Answer:
    log_evidence: float
    mean: Array
    covariance: Array
    scales: Mapping[str, float]


def stacked(problem: Problem) -> tuple[Array, Array, Array, Mapping[str, Array]]:
    """Return y, X, V and the covariance that each effect scale adds, all dense."""
    ys, Xs, Vs = [], [], []
    added: dict[str, list[Array]] = {effect.scale: [] for effect in problem.effects}
    for block in problem.evidence:
        assert isinstance(block, Contrasts)
        for arms, y, V in zip(block.arms, block.y, block.V, strict=True):
            difference = np.column_stack([-np.ones(len(y)), np.eye(len(y))])
            ys.append(y)
            Vs.append(V)
            Xs.append(difference @ problem.levels[arms])
            for name, parts in added.items():
                parts.append(difference @ _between(problem, arms, name) @ difference.T)
    blocks = {name: linalg.block_diag(*parts) for name, parts in added.items()}
    return np.concatenate(ys), np.vstack(Xs), linalg.block_diag(*Vs), blocks


def _between(problem: Problem, arms: NDArray[np.int64], name: str) -> Array:
    covariance = np.zeros((len(arms), len(arms)))
    for effect in problem.effects:
        if effect.scale == name:
            for j, arm in enumerate(arms):
                for k, other in enumerate(arms):
                    if effect.unit[arm] == effect.unit[other]:
                        covariance[j, k] += effect.weight[arm] * effect.weight[other] / 2
    return covariance


def given(problem: Problem, scales: Mapping[str, float]) -> tuple[float, Array, Array]:
    """Return log evidence, mean and covariance of beta at known scales."""
    y, X, V, added = stacked(problem)
    prior = problem.parameters
    D = np.array([1.0 if name is None else scales[name] for name in prior.scale])
    K = D[:, None] * prior.covariance * D
    within = V + sum((scales[name] ** 2 * part for name, part in added.items()), np.zeros_like(V))
    S = within + X @ K @ X.T
    residual = y - X @ prior.mean
    gain = np.linalg.solve(S, X @ K).T
    evidence = float(stats.multivariate_normal(np.zeros(len(y)), S).logpdf(residual))
    return evidence, prior.mean + gain @ residual, K - gain @ X @ K


def answer(problem: Problem, *, upto: float = 60.0) -> Answer:
    """Integrate the scales from zero to ``upto``: one adaptively, several by a product rule."""
    names = [scale.name for scale in problem.scales]
    anchor = given(problem, dict.fromkeys(names, 0.3))[0]

    def integrand(values: Sequence[float]) -> Array:
        log, mean, covariance = given(problem, dict(zip(names, values, strict=True)))
        for scale, value in zip(problem.scales, values, strict=True):
            log += float(scale.prior.log_density(np.array([value]))[0])
        second = covariance + np.outer(mean, mean)
        parts = np.concatenate([[1.0], np.asarray(values), mean, second.ravel()])
        return np.asarray(np.exp(log - anchor) * parts)

    supports = [(max(a, 0.0), min(b, upto)) for a, b in (s.prior.support for s in problem.scales)]
    total = _integral(integrand, supports)
    parts = total / total[0]
    count, size = len(names), len(problem.parameters.names)
    mean = parts[1 + count : 1 + count + size]
    second = parts[1 + count + size :].reshape(size, size)
    return Answer(
        float(np.log(total[0])) + anchor,
        mean,
        second - np.outer(mean, mean),
        dict(zip(names, parts[1 : 1 + count], strict=True)),
    )


def _integral(
    function: Callable[[Sequence[float]], Array], supports: Sequence[tuple[float, float]]
) -> Array:
    free = [k for k, (lower, upper) in enumerate(supports) if lower < upper]
    known = np.array([lower for lower, _ in supports])
    if len(free) == 1:
        only = free[0]

        def along(value: float) -> Array:
            values = known.copy()
            values[only] = value
            return function(values.tolist())

        points = [p for p in (0.2, 1.0) if supports[only][0] < p < supports[only][1]]
        limits = supports[only]
        found, _ = integrate.quad_vec(along, *limits, epsabs=1e-13, epsrel=1e-11, points=points)
        return np.asarray(found)
    total = np.zeros(1)
    for choice in product(*(_panels(*supports[k]) for k in free)):
        values = known.copy()
        values[free] = [value for value, _ in choice]
        total = np.asarray(
            total + math.prod(weight for _, weight in choice) * function(values.tolist())
        )
    return total


def _panels(lower: float, upper: float) -> list[tuple[float, float]]:
    """Return Gauss-Legendre nodes and weights on panels that double in length."""
    ends = [lower, *(lower + (upper - lower) * np.array([1 / 16, 1 / 8, 1 / 4, 1 / 2, 1]))]
    x, w = np.polynomial.legendre.leggauss(10)
    return [
        (float(a + (b - a) * (node + 1) / 2), float(weight * (b - a) / 2))
        for a, b in pairwise(ends)
        for node, weight in zip(x, w, strict=True)
    ]
