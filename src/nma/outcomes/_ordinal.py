"""People in ordered categories, arm by arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final

import numpy as np

from nma.errors import Issue, ModelError, nearest, shown
from nma.instruments import ReferenceSD
from nma.links import Link
from nma.outcomes import _category_checks, _chance, _cumulative_normal, _multinomial
from nma.outcomes._categories import Categories
from nma.outcomes._cumulative_normal import LATENT
from nma.outcomes._measures import UNSAID, require_better, require_measure
from nma.outcomes._multinomial import SCALES, Cumulative
from nma.priors import Prior, QuantilePrior, Uniform
from nma.problem import Arms, Evidence, Parameters
from nma.protocols import Better

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Ordinal"]

DEFAULT = "default"
"""Origin of a prior that the library chose, and chooses again where the settings change."""

WIDEST = {"SMD": 5.0, "OR": 10.0}
"""Default limit between neighbouring cut-points: there, 99 % of people can be between them."""


@final
@dataclass(frozen=True)
class Ordinal:
    r"""People in ordered categories among the participants of every arm.

    The chance of being in category c or a higher one is

    .. math:: P(Y \ge c) = F(\theta - z_c), \qquad 0 = z_1 < z_2 < \ldots < z_C

    with one set of cut-points z for all trials and a multinomial likelihood. With F normal
    (probit) effects are **standardised mean differences** (SMD) on a latent scale, in its standard
    deviations within arms; with F logistic they are **cumulative odds ratios** (OR), the same at
    every cut-point. Both are positive, above 1, towards higher categories. An arm that does not
    tell a category tells where its people are up to the next cut-point.

    With ``likelihood="normal"`` every trial is a set of normal contrasts: the maximum of its own
    likelihood over levels and cut-points of its own, by categories that all its arms tell and
    somebody is in, with the inverse of the expected information. Where an arm could drift away
    from the others without end, 0.5 is added to every cell of the trial; trials in which all are
    in one category are set aside and listed.

    Parameters
    ----------
    categories : sequence of str
        Columns of counts, upwards. The lowest category has none: it is what remains of ``n``. A
        cell is empty where an arm does not tell the category.
    n : str
        Column of participants.
    counts : {"exclusive", "inclusive"}
        Whether a count holds the people in its category up to the next that the arm tells (the
        last one all above it), or everybody in its category and all higher ones. No default.
    measure : {"SMD", "OR"}
        SMD by probit, or cumulative odds ratio.
    better : {"lower", "higher"}
        Whether lower or higher categories are better for the patient.
    cut_points : QuantilePrior, optional
        Prior of each :math:`z_{c+1} - z_c`: Uniform(0, 5) for SMD and Uniform(0, 10) for OR if
        not given.
    likelihood : {"multinomial", "normal"}, default "multinomial"
        How the counts are read.

    Raises
    ------
    ModelError
        If a keyword is missing, the settings do not go together, or a column is named twice.

    Notes
    -----
    The data points of an arm are the categories it tells, the lowest included, less one. One
    unit, which sizes the default priors, is 1. Cut-points are sampled as normal scores,
    ``auxiliary`` among the draws, of which ``cut_points_at`` makes cut-points.

    Examples
    --------
    >>> import nma
    >>> improved = nma.outcomes.Ordinal(
    ...     ["pasi50", "pasi75", "pasi90"], "n", counts="exclusive", measure="SMD", better="higher"
    ... )
    >>> nma.Network.from_arms(
    ...     nma.datasets.load("psoriasis"), study="study", treatment="treatment",
    ...     outcome=improved, reference="supportive care", repeated_arms="keep",
    ... )
    <Network: 16 trials, 8 treatments, SMD, higher is better; next: nma.fit, nma.plots.network>

    References
    ----------
    NICE DSU TSD 2 (Dias et al. 2011), section 3.6 and example 6, on ordered categories;
    McCullagh 1980, Journal of the Royal Statistical Society B 42:109-142, on cumulative odds;
    Burridge 1981, Journal of the Royal Statistical Society B 43:41-45, on the only maximum.
    """

    categories: Sequence[str]
    n: str
    counts: Literal["exclusive", "inclusive"] = field(kw_only=True, default="")  # type: ignore[arg-type]
    measure: str = field(kw_only=True, default="")
    better: Better = field(kw_only=True, default=UNSAID)
    cut_points: Prior | None = field(
        kw_only=True,
        default=None,
        metadata={"prior_of": "distance between neighbouring cut-points"},
    )
    likelihood: Literal["multinomial", "normal"] = field(kw_only=True, default="multinomial")

    reports: ClassVar[Literal["arms"]] = "arms"
    scale: ClassVar[None] = None
    labels: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        require_better(self.better)
        require_measure(self.measure, known=("OR", "SMD"))
        object.__setattr__(self, "categories", _columns(self.categories, self.n))
        _require_choices(self)
        if self.cut_points is None or getattr(self.cut_points, "origin", "") == DEFAULT:
            object.__setattr__(self, "cut_points", _default(self))
        _require_increments(self)

    @property
    def ratio(self) -> bool:
        """Whether effects are log ratios, printed back-transformed."""
        return self.measure == "OR"

    @property
    def columns(self) -> tuple[str, ...]:
        """The user's columns that hold numbers."""
        return (*self.categories, self.n)

    @property
    def absolute_link(self) -> Link:
        """The link of the chance of a category or a higher one."""
        return LATENT[self.measure].link._replace(
            of="the category meant or a higher one",
            stated="Probabilities are of the category for which that of {name} was given, "
            "whichever it is, or a higher one: effects are taken as the same at every cut-point.",
            own=f"Probabilities are of {self.categories[0]!r} or a higher category.",
        )

    @property
    def _cumulative(self) -> Cumulative:
        prior = self.cut_points
        return Cumulative(SCALES[self.measure], prior if isinstance(prior, QuantilePrior) else None)

    def cut_points_at(self, auxiliary: Any) -> NDArray[np.float64]:
        """Return the cut-points at normal scores of their increments.

        Parameters
        ----------
        auxiliary : array, (..., category - 1)
            As ``posterior.draws.values["auxiliary"]`` holds them.

        Returns
        -------
        array, (..., category)
            z_1 = 0 and the others, on the scale of the model.

        Examples
        --------
        >>> import nma
        >>> improved = nma.outcomes.Ordinal(
        ...     ["pasi50", "pasi75"], "n", counts="exclusive", measure="SMD", better="higher"
        ... )
        >>> improved.cut_points_at([0.0]).tolist()
        [0.0, 2.5]
        """
        return np.asarray(self._cumulative.cut_points(np.asarray(auxiliary)))

    def _categories(self, rows: pd.DataFrame) -> Categories:
        return Categories(rows, tuple(self.categories), self.n, self.counts == "inclusive")

    def check(self, rows: pd.DataFrame) -> list[Issue]:
        """Return every number that is missing, no count, or does not fit its stated kind."""
        categories = self._categories(rows)
        found = _category_checks.issues(categories)
        if found or self.cut_points is None:
            return found
        link = LATENT[self.measure].link.link
        return _category_checks.beyond_prior(categories, link, self.cut_points)

    def participants(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the participants of each arm, (row, 1)."""
        return rows[[self.n]].to_numpy()

    def unit(self, rows: pd.DataFrame) -> NDArray[np.float64]:  # noqa: ARG002  the latent SD, or 1
        """Return 1."""
        return np.ones(1)

    def reference_sds(self, rows: pd.DataFrame) -> tuple[ReferenceSD, ...]:  # noqa: ARG002
        """Return none: the latent scale has no points."""
        return ()

    def merged(self, rows: pd.DataFrame) -> dict[str, float]:
        """Return the sums of several arms, NaN for a category that not all of them tell alike."""
        return self._categories(rows).merged()

    def evidence(
        self, rows: pd.DataFrame, arms: NDArray[np.int64], trial_level: Prior
    ) -> tuple[Evidence, ...]:
        """Return the arms with their multinomial likelihood, or normal contrasts within trials."""
        categories = self._categories(rows)
        if self.likelihood == "normal":
            return _cumulative_normal.contrasts(categories, arms[:, 0], LATENT[self.measure])
        likelihood = self._cumulative
        found = Arms(
            arms=arms[:, 0],
            trial=categories.trial,
            data=_multinomial.cells(categories.cells, categories.upto),
            density=likelihood.density,
            trial_level=trial_level,
            auxiliary=self._increments(),
            fitted=likelihood.fitted,
            deviance=_multinomial.deviance,
            observed=_multinomial.observed,
            points=_multinomial.points,
        )
        return (found,)

    def _increments(self) -> Parameters | None:
        """Return the normal scores of the distances between cut-points; none if there is one."""
        names = list(self.nuisance)
        return Parameters.independent(names, 1.0) if names else None

    @property
    def nuisance(self) -> Mapping[str, Prior | None]:
        """The distances between neighbouring cut-points, such as "pasi50 to pasi75"."""
        pairs = zip(self.categories, self.categories[1:], strict=False)
        return {f"{lower} to {upper}": self.cut_points for lower, upper in pairs}

    @property
    def awaited(self) -> tuple[str, ...]:
        """The columns of counts."""
        return tuple(self.categories)

    def reported(self, rows: pd.DataFrame, nuisance: Mapping[str, float]) -> NDArray[np.float64]:
        """Return the level by the lowest category the arm tells, 0.5 added above and below it."""
        z = np.cumsum([0.0, *(nuisance[name] for name in self.nuisance)])
        return _chance.level_of(self._categories(rows), LATENT[self.measure].link, z)

    def simulate(
        self,
        rows: pd.DataFrame,
        levels: NDArray[np.float64],
        nuisance: Mapping[str, float],
        rng: np.random.Generator,
    ) -> dict[str, NDArray[np.float64]]:
        """Return multinomial counts of the categories that each arm tells; of all if of none."""
        z = np.cumsum([0.0, *(nuisance[name] for name in self.nuisance)])
        above = LATENT[self.measure].link.inverse(levels - z)
        return _chance.categories(self._categories(rows), above, rng)

    def as_normal(self) -> Ordinal:
        """Return the same numbers read as normal contrasts."""
        return replace(self, likelihood="normal", cut_points=None)

    def notices(self, rows: pd.DataFrame) -> tuple[str, ...]:
        """Return what is assumed, what was approximated, and which counts tell little."""
        categories = self._categories(rows)
        found = [_ASSUMED[self.measure], *categories.notices()]
        if self.likelihood == "normal":
            found += _cumulative_normal.notices(categories, self.measure)
        return tuple(found)


_ASSUMED = {
    "SMD": "SMD by probit: differences in standard deviations of a latent normal scale, positive "
    "towards higher categories.",
    "OR": "OR is cumulative: the odds of a category or a higher one, the same at every cut-point.",
}


def _columns(categories: Any, n: Any) -> tuple[str, ...]:
    """Return the columns of counts, or say why they are none."""
    if isinstance(categories, str) or not isinstance(categories, Sequence):
        message = (
            f"categories={shown(categories)} is not a list of columns: name the columns of "
            "counts upwards, such as categories=['some', 'much']."
        )
        raise ModelError(message)
    if not categories:
        message = (
            "categories=[] has a single category, the lowest, which is what remains of n: name "
            "the columns of counts above it, upwards."
        )
        raise ModelError(message)
    names = [*categories, n]
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    if twice:
        message = (
            f"{', '.join(map(repr, twice))} is named twice: every category, and n, has a column "
            "of its own."
        )
        raise ModelError(message)
    return tuple(categories)


def _require_choices(outcome: Ordinal) -> None:
    """Refuse kinds of counts and likelihoods that are missing or misspelt."""
    if outcome.counts not in {"exclusive", "inclusive"}:
        said = (
            f"counts={outcome.counts!r} is no kind of count"
            if outcome.counts
            else "`counts` is missing"
        )
        message = (
            f"{said}: say counts='exclusive' if everybody is counted once, in one category, or "
            "counts='inclusive' if a count holds the people of all higher categories too."
            f"{nearest(outcome.counts, ['exclusive', 'inclusive'])}"
        )
        raise ModelError(message)
    if outcome.likelihood not in {"multinomial", "normal"}:
        message = (
            f"likelihood={outcome.likelihood!r} is not a choice: use 'multinomial' or 'normal'."
            f"{nearest(outcome.likelihood, ['multinomial', 'normal'])}"
        )
        raise ModelError(message)


def _default(outcome: Ordinal) -> Prior | None:
    """Return the prior of cut-points where none is stated; none where there are none to learn."""
    if outcome.likelihood == "normal" or len(outcome.categories) == 1:
        return None
    return Uniform(0, WIDEST[outcome.measure], origin=DEFAULT)


def _require_increments(outcome: Ordinal) -> None:
    """Refuse a prior of cut-points that cannot be one, or that nothing would use."""
    prior = outcome.cut_points
    if prior is None:
        return
    if outcome.likelihood == "normal" or len(outcome.categories) == 1:
        why = (
            "the normal approximation has cut-points of its own for each trial"
            if outcome.likelihood == "normal"
            else "one column of counts has one cut-point, which is zero"
        )
        message = f"cut_points={prior!r} would not be used: {why}. Leave it out."
        raise ModelError(message)
    if not isinstance(prior, QuantilePrior):
        message = (
            f"cut_points={shown(prior)} cannot be sampled: give a prior that tells its quantiles, "
            "such as nma.priors.Uniform(0, 5), HalfNormal(2) or LogNormal(0, 1); one of your own "
            "needs `at_score`."
        )
        raise ModelError(message)
    if prior.support[1] <= 0:
        message = (
            f"cut_points={prior!r} leaves no room between cut-points: use a prior of their "
            "distances above zero, such as nma.priors.Uniform(0, 5)."
        )
        raise ModelError(message)
    if prior.support[0] < 0:
        message = (
            f"cut_points={prior!r} allows negative values, and cut-points increase: use a prior "
            "of their distances on zero and above, such as nma.priors.Uniform(0, 5)."
        )
        raise ModelError(message)
