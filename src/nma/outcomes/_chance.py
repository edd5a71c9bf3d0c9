"""Chance: counts that trials could see, given what is true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nma.errors import DataError
from nma.outcomes import _checks

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from nma.links import Link
    from nma.outcomes._categories import Categories

__all__ = ["binomial", "categories", "level_of", "require_risks"]

REMEDY = (
    "Lower the reference level, the effects or the heterogeneity, or choose measure='OR', whose "
    "risks never leave 0 to 1."
)
"""What to do about truths that cannot be."""


def require_risks(rows: pd.DataFrame, column: str, risk: NDArray[np.float64]) -> None:
    """Refuse true risks outside 0 to 1, each with its arm.

    Raises
    ------
    DataError
        If there are any.
    """
    beyond = (risk < 0) | (risk > 1) | np.isnan(risk)
    true = rows.assign(**{column: risk})
    problem = "the truth makes the risk of this arm {value}"
    issues = _checks.where(true, column, beyond, "impossible-risk", problem, REMEDY)
    if issues:
        raise DataError(issues)


def binomial(
    n: NDArray[np.float64], risk: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return events among n people, as the numbers of a table."""
    return rng.binomial(n.astype(np.int64), risk).astype(float)


def categories(
    arms: Categories, above: NDArray[np.float64], rng: np.random.Generator
) -> dict[str, NDArray[np.float64]]:
    """Return counts by column, in the way the arms report them.

    Parameters
    ----------
    arms : Categories
        Where an arm tells no category at all, it will tell all of them.
    above : array, (row, category)
        True chance of each category or a higher one.
    rng : Generator
        The source of chance.
    """
    people, count = np.ones((len(above), 1)), np.zeros((len(above), 1))
    chance = -np.diff(np.hstack([people, above, count]), axis=1)
    drawn = rng.multinomial(arms.people.astype(np.int64), np.maximum(chance, 0.0))
    at_least = np.cumsum(drawn[:, :0:-1], axis=1)[:, ::-1].astype(float)
    told = np.where(arms.told.any(axis=1, keepdims=True), arms.told, True)
    for k in range(at_least.shape[1] - 1, -1, -1):
        kept = at_least[:, k].copy()
        if not arms.inclusive:
            at_least[:, k] -= count[:, 0]
        count[:, 0] = np.where(told[:, k], kept, count[:, 0])
    shown = np.where(told, at_least, np.nan)
    return {name: shown[:, k] for k, name in enumerate(arms.names)}


def level_of(arms: Categories, link: Link, z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the level that each arm reports, (row,), NaN where it tells no category.

    Parameters
    ----------
    arms : Categories
        Each tells by its lowest category; half a person is added above and below.
    link : Link
        Of the latent scale.
    z : array, (category,)
        The cut-points.
    """
    lowest = np.argmax(arms.told, axis=1)
    people = np.take_along_axis(arms.at_least, lowest[:, None], axis=1)[:, 0]
    return np.asarray(link.link((people + 0.5) / (arms.people + 1)) + z[lowest])
