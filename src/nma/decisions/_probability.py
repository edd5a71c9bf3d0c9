"""How probable a condition on the hierarchy is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma.decisions._conditions import Beats, Condition, Draw, Not, least, require_known
from nma.decisions._mcid import MCID
from nma.errors import ModelError, shown
from nma.estimates import replicate_error
from nma.hierarchy import doubts
from nma.posterior import require_posterior
from nma.ranking import badness, rank_caption, ranks, require_two, untold_ranks
from nma.tables import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nma.posterior import Posterior

__all__ = ["probability"]

LONGEST = 60
"""Letters of conditions up to which they are named in the table, and not below it."""


def probability(posterior: Posterior, *conditions: Condition) -> Table:
    r"""Return how probable conditions on the hierarchy are, each a question put together.

    .. math:: P(C) = \frac{1}{S} \sum_s \mathbf{1}[C \text{ holds in draw } s]

    so that :math:`P(C) + P(\text{not } C) = 1`. Whether one treatment is better than another,
    by some amount or by any, is exact where the posterior has moments. Treatments that the model
    puts on one level tie in every draw: neither is better, and their rank is the mean of those
    they share. Reversing ``better`` gives ``worst`` the probability of ``best``, ``in_bottom``
    that of ``in_top``, and ``beats(b, a)`` that of ``beats(a, b)``.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    *conditions : Condition
        Made of ``nma.decisions.best``, ``worst``, ``in_top``, ``in_bottom`` and ``beats`` by
        ``&``, ``|`` and ``~``.

    Returns
    -------
    Table
        By condition, in words, or in notes where those are long: ``probability`` and its Monte
        Carlo standard error ``mcse``, zero where exact. ``attrs["conditions"]`` holds what makes
        them again.

    Raises
    ------
    ModelError
        If there is no condition, one names an unknown treatment or a difference on the wrong
        scale, or the structure gives no level outside a trial.

    Examples
    --------
    >>> import nma
    >>> from nma.decisions import beats, best, in_top
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> asked = best("multimodal care") & in_top("standard exercise", 2)
    >>> asked &= beats("multimodal care", "passive control", by=1.0)
    >>> print(*nma.decisions.probability(posterior, asked)["probability"].round(2))
    0.37

    References
    ----------
    Papakonstantinou et al. 2021, doi:10.21203/rs.3.rs-858140/v1.
    """
    require_posterior(posterior, "probability")
    _require_conditions(conditions)
    require_two(posterior)
    require_known(posterior, conditions)
    found = [_found(posterior, condition) for condition in conditions]
    words = [str(condition) for condition in conditions]
    long = max(map(len, words)) > LONGEST
    rows = range(1, len(words) + 1) if long else words
    names = pd.Index(rows, name="condition")
    result = Table(
        pd.DataFrame(found, columns=["probability", "mcse"], index=names),
        caption=rank_caption(posterior, "Probability that a condition on the hierarchy holds"),
        notes=[
            *(f"Condition {k}: {text}." for k, text in enumerate(words, start=1) if long),
            *_sources(conditions),
            *_tied(posterior),
            *untold_ranks(posterior),
            *doubts(posterior),
        ],
        digits={"mcse": 4},
        probabilities=["probability"],
    )
    result.attrs["conditions"] = [repr(condition) for condition in conditions]
    return result


def _require_conditions(conditions: Sequence[object]) -> None:
    wrong = [asked for asked in conditions if not isinstance(asked, Condition)]
    if conditions and not wrong:
        return
    what = f"{shown(wrong[0])} is no condition" if wrong else "There is no condition"
    message = (
        f"{what}: make one of nma.decisions.best, worst, in_top, in_bottom and beats, such as "
        "best('A') & beats('A', 'B', by=1.0)."
    )
    raise ModelError(message)


def _found(posterior: Posterior, condition: Condition) -> tuple[float, float]:
    """Return the probability of a condition and its Monte Carlo standard error."""
    exact = _exact(posterior, condition)
    if exact is not None:
        return exact, 0.0
    draw = Draw(posterior, badness(posterior), ranks(posterior).to_numpy())
    holds = condition.holds(draw).astype(float)
    return float(holds.mean()), float(replicate_error(holds))


def _exact(posterior: Posterior, condition: Condition) -> float | None:
    """Return the probability that one is better than another, where moments tell it."""
    if isinstance(condition, Not):
        other = _exact(posterior, condition.condition)
        return None if other is None else 1 - other
    moments, levels = posterior.draws.moments, posterior.levels
    if moments is None or not isinstance(condition, Beats):
        return None
    pair = [posterior.position(name) for name in condition.treatments]
    if np.array_equal(*levels[pair]):
        return None
    low, high = pair if posterior.network.better == "lower" else pair[::-1]
    by = 0.0 if condition.by is None else least(posterior, condition.by)
    found = float(moments.differences(levels, np.array([low]), np.array([high])).below(-by)[0])
    return None if np.isnan(found) else found


def _sources(conditions: Sequence[Condition]) -> list[str]:
    """Return whose differences that matter are asked about."""
    parts = (part for condition in conditions for part in condition.parts())
    named = [part.by for part in parts if isinstance(part, Beats) and isinstance(part.by, MCID)]
    return [f"MCID {mcid}." for mcid in dict.fromkeys(named)]


def _tied(posterior: Posterior) -> list[str]:
    """Return which treatments tie in every draw."""
    _, where = np.unique(posterior.levels, axis=0, return_inverse=True)
    groups: dict[int, list[str]] = {}
    for name, level in zip(posterior.treatments, where.ravel().tolist(), strict=True):
        groups.setdefault(level, []).append(name)
    return [
        f"{', '.join(names)} are on one level in this model: none is better than the other."
        for names in groups.values()
        if len(names) > 1
    ]
