"""Numbers needed to treat: differences of risk turned over, through infinity where they must."""

from __future__ import annotations

import math

from nma.tables import figures, rounded

__all__ = ["number_needed"]


def number_needed(median: float, lower: float, upper: float, mcse: float = 0.0) -> str:
    """Return a number needed to treat with its interval, such as ``NNTB 8.6 (5.5 to 19)``.

    It is 1/(median RD), its limits those of RD turned over. An interval of RD that holds zero has
    no ends near zero: it goes from one number for benefit through infinity to one for harm.

    Parameters
    ----------
    median, lower, upper : float
        Of the risk difference, above zero for benefit.
    mcse : float
        Monte Carlo standard error of the median.

    Examples
    --------
    >>> number_needed(0.10, -0.05, 0.25)
    'NNTB 10 (NNTB 4 .. infinity .. NNTH 20)'
    """
    if math.isnan(median):
        return ""
    return f"{_one(median, mcse)} ({_ends(lower, upper, mcse)})"


def _ends(lower: float, upper: float, mcse: float) -> str:
    if lower > 0 or upper < 0:
        near, far = sorted((lower, upper), key=abs, reverse=True)
        return f"{_count(near, 3 * mcse)} to {_count(far, 3 * mcse)}"
    ends = [
        _one(upper, 3 * mcse) if upper > 0 else "",
        "infinity",
        _one(lower, 3 * mcse) if lower < 0 else "",
    ]
    return " .. ".join(filter(None, ends))


def _one(difference: float, mcse: float) -> str:
    if difference == 0:
        return "infinity"
    side = "NNTB" if difference > 0 else "NNTH"
    return f"{side} {_count(difference, mcse)}"


def _count(difference: float, mcse: float) -> str:
    """Return 1/RD: with a decimal below ten, and never more figures than its error allows."""
    size = 1 / abs(difference)
    error = mcse * size**2
    if 2 * error > 10:  # the error of a whole number: as many zeros as that makes
        step = 10.0 ** math.ceil(math.log10(error / 5))
        size = max(round(size / step) * step, step)
    if size >= 1e4:
        return figures(size)
    return rounded(size, error, digits=1 if size < 9.95 else 0).removesuffix(".0")
