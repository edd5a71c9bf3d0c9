"""Several outcomes of the same treatments, each with a posterior of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from nma.errors import ModelError, nearest, shown
from nma.estimates import is_credible, prior_driven
from nma.new_trial import generator
from nma.posterior import Posterior

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Outcomes", "benefits", "paired", "require_credible"]

INDEPENDENT = (
    "Each outcome has a fit of its own: given the data they are taken as independent, and that the "
    "same people may do well on both is not modelled."
)
"""What is assumed of the posteriors of several outcomes."""


@final
@dataclass(frozen=True, eq=False)
class Outcomes:
    """Posteriors by outcome, and the treatments that all of them have.

    Parameters
    ----------
    posteriors : mapping of str to Posterior
        Each outcome's own.
    treatments : tuple of str
        Those that every outcome has, in the order of the first.
    comparator : str
        One of these.
    notes : tuple of str
        What the reader must know: independence, and treatments that are left out.
    """

    posteriors: Mapping[str, Posterior]
    treatments: tuple[str, ...]
    comparator: str
    notes: tuple[str, ...]

    @classmethod
    def of(
        cls, asked: Mapping[str, Posterior], comparator: str | None = None, *, verb: str
    ) -> Outcomes:
        """Return the outcomes asked about.

        Raises
        ------
        ModelError
            If they are no outcomes, fewer than two, or share no two treatments.
        """
        _require_outcomes(asked, verb)
        for name, posterior in asked.items():
            require_credible(posterior, verb, f"The fit of {shown(name)}")
        first = next(iter(asked.values()))
        others = [set(posterior.treatments) for posterior in asked.values()]
        shared = tuple(name for name in first.treatments if all(name in own for own in others))
        _require_shared(asked, shared)
        against = _comparator(asked, shared, comparator)
        return cls(dict(asked), shared, against, (INDEPENDENT, *_left_out(asked, shared)))

    @property
    def poor(self) -> str:
        """Why the fits must not be relied on, outcome by outcome; empty if nothing says so."""
        said = [f"{p.poor} [{name}]" for name, p in self.posteriors.items() if p.poor]
        return " ".join(said)

    @property
    def data(self) -> str:
        """What the data are."""
        captions = [posterior.network.caption for posterior in self.posteriors.values()]
        return " ".join(dict.fromkeys(filter(None, captions)))

    @property
    def told(self) -> tuple[str, ...]:
        """The notes, and which effects something else than the trials tells."""
        rests = (
            f"{name}: {text}" for name, p in self.posteriors.items() for text in prior_driven(p)
        )
        return (*self.notes, *rests)

    @property
    def others(self) -> tuple[str, ...]:
        """The treatments without the comparator."""
        return tuple(name for name in self.treatments if name != self.comparator)

    def captioned(self, text: str) -> str:
        """Return a caption that first says if a fit is poor, and last what the data are."""
        places = [f"{n}: {p.conditions}" for n, p in self.posteriors.items() if p.conditions]
        return " ".join(part for part in (self.poor, text, *places, self.data) if part)

    def places(self, name: str, treatments: Sequence[str]) -> NDArray[np.int64]:
        """Return where treatments stand among the targets of one outcome."""
        found = [self.posteriors[name].position(treatment) for treatment in treatments]
        return np.array(found, dtype=np.int64)

    def require_named(self, given: Mapping[str, Any], what: str) -> None:
        """Refuse an outcome that is none of these, with the closest name."""
        unknown = [name for name in given if name not in self.posteriors]
        if unknown:
            hints = [
                f"{shown(n)} is no outcome here.{nearest(n, self.posteriors)}" for n in unknown
            ]
            listed = ", ".join(map(shown, self.posteriors))
            message = f"{what}: {' '.join(hints)} The outcomes are {listed}."
            raise ModelError(message)


def _require_outcomes(asked: Any, verb: str) -> None:
    if isinstance(asked, Mapping) and len(asked) > 1:
        wrong = [name for name, value in asked.items() if not isinstance(value, Posterior)]
        unnamed = [name for name in asked if not isinstance(name, str) or not name.strip()]
        if not wrong and not unnamed:
            return
        said = f"No posterior is given for {', '.join(map(shown, wrong))}." if wrong else ""
        message = f"{verb} takes fitted models by the name of their outcome. {said}".rstrip()
        raise ModelError(message)
    given = len(asked) if isinstance(asked, Mapping) else f"a {type(asked).__name__}"
    message = (
        f"{verb} is about two outcomes or more, each with its own fit, by name, and this is "
        f'{given}: {verb}({{"pain": nma.fit(network), "harms": nma.fit(other)}}, ...).'
    )
    raise ModelError(message)


def require_credible(posterior: Posterior, verb: str, whose: str = "This fit") -> None:
    """Refuse estimates that are no posterior: of them nothing is probable.

    Raises
    ------
    ModelError
        With an engine that gives one.
    """
    if not is_credible(posterior):
        message = (
            f"{whose} by {type(posterior.engine).__name__} is no posterior, and {verb} asks what "
            "is probable: fit with nma.engines.Gaussian() or leave engine= out."
        )
        raise ModelError(message)


def _require_shared(asked: Mapping[str, Posterior], shared: Sequence[str]) -> None:
    if len(shared) < 2:
        count = "one treatment" if shared else "no treatment"
        message = (
            f"The outcomes have {count} in common, by name, and a comparison needs two. "
            f"{' '.join(_left_out(asked, shared))}"
        ).rstrip()
        raise ModelError(message)


def _left_out(asked: Mapping[str, Posterior], shared: Sequence[str]) -> list[str]:
    """Return the treatments that not every outcome has, each with what it may be called there."""
    lone: dict[str, list[str]] = {}
    for outcome, posterior in asked.items():
        for name in posterior.treatments:
            if name not in shared:
                lone.setdefault(name, []).append(outcome)
    if not lone:
        return []
    listed = [f"{shown(name)} ({' and '.join(having)})" for name, having in lone.items()]
    hints = [f"{shown(a)} and {shown(b)}" for a, b in _alike(list(lone), asked)]
    same = f" The same treatment, spelled in two ways? {'; '.join(hints)}." if hints else ""
    return [f"Left out, because not every outcome has them: {', '.join(listed)}.{same}"]


def _alike(lone: Sequence[str], asked: Mapping[str, Posterior]) -> list[tuple[str, str]]:
    """Return pairs of names, never in one outcome together, that differ by case or spaces only."""
    pairs = [(a, b) for k, a in enumerate(lone) for b in lone[k + 1 :] if _folded(a) == _folded(b)]
    together = [set(posterior.treatments) for posterior in asked.values()]
    return [(a, b) for a, b in pairs if not any({a, b} <= names for names in together)]


def _folded(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())


def _comparator(
    asked: Mapping[str, Posterior], shared: Sequence[str], comparator: str | None
) -> str:
    """Return the comparator: as asked, else that of the first outcome whose all of them have."""
    if comparator is None:
        own = (posterior.comparator for posterior in asked.values())
        return next((name for name in own if name in shared), shared[0])
    if comparator not in shared:
        having = [outcome for outcome, p in asked.items() if comparator in p.treatments]
        some = f" Only {' and '.join(map(shown, having))} has it." if having else ""
        message = (
            f"{shown(comparator)} is not among the treatments that all outcomes have: "
            f"{', '.join(map(shown, shared))}.{some or nearest(comparator, shared)}"
        )
        raise ModelError(message)
    return comparator


def benefits(posterior: Posterior, places: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return draws of levels on the scale of the model, more is better, (chain, draw, place)."""
    levels = posterior.draws.values["beta"].to_numpy() @ posterior.levels[places].T
    return -levels if posterior.network.better == "lower" else np.asarray(levels)


def paired(values: Sequence[NDArray[np.float64]], seed: int) -> list[NDArray[np.float64]]:
    """Return draws of separate fits side by side, each (chain, draw, ...) of one common size.

    Within chains the draws of all but the first are shuffled: two fits with one seed have their
    draws in step, and side by side these would pass for correlated. Fits with more chains than
    the others have them joined, and those with more draws are cut to the common number.

    Parameters
    ----------
    values : sequence of array, (chain, draw, ...)
        Draws of each fit.
    seed : int
        The same seed gives the same pairing.
    """
    chains = min(len(drawn) for drawn in values)
    joined = [[np.concatenate(drawn[chain::chains]) for chain in range(chains)] for drawn in values]
    size = min(len(chain) for drawn in joined for chain in drawn)
    rng = generator(seed, purpose=8)
    found = []
    for k, drawn in enumerate(joined):
        parts = [c[rng.permutation(len(c))] if k or len(c) > size else c for c in drawn]
        found.append(np.stack([part[:size] for part in parts]))
    return found
