"""Additivity: whether the components of a treatment add up to what its trials say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, final

import numpy as np

from nma.checks._additivity_table import ADDITIVE, FULL, INTERACTING, Fit, tabulated
from nma.checks._bayes_factors import SENSITIVITY, log_evidence, named_prior
from nma.checks._deviations import Deviations, deviation_names
from nma.checks._scale import scale_numbers
from nma.errors import EngineError
from nma.estimates import is_credible
from nma.fit_measures import dic, leave_one_study_out
from nma.least_squares import CommonEffect, common_effect
from nma.model import problem
from nma.posterior import require_posterior
from nma.refits import Executor, Refit, Refits, refit_all
from nma.structures import Consistency
from nma.structures._inside import Inside, components_inside
from nma.structures._priors import resolved

if TYPE_CHECKING:
    from nma.posterior import Posterior
    from nma.priors import Normal
    from nma.protocols import Structure
    from nma.tables import Table

__all__ = ["additivity", "fixed_effects"]

LEVEL = 0.95
"""Of intervals that nobody sees: medians do not depend on it."""

DEVIATING = "deviations, sd times {:g}"
"""What fits with deviations are called."""


@final
@dataclass(frozen=True, eq=False)
class Asked:
    """What is compared.

    Parameters
    ----------
    inside : Inside
        The components, and what stands around them.
    full : Structure
        With one level for each treatment in their place.
    deviating : tuple of str
        The treatments of two components or more.
    prior : Normal, optional
        Of their deviations for the Bayes factor; None where there is no evidence to compare.
    """

    inside: Inside
    full: Structure
    deviating: tuple[str, ...]
    prior: Normal | None

    @property
    def is_connected(self) -> bool:
        """Whether trials alone connect all treatments."""
        return len(self.inside.network.components) == 1

    def deviations(self, factor: float) -> Structure:
        """Return the structure with deviations whose prior sd is so many times the one asked."""
        prior = replace(resolved(self.prior), sd=factor * resolved(self.prior).sd)
        return self.inside.around(lambda base: Deviations(base, self.deviating, prior))


def additivity(
    posterior: Posterior,
    *,
    deviation: Normal | None = None,
    executor: Executor | None = None,
    progress: bool = True,
) -> Table:
    r"""Return additivity against the full network, in which every treatment has its own level.

    Under a common effect the additive model lies within the full network, so that

    .. math:: Q_{additive} - Q_{full} \sim \chi^2

    on the difference of their ranks if components add up. The resolved model is fitted again with
    consistency in place of its components, all else as it was, and with deviations of all
    treatments of two components or more,

    .. math:: \delta_t = \sum_{c \in t} \beta_c + w_t, \qquad w_t \sim N(0, s_w^2)

    for a Bayes factor. Interactions that the model names stay in it: then it is the model with
    these that is compared. ``nma.checks.interactions`` looks for single ones.

    Parameters
    ----------
    posterior : Posterior
        A fitted model with components, ``nma.structures.Components`` alone or wrapped.
    deviation : Normal, optional
        Prior of each w for the Bayes factor, with mean zero; sd one unit if not given.
    executor : Executor, optional
        Where to fit: anything with ``map``, such as those of ``concurrent.futures``. Here, one
        after another, if not given; the numbers are the same.
    progress : bool, default True
        Whether to show a bar, on terminals and in notebooks.

    Returns
    -------
    Table
        Rows ``additive`` (``with interactions`` where the model has some), ``full network`` and
        ``difference``, the first minus the second. ``Q`` with ``df`` and ``p`` at common effect,
        of trials read as normal contrasts; median ``tau``; ``DIC``, of which less is better;
        ``elpd``, the log predictive density of each study left out, of which more is better, and
        ``elpd_se``, of the difference paired by study. ``attrs["bayes_factors"]`` holds those of
        additivity against deviations, by the sd of their prior; notes say them. Parts that no
        trial connects have no full fit: its Q adds up over them, and the rest of its row is empty.

    Raises
    ------
    ModelError
        If the model has no components, or nothing sizes the prior of the deviations.

    Examples
    --------
    >>> import nma
    >>> structure = nma.structures.Components(separator=" + ", inactive="usual care")
    >>> posterior = nma.fit(nma.datasets.network("musician"), nma.Model(structure))
    >>> table = nma.checks.additivity(posterior)
    >>> table.loc["difference", ["Q", "df", "p"]].round(3).tolist()
    [6.036, 1.0, 0.014]

    References
    ----------
    Ruecker, Petropoulou and Schwarzer 2020, doi:10.1002/bimj.201800167, on the difference of Q;
    Welton et al. 2009, doi:10.1093/aje/kwp014.
    """
    require_posterior(posterior, "additivity")
    asked = _asked(posterior, deviation)
    here, full = (fixed_effects(posterior, s) for s in (asked.inside.whole, asked.full))
    tasks = _tasks(posterior, asked, is_saturated=here.df == full.df)
    found, failed = _fitted(tasks, asked, executor, progress=progress)
    plain = asked.inside.components.interactions is None
    return tabulated(
        posterior,
        {
            ADDITIVE if plain else INTERACTING: (here, _fit(posterior)),
            FULL: (full, found.done.get(FULL)),
        },
        bayes_factors=_bayes_factors(posterior, asked, found.done),
        prior=asked.prior,
        deviating=bool(asked.deviating),
        notes=(*failed, *found.notices),
        connected=asked.is_connected,
        partial=found.partial,
    )


def _asked(posterior: Posterior, deviation: Normal | None) -> Asked:
    inside = components_inside(posterior.model.structure, posterior.network)
    several = [name for name in inside.network.treatments if len(inside.components.parts(name)) > 1]
    has_evidence = is_credible(posterior) and np.isfinite(log_evidence(posterior))
    return Asked(
        inside,
        inside.around(lambda components: Consistency(resolved(components.effect))),
        tuple(several),
        named_prior(posterior.network, deviation, "deviation") if has_evidence else None,
    )


def fixed_effects(posterior: Posterior, structure: Structure) -> CommonEffect:
    """Return Q and df of a structure by common-effect least squares, random effects left aside.

    Parameters
    ----------
    posterior : Posterior
        Whose trials are read as normal contrasts, whether or not they connect all treatments.
    structure : Structure
        In place of the posterior's own.
    """
    model = replace(posterior.model, structure=structure)
    made = problem(model, posterior.network.as_normal())
    fixed = np.array([scale is None for scale in made.parameters.scale], dtype=bool)
    return common_effect(replace(made, levels=made.levels[:, fixed]))


def _tasks(posterior: Posterior, asked: Asked, *, is_saturated: bool) -> list[Refit]:
    """Return the fits to be made: of deviations only where they can be told."""
    fits = {FULL: asked.full} if asked.is_connected else {}
    if asked.prior is not None and asked.deviating and not is_saturated:
        fits |= {DEVIATING.format(factor): asked.deviations(factor) for factor in SENSITIVITY}
    return [
        Refit.of(posterior, label, model=replace(posterior.model, structure=structure))
        for label, structure in fits.items()
    ]


def _fitted(
    tasks: Sequence[Refit], asked: Asked, executor: Executor | None, *, progress: bool
) -> tuple[Refits[Fit], tuple[str, ...]]:
    """Return what became of the fits; Q stands without them, so that all may fail."""
    read = partial(_read, frozenset(deviation_names(asked.deviating)))
    try:
        return refit_all(tasks, read, executor=executor, progress=progress), ()
    except EngineError as error:
        return Refits({}, {}, {}, ()), (str(error),)


def _read(deviations: frozenset[str], fitted: Posterior) -> Fit:
    """Read a fit where it was made: its evidence alone where it has deviations."""
    if not deviations.isdisjoint(fitted.problem.parameters.names):
        return Fit(np.nan, np.nan, {}, (), (), log_evidence(fitted))
    return _fit(fitted)


def _fit(posterior: Posterior) -> Fit:
    has_tau = any(scale.name == "tau" for scale in posterior.problem.scales)
    tau = float(scale_numbers(posterior, "tau", LEVEL)[0]) if has_tau else np.nan
    if not is_credible(posterior):
        return Fit(tau, np.nan, {}, (), (), np.nan)
    left_out = leave_one_study_out(posterior)
    return Fit(
        tau,
        float(dic(posterior)["DIC"].iloc[0]),
        dict(zip(left_out["study"], left_out["log_density"], strict=True)),
        tuple(left_out.loc[left_out["disconnects"], "study"]),
        tuple(note for note in left_out.notes if note.startswith("NOT RELIABLE")),
        log_evidence(posterior),
    )


def _bayes_factors(
    posterior: Posterior, asked: Asked, done: Mapping[str, Fit]
) -> dict[float, float]:
    """Return those of additivity against deviations, by the sd of their prior."""
    own = log_evidence(posterior)
    fits = {factor: done.get(DEVIATING.format(factor)) for factor in SENSITIVITY}
    return {
        factor * resolved(asked.prior).sd: float(np.exp(own - fit.log_evidence))
        for factor, fit in fits.items()
        if fit is not None
    }
