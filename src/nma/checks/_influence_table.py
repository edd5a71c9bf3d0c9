"""What the influence of trials prints: numbers without each, who moves them, what is lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd

from nma.estimates import briefly, captioned, interval_words, located, scale_name
from nma.tables import Table, decimals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior
    from nma.refits import Refits

__all__ = ["Answer", "tabulated"]

NUMBERS = ["estimate", "lower", "upper"]
"""Columns that hold a median or mean and its interval."""

COLUMNS = [*NUMBERS, "shift", "sd_ratio", "sucra", "sucra_change", "mcse"]
"""All of them."""


@final
@dataclass(frozen=True, eq=False)
class Answer:
    """What is compared, by name: estimate, lower, upper, sd and Monte Carlo error; and SUCRA."""

    scales: dict[str, NDArray[np.float64]]
    effects: dict[str, NDArray[np.float64]]
    sucra: dict[str, float]


def tabulated(
    posterior: Posterior,
    ours: Answer,
    found: Refits[Answer],
    cut: Mapping[str, str],
    *,
    against: str,
    level: float,
) -> Table:
    """Return the table of influence.

    Parameters
    ----------
    posterior : Posterior
        The fit of all trials.
    ours : Answer
        Its answer.
    found : Refits
        What became of the fits without each trial.
    cut : mapping of str to str
        Trials without which the model cannot be fitted, and why.
    against : str
        The comparator.
    level : float
        Probability of the intervals.
    """
    studies = [s for s in posterior.network.trials if s in found.done or s in cut]
    lost = _lost(posterior, ours, found, cut)
    rows = [
        (study, *row)
        for study in studies
        for row in _rows(posterior, ours, found.done.get(study), against)
    ]
    cells = np.array([row[2:] for row in rows], dtype=float)
    if _is_exact([ours, *found.done.values()]):
        cells[:, -1] = 0.0
    digits = decimals(np.array([row[3] for row in ours.effects.values()]))
    index = pd.MultiIndex.from_tuples([row[:2] for row in rows], names=["study", "quantity"])
    table = Table(
        cells,
        index=index,
        columns=COLUMNS,
        caption=captioned(
            posterior, located(posterior, _caption(posterior, found, against, level))
        ),
        digits=dict.fromkeys(NUMBERS, digits) | {"mcse": 4},
    )
    table.notes = (
        *found.notices,
        *_most(table),
        *_verdicts(ours, found, against),
        *_leaders(ours, found),
        *_unestimable(lost, cut),
        *briefly(posterior),
    )
    table.attrs = {
        "poor": " ".join(filter(None, [posterior.poor, found.partial.rstrip(":")])),
        "data": posterior.network.caption,
        "measure": posterior.network.measure,
        "comparator": against,
        "absent": [*found.failed, *found.missing],
        "doubted": list(found.poor),
        "not_estimable": {study: list(names) for study, names in lost.items()},
    }
    return table


def _caption(posterior: Posterior, found: Refits[Answer], against: str, level: float) -> str:
    network = posterior.network
    log = f", tau that of the {scale_name(posterior)}" if network.ratio else ""
    words = (
        f"Influence of trials: {network.measure} versus {against} without each of them, with "
        f"{interval_words(posterior, level)}s{log}; {network.better} is better. Shifts are in "
        f"standard deviations of the fit of all trials."
    )
    return f"{found.partial} {words}".strip()


def _rows(
    posterior: Posterior, ours: Answer, theirs: Answer | None, against: str
) -> Iterator[tuple[Any, ...]]:
    """Yield quantity and numbers, empty where they are not estimable."""
    natural = np.exp if posterior.network.ratio else np.asarray
    empty = Answer({}, {}, {})
    other = empty if theirs is None else theirs
    for name, with_it in ours.scales.items():
        if with_it[3] != 0:  # a known scale cannot move
            numbers = other.scales.get(name, np.full(5, np.nan))
            yield (
                name,
                *numbers[:3],
                *_moved(with_it, numbers),
                np.nan,
                np.nan,
                _error(with_it, numbers),
            )
    for name, with_it in ours.effects.items():
        numbers = other.effects.get(name, np.full(5, np.nan))
        yield (
            _versus(name, against),
            *natural(numbers[:3]),
            *_moved(with_it, numbers),
            *_ranked(name, ours, other),
            _error(with_it, numbers),
        )
    yield (against, *[np.nan] * 5, *_ranked(against, ours, other), np.nan)


def _moved(with_it: NDArray[np.float64], without: NDArray[np.float64]) -> tuple[float, float]:
    """Return the shift in posterior standard deviations, and the ratio of those."""
    return (without[0] - with_it[0]) / with_it[3], without[3] / with_it[3]


def _is_exact(answers: list[Answer]) -> bool:
    """Return whether no answer carries a Monte Carlo error."""
    return not any(row[4] for a in answers for row in (*a.scales.values(), *a.effects.values()))


def _error(with_it: NDArray[np.float64], without: NDArray[np.float64]) -> float:
    """Return the Monte Carlo error of a shift."""
    return float(np.hypot(with_it[4], without[4]) / with_it[3])


def _ranked(name: str, ours: Answer, theirs: Answer) -> tuple[float, float]:
    """Return SUCRA without the trial, and its change."""
    share = theirs.sucra.get(name, np.nan)
    return share, share - ours.sucra.get(name, np.nan)


def _lost(
    posterior: Posterior, ours: Answer, found: Refits[Answer], cut: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """Return by trial the treatments whose effects are not estimable without it."""
    lost = {}
    for study in posterior.network.trials:
        known = found.done[study].effects if study in found.done else {}
        gone = tuple(name for name in ours.effects if name not in known)
        if gone and (study in cut or study in found.done):
            lost[study] = gone
    return lost


def _unestimable(lost: Mapping[str, tuple[str, ...]], cut: Mapping[str, str]) -> list[str]:
    whole = [f"Not estimable without {study}: {why}." for study, why in cut.items()]
    some = [
        f"Not estimable without {study}: {', '.join(names)}, which no other trials tie to the "
        "comparator; ranks among the rest are left empty."
        for study, names in lost.items()
        if study not in cut
    ]
    return [*whole, *some]


def _most(table: Table) -> list[str]:
    """Return which trial moves which answer most."""
    shift: Any = pd.DataFrame(table)["shift"].dropna()
    if shift.empty:
        return []
    study, quantity = shift.abs().idxmax()
    moved = shift.loc[(study, quantity)]
    return [
        f"Most influential: without {study}, {quantity} moves by {moved:+.2f} standard deviations."
    ]


def _verdicts(ours: Answer, found: Refits[Answer], against: str) -> list[str]:
    """Return the effects whose interval holds no effect with all trials and not without one."""
    said = []
    for name, with_it in ours.effects.items():
        excluded = with_it[1] * with_it[2] > 0
        turned = [
            study
            for study, answer in found.done.items()
            if name in answer.effects
            and bool(answer.effects[name][1] * answer.effects[name][2] > 0) != excluded
        ]
        if turned:
            verb = "holds" if excluded else "excludes"
            said.append(
                f"The interval of {_versus(name, against)} {verb} no effect without "
                f"{' or without '.join(turned)}; with all trials it "
                f"{'excludes' if excluded else 'holds'} it."
            )
    return said


def _leaders(ours: Answer, found: Refits[Answer]) -> list[str]:
    """Return who is first by SUCRA, and which trials decide it."""
    if not ours.sucra:
        return []
    first = max(ours.sucra, key=ours.sucra.__getitem__)
    told = {study: answer.sucra for study, answer in found.done.items() if answer.sucra}
    others = {s: max(share, key=share.__getitem__) for s, share in told.items()}
    changed = [f"{name} without {study}" for study, name in others.items() if name != first]
    if not changed:
        return [f"First by SUCRA whichever trial is left out: {first}."] if told else []
    return [f"First by SUCRA with all trials: {first}; {', '.join(changed)}."]


def _versus(name: str, against: str) -> str:
    return f"{name} vs {against}"
