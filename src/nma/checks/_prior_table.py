"""What a sensitivity analysis of the prior of tau prints: numbers, what moved, which priors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
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

__all__ = ["AFTER", "BEFORE", "OWN", "Answer", "tabulated"]

OWN = "this model's"
"""What the model's own prior is called."""

BEFORE, AFTER = "tau, before the data", "tau"
"""Names of the rows of tau."""


@final
@dataclass(frozen=True, eq=False)
class Answer:
    """What is compared: median and interval of tau, then each effect, and ranks by treatment."""

    prior: str
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    effects: NDArray[np.float64]
    sd: NDArray[np.float64]
    mcse: NDArray[np.float64]
    p_best: dict[str, float]
    sucra: dict[str, float]


NUMBERS = ["estimate", "lower", "upper"]
"""Columns that hold a median or mean and its interval."""


def tabulated(
    posterior: Posterior,
    done: Mapping[str, Answer],
    found: Refits[Answer],
    *,
    pairs: Sequence[tuple[str, str]],
    level: float,
) -> Table:
    """Return the table of a sensitivity analysis.

    Parameters
    ----------
    posterior : Posterior
        The fit that was varied.
    done : mapping of str to Answer
        Its own answer first, then those of the refits that finished.
    found : Refits
        What became of the refits.
    pairs : sequence of (str, str)
        Treatments, and the one comparator.
    level : float
        Probability of the intervals.
    """
    rows = _rows(posterior, done, pairs)
    digits = decimals(np.concatenate([answer.sd for answer in done.values()]))
    table = Table(
        [row[2:] for row in rows],
        index=pd.MultiIndex.from_tuples([row[:2] for row in rows], names=["quantity", "prior"]),
        columns=[*NUMBERS, "p_best", "sucra", "mcse"],
        caption=captioned(
            posterior, located(posterior, _caption(posterior, found, pairs[0][1], level))
        ),
        notes=[
            *found.notices,
            *_moves(done, pairs, digits),
            *_verdicts(done, pairs),
            *_leaders(done),
            *(f"{label}: tau ~ {answer.prior}." for label, answer in done.items()),
            *briefly(posterior),
        ],
        digits=dict.fromkeys(NUMBERS, digits) | {"mcse": digits + 2},
        probabilities=["p_best"],
    )
    table.attrs = {
        "poor": " ".join(filter(None, [posterior.poor, found.partial.rstrip(":")])),
        "data": posterior.network.caption,
        "measure": posterior.network.measure,
        "ratio": posterior.network.ratio,
        "better": posterior.network.better,
        "unit": scale_name(posterior),
        "comparator": pairs[0][1],
        "level": level,
        "interval": f"{posterior.draws.intervals} interval",
        "priors": {label: answer.prior for label, answer in done.items()},
        "absent": [*found.failed, *found.missing],
        "doubted": list(found.poor),
    }
    return table


def _caption(posterior: Posterior, found: Refits[Answer], against: str, level: float) -> str:
    network = posterior.network
    log = f", tau that of the {scale_name(posterior)}" if network.ratio else ""
    words = (
        f"Sensitivity to the prior of tau: {network.measure} versus {against} with "
        f"{interval_words(posterior, level)}s{log}; {network.better} is better."
    )
    return f"{found.partial} {words}".strip()


def _rows(
    posterior: Posterior, done: Mapping[str, Answer], pairs: Sequence[tuple[str, str]]
) -> list[tuple[Any, ...]]:
    """Return quantity, prior and numbers: one quantity after another, by prior within each."""
    natural = np.exp if posterior.network.ratio else np.asarray
    blank = [np.nan] * 3
    exact = all(not answer.mcse.any() for answer in done.values())
    unsaid = [np.nan, np.nan, 0.0 if exact else np.nan]
    rows: list[tuple[Any, ...]] = [
        *((BEFORE, label, *answer.before, *unsaid) for label, answer in done.items()),
        *((AFTER, label, *answer.after, *unsaid) for label, answer in done.items()),
    ]
    for k, (name, against) in enumerate(pairs):
        rows += [
            (
                _versus((name, against)),
                label,
                *natural(answer.effects[:, k]),
                answer.p_best[name],
                answer.sucra[name],
                answer.mcse[k],
            )
            for label, answer in done.items()
        ]
    against = pairs[0][1]
    rows += [
        (against, label, *blank, answer.p_best[against], answer.sucra[against], unsaid[-1])
        for label, answer in done.items()
    ]
    return rows


def _moves(done: Mapping[str, Answer], pairs: Sequence[tuple[str, str]], digits: int) -> list[str]:
    """Return how far tau and the effects move, in words."""
    if len(done) < 2:
        return []
    medians = {label: answer.after[0] for label, answer in done.items()}
    low, high = min(medians, key=medians.__getitem__), max(medians, key=medians.__getitem__)
    means = np.stack([answer.effects[0] for answer in done.values()])
    sd = next(iter(done.values())).sd
    shift = np.ptp(means, axis=0) / sd
    widths = np.stack([answer.effects[2] - answer.effects[1] for answer in done.values()])
    stretch = widths.max(axis=0) / widths.min(axis=0)
    most, widest = int(shift.argmax()), int(stretch.argmax())
    first = next(iter(done))
    tau = (
        f"The median of tau lies between {medians[low]:.{digits}f} ({low}) and "
        f"{medians[high]:.{digits}f} ({high})."
    )
    effects = (
        f"Between priors, estimates move by up to {shift[most]:.2f} of their posterior sd under "
        f"{first} ({_versus(pairs[most])}), and the widest interval is up to "
        f"{stretch[widest]:.2f} times the narrowest ({_versus(pairs[widest])})."
    )
    return [tau, effects]


def _verdicts(done: Mapping[str, Answer], pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Return the effects whose interval holds no effect under some priors and not under others."""
    found = []
    for k, pair in enumerate(pairs):
        without = [name for name, a in done.items() if a.effects[1, k] * a.effects[2, k] > 0]
        if 0 < len(without) < len(done):
            holding = ", ".join(name for name in done if name not in without)
            found.append(
                f"The prior decides whether the interval of {_versus(pair)} excludes no effect: it "
                f"does under {', '.join(without)}; it does not under {holding}."
            )
    return found


def _leaders(done: Mapping[str, Answer]) -> list[str]:
    """Return who is first by SUCRA, and whether the prior decides it."""
    first = {
        label: max(answer.sucra, key=answer.sucra.__getitem__) for label, answer in done.items()
    }
    ranked = Counter(first.values()).most_common()
    if len(ranked) == 1:
        return [f"First by SUCRA under every prior: {ranked[0][0]}."]
    told = [
        f"{name} under {', '.join(label for label in first if first[label] == name)}"
        for name, _ in ranked
    ]
    return [f"The prior decides who is first by SUCRA: {'; '.join(told)}."]


def _versus(pair: tuple[str, str]) -> str:
    return f"{pair[0]} vs {pair[1]}"
