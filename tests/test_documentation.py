"""What the documents show is what the library does."""

from __future__ import annotations

import ast
import math
import re
import runpy
import subprocess
import sys
import tomllib
from operator import attrgetter
from pathlib import Path
from types import ModuleType

import pytest

import comparisons
import nma
import sources

ROOT = Path(__file__).parent.parent


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_the_readme_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,), (printed,) = blocks(text, "python"), blocks(text, "text")
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102  our own document
    assert capsys.readouterr().out.split() == printed.split()


SVG_IDS = re.compile(r"(?<=[#\"])[a-z][0-9a-f]{10}(?=[\")])")
"""Ids that matplotlib makes from the coordinates."""


def svg_texts(path: Path) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text(encoding="utf-8"))


def svg_shape(path: Path) -> tuple[str, list[float]]:
    """Return the drawing without its numbers, and the numbers."""
    text = SVG_IDS.sub("", path.read_text(encoding="utf-8"))
    number = r"-?\d+(?:\.\d+)?"
    return re.sub(number, "", text), [float(found) for found in re.findall(number, text)]


def test_the_figure_of_the_readme_is_what_the_library_draws(tmp_path: Path) -> None:
    """Letter for letter with any matplotlib; line for line with the one that drew it."""
    import matplotlib as mpl

    page = runpy.run_path(str(ROOT / "docs" / "readme.py"))
    kept, now = page["FIGURE"], tmp_path / "now.svg"
    page["draw"](now)
    again = "draw it anew: python docs/readme.py"
    assert svg_texts(now) == svg_texts(kept), again
    assert len(svg_texts(kept)) > 10
    if f"Matplotlib v{mpl.__version__}," in kept.read_text(encoding="utf-8"):
        (drawn, numbers), (shape, expected) = svg_shape(now), svg_shape(kept)
        assert drawn == shape, again
        assert numbers == pytest.approx(expected, abs=1e-3), again
    assert kept.stat().st_size < 100_000


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_the_figure_is_told_in_words_too(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    ((told, path),) = re.findall(r"!\[([^\]]*)\]\(([^)]*)\)", text)
    figure = (ROOT / page).parent / path
    treatments = {"multimodal care", "standard exercise", "individualised exercise"}
    assert "Forest" in told
    assert "passive control" in told
    if page == "README.md":
        written = svg_texts(figure)
        words = " ".join(told.split()).replace("-", "\N{MINUS SIGN}")
        assert all(name in words for name in treatments)
        said = re.findall(r"\S+ \(\S+ \S+\)", words)
        assert len(said) == 3
        assert set(said) <= set(written)


def test_the_readme_asks_for_fifteen_lines() -> None:
    (code,) = blocks((ROOT / "README.md").read_text(encoding="utf-8"), "python")
    assert len(code.splitlines()) <= 15


def test_the_readme_leads_to_pages_that_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!http)([^)#]+)\)", text)
    assert len(links) > 10
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_the_readme_names_commands_that_exist() -> None:
    recipes = re.findall(
        r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    named = re.findall(r"`?make ([a-z-]+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert {"example", "test"} <= set(named) <= set(recipes)


KEPT = {"back_pain.py": (5, 6), "responders.py": (1, 1)}
"""How many figures and tables each example writes."""


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_examples_run(
    path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(sys, "argv", [str(path), str(tmp_path)])
    runpy.run_path(str(path), run_name="__main__")
    printed = " ".join(capsys.readouterr().out.split())
    assert "convenience sample" in printed
    assert "not evidence" in printed
    assert str(tmp_path) in printed
    made = sorted(found.suffix for found in tmp_path.iterdir())
    figures, tables = KEPT[path.name]
    assert made.count(".svg") == made.count(".png") == figures
    assert made.count(".csv") == made.count(".txt") == tables


def test_the_example_on_responders_finds_what_makes_a_ratio() -> None:
    """By odds: a ratio r at a rate p needs an odds ratio of r(1 - p)/(1 - r p)."""
    example = runpy.run_path(str(ROOT / "examples" / "responders.py"))
    odds = math.exp(0.28 * math.pi / math.sqrt(3))
    rate = example["rate_that_makes"](1.38, 0.28, "Hasselblad-Hedges")
    assert rate == pytest.approx((odds / 1.38 - 1) / (odds - 1), abs=1e-4)
    assert example["rate_that_makes"](1.84, 0.28, "Hasselblad-Hedges") is None
    for wanted, control in ((1.38, 0.3), (1.84, 0.5)):
        smd = example["needed"](wanted, control, "Hasselblad-Hedges")
        expected = math.log(wanted * (1 - control) / (1 - wanted * control))
        assert smd == pytest.approx(expected * math.sqrt(3) / math.pi, abs=1e-5)
    assert math.isnan(example["needed"](1.84, 0.55, "Furukawa"))


OURS = re.compile(
    r"(?<![\w.])(?:nma\.(\w+(?:\.\w+)?)|((?:"
    + "|".join(name for name in nma.__all__ if isinstance(getattr(nma, name), ModuleType))
    + r"|Network)\.(?!py\b)\w+))"
)
"""A public name within code: ``nma.fit``, ``nma.checks.loops`` or ``checks.loops``."""


@pytest.mark.parametrize("page", ["choose", "explain", "coming", "glossary"])
def test_pages_name_what_exists(page: str) -> None:
    """Of a table that sets other programs beside ours, the last column alone is ours."""
    lines = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8").split("\n")
    if page == "coming":
        lines = [line.rsplit("|", 2)[-2] if line.startswith("|") else line for line in lines]
    named = {
        a or b
        for code in re.findall(r"`([^`\n]+)`", "\n".join(lines))
        for a, b in OURS.findall(code)
    }
    assert len(named) > 10
    missing = []
    for name in sorted(named):
        try:
            attrgetter(name)(nma)
        except AttributeError:
            missing.append(name)
    assert missing == []


def test_models_are_explained_beside_files_that_exist() -> None:
    text = (ROOT / "docs" / "explain.md").read_text(encoding="utf-8")
    files = re.findall(r"`((?:structures|heterogeneity|outcomes|engines)/\w+\.py|\w+\.py)`", text)
    assert [name for name in files if not (ROOT / "src" / "nma" / name).is_file()] == []
    for folder in ("structures", "heterogeneity", "outcomes", "engines"):
        found = [
            name for name in getattr(nma, folder).__all__ if f"nma.{folder}.{name}" not in text
        ]
        assert found == []


def test_figures_of_the_pages_are_drawn_small_and_alike(tmp_path: Path) -> None:
    draw = runpy.run_path(str(ROOT / "docs" / "figures.py"))["draw"]
    first, second = draw(tmp_path / "first"), draw(tmp_path / "second")
    text = (ROOT / "docs" / "explain.md").read_text(encoding="utf-8")
    assert set(re.findall(r"_figures/([\w-]+\.svg)", text)) == {path.name for path in first}
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert max(path.stat().st_size for path in first) < 100_000


def test_the_glossary_is_in_alphabetical_order() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").split("{glossary}\n")[1]
    terms = [
        term.lower().replace("-", " ") for term in re.findall(r"^([^\s`].*)$", text, re.MULTILINE)
    ]
    assert len(terms) > 50
    assert terms == sorted(set(terms))


def test_numbers_that_differ_have_their_cause_on_the_page() -> None:
    rows = [row for found in comparisons.read().values() for row in found]
    text = (ROOT / "docs" / "checked.md").read_text(encoding="utf-8")
    causes = [line.split(" | ") for line in text.split("## Where they differ")[1].splitlines()]
    told = [(cells[0], cells[2]) for cells in causes if len(cells) == 5]
    differing = [row for row in rows if row.verdict == "differs"]
    assert len(differing) > 5
    for row in differing:
        source = row.source.removeprefix("NICE DSU ")
        assert any(source in place and is_told(row.theirs, theirs) for place, theirs in told), row


def is_told(number: str, cell: str) -> bool:
    """Whether a cell names a number, perhaps with fewer digits."""
    printed = re.findall(r"-?\d+(?:\.\d+)?", cell)
    return any(f"{float(number):.{len(text.partition('.')[2])}f}" == text for text in printed)


def test_every_row_is_of_a_test_that_exists() -> None:
    """What such a test compares, it holds to its rows itself: see tests/literature/conftest.py."""
    command = [sys.executable, "-m", "pytest", "tests/literature", "--collect-only", "--quiet"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603  ours
    tests = {line.removeprefix("tests/literature/") for line in found.stdout.splitlines()}
    assert len(tests) > 300
    assert [name for name in comparisons.read() if name not in tests] == []


def test_the_readme_and_the_page_count_the_comparisons(tmp_path: Path) -> None:
    total = sum(map(len, comparisons.read().values()))
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    (told,) = re.findall(r"([\d,]+) comparisons with printed or stored numbers", readme)
    assert told == f"{total // 100 * 100:,}"
    runpy.run_path(str(ROOT / "docs" / "checked.py"))["write"](tmp_path / "checked")
    table = (tmp_path / "checked" / "_index.md").read_text(encoding="utf-8")
    assert f"**{total:,} comparisons**" in table
    linked = re.findall(r"\(checked/(.*?\.md)\).*?\| ([\d,]+) \| (?:none|\d+) \|", table)
    assert len(linked) == len(sources.SOURCES)
    assert sum(int(count.replace(",", "")) for _, count in linked) == total
    for name, count in linked:
        page = (tmp_path / "checked" / name).read_text(encoding="utf-8")
        assert page.count('<th scope="row">') == int(count.replace(",", ""))


def test_the_committed_rows_are_written_as_they_are_read(tmp_path: Path) -> None:
    comparisons.write(comparisons.read(), tmp_path / "again.csv")
    committed = comparisons.FILE.read_bytes()
    assert (tmp_path / "again.csv").read_bytes() == committed
    assert len(committed) < 300_000


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    records = sorted(path.name for path in folder.glob("0*.md"))
    assert re.findall(r"\((0[^)]*\.md)\)", index) == records


@pytest.mark.parametrize(
    "path", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda p: p.name
)
def test_locks_pin_with_hashes_and_name_no_host(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    pins = [line for line in text.splitlines() if re.match(r"[a-z0-9]", line)]
    assert all("==" in line for line in pins)
    assert text.count("--hash=sha256:") >= len(pins) > 20
    assert "://" not in text


def test_no_file_names_a_place_on_a_machine() -> None:
    places = re.compile(r"(?<![\w.])/(root|home|tmp)/\w")
    files = [
        path
        for folder in ("src", "tests", "docs", "examples", "benchmarks", "requirements", ".ci")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "_build" not in path.parts and path.suffix not in {".pyc", ".png"}
    ]
    assert len(files) > 50
    texts = {path: path.read_text(encoding="utf-8") for path in [*files, ROOT / "README.md"]}
    assert [
        str(path.relative_to(ROOT)) for path, text in texts.items() if places.search(text)
    ] == []


NO_CODES = {"within-person", "between-group", "follow-up", "p-value"}
"""Words with a hyphen that are arguments and no codes."""

ONE_WORD = {"disconnected", "empty", "infinite", "missing", "negative", "rising"}
"""Codes without a hyphen, which would not be told from other words."""


def codes_of(path: Path) -> set[str]:
    """Words in a file that can be codes: with a hyphen, as argument or as first of a tuple."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        places: list[ast.expr] = []
        if isinstance(node, ast.Call):
            places = node.args
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
            places = node.value.elts[:1]
        issued = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Issue"
        words = [place.value for place in places if isinstance(place, ast.Constant)]
        code = r"[a-z]+(-[a-z]+)*" if issued else r"[a-z]+(-[a-z]+)+"
        found |= {word for word in words if isinstance(word, str) and re.fullmatch(code, word)}
    return found


def test_every_code_of_a_message_is_explained_once() -> None:
    source = ROOT / "src" / "nma"
    files = [
        path
        for path in source.rglob("*.py")
        if not {"plots", "decisions", "checks"} & {*path.relative_to(source).parts}
    ]
    used = set().union(*map(codes_of, files)) - NO_CODES
    explained = nma.errors.meanings()
    classes = {name for name in nma.errors.__all__ if name.endswith(("Error", "Warning"))}
    # those of _doses.py are put together from the word dose or agent
    assert set(explained) == used | ONE_WORD | {"agent-column", "dose-column"} | classes


def test_the_page_of_codes_is_what_the_library_explains() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "codes.py"))
    text = (ROOT / nma.errors.PAGE).read_text(encoding="utf-8")
    assert text == page["written"](), "write it anew: python docs/codes.py"
    headings = re.findall(r"^### (.*)$", text, flags=re.MULTILINE)
    assert headings == list(nma.errors.meanings())
    anchors = {meaning.page.partition("#")[2] for meaning in nma.errors.meanings().values()}
    assert anchors == {heading.lower() for heading in headings}
    for link in re.findall(r"\]\(([\w./]+\.md)\)", text):
        assert (ROOT / nma.errors.PAGE).parent.joinpath(link).is_file(), link


def test_explanations_name_what_exists() -> None:
    for meaning in nma.errors.meanings().values():
        said = f"{meaning.what} {meaning.why} {meaning.remedy}"
        for name in re.findall(r"nma\.([\w.]+\w)", said):
            assert attrgetter(name)(nma) is not None, meaning.code


def test_the_citation_names_this_version_and_nobody_in_particular() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "CITATION.cff").read_text(encoding="utf-8").splitlines()
    told = dict(line.split(": ", 1) for line in lines if re.match(r"[a-z-]+: ", line))
    assert told["version"] == project["version"]
    assert told["license"] == project["license"]
    assert lines[lines.index("authors:") + 1] == '  - name: "The nma maintainers"'
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    (cited,) = re.findall(r"## Cite > (.*?) \[", readme)
    assert cited == f"The nma maintainers. {told['title'][1:-1]}, version {told['version']}."
