"""Residual deviance under two models: the marks, their names, and what cannot be compared."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

import nma
import pictures
from nma.errors import ModelError
from nma.plots._beside import naming
from nma.plots._dev_dev import root_ticks
from own_models import UnrelatedMeans


@pytest.fixture(scope="module")
def senn() -> nma.Posterior:
    return nma.fit(nma.datasets.network("senn2013"))


@pytest.fixture(scope="module")
def common(senn: nma.Posterior) -> nma.Posterior:
    return nma.fit(senn.network, nma.Model(heterogeneity=nma.heterogeneity.Common()))


def test_marks_of_a_dev_dev_plot_are_the_deviances(
    senn: nma.Posterior, common: nma.Posterior
) -> None:
    marks = nma.plots.dev_dev.marks(common, senn)
    one, other = (nma.fit_measures.deviance(posterior) for posterior in (common, senn))
    np.testing.assert_array_equal(marks["first"] * one["points"], one["deviance"])
    np.testing.assert_array_equal(marks["second"] * other["points"], other["deviance"])
    assert marks["study"].tolist() == one["study"].tolist()
    assert marks["rows"].tolist() == one["rows"].tolist()
    assert (marks["named"] == (np.abs(marks["first"] - marks["second"]) > 1)).all()
    assert 5 < marks["named"].sum() < 20
    said = marks.attrs["text"].split("\n")
    for posterior, name, line in ((common, "Common", said[0]), (senn, "Random", said[1])):
        D, pD, DIC, points = nma.fit_measures.dic(posterior).iloc[0]
        assert line == (
            f"{name}: residual deviance {D:.1f} on {points:.0f} data points, pD {pD:.1f}, "
            f"DIC {DIC:.1f}."
        )


def test_exchanging_two_models_mirrors_their_dev_dev_plot(
    senn: nma.Posterior, common: nma.Posterior
) -> None:
    one = nma.plots.dev_dev.marks(common, senn)
    other = nma.plots.dev_dev.marks(senn, common)
    np.testing.assert_array_equal(one["first"], other["second"])
    np.testing.assert_array_equal(one["difference"], -other["difference"])
    assert one["named"].tolist() == other["named"].tolist()
    assert "Below the line of equality Random fits a data point better" in one.attrs["text"]
    ax = nma.plots.dev_dev(common, senn)
    below = ax.collections[1].get_offsets()  # those named: random effects explain them
    assert (np.asarray(below)[:, 1] < np.asarray(below)[:, 0]).all()


def test_points_lie_where_their_deviances_are(senn: nma.Posterior, common: nma.Posterior) -> None:
    marks = nma.plots.dev_dev.marks(common, senn)
    ax = nma.plots.dev_dev.draw(marks)
    at = np.concatenate([np.asarray(dots.get_offsets()) for dots in ax.collections])
    expected = marks[["first", "second"]].to_numpy()
    np.testing.assert_allclose(np.sort(at**2, axis=0), np.sort(expected, axis=0), rtol=1e-12)
    equality, *dashes = (np.asarray(line.get_xydata(), dtype=float) for line in ax.lines)
    np.testing.assert_array_equal(equality[:, 0], equality[:, 1])
    differences = [line[:, 0] ** 2 - line[:, 1] ** 2 for line in dashes]
    np.testing.assert_allclose(np.abs(differences), 1, rtol=1e-9)
    assert sorted(float(np.sign(line[0])) for line in differences) == [-1, 1]
    for axis in (ax.xaxis, ax.yaxis):
        shown = {label.get_text(): tick for label, tick in zip(
            axis.get_ticklabels(), axis.get_ticklocs(), strict=True
        )}  # fmt: skip
        assert len(shown) >= 4
        for text, tick in shown.items():
            assert tick**2 == pytest.approx(float(text))


def test_models_are_called_by_what_differs(senn: nma.Posterior, common: nma.Posterior) -> None:
    marks = nma.plots.dev_dev.marks
    assert marks(common, senn).attrs["names"] == ("Common", "Random")
    assert marks(senn, senn).attrs["names"] == ("first model", "second model")
    unrelated = nma.fit(senn.network, nma.Model(UnrelatedMeans(50.0)))
    assert marks(senn, unrelated).attrs["names"] == ("Consistency", "UnrelatedMeans")
    both = marks(common, unrelated, names=("one", "other"))
    assert both.attrs["names"] == ("one", "other")
    assert nma.plots.dev_dev.draw(both).get_xlabel() == "residual deviance, one"
    for names in ("ab", ["one"]):
        with pytest.raises(ModelError, match="name both models"):
            marks(common, senn, names=names)


def rows(keep: Any = None, measure: str = "MD", **changed: Any) -> nma.Posterior:
    """Parkinson's trials as arms, with common effects."""
    frame = nma.datasets.load("parkinson").assign(**changed)
    outcome = nma.outcomes.Continuous("mean", sd="sd", n="n", measure=measure, better="lower")
    network = nma.Network.from_arms(
        frame if keep is None else frame[keep(frame)],
        study="study",
        treatment="treatment",
        outcome=outcome,
    )
    return nma.fit(network, nma.Model(heterogeneity=nma.heterogeneity.Common()))


