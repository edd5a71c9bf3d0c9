"""The network as a graph: treatments are nodes, trials lay edges between them.

Everything here takes and returns plain labels; this is the only file that uses networkx.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import pandas as pd

from nma.errors import shortened

if TYPE_CHECKING:
    import networkx as nx

__all__ = [
    "as_sentence",
    "as_text",
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
    "left_out",
    "loops",
    "most_tried",
    "ordered",
    "single_trial_edges",
    "single_trial_loops",
    "splittable",
    "tied",
]

PRINTED = 20
"""Comparisons that showing a network shows."""

Trials = Mapping[str, tuple[str, ...]]
"""For each trial the treatments it compares."""


def evidence_graph(
    trials: Trials, participants: Mapping[tuple[str, str], float] | None = None
) -> nx.Graph[str]:
    """Return the evidence as a frozen graph.

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
    """Return the connected parts of the network, each sorted, largest first."""
    import networkx as nx

    parts = [tuple(sorted(part)) for part in nx.connected_components(graph)]
    return tuple(sorted(parts, key=lambda part: (-len(part), part)))


def tied(at_most: Iterable[tuple[Hashable, Hashable]]) -> tuple[frozenset[Hashable], ...]:
    """Return the groups of nodes that bounds tie together from both sides.

    An arm without events says that its level cannot be much higher than its trial's, and leaves
    open how much lower it is. Where only such bounds, all in one direction, join two groups, the
    likelihood is flat to infinity, and the difference between them rests on the prior.

    Parameters
    ----------
    at_most : iterable of pairs
        The first of each pair is at most the second, but for a constant.

    Returns
    -------
    tuple of frozenset
        The strongly connected parts: within one no node can go to infinity without the others.

    Examples
    --------
    >>> import nma
    >>> both_ways = [("A", "trial"), ("trial", "A"), ("B", "trial"), ("trial", "B")]
    >>> groups = nma.graph.tied([*both_ways, ("C", "trial")])  # C has no events
    >>> sorted(map(sorted, groups))
    [['A', 'B', 'trial'], ['C']]

    References
    ----------
    Albert and Anderson 1984, doi:10.1093/biomet/71.1.1, on estimates that do not exist.
    """
    import networkx as nx

    return tuple(map(frozenset, nx.strongly_connected_components(nx.DiGraph(list(at_most)))))


