"""Bubbles: what each trial says against its covariate, and the line that the model draws."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nma.checks._restricted import told_by_trial
from nma.errors import shortened
from nma.estimates import functions, interval_words, require_level
from nma.heterogeneity import Random
from nma.model import Model, part_names, problem
from nma.normal_evidence import NormalEvidence
from nma.plots._bubble_asked import asked_of
from nma.plots._bubble_drawing import draw, is_cut
from nma.plots._figure import figure
from nma.plots._text import require_posterior, words
from nma.posterior import at
from nma.priors import Fixed, Normal
from nma.structures import Consistency
from nma.structures._covariates import by_trial, named
from nma.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from nma.checks._restricted import Told
    from nma.plots._bubble_asked import Asked
    from nma.posterior import Posterior

__all__ = ["bubble"]

STEPS = 60
"""Steps of the line."""

LISTED = 6
"""Trials that are named where they are not drawn."""

PLAIN = Model(Consistency(Normal(0, 1)), Random(Fixed(0.0)))
"""What reading trials as contrasts needs of a model; its priors are not used."""


def marks(
    posterior: Posterior,
    *,
    covariate: str | None = None,
    treatment: str | None = None,
    comparator: str | None = None,
    level: float = 0.95,
) -> Table:
    """Return what a bubble plot shows.

    Parameters
    ----------
    posterior, covariate, treatment, comparator, level
        As ``nma.plots.bubble`` takes them.

    Returns
    -------
    Table
        ``mark`` is "trial" for a trial that compares the two, with its ``study``, "line" for the
        model; ``x`` is the value of the covariate, ``estimate``, ``lower`` and ``upper`` are in the
        measure's own numbers, and ``precision`` is 1/se^2 of a trial on the scale of the model.

    Raises
    ------
    ModelError
        As ``nma.plots.bubble`` does.
    """
    require_posterior(posterior, "bubble")
    require_level(level)
    asked = asked_of(posterior, covariate, treatment, comparator, level)
    told, values = _told(asked), by_trial(asked.network, asked.covariate, missing="model")
    shown = {study: told[study] for study in told if values[study] is not None}
    rows = pd.concat([_trials(asked, shown, values), _line(asked, values)], ignore_index=True)
    if asked.network.ratio:
        rows = rows.assign(**{name: np.exp(rows[name]) for name in ("estimate", "lower", "upper")})
    found = Table(rows, caption=f"{_title(asked)} by {asked.covariate}.")
    beyond = is_cut(rows, ratio=asked.network.ratio)
    found.attrs = _words(asked, [*_absent(asked, told, values), *_beyond(cut=beyond)])
    return found


def _told(asked: Asked) -> Told:
    """Return what each trial that compares the two says of them, and its variance."""
    normal = asked.network.as_normal()
    evidence = NormalEvidence(normal, problem(PLAIN, normal), (), math.nan)
    return told_by_trial(evidence, evidence.by_trial(0.0), (asked.treatment, asked.comparator))


def _trials(asked: Asked, told: Told, values: dict[str, Any]) -> pd.DataFrame:
    """Return a row for each trial."""
    estimate, variance = np.array([*told.values()], float).reshape(-1, 2).T
    half = np.sqrt(variance) * -_quantile((1 - asked.level) / 2)
    x = [named(values[study]) if asked.categories else values[study] for study in told]
    return pd.DataFrame(
        {
            "mark": "trial",
            "study": [*told],
            "x": pd.Series(x, dtype=object if asked.categories else float),
            "estimate": estimate,
            "lower": estimate - half,
            "upper": estimate + half,
            "precision": 1 / variance,
        }
    )


def _quantile(probability: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(probability))


def _line(asked: Asked, values: dict[str, Any]) -> pd.DataFrame:
    """Return the effect at each of the values between the trials' lowest and highest."""
    known = [value for value in values.values() if value is not None]
    x: Any = asked.categories or np.linspace(min(known), max(known), STEPS + 1)
    found = functions(asked.posterior, _levels(asked, list(x)), asked.level)
    return pd.DataFrame(
        {
            "mark": "line",
            "study": "",
            "x": pd.Series(list(x), dtype=object if asked.categories else float),
            "estimate": found.mean,
            "lower": found.lower,
            "upper": found.upper,
            "precision": np.nan,
        }
    )


def _levels(asked: Asked, x: Sequence[float | str]) -> NDArray[np.float64]:
    """Return levels of the treatment less those of the comparator, (value, parameter)."""
    pair = at(
        asked.posterior, treatments=[asked.treatment, asked.comparator], **{asked.covariate: x[0]}
    )
    arms = [pair.targets.assign(**{asked.covariate: value}) for value in x]
    z = asked.posterior.model.structure.levels(asked.network, pd.concat(arms, ignore_index=True))
    return np.asarray(z[::2] - z[1::2])


