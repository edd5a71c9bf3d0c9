"""A report is whole in a browser: on a phone, on a desk and in print, light and dark, for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import nma
from browsing import SCHEMES, WIDTHS, Reader, Scheme, chromium
from hostile import HOSTILE, MANY, network
from nma.reports import Figure


def back_pain(path: Path) -> Path:
    return nma.report(nma.fit(nma.datasets.network("back_pain")), path)


def decisions(path: Path) -> Path:
    posterior = nma.fit(nma.datasets.network("back_pain"))
    check = nma.checks.leave_one_study_out(posterior)
    drawn = Figure(nma.plots.influence(check), "What each trial does.")
    mcid = nma.decisions.MCID(1, kind="between-group", source="chosen for a test")
    return nma.report(posterior, path, mcid=mcid, extra={"influence": [check, drawn]})


def hostile_names(path: Path) -> Path:
    return nma.report(nma.fit(network(HOSTILE)), path)


def many_long_names(path: Path) -> Path:
    return nma.report(nma.fit(network(MANY)), path)


VARIANTS = [back_pain, decisions, hostile_names, many_long_names]


@pytest.fixture(scope="module", params=VARIANTS, ids=lambda write: write.__name__)
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    write: Callable[[Path], Path] = request.param
    return write(tmp_path_factory.mktemp("report") / "report.html").as_uri()


@pytest.fixture(scope="module")
def readers() -> Iterator[tuple[Reader, Reader]]:
    """Open a window that keeps a page's policy, and one in which axe may run in spite of it."""
    with chromium() as browser:
        free = browser.new_context(bypass_csp=True)
        yield Reader(browser.new_page()), Reader(free.new_page())


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_report_is_whole(
    address: str, width: int, scheme: Scheme, readers: tuple[Reader, Reader]
) -> None:
    reader, _ = readers
    assert reader.faults(address, width, scheme) == []
    assert reader.page.locator("svg[role=img]").count() >= 3
    paper = reader.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 1280)])
def test_a_report_is_open_to_all(
    address: str, scheme: Scheme, width: int, readers: tuple[Reader, Reader]
) -> None:
    _, reader = readers
    assert reader.faults(address, width, scheme) == []
    assert reader.barriers() == []


def test_a_report_is_whole_in_print(address: str, readers: tuple[Reader, Reader]) -> None:
    reader, _ = readers
    assert reader.in_print(address, "h1, h2, p, li, caption, svg, table") == []


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("<p style='width:3000px'>wide</p>", "the page is 30"),
        ("<img src='nothing.png' alt='none'>", "nothing.png is not shown"),
        ("<img src='https://example.org/a.png' alt='far'>", "asked for https://example.org"),
        ("<script>missing()</script>", "missing is not defined"),
        ("<pre style='white-space:pre-wrap'>a</pre>", "pre wraps"),
        ("<table><tr><td style='font-size:8px'>a</td></tr></table>", "td is in fine print"),
        ("<div style='overflow:hidden;width:9em'><table><td>" + "w" * 99, "div is cut"),
        ("<div style='overflow:auto'><h2>a</h2><pre>" + "w" * 999, "scrolls its text sideways"),
    ],
)
def test_a_fault_is_seen(
    fault: str, told: str, tmp_path: Path, readers: tuple[Reader, Reader]
) -> None:
    path = tmp_path / "page.html"
    path.write_text(f"<!DOCTYPE html><title>a</title><body>{fault}", encoding="utf-8")
    faults = readers[0].faults(path.as_uri(), 390)
    assert [text for text in faults if told in text], faults


def test_a_barrier_is_seen(tmp_path: Path, readers: tuple[Reader, Reader]) -> None:
    path = tmp_path / "page.html"
    path.write_text("<!DOCTYPE html><p style='color:#aaa'>pale</p>", encoding="utf-8")
    _, reader = readers
    reader.faults(path.as_uri(), 390)
    found = {text.split(" ")[0] for text in reader.barriers()}
    assert {"color-contrast", "document-title", "html-has-lang"} <= found
