"""People with an event, arm by arm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final

import numpy as np
import pandas as pd

from nma.errors import Issue, ModelError, nearest
from nma.instruments import ReferenceSD
from nma.links import LINKS, Link
from nma.outcomes import _binomial, _chance, _checks, _events, _zero_cells
from nma.outcomes._differences import contrasts
from nma.outcomes._events import Events
from nma.outcomes._measures import UNSAID, has_unit_one, require_better, require_measure
from nma.priors import Prior
from nma.problem import Arms, Evidence
from nma.protocols import Better

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Binary"]

BINOMIAL = {
    "OR": (_binomial.logit, _binomial.logit_fitted),
    "HR": (_binomial.cloglog, _binomial.cloglog_fitted),
}
"""Measures with a likelihood of their own: its log density and its fitted values."""


@final
@dataclass(frozen=True)
class Binary:
    r"""People with an event among the participants of every arm.

    The **odds ratio** (OR) and the **hazard ratio** (HR) have a binomial likelihood,

    .. math:: r \sim \mathrm{Binomial}(n, p), \qquad
       \mathrm{logit}\,p = \theta \quad\text{or}\quad
       \mathrm{cloglog}\,p = \log t + \theta

    with t the time of follow-up, in which the hazard is taken as constant. Arms without events
    enter as they are.

    The **risk ratio** (RR) and the **risk difference** (RD) are normal contrasts, as are OR and HR
    where ``likelihood="normal"``. With :math:`\hat p = r/n`, arm k says

    .. math::
       \begin{aligned}
       \mathrm{OR:}\quad & \log\frac{r}{n - r}, & v &= \frac1r + \frac1{n - r} \\
       \mathrm{RR:}\quad & \log \hat p, & v &= \frac1r - \frac1n \\
       \mathrm{HR:}\quad & \log\{-\log(1 - \hat p)\} - \log t, &
         v &= \frac{\hat p}{n (1 - \hat p) \log^2(1 - \hat p)} \\
       \mathrm{RD:}\quad & \hat p, & v &= \hat p (1 - \hat p)/n
       \end{aligned}

    and contrasts with arm b of the trial have :math:`V_{kk} = v_k + v_b`, :math:`V_{jk} = v_b`.
    For OR, RR and HR, 0.5 is added to events and non-events of every arm of a trial in which an
    arm has no events, or events in all; trials with no events, or events in all, in *every* arm
    are set aside and listed. For RD the 0.5 enters v alone, and no trial is set aside.

    Parameters
    ----------
    events : str
        Column of people with the event.
    n : str
        Column of participants.
    time : str, optional
        Column of follow-up, in one unit of time throughout; needed for HR, and for HR alone.
    measure : {"OR", "HR", "RR", "RD"}
        Odds ratio, hazard ratio, risk ratio or risk difference.
    better : {"lower", "higher"}
        Which direction is better for the patient: "higher" for responders, "lower" for harms.
    likelihood : {"binomial", "normal"}, optional
        Binomial for OR and HR unless "normal" is asked for; always normal for RR and RD.

    Raises
    ------
    ModelError
        If ``better`` or ``measure`` is missing, or the settings do not go together.

    Notes
    -----
    One unit, which sizes the default priors, is 1 for log ratios. RD is the mean difference of an
    outcome that is 0 or 1, so its unit is that of MD: the standard deviation within arms, root of
    p (1 - p), at the median over trials.

    Examples
    --------
    >>> import nma
    >>> abstinent = nma.outcomes.Binary("events", "n", measure="OR", better="higher")
    >>> nma.Network.from_arms(
    ...     nma.datasets.load("smoking"), study="study", treatment="treatment",
    ...     outcome=abstinent, reference="no intervention",
    ... )
    <Network: 24 trials, 4 treatments, OR, higher is better; next: nma.fit, nma.plots.network>

    References
    ----------
    NICE DSU TSD 2 (Dias et al. 2011), sections 2 and 3.1 to 3.3, on the likelihoods and links.
    Sweeting, Sutton and Lambert 2004, doi:10.1002/sim.1761, on corrections of empty cells.
    Franchini et al. 2012, doi:10.1002/jrsm.1049, on the covariance of multi-arm trials.
    """

    events: str
    n: str
    time: str | None = field(kw_only=True, default=None)
    measure: str = field(kw_only=True, default="")
    better: Better = field(kw_only=True, default=UNSAID)
    likelihood: Literal["binomial", "normal"] | None = field(kw_only=True, default=None)

    reports: ClassVar[Literal["arms"]] = "arms"
    scale: ClassVar[None] = None
    labels: ClassVar[tuple[str, ...]] = ()
    nuisance: ClassVar[Mapping[str, Prior | None]] = {}

    def __post_init__(self) -> None:
        require_better(self.better)
        require_measure(self.measure, known=("OR", "HR", "RR", "RD"))
        _require_fitting(self)

    @property
    def ratio(self) -> bool:
        """Whether effects are log ratios, printed back-transformed."""
        return self.measure != "RD"

    @property
    def absolute_link(self) -> Link:
        """What links the scale of the model to a probability."""
        return LINKS[self.measure]

    @property
    def columns(self) -> tuple[str, ...]:
        """The user's columns that hold numbers."""
        return (self.events, self.n) + (() if self.time is None else (self.time,))

    @property
    def _is_normal(self) -> bool:
        return self.likelihood == "normal" or self.measure not in BINOMIAL

    def link(self, risk: Any, xp: Any = np) -> Any:
        """Return the linear predictor of a risk; for HR, of the risk in one unit of time.

        Parameters
        ----------
        risk : float or array
            Between 0 and 1.
        xp : module, default numpy
            Whose functions are used: NumPy's, or PyTensor's tensors.

        Returns
        -------
        float or array
            On the scale of the model, as ``risk`` is shaped.

        Examples
        --------
        >>> import nma
        >>> float(nma.outcomes.Binary("r", "n", measure="OR", better="lower").link(0.5))
        0.0
        """
        return LINKS[self.measure].link(risk, xp)

    def inverse(self, eta: Any, xp: Any = np) -> Any:
        """Return the risk, in one unit of time for HR, at a linear predictor.

        Parameters
        ----------
        eta : float or array
            On the scale of the model.
        xp : module, default numpy
            Whose functions are used: NumPy's, or PyTensor's tensors.

        Returns
        -------
        float or array
            Between 0 and 1, as ``eta`` is shaped.

        Examples
        --------
        >>> import nma
        >>> float(nma.outcomes.Binary("r", "n", measure="OR", better="lower").inverse(0.0))
        0.5
        """
        return LINKS[self.measure].inverse(eta, xp)

    def _events(self, rows: pd.DataFrame) -> Events:
        return Events(rows, self.events, rows[self.n].to_numpy())

    def check(self, rows: pd.DataFrame) -> list[Issue]:
        """Return every number that is missing, or no count, or more than the participants."""
        remedy = "Supply the number."
        issues: list[Issue] = []
        for name in self.columns:
            issues += _checks.missing(rows, name, remedy) + _checks.infinite(rows, name)
        remedy = "Check the cell: an arm needs a participant; leave out arms without any."
        issues += _checks.at_least(rows, self.n, 1, remedy)
        issues += _events.whole(rows, self.n, "participants")
        if self.time is not None:
            remedy = "Give the time of follow-up, in one unit throughout."
            issues += _checks.positive(rows, self.time, remedy)
        return issues + self._too_many(rows) + self._events(rows).issues()

    def _too_many(self, rows: pd.DataFrame) -> list[Issue]:
        counted = rows[self.events] == np.floor(rows[self.events])
        more = rows[(rows[self.events] > rows[self.n]) & counted]
        asked = "Check the row: are the columns exchanged, or are events counted more than once"
        percent = "? If these are percentages, multiply them by n/100."
        return [
            Issue(
                "more-than-n",
                f"{events:g} with the event are more than the {n:g} participants",
                asked + (percent if events <= 100 else "?"),
                str(study),
                (int(row),),
                self.events,
                float(events),
            )
            for row, study, events, n in zip(
                more.index, more["study"], more[self.events], more[self.n], strict=True
            )
        ]

    def participants(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the participants of each arm, (row, 1)."""
        return rows[[self.n]].to_numpy()

    def unit(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return 1 for log ratios, else the standard deviation within the arms of each trial."""
        if has_unit_one(self.measure):
            return np.ones(1)
        trial, n = pd.factorize(rows["study"].to_numpy())[0], rows[self.n].to_numpy()
        _, variance = _zero_cells.risk_difference(self._events(rows))
        return np.asarray(np.sqrt(np.bincount(trial, n * n * variance) / np.bincount(trial, n)))

    def reference_sds(self, rows: pd.DataFrame) -> tuple[ReferenceSD, ...]:  # noqa: ARG002
        """Return none: events are counted without an instrument."""
        return ()

    def merged(self, rows: pd.DataFrame) -> dict[str, float]:
        """Return the numbers of several arms taken together: sums, and the time if it is one."""
        told = {name: float(rows[name].sum()) for name in (self.events, self.n)}
        if self.time is not None:
            times = rows[self.time].to_numpy()
            told[self.time] = float(times[0]) if (times == times[0]).all() else np.nan
        return told

    def evidence(
        self, rows: pd.DataFrame, arms: NDArray[np.int64], trial_level: Prior
    ) -> tuple[Evidence, ...]:
        """Return the arms with their binomial likelihood, or normal contrasts within trials."""
        if not self._is_normal:
            return (self._arms(rows, arms[:, 0], trial_level),)
        events = self._events(rows)
        level, variance = _zero_cells.APPROXIMATIONS[self.measure](events)
        if self.time is not None:
            level = level - np.log(rows[self.time].to_numpy())
        kept = ~self._set_aside(events)
        return contrasts(events.trial[kept], arms[kept, 0], level[kept], variance[kept])

    def _arms(self, rows: pd.DataFrame, arms: NDArray[np.int64], trial_level: Prior) -> Arms:
        density, fitted = BINOMIAL[self.measure]
        times = {} if self.time is None else {"time": rows[self.time].to_numpy()}
        events = self._events(rows)
        return Arms(
            arms=arms,
            trial=events.trial,
            data=_binomial.counts(events.count, rows[self.n].to_numpy(), **times),
            density=density,
            trial_level=trial_level,
            fitted=fitted,
            deviance=_binomial.deviance,
            observed=_binomial.observed,
        )

    def _set_aside(self, events: Events) -> NDArray[np.bool_]:
        nowhere = np.zeros(len(events.rows), dtype=bool)
        return nowhere if self.measure == "RD" else events.uninformative

    def as_normal(self) -> Binary:
        """Return the same numbers read as normal contrasts."""
        return replace(self, likelihood="normal")

    @property
    def awaited(self) -> tuple[str, ...]:
        """The column of events."""
        return (self.events,)

    def _log_time(self, rows: pd.DataFrame) -> Any:
        return 0.0 if self.time is None else np.log(rows[self.time].to_numpy())

    def reported(
        self,
        rows: pd.DataFrame,
        nuisance: Mapping[str, float],  # noqa: ARG002  none
    ) -> NDArray[np.float64]:
        """Return the level of (r + 0.5)/(n + 1), for RD of r/n."""
        half = 0.0 if self.measure == "RD" else 0.5
        risk = (rows[self.events] + half) / (rows[self.n] + 2 * half)
        return np.asarray(self.link(risk.to_numpy()) - self._log_time(rows))

    def simulate(
        self,
        rows: pd.DataFrame,
        levels: NDArray[np.float64],
        nuisance: Mapping[str, float],  # noqa: ARG002  none
        rng: np.random.Generator,
    ) -> dict[str, NDArray[np.float64]]:
        """Return binomial events.

        Raises
        ------
        DataError
            If a true risk is not between 0 and 1.
        """
        risk = self.inverse(levels[:, 0] + self._log_time(rows))
        _chance.require_risks(rows, self.events, risk)
        return {self.events: _chance.binomial(rows[self.n].to_numpy(), risk, rng)}

    def notices(self, rows: pd.DataFrame) -> tuple[str, ...]:
        """Return what was approximated, which arms tell little, and what looks odd."""
        events = self._events(rows)
        if not self._is_normal:
            found = events.notices("the prior")
        else:
            found = _zero_cells.untold(events, self._set_aside(events), self.measure)
            found.append(_zero_cells.READ_AS_NORMAL.format(measure=self.measure))
            found += _zero_cells.notices(
                events, self._set_aside(events), "variance" if self.measure == "RD" else "cells"
            )
        if self.time is not None:
            times = rows[self.time].to_numpy()
            found += _events.uneven(rows, times, self.time, "follow-up", gap=_events.APART)
            found += _events.uneven_arms(rows, times, self.time, "follow-up")
        return (*found, *self._suspect(rows))

    def _suspect(self, rows: pd.DataFrame) -> list[str]:
        """Return remarks on counts that could be percentages or proportions."""
        n, events = rows[self.n], rows[self.events]
        found = []
        if (n == 100).all():
            found.append(
                f"Every arm has 100 participants: check that {self.events!r} holds people with the "
                "event, not percentages."
            )
        elif ((events <= 1) & (n > 1)).all():
            found.append(
                f"No arm has more than one event: check that {self.events!r} holds people with the "
                "event, not proportions."
            )
        return found


def _require_fitting(outcome: Binary) -> None:
    """Refuse settings that need, or forbid, another one."""
    if outcome.likelihood not in {None, "binomial", "normal"}:
        message = (
            f"likelihood={outcome.likelihood!r} is not a choice: use 'binomial' or 'normal'."
            f"{nearest(outcome.likelihood, ['binomial', 'normal'])}"
        )
        raise ModelError(message)
    if outcome.likelihood == "binomial" and outcome.measure not in BINOMIAL:
        message = (
            f"measure={outcome.measure!r} has no binomial likelihood here: its link would let "
            "risks leave 0 to 1. Use measure='OR', whose answers can be told as risks at a stated "
            "baseline risk, or leave `likelihood` out."
        )
        raise ModelError(message)
    if outcome.measure == "HR" and outcome.time is None:
        message = (
            "measure='HR' needs the time of follow-up: name the column, `time`. It may be a "
            "column of ones where all arms of a trial were followed for as long."
        )
        raise ModelError(message)
    if outcome.measure != "HR" and outcome.time is not None:
        message = (
            f"time={outcome.time!r} goes with measure='HR': {outcome.measure} does not use the "
            "time of follow-up. Leave it out, and the column still travels with the arms."
        )
        raise ModelError(message)
