"""What an outcome, a structure, a heterogeneity and an engine must be able to do.

A user's own has the same standing as ours: nothing asks which class a value has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, runtime_checkable

from nma.errors import Issue
from nma.instruments import ReferenceSD
from nma.links import Link
from nma.priors import Prior
from nma.problem import ArmEffect, Draws, Evidence, Parameters, Problem, Scale

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Better", "Engine", "Heterogeneity", "Outcome", "Shape", "Simulable", "Structure"]

Better = Literal["lower", "higher"]
"""Which direction of an outcome is better for the patient."""


class Outcome(Protocol):
    """What a trial reports, and the measure it is summarised by."""

    @property
    def measure(self) -> str:
        """Name of the measure: MD, SMD, OR, ..."""

    @property
    def better(self) -> Better:
        """Which direction of the outcome is better for the patient."""

    @property
    def scale(self) -> float | None:
        """The size of one unit as the user stated it, if so."""

    @property
    def ratio(self) -> bool:
        """Whether effects are log ratios, printed back-transformed."""

    @property
    def absolute_link(self) -> Link | None:
        """What links the scale of the model to the outcome's level; None where it is unknown."""

    @property
    def reports(self) -> Literal["arms", "contrasts"]:
        """Whether a row of the user's data is an arm or a contrast."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The user's columns that hold numbers."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The user's columns that hold names, such as the instrument; cleaned, none missing."""

    def check(self, rows: pd.DataFrame) -> Sequence[Issue]:
        """Return every problem in the numbers; the index of ``rows`` counts the user's rows."""

    def participants(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the participants of each row's arm or arms, (row, side), NaN where not told."""

    def unit(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return, for each trial that tells, the size of one unit on the scale of the measure."""

    def reference_sds(self, rows: pd.DataFrame) -> tuple[ReferenceSD, ...]:
        """Return the standard deviation of each instrument that the rows name, in its points."""

    def merged(self, rows: pd.DataFrame) -> Mapping[str, float]:
        """Return by column the numbers of several arms as one, NaN where they do not tell."""

    def as_normal(self) -> Outcome:
        """Return the outcome whose evidence is normal contrasts: exact, or a stated approximation.

        Least squares reads nothing else; an outcome whose evidence they are returns itself.
        """

    def evidence(
        self, rows: pd.DataFrame, arms: NDArray[np.int64], trial_level: Prior
    ) -> tuple[Evidence, ...]:
        """Return the evidence; ``arms`` (row, side) are positions in the network's arms."""

    def notices(self, rows: pd.DataFrame) -> tuple[str, ...]:
        """Return what was derived or chosen in reading the numbers."""


@runtime_checkable
class Simulable(Outcome, Protocol):
    """An outcome that ``nma.simulate`` can draw; one without these members is refused there."""

    @property
    def awaited(self) -> tuple[str, ...]:
        """The columns of results, which trials that are planned do not have yet."""

    @property
    def nuisance(self) -> Mapping[str, Prior | None]:
        """What draws need besides levels, by name, such as distances of cut-points.

        Each with its prior, where the model has one; draws of a posterior then hold its normal
        score as ``auxiliary``. Empty for most.
        """

    def reported(self, rows: pd.DataFrame, nuisance: Mapping[str, float]) -> NDArray[np.float64]:
        """Return the level each arm reports, on the scale of the model, (row,), NaN if none."""

    def simulate(
        self,
        rows: pd.DataFrame,
        levels: NDArray[np.float64],
        nuisance: Mapping[str, float],
        rng: np.random.Generator,
    ) -> Mapping[str, NDArray[np.float64]]:
        """Return new numbers by column, drawn at true ``levels`` (row, side) of the arms.

        ``rows`` tell how large and how exact the trials are. The same state of ``rng`` gives the
        same numbers; rows come in the order of a network's.
        """


class Structure(Protocol):
    """How the level of an arm depends on its treatment and covariates.

    A class that derives from this one and reads no covariate need not write ``covariates``.
    """

    def resolve(self, network: Any) -> Self:
        """Return the structure with every default turned into a number."""

    def parameters(self, network: Any) -> Parameters:
        """Return the prior of beta."""

    def levels(self, network: Any, arms: pd.DataFrame) -> NDArray[np.float64]:
        """Return z, (arm, parameter); ModelError where a level outside a trial is undefined."""

    def covariates(self, network: Any) -> Mapping[str, float | str]:  # noqa: ARG002
        """Return the columns of the arms that levels read, beside the treatment.

        Each with the value at which effects are reported until ``nma.at`` asks for another.
        """
        return {}


class Shape(Protocol):
    """Functions of dose whose weighted sum is the effect of a dose."""

    def resolve(self, doses: NDArray[np.float64]) -> Self:
        """Return the shape with every default as a number; ``doses`` are those above zero."""

    def terms(self, dose: str) -> tuple[str, ...]:
        """Return what each function is, in words, for a dose of this name."""

    def basis(self, doses: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the functions at doses, (dose, function); all are zero at dose zero."""


class Heterogeneity(Protocol):
    """How arms of one treatment differ between trials."""

    def resolve(self, network: Any) -> Self:
        """Return the value with every default turned into a number."""

    def scales(self, network: Any) -> tuple[Scale, ...]:
        """Return the scales to be learnt."""

    def effects(self, network: Any, arms: pd.DataFrame) -> tuple[ArmEffect, ...]:
        """Return the random effects of the arms."""


class Engine(Protocol):
    """Turns a finished problem into draws; never sees a network or a model."""

    def unsuited(self, problem: Problem) -> str | None:
        """Return why the engine cannot answer this problem, or None."""

    def sample(self, problem: Problem) -> Draws:
        """Return the posterior."""
