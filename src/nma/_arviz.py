"""The only file that knows ArviZ: InferenceData up to 0.2x, DataTree from 1.0."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from nma.problem import Contrasts, Draws, Problem

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

__all__ = ["convergence", "energy_fractions", "exported", "group", "pareto_smoothed"]

FEWEST = 4
"""Draws in a chain below which ArviZ cannot say anything."""

FEWEST_WEIGHTS = 25
"""Draws in all below which fewer than five are in the tail, a fifth of them."""


def _arviz() -> Any:
    """Import ArviZ, which up to 0.23 announces its own future when first imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        import arviz
    return arviz


def convergence(values: xr.Dataset) -> xr.Dataset:
    """Return how well draws have mixed.

    Parameters
    ----------
    values : Dataset, (chain, draw, ...)
        Draws.

    Returns
    -------
    Dataset, (statistic, ...)
        For each variable ``r_hat`` (rank-normalised), ``ess_bulk`` and ``ess_tail``; NaN where
        there are too few draws, and R-hat with one chain.

    References
    ----------
    Vehtari et al. 2021, doi:10.1214/20-BA1221.
    """
    import xarray as xr

    arviz = _arviz()
    untold = values.isel(chain=0, draw=0, drop=True) * np.nan
    several, enough = values.sizes["chain"] > 1, values.sizes["draw"] >= FEWEST
    found = {
        "r_hat": arviz.rhat(values, method="rank") if several and enough else untold,
        "ess_bulk": arviz.ess(values, method="bulk") if enough else untold,
        "ess_tail": arviz.ess(values, method="tail") if enough else untold,
    }
    joined: xr.Dataset = xr.concat(found.values(), dim="statistic")
    return joined.assign_coords(statistic=list(found))


def energy_fractions(energy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the estimated fraction of missing information of each chain, (chain,).

    NaN where there are too few draws.

    References
    ----------
    Betancourt 2016, arXiv:1604.00695.
    """
    if energy.shape[1] < FEWEST:
        return np.full(len(energy), np.nan)
    return np.asarray(_arviz().bfmi(energy))


def pareto_smoothed(
    log_ratios: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Pareto-smoothed importance weights, which the largest ratios no longer rule.

    Parameters
    ----------
    log_ratios : array, (chain, draw, unit)
        Logarithms of importance ratios: of leave-one-out, the negative log likelihoods.

    Returns
    -------
    log_weight : array, (chain, draw, unit)
        Normalised over chains and draws.
    k : array, (unit,)
        Estimated shape of the ratios' tail; above 0.7, do not rely on the weights. Infinite where
        there are too few draws to tell, and the weights are then as they were.

    Notes
    -----
    ArviZ up to 0.23 takes log ratios; from 1.0 log likelihoods, of which it changes the sign.

    References
    ----------
    Vehtari et al. 2024, Journal of Machine Learning Research 25(72).
    """
    from scipy.special import logsumexp

    if log_ratios[..., 0].size < FEWEST_WEIGHTS:
        weight = log_ratios - logsumexp(log_ratios, axis=(0, 1))
        return weight, np.full(log_ratios.shape[-1], np.inf)
    arviz, units = _arviz(), log_ratios.shape[-1]
    flat = log_ratios.reshape(-1, units).T.copy()  # ArviZ up to 0.19 writes into what it is given
    efficiency = _efficiency(log_ratios)
    if int(arviz.__version__.split(".")[0]) < 1:
        pairs = [arviz.psislw(row, e) for row, e in zip(flat, efficiency, strict=True)]
    else:
        array_stats = import_module("arviz_stats.base").array_stats
        pairs = [array_stats.psislw(-row, e) for row, e in zip(flat, efficiency, strict=True)]
    smoothed = np.stack([np.asarray(weight) for weight, _ in pairs])
    smoothed -= logsumexp(smoothed, axis=1, keepdims=True)
    return smoothed.T.reshape(log_ratios.shape), np.array([float(k) for _, k in pairs])


def _efficiency(log_ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return effective draws of the likelihoods for each draw, at most one, (unit,)."""
    import xarray as xr

    if log_ratios.shape[1] < FEWEST:
        return np.ones(log_ratios.shape[-1])
    relative = np.exp(log_ratios.min(axis=(0, 1)) - log_ratios)
    table = xr.Dataset({"likelihood": (("chain", "draw", "unit"), relative)})
    effective = _arviz().ess(table, method="mean")["likelihood"].to_numpy()
    share = effective / log_ratios[..., 0].size
    return np.clip(np.where(np.isfinite(share), share, 1.0), 1e-3, 1.0)


def group(result: Any, name: str) -> xr.Dataset:
    """Return one group of an InferenceData or a DataTree as a Dataset."""
    import xarray as xr

    found = result[name]
    dataset: xr.Dataset = found if isinstance(found, xr.Dataset) else found.to_dataset()
    return dataset


def exported(problem: Problem, draws: Draws, attributes: Mapping[str, str]) -> Any:
    """Return draws and what they came from in ArviZ's own container.

    Parameters
    ----------
    problem : Problem
        Its evidence becomes ``observed_data``.
    draws : Draws
        ``values`` become ``posterior`` and the sampler's statistics ``sample_stats``.
    attributes : mapping of str to str
        Kept with the posterior.

    Returns
    -------
    InferenceData or DataTree
        Whichever the installed ArviZ works with.
    """
    import xarray as xr

    arviz = _arviz()
    groups = {
        "posterior": draws.values.assign_attrs(attributes),
        "sample_stats": draws.statistics,
        "observed_data": _observed(problem),
    }
    told = {name: dataset for name, dataset in groups.items() if dataset is not None}
    if int(arviz.__version__.split(".")[0]) < 1:
        return arviz.InferenceData(**told)
    return xr.DataTree.from_dict(told)


def _observed(problem: Problem) -> xr.Dataset:
    """Return the evidence as it was reported: by contrast, (contrast,), or by arm, (arm,)."""
    import xarray as xr

    arms = zip(problem.arms["study"], problem.arms["treatment"], strict=True)
    label = np.array([f"{study}: {treatment}" for study, treatment in arms], dtype=object)
    treatment = problem.arms["treatment"].to_numpy(dtype=object)
    found = []
    for number, part in enumerate(problem.evidence):
        if isinstance(part, Contrasts):
            named = label[part.arms[:, 1:]] + " vs " + treatment[part.arms[:, :1]]
            se = np.sqrt(np.diagonal(part.V, axis1=1, axis2=2))
            columns, dim, names = {"y": part.y, "se": se}, "contrast", named.ravel()
        else:
            columns, dim, names = {**part.data}, "arm", label[part.arms]
        dim = f"{dim}_{number}"
        made = {f"{name}_{number}": (dim, np.ravel(c)) for name, c in columns.items()}
        found.append(xr.Dataset(made, coords={dim: names.astype(str)}))
    return xr.merge(found)
