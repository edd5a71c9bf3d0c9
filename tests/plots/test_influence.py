"""The picture of influence shows the shifts of the table, and says what is not in it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import nma
import pictures
from nma.checks import leave_one_study_out
from nma.errors import ModelError
from nma.plots._influence import DASH
from nma.tables import Table


@pytest.fixture(scope="module")
def bridged() -> Table:
    trials = [("P", "A"), ("P", "A"), ("A", "B"), ("P", "B"), ("P", pictures.LONG.format(1))]
    return leave_one_study_out(nma.fit(pictures.arms(trials)), comparator="P")


def test_marks_are_the_shifts_of_the_table_the_largest_first(bridged: Table) -> None:
    marks: Any = pd.DataFrame(nma.plots.influence.marks(bridged))
    table: Any = pd.DataFrame(bridged)
    assert list(marks.columns) == ["tau", "A", "B", pictures.LONG.format(1)]
    for study in marks.index:
        assert marks.loc[study, "tau"] == table.loc[(study, "tau"), "shift"]
        np.testing.assert_array_equal(marks.loc[study, "B"], table.loc[(study, "B vs P"), "shift"])
    assert marks.index[0] == "trial 004"
    assert marks.iloc[0].isna().any()
    assert marks.iloc[1:].notna().all(axis=None)
    assert (np.diff(marks.iloc[1:].abs().max(axis=1)) <= 0).all()


def test_every_cell_says_its_shift_and_is_as_dark(bridged: Table) -> None:
    marks = nma.plots.influence.marks(bridged)
    ax = nma.plots.influence(bridged)
    said = pictures.written(ax)
    for value in marks.to_numpy().ravel():
        if np.isfinite(value) and abs(value) >= 0.005:
            assert f"{value:+.2f}".replace("-", "\N{MINUS SIGN}") in said
    assert DASH in said
    mesh: Any = ax.collections[0]
    expected = np.nan_to_num(np.minimum(np.abs(marks.to_numpy()), 1))
    np.testing.assert_allclose(np.asarray(mesh.get_array()).reshape(expected.shape), expected)
    assert "not estimable without the trial" in " ".join(said)
    assert pictures.faults(ax) == []


def test_a_large_network_and_narrow_axes_keep_every_word_apart(bridged: Table) -> None:
    posterior = nma.fit(nma.datasets.network("senn2013"))
    assert pictures.faults(nma.plots.influence(leave_one_study_out(posterior))) == []
    figure = Figure(figsize=(6, 4), layout="constrained")
    FigureCanvasAgg(figure)
    assert pictures.faults(nma.plots.influence(bridged, ax=figure.add_subplot())) == []


def test_poor_fits_and_those_that_failed_are_named(bridged: Table) -> None:
    table = Table(bridged.copy(), caption=bridged.caption)
    table.attrs = {**bridged.attrs, "doubted": ["trial 000"], "absent": ["trial 009"]}
    said = " ".join(pictures.written(nma.plots.influence(table)))
    assert "POOR FIT, do not rely on: trial 000." in said
    assert "Not fitted: trial 009." in said


def test_tau_is_spoken_of_where_there_is_one(bridged: Table) -> None:
    assert "the median of tau or" in nma.plots.influence.marks(bridged).attrs["text"]
    model = nma.Model(heterogeneity=nma.heterogeneity.Common())
    common = leave_one_study_out(nma.fit(nma.datasets.network("parkinson"), model))
    assert "tau" not in nma.plots.influence.marks(common).attrs["text"]


def test_what_is_no_check_is_told_how_to_become_one() -> None:
    posterior = nma.fit(nma.datasets.network("parkinson"))
    call = r"nma.plots.influence\(nma.checks.leave_one_study_out\(posterior\)\)"
    with pytest.raises(ModelError, match=f"this is a Posterior: {call}"):
        nma.plots.influence(posterior)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=f"this is a Table, such as {call}"):
        nma.plots.influence(nma.league_table(posterior))
