"""Networks with known truth: the same trials, new numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, final

import numpy as np

from nma import markup, trial_means, truths
from nma.errors import DataError, ModelError
from nma.model import Model
from nma.network import Network
from nma.planning import CAPTION, simulable
from nma.posterior import Posterior
from nma.problem import ArmEffect
from nma.simulated_model import setting
from nma.tables import figures
from nma.trial_means import Design
from nma.truths import Unknown

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from nma.priors import Normal, Prior
    from nma.sources import Source

__all__ = ["Simulated", "Truth", "simulate"]

OURS = ("study", "treatment", "participants")
NEXT = "nma.fit(simulated.network), simulated.truth.values"
"""What can be done with a simulated network."""

MOST = 8
"""Numbers of the truth that a notice lists."""

REMEDY = (
    "Simulated numbers came out so: change the truth, the levels of the trials, or the spread and "
    "size of their arms."
)


@final
@dataclass(frozen=True, eq=False, repr=False)
class Truth:
    """What simulated numbers were drawn from.

    Parameters
    ----------
    values : mapping of str to float
        Parameters of the structure, scales, and what outcomes need besides, by name, on the scale
        of the model; ``truth=`` takes it again.
    arms : DataFrame
        One row for each arm of the network: ``study``, ``treatment``, ``trial_level`` (mean linear
        predictor of the trial, NaN where it reports contrasts), ``relative`` (what structure and
        parameters add to it), ``random`` (the arm's random effect) and ``level``, their sum.
    """

    values: Mapping[str, float]
    arms: pd.DataFrame

    @property
    def trial_levels(self) -> dict[str, float]:
        """The level of each trial that has one; ``trial_levels=`` takes it again."""
        told = self.arms.dropna(subset="trial_level").drop_duplicates("study")
        return dict(zip(told["study"], told["trial_level"], strict=True))

    def __repr__(self) -> str:
        """Return one line."""
        return f"<Truth: {_listed(self.values)}>"


class Simulated(NamedTuple):
    """A network whose truth is known, and that truth.

    Parameters
    ----------
    network : Network
        What ``nma.fit`` takes. Its caption says that it is simulated, and so does every table.
    truth : Truth
        What its numbers were drawn from.
    """

    network: Network
    truth: Truth

    def __repr__(self) -> str:
        """Return one line."""
        network = self.network
        return (
            f"<Simulated: {len(network.trials)} trials, {len(network.treatments)} treatments, "
            f"{network.measure}, {network.better} is better; truth: {_listed(self.truth.values)}; "
            f"next: {NEXT}>"
        )

    def _repr_html_(self) -> str:
        """Return what was drawn from what, for notebooks."""
        values = {name: figures(value) for name, value in self.truth.values.items()}
        return markup.block(
            markup.paragraph(self.network.caption),
            markup.facts("Truth", values),
            markup.paragraph(f"next: {NEXT}"),
        )


def simulate(
    network: Network,
    model: Model | None = None,
    *,
    truth: Mapping[str, float] | Posterior | Literal["prior"],
    seed: int | Sequence[int],
    reference_level: float | Normal | Mapping[str, float] | None = None,
    trial_levels: float | Prior | Mapping[str, float] | None = None,
) -> Simulated:
    r"""Return the same trials with new numbers, drawn from a known truth.

    Arm k of trial i has the true level

    .. math:: \theta_{ik} = m_i + (z_{ik} - \bar z_i)'\beta + u_{ik}

    as every fit takes it to have, and its results are drawn from the outcome's own distribution:
    binomial, Poisson or multinomial counts, normal means with standard deviations by
    :math:`\chi^2`, normal contrasts with their covariance. Trials, arms, participants, true
    spreads (standard deviations, standard errors) and other columns are those of ``network``.

    Parameters
    ----------
    network : Network
        The trials: real ones, or those of ``nma.planned``. It is not changed.
    model : Model, optional
        Whose structure and heterogeneity the numbers follow; that of ``fit`` if not given. Priors
        play no part, unless ``truth="prior"``.
    truth : mapping of str to float, Posterior, or "prior"
        On the scale of the model (logarithms for ratio measures). A mapping has every parameter
        of the structure by name, or effects by pair, ``{"exercise vs usual care": -0.4}``, and
        every scale, ``{"tau": 0.2}``; deviations that a scale multiplies (of classes, of
        designs) are drawn unless stated. ``"prior"`` draws everything from the model's prior, a
        posterior takes one of its draws; both draw anew for every seed. For trials that are not
        the posterior's own, without what its structure says of single trials or designs.
    seed : int or sequence of int
        The same seed gives the same numbers. For replicates: ``seed=(7, k)``, k = 0, 1, ...
    reference_level : float, Normal, or mapping of str to float, optional
        What the reference treatment leads to in every trial before random effects, or in each by
        name, on the outcome's own scale (a probability, for HR in one unit of time; a rate; a
        mean, for SMD in standard deviations); a Normal is on the scale of the model, and drawn
        for each trial.
    trial_levels : float, Prior, or mapping of str to float, optional
        Mean level :math:`m_i` of each trial's arms instead, on the scale of the model. If neither
        is given: what the arms of ``network`` reported; with ``truth="prior"`` the model's prior
        where the outcome has a likelihood of its own.

    Returns
    -------
    Simulated
        The network, and the truth with every level and random effect.

    Raises
    ------
    ModelError
        If the truth is incomplete or impossible, each fault by name, or the outcome cannot be
        simulated.
    DataError
        If numbers came out that no trial can report, such as a probability above one.

    Examples
    --------
    >>> import nma
    >>> trials = nma.datasets.network("parkinson")
    >>> model = nma.Model(nma.structures.Consistency())
    >>> effects = {f"{name} vs placebo": -0.5 for name in trials.treatments if name != "placebo"}
    >>> network, truth = nma.simulate(trials, model, truth={**effects, "tau": 0.2}, seed=7)
    >>> network.caption
    'Simulated: drawn by nma.simulate from a stated truth, seed 7; no evidence on treatments.'
    """
    here = setting(network, model, truth)
    streams = _Streams(_parts(seed))
    unknown = here.unknown
    values = _values(unknown, truth, streams)
    beta = np.array([values[name] for name in unknown.parameters.names])
    design = Design(network, here.z, here.at_reference, beta, values)
    prior = here.model.trial_levels if isinstance(truth, str) else None
    means, said = trial_means.trial_means(
        design, reference_level, trial_levels, prior, streams.of(1)
    )
    arms = network.table[["study", "treatment"]].assign(
        trial_level=means,
        relative=design.centred @ beta,
        random=_random_effects(here.effects, values, design.trial, streams.of(2)),
    )
    arms["level"] = arms["trial_level"].fillna(0.0) + arms["relative"] + arms["random"]
    sources = _drawn(network, arms["level"].to_numpy(), values, streams)
    told = f"Truth: {_listed(values)}.", *said
    made = _made(network, sources, told, _caption(network, truth, streams.seed))
    return Simulated(made, Truth(values, arms))


def _parts(seed: Any) -> tuple[int, ...]:
    """Return the numbers of a seed, or say why it is none."""
    several = isinstance(seed, Sequence) and not isinstance(seed, str)
    parts = tuple(seed) if several else (seed,)
    whole = [isinstance(x, int | np.integer) and not isinstance(x, bool) for x in parts]
    if not parts or not all(whole) or min(parts) < 0:
        message = (
            f"seed={seed!r} is no seed: give a whole number of zero or above, or several, such as "
            "seed=(7, k) for replicate k."
        )
        raise ModelError(message)
    return tuple(map(int, parts))


class _Streams(NamedTuple):
    """Independent sources of chance by purpose, from the numbers of one seed."""

    seed: tuple[int, ...]

    def of(self, purpose: int) -> np.random.Generator:
        """Return the source of chance for a purpose, from its beginning."""
        return np.random.default_rng([len(self.seed), *self.seed, purpose])


def _values(unknown: Unknown, truth: Any, streams: _Streams) -> dict[str, float]:
    rng = streams.of(0)
    if isinstance(truth, Posterior):
        return truths.from_posterior(unknown, truth, rng)
    if isinstance(truth, str):
        return truths.from_prior(unknown, rng)
    return truths.stated(unknown, truth, rng)


def _random_effects(
    effects: Sequence[ArmEffect],
    scales: Mapping[str, float],
    trial: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return u of every arm; effects never cross trials."""
    total = np.zeros(len(trial))
    for effect in effects:
        pairs = np.column_stack([trial, effect.unit])
        unit = np.unique(pairs, axis=0, return_inverse=True)[1].ravel()
        e = rng.standard_normal(unit.max() + 1)[unit]
        total += np.sqrt(0.5) * scales[effect.scale] * effect.weight * e
    return total


