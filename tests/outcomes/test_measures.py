from __future__ import annotations

import pytest

from nma.errors import ModelError
from nma.outcomes._measures import require_better, require_measure


@pytest.mark.parametrize("better", ["lower", "higher"])
def test_a_direction_is_lower_or_higher(better: str) -> None:
    require_better(better)


@pytest.mark.parametrize("measure", ["MD", "SMD", "OR", "RR", "HR", "IRR", "ROM", "RD", "points"])
def test_known_measures_and_names_of_ones_own_are_taken(measure: str) -> None:
    require_measure(measure)


@pytest.mark.parametrize(
    ("measure", "meant"),
    [("or", "OR"), ("Smd", "SMD"), ("logHR", "HR"), ("ln(RR", None), ("log_irr", "IRR")],
)
def test_a_known_measure_written_otherwise_is_refused(measure: str, meant: str | None) -> None:
    if meant is None:
        require_measure(measure)
        return
    with pytest.raises(ModelError, match=f"write '{meant}'"):
        require_measure(measure)


def test_a_measure_an_outcome_does_not_offer_is_refused() -> None:
    with pytest.raises(ModelError, match="use 'MD'"):
        require_measure("OR", known=("MD",))
