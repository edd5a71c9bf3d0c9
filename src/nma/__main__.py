"""``python -m nma --version``: what a report of a fault or a methods section quotes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from nma.versions import installed

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer the command line; the analysis itself is written in Python."""
    parser = argparse.ArgumentParser(
        prog="python -m nma",
        description="Bayesian network meta-analysis. Analyses are written in Python: import nma.",
    )
    parser.add_argument(
        "--version", action="store_true", help="print the versions a result depends on, and stop"
    )
    asked = parser.parse_args(arguments)
    sys.stdout.write(_versions() if asked.version else parser.format_help())
    return 0


def _versions() -> str:
    found = installed()
    width = max(map(len, found))
    return "".join(f"{name:<{width}}  {number}\n" for name, number in found.items())


if __name__ == "__main__":
    sys.exit(main())
