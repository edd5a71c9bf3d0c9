"""Bubbles are the trials' own contrasts, and their line is what nma.at says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection

import nma
import pictures
from nma.errors import ModelError
from nma.problem import Parameters
from nma.protocols import Structure

if TYPE_CHECKING:
    from numpy.typing import NDArray

PAIR = ("vaccinated", "unvaccinated")
BASE = nma.structures.Consistency()


def fit(network: nma.Network, covariate: str, control: str, **more: object) -> nma.Posterior:
    structure = nma.structures.Regression(BASE, covariate, control=control, **more)  # type: ignore[arg-type]
    return nma.fit(network, nma.Model(structure))


@pytest.fixture(scope="module")
def bcg() -> nma.Posterior:
    return fit(nma.datasets.network("bcg").as_normal(), "latitude", "unvaccinated")


@pytest.fixture(scope="module")
def statins() -> nma.Posterior:
    return fit(nma.datasets.network("statins").as_normal(), "prevention", "placebo")


def aged(posterior_of: Sequence[Sequence[str]], ages: Sequence[float | None]) -> nma.Network:
    """Return trials with an age each."""
    network = pictures.arms(posterior_of)
    age = dict(zip(network.trials, [np.nan if x is None else x for x in ages], strict=True))
    table = network.table.assign(age=[age[study] for study in network.table["study"]])
    return replace(network, table=table)


def test_circles_are_the_trials_own_odds_ratios(bcg: nma.Posterior) -> None:
    marks = pd.DataFrame(nma.plots.bubble.marks(bcg))
    trials = marks[marks["mark"] == "trial"].set_index("study")
    cells = nma.datasets.load("bcg").pivot_table(index="study", columns="treatment")
    odds = cells["events"] / (cells["n"] - cells["events"])
    ratio = (odds[PAIR[0]] / odds[PAIR[1]]).loc[trials.index]
    np.testing.assert_allclose(trials["estimate"].to_numpy(), ratio, rtol=1e-12)
    each = 1 / cells["events"] + 1 / (cells["n"] - cells["events"])
    variance = each[PAIR[0]] + each[PAIR[1]]
    np.testing.assert_allclose(trials["precision"], 1 / variance.loc[trials.index], rtol=1e-12)
    half = 1.959963984540054 * np.sqrt(variance.loc[trials.index])
    np.testing.assert_allclose(trials["upper"].to_numpy(), ratio * np.exp(half), rtol=1e-12)
    latitude = cells["latitude"][PAIR[0]].loc[trials.index]
    assert trials["x"].tolist() == latitude.tolist()


def test_the_line_is_what_at_says(bcg: nma.Posterior) -> None:
    marks = pd.DataFrame(nma.plots.bubble.marks(bcg, level=0.8))
    line = marks[marks["mark"] == "line"]
    assert (line["x"].min(), line["x"].max()) == (13, 55)
    for k in (0, 17, len(line) - 1):
        row = line.iloc[k]
        there = nma.at(bcg, latitude=float(row["x"]))
        table = nma.effects.effect_table(there, comparators=[PAIR[1]], level=0.8)
        numbers = table.loc[PAIR, ["estimate", "lower", "upper"]].to_numpy(dtype=float)
        np.testing.assert_allclose(row[["estimate", "lower", "upper"]].tolist(), numbers, rtol=1e-9)


def test_the_other_way_round_is_the_mirror_image(bcg: nma.Posterior) -> None:
    one = pd.DataFrame(nma.plots.bubble.marks(bcg))
    two = pd.DataFrame(nma.plots.bubble.marks(bcg, treatment=PAIR[1], comparator=PAIR[0]))
    np.testing.assert_allclose(one["estimate"] * two["estimate"], 1, rtol=1e-10)
    np.testing.assert_allclose(one["lower"] * two["upper"], 1, rtol=1e-9)


def test_a_category_has_a_bar_and_its_points(statins: nma.Posterior) -> None:
    marks = pd.DataFrame(nma.plots.bubble.marks(statins))
    line = marks[marks["mark"] == "line"].set_index("x")
    assert line.index.tolist() == ["primary", "secondary"]
    secondary = nma.league_table(nma.at(statins, prevention="secondary"))
    printed = str(secondary.loc["statin", "placebo"])
    row = line.loc["secondary"]
    assert printed == f"{row['estimate']:.2f} ({row['lower']:.2f}, {row['upper']:.2f})"
    assert marks["x"][marks["mark"] == "trial"].value_counts().to_dict() == {
        "secondary": 14,
        "primary": 5,
    }
    ax = nma.plots.bubble(statins)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["primary", "secondary"]
    assert ax.get_yscale() == "log"


def test_categories_stand_in_the_order_of_the_structure() -> None:
    order = ("secondary", "primary")
    network = nma.datasets.network("statins").as_normal()
    posterior = fit(network, "prevention", "placebo", categories=order)
    wrapped = nma.Model(nma.structures.RandomInconsistency(posterior.model.structure))
    for shown in (posterior, nma.fit(network, wrapped)):
        assert nma.plots.bubble.marks(shown).attrs["categories"] == order


@dataclass(frozen=True)
class Hidden(Structure):
    """A structure of a user's own, which says nothing of categories."""

    inner: Structure

    def resolve(self, network: nma.Network) -> Hidden:
        return Hidden(self.inner.resolve(network))

    def parameters(self, network: nma.Network) -> Parameters:
        return self.inner.parameters(network)

    def levels(self, network: nma.Network, arms: pd.DataFrame) -> NDArray[np.float64]:
        return self.inner.levels(network, arms)

    def covariates(self, network: nma.Network) -> Mapping[str, float | str]:
        return self.inner.covariates(network)


