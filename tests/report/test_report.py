"""A report says what the fit says, whole, escaped, readable without eyes, and the same again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import pytest

import nma
from hostile import HOSTILE, MANY, network
from nma.errors import ModelError
from nma.reports import Figure, Section, _prisma

VOID = {"meta", "link", "br", "img"}


class Page(HTMLParser):
    """Collects tags with their attributes, headings and text, and checks that all are closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]


@pytest.fixture(scope="module")
def back_pain() -> nma.Posterior:
    return nma.fit(nma.datasets.network("back_pain"))


def written(posterior: nma.Posterior, folder: Path) -> str:
    return nma.report(posterior, folder / "report.html").read_text(encoding="utf-8")


def require_sound(text: str) -> Page:
    """Check what every page must keep."""
    page = Page(text)
    headings = [tag for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert headings[0] == "h1"
    assert set(headings[1:]) == {"h2"}
    assert not page.of("script", "link", "img", "iframe", "object")
    assert not any(key.startswith("on") for _, found in page.tags for key in found)
    sources = ("src", "href", "action", "data")
    links = [found[key] for _, found in page.tags for key in sources if key in found]
    ids = [found["id"] for _, found in page.tags if "id" in found]
    assert all(link and link.startswith("#") and link[1:] in ids for link in links)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)\"]+)\)", " ".join(map(str, page.tags)))) - {"a"} <= set(ids)
    assert all(found["role"] == "img" and found["aria-label"] for found in page.of("svg"))
    assert all(found["scope"] in {"row", "col", "colgroup"} for found in page.of("th"))
    assert len(page.of("caption")) == len(page.of("table")) > 5
    kept = [found for found in page.of("div") if "scroll" in str(found.get("class")).split()]
    assert len(kept) == len(page.of("table")) + len(page.of("svg"))
    scrolled = [found for found in kept if found.get("role") == "region"]
    assert len(scrolled) > len(kept) / 2
    assert all(found["tabindex"] == "0" and found["aria-label"] for found in scrolled)
    policy = next(x for x in page.of("meta") if x.get("http-equiv") == "Content-Security-Policy")
    rules = str(policy["content"]).split("; ")
    assert {"default-src 'none'", "base-uri 'none'", "form-action 'none'"} < set(rules)
    return page


@pytest.mark.parametrize("count", [2, 5, 30])
def test_any_size_of_network_and_any_name_leave_the_page_sound(count: int, tmp_path: Path) -> None:
    names = HOSTILE[:count] if count <= 5 else MANY
    page = require_sound(written(nma.fit(network(names)), tmp_path))
    assert [name for name in names if name.strip() not in page.text] == []
    assert len(page.of("svg")) == 5 + (count > 2)  # two treatments have no designs to compare


def test_the_same_fit_is_the_same_bytes(back_pain: nma.Posterior, tmp_path: Path) -> None:
    again = nma.fit(nma.datasets.network("back_pain"))
    for path in ("one.html", "one.md", "folder"):
        first, second = tmp_path / "1" / path, tmp_path / "2" / path
        nma.report(back_pain, first)
        nma.report(again, second)
    files = sorted(file for file in (tmp_path / "1").rglob("*") if file.is_file())
    assert {file.suffix for file in files} == {".html", ".md", ".svg", ".pdf", ".csv", ".txt"}
    for file in files:
        other = tmp_path / "2" / file.relative_to(tmp_path / "1")
        assert file.read_bytes() == other.read_bytes(), file.name


def test_a_report_says_what_the_fit_says(back_pain: nma.Posterior, tmp_path: Path) -> None:
    network = replace(back_pain.network, notices=("Arm <x> was dropped.",))
    told = replace(back_pain, network=network, notices=("Something rests on a prior.",))
    page = require_sound(written(told, tmp_path))
    said = [*network.notices, *told.notices, *told.priors, network.caption]
    said += [*told.provenance.values(), "random effects", "No-U-Turn"]
    assert [text for text in said if text not in page.text] == ["No-U-Turn"]
    for table in (nma.league_table(told), nma.sucra(told), nma.fit_measures.dic(told)):
        assert table.caption in page.text
        assert [note for note in table.notes if note not in page.text] == []


