"""Standard deviations of arms whose outcome was printed by its quantiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nma.readers import _checks
from nma.readers._formulas import Formula, by_factor, derive
from nma.readers._order_statistics import iqr_in_sds, range_in_sds
from nma.readers._quantiles import derived
from nma.readers._sheet import opened

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["sd_from_five_numbers", "sd_from_iqr", "sd_from_quartiles", "sd_from_range"]

FROM_RANGE = Formula(
    "(maximum - minimum) / xi(n), the range expected of n normal values",
    "Wan 2014",
    ("minimum", "maximum", "n"),
    lambda low, high, n: (high - low) / range_in_sds(n),
    by_factor,
    sized=False,
)
FROM_QUARTILES = Formula(
    "(q3 - q1) / eta(n), the interquartile range expected of n normal values",
    "Wan 2014",
    ("q1", "q3", "n"),
    lambda q1, q3, n: (q3 - q1) / iqr_in_sds(n),
    by_factor,
    sized=False,
)
FROM_IQR = Formula(
    "iqr / eta(n), the interquartile range expected of n normal values",
    "Wan 2014",
    ("iqr", "n"),
    lambda iqr, n: iqr / iqr_in_sds(n),
    by_factor,
    sized=False,
)


def _shi(low: Any, q1: Any, q3: Any, high: Any, n: Any) -> Any:
    weight = 1 / (1 + 0.07 * n**0.6)
    return weight * (high - low) / range_in_sds(n) + (1 - weight) * (q3 - q1) / iqr_in_sds(n)


FROM_FIVE = Formula(
    "w (maximum - minimum) / xi(n) + (1 - w) (q3 - q1) / eta(n), w = 1 / (1 + 0.07 n^0.6)",
    "Shi 2020",
    ("minimum", "q1", "q3", "maximum", "n"),
    _shi,
    by_factor,
    sized=False,
)


def sd_from_quartiles(
    frame: Any,
    *,
    study: str,
    sd: str,
    q1: str,
    q3: str,
    n: str,
    median: str | None = None,
    overwrite: bool = False,
) -> pd.DataFrame:
    r"""Return the table with standard deviations of arms, from quartiles.

    .. math:: s = (q_3 - q_1) / \eta(n)

    where :math:`\eta(n)` is the expected interquartile range of n standard normal values, exact to
    rounding: 1.349 for many, 1.26 for 21, 0.99 for 5. Data are taken to be normal; quartiles are
    often printed because they are not.

    Parameters
    ----------
    frame : table
        One row for each arm.
    study : str
        Column with the names of trials, for the log.
    sd : str
        Column to fill, where it is empty; it need not exist.
    q1, q3, n : str
        Columns with the lower and upper quartiles, and participants.
    median : str, optional
        Column with medians: they have to lie between the quartiles, and skewness is tested.
    overwrite : bool, default False
        Whether numbers that are there give way to derived ones.

    Returns
    -------
    DataFrame
        The table, ``sd`` filled, and the log of it in the last column; the log asks about arms
        whose quantiles are skewed, and about given SDs twice or half the derived one.

    Raises
    ------
    DataError
        With every row whose quartiles are exchanged, equal or do not hold the median, and every
        number that cannot be.

    Examples
    --------
    >>> import nma
    >>> arms = {"study": ["Trial A"], "q1": [3.0], "median": [4.5], "q3": [6.0], "n": [21]}
    >>> derived = nma.readers.sd_from_quartiles(
    ...     arms, study="study", sd="sd", q1="q1", median="median", q3="q3", n="n"
    ... )
    >>> derived["sd"].round(2).tolist()
    [2.38]

    References
    ----------
    Wan et al. 2014, doi:10.1186/1471-2288-14-135, whose approximation of
    :math:`\eta(n)` is within 0.15% from n = 9 in steps of four; skewness by Shi et al. 2023,
    doi:10.1177/09622802231172043.
    """
    columns = {"q1": q1, "median": median, "q3": q3}
    return derived(
        frame, FROM_QUARTILES, {"sd": sd}, columns, study=study, n=n, overwrite=overwrite
    )


def sd_from_iqr(
    frame: Any, *, study: str, sd: str, iqr: str, n: str, overwrite: bool = False
) -> pd.DataFrame:
    r"""Return the table with standard deviations of arms, from interquartile ranges.

    .. math:: s = IQR / \eta(n)

    as ``sd_from_quartiles`` does, for trials that print the width alone.

    Parameters
    ----------
    frame : table
        One row for each arm.
    study : str
        Column with the names of trials, for the log.
    sd : str
        Column to fill, where it is empty; it need not exist.
    iqr, n : str
        Columns with interquartile ranges, upper less lower quartile, and participants.
    overwrite : bool, default False
        Whether numbers that are there give way to derived ones.

    Returns
    -------
    DataFrame
        The table, ``sd`` filled, and the log of it in the last column.

    Raises
    ------
    DataError
        With every number that cannot be: widths not above zero, fewer than two people.

    Examples
    --------
    >>> import nma
    >>> arms = {"study": ["Trial A"], "iqr": [3.0], "n": [21]}
    >>> derived = nma.readers.sd_from_iqr(arms, study="study", sd="sd", iqr="iqr", n="n")
    >>> derived["sd"].round(2).tolist()
    [2.38]

    References
    ----------
    Wan et al. 2014, doi:10.1186/1471-2288-14-135.
    """
    sheet = opened(
        frame, study=study, targets={"sd": sd}, overwrite=overwrite, columns={"iqr": iqr, "n": n}
    )
    sheet.sound(
        _checks.positive(sheet, "sd", "iqr"),
        _checks.at_least(sheet, 2, "n"),
        _checks.whole(sheet, "n"),
    )
    return derive(sheet, "sd", FROM_IQR).finished()


def sd_from_range(
    frame: Any,
    *,
    study: str,
    sd: str,
    minimum: str,
    maximum: str,
    n: str,
    median: str | None = None,
    overwrite: bool = False,
) -> pd.DataFrame:
    r"""Return the table with standard deviations of arms, from their smallest and largest values.

    .. math:: s = (b - a) / \xi(n)

    where :math:`\xi(n)` is the expected range of n standard normal values, exact to rounding: 4.09
    for 30, 5.02 for 101. It leans on the two most extreme people of the arm: take quartiles where
    there are any.

    Parameters
    ----------
    frame : table
        One row for each arm.
    study : str
        Column with the names of trials, for the log.
    sd : str
        Column to fill, where it is empty; it need not exist.
    minimum, maximum, n : str
        Columns with the smallest and largest values, and participants.
    median : str, optional
        Column with medians: they have to lie between the two, and skewness is tested.
    overwrite : bool, default False
        Whether numbers that are there give way to derived ones.

    Returns
    -------
    DataFrame
        The table, ``sd`` filled, and the log of it in the last column; the log asks about arms
        whose quantiles are skewed, and about given SDs twice or half the derived one.

    Raises
    ------
    DataError
        With every row whose limits are exchanged, equal or do not hold the median, and every
        number that cannot be.

    Examples
    --------
    >>> import nma
    >>> arms = {"study": ["Trial A"], "least": [0.0], "most": [9.0], "n": [30]}
    >>> derived = nma.readers.sd_from_range(
    ...     arms, study="study", sd="sd", minimum="least", maximum="most", n="n"
    ... )
    >>> derived["sd"].round(2).tolist()
    [2.2]

    References
    ----------
    Wan et al. 2014, doi:10.1186/1471-2288-14-135, equation 7 and table 1.
    """
    columns = {"minimum": minimum, "median": median, "maximum": maximum}
    return derived(frame, FROM_RANGE, {"sd": sd}, columns, study=study, n=n, overwrite=overwrite)


def sd_from_five_numbers(
    frame: Any,
    *,
    study: str,
    sd: str,
    minimum: str,
    q1: str,
    median: str,
    q3: str,
    maximum: str,
    n: str,
    overwrite: bool = False,
) -> pd.DataFrame:
    r"""Return the table with standard deviations of arms, from five-number summaries.

    .. math:: s = w \frac{b - a}{\xi(n)} + (1 - w) \frac{q_3 - q_1}{\eta(n)},
       \quad w = \frac{1}{1 + 0.07\, n^{0.6}}

    with the expected range and interquartile range of n standard normal values, exact to rounding.

    Parameters
    ----------
    frame : table
        One row for each arm.
    study : str
        Column with the names of trials, for the log.
    sd : str
        Column to fill, where it is empty; it need not exist.
    minimum, q1, median, q3, maximum, n : str
        Columns with the five numbers, and participants.
    overwrite : bool, default False
        Whether numbers that are there give way to derived ones.

    Returns
    -------
    DataFrame
        The table, ``sd`` filled, and the log of it in the last column; the log asks about arms
        whose quantiles are skewed, and about given SDs twice or half the derived one.

    Raises
    ------
    DataError
        With every row whose numbers are out of order or leave no spread, and every number that
        cannot be.

    Examples
    --------
    >>> import nma
    >>> arms = {"study": ["Trial A"], "n": [30], "least": [0.0], "q1": [3.0], "median": [4.5],
    ...         "q3": [6.0], "most": [9.0]}
    >>> derived = nma.readers.sd_from_five_numbers(
    ...     arms, study="study", sd="sd", minimum="least", q1="q1", median="median", q3="q3",
    ...     maximum="most", n="n",
    ... )
    >>> derived["sd"].round(2).tolist()
    [2.25]

    References
    ----------
    Shi et al. 2020, doi:10.1002/jrsm.1429.
    """
    columns = {"minimum": minimum, "q1": q1, "median": median, "q3": q3, "maximum": maximum}
    return derived(frame, FROM_FIVE, {"sd": sd}, columns, study=study, n=n, overwrite=overwrite)
