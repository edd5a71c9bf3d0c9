"""Tables for manuscripts say what the printed ones say, and nothing in a name can break them."""

from __future__ import annotations

import html
import io
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import nma
from nma.latex import SPECIAL, escaped
from nma.tables import Table
from nma.typesetting import printed

HOSTILE = [
    "<script>alert(1)</script>",
    "50% & more_of #1",
    r"\input{secrets} $x^2$",
    "}{~|`\"--'",
    "[2cm] *",
    "</caption></table>",
]


@pytest.fixture(scope="module")
def tables() -> dict[str, Table]:
    posterior = nma.fit(nma.datasets.network("back_pain"))
    return {
        "summary": nma.summary(posterior),
        "league": nma.league_table(posterior),
        "effects": nma.effect_table(posterior, predictive=True),
        "levels": nma.absolute_table(posterior, reference_level=5),
        "sucra": nma.sucra(posterior),
        "ranks": nma.rank_probabilities(posterior),
        "parameters": nma.parameter_table(posterior),
        "mixed": Table(
            {"a": [1, 2], "b": [1.25, np.nan], "c": ["x", None], "d": [0.001, 1.0]},
            digits={"a": 1, "b": 3},
            probabilities=["d"],
        ),
    }


@pytest.fixture(scope="module")
def hostile() -> Table:
    """A league table of treatments with such names."""
    cells = [["-0.50 (-1.00, 0.20)"] * len(HOSTILE) for _ in HOSTILE]
    for place, name in enumerate(HOSTILE):
        cells[place][place] = name
    return Table(cells, index=HOSTILE, columns=HOSTILE, caption=HOSTILE[2], notes=HOSTILE)


def test_cells_are_those_that_are_printed(tables: dict[str, Table]) -> None:
    for name, table in tables.items():
        shown = table._printing()
        with pd.option_context("display.max_colwidth", None):
            page = pd.DataFrame(table).to_html(**shown)
        cells = [html.unescape(cell) for cell in re.findall(r"<td>(.*?)</td>", page)]
        grid = printed(pd.DataFrame(table), **shown)
        assert [cell for row in grid.cells for cell in row] == cells, name


def environments(text: str) -> list[str]:
    opened: list[str] = []
    closed = []
    for verb, name in re.findall(r"(?<!\\)\\(begin|end)\{(\w+)\}", text):
        if verb == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
            closed.append(name)
    assert opened == []
    return closed


def balance(text: str) -> int:
    """How many braces are left open; a brace after a backslash is a sign."""
    bare = re.sub(r"\\[{}]", "", text)
    return bare.count("{") - bare.count("}")


def rows(text: str) -> list[list[str]]:
    """The cells of the rows below the header of a table in LaTeX, its parts side by side."""
    bodies = re.findall(r"\\midrule\n(.*?)\\bottomrule", text, flags=re.DOTALL)
    parts = [[line.removesuffix(r" \\").split(" & ") for line in b.splitlines()] for b in bodies]
    return [sum((row[1:] for row in rest), first) for first, *rest in zip(*parts, strict=True)]


def test_latex_is_whole(tables: dict[str, Table], hostile: Table) -> None:
    for name, table in {**tables, "hostile": hostile}.items():
        text = table.as_latex()
        noted = ["minipage"] if table.notes else []
        parts = text.count(r"\begin{table}")
        assert environments(text) == ["tabular", "table"] * (parts - 1) + [
            "tabular",
            *noted,
            "table",
        ]
        assert balance(text) == 0, name
        assert parts == (2 if name == "hostile" else 1), name
        aligned = re.findall(r"\\begin\{tabular\}\{l([lr]+)\}", text)
        assert {len(row) for row in rows(text)} == {1 + len("".join(aligned))}, name
        assert len(rows(text)) == len(table), name


def test_latex_gives_the_numbers_at_the_printed_digits(tables: dict[str, Table]) -> None:
    table = tables["effects"]
    found = rows(table.as_latex())
    for place, column in enumerate(["estimate", "lower", "upper"]):
        printed_numbers = [float(row[2 + place].replace("$-$", "-")) for row in found]
        assert printed_numbers == table[column].round(2).tolist()


