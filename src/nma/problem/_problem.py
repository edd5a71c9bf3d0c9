"""All that an engine is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from nma.mixtures import readonly
from nma.problem._evidence import Arms, Evidence
from nma.problem._parameters import Parameters, Scale

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["ArmEffect", "Problem", "arm_parts"]


@final
@dataclass(frozen=True, eq=False)
class ArmEffect:
    """Random effects of arms: u = sqrt(1/2) tau weight e[unit], with e iid N(0, 1) in a trial.

    Parameters
    ----------
    scale : str
        Name of the scale tau.
    weight : array, (arm,)
        Multiplier of each arm's effect.
    unit : array of int, (arm,)
        Arms of one trial with the same unit share their effect.

    Examples
    --------
    >>> import nma
    >>> (effect,) = nma.fit(nma.datasets.network("back_pain")).problem.effects
    >>> effect.scale, effect.weight.shape
    ('tau', (18,))
    """

    scale: str
    weight: NDArray[np.float64]
    unit: NDArray[np.int64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", readonly(self.weight))
        object.__setattr__(self, "unit", readonly(self.unit))


@final
@dataclass(frozen=True, eq=False, repr=False)
class Problem:
    """Everything an engine may know: no labels to interpret, no network, no model.

    Parameters
    ----------
    arms : DataFrame
        One row for each arm, for labelling only.
    levels : array, (arm, parameter)
        z of every arm.
    parameters : Parameters
        Prior of beta.
    effects : tuple of ArmEffect
        Random effects within trials.
    scales : tuple of Scale
        Every scale, those of the parameters included.
    evidence : tuple of Contrasts or Arms
        What the trials reported.
    predictor : callable, optional
        For models that are not linear in beta: ``predictor(beta, levels, xp)`` gives the level
        of every arm, (arm,), in the functions of ``xp``.

    Examples
    --------
    >>> import nma
    >>> problem = nma.fit(nma.datasets.network("back_pain")).problem
    >>> problem.levels.shape, problem.parameters.names[0]
    ((18, 3), 'multimodal care vs individualised exercise')
    """

    arms: pd.DataFrame
    levels: NDArray[np.float64]
    parameters: Parameters
    effects: tuple[ArmEffect, ...]
    scales: tuple[Scale, ...]
    evidence: tuple[Evidence, ...]
    predictor: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", readonly(self.levels))

    def __repr__(self) -> str:
        """Return one line."""
        names = (*self.parameters.names, *(scale.name for scale in self.scales))
        return f"<Problem: {len(self.arms)} arms, {len(names)} unknowns; next: engine.sample>"


def arm_parts(problem: Problem) -> dict[int, str]:
    """Return which parts of the evidence report arms, with what the names of their draws end in.

    Draws of the first such part are called ``trial_level`` and the like, of the second
    ``trial_level_2``.

    Parameters
    ----------
    problem : Problem
        What an engine is given.

    Returns
    -------
    dict of int to str
        By position in ``problem.evidence``.

    Examples
    --------
    >>> import nma
    >>> nma.problem.arm_parts(nma.fit(nma.datasets.network("smoking")).problem)
    {0: ''}
    """
    places = [k for k, part in enumerate(problem.evidence) if isinstance(part, Arms)]
    return {place: f"_{k}" if k > 1 else "" for k, place in enumerate(places, start=1)}
