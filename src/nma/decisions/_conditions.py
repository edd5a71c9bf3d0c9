"""Conditions on a hierarchy that hold in a draw or do not, put together by ``&``, ``|``, ``~``."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from nma.decisions._mcid import MCID, magnitude
from nma.errors import ModelError, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior

__all__ = [
    "Beats",
    "Condition",
    "Draw",
    "Joined",
    "Not",
    "RankIn",
    "least",
    "require_known",
]


@final
@dataclass(frozen=True, eq=False)
class Draw:
    """What conditions are asked of: draws of levels, less is better, and their mid-ranks.

    Parameters
    ----------
    posterior : Posterior
        Whose draws.
    badness, ranks : array, (chain, draw, treatment)
        Levels such that less is better, and ranks from 1, the best.
    """

    posterior: Posterior
    badness: NDArray[np.float64]
    ranks: NDArray[np.float64]

    def rank(self, treatment: str) -> NDArray[np.float64]:
        """Return the rank of a treatment, (chain, draw)."""
        return self.ranks[..., self.posterior.position(treatment)]

    def benefit(self, treatment: str, comparator: str) -> NDArray[np.float64]:
        """Return by how much a treatment is better than another, (chain, draw)."""
        first, second = map(self.posterior.position, (treatment, comparator))
        return np.asarray(self.badness[..., second] - self.badness[..., first])


class Condition(ABC):
    """What holds in a draw of a hierarchy or does not; conditions make others by &, | and ~.

    ``repr`` is what makes the same condition again, ``str`` says it in words.

    Examples
    --------
    >>> from nma.decisions import best, in_top
    >>> print(best("exercise") & in_top("yoga", 2))
    exercise is the best and yoga is among the best 2
    """

    @abstractmethod
    def holds(self, draw: Draw) -> NDArray[np.bool_]:
        """Return in which draws it holds, (chain, draw)."""

    @abstractmethod
    def parts(self) -> Iterator[RankIn | Beats]:
        """Yield the simple conditions of which it is made."""

    def __and__(self, other: object) -> Condition:
        """Return the condition that both hold."""
        return (
            Joined.of(self, other, every=True) if isinstance(other, Condition) else NotImplemented
        )

    def __or__(self, other: object) -> Condition:
        """Return the condition that one of them holds, or both."""
        return (
            Joined.of(self, other, every=False) if isinstance(other, Condition) else NotImplemented
        )

    def __invert__(self) -> Condition:
        """Return the condition that it does not hold."""
        return Not(self)

    def __bool__(self) -> bool:
        """Refuse to be true or false: that depends on the draw.

        Raises
        ------
        ModelError
            Always: ``a and b`` would be ``b``, and leave ``a`` out in silence.
        """
        message = (
            "A condition is true in some draws and false in others: put conditions together by &, "
            "| and ~, not by 'and', 'or' and 'not'; nma.decisions.probability(posterior, "
            "condition) says in how many draws it holds."
        )
        raise ModelError(message)


@final
@dataclass(frozen=True, repr=False)
class RankIn(Condition):
    """A treatment's rank is among some places, counted from the best or from the worst."""

    treatment: str
    places: int
    worst: bool = False

    @property
    def treatments(self) -> tuple[str, ...]:
        """The treatment."""
        return (self.treatment,)

    def holds(self, draw: Draw) -> NDArray[np.bool_]:
        """Return where it is; one that ties has the mean of the ranks that are tied for."""
        rank = draw.rank(self.treatment)
        if self.worst:
            rank = draw.ranks.shape[-1] + 1 - rank
        return np.asarray(rank <= self.places)

    def parts(self) -> Iterator[RankIn | Beats]:
        """Yield itself."""
        yield self

    def check(self, posterior: Posterior) -> None:
        """Refuse as many places as there are treatments: they hold all of them."""
        count = len(posterior.treatments)
        if self.places >= count:
            message = (
                f"{self!r} holds always: there are {count} treatments. Ask about fewer places."
            )
            raise ModelError(message)

    def __repr__(self) -> str:
        """Return what makes it again."""
        if self.places == 1:
            return f"{'worst' if self.worst else 'best'}({self.treatment!r})"
        return f"in_{'bottom' if self.worst else 'top'}({self.treatment!r}, {self.places})"

    def __str__(self) -> str:
        """Return it in words."""
        end = "worst" if self.worst else "best"
        which = end if self.places == 1 else f"{end} {self.places}"
        return f"{self.treatment} {'is the' if self.places == 1 else 'is among the'} {which}"


