"""Counts and log odds ratios in one model: beta-blockers, smoking cessation, thrombolysis.

Every second trial is entered by its arms, the others as the log odds ratios a paper would print.
For two arms and one effect the posterior can be had without sampling: with a trial's level nearly
flat, sum and difference of its log odds are independent, so its likelihood is one curve of the
difference, and effect and tau stand on a plane.

Beta-blockers: NICE DSU TSD 2 (Dias et al. 2011), table 2 and program 1(c), data of Carlin 1992; its
random effects with all trials as arms are -0.25 (0.066), tau 0.14 (0.082), under tau ~ U(0, 5).
Least squares: netmeta 3.3-1, as in ``test_netmeta``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.special import logsumexp

import nma
import odds
from literature.test_netmeta import EFFECTS, EVENTS, HETEROGENEITY, NETWORKS, assert_effects
from nma.estimates import replicate_error
from nma.network import Network
from nma.priors import HalfNormal, Normal
from published import assert_near, exactly
from sources import NETMETA

Array = NDArray[np.float64]
PRIOR = HalfNormal(1)
"""Of tau; effect and trial levels have sd 10: the library's defaults."""


def by_arms(frame: pd.DataFrame, name: str) -> Network:
    better, reference = EVENTS[name]
    outcome = nma.outcomes.Binary("events", "n", measure="OR", better=better)
    return Network.from_arms(
        frame, study="study", treatment="treatment", outcome=outcome, reference=reference
    )


def by_ratios(frame: pd.DataFrame, name: str) -> Network:
    better, reference = EVENTS[name]
    outcome = nma.outcomes.Contrast("effect", "se", base_se="base_se", measure="OR", better=better)
    return Network.from_contrasts(
        odds.contrasts(frame),
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=outcome,
        reference=reference,
    )


