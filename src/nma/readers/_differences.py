"""Standard errors of differences, from intervals, test statistics, p-values and SDs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nma.readers import _checks, _tails
from nma.readers._formulas import Formula, derive
from nma.readers._sheet import Column, opened

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["se_from_ci", "se_from_p", "se_from_sds", "se_from_t"]

HANDBOOK = "Cochrane Handbook 6.5.2.3"
People = str | tuple[str, str]
QUANTILE = {0: ("z", ""), 1: ("t", ", t on n - 1 df"), 2: ("t", ", t on n1 + n2 - 2 df")}
"""The quantile and its words, by the number of groups whose participants are known."""

FROM_T = Formula("abs(effect / t)", HANDBOOK, ("effect", "t"), lambda effect, t: np.abs(effect / t))
FROM_SDS = Formula(
    "sqrt(sd1^2/n1 + sd2^2/n2)",
    "of independent arms",
    ("sd1", "sd2", "n1", "n2"),
    lambda sd1, sd2, n1, n2: np.sqrt(sd1**2 / n1 + sd2**2 / n2),
)


def _quantile(tail: Any, *n: Any) -> Any:
    """Return the quantile of t where the participants of pairs or of both arms are known."""
    return _tails.t(tail, sum(n) - len(n)) if n else _tails.z(tail)


def _people(n: People | None) -> dict[str, str]:
    """Return the columns of participants by role: none, those of pairs, or those of two arms."""
    if n is None:
        return {}
    if isinstance(n, str):
        return {"n": n}
    return dict(zip(("n1", "n2"), _checks.require_pair("n", n), strict=True))


def se_from_ci(
    frame: Any,
    *,
    study: str,
    se: str,
    effect: str,
    lower: str,
    upper: str,
    n: People | None = None,
    level: Column = 0.95,
    overwrite: bool = False,
) -> pd.DataFrame:
    r"""Return the table with standard errors of differences, from their confidence intervals.

    .. math:: se = \frac{upper - lower}{2 q}

    where q is the normal quantile; or, where participants are told, that of t with
    :math:`n_1 + n_2 - 2` degrees of freedom for two arms, or n - 1 for n pairs.

    Parameters
    ----------
    frame : table
        One row for each difference; for ratios see ``log_ratio_from_ci``.
    study : str
        Column with the names of trials, for the log.
    se : str
        Column to fill, where it is empty; it need not exist.
    effect, lower, upper : str
        Columns with differences and their confidence limits.
    n : pair of str, or str, optional
        Columns with the participants of both arms; or of pairs, where all had both treatments
        (crossover). Rows that lack them are left as they are: call again without ``n`` to fill
        them by the normal quantile.
    level : float or str, default 0.95
        Probability of the intervals, or the column that has it.
    overwrite : bool, default False
        Whether numbers that are there give way to derived ones.

    Returns
    -------
    DataFrame
        The table, ``se`` filled, and the log of it in the last column; the log asks about
        differences that lie off the middle of their limits.

    Raises
    ------
    DataError
        With every row whose limits are exchanged or do not hold the difference, and every number
        that cannot be.

    Examples
    --------
    >>> import nma
    >>> reviews = nma.datasets.load("back_pain_reviews").dropna(subset=["lower", "upper"])
    >>> derived = nma.readers.se_from_ci(
    ...     reviews.drop(columns="se"), study="review", se="se", effect="effect",
    ...     lower="lower", upper="upper",
    ... )
    >>> derived["se"].round(4).head(3).tolist()
    [0.0714, 0.074, 0.0918]

    References
    ----------
    Higgins et al. 2019, Cochrane Handbook, doi:10.1002/9781119536604, sections 6.3.1 and 6.5.2.3.
    """
    people = _people(n)
    sheet = opened(
        frame,
        study=study,
        targets={"se": se},
        overwrite=overwrite,
        columns={"effect": effect, "lower": lower, "upper": upper, "level": level, **people},
    )
    sheet.sound(
        _checks.positive(sheet, "se"),
        _checks.limits(sheet, "effect"),
        _checks.at_least(sheet, 2, *people),
        _checks.level(sheet),
    )
    quantile, words = QUANTILE[len(people)]
    formula = Formula(
        f"(upper - lower) / (2 {quantile}){words}",
        HANDBOOK,
        ("lower", "upper", "level", *people),
        lambda low, high, level, *n: (high - low) / (2 * _quantile((1 - level) / 2, *n)),
    )
    checked = _checks.lopsided(sheet, "effect", formula.of(sheet.numbers))
    return derive(checked, "se", formula).finished()


def se_from_t(
    frame: Any, *, study: str, se: str, effect: str, t: str, overwrite: bool = False
) -> pd.DataFrame:
    r"""Return the table with standard errors of differences, from their t (or z) statistics.

    .. math:: se = |effect / t|

    Parameters
    ----------
    frame : table
        One row for each difference, or log ratio.
    study : str
        Column with the names of trials, for the log.
    se : str
        Column to fill, where it is empty; it need not exist.
    effect, t : str
        Columns with differences and test statistics, of two arms or of pairs; their signs do not
        matter. The root of an F on 1 and some degrees of freedom is a t.
    overwrite : bool, default False
        Whether numbers that are there give way to derived ones.

    Returns
    -------
    DataFrame
        The table, ``se`` filled, and the log of it in the last column.

    Raises
    ------
    DataError
        With every difference or statistic of zero, which tells no standard error.

    Examples
    --------
    >>> import nma
    >>> trials = {"study": ["Trial A"], "md": [3.8], "t": [2.78]}
    >>> derived = nma.readers.se_from_t(trials, study="study", se="se", effect="md", t="t")
    >>> derived["se"].round(2).tolist()
    [1.37]

    References
    ----------
    Higgins et al. 2019, Cochrane Handbook, doi:10.1002/9781119536604, section 6.5.2.3.
    """
    sheet = opened(
        frame,
        study=study,
        targets={"se": se},
        overwrite=overwrite,
        columns={"effect": effect, "t": t},
    )
    sheet.sound(
        _checks.positive(sheet, "se"),
        _checks.nonzero(sheet, "effect", "t"),
        _checks.nonzero(sheet, "t", "difference"),
    )
    return derive(sheet, "se", FROM_T).finished()


def se_from_p(
    frame: Any,
    *,
    study: str,
    se: str,
    effect: str,
    p: str,
    n: People | None = None,
    overwrite: bool = False,
) -> pd.DataFrame:
    r"""Return the table with standard errors of differences, from their two-sided p-values.

    .. math:: se = |effect| / q_{1 - p/2}

    where q is the normal quantile; or, where participants are told, that of t with
    :math:`n_1 + n_2 - 2` degrees of freedom for two arms, or n - 1 for n pairs. The p-value has to
    be exact and of a t or z test: bounds such as "<0.05" are refused.

    Parameters
    ----------
    frame : table
        One row for each difference, or log ratio.
    study : str
        Column with the names of trials, for the log.
    se : str
        Column to fill, where it is empty; it need not exist.
    effect, p : str
        Columns with differences and two-sided p-values.
    n : pair of str, or str, optional
        Columns with the participants of both arms; or of pairs, where all had both treatments
        (crossover). Rows that lack them are left as they are.
    overwrite : bool, default False
        Whether numbers that are there give way to derived ones.

    Returns
    -------
    DataFrame
        The table, ``se`` filled, and the log of it in the last column; the log asks for more
        digits where the rounding of p and the difference leaves a tenth of the standard error open.

    Raises
    ------
    DataError
        With every p-value that is a bound, in words, or not between 0 and 1, and every difference
        of zero.

    Examples
    --------
    >>> import nma
    >>> trials = {"study": ["Trial A"], "md": [3.8], "p": [0.008], "n1": [25], "n2": [22]}
    >>> derived = nma.readers.se_from_p(
    ...     trials, study="study", se="se", effect="md", p="p", n=("n1", "n2")
    ... )
    >>> derived["se"].round(2).tolist()
    [1.37]

    References
    ----------
    Higgins et al. 2019, Cochrane Handbook, doi:10.1002/9781119536604, section 6.5.2.3.
    """
    people = _people(n)
    sheet = opened(
        frame,
        study=study,
        targets={"se": se},
        overwrite=overwrite,
        worded=_checks.worded_p,
        columns={"effect": effect, "p": p, **people},
    )
    sheet.sound(
        _checks.positive(sheet, "se"),
        _checks.exact_p(sheet),
        _checks.nonzero(sheet, "effect", "p-value"),
        _checks.at_least(sheet, 2, *people),
    )
    quantile, words = QUANTILE[len(people)]
    formula = Formula(
        f"abs(effect) / {quantile} of a two-sided p{words}",
        HANDBOOK,
        ("effect", "p", *people),
        lambda effect, p, *n: np.abs(effect) / _quantile(p / 2, *n),
    )
    return derive(sheet, "se", formula).finished()


def se_from_sds(
    frame: Any,
    *,
    study: str,
    se: str,
    sd: tuple[str, str],
    n: tuple[str, str],
    overwrite: bool = False,
) -> pd.DataFrame:
    r"""Return the table with standard errors of differences in means, from both arms.

    .. math:: se = \sqrt{s_1^2/n_1 + s_2^2/n_2}

    Parameters
    ----------
    frame : table
        One row for each difference between two arms of other people; for crossover trials see
        ``se_from_paired_sds``.
    study : str
        Column with the names of trials, for the log.
    se : str
        Column to fill, where it is empty; it need not exist.
    sd, n : pair of str
        Columns with the standard deviations, and the participants, of both arms.
    overwrite : bool, default False
        Whether numbers that are there give way to derived ones.

    Returns
    -------
    DataFrame
        The table, ``se`` filled, and the log of it in the last column.

    Raises
    ------
    DataError
        With every number that cannot be.

    Examples
    --------
    >>> import nma
    >>> trials = {"study": ["Trial A"], "sd1": [2.1], "sd2": [1.9], "n1": [40], "n2": [38]}
    >>> derived = nma.readers.se_from_sds(
    ...     trials, study="study", se="se", sd=("sd1", "sd2"), n=("n1", "n2")
    ... )
    >>> derived["se"].round(4).tolist()
    [0.453]

    References
    ----------
    Higgins et al. 2019, Cochrane Handbook, doi:10.1002/9781119536604, section 6.5.2.3.
    """
    (sd1, sd2), (n1, n2) = _checks.require_pair("sd", sd), _checks.require_pair("n", n)
    sheet = opened(
        frame,
        study=study,
        targets={"se": se},
        overwrite=overwrite,
        columns={"sd1": sd1, "sd2": sd2, "n1": n1, "n2": n2},
    )
    sheet.sound(_checks.positive(sheet, "se", "sd1", "sd2"), _checks.at_least(sheet, 2, "n1", "n2"))
    return derive(sheet, "se", FROM_SDS).finished()
