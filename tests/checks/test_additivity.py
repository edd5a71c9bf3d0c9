"""Additivity against the full network, by hand and against fits made one by one."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

import factorial
import nma
import oracle
from factorial import APART, COMMON, FACTORIAL, FLAT, RANDOM, additive, network
from nma.checks._deviations import Deviations
from nma.errors import ModelError
from nma.model import problem
from nma.priors import Normal
from nma.structures import Components, Consistency, DesignByTreatment, Regression

additivity: Any = nma.checks.additivity
summary: Any = nma.summary


INTERACTION = [("E", "C")]


def test_q_is_least_squares_by_hand() -> None:
    table = additivity(additive(heterogeneity=COMMON, engine=FLAT))
    without, whole = (factorial.least_squares(columns)[2] for columns in ([0, 1], [0, 1, 2]))
    np.testing.assert_allclose(table["Q"], [without, whole, without - whole], atol=1e-12)
    assert table["df"].tolist() == [4, 3, 1]
    p = [chi2.sf(without, 4), chi2.sf(whole, 3), chi2.sf(without - whole, 1)]
    np.testing.assert_allclose(table["p"], p, rtol=1e-10)


def test_a_factorial_trial_tests_the_interaction_of_its_log_odds() -> None:
    """One trial of four arms: Q is the squared z of the interaction of four log odds."""
    frame = nma.datasets.load("musician").set_index("treatment")
    r = frame["responders"].to_numpy(dtype=float)
    no = frame["n"].to_numpy(dtype=float) - r
    sign = np.array([1, -1, -1, 1])
    assert frame.index.tolist()[1:] == ["telephone CBT", "exercise", "exercise + telephone CBT"]
    z = (sign @ np.log(r / no)) / np.sqrt((1 / r + 1 / no).sum())
    structure = Components(separator=" + ", inactive="usual care")
    made = nma.datasets.network("musician").as_normal()
    table = additivity(nma.fit(made, nma.Model(structure, RANDOM)))
    assert table.loc["difference", "Q"] == pytest.approx(z**2, rel=1e-9)
    assert table["df"].tolist() == [1, 0, 1]
    counts = nma.fit(nma.datasets.network("musician"), nma.Model(structure, RANDOM))
    np.testing.assert_allclose(additivity(counts)["Q"], table["Q"], rtol=1e-12)


def test_the_full_network_is_the_fit_of_consistency_with_the_same_prior() -> None:
    posterior = additive(effect=Normal(0, 3))
    full = nma.fit(posterior.network, nma.Model(Consistency(Normal(0, 3)), RANDOM))
    table = additivity(posterior)
    for name, fit in (("additive", posterior), ("full network", full)):
        row = table.loc[name]
        assert row["tau"] == pytest.approx(summary(fit).loc["tau", "median"], rel=1e-9)
        assert row["DIC"] == pytest.approx(nma.fit_measures.dic(fit)["DIC"].iloc[0], rel=1e-9)
        left_out = nma.fit_measures.leave_one_study_out(fit).attrs
        assert row["elpd"] == pytest.approx(left_out["elpd"], rel=1e-9)
        assert row["elpd_se"] == pytest.approx(left_out["se"], rel=1e-9)
    for column in ("tau", "DIC"):
        between = table.loc["additive", column] - table.loc["full network", column]
        assert table.loc["difference", column] == pytest.approx(between, rel=1e-12)
    densities = [
        nma.fit_measures.leave_one_study_out(fit)["log_density"] for fit in (posterior, full)
    ]
    paired = (densities[0] - densities[1]).to_numpy()
    se = np.sqrt(len(paired)) * paired.std(ddof=1)
    assert table.loc["difference", "elpd"] == pytest.approx(paired.sum(), rel=1e-9)
    assert table.loc["difference", "elpd_se"] == pytest.approx(se, rel=1e-9)


def test_parts_that_no_trial_connects_add_up() -> None:
    """Q of the full network is that of each part alone; the rest of its row is empty."""
    table = additivity(additive(APART))
    parts = [nma.fit(network(rows, rows[0][1]), nma.Model(heterogeneity=RANDOM))
             for rows in (APART[:2], APART[2:])]  # fmt: skip
    found = [summary(part).attrs for part in parts]
    assert table.loc["full network", "Q"] == pytest.approx(sum(one["Q"] for one in found), rel=1e-9)
    assert table.loc["full network", "df"] == sum(one["df"] for one in found)
    assert table.loc["difference", "df"] == 1
    assert table.loc["full network", ["tau", "DIC", "elpd"]].isna().all()
    assert "the full network cannot be fitted as one" in str(table.notes)
    assert len(table.attrs["bayes_factors"]) == 3


@pytest.mark.parametrize("rows", [FACTORIAL, APART])
def test_bayes_factors_are_those_of_dense_normals(rows: list[factorial.Row]) -> None:
    """At tau = 0 the evidence is N(y; 0, V + X S X'), with deviations among the levels."""
    posterior = additive(rows, heterogeneity=COMMON)
    table = additivity(posterior, deviation=Normal(0, 0.4))
    base: Any = posterior.model.structure
    own = oracle.given(posterior.problem, {})[0]
    factors = table.attrs["bayes_factors"]
    assert list(factors) == [0.4, 0.2, 0.8]
    for sd, factor in factors.items():
        wide = replace(posterior.model, structure=Deviations(base, ("E + C",), Normal(0, sd)))
        other = oracle.given(problem(wide, posterior.network), {})[0]
        assert factor == pytest.approx(np.exp(own - other), rel=1e-8)
    assert f"{factors[0.4]:.3g}"[:4] in str(table.notes)


def test_interactions_of_the_model_stay() -> None:
    """With the one interaction of the factorial there is nothing left to test."""
    rows = [*FACTORIAL, ("S", "usual", -0.2, 0.2), ("E + S", "C", -0.9, 0.2)]
    table = additivity(additive(rows, interactions=INTERACTION))
    assert table.index.tolist() == ["with interactions", "full network", "difference"]
    assert table.loc["difference", "df"] == 1
    assert additivity(additive(rows)).loc["difference", "df"] == 2
    saturated = additivity(additive(interactions=INTERACTION))
    assert saturated.loc["difference", ["Q", "df"]].tolist() == [0, 0]
    assert np.isnan(saturated.loc["difference", "p"])
    assert saturated.attrs["bayes_factors"] == {}
    assert "Saturated: additivity is untestable here" in str(saturated.notes)


def test_shrunken_interactions_are_random_effects_and_take_no_degree_of_freedom() -> None:
    shrunken = additivity(additive(interactions="all"))
    plain = additivity(additive())
    np.testing.assert_allclose(shrunken["Q"], plain["Q"], atol=1e-12)
    assert shrunken["df"].tolist() == plain["df"].tolist()
    assert shrunken.loc["with interactions", "DIC"] != plain.loc["additive", "DIC"]


def test_least_squares_tells_q_and_tau_alone() -> None:
    table = additivity(additive(engine=nma.engines.LeastSquares("DL")))
    assert table[["DIC", "elpd", "elpd_se"]].isna().all(axis=None)
    full = nma.fit(network(FACTORIAL), engine=nma.engines.LeastSquares("DL"))
    assert table.loc["full network", "tau"] == summary(full).loc["tau", "median"]
    assert "No Bayes factor: least squares has no prior." in table.notes


def test_q_stands_where_the_full_network_cannot_be_fitted() -> None:
    """Least squares has no degree of freedom left there to estimate tau by."""
    engine = nma.engines.LeastSquares("DL")
    table = additivity(
        additive(
            [
                *FACTORIAL[1:4],
            ],
            engine=engine,
        )
    )
    assert table["df"].tolist() == [1, 0, 1]
    assert table.loc["difference", "Q"] > 0
    assert np.isnan(table.loc["full network", "tau"])
    assert "the trials leave no degree of freedom to estimate tau" in str(table.notes)


def test_within_a_regression_the_components_alone_are_replaced() -> None:
    made = network(FACTORIAL, year=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])

    def around(base: Any) -> nma.Posterior:
        return nma.fit(made, nma.Model(Regression(base, "year", control="usual"), RANDOM))

    posterior = around(Components(separator=" + ", inactive="usual"))
    table = additivity(posterior)
    full = around(Consistency(Normal(0, 10)))
    assert table.loc["full network", "DIC"] == pytest.approx(
        nma.fit_measures.dic(full)["DIC"].iloc[0], rel=1e-9
    )
    assert table["df"].tolist() == [3, 2, 1]
    nested = nma.Model(DesignByTreatment(Components(separator=" + ", inactive="usual")), RANDOM)
    assert additivity(nma.fit(made, nested)).loc["difference", "df"] == 0


