"""Down-weighting: trials that are marked scatter by more, so each of them weighs less."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, final

import numpy as np

from nma.errors import DataError, Issue, ModelError, nearest
from nma.heterogeneity._random import Random
from nma.priors import Measured, Prior
from nma.problem import ArmEffect, Scale
from nma.structures._covariates import named
from nma.structures._priors import require_prior, resolved, shrinking

if TYPE_CHECKING:
    import pandas as pd

    from nma.network import Network
    from nma.protocols import Heterogeneity

__all__ = ["DownWeighted"]


@final
@dataclass(frozen=True)
class DownWeighted:
    r"""Trials that are marked, such as those at high risk of bias, have a further random effect.

    .. math:: u_{ik} \sim N\!\left(0, \; \frac{\tau^2 + w_i \tau_{bias}^2}{2}\right), \qquad
       w_i = 1 \text{ in marked trials, else } 0

    so a contrast of a marked trial varies by :math:`\tau_{bias}^2` more, and counts for less the
    more these trials scatter beyond the others. The others alone show an effect in a new trial:
    one without bias. Bias is taken to have no direction: where marked trials lie to one side, their
    mean shift is ``structures.Regression`` on the same column, and the two go together. With few
    marked trials how much less they count rests on the prior of :math:`\tau_{bias}`.

    Parameters
    ----------
    base : Heterogeneity, default ``Random()``
        How all trials differ.
    column : str
        The column of the arms that marks trials, with one value for each.
    levels : sequence of str
        The values of that column whose trials are marked.
    tau_bias : Prior, optional
        Prior of the further standard deviation; half-normal(unit/2) if not given.
    name : str, default "tau_bias"
        What that scale is called; wrapped twice, as for high and unclear risk, it needs two names.

    Raises
    ------
    ModelError
        If ``levels`` is no list of values, or ``tau_bias`` is no prior.

    Examples
    --------
    >>> import nma
    >>> network = nma.datasets.network("back_pain_simulated")
    >>> doubted = nma.heterogeneity.DownWeighted(column="risk_of_bias", levels=["high"])
    >>> posterior = nma.fit(network, nma.Model(heterogeneity=doubted))
    >>> print(nma.summary(posterior).loc["tau_bias", "median"].round(2))
    0.09

    References
    ----------
    Welton et al. 2009, doi:10.1111/j.1467-985X.2008.00548.x, whose variance between biases this
    is, with a mean of zero.
    """

    base: Heterogeneity = field(default_factory=Random)
    column: str = field(kw_only=True)
    levels: Sequence[str] = field(kw_only=True)
    tau_bias: Prior | None = field(default=None, kw_only=True)
    name: str = field(default="tau_bias", kw_only=True)
    _checked: bool = field(default=False, kw_only=True, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_prior(self.tau_bias, "tau_bias")
        if isinstance(self.levels, str) or not list(self.levels):
            message = f"levels={self.levels!r} is no list of values: write levels=['high'], say."
            raise ModelError(message)
        object.__setattr__(self, "levels", tuple(map(named, self.levels)))

    def resolve(self, network: Network) -> DownWeighted:
        """Return the value with its marks checked and every prior as a number.

        Once resolved it takes the network without some of its trials, whatever they leave.

        Raises
        ------
        DataError
            If the column is none of the arms', varies within a trial or lacks a value; if no trial
            has one of the levels, or all have; all at once.
        """
        issues = [] if self._checked else [*_faults(self, network)]
        if issues:
            raise DataError(issues)
        prior = shrinking(network) if self.tau_bias is None else self.tau_bias
        prior = prior.on(network.measure) if isinstance(prior, Measured) else prior
        return replace(self, base=self.base.resolve(network), tau_bias=prior, _checked=True)

    def scales(self, network: Network) -> tuple[Scale, ...]:
        """Return those of the base, then that of the marked trials.

        Raises
        ------
        ModelError
            If the base has a scale of that name.
        """
        theirs = self.base.scales(network)
        if self.name in {scale.name for scale in theirs}:
            message = f"Two scales are called {self.name!r}: give one of them another name=."
            raise ModelError(message)
        return (*theirs, Scale(self.name, resolved(self.tau_bias)))

    def effects(self, network: Network, arms: pd.DataFrame) -> tuple[ArmEffect, ...]:
        """Return those of the base, and in trials one more for every arm of a marked one."""
        theirs = self.base.effects(network, arms)
        if "study" not in arms:
            return theirs
        marked = [named(value) in self.levels for value in arms[self.column]]
        return (*theirs, ArmEffect(self.name, np.array(marked, float), np.arange(len(arms))))


def _faults(given: DownWeighted, network: Network) -> Iterator[Issue]:
    """Yield what is wrong with the column and the levels."""
    table, column = network.table, given.column
    if column not in table:
        known = [name for name in table if name not in {"study", "treatment", "participants"}]
        message = f"there is no column {column!r} among those of the arms"
        yield Issue("mark-column", message, f"Name one.{nearest(column, known)}")
        return
    told: dict[str, dict[str, None]] = {}
    for study, value in zip(table["study"], table[column], strict=True):
        told.setdefault(str(study), {})[named(value)] = None
    yield from _of_trials(told, column)
    yield from _of_levels(given, sorted({value for each in told.values() for value in each} - {""}))


def _of_trials(told: Mapping[str, Mapping[str, None]], column: str) -> Iterator[Issue]:
    for study, values in told.items():
        if len(values) > 1:
            listed = " and ".join(map(repr, values))
            remedy = "Give the arms of a trial one value: the trial is marked, or it is not."
            yield Issue("mark-varies", f"its arms have {listed}", remedy, study, column=column)
        elif "" in values:
            remedy = "Fill it in, such as with 'unclear', or leave the trial out."
            message = "nothing tells whether the trial is marked"
            yield Issue("mark-missing", message, remedy, study, column=column)


def _of_levels(given: DownWeighted, known: list[str]) -> Iterator[Issue]:
    has = f"{given.column!r} has {', '.join(map(repr, known))}"
    for level in (level for level in given.levels if level not in known):
        message = f"no trial has {level!r}: {has}"
        yield Issue("mark-unknown", message, f"Name what it has.{nearest(level, known)}")
    if {*known} <= {*given.levels}:
        message = f"all trials are marked, so none would weigh less than others: {has}"
        yield Issue("mark-of-all", message, "Leave the down-weighting out, or name fewer.")