def test_a_poor_fit_says_so_first(back_pain: nma.Posterior, tmp_path: Path) -> None:
    poor = replace(back_pain, draws=replace(back_pain.draws, faults=("R-hat of tau is 1.20.",)))
    text = Page(written(poor, tmp_path)).text
    assert 0 < text.index("POOR FIT, do not rely on it: R-hat of tau") < text.index("Question and")
    markdown = nma.report(poor, tmp_path / "report.md").read_text(encoding="utf-8")
    assert markdown.splitlines()[2].startswith("**POOR FIT, do not rely on it: R-hat")


def test_what_a_model_cannot_answer_says_why(tmp_path: Path) -> None:
    network = nma.datasets.network("back_pain")
    split = nma.structures.NodeSplit(
        nma.structures.Consistency(), "multimodal care", "standard exercise"
    )
    page = require_sound(written(nma.fit(network, nma.Model(split)), tmp_path))
    ranking = page.text.partition("Ranking\nNot shown. ")[2]
    assert "NodeSplit" in ranking[:200] or "split" in ranking[:200]


@pytest.mark.parametrize("engine", [nma.engines.Laplace(draws=64), nma.engines.LeastSquares()])
def test_counts_and_least_squares_have_reports(
    engine: nma.protocols.Engine, tmp_path: Path
) -> None:
    counts = nma.datasets.network("thrombolytics")
    normal = isinstance(engine, nma.engines.LeastSquares)
    fitted = nma.fit(counts.as_normal() if normal else counts, engine=engine)
    page = require_sound(written(fitted, tmp_path))
    assert ("frequentist" in page.text) == normal
    assert ("credible interval" in page.text) != normal


def test_the_checklist_counts_what_is_there(back_pain: nma.Posterior, tmp_path: Path) -> None:
    items = _prisma.ITEMS
    assert sorted(items) == sorted([*map(str, range(1, 28)), "S1", "S2", "S3", "S4", "S5"])
    nma.report(back_pain, tmp_path / "a")
    table = pd.read_csv(tmp_path / "a" / "prisma-1.csv", index_col="item")["in this report"]
    assert table["S3"] == "Question and network"
    assert table["S5"] == "Consistency"
    assert set(table[["1", "8", "12", "19", "22", "25", "27"]]) == {"for the authors to write"}
    funding = Section("funding", "Funding", lambda posterior: ["Nobody."], ("27",))
    nma.report(back_pain, tmp_path / "b", sections=[*nma.reports.SECTIONS[:2], funding])
    table = pd.read_csv(tmp_path / "b" / "prisma-1.csv", index_col="item")["in this report"]
    assert table["27"] == "Funding"
    assert table["S5"] == "for the authors to write"


def test_finished_checks_and_a_difference_that_matters_plug_in(
    back_pain: nma.Posterior, tmp_path: Path
) -> None:
    check = nma.checks.leave_one_study_out(back_pain)
    picture = Figure(nma.plots.influence(check), "What each trial does.")
    mcid = nma.decisions.MCID(1, kind="between-group", source="chosen for a test")
    file = nma.report(
        back_pain, tmp_path / "a.html", mcid=mcid, extra={"influence": [check, picture]}
    )
    page = require_sound(file.read_text(encoding="utf-8"))
    assert check.caption in page.text
    assert "1, between-group (chosen for a test)" in page.text
    assert len(page.of("svg")) == 8
    without = Page(written(back_pain, tmp_path))
    ids = {found.get("id") for found in without.of("section")}
    assert {"influence", "decisions"} & ids == set()


