"""Priors of tau by name: predictive distributions from thousands of past meta-analyses.

``heterogeneity.csv`` holds the figures with their sources; a cell lists the names that share it.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, final

import numpy as np

from nma.errors import ModelError, nearest
from nma.priors._logarithms import LogNormal, LogT

__all__ = ["Published", "rhodes2015", "turner2012", "turner2015"]

RATIOS = ("RR", "HR", "IRR")
"""Measures whose logarithms are near enough to the log odds ratio to borrow its priors."""


@final
@dataclass(frozen=True)
class Published:
    """A prior of tau that was derived from past meta-analyses of one measure.

    It prints as its distribution. In a model of another measure it is refused or, where the
    measures are close, used with a word about it in the prior's sentence.

    Parameters
    ----------
    distribution : LogNormal or LogT
        The distribution of tau.
    source : str
        Where it was published, and for which outcomes and comparisons.
    measure : str
        The measure on whose scale tau is.
    close : tuple of str
        Measures that may borrow it.
    lent_to : str
        The measure that borrows it, if one does.

    Examples
    --------
    >>> import nma
    >>> prior = nma.priors.turner2015(
    ...     outcome="pain", comparison="pharmacological vs placebo or control"
    ... )
    >>> prior.measure, prior.close
    ('OR', ('RR', 'HR', 'IRR'))
    """

    distribution: LogNormal | LogT
    source: str
    measure: str
    close: tuple[str, ...] = ()
    lent_to: str = ""

    @property
    def origin(self) -> str:
        """Source, outcomes, comparisons, and whatever is unusual about its use."""
        lent = f"; of {self.measure}, lent to {self.lent_to}" if self.lent_to else ""
        return f"{self.source}{lent}"

    @property
    def support(self) -> tuple[float, float]:
        """Zero and above."""
        return self.distribution.support

    def quantile(self, probability: float) -> float:
        """Value below which the quantity lies with the given probability."""
        return self.distribution.quantile(probability)

    def log_density(self, x: Any, xp: Any = np) -> Any:
        """Natural logarithm of the density."""
        return self.distribution.log_density(x, xp)

    def on(self, measure: str) -> Published:
        """Return the prior as it stands for a measure.

        Raises
        ------
        ModelError
            If past meta-analyses of its own measure say nothing about this one.
        """
        if measure == self.measure:
            return replace(self, lent_to="")
        if measure in self.close:
            return replace(self, lent_to=measure)
        own = self.distribution
        message = (
            f"This prior of tau is for {self.measure}, and the trials are analysed as {measure}: "
            f"{self.source}. {_instead(measure, self.measure)} To use the numbers all the same, "
            f"write them out: nma.priors.{own!r}."
        )
        raise ModelError(message)

    def __repr__(self) -> str:
        """Return the distribution."""
        return repr(self.distribution)


def _instead(measure: str, own: str) -> str:
    """Return where to find a prior for a measure."""
    if measure == "MD":
        return "For MD, nma.priors.rhodes2015 takes scale=, one standard deviation in its points."
    if measure == "SMD":
        leave = " without scale=" if own == "MD" else ""
        return f"For SMD there is nma.priors.rhodes2015{leave}."
    if measure in {"OR", *RATIOS}:
        return f"For {measure} there is nma.priors.turner2015."
    return f"None is published for {measure}: a HalfNormal of its own size is a start."


def turner2015(*, outcome: str, comparison: str) -> Published:
    r"""Return the prior of tau of log odds ratios by Turner et al. (2015).

    Log-normal on :math:`\tau^2`: predictive distributions from 14,886 meta-analyses of binary
    outcomes in the Cochrane Database, for 80 settings. The tables give one for each kind of
    comparison and a model has one tau, so name the kind that most trials of the network make.

    Parameters
    ----------
    outcome : str
        Such as ``"all-cause mortality"``, ``"pain"`` or ``"adverse events"``; a misspelt one is
        refused with the list of all. ``"any"``, with ``comparison="any"``, is the distribution
        over all settings.
    comparison : str
        ``"pharmacological vs placebo or control"``, ``"pharmacological vs pharmacological"``,
        ``"non-pharmacological vs placebo or control"``,
        ``"non-pharmacological vs pharmacological"`` or
        ``"non-pharmacological vs non-pharmacological"``.

    Returns
    -------
    Published
        For OR; RR, HR and IRR may borrow it, with a word about it in every summary.

    Raises
    ------
    ModelError
        If there is no such outcome or comparison, with the nearest and all others.

    Examples
    --------
    >>> import nma
    >>> prior = nma.priors.turner2015(
    ...     outcome="pain", comparison="pharmacological vs placebo or control"
    ... )
    >>> nma.heterogeneity.Random(tau=prior)
    Random(tau=LogNormal(mean=-0.915, sd=0.76))
    >>> prior.origin
    'Turner 2015, pain, pharmacological vs placebo or control: log-normal(-1.83, 1.52^2) on its
    square, doi:10.1002/sim.6381'

    References
    ----------
    Turner, Jackson, Wei, Thompson and Higgins 2015, doi:10.1002/sim.6381, table IV.
    """
    return _of_odds_ratios("Turner 2015", outcome, comparison)


def turner2012(*, outcome: str, comparison: str) -> Published:
    r"""Return the prior of tau of log odds ratios by Turner et al. (2012).

    Log-normal on :math:`\tau^2`, by three kinds of outcome: coarser than ``turner2015``, from the
    same meta-analyses.

    Parameters
    ----------
    outcome : str
        ``"all-cause mortality"``, ``"semi-objective"`` or ``"subjective"``; ``"any"``, with
        ``comparison="any"``, is the distribution over all settings.
    comparison : str
        As for ``turner2015``; the three that are not pharmacological share their figures.

    Returns
    -------
    Published
        For OR; RR, HR and IRR may borrow it, with a word about it in every summary.

    Raises
    ------
    ModelError
        If there is no such outcome or comparison, with the nearest and all others.

    Examples
    --------
    >>> import nma
    >>> nma.priors.turner2012(
    ...     outcome="all-cause mortality", comparison="non-pharmacological vs placebo or control"
    ... )
    LogNormal(mean=-1.965, sd=0.755)

    References
    ----------
    Turner, Davey, Clarke, Thompson and Higgins 2012, doi:10.1093/ije/dys041.
    """
    return _of_odds_ratios("Turner 2012", outcome, comparison)


def rhodes2015(
    *, outcome: str, comparison: str, area: str = "other", scale: float | None = None
) -> Published:
    r"""Return the prior of tau of standardised mean differences by Rhodes et al. (2015).

    Log-t with 5 degrees of freedom on :math:`\tau^2`: predictive distributions from 6,492
    meta-analyses of continuous outcomes in the Cochrane Database. For mean differences

    .. math:: \tau = \mathrm{scale} \cdot \tau_{\mathrm{SMD}}

    where the scale is the standard deviation between people, in points. It is yours to state:
    ``network.unit[0]`` is the median over the trials.

    Parameters
    ----------
    outcome : str
        Such as ``"pain"``, ``"mental health"`` or ``"quality of life or functioning"``; a misspelt
        one is refused with the list of all. ``"any"``, with ``comparison="any"``, is the
        distribution over all settings.
    comparison : str
        As for ``turner2015``; the three that are not pharmacological share their figures.
    area : {"other", "respiratory", "cancer"}
        Field of medicine.
    scale : float, optional
        Standard deviation in points, for MD; without it the prior is for SMD.

    Returns
    -------
    Published
        For SMD, or for MD if there is a scale.

    Raises
    ------
    ModelError
        If there is no such outcome, comparison or area, with the nearest and all others; or if
        the scale is not positive.

    Examples
    --------
    >>> import nma
    >>> network = nma.datasets.network("back_pain")
    >>> prior = nma.priors.rhodes2015(
    ...     outcome="pain",
    ...     comparison="non-pharmacological vs placebo or control",
    ...     scale=network.unit[0],
    ... )
    >>> posterior = nma.fit(network, nma.Model(heterogeneity=nma.heterogeneity.Random(tau=prior)))
    >>> print(posterior.priors[1])
    Prior: tau ~ LogT(location=-0.6321, scale=1.135, df=5) (Rhodes 2015, pain, non-pharmacological
    vs placebo or control: log-t(-3.02, 2.27^2) with 5 df on its square, of SMD, times 2.406 for MD,
    doi:10.1016/j.jclinepi.2014.08.012).

    References
    ----------
    Rhodes, Turner and Higgins 2015, doi:10.1016/j.jclinepi.2014.08.012, tables 3 and A.3.
    """
    row = _row("Rhodes 2015", {"outcome": outcome, "comparison": comparison, "area": area})
    found = LogT.of_square(float(row["location"]), float(row["scale"]))
    told = [found.origin]
    if scale is not None:
        found, told = _scaled(found, scale), [*told, f"of SMD, times {scale:.4g} for MD"]
    setting = [outcome, comparison] if area == "other" else [outcome, comparison, area]
    source = _source(row, setting, told)
    return Published(found, source, measure="SMD" if scale is None else "MD")


def _scaled(prior: LogT, scale: float) -> LogT:
    number = isinstance(scale, float | int | np.number) and not isinstance(scale, bool)
    if not number or not 0 < scale < math.inf:
        message = (
            f"scale={scale!r} is no standard deviation: give one in the points of the mean "
            "differences, such as network.unit[0]."
        )
        raise ModelError(message)
    return LogT(prior.location + math.log(scale), prior.scale, prior.df)


def _of_odds_ratios(source: str, outcome: str, comparison: str) -> Published:
    row = _row(source, {"outcome": outcome, "comparison": comparison})
    found = LogNormal.of_square(float(row["location"]), float(row["scale"]))
    said = _source(row, [outcome, comparison], [found.origin])
    return Published(found, said, measure=row["measure"], close=RATIOS)


def _source(row: Mapping[str, str], setting: list[str], told: list[str]) -> str:
    """Return the words that every summary prints of a prior."""
    where = "all settings" if setting[0] == "any" else ", ".join(setting)
    parts = [*told, *filter(None, [row["doubt"]]), f"doi:{row['doi']}"]
    return f"{row['source']}, {where}: {', '.join(parts)}"


@cache
def _rows() -> tuple[Mapping[str, str], ...]:
    with files("nma.priors").joinpath("heterogeneity.csv").open(encoding="utf-8") as file:
        return tuple(csv.DictReader(file))


def _names(cell: str) -> list[str]:
    return cell.split("; ")


def _row(source: str, asked: Mapping[str, str]) -> Mapping[str, str]:
    """Return the row that holds what is asked for.

    Raises
    ------
    ModelError
        With everything that is misspelt, the nearest names and all others.
    """
    ours = [row for row in _rows() if row["source"] == source]
    wrong = []
    for column, name in asked.items():
        known = list(dict.fromkeys(known for row in ours for known in _names(row[column])))
        if name not in known:
            listed = ", ".join(map(repr, known))
            wrong.append(f"{column}={name!r} is not in it.{nearest(name, known)} It has {listed}.")
    if wrong:
        message = f"{source}: {' '.join(wrong)}"
        raise ModelError(message)
    for row in ours:
        if all(name in _names(row[column]) for column, name in asked.items()):
            return row
    message = f"{source}: 'any' is of all outcomes and comparisons together: say it of both."
    raise ModelError(message)
