"""One new trial like these: how its arms would stray from their levels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from nma.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior
    from nma.problem import ArmEffect

__all__ = ["drawn_effects", "generator", "pair_variance"]


def generator(seed: int, purpose: int) -> np.random.Generator:
    """Return random numbers that are independent of the engine's, whatever its seed.

    Raises
    ------
    ModelError
        If the seed is not an integer of zero or above.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        message = f"seed={seed!r} is not a whole number of zero or above: write seed=1, say."
        raise ModelError(message)
    return np.random.default_rng([int(seed), purpose])


def _effects(posterior: Posterior) -> tuple[ArmEffect, ...]:
    """Return the random effects of one trial that has every target as an arm."""
    return posterior.model.heterogeneity.effects(posterior.network, posterior.targets)


def pair_variance(
    posterior: Posterior,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    scales: Mapping[str, NDArray[np.float64]],
) -> NDArray[np.float64]:
    r"""Return what a new trial adds to the variance of differences, (node, pair).

    Each random effect adds :math:`\tau^2 (w_j^2 + w_k^2)/2`, or :math:`\tau^2 (w_j - w_k)^2/2`
    where the two arms share it.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    first, second : array of int, (pair,)
        Positions of the two arms among the targets.
    scales : mapping of str to array, (node,)
        The scales at each node.
    """
    nodes = next((len(values) for values in scales.values()), 1)
    total = np.zeros((nodes, len(first)))
    for effect in _effects(posterior):
        ours, theirs = effect.weight[first], effect.weight[second]
        shared = effect.unit[first] == effect.unit[second]
        added = np.where(shared, (ours - theirs) ** 2, ours**2 + theirs**2) / 2
        total += scales[effect.scale][:, None] ** 2 * added
    return total


def drawn_effects(posterior: Posterior, seed: int) -> NDArray[np.float64]:
    """Return u of every target in one new trial for each draw, (chain, draw, treatment).

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    seed : int
        The same seed gives the same numbers.
    """
    values, rng = posterior.draws.values, generator(seed, purpose=1)
    chains, draws = values.sizes["chain"], values.sizes["draw"]
    total = np.zeros((chains, draws, len(posterior.treatments)))
    for effect in _effects(posterior):
        _, unit = np.unique(effect.unit, return_inverse=True)
        e = rng.standard_normal((unit.max() + 1, chains, draws))
        scale = values[effect.scale].to_numpy()[..., None]
        total += np.sqrt(0.5) * scale * effect.weight * np.moveaxis(e[unit], 0, -1)
    return total
