"""Models of a user's own: structures and an outcome the library does not ship, a few lines each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import nma
from nma.arrays import xlogy
from nma.errors import Issue, ModelError
from nma.instruments import ReferenceSD
from nma.links import LINKS, Link
from nma.network import Network
from nma.priors import Prior
from nma.problem import ArmEffect, Arms, Evidence, Parameters, Scale
from nma.protocols import Better, Structure

Array = NDArray[np.float64]


def outside(arms: pd.DataFrame) -> bool:
    return "study" not in arms


@dataclass(frozen=True)
class UnrelatedMeans:
    """A mean of its own for every pair (baseline arm of the trial, other arm)."""

    sd: float

    def resolve(self, network: Network) -> UnrelatedMeans:
        return self

    def _pairs(self, network: Network) -> list[tuple[str, str]]:
        order = network.treatments.index
        bases = [sorted(arms, key=order) for arms in network.trials.values()]
        return sorted({(arms[0], other) for arms in bases for other in arms[1:]})

    def parameters(self, network: Network) -> Parameters:
        names = [f"{b} vs {a}" for a, b in self._pairs(network)]
        return Parameters.independent(names, self.sd)

    def covariates(self, network: Network) -> Mapping[str, float | str]:
        return {}

    def levels(self, network: Network, arms: pd.DataFrame) -> Array:
        if outside(arms):
            message = "Unrelated means give no treatment a level outside its trials."
            raise ModelError(message)
        pairs = self._pairs(network)
        base = {s: min(t, key=network.treatments.index) for s, t in network.trials.items()}
        z = np.zeros((len(arms), len(pairs)))
        for row, (study, name) in enumerate(zip(arms["study"], arms["treatment"], strict=True)):
            if name != base[study]:
                z[row, pairs.index((base[study], name))] = 1.0
        return z


@dataclass(frozen=True)
class NodeSplit:
    """The base's levels plus w/2 and -w/2 on the two arms of trials that compare a and b."""

    base: Structure
    a: str
    b: str
    sd: float

    def resolve(self, network: Network) -> NodeSplit:
        return NodeSplit(self.base.resolve(network), self.a, self.b, self.sd)

    def parameters(self, network: Network) -> Parameters:
        return self.base.parameters(network) + Parameters.independent(["w"], self.sd)

    def covariates(self, network: Network) -> Mapping[str, float | str]:
        return self.base.covariates(network)

    def levels(self, network: Network, arms: pd.DataFrame) -> Array:
        w = np.zeros((len(arms), 1))
        if not outside(arms):
            both = arms["study"].map(lambda s: {self.a, self.b} <= set(network.trials[s]))
            w[:, 0] = (
                (arms["treatment"] == self.b) * 0.5 - (arms["treatment"] == self.a) * 0.5
            ) * both
        return np.hstack([self.base.levels(network, arms), w])


@dataclass(frozen=True)
class Regression:
    """One interaction of a covariate with every treatment but the control."""

    base: Structure
    covariate: str
    control: str
    sd: float

    def resolve(self, network: Network) -> Regression:
        return Regression(self.base.resolve(network), self.covariate, self.control, self.sd)

    def parameters(self, network: Network) -> Parameters:
        return self.base.parameters(network) + Parameters.independent([self.covariate], self.sd)

    def covariates(self, network: Network) -> Mapping[str, float | str]:
        return {**self.base.covariates(network), self.covariate: 0.0}

    def levels(self, network: Network, arms: pd.DataFrame) -> Array:
        active = (arms["treatment"] != self.control).to_numpy()
        interaction = (arms[self.covariate].to_numpy(dtype=float) * active)[:, None]
        return np.hstack([self.base.levels(network, arms), interaction])


