"""Every public name says what it takes, gives and refuses, shows it, and names its source."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import runpy
import textwrap
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

import pytest

import nma

ROOT = Path(__file__).parent.parent
MODULES: tuple[str, ...] = runpy.run_path(str(ROOT / "docs" / "public.py"))["modules"]()

METHODS = {
    "checks",
    "decisions",
    "engines",
    "evidence",
    "fit_measures",
    "heterogeneity",
    "outcomes",
    "readers",
    "shapes",
    "structures",
}
"""Packages of published methods: whatever is called in them has a source."""

OTHERS = {
    "datasets",
    "errors",
    "graph",
    "instruments",
    "plots",
    "priors",
    "problem",
    "protocols",
    "refits",
    "reports",
    "simulation",
    "tables",
    "versions",
}
"""Packages and modules of values, pictures and plumbing: sources stand where there are any."""

ANSWERS = {"Published", "Table", "xr.DataArray", "xr.Dataset", "float"}
"""What the verbs of ``nma`` and the priors by name return where they compute something."""


class Public(NamedTuple):
    """A public name: a function, a class, or a method or property of a class."""

    name: str
    value: Any
    owner: type | None = None

    @property
    def doc(self) -> str:
        return inspect.getdoc(self.value) or ""

    @property
    def call(self) -> Any:
        """What is run: the function inside a property, the class for what it checks."""
        found = self.value.fget if isinstance(self.value, property) else self.value
        return getattr(found, "__func__", found)

    def section(self, title: str) -> str | None:
        return sections(self.doc).get(title)


def sections(doc: str) -> dict[str, str]:
    """Return the parts of a numpydoc docstring by title; the summary and what follows are ''."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}$", doc, flags=re.MULTILINE)
    return {"": parts[0].strip(), **dict(zip(parts[1::2], parts[2::2], strict=True))}


def is_protocol(value: object) -> bool:
    return bool(getattr(value, "_is_protocol", False))


@cache
def names() -> tuple[Public, ...]:
    """Return every public value of every module of the reference, once."""
    found: dict[int, Public] = {}
    for module in map(import_module, MODULES):
        for name in module.__all__:
            value = getattr(module, name)
            if not isinstance(value, ModuleType):
                found.setdefault(id(value), Public(f"{module.__name__}.{name}", value))
    return tuple(found.values())


def members(public: Public) -> Iterator[Public]:
    """Yield what a class defines itself, for users: no field, nothing private or abstract."""
    for name, member in vars(public.value).items():
        wrapped = isinstance(member, classmethod | staticmethod | property | cached_property)
        if name.startswith("_") or getattr(member, "__isabstractmethod__", False):
            continue
        if wrapped or isinstance(member, FunctionType):
            yield Public(f"{public.name}.{name}", member, public.value)


def draws(public: Public) -> bool:
    """Whether it is a figure: others of the plots, such as how wide they are, draw nothing."""
    returns = getattr(public.value, "__annotations__", {}).get("return")
    return public.name.startswith("nma.plots.") and returns == "Axes"


ALL = [one for one in names() if inspect.isclass(one.value) or inspect.isfunction(one.value)]
CLASSES = [public for public in ALL if inspect.isclass(public.value)]
FUNCTIONS = [public for public in ALL if not inspect.isclass(public.value)]
MARKS = [
    Public(f"{public.name}.marks", public.value.marks) for public in FUNCTIONS if draws(public)
]
PROTOCOLS = [public for public in CLASSES if is_protocol(public.value)]
CONCRETE = [public for public in CLASSES if not is_protocol(public.value)]
PROTOCOL_MEMBERS = {
    member.name.rsplit(".", 1)[1]
    for public in CLASSES
    if is_protocol(public.value)
    for member in members(public)
}
METHODS_OF_CLASSES = [member for public in CLASSES for member in members(public)]
OWN_METHODS = [
    member
    for public in CONCRETE
    for member in members(public)
    if member.name.rsplit(".", 1)[1] not in PROTOCOL_MEMBERS
]
"""Methods that a user calls; those that a protocol asks for are described there."""

