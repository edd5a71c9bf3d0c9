"""What the tests in ``tests/literature`` compared, as rows of ``docs/checked.csv``.

A comparison is recorded where it is asserted, so the tests are the one source of the table. Each
test holds the rows of its own in the file to what it has just computed; ``make checked`` writes
them anew.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from sources import Place

FILE = Path(__file__).parent.parent / "docs" / "checked.csv"
FINER = 10
"""How many times finer than what is allowed ours are written, and held to what is written."""
REPEATED = ("test", "source", "network", "where", "what")
"""Columns left empty where they repeat the row above."""


class Comparison(NamedTuple):
    """A row: where a number stands and what it is of, theirs, ours, how far it may be, verdict.

    ``theirs`` as printed; ``allowed`` in the unit of the number.
    """

    source: str
    network: str
    where: str
    what: str
    number: str
    theirs: str
    ours: str
    allowed: str
    verdict: str

    @property
    def named(self) -> tuple[str, ...]:
        """All that does not depend on a computation."""
        return (*self[:6], self.verdict)


COLUMNS = ("test", *Comparison._fields)
_recorded: list[Comparison] = []


@contextmanager
def recording() -> Iterator[list[Comparison]]:
    """Collect what is compared within."""
    _recorded.clear()
    yield _recorded


def record(
    place: Place,
    what: str,
    *,
    theirs: Mapping[str, str],
    ours: Sequence[float],
    verdict: str,
    allowed: Sequence[float],
) -> None:
    """Note numbers by name, theirs and ours."""
    for (number, printed), found, most in zip(theirs.items(), ours, allowed, strict=True):
        _recorded.append(
            Comparison(*place, what, number, printed, rounded(found, most), f"{most:.2g}", verdict)
        )


def rounded(number: float, allowed: float) -> str:
    """Write a number to a tenth of what is allowed or finer."""
    if not math.isfinite(number):
        return "none"
    if allowed == 0:
        return f"{number:.12g}"
    places = max(0, math.ceil(-math.log10(allowed / FINER) - 1e-9))
    if 0 < abs(number) < 1e-4 and places > 9:
        return f"{number:.{places + math.floor(math.log10(abs(number))) + 1}g}"
    text = f"{number:.{places}f}"
    return text.lstrip("-") if float(text) == 0 else text


def differences(committed: Sequence[Comparison], fresh: Sequence[Comparison]) -> list[str]:
    """Return in what the rows of a test in the file are not what the test has computed."""
    before, after = [row.named for row in committed], [row.named for row in fresh]
    if before != after:
        gone = [f"no longer compared: {row}" for row in before if row not in after]
        new = [f"not in the file: {row}" for row in after if row not in before]
        return [*gone, *new] or ["the rows are in another order, or a row is there twice"]
    return [
        f"ours was {old.ours} +- {old.allowed}, is {new.ours} +- {new.allowed}: {new.named}"
        for old, new in zip(committed, fresh, strict=True)
        if not _same(old, new)
    ]


def _same(old: Comparison, new: Comparison) -> bool:
    if "none" in (old.ours, new.ours):
        return old.ours == new.ours
    allowed = float(old.allowed)
    moved = abs(float(old.ours) - float(new.ours))
    near = math.isclose(allowed, float(new.allowed), rel_tol=0.1)
    return near and moved <= 2 * allowed / FINER


def read(path: Path = FILE) -> dict[str, list[Comparison]]:
    """Return the rows of a file by test."""
    found: dict[str, list[Comparison]] = {}
    above = dict.fromkeys(REPEATED, "")
    with path.open(encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines):
            above = {name: line[name] or above[name] for name in REPEATED}
            row = {**line, **above}
            found.setdefault(row.pop("test"), []).append(Comparison(**row))
    return found


def write(rows: Mapping[str, Iterable[Comparison]], path: Path = FILE) -> None:
    """Write rows by test, each value of the first columns once."""
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(COLUMNS)
        above: tuple[str, ...] = ("",) * len(REPEATED)
        for test in sorted(rows, key=lambda name: name.partition("::")[0]):
            for row in rows[test]:
                first, rest = (test, *row[: len(REPEATED) - 1]), row[len(REPEATED) - 1 :]
                writer.writerow(
                    [*("" if a == b else a for a, b in zip(first, above, strict=True)), *rest]
                )
                above = first
