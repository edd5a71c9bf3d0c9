"""Node-splitting tells direct from indirect evidence, and what it could not have seen."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import nma
from coherent import DRUGS, STAR, TANGLED, TREE, TWO_ARMS, A, B, C, D, frame, network
from nma.checks import node_splitting, side_splitting
from nma.checks._split_table import POWER
from nma.errors import ModelError
from nma.priors import Fixed, HalfNormal, Normal
from nma.structures import Consistency, NodeSplit, UnrelatedMeans

TAU = 0.2
KNOWN = nma.Model(heterogeneity=nma.heterogeneity.Random(Fixed(TAU)))


def split(posterior: nma.Posterior, *arguments: Any, **more: Any) -> Any:
    """Return the table as something that mypy lets tests read cells of."""
    return node_splitting(posterior, *arguments, **more)


def fitted(trials: Sequence[tuple[str, ...]], model: nma.Model | None = None) -> nma.Posterior:
    return nma.fit(network(frame(trials)), model)


@pytest.fixture(scope="module")
def tangled() -> nma.Posterior:
    return fitted(TANGLED)


@pytest.fixture(scope="module")
def table(tangled: nma.Posterior) -> Any:
    return split(tangled)


def test_least_squares_splits_of_two_arm_trials_are_side_splits() -> None:
    trials = network(frame(TWO_ARMS))
    posterior = nma.fit(trials, engine=nma.engines.LeastSquares(TAU))
    ours = pd.DataFrame(split(posterior))
    theirs = pd.DataFrame(side_splitting(posterior)).loc[ours.index]
    for name in ("direct", "indirect", "network", "difference"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(ours[f"{name}_sd"], theirs[f"{name}_se"], rtol=1e-9)
    np.testing.assert_allclose(ours["p"], theirs["p"], rtol=1e-8)
    np.testing.assert_allclose(ours["share_direct"], theirs["direct_proportion"], rtol=1e-9)


def test_with_wide_priors_and_known_tau_the_posterior_says_the_same() -> None:
    wide = replace(KNOWN, structure=Consistency(Normal(0, 1e4)))
    trials = network(frame(TWO_ARMS))
    theirs = side_splitting(nma.fit(trials, engine=nma.engines.LeastSquares(TAU)))
    posterior = nma.fit(trials, wide)
    for pair in split(posterior).index:
        model = NodeSplit(wide.structure, pair[1], pair[0], inconsistency=Normal(0, 1e4))
        moments = nma.fit(trials, replace(wide, structure=model)).draws.moments
        assert moments is not None
        w = moments.of(np.eye(moments.mean.shape[1])[-1:])
        assert w.mean[0] == pytest.approx(theirs.loc[pair, "difference"], rel=1e-5, abs=1e-7)
        assert w.sd[0] == pytest.approx(theirs.loc[pair, "difference_se"], rel=1e-6)


def test_the_network_lies_between_direct_and_indirect_on_two_arm_trials() -> None:
    trials = network(frame(TWO_ARMS))
    rows = pd.DataFrame(split(nma.fit(trials, engine=nma.engines.LeastSquares(TAU))))
    mean = rows["share_direct"] * rows["direct"] + (1 - rows["share_direct"]) * rows["indirect"]
    np.testing.assert_allclose(mean, rows["network"], rtol=0, atol=1e-12)


def test_direct_is_indirect_and_difference(table: Any) -> None:
    np.testing.assert_allclose(
        table["direct"], table["indirect"] + table["difference"], rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("trials", [STAR, TREE, [(A, B)] * 3, [(A, B, C)] * 2])
def test_a_tree_has_nothing_to_split(trials: list[tuple[str, ...]]) -> None:
    """Nor has a star, or trials that all compare the same: every row is there, empty."""
    posterior = fitted(trials)
    table = pd.DataFrame(split(posterior))
    assert set(map(frozenset, table.index)) == set(map(frozenset, posterior.network.graph.edges))
    assert table[["direct", "indirect", "difference", "p", "bayes_factor"]].isna().all(axis=None)
    assert table[["trials", "network"]].notna().all(axis=None)
    notes = split(posterior).notes
    assert "Nothing can be split: inconsistency cannot show." in notes
    assert any("no other trials connect them" in note for note in notes)


def test_what_is_split_is_what_has_independent_indirect_evidence(table: Any) -> None:
    mixed = [(A, B, C), (A, C), (C, D), (B, D)]
    can = split(fitted(mixed))["p"].notna()
    trials = {f"trial {k}": arms for k, arms in enumerate(mixed)}
    for b, a in can.index:
        assert can[b, a] == nma.graph.has_indirect_evidence(trials, a, b)
    assert 0 < can.sum() < len(can)
    assert table["p"].notna().all()


def test_the_detectable_difference_is_found_with_80_percent_power(table: Any) -> None:
    found = table["detectable"] / table["difference_sd"]
    power = norm.sf(norm.isf(0.025) - found) + norm.cdf(norm.ppf(0.025) - found)
    np.testing.assert_allclose(power, 0.8, atol=1e-5)
    assert pytest.approx(norm.ppf(0.975) + norm.ppf(0.8), abs=1e-7) == POWER
    (note,) = [note for note in split(fitted(TWO_ARMS)).notes if "80 % power" in note]
    assert "does not show consistency" in note


@pytest.mark.parametrize("sd", [0.5, 1.0, 30.0])
def test_bayes_factors_are_ratios_of_evidence(tangled: nma.Posterior, sd: float) -> None:
    """The same by a fit under the named prior itself, exact."""
    pair = (C, A)
    table = split(tangled, [pair], inconsistency=Normal(0, sd))
    model = NodeSplit(tangled.model.structure, A, C, inconsistency=Normal(0, sd))
    named = nma.fit(tangled.network, replace(tangled.model, structure=model)).draws.moments
    none = tangled.draws.moments
    assert named is not None
    assert none is not None
    expected = np.exp(named.log_evidence - none.log_evidence)
    assert table.loc[pair, "bayes_factor"] == pytest.approx(expected, rel=1e-5)


def test_bayes_factors_of_counts_agree_with_a_fit_under_the_named_prior() -> None:
    posterior = nma.fit(nma.datasets.network("smoking"))
    a, b = "no intervention", "self-help"
    table = split(posterior, [(b, a)])
    model = NodeSplit(posterior.model.structure, a, b, inconsistency=Normal(0, 1))
    named = nma.fit(posterior.network, replace(posterior.model, structure=model))
    ratio = named.draws.diagnostics["log_evidence"] - posterior.draws.diagnostics["log_evidence"]
    assert np.log(table.loc[(b, a), "bayes_factor"]) == pytest.approx(ratio, abs=0.03)
    assert (table["mcse"].dropna() > 0).all()


def test_a_planted_inconsistency_is_found_where_it_is() -> None:
    arms = frame(TWO_ARMS * 2)
    planted = arms["study"].isin(["trial 5", "trial 12"]) & (arms["treatment"] == D)
    arms.loc[planted, "mean"] += 3
    posterior = nma.fit(network(arms))
    table = split(posterior)
    assert table["difference"].abs().idxmax() == (D, A)
    assert table.loc[(D, A), "difference"] == pytest.approx(3, abs=0.8)
    assert table.loc[(D, A), "p"] < 0.05
    assert table.loc[(D, A), "bayes_factor"] > 3
    assert f"{D} vs {A}" in next(note for note in table.notes if "p below 0.05" in note)


def test_the_order_of_treatments_mirrors_symmetric_splits(tangled: nma.Posterior) -> None:
    forward = pd.DataFrame(split(tangled, order=DRUGS))
    backward = pd.DataFrame(split(tangled, order=DRUGS[::-1]))
    mirrored = backward.swaplevel().loc[forward.index]
    for name in ("direct", "indirect", "network", "difference"):
        np.testing.assert_allclose(forward[name], -mirrored[name], rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(
            forward[f"{name}_lower"], -mirrored[f"{name}_upper"], rtol=1e-8, atol=1e-9
        )
    same = ["p", "share_direct", "bayes_factor", "detectable", "tau"]
    np.testing.assert_allclose(forward[same], mirrored[same], rtol=1e-8)


def test_the_baseline_rule_depends_on_the_order_and_says_so(tangled: nma.Posterior) -> None:
    forward = split(tangled, [(B, A)], multiarm="baseline")
    backward = split(tangled, [(A, B)], multiarm="baseline")
    assert forward.loc[(B, A), "p"] != pytest.approx(backward.loc[(A, B), "p"], rel=1e-3)
    assert any("other orders give other numbers" in note for note in forward.notes)


def test_executors_give_the_same_numbers(tangled: nma.Posterior, table: Any) -> None:
    with ThreadPoolExecutor(2) as pool:
        threaded = split(tangled, executor=pool)
    pd.testing.assert_frame_equal(pd.DataFrame(table), pd.DataFrame(threaded), check_exact=True)


class Stopped:
    """An executor that the user interrupts after two fits."""

    def map(self, function: Any, values: Any, /) -> Any:
        for k, value in enumerate(values):
            if k == 2:
                raise KeyboardInterrupt
            yield function(value)


def test_an_interruption_leaves_what_is_finished(tangled: nma.Posterior, table: Any) -> None:
    partial = split(tangled, executor=Stopped())
    assert partial.caption.startswith("PARTIAL")
    assert len(partial) == 2
    pd.testing.assert_frame_equal(pd.DataFrame(partial), pd.DataFrame(table).loc[partial.index])
    assert any(note.startswith("Not fitted:") for note in partial.notes)


def test_without_priors_there_are_no_bayes_factors() -> None:
    table = split(nma.fit(network(frame(TWO_ARMS)), engine=nma.engines.LeastSquares()))
    assert table["bayes_factor"].isna().all()
    assert "No Bayes factors: least squares has no prior." in table.notes


def test_where_no_trial_tells_the_unit_the_prior_is_asked_for() -> None:
    outcome = nma.outcomes.Contrast("effect", "se", measure="MD", better="lower")
    rows = [("1", B, A, -1.0), ("2", C, A, -0.5), ("3", C, B, 0.2)]
    frame = pd.DataFrame(rows, columns=["study", "treatment", "comparator", "effect"])
    trials = nma.Network.from_contrasts(
        frame.assign(se=0.3),
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=outcome,
    )
    spread = nma.heterogeneity.Random(HalfNormal(0.5))
    posterior = nma.fit(trials, nma.Model(Consistency(Normal(0, 10)), spread))
    with pytest.raises(ModelError, match="name it, as in inconsistency="):
        split(posterior)
    assert split(posterior, inconsistency=Normal(0, 1))["p"].notna().all()


def test_common_effect_models_have_no_tau() -> None:
    posterior = fitted(TWO_ARMS, nma.Model(heterogeneity=nma.heterogeneity.Common()))
    assert split(posterior)["tau"].isna().all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"comparisons": [("drug X", A)]}, "'drug X' versus 'drug A' cannot be split: no trial"),
        ({"comparisons": [(A, A)]}, "'drug A' versus 'drug A' cannot be split"),
        ({"comparisons": "drug A"}, "comparisons"),
        ({"comparisons": [A, B]}, "no such pair"),
        ({"order": [A, B, C]}, "'drug D' is left out"),
        ({"order": A}, "is one name"),
        ({"multiarm": "Symmetric"}, "is none of 'symmetric', 'baseline'"),
        ({"inconsistency": Normal(1, 1)}, "mean zero"),
        ({"level": 95}, "0.95"),
    ],
)
def test_bad_questions(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        split(fitted(TWO_ARMS), **arguments)


def test_structures_without_levels_are_refused() -> None:
    posterior = fitted(TWO_ARMS, nma.Model(UnrelatedMeans()))
    with pytest.raises(ModelError, match="no treatment has one level outside its trials"):
        split(posterior)
