"""People with an event: the likelihood, the normal approximations and their empty cells."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import nma
from nma.errors import ModelError
from nma.model import problem
from nma.outcomes import Binary
from nma.priors import Normal
from nma.problem import Arms, Contrasts

OR = Binary("r", "n", measure="OR", better="higher")
HR = Binary("r", "n", time="t", measure="HR", better="higher")
RR, RD = replace(OR, measure="RR"), replace(OR, measure="RD")

COUNTS = pd.DataFrame(
    [
        ("1", "A", 12, 94, 0.5),
        ("1", "B", 29, 82, 0.5),
        ("2", "A", 27, 92, 2.0),
        ("2", "B", 29, 93, 2.0),
        ("2", "C", 0, 10, 2.0),
        ("3", "B", 15, 15, 3.0),
        ("3", "C", 11, 14, 2.5),
        ("4", "A", 0, 20, 1.0),
        ("4", "B", 0, 21, 1.0),
        ("5", "A", 9, 9, 1.0),
        ("5", "C", 8, 8, 1.0),
    ],
    columns=["study", "treatment", "r", "n", "t"],
)


def network(outcome: Any, counts: pd.DataFrame = COUNTS, **options: Any) -> nma.Network:
    return nma.Network.from_arms(
        counts, study="study", treatment="treatment", outcome=outcome, **options
    )


def arms_of(outcome: Any, counts: pd.DataFrame = COUNTS) -> Arms:
    (source,) = network(outcome, counts).sources
    (part,) = source.outcome.evidence(source.rows, source.arms, Normal(0, 10))
    assert isinstance(part, Arms)
    return part


def contrasts_of(outcome: Any, counts: pd.DataFrame = COUNTS) -> dict[str, Any]:
    """Return by trial the difference of every pair of arms and its variance."""
    made = network(outcome, counts)
    (source,) = made.sources
    found: dict[str, Any] = {}
    for part in source.outcome.evidence(source.rows, source.arms, Normal(0, 10)):
        assert isinstance(part, Contrasts)
        for arms, y, V in zip(part.arms, part.y, part.V, strict=True):
            names = made.table["treatment"].to_numpy()[arms]
            level = dict(zip(names, [0.0, *y], strict=True))
            whole = np.zeros((len(arms), len(arms)))
            whole[1:, 1:] = V
            for j, a in enumerate(names):
                for k, b in enumerate(names):
                    variance = whole[j, j] + whole[k, k] - 2 * whole[j, k]
                    key = made.table["study"].iloc[arms[0]], a, b
                    found[" ".join(key)] = (level[a] - level[b], variance)
    return found


ETA = np.random.default_rng(4).normal(0, 0.8, len(COUNTS))


@pytest.mark.parametrize("outcome", [OR, HR], ids=["OR", "HR"])
def test_the_density_is_the_binomial(outcome: Binary) -> None:
    part = arms_of(outcome)
    p = part.fitted(ETA, None, part.data, np)
    inside = 1 / (1 + np.exp(-ETA)) if outcome is OR else 1 - np.exp(-COUNTS["t"] * np.exp(ETA))
    np.testing.assert_allclose(p, inside, rtol=1e-12)
    expected = stats.binom(COUNTS["n"], p).logpmf(COUNTS["r"])
    np.testing.assert_allclose(part.density(ETA, None, part.data, np), expected, rtol=1e-9)


@pytest.mark.parametrize("outcome", [OR, HR, Binary("r", "n", measure="OR", better="lower")])
def test_deviance_is_twice_saturated_minus_log_density(outcome: Binary) -> None:
    part = arms_of(outcome)
    r, n = COUNTS["r"].to_numpy(), COUNTS["n"].to_numpy()
    saturated = stats.binom(n, r / n).logpmf(r)
    expected = 2 * (saturated - part.density(ETA, None, part.data, np))
    fitted = part.fitted(ETA, None, part.data, np)
    found = part.deviance(fitted, part.data, np)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    assert (found >= 0).all()
    np.testing.assert_allclose(part.deviance(r / n, part.data, np), 0, atol=1e-12)


@pytest.mark.parametrize("outcome", [OR, HR], ids=["OR", "HR"])
@pytest.mark.parametrize("eta", [-40.0, 0.0, 40.0])
def test_tails_do_not_overflow_in_either_library(outcome: Binary, eta: float) -> None:
    import pytensor
    import pytensor.tensor as pt

    part = arms_of(outcome)
    at = np.full(len(COUNTS), eta)
    x = pt.dvector("x")
    density = part.density(x, None, part.data, pt)
    slope = pytensor.grad(density.sum(), x)
    graph = pytensor.function([x], [density, slope], mode="FAST_COMPILE")
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        here = part.density(at, None, part.data, np)
    there, gradient = graph(at)
    assert np.isfinite(here).all()
    assert np.isfinite(gradient).all()
    np.testing.assert_allclose(there, here, rtol=1e-8)
    deviance = part.deviance(part.fitted(x, None, part.data, pt), part.data, pt)
    if abs(eta) < 30:
        expected = part.deviance(part.fitted(at, None, part.data, np), part.data, np)
        np.testing.assert_allclose(deviance.eval({x: at}), expected, rtol=1e-8)


def test_grouped_and_individual_binomial_data_differ_by_a_constant() -> None:
    part = arms_of(OR)
    rng = np.random.default_rng(1)
    for _ in range(3):
        m, d = rng.normal(size=2)
        eta = np.array([m, m + d])
        people = {"events": np.array([1.0, 0.0]), "n": np.ones(2), "log_ways": np.zeros(2)}
        total = 0.0
        for arm, (r, n) in enumerate(COUNTS[["r", "n"]].to_numpy()[:2]):
            yes, no = part.density(np.full(2, eta[arm]), None, people, np)
            total += r * yes + (n - r) * no
        ways = part.data["log_ways"][:2].sum()
        first = {name: values[:2] for name, values in part.data.items()}
        grouped = part.density(eta, None, first, np).sum()
        assert grouped - ways == pytest.approx(total, rel=1e-12)


def test_evidence_can_be_pickled() -> None:
    part = arms_of(HR)
    copy = pickle.loads(pickle.dumps(part))  # noqa: S301  our own value
    there = copy.density(ETA, None, copy.data, np)
    np.testing.assert_array_equal(there, part.density(ETA, None, part.data, np))


def arm_by_hand(measure: str, *arm: float, half: float) -> tuple[float, float]:
    r, n, t = arm
    a, b = r + half, n - r + half
    p, m = a / (a + b), a + b
    return {
        "OR": (np.log(a / b), 1 / a + 1 / b),
        "RR": (np.log(p), 1 / a - 1 / m),
        "RD": (r / n, p * (1 - p) / m),
        "HR": (np.log(-np.log(1 - p) / t), p / (m * (1 - p) * np.log(1 - p) ** 2)),
    }[measure]


@pytest.mark.parametrize("outcome", [OR.as_normal(), HR.as_normal(), RR, RD])
def test_normal_contrasts_by_hand(outcome: Binary) -> None:
    """Half is added to every cell of trials 2 and 3 and, for RD, to variances of 4 and 5."""
    found = contrasts_of(outcome)
    studies = {key[0] for key in found}
    assert studies == set("12345" if outcome is RD else "123")
    for key, (y, v) in found.items():
        study, a, b = key.split()
        trial = COUNTS[COUNTS["study"] == study].set_index("treatment")
        half = 0.5 * (study != "1")
        (y_a, v_a), (y_b, v_b) = (
            arm_by_hand(outcome.measure, *map(float, trial.loc[name, ["r", "n", "t"]]), half=half)
            for name in (a, b)
        )
        assert y == pytest.approx(y_a - y_b, abs=1e-12)
        assert v == pytest.approx(0 if a == b else v_a + v_b, abs=1e-12)


def test_the_shared_arm_makes_the_covariance() -> None:
    (source,) = network(RR).sources
    _, three = source.outcome.evidence(source.rows, source.arms, Normal(0, 10))
    assert isinstance(three, Contrasts)
    V = three.V[0]
    shared = V[0, 1]
    np.testing.assert_allclose(V[1, 0], shared)
    variances = [arm_by_hand("RR", r, n, 1, half=0.5)[1] for r, n in [(27, 92), (29, 93), (0, 10)]]
    assert shared == pytest.approx(min(variances))  # the most precise arm is the base


def test_a_pair_without_events_is_kept_inside_a_trial_with_events() -> None:
    counts = pd.concat([COUNTS, pd.DataFrame([("2", "D", 0, 12, 2.0)], columns=COUNTS.columns)])
    y, v = contrasts_of(OR.as_normal(), counts)["2 D C"]
    assert y == pytest.approx(np.log(0.5 / 12.5) - np.log(0.5 / 10.5))
    assert v == pytest.approx(2 / 0.5 + 1 / 12.5 + 1 / 10.5)


def test_what_was_corrected_and_set_aside_is_told() -> None:
    told = network(OR.as_normal()).notices
    assert "No events in any arm of 4." in told
    assert "Events in everybody in any arm of 5." in told
    assert (
        "Set aside from the contrasts, 2 trials: 4, 5; nobody, or everybody, has the event in "
        "every arm." in told
    )
    assert "0.5 was added to events and non-events of every arm in 2, 3, for an empty cell." in told
    told = network(RD).notices
    assert not any("Set aside" in text for text in told)
    assert any("in the variance only, of every arm in 2, 3, 4, 5" in text for text in told)
    assert not any("0.5" in text or "Set aside" in text for text in network(OR).notices)


def test_treatments_without_events_rest_on_the_prior() -> None:
    counts = COUNTS[COUNTS["study"].isin(["1", "2"])]
    (text,) = (t for t in network(OR, counts).notices if "on the prior" in t)
    assert text == "No events under C in any trial: its effects rest on the prior."


def test_parts_that_only_set_aside_trials_join_are_told() -> None:
    counts = COUNTS.replace({"treatment": {"A": "D"}})[COUNTS["study"].isin(["3", "4"])]
    (text,) = (t for t in network(OR.as_normal(), counts).notices if "falls into parts" in t)
    assert text.endswith("rest on the prior, if there is one: B, C; D.")


def mirrored(counts: pd.DataFrame) -> pd.DataFrame:
    return counts.assign(r=counts["n"] - counts["r"])


@pytest.mark.parametrize("outcome", [OR.as_normal(), RD], ids=["OR", "RD"])
def test_contrasts_mirror_when_event_and_non_event_change_places(outcome: Binary) -> None:
    there, back = contrasts_of(outcome), contrasts_of(outcome, mirrored(COUNTS))
    assert there.keys() == back.keys()
    for key, (y, v) in there.items():
        assert back[key] == pytest.approx((-y, v), abs=1e-12)
    units = [network(outcome, counts).unit[0] for counts in (COUNTS, mirrored(COUNTS))]
    assert units[0] == pytest.approx(units[1], rel=1e-12)


def test_the_odds_likelihood_mirrors_when_event_and_non_event_change_places() -> None:
    there, back = arms_of(OR), arms_of(OR, mirrored(COUNTS))
    np.testing.assert_allclose(
        there.density(ETA, None, there.data, np),
        back.density(-ETA, None, back.data, np),
        rtol=1e-10,
    )


def test_rd_has_the_unit_of_a_mean_difference() -> None:
    """The same people as zeros and ones, read as means: MD and its unit, but for n - 1."""
    counts = COUNTS[COUNTS["study"] == "1"]
    p = counts["r"] / counts["n"]
    sd = np.sqrt((counts["n"] * p * (1 - p)).sum() / counts["n"].sum())
    assert network(RD, counts).unit[0] == pytest.approx(sd, rel=1e-12)
    means = counts.assign(mean=p, sd=np.sqrt(p * (1 - p)))
    md = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="higher")
    assert network(md, means).unit[0] == pytest.approx(sd, rel=1e-3)
    assert network(RR, counts).unit == (1.0, "unit = 1")
    assert (RD.ratio, RR.ratio, OR.ratio, HR.ratio) == (False, True, True, True)


@pytest.mark.parametrize("outcome", [OR, HR, RR, RD], ids=lambda o: o.measure)
def test_links_are_inverse(outcome: Binary) -> None:
    risk = np.array([0.01, 0.3, 0.9])
    np.testing.assert_allclose(outcome.inverse(outcome.link(risk)), risk, rtol=1e-12)


def test_links_are_those_of_the_likelihood() -> None:
    part = arms_of(OR)
    np.testing.assert_allclose(OR.inverse(ETA), part.fitted(ETA, None, part.data, np))
    one = {"time": np.ones(len(ETA))}
    np.testing.assert_allclose(HR.inverse(ETA), arms_of(HR).fitted(ETA, None, one, np))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"measure": "RR", "likelihood": "binomial"}, "no binomial likelihood here"),
        ({"measure": "RD", "likelihood": "binomial"}, "no binomial likelihood here"),
        ({"measure": "HR"}, "needs the time of follow-up"),
        ({"measure": "OR", "time": "t"}, "goes with measure='HR'"),
        ({"measure": "OR", "likelihood": "normla"}, "Did you mean 'normal'"),
        ({"measure": "odds ratio"}, "write 'OR'"),
        ({"measure": "MD"}, "is not offered here"),
    ],
)
def test_settings_that_do_not_go_together(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        Binary("r", "n", better="lower", **settings)


def test_as_normal_swaps_the_evidence_and_the_notices() -> None:
    binomial = network(OR)
    normal = binomial.as_normal()
    assert [s.outcome for s in normal.sources] == [OR.as_normal()]
    assert set(normal.notices) == set(network(OR.as_normal()).notices)
    assert normal.as_normal().notices == normal.notices
    task = problem(nma.Model().resolve(normal), normal)
    assert all(isinstance(part, Contrasts) for part in task.evidence)
    assert nma.engines.Gaussian().unsuited(task) is None
    # trials set aside are still arms of the problem, in no evidence
    used = {int(arm) for part in task.evidence for arm in part.arms.ravel()}
    assert len(task.arms) - len(used) == 4


def test_smoking_is_netmetas() -> None:
    """netmeta 3.3-1, common effect: group counselling versus no intervention, and Q."""
    network = nma.datasets.network("smoking").as_normal()
    model = nma.Model(nma.structures.Consistency(Normal(0, 1e4)), nma.heterogeneity.Common())
    summary = nma.summary(nma.fit(network, model))
    assert summary.attrs["Q"] == pytest.approx(202.61887, abs=5e-6)
    assert summary.attrs["df"] == 23
    assert summary.loc["group counselling vs no intervention", "mean"] == pytest.approx(
        0.7168, abs=5e-5
    )
    assert summary.loc["group counselling vs no intervention", "sd"] == pytest.approx(
        0.1879, abs=5e-5
    )


def test_thrombolytics_is_netmetas() -> None:
    """netmeta 3.3-1, common effect: accelerated t-PA versus SK, and Q."""
    network = nma.datasets.network("thrombolytics").as_normal()
    model = nma.Model(nma.structures.Consistency(Normal(0, 1e4)), nma.heterogeneity.Common())
    summary = nma.summary(nma.fit(network, model))
    assert summary.attrs["Q"] == pytest.approx(40.45, abs=0.005)
    found = summary.loc["Acc t-PA vs SK"]
    assert found["mean"] == pytest.approx(-0.1712, abs=5e-5)
    assert found["sd"] == pytest.approx(0.0432, abs=5e-5)
