"""Thresholds: how far an estimate must move before another treatment is recommended."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, final

import numpy as np
import pandas as pd

from nma.decisions._crossings import beta_mean, crossings
from nma.decisions._data_points import blocks, of_comparisons, of_trials
from nma.decisions._linear import Linear
from nma.decisions._options import options
from nma.decisions._threshold_table import Answer, tabulated
from nma.engines import Gaussian
from nma.errors import ModelError, nearest
from nma.estimates import is_credible
from nma.model import problem
from nma.posterior import require_posterior
from nma.reach import told_apart
from nma.refits import Executor, Refits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.decisions._data_points import DataPoint
    from nma.decisions._linear import Thresholds
    from nma.decisions._options import Contenders
    from nma.network import Network
    from nma.posterior import Posterior
    from nma.problem import Problem
    from nma.protocols import Engine
    from nma.tables import Table

__all__ = ["thresholds"]

POINTS = {"trials": of_trials, "comparisons": of_comparisons}
"""What is shifted, by its name."""

TAU = ("fixed", "re-estimated")
"""What becomes of tau when an estimate is shifted."""


def thresholds(
    posterior: Posterior,
    *,
    of: Literal["trials", "comparisons"] = "trials",
    tau: Literal["fixed", "re-estimated"] = "fixed",
    treatments: Sequence[str] | None = None,
    executor: Executor | None = None,
    progress: bool = True,
) -> Table:
    r"""Return how far each estimate must move before another treatment is recommended.

    The rule: the treatment with the best posterior mean is recommended. At a fixed tau posterior
    means are linear in what trials report, so that a bias c in estimate i, its standard error
    left alone, takes from the lead of the best, a, over k

    .. math:: E[d_{ak}](c) = E[d_{ak}] + c \, s_{ak,i}, \qquad
              c_{ak,i} = -E[d_{ak}] / s_{ak,i}

    with s the influence of the estimate on that difference. The nearest c on either side are the
    thresholds; between them lies the **invariant interval**, of values of the estimate with which
    the decision stays. They say how large a bias would matter, not whether there is one.

    Of a two-arm trial the difference moves. In a multi-arm trial every arm moves alone, against
    the mean of the others, so that no arm is the base. Of a comparison all trials that make it
    move by the same, and the direct estimate with them; in multi-arm trials half of the shift
    falls on each of the two arms, as in a symmetric node-split.

    Parameters
    ----------
    posterior : Posterior
        A fitted model whose levels are linear in its parameters. Counts are read by the normal
        approximation, and notes say what that did.
    of : {"trials", "comparisons"}, default "trials"
        What may be biased: one trial, or all trials of one comparison alike.
    tau : {"fixed", "re-estimated"}, default "fixed"
        Whether tau, and every other scale, stays at its posterior mean (or the value plugged in),
        in closed form; or is learnt again at every shift, by root finding on exact fits: found to
        1e-6 standard errors, and looked for as far as 64 standard deviations of the estimate,
        heterogeneity included, in steps that grow by the square root of two. A lead that is lost
        and regained within one step is not seen.
    treatments : sequence of str, optional
        Those that can be recommended; all that the posterior answers about if not given.
    executor : Executor, optional
        Where to fit, if tau is re-estimated: anything with ``map``. Here if not given.
    progress : bool, default True
        Whether to show a bar, on terminals and in notebooks.

    Returns
    -------
    Table
        By (``study``, ``treatment``, ``comparator``), or by the last two, the nearest threshold
        first: ``estimate`` with its 95 % confidence interval ``lower`` to ``upper``, of one trial
        by sampling error alone, of a comparison with tau; ``invariant_lower`` and
        ``invariant_upper``, infinite (of ratios 0 and infinite) where no shift changes the
        decision, and who is recommended beyond them, ``below`` and ``above``: all in the
        measure's own numbers. On the scale of the model ``se``, ``shift_lower`` and
        ``shift_upper``; ``nearest``, the smaller shift in standard errors; ``crossed``, whether
        the confidence interval reaches past a threshold. ``attrs["best"]`` is the recommended
        treatment.

    Raises
    ------
    ModelError
        If there is no choice between two treatments, two have the same mean, the structure gives
        no level outside a trial, or the model is not linear.
    EngineError
        If tau is re-estimated, and no fit succeeded.

    Notes
    -----
    Where a trial hardly tells of the best treatments, they follow it through the prior alone, and
    thresholds are thousands of standard errors away: read these as none. Flat priors, as least
    squares has, make them infinite.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> table = nma.decisions.thresholds(posterior)
    >>> nearest = table.iloc[0]
    >>> print(*nearest.name, nearest["above"], sep=", ")
    Macedo 2012, multimodal care, individualised exercise, individualised exercise
    >>> print(*nearest[["estimate", "invariant_upper", "nearest"]].astype(float).round(2))
    0.0 0.74 2.08

    References
    ----------
    Phillippo et al. 2018, doi:10.1111/rssa.12341, and 2019, doi:10.7326/M18-3542.
    """
    require_posterior(posterior, "thresholds")
    _require("of", of, tuple(POINTS))
    _require("tau", tau, TAU)
    reading = _Reading(posterior)
    _require_linear(reading.problem)
    choices = options(posterior, treatments, reading.problem)
    points = list(POINTS[of](reading.problem, reading.network, reading.scales))
    _require_points(points)
    again = tau == "re-estimated" and reading.is_learnt
    beta = beta_mean(reading.engine.sample(reading.problem)) if again else reading.linear.beta
    choice = choices.choice(beta)
    others = choices.against(choices.best(beta))
    if again:
        found = crossings(
            posterior, reading.network, reading.engine, points, others,
            executor=executor, progress=progress,
        )  # fmt: skip
    else:
        found = _closed(reading.linear, points, others)
    answer = Answer(
        of=of,
        again=again,
        tau=tau,
        choice=choice,
        points=points,
        found=found,
        scales=reading.scales,
        known=reading.known,
        notices=reading.notices,
        options=choices,
    )
    return tabulated(posterior, answer)


def _closed(linear: Linear, points: Sequence[DataPoint], others: Contenders) -> Refits[Thresholds]:
    done = {point.name: linear.thresholds(point, others) for point in points}
    return Refits(done, {}, {}, ())


def _require(name: str, asked: object, known: Sequence[str]) -> None:
    if asked not in known:
        message = (
            f"{name}={asked!r} is no choice: write one of {', '.join(map(repr, known))}."
            f"{nearest(asked, known)}"
        )
        raise ModelError(message)


def _require_points(points: Sequence[DataPoint]) -> None:
    if not points:
        message = "No trial, read as normal contrasts, tells anything that could be biased."
        raise ModelError(message)


def _require_linear(asked: Problem) -> None:
    if asked.predictor is not None:
        message = (
            "The model is not linear in its parameters, so a threshold has no closed form and no "
            "exact fit: ask a model whose structure is linear."
        )
        raise ModelError(message)


@final
@dataclass(frozen=True, eq=False)
class _Reading:
    """The trials of a posterior as normal contrasts, under its own model."""

    posterior: Posterior

    @cached_property
    def is_normal(self) -> bool:
        """Whether the fit read them so itself."""
        evidence = self.posterior.problem.evidence
        return len(blocks(self.posterior.problem)) == len(evidence)

    @cached_property
    def network(self) -> Network:
        """The trials."""
        network = self.posterior.network
        return network if self.is_normal else network.as_normal()

    @cached_property
    def problem(self) -> Problem:
        """The model and the trials."""
        if self.is_normal:
            return self.posterior.problem
        return problem(self.posterior.model, self.network)

    @cached_property
    def scales(self) -> Mapping[str, float]:
        """Tau and its kin, at their posterior means or as they were plugged in."""
        draws = self.posterior.draws
        names = [scale.name for scale in self.problem.scales]
        if draws.moments is not None:
            found = {name: draws.moments.marginals[name].mean for name in names}
        else:
            found = {name: float(draws.values[name].mean()) for name in names}
        for name, value in found.items():
            if not math.isfinite(value):
                message = (
                    f"{name} has no finite posterior mean to hold it at: give it a prior with a "
                    "lighter tail."
                )
                raise ModelError(message)
        return found

    @cached_property
    def is_learnt(self) -> bool:
        """Whether any scale is learnt from the trials."""
        draws = self.posterior.draws
        names = [scale.name for scale in self.problem.scales]
        if draws.moments is not None:
            return any(draws.moments.marginals[name].sd != 0 for name in names)
        return any(float(np.ptp(draws.values[name].to_numpy())) > 0 for name in names)

    @property
    def known(self) -> str:
        """Where the values of the scales came from."""
        if not self.is_learnt:
            return "as stated"
        several = len(self.scales) > 1
        mean = "their posterior means" if several else "its posterior mean"
        return mean if is_credible(self.posterior) else "as plugged in"

    @cached_property
    def linear(self) -> Linear:
        """Posterior means at those scales."""
        return Linear.of(self.problem, self.scales, flat=not is_credible(self.posterior))

    @cached_property
    def engine(self) -> Engine:
        """What answers exactly: the fit's own engine if it does."""
        exact = self.is_normal and self.posterior.draws.moments is not None
        return self.posterior.engine if exact else Gaussian()

    @property
    def notices(self) -> tuple[str, ...]:
        """What reading counts as normal did."""
        if self.is_normal:
            return ()
        known = set(self.posterior.network.notices)
        read = tuple(text for text in self.network.notices if text not in known)
        said = "Counts are read by the normal approximation here, not as they were fitted."
        structure, names = self.posterior.model.structure, self.network.treatments
        untold = told_apart(self.problem, structure, names, self._levels)
        return (said, *read, *untold)

    @property
    def _levels(self) -> NDArray[np.float64]:
        """Levels of the network's treatments, where effects are reported."""
        network, structure = self.network, self.posterior.model.structure
        asked = {"treatment": list(network.treatments), **structure.covariates(network)}
        return structure.levels(network, pd.DataFrame(asked))
