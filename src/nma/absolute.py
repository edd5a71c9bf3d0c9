"""Absolute effects: the outcome under each treatment, given what one of them leads to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from nma.baselines import Baseline, against_reference, baseline, leads_to, meant, standing
from nma.estimates import (
    Estimates,
    attributes,
    briefly,
    captioned,
    exact,
    exact_through,
    interval_words,
    is_credible,
    located,
    require_level,
    sampled,
)
from nma.points import KNOWN_SD, beyond, notices_on
from nma.posterior import require_posterior
from nma.tables import Table, decimals

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from nma.instruments import Instrument
    from nma.mixtures import Mixture, Moments
    from nma.posterior import Posterior
    from nma.priors import Normal
    from nma.protocols import Better

__all__ = ["absolute_effects", "absolute_table"]


def absolute_effects(
    posterior: Posterior,
    *,
    reference_level: float | Normal | Literal["network"],
    instrument: Instrument | str | None = None,
    reference_sd: float | None = None,
    seed: int = 0,
) -> xr.DataArray:
    r"""Return draws of the outcome under each treatment: a probability, a rate or a mean.

    .. math:: \mu_k = g^{-1}(g(\mu_0) + s \, d_{k0})

    where :math:`\mu_0` is the level of the reference treatment, ``posterior.comparator``, and g the
    link of the measure: the logit for OR, the complementary log-log for HR, the logarithm for RR,
    IRR and ROM, nothing for MD, SMD and RD. s is 1 but for SMD, of which it is the reference
    standard deviation, negative where the instrument's direction is not that of the outcome.
    Ordered categories lead to the probability of a category or a higher one, the same whichever
    category's is stated: by the logit for OR, and by the probit, with s = 1, for SMD.

    Parameters
    ----------
    posterior : Posterior
        A fitted model of MD, SMD, ROM, OR, RR, RD, HR or IRR.
    reference_level : float, Normal or "network"
        What the reference treatment leads to. A known number on the outcome's own scale: a
        probability strictly between 0 and 1, a rate or mean above zero, points for MD and SMD.
        Or a normal distribution, independent of the effects, *on the scale of the model*: log odds
        for OR, log(-log(1 - p)) for HR, log p for RR, log rate, log mean; points or a risk for
        MD, SMD and RD. Or the network's own, where trials report their arms: the mean over those
        with the treatment, each counting once, of its linear predictor without random effects,
        :math:`m_i + (z_0 - \bar z_i)'\beta`. The spread between trials is not in it. For SMD the
        trials must be standardised by ``reference_sd``, and those on ``instrument`` tell it.
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
        On the outcome's own scale. For HR a stated risk is by any time you like, and so are the
        others; the network's own is in one unit of the trials' follow-up. RR and RD can lead to
        values that are no probabilities; they stay, and ``attrs["beyond"]`` names the treatments.

    Raises
    ------
    ModelError
        If the measure is one of your own, a number is missing or makes no sense, nothing tells the
        instrument's standard deviation or the network's own level, or the structure gives no level
        outside a trial.

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
    require_posterior(posterior, "absolute_effects")
    import xarray as xr

    base = baseline(posterior, reference_level, instrument, reference_sd)
    beta = posterior.draws.values["beta"]
    level = base.draws(beta.shape[:2], seed)
    effects = base.points * (beta.to_numpy() @ against_reference(posterior).T)
    absolute = base.inverse(level[..., None] + effects)
    return xr.DataArray(
        absolute,
        dims=("chain", "draw", "treatment"),
        coords={
            "chain": beta["chain"],
            "draw": beta["draw"],
            "treatment": list(posterior.treatments),
        },
        name="absolute effect",
        attrs=attributes(posterior)
        | _facts(posterior, base, seed)
        | _impossible_draws(posterior, base, absolute),
    )


