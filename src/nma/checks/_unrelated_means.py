"""Unrelated means against the model at hand: whether letting loops stay open fits better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, final

import numpy as np
import pandas as pd

from nma.checks._scale import scale_numbers
from nma.estimates import (
    briefly,
    captioned,
    estimates,
    functions,
    interval_words,
    is_credible,
    require_level,
    scale_name,
)
from nma.fit_measures import dic
from nma.least_squares import differences
from nma.model import problem
from nma.posterior import at, require_posterior
from nma.refits import Executor, Refit, Refits, refit_all
from nma.span import directions
from nma.structures import UnrelatedMeans
from nma.tables import Table, decimals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior

__all__ = ["unrelated_means"]

LABEL = "unrelated means"
"""What the other model is called."""

NUMBERS = ("", "_sd", "_lower", "_upper")
"""What is told of each effect; the first is the mean."""

FIT = ("deviance", "pD", "DIC", "tau")
"""What is told of each model."""

SAY = 3.0
"""Differences of DIC below this say little."""

Pair = tuple[str, str]
"""Baseline and other treatment."""


@final
@dataclass(frozen=True, eq=False)
class Answer:
    """What is read of one model.

    Parameters
    ----------
    effects : array, (pair, mean sd lower upper mcse)
        On the scale of the model.
    fit : mapping of str to float
        Posterior mean deviance, pD, DIC and median tau; NaN where there is none.
    """

    effects: NDArray[np.float64]
    fit: Mapping[str, float]


def unrelated_means(
    posterior: Posterior,
    *,
    order: Sequence[str] | None = None,
    level: float = 0.95,
    executor: Executor | None = None,
    progress: bool = True,
) -> Table:
    r"""Return the effects of pairs as if nothing related them, and whether that fits better.

    The resolved model is fitted again with ``structures.UnrelatedMeans`` in place of its structure;
    coefficients that unrelated means cannot stand for, such as those of a regression, stay. A
    deviance, DIC or tau that is clearly lower there speaks of inconsistency. The trials that it
    concerns are those that ``nma.plots.dev_dev`` shows off the diagonal.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    order : sequence of str, optional
        All treatments, baselines before others; the network's order if not given. With multi-arm
        trials the numbers depend on it.
    level : float, default 0.95
        Probability of the equal-tailed intervals.
    executor : Executor, optional
        Where to fit: anything with ``map``, such as those of ``concurrent.futures``. Here if not
        given; the numbers are the same.
    progress : bool, default True
        Whether to show a bar, on terminals and in notebooks.

    Returns
    -------
    Table
        By (``treatment``, ``comparator``), the comparator being the baseline: ``trials`` with that
        baseline, posterior mean of ``unrelated``, with ``_sd``, ``_lower`` and ``_upper``, the same
        of ``network`` (the model at hand), their ``difference``, and ``mcse`` of the unrelated
        mean; all on the scale of the model. ``attrs["fit"]`` holds deviance, pD, DIC and median tau
        of both models, and notes compare them.

    Raises
    ------
    ModelError
        If the order leaves out a treatment.
    EngineError
        If the fit failed.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("parkinson"))
    >>> table = nma.checks.unrelated_means(posterior)
    >>> {name: round(fit["DIC"], 1) for name, fit in table.attrs["fit"].items()}
    {'this model': 25.9, 'unrelated means': 28.8}

    References
    ----------
    NICE DSU TSD 4 (Dias et al. 2011), section 3.
    """
    require_posterior(posterior, "unrelated_means")
    require_level(level)
    network = posterior.network
    structure = _structure(posterior, order)
    read = partial(_read, _base_levels(posterior, structure), level)
    task = Refit.of(posterior, LABEL, model=replace(posterior.model, structure=structure))
    found = refit_all([task], read, executor=executor, progress=progress)
    pairs = structure.resolve(network).pairs(network)
    return _tabulated(posterior, found, structure, pairs, level)


def _structure(posterior: Posterior, order: Sequence[str] | None) -> UnrelatedMeans:
    """Return unrelated means, on the model's own structure where they cannot stand for it."""
    network, model = posterior.network, posterior.model
    plain = UnrelatedMeans(order=order).resolve(network)
    own = differences(problem(replace(model, structure=plain), network))
    theirs = differences(posterior.problem)
    spanned = directions(own.T).determine(theirs.T[np.abs(theirs).sum(axis=0) > 0]).all()
    return plain if spanned else replace(plain, base=model.structure)


def _base_levels(posterior: Posterior, structure: UnrelatedMeans) -> NDArray[np.float64]:
    """Return what the base, if it stays, says of each pair, (pair, parameter of the base)."""
    pairs = structure.pairs(posterior.network)
    if structure.base is None:
        return np.empty((len(pairs), 0))
    asked = at(posterior, treatments=posterior.network.treatments)
    levels = dict(zip(asked.treatments, asked.levels, strict=True))
    return np.stack([levels[other] - levels[baseline] for baseline, other in pairs])


