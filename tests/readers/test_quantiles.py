"""Estimates from quantiles, by simulation and by the tables of the papers.

The simulations are seeded. Each compares a mean of 40,000 samples with its expectation at five
standard errors: were they run anew, all of them together would raise a false alarm less than once
in ten thousand runs.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from nma import readers
from nma.readers import _quantile_means, _quantile_sds, _skewness
from nma.readers._order_statistics import expected, iqr_in_sds, range_in_sds

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLES = 40_000
FIVE = {"minimum": "a", "q1": "q1", "median": "m", "q3": "q3", "maximum": "b"}
QUARTILES = {name: FIVE[name] for name in ("q1", "median", "q3")}
ENDS = {name: FIVE[name] for name in ("minimum", "median", "maximum")}
SDS: dict[str, tuple[Any, dict[str, str]]] = {
    "range": (readers.sd_from_range, ENDS),
    "quartiles": (readers.sd_from_quartiles, QUARTILES),
    "five numbers": (readers.sd_from_five_numbers, FIVE),
}
MEANS: dict[str, tuple[Any, dict[str, str]]] = {
    "range": (readers.mean_from_range, ENDS),
    "quartiles": (readers.mean_from_quartiles, QUARTILES),
    "five numbers": (readers.mean_from_five_numbers, FIVE),
}
SD_FORMULAS = {
    "range": _quantile_sds.FROM_RANGE,
    "quartiles": _quantile_sds.FROM_QUARTILES,
    "five numbers": _quantile_sds.FROM_FIVE,
}
MEAN_FORMULAS = {
    "range": _quantile_means.FROM_RANGE,
    "quartiles": _quantile_means.FROM_QUARTILES,
    "five numbers": _quantile_means.FROM_FIVE,
}


@cache
def summaries(n: int) -> pd.DataFrame:
    """Return the five numbers of many samples of n from a normal of mean 10 and sd 2."""
    draws = np.random.default_rng(n).normal(10, 2, (SAMPLES, n))
    a, q1, m, q3, b = np.quantile(draws, [0, 0.25, 0.5, 0.75, 1], axis=1)
    return pd.DataFrame({"study": "s", "a": a, "q1": q1, "m": m, "q3": q3, "b": b, "n": n})


@cache
def derived(what: str, kind: str, n: int) -> NDArray[np.float64]:
    formula, columns = (SD_FORMULAS if what == "sd" else MEAN_FORMULAS)[kind], SDS[kind][1]
    return formula.of(known(summaries(n), columns))


@pytest.mark.parametrize("kind", SDS)
def test_functions_fill_in_what_the_formulas_say(kind: str) -> None:
    few = summaries(21).head(40)
    for what, functions in (("sd", SDS), ("mean", MEANS)):
        derive, columns = functions[kind]
        found = derive(few, study="study", n="n", **{what: "new"}, **columns)
        np.testing.assert_array_equal(found["new"], derived(what, kind, 21)[:40])


@pytest.mark.parametrize("n", [5, 10, 21, 38])
@pytest.mark.parametrize("kind", SDS)
def test_sds_from_quantiles_of_normal_data_are_unbiased(kind: str, n: int) -> None:
    sd = derived("sd", kind, n)
    assert abs(sd.mean() - 2) < 5 * sd.std() / np.sqrt(SAMPLES)


@pytest.mark.parametrize("n", [5, 10, 21, 38])
@pytest.mark.parametrize("kind", MEANS)
def test_means_from_quantiles_of_normal_data_are_unbiased(kind: str, n: int) -> None:
    mean = derived("mean", kind, n)
    assert abs(mean.mean() - 10) < 5 * mean.std() / np.sqrt(SAMPLES)


@pytest.mark.parametrize("n", [10, 21, 38])
def test_all_numbers_together_tell_more_than_any(n: int) -> None:
    by_sd = {kind: derived("sd", kind, n).std() for kind in SDS}
    by_mean = {kind: derived("mean", kind, n).std() for kind in MEANS}
    median = summaries(n)["m"].std()
    assert by_sd["five numbers"] < min(by_sd["range"], by_sd["quartiles"])
    assert by_mean["five numbers"] < min(by_mean["range"], by_mean["quartiles"])
    assert max(by_mean["range"], by_mean["quartiles"]) < median


@pytest.mark.parametrize("n", [9, 25, 101])
@pytest.mark.parametrize(("width", "iqr"), [(9.0, 1.0), (4.0, 3.0)])
def test_five_numbers_are_weighted_as_in_shi_equation_11(n: int, width: float, iqr: float) -> None:
    """Shi et al. 2020, doi:10.1002/jrsm.1429, equation 11, which approximates both integrals."""
    table = {"study": ["s"], "a": [0.0], "q1": [2.0], "m": [2.0 + iqr / 2], "q3": [2.0 + iqr],
             "b": [width + 2.0], "n": [n]}  # fmt: skip
    theta_1 = (2 + 0.14 * n**0.6) * stats.norm.ppf((n - 0.375) / (n + 0.25))
    theta_2 = (2 + 2 / (0.07 * n**0.6)) * stats.norm.ppf((0.75 * n - 0.125) / (n + 0.25))
    found = SDS["five numbers"][0](table, study="study", sd="sd", n="n", **FIVE)
    printed = (width + 2) / theta_1 + iqr / theta_2
    assert found["sd"].iloc[0] == pytest.approx(printed, rel=0.0065)


def test_widths_of_iqr_and_quartiles_are_one() -> None:
    table = summaries(21).head(50).assign(iqr=lambda f: f["q3"] - f["q1"])
    found = readers.sd_from_iqr(table, study="study", sd="sd", iqr="iqr", n="n")
    np.testing.assert_allclose(found["sd"], derived("sd", "quartiles", 21)[:50], rtol=1e-12)


def test_expected_ranges_are_those_of_wan_table_1() -> None:
    """Wan et al. 2014, doi:10.1186/1471-2288-14-135, table 1: xi(n)."""
    printed = {
        2: 1.128, 3: 1.693, 4: 2.059, 5: 2.326, 6: 2.534, 7: 2.704, 8: 2.847, 9: 2.970, 10: 3.078,
        15: 3.472, 20: 3.735, 25: 3.931, 30: 4.086, 35: 4.213, 40: 4.322, 45: 4.415, 50: 4.498,
    }  # fmt: skip
    found = range_in_sds(np.array(list(printed), dtype=float))
    assert found.round(3).tolist() == list(printed.values())


@pytest.mark.parametrize("n", [5, 9, 13, 21, 41, 101, 1001])
def test_wans_approximations_are_close(n: int) -> None:
    """Wan et al. 2014: Blom's approximation of the integral, for both widths."""
    by_iqr = 2 * stats.norm.ppf((0.75 * n - 0.125) / (n + 0.25))
    by_range = 2 * stats.norm.ppf((n - 0.375) / (n + 0.25))
    size = np.array([float(n)])
    assert iqr_in_sds(size) == pytest.approx(by_iqr, rel=0.0015 if n > 5 else 0.005)
    assert range_in_sds(size) == pytest.approx(by_range, rel=0.015)


