"""Interactions of components, one at a time: which of them the trials speak for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nma.checks._additivity import fixed_effects
from nma.errors import ModelError, nearest
from nma.estimates import briefly, captioned, functions, interval_words, require_level, scale_name
from nma.least_squares import estimable
from nma.model import problem
from nma.posterior import require_posterior
from nma.refits import Executor, Refit, Refits, refit_all
from nma.structures._inside import Inside, components_inside
from nma.tables import Table, decimals, probability

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.least_squares import CommonEffect
    from nma.posterior import Posterior
    from nma.protocols import Structure

__all__ = ["interactions"]

Parts = tuple[str, ...]
"""Components that may interact."""

NUMBERS = ("mean", "sd", "lower", "upper", "p", "mcse")
"""What is read of a fit."""


def interactions(
    posterior: Posterior,
    sets: Sequence[Sequence[str]] | None = None,
    *,
    level: float = 0.95,
    executor: Executor | None = None,
    progress: bool = True,
) -> Table:
    r"""Return each interaction of components when it alone is added to the model.

    The resolved model is fitted again with one term :math:`\gamma_I` more, which all treatments
    that have these components have, and whose prior is that of the difference between two
    components,

    .. math:: p = 2 \min\{P(\gamma_I > 0 \mid y), P(\gamma_I < 0 \mid y)\}

    Parameters
    ----------
    posterior : Posterior
        A fitted model with components, ``nma.structures.Components`` alone or wrapped.
    sets : sequence of sequence of str, optional
        The components of each interaction; every pair that some treatment has together if not
        given.
    level : float, default 0.95
        Probability of the equal-tailed intervals.
    executor : Executor, optional
        Where to fit: anything with ``map``, such as those of ``concurrent.futures``. Here, one
        after another, if not given; the numbers are the same.
    progress : bool, default True
        Whether to show a bar, on terminals and in notebooks.

    Returns
    -------
    Table
        By ``interaction``: ``trials`` with all its components in one arm; ``mean``, ``sd``,
        ``lower`` and ``upper`` on the scale of the model, and ``p``; ``Q`` and ``df`` at common
        effect of the model with it, and ``p_Q`` of what it takes from Q without it, on one degree
        of freedom; ``mcse`` of the mean. Interactions that the trials cannot tell from the rest of
        the model are named in a note, their cells empty. ``attrs["without"]`` holds Q and df
        without any.

    Raises
    ------
    ModelError
        If the model has no components, all pairs interact in it, or an interaction is unknown, in
        no treatment, or in the model already (all at once).
    EngineError
        If no fit succeeded.

    Examples
    --------
    >>> import nma
    >>> structure = nma.structures.Components(separator=" + ", inactive="usual care")
    >>> posterior = nma.fit(nma.datasets.network("musician"), nma.Model(structure))
    >>> table = nma.checks.interactions(posterior)
    >>> table[["mean", "Q", "df"]].round(2).loc["exercise x telephone CBT"].tolist()
    [-1.19, 0.0, 0.0]

    References
    ----------
    Welton et al. 2009, doi:10.1093/aje/kwp014; Ruecker, Petropoulou and Schwarzer 2020,
    doi:10.1002/bimj.201800167.
    """
    require_posterior(posterior, "interactions")
    require_level(level)
    inside = components_inside(posterior.model.structure, posterior.network)
    chosen = _chosen(inside, sets)
    structures = {_name(parts): _with(inside, parts) for parts in chosen}
    place = len(inside.names) + len(_known(inside))
    told = {name: _is_told(posterior, made, place) for name, made in structures.items()}
    tasks = [
        Refit.of(posterior, name, model=replace(posterior.model, structure=made))
        for name, made in structures.items()
        if told[name]
    ]
    read = partial(_read, place, level)
    found = refit_all(tasks, read, executor=executor, progress=progress)
    effects = {name: fixed_effects(posterior, made) for name, made in structures.items()}
    rows = {
        _name(parts): {"trials": _trials(inside, parts)}
        | dict(zip(NUMBERS, found.done.get(_name(parts), [np.nan] * len(NUMBERS)), strict=True))
        for parts in chosen
    }
    without = fixed_effects(posterior, inside.whole)
    return _tabulated(posterior, rows, effects, without, found, told, level)


def _known(inside: Inside) -> Sequence[Parts]:
    """Return the interactions that the model names."""
    given: Any = inside.components.interactions
    if given == "all":
        message = (
            "All pairs of components interact in this model already, shrunken together: "
            "nma.parameter_table(posterior, random=True) tells each."
        )
        raise ModelError(message)
    return [tuple(sorted(parts)) for parts in given or ()]


def _chosen(inside: Inside, sets: Sequence[Sequence[str]] | None) -> list[Parts]:
    """Return the interactions to add; refuse at once all that cannot be."""
    known = _known(inside)
    if sets is None:
        pairs = {
            pair
            for name in inside.network.treatments
            for pair in combinations(sorted(inside.components.parts(name)), 2)
        }
        return sorted(pairs - set(known))
    if isinstance(sets, str) or any(isinstance(parts, str) for parts in sets):
        message = f'sets={sets!r} lists interactions: write [("CBT", "exercise")].'
        raise ModelError(message)
    chosen = list(dict.fromkeys(tuple(sorted(map(str, parts))) for parts in sets))
    faults = [fault for parts in chosen for fault in _faults(inside, parts, known)]
    if faults:
        raise ModelError(" ".join(faults))
    return chosen


def _faults(inside: Inside, parts: Parts, known: Sequence[Parts]) -> Iterator[str]:
    names = inside.names
    unknown = [part for part in parts if part not in names]
    for part in unknown:
        yield f"{part!r} is no component that has an effect.{nearest(part, names)}"
    if len(set(parts)) < max(2, len(parts)):
        yield f"{_name(parts)} is no interaction: name two components or more, each once."
    elif parts in known:
        yield f"{_name(parts)} is in the model already."
    elif not unknown and not any(set(parts) <= own for own in inside.treatments):
        yield f"No treatment has all of {_name(parts)}, so no trial can tell it."


def _name(parts: Parts) -> str:
    return " x ".join(parts)


def _with(inside: Inside, parts: Parts) -> Structure:
    """Return the structure with one interaction more, the last of its components' parameters."""

    def added(components: Any) -> Structure:
        more: Structure = replace(
            components,
            interactions=(*_known(inside), parts),
            interaction=components.interaction or components.effect,
        )
        return more

    return inside.around(added)


