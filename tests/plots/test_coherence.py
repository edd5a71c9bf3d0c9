"""Pictures of coherence show what the checks found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import nma
import pictures
from coherent import TANGLED, TREE, fitted
from nma.errors import ModelError
from nma.plots._text import design_label


@pytest.fixture(scope="module")
def senn() -> nma.Posterior:
    engine = nma.engines.LeastSquares("DL")
    return nma.fit(nma.datasets.network("senn2013"), engine=engine)


def test_marks_of_net_heat_are_the_check_in_another_order(senn: nma.Posterior) -> None:
    check = nma.checks.net_heat(senn)
    marks: Any = pd.DataFrame(nma.plots.net_heat.marks(check))
    change: Any = pd.DataFrame(check)
    flow = pd.DataFrame(check.attrs["flow"], index=check.index, columns=check.columns)
    for row in marks.to_dict("records"):
        assert row["change"] == change.loc[row["design"], row["detached"]]
        assert row["flow"] == flow.loc[row["design"], row["detached"]]
    assert len(marks) == change.size
    first = list(dict.fromkeys(marks["design"]))[:2]
    together = {"metformin : sulfonylurea", "rosiglitazone : sulfonylurea"}
    assert set(first) == together or together == set(list(dict.fromkeys(marks["design"]))[-2:])


def test_cells_of_net_heat_have_their_colour_and_square(senn: nma.Posterior) -> None:
    check = nma.checks.net_heat(senn)
    marks = nma.plots.net_heat.marks(check)
    ax = nma.plots.net_heat.draw(marks)
    mesh, squares = (ax.collections[k] for k in (0, 1))
    np.testing.assert_array_equal(np.ravel(np.asarray(mesh.get_array())), marks["change"])
    edges = [path.get_extents().width for path in squares.get_paths()]
    shares = np.minimum(marks["flow"], 1)
    np.testing.assert_allclose(np.square(edges) / max(edges) ** 2, shares / shares.max())


def test_bars_of_q_are_as_long_as_q(senn: nma.Posterior) -> None:
    check = nma.checks.design_by_treatment(senn)
    marks = pd.DataFrame(nma.plots.design_by_treatment.marks(check))
    ax = nma.plots.design_by_treatment(check)
    bars = [patch.get_width() for patch in ax.patches]  # type: ignore[attr-defined]
    within = (marks["part"] == "within").to_numpy()
    for here in (within, ~within):
        drawn = np.array(bars[: here.sum()] if here is within else bars[within.sum() :])
        Q = marks["Q"].to_numpy()[here]
        np.testing.assert_allclose(drawn / drawn.max(), Q / Q.max(), atol=1e-12)
    said = " ".join(pictures.written(ax))
    assert "42.16 (2), <0.01" in said
    assert "6.77 (6), 0.34" in said
    assert "Q between designs 22.53 on 7 df, p <0.01. Under random effects at tau 0.38" in said


def test_what_cannot_disagree_is_said() -> None:
    posterior = fitted([("drug A", "drug B")] * 3)
    ax = nma.plots.design_by_treatment(nma.checks.design_by_treatment(posterior))
    assert "nothing can disagree" in pictures.written(ax)
    with pytest.raises(ModelError, match="there is no inconsistency to draw"):
        nma.plots.net_heat(nma.checks.net_heat(fitted(TREE)))


@pytest.mark.parametrize("verb", ["net_heat", "design_by_treatment"])
def test_what_is_no_check_is_told_how_to_become_one(verb: str) -> None:
    posterior, draw = fitted(TANGLED), getattr(nma.plots, verb)
    call = rf"nma\.plots\.{verb}\(nma\.checks\.{verb}\(posterior\)\)"
    with pytest.raises(ModelError, match=f"this is a Posterior: {call}"):
        draw(posterior)
    with pytest.raises(ModelError, match=f"this is a Table, such as {call}"):
        draw(nma.league_table(posterior))


def test_long_names_of_a_design_are_shortened_one_by_one() -> None:
    names = [pictures.LONG.format(k) for k in (3, 14)]
    shown = " ".join(design_label(" : ".join(names), 1.6, 7.5).split())
    first, second = shown.split(" : ")
    assert first.endswith("03")
    assert second.endswith("14")
    assert design_label("A : B : C", 2.6, 7.5) == "A : B : C"
