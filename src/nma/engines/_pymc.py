"""A problem as a PyMC model: every quantity named, every dimension labelled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np
import pandas as pd

from nma.errors import EngineError
from nma.least_squares import rotation
from nma.problem import Arms, Contrasts, Parameters, Problem, Scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.priors import Prior

__all__ = ["Parametrisation", "build", "integrable", "is_of_arms", "sampled_arms"]

Parametrisation = Literal["integrated", "non-centred", "centred"]
"""How random effects enter: integrated out where the evidence is normal, or sampled."""


def is_of_arms(name: str) -> bool:
    """Return whether a quantity belongs to arm-level evidence: trial levels and auxiliaries."""
    own = name.startswith(("trial_level", "auxiliary"))
    return own and not name.endswith(("_unscaled", "__"))


def integrable(problem: Problem) -> bool:
    """Return whether the random effects of normal evidence can be integrated out: one scale."""
    return len({effect.scale for effect in problem.effects}) <= 1


def sampled_arms(problem: Problem, parametrisation: Parametrisation) -> NDArray[np.bool_]:
    """Return which arms have their random effects sampled, (arm,)."""
    sampled = np.zeros(len(problem.arms), dtype=bool)
    for part in problem.evidence:
        if isinstance(part, Arms) or parametrisation != "integrated":
            sampled[part.arms] = True
    return sampled


def build(problem: Problem, parametrisation: Parametrisation) -> Any:
    """Return the problem as a ``pymc.Model``.

    Named quantities: each scale, ``beta`` (parameter), ``u`` (arm) where random effects are
    sampled, and ``trial_level`` (study) for arm-level evidence. Normal contrasts enter turned
    trial by trial until their rows are independent. The log density is normalised.

    Parameters
    ----------
    problem : Problem
        What to sample.
    parametrisation : {"integrated", "non-centred", "centred"}
        How random effects, and parameters that a scale multiplies, enter.
    """
    import pymc as pm

    coords = {"parameter": list(problem.parameters.names), "arm": _arm_labels(problem)}
    with pm.Model(coords=coords) as model:
        graph = _Graph(problem, parametrisation)
        scales = {scale.name: _scale(scale) for scale in problem.scales}
        beta = _normal("beta", problem.parameters, scales, parametrisation, "parameter")
        u = graph.random_effects(scales)
        arm_parts = 0
        for number, part in enumerate(problem.evidence):
            if isinstance(part, Contrasts):
                graph.contrasts(part, number, graph.level(beta) + u, scales)
            else:
                arm_parts += 1
                graph.arm_level(part, beta, u, scales, "" if arm_parts == 1 else f"_{arm_parts}")
    return model


def _arm_labels(problem: Problem) -> list[str]:
    arms = zip(problem.arms["study"], problem.arms["treatment"], strict=True)
    return [f"{study}: {treatment}" for study, treatment in arms]


def _density(prior: Prior, x: Any) -> Any:
    """Return the log density of a prior as a graph."""
    import pytensor.tensor as pt

    try:
        return prior.log_density(x, pt)
    except TypeError as error:
        message = (
            f"NUTS needs derivatives of {prior!r}: write its log_density(x, xp) in the functions "
            "of xp, which is NumPy or PyTensor's tensors."
        )
        raise EngineError(message) from error


def _variable(name: str, prior: Prior, dims: str | None = None) -> Any:
    """Return a random variable with a prior, or the number the prior fixes it at."""
    import pymc as pm
    import pytensor.tensor as pt

    lower, upper = prior.support
    if lower == upper:
        return pt.constant(float(lower))
    if np.isfinite(lower) and np.isfinite(upper):
        x = pm.Uniform(name, lower, upper, dims=dims)
        pm.Potential(f"{name}_prior", (_density(prior, x) + np.log(upper - lower)).sum())
        return x
    if np.isfinite(upper) or lower not in {0.0, -np.inf}:
        message = f"NUTS cannot sample {name} on {prior.support}: use a finite interval."
        raise EngineError(message)
    x = pm.Flat(name, dims=dims) if lower < 0 else pm.HalfFlat(name, dims=dims)
    pm.Potential(f"{name}_prior", _density(prior, x).sum())
    return x


def _scale(scale: Scale) -> Any:
    return _variable(scale.name, scale.prior)


def _normal(
    name: str, prior: Parameters, scales: dict[str, Any], how: Parametrisation, dims: str
) -> Any:
    """Return parameters with their multivariate normal prior, scaled where a scale says so."""
    import pymc as pm
    import pytensor.tensor as pt

    lower = np.linalg.cholesky(prior.covariance)
    if not any(prior.scale):
        return pm.MvNormal(name, mu=prior.mean, chol=lower, dims=dims)
    D = pt.stack([pt.as_tensor(1.0 if s is None else scales[s]) for s in prior.scale])
    if how != "centred":
        z = pm.MvNormal(f"{name}_unscaled", mu=np.zeros(len(prior.names)), chol=lower, dims=dims)
        return pm.Deterministic(name, prior.mean + D * z, dims=dims)
    x = pm.Flat(name, dims=dims)
    whitened = pt.dot(np.linalg.inv(lower), (x - prior.mean) / D)
    constant = np.log(np.diagonal(lower)).sum() + len(prior.names) * np.log(2 * np.pi) / 2
    pm.Potential(f"{name}_prior", -0.5 * (whitened**2).sum() - pt.log(D).sum() - constant)
    return x


@final
@dataclass(frozen=True, eq=False)
class _Graph:
    """The parts of the model that know the arms."""

    problem: Problem
    parametrisation: Parametrisation

    def level(self, beta: Any) -> Any:
        """Return the level of every arm, (arm,)."""
        import pytensor.tensor as pt

        if self.problem.predictor is not None:
            return self.problem.predictor(beta, self.problem.levels, pt)
        return pt.dot(self.problem.levels, beta)

    def random_effects(self, scales: dict[str, Any]) -> Any:
        """Return u of every arm, (arm,), zero where it is integrated out."""
        import pymc as pm
        import pytensor.tensor as pt

        sampled = np.flatnonzero(sampled_arms(self.problem, self.parametrisation))
        u: Any = pt.zeros(len(self.problem.arms))
        if not sampled.size or not self.problem.effects:
            return u
        study = pd.factorize(self.problem.arms["study"])[0][sampled]
        for number, effect in enumerate(self.problem.effects):
            keys = np.stack([study, effect.unit[sampled]])
            units, index = np.unique(keys, axis=1, return_inverse=True)
            b = self._units(f"{effect.scale}_effect_{number}", scales[effect.scale], units.shape[1])
            u = pt.inc_subtensor(u[sampled], effect.weight[sampled] * b[index.ravel()])
        return pm.Deterministic("u", u, dims="arm")

    def _units(self, name: str, scale: Any, count: int) -> Any:
        import pymc as pm

        sd = np.sqrt(0.5) * scale
        if self.parametrisation == "centred":
            return pm.Normal(name, 0.0, sd, shape=count)
        return sd * pm.Normal(f"{name}_unscaled", 0.0, 1.0, shape=count)

    def contrasts(self, part: Contrasts, number: int, theta: Any, scales: dict[str, Any]) -> None:
        """Add normal evidence, turned until its rows are independent."""
        import pymc as pm
        import pytensor.tensor as pt

        integrated = self.parametrisation == "integrated" and self.problem.effects
        free = self.problem.effects[0].scale if integrated else None
        found = rotation(self.problem, part, free, {})
        here = theta[part.arms]
        differences = here[:, 1:] - here[:, :1]
        name = f"contrasts_{number}"
        pm.Normal(
            name,
            mu=(found.turn * differences[:, None, :]).sum(axis=-1),
            sigma=1.0 if free is None else pt.sqrt(1 + scales[free] ** 2 * found.spread),
            observed=np.einsum("tjk,tk->tj", found.turn, part.y),
        )
        pm.Potential(f"{name}_turn", pt.constant(-0.5 * found.log_determinant))

    def arm_level(self, part: Arms, beta: Any, u: Any, scales: dict[str, Any], suffix: str) -> None:
        """Add evidence with a likelihood of its own."""
        import pymc as pm
        import pytensor.tensor as pt

        names = self.problem.arms["study"].to_numpy()[part.arms]
        model, dims = pm.modelcontext(None), f"study{suffix}"
        trial, first = np.unique(part.trial, return_index=True)
        model.add_coord(dims, list(names[first]))
        index = np.searchsorted(trial, part.trial)
        m = _variable(f"trial_level{suffix}", part.trial_level, dims)
        levels = m[index] if m.ndim else m
        eta = levels + self._within(part, beta, index) + u[part.arms]
        auxiliary = None
        if part.auxiliary is not None:
            inner = f"auxiliary_parameter{suffix}"
            model.add_coord(inner, list(part.auxiliary.names))
            auxiliary = _normal(
                f"auxiliary{suffix}", part.auxiliary, scales, self.parametrisation, inner
            )
        density = part.density(eta, auxiliary, part.data, pt)
        pm.Potential(f"arms{suffix}", density.sum())

    def _within(self, part: Arms, beta: Any, index: NDArray[np.int64]) -> Any:
        """Return the level of every arm of the part about its trial's mean, (arm,)."""
        import pytensor.tensor as pt

        mean = (index == np.arange(index.max() + 1)[:, None]).astype(float)
        mean /= mean.sum(axis=1, keepdims=True)
        if self.problem.predictor is None:
            levels = self.problem.levels[part.arms]
            return pt.dot(levels - (mean @ levels)[index], beta)
        level = self.level(beta)[part.arms]
        return level - pt.dot(mean, level)[index]
