"""Regression: effects that depend on what the trials are like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np

from nma.errors import DataError, Issue, ModelError, require_several
from nma.priors import Normal, Prior
from nma.problem import Parameters, Scale
from nma.span import directions
from nma.structures._covariates import by_trial, dummies, is_missing, is_number, named
from nma.structures._priors import require_centred, require_prior, resolved, shrinking
from nma.structures._slopes import KINDS, Kind, diffuse_per, identifier, per_unit, slopes
from nma.structures._trials import differences, in_trials, is_outside

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from nma.network import Network
    from nma.protocols import Structure

__all__ = ["Regression"]


@final
@dataclass(frozen=True)
class Regression:
    r"""Relative effects change with a covariate of the trials.

    .. math:: \delta_{t}(x) = \delta_t + (x - \bar x) \, b_t, \qquad b_{control} = 0

    with :math:`\bar x` the mean over trials, so that :math:`\delta` are the effects of an average
    trial; ``nma.at`` asks at other values. A covariate of names has a :math:`b_t` for each category
    but the first, which subgroup analysis needs. The interactions :math:`b_t` are one for all
    treatments but the control ("shared"), one each ("independent"), or one each around a mean,
    :math:`b_t \sim N(B, \tau_x^2)` ("exchangeable"); or the levels of any other structure, such as
    classes or components. Further covariates wrap: ``Regression(Regression(base, "age"), "year")``.

    Parameters
    ----------
    base : Structure
        The effects at the mean of the covariate.
    covariate : str
        A column of the arms, with one value for each trial.
    control : str
        The treatment that does not interact: effects against it change with the covariate. It
        does not follow the network's reference. Not needed where ``interactions`` is a structure.
    interactions : {"shared", "exchangeable", "independent"} or Structure, default "shared"
        How the interactions of treatments relate.
    effect : Normal, optional
        Prior of an interaction, per unit of the covariate or against the first category, with mean
        zero; sd 10 units per standard deviation of the covariate if not given.
    tau : Prior, optional
        Prior of the scale of exchangeable interactions, per standard deviation of the covariate;
        half-normal(unit/2) if not given.
    centre, scale : float, optional
        What is taken off the covariate, and what its default priors are per; mean and standard
        deviation over trials if not given. ``centre=0`` gives effects where the covariate is zero.
    categories : sequence of str, optional
        The categories in order, first the one that effects are reported at; sorted if not given.
    missing : {"refuse", "model"}, default "refuse"
        What to do with trials that have no value: with "model" their effects stray from those at
        the centre by interactions of their own, :math:`N(0, \tau_{missing}^2)`.
    tau_missing : Prior, optional
        Prior of that scale; half-normal(unit/2) if not given.

    Raises
    ------
    ModelError
        If a choice is none of those offered, a prior is none, ``effect`` has another mean than
        zero, or ``categories`` is one name.

    Examples
    --------
    >>> import nma
    >>> network = nma.datasets.network("bcg")
    >>> structure = nma.structures.Regression(
    ...     nma.structures.Consistency(), "latitude", control="unvaccinated"
    ... )
    >>> posterior = nma.fit(network.as_normal(), nma.Model(structure))
    >>> posterior.problem.parameters.names[-1]
    'vaccinated vs unvaccinated, per latitude'
    >>> print(nma.league_table(nma.at(posterior, latitude=50)).loc["vaccinated", "unvaccinated"])
    0.28 (0.19, 0.41)

    Risk of bias, by its categories; effects are those of trials at low risk.

    >>> network = nma.datasets.network("back_pain_simulated")
    >>> structure = nma.structures.Regression(
    ...     nma.structures.Consistency(), "risk_of_bias", control="passive control",
    ...     categories=["low", "some concerns", "high"],
    ... )
    >>> nma.fit(network, nma.Model(structure)).problem.parameters.names[-1]
    'all but passive control vs passive control, risk_of_bias high'

    References
    ----------
    NICE DSU TSD 3 (Dias et al. 2011); Cooper et al. 2009, doi:10.1002/sim.3594.
    """

    base: Structure
    covariate: str
    control: str | None = field(default=None, kw_only=True)
    interactions: Kind | Structure = field(default="shared", kw_only=True)
    effect: Normal | None = field(default=None, kw_only=True, metadata={"prior_of": "interaction"})
    tau: Prior | None = field(
        default=None, kw_only=True, metadata={"prior_of": "scale of interactions"}
    )
    centre: float | None = field(default=None, kw_only=True)
    scale: float | None = field(default=None, kw_only=True)
    categories: Sequence[str] | None = field(default=None, kw_only=True)
    missing: Literal["refuse", "model"] = field(default="refuse", kw_only=True)
    tau_missing: Prior | None = field(default=None, kw_only=True)
    _checked: bool = field(default=False, kw_only=True, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_centred(self.effect, "effect")
        require_prior(self.tau, "tau")
        require_prior(self.tau_missing, "tau_missing")
        require_several(self.categories, "categories")
        _require_choices(self)
        if self.categories is not None:
            object.__setattr__(self, "categories", tuple(map(str, self.categories)))

    def resolve(self, network: Network) -> Regression:
        """Return the structure with its covariate read and every default as a number.

        Once resolved it takes the network without some of its trials, whatever they leave.

        Raises
        ------
        DataError
            If the covariate is no column, varies within a trial, lacks a value, or is the same in
            all trials; or if trials are fewer than interactions.
        ModelError
            If the control is unknown or not named where it is needed.
        """
        base = self.base.resolve(network)
        if self._checked:
            return replace(self, base=base)
        read = replace(self, base=base, **self._read(network))
        found = replace(read, **_priors(read, network), _checked=True)
        issues = [*_untold(found, network)]
        if issues:
            raise DataError(issues)
        return found

    def parameters(self, network: Network) -> Parameters:
        """Return those of the base, then the interactions, then those of trials without a value."""
        found = self.base.parameters(network)
        for label, size in self._terms():
            found += per_unit(self._over(network).parameters(network), label, size, self._suffix)
        return found + self._strays(network)

    def covariates(self, network: Network) -> Mapping[str, float | str]:
        """Return those of the base, and the covariate at its centre or first category."""
        first = self.categories[0] if self.categories else float(resolved(self.centre))
        return {**self.base.covariates(network), self.covariate: first}

    def levels(self, network: Network, arms: pd.DataFrame) -> NDArray[np.float64]:
        """Return the base's levels, then those of the interactions times the covariate.

        Raises
        ------
        ModelError
            If a value is no number, or none of the categories, with the closest.
        """
        over = self._over(network).levels(network, arms)
        z = [self.base.levels(network, arms)]
        z += [over * x[:, None] for x in self._values(arms).T]
        return np.hstack([*z, self._stray_levels(network, arms, over)])

    def _read(self, network: Network) -> dict[str, Any]:
        """Return centre, scale and categories as the trials have them."""
        told = by_trial(network, self.covariate, missing=self.missing)
        values = [value for value in told.values() if value is not None]
        if len(set(values)) < 2:
            message = f"{self.covariate} is the same in all trials, so no effect can change with it"
            raise DataError([Issue("covariate-constant", message, "Leave it out.")])
        if self.categories is not None or not is_number(values[0]):
            found = {named(value) for value in values}
            return {"categories": _categories(self, found), "scale": 1.0}
        sd = float(np.std(values, ddof=1))
        centre = float(np.mean(values)) if self.centre is None else float(self.centre)
        return {"centre": centre, "scale": sd if self.scale is None else float(self.scale)}

    def _over(self, network: Network) -> Structure:
        """Return the structure whose levels are the interactions, per ``scale`` of covariate."""
        if self.interactions not in KINDS:
            return _structure(self)
        effect = Normal(0, resolved(self.effect).sd * float(resolved(self.scale)))
        return slopes(str(self.interactions), network, self.control, effect, self.tau)

    def _terms(self) -> list[tuple[str, float]]:
        """Return what each interaction is per, in words and as a size."""
        if self.categories:
            return [(f"{self.covariate} {name}", 1.0) for name in self.categories[1:]]
        return [(f"per {self.covariate}", float(resolved(self.scale)))]

    @property
    def _suffix(self) -> str:
        return identifier(self.covariate)

    def _values(self, arms: pd.DataFrame) -> NDArray[np.float64]:
        """Return what interactions are multiplied by, (arm, term); zero where there is no value."""
        if self.covariate not in arms:
            return np.zeros((len(arms), len(self._terms())))
        values = arms[self.covariate]
        if self.categories:
            return dummies(values, self.covariate, self.categories)
        return _centred(values, self)[:, None]

    def _strays(self, network: Network) -> Parameters:
        """Return the own interactions of trials without a value."""
        over = self._over(network).parameters(network)
        fixed = [name for name, scale in zip(over.names, over.scale, strict=True) if scale is None]
        names = [
            f"{name}, in {study}" for study in _lacking(network, self.covariate) for name in fixed
        ]
        if not names:
            return Parameters.independent([], 1.0)
        scale = Scale(f"tau_missing_{self._suffix}", resolved(self.tau_missing))
        return Parameters.independent(names, 1.0, scale=scale)

    def _stray_levels(
        self, network: Network, arms: pd.DataFrame, over: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        fixed = [s is None for s in self._over(network).parameters(network).scale]
        studies = {study: k for k, study in enumerate(_lacking(network, self.covariate))}
        z = np.zeros((len(arms), len(studies), sum(fixed)))
        if not is_outside(arms):
            for row, study, _ in in_trials(arms):
                if study in studies:
                    z[row, studies[study]] = over[row, fixed]
        return z.reshape(len(arms), -1)


def _lacking(network: Network, covariate: str) -> list[str]:
    """Return the trials that have no value of the covariate."""
    told = by_trial(network, covariate, missing="model")
    return [study for study, value in told.items() if value is None]


def _categories(given: Regression, found: set[str]) -> tuple[str, ...]:
    """Return the categories in order, once they are those that trials have."""
    order = tuple(sorted(found)) if given.categories is None else tuple(given.categories)
    if set(order) != found or len(set(order)) < len(order):
        message = (
            f"categories={list(order)} of {given.covariate}, and the trials have "
            f"{sorted(found)}: name each of these once."
        )
        raise ModelError(message)
    return order


def _priors(read: Regression, network: Network) -> dict[str, Any]:
    """Return every default prior as a number, and a structure of interactions resolved."""
    found: dict[str, Any] = {}
    if read.interactions in KINDS:
        size = float(resolved(read.scale))
        found["effect"] = read.effect or diffuse_per(network, read.covariate, size)
        slopes(str(read.interactions), network, read.control, found["effect"], None)
    else:
        found["interactions"] = _structure(read).resolve(network)
    if read.interactions == "exchangeable":
        found["tau"] = read.tau or shrinking(network)
    if _lacking(network, read.covariate):
        found["tau_missing"] = read.tau_missing or shrinking(network)
    return found


def _untold(given: Regression, network: Network) -> Iterator[Issue]:
    """Yield that trials are too few for the interactions, or tell none of them."""
    fixed = np.array([scale is None for scale in given.parameters(network).scale])
    start = len(given.base.parameters(network).names)
    ours = np.flatnonzero(fixed[start:]) + start
    if len(ours) > len(network.trials):
        message = (
            f"{len(ours)} interactions with {given.covariate} are more than the "
            f"{len(network.trials)} trials"
        )
        remedy = 'Let treatments share them: interactions="shared" or "exchangeable".'
        yield Issue("interactions-too-many", message, remedy)
    elif not _told(given.levels(network, network.table), network, fixed, ours).any():
        message = f"no trial tells how effects change with {given.covariate}"
        remedy = "It is the same in all trials that compare the treatments; leave it out."
        yield Issue("covariate-unidentified", message, remedy)


def _told(
    z: NDArray[np.float64], network: Network, fixed: NDArray[np.bool_], ours: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which parameters the trials' differences of levels determine."""
    apart = differences(z, network.table)[:, fixed]
    return directions(apart).determine(np.eye(len(fixed))[ours][:, fixed])


