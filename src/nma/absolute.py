"""Absolute effects: the outcome under each treatment, given what one of them leads to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd

from nma.errors import ModelError, shortened, shown
from nma.estimates import (
    attributes,
    briefly,
    captioned,
    exact,
    interval_words,
    require_level,
    sampled,
)
from nma.new_trial import generator
from nma.points import KNOWN_SD, PointScale, beyond, is_number, notices_on, point_scale
from nma.priors import Normal
from nma.tables import Table, decimals

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from nma.instruments import Instrument
    from nma.posterior import Posterior
    from nma.protocols import Better

__all__ = ["absolute_effects", "absolute_table"]


@final
@dataclass(frozen=True)
class _Baseline:
    """Level of the reference treatment (its sd zero where it is known), and points per effect.

    The scale is None where no instrument is named.
    """

    mean: float
    sd: float
    points: float
    scale: PointScale | None


def absolute_effects(
    posterior: Posterior,
    *,
    reference_level: float | Normal,
    instrument: Instrument | str | None = None,
    reference_sd: float | None = None,
    seed: int = 0,
) -> xr.DataArray:
    r"""Return draws of the mean outcome under each treatment, for continuous outcomes.

    .. math:: \mu_k = \mu_0 + s \, d_{k0}

    where :math:`\mu_0` is the level of the reference treatment, ``posterior.comparator``, and s is
    1 for mean differences and the reference standard deviation for standardised ones, negative
    where the instrument's direction is not that of the outcome.

    Parameters
    ----------
    posterior : Posterior
        A fitted model of mean differences (MD) or standardised mean differences (SMD).
    reference_level : float or Normal
        Mean outcome under the reference treatment, in points of the outcome's scale, or of the
        instrument: a known number, or a normal distribution that is independent of the effects.
    instrument : Instrument or str, optional
        Whose points, for SMD; as in ``in_points``. Without it the scale has the outcome's
        direction.
    reference_sd : float, optional
        Points that one SMD stands for: the standard deviation between people, at baseline in a
        large trial of the patients you have in mind, or pooled over trials at follow-up; not of
        changes. Needed for SMD without an instrument; with one, the trials' own if not given.
        Refused for MD.
    seed : int, default 0
        The same seed gives the same levels, where the level is a distribution.

    Returns
    -------
    DataArray, (chain, draw, treatment)
        In points.

    Raises
    ------
    ModelError
        If the measure is not MD or SMD, a number is missing or makes no sense, nothing tells the
        instrument's standard deviation, or the structure gives no level outside a trial.

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

    base = _baseline(posterior, reference_level, instrument, reference_sd)
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
        attrs=attributes(posterior)
        | {
            "measure": "mean outcome",
            "reference": posterior.comparator,
            "reference_level": base.mean,
            "reference_level_sd": base.sd,
            "points": base.points,
            "better": _better(posterior, base),
            "seed": seed,
        }
        | ({} if base.scale is None else {"instrument": str(base.scale.instrument)}),
    )


def absolute_table(
    posterior: Posterior,
    *,
    reference_level: float | Normal,
    instrument: Instrument | str | None = None,
    reference_sd: float | None = None,
    level: float = 0.95,
) -> Table:
    """Return the mean outcome under each treatment as numbers.

    Parameters
    ----------
    posterior : Posterior
        A fitted model of mean differences (MD) or standardised mean differences (SMD).
    reference_level : float or Normal
        Mean outcome under the reference treatment, in points of the outcome's scale, or of the
        instrument.
    instrument : Instrument or str, optional
        Whose points, for SMD; as in ``in_points``: the sign is turned where its direction is not
        the outcome's. Without it the scale has the outcome's direction.
    reference_sd : float, optional
        Points that one SMD stands for: the standard deviation between people, at baseline in a
        large trial of the patients you have in mind, or pooled over trials at follow-up; not of
        changes. Needed for SMD without an instrument; with one, the trials' own if not given.
        Refused for MD.
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
    base = _baseline(posterior, reference_level, instrument, reference_sd)
    better, moments = _better(posterior, base), posterior.draws.moments
    if moments is not None and (np.isinf(moments.df) or not base.sd):
        d = moments.of(_against_reference(posterior))
        points = d.times(base.points)
        found = exact(points.plus(np.full(d.sds.shape, base.sd**2)), level, better)
    else:
        drawn = absolute_effects(
            posterior,
            reference_level=reference_level,
            instrument=instrument,
            reference_sd=reference_sd,
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
        notes=_notes(posterior, base, cells["mean"].tolist()),
    )


def _against_reference(posterior: Posterior) -> NDArray[np.float64]:
    """Return every level minus that of the reference treatment, (treatment, parameter)."""
    levels = posterior.levels
    return np.asarray(levels - levels[posterior.position(posterior.comparator)])


def _baseline(posterior: Posterior, level: Any, instrument: Any, sd: Any) -> _Baseline:
    """Return the user's level and points, or say what is wrong with them."""
    _require_suited(posterior, instrument, sd)
    scale = None if instrument is None else point_scale(posterior, instrument, sd)
    points = _points(posterior, sd) if scale is None else scale.factor
    if isinstance(level, Normal):
        return _Baseline(level.mean, level.sd, points, scale)
    if not is_number(level):
        message = (
            f"reference_level={level!r} is not a level: write the mean outcome under "
            f"{posterior.comparator!r} as a number, such as 50, or as nma.priors.Normal(50, 3)."
        )
        raise ModelError(message)
    return _Baseline(float(level), 0.0, points, scale)


