"""Names of trials and treatments: cleaned, and refused where two could be one."""

from __future__ import annotations

import math
import numbers
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from nma.errors import Issue, ModelError, nearest, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Labels", "collisions", "labels", "misnamed", "positions"]

BLANKS = frozenset({"", ".", "-", "NA", "N/A"})
JOINERS = "\u200c\u200d"
"""Invisible characters that some scripts and emoji cannot be written without."""

LOOK_ALIKES = str.maketrans(
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405"
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf",
    "ABEKMHOPCTYXIJSaeopcyxijsABEZHIKMNOPTYXo",
)
"""Cyrillic and Greek letters that print like Latin ones."""


class Labels(NamedTuple):
    """Cleaned names, (column, row), with ``""`` where there is none."""

    values: NDArray[np.object_]
    issues: list[Issue]
    changes: list[str]
    remarks: list[str]


class _Cells(NamedTuple):
    """Columns that share one set of names, end to end; ``codes`` is -1 where a cell is empty."""

    names: tuple[str, ...]
    codes: NDArray[np.int64]
    originals: list[object]
    cleaned: list[str]

    def place(self, wanted: Iterable[int]) -> dict[str, Any]:
        """Return the rows, from 1, and the columns that hold the wanted codes."""
        found = np.flatnonzero(np.isin(self.codes, list(wanted)))
        column, row = np.divmod(found, len(self.codes) // len(self.names))
        rows = tuple(sorted({int(position) + 1 for position in row}))
        return {
            "rows": rows,
            "column": " / ".join(self.names[k] for k in np.unique(column).tolist()),
        }


def labels(columns: Mapping[str, pd.Series[Any]]) -> Labels:
    """Return columns of names as trimmed text, with every collision that trimming would hide.

    Parameters
    ----------
    columns : mapping of str to Series
        Columns that draw on one set of names, such as treatment and comparator: text, numbers
        or categories.
    """
    given = np.concatenate([column.astype(object).to_numpy() for column in columns.values()])
    odd = np.array([not _is_label(cell) for cell in given], dtype=bool)
    codes, originals = _coded(given, odd)
    cleaned = [_clean(original) for original in originals]
    cells = _Cells(tuple(columns), codes, originals, cleaned)
    issues = _not_labels(cells, given, odd) + _blank(cells, odd) + _hostile(cells)
    issues += _colliding(cells)
    changes = [
        f"Column {cells.place([code])['column']!r}: {original!r} was read as {label!r}."
        for code, (original, label) in enumerate(zip(originals, cleaned, strict=True))
        if isinstance(original, str) and original != label and label not in BLANKS
    ]
    texts = np.array(["" if label in BLANKS else label for label in [*cleaned, ""]], dtype=object)
    values = texts[codes].reshape(len(columns), -1)
    return Labels(values, issues, changes, _unused(columns) + _similar(cells))


def _coded(
    given: NDArray[np.object_], odd: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], list[object]]:
    """Return a code for each cell, -1 where there is no name, and the cell each code stands for.

    Unlike pandas, this tells True from 1, and text with a null byte from text without.
    """
    code_of: dict[tuple[bool, object], int] = {}
    codes = np.full(len(given), -1)
    for position in np.flatnonzero(~odd).tolist():
        cell = given[position]
        if not _is_missing(cell):
            key = (isinstance(cell, bool | np.bool_), cell)
            codes[position] = code_of.setdefault(key, len(code_of))
    return codes, [cell for _, cell in code_of]


def _is_label(cell: object) -> bool:
    return isinstance(cell, str | numbers.Real | Decimal | np.bool_) or _is_missing(cell)


def _is_missing(cell: object) -> bool:
    if isinstance(cell, float | np.floating | Decimal):
        return math.isnan(cell)
    return cell is None or cell is pd.NA or cell is pd.NaT


def _clean(original: object) -> str:
    if isinstance(original, float | np.floating) and original.is_integer():
        original = int(original)
    visible = str(original).replace("\u200b", "").replace("\ufeff", "")
    return " ".join(unicodedata.normalize("NFC", visible).split())


