"""Other people's numbers, and how near ours must come to them.

Their numbers come from Markov chains and are printed to a few digits. Ours must lie within

    half a unit of the last printed digit + 4 sqrt(theirs^2 + ours^2)

where *theirs* is the Monte Carlo error of the source and *ours* is our own. With n effective draws
from a distribution with quantile function Q, standard deviation s and kurtosis k, theirs is

    of the mean s / sqrt(n), of the standard deviation s sqrt((k - 1) / (4 n)),
    of a quantile (Q(p + e) - Q(p - e)) / 2 with e = sqrt(p (1 - p) / n),
    of the mean deviance sqrt(2 pD / n), of pD the same, and of DIC twice that,

because the deviance is near D(mean) plus a chi-squared on pD degrees of freedom. Q, s and k are
those of our draws. Ours is the spread of the same number over our chains, which are independent.

WinBUGS, and so the NICE DSU documents, take pD at the mean of linear predictors; gemtc and multinma
at the mean of fitted values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

import comparisons
import nma
from nma import fit_measures
from nma.priors import HalfNormal, LogNormal, Normal, Uniform
from nma.protocols import Engine, Structure
from sources import Place

Array = NDArray[np.float64]
Key = tuple[str, str] | str
"""What a number is of: treatment versus comparator, "tau", or a parameter of the structure."""
Tau = HalfNormal | LogNormal | Uniform | None
"""The prior of the heterogeneity; none for a common effect."""
Numbers = Mapping[str, str] | Mapping[str, float] | Mapping[str, str | float]
"""Printed numbers, which are text, or stored ones, by name."""
PlugIn = Literal["fitted", "linear predictor"]
WINBUGS: PlugIn = "linear predictor"
"""Where the NICE DSU documents take pD."""

ENGINE: Engine | None = None
"""What answers in every test of the literature; the library's own choice where none."""

SIGMAS = 4
LEVELS = {"lower": 0.025, "median": 0.5, "upper": 0.975}


class Stored(NamedTuple):
    """A marginal posterior as another program's chains tell it, unrounded.

    ``draws``: its effective draws, the fewest of those reported for it.
    """

    mean: float
    sd: float
    lower: float
    median: float
    upper: float
    draws: int

    @property
    def numbers(self) -> dict[str, float]:
        """Its numbers by name."""
        return {name: value for name, value in self._asdict().items() if name != "draws"}


class Run(NamedTuple):
    """What another program's run says: marginals, then deviance, pD and DIC.

    ``draws``: its fewest effective draws.
    """

    tau: Tau
    marginals: Mapping[Key, Stored]
    fit: tuple[float, float, float]
    draws: int


WIDE = Normal(0, 100)
"""The prior of everything else in the NICE DSU documents."""


def fit(network: nma.Network, tau: Tau = None, structure: Structure | None = None) -> nma.Posterior:
    """Return a fit under the priors of the NICE DSU documents: N(0, 100^2) for everything else."""
    spread = nma.heterogeneity.Common() if tau is None else nma.heterogeneity.Random(tau)
    effects = nma.structures.Consistency(WIDE) if structure is None else structure
    model = nma.Model(effects, spread, trial_levels=WIDE)
    return nma.fit(network, model, engine=ENGINE)


def regression(covariate: str, control: str) -> nma.structures.Regression:
    """Return a shared interaction with a covariate, N(0, 100^2) as everything else."""
    return nma.structures.Regression(
        nma.structures.Consistency(WIDE), covariate, control=control, effect=WIDE
    )


def model_of(tau: Tau) -> str:
    """Return what a model is called by its heterogeneity."""
    return "common effect" if tau is None else "random effects"


@cache
def fitted(
    name: str, tau: Tau = None, structure: nma.structures.Regression | None = None
) -> nma.Posterior:
    """Return the fit of a shipped network, once, with nothing said against it."""
    posterior = fit(nma.datasets.network(name), tau, structure)
    assert not posterior.poor
    return posterior


FINER = 8
"""Times as many draws as there were, when they are chosen again by weight."""


def weighed(posterior: nma.Posterior, weights: Array) -> nma.Posterior:
    """Return a fit whose draws are chosen again, in proportion to weights (chain, draw).

    Evenly spaced points pick them from each chain in the order of their weights, so that the choice
    adds next to no noise.
    """
    at = (np.arange(FINER * weights.shape[1]) + 0.5) / (FINER * weights.shape[1])
    chosen = []
    for chain in weights:
        order = np.argsort(chain)
        share = chain[order].cumsum() / chain.sum()
        chosen.append(order[np.searchsorted(share, at)])
    values = posterior.draws.values.drop_vars("draw")
    parts = [values.isel(chain=[k], draw=which) for k, which in enumerate(chosen)]
    again = xr.concat(parts, dim="chain").assign_coords(draw=np.arange(len(at)))
    return replace(posterior, draws=replace(posterior.draws, sampler=lambda: again, moments=None))


def of(posterior: nma.Posterior, key: Key) -> Array:
    """Return draws of an effect, of tau or of a parameter, (chain, draw)."""
    if isinstance(key, str):
        values = posterior.draws.values
        found = values["tau"] if key == "tau" else values["beta"].sel(parameter=key)
        return found.to_numpy()
    treatment, comparator = key
    effects = nma.relative_effects(posterior, comparators=[comparator])
    return effects.sel(treatment=treatment, comparator=comparator).to_numpy()


