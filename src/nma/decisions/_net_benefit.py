"""Net benefit: benefits on several outcomes, weighed against each other by the user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma.decisions._outcomes import Outcomes
from nma.decisions._utility import summed
from nma.errors import ModelError, shown
from nma.estimates import require_level, sampled
from nma.tables import Table, decimals

if TYPE_CHECKING:
    from nma.posterior import Posterior

__all__ = ["net_benefit"]

TAKEN = ("net_benefit", "sd", "lower", "upper", "mcse", "p_positive")
"""Columns of the table that no outcome may be called."""


def net_benefit(
    posteriors: Mapping[str, Posterior],
    *,
    weights: Mapping[str, float],
    comparator: str | None = None,
    reference_level: Mapping[str, float] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Table:
    r"""Return the benefit against the comparator, summed over outcomes by weights.

    .. math:: B_j = \sum_o w_o \, b_{oj}

    where :math:`b_{oj}` is the effect of treatment j against the comparator on outcome o in the
    direction of benefit, on the scale of the model (the logarithm for ratios), or as a difference
    of probabilities, rates or means where the outcome has a ``reference_level``. A weight is what
    one unit of that is worth. Draws of the separate fits are paired at random: given the data
    outcomes are independent, and a correlation within people is not modelled.

    Parameters
    ----------
    posteriors : mapping of str to Posterior
        Two fitted models or more, by the name of their outcome. Treatments are matched by name;
        those that not every outcome has are listed in a note.
    weights : mapping of str to float
        For every outcome what one unit of benefit is worth, zero or above. With MD of pain in
        points and a probability of harm, ``{"pain": 1, "harms": 10}`` says that one person in ten
        spared the harm is worth one point of pain on average.
    comparator : str, optional
        The first outcome's reference if not given, or the next one's if that is not shared.
    reference_level : mapping of str to float, optional
        For outcomes measured by a ratio: what the outcome's reference treatment leads to, as in
        ``nma.absolute_effects``.
    level : float, default 0.95
        Probability of the equal-tailed intervals.
    seed : int, default 0
        The same seed pairs the same draws.

    Returns
    -------
    Table
        By treatment, the largest first: ``net_benefit`` (the mean), ``sd``, ``lower``, ``upper``,
        its Monte Carlo standard error ``mcse``, ``p_positive``, and for each outcome what it adds
        to the mean.

    Raises
    ------
    ModelError
        If the weights do not name every outcome, or the outcomes are not as ``joint_benefit``
        needs them.

    Examples
    --------
    >>> import nma
    >>> pain = nma.fit(nma.datasets.network("back_pain"))
    >>> again = nma.fit(nma.datasets.network("back_pain").as_normal())
    >>> table = nma.decisions.net_benefit(
    ...     {"pain": pain, "again": again}, weights={"pain": 1, "again": 0.5}
    ... )
    >>> table.index[0]
    'multimodal care'

    References
    ----------
    Chiocchia et al. 2023, doi:10.1186/s13643-023-02376-1, on a stated trade-off between benefits
    and harms, there of areas of spie charts.
    """
    require_level(level)
    outcomes = Outcomes.of(posteriors, comparator, verb="net_benefit")
    taken = [name for name in outcomes.posteriors if name in TAKEN]
    if taken:
        message = f"No outcome can be called {', '.join(map(shown, taken))}: the table has those."
        raise ModelError(message)
    worth = summed(outcomes, weights, reference_level, seed)
    against = outcomes.treatments.index(outcomes.comparator)
    others = np.delete(np.arange(len(outcomes.treatments)), against)
    found = sampled(worth.draws[..., others] - worth.draws[..., [against]], level, "higher")
    columns = {
        "net_benefit": found.mean,
        "sd": found.sd,
        "lower": found.lower,
        "upper": found.upper,
        "mcse": found.mcse,
        "p_positive": found.better,
    }
    for name, drawn in worth.parts.items():
        columns[name] = (drawn[..., others] - drawn[..., [against]]).mean(axis=(0, 1))
    table = pd.DataFrame(columns, index=pd.Index(outcomes.others, name="treatment"))
    digits = decimals(found.sd)
    said = (
        f"Net benefit against {outcomes.comparator}, in {worth.unit}, with {100 * level:g}% "
        "credible intervals; positive favours the treatment."
    )
    return Table(
        table.sort_values("net_benefit", ascending=False, kind="stable"),
        caption=outcomes.captioned(said),
        notes=(*worth.notes, "Columns of outcomes are what each adds to the mean."),
        digits=dict.fromkeys(map(str, table), digits) | {"mcse": digits + 2},
        probabilities=["p_positive"],
    )
