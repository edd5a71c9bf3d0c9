"""``python -m nma``: versions, and what the codes of messages mean."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from nma.errors import NmaError, explain
from nma.versions import installed, show_versions

__all__ = ["main"]

FIRST = """\
Analyses are written in Python. To begin with one:

  import nma
  network = nma.datasets.network("back_pain")
  posterior = nma.fit(network)
  print(nma.league_table(posterior))

With a table of your own, the network is nma.Network.from_arms(table, ...) or, where trials
report differences, nma.Network.from_contrasts(table, ...); help() of these says which columns
they need.
"""


class Parser(argparse.ArgumentParser):
    """A parser that answers a command it does not know with all of its help."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong after what can be done, and stop."""
        self.exit(2, f"{self.format_help()}\n{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer the command line; the analysis itself is written in Python."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.command == "explain":
        return _explained(asked.codes)
    if asked.command == "versions":
        told = str(show_versions())
    elif asked.version:
        told = _aligned(installed())
    else:
        told = parser.format_help().rstrip()
    sys.stdout.write(f"{told}\n")
    return 0


def _parser() -> Parser:
    parser = Parser(
        prog="python -m nma",
        usage="python -m nma [-h | --version | versions | explain CODE ...]",
        description="Bayesian network meta-analysis.",
        epilog=FIRST,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="store_true", help="print the versions a result depends on, and stop"
    )
    commands = parser.add_subparsers(title="commands", dest="command", prog=parser.prog)
    commands.add_parser("versions", help="print versions and machine, for a report of a fault")
    about = "what the code in brackets at the end of a message means, and what to do"
    explained = commands.add_parser("explain", help=about, description=f"Print {about}.")
    explained.add_argument("codes", nargs="+", metavar="CODE", help="such as not-positive")
    return parser


def _explained(codes: Sequence[str]) -> int:
    try:
        told = "\n\n".join(str(explain(code)) for code in codes)
    except NmaError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{told}\n")
    return 0


def _aligned(found: dict[str, str]) -> str:
    width = max(map(len, found))
    return "\n".join(f"{name:<{width}}  {number}" for name, number in found.items())


if __name__ == "__main__":
    sys.exit(main())
