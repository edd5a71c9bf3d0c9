"""Candidate trials, ranked by what each is expected to tell."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, combinations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from nma.decisions._expected_loss import evpi
from nma.decisions._measurement import PerArm, measured, reading
from nma.decisions._next_trial import FIXED_TAU, LEFT_OUT, require_choice
from nma.decisions._outcomes import require_credible
from nma.decisions._preposterior import Given, given
from nma.decisions._proposal import Proposal, proposed
from nma.errors import ModelError, nearest, shown
from nma.estimates import briefly, captioned, located, scale_name
from nma.new_trial import generator
from nma.posterior import require_posterior
from nma.tables import Table, figures

if TYPE_CHECKING:
    from nma.posterior import Posterior

__all__ = ["candidate_trials"]

CHOICES = {"loss": "evsi", "sd": "mean_reduction"}
"""What trials can be ranked by, and the column that has it."""


def candidate_trials(
    posterior: Posterior,
    *,
    candidates: Sequence[Sequence[str]] | None = None,
    n: PerArm,
    sd: PerArm | None = None,
    baseline: float | None = None,
    exposure: PerArm | None = None,
    most_arms: int = 2,
    rank_by: Literal["loss", "sd"] = "loss",
    seed: int = 0,
) -> Table:
    """Return trials that could be done next, ranked by what each is expected to tell.

    Each is what ``next_trial`` says of it, tau not learnt: exact for two arms.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    candidates : sequence of sequence of str, optional
        The arms of each trial; every pair of the treatments asked about if not given.
    n, sd, baseline, exposure
        As in ``next_trial``, for the arms of all candidates.
    most_arms : int, default 2
        With 3 and no candidates given, every set of three treatments is one too. A trial of three
        arms has more people: ``participants`` says how many.
    rank_by : {"loss", "sd"}, default "loss"
        By the reduction of the expected loss, or by the mean reduction of the sd of all contrasts.
    seed : int, default 0
        The same seed gives the same draws.

    Returns
    -------
    Table
        By trial, the best first: ``participants``, ``evsi`` (by how much it lowers the expected
        loss) and its Monte Carlo standard error ``mcse`` (zero for two arms), ``of_evpi`` (that as
        a share of what knowing every effect would gain), ``mean_reduction`` (of the sd of all
        contrasts), and the ``contrast`` whose sd it reduces most, by ``reduction``.
        ``attrs["evpi"]`` is the expected value of perfect information.

    Raises
    ------
    ModelError
        As ``next_trial``, or if a candidate comes twice.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> nma.decisions.candidate_trials(posterior, n=100, sd=2.2).index[0]
    'individualised exercise : multimodal care'

    References
    ----------
    Raiffa and Schlaifer 1961, Applied Statistical Decision Theory, on preposterior analysis.
    """
    require_posterior(posterior, "candidate_trials")
    require_credible(posterior, "candidate_trials")
    require_choice(posterior)
    generator(seed, purpose=9)  # refuses what is no seed
    if rank_by not in CHOICES:
        message = f"rank_by={shown(rank_by)} is not 'loss' or 'sd'.{nearest(rank_by, CHOICES)}"
        raise ModelError(message)
    known = measured(posterior, sd, baseline, exposure)
    trials = [
        proposed(posterior, arms, n, known) for arms in _sets(posterior, candidates, most_arms)
    ]
    _require_distinct(trials)
    now = given(posterior)
    best = float(evpi(posterior, seed=seed)["evpi"].iloc[0])
    rows = [_row(posterior, now, trial, best, seed) for trial in trials]
    frame = pd.DataFrame(rows, index=pd.Index([" : ".join(t.arms) for t in trials], name="trial"))
    table = Table(
        frame.sort_values(CHOICES[rank_by], ascending=False, kind="stable"),
        caption=captioned(posterior, located(posterior, _caption(posterior, rank_by))),
        notes=_notes(posterior, now, best),
        digits={"participants": 0},
        significant=["evsi", "mcse", "mean_reduction", "reduction"],
        probabilities=["of_evpi"],
    )
    table.attrs["evpi"] = best
    return table


def _sets(
    posterior: Posterior, candidates: Sequence[Sequence[str]] | None, most_arms: int
) -> list[Sequence[str]]:
    if candidates is not None:
        if isinstance(candidates, str) or not len(candidates):
            message = f"candidates={shown(candidates)}: list the arms of each, as in [('A', 'B')]."
            raise ModelError(message)
        return list(candidates)
    if most_arms not in (2, 3):
        message = (
            f"most_arms={shown(most_arms)}: all sets of 2, or of 2 and 3 arms, can be tried; name "
            "larger trials in candidates=."
        )
        raise ModelError(message)
    sizes = range(2, most_arms + 1)
    return list(chain.from_iterable(combinations(posterior.treatments, k) for k in sizes))


def _require_distinct(trials: Sequence[Proposal]) -> None:
    seen = [trial.arms for trial in trials]
    twice = sorted({arms for arms in seen if seen.count(arms) > 1})
    if twice:
        message = f"{'; '.join(' : '.join(arms) for arms in twice)}: name each candidate once."
        raise ModelError(message)


def _row(
    posterior: Posterior, now: Given, trial: Proposal, best: float, seed: int
) -> dict[str, Any]:
    gain = now.gain(trial)
    value = gain.value(seed)
    less = np.sqrt(now.variance) - gain.sd
    above = np.triu_indices(len(less), k=1)
    most = int(less[above].argmax())
    pair = [posterior.treatments[int(side[most])] for side in above]
    return {
        "participants": trial.participants.sum(),
        "evsi": value.value,
        "mcse": value.mcse,
        "of_evpi": value.value / best if best > 0 else np.nan,
        "mean_reduction": float(less[above].mean()),
        "contrast": " vs ".join(pair if pair[1] == posterior.comparator else pair[::-1]),
        "reduction": float(less[above][most]),
    }


def _caption(posterior: Posterior, rank_by: str) -> str:
    what = "expected loss of the choice" if rank_by == "loss" else "mean sd of contrasts"
    return f"Candidate trials by how much each lowers the {what} ({scale_name(posterior)})."


def _notes(posterior: Posterior, now: Given, best: float) -> list[str]:
    fixed = [FIXED_TAU] if posterior.problem.scales else []
    return [
        f"Knowing every effect would lower the expected loss by {figures(best)} (EVPI).",
        LEFT_OUT,
        *fixed,
        *now.notes,
        *reading(posterior),
        *briefly(posterior),
    ]
