"""What thresholds print: estimates, the intervals that keep the decision, who comes after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pandas as pd

from nma.decisions._crossings import FARTHEST, PRECISION
from nma.decisions._data_points import OTHERS
from nma.estimates import briefly, captioned, centre, is_credible, located, prior_driven, scale_name
from nma.tables import Table, decimals

if TYPE_CHECKING:
    from nma.decisions._data_points import DataPoint
    from nma.decisions._linear import Thresholds
    from nma.decisions._options import Choice, Options
    from nma.posterior import Posterior
    from nma.refits import Refits

__all__ = ["BEYOND", "FACTOR", "Answer", "is_far", "tabulated"]

Z = 1.959963984540054
"""Standard errors on either side of an estimate in its 95 % interval."""

BEYOND, FACTOR = 1000.0, 1000.0
"""Standard errors beyond which a threshold means nothing; of ratios, a factor beyond which."""

NATURAL = ["estimate", "lower", "upper", "invariant_lower", "invariant_upper"]
"""Columns in the measure's own numbers."""

SHOWN = [*NATURAL, "below", "above", "nearest", "crossed"]
"""Columns that are printed."""

ORDER = [*SHOWN, "se", "shift_lower", "shift_upper"]
"""All of them."""


@final
@dataclass(frozen=True, eq=False)
class Answer:
    """Everything the table says.

    Parameters
    ----------
    of : str
        What was shifted.
    again : bool
        Whether scales were learnt again at each shift.
    tau : str
        What was asked for.
    choice : Choice
        The recommended treatment.
    points : sequence of DataPoint
        What was shifted.
    found : Refits
        Thresholds, by the name of the data point.
    scales : mapping of str to float
        Where scales were held.
    known : str
        Where those values came from.
    notices : tuple of str
        What reading the trials did.
    options : Options
        What is chosen from.
    """

    of: str
    again: bool
    tau: str
    choice: Choice
    points: Sequence[DataPoint]
    found: Refits[Thresholds]
    scales: Mapping[str, float]
    known: str
    notices: tuple[str, ...]
    options: Options


def tabulated(posterior: Posterior, answer: Answer) -> Table:
    """Return the table of thresholds."""
    done = [point for point in answer.points if point.name in answer.found.done]
    names = ["study", "treatment", "comparator"][-len(answer.points[0].label) :]
    index = pd.MultiIndex.from_tuples([point.label for point in done], names=names)
    frame = pd.DataFrame([_row(point, answer.found.done[point.name]) for point in done], index)
    frame = frame.sort_values("nearest", kind="stable")
    if posterior.network.ratio:
        with np.errstate(over="ignore"):  # a bound beyond any number is infinite
            frame[NATURAL] = np.exp(frame[NATURAL])
    digits = decimals(frame["se"].to_numpy())
    table = Table(
        frame[ORDER],
        caption=captioned(posterior, located(posterior, _caption(posterior, answer))),
        notes=_notes(posterior, answer, frame),
        digits=dict.fromkeys(NATURAL, digits) | {"nearest": 1},
        significant=NATURAL[3:] if _is_wide(frame[NATURAL[3:]]) else (),
        unprinted=[name for name in ORDER if name not in SHOWN],
    )
    table.attrs.update(_attributes(posterior, answer))
    return table


def _is_wide(bounds: pd.DataFrame) -> bool:
    """Return whether bounds lie so far apart that decimals say nothing."""
    size = bounds.abs()
    return bool((np.isfinite(size) & (size > 1e4)).any(axis=None))


def _row(point: DataPoint, found: Thresholds) -> dict[str, Any]:
    lower, upper = found
    low, high = point.estimate - Z * point.se, point.estimate + Z * point.se
    return {
        "estimate": point.estimate,
        "lower": low,
        "upper": high,
        "invariant_lower": point.estimate + lower.shift,
        "invariant_upper": point.estimate + upper.shift,
        "below": lower.best,
        "above": upper.best,
        "nearest": min(-lower.shift, upper.shift) / point.se,
        "crossed": max(lower.shift, -upper.shift) > -Z * point.se,
        "se": point.se,
        "shift_lower": lower.shift,
        "shift_upper": upper.shift,
    }


def _caption(posterior: Posterior, answer: Answer) -> str:
    network = posterior.network
    what = "trial's estimate" if answer.of == "trials" else "comparison's direct estimate"
    words = (
        f"Thresholds: how far each {what} may move, its standard error left alone, while "
        f"{answer.choice.name} keeps the best {centre(posterior)} ({network.measure}, "
        f"{network.better} is better{_held(answer)}). Estimates with 95% confidence intervals"
        f"{_spread(answer)}; below and above: who is best beyond the invariant interval; nearest: "
        "the nearer threshold in standard errors; crossed: the confidence interval reaches past it."
    )
    return f"{answer.found.partial} {words}".strip()


