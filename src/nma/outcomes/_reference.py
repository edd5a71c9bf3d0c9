"""One standard deviation for each instrument, known or pooled over its trials."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import TYPE_CHECKING, Literal

import numpy as np

from nma.errors import Issue, ModelError, nearest, shown
from nma.instruments import Instrument, ReferenceSD
from nma.outcomes._scores import Scores
from nma.outcomes._spread import Spread, pooled

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Wanted", "by_row", "issues", "notices", "references", "require"]

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
        if name not in meaning:
            message = (
                f"reference_sd names {shown(name)}, which is not a known instrument."
                f"{nearest(name, meaning)} Name your own in `instruments=`."
            )
            raise ModelError(message)
        real = isinstance(sd, Real) and not isinstance(sd, bool)
        if not (real and 0 < sd <= meaning[name].width):
            message = (
                f"reference_sd={{{name!r}: {sd!r}}} is not a standard deviation of {meaning[name]}: "
                f"it lies above 0 and within the {meaning[name].width:g} points of the range."
            )
            raise ModelError(message)
    _stated(wanted, meaning)


def _stated(wanted: Mapping[str, float], meaning: Mapping[str, Instrument]) -> dict[str, float]:
    """Return the stated standard deviations by instrument, whatever name the user gave it."""
    found: dict[str, float] = {}
    for name, sd in wanted.items():
        instrument = str(meaning[name])
        if found.setdefault(instrument, float(sd)) != sd:
            message = (
                f"reference_sd states two SDs of {instrument}, {found[instrument]:g} and {sd:g}: "
                "state one."
            )
            raise ModelError(message)
    return found


def references(scores: Scores, spread: Spread, wanted: Wanted) -> tuple[ReferenceSD, ...]:
    r"""Return the standard deviation of each instrument in use: stated, else pooled over trials.

    .. math:: R^2 = \sum_a (n_a - 1) s_a^2 / \sum_a (n_a - 1)

    over the arms a of all trials on the instrument. Instruments whose standard deviation nobody
    tells are left out.
    """
    if isinstance(wanted, Mapping):
        stated = _stated(wanted, scores.meaning)
        return tuple(
            ReferenceSD(instrument, stated[str(instrument)], "as stated for the analysis")
            for instrument in scores.by_instrument
            if str(instrument) in stated
        )
    n, errors = spread.participants(scores.rows), spread.errors(scores.rows)
    told = np.isfinite(n * errors)
    return tuple(
        _pooled(scores, instrument, n, errors, here & told)
        for instrument, here in scores.by_instrument.items()
        if (here & told).any()
    )


def _pooled(
    scores: Scores,
    instrument: Instrument,
    n: NDArray[np.float64],
    errors: NDArray[np.float64],
    arms: NDArray[np.bool_],
) -> ReferenceSD:
    (variance,) = pooled(np.zeros(arms.sum(), dtype=np.int64), n[arms], errors[arms])
    trials = len(scores.studies(arms))
    of = f"pooled over the arms of {trials} trial{'s' * (trials != 1)}"
    return ReferenceSD(instrument, float(np.sqrt(variance)), of)


def by_row(scores: Scores, found: tuple[ReferenceSD, ...]) -> NDArray[np.float64]:
    """Return the reference standard deviation of each arm, NaN where there is none."""
    values = np.full(len(scores.rows), np.nan)
    for reference in found:
        values[scores.by_instrument[reference.instrument]] = reference.value
    return values


def issues(scores: Scores, spread: Spread, wanted: Wanted) -> list[Issue]:
    """Return an issue for every instrument that has no reference standard deviation."""
    there = {reference.instrument for reference in references(scores, spread, wanted)}
    stated = list(wanted) if isinstance(wanted, Mapping) else []
    remedy = (
        "Add it to `reference_sd`, from a trial or a large survey."
        if stated
        else "Give the participants of one of its trials, or state reference_sd={...}."
    )
    return [
        Issue(
            "no-reference-sd",
            f"nothing tells the reference SD of {instrument}",
            remedy + nearest(instrument.name, stated),
            rows=tuple(sorted(scores.rows.index[here].tolist())),
            column=scores.column,
        )
        for instrument, here in scores.by_instrument.items()
        if instrument not in there
    ]


def notices(found: tuple[ReferenceSD, ...]) -> list[str]:
    """Return the reference standard deviations as sentences, and what was done with them."""
    listed = [
        f"Reference SD of {reference.instrument}: {reference.value:.4g}, {reference.origin}."
        for reference in found
    ]
    return [*listed, DIVIDED]
