"""What can go wrong, in the field's words: one family of exceptions and one of warnings."""

from __future__ import annotations

import difflib
import textwrap
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import final

import numpy as np

__all__ = [
    "DataError",
    "DataWarning",
    "EngineError",
    "Explanation",
    "Issue",
    "Meaning",
    "ModelError",
    "NmaError",
    "NmaWarning",
    "explain",
    "in_short",
    "meanings",
    "nearest",
    "require_several",
    "shortened",
    "shown",
]

AT_ONCE = 5
"""Problems of one kind in one column that a message lists; ``issues`` holds them all."""

PAGE = "docs/reference/codes.md"
"""Where every code is explained: in the repository today, an address once the pages have one."""


@final
@dataclass(frozen=True)
class Issue:
    """One problem in the user's data: what is wrong, where, and what to do.

    Parameters
    ----------
    code : str
        Stable name of the kind of problem, such as ``"not-positive"``.
    problem : str
        What is wrong, as a clause.
    remedy : str
        What the user can do about it.
    study, column : str, optional
        Where it is.
    rows : tuple of int
        The user's rows, counted from 1 without the header.
    value : object, optional
        The offending value.
    """

    code: str
    problem: str
    remedy: str
    study: str | None = None
    rows: tuple[int, ...] = ()
    column: str | None = None
    value: object = None

    @property
    def place(self) -> str:
        """Where the problem is: trial, rows and column, as far as they are known."""
        parts = [f"trial {shown(self.study)}"] if self.study is not None else []
        if self.rows:
            parts.append(_rows(self.rows))
        if self.column is not None:
            parts.append(f"column {self.column!r}")
        return ", ".join(parts)

    def __str__(self) -> str:
        """Return the whole sentence: place, problem and remedy."""
        place = f"{self.place}: " if self.place else ""
        return f"{place}{self.problem}. {self.remedy} [{self.code}]"


def _rows(rows: Sequence[int]) -> str:
    shown = ", ".join(str(row) for row in rows[:5])
    more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {shown}{more}"


class NmaError(Exception):
    """Any error this library raises on purpose."""


@final
class DataError(NmaError, ValueError):
    """The data cannot be used as they are; every problem found is in ``issues``.

    Parameters
    ----------
    issues : iterable of Issue
        All the problems, in the order they were found.
    """

    def __init__(self, issues: Iterable[Issue]) -> None:
        self.issues = tuple(issues)
        super().__init__("\n".join([_problems(self.issues), *_read_on(self.issues)]))

    def __reduce__(self) -> tuple[type[DataError], tuple[tuple[Issue, ...]]]:
        """Rebuild from the issues, so that a worker process can send the error home."""
        return DataError, (self.issues,)


def _problems(issues: tuple[Issue, ...]) -> str:
    if len(issues) == 1:
        return str(issues[0])
    alike: dict[tuple[str, str | None], list[Issue]] = {}
    for issue in issues:
        alike.setdefault((issue.code, issue.column), []).append(issue)
    lines = [f"{len(issues)} problems in the data:"]
    for (code, column), kind in alike.items():
        lines += [f"  - {issue}" for issue in kind[:AT_ONCE]]
        if len(kind) > AT_ONCE:
            where = "" if column is None else f" in column {column!r}"
            lines.append(f"  - ... and {len(kind) - AT_ONCE} more of [{code}]{where}")
    return "\n".join(lines)


def _read_on(issues: tuple[Issue, ...]) -> list[str]:
    """Return one line that leads to the page, however many issues; codes of one's own have none."""
    ours = list(dict.fromkeys(issue.code for issue in issues if issue.code in meanings()))
    if not ours:
        return []
    more = ", and so on for each code" if len(ours) > 1 else ""
    return [f"Explained: nma.errors.explain({ours[0]!r}), or {PAGE}#{ours[0]}{more}"]


@final
class ModelError(NmaError, ValueError):
    """The model does not fit the network, or the question does not fit the model."""


@final
class EngineError(NmaError, RuntimeError):
    """The engine cannot answer, or could not finish."""


class NmaWarning(UserWarning):
    """Any warning this library gives."""


@final
class DataWarning(NmaWarning):
    """The data were changed on the user's word, or look odd; the result keeps the notice."""


