"""Events over an exposure: the likelihood and the normal approximation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import nma
from nma.errors import ModelError
from nma.outcomes import Rate
from nma.priors import Normal
from nma.problem import Arms, Contrasts

IRR = Rate("r", "years", better="lower")
COUNTS = pd.DataFrame(
    [
        ("1", "A", 12, 94.0),
        ("1", "B", 29, 82.5),
        ("2", "A", 3, 20.0),
        ("2", "B", 0, 21.0),
        ("2", "C", 6, 22.0),
        ("3", "B", 0, 15.0),
        ("3", "C", 0, 16.0),
    ],
    columns=["study", "treatment", "r", "years"],
)


def network(outcome: Any = IRR, counts: pd.DataFrame = COUNTS) -> nma.Network:
    return nma.Network.from_arms(counts, study="study", treatment="treatment", outcome=outcome)


def evidence(outcome: Any = IRR, counts: pd.DataFrame = COUNTS) -> tuple[Any, ...]:
    (source,) = network(outcome, counts).sources
    found: tuple[Any, ...] = source.outcome.evidence(source.rows, source.arms, Normal(0, 10))
    return found


def test_the_density_is_the_poisson_and_the_deviance_its_own() -> None:
    (part,) = evidence()
    assert isinstance(part, Arms)
    eta = np.random.default_rng(1).normal(-1, 1, len(COUNTS))
    rate = part.fitted(eta, None, part.data, np)
    r, years = COUNTS["r"].to_numpy(), COUNTS["years"].to_numpy()
    found = part.density(eta, None, part.data, np)
    np.testing.assert_allclose(rate, np.exp(eta))
    np.testing.assert_allclose(found, stats.poisson(years * rate).logpmf(r), rtol=1e-10)
    saturated = np.where(r > 0, stats.poisson(np.maximum(r, 1)).logpmf(r), 0.0)
    deviance = part.deviance(rate, part.data, np)
    np.testing.assert_allclose(deviance, 2 * (saturated - found), rtol=1e-9)
    np.testing.assert_allclose(part.deviance(r / years, part.data, np), 0, atol=1e-12)


@pytest.mark.parametrize("eta", [-40.0, 0.0, 40.0])
def test_both_libraries_agree_in_the_tails(eta: float) -> None:
    import pytensor.tensor as pt

    (part,) = evidence()
    x = pt.dvector("x")
    at = np.full(len(COUNTS), eta)
    there = part.density(x, None, part.data, pt).eval({x: at})
    here = part.density(at, None, part.data, np)
    assert np.isfinite(here).all()
    np.testing.assert_allclose(there, here)


def test_another_unit_of_exposure_moves_the_trial_level_alone() -> None:
    (years,) = evidence()
    (months,) = evidence(counts=COUNTS.assign(years=COUNTS["years"] * 12))
    eta = np.linspace(-2, 1, len(COUNTS))
    there = years.density(eta, None, years.data, np)
    np.testing.assert_allclose(months.density(eta - np.log(12), None, months.data, np), there)


def test_rare_events_of_people_are_a_rate_of_people() -> None:
    """Binomial on the logit scale nears Poisson with the participants as exposure."""
    counts = COUNTS.assign(n=COUNTS["r"] * 0 + 10**7)
    rate = Rate("r", "n", better="lower", likelihood="normal")
    odds = nma.outcomes.Binary("r", "n", measure="OR", better="lower", likelihood="normal")
    for one, other in zip(evidence(rate, counts), evidence(odds, counts), strict=True):
        np.testing.assert_allclose(one.y, other.y, rtol=1e-5)
        np.testing.assert_allclose(one.V, other.V, rtol=1e-5)


def test_normal_contrasts_by_hand() -> None:
    """Half an event more in every arm of trial 2; trial 3 is set aside."""
    pair, three = evidence(IRR.as_normal())
    assert isinstance(pair, Contrasts)
    sign = 1 if pair.y[0, 0] > 0 else -1
    assert sign * pair.y[0, 0] == pytest.approx(np.log(29 / 82.5) - np.log(12 / 94))
    assert pair.V[0, 0, 0] == pytest.approx(1 / 29 + 1 / 12)
    assert three.y.shape == (1, 2)
    base_c = np.log(6.5 / 22)
    by_arm = dict(zip(three.arms[0, 1:].tolist(), three.y[0], strict=True))
    assert by_arm[2] == pytest.approx(np.log(3.5 / 20) - base_c)
    assert by_arm[3] == pytest.approx(np.log(0.5 / 21) - base_c)
    assert three.V[0, 0, 1] == pytest.approx(1 / 6.5)
    told = network(IRR.as_normal()).notices
    assert "0.5 was added to the events of every arm in 2, for an empty cell." in told
    assert any("Set aside from the contrasts, 1 trial: 3;" in text for text in told)


def test_the_contrasts_of_dietary_fat_are_those_of_the_pooled_rate() -> None:
    """With one exposure, the rate ratio is the ratio of counts."""
    counts = COUNTS[COUNTS["study"] == "1"].assign(years=50.0)
    ((part),) = evidence(IRR.as_normal(), counts)
    assert abs(part.y[0, 0]) == pytest.approx(np.log(29 / 12))


def test_settings() -> None:
    with pytest.raises(ModelError, match="use 'IRR'"):
        Rate("r", "years", better="lower", measure="RR")
    with pytest.raises(ModelError, match="use 'poisson' or 'normal'"):
        Rate("r", "years", better="lower", likelihood="binomial")  # type: ignore[arg-type]
    assert IRR.inverse(IRR.link(0.3)) == pytest.approx(0.3)
    assert network().unit == (1.0, "unit = 1")
    assert np.isnan(network().arms["participants"]).all()
