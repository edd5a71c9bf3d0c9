"""Granulocyte transfusions: tau squared under a vague and an informative prior, and by quadrature.

NICE DSU TSD 2 (Dias et al. 2011), on informative priors; the informative prior is that of Turner et
al. 2012 (doi:10.1093/ije/dys041) for deaths from any cause, LN(-3.93, 1.51^2) on tau squared. The
Monte Carlo error of TSD 2 is taken to be that of multinma's run (0.5.1, Stan) under that prior.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq
from scipy.special import logsumexp
from scipy.stats import norm

import nma
from nma.priors import LogNormal, Uniform
from published import (
    LEVELS,
    Run,
    Stored,
    assert_near,
    assert_run,
    compared,
    fitted,
    of,
    our_error,
    their_error,
    tolerance,
)
from sources import TSD2, stored_run

Array = NDArray[np.float64]
Spread = LogNormal | Uniform
VAGUE, INFORMATIVE = Uniform(0, 5), LogNormal(-3.93 / 2, 1.51 / 2)
PRIORS: list[Spread] = [VAGUE, INFORMATIVE]
DRAWS = 2871
NETWORK = "granulocyte transfusions"

# TSD 2: median, 2.5 % and 97.5 % of tau squared
PRINTED: dict[Spread, tuple[str, str, str]] = {
    VAGUE: ("2.74", "0.34", "18.1"),
    INFORMATIVE: ("0.18", "0.003", "1.84"),
}
EXACT: dict[Spread, tuple[float, float, float]] = {
    VAGUE: (2.75399, 0.327870, 18.1754),
    INFORMATIVE: (0.179248, 0.00259748, 1.77120),
}
MULTINMA = Run(
    INFORMATIVE,
    {
        ("transfusion", "control"): Stored(-0.77905, 0.43604, -1.74691, -0.75209, -0.01595, 3749),
        "tau": Stored(0.48595, 0.35767, 0.04884, 0.41377, 1.34730, 2871),
    },
    (17.485, 9.071, 26.556),
    DRAWS,
)
EFFECTS = np.arange(-60, 60.05, 0.1)
MEANS = np.arange(-30, 30.05, 0.1)


@cache
def trials() -> list[CubicSpline]:
    """Return each trial's log likelihood of its own log odds ratio, its level integrated out."""
    frame = nma.datasets.load("transfusion")
    found = []
    for _, arms in frame.groupby("study", sort=False):
        shift = np.where(arms["treatment"] == "transfusion", 0.5, -0.5)
        theta = EFFECTS[:, None] + shift[:, None, None] * EFFECTS
        r, n = (arms[name].to_numpy()[:, None, None] for name in ("events", "n"))
        log = (r * theta - n * np.logaddexp(0, theta)).sum(axis=0)
        log += norm(0, 100).logpdf(EFFECTS)[:, None]
        found.append(CubicSpline(EFFECTS, logsumexp(log, axis=0)))
    return found


@cache
def log_evidence(tau: float) -> float:
    """Return the log likelihood of tau, the mean effect integrated out."""
    x, w = np.polynomial.hermite_e.hermegauss(40)
    total = norm(0, 100).logpdf(MEANS)
    for trial in trials():
        if tau < 0.3:
            total += np.log(np.exp(trial(MEANS[:, None] + tau * x)) @ w / w.sum())
        else:
            density = norm.pdf(EFFECTS, MEANS[:, None], tau)
            total += np.log(density @ np.exp(trial(EFFECTS)) * 0.1)
    return float(np.log(np.exp(total - total.max()).sum()) + total.max())


@cache
def quadrature(prior: Spread) -> tuple[float, ...]:
    """Return the median and the 2.5 % and 97.5 % quantiles of tau squared."""
    log_tau = np.linspace(np.log(0.002), np.log(5), 80)
    tau = np.exp(log_tau)
    log = np.array([log_evidence(float(t)) for t in tau]) + prior.log_density(tau) + log_tau
    below = CubicSpline(log_tau, np.exp(log - log.max())).antiderivative()
    whole = float(below(log_tau[-1]))
    return tuple(
        float(np.exp(2 * brentq(lambda x, p=p: below(x) - p * whole, log_tau[0], log_tau[-1])))
        for p in (0.5, 0.025, 0.975)
    )


@pytest.mark.parametrize("prior", PRIORS)
def test_quadrature_has_settled(prior: Spread) -> None:
    """The numbers of twice as fine a grid in every direction."""
    np.testing.assert_allclose(quadrature(prior), EXACT[prior], rtol=1e-5)


@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("place", range(3))
def test_tau_squared_of_tsd_2(prior: Spread, place: int) -> None:
    """Quadrature and the library's own answer are both within the source's error."""
    name = ("median", "lower", "upper")[place]
    squared = of(fitted("transfusion", prior), "tau") ** 2
    printed, exact = PRINTED[prior][place], quadrature(prior)[place]
    told = "vague prior" if prior == VAGUE else "informative prior"
    source = TSD2.at(NETWORK, "informative priors", told)
    assert_near(compared(squared, {name: printed}, DRAWS), "tau squared", source)
    theirs = their_error(squared, name, DRAWS)
    assert abs(exact - float(printed)) < tolerance(printed, theirs, 0.0)
    assert abs(np.quantile(squared, LEVELS[name]) - exact) < 4 * our_error(squared, name)


def test_the_run_of_multinma() -> None:
    place = stored_run("multinma, random effects, informative prior", NETWORK)
    assert_run("transfusion", MULTINMA, place)
