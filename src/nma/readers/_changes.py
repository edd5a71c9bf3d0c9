"""Changes within people: standard deviations of changes, and what crossover trials tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nma.errors import Issue
from nma.readers import _checks
from nma.readers._formulas import Formula, derive
from nma.readers._sheet import Column, Sheet, opened

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["correlation_from_sds", "sd_of_change", "se_from_paired_sds"]


def _sd_of_difference(sd1: Any, sd2: Any, correlation: Any) -> Any:
    return np.sqrt(sd1**2 + sd2**2 - 2 * correlation * sd1 * sd2)


CHANGE = Formula(
    "sqrt(sd1^2 + sd2^2 - 2 r sd1 sd2) of baseline and final, r stated",
    "Cochrane Handbook 6.5.2.8",
    ("baseline_sd", "final_sd", "correlation"),
    _sd_of_difference,
)
CORRELATION = Formula(
    "(sd1^2 + sd2^2 - sd_change^2) / (2 sd1 sd2)",
    "Cochrane Handbook 6.5.2.8",
    ("baseline_sd", "final_sd", "change_sd"),
    lambda first, last, change: (first**2 + last**2 - change**2) / (2 * first * last),
)
PAIRED = Formula(
    "sqrt((sd1^2 + sd2^2 - 2 r sd1 sd2) / n) of n pairs, r stated",
    "Cochrane Handbook 23.2.7",
    ("sd1", "sd2", "n", "correlation"),
    lambda sd1, sd2, n, r: _sd_of_difference(sd1, sd2, r) / np.sqrt(n),
)


def sd_of_change(
    frame: Any,
    *,
    study: str,
    sd: str,
    baseline_sd: str,
    final_sd: str,
    correlation: Column,
    overwrite: bool = False,
) -> pd.DataFrame:
    r"""Return the table with standard deviations of changes from baseline.

    .. math:: s = \sqrt{s_0^2 + s_1^2 - 2 r s_0 s_1}

    Parameters
    ----------
    frame : table
        One row for each arm.
    study : str
        Column with the names of trials, for the log.
    sd : str
        Column to fill with standard deviations of changes, where it is empty; it need not exist.
    baseline_sd, final_sd : str
        Columns with the standard deviations at baseline and at the end.
    correlation : float or str
        Correlation of baseline and final scores, between -1 and 1, or the column that has it. It
        has no default: state one that trials of this outcome found (``correlation_from_sds``), and
        fit again with others.
    overwrite : bool, default False
        Whether numbers that are there give way to derived ones.

    Returns
    -------
    DataFrame
        The table, ``sd`` filled, and the log of it, the correlation included, in the last column.

    Raises
    ------
    DataError
        If the correlation is none, and with every number that cannot be.

    Examples
    --------
    >>> import nma
    >>> arms = {"study": ["Trial A"], "sd_before": [6.4], "sd_after": [7.1]}
    >>> derived = nma.readers.sd_of_change(
    ...     arms, study="study", sd="sd", baseline_sd="sd_before", final_sd="sd_after",
    ...     correlation=0.8,
    ... )
    >>> derived["sd"].round(2).tolist()
    [4.32]

    References
    ----------
    Higgins et al. 2019, Cochrane Handbook, doi:10.1002/9781119536604, section 6.5.2.8.
    """
    sheet = opened(
        frame,
        study=study,
        targets={"sd": sd},
        overwrite=overwrite,
        columns={"baseline_sd": baseline_sd, "final_sd": final_sd, "correlation": correlation},
    )
    sheet.sound(
        _checks.positive(sheet, "sd", "baseline_sd", "final_sd"), _checks.correlation(sheet)
    )
    return derive(sheet, "sd", CHANGE).finished()


def correlation_from_sds(
    frame: Any,
    *,
    study: str,
    correlation: str,
    baseline_sd: str,
    final_sd: str,
    change_sd: str,
    overwrite: bool = False,
) -> pd.DataFrame:
    r"""Return the table with correlations of baseline and final scores, from their three SDs.

    .. math:: r = \frac{s_0^2 + s_1^2 - s^2}{2 s_0 s_1}

    For crossover trials, name the standard deviations under both treatments, and that of the
    differences within people.

    Parameters
    ----------
    frame : table
        One row for each arm.
    study : str
        Column with the names of trials, for the log.
    correlation : str
        Column to fill, where it is empty; it need not exist.
    baseline_sd, final_sd, change_sd : str
        Columns with the standard deviations at baseline, at the end, and of the change.
    overwrite : bool, default False
        Whether numbers that are there give way to derived ones.

    Returns
    -------
    DataFrame
        The table, ``correlation`` filled, and the log of it in the last column.

    Raises
    ------
    DataError
        With every row whose standard deviations no correlation can join, and every number that
        cannot be.

    Examples
    --------
    >>> import nma
    >>> arms = {"study": ["Trial A"], "before": [6.4], "after": [7.1], "change": [4.5]}
    >>> derived = nma.readers.correlation_from_sds(
    ...     arms, study="study", correlation="r", baseline_sd="before", final_sd="after",
    ...     change_sd="change",
    ... )
    >>> derived["r"].round(2).tolist()
    [0.78]

    References
    ----------
    Higgins et al. 2019, Cochrane Handbook, doi:10.1002/9781119536604, section 6.5.2.8.
    """
    sheet = opened(
        frame,
        study=study,
        targets={"correlation": correlation},
        overwrite=overwrite,
        columns={"baseline_sd": baseline_sd, "final_sd": final_sd, "change_sd": change_sd},
    )
    sheet.sound(
        _checks.positive(sheet, "baseline_sd", "final_sd", "change_sd"),
        _checks.correlation(sheet),
        _unjoinable(sheet),
    )
    return derive(sheet, "correlation", CORRELATION).finished()


def _unjoinable(sheet: Sheet) -> list[Issue]:
    """Return an issue for every change that is less or more variable than it can be."""
    bad = np.abs(CORRELATION.of(sheet.numbers)) >= 1
    problem = "{value} cannot be the SD of the change between {baseline_sd} and {final_sd}"
    remedy = (
        "It lies between their difference and their sum: check the row, and whether one of the "
        "three is a standard error."
    )
    return sheet.where("change_sd", bad, "no-correlation", problem, remedy)


def se_from_paired_sds(
    frame: Any,
    *,
    study: str,
    se: str,
    sd: tuple[str, str],
    n: str,
    correlation: Column,
    overwrite: bool = False,
) -> pd.DataFrame:
    r"""Return the table with standard errors of differences within people, as in crossover trials.

    .. math:: se = \sqrt{(s_1^2 + s_2^2 - 2 r s_1 s_2) / n}

    Where the trial prints a paired t, p or confidence interval, take ``se_from_t``, ``se_from_p``
    or ``se_from_ci`` with ``n`` naming the pairs: they need no assumption.

    Parameters
    ----------
    frame : table
        One row for each difference.
    study : str
        Column with the names of trials, for the log.
    se : str
        Column to fill, where it is empty; it need not exist.
    sd : pair of str
        Columns with the standard deviations under both treatments.
    n : str
        Column with the people who had both treatments.
    correlation : float or str
        Correlation of the two outcomes of one person, or the column that has it; no default.
    overwrite : bool, default False
        Whether numbers that are there give way to derived ones.

    Returns
    -------
    DataFrame
        The table, ``se`` filled, and the log of it, the correlation included, in the last column.

    Raises
    ------
    DataError
        If the correlation is none, and with every number that cannot be.

    Examples
    --------
    >>> import nma
    >>> trials = {"study": ["Trial A"], "sd1": [2.38], "sd2": [2.21], "n": [10]}
    >>> derived = nma.readers.se_from_paired_sds(
    ...     trials, study="study", se="se", sd=("sd1", "sd2"), n="n", correlation=0.68
    ... )
    >>> derived["se"].round(3).tolist()
    [0.583]

    References
    ----------
    Higgins et al. 2019, Cochrane Handbook, doi:10.1002/9781119536604, section 23.2.7;
    Elbourne et al. 2002, doi:10.1093/ije/31.1.140.
    """
    sd1, sd2 = _checks.require_pair("sd", sd)
    sheet = opened(
        frame,
        study=study,
        targets={"se": se},
        overwrite=overwrite,
        columns={"sd1": sd1, "sd2": sd2, "n": n, "correlation": correlation},
    )
    sheet.sound(
        _checks.positive(sheet, "se", "sd1", "sd2"),
        _checks.at_least(sheet, 2, "n"),
        _checks.correlation(sheet),
    )
    return derive(sheet, "se", PAIRED).finished()
