"""Effective draws per second: the exact engine, PyMC's NUTS and nutpie's, in one run.

Run: python benchmarks/samplers.py [--write]

Each engine samples the same resolved problem three times in one process: "first" is the first, and
"later" the faster of the others. PyMC 5 and nutpie compile a model anew for every fit, and a fit is
what a user waits for, so compiling is in all of them. Effective draws are the
smallest over effects and tau: bulk ESS by ArviZ for the samplers. Sobol draws are not a Markov
chain, so for the exact engine two numbers stand here: the number of draws, as if they were
independent, and the number of independent draws whose mean would be as near to the exact posterior
mean as theirs is, (sd / rms error)^2 over its 8 independent chains, the smallest of all effects.
"""

from __future__ import annotations

import argparse
import time
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import results

import nma
from nma.problem import Draws, Problem
from nma.protocols import Engine

NETWORKS = ("parkinson", "senn2013", "back_pain")
REPEATS = 3
NUTS = nma.engines.NUTS(progress=False)
ENGINES: dict[str, Engine] = {
    "Gaussian": nma.engines.Gaussian(),
    "NUTS, PyMC": NUTS,
    "NUTS, nutpie": replace(NUTS, sampler="nutpie"),
}


def sampled(engine: Engine, task: Problem) -> tuple[float, float, Draws]:
    """Return the seconds of the first run, the least of those after it, and the last draws."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        draws = engine.sample(task)
        assert draws.values["beta"].size
        times.append(time.perf_counter() - start)
    return times[0], min(times[1:]), draws


def effective(draws: Draws) -> tuple[float, float]:
    """Return effective draws as a count, and as independent draws of the same accuracy."""
    if draws.moments is None:
        bulk = draws.diagnostics["ess_bulk"]
        return bulk, bulk
    beta = draws.values["beta"].to_numpy()
    exact = draws.moments.of(np.eye(beta.shape[-1]))
    error = beta.mean(axis=1) - exact.mean
    equivalent = beta.shape[0] * exact.sd**2 / (error**2).mean(axis=0)
    return float(beta.shape[0] * beta.shape[1]), float(equivalent.min())


def row(name: str, task: Problem) -> list[dict[str, object]]:
    """Return one line for each engine, with its ratio to PyMC's."""
    lines = []
    for label, engine in ENGINES.items():
        first, later, draws = sampled(engine, task)
        count, equivalent = effective(draws)
        lines.append(
            {
                "network": name,
                "engine": label,
                "first, s": first,
                "later, s": later,
                "effective": count,
                "per second": count / later,
                "accuracy of": equivalent,
                "that per second": equivalent / later,
            }
        )
    base = next(float(str(line["per second"])) for line in lines if line["engine"] == "NUTS, PyMC")
    for line in lines:
        line["ratio to PyMC"] = float(str(line["per second"])) / base
    return lines


def main() -> None:
    """Print the table; with --write, keep it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    warnings.simplefilter("ignore")
    lines = [
        line for name in NETWORKS for line in row(name, nma.fit(nma.datasets.network(name)).problem)
    ]
    frame = pd.DataFrame(lines)
    formats = {
        "first, s": "{:.3g}".format,
        "later, s": "{:.3g}".format,
        "ratio to PyMC": "{:.2f}".format,
    }
    table = frame.to_string(index=False, formatters=formats, float_format="{:,.0f}".format)
    print(table)
    if parser.parse_args().write:
        results.write("samplers", __doc__, table)


if __name__ == "__main__":
    main()
