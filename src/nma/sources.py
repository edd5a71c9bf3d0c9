"""The sources of a network: trials that report one outcome in one way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

from nma.errors import ModelError
from nma.links import Link
from nma.problem import readonly
from nma.protocols import Outcome

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Source", "shared_link", "verbs"]


@final
@dataclass(frozen=True, eq=False)
class Source:
    """Trials that report one outcome in one way.

    Parameters
    ----------
    outcome : Outcome
        What they report.
    rows : DataFrame
        The user's numbers, one row for each arm or contrast, indexed by the user's row.
    arms : array of int, (row, side)
        Positions in the network's arms: one for an arm; treatment and comparator for a contrast.
    """

    outcome: Outcome
    rows: pd.DataFrame
    arms: NDArray[np.int64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "arms", readonly(self.arms))

    def __reduce__(self) -> tuple[type[Source], tuple[Any, ...]]:
        """Rebuild through the constructor, so that the arrays come back read-only."""
        return Source, (self.outcome, self.rows, self.arms)

    @property
    def notices(self) -> tuple[str, ...]:
        """What the outcome derived or chose in reading the numbers."""
        return self.outcome.notices(self.rows)

    def as_normal(self) -> Source:
        """Return the source read as normal contrasts; itself where it is."""
        outcome = self.outcome.as_normal()
        return self if outcome is self.outcome else replace(self, outcome=outcome)


def shared_link(sources: Sequence[Source]) -> Link | None:
    """Return the link by which effects lead to levels of the outcome; None where one is unknown.

    Raises
    ------
    ModelError
        If the trials tell levels of different kinds.
    """
    links = dict.fromkeys(source.outcome.absolute_link for source in sources)
    known = [link for link in links if link is not None]
    if len(known) < len(links):
        return None
    if len({(link.link, link.in_sds) for link in known}) > 1:
        listed = " and ".join(f"a {link.level} of {link.of}" for link in known)
        message = (
            f"The trials tell levels of different kinds, {listed}, and an effect leads to one kind "
            "alone. nma.effect_table has the relative effects."
        )
        raise ModelError(message)
    return max(known, key=lambda link: bool(link.own))


def verbs(sources: Sequence[Source]) -> str:
    """Return what can be done next with a network of these: plans have no results to fit."""
    told = (getattr(source.outcome, "verbs", "") for source in sources)
    return next(filter(None, told), "nma.fit, nma.plots.network")
