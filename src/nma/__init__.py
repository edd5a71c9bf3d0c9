"""Bayesian network meta-analysis: exact where the data are normal, honest everywhere.

The workflow reads from top to bottom: data, network, model, fit, answers.
"""

from nma import checks as checks
from nma import datasets as datasets
from nma import engines as engines
from nma import evidence as evidence
from nma import fit_measures as fit_measures
from nma import graph as graph
from nma import heterogeneity as heterogeneity
from nma import instruments as instruments
from nma import outcomes as outcomes
from nma import plots as plots
from nma import priors as priors
from nma import readers as readers
from nma import shapes as shapes
from nma import structures as structures
from nma.absolute import absolute_effects as absolute_effects
from nma.absolute import absolute_table as absolute_table
from nma.columns import assign as assign
from nma.curves import curve as curve
from nma.effects import effect_table as effect_table
from nma.effects import league_table as league_table
from nma.effects import predictive_effects as predictive_effects
from nma.effects import relative_effects as relative_effects
from nma.fitting import fit as fit
from nma.incremental import incremental_effects as incremental_effects
from nma.model import Model as Model
from nma.network import Network as Network
from nma.parameters import parameter_table as parameter_table
from nma.planning import planned as planned
from nma.points import in_points as in_points
from nma.posterior import Posterior as Posterior
from nma.posterior import at as at
from nma.prior_predictive import prior_predictive as prior_predictive
from nma.ranking import p_best as p_best
from nma.ranking import p_scores as p_scores
from nma.ranking import rank_probabilities as rank_probabilities
from nma.ranking import ranks as ranks
from nma.ranking import sucra as sucra
from nma.simulation import simulate as simulate
from nma.standardised import standardised_table as standardised_table
from nma.summaries import summary as summary

__all__ = [
    "Model",
    "Network",
    "Posterior",
    "absolute_effects",
    "absolute_table",
    "assign",
    "at",
    "checks",
    "curve",
    "datasets",
    "effect_table",
    "engines",
    "evidence",
    "fit",
    "fit_measures",
    "graph",
    "heterogeneity",
    "in_points",
    "incremental_effects",
    "instruments",
    "league_table",
    "outcomes",
    "p_best",
    "p_scores",
    "parameter_table",
    "planned",
    "plots",
    "predictive_effects",
    "prior_predictive",
    "priors",
    "rank_probabilities",
    "ranks",
    "readers",
    "relative_effects",
    "shapes",
    "simulate",
    "standardised_table",
    "structures",
    "sucra",
    "summary",
]
