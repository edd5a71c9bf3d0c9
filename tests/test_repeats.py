"""Several arms of one trial on one treatment."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
from nma.engines._pymc import build
from nma.errors import DataError, DataWarning
from nma.model import problem
from nma.network import Network

FAT = pd.DataFrame(
    [
        ("DART", "control", 113, 1917.0, "a"),
        ("DART", "reduced fat", 111, 1925.0, "a"),
        ("London", "control", 1, 43.6, "b"),
        ("London", "reduced fat", 5, 41.3, "b"),
        ("London", "reduced fat", 3, 38.0, "c"),
    ],
    columns=["study", "treatment", "events", "years", "oil"],
)
"""Two trials of TSD 2's dietary fat example; the second has two arms on one treatment."""

RATE = nma.outcomes.Rate("events", "years", better="lower")


def read(table: pd.DataFrame = FAT, outcome: Any = RATE, **options: Any) -> Network:
    return Network.from_arms(
        table, study="study", treatment="treatment", outcome=outcome, **options
    )


def test_they_are_refused_unless_something_is_said() -> None:
    with pytest.raises(DataError) as caught:
        read()
    (issue,) = caught.value.issues
    assert (issue.code, issue.study, issue.rows) == ("repeated-arm", "London", (4, 5))
    assert "repeated_arms='merge'" in issue.remedy
    assert "repeated_arms='keep'" in issue.remedy


def test_merged_counts_add_up_and_are_told() -> None:
    said = (
        "Merged as asked: trial 'London', rows 4, 5: 2 arms on 'reduced fat', now events 8, years "
        "79.3; left empty, because the arms differ: oil."
    )
    with pytest.warns(DataWarning, match="Merged as asked"):
        network = read(repeated_arms="merge")
    assert said in network.notices
    (source,) = network.sources
    london = source.rows[source.rows["study"] == "London"]
    assert london[["events", "years"]].to_numpy().tolist() == [[1, 43.6], [8, pytest.approx(79.3)]]
    assert network.arms["oil"].tolist()[:3] == ["a", "a", "b"]
    assert pd.isna(network.arms["oil"].iloc[3])


def test_kept_arms_stay_apart_with_one_treatment() -> None:
    network = read(repeated_arms="keep")
    assert len(network.arms) == 5
    assert network.trials["London"] == ("control", "reduced fat")
    assert network.notices[0] == (
        "Kept as asked: trial 'London', rows 4, 5: 2 arms on 'reduced fat', alike up to "
        "heterogeneity and what a structure tells apart, such as doses."
    )
    task = problem(nma.Model().resolve(network), network)
    np.testing.assert_array_equal(task.levels.ravel(), [0, 1, 0, 1, 1])
    assert build(task, "non-centred").coords["arm"][-2:] == (
        "London: reduced fat",
        "London: reduced fat (2)",
    )


def test_kept_and_merged_agree_without_heterogeneity() -> None:
    """Counts of one rate are sufficient: the two likelihoods differ by a constant."""
    with pytest.warns(DataWarning):
        merged = read(repeated_arms="merge")
    parts = []
    for network in (merged, read(repeated_arms="keep")):
        task = problem(nma.Model().resolve(network), network)
        parts.append((task, task.evidence[0]))
    found = []
    for d in (-0.4, 0.1, 0.9):
        totals = []
        for task, part in parts:
            eta = np.array([-3.0, -2.0])[part.trial] + d * task.levels[part.arms, 0]  # type: ignore[union-attr]
            totals.append(part.density(eta, None, part.data, np).sum())  # type: ignore[union-attr]
        found.append(totals[0] - totals[1])
    np.testing.assert_allclose(found, found[0], rtol=1e-10)


