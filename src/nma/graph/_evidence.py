"""The evidence as a graph: treatments are nodes, trials lay edges between them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import networkx as nx

__all__ = [
    "bridges",
    "components",
    "designs",
    "direct_evidence",
    "evidence_graph",
    "is_star",
    "single_trial_edges",
]

Trials = Mapping[str, tuple[str, ...]]
"""For each trial the treatments it compares."""


def evidence_graph(
    trials: Trials, participants: Mapping[tuple[str, str], float] | None = None
) -> nx.Graph[str]:
    """Return the evidence as a frozen graph, as ``Network.graph`` holds it.

    Parameters
    ----------
    trials : mapping of str to tuple of str
        For each trial the treatments it compares.
    participants : mapping of (trial, treatment) to float, optional
        Participants of each arm, where reported.

    Returns
    -------
    networkx.Graph
        Nodes and edges carry ``trials``, the names of the trials that hold the treatment or compare
        the two directly, and ``participants`` of the arms concerned; NaN where no arm tells.

    Examples
    --------
    >>> import nma
    >>> graph = nma.graph.evidence_graph({"first": ("A", "B"), "second": ("A", "B", "C")})
    >>> graph.edges["A", "B"]["trials"]
    ('first', 'second')
    """
    import networkx as nx

    at_node: dict[str, list[str]] = {}
    at_edge: dict[tuple[str, str], list[str]] = {}
    for study, treatments in trials.items():
        for treatment in dict.fromkeys(treatments):
            at_node.setdefault(treatment, []).append(study)
        for a, b in combinations(sorted(set(treatments)), 2):
            at_edge.setdefault((a, b), []).append(study)
    people = participants or {}
    graph: nx.Graph[str] = nx.Graph()
    for node, studies in sorted(at_node.items()):
        graph.add_node(node, trials=tuple(studies), participants=_told(people, studies, node))
    for (a, b), studies in sorted(at_edge.items()):
        graph.add_edge(a, b, trials=tuple(studies), participants=_told(people, studies, a, b))
    return nx.freeze(graph)


def _told(
    people: Mapping[tuple[str, str], float], studies: Iterable[str], *treatments: str
) -> float:
    arms = ((study, treatment) for study in studies for treatment in treatments)
    told = [people[arm] for arm in arms if arm in people]
    return sum(told) if told else math.nan


def components(graph: nx.Graph[str]) -> tuple[tuple[str, ...], ...]:
    """Return the connected parts of the network, each sorted, largest first.

    Parameters
    ----------
    graph : networkx.Graph
        The evidence, such as ``network.graph``.

    Returns
    -------
    tuple of tuple of str
        One part if the network is connected.

    Examples
    --------
    >>> import nma
    >>> graph = nma.graph.evidence_graph({"1": ("A", "B"), "2": ("B", "C"), "3": ("X", "Y")})
    >>> nma.graph.components(graph)
    (('A', 'B', 'C'), ('X', 'Y'))
    """
    import networkx as nx

    parts = [tuple(sorted(part)) for part in nx.connected_components(graph)]
    return tuple(sorted(parts, key=lambda part: (-len(part), part)))


def designs(trials: Trials) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Return for each design, a sorted set of treatments, the trials that have it.

    Parameters
    ----------
    trials : mapping of str to tuple of str
        For each trial the treatments it compares, such as ``network.trials``.

    Returns
    -------
    dict of tuple of str to tuple of str
        Sorted by design.

    Examples
    --------
    >>> import nma
    >>> found = nma.graph.designs(nma.datasets.network("parkinson").trials)
    >>> found["bromocriptine", "placebo", "pramipexole"]
    ('Guttman 1997',)
    """
    found: dict[tuple[str, ...], list[str]] = {}
    for study, treatments in trials.items():
        found.setdefault(tuple(sorted(set(treatments))), []).append(study)
    return {design: tuple(found[design]) for design in sorted(found)}


def direct_evidence(graph: nx.Graph[str], a: str, b: str) -> tuple[str, ...]:
    """Return the trials that compare ``a`` and ``b`` directly.

    Parameters
    ----------
    graph : networkx.Graph
        The evidence, such as ``network.graph``.
    a, b : str
        Two treatments, in any order.

    Returns
    -------
    tuple of str
        Names of trials; empty where none compares the two.

    Examples
    --------
    >>> import nma
    >>> network = nma.datasets.network("parkinson")
    >>> nma.graph.direct_evidence(network.graph, "placebo", "pramipexole")
    ('Guttman 1997', 'Lieberman 1997')
    """
    data: dict[str, Any] | None = graph.get_edge_data(a, b)
    return tuple(data["trials"]) if data else ()


def bridges(graph: nx.Graph[str]) -> tuple[tuple[str, str], ...]:
    """Return the comparisons whose loss would disconnect the network.

    Parameters
    ----------
    graph : networkx.Graph
        The evidence, such as ``network.graph``.

    Returns
    -------
    tuple of tuple of str
        Pairs of treatments, sorted; no indirect evidence speaks to them.

    Examples
    --------
    >>> import nma
    >>> nma.graph.bridges(nma.datasets.network("parkinson").graph)
    (('bromocriptine', 'cabergoline'),)
    """
    import networkx as nx

    return tuple(sorted((min(edge), max(edge)) for edge in nx.bridges(graph)))


def single_trial_edges(graph: nx.Graph[str]) -> tuple[tuple[str, str], ...]:
    """Return the comparisons that rest on one trial.

    Parameters
    ----------
    graph : networkx.Graph
        The evidence, such as ``network.graph``.

    Returns
    -------
    tuple of tuple of str
        Pairs of treatments, sorted.

    Examples
    --------
    >>> import nma
    >>> nma.graph.single_trial_edges(nma.datasets.network("back_pain").graph)[0]
    ('individualised exercise', 'multimodal care')
    """
    lonely = [edge for edge in graph.edges if len(graph.edges[edge]["trials"]) == 1]
    return tuple(sorted((min(edge), max(edge)) for edge in lonely))


def is_star(graph: nx.Graph[str]) -> bool:
    """Return whether every comparison shares one treatment, so that nothing can be checked.

    Parameters
    ----------
    graph : networkx.Graph
        The evidence, such as ``network.graph``.

    Returns
    -------
    bool
        False of a single comparison.

    Examples
    --------
    >>> import nma
    >>> nma.graph.is_star(nma.graph.evidence_graph({"1": ("A", "B"), "2": ("A", "C")}))
    True
    """
    edges = [set(edge) for edge in graph.edges]
    return len(edges) > 1 and bool(set.intersection(*edges))
