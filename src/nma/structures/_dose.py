"""Dose: effects that follow a curve from the control, one for each agent or one for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nma.errors import DataError, ModelError, nearest
from nma.priors import Normal, Prior
from nma.problem import Parameters
from nma.structures._classes import Classes
from nma.structures._doses import Nodes, asked, read, shaped, sizes, too_many, typical
from nma.structures._priors import diffuse, require_centred, require_prior, resolved, shrinking
from nma.structures._slopes import KINDS, Kind, identifier, per_unit, slopes

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from nma.network import Network
    from nma.protocols import Shape, Structure

__all__ = ["Dose"]


@final
@dataclass(frozen=True)
class Dose:
    r"""The effect of an agent follows a curve over its dose, which begins at the control.

    .. math:: \delta_a(x) = \sum_j f_j(x) \, b_{ja}, \qquad f_j(0) = 0

    so that dose zero of every agent is the control. Unlike a covariate a dose belongs to arms: it
    may differ within a trial, also between arms on one agent (``repeated_arms="keep"``). The
    coefficients :math:`b_{ja}` are one each ("independent"), the same for all agents ("shared"),
    or one each around a mean ("exchangeable"), so that effects at the typical dose scatter with sd
    :math:`\tau`; or the levels of another structure less those of the control, such as components
    or classes of agents.
    ``nma.at(posterior, sessions=12)`` asks at a dose, ``nma.curve`` at many.

    Parameters
    ----------
    dose : str
        A column of the arms, in one unit: sessions, weeks, mg.
    control : str
        The agent whose dose is zero, or missing; it has level zero. It does not follow the
        network's reference.
    agent : str, optional
        A column of the arms, for networks in which each treatment is one dose of an agent, such as
        "yoga 12 sessions": the agent of each. A treatment then has its own dose in tables until
        ``nma.at`` asks for another, and an agent can be asked about by its name with a dose.
    shape : Shape or {"linear", "log", "spline"}, default "linear"
        The functions :math:`f_j`, from ``nma.shapes``.
    agents : {"independent", "shared", "exchangeable"} or Structure, default "independent"
        How the coefficients of agents relate.
    effect : Normal, optional
        Prior of the effect of any agent at the typical dose, with mean zero; sd 10 units if not
        given.
    tau : Prior, optional
        Prior of the sd between exchangeable agents of the effect at the typical dose;
        half-normal(unit/2) if not given.
    typical : float, optional
        The dose that priors are of, and that effects are reported at; the median of the doses
        above zero, over arms, if not given.

    Raises
    ------
    ModelError
        If a shape or a choice is none of those offered, a prior is none, or ``effect`` has another
        mean than zero.

    Examples
    --------
    >>> import nma
    >>> doses = {"standard exercise": 8, "individualised exercise": 10, "multimodal care": 12}
    >>> network = nma.assign(nma.datasets.network("back_pain"), sessions=doses)
    >>> structure = nma.structures.Dose("sessions", control="passive control", agents="shared")
    >>> posterior = nma.fit(network, nma.Model(structure))
    >>> posterior.problem.parameters.names
    ('all but passive control vs passive control, per sessions',)
    >>> league = nma.league_table(nma.at(posterior, sessions=20))
    >>> print(league.loc["multimodal care", "passive control"])
    -2.78 (-3.88, -1.74)

    References
    ----------
    Mawdsley et al. 2016, doi:10.1002/psp4.12091, on model-based network meta-analysis;
    Hamza et al. 2024, doi:10.1177/09622802211070256, on restricted cubic splines in networks.
    """

    dose: str
    control: str = field(kw_only=True)
    agent: str | None = field(default=None, kw_only=True)
    shape: Shape | str = field(default="linear", kw_only=True)
    agents: Kind | Structure = field(default="independent", kw_only=True)
    effect: Normal | None = field(
        default=None, kw_only=True, metadata={"prior_of": "effect at the typical dose"}
    )
    tau: Prior | None = field(
        default=None, kw_only=True, metadata={"prior_of": "scale of agents' curves"}
    )
    typical: float | None = field(default=None, kw_only=True)
    _sizes: tuple[float, ...] = field(default=(), kw_only=True, repr=False)
    _nodes: Nodes | None = field(default=None, kw_only=True, repr=False)

    def __post_init__(self) -> None:
        require_centred(self.effect, "effect")
        require_prior(self.tau, "tau")
        object.__setattr__(self, "shape", shaped(self.shape))
        _require_choices(self)

    def resolve(self, network: Network) -> Dose:
        """Return the structure with its doses read and every default as a number.

        Once resolved it takes the network without some of its trials, whatever they leave.

        Raises
        ------
        DataError
            If there is no such column; if a dose is missing, negative or no number, or that of
            the control above zero; or if the shape asks for more than there are doses.
        ModelError
            If the control is unknown.
        """
        if self._sizes:
            return self
        doses, nodes = read(network, self.dose, self.agent, self.control)
        issues = [*too_many(self._shape, doses, self.dose)]
        if issues:
            raise DataError(issues)
        at = typical(doses) if self.typical is None else float(self.typical)
        shape = self._shape.resolve(doses)
        found = replace(self, shape=shape, typical=at, _nodes=nodes)
        return replace(found, _sizes=sizes(shape, doses, at), **_priors(found, network))

    def parameters(self, network: Network) -> Parameters:
        """Return the coefficients of each function in turn, per unit of the function."""
        of = self._agents_of(network)
        once = self._over(of).parameters(of)
        found = Parameters.independent([], 1.0)
        for label, size in zip(self._terms, self._sizes, strict=True):
            found += per_unit(once, f"per {label}", size, identifier(self.dose))
        return found

    def covariates(self, network: Network) -> Mapping[str, float | str]:
        """Return the typical dose; where treatments are doses, NaN: each at its own."""
        of = self._agents_of(network)
        dose = float(resolved(self.typical)) if self._nodes is None else float("nan")
        return {**self._over(of).covariates(of), self.dose: dose}

    def levels(self, network: Network, arms: pd.DataFrame) -> NDArray[np.float64]:
        """Return each function of the dose times the levels of the agents' coefficients.

        Raises
        ------
        ModelError
            If a treatment is unknown, or an agent is asked about without a dose.
        """
        agents, doses = self._read_arms(arms)
        of = self._agents_of(network)
        over = self._over(of)
        z = over.levels(of, arms.assign(treatment=agents))
        z = z - over.levels(of, arms.assign(treatment=self.control))
        basis = self._shape.basis(doses)
        return np.hstack([z * f[:, None] for f in basis.T])

    def _read_arms(self, arms: pd.DataFrame) -> tuple[list[str], NDArray[np.float64]]:
        """Return the agent and the dose of each arm, zero where it is the control."""
        nodes = {name: (agent, dose) for name, agent, dose in self._nodes or ()}
        names = arms["treatment"].tolist()
        agents = [nodes[name][0] if name in nodes else name for name in names]
        doses = asked(
            arms[self.dose].tolist() if self.dose in arms else [None] * len(arms), self.dose
        )
        own = np.array([nodes[name][1] if name in nodes else np.nan for name in names])
        doses = np.where(np.isnan(doses), own, doses)
        doses[[agent == self.control for agent in agents]] = 0.0
        lacking = [name for name, dose in zip(names, doses, strict=True) if np.isnan(dose)]
        if lacking:
            self._require_known(lacking[0])
            message = (
                f"{lacking[0]!r} has no dose of its own: ask at one, such as "
                f"nma.at(posterior, {self.dose}={resolved(self.typical):g})."
            )
            raise ModelError(message)
        return agents, doses

    def _require_known(self, name: str) -> None:
        """Refuse a name that is neither a treatment nor an agent, before it is asked for a dose."""
        if self._nodes is None:
            return
        known = dict.fromkeys(part for node in self._nodes for part in node[:2])
        if name not in known:
            listed = ", ".join(map(repr, known))
            message = f"{name!r} is unknown.{nearest(name, known)} The network has {listed}."
            raise ModelError(message)

    def _agents_of(self, network: Network) -> Network:
        """Return the network whose treatments are the agents."""
        if self._nodes is None:
            return network
        pairs = {name: agent for name, agent, _ in self._nodes}
        return Classes(classes=pairs, within="common", _checked=True).grouped(network)

    def _over(self, agents: Network) -> Structure:
        """Return the structure whose levels are the coefficients, per the size of a function."""
        if self.agents in KINDS:
            return slopes(str(self.agents), agents, self.control, resolved(self.effect), self.tau)
        given: Any = self.agents
        return given  # type: ignore[no-any-return]

    @property
    def _shape(self) -> Shape:
        shape: Any = self.shape
        return shape  # type: ignore[no-any-return]

    @property
    def _terms(self) -> tuple[str, ...]:
        return self._shape.terms(self.dose)


def _priors(found: Dose, network: Network) -> dict[str, Any]:
    """Return every default prior as a number, and a structure of agents resolved."""
    if found.agents not in KINDS:
        of = found._agents_of(network)  # noqa: SLF001  our own
        return {"agents": found._over(of).resolve(of)}  # noqa: SLF001
    plain = diffuse(network)
    words = f"{plain.origin}, at {found.dose} {found.typical:.4g}"
    told: dict[str, Any] = {"effect": found.effect or Normal(0, plain.sd, origin=words)}
    if found.agents == "exchangeable":
        told["tau"] = found.tau or shrinking(network)
    return told


def _require_choices(given: Dose) -> None:
    by_name = given.agents in KINDS
    faults = {
        f"agents={given.agents!r} is none of {', '.join(map(repr, KINDS))}, and no "
        "structure.": isinstance(given.agents, str) and not by_name,
        "tau= is of exchangeable agents: write agents='exchangeable'.": given.tau is not None
        and given.agents != "exchangeable",
        "effect= is of agents by name: a structure has a prior of its own.": given.effect
        is not None
        and not by_name,
        f"typical={given.typical!r} is no dose above zero.": given.typical is not None
        and not 0 < given.typical < np.inf,
        f"control={given.control!r}: name the agent whose dose is zero.": not isinstance(
            given.control, str
        ),
    }
    wrong = [message for message, is_so in faults.items() if is_so]
    if wrong:
        raise ModelError(" ".join(wrong))
