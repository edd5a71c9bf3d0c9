"""One standard deviation for each instrument, known or pooled over its trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nma.errors import Issue, ModelError, nearest, shown
from nma.instruments import Instrument, ReferenceSD, find, hint
from nma.outcomes._scores import Scores
from nma.outcomes._spread import Spread, pooled

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Wanted", "by_row", "issues", "notices", "references", "require"]

AT_ONCE = 3
"""Trials left out that a sentence names; all are named where they are read as changes."""

DIVIDED = "SMD: mean differences divided by the instrument's reference SD, which is taken as known."

Wanted = Literal["pooled"] | Mapping[str, float] | None
"""How the user asks for reference standard deviations; None is one for each trial."""


def require(wanted: Wanted, meaning: Mapping[str, Instrument]) -> None:
    """Refuse a choice that is neither None, "pooled" nor a mapping of instruments to SDs."""
    if wanted is None or (isinstance(wanted, str) and wanted == "pooled"):
        return
    if not isinstance(wanted, Mapping) or not wanted:
        hint = nearest(wanted, ["pooled"]) if isinstance(wanted, str) else ""
        message = (
            f"reference_sd={shown(wanted)} is not a choice: leave it out (each trial's own SD), "
            f"say 'pooled' (one for each instrument), or give SDs such as {{'RMDQ': 5.8}}.{hint}"
        )
        raise ModelError(message)
    for name, sd in wanted.items():
        _require_sd(name, sd, meaning)
    _stated(wanted, meaning)


def _require_sd(name: str, sd: Any, meaning: Mapping[str, Instrument]) -> None:
    instrument = find(name, meaning) if isinstance(name, str) else None
    if instrument is None:
        message = (
            f"reference_sd names {shown(name)}, which is not a known instrument."
            f"{hint(str(name), meaning)} Name your own in `instruments=`."
        )
        raise ModelError(message)
    if not isinstance(sd, Real) or isinstance(sd, bool) or not 0 < float(sd) <= instrument.width:
        message = (
            f"reference_sd={{{name!r}: {sd!r}}} is not a standard deviation of {instrument}: it "
            f"lies above 0 and within the {instrument.width:g} points of the range."
        )
        raise ModelError(message)


def _stated(wanted: Mapping[str, float], meaning: Mapping[str, Instrument]) -> dict[str, float]:
    """Return the stated standard deviations by instrument, whatever name the user gave it."""
    found: dict[str, float] = {}
    for name, sd in wanted.items():
        instrument = str(find(name, meaning))
        if found.setdefault(instrument, float(sd)) != sd:
            message = (
                f"reference_sd states two SDs of {instrument}, {found[instrument]:g} and {sd:g}: "
                "state one."
            )
            raise ModelError(message)
    return found


def references(
    scores: Scores, spread: Spread, wanted: Wanted, mean: str
) -> tuple[ReferenceSD, ...]:
    r"""Return the standard deviation of each instrument in use: stated, else pooled over trials.

    .. math:: R^2 = \sum_a (n_a - 1) s_a^2 / \sum_a (n_a - 1)

    over the arms a of all trials on the instrument, but for trials that were read as changes: the
    spread of changes is not that of scores. Instruments whose standard deviation nobody tells are
    left out.
    """
    if isinstance(wanted, Mapping):
        stated = _stated(wanted, scores.meaning)
        return tuple(
            ReferenceSD(instrument, stated[str(instrument)], "as stated for the analysis")
            for instrument in scores.by_instrument
            if str(instrument) in stated
        )
    n, errors = spread.participants(scores.rows), spread.errors(scores.rows)
    told, changed = np.isfinite(n * errors), scores.changed(mean, spread)
    found = []
    for instrument, here in scores.by_instrument.items():
        arms = here & told & ~changed
        if arms.any():
            (variance,) = pooled(np.zeros(arms.sum(), dtype=np.int64), n[arms], errors[arms])
            origin = _origin(scores.studies(arms), scores.studies(here & told & changed))
            found.append(ReferenceSD(instrument, float(np.sqrt(variance)), origin))
    return tuple(found)


def _origin(trials: Sequence[str], changes: Sequence[str]) -> str:
    """Return over which trials a standard deviation is pooled, and which are left out."""
    several = len(trials) != 1
    over = f"pooled over the arms of {len(trials)} trial{'s' * several} (SDs at follow-up)"
    if not changes:
        return over
    if len(changes) == 1:
        return f"{over}; {changes[0]} reports changes and is left out"
    named = ", ".join(changes) if len(changes) <= AT_ONCE else f"{len(changes)} trials"
    return f"{over}; {named} report changes and are left out"


def by_row(scores: Scores, found: tuple[ReferenceSD, ...]) -> NDArray[np.float64]:
    """Return the reference standard deviation of each arm, NaN where there is none."""
    values = np.full(len(scores.rows), np.nan)
    for reference in found:
        values[scores.by_instrument[reference.instrument]] = reference.value
    return values


def issues(scores: Scores, spread: Spread, wanted: Wanted, mean: str) -> list[Issue]:
    """Return an issue for every instrument that has no reference standard deviation."""
    there = {reference.instrument for reference in references(scores, spread, wanted, mean)}
    stated = list(wanted) if isinstance(wanted, Mapping) else []
    changed = scores.changed(mean, spread)
    found = []
    for instrument, here in scores.by_instrument.items():
        if instrument in there:
            continue
        problem = f"nothing tells the reference SD of {instrument}"
        name = str(scores.rows[scores.column].to_numpy()[here][0])
        remedy = f"Give the participants of one of its trials, or state {_example(name)}."
        if stated:
            remedy = "Add it to `reference_sd`, from a trial or a large survey."
        elif (here & changed).any():
            problem += ": trials report changes, whose SDs are not those of scores"
            remedy = f"State the SD of scores between people: {_example(name)}."
        rows = tuple(sorted(scores.rows.index[here].tolist()))
        hinted = remedy + nearest(instrument.name, stated)
        found.append(Issue("no-reference-sd", problem, hinted, rows=rows, column=scores.column))
    return found


def _example(name: str) -> str:
    return f"reference_sd={{{name!r}: ...}}"


def notices(found: tuple[ReferenceSD, ...]) -> list[str]:
    """Return the reference standard deviations as sentences, and what was done with them."""
    return [*map(str, found), DIVIDED]
