"""How long the exact engine takes, warm, from network to draws.

Run: python benchmarks/gaussian.py [--write]

Timed: `nma.fit(network)` (priors resolved, problem built, quadrature, moments) and then the 4096
draws. Building the network itself is timed apart. Beside each stands the time of one dense
Cholesky factorisation and solve of the full marginal covariance of the same contrasts, the
textbook way to one value of tau, in the same run: the ratio says how many such steps the whole
posterior costs, whatever the machine is doing.
"""

from __future__ import annotations

import argparse
import statistics
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pandas as pd
import results
from threadpoolctl import threadpool_limits

import nma
from nma.network import Network
from nma.problem import Contrasts

OUTCOME = nma.outcomes.Contrast("md", "se", measure="MD", better="lower", n=("n", "n"))


def simulated(treatments: int, trials: int) -> pd.DataFrame:
    """Two-arm trials: a chain through all treatments, then pairs at random; tau is 0.3."""
    rng = np.random.default_rng(treatments)
    pairs = [(k, k + 1) for k in range(treatments - 1)]
    while len(pairs) < trials:
        a, b = rng.choice(treatments, 2, replace=False)
        pairs.append((int(min(a, b)), int(max(a, b))))
    a, b = np.array(pairs).T
    level = rng.normal(0, 1, treatments)
    se = rng.uniform(0.15, 0.6, trials)
    return pd.DataFrame(
        {
            "study": [f"trial {k:05d}" for k in range(trials)],
            "treatment": [f"treatment {k:03d}" for k in b],
            "comparator": [f"treatment {k:03d}" for k in a],
            "md": level[b] - level[a] + rng.normal(0, np.hypot(se, 0.3)),
            "se": se,
            "n": rng.integers(20, 200, trials),
        }
    )


def network(frame: pd.DataFrame) -> Network:
    """Return the network of a simulated frame."""
    return Network.from_contrasts(
        frame, study="study", treatment="treatment", comparator="comparator", outcome=OUTCOME
    )


def median_time(work: Callable[[], object], repeats: int) -> float:
    """Return the median seconds of several runs, after one that warms up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def dense_step(made: Network) -> Callable[[], object]:
    """Return one step of the textbook way: factorise the marginal covariance at one tau."""
    task = nma.fit(made).problem
    block = next(part for part in task.evidence if isinstance(part, Contrasts))
    X = task.levels[block.arms[:, 1]] - task.levels[block.arms[:, 0]]
    V = np.diag(block.V[:, 0, 0] + 0.09)

    def step() -> object:
        with threadpool_limits(limits=1):
            S = V + X @ task.parameters.covariance @ X.T
            return np.linalg.solve(np.linalg.cholesky(S), block.y[:, 0])

    return step


def row(name: str, make: Callable[[], Network], repeats: int) -> dict[str, object]:
    """Return one line of the table."""
    made = make()
    posterior = nma.fit(made)
    fit_time = median_time(lambda: nma.fit(made), repeats)
    whole = median_time(lambda: nma.fit(made).draws.values, repeats)
    step = median_time(dense_step(made), 3)
    tracemalloc.start()
    again = nma.fit(made)
    again.draws.values  # noqa: B018  draws are made when first asked for
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {
        "network": name,
        "nodes": int(posterior.draws.diagnostics["quadrature_nodes"]),
        "read the table, ms": 1e3 * median_time(make, min(repeats, 3)),
        "fit, ms": 1e3 * fit_time,
        "fit and 4096 draws, ms": 1e3 * whole,
        "league table, ms": 1e3 * median_time(lambda: nma.league_table(posterior), 3),
        "one dense step, ms": 1e3 * step,
        "whole / step": whole / step,
        "peak memory, MB": peak / 1e6,
    }


def main() -> None:
    """Print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write results/gaussian.md")
    write = parser.parse_args().write
    rows = [
        row("Parkinson: 5 treatments, 7 trials", lambda: nma.datasets.network("parkinson"), 31),
        row("senn2013: 10 treatments, 26 trials", lambda: nma.datasets.network("senn2013"), 31),
    ]
    for treatments, trials, repeats in ((100, 1000, 9), (300, 5000, 5)):
        frame = simulated(treatments, trials)
        name = f"simulated: {treatments} treatments, {trials} trials"
        rows.append(row(name, lambda frame=frame: network(frame), repeats))  # type: ignore[misc]
    table = pd.DataFrame(rows).round(1).to_string(index=False)
    print(table)
    if write:
        results.write("gaussian", __doc__, table)


if __name__ == "__main__":
    main()