def _drawn(
    network: Network, level: NDArray[np.float64], values: Mapping[str, float], streams: _Streams
) -> list[Source]:
    """Return the sources with new numbers, checked as those of any table are."""
    sources, issues = [], []
    for number, source in enumerate(network.sources):
        outcome = simulable(source.outcome)
        nuisance = {name: values[name] for name in outcome.nuisance}
        new = outcome.simulate(source.rows, level[source.arms], nuisance, streams.of(3 + number))
        rows = source.rows.assign(**new)
        issues += [replace(issue, remedy=REMEDY) for issue in outcome.check(rows)]
        sources.append(replace(source, outcome=outcome, rows=rows))
    if issues:
        raise DataError(issues)
    return sources


def _made(
    network: Network, sources: Sequence[Source], told: Sequence[str], caption: str
) -> Network:
    """Return the network of simulated sources, which says so wherever it is printed."""
    before = {text for source in network.sources for text in source.notices}
    kept = [text for text in network.notices if text not in before]
    table, others = _table(network, sources)
    if others:
        told = [*told, f"As they were, not simulated: {', '.join(others)}."]
    now = [text for source in sources for text in source.notices]
    notices = tuple(dict.fromkeys([*told, *kept, *now]))
    sources = tuple(sources)
    return replace(network, table=table, sources=sources, caption=caption, notices=notices)