def test_categories_of_a_users_own_structure_begin_with_the_one_reported_at() -> None:
    network = nma.datasets.network("statins").as_normal()
    inner = nma.structures.Regression(
        BASE, "prevention", control="placebo", categories=("secondary", "primary")
    )
    marks = nma.plots.bubble.marks(nma.fit(network, nma.Model(Hidden(inner))))
    assert marks.attrs["categories"] == ("secondary", "primary")


def test_areas_are_precisions_and_small_circles_lie_on_top(bcg: nma.Posterior) -> None:
    marks = pd.DataFrame(nma.plots.bubble.marks(bcg))
    ax = nma.plots.bubble(bcg)
    (circles,) = (c for c in ax.collections if isinstance(c, PathCollection))
    precision = marks.loc[marks["mark"] == "trial", "precision"].sort_values(ascending=False)
    areas = np.asarray(circles.get_sizes())
    assert (np.diff(areas) <= 0).all()
    shown = areas > areas.min() * 1.01
    np.testing.assert_allclose(
        areas[shown] / areas[0], precision.to_numpy()[shown] / precision.iloc[0], rtol=1e-9
    )
    assert shown.sum() > 5


def test_bars_stand_in_the_column_of_their_category(statins: nma.Posterior) -> None:
    marks = pd.DataFrame(nma.plots.bubble.marks(statins))
    line = marks[marks["mark"] == "line"].set_index("x")["estimate"]
    drawn = [np.asarray(bar.get_xydata()) for bar in nma.plots.bubble(statins).lines[1:]]
    middles, heights = ([float(bar[:, k].mean()) for bar in drawn] for k in (0, 1))
    assert middles == pytest.approx([0, 1])
    assert heights == pytest.approx([line["primary"], line["secondary"]])


def test_the_foot_says_which_side_favours_the_treatment(bcg: nma.Posterior) -> None:
    assert "Below 1 favours vaccinated." in nma.plots.bubble.marks(bcg).attrs["text"]
    trials = [("A", "B")] * 4
    higher = replace(pictures.arms(trials, better="higher"), table=aged(trials, [1, 2, 3, 4]).table)
    assert "Above 0 favours B." in nma.plots.bubble.marks(fit(higher, "age", "A")).attrs["text"]


def test_trials_without_a_circle_are_told() -> None:
    trials = [("A", "B"), ("A", "B"), ("B", "A", "C"), ("A", "C"), ("B", "C"), ("A", "B")]
    network = aged(trials, [30, 40, 50, 60, 35, None])
    posterior = fit(network, "age", "A", missing="model")
    marks = nma.plots.bubble.marks(posterior, treatment="B", comparator="A")
    assert marks["study"][marks["mark"] == "trial"].tolist() == [
        "trial 000",
        "trial 001",
        "trial 002",
    ]
    text = marks.attrs["text"]
    assert "Without a circle: 2 trials of other comparisons, on which the line rests too." in text
    assert "No value of age: trial 005." in text
    said = " ".join(pictures.written(nma.plots.bubble.draw(marks)))
    assert "trial 005" in said


