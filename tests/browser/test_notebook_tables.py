"""A table in a notebook: its caption is read without scrolling, on a phone and on a desk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nma
from browsing import WIDTHS, Reader, chromium

LIKE_JUPYTER = "margin-left: 70px; padding: 0 8px; font: 14px sans-serif"
"""Beside its outputs a notebook keeps room for their numbers."""

EDGES = """() => [...document.querySelectorAll("caption")].map((one) => {
  const box = one.getBoundingClientRect(), letter = parseFloat(getComputedStyle(one).fontSize);
  return [box.right, box.width / letter];
})"""
"""Where every caption ends, in pixels, and how wide it is, in its letters."""


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with chromium() as browser:
        yield Reader(browser.new_page())


@pytest.mark.parametrize("width", WIDTHS)
def test_captions_stay_in_the_window(width: int, reader: Reader, tmp_path: Path) -> None:
    posterior = nma.fit(nma.datasets.network("back_pain"))
    tables: list[Any] = [
        nma.sucra(posterior),
        nma.league_table(posterior),
        nma.checks.loops(posterior),
    ]
    shown = "".join(f"<div>{table._repr_html_()}</div>" for table in tables)
    path = tmp_path / "page.html"
    page = f"<!DOCTYPE html><title>Tables</title><body style='{LIKE_JUPYTER}'>{shown}"
    path.write_text(page, encoding="utf-8")
    assert reader.faults(path.as_uri(), width) == []
    found = reader.page.evaluate(EDGES)
    assert len(found) == len(tables)
    for right, letters in found:
        assert right <= width
        assert letters == pytest.approx(38, abs=0.5) or width < 500
