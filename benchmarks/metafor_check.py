"""Least squares beside metafor, run live: tau, estimates and standard errors.

Run: python benchmarks/metafor_check.py [--write]

Needs R with metafor (Debian: r-cran-metafor); says so and stops where they are missing. metafor's
``rma.mv`` gets the contrasts with their full covariance and a heterogeneity with correlation 1/2;
where its tau is at zero it stops a little above.
"""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import results

import nma
from nma.least_squares import differences
from nma.problem import Contrasts, Problem

DATASETS = ["senn2013", "parkinson", "back_pain"]
EVENTS = {"smoking": "higher", "thrombolytics": "lower", "blocker": "lower"}
WAYS = ["REML", "ML", "common"]
SCRIPT = """
suppressPackageStartupMessages(library(metafor))
folder <- commandArgs(TRUE)[1]
read <- function(name) as.matrix(read.csv(file.path(folder, name), header = FALSE))
y <- read("y.csv")[, 1]; X <- read("X.csv"); V <- read("V.csv"); R <- read("R.csv")
trial <- factor(read("trial.csv")[, 1]); row <- factor(seq_along(y))
dimnames(R) <- list(levels(row), levels(row))
for (method in c("REML", "ML", "common")) {
  m <- if (method == "common")
    rma.mv(y, V, mods = ~ 0 + X)
  else
    rma.mv(y, V, mods = ~ 0 + X, random = ~ 1 | row, R = list(row = R), Rscale = FALSE,
           method = method)
  tau <- if (method == "common") 0 else sqrt(m$sigma2)
  cat(method, format(c(tau, m$QE, m$b, m$se), digits = 17), sep = ",", fill = 1e6)
}
cat("# metafor", as.character(packageVersion("metafor")), R.version.string, "\\n")
"""


def odds_ratios(name: str) -> nma.Network:
    """Return a dataset of events as log odds ratios, half added where a cell is empty."""
    rows = []
    for study, arms in nma.datasets.load(name).groupby("study", sort=False):
        yes = arms["events"].to_numpy(float)
        no = arms["n"].to_numpy(float) - yes
        half = 0.5 * bool((yes * no == 0).any())
        logit = np.log((yes + half) / (no + half))
        variance = 1 / (yes + half) + 1 / (no + half)
        base, *others = arms["treatment"]
        for k, other in enumerate(others, start=1):
            se, own = np.sqrt(variance[k] + variance[0]), np.sqrt(variance[0])
            rows.append((str(study), other, base, logit[k] - logit[0], se, own))
    columns = ["study", "treatment", "comparator", "effect", "se", "base_se"]
    better = EVENTS[name]
    return nma.Network.from_contrasts(
        pd.DataFrame(rows, columns=columns),
        study="study",
        treatment="treatment",
        comparator="comparator",
        outcome=nma.outcomes.Contrast(
            "effect",
            "se",
            base_se="base_se",
            measure="OR",
            better="higher" if better == "higher" else "lower",
        ),
    )


def write(problem: Problem, folder: Path) -> None:
    """Write the contrasts, their levels and both covariances as R reads them."""
    blocks = [part for part in problem.evidence if isinstance(part, Contrasts)]
    sizes = np.concatenate([np.full(len(b.y), b.y.shape[1]) for b in blocks])
    trial = np.repeat(np.arange(len(sizes)), sizes)
    same = trial[:, None] == trial
    V = np.zeros(same.shape)
    V[same] = np.concatenate([b.V.ravel() for b in blocks])
    tables = {
        "y": np.concatenate([b.y.ravel() for b in blocks]),
        "X": differences(problem),
        "V": V,
        "R": np.where(same, 0.5, 0.0) + 0.5 * np.eye(len(trial)),
        "trial": trial,
    }
    for name, table in tables.items():
        np.savetxt(folder / f"{name}.csv", table, delimiter=",", fmt="%.17g")


def metafor(problem: Problem) -> tuple[dict[str, np.ndarray], str]:
    """Return tau, Q, estimates and standard errors by method, and what computed them."""
    with tempfile.TemporaryDirectory() as folder:
        write(problem, Path(folder))
        script = Path(folder) / "check.R"
        script.write_text(SCRIPT, encoding="utf-8")
        command = [str(shutil.which("Rscript")), str(script), folder]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    lines = said.strip().splitlines()
    frame = pd.read_csv(io.StringIO("\n".join(lines[:-1])), header=None, index_col=0)
    return {str(name): row.to_numpy(float) for name, row in frame.iterrows()}, lines[-1][2:]


def ours(network: nma.Network, way: str) -> tuple[Problem, np.ndarray]:
    """Return the problem, and our tau, Q, estimates and standard errors."""
    model = nma.Model(
        nma.structures.Consistency(nma.priors.Normal(0, 1)),
        nma.heterogeneity.Random(nma.priors.HalfNormal(1)),
    )
    posterior = nma.fit(network, model, engine=nma.engines.LeastSquares(way))
    moments, told = posterior.draws.moments, posterior.draws.diagnostics
    assert moments is not None
    error = np.sqrt(np.diagonal(moments.covariance[0]))
    return posterior.problem, np.r_[told["tau"], told["Q"], moments.mean[0], error]


def compared(name: str, network: nma.Network) -> tuple[list[dict[str, object]], str]:
    """Return a row for each method: both values of tau, and the largest differences."""
    theirs, version = metafor(ours(network, "common")[0])
    rows: list[dict[str, object]] = []
    for way in WAYS:
        mine, other = ours(network, way)[1], theirs[way]
        effects = (len(mine) - 2) // 2
        gap = np.abs(mine - other)
        rows.append(
            {
                "dataset": name,
                "tau by": way,
                "tau": f"{mine[0]:.8f}",
                "metafor": f"{other[0]:.8f}",
                "Q differs": f"{gap[1]:.0e}",
                "estimates differ": f"{gap[2 : 2 + effects].max():.0e}",
                "standard errors differ": f"{gap[2 + effects :].max():.0e}",
            }
        )
    return rows, version


def main() -> None:
    """Print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write results/metafor_check.md")
    keep = parser.parse_args().write
    found = shutil.which("Rscript")
    probe = [found, "-e", "library(metafor)"] if found else ["false"]
    if not found or subprocess.run(probe, check=False, capture_output=True).returncode:  # noqa: S603
        print("Rscript with metafor is not here: on Debian, apt-get install r-cran-metafor.")
        return
    networks = {name: nma.datasets.network(name) for name in DATASETS}
    networks |= {name: odds_ratios(name) for name in EVENTS}
    rows: list[dict[str, object]] = []
    version = ""
    for name, network in networks.items():
        more, version = compared(name, network)
        rows += more
    table = f"{pd.DataFrame(rows).to_string(index=False)}\n\n{version}"
    print(table)
    if keep:
        results.write("metafor_check", __doc__, table)


if __name__ == "__main__":
    main()
