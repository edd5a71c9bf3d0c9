"""Values of covariates and doses that trials have, by treatment, and what lies beyond them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, final

import numpy as np
import pandas as pd

from nma.errors import shortened

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.network import Network
    from nma.protocols import Structure

__all__ = ["Beyond", "beyond", "homes", "is_of_arms", "outside", "stretch"]


@final
class Beyond(NamedTuple):
    """Which targets are outside the values that trials have, (target,), and those values."""

    is_so: NDArray[np.bool_]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    by_arm: bool

    def any(self) -> bool:
        """Return whether one is."""
        return bool(self.is_so.any())


def beyond(
    network: Network, structure: Structure, targets: pd.DataFrame, covariate: str, *, by_arm: bool
) -> Beyond:
    """Return which targets are at a value of a covariate outside those of the trials.

    Where the value does not matter, as for a control without a slope, none is; nor where some arm
    of a trial has the same level.

    Parameters
    ----------
    network : Network
        The evidence.
    structure : Structure
        What gives levels.
    targets : DataFrame
        The arms asked about.
    covariate : str
        A column of numbers.
    by_arm : bool
        Whether a value counts for the treatments of the arms that have it, or for all.
    """
    low, high = _ranges(network, structure, targets, covariate, by_arm=by_arm)
    x = targets[covariate].to_numpy(dtype=float)
    outside = (x < low) | (x > high)
    if outside.any():
        inside = targets.assign(**{covariate: np.where(outside, np.clip(x, low, high), x)})
        z = structure.levels(network, targets)
        outside &= (z != structure.levels(network, inside)).any(axis=1)
        tried = {row.tobytes() for row in _trial_levels(network, structure) + 0.0}
        outside &= [row.tobytes() not in tried for row in z + 0.0]  # + 0.0: there is no -0.0
    return Beyond(outside, low, high, by_arm)


def _ranges(
    network: Network, structure: Structure, targets: pd.DataFrame, covariate: str, *, by_arm: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the smallest and the largest value that trials have, for each target."""
    values = network.table[covariate].to_numpy(dtype=float)
    found = np.full((len(targets), 2), np.nan)
    groups = homes(network, structure, targets) if by_arm else {}
    for row, name in enumerate(targets["treatment"]):
        ours = values[groups[name]] if by_arm else values
        if np.isfinite(ours).any():
            found[row] = np.nanmin(ours), np.nanmax(ours)
    return found[:, 0], found[:, 1]


def homes(
    network: Network, structure: Structure, targets: pd.DataFrame
) -> dict[str, NDArray[np.bool_]]:
    """Return which arms of trials each target stands for: its own; else those alike.

    A name that no trial has is alike those treatments that have its level at the same values of
    the covariates, as an agent is the treatments that are its doses.

    Parameters
    ----------
    network : Network
        The evidence.
    structure : Structure
        What gives levels.
    targets : DataFrame
        The arms asked about.
    """
    names = network.table["treatment"].to_numpy()
    found = {name: names == name for name in targets["treatment"]}
    for name in [name for name, own in found.items() if not own.any()]:
        rows = targets[targets["treatment"] == name]
        z = structure.levels(network, rows)
        alike = [
            other
            for other in network.treatments
            if (structure.levels(network, rows.assign(treatment=other)) == z).all()
        ]
        found[name] = np.isin(names, alike)
    return found


def _trial_levels(network: Network, structure: Structure) -> NDArray[np.float64]:
    """Return the levels of the trials' arms as if they stood outside them."""
    return structure.levels(network, network.table.drop(columns="study"))


def is_of_arms(network: Network, covariate: str) -> bool:
    """Return whether the arms of some trial differ in a covariate, as they do in a dose."""
    told = network.table[["study", covariate]].drop_duplicates()
    return bool(told["study"].duplicated().any())


def outside(told: Beyond, targets: pd.DataFrame, covariate: str) -> Iterator[str]:
    """Yield the values beyond those of the trials, with theirs, as clauses.

    Parameters
    ----------
    told : Beyond
        Which they are.
    targets : DataFrame
        The arms asked about.
    covariate : str
        Whose values.
    """
    asked = pd.DataFrame(
        {"x": targets[covariate], "name": targets["treatment"], "low": told.low, "high": told.high}
    )[told.is_so]
    for key, rows in asked.groupby(["low", "high", *["name"] * told.by_arm]):
        values: Any = key
        low, high, *name = values
        listed = ", ".join(f"{x:.4g}" for x in sorted(set(rows["x"])))
        of = f" of {shortened(str(name[0]))}" if name else ""
        yield f"{covariate} {listed}{of} is outside the trials' {stretch(low, high)}"


def stretch(low: float, high: float) -> str:
    """Return the values from one to another in words."""
    return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"
