"""The only file that knows ArviZ: InferenceData up to 0.2x, DataTree from 1.0."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr
    from numpy.typing import NDArray

__all__ = ["convergence", "energy_fractions", "group", "tree"]


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
        For each variable ``r_hat`` (rank-normalised), ``ess_bulk`` and ``ess_tail``.

    References
    ----------
    Vehtari et al. 2021, doi:10.1214/20-BA1221.
    """
    import xarray as xr

    arviz = _arviz()
    found = {
        "r_hat": arviz.rhat(values, method="rank"),
        "ess_bulk": arviz.ess(values, method="bulk"),
        "ess_tail": arviz.ess(values, method="tail"),
    }
    joined: xr.Dataset = xr.concat(found.values(), dim="statistic")
    return joined.assign_coords(statistic=list(found))


def energy_fractions(energy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the estimated fraction of missing information of each chain, (chain,).

    References
    ----------
    Betancourt 2016, arXiv:1604.00695.
    """
    import numpy as np

    return np.asarray(_arviz().bfmi(energy))


def group(result: Any, name: str) -> xr.Dataset:
    """Return one group of an InferenceData or a DataTree as a Dataset."""
    import xarray as xr

    found = result[name]
    return found if isinstance(found, xr.Dataset) else xr.Dataset(found.to_dataset())


def tree(groups: Mapping[str, xr.Dataset]) -> Any:
    """Return groups as ArviZ's own container, whichever generation is installed."""
    import xarray as xr

    arviz = _arviz()
    if int(arviz.__version__.split(".")[0]) < 1:
        return arviz.InferenceData(**groups)
    return xr.DataTree.from_dict(dict(groups))
