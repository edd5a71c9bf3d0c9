"""Where a benchmark's table is kept, with what made it."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path

FOLDER = Path(__file__).parent / "results"


def write(name: str, about: str | None, table: str) -> None:
    """Write a table beside what it measures and the versions that ran."""
    packages = ("bayesnma", "numpy", "scipy", "pandas", "xarray", "pymc", "nutpie")
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    made_by = f"Python {platform.python_version()}, {versions}; two cores, BLAS at one thread."
    text = f"{(about or '').strip()}\n\n```\n{table}\n```\n\n{made_by}\n"
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.md").write_text(text, encoding="utf-8")
