"""Structures around one another: the components inside, and what may stand in their place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast, final

from nma.errors import ModelError
from nma.protocols import Structure

if TYPE_CHECKING:
    from nma.network import Network
    from nma.priors import Normal

__all__ = ["Combinations", "Inside", "components_inside"]


class Combinations(Structure, Protocol):
    """A structure under which treatments are combinations of components, whoever wrote it."""

    @property
    def effect(self) -> Normal | None:
        """Prior of the difference between any two components."""

    @property
    def inactive(self) -> str | None:
        """The component that adds nothing."""

    @property
    def interactions(self) -> Sequence[Sequence[str]] | Literal["all"] | None:
        """Components that do more, or less, together than the sum of them."""

    @property
    def interaction(self) -> Normal | None:
        """Prior of each interaction that is named."""

    def components(self, network: Any) -> tuple[str, ...]:
        """Return the components that have an effect."""

    def combination(self, network: Any, *parts: str) -> str:
        """Return the name of the treatment that is made of just these components."""

    def parts(self, treatment: str) -> frozenset[str]:
        """Return the components of a treatment that have an effect."""


@final
@dataclass(frozen=True, eq=False)
class Inside:
    """Components within a structure.

    Parameters
    ----------
    whole : Structure
        The structure.
    components : Combinations
        What stands innermost in it.
    network : Network
        What these see of the evidence: treatments, or what the structure makes of them.
    """

    whole: Structure
    components: Combinations
    network: Network

    @property
    def names(self) -> tuple[str, ...]:
        """The components that have an effect."""
        return self.components.components(self.network)

    @property
    def treatments(self) -> dict[frozenset[str], str]:
        """The treatments by their components that have an effect; the first of several alike."""
        names = reversed(self.network.treatments)
        return {self.components.parts(name): name for name in names}

    def around(self, change: Callable[[Combinations], Structure]) -> Structure:
        """Return the structure with something else in place of the components."""
        return _around(self.whole, change)


def components_inside(structure: Structure, network: Network) -> Inside:
    """Return the components that a structure is, or has at the bottom of what it wraps.

    Parameters
    ----------
    structure : Structure
        It, or what it wraps as its ``base``, tells combinations of components.
    network : Network
        The evidence. A wrapper that asks its base about another network, such as ``Classes`` about
        one of classes, tells it by ``grouped(network)``.

    Raises
    ------
    ModelError
        If there are none.
    """
    inner: Any = structure
    while not hasattr(inner, "combination"):
        base = getattr(inner, "base", None)
        if base is None:
            message = (
                f"The model has no components: its structure is {type(structure).__name__}. "
                "nma.structures.Components makes one of the parts of treatments."
            )
            raise ModelError(message)
        network = inner.grouped(network) if hasattr(inner, "grouped") else network
        inner = base
    return Inside(structure, inner, network)


def _around(structure: Any, change: Callable[[Combinations], Structure]) -> Structure:
    if hasattr(structure, "combination"):
        return change(structure)
    return cast("Structure", replace(structure, base=_around(structure.base, change)))
