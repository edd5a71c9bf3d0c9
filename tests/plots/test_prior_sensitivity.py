"""The picture of prior sensitivity shows the table, and says what is not in it."""

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
from nma.checks import prior_sensitivity
from nma.errors import ModelError, NmaWarning
from nma.plots._prior_sensitivity import FARTHEST
from nma.priors import HalfNormal, turner2015
from nma.tables import Table, probability

WRONG = turner2015(outcome="pain", comparison="pharmacological vs pharmacological")


@pytest.fixture(scope="module")
def senn() -> Table:
    posterior = nma.fit(nma.datasets.network("senn2013"))
    return prior_sensitivity(posterior, {"tight": HalfNormal(0.05), "Turner": WRONG})


def rows_of(table: pd.DataFrame, *place: str) -> Any:
    found: Any = pd.DataFrame(table)
    return found.loc[place if len(place) > 1 else place[0]]


def test_marks_are_the_table_with_tau_before_and_after_side_by_side(senn: Table) -> None:
    made = nma.plots.prior_sensitivity.marks(senn)
    marks: Any = pd.DataFrame(made).set_index(["panel", "prior"])
    table: Any = pd.DataFrame(senn)
    shown = ["estimate", "lower", "upper"]
    pd.testing.assert_frame_equal(marks.loc["tau", shown], table.loc["tau", shown])
    before = marks.loc["tau", ["before", "before_lower", "before_upper"]].to_numpy()
    np.testing.assert_array_equal(before, table.loc["tau, before the data", shown])
    pd.testing.assert_frame_equal(
        marks.loc["metformin", [*shown, "p_best"]],
        table.loc["metformin vs placebo", [*shown, "p_best"]],
    )
    assert "placebo" not in marks.index.unique("panel")


def lines(panel: Any) -> list[Any]:
    """Return the intervals that a panel draws, as (lower, upper) for every prior."""
    return [
        [segment[:, 0].tolist() for segment in bars.get_segments()] for bars in panel.collections
    ]


def test_every_panel_draws_what_the_marks_say(senn: Table) -> None:
    ax = nma.plots.prior_sensitivity(senn)
    marks = pd.DataFrame(nma.plots.prior_sensitivity.marks(senn))
    names = list(dict.fromkeys(marks["panel"]))
    assert len(ax.child_axes) == len(names) == 10
    for name, panel in zip(names, ax.child_axes, strict=True):
        rows = marks[marks["panel"] == name]
        low, high = panel.get_xlim()
        drawn = np.clip(rows[["lower", "upper"]].to_numpy(), low, high)
        np.testing.assert_allclose(lines(panel)[-1], drawn)
        squares: Any = next(line for line in panel.lines if line.get_marker() == "s")
        np.testing.assert_allclose(squares.get_xdata(), rows["estimate"])


def test_effects_share_an_axis_and_tau_has_its_own(senn: Table) -> None:
    tau, *effects = nma.plots.prior_sensitivity(senn).child_axes
    assert len({panel.get_xlim() for panel in effects}) == 1
    after = rows_of(senn, "tau")["upper"].max()
    low, high = tau.get_xlim()
    assert low == 0
    assert after < high <= FARTHEST * after + 1e-12
    before: Any = next(line for line in tau.lines if line.get_marker() == "|")
    prior = rows_of(senn, "tau, before the data")
    np.testing.assert_allclose(before.get_xdata(), prior["estimate"][prior["estimate"] <= high])
    beyond: list[Any] = [line for line in tau.lines if line.get_marker() == ">"]
    assert sum(len(line.get_xdata()) for line in beyond) == (prior["upper"] > high).sum()


def test_names_numbers_and_what_is_missing_are_said(senn: Table) -> None:
    said = pictures.written(nma.plots.prior_sensitivity(senn))
    assert "this model's" in said
    best = rows_of(senn, "rosiglitazone vs placebo", "tight")["p_best"]
    assert probability(float(best)) in said
    foot = " ".join(said)
    assert "Not fitted: Turner." in foot
    assert "below 0 favours the treatment" in foot


def test_ratios_stand_on_a_log_axis() -> None:
    blocker = nma.fit(nma.datasets.network("blocker").as_normal())
    ax = nma.plots.prior_sensitivity(prior_sensitivity(blocker))
    tau, effect = ax.child_axes
    assert (tau.get_xscale(), effect.get_xscale()) == ("linear", "log")
    assert pictures.faults(ax) == []


@pytest.mark.parametrize(
    ("size", "columns"), [((11, 8), 4), ((8, 8), 3), ((4, 14), 2), ((3, 20), 1)]
)
def test_panels_move_below_each_other_in_narrow_axes(
    senn: Table, size: tuple[float, float], columns: int
) -> None:
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NmaWarning)
        ax = nma.plots.prior_sensitivity(senn, ax=figure.add_subplot())
    assert pictures.faults(ax) == []
    edges = {round(panel.get_position().x0, 3) for panel in ax.child_axes}
    assert len(edges) == columns


def test_a_fit_that_is_poor_is_named(senn: Table) -> None:
    doubted = senn.copy()
    table = Table(doubted, caption=senn.caption)
    table.attrs = {**senn.attrs, "doubted": ["tight"]}
    said = " ".join(pictures.written(nma.plots.prior_sensitivity(table)))
    assert "POOR FIT, do not rely on: tight." in said


def test_what_is_no_check_is_told_how_to_become_one() -> None:
    posterior = nma.fit(nma.datasets.network("parkinson"))
    call = r"nma.plots.prior_sensitivity\(nma.checks.prior_sensitivity\(posterior\)\)"
    with pytest.raises(ModelError, match=f"this is a Posterior: {call}"):
        nma.plots.prior_sensitivity(posterior)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=f"this is a Table, such as {call}"):
        nma.plots.prior_sensitivity(nma.league_table(posterior))
