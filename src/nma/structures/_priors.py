"""The priors of levels, and what may stand in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from nma.errors import ModelError
from nma.priors import HalfNormal, Normal, Prior

if TYPE_CHECKING:
    from nma.network import Network

__all__ = ["diffuse", "require_centred", "require_prior", "resolved", "shrinking"]

P = TypeVar("P")


def diffuse(network: Network) -> Normal:
    """Return the prior of an effect where none is given: sd 10 units."""
    unit, words = network.unit
    return Normal(0, 10 * unit, origin=f"default: 10 units, {words}")


def shrinking(network: Network) -> HalfNormal:
    """Return the prior of an exchangeable scale where none is given: half-normal(unit/2)."""
    unit, words = network.unit
    return HalfNormal(unit / 2, origin=f"default: half a unit, {words}")


def resolved(prior: P | None) -> P:
    """Return a prior that has been resolved."""
    if prior is None:
        message = "The structure has no prior yet: resolve it first."
        raise ModelError(message)
    return prior


def require_centred(prior: object, name: str) -> None:
    """Refuse what cannot be the prior of a contrast in both directions."""
    if prior is None or (isinstance(prior, Normal) and prior.mean == 0):
        return
    message = (
        f"{name}={prior!r} cannot be the prior of every contrast: d_AB = -d_BA needs "
        "a normal prior with mean zero, such as Normal(0, 100)."
    )
    raise ModelError(message)


def require_prior(prior: object, name: str) -> None:
    """Refuse what is no prior of a scale."""
    if prior is None or (isinstance(prior, Prior) and not isinstance(prior, type)):
        return
    message = (
        f"{name}={prior!r} is not a prior: write nma.priors.Fixed(...) for a known value, or a "
        "distribution such as nma.priors.HalfNormal(0.5)."
    )
    raise ModelError(message)
