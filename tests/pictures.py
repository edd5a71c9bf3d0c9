"""Looking at pictures without a screen: is every word inside, and does none lie on another?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import nma

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text
    from matplotlib.transforms import Bbox

FIGURES = sorted(name for name in nma.plots.__all__ if "marks" in vars(getattr(nma.plots, name)))
FIGURES.remove("Figure")
"""Verbs that draw; the protocol that they keep has marks, too."""

LONG = "supervised graded motor control exercise {:02d}"


def words(ax: Axes) -> list[Text]:
    """Return every text that the figure of these axes draws."""
    from matplotlib.text import Text

    figure = ax.figure
    hidden = set()
    for axes in [ax, *ax.child_axes, *figure.axes]:
        if not axes.axison:
            hidden |= {*axes.xaxis.findobj(Text), *axes.yaxis.findobj(Text)}
    found = [text for text in figure.findobj(Text) if isinstance(text, Text)]
    unique = dict.fromkeys(text for text in found if text not in hidden)
    return [text for text in unique if text.get_visible() and text.get_text()]


def written(ax: Axes) -> list[str]:
    """Return what they say, each on one line."""
    return [" ".join(text.get_text().split()) for text in words(ax)]


def faults(ax: Any) -> list[str]:
    """Return what is cut off and what overlaps, as sentences."""
    ax.figure.draw_without_rendering()
    renderer = ax.figure.canvas.get_renderer()
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in words(ax)]
    page = ax.figure.bbox.padded(1.0)
    cut = [f"{text!r} is cut off" for text, box in boxes if not _inside(box, page)]
    low = np.array([box.min for _, box in boxes])
    high = np.array([box.max for _, box in boxes])
    shared = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    first, second = np.nonzero(np.triu((shared > 1.5).all(axis=-1), k=1))
    pairs = zip(first, second, strict=True)
    return cut + [f"{boxes[a][0]!r} lies on {boxes[b][0]!r}" for a, b in pairs]


def _inside(box: Bbox, page: Bbox) -> bool:
    return bool(box.x0 >= page.x0 and box.x1 <= page.x1 and box.y0 >= page.y0 and box.y1 <= page.y1)


def chain(names: Sequence[str]) -> list[tuple[str, ...]]:
    """Return trials that join names in a row, with chords and some of three arms."""
    count = len(names)
    trials: list[tuple[str, ...]] = [(names[k], names[k + 1]) for k in range(count - 1)]
    trials += [(names[0], names[k]) for k in range(2, count, 2) for _ in range(1 + k % 4)]
    trials += [(names[k], names[k + 2], names[k + 4]) for k in range(0, count - 5, 6)]
    return trials


def arms(trials: Sequence[Sequence[str]], *, better: nma.protocols.Better = "lower") -> nma.Network:
    """Return a network of normal arms; each name in order is 0.2 lower than the one before."""
    rng = np.random.default_rng(1)
    names = sorted({name for trial in trials for name in trial})
    rows = [
        (f"trial {k:03d}", name, 5 - 0.2 * names.index(name) + rng.normal(0, 0.4), 4.0, 100 + k)
        for k, trial in enumerate(trials)
        for name in trial
    ]
    frame = pd.DataFrame(rows, columns=["study", "treatment", "mean", "sd", "n"])
    frame.attrs["caption"] = "Simulated arms."
    outcome = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better=better)
    return nma.Network.from_arms(frame, study="study", treatment="treatment", outcome=outcome)


def contrasts(
    trials: Sequence[Sequence[str]],
    *,
    measure: str = "OR",
    better: nma.protocols.Better = "lower",
    step: float = 0.15,
) -> nma.Network:
    """Return a network of two-arm contrasts; each name is a step above the one before."""
    rng = np.random.default_rng(2)
    names = sorted({name for trial in trials for name in trial})
    rows = [
        (f"trial {k:03d}", b, a, step * (names.index(b) - names.index(a)) + rng.normal(0, 0.1), 0.3)
        for k, (a, b, *_) in enumerate(trials)
    ]
    frame = pd.DataFrame(rows, columns=["study", "treatment", "comparator", "effect", "se"])
    outcome = nma.outcomes.Contrast(
        "effect", "se", measure=measure, better=better, scale=None if measure == "OR" else 1.0
    )
    return nma.Network.from_contrasts(
        frame, study="study", treatment="treatment", comparator="comparator", outcome=outcome
    )
