"""One order out of several outcomes: who is at least as good in all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma import graph
from nma.errors import ModelError, nearest, shown
from nma.estimates import is_credible
from nma.hierarchy import doubts
from nma.posterior import Posterior
from nma.ranking import require_two, shares, untold_ranks, wins
from nma.tables import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["partial_order"]

ROUNDING = 1e-12
"""Difference of SUCRAs that means nothing."""

Pairs = frozenset[tuple[str, str]]
"""The first of each is above the second."""


def partial_order(outcomes: Mapping[str, Posterior], *, threshold: float | None = None) -> Table:
    r"""Return which treatments are better than which in every outcome, and which conflict.

    Without ``threshold`` by SUCRA (the P-score, of a least-squares fit),

    .. math:: a \succ b \Leftrightarrow S_a^{(o)} \ge S_b^{(o)} \text{ for all outcomes } o,
              \text{ and } > \text{ for one at least}

    which looks at estimates alone and calls treatments in an order that hardly differ. With it,

    .. math:: a \succ b \Leftrightarrow
              P(a \text{ better than } b \text{ in } o) > t \text{ for all } o

    and what follows from that: from :math:`a \succ b \succ c` that :math:`a \succ c`. Treatments
    in no order conflict, being better in one outcome and worse in another, or are too alike to be
    told apart. No outcome weighs more than another, and no difference is too small: sizes and
    weights are for a decision. Reversing ``better`` of every outcome reverses the order.

    Parameters
    ----------
    outcomes : mapping of str to Posterior
        A fitted model for each outcome. Treatments are matched by name; those that one of them
        lacks are left out, and named; the others are ranked among themselves.
    threshold : float, optional
        Probability from 0.5, below 1, that must be exceeded in every outcome.

    Returns
    -------
    Table
        By treatment, those with the most below them first: the SUCRA in each outcome; ``better``,
        ``worse`` and ``open``, how many treatments it is better than, worse than, and in no order
        with. ``attrs["order"]`` has all pairs (better, worse), ``attrs["covers"]`` those with
        nothing between, which ``nma.plots.hasse`` draws.

    Raises
    ------
    ModelError
        If there are fewer than two outcomes, or treatments that all of them have; a threshold is
        no probability from 0.5; or the pairs it is exceeded for go round.

    Examples
    --------
    >>> import nma
    >>> pain = nma.fit(nma.datasets.network("back_pain"))
    >>> other = nma.at(pain, treatments=["standard exercise", "passive control"])
    >>> nma.decisions.partial_order({"pain": pain, "the same pain": other}).attrs["covers"]
    [('standard exercise', 'passive control')]

    References
    ----------
    Ruecker and Schwarzer 2017, doi:10.1002/jrsm.1270.
    """
    _require_outcomes(outcomes)
    _require_threshold(threshold)
    names, notes = _shared(outcomes)
    asked = {outcome: _among(posterior, names) for outcome, posterior in outcomes.items()}
    scores = pd.DataFrame({outcome: shares(fit)[0] for outcome, fit in asked.items()}, index=names)
    above, followed = _order(scores, asked, threshold)
    result = Table(
        _counted(scores, above),
        caption=_caption(asked, threshold),
        notes=[*notes, *followed, *_doubts(outcomes)],
        digits=dict.fromkeys(("better", "worse", "open"), 0),
    )
    result.attrs = {
        "order": sorted(above),
        "covers": list(graph.covers(above)),
        "poor": " ".join(_poor(outcomes)),
        "data": " ".join(dict.fromkeys(_captions(outcomes))),
        "rule": _rule(asked, threshold),
        "left_out": notes,
    }
    return result


def _require_outcomes(outcomes: object) -> None:
    """Refuse what is no mapping of two outcomes or more, each with a posterior."""
    if isinstance(outcomes, Mapping) and len(outcomes) > 1:
        wrong = [name for name, fit in outcomes.items() if not isinstance(fit, Posterior)]
        if not wrong:
            return
        what = f"{wrong[0]!r} is a {type(outcomes[wrong[0]]).__name__} and no fitted model"
    elif isinstance(outcomes, Mapping):
        what = "one outcome has an order of its own, nma.sucra"
    else:
        what = f"this is a {type(outcomes).__name__}"
    message = (
        'partial_order takes outcomes by name, such as {"pain": nma.fit(network), "harms": '
        f"nma.fit(other)}}: {what}."
    )
    raise ModelError(message)


def _require_threshold(threshold: float | None) -> None:
    number = isinstance(threshold, float | int | np.number) and not isinstance(threshold, bool)
    if threshold is None or (number and 0.5 <= threshold < 1):
        return
    message = (
        f"threshold={shown(threshold)} is no probability from 0.5, below 1: below one half each of "
        "two treatments could be better than the other."
    )
    raise ModelError(message)


def _shared(outcomes: Mapping[str, Posterior]) -> tuple[list[str], list[str]]:
    """Return the treatments that all outcomes have, and a sentence on the others."""
    all_names = dict.fromkeys(name for fit in outcomes.values() for name in fit.treatments)
    names = [n for n in all_names if all(n in fit.treatments for fit in outcomes.values())]
    lacking = [
        f"{name!r} is not in {outcome!r}.{nearest(name, set(fit.treatments) - set(names))}"
        for name in all_names
        for outcome, fit in outcomes.items()
        if name not in fit.treatments
    ]
    if len(names) < 2:
        message = f"The outcomes share fewer than two treatments: {' '.join(lacking)}"
        raise ModelError(message)
    return names, [f"Left out: {' '.join(lacking)}"] if lacking else []


def _among(posterior: Posterior, names: list[str]) -> Posterior:
    """Return the posterior asked about some of its treatments, in an order of ours."""
    place = [posterior.treatments.index(name) for name in names]
    asked = replace(posterior, targets=posterior.targets.iloc[place].reset_index(drop=True))
    require_two(asked)
    return asked


def _order(
    scores: pd.DataFrame, asked: Mapping[str, Posterior], threshold: float | None
) -> tuple[Pairs, list[str]]:
    """Return the order, and a sentence on what only follows from others."""
    names = list(scores.index)
    if threshold is None:
        return _pairs(names, _dominates(scores.to_numpy())), []
    sure = [wins(posterior).mean(axis=0) > threshold for posterior in asked.values()]
    told = _pairs(names, np.logical_and.reduce(sure))
    order = graph.ordered(told)
    round_ = sorted(a for a, b in order if a == b)
    if round_:
        message = (
            f"At threshold={threshold:g} {', '.join(map(repr, round_))} are each better than the "
            "other by a way round: no order. Raise the threshold."
        )
        raise ModelError(message)
    only = [f"{a} above {b}" for a, b in sorted(order - told)]
    return order, [f"Below the threshold, but it follows: {'; '.join(only)}."] if only else []


def _dominates(scores: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return where one is as good in all outcomes and better in one, (one, other).

    Scores that differ by rounding alone are equal.
    """
    ahead = scores[:, None] - scores[None]
    return np.asarray((ahead > -ROUNDING).all(axis=-1) & (ahead > ROUNDING).any(axis=-1))


