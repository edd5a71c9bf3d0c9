"""Comparisons on which trials that do not make them have something to say."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from nma.graph._evidence import Trials, evidence_graph

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["has_indirect_evidence", "splittable"]


def has_indirect_evidence(trials: Trials, a: str, b: str) -> bool:
    """Return whether trials that do not compare ``a`` and ``b`` still connect them.

    This is the evidence on the comparison that is independent of the direct evidence: trials that
    hold both are left out whole.

    Parameters
    ----------
    trials : mapping of str to tuple of str
        For each trial the treatments it compares, such as ``network.trials``.
    a, b : str
        Two treatments, in any order.

    Returns
    -------
    bool

    Examples
    --------
    >>> import nma
    >>> trials = nma.datasets.network("parkinson").trials
    >>> nma.graph.has_indirect_evidence(trials, "placebo", "ropinirole")
    True

    References
    ----------
    van Valkenhoef et al. 2016, doi:10.1002/jrsm.1167.
    """
    import networkx as nx

    others = evidence_graph(
        {study: arms for study, arms in trials.items() if not {a, b} <= set(arms)}
    )
    return a in others and b in others and nx.has_path(others, a, b)


def splittable(graph: nx.Graph[str]) -> tuple[tuple[str, str], ...]:
    """Return the comparisons with both direct evidence and indirect evidence independent of it.

    The same as asking ``has_indirect_evidence`` of every edge, in one pass over the graph.

    Parameters
    ----------
    graph : networkx.Graph
        The evidence, such as ``network.graph``.

    Returns
    -------
    tuple of tuple of str
        Pairs of treatments, sorted: those that ``nma.checks.node_splitting`` splits.

    Examples
    --------
    >>> import nma
    >>> nma.graph.splittable(nma.datasets.network("parkinson").graph)[:2]
    (('bromocriptine', 'placebo'), ('bromocriptine', 'pramipexole'))

    References
    ----------
    van Valkenhoef et al. 2016, doi:10.1002/jrsm.1167.
    """
    import networkx as nx

    left: nx.Graph[str] = nx.Graph(graph)
    found = []
    for a, b in sorted((min(edge), max(edge)) for edge in graph.edges):
        gone = _edges_of(graph, a, b)
        left.remove_edges_from(gone)
        if nx.has_path(left, a, b):
            found.append((a, b))
        left.add_edges_from(gone)
    return tuple(found)


def _edges_of(graph: nx.Graph[str], a: str, b: str) -> list[tuple[str, str]]:
    """Return the edges that only trials of both ``a`` and ``b`` have laid."""
    trials = set(graph.edges[a, b]["trials"])
    shared = [c for c in graph[a] if c in graph[b] and not trials.isdisjoint(graph[a][c]["trials"])]
    inside = combinations([a, b, *shared], 2)
    return [(c, d) for c, d in inside if d in graph[c] and trials.issuperset(graph[c][d]["trials"])]