def _is_told(posterior: Posterior, structure: Structure, place: int) -> bool:
    """Return whether the trials tell an interaction from the rest of the model."""
    made = problem(replace(posterior.model, structure=structure), posterior.network)
    return bool(estimable(made, np.eye(made.levels.shape[1])[[place]])[0])


def _read(place: int, level: float, fitted: Posterior) -> list[float]:
    """Read the interaction where it was fitted."""
    count = len(fitted.problem.parameters.names)
    found = functions(fitted, np.eye(count)[[place]], level)
    p = 2 * min(float(found.better[0]), 1 - float(found.better[0]))
    numbers = (found.mean, found.sd, found.lower, found.upper, np.array([p]), found.mcse)
    return [float(number[0]) for number in numbers]


def _trials(inside: Inside, parts: Parts) -> int:
    """Return how many trials have all components in one arm."""
    trials = inside.network.trials
    having = {t for t in inside.network.treatments if set(parts) <= inside.components.parts(t)}
    return sum(bool(having.intersection(arms)) for arms in trials.values())


def _tabulated(
    posterior: Posterior,
    rows: dict[str, dict[str, float]],
    effects: dict[str, CommonEffect],
    without: CommonEffect,
    found: Refits[list[float]],
    told: dict[str, bool],
    level: float,
) -> Table:
    index = pd.Index(list(rows), name="interaction")
    numbers = pd.DataFrame.from_dict(rows, orient="index", columns=["trials", *NUMBERS])
    numbers = numbers.set_axis(index).assign(
        Q=[effects[name].Q if effects[name].df else 0.0 for name in rows],
        df=[effects[name].df for name in rows],
        p_Q=_gained(without, [effects[name] for name in rows]),
    )
    columns = ["trials", *NUMBERS[:-1], "Q", "df", "p_Q", "mcse"]
    digits = decimals(numbers["sd"].dropna().to_numpy())
    said = f"{found.partial} Interactions, each alone added to the model: {scale_name(posterior)}"
    table = Table(
        numbers[columns],
        caption=captioned(posterior, f"{said} with {interval_words(posterior, level)}s.".strip()),
        notes=[
            *found.notices,
            *_verdict(numbers, without),
            *_untold([name for name in rows if not told[name]]),
            *briefly(posterior),
        ],
        digits=dict.fromkeys(NUMBERS[:4], digits) | {"Q": 2, "mcse": digits + 2},
        probabilities=["p", "p_Q"],
    )
    table.attrs = {
        "poor": " ".join(filter(None, [posterior.poor, found.partial.rstrip(":")])),
        "data": posterior.network.caption,
        "without": [without.Q, without.df],
    }
    return table


def _gained(without: CommonEffect, effects: Sequence[CommonEffect]) -> NDArray[np.float64]:
    """Return p of what each takes from Q; NaN where it takes no degree of freedom."""
    from scipy.special import chdtrc

    lost = np.array([without.df - one.df for one in effects], dtype=float)
    gain = np.array([max(0.0, without.Q - one.Q) for one in effects])
    return np.where(lost > 0, chdtrc(np.maximum(lost, 1), gain), np.nan)


def _verdict(numbers: pd.DataFrame, without: CommonEffect) -> list[str]:
    if numbers.empty:
        return ["No treatment has two components that could interact: nothing was added."]
    base = f"Without any of these, Q = {without.Q:.2f} on {without.df} df."
    p = numbers["p"].dropna()
    if p.empty:
        return [base]
    low = p[p < 0.05].sort_values()
    named = ", ".join(f"{name} ({probability(value)})" for name, value in low.items())
    said = (
        f"{len(low)} of {len(p)} have p below 0.05{f': {named}' if named else ''}; "
        f"{0.05 * len(p):.1f} would by chance if components add up."
    )
    return [base, said]


def _untold(names: Sequence[str]) -> list[str]:
    if not names:
        return []
    return [f"The trials cannot tell from the components alone: {', '.join(names)}."]