@final
@dataclass(frozen=True, repr=False)
class Beats(Condition):
    """A treatment is better than another, by a difference at least where one is given."""

    treatment: str
    comparator: str
    by: float | MCID | None = None

    @property
    def treatments(self) -> tuple[str, ...]:
        """Both."""
        return self.treatment, self.comparator

    def holds(self, draw: Draw) -> NDArray[np.bool_]:
        """Return where it is better, by as much; one that ties is not."""
        benefit = draw.benefit(self.treatment, self.comparator)
        if self.by is None:
            return np.asarray(benefit > 0)
        return np.asarray(benefit >= least(draw.posterior, self.by))

    def parts(self) -> Iterator[RankIn | Beats]:
        """Yield itself."""
        yield self

    def check(self, posterior: Posterior) -> None:
        """Refuse a difference on the wrong scale."""
        if self.by is not None:
            least(posterior, self.by)

    def __repr__(self) -> str:
        """Return what makes it again."""
        by = "" if self.by is None else f", by={self.by!r}"
        return f"beats({self.treatment!r}, {self.comparator!r}{by})"

    def __str__(self) -> str:
        """Return it in words."""
        value = self.by.value if isinstance(self.by, MCID) else self.by
        unit = (
            f" {self.by.instrument.name}"
            if isinstance(self.by, MCID) and self.by.instrument
            else ""
        )
        by = "" if value is None else f" by {value:g}{unit} or more"
        return f"{self.treatment} is better than {self.comparator}{by}"


@final
@dataclass(frozen=True, repr=False)
class Joined(Condition):
    """Several conditions of which every one holds, or one at least."""

    conditions: tuple[Condition, ...]
    every: bool

    @classmethod
    def of(cls, first: Condition, second: Condition, *, every: bool) -> Joined:
        """Return two conditions joined, those that are joined alike in one row."""
        rows = [
            part.conditions if isinstance(part, Joined) and part.every == every else (part,)
            for part in (first, second)
        ]
        return cls(rows[0] + rows[1], every)

    def holds(self, draw: Draw) -> NDArray[np.bool_]:
        """Return where all of them hold, or any."""
        join = np.logical_and if self.every else np.logical_or
        return np.asarray(join.reduce([part.holds(draw) for part in self.conditions]))

    def parts(self) -> Iterator[RankIn | Beats]:
        """Yield the parts of each."""
        for condition in self.conditions:
            yield from condition.parts()

    def __repr__(self) -> str:
        """Return what makes it again."""
        return (" & " if self.every else " | ").join(self._bracketed(repr))

    def __str__(self) -> str:
        """Return it in words."""
        return (" and " if self.every else " or ").join(self._bracketed(str))

    def _bracketed(self, write: Callable[[Condition], str]) -> list[str]:
        """Return the parts as written, in brackets where they would be read otherwise."""
        return [
            f"({write(part)})" if isinstance(part, Joined) and self.every else write(part)
            for part in self.conditions
        ]


@final
@dataclass(frozen=True, repr=False)
class Not(Condition):
    """A condition that does not hold."""

    condition: Condition

    def holds(self, draw: Draw) -> NDArray[np.bool_]:
        """Return where the other does not."""
        return ~self.condition.holds(draw)

    def parts(self) -> Iterator[RankIn | Beats]:
        """Yield the parts of the other."""
        yield from self.condition.parts()

    def __invert__(self) -> Condition:
        """Return the condition itself."""
        return self.condition

    def __repr__(self) -> str:
        """Return what makes it again."""
        brackets = isinstance(self.condition, Joined)
        return f"~({self.condition!r})" if brackets else f"~{self.condition!r}"

    def __str__(self) -> str:
        """Return it in words."""
        return f"not ({self.condition})"


def least(posterior: Posterior, by: float | MCID) -> float:
    """Return a difference on the scale of the model, above zero.

    Raises
    ------
    ModelError
        If it is on the wrong scale.
    """
    if isinstance(by, MCID):
        return magnitude(posterior, by)
    network = posterior.network
    if network.ratio and by <= 1:
        message = (
            f"by={by:g} is no ratio that makes one better: {network.measure} is a ratio, so give "
            "one above 1, such as 1.25, for either direction."
        )
        raise ModelError(message)
    if network.measure == "RD" and by >= 1:
        message = f"by={by:g} is no difference of shares: give one below 1."
        raise ModelError(message)
    return math.log(by) if network.ratio else float(by)


def require_known(posterior: Posterior, conditions: Sequence[Condition]) -> None:
    """Refuse conditions that cannot be asked of a posterior, every unknown treatment at once.

    Raises
    ------
    ModelError
        With the closest names.
    """
    parts = [part for condition in conditions for part in condition.parts()]
    named = dict.fromkeys(name for part in parts for name in part.treatments)
    known = posterior.treatments
    unknown = [f"{name!r}.{nearest(name, known)}" for name in named if name not in known]
    if unknown:
        message = (
            f"Not among the treatments asked about: {' '.join(unknown)} They are "
            f"{', '.join(map(repr, known))}."
        )
        raise ModelError(message)
    for part in parts:
        part.check(posterior)
