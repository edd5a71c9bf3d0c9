"""Pictures for a journal fit a column, keep their text readable, and are the same file again."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from io import BytesIO
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import PatchCollection, QuadMesh
from matplotlib.figure import Figure
from matplotlib.text import Text

import nma
from nma.errors import ModelError, NmaWarning
from nma.plots._style import PAGE, SCREEN


@pytest.fixture(scope="module")
def senn() -> nma.Posterior:
    return nma.fit(nma.datasets.network("senn2013"))


def drawn(posterior: nma.Posterior, figure: str) -> Figure:
    asked: object = posterior
    if figure == "network":
        asked = posterior.network
    if figure == "design_by_treatment":
        asked = nma.checks.design_by_treatment(posterior)
    made = getattr(nma.plots, figure)(asked).figure.figure
    assert isinstance(made, Figure)
    return made


WIDE = ["network", "forest", "rankogram", "heterogeneity", "sucra_against_effect", "leverage"]
NARROW = ["network", "rankogram", "heterogeneity", "leverage"]


@pytest.mark.parametrize(
    ("width", "figure", "most"),
    [("double", name, 175.0) for name in [*WIDE, "design_by_treatment"]]
    + [("single", name, 85.0) for name in NARROW],
)
def test_a_picture_fits_the_column_and_its_text_is_seven_to_eight_points(
    senn: nma.Posterior, width: str, figure: str, most: float
) -> None:
    with nma.plots.journal(width):
        made = drawn(senn, figure)
    assert 25.4 * made.get_figwidth() <= most + 0.01
    shown = [t for t in made.findobj(Text) if t.get_text().strip() and t.get_visible()]
    sizes = [float(text.get_fontsize()) for text in shown]
    assert 7 <= min(sizes) <= max(sizes) <= 8
    made.canvas.draw()
    for text in shown:
        box = text.get_window_extent()
        assert box.x0 > made.bbox.x0 - 2, text.get_text()
        assert box.x1 < made.bbox.x1 + 2, text.get_text()


def test_what_does_not_fit_says_how_wide_it_is(senn: nma.Posterior) -> None:
    with nma.plots.journal("single"), pytest.warns(NmaWarning, match="288 mm wide, more than the"):
        nma.plots.league_table(senn)
    with nma.plots.journal(290), warnings.catch_warnings():
        warnings.simplefilter("error")
        nma.plots.league_table(senn)


def test_the_session_is_as_it_was(senn: nma.Posterior) -> None:
    before, usual = dict(mpl.rcParams), drawn(senn, "forest").get_figwidth()

    def fails() -> None:
        with nma.plots.journal("single", font="DejaVu Serif"):
            assert PAGE.get() != SCREEN
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert PAGE.get() == SCREEN
    assert dict(mpl.rcParams) == before
    assert drawn(senn, "forest").get_figwidth() == usual


def test_a_font_is_used_and_stays_text(senn: nma.Posterior) -> None:
    with nma.plots.journal(font="DejaVu Serif"):
        made = drawn(senn, "forest")
    files = {}
    for kind in ("svg", "pdf"):
        twice = [BytesIO(), BytesIO()]
        for file in twice:
            made.savefig(file, format=kind)
        assert twice[0].getvalue() == twice[1].getvalue()
        files[kind] = twice[0].getvalue()
    assert b"DejaVu Serif" in files["svg"]
    assert b">metformin<" in files["svg"]
    assert b"<dc:date>" not in files["svg"]
    assert b"/CreationDate" not in files["pdf"]
    assert b"DejaVuSerif" in files["pdf"]
    assert b"/Type3" not in files["pdf"]


def test_what_is_no_page_is_refused() -> None:
    with pytest.raises(ModelError, match=r"'doubel' is no column.*'double'"):
        nma.plots.journal("doubel").__enter__()
    with pytest.raises(ModelError, match="between 30 and 1000 mm"):
        nma.plots.journal(5).__enter__()
    with pytest.raises(ModelError, match="not installed"):
        nma.plots.journal(font="No Such Font").__enter__()


@pytest.mark.parametrize("width", [None, "double", "single"])
@pytest.mark.filterwarnings("ignore:This picture is")
def test_what_net_heat_shows_stands_at_its_cells(senn: nma.Posterior, width: str | None) -> None:
    check = nma.checks.net_heat(senn)
    with nma.plots.journal(width) if width else nullcontext():
        ax = nma.plots.net_heat(check)
    cells: Any = next(found for found in ax.collections if isinstance(found, QuadMesh))
    squares: Any = next(found for found in ax.collections if isinstance(found, PatchCollection))
    edges = cells.get_coordinates()
    middles = (edges[:-1, :-1] + edges[1:, 1:]).reshape(-1, 2) / 2
    found = [path.get_extents() for path in squares.get_paths()]
    np.testing.assert_allclose([(box.min + box.max) / 2 for box in found], middles, atol=1e-9)
    rows = np.unique(middles[:, 1])[::-1]
    numbers = [text.get_position()[1] for text in ax.texts if text.get_text().isdigit()]
    np.testing.assert_allclose(numbers[: 2 * len(rows) : 2], rows, atol=1e-9)
