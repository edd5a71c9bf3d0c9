"""Psoriasis: NICE DSU TSD 2 (Dias et al. 2011), example 6, ordered categories by probit.

TSD 2 prints probits of not improving, so their signs are turned here; its cut-points have
increments uniform on 0 to 5, its tau is uniform on 0 to 5. multinma's vignette (Stan, 4 chains) has
flat cut-points, effects N(0, 10^2) and tau half-normal(2.5). The Monte Carlo error of TSD 2 is
taken to be that of multinma's runs.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from scipy import stats

import nma
from nma import fit_measures
from nma.priors import Uniform
from published import WINBUGS, Tau, assert_near, compared, compared_fit, fitted, model_of, of
from sources import MULTINMA, TSD2, Place

NONE = "supportive care"
SOURCE = Uniform(0, 5)
NAMES = ("mean", "sd", "median", "lower", "upper")

# TSD 2, example 6, d12 to d18: mean, sd, median, 2.5 % and 97.5 %, signs turned
COMMON: dict[str, tuple[str, ...]] = {
    "etanercept 25 mg": ("1.51", "0.10", "1.51", "1.32", "1.70"),
    "etanercept 50 mg": ("1.92", "0.10", "1.92", "1.72", "2.12"),
    "efalizumab": ("1.19", "0.06", "1.19", "1.08", "1.30"),
    "ciclosporin": ("1.92", "0.34", "1.90", "1.30", "2.62"),
    "Fumaderm": ("1.49", "0.49", "1.46", "0.63", "2.55"),
    "infliximab": ("2.33", "0.26", "2.33", "1.84", "2.87"),
    "methotrexate": ("1.61", "0.44", "1.60", "0.77", "2.50"),
}
RANDOM: dict[str, tuple[str, ...]] = {
    "etanercept 25 mg": ("1.53", "0.24", "1.52", "1.03", "2.05"),
    "etanercept 50 mg": ("1.93", "0.28", "1.92", "1.35", "2.51"),
    "efalizumab": ("1.19", "0.18", "1.19", "0.81", "1.56"),
    "ciclosporin": ("2.04", "0.43", "2.00", "1.30", "3.02"),
    "Fumaderm": ("1.49", "0.62", "1.46", "0.33", "2.81"),
    "infliximab": ("2.32", "0.38", "2.32", "1.55", "3.06"),
    "methotrexate": ("1.74", "0.64", "1.70", "0.59", "3.14"),
}
EFFECTS: dict[Tau, Mapping[str, tuple[str, ...]]] = {None: COMMON, SOURCE: RANDOM}
EFFECTIVE: dict[Tau, int] = {None: 1525, SOURCE: 3445}  # the fewest of multinma's effects
NETWORK = "psoriasis"


def place(tau: Tau) -> Place:
    return TSD2.at(NETWORK, "example 6", model_of(tau))


# TSD 2, example 6, common effect: mean probabilities of PASI 50, 75 and 90, where that of PASI 50
# under supportive care has probit N(-1.097, 1/123)
REACHED = {
    NONE: ("0.14", "0.03", "0.00"),
    "etanercept 25 mg": ("0.66", "0.37", "0.13"),
    "etanercept 50 mg": ("0.79", "0.53", "0.23"),
    "efalizumab": ("0.54", "0.25", "0.07"),
    "ciclosporin": ("0.78", "0.52", "0.24"),
    "Fumaderm": ("0.64", "0.37", "0.15"),
    "infliximab": ("0.88", "0.68", "0.38"),
    "methotrexate": ("0.68", "0.41", "0.17"),
}


@pytest.mark.parametrize("treatment", COMMON)
@pytest.mark.parametrize("tau", [None, SOURCE], ids=["common effect", "random effects"])
def test_effects_of_tsd_2(tau: Tau, treatment: str) -> None:
    numbers = dict(zip(NAMES, EFFECTS[tau][treatment], strict=True))
    draws = of(fitted("psoriasis", tau), (treatment, NONE))
    assert_near(compared(draws, numbers, EFFECTIVE[tau]), (treatment, NONE), place(tau))


def test_heterogeneity_of_tsd_2() -> None:
    numbers = dict(zip(NAMES, ("0.31", "0.23", "0.26", "0.01", "0.88"), strict=True))
    draws = of(fitted("psoriasis", SOURCE), "tau")
    assert_near(compared(draws, numbers, 947), "tau", place(SOURCE))


@pytest.mark.parametrize(
    ("tau", "printed", "effective"),
    [(None, ("74.9", "25.0", "99.9"), 1610), (SOURCE, ("63.0", "33.3", "96.2"), 1372)],
    ids=["common effect", "random effects"],
)
def test_deviance_of_tsd_2(tau: Tau, printed: tuple[str, ...], effective: int) -> None:
    posterior = fitted("psoriasis", tau)
    assert_near(compared_fit(posterior, printed, effective, WINBUGS), "fit", place(tau))
    assert fit_measures.dic(posterior)["points"].tolist() == [58]


def test_cut_points_of_multinma() -> None:
    """Vignette of multinma on these data, common effect: 0.76 (0.03) and 1.56 (0.05)."""
    posterior = fitted("psoriasis", None)
    (source,) = posterior.network.sources
    z = source.outcome.cut_points_at(posterior.draws.values["auxiliary"])  # type: ignore[attr-defined]
    np.testing.assert_array_equal(z[..., 0], 0)
    vignette = MULTINMA.at(NETWORK, "vignette", "common effect")
    printed = (("0.76", "0.03", "0.76", "0.70", "0.82"), ("1.56", "0.05", "1.56", "1.46", "1.67"))
    for k, numbers in enumerate(printed, start=1):
        table = compared(z[..., k], dict(zip(NAMES, numbers, strict=True)), 5083)
        assert_near(table, f"cut-point of PASI {(50, 75, 90)[k]}", vignette)


@pytest.mark.parametrize("treatment", REACHED)
def test_probabilities_of_tsd_2(treatment: str) -> None:
    """PASI 50 by the table; PASI 75 and 90 by the draws of the cut-points."""
    posterior = fitted("psoriasis", None)
    level = nma.priors.Normal(-1.097, 123**-0.5)
    table = nma.absolute_table(posterior, reference_level=level)
    draws = nma.absolute_effects(posterior, reference_level=level).sel(treatment=treatment)
    assert table.loc[treatment, "mean"] == pytest.approx(float(draws.mean()), abs=1e-12)
    (source,) = posterior.network.sources
    z = source.outcome.cut_points_at(posterior.draws.values["auxiliary"])  # type: ignore[attr-defined]
    reached = stats.norm.cdf(stats.norm.ppf(draws.to_numpy())[..., None] - z)
    for k, printed in enumerate(REACHED[treatment]):
        what = f"P(PASI {(50, 75, 90)[k]}) on {treatment}"
        assert_near(compared(reached[..., k], {"mean": printed}, 1525), what, place(None))
