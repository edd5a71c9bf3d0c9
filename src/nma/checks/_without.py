"""A network without one of its trials."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nma.network import Network

__all__ = ["without"]


def without(network: Network, study: str) -> Network | None:
    """Return a network without one trial; None if it has no other.

    Treatments that no other trial has are left out. The reference stays what it is, unless it is
    one of those: then it is the first that is left.

    Parameters
    ----------
    network : Network
        The evidence.
    study : str
        One of its trials.
    """
    kept = (network.table["study"] != study).to_numpy()
    if not kept.any():
        return None
    place = np.cumsum(kept) - 1
    sources = []
    for source in network.sources:
        rows = kept[source.arms[:, 0]]
        if rows.any():
            arms = place[source.arms[rows]]
            sources.append(replace(source, rows=source.rows[rows], arms=arms))
    table = network.table[kept].reset_index(drop=True)
    left = set(table["treatment"])
    treatments = tuple(name for name in network.treatments if name in left)
    reference = network.reference if network.reference in left else treatments[0]
    return replace(
        network,
        table=table,
        sources=tuple(sources),
        treatments=treatments,
        reference=reference,
    )
