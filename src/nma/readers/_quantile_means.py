"""Means of arms whose outcome was printed by its quantiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nma.readers._formulas import Formula
from nma.readers._quantiles import derived

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["mean_from_five_numbers", "mean_from_quartiles", "mean_from_range"]


def _off_by_half_the_iqr(given: Any, value: Any, _rounding: Any, numbers: Any) -> Any:
    return np.abs(given - value) > (numbers["q3"] - numbers["q1"]) / 2


def _off_by_a_quarter_of_the_range(given: Any, value: Any, _rounding: Any, numbers: Any) -> Any:
    return np.abs(given - value) > (numbers["maximum"] - numbers["minimum"]) / 4


def _of_quartiles(q1: Any, median: Any, q3: Any, n: Any) -> Any:
    weight = 0.7 + 0.39 / n
    return weight * (q1 + q3) / 2 + (1 - weight) * median


def _of_range(low: Any, median: Any, high: Any, n: Any) -> Any:
    weight = 4 / (4 + n**0.75)
    return weight * (low + high) / 2 + (1 - weight) * median


def _of_five(low: Any, q1: Any, median: Any, q3: Any, high: Any, n: Any) -> Any:
    ends, middle = 2.2 / (2.2 + n**0.75), 0.7 - 0.72 / n**0.55
    return ends * (low + high) / 2 + middle * (q1 + q3) / 2 + (1 - ends - middle) * median


FROM_QUARTILES = Formula(
    "w (q1 + q3) / 2 + (1 - w) median, w = 0.7 + 0.39/n",
    "Luo 2018",
    ("q1", "median", "q3", "n"),
    _of_quartiles,
    _off_by_half_the_iqr,
    sized=False,
)
FROM_RANGE = Formula(
    "w (minimum + maximum) / 2 + (1 - w) median, w = 4 / (4 + n^0.75)",
    "Luo 2018",
    ("minimum", "median", "maximum", "n"),
    _of_range,
    _off_by_a_quarter_of_the_range,
    sized=False,
)
FROM_FIVE = Formula(
    "v (minimum + maximum) / 2 + w (q1 + q3) / 2 + (1 - v - w) median, "
    "v = 2.2 / (2.2 + n^0.75), w = 0.7 - 0.72 / n^0.55",
    "Luo 2018",
    ("minimum", "q1", "median", "q3", "maximum", "n"),
    _of_five,
    _off_by_half_the_iqr,
    sized=False,
)


def mean_from_quartiles(
    frame: Any,
    *,
    study: str,
    mean: str,
    q1: str,
    median: str,
    q3: str,
    n: str,
    overwrite: bool = False,
) -> pd.DataFrame:
    r"""Return the table with means of arms, from medians and quartiles.

    .. math:: \bar x = w \frac{q_1 + q_3}{2} + (1 - w) m, \quad w = 0.7 + 0.39/n

    the combination with the smallest variance for normal data. Where data are skewed, the mean is
    another thing than the median, and quantiles do not tell it.

    Parameters
    ----------
    frame : table
        One row for each arm.
    study : str
        Column with the names of trials, for the log.
    mean : str
        Column to fill, where it is empty; it need not exist.
    q1, median, q3, n : str
        Columns with quartiles, medians and participants.
    overwrite : bool, default False
        Whether numbers that are there give way to derived ones.

    Returns
    -------
    DataFrame
        The table, ``mean`` filled, and the log of it in the last column; the log asks about arms
        whose quantiles are skewed, and about given means half an interquartile range away.

    Raises
    ------
    DataError
        With every row whose quartiles are exchanged, equal or do not hold the median, and every
        number that cannot be.

    Examples
    --------
    >>> import nma
    >>> arms = {"study": ["Trial A"], "q1": [3.0], "median": [4.0], "q3": [6.0], "n": [21]}
    >>> derived = nma.readers.mean_from_quartiles(
    ...     arms, study="study", mean="mean", q1="q1", median="median", q3="q3", n="n"
    ... )
    >>> derived["mean"].round(2).tolist()
    [4.36]

    References
    ----------
    Luo et al. 2018, doi:10.1177/0962280216669183; skewness by Shi et al. 2023,
    doi:10.1177/09622802231172043.
    """
    columns = {"q1": q1, "median": median, "q3": q3}
    return derived(
        frame, FROM_QUARTILES, {"mean": mean}, columns, study=study, n=n, overwrite=overwrite
    )


def mean_from_range(
    frame: Any,
    *,
    study: str,
    mean: str,
    minimum: str,
    median: str,
    maximum: str,
    n: str,
    overwrite: bool = False,
) -> pd.DataFrame:
    r"""Return the table with means of arms, from medians and the smallest and largest values.

    .. math:: \bar x = w \frac{a + b}{2} + (1 - w) m, \quad w = \frac{4}{4 + n^{0.75}}

    the combination with the smallest variance for normal data.

    Parameters
    ----------
    frame : table
        One row for each arm.
    study : str
        Column with the names of trials, for the log.
    mean : str
        Column to fill, where it is empty; it need not exist.
    minimum, median, maximum, n : str
        Columns with the smallest value, the median, the largest value and participants.
    overwrite : bool, default False
        Whether numbers that are there give way to derived ones.

    Returns
    -------
    DataFrame
        The table, ``mean`` filled, and the log of it in the last column; the log asks about arms
        whose quantiles are skewed, and about given means a quarter of the range away.

    Raises
    ------
    DataError
        With every row whose limits are exchanged, equal or do not hold the median, and every
        number that cannot be.

    Examples
    --------
    >>> import nma
    >>> arms = {"study": ["Trial A"], "least": [0.0], "median": [4.0], "most": [9.0], "n": [30]}
    >>> derived = nma.readers.mean_from_range(
    ...     arms, study="study", mean="mean", minimum="least", median="median", maximum="most",
    ...     n="n",
    ... )
    >>> derived["mean"].round(2).tolist()
    [4.12]

    References
    ----------
    Luo et al. 2018, doi:10.1177/0962280216669183.
    """
    columns = {"minimum": minimum, "median": median, "maximum": maximum}
    return derived(
        frame, FROM_RANGE, {"mean": mean}, columns, study=study, n=n, overwrite=overwrite
    )


def mean_from_five_numbers(
    frame: Any,
    *,
    study: str,
    mean: str,
    minimum: str,
    q1: str,
    median: str,
    q3: str,
    maximum: str,
    n: str,
    overwrite: bool = False,
) -> pd.DataFrame:
    r"""Return the table with means of arms, from five-number summaries.

    .. math:: \bar x = v \frac{a + b}{2} + w \frac{q_1 + q_3}{2} + (1 - v - w) m, \quad
       v = \frac{2.2}{2.2 + n^{0.75}}, \quad w = 0.7 - \frac{0.72}{n^{0.55}}

    Parameters
    ----------
    frame : table
        One row for each arm.
    study : str
        Column with the names of trials, for the log.
    mean : str
        Column to fill, where it is empty; it need not exist.
    minimum, q1, median, q3, maximum, n : str
        Columns with the five numbers, and participants.
    overwrite : bool, default False
        Whether numbers that are there give way to derived ones.

    Returns
    -------
    DataFrame
        The table, ``mean`` filled, and the log of it in the last column; the log asks about arms
        whose quantiles are skewed, and about given means half an interquartile range away.

    Raises
    ------
    DataError
        With every row whose numbers are out of order or leave no spread, and every number that
        cannot be.

    Examples
    --------
    >>> import nma
    >>> arms = {"study": ["Trial A"], "n": [30], "least": [0.0], "q1": [3.0], "median": [4.0],
    ...         "q3": [6.0], "most": [9.0]}
    >>> derived = nma.readers.mean_from_five_numbers(
    ...     arms, study="study", mean="mean", minimum="least", q1="q1", median="median", q3="q3",
    ...     maximum="most", n="n",
    ... )
    >>> derived["mean"].round(2).tolist()
    [4.37]

    References
    ----------
    Luo et al. 2018, doi:10.1177/0962280216669183.
    """
    columns = {"minimum": minimum, "q1": q1, "median": median, "q3": q3, "maximum": maximum}
    return derived(frame, FROM_FIVE, {"mean": mean}, columns, study=study, n=n, overwrite=overwrite)