def _held(answer: Answer) -> str:
    """Return what became of the scales."""
    if answer.again:
        return f"; {' and '.join(answer.scales)} learnt again at every shift"
    held = ", ".join(f"{name} held at {value:.4g}" for name, value in answer.scales.items())
    return f"; {held}, {answer.known}" if held else ""


def _spread(answer: Answer) -> str:
    if answer.of == "trials":
        return " by sampling error alone"
    held = ", ".join(f"{name} {value:.4g}" for name, value in answer.scales.items())
    return f" at {held}" if held else ""


def _notes(posterior: Posterior, answer: Answer, frame: pd.DataFrame) -> list[str]:
    return [
        *answer.found.notices,
        *_decision(posterior, answer),
        *_fragile(frame),
        *_conventions(posterior, answer, frame),
        *answer.notices,
        *briefly(posterior),
    ]


def _decision(posterior: Posterior, answer: Answer) -> list[str]:
    best, lead, runner_up = answer.choice
    scale = scale_name(posterior)
    among = _among(posterior, answer)
    notes = [f"{best} leads by {lead:.3g} ({scale}); next is {runner_up}.{among}"]
    fitted = _fitted(posterior, answer)
    if fitted != best:
        remedy = "" if answer.notices else " Ask for tau='re-estimated'."
        whose = "posterior mean" if is_credible(posterior) else "estimate"
        notes.append(
            f"In the fit itself {fitted} has the best {whose}; these thresholds are of {best}."
            f"{remedy}"
        )
    if answer.tau == "re-estimated" and not answer.again:
        notes.append("No scale is learnt from the trials, so there is none to estimate again.")
    return notes


def _among(posterior: Posterior, answer: Answer) -> str:
    """Return what is chosen from, where that is not every treatment."""
    if set(answer.options.asked) == set(posterior.network.treatments):
        return ""
    return f" Chosen from: {', '.join(answer.options.names)}."


def _fitted(posterior: Posterior, answer: Answer) -> str:
    """Return which treatment is the best in the fit itself."""
    moments = posterior.draws.moments
    if moments is None:
        beta = posterior.draws.values["beta"].mean(("chain", "draw")).to_numpy()
    else:
        beta = moments.weight @ moments.mean
    return answer.options.names[answer.options.best(beta)]


def _fragile(frame: pd.DataFrame) -> list[str]:
    """Return how many estimates are less certain than the decision needs."""
    count = int(frame["crossed"].sum())
    have = "has a 95% interval that reaches" if count == 1 else "have 95% intervals that reach"
    return [f"{count} of {len(frame)} estimates {have} past a threshold."]


def _conventions(posterior: Posterior, answer: Answer, frame: pd.DataFrame) -> list[str]:
    notes = []
    if answer.of == "trials" and (frame.index.get_level_values("comparator") == OTHERS).any():
        notes.append(
            "In multi-arm trials each arm moves alone; its estimate is against the mean of the "
            "others."
        )
    if answer.again:
        notes.append(
            f"Thresholds were found to {PRECISION:.0e} standard errors, and looked for as far as "
            f"{FARTHEST:g} standard deviations of the estimate, heterogeneity included."
        )
    ratio = posterior.network.ratio
    if any(is_far(frame, side, ratio=ratio).any() for side in ("lower", "upper")):
        factor = f", or a factor of {FACTOR:g}," * ratio
        notes.append(
            f"Thresholds more than {BEYOND:g} standard errors{factor} away are beyond any bias, "
            "and mostly come through the prior alone: read them as none."
        )
    return notes


def is_far(frame: pd.DataFrame, side: str, *, ratio: bool) -> pd.Series[bool]:
    """Return which finite thresholds on a side, "lower" or "upper", are too far to mean a thing."""
    away = frame[f"shift_{side}"].abs()
    far = away > BEYOND * frame["se"]
    if ratio:
        far |= away > np.log(FACTOR)
    return pd.Series(far & np.isfinite(away))


def _attributes(posterior: Posterior, answer: Answer) -> dict[str, Any]:
    network = posterior.network
    return {
        "poor": " ".join(filter(None, [posterior.poor, answer.found.partial.rstrip(":")])),
        "data": " ".join(
            filter(None, [posterior.conditions, *prior_driven(posterior), network.caption])
        ),
        "measure": network.measure,
        "ratio": network.ratio,
        "better": network.better,
        "best": answer.choice.name,
        "lead": answer.choice.lead,
        "among": _among(posterior, answer).strip(),
        "of": answer.of,
        "rule": centre(posterior),
        "held": _held(answer),
        "spread": _spread(answer),
        "absent": [*answer.found.failed, *answer.found.missing],
        "doubted": list(answer.found.poor),
    }
