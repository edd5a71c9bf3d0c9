"""How long the Laplace engine takes, warm, from network to draws.

Run: python benchmarks/laplace.py [--write]

Timed: `nma.fit(network)` with random effects and default priors (problem, proposal, weights,
certificate) and the 4096 draws; the median of five runs after one that warms up. Beside each
stands the time of 100 evaluations of the same joint log density of all arms in NumPy, trial levels
and effects given, in the same run: the ratio says how many evaluations of a sampler the whole
posterior costs, whatever the machine is doing.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import results
from counts import simulated

import nma
from nma.problem import Arms

NETWORKS = {
    "smoking": nma.datasets.network("smoking"),
    "thrombolytics": nma.datasets.network("thrombolytics"),
    "psoriasis (ordered)": nma.datasets.network("psoriasis"),
    "22 treatments, 93 trials": simulated(22, 93, 14),
    "100 treatments, 1000 trials": simulated(100, 1000, 0),
}


def median_time(work: Callable[[], object], repeats: int = 5) -> float:
    """Return the median seconds of several runs, after one that warms up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def density_of(posterior: nma.Posterior) -> Callable[[], object]:
    """Return 100 evaluations of the density of all arms."""
    parts = [part for part in posterior.problem.evidence if isinstance(part, Arms)]

    def work() -> None:
        for _ in range(100):
            for part in parts:
                own = None if part.auxiliary is None else part.auxiliary.mean
                part.density(np.zeros(len(part.arms)), own, part.data, np)

    return work


def main() -> None:
    """Print the table; with --write, keep it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    lines = []
    for name, network in NETWORKS.items():
        posterior = nma.fit(network)
        seconds = median_time(lambda network=network: nma.fit(network).draws.values)  # type: ignore[misc]
        density = median_time(density_of(posterior)) / 100
        told = posterior.draws.diagnostics
        lines.append(
            {
                "network": name,
                "seconds": seconds,
                "evaluations": seconds / density,
                "effective of 4096": told["effective_candidates"],
                "Pareto k": told["pareto_k"],
                "error of log weights": told["quadrature_error"],
            }
        )
    formats = {"seconds": "{:.2f}".format, "Pareto k": "{:.2f}".format}
    formats["error of log weights"] = "{:.0e}".format
    table = pd.DataFrame(lines).to_string(
        index=False, formatters=formats, float_format="{:,.0f}".format
    )
    print(table)
    if parser.parse_args().write:
        results.write("laplace", __doc__, table)


if __name__ == "__main__":
    main()
