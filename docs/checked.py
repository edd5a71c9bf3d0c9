"""Writes the pages of printed and stored numbers from ``checked.csv``, each time they are built."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests"))

import comparisons
from comparisons import Comparison
from sources import SOURCES, Source

WHY = "[what is known of why](../checked.md#where-they-differ-and-why)"
MINUS = "\N{MINUS SIGN}"
SHOWN = {"lower": "2.5 %", "upper": "97.5 %"}
HEAD = "".join(
    f'<th scope="col">{name}</th>' for name in ("number", "theirs", "ours", "within", "verdict")
)


def write(folder: Path) -> None:
    """Write a page for each source, and the table of all of them for ``checked.md``."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    rows = [row for found in comparisons.read().values() for row in found]
    by_source = {source: [r for r in rows if r.source == source.name] for source in SOURCES}
    for source, found in by_source.items():
        text = "\n".join(page(source, found))
        (folder / f"{slug(source)}.md").write_text(text, encoding="utf-8")
    (folder / "_index.md").write_text("\n".join(index(by_source)), encoding="utf-8")


def slug(source: Source) -> str:
    """Return the name of a page."""
    return re.sub(r"[^a-z0-9]+", "-", source.name.lower()).strip("-")


def index(by_source: dict[Source, list[Comparison]]) -> Iterator[str]:
    """Yield the table of sources, one row each."""
    rows = [row for found in by_source.values() for row in found]
    yield (
        f"**{len(rows):,} comparisons**: {len(rows) - differing(rows):,} agree, "
        f"{differing(rows)} differ, and the page says why as far as that was found.\n"
    )
    yield ":::{container} checked-sources"
    yield "| source | networks | numbers | differ |\n| --- | --- | ---: | ---: |"
    for source, found in by_source.items():
        networks = ", ".join(sorted({row.network for row in found}, key=str.casefold))
        link = f"[{source.name}](checked/{slug(source)}.md)"
        yield f"| {link} | {networks} | {len(found):,} | {differing(found) or 'none'} |"
    yield ":::"
    pages = "\n".join(f"checked/{slug(source)}" for source in by_source)
    yield f"\n```{{toctree}}\n:hidden:\n\n{pages}\n```"


def page(source: Source, rows: Sequence[Comparison]) -> Iterator[str]:
    """Yield the page of a source: what it is, then its numbers by network."""
    yield f"# {source.name}\n"
    doi = f" [doi:{source.doi}](https://doi.org/{source.doi})." if source.doi else ""
    yield f"{source.title}{doi}\n\n{source.place}\n"
    apart = differing(rows)
    told = f"{len(rows):,} numbers: {'all' if not apart else len(rows) - apart} agree"
    if apart:
        told += f", {apart} {'differs' if apart == 1 else 'differ'}, with {WHY}"
    yield f"{told}. The columns are explained [on the page of all sources](../checked.md).\n"
    ordered = sorted(rows, key=lambda row: row.network.casefold())
    for network, found in groupby(ordered, key=lambda row: row.network):
        yield f"## {network[0].upper()}{network[1:]}\n"
        places: dict[str, list[Comparison]] = {}
        for row in found:
            places.setdefault(row.where, []).append(row)
        for where, group in places.items():
            yield "```{raw} html"
            yield from folded(where, group)
            yield "```\n"


def folded(where: str, rows: Sequence[Comparison]) -> Iterator[str]:
    """Yield a table that opens when asked: open already where a number differs."""
    opened = " open" if differing(rows) else ""
    count = f"{len(rows)} number{'s' if len(rows) > 1 else ''}"
    yield f'<details class="checked"{opened}><summary>{escape(where)}: {count}</summary>'
    yield f'<table class="table"><thead><tr>{HEAD}</tr></thead>'
    for what, group in groupby(rows, key=lambda row: row.what):
        yield f'<tbody><tr><th scope="rowgroup" colspan="5">{escape(what)}</th></tr>'
        yield from map(line, group)
        yield "</tbody>"
    yield "</table></details>"


def line(row: Comparison) -> str:
    """Return the row of a number."""
    cells = (shortened(row.theirs, row.ours), row.ours, row.allowed)
    numbers = "".join(f"<td>{cell.replace('-', MINUS)}</td>" for cell in cells)
    name = escape(SHOWN.get(row.number, row.number))
    return (
        f'<tr><th scope="row">{name}</th>{numbers}<td class="{row.verdict}">{row.verdict}</td></tr>'
    )


def shortened(theirs: str, ours: str) -> str:
    """Return theirs as printed, or a stored number to the digits of ours."""
    places = [len(text.partition(".")[2]) for text in (theirs, ours)]
    if "e" in theirs:
        return f"{float(theirs):.8g}"
    return f"{float(theirs):.{places[1]}f}" if places[0] > places[1] + 1 else theirs


def differing(rows: Sequence[Comparison]) -> int:
    """Return how many rows differ."""
    return sum(row.verdict == "differs" for row in rows)
