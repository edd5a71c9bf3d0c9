"""Classes: treatments that are alike, exchangeable around what their class does or all the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, final

import numpy as np

from nma.errors import DataError, Issue, ModelError, nearest
from nma.labels import collisions
from nma.priors import Prior
from nma.problem import Parameters, Scale
from nma.structures._consistency import Consistency
from nma.structures._priors import require_prior, resolved, shrinking

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from nma.network import Network
    from nma.protocols import Structure

__all__ = ["Classes"]

Members = tuple[tuple[str, str], ...]
"""Each treatment with its class."""


@final
@dataclass(frozen=True)
class Classes:
    r"""Treatments of one class scatter around what the class does.

    .. math:: \delta_t = m_{c(t)} + e_t, \qquad e_t \sim N(0, \tau_{class}^2)

    where the class means :math:`m_c` are the levels that the base gives the classes, as if they
    were the treatments; or all treatments of a class have its level, :math:`e_t = 0`. A class of
    one treatment is that treatment, without a deviation, so classes of one each are the base
    itself. A class has a level of its own: name classes in ``nma.at`` to rank them.

    Parameters
    ----------
    base : Structure, default ``Consistency()``
        What relates the classes: it is asked about a network whose treatments they are. With
        ``Components`` the classes are combinations, with a ``Regression`` they interact.
    classes : mapping of str to str, or str
        The class of each treatment, or the column of the arms that holds it.
    within : {"exchangeable", "common"}, default "exchangeable"
        Whether treatments of a class scatter, or are the same.
    tau_class : Prior, optional
        Prior of the standard deviation within classes; half-normal(unit/2) if not given.
    name : str, default "tau_class"
        What that scale is called; classes within classes need two names.

    Raises
    ------
    ModelError
        If ``within`` is neither of the two, or ``tau_class`` is no prior or is given to classes of
        one effect.

    Examples
    --------
    >>> import nma
    >>> network = nma.datasets.network("back_pain")
    >>> exercise = dict.fromkeys(
    ...     ["standard exercise", "individualised exercise", "multimodal care"], "exercise"
    ... )
    >>> structure = nma.structures.Classes(
    ...     classes={"passive control": "passive control", **exercise}
    ... )
    >>> posterior = nma.fit(network, nma.Model(structure))
    >>> by_class = nma.at(posterior, treatments=["passive control", "exercise"])
    >>> nma.sucra(by_class).index[0]
    'exercise'

    References
    ----------
    Dominici et al. 1999, doi:10.1080/01621459.1999.10473861; Owen et al. 2015,
    doi:10.1016/j.jval.2015.01.006, on exchangeable and common classes.
    """

    base: Structure = field(default_factory=Consistency)
    classes: Mapping[str, str] | Members | str = field(kw_only=True)
    within: Literal["exchangeable", "common"] = field(default="exchangeable", kw_only=True)
    tau_class: Prior | None = field(default=None, kw_only=True)
    name: str = field(default="tau_class", kw_only=True)
    _checked: bool = field(default=False, kw_only=True, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_prior(self.tau_class, "tau_class")
        if self.within not in {"exchangeable", "common"}:
            message = f"within={self.within!r} is none of 'exchangeable', 'common'."
            raise ModelError(message)
        if self.within == "common" and self.tau_class is not None:
            message = "tau_class= is of treatments that scatter: write within='exchangeable'."
            raise ModelError(message)
        if isinstance(self.classes, Mapping):
            pairs = ((str(name), str(of)) for name, of in self.classes.items())
            object.__setattr__(self, "classes", tuple(pairs))

    def resolve(self, network: Network) -> Classes:
        """Return the structure with its classes and priors settled.

        Once resolved it takes the network without some of its trials, whatever they leave.

        Raises
        ------
        DataError
            If a treatment has no class or two, a class no treatment, or its name is that of a
            treatment among several; or if no trial connects what the base does not join.
        """
        read = replace(self, classes=self._read(network), _checked=True)
        base, tau = self.base.resolve(read.grouped(network)), self.tau_class
        if tau is None and self.within == "exchangeable":
            tau = shrinking(network)
        return replace(read, base=base, tau_class=tau)

    @property
    def members(self) -> Mapping[str, str]:
        """The class of each treatment."""
        if isinstance(self.classes, str):
            message = "The classes have not been read yet: resolve the structure first."
            raise ModelError(message)
        return dict(self.classes)

    def grouped(self, network: Network) -> Network:
        """Return the network whose treatments are the classes, which the base is asked about.

        Parameters
        ----------
        network : Network
            The evidence.

        Returns
        -------
        Network
            The same arms and trials, each arm on its class.

        Examples
        --------
        >>> import nma
        >>> network = nma.datasets.network("back_pain")
        >>> classes = dict.fromkeys(network.treatments, "exercise") | {"passive control": "none"}
        >>> nma.structures.Classes(classes=classes).resolve(network).grouped(network).treatments
        ('exercise', 'none')
        """
        of = self.members
        named = [of.get(name, name) for name in network.table["treatment"]]
        present = {of.get(name, name) for name in network.treatments}
        names = [*of.values(), *(of.get(name, name) for name in network.treatments)]
        return replace(
            network,
            table=network.table.assign(treatment=named),
            treatments=tuple(name for name in dict.fromkeys(names) if name in present),
            reference=of.get(network.reference, network.reference),
        )

    def class_names(self, network: Network) -> tuple[str, ...]:
        """Return the classes, for ``nma.at``.

        Parameters
        ----------
        network : Network
            The evidence.

        Returns
        -------
        tuple of str
            Sorted.

        Examples
        --------
        >>> import nma
        >>> network = nma.datasets.network("back_pain")
        >>> classes = dict.fromkeys(network.treatments, "exercise") | {"passive control": "none"}
        >>> nma.structures.Classes(classes=classes).resolve(network).class_names(network)
        ('exercise', 'none')
        """
        return self.grouped(network).treatments

    def parameters(self, network: Network) -> Parameters:
        """Return those of the base for the classes, then each treatment's deviation."""
        means = self.base.parameters(self.grouped(network))
        of = self.members
        members = self._scattered(network)
        if not members:
            return means
        scale = Scale(self.name, resolved(self.tau_class))
        names = [f"{name} in {of[name]}" for name in members]
        return means + Parameters.independent(names, 1.0, scale=scale)

    def covariates(self, network: Network) -> Mapping[str, float | str]:
        """Return those of the base."""
        return self.base.covariates(self.grouped(network))

    def levels(self, network: Network, arms: pd.DataFrame) -> NDArray[np.float64]:
        """Return the base's levels of the classes beside one column for each deviation.

        A name that is no treatment is asked of the base: the name of a class has its mean.

        Raises
        ------
        ModelError
            If a treatment that scatters is in none of the trials: nothing tells how far.
        """
        of = self.members
        classes = arms.assign(treatment=[of.get(name, name) for name in arms["treatment"]])
        members = {name: k for k, name in enumerate(self._scattered(network))}
        self._require_tried(network, arms["treatment"].tolist())
        e = np.zeros((len(arms), len(members)))
        for row, name in enumerate(arms["treatment"]):
            if name in members:
                e[row, members[name]] = 1.0
        return np.hstack([self.base.levels(self.grouped(network), classes), e])

    def _scattered(self, network: Network) -> list[str]:
        """Return the treatments that deviate from their class: those that are not alone in it."""
        if self.within == "common":
            return []
        of = self.members
        size = Counter(of.values())
        return [name for name in network.treatments if size[of.get(name, "")] > 1]

    def _require_tried(self, network: Network, names: Iterable[str]) -> None:
        of = self.members
        size = Counter(of.values())
        for name in dict.fromkeys(names):
            scatters = self.within == "exchangeable" and size[of.get(name, "")] > 1
            if scatters and name not in network.treatments:
                message = f"{name!r} is in no trial: nothing tells how far it is from its class."
                raise ModelError(message)

    def _read(self, network: Network) -> Members:
        """Return the class of each treatment, once nothing is wrong with them."""
        pairs = self._pairs(network)
        issues = [*_unclassed(pairs, network)]
        if not self._checked:
            issues += _faults(pairs, network)
            issues = issues or [*_unjoined(self.base, network)]
        if issues:
            raise DataError(issues)
        return pairs

    def _pairs(self, network: Network) -> Members:
        if not isinstance(self.classes, str):
            return (
                tuple(self.classes.items()) if isinstance(self.classes, Mapping) else self.classes
            )
        return _from_column(network, self.classes)


