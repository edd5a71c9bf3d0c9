"""Dose: effects that follow a curve from the control."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
from nma.errors import DataError, ModelError
from nma.priors import Fixed, HalfNormal, Normal
from nma.shapes import FractionalPolynomial, Linear, Log, Spline
from nma.structures import Classes, Components, Consistency, Dose, Regression

OUTCOME = nma.outcomes.Continuous("mean", se="se", n="n", measure="MD", better="lower")
COMMON = nma.engines.LeastSquares("common")
WIDE = Normal(0, 20)
NAN = float("nan")

ROWS = [
    ("1", "usual", 0.0, 5.1, 0.20),
    ("1", "yoga", 12.0, 4.0, 0.21),
    ("2", "usual", NAN, 5.3, 0.25),
    ("2", "yoga", 6.0, 4.6, 0.20),
    ("2", "yoga", 24.0, 3.2, 0.22),
    ("3", "yoga", 8.0, 4.4, 0.19),
    ("3", "yoga", 20.0, 3.5, 0.24),
    ("4", "usual", 0.0, 5.0, 0.30),
    ("4", "pilates", 10.0, 4.5, 0.26),
    ("5", "pilates", 5.0, 4.8, 0.20),
    ("5", "yoga", 12.0, 4.1, 0.20),
    ("6", "usual", 0.0, 4.9, 0.21),
    ("6", "pilates", 20.0, 4.0, 0.20),
    ("7", "pilates", 15.0, 4.4, 0.20),
    ("7", "pilates", 30.0, 3.4, 0.23),
]
"""Trials 2, 3 and 7 have two doses of one agent, 3 and 7 nothing else."""

FRAME = pd.DataFrame(ROWS, columns=["study", "treatment", "sessions", "mean", "se"]).assign(n=100)


def network(frame: pd.DataFrame = FRAME, **columns: Any) -> nma.Network:
    return nma.Network.from_arms(
        frame.assign(**columns),
        study="study",
        treatment="treatment",
        outcome=OUTCOME,
        reference="usual",
        repeated_arms="keep",
    )


def dose(**arguments: Any) -> Dose:
    return Dose("sessions", **{"control": "usual", **arguments})


def fitted(
    structure: nma.protocols.Structure, made: nma.Network | None = None, tau: float = 0.1
) -> nma.Posterior:
    model = nma.Model(structure, nma.heterogeneity.Random(Fixed(tau)))
    return nma.fit(made or network(), model)


def table(posterior: nma.Posterior) -> Any:
    return pd.DataFrame(nma.summary(posterior))


def slopes(posterior: nma.Posterior) -> Any:
    """Return the mean of the first two parameters."""
    moments = posterior.draws.moments
    assert moments is not None
    return moments.of(np.eye(len(posterior.problem.parameters.names))[:2]).mean


def at_doses(posterior: nma.Posterior, *arms: tuple[str, float]) -> Any:
    """Return mean and sd of the effects of doses against the control."""
    names, doses = [name for name, _ in arms], [x for _, x in arms]
    asked = nma.at(posterior, treatments=["usual", *names], sessions=[0.0, *doses])
    found: Any = nma.effect_table(asked, comparators=[asked.treatments[0]])
    return pd.DataFrame(found)[["mean", "sd"]].to_numpy()


def by_hand(z: Any, frame: pd.DataFrame = FRAME) -> tuple[Any, Any]:
    """Return least squares with a level of its own for each trial: estimates and covariance."""
    study = frame["study"].to_numpy(dtype=object)
    levels = (study[:, None] == np.unique(study)).astype(float)
    X, weight = np.hstack([levels, z]), 1 / frame["se"].to_numpy() ** 2
    V = np.linalg.inv(X.T * weight @ X)
    count = z.shape[1]
    return (V @ (X.T * weight) @ frame["mean"].to_numpy())[-count:], V[-count:, -count:]


def columns(*functions: Any) -> Any:
    """Return each function of dose for each agent, functions outside."""
    x = FRAME["sessions"].fillna(0).to_numpy()
    return np.column_stack(
        [f(x) * (FRAME["treatment"] == name) for f in functions for name in ("pilates", "yoga")]
    )


def test_a_line_for_each_agent_is_least_squares_by_hand() -> None:
    mean, V = by_hand(columns(lambda x: x))
    posterior = nma.fit(network(), nma.Model(dose()), engine=COMMON)
    assert posterior.problem.parameters.names == (
        "pilates vs usual, per sessions",
        "yoga vs usual, per sessions",
    )
    found = at_doses(posterior, ("pilates", 1.0), ("yoga", 1.0), ("yoga", 40.0))
    np.testing.assert_allclose(found[:, 0], [*mean, 40 * mean[1]], rtol=1e-10)
    sd = np.sqrt(np.diagonal(V))
    np.testing.assert_allclose(found[:, 1], [*sd, 40 * sd[1]], rtol=1e-10)


def test_a_shared_line_is_one_slope_by_hand() -> None:
    x = FRAME["sessions"].fillna(0).to_numpy()[:, None]
    mean, V = by_hand(x)
    posterior = nma.fit(network(), nma.Model(dose(agents="shared")), engine=COMMON)
    assert posterior.problem.parameters.names == ("all but usual vs usual, per sessions",)
    found = at_doses(posterior, ("pilates", 7.0), ("yoga", 7.0))
    np.testing.assert_allclose(found, [[7 * mean[0], 7 * np.sqrt(V[0, 0])]] * 2, rtol=1e-10)


@pytest.mark.parametrize(
    ("shape", "functions"),
    [
        (Log(unit=9.0), [lambda x: np.log(1 + x / 9)]),
        (FractionalPolynomial([0.5], unit=9.0), [lambda x: np.sqrt(x / 9)]),
        (
            FractionalPolynomial([-1, 2], unit=9.0),
            [lambda x: 1 / (1 + x / 9) - 1, lambda x: (1 + x / 9) ** 2 - 1],
        ),
        (
            Spline([6, 12, 24]),
            [
                lambda x: x,
                lambda x: (
                    (
                        np.maximum(x - 6, 0) ** 3
                        - 1.5 * np.maximum(x - 12, 0) ** 3
                        + 0.5 * np.maximum(x - 24, 0) ** 3
                    )
                    / 18**2
                ),
            ],
        ),
    ],
    ids=["log", "power", "two powers", "spline"],
)
def test_curves_at_doses_no_trial_has_are_least_squares_by_hand(shape: Any, functions: Any) -> None:
    mean, V = by_hand(columns(*functions))
    posterior = nma.fit(network(), nma.Model(dose(shape=shape)), engine=COMMON)
    for place, agent in enumerate(("pilates", "yoga")):
        for x in (3.0, 17.0, 45.0):
            c = np.zeros(len(mean))
            c[place::2] = [f(np.array(x)) for f in functions]
            ((estimate, sd),) = at_doses(posterior, (agent, x))
            assert estimate == pytest.approx(c @ mean, rel=1e-8)
            assert sd == pytest.approx(np.sqrt(c @ V @ c), rel=1e-8)


@pytest.mark.parametrize("agents", ["independent", "shared", "exchangeable"])
@pytest.mark.parametrize("shape", ["linear", "log", "spline", FractionalPolynomial([0, 0])])
def test_dose_zero_of_every_agent_is_the_control_and_the_control_has_no_dose(
    shape: Any, agents: Any
) -> None:
    made = network()
    structure = dose(shape=shape, agents=agents).resolve(made)
    asked = pd.DataFrame({"treatment": ["yoga", "pilates", "usual"], "sessions": [0.0, 0.0, 12.0]})
    assert not structure.levels(made, asked).any()


def test_one_dose_for_each_agent_is_the_consistency_model() -> None:
    """By least squares whatever the doses; in a posterior, as alike a prior, if they are one."""
    frame = FRAME[FRAME["study"].isin(["1", "4", "5"])].assign(sessions=NAN)
    for shape, engine, doses in (
        (Linear(), COMMON, (7.0, 19.0)),
        (Log(), nma.engines.Gaussian(), (12.0, 12.0)),
    ):
        made = network(frame)
        named = dict(zip(("yoga", "pilates"), doses, strict=True))
        priors = nma.heterogeneity.Random(HalfNormal(1))
        told = nma.assign(made, sessions=named)
        curve = nma.fit(told, nma.Model(dose(shape=shape), priors), engine=engine)
        plain = nma.fit(made, nma.Model(Consistency(), priors), engine=engine)
        found = at_doses(curve, ("pilates", doses[1]), ("yoga", doses[0]))
        expected = table(plain)[["mean", "sd"]][:2].to_numpy(dtype=float)
        np.testing.assert_allclose(found, expected, rtol=1e-8)
        if engine != COMMON:
            assert curve.draws.moments is not None
            assert plain.draws.moments is not None
            evidence = plain.draws.moments.log_evidence
            assert curve.draws.moments.log_evidence == pytest.approx(evidence, abs=1e-7)


@pytest.mark.parametrize("agents", ["independent", "shared", "exchangeable"])
@pytest.mark.parametrize(
    "shape", ["linear", "log", "spline", FractionalPolynomial([-0.5, 0]), FractionalPolynomial([3])]
)
def test_minutes_for_hours_change_no_effect_under_default_priors(shape: Any, agents: Any) -> None:
    arguments = {"shape": shape, "agents": agents}
    if agents == "exchangeable":
        arguments["tau"] = Fixed(0.3)
    hours = fitted(dose(**arguments))
    minutes = fitted(dose(**arguments), network(sessions=60 * FRAME["sessions"]))
    found = at_doses(hours, ("yoga", 9.0), ("pilates", 40.0))
    again = at_doses(minutes, ("yoga", 540.0), ("pilates", 2400.0))
    np.testing.assert_allclose(found, again, rtol=1e-7)


@pytest.mark.parametrize(
    "shape", ["linear", "log", "spline", Spline(4), FractionalPolynomial([-2, 3])]
)
@pytest.mark.parametrize("agents", ["independent", "shared", "exchangeable"])
def test_the_prior_of_any_agent_at_the_typical_dose_is_ten_units(shape: Any, agents: Any) -> None:
    """Between two agents too, unless they share a curve; scattered ones have tau on top."""
    made = network()
    tau = Fixed(3.0) if agents == "exchangeable" else None
    structure = dose(shape=shape, agents=agents, tau=tau).resolve(made)
    assert structure.typical == 12.0
    assert structure.effect is not None
    assert "10 units" in structure.effect.origin
    assert "at sessions 12" in structure.effect.origin
    prior = structure.parameters(made)
    multiplier = np.array([1.0 if scale is None else 3.0 for scale in prior.scale])
    covariance = prior.covariance * np.outer(multiplier, multiplier)
    arms = pd.DataFrame({"treatment": ["yoga", "pilates"], "sessions": 12.0})
    z = structure.levels(made, arms)
    spread = np.sqrt(np.diagonal(z @ covariance @ z.T))
    unit = made.unit[0]
    expected = np.hypot(10 * unit, 3) if agents == "exchangeable" else 10 * unit
    np.testing.assert_allclose(spread, expected, rtol=1e-12)


@pytest.mark.parametrize("shape", ["spline", Spline(4), FractionalPolynomial([-2, 3])])
def test_functions_of_dose_count_alike_before_the_data(shape: Any) -> None:
    """Prior sd times the root mean square over the doses is one number for all of them."""
    made = network()
    structure = dose(shape=shape, agents="shared").resolve(made)
    sd = np.sqrt(np.diagonal(structure.parameters(made).covariance))
    doses = FRAME["sessions"][FRAME["sessions"] > 0]
    arms = pd.DataFrame({"treatment": "yoga", "sessions": doses})
    size = np.sqrt(np.mean(structure.levels(made, arms) ** 2, axis=0))
    np.testing.assert_allclose(sd * size, sd[0] * size[0], rtol=1e-12)


def test_exchangeable_curves_lie_between_shared_and_independent() -> None:
    arms = [("pilates", 9.0), ("yoga", 30.0)]
    shared = at_doses(fitted(dose(agents="shared")), *arms)
    tight = at_doses(fitted(dose(agents="exchangeable", tau=Fixed(1e-7))), *arms)
    np.testing.assert_allclose(shared, tight, rtol=1e-6)
    free = at_doses(fitted(dose(effect=Normal(0, 1e4))), *arms)
    loose = at_doses(fitted(dose(agents="exchangeable", tau=Fixed(1e4))), *arms)
    np.testing.assert_allclose(free, loose, rtol=1e-4)
    scales = fitted(dose(agents="exchangeable", shape="spline", tau=Fixed(1.0))).problem.scales
    assert [scale.name for scale in scales] == ["tau", "tau_sessions"]


def test_doses_as_treatments_with_a_column_of_agents_are_the_same_model() -> None:
    """Each node at its own dose, an agent at any."""
    x = FRAME["sessions"]
    names = [
        name if name == "usual" else f"{name} {dose:g}"
        for name, dose in zip(FRAME["treatment"], x, strict=True)
    ]
    nodes = network(treatment=names, agent=FRAME["treatment"])
    for shape in ("linear", "spline"):
        ours = fitted(dose(shape=shape, agent="agent"), nodes)
        plain = fitted(dose(shape=shape))
        own = table(ours).loc["yoga 24 vs usual", ["mean", "sd"]].astype(float)
        np.testing.assert_allclose(own, at_doses(plain, ("yoga", 24.0))[0], rtol=1e-9)
        arms = [("yoga", 17.0), ("pilates", 24.0)]
        np.testing.assert_allclose(at_doses(ours, *arms), at_doses(plain, *arms), rtol=1e-9)
    assert ours.conditions == ""
    assert nma.at(ours, treatments=["usual", "yoga"], sessions=9).conditions == "At sessions 9."
    mixed = nma.at(ours, treatments=["usual", "yoga 24", "yoga"], sessions=[0, NAN, 18])
    assert mixed.treatments == ("usual, sessions 0", "yoga 24", "yoga, sessions 18")
    assert not [text for text in mixed.notices if "Extrapolated" in text]
    beyond = nma.at(ours, treatments=["usual", "yoga"], sessions=40)
    assert "sessions 40 of yoga is outside the trials' 6 to 24" in beyond.notices[0]
    with pytest.raises(ModelError, match=r"'yogi' is unknown\. Did you mean 'yoga'"):
        nma.at(ours, treatments=["usual", "yogi"])
    with pytest.raises(ModelError, match="'yoga' has no dose of its own: ask at one"):
        nma.at(ours, treatments=["usual", "yoga"])


def test_a_network_of_contrasts_is_told_its_doses() -> None:
    """What a table of contrasts cannot say of each side is assigned by treatment."""
    frame = FRAME[~FRAME["study"].isin(["2", "3", "7"])]
    made = network(frame)
    base, other = frame.iloc[::2].reset_index(), frame.iloc[1::2].reset_index()
    pairs = pd.DataFrame(
        {
            "study": base["study"],
            "treatment": [
                f"{t} {x:g}" for t, x in zip(other["treatment"], other["sessions"], strict=True)
            ],
            "comparator": ["usual" if t == "usual" else f"{t} 5" for t in base["treatment"]],
            "effect": other["mean"] - base["mean"],
            "se": np.hypot(other["se"], base["se"]),
        }
    )
    contrasts = nma.Network.from_contrasts(
        pairs,
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=nma.outcomes.Contrast(
            "effect", "se", measure="MD", better="lower", scale=made.unit[0]
        ),
        reference="usual",
    )
    with pytest.raises(DataError, match=r"nma\.assign\(network, sessions="):
        dose().resolve(contrasts)
    nodes = [name for name in contrasts.treatments if name != "usual"]
    told = nma.assign(
        contrasts,
        sessions={name: float(name.split()[1]) for name in nodes},
        agent={name: name.split()[0] for name in nodes},
    )
    ours = fitted(dose(agent="agent"), told)
    arms = [("yoga", 9.0), ("pilates", 14.0)]
    np.testing.assert_allclose(
        at_doses(ours, *arms), at_doses(fitted(dose(), made), *arms), rtol=1e-9
    )


def test_a_dose_of_one_side_that_lands_on_both_is_refused() -> None:
    """A column of a table of contrasts that is constant travels to the control too."""
    pairs = pd.DataFrame(
        {"study": ["1", "2"], "t": "yoga", "c": "usual", "e": [1, 2], "s": 1, "sessions": [6, 12]}
    )
    made = nma.Network.from_contrasts(
        pairs,
        study="study",
        treatment="t",
        comparator="c",
        outcome=nma.outcomes.Contrast("e", "s", measure="MD", better="lower", scale=1.0),
    )
    with pytest.raises(DataError, match="'usual' is the control, and its dose is 6") as caught:
        dose().resolve(made)
    assert len(caught.value.issues) == 2
    assert "nma.assign" in str(caught.value)


def test_components_of_agents_have_doses() -> None:
    """A combination at a dose: each of its components at that dose."""
    frame = FRAME.replace({"treatment": {"pilates": "yoga + talk"}})
    parts = Components(separator=" + ", inactive="usual")
    posterior = nma.fit(network(frame), nma.Model(dose(agents=parts)), engine=COMMON)
    assert posterior.problem.parameters.names == ("talk, per sessions", "yoga, per sessions")
    x = FRAME["sessions"].fillna(0).to_numpy()
    combined = (FRAME["treatment"] == "pilates").to_numpy()
    yoga = (FRAME["treatment"] == "yoga").to_numpy()
    mean, _ = by_hand(np.column_stack([x * combined, x * (combined | yoga)]))
    found = at_doses(posterior, ("talk", 7.0), ("yoga + talk", 7.0))
    np.testing.assert_allclose(found[:, 0], 7 * np.array([mean[0], mean.sum()]), rtol=1e-9)


@pytest.mark.parametrize("order", [["usual", "pilates", "yoga"], ["yoga", "usual", "pilates"]])
def test_any_structure_of_agents_is_read_against_the_control(order: list[str]) -> None:
    """Consistency is zero for the first treatment; the control has level zero all the same."""
    made = replace(network(), treatments=tuple(order))
    given = fitted(dose(agents=Consistency(Normal(0, 10))), made)
    named = fitted(dose(effect=Normal(0, 10)))
    arms = [("yoga", 9.0), ("pilates", 31.0)]
    np.testing.assert_allclose(at_doses(given, *arms), at_doses(named, *arms), rtol=1e-8)


def test_wrappers_take_a_dose_as_any_base() -> None:
    made = network(age=[40.0 + 3 * int(study) ** 2 for study in FRAME["study"]])
    by_age = fitted(Regression(dose(), "age", control="usual"), made)
    names = by_age.problem.parameters.names
    assert names[:2] == dose().resolve(made).parameters(made).names
    assert dict(by_age.model.structure.covariates(made)) == pytest.approx(
        {"sessions": 12.0, "age": 100.0}
    )
    centred = at_doses(nma.at(by_age, age=100.0), ("yoga", 9.0))
    older = at_doses(nma.at(by_age, age=110.0), ("yoga", 9.0))
    per_year = older[0, 0] - centred[0, 0]
    far = at_doses(nma.at(by_age, age=130.0), ("pilates", 3.0))
    near = at_doses(nma.at(by_age, age=100.0), ("pilates", 3.0))
    assert far[0, 0] - near[0, 0] == pytest.approx(3 * per_year)
    assert per_year != 0
    classes = Classes(dose(), classes={"usual": "usual", "yoga": "mind", "pilates": "mind"})
    spread = fitted(replace(classes, tau_class=Fixed(0.2)), made)
    assert spread.problem.parameters.names == (
        "mind vs usual, per sessions",
        "pilates in mind",
        "yoga in mind",
    )
    for wrapper in (
        nma.structures.RandomInconsistency(dose(), tau_w=Fixed(1e-6)),
        nma.structures.NodeSplit(dose(), "usual", "yoga", inconsistency=Normal(0, 1e-6)),
        nma.structures.DesignByTreatment(dose(), inconsistency=Normal(0, 1e-6)),
    ):
        found = fitted(wrapper, made)
        assert dict(found.model.structure.covariates(made)) == {"sessions": 12.0}
        np.testing.assert_allclose(slopes(found), slopes(fitted(dose(), made)), rtol=1e-6)


def test_a_curve_of_the_agents_that_changes_with_a_covariate() -> None:
    """A regression as the structure of the agents: the slope per session changes with age."""
    made = network(age=[40.0 + 3 * int(study) ** 2 for study in FRAME["study"]])
    by_age = Regression(Consistency(WIDE), "age", control="usual")
    posterior = nma.fit(made, nma.Model(dose(agents=by_age)), engine=COMMON)
    assert posterior.conditions == "At age 100, sessions 12."
    x = FRAME["sessions"].fillna(0).to_numpy()
    age = made.arms["age"].to_numpy() - 100
    mean, _ = by_hand(np.column_stack([columns(lambda x: x), x * age]))
    found = at_doses(nma.at(posterior, age=130.0), ("pilates", 5.0), ("yoga", 5.0))
    np.testing.assert_allclose(found[:, 0], 5 * (mean[:2] + 30 * mean[2]), rtol=1e-8)


def test_a_known_truth_is_found_again() -> None:
    """200 networks simulated in plain numpy: estimates are unbiased, intervals keep their word."""
    truth, z = {"yoga": -0.08, "pilates": -0.03}, []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        slope = FRAME["treatment"].map(truth).fillna(0).to_numpy()
        level = rng.normal(5, 1, 8)[FRAME["study"].astype(int)]
        x = FRAME["sessions"].fillna(0).to_numpy()
        mean = level + slope * x + rng.normal(0, 0.1 / np.sqrt(2), len(x))
        made = network(mean=mean + rng.normal(0, FRAME["se"]))
        ((estimate, sd),) = at_doses(fitted(dose(), made), ("yoga", 30.0))
        z.append((estimate - 30 * truth["yoga"]) / sd)
    assert abs(np.mean(z)) < 4 / np.sqrt(200)
    assert np.mean(np.square(z)) == pytest.approx(1, abs=4 * np.sqrt(2 / 200))


def test_counts_have_doses_and_engines_agree() -> None:
    """Laplace on counts against NUTS-free brute force: the normal approximation at large n."""
    frame = FRAME.assign(
        n=20000, events=(20000 / (1 + np.exp(4 - 0.5 * FRAME["mean"]))).astype(int)
    )
    outcome = nma.outcomes.Binary("events", "n", measure="OR", better="lower")
    made = nma.Network.from_arms(
        frame, study="study", treatment="treatment", outcome=outcome, repeated_arms="keep"
    )
    exact, normal = fitted(dose(), made), fitted(dose(), made.as_normal())
    assert type(exact.engine).__name__ == "Laplace"
    arms = [("yoga", 9.0), ("pilates", 31.0)]
    ours, theirs = at_doses(exact, *arms), at_doses(normal, *arms)
    assert np.abs((ours[:, 0] - theirs[:, 0]) / theirs[:, 1]).max() < 0.05
    np.testing.assert_allclose(ours[:, 1], theirs[:, 1], rtol=0.05)


def test_arms_of_one_agent_at_two_doses_stray_apart_in_a_new_trial() -> None:
    posterior = nma.at(
        fitted(dose(), tau=0.5), treatments=["usual", "yoga", "yoga"], sessions=[0, 6, 24]
    )
    new = nma.effect_table(posterior, predictive=True)
    pair = ("yoga, sessions 24", "yoga, sessions 6")
    row: Any = new.loc[pair]
    wide = (row["predictive_upper"] - row["predictive_lower"]) / (2 * 1.959964)
    assert wide == pytest.approx(np.hypot(row["sd"], 0.5), rel=1e-4)


def test_trials_of_one_agent_alone_tell_of_its_curve_and_every_check_runs() -> None:
    posterior = fitted(dose())
    assert posterior.network.trials["3"] == ("yoga",)
    assert len(posterior.network.components) == 1
    less = at_doses(fitted(dose(), network(FRAME[~FRAME["study"].isin(["3", "7"])])), ("yoga", 9.0))
    assert at_doses(posterior, ("yoga", 9.0))[0, 1] < less[0, 1]
    left = nma.checks.leave_one_study_out(posterior)
    assert left["sd_ratio"].loc[("3", "yoga vs usual")] > 1
    for check in (
        nma.checks.node_splitting,
        nma.checks.design_by_treatment,
        nma.checks.loops,
        nma.checks.side_splitting,
        nma.checks.net_heat,
        nma.checks.unrelated_means,
        nma.evidence.hat_matrix,
        nma.evidence.direct_proportions,
        nma.fit_measures.dic,
    ):
        found: Any = check(posterior)
        assert len(found) > 0


def test_trials_of_two_doses_of_one_agent_are_indirect_evidence_on_it() -> None:
    """Yoga against usual care in trial 1; what trial 3 tells of its slope says the same."""
    split = nma.structures.NodeSplit(dose(), "usual", "yoga", inconsistency=Normal(0, 1e3))
    posterior = fitted(split, network(FRAME[FRAME["study"].isin(["1", "3"])]), tau=0)
    moments = posterior.draws.moments
    assert moments is not None
    found = moments.of(np.eye(2)).mean
    slope = (3.5 - 4.4) / 12
    assert found[0] == pytest.approx(slope, abs=1e-3)
    assert found[1] == pytest.approx(4.0 - 5.1 - 12 * slope, abs=1e-3)
    alone = network(FRAME[FRAME["study"].isin(["1", "4"])])
    with pytest.raises(ModelError, match="no other trials connect them"):
        split.resolve(alone)


def test_an_agent_that_only_the_curve_joins_is_named() -> None:
    frame = FRAME[FRAME["study"].isin(["1", "7"])]
    posterior = fitted(dose(), network(frame))
    assert "No trial connects the 2 parts" in posterior.notices[-1]
    assert "Dose, alone" in posterior.notices[-1]
    assert not [text for text in posterior.notices if "rest on the prior" in text]


def test_doses_beyond_those_of_the_agent_are_extrapolated() -> None:
    posterior = fitted(dose())
    said = nma.at(posterior, sessions=28).notices[0]
    assert said == (
        "Extrapolated: sessions 28 of yoga is outside the trials' 6 to 24; what is said there "
        "rests on the structure, Dose."
    )
    both = nma.at(posterior, treatments=["usual", "pilates", "yoga"], sessions=[99, 2, 3])
    assert "sessions 2 of pilates is outside the trials' 5 to 30; sessions 3 of yoga" in " ".join(
        both.notices
    )
    inside = nma.at(posterior, treatments=["usual", "pilates", "yoga"], sessions=[0, 5, 0])
    assert not [text for text in inside.notices if "Extrapolated" in text]


def test_what_one_dose_cannot_tell_of_a_curve_rests_on_the_prior_and_says_so() -> None:
    """Pilates at one dose, and a curve of two functions: its own dose is told, others are not."""
    frame = FRAME[FRAME["study"].isin(["1", "2", "3", "4"])]
    posterior = fitted(dose(shape=Spline([6, 12, 24])), network(frame))
    asked = nma.at(posterior, treatments=["usual", "pilates", "yoga"], sessions=20)
    (text,) = [text for text in asked.notices if "rest on the prior" in text]
    assert "(1) usual, yoga and (2) pilates" in text
    own = nma.at(posterior, treatments=["usual", "pilates", "yoga"], sessions=10)
    assert not [text for text in own.notices if "rest on the prior" in text]


@pytest.mark.parametrize(
    ("changes", "arguments", "messages"),
    [
        (
            {"sessions": FRAME["sessions"].replace({6: -1, 10: NAN})},
            {},
            ("'yoga' is -1", "'pilates' has no dose"),
        ),
        ({"sessions": FRAME["sessions"].replace(24, np.inf)}, {}, ("is inf",)),
        (
            {"sessions": FRAME["sessions"].astype(object).replace(10, "ten")},
            {},
            ("the dose of 'pilates' is 'ten', no number",),
        ),
        (
            {"sessions": FRAME["sessions"].fillna(8)},
            {},
            ("'usual' is the control, and its dose is 8",),
        ),
        ({"sessions": 0.0}, {}, ("no arm has sessions above zero",)),
        ({}, {"dose": "sesions"}, ("Did you mean 'sessions'?",)),
        ({}, {"agent": "agents"}, ("the agent 'agents' is no column",)),
        (
            {"sessions": FRAME["sessions"].where(FRAME["treatment"] == "usual", 12.0)},
            {"shape": "spline"},
            ("2 functions of sessions, and the trials have one", "'linear' or 'log'"),
        ),
        ({"agent": FRAME["treatment"]}, {"agent": "agent"}, ("'yoga' is yoga 12 and yoga 6",)),
    ],
)
def test_doses_that_are_none_are_refused_all_at_once(
    changes: Mapping[str, Any], arguments: Mapping[str, Any], messages: tuple[str, ...]
) -> None:
    structure = Dose(**{"dose": "sessions", "control": "usual", **arguments})
    several = FRAME[~FRAME["study"].isin(["3", "7"])]
    made = network(several, **changes)
    with pytest.raises(DataError) as caught:
        structure.resolve(made)
    for message in messages:
        assert message in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"control": "usula"}, "no agent.*Did you mean 'usual'"),
        ({"control": None}, "name the agent whose dose is zero"),
        ({"shape": "quadratic"}, "none of 'linear', 'log', 'spline'"),
        ({"shape": Linear}, "no shape such as"),
        ({"agents": "same"}, "none of 'shared', 'exchangeable', 'independent'"),
        ({"tau": HalfNormal(1)}, "of exchangeable agents"),
        ({"tau": 1.0, "agents": "exchangeable"}, "not a prior"),
        ({"effect": Normal(0, 1), "agents": Consistency()}, "a prior of its own"),
        ({"effect": Normal(1, 1)}, "mean zero"),
        ({"typical": 0.0}, "no dose above zero"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        dose(**arguments).resolve(network())


@pytest.mark.parametrize("asked", [-1, "twelve", np.inf, [0, 1, -2]])
def test_what_is_no_dose_is_refused(asked: Any) -> None:
    with pytest.raises(ModelError, match="sessions is a number of zero or more"):
        nma.at(fitted(dose()), sessions=asked)


def test_what_a_trial_left_out_takes_with_it_moves_no_knot_and_no_prior() -> None:
    made = network()
    structure = dose(shape="spline").resolve(made)
    less = network(FRAME[FRAME["study"] != "2"])
    assert structure.resolve(less) == structure
    assert structure != dose(shape="spline").resolve(less)