def _centred(values: pd.Series[Any], given: Regression) -> NDArray[np.float64]:
    """Return values less the centre; zero where there is none."""
    try:
        x = np.array([np.nan if is_missing(value) else float(value) for value in values])
    except (TypeError, ValueError):
        message = f"{given.covariate} is a number, and it was asked about at {values.iloc[0]!r}."
        raise ModelError(message) from None
    return np.where(np.isnan(x), 0.0, x - float(resolved(given.centre)))


def _structure(given: Regression) -> Structure:
    structure: Any = given.interactions
    return structure  # type: ignore[no-any-return]


def _require_choices(given: Regression) -> None:
    by_name = given.interactions in KINDS
    faults = {
        f"interactions={given.interactions!r} is none of {', '.join(map(repr, KINDS))}, and no "
        "structure.": isinstance(given.interactions, str) and not by_name,
        f"missing={given.missing!r} is none of 'refuse', 'model'.": given.missing
        not in {"refuse", "model"},
        f"scale={given.scale!r} must be above zero: it is what priors are per.": given.scale
        is not None
        and not given.scale > 0,
        "tau= is of exchangeable interactions: write interactions='exchangeable'.": given.tau
        is not None
        and given.interactions != "exchangeable",
        "effect= is of interactions by name: a structure has a prior of its own.": given.effect
        is not None
        and not by_name,
    }
    found = [message for message, wrong in faults.items() if wrong]
    if found:
        raise ModelError(" ".join(found))
