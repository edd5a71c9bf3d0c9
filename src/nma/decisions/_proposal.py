"""A trial that is proposed: its arms, their levels, and how precisely it would measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd

from nma.decisions._measurement import Measurement, PerArm, contrasted, sizes
from nma.errors import ModelError, require_several, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior
    from nma.problem import ArmEffect

__all__ = ["Proposal", "proposed"]


@final
@dataclass(frozen=True, eq=False)
class Proposal:
    """A trial that has not been done.

    Parameters
    ----------
    arms : tuple of str
        As the user calls them, in one order whatever the user's was.
    frame : DataFrame
        One row for each arm, as structures read them.
    participants : array, (arm,)
        How many people each has.
    levels : array, (arm, parameter)
        z of every arm.
    V : array, (arm - 1, arm - 1)
        Sampling covariance of the later arms minus the first.
    effects : tuple of ArmEffect
        Random effects of its arms.
    """

    arms: tuple[str, ...]
    frame: pd.DataFrame
    participants: NDArray[np.float64]
    levels: NDArray[np.float64]
    V: NDArray[np.float64]
    effects: tuple[ArmEffect, ...]

    @property
    def X(self) -> NDArray[np.float64]:
        """Levels of the later arms minus those of the first."""
        return np.asarray(self.levels[1:] - self.levels[:1])

    def heterogeneity(self, scales: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return what random effects add to ``V``, (node, arm - 1, arm - 1).

        Parameters
        ----------
        scales : mapping of str to array, (node,)
            Values of the scales.
        """
        nodes = next((len(values) for values in scales.values()), 1)
        total = np.zeros((nodes, *self.V.shape))
        for effect in self.effects:
            shared = effect.unit[:, None] == effect.unit
            inner = 0.5 * np.outer(effect.weight, effect.weight) * shared
            total += scales[effect.scale][:, None, None] ** 2 * contrasted(inner)
        return total


def proposed(
    posterior: Posterior, arms: Sequence[str], n: PerArm, measurement: Measurement
) -> Proposal:
    """Return a proposed trial, its arms ordered by name so that the user's order does not matter.

    Raises
    ------
    ModelError
        If there are fewer than two arms, one comes twice, or the structure gives one no level.
    """
    require_several(arms, "arms")
    names = sorted(arms, key=str)
    _require_arms(names)
    frame = _frame(posterior, names)
    structure, network = posterior.model.structure, posterior.network
    levels = np.asarray(structure.levels(network, frame))
    people = sizes(n, names)
    return Proposal(
        arms=tuple(names),
        frame=frame,
        participants=people,
        levels=levels,
        V=measurement.covariance(levels, people, names),
        effects=posterior.model.heterogeneity.effects(network, frame),
    )


def _require_arms(names: Sequence[Any]) -> None:
    if len(names) < 2:
        one = f"{shown(names[0])} alone compares nothing" if names else "There is no arm"
        message = f"{one}: a trial has two arms or more, as in arms=['A', 'B']."
        raise ModelError(message)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        message = f"{', '.join(map(shown, twice))} comes twice: name each arm of the trial once."
        raise ModelError(message)


def _frame(posterior: Posterior, names: Sequence[str]) -> pd.DataFrame:
    """Return the arms as rows: those asked about as they are, others at the same covariates."""
    if "label" in posterior.targets:
        for name in names:
            posterior.position(name)  # at which values is not told by the treatment alone
    targets = posterior.targets.drop(columns="label", errors="ignore")
    place = {name: k for k, name in enumerate(posterior.treatments)}
    rows = [targets.iloc[place.get(name, 0)] for name in names]
    frame = pd.DataFrame(rows).reset_index(drop=True).infer_objects()
    frame["treatment"] = [
        targets["treatment"].iloc[place[name]] if name in place else name for name in names
    ]
    return frame
