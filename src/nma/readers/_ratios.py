"""Log ratios and their standard errors, from printed ratios and log-rank tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nma.readers import _checks, _tails
from nma.readers._formulas import CLOSE, Formula, derive
from nma.readers._sheet import Column, opened

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["log_ratio_from_ci", "log_ratio_from_logrank"]

FAR = float(np.log(2))
"""Log ratio beyond which the estimate from a log-rank test is doubted."""


def _off_by_standard_errors(given: Any, value: Any, rounding: Any, numbers: Any) -> Any:
    return np.abs(given - value) > rounding + CLOSE * numbers["se"]


LOG = Formula(
    "log(ratio)",
    "Cochrane Handbook 6.3.2",
    ("ratio",),
    np.log,
    _off_by_standard_errors,
    sized=False,
)
SE = Formula(
    "(log(upper) - log(lower)) / (2 z)",
    "Cochrane Handbook 6.3.2",
    ("lower", "upper", "level"),
    lambda low, high, level: np.log(high / low) / (2 * _tails.z((1 - level) / 2)),
)
LOG_RANK = Formula(
    "(O - E) / V of a log-rank test",
    "Parmar 1998",
    ("observed_minus_expected", "variance"),
    lambda o_e, v: o_e / v,
    _off_by_standard_errors,
    sized=False,
)
SE_OF_LOG_RANK = Formula(
    "1 / sqrt(V) of a log-rank test", "Parmar 1998", ("variance",), lambda v: 1 / np.sqrt(v)
)


def log_ratio_from_ci(
    frame: Any,
    *,
    study: str,
    log_ratio: str,
    se: str,
    ratio: str,
    lower: str,
    upper: str,
    level: Column = 0.95,
    overwrite: bool = False,
) -> pd.DataFrame:
    r"""Return the table with log ratios and their standard errors, from printed ratios.

    .. math:: \log R, \quad se = \frac{\log upper - \log lower}{2 z}

    for hazard ratios, odds ratios, risk ratios and whatever else is printed as a ratio with its
    limits. Where all trials print theirs so, ``outcomes.Contrast`` reads them as they are.

    Parameters
    ----------
    frame : table
        One row for each ratio.
    study : str
        Column with the names of trials, for the log.
    log_ratio, se : str
        Columns to fill, where they are empty; they need not exist.
    ratio, lower, upper : str
        Columns with ratios and their confidence limits, as printed.
    level : float or str, default 0.95
        Probability of the intervals, or the column that has it.
    overwrite : bool, default False
        Whether numbers that are there give way to derived ones.

    Returns
    -------
    DataFrame
        The table, both columns filled, and the log of it in the last column; the log asks about
        ratios that lie off the middle of their limits on the log scale.

    Raises
    ------
    DataError
        With every ratio or limit not above zero, limits that are exchanged or do not hold the
        ratio, and every number that cannot be.

    Examples
    --------
    >>> import nma
    >>> trials = {"study": ["Trial A"], "hr": [0.72], "lower": [0.53], "upper": [0.98]}
    >>> derived = nma.readers.log_ratio_from_ci(
    ...     trials, study="study", log_ratio="log_hr", se="se", ratio="hr", lower="lower",
    ...     upper="upper",
    ... )
    >>> derived[["log_hr", "se"]].round(3).values.tolist()
    [[-0.329, 0.157]]

    References
    ----------
    Higgins et al. 2019, Cochrane Handbook, doi:10.1002/9781119536604, section 6.3.2;
    Parmar et al. 1998,
    doi:10.1002/(SICI)1097-0258(19981230)17:24<2815::AID-SIM110>3.0.CO;2-8, equation 7.
    """
    sheet = opened(
        frame,
        study=study,
        targets={"log_ratio": log_ratio, "se": se},
        overwrite=overwrite,
        columns={"ratio": ratio, "lower": lower, "upper": upper, "level": level},
    )
    remedy = "Ratios are above zero: check the row, and whether these are logarithms already."
    sheet.sound(
        _checks.positive(sheet, "se"),
        _checks.positive(sheet, "ratio", "lower", "upper", remedy=remedy),
        _checks.limits(sheet, "ratio"),
        _checks.level(sheet),
    )
    checked = _checks.lopsided(sheet, "ratio", SE.of(sheet.numbers), log=True)
    return derive(derive(checked, "se", SE), "log_ratio", LOG).finished()


def log_ratio_from_logrank(
    frame: Any,
    *,
    study: str,
    log_ratio: str,
    se: str,
    observed_minus_expected: str,
    variance: str,
    overwrite: bool = False,
) -> pd.DataFrame:
    r"""Return the table with log hazard ratios and standard errors, from log-rank tests.

    .. math:: \log HR = \frac{O - E}{V}, \quad se = \frac{1}{\sqrt V}

    It is one step from a hazard ratio of 1, and falls short of large effects: beyond 2, or below
    one half, the log asks about it.

    Parameters
    ----------
    frame : table
        One row for each comparison.
    study : str
        Column with the names of trials, for the log.
    log_ratio, se : str
        Columns to fill, where they are empty; they need not exist.
    observed_minus_expected : str
        Column with observed less expected events under the treatment, not the comparator.
    variance : str
        Column with the variance of that difference, the log-rank test's V.
    overwrite : bool, default False
        Whether numbers that are there give way to derived ones.

    Returns
    -------
    DataFrame
        The table, both columns filled, and the log of it in the last column.

    Raises
    ------
    DataError
        With every variance that is not above zero.

    Examples
    --------
    >>> import nma
    >>> trials = {"study": ["Trial A"], "o_e": [-12.1], "v": [37.0]}
    >>> derived = nma.readers.log_ratio_from_logrank(
    ...     trials, study="study", log_ratio="log_hr", se="se", observed_minus_expected="o_e",
    ...     variance="v",
    ... )
    >>> derived[["log_hr", "se"]].round(3).values.tolist()
    [[-0.327, 0.164]]

    References
    ----------
    Parmar et al. 1998,
    doi:10.1002/(SICI)1097-0258(19981230)17:24<2815::AID-SIM110>3.0.CO;2-8.
    """
    sheet = opened(
        frame,
        study=study,
        targets={"log_ratio": log_ratio, "se": se},
        overwrite=overwrite,
        columns={"observed_minus_expected": observed_minus_expected, "variance": variance},
    )
    sheet.sound(_checks.positive(sheet, "se", "variance"))
    filled = derive(derive(sheet, "se", SE_OF_LOG_RANK), "log_ratio", LOG_RANK)
    what = (
        "A hazard ratio far from 1 was taken from a log-rank test, which falls short of it; is "
        "there one from a model?"
    )
    far = np.abs(LOG_RANK.of(sheet.numbers)) > FAR
    return filled.remarked(far, what, ("observed_minus_expected", "variance")).finished()