def _read(base: NDArray[np.float64], level: float, fitted: Posterior) -> Answer:
    contrasts = np.hstack([base, np.eye(len(base))])
    found = functions(fitted, contrasts, level)
    numbers = [found.mean, found.sd, found.lower, found.upper, found.mcse]
    return Answer(np.stack(numbers, axis=1), _fit(fitted, level))


def _fit(posterior: Posterior, level: float) -> dict[str, float]:
    found = dict.fromkeys(FIT, np.nan)
    if is_credible(posterior):
        row = dic(posterior).iloc[0]
        found |= {name: float(row[name]) for name in FIT[:3]}
    if any(scale.name == "tau" for scale in posterior.problem.scales):
        found["tau"] = float(scale_numbers(posterior, "tau", level)[0])
    return found


def _tabulated(
    posterior: Posterior,
    found: Refits[Answer],
    structure: UnrelatedMeans,
    pairs: Sequence[Pair],
    level: float,
) -> Table:
    answer = found.done[LABEL]
    turned = [(other, baseline) for baseline, other in pairs]
    rows = pd.MultiIndex.from_tuples(turned, names=["treatment", "comparator"])
    fits = {"this model": _fit(posterior, level), LABEL: answer.fit}
    numbers = _numbers(posterior, answer, rows, level).assign(
        trials=_trials(posterior, structure, pairs)
    )
    columns = ["trials", *numbers.columns.drop("trials")]
    digits = decimals(numbers["unrelated_sd"].dropna().to_numpy())
    table = Table(
        numbers[columns],
        caption=captioned(
            posterior,
            f"Unrelated means against {type(posterior.model.structure).__name__}, "
            f"{scale_name(posterior)} of treatment versus comparator; "
            f"{interval_words(posterior, level)}s are in columns not printed, such as "
            "unrelated_lower.",
        ),
        notes=[
            *found.notices,
            *_fit_notes(fits),
            *_structure_notes(posterior, structure),
            *briefly(posterior),
        ],
        digits=dict.fromkeys(columns[1:-1], digits) | {"mcse": digits + 2},
        unprinted=[f"{name}{end}" for name in ("unrelated", "network") for end in NUMBERS[2:]],
    )
    table.attrs = {"poor": posterior.poor, "data": posterior.network.caption, "fit": fits}
    return table


def _numbers(
    posterior: Posterior, answer: Answer, rows: pd.MultiIndex, level: float
) -> pd.DataFrame:
    found = estimates(at(posterior, treatments=posterior.network.treatments), list(rows), level)
    table = pd.DataFrame(index=rows)
    own = [found.mean, found.sd, found.lower, found.upper]
    for k, end in enumerate(NUMBERS):
        table[f"unrelated{end}"] = answer.effects[:, k]
    for end, cells in zip(NUMBERS, own, strict=True):
        table[f"network{end}"] = cells
    return table.assign(
        difference=table["unrelated"] - table["network"], mcse=answer.effects[:, -1]
    )


def _trials(posterior: Posterior, structure: UnrelatedMeans, pairs: Sequence[Pair]) -> list[int]:
    """Return how many trials have each pair as baseline and other treatment."""
    trials, baseline = posterior.network.trials, structure.baselines(posterior.network)
    return [
        sum(baseline[study] == a and b in arms for study, arms in trials.items()) for a, b in pairs
    ]


def _fit_notes(fits: Mapping[str, Mapping[str, float]]) -> list[str]:
    here, other = fits["this model"], fits[LABEL]
    if np.isnan(here["DIC"]):
        return ["No deviance, pD or DIC: least squares has no posterior."]
    told = [f"{name} {here[name]:.1f} and {other[name]:.1f}" for name in FIT[:3]]
    if not np.isnan(here["tau"]):
        told.append(f"median tau {here['tau']:.3g} and {other['tau']:.3g}")
    change = other["DIC"] - here["DIC"]
    return [f"This model and unrelated means: {', '.join(told)}.", _preference(change)]


def _preference(change: float) -> str:
    """Return what a change of DIC to unrelated means says, and what it does not."""
    size = f"{abs(change):.1f}"
    if change <= -SAY:
        return f"DIC prefers unrelated means by {size}, although they spend more parameters."
    none = "That does not show consistency: unrelated means pay for more parameters."
    if change < SAY:
        return f"DIC differs by {size}, too little to prefer either. {none}"
    return f"DIC prefers this model by {size}. {none}"


def _structure_notes(posterior: Posterior, structure: UnrelatedMeans) -> list[str]:
    network = posterior.network
    notes = []
    if any(len(arms) > 2 for arms in network.trials.values()):
        order = ", ".join(structure.order or ())
        notes.append(
            f"With multi-arm trials the numbers depend on who is baseline; order: {order}."
        )
    if structure.base is not None:
        name = type(posterior.model.structure).__name__
        notes.append(f"The parameters of {name} stay, and each pair has an effect of its own too.")
    edges, nodes = network.graph.number_of_edges(), network.graph.number_of_nodes()
    if edges - nodes + len(network.components) == 0:
        notes.append(
            "No loop: every pair is told by its own trials, and both models are the same but for "
            "their priors."
        )
    return notes
