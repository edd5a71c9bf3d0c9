"""The laws of counts, as properties of random networks with empty and full cells."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

import densities
import nma
from invariance.test_laws import EXACT, numbers, same
from nma.model import problem
from nma.network import Network
from nma.outcomes import Binary, Rate
from nma.priors import HalfNormal, Normal
from nma.problem import Arms, Problem
from strategies import trials

Array = NDArray[np.float64]
OR = Binary("r", "n", measure="OR", better="lower")
HR = Binary("r", "n", time="t", measure="HR", better="lower")
RR, RD = replace(OR, measure="RR"), replace(OR, measure="RD")
IRR = Rate("r", "n", better="lower")
EVERY = [OR, HR, RR, RD, IRR]
MODEL = nma.Model(nma.structures.Consistency(Normal(0, 5)), nma.heterogeneity.Random(HalfNormal(1)))
COMMON = replace(MODEL, heterogeneity=nma.heterogeneity.Common())


def called(outcome: Any) -> str:
    return str(outcome.measure)


@st.composite
def counts(
    draw: st.DrawFn, *, most: int = 120, most_treatments: int = 7, least_treatments: int = 2
) -> pd.DataFrame:
    """Return arms with events and participants; about every eighth cell empty or full."""
    made = draw(trials(most_treatments=most_treatments, least_treatments=least_treatments)).frame
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    frame = made[["study", "treatment"]].reset_index(drop=True)
    frame["n"] = rng.integers(3, most, len(frame))
    p = rng.beta(1.5, 3, len(frame))
    p = np.where(rng.uniform(size=len(frame)) < 1 / 16, 0.0, p)
    p = np.where(rng.uniform(size=len(frame)) < 1 / 16, 1.0, p)
    frame["r"] = rng.binomial(frame["n"], p)
    frame["t"] = rng.uniform(0.5, 3, len(frame)).round(2)
    assume(((frame["r"] > 0) & (frame["r"] < frame["n"])).any())
    return frame


def network(frame: pd.DataFrame, outcome: Any, **options: Any) -> Network:
    return Network.from_arms(
        frame, study="study", treatment="treatment", outcome=outcome, **options
    )


def arms_of(task: Problem) -> Arms:
    (part,) = task.evidence
    assert isinstance(part, Arms)
    return part


@pytest.mark.parametrize("outcome", [OR, HR, IRR], ids=called)
@given(frame=counts(), seed=st.integers(0, 2**16))
def test_deviance_is_twice_saturated_minus_log_density(
    outcome: Any, frame: pd.DataFrame, seed: int
) -> None:
    part = arms_of(problem(MODEL.resolve(network(frame, outcome)), network(frame, outcome)))
    eta = np.random.default_rng(seed).normal(-1, 1.5, len(frame)).clip(None, 1)
    # above 1 a hazard over three units of time leaves survivors that 1 - p rounds away
    r, n = part.data["events"], frame.sort_values(["study", "treatment"])["n"].to_numpy(float)
    best = stats.poisson(r) if outcome is IRR else stats.binom(n, r / n)
    density = part.density(eta, None, part.data, np)
    found = part.deviance(part.fitted(eta, None, part.data, np), part.data, np)
    np.testing.assert_allclose(found, 2 * (best.logpmf(r) - density), rtol=1e-8, atol=1e-8)
    assert part.observed is not None
    zero = part.deviance(part.observed(part.data), part.data, np)
    np.testing.assert_allclose(zero, 0, atol=1e-9)


@pytest.mark.parametrize("outcome", [OR, RD], ids=called)
@given(frame=counts())
def test_odds_ratios_and_risk_differences_mirror_when_event_and_non_event_change_places(
    outcome: Any, frame: pd.DataFrame
) -> None:
    """Effects are negated, ranks reversed, tau, fit and notices' numbers stay: the posterior."""
    there, back = (
        nma.fit(network(table, outcome).as_normal(), MODEL)
        for table in (frame, frame.assign(r=frame["n"] - frame["r"]))
    )
    mirrored = {
        pair: (-mean, sd, -upper, -lower) for pair, (mean, sd, lower, upper) in logs(there).items()
    }
    same(mirrored, logs(back), atol=1e-8)
    for column in ("mean", "sd", "lower", "upper"):
        one, other = (nma.summary(p).loc["tau", column] for p in (there, back))
        assert one == pytest.approx(other, rel=1e-8)
    first, second = (nma.sucra(p)["sucra"].sort_index() for p in (there, back))
    np.testing.assert_allclose(first + second, 1.0, atol=EXACT)
    fits = [nma.fit_measures.dic(p)[["deviance", "pD", "DIC"]].to_numpy() for p in (there, back)]
    np.testing.assert_allclose(fits[0], fits[1], rtol=1e-8)


def logs(posterior: nma.Posterior) -> Any:
    """Return means, sds and ends of intervals on the scale of the model."""
    ratio = posterior.network.ratio
    return {
        pair: (mean, sd, *(np.log([lower, upper]) if ratio else (lower, upper)))
        for pair, (mean, sd, lower, upper) in numbers(posterior).items()
    }