def test_markdown_and_folder_hold_every_table_and_figure(tmp_path: Path) -> None:
    posterior = nma.fit(network(HOSTILE))
    text = nma.report(posterior, tmp_path / "r.md").read_text(encoding="utf-8")
    assert "<script" not in text.replace("\\<script", "")
    linked = re.findall(r"^!\[.*\]\((.*)\)$", text, flags=re.MULTILINE)
    assert len(linked) == 6
    assert all((tmp_path / name).is_file() for name in linked)
    rows = [re.sub(r"\\.", "", row) for row in text.splitlines() if row.startswith("|")]
    assert len(rows) > 50
    assert all(row.endswith("|") for row in rows)
    folder = nma.report(posterior, tmp_path / "folder")
    league = pd.read_csv(folder / "league-1.csv", index_col=0)
    assert set(league.columns) == {*HOSTILE}
    assert {file.stem for file in folder.glob("*.svg")} == {f.stem for f in folder.glob("*.pdf")}


def test_what_cannot_be_written_is_refused(back_pain: nma.Posterior, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"'a\.docx'.*\.html"):
        nma.report(back_pain, tmp_path / "a.docx")
    with pytest.raises(ModelError, match=r"'rankings' is no section\..*'ranking'"):
        nma.report(back_pain, tmp_path / "a", extra={"rankings": "x"})
    with pytest.raises(ModelError, match="DataFrame is no part"):
        nma.report(back_pain, tmp_path / "a", extra={"ranking": pd.DataFrame()})  # type: ignore[dict-item]
    fit = Section("fit", "Fit", lambda posterior: [])
    with pytest.raises(ModelError, match="Two sections are named fit"):
        nma.report(back_pain, tmp_path / "a", sections=[*nma.reports.SECTIONS, fit])
    with pytest.raises(ModelError, match="lower-case"):
        Section("../x", "", lambda posterior: [])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_tidied_of_its_own_files_alone(
    back_pain: nma.Posterior, tmp_path: Path
) -> None:
    folder = tmp_path / "a"
    mcid = nma.decisions.MCID(1, kind="between-group", source="chosen for a test")
    nma.report(back_pain, folder, mcid=mcid)
    (folder / "mine.csv").write_text("kept", encoding="utf-8")
    (folder / "decisions-4.csv").write_text("edited by hand", encoding="utf-8")
    outside = tmp_path / "outside.csv"
    outside.write_text("kept", encoding="utf-8")
    listed = (folder / "manifest.txt").read_text(encoding="utf-8")
    forged = f"{'0' * 64}  ../outside.csv\n"
    (folder / "manifest.txt").write_text(listed + forged, encoding="utf-8")
    assert (folder / "decisions-3.csv").is_file()
    nma.report(back_pain, folder)
    left = {file.name for file in folder.iterdir()}
    assert {"mine.csv", "decisions-4.csv", "report.md"} <= left
    assert {name for name in left if name.startswith("decisions")} == {"decisions-4.csv"}
    assert outside.is_file()
    again = (folder / "manifest.txt").read_text(encoding="utf-8").split()[11:]
    assert set(again[1::2]) == left - {"mine.csv", "decisions-4.csv", "manifest.txt"}


@pytest.mark.parametrize("name", ["report.md", "manifest.txt", "effects-2.csv"])
def test_a_file_that_no_report_wrote_is_not_replaced(
    name: str, back_pain: nma.Posterior, tmp_path: Path
) -> None:
    (tmp_path / name).write_text("mine", encoding="utf-8")
    with pytest.raises(ModelError, match=f"{name}.*which no report wrote"):
        nma.report(back_pain, tmp_path)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [(name, "mine")]


SESSION: Any = {
    "axes.spines.left": True,
    "font.weight": "bold",
    "patch.linewidth": 3,
    "savefig.bbox": "tight",
    "savefig.transparent": True,
    "xtick.minor.visible": True,
}


