"""Components: a complex intervention is the sum of its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING, Literal, final

import numpy as np

from nma.errors import DataError, Issue, ModelError, nearest
from nma.priors import Normal, Prior
from nma.problem import Parameters, Scale
from nma.span import directions
from nma.structures._parts import Parting, Parts, frozen
from nma.structures._priors import diffuse, require_centred, require_prior, resolved, shrinking
from nma.structures._trials import differences

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from nma.network import Network

__all__ = ["Components"]

Interactions = Sequence[Sequence[str]] | Literal["all"]
"""Which components do more, or less, together than the sum of them."""


@final
@dataclass(frozen=True)
class Components:
    r"""The level of a treatment is the sum of the effects of its components.

    .. math:: \delta_{t} = \sum_{c \in t} \beta_c + \sum_{I \subseteq t} \gamma_I, \qquad
        \beta_c \sim N(0, s^2/2)

    so that, without interactions, what a component adds is the same whatever it is added to. The
    inactive component, such as usual care or placebo, adds nothing. Any combination of the
    components has a level, also one that no trial has tested: name it in ``nma.at``. Parts of the
    network that no trial connects are joined where they share components, by additivity alone.

    Parameters
    ----------
    separator : str, optional
        What stands between the components in the names of treatments, such as ``" + "``. Beside a
        table, in the names that it does not list; ``" + "`` if not given.
    table : mapping of str to sequence of str, optional
        The components of each treatment, in place of a separator. It may list combinations that no
        trial has.
    inactive : str, optional
        The component that adds nothing; each has an effect if not given.
    effect : Normal, optional
        Prior of the difference between any two components, with mean zero; sd 10 units if not
        given.
    interactions : sequence of sequence of str, or "all", optional
        Components that may do more, or less, together than the sum of them: each of these sets by
        a term of its own, :math:`\gamma_I \sim N(0, s^2)`, in all treatments that have it whole;
        or all pairs, shrunken, :math:`\gamma_I \sim N(0, \tau_{int}^2)`, also those that no trial
        has, so that untested combinations are as uncertain as tested ones were surprising.
    interaction : Normal, optional
        Prior of each interaction that is named, with mean zero; sd 10 units if not given.
    tau_interaction : Prior, optional
        Prior of :math:`\tau_{int}` for ``"all"``; half-normal(unit/2) if not given.

    Raises
    ------
    ModelError
        If neither a separator nor a table tells the components, an interaction is of fewer than two
        components, or a prior is none or has another mean than zero.

    Examples
    --------
    >>> import nma
    >>> network = nma.datasets.network("back_pain")
    >>> structure = nma.structures.Components(
    ...     table={
    ...         "passive control": ["usual care"],
    ...         "standard exercise": ["exercise"],
    ...         "individualised exercise": ["exercise", "individualisation"],
    ...         "multimodal care": ["exercise", "individualisation", "CBT"],
    ...     },
    ...     inactive="usual care",
    ... )
    >>> posterior = nma.fit(network, nma.Model(structure))
    >>> posterior.problem.parameters.names
    ('CBT', 'exercise', 'individualisation')

    References
    ----------
    Welton et al. 2009, doi:10.1093/aje/kwp014; Ruecker, Petropoulou and Schwarzer 2020,
    doi:10.1002/bimj.201800167.
    """

    separator: str | None = field(default=None, kw_only=True)
    table: Mapping[str, Sequence[str]] | Parts | None = field(default=None, kw_only=True)
    inactive: str | None = field(default=None, kw_only=True)
    effect: Normal | None = field(default=None, kw_only=True)
    interactions: Interactions | None = field(default=None, kw_only=True)
    interaction: Normal | None = field(default=None, kw_only=True)
    tau_interaction: Prior | None = field(default=None, kw_only=True)
    _checked: bool = field(default=False, kw_only=True, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_centred(self.effect, "effect")
        require_centred(self.interaction, "interaction")
        require_prior(self.tau_interaction, "tau_interaction")
        _require_told(self.separator, self.table)
        if self.table is not None:
            object.__setattr__(self, "table", frozen(self.table))
        if self.interactions is not None:
            object.__setattr__(self, "interactions", _interactions(self.interactions))

    def resolve(self, network: Network) -> Components:
        """Return the structure with its priors as numbers.

        Once resolved it takes the network without some of its trials, whatever they leave.

        Raises
        ------
        DataError
            If a treatment has no components, an empty one or one twice; a component is in every
            treatment, or always together with another; the inactive one or one that interacts is
            unknown; all at once.
        """
        issues = [*self._parting.issues(network.treatments)]
        issues += [] if issues or self._checked else [*self._issues(network)]
        if issues:
            raise DataError(issues)
        if self._checked:
            return self
        named = bool(self.interactions) and self.interactions != "all"
        return replace(
            self,
            effect=self.effect or diffuse(network),
            interaction=self.interaction or (diffuse(network) if named else None),
            tau_interaction=self.tau_interaction
            or (shrinking(network) if self.interactions == "all" else None),
            _checked=True,
        )

    def components(self, network: Network) -> tuple[str, ...]:
        """Return the components that have an effect, sorted.

        Parameters
        ----------
        network : Network
            The evidence.

        Returns
        -------
        tuple of str
            Without the inactive one.

        Examples
        --------
        >>> import nma
        >>> structure = nma.structures.Components(separator=" + ", inactive="usual care")
        >>> structure.components(nma.datasets.network("musician"))
        ('exercise', 'telephone CBT')
        """
        found = {part for name in network.treatments for part in self._parting.of(name)}
        return tuple(sorted(found - {self.inactive}))

    def combination(self, network: Network, *parts: str) -> str:
        """Return the name of the treatment that is made of just these components.

        Parameters
        ----------
        network : Network
            Its treatments go by their own names.
        *parts : str
            Components, or treatments in place of theirs.

        Returns
        -------
        str
            One of the network's own treatments, or a name that ``nma.at`` takes.

        Examples
        --------
        >>> import nma
        >>> structure = nma.structures.Components(separator=" + ", inactive="usual care")
        >>> network = nma.datasets.network("musician")
        >>> structure.combination(network, "telephone CBT", "exercise")
        'exercise + telephone CBT'
        """
        known = {part for part in parts for part in self._parting.of(part)}
        active = known - {self.inactive} or known
        return self._parting.joined(active, network.treatments)

    def parts(self, treatment: str) -> frozenset[str]:
        """Return the components of a treatment that have an effect.

        Parameters
        ----------
        treatment : str
            A treatment, or a combination that no trial has.

        Returns
        -------
        frozenset of str
            Empty for the inactive component alone.

        Examples
        --------
        >>> import nma
        >>> structure = nma.structures.Components(separator=" + ", inactive="usual care")
        >>> sorted(structure.parts("usual care + exercise + yoga"))
        ['exercise', 'yoga']
        """
        return frozenset(self._parting.of(treatment)) - {str(self.inactive)}

    def parameters(self, network: Network) -> Parameters:
        """Return the effect of each component, then each interaction."""
        sd = resolved(self.effect).sd / np.sqrt(2)
        own = Parameters.independent(self.components(network), sd)
        names = [" x ".join(parts) for parts in self._sets(network)]
        if not names:
            return own
        if self.interactions == "all":
            scale = Scale("tau_interaction", resolved(self.tau_interaction))
            return own + Parameters.independent(names, 1.0, scale=scale)
        return own + Parameters.independent(names, resolved(self.interaction).sd)

    def covariates(self, network: Network) -> Mapping[str, float | str]:  # noqa: ARG002
        """Return none: levels depend on the treatment alone."""
        return {}

    def levels(self, network: Network, arms: pd.DataFrame) -> NDArray[np.float64]:
        """Return one column for each component and interaction, one where the treatment has it.

        Raises
        ------
        ModelError
            If a treatment has a component that no trial has, with the closest name.
        """
        names = self.components(network)
        sets = [{name} for name in names] + [set(parts) for parts in self._sets(network)]
        found = {
            str(treatment): [float(parts <= self._known(str(treatment), names)) for parts in sets]
            for treatment in dict.fromkeys(arms["treatment"])
        }
        rows = [found[str(treatment)] for treatment in arms["treatment"]]
        return np.array(rows, dtype=float).reshape(len(arms), len(sets))

    def undetermined(self, network: Network) -> tuple[str, ...]:
        """Return the components whose effects the trials do not tell, but for their prior.

        Their sums or differences may be told all the same.

        Parameters
        ----------
        network : Network
            The evidence.

        Returns
        -------
        tuple of str
            Sorted; empty where the trials tell all of them.

        Examples
        --------
        >>> import nma
        >>> structure = nma.structures.Components(separator=" + ", inactive="usual care")
        >>> structure.undetermined(nma.datasets.network("musician"))
        ()
        """
        names = self.components(network)
        z = self.levels(network, network.table)[:, : len(names)]
        told = directions(differences(z, network.table)).determine(np.eye(len(names)))
        return tuple(name for name, known in zip(names, told, strict=True) if not known)

    @property
    def _parting(self) -> Parting:
        table = None if self.table is None else frozen(self.table)
        return Parting(self.separator or " + ", table)

    def _known(self, treatment: str, names: Sequence[str]) -> frozenset[str]:
        """Return the components of a treatment, all of which some trial has."""
        parts = self.parts(treatment)
        unknown = sorted(parts - set(names))
        if unknown:
            message = (
                f"{unknown[0]!r} in {treatment!r} is not a component of this network."
                f"{nearest(unknown[0], names)}"
            )
            raise ModelError(message)
        return parts

    def _sets(self, network: Network) -> Sequence[tuple[str, ...]]:
        """Return the sets of components that interact, of those that the network has."""
        names = self.components(network)
        if self.interactions == "all":
            return list(combinations(names, 2))
        return [tuple(parts) for parts in self.interactions or () if set(parts) <= set(names)]

    def _issues(self, network: Network) -> Iterator[Issue]:
        known = self._parting.known(network.treatments)
        if self.inactive is not None and self.inactive not in known:
            message = f"inactive={self.inactive!r} is in no treatment"
            remedy = f"Name one of the components.{nearest(self.inactive, known)}"
            yield Issue("component-unknown", message, remedy)
            return
        yield from self._inseparable(network)
        if self.interactions not in (None, "all"):
            for parts in self.interactions or ():
                yield from self._about_interaction(network, parts)

    def _inseparable(self, network: Network) -> Iterator[Issue]:
        """Yield what no trial can tell: components in all treatments, or always together."""
        has = {
            name: frozenset(t for t in network.treatments if name in self.parts(t))
            for name in self.components(network)
        }
        alike: dict[frozenset[str], list[str]] = {}
        for name, treatments in has.items():
            alike.setdefault(treatments, []).append(name)
        for treatments, names in alike.items():
            listed = " and ".join(map(repr, names))
            if len(treatments) == len(network.treatments):
                message = f"every treatment has {listed}, so no trial can tell its effect"
                yield Issue("component-constant", message, "Name it as inactive=.")
            elif len(names) > 1:
                message = f"{listed} are only ever together, so no trial can tell them apart"
                remedy = "Make one component of them, which has the effect of both together."
                yield Issue("component-collinear", message, remedy)

    def _about_interaction(self, network: Network, parts: Sequence[str]) -> Iterator[Issue]:
        names = self.components(network)
        unknown = [part for part in parts if part not in names]
        written = " x ".join(parts)
        for part in unknown:
            message = f"{part!r} in the interaction {written} is no component that has an effect"
            remedy = f"Name components of the network.{nearest(part, names)}"
            yield Issue("interaction-unknown", message, remedy)
        if not unknown and not any(set(parts) <= self.parts(t) for t in network.treatments):
            message = f"no treatment has all of {written}, so no trial can tell their interaction"
            remedy = 'Leave it out, or let all pairs borrow from each other: interactions="all".'
            yield Issue("interaction-untested", message, remedy)


def _require_told(separator: str | None, table: object) -> None:
    if separator is None and table is None:
        message = (
            "Components are told by separator=, which stands between them in the names of "
            "treatments, or by table=, which lists those of each treatment: give one of them."
        )
        raise ModelError(message)
    if separator == "":
        message = "separator='' parts nothing: give the text between components, as in ' + '."
        raise ModelError(message)


def _interactions(given: Interactions) -> Interactions:
    """Return interactions as a value that does not change: each of two components or more."""
    if given == "all":
        return given
    if isinstance(given, str) or any(isinstance(parts, str) for parts in given):
        message = f'interactions={given!r}: write [("CBT", "exercise")], or "all".'
        raise ModelError(message)
    sets = tuple(tuple(sorted(map(str, parts))) for parts in given)
    wrong = [parts for parts in sets if len(parts) < 2 or len(set(parts)) < len(parts)]
    if wrong or len(set(sets)) < len(sets):
        message = f"interactions={given!r}: each is of two components or more, and comes once."
        raise ModelError(message)
    return sets
