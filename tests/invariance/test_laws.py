"""The laws of the design, as properties of random networks.

Where a law is exact it is tested on the moments. Numbers that pass through different rounding
(another order of arms, another scale) are compared in units of the posterior sd, to 1e-9: the
condition number of these networks stays below 1e3 in double precision, times the 1e-12 asked
for. Laws of least squares are tested under priors so wide (sd 1e4 units) that they hold to 1e-6.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import nma
import strategies
from mirrors import mirrored
from nma.decisions import beats, best, in_bottom, in_top, worst
from nma.labels import collisions
from nma.network import Network
from nma.priors import Fixed, HalfNormal, Normal
from strategies import Trials, arms_network, contrasts, contrasts_network, trials

settings.register_profile(
    "laws",
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("laws")

EXACT = 1e-9
WIDE = 1e-6
PUNCTUATION = str.maketrans("", "", "(),")
Array = NDArray[np.float64]
Numbers = dict[tuple[str, str], tuple[float, float, float, float]]


def model(sd: float = 50.0, tau: float = 2.0) -> nma.Model:
    return nma.Model(
        nma.structures.Consistency(Normal(0, sd)), nma.heterogeneity.Random(HalfNormal(tau))
    )


def common(network: Network) -> nma.Posterior:
    """The common-effect fit under a prior as wide as least squares needs."""
    wide = nma.structures.Consistency(Normal(0, 1e4 * network.unit[0]))
    return nma.fit(network, nma.Model(wide, nma.heterogeneity.Common()))


def numbers(posterior: nma.Posterior) -> Numbers:
    table = nma.effect_table(posterior)
    columns = zip(*(table[name] for name in ("mean", "sd", "lower", "upper")), strict=True)
    return dict(zip(table.index, columns, strict=True))


def same(first: Numbers, second: Numbers, *, atol: float = EXACT) -> None:
    assert first.keys() == second.keys()
    for pair, values in first.items():
        sd = values[1]
        np.testing.assert_allclose(
            np.array(second[pair]) / sd, np.array(values) / sd, atol=atol, rtol=0
        )


@given(trials(), st.data())
def test_relabelling_treatments_changes_only_labels(made: Trials, data: st.DataObject) -> None:
    names = made.treatments
    unique = st.lists(
        strategies.labels, min_size=len(names), max_size=len(names), unique=True
    ).filter(lambda drawn: not collisions(drawn))
    fresh = dict(zip(names, data.draw(unique), strict=True))
    renamed = made.network(made.frame.assign(treatment=made.frame["treatment"].map(fresh)))
    before, after = nma.fit(made.network(), model()), nma.fit(renamed, model())
    expected = {(fresh[a], fresh[b]): row for (a, b), row in numbers(before).items()}
    same(expected, numbers(after))
    assert nma.summary(after).attrs["log_evidence"] == pytest.approx(
        nma.summary(before).attrs["log_evidence"], abs=1e-8
    )


@given(trials(), st.randoms(use_true_random=False))
def test_permuting_rows_and_columns_changes_nothing_at_all(made: Trials, random: object) -> None:
    rng = np.random.default_rng(random.getrandbits(32))  # type: ignore[attr-defined]
    shuffled = made.frame.iloc[rng.permutation(len(made.frame))]
    shuffled = shuffled[list(rng.permutation(shuffled.columns))]
    before, after = nma.fit(made.network(), model()), nma.fit(made.network(shuffled), model())
    assert numbers(before) == numbers(after)
    assert before.draws.values.identical(after.draws.values)


@given(trials(), st.data())
def test_renaming_studies_changes_only_labels(made: Trials, data: st.DataObject) -> None:
    studies = sorted(made.frame["study"].unique())
    order = dict(zip(studies, data.draw(st.permutations(studies)), strict=True))
    renamed = made.network(made.frame.assign(study=made.frame["study"].map(order)))
    same(numbers(nma.fit(made.network(), model())), numbers(nma.fit(renamed, model())))


@given(trials(), st.data())
def test_changing_the_reference_changes_no_number(made: Trials, data: st.DataObject) -> None:
    first, second = (data.draw(st.sampled_from(made.treatments)) for _ in range(2))
    one, other = (nma.fit(made.network(reference=name), model()) for name in (first, second))
    assert numbers(one) == numbers(other)
    assert nma.sucra(one).equals(nma.sucra(other))
    assert one.draws.values.identical(other.draws.values)


@given(trials(), st.integers(0, 5))
def test_the_order_in_which_arms_come_does_not_matter(made: Trials, base: int) -> None:
    """Contrasts against any base arm give the same answer as the arms."""
    posterior = nma.fit(contrasts_network(contrasts(made.frame, base)), model())
    same(numbers(nma.fit(made.network(), model())), numbers(posterior))


@given(trials())
def test_arm_input_and_contrast_input_give_the_same_answer(made: Trials) -> None:
    arms = nma.fit(made.network(), model())
    two = nma.fit(contrasts_network(contrasts(made.frame)), model())
    same(numbers(arms), numbers(two))
    assert nma.summary(two).attrs["log_evidence"] == pytest.approx(
        nma.summary(arms).attrs["log_evidence"], abs=1e-8
    )


@given(trials())
def test_every_pair_of_contrasts_gives_the_same_answer(made: Trials) -> None:
    """All pairwise contrasts with their standard errors, in place of a base arm."""
    rows = [
        {
            "study": study,
            "treatment": b["treatment"],
            "comparator": a["treatment"],
            "md": b["mean"] - a["mean"],
            "se": np.sqrt(a["sd"] ** 2 / a["n"] + b["sd"] ** 2 / b["n"]),
        }
        for study, trial in made.frame.groupby("study")
        for k, a in enumerate(trial.to_dict("records"))
        for b in trial.to_dict("records")[k + 1 :]
    ]
    pairs = Network.from_contrasts(
        pd.DataFrame(rows),
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=nma.outcomes.Contrast("md", "se", measure="MD", better="lower"),
    )
    same(numbers(nma.fit(made.network(), model())), numbers(nma.fit(pairs, model())), atol=1e-8)


@given(trials())
def test_arms_and_contrasts_mixed_give_the_same_answer(made: Trials) -> None:
    first = made.frame["study"].map(lambda study: int(study[1:]) % 2 == 0)
    assume(first.any() and not first.all())
    mixed = Network.combine(
        made.network(made.frame[first]), contrasts_network(contrasts(made.frame[~first]))
    )
    same(numbers(nma.fit(made.network(), model())), numbers(nma.fit(mixed, model())))


@given(trials())
def test_flipping_the_sign_negates_effects_and_mirrors_ranks(made: Trials) -> None:
    flipped = made.frame.assign(mean=-made.frame["mean"])
    before, after = nma.fit(made.network(), model()), nma.fit(made.network(flipped), model())
    negated = {
        pair: (-mean, sd, -upper, -lower)
        for pair, (mean, sd, lower, upper) in numbers(before).items()
    }
    same(negated, numbers(after))
    first, second = (nma.sucra(p)["sucra"].sort_index() for p in (before, after))
    np.testing.assert_allclose(first + second, 1.0, atol=EXACT)


@given(trials(), st.floats(-3, 3))
def test_rescaling_rescales_effects_tau_and_the_default_priors(made: Trials, power: float) -> None:
    c = 10.0**power
    scaled = made.frame.assign(mean=made.frame["mean"] * c, sd=made.frame["sd"] * c)
    before, after = (nma.fit(network) for network in (made.network(), made.network(scaled)))
    rescaled = {pair: tuple(c * v for v in row) for pair, row in numbers(before).items()}
    same(rescaled, numbers(after), atol=1e-8)
    old, new = (nma.summary(posterior).loc["tau"] for posterior in (before, after))
    for column in ("mean", "sd", "median", "lower", "upper"):
        assert new[column] == pytest.approx(c * old[column], rel=1e-7)
    np.testing.assert_allclose(
        nma.sucra(after)["sucra"].sort_index(), nma.sucra(before)["sucra"].sort_index(), atol=1e-8
    )


@given(trials(), st.floats(-100, 100))
def test_a_constant_added_to_one_trial_changes_nothing(made: Trials, constant: float) -> None:
    one = made.frame["study"] == "S0"
    moved = made.frame.assign(mean=made.frame["mean"] + one * constant)
    before, after = nma.fit(made.network(), model()), nma.fit(made.network(moved), model())
    same(numbers(before), numbers(after), atol=1e-8)


@given(trials())
def test_effects_add_up_in_every_draw(made: Trials) -> None:
    posterior = nma.fit(made.network(), model(), engine=nma.engines.Gaussian(draws=8, chains=2))
    d = nma.relative_effects(posterior, comparators=made.treatments).to_numpy()
    around = d[..., :, :, None] + d[..., None, :, :]
    np.testing.assert_allclose(
        around, np.broadcast_to(d[..., :, None, :], around.shape), atol=1e-13 * np.abs(d).max()
    )


@given(trials())
def test_league_tables_are_antisymmetric(made: Trials) -> None:
    posterior = nma.fit(made.network(), model())
    found = numbers(posterior)
    mirrored = {
        (b, a): (-mean, sd, -upper, -lower) for (a, b), (mean, sd, lower, upper) in found.items()
    }
    same(mirrored, found)
    table = nma.league_table(posterior)
    assert [table.loc[name, name] for name in made.treatments] == made.treatments
    for (a, b), (mean, _, lower, upper) in found.items():
        cell = str(table.loc[a, b]).replace("(", "").replace(")", "").replace(",", "")
        np.testing.assert_allclose(
            [float(x) for x in cell.split()], [mean, lower, upper], atol=0.0051
        )


@given(trials())
def test_rank_matrices_are_doubly_stochastic(made: Trials) -> None:
    posterior = nma.fit(made.network(), model(), engine=nma.engines.Gaussian(draws=64))
    matrix = nma.rank_probabilities(posterior).to_numpy()
    np.testing.assert_allclose(matrix.sum(axis=0), 1.0, atol=1e-12)
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, atol=1e-12)
    assert (matrix >= 0).all()


@given(trials())
def test_mean_sucra_is_one_half(made: Trials) -> None:
    assert nma.sucra(nma.fit(made.network(), model()))["sucra"].mean() == pytest.approx(
        0.5, abs=1e-12
    )


@given(trials())
def test_sucra_is_the_mean_rank_of_the_draws(made: Trials) -> None:
    posterior = nma.fit(made.network(), model(), engine=nma.engines.Gaussian(draws=2048))
    exact = nma.sucra(posterior)["sucra"].sort_index().to_numpy()
    ranks = nma.ranks(posterior)
    count = len(exact)
    drawn = (count - ranks.mean(["chain", "draw"]).to_numpy()) / (count - 1)
    order = np.argsort(made.treatments)
    np.testing.assert_allclose(drawn[order], exact, atol=0.01)


@given(trials())
def test_reversing_better_mirrors_exactly(made: Trials) -> None:
    lower = nma.fit(made.network(), model(), engine=nma.engines.Gaussian(draws=64))
    other = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="higher")
    higher = nma.fit(made.network(outcome=other), model(), engine=nma.engines.Gaussian(draws=64))
    total = nma.ranks(lower) + nma.ranks(higher)
    assert (total == len(made.treatments) + 1).all()
    np.testing.assert_array_equal(
        nma.rank_probabilities(lower).to_numpy(),
        nma.rank_probabilities(higher).to_numpy()[:, ::-1],
    )


@given(trials())
def test_reversing_better_mirrors_questions_about_the_hierarchy(made: Trials) -> None:
    lower = nma.fit(made.network(), model(), engine=nma.engines.Gaussian(draws=64))
    higher = mirrored(lower)
    names, count = made.treatments, len(made.treatments)
    up, down = (nma.cumulative_ranks(p).to_numpy() for p in (lower, higher))
    np.testing.assert_allclose(up[:, :-1] + down[:, -2::-1], 1.0, atol=1e-12)
    one, two = (nma.hierarchies(p, most=10**6, top=count) for p in (lower, higher))
    here = {tuple(row[:count]): row[count] for row in one.itertuples(index=False)}
    assert here == {row[:count][::-1]: row[count] for row in two.itertuples(index=False)}
    first, last = names[0], names[-1]
    asked = best(first) | beats(last, first, by=0.1) & ~in_bottom(last, 1)
    turned = worst(first) | beats(first, last, by=0.1) & ~in_top(last, 1)
    both, there = (
        nma.decisions.probability(lower, asked, ~asked),
        nma.decisions.probability(higher, turned),
    )
    assert both["probability"].iloc[0] == there["probability"].iloc[0]
    assert both["probability"].sum() == pytest.approx(1.0, abs=1e-12)
    np.testing.assert_allclose(
        nma.poth(lower).sort_index()["poth_without"],
        nma.poth(higher).sort_index()["poth_without"],
        atol=1e-12,
    )


@given(trials())
def test_probabilities_of_all_hierarchies_sum_to_one(made: Trials) -> None:
    posterior = nma.fit(made.network(), model(), engine=nma.engines.Gaussian(draws=64))
    table = nma.hierarchies(posterior, most=10**6)
    assert table["probability"].sum() == pytest.approx(1.0, abs=1e-12)


@given(trials())
def test_an_order_over_one_outcome_twice_is_that_of_its_sucra(made: Trials) -> None:
    """And with its own mirror there is none."""
    posterior = nma.fit(made.network(), model(), engine=nma.engines.Gaussian(draws=64))
    order = nma.decisions.partial_order({"one": posterior, "two": posterior})
    scores = nma.sucra(posterior)["sucra"].to_dict()
    ahead = {(a, b) for a in scores for b in scores if scores[a] - scores[b] > 1e-12}
    assert set(order.attrs["order"]) == ahead
    assert nma.graph.ordered(order.attrs["covers"]) == ahead
    conflict = nma.decisions.partial_order({"one": posterior, "two": mirrored(posterior)})
    assert conflict.attrs["order"] == []


@given(trials(most_treatments=2), st.floats(0, 3))
def test_two_treatments_are_a_pairwise_meta_analysis(made: Trials, tau: float) -> None:
    wide = nma.structures.Consistency(Normal(0, 1e4 * (tau + made.network().unit[0])))
    fixed = nma.heterogeneity.Random(Fixed(tau))
    mean, sd, *_ = numbers(nma.fit(made.network(), nma.Model(wide, fixed)))["T1", "T0"]
    y = contrasts(made.frame)
    sign = np.where(y["treatment"] == "T1", 1.0, -1.0)
    weight = 1 / (y["se"] ** 2 + tau**2)
    expected = float((weight * sign * y["md"]).sum() / weight.sum())
    assert mean / sd == pytest.approx(expected / sd, abs=WIDE * (1 + abs(expected / sd)))
    assert sd == pytest.approx(weight.sum() ** -0.5, rel=WIDE)


@given(trials())
def test_tau_to_zero_is_the_common_effect_model(made: Trials) -> None:
    structure = nma.structures.Consistency(Normal(0, 50))
    tiny, none = (
        nma.fit(made.network(), nma.Model(structure, heterogeneity))
        for heterogeneity in (nma.heterogeneity.Random(Fixed(0.0)), nma.heterogeneity.Common())
    )
    same(numbers(none), numbers(tiny))


@given(trials(tree=True, least_treatments=3))
def test_on_a_tree_direct_is_network(made: Trials) -> None:
    found = numbers(common(made.network()))
    for row in contrasts(made.frame).to_dict("records"):
        mean, sd, *_ = found[row["treatment"], row["comparator"]]
        assert mean / sd == pytest.approx(row["md"] / row["se"], abs=1e-5)
        assert sd == pytest.approx(row["se"], rel=WIDE)


@given(trials(most_arms=2, least_treatments=3))
def test_network_is_the_inverse_variance_mean_of_direct_and_indirect(made: Trials) -> None:
    frame = made.frame
    both = frame.groupby("study")["treatment"].agg(set)
    a, b = sorted(both["S0"])
    direct_studies = both.index[both.map(lambda arms: arms == {a, b})]
    direct = frame[frame["study"].isin(direct_studies)]
    indirect = frame[~frame["study"].isin(direct_studies)]
    trials_left = {str(s): tuple(t) for s, t in both.items() if s not in set(direct_studies)}
    assume(nma.graph.has_indirect_evidence(trials_left, a, b))
    reachable = next(
        part for part in nma.graph.components(nma.graph.evidence_graph(trials_left)) if a in part
    )
    indirect = indirect[indirect["treatment"].isin(reachable)]
    (d, sd_d, *_), (i, sd_i, *_), (mean, sd, *_) = (
        numbers(common(arms_network(part)))[a, b] for part in (direct, indirect, frame)
    )
    weight_d, weight_i = sd_d**-2, sd_i**-2
    expected = (weight_d * d + weight_i * i) / (weight_d + weight_i)
    assert mean / sd == pytest.approx(expected / sd, abs=1e-5)
    assert sd == pytest.approx((weight_d + weight_i) ** -0.5, rel=1e-5)


@given(trials())
def test_a_study_split_in_two_halves_changes_nothing(made: Trials) -> None:
    one = made.frame["study"] == "S0"
    halves = made.frame.assign(sd=made.frame["sd"].where(~one, made.frame["sd"] * np.sqrt(2)))
    doubled = pd.concat([halves, halves[one].assign(study="second half")])
    sd = made.network().unit[0]
    wide = nma.Model(nma.structures.Consistency(Normal(0, 1e4 * sd)), nma.heterogeneity.Common())
    before, after = (nma.fit(arms_network(f), wide) for f in (made.frame, doubled))
    same(numbers(before), numbers(after), atol=1e-7)
    first, second = (nma.summary(p).attrs for p in (before, after))
    assert second["Q"] == pytest.approx(first["Q"], rel=1e-9, abs=1e-9)
    assert second["df"] - first["df"] == one.sum() - 1


@given(trials(), st.integers(2, 4))
def test_every_study_k_times_divides_the_sd_by_the_root_of_k(made: Trials, k: int) -> None:
    copies = [made.frame.assign(study=made.frame["study"] + f"/{copy}") for copy in range(k)]
    before, after = common(made.network()), common(arms_network(pd.concat(copies)))
    for pair, (mean, sd, *_) in numbers(before).items():
        assert numbers(after)[pair][0] / sd == pytest.approx(mean / sd, abs=1e-5)
        assert numbers(after)[pair][1] == pytest.approx(sd / np.sqrt(k), rel=1e-5)


@given(trials())
def test_an_uninformative_study_changes_nothing(made: Trials) -> None:
    one = made.frame[made.frame["study"] == "S0"]
    vague = one.assign(study="vague", sd=1e9 * made.frame["sd"].max())
    before = nma.fit(made.network(), model())
    after = nma.fit(made.network(pd.concat([made.frame, vague])), model())
    same(numbers(before), numbers(after), atol=1e-6)


@given(trials())
def test_more_evidence_never_widens_a_common_effect(made: Trials) -> None:
    more = made.frame[made.frame["study"] == "S0"].assign(study="again")
    sd = made.network().unit[0]
    wide = nma.Model(nma.structures.Consistency(Normal(0, 1e4 * sd)), nma.heterogeneity.Common())
    before, after = (
        numbers(nma.fit(arms_network(f), wide)) for f in (made.frame, pd.concat([made.frame, more]))
    )
    for pair, (_, sd_before, *_) in before.items():
        assert after[pair][1] <= sd_before * (1 + 1e-9)


@given(trials())
def test_dropping_a_trial_moves_no_prior(made: Trials) -> None:
    resolved = nma.fit(made.network()).model
    kept = made.frame[made.frame["study"] != "S0"]
    assume(kept["study"].nunique() > 0)
    smaller = arms_network(kept)
    assume(len(smaller.components) == 1)
    assert resolved.resolve(smaller) == resolved


@given(trials())
def test_the_same_seed_gives_the_same_numbers(made: Trials) -> None:
    from threadpoolctl import threadpool_limits

    found = []
    for threads in (1, 2):
        with threadpool_limits(limits=threads):
            found.append(nma.fit(made.network(), model(), engine=nma.engines.Gaussian(seed=3)))
    assert found[0].draws.values.identical(found[1].draws.values)
    assert numbers(found[0]) == numbers(found[1])
    other = nma.fit(made.network(), model(), engine=nma.engines.Gaussian(seed=4))
    assert not found[0].draws.values.identical(other.draws.values)


@given(trials(least_treatments=3), st.integers(0, 2))
def test_no_row_is_dropped_silently(made: Trials, gone: int) -> None:
    """Rows in are rows used plus rows named in the notices."""
    three = pd.DataFrame(
        {"study": "three arms", "treatment": made.treatments[:3], "mean": 0.0, "sd": 1.0, "n": 10}
    )
    holes = pd.concat([three, made.frame], ignore_index=True)
    holes.loc[gone, "sd"] = np.nan
    with pytest.raises(nma.errors.DataError) as refused:
        arms_network(holes)
    assert [issue.rows for issue in refused.value.issues] == [(gone + 1,)]
    with pytest.warns(nma.errors.DataWarning, match=f"row {gone + 1},"):
        network = arms_network(holes, missing="drop_arm")
    assert len(network.arms) == len(holes) - 1
    notes = nma.summary(nma.fit(network, model())).notes
    assert any("Dropped" in note and f"row {gone + 1}," in note for note in notes)
