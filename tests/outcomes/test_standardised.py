"""Standardised mean differences, against plain arithmetic."""

from __future__ import annotations

import dataclasses
import math
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import nma
from nma.errors import ModelError
from nma.instruments import Instrument
from nma.network import Network
from nma.outcomes import Continuous
from nma.outcomes._standardised import correction, hedges
from nma.priors import Normal
from nma.problem import Contrasts

SMD = Continuous("mean", sd="sd", n="n", measure="SMD", better="lower")
MD = Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
FRAME = pd.DataFrame(
    [
        ("1", "A", "RMDQ", 12.0, 5.0, 40),
        ("1", "B", "RMDQ", 10.0, 6.0, 38),
        ("2", "A", "ODI", 40.0, 15.0, 60),
        ("2", "B", "ODI", 33.0, 14.0, 55),
        ("2", "C", "ODI", 30.0, 18.0, 58),
        ("3", "B", "RMDQ", 9.0, 4.5, 25),
        ("3", "C", "RMDQ", 7.5, 5.5, 27),
    ],
    columns=["study", "treatment", "scale", "mean", "sd", "n"],
)
Array = NDArray[np.float64]


def network(frame: pd.DataFrame = FRAME, outcome: Continuous = SMD) -> Network:
    return Network.from_arms(frame, study="study", treatment="treatment", outcome=outcome)


def evidence(made: Network) -> dict[str, tuple[list[str], Array, Array]]:
    """For each trial its treatments, base arm first, its contrasts and their covariance."""
    (source,) = made.sources
    names, studies = made.arms["treatment"].to_numpy(), made.arms["study"].to_numpy()
    found = {}
    for part in source.outcome.evidence(source.rows, source.arms, Normal(0, 1)):
        assert isinstance(part, Contrasts)
        for arms, y, V in zip(part.arms, part.y, part.V, strict=True):
            found[str(studies[arms[0]])] = (names[arms].tolist(), y, V)
    return found


def by_hand(arms: list[tuple[float, float, int]]) -> tuple[list[float], list[list[float]]]:
    """Hedges' g of each later arm against the first, (mean, sd, n), and their covariance."""
    total, count = sum(n for _, _, n in arms), len(arms)
    m = total - count
    s = math.sqrt(sum((n - 1) * sd * sd for _, sd, n in arms) / m)
    J = math.exp(math.lgamma(m / 2) - math.lgamma((m - 1) / 2)) / math.sqrt(m / 2)
    base_mean, _, base_n = arms[0]
    g = [J * (mean - base_mean) / s for mean, _, _ in arms[1:]]
    V = [
        [
            1 / base_n + g[j] * g[k] / (2 * total) + (1 / arms[j + 1][2] if j == k else 0)
            for k in range(count - 1)
        ]
        for j in range(count - 1)
    ]
    return g, V


@pytest.mark.parametrize("frame", [FRAME, nma.datasets.load("parkinson")], ids=["own", "parkinson"])
def test_g_and_its_covariance_are_those_of_the_formula(frame: pd.DataFrame) -> None:
    found = evidence(network(frame))
    assert set(found) == set(frame["study"])
    for study, (names, y, V) in found.items():
        trial = frame[frame["study"] == study].set_index("treatment")
        arms = [tuple(trial.loc[name, ["mean", "sd", "n"]]) for name in names]
        g, covariance = by_hand(arms)
        np.testing.assert_allclose(y, g, rtol=1e-12)
        np.testing.assert_allclose(V, covariance, rtol=1e-12)


def test_common_effect_on_parkinson() -> None:
    """Least squares of the hand-computed contrasts, to six decimals."""
    wide = nma.Model(nma.structures.Consistency(Normal(0, 1e4)), nma.heterogeneity.Common())
    posterior = nma.fit(network(nma.datasets.load("parkinson")), wide)
    table = nma.effect_table(posterior, comparators=["placebo"])
    expected = {
        "pramipexole": -0.485719,
        "ropinirole": -0.127538,
        "bromocriptine": -0.151948,
        "cabergoline": -0.272551,
    }
    for name, mean in expected.items():
        assert table.loc[(name, "placebo"), "mean"] == pytest.approx(mean, abs=1e-6)
    assert table.loc[("pramipexole", "placebo"), "sd"] == pytest.approx(0.089978, abs=1e-6)


def test_which_arm_is_base_changes_nothing() -> None:
    """Another base arm is a linear map of g, and V goes along with it."""
    arms = [(40.0, 15.0, 60), (33.0, 14.0, 55), (30.0, 18.0, 58)]
    g, V = (np.array(part) for part in by_hand(arms))
    other, other_V = (np.array(part) for part in by_hand([arms[1], arms[0], arms[2]]))
    turn = np.array([[-1.0, 0.0], [-1.0, 1.0]])
    np.testing.assert_allclose(other, turn @ g, rtol=1e-12)
    np.testing.assert_allclose(other_V, turn @ V @ turn.T, rtol=1e-12)


