"""The parts of a complex intervention: read from its name, or from a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from nma.errors import Issue, ModelError, nearest
from nma.labels import collisions

__all__ = ["Parting", "Parts", "frozen"]

Parts = tuple[tuple[str, tuple[str, ...]], ...]
"""Each treatment with its components."""

REMEDY = "Rename the treatment, choose another separator, or give table=."
"""What to do about labels that cannot be parted."""


@final
@dataclass(frozen=True)
class Parting:
    """How treatments fall into components.

    Parameters
    ----------
    separator : str
        What stands between components in names.
    table : tuple of (str, tuple of str), optional
        The components of the treatments listed; names of others are parted.
    """

    separator: str
    table: Parts | None = None

    def of(self, treatment: str) -> tuple[str, ...]:
        """Return the components of a treatment."""
        listed = dict(self.table or ()).get(treatment)
        parted = treatment.split(self.separator)
        return tuple(part.strip() for part in parted) if listed is None else listed

    def known(self, treatments: Iterable[str]) -> set[str]:
        """Return the components of treatments, and of those that the table lists."""
        names = [*treatments, *(name for name, _ in self.table or ())]
        return {part for name in names for part in self.of(name)}

    def joined(self, parts: Iterable[str], treatments: Iterable[str]) -> str:
        """Return the name of the treatment that is made of just these, or a name for it."""
        wanted = set(parts)
        names = [*treatments, *(name for name, _ in self.table or ())]
        ours = (name for name in names if set(self.of(name)) == wanted)
        return next(ours, self.separator.join(sorted(wanted)))

    def issues(self, treatments: Sequence[str]) -> Iterator[Issue]:
        """Yield what is wrong with the names and with the table."""
        listed = dict(self.table or ())
        for name in treatments:
            if self.table is not None and name not in listed:
                message = f"{name!r} is not in the table of components"
                remedy = f"List its components in table=.{nearest(name, listed)}"
                yield Issue("component-missing", message, remedy)
            else:
                yield from self._issues_of(name)
        yield from collisions(sorted(self.known(treatments)))

    def _issues_of(self, name: str) -> Iterator[Issue]:
        parts = self.of(name)
        if not all(parts) or not parts or any(map(self._is_cut, parts)):
            yield Issue("component-empty", f"{name!r} has an empty component", REMEDY)
        elif any(map(self._is_marked, parts)):
            message = f"{name!r} has {self._mark!r} inside a component, apart from its separator"
            yield Issue("component-separator", f"{message} {self.separator!r}", REMEDY)
        twice = sorted({part for part in parts if parts.count(part) > 1})
        if twice:
            message = f"{name!r} has {', '.join(map(repr, twice))} more than once"
            yield Issue("component-twice", message, REMEDY)

    @property
    def _mark(self) -> str:
        return self.separator.strip()

    def _is_cut(self, part: str) -> bool:
        """Return whether a component begins or ends with what is left of a separator.

        Names of treatments are trimmed before they come here, and a separator at an end with them.
        """
        mark = "" if self.table else self._mark
        return bool(mark and (part.startswith(mark) or part.endswith(mark)))

    def _is_marked(self, part: str) -> bool:
        return bool(not self.table and self._mark and self._mark in part)


def frozen(table: Mapping[str, Sequence[str]] | Parts) -> Parts:
    """Return a table as a value that does not change; a text is no list of components."""
    pairs = table.items() if isinstance(table, Mapping) else table
    texts = [name for name, parts in pairs if isinstance(parts, str)]
    if texts:
        message = f"table= lists components: write {texts[0]!r}: [...], not a text."
        raise ModelError(message)
    return tuple((str(name), tuple(map(str, parts))) for name, parts in pairs)
