"""Questionnaires and scales by name: their range, their direction, and differences that matter."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, final, get_args

from nma.errors import ModelError, nearest, shown

__all__ = [
    "NRS",
    "ODI",
    "PSEQ",
    "PSFS",
    "QBPDS",
    "RMDQ",
    "SF36_PHYSICAL_FUNCTIONING",
    "VAS",
    "ImportantDifference",
    "Instrument",
    "Kind",
    "ReferenceSD",
    "find",
    "known",
    "named",
]

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
        """Return whether a point of the other is a point of this: name, range and direction."""
        return str(self) == str(other)

    def important_difference(self, kind: Kind) -> ImportantDifference:
        """Return the important difference of one kind, in points.

        Parameters
        ----------
        kind : {"within-person", "between-group"}
            Named by the caller, because one kind must not judge what is of the other.

        Raises
        ------
        ModelError
            If the instrument has none of that kind.
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
    """

    instrument: Instrument
    value: float
    origin: str

    def __str__(self) -> str:
        """Return the sentence that tells it."""
        return f"Reference SD of {self.instrument}: {self.value:.4g}, {self.origin}."


OSTELO = "Ostelo 2008, Spine 33:90"
HAYDEN = "Hayden 2021, doi:10.1002/14651858.CD009790.pub2"


def _back_pain(
    name: str,
    upper: float,
    change: float,
    of: Literal["pain", "function"],
    aliases: tuple[str, ...],
) -> Instrument:
    """Return an instrument of Ostelo's consensus, with Hayden's group difference on its range."""
    of_hundred = {"pain": 15, "function": 10}[of]
    on = f"{of_hundred} of 100 points of {of}, against no treatment, usual care or placebo"
    rescaled = "" if upper == 100 else f", rescaled to 0 to {upper:g}"
    return Instrument(
        name,
        0,
        upper,
        "lower",
        important=(
            ImportantDifference(change, "within-person", OSTELO),
            ImportantDifference(0.3, "within-person", OSTELO, relative=True),
            ImportantDifference(
                of_hundred * upper / 100, "between-group", f"{HAYDEN}: {on}{rescaled}"
            ),
        ),
        source=OSTELO,
        aliases=aliases,
    )


VAS = _back_pain("VAS", 100, 15, "pain", ("VAS 0-100", "VAS mm", "VAS 100 mm", "VAS 0-100 mm"))
"""Visual analogue scale of pain, 0 to 100; lower is better."""

NRS = _back_pain("NRS", 10, 2, "pain", ("NPRS", "NRS-11", "NPRS-11", "NRS 0-10", "NPRS 0-10"))
"""Numerical rating scale of pain, 0 to 10; lower is better."""

ROLAND = ("Roland-Morris", "Roland-Morris disability questionnaire", "Roland-Morris questionnaire")

RMDQ = _back_pain("RMDQ", 24, 5, "function", ("RDQ", "RMQ", "RMDQ-24", "RMDQ 0-24", *ROLAND))
"""Roland-Morris disability questionnaire, 0 to 24; lower is better."""

ODI = _back_pain("ODI", 100, 10, "function", ("Oswestry", "Oswestry disability index", "ODI 0-100"))
"""Oswestry disability index, 0 to 100; lower is better."""

QBPDS = _back_pain(
    "QBPDS", 100, 20, "function", ("Quebec", "Quebec back pain disability scale", "QBPDS 0-100")
)
"""Quebec back pain disability scale, 0 to 100; lower is better."""

PSFS = Instrument(
    "PSFS",
    0,
    10,
    "higher",
    source="Stratford 1995, Physiotherapy Canada 47:258",
    aliases=("PSFS 0-10",),
)
"""Patient-specific functional scale, mean over activities, 0 to 10; higher is better."""

PSEQ = Instrument(
    "PSEQ",
    0,
    60,
    "higher",
    source="Nicholas 2007, doi:10.1016/j.ejpain.2005.12.008",
    aliases=("PSEQ-10", "PSEQ 0-60", "Pain self-efficacy questionnaire"),
)
"""Pain self-efficacy questionnaire, 0 to 60; higher is better."""

SF36_PHYSICAL_FUNCTIONING = Instrument(
    "SF-36 physical functioning",
    0,
    100,
    "higher",
    source="Ware and Sherbourne 1992, Med Care 30:473",
    aliases=("SF-36 physical function", "SF-36 PF", "SF-36 PF 0-100"),
)
"""Physical functioning scale of the SF-36, 0 to 100; higher is better."""

KNOWN = {
    instrument.name: instrument
    for instrument in (VAS, NRS, RMDQ, ODI, QBPDS, PSFS, PSEQ, SF36_PHYSICAL_FUNCTIONING)
}


def known() -> Mapping[str, Instrument]:
    """Return the instruments of the library by name; a copy.

    Examples
    --------
    >>> import nma
    >>> list(nma.instruments.known())
    ['VAS', 'NRS', 'RMDQ', 'ODI', 'QBPDS', 'PSFS', 'PSEQ', 'SF-36 physical functioning']
    """
    return dict(KNOWN)


def find(name: str, among: Mapping[str, Instrument]) -> Instrument | None:
    """Return the instrument that a name or alias means; None where it is none, or could be two.

    The name as it is written goes first, then names and last aliases, whatever their case, blanks,
    hyphens and brackets.

    Examples
    --------
    >>> import nma
    >>> print(nma.instruments.find("roland morris", nma.instruments.known()))
    RMDQ (0 to 24, lower is better)
    >>> nma.instruments.find("VAS 0-10", nma.instruments.known()) is None
    True
    """
    if name in among:
        return among[name]
    plain = _plain(name)
    by_name = {str(it): it for key, it in among.items() if _plain(str(key)) == plain}
    by_alias = {str(it): it for it in among.values() if plain in map(_plain, it.aliases)}
    found = list((by_name or by_alias).values())
    return found[0] if len(found) == 1 else None


def _plain(name: str) -> str:
    return re.sub(r"[\s_\u2010-\u2015()\[\]-]", "", name).casefold()


def hint(name: str, among: Mapping[str, Instrument]) -> str:
    """Return what an unknown name may mean: another version of an instrument, or a near name."""
    spelt = [(word, it) for key, it in among.items() for word in (str(key), *it.aliases)]
    within = [pair for pair in spelt if _plain(pair[0]) and _plain(pair[0]) in _plain(name)]
    if not within:
        return nearest(name, among) or nearest(name, [word for word, _ in spelt])
    _, instrument = max(within, key=lambda pair: len(pair[0]))
    return f" It may be {instrument}, or a version with another range or direction."


def named(name: str) -> Instrument:
    """Return the instrument of that name.

    Parameters
    ----------
    name : str
        One of ``known()``, or an alias, whatever its case, blanks and hyphens.

    Raises
    ------
    ModelError
        If there is none, with the closest name.

    Examples
    --------
    >>> import nma
    >>> nma.instruments.named("NRS").important_difference("between-group").value
    1.5
    >>> print(nma.instruments.named("Oswestry"))
    ODI (0 to 100, lower is better)
    """
    found = find(name, KNOWN) if isinstance(name, str) else None
    if found is None:
        message = (
            f"{shown(name)} is not an instrument the library knows: {', '.join(KNOWN)}."
            f"{hint(str(name), KNOWN)} "
            "Write your own: nma.instruments.Instrument(name, lower, upper, better)."
        )
        raise ModelError(message)
    return found
