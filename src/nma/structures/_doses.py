"""Doses of arms: read from their columns, the agents among them, nothing amiss."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nma.errors import DataError, Issue, ModelError, nearest, shown
from nma.shapes import Linear, Log, Spline
from nma.structures._covariates import is_missing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.network import Network
    from nma.protocols import Shape

__all__ = ["Nodes", "asked", "read", "shaped", "sizes", "too_many", "typical"]

Nodes = tuple[tuple[str, str, float], ...]
"""Each treatment that is one dose of an agent: its name, its agent and its dose."""

BY_ARM = (
    "Give the dose of each arm; of trials that report contrasts by treatment: "
    "nma.assign(network, sessions={'yoga': 12, ...})"
)
"""Where doses come from."""


SHORT: dict[str, Callable[[], Shape]] = {"linear": Linear, "log": Log, "spline": Spline}
"""Shapes that have a name."""


class Doses(NamedTuple):
    """The doses above zero of the arms, and the nodes where treatments are doses of agents."""

    positive: NDArray[np.float64]
    nodes: Nodes | None


def read(network: Network, dose: str, agent: str | None, control: str) -> Doses:
    """Return the doses that the arms have.

    Parameters
    ----------
    network : Network
        The evidence.
    dose : str
        The column of doses.
    agent : str, optional
        The column of agents; treatments are agents if not given.
    control : str
        The agent whose dose is zero, or missing.

    Raises
    ------
    DataError
        With everything that is wrong with the columns.
    ModelError
        If no arm has the control.
    """
    missing = [*_absent(network, {"dose": dose, "agent": agent})]
    if missing:
        raise DataError(missing)
    agents = _agents(network, agent)
    if control not in agents:
        listed = ", ".join(map(repr, sorted(set(agents))))
        message = f"control={control!r} is no agent: name one of {listed}."
        raise ModelError(message + nearest(control, agents))
    issues = [*_faults(network, dose, agents, control)]
    if issues:
        raise DataError(issues)
    table = network.table
    values = [0.0 if is_missing(value) else float(value) for value in table[dose]]
    issues = [] if agent is None else [*_several(table["treatment"].tolist(), agents, values)]
    if not any(values):
        remedy = "Nothing is left to learn about doses: leave them out."
        issues.append(Issue("dose-none", f"no arm has {dose} above zero", remedy, column=dose))
    if issues:
        raise DataError(issues)
    rows = zip(table["treatment"], agents, values, strict=True)
    nodes = None if agent is None else tuple(dict.fromkeys(rows))
    return Doses(np.array([value for value in values if value > 0]), nodes)


def _absent(network: Network, wanted: dict[str, str | None]) -> Iterator[Issue]:
    known = [name for name in network.table if name not in {"study", "treatment", "participants"}]
    for what, name in wanted.items():
        if name is not None and name not in network.table:
            message = f"the {what} {name!r} is no column of the arms"
            remedy = f"{BY_ARM}.{nearest(name, known)}"
            yield Issue(f"{what}-column", message, remedy)


def _agents(network: Network, column: str | None) -> list[str]:
    """Return the agent of each arm; the treatment itself where the column is empty."""
    treatments = network.table["treatment"].tolist()
    if column is None:
        return treatments
    given = network.table[column]
    return [
        name if is_missing(value) or not str(value).strip() else str(value).strip()
        for name, value in zip(treatments, given, strict=True)
    ]


def _faults(network: Network, dose: str, agents: Sequence[str], control: str) -> Iterator[Issue]:
    table = network.table
    for study, agent, value in zip(table["study"], agents, table[dose], strict=True):
        found = _fault(value, agent, is_control=agent == control)
        if found:
            code, problem, remedy = found
            yield Issue(code, problem, remedy, str(study), column=dose, value=value)


def _fault(value: Any, agent: str, *, is_control: bool) -> tuple[str, str, str] | None:
    """Return what is wrong with one dose: code, problem and remedy."""
    if is_missing(value):
        if is_control:
            return None
        return "dose-missing", f"the arm on {shown(agent)} has no dose", "Fill it in."
    if isinstance(value, str | bool | np.bool_) or not isinstance(value, int | float | np.number):
        remedy = "Give numbers, all in one unit."
        return "dose-text", f"the dose of {shown(agent)} is {shown(value)}, no number", remedy
    if value < 0 or not np.isfinite(value):
        return "dose-impossible", f"the dose of {shown(agent)} is {value:g}", "Give zero or more."
    if is_control and value > 0:
        message = f"{shown(agent)} is the control, and its dose is {value:g}"
        remedy = f"The control has dose 0 or none. {BY_ARM}."
        return "dose-of-control", message, remedy
    return None


def _several(
    treatments: Sequence[str], agents: Sequence[str], values: Sequence[float]
) -> Iterator[Issue]:
    """Yield treatments that are not one dose of one agent, which agent= says they are."""
    told: dict[str, dict[tuple[str, float], None]] = {}
    for name, agent, value in zip(treatments, agents, values, strict=True):
        told.setdefault(name, {})[agent, value] = None
    for name, found in told.items():
        if len(found) > 1:
            listed = " and ".join(f"{agent} {value:g}" for agent, value in found)
            message = f"{name!r} is {listed}, and with agent= a treatment is one dose of one agent"
            remedy = (
                "Name treatments by their dose; or make the agent the treatment, with "
                "repeated_arms='keep', and leave agent= out."
            )
            yield Issue("dose-varies", message, remedy)


def shaped(given: str | Shape) -> Shape:
    """Return the shape that a name stands for, or the shape itself.

    Raises
    ------
    ModelError
        If it is neither.
    """
    if isinstance(given, str) and given in SHORT:
        return SHORT[given]()
    if isinstance(given, str | type) or not hasattr(given, "basis"):
        listed = ", ".join(map(repr, SHORT))
        message = (
            f"shape={shown(given)} is none of {listed}, and no shape such as "
            "nma.shapes.FractionalPolynomial(powers=[0.5])."
        )
        raise ModelError(message)
    return given


def typical(doses: NDArray[np.float64]) -> float:
    """Return the dose that effects are reported at: the median of those above zero, over arms."""
    return float(np.median(doses))


def sizes(shape: Shape, doses: NDArray[np.float64], at: float) -> tuple[float, ...]:
    """Return what each function of dose is divided by so that priors are of a dose's effect.

    Each is its root mean square over the doses above zero, times one factor: with coefficients
    of unit variance, independent between functions, the effect of the dose ``at`` has variance one.

    Parameters
    ----------
    shape : Shape
        The functions.
    doses : array, (arm,)
        Those above zero.
    at : float
        The typical dose.
    """
    spread = np.sqrt(np.mean(shape.basis(doses) ** 2, axis=0))
    spread = np.where(spread > 0, spread, 1.0)
    factor = np.linalg.norm(shape.basis(np.array([at]))[0] / spread)
    return tuple((spread * factor).tolist())


def too_many(shape: Shape, doses: NDArray[np.float64], dose: str) -> Iterator[Issue]:
    """Yield that a shape has more functions than the trials have doses."""
    count, different = len(shape.terms(dose)), np.unique(doses)
    if count > len(different):
        listed = ", ".join(f"{value:g}" for value in different)
        are = "one" if len(different) == 1 else f"{len(different)}"
        message = (
            f"the shape has {count} functions of {dose}, and the trials have {are} above zero, "
            f"{listed}"
        )
        can = "shape='linear' or 'log'" if len(different) == 1 else "a shape with fewer knots"
        yield Issue("dose-too-few", message, f"Use {can}.", column=dose)


def asked(values: Sequence[Any], dose: str) -> NDArray[np.float64]:
    """Return doses that were asked about; NaN where none was.

    Raises
    ------
    ModelError
        If one is no dose.
    """
    found = np.full(len(values), np.nan)
    for row, value in enumerate(values):
        if is_missing(value):
            continue
        wrong = isinstance(value, str | bool) or not np.isfinite(value) or value < 0
        if wrong:
            message = f"{dose} is a number of zero or more, and it was asked about at {value!r}."
            raise ModelError(message)
        found[row] = value
    return found
