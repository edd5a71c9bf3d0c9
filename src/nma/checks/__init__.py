"""Checks: whether the network is coherent, and what happens when one thing in it is changed."""

from nma.checks._additivity import additivity as additivity
from nma.checks._class_shrinkage import class_shrinkage as class_shrinkage
from nma.checks._convergence import convergence as convergence
from nma.checks._design_by_treatment import design_by_treatment as design_by_treatment
from nma.checks._heterogeneity_by_comparison import (
    heterogeneity_by_comparison as heterogeneity_by_comparison,
)
from nma.checks._influence import leave_one_study_out as leave_one_study_out
from nma.checks._interactions import interactions as interactions
from nma.checks._loops import loops as loops
from nma.checks._net_heat import net_heat as net_heat
from nma.checks._node_splitting import node_splitting as node_splitting
from nma.checks._prior_sensitivity import prior_sensitivity as prior_sensitivity
from nma.checks._side_splitting import side_splitting as side_splitting
from nma.checks._unrelated_means import unrelated_means as unrelated_means

__all__ = [
    "additivity",
    "class_shrinkage",
    "convergence",
    "design_by_treatment",
    "heterogeneity_by_comparison",
    "interactions",
    "leave_one_study_out",
    "loops",
    "net_heat",
    "node_splitting",
    "prior_sensitivity",
    "side_splitting",
    "unrelated_means",
]
