"""Trials that are marked weigh less: by known scales in closed form, and never by mistake."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import nma
import oracle
from nma.errors import DataError, EngineError, ModelError
from nma.heterogeneity import Common, DownWeighted, Random
from nma.model import problem
from nma.priors import Fixed, HalfNormal, Normal
from nma.protocols import Heterogeneity

TAU, BIAS = 0.3, 0.4
EFFECTS = nma.structures.Consistency(Normal(0, 10))
PAIRS = pd.DataFrame(
    {
        "study": list("12345"),
        "treatment": "B",
        "comparator": "A",
        "effect": [0.4, 0.5, 1.6, -0.4, 0.7],
        "se": [0.2, 0.25, 0.2, 0.3, 0.22],
        "risk": ["low", "low", "high", "high", "some"],
    }
)
COUNTS = pd.DataFrame(
    {
        "study": ["1", "1", "2", "2", "2", "3", "3", "4", "4"],
        "treatment": ["A", "B", "A", "B", "C", "B", "C", "A", "C"],
        "r": [4, 9, 11, 15, 20, 5, 6, 7, 12],
        "n": [40, 45, 80, 78, 81, 32, 35, 50, 52],
        "risk": ["low", "low", "high", "high", "high", "high", "high", "low", "low"],
    }
)
OR = nma.outcomes.Binary("r", "n", measure="OR", better="higher")


def pairs(frame: pd.DataFrame = PAIRS) -> nma.Network:
    return nma.Network.from_contrasts(
        frame,
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=nma.outcomes.Contrast("effect", "se", measure="MD", better="lower", scale=1.0),
    )


def counts(frame: pd.DataFrame = COUNTS) -> nma.Network:
    return nma.Network.from_arms(frame, study="study", treatment="treatment", outcome=OR)


def marked(bias: float = BIAS, base: Heterogeneity | None = None) -> DownWeighted:
    base = Random(Fixed(TAU)) if base is None else base
    return DownWeighted(base, column="risk", levels=["high"], tau_bias=Fixed(bias))


def fit(network: nma.Network, heterogeneity: Heterogeneity) -> nma.Posterior:
    return nma.fit(network, nma.Model(EFFECTS, heterogeneity))


def moments(posterior: nma.Posterior) -> tuple[float, float]:
    row = nma.summary(posterior).iloc[0]
    return float(row["mean"]), float(row["sd"])


def assert_same(one: nma.Posterior, other: nma.Posterior) -> None:
    """Counts are answered by other points where scales are more, so within Monte Carlo error."""
    if one.draws.moments is not None:
        assert moments(one) == pytest.approx(moments(other), rel=1e-9)
        return
    evidence, other_evidence = (p.draws.diagnostics["log_evidence"] for p in (one, other))
    mcse = [p.draws.diagnostics["log_evidence_mcse"] for p in (one, other)]
    assert abs(evidence - other_evidence) < 4 * float(np.linalg.norm(mcse)) < 0.01


def test_at_known_scales_variances_add() -> None:
    high = (PAIRS["risk"] == "high").to_numpy()
    weight = 1 / (PAIRS["se"] ** 2 + TAU**2 + high * BIAS**2)
    precision = weight.sum() + 1 / 10**2
    mean, sd = moments(fit(pairs(), marked()))
    assert mean == pytest.approx((weight * PAIRS["effect"]).sum() / precision, rel=1e-10)
    assert sd == pytest.approx(precision**-0.5, rel=1e-10)


def test_contrasts_of_a_marked_multi_arm_trial_keep_correlation_one_half() -> None:
    three = COUNTS[COUNTS["study"].isin(["2", "4"])]
    model = nma.Model(EFFECTS, marked())
    _, _, _, added = oracle.stacked(problem(model, counts(three).as_normal()))
    half = 0.5 * (np.eye(2) + np.ones((2, 2)))
    large = np.argsort(-np.diag(added["tau_bias"]), kind="stable")[:2]
    np.testing.assert_allclose(added["tau_bias"][np.ix_(large, large)], half, atol=1e-15)
    assert added["tau_bias"].sum() == pytest.approx(half.sum())
    np.testing.assert_allclose(np.diag(added["tau"]), 1, atol=1e-15)


@pytest.mark.parametrize("network", [pairs(), counts()], ids=["contrasts", "counts"])
def test_a_scale_of_zero_changes_nothing(network: nma.Network) -> None:
    assert_same(fit(network, marked(0.0)), fit(network, Random(Fixed(TAU))))
    assert moments(fit(network, marked())) != pytest.approx(
        moments(fit(network, marked(0.0))), rel=0.02
    )


def test_a_huge_scale_leaves_marked_trials_out() -> None:
    rest = moments(fit(pairs(PAIRS[PAIRS["risk"] != "high"]), Random(Fixed(TAU))))
    assert moments(fit(pairs(), marked(1e5))) == pytest.approx(rest, rel=1e-8)


@pytest.mark.parametrize("network", [pairs(), counts()], ids=["contrasts", "counts"])
def test_two_scales_are_one_of_the_sum_of_their_variances(network: nma.Network) -> None:
    """Within marked trials; so Laplace adds variances as the Gaussian engine does."""
    kinds = network.table["risk"].unique()
    others = [kind for kind in kinds if kind != "high"]
    rest = DownWeighted(Common(), column="risk", levels=others, tau_bias=Fixed(TAU), name="tau_low")
    apart = marked(float(np.hypot(TAU, BIAS)), base=rest)
    assert_same(fit(network, apart), fit(network, marked()))


def test_a_new_trial_is_one_without_bias() -> None:
    posterior = fit(pairs(), marked())
    table = nma.effects.effect_table(posterior, comparators=["A"], predictive=True)
    half = float((table["predictive_upper"] - table["predictive_lower"]).iloc[0]) / 2
    sd = moments(posterior)[1]
    assert half / 1.959963984540054 == pytest.approx(np.hypot(sd, TAU), rel=1e-6)


def test_marked_trials_that_scatter_weigh_less_the_more_they_do() -> None:
    calm = PAIRS.assign(effect=[0.4, 0.5, 0.6, 0.4, 0.7])
    learnt = DownWeighted(column="risk", levels=["high"])
    tables = (nma.summary(fit(pairs(frame), learnt)) for frame in (calm, PAIRS))
    scales = [float(table["median"]["tau_bias"]) for table in tables]
    assert scales[0] < scales[1]


def test_the_default_prior_is_half_a_unit() -> None:
    resolved = DownWeighted(column="risk", levels=["high"]).resolve(pairs())
    assert resolved.tau_bias == HalfNormal(0.5)
    assert resolved.base == Random(HalfNormal(0.5))
    assert resolved.resolve(pairs()) == resolved


def test_a_published_prior_is_one_of_its_measure() -> None:
    drugs = "pharmacological vs placebo or control"
    published = nma.priors.turner2015(outcome="all-cause mortality", comparison=drugs)
    asked = replace(marked(), tau_bias=published)
    assert asked.resolve(counts()).tau_bias == Random(published).resolve(counts()).tau
    with pytest.raises(ModelError):
        asked.resolve(pairs())


def test_influence_leaves_out_the_only_marked_trial() -> None:
    alone = PAIRS.assign(risk=["low", "low", "high", "low", "low"])
    posterior = fit(pairs(alone), marked())
    table = nma.checks.leave_one_study_out(posterior)
    rest = moments(fit(pairs(alone[alone["risk"] == "low"]), Random(Fixed(TAU))))
    assert table.loc[("3", "B vs A"), "estimate"] == pytest.approx(rest[0], abs=1e-9)


def test_sensitivity_changes_the_prior_of_the_base() -> None:
    model = DownWeighted(
        DownWeighted(column="risk", levels=["some"], name="tau_some"),
        column="risk",
        levels=["high"],
    )
    posterior = fit(pairs(), replace(model, base=Random(HalfNormal(0.5))))
    table = nma.checks.prior_sensitivity(posterior, {"known": Fixed(0.05)}, standard=False)
    assert table.loc[("tau", "known"), "estimate"] == pytest.approx(0.05)
    with pytest.raises(ModelError, match="no prior of tau to change"):
        nma.checks.prior_sensitivity(fit(pairs(), marked(base=Common())))


def test_every_fault_is_told_at_once() -> None:
    wrong = PAIRS.assign(risk=["low", np.nan, "high", "hihg", " "])
    with pytest.raises(DataError) as caught:
        fit(pairs(wrong), DownWeighted(column="risk", levels=["hgh", "unclear"]))
    codes = [issue.code for issue in caught.value.issues]
    assert codes == ["mark-missing", "mark-missing", "mark-unknown", "mark-unknown"]
    assert [issue.study for issue in caught.value.issues][:2] == ["2", "5"]
    assert "Did you mean 'high'" in str(caught.value)


def test_a_column_that_is_not_there_is_refused_with_the_nearest() -> None:
    with pytest.raises(DataError, match=r"no column 'risks'.*Did you mean 'risk'"):
        fit(pairs(), DownWeighted(column="risks", levels=["high"]))


def test_marks_that_differ_between_arms_or_mark_all_are_refused() -> None:
    arms = COUNTS.assign(risk=["low", "high", *["high"] * 7])
    with pytest.raises(DataError) as caught:
        fit(counts(arms), DownWeighted(column="risk", levels=["high", "low"]))
    assert [issue.code for issue in caught.value.issues] == ["mark-varies", "mark-of-all"]


def test_levels_are_several_and_scales_have_names_of_their_own() -> None:
    with pytest.raises(ModelError, match=r"write levels=\['high'\]"):
        DownWeighted(column="risk", levels="high")
    with pytest.raises(ModelError, match=r"write levels=\['high'\]"):
        DownWeighted(column="risk", levels=[])
    with pytest.raises(ModelError, match="tau_bias=1 is not a prior"):
        DownWeighted(column="risk", levels=["high"], tau_bias=1)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="Two scales are called 'tau_bias'"):
        fit(pairs(), marked(base=marked()))


def test_least_squares_says_that_it_finds_one_scale() -> None:
    model = nma.Model(EFFECTS, DownWeighted(column="risk", levels=["high"]))
    with pytest.raises(EngineError, match="finds one scale"):
        nma.fit(pairs(), model, engine=nma.engines.LeastSquares("DL"))
