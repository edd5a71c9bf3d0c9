"""The truth that simulated trials are drawn from: stated, or drawn from a prior or a posterior."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nma.errors import ModelError, nearest, shown
from nma.points import is_number
from nma.priors import Invertible, Prior, QuantilePrior
from nma.problem import arm_parts
from nma.span import directions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior
    from nma.problem import Arms, Parameters, Scale

__all__ = ["Unknown", "draw", "from_posterior", "from_prior", "stated"]

AGREE = 1e-9
"""Share of the largest number by which statements that say the same may differ."""


@final
@dataclass(frozen=True, eq=False)
class Unknown:
    """All that the numbers of a network depend on, before any of it is known.

    Parameters
    ----------
    parameters : Parameters
        Of the structure.
    scales : tuple of Scale
        Those of the heterogeneity and of the parameters.
    nuisance : mapping of str to Prior or None
        What the outcomes need besides, such as distances of cut-points.
    treatments : tuple of str
        Of the network.
    relative : callable
        ``relative(treatment, comparator)``: that effect as a function of beta, (parameter,);
        ModelError where the structure has none.
    """

    parameters: Parameters
    scales: tuple[Scale, ...]
    nuisance: Mapping[str, Prior | None]
    treatments: tuple[str, ...]
    relative: Callable[[str, str], NDArray[np.float64]]

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, in order: parameters, scales, nuisance."""
        return (*self.parameters.names, *(scale.name for scale in self.scales), *self.nuisance)

    @property
    def is_free(self) -> NDArray[np.bool_]:
        """Which parameters no scale multiplies: these must be told, the others can be drawn."""
        return np.array([name is None for name in self.parameters.scale], dtype=bool)

    def require_distinct(self) -> None:
        """Refuse models in which one name means two things."""
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            message = f"{', '.join(map(repr, twice))} names two things in this model: rename one."
            raise ModelError(message)


def draw(prior: Prior, rng: np.random.Generator) -> float:
    """Return a number drawn from a prior.

    Raises
    ------
    ModelError
        If it tells no quantiles.
    """
    if isinstance(prior, Invertible):
        return prior.quantile(float(rng.random()))
    if isinstance(prior, QuantilePrior):
        return float(prior.at_score(np.asarray(rng.standard_normal())))
    message = f"{prior!r} cannot be drawn from: it has neither `quantile` nor `at_score`."
    raise ModelError(message)


def stated(
    unknown: Unknown, truth: Mapping[str, float], rng: np.random.Generator
) -> dict[str, float]:
    """Return the truth by name, as stated; deviations that are not stated are drawn.

    Parameters
    ----------
    unknown : Unknown
        What must be told.
    truth : mapping of str to float
        By name, or by pair of treatments: ``"exercise vs usual care"``.
    rng : Generator
        Source of deviations that a scale multiplies, given those that are stated.

    Raises
    ------
    ModelError
        With everything that is missing, unknown, contradictory or no number.
    """
    faults = [*_no_numbers(truth), *_out_of_range(unknown, truth), *_untold(unknown, truth)]
    pairs, unknown_keys = _pairs(unknown, truth)
    faults += unknown_keys
    if faults:
        raise ModelError(" ".join([*faults, *_left_open(unknown, truth, pairs)]))
    beta = _solved(unknown, truth, pairs)
    scales = {scale.name: float(truth[scale.name]) for scale in unknown.scales}
    beta = _with_deviations(unknown.parameters, beta, scales, rng)
    nuisance = {name: float(truth[name]) for name in unknown.nuisance}
    return _by_name(unknown, beta, scales, nuisance)


def from_prior(unknown: Unknown, rng: np.random.Generator) -> dict[str, float]:
    """Return a truth drawn from the model's prior.

    Raises
    ------
    ModelError
        If a prior tells no quantiles, or there is none.
    """
    lacking = [name for name, prior in unknown.nuisance.items() if prior is None]
    if lacking:
        message = f"The model has no prior of {', '.join(map(repr, lacking))}: state the truth."
        raise ModelError(message)
    scales = {scale.name: draw(scale.prior, rng) for scale in unknown.scales}
    told = np.full(len(unknown.parameters.names), np.nan)
    beta = _with_deviations(unknown.parameters, told, scales, rng)
    nuisance = {name: draw(prior, rng) for name, prior in unknown.nuisance.items() if prior}
    return _by_name(unknown, beta, scales, nuisance)


