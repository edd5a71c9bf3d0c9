"""Psoriasis in ordered categories: NICE DSU TSD 2 (Dias et al. 2011), example 6.

Differences in probits, which TSD 2 counts towards *not* improving: their signs are turned here. Its
priors are N(0, 100^2), and uniform on 0 to 5 for tau and for the distances between cut-points. No
other program's run is at hand, so its Monte Carlo error is taken to be that of gemtc's worst run on
another example of TSD 2 (blocker, 2,554 effective draws).
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

import nma
from nma.priors import Uniform
from published import ENGINE, WINBUGS, Tau, assert_near, compared, compared_fit, fit, of

CARE = "supportive care"
SOURCE = Uniform(0, 5)
NAMES = ("mean", "sd", "median", "upper", "lower")
DRAWS = 2554

# TSD 2, example 6, versus supportive care: mean, sd, median, 2.5 % and 97.5 %
COMMON = {
    "etanercept 25 mg": ("-1.51", "0.10", "-1.51", "-1.70", "-1.32"),
    "etanercept 50 mg": ("-1.92", "0.10", "-1.92", "-2.12", "-1.72"),
    "efalizumab": ("-1.19", "0.06", "-1.19", "-1.30", "-1.08"),
    "ciclosporin": ("-1.92", "0.34", "-1.90", "-2.62", "-1.30"),
    "Fumaderm": ("-1.49", "0.49", "-1.46", "-2.55", "-0.63"),
    "infliximab": ("-2.33", "0.26", "-2.33", "-2.87", "-1.84"),
    "methotrexate": ("-1.61", "0.44", "-1.60", "-2.50", "-0.77"),
}
RANDOM = {
    "etanercept 25 mg": ("-1.53", "0.24", "-1.52", "-2.05", "-1.03"),
    "etanercept 50 mg": ("-1.93", "0.28", "-1.92", "-2.51", "-1.35"),
    "efalizumab": ("-1.19", "0.18", "-1.19", "-1.56", "-0.81"),
    "ciclosporin": ("-2.04", "0.43", "-2.00", "-3.02", "-1.30"),
    "Fumaderm": ("-1.49", "0.62", "-1.46", "-2.81", "-0.33"),
    "infliximab": ("-2.32", "0.38", "-2.32", "-3.06", "-1.55"),
    "methotrexate": ("-1.74", "0.64", "-1.70", "-3.14", "-0.59"),
}


@cache
def fitted(tau: Tau) -> nma.Posterior:
    """Return the fit; under random effects with fewer draws than elsewhere, for each costs more."""
    engine = ENGINE if tau is None else replace(ENGINE, draws=256)
    posterior = fit(nma.datasets.network("psoriasis"), tau, engine=engine)
    assert not posterior.poor
    return posterior


@pytest.mark.parametrize(("tau", "printed"), [(None, COMMON), (SOURCE, RANDOM)])
@pytest.mark.parametrize("drug", COMMON)
def test_effects_of_tsd_2(tau: Tau, printed: dict[str, tuple[str, ...]], drug: str) -> None:
    turned = [text.removeprefix("-") for text in printed[drug]]
    numbers = dict(zip(NAMES, turned, strict=True))
    assert_near(compared(of(fitted(tau), (drug, CARE)), numbers, DRAWS), drug)


def test_heterogeneity_of_tsd_2() -> None:
    """TSD 2, example 6: mean 0.31, sd 0.23, median 0.26, 95 % interval 0.01 to 0.88."""
    numbers = {"mean": "0.31", "sd": "0.23", "median": "0.26", "lower": "0.01", "upper": "0.88"}
    assert_near(compared(of(fitted(SOURCE), "tau"), numbers, DRAWS))


@pytest.mark.parametrize(
    ("tau", "printed"), [(None, ("74.9", "25.0", "99.9")), (SOURCE, ("63.0", "33.3", "96.2"))]
)
def test_deviance_of_tsd_2(tau: Tau, printed: tuple[str, str, str]) -> None:
    """TSD 2, example 6: residual deviance, pD and DIC."""
    assert_near(compared_fit(fitted(tau), printed, DRAWS, WINBUGS))
