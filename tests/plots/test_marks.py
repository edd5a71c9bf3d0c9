"""Marks are the numbers of the tables, and the words say which way they point."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise, permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from scipy.integrate import trapezoid

import nma
import pictures
from mirrors import mirrored, named, renamed
from nma.errors import ModelError
from nma.plots._circle import circular_order, spread
from nma.plots._layers import layered
from nma.plots._league_table import _bar_ticks
from nma.plots._style import DEEP, PALE, SHADES, WORSE
from nma.priors import Fixed, LogNormal, Uniform

ENGINE = nma.engines.Gaussian(draws=1024)
NAMES = [f"drug {chr(65 + k)}" for k in range(10)]


@pytest.fixture(scope="module")
def senn() -> nma.Posterior:
    return nma.fit(nma.datasets.network("senn2013"), engine=ENGINE)


@pytest.fixture(scope="module")
def ratios() -> nma.Posterior:
    return nma.fit(pictures.contrasts(pictures.chain(NAMES[:5])), engine=ENGINE)


# the network


def test_marks_of_a_network_count_what_the_network_counts(senn: nma.Posterior) -> None:
    network = senn.network
    marks = nma.plots.network.marks(network)
    nodes = marks[marks["mark"] == "treatment"]
    assert [name for (name,) in nodes["treatments"]] == list(network.treatments)
    people = network.arms.groupby("treatment")["participants"].sum()
    assert nodes["participants"].tolist() == people[list(network.treatments)].tolist()
    np.testing.assert_allclose(nodes["x"] ** 2 + nodes["y"] ** 2, 1)
    edges = marks[marks["mark"] == "comparison"].reset_index()
    table = network.comparisons()
    assert edges["treatments"].tolist() == list(
        zip(table["treatment"], table["comparator"], strict=True)
    )
    assert edges["trials"].tolist() == table["trials"].tolist()
    designs = marks[marks["mark"] == "design"]
    assert designs["treatments"].tolist() == [("acarbose", "metformin", "placebo")]
    assert designs["trials"].tolist() == [1]


def test_the_picture_of_a_network_does_not_depend_on_the_order_of_rows() -> None:
    frame = nma.datasets.load("senn2013")
    outcome = nma.outcomes.Contrast("effect", "se", measure="MD", better="lower")

    def marks(rows: pd.DataFrame) -> pd.DataFrame:
        network = nma.Network.from_contrasts(
            rows, study="study", treatment="treatment", comparator="comparator", outcome=outcome,
            reference="placebo",
        )  # fmt: skip
        return nma.plots.network.marks(network)

    pd.testing.assert_frame_equal(marks(frame), marks(frame.sample(frac=1, random_state=3)))


def crossings(order: list[str], edges: list[tuple[str, str]]) -> int:
    place = {name: k for k, name in enumerate(order)}
    spans = [sorted((place[a], place[b])) for a, b in edges]
    return sum(a < c < b < d or c < a < d < b for (a, b), (c, d) in combinations(spans, 2))


@pytest.mark.parametrize("seed", range(6))
def test_few_lines_cross(seed: int) -> None:
    """Against every order of seven nodes: the fewest crossings, or one more."""
    rng = np.random.default_rng(seed)
    names = list("abcdefg")
    pairs = list(combinations(names, 2))
    edges = [pairs[k] for k in rng.choice(len(pairs), size=11, replace=False)]
    fewest = min(crossings([names[0], *rest], edges) for rest in permutations(names[1:]))
    (found,) = circular_order([names], edges)
    assert sorted(found) == names
    assert crossings(found, edges) <= fewest + 1


def test_a_ring_is_drawn_as_a_ring() -> None:
    ring = [("a", "d"), ("d", "b"), ("b", "e"), ("e", "c"), ("c", "f"), ("f", "a")]
    (order,) = circular_order([list("abcdef")], ring)
    assert crossings(order, ring) == 0


def test_labels_are_spread_as_little_as_needed() -> None:
    assert spread([2.0, 1.0], [0.5, 0.5]) == [2.0, 1.0]
    np.testing.assert_allclose(spread([1.0, 1.0, 1.0], [0.4, 0.4, 0.4]), [1.4, 1.0, 0.6])


def test_unconnected_parts_stand_apart() -> None:
    network = pictures.arms([("a", "b"), ("b", "c"), ("d", "e")])
    ax = nma.plots.network(network)
    assert "3 trials, 5 treatments, 2 unconnected parts" in " ".join(pictures.written(ax))
    assert pictures.faults(ax) == []


def test_the_size_of_nodes_says_what_it_is(senn: nma.Posterior) -> None:
    said = " ".join(pictures.written(nma.plots.network(senn.network)))
    assert "Area of a node: participants;" in said
    said = " ".join(pictures.written(nma.plots.network(senn.network, size="trials")))
    assert "Area of a node: trials that have the treatment;" in said
    silent = pictures.contrasts(pictures.chain(NAMES[:4]))
    said = " ".join(pictures.written(nma.plots.network(silent)))
    assert "trials that have the treatment (participants are not reported for every arm)" in said
    with pytest.raises(ModelError, match="No arm reports its participants"):
        nma.plots.network(silent, size="participants")
    with pytest.raises(ModelError, match="neither 'participants' nor 'trials'"):
        nma.plots.network(silent, size="people")  # type: ignore[arg-type]


def test_the_area_of_a_node_is_in_proportion(senn: nma.Posterior) -> None:
    from matplotlib.patches import Circle

    ax = nma.plots.network(senn.network)
    marks = nma.plots.network.marks(senn.network)
    nodes = marks[marks["mark"] == "treatment"]
    drawn = [patch for patch in ax.patches if isinstance(patch, Circle)][: len(nodes)]
    areas = np.array([patch.radius**2 for patch in drawn])
    np.testing.assert_allclose(
        areas / areas.sum(), nodes["participants"] / nodes["participants"].sum()
    )


def test_lines_can_carry_the_number_of_trials(senn: nma.Posterior) -> None:
    ax = nma.plots.network(senn.network, counts=True)
    assert pictures.faults(ax) == []
    assert pictures.written(ax).count("6") == 1  # rosiglitazone and placebo


# the forest


def test_marks_of_a_forest_are_the_effect_table(senn: nma.Posterior) -> None:
    marks = nma.plots.forest.marks(senn, comparator="metformin", level=0.9)
    table = nma.effect_table(senn, comparators=["metformin"], level=0.9, predictive=True)
    expected = table.droplevel("comparator").sort_values("mean")
    pd.testing.assert_frame_equal(pd.DataFrame(marks).drop(columns="text"), pd.DataFrame(expected))
    league = nma.league_table(senn)
    shown = nma.plots.forest.marks(senn)["text"]
    assert shown.tolist() == [league.loc[name, "placebo"] for name in shown.index]


def test_a_forest_shows_what_it_is_asked_for(senn: nma.Posterior) -> None:
    order = ["miglitol", "acarbose", "placebo"]
    assert list(nma.plots.forest.marks(senn, order=order).index) == ["miglitol", "acarbose"]
    assert "predictive_lower" not in nma.plots.forest.marks(senn, predictive=False)
    with pytest.raises(ModelError, match="Did you mean 'acarbose'"):
        nma.plots.forest(senn, order=["acarbos"])
    with pytest.raises(ModelError, match="names no treatment besides"):
        nma.plots.forest(senn, order=["placebo"])
    with pytest.raises(ModelError, match="is one name"):
        nma.plots.forest(senn, order="placebo")
    with pytest.raises(ModelError, match="'acarbose' is alone"):
        nma.plots.forest(nma.at(senn, treatments=["acarbose"]))


def sides(posterior: nma.Posterior, **options: Any) -> tuple[str, str]:
    """What is written to the left and to the right below the axis."""
    ax = nma.plots.forest(posterior, **options)
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    found = [text for text in pictures.words(ax) if "favours" in text.get_text()]
    found.sort(key=lambda text: text.get_window_extent().x0)
    left, right = (text.get_text() for text in found)
    return left, right


def test_directions_are_named_and_turn_with_what_is_better(
    senn: nma.Posterior, ratios: nma.Posterior
) -> None:
    lower = ("← favours the treatment", "favours placebo →")
    assert sides(senn) == lower
    assert sides(mirrored(senn)) == ("← favours placebo", "favours the treatment →")
    assert sides(ratios) == ("← favours the treatment", "favours drug A →")
    assert sides(mirrored(ratios)) == ("← favours drug A", "favours the treatment →")
    assert sides(senn, order=["acarbose"]) == ("← favours acarbose", "favours placebo →")


def test_the_best_stands_at_the_top(senn: nma.Posterior) -> None:
    first = list(nma.plots.forest.marks(senn).index)
    assert first == list(nma.plots.forest.marks(mirrored(senn)).index)[::-1]
    assert first[0] == "rosiglitazone"


def test_ratios_stand_on_a_log_axis_with_plain_numbers(ratios: nma.Posterior) -> None:
    ax = nma.plots.forest(ratios)
    assert ax.get_xscale() == "log"
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert "1" in labels
    assert not [label for label in labels if "$" in label or "^" in label]
    np.testing.assert_allclose([float(label) for label in labels], ax.get_xticks())
    low, high = ax.get_xlim()
    assert low < 1 < high


def test_without_heterogeneity_one_line_is_drawn(senn: nma.Posterior) -> None:
    common = nma.fit(
        senn.network, nma.Model(heterogeneity=nma.heterogeneity.Common()), engine=ENGINE
    )
    said = " ".join(pictures.written(nma.plots.forest(common)))
    assert "since there is no heterogeneity" in said
    assert len(nma.plots.forest(common).collections) == len(nma.plots.forest(senn).collections) - 1


def test_an_interval_beyond_the_axis_ends_in_an_arrow(senn: nma.Posterior) -> None:
    marks = nma.plots.forest.marks(senn)
    marks.loc["acarbose", "predictive_lower"] = -1e6
    ax = nma.plots.forest.draw(marks)
    assert ax.get_xlim()[0] > -100
    ends = [line for line in ax.lines if line.get_marker() == "<" and len(line.get_xdata())]  # type: ignore[arg-type]
    assert len(ends) == 1


def test_a_forest_names_its_intervals_and_tells_tau(senn: nma.Posterior) -> None:
    said = pictures.written(nma.plots.forest(senn, level=0.9))
    assert "MD (90% credible interval)" in said
    together = " ".join(said)
    new = "thin line: 90% predictive interval (the effect in one new trial like these)"
    assert new in together
    row = nma.summary(senn, level=0.9).loc["tau"]
    assert f"tau {row['median']:.3f} ({row['lower']:.3f}, {row['upper']:.3f})" in together
    alone = nma.fit(pictures.arms([("a", "b")]), engine=ENGINE)
    assert "any tau rests on its prior" in " ".join(pictures.written(nma.plots.forest(alone)))
    fixed = nma.Model(heterogeneity=nma.heterogeneity.Random(Fixed(0.3)))
    known = nma.fit(senn.network, fixed, engine=ENGINE)
    assert "tau 0.3 (taken as known)" in nma.plots.forest.marks(known).attrs["text"]


def test_a_difference_that_matters_lies_on_the_better_side(
    senn: nma.Posterior, ratios: nma.Posterior
) -> None:
    def line(posterior: nma.Posterior, size: float) -> float:
        ax = nma.plots.forest(posterior, important=size)
        (found,) = [line for line in ax.lines if line.get_linestyle() == "--"]
        low, high = ax.get_xlim()
        place = float(np.asarray(found.get_xdata())[0])
        assert low < place < high
        return place

    assert line(senn, 0.5) == -0.5
    assert line(mirrored(senn), 5) == 5
    assert line(ratios, 1.25) == line(ratios, 0.8) == 0.8
    assert line(mirrored(ratios), 0.8) == 1.25
    assert (
        "the difference stated to matter" in nma.plots.forest.marks(senn, important=1).attrs["text"]
    )
    for posterior, size in ((senn, -1), (senn, np.inf), (ratios, 1)):
        with pytest.raises(ModelError, match="that could matter"):
            nma.plots.forest(posterior, important=size)


@pytest.mark.parametrize("better", ["lower", "higher"])
def test_a_forest_in_points_is_in_points(better: nma.protocols.Better) -> None:
    outcome = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="SMD", better="lower")
    network = nma.Network.from_arms(
        nma.datasets.load("parkinson"), study="study", treatment="treatment", outcome=outcome,
        reference="placebo",
    )  # fmt: skip
    posterior = nma.fit(network, engine=ENGINE)
    scale = nma.instruments.Instrument("hours", 0, 24, better)
    marks = nma.plots.forest.marks(posterior, instrument=scale, reference_sd=4)
    points = nma.in_points(posterior, scale, reference_sd=4).droplevel("comparator")
    assert list(marks.index) == list(nma.plots.forest.marks(posterior).index)
    for column in ("estimate", "lower", "upper"):
        np.testing.assert_array_equal(marks[column], points.loc[marks.index, column])
    table = nma.effect_table(posterior, comparators=["placebo"], predictive=True)
    sd = table.droplevel("comparator").loc[marks.index]
    width = sd["predictive_upper"] - sd["predictive_lower"]
    np.testing.assert_allclose(marks["predictive_upper"] - marks["predictive_lower"], 4 * width)
    assert (marks["predictive_lower"] < marks["lower"]).all()
    ax = nma.plots.forest.draw(marks)
    assert ax.get_xlabel() == "Points of hours"
    assert "SMD times 4." in " ".join(pictures.written(ax))


def test_the_key_of_a_network_ends_with_the_largest(senn: nma.Posterior) -> None:
    said = pictures.written(nma.plots.network(senn.network))
    people = senn.network.arms.groupby("treatment")["participants"].sum().max()
    assert {"1", "3", "6 trials", f"{people:,.0f} participants"} <= set(said)
    several = pictures.arms([("a", "b", "c"), ("b", "c", "d"), ("a", "d")])
    said = pictures.written(nma.plots.network(several))
    assert "colours only tell sets of treatments apart" in " ".join(said)


# the league table


def test_marks_of_a_league_table_are_the_effect_table(ratios: nma.Posterior) -> None:
    marks = pd.DataFrame(nma.plots.league_table.marks(ratios)).set_index(["row", "column"])
    table = pd.DataFrame(nma.effect_table(ratios)).rename_axis(["row", "column"])
    columns = list(table.columns)
    pd.testing.assert_frame_equal(marks.loc[table.index, columns], table)
    cells = nma.league_table(ratios)
    assert [cells.loc[pair] for pair in marks.index] == marks["text"].tolist()
    assert list(dict.fromkeys(marks.index.get_level_values("row"))) == list(nma.sucra(ratios).index)
    assert (marks["clear"] == ((marks["lower"] > 1) | (marks["upper"] < 1))).all()


@pytest.mark.parametrize("turn", [lambda posterior: posterior, mirrored])
def test_blue_always_means_that_the_row_is_better(ratios: nma.Posterior, turn: Any) -> None:
    marks = nma.plots.league_table.marks(turn(ratios))
    assert ((marks["benefit"] > 0) == (marks["p_better"] > 0.5)).all()
    assert marks["benefit"].iloc[0] > 0  # the best against the next
    ax = nma.plots.league_table(turn(ratios))
    mesh: Any = ax.collections[0]
    red, _, blue, _ = mesh.cmap(mesh.norm(marks["benefit"].max()))
    assert blue > red


def test_a_league_table_says_only_what_it_shows(ratios: nma.Posterior) -> None:
    few = nma.plots.league_table.marks(ratios).attrs["text"]
    assert "posterior mean of the log OR with 95% credible interval." in few
    names = [f"drug {k:02d}" for k in range(13)]
    many = nma.fit(pictures.arms(pictures.chain(names)), engine=ENGINE)
    said = nma.plots.league_table.marks(many).attrs["text"]
    assert "posterior mean. Blue" in said
    assert "bold: the 95% credible interval leaves out no effect" in said


def test_a_table_of_uncertain_effects_is_pale() -> None:
    posterior = nma.fit(pictures.arms([("a", "b")] * 3), engine=ENGINE)
    mesh: Any = nma.plots.league_table(posterior).collections[0]
    strongest = nma.plots.league_table.marks(posterior)["benefit"].max()
    assert mesh.norm(strongest) < 0.75


# the rankogram


def test_marks_of_a_rankogram_are_the_rank_probabilities(senn: nma.Posterior) -> None:
    marks = nma.plots.rankogram.marks(senn)
    wide = pd.DataFrame(marks).pivot_table(index="treatment", columns="rank", values="probability")
    expected = pd.DataFrame(nma.rank_probabilities(senn))
    np.testing.assert_array_equal(wide.loc[expected.index], expected)
    scores = nma.sucra(senn)["sucra"]
    assert list(dict.fromkeys(marks["treatment"])) == list(scores.index)
    rows = marks.groupby("treatment", sort=False)
    np.testing.assert_array_equal(rows["sucra"].first(), scores)
    np.testing.assert_allclose(rows["cumulative"].last(), 1)
    drawn = nma.ranks(senn).mean(("chain", "draw")).to_series()
    area = rows["cumulative"].apply(lambda heights: heights.iloc[:-1].mean())
    np.testing.assert_allclose(area, (10 - drawn[area.index]) / 9)


def test_a_rankogram_has_a_panel_for_every_treatment(senn: nma.Posterior) -> None:
    ax = nma.plots.rankogram(senn)
    assert len(ax.child_axes) == 10
    assert "SUCRA 0.89" in pictures.written(ax) or "SUCRA 0.90" in pictures.written(ax)
    with pytest.raises(ModelError, match="alone cannot be ranked"):
        nma.plots.rankogram(nma.at(senn, treatments=["placebo"]))


# SUCRA against the effect


def test_marks_of_sucra_against_effect_are_the_tables(senn: nma.Posterior) -> None:
    marks = pd.DataFrame(nma.plots.sucra_against_effect.marks(senn, comparator="placebo"))
    ranked = pd.DataFrame(nma.sucra(senn))
    columns = ["sucra", "sucra_lower", "sucra_upper"]
    pd.testing.assert_frame_equal(marks[columns], ranked[columns])
    effects = pd.DataFrame(nma.effect_table(senn, comparators=["placebo"])).droplevel("comparator")
    for column in ("estimate", "lower", "upper"):
        np.testing.assert_array_equal(marks.loc[effects.index, column], effects[column])
    assert (marks.loc[["placebo"], ["estimate", "lower", "upper"]] == 0).all(axis=None)


def test_sucra_against_effect_says_when_not_to_trust_it() -> None:
    star = nma.fit(pictures.arms([(NAMES[0], name) for name in NAMES[1:5]]), engine=ENGINE)
    said = " ".join(pictures.written(nma.plots.sucra_against_effect(star)))
    assert "The hierarchy is weak" in said
    assert "The network is a star" in said


@pytest.mark.parametrize("turn", [lambda posterior: posterior, mirrored])
def test_the_better_side_of_no_effect_is_named(ratios: nma.Posterior, turn: Any) -> None:
    ax = nma.plots.sucra_against_effect(turn(ratios))
    (panel,) = ax.child_axes
    said = [text for text in pictures.written(ax) if "\N{LEFTWARDS ARROW}" in text]
    lower = turn(ratios).network.better == "lower"
    assert ("better" in said[0]) == lower
    best = nma.plots.sucra_against_effect.marks(turn(ratios))["estimate"].iloc[0]
    assert (best <= 1) == lower
    assert panel.get_xscale() == "log"


# the Hasse diagram


def test_marks_of_a_hasse_diagram_are_the_order(senn: nma.Posterior) -> None:
    order = nma.decisions.partial_order({"pain": senn, "harms": renamed(senn, 3)})
    marks = nma.plots.hasse.marks(order)
    nodes, lines = marks[marks["below"] == ""], marks[marks["below"] != ""]
    assert nodes["treatment"].tolist() == list(order.index)
    found = list(zip(lines["treatment"], lines["below"], strict=True))
    assert found == order.attrs["covers"]
    first = order.iloc[0]
    assert nodes["text"].iloc[0] == f"{first['pain']:.2f} / {first['harms']:.2f}"


@pytest.mark.parametrize("threshold", [None, 0.7])
def test_lines_of_a_hasse_diagram_go_down_and_through_no_box(
    senn: nma.Posterior, threshold: float | None
) -> None:
    order = nma.decisions.partial_order(
        {"pain": senn, "harms": renamed(senn, 3)}, threshold=threshold
    )
    names = list(order.index)
    plan = layered(names, order.attrs["covers"], (1.0, 0.5))
    assert len(plan.lines) == len(order.attrs["covers"])
    for (upper, lower), way in zip(order.attrs["covers"], plan.lines, strict=True):
        heights = [y for _, y in way]
        assert all(a > b for a, b in pairwise(heights))
        for name, (x, y) in plan.places.items():
            if name in {upper, lower}:
                continue
            steps = np.array(way)
            for start, end in pairwise(steps):
                points = start + np.linspace(0, 1, 50)[:, None] * (end - start)
                inside = (abs(points - (x, y)) < (0.5 - 1e-9, 0.25 - 1e-9)).all(axis=1)
                assert not inside.any(), (upper, lower, name)
    boxes = np.array([plan.places[name] for name in names])
    apart = abs(boxes[:, None] - boxes) - (1.0, 0.5) > -1e-9
    assert (apart.any(axis=-1) | np.eye(len(names), dtype=bool)).all()
    assert (boxes.min(axis=0) >= (0.5 - 1e-9, 0.25 - 1e-9)).all()
    assert (boxes.max(axis=0) <= (plan.width - 0.5 + 1e-9, plan.height - 0.25 + 1e-9)).all()


def test_a_hasse_diagram_tells_who_is_in_no_order(senn: nma.Posterior) -> None:
    order = nma.decisions.partial_order({"benefit": senn, "harm": mirrored(senn)})
    ax = nma.plots.hasse(order)
    assert not ax.lines
    assert "White boxes: in no order with any other." in " ".join(pictures.written(ax))
    alike = nma.plots.hasse(nma.decisions.partial_order({"one": senn, "two": senn}))
    assert "White boxes" not in " ".join(pictures.written(alike))
    with pytest.raises(ModelError, match=r"this is a Posterior: nma\.plots\.hasse\(nma\.decisions"):
        nma.plots.hasse(senn)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=r"this is a Table, such as nma\.plots\.hasse"):
        nma.plots.hasse(nma.sucra(senn))


# halves of the league table


def test_a_new_trial_stands_above_the_diagonal(ratios: nma.Posterior) -> None:
    marks = pd.DataFrame(nma.plots.league_table.marks(ratios, upper="predictive"))
    marks = marks.set_index(["row", "column"])
    table = pd.DataFrame(nma.effect_table(ratios, predictive=True))
    plain = pd.DataFrame(nma.plots.league_table.marks(ratios)).set_index(["row", "column"])
    assert list(marks.index) == list(plain.index)
    above = marks["half"] == "above"
    assert above.sum() == 10
    for end in ("lower", "upper"):
        new = table.loc[marks.index, f"predictive_{end}"]
        np.testing.assert_array_equal(marks.loc[above, end], new[above.to_numpy()])
    pd.testing.assert_frame_equal(marks[~above], plain[~above.to_numpy()])
    said = " ".join(pictures.written(nma.plots.league_table(ratios, upper="predictive")))
    assert "Above the diagonal the 95% credible interval is that of the effect in one new" in said


def test_a_second_outcome_stands_above_the_diagonal(ratios: nma.Posterior) -> None:
    """Each half has its own measure and direction, and reads row versus column."""
    points = nma.fit(pictures.arms(pictures.chain(NAMES[:5]), better="higher"), engine=ENGINE)
    names = ("harms", "pain")
    marks = pd.DataFrame(nma.plots.league_table.marks(ratios, upper=points, names=names))
    order = list(nma.sucra(ratios).index)
    for _, row in marks.iterrows():
        above = order.index(row["row"]) < order.index(row["column"])
        assert row["half"] == ("above" if above else "below")
        whose = points if above else ratios
        table = pd.DataFrame(nma.effect_table(whose, comparators=[row["column"]]))
        own = table.droplevel("comparator").loc[row["row"]]
        assert row["estimate"] == pytest.approx(own["estimate"], abs=1e-12)
        assert (row["benefit"] > 0) == (own["p_better"] > 0.5)
    ax = nma.plots.league_table(ratios, upper=points, names=names)
    said = " ".join(pictures.written(ax))
    assert "harms below the diagonal, pain above it; row versus column" in said
    assert "Below the diagonal: harms (OR), lower is better; above it: pain (MD), higher" in said
    assert pictures.written(ax).count("row better") == 2
    assert pictures.faults(ax) == []


def test_deepest_colours_are_each_halfs_own(ratios: nma.Posterior) -> None:
    points = nma.fit(pictures.arms(pictures.chain(NAMES[:5])), engine=ENGINE)
    marks = nma.plots.league_table.marks(ratios, upper=points)
    mesh: Any = nma.plots.league_table.draw(marks).collections[0]
    shade = mesh.get_array()
    place = {name: k for k, name in enumerate(marks.attrs["order"])}
    for half in ("above", "below"):
        rows = marks[marks["half"] == half]
        largest = rows.iloc[int(rows["benefit"].abs().to_numpy().argmax())]
        cell = shade[place[largest["row"]], place[largest["column"]]] / mesh.norm.vmax
        assert abs(cell) == pytest.approx(
            min(1.0, abs(largest["benefit"]) / 2 / rows["sd"].median())
        )


def test_a_second_outcome_is_matched_by_name(ratios: nma.Posterior) -> None:
    other = named(ratios, ["drug A", "drug b", *NAMES[2:5]])
    ax = nma.plots.league_table(ratios, upper=other, names=("one", "two"))
    said = " ".join(pictures.written(ax))
    assert "Not above the diagonal: 'drug B'. Did you mean 'drug b'?" in said
    assert "Not below the diagonal: 'drug b'. Did you mean 'drug B'?" in said
    assert pictures.faults(ax) == []
    marks = nma.plots.league_table.marks(ratios, upper=other)
    assert len(marks) == 10 + 6
    with pytest.raises(ModelError, match="share fewer than two treatments"):
        nma.plots.league_table(ratios, upper=named(ratios, list("vwxyz")))


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"upper": "prediction"}, "'prediction' is neither 'predictive' nor a fitted model"),
        ({"names": ("a", "b")}, "names two outcomes: give the second as upper="),
    ],
)
def test_what_is_no_upper_half_is_refused(
    ratios: nma.Posterior, question: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        nma.plots.league_table(ratios, **question)
    with pytest.raises(ModelError, match="give two, that below the diagonal first"):
        nma.plots.league_table(ratios, upper=ratios, names="ab")  # type: ignore[arg-type]


# heterogeneity


@pytest.mark.parametrize(
    "prior", [None, Uniform(0, 2), LogNormal(-1, 0.8), nma.priors.HalfCauchy(0.5)]
)
@pytest.mark.parametrize("exact", [True, False])
def test_densities_are_densities(senn: nma.Posterior, prior: Any, exact: bool) -> None:
    model = nma.Model(heterogeneity=nma.heterogeneity.Random(prior))
    posterior = nma.fit(senn.network, model, engine=nma.engines.Gaussian(draws=4096))
    moments = posterior.draws.moments
    assert moments is not None
    if not exact:
        posterior = replace(posterior, draws=replace(posterior.draws, moments=None))
    marks = nma.plots.heterogeneity.marks(posterior)
    value = marks["value"].to_numpy()
    assert trapezoid(marks["posterior"], value) == pytest.approx(1, abs=0.01)
    marginal = moments.marginals["tau"]
    between = (value >= 0.2) & (value <= 0.5)
    share = np.interp([0.2, 0.5], marginal.value, marginal.cumulative)
    cut = [np.interp(end, value, marks["posterior"]) for end in (0.2, 0.5)]
    at = np.concatenate([[0.2], value[between], [0.5]])
    heights = np.concatenate([cut[:1], marks["posterior"][between], cut[1:]])
    assert trapezoid(heights, at) == pytest.approx(share[1] - share[0], abs=0.01)
    scale = posterior.problem.scales[0]
    np.testing.assert_array_equal(marks["prior"], np.exp(scale.prior.log_density(value)))
    summary = nma.summary(posterior).loc["tau"]
    assert marks["median"].iloc[0] == pytest.approx(summary["median"], rel=0.01)
    assert type(scale.prior).__name__ in marks["prior_key"].iloc[0]


def test_a_density_without_bound_at_zero_leaves_the_picture_at_the_top() -> None:
    prior = nma.priors.rhodes2015(
        outcome="pain", comparison="pharmacological vs placebo or control", scale=3
    )
    model = nma.Model(heterogeneity=nma.heterogeneity.Random(prior))
    posterior = nma.fit(nma.datasets.network("parkinson"), model)
    marks = nma.plots.heterogeneity.marks(posterior)
    density, value = marks["posterior"].to_numpy(), marks["value"].to_numpy()
    assert density.max() > 5 * density[value > marks["lower"].iloc[0]].max()
    top = nma.plots.heterogeneity(posterior).get_ylim()[1]
    at = float(np.interp(marks["median"].iloc[0], value, density))
    assert at < top < 5 * at


def test_the_density_has_no_spike_at_zero() -> None:
    marks = nma.plots.heterogeneity.marks(nma.fit(nma.datasets.network("back_pain")))
    steps = np.abs(np.diff(marks["posterior"]))
    assert steps[0] < 2 * steps[1:5].max() + 1e-6


@pytest.mark.parametrize(
    "choice", [nma.heterogeneity.Common(), nma.heterogeneity.Random(Fixed(0.3))]
)
def test_a_known_heterogeneity_has_no_density(senn: nma.Posterior, choice: Any) -> None:
    posterior = nma.fit(senn.network, nma.Model(heterogeneity=choice), engine=ENGINE)
    with pytest.raises(ModelError, match="leaves no scale to estimate"):
        nma.plots.heterogeneity(posterior)


def test_several_scales_have_a_panel_each(senn: nma.Posterior) -> None:
    marks = nma.plots.heterogeneity.marks(senn)
    both = pd.concat([marks, marks.assign(scale="class")], ignore_index=True)
    both.attrs = marks.attrs
    ax = nma.plots.heterogeneity.draw(both)
    assert len(ax.child_axes) == 2
    assert "Prior and posterior of tau and class" in pictures.written(ax)
    assert pictures.faults(ax) == []


# colours


def test_colours_differ_in_grey() -> None:
    """No two shades of neighbouring polygons are told apart by hue alone."""
    grey = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in map(to_rgb, SHADES)]
    assert min(abs(a - b) for a, b in pairwise(grey)) > 0.03


def luminance(colour: Any) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("end", [DEEP, WORSE, PALE])
def test_numbers_in_cells_can_be_read_in_colour_and_in_grey(end: str) -> None:
    """WCAG: a contrast of 4.5 to 1 at least, against black text."""
    grey = float(np.dot([0.299, 0.587, 0.114], to_rgb(end)))
    for cell in (end, (grey, grey, grey)):
        assert (luminance(cell) + 0.05) / 0.05 >= 4.5


@pytest.mark.parametrize("farthest", [0.02, 0.2, 0.3, 0.9, 2.0, 5.0])
def test_ratios_beside_the_colour_bar_come_in_pairs(farthest: float) -> None:
    ticks = np.log(_bar_ticks(farthest, ratio=True))
    np.testing.assert_allclose(ticks, -ticks[::-1], atol=0.002)
    assert 0 < ticks[-1] <= farthest


def test_a_league_of_many_numbers_its_columns() -> None:
    names = [f"t{k:02d}" for k in range(41)]
    many = nma.fit(pictures.arms(pictures.chain(names)), engine=nma.engines.Gaussian(draws=256))
    ax = nma.plots.league_table(many)
    said = pictures.written(ax)
    assert said.count("40") == 2  # row and column
    assert said.count("39") == 1
    alone = "over 40 treatments: colours only; the numbers are in nma.league_table"
    assert alone in " ".join(said)
    assert pictures.faults(ax) == []
