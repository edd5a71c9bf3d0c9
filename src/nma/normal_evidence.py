"""The trials of a posterior as normal contrasts under consistency, for answers in closed form."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, final

import numpy as np

from nma.engines import LeastSquares
from nma.engines._tau import ESTIMATORS, Profile
from nma.errors import EngineError, ModelError
from nma.heterogeneity import Random
from nma.least_squares import Rows, differences, effect_covariance, rows
from nma.model import Model, part_names, problem
from nma.priors import Fixed, Normal
from nma.problem import Contrasts, Problem
from nma.span import directions
from nma.structures import Consistency

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.network import Network
    from nma.posterior import Posterior

__all__ = [
    "Design",
    "Direct",
    "Information",
    "NormalEvidence",
    "design_name",
    "estimated",
    "normal_evidence",
    "tau_words",
    "total",
]

Design = tuple[str, ...]
"""The set of treatments that a trial compares, in the network's order."""

TAU = "tau"
"""The one scale of the random effects."""


@final
@dataclass(frozen=True, eq=False)
class Information:
    """What trials tell of levels at one tau: theta has precision ``matrix``, weighted mean in it.

    Parameters
    ----------
    matrix : array, (treatment, treatment)
        Rows sum to zero: minus an entry off the diagonal is the weight of that comparison, which
        for a multi-arm trial is the reduced weight of Ruecker and Schwarzer (2014).
    vector : array, (treatment,)
        ``matrix`` times the levels that the trials observed.
    """

    matrix: NDArray[np.float64]
    vector: NDArray[np.float64]

    @cached_property
    def inverse(self) -> NDArray[np.float64]:
        """Covariance of levels about their mean: the Moore-Penrose inverse."""
        count = len(self.matrix)
        if count == 1:  # a trial of one treatment, at several doses, compares none
            return np.zeros((1, 1))
        level = np.trace(self.matrix) / count
        mean = np.full((count, count), 1 / count)
        return np.asarray(np.linalg.inv(self.matrix + level * mean) - mean / level)


@final
@dataclass(frozen=True, eq=False)
class Direct:
    """The inverse-variance mean of the trials that compare two treatments, at one tau.

    Parameters
    ----------
    estimate : float
        The treatment whose name sorts first against the other.
    variance : float
        Of that mean.
    share : mapping of str to float
        The weight of each trial; they add to one.
    """

    estimate: float
    variance: float
    share: Mapping[str, float]

    @classmethod
    def pooled(cls, trials: Mapping[str, tuple[float, float]]) -> Direct:
        """Return the mean of estimates with their variances, by trial."""
        precision = {study: 1 / variance for study, (_, variance) in trials.items()}
        whole = sum(precision.values())
        share = {study: weight / whole for study, weight in precision.items()}
        mean = sum(share[study] * estimate for study, (estimate, _) in trials.items())
        return cls(mean, 1 / whole, share)

    def versus(self, treatment: str, comparator: str) -> float:
        """Return the estimate of a treatment against the other."""
        return self.estimate if treatment < comparator else -self.estimate


