"""How often node-splitting finds inconsistency: type I error, power, and the power it foretells.

Run: python benchmarks/node_splitting.py [--networks 2000] [--write]

Networks of 4 to 6 treatments and 8 to 20 trials, a quarter with three arms, standard errors of
0.15 to 0.5 on a scale whose unit is 1, true effects from N(0, 0.5^2). One comparison that can be
split is chosen at random; `shift` is put into its trials by the symmetric rule, and the same split
is fitted by the exact engine. `rejected` is the share of p below 0.05; `foretold` the mean power of
a z test with the posterior sd of the difference. `known` fixes tau at the truth, where the share
without a shift must lie within three binomial standard errors of 0.05; `learnt` has the default
prior of tau and is tabulated without a bound.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import results
from scipy.stats import norm

import nma
from nma.estimates import functions
from nma.priors import Fixed

OUTCOME = nma.outcomes.Continuous("mean", sd="sd", n="n", measure="MD", better="lower")
CONDITIONS = [
    *((tau, 0.0, known) for tau in (0.0, 0.1, 0.3) for known in (True, False)),
    *((0.1, shift, known) for shift in (0.5, 1.0) for known in (True, False)),
]
"""True tau, true inconsistency, and whether tau is known."""


@dataclass(frozen=True)
class Network:
    """A simulated network and the comparison that is split."""

    network: nma.Network
    a: str
    b: str


def trials(rng: np.random.Generator) -> dict[str, tuple[str, ...]]:
    """Return the treatments of each trial; at random until something can be split."""
    while True:
        names = "ABCDEF"[: rng.integers(4, 7)]
        sizes = np.where(rng.uniform(size=rng.integers(8, 21)) < 0.25, 3, 2)
        drawn = {
            f"trial {k:02d}": tuple(sorted(rng.choice(list(names), size, replace=False)))
            for k, size in enumerate(sizes)
        }
        graph = nma.graph.evidence_graph(drawn)
        if len(nma.graph.components(graph)) == 1 and nma.graph.splittable(graph):
            return drawn


def simulated(seed: int, tau: float, shift: float) -> Network:
    """Return the network of a seed; its geometry does not depend on tau or the shift."""
    rng = np.random.default_rng(seed)
    made = trials(rng)
    pairs = nma.graph.splittable(nma.graph.evidence_graph(made))
    a, b = pairs[rng.integers(len(pairs))]
    level = {name: rng.normal(0, 0.5) for name in "ABCDEF"}
    rows = []
    for study, arms in made.items():
        split = {a: -shift / 2, b: shift / 2} if {a, b} <= set(arms) else {}
        for name in arms:
            n = round(2 / rng.uniform(0.15, 0.5) ** 2)
            noise = rng.normal(0, np.sqrt(1 / n)) + rng.normal(0, tau / np.sqrt(2))
            rows.append((study, name, level[name] + split.get(name, 0.0) + noise, 1.0, n))
    frame = pd.DataFrame(rows, columns=["study", "treatment", "mean", "sd", "n"])
    network = nma.Network.from_arms(frame, study="study", treatment="treatment", outcome=OUTCOME)
    return Network(network, a, b)


def p_and_sd(seed: int, tau: float, shift: float, known: bool) -> tuple[float, float]:
    """Return p and the posterior sd of the difference for one network."""
    case = simulated(seed, tau, shift)
    structure = nma.structures.NodeSplit(nma.structures.Consistency(), case.a, case.b)
    prior = nma.heterogeneity.Random(Fixed(tau) if known else None)
    posterior = nma.fit(case.network, nma.Model(structure, prior))
    w = np.eye(len(posterior.problem.parameters.names))[-1:]
    found = functions(posterior, w, 0.95)
    return 2 * float(np.minimum(found.better, 1 - found.better)[0]), float(found.sd[0])


def power(shift: float, sd: np.ndarray) -> float:
    """Return the mean power of z tests at 5 %, two-sided."""
    z = norm.isf(0.025)
    return float(np.mean(norm.sf(z - shift / sd) + norm.cdf(-z - shift / sd)))


def rows(networks: int) -> Iterator[dict[str, object]]:
    """Yield a line for each condition."""
    with ProcessPoolExecutor(2) as pool:
        for tau, shift, known in CONDITIONS:
            job = partial(p_and_sd, tau=tau, shift=shift, known=known)
            p, sd = np.array(list(pool.map(job, range(networks), chunksize=50))).T
            rejected = float(np.mean(p < 0.05))
            yield {
                "true tau": tau,
                "tau is": "known" if known else "learnt",
                "shift": shift,
                "networks": networks,
                "rejected": rejected,
                "error": float(np.sqrt(rejected * (1 - rejected) / networks)),
                "foretold": power(shift, sd),
                "median detectable": float(np.median(2.8016 * sd)),
            }


def main() -> None:
    """Print the table, write it where asked, and fail where type I error is off."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=2000)
    parser.add_argument("--write", action="store_true", help="write results/node_splitting.md")
    asked = parser.parse_args()
    table = pd.DataFrame(rows(asked.networks))
    text = table.round(4).to_string(index=False)
    print(text)
    if asked.write:
        results.write("node_splitting", __doc__, text)
    null = table[(table["shift"] == 0) & (table["tau is"] == "known")]
    bound = 3 * np.sqrt(0.05 * 0.95 / asked.networks)
    off = null[(null["rejected"] - 0.05).abs() > bound]
    if len(off):
        sys.exit(f"Type I error beyond {bound:.4f} of 0.05:\n{off}")


if __name__ == "__main__":
    main()
