"""The house keeps its storeys: import order, no cycles, a light import, small files."""

from __future__ import annotations

import ast
import statistics
import subprocess
import sys
from functools import cache
from pathlib import Path

import networkx as nx
import pytest

import nma

SOURCE = Path(nma.__file__).parent
ROOMS = [
    "errors",
    "arrays",
    "links",
    "threads",
    "versions",
    "priors",
    "instruments",
    "graph",
    "wording",
    "labels",
    "readers",
    "markup",
    "typesetting",
    "latex",
    "tables",
    "span",
    "interpolation",
    "mixtures",
    "problem",
    "_arviz",
    "protocols",
    "outcomes",
    "repeats",
    "intake",
    "units",
    "shapes",
    "sources",
    "joining",
    "network",
    "columns",
    "structures",
    "heterogeneity",
    "model",
    "ranges",
    "reach",
    "least_squares",
    "two_sided",
    "integrand",
    "integrated",
    "chebyshev",
    "arm_trials",
    "engines",
    "posterior",
    "fitting",
    "refits",
    "new_trial",
    "estimates",
    "effects",
    "curves",
    "points",
    "arm_levels",
    "level_trials",
    "own_level",
    "baselines",
    "absolute",
    "standardised",
    "summaries",
    "parameters",
    "incremental",
    "prior_predictive",
    "planning",
    "truths",
    "trial_means",
    "simulated_model",
    "simulation",
    "ranking",
    "fit_measures",
    "normal_evidence",
    "evidence",
    "checks",
    "hierarchy",
    "orderings",
    "partial_orders",
    "decisions",
    "plots",
    "reports",
    "datasets",
    "__init__",
    "__main__",
]
HEAVY = ["pymc", "pytensor", "arviz", "matplotlib", "networkx", "scipy", "narwhals", "rich"]
FILES = sorted(SOURCE.rglob("*.py"))


def module(path: Path) -> str:
    """nma/engines/_gaussian.py is nma.engines._gaussian."""
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def room(name: str) -> str:
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


@cache
def imported(path: Path) -> frozenset[str]:
    """Modules of ours that a file imports anywhere: at the top, in functions, for types."""
    known = {module(file) for file in FILES}
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "nma":
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & known
            found |= inner or {node.module or ""}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "nma"}
    return frozenset(found - {module(path)})


def test_every_room_has_its_place() -> None:
    assert sorted({room(module(path)) for path in FILES}) == sorted(ROOMS)


@pytest.mark.parametrize("path", FILES, ids=module)
def test_files_import_upward_only(path: Path) -> None:
    here = room(module(path))
    for name in imported(path):
        assert ROOMS.index(room(name)) <= ROOMS.index(here), f"{module(path)} imports {name}"


def test_no_cycles_not_even_lazy_ones() -> None:
    edges = [(module(path), name) for path in FILES for name in imported(path)]
    assert list(nx.simple_cycles(nx.DiGraph(edges))) == []


def test_only_graph_uses_networkx() -> None:
    users = {room(module(p)) for p in FILES if "import networkx" in p.read_text(encoding="utf-8")}
    assert users == {"graph", "network"}
    # network.py names the type of its property, and nothing more
    assert "    import networkx as nx\n" in (SOURCE / "network.py").read_text(encoding="utf-8")
    assert "nx.Graph" in (SOURCE / "network.py").read_text(encoding="utf-8")
    assert (SOURCE / "network.py").read_text(encoding="utf-8").count("nx.") == 1


def test_importing_nma_loads_nothing_heavy() -> None:
    code = "import sys, nma; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run(  # noqa: S603  our own interpreter, our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "xarray" not in HEAVY
    assert sorted(set(HEAVY) & set(loaded)) == []


@pytest.mark.parametrize("path", FILES, ids=module)
def test_every_file_says_what_it_exports(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "a module docstring says what the file is"
    named = [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    assert "__all__" in named


def test_files_inside_plural_packages_begin_with_an_underscore() -> None:
    inside = [path for path in FILES if path.parent != SOURCE and path.name != "__init__.py"]
    assert [path.name for path in inside if not path.name.startswith("_")] == []


@pytest.mark.parametrize("path", FILES, ids=module)
def test_files_can_be_read_in_a_sitting(path: Path) -> None:
    assert path.read_text(encoding="utf-8").count("\n") <= 400


def test_functions_are_small() -> None:
    sizes = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                size = node.body[-1].end_lineno - body[0].lineno + 1 if body else 0  # type: ignore[operator]
                assert size <= 45, f"{module(path)}.{node.name} has {size} lines"
                sizes.append(size)
    assert statistics.median(sizes) < 8


def test_no_name_says_nothing() -> None:
    banned = ("utils", "helpers", "manager")
    assert [p.name for p in FILES if any(word in p.stem for word in banned)] == []
    names = [
        node.name
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]
    assert [name for name in names if name.startswith(("get_", "compute_"))] == []


def test_nothing_prints() -> None:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.Name) and node.id == "print"), module(path)


def test_public_names_are_in_workflow_order_on_one_screen() -> None:
    text = (SOURCE / "__init__.py").read_text(encoding="utf-8")
    assert text.count("\n") < 90
    assert sorted(nma.__all__) == nma.__all__
    assert all(hasattr(nma, name) for name in nma.__all__)
