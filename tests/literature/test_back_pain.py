"""The nine back-pain contrasts: least squares at DerSimonian-Laird tau, worked out apart."""

from __future__ import annotations

import numpy as np
import pytest

import nma
from nma.priors import Fixed, Normal

ACTIVE = ["standard exercise", "individualised exercise", "multimodal care"]


def test_fixed_tau_and_wide_priors() -> None:
    model = nma.Model(
        nma.structures.Consistency(Normal(0, 1e4)), nma.heterogeneity.Random(Fixed(0.36))
    )
    posterior = nma.fit(nma.datasets.network("back_pain"), model)
    table = nma.effect_table(
        nma.at(posterior, treatments=["passive control", *ACTIVE]), comparators=["passive control"]
    )
    np.testing.assert_allclose(table["estimate"], [-1.44, -1.42, -1.72], atol=0.005)
    np.testing.assert_allclose(table["lower"], [-2.12, -1.99, -2.38], atol=0.006)
    np.testing.assert_allclose(table["upper"], [-0.76, -0.85, -1.06], atol=0.006)


def test_heterogeneity_statistics() -> None:
    found = nma.summary(nma.fit(nma.datasets.network("back_pain"))).attrs
    assert found["Q"] == pytest.approx(10.84, abs=0.005)
    assert found["df"] == 6


def test_dersimonian_laird_tau() -> None:
    """tau^2 = (Q - df) / (trace of W minus its fitted part), Jackson et al. 2013."""
    frame = nma.datasets.load("back_pain")
    names = ["passive control", *ACTIVE]
    X = np.array(
        [
            [(t == n) - (c == n) for n in names[1:]]
            for t, c in zip(frame["treatment"], frame["comparator"], strict=True)
        ],
        float,
    )
    W = np.diag(frame["se"].to_numpy() ** -2)
    A = W - W @ X @ np.linalg.inv(X.T @ W @ X) @ X.T @ W
    y = frame["md"].to_numpy()
    assert np.sqrt((y @ A @ y - 6) / np.trace(A)) == pytest.approx(0.36, abs=0.005)


def test_multimodal_care_leads_by_less_than_anyone_would_notice() -> None:
    posterior = nma.fit(nma.datasets.network("back_pain"))
    best = nma.p_best(posterior)
    assert best["p_best"].idxmax() == "multimodal care"
    assert best["p_best"]["multimodal care"] == pytest.approx(0.7, abs=0.05)
    lead = nma.effect_table(posterior, comparators=["standard exercise"])
    assert lead["estimate"]["multimodal care", "standard exercise"] == pytest.approx(-0.3, abs=0.05)
