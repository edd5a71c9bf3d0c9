"""Pictures of curves show what nma.curve says, and where the trials end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection

import nma
import pictures
from nma.errors import ModelError
from test_curves import by_latitude, dosed


def lines(panel: Any, style: str) -> list[Any]:
    """Return the lines of a panel but that of no effect, in one style."""
    drawn = [line for line in panel.get_lines() if len(line.get_xdata()) > 2]
    wanted = {"solid": "-", "dashed": "--"}[style]
    return [line for line in drawn if line.get_linestyle() == wanted]


def test_marks_are_the_curve_and_the_arms_of_the_trials() -> None:
    marks: Any = pd.DataFrame(nma.plots.curve.marks(dosed(), "sessions", values=[0, 9, 30]))
    table: Any = pd.DataFrame(nma.curve(dosed(), "sessions", values=[0, 9, 30]))
    curve = marks[marks["part"] == "curve"].set_index(["treatment", "value"])
    for name in ("estimate", "lower", "upper"):
        np.testing.assert_array_equal(curve[name], table[name])
    arms = marks[marks["part"] == "trials"].set_index(["treatment", "value"])["arms"]
    assert arms.to_dict() == {
        ("pilates", 10.0): 2,
        ("yoga", 6.0): 1,
        ("yoga", 12.0): 2,
        ("yoga", 24.0): 1,
    }


def test_a_curve_goes_through_the_values_of_the_trials() -> None:
    marks = nma.plots.curve.marks(by_latitude(), "latitude")
    assert set(by_latitude().network.arms["latitude"]) <= set(marks["value"])


def test_lines_are_solid_within_the_trials_values_and_dashed_beyond() -> None:
    ax = nma.plots.curve(dosed(), "sessions")
    pilates, yoga = ax.child_axes
    (solid,) = lines(yoga, "solid")
    assert (min(solid.get_xdata()), max(solid.get_xdata())) == (6, 24)
    (dashed,) = lines(yoga, "dashed")
    assert (min(dashed.get_xdata()), max(dashed.get_xdata())) == (0, 6)
    assert lines(pilates, "solid") == []  # one dose: a point
    points = [
        float(np.ravel(line.get_xdata())[0])
        for line in pilates.get_lines()
        if line.get_marker() == "o"
    ]
    assert points == [0, 10]
    said = " ".join(pictures.written(ax))
    assert "dashed and pale" in said
    assert "pilates 10; yoga 6 to 24: what is said there rests on the structure" in said
    whole = nma.plots.curve(by_latitude(), "latitude")
    assert lines(whole.child_axes[0], "dashed") == []
    assert "dashed" not in " ".join(pictures.written(whole))


def test_bands_end_at_the_interval_and_are_paler_beyond() -> None:
    posterior = dosed()
    ax = nma.plots.curve(posterior, "sessions", treatments=["yoga"], values=[0, 6, 12, 24, 30])
    (panel,) = ax.child_axes
    bands = [band for band in panel.collections if isinstance(band, PolyCollection)]
    alphas = [band.get_alpha() for band in bands]
    assert alphas == [0.1, 0.3, 0.1]
    table: Any = pd.DataFrame(nma.curve(posterior, "sessions", values=[6, 12, 24]))
    inner: Any = bands[1].get_paths()[0].vertices
    yoga = table.loc["yoga"]
    for x in (6, 12, 24):
        ends = np.unique(inner[inner[:, 0] == x, 1])
        np.testing.assert_allclose(ends, sorted(yoga.loc[x, ["lower", "upper"]]), rtol=1e-12)


def test_panels_share_their_axes_and_a_ratio_stands_on_a_log_axis() -> None:
    ax = nma.plots.curve(dosed(), "sessions")
    limits = {(*panel.get_xlim(), *panel.get_ylim()) for panel in ax.child_axes}
    assert len(limits) == 1
    (panel,) = nma.plots.curve(by_latitude(), "latitude").child_axes
    assert panel.get_yscale() == "log"
    assert panel.get_ylim()[0] < 1 < panel.get_ylim()[1]


@pytest.mark.parametrize("better", ["lower", "higher"])
def test_the_sides_say_whom_they_favour(better: Any) -> None:
    posterior = dosed()
    (source,) = posterior.network.sources
    outcome: Any = source.outcome
    turned = replace(source, outcome=replace(outcome, better=better))
    network = replace(posterior.network, sources=(turned,))
    ax = nma.plots.curve(replace(posterior, network=network), "sessions")
    low, high = ("treatment", "usual") if better == "lower" else ("usual", "treatment")
    said = pictures.written(ax)
    assert f"← favours {low}" in said
    assert f"favours {high} →" in said
    assert f"MD, {better} is better" in " ".join(said)


def test_one_value_alone_is_a_point() -> None:
    ax = nma.plots.curve(dosed(), "sessions", values=[12], treatments=["yoga"])
    assert pictures.faults(ax) == []


def test_what_has_no_curve_is_refused() -> None:
    with pytest.raises(ModelError, match="Its covariates are 'sessions'"):
        nma.plots.curve(dosed(), "weeks")
    with pytest.raises(ModelError, match=r"'sessions' is no covariate of this model\. It has none"):
        nma.plots.curve(nma.fit(dosed().network), "sessions")
