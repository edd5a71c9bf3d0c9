"""Heterogeneity: what was believed of every scale before the data, and what after."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nma.errors import ModelError
from nma.estimates import is_credible, require_level, scale_name
from nma.plots._canvas import finished, inches, owned, sheet
from nma.plots._figure import figure
from nma.plots._journal import paged
from nma.plots._style import BETTER, INK, SIZES, WARNING, on_page, styled
from nma.plots._text import (
    SPACING,
    fitted,
    foot,
    foot_lines,
    head,
    head_lines,
    interval_name,
    plain,
    require_posterior,
    scale_interval,
    told,
    words,
)
from nma.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from nma.mixtures import Marginal
    from nma.plots._text import Line
    from nma.posterior import Posterior
    from nma.priors import Prior
    from nma.problem import Scale

__all__ = ["heterogeneity"]

POINTS = 301
"""Values at which densities are drawn."""

PANEL = (4.4, 2.1)
"""Width and height of a panel, in inches."""

LEFT, BELOW = 0.35, 0.5
"""Room for the axes of a panel, in inches."""


def marks(posterior: Posterior, *, level: float = 0.95) -> Table:
    """Return what a picture of heterogeneity shows.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    level : float, default 0.95
        Probability of the equal-tailed interval.

    Returns
    -------
    Table
        For each ``scale`` with a prior that is spread out, the densities ``prior`` and
        ``posterior`` at many values; and, the same on every row of a scale, the posterior
        ``median``, ``lower`` and ``upper``, and what the ``key`` says of the two.

    Raises
    ------
    ModelError
        If no scale was estimated, or the level is not between 0 and 1.
    """
    require_posterior(posterior, "heterogeneity")
    require_level(level)
    spread = [s for s in posterior.problem.scales if s.prior.support[0] < s.prior.support[1]]
    if not spread or not is_credible(posterior):
        raise ModelError(_nothing(posterior))
    found = Table(
        pd.concat([_curves(posterior, scale, level) for scale in spread], ignore_index=True),
        caption="Prior and posterior densities of the scales.",
    )
    exact = posterior.draws.moments is not None
    by = "exact" if exact else "estimated from draws"
    shaded = f"{100 * level:g}% {interval_name(posterior)}"
    found.attrs = words(posterior, f"Dotted: median; shaded: {shaded}; the density is {by}.")
    found.attrs["unit"] = scale_name(posterior)
    return found


def _nothing(posterior: Posterior) -> str:
    if not is_credible(posterior):
        return (
            f"{posterior.engine!r} finds one value of tau, and no distribution to draw: fit with "
            "nma.engines.Gaussian()."
        )
    return (
        f"{posterior.model.heterogeneity!r} leaves no scale to estimate, so there are no densities "
        "to draw: fit with nma.heterogeneity.Random() and a prior that is not Fixed."
    )


def _curves(posterior: Posterior, scale: Scale, level: float) -> pd.DataFrame:
    moments = posterior.draws.moments
    probabilities = [(1 - level) / 2, 0.5, (1 + level) / 2, 0.995]
    if moments is not None:
        marginal = moments.marginals[scale.name]
        quantiles = [marginal.quantile(probability) for probability in probabilities]
        value = _values(scale.prior, quantiles[-1])
        density = _tabulated(marginal, value)
    else:
        drawn = posterior.draws.values[scale.name].to_numpy().ravel()
        quantiles = np.quantile(drawn, probabilities).tolist()
        value = _values(scale.prior, quantiles[-1])
        density = _smoothed(drawn, value, scale.prior.support)
    lower, median, upper, _ = quantiles
    before, after = _key(scale.prior, lower, median, upper)
    return pd.DataFrame(
        {
            "scale": scale.name,
            "value": value,
            "prior": np.exp(scale.prior.log_density(value)),
            "posterior": density,
            "median": median,
            "lower": lower,
            "upper": upper,
            "prior_key": before,
            "posterior_key": after,
        }
    )


def _values(prior: Prior, upper: float) -> NDArray[np.float64]:
    """Return where to draw: from the prior's lower end to well beyond the posterior."""
    low, high = prior.support
    start = low if np.isfinite(low) else -1.3 * upper
    return np.linspace(start, min(high, start + 1.3 * (upper - start)), POINTS)