@final
@dataclass(frozen=True)
class Meaning:
    """What one code means, or one class of errors or warnings.

    Parameters
    ----------
    code : str
        The word in brackets at the end of a message, or the name of the class.
    what, why, remedy : str
        What is wrong, why it matters, and what to do about it.
    topic : str
        Under which heading it stands.
    """

    code: str
    what: str
    why: str
    remedy: str
    topic: str

    @property
    def page(self) -> str:
        """Where the same stands among the pages."""
        return f"{PAGE}#{self.code.lower()}"

    def __str__(self) -> str:
        """Return code, paragraph and page as lines of text."""
        text = f"{self.what} {self.why} {self.remedy}"
        filled = textwrap.fill(text, 98, break_long_words=False, break_on_hyphens=False)
        return f"[{self.code}] {self.page}\n{filled}"


@final
@dataclass(frozen=True, repr=False)
class Explanation:
    """What codes of messages mean; it shows itself as text.

    Parameters
    ----------
    meanings : tuple of Meaning
        One for each code.
    """

    meanings: tuple[Meaning, ...]

    def __str__(self) -> str:
        """Return a paragraph for each code."""
        return "\n\n".join(map(str, self.meanings))

    __repr__ = __str__


def explain(about: str | BaseException | type[BaseException]) -> Explanation:
    """Return what a message means, why it matters, and what to do; it needs no network.

    ``python -m nma explain CODE`` prints the same.

    Parameters
    ----------
    about : str, exception or class of exceptions
        A code, such as ``"not-positive"``, or the name of a class; or the error itself, for all
        the codes in it. A message without a code is explained by its class.

    Returns
    -------
    Explanation

    Raises
    ------
    ModelError
        If no message has this code, with the closest one.

    Examples
    --------
    >>> import nma
    >>> nma.errors.explain("single-arm")
    [single-arm] docs/reference/codes.md#single-arm
    A trial has one arm, so it compares nothing. Effects are learnt within trials alone; its arm may
    stand under another spelling of the trial's name. Join it with its companion report, give both
    the same name, or leave it out.
    """
    known = meanings()
    codes = _codes(about)
    found = tuple(known[code] for code in codes if code in known)
    if not found:
        said = ", ".join(map(shown, codes))
        hint = f"{nearest(codes[0], known)} All codes are in {PAGE}."
        message = f"No message of this library has the code {said}.{hint}"
        raise ModelError(message)
    return Explanation(found)


def _codes(about: str | BaseException | type[BaseException]) -> tuple[str, ...]:
    if isinstance(about, DataError):
        return tuple(dict.fromkeys(issue.code for issue in about.issues))
    if isinstance(about, str):
        return (about.strip().strip("[]"),)
    return (about.__name__ if isinstance(about, type) else type(about).__name__,)


@cache
def meanings() -> dict[str, Meaning]:
    """Return every meaning by its code, in the order of the page."""
    topics = tomllib.loads((files("nma") / "codes.toml").read_text(encoding="utf-8"))
    return {
        code: Meaning(code, **parts, topic=topic)
        for topic, codes in topics.items()
        for code, parts in codes.items()
    }


def in_short(error: BaseException | None) -> str:
    """Return why something failed, for the notes of a table: without the line that leads on."""
    return _problems(error.issues) if isinstance(error, DataError) else str(error)


def nearest(name: object, names: Iterable[object]) -> str:
    """Return ``" Did you mean 'x'?"`` for the closest of ``names``, or nothing."""
    folded = {str(other).strip().casefold(): str(other) for other in names}
    match = difflib.get_close_matches(str(name).strip().casefold(), folded, n=1, cutoff=0.5)
    return f" Did you mean {shown(folded[match[0]])}?" if match else ""


def require_several(names: Sequence[str] | None, what: str) -> None:
    """Refuse one name where several are asked for: text is a sequence of letters."""
    if isinstance(names, str):
        message = f"{what}={names!r} is one name: write {what}=[{names!r}]."
        raise ModelError(message)


def shown(value: object, *, most: int = 60) -> str:
    """Return a value as messages print it: quoted if it is text, and shortened."""
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= most else f"{text[: most - 4]}...{text[-1]}"


def shortened(name: str, most: int = 40) -> str:
    """Return a name as tables print it."""
    return name if len(name) <= most else f"{name[: most - 4]} ..."
