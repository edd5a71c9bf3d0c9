"""Arms that name their instrument: directions, ranges, and what is refused or said."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
from nma.errors import DataError, DataWarning
from nma.instruments import Instrument
from nma.network import Network
from nma.outcomes import Continuous

FUNCTION = Continuous(
    "mean", sd="sd", se="se", n="n", measure="SMD", better="lower", instrument="scale"
)
POINTS = dataclasses.replace(FUNCTION, measure="MD")
FRAME = pd.DataFrame(
    [
        ("Ames", "usual", "RMDQ", 12.0, 5.0, 40.0),
        ("Ames", "CBT", "RMDQ", 10.0, 6.0, 38.0),
        ("Boyd", "usual", "PSFS", 4.0, 2.0, 60.0),
        ("Boyd", "CBT", "PSFS", 5.0, 2.2, 55.0),
    ],
    columns=["study", "treatment", "scale", "mean", "sd", "n"],
).assign(se=np.nan)


def network(frame: pd.DataFrame = FRAME, outcome: Continuous = FUNCTION, **more: Any) -> Network:
    return Network.from_arms(frame, study="study", treatment="treatment", outcome=outcome, **more)


def contrasts(made: Network) -> dict[str, float]:
    """CBT minus usual care, by trial."""
    (source,) = made.sources
    found = {}
    for part in source.outcome.evidence(source.rows, source.arms, nma.priors.Normal(0, 1)):
        for arms, y in zip(part.arms, part.y, strict=True):  # type: ignore[union-attr]
            base = made.arms["treatment"][arms[0]]
            found[made.arms["study"][arms[0]]] = float(y[0]) * (1 if base == "usual" else -1)
    return found


def test_an_instrument_of_the_other_direction_is_reversed_and_said_so() -> None:
    made = network()
    blind = network(outcome=dataclasses.replace(FUNCTION, instrument=None))
    found, plain = contrasts(made), contrasts(blind)
    assert found["Ames"] == plain["Ames"] < 0
    assert found["Boyd"] == -plain["Boyd"] < 0
    assert (
        "Means on PSFS (0 to 10, higher is better) were reversed in sign, because lower is better "
        "in the outcome: Boyd." in made.notices
    )
    assert not any("reversed" in notice for notice in blind.notices)


def test_the_direction_of_the_outcome_reverses_the_others() -> None:
    higher = contrasts(network(outcome=dataclasses.replace(FUNCTION, better="higher")))
    assert {study: -y for study, y in contrasts(network()).items()} == higher


def test_mean_differences_are_reversed_too() -> None:
    pain = FRAME.assign(scale=["NRS", "NRS", "PSFS", "PSFS"], mean=[5.0, 4.0, 4.0, 5.0])
    made = network(pain, POINTS)
    assert contrasts(made) == {"Ames": -1.0, "Boyd": -1.0}
    assert (
        "MD: a point of NRS and PSFS counts as the same, because they share their range."
        in made.notices
    )


def test_a_users_own_instrument_goes_before_the_librarys() -> None:
    own = Instrument("PSFS", 0, 30, "higher")
    outcome = dataclasses.replace(FUNCTION, instruments={"PSFS": own})
    made = network(FRAME.assign(mean=[12.0, 10.0, 24.0, 25.0]), outcome)
    assert any("PSFS (0 to 30" in notice for notice in made.notices)


def test_two_names_of_one_instrument_are_one() -> None:
    frame = FRAME.assign(scale=["Roland", "RMDQ", "RMDQ", "RMDQ"])
    outcome = dataclasses.replace(POINTS, instruments={"Roland": nma.instruments.RMDQ})
    (source,) = network(frame, outcome).sources
    (only,) = source.outcome.reference_sds(source.rows)
    assert only.origin == "pooled over the arms of 2 trials"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mean": [-2.0, -4.0, 4.0, 5.0]}, "Ames"),
        ({"sd": [12.5, 6.0, 2.0, 2.2]}, "Ames"),
        ({"mean": [12.0, 10.0, 4.0, -0.5]}, "Boyd"),
    ],
)
def test_what_cannot_be_a_final_score_is_read_as_a_change_and_said_so(
    changes: dict[str, list[float]], said: str
) -> None:
    (notice,) = (n for n in network(FRAME.assign(**changes)).notices if "final minus" in n)
    assert notice.endswith(f"changes, final minus baseline: {said}.")


def test_names_are_trimmed_and_travel_with_the_arms() -> None:
    with pytest.warns(DataWarning, match="'RMDQ ' was read as 'RMDQ'"):
        made = network(FRAME.assign(scale=["RMDQ ", "RMDQ ", "PSFS", "PSFS"]))
    assert made.arms["scale"].tolist() == ["RMDQ", "RMDQ", "PSFS", "PSFS"]


def test_an_outcome_without_an_instrument_column_tells_no_reference_sd() -> None:
    (source,) = network(outcome=dataclasses.replace(FUNCTION, instrument=None)).sources
    assert source.outcome.reference_sds(source.rows) == ()


def test_braces_in_a_name_do_no_harm() -> None:
    own = {"{x}": Instrument("{x}", 0, 1, "lower")}
    with pytest.raises(DataError, match=r"5 is neither a mean score.*on \{x\} \(0 to 1"):
        network(
            FRAME.iloc[:2].assign(scale="{x}", mean=[5.0, 0.1], sd=0.2),
            dataclasses.replace(FUNCTION, instruments=own),
        )
