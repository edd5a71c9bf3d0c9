"""The answer: draws and what made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import pandas as pd

from nma import _arviz, markup
from nma.errors import ModelError, nearest, require_several
from nma.mixtures import readonly
from nma.model import Model, part_names, prior_sentences
from nma.network import Network
from nma.problem import Draws, Problem
from nma.protocols import Engine
from nma.reach import ABOUT_TARGETS, told_apart, unseen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Posterior", "at"]

NEXT = "nma.summary, nma.league_table, nma.sucra, nma.plots.forest"
"""What can be done with a posterior."""

LOOK = "nma.checks.convergence"
"""What says how poor a fit is, and where."""

WITHOUT_LEVELS = "nma.summary, nma.parameter_table"
"""What can be done where no treatment has one level, such as after a node-split."""


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

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> dict(posterior.draws.values["tau"].sizes), posterior.comparator
    ({'chain': 8, 'draw': 512}, 'passive control')
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
        """The treatments that verbs answer about, with values that tell equal ones apart."""
        return tuple(self.targets["label" if "label" in self.targets else "treatment"])

    @property
    def conditions(self) -> str:
        """At which values of the covariates answers are, in words; empty where there are none."""
        values = self.targets.drop(columns=["treatment", "label"], errors="ignore")
        shared = [name for name in values if len(pd.unique(values[name])) == 1]
        first = {name: values[name].iloc[0] for name in shared}
        said = ", ".join(f"{name} {written(x)}" for name, x in first.items() if pd.notna(x))
        return f"At {said}." if said else ""

    @cached_property
    def levels(self) -> NDArray[np.float64]:
        """Levels of the targets, (treatment, parameter).

        Raises
        ------
        ModelError
            If the structure gives no level outside a trial.
        """
        return readonly(self.model.structure.levels(self.network, self.targets))

    @property
    def verbs(self) -> str:
        """What can be done next: verbs that this model answers, after a poor fit its diagnosis."""
        try:
            self.levels  # noqa: B018  asked for its refusal
        except ModelError:
            credible = self.draws.intervals == "credible"
            answering = WITHOUT_LEVELS + ", nma.fit_measures.dic, nma.plots.leverage" * credible
        else:
            answering = NEXT
        return f"{LOOK}, {answering}" if self.poor else answering

    def position(self, treatment: str) -> int:
        """Return where a treatment stands among the targets.

        Parameters
        ----------
        treatment : str
            One of ``posterior.treatments``.

        Returns
        -------
        int
            Counted from 0.

        Raises
        ------
        ModelError
            If it is not among them, with the closest name.

        Examples
        --------
        >>> import nma
        >>> posterior = nma.fit(nma.datasets.network("back_pain"))
        >>> posterior.position("passive control")
        2
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
        named = zip(self.targets["treatment"], self.treatments, strict=True)
        ours = (label for name, label in named if name == self.network.reference)
        return next(ours, self.treatments[0])

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
            f"{structure}, {heterogeneity}, by {type(self.engine).__name__}; next: {self.verbs}>"
        )
        return f"{self.poor} {what}" if self.poor else what

    def __str__(self) -> str:
        """Return what was fitted, a line for each part, its priors and notices; no numbers."""
        poor = [self.poor] if self.poor else []
        parts = [f"{name}: {value}" for name, value in self._made_of().items()]
        told = [*self.priors, *self.notices, *filter(None, [self.network.caption])]
        return "\n".join([*poor, *parts, *(f"- {line}" for line in told), f"next: {self.verbs}"])

    def _repr_html_(self) -> str:
        """Return the same as ``print`` with diagnostics and provenance, for notebooks."""
        return markup.block(
            markup.paragraph(self.poor, loud=True) if self.poor else "",
            markup.paragraph(self.network.caption) if self.network.caption else "",
            markup.facts("Posterior", self._made_of()),
            markup.bullets([*self.priors, *self.notices]),
            markup.folded("Diagnostics", self._diagnostics()),
            markup.folded("Provenance", self.provenance),
            markup.paragraph(f"next: {self.verbs}"),
        )

    def _made_of(self) -> dict[str, str]:
        network = self.network
        evidence = f"{len(network.trials)} trials, {len(network.treatments)} treatments"
        asked = {} if self.treatments == network.treatments else {"asked about": self.treatments}
        if self.conditions:
            asked["at"] = (self.conditions.removeprefix("At ").removesuffix("."),)
        return {
            "evidence": f"{evidence}, {network.measure}, {network.better} is better",
            **{name: ", ".join(names) for name, names in asked.items()},
            **part_names(self.model),
            "engine": repr(self.engine),
        }

    def _diagnostics(self) -> dict[str, str]:
        return {name: f"{value:.4g}" for name, value in self.draws.diagnostics.items()}