def unescaped(text: str) -> str:
    written = sorted(SPECIAL.items(), key=lambda pair: -len(pair[1]))
    pattern = "|".join(re.escape(code) for _, code in written) + "|-\\{\\}"
    back = {code: sign for sign, code in written} | {"-{}": "-"}
    return re.sub(pattern, lambda match: back[match[0]], text)


@pytest.mark.parametrize("name", [*HOSTILE, "".join(SPECIAL), "a---b", "plain name 2.5 mg"])
def test_names_come_out_of_latex_as_they_went_in(name: str) -> None:
    assert unescaped(escaped(name)) == name


def test_nothing_in_a_name_acts_on_latex(hostile: Table) -> None:
    written = [*map(escaped, HOSTILE)]
    for text in written:
        left = re.sub(
            r"\\text[a-z]+\{\}|\\[{}$&#%_]|\{[\[*]\}|-\{\}", "", text
        )  # what is escaped on purpose
        assert not set(left) & set(SPECIAL)
        assert "--" not in text
    found = rows(hostile.as_latex())
    assert [row[0] for row in found] == written
    assert [row[1 + place] for place, row in enumerate(found)] == written  # the diagonal


def test_line_breaks_in_a_name_end_no_row() -> None:
    assert escaped("two\n\nlines \t here") == "two lines here"