def _title(asked: Asked) -> str:
    return f"{asked.network.measure} of {asked.treatment} versus {asked.comparator}"


def _words(asked: Asked, notes: Sequence[str]) -> dict[Hashable, Any]:
    """Return what the picture says."""
    pair = at(asked.posterior, treatments=[asked.treatment, asked.comparator])
    others = replace(pair, targets=pair.targets.drop(columns=[asked.covariate])).conditions
    said = words(pair, " ".join([_key(asked), *notes]))
    return said | {
        "data": f"{others} {said['data']}".strip(),
        "title": _title(asked),
        "covariate": asked.covariate,
        "categories": asked.categories,
    }


def _beyond(*, cut: bool) -> list[str]:
    return ["The interval goes on beyond the axis."] * cut


def _key(asked: Asked) -> str:
    structure = part_names(asked.posterior.model)["structure"]
    line = "Bar and box" if asked.categories else "Line and band"
    null = "1" if asked.network.ratio else "0"
    side = "Below" if asked.network.better == "lower" else "Above"
    return (
        "Circle: what a trial says of the two by itself, its area the precision, dots the least. "
        f"{line}: the mean effect by {structure}, from all trials, with its "
        f"{interval_words(asked.posterior, asked.level)}. {side} {null} favours {asked.treatment}."
    )


def _absent(asked: Asked, told: Told, values: dict[str, Any]) -> list[str]:
    """Return which trials are not drawn, and why."""
    pair = {asked.treatment, asked.comparator}
    direct = [study for study, arms in asked.network.trials.items() if pair <= set(arms)]
    others = len(asked.network.trials) - len(direct)
    silent = [study for study in direct if study not in told]
    blank = [study for study in told if values[study] is None]
    said = []
    if not direct:
        said.append("No trial compares the two.")
    if others:
        many = (
            "1 trial of another comparison"
            if others == 1
            else f"{others} trials of other comparisons"
        )
        said.append(f"Without a circle: {many}, on which the line rests too.")
    if blank:
        said.append(f"No value of {asked.covariate}: {_listed(blank)}.")
    if silent:
        said.append(f"Set aside as contrasts, without an estimate: {_listed(silent)}.")
    return said


def _listed(studies: Sequence[str]) -> str:
    more = len(studies) - LISTED
    rest = f" and {more} more" if more > 0 else ""
    return ", ".join(shortened(study) for study in studies[:LISTED]) + rest


@figure(marks, draw)
def bubble(
    posterior: Posterior,
    *,
    covariate: str | None = None,
    treatment: str | None = None,
    comparator: str | None = None,
    level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw what trials say of two treatments against a covariate, and the regression through them.

    A circle is a trial that compares the two, its area the precision of its estimate; the line is
    the mean effect in the model, with its interval. Trials of other comparisons are not drawn,
    though the line rests on them too, and the foot says how many they are. A covariate of names
    has a column for each category. Ratio measures stand on a log axis.

    Parameters
    ----------
    posterior : Posterior
        A fitted model with a covariate, such as ``structures.Regression``.
    covariate : str, optional
        One of the model's; not needed where it has one.
    treatment : str, optional
        The one that most trials compare with the comparator if not given.
    comparator : str, optional
        The network's reference if not given.
    level : float, default 0.95
        Probability of the equal-tailed interval.
    ax : Axes, optional
        Where to draw. A figure of its own if not given.

    Returns
    -------
    Axes
        Shows itself in a notebook; ``.figure.savefig("bubble.svg")`` writes a file.

    Raises
    ------
    ModelError
        If the model has no such covariate, or a treatment is unknown.
    DataError
        If arms of one trial differ in the covariate.

    Examples
    --------
    >>> import nma
    >>> structure = nma.structures.Regression(
    ...     nma.structures.Consistency(), "latitude", control="unvaccinated"
    ... )
    >>> posterior = nma.fit(nma.datasets.network("bcg").as_normal(), nma.Model(structure))
    >>> nma.plots.bubble(posterior).get_xlabel()
    'latitude'
    >>> nma.plots.bubble.marks(posterior)["mark"].value_counts().to_dict()
    {'line': 61, 'trial': 13}

    References
    ----------
    Thompson and Higgins 2002, doi:10.1002/sim.1187.
    """
    found = marks(
        posterior, covariate=covariate, treatment=treatment, comparator=comparator, level=level
    )
    return draw(found, ax=ax)
