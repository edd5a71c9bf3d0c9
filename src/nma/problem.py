"""The narrow waist: what an engine is given and what it gives back.

In trial *i*, arm *k* has the linear predictor

    theta[i,k] = m[i] + (z[i,k] - mean of z over the trial's arms) . beta + u[i,k]

where ``levels`` holds z, ``parameters`` the prior of beta and ``effects`` the make-up of u.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, final

import numpy as np

from nma.errors import ModelError
from nma.instruments import Instrument
from nma.mixtures import Moments, readonly
from nma.priors import Prior

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray

__all__ = [
    "ArmEffect",
    "Arms",
    "Contrasts",
    "Draws",
    "Evidence",
    "Moments",
    "Parameters",
    "Problem",
    "Reading",
    "Scale",
    "arm_parts",
    "readonly",
    "trials_by_size",
]


def trials_by_size(trial: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield the positions of each trial's rows, trials of one size at a time.

    Parameters
    ----------
    trial : array, (row,)
        Trial of each row; the rows of a trial stand together.

    Yields
    ------
    array, (trial, row of the trial)
        One array for every number of rows that occurs, smallest first.
    """
    start = np.flatnonzero(np.r_[True, trial[1:] != trial[:-1]])
    size = np.diff(np.r_[start, len(trial)])
    for rows in np.unique(size):
        yield start[size == rows][:, None] + np.arange(rows)


RESERVED = {"beta", "u", "chain", "draw", "parameter", "arm", "study"}
"""Names that mean something else among the draws."""


@final
@dataclass(frozen=True)
class Scale:
    """A standard deviation to be learnt, such as the heterogeneity tau.

    Parameters
    ----------
    name : str
        Its name in the draws.
    prior : Prior
        Its prior, on zero and above.
    """

    name: str
    prior: Prior

    def __post_init__(self) -> None:
        taken = self.name in RESERVED or self.name.startswith(("trial_level", "auxiliary"))
        if taken or not self.name.isidentifier():
            message = f"A scale cannot be called {self.name!r}: choose a word like tau_class."
            raise ModelError(message)
        if self.prior.support[0] < 0:
            message = (
                f"{self.prior!r} allows negative values, and {self.name} is a standard deviation. "
                "Use a prior on zero and above, such as HalfNormal or Uniform(0, 5)."
            )
            raise ModelError(message)


