"""Differences that matter: shares of the posterior, who is near the best, while that holds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import nma
import pictures
from nma.decisions import MCID
from nma.decisions._near_best import _behind, _scores
from nma.errors import EngineError, ModelError

VERBS: dict[str, Callable[..., nma.tables.Table]] = {
    name: getattr(nma.decisions, name)
    for name in ("better_by", "near_best", "mcid_scores", "equivalence", "mcid_interval")
}
PAIR = ("multimodal care", "passive control")
SHARES = ["better", "trivial", "worse"]


def matters(value: float, **more: Any) -> MCID:
    return MCID(value, kind="between-group", source="chosen for a test", **more)


@pytest.fixture(scope="module")
def exact() -> nma.Posterior:
    return nma.fit(nma.datasets.network("back_pain"))


@pytest.fixture(scope="module")
def drawn(exact: nma.Posterior) -> nma.Posterior:
    """The same posterior, known by its draws alone."""
    return replace(exact, draws=replace(exact.draws, moments=None))


@pytest.fixture(scope="module")
def ratios() -> nma.Posterior:
    return nma.fit(pictures.contrasts(pictures.chain(list("abcde"))))


@pytest.fixture(scope="module", params=["exact", "drawn", "ratios"])
def any_posterior(request: pytest.FixtureRequest) -> nma.Posterior:
    posterior: nma.Posterior = request.getfixturevalue(request.param)
    return posterior


def reversed_(posterior: nma.Posterior) -> nma.Posterior:
    """The same numbers, of an outcome whose other direction is better."""
    (source,) = posterior.network.sources
    better = "higher" if posterior.network.better == "lower" else "lower"
    outcome: Any = replace(source.outcome, better=better)  # type: ignore[type-var]
    network = replace(posterior.network, sources=(replace(source, outcome=outcome),))
    return replace(posterior, network=network)


def swapped(table: pd.DataFrame) -> pd.DataFrame:
    """Every pair by its mirror image."""
    return pd.DataFrame(table).swaplevel().rename_axis(table.index.names).reindex(table.index)


def test_it_is_the_normal_tail_where_tau_is_known() -> None:
    network = nma.datasets.network("back_pain")
    fixed = nma.Model(heterogeneity=nma.heterogeneity.Random(tau=nma.priors.Fixed(0.36)))
    posterior = nma.fit(network, fixed)
    effects = nma.effect_table(posterior)
    found = nma.decisions.better_by(posterior, mcid=matters(1.5))["better_by"]
    expected: Any = stats.norm.cdf((-1.5 - effects["mean"]) / effects["sd"])
    np.testing.assert_allclose(found, expected, atol=1e-14)
    new = nma.decisions.equivalence(posterior, mcid=matters(1.5), predictive=True)
    wide = np.hypot(effects["sd"], 0.36)
    predicted = stats.norm.cdf((-1.5 - effects["mean"]) / wide)
    np.testing.assert_allclose(new["predictive_better"], predicted, atol=1e-14)


def test_better_at_all_is_what_effect_tables_say(any_posterior: nma.Posterior) -> None:
    found = nma.decisions.better_by(any_posterior, mcid=matters(1.3))["p_better"]
    np.testing.assert_allclose(found, nma.effect_table(any_posterior)["p_better"], atol=1e-14)


def test_treatments_with_one_level_differ_trivially_whatever_the_mcid() -> None:
    network = nma.datasets.network("bcg").as_normal()
    structure = nma.structures.Regression(
        nma.structures.Consistency(), "latitude", control=network.reference
    )
    posterior = nma.at(
        nma.fit(network, nma.Model(structure)),
        treatments=[network.reference] * 2,
        latitude=[13, 44],
    )
    without = replace(posterior, draws=replace(posterior.draws, moments=None))
    for one in (posterior, without):
        table = nma.decisions.equivalence(one, mcid=matters(1.0001))
        np.testing.assert_allclose(table["trivial"], 1, atol=1e-14)
        better = nma.decisions.better_by(one, mcid=matters(2))
        np.testing.assert_allclose(better["p_better"], 0.5, atol=1e-14)
        scores = nma.decisions.mcid_scores(one, mcid=matters(2))
        np.testing.assert_allclose(scores["score"], 1.5, atol=1e-14)
    assert "latitude 13" in nma.decisions.near_best(posterior, mcid=matters(2)).index[0]


def test_captions_say_at_which_values_of_covariates() -> None:
    network = nma.datasets.network("bcg").as_normal()
    structure = nma.structures.Regression(
        nma.structures.Consistency(), "latitude", control=network.reference
    )
    posterior = nma.at(nma.fit(network, nma.Model(structure)), latitude=13)
    for verb in VERBS.values():
        assert "At latitude 13." in " ".join(verb(posterior, mcid=matters(2)).caption.split())


def test_draws_agree_with_the_exact_answer(exact: nma.Posterior, drawn: nma.Posterior) -> None:
    mcid = matters(0.4)
    for verb, column in {
        "better_by": "better_by",
        "equivalence": "trivial",
        "mcid_scores": "score",
    }.items():
        one, other = (VERBS[verb](p, mcid=mcid) for p in (exact, drawn))
        apart = (one[column] - other[column]).abs()
        rarest = 1 / drawn.draws.values["tau"].size  # what no draw shows has no error either
        assert (apart <= 5 * other["mcse"] + rarest).all()
        assert (one["mcse"] == 0).all()
        assert (other["mcse"] > 0).any()


@pytest.mark.parametrize("predictive", [False, True])
def test_the_three_shares_sum_to_one(any_posterior: nma.Posterior, predictive: bool) -> None:
    table = nma.decisions.equivalence(any_posterior, mcid=matters(1.4), predictive=predictive)
    np.testing.assert_allclose(table[SHARES].sum(axis=1), 1, atol=1e-12)
    if predictive:
        new = table[[f"predictive_{name}" for name in SHARES]]
        np.testing.assert_allclose(new.sum(axis=1), 1, atol=1e-12)


def test_reversing_better_mirrors_everything(any_posterior: nma.Posterior) -> None:
    mcid, other = matters(1.3), reversed_(any_posterior)
    one: Any
    two: Any
    one, two = (nma.decisions.better_by(p, mcid=mcid) for p in (any_posterior, other))
    np.testing.assert_allclose(two["better_by"], swapped(one)["better_by"], atol=1e-14)
    one, two = (nma.decisions.equivalence(p, mcid=mcid) for p in (any_posterior, other))
    np.testing.assert_allclose(two["better"], one["worse"], atol=1e-14)
    np.testing.assert_allclose(two["trivial"], one["trivial"], atol=1e-14)
    one, two = (nma.decisions.mcid_scores(p, mcid=mcid)["score"] for p in (any_posterior, other))
    np.testing.assert_allclose(two[one.index], len(one) + 1 - one, atol=1e-12)
    one, two = (nma.decisions.mcid_interval(p, mcid=mcid) for p in (any_posterior, other))
    np.testing.assert_allclose(two["mcid_upper"], swapped(one)["mcid_upper"], rtol=1e-3)


def test_at_mcid_0_within_0_of_the_best_is_the_best(any_posterior: nma.Posterior) -> None:
    sign = -1 if any_posterior.network.better == "lower" else 1
    levels = any_posterior.draws.values["beta"].to_numpy() @ any_posterior.levels.T
    first = nma.p_best(any_posterior)["p_best"].to_numpy()
    np.testing.assert_array_equal((_behind(sign * levels) <= 0).mean(axis=(0, 1)), first)
    tiny = matters(1 + 1e-12 if any_posterior.network.ratio else 1e-12)
    found = nma.decisions.near_best(any_posterior, mcid=tiny)
    np.testing.assert_array_equal(found["near_best"], first)
    np.testing.assert_array_equal(found["p_best"], first)


def test_more_are_near_the_best_as_the_mcid_grows(any_posterior: nma.Posterior) -> None:
    found = [
        nma.decisions.near_best(any_posterior, mcid=matters(value))["near_best"].to_numpy()
        for value in (1.1, 1.3, 2, 1e6)
    ]
    assert (np.diff(found, axis=0) >= 0).all()
    assert (found[-1] == 1).all()


def test_a_score_becomes_the_mean_rank_as_the_mcid_goes_to_0(
    any_posterior: nma.Posterior,
) -> None:
    tiny = matters(1 + 1e-9 if any_posterior.network.ratio else 1e-9)
    scores = nma.decisions.mcid_scores(any_posterior, mcid=tiny)["score"]
    ranks = nma.sucra(any_posterior)["mean_rank"]
    np.testing.assert_allclose(scores[ranks.index], ranks, atol=1e-7)


def test_scores_average_half_of_one_more_than_the_treatments(any_posterior: nma.Posterior) -> None:
    middle = (len(any_posterior.treatments) + 1) / 2
    for value in (1.05, 1.4, 3):
        table = nma.decisions.mcid_scores(any_posterior, mcid=matters(value))
        assert table["score"].mean() == pytest.approx(middle, abs=1e-12)
        assert (table["lower"] <= table["upper"]).all()
    far = nma.decisions.mcid_scores(any_posterior, mcid=matters(1e9))
    np.testing.assert_allclose(far["score"], middle, atol=1e-12)


def test_scores_of_a_chain_are_no_ranks() -> None:
    """B is within the MCID of A and C of B, but C is worse than A by more than it."""
    benefit = np.array([[[2.0, 1.4, 0.8]]])
    assert _scores(benefit, 1.0).tolist() == [[[1.5, 2.0, 2.5]]]
    higher = np.array([[[2.0, 2.4, 0.8]]])
    drawn = np.concatenate([_scores(benefit, 1.0), _scores(higher, 1.0)])
    values = np.unique(drawn)
    mass = np.array([(drawn == value).mean(axis=(0, 1)) for value in values])
    np.testing.assert_allclose(mass.sum(axis=0), 1)
    assert not np.allclose(mass.sum(axis=1), 1)


def test_duplicating_a_column_of_draws_gives_equal_scores_and_no_difference_between() -> None:
    rng = np.random.default_rng(3)
    benefit = rng.normal(size=(4, 500, 3))
    twice = np.concatenate([benefit, benefit[..., :1]], axis=-1)
    for size in (0.0, 0.7):
        scores = _scores(twice, size)
        np.testing.assert_array_equal(scores[..., 0], scores[..., 3])
        np.testing.assert_allclose(scores.sum(axis=-1), 10)


def test_the_preference_is_the_same_within_its_interval_and_not_beyond(
    any_posterior: nma.Posterior,
) -> None:
    for probability in (0.5, 0.8):
        table = nma.decisions.mcid_interval(
            any_posterior, mcid=matters(1.3), probability=probability
        )
        ends: Any = table["mcid_upper"].where(table["preferred"], table["mcid_lower"])
        none = 1.0 if any_posterior.network.ratio else 0.0
        for pair, end in ends[ends > none].items():
            just = 1e-6 * (end - none)
            for value, is_preferred in ((end - just, True), (end + just, False)):
                again = nma.decisions.mcid_interval(
                    any_posterior, mcid=matters(value), probability=probability
                )
                assert bool(again["preferred"][pair]) is is_preferred
                assert bool(again["better_by"][pair] >= probability) is is_preferred


def test_the_end_of_the_interval_is_the_quantile_of_the_benefit(exact: nma.Posterior) -> None:
    table = nma.decisions.mcid_interval(exact, mcid=matters(1.0), probability=0.9)
    end = table["mcid_upper"][PAIR]
    assert table["preferred"][PAIR]
    again = nma.decisions.better_by(exact, mcid=matters(end))
    assert again["better_by"][PAIR] == pytest.approx(0.9, abs=1e-9)
    assert table["mcid_lower"][PAIR[::-1]] == 0
    assert table["mcid_upper"][PAIR[::-1]] == math.inf


def test_the_same_are_within_reach_over_the_whole_invariant_interval(
    any_posterior: nma.Posterior,
) -> None:
    table = nma.decisions.near_best(any_posterior, mcid=matters(1.2))
    low, high = table.attrs["invariant"]
    ours = table.attrs["within_reach"]
    assert set(table.index[table["near_best"] >= 0.5]) == set(ours)
    none = 1.0 if any_posterior.network.ratio else 0.0
    inside = [max(low, none + 1e-9) * (1 + 1e-9), min(high, 1e6) * (1 - 1e-9)]
    for value in inside:
        again = nma.decisions.near_best(any_posterior, mcid=matters(value))
        assert again.attrs["within_reach"] == ours
    beyond = [value for value in (low * (1 - 1e-9), high * (1 + 1e-9)) if none < value < math.inf]
    assert beyond
    for value in beyond:
        again = nma.decisions.near_best(any_posterior, mcid=matters(value))
        assert again.attrs["within_reach"] != ours


def test_points_of_an_instrument_are_as_good_as_sds() -> None:
    posterior = nma.fit(nma.datasets.network("back_pain_simulated"))
    vas = matters(11, instrument=nma.instruments.VAS, reference_sd=22.0)
    sds = matters(0.5)
    one: Any
    other: Any
    for name, column in (("better_by", "better_by"), ("near_best", "near_best")):
        one, other = (VERBS[name](posterior, mcid=m)[column] for m in (vas, sds))
        np.testing.assert_allclose(one, other, atol=1e-12)
    one, other = (nma.decisions.near_best(posterior, mcid=m) for m in (vas, sds))
    np.testing.assert_allclose(one["behind"], 22 * other["behind"])
    assert "points of VAS" in str(one)
    assert "1 SMD = 22 points of VAS, taken as known" in " ".join(str(one).split())
    one, other = (nma.decisions.mcid_interval(posterior, mcid=m) for m in (vas, sds))
    np.testing.assert_allclose(one["mcid_upper"], 22 * other["mcid_upper"])


def test_ratios_matter_in_both_directions_alike(ratios: nma.Posterior) -> None:
    table = nma.decisions.equivalence(ratios, mcid=matters(1.25))
    assert table.attrs["range"] == pytest.approx((0.8, 1.25))
    np.testing.assert_allclose(swapped(table)["worse"], table["better"], atol=1e-14)
    assert "a ratio of 1.25" in " ".join(table.caption.split())


def test_a_least_squares_fit_has_confidence_and_no_probabilities() -> None:
    network = nma.datasets.network("senn2013")
    posterior = nma.fit(network, engine=nma.engines.LeastSquares())
    for name in ("better_by", "equivalence", "mcid_interval"):
        said = " ".join(str(VERBS[name](posterior, mcid=matters(0.5))).split())
        assert "No posterior: these are one-sided confidences" in said
    for name in ("near_best", "mcid_scores"):
        said = " ".join(str(VERBS[name](posterior, mcid=matters(0.5))).split())
        assert "sampling distribution of the estimates" in said


def test_what_no_trials_compare_is_left_empty_or_refused() -> None:
    rows = [("E", "usual", -0.5, 0.2), ("E + C", "C", -0.6, 0.2), ("C", "S", -0.3, 0.2)]
    frame = pd.DataFrame(rows, columns=["treatment", "comparator", "effect", "se"])
    network = nma.Network.from_contrasts(
        frame.assign(study=["one", "two", "three"]),
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=nma.outcomes.Contrast("effect", "se", measure="MD", better="lower", scale=1.0),
        reference="usual",
    )
    model = nma.Model(nma.structures.Components(separator=" + ", inactive="usual"))
    posterior = nma.fit(network, model, engine=nma.engines.LeastSquares("common"))
    table = nma.decisions.equivalence(posterior, mcid=matters(0.2))
    assert table.loc[("S", "usual"), SHARES].isna().all()
    assert table.loc[("E", "usual"), SHARES].notna().all()
    interval = nma.decisions.mcid_interval(posterior, mcid=matters(0.2))
    assert interval.loc[("S", "usual"), ["mcid_lower", "mcid_upper"]].isna().all()
    drawn = nma.plots.equivalence.marks(table, comparator="usual")
    assert drawn["text"]["S"] == ""
    assert pictures.faults(nma.plots.equivalence.draw(drawn)) == []
    for name in ("near_best", "mcid_scores"):
        with pytest.raises(EngineError, match="determine C, S"):
            VERBS[name](posterior, mcid=matters(0.5))


@pytest.mark.parametrize("verb", VERBS)
def test_an_mcid_of_the_wrong_kind_or_scale_is_refused(
    verb: str, exact: nma.Posterior, ratios: nma.Posterior
) -> None:
    within = MCID(2, kind="within-person", source="Ostelo 2008")
    with pytest.raises(ModelError, match="judges the change of one person"):
        VERBS[verb](exact, mcid=within)
    with pytest.raises(ModelError, match="is a ratio, so give one above 1"):
        VERBS[verb](ratios, mcid=matters(0.8))
    with pytest.raises(ModelError, match="does not say whose it is"):
        VERBS[verb](exact, mcid=1.5)
    alone = nma.at(exact, treatments=["multimodal care"])
    with pytest.raises(ModelError, match="'multimodal care' is alone"):
        VERBS[verb](alone, mcid=matters(1.5))


def test_near_misses_of_comparators_and_probabilities_are_named(exact: nma.Posterior) -> None:
    with pytest.raises(ModelError, match="Did you mean 'passive control'"):
        nma.decisions.better_by(exact, mcid=matters(1), comparators=["passive controls"])
    for wrong in (50, 0, 1, True, "half"):
        with pytest.raises(ModelError, match="how sure a preference has to be"):
            nma.decisions.mcid_interval(exact, mcid=matters(1), probability=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("verb", VERBS)
def test_ranking_under_a_structure_where_it_is_undefined_is_refused(verb: str) -> None:
    network = nma.datasets.network("senn2013")
    posterior = nma.fit(network, nma.Model(structure=nma.structures.UnrelatedMeans()))
    with pytest.raises(ModelError, match=r"[Uu]nrelated"):
        VERBS[verb](posterior, mcid=matters(0.5))


def test_marks_of_an_equivalence_forest_are_the_shares(exact: nma.Posterior) -> None:
    table = nma.decisions.equivalence(exact, mcid=matters(1.2))
    marks = nma.plots.equivalence.marks(table, comparator="standard exercise")
    assert marks.attrs["range"] == (-1.2, 1.2)
    assert (np.diff(marks["estimate"]) >= 0).all()
    for name in marks.index:
        ours = table.loc[(name, "standard exercise"), SHARES]
        np.testing.assert_array_equal(marks.loc[name, SHARES], ours)
    said = " ".join(pictures.written(nma.plots.equivalence.draw(marks)))
    assert "Shaded: \N{MINUS SIGN}1.2 to 1.2" in said
    one = nma.decisions.equivalence(exact, mcid=matters(1.2), comparators=["standard exercise"])
    assert nma.plots.equivalence.marks(one).attrs["comparator"] == "standard exercise"
    with pytest.raises(ModelError, match="Did you mean 'standard exercise'"):
        nma.plots.equivalence(one, comparator="standard exercises")
    with pytest.raises(ModelError, match=r"nma.plots.equivalence\(nma.decisions.equivalence"):
        nma.plots.equivalence(exact)  # type: ignore[arg-type]
