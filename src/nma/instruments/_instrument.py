"""What a score is measured with, and the differences that matter on it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, final, get_args

from nma.errors import ModelError, nearest

__all__ = ["ImportantDifference", "Instrument", "Kind", "ReferenceSD"]

Kind = Literal["within-person", "between-group"]
"""What an important difference judges: one person's change, or the gap between two groups."""


def _require_kind(kind: object) -> None:
    if kind not in get_args(Kind):
        message = (
            f"kind={kind!r} is not a kind of important difference: say 'within-person' (the change "
            "of one person) or 'between-group' (the difference of two groups' means). Neither "
            f"stands in for the other.{nearest(kind, get_args(Kind))}"
        )
        raise ModelError(message)


@final
@dataclass(frozen=True)
class ImportantDifference:
    """A difference that matters, with its kind: one kind must not judge what is of the other.

    Parameters
    ----------
    value : float
        Points of the instrument; a fraction of the baseline where ``relative``.
    kind : {"within-person", "between-group"}
        Whether it judges the change of one person or the difference of two groups' means.
    source : str
        Who says so.
    relative : bool, default False
        Whether it is a fraction of the person's baseline.

    Raises
    ------
    ModelError
        If the kind is not one of the two, or the value is not positive (below 1 if relative).

    Examples
    --------
    >>> from nma.instruments import ImportantDifference
    >>> print(ImportantDifference(5, "within-person", "Ostelo 2008, Spine 33:90"))
    within-person: 5 points (Ostelo 2008, Spine 33:90)
    """

    value: float
    kind: Kind
    source: str
    relative: bool = False

    def __post_init__(self) -> None:
        _require_kind(self.kind)
        if not _is_number(self.value) or not 0 < self.value < (1 if self.relative else math.inf):
            what = "a fraction of baseline, between 0 and 1" if self.relative else "points above 0"
            message = f"value={self.value!r} is not an important difference: give {what}."
            raise ModelError(message)

    def __str__(self) -> str:
        """Return the kind, the value and its source."""
        size = f"{self.value:.0%} of baseline" if self.relative else f"{self.value:g} points"
        return f"{self.kind}: {size} ({self.source})"


def _is_number(value: object) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool)


@final
@dataclass(frozen=True)
class Instrument:
    """What a score is measured with.

    Parameters
    ----------
    name : str
        Its name.
    lower, upper : float
        The lowest and highest score it can give.
    better : {"lower", "higher"}
        Which direction is better for the patient.
    important : tuple of ImportantDifference
        Differences that matter, each with its kind and source.
    source : str
        Where range and direction come from.
    aliases : tuple of str
        Other names of the same instrument with the same range.

    Raises
    ------
    ModelError
        If the range is empty or infinite, the direction is neither of the two, or the aliases are
        not several names.

    Examples
    --------
    >>> import nma
    >>> print(nma.instruments.RMDQ)
    RMDQ (0 to 24, lower is better)
    >>> nma.instruments.RMDQ.important_difference("within-person").value
    5
    """

    name: str
    lower: float
    upper: float
    better: Literal["lower", "higher"]
    important: tuple[ImportantDifference, ...] = ()
    source: str = ""
    aliases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "important", tuple(self.important))
        if isinstance(self.aliases, str):
            message = f"aliases={self.aliases!r} is one name: write ({self.aliases!r},)."
            raise ModelError(message)
        object.__setattr__(self, "aliases", tuple(self.aliases))
        if not isinstance(self.name, str) or not self.name.strip():
            message = f"name={self.name!r} is not a name: write it as text."
            raise ModelError(message)
        numbers = _is_number(self.lower) and _is_number(self.upper)
        if not (numbers and self.lower < self.upper and math.isfinite(self.upper - self.lower)):
            message = f"{self.name}: {self.lower!r} to {self.upper!r} is not a range of scores."
            raise ModelError(message)
        if self.better not in ("lower", "higher"):
            message = (
                f"{self.name}: better={self.better!r} is not a direction: say 'lower' if lower "
                "scores are better for the patient, else 'higher'."
            )
            raise ModelError(message)

    @property
    def width(self) -> float:
        """Points from the lowest to the highest score."""
        return self.upper - self.lower

    def same_points(self, other: Instrument) -> bool:
        """Return whether a point of the other is a point of this: name, range and direction.

        Parameters
        ----------
        other : Instrument
            Of the library or your own.

        Returns
        -------
        bool

        Examples
        --------
        >>> import nma
        >>> nma.instruments.NRS.same_points(nma.instruments.VAS)
        False
        """
        return str(self) == str(other)

    def important_difference(self, kind: Kind) -> ImportantDifference:
        """Return the important difference of one kind, in points.

        Parameters
        ----------
        kind : {"within-person", "between-group"}
            Named by the caller, because one kind must not judge what is of the other.

        Returns
        -------
        ImportantDifference
            In points, with its source.

        Raises
        ------
        ModelError
            If the instrument has none of that kind.

        Examples
        --------
        >>> import nma
        >>> print(nma.instruments.NRS.important_difference("within-person"))
        within-person: 2 points (Ostelo 2008, Spine 33:90)
        """
        _require_kind(kind)
        for difference in self.important:
            if difference.kind == kind and not difference.relative:
                return difference
        message = (
            f"{self.name} has no {kind} important difference in points: give one with its source, "
            f"dataclasses.replace(instrument, important=[ImportantDifference(..., {kind!r}, ...)])."
        )
        raise ModelError(message)

    def __str__(self) -> str:
        """Return name, range and direction."""
        return f"{self.name} ({self.lower:g} to {self.upper:g}, {self.better} is better)"


@final
@dataclass(frozen=True)
class ReferenceSD:
    """The standard deviation that turns standardised differences into points of an instrument.

    Parameters
    ----------
    instrument : Instrument
        Whose points.
    value : float
        Standard deviation between participants, in those points.
    origin : str
        Where it came from.

    Examples
    --------
    >>> import nma
    >>> nma.instruments.ReferenceSD(nma.instruments.NRS, 2.2, "my pilot study").value
    2.2
    """

    instrument: Instrument
    value: float
    origin: str

    def __str__(self) -> str:
        """Return the sentence that tells it."""
        return f"Reference SD of {self.instrument}: {self.value:.4g}, {self.origin}."
