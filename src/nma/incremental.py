"""What a component adds, to whatever it is added to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from nma.errors import ModelError, nearest, require_several, shortened
from nma.estimates import direction, functions, interval_words, located, require_level
from nma.least_squares import estimable
from nma.parameters import reported, undetermined
from nma.posterior import at, require_posterior
from nma.structures._inside import Inside, components_inside

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior
    from nma.tables import Table

__all__ = ["incremental_effects"]


class Increment(NamedTuple):
    """A component, what it is added to, what that makes, and whether trials have both."""

    component: str
    before: str
    after: str
    tested: bool


def incremental_effects(
    posterior: Posterior,
    *,
    adding: Sequence[str] | None = None,
    to: Sequence[str] | None = None,
    level: float = 0.95,
) -> Table:
    r"""Return the effects of adding one component to combinations that lack it.

    .. math:: \delta_{t \cup c} - \delta_t = \beta_c + \sum_{I \subseteq t \cup c,\ c \in I}
        \gamma_I

    Without interactions that is the same whatever the component is added to: additivity assumes
    it, and ``nma.checks.additivity`` asks whether the trials agree.

    Parameters
    ----------
    posterior : Posterior
        A fitted model with components, ``nma.structures.Components`` alone or wrapped.
    adding : sequence of str, optional
        Components; all that have an effect if not given.
    to : sequence of str, optional
        Treatments, or combinations that no trial has; every treatment if not given.
    level : float, default 0.95
        Probability of the equal-tailed intervals.

    Returns
    -------
    Table
        By (``component``, ``added to``): the columns of ``parameter_table``, and ``tested``,
        whether both combinations are treatments of the network. What has the component already is
        left out.

    Raises
    ------
    ModelError
        If the model has no components, a component or a combination is unknown (all at once, with
        the closest names), or nothing is left to add.

    Examples
    --------
    >>> import nma
    >>> structure = nma.structures.Components(separator=" + ", inactive="usual care")
    >>> posterior = nma.fit(nma.datasets.network("musician"), nma.Model(structure))
    >>> table = nma.incremental_effects(posterior, adding=["exercise"])
    >>> table.index.get_level_values("added to").tolist()
    ['telephone CBT', 'usual care']

    References
    ----------
    Welton et al. 2009, doi:10.1093/aje/kwp014.
    """
    require_posterior(posterior, "incremental_effects")
    require_level(level)
    inside = components_inside(posterior.model.structure, posterior.network)
    components = _components(inside, adding)
    increments, idle = _increments(inside, components, _combinations(inside, to))
    if not increments:
        message = f"Nothing is left to add: {_idle_words(idle)}."
        raise ModelError(message)
    pairs = [(one.before, one.after) for one in increments]
    asked = at(posterior, treatments=list(dict.fromkeys(name for pair in pairs for name in pair)))
    place = {name: k for k, name in enumerate(asked.treatments)}
    before, after = (np.array([place[pair[side]] for pair in pairs]) for side in (0, 1))
    contrasts = asked.levels[after] - asked.levels[before]
    told = estimable(asked.problem, contrasts)
    rows = [(one.component, one.before) for one in increments]
    return reported(
        asked,
        functions(asked, contrasts, level),
        index=pd.MultiIndex.from_tuples(rows, names=["component", "added to"]),
        more={"told": told, "tested": [one.tested for one in increments]},
        caption=located(
            asked,
            f"What a component adds, {asked.network.measure} with "
            f"{interval_words(asked, level)}s; {direction(asked, 'adding it')}.",
        ),
        notes=[
            *_assumed(rows, contrasts),
            *undetermined(asked, [f"{c} added to {t}" for c, t in rows], told),
            *([f"Left out: {_idle_words(idle)}."] if idle and to is not None else []),
        ],
    )


def _components(inside: Inside, adding: Sequence[str] | None) -> list[str]:
    """Return the components to add, all of which the network has."""
    require_several(adding, "adding")
    known = inside.names
    if adding is None:
        return list(known)
    faults = [
        f"{name!r} is inactive and adds nothing."
        if name == inside.components.inactive
        else f"{name!r} is not a component of this network.{nearest(name, known)}"
        for name in dict.fromkeys(adding)
        if name not in known
    ]
    if faults:
        message = f"{' '.join(faults)} Components: {', '.join(map(repr, known))}."
        raise ModelError(message)
    return list(dict.fromkeys(adding))


def _combinations(inside: Inside, to: Sequence[str] | None) -> list[str]:
    """Return the combinations to add to; those that the network has by its own names."""
    require_several(to, "to")
    treatments = inside.network.treatments
    if to is None:
        return list(treatments)
    faults = [fault for name in dict.fromkeys(to) for fault in _unknown(inside, str(name))]
    if faults:
        message = f"{' '.join(faults)} Components: {', '.join(map(repr, inside.names))}."
        raise ModelError(message)
    known = set(treatments)
    names = (str(name) for name in to)
    return list(dict.fromkeys(n if n in known else _named(inside, n) for n in names))


def _unknown(inside: Inside, name: str) -> Iterator[str]:
    """Yield which components of a combination the network does not have."""
    known = [*inside.names, *inside.network.treatments, *filter(None, [inside.components.inactive])]
    for part in sorted(inside.components.parts(name).difference(inside.names)):
        where = "" if part == name else f" in {name!r}"
        yield f"{part!r}{where} is not a component of this network.{nearest(part, known)}"


def _named(inside: Inside, *parts: str) -> str:
    """Return the name of a combination: that of a treatment which is just it, if there is one."""
    active = frozenset(part for name in parts for part in inside.components.parts(name))
    made = inside.treatments.get(active)
    return made or inside.components.combination(inside.network, *parts)


def _increments(
    inside: Inside, components: Sequence[str], combinations: Sequence[str]
) -> tuple[list[Increment], list[tuple[str, str]]]:
    """Return what is added to what, and what has the component already."""
    known = inside.treatments
    found: list[Increment] = []
    idle: list[tuple[str, str]] = []
    for component in components:
        for before in combinations:
            parts = inside.components.parts(before)
            if component in parts:
                idle.append((component, before))
                continue
            tested = parts in known and parts | {component} in known
            after = _named(inside, before, component)
            found.append(Increment(component, before, after, tested))
    return found, idle


def _idle_words(idle: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{shortened(name)!r} has {component!r}" for component, name in idle)


def _assumed(rows: Sequence[tuple[str, str]], contrasts: NDArray[np.float64]) -> list[str]:
    """Return that increments are equal by assumption, where they are."""
    first: dict[str, int] = {}
    same = [
        np.array_equal(contrasts[first.setdefault(component, row)], contrasts[row])
        for row, (component, _) in enumerate(rows)
    ]
    if len(first) == len(rows):
        return []
    if all(same):
        said = (
            "What a component adds is the same whatever it is added to: that is the assumption of "
            "additivity, and nma.checks.additivity asks whether the trials agree."
        )
        return [said]
    return ["What a component adds differs by what it is added to."]
