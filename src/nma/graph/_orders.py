"""What bounds and orders between nodes imply."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

__all__ = ["covers", "ordered", "tied"]


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
    """Return all that follows from some being above others: the transitive closure.

    Parameters
    ----------
    above : iterable of pairs
        The first of each pair is above the second.

    Returns
    -------
    frozenset of tuple of str
        Every pair of which the first is above the second by some way; (a, a) too where one way
        goes round.

    Examples
    --------
    >>> import nma
    >>> sorted(nma.graph.ordered([("A", "B"), ("B", "C")]))
    [('A', 'B'), ('A', 'C'), ('B', 'C')]
    """
    import networkx as nx

    return frozenset(nx.transitive_closure(nx.DiGraph(list(above)), reflexive=False).edges)


def covers(above: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the pairs of a partial order with nothing between: its transitive reduction.

    Parameters
    ----------
    above : iterable of pairs
        The first of each pair is above the second; nothing is above itself, by any way round.

    Returns
    -------
    tuple of tuple of str
        Pairs, sorted; ``ordered`` of them gives back the order.

    Examples
    --------
    >>> import nma
    >>> nma.graph.covers([("A", "B"), ("B", "C"), ("A", "C")])
    (('A', 'B'), ('B', 'C'))
    """
    import networkx as nx

    return tuple(sorted(nx.transitive_reduction(nx.DiGraph(list(above))).edges))
