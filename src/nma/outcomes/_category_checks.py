"""What counts of ordered categories cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from nma.errors import Issue
from nma.outcomes import _checks, _events

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.outcomes._categories import Categories
    from nma.priors import Prior

__all__ = ["beyond_prior", "issues"]

LOWEST = (
    "The lowest category has no column: it is what remains of n. If the first column holds it, "
    "leave that column out of `categories`."
)
ONCE = (
    "Check the row: exclusive counts hold everybody once. If each count includes the higher "
    "categories, say counts='inclusive'."
)
NESTED = (
    "Check the row: inclusive counts hold the people of all higher categories too. If they hold "
    "everybody once, say counts='exclusive'."
)


def issues(categories: Categories) -> list[Issue]:
    """Return every count that cannot be, and categories that tell nothing."""
    found = _participants(categories) + _numbers(categories)
    found += _nothing_told(categories) + _empty_columns(categories)
    spoilt = {row for issue in found for row in issue.rows}
    sound = ~categories.rows.index.isin(spoilt)
    found += list((_rising if categories.inclusive else _adding_up)(categories, sound))
    return found or _one_category(categories)


def _participants(categories: Categories) -> list[Issue]:
    rows, n = categories.rows, categories.n
    remedy = "Supply the number."
    found = _checks.missing(rows, n, remedy) + _checks.infinite(rows, n)
    remedy = "Check the cell: an arm needs a participant; leave out arms without any."
    found += _checks.at_least(rows, n, 1, remedy)
    return found + _events.whole(rows, n, "participants")


def _numbers(categories: Categories) -> list[Issue]:
    remedy = "Check the cell: people are counted from 0; leave it empty if not told."
    rows, found = categories.rows, []
    for name in categories.names:
        bad = rows[name].to_numpy() < 0
        found += _checks.infinite(rows, name)
        found += _checks.where(rows, name, bad, "negative", "{value} is negative", remedy)
        found += _events.whole(rows, name, "people")
    return found


def _nothing_told(categories: Categories) -> list[Issue]:
    remedy = "Supply a count."
    nothing, first = np.asarray(~categories.told.any(axis=1)), categories.names[0]
    problem = "no category has a count"
    return _checks.where(categories.rows, first, nothing, "missing", problem, remedy)


def _empty_columns(categories: Categories) -> list[Issue]:
    remedy = "Leave the column out of `categories`, or supply its counts."
    somewhere = np.asarray(categories.told.any(axis=0)).tolist()
    return [
        Issue("no-counts", "no arm tells this category", remedy, column=name)
        for name, told in zip(categories.names, somewhere, strict=True)
        if not told and categories.told.any()
    ]


def _issue(
    categories: Categories, code: str, problem: str, remedy: str, row: int, column: int
) -> Issue:
    return Issue(
        code,
        problem,
        remedy,
        study=str(categories.rows["study"].iloc[row]),
        rows=(int(categories.rows.index[row]),),
        column=categories.names[column],
        value=float(categories.given[row, column]),
    )


def _adding_up(categories: Categories, sound: NDArray[np.bool_]) -> Iterator[Issue]:
    """Yield the arms whose exclusive counts are more than their participants."""
    total = np.nansum(categories.given, axis=1)
    for row in np.flatnonzero(sound & (total > categories.people)).tolist():
        told = np.flatnonzero(categories.told[row])
        terms = " + ".join(f"{count:g}" for count in categories.given[row, told])
        added = terms if len(told) == 1 else f"{terms} = {total[row]:g}"
        problem = f"{added} are more than the {categories.people[row]:g} participants"
        yield _issue(categories, "more-than-n", problem, ONCE, row, int(told[-1]))


def _rising(categories: Categories, sound: NDArray[np.bool_]) -> Iterator[Issue]:
    """Yield the inclusive counts that are more than the participants, or than one below."""
    for row in np.flatnonzero(sound).tolist():
        told = np.flatnonzero(categories.told[row]).tolist()
        counts = categories.given[row]
        if counts[told[0]] > categories.people[row]:
            problem = (
                f"{counts[told[0]]:g} are more than the {categories.people[row]:g} participants"
            )
            yield _issue(categories, "more-than-n", problem, NESTED, row, told[0])
        for lower, upper in pairwise(told):
            if counts[upper] > counts[lower]:
                below = f"{counts[lower]:g} in {categories.names[lower]!r} or higher"
                problem = f"{counts[upper]:g} are more than the {below}"
                yield _issue(categories, "rising", problem, NESTED, row, upper)


def _one_category(categories: Categories) -> list[Issue]:
    """Return that nobody is below the first category, or that no trial has different people."""
    first = categories.names[0]
    if not len(categories.rows):
        return []
    if not categories.cells[:, 0].any():
        problem = "nobody in any arm is below the first category that the arm tells"
        return [Issue("nobody-below", problem, LOWEST, column=first)]
    if categories.uninformative.all():
        problem = "in every trial all people are in one category"
        remedy = "Nothing can be estimated: check that the columns hold the counts."
        return [Issue("one-category", problem, remedy, column=first)]
    return []


def beyond_prior(categories: Categories, link: Callable[[Any], Any], prior: Prior) -> list[Issue]:
    """Return the neighbouring cut-points that lie further apart than their prior allows.

    By the proportions of all arms together that tell both: arms that differ bring these nearer to
    each other than the cut-points of any one.
    """
    remedy = "Give a wider prior of the distance between cut-points, `cut_points`."
    found = []
    for column, (lower, upper) in enumerate(pairwise(categories.names)):
        both = categories.told[:, column] & categories.told[:, column + 1]
        counts = categories.at_least[both][:, [column, column + 1]].sum(axis=0)
        first, second = link((counts + 0.5) / (categories.people[both].sum() + 1))
        if both.any() and first - second > prior.support[1]:
            problem = (
                f"in the data {upper!r} begins {first - second:.3g} above {lower!r} on the scale "
                f"of the model, and {prior!r} ends before"
            )
            found.append(Issue("beyond-prior", problem, remedy, column=upper))
    return found
