"""Reading the quantiles of an outcome: in order, apart, and of a whole number of people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nma.readers import _checks, _skewness
from nma.readers._formulas import Formula, derive
from nma.readers._sheet import opened

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ORDER", "derived"]

ORDER = ("minimum", "q1", "median", "q3", "maximum")


def derived(
    frame: Any,
    formula: Formula,
    target: Mapping[str, str],
    quantiles: Mapping[str, str | None],
    *,
    study: str,
    n: str,
    overwrite: bool,
) -> pd.DataFrame:
    """Return the table with a mean or standard deviation filled by a formula of quantiles.

    Parameters
    ----------
    frame : table
        One row for each arm.
    formula : Formula
        Of the quantiles and n.
    target : mapping of str to str
        The role to fill, ``mean`` or ``sd``, and its column.
    quantiles : mapping of str to str or None
        Columns by role, of ``ORDER``.
    study, n : str
        Columns with the names of trials, and participants.
    overwrite : bool
        Whether numbers that are there give way to derived ones.

    Raises
    ------
    DataError
        With quantiles that are out of order, or leave no spread, and numbers that cannot be.
    """
    sheet = opened(
        frame, study=study, targets=target, overwrite=overwrite, columns={"n": n, **quantiles}
    )
    sheet.sound(
        _checks.positive(sheet, "sd"),
        _checks.ordered(sheet, *ORDER),
        _checks.apart(sheet),
        _checks.at_least(sheet, 2, "n"),
        _checks.whole(sheet, "n"),
    )
    (role,) = target
    return derive(_skewness.remarked(sheet), role, formula).finished()
