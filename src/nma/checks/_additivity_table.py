"""The table of additivity against the full network, and what it says in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
import pandas as pd

from nma.errors import shortened
from nma.estimates import briefly, captioned, is_credible
from nma.model import prior_words
from nma.tables import Table, figures, probability

if TYPE_CHECKING:
    from nma.least_squares import CommonEffect
    from nma.posterior import Posterior
    from nma.priors import Normal

__all__ = ["ADDITIVE", "FULL", "INTERACTING", "Fit", "tabulated"]

ADDITIVE, INTERACTING, FULL = "additive", "with interactions", "full network"
"""What the models are called."""

DIFFERENCE = "difference"
"""The first row minus the second."""


@final
@dataclass(frozen=True, eq=False)
class Fit:
    """What is read of one fit.

    Parameters
    ----------
    tau : float
        Its median; NaN where there is none.
    dic : float
        NaN where there is no posterior.
    left_out : mapping of str to float
        Log predictive density of each study left out.
    alone : tuple of str
        The studies without which others do not connect their treatments.
    doubts : tuple of str
        What speaks against those densities.
    log_evidence : float
        NaN where the engine tells none.
    """

    tau: float
    dic: float
    left_out: Mapping[str, float]
    alone: tuple[str, ...]
    doubts: tuple[str, ...]
    log_evidence: float


def tabulated(
    posterior: Posterior,
    models: Mapping[str, tuple[CommonEffect, Fit | None]],
    *,
    bayes_factors: Mapping[float, float],
    prior: Normal | None,
    deviating: bool,
    connected: bool,
    notes: Sequence[str],
    partial: str,
) -> Table:
    """Return the table of additivity.

    Parameters
    ----------
    posterior : Posterior
        The fit that was checked.
    models : mapping of str to (CommonEffect, Fit or None)
        The model with components, then the full network.
    bayes_factors : mapping of float to float
        Of additivity against deviations, by the sd of their prior, the one asked for first.
    prior : Normal, optional
        That one.
    deviating, connected : bool
        Whether any treatment has several components, and whether trials connect all treatments.
    notes : sequence of str
        What became of the fits.
    partial : str
        Words for the caption if some are missing.
    """
    (here, own), (whole, full) = models.values()
    rows = {name: _row(*model) for name, model in models.items()}
    rows[DIFFERENCE] = _difference(here, own, whole, full)
    numbers = pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")
    numbers["df"] = numbers["df"].astype(int)
    table = Table(
        numbers,
        caption=captioned(posterior, _caption(posterior, partial)),
        notes=[
            *notes,
            *_verdict(next(iter(models)), rows[DIFFERENCE], whole),
            *(_factors(posterior, bayes_factors, prior, deviating) if here.df > whole.df else []),
            *_unconnected(connected),
            *_left_out({name: fit for name, (_, fit) in models.items()}),
            *briefly(posterior),
        ],
        digits={"Q": 2, "tau": 3, "DIC": 1, "elpd": 2, "elpd_se": 2},
        probabilities=["p"],
    )
    table.attrs = {
        "poor": " ".join(filter(None, [posterior.poor, partial.rstrip(":")])),
        "data": posterior.network.caption,
        "bayes_factors": dict(bayes_factors),
        "prior": "" if prior is None else prior_words(prior),
    }
    return table


def _row(effects: CommonEffect, fit: Fit | None) -> dict[str, float]:
    found = _tested(effects.Q, effects.df)
    densities = np.array(list(fit.left_out.values())) if fit else np.empty(0)
    return found | {
        "tau": fit.tau if fit else np.nan,
        "DIC": fit.dic if fit else np.nan,
        **_total(densities),
    }


def _difference(
    here: CommonEffect, own: Fit | None, whole: CommonEffect, full: Fit | None
) -> dict[str, float]:
    Q, df = max(0.0, here.Q - whole.Q), here.df - whole.df
    found = _tested(Q, df) | {"tau": np.nan, "DIC": np.nan, **_total(np.empty(0))}
    if own is None or full is None:
        return found
    both = [study for study in own.left_out if study in full.left_out]
    paired = np.array([own.left_out[study] - full.left_out[study] for study in both])
    return found | {"tau": own.tau - full.tau, "DIC": own.dic - full.dic, **_total(paired)}


def _tested(Q: float, df: int) -> dict[str, float]:
    from scipy.special import chdtrc

    if not df:  # what is left is rounding
        return {"Q": 0.0, "df": 0, "p": np.nan}
    return {"Q": Q, "df": df, "p": float(chdtrc(df, Q))}


def _total(densities: np.ndarray) -> dict[str, float]:
    """Return the sum over studies and its standard error."""
    count = len(densities)
    return {
        "elpd": float(densities.sum()) if count else np.nan,
        "elpd_se": float(np.sqrt(count) * densities.std(ddof=1)) if count > 1 else np.nan,
    }


def _caption(posterior: Posterior, partial: str) -> str:
    better = "; of DIC less is better, of elpd more" if is_credible(posterior) else ""
    said = f"Additivity against one effect for each treatment: Q and its p at common effect{better}"
    return f"{partial} {said}.".strip()


def _verdict(name: str, difference: Mapping[str, float], whole: CommonEffect) -> list[str]:
    if not difference["df"]:
        said = (
            "Saturated: additivity is untestable here. The components have as many effects as the "
            "full network, so a good fit says nothing for it."
        )
        return [said]
    model = "Additivity" if name == ADDITIVE else "The model with interactions"
    added = f"{model} adds Q = {difference['Q']:.2f} on {difference['df']:.0f} df"
    p = f"to that of the full network, p {probability(difference['p'])}"
    said = f"{added} {p}. A large p does not show that components add up."
    return [said, *_heterogeneous(whole)]


def _heterogeneous(whole: CommonEffect) -> list[str]:
    """Return that p is too small where trials on the same treatments differ."""
    if not whole.df or whole.df >= whole.Q:
        return []
    said = (
        f"The full network leaves Q = {whole.Q:.2f} on {whole.df} df: at common effect p takes "
        "that heterogeneity for departure from additivity too."
    )
    return [said]


def _factors(
    posterior: Posterior,
    found: Mapping[float, float],
    prior: Normal | None,
    deviating: bool,
) -> list[str]:
    if not is_credible(posterior):
        return ["No Bayes factor: least squares has no prior."]
    if prior is None:
        return ["No Bayes factor: the engine tells no evidence."]
    if not deviating:
        return ["No Bayes factor: no treatment has two components."]
    if prior.sd not in found:
        return []
    others = "".join(
        f", {figures(found[sd])} with {words} that sd"
        for sd, words in ((prior.sd / 2, "half"), (2 * prior.sd, "twice"))
        if sd in found
    )
    said = (
        "Bayes factor of additivity against deviations of every combination ~ "
        f"{prior_words(prior)}: {figures(found[prior.sd])}{others}."
    )
    return [said]


def _unconnected(connected: bool) -> list[str]:
    if connected:
        return []
    said = (
        "No trial connects all treatments, so the full network cannot be fitted as one: its Q adds "
        "up over its parts, and tau, DIC and elpd are left empty."
    )
    return [said]


def _left_out(fits: Mapping[str, Fit | None]) -> list[str]:
    """Return where elpd is not to be relied on."""
    doubts = [f"elpd, {name}: {note}" for name, fit in fits.items() if fit for note in fit.doubts]
    full = fits[FULL]
    if full is None or not full.alone:
        return doubts
    more = f" and {len(full.alone) - 5} more" if len(full.alone) > 5 else ""
    first = "each of " * (len(full.alone) > 1)
    listed = first + ", ".join(map(shortened, full.alone[:5]))
    said = (
        f"elpd: {listed}{more}, left out, leaves its treatments unconnected, so that the full "
        "network predicts it by its prior, whose width counts against it."
    )
    return [*doubts, said]
