"""Means of a continuous outcome, arm by arm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, ClassVar, Literal, final

import numpy as np
import pandas as pd

from nma.errors import Issue, ModelError
from nma.instruments import Instrument, ReferenceSD
from nma.links import LINKS, Link
from nma.outcomes import _checks, _doubts, _reference
from nma.outcomes._by_name import ByName
from nma.outcomes._continuous_settings import require_fitting
from nma.outcomes._differences import differences, most_precise_first
from nma.outcomes._measures import UNSAID, has_unit_one, require_better, require_measure
from nma.outcomes._scores import Scores, meanings
from nma.outcomes._spread import Spread, pooled
from nma.outcomes._standardised import hedges
from nma.priors import Prior
from nma.problem import Contrasts, Evidence, Reading
from nma.protocols import Better

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Continuous"]

NAMELESS = "No instrument is named: all means are taken to be on scales where {better} is better."

FINAL_SCORES = (
    "ROM: means were read as final scores. A ratio of changes from baseline has no meaning; say "
    "scores='final' if you have checked."
)
OWN_SDS = "SMD: Hedges' g, each trial in units of its own SD, pooled over all its arms."


@final
@dataclass(frozen=True, repr=False)
class Continuous:
    r"""Mean and standard deviation (or standard error) of every arm.

    The **mean difference** (MD) of arm k and another arm b of the trial is
    :math:`y_k = \bar x_k - \bar x_b` with

    .. math:: V_{kk} = s_k^2/n_k + s_b^2/n_b, \qquad V_{jk} = s_b^2/n_b

    so arm b's error is shared, and which arm of the trial b is changes nothing.

    The **standardised mean difference** (SMD) is Hedges' g, in units of one standard deviation s
    for each trial, pooled over all its K arms with N participants:

    .. math:: g_k = J\,(\bar x_k - \bar x_b)/s, \qquad
       J = \frac{\Gamma(m/2)}{\sqrt{m/2}\ \Gamma((m - 1)/2)}, \quad m = N - K

    .. math:: V_{kk} = 1/n_k + 1/n_b + g_k^2/(2N), \qquad V_{jk} = 1/n_b + g_j g_k/(2N)

    or, with ``reference_sd``, the MD divided by one standard deviation R for each instrument, and
    its V divided by :math:`R^2`; R is taken as known, and there is no J. Either way b changes
    nothing, and the contrasts of a trial add up.

    The **ratio of means** (ROM), for final scores on a scale with a true zero, is
    :math:`y_k = \log \bar x_k - \log \bar x_b` with

    .. math:: V_{kk} = s_k^2/(n_k \bar x_k^2) + s_b^2/(n_b \bar x_b^2), \qquad
       V_{jk} = s_b^2/(n_b \bar x_b^2)

    Parameters
    ----------
    mean : str
        Column of arm means, on the scale that was measured: final scores or changes (final minus
        baseline).
    sd : str, optional
        Column of standard deviations of participants; needs ``n``.
    se : str, optional
        Column of standard errors of the means; read only where sd and n are not both given.
    n : str, optional
        Column of participants; an SMD by each trial's own standard deviation needs it.
    measure : {"MD", "SMD", "ROM"}
        The measure: mean difference, standardised mean difference, or ratio of means.
    better : {"lower", "higher"}
        Which direction is better for the patient; no default.
    instrument : str, optional
        Column that names each arm's instrument, such as "RMDQ". Where an instrument's direction
        is not ``better``, the sign of its means is reversed, and a notice says so.
    instruments : mapping of str to Instrument, optional
        What the names in that column mean, beside and before those of ``nma.instruments``, which
        go by several names, such as "NPRS" for NRS.
    reference_sd : "pooled" or mapping of str to float, optional
        The standard deviation of each instrument: pooled over all arms on it by degrees of
        freedom, without trials that report changes; or known, from people at baseline in a large
        trial or at follow-up, not from changes. If not given, each trial has its own.
    scores : {"final", "change"}, optional
        What the means are of, where you know it for all trials. Ratios of means are refused for
        changes; where nothing is said, a notice says that they were read as final scores.

    Raises
    ------
    ModelError
        If ``better`` or ``measure`` is missing, neither ``se`` nor ``sd`` with ``n`` is named, or
        the settings do not go together.

    Examples
    --------
    >>> import nma
    >>> nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
    Continuous(mean='mean', sd='sd', n='n', measure='MD', better='lower')
    >>> disability = nma.outcomes.Continuous(
    ...     "mean", sd="sd", n="n", measure="SMD", better="lower", instrument="scale"
    ... )
    >>> disability.labels
    ('scale',)

    References
    ----------
    Franchini et al. 2012, doi:10.1002/jrsm.1049, on the covariance of multi-arm trials.
    Hedges 1981, doi:10.3102/10769986006002107, on g and J.
    Gleser and Olkin 1994, The Handbook of Research Synthesis, pp. 339-355, on its covariance.
    Friedrich, Adhikari and Beyene 2008, doi:10.1186/1471-2288-8-32, on ratios of means.
    """

    mean: str
    sd: str | None = None
    se: str | None = None
    n: str | None = None
    measure: str = field(kw_only=True, default="")
    better: Better = field(kw_only=True, default=UNSAID)
    instrument: str | None = field(kw_only=True, default=None)
    instruments: Mapping[str, Instrument] | None = field(kw_only=True, default=None)
    reference_sd: Literal["pooled"] | Mapping[str, float] | None = field(kw_only=True, default=None)
    scores: Literal["final", "change"] | None = field(kw_only=True, default=None)

    reports: ClassVar[Literal["arms"]] = "arms"
    scale: ClassVar[None] = None
    nuisance: ClassVar[Mapping[str, Prior | None]] = {}

    def __post_init__(self) -> None:
        require_better(self.better)
        require_measure(self.measure, known=("MD", "SMD", "ROM"))
        if self.se is None and (self.sd is None or self.n is None):
            message = "Continuous needs the spread of every mean: name `se`, or `sd` and `n`."
            raise ModelError(message)
        _reference.require(self.reference_sd, meanings(self.instruments))
        if self.instruments is not None:
            object.__setattr__(self, "instruments", ByName(self.instruments))
        if isinstance(self.reference_sd, Mapping):
            stated = {name: float(sd) for name, sd in self.reference_sd.items()}
            object.__setattr__(self, "reference_sd", ByName(stated))
        require_fitting(self)

    @property
    def ratio(self) -> bool:
        """Whether effects are log ratios, printed back-transformed."""
        return self.measure == "ROM"

    @property
    def absolute_link(self) -> Link:
        """What links the scale of the model to a mean."""
        return LINKS[self.measure]

    @property
    def columns(self) -> tuple[str, ...]:
        """The user's columns that hold numbers."""
        return tuple(name for name in (self.mean, self.sd, self.se, self.n) if name is not None)

    @property
    def labels(self) -> tuple[str, ...]:
        """The user's columns that hold names."""
        return () if self.instrument is None else (self.instrument,)

    @property
    def _spread(self) -> Spread:
        return Spread(self.sd, self.se, self.n)

    @property
    def _has_own_sds(self) -> bool:
        """Whether every trial is standardised by its own standard deviation."""
        return self.measure == "SMD" and self.reference_sd is None

    def _scores(self, rows: pd.DataFrame) -> Scores | None:
        if self.instrument is None:
            return None
        return Scores(rows, self.instrument, meanings(self.instruments))

    def check(self, rows: pd.DataFrame) -> list[Issue]:
        """Return every problem in the numbers and in the instruments."""
        remedy = "Supply the number."
        issues = _checks.missing(rows, self.mean, remedy)
        for name in self.columns:
            issues += _checks.infinite(rows, name)
        issues += self._spread.issues(rows)
        if self._has_own_sds:
            issues += self._spread.without_participants(rows)
        if self.ratio:
            remedy = (
                "A ratio needs means above zero: final scores on a scale with a true zero, not "
                "changes from baseline. For changes use measure='MD' or 'SMD'."
            )
            issues += _checks.positive(rows, self.mean, remedy)
        scores = self._scores(rows)
        if scores is not None:
            issues += scores.issues(self.mean, self._spread)
            if self.measure == "MD":
                issues += scores.ranges_differ()
            if self.reference_sd is not None:
                issues += _reference.issues(scores, self._spread, self.reference_sd, self.mean)
        return issues

    def participants(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the participants of each arm, (row, 1), NaN where not told."""
        return self._spread.participants(rows)[:, None]

    def unit(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return 1 for SMD and ROM, else each trial's standard deviation pooled within arms."""
        if has_unit_one(self.measure):
            return np.ones(1)
        if self.n is None:
            return np.empty(0)
        variance = self._trial_variances(rows)
        return np.sqrt(variance[np.isfinite(variance)])

    def _trial_variances(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the pooled within-arm variance of each trial, NaN where an arm does not tell."""
        trial = pd.factorize(rows["study"])[0]
        return pooled(trial, self._spread.participants(rows), self._spread.errors(rows))

    def reference_sds(self, rows: pd.DataFrame) -> tuple[ReferenceSD, ...]:
        """Return the standard deviation of each instrument, as used or pooled over its arms."""
        scores = self._scores(rows)
        if scores is None:
            return ()
        return _reference.references(scores, self._spread, self.reference_sd, self.mean)

    def evidence(
        self,
        rows: pd.DataFrame,
        arms: NDArray[np.int64],
        trial_level: Prior,  # noqa: ARG002  trial levels cancel exactly in normal data
    ) -> tuple[Evidence, ...]:
        """Return differences within trials; trial levels cancel, as under a flat prior."""
        mean, error = self._means(rows), self._errors(rows)
        found = []
        for precise in most_precise_first(pd.factorize(rows["study"])[0], error):
            y, V = differences(mean[precise], error[precise])
            found.append(
                Contrasts(
                    arms[precise, 0],
                    *self._standardised(rows, precise, y, V),
                    reported=self._reported(rows, precise, mean[precise], error[precise]),
                    readings=self._readings(rows, precise[:, 0]),
                )
            )
        return tuple(found)

    def _reported(
        self,
        rows: pd.DataFrame,
        trials: NDArray[np.int64],
        mean: NDArray[np.float64],
        error: NDArray[np.float64],
    ) -> NDArray[np.float64] | None:
        """Return levels and variances of arms; none where a trial's own SD ties them together."""
        if self._has_own_sds:
            return None
        sd = 1.0 if self.measure != "SMD" else self._reference_sd(rows, trials[:, 0])[:, None]
        return np.stack([mean / sd, error / sd**2])

    def _readings(self, rows: pd.DataFrame, first: NDArray[np.int64]) -> tuple[Reading, ...]:
        """Return the unit of the levels of each trial, given by its first row."""
        scores, sd = self._scores(rows), np.ones(len(first))
        if self.measure == "SMD":
            sd = np.nan * sd if self.reference_sd is None else self._reference_sd(rows, first)
        if scores is None:
            is_change = None if self.scores is None else self.scores == "change"
            return tuple(Reading(None, float(points), is_change) for points in sd)
        changed = scores.changed(self.mean, self._spread)
        return scores.readings(first, sd, self.better, changed, self.scores)

    def _means(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the means, reversed in sign where the instrument's direction is the other.

        Of ratios, their logarithms.
        """
        mean, scores = rows[self.mean].to_numpy(), self._scores(rows)
        if self.ratio:
            return np.asarray(np.log(mean))
        return mean if scores is None else mean * scores.signs(self.better)

    def _errors(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the variance of each mean or log mean, or its multiple of the trial's own."""
        if self._has_own_sds:
            return np.asarray(1 / self._spread.participants(rows))
        errors = self._spread.errors(rows)
        return np.asarray(errors / rows[self.mean].to_numpy() ** 2) if self.ratio else errors

    def _standardised(
        self,
        rows: pd.DataFrame,
        trials: NDArray[np.int64],
        y: NDArray[np.float64],
        V: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return differences, and their covariance, on the scale of the measure."""
        if self.measure != "SMD":
            return y, V
        if self.reference_sd is None:
            trial = pd.factorize(rows["study"])[0][trials[:, 0]]
            people = self._spread.participants(rows)[trials].sum(axis=1)
            return hedges(y, V, np.sqrt(self._trial_variances(rows)[trial]), people)
        sd = self._reference_sd(rows, trials[:, 0])
        return y / sd[:, None], V / sd[:, None, None] ** 2

    def _reference_sd(self, rows: pd.DataFrame, first: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the standard deviation that each trial's differences are divided by, (trial,)."""
        scores = self._scores(rows)
        assert scores is not None  # noqa: S101  a reference SD needs instruments
        return _reference.by_row(scores, self.reference_sds(rows))[first]

    def merged(self, rows: pd.DataFrame) -> dict[str, float]:
        """Return the numbers of several arms taken together as one group of participants."""
        return self._spread.merged(rows, self.mean)

    def as_normal(self) -> Continuous:
        """Return the outcome itself: means are read as normal contrasts."""
        return self

    @property
    def awaited(self) -> tuple[str, ...]:
        """The column of means: how far they spread is part of a plan."""
        return (self.mean,)

    def _per_level(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return what a mean is divided by, (row,): its sign, and for SMD a standard deviation."""
        scores = self._scores(rows)
        signs = np.ones(len(rows)) if scores is None else scores.signs(self.better)
        if self.measure != "SMD":
            return signs
        if self.reference_sd is None:
            return signs * np.sqrt(self._trial_variances(rows))[pd.factorize(rows["study"])[0]]
        return signs * self._reference_sd(rows, np.arange(len(rows)))

    def reported(
        self,
        rows: pd.DataFrame,
        nuisance: Mapping[str, float],  # noqa: ARG002  none
    ) -> NDArray[np.float64]:
        """Return the means on the scale of the measure: logarithms, or in standard deviations."""
        mean = rows[self.mean].to_numpy()
        return np.asarray(np.log(mean) if self.ratio else mean / self._per_level(rows))

    def simulate(
        self,
        rows: pd.DataFrame,
        levels: NDArray[np.float64],
        nuisance: Mapping[str, float],  # noqa: ARG002  none
        rng: np.random.Generator,
    ) -> dict[str, NDArray[np.float64]]:
        """Return normal means, with the spreads that samples of these sizes would report."""
        true = np.exp(levels[:, 0]) if self.ratio else levels[:, 0] * self._per_level(rows)
        error, spreads = self._spread.drawn(rows, rng)
        return {self.mean: true + error, **spreads}

    def notices(self, rows: pd.DataFrame) -> tuple[str, ...]:
        """Return what was derived, reversed and chosen in reading the numbers."""
        found = list(self._spread.notices(rows))
        scores = self._scores(rows)
        if scores is not None:
            found += scores.notices(self.mean, self._spread, self.better)
            if self.measure == "MD":
                found += scores.pooled_as_one()
            if self._has_own_sds:
                found += scores.mixed(self.mean, self._spread)
        elif self.measure == "SMD":
            found += [NAMELESS.format(better=self.better)]
        if self.ratio and self.scores is None:
            found += [FINAL_SCORES]
        if self._has_own_sds:
            found += [OWN_SDS]
        elif self.measure == "SMD":
            found += _reference.notices(self.reference_sds(rows))
        return (*found, *self._doubts(rows, scores))

    def _doubts(self, rows: pd.DataFrame, scores: Scores | None) -> list[str]:
        """Return which spreads and effects look as if they were in other units."""
        alike = [("", np.ones(len(rows), dtype=bool))] if self.measure == "MD" else []
        if scores is not None:
            alike = [(found.name, here) for found, here in scores.by_instrument.items()]
        people, sd = self._spread.participants(rows), np.sqrt(self._trial_variances(rows))
        found = _doubts.spreads(rows["study"], sd, alike)
        return found + _doubts.effects(rows["study"], rows[self.mean].to_numpy(), sd, people)

    def __repr__(self) -> str:
        """Return the settings that were given."""
        given = ((setting.name, getattr(self, setting.name)) for setting in fields(self))
        listed = ", ".join(f"{name}={value!r}" for name, value in given if value is not None)
        return f"Continuous({listed})"
