"""Joint benefit: how probable it is that a treatment helps on every outcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma.decisions._mcid import MCID, magnitude
from nma.decisions._outcomes import Outcomes, benefits
from nma.errors import ModelError, shown
from nma.estimates import replicate_error
from nma.tables import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior

__all__ = ["joint_benefit"]

TAKEN = ("all", "none", "mcse")
"""Columns of the table that no outcome may be called."""


def joint_benefit(
    posteriors: Mapping[str, Posterior],
    *,
    mcid: Mapping[str, MCID] | None = None,
    tolerated: Mapping[str, MCID] | None = None,
    comparator: str | None = None,
) -> Table:
    r"""Return how probable it is that a treatment is better than the comparator on every outcome.

    .. math:: P(\text{all}) = \prod_o P(b_{oj} \ge m_o), \qquad
              P(\text{none}) = \prod_o \left(1 - P(b_{oj} \ge m_o)\right)

    where :math:`b_{oj}` is the effect of treatment j against the comparator on outcome o in the
    direction of benefit, and :math:`m_o` its MCID, or 0 where none is given: better at all. On an
    outcome that is only ``tolerated`` it is minus what is tolerated: not worse by as much. Each
    outcome has a posterior of its own, so given the data they are independent and probabilities
    multiply; a correlation between outcomes within people is not modelled.

    Parameters
    ----------
    posteriors : mapping of str to Posterior
        Two fitted models or more, by the name of their outcome, such as "pain" and "harms".
        Treatments are matched by name; those that not every outcome has are listed in a note.
    mcid : mapping of str to MCID, optional
        By how much a treatment must be better, for the outcomes named.
    tolerated : mapping of str to MCID, optional
        For the outcomes named, by less than how much it may be worse instead.
    comparator : str, optional
        The first outcome's reference if not given, or the next one's if that is not shared.

    Returns
    -------
    Table
        By treatment, the most probable first: for each outcome the probability, ``all`` and
        ``none``, and the Monte Carlo standard error of ``all``, ``mcse``, which is zero where all
        posteriors are exact.

    Raises
    ------
    ModelError
        If there are fewer than two outcomes, they share no two treatments, an MCID is not one of
        differences between groups or names no outcome, or a fit is no posterior.

    Examples
    --------
    >>> import nma
    >>> pain = nma.fit(nma.datasets.network("back_pain"))
    >>> again = nma.fit(nma.datasets.network("back_pain").as_normal())
    >>> nma.decisions.joint_benefit({"pain": pain, "again": again})["all"].idxmax()
    'multimodal care'

    References
    ----------
    Daly et al. 2020, doi:10.1186/s12874-020-01128-2, on treatments judged by several outcomes.
    """
    outcomes = Outcomes.of(posteriors, comparator, verb="joint_benefit")
    wanted, spared = dict(mcid or {}), dict(tolerated or {})
    _require_sense(outcomes, wanted, spared)
    found = {
        name: _chance(outcomes, name, _least(outcomes, name, wanted, spared))
        for name in outcomes.posteriors
    }
    chances = np.stack([chance for chance, _ in found.values()])
    errors = np.stack([error for _, error in found.values()])
    table = pd.DataFrame(
        dict(zip(found, chances, strict=True)),
        index=pd.Index(outcomes.others, name="treatment"),
    )
    table["all"], table["none"] = chances.prod(axis=0), (1 - chances).prod(axis=0)
    table["mcse"] = _product_error(chances, errors)
    asked = "; ".join(_words(outcomes, name, wanted, spared) for name in found)
    return Table(
        table.sort_values("all", ascending=False, kind="stable"),
        caption=outcomes.captioned(
            f"Probability of benefit against {outcomes.comparator}, on each outcome and on all: "
            f"{asked}."
        ),
        notes=outcomes.told,
        digits={"mcse": 4},
        probabilities=[*found, "all", "none"],
    )


def _require_sense(
    outcomes: Outcomes, wanted: Mapping[str, MCID], spared: Mapping[str, MCID]
) -> None:
    outcomes.require_named(wanted, "mcid=")
    outcomes.require_named(spared, "tolerated=")
    both = [name for name in wanted if name in spared]
    taken = [name for name in outcomes.posteriors if name in TAKEN]
    if both:
        message = (
            f"{', '.join(map(shown, both))}: in mcid= a treatment must be better by so much, in "
            "tolerated= it may be worse by less; name an outcome in one of them."
        )
        raise ModelError(message)
    if taken:
        message = f"No outcome can be called {', '.join(map(shown, taken))}: the table has those."
        raise ModelError(message)


def _least(
    outcomes: Outcomes, name: str, wanted: Mapping[str, MCID], spared: Mapping[str, MCID]
) -> float:
    """Return the least benefit that counts, on the scale of the model; negative if spared."""
    posterior = outcomes.posteriors[name]
    if name in spared:
        return -magnitude(posterior, spared[name])
    return magnitude(posterior, wanted[name]) if name in wanted else 0.0


def _chance(
    outcomes: Outcomes, name: str, least: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the probability of a benefit of at least so much, and its Monte Carlo error."""
    posterior = outcomes.posteriors[name]
    first = outcomes.places(name, outcomes.others)
    second = outcomes.places(name, [outcomes.comparator] * len(first))
    moments = posterior.draws.moments
    if moments is not None:
        mixture = moments.differences(posterior.levels, first, second)
        lower = posterior.network.better == "lower"
        chance = mixture.below(-least) if lower else 1 - mixture.below(least)
        return chance, np.zeros(len(first))
    benefit = benefits(posterior, first) - benefits(posterior, second)
    above = (benefit > least) + 0.5 * (benefit == least)
    return above.mean(axis=(0, 1)), replicate_error(above)


def _product_error(
    chances: NDArray[np.float64], errors: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the Monte Carlo standard error of a product of independent estimates."""
    rest = [np.delete(chances, k, axis=0).prod(axis=0) for k in range(len(chances))]
    return np.asarray(np.sqrt(((errors * np.stack(rest)) ** 2).sum(axis=0)))


def _words(
    outcomes: Outcomes, name: str, wanted: Mapping[str, MCID], spared: Mapping[str, MCID]
) -> str:
    network = outcomes.posteriors[name].network
    scale = f"{name} ({network.measure}, {network.better} is better)"
    if name in spared:
        return f"{scale} worse by less than {spared[name]}"
    return f"{scale} better by at least {wanted[name]}" if name in wanted else f"{scale} better"
