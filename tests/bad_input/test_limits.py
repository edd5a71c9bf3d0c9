"""Confidence limits, and arms of one treatment, that must not be analysed as they stand."""

from __future__ import annotations

import pytest

import nma
from bad_input.corpus import (
    ARMS,
    MEANS,
    PAIRS,
    Case,
    added,
    agrees,
    cell,
    from_arms,
    from_contrasts,
)
from nma.errors import DataError

LIMITS = nma.outcomes.Contrast("md", lower="lo", upper="hi", measure="MD", better="lower")
PRINTED = PAIRS.iloc[:2].assign(lo=[-2.0, -1.6], hi=[0.0, 0.0])

CASES = [
    Case(
        "limits exchanged", cell(cell(PRINTED, 2, "lo", 0.0), 2, "hi", -1.6), "limits-swapped",
        ("does not lie below the upper one",), ("the lower limit must lie below",),
        "Ames", (2,), "lo",
    ),
    Case(
        "estimate outside", cell(PRINTED, 1, "md", 1.0), "outside-limits",
        ("1 lies outside its own limits",), ("of another comparison",), "Turner", (1,), "md",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_limits(case: Case) -> None:
    with pytest.raises(DataError) as caught:
        from_contrasts(case.table, outcome=LIMITS)
    agrees(case, caught.value)


def test_arms_that_cannot_be_merged() -> None:
    se = nma.outcomes.Continuous("mean", se="sd", measure="MD", better="lower")
    table = added(ARMS, ("Ames", "CBT", -0.9, 2.0, 33))
    case = Case(
        "means without participants", table, "cannot-merge",
        ("2 arms on 'CBT' cannot be merged",), ("repeated_arms='keep'",), "Ames", (4, 7),
    )  # fmt: skip
    with pytest.raises(DataError) as caught:
        from_arms(case.table, outcome=se, repeated_arms="merge")
    agrees(case, caught.value)
    with pytest.warns(nma.errors.DataWarning, match="Merged as asked: trial 'Ames', rows 4, 7"):
        from_arms(table, outcome=MEANS, repeated_arms="merge")
