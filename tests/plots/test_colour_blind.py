"""Colours that stand together in a figure stay apart for colour-blind readers and in grey."""

from __future__ import annotations

import importlib
import pkgutil
from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

import nma.plots
from nma.plots import _style as style
from nma.plots._equivalence_drawing import SHADE
from nma.plots._thresholds_drawing import KEPT, LOST

Colour = NDArray[np.float64]

SEEN = {
    "full": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
"""Linear RGB as it is seen: Machado, Oliveira and Fernandes 2009, doi:10.1109/TVCG.2009.113,
at severity 1."""

TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
"""sRGB, linear, to XYZ under D65 (IEC 61966-2-1)."""

TOGETHER = {
    "better and worse": (style.BETTER, style.WORSE, "#ffffff"),
    "nodes and lines of a network": (style.BETTER, style.GREY, "#ffffff"),
    "intervals and warnings": (style.BETTER, style.WARNING, style.INK),
    "equivalence": (style.BETTER, SHADE, "#ffffff", style.INK),
    "thresholds": (KEPT, LOST, "#ffffff", style.INK),
    "ends of a colour bar": (style.DEEP, style.WORSE, "#ffffff", "#000000"),
    "outcomes and designs": style.SHADES,
}
"""Sets of colours that one figure shows, and the paper where it lies between them."""

DISTINCT = 10.0
"""Difference in CIELAB (1976) beyond which colours are told apart side by side, at some ease."""

IN_GREY = ("better and worse", "equivalence", "thresholds", "ends of a colour bar")
"""Sets that lightness must tell apart; in others a marker, hatch, dash or place does."""


def linear(colour: str) -> Colour:
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb: Colour) -> Colour:
    """CIELAB of linear RGB."""
    t = TO_XYZ @ np.clip(rgb, 0, 1) / TO_XYZ.sum(axis=1)
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def nearest(colours: tuple[str, ...], seen: Colour) -> float:
    found = [lab(seen @ linear(colour)) for colour in colours]
    return min(float(np.linalg.norm(a - b)) for a, b in combinations(found, 2))


def test_lab_of_known_colours() -> None:
    assert lab(linear("#ffffff")) == pytest.approx([100, 0, 0], abs=0.01)
    assert lab(linear("#ff0000")) == pytest.approx([53.24, 80.09, 67.20], abs=0.02)
    for seen in SEEN.values():
        assert seen.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)  # greys stay grey


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("name", TOGETHER)
def test_colours_of_a_figure_stay_apart(name: str, seen: str) -> None:
    assert nearest(TOGETHER[name], SEEN[seen]) > DISTINCT


HUES = ("BETTER", "WORSE", "DEEP", "WARNING")
"""Colours that are no greys and no sequence, as the files of figures name them."""


def hues(file: str) -> tuple[str, ...]:
    """Return the colours that the drawing of a figure uses, and the paper."""
    module = importlib.import_module(f"nma.plots.{file}")
    return (*dict.fromkeys(getattr(module, name) for name in HUES if hasattr(module, name)), "#fff")


FILES = [found.name for found in pkgutil.iter_modules(nma.plots.__path__)]
SEVERAL = [file for file in FILES if file != "_style" and len(hues(file)) > 2]


def test_files_of_several_colours_are_found() -> None:
    assert {"_league_table", "_net_heat", "_node_splitting_drawing"} <= set(SEVERAL)


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("file", SEVERAL)
def test_colours_that_one_file_draws_with_stay_apart(file: str, seen: str) -> None:
    assert nearest(hues(file), SEEN[seen]) > DISTINCT


@pytest.mark.parametrize("name", IN_GREY)
def test_lightness_alone_tells_them_apart_in_grey(name: str) -> None:
    light = [lab(linear(colour))[0] for colour in TOGETHER[name]]
    assert min(abs(a - b) for a, b in combinations(light, 2)) > DISTINCT


def test_red_and_green_would_be_found_out() -> None:
    assert nearest(("#c44e52", "#7a8a3a"), SEEN["full"]) > 50
    assert nearest(("#c44e52", "#7a8a3a"), SEEN["deuteranopia"]) < 2 * DISTINCT
