"""Effects that trials report as differences between two arms."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final

import numpy as np
import pandas as pd

from nma.errors import Issue, ModelError, nearest, shown
from nma.instruments import ReferenceSD
from nma.links import Link, link_of
from nma.outcomes import _checks, _multiarm
from nma.outcomes._estimates import NO_SPREAD, Estimates, require_one_spread
from nma.outcomes._measures import RATIOS, UNSAID, has_unit_one, require_better, require_measure
from nma.priors import Prior
from nma.problem import Contrasts, Evidence
from nma.protocols import Better

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Contrast"]


@final
@dataclass(frozen=True)
class Contrast:
    """Effect of one treatment against another, with its standard error.

    The rows of a multi-arm trial are correlated. Their covariance comes in one of three forms,
    all equivalent: every pairwise contrast with its standard error; contrasts against one base
    arm, with that arm's own standard error (``base_se``); or an explicit covariance.

    Parameters
    ----------
    effect : str
        Column of effects, treatment minus comparator. Ratio measures: the logarithm beside ``se``,
        the ratio as it is printed beside ``lower`` and ``upper``.
    se : str, optional
        Column of standard errors of the effects.
    lower, upper : str, optional
        Columns of confidence limits, in place of ``se``; of ratio measures, as they are printed.
        The standard error is (upper - lower) / (2 z), of logarithms for ratio measures.
    measure : str
        Name of the measure: "MD", "SMD", "OR", "RR", "HR", or a name of your own.
    better : {"lower", "higher"}
        Which direction of the outcome is better for the patient; no default.
    base_se : str, optional
        Column with the standard error of the base arm's own mean (or log odds, ...).
    covariance : mapping of str to matrix, optional
        For a trial the covariance of its effects: a matrix in the order of the trial's rows in the
        table, or a DataFrame labelled by the treatments that are compared with the base arm, for
        effects of each against the base arm.
    n : pair of str, optional
        Columns of participants under treatment and comparator.
    level : float, default 0.95
        Probability of the confidence interval between the limits.
    scale : float, optional
        Within-arm standard deviation of the outcome, which sizes the default priors; by default
        it is worked out from ``n``.

    Raises
    ------
    ModelError
        If ``better`` or ``measure`` is missing or misspelt, neither ``se`` nor both limits are
        named, ``n`` is not two columns, or ``scale`` is not a standard deviation.

    Examples
    --------
    >>> import nma
    >>> pain = nma.outcomes.Contrast("md", "se", measure="MD", better="lower", n=("n1", "n2"))
    >>> pain.measure, pain.better
    ('MD', 'lower')
    >>> survival = nma.outcomes.Contrast(
    ...     "hr", lower="lower", upper="upper", measure="HR", better="lower"
    ... )
    >>> survival.columns
    ('hr', 'lower', 'upper')

    References
    ----------
    Franchini et al. 2012, doi:10.1002/jrsm.1049, on base arms and their standard errors.
    """

    effect: str
    se: str | None = None
    lower: str | None = field(kw_only=True, default=None)
    upper: str | None = field(kw_only=True, default=None)
    measure: str = field(kw_only=True, default="")
    better: Better = field(kw_only=True, default=UNSAID)
    base_se: str | None = field(kw_only=True, default=None)
    covariance: Mapping[str, Any] | None = field(kw_only=True, default=None, compare=False)
    n: tuple[str, str] | None = field(kw_only=True, default=None)
    level: float = field(kw_only=True, default=0.95)
    scale: float | None = field(kw_only=True, default=None)

    reports: ClassVar[Literal["contrasts"]] = "contrasts"
    labels: ClassVar[tuple[str, ...]] = ()
    nuisance: ClassVar[Mapping[str, Prior | None]] = {}

    def __post_init__(self) -> None:
        require_better(self.better)
        require_measure(self.measure)
        require_one_spread(self.se, self.lower, self.upper, self.level)
        if self.scale is not None and not 0 < self.scale < np.inf:
            message = f"scale={self.scale!r} is not a standard deviation: give a positive number."
            raise ModelError(message)
        if self.n is not None and (isinstance(self.n, str) or len(self.n) != 2):
            message = (
                f"n={self.n!r} is not two columns: name the participants under treatment and "
                "under comparator, such as n=('n1', 'n2')."
            )
            raise ModelError(message)
        object.__setattr__(self, "n", None if self.n is None else tuple(self.n))
        if self.covariance is not None:
            object.__setattr__(self, "covariance", deepcopy(dict(self.covariance)))

    @property
    def ratio(self) -> bool:
        """Whether effects are log ratios, printed back-transformed."""
        return self.measure in RATIOS

    @property
    def absolute_link(self) -> Link | None:
        """What links the scale of the model to a level; None for a measure of your own."""
        return link_of(self.measure)

    @property
    def columns(self) -> tuple[str, ...]:
        """The user's columns that hold numbers."""
        named = (self.se, self.lower, self.upper, self.base_se)
        return (self.effect, *(name for name in named if name is not None), *(self.n or ()))

    @property
    def _estimates(self) -> Estimates:
        """How effects and their standard errors are read."""
        return Estimates(self.effect, self.se, self.lower, self.upper, self.level, self.measure)

    def check(self, rows: pd.DataFrame) -> list[Issue]:
        """Return every problem in the numbers and in the make-up of multi-arm trials."""
        issues = self._estimates.issues(rows)
        for name in dict.fromkeys(self.columns):
            issues += _checks.infinite(rows, name)
        if self.base_se is not None:
            issues += _checks.positive(rows, self.base_se, NO_SPREAD)
        remedy = "An arm needs two participants or more; leave the cell empty if not known."
        for name in dict.fromkeys(self.n or ()):
            issues += _checks.at_least(rows, name, 2, remedy)
        spoilt = {issue.study for issue in issues}
        trials = self._trials(rows)
        for trial in trials:
            if trial.study not in spoilt:
                issues += _multiarm.problems(trial)
        return issues + self._misplaced_covariance({trial.study for trial in trials}, rows)

    def _misplaced_covariance(self, several: set[str], rows: pd.DataFrame) -> list[Issue]:
        studies = set(rows["study"])
        return [
            Issue(
                "covariance-misplaced",
                f"a covariance is stated for {shown(study)}, "
                + ("which has one row" if study in studies else "which is not a trial"),
                "Give `covariance` for trials with several rows only."
                + ("" if study in studies else nearest(study, several)),
            )
            for study in self.covariance or ()
            if study not in several
        ]

    def _trials(self, rows: pd.DataFrame) -> list[_multiarm.Trial]:
        """Return the trials with more than one row; the rows of a trial stand together."""
        codes, studies = pd.factorize(rows["study"].to_numpy())
        ends = np.flatnonzero(np.diff(codes, append=-1)) + 1
        starts = np.r_[0, ends[:-1]]
        effect, se = self._estimates.told(rows)
        base = [] if self.base_se is None else [rows[self.base_se].to_numpy()]
        sides = list(zip(rows["treatment"], rows["comparator"], strict=True))
        index = rows.index.to_numpy()
        return [
            _multiarm.Trial(
                study=str(studies[codes[start]]),
                rows=tuple(index[start:end].tolist()),
                sides=tuple(sides[start:end]),
                effect=effect[start:end],
                se=se[start:end],
                base_se=base[0][start:end] if base else np.full(end - start, np.nan),
                covariance=(self.covariance or {}).get(studies[codes[start]]),
            )
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
            if end - start > 1
        ]

    def participants(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the participants of treatment and comparator, (row, 2), NaN where not told."""
        if self.n is None:
            return np.full((len(rows), 2), np.nan)
        return rows[list(self.n)].to_numpy()

    def unit(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return 1 for log ratios and SMDs, else each trial's SD, se / sqrt(1/n_t + 1/n_c)."""
        if has_unit_one(self.measure):
            return np.ones(1)
        n = self.participants(rows)
        sd = pd.Series(self._estimates.told(rows)[1] / np.sqrt((1 / n).sum(axis=1)))
        by_trial = sd.groupby(rows["study"].to_numpy()).median()
        return by_trial.dropna().to_numpy()

    def reference_sds(self, rows: pd.DataFrame) -> tuple[ReferenceSD, ...]:  # noqa: ARG002
        """Return none: contrasts name no instrument."""
        return ()

    def merged(self, rows: pd.DataFrame) -> dict[str, float]:  # noqa: ARG002
        """Return NaN: contrasts do not tell what their arms would together."""
        return dict.fromkeys(self.columns, float("nan"))

    def as_normal(self) -> Contrast:
        """Return the outcome itself: contrasts are normal."""
        return self

    def evidence(
        self,
        rows: pd.DataFrame,
        arms: NDArray[np.int64],
        trial_level: Prior,  # noqa: ARG002  contrasts have no trial level
    ) -> tuple[Evidence, ...]:
        """Return the contrasts against each trial's first arm, trials of one size together."""
        codes = pd.factorize(rows["study"].to_numpy())[0]
        alone = (np.bincount(codes) == 1)[codes]
        effect, se = self._estimates.told(rows)
        pairs = Contrasts(arms[alone][:, ::-1], effect[alone, None], se[alone, None, None] ** 2)
        by_size: dict[int, list[_multiarm.Whole]] = {}
        inside = np.split(arms[~alone], np.flatnonzero(np.diff(codes[~alone])) + 1)
        for trial, positions in zip(self._trials(rows), inside, strict=False):
            whole = _multiarm.whole(trial, positions)
            by_size.setdefault(len(whole.arms), []).append(whole)
        several = [_stacked(by_size[size]) for size in sorted(by_size)]
        return tuple(([pairs] if alone.any() else []) + several)

    @property
    def awaited(self) -> tuple[str, ...]:
        """The column of effects, and limits if there are any."""
        limits = (self.lower, self.upper)
        return (self.effect, *(name for name in limits if name is not None))

    def reported(
        self,
        rows: pd.DataFrame,
        nuisance: Mapping[str, float],  # noqa: ARG002  none
    ) -> NDArray[np.float64]:
        """Return NaN: contrasts tell no level."""
        return np.full(len(rows), np.nan)

    def simulate(
        self,
        rows: pd.DataFrame,
        levels: NDArray[np.float64],
        nuisance: Mapping[str, float],  # noqa: ARG002  none
        rng: np.random.Generator,
    ) -> dict[str, NDArray[np.float64]]:
        """Return normal effects; those of a multi-arm trial by its covariance, and adding up."""
        se = self._estimates.told(rows)[1]
        error = se * rng.standard_normal(len(rows))
        studies = rows["study"].to_numpy()
        for trial in self._trials(rows):
            error[studies == trial.study] = _multiarm.error(trial, rng)
        return self._estimates.printed(levels[:, 0] - levels[:, 1] + error, se)

    def notices(self, rows: pd.DataFrame) -> tuple[str, ...]:
        """Return how standard errors and the covariance of multi-arm trials were found."""
        found = self._estimates.notices(rows)
        return (*found, *(_multiarm.notice(trial) for trial in self._trials(rows)))


def _stacked(trials: list[_multiarm.Whole]) -> Contrasts:
    return Contrasts(
        np.stack([trial.arms for trial in trials]),
        np.stack([trial.y for trial in trials]),
        np.stack([trial.V for trial in trials]),
    )
