"""Effective draws per second on counts and on means: ours, PyMC, nutpie and JAGS, in one run.

Run: python benchmarks/counts.py [--write]
Needs Debian's packages jags and r-cran-rjags for JAGS, which is left out where they are missing.

Every engine answers the same network with random effects; each runs on one core, three times (PyMC
and JAGS once), and the median of the seconds counts: from the finished problem to the draws, with
compiling, adaptation and burn-in, for that is what a user waits for. R's own start is left out.
JAGS runs our transcription of the usual model, with the first arm of a trial as its base, normal
priors of sd 10 and half-normal(1) for tau.

"effective" is the least bulk ESS of all effects against the first treatment and tau, by ArviZ.
Sobol points beat independent draws, so beside it stands the number of independent draws whose
means would be as near to the right ones as these are, (sd / rms error)^2 over the chains, the
least of all; for the chains of the samplers it is their ESS. Right are the exact moments for
means, and for counts a Laplace run of 262,144 draws. Ratios are to JAGS.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import tempfile
import time
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import results
import xarray as xr

import nma
from nma import _arviz
from nma.network import Network
from nma.problem import Draws, Problem

EVENTS = nma.outcomes.Binary("events", "n", measure="OR", better="higher")
NUTS = nma.engines.NUTS(draws=2000, tune=1000, cores=1, progress=False, target_accept=0.9)
CHAINS, KEPT, BURNT = 4, 20_000, 5_000

COUNTS = """
model {
  for (i in 1:trials) {
    mu[i] ~ dnorm(0, 0.01)
    delta[i, 1] <- 0
    shift[i, 1] <- 0
    for (k in 1:arms[i]) {
      events[i, k] ~ dbin(p[i, k], n[i, k])
      logit(p[i, k]) <- mu[i] + delta[i, k]
    }
    for (k in 2:arms[i]) {
      delta[i, k] ~ dnorm(centre[i, k], precision * 2 * (k - 1) / k)
      centre[i, k] <- d[t[i, k]] - d[t[i, 1]] + sum(shift[i, 1:(k - 1)]) / (k - 1)
      shift[i, k] <- delta[i, k] - d[t[i, k]] + d[t[i, 1]]
    }
  }
  d[1] <- 0
  for (k in 2:treatments) { d[k] ~ dnorm(0, 0.01) }
  tau ~ dnorm(0, 1) T(0, )
  precision <- pow(tau, -2)
}
"""
MEANS = (
    COUNTS.replace("events[i, k] ~ dbin(p[i, k], n[i, k])", "mean[i, k] ~ dnorm(p[i, k], w[i, k])")
    .replace("logit(p[i, k]) <-", "p[i, k] <-")
    .replace("dnorm(0, 0.01)", "dnorm(0, 0.0001)")
)
DRIVER = """
suppressPackageStartupMessages(library(rjags))
source("data.R")
seconds <- system.time({
  model <- jags.model("model.txt", data, n.chains = CHAINS, n.adapt = 1000, quiet = TRUE)
  update(model, BURNT, progress.bar = "none")
  draws <- coda.samples(model, c("d", "tau"), KEPT, progress.bar = "none")
})[["elapsed"]]
for (chain in seq_along(draws)) {
  write.csv(as.data.frame(draws[[chain]]), paste0("chain", chain, ".csv"), row.names = FALSE)
}
cat(seconds)
"""


def simulated(treatments: int, trials: int, three_armed: int) -> Network:
    """Return counts of a network of a size; log odds ratios of sd 0.5, tau 0.25."""
    rng = np.random.default_rng(treatments)
    level, rows = rng.normal(0, 0.5, treatments), []
    for trial in range(trials):
        several = 3 if trial >= trials - three_armed else 2
        drawn = rng.choice(treatments, several, replace=False)
        arms = [trial, trial + 1] if trial < treatments - 1 else drawn.tolist()
        middle = rng.normal(-0.8, 0.7)
        for treatment in arms:
            eta = middle + level[treatment] + rng.normal(0, 0.25 / np.sqrt(2))
            n = int(rng.integers(25, 160))
            events = rng.binomial(n, 1 / (1 + np.exp(-eta)))
            rows.append((f"trial {trial:03d}", f"treatment {treatment:02d}", events, n))
    frame = pd.DataFrame(rows, columns=["study", "treatment", "events", "n"])
    return Network.from_arms(frame, study="study", treatment="treatment", outcome=EVENTS)


NETWORKS: Mapping[str, Network] = {
    "smoking": nma.datasets.network("smoking"),
    "22 treatments, 93 trials": simulated(22, 93, 14),
    "parkinson (means)": nma.datasets.network("parkinson"),
}


def task_of(network: Network) -> Problem:
    """Return the problem under priors that JAGS is given too."""
    sd = 100.0 if network.measure == "MD" else 10.0
    model = nma.Model(
        nma.structures.Consistency(nma.priors.Normal(0, sd)),
        nma.heterogeneity.Random(nma.priors.HalfNormal(1)),
    )
    return nma.fit(network, model).problem


def timed(engine: Any, task: Problem, repeats: int) -> tuple[float, Draws]:
    """Return the median seconds and the last draws."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        draws = engine.sample(task)
        assert draws.values["beta"].size
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), draws


def table_of(draws: Draws) -> xr.Dataset:
    """Return effects and tau, (chain, draw, ...)."""
    return draws.values[["beta", "tau"]]


def least_ess(table: xr.Dataset) -> float:
    """Return the least bulk ESS of a set of draws."""
    found = _arviz.convergence(table).sel(statistic="ess_bulk")
    return min(float(found[name].min()) for name in found.data_vars)