@dataclass(frozen=True)
class Components:
    """A treatment's level is the sum of its components'; the inactive one adds nothing."""

    inactive: str
    sd: float

    def resolve(self, network: Network) -> Components:
        return self

    def _components(self, network: Network) -> list[str]:
        parts = {part for name in network.treatments for part in name.split(" + ")}
        return sorted(parts - {self.inactive})

    def parameters(self, network: Network) -> Parameters:
        return Parameters.independent(self._components(network), self.sd / np.sqrt(2))

    def covariates(self, network: Network) -> Mapping[str, float | str]:
        return {}

    def levels(self, network: Network, arms: pd.DataFrame) -> Array:
        names = self._components(network)
        z = np.zeros((len(arms), len(names)))
        for row, treatment in enumerate(arms["treatment"]):
            for part in treatment.split(" + "):
                if part != self.inactive and part not in names:
                    message = f"{part!r} is not a component of this network."
                    raise ModelError(message)
                z[row] += [part == name for name in names]
        return z


@dataclass(frozen=True)
class Classes:
    """A mean for each class, and treatments that deviate from it by an exchangeable scale."""

    members: tuple[tuple[str, str], ...]
    sd: float
    prior: Prior

    def resolve(self, network: Network) -> Classes:
        return self

    def parameters(self, network: Network) -> Parameters:
        means = Parameters.independent(list(self._classes), self.sd / np.sqrt(2))
        names = [f"{name} in its class" for name, _ in self.members]
        scale = Scale("tau_class", self.prior)
        return means + Parameters.independent(names, np.sqrt(0.5), scale=scale)

    @property
    def _classes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(of for _, of in self.members))

    def covariates(self, network: Network) -> Mapping[str, float | str]:
        return {}

    def levels(self, network: Network, arms: pd.DataFrame) -> Array:
        classes, names = dict(self.members), [name for name, _ in self.members]
        own = np.array([[row == name for name in names] for row in arms["treatment"]], dtype=float)
        means = [[classes[row] == of for of in self._classes] for row in arms["treatment"]]
        return np.hstack([np.array(means, dtype=float), own])


@dataclass(frozen=True)
class RandomInconsistency:
    """A deviation for every treatment in every design, shared by all trials of the design."""

    base: Structure
    prior: Prior

    def resolve(self, network: Network) -> RandomInconsistency:
        return RandomInconsistency(self.base.resolve(network), self.prior)

    def parameters(self, network: Network) -> Parameters:
        names = [f"{t} in {'/'.join(d)}" for d, t in self._columns(network)]
        deviations = Parameters.independent(names, np.sqrt(0.5), scale=Scale("tau_w", self.prior))
        return self.base.parameters(network) + deviations

    def _columns(self, network: Network) -> list[tuple[tuple[str, ...], str]]:
        return [(d, t) for d in nma.graph.designs(network.trials) for t in d]

    def covariates(self, network: Network) -> Mapping[str, float | str]:
        return self.base.covariates(network)

    def levels(self, network: Network, arms: pd.DataFrame) -> Array:
        columns = self._columns(network)
        z = np.zeros((len(arms), len(columns)))
        if not outside(arms):
            for row, (study, t) in enumerate(zip(arms["study"], arms["treatment"], strict=True)):
                z[row, columns.index((tuple(sorted(network.trials[study])), t))] = 1.0
        return np.hstack([self.base.levels(network, arms), z])


