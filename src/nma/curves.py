"""Curves: how effects change with a covariate or a dose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd

from nma.errors import ModelError, require_several, shortened
from nma.estimates import (
    briefly,
    captioned,
    direction,
    functions,
    interval_words,
    is_credible,
    located,
    meanings,
)
from nma.posterior import at, require_posterior
from nma.ranges import beyond, is_of_arms, stretch
from nma.reach import ABOUT_TARGETS, is_told, unseen
from nma.tables import Table, decimals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior
    from nma.ranges import Beyond

__all__ = ["curve", "span"]

STEPS = 11
"""Values that a curve is told at where none are asked for."""


def curve(
    posterior: Posterior,
    covariate: str,
    *,
    values: Sequence[float] | None = None,
    treatments: Sequence[str] | None = None,
    comparator: str | None = None,
    level: float = 0.95,
) -> Table:
    r"""Return the effects of treatments against a comparator over the values of a covariate.

    .. math:: \delta_t(x) - \delta_c(x)

    Both at the same value :math:`x`; a control has no dose, so its level stays. ``nma.plots.curve``
    draws it.

    Parameters
    ----------
    posterior : Posterior
        A fitted model, such as one with ``structures.Dose`` or ``structures.Regression``.
    covariate : str
        A covariate of the model that is a number.
    values : sequence of float, optional
        Where; eleven from the smallest to the largest of the trials if not given, from zero on for
        what differs between the arms of a trial, as doses do.
    treatments : sequence of str, optional
        Of which; all that the posterior is asked about if not given.
    comparator : str, optional
        The network's reference if not given.
    level : float, default 0.95
        Probability of the equal-tailed intervals, each for one value.

    Returns
    -------
    Table
        By treatment and value: ``estimate`` (posterior mean), ``lower`` and ``upper`` on the
        measure's own scale; ``mean``, ``sd`` and ``mcse`` on the scale of the model; ``p_better``;
        and ``extrapolated``: whether the value lies outside those of the trials' arms on the
        treatment or on the comparator, or the trials do not tell the effect there.

    Raises
    ------
    ModelError
        If the model has no such covariate, or it has names in place of numbers; if a treatment is
        unknown; or if the level is not between 0 and 1.

    Examples
    --------
    >>> import nma
    >>> network = nma.datasets.network("bcg").as_normal()
    >>> structure = nma.structures.Regression(
    ...     nma.structures.Consistency(), "latitude", control="unvaccinated"
    ... )
    >>> found = nma.curve(nma.fit(network, nma.Model(structure)), "latitude", values=[10, 40])
    >>> found[["estimate", "extrapolated"]].round(2).values.tolist()
    [[0.98, True], [0.38, False]]

    References
    ----------
    NICE DSU TSD 3 (Dias et al. 2011), on covariates; Mawdsley et al. 2016, doi:10.1002/psp4.12091,
    on doses.
    """
    require_posterior(posterior, "curve")
    along = _along(posterior, covariate, values, treatments, comparator)
    found = functions(posterior, along.contrasts, level)
    natural = np.exp if posterior.network.ratio else np.asarray
    columns = {
        "estimate": natural(found.mean),
        "lower": natural(found.lower),
        "upper": natural(found.upper),
    }
    digits = decimals(found.sd)
    return Table(
        columns
        | {"mean": found.mean, "sd": found.sd, "mcse": found.mcse, "p_better": found.better}
        | {"extrapolated": along.outside | along.untold},
        index=pd.MultiIndex.from_product([along.names, along.values], names=_levels(covariate)),
        digits=dict.fromkeys((*columns, "mean", "sd"), digits) | {"mcse": digits + 2},
        probabilities=["p_better"],
        unprinted=[] if posterior.network.ratio else ["mean"],
        caption=along.caption(level),
        notes=(*along.notes(), *meanings(posterior), *briefly(along.posterior)),
    )


@final
@dataclass(frozen=True, eq=False)
class _Along:
    """What is asked: treatments and a comparator, at every value of a covariate."""

    posterior: Posterior
    covariate: str
    names: list[str]
    comparator: str
    values: list[float]

    def at(self, names: Sequence[str]) -> pd.DataFrame:
        """Return arms on treatments, each at every value in turn."""
        frame = self.posterior.targets.drop(columns="label", errors="ignore").head(1)
        rows = pd.concat([frame] * (len(names) * len(self.values)), ignore_index=True)
        treatment = np.repeat(np.array(names, dtype=object), len(self.values))
        rows["treatment"], rows[self.covariate] = treatment, self.values * len(names)
        return rows

    @cached_property
    def contrasts(self) -> NDArray[np.float64]:
        """Levels less those of the comparator at the same value, (row, parameter)."""
        network, structure = self.posterior.network, self.posterior.model.structure
        own = structure.levels(network, self.at(self.names))
        against = structure.levels(network, self.at([self.comparator]))
        return own - np.tile(against, (len(self.names), 1))

    @cached_property
    def ranges(self) -> Beyond:
        """The values that trials gave the treatments, then the comparator, and what is beyond."""
        network, structure = self.posterior.network, self.posterior.model.structure
        asked = self.at([*self.names, self.comparator])
        return beyond(network, structure, asked, self.covariate, by_arm=True)

    @property
    def outside(self) -> NDArray[np.bool_]:
        """Where treatment or comparator is beyond the values that trials gave it, (row,)."""
        *own, against = self.ranges.is_so.reshape(-1, len(self.values))
        return np.asarray(np.ravel(own) | np.tile(against, len(self.names)))

    @cached_property
    def untold(self) -> NDArray[np.bool_]:
        """Which effects the trials do not tell, (row,)."""
        return ~is_told(self.posterior.problem, self.contrasts)

    def caption(self, level: float) -> str:
        """Return what the numbers are."""
        posterior = self.posterior
        rest = replace(posterior, targets=posterior.targets.drop(columns=self.covariate))
        text = (
            f"{posterior.network.measure} of treatment versus {shortened(self.comparator)} over "
            f"{self.covariate}, with {interval_words(posterior, level)}s; {direction(posterior)}."
        )
        return captioned(posterior, located(rest, text))

    def notes(self) -> Iterator[str]:
        """Yield what lies outside the trials, and what a prior tells in their place."""
        structure = type(self.posterior.model.structure).__name__
        names, count = [*self.names, self.comparator], len(self.values)
        told = self.ranges
        ranges = [
            f"{shortened(name)} {stretch(told.low[k * count], told.high[k * count])}"
            for k, name in enumerate(names)
            if told.is_so[k * count : (k + 1) * count].any()
        ]
        if ranges:
            yield (
                f"Extrapolated where {self.covariate} is outside that of the trials' arms, "
                f"{'; '.join(ranges)}: what is said there rests on the structure, {structure}."
            )
        untold = self.untold.reshape(len(self.names), count)
        listed = [shortened(name) for k, name in enumerate(self.names) if untold[k].any()]
        if listed and is_credible(self.posterior):
            yield (
                f"The trials do not tell the curve of {', '.join(listed)}: where it is marked as "
                f"extrapolated it rests on the prior of the structure, {structure}."
            )


def _along(
    posterior: Posterior,
    covariate: str,
    values: Sequence[float] | None,
    treatments: Sequence[str] | None,
    comparator: str | None,
) -> _Along:
    """Return what is asked, once the model can answer it."""
    require_several(treatments, "treatments")
    _require_number(posterior, covariate)
    against = posterior.network.reference if comparator is None else comparator
    known = posterior.targets["treatment"] if treatments is None else treatments
    names = [name for name in dict.fromkeys(known) if name != against]
    if not names:
        message = f"{against!r} is alone: ask about a treatment to compare it with."
        raise ModelError(message)
    xs = span(posterior, covariate, STEPS) if values is None else _numbers(values, covariate)
    some: dict[str, Any] = {covariate: xs[0]}
    asked = at(posterior, treatments=[*names, against], **some)
    network, structure = asked.network, asked.model.structure
    kept = tuple(text for text in posterior.notices if not text.startswith(ABOUT_TARGETS))
    new = unseen(network, structure, asked.targets, but=[covariate])
    return _Along(replace(asked, notices=(*new, *kept)), covariate, names, against, xs)


def span(posterior: Posterior, covariate: str, count: int) -> list[float]:
    """Return values of a covariate, evenly spread over those of the trials.

    From zero on where the arms of a trial differ: a dose begins there.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    covariate : str
        A covariate that is a number.
    count : int
        How many.
    """
    told = posterior.network.table[covariate].to_numpy(dtype=float)
    low = 0.0 if is_of_arms(posterior.network, covariate) else float(np.nanmin(told))
    return [float(x) for x in np.linspace(low, float(np.nanmax(told)), count)]


def _levels(covariate: str) -> list[str]:
    return ["treatment", covariate]


def _numbers(values: Sequence[float], covariate: str) -> list[float]:
    """Return the values asked for, each once and in order."""
    try:
        found = sorted({float(value) for value in values})
    except (TypeError, ValueError):
        found = []
    if not found or not np.isfinite(found).all():
        message = f"values={values!r}: write numbers of {covariate}, such as values=[0, 6, 12]."
        raise ModelError(message)
    return found


def _require_number(posterior: Posterior, covariate: str) -> None:
    """Refuse a covariate of names; one that the model lacks, ``at`` refuses."""
    known = posterior.model.structure.covariates(posterior.network)
    if covariate not in known:
        asked: dict[str, Any] = {covariate: 0.0}
        at(posterior, **asked)  # refuses it, with those there are
    if isinstance(known[covariate], str):
        message = (
            f"{covariate} has names in place of numbers, and no curve: ask about each, as in "
            f"nma.at(posterior, {covariate}={known[covariate]!r})."
        )
        raise ModelError(message)
