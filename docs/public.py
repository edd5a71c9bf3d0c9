"""The modules whose public names must all stand in the reference."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import nma

PAGES = Path(__file__).parent / "reference"
NAMED = re.compile(r"^\.\. auto(?:module|class|function|data):: (nma[.\w]*)", re.MULTILINE)


def modules() -> tuple[str, ...]:
    """Those that ``import nma`` offers, and those that pages of the reference take names from."""
    offered = {f"nma.{name}" for name in nma.__all__ if isinstance(getattr(nma, name), ModuleType)}
    pages = (path.read_text(encoding="utf-8") for path in PAGES.glob("*.md"))
    told = {module_of(name) for page in pages for name in NAMED.findall(page)}
    return tuple(sorted({"nma"} | offered | told))


def module_of(name: str) -> str:
    """Return the module at the beginning of a dotted name."""
    found, *rest = name.split(".")
    for part in rest:
        if not hasattr(__import__(found, fromlist=["__path__"]), "__path__"):
            break
        if find_spec(f"{found}.{part}") is None:
            break
        found = f"{found}.{part}"
    return found
