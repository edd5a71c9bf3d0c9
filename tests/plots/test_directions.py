"""Words that name the sides of no effect never touch, however narrow the picture."""

from __future__ import annotations

import warnings
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from matplotlib.figure import Figure

import nma
import pictures
from nma.errors import NmaWarning
from nma.plots._directions import directions, favours
from nma.plots._style import SIZES
from nma.plots._text import extent

if TYPE_CHECKING:
    import pandas as pd

ENGINE = nma.engines.Gaussian(draws=512)
ARROWS = ("\N{LEFTWARDS ARROW}", "\N{RIGHTWARDS ARROW}")
NAMES = {
    "short": [chr(65 + k) for k in range(6)],
    "long": [pictures.LONG.format(k) for k in range(6)],
}
MCID = nma.decisions.MCID(0.3, kind="between-group", source="chosen for a test")
FIGURES = ["forest", "equivalence", "sucra_against_effect", "node_splitting", "class_shrinkage"]


def marked(names: list[str], better: nma.protocols.Better) -> dict[str, pd.DataFrame]:
    """Return the marks of every figure with sides, of one network."""
    network = pictures.contrasts(pictures.chain(names), measure="MD", better=better)
    posterior = nma.fit(network, engine=ENGINE)
    classes = {names[0]: names[0]} | {name: f"class {k // 3}" for k, name in enumerate(names[1:])}
    model = nma.Model(nma.structures.Classes(classes=classes))
    asked: dict[str, Any] = {
        "forest": posterior,
        "sucra_against_effect": posterior,
        "equivalence": nma.decisions.equivalence(posterior, mcid=MCID),
        "node_splitting": nma.checks.node_splitting(posterior),
        "class_shrinkage": nma.checks.class_shrinkage(
            nma.fit(network, model, engine=ENGINE), comparator=names[0]
        ),
    }
    return {name: getattr(nma.plots, name).marks(asked[name]) for name in FIGURES}


@pytest.fixture(scope="module", params=[("short", "higher"), ("long", "lower")], ids="-".join)
def marks(request: pytest.FixtureRequest) -> dict[str, pd.DataFrame]:
    kind, better = request.param
    return marked(NAMES[kind], better)


def between(ax: Any) -> float:
    """Return the room between the two sides, in inches; that above or below counts, too."""
    ax.figure.draw_without_rendering()
    found = [
        text for text in pictures.words(ax) if any(arrow in text.get_text() for arrow in ARROWS)
    ]
    first, second = (text.get_window_extent() for text in found)
    across = max(second.x0 - first.x1, first.x0 - second.x1)
    upward = max(second.y0 - first.y1, first.y0 - second.y1)
    return float(max(across, upward * 20) / ax.figure.dpi)


@pytest.mark.parametrize("width", [None, 60, 85, 120, 175])
@pytest.mark.parametrize("figure", FIGURES)
def test_the_two_sides_stay_apart(
    figure: str, width: float | None, marks: dict[str, pd.DataFrame]
) -> None:
    with ExitStack() as stack:
        if width is not None:
            stack.enter_context(nma.plots.journal(width))
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore", NmaWarning)  # too wide for the page: drawn all the same
        ax = getattr(nma.plots, figure).draw(marks[figure])
        assert between(ax) > 0.1
        assert pictures.faults(ax) == []


@pytest.mark.parametrize("size", [(9.0, 5.0), (14.0, 6.0)])
@pytest.mark.parametrize("figure", FIGURES)
def test_the_two_sides_stay_apart_in_a_part_of_a_picture(
    figure: str, size: tuple[float, float], marks: dict[str, pd.DataFrame]
) -> None:
    made = Figure(figsize=size, layout="constrained")
    ax = made.subplots(1, 2)[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NmaWarning)  # small text is told, and not asked here
        getattr(nma.plots, figure).draw(marks[figure], ax=ax)
    assert between(ax) > 0


@pytest.mark.parametrize("width", [0.6, 1.0, 1.5, 2.0, 3.0, 5.0])
@pytest.mark.parametrize("beside", [(0.0, 0.0), (0.3, 1.0)])
@pytest.mark.parametrize("name", ["A", "usual care", pictures.LONG.format(1), "w" * 60])
def test_words_keep_to_their_half_and_the_room_beside_it(
    name: str, beside: tuple[float, float], width: float
) -> None:
    left, right = favours("lower", treatment="the treatment", comparator=name)
    sides = directions(left, right, width=width, beside=beside)
    begin, end = sides.ends
    room = [extent(text, SIZES.small)[0] for text in (sides.left, sides.right)]
    assert end - begin - sum(room) >= 0.19
    if width >= 1.0:
        assert -beside[0] - 0.01 <= begin <= 0
        assert width <= end <= width + beside[1] + 0.01


def test_a_name_that_does_not_fit_gives_way_to_its_part() -> None:
    left, right = favours("higher", treatment="drug A", comparator="w" * 60)
    sides = directions(left, right, width=3.0)
    assert " ".join(sides.left.split()) == "\N{LEFTWARDS ARROW} favours the comparator"
    assert sides.right == "favours drug A \N{RIGHTWARDS ARROW}"
