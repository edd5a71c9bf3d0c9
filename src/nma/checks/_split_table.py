"""The table of node-splits, and what it says in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd

from nma.estimates import briefly, captioned, estimates, interval_words, is_credible, scale_name
from nma.model import prior_words
from nma.tables import Table, decimals, probability

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior
    from nma.priors import Normal
    from nma.refits import Refits

__all__ = ["EFFECTS", "Split", "tabulated"]

EFFECTS = ("direct", "indirect", "network", "difference")
"""What is estimated of each comparison."""

NUMBERS = ("", "_sd", "_lower", "_upper")
"""What is told of each; the first is the mean."""

POWER = 2.8015852
"""Standard errors that a difference must be for 80 % power at 5 %, two-sided: 1.96 + 0.84."""

Pair = tuple[str, str]
"""Treatment and comparator."""


@final
@dataclass(frozen=True, eq=False)
class Split:
    """What is read of one split.

    Parameters
    ----------
    numbers : array, (direct indirect difference, mean sd lower upper)
        On the scale of the model.
    p : float
        Two-sided, of no difference.
    mcse : float
        Monte Carlo standard error of the difference.
    tau : float
        Its posterior median; NaN where there is none.
    log_evidence : float
        Of the split model, or its difference from that of the model that was split.
    log_ratios : tuple of float
        What other priors of the difference add to it: the one asked for, half and double its sd.
    """

    numbers: NDArray[np.float64]
    p: float
    mcse: float
    tau: float
    log_evidence: float
    log_ratios: tuple[float, ...]

    @property
    def bayes_factors(self) -> NDArray[np.float64]:
        """Of inconsistency against none, under each prior."""
        return np.exp(self.log_evidence + np.array(self.log_ratios))


def tabulated(
    posterior: Posterior,
    done: Mapping[str, Split],
    found: Refits[Any],
    *,
    pairs: Sequence[Pair],
    reasons: Mapping[Pair, str],
    prior: Normal | None,
    words: Sequence[str],
    level: float,
) -> Table:
    """Return the table of node-splits.

    Parameters
    ----------
    posterior : Posterior
        The fit that was split.
    done : mapping of str to Split
        The splits that finished, by label.
    found : Refits
        What became of the fits.
    pairs : sequence of (str, str)
        What was split.
    reasons : mapping of (str, str) to str
        Why others cannot be.
    prior : Normal, optional
        Prior of the Bayes factors.
    words : sequence of str
        How multi-arm trials were split, and what there is not.
    level : float
        Probability of the intervals.
    """
    labels = [pair for pair in pairs if _label(pair) in done]
    rows = pd.MultiIndex.from_tuples([*labels, *reasons], names=["treatment", "comparator"])
    splits = [done[_label(pair)] for pair in labels]
    numbers = _numbers(posterior, splits, rows, level)
    table = Table(
        numbers,
        caption=captioned(posterior, _caption(posterior, found, level)),
        notes=[
            *found.notices,
            *_verdict(numbers),
            *_power(numbers, posterior),
            *_sensitivity(done, prior),
            *words,
            *_reasons(reasons, none=not pairs),
            *briefly(posterior),
        ],
        digits=_digits(numbers),
        probabilities=["p"],
        significant=["bayes_factor"],
        unprinted=[f"{name}{end}" for name in EFFECTS for end in ("_lower", "_upper")] + ["tau"],
    )
    table.attrs = {
        "poor": " ".join(filter(None, [posterior.poor, found.partial.rstrip(":")])),
        "data": posterior.network.caption,
        "measure": posterior.network.measure,
        "ratio": posterior.network.ratio,
        "better": posterior.network.better,
        "level": level,
        "interval": f"{posterior.draws.intervals} interval",
        "reasons": {_label(pair): reason for pair, reason in reasons.items()},
        "absent": [*found.failed, *found.missing],
        "doubted": list(found.poor),
        "prior": "" if prior is None else prior_words(prior),
    }
    return table


def _label(pair: Pair) -> str:
    return " vs ".join(pair)


def _numbers(
    posterior: Posterior, splits: Sequence[Split], rows: pd.MultiIndex, level: float
) -> pd.DataFrame:
    """Return all numbers, empty where nothing was split."""
    edges = posterior.network.graph.edges
    table = pd.DataFrame({"trials": [len(edges[pair]["trials"]) for pair in rows]}, index=rows)
    network = estimates(posterior, list(rows), level) if len(rows) else None
    for name in EFFECTS:
        for k, end in enumerate(NUMBERS):
            if name == "network":
                field = ("mean", "sd", "lower", "upper")[k]
                cells = [] if network is None else getattr(network, field)
            else:
                place = ("direct", "indirect", "difference").index(name)
                cells = _filled([split.numbers[place, k] for split in splits], rows)
            table[f"{name}{end}"] = cells
    precision = [1 / split.numbers[:2, 1] ** 2 for split in splits]
    own = {
        "p": [split.p for split in splits],
        "detectable": [POWER * split.numbers[2, 1] for split in splits],
        "share_direct": [direct / (direct + indirect) for direct, indirect in precision],
        "bayes_factor": [split.bayes_factors[0] for split in splits],
        "tau": [split.tau for split in splits],
        "mcse": [split.mcse for split in splits],
    }
    return table.assign(**{name: _filled(cells, rows) for name, cells in own.items()})


def _filled(cells: Sequence[float], rows: pd.MultiIndex) -> NDArray[np.float64]:
    return np.array([*cells, *[np.nan] * (len(rows) - len(cells))], dtype=float)


def _digits(numbers: pd.DataFrame) -> dict[str, int]:
    told = numbers["network_sd"].dropna().to_numpy()
    digits = decimals(told) if len(told) else 2
    columns = [f"{name}{end}" for name in EFFECTS for end in NUMBERS]
    return dict.fromkeys([*columns, "detectable", "tau"], digits) | {"mcse": digits + 2}


def _caption(posterior: Posterior, found: Refits[Any], level: float) -> str:
    spread = "sd" if is_credible(posterior) else "standard error"
    return (
        f"{found.partial} Node-splits, {scale_name(posterior)} of treatment versus comparator with "
        f"{spread}; {interval_words(posterior, level)}s are in columns not printed, such as "
        "direct_lower."
    ).strip()


def _verdict(numbers: pd.DataFrame) -> list[str]:
    """Return how many splits disagree, against how many would by chance."""
    p = numbers["p"].dropna()
    if p.empty:
        return []
    low = p[p < 0.05]
    named = f": {', '.join(f'{_label(pair)} ({probability(x)})' for pair, x in low.items())}"  # type: ignore[arg-type]
    said = (
        f"{len(low)} of {len(p)} comparisons have p below 0.05{named * bool(len(low))}; "
        f"{0.05 * len(p):.1f} would by chance in a consistent network."
    )
    return [said]


def _power(numbers: pd.DataFrame, posterior: Posterior) -> list[str]:
    """Return what could have been missed: no sign of inconsistency is no sign of consistency."""
    least = numbers["detectable"].dropna()
    if least.empty:
        return []
    easy, hard = least.idxmin(), least.idxmax()
    ranged = (
        f"{least.min():.2g} ({_label(easy)})"  # type: ignore[arg-type]
        if len(least) == 1
        else f"between {least.min():.2g} ({_label(easy)}) and {least.max():.2g} ({_label(hard)})"  # type: ignore[arg-type]
    )
    said = (
        f"With 80 % power a split finds a difference of {ranged} in {scale_name(posterior)}; "
        "smaller ones are likely missed, so a large p does not show consistency."
    )
    return [said]


def _sensitivity(done: Mapping[str, Split], prior: Normal | None) -> list[str]:
    if not done:
        return []
    if prior is None:
        return ["No Bayes factors: least squares has no prior."]
    factors = {label: split.bayes_factors for label, split in done.items()}
    if not all(np.isfinite(found).all() for found in factors.values()):
        return ["No Bayes factors: the engine tells no evidence."]
    most = max(factors, key=lambda label: float(factors[label][0]))
    asked, half, double = factors[most]
    said = (
        f"Bayes factors are of a difference ~ {prior_words(prior)} against none; the largest, "
        f"{asked:.3g} ({most}), is {half:.3g} with half that sd and {double:.3g} with twice it."
    )
    return [said]


def _reasons(reasons: Mapping[Pair, str], *, none: bool) -> list[str]:
    """Return what cannot be split, by reason."""
    by_reason: dict[str, list[str]] = {}
    for pair, reason in reasons.items():
        by_reason.setdefault(reason, []).append(_label(pair))
    told = [f"Not split, because {reason}: {', '.join(of)}." for reason, of in by_reason.items()]
    return [*(["Nothing can be split: inconsistency cannot show."] if none else []), *told]
