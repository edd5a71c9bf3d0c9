"""Covariates of trials: read from the arms, one value for each trial, nothing amiss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nma.errors import DataError, Issue, ModelError, nearest, shown
from nma.labels import collisions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.network import Network

__all__ = ["by_trial", "dummies", "is_missing", "is_number", "named"]

Values = dict[str, Any]
"""The value of each trial; None where it is missing."""

BLANK = {"", "na", "nan", "none", "null", ".", "-", "?"}
"""Texts that stand for a missing value."""


def by_trial(network: Network, name: str, *, missing: str) -> Values:
    """Return a covariate's value in each trial.

    Parameters
    ----------
    network : Network
        The evidence.
    name : str
        A column of its arms.
    missing : {"refuse", "model"}
        Whether trials without a value are refused, or None.

    Raises
    ------
    DataError
        If there is no such column, or a trial has no value, or several; all at once.
    """
    table = network.table
    if name not in table:
        known = [c for c in table if c not in {"study", "treatment", "participants"}]
        message = f"the covariate {name!r} is no column of the arms"
        raise DataError([Issue("covariate-column", message, f"Name one.{nearest(name, known)}")])
    found: dict[str, dict[Any, None]] = {}
    for study, value in zip(table["study"], table[name], strict=True):
        found.setdefault(str(study), {})[_cleaned(value)] = None
    issues = [*_faults(found, name, missing)]
    if issues:
        raise DataError(issues)
    return {study: next(iter(values)) for study, values in found.items()}


def _cleaned(value: Any) -> Any:
    """Return a number as float, a text without blanks around it, and None if there is neither."""
    if isinstance(value, str):
        return None if value.strip().casefold() in BLANK else value.strip()
    if is_missing(value):
        return None
    return float(value) if isinstance(value, int | float | np.number | np.bool_) else str(value)


def is_missing(value: Any) -> bool:
    """Return whether a value is one of the many ways to say that there is none."""
    return bool(pd.isna(value))


def is_number(value: Any) -> bool:
    """Return whether a value of a covariate is a number."""
    return isinstance(value, float)


def _faults(found: dict[str, dict[Any, None]], name: str, missing: str) -> Iterator[Issue]:
    yield from _of_trials(found, name, missing)
    values = {value for told in found.values() for value in told if value is not None}
    texts = sorted(value for value in values if isinstance(value, str))
    if texts and (len(texts) < len(values) or all(map(_reads_as_number, texts))):
        message = f"numbers and texts stand in one covariate, such as {shown(texts[0])}"
        yield Issue("covariate-mixed", message, "Make them all numbers, or all names.", column=name)
    yield from collisions(texts)


def _of_trials(found: dict[str, dict[Any, None]], name: str, missing: str) -> Iterator[Issue]:
    for study, told in found.items():
        values = list(told)
        if len(values) > 1:
            listed = " and ".join(shown(value) for value in values)
            message = f"its arms have {listed}, and a covariate here is one value for each trial"
            remedy = "Give its arms one value, such as the mean over them."
            yield Issue("covariate-varies", message, remedy, study, column=name)
        elif values == [None] and missing == "refuse":
            message = "the covariate has no value"
            remedy = 'Fill it in, leave the trial out, or write missing="model".'
            yield Issue("covariate-missing", message, remedy, study, column=name)
        elif is_number(values[0]) and not np.isfinite(values[0]):
            message = f"the covariate is {values[0]}"
            yield Issue("covariate-infinite", message, "Give a number.", study, column=name)


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def named(value: Any) -> str:
    """Return the name of a category: whole numbers without a point, nothing where it is missing."""
    told = _cleaned(value)
    if is_number(told) and told.is_integer():
        return str(int(told))
    return "" if told is None else str(told)


def dummies(values: pd.Series[Any], name: str, categories: Sequence[str]) -> NDArray[np.float64]:
    """Return one column for each category but the first, (arm, category); zeros where missing.

    Raises
    ------
    ModelError
        If a value is none of the categories, with the closest.
    """
    told = [named(value) for value in values]
    unknown = sorted(set(told) - {*categories, ""})
    if unknown:
        message = (
            f"{name}={unknown[0]!r} is none of {', '.join(map(repr, categories))}."
            f"{nearest(unknown[0], categories)}"
        )
        raise ModelError(message)
    return np.array([[value == category for category in categories[1:]] for value in told], float)
