"""The size of one unit on a measure's scale, by which default priors are sized."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nma.errors import ModelError
from nma.protocols import Outcome

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["unit_of"]


def unit_of(reported: Sequence[tuple[Outcome, pd.DataFrame]]) -> tuple[float, str]:
    """Return the size of one unit, and in words where it came from.

    A scale that the user stated wins; else the median over all trials that tell one.

    Parameters
    ----------
    reported : sequence of (Outcome, DataFrame)
        Outcomes and the rows they read.

    Raises
    ------
    ModelError
        If no trial tells it, or two outcomes state different scales.
    """
    stated = sorted({outcome.scale for outcome, _ in reported if outcome.scale is not None})
    if len(stated) > 1:
        listed = " and ".join(f"{scale:g}" for scale in stated)
        message = f"The outcomes state different scales, {listed}: state one, or the priors."
        raise ModelError(message)
    if stated:
        return stated[0], f"unit = {stated[0]:.3g} as stated"
    told = np.concatenate([outcome.unit(rows) for outcome, rows in reported])
    if not told.size:
        message = (
            "The default priors are sized by the within-arm standard deviation, and no trial "
            "tells it. Name the participants (`n=`) or give `scale=` in the outcome, or "
            "write the priors into the model."
        )
        raise ModelError(message)
    unit = float(np.median(told))
    if np.all(told == told[0]):
        return unit, f"unit = {unit:.3g}"
    return unit, f"unit = {unit:.3g}, the median within-arm SD of {told.size} trials"
