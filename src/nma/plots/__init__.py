"""Figures: each a table of marks, then a drawing; ``nma.plots.forest(posterior)`` does both."""

from nma.plots._benefit_harm import benefit_harm as benefit_harm
from nma.plots._bubble import bubble as bubble
from nma.plots._class_shrinkage import class_shrinkage as class_shrinkage
from nma.plots._components import components as components
from nma.plots._curve import curve as curve
from nma.plots._design_by_treatment import design_by_treatment as design_by_treatment
from nma.plots._dev_dev import dev_dev as dev_dev
from nma.plots._equivalence import equivalence as equivalence
from nma.plots._figure import Drawing as Drawing
from nma.plots._figure import Figure as Figure
from nma.plots._forest import forest as forest
from nma.plots._hasse import hasse as hasse
from nma.plots._heterogeneity import heterogeneity as heterogeneity
from nma.plots._incremental_effects import incremental_effects as incremental_effects
from nma.plots._influence import influence as influence
from nma.plots._journal import journal as journal
from nma.plots._league_table import league_table as league_table
from nma.plots._leverage import leverage as leverage
from nma.plots._net_heat import net_heat as net_heat
from nma.plots._network import network as network
from nma.plots._node_splitting import node_splitting as node_splitting
from nma.plots._prior_sensitivity import prior_sensitivity as prior_sensitivity
from nma.plots._rankogram import rankogram as rankogram
from nma.plots._spie import spie as spie
from nma.plots._sucra_against_effect import sucra_against_effect as sucra_against_effect
from nma.plots._sucra_scatter import sucra_scatter as sucra_scatter
from nma.plots._thresholds import thresholds as thresholds

__all__ = [
    "Drawing",
    "Figure",
    "benefit_harm",
    "bubble",
    "class_shrinkage",
    "components",
    "curve",
    "design_by_treatment",
    "dev_dev",
    "equivalence",
    "forest",
    "hasse",
    "heterogeneity",
    "incremental_effects",
    "influence",
    "journal",
    "league_table",
    "leverage",
    "net_heat",
    "network",
    "node_splitting",
    "prior_sensitivity",
    "rankogram",
    "spie",
    "sucra_against_effect",
    "sucra_scatter",
    "thresholds",
]
