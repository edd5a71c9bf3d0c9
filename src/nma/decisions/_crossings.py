"""Thresholds with every scale learnt again at each shift, by root finding on exact fits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np

from nma.decisions._data_points import shifted
from nma.decisions._linear import Crossing, Thresholds
from nma.errors import EngineError
from nma.problem import Draws, Problem
from nma.refits import Executor, Refit, Refits, refit_all

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.decisions._data_points import DataPoint
    from nma.decisions._options import Contenders
    from nma.network import Network
    from nma.posterior import Posterior
    from nma.protocols import Engine

__all__ = ["FARTHEST", "PRECISION", "beta_mean", "crossings"]

PRECISION = 1e-6
"""How closely a threshold is found, in standard errors of the estimate."""

FARTHEST = 64.0
"""How far is searched, in standard deviations of the estimate, heterogeneity included."""

STEPS = np.geomspace(0.25, FARTHEST, 17)
"""Where the decision is looked at, in those."""


def crossings(
    posterior: Posterior,
    network: Network,
    engine: Engine,
    points: Iterable[DataPoint],
    others: Contenders,
    *,
    executor: Executor | None,
    progress: bool,
) -> Refits[Thresholds]:
    """Return the thresholds of every data point, by its label.

    Parameters
    ----------
    posterior : Posterior
        Whose model is fitted again.
    network : Network
        The trials, read as normal contrasts.
    engine : Engine
        One with exact moments.
    points : iterable of DataPoint
        What is shifted.
    others : Contenders
        Who could replace the recommended treatment.
    executor, progress
        As in ``refits.refit_all``.
    """
    tasks = []
    for point in points:
        task = Refit.of(posterior, point.name, network=network)
        tasks.append(replace(task, engine=_Shifting(engine, point)))
    return refit_all(tasks, _Search(others), executor=executor, progress=progress)


@final
@dataclass(frozen=True, eq=False)
class _Shifting:
    """An engine that knows which data point is to be shifted in what it is given."""

    engine: Engine
    point: DataPoint

    def unsuited(self, problem: Problem) -> str | None:
        """Return why the engine cannot answer."""
        return self.engine.unsuited(problem)

    def sample(self, problem: Problem) -> Draws:
        """Return its answer to the problem as it is."""
        return self.engine.sample(problem)


@final
@dataclass(frozen=True, eq=False)
class _Search:
    """Finds the thresholds of one data point, wherever it was fitted."""

    others: Contenders

    def __call__(self, fitted: Posterior) -> Thresholds:
        """Shift the estimate outwards on both sides until another treatment is as good."""
        asked = fitted.engine
        assert isinstance(asked, _Shifting)  # noqa: S101  the tasks are our own

        def leads(shift: float) -> NDArray[np.float64]:
            moved = shifted(fitted.problem, asked.point, shift)
            return self.others.leads(beta_mean(asked.engine.sample(moved)))

        return Thresholds(*(self._outward(leads, asked.point, side) for side in (-1.0, 1.0)))

    def _outward(
        self, leads: Callable[[float], NDArray[np.float64]], point: DataPoint, side: float
    ) -> Crossing:
        from scipy.optimize import brentq

        near = 0.0
        for far in side * point.step * STEPS:
            if leads(far).min() <= 0:
                break
            near = far
        else:
            return Crossing(side * np.inf, "")
        root = brentq(lambda shift: leads(shift).min(), near, far, xtol=PRECISION * point.se / 2)
        return Crossing(float(root), self.others.names[int(np.argmin(leads(root)))])


def beta_mean(draws: Draws) -> NDArray[np.float64]:
    """Return the posterior mean of beta where it is known exactly.

    Raises
    ------
    EngineError
        If the engine gave draws alone.
    """
    if draws.moments is None:
        message = "The engine gives draws, which are too noisy to find a threshold by."
        raise EngineError(message)
    return np.asarray(draws.moments.weight @ draws.moments.mean)
