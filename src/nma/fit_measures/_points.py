"""Data points: their residual deviance, and what they are called on the user's rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np
import pandas as pd

from nma.fit_measures._values import Values, misfit, strata
from nma.problem import Arms, Contrasts, arm_parts
from nma.threads import one_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior
    from nma.problem import Evidence

__all__ = ["PlugIn", "Points", "labelled", "points"]

PlugIn = Literal["fitted", "linear predictor"]
"""Where the deviance is taken once: at the mean of fitted values, or of linear predictors."""

Averages = dict[str, Any]
"""Posterior means over a stratum, by name: (point,), (trial, row), ..."""


@final
@dataclass(frozen=True, eq=False)
class Points:
    """The data points, on the user's rows, and their deviance.

    Parameters
    ----------
    labels : DataFrame
        study, treatment, rows and points of each.
    observed, fitted : array, (point,)
        NaN for several correlated contrasts taken together, and for arms of several numbers.
    deviance : array, (chain, point)
        Posterior mean, in each stratum.
    leverage : array, (point,)
        Its excess over the deviance at the posterior mean.
    chains : array, (chain,)
        The leverage of all, in each stratum.
    """

    labels: pd.DataFrame
    observed: NDArray[np.float64]
    fitted: NDArray[np.float64]
    deviance: NDArray[np.float64]
    leverage: NDArray[np.float64]
    chains: NDArray[np.float64]


def points(posterior: Posterior, plug_in: PlugIn) -> Points:
    """Return the data points of a posterior, in the order of the network's arms."""
    chains = _averages(posterior)
    suffixes = arm_parts(posterior.problem)
    parts = [
        _part(posterior, part, [chain[k] for chain in chains], plug_in, is_arms=k in suffixes)
        for k, part in enumerate(posterior.problem.evidence)
    ]
    labels = pd.concat([part.labels for part in parts], ignore_index=True)
    order = np.argsort(labels.pop("position").to_numpy(), kind="stable")
    join = {
        name: np.concatenate([getattr(part, name) for part in parts], axis=-1)[..., order]
        for name in ("observed", "fitted", "deviance", "leverage")
    }
    total = np.sum([part.chains for part in parts], axis=0)
    return Points(labels=labels.iloc[order].reset_index(drop=True), chains=total, **join)


def _averages(posterior: Posterior) -> list[list[Averages]]:
    """Return posterior means by stratum and part."""
    found: dict[int, list[Averages]] = {}
    suffixes = arm_parts(posterior.problem)
    parts = posterior.problem.evidence
    with one_thread():
        for values in strata(posterior):
            told = [_told(values, part, suffixes.get(k, "")) for k, part in enumerate(parts)]
            for chain in np.unique(values.chain).tolist():
                weight = np.where(values.chain == chain, values.weight, 0.0)
                sums = found.setdefault(chain, [{} for _ in parts])
                for sum_, here in zip(sums, told, strict=True):
                    for name, each in here.items():
                        sum_[name] = sum_.get(name, 0.0) + np.tensordot(weight, each, axes=1)
    return list(found.values())


def _told(values: Values, part: Evidence, suffix: str) -> Averages:
    """Return the deviance of the data points of a part, and what plug-ins are taken at."""
    return _of_arms(values, part, suffix) if isinstance(part, Arms) else _of_normal(values, part)


def _of_arms(values: Values, part: Arms, suffix: str) -> Averages:
    auxiliary = values.auxiliary(part, suffix)
    if not values.keeps(part, suffix):
        told = values.expectations(part, suffix)
        return told if auxiliary is None else {**told, "auxiliary": auxiliary}
    eta = values.predictor(part, suffix)
    fitted = part.fitted(eta, auxiliary, part.data, np)
    told = {"fitted": fitted, "eta": eta, "deviance": part.deviance(fitted, part.data, np)}
    return told if auxiliary is None else {**told, "auxiliary": auxiliary}


def _of_normal(values: Values, part: Contrasts) -> Averages:
    mean, covariance = misfit(values, part)
    if part.reported is None:
        inverse = np.linalg.inv(part.V)
        spread = np.einsum("tjk,vtkj->vt", inverse, covariance)
        return {"residual": mean, "deviance": _quadratic(inverse, mean) + spread}
    turn, weight = _centred(part)
    error = np.einsum("tak,vtk->vta", turn, mean)
    spread = np.einsum("taj,vtjk,tak->vta", turn, covariance, turn)
    spread += 1 / weight.sum(axis=1, keepdims=True)
    return {"residual": mean, "deviance": (weight * (error**2 + spread)).reshape(len(mean), -1)}


def _quadratic(inverse: Any, residual: Any) -> Any:
    return np.einsum("...tj,tjk,...tk->...t", residual, inverse, residual)


