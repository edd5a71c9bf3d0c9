"""Least squares: flat priors and one value of tau, the frequentist answer in the same types."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, final

import numpy as np

from nma.engines._sobol import dataset, sobol
from nma.engines._tau import ESTIMATORS, Fit, Profile
from nma.errors import EngineError, nearest
from nma.least_squares import Rows, common_effect, differences, rows
from nma.mixtures import Marginal
from nma.problem import Contrasts, Draws, Moments, Problem
from nma.span import Directions, directions
from nma.threads import one_thread

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

__all__ = ["LeastSquares"]

BOUNDARY = "Zero is the lower end of its range, and no proof that the trials agree."
"""What an estimate of zero is."""


@final
@dataclass(frozen=True)
class LeastSquares:
    r"""Generalised least squares: flat priors, and tau estimated once and plugged in.

    .. math:: \hat d = (X' W X)^{-1} X' W y, \qquad W = (V + \hat\tau^2 (I + J)/2)^{-1}

    trial by trial, with the covariance between the contrasts of multi-arm trials in V and in the
    heterogeneity alike. Intervals are confidence intervals,
    :math:`\hat d \pm z \, se`, and take tau as known. **Every prior of the model is ignored**, and
    the result says so; a tau that the model states as ``priors.Fixed`` is no prior and is used.
    Draws come from the sampling distribution of the estimates.

    Parameters
    ----------
    tau : {"REML", "DL", "ML", "PM", "common"} or float, default "REML"
        How tau is found: restricted maximum likelihood, the moments of DerSimonian and Laird for
        networks, maximum likelihood, or Paule and Mandel's generalised Q; or its value, on the
        scale of the model: "common" is 0.
    knapp_hartung : bool, default False
        Whether to multiply the covariance by max(1, Q_gen/df), with Q_gen the generalised Q at
        tau, and take quantiles of t on df degrees of freedom.
    draws : int, default 512
        Draws in each chain; powers of two fill the space best.
    chains : int, default 8
        Independent scrambled Sobol sets.
    seed : int, default 0
        The same seed gives the same draws.

    Raises
    ------
    EngineError
        If tau is none of these, or there would be no draws.

    Notes
    -----
    Draws hold ``diagnostics``: ``tau``, ``Q``, ``df`` and ``i_squared`` of the common-effect fit,
    and ``Q_gen``. Where the trials leave a comparison undetermined, a notice names it, its numbers
    are NaN, and there are no draws.

    Examples
    --------
    >>> import nma
    >>> network = nma.datasets.network("parkinson")
    >>> posterior = nma.fit(network, engine=nma.engines.LeastSquares(tau="DL"))
    >>> print(nma.effect_table(posterior)["estimate"]["pramipexole", "placebo"].round(6))
    -1.811553

    References
    ----------
    DerSimonian and Laird 1986, doi:10.1016/0197-2456(86)90046-2, and Jackson, White and Riley
    2012, doi:10.1002/sim.4172, on moments; Paule and Mandel 1982, doi:10.6028/jres.087.022;
    Knapp and Hartung 2003, doi:10.1002/sim.1482; Langan et al. 2019, doi:10.1002/jrsm.1316, on
    the choice between them.
    """

    tau: str | float = "REML"
    knapp_hartung: bool = field(default=False, kw_only=True)
    draws: int = field(default=512, kw_only=True)
    chains: int = field(default=8, kw_only=True)
    seed: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        if self.draws < 1 or self.chains < 1:
            message = f"{self!r} would draw nothing: draws and chains must be 1 or more."
            raise EngineError(message)
        known = [*ESTIMATORS, "common"]
        number = isinstance(self.tau, int | float | np.number) and not isinstance(self.tau, bool)
        if self.tau in known or (number and 0 <= float(self.tau) < math.inf):
            return
        hint = nearest(str(self.tau).upper(), known) if isinstance(self.tau, str) else ""
        message = (
            f"tau={self.tau!r} is no way to find tau: write one of {', '.join(map(repr, known))}, "
            f"or its value, a number of zero or above.{hint}"
        )
        raise EngineError(message)

    def unsuited(self, problem: Problem) -> str | None:
        """Return why the engine cannot answer: it needs normal contrasts and one scale at most."""
        if problem.predictor is not None:
            return "the model is not linear in its parameters"
        if not all(isinstance(part, Contrasts) for part in problem.evidence):
            return (
                "some trials report arms with a likelihood that is not normal; read them as "
                "normal contrasts, with network.as_normal()"
            )
        return _unsuited_scales(self, problem) or _unsuited_df(self, problem)

    def sample(self, problem: Problem) -> Draws:
        """Return the estimates and their sampling distribution."""
        reason = self.unsuited(problem)
        if reason is not None:
            message = f"The LeastSquares engine cannot answer: {reason}."
            raise EngineError(message)
        with one_thread():
            solved = _solved(self, problem)
        common = common_effect(problem)
        return Draws(
            sampler=partial(_draw, self, problem, solved),
            moments=solved.moments(problem, self),
            intervals="confidence",
            diagnostics={
                **solved.scales,
                "Q": common.Q,
                "df": float(common.df),
                "i_squared": common.i_squared,
                "Q_gen": solved.fit.Q,
            },
            notices=_notices(self, problem, solved),
        )


@final
@dataclass(frozen=True, eq=False)
class _Solved:
    """The fit at the value of tau that was found.

    ``scales`` holds the value of every scale, ``estimated`` the names of those that were found
    from the data, ``others`` further local maxima of the likelihood, as tau.
    """

    parts: Directions
    df: int
    fit: Fit
    scales: dict[str, float]
    estimated: tuple[str, ...]
    others: tuple[float, ...]
    inflation: float

    @property
    def factor(self) -> NDArray[np.float64]:
        """F with F F' the covariance of beta, (parameter, direction)."""
        return np.asarray(np.sqrt(self.inflation) * self.parts.known @ self.fit.factor)

    @property
    def mean(self) -> NDArray[np.float64]:
        return np.asarray(self.parts.known @ self.fit.mean)

    def moments(self, problem: Problem, engine: LeastSquares) -> Moments:
        factor = self.factor
        return Moments(
            weight=np.ones(1),
            scales={name: np.array([value]) for name, value in self.scales.items()},
            mean=self.mean[None],
            covariance=(factor @ factor.T)[None],
            log_evidence=math.nan,
            marginals={scale.name: self._marginal(scale.name) for scale in problem.scales},
            df=self.df if engine.knapp_hartung else math.inf,
            unknown=self.parts.unknown,
        )

    def _marginal(self, name: str) -> Marginal:
        value = self.scales[name]
        sd = math.nan if name in self.estimated else 0.0
        return Marginal(np.full(2, value), np.array([0.0, 1.0]), value, sd)


def _stated(problem: Problem) -> dict[str, float]:
    """Return the scales that the model gives as numbers."""
    supports = {scale.name: scale.prior.support for scale in problem.scales}
    return {name: low for name, (low, high) in supports.items() if low == high}


def _free(problem: Problem) -> str | None:
    """Return the name of the scale that the model leaves open."""
    stated = _stated(problem)
    return next((scale.name for scale in problem.scales if scale.name not in stated), None)


def _number(engine: LeastSquares) -> float | None:
    """Return the value of tau where the engine states one."""
    if engine.tau == "common":
        return 0.0
    return None if isinstance(engine.tau, str) else float(engine.tau)


def _unsuited_scales(engine: LeastSquares, problem: Problem) -> str | None:
    on_parameters = [name for name in problem.parameters.scale if name is not None]
    if on_parameters:
        return f"{on_parameters[0]} is a scale of parameters, which need a prior"
    stated, number = _stated(problem), _number(engine)
    names = [scale.name for scale in problem.scales]
    within = {effect.scale for effect in problem.effects}
    idle = [name for name in names if name not in within]
    if idle:
        return f"no trial's contrasts depend on {idle[0]}"
    if len(names) - len(stated) > 1:
        open_ = ", ".join(name for name in names if name not in stated)
        return f"it finds one scale, and the model has {open_}: state all but one as priors.Fixed"
    if number and not names:
        return f"the model has no heterogeneity, and the engine was told tau={engine.tau!r}"
    if number is not None and not _free(problem) and names and number not in stated.values():
        told = ", ".join(f"{name}={value:g}" for name, value in stated.items())
        return f"the model states {told}, and the engine tau={engine.tau!r}"
    return None


def _unsuited_df(engine: LeastSquares, problem: Problem) -> str | None:
    estimated = _free(problem) is not None and _number(engine) is None
    if not (estimated or engine.knapp_hartung):
        return None
    whole = rows(problem, _free(problem), _stated(problem))
    df = len(whole.y) - directions(differences(problem)).known.shape[1]
    if df == 0:
        what = "tau" if estimated else "the Knapp-Hartung factor"
        return f"the trials leave no degree of freedom to estimate {what}: give tau as a number"
    if estimated and not np.any(whole.spread > 0):
        return "no trial's contrasts depend on tau"
    return None


def _solved(engine: LeastSquares, problem: Problem) -> _Solved:
    free, known = _free(problem), _stated(problem)
    whole = rows(problem, free, known)
    parts = directions(differences(problem))
    profile = Profile(Rows(whole.X @ parts.known, whole.y, whole.spread, whole.log_determinant))
    number = _number(engine)
    estimated = () if free is None or number is not None else (free,)
    others: tuple[float, ...] = ()
    t = 0.0 if number is None or free is None else number**2
    if estimated:
        found = ESTIMATORS[str(engine.tau)](profile)
        t, others = found.value, tuple(math.sqrt(other) for other in found.others)
    fit = profile.at(t)
    scales = known if free is None else {**known, free: math.sqrt(t)}
    inflation = max(1.0, fit.Q / profile.df) if engine.knapp_hartung else 1.0
    return _Solved(parts, profile.df, fit, scales, estimated, others, inflation)


def _notices(engine: LeastSquares, problem: Problem, solved: _Solved) -> tuple[str, ...]:
    free = _free(problem)
    named = f" and of {free}" if free else ""
    found = [f"Least squares uses no priors: those of the effects{named} are ignored."]
    found += [_plugged_in(engine, name, solved.scales[name]) for name in solved.estimated]
    if not solved.scales and isinstance(engine.tau, str) and engine.tau != "common":
        found.append(f"The model has no heterogeneity, so {engine.tau} had no tau to estimate.")
    if solved.others:
        also = ", ".join(f"{value:.4g}" for value in solved.others)
        found.append(f"The likelihood has lower local maxima too, at {also}.")
    if engine.knapp_hartung:
        found.append(
            f"Knapp-Hartung: variances are multiplied by {solved.inflation:.4g}, and quantiles are "
            f"those of t with {solved.df} df."
        )
    loose = np.linalg.norm(solved.parts.unknown, axis=1) > 1e-8
    if loose.any():
        found.append(_undetermined(problem, loose))
    return tuple(found)


def _plugged_in(engine: LeastSquares, name: str, value: float) -> str:
    how = f"{name} = {value:.4g} by {engine.tau} is plugged in as if it were known"
    return f"{how}: intervals leave its uncertainty out.{'' if value else f' {BOUNDARY}'}"


def _undetermined(problem: Problem, loose: NDArray[np.bool_]) -> str:
    names = [name for name, open_ in zip(problem.parameters.names, loose, strict=True) if open_]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return (
        f"No trials, directly or together, determine {', '.join(names[:5])}{more}: what depends on "
        "them is left empty, and nothing can be drawn."
    )


def _draw(engine: LeastSquares, problem: Problem, solved: _Solved) -> xr.Dataset:
    """Return draws from the sampling distribution of the estimates."""
    from scipy.special import chdtri, ndtri

    if solved.parts.unknown.shape[1]:
        loose = np.linalg.norm(solved.parts.unknown, axis=1) > 1e-8
        message = (
            f"{_undetermined(problem, loose)} nma.effect_table and nma.p_scores answer about what "
            "is determined; an engine with priors draws them all."
        )
        raise EngineError(message)
    parameters, tailed = len(solved.mean), engine.knapp_hartung
    shape = {"chains": engine.chains, "draws": engine.draws, "seed": engine.seed}
    uniforms = sobol(parameters + tailed, **shape)
    normal = ndtri(uniforms[..., :parameters])
    if tailed:
        normal *= np.sqrt(solved.df / chdtri(solved.df, uniforms[..., parameters:]))
    beta = solved.mean + normal @ solved.factor.T
    every = beta.shape[:2]
    scales: Mapping[str, NDArray[np.float64]] = {
        name: np.full(every, value) for name, value in solved.scales.items()
    }
    return dataset(problem, scales, beta)
