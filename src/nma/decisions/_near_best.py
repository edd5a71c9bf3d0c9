"""Within reach of the best, and the score that counts who is better by enough to matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma.decisions._benefits import Benefits, Important, benefit_levels, important
from nma.estimates import (
    briefly,
    captioned,
    is_credible,
    located,
    ordered_pairs,
    replicate_error,
    require_level,
)
from nma.posterior import require_posterior
from nma.ranking import rank_probabilities
from nma.tables import Table, decimals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.decisions._mcid import MCID
    from nma.posterior import Posterior

__all__ = ["mcid_scores", "near_best"]

UNORDERED = (
    "The score is no rank: B may be within the MCID of A and C within that of B, and yet C worse "
    "than A by more than it."
)


def near_best(posterior: Posterior, *, mcid: MCID) -> Table:
    r"""Return the probability that treatments are within the MCID of the best.

    .. math:: P\left(\max_k b_k - b_j \le \mathrm{MCID} \mid y\right)

    with benefits :math:`b_j = \pm \theta_j`. As the MCID goes to 0 this becomes the probability of
    being the best; as it grows, 1. How far a treatment is behind the best has a median: from this
    MCID on it is within reach with a probability of 1/2 or more. So the set of treatments within
    reach changes at these medians alone, and is the same between two of them: that is the
    decision-invariant interval around the MCID given.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    mcid : MCID
        The difference between groups that matters.

    Returns
    -------
    Table
        By treatment: ``near_best`` with its Monte Carlo standard error ``mcse``; ``p_best``, the
        probability of being the best; ``behind``, the median distance from the best, in the unit
        of the MCID. ``attrs["within_reach"]`` lists the treatments that are within the MCID of the
        best with a probability of 1/2 or more, ``attrs["invariant"]`` holds the MCIDs from which
        and up to which they are the same.

    Raises
    ------
    ModelError
        If the MCID is of the wrong kind or scale, a treatment is alone, or the structure gives no
        level outside a trial.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> mcid = nma.decisions.MCID(1.5, kind="between-group", source="Hayden 2021")
    >>> table = nma.decisions.near_best(posterior, mcid=mcid)
    >>> table.loc["standard exercise", ["near_best", "p_best"]].round(2).tolist()
    [1.0, 0.15]
    >>> table.attrs["within_reach"]
    ['individualised exercise', 'multimodal care', 'standard exercise']

    References
    ----------
    Curteis et al. 2025, doi:10.1186/s12874-025-02499-0, on ranks with important differences;
    Phillippo et al. 2018, doi:10.1111/rssa.12341, on decision-invariant intervals.
    """
    require_posterior(posterior, "near_best")
    ours = important(posterior, mcid)
    behind = _behind(benefit_levels(posterior))
    reached = (behind <= ours.size).astype(float)
    medians = np.quantile(behind, 0.5, axis=(0, 1), method="inverted_cdf")
    cells = {
        "near_best": reached.mean(axis=(0, 1)),
        "mcse": replicate_error(reached),
        "p_best": rank_probabilities(posterior)[1].to_numpy(),
        "behind": ours.own(medians),
    }
    digits = decimals(np.array([mcid.value / 10]))
    result = Table(
        cells,
        index=pd.Index(posterior.treatments, name="treatment"),
        digits={"mcse": 4, "behind": digits},
        probabilities=["near_best", "p_best"],
        caption=_caption(posterior, f"Probability of being within {ours.said()} of the best"),
        notes=[_reach_words(posterior, ours, medians, digits), *ours.notes(), *briefly(posterior)],
    )
    within = medians <= ours.size
    result.attrs["within_reach"] = [
        name for name, is_near in zip(posterior.treatments, within, strict=True) if is_near
    ]
    result.attrs["invariant"] = tuple(ours.own(np.array(_invariant(medians, ours.size))).tolist())
    return result


def _behind(benefit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far every treatment is behind the best in every draw."""
    return np.asarray(benefit.max(axis=-1, keepdims=True) - benefit)


def _invariant(medians: NDArray[np.float64], size: float) -> tuple[float, float]:
    """Return the sizes around one between which no median lies."""
    below, above = medians[medians <= size], medians[medians > size]
    return float(below.max(initial=0.0)), float(above.min(initial=np.inf))


