"""Questions about a hierarchy: conditions that hold in a draw or do not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import nma
import pictures
from mirrors import drawn, mirrored, with_twin
from nma.decisions import MCID, Condition, beats, best, in_bottom, in_top, worst
from nma.errors import ModelError

ENGINE = nma.engines.Gaussian(draws=1024)
NAMES = [f"drug {chr(65 + k)}" for k in range(5)]
A, B, C, D, E = NAMES


@pytest.fixture(scope="module")
def points() -> nma.Posterior:
    return nma.fit(pictures.arms(pictures.chain(NAMES)), engine=ENGINE)


@pytest.fixture(scope="module")
def ratios() -> nma.Posterior:
    return nma.fit(pictures.contrasts(pictures.chain(NAMES)), engine=ENGINE)


def chance(posterior: nma.Posterior, *conditions: Condition) -> list[float]:
    return nma.decisions.probability(posterior, *conditions)["probability"].tolist()


SOME = [
    best(E),
    in_top(D, 2),
    in_bottom(A, 3) & ~worst(A),
    beats(E, D),
    beats(E, A, by=0.5) & best(E) | in_top(C, 1),
    ~(best(E) | best(D)) & ~(beats(C, B) & in_top(C, 3)),
]


@pytest.mark.parametrize("condition", SOME, ids=repr)
def test_a_condition_and_its_negation_sum_to_one(
    points: nma.Posterior, condition: Condition
) -> None:
    for posterior in (points, drawn(points)):
        assert sum(chance(posterior, condition, ~condition)) == pytest.approx(1, abs=1e-12)
    assert ~~condition == condition


@pytest.mark.parametrize("condition", SOME, ids=repr)
def test_its_repr_makes_it_again(condition: Condition) -> None:
    names = {"best": best, "worst": worst, "in_top": in_top, "in_bottom": in_bottom}
    again = eval(repr(condition), {**names, "beats": beats})  # noqa: S307  our own text
    assert again == condition
    assert hash(again) == hash(condition)


def test_conditions_are_what_logic_says(points: nma.Posterior) -> None:
    one, two = best(E), beats(D, C)
    both, either, first = chance(drawn(points), one & two, one | two, one)
    (second,) = chance(drawn(points), two)
    assert both + either == pytest.approx(first + second, abs=1e-12)
    (left, right) = chance(points, ~(one & two), ~one | ~two)
    assert left == pytest.approx(right, abs=1e-12)
    (twice,) = chance(points, one & one)
    assert twice == pytest.approx(first, abs=1e-12)
    assert chance(points, one & ~one, one | ~one) == [0, 1]


def test_ranks_of_one_treatment_are_the_rank_probabilities(points: nma.Posterior) -> None:
    cumulative = nma.cumulative_ranks(points)
    for name in NAMES:
        for places in range(1, 5):
            (found,) = chance(points, in_top(name, places))
            assert found == pytest.approx(cumulative.loc[name, places], abs=1e-12)
            (low,) = chance(points, in_bottom(name, 5 - places))
            assert low == pytest.approx(1 - found, abs=1e-12)


def test_the_errors_are_those_of_means_over_chains(points: nma.Posterior) -> None:
    table = nma.decisions.probability(points, best(E))
    assert table["mcse"].iloc[0] == pytest.approx(nma.p_best(points).loc[E, "mcse"])


def test_one_against_another_is_exact(points: nma.Posterior, ratios: nma.Posterior) -> None:
    for posterior in (points, ratios):
        better = nma.effect_table(posterior)["p_better"]
        for pair in [(A, B), (E, C)]:
            asked = beats(*pair)
            table = nma.decisions.probability(posterior, asked, ~asked)
            assert table["mcse"].tolist() == [0, 0]
            assert table["probability"].iloc[0] == pytest.approx(better[pair], abs=1e-12)
            said = nma.decisions.probability(drawn(posterior), asked).iloc[0]
            assert abs(said["probability"] - better[pair]) < 4 * said["mcse"] + 1e-3


def test_a_difference_is_on_the_outcomes_own_scale(
    points: nma.Posterior, ratios: nma.Posterior
) -> None:
    """Lower is better in both: fewer points by one half, an odds ratio below 1 / 1.25."""
    for posterior, by, limit in ((points, 0.5, -0.5), (ratios, 1.25, -math.log(1.25))):
        effect = nma.relative_effects(posterior, comparators=[A]).sel(treatment=B, comparator=A)
        (found,) = chance(drawn(posterior), beats(B, A, by=by))
        assert found == pytest.approx(float((effect <= limit).mean()), abs=1e-12)
        (exact,) = chance(posterior, beats(B, A, by=by))
        assert exact == pytest.approx(found, abs=0.01)


def test_an_mcid_is_a_difference_with_its_source(points: nma.Posterior) -> None:
    mcid = MCID(0.5, kind="between-group", source="Somebody 2020")
    table = nma.decisions.probability(points, beats(E, A, by=mcid), beats(E, A, by=0.5))
    assert table["probability"].nunique() == 1
    assert table.notes[0] == "MCID 0.5, between-group (Somebody 2020)."
    person = MCID(0.5, kind="within-person", source="Somebody 2020")
    with pytest.raises(ModelError, match="judges the change of one person"):
        nma.decisions.probability(points, best(E) & beats(E, A, by=person))


def test_reversing_better_turns_conditions_round(
    points: nma.Posterior, ratios: nma.Posterior
) -> None:
    for posterior in (points, drawn(points), with_twin(points, C)):
        one = chance(posterior, best(A), in_top(B, 2), beats(C, D), beats(C, D, by=0.3))
        two = chance(mirrored(posterior), worst(A), in_bottom(B, 2), beats(D, C))
        assert two == one[:3]
        assert chance(mirrored(posterior), beats(D, C, by=0.3)) == one[3:]
    assert chance(ratios, beats(A, B, by=1.1)) == chance(mirrored(ratios), beats(B, A, by=1.1))


def test_who_ties_is_not_better(points: nma.Posterior) -> None:
    twins = with_twin(points, E)
    asked = [best(E), beats(E, "twin"), beats("twin", E), in_top(E, 2)]
    table = nma.decisions.probability(twins, *asked)
    assert table["probability"].tolist()[:3] == [0, 0, 0]
    (before,) = chance(points, best(E))
    assert table["probability"].iloc[3] == pytest.approx(before, abs=1e-12)
    assert "drug E, twin are on one level in this model" in " ".join(table.notes)


def test_it_is_said_in_words(points: nma.Posterior) -> None:
    asked = (best(E) | worst(A)) & ~beats(E, A, by=1.5)
    assert repr(asked) == (
        "(best('drug E') | worst('drug A')) & ~beats('drug E', 'drug A', by=1.5)"
    )
    assert str(asked) == (
        "(drug E is the best or drug A is the worst) and not (drug E is better than drug A by 1.5 "
        "or more)"
    )
    table = nma.decisions.probability(points, asked, best(E))
    assert list(table.index) == [1, 2]
    assert table.notes[0] == f"Condition 1: {asked}."
    assert list(nma.decisions.probability(points, best(E)).index) == ["drug E is the best"]
    assert table.attrs["conditions"] == [repr(asked), "best('drug E')"]


def test_and_or_and_not_of_python_are_refused() -> None:
    for wrong in (lambda: best(A) and best(B), lambda: best(A) or best(B), lambda: not best(A)):
        with pytest.raises(ModelError, match="put conditions together by &"):
            wrong()
    with pytest.raises(TypeError):
        best(A) & 1


def test_all_unknown_treatments_are_told_with_near_misses(points: nma.Posterior) -> None:
    with pytest.raises(ModelError) as caught:
        nma.decisions.probability(points, best("drug a") & ~beats("drugC", A))
    said = str(caught.value)
    assert "'drug a'. Did you mean 'drug A'?" in said
    assert "'drugC'. Did you mean 'drug C'?" in said


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: in_top(A, 0), "0 is no number of places"),
        (
            lambda: in_bottom(A, 1.5),  # type: ignore[arg-type]
            "1.5 is no number of places",
        ),
        (lambda: in_top(A, True), "True is no number of places"),
        (lambda: beats(A, A), "nothing is better than itself"),
        (lambda: beats(A, B, by=-1), "by=-1 is not a size"),
        (lambda: beats(A, B, by=0), "by=0 is not a size"),
        (lambda: beats(A, B, by=math.nan), "by=nan is not a size"),
        (
            lambda: beats(A, B, by="1"),  # type: ignore[arg-type]
            "by='1' is not a size",
        ),
    ],
)
def test_what_is_no_condition_is_refused_at_once(make: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        make()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ([], "There is no condition"),
        (["best"], "'best' is no condition: make one of"),
        ([in_top(A, 5)], r"in_top\('drug A', 5\) holds always: there are 5 treatments"),
        ([beats(A, B, by=0.8)], "by=0.8 is no ratio that makes one better: OR is a ratio"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    ratios: nma.Posterior, asked: list[Any], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        nma.decisions.probability(ratios, *asked)


def test_a_share_is_less_than_one() -> None:
    risks = nma.Network.from_contrasts(
        {"s": ["1", "2"], "t": "B", "c": "A", "y": [0.1, 0.2], "se": 0.05},
        study="s", treatment="t", comparator="c",
        outcome=nma.outcomes.Contrast("y", "se", measure="RD", better="higher", scale=1.0),
    )  # fmt: skip
    with pytest.raises(ModelError, match="by=5 is no difference of shares"):
        nma.decisions.probability(nma.fit(risks), beats("B", "A", by=5))


def test_ranking_is_refused_where_it_is_undefined() -> None:
    base = nma.structures.Consistency()
    split = nma.structures.NodeSplit(base, "rosiglitazone", "sulfonylurea")
    posterior = nma.fit(nma.datasets.network("senn2013"), nma.Model(split))
    for asked in (best("placebo"), beats("metformin", "placebo")):
        with pytest.raises(ModelError, match="league tables and ranks are not defined"):
            nma.decisions.probability(posterior, asked)


def test_doubts_about_the_hierarchy_are_kept() -> None:
    star = nma.fit(pictures.arms([(A, B), (A, C), (A, D)]), engine=ENGINE)
    said = " ".join(nma.decisions.probability(star, best(B)).notes)
    assert "The network is a star" in said
    assert "hierarchy hangs on" in said


def test_conditions_are_values_that_do_not_change() -> None:
    with pytest.raises(AttributeError):
        best(A).treatment = B  # type: ignore[attr-defined]
    assert np.unique([repr(best(A) & best(B)), repr(best(A) & best(B))]).size == 1
    assert {best(A), best(A), best(B)} == {best(A), best(B)}
