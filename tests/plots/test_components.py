"""The forest of components: the rows of the parameters, in order, and what no trial tells."""

from __future__ import annotations

from typing import Any

import pytest
from matplotlib.colors import to_rgb

import factorial
import nma
import pictures
from factorial import APART, FACTORIAL, FLAT, RANDOM, additive, network
from nma.errors import ModelError
from nma.plots._style import BETTER, GREY
from nma.priors import Fixed
from nma.structures import Components, Regression

components: Any = nma.plots.components
increments: Any = nma.plots.incremental_effects
parameter_table: Any = nma.parameter_table
incremental_effects: Any = nma.incremental_effects


def test_marks_are_the_parameters_components_first_and_the_best_at_the_top() -> None:
    posterior = additive(interactions=[("E", "C")])
    marks, table = components.marks(posterior, level=0.9), parameter_table(posterior, level=0.9)
    assert marks.index.tolist() == ["E", "C", "C x E"]
    assert marks["kind"].tolist() == ["component", "component", "interaction"]
    for column in ("estimate", "lower", "upper", "told"):
        assert marks[column].to_dict() == table[column].to_dict()
    assert "90% credible interval" in marks.attrs["text"]
    assert "tau " in marks.attrs["text"]


def test_the_best_of_what_should_be_high_is_the_highest() -> None:
    structure = Components(separator=" + ", inactive="usual care")
    posterior = nma.fit(nma.datasets.network("musician"), nma.Model(structure))
    marks = components.marks(posterior)
    assert marks["mean"].is_monotonic_decreasing
    said = pictures.written(components(posterior))
    assert "OR: what each component adds" in said
    assert "favours adding it →" in said


def colours(ax: Any) -> set[tuple[float, ...]]:
    return {to_rgb(lines.get_color()[0]) for lines in ax.collections if len(lines.get_paths())}


def test_what_no_trial_tells_is_dashed_says_so_and_takes_no_room() -> None:
    """The prior of what is untold reaches 10 on both sides; the axis shows what is told."""
    posterior = additive(APART, heterogeneity=nma.heterogeneity.Random(Fixed(0.1)))
    marks = components.marks(posterior)
    assert marks["text"].to_dict() == {
        "E": marks.loc["E", "text"], "C": "rests on its prior", "S": "rests on its prior",
    }  # fmt: skip
    ax = components(posterior)
    assert colours(ax) == {to_rgb(BETTER), to_rgb(GREY)}
    assert max(map(abs, ax.get_xlim())) < 2
    assert "Dashed, grey: no trials" in " ".join(pictures.written(ax))
    assert pictures.faults(ax) == []
    assert colours(components(additive())) == {to_rgb(BETTER)}


def test_least_squares_draws_what_is_determined() -> None:
    posterior = additive(APART, heterogeneity=factorial.COMMON, engine=FLAT)
    ax = components(posterior)
    assert pictures.written(ax).count("not determined") == 2
    assert pictures.faults(ax) == []


def test_shrunken_pairs_that_no_trial_has_are_told_from_those_that_some_has() -> None:
    rows = [*FACTORIAL, ("S", "usual", -0.2, 0.2)]
    marks = components.marks(additive(rows, interactions="all"))
    assert marks["text"].eq("no trial has it").sum() == 2
    assert marks.index.tolist()[3] == "C x E"


def test_within_a_regression_its_coefficients_are_left_out() -> None:
    made = network(FACTORIAL, year=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    inner = Components(separator=" + ", inactive="usual")
    structure = Regression(inner, "year", control="usual")
    marks = components.marks(nma.fit(made, nma.Model(structure, RANDOM)))
    assert marks.index.tolist() == ["E", "C"]


def test_what_has_no_components_or_tells_none_is_refused() -> None:
    with pytest.raises(ModelError, match="has no components"):
        components(nma.fit(network(FACTORIAL)))
    rows = [("E", "usual", -0.5, 0.2), ("C", "usual", -0.3, 0.2)]
    alone = nma.fit(network(rows), nma.Model(Components(separator=" + "), RANDOM))
    with pytest.raises(ModelError, match="The trials determine no component"):
        components(alone)


def test_marks_of_increments_are_the_table_and_star_what_no_trial_has() -> None:
    rows = [*FACTORIAL, ("S", "usual", -0.2, 0.2)]
    posterior = additive(rows, interactions=[("E", "C")])
    marks = increments.marks(posterior, adding=["E", "S"], to=["usual", "C"])
    table = incremental_effects(posterior, adding=["E", "S"], to=["usual", "C"])
    assert marks.index.tolist() == [f"{c}, added to {t}" for c, t in table.index]
    assert marks["estimate"].tolist() == table["estimate"].tolist()
    starred = marks["text"].str.endswith(" *")
    assert starred.tolist() == [False, False, False, True]
    assert "*: no trial has the combination" in marks.attrs["text"]
    tested = increments.marks(posterior, adding=["E"], to=["usual", "C"])
    assert "*" not in tested.attrs["text"] + "".join(tested["text"])


def test_names_of_increments_keep_both_ends_where_they_are_long() -> None:
    names = {"E": pictures.LONG.format(1), "C": pictures.LONG.format(2), "usual": "usual"}
    names["E + C"] = f"{names['E']} + {names['C']}"
    rows = [(names[t], names[c], y, se) for t, c, y, se in FACTORIAL]
    ax = increments(additive(rows), to=["usual", names["C"]])
    said = pictures.written(ax)
    assert "supervised graded … exercise 01, added to supervised … exercise 02" in said
    assert pictures.faults(ax) == []


def test_increments_that_no_trial_tells_are_refused_if_there_is_nothing_else() -> None:
    posterior = additive(APART)
    with pytest.raises(ModelError, match="The trials determine none of these"):
        increments(posterior, adding=["C"], to=["usual"])
