"""How often 95 % intervals hold the truth in a network of complex interventions.

Run: python benchmarks/components.py [--networks 1000] [--write]

The trials are those of `back_pain_simulated`: 58, with their arms, participants, instruments and
standard deviations. Treatments are named by their components: usual care, which is inactive;
exercise; exercise + individualisation; exercise + individualisation + CBT. Six trials of two arms
have CBT alone, in place of individualised exercise (against usual care) or of multimodal care
(against exercise), so that additivity is put to the test. Nobody has exercise + CBT.

Every network is drawn by `nma.simulate` from one truth, in standardised mean differences of pain,
and fitted with `structures.Components` by the exact engine with the default priors. `bias` is the
mean of posterior means (of tau: medians) less the truth, `sd of estimates` their standard
deviation, `mean posterior sd` what the posteriors claim; `coverage` the share of 95 % intervals
that hold the truth, `error` its Monte Carlo standard error. With a true tau of 0.25 coverage must
lie between 0.93 and 0.97 in every row. With 0.05, which 58 trials hardly tell from zero, the prior
has a say in tau, and coverage is tabulated without a bound.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial

import numpy as np
import pandas as pd
import results

import nma
from nma.estimates import functions

SEED = 1000
COMPONENTS = {"exercise": -0.12, "individualisation": -0.28, "CBT": -0.15}
TAUS = (0.25, 0.05)
"""The truth: the components add up to the effects of the dataset, but for CBT, which has none."""

PARTS = {
    "passive control": "usual care",
    "standard exercise": "exercise",
    "individualised exercise": "exercise + individualisation",
    "multimodal care": "exercise + individualisation + CBT",
}
ALONE = {
    ("passive control", "individualised exercise"): 4,
    ("standard exercise", "multimodal care"): 2,
}
"""In how many trials of two arms the second has CBT alone."""

UNTESTED = "exercise + CBT"
MODEL = nma.Model(nma.structures.Components(separator=" + ", inactive="usual care"))


@cache
def trials() -> nma.Network:
    """Return the network whose trials are simulated."""
    frame = nma.datasets.load("back_pain_simulated")
    left = dict(ALONE)
    named = frame["treatment"].map(PARTS)
    for _, rows in frame.groupby("study"):
        for pair in ALONE:
            if set(rows["treatment"]) == set(pair) and left[pair]:
                left[pair] -= 1
                named[rows.index[rows["treatment"] == pair[1]]] = "CBT"
    outcome = nma.datasets.network("back_pain_simulated").sources[0].outcome
    return nma.Network.from_arms(
        frame.assign(treatment=named),
        study="study",
        treatment="treatment",
        outcome=outcome,
        reference="usual care",
    )


def true_effects(tau: float) -> Mapping[str, float]:
    """Return what is estimated, by name."""
    untested = sum(COMPONENTS[part] for part in UNTESTED.split(" + "))
    return {**COMPONENTS, UNTESTED: untested, "tau": tau}


def fitted(number: int, tau: float) -> list[list[float]]:
    """Return estimate, posterior sd and 95 % limits of every effect in one simulated network."""
    truth = {**COMPONENTS, "tau": tau}
    network, _ = nma.simulate(trials(), MODEL, truth=truth, seed=(SEED, number))
    posterior = nma.fit(network, MODEL)
    names = posterior.problem.parameters.names
    asked = [name for name in true_effects(tau) if name != "tau"]
    wanted = [[float(part in name.split(" + ")) for part in names] for name in asked]
    found = functions(posterior, np.array(wanted), 0.95)
    moments = posterior.draws.moments
    if moments is None:
        sys.exit("The exact engine has moments.")
    learnt = moments.marginals["tau"]
    sd = float(posterior.draws.values["tau"].std())
    effects = np.column_stack([found.mean, found.sd, found.lower, found.upper]).tolist()
    return [*effects, [learnt.quantile(0.5), sd, learnt.quantile(0.025), learnt.quantile(0.975)]]


def table(networks: int, tau: float) -> pd.DataFrame:
    """Return a row for every effect, over many networks."""
    with ProcessPoolExecutor(2) as pool:
        job = partial(fitted, tau=tau)
        found = np.array(list(pool.map(job, range(networks), chunksize=25)))
    truth = np.array(list(true_effects(tau).values()))
    estimate, sd, lower, upper = np.moveaxis(found, 2, 0)
    coverage = np.mean((lower <= truth) & (truth <= upper), axis=0)
    return pd.DataFrame(
        {
            "truth": truth,
            "bias": estimate.mean(axis=0) - truth,
            "sd of estimates": estimate.std(axis=0, ddof=1),
            "mean posterior sd": sd.mean(axis=0),
            "coverage": coverage,
            "error": np.sqrt(coverage * (1 - coverage) / networks),
        },
        index=list(true_effects(tau)),
    )


def main() -> None:
    """Print the table, write it where asked, and fail where coverage is off."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=1000)
    parser.add_argument("--write", action="store_true", help="write results/components.md")
    asked = parser.parse_args()
    found = {tau: table(asked.networks, tau) for tau in TAUS}
    tables = "\n\n".join(part.round(4).to_string() for part in found.values())
    network = trials()
    arms = network.arms["treatment"].value_counts().to_string(header=False)
    told = f"{asked.networks} networks of {len(network.trials)} trials for each true tau; arms:"
    text = f"{tables}\n\n{told}\n{arms}"
    print(text)
    if asked.write:
        results.write("components", __doc__, text)
    off = found[TAUS[0]].query("coverage < 0.93 or coverage > 0.97")
    if len(off):
        sys.exit(f"Coverage is not between 0.93 and 0.97:\n{off}")


if __name__ == "__main__":
    main()