def _caption(network: Network, truth: Any, seed: tuple[int, ...]) -> str:
    numbers = ", ".join(map(str, seed))
    drawn = f"drawn by nma.simulate from {_words(truth)}, seed {numbers}; no evidence on treatments"
    like = network.caption.removeprefix(CAPTION).strip()
    return f"Simulated: {drawn}." + (f" Trials and arms as in: {like}" if like else "")


def _table(network: Network, sources: Sequence[Source]) -> tuple[pd.DataFrame, list[str]]:
    """Return the arms with their new numbers, and the other columns that travel along."""
    table, replaced = network.table.copy(), set(OURS)
    for source in sources:
        columns = source.outcome.columns
        replaced |= {*columns, *source.outcome.labels}
        if source.outcome.reports == "arms":
            for name in columns:
                values = table[name].to_numpy().copy()
                values[source.arms[:, 0]] = source.rows[name]
                table[name] = values
    return table, [str(name) for name in table.columns if name not in replaced]


def _listed(values: Mapping[str, float]) -> str:
    shown_ = [f"{name} = {figures(value)}" for name, value in list(values.items())[:MOST]]
    more = len(values) - MOST
    return ", ".join(shown_) + (f" and {more} more" if more > 0 else "")


def _words(truth: Any) -> str:
    if isinstance(truth, Posterior):
        return "one draw of a posterior"
    return "a draw of the prior" if isinstance(truth, str) else "a stated truth"
