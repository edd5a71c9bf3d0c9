"""Checks of single columns that outcomes share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nma.errors import Issue

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["at_least", "infinite", "missing", "positive", "where"]


def where(
    rows: pd.DataFrame, column: str, bad: NDArray[np.bool_], code: str, problem: str, remedy: str
) -> list[Issue]:
    """Return an issue for every row where ``bad``; ``{value}`` in the problem is filled in."""
    return [
        Issue(
            code,
            problem.format(value=f"{rows[column].iloc[position]:g}"),
            remedy,
            study=str(rows["study"].iloc[position]),
            rows=(int(rows.index[position]),),
            column=column,
            value=float(rows[column].iloc[position]),
        )
        for position in np.flatnonzero(bad).tolist()
    ]


def missing(rows: pd.DataFrame, column: str, remedy: str) -> list[Issue]:
    """Return an issue for every number that is not there."""
    bad = np.isnan(rows[column].to_numpy())
    return where(rows, column, bad, "missing", "the number is missing", remedy)


def infinite(rows: pd.DataFrame, column: str) -> list[Issue]:
    """Return an issue for every infinite number."""
    remedy = "Check the cell: no report prints an infinite number."
    bad = np.isinf(rows[column].to_numpy())
    return where(rows, column, bad, "infinite", "{value} is not finite", remedy)


def positive(rows: pd.DataFrame, column: str, remedy: str) -> list[Issue]:
    """Return an issue for every finite number that is zero or negative."""
    values = rows[column].to_numpy()
    bad = (values <= 0) & np.isfinite(values)
    return where(rows, column, bad, "not-positive", "{value} is not a positive number", remedy)


def at_least(rows: pd.DataFrame, column: str, least: int, remedy: str) -> list[Issue]:
    """Return an issue for every finite number below ``least``."""
    values = rows[column].to_numpy()
    bad = (values < least) & np.isfinite(values)
    return where(rows, column, bad, "too-few", f"{{value}} is fewer than {least}", remedy)
