"""The evidence: trials read once, checked once, frozen."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np
import pandas as pd

from nma import graph, intake, markup
from nma.errors import DataError, DataWarning, ModelError, nearest, shortened
from nma.labels import misnamed
from nma.protocols import Better, Outcome
from nma.sources import Source, verbs
from nma.units import unit_of

if TYPE_CHECKING:
    import networkx as nx
    from numpy.typing import NDArray

__all__ = ["Network", "Source"]


@final
@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """Treatments as nodes, trials as edges between them; made by ``from_arms`` and its kin.

    Parameters
    ----------
    table : DataFrame
        One row for each arm: study, treatment, participants, and the columns that travel along.
    sources : tuple of Source
        What the trials reported.
    treatments : tuple of str
        In the order that tables follow: sorted, or as given.
    reference : str
        The treatment that tables compare with unless told otherwise; no number depends on it.
    caption : str
        What the data are, from the frame's ``attrs["caption"]``; printed with every result.
    notices : tuple of str
        What was derived (see ``nma.readers``), changed or chosen in reading.
    """

    table: pd.DataFrame
    sources: tuple[Source, ...]
    treatments: tuple[str, ...]
    reference: str
    caption: str = ""
    notices: tuple[str, ...] = ()

    @classmethod
    def from_arms(
        cls,
        frame: Any,
        *,
        study: str,
        treatment: str,
        outcome: Outcome,
        reference: str | None = None,
        treatments: Sequence[str] | None = None,
        missing: Literal["refuse", "drop_arm"] = "refuse",
        repeated_arms: Literal["refuse", "merge", "keep"] = "refuse",
    ) -> Network:
        """Return the network of trials that report every arm.

        Parameters
        ----------
        frame : DataFrame of any library, mapping of columns, or structured array
            One row for each arm.
        study, treatment : str
            Columns with the names of trials and treatments.
        outcome : Outcome
            What the arms report, and in which columns.
        reference : str, optional
            Default comparator in tables; the treatment in most trials if not given.
        treatments : sequence of str, optional
            The order of treatments in tables; sorted if not given.
        missing : {"refuse", "drop_arm"}
            What to do with arms that lack a number the outcome needs.
        repeated_arms : {"refuse", "merge", "keep"}
            What to do with several arms of one trial on one treatment: merge their numbers, or
            keep each, the same up to heterogeneity and what ``structures.Dose`` tells apart.

        Returns
        -------
        Network

        Raises
        ------
        DataError
            With every problem found in the table: trial, row, column, value and remedy.

        Examples
        --------
        >>> import nma
        >>> off_time = nma.outcomes.Continuous(
        ...     "mean", sd="sd", n="n", measure="MD", better="lower"
        ... )
        >>> nma.Network.from_arms(
        ...     nma.datasets.load("parkinson"), study="study", treatment="treatment",
        ...     outcome=off_time, reference="placebo",
        ... )
        <Network: 7 trials, 5 treatments, MD, lower is better; next: nma.fit, nma.plots.network>
        """
        columns = {"study": study, "treatment": treatment}
        read = intake.read(
            frame,
            columns,
            outcome,
            missing,
            repeated_arms,
            reference=reference,
            treatments=treatments,
        )
        return cls._of(read, outcome, reference, treatments)

    @classmethod
    def from_contrasts(
        cls,
        frame: Any,
        *,
        study: str,
        treatment: str,
        comparator: str,
        outcome: Outcome,
        reference: str | None = None,
        treatments: Sequence[str] | None = None,
    ) -> Network:
        """Return the network of trials that report differences: treatment minus comparator.

        Parameters
        ----------
        frame : DataFrame of any library, mapping of columns, or structured array
            One row for each contrast.
        study, treatment, comparator : str
            Columns with the names of trials and of the two treatments compared.
        outcome : Outcome
            What the contrasts report; see ``outcomes.Contrast`` for multi-arm trials.
        reference : str, optional
            Default comparator in tables; the treatment in most trials if not given.
        treatments : sequence of str, optional
            The order of treatments in tables; sorted if not given.

        Returns
        -------
        Network

        Raises
        ------
        DataError
            With every problem found in the table: trial, row, column, value and remedy.

        Examples
        --------
        >>> import nma
        >>> hba1c = nma.outcomes.Contrast("effect", "se", measure="MD", better="lower")
        >>> nma.Network.from_contrasts(
        ...     nma.datasets.load("senn2013"), study="study", treatment="treatment",
        ...     comparator="comparator", outcome=hba1c, reference="placebo",
        ... )
        <Network: 26 trials, 10 treatments, MD, lower is better; next: nma.fit, nma.plots.network>
        """
        columns = {"study": study, "treatment": treatment, "comparator": comparator}
        read = intake.read(frame, columns, outcome, reference=reference, treatments=treatments)
        return cls._of(read, outcome, reference, treatments)

    @classmethod
    def _of(
        cls,
        read: intake.Read,
        outcome: Outcome,
        reference: str | None,
        treatments: Sequence[str] | None,
    ) -> Network:
        for change in read.changes:
            warnings.warn(change, DataWarning, stacklevel=3)
        network = cls(
            table=read.arms,
            sources=(Source(outcome, read.rows, read.positions),),
            treatments=read.treatments if treatments is None else tuple(treatments),
            reference="" if reference is None else reference,
            caption=read.caption,
            notices=(*read.changes, *read.remarks, *outcome.notices(read.rows)),
        )
        return _with_reference(network)

    @classmethod
    def combine(cls, *networks: Network, reference: str | None = None) -> Network:
        """Return one network of trials that report one measure in different ways.

        Parameters
        ----------
        *networks : Network
            With the same measure and direction, and no trial in common.
        reference : str, optional
            Default comparator in tables; if not given, the first that one of the networks was
            given, else the treatment in most trials.

        Returns
        -------
        Network

        Raises
        ------
        DataError
            If a trial is in two networks, two names could be one, or measures or directions
            differ.
        """
        issues = intake.uncombinable(networks)
        treatments = tuple(dict.fromkeys(chain.from_iterable(n.treatments for n in networks)))
        if all(list(n.treatments) == sorted(n.treatments) for n in networks):
            treatments = tuple(sorted(treatments))
        issues += misnamed(treatments, reference, None)
        if issues:
            raise DataError(issues)
        named = [n.reference for n in networks if _chosen(n.reference) not in n.notices]
        notices = (text for n in networks for text in n.notices if text != _chosen(n.reference))
        starts = np.cumsum([0, *(len(network.table) for network in networks)])
        sources = [
            Source(source.outcome, source.rows, source.arms + start)
            for network, start in zip(networks, starts, strict=False)
            for source in network.sources
        ]
        network = cls(
            table=pd.concat([network.table for network in networks], ignore_index=True),
            sources=tuple(sources),
            treatments=treatments,
            reference=reference or next(iter(named), ""),
            caption=" ".join(dict.fromkeys(n.caption for n in networks if n.caption)),
            notices=tuple(dict.fromkeys(notices)),
        )
        return _with_reference(network)

    def as_normal(self) -> Network:
        """Return the same trials read as normal contrasts, as least squares needs them.

        Means and contrasts are that already; counts get the normal approximation that their
        outcome states, and the notices say what it did.

        Returns
        -------
        Network

        Examples
        --------
        >>> import nma
        >>> network = nma.datasets.network("smoking").as_normal()
        >>> network.notices[0]
        'OR by the normal approximation: estimates and variances of each trial.'
        """
        sources = tuple(source.as_normal() for source in self.sources)
        before = {text for source in self.sources for text in source.notices}
        others = (text for text in self.notices if text not in before)
        now = (text for source in sources for text in source.notices)
        return replace(self, sources=sources, notices=tuple(dict.fromkeys([*others, *now])))

    @property
    def arms(self) -> pd.DataFrame:
        """The arms: study, treatment, participants and what travels along; a copy."""
        return self.table.copy()

    @property
    def measure(self) -> str:
        """Name of the measure."""
        return self.sources[0].outcome.measure

    @property
    def better(self) -> Better:
        """Which direction of the outcome is better."""
        return self.sources[0].outcome.better

    @property
    def ratio(self) -> bool:
        """Whether effects are log ratios."""
        return self.sources[0].outcome.ratio

    @cached_property
    def trials(self) -> Mapping[str, tuple[str, ...]]:
        """For each trial its treatments, sorted, each once."""
        found: dict[str, dict[str, None]] = {}
        for study, treatment in zip(self.table["study"], self.table["treatment"], strict=True):
            found.setdefault(study, {})[treatment] = None
        return {study: tuple(arms) for study, arms in found.items()}

    @cached_property
    def graph(self) -> nx.Graph[str]:
        """The evidence as a frozen networkx graph; see ``nma.graph`` for questions to ask it."""
        told = self.table.dropna(subset="participants")
        people: dict[tuple[str, str], float] = {}
        for arm in told[["study", "treatment", "participants"]].itertuples(index=False):
            people[arm[:2]] = people.get(arm[:2], 0.0) + arm[2]
        return graph.evidence_graph(self.trials, people)

    @cached_property
    def components(self) -> tuple[tuple[str, ...], ...]:
        """The connected parts of the network, largest first."""
        return graph.components(self.graph)

    def codes(self, treatments: Iterable[str]) -> NDArray[np.int64]:
        """Return the position of each treatment in the network's order.

        Raises
        ------
        ModelError
            If a treatment is not in the network, with the closest name.
        """
        place, names = {name: k for k, name in enumerate(self.treatments)}, list(treatments)
        unknown = sorted({str(name) for name in names if name not in place})
        if unknown:
            hints = [f"{name!r} is unknown.{nearest(name, self.treatments)}" for name in unknown]
            known = ", ".join(map(repr, self.treatments))
            message = f"{' '.join(hints)} The network has {known}."
            raise ModelError(message)
        return np.array([place[name] for name in names], dtype=np.int64)

    @cached_property
    def unit(self) -> tuple[float, str]:
        """Size of one unit on the measure's scale, and in words where it came from.

        Raises
        ------
        ModelError
            If no trial tells it, so that default priors cannot be sized, or two are stated.
        """
        return unit_of([(source.outcome, source.rows) for source in self.sources])

    def __repr__(self) -> str:
        """Return one line."""
        return (
            f"<Network: {len(self.trials)} trials, {len(self.treatments)} treatments, "
            f"{self.measure}, {self.better} is better; next: {verbs(self.sources)}>"
        )

    def _repr_html_(self) -> str:
        """Return the same as ``print``, for notebooks, without what takes work to find out."""
        pairs = graph.direct_comparisons(self.graph, self.treatments, self.reference)
        told = [*filter(None, [graph.left_out(pairs)]), *self.notices]
        return markup.block(
            markup.paragraph(self.caption) if self.caption else "",
            markup.paragraph(_sentence(self)),
            markup.comparisons(graph.most_tried(pairs)),
            markup.bullets(told),
            markup.paragraph(f"next: {verbs(self.sources)}"),
        )

    def __str__(self) -> str:
        """Return a sentence, the comparisons, the caption, the notices and what to do next."""
        told = [*filter(None, [self.caption]), *(f"- {notice}" for notice in self.notices)]
        table = graph.as_text(self.comparisons())
        last = f"next: {verbs(self.sources)}"
        return "\n".join([_wrapped(_sentence(self)), table, *map(_wrapped, told), last])

    def comparisons(self) -> pd.DataFrame:
        """Return the pairs of treatments that trials compare directly.

        Returns
        -------
        DataFrame
            One row for each pair: treatment, comparator, trials, participants, whether there is
            ``indirect`` evidence independent of those trials, and whether it is a ``bridge``.
        """
        return graph.comparisons(self.graph, self.treatments, self.reference)


def _with_reference(network: Network) -> Network:
    """Return the network with the busiest treatment as reference where none was named."""
    if network.reference:
        return network
    counts = network.table["treatment"].value_counts()
    busiest = max(network.treatments, key=lambda name: int(counts[name]))
    return replace(network, reference=busiest, notices=(*network.notices, _chosen(busiest)))


def _chosen(reference: str) -> str:
    return f"Reference {reference!r} was chosen: it is in the most trials."


def _wrapped(text: str) -> str:
    indent = "  " * text.startswith("- ")
    return textwrap.fill(text, 100, subsequent_indent=indent, break_on_hyphens=False)


def _sentence(network: Network) -> str:
    told = network.trials, network.table["participants"], len(network.components)
    evidence = graph.as_sentence(*told)
    reading = f"{network.measure}, {network.better} is better"
    return f"{evidence} {reading}; reference: {shortened(network.reference)}."
