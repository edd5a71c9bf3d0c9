"""How long the checks of coherence and influence take, warm.

Run: python benchmarks/checks.py [--write]

Senn 2013 by the exact engine and thrombolytics by the Laplace engine; each check is called once
to warm up, then timed, the median of several. Beside it stands the time of one `nma.fit` of the
same network in the same run: the ratio says how many fits a check costs, whatever the machine is
doing.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import pandas as pd
import results

import nma

CHECKS: dict[str, Callable[[nma.Posterior], object]] = {
    "node_splitting": nma.checks.node_splitting,
    "unrelated_means": nma.checks.unrelated_means,
    "design_by_treatment": nma.checks.design_by_treatment,
    "side_splitting": nma.checks.side_splitting,
    "loops": nma.checks.loops,
    "net_heat": nma.checks.net_heat,
    "leave_one_study_out": nma.checks.leave_one_study_out,
}
COMMON = nma.Model(heterogeneity=nma.heterogeneity.Common())


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the median time of several runs, after one that warms up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def rows(name: str, model: nma.Model | None, repeats: int) -> pd.DataFrame:
    """Return a line for each check of one network, and their sum."""
    network = nma.datasets.network(name)
    posterior = nma.fit(network, model)
    engine = type(posterior.engine).__name__
    one = seconds(lambda: nma.fit(network, model), repeats)
    taken = {
        label: seconds(lambda check=check: check(posterior), repeats)  # type: ignore[misc]
        for label, check in CHECKS.items()
    }
    taken["all of these"] = sum(taken.values())
    return pd.DataFrame(
        {
            "network": f"{name}, {engine}",
            "check": list(taken),
            "seconds": [f"{value:.3f}" for value in taken.values()],
            "one fit, s": f"{one:.3f}",
            "fits": [f"{value / one:.0f}" for value in taken.values()],
        }
    )


def main() -> None:
    """Print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write results/checks.md")
    write = parser.parse_args().write
    table = pd.concat([rows("senn2013", None, 5), rows("thrombolytics", COMMON, 3)])
    text = table.to_string(index=False)
    print(text)
    if write:
        results.write("checks", __doc__, text)


if __name__ == "__main__":
    main()