def test_data_points_that_are_not_the_same_are_refused(senn: nma.Posterior) -> None:
    dev_dev = nma.plots.dev_dev
    with pytest.raises(
        ModelError, match=r"in the first alone are 'Lieberman 1998: .*placebo'.*one"
    ):
        dev_dev(rows(), rows(lambda frame: frame["study"] != "Lieberman 1998"))
    gone = ["Guttman 1997", "placebo"]
    fewer = rows(lambda frame: (frame[["study", "treatment"]] != gone).any(axis=1))
    with pytest.raises(ModelError, match="in the second alone is 'Guttman 1997: placebo'"):
        dev_dev(fewer, rows())
    with pytest.raises(ModelError, match="first are of MD, the second of SMD"):
        dev_dev(rows(), rows(measure="SMD"))
    moved = nma.datasets.load("parkinson")["mean"].to_numpy().copy()
    moved[4] += 0.1
    where = nma.datasets.load("parkinson").iloc[4]
    message = rf"the numbers of '{where['study']}: {where['treatment']}' are not the same"
    with pytest.raises(ModelError, match=message):
        dev_dev(rows(), rows(mean=moved))
    sd = nma.datasets.load("parkinson")["sd"] * 1.01
    with pytest.raises(ModelError, match="the numbers are not the same, or not read the same way"):
        dev_dev(rows(), rows(sd=sd))
    with pytest.raises(ModelError, match="in the first alone are 'Alex 1998: metformin vs sulf"):
        dev_dev(senn, rows())


def test_least_squares_has_no_deviance_to_draw(senn: nma.Posterior) -> None:
    flat = nma.fit(senn.network, engine=nma.engines.LeastSquares())
    with pytest.raises(ModelError, match="gives no posterior"):
        nma.plots.dev_dev(senn, flat)


@pytest.mark.parametrize("name", ["senn2013", "smoking", "thrombolytics", "parkinson"])
def test_names_or_their_numbers_are_all_there(name: str) -> None:
    """Where not all names find room, numbers stand beside the points and the foot has the names."""
    network = nma.datasets.network(name).as_normal()
    common = nma.fit(network, nma.Model(heterogeneity=nma.heterogeneity.Common()))
    fits = (common, nma.fit(network))
    figures: list[tuple[Any, Any, str]] = [
        (nma.plots.leverage, fits[:1], "dic"),
        (nma.plots.dev_dev, fits, "difference"),
    ]
    for verb, asked, size in figures:
        marks = verb.marks(*asked)
        ax = verb.draw(marks)
        assert pictures.faults(ax) == []
        said = pictures.written(ax)
        together = " ".join(said)
        several = marks["study"].duplicated(keep=False)
        named = marks[marks["named"]].sort_values(size, key=abs, ascending=False, kind="stable")
        for place, (k, row) in enumerate(named.iterrows(), start=1):
            name = f"{row['study']}: {row['treatment']}" if several[k] else row["study"]
            assert name in said or (f"{place} {name}" in together and str(place) in said)


@pytest.mark.parametrize("count", [3, 12, 24, 60])
def test_every_number_in_a_key_has_a_place(count: int) -> None:
    """Points in a heap: names become numbers, and up to 24 are all there, apart from each other."""
    rng = np.random.default_rng(count)
    at = rng.normal((1.0, 0.6), (0.15, 0.05), (count, 2)).clip(0.05, 3)
    names = [(k, f"a trial with a long name {k}: a treatment") for k in range(count)]
    found = naming(at, names, (3.7, 3.7))
    assert len(found.places) == min(count, 24)
    boxes = [place.box for place in found.places.values()]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert not any(box.holds(at, 0.0).any() for box in boxes)
    assert all(box.within(3.7, 3.7) for box in boxes)
    if found.key:
        assert found.texts == tuple(str(k + 1) for k in range(min(count, 24)))
        assert found.key.startswith("1 a trial with a long name 0: a treatment; 2 a trial")
        assert ("and 36 more, in the marks." in found.key) == (count == 60)


def test_root_ticks_are_round_and_apart() -> None:
    for high in (1.2, 4.5, 30.0, 90.0, 2e4):
        ticks = np.array(root_ticks(high))
        assert ticks[0] == 0
        assert ticks[-1] <= high
        assert 4 <= len(ticks) <= 9
        assert (np.diff(np.sqrt(ticks)) >= np.sqrt(high) / 8 - 1e-12).all()