def test_renaming_and_the_order_of_rows_change_no_number() -> None:
    names = {"E": "b", "C": "z", "usual": "a", "E + C": "z + b"}
    turned = [(names[c], names[t], -y, se) for t, c, y, se in reversed(FACTORIAL)]
    here, there = (
        additivity(additive()),
        additivity(additive(turned, reference="a")),
    )
    np.testing.assert_allclose(here, there, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(
        list(here.attrs["bayes_factors"].values()),
        list(there.attrs["bayes_factors"].values()),
        rtol=1e-6,
    )


def test_processes_give_the_same_numbers() -> None:
    posterior = additive()
    with ProcessPoolExecutor(1) as executor:
        there = additivity(posterior, executor=executor)
    here = additivity(posterior)
    pd.testing.assert_frame_equal(pd.DataFrame(here), pd.DataFrame(there))
    assert here.attrs == there.attrs


def test_a_trial_that_alone_connects_its_treatments_is_named() -> None:
    """Left out, components still predict it; the full network has its prior alone."""
    rows = [row for row in FACTORIAL if row[0] != "E + C"]
    table = additivity(additive([*rows, ("E + C", "usual", -1.0, 0.25)]))
    assert "elpd: trial 4, left out, leaves its treatments unconnected" in str(table.notes)
    assert table.loc["difference", "elpd"] > 1


def test_without_any_treatment_of_two_components_there_are_no_deviations() -> None:
    """usual + E and E are one level if components add up, two in the full network."""
    rows = [("E", "usual", -0.5, 0.2), ("usual + E", "usual", -0.7, 0.2), ("C", "E", 0.2, 0.2)]
    table = additivity(additive(rows))
    assert table.loc["difference", "df"] == 1
    assert "No Bayes factor: no treatment has two components." in table.notes


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(ModelError, match="has no components: its structure is Consistency"):
        additivity(nma.fit(network(FACTORIAL)))
    with pytest.raises(ModelError, match="deviation=Normal"):
        additivity(additive(), deviation=Normal(1, 1))
    sourced = additive(effect=Normal(0, 10))
    source = sourced.network.sources[0]
    outcome: Any = replace(source.outcome, scale=None)  # type: ignore[type-var]
    unsized = replace(sourced.network, sources=(replace(source, outcome=outcome),))
    with pytest.raises(ModelError, match=r"deviation=nma.priors.Normal\(0, 1\)"):
        additivity(replace(sourced, network=unsized))
