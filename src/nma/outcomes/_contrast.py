"""Effects that trials report as differences between two arms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final

import numpy as np
import pandas as pd

from nma.errors import Issue, ModelError
from nma.outcomes import _checks, _multiarm
from nma.outcomes._measures import RATIOS, UNSAID, has_unit_one, require_better, require_measure
from nma.priors import Prior
from nma.problem import Better, Contrasts, Evidence

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
        Column of effects, treatment minus comparator; the logarithm for ratio measures.
    se : str
        Column of standard errors of the effects.
    measure : str
        Name of the measure: "MD", "SMD", "OR", "RR", "HR", or a name of your own.
    better : {"lower", "higher"}
        Which direction of the outcome is better for the patient; no default.
    base_se : str, optional
        Column with the standard error of the base arm's own mean (or log odds, ...).
    covariance : mapping of str to matrix, optional
        For a trial its covariance matrix, in the order of the trial's rows, or as a DataFrame
        labelled by treatment.
    n : pair of str, optional
        Columns of participants under treatment and comparator.
    scale : float, optional
        Within-arm standard deviation of the outcome, which sizes the default priors; by default
        it is worked out from ``n``.

    Raises
    ------
    ModelError
        If ``better`` or ``measure`` is missing.

    Examples
    --------
    >>> import nma
    >>> pain = nma.outcomes.Contrast("md", "se", measure="MD", better="lower", n=("n1", "n2"))
    >>> pain.measure, pain.better
    ('MD', 'lower')

    References
    ----------
    Franchini et al. 2012, doi:10.1002/jrsm.1049, on base arms and their standard errors.
    """

    effect: str
    se: str
    measure: str = field(kw_only=True, default="")
    better: Better = field(kw_only=True, default=UNSAID)
    base_se: str | None = field(kw_only=True, default=None)
    covariance: Mapping[str, Any] | None = field(kw_only=True, default=None, compare=False)
    n: tuple[str, str] | None = field(kw_only=True, default=None)
    scale: float | None = field(kw_only=True, default=None)

    reports: ClassVar[Literal["contrasts"]] = "contrasts"

    def __post_init__(self) -> None:
        require_better(self.better)
        require_measure(self.measure)
        if self.scale is not None and not self.scale > 0:
            message = f"scale={self.scale!r} is not a standard deviation: give a positive number."
            raise ModelError(message)

    @property
    def ratio(self) -> bool:
        """Whether effects are log ratios, printed back-transformed."""
        return self.measure in RATIOS

    @property
    def columns(self) -> tuple[str, ...]:
        """The user's columns that hold numbers."""
        base = () if self.base_se is None else (self.base_se,)
        return (self.effect, self.se, *base, *(self.n or ()))

    def check(self, rows: pd.DataFrame) -> list[Issue]:
        """Return every problem in the numbers, then in the make-up of multi-arm trials."""
        remedy = "Check the cell: a standard error of zero would give the trial all the weight."
        issues = _checks.missing(rows, self.effect) + _checks.missing(rows, self.se)
        for name in self.columns:
            issues += _checks.infinite(rows, name)
        issues += _checks.positive(rows, self.se, remedy)
        if self.base_se is not None:
            issues += _checks.positive(rows, self.base_se, remedy)
        for name in self.n or ():
            remedy = "An arm needs two participants or more; leave the cell empty if not known."
            issues += _checks.at_least(rows, name, 2, remedy)
        return issues or [
            issue for trial in self._trials(rows) for issue in _multiarm.problems(trial)
        ]

    def _trials(self, rows: pd.DataFrame) -> list[_multiarm.Trial]:
        """Return the trials with more than one row."""
        codes, studies = pd.factorize(rows["study"])
        several = np.flatnonzero(np.bincount(codes) > 1).tolist()
        return [self._trial(str(studies[code]), rows[codes == code]) for code in several]

    def _trial(self, study: str, rows: pd.DataFrame) -> _multiarm.Trial:
        stated = (self.covariance or {}).get(study)
        base = np.full(len(rows), np.nan) if self.base_se is None else rows[self.base_se].to_numpy()
        return _multiarm.Trial(
            study=study,
            rows=tuple(int(row) for row in rows.index),
            sides=tuple(zip(rows["treatment"], rows["comparator"], strict=True)),
            effect=rows[self.effect].to_numpy(),
            se=rows[self.se].to_numpy(),
            base_se=base,
            covariance=stated,
        )

    def participants(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the participants of treatment and comparator, (row, 2), NaN where not told."""
        if self.n is None:
            return np.full((len(rows), 2), np.nan)
        return rows[list(self.n)].to_numpy()

    def unit(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return 1 for log ratios and SMDs, else each trial's SD, se / sqrt(1/n_t + 1/n_c)."""
        if self.scale is not None:
            return np.array([self.scale])
        if has_unit_one(self.measure):
            return np.ones(1)
        n = self.participants(rows)
        sd = pd.Series(rows[self.se].to_numpy() / np.sqrt((1 / n).sum(axis=1)))
        by_trial = sd.groupby(rows["study"].to_numpy()).median()
        return by_trial.dropna().to_numpy()

    def evidence(
        self,
        rows: pd.DataFrame,
        arms: NDArray[np.int64],
        trial_level: Prior,  # noqa: ARG002  contrasts have no trial level
    ) -> tuple[Evidence, ...]:
        """Return the contrasts against each trial's first arm, trials of one size together."""
        codes = pd.factorize(rows["study"])[0]
        alone = (np.bincount(codes) == 1)[codes]
        effect, se = rows[self.effect].to_numpy(), rows[self.se].to_numpy()
        pairs = Contrasts(arms[alone][:, ::-1], effect[alone, None], se[alone, None, None] ** 2)
        by_size: dict[int, list[_multiarm.Whole]] = {}
        for trial in self._trials(rows):
            inside = arms[(rows["study"] == trial.study).to_numpy()]
            whole = _multiarm.whole(trial, inside)
            by_size.setdefault(len(whole.arms), []).append(whole)
        several = [_stacked(by_size[size]) for size in sorted(by_size)]
        return tuple(([pairs] if alone.any() else []) + several)

    def notices(self, rows: pd.DataFrame) -> tuple[str, ...]:
        """Return how the covariance of each multi-arm trial was found."""
        return tuple(_multiarm.notice(trial) for trial in self._trials(rows))


def _stacked(trials: list[_multiarm.Whole]) -> Contrasts:
    return Contrasts(
        np.stack([trial.arms for trial in trials]),
        np.stack([trial.y for trial in trials]),
        np.stack([trial.V for trial in trials]),
    )