class Page(HTMLParser):
    """The tags, attributes and rows of cells of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"td", "th"}:
            self.rows[-1][-1] += data


def plain(cell: str) -> str:
    """Return a cell as it is printed in a terminal."""
    return cell.replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}", " ")


def test_studies_with_a_year_are_words_and_stand_left() -> None:
    table = Table(
        {"study": ["Smith 2012", "de Lira 2025"], "n": ["12", "-"], "p": ["<0.01", "0.2"]}
    )
    assert table._grid().words == (True, False, False)
    assert r"\begin{tabular}{llrr}" in table.as_latex()
    assert '<td style="text-align: left; padding: 2pt 6pt; white-space: nowrap">Smith' in (
        table.as_html()
    )


def test_limits_are_not_parted_and_rules_are_those_of_cells() -> None:
    table = Table({"a": ["-1.5 (-2.0, -1.0)", "a, b (c, d)"]}, caption="All.", notes=["Note."])
    text = table.as_html()
    minus, space = "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"
    assert f">{minus}1.5 ({minus}2.0,{space}{minus}1.0)</td>" in text
    assert ">a, b (c, d)</td>" in text
    assert "border-t" not in text.partition(">")[0]  # word processors forget those of the table
    first, *middle, last = re.findall(r"<tr>.*</tr>", text)
    assert first.count("border-top: 1pt solid; border-bottom: 0.5pt solid") == 2
    assert last.count("border-bottom: 1pt solid") == 2
    assert "border" not in "".join(middle)


def test_html_holds_the_printed_cells_and_no_more(tables: dict[str, Table], hostile: Table) -> None:
    for name, table in {**tables, "hostile": hostile}.items():
        page = Page(table.as_html())
        grid = printed(pd.DataFrame(table), **table._printing())
        assert page.open == []
        assert page.tags <= {"table", "caption", "thead", "tbody", "tr", "th", "td", "p"}
        assert page.attributes <= {"style", "scope", "colspan", "cellpadding"}
        head = [list(grid.stub) + list(grid.heads)]
        body = [[*label, *cells] for label, cells in zip(grid.labels, grid.cells, strict=True)]
        told = [[plain(cell) for cell in row] for row in page.rows]
        assert told[-len(table) - 1 :] == head + body, name


def test_ranks_stand_under_their_name(tables: dict[str, Table]) -> None:
    assert r"\multicolumn{4}{c}{rank}" in tables["ranks"].as_latex()
    assert r"\cmidrule{2-5}" in tables["ranks"].as_latex()
    assert Page(tables["ranks"].as_html()).rows[0] == ["", "rank"]


def test_csv_keeps_every_number_and_every_word(tables: dict[str, Table]) -> None:
    for name in ("summary", "effects", "levels", "sucra"):
        table = tables[name]
        text = table.as_csv()
        levels = list(range(table.index.nlevels))
        cells = pd.read_csv(io.StringIO(text), comment="#", index_col=levels, dtype=str)
        again = cells.apply(lambda column: column.map(float))
        pd.testing.assert_frame_equal(
            again, pd.DataFrame(table), check_exact=True, check_names=False, check_dtype=False
        )
        said = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# ")]
        assert said == [table.caption, *table.notes]


def test_a_caption_of_two_lines_is_one_comment() -> None:
    text = Table({"a": [1.0]}, caption="one\ntwo", notes=["x,\r\ny"]).as_csv()
    assert text.splitlines() == ["# one two", "# x, y", ",a", "0,1.0"]


def test_comments_are_no_formulas_in_a_spreadsheet_either() -> None:
    """It takes them apart at commas or, where the comma is for decimals, at semicolons."""
    told = ['no trial has b,=HYPERLINK("a")', "x; +1 +a", "-0.5 (-1.0, -0.2); -3"]
    text = Table({"a": [1.0]}, caption=told[0], notes=told[1:]).as_csv()
    comments = ['# no trial has b,\'=HYPERLINK("a")', "# x;' +1 +a", f"# {told[2]}"]
    assert text.splitlines()[:3] == comments


def test_a_wide_table_becomes_parts_that_fit_and_lose_nothing() -> None:
    names = [f"treatment {k}" for k in range(30)]
    cells = [[f"{i}.00 (-1.00, {j}.20)" for j in range(30)] for i in range(30)]
    text = Table(cells, index=names, columns=names, caption="All.", notes=["Note."]).as_latex()
    found = rows(text)
    assert [row[0] for row in found] == names
    assert [[cell.replace("$-$", "-") for cell in row[1:]] for row in found] == cells
    parts = re.findall(r"\\caption\{All\. \(part (\d+) of (\d+)\)\}", text)
    assert parts == [(str(k + 1), str(len(parts))) for k in range(len(parts))]
    assert 4 < len(parts) < 10
    assert text.count("Note.") == 1
    assert r"\clearpage" not in text
    tall = Table({"a": range(100)}, caption="Tall.").as_latex()
    assert tall.count(r"\begin{table}") == 3
    assert len(re.findall(r"^\d+ & \d+", tall, flags=re.MULTILINE)) == 100


def test_latex_is_told_to_place_the_parts_of_a_long_table() -> None:
    text = Table({"a": range(36 * 25)}, caption="Long.").as_latex()
    held = [part.count(r"\begin{table}") for part in text.split("\n\\clearpage\n")]
    assert held[:-1] == [10] * (len(held) - 1)
    assert len(held) > 2
    assert 0 < held[-1] <= 10


def test_a_long_name_costs_room_in_its_own_column_alone() -> None:
    names = ["w" * 200, *(f"treatment {k}" for k in range(20))]
    cells = [["1.00 (0.50, 2.00)"] * 21] * 21
    labels = pd.Index([f"row {k}" for k in range(21)])
    text = Table(cells, index=labels, columns=names, caption="All.").as_latex()
    parts = [part for part in text.split(r"\begin{table}") if "tabular" in part]
    assert max(part.count("row ") for part in parts if "www" in part) < 21
    assert {part.count("row ") for part in parts if "www" not in part} == {21}


def test_names_are_no_formulas_in_a_spreadsheet_and_numbers_stay() -> None:
    names = ["=HYPERLINK(1)", "+x", "-1+A1", "@SUM(1)", "\t=1", "plain", "-0.5 (-1.0, 0.2)"]
    table = Table({"=a": [-1.5] * 7, "b": names}, index=pd.Index(names, name="-t"))
    again = pd.read_csv(io.StringIO(table.as_csv()))
    assert again.columns.tolist() == ["'-t", "'=a", "b"]
    assert again["'=a"].tolist() == [-1.5] * 7
    assert again["b"].tolist() == [*(f"'{name}" for name in names[:5]), *names[5:]]
    assert again["'-t"].tolist() == again["b"].tolist()
