"""The log of derived numbers stays with its rows, and reaches every result."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import nma
from nma import readers
from nma.readers._log import IN_FULL, LOG

ARMS = pd.DataFrame(
    {
        "study": ["Ames", "Ames", "Boyd", "Boyd", "Cole", "Cole"],
        "treatment": ["CBT", "placebo", "exercise", "placebo", "CBT", "exercise"],
        "mean": [-1.2, -0.4, -1.1, -0.5, -1.4, -1.3],
        "sd": [None, None, 2.2, 2.0, None, 2.1],
        "se": [0.33, 0.31, None, None, 0.42, None],
        "n": [32, 30, 25, 26, 28, 27],
    }
)
PAIRS = pd.DataFrame(
    {
        "study": ["Dorn", "Eden"],
        "treatment": ["CBT", "exercise"],
        "comparator": ["placebo", "placebo"],
        "md": [-0.8, -1.0],
        "low": [-1.6, -2.0],
        "high": [0.0, 0.0],
    }
)
MEANS = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
EFFECTS = nma.outcomes.Contrast("md", "se", scale=2.0, measure="MD", better="lower")
SAID = (
    "sd = se sqrt(n) (Cochrane Handbook 6.5.2.2): Ames, row 1: 1.867 from se 0.33, n 32; "
    "row 2: 1.698 from se 0.31, n 30; Cole, row 5: 2.222 from se 0.42, n 28."
)


def arms(frame: Any = ARMS) -> pd.DataFrame:
    return readers.sd_from_se(frame, study="study", sd="sd", se="se", n="n")


def pairs() -> pd.DataFrame:
    return readers.se_from_ci(PAIRS, study="study", se="se", effect="md", lower="low", upper="high")


def from_arms(frame: Any, **settings: Any) -> nma.Network:
    named: Any = {"study": "study", "treatment": "treatment", "outcome": MEANS, **settings}
    return nma.Network.from_arms(frame, reference="placebo", **named)


def from_contrasts(frame: Any) -> nma.Network:
    return nma.Network.from_contrasts(
        frame, study="study", treatment="treatment", comparator="comparator", outcome=EFFECTS,
        reference="placebo",
    )  # fmt: skip


def test_the_log_says_what_was_derived_in_each_row() -> None:
    assert readers.notices(arms(), study="study") == (SAID,)
    assert arms()[LOG].tolist()[2:4] == ["", ""]


def test_arms_hand_their_notices_to_network_posterior_and_summary() -> None:
    network = from_arms(arms())
    assert SAID in network.notices
    posterior = nma.fit(network)
    assert SAID in posterior.notices
    assert SAID in nma.summary(posterior).notes
    assert SAID in nma.league_table(posterior).notes
    assert SAID in network.as_normal().notices


def test_contrasts_hand_their_notices_on_too() -> None:
    said = (
        "se = (upper - lower) / (2 z) (Cochrane Handbook 6.5.2.3): Dorn, row 1: 0.4082 from low "
        "-1.6, high 0, level 0.95; Eden, row 2: 0.5102 from low -2, high 0, level 0.95."
    )
    network = from_contrasts(pairs())
    assert said in network.notices
    both = nma.Network.combine(from_arms(arms()), network)
    assert {said, SAID} <= set(both.notices)
    posterior = nma.fit(both)
    assert {said, SAID} <= set(nma.summary(posterior).notes)


def test_questions_are_printed_with_every_table_of_effects() -> None:
    doubtful = ARMS.assign(sd=[3.6, np.nan, 2.2, 2.0, np.nan, 2.1])
    posterior = nma.fit(from_arms(arms(doubtful), treatments=["placebo", "CBT", "exercise"]))
    said = "sd was there and is not se sqrt(n) (Cochrane Handbook 6.5.2.2); which is right?"
    for table in (nma.summary(posterior), nma.league_table(posterior), nma.effect_table(posterior)):
        assert any(note.startswith(said) for note in table.notes), table.caption


def merged(frame: pd.DataFrame) -> pd.DataFrame:
    other = frame[["study", "treatment", LOG]].assign(weeks=8)
    return frame.merge(other, on=["study", "treatment"])


def from_csv(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(frame.to_csv(index=False)))


WAYS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "as it is": lambda frame: frame,
    "attrs lost": lambda frame: pd.DataFrame(frame.to_dict("list")),
    "concatenated": lambda f: pd.concat([f.iloc[:2], f.iloc[2:4].drop(columns=LOG), f.iloc[4:]]),
    "merged with suffixes": merged,
    "saved and read": from_csv,
    "assigned to": lambda frame: frame.assign(year=2001),
    "other index": lambda frame: frame.set_axis(list("uvwxyz")),
    "polars": lambda frame: pl.DataFrame(frame.to_dict("list")),
    "mapping": lambda frame: frame.to_dict("list"),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_log_stays_with_its_rows(way: str) -> None:
    changed = WAYS[way](arms())
    assert readers.notices(changed, study="study") == (SAID,)
    network = from_arms(changed)
    assert SAID in network.notices
    assert not [name for name in network.arms if str(name).startswith(LOG)]


def test_the_log_follows_rows_that_move_and_leaves_with_those_that_go() -> None:
    kept = arms().sort_values("study", ascending=False).query("study != 'Ames'")
    (said,) = readers.notices(kept, study="study")
    assert said.endswith("(Cochrane Handbook 6.5.2.2): Cole, row 1: 2.222 from se 0.42, n 28.")


def test_arms_that_are_dropped_take_their_log_along() -> None:
    more = pd.concat([ARMS, ARMS.iloc[[0]].assign(treatment="yoga")], ignore_index=True)
    lacking = more.assign(mean=more["mean"].where(more.index < len(ARMS)))
    with pytest.warns(nma.errors.DataWarning, match="Dropped as asked: trial 'Ames', row 7"):
        network = from_arms(arms(lacking), missing="drop_arm")
    (said,) = (text for text in network.notices if text.startswith("sd = se"))
    assert said == SAID


def test_arms_that_are_merged_keep_their_log() -> None:
    twice = pd.concat([ARMS, ARMS.iloc[[0]].assign(se=0.5)])
    with pytest.warns(nma.errors.DataWarning, match="Merged as asked") as caught:
        network = from_arms(arms(twice), repeated_arms="merge")
    assert LOG not in str(caught[0].message)
    (said,) = (text for text in network.notices if text.startswith("sd = se"))
    assert "Ames, row 1: 1.867" in said
    assert "Ames, row 7: 2.828 from se 0.5, n 32" in said


def test_captions_and_the_users_index_survive() -> None:
    given = ARMS.set_axis(list("abcdef"))
    given.attrs["caption"] = "Six invented arms."
    found = arms(given)
    assert found.attrs["caption"] == "Six invented arms."
    assert found.index.tolist() == list("abcdef")
    assert from_arms(found).caption == "Six invented arms."
    assert LOG not in given
    assert given["sd"].isna().sum() == 3


def test_many_numbers_are_named_and_the_first_of_them_told() -> None:
    many = {"study": [f"t{k}" for k in range(IN_FULL + 5)], "se": [0.5] * 25, "n": [16] * 25}
    (said,) = readers.notices(arms(many), study="study")
    assert said.count(" from se 0.5, n 16") == IN_FULL
    assert said.endswith(f"numbers in the column '{LOG}': t20, row 21; t21, row 22; t22, row 23; "
                         "t23, row 24; t24, row 25.")  # fmt: skip


def test_columns_and_treatments_cannot_break_the_log() -> None:
    odd = ARMS.rename(columns={"se": "se: of | mean"})
    found = readers.sd_from_se(odd, study="study", sd="sd", se="se: of | mean", n="n")
    found = readers.combine_arms(
        found.assign(treatment=["a | b", "c: d", *ARMS["treatment"][2:]]), study="study",
        treatment="treatment", into={"a | b": "x: y | z", "c: d": "x: y | z"}, n="n", mean="mean",
        sd="sd",
    )  # fmt: skip
    said = readers.notices(found, study="study")
    assert len(said) == 2
    assert "Ames, row 1: 1.867 from se: of / mean 0.33, n 32" in said[0]
    assert said[1].startswith("x y / z = a / b + c d, combined as asked")


def test_nothing_derived_leaves_no_log() -> None:
    complete = ARMS.assign(sd=2.0, se=None)
    assert LOG not in arms(complete)
    assert readers.notices(complete, study="study") == ()


def test_no_warnings_are_given() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from_arms(arms())


def test_notices_need_the_column_of_trials() -> None:
    with pytest.raises(nma.errors.DataError, match="Did you mean 'study'"):
        readers.notices(ARMS, study="studdy")