def test_contrasts_of_a_three_arm_trial_add_up() -> None:
    arms = [(40.0, 15.0, 60), (33.0, 14.0, 55), (30.0, 18.0, 58)]
    (ab, ac), _ = by_hand(arms)
    (_, bc), _ = by_hand([arms[1], arms[0], arms[2]])
    assert ab + bc == pytest.approx(ac, rel=1e-14)


def test_rescaling_the_units_of_a_trial_changes_nothing() -> None:
    scaled = FRAME.copy()
    scaled.loc[scaled["study"] == "2", ["mean", "sd"]] *= 1 / 16  # exact in binary
    before, after = evidence(network()), evidence(network(scaled))
    for study, (names, y, V) in before.items():
        assert after[study][0] == names
        np.testing.assert_array_equal(after[study][1], y)
        np.testing.assert_array_equal(after[study][2], V)


def test_flipping_the_sign_negates_g_and_keeps_its_covariance() -> None:
    flipped = evidence(network(FRAME.assign(mean=-FRAME["mean"])))
    for study, (_, y, V) in evidence(network()).items():
        np.testing.assert_array_equal(flipped[study][1], -y)
        np.testing.assert_array_equal(flipped[study][2], V)


@pytest.mark.parametrize("freedom", [2, 3, 5, 10, 1000, 10**6])
def test_the_correction_is_exact(freedom: int) -> None:
    log = math.lgamma(freedom / 2) - math.lgamma((freedom - 1) / 2) - math.log(freedom / 2) / 2
    assert correction(np.array(float(freedom))) == pytest.approx(math.exp(log), rel=1e-8)


