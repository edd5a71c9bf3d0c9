"""The picture of class shrinkage shows the table, on the measure's scale."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.text import Annotation

import nma
import pictures
from nma.errors import ModelError
from nma.tables import Table

NAMES = [f"drug {chr(65 + k)}" for k in range(6)]
MEMBERS = {NAMES[0]: NAMES[0]} | {name: f"class {k // 3}" for k, name in enumerate(NAMES[1:])}


def checked(network: nma.Network) -> Table:
    structure = nma.structures.Classes(classes=MEMBERS)
    posterior = nma.fit(network, nma.Model(structure), engine=nma.engines.Gaussian(draws=512))
    return nma.checks.class_shrinkage(posterior, comparator=NAMES[0])


@pytest.fixture(scope="module")
def differences() -> Table:
    return checked(pictures.arms(pictures.chain(NAMES)))


@pytest.fixture(scope="module")
def ratios() -> Table:
    return checked(pictures.contrasts(pictures.chain(NAMES)))


@pytest.mark.parametrize(("name", "scale"), [("ratios", np.exp), ("differences", np.asarray)])
def test_marks_are_the_table_in_the_numbers_of_the_measure(
    name: str, scale: Any, request: pytest.FixtureRequest
) -> None:
    check = request.getfixturevalue(name)
    marks = pd.DataFrame(nma.plots.class_shrinkage.marks(check))
    assert marks["treatment"].tolist() == NAMES[1:]
    for column in ("own", "shrunken_lower", "class_mean_upper"):
        np.testing.assert_allclose(marks[column], scale(check[column].to_numpy()), rtol=1e-12)
    first = marks.iloc[0]
    shown = [f"{first[f'shrunken{end}']:.2f}" for end in ("", "_lower", "_upper")]
    assert first["text"] == f"{shown[0]} ({shown[1]}, {shown[2]})"
    np.testing.assert_array_equal(marks["moved"], check["moved"])


def test_the_picture_tells_classes_shares_and_sides(differences: Table) -> None:
    ax = nma.plots.class_shrinkage(differences)
    said = pictures.written(ax)
    assert {"class 0", "class 1", "moved", *NAMES[1:]} <= set(said)
    shares = [
        f"{100 * share:.0f}%".replace("-", "\N{MINUS SIGN}") for share in differences["moved"]
    ]
    assert [text for text in said if text.endswith("%") and len(text) < 6] == shares
    assert "← favours the treatment" in said
    assert pictures.faults(ax) == []


def test_arrows_lead_from_own_to_shrunken_and_dashes_are_classes(differences: Table) -> None:
    marks = pd.DataFrame(nma.plots.class_shrinkage.marks(differences))
    ax = nma.plots.class_shrinkage(differences)
    (panel,) = ax.child_axes
    arrows = [text for text in panel.texts if isinstance(text, Annotation)]
    np.testing.assert_allclose([arrow.xyann[0] for arrow in arrows], marks["own"])
    np.testing.assert_allclose([arrow.xy[0] for arrow in arrows], marks["shrunken"])
    lines = [line for line in panel.collections if isinstance(line, LineCollection)]
    dashed = [line for line in lines if line.get_linestyle()[0][1] is not None]  # type: ignore[index]
    places = [float(line.get_segments()[0][0][0]) for line in dashed]
    assert places == pytest.approx(marks.groupby("class")["class_mean"].first().tolist())


def test_a_share_that_cannot_be_told_is_left_out(differences: Table) -> None:
    marks = nma.plots.class_shrinkage.marks(differences).assign(moved=np.nan)
    said = pictures.written(nma.plots.class_shrinkage.draw(marks))
    assert not [text for text in said if text.endswith("%") and len(text) < 6]


def test_sides_change_where_higher_is_better() -> None:
    better = pictures.contrasts(pictures.chain(NAMES), better="higher")
    said = pictures.written(nma.plots.class_shrinkage(checked(better)))
    assert "← favours the comparator" in said
    assert "OR (log scale)" in said


def test_something_else_is_refused_with_the_call_that_draws(differences: Table) -> None:
    network = pictures.arms([("A", "B")] * 2)
    with pytest.raises(ModelError, match=r"this is a Posterior: nma\.plots\.class_shrinkage"):
        nma.plots.class_shrinkage(nma.fit(network))  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="this is a DataFrame, such as"):
        nma.plots.class_shrinkage(pd.DataFrame(differences))  # type: ignore[arg-type]
