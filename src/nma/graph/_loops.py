"""Closed loops of comparisons."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from nma.graph._evidence import Trials, evidence_graph

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["loops", "single_trial_loops"]


def loops(trials: Trials, *, longest: int = 4) -> tuple[tuple[str, ...], ...]:
    """Return the closed loops of comparisons that have no shortcut.

    Parameters
    ----------
    trials : mapping of str to tuple of str
        For each trial the treatments it compares, such as ``network.trials``.
    longest : int, default 4
        How many treatments the longest loop to look for has.

    Returns
    -------
    tuple of tuple of str
        Each loop from its first label, towards its second; loops that one multi-arm trial feeds
        alone are left out, since they cannot be inconsistent.

    Examples
    --------
    >>> import nma
    >>> nma.graph.loops(nma.datasets.network("parkinson").trials)
    (('bromocriptine', 'placebo', 'pramipexole'), ('bromocriptine', 'placebo', 'ropinirole'))
    """
    graph = evidence_graph(trials)
    return tuple(cycle for cycle in _cycles(graph, longest) if not _fed_by_one(graph, cycle))


def single_trial_loops(trials: Trials, *, longest: int = 4) -> tuple[tuple[str, ...], ...]:
    """Return the loops that ``loops`` leaves out, because one multi-arm trial feeds them alone.

    Parameters
    ----------
    trials : mapping of str to tuple of str
        For each trial the treatments it compares, such as ``network.trials``.
    longest : int, default 4
        How many treatments the longest loop to look for has.

    Returns
    -------
    tuple of tuple of str
        Each loop from its first label, towards its second.

    Examples
    --------
    >>> import nma
    >>> nma.graph.single_trial_loops({"1": ("A", "B", "C"), "2": ("A", "B")})
    ()
    >>> nma.graph.single_trial_loops({"1": ("A", "B", "C"), "2": ("A", "D")})
    (('A', 'B', 'C'),)
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