def test_the_correction_makes_g_unbiased() -> None:
    """Two arms of three, true difference 0.8 SD: the mean of g is 0.8, that of d is not."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200_000, 2, 3)) + np.array([[0.0], [0.8]])
    y = x[:, 1].mean(axis=1) - x[:, 0].mean(axis=1)
    sd = np.sqrt(x.var(axis=2, ddof=1).mean(axis=1))
    g, _ = hedges(y[:, None], np.ones((len(y), 1, 1)), sd, np.full(len(y), 6.0))
    assert abs(g.mean() - 0.8) < 4 * g.std() / np.sqrt(len(g))
    assert (y / sd).mean() > 0.95


def test_a_standard_error_tells_the_standard_deviation() -> None:
    errors = FRAME.assign(se=FRAME["sd"] / np.sqrt(FRAME["n"]))
    outcome = dataclasses.replace(SMD, sd=None, se="se")
    found = evidence(network(errors, outcome))
    for study, (_, y, V) in evidence(network()).items():
        np.testing.assert_allclose(found[study][1], y, rtol=1e-13)
        np.testing.assert_allclose(found[study][2], V, rtol=1e-13)


def test_the_smallest_trial_has_two_degrees_of_freedom() -> None:
    smallest = FRAME.iloc[:2].assign(n=2)
    ((_, y, V),) = evidence(network(smallest)).values()
    assert np.isfinite(y).all()
    assert (np.linalg.eigvalsh(V) > 0).all()
    with pytest.raises(nma.errors.DataError, match="1 is fewer than 2"):
        network(FRAME.iloc[:2].assign(n=[1, 2]))


def test_one_unit_is_one() -> None:
    assert network().unit == (1.0, "unit = 1")


def test_the_notices_say_what_was_divided_by() -> None:
    assert "SMD: Hedges' g, each trial in units of its own SD" in "\n".join(network().notices)


REFERENCE = dataclasses.replace(SMD, instrument="scale", reference_sd={"RMDQ": 6.0, "ODI": 16.0})


def test_a_reference_sd_divides_the_mean_difference() -> None:
    found, plain = evidence(network(outcome=REFERENCE)), evidence(network(outcome=MD))
    for study, (names, y, V) in plain.items():
        sd = 16.0 if study == "2" else 6.0
        assert found[study][0] == names
        np.testing.assert_array_equal(found[study][1], y / sd)
        np.testing.assert_array_equal(found[study][2], V / sd**2)


def test_one_reference_sd_for_all_is_the_mean_difference_rescaled() -> None:
    """At equal priors (in units of R) effects, tau and the evidence scale with R."""
    R = 8.0
    one = dataclasses.replace(REFERENCE, reference_sd={"RMDQ": R, "ODI": R})
    tables = [
        nma.summary(
            nma.fit(
                network(outcome=outcome),
                nma.Model(
                    nma.structures.Consistency(Normal(0, 10 * unit)),
                    nma.heterogeneity.Random(nma.priors.HalfNormal(unit / 2)),
                ),
            )
        )
        for outcome, unit in ((MD, R), (one, 1.0))
    ]
    columns = ["mean", "sd", "median", "lower", "upper"]
    np.testing.assert_allclose(tables[1][columns] * R, tables[0][columns], rtol=1e-7)
    jacobian = 4 * np.log(R)  # four contrasts
    evidences = [table.attrs["log_evidence"] for table in tables]
    assert evidences[1] - jacobian == pytest.approx(evidences[0], abs=1e-8)


def test_a_pooled_reference_sd_weighs_by_degrees_of_freedom() -> None:
    made = network(outcome=dataclasses.replace(REFERENCE, reference_sd="pooled"))
    (source,) = made.sources
    odi, rmdq = source.outcome.reference_sds(source.rows)
    squares = 39 * 5.0**2 + 37 * 6.0**2 + 24 * 4.5**2 + 26 * 5.5**2
    assert rmdq.instrument is nma.instruments.RMDQ
    assert rmdq.value == pytest.approx(math.sqrt(squares / (39 + 37 + 24 + 26)), rel=1e-14)
    assert odi.origin == "pooled over the arms of 1 trial (SDs at follow-up)"
    notices = "\n".join(made.notices)
    assert "Reference SD of RMDQ (0 to 24, lower is better): 5.33," in notices
    assert "pooled over the arms of 2 trials" in notices
    assert "SMD: mean differences divided by the instrument's reference SD" in notices


def test_a_pooled_reference_sd_needs_participants_of_one_trial_only() -> None:
    frame = FRAME.assign(se=FRAME["sd"] / np.sqrt(FRAME["n"]))
    frame["n"] = frame["n"].astype(float).mask(frame["study"] == "3")
    outcome = dataclasses.replace(REFERENCE, se="se", reference_sd="pooled")
    (source,) = network(frame, outcome).sources
    _, rmdq = source.outcome.reference_sds(source.rows)
    assert rmdq.value == pytest.approx(math.sqrt((39 * 25 + 37 * 36) / 76), rel=1e-14)


def test_stated_sds_need_no_participants() -> None:
    frame = FRAME.assign(se=FRAME["sd"] / np.sqrt(FRAME["n"])).drop(columns=["sd", "n"])
    outcome = dataclasses.replace(REFERENCE, sd=None, se="se", n=None)
    found = evidence(network(frame, outcome))
    for study, (_, y, _) in evidence(network(outcome=REFERENCE)).items():
        np.testing.assert_allclose(found[study][1], y, rtol=1e-14)


def test_an_sd_may_go_by_the_users_own_name() -> None:
    named = FRAME.assign(scale=FRAME["scale"].replace("RMDQ", "Roland"))
    own = {"Roland": nma.instruments.RMDQ}
    for name in ("Roland", "RMDQ"):
        outcome = dataclasses.replace(
            REFERENCE, instruments=own, reference_sd={name: 6.0, "ODI": 16.0}
        )
        (source,) = network(named, outcome).sources
        assert [r.value for r in source.outcome.reference_sds(source.rows)] == [16.0, 6.0]
    with pytest.raises(ModelError, match=r"states two SDs of RMDQ .*, 6 and 7"):
        dataclasses.replace(REFERENCE, instruments=own, reference_sd={"Roland": 6.0, "RMDQ": 7.0})


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"measure": "MD", "reference_sd": "pooled"}, "reference_sd goes with measure='SMD'"),
    ({"instrument": None}, "reference_sd is by instrument"),
    ({"reference_sd": "pool"}, "is not a choice.*Did you mean 'pooled'"),
    ({"reference_sd": {}}, "is not a choice"),
    ({"reference_sd": 6.0}, "is not a choice"),
    ({"reference_sd": {"RDMQ": 6.0}}, "'RDMQ', which is not a known.*Did you mean 'RMDQ'"),
    ({"reference_sd": {"RMDQ": 0.0}}, "is not a standard deviation"),
    ({"reference_sd": {"RMDQ": "6"}}, "is not a standard deviation"),
    ({"reference_sd": None, "sd": None, "se": "se", "n": None}, "needs the participants"),
    ({"reference_sd": {"RMDQ": 58.0}}, r"RMDQ \(0 to 24, lower is better\): it lies above 0"),
    ({"reference_sd": {"RMDQ": True}}, "is not a standard deviation"),
    ({"instrument": nma.instruments.RMDQ}, "is not a column: name the one"),
    ({"instruments": [nma.instruments.RMDQ]}, "is not a mapping"),
    ({"instruments": {"x": 24}}, "holds 24: give an Instrument"),
    (
        {"reference_sd": None, "instrument": None, "instruments": {"x": nma.instruments.VAS}},
        "says what names mean",
    ),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_settings_that_do_not_go_together_are_refused(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        dataclasses.replace(REFERENCE, **changes)


def test_an_outcome_is_a_value() -> None:
    own = {"Roland": Instrument("RMDQ", 0, 23, "lower")}
    value = dataclasses.replace(REFERENCE, instruments=own)
    own["Roland"] = nma.instruments.RMDQ  # the value kept a copy
    assert value.instruments is not None
    assert value.instruments["Roland"].upper == 23
    assert value == dataclasses.replace(value) != REFERENCE
    copy = pickle.loads(pickle.dumps(value))  # noqa: S301  our own value
    assert copy == value
    assert hash(copy) == hash(value)
    assert repr(REFERENCE) == (
        "Continuous(mean='mean', sd='sd', n='n', measure='SMD', better='lower', "
        "instrument='scale', reference_sd={'RMDQ': 6.0, 'ODI': 16.0})"
    )
    with pytest.raises(TypeError):
        value.reference_sd["RMDQ"] = 7.0  # type: ignore[index]