def _from_column(network: Network, column: str) -> Members:
    """Return the pairs of treatment and class that a column of the arms has."""
    table = network.table
    if column not in table:
        known = [name for name in table if name not in {"study", "treatment", "participants"}]
        message = f"there is no column {column!r} of classes among those of the arms"
        raise DataError([Issue("class-column", message, f"Name one.{nearest(column, known)}")])
    told = table[["treatment", column]].dropna().astype(str)
    return tuple(dict.fromkeys(zip(told["treatment"], told[column].str.strip(), strict=True)))


def _unclassed(pairs: Members, network: Network) -> Iterator[Issue]:
    """Yield the treatments that have no class, or several."""
    of = dict(pairs)
    for name in network.treatments:
        told = sorted({cls for treatment, cls in pairs if treatment == name})
        if len(told) != 1 or not told[0]:
            message = f"{name!r} has {f'classes {told}' if len(told) > 1 else 'no class'}"
            hint = nearest(name, of.keys() - set(network.treatments))
            yield Issue("class-missing", message, f"Give each treatment one class.{hint}")


def _faults(pairs: Members, network: Network) -> Iterator[Issue]:
    """Yield what is wrong with the names of classes and of treatments in them."""
    of = dict(pairs)
    present = {cls for name, cls in pairs if name in network.treatments}
    for name, cls in pairs:
        if cls not in present:
            message = f"class {cls!r} has no treatment: {name!r} is none of the network's"
            hint = nearest(name, network.treatments)
            yield Issue("class-empty", message, f"Leave it out, or mend the name.{hint}")
    for name in sorted(present & set(network.treatments)):
        if of.get(name) != name or list(of.values()).count(name) > 1:
            message = f"{name!r} is a treatment and a class of others"
            yield Issue("class-named-as-treatment", message, "Give the class another name.")
    yield from collisions(sorted(present))


def _unjoined(base: Structure, network: Network) -> Iterator[Issue]:
    """Yield that no trial connects the network, if the base demands it: classes join no parts."""
    try:
        base.resolve(network)
    except DataError as error:
        yield from (issue for issue in error.issues if issue.code == "disconnected")
    except ModelError:  # said of treatments, where the base is meant for classes
        return
