"""What a report is made of: sections, and in them paragraphs, lists, tables and figures."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, final

from nma.errors import ModelError, NmaError, in_short, shown
from nma.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nma.posterior import Posterior

__all__ = ["Figure", "Part", "Refused", "Section", "Written", "tried", "written"]


@final
@dataclass(frozen=True, eq=False)
class Figure:
    """A picture and what it shows in words, for readers who do not see it.

    Parameters
    ----------
    axes : Axes
        What a verb of ``nma.plots`` returned.
    text : str
        What the picture shows; it is printed below it.
    """

    axes: Axes
    text: str


@final
@dataclass(frozen=True)
class Refused:
    """Why a question has no answer in this model.

    Parameters
    ----------
    reason : str
        In a sentence.
    """

    reason: str


Part: TypeAlias = str | tuple[str, ...] | Table | Figure | Refused
"""A paragraph, a list of sentences, a table, a figure, or why there is none."""


@final
@dataclass(frozen=True)
class Section:
    """A section of a report: one value, so that others can be put beside those of the library.

    Parameters
    ----------
    name : str
        Lower-case letters, digits and hyphens: names the section in ``extra`` and its files.
    title : str
        The heading.
    body : callable
        Takes the posterior and returns the parts. A section without parts is left out.
    items : tuple of str
        Items of the PRISMA-NMA checklist that it fills, such as ``"S3"``.

    Raises
    ------
    ModelError
        If the name cannot be one.

    Examples
    --------
    >>> import nma
    >>> funding = nma.reports.Section(
    ...     "funding", "Funding", lambda posterior: ["Nobody paid for this."], items=("27",)
    ... )
    >>> [*nma.reports.SECTIONS, funding][-1].title
    'Funding'
    """

    name: str
    title: str
    body: Callable[[Posterior], Sequence[Part]]
    items: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]*", self.name):
            message = (
                f"Section name {shown(self.name)}: use lower-case letters, digits and hyphens, "
                "since files are named after it."
            )
            raise ModelError(message)


@final
@dataclass(frozen=True)
class Written:
    """A section whose parts are there."""

    name: str
    title: str
    parts: tuple[Part, ...]
    items: tuple[str, ...]

    @property
    def filled(self) -> bool:
        """Whether it has more to say than why it says nothing."""
        return any(not isinstance(part, Refused) for part in self.parts)


def written(section: Section, posterior: Posterior, more: Sequence[Part]) -> Written:
    """Return a section with its parts, and those that were handed over."""
    found = (*section.body(posterior), *more)
    return Written(section.name, section.title, found, section.items)


def tried(*asked: Callable[[], Part]) -> list[Part]:
    """Return what each question gives, or why the model cannot answer it, each reason once."""
    found: list[Part] = []
    for ask in asked:
        try:
            part = ask()
        except NmaError as error:
            part = Refused(f"Not shown. {in_short(error)}")
        if not isinstance(part, Refused) or part not in found:
            found.append(part)
    return found
