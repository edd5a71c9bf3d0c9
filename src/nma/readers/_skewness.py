"""Whether quantiles look as those of normal data do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nma.readers._sheet import Sheet

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FEWEST", "remarked", "skewed"]

FEWEST = 10
"""Participants below which the test is not made."""

Known = dict[str, "NDArray[np.float64]"]


def skewed(known: Known) -> NDArray[np.bool_]:
    r"""Return which arms fail the test of skewness at the 5% level.

    .. math::
       T_1 = \frac{|a + b - 2m|}{b - a} > \frac{1}{\ln(n + 9)} + \frac{2.5}{n + 1}, \quad
       T_2 = \frac{|q_1 + q_3 - 2m|}{q_3 - q_1} > \frac{2.65}{\sqrt n} - \frac{6}{n^2}, \quad
       \max\Bigl(\frac{2.65 \ln(0.6 n)}{\sqrt n} T_1, T_2\Bigr) > \frac{3}{\sqrt n} - \frac{40}{n^3}

    Parameters
    ----------
    known : mapping of str to array, (arm,)
        ``n``, ``median`` and ``minimum`` with ``maximum``, or ``q1`` with ``q3``, or all.

    References
    ----------
    Shi et al. 2023, doi:10.1177/09622802231172043.
    """
    n, by_range, by_quartiles = known["n"], "minimum" in known, "q1" in known
    if by_range and by_quartiles:
        scaled = 2.65 * np.log(0.6 * n) / np.sqrt(n) * _lean(known, "minimum", "maximum")
        lean, critical = np.maximum(scaled, _lean(known, "q1", "q3")), 3 / np.sqrt(n) - 40 / n**3
    elif by_range:
        lean = _lean(known, "minimum", "maximum")
        critical = 1 / np.log(n + 9) + 2.5 / (n + 1)
    else:
        lean, critical = _lean(known, "q1", "q3"), 2.65 / np.sqrt(n) - 6 / n**2
    return np.asarray((n >= FEWEST) & (lean > critical))


def _lean(known: Known, low: str, high: str) -> NDArray[np.float64]:
    """Return how far the median lies off the middle of two quantiles, from 0 to 1."""
    lower, upper = known[low], known[high]
    return np.asarray(np.abs(lower + upper - 2 * known["median"]) / (upper - lower))


def remarked(sheet: Sheet) -> Sheet:
    """Return the sheet with a question in the log of every arm whose quantiles look skewed."""
    roles = [role for role in sheet.numbers if role not in {*sheet.targets, "n"}]
    if "median" not in roles:
        return sheet
    known = {role: sheet[role] for role in [*roles, "n"]}
    with np.errstate(all="ignore"):
        bad = skewed(known)
    what = (
        "Quantiles are skewed (test of Shi 2023 at the 5% level), and what was derived from them "
        "takes normal data; is the mean fit to be compared?"
    )
    return sheet.remarked(bad, what, [*roles, "n"])
