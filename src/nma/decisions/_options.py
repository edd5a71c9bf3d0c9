"""The treatments that are chosen from, and the rule: the best posterior mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np

from nma.errors import ModelError, require_several
from nma.least_squares import estimable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior
    from nma.problem import Problem

__all__ = ["Choice", "Options", "options"]

TIE = 1e-12
"""Lead, as a share of the largest mean, below which two treatments are equally good."""


class Choice(NamedTuple):
    """The recommended treatment, by how much it leads, and over whom."""

    name: str
    lead: float
    runner_up: str


@final
@dataclass(frozen=True, eq=False)
class Options:
    """Treatments as levels of the model; those with the same levels are one.

    Parameters
    ----------
    names : tuple of str
        As they are written: several that the model makes the same, joined by "and".
    levels : array, (option, parameter)
        Oriented: more is better.
    asked : tuple of str
        The treatments one by one.
    """

    names: tuple[str, ...]
    levels: NDArray[np.float64]
    asked: tuple[str, ...]

    def best(self, beta: NDArray[np.float64]) -> int:
        """Return where the treatment with the best mean stands."""
        return int(np.argmax(self.levels @ beta))

    def against(self, best: int) -> Contenders:
        """Return the others, as one of them sees them."""
        rest = [k for k in range(len(self.names)) if k != best]
        names = tuple(self.names[k] for k in rest)
        return Contenders(self.names[best], names, self.levels[best] - self.levels[rest])

    def choice(self, beta: NDArray[np.float64]) -> Choice:
        """Return the recommended treatment.

        Raises
        ------
        ModelError
            If two have the same mean.
        """
        best = self.best(beta)
        others = self.against(best)
        leads = others.leads(beta)
        k = int(np.argmin(leads))
        if leads[k] <= TIE * float(np.abs(self.levels @ beta).max()):
            message = (
                f"{others.best!r} and {others.names[k]!r} have the same mean: there is no one "
                "recommended treatment to change. Leave one out with treatments=[...]."
            )
            raise ModelError(message)
        return Choice(others.best, float(leads[k]), others.names[k])


@final
@dataclass(frozen=True, eq=False)
class Contenders:
    """The best treatment and those that could replace it.

    Parameters
    ----------
    best : str
        The one that is recommended.
    names : tuple of str
        The others.
    contrasts : array, (contender, parameter)
        By how much the best is better than each.
    """

    best: str
    names: tuple[str, ...]
    contrasts: NDArray[np.float64]

    def leads(self, beta: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return by how much the best leads over each."""
        return np.asarray(self.contrasts @ beta)

    @cached_property
    def sizes(self) -> NDArray[np.float64]:
        """Length of each contrast."""
        return np.asarray(np.linalg.norm(self.contrasts, axis=1))


def options(posterior: Posterior, treatments: Sequence[str] | None, problem: Problem) -> Options:
    """Return the treatments that are chosen from.

    Raises
    ------
    ModelError
        If one is unknown, there are no two that differ, the structure gives no level outside a
        trial, or least squares leaves a comparison of them undetermined.
    """
    require_several(treatments, "treatments")
    asked = tuple(dict.fromkeys(posterior.treatments if treatments is None else treatments))
    places = [posterior.position(name) for name in asked]
    levels = posterior.levels[places]
    distinct, group = np.unique(levels, axis=0, return_inverse=True)
    if len(distinct) < 2:
        _refuse_one(asked)
    first: dict[int, list[int]] = {}
    for place, member in enumerate(group.ravel().tolist()):
        first.setdefault(member, []).append(place)
    names = tuple(" and ".join(asked[k] for k in members) for members in first.values())
    sign = 1.0 if posterior.network.better == "higher" else -1.0
    found = Options(names, sign * levels[[members[0] for members in first.values()]], asked)
    if posterior.draws.intervals != "credible":
        _require_determined(found, problem)
    return found


def _refuse_one(names: tuple[str, ...]) -> None:
    if len(names) < 2:
        message = f"{', '.join(names)!r} alone leaves nothing to choose: ask about two or more."
    else:
        message = f"The model makes {', '.join(names)} one and the same: there is no choice."
    raise ModelError(message)


def _require_determined(found: Options, problem: Problem) -> None:
    loose = ~estimable(problem, found.levels - found.levels[0])
    if loose.any():
        names = ", ".join(repr(n) for n, is_so in zip(found.names, loose, strict=True) if is_so)
        message = (
            f"No trials, directly or together, compare {names} with {found.names[0]!r}, so least "
            "squares cannot choose between them: name those that are connected, treatments=[...]."
        )
        raise ModelError(message)