def test_kept_arms_of_means_count_as_one_more_contrast() -> None:
    """At a common effect, two arms of one mean weigh as the arm they make together."""
    means = pd.DataFrame(
        [("1", "A", 0.0, 1.0, 40), ("1", "B", 1.0, 1.0, 20), ("1", "B", 1.0, 1.0, 30)],
        columns=["study", "treatment", "mean", "sd", "n"],
    )
    md = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
    model = nma.Model(
        nma.structures.Consistency(nma.priors.Normal(0, 1e4)), nma.heterogeneity.Common()
    )
    summary = nma.summary(nma.fit(read(means, md, repeated_arms="keep"), model))
    assert summary["sd"].iloc[0] == pytest.approx(np.sqrt(1 / 40 + 1 / 50), rel=1e-6)


def test_merged_means_are_those_of_all_participants() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.normal(0, 1, 20), rng.normal(1, 2, 30)
    both = np.concatenate([first, second])
    rows = [
        ("1", "B", x.mean(), x.std(ddof=1), len(x)) for x in (first, second)
    ]  # fmt: skip
    means = pd.DataFrame(
        [("1", "A", 0.0, 1.0, 40), *rows], columns=["study", "treatment", "mean", "sd", "n"]
    )
    md = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
    with pytest.warns(DataWarning):
        network = read(means, md, repeated_arms="merge")
    found = network.sources[0].rows[["mean", "sd", "n"]].to_numpy()[1]
    np.testing.assert_allclose(found, [both.mean(), both.std(ddof=1), 50])


def test_what_cannot_be_merged_is_refused() -> None:
    means = pd.DataFrame(
        [("1", "A", 0.0, 0.2), ("1", "B", 1.0, 0.2), ("1", "B", 1.1, 0.3)],
        columns=["study", "treatment", "mean", "se"],
    )
    md = nma.outcomes.Continuous("mean", se="se", measure="MD", better="lower")
    with pytest.raises(DataError) as caught:
        read(means, md, repeated_arms="merge")
    (issue,) = caught.value.issues
    assert (issue.code, issue.study, issue.rows) == ("cannot-merge", "1", (2, 3))
    assert "nothing tells their 'mean', 'se' as one" in issue.problem
    followed = FAT.assign(n=2000, t=[1, 1, 1, 1, 2])
    hr = nma.outcomes.Binary("events", "n", time="t", measure="HR", better="lower")
    with pytest.raises(DataError, match="nothing tells their 't' as one"):
        read(followed, hr, repeated_arms="merge")


@pytest.mark.parametrize("choice", ["merge", "keep"])
@pytest.mark.filterwarnings("ignore::nma.errors.DataWarning")
def test_a_trial_of_one_treatment_compares_nothing(choice: str) -> None:
    table = pd.concat([FAT.iloc[:2], FAT.iloc[3:]])
    with pytest.raises(DataError, match="it has one arm, 'reduced fat'"):
        read(table, repeated_arms=choice)


def test_a_trial_of_one_treatment_counts_where_a_number_sets_its_arms_apart() -> None:
    table = pd.concat([FAT.iloc[:2], FAT.iloc[3:]])
    with pytest.raises(DataError, match="where a column of numbers, such as the dose"):
        read(table, repeated_arms="keep")
    with pytest.raises(DataError, match="it has one arm"):
        read(table.assign(dose=1.0), repeated_arms="keep")
    network = read(table.assign(dose=[1.0, 1.0, 2.0, 3.0]), repeated_arms="keep")
    assert network.trials["London"] == ("reduced fat",)
    assert network.arms["dose"].tolist() == [1.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize("choice", ["Merge", "pool", None, True])
def test_repeated_arms_is_one_of_three_words(choice: object) -> None:
    with pytest.raises(DataError, match="Use repeated_arms='refuse', 'merge' or 'keep'"):
        read(repeated_arms=choice)


def test_participants_of_both_arms_count() -> None:
    counts = FAT.assign(n=[1000, 1000, 26, 28, 26])
    odds = nma.outcomes.Binary("events", "n", measure="OR", better="lower")
    network = read(counts, odds, repeated_arms="keep")
    assert network.comparisons()["participants"].tolist() == [2080]
