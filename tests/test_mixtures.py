from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from nma.mixtures import Marginal, Mixture

MIXTURE = Mixture(
    np.array([0.2, 0.5, 0.3]),
    np.array([[0.0, -5.0], [1.0, 5.0], [4.0, 0.1]]),
    np.array([[1.0, 0.01], [0.5, 0.02], [2.0, 1.0]]),
)


@pytest.mark.parametrize("p", [1e-6, 0.025, 0.2, 0.5, 0.6999, 0.975, 1 - 1e-6])
@pytest.mark.parametrize("k", [0, 1])
def test_quantiles_invert_the_distribution_function(p: float, k: int) -> None:
    def cdf(x: float) -> float:
        return float(MIXTURE.weight @ stats.norm.cdf(x, MIXTURE.means[:, k], MIXTURE.sds[:, k]))

    expected = optimize.brentq(lambda x: cdf(x) - p, -50, 50, xtol=1e-13)
    assert MIXTURE.quantile(p)[k] == pytest.approx(expected, abs=1e-9)
    assert MIXTURE.below(expected)[k] == pytest.approx(p, abs=1e-9)


def test_quantiles_are_found_where_the_standard_deviation_is_beyond_use() -> None:
    """Normals whose sds have a half-Cauchy(1) distribution, followed to e^40."""
    x = np.linspace(-20, 40, 601)
    weight = np.exp(x) / (1 + np.exp(2 * x))
    heavy = Mixture(weight / weight.sum(), np.zeros((601, 1)), np.exp(x)[:, None])
    assert heavy.sd[0] > 1e7
    for p in (0.6, 0.9, 0.975):

        def cdf(t: float) -> float:
            return float(heavy.weight @ stats.norm.cdf(t, 0, heavy.sds[:, 0]))

        expected = optimize.brentq(lambda t, p=p: cdf(t) - p, 0, 1e4, xtol=1e-13, rtol=1e-14)
        assert heavy.quantile(p)[0] == pytest.approx(expected, rel=1e-10)


def test_mean_and_sd() -> None:
    mean = MIXTURE.weight @ MIXTURE.means
    second = MIXTURE.weight @ (MIXTURE.means**2 + MIXTURE.sds**2)
    np.testing.assert_allclose(MIXTURE.mean, mean)
    np.testing.assert_allclose(MIXTURE.sd, np.sqrt(second - mean**2))


def test_a_contrast_of_equals_is_a_tie() -> None:
    tie = Mixture(np.ones(1), np.zeros((1, 1)), np.zeros((1, 1)))
    assert tie.below(0.0).tolist() == [0.5]
    assert tie.quantile(0.975).tolist() == [0.0]


def test_a_tabulated_marginal_interpolates() -> None:
    marginal = Marginal(np.array([0.0, 1.0, 3.0]), np.array([0.0, 0.5, 1.0]), 1.25, 0.7)
    assert [marginal.quantile(p) for p in (0.0, 0.25, 0.75, 1.0)] == [0.0, 0.5, 2.0, 3.0]


def test_a_known_number_lies_on_one_side() -> None:
    known = Mixture(np.ones(1), np.array([[50.0, -50.0]]), np.zeros((1, 2)))
    assert known.below(0.0).tolist() == [0.0, 1.0]
    assert known.quantile(0.975).tolist() == [50.0, -50.0]


def test_an_independent_normal_adds_its_variance() -> None:
    wider = MIXTURE.plus(np.array([[1.0], [2.0], [3.0]]))
    np.testing.assert_array_equal(wider.mean, MIXTURE.mean)
    np.testing.assert_allclose(wider.sd**2, MIXTURE.sd**2 + MIXTURE.weight @ [1.0, 2.0, 3.0])


def test_a_component_that_is_one_number_has_its_share_of_the_quantiles() -> None:
    """Half of the weight at zero exactly, as the difference of two alike; half standard normal."""
    means, sds = np.zeros((2, 1)), np.array([[0.0], [1.0]])
    mixture = Mixture(np.array([0.5, 0.5]), means, sds)
    assert mixture.quantile(0.5)[0] == pytest.approx(0, abs=1e-12)
    assert mixture.quantile(0.6)[0] == pytest.approx(0, abs=1e-12)
    assert mixture.quantile(0.8)[0] == pytest.approx(0.2533471031357997, rel=1e-9)
