"""Means of a continuous outcome, arm by arm."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, final

import numpy as np
import pandas as pd

from nma.errors import Issue, ModelError
from nma.outcomes import _checks
from nma.outcomes._measures import UNSAID, require_better, require_measure
from nma.priors import Prior
from nma.problem import Contrasts, Evidence, trials_by_size
from nma.protocols import Better

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Continuous"]


@final
@dataclass(frozen=True)
class Continuous:
    r"""Mean and standard deviation (or standard error) of every arm.

    The mean difference of arm k and another arm b of the trial is
    :math:`y_k = \bar x_k - \bar x_b` with

    .. math:: V_{kk} = s_k^2/n_k + s_b^2/n_b, \qquad V_{jk} = s_b^2/n_b

    so arm b's error is shared, and which arm of the trial b is changes nothing.

    Parameters
    ----------
    mean : str
        Column of arm means, on the outcome's own scale.
    sd : str, optional
        Column of standard deviations of participants; needs ``n``.
    se : str, optional
        Column of standard errors of the means; read only where sd and n are not both given.
    n : str, optional
        Column of participants.
    measure : {"MD"}
        The measure: mean difference.
    better : {"lower", "higher"}
        Which direction is better for the patient; no default.

    Raises
    ------
    ModelError
        If ``better`` or ``measure`` is missing, or neither ``se`` nor ``sd`` with ``n`` is named.

    Examples
    --------
    >>> import nma
    >>> nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
    Continuous(mean='mean', sd='sd', se=None, n='n', measure='MD', better='lower')

    References
    ----------
    Franchini et al. 2012, doi:10.1002/jrsm.1049, on the covariance of multi-arm trials.
    """

    mean: str
    sd: str | None = None
    se: str | None = None
    n: str | None = None
    measure: str = field(kw_only=True, default="")
    better: Better = field(kw_only=True, default=UNSAID)

    reports: ClassVar[Literal["arms"]] = "arms"
    ratio: ClassVar[bool] = False
    scale: ClassVar[None] = None

    def __post_init__(self) -> None:
        require_better(self.better)
        require_measure(self.measure, known=("MD",))
        if self.se is None and (self.sd is None or self.n is None):
            message = "Continuous needs the spread of every mean: name `se`, or `sd` and `n`."
            raise ModelError(message)

    @property
    def columns(self) -> tuple[str, ...]:
        """The user's columns that hold numbers."""
        return tuple(name for name in (self.mean, self.sd, self.se, self.n) if name is not None)

    def check(self, rows: pd.DataFrame) -> list[Issue]:
        """Return every problem in the numbers."""
        remedy = "Supply the number, or leave the arm out with missing='drop_arm'."
        issues = _checks.missing(rows, self.mean, remedy)
        for name in self.columns:
            issues += _checks.infinite(rows, name)
        for spread in (self.sd, self.se):
            if spread is not None:
                remedy = (
                    "A spread of zero would give the arm all the weight: check whether it was "
                    "rounded away or left out."
                )
                issues += _checks.positive(rows, spread, remedy)
        if self.n is not None:
            remedy = "An arm needs two participants or more for its mean to have a spread."
            issues += _checks.at_least(rows, self.n, 2, remedy)
        return issues + self._without_spread(rows)

    def _without_spread(self, rows: pd.DataFrame) -> list[Issue]:
        """Return an issue for every arm whose standard error is not told, at the empty cell."""
        remedy = (
            "Take it from the paper, or derive it from a confidence interval, t or p value; or "
            "leave the arm out with missing='drop_arm'."
        )
        problem = "the number is missing, and with it the spread of the mean"
        lacking = np.isnan(self._error(rows))
        raw = (self.sd, self.n) if self.sd is not None and self.n is not None else ()
        issues = []
        for name in (*raw, self.se):
            if name is not None:
                here = lacking & np.isnan(rows[name].to_numpy())
                issues += _checks.where(rows, name, here, "missing", problem, remedy)
                lacking = lacking & ~here
        return issues

    def _error(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the variance of each mean: from sd and n where both are given, else from se."""
        told = np.full(len(rows), np.nan)
        if self.se is not None:
            told = rows[self.se].to_numpy() ** 2
        if self.sd is not None and self.n is not None:
            with np.errstate(divide="ignore", invalid="ignore"):  # `check` refuses n = 0
                raw = rows[self.sd].to_numpy() ** 2 / rows[self.n].to_numpy()
            told = np.where(np.isfinite(raw), raw, told)
        return np.asarray(told)

    def participants(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the participants of each arm, (row, 1), NaN where not told."""
        if self.n is None:
            return np.full((len(rows), 1), np.nan)
        return rows[[self.n]].to_numpy()

    def unit(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the pooled within-arm standard deviation of each trial that tells it."""
        if self.n is None:
            return np.empty(0)
        n = rows[self.n].to_numpy()
        squares = (n - 1) * n * self._error(rows)
        trial = pd.factorize(rows["study"])[0]
        pooled = np.bincount(trial, squares) / np.bincount(trial, n - 1)
        return np.sqrt(pooled[np.isfinite(pooled)])

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
        mean, error = rows[self.mean].to_numpy(), self._error(rows)
        found = []
        for trials in trials_by_size(pd.factorize(rows["study"])[0]):
            precise = np.take_along_axis(trials, np.argsort(error[trials], kind="stable"), axis=1)
            differences = _differences(mean[precise], error[precise])
            found.append(Contrasts(arms[precise, 0], *differences))
        return tuple(found)

    def notices(self, rows: pd.DataFrame) -> tuple[str, ...]:
        """Return which standard errors stood in for standard deviations."""
        if self.sd is None or self.n is None or self.se is None:
            return ()
        raw = rows[self.sd].to_numpy() ** 2 / rows[self.n].to_numpy()
        lacking = sorted(set(rows["study"][~np.isfinite(raw)]))
        if not lacking:
            return ()
        return (f"Standard errors were read from {self.se!r} in {', '.join(lacking)}.",)


def _differences(
    mean: NDArray[np.float64], error: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return differences from each trial's first arm and their covariance."""
    y = mean[:, 1:] - mean[:, :1]
    V = error[:, 1:, None] * np.eye(y.shape[1]) + error[:, :1, None]
    return y, V
