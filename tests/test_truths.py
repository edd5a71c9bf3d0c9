"""The truth of a simulated network: stated in full or refused, or drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import nma
import own_models
from nma.errors import ModelError
from nma.priors import HalfNormal, LogT, Normal, Uniform
from nma.problem import Parameters, Scale
from nma.truths import Unknown, draw, stated
from simulated import ALARM, require_covariance

if TYPE_CHECKING:
    from collections.abc import Callable

LOOP = own_models.loop()
CONSISTENCY = nma.structures.Consistency()
MODEL = nma.Model(
    nma.structures.Consistency(Normal(0, 10)), nma.heterogeneity.Random(HalfNormal(1))
)
FULL = {"B vs A": -0.5, "C vs A": 0.3, "tau": 0.2}


def values(truth: Any, model: nma.Model | None = None, seed: int = 1) -> dict[str, float]:
    return dict(nma.simulate(LOOP, model, truth=truth, seed=seed).truth.values)


def refusal(truth: Any, model: nma.Model | None = None, **how: Any) -> str:
    with pytest.raises(ModelError) as caught:
        nma.simulate(LOOP, model, **{"truth": truth, "seed": 1, **how})
    return str(caught.value)


def test_effects_can_be_stated_against_any_treatment() -> None:
    stated = values({"A vs B": 0.5, "C vs B": 0.8, "tau": 0.2})
    assert stated == pytest.approx(FULL)
    assert values({"C vs B": 0.8, "A vs C": -0.3, "tau": 0.2}) == pytest.approx(FULL)
    more = {**FULL, "C vs B": 0.8}
    assert values(more) == FULL


def test_everything_that_is_missing_or_unknown_is_named_at_once() -> None:
    said = refusal({"B vs A": -0.5, "taw": 0.2, "D vs A": "much"})
    assert "'taw' is no parameter or scale of the model" in said
    assert "Did you mean 'tau'?" in said
    assert "The truth of 'D vs A', 'much', is not a number." in said
    assert "No truth is given for 'tau'." in said
    assert "No truth is given for 'C vs A'." in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tau": -0.1}, "'tau' is a standard deviation and cannot be -0.1."),
        ({"tau": float("nan")}, "The truth of 'tau', nan, is not a number."),
        ({"tau": True}, "The truth of 'tau', True, is not a number."),
        ({"C vs B": 0.1}, "These contradict each other: 'B vs A', 'C vs A', 'C vs B'."),
    ],
)
def test_truths_that_cannot_be_are_refused(change: dict[str, Any], said: str) -> None:
    assert said in refusal({**FULL, **change})


def test_distances_of_cut_points_are_part_of_the_truth() -> None:
    network = nma.datasets.network("psoriasis")
    truth = {f"{t} vs {network.treatments[0]}": 0.1 for t in network.treatments[1:]}
    with pytest.raises(ModelError, match="No truth is given for 'pasi50 to pasi75', 'pasi75 to p"):
        nma.simulate(network, truth={**truth, "tau": 0.1}, seed=1)
    full = {**truth, "tau": 0.1, "pasi50 to pasi75": 0.5, "pasi75 to pasi90": -1}
    with pytest.raises(ModelError, match="'pasi75 to pasi90' lies between 0 and 5, and cannot be"):
        nma.simulate(network, truth=full, seed=1)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"seed": -1}, "seed=-1 is no seed"),
        ({"seed": 1.5}, "seed=1.5 is no seed"),
        ({"seed": "7"}, "seed='7' is no seed"),
        ({"seed": ()}, "is no seed"),
        ({"truth": "posterior"}, "truth='posterior' is no truth"),
        ({"truth": 3}, "truth=3 is no truth"),
        ({"reference_level": 1, "trial_levels": 2}, "give one of them"),
        ({"trial_levels": {"6": 1.0}}, "'6' is no trial that reports arms."),
        ({"trial_levels": {"1": 1.0}}, "No level is given for 2, 3, 4, 5."),
        ({"trial_levels": "low"}, "trial_levels='low' is no number, no prior, and no mapping"),
        ({"reference_level": HalfNormal(1)}, "reference_level=HalfNormal(scale=1) is no number"),
    ],
)
def test_what_is_no_seed_truth_or_level_is_refused(how: dict[str, Any], said: str) -> None:
    assert said in refusal(**{"truth": FULL, **how})


def test_a_probability_is_stated_between_zero_and_one() -> None:
    with pytest.raises(ModelError, match="reference_level=40 is not a probability of the outcome"):
        nma.simulate(
            nma.datasets.network("bcg"),
            truth={"vaccinated vs unvaccinated": 0, "tau": 0},
            seed=1,
            reference_level=40,
        )


def test_a_network_and_not_its_frame_is_simulated() -> None:
    frame: Any = nma.datasets.load("parkinson")
    with pytest.raises(ModelError, match="simulate takes a Network, and this is a DataFrame"):
        nma.simulate(frame, truth="prior", seed=1)


def pairs_of_deviations(count: int) -> Unknown:
    """Pairs of deviations with correlation 1/2, all multiplied by tau_w."""
    block = 0.5 * (np.eye(2) + 1)
    scale = Scale("tau_w", HalfNormal(1))
    names = tuple(f"{name}{k}" for k in range(count) for name in "bc")
    parameters = Parameters(
        names,
        np.zeros(2 * count),
        np.kron(np.eye(count), block).astype(np.float64),
        ("tau_w",) * 2 * count,
        (scale,),
    )
    return Unknown(parameters, (scale,), {}, ("A", "B"), lambda *_: np.zeros(2 * count))


def test_deviations_are_drawn_from_their_scale() -> None:
    told = stated(pairs_of_deviations(1000), {"tau_w": 0.4}, np.random.default_rng(1))
    found = np.array(list(told.values())[:-1]).reshape(-1, 2)
    require_covariance(found, np.zeros(2), 0.4**2 / 2 * (np.eye(2) + 1))


def test_deviations_are_drawn_given_those_that_are_stated() -> None:
    """c given b = 0.6 is normal about half of it, with three quarters of the variance."""
    known = {f"b{k}": 0.6 for k in range(1000)}
    truth = {**known, "tau_w": 0.4}
    told = stated(pairs_of_deviations(1000), truth, np.random.default_rng(1))
    assert {name: told[name] for name in known} == known
    found = np.array([[told[f"c{k}"]] for k in range(1000)])
    require_covariance(found, [0.3], np.array([[0.75 * 0.4**2]]))


def test_without_inconsistency_deviations_are_zero() -> None:
    model = nma.Model(nma.structures.RandomInconsistency(CONSISTENCY))
    drawn = values({**FULL, "tau_w": 0.0}, model)
    assert [drawn[name] for name in drawn if " in " in name] == [0.0] * (len(drawn) - 4)


def test_components_are_told_by_themselves_or_by_combinations() -> None:
    frame = LOOP.arms.replace({"treatment": {"B": "A + B", "C": "A + B + C"}})
    frame["se"] = 0.2
    outcome = nma.outcomes.Continuous("mean", se="se", measure="MD", better="lower")
    network = nma.Network.from_arms(
        frame, study="study", treatment="treatment", outcome=outcome, reference="A"
    )
    model = nma.Model(nma.structures.Components(separator=" + ", inactive="A"))
    truth = nma.simulate(network, model, truth={"A + B + C vs A": 1, "B": 0.4, "tau": 0}, seed=1)
    assert truth.truth.values == pytest.approx({"B": 0.4, "C": 0.6, "tau": 0.0})


def test_one_name_cannot_mean_two_things() -> None:
    model = nma.Model(own_models.Regression(CONSISTENCY, "tau", "A", 1.0))
    network = own_models.loop(tau=[0.5] * 11)
    with pytest.raises(ModelError, match="'tau' names two things"):
        nma.simulate(network, model, truth=FULL, seed=1)


@pytest.mark.parametrize(
    ("prior", "law"),
    [
        (HalfNormal(0.7), stats.halfnorm(scale=0.7)),
        (Uniform(1, 3), stats.uniform(1, 2)),
        (LogT(-1, 0.5, 5), None),
    ],
    ids=["half-normal", "uniform", "log-t"],
)
def test_draws_of_a_prior_have_its_distribution(prior: Any, law: Any) -> None:
    rng = np.random.default_rng(1)
    found = np.array([draw(prior, rng) for _ in range(1000)])
    log_t: Callable[..., Any] = lambda x: stats.t(5).cdf((np.log(x) + 1) / 0.5)  # noqa: E731
    assert stats.kstest(found, log_t if law is None else law.cdf).pvalue > ALARM


def test_truths_from_the_prior_are_calibrated() -> None:
    """Simulation-based calibration: the posterior's probability below the truth is uniform.

    Of one effect and of tau, over 200 networks of contrasts, whose likelihood is exact.
    """
    frame = pd.DataFrame(
        [("1", "B", "A"), ("2", "C", "A"), ("3", "C", "B"), ("4", "B", "A"), ("5", "C", "B")],
        columns=["study", "treatment", "comparator"],
    ).assign(se=[0.3, 0.4, 0.5, 0.3, 0.6])
    outcome = nma.outcomes.Contrast("y", "se", measure="MD", better="lower")
    names = {"study": "study", "treatment": "treatment", "comparator": "comparator"}
    network = nma.planned(frame, **names, outcome=outcome)
    model = nma.Model(
        nma.structures.Consistency(Normal(0, 1)), nma.heterogeneity.Random(HalfNormal(0.7))
    )
    below = []
    for k in range(200):
        made, truth = nma.simulate(network, model, truth="prior", seed=(5, k))
        moments = nma.fit(made, model).draws.moments
        assert moments is not None
        effect = moments.of(np.array([[1.0, 0.0]]))
        told = (truth.values["B vs A"] - effect.means[:, 0]) / effect.sds[:, 0]
        tau = moments.marginals["tau"]
        grid = np.array([tau.quantile(p) for p in np.linspace(0.005, 0.995, 100)])
        below.append(
            [(effect.weight * stats.norm.cdf(told)).sum(), np.mean(grid < truth.values["tau"])]
        )
    for column in np.array(below).T:
        assert stats.kstest(column, "uniform").pvalue > ALARM
        assert stats.chisquare(np.histogram(column, 10, (0, 1))[0]).pvalue > ALARM


def test_a_posterior_lends_one_of_its_draws() -> None:
    posterior = nma.fit(LOOP, MODEL)
    drawn = posterior.draws.values
    _, truth = nma.simulate(LOOP, truth=posterior, seed=1)
    here = np.isclose(drawn["tau"], truth.values["tau"], rtol=0, atol=0)
    assert here.sum() == 1
    beta = drawn["beta"].to_numpy()[here.nonzero()][0]
    assert beta.tolist() == [truth.values[name] for name in posterior.problem.parameters.names]
    other = nma.simulate(LOOP, truth=posterior, seed=2).truth
    assert other.values != truth.values
    assert "brings its own model" in refusal(posterior, nma.Model())


def test_a_posterior_of_categories_lends_its_cut_points() -> None:
    outcome = nma.outcomes.Ordinal(
        ["some", "much", "most"], "n", counts="inclusive", measure="OR", better="higher"
    )
    frame = {"study": ["1", "1", "2", "2"], "treatment": ["A", "B"] * 2, "n": 50}
    counts = {"some": [30, 35, 28, 33], "much": [20, 25, 22, 24], "most": [9, 14, 10, 12]}
    network = nma.Network.from_arms(
        {**frame, **counts}, study="study", treatment="treatment", outcome=outcome
    )
    posterior = nma.fit(network, engine=nma.engines.Laplace(draws=1024))
    _, truth = nma.simulate(network, truth=posterior, seed=1)
    drawn = posterior.draws.values
    here = (drawn["tau"] == truth.values["tau"]).to_numpy().nonzero()
    points = outcome.cut_points_at(drawn["auxiliary"].to_numpy()[here][0])
    distances = [truth.values["some to much"], truth.values["much to most"]]
    np.testing.assert_allclose(np.diff(points), distances, rtol=1e-12)


def test_its_own_trials_keep_what_the_posterior_says_of_their_designs() -> None:
    """Deviations of designs act in the posterior's trials, and not in trials that are new."""
    structure = nma.structures.RandomInconsistency(MODEL.structure, tau_w=HalfNormal(1))
    posterior = nma.fit(LOOP, replace(MODEL, structure=structure))
    again = replace(LOOP, caption="the same trials")
    own = nma.simulate(again, truth=posterior, seed=1).truth
    arms = own.arms[own.arms["study"] == "3"].set_index("treatment")["relative"]
    consistent = own.values["C vs A"] - own.values["B vs A"]
    deviation = own.values["C vs B in B : C"]
    assert arms["C"] - arms["B"] == pytest.approx(consistent + deviation)
    outcome = LOOP.sources[0].outcome
    frame = {"study": "new", "treatment": ["C", "B"], "se": 0.1}
    new = nma.planned(frame, study="study", treatment="treatment", outcome=outcome)
    other = nma.simulate(new, truth=posterior, seed=1, reference_level=0).truth
    arms = other.arms.set_index("treatment")["relative"]
    assert arms["C"] - arms["B"] == pytest.approx(consistent)