@final
@dataclass(frozen=True, eq=False)
class NormalEvidence:
    """Trials as normal contrasts, with one effect for each treatment and one tau.

    Parameters
    ----------
    network : Network
        The trials, counts read by the normal approximation.
    problem : Problem
        Consistency, with random effects of every arm.
    notices : tuple of str
        What reading the trials did.
    own_tau : float
        That of the posterior: its mean, or the value plugged in; NaN where it has several.
    """

    network: Network
    problem: Problem
    notices: tuple[str, ...]
    own_tau: float

    @cached_property
    def trials(self) -> dict[str, Design]:
        """For each trial that tells something its design."""
        place = {name: k for k, name in enumerate(self.network.treatments)}
        told = {
            study
            for block in self.blocks
            for study in self.problem.arms["study"].to_numpy()[block.arms[:, 0]]
        }
        return {
            study: tuple(sorted(arms, key=place.__getitem__))
            for study, arms in self.network.trials.items()
            if study in told
        }

    @cached_property
    def designs(self) -> tuple[Design, ...]:
        """The designs, two-arm ones first, in the network's order."""
        place = {name: k for k, name in enumerate(self.network.treatments)}
        found = set(self.trials.values())
        return tuple(sorted(found, key=lambda d: (len(d), [place[name] for name in d])))

    @cached_property
    def blocks(self) -> tuple[Contrasts, ...]:
        """The evidence, trials with the same number of arms together."""
        return tuple(part for part in self.problem.evidence if isinstance(part, Contrasts))

    @cached_property
    def design_of_row(self) -> NDArray[np.int64]:
        """Position of the design of every contrast, in the order of least squares."""
        place = {design: k for k, design in enumerate(self.designs)}
        study = self.problem.arms["study"].to_numpy()
        of = [
            place[self.trials[study[arms[0]]]]
            for block in self.blocks
            for arms in block.arms
            for _ in range(block.y.shape[1])
        ]
        return np.array(of, dtype=np.int64)

    def columns(self, designs: Iterable[Design]) -> NDArray[np.float64]:
        """Return levels of their own for the treatments of designs, (arm, column)."""
        study = self.problem.arms["study"].to_numpy()
        treatment = self.problem.arms["treatment"].to_numpy()
        of = [self.trials.get(name, ()) for name in study]
        found = [
            [float(mine == design and arm == name) for mine, arm in zip(of, treatment, strict=True)]
            for design in designs
            for name in design[1:]
        ]
        return np.array(found).reshape(len(found), len(study)).T

    @cached_property
    def consistent(self) -> Profile:
        """Least squares under consistency as a function of tau squared."""
        return self.profile(self.problem.levels)

    def profile(self, levels: NDArray[np.float64]) -> Profile:
        """Return least squares as a function of tau squared for levels, (arm, parameter)."""
        asked = replace(self.problem, levels=levels)
        whole, parts = rows(asked, TAU, {}), directions(differences(asked))
        return Profile(Rows(whole.X @ parts.known, whole.y, whole.spread, whole.log_determinant))

    def tau(self, asked: str | float | None) -> float:
        """Return tau: the posterior's own, a number, or an estimate by its name.

        Raises
        ------
        EngineError
            If it is neither, or the trials leave no degree of freedom to estimate it.
        ModelError
            If none is asked for, and the model has random effects without a single tau.
        """
        if asked is None and math.isnan(self.own_tau):
            message = (
                "The model's random effects have no single tau to hold fixed: give tau as a number "
                "or by how to estimate it, as in tau='REML'."
            )
            raise ModelError(message)
        if asked is None:
            return self.own_tau
        return estimated(self.consistent, asked)

    def by_trial(self, tau: float) -> dict[str, Information]:
        """Return what each trial tells of the treatments of its design at one tau."""
        study = self.problem.arms["study"].to_numpy()
        treatment = self.problem.arms["treatment"].to_numpy()
        found = {}
        for block in self.blocks:
            matrix, vector = _of_arms(self.problem, block, tau)
            for arms, inner, told in zip(block.arms, matrix, vector, strict=True):
                design = self.trials[study[arms[0]]]
                spread = np.array(
                    [[float(treatment[arm] == name) for arm in arms] for name in design]
                )
                found[study[arms[0]]] = Information(spread @ inner @ spread.T, spread @ told)
        return found

    def information(self, tau: float) -> dict[Design, Information]:
        """Return what the trials of each design tell of all treatments at one tau."""
        count = len(self.network.treatments)
        found = {d: Information(np.zeros((count, count)), np.zeros(count)) for d in self.designs}
        for study, told in self.by_trial(tau).items():
            design = self.trials[study]
            place = self.network.codes(design)
            found[design].matrix[np.ix_(place, place)] += told.matrix
            found[design].vector[place] += told.vector
        return found

    def direct(self, tau: float) -> dict[frozenset[str], Direct]:
        """Return the direct evidence on every comparison that trials make, at one tau."""
        parts: dict[frozenset[str], dict[str, tuple[float, float]]] = {}
        for study, told in self.by_trial(tau).items():
            covariance, level = told.inverse, told.inverse @ told.vector
            for j, k in combinations(range(len(level)), 2):
                pair = frozenset({self.trials[study][j], self.trials[study][k]})
                variance = covariance[j, j] + covariance[k, k] - 2 * covariance[j, k]
                sign = 1 if self.trials[study][j] == min(pair) else -1
                parts.setdefault(pair, {})[study] = (sign * (level[j] - level[k]), variance)
        return {pair: Direct.pooled(each) for pair, each in parts.items()}

    def whole(self, tau: float) -> Information:
        """Return what all trials together tell at one tau."""
        return total(self.information(tau))

    @cached_property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Every (treatment, comparator): the later against the earlier, the reference last."""
        found = []
        for earlier, later in combinations(self.network.treatments, 2):
            swap = later == self.network.reference
            found.append((earlier, later) if swap else (later, earlier))
        return tuple(found)


def estimated(profile: Profile, asked: str | float) -> float:
    """Return tau: a number as it is, or an estimate by its name.

    Raises
    ------
    EngineError
        If it is neither, or there is no degree of freedom to estimate it.
    """
    LeastSquares(asked)  # refuses what is no way to find tau
    if not isinstance(asked, str):
        return float(asked)
    if asked == "common":
        return 0.0
    if profile.df == 0:
        message = (
            f"The trials leave no degree of freedom to estimate tau by {asked}: give it as a "
            "number, as in tau=0."
        )
        raise EngineError(message)
    return math.sqrt(ESTIMATORS[asked](profile).value)


def total(parts: Mapping[Design, Information]) -> Information:
    """Return the sum of what designs tell."""
    return Information(
        np.sum([part.matrix for part in parts.values()], axis=0),
        np.sum([part.vector for part in parts.values()], axis=0),
    )


def _of_arms(
    problem: Problem, block: Contrasts, tau: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what each trial tells of the levels of its arms: (trial, arm, arm), (trial, arm)."""
    weight = np.linalg.inv(block.V + tau**2 * effect_covariance(problem, block, TAU))
    count = block.arms.shape[1]
    contrast = np.column_stack([-np.ones(count - 1), np.eye(count - 1)])
    matrix = contrast.T @ weight @ contrast
    vector = np.einsum("kj,tkl,tl->tj", contrast, weight, block.y)
    return matrix, vector