def _require_suited(posterior: Posterior, instrument: Any, sd: Any) -> None:
    """Refuse measures without a level in points, and for MD what is for SMD."""
    measure = posterior.network.measure
    if measure not in {"MD", "SMD"}:
        raise ModelError(_unsuited(posterior))
    for name, value in (("instrument", instrument), ("reference_sd", sd)):
        if measure == "MD" and value is not None:
            message = f"{name}={shown(value)} is for SMD: these effects are MD, in points already."
            raise ModelError(message)


def _points(posterior: Posterior, sd: Any) -> float:
    """Return the points that an effect of one stands for, where no instrument is named."""
    if posterior.network.measure == "MD":
        return 1.0
    if not is_number(sd) or sd <= 0:
        said = "`reference_sd` is missing" if sd is None else f"reference_sd={sd!r} is no sd"
        message = (
            f"{said}: one SMD must be worth some points, such as reference_sd=22 on a scale of "
            "0 to 100. Take the standard deviation between people, at baseline in a large trial "
            "of the patients you have in mind or pooled over trials at follow-up, not that of "
            "changes; or name the scale, instrument='NRS', for the SD its trials tell."
        )
        raise ModelError(message)
    return float(sd)


def _unsuited(posterior: Posterior) -> str:
    measure = posterior.network.measure
    needed = "MD, in points, or SMD"
    if posterior.network.ratio or measure == "RD":
        needed = "MD or SMD; others need a baseline risk, rate or mean, which this version lacks"
    return (
        f"Absolute effects are not available for {measure}: the measure must be {needed}. "
        "nma.effect_table has the relative effects."
    )


def _better(posterior: Posterior, base: _Baseline) -> Better:
    """Return which direction is better in the points that are printed."""
    return posterior.network.better if base.scale is None else base.scale.instrument.better


def _caption(posterior: Posterior, base: _Baseline, level: float) -> str:
    better = _better(posterior, base)
    scale, end = "points of the outcome", f"{better} is better"
    if base.scale is not None:
        reference = base.scale.reference
        worth = f"1 SMD = {reference.value:.4g} points, the SD {reference.origin}"
        scale = f"points of {reference.instrument.name} ({worth})"
    elif posterior.network.measure == "SMD":
        scale = f"points of a scale on which {better} is better (1 SMD = {base.points:g} points)"
        end = "for a scale of the other direction give instrument="
    spread = f" (sd {base.sd:g})" if base.sd else ""
    return (
        f"Mean outcome under each treatment in {scale}, where {shortened(posterior.comparator)} "
        f"leads to {base.mean:g}{spread}, with {interval_words(posterior, level)}s; {end}."
    )


def _notes(posterior: Posterior, base: _Baseline, means: list[float]) -> list[str]:
    name = shortened(posterior.comparator)
    known = f"The level of {name} is taken as known: give a Normal if it is not."
    if base.sd:
        known = f"The level of {name} is taken as independent of the effects."
    if base.scale is not None:
        outside = beyond(posterior.treatments, means, base.scale.instrument)
        notices = notices_on(posterior, base.scale.instrument)
        return [known, *outside, *base.scale.notes, *notices]
    smd = posterior.network.measure == "SMD"
    return [known, *([KNOWN_SD] if smd else []), *briefly(posterior)]
