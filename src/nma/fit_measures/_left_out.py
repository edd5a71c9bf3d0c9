"""What a model says of data it has not seen: each study, or each data point, left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd

from nma import _arviz, graph
from nma.estimates import captioned
from nma.fit_measures._points import labelled
from nma.fit_measures._values import Values, require_proper, strata
from nma.integrated import not_integrable
from nma.least_squares import log_normal
from nma.posterior import require_posterior
from nma.problem import Contrasts, arm_parts
from nma.tables import Table
from nma.threads import one_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.network import Network
    from nma.posterior import Posterior
    from nma.problem import Evidence

__all__ = ["leave_one_study_out", "pointwise"]

HIGH = 0.7
"""Pareto k above which importance sampling is not to be relied on (Vehtari et al. 2024)."""

SINGULAR = 1e-9
"""Share of a trial's precision that the others leave, below which it is found by refitting."""


def pointwise(posterior: Posterior) -> Table:
    r"""Return how well each data point is predicted, with it in the fit and without.

    .. math:: \mathrm{lpd}_j = \log p(y_j^{\text{new}} = y_j \mid y), \qquad
       \mathrm{loo}_j = \log p(y_j \mid y_{-j})

    Normal contrasts are taken trial by trial, random effects integrated out; arms with a
    likelihood of their own one by one, given their trial's other arms. Where the posterior is
    exact so are both; from draws, loo is by Pareto-smoothed importance sampling.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.

    Returns
    -------
    Table
        One line for each trial of normal contrasts and each arm: ``study``, ``treatment``,
        ``rows`` (the user's), ``lpd``, ``loo``, ``p_loo`` (their difference, the effective
        parameters it takes) and ``pareto_k``, NaN where exact: above 0.7, loo is not to be
        relied on.

    Raises
    ------
    ModelError
        If the answer is no posterior, such as least squares.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> table = nma.fit_measures.pointwise(posterior)
    >>> table.loc[table["loo"].idxmin(), "study"]
    'Unsgaard-Tondel 2010'

    References
    ----------
    Vehtari, Gelman and Gabry 2017, doi:10.1007/s11222-016-9696-4.
    """
    require_posterior(posterior, "pointwise")
    require_proper(posterior)
    found = _predicted(posterior)
    labels = _labels(posterior)
    table = labels.drop(columns=["points", "position"]).assign(**found.columns)
    table = table.iloc[np.argsort(labels["position"].to_numpy(), kind="stable")]
    total, spread = _total(found.loo)
    made = Table(
        table.reset_index(drop=True),
        caption=captioned(
            posterior,
            f"Log predictive density of data left out: {total:.1f} (standard error {spread:.1f}); "
            "more is better among models of the same data.",
        ),
        notes=_notes(posterior, found.pareto_k, "data points"),
    )
    made.attrs.update(elpd_loo=total, se=spread, p_loo=float((found.lpd - found.loo).sum()))
    return made


def leave_one_study_out(posterior: Posterior) -> Table:
    r"""Return how well all other trials predict each trial.

    At each node of the scales, with :math:`R = V + C` and :math:`S = X \Sigma X'`,

    .. math:: \log p(y_i \mid y_{-i}) = -\log \sum_g w_g / p(y_i \mid y_{-i}, \tau_g),

    .. math:: \log p(y_i \mid y_{-i}, \tau) = -\tfrac12 (k \log 2\pi + 2 \log|R|
       - \log|R - S| + r'(R - S)^{-1} r), \qquad r = y_i - X_i b

    which is exact: the log evidence minus that of a refit of the resolved model without the
    trial. From draws it is found by Pareto-smoothed importance sampling, with the level and the
    random effects of each trial integrated out; where arms of a trial share random effects, given
    those that were drawn, and Pareto k is then high.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.

    Returns
    -------
    Table
        One line for each trial: ``study``, ``treatments``, ``log_density``, ``pareto_k`` (NaN
        where exact) and ``disconnects``, whether the others leave its treatments unconnected, so
        that the prior predicts it.

    Raises
    ------
    ModelError
        If the answer is no posterior, such as least squares.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("parkinson"))
    >>> table = nma.fit_measures.leave_one_study_out(posterior)
    >>> table.loc[table["disconnects"], "study"].tolist()
    []

    References
    ----------
    Vehtari, Gelman and Gabry 2017, doi:10.1007/s11222-016-9696-4, on importance sampling;
    Vehtari et al. 2024, Journal of Machine Learning Research 25(72), on Pareto k.
    """
    require_posterior(posterior, "leave_one_study_out")
    require_proper(posterior)
    found = _by_study(posterior)
    network, studies = posterior.network, _studies(posterior)
    counts = _pairs(network)
    cut = [_disconnects(network, counts, study) for study in studies]
    total, spread = _total(found.loo)
    made = Table(
        {
            "study": studies,
            "treatments": [", ".join(network.trials[study]) for study in studies],
            "log_density": found.loo,
            "pareto_k": found.pareto_k,
            "disconnects": cut,
        },
        caption=captioned(
            posterior,
            f"Log predictive density of each trial given the others: {total:.1f} in all (standard "
            f"error {spread:.1f}); more is better among models of the same data.",
        ),
        notes=(*_notes(posterior, found.pareto_k, "trials"), *_prior_driven(studies, cut)),
    )
    made.attrs.update(elpd=total, se=spread)
    return made