def from_posterior(
    unknown: Unknown, posterior: Posterior, rng: np.random.Generator
) -> dict[str, float]:
    """Return one draw of a posterior as the truth.

    Raises
    ------
    ModelError
        If the posterior does not tell, or tells twice, what an outcome needs.
    """
    values = posterior.draws.values
    chain, place = (int(rng.integers(values.sizes[dim])) for dim in ("chain", "draw"))
    one = values.isel(chain=chain, draw=place)
    scales = {scale.name: float(one[scale.name]) for scale in unknown.scales}
    told: dict[str, list[float]] = {name: [] for name in unknown.nuisance}
    for part, suffix in arm_parts(posterior.problem).items():
        auxiliary = _auxiliary(posterior, part)
        scores = one[f"auxiliary{suffix}"].to_numpy().tolist() if auxiliary else []
        for name, score in zip(auxiliary, scores, strict=True):
            prior = unknown.nuisance.get(name)
            if isinstance(prior, QuantilePrior):
                told[name].append(float(prior.at_score(np.asarray(score))))
    unclear = [name for name, found in told.items() if len(found) != 1]
    if unclear:
        message = f"The posterior does not tell one number for {', '.join(map(repr, unclear))}."
        raise ModelError(message)
    nuisance = {name: found[0] for name, found in told.items()}
    return _by_name(unknown, one["beta"].to_numpy(), scales, nuisance)


def _auxiliary(posterior: Posterior, part: int) -> tuple[str, ...]:
    evidence: Arms = posterior.problem.evidence[part]  # type: ignore[assignment]
    return () if evidence.auxiliary is None else evidence.auxiliary.names


def _by_name(
    unknown: Unknown,
    beta: NDArray[np.float64],
    scales: Mapping[str, float],
    nuisance: Mapping[str, float],
) -> dict[str, float]:
    told = dict(zip(unknown.parameters.names, beta.tolist(), strict=True))
    return {**told, **scales, **nuisance}


def _no_numbers(truth: Mapping[str, Any]) -> Iterator[str]:
    for name, value in truth.items():
        if not is_number(value):
            yield f"The truth of {name!r}, {shown(value)}, is not a number."


def _out_of_range(unknown: Unknown, truth: Mapping[str, Any]) -> Iterator[str]:
    """Yield the scales and distances that cannot be."""
    told = {name: truth[name] for name in truth if is_number(truth[name])}
    for scale in unknown.scales:
        if told.get(scale.name, 0) < 0:
            yield f"{scale.name!r} is a standard deviation and cannot be {told[scale.name]:g}."
    for name, prior in unknown.nuisance.items():
        low, high = (0, np.inf) if prior is None else prior.support
        if not low <= told.get(name, low) <= high:
            yield f"{name!r} lies between {low:g} and {high:g}, and cannot be {told[name]:g}."


def _untold(unknown: Unknown, truth: Mapping[str, Any]) -> Iterator[str]:
    """Yield the scales and distances without a truth."""
    lacking = [name for name in unknown.names[len(unknown.parameters.names) :] if name not in truth]
    if lacking:
        yield f"No truth is given for {', '.join(map(repr, lacking))}."


Pairs = Mapping[str, "NDArray[np.float64]"]
"""Effects that are stated by pair of treatments, as functions of beta."""


def _pairs(unknown: Unknown, truth: Mapping[str, Any]) -> tuple[Pairs, list[str]]:
    """Return the stated effects between treatments, and what is wrong with other names."""
    found: dict[str, NDArray[np.float64]] = {}
    faults = []
    for key in truth:
        if key in unknown.names:
            continue
        pair = _as_pair(key, unknown.treatments)
        if pair is None:
            hint = nearest(key, unknown.names)
            faults.append(
                f"{key!r} is no parameter or scale of the model, and no pair of treatments like "
                f"{f'{unknown.treatments[1]} vs {unknown.treatments[0]}'!r}.{hint}"
            )
            continue
        found[key] = unknown.relative(*pair)
        if np.any(found[key][~unknown.is_free]):
            faults.append(
                f"{key!r} holds deviations that a scale multiplies: state parameters instead."
            )
    return found, faults


