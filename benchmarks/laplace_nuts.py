"""The Laplace engine against long runs of NUTS, quantity by quantity.

Run: python benchmarks/laplace_nuts.py [--write] [network ...]
It takes half an hour; networks are named to run some of them alone.

For every effect against the first treatment and tau: the difference of means in posterior standard
deviations, which must lie below 0.02, and z, the differences of means, standard deviations and
2.5, 50 and 97.5 % quantiles in their Monte Carlo errors, which must lie below the Holm bound for a
false alarm of 0.001 over all numbers of the table, the quantiles within 0.06 standard deviations
besides. Monte Carlo errors of NUTS are ArviZ's, from its effective draws; those of Laplace the
spread over 32 independent sets of Sobol points. NUTS runs again and again, eight chains of 12,500
draws, until its least bulk ESS is 40,000, or 16 times. Models have the library's default priors.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import replace
from typing import Any

import arviz
import numpy as np
import pandas as pd
import results
import xarray as xr
from scipy import stats

import nma

ARVIZ: Any = arviz
NETWORKS = ("smoking", "thrombolytics", "dietary_fat", "diabetes", "psoriasis")
LAPLACE = nma.engines.Laplace(draws=2048, chains=32, seed=5)
NUTS = nma.engines.NUTS(
    draws=12_500, tune=2000, chains=8, target_accept=0.98, sampler="nutpie", progress=False
)
QUANTILES = (0.025, 0.5, 0.975)
ENOUGH, RUNS = 40_000, 16
"""Bulk ESS of NUTS at which it has run for long enough, and its runs at most."""
ALARM = 0.001
"""Probability that all numbers together raise a false alarm."""


def quantities(draws: xr.Dataset) -> xr.Dataset:
    """Return every effect and tau as a variable of its own, (chain, draw)."""
    made = {str(name): draws["beta"].sel(parameter=name) for name in draws["parameter"].values}
    return xr.Dataset({name: x.drop_vars("parameter") for name, x in made.items()}).assign(
        tau=draws["tau"]
    )


def of_chains(x: xr.DataArray) -> dict[str, tuple[float, float]]:
    """Return numbers of even sets of points, with the spread over the sets."""
    values = x.to_numpy()
    told = {"mean": values.mean(axis=1), "sd": values.std(axis=1)}
    told |= {str(p): np.quantile(values, p, axis=1) for p in QUANTILES}
    whole = {"mean": values.mean(), "sd": values.std()}
    whole |= {str(p): np.quantile(values, p) for p in QUANTILES}
    size = np.sqrt(len(values))
    return {k: (float(whole[k]), float(v.std(ddof=1) / size)) for k, v in told.items()}


def of_mcmc(x: xr.DataArray) -> dict[str, tuple[float, float]]:
    """Return numbers of Markov chains, with ArviZ's Monte Carlo errors."""
    square = (x - x.mean()) ** 2
    table, values = xr.Dataset({"x": x}), x.to_numpy()
    spread = ARVIZ.mcse(xr.Dataset({"x": square}), method="mean") / (2 * values.std())
    found = {"mean": (values.mean(), ARVIZ.mcse(table, method="mean"))}
    found["sd"] = (values.std(), spread)
    for p in QUANTILES:
        found[str(p)] = (np.quantile(values, p), ARVIZ.mcse(table, method="quantile", prob=p))
    return {k: (float(number), float(error["x"])) for k, (number, error) in found.items()}


def long_run(ours: nma.Posterior) -> tuple[xr.Dataset, float]:
    """Return effects and tau of run after run, as chains, until there are enough; divergences."""
    runs: list[xr.Dataset] = []
    divergences = 0.0
    for seed in range(1, RUNS + 1):
        draws = nma.fit(ours.network, ours.model, engine=replace(NUTS, seed=seed)).draws
        divergences += draws.diagnostics["divergences"]
        runs.append(quantities(draws.values).load())
        whole = xr.concat(runs, dim="chain").assign_coords(chain=np.arange(8 * seed))
        bulk = ARVIZ.ess(whole, method="bulk")
        if min(float(bulk[q]) for q in bulk.data_vars) >= ENOUGH:
            break
    return whole, divergences


def compared(name: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return a line for each number, and how the runs went."""
    network = nma.datasets.network(name)
    random = nma.Model()
    ours = nma.fit(network, random, engine=LAPLACE)
    first = quantities(ours.draws.values)
    second, divergences = long_run(ours)
    bulk = ARVIZ.ess(second, method="bulk")
    r_hat = ARVIZ.rhat(second, method="rank")
    lines = []
    for quantity in first.data_vars:
        one, other = of_chains(first[quantity]), of_mcmc(second[quantity])
        sd = one["sd"][0]
        for number in one:
            difference = one[number][0] - other[number][0]
            error = float(np.hypot(one[number][1], other[number][1]))
            lines.append(
                {
                    "network": name,
                    "quantity": str(quantity),
                    "number": number,
                    "in sd": difference / sd,
                    "z": difference / error,
                }
            )
    told = {
        "network": name,
        "ESS of NUTS": float(min(bulk[q] for q in bulk.data_vars)),
        "draws of NUTS": second["tau"].size,
        "divergences": divergences,
        "R-hat": float(max(r_hat[q] for q in r_hat.data_vars)),
        "draws of Laplace": ours.draws.values["tau"].size,
        "Pareto k": ours.draws.diagnostics["pareto_k"],
    }
    return lines, told


def summarised(lines: list[dict[str, Any]], runs: list[dict[str, Any]]) -> str:
    """Return the table, and what it says."""
    frame = pd.DataFrame(lines)
    order = frame["z"].abs().sort_values(ascending=False)
    bounds = stats.norm.isf(ALARM / 2 / np.arange(len(order), 0, -1))
    beyond = order.to_numpy() > bounds
    held = int(np.argmin(beyond)) if not beyond.all() else len(beyond)
    made = []
    for run in runs:
        here = frame[frame["network"] == run["network"]]
        means = here[here["number"] == "mean"]
        quantiles = here[~here["number"].isin(["mean", "sd"])]
        made.append(
            run
            | {
                "numbers": len(here),
                "means, sd": means["in sd"].abs().max(),
                "quantiles, sd": quantiles["in sd"].abs().max(),
                "largest z": here["z"].abs().max(),
                "mean z^2": (here["z"] ** 2).mean(),
            }
        )
    formats = dict.fromkeys(("means, sd", "quantiles, sd", "R-hat"), "{:.4f}".format)
    formats |= dict.fromkeys(("largest z", "mean z^2", "Pareto k"), "{:.2f}".format)
    table = pd.DataFrame(made).to_string(
        index=False, formatters=formats, float_format="{:,.0f}".format
    )
    worst = frame.loc[order.index[:5]].to_string(index=False, float_format="{:.4f}".format)
    return (
        f"{table}\n\nThe five largest z, of {len(frame)} (Holm bound {bounds[0]:.2f}; "
        f"{held} beyond it):\n{worst}"
    )


def main() -> None:
    """Print the table; with --write, keep it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    lines: list[dict[str, Any]] = []
    runs: list[dict[str, Any]] = []
    for name in asked.networks:
        more, told = compared(name)
        lines, runs = lines + more, [*runs, told]
        print(summarised(lines, runs), flush=True)
    if asked.write:
        results.write("laplace_nuts", __doc__, summarised(lines, runs))


if __name__ == "__main__":
    main()
