"""How far the trials reach: what of an answer the structure or its prior tells in their place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nma.errors import shortened
from nma.ranges import beyond, homes, is_of_arms, outside
from nma.span import directions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.network import Network
    from nma.problem import Problem
    from nma.protocols import Structure

__all__ = [
    "ABOUT_TARGETS",
    "groups_told",
    "is_told",
    "joined",
    "told_apart",
    "unseen",
]

UNSEEN = "Extrapolated: "
"""What a notice begins with that is about arms no trial has."""

UNTOLD = "The trials do not tell effects between "
"""What a notice begins with that is about effects only a prior tells."""

CLASSES = "Classes, not treatments: "
"""What a notice begins with that is about the means of classes."""

ABOUT_TARGETS = (UNSEEN, UNTOLD, CLASSES)
"""How the notices begin that are about what is asked, and go with it."""

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
    known = directions(np.unique(X, axis=0))
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
    return directions(np.unique(X, axis=0)).determine(contrasts[:, fixed])


def _differences(problem: Problem) -> NDArray[np.float64]:
    """Return each arm's levels minus those of its trial's first."""
    trial = pd.factorize(problem.arms["study"])[0]
    first = np.zeros(trial.max() + 1, dtype=np.int64)
    first[trial[::-1]] = np.arange(len(trial))[::-1]
    z = problem.levels
    return z - z[first[trial]]


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
    classes = _classes(network, structure) - set(network.treatments)
    means = [name for name in dict.fromkeys(targets["treatment"]) if name in classes]
    if means:
        yield (
            f"{CLASSES}{', '.join(map(_quoted, means))}: the mean of each, which the treatments of "
            "a class scatter around."
        )
    new = [name for name in _new(network, structure, targets) if name not in classes]
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
            yield f"{UNSEEN}{'; '.join(outside(told, targets, name))}; what is said there {rests}"


def _classes(network: Network, structure: Any) -> set[str]:
    """Return the names of classes that a structure asks its base about in place of treatments."""
    found: set[str] = set()
    while structure is not None:
        if hasattr(structure, "grouped"):
            network = structure.grouped(network)
            found |= set(network.treatments)
        structure = getattr(structure, "base", None)
    return found


def _new(network: Network, structure: Structure, targets: pd.DataFrame) -> list[str]:
    """Return the names that no trial has, under this name or another."""
    names = [name for name in dict.fromkeys(targets["treatment"]) if name not in network.treatments]
    found = homes(network, structure, targets) if names else {}
    return [name for name in names if not found[name].any()]


def _numbers(network: Network, structure: Structure, targets: pd.DataFrame) -> Iterator[str]:
    """Yield the covariates that are numbers."""
    for name, value in structure.covariates(network).items():
        if name in targets and not isinstance(value, str):
            yield name


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