def right(task: Problem) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return means and sds of effects and tau, exact or nearly."""
    engine = nma.engines.Gaussian()
    if engine.unsuited(task) is None:
        moments = engine.sample(task).moments
        assert moments is not None
        told = moments.of(np.eye(len(task.parameters.names)))
        tau = moments.marginals["tau"]
        return np.append(told.mean, tau.mean), np.append(told.sd, tau.sd)
    flat = flattened(table_of(nma.engines.Laplace(draws=32_768, seed=9).sample(task)))
    flat = flat.reshape(-1, flat.shape[2])
    return flat.mean(axis=0), flat.std(axis=0)


def flattened(table: xr.Dataset) -> np.ndarray[Any, Any]:
    """Return all quantities, (chain, draw, quantity)."""
    return np.concatenate([table["beta"].to_numpy(), table["tau"].to_numpy()[..., None]], axis=2)


def accuracy(table: xr.Dataset, mean: Any, sd: Any) -> float:
    """Return the independent draws whose means would be as near to the right ones."""
    error = flattened(table).mean(axis=1) - mean
    return float((len(error) * sd**2 / (error**2).mean(axis=0)).min())


def by_jags(network: Network) -> tuple[float, xr.Dataset]:
    """Return the seconds of JAGS, and its draws."""
    arms, means = network.table, network.measure == "MD"
    rows = [arms.index[arms["study"] == study].tolist() for study in network.trials]
    widest = max(map(len, rows))
    codes = network.codes(arms["treatment"].tolist())
    columns: dict[str, Any] = {"t": codes + 1}
    if means:
        columns |= {"mean": arms["mean"], "w": arms["n"] / arms["sd"] ** 2}
    else:
        columns |= {"events": arms["events"], "n": arms["n"]}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        data = [f"trials = {len(rows)}", f"treatments = {len(network.treatments)}"]
        data.append(f"arms = c({', '.join(str(len(row)) for row in rows)})")
        for name, column in columns.items():
            values = np.full((len(rows), widest), np.nan)
            for number, row in enumerate(rows):
                values[number, : len(row)] = np.asarray(column)[row]
            said = ["NA" if np.isnan(x) else repr(float(x)) for x in values.T.ravel()]
            data.append(f"{name} = matrix(c({', '.join(said)}), {len(rows)})")
        (place / "data.R").write_text("data <- list(" + ",\n".join(data) + ")\n")
        (place / "model.txt").write_text(MEANS if means else COUNTS)
        driver = DRIVER
        for word, value in (("CHAINS", CHAINS), ("KEPT", KEPT), ("BURNT", BURNT)):
            driver = driver.replace(word, str(value))
        (place / "run.R").write_text(driver)
        command = [str(shutil.which("Rscript")), "run.R"]
        told = subprocess.run(command, cwd=place, capture_output=True, text=True, check=True)  # noqa: S603
        chains = [pd.read_csv(place / f"chain{k}.csv") for k in range(1, CHAINS + 1)]
    beta = np.stack([c[[f"d[{k}]" for k in range(2, len(network.treatments) + 1)]] for c in chains])
    tau = np.stack([c["tau"] for c in chains])
    draws = {"beta": (("chain", "draw", "parameter"), beta), "tau": (("chain", "draw"), tau)}
    return float(told.stdout), xr.Dataset(draws)


def lines(name: str, network: Network) -> list[dict[str, Any]]:
    """Return a line for each engine."""
    task = task_of(network)
    mean, sd = right(task)
    ours = nma.engines.Gaussian() if network.measure == "MD" else nma.engines.Laplace()
    found: list[tuple[str, float, xr.Dataset, bool]] = []
    ours.sample(task)
    seconds, draws = timed(ours, task, 3)
    found.append((type(ours).__name__, seconds, table_of(draws), True))
    for label, engine, repeats in (
        ("NUTS, PyMC", NUTS, 1),
        ("NUTS, nutpie", replace(NUTS, sampler="nutpie"), 3),
    ):
        seconds, draws = timed(engine, task, repeats)
        found.append((label, seconds, table_of(draws), False))
    if shutil.which("Rscript") and shutil.which("jags"):
        found.append(("JAGS", *by_jags(network), False))
    made: list[dict[str, Any]] = []
    for label, seconds, table, spread in found:
        ess = least_ess(table)
        like = accuracy(table, mean, sd) if spread else ess
        off = float(np.abs((flattened(table).mean(axis=(0, 1)) - mean) / sd).max())
        made.append(
            {
                "network": name,
                "engine": label,
                "seconds": seconds,
                "effective": ess,
                "per second": ess / seconds,
                "accuracy of": like,
                "that per second": like / seconds,
                "off, sd": off,
            }
        )
    base = next((x for x in made if x["engine"] == "JAGS"), None)
    for line in made:
        for kind in ("per second", "that per second"):
            line[f"ratio, {kind}"] = line[kind] / base[kind] if base else np.nan
    return made


def main() -> None:
    """Print the table; with --write, keep it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    warnings.simplefilter("ignore")
    made = [line for name, network in NETWORKS.items() for line in lines(name, network)]
    frame = pd.DataFrame(made).rename(
        columns={"ratio, per second": "ratio", "ratio, that per second": "that ratio"}
    )
    formats = {"seconds": "{:.3g}".format, "off, sd": "{:.4f}".format}
    formats |= dict.fromkeys(("ratio", "that ratio"), "{:,.3g}".format)
    table = frame.to_string(index=False, formatters=formats, float_format="{:,.0f}".format)
    print(table)
    if parser.parse_args().write:
        results.write("counts", __doc__, table)


if __name__ == "__main__":
    main()
