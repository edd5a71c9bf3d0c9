"""Standard deviations of arms, from what is printed in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nma.errors import DataError, Issue, nearest
from nma.readers import _checks, _tails
from nma.readers._formulas import Formula, derive
from nma.readers._sheet import Column, opened

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["pooled_sd_from_se", "sd_from_ci", "sd_from_se"]

FROM_SE = Formula(
    "se sqrt(n)", "Cochrane Handbook 6.5.2.2", ("se", "n"), lambda se, n: se * np.sqrt(n)
)
POOLED = Formula(
    "se / sqrt(1/n1 + 1/n2), pooled over both arms",
    "Cochrane Handbook 6.5.2.3",
    ("se", "n1", "n2"),
    lambda se, n1, n2: se / np.sqrt(1 / n1 + 1 / n2),
)
FROM_CI = {
    "t": Formula(
        "sqrt(n) (upper - lower) / (2 t), t on n - 1 df",
        "Cochrane Handbook 6.5.2.2",
        ("lower", "upper", "n", "level"),
        lambda lower, upper, n, level: (
            np.sqrt(n) * (upper - lower) / (2 * _tails.t((1 - level) / 2, n - 1))
        ),
    ),
    "normal": Formula(
        "sqrt(n) (upper - lower) / (2 z)",
        "Cochrane Handbook 6.5.2.2",
        ("lower", "upper", "n", "level"),
        lambda lower, upper, n, level: (
            np.sqrt(n) * (upper - lower) / (2 * _tails.z((1 - level) / 2))
        ),
    ),
}


def sd_from_se(
    frame: Any, *, study: str, sd: str, se: str, n: str, overwrite: bool = False
) -> pd.DataFrame:
    r"""Return the table with standard deviations of arms, from the standard errors of their means.

    .. math:: s = se \sqrt n

    Parameters
    ----------
    frame : table
        One row for each arm.
    study : str
        Column with the names of trials, for the log.
    sd : str
        Column to fill, where it is empty; it need not exist.
    se, n : str
        Columns with standard errors of the means, and participants.
    overwrite : bool, default False
        Whether numbers that are there give way to derived ones.

    Returns
    -------
    DataFrame
        The table, ``sd`` filled, and the log of it in the last column.

    Raises
    ------
    DataError
        With every number that cannot be: standard errors not above zero, fewer than two people.

    Examples
    --------
    >>> import nma
    >>> arms = {"study": ["Trial A"] * 2, "sd": [None, 2.6], "se": [0.45, None], "n": [40, 38]}
    >>> derived = nma.readers.sd_from_se(arms, study="study", sd="sd", se="se", n="n")
    >>> derived["sd"].round(3).tolist()
    [2.846, 2.6]

    References
    ----------
    Higgins et al. 2019, Cochrane Handbook, doi:10.1002/9781119536604, section 6.5.2.2.
    """
    sheet = opened(
        frame, study=study, targets={"sd": sd}, overwrite=overwrite, columns={"se": se, "n": n}
    )
    sheet.sound(_checks.positive(sheet, "sd", "se"), _checks.at_least(sheet, 2, "n"))
    return derive(sheet, "sd", FROM_SE).finished()


def sd_from_ci(
    frame: Any,
    *,
    study: str,
    sd: str,
    mean: str,
    lower: str,
    upper: str,
    n: str,
    level: Column = 0.95,
    distribution: Literal["t", "normal"] = "t",
    overwrite: bool = False,
) -> pd.DataFrame:
    r"""Return the table with standard deviations of arms, from confidence intervals of their means.

    .. math:: s = \sqrt n \, \frac{upper - lower}{2 q}

    where q is the quantile of t with n - 1 degrees of freedom, or of the normal distribution.

    Parameters
    ----------
    frame : table
        One row for each arm.
    study : str
        Column with the names of trials, for the log.
    sd : str
        Column to fill, where it is empty; it need not exist.
    mean, lower, upper, n : str
        Columns with means, confidence limits and participants.
    level : float or str, default 0.95
        Probability of the intervals, or the column that has it.
    distribution : {"t", "normal"}
        What the trial made its intervals with: t for the mean of an arm, as programs print it;
        normal for many of those that come out of a model. From 60 participants on the two are
        within 2.1% of each other.
    overwrite : bool, default False
        Whether numbers that are there give way to derived ones.

    Returns
    -------
    DataFrame
        The table, ``sd`` filled, and the log of it in the last column; the log asks about means
        that lie off the middle of their limits.

    Raises
    ------
    DataError
        With every row whose limits are exchanged or do not hold the mean, and every number that
        cannot be.

    Examples
    --------
    >>> import nma
    >>> arms = {"study": ["Trial A"], "mean": [32.1], "lower": [30.0], "upper": [34.2], "n": [25]}
    >>> derived = nma.readers.sd_from_ci(
    ...     arms, study="study", sd="sd", mean="mean", lower="lower", upper="upper", n="n"
    ... )
    >>> derived["sd"].round(2).tolist()
    [5.09]

    References
    ----------
    Higgins et al. 2019, Cochrane Handbook, doi:10.1002/9781119536604, section 6.5.2.2.
    """
    if distribution not in FROM_CI:
        problem = f"distribution={distribution!r} is not a choice"
        remedy = f"Use 't' or 'normal'.{nearest(distribution, FROM_CI)}"
        raise DataError([Issue("unknown-choice", problem, remedy)])
    sheet = opened(
        frame,
        study=study,
        targets={"sd": sd},
        overwrite=overwrite,
        columns={"mean": mean, "lower": lower, "upper": upper, "n": n, "level": level},
    )
    sheet.sound(
        _checks.positive(sheet, "sd"),
        _checks.limits(sheet, "mean"),
        _checks.at_least(sheet, 2, "n"),
        _checks.level(sheet),
    )
    formula = FROM_CI[distribution]
    se = formula.of(sheet.numbers) / np.sqrt(sheet["n"])
    return derive(_checks.lopsided(sheet, "mean", se), "sd", formula).finished()


def pooled_sd_from_se(
    frame: Any, *, study: str, sd: str, se: str, n: tuple[str, str], overwrite: bool = False
) -> pd.DataFrame:
    r"""Return the table with the standard deviation within arms, from that of their difference.

    .. math:: s = se / \sqrt{1/n_1 + 1/n_2}

    It is one number for both arms. For an adjusted difference it is smaller than the standard
    deviation between people, since what was adjusted for is taken out.

    Parameters
    ----------
    frame : table
        One row for each difference.
    study : str
        Column with the names of trials, for the log.
    sd : str
        Column to fill, where it is empty; it need not exist.
    se : str
        Column with standard errors of differences in means.
    n : pair of str
        Columns with the participants of both arms.
    overwrite : bool, default False
        Whether numbers that are there give way to derived ones.

    Returns
    -------
    DataFrame
        The table, ``sd`` filled, and the log of it in the last column.

    Raises
    ------
    DataError
        With every number that cannot be: standard errors not above zero, fewer than two people.

    Examples
    --------
    >>> import nma
    >>> trials = nma.datasets.load("back_pain")
    >>> derived = nma.readers.pooled_sd_from_se(
    ...     trials, study="study", sd="sd", se="se", n=("n1", "n2")
    ... )
    >>> derived["sd"].round(2).head(3).tolist()
    [2.72, 2.33, 2.88]

    References
    ----------
    Higgins et al. 2019, Cochrane Handbook, doi:10.1002/9781119536604, section 6.5.2.3.
    """
    n1, n2 = _checks.require_pair("n", n)
    sheet = opened(
        frame,
        study=study,
        targets={"sd": sd},
        overwrite=overwrite,
        columns={"se": se, "n1": n1, "n2": n2},
    )
    sheet.sound(_checks.positive(sheet, "sd", "se"), _checks.at_least(sheet, 2, "n1", "n2"))
    return derive(sheet, "sd", POOLED).finished()
