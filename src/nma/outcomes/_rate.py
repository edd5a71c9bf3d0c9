"""Events over an exposure, arm by arm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final

import numpy as np

from nma.errors import Issue, ModelError, nearest
from nma.instruments import ReferenceSD
from nma.links import LINKS, Link
from nma.outcomes import _checks, _events, _poisson, _zero_cells
from nma.outcomes._differences import contrasts
from nma.outcomes._events import Events
from nma.outcomes._measures import UNSAID, require_better, require_measure
from nma.priors import Prior
from nma.problem import Arms, Evidence
from nma.protocols import Better

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Rate"]


@final
@dataclass(frozen=True)
class Rate:
    r"""Events over the exposure of every arm, such as relapses in person-years.

    The **incidence rate ratio** (IRR) has a Poisson likelihood,

    .. math:: r \sim \mathrm{Poisson}(E \lambda), \qquad \log \lambda = \theta

    so people may have several events, and their rate is taken as constant. Arms without events
    enter as they are. With ``likelihood="normal"`` arm k says :math:`\log(r/E)` with variance
    1/r; 0.5 is added to the events of every arm of a trial in which an arm has none, and trials
    without any events are set aside and listed.

    Parameters
    ----------
    events : str
        Column of events.
    exposure : str
        Column of exposures, such as person-years, in one unit throughout.
    measure : {"IRR"}
        Incidence rate ratio.
    better : {"lower", "higher"}
        Which direction is better for the patient; no default.
    likelihood : {"poisson", "normal"}, default "poisson"
        How the counts are read.

    Raises
    ------
    ModelError
        If ``better`` is missing, or ``measure`` or ``likelihood`` is not offered.

    Examples
    --------
    >>> import nma
    >>> relapses = nma.outcomes.Rate("events", "years", better="lower")
    >>> thrombolytics = nma.datasets.load("thrombolytics")
    >>> thrombolytics["years"] = thrombolytics["n"] * 35 / 365.25
    >>> nma.Network.from_arms(
    ...     thrombolytics, study="study", treatment="treatment", outcome=relapses, reference="SK"
    ... )
    <Network: 50 trials, 9 treatments, IRR, lower is better; next: nma.fit, nma.plots.network>

    References
    ----------
    NICE DSU TSD 2 (Dias et al. 2011), section 3.2, on rates.
    """

    events: str
    exposure: str
    measure: str = field(kw_only=True, default="IRR")
    better: Better = field(kw_only=True, default=UNSAID)
    likelihood: Literal["poisson", "normal"] = field(kw_only=True, default="poisson")

    reports: ClassVar[Literal["arms"]] = "arms"
    ratio: ClassVar[bool] = True
    scale: ClassVar[None] = None
    labels: ClassVar[tuple[str, ...]] = ()
    nuisance: ClassVar[Mapping[str, Prior | None]] = {}

    def __post_init__(self) -> None:
        require_better(self.better)
        require_measure(self.measure, known=("IRR",))
        if self.likelihood not in {"poisson", "normal"}:
            message = (
                f"likelihood={self.likelihood!r} is not a choice: use 'poisson' or 'normal'."
                f"{nearest(self.likelihood, ['poisson', 'normal'])}"
            )
            raise ModelError(message)

    @property
    def absolute_link(self) -> Link:
        """What links the scale of the model to a rate."""
        return LINKS[self.measure]

    @property
    def columns(self) -> tuple[str, ...]:
        """The user's columns that hold numbers."""
        return self.events, self.exposure

    def link(self, rate: Any, xp: Any = np) -> Any:
        """Return the linear predictor of a rate.

        Parameters
        ----------
        rate : float or array
            Events in one unit of exposure.
        xp : module, default numpy
            Whose functions are used: NumPy's, or PyTensor's tensors.

        Returns
        -------
        float or array
            The logarithm, as ``rate`` is shaped.

        Examples
        --------
        >>> import nma
        >>> float(nma.outcomes.Rate("r", "years", better="lower").link(1.0))
        0.0
        """
        return LINKS[self.measure].link(rate, xp)

    def inverse(self, eta: Any, xp: Any = np) -> Any:
        """Return the rate at a linear predictor.

        Parameters
        ----------
        eta : float or array
            Logarithm of a rate.
        xp : module, default numpy
            Whose functions are used: NumPy's, or PyTensor's tensors.

        Returns
        -------
        float or array
            Events in one unit of exposure, as ``eta`` is shaped.

        Examples
        --------
        >>> import nma
        >>> float(nma.outcomes.Rate("r", "years", better="lower").inverse(0.0))
        1.0
        """
        return LINKS[self.measure].inverse(eta, xp)

    def _events(self, rows: pd.DataFrame) -> Events:
        return Events(rows, self.events)

    def _rates(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the events per unit of exposure in each trial, by row, NaN where nothing is."""
        totals = rows.groupby("study")[[self.events, self.exposure]].transform("sum")
        return (
            (totals[self.events] / totals[self.exposure]).where(totals[self.events] > 0).to_numpy()
        )

    def check(self, rows: pd.DataFrame) -> list[Issue]:
        """Return every number that is missing, no count, or no exposure."""
        remedy = "Supply the number."
        issues: list[Issue] = []
        for name in self.columns:
            issues += _checks.missing(rows, name, remedy) + _checks.infinite(rows, name)
        remedy = "Give the exposure, such as person-years, in one unit throughout."
        issues += _checks.positive(rows, self.exposure, remedy)
        return issues + self._events(rows).issues()

    def participants(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return NaN, (row, 1): an exposure does not tell how many people had it."""
        return np.full((len(rows), 1), np.nan)

    def unit(self, rows: pd.DataFrame) -> NDArray[np.float64]:  # noqa: ARG002  a log ratio's
        """Return 1."""
        return np.ones(1)

    def reference_sds(self, rows: pd.DataFrame) -> tuple[ReferenceSD, ...]:  # noqa: ARG002
        """Return none: events are counted without an instrument."""
        return ()

    def merged(self, rows: pd.DataFrame) -> dict[str, float]:
        """Return the numbers of several arms taken together: sums."""
        return {name: float(rows[name].sum()) for name in self.columns}

    def evidence(
        self, rows: pd.DataFrame, arms: NDArray[np.int64], trial_level: Prior
    ) -> tuple[Evidence, ...]:
        """Return the arms with their Poisson likelihood, or normal contrasts within trials."""
        events, exposure = self._events(rows), rows[self.exposure].to_numpy()
        if self.likelihood == "normal":
            level, variance = _zero_cells.rate(events, exposure)
            kept = ~events.uninformative
            return contrasts(events.trial[kept], arms[kept, 0], level[kept], variance[kept])
        found = Arms(
            arms=arms[:, 0],
            trial=events.trial,
            data=_poisson.counts(events.count, exposure),
            density=_poisson.log,
            trial_level=trial_level,
            fitted=_poisson.fitted,
            deviance=_poisson.deviance,
            observed=_poisson.observed,
        )
        return (found,)

    def as_normal(self) -> Rate:
        """Return the same numbers read as normal contrasts."""
        return replace(self, likelihood="normal")

    @property
    def awaited(self) -> tuple[str, ...]:
        """The column of events."""
        return (self.events,)

    def reported(
        self,
        rows: pd.DataFrame,
        nuisance: Mapping[str, float],  # noqa: ARG002  none
    ) -> NDArray[np.float64]:
        """Return the logarithm of (r + 0.5)/E."""
        rate = (rows[self.events] + 0.5) / rows[self.exposure]
        return np.asarray(self.link(rate.to_numpy()))

    def simulate(
        self,
        rows: pd.DataFrame,
        levels: NDArray[np.float64],
        nuisance: Mapping[str, float],  # noqa: ARG002  none
        rng: np.random.Generator,
    ) -> dict[str, NDArray[np.float64]]:
        """Return Poisson events."""
        expected = rows[self.exposure].to_numpy() * self.inverse(levels[:, 0])
        return {self.events: rng.poisson(expected).astype(float)}

    def notices(self, rows: pd.DataFrame) -> tuple[str, ...]:
        """Return what was approximated, which arms tell little, and what looks odd."""
        events = self._events(rows)
        if self.likelihood != "normal":
            found = events.notices("the prior")
        else:
            found = _zero_cells.untold(events, events.uninformative, self.measure)
            found.append(_zero_cells.READ_AS_NORMAL.format(measure=self.measure))
            found += _zero_cells.notices(events, events.uninformative, "events")
        found += _events.uneven(rows, self._rates(rows), self.exposure, "rate")
        exposure = rows[self.exposure].to_numpy()
        found += _events.uneven_arms(rows, exposure, self.exposure, "exposure")
        return tuple(found)
