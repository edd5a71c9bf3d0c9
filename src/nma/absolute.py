"""Absolute effects: the outcome under each treatment, given what one of them leads to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd

from nma.errors import ModelError, shortened
from nma.estimates import captioned, exact, interval_name, require_level, sampled
from nma.new_trial import generator
from nma.priors import Normal
from nma.tables import Table, decimals

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from nma.posterior import Posterior

__all__ = ["absolute_effects", "absolute_table"]


@final
@dataclass(frozen=True)
class _Baseline:
    """Level of the reference treatment (its sd zero where it is known), and points per effect."""

    mean: float
    sd: float
    points: float


def absolute_effects(
    posterior: Posterior,
    *,
    reference_level: float | Normal,
    reference_sd: float | None = None,
    seed: int = 0,
) -> xr.DataArray:
    r"""Return draws of the mean outcome under each treatment, for continuous outcomes.

    .. math:: \mu_k = \mu_0 + s \, d_{k0}

    where :math:`\mu_0` is the level of the reference treatment, ``posterior.comparator``, and s is
    1 for mean differences and the reference standard deviation for standardised ones.

    Parameters
    ----------
    posterior : Posterior
        A fitted model of mean differences (MD) or standardised mean differences (SMD).
    reference_level : float or Normal
        Mean outcome under the reference treatment, in points of the outcome's scale: a known
        number, or a normal distribution that is independent of the effects.
    reference_sd : float, optional
        Points that one SMD stands for: the standard deviation of the outcome between people.
        Needed for SMD, refused for MD.
    seed : int, default 0
        The same seed gives the same levels, where the level is a distribution.

    Returns
    -------
    DataArray, (chain, draw, treatment)
        In points.

    Raises
    ------
    ModelError
        If the measure is not MD or SMD, a number is missing or makes no sense, or the structure
        gives no level outside a trial.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> points = nma.absolute_effects(posterior, reference_level=5)
    >>> points.dims, float(points.sel(treatment="passive control").mean())
    (('chain', 'draw', 'treatment'), 5.0)

    References
    ----------
    NICE DSU TSD 2 (Dias et al. 2011), section 6, on absolute effects from a baseline of their own.
    """
    import xarray as xr

    base = _baseline(posterior, reference_level, reference_sd)
    rng = generator(seed, purpose=2)
    beta = posterior.draws.values["beta"]
    level = base.mean + base.sd * rng.standard_normal(beta.shape[:2])
    return xr.DataArray(
        level[..., None] + base.points * (beta.to_numpy() @ _against_reference(posterior).T),
        dims=("chain", "draw", "treatment"),
        coords={
            "chain": beta["chain"],
            "draw": beta["draw"],
            "treatment": list(posterior.treatments),
        },
        name="absolute effect",
        attrs={
            "reference": posterior.comparator,
            "reference_level": base.mean,
            "reference_level_sd": base.sd,
            "points": base.points,
            "better": posterior.network.better,
            "seed": seed,
        },
    )


def absolute_table(
    posterior: Posterior,
    *,
    reference_level: float | Normal,
    reference_sd: float | None = None,
    level: float = 0.95,
) -> Table:
    """Return the mean outcome under each treatment as numbers.

    Parameters
    ----------
    posterior : Posterior
        A fitted model of mean differences (MD) or standardised mean differences (SMD).
    reference_level : float or Normal
        Mean outcome under the reference treatment, in points of the outcome's scale.
    reference_sd : float, optional
        Points that one SMD stands for; needed for SMD, refused for MD.
    level : float, default 0.95
        Probability of the equal-tailed credible interval.

    Returns
    -------
    Table
        By treatment, in points: ``mean``, ``sd``, ``lower``, ``upper``, and the Monte Carlo
        standard error of the mean, ``mcse``, which is zero where the posterior is exact.

    Raises
    ------
    ModelError
        As ``absolute_effects``, or if the level is not between 0 and 1.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> table = nma.absolute_table(posterior, reference_level=nma.priors.Normal(5, 0.2))
    >>> print(*table.loc["multimodal care", ["mean", "lower", "upper"]].round(2))
    3.28 2.35 4.19
    """
    require_level(level)
    base = _baseline(posterior, reference_level, reference_sd)
    better, moments = posterior.network.better, posterior.draws.moments
    if moments is not None and (np.isinf(moments.df) or not base.sd):
        d = moments.of(_against_reference(posterior))
        points = d.times(base.points)
        found = exact(points.plus(np.full(d.sds.shape, base.sd**2)), level, better)
    else:
        drawn = absolute_effects(
            posterior, reference_level=reference_level, reference_sd=reference_sd
        )
        found = sampled(drawn.to_numpy() - base.mean, level, better)
    cells = {
        "mean": base.mean + found.mean,
        "sd": found.sd,
        "lower": base.mean + found.lower,
        "upper": base.mean + found.upper,
        "mcse": found.mcse,
    }
    digits = decimals(found.sd)
    return Table(
        cells,
        index=pd.Index(posterior.treatments, name="treatment"),
        digits=dict.fromkeys(cells, digits) | {"mcse": digits + 2},
        caption=captioned(posterior, _caption(posterior, base, level)),
        notes=[_note(posterior, base)],
    )


def _against_reference(posterior: Posterior) -> NDArray[np.float64]:
    """Return every level minus that of the reference treatment, (treatment, parameter)."""
    levels = posterior.levels
    return np.asarray(levels - levels[posterior.position(posterior.comparator)])


def _baseline(posterior: Posterior, level: Any, points: Any) -> _Baseline:
    """Return the user's level and points, or say what is wrong with them."""
    scale = _points(posterior, points)
    if isinstance(level, Normal):
        return _Baseline(level.mean, level.sd, scale)
    if not _is_number(level):
        message = (
            f"reference_level={level!r} is not a level: write the mean outcome under "
            f"{posterior.comparator!r} as a number, such as 50, or as nma.priors.Normal(50, 3)."
        )
        raise ModelError(message)
    return _Baseline(float(level), 0.0, scale)


