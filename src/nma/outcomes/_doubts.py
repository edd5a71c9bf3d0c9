"""Spreads and effects that look as if one trial were in other units than the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nma.outcomes._standardised import correction

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["effects", "spreads"]

APART = 3.0
"""Ratio of the SDs of two trials that people alone rarely make; a slip in units makes ten, a
standard error read as an SD the root of the participants."""

RARE = 3.0
"""Standardised difference within a trial that treatments rarely make."""


def spreads(
    study: pd.Series[Any], sd: NDArray[np.float64], alike: Sequence[tuple[str, NDArray[np.bool_]]]
) -> list[str]:
    """Return a notice for every instrument whose trials have SDs too far apart.

    Parameters
    ----------
    study : Series
        Trial of each arm.
    sd : array, (trial,)
        Standard deviation of each trial, in order of appearance; NaN where it is not told.
    alike : sequence of (str, array)
        Names of what should have one unit (may be empty), and their arms.
    """
    trial, names = pd.factorize(study)
    found = []
    for name, here in alike:
        told = np.array([t for t in np.unique(trial[here]) if np.isfinite(sd[t])], dtype=np.int64)
        if not told.size:
            continue
        low, high = told[np.argmin(sd[told])], told[np.argmax(sd[told])]
        if sd[high] > APART * sd[low]:
            found.append(
                f"{name}{': ' * bool(name)}SDs run from {sd[low]:.3g} ({names[low]}) to "
                f"{sd[high]:.3g} ({names[high]}): is one in other units, or a standard error?"
            )
    return found


def effects(
    study: pd.Series[Any],
    mean: NDArray[np.float64],
    sd: NDArray[np.float64],
    people: NDArray[np.float64],
) -> list[str]:
    """Return a notice of trials whose largest Hedges' g, in their own SD, is rarely real.

    Parameters
    ----------
    study : Series
        Trial of each arm.
    mean, people : array, (arm,)
        Means and participants.
    sd : array, (trial,)
        Standard deviation of each trial, in order of appearance; NaN where it is not told.
    """
    trial, names = pd.factorize(study)
    apart = pd.Series(mean).groupby(trial).agg(np.ptp).to_numpy()
    freedom = np.asarray(np.bincount(trial, people - 1), dtype=np.float64)
    g = correction(freedom) * apart / sd
    large = sorted(
        ((float(g[t]), str(names[t])) for t in np.flatnonzero(g > RARE).tolist()), reverse=True
    )
    if not large:
        return []
    if len(large) == 1:
        ((size, name),) = large
        rare = f"{name}: an effect of {size:.2g} standard deviations is rarely real"
        return [f"{rare}: was a standard error read as an SD?"]
    listed = ", ".join(f"{name} ({size:.2g})" for size, name in large)
    rare = f"{listed}: effects of more than {RARE:g} standard deviations are rarely real"
    return [f"{rare}: were standard errors read as SDs?"]
