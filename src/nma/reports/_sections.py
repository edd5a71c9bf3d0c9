"""The sections of a report, each a value; what a model cannot answer says why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

import pandas as pd

from nma import plots
from nma.checks import design_by_treatment
from nma.decisions import MCID, better_by, equivalence, mcid_scores, near_best
from nma.effects import effect_table, league_table
from nma.errors import shortened
from nma.estimates import is_credible
from nma.fit_measures import deviance, dic
from nma.hierarchy import sucra
from nma.model import part_names
from nma.ranking import rank_probabilities
from nma.reports._methods import methods
from nma.reports._parts import Figure, Part, Refused, Section, tried
from nma.summaries import summary
from nma.tables import Table

if TYPE_CHECKING:
    from nma.posterior import Posterior
    from nma.sources import Source

__all__ = ["SECTIONS", "decisions"]

BELOW = "The numbers are in the tables of this section."
INDIRECT = (
    "indirect: whether other trials tell of the pair too.",
    "bridge: whether the pair alone joins two parts of the network.",
)
PAIRED = 8
"""Treatments up to which decisions are shown for every pair."""

MOST = 20
"""Comparisons that the text of a picture of the network names."""


def _network(posterior: Posterior) -> list[Part]:
    network = posterior.network
    compared = network.comparisons()
    people = network.table["participants"]
    told = f" and {people.sum():,.0f} participants" if people.notna().all() else ""
    counts = (
        f"{len(network.trials)} trials with {len(network.table)} arms{told} compare "
        f"{len(network.treatments)} treatments by {network.measure} ({network.better} is better). "
        f"{len(compared)} pair{'s' * (len(compared) != 1)} of treatments "
        f"{'are' if len(compared) != 1 else 'is'} compared directly"
    )
    parts = len(network.components)
    joined = "." if parts == 1 else f"; the network is in {parts} parts that no trial joins."
    text = [
        f"{shortened(a)} and {shortened(b)}, {n} trial{'s' * (n != 1)}"
        for a, b, n in compared[["treatment", "comparator", "trials"]].itertuples(index=False)
    ]
    more = f"; and {len(text) - MOST} more" if len(text) > MOST else ""
    answers = {key: compared[key].map({True: "yes", False: "no"}) for key in ("indirect", "bridge")}
    words = f"Network of treatments (nodes) and trials (lines): {'; '.join(text[:MOST])}{more}."
    return [
        *([network.caption] if network.caption else []),
        counts + joined,
        *tried(lambda: Figure(plots.network(network), words)),
        _treatments(posterior),
        Table(
            compared.assign(**answers).set_index(["treatment", "comparator"]),
            caption="Pairs of treatments that trials compare directly.",
            notes=INDIRECT,
            digits={"participants": 0},
        ),
    ]


def _treatments(posterior: Posterior) -> Table:
    network = posterior.network
    arms = network.table.groupby("treatment")
    found = pd.DataFrame({"trials": arms["study"].nunique(), "arms": arms.size()})
    found["participants"] = arms["participants"].sum(min_count=1)
    return Table(
        found.loc[list(network.treatments)],
        caption="Trials, arms and participants of each treatment.",
        notes=["Participants are of the arms that report them."],
        digits={"participants": 0},
    )


def _data(posterior: Posterior) -> list[Part]:
    notices = tuple(dict.fromkeys([*posterior.network.notices, *posterior.notices]))
    said = "What was derived, changed, chosen or doubted in reading and fitting:"
    read = posterior.model.structure.covariates(posterior.network)
    tables = [_reported(source, read) for source in posterior.network.sources]
    return [said, notices, *tables] if notices else ["There are no notices.", *tables]


def _reported(source: Source, covariates: Iterable[str]) -> Table:
    """Return the columns of a table that the fit reads, and which it does not."""
    outcome = source.outcome
    used = ["study", "treatment", "comparator", *outcome.labels, *outcome.columns, *covariates]
    kept = [name for name in dict.fromkeys(used) if name in source.rows]
    others = [str(name) for name in source.rows if name not in kept]
    return Table(
        source.rows[kept].sort_index().map(_as_given),
        caption=f"What the trials report, read as {type(outcome).__name__}.",
        notes=[f"Columns that are not shown: {', '.join(others)}."] if others else [],
    )


def _as_given(value: object) -> str:
    """Return a cell as its reader wrote it: numbers unrounded up to six figures."""
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.6g}"
    return str(value)


def _methods(posterior: Posterior) -> list[Part]:
    return [methods(posterior), *([posterior.priors] if posterior.priors else [])]


def _effects(posterior: Posterior) -> list[Part]:
    words = f"Forest of effects against {shortened(posterior.comparator)}, with intervals. {BELOW}"
    tau = "Prior and posterior of the standard deviation between trials."
    return tried(
        lambda: Figure(plots.forest(posterior), words),
        lambda: effect_table(posterior, comparators=[posterior.comparator]),
        lambda: summary(posterior),
        *([lambda: Figure(plots.heterogeneity(posterior), tau)] if posterior.priors else []),
    )


def _league(posterior: Posterior) -> list[Part]:
    return tried(lambda: league_table(posterior))


def _ranking(posterior: Posterior) -> list[Part]:
    words = f"Probability of every rank for each treatment, the best first. {BELOW}"
    of = "posterior" if is_credible(posterior) else "sampling distribution"
    return _said(
        f"Treatments were ranked by the joint {of} of their effects: mean and median rank with an "
        "interval, SUCRA (how many of the other treatments one beats on average, as a share), and "
        "the probability of each rank.",
        tried(
            lambda: sucra(posterior),
            lambda: Figure(plots.rankogram(posterior), words),
            lambda: rank_probabilities(posterior),
        ),
    )


def _consistency(posterior: Posterior) -> list[Part]:
    words = f"What each design adds to Q, and Q between designs without it. {BELOW}"
    check = cache(lambda: design_by_treatment(posterior))
    return _said(
        "Inconsistency was assessed by least squares: Q was split into a part within designs (sets "
        "of treatments) and a part between them, and the difference between designs was tested "
        "under random effects, too.",
        tried(check, lambda: Figure(plots.design_by_treatment(check()), words)),
    )


def _said(how: str, parts: list[Part]) -> list[Part]:
    """Return parts after how they were found, unless nothing was."""
    return parts if all(isinstance(part, Refused) for part in parts) else [how, *parts]


def _fit(posterior: Posterior) -> list[Part]:
    poor = [posterior.poor] if posterior.poor else []
    words = f"Leverage of each data point against its residual deviance. {BELOW}"
    asked = (
        lambda: dic(posterior),
        lambda: deviance(posterior),
        lambda: Figure(plots.leverage(posterior), words),
    )
    return [*poor, *tried(*asked)]


def _handed_over(posterior: Posterior) -> list[Part]:  # noqa: ARG001  every body takes it
    """Return nothing: what is slow is handed over when it is done."""
    return []


def _decisions(posterior: Posterior, mcid: MCID) -> list[Part]:
    words = f"Shares of the posterior better, alike and worse, beside the effects. {BELOW}"
    few = len(posterior.treatments) <= PAIRED
    against = None if few else [posterior.comparator]
    shares = cache(lambda: equivalence(posterior, mcid=mcid, comparators=against))
    only = f"Of so many treatments, pairs are shown against {posterior.comparator} alone."
    return [
        f"The smallest difference that matters: {mcid}.",
        *([] if few else [only]),
        *tried(
            lambda: Figure(plots.equivalence(shares()), words),
            shares,
            lambda: better_by(posterior, mcid=mcid, comparators=against),
            lambda: near_best(posterior, mcid=mcid),
            lambda: mcid_scores(posterior, mcid=mcid),
        ),
    ]


def decisions(mcid: MCID | None) -> Section:
    """Return the section of decisions, which needs a difference that matters."""
    body = _handed_over if mcid is None else partial(_decisions, mcid=mcid)
    return Section("decisions", "Decisions", body, ("21",))


def _software(posterior: Posterior) -> list[Part]:
    made = {name: repr(getattr(posterior.model, name)) for name in part_names(posterior.model)}
    rows = {**posterior.provenance, **made}
    return [
        "The same data, seed and versions give this report again, to the byte.",
        Table(
            pd.DataFrame({"value": list(rows.values())}, index=pd.Index(list(rows), name="what")),
            caption="Software, engine with its seed, a digest of the data, and the model.",
        ),
    ]


SECTIONS: Sequence[Section] = (
    Section("network", "Question and network", _network, ("S3", "S4")),
    Section("data", "Data and notices", _data, ("20",)),
    Section("methods", "Methods", _methods, ("S1", "13", "14")),
    Section("effects", "Effects", _effects, ("21",)),
    Section("league", "League table", _league, ("21",)),
    Section("ranking", "Ranking", _ranking, ("13", "21")),
    Section("consistency", "Consistency", _consistency, ("S2", "S5")),
    Section("fit", "Fit", _fit, ("14",)),
    Section("influence", "Influence", _handed_over, ("23",)),
    decisions(None),
    Section("software", "Software and seed", _software),
)
"""The sections of a report in order; those without parts are left out."""
