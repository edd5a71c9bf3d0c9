"""Trials that are planned: who will be compared with whom, how many people, and no results yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, cast, final

import numpy as np

from nma import readers
from nma.errors import DataError, Issue, ModelError
from nma.network import Network
from nma.protocols import Outcome, Simulable

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from nma.sources import Source

__all__ = ["CAPTION", "Planned", "planned", "simulable", "without_results"]

CAPTION = "Planned: these trials have no results."
NO_RESULTS = (
    "These trials are planned and have no results yet. nma.simulate(network, truth=..., seed=...) "
    "draws them from a truth that you state."
)


@final
@dataclass(frozen=True)
class Planned:
    """An outcome whose results are awaited: all that it is, but evidence.

    Parameters
    ----------
    outcome : Simulable
        What the trials will report.
    size : float, optional
        Size of one unit, where priors are sized but play no part.
    """

    outcome: Simulable
    size: float | None = None
    verbs: ClassVar[str] = "nma.simulate, nma.plots.network"

    def __getattr__(self, name: str) -> Any:
        """Return what the outcome says of itself."""
        if name == "outcome" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.outcome, name)

    def check(self, rows: pd.DataFrame) -> list[Issue]:
        """Return every problem in what is known in advance."""
        awaited = self.outcome.awaited
        found = self.outcome.check(rows.assign(**dict.fromkeys(awaited, 0.0)))
        return [issue for issue in found if issue.column not in awaited]

    def unit(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the units that are known without results."""
        if self.size is not None:
            return np.array([self.size])
        told = np.asarray(self.outcome.unit(rows))
        return told[np.isfinite(told)]

    def as_normal(self) -> Planned:
        """Return the plan of trials that are read as normal contrasts."""
        return Planned(cast("Simulable", self.outcome.as_normal()))

    def evidence(self, *_: Any) -> Any:
        """Refuse: there is none.

        Raises
        ------
        ModelError
            Always.
        """
        raise ModelError(NO_RESULTS)

    def notices(self, rows: pd.DataFrame) -> tuple[str, ...]:  # noqa: ARG002  no results, no doubts
        """Return none."""
        return ()


def simulable(outcome: Outcome) -> Simulable:
    """Return the outcome, its results no longer awaited, or say why it cannot be drawn.

    Raises
    ------
    ModelError
        If it lacks what ``nma.protocols.Simulable`` describes.
    """
    found = outcome.outcome if isinstance(outcome, Planned) else outcome
    if not isinstance(found, Simulable):
        members = ("awaited", "nuisance", "reported", "simulate")
        lacking = [name for name in members if not hasattr(found, name)]
        message = (
            f"{type(found).__name__} cannot be simulated: it has no {', '.join(lacking)}, which "
            "nma.protocols.Simulable describes."
        )
        raise ModelError(message)
    return found


def without_results(network: Network, size: float) -> Network:
    """Return a network whose results nothing can read, one unit of ``size``."""

    def waiting(source: Source) -> Source:
        plan: Any = Planned(simulable(source.outcome), size)
        return replace(source, outcome=plan)

    return replace(network, sources=tuple(map(waiting, network.sources)))


def planned(
    frame: Any,
    *,
    study: str,
    treatment: str,
    outcome: Outcome,
    comparator: str | None = None,
    reference: str | None = None,
) -> Network:
    """Return the network of trials that are planned, for ``nma.simulate``.

    Parameters
    ----------
    frame : DataFrame of any library, mapping of columns, or structured array
        One row for each arm, or for each contrast of an outcome of differences. It holds what is
        known in advance: participants, standard deviations of means, exposures of rates, standard
        errors of contrasts. Columns of results may be missing; where they are there, they are
        emptied.
    study, treatment : str
        Columns with the names of trials and treatments.
    outcome : Outcome
        What the trials will report, and in which columns.
    comparator : str, optional
        Column with the other treatment, for an outcome of differences.
    reference : str, optional
        Default comparator in tables; the treatment in most trials if not given.

    Returns
    -------
    Network
        For ``nma.simulate`` and ``nma.plots.network``; ``nma.fit`` refuses it.

    Raises
    ------
    DataError
        With every problem found in the table: trial, row, column, value and remedy.
    ModelError
        If the outcome cannot be simulated, or results are what tells its spread.

    Examples
    --------
    >>> import nma
    >>> trials = {
    ...     "study": ["one", "one", "two", "two"], "sd": 22.0, "n": [80, 80, 150, 150],
    ...     "treatment": ["usual care", "exercise", "usual care", "exercise + CBT"],
    ... }
    >>> pain = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
    >>> nma.planned(trials, study="study", treatment="treatment", outcome=pain)
    <Network: 2 trials, 3 treatments, MD, lower is better; next: nma.simulate, nma.plots.network>
    """
    inner = _plannable(outcome)
    given = readers.table(frame)
    # numbers that differ, so that trials of one size are not taken for one trial
    given = given.assign(**dict.fromkeys(inner.awaited, np.arange(len(given), dtype=float)))
    waiting: Any = Planned(inner)
    names: dict[str, Any] = {"study": study, "treatment": treatment, "reference": reference}
    if comparator is None:
        network = Network.from_arms(given, **names, outcome=waiting)
    else:
        network = Network.from_contrasts(given, **names, comparator=comparator, outcome=waiting)
    return _emptied(network, inner.awaited)


def _plannable(outcome: Outcome) -> Simulable:
    """Return an outcome whose spread is not among its results, or refuse it."""
    if isinstance(outcome, type) or not hasattr(outcome, "reports"):
        remedy = "Give an outcome, such as nma.outcomes.Binary('events', 'n', ...)."
        raise DataError([Issue("not-an-outcome", f"outcome={outcome!r} is not an outcome", remedy)])
    found = simulable(outcome)
    if getattr(found, "lower", None) is not None:
        message = (
            "Confidence limits are results: a plan needs the standard error that each contrast "
            "will have. Name its column, `se`, instead of `lower` and `upper`."
        )
        raise ModelError(message)
    return found


def _emptied(network: Network, awaited: Sequence[str]) -> Network:
    """Return the network without results."""

    def without(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(**{name: np.nan for name in awaited if name in table})

    def waiting(source: Source) -> Source:
        return replace(source, rows=without(source.rows))

    return replace(
        network,
        table=without(network.table),
        sources=tuple(map(waiting, network.sources)),
        caption=" ".join(filter(None, [CAPTION, network.caption])),
    )
