"""Every built page is whole in a browser, for all readers, and every link on it leads somewhere.

The recipe ``make docs`` runs this once the pages are built.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from browsing import SCHEMES, WIDTHS, Reader, chromium

SITE = Path(__file__).parent / "_build"
PAGES = sorted(path for path in SITE.rglob("*.html") if "_static" not in path.parts)
DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>{}|\\^`]*[^\s\"<>{}|\\^`.,;:]")


class Links(HTMLParser):
    """The addresses and names on a page, and pictures without a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.to: list[str] = []
        self.names: set[str] = set()
        self.mute: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.to += [value for key in ("href", "src") if (value := found.get(key)) is not None]
        self.names |= {value for key in ("id", "name") if (value := found.get(key))}
        if tag == "img" and not found.get("alt"):
            self.mute.append(str(found.get("src")))

    handle_startendtag = handle_starttag


@cache
def links(path: Path) -> Links:
    return Links(path.read_text(encoding="utf-8"))


def dead(path: Path) -> list[str]:
    """Return links within the site that lead nowhere."""
    found = []
    for link in links(path).to:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        named = unquote(parts.fragment)
        if not target.is_file() or (
            named and target.suffix == ".html" and named not in links(target).names
        ):
            found.append(link)
    return found


def name(path: Path) -> str:
    return str(path.relative_to(SITE))


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with chromium() as browser:
        yield Reader(browser.new_page())


def test_the_pages_are_built() -> None:
    assert len(PAGES) > 50, "build them first: make docs"
    assert SITE / "index.html" in PAGES


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_page_is_whole_in_a_browser_and_open_to_all(path: Path, reader: Reader) -> None:
    for scheme in SCHEMES:
        for width in WIDTHS:
            assert reader.faults(path.as_uri(), width, scheme) == [], (scheme, width)
            assert reader.page.evaluate("document.documentElement.dataset.theme") == scheme
            if (scheme, width) in {("light", 390), ("dark", 1280)}:
                assert reader.barriers() == [], (scheme, width)


@pytest.mark.parametrize("width", [1000, 1280])
def test_the_bar_of_sections_takes_one_line(width: int, reader: Reader) -> None:
    assert reader.faults((SITE / "index.html").as_uri(), width) == []
    bar = reader.page.locator("#pst-header nav .bd-navbar-elements")
    assert bar.count() == 1
    assert reader.page.locator("#pst-header").bounding_box()["height"] < 90  # type: ignore[index]
    assert reader.page.locator("#pst-header").get_by_role("link").count() == 6


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_links_lead_somewhere_and_pictures_have_a_text(path: Path) -> None:
    assert dead(path) == []
    assert links(path).mute == []


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_what_is_elsewhere_is_linked_safely(path: Path) -> None:
    far = [urlsplit(link) for link in links(path).to if urlsplit(link).scheme]
    assert [link for link in far if link.scheme not in {"https", "mailto"}] == []
    dois = [unquote(link.path)[1:] for link in far if link.netloc.endswith("doi.org")]
    assert [doi for doi in dois if not DOI.fullmatch(doi)] == []
