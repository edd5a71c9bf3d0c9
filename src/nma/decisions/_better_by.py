"""Better by enough to matter, and the range of MCIDs over which that answer holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma.decisions._benefits import Benefits, Important, confidence, important, require_two
from nma.errors import ModelError, shown
from nma.estimates import briefly, captioned, located, ordered_pairs
from nma.points import is_number
from nma.posterior import require_posterior
from nma.tables import Table, decimals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.decisions._mcid import MCID
    from nma.posterior import Posterior

__all__ = ["better_by", "mcid_interval"]

NAMES = ["treatment", "comparator"]


def better_by(
    posterior: Posterior, *, mcid: MCID, comparators: Sequence[str] | None = None
) -> Table:
    r"""Return the probability that treatments are better than others by enough to matter.

    .. math:: P(\pm d_{jk} \ge \mathrm{MCID} \mid y)

    with the sign under which benefits are positive, and the logarithm of the MCID for ratio
    measures.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    mcid : MCID
        The difference between groups that matters.
    comparators : sequence of str, optional
        Every treatment in turn if not given.

    Returns
    -------
    Table
        By (treatment, comparator): ``better_by``, the probability of being better by at least the
        MCID; ``p_better``, that of being better at all, exact ties counting half; ``mcse``, the
        Monte Carlo standard error of the first, zero where exact. Of a least-squares fit they are
        one-sided confidences.

    Raises
    ------
    ModelError
        If the MCID is of the wrong kind or scale, a comparator is unknown, or a treatment is alone.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> mcid = nma.decisions.MCID(1.5, kind="between-group", source="Hayden 2021")
    >>> table = nma.decisions.better_by(posterior, mcid=mcid, comparators=["passive control"])
    >>> table.droplevel("comparator")["better_by"].round(2).to_dict()
    {'individualised exercise': 0.39, 'multimodal care': 0.73, 'standard exercise': 0.43}

    References
    ----------
    Hayden et al. 2021, doi:10.1002/14651858.CD009790.pub2, for the MCID of the example.
    """
    require_posterior(posterior, "better_by")
    require_two(posterior)
    ours = important(posterior, mcid)
    pairs = ordered_pairs(posterior, comparators)
    benefits = Benefits.of(posterior, pairs)
    enough = benefits.at_least(ours.size)
    cells = {
        "better_by": enough.value,
        "p_better": (benefits.at_least(0.0).value + 1 - benefits.at_most(0.0).value) / 2,
        "mcse": enough.mcse,
    }
    return Table(
        cells,
        index=pd.MultiIndex.from_tuples(pairs, names=NAMES),
        digits={"mcse": 4},
        probabilities=["better_by", "p_better"],
        caption=_caption(
            posterior, f"Probability of being better than the comparator by at least {ours.said()}"
        ),
        notes=[*ours.notes(), *confidence(posterior), *briefly(posterior)],
    )


def _caption(posterior: Posterior, text: str) -> str:
    network = posterior.network
    said = f"{text} ({network.measure}, {network.better} is better)."
    return captioned(posterior, located(posterior, said))


def mcid_interval(
    posterior: Posterior,
    *,
    mcid: MCID,
    comparators: Sequence[str] | None = None,
    probability: float = 0.5,
) -> Table:
    r"""Return over which MCIDs it holds that a treatment is preferred to another, or is not.

    The rule: a treatment is preferred to its comparator if it is better by at least the MCID with
    a probability of p or more. The probability falls as the MCID grows, so the rule is

    .. math:: \text{preferred at } m \Leftrightarrow P(\pm d_{jk} \ge m \mid y) \ge p
              \Leftrightarrow m \le q_{1-p}

    with :math:`q_{1-p}` the quantile of the benefit, its median for p = 1/2. The answer is the
    same for every MCID from 0 to the quantile where the treatment is preferred, and for every one
    above it where it is not. ``near_best`` tells the same of the treatments within reach of the
    best.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    mcid : MCID
        The difference between groups that matters.
    comparators : sequence of str, optional
        Every treatment in turn if not given.
    probability : float, default 0.5
        p, how sure a preference has to be.

    Returns
    -------
    Table
        By (treatment, comparator): ``better_by``, the probability of being better by at least the
        MCID; ``preferred``, whether it reaches p; ``mcid_lower`` and ``mcid_upper``, the range of
        MCIDs, in the unit of the one given, over which that stays so: from no difference where it
        begins there, to infinity where nothing ends it; ``mcse``, the Monte Carlo standard error
        of the end in between, zero where exact.

    Raises
    ------
    ModelError
        If the MCID is of the wrong kind or scale, a comparator is unknown, a treatment is alone,
        or p is no probability.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> mcid = nma.decisions.MCID(1.5, kind="between-group", source="Hayden 2021")
    >>> table = nma.decisions.mcid_interval(posterior, mcid=mcid, comparators=["passive control"])
    >>> row = table.loc[("multimodal care", "passive control")]
    >>> print(row["preferred"], row["mcid_lower"], round(row["mcid_upper"], 2))
    True 0.0 1.71

    References
    ----------
    Phillippo et al. 2018, doi:10.1111/rssa.12341, whose decision-invariant intervals are of
    estimates, as these are of the MCID.
    """
    require_posterior(posterior, "mcid_interval")
    require_two(posterior)
    _require_probability(probability)
    ours = important(posterior, mcid)
    pairs = ordered_pairs(posterior, comparators)
    benefits = Benefits.of(posterior, pairs)
    end, mcse = benefits.reached(probability)
    preferred = end >= ours.size
    none = float(ours.own(np.zeros(1))[0])
    reached = np.maximum(ours.own(end), none)
    cells = {
        "better_by": benefits.at_least(ours.size).value,
        "preferred": preferred,
        "mcid_lower": np.where(preferred, none, reached),
        "mcid_upper": np.where(preferred, reached, np.where(np.isnan(end), np.nan, np.inf)),
        "mcse": mcse * (reached if ours.ratio else ours.own(np.ones(1))),
    }
    return _tabulated(posterior, ours, pairs, cells, probability)


def _tabulated(
    posterior: Posterior,
    ours: Important,
    pairs: Sequence[tuple[str, str]],
    cells: dict[str, NDArray[np.float64]],
    probability: float,
) -> Table:
    digits = decimals(np.array([ours.mcid.value / 10]))
    said = (
        f"Preferred if better than the comparator by at least the MCID, here {ours.said()}, with a "
        f"probability of {probability:g} or more; and the MCIDs ({ours.unit()}) over which the "
        "answer is the same"
    )
    return Table(
        cells,
        index=pd.MultiIndex.from_tuples(pairs, names=NAMES),
        digits={"mcid_lower": digits, "mcid_upper": digits, "mcse": digits + 2},
        probabilities=["better_by"],
        caption=_caption(posterior, said),
        notes=[*ours.notes(), *confidence(posterior), *briefly(posterior)],
    )


def _require_probability(probability: float) -> None:
    if not is_number(probability) or not 0 < probability < 1:
        message = (
            f"probability={shown(probability)} cannot be how sure a preference has to be: it lies "
            "strictly between 0 and 1, 0.5 for more likely than not."
        )
        raise ModelError(message)
