"""Each formula by a second route: the raw data, a closed form, or a printed example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nma import readers

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXACT: dict[str, Any] = {"rel": 1e-9, "abs": 0}
SIZES = st.integers(2, 5000)
SPREADS = st.floats(0.01, 1000)
LEVELS = st.floats(0.5, 0.999)


def one(derive: Any, target: str, numbers: dict[str, Any], **settings: Any) -> float:
    """Return what a function fills into a table of one row."""
    table = {"study": ["Ames"], **{name: [value] for name, value in numbers.items()}}
    return float(derive(table, study="study", **settings)[target].iloc[0])


def sample(seed: int, n: int, *, mean: float = 0.0, sd: float = 1.0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(mean, sd, n)


@given(sd=SPREADS, n=SIZES)
def test_sd_from_se_undoes_the_standard_error(sd: float, n: int) -> None:
    found = one(readers.sd_from_se, "sd", {"se": sd / np.sqrt(n), "n": n}, sd="sd", se="se", n="n")
    assert found == pytest.approx(sd, **EXACT)


@pytest.mark.parametrize("distribution", ["t", "normal"])
@given(sd=SPREADS, n=SIZES, level=LEVELS)
def test_sd_from_ci_undoes_the_interval(distribution: str, sd: float, n: int, level: float) -> None:
    se = sd / np.sqrt(n)
    law = stats.t(n - 1) if distribution == "t" else stats.norm()
    low, high = (10 + se * law.ppf(q) for q in ((1 - level) / 2, (1 + level) / 2))
    found = one(
        readers.sd_from_ci, "sd", {"m": 10.0, "low": low, "high": high, "n": n}, sd="sd", mean="m",
        lower="low", upper="high", n="n", level=level, distribution=distribution,
    )  # fmt: skip
    assert found == pytest.approx(sd, rel=1e-6)


def two_arms(seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return sample(seed, 25, mean=1.3), sample(seed + 1, 22, sd=1.4)


@pytest.mark.parametrize("seed", range(5))
def test_differences_between_arms_as_a_t_test_prints_them(seed: int) -> None:
    a, b = two_arms(10 * seed)
    test = stats.ttest_ind(a, b)
    low, high = test.confidence_interval(0.9)
    numbers = {
        "md": a.mean() - b.mean(), "t": test.statistic, "p": test.pvalue, "low": low, "high": high,
        "n1": len(a), "n2": len(b),
    }  # fmt: skip
    within = ((len(a) - 1) * a.var(ddof=1) + (len(b) - 1) * b.var(ddof=1)) / (len(a) + len(b) - 2)
    se = np.sqrt(within * (1 / len(a) + 1 / len(b)))
    n: Any = ("n1", "n2")
    by_t = one(readers.se_from_t, "se", numbers, se="se", effect="md", t="t")
    by_p = one(readers.se_from_p, "se", numbers, se="se", effect="md", p="p", n=n)
    by_ci = one(
        readers.se_from_ci, "se", numbers, se="se", effect="md", lower="low", upper="high", n=n,
        level=0.9,
    )  # fmt: skip
    assert [by_t, by_p, by_ci] == pytest.approx([se] * 3, **EXACT)
    pooled = one(readers.pooled_sd_from_se, "sd", {**numbers, "se": se}, sd="sd", se="se", n=n)
    assert pooled == pytest.approx(np.sqrt(within), **EXACT)


@pytest.mark.parametrize("seed", range(5))
def test_differences_within_people_as_a_paired_t_test_prints_them(seed: int) -> None:
    a, b = sample(seed, 17, mean=0.5), sample(seed + 50, 17)
    b = b + 0.7 * a
    test = stats.ttest_rel(a, b)
    low, high = test.confidence_interval(0.95)
    se = (a - b).std(ddof=1) / np.sqrt(17)
    numbers = {
        "md": (a - b).mean(), "t": test.statistic, "p": test.pvalue, "low": low, "high": high,
        "sd1": a.std(ddof=1), "sd2": b.std(ddof=1), "sd": (a - b).std(ddof=1), "n": 17,
    }  # fmt: skip
    found = [
        one(readers.se_from_t, "se", numbers, se="se", effect="md", t="t"),
        one(readers.se_from_p, "se", numbers, se="se", effect="md", p="p", n="n"),
        one(readers.se_from_ci, "se", numbers, se="se", effect="md", lower="low", upper="high",
            n="n"),
        one(readers.se_from_paired_sds, "se", numbers, se="se", sd=("sd1", "sd2"), n="n",
            correlation=float(np.corrcoef(a, b)[0, 1])),
    ]  # fmt: skip
    assert found == pytest.approx([se] * 4, **EXACT)


@given(effect=st.floats(0.1, 50), se=SPREADS)
def test_without_participants_the_quantile_is_normal(effect: float, se: float) -> None:
    p = 2 * stats.norm.sf(effect / se)
    low, high = effect - 1.959963984540054 * se, effect + 1.959963984540054 * se
    by_ci = one(
        readers.se_from_ci, "se", {"md": effect, "low": low, "high": high}, se="se", effect="md",
        lower="low", upper="high",
    )  # fmt: skip
    assert by_ci == pytest.approx(se, rel=1e-6)
    if 1e-300 < p < 0.999:
        by_p = one(readers.se_from_p, "se", {"md": effect, "p": p}, se="se", effect="md", p="p")
        assert by_p == pytest.approx(se, rel=1e-6)


def test_se_from_sds_is_the_se_of_welch() -> None:
    a, b = two_arms(3)
    test = stats.ttest_ind(a, b, equal_var=False)
    numbers = {"s1": a.std(ddof=1), "s2": b.std(ddof=1), "n1": len(a), "n2": len(b)}
    found = one(readers.se_from_sds, "se", numbers, se="se", sd=("s1", "s2"), n=("n1", "n2"))
    assert found == pytest.approx((a.mean() - b.mean()) / test.statistic, **EXACT)


@pytest.mark.parametrize("correlation", [-0.6, 0.0, 0.5, 0.95])
def test_changes_as_the_raw_scores_have_them(correlation: float) -> None:
    first, noise = sample(1, 40), sample(2, 40)
    last = correlation * first + np.sqrt(1 - correlation**2) * noise
    sds = {name: x.std(ddof=1) for name, x in
           {"sd0": first, "sd1": last, "sd": last - first}.items()}  # fmt: skip
    r = float(np.corrcoef(first, last)[0, 1])
    change = one(
        readers.sd_of_change, "new", sds, sd="new", baseline_sd="sd0", final_sd="sd1", correlation=r
    )
    found = one(
        readers.correlation_from_sds, "r", sds, correlation="r", baseline_sd="sd0", final_sd="sd1",
        change_sd="sd",
    )  # fmt: skip
    assert [change, found] == pytest.approx([sds["sd"], r], rel=1e-9)


@given(log_ratio=st.floats(-3, 3), se=st.floats(0.01, 2), level=LEVELS)
def test_log_ratios_undo_the_printed_interval(log_ratio: float, se: float, level: float) -> None:
    z = stats.norm.ppf((1 + level) / 2)
    table = {
        "study": ["Ames"], "hr": [np.exp(log_ratio)],
        "low": [np.exp(log_ratio - z * se)], "high": [np.exp(log_ratio + z * se)],
    }  # fmt: skip
    found = readers.log_ratio_from_ci(
        table, study="study", log_ratio="log", se="se", ratio="hr", lower="low", upper="high",
        level=level,
    )  # fmt: skip
    assert found["log"].iloc[0] == pytest.approx(log_ratio, abs=1e-12)
    assert found["se"].iloc[0] == pytest.approx(se, rel=1e-6)


def score(beta: float, times: NDArray[np.float64], treated: NDArray[np.float64]) -> float:
    """Return the slope of Cox's partial likelihood, all events seen and none tied."""
    at_risk = times[None, :] >= times[:, None]
    weight = at_risk * np.exp(beta * treated)
    return float((treated - weight @ treated / weight.sum(axis=1)).sum())