@final
@dataclass(frozen=True, eq=False)
class Parameters:
    """Multivariate normal prior of beta, at unit scale.

    Parameters
    ----------
    names : tuple of str
        One for each parameter.
    mean : array, (parameter,)
        Prior mean.
    covariance : array, (parameter, parameter)
        Prior covariance before any scale multiplies; positive definite.
    scale : tuple of str or None
        For each parameter the name of the scale that multiplies its deviation from the mean.
    scales : tuple of Scale
        The scales named there.
    """

    names: tuple[str, ...]
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    scale: tuple[str | None, ...] = ()
    scales: tuple[Scale, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", readonly(self.mean))
        object.__setattr__(self, "covariance", readonly(self.covariance))
        object.__setattr__(self, "scale", self.scale or (None,) * len(self.names))

    @classmethod
    def exchangeable(
        cls, names: Sequence[str], sd: float, *, scale: Scale | None = None
    ) -> Parameters:
        """Return effects against one treatment such that every contrast has prior sd ``sd``.

        The covariance is sd^2/2 (I + J), multiplied by ``scale`` where one is given: changing which
        treatment they are against changes nothing.
        """
        size = len(names)
        covariance = sd**2 / 2 * (np.eye(size) + np.ones((size, size)))
        return cls._centred(names, covariance, scale)

    @classmethod
    def independent(
        cls, names: Sequence[str], sd: float, *, scale: Scale | None = None
    ) -> Parameters:
        """Return iid N(0, sd^2) parameters, all multiplied by ``scale`` where one is given."""
        return cls._centred(names, sd**2 * np.eye(len(names)), scale)

    @classmethod
    def _centred(
        cls, names: Sequence[str], covariance: NDArray[np.float64], scale: Scale | None
    ) -> Parameters:
        multiplier = () if scale is None else (scale.name,) * len(names)
        scales = () if scale is None else (scale,)
        return cls(tuple(names), np.zeros(len(names)), covariance, multiplier, scales)

    def __add__(self, other: Parameters) -> Parameters:
        """Return the parameters of both, independent of each other; a scale of both is one."""
        first, second = len(self.names), len(other.names)
        covariance = np.zeros((first + second, first + second))
        covariance[:first, :first] = self.covariance
        covariance[first:, first:] = other.covariance
        return Parameters(
            names=self.names + other.names,
            mean=np.concatenate([self.mean, other.mean]),
            covariance=covariance,
            scale=self.scale + other.scale,
            scales=tuple(dict.fromkeys(self.scales + other.scales)),
        )


@final
@dataclass(frozen=True, eq=False)
class ArmEffect:
    """Random effects of arms: u = sqrt(1/2) tau weight e[unit], with e iid N(0, 1) in a trial.

    Parameters
    ----------
    scale : str
        Name of the scale tau.
    weight : array, (arm,)
        Multiplier of each arm's effect.
    unit : array of int, (arm,)
        Arms of one trial with the same unit share their effect.
    """

    scale: str
    weight: NDArray[np.float64]
    unit: NDArray[np.int64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", readonly(self.weight))
        object.__setattr__(self, "unit", readonly(self.unit))


class Reading(NamedTuple):
    """In what unit a trial reports the levels of its arms.

    Parameters
    ----------
    instrument : Instrument, optional
        Whose points, where one is named.
    points : float
        Points that a level of one stands for: negative where the sign was reversed, NaN where
        the trial has a unit of its own.
    is_change : bool, optional
        Whether they are changes from baseline; None where nothing tells.
    """

    instrument: Instrument | None = None
    points: float = 1.0
    is_change: bool | None = None


@final
@dataclass(frozen=True, eq=False)
class Contrasts:
    """Normal evidence of trials with the same number of arms.

    Parameters
    ----------
    arms : array of int, (trial, arm)
        Positions in ``Problem.arms``.
    y : array, (trial, arm - 1)
        Each later arm minus the trial's first.
    V : array, (trial, arm - 1, arm - 1)
        Sampling covariance of ``y``.
    reported : array, (2, trial, arm), optional
        Level of every arm and its sampling variance, where ``y`` and ``V`` came from these.
    readings : tuple of Reading, optional
        The unit of those levels in each trial; all in that of the measure if not given.
    """

    arms: NDArray[np.int64]
    y: NDArray[np.float64]
    V: NDArray[np.float64]
    reported: NDArray[np.float64] | None = None
    readings: tuple[Reading, ...] | None = field(kw_only=True, default=None)

    def __post_init__(self) -> None:
        names = ["arms", "y", "V"] + ["reported"] * (self.reported is not None)
        for name in names:
            object.__setattr__(self, name, readonly(getattr(self, name)))


@final
@dataclass(frozen=True, eq=False)
class Arms:
    """Arm-level evidence with a likelihood of its own.

    Its callables are asked about one value or about many at once. Linear predictors ``eta`` are
    (..., arm), the arms in the order of ``data``; ``auxiliary`` is None where the likelihood has
    no parameters of its own, else (..., parameter) with leading axes that broadcast against those
    of ``eta``: (parameter,) for all values alike, (value, parameter) beside (value, arm), or
    (value, 1, parameter) beside (value, node, arm). Answers have the broadcast leading axes. With
    ``xp`` PyTensor's tensors there are none: ``eta`` is (arm,) and ``auxiliary`` (parameter,).

    Parameters
    ----------
    arms, trial : array of int, (arm,)
        Positions in ``Problem.arms``, and the trial of each.
    data : mapping of str to array, (arm, ...)
        The counts, means or times the density reads.
    density : callable
        ``density(eta, auxiliary, data, xp)``: log likelihood of every arm with all its constants,
        (..., arm), in the functions of ``xp``, which is NumPy or PyTensor's tensors.
    trial_level : Prior
        Prior of each trial's mean linear predictor.
    auxiliary : Parameters, optional
        Parameters of the likelihood alone, such as those of cut-points.
    fitted : callable
        ``fitted(eta, auxiliary, data, xp)``: what the data are expected to be, as a probability or
        a rate, (..., arm), or (..., arm, number) where an arm has several.
    deviance : callable
        ``deviance(fitted, data, xp)``: residual deviance of every arm, (..., arm), which is twice
        the log likelihood that the data could have at best minus the one they have.
    observed : callable, optional
        ``observed(data)``: what was seen of what is ``fitted``, such as a proportion, (arm,) or
        (arm, number).
    points : callable, optional
        ``points(data)``: the data points of every arm, (arm,); one each if not given.
    """

    arms: NDArray[np.int64]
    trial: NDArray[np.int64]
    data: Mapping[str, NDArray[Any]]
    density: Callable[..., Any]
    trial_level: Prior
    auxiliary: Parameters | None = None
    fitted: Callable[..., Any] = field(kw_only=True)
    deviance: Callable[..., Any] = field(kw_only=True)
    observed: Callable[..., Any] | None = field(kw_only=True, default=None)
    points: Callable[..., Any] | None = field(kw_only=True, default=None)


Evidence = Contrasts | Arms
"""What trials report."""


@final
@dataclass(frozen=True, eq=False, repr=False)
class Problem:
    """Everything an engine may know: no labels to interpret, no network, no model.

    Parameters
    ----------
    arms : DataFrame
        One row for each arm, for labelling only.
    levels : array, (arm, parameter)
        z of every arm.
    parameters : Parameters
        Prior of beta.
    effects : tuple of ArmEffect
        Random effects within trials.
    scales : tuple of Scale
        Every scale, those of the parameters included.
    evidence : tuple of Contrasts or Arms
        What the trials reported.
    predictor : callable, optional
        For models that are not linear in beta: ``predictor(beta, levels, xp)`` gives the level
        of every arm, (arm,), in the functions of ``xp``.
    """

    arms: pd.DataFrame
    levels: NDArray[np.float64]
    parameters: Parameters
    effects: tuple[ArmEffect, ...]
    scales: tuple[Scale, ...]
    evidence: tuple[Evidence, ...]
    predictor: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", readonly(self.levels))

    def __repr__(self) -> str:
        """Return one line."""
        names = (*self.parameters.names, *(scale.name for scale in self.scales))
        return f"<Problem: {len(self.arms)} arms, {len(names)} unknowns; next: engine.sample>"


def arm_parts(problem: Problem) -> dict[int, str]:
    """Return which parts report arms, with what the names of their draws end in."""
    places = [k for k, part in enumerate(problem.evidence) if isinstance(part, Arms)]
    return {place: f"_{k}" if k > 1 else "" for k, place in enumerate(places, start=1)}


@final
@dataclass(frozen=True, eq=False, repr=False)
class Draws:
    """What an engine gives back.

    Parameters
    ----------
    sampler : callable
        Makes ``values``; called once, when they are first asked for.
    moments : Moments, optional
        The exact posterior, or sampling distribution of estimates, where the engine has it.
    diagnostics : mapping of str to float
        How well the engine did, in numbers.
    notices : tuple of str
        What the user must know about this run.
    intervals : {"credible", "confidence"}
        What intervals are: of a posterior, or of the sampling distribution of estimates.
    faults : tuple of str
        Why the run must not be relied on, as sentences; printed before every number from it.
    statistics : Dataset, optional
        What the sampler recorded at each draw, such as divergences, (chain, draw).
    convergence : Dataset, optional
        R-hat and effective draws of every quantity that was sampled, (statistic, ...).
    software : mapping of str to str
        Versions of what sampled, beyond what every fit uses.
    interrupted : bool
        Whether the user stopped the run; ``faults`` then say what was kept.
    """

    sampler: Callable[[], xr.Dataset]
    moments: Moments | None = None
    diagnostics: Mapping[str, float] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    intervals: Literal["credible", "confidence"] = "credible"
    faults: tuple[str, ...] = ()
    statistics: xr.Dataset | None = None
    convergence: xr.Dataset | None = None
    software: Mapping[str, str] = field(default_factory=dict)
    interrupted: bool = False

    @cached_property
    def values(self) -> xr.Dataset:
        """Equally weighted: ``beta`` (chain, draw, parameter) and each scale (chain, draw)."""
        values = self.sampler()
        for variable in values.variables.values():
            if isinstance(variable.values, np.ndarray):
                variable.values.setflags(write=False)
        return values

    def __repr__(self) -> str:
        """Return one line, and draw nothing for it."""
        return f"<Draws: {self.intervals} intervals; next: .values, .diagnostics, .convergence>"
