"""What trials report: normal contrasts, or arms with a likelihood of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, final

import numpy as np

from nma.instruments import Instrument
from nma.mixtures import readonly
from nma.priors import Prior
from nma.problem._parameters import Parameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Arms", "Contrasts", "Evidence", "Reading", "trials_by_size"]


def trials_by_size(trial: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield the positions of each trial's rows, trials of one size at a time.

    Parameters
    ----------
    trial : array, (row,)
        Trial of each row; the rows of a trial stand together.

    Yields
    ------
    array of int, (trial, row)
        One for every number of rows that a trial can have, smallest first.

    Examples
    --------
    >>> import nma
    >>> import numpy as np
    >>> trial = np.array([0, 0, 1, 1, 1, 2, 2])
    >>> [rows.tolist() for rows in nma.problem.trials_by_size(trial)]
    [[[0, 1], [5, 6]], [[2, 3, 4]]]
    """
    start = np.flatnonzero(np.r_[True, trial[1:] != trial[:-1]])
    size = np.diff(np.r_[start, len(trial)])
    for rows in np.unique(size):
        yield start[size == rows][:, None] + np.arange(rows)


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

    Examples
    --------
    >>> import nma
    >>> nma.problem.Reading(instrument=nma.instruments.NRS, points=-1.0).is_change is None
    True
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

    Examples
    --------
    >>> import nma
    >>> (part,) = nma.fit(nma.datasets.network("back_pain")).problem.evidence
    >>> part.arms.shape, part.y.shape, part.V.shape
    ((9, 2), (9, 1), (9, 1, 1))
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

    Examples
    --------
    >>> import nma
    >>> (part,) = nma.fit(nma.datasets.network("smoking")).problem.evidence
    >>> part.data["events"].shape, part.trial_level
    ((50,), Normal(mean=0, sd=10))
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
