"""Draws the figure of the README, from the README's own lines."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
FIGURE = ROOT / "docs" / "_static" / "forest.svg"


def draw(path: Path) -> None:
    """Run the README and write the axes that it makes, on white ground for dark pages."""
    (code,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL
    )
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(code, "README.md", "exec"), names)  # noqa: S102  our own document
    names["axes"].figure.savefig(path, bbox_inches="tight", facecolor="white")


if __name__ == "__main__":
    draw(FIGURE)
