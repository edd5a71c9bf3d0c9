"""Writes the page of codes, which is what ``nma.errors.explain`` says, with links."""

from __future__ import annotations

import re
import textwrap
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from nma.errors import Meaning, meanings

PAGE = Path(__file__).parent / "reference" / "codes.md"
START = """\
# What the codes of messages mean

Every problem in the data ends with its code in brackets, such as `[not-positive]`: here is what
each means, why it matters and what helps. The message itself says where: trial, row, column and
value. The same is at hand without a network: `nma.errors.explain("not-positive")` in Python, where
the error itself will do in place of its code, or `python -m nma explain not-positive` in a shell.

In a program, the codes are `error.issues[0].code` of a `DataError`; they stay the same when the
words change. Messages that are not about the data have no code: they say what can be asked instead,
and stand [at the end](#errors-and-warnings-as-a-whole) by class.
"""


def written() -> str:
    """Return the page."""
    parts = [START]
    for topic, found in groupby(meanings().values(), key=attrgetter("topic")):
        parts += [f"## {topic}\n", *map(entry, found)]
    return "\n".join(parts)


def entry(meaning: Meaning) -> str:
    """Return one code as a heading and a paragraph."""
    text = linked(f"{meaning.what} {meaning.why} {meaning.remedy}")
    filled = textwrap.fill(text, 100, break_on_hyphens=False, break_long_words=False)
    return f"### {meaning.code}\n\n{filled}\n"


def linked(text: str) -> str:
    """Return text whose modules and pages are links."""
    text = re.sub(r"`docs/(\w+\.md)`", r"[`docs/\1`](../\1)", text)
    folder = PAGE.parent

    def link(found: re.Match[str]) -> str:
        page = f"{found[2]}.md"
        return f"[{found[0]}]({page})" if (folder / page).is_file() else found[0]

    return re.sub(r"`(nma\.(\w+)(?:\.\w+)?)`", link, text)


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
