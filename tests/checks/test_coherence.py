"""Laws of the checks in closed form, and the networks at their edges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
from coherent import ONE_DESIGN, STAR, TANGLED, TREE, TWO_ARMS, A, B, C, D, fitted, frame, network
from nma.checks import design_by_treatment, loops, net_heat, side_splitting
from nma.errors import DataError, EngineError, ModelError
from nma.evidence import direct_proportions, hat_matrix

CHECKS: list[Callable[[nma.Posterior], Any]] = [
    design_by_treatment,
    side_splitting,
    loops,
    net_heat,
    direct_proportions,
    hat_matrix,
]


def cells(table: pd.DataFrame) -> Any:
    return pd.DataFrame(table)


@pytest.mark.parametrize("trials", [TANGLED, TWO_ARMS, STAR, ONE_DESIGN])
def test_the_qs_add(trials: list[tuple[str, ...]]) -> None:
    table = cells(design_by_treatment(fitted(trials)))
    Q, df = table["Q"], table["df"]
    for column in (Q, df):
        parts = column["within designs", ""] + column["between designs", ""]
        assert column["total", ""] == pytest.approx(parts, abs=1e-10)
        assert column["within"].sum() == pytest.approx(column["within designs", ""], abs=1e-10)
    common = nma.summary(fitted(trials)).attrs
    assert Q["total", ""] == pytest.approx(common["Q"], abs=1e-10)
    assert df["total", ""] == common["df"]


@pytest.mark.parametrize("trials", [STAR, TREE, ONE_DESIGN, [(A, B)] * 2])
def test_a_tree_has_nothing_to_check(trials: list[tuple[str, ...]]) -> None:
    """A star of two-arm trials, one design and two treatments too: no df, and no crash."""
    posterior = fitted(trials)
    table = design_by_treatment(posterior)
    assert cells(table).loc[("between designs", ""), ["Q", "df"]].tolist() == [0, 0]
    assert cells(table).loc[("global Wald, random effects", ""), ["Q", "df"]].tolist() == [0, 0]
    assert "detached" not in table.index.unique("part")
    assert "no evidence of consistency" in table.notes[0]
    assert loops(posterior).empty
    assert net_heat(posterior).empty
    split = side_splitting(posterior)
    assert split[["indirect", "difference", "z", "p"]].isna().all(axis=None)
    assert "nothing to split" in split.notes[0]
    for check in CHECKS:
        assert str(check(posterior))


def test_a_single_trial_of_each_design_leaves_the_random_effects_test_empty() -> None:
    posterior = fitted([(A, B), (B, C), (A, C)])
    table = design_by_treatment(posterior)
    row = cells(table).loc[("global Wald, random effects", "")]
    assert row["df"] == 1
    assert np.isnan(row[["Q", "p", "tau"]].to_numpy(dtype=float)).all()
    assert "give tau as a number" in table.notes[0]
    told = cells(design_by_treatment(posterior, tau=0.3)).loc["global Wald, random effects", ""]
    (loop,) = loops(posterior, tau=0.3)["z"]
    assert told["Q"] == pytest.approx(loop**2, rel=1e-10)


def relabelled(arms: pd.DataFrame) -> pd.DataFrame:
    return arms.replace({"treatment": {A: "zeta", B: "alpha", C: "omega", D: "beta"}})


CHANGES: dict[str, Callable[[pd.DataFrame], nma.Network]] = {
    "relabelling": lambda arms: network(relabelled(arms)),
    "row order": lambda arms: network(arms.sample(frac=1, random_state=1)),
    "reference": lambda arms: network(arms, reference=D),
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check.__name__))
@pytest.mark.parametrize("change", CHANGES)
def test_relabelling_row_order_and_reference_change_nothing(
    check: Callable[[nma.Posterior], Any], change: str
) -> None:
    """Numbers as they come, without their signs: which side is printed first may change."""
    engine = nma.engines.LeastSquares(0.2)
    arms = frame(TANGLED)
    one = check(nma.fit(network(arms), engine=engine))
    other = check(nma.fit(CHANGES[change](arms), engine=engine))
    assert len(one) > 0
    first, second = (np.sort(np.abs(cells(t).to_numpy(dtype=float)).ravel()) for t in (one, other))
    np.testing.assert_allclose(first, second, atol=1e-9)


@pytest.mark.parametrize("pair", [(A, B), (A, C), (C, D), (B, D)])
def test_on_two_arm_trials_the_indirect_estimate_is_that_of_all_other_trials(
    pair: tuple[str, str],
) -> None:
    others = frame(TWO_ARMS).groupby("study").filter(lambda t: set(t["treatment"]) != set(pair))
    rest = nma.fit(network(others), engine=nma.engines.LeastSquares(0.2))
    alone = cells(nma.effect_table(rest)).loc[pair[::-1]]
    row = cells(side_splitting(fitted(TWO_ARMS))).loc[pair[::-1]]
    assert row["indirect"] == pytest.approx(alone["mean"], abs=1e-10)
    assert row["indirect_se"] == pytest.approx(alone["sd"], abs=1e-10)


def test_on_two_arm_trials_the_network_estimate_is_the_inverse_variance_mean_of_the_two() -> None:
    table = cells(side_splitting(fitted(TWO_ARMS)))
    direct, indirect = table["direct_se"] ** -2, table["indirect_se"] ** -2
    mean = (direct * table["direct"] + indirect * table["indirect"]) / (direct + indirect)
    effects = cells(nma.effect_table(fitted(TWO_ARMS)))["mean"]
    np.testing.assert_allclose(mean, effects.loc[list(table.index)], atol=1e-10)
    np.testing.assert_allclose(table["network"], effects.loc[list(table.index)], atol=1e-10)
    np.testing.assert_allclose(table["direct_proportion"], direct / (direct + indirect), atol=1e-10)


def test_columns_of_net_heat_add_to_what_detaching_takes_off() -> None:
    posterior = fitted(TANGLED)
    heat, table = cells(net_heat(posterior)), cells(design_by_treatment(posterior))
    between = table.loc[("between designs", ""), "Q"]
    detached = table.loc["detached", "Q"]
    np.testing.assert_allclose(heat.sum(), between - detached[heat.columns], atol=1e-9)
    assert np.trace(heat) == pytest.approx(between, abs=1e-9)


def test_flows_of_net_heat_are_the_hat_matrix_of_two_arm_designs() -> None:
    posterior = fitted(TWO_ARMS, tau=0)
    flow = np.array(net_heat(posterior).attrs["flow"])
    hat = np.abs(cells(hat_matrix(posterior)).to_numpy())
    assert flow.shape == (6, 6)
    np.testing.assert_allclose(np.sort(flow.ravel()), np.sort(hat.ravel()), atol=1e-12)


def test_a_loop_with_a_multi_arm_trial_has_the_variance_of_its_sum() -> None:
    """By simulation of nothing: the same sum from arm means, their variances written out."""
    arms = frame([(A, B, C), (A, B)])
    posterior = nma.fit(network(arms), engine=nma.engines.LeastSquares(0.0))
    row = loops(posterior).iloc[0]
    variance = arms["sd"] ** 2 / arms["n"]
    three, two = variance[:3].to_numpy(), variance[3:].sum()
    share = two / (three[0] + three[1] + two)  # of the three-arm trial, on A vs B
    mean = arms["mean"].to_numpy()
    apart = (mean[3] - mean[4]) - (mean[0] - mean[1])
    assert row["difference"] == pytest.approx(abs((1 - share) * apart), abs=1e-12)
    expected = (1 - share) * np.sqrt(three[0] + three[1] + two)
    assert row["se"] == pytest.approx(expected, abs=1e-12)


def test_loops_that_multi_arm_trials_feed_alone_are_skipped_and_named() -> None:
    found = loops(fitted([(A, B, C), (A, B, C), (C, D), (A, D)]))
    assert list(found.index) == [f"{A} : {C} : {D}"]
    assert "Skipped, since every trial that feeds them holds the whole loop" in found.notes[0]
    assert f"{A} : {B} : {C}" in found.notes[0]
    with pytest.raises(ModelError, match="longest=2: a loop has 3"):
        loops(fitted(STAR), longest=2)
    with pytest.raises(ModelError, match="level=95 must lie between 0 and 1"):
        loops(fitted(STAR), level=95)


def test_the_hat_matrix_makes_the_network_estimates() -> None:
    """On two-arm trials H times the direct estimates; each row a flow of one."""
    posterior = fitted(TWO_ARMS)
    hat, split = cells(hat_matrix(posterior)), cells(side_splitting(posterior))
    effects = cells(nma.effect_table(posterior))["mean"]
    direct = split["direct"].set_axis([f"{a} vs {b}" for a, b in split.index])
    np.testing.assert_allclose(
        hat.to_numpy() @ direct[hat.columns], effects.loc[list(hat.index)], atol=1e-10
    )


def test_counts_are_read_by_the_normal_approximation_and_it_is_said() -> None:
    network = nma.datasets.network("smoking")
    counts = nma.fit(network, engine=nma.engines.Laplace(draws=256, chains=2))
    normal = nma.fit(network.as_normal(), engine=nma.engines.LeastSquares("DL"))
    for check in (design_by_treatment, net_heat):
        one, other = check(counts), check(normal)
        np.testing.assert_allclose(cells(one), cells(other), atol=1e-10)
        assert any("normal approximation" in note for note in one.notes)


def test_tau_is_that_of_the_fit_unless_told() -> None:
    posterior = nma.fit(nma.datasets.network("senn2013"))
    mean = cells(nma.summary(posterior)).loc["tau", "mean"]
    one, other = side_splitting(posterior), side_splitting(posterior, tau=float(mean))
    np.testing.assert_array_equal(cells(one), cells(other))
    assert "that of the fit" in one.caption
    with pytest.raises(EngineError, match="'dl' is no way to find tau"):
        side_splitting(posterior, tau="dl")
    common = nma.fit(posterior.network, nma.Model(heterogeneity=nma.heterogeneity.Common()))
    np.testing.assert_array_equal(
        cells(side_splitting(common)), cells(side_splitting(posterior, tau="common"))
    )


def test_trials_set_aside_can_leave_nothing_to_compare() -> None:
    """The one trial of drug D has no events, so the normal approximation knows nothing of it."""
    rows = [("1", A, 4, 50), ("1", B, 9, 50), ("2", A, 5, 50), ("2", B, 7, 50)]
    rows += [("3", A, 0, 50), ("3", D, 0, 50)]
    arms = pd.DataFrame(rows, columns=["study", "treatment", "events", "n"])
    outcome = nma.outcomes.Binary("events", "n", measure="OR", better="lower")
    network = nma.Network.from_arms(arms, study="study", treatment="treatment", outcome=outcome)
    posterior = nma.fit(network, engine=nma.engines.Laplace(draws=256, chains=2))
    for check in CHECKS:
        with pytest.raises(ModelError, match=f"do not connect {D} with {A}"):
            check(posterior)


def test_a_disconnected_network_is_refused_in_words() -> None:
    apart = network(frame([(A, B), (C, D)]))
    with pytest.raises(DataError, match="falls into 2 parts that no trial connects"):
        nma.fit(apart, engine=nma.engines.LeastSquares(0.2))
    whole = fitted([(A, B), (B, C), (C, D)])
    for check in CHECKS:
        with pytest.raises(ModelError, match=f"do not connect {C}, {D} with {A}"):
            check(replace(whole, network=apart))


def test_another_structure_is_left_aside_and_it_is_said() -> None:
    @dataclass(frozen=True)
    class Mine:
        """Whatever else a model may say of levels."""

    posterior = fitted(TANGLED)
    structure: Any = Mine()
    mine = replace(posterior, model=replace(posterior.model, structure=structure))
    for check in CHECKS:
        found = check(mine)
        assert "of one effect for each treatment; what Mine adds is left aside" in str(found.notes)
        pd.testing.assert_frame_equal(cells(found), cells(check(posterior)))


def test_repeated_arms_of_a_trial_count_as_one_treatment() -> None:
    """Two arms on one treatment tell what their precision-weighted mean would, at tau zero."""
    arms = frame([(A, B), (B, C), (A, C), (A, B)])
    merged = nma.fit(network(arms), engine=nma.engines.LeastSquares(0.0))
    half = arms.assign(n=arms["n"] / 2)
    twice = pd.concat([half[half["treatment"] == A], half, half[half["treatment"] != A]])
    outcome = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
    kept = nma.Network.from_arms(
        twice, study="study", treatment="treatment", outcome=outcome, repeated_arms="keep"
    )
    split = nma.fit(kept, engine=nma.engines.LeastSquares(0.0))
    for check in (side_splitting, loops, direct_proportions, hat_matrix):
        one, other = (np.abs(cells(check(p)).to_numpy(dtype=float)) for p in (merged, split))
        np.testing.assert_allclose(one, other, atol=1e-9)
    table = cells(design_by_treatment(split))["Q"]
    assert table["between designs", ""] == pytest.approx(
        cells(design_by_treatment(merged))["Q"]["between designs", ""], abs=1e-9
    )


def test_random_effects_without_a_single_tau_ask_for_one() -> None:
    posterior = fitted(TANGLED)
    (effect,) = posterior.problem.effects
    two = (effect, replace(effect, scale="tau of small trials"))
    other = replace(posterior, problem=replace(posterior.problem, effects=two))
    for check in (side_splitting, loops, direct_proportions, hat_matrix):
        with pytest.raises(ModelError, match="no single tau to hold fixed: give tau as a number"):
            check(other)
    pd.testing.assert_frame_equal(
        cells(side_splitting(other, tau=0.2)), cells(side_splitting(posterior))
    )
