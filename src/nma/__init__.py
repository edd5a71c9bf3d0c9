"""Bayesian network meta-analysis: exact where the data are normal, honest everywhere."""

from nma import (
    checks,
    datasets,
    decisions,
    engines,
    evidence,
    fit_measures,
    graph,
    heterogeneity,
    instruments,
    outcomes,
    plots,
    priors,
    readers,
    reports,
    shapes,
    structures,
)
from nma.absolute import absolute_effects, absolute_table
from nma.columns import assign
from nma.curves import curve
from nma.effects import effect_table, league_table, predictive_effects, relative_effects
from nma.fitting import fit
from nma.hierarchy import p_scores, poth, sucra
from nma.incremental import incremental_effects
from nma.model import Model
from nma.network import Network
from nma.orderings import hierarchies
from nma.parameters import parameter_table
from nma.planning import planned
from nma.points import in_points
from nma.posterior import Posterior, at
from nma.prior_predictive import prior_predictive
from nma.ranking import cumulative_ranks, p_best, rank_probabilities, ranks
from nma.reports import report
from nma.simulation import simulate
from nma.standardised import standardised_table
from nma.summaries import summary
from nma.versions import show_versions

# fmt: off
__all__ = [
    "Model", "Network", "Posterior", "absolute_effects", "absolute_table", "assign", "at",
    "checks", "cumulative_ranks", "curve", "datasets", "decisions", "effect_table", "engines",
    "evidence", "fit", "fit_measures", "graph", "heterogeneity", "hierarchies", "in_points",
    "incremental_effects", "instruments", "league_table", "outcomes", "p_best", "p_scores",
    "parameter_table", "planned", "plots", "poth", "predictive_effects", "prior_predictive",
    "priors", "rank_probabilities", "ranks", "readers", "relative_effects", "report", "reports",
    "shapes", "show_versions", "simulate", "standardised_table", "structures", "sucra", "summary",
]
# fmt: on