def test_a_planned_trial_is_drawn_from_what_is_known_so_far() -> None:
    """A posterior of three treatments, and a new trial of two of them."""
    posterior = nma.fit(LOOP, MODEL)
    outcome = LOOP.sources[0].outcome
    frame = {"study": "new", "treatment": ["C", "B"], "se": 0.1}
    new = nma.planned(frame, study="study", treatment="treatment", outcome=outcome)
    made, truth = nma.simulate(new, truth=posterior, seed=1, reference_level=0)
    arms = truth.arms.set_index("treatment")["relative"]
    expected = truth.values["C vs A"] - truth.values["B vs A"]
    assert arms["C"] - arms["B"] == pytest.approx(expected)
    both = nma.Network.combine(LOOP, made)
    assert len(both.trials) == 6
    assert "Simulated" in nma.summary(nma.fit(both, MODEL)).caption


def test_a_draw_of_the_prior_has_trial_levels_of_the_prior_where_the_model_has_one() -> None:
    network = nma.datasets.network("smoking")
    model = replace(nma.Model(), trial_levels=Normal(-1, 0.3))
    levels: list[float] = []
    for k in range(20):
        truth = nma.simulate(network, model, truth="prior", seed=(1, k)).truth
        levels += truth.trial_levels.values()
    assert stats.kstest(levels, stats.norm(-1, 0.3).cdf).pvalue > ALARM
