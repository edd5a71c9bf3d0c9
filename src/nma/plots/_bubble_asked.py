"""What a bubble plot is asked: covariate, treatment and comparator, once the model knows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from nma.errors import ModelError
from nma.posterior import at
from nma.structures._covariates import named

if TYPE_CHECKING:
    from nma.network import Network
    from nma.posterior import Posterior

__all__ = ["Asked", "asked_of"]


@final
@dataclass(frozen=True)
class Asked:
    """What is drawn of which posterior.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    covariate, treatment, comparator : str
        What the model knows.
    categories : tuple of str
        Those of the covariate, in order; none where it is a number.
    level : float
        Probability of intervals.
    """

    posterior: Posterior
    covariate: str
    treatment: str
    comparator: str
    categories: tuple[str, ...]
    level: float

    @property
    def network(self) -> Network:
        """The evidence."""
        return self.posterior.network


def asked_of(
    posterior: Posterior,
    covariate: str | None,
    treatment: str | None,
    comparator: str | None,
    level: float,
) -> Asked:
    """Return what is asked, the rest chosen where there is one choice.

    Raises
    ------
    ModelError
        If the model does not know a name, or covariates are several and none is named.
    """
    defaults = posterior.model.structure.covariates(posterior.network)
    by = _covariate(defaults) if covariate is None else covariate
    against = posterior.comparator if comparator is None else comparator
    of = _treatment(posterior, against) if treatment is None else treatment
    if of == against:
        message = f"{of!r} is compared with itself: name two treatments."
        raise ModelError(message)
    at(posterior, treatments=[of, against], **{by: defaults.get(by, 0.0)})  # refuses the unknown
    categories = _categories(posterior, by) if isinstance(defaults[by], str) else ()
    return Asked(posterior, by, of, against, categories, level)


def _covariate(known: Mapping[str, Any]) -> str:
    """Return the covariate of the model, if it has one."""
    if len(known) == 1:
        return str(next(iter(known)))
    listed = ", ".join(map(repr, known))
    message = (
        f"Name covariate=, one of {listed}."
        if known
        else "The model has no covariate to draw against: nma.structures.Regression makes a column "
        "of the arms one."
    )
    raise ModelError(message)


def _treatment(posterior: Posterior, comparator: str) -> str:
    """Return the treatment that most trials compare with the comparator."""
    trials = posterior.network.trials.values()
    others = [name for name in posterior.network.treatments if name != comparator]
    return max(others, key=lambda name: sum({name, comparator} <= set(arms) for arms in trials))


def _categories(posterior: Posterior, covariate: str) -> tuple[str, ...]:
    """Return the categories, in the order of the structure that reads them."""
    structure: Any = posterior.model.structure
    while structure is not None:
        if getattr(structure, "covariate", None) == covariate and structure.categories:
            return tuple(structure.categories)
        structure = getattr(structure, "base", None)
    first = str(posterior.model.structure.covariates(posterior.network)[covariate])
    found = {named(value) for value in posterior.network.table[covariate]} - {"", first}
    return (first, *sorted(found))
