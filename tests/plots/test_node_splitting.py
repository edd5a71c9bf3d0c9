"""The picture of node-splits shows the table, on the measure's scale, and what it could miss."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import nma
import pictures
from nma.checks import node_splitting
from nma.errors import ModelError, NmaWarning
from nma.plots._node_splitting import EVIDENCE
from nma.plots._node_splitting_drawing import LOOKS
from nma.tables import Table


@pytest.fixture(scope="module")
def lysis() -> Table:
    """Fourteen splits of odds ratios."""
    common = nma.Model(heterogeneity=nma.heterogeneity.Common())
    return node_splitting(nma.fit(nma.datasets.network("thrombolytics"), common))


@pytest.fixture(scope="module")
def parkinson() -> Table:
    """Four splits of mean differences."""
    return node_splitting(nma.fit(nma.datasets.network("parkinson")))


def changed(check: Table, numbers: pd.DataFrame | None = None, **attrs: Any) -> Table:
    """Return a check with other numbers or words."""
    table = Table(pd.DataFrame(check) if numbers is None else numbers, caption=check.caption)
    table.attrs = dict(check.attrs)
    table.attrs.update(attrs)
    return table


def many(check: Table, count: int, name: str = "drug {:02d}") -> Table:
    """Return a check of many comparisons with the numbers of a few."""
    done = pd.DataFrame(check).dropna(subset="p")
    rows = done.iloc[np.arange(count) % len(done)].copy()
    pairs = [(name.format(k + 1), name.format(k // 2)) for k in range(count)]
    rows.index = pd.MultiIndex.from_tuples(pairs, names=done.index.names)
    return changed(check, rows.assign(p=np.linspace(0.9, 0.001, count)), reasons={})


@pytest.mark.parametrize(("name", "scale"), [("lysis", np.exp), ("parkinson", np.asarray)])
def test_marks_are_the_table_in_the_numbers_of_the_measure(
    name: str, scale: Any, request: pytest.FixtureRequest
) -> None:
    check = request.getfixturevalue(name)
    marks = pd.DataFrame(nma.plots.node_splitting.marks(check))
    done: Any = pd.DataFrame(check).dropna(subset="p")
    assert len(marks) == 3 * len(done)
    for row in marks.to_dict("records"):
        kind, table = row["evidence"], done.loc[(row["treatment"], row["comparator"])]
        wanted = scale(table[[kind, f"{kind}_lower", f"{kind}_upper"]].to_numpy(dtype=float))
        np.testing.assert_array_equal([row["estimate"], row["lower"], row["upper"]], wanted)
        own = ["p", "share_direct", "trials"]
        assert [row[column] for column in own] == table[own].tolist()
        assert float(row["text"].split()[0]) == pytest.approx(row["estimate"], abs=0.0051)


def test_blocks_stand_by_p_with_direct_indirect_and_network_below_each_other(lysis: Table) -> None:
    marks = nma.plots.node_splitting.marks(lysis)
    assert marks["p"].is_monotonic_increasing
    assert (marks["treatment"].iloc[0], marks["comparator"].iloc[0]) == ("Acc t-PA", "ASPAC")
    assert marks["evidence"].tolist() == list(EVIDENCE) * 14
    headings = [
        word for word in pictures.written(nma.plots.node_splitting(lysis)) if " vs " in word
    ]
    pairs = zip(marks["treatment"][::3], marks["comparator"][::3], strict=True)
    assert headings[:14] == [f"{b} vs {a}" for b, a in pairs]


def test_columns_draw_what_the_marks_say(lysis: Table) -> None:
    marks: Any = pd.DataFrame(nma.plots.node_splitting.marks(lysis))
    panels = nma.plots.node_splitting(lysis).child_axes
    assert {panel.get_xscale() for panel in panels} == {"log"}
    assert len({panel.get_xlim() for panel in panels}) == 1
    low, high = panels[0].get_xlim()
    for kind in EVIDENCE:
        rows, look = marks[marks["evidence"] == kind], LOOKS[kind]
        signs: Any = [line for p in panels for line in p.lines if line.get_marker() == look[3]]
        drawn = np.concatenate([line.get_xdata() for line in signs])
        np.testing.assert_array_equal(drawn, rows["estimate"])
    bars: Any = [bar for panel in panels for bar in panel.collections]
    ends = [bar.get_segments()[0][:, 0] for bar in bars]
    nulls = [end for end in ends if end[0] == end[1]]
    assert len(nulls) == 14
    np.testing.assert_array_equal(nulls, 1.0)
    whole = [end for end in ends if end[0] != end[1]]
    np.testing.assert_allclose(whole, np.clip(marks[["lower", "upper"]], low, high))


def test_the_three_differ_without_colour() -> None:
    styles, widths, signs = ([LOOKS[kind][k] for kind in EVIDENCE] for k in (1, 2, 3))
    assert len(set(signs)) == len(set(widths)) == 3
    assert styles.count("dashed") == 1


def test_p_share_and_power_are_said(lysis: Table) -> None:
    said = pictures.written(nma.plots.node_splitting(lysis))
    assert "p <0.01, 2% direct" in said
    assert "p = 0.10, 89% direct" in said
    foot = " ".join(said)
    low, high = np.exp(lysis["detectable"].min()), np.exp(lysis["detectable"].max())
    assert f"by a factor of {low:.3g} (Acc t-PA vs SK) to {high:.3g} (UK vs SK)" in foot
    assert (
        "2 comparisons cannot be split, because no other trials connect them "
        "(TNK vs Acc t-PA, SK + t-PA vs SK)." in foot
    )


@pytest.mark.parametrize("better", ["lower", "higher"])
def test_the_sides_say_whom_they_favour(parkinson: Table, better: str) -> None:
    ax = nma.plots.node_splitting(changed(parkinson, better=better))
    found = [text for text in pictures.words(ax) if "favours" in text.get_text()]
    found.sort(key=lambda text: text.get_position()[0])
    said = [text.get_text() for text in found]
    wanted = ["← favours the treatment", "favours the comparator →"]
    if better == "higher":
        wanted = ["← favours the comparator", "favours the treatment →"]
    assert said == wanted


def test_many_that_cannot_be_split_are_counted_and_faults_named(parkinson: Table) -> None:
    reasons = {f"drug {k} vs placebo": "no other trials connect them" for k in range(9)}
    check = changed(
        parkinson, reasons=reasons, absent=["A vs B"], doubted=["C vs D"], poor="PARTIAL: 4 of 5"
    )
    said = " ".join(pictures.written(nma.plots.node_splitting(check)))
    assert "9 comparisons cannot be split, because no other trials connect them." in said
    assert "Not fitted: A vs B. POOR FIT, do not rely on: C vs D." in said
    assert said.startswith("PARTIAL: 4 of 5") or " PARTIAL: 4 of 5 " in said


@pytest.mark.parametrize("name", ["drug {:02d}", pictures.LONG, "x" * 90 + "{:02d}"])
@pytest.mark.parametrize("count", [1, 14, 30, 61])
def test_any_number_of_splits_is_readable(lysis: Table, count: int, name: str) -> None:
    ax = nma.plots.node_splitting(many(lysis, count, name))
    assert pictures.faults(ax) == []
    assert min(float(text.get_fontsize()) for text in pictures.words(ax)) > 7


def test_both_names_of_a_comparison_stay_however_long(lysis: Table) -> None:
    said = pictures.written(nma.plots.node_splitting(many(lysis, 1, "first " * 30 + "{:02d}")))
    heading = next(word for word in said if " vs " in word)
    treatment, comparator = heading.split(" vs ")
    assert treatment.startswith("first")
    assert treatment.endswith("01")
    assert comparator.endswith("00")


@pytest.mark.parametrize(("size", "columns"), [((5, 12), 1), ((11, 7), 2), ((20, 6), 3)])
def test_blocks_move_beside_each_other_in_low_axes(
    lysis: Table, size: tuple[float, float], columns: int
) -> None:
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NmaWarning)
        ax = nma.plots.node_splitting(lysis, ax=figure.add_subplot())
    assert pictures.faults(ax) == []
    assert len(ax.child_axes) == columns


def test_two_pictures_stand_beside_each_other(lysis: Table, parkinson: Table) -> None:
    figure = Figure(figsize=(36, 12), layout="constrained")
    FigureCanvasAgg(figure)
    for ax, check in zip(figure.subplots(1, 2), (lysis, parkinson), strict=True):
        nma.plots.node_splitting(check, ax=ax)
    assert pictures.faults(ax) == []


def test_evidence_that_is_left_out_of_the_marks_is_not_drawn(parkinson: Table) -> None:
    marks = nma.plots.node_splitting.marks(parkinson)
    ax = nma.plots.node_splitting.draw(marks[marks["evidence"] != "network"])
    assert pictures.faults(ax) == []
    assert "network" not in pictures.written(ax)


def test_where_nothing_can_be_split_the_reason_is_said() -> None:
    check = node_splitting(nma.fit(nma.datasets.network("blocker").as_normal()))
    reason = r"no node-splits to draw. 1 comparison cannot be split, because no other trials"
    with pytest.raises(ModelError, match=reason):
        nma.plots.node_splitting(check)


def test_what_is_no_check_is_told_how_to_become_one() -> None:
    posterior = nma.fit(nma.datasets.network("parkinson"))
    call = r"nma.plots.node_splitting\(nma.checks.node_splitting\(posterior\)\)"
    with pytest.raises(ModelError, match=f"this is a Posterior: {call}"):
        nma.plots.node_splitting(posterior)  # type: ignore[arg-type]
    for other in (nma.league_table(posterior), nma.checks.side_splitting(posterior)):
        with pytest.raises(ModelError, match=f"this is a Table, such as {call}"):
            nma.plots.node_splitting(other)