def _centred(part: Contrasts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Return what turns a trial's residuals into those of its arms, and the arms' precisions.

    Under a flat trial level the error of arm k is
    :math:`e_k = \rho_k - \sum w \rho / \sum w + \epsilon` with
    :math:`\mathrm{Var}\,\epsilon = 1/\sum w`, where the first arm has :math:`\rho = 0`.

    Returns
    -------
    turn : array, (trial, arm, row)
    weight : array, (trial, arm)
    """
    assert part.reported is not None  # noqa: S101  asked by the caller
    weight = 1 / part.reported[1]
    arms = weight.shape[1]
    share = weight / weight.sum(axis=1, keepdims=True)
    return np.eye(arms)[:, 1:] - share[:, None, 1:], weight


def _part(
    posterior: Posterior, part: Evidence, chains: list[Averages], plug_in: PlugIn, *, is_arms: bool
) -> Points:
    whole = {name: np.mean([chain[name] for chain in chains], axis=0) for name in chains[0]}
    at = [_at_mean(part, told, plug_in) for told in (whole, *chains)]
    deviance = np.stack([chain["deviance"] for chain in chains])
    observed, fitted = _seen(part, whole)
    return Points(
        labels=labelled(posterior, part, by_arm=is_arms or _reports_arms(part)),
        observed=observed,
        fitted=fitted,
        deviance=deviance,
        leverage=deviance.mean(axis=0) - at[0],
        chains=deviance.sum(axis=1) - np.sum(at[1:], axis=1),
    )


def _reports_arms(part: Any) -> bool:
    return getattr(part, "reported", None) is not None


def _at_mean(part: Evidence, told: Averages, plug_in: PlugIn) -> Any:
    """Return the deviance of every data point at a posterior mean."""
    if isinstance(part, Arms):
        fitted = told["fitted"]
        if plug_in == "linear predictor":
            fitted = part.fitted(told["eta"], told.get("auxiliary"), part.data, np)
        return part.deviance(fitted, part.data, np)
    if part.reported is None:
        return _quadratic(np.linalg.inv(part.V), told["residual"])
    turn, weight = _centred(part)
    return (weight * np.einsum("tak,tk->ta", turn, told["residual"]) ** 2).ravel()


def _seen(part: Evidence, told: Averages) -> tuple[Any, Any]:
    """Return what was observed and what is fitted, NaN where a line has several numbers."""
    if isinstance(part, Arms):
        nothing = np.full(len(part.arms), np.nan)
        observed = nothing if part.observed is None else part.observed(part.data)
        seen, fitted = (x if np.ndim(x) == 1 else nothing for x in (observed, told["fitted"]))
        return seen, fitted
    if part.reported is not None:
        error = np.einsum("tak,tk->ta", _centred(part)[0], told["residual"])
        return part.reported[0].ravel(), (part.reported[0] - error).ravel()
    alone = part.y[:, 0] if part.y.shape[1] == 1 else np.full(len(part.y), np.nan)
    return alone, alone - told["residual"][:, 0]


def labelled(posterior: Posterior, part: Evidence, *, by_arm: bool) -> pd.DataFrame:
    """Return study, treatment, the user's rows and data points of each line of a part.

    Parameters
    ----------
    by_arm : bool
        A line for each arm; else one for each trial.
    """
    arms = posterior.problem.arms
    treatment, study = arms["treatment"].to_numpy(), arms["study"].to_numpy()
    if by_arm:
        place = np.ravel(part.arms)
        named, sizes = list(treatment[place]), _sizes(part)
        lines = [[int(k)] for k in place]
    else:
        lines = [[int(k) for k in trial] for trial in part.arms]
        named, sizes = [_named(treatment[line]) for line in lines], [len(x) - 1 for x in lines]
    rows = _rows(posterior)
    first = [min(line) for line in lines]
    return pd.DataFrame(
        {
            "study": study[first],
            "treatment": named,
            "rows": [", ".join(map(str, sorted(set().union(*map(rows.get, x))))) for x in lines],  # type: ignore[arg-type]
            "points": sizes,
            "position": first,
        }
    )


def _sizes(part: Any) -> list[int]:
    """Return the data points of every arm of a part."""
    ask = getattr(part, "points", None)
    return [1] * np.size(part.arms) if ask is None else [int(size) for size in ask(part.data)]


def _named(treatments: NDArray[Any]) -> str:
    """Return how a trial's contrasts are called: treatment vs comparator, or all its treatments."""
    if len(treatments) == 2:
        return f"{treatments[1]} vs {treatments[0]}"
    return ", ".join(sorted(treatments))


def _rows(posterior: Posterior) -> dict[int, set[int]]:
    """Return the user's rows that tell of each arm."""
    found: dict[int, set[int]] = {}
    for source in posterior.network.sources:
        for row, sides in zip(source.rows.index.tolist(), source.arms.tolist(), strict=True):
            for arm in sides:
                found.setdefault(arm, set()).add(row)
    return found
