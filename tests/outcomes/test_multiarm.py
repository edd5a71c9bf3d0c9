"""Three forms of one covariance, in every direction and order of rows.

Trials of three and four arms are made from means and standard errors of arms, so that the
covariance is known: diagonal s_k^2 + s_b^2, and s_b^2 off it, against arm b.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import nma
from nma.network import Network
from nma.problem import Contrasts

Array = NDArray[np.float64]
COLUMNS = ["study", "treatment", "comparator", "md", "se", "base_se"]
EXACT = 1e-12
"""Rounding of a few sums and products of numbers near one."""


class Arms:
    """One trial by its arms, sorted by treatment."""

    def __init__(self, size: int) -> None:
        self.names = list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[:size])
        rng = np.random.default_rng(size)
        self.mean = dict(zip(self.names, rng.normal(0, 1, size), strict=True))
        self.se = dict(zip(self.names, rng.uniform(0.2, 0.9, size), strict=True))

    def row(self, treatment: str, comparator: str, base: str | None = None) -> tuple[object, ...]:
        se = np.hypot(self.se[treatment], self.se[comparator])
        known = np.nan if base is None else self.se[base]
        difference = self.mean[treatment] - self.mean[comparator]
        return ("Trial", treatment, comparator, difference, se, known)

    def pairs(self) -> list[tuple[object, ...]]:
        return [self.row(a, b) for a, b in combinations(self.names, 2)]

    def based(self, base: str) -> list[tuple[object, ...]]:
        return [self.row(name, base, base) for name in self.names if name != base]

    def covariance(self, rows: Sequence[tuple[object, ...]]) -> Array:
        """Covariance of rows as they stand, from the arms' own variances."""
        D = np.array([[(n == r[1]) * 1.0 - (n == r[2]) for n in self.names] for r in rows])
        return np.asarray(D @ np.diag([self.se[n] ** 2 for n in self.names]) @ D.T)

    @property
    def y(self) -> Array:
        return np.array([self.mean[n] - self.mean[self.names[0]] for n in self.names[1:]])

    @property
    def V(self) -> Array:
        return self.covariance([("", n, self.names[0]) for n in self.names[1:]])


def swapped(rows: Sequence[tuple[object, ...]], *which: int) -> list[tuple[object, ...]]:
    """Return the rows with treatment and comparator, and the sign, of some exchanged."""
    return [
        (s, c, t, -md, *rest) if k in which else (s, t, c, md, *rest)  # type: ignore[operator]
        for k, (s, t, c, md, *rest) in enumerate(rows)
    ]


def evidence(rows: Sequence[tuple[object, ...]], covariance: object = None) -> Contrasts:
    outcome = nma.outcomes.Contrast(
        "md",
        "se",
        base_se="base_se",
        measure="MD",
        better="lower",
        covariance=None if covariance is None else {"Trial": covariance},
    )
    network = Network.from_contrasts(
        pd.DataFrame(rows, columns=COLUMNS),
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=outcome,
    )
    (source,) = network.sources
    (part,) = source.outcome.evidence(source.rows, source.arms, nma.priors.Normal(0, 1))
    assert isinstance(part, Contrasts)
    names = network.arms["treatment"].to_numpy()[part.arms[0]].tolist()
    assert names == sorted(names)
    return part


def is_the_trial(part: Contrasts, arms: Arms) -> None:
    """Whichever arm the contrasts are taken from: turned to the first of the network's order."""
    values = np.vstack([np.zeros(len(part.y[0])), np.eye(len(part.y[0]))])
    ordered = values[np.argsort(part.arms[0])]
    turn = ordered[1:] - ordered[0]
    np.testing.assert_allclose(turn @ part.y[0], arms.y, rtol=0, atol=EXACT)
    np.testing.assert_allclose(turn @ part.V[0] @ turn.T, arms.V, rtol=0, atol=EXACT)


@pytest.fixture(params=[3, 4], ids=["three arms", "four arms"])
def arms(request: pytest.FixtureRequest) -> Arms:
    return Arms(request.param)


