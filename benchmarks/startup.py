"""What a fresh process pays: `import nma` beside `import xarray`, and the way to a league table.

Run: python benchmarks/startup.py [--write]

Every line is the median of several fresh interpreters, the lines taken in turn so that all meet
the same machine. Goals: `import nma` at most 1.3 times `import xarray`; process start to the
league table of senn2013 at most 2 s.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

import pandas as pd
import results

REPEATS = 15
CODE = {
    "import xarray": "import xarray",
    "import nma": "import nma",
    "league table of senn2013": (
        "import nma; print(nma.league_table(nma.fit(nma.datasets.network('senn2013'))))"
    ),
    "and its ranking": "import nma; print(nma.sucra(nma.fit(nma.datasets.network('senn2013'))))",
}


def seconds(code: str) -> float:
    """Return how long a fresh interpreter takes to run ``code``."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)  # noqa: S603
    return time.perf_counter() - start


def main() -> None:
    """Print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write results/startup.md")
    write = parser.parse_args().write
    times: dict[str, list[float]] = {name: [] for name in CODE}
    for _ in range(REPEATS):
        for name, code in CODE.items():
            times[name].append(seconds(code))
    medians = {name: statistics.median(found) for name, found in times.items()}
    rows = [
        {"what": name, "seconds": value, "ratio to import xarray": value / medians["import xarray"]}
        for name, value in medians.items()
    ]
    table = pd.DataFrame(rows).round(2).to_string(index=False)
    print(table)
    if write:
        results.write("startup", __doc__, table)


if __name__ == "__main__":
    main()