@final
@dataclass(frozen=True, eq=False)
class _Predicted:
    """Log predictive densities with the data in the fit and without, and Pareto k, (unit,)."""

    lpd: NDArray[np.float64]
    loo: NDArray[np.float64]
    pareto_k: NDArray[np.float64]

    @property
    def columns(self) -> dict[str, Any]:
        return {
            "lpd": self.lpd,
            "loo": self.loo,
            "p_loo": self.lpd - self.loo,
            "pareto_k": self.pareto_k,
        }


def _total(loo: NDArray[np.float64]) -> tuple[float, float]:
    """Return the sum and its standard error, over data that might have been others."""
    spread = np.sqrt(len(loo)) * loo.std(ddof=1) if len(loo) > 1 else np.nan
    return float(loo.sum()), float(spread)


def _notes(posterior: Posterior, k: NDArray[np.float64], what: str) -> tuple[str, ...]:
    if posterior.draws.moments is not None:
        return ("Exact: no Monte Carlo error.",)
    bad = int((k > HIGH).sum())
    found = ["From draws, by Pareto-smoothed importance sampling."]
    if bad:
        found.append(
            f"NOT RELIABLE for {bad} of {len(k)} {what}: Pareto k above {HIGH}, so the draws are "
            "too far from what they would be without them."
        )
    return tuple(found)


def _labels(posterior: Posterior) -> pd.DataFrame:
    arms = arm_parts(posterior.problem)
    parts = enumerate(posterior.problem.evidence)
    told = [labelled(posterior, part, by_arm=number in arms) for number, part in parts]
    return pd.concat(told, ignore_index=True)


def _studies(posterior: Posterior) -> list[str]:
    """Return the trials that have evidence, in the network's order."""
    having = set(_labels(posterior)["study"])
    return [study for study in posterior.network.trials if study in having]


def _predicted(posterior: Posterior) -> _Predicted:
    """Return what is said of each trial of normal contrasts and each arm, part by part."""
    if posterior.draws.moments is not None:
        return _exact(posterior)
    return _sampled(*_log_densities(posterior, by_study=False)[:2])


def _by_study(posterior: Posterior) -> _Predicted:
    """Return what is said of each trial, in the network's order."""
    places = {study: k for k, study in enumerate(_studies(posterior))}
    if posterior.draws.moments is None:
        inside, outside, studies = _log_densities(posterior, by_study=True)
        place = np.array([places[study] for study in studies])
        member = (place[:, None] == np.arange(len(places))).astype(float)
        return _sampled(inside @ member, outside @ member)
    place = np.array([places[study] for study in _labels(posterior)["study"]])
    found = _exact(posterior)
    order = np.argsort(place)
    return _Predicted(found.lpd[order], found.loo[order], found.pareto_k[order])


def _exact(posterior: Posterior) -> _Predicted:
    """Return the exact densities of the trials of all parts, one part after another."""
    from scipy.special import logsumexp

    inside, outside, weights = [], [], []
    with one_thread(), np.errstate(divide="ignore"):
        for values in strata(posterior):
            parts = [p for p in posterior.problem.evidence if isinstance(p, Contrasts)]
            pairs = [_given_scales(values, part) for part in parts]
            inside.append(np.concatenate([pair[0] for pair in pairs], axis=1))
            outside.append(np.concatenate([pair[1] for pair in pairs], axis=1))
            weights.append(np.log(values.weight))
    weight = np.concatenate(weights)[:, None]
    lpd = logsumexp(weight + np.concatenate(inside), axis=0)
    loo = -logsumexp(weight - np.concatenate(outside), axis=0)
    lost = np.flatnonzero(~np.isfinite(loo))
    loo[lost] = [_refitted(posterior, int(trial)) for trial in lost]
    return _Predicted(lpd, loo, np.full(len(loo), np.nan))