def test_a_log_rank_test_is_the_first_step_towards_the_hazard_ratio() -> None:
    rng = np.random.default_rng(7)
    treated = np.repeat([0.0, 1.0], 60)
    times = rng.exponential(1 / np.exp(-0.3 * treated))
    at_risk = times[None, :] >= times[:, None]
    share = (at_risk @ treated) / at_risk.sum(axis=1)
    table = {"study": ["Ames"], "oe": [(treated - share).sum()], "v": [(share * (1 - share)).sum()]}
    found = readers.log_ratio_from_logrank(
        table, study="study", log_ratio="log", se="se", observed_minus_expected="oe", variance="v"
    )
    step = 1e-4
    slope = (score(step, times, treated) - score(-step, times, treated)) / (2 * step)
    assert found["log"].iloc[0] == pytest.approx(-score(0.0, times, treated) / slope, rel=1e-6)
    assert found["se"].iloc[0] == pytest.approx(1 / np.sqrt(-slope), rel=1e-6)


@pytest.mark.parametrize("icc", [0.0, 0.03, 0.4, 1.0])
def test_the_design_effect_is_the_variance_of_a_mean_of_clusters(icc: float) -> None:
    size, clusters = 12, 5
    within = np.full((size, size), icc) + (1 - icc) * np.eye(size)
    correlation = np.kron(np.eye(clusters), within)
    variance = correlation.sum() / (size * clusters) ** 2
    counts = one(
        readers.effective_counts, "n_eff", {"n": size * clusters}, n="n", effective_n="n_eff",
        icc=icc, cluster_size=size,
    )  # fmt: skip
    assert counts == pytest.approx(1 / variance, **EXACT)
    wide = one(
        readers.inflated_se, "wide", {"se": 1 / np.sqrt(size * clusters)}, se="se",
        inflated_se="wide", icc=icc, cluster_size=size,
    )  # fmt: skip
    assert wide == pytest.approx(np.sqrt(variance), **EXACT)


