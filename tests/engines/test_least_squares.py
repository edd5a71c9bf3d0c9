"""Least squares: laws that hold exactly, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

import nma
import oracle
import own_models
from nma.engines._tau import Profile, maximum
from nma.least_squares import Rows
from nma.model import problem
from nma.priors import Fixed, HalfNormal, Normal
from nma.problem import ArmEffect, Problem, Scale

LeastSquares = nma.engines.LeastSquares
WAYS = ["common", "DL", "REML", "ML", "PM", 0.25]
WIDE = nma.structures.Consistency(Normal(0, 1e4))
RANDOM = nma.Model(WIDE, nma.heterogeneity.Random(HalfNormal(1)))
MD = nma.outcomes.Contrast("effect", "se", measure="MD", better="lower")
TREE = pd.DataFrame(
    {
        "study": ["1", "2", "3", "4"],
        "treatment": ["B", "B", "C", "D"],
        "comparator": ["A", "A", "B", "B"],
        "effect": [0.3, 0.9, -0.2, 0.5],
        "se": [0.2, 0.3, 0.25, 0.4],
    }
)


def network(frame: pd.DataFrame, outcome: nma.outcomes.Contrast = MD) -> nma.Network:
    return nma.Network.from_contrasts(
        frame, study="study", treatment="treatment", comparator="comparator", outcome=outcome
    )


def fit(
    what: str | nma.Network, tau: str | float = "DL", *, knapp_hartung: bool = False
) -> nma.Posterior:
    made = nma.datasets.network(what) if isinstance(what, str) else what
    return nma.fit(made, RANDOM, engine=LeastSquares(tau, knapp_hartung=knapp_hartung))


def row(posterior: nma.Posterior, pair: tuple[str, str], **how: Any) -> dict[str, float]:
    table = nma.effect_table(posterior, **how)
    return {str(name): float(table[name][pair]) for name in table}


def effects(posterior: nma.Posterior) -> pd.DataFrame:
    return pd.DataFrame(nma.effect_table(posterior)).drop(columns="p_better").sort_index()


@pytest.fixture(scope="module", params=["senn2013", "parkinson", "back_pain"])
def task(request: pytest.FixtureRequest) -> Problem:
    return problem(RANDOM, nma.datasets.network(request.param))


# --- tau, found another way ---------------------------------------------------------------------


def dense(task: Problem, t: float) -> tuple[float, float, float]:
    """Return generalised Q and twice the log likelihoods, ML and REML, from dense matrices."""
    y, X, V, added = oracle.stacked(task)
    S = V + t * added["tau"]
    W = np.linalg.inv(S)
    beta = np.linalg.solve(X.T @ W @ X, X.T @ W @ y)
    Q = float((y - X @ beta) @ W @ (y - X @ beta))
    ml = -Q - np.linalg.slogdet(S)[1]
    return Q, ml, ml - np.linalg.slogdet(X.T @ W @ X)[1]


def test_dl_is_the_trace_formula(task: Problem) -> None:
    y, X, V, added = oracle.stacked(task)
    W, D = np.linalg.inv(V), added["tau"]
    P = W - W @ X @ np.linalg.solve(X.T @ W @ X, X.T @ W)
    expected = max(0.0, (float(y @ P @ y) - len(y) + X.shape[1]) / np.trace(P @ D))
    found = LeastSquares("DL").sample(task).diagnostics["tau"]
    assert found == pytest.approx(np.sqrt(expected), abs=1e-8)


def test_pm_sets_generalised_q_to_its_degrees_of_freedom(task: Problem) -> None:
    found = LeastSquares("PM").sample(task).diagnostics
    Q = dense(task, found["tau"] ** 2)[0]
    assert pytest.approx(found["Q_gen"], abs=1e-8) == Q
    if found["tau"]:
        assert pytest.approx(found["df"], abs=1e-8) == Q
    else:
        assert found["df"] >= Q


@pytest.mark.parametrize(("name", "which"), [("ML", 1), ("REML", 2)])
def test_likelihood_estimates_are_maxima(task: Problem, name: str, which: int) -> None:
    found = LeastSquares(name).sample(task).diagnostics["tau"]

    def slope(t: float) -> float:
        step = 1e-6 * max(t, 1e-3)
        return (dense(task, t + step)[which] - dense(task, max(t - step, 0))[which]) / step

    if found:
        root = optimize.brentq(slope, 0.5 * found**2, 2 * found**2, xtol=1e-15)
        assert found == pytest.approx(np.sqrt(root), rel=1e-6)
    everywhere = max(dense(task, t)[which] for t in np.geomspace(1e-6, 100, 80))
    assert dense(task, found**2)[which] >= everywhere - 1e-12


def test_the_highest_of_several_maxima_is_taken_and_the_others_named() -> None:
    """Precise trials that nearly agree and vague ones that do not: two maxima."""
    spread = np.array([1e4, 1e4, 1e4, 1.0, 1.0, 1.0, 1.0, 1.0])
    y = np.array([0.3, -0.5, 0.2, 9.0, -9.0, 7.0, -8.0, 8.0])
    rows = Rows(np.sqrt(spread)[:, None] * 1e-9, y, spread, 0.0)
    found = maximum(Profile(rows), restricted=False)
    assert len(found.others) == 1
    values = [
        Profile(rows).log_likelihood(t, restricted=False) for t in (found.value, *found.others)
    ]
    assert values[0] > values[1]
    best = max(
        Profile(rows).log_likelihood(t, restricted=False) for t in np.geomspace(1e-8, 1e3, 999)
    )
    assert values[0] >= best - 1e-9


def test_agreement_puts_tau_on_zero_and_says_what_that_is() -> None:
    for name in ("DL", "REML", "ML", "PM"):
        posterior = fit("parkinson", name)
        assert posterior.draws.diagnostics["tau"] == 0
        assert "no proof that the trials agree" in " ".join(posterior.notices)


# --- the other engine, in the limit of no prior --------------------------------------------------


def test_common_effect_is_the_gaussian_engine_with_wide_priors() -> None:
    for name in ("senn2013", "parkinson", "back_pain"):
        common = nma.Model(WIDE, nma.heterogeneity.Common())
        exact = effects(nma.fit(nma.datasets.network(name), common))
        for ours in (
            fit(name, "common"),
            nma.fit(nma.datasets.network(name), common, engine=LeastSquares("common")),
        ):
            np.testing.assert_allclose(effects(ours), exact, atol=1e-6)


def test_a_number_is_the_gaussian_engine_with_that_tau_and_wide_priors() -> None:
    model = nma.Model(WIDE, nma.heterogeneity.Random(Fixed(0.4)))
    exact = nma.fit(nma.datasets.network("senn2013"), model)
    told = nma.fit(nma.datasets.network("senn2013"), model, engine=LeastSquares())
    for ours in (fit("senn2013", 0.4), told):
        np.testing.assert_allclose(effects(ours), effects(exact), atol=1e-6)
    assert list(nma.summary(told).loc["tau", ["mean", "sd"]]) == [0.4, 0.0]


def test_priors_change_nothing() -> None:
    tight = nma.Model(
        nma.structures.Consistency(Normal(0, 1e-3)), nma.heterogeneity.Random(HalfNormal(1e-3))
    )
    posterior = nma.fit(nma.datasets.network("senn2013"), tight, engine=LeastSquares("REML"))
    np.testing.assert_array_equal(effects(posterior), effects(fit("senn2013", "REML")))
    assert "Least squares uses no priors: those of the effects and of tau are ignored." in (
        posterior.notices
    )
    assert "Prior:" not in "\n".join([str(posterior), str(nma.summary(posterior))])


# --- laws of least squares -----------------------------------------------------------------------


def test_on_a_tree_the_network_is_the_direct_evidence() -> None:
    table = nma.effect_table(fit(network(TREE), "common"))
    weight = np.array([0.2, 0.3]) ** -2
    both = np.average([0.3, 0.9], weights=weight)
    assert table["mean"]["B", "A"] == pytest.approx(both, abs=1e-14)
    assert table["sd"]["B", "A"] == pytest.approx(weight.sum() ** -0.5, abs=1e-14)
    assert table["mean"]["C", "B"] == pytest.approx(-0.2, abs=1e-14)
    assert table["sd"]["D", "B"] == pytest.approx(0.4, abs=1e-14)


@pytest.mark.parametrize("tau", ["common", 0.3])
def test_the_network_is_the_weighted_mean_of_direct_and_indirect(tau: str | float) -> None:
    """Trials with two arms: leaving the trials of a pair out gives the indirect estimate."""
    closing = pd.DataFrame(
        {"study": ["5", "6"], "treatment": "C", "comparator": "A", "effect": [0.4, 0.1], "se": 0.3}
    )
    whole = row(fit(network(pd.concat([TREE, closing])), tau), ("C", "A"))
    parts = [row(fit(network(part), tau), ("C", "A")) for part in (TREE, closing)]
    weights = [part["sd"] ** -2 for part in parts]
    mean = np.average([part["mean"] for part in parts], weights=weights)
    assert whole["mean"] == pytest.approx(mean, abs=1e-13)
    assert whole["sd"] ** -2 == pytest.approx(sum(weights), rel=1e-12)


def test_a_study_in_two_halves_is_the_study() -> None:
    halves = [TREE.assign(study=TREE["study"] + half, se=TREE["se"] * np.sqrt(2)) for half in "ab"]
    once, twice = (effects(fit(network(f), "common")) for f in (TREE, pd.concat(halves)))
    np.testing.assert_allclose(once, twice, atol=1e-13)


@pytest.mark.parametrize("tau", WAYS)
def test_rows_and_reference_change_nothing(tau: str | float) -> None:
    frame = nma.datasets.load("senn2013")
    ways = [frame, frame.sample(frac=1, random_state=1), frame.assign(study=frame["study"] + "!")]
    turned = frame.rename(columns={"treatment": "comparator", "comparator": "treatment"})
    ways.append(turned.assign(effect=-frame["effect"]))
    found = [effects(fit(network(way), tau)) for way in ways]
    for first, second in pairwise(found):
        np.testing.assert_allclose(first, second, rtol=1e-10, atol=1e-11)
    other = nma.Network.from_contrasts(
        frame,
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=MD,
        treatments=list(reversed(nma.datasets.network("senn2013").treatments)),
    )
    np.testing.assert_allclose(found[0], effects(fit(other, tau)), rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("tau", [*WAYS[:-1]])
def test_names_sign_and_scale(tau: str) -> None:
    frame = nma.datasets.load("senn2013")
    base = fit(network(frame), tau)
    named = frame.replace({"placebo": "zzz"})
    again = nma.effect_table(fit(network(named), tau))
    assert again["mean"]["metformin", "zzz"] == pytest.approx(
        nma.effect_table(base)["mean"]["metformin", "placebo"], rel=1e-11
    )
    stretched = frame.assign(effect=-3 * frame["effect"], se=3 * frame["se"])
    scaled = fit(network(stretched), tau)
    ours, theirs = nma.effect_table(base), nma.effect_table(scaled)
    np.testing.assert_allclose(-3 * ours["mean"], theirs["mean"], rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(3 * ours["sd"], theirs["sd"], rtol=1e-10)
    assert scaled.draws.diagnostics["tau"] == pytest.approx(3 * base.draws.diagnostics["tau"], 1e-9)


# --- Knapp and Hartung ---------------------------------------------------------------------------


def test_knapp_hartung_on_pairs_is_the_textbook() -> None:
    """Two treatments, by hand: Knapp and Hartung 2003, with the factor kept at one or above."""
    y, se = np.array([0.1, 0.9, -0.4, 1.2]), np.array([0.2, 0.25, 0.3, 0.35])
    frame = pd.DataFrame(
        {"study": list("1234"), "treatment": "B", "comparator": "A", "effect": y, "se": se}
    )
    for tau in (0.1, 2.0):
        posterior = fit(network(frame), tau, knapp_hartung=True)
        found = row(posterior, ("B", "A"), level=0.9, predictive=True)
        w = 1 / (se**2 + tau**2)
        mean = np.average(y, weights=w)
        q = max(1.0, float(w @ (y - mean) ** 2) / 3)
        error = np.sqrt(q / w.sum())
        half = stats.t.ppf(0.95, 3) * error
        assert found["sd"] == pytest.approx(error, rel=1e-12)
        assert found["lower"] == pytest.approx(mean - half, rel=1e-11)
        assert found["upper"] == pytest.approx(mean + half, rel=1e-11)
        assert found["p_better"] == pytest.approx(stats.t.sf(mean / error, 3), rel=1e-11)
        wider = mean + stats.t.ppf(0.95, 3) * np.sqrt(error**2 + tau**2)
        assert found["predictive_upper"] == pytest.approx(wider, rel=1e-11)


def test_draws_have_the_sampling_distribution() -> None:
    for knapp_hartung in (False, True):
        posterior = fit("senn2013", "DL", knapp_hartung=knapp_hartung)
        exact = nma.effect_table(posterior, comparators=["placebo"])
        drawn = replace(posterior, draws=replace(posterior.draws, moments=None))
        table = nma.effect_table(drawn, comparators=["placebo"])
        assert (np.abs(table["mean"] - exact["mean"]) < 5 * table["mcse"] + 1e-4).all()
        for end in ("lower", "upper"):
            np.testing.assert_allclose(table[end], exact[end], atol=0.03)
        ranked = nma.sucra(drawn)["sucra"]
        scores = nma.p_scores(posterior)["p_score"]
        np.testing.assert_allclose(ranked[scores.index], scores, atol=0.004)


def test_a_normal_level_and_t_effects_are_drawn() -> None:
    posterior = fit("parkinson", "DL", knapp_hartung=True)
    sure = nma.absolute_table(posterior, reference_level=5)
    unsure = nma.absolute_table(posterior, reference_level=Normal(5, 0.1))
    assert (sure["mcse"] == 0).all()
    assert unsure["mcse"].max() > 0
    np.testing.assert_allclose(sure["mean"], unsure["mean"], atol=0.02)


# --- P-scores ------------------------------------------------------------------------------------


@pytest.mark.parametrize("tau", WAYS)
def test_p_scores_are_sucra_at_a_known_tau(tau: str | float) -> None:
    posterior = fit("senn2013", tau)
    table = nma.effect_table(posterior)
    certainty = pd.Series(stats.norm.cdf(-table["mean"] / table["sd"]), table.index)
    expected = certainty.groupby(level="treatment").mean()
    for found in (nma.p_scores(posterior)["p_score"], nma.sucra(posterior)["sucra"]):
        np.testing.assert_allclose(found[expected.index], expected, atol=1e-9)


def test_p_scores_say_when_tau_has_a_posterior_and_need_moments() -> None:
    posterior = nma.fit(nma.datasets.network("senn2013"))
    found = nma.p_scores(posterior)
    assert found.notes[0].startswith("Tau has a posterior: this is the mean of P-scores")
    np.testing.assert_allclose(found["p_score"], nma.sucra(posterior)["sucra"], atol=1e-12)
    drawn = replace(posterior, draws=replace(posterior.draws, moments=None))
    with pytest.raises(nma.errors.ModelError, match=r"use nma\.sucra"):
        nma.p_scores(drawn)
    with pytest.raises(nma.errors.ModelError, match="alone cannot be ranked"):
        nma.p_scores(nma.at(posterior, treatments=["placebo"]))


# --- words ---------------------------------------------------------------------------------------


def test_nothing_is_called_credible_or_a_posterior_mean() -> None:
    posterior = fit("parkinson", "REML")
    texts = [
        str(made(posterior))
        for made in (
            nma.summary,
            nma.effect_table,
            nma.league_table,
            nma.sucra,
            nma.p_scores,
            nma.rank_probabilities,
            lambda p: nma.absolute_table(p, reference_level=5),
        )
    ]
    texts += [str(nma.plots.forest.marks(posterior).attrs)]
    texts += [str(nma.plots.league_table.marks(posterior).attrs)]
    for text in texts:
        assert "credible" not in text
        assert "posterior mean" not in text
        assert "Prior:" not in text
    assert all("confidence interval" in text for text in (*texts[:3], *texts[-2:]))
    assert "log_evidence" not in nma.summary(posterior).attrs
    assert {"tau", "Q", "df", "i_squared", "Q_gen"} <= set(nma.summary(posterior).attrs)
    with pytest.raises(nma.errors.ModelError, match="finds one value of tau"):
        nma.plots.heterogeneity.marks(posterior)


# --- what it cannot answer -----------------------------------------------------------------------


def test_what_no_trial_determines_is_named_and_left_empty() -> None:
    """Two parts that share no treatment, under a structure that does not mind."""
    apart = pd.DataFrame(
        {
            "study": ["1", "2", "3"],
            "treatment": ["B", "B", "D"],
            "comparator": ["A", "A", "C"],
            "effect": [0.3, 0.5, -0.2],
            "se": [0.2, 0.3, 0.25],
        }
    )
    made = network(apart)
    task = problem(replace(RANDOM, structure=_Loose()), made)
    draws = LeastSquares("DL").sample(task)
    assert "determine C vs A, D vs A: what depends on them is left empty" in draws.notices[-1]
    posterior = nma.Posterior(
        network=made,
        model=replace(RANDOM, structure=_Loose()),
        engine=LeastSquares("DL"),
        problem=task,
        draws=draws,
        targets=pd.DataFrame({"treatment": list("ABCD")}),
        notices=draws.notices,
        provenance={},
    )
    table = nma.effect_table(posterior)
    assert table["mean"]["D", "C"] == pytest.approx(-0.2, abs=1e-13)
    assert table["sd"]["D", "C"] > 0
    assert np.isnan(table["mean"]["C", "A"])
    unknown = row(posterior, ("D", "B"))
    assert np.isnan([unknown[name] for name in ("lower", "sd", "p_better")]).all()
    assert "C vs A is left empty" in str(nma.summary(posterior)).replace("versus", "vs")
    with pytest.raises(nma.errors.EngineError, match="nothing can be drawn"):
        nma.ranks(posterior)
    with pytest.raises(nma.errors.EngineError, match="nothing can be drawn"):
        nma.decisions.probability(posterior, nma.decisions.beats("C", "A"))
    assert nma.decisions.probability(posterior, nma.decisions.beats("D", "C"))["mcse"].tolist() == [
        0
    ]
    for verb in (nma.p_scores, nma.poth):
        with pytest.raises(nma.errors.ModelError, match="compare 'A', 'B', 'C', 'D' with all"):
            verb(posterior)
    assert nma.p_scores(nma.at(posterior, treatments=["C", "D"])).index[0] == "D"


class _Loose(nma.protocols.Structure):
    """Consistency without the demand that the network be connected."""

    def resolve(self, network: nma.Network) -> _Loose:
        return self

    def parameters(self, network: nma.Network) -> nma.problem.Parameters:
        return WIDE.parameters(network)

    def levels(self, network: nma.Network, arms: pd.DataFrame) -> np.ndarray:
        return WIDE.levels(network, arms)


def test_standard_errors_far_apart_do_not_blur_what_is_determined() -> None:
    """One trial a hundred million times as precise as the other."""
    frame = TREE.iloc[[0, 2]].assign(se=[1e-6, 1e2])
    posterior = fit(network(frame), "common")
    assert nma.effect_table(posterior)["sd"]["C", "A"] == pytest.approx(1e2, rel=1e-12)


@pytest.mark.parametrize(
    ("changed", "engine", "message"),
    [
        ({"predictor": lambda beta, levels, xp: levels @ beta}, "DL", "not linear"),
        ({"effects": ()}, "DL", "no trial's contrasts depend on tau"),
        ({"effects": (), "scales": ()}, 0.3, "the model has no heterogeneity"),
        ({"scales": (Scale("tau", Fixed(0.2)),)}, 0.3, "the model states tau=0.2"),
        ({"scales": (Scale("tau", Fixed(0.2)),)}, "common", "the model states tau=0.2"),
    ],
)
def test_unsuited(
    task: Problem, changed: dict[str, object], engine: str | float, message: str
) -> None:
    reason = LeastSquares(engine).unsuited(replace(task, **changed))  # type: ignore[arg-type]
    assert reason is not None
    assert message in reason
    with pytest.raises(nma.errors.EngineError, match="The LeastSquares engine cannot answer"):
        LeastSquares(engine).sample(replace(task, **changed))  # type: ignore[arg-type]


def test_counts_are_led_to_their_normal_reading() -> None:
    counts = nma.datasets.network("smoking")
    with pytest.raises(nma.errors.EngineError, match=r"with network\.as_normal\(\)\.$"):
        nma.fit(counts, engine=LeastSquares())
    assert nma.fit(counts.as_normal(), engine=LeastSquares()).draws.moments is not None


def test_two_open_scales_are_one_too_many_and_a_known_one_is_used(task: Problem) -> None:
    (effect,) = task.effects
    both = (effect, ArmEffect("other", effect.weight, effect.unit))
    two = replace(task, effects=both, scales=(*task.scales, Scale("other", HalfNormal(1))))
    assert "it finds one scale, and the model has tau, other" in str(LeastSquares().unsuited(two))
    known = replace(two, scales=(*task.scales, Scale("other", Fixed(0.3))))
    found = LeastSquares(0.4).sample(known)
    alone = LeastSquares(0.5).sample(task)
    assert found.moments is not None
    assert alone.moments is not None
    np.testing.assert_allclose(found.moments.mean, alone.moments.mean, rtol=1e-9, atol=1e-10)
    assert (found.values["other"] == 0.3).all()


def test_scales_of_parameters_need_a_prior() -> None:
    made = nma.datasets.network("senn2013")
    model = nma.Model(own_models.RandomInconsistency(WIDE, HalfNormal(1)), RANDOM.heterogeneity)
    with pytest.raises(
        nma.errors.EngineError, match="is a scale of parameters, which need a prior"
    ):
        nma.fit(made, model, engine=LeastSquares())


def test_one_trial_cannot_tell_tau() -> None:
    lone = network(TREE.iloc[:1])
    for tau, kwargs in (("REML", {}), ("common", {"knapp_hartung": True})):
        with pytest.raises(nma.errors.EngineError, match="no degree of freedom to estimate"):
            nma.fit(lone, RANDOM, engine=LeastSquares(tau, **kwargs))
    found = nma.summary(fit(lone, 0.2))
    assert found.loc["B vs A", "sd"] == pytest.approx(np.hypot(0.2, 0.2))
    assert "any tau rests on its prior" not in " ".join(found.notes)


@pytest.mark.parametrize("tau", ["dl", "HK", -1.0, np.inf, np.nan, True, None])
def test_a_way_to_tau_that_is_none(tau: object) -> None:
    with pytest.raises(nma.errors.EngineError, match="is no way to find tau"):
        LeastSquares(tau)  # type: ignore[arg-type]
