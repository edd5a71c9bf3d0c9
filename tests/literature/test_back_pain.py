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


COMPONENTS = nma.structures.Components(
    table={
        "passive control": ["passive"],
        "standard exercise": ["exercise"],
        "individualised exercise": ["exercise", "individualisation"],
        "multimodal care": ["exercise", "individualisation", "CBT"],
    },
    inactive="passive",
)
"""One component more from each treatment to the next."""


@pytest.mark.parametrize("tau", ["common", "DL", "REML"])
def test_as_many_components_as_effects_are_the_standard_model(tau: str) -> None:
    """Nothing is left for additivity: no degree of freedom, and every number the same."""
    network, engine = nma.datasets.network("back_pain"), nma.engines.LeastSquares(tau)
    parts, standard = (
        nma.fit(network, nma.Model(structure), engine=engine)
        for structure in (COMPONENTS, nma.structures.Consistency())
    )
    ours, theirs = (nma.effect_table(posterior) for posterior in (parts, standard))
    assert ours.index.equals(theirs.index)
    for column in ("mean", "sd"):
        np.testing.assert_allclose(ours[column], theirs[column], rtol=1e-10)
    for name in ("Q", "df", "tau"):
        told = nma.summary(standard).attrs[name]
        assert nma.summary(parts).attrs[name] == pytest.approx(told, rel=1e-10), name


def test_components_are_the_steps_between_treatments() -> None:
    """What individualisation adds is individualised minus standard exercise, and so on."""
    network, engine = nma.datasets.network("back_pain"), nma.engines.LeastSquares("DL")
    posterior = nma.fit(network, nma.Model(COMPONENTS), engine=engine)
    moments, names = posterior.draws.moments, posterior.problem.parameters.names
    assert moments is not None
    told = moments.of(np.eye(3))
    table = nma.effect_table(nma.fit(network, engine=engine))
    steps = {
        "exercise": ("standard exercise", "passive control"),
        "individualisation": ("individualised exercise", "standard exercise"),
        "CBT": ("multimodal care", "individualised exercise"),
    }
    for name, *found in zip(names, told.mean, told.sd, strict=True):
        expected = table["mean"][steps[name]], table["sd"][steps[name]]
        assert found == pytest.approx(expected, rel=1e-10), name
