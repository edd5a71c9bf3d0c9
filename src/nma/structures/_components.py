"""Components: a complex intervention is the sum of its parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, final

import numpy as np

from nma.errors import DataError, Issue, ModelError, nearest
from nma.priors import Normal
from nma.problem import Parameters
from nma.span import directions
from nma.structures._priors import diffuse, require_centred, resolved
from nma.structures._trials import in_trials

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from nma.network import Network

__all__ = ["Components"]

Parts = tuple[tuple[str, tuple[str, ...]], ...]
"""Each treatment with its components."""

REMEDY = "Rename the treatment, choose another separator, or give table=."
"""What to do about labels that cannot be parted."""


@final
@dataclass(frozen=True)
class Components:
    r"""The level of a treatment is the sum of the effects of its components.

    .. math:: \delta_{t} = \sum_{c \in t} \beta_c, \qquad \beta_c \sim N(0, s^2/2)

    so that what a component adds is the same whatever it is added to. The inactive component, such
    as usual care or placebo, adds nothing. Any combination of the components has a level, also one
    that no trial has tested: name it in ``nma.at``. Parts of the network that no trial connects are
    joined where they share components, by additivity alone.

    Parameters
    ----------
    separator : str, optional
        What stands between the components in the names of treatments, such as ``" + "``.
    table : mapping of str to sequence of str, optional
        The components of each treatment, in place of a separator.
    inactive : str, optional
        The component that adds nothing; each has an effect if not given.
    effect : Normal, optional
        Prior of the difference between any two components, with mean zero; sd 10 units if not
        given.

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

    def __post_init__(self) -> None:
        require_centred(self.effect, "effect")
        if (self.separator is None) == (self.table is None):
            message = (
                "Components are told by separator=, which stands between them in the names of "
                "treatments, or by table=, which lists those of each treatment: give one of them."
            )
            raise ModelError(message)
        if self.separator == "":
            message = "separator='' parts nothing: give the text between components, as in ' + '."
            raise ModelError(message)
        if self.table is not None:
            object.__setattr__(self, "table", _frozen(self.table))

    def resolve(self, network: Network) -> Components:
        """Return the structure with its prior as a number.

        Raises
        ------
        DataError
            If a treatment has no components, an empty one or one twice, or the inactive component
            is in no treatment; all at once.
        """
        issues = [*self._issues(network)]
        if issues:
            raise DataError(issues)
        return self if self.effect is not None else replace(self, effect=diffuse(network))

    def components(self, network: Network) -> tuple[str, ...]:
        """Return the components that have an effect, sorted."""
        parts = {part for name in network.treatments for part in self._of(name)}
        return tuple(sorted(parts - {self.inactive}))

    def parameters(self, network: Network) -> Parameters:
        """Return the effect of each component."""
        sd = resolved(self.effect).sd / np.sqrt(2)
        return Parameters.independent(self.components(network), sd)

    def levels(self, network: Network, arms: pd.DataFrame) -> NDArray[np.float64]:
        """Return one column for each component, one where the treatment has it.

        Raises
        ------
        ModelError
            If a treatment has a component that no trial has, with the closest name.
        """
        place = {name: k for k, name in enumerate(self.components(network))}
        z = np.zeros((len(arms), len(place)))
        for row, treatment in enumerate(arms["treatment"]):
            for part in self._of(str(treatment)):
                if part in place:
                    z[row, place[part]] = 1.0
                elif part != self.inactive:
                    message = (
                        f"{part!r} in {treatment!r} is not a component of this network."
                        f"{nearest(part, place)}"
                    )
                    raise ModelError(message)
        return z

    def undetermined(self, network: Network) -> tuple[str, ...]:
        """Return the components whose effects the trials do not tell, but for their prior.

        Their sums or differences may be told all the same.
        """
        z = self.levels(network, network.table)
        first: dict[str, int] = {}
        rows = [
            z[row] - z[first.setdefault(study, row)] for row, study, _ in in_trials(network.table)
        ]
        names = self.components(network)
        told = directions(np.stack(rows)).determine(np.eye(len(names)))
        return tuple(name for name, known in zip(names, told, strict=True) if not known)

    def _of(self, treatment: str) -> tuple[str, ...]:
        """Return the components of a treatment; of one that no table lists, itself."""
        if self.separator is not None:
            return tuple(part.strip() for part in treatment.split(self.separator))
        return dict(_frozen(self.table or ())).get(treatment, (treatment,))

    def _issues(self, network: Network) -> Iterable[Issue]:
        listed = dict(_frozen(self.table or ()))
        for name in network.treatments:
            if self.table is not None and name not in listed:
                message = f"{name!r} is not in the table of components"
                remedy = f"List its components in table=.{nearest(name, listed)}"
                yield Issue("component-missing", message, remedy)
                continue
            parts = self._of(name)
            if not parts or any(map(self._is_cut, parts)):
                yield Issue("component-empty", f"{name!r} has an empty component", REMEDY)
            twice = sorted({part for part in parts if parts.count(part) > 1})
            if twice:
                message = f"{name!r} has {', '.join(map(repr, twice))} more than once"
                yield Issue("component-twice", message, REMEDY)
        known = {part for name in network.treatments for part in self._of(name)}
        if self.inactive is not None and self.inactive not in known:
            message = f"inactive={self.inactive!r} is in no treatment"
            remedy = f"Name one of the components.{nearest(self.inactive, known)}"
            yield Issue("component-unknown", message, remedy)

    def _is_cut(self, part: str) -> bool:
        """Return whether a component is empty, or begins or ends with what is left of a separator.

        Names of treatments are trimmed before they come here, and a separator at an end with them.
        """
        mark = (self.separator or "").strip()
        return not part or bool(mark and (part.startswith(mark) or part.endswith(mark)))


def _frozen(table: Mapping[str, Sequence[str]] | Parts) -> Parts:
    """Return a table as a value that does not change; a text is no list of components."""
    pairs = table.items() if isinstance(table, Mapping) else table
    texts = [name for name, parts in pairs if isinstance(parts, str)]
    if texts:
        message = f"table= lists components: write {texts[0]!r}: [...], not a text."
        raise ModelError(message)
    return tuple((str(name), tuple(map(str, parts))) for name, parts in pairs)
