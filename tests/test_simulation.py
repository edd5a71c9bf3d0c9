"""Simulated networks have the truth they say they have."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from scipy import stats

import nma
import own_models
from nma.errors import DataError, ModelError
from nma.simulation import Truth
from simulated import (
    ALARM,
    COMMON,
    MD,
    PAIRS,
    by_trial,
    plan,
    planned,
    require_counts,
    require_covariance,
    rows_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@pytest.mark.parametrize("name", ["back_pain_simulated", "bcg", "diabetes", "dietary_fat"])
def test_a_refit_finds_the_truth_within_its_posterior(name: str) -> None:
    """Each of eight estimates in all lies beyond 4.5 posterior sds with chance 7e-6."""
    network = nma.datasets.network(name)
    pairs = {f"{t} vs {network.reference}": 0.2 for t in network.treatments}
    del pairs[f"{network.reference} vs {network.reference}"]
    made, _ = nma.simulate(network, truth={**pairs, "tau": 0.15}, seed=11)
    table = nma.effect_table(nma.fit(made), comparators=[network.reference])
    posterior = nma.fit(made)
    effects = nma.relative_effects(posterior, comparators=[network.reference])
    for treatment in network.treatments:
        if treatment != network.reference:
            draws = effects.sel(treatment=treatment).to_numpy()
            assert abs(draws.mean() - 0.2) < 4.5 * draws.std()
            assert draws.std() < 0.25
    assert "Simulated: drawn by nma.simulate" in table.caption


def test_the_network_of_what_is_simulated_is_fitted_not_the_pair() -> None:
    truth = {"vaccinated vs unvaccinated": 0.0, "tau": 0.1}
    pair: Any = nma.simulate(nma.datasets.network("bcg"), truth=truth, seed=1)
    with pytest.raises(ModelError, match=r"this is a Simulated: give its `.network`"):
        nma.fit(pair)
    assert repr(pair.truth) == "<Truth: vaccinated vs unvaccinated = 0, tau = 0.1>"


def test_every_table_and_figure_says_that_it_is_simulated() -> None:
    network = nma.datasets.network("parkinson")
    truth = {f"{t} vs placebo": -0.5 for t in network.treatments if t != "placebo"}
    posterior = nma.fit(nma.simulate(network, truth={**truth, "tau": 0.2}, seed=1).network)
    for verb in (nma.summary, nma.league_table, nma.effect_table, nma.sucra, nma.p_best):
        assert "Simulated: drawn by nma.simulate" in verb(posterior).caption
    assert "Simulated" in nma.checks.node_splitting(posterior).caption
    for plot in (nma.plots.forest, nma.plots.rankogram):
        figure = plot(posterior).figure
        assert "Simulated" in " ".join(text.get_text() for text in figure.findobj(Text))


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others() -> None:
    network = nma.datasets.network("smoking")
    truth = {f"{t} vs {network.reference}": 0.5 for t in network.treatments[:2]}
    truth |= {"self-help vs no intervention": 0.2, "tau": 0.3}
    seeds: list[Any] = [7, 7, (7, 0), (7, 1), 8]
    made = [rows_of(nma.simulate(network, truth=truth, seed=s).network)["events"] for s in seeds]
    assert made[0].equals(made[1])
    assert not any(a.equals(b) for a, b in combinations(made[1:], 2))
    drawn = [nma.simulate(network, truth="prior", seed=s).truth.values["tau"] for s in seeds]
    assert len(set(drawn)) == 4


def test_the_order_of_rows_changes_only_their_order() -> None:
    frame = nma.datasets.load("parkinson")

    def made(table: pd.DataFrame) -> pd.DataFrame:
        network = nma.Network.from_arms(
            table, study="study", treatment="treatment", outcome=MD, reference="placebo"
        )
        truth = {f"{t} vs placebo": -1 for t in network.treatments if t != "placebo"}
        rows = rows_of(nma.simulate(network, truth={**truth, "tau": 0.3}, seed=5).network)
        return rows.reset_index(drop=True)

    pd.testing.assert_frame_equal(made(frame), made(frame.iloc[::-1]))


def test_nothing_that_was_given_is_changed() -> None:
    network = nma.datasets.network("psoriasis")
    table, rows = network.arms, rows_of(network).copy()
    truth = {f"{t} vs {network.treatments[0]}": 0.1 for t in network.treatments[1:]}
    truth |= {"tau": 0.2, "pasi50 to pasi75": 0.6, "pasi75 to pasi90": 0.7}
    given = dict(truth)
    made, _ = nma.simulate(network, truth=truth, seed=1)
    pd.testing.assert_frame_equal(network.table, table)
    pd.testing.assert_frame_equal(rows_of(network), rows)
    assert truth == given
    pd.testing.assert_frame_equal(made.arms[["study", "treatment"]], table[["study", "treatment"]])
    told = rows_of(made)[["pasi50", "pasi75", "pasi90"]].notna()
    pd.testing.assert_frame_equal(told, rows[["pasi50", "pasi75", "pasi90"]].notna())


def test_arms_and_rows_hold_the_same_new_numbers() -> None:
    network = nma.datasets.network("back_pain_simulated")
    truth = dict.fromkeys(nma.fit(network).problem.parameters.names, -0.2)
    made, _ = nma.simulate(network, truth={**truth, "tau": 0.2}, seed=1)
    rows, arms = rows_of(made), made.arms
    for name in ("mean", "sd", "n"):
        assert arms[name].tolist() == rows[name].tolist()
    assert arms["mean"].tolist() != network.arms["mean"].tolist()
    (said,) = [text for text in made.notices if "not simulated" in text]
    assert said == "As they were, not simulated: responders, weeks, risk_of_bias."


def again(network: nma.Network, truth: Truth, seed: int, **how: Any) -> nma.Network:
    values, levels = truth.values, truth.trial_levels
    return nma.simulate(network, truth=values, trial_levels=levels, seed=seed, **how).network


def test_the_truth_that_is_returned_is_the_truth_that_was_used() -> None:
    network = nma.datasets.network("smoking")
    made, truth = nma.simulate(network, truth="prior", seed=3, trial_levels=-1.5)
    assert again(network, truth, 3).arms.equals(made.arms)
    arms = truth.arms
    total = arms["trial_level"] + arms["relative"] + arms["random"]
    np.testing.assert_array_equal(arms["level"], total)
    assert arms.groupby("study")["relative"].sum().abs().max() < 1e-12


def test_trials_keep_the_levels_they_reported_unless_told() -> None:
    network = nma.datasets.network("smoking")
    names = nma.fit(network).problem.parameters.names
    told: Any = {**dict.fromkeys(names, 0.0), "tau": 0.0}
    _, truth = nma.simulate(network, truth=told, seed=1)
    rows = rows_of(network)
    risk = (rows["events"] + 0.5) / (rows["n"] + 1)
    level = pd.Series(np.log(risk / (1 - risk))).groupby(rows["study"]).mean()
    assert truth.trial_levels == pytest.approx(level.to_dict(), rel=1e-12)
    drawn = nma.simulate(network, truth=told, seed=1, reference_level=nma.priors.Normal(-2, 0.5))
    assert stats.kstest(list(drawn.truth.trial_levels.values()), stats.norm(-2, 0.5).cdf)[1] > ALARM


def test_models_of_a_users_own_are_simulated_as_ours() -> None:
    network = own_models.loop(age=list(np.linspace(-1, 1, 11)))
    base = nma.structures.Consistency(nma.priors.Normal(0, 10))
    two = own_models.TwoKinds(nma.priors.HalfNormal(1), nma.priors.HalfNormal(1), "A")
    model = nma.Model(own_models.Regression(base, "age", "A", 10.0), two)
    told = {**PAIRS, "age": 0.4, "tau": 0.1, "tau_2": 0.2}
    _, truth = nma.simulate(network, model, truth=told, seed=1)
    arms = network.arms
    z = arms["treatment"].map({"A": 0.0, "B": -0.5, "C": 0.3})
    z += 0.4 * arms["age"] * (arms["treatment"] != "A")
    np.testing.assert_allclose(
        truth.arms["relative"], z - z.groupby(arms["study"]).transform("mean"), atol=1e-12
    )
    relative = nma.Model(own_models.UnrelatedMeans(10.0), nma.heterogeneity.Common())
    pairs = {"B vs A": 1.0, "C vs A": 2.0, "C vs B": 5.0}
    _, truth = nma.simulate(network, relative, truth=pairs, seed=1)
    found = truth.arms[truth.arms["study"] == "3"].set_index("treatment")["relative"]
    assert found["C"] - found["B"] == pytest.approx(5.0)


def test_a_shared_random_effect_is_one_number_for_the_arms_that_share_it() -> None:
    network = planned(MD, trials=2000, sd=1.0, n=50)
    two = own_models.TwoKinds(nma.priors.HalfNormal(1), nma.priors.HalfNormal(1), "A")
    told = {**PAIRS, "tau": 0.3, "tau_2": 0.4}
    model = nma.Model(heterogeneity=two)
    truth = nma.simulate(network, model, truth=told, seed=1, reference_level=0).truth
    V = 0.3**2 / 2 * np.eye(3)
    V[1:, 1:] += 0.4**2 / 2
    require_covariance(by_trial(truth.arms["random"]), np.zeros(3), V)


class Simulable(own_models.Responders):
    """Binomial arms that can be simulated."""

    awaited = ("r",)
    nuisance: dict[str, Any] = {}  # noqa: RUF012

    def reported(self, rows: pd.DataFrame, nuisance: Any) -> NDArray[np.float64]:
        yes, no = rows["r"].to_numpy(), (rows["n"] - rows["r"]).to_numpy()
        return np.asarray(np.log((yes + 0.5) / (no + 0.5)))

    def simulate(self, rows: pd.DataFrame, levels: Any, nuisance: Any, rng: Any) -> Any:
        return {"r": rng.binomial(rows["n"].astype(int), 1 / (1 + np.exp(-levels[:, 0]))) + 0.0}


class Somewhere(own_models.Regression):
    """Does not say at which age effects are told."""

    def resolve(self, network: nma.Network) -> Somewhere:
        return self

    def covariates(self, network: nma.Network) -> Mapping[str, float | str]:
        return {}


class AtTwo(Somewhere):
    """Says at which age effects are told."""

    def resolve(self, network: nma.Network) -> AtTwo:
        return self

    def covariates(self, network: nma.Network) -> Mapping[str, float | str]:
        return {"age": 2.0}


def test_an_effect_between_treatments_is_stated_where_the_structure_tells_effects() -> None:
    network = own_models.loop(age=list(np.linspace(-1, 1, 11)))
    base = nma.structures.Consistency(nma.priors.Normal(0, 10))
    model = nma.Model(AtTwo(base, "age", "B", 10.0), nma.heterogeneity.Common())
    told = {"B vs A": -0.5, "C vs B": 1.8, "age": 0.4}
    values = nma.simulate(network, model, truth={**told, "A vs B": 1.3}, seed=1).truth.values
    assert values["C vs A"] == pytest.approx(-0.5 + 1.8 - 2 * 0.4)
    nowhere = nma.Model(Somewhere(base, "age", "B", 10.0), nma.heterogeneity.Common())
    with pytest.raises(ModelError, match="'C vs B' depends on the covariates of arms"):
        nma.simulate(network, nowhere, truth=told, seed=1)


def test_an_outcome_of_a_users_own_is_simulated_once_it_can_draw() -> None:
    truth = {**PAIRS, "tau": 0.2}
    with pytest.raises(ModelError, match="Responders cannot be simulated: it has no awaited, nui"):
        nma.simulate(own_models.responders(), truth=truth, seed=1)
    network = planned(Simulable("r", "n"), trials=2000, n=15)
    made, _ = nma.simulate(network, COMMON, truth=PAIRS, seed=1, reference_level=0.5)
    for k, effect in enumerate([0.0, -0.5, 0.3]):
        risk = 1 / (1 + np.exp(-effect))
        chance = np.asarray(stats.binom.pmf(np.arange(16), 15, risk))
        require_counts(by_trial(rows_of(made)["r"])[:, k], chance)


def test_numbers_that_no_trial_can_report_are_refused_with_their_arms() -> None:
    outcome = nma.outcomes.Binary("r", "n", measure="RR", better="higher")
    network = planned(outcome, trials=3, n=20)
    with pytest.raises(DataError, match="the truth makes the risk of this arm") as caught:
        nma.simulate(network, COMMON, truth={**PAIRS, "C vs A": 2.0}, seed=1, reference_level=0.5)
    assert [issue.study for issue in caught.value.issues] == [f"trial {k:05d}" for k in range(3)]
    ratio = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="ROM", better="lower")
    network = planned(ratio, trials=50, sd=20.0, n=4)
    with pytest.raises(DataError, match="Simulated numbers came out so"):
        nma.simulate(network, COMMON, truth=PAIRS, seed=1, reference_level=5.0)


def test_trials_of_means_and_of_contrasts_are_simulated_together() -> None:
    arms = nma.Network.from_arms(
        pd.DataFrame(plan(2, "AB", mean=1.0, sd=1.0, n=50)),
        study="study",
        treatment="treatment",
        outcome=MD,
    )
    both = nma.Network.combine(arms, own_contrasts())
    made, truth = nma.simulate(both, truth={**PAIRS, "tau": 0.1}, seed=1)
    assert truth.arms["trial_level"].isna().tolist() == [False] * 4 + [True] * 2
    assert set(truth.trial_levels) == {"trial 00000", "trial 00001"}
    stated = nma.simulate(both, truth={**PAIRS, "tau": 0.1}, seed=1, trial_levels=2.0).truth
    assert stated.trial_levels == {"trial 00000": 2.0, "trial 00001": 2.0}
    assert nma.fit(made).draws.moments is not None


def own_contrasts() -> nma.Network:
    frame = {"study": ["x"], "treatment": ["C"], "comparator": ["A"], "y": [0.1], "se": [0.3]}
    outcome = nma.outcomes.Contrast("y", "se", measure="MD", better="lower")
    names = {"study": "study", "treatment": "treatment", "comparator": "comparator"}
    return nma.Network.from_contrasts(frame, **names, outcome=outcome)