@dataclass(frozen=True)
class Responders:
    """Binomial arms on the logit scale."""

    events: str
    n: str
    better: Better = "higher"
    measure: str = "OR"
    ratio: ClassVar[bool] = True
    scale: ClassVar[None] = None
    reports: ClassVar[Literal["arms"]] = "arms"
    labels: ClassVar[tuple[str, ...]] = ()
    absolute_link: ClassVar[Link] = LINKS["OR"]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.events, self.n

    def check(self, rows: pd.DataFrame) -> list[Issue]:
        return []

    def participants(self, rows: pd.DataFrame) -> Array:
        return rows[[self.n]].to_numpy()

    def unit(self, rows: pd.DataFrame) -> Array:
        return np.ones(1)

    def reference_sds(self, rows: pd.DataFrame) -> tuple[ReferenceSD, ...]:
        return ()

    def notices(self, rows: pd.DataFrame) -> tuple[str, ...]:
        return ()

    def merged(self, rows: pd.DataFrame) -> dict[str, float]:
        return {name: float(rows[name].sum()) for name in self.columns}

    def as_normal(self) -> nma.outcomes.Binary:
        return nma.outcomes.Binary(
            self.events, self.n, measure="OR", better=self.better, likelihood="normal"
        )

    def log_density(self, eta: Any, auxiliary: Any, data: Any, xp: Any) -> Any:
        return data["events"] * eta - data["n"] * xp.log1p(xp.exp(eta))

    def fitted(self, eta: Any, auxiliary: Any, data: Any, xp: Any) -> Any:
        return 1 / (1 + xp.exp(-eta))

    def deviance(self, fitted: Any, data: Any, xp: Any) -> Any:
        r, n = data["events"], data["n"]
        best = xlogy(r, r / n) + xlogy(n - r, 1 - r / n)
        return 2 * (best - xlogy(r, fitted, xp) - xlogy(n - r, 1 - fitted, xp))

    def evidence(
        self, rows: pd.DataFrame, arms: NDArray[np.int64], trial_level: Prior
    ) -> tuple[Evidence, ...]:
        data = {"events": rows[self.events].to_numpy(), "n": rows[self.n].to_numpy()}
        trial = pd.factorize(rows["study"])[0]
        density, fitted, deviance = self.log_density, self.fitted, self.deviance
        return (
            Arms(
                arms[:, 0],
                trial,
                data,
                density,
                trial_level,
                fitted=fitted,
                deviance=deviance,
            ),
        )


def loop(**extra: list[float]) -> Network:
    """A loop of two-arm trials, one comparison twice, and a three-arm trial."""
    rows = [
        ("1", "A", 0.0),
        ("1", "B", -0.8),
        ("2", "A", 0.3),
        ("2", "B", -1.1),
        ("3", "B", -0.2),
        ("3", "C", -0.1),
        ("4", "A", 0.1),
        ("4", "C", -1.6),
        ("5", "A", 0.0),
        ("5", "B", -0.5),
        ("5", "C", -1.0),
    ]
    frame = pd.DataFrame(rows, columns=["study", "treatment", "mean"])
    frame["se"] = np.linspace(0.2, 0.45, len(frame))
    outcome = nma.outcomes.Continuous("mean", se="se", measure="MD", better="lower")
    return Network.from_arms(
        frame.assign(**extra), study="study", treatment="treatment", outcome=outcome
    )


def responders() -> Network:
    frame = pd.DataFrame(
        {
            "study": ["1", "1", "2", "2", "2"],
            "treatment": ["A", "B", "A", "B", "C"],
            "r": [12, 29, 27, 29, 0],
            "n": [94, 82, 92, 93, 10],
        }
    )
    return Network.from_arms(
        frame, study="study", treatment="treatment", outcome=Responders("r", "n")
    )


@dataclass(frozen=True)
class TwoKinds:
    """Heterogeneity of two kinds: one for each arm, one shared by a trial's arms but a control."""

    tau: Prior
    tau_2: Prior
    control: str

    def resolve(self, network: Network) -> TwoKinds:
        return self

    def scales(self, network: Network) -> tuple[Scale, ...]:
        return Scale("tau", self.tau), Scale("tau_2", self.tau_2)

    def effects(self, network: Network, arms: pd.DataFrame) -> tuple[ArmEffect, ...]:
        active = (arms["treatment"] != self.control).to_numpy()
        shared = pd.factorize(arms["study"] + active.astype(str))[0]
        own = ArmEffect("tau", np.ones(len(arms)), np.arange(len(arms)))
        return own, ArmEffect("tau_2", active.astype(float), shared)