def require_posterior(asked: object, verb: str) -> None:
    """Refuse what is no posterior, and say how to get one: the first line of every verb on one.

    Raises
    ------
    ModelError
        If it is anything else.
    """
    if not isinstance(asked, Posterior):
        kind = type(asked).__name__
        message = f"{verb} takes a Posterior, and this is a {kind}: nma.fit(network) makes one."
        raise ModelError(message)


def at(
    posterior: Posterior,
    *,
    treatments: Sequence[str] | None = None,
    **covariates: float | str | Sequence[float | str],
) -> Posterior:
    """Return the same posterior, asked about other arms.

    Notices say what no trial has: a combination or a value beyond those of the trials.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    treatments : sequence of str, optional
        The treatments to answer about, in order: a selection, or whatever the structure can
        give a level, such as a combination no trial has tested. All as they are if not given.
    **covariates : float, str or sequence of these
        Values of the model's covariates: one for all treatments, or one for each. With one for
        each a treatment can come several times, and its name in tables says at which values.

    Returns
    -------
    Posterior
        Nothing is fitted again.

    Raises
    ------
    ModelError
        If a treatment has no level in the model, or a covariate is none of the model's.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> nma.at(posterior, treatments=["multimodal care", "standard exercise"]).treatments
    ('multimodal care', 'standard exercise')
    """
    require_posterior(posterior, "at")
    network, structure = posterior.network, posterior.model.structure
    defaults = structure.covariates(network)
    _require_known(covariates, defaults, network)
    require_several(treatments, "treatments")
    names = list(posterior.targets["treatment"] if treatments is None else treatments)
    several = [name for name, value in covariates.items() if _is_several(value)]
    _require_lengths(names, {name: covariates[name] for name in several})
    before = posterior.targets
    kept = {name: before[name].iloc[0] for name in defaults if name not in covariates}
    if treatments is None:
        kept = {name: before[name].tolist() for name in kept}
    asked = pd.DataFrame({"treatment": names, **kept, **covariates})
    if several:
        asked["label"] = _labels(asked, several)
    elif treatments is None and "label" in before:
        asked["label"] = before["label"].tolist()
    _require_distinct(list(asked.get("label", asked["treatment"])))
    found = replace(posterior, targets=asked)
    found.levels  # noqa: B018  refuse now what has no level
    notices = (text for text in posterior.notices if not text.startswith(ABOUT_TARGETS))
    told = (*unseen(network, structure, asked), *_untold(found), *notices)
    return replace(found, notices=told)


def _untold(posterior: Posterior) -> tuple[str, ...]:
    """Return what the prior tells in place of the trials; least squares has none."""
    if posterior.draws.intervals != "credible":
        return ()
    structure, levels = posterior.model.structure, posterior.levels
    return tuple(told_apart(posterior.problem, structure, posterior.treatments, levels))


def _is_several(value: Any) -> bool:
    return not isinstance(value, str) and hasattr(value, "__len__")


def _require_known(
    asked: Mapping[str, Any], known: Mapping[str, float | str], network: Network
) -> None:
    """Refuse covariates that no level reads: another value would change nothing."""
    unknown = [name for name in asked if name not in known]
    if not unknown:
        return
    has = f"Its covariates are {', '.join(map(repr, known))}." if known else "It has none."
    hints = [f"{name!r} is no covariate of this model.{nearest(name, known)}" for name in unknown]
    columns = [name for name in unknown if name in network.table]
    more = " nma.structures.Regression makes a column of the arms one." * bool(columns)
    verbs = " Comparators are named where effects are asked for: comparators=[...]."
    raise ModelError(f"{' '.join(hints)} {has}{more}" + verbs * ("comparator" in unknown))


def _require_lengths(names: Sequence[str], values: Mapping[str, Any]) -> None:
    wrong = [name for name, value in values.items() if len(value) != len(names)]
    if wrong:
        message = (
            f"{', '.join(wrong)}: give one value, or one for each of the {len(names)} treatments."
        )
        raise ModelError(message)


def _require_distinct(names: Sequence[str]) -> None:
    if not names or len(set(names)) < len(names):
        message = f"treatments={list(names)!r}: name each treatment once, and one at least."
        raise ModelError(message)


def _labels(asked: pd.DataFrame, several: Sequence[str]) -> list[str]:
    """Return the treatments with the values that differ between them."""
    rows = asked[several].itertuples(index=False)
    values = [
        [f"{k} {written(v)}" for k, v in zip(several, row, strict=True) if pd.notna(v)]
        for row in rows
    ]
    return [
        ", ".join([name, *value]) for name, value in zip(asked["treatment"], values, strict=True)
    ]


def written(value: float | str) -> str:
    """Return a value of a covariate as sentences have it."""
    return value if isinstance(value, str) else f"{value:.4g}"
