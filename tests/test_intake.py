from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import nma
from nma import intake
from nma.network import Network

MEANS = nma.outcomes.Continuous("mean", se="se", measure="MD", better="lower")
EFFECTS = nma.outcomes.Contrast("md", "se", measure="MD", better="lower")
ROLES = {"study": "study", "treatment": "treatment"}
PAIR = {**ROLES, "comparator": "comparator"}
ARMS = pd.DataFrame(
    {
        "study": ["b", "b", "a", "a", "a"],
        "treatment": ["C", "A", "B", "C", "A"],
        "mean": [0.1, 0.2, 0.3, 0.4, 0.5],
        "se": [1.0, 1.1, 1.2, 1.3, 1.4],
        "weeks": [12, 12, 8, 8, 8],
        "dose": ["high", None, "low", "low", None],
    }
)
PAIRS = pd.DataFrame(
    {
        "study": ["b", "a", "a", "a"],
        "treatment": ["C", "B", "C", "C"],
        "comparator": ["A", "A", "A", "B"],
        "md": [0.1, 0.2, 0.3, 0.1],
        "se": [1.0, 1.1, 1.2, 1.3],
        "weeks": [12, 8, 8, 8],
        "risk": [None, None, None, None],
        "row": [1, 2, 3, 4],
        "tags": [["x"], ["y"], ["y"], ["z"]],
    }
)


def test_rows_are_sorted_and_keep_the_users_numbers() -> None:
    rows = intake.read(ARMS, ROLES, MEANS).rows
    assert rows.index.tolist() == [5, 3, 4, 2, 1]
    assert list(zip(rows["study"], rows["treatment"], strict=True)) == [
        ("a", "A"), ("a", "B"), ("a", "C"), ("b", "A"), ("b", "C"),
    ]  # fmt: skip
    assert rows["mean"].tolist() == [0.5, 0.3, 0.4, 0.2, 0.1]


def test_positions_point_at_arms() -> None:
    read = intake.read(PAIRS, PAIR, EFFECTS)
    for side, role in enumerate(("treatment", "comparator")):
        arms = read.arms.iloc[read.positions[:, side]]
        assert arms["treatment"].tolist() == read.rows[role].tolist()
        assert arms["study"].tolist() == read.rows["study"].tolist()
    assert read.treatments == ("A", "B", "C")
    assert len(read.arms) == 5


def test_columns_travel_with_arms() -> None:
    arms = intake.read(ARMS, ROLES, MEANS).arms
    assert arms["weeks"].tolist() == [8, 8, 8, 12, 12]
    assert arms["dose"].fillna("-").tolist() == ["-", "low", "low", "-", "high"]
    assert arms["mean"].tolist() == [0.5, 0.3, 0.4, 0.2, 0.1]


def test_columns_of_contrasts_travel_where_constant_within_each_trial() -> None:
    arms = intake.read(PAIRS, PAIR, EFFECTS).arms
    assert arms.columns.tolist() == ["study", "treatment", "participants", "weeks", "risk"]
    assert arms["weeks"].tolist() == [8, 8, 8, 12, 12]
    assert arms["risk"].isna().all()


def test_a_value_in_some_rows_of_a_trial_is_not_constant() -> None:
    read = intake.read(PAIRS.assign(risk=[1.0, 2.0, np.nan, 2.0]), PAIR, EFFECTS)
    assert "risk" not in read.arms


@pytest.mark.parametrize("seed", range(20))
def test_permuted_rows_and_columns_give_bitwise_the_same_network(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for make, frame in ((from_arms, ARMS), (from_contrasts, PAIRS.drop(columns="tags"))):
        shuffled = frame.iloc[rng.permutation(len(frame)), rng.permutation(frame.shape[1])]
        same(make(shuffled), make(frame))


@pytest.mark.parametrize("kind", ["polars", "lazy", "mapping", "records", "categories", "nullable"])
def test_every_kind_of_table_gives_bitwise_the_same_network(kind: str) -> None:
    for make, whole in ((from_arms, ARMS), (from_contrasts, PAIRS)):
        frame = whole.drop(columns=["dose", "risk", "tags"], errors="ignore")
        tables: dict[str, Callable[[pd.DataFrame], Any]] = {
            "polars": lambda f: pl.DataFrame(f.to_dict("list")),
            "lazy": lambda f: pl.LazyFrame(f.to_dict("list")),
            "mapping": lambda f: f.to_dict("list"),
            "records": lambda f: f.to_records(index=False),
            "categories": lambda f: f.astype({"study": "category", "treatment": "category"}),
            "nullable": lambda f: f.convert_dtypes(),
        }
        same(make(tables[kind](frame)), make(frame))


def from_arms(frame: object) -> Network:
    return Network.from_arms(frame, study="study", treatment="treatment", outcome=MEANS)


def from_contrasts(frame: object) -> Network:
    columns = {"study": "study", "treatment": "treatment", "comparator": "comparator"}
    return Network.from_contrasts(frame, **columns, outcome=EFFECTS)


def same(one: Network, other: Network) -> None:
    """Assert that two networks agree to the last bit, but for the user's row numbers."""
    assert one.treatments == other.treatments
    assert one.reference == other.reference
    assert one.notices == other.notices
    assert one.trials == other.trials
    for name in ("study", "treatment"):
        assert one.arms[name].tolist() == other.arms[name].tolist()
    for name in set(one.arms.columns) & {"participants", "mean", "se", "weeks"}:
        assert bits(one.arms[name]) == bits(other.arms[name])
    for mine, theirs in zip(one.sources, other.sources, strict=True):
        assert mine.arms.tobytes() == theirs.arms.tobytes()
        for name in mine.outcome.columns:
            assert bits(mine.rows[name]) == bits(theirs.rows[name])
        prior = nma.priors.Normal(0, 1)
        parts = [s.outcome.evidence(s.rows, s.arms, prior) for s in (mine, theirs)]
        for a, b in zip(*parts, strict=True):
            assert a.y.tobytes() == b.y.tobytes()
            assert a.V.tobytes() == b.V.tobytes()


def bits(column: pd.Series[float]) -> bytes:
    return column.to_numpy(dtype=float, na_value=np.nan).tobytes()