def ordered(above: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """Return all that follows from some being above others; (a, a) too where they go round."""
    import networkx as nx

    return frozenset(nx.transitive_closure(nx.DiGraph(list(above)), reflexive=False).edges)


def covers(above: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the pairs of a partial order with nothing between: its transitive reduction.

    Parameters
    ----------
    above : iterable of pairs
        The first of each pair is above the second; nothing is above itself, by any way round.

    Examples
    --------
    >>> import nma
    >>> nma.graph.covers([("A", "B"), ("B", "C"), ("A", "C")])
    (('A', 'B'), ('B', 'C'))
    """
    import networkx as nx

    return tuple(sorted(nx.transitive_reduction(nx.DiGraph(list(above))).edges))


def designs(trials: Trials) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Return for each design (a set of treatments, sorted) the trials that have it."""
    found: dict[tuple[str, ...], list[str]] = {}
    for study, treatments in trials.items():
        found.setdefault(tuple(sorted(set(treatments))), []).append(study)
    return {design: tuple(found[design]) for design in sorted(found)}


def direct_evidence(graph: nx.Graph[str], a: str, b: str) -> tuple[str, ...]:
    """Return the trials that compare ``a`` and ``b`` directly."""
    data: dict[str, Any] | None = graph.get_edge_data(a, b)
    return tuple(data["trials"]) if data else ()


def has_indirect_evidence(trials: Trials, a: str, b: str) -> bool:
    """Return whether trials that do not compare ``a`` and ``b`` still connect them.

    This is the evidence on the comparison that is independent of the direct evidence
    (van Valkenhoef et al. 2016, doi:10.1002/jrsm.1167): trials that hold both are left out whole.
    """
    import networkx as nx

    others = evidence_graph(
        {study: arms for study, arms in trials.items() if not {a, b} <= set(arms)}
    )
    return a in others and b in others and nx.has_path(others, a, b)


def splittable(graph: nx.Graph[str]) -> tuple[tuple[str, str], ...]:
    """Return the comparisons with both direct evidence and indirect evidence independent of it.

    The same as asking ``has_indirect_evidence`` of every edge, in one pass over the graph.
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


def loops(trials: Trials, *, longest: int = 4) -> tuple[tuple[str, ...], ...]:
    """Return the closed loops of comparisons that have no shortcut.

    Parameters
    ----------
    trials : mapping of str to tuple of str
        For each trial the treatments it compares.
    longest : int, default 4
        Longest loop to look for.

    Returns
    -------
    tuple of tuple of str
        Each loop from its first label, towards its second; loops that one multi-arm trial feeds
        alone are left out, since they cannot be inconsistent.
    """
    graph = evidence_graph(trials)
    return tuple(cycle for cycle in _cycles(graph, longest) if not _fed_by_one(graph, cycle))


def single_trial_loops(trials: Trials, *, longest: int = 4) -> tuple[tuple[str, ...], ...]:
    """Return the loops that ``loops`` leaves out, because one multi-arm trial feeds them alone.

    Parameters
    ----------
    trials : mapping of str to tuple of str
        For each trial the treatments it compares.
    longest : int, default 4
        Longest loop to look for.
    """
    graph = evidence_graph(trials)
    return tuple(cycle for cycle in _cycles(graph, longest) if _fed_by_one(graph, cycle))


def _cycles(graph: nx.Graph[str], longest: int) -> list[tuple[str, ...]]:
    import networkx as nx

    return sorted({_turned(cycle) for cycle in nx.chordless_cycles(graph, length_bound=longest)})


def _turned(cycle: list[str]) -> tuple[str, ...]:
    start = cycle.index(min(cycle))
    forward = cycle[start:] + cycle[:start]
    backward = [forward[0], *reversed(forward[1:])]
    return tuple(min(forward, backward))


def _fed_by_one(graph: nx.Graph[str], cycle: tuple[str, ...]) -> bool:
    edges = pairwise([*cycle, cycle[0]])
    return len({study for a, b in edges for study in graph.edges[a, b]["trials"]}) == 1


def bridges(graph: nx.Graph[str]) -> tuple[tuple[str, str], ...]:
    """Return the comparisons whose loss would disconnect the network."""
    import networkx as nx

    return tuple(sorted((min(edge), max(edge)) for edge in nx.bridges(graph)))


def single_trial_edges(graph: nx.Graph[str]) -> tuple[tuple[str, str], ...]:
    """Return the comparisons that rest on one trial."""
    lonely = [edge for edge in graph.edges if len(graph.edges[edge]["trials"]) == 1]
    return tuple(sorted((min(edge), max(edge)) for edge in lonely))


def is_star(graph: nx.Graph[str]) -> bool:
    """Return whether every comparison shares one treatment, so that nothing can be checked."""
    edges = [set(edge) for edge in graph.edges]
    return len(edges) > 1 and bool(set.intersection(*edges))


def direct_comparisons(
    graph: nx.Graph[str], treatments: Sequence[str], reference: str = ""
) -> pd.DataFrame:
    """Return the pairs of treatments that trials compare directly, with what they rest on.

    Parameters
    ----------
    graph : networkx.Graph
        The evidence.
    treatments : sequence of str
        The order to follow: the later treatment against the earlier.
    reference : str, optional
        A treatment that is always the comparator.
    """
    place = {name: code for code, name in enumerate(treatments)}
    found = {}
    for a, b in graph.edges:
        earlier, later = sorted((a, b), key=place.__getitem__)
        swap = later == reference
        edge = graph.edges[a, b]
        found[place[earlier], place[later]] = {
            "treatment": earlier if swap else later,
            "comparator": later if swap else earlier,
            "trials": len(edge["trials"]),
            "participants": edge["participants"],
        }
    return pd.DataFrame([found[pair] for pair in sorted(found)])


def comparisons(
    graph: nx.Graph[str], treatments: Sequence[str], reference: str = ""
) -> pd.DataFrame:
    """Return the direct comparisons, with whether others support them.

    Parameters
    ----------
    graph : networkx.Graph
        The evidence.
    treatments : sequence of str
        The order to follow: the later treatment against the earlier.
    reference : str, optional
        A treatment that is always the comparator.
    """
    table = direct_comparisons(graph, treatments, reference)
    cut, split = set(bridges(graph)), set(splittable(graph))
    sides = zip(table["treatment"], table["comparator"], strict=True)
    pairs = [(min(a, b), max(a, b)) for a, b in sides]
    return table.assign(
        indirect=[pair in split for pair in pairs], bridge=[pair in cut for pair in pairs]
    )


def most_tried(table: pd.DataFrame) -> pd.DataFrame:
    """Return comparisons in their order: all of them, or those with the most trials."""
    most = table.sort_values("trials", ascending=False, kind="stable").index[:PRINTED]
    return table.loc[sorted(most)]


def left_out(table: pd.DataFrame) -> str:
    """Return a sentence on the comparisons that ``most_tried`` leaves out, or nothing."""
    if len(table) <= PRINTED:
        return ""
    return (
        f"These are the {PRINTED} comparisons with the most trials; network.comparisons() "
        f"has all {len(table)}."
    )


def as_sentence(trials: Trials, participants: pd.Series[float], parts: int) -> str:
    """Return how much evidence there is and whether it hangs together, in words.

    Parameters
    ----------
    trials : mapping of str to tuple of str
        For each trial the treatments it compares.
    participants : Series
        Of each arm, NaN where not told.
    parts : int
        Number of unconnected parts.
    """
    count, several = len(trials), sum(len(arms) > 2 for arms in trials.values())
    treatments = len({name for arms in trials.values() for name in arms})
    multi = f", {several} of them multi-arm," if several and count > 1 else ""
    told = participants.notna()
    counted = f" on {participants.sum():,.0f} participants" if told.any() else ""
    of = f" (told by {told.sum()} of {len(told)} arms)" if 0 < told.sum() < len(told) else ""
    whole = f"in {parts} unconnected parts" if parts > 1 else "connected"
    return (
        f"{count} trial{'s' * (count > 1)}{multi} compare{'s' * (count == 1)} "
        f"{treatments} treatments{counted}{of}; {whole}."
    )


def as_text(table: pd.DataFrame) -> str:
    """Return comparisons as text: all of them, or those with the most trials."""
    few = most_tried(table)
    names = [
        f"{shortened(treatment)} vs {shortened(comparator)}"
        for treatment, comparator in zip(few["treatment"], few["comparator"], strict=True)
    ]
    width = max(map(len, names))
    cells = {"": [name.ljust(width) for name in names], "trials": few["trials"].tolist()}
    if few["participants"].notna().any():
        people = few["participants"].tolist()
        cells["participants"] = [
            "" if math.isnan(number) else f"{number:,.0f}" for number in people
        ]
    for name in ("indirect", "bridge"):
        if few[name].any():
            cells[name] = ["yes" if here else "" for here in few[name]]
    lines = [line.rstrip() for line in pd.DataFrame(cells).to_string(index=False).splitlines()]
    return "\n".join([*lines, *filter(None, [left_out(table)])])