def halves(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return every second trial, and the others."""
    frame = nma.datasets.load(name)
    first = frame["study"].isin(frame["study"].unique()[::2])
    return frame[first], frame[~first]


def mixed(name: str) -> Network:
    first, second = halves(name)
    return Network.combine(by_arms(first, name), by_ratios(second, name))


# by least squares nothing but the form of entry differs


@pytest.mark.parametrize("tau", ["common", "DL"])
@pytest.mark.parametrize("name", ["blocker", "smoking", "thrombolytics"])
def test_least_squares_of_arms_and_ratios_is_netmetas(name: str, tau: str) -> None:
    """Multi-arm trials on both sides of the split, smoking with empty cells."""
    network = mixed(name)
    assert {source.outcome.reports for source in network.sources} == {"arms", "contrasts"}
    posterior = nma.fit(network.as_normal(), engine=nma.engines.LeastSquares(tau))
    model = "common effect" if tau == "common" else f"tau by {tau}"
    place = NETMETA.at(NETWORKS[name], model, "every second trial as ratios")
    assert_effects(posterior, EFFECTS[name, tau], place)
    found = nma.summary(posterior).attrs["Q"]
    assert_near(exactly([found], {"Q": HETEROGENEITY[name][0]}, 1e-6), "heterogeneity", place)


# without sampling, for two treatments


@dataclass(frozen=True)
class Plane:
    """The posterior of effect and tau on a grid of both."""

    effect: Array
    tau: Array
    weight: Array

    @property
    def mean(self) -> float:
        return float(self.weight.sum(axis=1) @ self.effect)

    @property
    def sd(self) -> float:
        return float(np.sqrt(self.weight.sum(axis=1) @ (self.effect - self.mean) ** 2))

    @property
    def mean_tau(self) -> float:
        return float(self.weight.sum(axis=0) @ self.tau)

    def median_tau(self) -> float:
        below = np.cumsum(self.weight.sum(axis=0))
        return float(np.interp(0.5, below - self.weight.sum(axis=0) / 2, self.tau))


DELTA = np.linspace(-8, 8, 1601)
"""Differences of log odds at which the likelihood of a trial is worked out."""


def curve(events: Array, n: Array, wide: float) -> Array:
    """Return the log likelihood of a trial's difference; its level ~ N(0, wide^2) is integrated."""
    centre = np.log((events.sum() + 0.5) / (n.sum() - events.sum() + 0.5))
    level = np.linspace(centre - 12, centre + 12, 1601)
    log = stats.norm(0, wide).logpdf(level)[:, None]
    for r, size, sign in zip(events, n, (-1, 1), strict=True):
        eta = level[:, None] + sign * DELTA / 2
        log = log + r * eta - size * np.logaddexp(0, eta)
    return np.asarray(logsumexp(log, axis=0))


def plane(arms: pd.DataFrame, ratios: pd.DataFrame, prior: HalfNormal, wide: float) -> Plane:
    """Return the posterior; effect and trial levels ~ N(0, wide^2)."""
    effect, tau = np.linspace(-0.75, 0.35, 111), np.linspace(0, 1.2, 121)[1:] - 0.005
    z = np.linspace(-7, 7, 141)
    density = stats.norm.pdf(z) * (z[1] - z[0])
    log = stats.norm(0, wide).logpdf(effect)[:, None] + prior.log_density(tau)
    at = effect[:, None, None] + tau[:, None] * z
    for _, trial in arms.groupby("study"):
        pair = trial.set_index("treatment").loc[["control", "beta blocker"]]
        told = curve(pair["events"].to_numpy(float), pair["n"].to_numpy(float), wide)
        log = log + np.log(np.exp(np.interp(at, DELTA, told) - told.max()) @ density)
    for row in odds.contrasts(ratios).to_dict("records") if len(ratios) else []:
        y = row["effect"] if row["treatment"] == "beta blocker" else -row["effect"]
        log = log + stats.norm(effect[:, None], np.hypot(row["se"], tau)).logpdf(y)
    weight = np.exp(log - log.max())
    return Plane(effect, tau, weight / weight.sum())


def test_the_plane_is_that_of_the_published_analysis() -> None:
    """All trials by their arms: multinma -0.249 (0.064), tau 0.129; gemtc -0.248 (0.065), 0.128.

    multinma under half-normal(5), gemtc under U(0, 5); TSD 2 prints -0.25 (0.066), tau mean 0.14.
    """
    found = plane(nma.datasets.load("blocker"), pd.DataFrame(), HalfNormal(5), 100)
    assert found.mean == pytest.approx(-0.249, abs=0.0015)
    assert found.sd == pytest.approx(0.0645, abs=0.0015)
    assert found.median_tau() == pytest.approx(0.1285, abs=0.003)
    assert found.mean_tau == pytest.approx(0.14, abs=0.0051)


@pytest.fixture(scope="module")
def posterior() -> nma.Posterior:
    model = nma.Model(nma.structures.Consistency(Normal(0, 10)), nma.heterogeneity.Random(PRIOR))
    return nma.fit(mixed("blocker"), model, engine=nma.engines.Laplace(seed=1))


def test_arms_and_ratios_mixed(posterior: nma.Posterior) -> None:
    """Within five Monte Carlo errors of the plane, which is near that of all arms."""
    exact = plane(*halves("blocker"), PRIOR, 10)
    d = nma.relative_effects(posterior).sel(treatment="beta blocker").to_numpy()
    tau = posterior.draws.values["tau"].to_numpy()
    spread = (d.squeeze() - exact.mean) ** 2
    for drawn, value in ((d.squeeze(), exact.mean), (tau, exact.mean_tau), (spread, exact.sd**2)):
        assert abs(drawn.mean() - value) < 5 * replicate_error(drawn) + 1e-4
    summary = nma.summary(posterior)
    assert not posterior.draws.faults
    assert summary.loc["tau", "median"] == pytest.approx(exact.median_tau(), abs=0.003)


def test_ratios_in_place_of_arms_change_the_answer_by_little() -> None:
    """The normal approximation of eleven trials moves the effect by an eightieth of its sd."""
    whole = plane(nma.datasets.load("blocker"), pd.DataFrame(), PRIOR, 10)
    part = plane(*halves("blocker"), PRIOR, 10)
    assert abs(part.mean - whole.mean) < 0.02 * whole.sd
    assert abs(part.sd / whole.sd - 1) < 0.01
    assert part.mean != pytest.approx(whole.mean, abs=1e-5)  # it is another likelihood


def test_every_arm_and_every_ratio_is_a_data_point(posterior: nma.Posterior) -> None:
    table = nma.fit_measures.deviance(posterior)
    assert table["points"].sum() == 22 + 11
    first, second = halves("blocker")
    by_study = table.groupby("study")["treatment"].agg(list)
    assert all(len(by_study[study]) == 2 for study in first["study"].astype(str))
    assert all("vs" in by_study[study][0] for study in second["study"].astype(str))
    D, pD = nma.fit_measures.dic(posterior)[["deviance", "pD"]].iloc[0]
    assert 22 < D < 40
    assert 11 < pD < 22
