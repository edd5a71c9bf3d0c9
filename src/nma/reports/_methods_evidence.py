"""What the trials report and how it was read, in plain sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nma.network import Network
    from nma.sources import Source

__all__ = ["evidence"]

MEASURES = {
    "MD": "mean difference",
    "SMD": "standardised mean difference",
    "ROM": "ratio of means",
    "OR": "odds ratio",
    "RR": "risk ratio",
    "RD": "risk difference",
    "HR": "hazard ratio",
    "IRR": "incidence rate ratio",
}
LINKS = {"OR": "logit", "HR": "complementary log-log", "IRR": "log", "SMD": "probit"}
"""Links of the measures of counts that have a likelihood; the others are normal contrasts."""

NORMAL = "as normal contrasts, with their covariance in multi-arm trials"
SPREAD = {
    "own": "Hedges' g, by one standard deviation for each trial",
    "known": "by one standard deviation for each instrument",
}


def evidence(network: Network) -> list[str]:
    """Return the measure, and how each source of trials entered."""
    name = MEASURES.get(network.measure)
    told = f"{name} ({network.measure})" if name else network.measure
    scale = ", analysed as its logarithm" if network.ratio else ""
    return [f"The effect measure is the {told}{scale}.", *_entered(network.sources)]


def _entered(sources: Sequence[Source]) -> list[str]:
    """Return how each source entered, and of how many trials it is where there are several."""
    if len(sources) == 1:
        return [_read(sources[0])]
    count = [source.rows["study"].nunique() for source in sources]
    return [f"{_read(one)[:-1]} ({n} trials)." for one, n in zip(sources, count, strict=True)]


def _read(source: Source) -> str:
    outcome: Any = source.outcome
    name, measure = type(outcome).__name__, str(outcome.measure)
    normal = measure not in LINKS or outcome.as_normal() == outcome
    if name == "Contrast":
        return f"Differences within trials and their standard errors entered {NORMAL}."
    if name == "Continuous":
        spread = SPREAD["own" if outcome.reference_sd is None else "known"]
        how = f"; means were standardised ({spread})" if measure == "SMD" else ""
        return f"Means of arms entered {NORMAL}{how}."
    if name in COUNTS and normal:
        return f"{COUNTS[name][0]} in the arms entered {NORMAL}."
    if name in COUNTS:
        what, likelihood = COUNTS[name]
        return (
            f"{what} in the arms entered by a {likelihood} likelihood with {LINKS[measure]} link."
        )
    return f"What the trials report was read as {name}."


COUNTS = {
    "Binary": ("Events", "binomial"),
    "Rate": ("Events and exposures", "Poisson"),
    "Ordinal": ("Counts of ordered categories", "multinomial"),
}
"""Outcomes of counts: what they count, and its likelihood."""
