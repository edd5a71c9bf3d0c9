"""Expected loss of choosing each treatment, and what knowing the effects would be worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nma.decisions._utility import Utility, utility
from nma.errors import ModelError, shown
from nma.estimates import replicate_error
from nma.points import is_number
from nma.tables import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior

__all__ = ["evpi", "expected_loss"]

LEFT_OUT = "Costs are not in it, nor that a choice can be reversed."
"""What these numbers do not count."""


def expected_loss(
    posterior: Posterior | Mapping[str, Posterior],
    *,
    weights: Mapping[str, float] | None = None,
    reference_level: float | Mapping[str, float] | None = None,
    seed: int = 0,
) -> Table:
    r"""Return what choosing each treatment loses on average, because another may be better.

    .. math:: L_j = E\left[\max_k U_k - U_j\right]

    where :math:`U_k` is the level of treatment k in the direction of benefit, or its net benefit
    where several outcomes are given with weights. Choosing the treatment with the best mean loses
    least, and what it loses is the expected value of perfect information (``evpi``).

    Parameters
    ----------
    posterior : Posterior, or mapping of str to Posterior
        A fitted model; or several by outcome, with ``weights``, as in ``net_benefit``.
    weights : mapping of str to float, optional
        What one unit of benefit on each outcome is worth; needed for several outcomes.
    reference_level : float, or mapping of str to float, optional
        For outcomes measured by a ratio: what the reference treatment leads to. The loss is then
        in probabilities, rates or means, and else on the logarithm's scale.
    seed : int, default 0
        The same seed pairs the same draws of several outcomes.

    Returns
    -------
    Table
        By treatment, the least first: ``expected_loss`` with its Monte Carlo standard error
        ``mcse``, on the scale of the outcome, and ``p_best``, the probability of losing nothing.
        Ties share it.

    Raises
    ------
    ModelError
        If a fit is no posterior, or weights do not name every outcome.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> table = nma.decisions.expected_loss(posterior)
    >>> table.index[0], bool((table["expected_loss"] >= 0).all())
    ('multimodal care', True)

    References
    ----------
    Claxton 1999, doi:10.1016/S0167-6296(98)00039-3, on decisions by expected values.
    """
    worth, lost = _lost(posterior, weights, reference_level, seed, "expected_loss")
    best = (lost == 0) / (lost == 0).sum(axis=-1, keepdims=True)
    table = pd.DataFrame(
        {
            "expected_loss": lost.mean(axis=(0, 1)),
            "mcse": replicate_error(lost),
            "p_best": best.mean(axis=(0, 1)),
        },
        index=pd.Index(worth.treatments, name="treatment"),
    )
    return Table(
        table.sort_values("expected_loss", kind="stable"),
        caption=worth.captioned(
            f"Expected loss of choosing each treatment, in {worth.unit}: what the best one would "
            "do beyond it, on average."
        ),
        notes=(*worth.notes, LEFT_OUT),
        significant=["expected_loss", "mcse"],
        probabilities=["p_best"],
    )


def _lost(
    posterior: Posterior | Mapping[str, Posterior],
    weights: Mapping[str, float] | None,
    reference_level: float | Mapping[str, float] | None,
    seed: int,
    verb: str,
) -> tuple[Utility, NDArray[np.float64]]:
    """Return what treatments are worth, and by how much each falls short, in every draw."""
    worth = utility(
        posterior, weights=weights, reference_level=reference_level, seed=seed, verb=verb
    )
    drawn = worth.draws
    return worth, drawn.max(axis=-1, keepdims=True) - drawn


def evpi(
    posterior: Posterior | Mapping[str, Posterior],
    *,
    weights: Mapping[str, float] | None = None,
    reference_level: float | Mapping[str, float] | None = None,
    people: float | None = None,
    horizon: float = 1.0,
    seed: int = 0,
) -> Table:
    r"""Return the expected value of perfect information: what knowing all effects would gain.

    .. math:: \mathrm{EVPI} = E\left[\max_k U_k\right] - \max_j E[U_j] = \min_j L_j

    for one decision, that is one person treated. It is zero with one treatment, and when one is
    best in all draws. No trial can gain more, whatever its size. Costs, of treatments and of the
    trial, are not in it; a population is only if ``people`` are given.

    Parameters
    ----------
    posterior : Posterior, or mapping of str to Posterior
        A fitted model; or several by outcome, with ``weights``, as in ``expected_loss``.
    weights : mapping of str to float, optional
        What one unit of benefit on each outcome is worth; needed for several outcomes.
    reference_level : float, or mapping of str to float, optional
        For outcomes measured by a ratio: what the reference treatment leads to.
    people : float, optional
        People for whom the decision is made, in a year.
    horizon : float, default 1
        Years during which it stands; later years count as much as the first.
    seed : int, default 0
        The same seed pairs the same draws of several outcomes.

    Returns
    -------
    Table
        Rows ``one decision`` and, where people are given, ``population``: ``evpi`` on the scale of
        the outcome, and its Monte Carlo standard error ``mcse``. ``attrs["choice"]`` is the
        treatment that is best on average.

    Raises
    ------
    ModelError
        As ``expected_loss``, or if people or horizon are not above zero.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> nma.decisions.evpi(posterior, people=1000, horizon=5).attrs["choice"]
    'multimodal care'

    References
    ----------
    Claxton 1999, doi:10.1016/S0167-6296(98)00039-3.
    """
    _require_above_zero("people", people)
    _require_above_zero("horizon", horizon)
    if people is None and horizon != 1:
        message = f"horizon={horizon:g} years of whom? Give people=, those treated in a year."
        raise ModelError(message)
    worth, lost = _lost(posterior, weights, reference_level, seed, "evpi")
    mean = lost.mean(axis=(0, 1))
    place = int(mean.argmin())
    counts = {"one decision": 1.0}
    if people is not None:
        counts["population"] = people * horizon
    whole = "" if people is None else f" Population: {people:g} people a year, {horizon:g} years."
    choice = worth.treatments[place]
    table = Table(
        np.outer(list(counts.values()), [mean[place], replicate_error(lost)[place]]),
        index=pd.Index(list(counts), name="for"),
        columns=["evpi", "mcse"],
        caption=worth.captioned(
            f"Expected value of perfect information, in {worth.unit}: what is lost on average by "
            f"choosing {choice}, the best by its mean.{whole}"
        ),
        notes=(*worth.notes, LEFT_OUT),
        significant=["evpi", "mcse"],
    )
    table.attrs["choice"] = choice
    return table


def _require_above_zero(name: str, value: Any) -> None:
    if value is not None and (not is_number(value) or value <= 0):
        message = f"{name}={shown(value)} must be a number above zero."
        raise ModelError(message)
