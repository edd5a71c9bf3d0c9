"""The answer: draws and what made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import pandas as pd

from nma import _arviz, markup
from nma.errors import ModelError, nearest, require_several
from nma.model import Model, part_names, prior_sentences
from nma.network import Network
from nma.problem import Draws, Problem, readonly
from nma.protocols import Engine

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Posterior", "at"]

NEXT = "nma.summary, nma.league_table, nma.sucra, nma.plots.forest"
"""What can be done with a posterior."""


@final
@dataclass(frozen=True, eq=False, repr=False)
class Posterior:
    """A fitted model; every verb of the library takes one.

    Parameters
    ----------
    network : Network
        The evidence.
    model : Model
        The model, every default resolved.
    engine : Engine
        What sampled it.
    problem : Problem
        What the engine was given.
    draws : Draws
        What the engine gave back; ``draws.values`` holds ``tau`` (chain, draw) and ``beta``
        (chain, draw, parameter).
    targets : DataFrame
        The arms that verbs answer about: treatments, and covariates where the model has them.
    notices : tuple of str
        What the reader must know.
    provenance : mapping of str to str
        Versions, engine, seed and a digest of the data.
    """

    network: Network
    model: Model
    engine: Engine
    problem: Problem
    draws: Draws
    targets: pd.DataFrame
    notices: tuple[str, ...]
    provenance: Mapping[str, str]

    @property
    def treatments(self) -> tuple[str, ...]:
        """The treatments that verbs answer about."""
        return tuple(self.targets["treatment"])

    @cached_property
    def levels(self) -> NDArray[np.float64]:
        """Levels of the targets, (treatment, parameter).

        Raises
        ------
        ModelError
            If the structure gives no level outside a trial.
        """
        return readonly(self.model.structure.levels(self.network, self.targets))

    def position(self, treatment: str) -> int:
        """Return where a treatment stands among the targets.

        Raises
        ------
        ModelError
            If it is not among them, with the closest name.
        """
        if treatment not in self.treatments:
            message = (
                f"{treatment!r} is not among the treatments asked about: "
                f"{', '.join(map(repr, self.treatments))}.{nearest(treatment, self.treatments)}"
            )
            raise ModelError(message)
        return self.treatments.index(treatment)

    @property
    def comparator(self) -> str:
        """The default comparator: the network's reference, else the first target."""
        reference = self.network.reference
        return reference if reference in self.treatments else self.treatments[0]

    @property
    def poor(self) -> str:
        """Why the fit must not be relied on, in words; empty where nothing speaks against it."""
        faults = " ".join(self.draws.faults)
        return f"POOR FIT, do not rely on it: {faults}" if faults else ""

    @property
    def priors(self) -> tuple[str, ...]:
        """The priors that were used, as sentences; none by least squares."""
        if self.draws.intervals != "credible":
            return ()
        outcomes = (source.outcome for source in self.network.sources)
        return tuple(prior_sentences(self.model, outcomes))

    def to_arviz(self) -> Any:
        """Return the draws as ArviZ takes them: ``posterior``, ``sample_stats``, ``observed_data``.

        Returns
        -------
        InferenceData or DataTree
            The first with ArviZ 0.2x, the second from ArviZ 1.0. ``sample_stats`` is there where
            the engine records any; ``observed_data`` has one set of variables, numbered, for each
            part of the evidence, such as the trials with as many arms as each other.

        Examples
        --------
        >>> import nma
        >>> posterior = nma.fit(nma.datasets.network("back_pain"))
        >>> exported = posterior.to_arviz()
        >>> exported["posterior"]["tau"].dims
        ('chain', 'draw')
        """
        faults = {"faults": " ".join(self.draws.faults)} if self.draws.faults else {}
        return _arviz.exported(self.problem, self.draws, {**self.provenance, **faults})

    def __repr__(self) -> str:
        """Return one line, which begins with what speaks against the fit."""
        structure, heterogeneity = part_names(self.model).values()
        what = (
            f"<Posterior: {len(self.network.trials)} trials, {len(self.treatments)} treatments, "
            f"{structure}, {heterogeneity}, by {type(self.engine).__name__}; next: {NEXT}>"
        )
        return f"{self.poor} {what}" if self.poor else what

    def __str__(self) -> str:
        """Return what was fitted, a line for each part, its priors and notices; no numbers."""
        poor = [self.poor] if self.poor else []
        parts = [f"{name}: {value}" for name, value in self._made_of().items()]
        told = [*self.priors, *self.notices, *filter(None, [self.network.caption])]
        return "\n".join([*poor, *parts, *(f"- {line}" for line in told), f"next: {NEXT}"])

    def _repr_html_(self) -> str:
        """Return the same as ``print`` with diagnostics and provenance, for notebooks."""
        return markup.block(
            markup.paragraph(self.poor, loud=True) if self.poor else "",
            markup.paragraph(self.network.caption) if self.network.caption else "",
            markup.facts("Posterior", self._made_of()),
            markup.bullets([*self.priors, *self.notices]),
            markup.folded("Diagnostics", self._diagnostics()),
            markup.folded("Provenance", self.provenance),
            markup.paragraph(f"next: {NEXT}"),
        )

    def _made_of(self) -> dict[str, str]:
        network = self.network
        evidence = f"{len(network.trials)} trials, {len(network.treatments)} treatments"
        asked = {} if self.treatments == network.treatments else {"asked about": self.treatments}
        return {
            "evidence": f"{evidence}, {network.measure}, {network.better} is better",
            **{name: ", ".join(names) for name, names in asked.items()},
            **part_names(self.model),
            "engine": repr(self.engine),
        }

    def _diagnostics(self) -> dict[str, str]:
        return {name: f"{value:.4g}" for name, value in self.draws.diagnostics.items()}


def at(
    posterior: Posterior, *, treatments: Sequence[str] | None = None, **covariates: float
) -> Posterior:
    """Return the same posterior, asked about other arms.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    treatments : sequence of str, optional
        The treatments to answer about, in order: a selection, or whatever the structure can
        give a level, such as a combination no trial has tested. All as they are if not given.
    **covariates : float
        Values of the covariates, the same for all treatments.

    Returns
    -------
    Posterior
        Nothing is fitted again.

    Raises
    ------
    ModelError
        If a treatment has no level in the model, or a covariate is no column of the arms.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> nma.at(posterior, treatments=["multimodal care", "standard exercise"]).treatments
    ('multimodal care', 'standard exercise')
    """
    ours = {"study", "treatment", "participants"}
    known = [name for name in posterior.network.table.columns if name not in ours]
    unknown = [name for name in covariates if name not in known]
    if unknown:
        hints = [f"{name!r} is not a column of the arms.{nearest(name, known)}" for name in unknown]
        verbs = " Comparators are named where effects are asked for: comparators=[...]."
        raise ModelError(" ".join(hints) + verbs * ("comparator" in unknown))
    require_several(treatments, "treatments")
    names = list(posterior.treatments if treatments is None else treatments)
    if not names or len(set(names)) < len(names):
        message = f"treatments={names!r}: name each treatment once, and one at least."
        raise ModelError(message)
    others = posterior.targets.drop(columns="treatment")
    kept: dict[Any, Any] = {name: others[name].iloc[0] for name in others}
    targets = pd.DataFrame({"treatment": names, **kept, **covariates})
    asked = replace(posterior, targets=targets)
    asked.levels  # noqa: B018  refuse now what has no level
    return asked
