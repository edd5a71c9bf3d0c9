"""Simulate the network `back_pain_simulated`: 58 trials on back pain, with known truth.

Run: python benchmarks/simulate_back_pain.py [--write]

Arm k of trial i has, in standard deviations of its instrument, the mean pain

    half the range + m_i + d_k + u_ik,    m_i ~ N(0, 0.3^2),    u_ik ~ N(0, tau^2 / 2)

where d is the effect versus passive control and tau the heterogeneity of relative effects. Every
participant has a score before and after, beta distributed over the instrument's range, so that no
score leaves it and mean and standard deviation are exactly those above; the two are tied by a
normal copula of correlation 0.5. Before treatment the arms of a trial share one mean. A responder
has at least 30 % less pain than before. Weeks and risk of bias are drawn apart from all else: they
change no score. The seed is the year of the review, chosen before any result was seen.

Where each number of the truth comes from stands in the notes of the dataset.
"""

from __future__ import annotations

import argparse
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

import nma

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEED = 2022
PARTICIPANTS, FEWEST = 10_084, 15
TRIAL_SD = 0.3
TAU = 0.25
EFFECTS = {
    "passive control": 0.0,
    "standard exercise": -0.12,
    "individualised exercise": -0.40,
    "multimodal care": -0.40,
}
INSTRUMENTS = {"NRS": (10.0, 2.2, 2), "VAS": (100.0, 23.0, 1)}
"""Range, standard deviation after treatment, decimals reported."""
BEFORE_MEAN, BEFORE_SD, CORRELATION = 0.6, 0.17, 0.5
"""Before treatment, as parts of the range; and the correlation of the two scores."""
PASSIVE, STANDARD, INDIVIDUAL, MULTI = EFFECTS
DESIGNS = {
    (STANDARD, INDIVIDUAL): 17,
    (PASSIVE, INDIVIDUAL): 12,
    (STANDARD, MULTI): 6,
    (PASSIVE, MULTI): 5,
    (PASSIVE, STANDARD): 5,
    (INDIVIDUAL, MULTI): 4,
    (PASSIVE, STANDARD, INDIVIDUAL): 3,
    (STANDARD, INDIVIDUAL, MULTI): 2,
    (PASSIVE, INDIVIDUAL, MULTI): 2,
    (PASSIVE, STANDARD, INDIVIDUAL, MULTI): 2,
}
"""How many trials compare which treatments."""


def sizes(rng: np.random.Generator, trials: list[tuple[str, ...]]) -> list[NDArray[np.int64]]:
    """Return the participants of every arm; they add up to PARTICIPANTS."""
    arms = [len(trial) for trial in trials]
    share = np.repeat(rng.lognormal(0, 0.8, len(trials)), arms) * rng.uniform(0.9, 1.1, sum(arms))
    wanted = (PARTICIPANTS - FEWEST * sum(arms)) * share / share.sum()
    whole = np.floor(wanted).astype(np.int64)
    left = PARTICIPANTS - FEWEST * sum(arms) - int(whole.sum())
    whole[np.argsort(whole - wanted, kind="stable")[:left]] += 1
    return np.split(FEWEST + whole, np.cumsum(arms)[:-1])


def scores(normal: NDArray[np.float64], mean: float, sd: float, top: float) -> NDArray[np.float64]:
    """Return scores in 0 to top with this mean and standard deviation, in the order of normal."""
    part = mean / top
    count = part * (1 - part) * (top / sd) ** 2 - 1
    return top * np.asarray(
        stats.beta.ppf(stats.norm.cdf(normal), part * count, (1 - part) * count)
    )


def arm(rng: np.random.Generator, name: str, level: float, n: int) -> dict[str, object]:
    """Return what an arm of n participants reports on the named instrument.

    Parameters
    ----------
    rng : Generator
        The source of chance.
    name : str
        One of INSTRUMENTS.
    level : float
        Mean after treatment, standard deviations above half the range.
    n : int
        Participants.
    """
    top, sd, decimals = INSTRUMENTS[name]
    first, other = rng.standard_normal((2, n))
    second = CORRELATION * first + np.sqrt(1 - CORRELATION**2) * other
    before = scores(first, BEFORE_MEAN * top, BEFORE_SD * top, top)
    after = scores(second, top / 2 + sd * level, sd, top)
    return {
        "instrument": name,
        "mean": round(float(after.mean()), decimals),
        "sd": round(float(after.std(ddof=1)), decimals),
        "n": n,
        "responders": int((after <= 0.7 * before).sum()),
    }


def trial(
    rng: np.random.Generator, treatments: tuple[str, ...], n: NDArray[np.int64]
) -> list[dict[str, object]]:
    """Return the arms of one trial."""
    name = str(rng.choice(list(INSTRUMENTS)))
    level = rng.normal(0, TRIAL_SD)
    about = {
        "weeks": int(rng.choice([6, 8, 10, 12, 12, 12, 16])),
        "risk_of_bias": str(rng.choice(["low", "some concerns", "high"], p=[0.3, 0.45, 0.25])),
    }
    arms: list[dict[str, object]] = []
    for treatment, size in zip(treatments, n.tolist(), strict=True):
        here = level + EFFECTS[treatment] + rng.normal(0, TAU / np.sqrt(2))
        arms.append({"treatment": treatment, **arm(rng, name, here, size), **about})
    return arms


def simulate(seed: int = SEED) -> pd.DataFrame:
    """Return one network, a row for each arm.

    Parameters
    ----------
    seed : int
        Of NumPy's default generator.
    """
    rng = np.random.default_rng(seed)
    designs = [design for design, times in DESIGNS.items() for _ in range(times)]
    trials = [designs[k] for k in rng.permutation(len(designs))]
    rows = [
        {"study": f"Simulated {k:02d}", **row}
        for k, (treatments, n) in enumerate(zip(trials, sizes(rng, trials), strict=True), start=1)
        for row in trial(rng, treatments, n)
    ]
    return pd.DataFrame(rows)


def main() -> None:
    """Compare a fresh simulation with the shipped one, or write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the dataset")
    frame = simulate()
    if parser.parse_args().write:
        path = str(files("nma.datasets") / "back_pain_simulated.csv")
        frame.to_csv(path, index=False, lineterminator="\n")
    shipped = nma.datasets.load("back_pain_simulated")
    print(f"{frame['study'].nunique()} trials, {len(frame)} arms, {frame['n'].sum()} participants")
    print(f"The shipped dataset is {'the same' if frame.equals(shipped) else 'ANOTHER ONE'}.")


if __name__ == "__main__":
    main()
