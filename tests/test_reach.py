"""How far the trials reach: what the structure or its prior tells in their place is said."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

import nma
from nma.errors import ModelError
from nma.priors import Fixed, HalfNormal, Normal
from nma.reach import groups_told
from nma.structures import Components
from own_models import Regression, loop

OUTCOME = nma.outcomes.Contrast("effect", "se", measure="MD", better="lower", scale=1.0)
RANDOM = nma.heterogeneity.Random(HalfNormal(1))
PARTS = Components(separator=" + ", inactive="usual")
YEARS = [1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 5.0, 5.0, 5.0]


def network(*pairs: tuple[str, str]) -> nma.Network:
    frame = pd.DataFrame(pairs, columns=["treatment", "comparator"]).assign(effect=-0.4, se=0.2)
    return nma.Network.from_contrasts(
        frame.assign(study=[f"trial {k}" for k in range(len(frame))]),
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=OUTCOME,
    )


def by_year() -> nma.Posterior:
    wide = nma.structures.Consistency(Normal(0, 20))
    return nma.fit(loop(year=YEARS), nma.Model(Regression(wide, "year", "A", 2.0), RANDOM))


def groups(posterior: nma.Posterior) -> list[list[str]]:
    names = posterior.treatments
    return [[names[k] for k in g] for g in groups_told(posterior.problem, posterior.levels)]


def said(posterior: nma.Posterior, *words: str) -> Sequence[str]:
    return [text for text in posterior.notices if all(word in text for word in words)]


def test_a_connected_network_under_consistency_is_told_whole() -> None:
    posterior = nma.fit(nma.datasets.network("senn2013"))
    assert groups(posterior) == [list(posterior.network.treatments)]
    assert not said(posterior, "rest on the")


def test_parts_that_the_structure_alone_joins_are_named() -> None:
    posterior = nma.fit(
        network(("E", "usual"), ("E + C", "C"), ("E", "usual")), nma.Model(PARTS, RANDOM)
    )
    (text,) = said(posterior, "No trial connects the 2 parts")
    assert "effects between them rest on the structure, Components, alone" in text
    assert text in nma.league_table(posterior).notes


def test_what_the_prior_tells_alone_is_named_and_only_that() -> None:
    """E + C against C tells of E; nothing tells C against usual care, but for its prior."""
    posterior = nma.fit(network(("E", "usual"), ("E + C", "C")), nma.Model(PARTS, RANDOM))
    assert groups(posterior) == [["C", "E + C"], ["E", "usual"]]
    (text,) = said(posterior, "rest on the prior")
    assert "between (1) C, E + C and (2) E, usual" in text
    sd = nma.effect_table(posterior).loc[("C", "usual"), "sd"]
    assert sd == pytest.approx(10 / np.sqrt(2), rel=0.01)


def test_least_squares_without_a_prior_says_so_in_its_own_way() -> None:
    engine = nma.engines.LeastSquares("common")
    made = network(("E", "usual"), ("E + C", "C"), ("E", "usual"))
    posterior = nma.fit(made, nma.Model(PARTS), engine=engine)
    assert not said(posterior, "rest on the prior")
    assert np.isnan(nma.effect_table(posterior)["mean"]["C", "usual"])


def test_random_effects_of_the_structure_do_not_count_as_untold() -> None:
    """What a scale shrinks has mean zero: random inconsistency leaves every effect told."""
    structure = nma.structures.RandomInconsistency(nma.structures.Consistency(), tau_w=Fixed(0.2))
    posterior = nma.fit(nma.datasets.network("back_pain"), nma.Model(structure))
    assert not said(posterior, "rest on the prior")


def test_an_untested_combination_is_marked_as_extrapolated_wherever_it_is_shown() -> None:
    posterior = nma.fit(network(("E", "usual"), ("C", "usual")), nma.Model(PARTS, RANDOM))
    asked = nma.at(posterior, treatments=["usual", "C + E"])
    (text,) = said(asked, "Extrapolated: no trial has 'C + E'")
    for table in (nma.league_table(asked), nma.sucra(asked), nma.effect_table(asked)):
        assert text in table.notes
    back = nma.at(asked, treatments=["usual", "E"])
    assert not said(back, "Extrapolated")


def test_values_beyond_those_of_the_trials_are_marked() -> None:
    posterior = by_year()
    assert not said(nma.at(posterior, year=3.0), "Extrapolated")
    (text,) = said(nma.at(posterior, year=9.0), "Extrapolated")
    assert "year 9 is outside the trials' 1 to 5" in text


def test_tables_say_at_which_values_they_are() -> None:
    posterior = nma.at(by_year(), year=2.5)
    assert "At year 2.5." in nma.league_table(posterior).caption
    assert "at: year 2.5" in str(posterior)


def test_one_treatment_at_several_values_is_named_by_them() -> None:
    posterior = by_year()
    both = nma.at(posterior, treatments=["A", "B", "B"], year=[1.0, 1.0, 4.0])
    assert both.treatments == ("A, year 1", "B, year 1", "B, year 4")
    table = nma.effect_table(both)["mean"]
    slope = posterior.draws.moments
    assert slope is not None
    mean = slope.of(np.array([[0.0, 0.0, 1.0]])).mean[0]
    assert table["B, year 4", "B, year 1"] == pytest.approx(3 * mean, abs=1e-9)
    assert both.comparator == "A, year 1"


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"yeer": 3.0}, "'yeer' is no covariate of this model. Did you mean 'year'?"),
        ({"mean": 3.0}, "Regression makes a column of the arms one"),
        ({"year": [1.0, 2.0]}, "one for each of the 3 treatments"),
        ({"treatments": ["A", "A"], "year": [1.0, 1.0]}, "name each treatment once"),
    ],
)
def test_questions_that_no_level_answers_are_refused(
    question: dict[str, object], message: str
) -> None:
    made = loop(year=YEARS, other=YEARS)
    if "mean" in question:
        question = {"other": 3.0}
    wide = nma.structures.Consistency(Normal(0, 20))
    posterior = nma.fit(made, nma.Model(Regression(wide, "year", "A", 2.0), RANDOM))
    with pytest.raises(ModelError, match=message.replace("?", r"\?")):
        nma.at(posterior, **question)  # type: ignore[arg-type]
