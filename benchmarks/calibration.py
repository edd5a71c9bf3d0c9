"""Whether P(best) and "better by the MCID" come true as often as they say.

Run: python benchmarks/calibration.py [--networks 2000] [--write]

Networks have 6 treatments and 12 trials, two of them with three arms, of 30 to 150 people an arm
whose outcome has a standard deviation of one; every trial is of treatments picked at random, and
every network is connected. Effects are drawn with the stated standard deviation of a contrast, tau
from half-normal(0.5), results by `nma.simulate`; `nma.fit` by the exact engine with the stated
prior. For each treatment P(best) is set against whether it is truly the best, for each ordered
pair P(better by at least 0.2) against whether it truly is.

`slope` is that of what came true on what was said, by least squares: 1 is calibrated, below 1
overconfident. `error` is its standard error, from 200 bootstrap samples of networks. `said` and
`true` are the mean probability of what was held most likely in each network, and how often it was
true.

In the first table truths come from the analysis prior: the slope must lie between 0.97 and 1.03.
In the second they do not. The default prior lets the trials speak, sd 10 units for a contrast;
where true effects are of sd 0.3, as between active treatments of back pain, it takes chance
differences for large ones, and P(best) is overconfident. Only a prior as narrow as the truth mends
that; one of sd 1 hardly does.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import permutations

import numpy as np
import pandas as pd
import results

import nma
from nma.priors import HalfNormal, Normal

SEED = 2000
TREATMENTS = list("ABCDEF")
MCID = nma.decisions.MCID(0.2, kind="between-group", source="stated for this simulation")
OUTCOME = nma.outcomes.Contrast(
    "effect", "se", base_se="base_se", measure="MD", better="lower", scale=1.0
)
PAIRS = list(permutations(TREATMENTS, 2))
MATCHED = {"default, sd 10": (10.0, 10.0), "sd 0.5": (0.5, 0.5)}
MISMATCHED = {
    "truth 0.3, prior 10 (default)": (0.3, 10.0),
    "truth 0.5, prior 10 (default)": (0.5, 10.0),
    "truth 0.3, prior 1": (0.3, 1.0),
    "truth 0.3, prior 0.3": (0.3, 0.3),
}
"""Standard deviations of a contrast: of the truth, and of the analysis prior."""


def geometry(number: int) -> nma.Network:
    """Return planned trials of one network: who is compared with whom, and how exactly."""
    rng = np.random.default_rng([SEED, number])
    order = rng.permutation(TREATMENTS)
    designs = [[order[k], order[rng.integers(k)]] for k in range(1, len(order))]
    designs += [list(rng.choice(TREATMENTS, 2, replace=False)) for _ in range(5)]
    designs += [list(rng.choice(TREATMENTS, 3, replace=False)) for _ in range(2)]
    rows = []
    for trial, names in enumerate(designs):
        variance = 1 / rng.integers(30, 151)
        base, *others = names
        rows += [
            (f"trial {trial}", str(name), str(base), np.sqrt(2 * variance), np.sqrt(variance))
            for name in others
        ]
    columns = ["study", "treatment", "comparator", "se", "base_se"]
    return nma.planned(
        pd.DataFrame(rows, columns=columns),
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=OUTCOME,
        reference="A",
    )


def said_and_true(number: int, truth: float, prior: float) -> list[list[float]]:
    """Return P(best) and whether, for each treatment, then P(better by 0.2) and whether."""
    heterogeneity = nma.heterogeneity.Random(HalfNormal(0.5))
    drawn, analysed = (
        nma.Model(nma.structures.Consistency(Normal(0, sd)), heterogeneity) for sd in (truth, prior)
    )
    seed = (SEED, number)
    network, known = nma.simulate(geometry(number), drawn, truth="prior", seed=seed)
    posterior = nma.fit(network, analysed, engine=nma.engines.Gaussian(seed=number))
    names = posterior.problem.parameters.names
    level = dict(
        zip(TREATMENTS, posterior.levels @ [known.values[name] for name in names], strict=True)
    )
    best = min(level, key=level.__getitem__)
    p_best = nma.p_best(posterior)["p_best"]
    enough = nma.decisions.better_by(posterior, mcid=MCID)["better_by"]
    return [
        *([float(p_best[name]), float(name == best)] for name in TREATMENTS),
        *([float(enough[a, b]), float(level[b] - level[a] >= MCID.value)] for a, b in PAIRS),
    ]


def slope(said: np.ndarray, true: np.ndarray) -> float:
    """Return the least-squares slope of what came true on what was said."""
    deviation = said - said.mean()
    return float((deviation * true).sum() / (deviation**2).sum())


def row(found: np.ndarray) -> list[float]:
    """Return slope, its standard error, and the summary of what was held most likely."""
    rng = np.random.default_rng(SEED)
    said, true = found[..., 0], found[..., 1]
    picks = rng.integers(len(found), size=(200, len(found)))
    error = np.std([slope(said[pick], true[pick]) for pick in picks], ddof=1)
    top = np.arange(len(said)), said.argmax(axis=1)
    return [slope(said, true), float(error), float(said[top].mean()), float(true[top].mean())]


def table(networks: int, settings: dict[str, tuple[float, float]]) -> pd.DataFrame:
    """Return a row for every setting and question."""
    rows = {}
    for name, (truth, prior) in settings.items():
        with ProcessPoolExecutor(2) as pool:
            job = partial(said_and_true, truth=truth, prior=prior)
            found = np.array(list(pool.map(job, range(networks), chunksize=25)))
        count = len(TREATMENTS)
        rows[name, "P(best)"] = row(found[:, :count])
        rows[name, "better by 0.2"] = row(found[:, count:])
    columns = ["slope", "error", "said", "true"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def main() -> None:
    """Print the tables, write them where asked, and fail where a matched slope is off."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=2000)
    parser.add_argument("--write", action="store_true", help="write results/calibration.md")
    asked = parser.parse_args()
    matched = table(asked.networks, MATCHED)
    other = table(asked.networks, MISMATCHED)
    text = "\n\n".join(
        [
            f"Truths from the analysis prior, {asked.networks} networks each:",
            matched.round(3).to_string(),
            "Truths that are not:",
            other.round(3).to_string(),
        ]
    )
    print(text)
    if asked.write:
        results.write("calibration", __doc__, text)
    off = matched.query("slope < 0.97 or slope > 1.03")
    if len(off):
        sys.exit(f"Slopes are not between 0.97 and 1.03:\n{off}")


if __name__ == "__main__":
    main()
