"""How precisely a trial of a given size measures differences between its arms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nma.errors import ModelError, nearest, shown
from nma.links import LINKS
from nma.points import is_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior

__all__ = ["Measurement", "PerArm", "contrasted", "measured", "reading", "sizes"]

PerArm = float | Mapping[str, float]
"""One number for all arms, or one for each by name."""

SD, BASELINE, EXPOSURE = "sd", "baseline", "exposure"

NEEDS = {
    "SMD": (),
    "ROM": (SD, BASELINE),
    "OR": (BASELINE,),
    "RR": (BASELINE,),
    "RD": (BASELINE,),
    "HR": (BASELINE,),
    "IRR": (BASELINE, EXPOSURE),
}
"""What must be known of people to tell how precise a trial is, by measure; else their sd."""

MEANS = {
    SD: "the standard deviation between people",
    BASELINE: "what the reference treatment leads to",
    EXPOSURE: "the time for which each person is followed",
}

PROBABILITIES = ("OR", "RR", "RD", "HR")

PER_PERSON: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "OR": lambda p: 1 / (p * (1 - p)),
    "RR": lambda p: (1 - p) / p,
    "RD": lambda p: p * (1 - p),
    "HR": lambda p: p / ((1 - p) * np.log1p(-p) ** 2),
}
"""Variance of an arm's estimate on the scale of the model, times people, given its probability."""


@final
@dataclass(frozen=True, eq=False)
class Measurement:
    """What is known of the people of a trial.

    Parameters
    ----------
    measure : str
        That of the effects.
    mean : array, (parameter,)
        Posterior mean of beta, at which the levels of arms are taken.
    reference : array, (parameter,)
        Level of the treatment that ``baseline`` is of.
    sd, exposure : number or mapping, optional
        By arm.
    baseline : float, optional
        A probability, a rate or a mean.
    """

    measure: str
    mean: NDArray[np.float64]
    reference: NDArray[np.float64]
    sd: PerArm | None
    baseline: float | None
    exposure: PerArm | None

    def covariance(
        self, levels: NDArray[np.float64], people: NDArray[np.float64], names: Sequence[str]
    ) -> NDArray[np.float64]:
        """Return the sampling covariance of later arms minus the first.

        Parameters
        ----------
        levels : array, (arm, parameter)
            z of every arm.
        people : array, (arm,)
            How many are in it.
        names : sequence of str
            What the arms are called.

        Raises
        ------
        ModelError
            If an arm would lead to what is no probability.
        """
        effect = (levels - self.reference) @ self.mean
        V = contrasted(np.diag(self._per_person(effect, names) / people))
        if self.measure == "SMD":
            against = effect[1:] - effect[0]
            V += np.outer(against, against) / (2 * people.sum())
        return V

    def _per_person(self, effect: NDArray[np.float64], names: Sequence[str]) -> NDArray[np.float64]:
        """Return the variance of every arm's estimate, times people."""
        if self.measure == "SMD":
            return np.ones(len(names))
        if self.measure not in NEEDS:
            return np.square(sizes(self.sd, names, SD))
        link, level = LINKS[self.measure], self.baseline
        of_arm = np.asarray(link.inverse(link.link(np.float64(level or 0.0)) + effect))
        if self.measure == "ROM":
            return np.asarray(np.square(sizes(self.sd, names, SD) / of_arm))
        if self.measure == "IRR":
            return np.asarray(1 / (of_arm * sizes(self.exposure, names, EXPOSURE)))
        self._require_probabilities(of_arm, names)
        return np.asarray(PER_PERSON[self.measure](of_arm))

    def _require_probabilities(self, found: NDArray[np.float64], names: Sequence[str]) -> None:
        beyond = [
            f"{shown(name)} to {value:.3g}"
            for name, value in zip(names, found, strict=True)
            if not 0 < value < 1
        ]
        if beyond:
            message = (
                f"With baseline={self.baseline:g} the {self.measure} leads {', '.join(beyond)}, "
                "which is no probability: state another baseline, or model odds ratios."
            )
            raise ModelError(message)