def test_arms_give_their_covariance(arms: Arms) -> None:
    frame = pd.DataFrame({"t": arms.names, "mean": arms.mean.values(), "se": arms.se.values()})
    outcome = nma.outcomes.Continuous("mean", se="se", measure="MD", better="lower")
    network = Network.from_arms(frame.assign(s="Trial"), study="s", treatment="t", outcome=outcome)
    (source,) = network.sources
    (part,) = source.outcome.evidence(source.rows, source.arms, nma.priors.Normal(0, 1))
    assert isinstance(part, Contrasts)
    is_the_trial(part, arms)


def test_all_pairs_give_it(arms: Arms) -> None:
    is_the_trial(evidence(arms.pairs()), arms)


@pytest.mark.parametrize("base", [0, 1, -1])
def test_a_base_arm_and_its_standard_error_give_it(arms: Arms, base: int) -> None:
    is_the_trial(evidence(arms.based(arms.names[base])), arms)


@pytest.mark.parametrize("base", [0, 1, -1])
def test_a_matrix_in_the_order_of_rows_gives_it(arms: Arms, base: int) -> None:
    rows = arms.based(arms.names[base])
    for order in (rows, rows[::-1], [*rows[1:], rows[0]]):
        is_the_trial(evidence(order, arms.covariance(order)), arms)
        is_the_trial(evidence(order, arms.covariance(order).tolist()), arms)


@pytest.mark.parametrize("base", [0, 1, -1])
def test_a_labelled_matrix_gives_it_in_any_order(arms: Arms, base: int) -> None:
    rows = arms.based(arms.names[base])
    labels = [str(row[1]) for row in rows]
    matrix = pd.DataFrame(arms.covariance(rows), index=labels, columns=labels)
    for turned in (matrix, matrix.loc[labels[::-1]], matrix.loc[labels[::-1], labels[::-1]]):
        is_the_trial(evidence(rows[::-1], turned), arms)
        is_the_trial(evidence(swapped(rows, 0), turned), arms)


def test_a_matrix_of_contrasts_without_a_common_base_gives_it(arms: Arms) -> None:
    chain = [arms.row(b, a) for a, b in zip(arms.names, arms.names[1:], strict=False)]
    for order in (chain, chain[::-1], swapped(chain, 1)):
        is_the_trial(evidence(order, arms.covariance(order)), arms)


@pytest.mark.parametrize("which", [(0,), (1,), (0, 1), (0, 2), (1, 2), (0, 1, 2)])
def test_the_direction_of_rows_does_not_matter(arms: Arms, which: tuple[int, ...]) -> None:
    is_the_trial(evidence(swapped(arms.pairs(), *which)), arms)
    for base in arms.names:
        rows = swapped(arms.based(base), *which)
        is_the_trial(evidence(rows), arms)
        is_the_trial(evidence(rows, arms.covariance(rows)), arms)


def test_the_order_of_rows_does_not_matter(arms: Arms) -> None:
    rows = arms.pairs()
    first = evidence(rows)
    for k in range(1, len(rows)):
        turned = evidence([*rows[k:], *rows[:k]])
        assert turned.y.tobytes() == first.y.tobytes()
        assert turned.V.tobytes() == first.V.tobytes()


def test_twenty_arms_work() -> None:
    arms = Arms(20)
    assert len(arms.pairs()) == 190
    for rows in (arms.pairs(), arms.based("H")):
        part = evidence(rows)
        np.testing.assert_allclose(part.y[0], arms.y, rtol=0, atol=1e-11)
        np.testing.assert_allclose(part.V[0], arms.V, rtol=0, atol=1e-11)