def test_settings_of_the_session_do_not_change_it(back_pain: nma.Posterior, tmp_path: Path) -> None:
    usual = written(back_pain, tmp_path)
    with mpl.rc_context(SESSION):
        assert written(back_pain, tmp_path) == usual
        assert mpl.rcParams["font.weight"] == "bold"
    with nma.plots.journal("single", font="DejaVu Serif"):
        assert written(back_pain, tmp_path) == usual


def test_wide_tables_are_printed_smaller_on_a_page_on_its_side(tmp_path: Path) -> None:
    text = written(nma.fit(network([f"drug {k}" for k in range(16)])), tmp_path)
    assert '<section id="league" class="wide"' in text
    assert '<section id="fit" aria' in text
    league = text.partition('<section id="league"')[2].partition("</section>")[0]
    assert '<table class="dense" style="--size:' in league
    assert "@page wide{size:landscape}" in text


REPORTED = """
import sys
import nma
posterior = nma.fit(nma.datasets.network("back_pain"))
mcid = nma.decisions.MCID(1, kind="between-group", source="a test")
for name in ("a.html", "a.md", "folder"):
    nma.report(posterior, f"{sys.argv[1]}/{name}", mcid=mcid)
"""


def test_processes_with_other_hashes_write_the_same_bytes(tmp_path: Path) -> None:
    for seed in ("0", "4321"):
        subprocess.run(  # noqa: S603  our own interpreter
            [sys.executable, "-W", "ignore", "-c", REPORTED, str(tmp_path / seed)],
            env=os.environ | {"PYTHONHASHSEED": seed},
            check=True,
            timeout=120,
        )
    first = {f.relative_to(tmp_path / "0"): f for f in (tmp_path / "0").rglob("*") if f.is_file()}
    assert len(first) > 30
    for name, file in first.items():
        assert file.read_bytes() == (tmp_path / "4321" / name).read_bytes(), name


def test_counts_of_the_network_are_those_of_the_trials(
    back_pain: nma.Posterior, tmp_path: Path
) -> None:
    folder = nma.report(back_pain, tmp_path / "a")
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert "9 trials with 18 arms compare 4 treatments by MD" in text
    pairs = pd.read_csv(folder / "network-5.csv")
    expected = back_pain.network.comparisons()
    assert pairs["trials"].tolist() == expected["trials"].tolist()
    assert (pairs["indirect"] == "yes").tolist() == expected["indirect"].tolist()
    rows = pd.read_csv(folder / "data-2.csv", index_col=0)
    given = back_pain.network.sources[0].rows.sort_index()
    assert rows.columns.tolist() == ["study", "treatment", "comparator", "md", "se", "n1", "n2"]
    assert rows["study"].tolist() == given["study"].tolist()
    assert rows["md"].tolist() == pytest.approx(given["md"].tolist())
    assert "Columns that are not shown: lower, upper, weeks, scale" in text
    arms = pd.read_csv(folder / "network-4.csv", index_col=0)
    table = back_pain.network.arms
    assert arms["arms"].to_dict() == table["treatment"].value_counts().to_dict()
    assert arms["participants"].sum() == table["participants"].sum()


def test_a_section_says_how_before_what_and_nothing_where_it_is_refused(tmp_path: Path) -> None:
    network = nma.datasets.network("back_pain")
    text = written(nma.fit(network), tmp_path)
    assert "Treatments were ranked by the joint posterior of their effects" in text
    assert "Inconsistency was assessed by least squares" in text
    least = written(nma.fit(network, engine=nma.engines.LeastSquares()), tmp_path)
    assert "ranked by the joint sampling distribution" in least
    base = nma.structures.Consistency()
    split = nma.structures.NodeSplit(base, "multimodal care", "passive control")
    refused = written(nma.fit(network, nma.Model(split)), tmp_path)
    assert "Treatments were ranked" not in refused
