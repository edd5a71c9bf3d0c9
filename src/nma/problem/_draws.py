"""All that an engine gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, final

import numpy as np

from nma.mixtures import Moments

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Draws"]


@final
@dataclass(frozen=True, eq=False, repr=False)
class Draws:
    """What an engine gives back.

    Parameters
    ----------
    sampler : callable
        Makes ``values``; called once, when they are first asked for.
    moments : Moments, optional
        The exact posterior, or sampling distribution of estimates, where the engine has it.
    diagnostics : mapping of str to float
        How well the engine did, in numbers.
    notices : tuple of str
        What the user must know about this run.
    intervals : {"credible", "confidence"}
        What intervals are: of a posterior, or of the sampling distribution of estimates.
    faults : tuple of str
        Why the run must not be relied on, as sentences; printed before every number from it.
    statistics : Dataset, optional
        What the sampler recorded at each draw, such as divergences, (chain, draw).
    convergence : Dataset, optional
        R-hat and effective draws of every quantity that was sampled, (statistic, ...).
    software : mapping of str to str
        Versions of what sampled, beyond what every fit uses.
    interrupted : bool
        Whether the user stopped the run; ``faults`` then say what was kept.

    Examples
    --------
    >>> import nma
    >>> draws = nma.fit(nma.datasets.network("back_pain")).draws
    >>> draws.values["beta"].dims, draws.diagnostics["quadrature_error"] < 1e-7
    (('chain', 'draw', 'parameter'), True)
    """

    sampler: Callable[[], xr.Dataset]
    moments: Moments | None = None
    diagnostics: Mapping[str, float] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    intervals: Literal["credible", "confidence"] = "credible"
    faults: tuple[str, ...] = ()
    statistics: xr.Dataset | None = None
    convergence: xr.Dataset | None = None
    software: Mapping[str, str] = field(default_factory=dict)
    interrupted: bool = False

    @cached_property
    def values(self) -> xr.Dataset:
        """Equally weighted: ``beta`` (chain, draw, parameter) and each scale (chain, draw)."""
        values = self.sampler()
        for variable in values.variables.values():
            if isinstance(variable.values, np.ndarray):
                variable.values.setflags(write=False)
        return values

    def __repr__(self) -> str:
        """Return one line, and draw nothing for it."""
        return f"<Draws: {self.intervals} intervals; next: .values, .diagnostics, .convergence>"