@pytest.mark.parametrize(
    ("rank", "n"), [(1, 1), (2, 2), (3, 3), (4, 5), (7, 7), (30, 40), (60, 60)]
)
def test_order_statistics_by_adaptive_quadrature(rank: int, n: int) -> None:
    def integrand(z: float) -> float:
        return float(z * stats.norm.pdf(z) * stats.beta.pdf(stats.norm.cdf(z), rank, n - rank + 1))

    by_quadrature = integrate.quad(integrand, -9, 9, epsabs=1e-13, limit=300)[0]
    assert expected(rank, n) == pytest.approx(by_quadrature, abs=1e-10)


def test_order_statistics_in_closed_form() -> None:
    assert expected(2, 2) == pytest.approx(1 / np.sqrt(np.pi), abs=1e-14)
    assert expected(3, 3) == pytest.approx(1.5 / np.sqrt(np.pi), abs=1e-14)
    assert sum(expected(rank, 11) for rank in range(1, 12)) == pytest.approx(0, abs=1e-12)
    assert iqr_in_sds(np.array([4e6])) == pytest.approx(2 * stats.norm.ppf(0.75), abs=1e-6)


def known(frame: pd.DataFrame, roles: dict[str, str]) -> dict[str, NDArray[np.float64]]:
    return {role: frame[name].to_numpy(dtype=float) for role, name in {**roles, "n": "n"}.items()}


@pytest.mark.parametrize("roles", [ENDS, QUARTILES, FIVE], ids=["range", "quartiles", "five"])
def test_the_test_of_skewness_keeps_its_level(roles: dict[str, str]) -> None:
    """Shi et al. 2023, doi:10.1177/09622802231172043: 5%, and less in small samples."""
    for n, least in ((10, 0.01), (21, 0.035), (41, 0.04), (101, 0.04)):
        assert least < _skewness.skewed(known(summaries(n), roles)).mean() < 0.055


@pytest.mark.parametrize(
    ("roles", "least"),
    [(ENDS, 0.99), (QUARTILES, 0.6), (FIVE, 0.99)],
    ids=["range", "quartiles", "five"],
)
def test_the_test_of_skewness_finds_log_normal_data(roles: dict[str, str], least: float) -> None:
    """A log-normal of sd 1 on the log scale, in 101 people; quartiles alone see less of it."""
    frame = summaries(101)
    skewed = frame.assign(**{name: np.exp(frame[name] / 2) for name in FIVE.values()})
    assert _skewness.skewed(known(skewed, roles)).mean() > least


def test_skewed_arms_are_asked_about_and_derived() -> None:
    table = pd.DataFrame(
        {"study": ["a", "b"], "q1": [1.0, 1.0], "m": [1.5, 3.0], "q3": [6.0, 5.0], "n": [60, 60]}
    )
    found = SDS["quartiles"][0](table, study="study", sd="sd", n="n", **QUARTILES)
    asked = [text for text in readers.notices(found, study="study") if "?" in text]
    assert len(asked) == 1
    assert asked[0].startswith("Quantiles are skewed (test of Shi 2023 at the 5% level)")
    assert "a, row 1: q1 1, m 1.5, q3 6, n 60" in asked[0]
    assert "b, row" not in asked[0]
    assert np.isfinite(found["sd"]).all()