def half_a_unit(number: str | float) -> float:
    """Return half a unit of the last digit of a printed number; 0 for one that is not rounded."""
    return 0.5 * 10.0 ** -len(number.partition(".")[2]) if isinstance(number, str) else 0.0


def summarised(draws: Array, name: str) -> float:
    """Return the mean, the sd or a quantile of draws."""
    if name in LEVELS:
        return float(np.quantile(draws, LEVELS[name]))
    return float(draws.mean() if name == "mean" else draws.std())


def their_error(draws: Array, name: str, effective: float) -> float:
    """Return the Monte Carlo error that a number has from so many effective draws."""
    sd = float(draws.std())
    if name == "mean":
        return sd / float(np.sqrt(effective))
    if name == "sd":
        kurtosis = float(((draws - draws.mean()) ** 4).mean()) / sd**4
        return sd * float(np.sqrt((kurtosis - 1) / (4 * effective)))
    p = LEVELS[name]
    e = np.sqrt(p * (1 - p) / effective)
    lower, upper = np.quantile(draws, np.clip([p - e, p + e], 0, 1))
    return float(upper - lower) / 2


def our_error(draws: Array, name: str) -> float:
    """Return the standard error of a number, from its spread over chains."""
    each = [summarised(chain, name) for chain in draws]
    return float(np.std(each, ddof=1) / np.sqrt(len(each)))


def tolerance(number: str | float, theirs: float, ours: float) -> float:
    """Return how far from a number ours may lie."""
    return half_a_unit(number) + SIGMAS * float(np.hypot(theirs, ours))


def compared(draws: Array, numbers: Numbers, effective: float) -> pd.DataFrame:
    """Return a line for each number: theirs, ours and the tolerance."""
    within = [
        tolerance(number, their_error(draws, name, effective), our_error(draws, name))
        for name, number in numbers.items()
    ]
    return _lined(numbers, [summarised(draws, name) for name in numbers], within)


def compared_fit(
    posterior: nma.Posterior,
    numbers: Sequence[str] | Sequence[float],
    effective: float,
    plug_in: PlugIn = "fitted",
) -> pd.DataFrame:
    """Return a line each for deviance, pD and DIC: theirs, ours and the tolerance."""
    table = fit_measures.dic(posterior, plug_in=plug_in)
    error = float(np.sqrt(2 * float(table["pD"].iloc[0]) / effective))
    given: dict[str, str | float] = dict(zip(("deviance", "pD", "DIC"), numbers, strict=True))
    within = [
        tolerance(number, error * (2 if name == "DIC" else 1), float(table.attrs[f"mcse_{name}"]))
        for name, number in given.items()
    ]
    found = _lined(given, table[[*given]].iloc[0], within)
    found.attrs["note"] = f", pD at the mean of {plug_in}s" if plug_in == WINBUGS else ""
    return found


def exactly(
    ours: Iterable[Any], numbers: Numbers, within: float | Sequence[float] | Array
) -> pd.DataFrame:
    """Return a line for each number that has no Monte Carlo error, as ``compared`` does."""
    return _lined(numbers, ours, np.broadcast_to(within, len(numbers)))


def _lined(numbers: Numbers, ours: Iterable[Any], within: Iterable[float]) -> pd.DataFrame:
    lines = [
        (float(number), float(found), float(allowed), str(number))
        for number, found, allowed in zip(numbers.values(), ours, within, strict=True)
    ]
    return pd.DataFrame(lines, index=[*numbers], columns=["theirs", "ours", "tolerance", "printed"])


def assert_near(table: pd.DataFrame, what: Key, place: Place | None) -> None:
    """Assert that every number lies within its tolerance; a place makes it a row of the page."""
    wrong = table[~_within(table)]
    assert wrong.empty, f"{what}\n{wrong}"
    _record(table, what, place, "agrees")


def assert_apart(table: pd.DataFrame, what: Key, place: Place | None) -> None:
    """Assert that no number lies within its tolerance: the cause stands in docs/checked.md."""
    near = table[_within(table)]
    assert near.empty, f"no misfit any more: {what}\n{near}"
    _record(table, what, place, "differs")


def _within(table: pd.DataFrame) -> pd.Series[bool]:
    return (table["theirs"] - table["ours"]).abs() <= table["tolerance"]


def _record(table: pd.DataFrame, what: Key, place: Place | None, verdict: str) -> None:
    if place is not None:
        label = what if isinstance(what, str) else " versus ".join(what)
        comparisons.record(
            place,
            label + table.attrs.get("note", ""),
            theirs=dict(zip(table.index, table["printed"], strict=True)),
            ours=table["ours"].tolist(),
            allowed=table["tolerance"].tolist(),
            verdict=verdict,
        )


def assert_run(name: str, run: Run, place: Place) -> None:
    """Assert that a shipped network gives what another program's run says."""
    assert_same(fitted(name, run.tau), run, place)


def assert_same(posterior: nma.Posterior, run: Run, place: Place) -> None:
    """Assert that a fit gives what another program's run says."""
    for key, stored in run.marginals.items():
        assert_near(compared(of(posterior, key), stored.numbers, stored.draws), key, place)
    assert_near(compared_fit(posterior, run.fit, run.draws), "fit", place)