def _given_scales(
    values: Values, part: Contrasts
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return at each node the log density of trials seen again, and of trials left out.

    NaN where the others leave so little of a trial's precision that rounding would tell it.
    """
    R = part.V + values.heterogeneity(part)
    S, residual = values.uncertainty(part), values.residual(part)
    again = log_normal(R + S, residual)
    share = np.linalg.eigvals(np.linalg.solve(R, S)).real.max(axis=-1)
    told = share < 1 - SINGULAR
    left = np.where(told[..., None, None], R - S, np.eye(R.shape[-1]))
    log_R = np.linalg.slogdet(R)[1]
    # the normal density with R - S for covariance has log|R - S| once too often, the other way
    out = log_normal(left, residual) + np.linalg.slogdet(left)[1] - log_R
    return again, np.where(told, out, np.nan)


def _refitted(posterior: Posterior, trial: int) -> float:
    """Return the log evidence minus that of the same problem without one trial."""
    evidence: list[Evidence] = []
    for part in posterior.problem.evidence:
        size = len(part.arms)
        kept = np.arange(size) != trial
        trial -= size
        evidence.append(part if kept.all() else _some(part, kept))
    draws = posterior.engine.sample(replace(posterior.problem, evidence=tuple(evidence)))
    with_it, without = posterior.draws.moments, draws.moments
    if with_it is None or without is None:
        return float("nan")
    return with_it.log_evidence - without.log_evidence


def _some(part: Evidence, kept: NDArray[np.bool_]) -> Contrasts:
    """Return some trials of a part."""
    assert isinstance(part, Contrasts)  # noqa: S101  only these have moments
    reported = None if part.reported is None else part.reported[:, kept]
    return Contrasts(part.arms[kept], part.y[kept], part.V[kept], reported)


def _log_densities(
    posterior: Posterior, *, by_study: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[str]]:
    """Return log densities of units seen again and left out, and the trial of each unit.

    Units are trials of normal contrasts and arms; trials throughout where ``by_study`` and what
    is within trials can be integrated out.
    """
    problem, chains = posterior.problem, posterior.draws.values.sizes["chain"]
    suffixes, whole = arm_parts(problem), not_integrable(problem) is None
    batches = []
    with one_thread():
        for values in strata(posterior):
            told = [
                _densities(values, part, suffixes.get(number, ""), whole=whole, by_study=by_study)
                for number, part in enumerate(problem.evidence)
            ]
            batches.append([np.concatenate(side, axis=1) for side in zip(*told, strict=True)])
    inside, outside = (np.concatenate(side) for side in zip(*batches, strict=True))
    shape = (chains, -1, inside.shape[1])
    units = [_first_arms(part, by_trial=whole and by_study) for part in problem.evidence]
    studies = problem.arms["study"].to_numpy()[np.concatenate(units)]
    return inside.reshape(shape), outside.reshape(shape), studies.tolist()


def _densities(
    values: Values, part: Evidence, suffix: str, *, whole: bool, by_study: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return log densities of a part's units, seen again and left out, (value, unit)."""
    if isinstance(part, Contrasts):
        both = log_normal(part.V + values.heterogeneity(part), values.residual(part))
    elif whole and not by_study:
        return values.without(part, suffix)
    elif whole:
        both = values.log_likelihood(part, suffix)
    else:
        eta, auxiliary = values.predictor(part, suffix), values.auxiliary(part, suffix)
        both = np.asarray(part.density(eta, auxiliary, part.data, np))
    return both, both


def _first_arms(part: Evidence, *, by_trial: bool) -> NDArray[np.int64]:
    """Return the first arm of each unit of a part, as a position in the problem's arms."""
    if isinstance(part, Contrasts):
        return part.arms[:, 0]
    return part.arms[np.unique(part.trial, return_index=True)[1]] if by_trial else part.arms


def _sampled(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> _Predicted:
    """Return estimates from log densities in every draw, (chain, draw, unit)."""
    from scipy.special import logsumexp

    log_weight, k = _arviz.pareto_smoothed(-outside)
    lpd = logsumexp(inside, axis=(0, 1)) - np.log(inside[..., 0].size)
    loo = logsumexp(log_weight + outside, axis=(0, 1))
    return _Predicted(lpd, loo, k)


def _disconnects(network: Network, counts: Counter[tuple[str, str]], study: str) -> bool:
    """Return whether a trial's treatments are not connected by the other trials."""
    arms = network.trials[study]
    if all(counts[pair] > 1 for pair in pairwise(arms)):
        return False
    left = {name: others for name, others in network.trials.items() if name != study}
    if not left:
        return True
    parts = graph.components(graph.evidence_graph(left))
    return not any(set(arms) <= set(part) for part in parts)


def _pairs(network: Network) -> Counter[tuple[str, str]]:
    """Return how many trials compare each pair of treatments."""
    return Counter(pair for arms in network.trials.values() for pair in combinations(arms, 2))


def _prior_driven(studies: list[str], cut: list[bool]) -> list[str]:
    names = [study for study, is_cut in zip(studies, cut, strict=True) if is_cut]
    if not names:
        return []
    shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    verb = "alone connects its treatments" if len(names) == 1 else "alone connect their treatments"
    return [f"{shown} {verb}: left out, the prior predicts them, and its width enters the sum."]
