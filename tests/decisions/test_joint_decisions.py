"""Several outcomes at once, and what choosing wrongly costs."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import nma
from nma.decisions import MCID, evpi, expected_loss
from nma.decisions._outcomes import paired
from nma.errors import ModelError

joint_benefit: Any = nma.decisions.joint_benefit
net_benefit: Any = nma.decisions.net_benefit

NAMES = ["usual", "massage", "exercise", "both"]


def network(shift: float, *, better: nma.protocols.Better, names: list[str] = NAMES) -> nma.Network:
    rng = np.random.default_rng(round(100 * abs(shift)))
    rows = [
        (f"t{k}{a}", b, a, shift * (names.index(b) - names.index(a)) + rng.normal(0, 0.2), 0.3)
        for k in range(2)
        for a, b in pairwise(names)
    ]
    columns = ["study", "treatment", "comparator", "effect", "se"]
    return nma.Network.from_contrasts(
        pd.DataFrame(rows, columns=columns),
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=nma.outcomes.Contrast("effect", "se", measure="MD", better=better),
        reference="usual",
    )


MODEL = nma.Model(
    nma.structures.Consistency(nma.priors.Normal(0, 10)),
    nma.heterogeneity.Random(nma.priors.HalfNormal(0.5)),
)


@pytest.fixture(scope="module")
def fits() -> dict[str, nma.Posterior]:
    return {
        "pain": nma.fit(network(-0.8, better="lower"), MODEL),
        "function": nma.fit(network(0.3, better="higher"), MODEL),
    }


def important(value: float) -> MCID:
    return MCID(value, kind="between-group", source="the panel")


def drawn(posterior: nma.Posterior) -> nma.Posterior:
    """The same without its moments: what an engine that only draws gives."""
    return replace(posterior, draws=replace(posterior.draws, moments=None))


def test_probabilities_of_independent_outcomes_multiply(fits: dict[str, nma.Posterior]) -> None:
    table = joint_benefit(fits, mcid={"pain": important(1.0)})
    order = list(fits["pain"].treatments)
    assert order[3] == "usual"
    first, second = np.arange(3), np.full(3, 3)
    for name, least in (("pain", 1.0), ("function", 0.0)):
        moments = fits[name].draws.moments
        assert moments is not None
        mixture = moments.differences(fits[name].levels, first, second)
        below = mixture.below(-least if name == "pain" else least)
        expected = below if name == "pain" else 1 - below
        np.testing.assert_allclose(table.loc[order[:3], name], expected, rtol=1e-12)
    np.testing.assert_allclose(table["all"], table["pain"] * table["function"], rtol=1e-12)
    none = (1 - table["pain"]) * (1 - table["function"])
    np.testing.assert_allclose(table["none"], none, rtol=1e-12)
    assert (table["mcse"] == 0).all()


def test_draws_give_what_moments_give(fits: dict[str, nma.Posterior]) -> None:
    asked: dict[str, Any] = {"mcid": {"pain": important(1.0)}}
    exact = joint_benefit(fits, **asked)
    other = joint_benefit({name: drawn(p) for name, p in fits.items()}, **asked).loc[exact.index]
    assert (other["mcse"] > 0).any()
    assert (abs(other["all"] - exact["all"]) <= 5 * other["mcse"] + 1e-3).all()


def test_a_larger_mcid_is_less_probable_and_a_tolerance_more(
    fits: dict[str, nma.Posterior],
) -> None:
    at_all = joint_benefit(fits)["pain"]
    more = joint_benefit(fits, mcid={"pain": important(1.0)})["pain"]
    spared = joint_benefit(fits, tolerated={"pain": important(0.2)})["pain"]
    assert (more < at_all[more.index]).all()
    assert (spared > at_all[spared.index]).all()


def test_reversing_better_mirrors_joint_benefit(fits: dict[str, nma.Posterior]) -> None:
    made = network(-0.8, better="higher")
    turned = joint_benefit({"pain": nma.fit(made, MODEL), "function": fits["function"]})
    straight = joint_benefit(fits)
    np.testing.assert_allclose(
        turned["pain"], 1 - straight["pain"][turned.index], rtol=0, atol=1e-12
    )


def test_net_benefit_adds_means_and_variances_of_independent_outcomes(
    fits: dict[str, nma.Posterior],
) -> None:
    table = net_benefit(fits, weights={"pain": 1.0, "function": 2.0})
    for name in table.index:
        pain, function = (
            nma.effect_table(p, comparators=["usual"]).loc[(name, "usual")] for p in fits.values()
        )
        mean = -pain["mean"] + 2 * function["mean"]
        sd = np.hypot(pain["sd"], 2 * function["sd"])
        assert abs(table.loc[name, "net_benefit"] - mean) < 5 * table.loc[name, "mcse"] + 1e-9
        assert abs(table.loc[name, "sd"] / sd - 1) < 0.03  # 4096 draws: 3 of their errors


def test_weight_on_one_outcome_alone_is_that_outcome(fits: dict[str, nma.Posterior]) -> None:
    both = expected_loss(fits, weights={"pain": 2.0, "function": 0.0})
    alone = expected_loss(fits["pain"])
    np.testing.assert_allclose(
        both["expected_loss"], 2 * alone.loc[both.index, "expected_loss"], rtol=1e-12
    )


def test_fits_of_one_seed_are_not_paired_in_step(fits: dict[str, nma.Posterior]) -> None:
    beta = fits["pain"].draws.values["beta"].to_numpy()
    one, two = paired([beta, beta], 0)
    for k in range(beta.shape[-1]):
        r = np.corrcoef(one[..., k].ravel(), two[..., k].ravel())[0, 1]
        assert abs(r) < 4.5 / np.sqrt(beta[..., 0].size)
    np.testing.assert_array_equal(np.sort(one, axis=1), np.sort(two, axis=1))


def test_fits_with_other_numbers_of_chains_and_draws_are_paired() -> None:
    first, second = np.arange(48.0).reshape(8, 6, 1), np.arange(40.0).reshape(4, 10, 1)
    one, two = paired([first, second], 1)
    assert one.shape == two.shape == (4, 10, 1)
    assert len(np.unique(one)) == len(np.unique(two)) == 40


def test_expected_loss_is_what_is_lost_to_the_best_in_each_draw(
    fits: dict[str, nma.Posterior],
) -> None:
    posterior = fits["pain"]
    levels = -(posterior.draws.values["beta"].to_numpy() @ posterior.levels.T)
    table = expected_loss(posterior)
    for k, name in enumerate(posterior.treatments):
        lost = (levels.max(axis=-1) - levels[..., k]).mean()
        assert table.loc[name, "expected_loss"] == pytest.approx(lost, rel=1e-12)
    assert (table["expected_loss"] >= 0).all()
    np.testing.assert_allclose(table["p_best"].sum(), 1.0, rtol=1e-12)
    chances = nma.p_best(posterior)["p_best"]
    np.testing.assert_allclose(table["p_best"], chances[table.index], rtol=1e-12)


def test_evpi_is_the_least_expected_loss_and_never_negative(fits: dict[str, nma.Posterior]) -> None:
    turned = nma.fit(network(-0.8, better="higher"), MODEL)
    assert expected_loss(turned).index[0] == turned.treatments[-1]
    for posterior in (*fits.values(), turned):
        found, losses = evpi(posterior), expected_loss(posterior)
        assert found.loc["one decision", "evpi"] == losses["expected_loss"].min() > 0
        assert found.attrs["choice"] == losses.index[0]


def test_evpi_is_zero_with_one_treatment(fits: dict[str, nma.Posterior]) -> None:
    one = nma.at(fits["pain"], treatments=["massage"])
    assert evpi(one).loc["one decision", "evpi"] == 0


def test_evpi_is_zero_when_one_is_best_in_all_draws(fits: dict[str, nma.Posterior]) -> None:
    values = fits["pain"].draws.values.copy(deep=True)
    levels = fits["pain"].levels
    wanted = np.linalg.lstsq(levels, np.array([9.0, 1.0, 5.0, 3.0]), rcond=None)[0]
    values["beta"] = values["beta"] * 1e-3 + wanted
    sure = replace(
        fits["pain"], draws=replace(fits["pain"].draws, sampler=lambda: values, moments=None)
    )
    assert evpi(sure).loc["one decision", "evpi"] == 0


def test_loss_of_two_normals_has_its_closed_form() -> None:
    made = network(-0.3, better="lower", names=["usual", "massage"])
    posterior = nma.fit(made, replace(MODEL, heterogeneity=nma.heterogeneity.Common()))
    row = nma.effect_table(posterior, comparators=["usual"]).iloc[0]
    z = abs(row["mean"]) / row["sd"]
    exact = row["sd"] * (norm.pdf(z) - z * norm.sf(z))
    found = evpi(posterior).loc["one decision"]
    assert abs(found["evpi"] - exact) < max(5 * found["mcse"], 1e-3 * row["sd"])


def test_a_population_multiplies_what_one_decision_is_worth(fits: dict[str, nma.Posterior]) -> None:
    table = evpi(fits["pain"], people=200, horizon=5)
    np.testing.assert_allclose(table.loc["population"], 1000 * table.loc["one decision"])


def test_ratios_are_weighed_as_differences_of_probabilities() -> None:
    posterior = nma.fit(nma.datasets.network("smoking").as_normal())
    level = nma.absolute_effects(posterior, reference_level=0.06)
    loss = expected_loss(posterior, reference_level=0.06)["expected_loss"]
    drawn_levels = level.to_numpy()
    lost = (drawn_levels.max(axis=-1, keepdims=True) - drawn_levels).mean(axis=(0, 1))
    np.testing.assert_allclose(loss[list(posterior.treatments)], lost, rtol=1e-12)
    assert "probability, at 0.06" in expected_loss(posterior, reference_level=0.06).caption


def test_fewer_events_are_better_where_lower_is() -> None:
    posterior = nma.fit(nma.datasets.network("bcg").as_normal())
    assert posterior.network.better == "lower"
    loss = expected_loss(posterior, reference_level=0.02)["expected_loss"]
    level = nma.absolute_effects(posterior, reference_level=0.02).to_numpy().mean(axis=(0, 1))
    assert loss.index[0] == posterior.treatments[int(level.argmin())]


def test_treatments_of_one_outcome_alone_are_listed(fits: dict[str, nma.Posterior]) -> None:
    names = ["usual", "massage", "Exercise ", "both"]
    other = nma.fit(network(0.3, better="higher", names=[n.strip() for n in names]), MODEL)
    table = joint_benefit({"pain": fits["pain"], "harms": other})
    (left,) = [note for note in table.notes if note.startswith("Left out")]
    assert "'exercise' (pain), 'Exercise' (harms)" in left
    assert "The same treatment, spelled in two ways? 'exercise' and 'Exercise'." in left
    assert sorted(table.index) == ["both", "massage"]


def test_independence_is_said(fits: dict[str, nma.Posterior]) -> None:
    tables = [joint_benefit(fits), net_benefit(fits, weights={"pain": 1, "function": 1})]
    for table in [*tables, expected_loss(fits, weights={"pain": 1, "function": 1})]:
        assert any("taken as independent" in note for note in table.notes)


def test_a_poor_fit_of_one_outcome_is_said_first(fits: dict[str, nma.Posterior]) -> None:
    bad = replace(fits["pain"], draws=replace(fits["pain"].draws, faults=("It diverged.",)))
    table = joint_benefit({**fits, "pain": bad})
    assert table.caption.startswith("POOR FIT, do not rely on it: It diverged. [pain]")


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"pain": 1}, "'function' has no weight: give every outcome one, 0 if it is not to count"),
        ({"pain": 1, "fuction": 1}, "'fuction' is no outcome here. Did you mean 'function'"),
        ({"pain": 1, "function": -1}, "weight of 'function' is -1: give a number of zero or above"),
        ({"pain": 1, "function": float("nan")}, "weight of 'function' is nan"),
        ({"pain": 0, "function": 0}, "All are zero"),
        (2.0, "must say what one unit of benefit on each outcome is worth"),
    ],
)
def test_weights_must_name_every_outcome(
    fits: dict[str, nma.Posterior], weights: Any, message: str
) -> None:
    for verb in (net_benefit, expected_loss, evpi):
        with pytest.raises(ModelError, match=message):
            verb(fits, weights=weights)


def test_bad_questions_are_refused_in_words(fits: dict[str, nma.Posterior]) -> None:
    pain = fits["pain"]
    within = MCID(2.0, kind="within-person", source="Ostelo 2008")
    other = nma.fit(nma.datasets.network("smoking").as_normal())
    plain = nma.fit(pain.network, MODEL, engine=nma.engines.LeastSquares())
    ask: list[tuple[Any, str]] = [
        (lambda: joint_benefit({"pain": pain}), "about two outcomes or more"),
        (lambda: joint_benefit(pain), "about two outcomes or more"),
        (lambda: joint_benefit({"pain": pain, "harms": pain.network}), "No posterior .* 'harms'"),
        (lambda: joint_benefit({"pain": pain, "harms": other}), "no treatment in common"),
        (lambda: joint_benefit({"pain": pain, "harms": plain}), "LeastSquares is no posterior"),
        (lambda: joint_benefit(fits, mcid={"pian": important(1)}), "Did you mean 'pain'"),
        (lambda: joint_benefit(fits, mcid={"pain": within}), "judges the change of one person"),
        (lambda: joint_benefit(fits, mcid={"pain": 1.0}), "does not say whose it is"),
        (
            lambda: joint_benefit(
                fits, mcid={"pain": important(1)}, tolerated={"pain": important(1)}
            ),
            "name an outcome in one of them",
        ),
        (lambda: joint_benefit(fits, comparator="usul"), "Did you mean 'usual'"),
        (lambda: joint_benefit({"all": pain, "b": pain}), "No outcome can be called 'all'"),
        (lambda: expected_loss(pain, reference_level=0.1), "on its own scale already"),
        (lambda: expected_loss(pain, weights={"pain": 1}), "for several outcomes"),
        (lambda: expected_loss(plain), "is no posterior"),
        (lambda: evpi(pain, people=0), "people=0 must be a number above zero"),
        (lambda: evpi(pain, horizon=3), "of whom"),
        (
            lambda: net_benefit(fits, weights={"pain": 1, "function": 1}, reference_level=0.1),
            "say of which outcome",
        ),
    ]
    for question, message in ask:
        with pytest.raises(ModelError, match=message):
            question()