def _reach_words(
    posterior: Posterior, ours: Important, medians: NDArray[np.float64], digits: int
) -> str:
    names = zip(posterior.treatments, medians, strict=True)
    near = [name for name, median in names if median <= ours.size]
    lower, upper = ours.own(np.array(_invariant(medians, ours.size)))
    up_to = f"from {lower:.{digits}f} up to {upper:.{digits}f}"
    if not np.isfinite(upper):
        up_to = f"from {lower:.{digits}f} on"
    who = ", ".join(near) if near else "none"
    return (
        f"Within reach of the best with a probability of 1/2 or more: {who}. The same for every "
        f"MCID {up_to} ({ours.unit()})."
    )


def mcid_scores(posterior: Posterior, *, mcid: MCID, level: float = 0.95) -> Table:
    r"""Return one plus how many are better by enough to matter, those within the MCID by half.

    .. math:: S_j = 1 + \sum_{k \ne j} \left([b_k - b_j > \mathrm{MCID}]
              + \tfrac12 [\,|b_k - b_j| \le \mathrm{MCID}]\right)

    in every draw, with benefits :math:`b_j = \pm \theta_j`. Their mean over the T treatments is
    :math:`(T + 1)/2`, as that of ranks, and they become the ranks as the MCID goes to 0; as it
    grows all become :math:`(T + 1)/2`. They are no ordering, because being within the MCID of each
    other is not transitive; so the probabilities of the scores, unlike those of ranks, sum to one
    for each treatment and not for each score.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    mcid : MCID
        The difference between groups that matters.
    level : float, default 0.95
        Probability of the intervals.

    Returns
    -------
    Table
        By treatment, best first: ``score``, its posterior mean, exact where the posterior is, with
        its Monte Carlo standard error ``mcse``; and the interval ``lower`` to ``upper`` of draws.

    Raises
    ------
    ModelError
        If the MCID is of the wrong kind or scale, a treatment is alone, or the level is not
        between 0 and 1.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> mcid = nma.decisions.MCID(1.5, kind="between-group", source="Hayden 2021")
    >>> nma.decisions.mcid_scores(posterior, mcid=mcid)["score"].round(1).tolist()
    [2.1, 2.3, 2.3, 3.3]

    References
    ----------
    Curteis et al. 2025, doi:10.1186/s12874-025-02499-0, on ranks with important differences.
    """
    require_posterior(posterior, "mcid_scores")
    require_level(level)
    ours = important(posterior, mcid)
    drawn = _scores(benefit_levels(posterior), ours.size)
    mean, mcse = _mean_scores(posterior, ours, drawn)
    ends = [(1 - level) / 2, (1 + level) / 2]
    lower, upper = np.quantile(drawn, ends, axis=(0, 1), method="inverted_cdf")
    frame = pd.DataFrame(
        {"score": mean, "mcse": mcse, "lower": lower, "upper": upper},
        index=pd.Index(posterior.treatments, name="treatment"),
    ).sort_values("score", kind="stable")
    said = (
        f"MCID score with {100 * level:g}% intervals: 1, and 1 for each treatment that is better "
        f"by more than {ours.said()}, 1/2 for each within it"
    )
    return Table(
        frame,
        digits={"mcse": 4, "lower": 1, "upper": 1},
        caption=_caption(posterior, said),
        notes=[UNORDERED, *ours.notes(), *briefly(posterior)],
    )


def _scores(benefit: NDArray[np.float64], size: float) -> NDArray[np.float64]:
    """Return the scores of every draw, (chain, draw, treatment)."""
    total = np.empty_like(benefit)
    for k in range(benefit.shape[-1]):
        lead = benefit - benefit[..., k, None]
        counted = np.where(lead > size, 1.0, np.where(lead >= -size, 0.5, 0.0))
        total[..., k] = 0.5 + counted.sum(axis=-1)  # a treatment is within the MCID of itself
    return total


def _mean_scores(
    posterior: Posterior, ours: Important, drawn: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean scores and their Monte Carlo standard errors."""
    if posterior.draws.moments is None:
        return drawn.mean(axis=(0, 1)), replicate_error(drawn)
    pairs = ordered_pairs(posterior, None)
    benefits = Benefits.of(posterior, pairs)
    over, within = benefits.at_least(ours.size).value, benefits.within(ours.size).value
    index = pd.MultiIndex.from_tuples(pairs, names=["treatment", "comparator"])
    added = pd.Series(over + within / 2, index).groupby("comparator", sort=False).sum()
    mean = np.asarray(1 + added[list(posterior.treatments)].to_numpy(), dtype=np.float64)
    return mean, np.zeros(len(mean))


def _caption(posterior: Posterior, text: str) -> str:
    network = posterior.network
    of = "" if is_credible(posterior) else "; sampling distribution of the estimates"
    said = f"{text} ({network.measure}, {network.better} is better{of})."
    return captioned(posterior, located(posterior, said))