def test_rounding_is_evened_out_and_told() -> None:
    rows = [
        ("Trial", "B", "A", 0.3, 0.6),
        ("Trial", "C", "A", 0.5, 0.6),
        ("Trial", "C", "B", 0.17, 0.6),
    ]
    network = Network.from_contrasts(
        pd.DataFrame(rows, columns=COLUMNS[:5]),
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=nma.outcomes.Contrast("md", "se", measure="MD", better="lower"),
    )
    assert (
        "Trial: covariance from the standard errors of all pairs; rounding of 0.01 was evened out."
    ) in network.notices
    (source,) = network.sources
    (part,) = source.outcome.evidence(source.rows, source.arms, nma.priors.Normal(0, 1))
    assert isinstance(part, Contrasts)
    np.testing.assert_allclose(part.y, [[0.31, 0.49]], rtol=0, atol=EXACT)


def test_willms_pairwise_errors_are_those_of_its_arms() -> None:
    """Senn 2013, table 1: SD and number of the three arms of Willms 1999.

    The shipped standard errors have four decimals: a square is out by at most
    2 x 0.4669 x 0.00005 = 4.7e-5, half a sum of three by 6.3e-5.
    """
    network = nma.datasets.network("senn2013")
    (source,) = network.sources
    pairs, willms = source.outcome.evidence(source.rows, source.arms, nma.priors.Normal(0, 1))
    assert isinstance(willms, Contrasts)
    assert isinstance(pairs, Contrasts)
    assert len(pairs.y) == 25
    names = network.arms["treatment"].to_numpy()[willms.arms[0]].tolist()
    assert names == ["acarbose", "metformin", "placebo"]
    acarbose, metformin, placebo = 1.782**2 / 31, 0.862**2 / 29, 1.831**2 / 29
    expected = [[acarbose + metformin, acarbose], [acarbose, acarbose + placebo]]
    np.testing.assert_allclose(willms.V[0], expected, rtol=0, atol=6.3e-5)
    np.testing.assert_allclose(willms.y[0], [-0.2, 1.0], rtol=0, atol=1e-14)


ONE = pd.DataFrame(
    [
        ("1", "A", 0.0, 1.0, 40), ("1", "B", -0.8, 1.2, 42), ("2", "B", -0.2, 0.9, 35),
        ("2", "C", -0.1, 1.1, 30), ("3", "A", 0.1, 1.0, 25), ("3", "B", -0.5, 1.3, 28),
        ("3", "C", -1.0, 0.8, 26), ("4", "A", 0.2, 1.1, 50), ("4", "C", -0.7, 1.0, 52),
        ("4", "D", -0.9, 1.2, 48), ("4", "B", -0.3, 1.4, 51),
    ],
    columns=["study", "treatment", "mean", "sd", "n"],
)  # fmt: skip


@pytest.mark.parametrize("base", [0, 1, 2])
def test_arms_and_contrasts_of_the_same_trials_give_the_same_posterior(base: int) -> None:
    rows = []
    for study, trial in ONE.groupby("study"):
        found = Arms(len(trial))
        found.names = sorted(trial["treatment"])
        found.mean = dict(zip(trial["treatment"], trial["mean"], strict=True))
        found.se = dict(zip(trial["treatment"], trial["sd"] / np.sqrt(trial["n"]), strict=True))
        made = found.based(found.names[base % len(trial)])
        rows += [(study, *row[1:]) for row in swapped(made, 0)]
    settings = {"measure": "MD", "better": "lower"}
    arms = Network.from_arms(
        ONE,
        study="study",
        treatment="treatment",
        outcome=nma.outcomes.Continuous("mean", sd="sd", n="n", **settings),  # type: ignore[arg-type]
    )
    contrasts = Network.from_contrasts(
        pd.DataFrame(rows, columns=COLUMNS),
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=nma.outcomes.Contrast("md", "se", base_se="base_se", **settings),  # type: ignore[arg-type]
    )
    model = nma.Model(
        nma.structures.Consistency(nma.priors.Normal(0, 10)),
        nma.heterogeneity.Random(nma.priors.HalfNormal(1)),
    )
    tables = [nma.effect_table(nma.fit(network, model)) for network in (arms, contrasts)]
    assert tables[0].index.equals(tables[1].index)
    numbers = ["mean", "sd"]
    np.testing.assert_allclose(tables[0][numbers], tables[1][numbers], rtol=0, atol=1e-10)