def test_printed_examples_of_the_cochrane_handbook() -> None:
    """Version 5.1: 7.7.3.2, 7.7.3.3, 16.1.3.2 and 16.4.6.4."""
    interval = {"m": 32.1, "low": 30.0, "high": 34.2, "n": 25}
    sd = one(
        readers.sd_from_ci, "sd", interval, sd="sd", mean="m", lower="low", upper="high", n="n"
    )
    assert round(sd, 2) == 5.09
    test = {"md": 3.8, "p": 0.008, "n1": 25, "n2": 22}
    n: Any = ("n1", "n2")
    se = one(readers.se_from_p, "se", test, se="se", effect="md", p="p", n=n)
    assert round(se, 2) == 1.37
    pooled = one(readers.pooled_sd_from_se, "sd", {**test, "se": 1.37}, sd="sd", se="se", n=n)
    assert round(pooled, 2) == 4.69
    arms = pd.DataFrame(
        {"study": ["E", "C"], "sd0": [6.4, 7.0], "sd1": [7.1, 6.9], "change": [4.5, 4.2]}
    )
    found = readers.correlation_from_sds(
        arms, study="study", correlation="r", baseline_sd="sd0", final_sd="sd1", change_sd="change"
    )
    assert found["r"].round(2).tolist() == [0.78, 0.82]
    crossover = {"sd1": 2.38, "sd2": 2.21, "n": 10}
    se = one(
        readers.se_from_paired_sds, "se", crossover, se="se", sd=("sd1", "sd2"), n="n",
        correlation=0.68,
    )  # fmt: skip
    assert round(se, 3) == 0.583


def test_numbers_of_a_row_may_be_stated_or_stand_in_a_column() -> None:
    table = pd.DataFrame({"study": ["a", "b"], "s0": [6.4, 7.0], "s1": [7.1, 6.9], "r": [0.8, 0.3]})
    settings: Any = {"study": "study", "sd": "sd", "baseline_sd": "s0", "final_sd": "s1"}
    by_row = readers.sd_of_change(table, correlation="r", **settings)
    for row, r in enumerate(table["r"]):
        stated = readers.sd_of_change(table, correlation=r, **settings)
        assert stated["sd"].iloc[row] == by_row["sd"].iloc[row]
