"""Slopes: how much of a covariate or a dose each treatment takes up, as levels of a structure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from nma.errors import ModelError
from nma.priors import Normal
from nma.problem import Parameters, Scale
from nma.structures._classes import Classes
from nma.structures._consistency import Consistency
from nma.structures._priors import diffuse

if TYPE_CHECKING:
    from nma.network import Network
    from nma.priors import Prior
    from nma.protocols import Structure

__all__ = ["KINDS", "Kind", "diffuse_per", "identifier", "per_unit", "slopes"]

Kind = Literal["shared", "exchangeable", "independent"]
"""How the slopes of treatments relate."""

KINDS = ("shared", "exchangeable", "independent")
"""All of them."""


def slopes(
    kind: str, network: Network, control: str | None, effect: Normal, tau: Prior | None
) -> Structure:
    """Return the structure whose levels are the slopes, zero for the control.

    Parameters
    ----------
    kind : {"shared", "exchangeable", "independent"}
        How the slopes of treatments relate.
    network : Network
        The evidence.
    control : str, optional
        The treatment without a slope; of independent ones the network's first if not given.
    effect : Normal
        Prior of the difference between two slopes.
    tau : Prior, optional
        Of the scale of exchangeable ones.

    Raises
    ------
    ModelError
        If the control is unknown, or not named where it is needed.
    """
    zero = _control(kind, network, control)
    others = [name for name in network.treatments if name != zero]
    means = Consistency(effect)
    if kind == "independent":
        return Classes(means, classes={name: name for name in (zero, *others)}, _checked=True)
    together = others[0] if len(others) == 1 else f"all but {zero}"
    classes = {zero: zero, **dict.fromkeys(others, together)}
    if kind == "shared" or len(others) == 1:
        return Classes(means, classes=classes, within="common", _checked=True)
    return Classes(means, classes=classes, tau_class=tau, name="tau", _checked=True)


def _control(kind: str, network: Network, control: str | None) -> str:
    if control is not None:
        network.codes([control])
        return control
    if kind == "independent":
        return network.treatments[0]
    listed = ", ".join(map(repr, network.treatments))
    message = f"Name control=, the treatment without an effect of its own: one of {listed}."
    raise ModelError(message)


def per_unit(given: Parameters, label: str, size: float, suffix: str) -> Parameters:
    """Return parameters per unit of a covariate, from those per ``size`` of it.

    Parameters
    ----------
    given : Parameters
        Of the structure of slopes.
    label : str
        What they are per, in words.
    size : float
        How many units the given ones are per.
    suffix : str
        What tells their scales from others of the same name.
    """
    renamed = {scale.name: Scale(f"{scale.name}_{suffix}", scale.prior) for scale in given.scales}
    return Parameters(
        names=tuple(f"{name}, {label}" for name in given.names),
        mean=given.mean / size,
        covariance=given.covariance / size**2,
        scale=tuple(None if name is None else renamed[name].name for name in given.scale),
        scales=tuple(renamed.values()),
    )


def diffuse_per(network: Network, covariate: str, size: float) -> Normal:
    """Return the prior of a slope where none is given: sd 10 units per ``size`` of covariate."""
    plain = diffuse(network)
    per = "" if size == 1 else f" per standard deviation of {covariate}, {size:.4g}"
    return Normal(0, plain.sd / size, origin=f"{plain.origin}{per}")


def identifier(name: str) -> str:
    """Return a name as part of the name of a scale."""
    return re.sub(r"\W+", "_", name).strip("_") or "covariate"
