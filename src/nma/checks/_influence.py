"""Influence of trials: the answers without each of them, one after another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

import numpy as np

from nma.checks._influence_table import Answer, tabulated
from nma.checks._scale import scale_numbers
from nma.checks._without import without
from nma.errors import DataError, ModelError, in_short
from nma.estimates import estimates, require_level
from nma.least_squares import estimable
from nma.model import problem
from nma.posterior import require_posterior
from nma.ranking import shares
from nma.refits import Executor, Refit, refit_all

if TYPE_CHECKING:
    import pandas as pd

    from nma.posterior import Posterior
    from nma.tables import Table

__all__ = ["leave_one_study_out"]


def leave_one_study_out(
    posterior: Posterior,
    *,
    comparator: str | None = None,
    level: float = 0.95,
    executor: Executor | None = None,
    progress: bool = True,
) -> Table:
    r"""Return what each trial does to every effect, to tau and to SUCRA: the answers without it.

    The resolved model is fitted again without each trial in turn, by the same engine, and

    .. math:: \mathrm{shift}_i = (\hat d_{-i} - \hat d) / \mathrm{sd}(d \mid y)

    says how far an answer moves, in posterior standard deviations of the fit of all trials. An
    effect that the other trials do not determine, because the trial alone ties its treatments to
    the comparator, is not estimable: its cells stay empty and a note names the trial.
    ``nma.plots.influence`` draws the table; ``nma.fit_measures.leave_one_study_out`` says how well
    the others predict each trial.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    comparator : str, optional
        Whom effects are against; the network's reference if not given.
    level : float, default 0.95
        Probability of the equal-tailed intervals.
    executor : Executor, optional
        Where to fit: anything with ``map``, such as those of ``concurrent.futures``. Here, one
        after another, if not given; the numbers are the same.
    progress : bool, default True
        Whether to show a bar, on terminals and in notebooks.

    Returns
    -------
    Table
        By (``study``, ``quantity``): every scale such as tau (``estimate`` is the median), then the
        effect of each treatment against the comparator (the mean), then the comparator itself for
        its rank. ``estimate``, ``lower`` and ``upper`` without the trial, in the measure's own
        numbers; ``shift`` with its Monte Carlo error ``mcse`` (zero where exact); ``sd_ratio``, the
        posterior sd without the trial over that with it; ``sucra`` without it and
        ``sucra_change``, both empty where a treatment is lost, since ranks among fewer are other
        ranks. A scale that is known has no row. Notes name the trial that moves most, those whose
        loss decides whether an interval excludes no effect or who is first, and those that leave
        effects not estimable; ``attrs["not_estimable"]`` lists these.

    Raises
    ------
    ModelError
        If the comparator is unknown or alone, or the level is not between 0 and 1.
    EngineError
        If no fit succeeded.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> check = nma.checks.leave_one_study_out(posterior)
    >>> check["shift"].abs().idxmax()
    ('Miyamoto 2013', 'standard exercise vs passive control')

    References
    ----------
    Viechtbauer and Cheung 2010, doi:10.1002/jrsm.11, on outliers and influence in meta-analysis.
    """
    require_posterior(posterior, "leave_one_study_out")
    require_level(level)
    against = posterior.comparator if comparator is None else comparator
    posterior.position(against)
    names = [name for name in posterior.treatments if name != against]
    if not names:
        message = f"{against!r} is alone: ask about a treatment to compare it with."
        raise ModelError(message)
    read = _Reader(posterior.targets, against, level)
    tasks, cut = _tasks(posterior)
    ours = read.whole(posterior)
    found = refit_all(tasks, read, executor=executor, progress=progress)
    return tabulated(posterior, ours, found, cut, against=against, level=level)


def _tasks(posterior: Posterior) -> tuple[list[Refit], Mapping[str, str]]:
    """Return the fits to make, and why the model cannot be fitted without the other trials."""
    tasks: list[Refit] = []
    cut: dict[str, str] = {}
    for study in posterior.network.trials:
        rest = without(posterior.network, study)
        if rest is None:
            cut[study] = "there is no other trial"
            continue
        try:
            problem(posterior.model.resolve(rest), rest)
        except (DataError, ModelError) as error:
            parts = len(rest.components)
            apart = f"the others fall into {parts} parts that no trial connects"
            cut[study] = apart if parts > 1 else " ".join(in_short(error).split()).rstrip(".")
        else:
            tasks.append(Refit.of(posterior, study, network=rest))
    return tasks, cut


def _has_level(fitted: Posterior, target: pd.DataFrame) -> bool:
    """Return whether the structure gives an arm a level without the trial that was left out."""
    try:
        fitted.model.structure.levels(fitted.network, target)
    except ModelError:
        return False
    return True


@final
@dataclass(frozen=True, eq=False)
class _Reader:
    """Reads one answer of a posterior, wherever it was fitted."""

    targets: pd.DataFrame
    against: str
    level: float

    def __call__(self, fitted: Posterior) -> Answer:
        """Read what is told without a trial: of arms that still have a level, told by the rest."""
        kept = [_has_level(fitted, self.targets.iloc[[k]]) for k in range(len(self.targets))]
        asked = replace(fitted, targets=self.targets[kept].reset_index(drop=True))
        if self.against not in asked.treatments:
            return self._answer(asked, [])
        base = asked.levels[asked.position(self.against)]
        told = estimable(asked.problem, asked.levels - base)
        names = [name for name, is_told in zip(asked.treatments, told, strict=True) if is_told]
        return self._answer(asked, names)

    def whole(self, posterior: Posterior) -> Answer:
        """Read the answer of all trials, whatever they determine."""
        return self._answer(posterior, list(posterior.treatments))

    def _answer(self, posterior: Posterior, names: list[str]) -> Answer:
        pairs = [(name, self.against) for name in names if name != self.against]
        scales = {
            scale.name: scale_numbers(posterior, scale.name, self.level)
            for scale in posterior.problem.scales
        }
        if not pairs:
            return Answer(scales, {}, {})
        found = estimates(posterior, pairs, self.level)
        numbers = np.stack([found.mean, found.lower, found.upper, found.sd, found.mcse], axis=1)
        effects = {name: row for (name, _), row in zip(pairs, numbers, strict=True)}
        if len(names) < len(self.targets):
            return Answer(scales, effects, {})
        ranked = zip(posterior.treatments, shares(posterior)[0], strict=True)
        return Answer(scales, effects, {name: float(share) for name, share in ranked})
