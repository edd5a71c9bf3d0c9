"""Simple conditions on a hierarchy, to be put together."""

from __future__ import annotations

import numpy as np

from nma.decisions._conditions import Beats, Condition, RankIn
from nma.decisions._mcid import MCID
from nma.errors import ModelError, shown
from nma.points import is_number

__all__ = ["beats", "best", "in_bottom", "in_top", "worst"]


def best(treatment: str) -> Condition:
    """Return the condition that a treatment is the best of all.

    Who ties for the best is not the best: its rank is the mean of those tied for.

    Parameters
    ----------
    treatment : str
        Its name.

    Returns
    -------
    Condition
        For ``nma.decisions.probability``.

    Raises
    ------
    ModelError
        As ``in_top``; ``probability`` refuses names that the posterior does not know.

    Examples
    --------
    >>> from nma.decisions import best, in_top
    >>> best("exercise") & ~in_top("surgery", 2)
    best('exercise') & ~in_top('surgery', 2)

    References
    ----------
    Papakonstantinou et al. 2021, doi:10.21203/rs.3.rs-858140/v1.
    """
    return in_top(treatment, 1)


def worst(treatment: str) -> Condition:
    """Return the condition that a treatment is the worst of all.

    Parameters
    ----------
    treatment : str
        Its name.

    Returns
    -------
    Condition
        For ``nma.decisions.probability``.

    Raises
    ------
    ModelError
        As ``in_bottom``; ``probability`` refuses names that the posterior does not know.

    Examples
    --------
    >>> from nma.decisions import worst
    >>> print(worst("bed rest"))
    bed rest is the worst

    References
    ----------
    Papakonstantinou et al. 2021, doi:10.21203/rs.3.rs-858140/v1.
    """
    return in_bottom(treatment, 1)


def in_top(treatment: str, places: int) -> Condition:
    """Return the condition that a treatment is among the best.

    Parameters
    ----------
    treatment : str
        Its name.
    places : int
        How many of the best ranks count; fewer than there are treatments.

    Returns
    -------
    Condition
        For ``nma.decisions.probability``.

    Raises
    ------
    ModelError
        If that is no whole number from 1.

    Examples
    --------
    >>> from nma.decisions import in_top
    >>> print(in_top("exercise", 2) | in_top("surgery", 2))
    exercise is among the best 2 or surgery is among the best 2

    References
    ----------
    Papakonstantinou et al. 2021, doi:10.21203/rs.3.rs-858140/v1.
    """
    return RankIn(treatment, _count(places), worst=False)


def in_bottom(treatment: str, places: int) -> Condition:
    """Return the condition that a treatment is among the worst.

    Parameters
    ----------
    treatment : str
        Its name.
    places : int
        How many of the worst ranks count; fewer than there are treatments.

    Returns
    -------
    Condition
        For ``nma.decisions.probability``.

    Raises
    ------
    ModelError
        If that is no whole number from 1.

    Examples
    --------
    >>> from nma.decisions import in_bottom
    >>> print(in_bottom("bed rest", 2))
    bed rest is among the worst 2

    References
    ----------
    Papakonstantinou et al. 2021, doi:10.21203/rs.3.rs-858140/v1.
    """
    return RankIn(treatment, _count(places), worst=True)


def beats(treatment: str, comparator: str, *, by: float | MCID | None = None) -> Condition:
    """Return the condition that a treatment is better than another.

    Parameters
    ----------
    treatment, comparator : str
        Their names.
    by : float or MCID, optional
        By how much at least: without a sign, on the outcome's own scale, so points for a mean
        difference and a ratio above 1 for OR or RR. By any amount if not given.

    Returns
    -------
    Condition
        For ``nma.decisions.probability``.

    Raises
    ------
    ModelError
        If both are the same, or ``by`` is not above zero.

    Examples
    --------
    >>> from nma.decisions import beats
    >>> print(beats("exercise", "bed rest", by=1) & beats("exercise", "surgery"))
    exercise is better than bed rest by 1 or more and exercise is better than surgery

    References
    ----------
    Papakonstantinou et al. 2021, doi:10.21203/rs.3.rs-858140/v1.
    """
    if treatment == comparator:
        message = f"beats({treatment!r}, {comparator!r}): nothing is better than itself."
        raise ModelError(message)
    if by is not None and not isinstance(by, MCID) and (not is_number(by) or by <= 0):
        message = (
            f"by={shown(by)} is not a size: give it above zero and without a sign, whichever "
            "direction is better, or leave it out for any amount."
        )
        raise ModelError(message)
    return Beats(treatment, comparator, by)


def _count(places: object) -> int:
    """Return a number of places, or refuse it."""
    if isinstance(places, int | np.integer) and not isinstance(places, bool) and places >= 1:
        return int(places)
    message = f"{shown(places)} is no number of places: give a whole number from 1."
    raise ModelError(message)
