"""The graph of ordered categories: its log density is the one written out, to 1e-8."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import densities
import nma
from nma.engines._pymc import Parametrisation, build
from nma.model import problem
from nma.outcomes import Ordinal
from nma.priors import HalfNormal, LogNormal, Normal
from nma.problem import Arms
from ordered import OR, SMD, by_scipy, network

OUTCOMES = [
    SMD,
    OR,
    replace(SMD, cut_points=HalfNormal(2)),
    replace(OR, cut_points=LogNormal(0, 1)),
]


@pytest.mark.parametrize("how", ["integrated", "centred"])
@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda o: f"{o.measure} {o.cut_points!r}")
def test_log_density_of_ordered_categories(outcome: Ordinal, how: Parametrisation) -> None:
    model = nma.Model(
        nma.structures.Consistency(Normal(0, 20)), nma.heterogeneity.Random(HalfNormal(0.8))
    )
    made = network(outcome)
    task = problem(model.resolve(made), made)
    (part,) = task.evidence
    assert isinstance(part, Arms)
    assert part.auxiliary is not None

    def density(eta: Any, auxiliary: Any, data: Any, xp: Any) -> Any:
        return by_scipy(outcome, eta, outcome.cut_points_at(auxiliary))

    plain = replace(task, evidence=(replace(part, density=density),))
    graph = build(task, how)
    assert graph.coords["auxiliary_parameter"] == part.auxiliary.names
    logp = graph.compile_logp(jacobian=False, mode="FAST_COMPILE")
    rng = np.random.default_rng(4)
    for _ in range(4):
        point = {k: rng.normal(0, 0.7, np.shape(v)) for k, v in graph.initial_point().items()}
        tau = float(np.exp(point["tau_log__"]))
        scales, sd = {"tau": tau}, np.sqrt(0.5) * tau
        name = "tau_effect_0" if how == "centred" else "tau_effect_0_unscaled"
        b = point[name]
        u = b if how == "centred" else sd * b
        expected = (
            densities.of_prior(HalfNormal(0.8), tau)
            + densities.of_parameters(task.parameters, point["beta"], {})
            + densities.of_parameters(part.auxiliary, point["auxiliary"], {})
            + densities.of_prior(part.trial_level, point["trial_level"])
            + densities.of_prior(Normal(0, sd if how == "centred" else 1), b)
            + densities.of_evidence(
                plain,
                point["beta"],
                scales,
                u,
                dict(zip(made.trials, point["trial_level"], strict=True)),
                point["auxiliary"],
            )
        )
        assert float(logp(point)) == pytest.approx(expected, rel=1e-8, abs=1e-8)


def test_the_slope_is_that_of_finite_differences() -> None:
    """At a point of every kind of parameter, by the graph that the sampler compiles."""
    made = network()
    task = problem(nma.Model().resolve(made), made)
    graph = build(task, "integrated")
    logp = graph.compile_logp(mode="FAST_COMPILE")
    slope = graph.compile_dlogp(mode="FAST_COMPILE")
    rng = np.random.default_rng(6)
    point = {k: rng.normal(0, 0.5, np.shape(v)) for k, v in graph.initial_point().items()}
    found, place = slope(point), 0
    for value in graph.value_vars:
        here = point[value.name]
        for index in np.ndindex(here.shape):
            ends = []
            for h in (1e-5, -1e-5):
                moved = np.array(here, dtype=float)
                moved[index] += h
                ends.append(float(logp(point | {value.name: moved})))
            assert found[place] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-6, abs=1e-5)
            place += 1
