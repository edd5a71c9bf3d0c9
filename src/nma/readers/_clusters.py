"""Trials that randomised groups of people: what their numbers weigh."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nma.errors import DataError, Issue
from nma.readers import _checks
from nma.readers._formulas import Formula, derive
from nma.readers._sheet import Column, Sheet, opened

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["effective_counts", "inflated_se"]

EFFECT = ("icc", "cluster_size")


def _design_effect(icc: Any, cluster_size: Any) -> Any:
    return 1 + (cluster_size - 1) * icc


def _nearest_whole(number: Any) -> Any:
    return np.floor(number + 0.5)


def _counted(what: str) -> Formula:
    """Return the formula for counts of people with and without an event, which are whole."""
    return Formula(
        f"{what} / (1 + (m - 1) icc), to the nearest whole number",
        "Cochrane Handbook 23.1.4",
        (what, *EFFECT),
        lambda number, icc, m: _nearest_whole(number / _design_effect(icc, m)),
        sized=False,
    )


EFFECTIVE = Formula(
    "n / (1 + (m - 1) icc)",
    "Cochrane Handbook 23.1.4",
    ("n", *EFFECT),
    lambda n, icc, m: n / _design_effect(icc, m),
)
INFLATED = Formula(
    "se sqrt(1 + (m - 1) icc)",
    "Cochrane Handbook 23.1.5",
    ("se", *EFFECT),
    lambda se, icc, m: se * np.sqrt(_design_effect(icc, m)),
)


def effective_counts(
    frame: Any,
    *,
    study: str,
    effective_n: str,
    n: str,
    icc: Column,
    cluster_size: Column,
    events: str | None = None,
    effective_events: str | None = None,
    overwrite: bool = False,
) -> pd.DataFrame:
    r"""Return the table with the participants and events that cluster trials are worth.

    .. math:: n' = \frac{n}{1 + (m - 1)\, ICC}, \quad r' = \frac{r}{1 + (m - 1)\, ICC}

    for trials that were analysed as if they had randomised people one by one. Give the outcome
    the new columns: in rows without clusters they hold the old numbers.

    Parameters
    ----------
    frame : table
        One row for each arm.
    study : str
        Column with the names of trials, for the log.
    effective_n : str
        Column to fill with effective participants, where it is empty; it need not exist.
    n : str
        Column with participants.
    icc : float or str
        Intracluster correlation, from 0 to 1, or the column that has it. No default: take it from
        the trial or from others like it, and vary it.
    cluster_size : float or str
        Mean participants of a cluster, or the column that has it, empty for trials that
        randomised people.
    events, effective_events : str, optional
        Columns with events, and to fill with effective events. Both counts are then rounded to
        whole numbers, which a binomial likelihood needs.
    overwrite : bool, default False
        Whether numbers that are there give way to derived ones.

    Returns
    -------
    DataFrame
        The table, the columns filled, and the log of it in the last column; the log asks about
        events that rounding made none or all.

    Raises
    ------
    DataError
        With every row that has an ICC without a cluster size or the reverse, and every number that
        cannot be.

    Examples
    --------
    >>> import nma
    >>> arms = {"study": ["Trial A"] * 2, "r": [63, 84], "n": [295, 330], "m": [29.8, 29.8]}
    >>> derived = nma.readers.effective_counts(
    ...     arms, study="study", n="n", effective_n="n_eff", events="r", effective_events="r_eff",
    ...     icc=0.02, cluster_size="m",
    ... )
    >>> derived[["r_eff", "n_eff"]].values.tolist()
    [[40.0, 187.0], [53.0, 209.0]]

    References
    ----------
    Higgins et al. 2019, Cochrane Handbook, doi:10.1002/9781119536604, section 23.1.4.
    """
    _require_both(events, effective_events)
    targets = {"effective_n": effective_n}
    if effective_events is not None:
        targets["effective_events"] = effective_events
    sheet = opened(
        frame,
        study=study,
        targets=targets,
        overwrite=overwrite,
        columns={"n": n, "events": events, "icc": icc, "cluster_size": cluster_size},
    )
    sheet.sound(_checks.at_least(sheet, 2, "n"), _checks.counts(sheet), _clustering(sheet))
    if events is None:
        return _filled(sheet, {"effective_n": ("n", EFFECTIVE)}).finished()
    both = {"effective_n": ("n", _counted("n")), "effective_events": ("events", _counted("events"))}
    return _asked_about_vanished(_filled(sheet, both)).finished()


def inflated_se(
    frame: Any,
    *,
    study: str,
    inflated_se: str,
    se: str,
    icc: Column,
    cluster_size: Column,
    overwrite: bool = False,
) -> pd.DataFrame:
    r"""Return the table with the standard errors of cluster trials made as wide as they should be.

    .. math:: se' = se \sqrt{1 + (m - 1)\, ICC}

    for trials that were analysed as if they had randomised people one by one. Give the outcome
    the new column: in rows without clusters it holds the old numbers.

    Parameters
    ----------
    frame : table
        One row for each arm or difference.
    study : str
        Column with the names of trials, for the log.
    inflated_se : str
        Column to fill, where it is empty; it need not exist.
    se : str
        Column with standard errors, of differences or of log ratios.
    icc : float or str
        Intracluster correlation, from 0 to 1, or the column that has it; no default.
    cluster_size : float or str
        Mean participants of a cluster, or the column that has it, empty for trials that
        randomised people.
    overwrite : bool, default False
        Whether numbers that are there give way to derived ones.

    Returns
    -------
    DataFrame
        The table, the column filled, and the log of it in the last column.

    Raises
    ------
    DataError
        With every row that has an ICC without a cluster size or the reverse, and every number that
        cannot be.

    Examples
    --------
    >>> import nma
    >>> trials = {"study": ["Trial A", "Trial B"], "se": [0.4, 0.5], "m": [21, None]}
    >>> derived = nma.readers.inflated_se(
    ...     trials, study="study", se="se", inflated_se="se_wide", icc=0.05, cluster_size="m"
    ... )
    >>> derived["se_wide"].round(3).tolist()
    [0.566, 0.5]

    References
    ----------
    Higgins et al. 2019, Cochrane Handbook, doi:10.1002/9781119536604, section 23.1.5.
    """
    sheet = opened(
        frame,
        study=study,
        targets={"inflated_se": inflated_se},
        overwrite=overwrite,
        columns={"se": se, "icc": icc, "cluster_size": cluster_size},
    )
    sheet.sound(_checks.positive(sheet, "se", "inflated_se"), _clustering(sheet))
    return _filled(sheet, {"inflated_se": ("se", INFLATED)}).finished()


def _require_both(events: str | None, effective_events: str | None) -> None:
    if (events is None) != (effective_events is None):
        remedy = "Name the column of events and the one to fill, or neither."
        problem = f"events={events!r} and effective_events={effective_events!r}"
        raise DataError([Issue("one-of-two", problem, remedy)])


def _clustered(sheet: Sheet) -> NDArray[np.bool_]:
    """Return which rows are of cluster trials: those that fill the columns that tell clusters."""
    told = [np.isfinite(sheet[role]) for role in EFFECT if not sheet.stated(role)]
    return np.any(told, axis=0) if told else np.ones(len(sheet.studies), dtype=bool)


def _clustering(sheet: Sheet) -> list[Issue]:
    """Return an issue for every ICC and cluster size that cannot be, or lacks the other."""
    issues = _checks.intracluster(sheet) + _checks.at_least(sheet, 1, "cluster_size")
    remedy = "A cluster trial needs its ICC and its mean cluster size: fill both, or neither."
    for role in EFFECT:
        lacking = _clustered(sheet) & np.isnan(sheet[role])
        issues += sheet.where(role, lacking, "missing", "the number is missing", remedy)
    return issues


def _filled(sheet: Sheet, formulas: dict[str, tuple[str, Formula]]) -> Sheet:
    """Return the sheet with cluster trials derived, and the numbers of others carried over."""
    alone = ~_clustered(sheet)
    numbers = dict(sheet.numbers)
    for target, (source, _) in formulas.items():
        over = alone & (np.isnan(sheet[target]) | sheet.overwrite)
        numbers[target] = np.where(over, sheet[source], sheet[target])
    sheet = replace(sheet, numbers=numbers)
    for target, (_, formula) in formulas.items():
        sheet = derive(sheet, target, formula)
    return sheet


def _asked_about_vanished(sheet: Sheet) -> Sheet:
    """Return the sheet with a question wherever rounding left no events, or nothing else."""
    n, events = sheet["n"], sheet["events"]
    none = (sheet["effective_events"] == 0) & (events > 0)
    full = (sheet["effective_events"] == sheet["effective_n"]) & (events < n)
    what = (
        "Rounding the events of a cluster trial left none, or all; would a log ratio with an "
        "inflated standard error be better?"
    )
    return sheet.remarked(none | full, what, ("events", "n", "effective_events", "effective_n"))
