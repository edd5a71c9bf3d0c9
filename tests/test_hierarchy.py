"""Hierarchies: SUCRA and ranks with intervals, POTH, whole orders, and orders over outcomes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
import pictures
from mirrors import drawn, mirrored, named, only_these, renamed, with_twin
from nma.checks._design_by_treatment import global_p
from nma.errors import ModelError

ENGINE = nma.engines.Gaussian(draws=1024)
NAMES = [f"drug {chr(65 + k)}" for k in range(8)]


@pytest.fixture(scope="module")
def posterior() -> nma.Posterior:
    return nma.fit(pictures.arms(pictures.chain(NAMES[:5])), engine=ENGINE)


@pytest.fixture(scope="module")
def senn() -> nma.Posterior:
    return nma.fit(nma.datasets.network("senn2013"), engine=ENGINE)


@pytest.fixture(scope="module")
def smoking() -> nma.Posterior:
    """Draws without moments."""
    return nma.fit(nma.datasets.network("smoking"))


# SUCRA and ranks


def test_the_interval_of_sucra_is_that_of_the_share_of_the_others_beaten(
    senn: nma.Posterior,
) -> None:
    table = nma.sucra(senn, level=0.8)
    share = (10 - nma.ranks(senn)) / 9
    for name, row in table.iterrows():
        own = share.sel(treatment=name).to_numpy()
        low, high = row["sucra_lower"], row["sucra_upper"]
        assert (own < low - 1e-9).mean() <= 0.1
        assert (own > high + 1e-9).mean() <= 0.1
        assert low <= np.median(own) <= high
    np.testing.assert_allclose(table["sucra_lower"], (10 - table["rank_upper"]) / 9)
    assert "sucra_lower" not in str(table)


def test_sucra_holds_median_ranks_and_p_best(senn: nma.Posterior) -> None:
    table = nma.sucra(senn)
    ranks = nma.ranks(senn)
    medians = ranks.median(("chain", "draw")).to_series()
    pd.testing.assert_series_equal(table["median_rank"], medians[table.index], check_names=False)
    best = nma.p_best(senn).loc[table.index]
    np.testing.assert_allclose(table["p_best"], best["p_best"], atol=1e-15)
    np.testing.assert_array_equal(table["p_best_mcse"], best["mcse"])
    first = nma.rank_probabilities(senn)
    np.testing.assert_allclose(best["p_best"], first.loc[best.index, 1], atol=1e-12)


def test_half_ranks_are_printed_as_such(posterior: nma.Posterior) -> None:
    twins = with_twin(posterior, posterior.treatments[0])
    assert "5.5" in str(nma.sucra(twins).loc[["twin"]].to_string())
    assert ".5" in str(nma.sucra(twins))


def test_p_scores_are_the_sucra_of_normal_draws() -> None:
    """At a known tau, within 4 Monte Carlo standard errors; what no draw shows is rare."""
    common = nma.Model(heterogeneity=nma.heterogeneity.Common())
    posterior = nma.fit(nma.datasets.network("senn2013"), common, engine=ENGINE)
    scores = nma.p_scores(posterior)["p_score"]
    table = nma.sucra(drawn(posterior))
    shown = table["mcse"] > 0
    assert shown.sum() == 9
    error = (table["sucra"] - scores[table.index]).abs()
    assert (error[shown] <= 4 * table.loc[shown, "mcse"]).all()
    assert (error[~shown] < 1 / (1024 * 9)).all()


def test_cumulative_ranks_add_up_and_their_mean_is_the_sucra(senn: nma.Posterior) -> None:
    table = nma.cumulative_ranks(senn)
    each = nma.rank_probabilities(senn)
    np.testing.assert_allclose(table, each.cumsum(axis=1), atol=1e-12)
    assert (table[10] == 1).all()
    assert (np.diff(table, axis=1) >= 0).all()
    share = nma.sucra(drawn(senn))["sucra"]
    np.testing.assert_allclose(table.loc[share.index].iloc[:, :-1].mean(axis=1), share, atol=1e-12)
    marks = pd.DataFrame(nma.plots.rankogram.marks(senn))
    wide = marks.pivot_table(index="treatment", columns="rank", values="cumulative")
    np.testing.assert_allclose(wide.loc[table.index], table, atol=1e-12)
    assert np.shape(table.attrs["mcse"]) == (10, 10)


# when not to trust it


def triangle(shift: float) -> nma.Network:
    """Two trials of each of three pairs; the direct A versus C is off by a shift."""
    truth = {("B", "A"): 1.0, ("C", "B"): 1.0, ("C", "A"): 2.0 + shift}
    rows = [
        (f"{t}{c}{k}", t, c, effect + (-1) ** k * 0.05, 0.1)
        for (t, c), effect in truth.items()
        for k in range(2)
    ]
    frame = pd.DataFrame(rows, columns=["s", "t", "c", "y", "se"])
    outcome = nma.outcomes.Contrast("y", "se", measure="SMD", better="lower")
    return nma.Network.from_contrasts(
        frame, study="s", treatment="t", comparator="c", outcome=outcome
    )


def test_loops_that_do_not_close_are_said() -> None:
    shut, open_ = (nma.fit(triangle(shift), engine=ENGINE) for shift in (0.0, 1.5))
    for verb in (nma.sucra, nma.p_scores, nma.poth, nma.hierarchies):
        assert not any("Designs disagree" in note for note in verb(shut).notes)
        (said,) = (note for note in verb(open_).notes if "Designs disagree" in note)
        assert "p <0.01" in said
        assert "nma.checks.loops" in said


def test_the_note_on_loops_holds_under_a_model_that_explains_them() -> None:
    late = {study: float(study.startswith("CA")) for study in triangle(1.5).trials}
    network = nma.assign(triangle(1.5), by="study", late=late)
    explained = nma.structures.Regression(nma.structures.Consistency(), "late", control="A")
    notes = [
        next(note for note in nma.sucra(posterior).notes if "Designs disagree" in note)
        for posterior in (nma.fit(network), nma.fit(network, nma.Model(explained)))
    ]
    assert notes[0] == notes[1]
    assert "the trials as they stand, whatever the model" in notes[0]
    assert "Unless the model explains why, the order depends on" in notes[0]
    assert "nma.checks.node_splitting what remains under this model" in notes[0]


def test_the_test_is_that_of_the_checks(senn: nma.Posterior, smoking: nma.Posterior) -> None:
    for fitted in (senn, smoking, nma.fit(triangle(0.7), engine=ENGINE)):
        p = nma.checks.design_by_treatment(fitted).attrs["random"][2]
        assert global_p(fitted) == pytest.approx(p, abs=1e-12)
    star = nma.fit(pictures.arms([("a", "b"), ("a", "c")] * 2), engine=ENGINE)
    assert np.isnan(global_p(star))


def test_a_test_that_takes_long_is_left_to_the_check_and_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    open_ = nma.fit(triangle(1.5), engine=ENGINE)
    monkeypatch.setattr("nma.hierarchy.MANY", 5)
    (said,) = (note for note in nma.sucra(open_).notes if "Not tested" in note)
    assert "nma.checks.design_by_treatment(posterior) does" in said
    assert not any("Designs disagree" in note for note in nma.sucra(open_).notes)


def test_many_lonely_trials_are_one_sentence() -> None:
    star = nma.fit(pictures.arms([(NAMES[0], name) for name in NAMES[1:]]), engine=ENGINE)
    (said,) = (note for note in nma.sucra(star).notes if "hangs" in note)
    assert "drug A and drug B; drug A and drug C; drug A and drug D; and 4 more." in said


@pytest.mark.parametrize(
    "verb",
    [nma.sucra, nma.poth, nma.hierarchies, nma.cumulative_ranks, nma.ranks, nma.p_best],
)
def test_ranking_is_refused_where_it_is_undefined(verb: Any) -> None:
    network = nma.datasets.network("senn2013")
    base = nma.structures.Consistency()
    split = nma.structures.NodeSplit(base, "rosiglitazone", "sulfonylurea")
    with pytest.raises(ModelError, match="league tables and ranks are not defined"):
        verb(nma.fit(network, nma.Model(split), engine=ENGINE))


# POTH


def test_without_a_treatment_the_others_are_ranked_again(
    senn: nma.Posterior, smoking: nma.Posterior
) -> None:
    for fitted in (senn, smoking):
        table = nma.poth(fitted)
        assert table.attrs["poth"] == pytest.approx(nma.sucra(fitted).attrs["poth"], abs=1e-12)
        for name, row in table.iterrows():
            others = [other for other in fitted.treatments if other != name]
            expected = nma.sucra(nma.at(fitted, treatments=others)).attrs["poth"]
            assert row["poth_without"] == pytest.approx(expected, abs=1e-12)
        np.testing.assert_allclose(table["change"], table["poth_without"] - table.attrs["poth"])


def test_poth_has_its_monte_carlo_error() -> None:
    network = pictures.arms(pictures.chain(NAMES[:5]))
    found = []
    for seed in range(24):
        fitted = drawn(nma.fit(network, engine=nma.engines.Gaussian(draws=256, seed=seed)))
        table = nma.poth(fitted).sort_index()
        found.append(table[["poth_without", "change", "mcse", "change_mcse"]].to_numpy())
    numbers = np.array(found)
    for value, error in ((0, 2), (1, 3)):
        spread = numbers[:, :, value].std(axis=0, ddof=1)
        said = np.sqrt((numbers[:, :, error] ** 2).mean(axis=0))
        assert (spread < 2 * said).all()
        assert (said < 2 * spread).all()
    assert (nma.poth(nma.fit(network, engine=ENGINE))["mcse"] == 0).all()


def test_two_treatments_leave_nothing_to_rank() -> None:
    two = nma.fit(pictures.arms([("a", "b")] * 3), engine=ENGINE)
    table = nma.poth(two)
    assert table["poth_without"].isna().all()
    assert "nothing to rank" in table.notes[0]
    with pytest.raises(ModelError, match="alone cannot be ranked"):
        nma.poth(nma.at(two, treatments=["a"]))


# whole orders


def test_probabilities_of_all_hierarchies_sum_to_one(posterior: nma.Posterior) -> None:
    for top in (1, 2, None):
        table = nma.hierarchies(posterior, most=10**6, top=top)
        assert table["probability"].sum() == pytest.approx(1, abs=1e-12)
        assert table.attrs == {"orders": len(table), "rest": 0.0}
        few = nma.hierarchies(posterior, most=2, top=top)
        rest = few["probability"].sum() + few.attrs["rest"]
        assert rest == pytest.approx(1, abs=1e-12)
        pd.testing.assert_frame_equal(pd.DataFrame(few), pd.DataFrame(table).iloc[:2])


def test_hierarchies_are_those_of_the_draws(posterior: nma.Posterior) -> None:
    table = nma.hierarchies(posterior, most=10**6)
    places = nma.ranks(posterior).to_numpy().reshape(-1, 5)
    names = np.array(posterior.treatments)[np.argsort(places, axis=1)]
    seen = pd.Series(map(tuple, names)).value_counts(normalize=True)
    found = {tuple(row[:5]): row[5] for row in table.itertuples(index=False)}
    assert found == pytest.approx(seen.to_dict())
    assert (np.diff(table["probability"]) <= 0).all()


def test_the_first_place_is_p_best(posterior: nma.Posterior) -> None:
    first = nma.hierarchies(posterior, top=1).set_index(1)["probability"]
    best = nma.p_best(posterior)["p_best"]
    np.testing.assert_allclose(best[first.index], first, atol=1e-12)


def test_many_treatments_are_told_in_part(senn: nma.Posterior) -> None:
    table = nma.hierarchies(senn)
    assert list(table.columns) == [1, 2, 3, "probability", "mcse"]
    assert "of the first 3 places" in table.caption
    assert "the others together have 0." in table.notes[0]


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"most": 0}, "most=0 is no count: give a whole number from 1."),
        ({"most": 1.5}, "most=1.5 is no count"),
        ({"top": 6}, "top=6 is no count: give a whole number from 1 to 5, the number of"),
        ({"top": True}, "top=True is no count"),
    ],
)
def test_what_is_no_count_is_refused(
    posterior: nma.Posterior, question: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        nma.hierarchies(posterior, **question)


# laws


def test_reversing_better_mirrors_all_of_it(senn: nma.Posterior, smoking: nma.Posterior) -> None:
    for fitted in (senn, smoking, drawn(senn)):
        count, other = len(fitted.treatments), mirrored(fitted)
        one, two = (nma.sucra(p).sort_index() for p in (fitted, other))
        np.testing.assert_allclose(one["sucra"] + two["sucra"], 1, atol=1e-12)
        for low, high in (("rank_lower", "rank_upper"), ("median_rank", "median_rank")):
            np.testing.assert_array_equal(one[low] + two[high], count + 1)
        np.testing.assert_allclose(one["sucra_lower"] + two["sucra_upper"], 1, atol=1e-12)
        last = nma.rank_probabilities(fitted)[count]
        np.testing.assert_allclose(nma.p_best(other)["p_best"], last, atol=1e-12)
        up, down = (nma.cumulative_ranks(p).to_numpy() for p in (fitted, other))
        np.testing.assert_allclose(up[:, :-1] + down[:, -2::-1], 1, atol=1e-12)
        poths = [nma.poth(p).sort_index() for p in (fitted, other)]
        for column in ("poth_without", "change", "mcse"):
            np.testing.assert_allclose(poths[0][column], poths[1][column], atol=1e-12)


def test_reversing_better_reverses_hierarchies(smoking: nma.Posterior) -> None:
    one, two = (nma.hierarchies(p, most=10**6) for p in (smoking, mirrored(smoking)))
    np.testing.assert_array_equal(one[[1, 2, 3, 4]], two[[4, 3, 2, 1]])
    np.testing.assert_array_equal(one["probability"], two["probability"])
    np.testing.assert_array_equal(one["mcse"], two["mcse"])


def test_a_twin_shares_ranks_and_mass_equally(posterior: nma.Posterior) -> None:
    name = posterior.treatments[2]
    twins = with_twin(posterior, name)
    ranks = nma.ranks(twins)
    assert (ranks.sel(treatment=name) == ranks.sel(treatment="twin")).all()
    for table in (nma.sucra(twins), nma.rank_probabilities(twins), nma.cumulative_ranks(twins)):
        np.testing.assert_allclose(table.loc[name], table.loc["twin"], rtol=1e-12)
    poth = pd.DataFrame(nma.poth(twins))
    np.testing.assert_allclose(poth.loc[name], poth.loc["twin"], atol=1e-12)
    before, after = (nma.p_best(p)["p_best"] for p in (posterior, twins))
    assert after["twin"] == pytest.approx(before[name] / 2, abs=1e-12)
    np.testing.assert_allclose(nma.rank_probabilities(twins).sum(axis=0), 1, atol=1e-12)


def test_a_twin_shares_places_of_hierarchies(posterior: nma.Posterior) -> None:
    name = posterior.treatments[2]
    plain = nma.hierarchies(posterior, most=10**6)
    table = nma.hierarchies(with_twin(posterior, name), most=10**6, top=6)
    both = f"{name} = twin"
    places = table[list(range(1, 7))].to_numpy()
    assert ((places == both).sum(axis=1) == 2).all()
    joined = {
        tuple(name if place == both else place for place in dict.fromkeys(row)): share
        for row, share in zip(places, table["probability"], strict=True)
    }
    assert joined == {tuple(row[:5]): row[5] for row in plain.itertuples(index=False)}


# several outcomes


def pairs(table: nma.tables.Table) -> set[tuple[str, str]]:
    return set(table.attrs["order"])


def test_one_is_above_another_if_it_is_in_every_outcome(senn: nma.Posterior) -> None:
    turned = renamed(senn, 3)
    table = nma.decisions.partial_order({"pain": senn, "harms": turned})
    scores = pd.DataFrame({"a": nma.sucra(senn)["sucra"], "b": nma.sucra(turned)["sucra"]})
    expected = {
        (one, other)
        for one, own in scores.iterrows()
        for other, theirs in scores.iterrows()
        if (own > theirs).all()
    }
    assert pairs(table) == expected
    np.testing.assert_allclose(table["pain"], scores.loc[table.index, "a"])
    total = table["better"] + table["worse"] + table["open"]
    assert (total == 9).all()
    assert table["better"].sum() == len(expected)


def test_covers_have_nothing_between_and_tell_the_whole_order(senn: nma.Posterior) -> None:
    turned = renamed(senn, 3)
    table = nma.decisions.partial_order({"pain": senn, "harms": turned})
    order, covers = pairs(table), set(table.attrs["covers"])
    assert nma.graph.ordered(covers) == order
    middle = {(a, c) for a, b in order for b2, c in order if b == b2}
    assert covers == order - middle


def test_an_outcome_and_its_mirror_conflict_in_everything(senn: nma.Posterior) -> None:
    table = nma.decisions.partial_order({"benefit": senn, "harm": mirrored(senn)})
    assert pairs(table) == set()
    assert (table["open"] == 9).all()
    alike = nma.decisions.partial_order({"one": senn, "two": senn})
    assert len(pairs(alike)) == 45
    assert len(alike.attrs["covers"]) == 9


def test_reversing_better_of_all_outcomes_reverses_the_order(senn: nma.Posterior) -> None:
    turned = renamed(senn, 3)
    for threshold in (None, 0.7):
        one = nma.decisions.partial_order({"a": senn, "b": turned}, threshold=threshold)
        two = nma.decisions.partial_order(
            {"a": mirrored(senn), "b": mirrored(turned)}, threshold=threshold
        )
        assert pairs(one) == {(b, a) for a, b in pairs(two)}
        assert pairs(one)


def test_a_threshold_asks_for_certainty_in_every_outcome(senn: nma.Posterior) -> None:
    turned = renamed(senn, 3)
    table = nma.decisions.partial_order({"a": senn, "b": turned}, threshold=0.8)
    chances = [nma.effect_table(fit)["p_better"] for fit in (senn, turned)]
    sure = [set(chance.index[chance > 0.8]) for chance in chances]
    assert pairs(table) >= sure[0] & sure[1]
    assert pairs(table) == nma.graph.ordered(sure[0] & sure[1])
    fewer = nma.decisions.partial_order({"a": senn, "b": turned}, threshold=0.95)
    assert pairs(fewer) < pairs(table)
    assert "above 0.8 in every outcome" in table.caption


def test_an_order_that_goes_round_is_refused() -> None:
    """Each of three is better than the next in two draws of three."""
    fitted = nma.fit(pictures.arms([("a", "b", "c")] * 3), engine=ENGINE)
    places = np.array([[1, 2], [-2, -1], [1, -1]], dtype=float)
    round_ = only_these(fitted, [places, places])
    with pytest.raises(ModelError, match=r"'a', 'b', 'c' are each better than the other"):
        nma.decisions.partial_order({"one": round_, "two": round_}, threshold=0.6)
    assert (
        pairs(nma.decisions.partial_order({"one": round_, "two": round_}, threshold=0.7)) == set()
    )
    assert pairs(nma.decisions.partial_order({"one": round_, "two": round_})) == set()


def test_treatments_are_matched_by_name_and_near_misses_told(posterior: nma.Posterior) -> None:
    other = named(posterior, ["drug A", "drug b", "drug C", "drug D", "drug E"])
    table = nma.decisions.partial_order({"pain": posterior, "harms": other})
    assert sorted(table.index) == ["drug A", "drug C", "drug D", "drug E"]
    (said,) = (note for note in table.notes if note.startswith("Left out"))
    assert "'drug B' is not in 'harms'. Did you mean 'drug b'?" in said
    assert "'drug b' is not in 'pain'. Did you mean 'drug B'?" in said
    strange = named(posterior, ["v", "w", "x", "y", "z"])
    with pytest.raises(ModelError, match="share fewer than two treatments"):
        nma.decisions.partial_order({"pain": posterior, "harms": strange})


@pytest.mark.parametrize(
    ("outcomes", "message"),
    [
        (lambda p: {"pain": p}, r"one outcome has an order of its own, nma\.sucra"),
        (lambda p: [p, p], "this is a list"),
        (lambda p: {"pain": p, "harms": p.network}, "'harms' is a Network and no fitted model"),
    ],
)
def test_what_is_no_set_of_outcomes_is_refused(
    posterior: nma.Posterior, outcomes: Any, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        nma.decisions.partial_order(outcomes(posterior))


@pytest.mark.parametrize("threshold", [0.4, 1, 95, "high", True])
def test_a_threshold_is_a_probability_from_one_half(
    posterior: nma.Posterior, threshold: Any
) -> None:
    with pytest.raises(ModelError, match=r"is no probability from 0\.5, below 1"):
        nma.decisions.partial_order({"a": posterior, "b": posterior}, threshold=threshold)