def _tabulated(marginal: Marginal, value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the density of a tabulated posterior: the slope of its cumulative curve."""
    rising = np.concatenate([[True], np.diff(marginal.value) > 0])
    within = rising & (marginal.cumulative > 1e-6) & (marginal.cumulative < 1 - 1e-9)
    at, cumulative = marginal.value[within], marginal.cumulative[within]
    slope = np.diff(cumulative) / np.diff(at)
    return np.interp(value, (at[1:] + at[:-1]) / 2, slope, right=0.0)


def _smoothed(
    drawn: NDArray[np.float64], value: NDArray[np.float64], support: tuple[float, float]
) -> NDArray[np.float64]:
    """Return a kernel density whose mass beyond the support is folded back into it."""
    from scipy.stats import gaussian_kde

    density = gaussian_kde(drawn)
    found = density(value)
    for end in support:
        if np.isfinite(end):
            found = found + density(2 * end - value)
    return np.asarray(found)


def _key(prior: Prior, lower: float, median: float, upper: float) -> tuple[str, str]:
    written = re.sub(r"\d+\.\d{5,}(e-?\d+)?", lambda found: f"{float(found[0]):.4g}", repr(prior))
    origin = f" ({prior.origin})" if prior.origin else ""
    return f"prior: {written}{origin}", f"posterior: median {scale_interval(median, lower, upper)}"


@paged
def draw(marks: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the marks of heterogeneity, as ``nma.plots.Drawing`` says."""
    with styled():
        ask = told(marks, "heterogeneity")
        scales = list(dict.fromkeys(marks["scale"]))
        width = on_page(PANEL[0]) + LEFT if ax is None or len(scales) > 1 else inches(ax)[0]
        title = head_lines("Prior and posterior of " + " and ".join(scales), ask("poor"), width)
        notes = foot_lines(ask("text"), ask("data"), width)
        if len(scales) == 1:
            return _draw_one(marks, ax, title, notes, ask)
        return _draw_several(marks, ax, title, notes, ask)


def _above(key: list[str]) -> float:
    """Return the room of a key above its panel."""
    return 0.1 + sum(text.count("\n") + 1 for text in key) * SPACING * SIZES.small / 72


def _keys(rows: pd.DataFrame, width: float) -> list[str]:
    texts = (rows["posterior_key"].iloc[0], rows["prior_key"].iloc[0])
    return [fitted(text, width - 0.5, SIZES.small, most=4) for text in texts]


def _draw_one(
    marks: pd.DataFrame,
    ax: Axes | None,
    title: list[Line],
    notes: list[Line],
    ask: Callable[[str], Any],
) -> Axes:
    width = on_page(PANEL[0]) if ax is None else inches(ax)[0]
    key = _keys(marks, width)
    top, bottom = _above(key) + head(title) + 0.15, BELOW + head(notes) + 0.1
    axes = (
        ax
        if ax is not None
        else owned((on_page(PANEL[0]), PANEL[1]), left=LEFT, right=0.2, top=top, bottom=bottom)
    )
    _draw_panel(axes, marks, key, ask)
    foot(axes, title, -LEFT + 0.1, top - 0.08, corner=1)
    foot(axes, notes, -LEFT + 0.1, -BELOW, corner=0)
    return axes


def _draw_several(
    marks: pd.DataFrame,
    ax: Axes | None,
    title: list[Line],
    notes: list[Line],
    ask: Callable[[str], Any],
) -> Axes:
    parts = [rows for _, rows in marks.groupby("scale", sort=False)]
    keys = [_keys(rows, on_page(PANEL[0])) for rows in parts]
    steps = [_above(key) + PANEL[1] + BELOW for key in keys]
    height = 0.2 + head(notes) + sum(steps) + head(title)
    axes, scale = sheet(ax, LEFT + on_page(PANEL[0]) + 0.2, height)
    y = height - head(title) - 0.1
    for rows, key, step in zip(parts, keys, steps, strict=True):
        y -= step
        panel = axes.inset_axes(
            (LEFT, y + BELOW, on_page(PANEL[0]), PANEL[1]), transform=axes.transData
        )
        _draw_panel(panel, rows, key, ask, scale=scale)
    foot(axes, title, 0.1, height - 0.05, scale=scale)
    foot(axes, notes, 0.1, 0.08 + head(notes), scale=scale)
    return finished(axes)


def _draw_panel(
    ax: Axes, rows: pd.DataFrame, key: list[str], ask: Callable[[str], Any], *, scale: float = 1.0
) -> None:
    value, density, prior = (rows[name].to_numpy() for name in ("value", "posterior", "prior"))
    lower, upper, median = (float(rows[name].iloc[0]) for name in ("lower", "upper", "median"))
    within = (value >= lower) & (value <= upper)
    ax.fill_between(value, 0, density, where=within, color=BETTER, alpha=0.22, linewidth=0)
    (after,) = ax.plot(value, density, color=BETTER, linewidth=1.8 * scale, label=key[0])
    (before,) = ax.plot(
        value, prior, color=WARNING, linewidth=1.4 * scale, linestyle=(0, (5, 2)), label=key[1]
    )
    height = float(np.interp(median, value, density))
    ax.vlines(median, 0, height, color=INK, linewidth=1.0 * scale, linestyle=":")
    ax.set_xlim(value[0], value[-1])
    ax.set_ylim(0, 1.08 * _tallest(density, prior, within))
    _draw_scales(ax, str(rows["scale"].iloc[0]), ask, scale)
    ax.legend(
        handles=[after, before], loc="lower left", bbox_to_anchor=(0, 1.0), frameon=False,
        fontsize=SIZES.small * scale, borderaxespad=0.2, borderpad=0, labelspacing=0.25,
        handlelength=2.2, alignment="left",
    )  # fmt: skip


def _tallest(
    density: NDArray[np.float64], prior: NDArray[np.float64], within: NDArray[np.bool_]
) -> float:
    """Return the height of the posterior, or of the prior where it is not much taller.

    A density without bound at zero, such as that of a log-t, leaves the picture at the top.
    """
    highest = min(float(density.max()), 1.5 * float(density[within].max(initial=density[-1])))
    return max(highest, min(float(prior[np.isfinite(prior)].max()), 2 * highest))


def _draw_scales(ax: Axes, name: str, ask: Callable[[str], Any], scale: float) -> None:
    from matplotlib.ticker import MaxNLocator

    low, high = ax.get_xlim()
    wanted = MaxNLocator(nbins=6, steps=[1, 2, 5, 10]).tick_values(low, high)
    ticks = [tick for tick in np.asarray(wanted).tolist() if low - 1e-12 <= tick <= high]
    ax.set_xticks(ticks, [f"{tick:.6g}" for tick in ticks], fontsize=SIZES.small * scale)
    ax.set_yticks([])
    ax.spines[["left", "top", "right"]].set_visible(False)
    label = plain(f"{name}, on the scale of {ask('unit')}")
    ax.set_xlabel(label, fontsize=SIZES.body * scale, labelpad=3, parse_math=False)
    ax.set_ylabel("density", fontsize=SIZES.body * scale, labelpad=3)


@figure(marks, draw)
def heterogeneity(posterior: Posterior, *, level: float = 0.95, ax: Axes | None = None) -> Axes:
    """Draw the prior and the posterior of the heterogeneity, and of any other scale.

    Where the two look alike, the data say little and the answer leans on the prior.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    level : float, default 0.95
        Probability of the equal-tailed interval.
    ax : Axes, optional
        Where to draw. A figure of its own if not given.

    Returns
    -------
    Axes
        Shows itself in a notebook; ``.figure.savefig("tau.svg")`` writes a file.

    Raises
    ------
    ModelError
        If no scale was estimated, or the level is not between 0 and 1.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("senn2013"))
    >>> picture = nma.plots.heterogeneity(posterior)
    >>> nma.plots.heterogeneity.marks(posterior).columns.tolist()
    ['scale', 'value', 'prior', 'posterior', 'median', 'lower', 'upper', 'prior_key',
    'posterior_key']
    """
    return draw(marks(posterior, level=level), ax=ax)
