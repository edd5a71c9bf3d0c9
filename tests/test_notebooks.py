"""Every notebook in examples/ runs, starts from a table of trials and says what not to conclude."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
LIMIT = 120
"""Seconds that a cell may take before it is given up."""

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def pictures(cell: Any) -> list[Any]:
    """The outputs of a cell that are seen as a picture."""
    return [
        output
        for output in cell.get("outputs", [])
        if any(kind.startswith("image/") for kind in output.get("data", {}))
    ]


def words(cell: Any) -> str:
    """What is said of a cell's picture to those who do not see it."""
    return str(cell.metadata.get("mystnb", {}).get("image", {}).get("alt", ""))


def test_the_pages_list_every_notebook() -> None:
    text = (ROOT / "docs" / "notebooks.md").read_text(encoding="utf-8")
    listed = re.findall(r"^notebooks/(\w+)$", text, re.MULTILINE)
    assert sorted(listed) == [path.stem for path in NOTEBOOKS]


def test_the_pages_have_no_headers_of_nothing() -> None:
    pytest.importorskip("sphinx")
    docutils = pytest.importorskip("docutils.utils")
    nodes = pytest.importorskip("docutils.nodes")
    cornered = runpy.run_path(str(ROOT / "docs" / "conf.py"))["cornered"]
    table = "<tr><th></th><th>p</th></tr><tr><th>A</th><td></td></tr>"
    page = docutils.new_document("page")
    page += [nodes.raw("", table, format="html"), nodes.paragraph("", "Write <th></th>.")]
    cornered(None, page, "page")
    assert page[0].astext() == "<tr><td></td><th>p</th></tr><tr><th>A</th><td></td></tr>"
    assert page[1].astext() == "Write <th></th>."


@each
def test_a_notebook_is_kept_without_what_running_it_leaves(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert notebook.metadata.kernelspec.name == "python3"
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert set(notebook.metadata.language_info) == {"name"}


@each
def test_a_notebook_starts_from_a_table_and_ends_with_its_limits(path: Path) -> None:
    cells = read(path).cells
    prose = [cell.source for cell in cells if cell.cell_type == "markdown"]
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    headings = re.findall(r"^(#+) (.+)$", "\n".join(prose), re.MULTILINE)
    assert [len(marks) for marks, _ in headings].count(1) == 1
    assert prose[0].startswith("# ")
    assert "What not to conclude" in [heading for _, heading in headings]
    assert re.search(r"pd\.DataFrame\(|pd\.read_csv\(|nma\.datasets\.load\(", "\n".join(code[:3]))


@each
def test_a_notebook_runs_and_warns_of_nothing(path: Path, tmp_path: Path) -> None:
    notebook = read(path)
    client = nbclient.NotebookClient(
        notebook, timeout=LIMIT, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert len(outputs) > 3
    assert [o.text for o in outputs if o.output_type == "stream" and o.name == "stderr"] == []
    for cell in notebook.cells:
        assert bool(pictures(cell)) == bool(words(cell)), f"a picture or its words: {cell.source}"
