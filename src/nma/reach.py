"""How far the trials reach: what of an answer the structure or its prior tells in their place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np
import pandas as pd

from nma.errors import shortened
from nma.span import directions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.network import Network
    from nma.problem import Problem
    from nma.protocols import Structure

__all__ = [
    "UNSEEN",
    "UNTOLD",
    "Beyond",
    "beyond",
    "groups_told",
    "homes",
    "is_of_arms",
    "is_told",
    "joined",
    "told_apart",
    "unseen",
]

UNSEEN = "Extrapolated: "
"""What a notice begins with that is about arms no trial has."""

UNTOLD = "The trials do not tell effects between "
"""What a notice begins with that is about effects only a prior tells."""

CLEAR = 1e-6
"""Share of the largest above which the smallest eigenvalue says without doubt that all is told."""


def joined(network: Network, structure: Structure) -> Iterator[str]:
    """Yield that parts of the network are joined by the structure alone, where they are."""
    parts = network.components
    if len(parts) > 1:
        listed = _listed(parts)
        yield (
            f"No trial connects the {len(parts)} parts of the network, {listed}: effects between "
            f"them rest on the structure, {_name(structure)}, alone."
        )


def told_apart(
    problem: Problem, structure: Structure, names: Sequence[str], levels: NDArray[np.float64]
) -> Iterator[str]:
    """Yield which treatments the trials do not tell apart, if any.

    Parameters
    ----------
    problem : Problem
        What was fitted.
    structure : Structure
        Whose prior tells in place of the trials.
    names : sequence of str
        The treatments asked about.
    levels : array, (treatment, parameter)
        Theirs.
    """
    groups = groups_told(problem, levels)
    if len(groups) > 1:
        listed = _listed([[names[k] for k in group] for group in groups])
        yield (f"{UNTOLD}{listed}: these rest on the prior of the structure, {_name(structure)}.")


def groups_told(problem: Problem, levels: NDArray[np.float64]) -> list[list[int]]:
    """Return the treatments in groups within which the trials tell every difference.

    Random effects, whose prior a scale multiplies, have mean zero: what the trials tell of the
    other parameters decides.

    Parameters
    ----------
    problem : Problem
        What was fitted.
    levels : array, (treatment, parameter)
        Of the treatments asked about.
    """
    fixed = np.array([scale is None for scale in problem.parameters.scale], dtype=bool)
    X = _differences(problem)[:, fixed]
    z = levels[:, fixed]
    if _is_clear(X):
        return [list(range(len(z)))]
    known = directions(X)
    groups: list[list[int]] = []
    for k, row in enumerate(z):
        told = (g for g in groups if known.determine((row - z[g[0]])[None])[0])
        home = next(told, None)
        if home is None:
            groups.append([k])
        else:
            home.append(k)
    return groups


def is_told(problem: Problem, contrasts: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which differences of levels the trials tell, as ``groups_told`` reckons.

    Parameters
    ----------
    problem : Problem
        What was fitted.
    contrasts : array, (contrast, parameter)
        The differences.
    """
    fixed = np.array([scale is None for scale in problem.parameters.scale], dtype=bool)
    X = _differences(problem)[:, fixed]
    if _is_clear(X):
        return np.ones(len(contrasts), dtype=bool)
    return directions(X).determine(contrasts[:, fixed])


def _differences(problem: Problem) -> NDArray[np.float64]:
    """Return each arm's levels minus those of its trial's first, every difference once."""
    trial = pd.factorize(problem.arms["study"])[0]
    first = np.zeros(trial.max() + 1, dtype=np.int64)
    first[trial[::-1]] = np.arange(len(trial))[::-1]
    z = problem.levels
    return np.unique(z - z[first[trial]], axis=0)


def _is_clear(X: NDArray[np.float64]) -> bool:
    """Return whether columns are independent beyond doubt, found faster than their rank is."""
    size = np.linalg.norm(X, axis=0)
    if not X.size or not size.all():
        return not X.shape[1]
    eigenvalues = np.linalg.eigvalsh((X / size).T @ (X / size))
    return bool(eigenvalues[0] > CLEAR * eigenvalues[-1])


def unseen(
    network: Network, structure: Structure, targets: pd.DataFrame, *, but: Sequence[str] = ()
) -> Iterator[str]:
    """Yield what is asked about that no trial has: treatments, and values beyond theirs.

    Parameters
    ----------
    network : Network
        The evidence.
    structure : Structure
        What tells of it all the same.
    targets : DataFrame
        The arms asked about.
    but : sequence of str
        Covariates whose values are not looked at.
    """
    rests = f"rests on the structure, {_name(structure)}."
    new = _new(network, structure, targets)
    if new:
        yield (
            f"{UNSEEN}no trial has {', '.join(map(_quoted, new))}; what is said of {_them(new)} "
            f"{rests}"
        )
    for name in _numbers(network, structure, targets):
        if name in but:
            continue
        told = beyond(network, structure, targets, name, by_arm=is_of_arms(network, name))
        if told.any():
            yield f"{UNSEEN}{'; '.join(_outside(told, targets, name))}; what is said there {rests}"


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
        arms = _trial_levels(network, structure)
        outside &= [not (arms == row).all(axis=1).any() for row in z]
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


def _new(network: Network, structure: Structure, targets: pd.DataFrame) -> list[str]:
    """Return the names that no trial has, under this name or another."""
    names = [name for name in dict.fromkeys(targets["treatment"]) if name not in network.treatments]
    found = homes(network, structure, targets) if names else {}
    return [name for name in names if not found[name].any()]


def _trial_levels(network: Network, structure: Structure) -> NDArray[np.float64]:
    """Return the levels of the trials' arms as if they stood outside them."""
    return structure.levels(network, network.table.drop(columns="study"))


def _numbers(network: Network, structure: Structure, targets: pd.DataFrame) -> Iterator[str]:
    """Yield the covariates that are numbers."""
    for name, value in structure.covariates(network).items():
        if name in targets and not isinstance(value, str):
            yield name


def is_of_arms(network: Network, covariate: str) -> bool:
    """Return whether the arms of some trial differ in a covariate, as they do in a dose."""
    told = network.table[["study", covariate]].drop_duplicates()
    return bool(told["study"].duplicated().any())


def _outside(told: Beyond, targets: pd.DataFrame, covariate: str) -> Iterator[str]:
    """Yield the values beyond those of the trials, with theirs."""
    asked = pd.DataFrame(
        {"x": targets[covariate], "name": targets["treatment"], "low": told.low, "high": told.high}
    )[told.is_so]
    for (low, high, *name), rows in asked.groupby(["low", "high", *["name"] * told.by_arm]):
        listed = ", ".join(f"{x:.4g}" for x in sorted(set(rows["x"])))
        of = f" of {_short(str(name[0]))}" if name else ""
        yield f"{covariate} {listed}{of} is outside the trials' {low:.4g} to {high:.4g}"


def _listed(parts: Sequence[Sequence[str]]) -> str:
    words = [f"({k}) {', '.join(map(_short, part))}" for k, part in enumerate(parts, start=1)]
    return f"{'; '.join(words[:-1])} and {words[-1]}"


def _short(name: str) -> str:
    return shortened(name)


def _quoted(name: str) -> str:
    return repr(shortened(name))


def _them(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"


def _name(structure: Structure) -> str:
    return type(structure).__name__