def _as_pair(key: object, treatments: tuple[str, ...]) -> tuple[str, str] | None:
    """Return treatment and comparator of "treatment vs comparator"."""
    parts = str(key).split(" vs ")
    for k in range(1, len(parts)):
        pair = " vs ".join(parts[:k]).strip(), " vs ".join(parts[k:]).strip()
        if set(pair) <= set(treatments):
            return pair
    return None


def _statements(
    unknown: Unknown, truth: Mapping[str, Any], pairs: Pairs
) -> dict[str, NDArray[np.float64]]:
    """Return what is stated of free parameters as functions of them."""
    free, names = unknown.is_free, unknown.parameters.names
    identity = np.eye(len(names))
    own = {name: identity[k] for k, name in enumerate(names) if free[k] and name in truth}
    return {key: function[free] for key, function in {**own, **pairs}.items()}


def _missing(unknown: Unknown, functions: Mapping[str, NDArray[np.float64]]) -> list[str]:
    """Return the free parameters that the statements leave open."""
    named = zip(unknown.parameters.names, unknown.is_free.tolist(), strict=True)
    free = [name for name, is_free in named if is_free]
    if not functions:
        return free
    determined = directions(np.stack(list(functions.values()))).determine(np.eye(len(free)))
    return [name for name, known in zip(free, determined, strict=True) if not known]


def _left_open(unknown: Unknown, truth: Mapping[str, Any], pairs: Pairs) -> list[str]:
    missing = _missing(unknown, _statements(unknown, truth, pairs))
    return [f"No truth is given for {', '.join(map(repr, missing))}."] if missing else []


def _solved(unknown: Unknown, truth: Mapping[str, float], pairs: Pairs) -> NDArray[np.float64]:
    """Return beta, NaN where a deviation is to be drawn.

    Raises
    ------
    ModelError
        If a free parameter is not told, or statements contradict each other.
    """
    functions = _statements(unknown, truth, pairs)
    faults = _left_open(unknown, truth, pairs)
    beta = np.array([float(truth.get(name, np.nan)) for name in unknown.parameters.names])
    if functions:
        A = np.stack(list(functions.values()))
        b = np.array([float(truth[key]) for key in functions])
        solution = np.linalg.lstsq(A, b, rcond=None)[0]
        if np.abs(A @ solution - b).max() > AGREE * max(1.0, np.abs(b).max()):
            faults.append(f"These contradict each other: {', '.join(map(repr, functions))}.")
        given = np.array([name in truth for name in unknown.parameters.names])
        beta[unknown.is_free] = np.where(given, beta, 0.0)[unknown.is_free]
        beta[unknown.is_free & ~given] = solution[~given[unknown.is_free]]
    if faults:
        raise ModelError(" ".join(faults))
    return beta


def _with_deviations(
    parameters: Parameters,
    told: NDArray[np.float64],
    scales: Mapping[str, float],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return parameters, those that are NaN drawn from their prior given the others."""
    factor = np.array([1.0 if name is None else scales[name] for name in parameters.scale])
    drawn = np.isnan(told)
    known = ~drawn & (factor > 0)
    standard = (told - parameters.mean)[known] / factor[known]
    C = parameters.covariance
    turn = np.linalg.solve(C[np.ix_(known, known)], C[np.ix_(known, drawn)]).T
    left = C[np.ix_(drawn, drawn)] - turn @ C[np.ix_(known, drawn)]
    noise = np.linalg.cholesky(left) @ rng.standard_normal(int(drawn.sum()))
    beta = told.copy()
    beta[drawn] = parameters.mean[drawn] + factor[drawn] * (turn @ standard + noise)
    return beta