def absolute_table(
    posterior: Posterior,
    *,
    reference_level: float | Normal | Literal["network"],
    instrument: Instrument | str | None = None,
    reference_sd: float | None = None,
    level: float = 0.95,
) -> Table:
    """Return the outcome under each treatment as numbers: a probability, a rate or a mean.

    Parameters
    ----------
    posterior : Posterior
        A fitted model of MD, SMD, ROM, OR, RR, RD, HR or IRR.
    reference_level : float, Normal or "network"
        What the reference treatment leads to, as in ``absolute_effects``: a number on the outcome's
        own scale, a normal distribution on the scale of the model, or the network's own.
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
        By treatment, on the outcome's own scale: ``mean``, ``sd``, ``lower``, ``upper``, and the
        Monte Carlo standard error of the mean, ``mcse``, which is zero where the posterior is
        exact. Where the link is not the identity also the ``median``; of a least-squares fit the
        mean is then that at the estimate, and sd its standard error by the delta method.

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
    >>> posterior = nma.fit(nma.datasets.network("smoking").as_normal())
    >>> table = nma.absolute_table(posterior, reference_level=0.06)
    >>> print(*table.loc["individual counselling", ["mean", "lower", "upper"]].round(3))
    0.117 0.081 0.167

    References
    ----------
    NICE DSU TSD 2 (Dias et al. 2011), section 6, on absolute effects from a baseline of their own.
    """
    require_posterior(posterior, "absolute_table")
    require_level(level)
    base = baseline(posterior, reference_level, instrument, reference_sd)
    found = _estimates(posterior, base, level)
    median = {} if base.link.linear else {"median": found.median}
    cells = {"mean": found.mean, "sd": found.sd, **median}
    cells |= {"lower": found.lower, "upper": found.upper, "mcse": found.mcse}
    digits = decimals(found.sd[np.isfinite(found.sd)])
    return Table(
        cells,
        index=pd.Index(posterior.treatments, name="treatment"),
        digits=dict.fromkeys(cells, digits) | {"mcse": digits + 2},
        caption=captioned(posterior, located(posterior, _caption(posterior, base, level))),
        notes=_notes(posterior, base, found),
    )


def _estimates(posterior: Posterior, base: Baseline, level: float) -> Estimates:
    """Return the estimates of the outcome under each treatment, exact where they can be."""
    better, moments = _better(posterior, base), posterior.draws.moments
    if moments is None or _is_drawn(posterior, base):
        return _sampled(posterior, base, level)
    eta = _predictor(posterior, base, moments)
    if not base.link.linear:
        credible = is_credible(posterior)
        return exact_through(eta, base.inverse, level, better, credible=credible)
    return _raised(exact(eta, level, better), base.mean)


def _predictor(posterior: Posterior, base: Baseline, moments: Moments) -> Mixture:
    """Return the exact posterior of every level on the scale of the model, minus the stated one."""
    if base.own is not None:
        return base.own.mixture(base.points * against_reference(posterior))
    d = moments.of(against_reference(posterior)).times(base.points)
    return d.plus(np.full(d.sds.shape, base.sd**2))


def _is_drawn(posterior: Posterior, base: Baseline) -> bool:
    """Return whether nothing but draws can answer: a normal plus a t has no closed form."""
    moments = posterior.draws.moments
    if base.own is not None:
        return not base.own.is_exact
    return moments is None or bool(base.sd > 0 and np.isfinite(moments.df))


def _sampled(posterior: Posterior, base: Baseline, level: float) -> Estimates:
    """Return the estimates of draws, about the level where they are sums."""
    beta = posterior.draws.values["beta"].to_numpy()
    eta = base.points * (beta @ against_reference(posterior).T)
    eta = eta + base.draws(beta.shape[:2], 0)[..., None]
    if base.link.linear:
        return _raised(sampled(eta, level, _better(posterior, base)), base.mean)
    return sampled(base.inverse(eta), level, _better(posterior, base))


def _raised(found: Estimates, by: float) -> Estimates:
    moved = {name: by + getattr(found, name) for name in ("mean", "median", "lower", "upper")}
    return replace(found, **moved)


