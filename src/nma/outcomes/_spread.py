"""How far arm means spread: their variances, from standard deviations or standard errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from nma.errors import Issue
from nma.outcomes import _checks

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Spread", "pooled"]


@final
@dataclass(frozen=True)
class Spread:
    """The columns that tell the spread of arm means.

    Parameters
    ----------
    sd, se, n : str, optional
        Standard deviation, standard error, participants.
    """

    sd: str | None
    se: str | None
    n: str | None

    def errors(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the variance of each mean: from sd and n where both are given, else from se."""
        told = np.full(len(rows), np.nan)
        if self.se is not None:
            told = rows[self.se].to_numpy() ** 2
        raw = self._raw(rows)
        return np.asarray(np.where(np.isfinite(raw), raw, told))

    def _raw(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the variance of each mean that sd and n tell, else NaN."""
        if self.sd is None or self.n is None:
            return np.full(len(rows), np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):  # `issues` refuses n = 0
            return np.asarray(rows[self.sd].to_numpy() ** 2 / rows[self.n].to_numpy())

    def participants(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the participants of each arm, NaN where not told."""
        return np.full(len(rows), np.nan) if self.n is None else rows[self.n].to_numpy()

    def deviations(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the standard deviation of each arm: sd, else se times the root of n, else NaN."""
        told = np.full(len(rows), np.nan)
        if self.se is not None:
            told = rows[self.se].to_numpy() * np.sqrt(self.participants(rows))
        if self.sd is None:
            return np.asarray(told)
        raw = rows[self.sd].to_numpy()
        return np.asarray(np.where(np.isfinite(raw), raw, told))

    def issues(self, rows: pd.DataFrame) -> list[Issue]:
        """Return every problem in the spreads and the participants."""
        issues: list[Issue] = []
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
        return issues + self._untold(rows)

    def _untold(self, rows: pd.DataFrame) -> list[Issue]:
        """Return an issue for every arm whose standard error is not told, at the empty cell."""
        remedy = (
            "Take it from the paper, or derive it by nma.readers from a confidence interval, "
            "p-value or quartiles."
        )
        problem = "the number is missing, and with it the spread of the mean"
        lacking = np.isnan(self.errors(rows))
        raw = (self.sd, self.n) if self.sd is not None and self.n is not None else ()
        issues = []
        for name in (*raw, self.se):
            if name is not None:
                here = lacking & np.isnan(rows[name].to_numpy())
                issues += _checks.where(rows, name, here, "missing", problem, remedy)
                lacking = lacking & ~here
        return issues

    def without_participants(self, rows: pd.DataFrame) -> list[Issue]:
        """Return an issue for every arm whose spread is told and its participants are not."""
        if self.n is None:
            return []
        remedy = "A trial's own SD needs the participants of every arm; else give reference_sd=."
        problem = "the number is missing, and with it the standard deviation"
        here = np.isnan(rows[self.n].to_numpy()) & np.isfinite(self.errors(rows))
        return _checks.where(rows, self.n, here, "missing", problem, remedy)

    def merged(self, rows: pd.DataFrame, mean: str) -> dict[str, float]:
        r"""Return the mean, spread and participants of several arms taken as one, else NaN.

        .. math:: s^2 = \frac{\sum (n_a - 1) s_a^2 + \sum n_a (\bar x_a - \bar x)^2}{N - 1}

        as if their participants had been one group of N (Cochrane Handbook, table 6.5.a).
        """
        n, sd, means = self.participants(rows), self.deviations(rows), rows[mean].to_numpy()
        people = float(n.sum())
        centre = float((n * means).sum() / people)
        squares = ((n - 1) * sd**2 + n * (means - centre) ** 2).sum()
        one = float(np.sqrt(squares / (people - 1)))
        told = {self.sd: one, self.se: one / np.sqrt(people), self.n: people}
        return {mean: centre} | {name: told[name] for name in told if name is not None}

    def drawn(
        self, rows: pd.DataFrame, rng: np.random.Generator
    ) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
        r"""Return errors of normal means, and by column the spreads that samples would report.

        The rows' own spreads are taken as the true ones. Of n participants the sample's is
        :math:`s^2 = \sigma^2 \chi^2_{n-1}/(n - 1)`; where n is not told the standard error stays.
        """
        error = np.sqrt(self.errors(rows)) * rng.standard_normal(len(rows))
        n = self.participants(rows)
        free = np.where(np.isfinite(n), n - 1, 1.0)
        ratio = np.where(np.isfinite(n), np.sqrt(rng.chisquare(free) / free), 1.0)
        spreads = [name for name in (self.sd, self.se) if name is not None]
        return error, {name: rows[name].to_numpy() * ratio for name in spreads}

    def notices(self, rows: pd.DataFrame) -> tuple[str, ...]:
        """Return which standard errors stood in for standard deviations."""
        if self.sd is None or self.n is None or self.se is None:
            return ()
        lacking = sorted(set(rows["study"][~np.isfinite(self._raw(rows))]))
        if not lacking:
            return ()
        return (f"Standard errors were read from {self.se!r} in {', '.join(lacking)}.",)


def pooled(
    group: NDArray[np.int64], n: NDArray[np.float64], errors: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the variance within arms, pooled over the arms of each group by degrees of freedom.

    Parameters
    ----------
    group : array, (arm,)
        Group of each arm, counted from zero.
    n, errors : array, (arm,)
        Participants, and the variance of the arm's mean.
    """
    squares = (n - 1) * n * errors
    return np.asarray(np.bincount(group, squares) / np.bincount(group, n - 1))
