"""A structure written in a notebook: every engine, check, table and figure takes it as ours."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import nma
from coherent import TANGLED, A, B, C, D, frame, network
from nma.priors import HalfNormal, Normal
from nma.problem import Parameters
from nma.protocols import Structure
from pictures import FIGURES

if TYPE_CHECKING:
    import pandas as pd

STEPS = {A: 0.0, B: 1.0, C: 2.0, D: 4.0}
RANDOM = nma.heterogeneity.Random(HalfNormal(1))


@dataclass(frozen=True)
class Ladder(Structure):
    """Each step up a ladder of treatments adds as much: one parameter for the whole network."""

    sd: float = 5.0

    def resolve(self, network: nma.Network) -> Ladder:
        return self

    def parameters(self, network: nma.Network) -> Parameters:
        return Parameters.independent(["step"], self.sd)

    def levels(self, network: nma.Network, arms: pd.DataFrame) -> Any:
        return np.array([[STEPS[name]] for name in arms["treatment"]])


@pytest.fixture(scope="module")
def posterior() -> nma.Posterior:
    return nma.fit(network(frame(TANGLED)), nma.Model(Ladder(), RANDOM))


def test_its_tables_follow_from_its_one_parameter(posterior: nma.Posterior) -> None:
    mean = nma.effect_table(posterior)["mean"]
    for name in (B, C, D):
        assert mean[name, A] == pytest.approx(STEPS[name] * mean[B, A], abs=1e-12)
    assert nma.sucra(posterior).index[0] in {A, D}
    assert "Ladder" in str(posterior)


def test_least_squares_is_the_slope_through_the_contrasts() -> None:
    """Two-arm trials at common effect: the slope is sum(w x y) / sum(w x^2)."""
    arms = frame(TANGLED[:7])
    made = network(arms)
    fitted = nma.fit(made, nma.Model(Ladder()), engine=nma.engines.LeastSquares("common"))
    variance = arms["sd"] ** 2 / arms["n"]
    first, second = arms[::2].reset_index(), arms[1::2].reset_index()
    x = second["treatment"].map(STEPS) - first["treatment"].map(STEPS)
    y = second["mean"] - first["mean"]
    w = 1 / (variance[::2].to_numpy() + variance[1::2].to_numpy())
    slope = nma.effect_table(fitted)["mean"][B, A]
    assert slope == pytest.approx((w * x * y).sum() / (w * x**2).sum(), abs=1e-12)


def test_counts_by_the_laplace_engine_and_by_nuts_agree() -> None:
    rng = np.random.default_rng(5)
    arms = frame(TANGLED)[["study", "treatment"]].assign(n=60)
    chance = 1 / (1 + np.exp(1 - 0.25 * arms["treatment"].map(STEPS)))
    made = nma.Network.from_arms(
        arms.assign(events=rng.binomial(60, chance)),
        study="study",
        treatment="treatment",
        outcome=nma.outcomes.Binary("events", "n", measure="OR", better="higher"),
    )
    model = nma.Model(Ladder(), RANDOM)
    nuts = nma.engines.NUTS(draws=1000, tune=500, seed=3, progress=False)
    table: Any = (
        nma.effect_table(nma.fit(made, model)),
        nma.effect_table(nma.fit(made, model, engine=nuts)),
    )
    first, second = (found.loc[(D, A)] for found in table)
    assert abs(first["mean"] - second["mean"]) < 4 * np.hypot(first["mcse"], second["mcse"])


OF_OTHERS = {"class_shrinkage", "components", "incremental_effects"}
"""Figures of a model that has components, or classes."""


@pytest.mark.parametrize("name", sorted({*FIGURES} - OF_OTHERS))
def test_every_figure_draws_it(name: str, posterior: nma.Posterior) -> None:
    mcid = nma.decisions.MCID(0.3, kind="between-group", source="chosen for a test")
    needs: dict[str, Any] = {
        "network": lambda: (posterior.network,),
        "hasse": lambda: (nma.decisions.partial_order({"one": posterior, "two": posterior}),),
        "dev_dev": lambda: (nma.fit(posterior.network), posterior),
        "prior_sensitivity": lambda: (nma.checks.prior_sensitivity(posterior),),
        "influence": lambda: (nma.checks.leave_one_study_out(posterior),),
        "design_by_treatment": lambda: (nma.checks.design_by_treatment(posterior),),
        "net_heat": lambda: (nma.checks.net_heat(posterior),),
        "node_splitting": lambda: (nma.checks.node_splitting(posterior),),
        "equivalence": lambda: (nma.decisions.equivalence(posterior, mcid=mcid),),
        "thresholds": lambda: (nma.decisions.thresholds(posterior),),
        **dict.fromkeys(("benefit_harm", "spie", "sucra_scatter"), lambda: (two(posterior),)),
        "bubble": lambda: (wrapped(),),
        "curve": lambda: (wrapped(), "years"),
    }
    draw: Any = getattr(nma.plots, name)
    assert draw(*needs.get(name, lambda: (posterior,))()).figure is not None


def two(posterior: nma.Posterior) -> dict[str, nma.Posterior]:
    return {"one": posterior, "two": posterior}


def test_it_can_be_sent_to_other_processes(posterior: nma.Posterior) -> None:
    sent = pickle.loads(pickle.dumps(posterior.model))  # noqa: S301  our own bytes
    assert sent == posterior.model


def wrapped() -> nma.Posterior:
    years = frame(TANGLED)["study"].str.removeprefix("trial ").astype(float) % 4
    made = network(frame(TANGLED).assign(years=years))
    structure = nma.structures.Regression(
        nma.structures.RandomInconsistency(Ladder()),
        "years",
        interactions=nma.structures.Consistency(Normal(0, 5)),
    )
    return nma.fit(made, nma.Model(structure, RANDOM))


def test_it_can_be_wrapped() -> None:
    posterior = nma.at(wrapped(), years=1.0)
    assert np.isfinite(nma.effect_table(posterior)["mean"]).all()