def _points(posterior: Posterior, points: Any) -> float:
    """Return the points that an effect of one stands for."""
    measure = posterior.network.measure
    if measure not in {"MD", "SMD"}:
        raise ModelError(_unsuited(posterior))
    if measure == "MD":
        if points is None:
            return 1.0
        message = f"reference_sd={points!r} is for SMD: these effects are MD, in points already."
        raise ModelError(message)
    if not _is_number(points) or points <= 0:
        said = (
            "`reference_sd` is missing" if points is None else f"reference_sd={points!r} is no sd"
        )
        message = (
            f"{said}: one SMD must be worth some points, such as reference_sd=22 on a scale of "
            "0 to 100. Take the standard deviation between people at baseline in a study whose "
            "scale and patients are those you have in mind."
        )
        raise ModelError(message)
    return float(points)


def _unsuited(posterior: Posterior) -> str:
    measure = posterior.network.measure
    needed = "MD, in points, or SMD"
    if posterior.network.ratio or measure == "RD":
        needed = "MD or SMD; others need a baseline risk, rate or mean, which this version lacks"
    return (
        f"Absolute effects are not available for {measure}: the measure must be {needed}. "
        "nma.effect_table has the relative effects."
    )


def _is_number(value: Any) -> bool:
    real = isinstance(value, int | float | np.integer | np.floating)
    return real and not isinstance(value, bool) and math.isfinite(value)


def _caption(posterior: Posterior, base: _Baseline, level: float) -> str:
    standardised = posterior.network.measure == "SMD"
    scale = f"points (1 SMD = {base.points:g} points)" if standardised else "points of the outcome"
    spread = f" (sd {base.sd:g})" if base.sd else ""
    return (
        f"Mean outcome under each treatment in {scale}, where {shortened(posterior.comparator)} "
        f"leads to {base.mean:g}{spread}, with {interval_name(posterior, level)}s; "
        f"{posterior.network.better} is better."
    )


def _note(posterior: Posterior, base: _Baseline) -> str:
    name = shortened(posterior.comparator)
    if base.sd:
        return f"The level of {name} is taken as independent of the effects."
    return f"The level of {name} is taken as known: give a Normal if it is not."
