"""The picture of thresholds: bands that keep the decision, who is next, what is left out."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

import nma
from nma.errors import ModelError
from nma.plots._thresholds import MOST
from nma.plots._thresholds_drawing import KEPT, LOST
from nma.tables import Table
from pictures import faults, words, written


@cache
def table(name: str, of: Any = "trials") -> Table:
    network = nma.datasets.network(name)
    normal = network.as_normal() if name == "thrombolytics" else network
    return nma.decisions.thresholds(nma.fit(normal), of=of)


def marks(name: str, of: Any = "trials") -> Table:
    return nma.plots.thresholds.marks(table(name, of))


def bands(ax: Any) -> list[Any]:
    from matplotlib.collections import PolyCollection

    (panel,) = ax.child_axes
    return [found for found in panel.collections if isinstance(found, PolyCollection)]


def test_the_table_is_drawn_as_it_is() -> None:
    shown, whole = pd.DataFrame(marks("parkinson")), pd.DataFrame(table("parkinson")).reset_index()
    names = ["study", "estimate", "lower", "upper", "crossed", "invariant_lower"]
    pd.testing.assert_frame_equal(shown[names], whole[names])
    assert shown["label"].iloc[0] == "bromocriptine vs the other arms"
    assert shown["text"].iloc[0] == "0.25 (-0.92, 1.42)"
    assert shown["limits"].iloc[0] == "-1.26 to ∞"


def test_thresholds_beyond_any_bias_are_left_open_and_it_is_said() -> None:
    shown, whole = marks("senn2013"), pd.DataFrame(table("senn2013"))
    far = (whole["shift_upper"] > 1000 * whole["se"]).to_numpy()
    assert np.isfinite(whole["invariant_upper"][far]).sum() == 7
    assert (shown["invariant_upper"][far] == np.inf).all()
    assert (shown["above"][far] == "").all()
    assert "Ends that lie beyond 1000 standard errors are left open." in shown.attrs["text"]
    assert "left open" not in marks("back_pain").attrs["text"]


def test_ratios_are_left_open_beyond_a_factor_of_a_thousand() -> None:
    shown = marks("thrombolytics")
    bounds = shown[["invariant_lower", "invariant_upper"]].to_numpy()
    with np.errstate(divide="ignore"):
        shift = np.log(bounds) - np.log(shown[["estimate"]].to_numpy())
    assert np.abs(shift[np.isfinite(shift)]).max() < np.log(1000)
    assert "or a factor of 1000 are left open" in shown.attrs["text"]
    assert shown["limits"].str.startswith("0 to").any()
    assert not shown["limits"].str.contains("0.000").any()


def test_of_many_rows_the_nearest_are_drawn_and_the_rest_is_counted() -> None:
    whole, shown = table("thrombolytics"), marks("thrombolytics")
    assert len(whole) == 54
    assert len(shown) == MOST
    assert shown["study"].tolist() == [label[0] for label in whole.index[:MOST]]
    rest = whole["nearest"].iloc[MOST:].min()
    said = f"Not drawn: 24 more, each {rest:.3g} standard errors or more from a threshold."
    assert said in shown.attrs["text"]
    assert "Not drawn" not in marks("senn2013").attrs["text"]


def test_rows_whose_own_interval_reaches_past_a_threshold_stand_out_twice() -> None:
    ax, crossed = nma.plots.thresholds(table("senn2013", "comparisons")), 10
    shown = marks("senn2013", "comparisons")
    assert shown["crossed"].sum() == crossed
    colours = [to_hex(band.get_facecolor()[0]) for band in bands(ax)]
    assert colours == [LOST if is_so else KEPT for is_so in shown["crossed"]]
    bold = {text.get_text() for text in words(ax) if text.get_fontweight() == "bold"}
    assert set(shown["label"]) & bold == set(shown["label"][shown["crossed"]])


def test_who_is_best_beyond_stands_on_its_side() -> None:
    ax, shown = nma.plots.thresholds(table("back_pain")), marks("back_pain")
    (panel,) = ax.child_axes
    left, right = panel.get_position().x0, panel.get_position().x1
    names = {*shown["below"], *shown["above"]} - {""}
    beside = [text for text in words(ax) if text.get_text() in names]
    places = [text.get_transform().transform(text.get_position())[0] for text in beside]
    share = np.array(places) / ax.figure.bbox.width
    assert sorted(t.get_text() for t, x in zip(beside, share, strict=True) if x < left) == sorted(
        name for name in shown["below"] if name
    )
    assert sorted(t.get_text() for t, x in zip(beside, share, strict=True) if x > right) == sorted(
        name for name in shown["above"] if name
    )


def test_a_threshold_near_the_estimates_is_in_sight() -> None:
    ax, shown = nma.plots.thresholds(table("back_pain")), marks("back_pain")
    (panel,) = ax.child_axes
    low, high = panel.get_xlim()
    near = shown["invariant_upper"][shown["invariant_upper"] < 5]
    assert len(near) == 5
    assert low < near.min() < near.max() < high


def test_what_was_held_and_what_is_chosen_from_is_said() -> None:
    posterior = nma.fit(nma.datasets.network("back_pain"))
    some = ["passive control", "standard exercise"]
    found = nma.decisions.thresholds(posterior, tau="re-estimated", treatments=some)
    said = " ".join(written(nma.plots.thresholds(found)))
    assert "tau learnt again at every shift" in said
    assert "Chosen from: passive control, standard exercise." in said
    assert "tau held at 0.4294" in " ".join(written(nma.plots.thresholds(table("back_pain"))))


@pytest.mark.parametrize("name", ["senn2013", "thrombolytics", "back_pain", "parkinson"])
@pytest.mark.parametrize("of", ["trials", "comparisons"])
def test_no_word_lies_on_another(name: str, of: Any) -> None:
    assert faults(nma.plots.thresholds(table(name, of))) == []


def test_what_is_no_table_of_thresholds_is_refused() -> None:
    posterior = nma.fit(nma.datasets.network("back_pain"))
    how = r"a Posterior: nma\.plots\.thresholds\(nma\.decisions\.thresholds\(posterior\)\)"
    with pytest.raises(ModelError, match=how):
        nma.plots.thresholds(posterior)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="this is a Table, such as"):
        nma.plots.thresholds(nma.effect_table(posterior))
