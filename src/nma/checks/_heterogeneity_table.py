"""What heterogeneity by comparison prints: Q and tau of each, beside the network's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
import pandas as pd

from nma.estimates import captioned, interval_words, scale_name
from nma.model import prior_words
from nma.tables import Table, decimals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior
    from nma.refits import Refits

__all__ = ["NetworkTau", "Pair", "tabulated", "versus"]

Pair = tuple[str, str]
"""Treatment and comparator."""

TAUS = ["tau_dl", "tau", "lower", "upper"]
"""Columns on the scale of the model."""

COLUMNS = ["trials", "Q", "df", "i_squared", "p", *TAUS, "ratio", "mcse"]
"""All of them."""


@final
@dataclass(frozen=True, eq=False)
class NetworkTau:
    """The tau that the network shares, or why comparisons cannot have one of their own.

    Parameters
    ----------
    numbers : array, (5,), optional
        Median, lower, upper, sd and Monte Carlo error.
    without : str
        Why there is none, in words; empty where there is one.
    """

    numbers: NDArray[np.float64] | None = None
    without: str = ""


def versus(pair: Pair) -> str:
    """Return how a comparison is written."""
    return f"{pair[0]} vs {pair[1]}"


def tabulated(
    posterior: Posterior,
    numbers: Mapping[Pair, Sequence[float]],
    ours: NetworkTau,
    found: Refits[NDArray[np.float64]],
    *,
    level: float,
) -> Table:
    """Return the table of heterogeneity by comparison.

    Parameters
    ----------
    posterior : Posterior
        The fit of the network.
    numbers : mapping of pair to numbers
        Trials, Q, df, I-squared, p and DerSimonian-Laird tau.
    ours : NetworkTau
        The network's tau.
    found : Refits
        What became of the fits of comparisons alone.
    level : float
        Probability of the intervals.
    """
    median = math.nan if ours.numbers is None else ours.numbers[0]
    rows = [[*row, *_own(found.done.get(versus(pair)), median)] for pair, row in numbers.items()]
    index = pd.MultiIndex.from_tuples(list(numbers), names=["treatment", "comparator"])
    frame = pd.DataFrame(rows, index=index, columns=COLUMNS).astype({"trials": int, "df": int})
    spread = np.array([answer[3] for answer in found.done.values()])
    table = Table(
        frame,
        caption=captioned(posterior, _caption(posterior, ours, found, level)),
        notes=[*found.notices, *_tau_notes(posterior, ours, found, level)],
        digits=dict.fromkeys(TAUS, decimals(spread)) | {"mcse": 4},
        probabilities=["p"],
        unprinted=["tau", "lower", "upper", "ratio", "mcse"] if ours.without else [],
    )
    table.attrs = {
        "poor": " ".join(filter(None, [posterior.poor, found.partial.rstrip(":")])),
        "data": posterior.network.caption,
        "tau": [] if ours.numbers is None else ours.numbers[:3].tolist(),
        "absent": [*found.failed, *found.missing],
        "doubted": list(found.poor),
    }
    return table


def _own(answer: NDArray[np.float64] | None, median: float) -> list[float]:
    """Return tau of a comparison with its limits, over the network's, and its error."""
    if answer is None:
        return [math.nan] * 5
    return [*answer[:3], answer[0] / median, answer[4]]


def _caption(
    posterior: Posterior, ours: NetworkTau, found: Refits[NDArray[np.float64]], level: float
) -> str:
    interval = "" if ours.without else f", tau with {interval_words(posterior, level)}s"
    words = (
        f"Heterogeneity by comparison, each analysed alone on the scale of the "
        f"{scale_name(posterior)}{interval}."
    )
    return f"{found.partial} {words}".strip()


def _tau_notes(
    posterior: Posterior, ours: NetworkTau, found: Refits[NDArray[np.float64]], level: float
) -> list[str]:
    """Return the network's tau, and on what those of comparisons lean; or why there are none."""
    if ours.numbers is None:
        return [f"{ours.without}: Q and tau_dl alone tell of comparisons."]
    places = decimals(np.array([ours.numbers[3], *(a[3] for a in found.done.values())]))
    median, lower, upper = (f"{value:.{places}f}" for value in ours.numbers[:3])
    (prior,) = (scale.prior for scale in posterior.problem.scales if scale.name == "tau")
    own = (
        f"tau of the network: {median} ({lower} to {upper}, {interval_words(posterior, level)}), "
        "to which ratio compares."
    )
    leans = (
        f"Alone, each comparison has the network's prior, tau ~ {prior_words(prior)}; with few "
        "trials its tau leans on that prior, and its ratio says little."
    )
    return [own, leans]
