"""The table of quality says what the engine knows, and agrees with its own verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import nma
from nma.checks import convergence
from nma.engines import _convergence
from nma.problem import Draws


def fitted(name: str, engine: nma.protocols.Engine | None = None) -> nma.Posterior:
    return nma.fit(nma.datasets.network(name), engine=engine)


def cells(posterior: nma.Posterior) -> Any:
    return pd.DataFrame(convergence(posterior))


def test_weighted_points_tell_pareto_k_and_what_they_are_worth() -> None:
    posterior = fitted("smoking")
    table, told = cells(posterior), posterior.draws.diagnostics
    assert table.loc["Pareto k", "value"] == told["pareto_k"]
    assert table.loc["Pareto k", "limit"] == "at most 0.7"
    assert table.loc["effective candidates", "value"] == told["effective_candidates"]
    assert table.loc["effective candidates", "limit"] == "at least 800"
    assert table.loc["effective candidates", "where"] == "of 4096"
    assert table.loc["quadrature error", "limit"] == "at most 0.1"
    assert "log_evidence" not in table.index
    assert set(table["verdict"]) == {"good", ""}
    assert "nothing speaks against it" in convergence(posterior).caption


def test_the_monte_carlo_error_is_the_worst_of_effects_and_tau() -> None:
    posterior = fitted("smoking", nma.engines.Laplace(draws=16))
    against = posterior.comparator
    effects: Any = pd.DataFrame(nma.effect_table(posterior, comparators=[against]))
    drawn = {}
    beta = nma.relative_effects(posterior).sel(comparator=against)
    for name, _ in effects.index:
        values = beta.sel(treatment=name).transpose("chain", "draw").to_numpy()
        spread = values.mean(axis=1).std(ddof=1) / np.sqrt(len(values))
        drawn[f"{name} vs {against}"] = spread / values.std()
    tau = posterior.draws.values["tau"].to_numpy()
    drawn["tau"] = tau.mean(axis=1).std(ddof=1) / np.sqrt(len(tau)) / tau.std()
    row = cells(posterior).loc["Monte Carlo error"]
    worst = max(drawn, key=drawn.__getitem__)
    assert row["where"] == worst
    assert row["value"] == pytest.approx(drawn[worst], rel=1e-6)


def test_the_exact_engine_has_no_monte_carlo_error_and_tells_its_quadrature() -> None:
    posterior = fitted("back_pain")
    table = cells(posterior)
    assert table.loc["Monte Carlo error", "value"] == 0
    row = table.loc["quadrature error"]
    assert row["value"] == posterior.draws.diagnostics["quadrature_error"]
    assert row["verdict"] == "good"
    rough = replace(
        posterior, draws=replace(posterior.draws, diagnostics={"quadrature_error": 0.005})
    )
    assert cells(rough).loc["quadrature error", "verdict"] == "poor"


def test_least_squares_has_nothing_to_converge() -> None:
    posterior = fitted("back_pain", nma.engines.LeastSquares())
    table = convergence(posterior)
    assert list(table.index) == ["Monte Carlo error"]
    assert table.notes[0] == "Exact given tau: there is nothing to converge."


def test_one_chain_cannot_tell_its_monte_carlo_error() -> None:
    table = convergence(fitted("smoking", nma.engines.Laplace(chains=1)))
    assert pd.DataFrame(table).loc["Monte Carlo error", "verdict"] == "unknown"
    assert table.attrs["verdict"] == "unknown"
    assert "cannot be told, by Monte Carlo error" in table.caption


def test_faults_of_the_engine_come_first_and_decide() -> None:
    posterior = fitted("smoking", nma.engines.Laplace(draws=1))
    table = convergence(posterior)
    assert table.attrs["verdict"] == "poor"
    assert table.caption.startswith("POOR FIT")
    assert pd.DataFrame(table).loc["Pareto k", "verdict"] == "poor"


def test_a_treatment_alone_has_no_effect_to_tell_of() -> None:
    network = nma.datasets.network("smoking")
    posterior = nma.fit(network, nma.Model(heterogeneity=nma.heterogeneity.Common()))
    alone = nma.at(posterior, treatments=["self-help"])
    assert cells(alone).loc["Monte Carlo error", "verdict"] == "unknown"


def chain(shift: float) -> nma.Posterior:
    """Return a posterior as NUTS would give it, its first chain of tau moved."""
    posterior = fitted("back_pain")
    rng = np.random.default_rng(1)
    beta = rng.normal(size=(4, 500, 3))
    tau = np.abs(rng.normal(size=(4, 500)))
    tau[0] += shift
    names = list(posterior.problem.parameters.names)
    values = xr.Dataset(
        {"beta": (("chain", "draw", "parameter"), beta), "tau": (("chain", "draw"), tau)},
        coords={"parameter": names},
    )
    statistics = xr.Dataset(
        {
            "diverging": (("chain", "draw"), np.zeros((4, 500), dtype=bool)),
            "energy": (("chain", "draw"), rng.normal(size=(4, 500))),
        }
    )
    judged = _convergence.judge(values, statistics)
    draws = Draws(
        sampler=lambda: values,
        diagnostics=judged.worst,
        faults=judged.faults,
        convergence=judged.convergence,
    )
    return replace(posterior, engine=nma.engines.NUTS(chains=4), draws=draws)


def test_chains_tell_where_they_are_worst() -> None:
    mixed, apart = chain(0.0), chain(5.0)
    table = cells(mixed)
    assert table.loc["R-hat", "value"] == mixed.draws.diagnostics["r_hat"]
    assert table.loc["effective draws, bulk", "limit"] == "at least 400"
    assert set(table["verdict"]) == {"good"}
    table = cells(apart)
    assert table.loc["R-hat", "where"] == "tau"
    assert table.loc["R-hat", "verdict"] == "poor"
    assert table.loc["effective draws, bulk", "where"] == "tau"
    assert table.loc["Monte Carlo error", "where"] == "tau"
    assert convergence(apart).attrs["verdict"] == "poor"