def test_trials_set_aside_as_contrasts_are_told() -> None:
    frame = nma.datasets.load("bcg")
    none = frame["study"] == "Aronson 1948"
    frame.loc[none, "events"] = 0
    outcome = nma.outcomes.Binary("events", "n", measure="OR", better="lower")
    network = nma.Network.from_arms(
        frame, study="study", treatment="treatment", outcome=outcome, reference=PAIR[1]
    )
    marks = nma.plots.bubble.marks(fit(network, "latitude", PAIR[1]))
    assert "Set aside as contrasts, without an estimate: Aronson 1948." in marks.attrs["text"]
    assert "Aronson 1948" not in marks["study"].tolist()


def test_two_treatments_that_no_trial_compares_have_a_line_alone() -> None:
    posterior = fit(aged([("A", "B"), ("A", "B"), ("A", "C")], [30, 40, 50]), "age", "A")
    marks = nma.plots.bubble.marks(posterior, treatment="C", comparator="B")
    assert set(marks["mark"]) == {"line"}
    assert "No trial compares the two." in marks.attrs["text"]
    assert pictures.faults(nma.plots.bubble.draw(marks)) == []


def test_the_treatment_that_most_trials_compare_is_the_default() -> None:
    trials = [("A", "C"), ("A", "C"), ("A", "B"), ("B", "C"), ("A", "C")]
    posterior = fit(aged(trials, [30, 40, 50, 60, 70]), "age", "A")
    assert nma.plots.bubble.marks(posterior).attrs["title"] == "MD of C versus A"


def test_other_covariates_are_said_to_be_where_they_are(bcg: nma.Posterior) -> None:
    network = bcg.network
    year = [int(str(study)[-4:]) for study in network.table["study"]]
    network = replace(network, table=network.table.assign(year=year))
    both = nma.structures.Regression(
        nma.structures.Regression(BASE, "latitude", control=PAIR[1]), "year", control=PAIR[1]
    )
    posterior = nma.at(nma.fit(network, nma.Model(both)), year=1950)
    with pytest.raises(ModelError, match="Name covariate=, one of 'latitude', 'year'"):
        nma.plots.bubble(posterior)
    marks = nma.plots.bubble.marks(posterior, covariate="latitude")
    assert marks.attrs["data"].startswith("At year 1950.")
    line = marks[marks["mark"] == "line"].iloc[-1]
    there = nma.at(posterior, latitude=float(line["x"]))
    table = nma.effects.effect_table(there, comparators=[PAIR[1]])
    assert line["estimate"] == pytest.approx(table.loc[PAIR, "estimate"], rel=1e-9)


def test_what_cannot_be_drawn_is_refused(bcg: nma.Posterior) -> None:
    with pytest.raises(ModelError, match="no covariate to draw against"):
        nma.plots.bubble(nma.fit(bcg.network))
    with pytest.raises(ModelError, match="Did you mean 'latitude'"):
        nma.plots.bubble(bcg, covariate="latitud")
    with pytest.raises(ModelError, match="'vaccinated' is compared with itself"):
        nma.plots.bubble(bcg, treatment="vaccinated", comparator="vaccinated")
    with pytest.raises(ModelError, match="'vacinated'"):
        nma.plots.bubble(bcg, treatment="vacinated")
    with pytest.raises(ModelError, match="level=95"):
        nma.plots.bubble(bcg, level=95)
    with pytest.raises(ModelError, match="bubble draws a Posterior"):
        nma.plots.bubble(bcg.network)  # type: ignore[arg-type]


def test_a_band_that_goes_on_is_said_to() -> None:
    wide = nma.plots.bubble.marks(fit(aged([("A", "B")] * 2, [3, 7]), "age", "A"))
    assert "The interval goes on beyond the axis." in wide.attrs["text"]
    narrow = nma.plots.bubble.marks(fit(aged([("A", "B")] * 8, [*range(8)]), "age", "A"))
    assert "beyond the axis" not in narrow.attrs["text"]
    for marks in (wide, narrow):
        low, high = nma.plots.bubble.draw(marks).get_ylim()
        shown = marks.loc[marks["mark"] == "trial", "estimate"]
        assert low < min(shown.min(), 0) < max(shown.max(), 0) < high