def _pairs(names: list[str], above: NDArray[np.bool_]) -> Pairs:
    return frozenset((names[a], names[b]) for a, b in np.argwhere(above))


def _counted(scores: pd.DataFrame, above: Pairs) -> pd.DataFrame:
    """Return the scores with how many are below, above and neither."""
    better = [sum(a == name for a, _ in above) for name in scores.index]
    worse = [sum(b == name for _, b in above) for name in scores.index]
    rest = [len(scores) - 1 - b - w for b, w in zip(better, worse, strict=True)]
    found = scores.assign(better=better, worse=worse, open=rest).rename_axis("treatment")
    found["mean"] = scores.mean(axis=1)
    order = ["better", "worse", "mean"]
    return found.sort_values(order, ascending=[False, True, False], kind="stable").drop(
        columns="mean"
    )


def _rule(asked: Mapping[str, Posterior], threshold: float | None) -> str:
    """Return when one treatment is above another, in words."""
    if threshold is not None:
        return f"it is better with a probability above {threshold:g} in every outcome"
    score = "SUCRA" if all(map(is_credible, asked.values())) else "P-score or SUCRA"
    return f"its {score} is as high in every outcome and higher in one"


def _caption(asked: Mapping[str, Posterior], threshold: float | None) -> str:
    told = ", ".join(
        f"{outcome} ({fit.network.measure}, {fit.network.better} is better)"
        for outcome, fit in asked.items()
    )
    rule = _rule(asked, threshold)
    said = f"Partial order over {told}: one treatment is above another if {rule}."
    return " ".join([*_poor(asked), said, *dict.fromkeys(_captions(asked))])


def _poor(outcomes: Mapping[str, Posterior]) -> list[str]:
    """Return why fits must not be relied on, and which where not all of them."""
    faults = {outcome: fit.poor for outcome, fit in outcomes.items()}
    if len(set(faults.values())) == 1:
        return list(filter(None, dict.fromkeys(faults.values())))
    return [f"{text} [{outcome}]" for outcome, text in faults.items() if text]


def _captions(outcomes: Mapping[str, Posterior]) -> list[str]:
    told = [f"{fit.conditions} {fit.network.caption}".strip() for fit in outcomes.values()]
    return [text for text in told if text]


def _doubts(outcomes: Mapping[str, Posterior]) -> list[str]:
    """Return what speaks against the order in each outcome."""
    return [
        f"{outcome}: {text}"
        for outcome, fit in outcomes.items()
        for text in (*untold_ranks(fit), *doubts(fit))
    ]