CALLED = [
    *FUNCTIONS,
    *MARKS,
    *(one for one in OWN_METHODS if not isinstance(one.value, property | cached_property)),
]
VALUES = [public for public in CONCRETE if not issubclass(public.value, BaseException)]


def by_name(publics: list[Public]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("public", publics, ids=[public.name for public in publics])


def test_the_reference_is_of_all_that_is_offered() -> None:
    offered = {f"nma.{name}" for name in nma.__all__ if isinstance(getattr(nma, name), ModuleType)}
    assert offered < set(MODULES)
    assert {"nma", "nma.errors", "nma.problem", "nma.protocols", "nma.tables"} <= set(MODULES)
    assert {module.split(".")[1] for module in MODULES if module != "nma"} == METHODS | OTHERS
    assert len(ALL) > 200


@by_name(ALL + MARKS + METHODS_OF_CLASSES)
def test_a_summary_is_one_sentence_on_one_line(public: Public) -> None:
    summary = public.section("") or ""
    first = summary.split("\n\n")[0]
    assert re.fullmatch(r"[^\n]{8,98}\.", first), first
    assert not re.search(r"\. [A-Z]", first), first


STARS: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


def parameters_of(public: Public) -> list[str]:
    """Return the parameters that a caller names, with the stars of those that take any number."""
    found = list(inspect.signature(public.call).parameters.values())
    if public.owner is not None and not isinstance(public.value, staticmethod):
        found = found[1:]
    return [STARS.get(one.kind, "") + one.name for one in found if one.name[0] != "_"]


def described(text: str | None) -> list[str]:
    """Return the names that a section describes, in their order."""
    heads = re.findall(r"^(\S[^:\n]*?)(?: :.*)?$", text or "", flags=re.MULTILINE)
    return [name.strip() for head in heads for name in head.split(",")]


@by_name(CALLED + VALUES)
def test_parameters_are_those_of_the_signature_in_their_order(public: Public) -> None:
    assert described(public.section("Parameters")) == parameters_of(public)


@by_name(CALLED)
def test_what_is_returned_is_described(public: Public) -> None:
    hint = inspect.signature(public.call).return_annotation
    assert hint is not inspect.Signature.empty
    told = public.section("Returns") or public.section("Yields")
    if hint in {"None", None}:
        assert told is None
        return
    assert told is not None
    first = told.strip().splitlines()[0]
    if re.search(r"\b(DataArray|NDArray|Dataset)\b", hint):
        assert re.search(r"\((\.{3}, )?(\w+, )*\w+,?( - 1)?\)", told), "dims stand in their order"
    if re.search(r"\b(Table|DataFrame|Dataset)\b", hint):
        assert re.search(r"``\w+``|[Rr]ows?\b|[Cc]olumns?\b", told), "rows and columns are named"
    assert first


@cache
def raises(function: Callable[..., object]) -> bool:
    """Return whether an error of ours is raised here, or in a function of ours that this calls."""
    return bool(_raised(function, set()))


def _raised(function: Any, seen: set[object]) -> bool:
    function = inspect.unwrap(function)
    if function in seen or not isinstance(function, FunctionType):
        return False
    if not function.__module__.startswith("nma"):
        return False
    seen.add(function)
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    if any(isinstance(node, ast.Raise) and node.exc for node in ast.walk(tree)):
        return True
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    return any(_raised(function.__globals__.get(name), seen) for name in sorted(called))


def checked(public: Public) -> Any:
    """Return the function that would refuse: of a class, what checks its fields."""
    if not inspect.isclass(public.value):
        return public.call
    found = vars(public.value)
    if dataclasses.is_dataclass(public.value):
        return found.get("__post_init__")
    return found.get("__init__")


ERRORS = {"DataError", "EngineError", "KeyboardInterrupt", "ModelError", "NmaError", "OSError"}


@by_name(CALLED + VALUES)
def test_what_is_refused_is_said(public: Public) -> None:
    told = public.section("Raises")
    says_none = re.search(r"\bNo \w+ is refused\.", public.doc)
    assert told or says_none or not raises(checked(public)), "an error can be raised: when?"
    if not told:
        return
    assert set(described(told)) <= ERRORS
    for words in re.split(r"^\S.*$", told, flags=re.MULTILINE)[1:]:
        assert re.fullmatch(r"(If|With|As|Where|For)\b.*\.", " ".join(words.split()))


@by_name([one for one in CALLED if one not in MARKS] + CONCRETE)
def test_an_example_runs(public: Public) -> None:
    told = public.section("Examples") or ""
    lines = told.splitlines()
    assert any(line.startswith((">>> import nma", ">>> from nma")) for line in lines)
    assert [line for line in lines if line and not line.startswith((">>> ", "... "))], "shows it"
    if draws(public):
        assert f"{public.name}.marks(" in told, "the example shows the marks besides"


def test_protocols_have_complete_toys() -> None:
    text = (ROOT / "docs" / "reference" / "extending.md").read_text(encoding="utf-8")
    toys = text.split("## The protocols")[0]
    for public in PROTOCOLS:
        if public.value.__module__ == "nma.protocols" and public.value.__name__ != "Simulable":
            assert re.search(rf"^### An? {public.value.__name__.lower()}\b", toys, re.MULTILINE)


def computes(public: Public) -> bool:
    """Return whether this is a method of the literature, or an answer computed by one."""
    room = public.name.split(".")[1]
    if inspect.isclass(public.value):
        return room in METHODS and dataclasses.is_dataclass(public.value)
    hint = inspect.signature(public.call).return_annotation
    return hint != "tuple[str, ...]" if room in METHODS else hint in ANSWERS


def sources(public: Public) -> list[str]:
    told = " ".join((public.section("References") or "").split())
    return [source for source in re.split(r"; |\. (?=[A-Z])", told) if source]


@by_name([public for public in ALL if computes(public)])
def test_a_published_statistic_names_its_source(public: Public) -> None:
    assert sources(public)
    assert (public.section("References") or "").endswith(".")


@by_name([public for public in ALL if public.section("References")])
def test_sources_can_be_found(public: Public) -> None:
    """Who, when and where: a doi, a preprint, a report by its number, or a book or journal."""
    for source in sources(public):
        assert re.match(r".*?[A-Z].*?\b(1[89]|20)\d\d\b", source), source
        assert not re.match(r"([A-Z]\w+ ){2,}(1[89]|20)\d\d,? doi", source), f"no author: {source}"
        assert re.search(r"doi:10\.\d{4,9}/\S|arXiv:\d{4}\.\d|TSD \d|\b\d{4}, [A-Z]", source), (
            source
        )


def test_the_page_on_citation_agrees_with_what_it_cites() -> None:
    page = (ROOT / "docs" / "cite.md").read_text(encoding="utf-8")
    lines = (ROOT / "CITATION.cff").read_text(encoding="utf-8").splitlines()
    told = dict(line.strip(" -").split(": ", 1) for line in lines if ": " in line)
    name, title, version = told["name"].strip('"'), told["title"].strip('"'), told["version"]
    assert f"> {name}. {title}, version {version}.\n" in page
    (entry,) = re.findall(r"@software\{.*?^\}", page, flags=re.DOTALL | re.MULTILINE)
    assert re.findall(r"= \{+(.*?)\}+", entry)[:3] == [name, title, version]
    assert ("doi" in told) == ("doi" in entry) == ("no\ndoi yet" not in page)


def test_every_source_on_the_page_on_citation_is_named_in_the_reference() -> None:
    page = (ROOT / "docs" / "cite.md").read_text(encoding="utf-8").split("## The data")[0]
    named = " ".join(" ".join(public.doc.split()) for public in ALL)
    cited = re.findall(r"([A-Z][\w, -]+? (?:et al\. )?(?:19|20)\d\d, doi:[^\s;|]+)", page)
    assert len(cited) > 20
    assert [source for source in cited if source.removeprefix("van ") not in named] == []