def measured(
    posterior: Posterior, sd: PerArm | None, baseline: float | None, exposure: PerArm | None
) -> Measurement:
    """Return what is known of the people of a trial, or say what is missing.

    Raises
    ------
    ModelError
        If what the measure needs is not given, something it has no use for is, or a baseline is
        none.
    """
    measure = posterior.network.measure
    given = {SD: sd, BASELINE: baseline, EXPOSURE: exposure}
    _require_needed(measure, given)
    if baseline is not None:
        _require_baseline(measure, baseline)
    reference = posterior.levels[posterior.position(posterior.comparator)]
    return Measurement(measure, _mean(posterior), reference, sd, baseline, exposure)


def _require_needed(measure: str, given: Mapping[str, Any]) -> None:
    needs = NEEDS.get(measure, (SD,))
    missing = [name for name in needs if given[name] is None]
    extra = [name for name, value in given.items() if value is not None and name not in needs]
    faults = []
    if missing:
        listed = " and ".join(f"{name}= ({MEANS[name]})" for name in missing)
        faults.append(f"how precise a trial of {measure} is depends on {listed}: give it")
    if extra:
        why = " counts in standard deviations already" if measure == "SMD" else " has no use for it"
        faults.append(
            f"{' and '.join(f'{name}=' for name in extra)} must be left out: {measure}{why}"
        )
    if faults:
        message = f"{'; '.join(faults)}.".replace("how", "How", 1) if missing else f"{faults[0]}."
        raise ModelError(message)


def _require_baseline(measure: str, baseline: Any) -> None:
    top = 1.0 if measure in PROBABILITIES else np.inf
    if not is_number(baseline) or not 0 < baseline < top:
        kind = "a probability between 0 and 1" if top == 1 else "a rate or mean above zero"
        message = f"baseline={shown(baseline)} must be {kind}: {MEANS[BASELINE]}."
        raise ModelError(message)


def _mean(posterior: Posterior) -> NDArray[np.float64]:
    moments = posterior.draws.moments
    if moments is not None:
        return np.asarray(moments.weight @ moments.mean)
    return np.asarray(posterior.draws.values["beta"].to_numpy().mean(axis=(0, 1)))


def reading(posterior: Posterior) -> tuple[str, ...]:
    """Return how a new trial is read, in words."""
    measure = posterior.network.measure
    if measure not in NEEDS:
        return ()
    links = (source.outcome.absolute_link for source in posterior.network.sources)
    if measure == "SMD" and any(link is not None and link.level == "probability" for link in links):
        return ("The trial is taken to report means; ordered categories would tell less.",)
    if measure == "SMD":
        return ()
    said = (
        "The new trial is read as normal; its standard errors are those at the posterior means of "
        "the effects."
    )
    return (said,)


def contrasted(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the covariance of later arms minus the first from that of the arms."""
    turn = np.column_stack([-np.ones(len(covariance) - 1), np.eye(len(covariance) - 1)])
    return np.asarray(turn @ covariance @ turn.T)


def sizes(given: PerArm | None, names: Sequence[str], what: str = "n") -> NDArray[np.float64]:
    """Return one number above zero for each arm.

    Raises
    ------
    ModelError
        If one is missing or not above zero.
    """
    if isinstance(given, Mapping):
        missing = [name for name in names if name not in given]
        if missing:
            hints = [f"{shown(name)}.{nearest(name, given)}" for name in missing]
            message = f"{what}= has no number for {' '.join(hints)}"
            raise ModelError(message)
        values: list[Any] = [given[name] for name in names]
    else:
        values = [given] * len(names)
    wrong = [value for value in values if not _is_above_zero(value)]
    if wrong:
        message = f"{what}={shown(wrong[0])}: every arm needs a number above zero."
        raise ModelError(message)
    return np.array(values, dtype=float)


def _is_above_zero(value: Any) -> bool:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return bool(number and np.isfinite(value) and value > 0)
