"""A network of two treatments: what the trials that compare them say of these two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma.network import Network
from nma.outcomes import Contrast
from nma.sources import Source

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.normal_evidence import Information, NormalEvidence

__all__ = ["restricted", "told_by_trial"]

Told = Mapping[str, tuple[float, float]]
"""For each trial the effect of the treatment against the comparator, and its variance."""


def told_by_trial(
    evidence: NormalEvidence, trials: Mapping[str, Information], pair: tuple[str, str]
) -> Told:
    """Return what the trials that compare two treatments say of them at a common effect.

    The contrast of a multi-arm trial is the marginal of its joint contrasts.

    Parameters
    ----------
    evidence : NormalEvidence
        The trials.
    trials : mapping of str to Information
        What each tells at tau = 0.
    pair : (treatment, comparator)
        Of which the first is against the second.
    """
    designs = evidence.trials
    return {
        study: _contrast(told, designs[study].index(pair[0]), designs[study].index(pair[1]))
        for study, told in trials.items()
        if set(pair) <= set(designs[study])
    }


def _contrast(told: Information, a: int, b: int) -> tuple[float, float]:
    covariance = told.inverse
    level = covariance @ told.vector
    variance = covariance[a, a] + covariance[b, b] - 2 * covariance[a, b]
    return float(level[a] - level[b]), float(variance)


def restricted(network: Network, pair: tuple[str, str], told: Told) -> Network | None:
    """Return the network of two treatments and the trials that compare them; None if none tells.

    Trials whose arms have a likelihood keep their rows on the two. Others enter by their contrast
    as the whole network reads it, so that an SD pooled over further arms or trials stays what it
    is; but trials on nothing else than the two, with several arms on one of them, keep their rows.

    Parameters
    ----------
    network : Network
        The evidence.
    pair : (treatment, comparator)
        What is left of its treatments.
    told : mapping of str to (float, float)
        What trials say of the two; a trial it does not name tells nothing by its contrast.
    """
    pieces = [
        piece
        for source in network.sources
        for piece in _pieces(network, source, pair, told)
        if len(piece[0].rows)
    ]
    if not pieces:
        return None
    kept = np.unique(np.concatenate([arms for _, arms in pieces]))
    return replace(
        network,
        table=network.table.iloc[kept].reset_index(drop=True),
        sources=tuple(
            replace(source, arms=np.searchsorted(kept, source.arms)) for source, _ in pieces
        ),
        treatments=tuple(name for name in network.treatments if name in pair),
        reference=network.reference if network.reference in pair else pair[1],
        notices=(),
    )


def _pieces(
    network: Network, source: Source, pair: tuple[str, str], told: Told
) -> list[tuple[Source, NDArray[np.int64]]]:
    """Return what a source gives, each with its arms in the whole network: rows and contrasts."""
    arms = network.table[["study", "treatment"]].iloc[np.unique(source.arms)]
    if source.outcome.as_normal() != source.outcome:
        studies = [s for s in arms["study"].unique() if set(pair) <= set(network.trials[s])]
        return [_rows(network, source, pair, studies)]
    whole: list[str] = []
    marginal: list[str] = []
    for study, names in arms.groupby("study", sort=False)["treatment"]:
        only = set(names) == set(pair)
        if str(study) in told:
            (whole if only and len(names) > len(pair) else marginal).append(str(study))
    return [_rows(network, source, pair, whole), _contrasts(network, pair, marginal, told)]


def _rows(
    network: Network, source: Source, pair: tuple[str, str], studies: list[str]
) -> tuple[Source, NDArray[np.int64]]:
    """Return the rows of trials whose arms are all on the two treatments."""
    wanted = network.table["study"].isin(studies) & network.table["treatment"].isin(pair)
    here = np.flatnonzero(wanted.to_numpy()[source.arms].all(axis=1))
    arms = source.arms[here]
    return replace(source, rows=source.rows.iloc[here], arms=arms), np.unique(arms)


def _contrasts(
    network: Network, pair: tuple[str, str], studies: list[str], told: Told
) -> tuple[Source, NDArray[np.int64]]:
    """Return trials by their own contrast of the two, whatever they reported."""
    names = zip(network.table["study"], network.table["treatment"], strict=True)
    place: dict[tuple[str, str], int] = {}
    for at, name in enumerate(names):
        place.setdefault(name, at)
    arms = np.array([[place[study, name] for name in pair] for study in studies], dtype=np.int64)
    rows = pd.DataFrame(
        {
            "study": studies,
            "treatment": pair[0],
            "comparator": pair[1],
            "effect": [told[study][0] for study in studies],
            "se": [np.sqrt(told[study][1]) for study in studies],
        }
    )
    outcome = Contrast("effect", "se", measure=network.measure, better=network.better)
    arms = arms.reshape(len(studies), 2)
    return Source(outcome, rows, arms), np.unique(arms)
