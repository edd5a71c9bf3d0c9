"""Bayesian network meta-analysis: exact where the data are normal, honest everywhere.

The workflow reads from top to bottom: data, network, model, fit, answers.
"""

from nma import checks as checks
from nma import datasets as datasets
from nma import decisions as decisions
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
from nma import structures as structures
from nma.absolute import absolute_effects as absolute_effects
from nma.absolute import absolute_table as absolute_table
from nma.decisions._probability import probability as probability
from nma.effects import effect_table as effect_table
from nma.effects import league_table as league_table
from nma.effects import predictive_effects as predictive_effects
from nma.effects import relative_effects as relative_effects
from nma.fitting import fit as fit
from nma.hierarchy import p_scores as p_scores
from nma.hierarchy import poth as poth
from nma.hierarchy import sucra as sucra
from nma.model import Model as Model
from nma.network import Network as Network
from nma.orderings import hierarchies as hierarchies
from nma.partial_orders import partial_order as partial_order
from nma.points import in_points as in_points
from nma.posterior import Posterior as Posterior
from nma.posterior import at as at
from nma.prior_predictive import prior_predictive as prior_predictive
from nma.ranking import cumulative_ranks as cumulative_ranks
from nma.ranking import p_best as p_best
from nma.ranking import rank_probabilities as rank_probabilities
from nma.ranking import ranks as ranks
from nma.standardised import standardised_table as standardised_table
from nma.summaries import summary as summary

__all__ = [
    "Model",
    "Network",
    "Posterior",
    "absolute_effects",
    "absolute_table",
    "at",
    "checks",
    "cumulative_ranks",
    "datasets",
    "decisions",
    "effect_table",
    "engines",
    "evidence",
    "fit",
    "fit_measures",
    "graph",
    "heterogeneity",
    "hierarchies",
    "in_points",
    "instruments",
    "league_table",
    "outcomes",
    "p_best",
    "p_scores",
    "partial_order",
    "plots",
    "poth",
    "predictive_effects",
    "prior_predictive",
    "priors",
    "probability",
    "rank_probabilities",
    "ranks",
    "readers",
    "relative_effects",
    "standardised_table",
    "structures",
    "sucra",
    "summary",
]
