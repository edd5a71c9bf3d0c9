"""The corpus is whole: every kind of refusal the intake knows is met by a test here."""

from __future__ import annotations

import ast
from pathlib import Path

import nma

SOURCE = Path(nma.__file__).parent
INTAKE = [
    "labels.py",
    "intake.py",
    "repeats.py",
    *(
        f"outcomes/{n}.py"
        for n in (
            "_binary",
            "_category_checks",
            "_checks",
            "_contrast",
            "_estimates",
            "_events",
            "_multiarm",
            "_reference",
            "_scores",
            "_spread",
        )
    ),
    *(f"readers/{path.name}" for path in sorted((SOURCE / "readers").glob("_*.py"))),
]


def texts(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {text for text in constants if isinstance(text, str)}


def codes(path: Path) -> set[str]:
    """Codes in Issue(...), .issue(...), where(...), sheet.where(...), and of returned triples."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        parts: list[ast.expr] = []
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            of_sheet = getattr(getattr(node.func, "value", None), "id", "") == "sheet"
            position = {"Issue": 0, "issue": 0, "where": 2 if of_sheet else 3}.get(name)
            parts = [] if position is None else node.args[position : position + 1]
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
            parts = node.value.elts[:1]
        found |= {
            p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str)
        }
    return found


def test_every_code_is_met() -> None:
    known = set().union(*(codes(SOURCE / name) for name in INTAKE))
    assert len(known) > 30
    tested = set().union(*(texts(path) for path in Path(__file__).parent.glob("test_*.py")))
    assert sorted(known - tested) == []
