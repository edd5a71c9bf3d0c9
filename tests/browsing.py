"""A page as a reader meets it: opened in Chromium, measured, and judged by axe."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from shutil import which
from typing import TYPE_CHECKING, Any, Literal

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

__all__ = ["SCHEMES", "WIDTHS", "Reader", "Scheme", "chromium"]

Scheme = Literal["light", "dark"]
SCHEMES: Sequence[Scheme] = ("light", "dark")
WIDTHS = (390, 1280)
"""A phone and a desktop."""

NAMES = ("chromium", "chromium-browser", "google-chrome")
REQUIRED = "NMA_BROWSER"
"""Where this variable is ``required``, a machine without Chromium fails the tests it cannot run."""

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

AXE: dict[str, Any] = {"preload": False, "resultTypes": ["violations"]}
"""All rules but css-orientation-lock, which fetches stylesheets: files let no script do that."""

SMALLEST = 11
"""Pixels that letters of a table must have."""

MEASURE = """(smallest) => {
  const faults = [], root = document.documentElement;
  const named = (one) => one.tagName.toLowerCase() + (one.id && "#" + one.id)
    + [...one.classList].map((name) => "." + name).join("");
  const letters = (one) => parseFloat(getComputedStyle(one).fontSize);
  if (root.scrollWidth > root.clientWidth)
    faults.push(`the page is ${root.scrollWidth} wide in a window of ${root.clientWidth}`);
  for (const one of document.body.querySelectorAll("*")) {
    if (one.clientWidth < 2 || one.scrollWidth <= one.clientWidth + 1) continue;
    const style = getComputedStyle(one).overflowX;
    if (style === "hidden" || style === "clip") faults.push(`${named(one)} is cut`);
    if ((style === "auto" || style === "scroll") && one.querySelector("h1, h2, h3"))
      faults.push(`${named(one)} scrolls its text sideways`);
  }
  for (const one of document.querySelectorAll("h1, h2, h3, p, li, caption, table, pre, svg, img")) {
    const box = one.getBoundingClientRect();
    let edge = root.clientWidth, scrolled = false;
    for (let outer = one; outer; outer = outer.parentElement)
      scrolled ||= ["auto", "scroll"].includes(getComputedStyle(outer).overflowX)
        && !outer.querySelector("h1, h2, h3");
    if (box.width > 1 && box.left >= 0 && box.right > edge + 1 && !scrolled)
      faults.push(`${named(one)} ends at ${Math.round(box.right)} of ${edge}`);
  }
  for (const one of document.images)
    if (!one.complete || !one.naturalWidth) faults.push(`${one.src} is not shown`);
  for (const one of document.querySelectorAll("svg[role=img], main img"))
    if (one.clientHeight < 50 || one.clientWidth < 50) faults.push(`${named(one)} is tiny`);
  for (const one of document.querySelectorAll("td, th, pre"))
    if (one.clientWidth && letters(one) < smallest) faults.push(`${named(one)} is in fine print`);
  for (const one of document.querySelectorAll("pre"))
    if (getComputedStyle(one).whiteSpace !== "pre") faults.push(`${named(one)} wraps`);
  return faults;
}"""
"""What hinders reading: text beyond the window, cut or scrolled sideways, pictures not there."""

PAPER: ViewportSize = {"width": 680, "height": 1016}
"""A4 less margins of 15 mm at the sides and 14 mm, in pixels of 1/96 inch."""

TURNED: ViewportSize = {"width": 1009, "height": 687}
"""The same page on its side."""

CUT = """([kinds, turned]) => [...document.querySelectorAll(kinds)]
  .filter((one) => !!one.closest(".wide") === turned)
  .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((one) => `${one.tagName.toLowerCase()} ends at ${one.getBoundingClientRect().right}`)"""
"""What ends beyond the paper, of that on upright pages or of that on pages that are turned."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Open the Chromium of this machine, and close it."""
    path = next(filter(None, map(which, NAMES)), None)
    if path is None:
        _without(f"no Chromium on this machine ({', '.join(NAMES)})")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        _without("playwright is not installed (dependency group browser)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        try:
            yield browser
        finally:
            browser.close()


def _without(reason: str) -> None:
    if os.environ.get(REQUIRED) == "required":
        pytest.fail(f"{reason}, and {REQUIRED} says that these tests must run")
    pytest.skip(reason)


@dataclass(frozen=True)
class Reader:
    """Opens pages in one window and notes all that they complain of or ask of others."""

    page: Page
    heard: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda said: self._note(said.text, said.type != "log"))
        self.page.on("pageerror", lambda error: self._note(f"error: {error}", True))
        self.page.on("request", lambda asked: self._note(f"asked for {asked.url}", _far(asked.url)))
        self.page.on("requestfailed", lambda asked: self._note(f"not to be had: {asked.url}", True))

    def _note(self, text: str, matters: object) -> None:
        if matters:
            self.heard.append(text)

    def faults(self, address: str, width: int, scheme: Scheme = "light") -> list[str]:
        """Return what hinders reading a page at a width, and what the browser says of it."""
        self.heard.clear()
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        self.page.goto(address)
        return [*self.page.evaluate(MEASURE, SMALLEST), *self.heard]

    def in_print(self, address: str, kinds: str) -> list[str]:
        """Return elements of some kinds that paper would cut: nobody can scroll it."""
        found: list[str] = []
        self.page.emulate_media(media="print")
        for paper, is_turned in ((PAPER, False), (TURNED, True)):
            self.page.set_viewport_size(paper)
            self.page.goto(address)
            found += self.page.evaluate(CUT, [kinds, is_turned])
        self.page.emulate_media(media="screen")
        return found

    def barriers(self) -> list[str]:
        """Return what axe holds against the page that is open."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page, options=AXE).response["violations"]
        return [
            f"{rule['id']} ({rule['impact']}): {' '.join(map(str, node['target']))}: {node['html']}"
            for rule in found
            for node in rule["nodes"]
        ]


def _far(address: str) -> bool:
    return not address.startswith(("file:", "data:", "blob:", "about:"))