def normal_evidence(posterior: Posterior) -> NormalEvidence:
    """Return the trials of a posterior as normal contrasts under consistency.

    Raises
    ------
    ModelError
        If the trials, so read, do not connect all treatments.
    """
    network = posterior.network.as_normal()
    model = Model(Consistency(Normal(0, 1)), Random(Fixed(0.0)))
    found = NormalEvidence(
        network, problem(model, network), _notices(posterior, network), _own_tau(posterior)
    )
    _require_connected(found)
    return found


def _own_tau(posterior: Posterior) -> float:
    """Return the posterior mean of tau, or the value plugged in; zero under a common effect.

    NaN where the random effects have other scales than tau.
    """
    names = {effect.scale for effect in posterior.problem.effects}
    if names != {TAU}:
        return math.nan if names else 0.0
    if posterior.draws.moments is not None:
        return posterior.draws.moments.marginals[TAU].mean
    return float(posterior.draws.values[TAU].mean())


def _notices(posterior: Posterior, network: Network) -> tuple[str, ...]:
    structure = part_names(posterior.model)["structure"]
    aside = (
        f"These numbers are of one effect for each treatment; what {structure} adds is left aside.",
    )
    known = set(posterior.network.notices)
    read = tuple(text for text in network.notices if text not in known)
    return aside * (structure != "Consistency") + read


def _require_connected(evidence: NormalEvidence) -> None:
    parts = directions(differences(evidence.problem))
    loose = np.linalg.norm(parts.unknown, axis=1) > 1e-8
    if not loose.any():
        return
    names = [n for n, open_ in zip(evidence.network.treatments[1:], loose, strict=True) if open_]
    message = (
        f"The trials, read as normal contrasts, do not connect {', '.join(names[:5])} with "
        f"{evidence.network.treatments[0]}, so direct and indirect evidence cannot be compared. "
        "Check a network of the connected part."
    )
    raise ModelError(message)


def design_name(design: Design) -> str:
    """Return how a design is written."""
    return " : ".join(design)


def tau_words(asked: str | float | None, tau: float) -> str:
    """Return which tau was held fixed, and where it came from."""
    came = (
        "that of the fit" if asked is None else f"by {asked}" if isinstance(asked, str) else "given"
    )
    return f"tau held fixed at {tau:.4g}, {came}"
