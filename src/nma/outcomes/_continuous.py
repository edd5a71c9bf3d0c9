"""Means of a continuous outcome, arm by arm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, ClassVar, Literal, final

import numpy as np
import pandas as pd

from nma.errors import Issue, ModelError
from nma.instruments import Instrument, ReferenceSD
from nma.outcomes import _checks, _doubts, _reference
from nma.outcomes._by_name import ByName
from nma.outcomes._measures import UNSAID, require_better, require_measure
from nma.outcomes._scores import Scores, meanings
from nma.outcomes._spread import Spread, pooled
from nma.outcomes._standardised import hedges
from nma.priors import Prior
from nma.problem import Contrasts, Evidence, trials_by_size
from nma.protocols import Better

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Continuous"]

NAMELESS = "No instrument is named: all means are taken to be on scales where {better} is better."

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
    measure : {"MD", "SMD"}
        The measure: mean difference, or standardised mean difference.
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
    Gleser and Olkin 1994, in The Handbook of Research Synthesis, pp. 339-355, on its covariance.
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

    reports: ClassVar[Literal["arms"]] = "arms"
    ratio: ClassVar[bool] = False
    scale: ClassVar[None] = None

    def __post_init__(self) -> None:
        require_better(self.better)
        require_measure(self.measure, known=("MD", "SMD"))
        if self.se is None and (self.sd is None or self.n is None):
            message = "Continuous needs the spread of every mean: name `se`, or `sd` and `n`."
            raise ModelError(message)
        _reference.require(self.reference_sd, meanings(self.instruments))
        if self.instruments is not None:
            object.__setattr__(self, "instruments", ByName(self.instruments))
        if isinstance(self.reference_sd, Mapping):
            stated = {name: float(sd) for name, sd in self.reference_sd.items()}
            object.__setattr__(self, "reference_sd", ByName(stated))
        _require_fitting(self)

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
        remedy = "Supply the number, or leave the arm out with missing='drop_arm'."
        issues = _checks.missing(rows, self.mean, remedy)
        for name in self.columns:
            issues += _checks.infinite(rows, name)
        issues += self._spread.issues(rows)
        if self._has_own_sds:
            issues += self._spread.without_participants(rows)
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
        """Return 1 for SMD, else the pooled within-arm standard deviation of trials that tell."""
        if self.measure == "SMD":
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
        """Return differences within trials; trial levels cancel, as under a flat prior.

        They are taken from each trial's most precise arm: an arm that tells next to nothing
        would drown the others in rounding if they all shared its error.
        """
        mean, error = self._means(rows), self._errors(rows)
        found = []
        for trials in trials_by_size(pd.factorize(rows["study"])[0]):
            precise = np.take_along_axis(trials, np.argsort(error[trials], kind="stable"), axis=1)
            y, V = _differences(mean[precise], error[precise])
            found.append(Contrasts(arms[precise, 0], *self._standardised(rows, precise, y, V)))
        return tuple(found)

    def _means(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the means, reversed in sign where the instrument's direction is the other."""
        mean, scores = rows[self.mean].to_numpy(), self._scores(rows)
        return mean if scores is None else mean * scores.signs(self.better)

    def _errors(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the variance of each mean, or its multiple of the trial's own variance."""
        if self._has_own_sds:
            return np.asarray(1 / self._spread.participants(rows))
        return self._spread.errors(rows)

    def _standardised(
        self,
        rows: pd.DataFrame,
        trials: NDArray[np.int64],
        y: NDArray[np.float64],
        V: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return differences, and their covariance, on the scale of the measure."""
        if self.measure == "MD":
            return y, V
        if self.reference_sd is None:
            trial = pd.factorize(rows["study"])[0][trials[:, 0]]
            people = self._spread.participants(rows)[trials].sum(axis=1)
            return hedges(y, V, np.sqrt(self._trial_variances(rows)[trial]), people)
        scores = self._scores(rows)
        assert scores is not None  # noqa: S101  a reference SD needs instruments
        sd = _reference.by_row(scores, self.reference_sds(rows))[trials[:, 0]]
        return y / sd[:, None], V / sd[:, None, None] ** 2

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


def _require_fitting(outcome: Continuous) -> None:
    """Refuse settings that need another one."""
    column = outcome.instrument
    lacking = {
        f"instrument={column!r} is not a column: name the one that tells each arm's instrument.": (
            column is not None and not (column and isinstance(column, str))
        ),
        "reference_sd goes with measure='SMD': a mean difference is in points already.": (
            outcome.reference_sd is not None and outcome.measure != "SMD"
        ),
        "reference_sd is by instrument: name the column of each arm's instrument, `instrument`.": (
            outcome.reference_sd is not None and outcome.instrument is None
        ),
        "`instruments` says what names mean: name the column that holds them, `instrument`.": (
            outcome.instruments is not None and outcome.instrument is None
        ),
        "measure='SMD' needs the participants of every arm for the trial's own SD: name `n`, or "
        "give reference_sd={...}.": outcome._has_own_sds and outcome.n is None,  # noqa: SLF001
    }
    for message, is_so in lacking.items():
        if is_so:
            raise ModelError(message)


def _differences(
    mean: NDArray[np.float64], error: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return differences from each trial's first arm and their covariance."""
    y = mean[:, 1:] - mean[:, :1]
    V = error[:, 1:, None] * np.eye(y.shape[1]) + error[:, :1, None]
    return y, V
