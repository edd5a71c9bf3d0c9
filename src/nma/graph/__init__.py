"""The network as a graph: treatments are nodes, trials lay edges between them.

Everything here takes and returns plain labels; nothing else uses networkx.
"""

from nma.graph._comparisons import comparisons, direct_comparisons
from nma.graph._evidence import (
    bridges,
    components,
    designs,
    direct_evidence,
    evidence_graph,
    is_star,
    single_trial_edges,
)
from nma.graph._indirect import has_indirect_evidence, splittable
from nma.graph._loops import loops, single_trial_loops
from nma.graph._orders import covers, ordered, tied

__all__ = [
    "bridges",
    "comparisons",
    "components",
    "covers",
    "designs",
    "direct_comparisons",
    "direct_evidence",
    "evidence_graph",
    "has_indirect_evidence",
    "is_star",
    "loops",
    "ordered",
    "single_trial_edges",
    "single_trial_loops",
    "splittable",
    "tied",
]
