"""The comparisons that trials make, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from nma.graph._evidence import bridges
from nma.graph._indirect import splittable

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["comparisons", "direct_comparisons"]


def direct_comparisons(
    graph: nx.Graph[str], treatments: Sequence[str], reference: str = ""
) -> pd.DataFrame:
    """Return the pairs of treatments that trials compare directly, with what they rest on.

    Parameters
    ----------
    graph : networkx.Graph
        The evidence, such as ``network.graph``.
    treatments : sequence of str
        The order to follow: the later treatment against the earlier.
    reference : str, optional
        A treatment that is always the comparator.

    Returns
    -------
    DataFrame
        One row for each pair, with ``treatment``, ``comparator``, ``trials`` (how many) and
        ``participants`` of the arms concerned, NaN where no arm tells.

    Examples
    --------
    >>> import nma
    >>> network = nma.datasets.network("parkinson")
    >>> table = nma.graph.direct_comparisons(network.graph, network.treatments, "placebo")
    >>> print(table.tail(2).to_string(index=False))
      treatment comparator  trials  participants
    pramipexole    placebo       2         492.0
     ropinirole    placebo       1         149.0
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
    """Return the direct comparisons, with whether others support them, as ``Network.comparisons``.

    Parameters
    ----------
    graph : networkx.Graph
        The evidence, such as ``network.graph``.
    treatments : sequence of str
        The order to follow: the later treatment against the earlier.
    reference : str, optional
        A treatment that is always the comparator.

    Returns
    -------
    DataFrame
        The columns of ``direct_comparisons``; ``indirect``, whether there is evidence independent
        of those trials; and ``bridge``, whether the network would fall apart without the pair.

    Examples
    --------
    >>> import nma
    >>> network = nma.datasets.network("parkinson")
    >>> table = nma.graph.comparisons(network.graph, network.treatments, "placebo")
    >>> table.loc[table["bridge"], ["treatment", "comparator"]].values.tolist()
    [['cabergoline', 'bromocriptine']]
    """
    table = direct_comparisons(graph, treatments, reference)
    cut, split = set(bridges(graph)), set(splittable(graph))
    sides = zip(table["treatment"], table["comparator"], strict=True)
    pairs = [(min(a, b), max(a, b)) for a, b in sides]
    return table.assign(
        indirect=[pair in split for pair in pairs], bridge=[pair in cut for pair in pairs]
    )
