"""The next trial: what a proposed one would tell of every contrast and of the choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nma.decisions._expected_loss import evpi
from nma.decisions._measurement import PerArm, measured, reading
from nma.decisions._outcomes import require_credible
from nma.decisions._preposterior import Given, Number, given
from nma.decisions._proposal import Proposal, proposed
from nma.decisions._simulated_trials import averaged, simulated
from nma.errors import ModelError, shown
from nma.estimates import briefly, captioned, located, positions, scale_name
from nma.new_trial import generator
from nma.posterior import require_posterior
from nma.tables import Table, decimals, figures

if TYPE_CHECKING:
    from nma.decisions._simulated_trials import Simulated
    from nma.posterior import Posterior
    from nma.refits import Executor

__all__ = ["FIXED_TAU", "LEFT_OUT", "next_trial", "require_choice", "trial_words"]

LEFT_OUT = (
    "The value is for one decision, on the scale of the model: costs and numbers of people are not "
    "in it."
)
"""What the value of a trial does not count."""

FIXED_TAU = (
    "Given tau the numbers are exact, and they are averaged over its posterior: what the trial "
    "tells of tau itself is not in them (nma.decisions.next_trial has learn_tau=True)."
)
"""What is averaged, and what is not learnt."""


def next_trial(
    posterior: Posterior,
    *,
    arms: Sequence[str],
    n: PerArm,
    sd: PerArm | None = None,
    baseline: float | None = None,
    exposure: PerArm | None = None,
    contrasts: Sequence[tuple[str, str]] | None = None,
    learn_tau: bool = False,
    simulations: int = 200,
    seed: int = 0,
    executor: Executor | None = None,
) -> Table:
    r"""Return what a trial that has not been done is expected to tell.

    Given tau a trial with contrasts of levels X, sampling covariance V/n and heterogeneity
    :math:`\tau^2 R` takes from the covariance S of the effects

    .. math:: S X' (X S X' + V/n + \tau^2 R)^{-1} X S

    whatever it observes, and moves their posterior means by a normal with just this covariance.
    Both are averaged over the posterior of tau. The value of the trial (EVSI) is by how much it
    lowers the expected loss of the choice,

    .. math:: E_\tau\left[E\left[\max_j \hat\theta_j \mid \tau\right] - \max_j \theta_j(\tau)\right]

    where :math:`\hat\theta` are the posterior means after the trial, and :math:`\theta` those now,
    in the direction of benefit; exact for two arms, by draws for more. As n goes to 0 all gains go
    to 0; as it grows they stay bounded by tau.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    arms : sequence of str
        Two treatments or more: those asked about, or whatever the structure gives a level, such as
        a combination no trial has tested. Covariates are those of the posterior's targets, as set
        by ``nma.at``; structures whose parts belong to trials, such as inconsistency of a design,
        are at the level they give outside a trial.
    n : number, or mapping of str to number
        People in each arm.
    sd : number or mapping, optional
        Standard deviation between people in an arm; required for MD, ROM and measures of your own,
        whose standard error is then sd / sqrt(n) in each arm.
    baseline : float, optional
        Probability of the event under the posterior's reference treatment, for OR, RR, RD, and HR
        (by the end of follow-up); its rate for IRR, its mean for ROM. Required for these.
    exposure : number or mapping, optional
        Time that each person is followed, in the unit of the rate; required for IRR.
    contrasts : sequence of (str, str), optional
        Treatment and comparator of each contrast to report; every pair if not given.
    learn_tau : bool, default False
        Whether to simulate trials from the posterior predictive distribution and fit each with the
        evidence, exactly, so that what is learnt of tau counts too.
    simulations : int, default 200
        How many, with ``learn_tau``.
    seed : int, default 0
        The same seed gives the same draws.
    executor : Executor, optional
        Where to fit, with ``learn_tau``: anything with ``map``. The numbers are the same.

    Returns
    -------
    Table
        By (treatment, comparator), the largest reduction first, on the scale of the model: ``sd``
        now, ``expected_sd`` after the trial (root of the expected variance), ``reduction``,
        ``limit`` (the expected sd with ever more people in these arms, tau not learnt), and
        ``mcse`` of the expected sd, zero where exact. ``attrs``: ``evsi`` and ``evsi_mcse``,
        ``evsi_limit``, ``evpi``; with ``learn_tau`` also ``scales``, the sd of each now, expected,
        and its Monte Carlo error.

    Raises
    ------
    ModelError
        If a treatment is unknown, there are fewer than two arms, a number is missing, not needed
        or makes no sense, or the fit is no posterior.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> trial = nma.decisions.next_trial(
    ...     posterior, arms=["multimodal care", "standard exercise"], n=100, sd=2.2
    ... )
    >>> trial.index[0]
    ('standard exercise', 'multimodal care')

    References
    ----------
    Raiffa and Schlaifer 1961, Applied Statistical Decision Theory, on preposterior analysis;
    Frazier, Powell and Dayanik 2009, doi:10.1287/ijoc.1080.0314, on the expected maximum.
    """
    require_posterior(posterior, "next_trial")
    require_credible(posterior, "next_trial")
    require_choice(posterior)
    generator(seed, purpose=9)  # refuses what is no seed
    trial = proposed(posterior, arms, n, measured(posterior, sd, baseline, exposure))
    now, pairs = given(posterior), _pairs(posterior, contrasts)
    gain, endless = now.gain(trial), now.gain(trial, endless=True)
    value, mcse = gain.value(seed)
    expected, error = gain.sd, np.zeros_like(gain.sd)
    attrs: dict[str, Any] = {}
    if learn_tau:
        after = simulated(
            posterior, now, trial, simulations=simulations, seed=seed, executor=executor
        )
        expected, error = after.sd
        value, mcse = after.value(now.weight @ now.means, Number(value, mcse))
        attrs["scales"] = _scales(posterior, after)
    attrs |= {
        "evsi": value,
        "evsi_mcse": mcse,
        "evsi_limit": endless.value(seed).value,
        "evpi": float(evpi(posterior, seed=seed)["evpi"].iloc[0]),
    }
    numbers = {"expected": expected, "limit": endless.sd, "mcse": error}
    table = _tabulated(posterior, now, trial, pairs, numbers)
    table.notes = (*_notes(posterior, attrs), *table.notes)
    table.attrs.update(attrs)
    return table


def require_choice(posterior: Posterior) -> None:
    """Refuse a posterior that is asked about one treatment alone."""
    if len(posterior.treatments) < 2:
        message = "One treatment leaves nothing to compare: ask about two or more, with nma.at."
        raise ModelError(message)


def _pairs(
    posterior: Posterior, contrasts: Sequence[tuple[str, str]] | None
) -> list[tuple[str, str]]:
    """Return the contrasts to report: as asked, or every pair, the reference last in its own."""
    names = posterior.treatments
    if contrasts is None:
        return [
            (a, b) if b == posterior.comparator else (b, a)
            for k, a in enumerate(names)
            for b in names[k + 1 :]
        ]
    for pair in contrasts:
        if isinstance(pair, str) or len(pair) != 2 or pair[0] == pair[1]:
            message = (
                f"contrasts={shown(list(contrasts))}: give pairs of two treatments, treatment "
                "first, as in contrasts=[('A', 'B')]."
            )
            raise ModelError(message)
        for name in pair:
            posterior.position(name)
    return [(str(a), str(b)) for a, b in contrasts]


def _tabulated(
    posterior: Posterior,
    now: Given,
    trial: Proposal,
    pairs: Sequence[tuple[str, str]],
    numbers: dict[str, Any],
) -> Table:
    at = positions(posterior, pairs)
    sd = np.sqrt(now.variance[at])
    expected = numbers["expected"][at]
    frame = pd.DataFrame(
        {
            "sd": sd,
            "expected_sd": expected,
            "reduction": sd - expected,
            "limit": numbers["limit"][at],
            "mcse": numbers["mcse"][at],
        },
        index=pd.MultiIndex.from_tuples(pairs, names=["treatment", "comparator"]),
    ).sort_values("reduction", ascending=False, kind="stable")
    digits = decimals(sd) + 1
    return Table(
        frame,
        caption=captioned(
            posterior,
            located(
                posterior,
                f"What a trial of {trial_words(trial)} is expected to do to the posterior sd of "
                f"contrasts ({scale_name(posterior)}).",
            ),
        ),
        notes=briefly(posterior),
        digits=dict.fromkeys(("sd", "expected_sd", "reduction", "limit"), digits)
        | {"mcse": digits + 1},
    )


def trial_words(trial: Proposal) -> str:
    """Return the arms of a trial with their people."""
    return " : ".join(
        f"{name} ({n:g})" for name, n in zip(trial.arms, trial.participants, strict=True)
    )


def _scales(posterior: Posterior, after: Simulated) -> dict[str, tuple[float, float, float]]:
    moments = posterior.draws.moments
    assert moments is not None  # noqa: S101  required before
    return {
        name: (float(marginal.sd), *averaged(after.scales[:, k]))
        for k, (name, marginal) in enumerate(moments.marginals.items())
    }


def _notes(posterior: Posterior, attrs: Mapping[str, Any]) -> list[str]:
    error = attrs["evsi_mcse"]
    exactness = f" (Monte Carlo error {error:.1g})" if error > 0 else ""
    if np.isnan(error):
        exactness = " (no simulated trial changed the choice: more simulations would tell better)"
    value = (
        f"Value of the trial (EVSI): it lowers the expected loss of the choice by "
        f"{figures(attrs['evsi'])} {scale_name(posterior)}{exactness}, with ever more people by "
        f"{figures(attrs['evsi_limit'])}; knowing every effect by {figures(attrs['evpi'])} (EVPI)."
    )
    said = [value, LEFT_OUT]
    told = attrs.get("scales")
    if told is None:
        fixed = not posterior.problem.scales
        return [
            *said,
            *([] if fixed else [FIXED_TAU]),
            *given(posterior).notes,
            *reading(posterior),
        ]
    said += [
        f"sd of {name}: {figures(now)} now, {figures(mean)} expected (Monte Carlo error "
        f"{error:.1g})."
        for name, (now, mean, error) in told.items()
    ]
    return [*said, "The limit is without what is learnt of tau.", *reading(posterior)]