@given(frame=counts(), seed=st.integers(0, 2**16))
def test_the_odds_likelihood_mirrors_when_event_and_non_event_change_places(
    frame: pd.DataFrame, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    there, back = (
        task_of(network(table, OR)) for table in (frame, frame.assign(r=frame["n"] - frame["r"]))
    )
    point = Point.drawn(there, rng)
    expected = point.log_likelihood(there)
    assert point.negated().log_likelihood(back) == pytest.approx(expected, rel=1e-10)


@dataclass(frozen=True)
class Point:
    """Values of everything that a problem of arms has."""

    beta: Array
    scales: dict[str, float]
    u: Array
    level: dict[str, float]

    @classmethod
    def drawn(cls, task: Problem, rng: np.random.Generator) -> Point:
        studies = sorted(set(task.arms["study"]))
        return cls(
            rng.normal(0, 1, len(task.parameters.names)),
            {scale.name: 0.7 for scale in task.scales},
            rng.normal(0, 0.5, len(task.arms)),
            dict(zip(studies, rng.normal(-1, 1, len(studies)).tolist(), strict=True)),
        )

    def negated(self) -> Point:
        level = {study: -m for study, m in self.level.items()}
        return replace(self, beta=-self.beta, u=-self.u, level=level)

    def log_likelihood(self, task: Problem) -> float:
        return densities.of_evidence(task, self.beta, self.scales, self.u, self.level)


def task_of(evidence: Network, model: nma.Model = MODEL) -> Problem:
    return problem(model.resolve(evidence), evidence)


def individuals(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each person, who has the event or not."""
    rows = [
        (row["study"], row["treatment"], int(k < row["r"]), 1, row["t"])
        for row in frame.to_dict("records")
        for k in range(int(row["n"]))
    ]
    return pd.DataFrame(rows, columns=["study", "treatment", "r", "n", "t"])


@pytest.mark.parametrize("outcome", [OR, HR, RR, RD], ids=called)
@given(frame=counts(most=25, most_treatments=4))
def test_grouped_is_individual_binomial_data(outcome: Any, frame: pd.DataFrame) -> None:
    """People merged into their arms are the grouped data: the same problem, and the same answer."""
    frame = frame.assign(t=2.0)  # one time in an arm, so that it is the arm's
    with pytest.warns(nma.errors.DataWarning, match="Merged as asked"):
        people = network(individuals(frame), outcome, repeated_arms="merge")
    grouped = network(frame, outcome)
    columns = list(outcome.columns)
    np.testing.assert_array_equal(people.sources[0].rows[columns], grouped.sources[0].rows[columns])
    fits = [nma.fit(evidence.as_normal(), MODEL) for evidence in (people, grouped)]
    assert numbers(fits[0]) == numbers(fits[1])


@pytest.mark.parametrize("outcome", [OR, HR], ids=called)
@given(frame=counts(most=25, most_treatments=4), seed=st.integers(0, 2**16))
def test_the_likelihood_of_grouped_and_individual_binomial_data_differs_by_a_constant(
    outcome: Any, frame: pd.DataFrame, seed: int
) -> None:
    """People kept as arms of their own: the constant is the ways to order them.

    A trial's level is that of its mean arm, so counting people for arms moves it; the likelihood
    at corresponding levels differs by the same number wherever it is taken.
    """
    people = task_of(network(individuals(frame), outcome, repeated_arms="keep"), COMMON)
    grouped = task_of(network(frame, outcome), COMMON)
    rng = np.random.default_rng(seed)
    apart = []
    for _ in range(3):
        point = replace(Point.drawn(grouped, rng), u=np.zeros(len(grouped.arms)))
        shift = means(people, point.beta) - means(grouped, point.beta)
        level = {study: m + shift[study] for study, m in point.level.items()}
        moved = replace(point, u=np.zeros(len(people.arms)), level=level)
        apart.append(point.log_likelihood(grouped) - moved.log_likelihood(people))
    ways = arms_of(grouped).data["log_ways"].sum()
    np.testing.assert_allclose(apart, ways, rtol=1e-9, atol=1e-7)


def means(task: Problem, beta: Array) -> pd.Series[float]:
    """Return the mean level of each trial's arms."""
    return pd.Series(task.levels @ beta, index=task.arms["study"]).groupby(level=0).mean()


def as_contrasts(frame: pd.DataFrame, outcome: Any) -> Network:
    """Return trials as a paper prints them: contrasts and the base arm's own standard error."""
    normal = network(frame, outcome).as_normal()
    (source,) = normal.sources
    rows: list[dict[str, Any]] = []
    names = normal.table["treatment"].to_numpy()
    for part in source.outcome.evidence(source.rows, source.arms, Normal(0, 10)):
        assert isinstance(part, nma.problem.Contrasts)
        assert part.reported is not None
        for arms, (level, variance) in zip(
            part.arms, np.moveaxis(part.reported, 0, 1), strict=True
        ):
            rows += [
                {
                    "study": normal.table["study"].iloc[arms[0]],
                    "treatment": names[arms[k]],
                    "comparator": names[arms[0]],
                    "y": level[k] - level[0],
                    "se": np.sqrt(variance[k] + variance[0]),
                    "base": np.sqrt(variance[0]),
                }
                for k in range(1, len(arms))
            ]
    printed = nma.outcomes.Contrast(
        "y", "se", base_se="base", measure=outcome.measure, better=outcome.better, scale=1.0
    )
    return Network.from_contrasts(
        pd.DataFrame(rows),
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=printed,
    )


def halves(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    first = frame["study"].map(lambda study: int(study[1:]) % 2 == 0)
    return frame[first], frame[~first]


def tells(frame: pd.DataFrame) -> bool:
    """Return whether some trial has people with the event and people without."""
    totals = frame.groupby("study")[["r", "n"]].sum()
    return bool(((totals["r"] > 0) & (totals["r"] < totals["n"])).any())


@pytest.mark.parametrize("outcome", EVERY, ids=called)
@given(frame=counts(least_treatments=3))
def test_splitting_by_trials_changes_nothing_but_the_normal_approximation(
    outcome: Any, frame: pd.DataFrame
) -> None:
    """Half the trials as contrasts, read as normal: the posterior of all arms, read as normal."""
    first, second = halves(frame)
    assume(tells(first) and tells(second))
    mixed = Network.combine(network(first, outcome), as_contrasts(second, outcome))
    assume(len(mixed.components) == 1)  # contrasts leave out trials that tell nothing
    whole, split = (
        nma.fit(evidence.as_normal(), MODEL) for evidence in (network(frame, outcome), mixed)
    )
    assume(set(mixed.treatments) == set(whole.treatments))
    same(logs(whole), logs(split), atol=1e-8)
    evidence = [nma.summary(p).attrs["log_evidence"] for p in (whole, split)]
    assert evidence[0] == pytest.approx(evidence[1], abs=1e-7)


@pytest.mark.parametrize("outcome", [OR, HR, IRR], ids=called)
@given(frame=counts(least_treatments=3), seed=st.integers(0, 2**16))
def test_splitting_by_trials_changes_no_likelihood(
    outcome: Any, frame: pd.DataFrame, seed: int
) -> None:
    """All trials by their arms, in one network or in two that are combined."""
    first, second = halves(frame)
    assume(tells(first) and tells(second))
    reference = str(frame["treatment"].min())
    whole = network(frame, outcome, reference=reference)
    split = Network.combine(network(first, outcome), network(second, outcome), reference=reference)
    tasks = [task_of(evidence) for evidence in (whole, split)]
    assert len(tasks[1].evidence) == 2
    point = Point.drawn(tasks[0], np.random.default_rng(seed))
    keys = [list(zip(t.arms["study"], t.arms["treatment"], strict=True)) for t in tasks]
    moved = replace(point, u=point.u[[keys[0].index(key) for key in keys[1]]])
    assert moved.log_likelihood(tasks[1]) == pytest.approx(
        point.log_likelihood(tasks[0]), rel=1e-11
    )


@pytest.mark.parametrize("outcome", EVERY, ids=called)
@given(frame=counts(), random=st.randoms(use_true_random=False))
def test_permuting_rows_and_columns_changes_nothing_at_all(
    outcome: Any, frame: pd.DataFrame, random: Any
) -> None:
    rng = np.random.default_rng(random.getrandbits(32))
    shuffled = frame.iloc[rng.permutation(len(frame))][list(rng.permutation(frame.columns))]
    before, after = (
        nma.fit(network(table, outcome).as_normal(), MODEL) for table in (frame, shuffled)
    )
    assert numbers(before) == numbers(after)
    told = [  # but for the numbers of the rows
        [re.sub(r"rows [\d, ]+", "rows", text) for text in p.network.notices]
        for p in (before, after)
    ]
    assert told[0] == told[1]


@pytest.mark.parametrize("outcome", EVERY, ids=called)
@given(frame=counts())
def test_no_row_is_dropped_silently(outcome: Any, frame: pd.DataFrame) -> None:
    """Rows in are rows that have a deviance, plus those of trials named as set aside."""
    normal = network(frame, outcome).as_normal()
    table = nma.fit_measures.deviance(nma.fit(normal, MODEL))
    used = sorted(int(row) for rows in table["rows"] for row in rows.split(", "))
    gone = sorted(set(frame["study"]) - set(table["study"]))
    named = [text for text in normal.notices if text.startswith("Set aside from the contrasts")]
    assert len(named) == bool(gone)
    if gone:
        assert f": {', '.join(gone)}; nobody, or everybody" in named[0]
    rows = [k for k, study in enumerate(frame["study"], start=1) if study not in gone]
    assert used == rows
    assert all(not tells(frame[frame["study"] == study]) for study in gone)