def _facts(posterior: Posterior, base: Baseline, seed: int) -> dict[str, Any]:
    """Return what draws must carry beside the direction."""
    facts: dict[str, Any] = {
        "measure": "mean outcome" if base.link.level == "mean" else base.link.level,
        "reference": posterior.comparator,
    }
    if base.own is not None:
        facts["reference_level"] = "network"
    elif base.stated is not None:
        facts |= {"reference_level": base.stated, "reference_level_sd": 0.0}
    else:
        facts |= {"reference_level": base.mean, "reference_level_sd": base.sd}
    if not base.link.linear:
        facts["reference_level_scale"] = base.link.level if base.stated else base.link.scale
    facts |= {"points": base.points, "better": _better(posterior, base), "seed": seed}
    return facts | ({} if base.scale is None else {"instrument": str(base.scale.instrument)})


def _better(posterior: Posterior, base: Baseline) -> Better:
    """Return which direction is better in the points that are printed."""
    return posterior.network.better if base.scale is None else base.scale.instrument.better


def _caption(posterior: Posterior, base: Baseline, level: float) -> str:
    better = _better(posterior, base)
    what, end = f"{base.link.level.capitalize()} of {base.link.of}", f"{better} is better"
    if base.link.level == "mean":
        what = "Mean outcome"
    scale = " in points of the outcome" if posterior.network.measure == "MD" else ""
    if base.scale is not None:
        reference = base.scale.reference
        worth = f"1 SMD = {reference.value:.4g} points, the SD {reference.origin}"
        scale = f" in points of {reference.instrument.name} ({worth})"
    elif base.link.in_sds:
        worth = f"1 SMD = {base.points:g} points"
        scale = f" in points of a scale on which {better} is better ({worth})"
        end = "for a scale of the other direction give instrument="
    return (
        f"{what} under each treatment{scale}, where {leads_to(posterior, base)}, with "
        f"{interval_words(posterior, level)}s; {end}."
    )


def _notes(posterior: Posterior, base: Baseline, found: Estimates) -> list[str]:
    known = standing(posterior, base)
    if base.scale is not None:
        outside = beyond(posterior.treatments, found.mean.tolist(), base.scale.instrument)
        notices = notices_on(posterior, base.scale.instrument)
        return [known, *outside, *base.scale.notes, *notices]
    said = [*meant(posterior, base), *_value_notes(base, found)]
    said = [KNOWN_SD] if base.link.in_sds else said
    impossible = _impossible(posterior, base, found)
    return [known, *said, *impossible, *_unposterior(posterior, base), *briefly(posterior)]


def _value_notes(base: Baseline, found: Estimates) -> list[str]:
    if base.link.linear or np.isfinite(found.sd[~np.isnan(found.mean)]).all():
        return []
    return ["Some levels are so little known that mean or sd overflow: read the median."]


def _impossible(posterior: Posterior, base: Baseline, found: Estimates) -> list[str]:
    """Return a warning where probabilities, or the ends of their intervals, cannot be."""
    if base.link.bounded:
        return []
    low, high = np.minimum(found.lower, found.mean), np.maximum(found.upper, found.mean)
    outside = _named(posterior, (low < 0) | (high > 1))
    if not outside:
        return []
    warning = (
        f"Beyond what a probability can be: {', '.join(outside)}. {posterior.network.measure} lets "
        "probabilities leave 0 to 1, and nothing was cut off; OR does not."
    )
    return [warning]


def _named(posterior: Posterior, which: Any) -> list[str]:
    return [name for name, chosen in zip(posterior.treatments, which, strict=True) if chosen]


def _impossible_draws(
    posterior: Posterior, base: Baseline, absolute: NDArray[np.float64]
) -> dict[str, Any]:
    """Return the treatments with draws that are no probabilities, where there are any."""
    if base.link.bounded:
        return {}
    names = _named(posterior, ((absolute < 0) | (absolute > 1)).any(axis=(0, 1)))
    return {"beyond": names} if names else {}


def _unposterior(posterior: Posterior, base: Baseline) -> list[str]:
    if is_credible(posterior) or base.link.linear or _is_drawn(posterior, base):
        return []
    return [
        "No posterior: mean is that at the estimate, sd its standard error by the delta method."
    ]