def _not_labels(cells: _Cells, given: NDArray[np.object_], odd: NDArray[np.bool_]) -> list[Issue]:
    rows = len(given) // len(cells.names)
    return [
        Issue(
            "not-a-label",
            f"{shown(given[position])} is a {type(given[position]).__name__}, not a name",
            "Write the name as text; a spreadsheet may have turned it into a date.",
            rows=(int(position) % rows + 1,),
            column=cells.names[int(position) // rows],
            value=given[position],
        )
        for position in np.flatnonzero(odd)
    ]


def _blank(cells: _Cells, odd: NDArray[np.bool_]) -> list[Issue]:
    blank = [code for code, label in enumerate(cells.cleaned) if label in BLANKS]
    empty = (np.isin(cells.codes, [-1, *blank]) & ~odd).reshape(len(cells.names), -1)
    remedy = "Fill the cell in, or leave the row out before you hand the table over."
    return [
        Issue(
            "no-label",
            "the name is missing",
            remedy,
            rows=tuple(int(row) + 1 for row in np.flatnonzero(here)),
            column=name,
        )
        for name, here in zip(cells.names, empty, strict=True)
        if here.any()
    ]


def _hostile(cells: _Cells) -> list[Issue]:
    def hidden(label: str) -> bool:
        return any(
            unicodedata.category(character) in {"Cc", "Cf", "Cs"} and character not in JOINERS
            for character in label
        )

    return [
        Issue(
            "control-character",
            f"{shown(label)} holds a control or direction character",
            "Remove it: it cannot be seen, and changes how the name prints.",
            **cells.place([code]),
            value=label,
        )
        for code, label in enumerate(cells.cleaned)
        if hidden(label)
    ]


def _colliding(cells: _Cells) -> list[Issue]:
    return [
        collision([cells.originals[code] for code in group], **cells.place(group))
        for group in _groups(cells.cleaned, _folded)
    ]


def collision(names: Sequence[object], **place: Any) -> Issue:
    """Return the issue that several names could be one."""
    return Issue(
        "labels-collide",
        f"{' and '.join(map(shown, names))} differ only in blanks, case, type or form of their "
        f"characters{_odd_characters([str(name) for name in names])}",
        "Use one spelling if they are the same; rename one if they are not.",
        **place,
    )


def collisions(names: Sequence[str]) -> list[Issue]:
    """Return an issue for every group of names that could be one."""
    return [collision([names[k] for k in group]) for group in _groups(names, _folded)]


def _groups(names: Sequence[str], key: Callable[[str], str]) -> list[list[int]]:
    alike: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        alike.setdefault(key(name), []).append(position)
    return [group for group in alike.values() if len(group) > 1]


def _folded(label: str) -> str:
    """Return the label without case, width, invisible characters and look-alikes."""
    if label.isascii():
        return label.casefold()
    compatible = unicodedata.normalize("NFKC", label)
    seen = (c for c in compatible if unicodedata.category(c) != "Cf")
    return "".join(seen).translate(LOOK_ALIKES).casefold()


def _odd_characters(names: Sequence[str]) -> str:
    """Name the characters beyond ASCII in which the names differ: they may print alike."""
    shared = set.intersection(*(set(name) for name in names))
    odd = sorted({c for name in names for c in name if not c.isascii()} - shared)
    if not odd:
        return ""
    listed = ", ".join(f"U+{ord(c):04X} {unicodedata.name(c, 'unnamed')}" for c in odd[:3])
    return f" ({listed})"


def _loose(label: str) -> str:
    """Return the folded label without accents, punctuation, blanks and leading zeros."""
    folded = _folded(label)
    letters = folded if folded.isascii() else unicodedata.normalize("NFD", folded)
    bare = "".join(c for c in letters if unicodedata.category(c)[0] not in "MPZ") or folded
    return bare.lstrip("0") if bare.isdecimal() else bare


def _similar(cells: _Cells) -> list[str]:
    first = {_folded(label): label for label in cells.cleaned if label not in BLANKS}
    names = list(first.values())
    column = " / ".join(cells.names)
    return [
        f"Column {column!r}: {' and '.join(shown(names[k]) for k in group)} differ only in "
        "accents, punctuation, blanks or leading zeros and were kept apart; check that they are "
        "not the same."
        for group in _groups(names, _loose)
    ]


def _unused(columns: Mapping[str, pd.Series[Any]]) -> list[str]:
    remarks = []
    for name, column in columns.items():
        if isinstance(column.dtype, pd.CategoricalDtype):
            there = set(column.dropna())
            unused = [level for level in column.cat.categories if level not in there]
            if unused:
                listed = ", ".join(map(shown, unused))
                remarks.append(f"Column {name!r}: no row has the category {listed}.")
    return remarks


def misnamed(
    known: Sequence[str], reference: str | None, treatments: Sequence[str] | None
) -> list[Issue]:
    """Return what is wrong with the reference and the order of treatments the user gave."""
    listed = f"They are {', '.join(map(shown, known))}."
    issues = []
    if reference is not None and reference not in known:
        problem = f"the reference {shown(reference)} is not among the treatments"
        issues.append(Issue("unknown-reference", problem, listed + nearest(reference, known)))
    if treatments is None:
        return issues
    if isinstance(treatments, str):
        problem = f"treatments={treatments!r} is one text, not a list of treatments"
        return [*issues, Issue("not-a-list", problem, f"Write treatments=[{treatments!r}, ...].")]
    for name, count in Counter(treatments).items():
        if name not in known:
            remedy = f"Take it out of `treatments`.{nearest(name, known)}"
            problem = f"no trial has an arm on {shown(name)}"
            issues.append(Issue("unknown-treatment", problem, remedy))
        elif count > 1:
            problem = f"{shown(name)} is in `treatments` {count} times"
            issues.append(Issue("treatment-twice", problem, "List every treatment once."))
    issues += [
        Issue("unlisted-treatment", f"{shown(name)} is not in `treatments`", "List every one.")
        for name in known
        if name not in set(treatments)
    ]
    return issues


def positions(names: Iterable[str], known: Sequence[str]) -> NDArray[np.int64]:
    """Return where each name stands among those that are known.

    Raises
    ------
    ModelError
        If one is not among them, with the closest.
    """
    place, asked = {name: k for k, name in enumerate(known)}, list(names)
    unknown = sorted({str(name) for name in asked if name not in place})
    if unknown:
        hints = [f"{name!r} is unknown.{nearest(name, known)}" for name in unknown]
        listed = ", ".join(map(repr, known))
        message = f"{' '.join(hints)} The network has {listed}."
        raise ModelError(message)
    return np.array([place[name] for name in asked], dtype=np.int64)
