"""Responders: for how many people a difference matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, final

import numpy as np
import pandas as pd

from nma.decisions._benefits import require_two
from nma.decisions._control_rate import ControlRate, control_rate_of
from nma.decisions._conversion import Conversion, Method, conversion
from nma.decisions._number_needed import number_needed
from nma.errors import ModelError, shortened
from nma.estimates import (
    briefly,
    captioned,
    interval_words,
    is_credible,
    located,
    replicate_error,
    require_level,
)
from nma.posterior import require_posterior
from nma.tables import Table, decimals, interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior
    from nma.priors import Beta, Normal

__all__ = ["responders"]

ENDS = ("", "_lower", "_upper")


def responders(
    posterior: Posterior,
    *,
    control_rate: float | Beta | Normal | Literal["network"],
    definition: str,
    method: Method | None = None,
    sd: float | None = None,
    comparator: str | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Table:
    r"""Return how many people respond: risk ratio, risk difference and number needed to treat.

    With the SMD in the direction of benefit and the control rate :math:`p_0`,

    .. math:: \mathrm{logit}(p_1) = \mathrm{logit}(p_0) + \frac{\pi}{\sqrt 3}\,\mathrm{SMD}
              \qquad \text{or} \qquad p_1 = \Phi(\Phi^{-1}(p_0) + \mathrm{SMD})

    and from odds ratios :math:`\mathrm{logit}(p_1) = \mathrm{logit}(p_0) + \log \mathrm{OR}`. Then
    :math:`\mathrm{RR} = p_1/p_0` and :math:`\mathrm{RD} = p_1 - p_0`, draw by draw, or exactly
    where the posterior is and the rate a number. NNT is 1/(median RD) and its limits are those of
    RD turned over: 1/RD has no mean, and where the interval of RD holds zero it goes through
    infinity.

    Parameters
    ----------
    posterior : Posterior
        A fitted model of SMD or MD, or of OR or HR of events.
    control_rate : float, Beta, Normal or "network"
        The share that responds under the comparator: strictly between 0 and 1; or its
        distribution, independent of the effects, a ``priors.Beta`` of the share or a
        ``priors.Normal`` of its log odds; or, for events, the network's own under its reference,
        as in ``absolute_effects``. Ratios, differences and NNT depend on it.
    definition : str
        Who responds, such as "at least 50 % less pain at 12 weeks"; for OR and HR the event. The
        control rate must be of the same.
    method : {"Hasselblad-Hedges", "Furukawa"}, optional
        How a difference of means is converted; the first if not given, and named in the caption.
    sd : float, optional
        For MD alone, and needed there: the standard deviation between people, in points of the
        outcome.
    comparator : str, optional
        The network's reference if not given.
    level : float, default 0.95
        Probability of the equal-tailed intervals.
    seed : int, default 0
        The same seed gives the same rates, where the rate is a distribution.

    Returns
    -------
    Table
        By treatment, as text: ``frequencies``, of so many people how many respond without and
        with it; ``risk ratio``, ``risk difference`` and ``NNT``, medians with their intervals.
        NNTB is to benefit, NNTH to harm. As numbers, unprinted: ``rate``, ``rr`` and ``rd`` with
        their ``_lower`` and ``_upper``, and with ``_mcse``, the Monte Carlo standard errors of the
        medians, zero where exact.

    Raises
    ------
    ModelError
        If the rate is not between 0 and 1, the definition is missing, effects of this measure lead
        to no responders, or the method is unknown or for another measure.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> table = nma.decisions.responders(
    ...     posterior, control_rate=0.3, definition="at least 30 % less pain", sd=2.4
    ... )
    >>> table.loc["multimodal care", "frequencies"]
    'of 100: 30 without, 61 (46 to 75) with'
    >>> table.loc["multimodal care", "NNT"]
    'NNTB 3.2 (2.2 to 6.4)'

    References
    ----------
    Hasselblad and Hedges 1995, doi:10.1037/0033-2909.117.1.167;
    Furukawa and Leucht 2011, doi:10.1371/journal.pone.0019070;
    Altman 1998, doi:10.1136/bmj.317.7168.1309, on intervals of NNT.
    """
    require_posterior(posterior, "responders")
    require_level(level)
    require_two(posterior)
    _require_definition(definition)
    against = posterior.comparator if comparator is None else comparator
    how = conversion(posterior, method, sd)
    control = control_rate_of(posterior, control_rate, how, against, seed)
    found = _Found.of(posterior, control, how, against, level)
    names = [name for name in posterior.treatments if name != against]
    numbers = pd.DataFrame(found.numbers, index=pd.Index(names, name="treatment"))
    table = Table(
        numbers.assign(**found.texts(numbers)),
        unprinted=list(numbers),
        caption=_caption(posterior, found, definition, level),
        notes=_notes(posterior, found),
    )
    table.attrs["definition"] = definition
    return table


def _require_definition(definition: object) -> None:
    if not isinstance(definition, str) or not definition.strip():
        message = (
            "`definition` is missing: say who counts as a responder, such as definition='at least "
            "50 % less pain at 12 weeks'. The control rate is of these people, and another "
            "definition has another."
        )
        raise ModelError(message)


@final
@dataclass(frozen=True, eq=False)
class _Found:
    """Rates under every treatment but the comparator, and what is derived from them."""

    numbers: dict[str, NDArray[np.float64]]
    control: ControlRate
    how: Conversion
    against: str

    @classmethod
    def of(
        cls,
        posterior: Posterior,
        control: ControlRate,
        how: Conversion,
        against: str,
        level: float,
    ) -> _Found:
        """Return the rates, exactly where that is possible."""
        place = posterior.position(against)
        contrasts = np.delete(posterior.levels - posterior.levels[place], place, axis=0)
        ends = [0.5, (1 - level) / 2, (1 + level) / 2]
        moments = posterior.draws.moments
        if moments is not None and control.known is not None:
            moves = moments.of(contrasts).times(how.factor)
            rate = np.array([how.moved(control.known, moves.quantile(p)) for p in ends])
            three = {"rate": rate, "rr": rate / control.known, "rd": rate - control.known}
            return cls(
                _named(three, dict.fromkeys(three, np.zeros(len(contrasts)))), control, how, against
            )
        beta = posterior.draws.values["beta"].to_numpy()
        without = control.draws(beta.shape[:2])[..., None]
        drawn = how.moved(without, how.factor * (beta @ contrasts.T))
        all_drawn = {"rate": drawn, "rr": drawn / without, "rd": drawn - without}
        three = {name: np.quantile(x, ends, axis=(0, 1)) for name, x in all_drawn.items()}
        errors = {name: _median_error(x) for name, x in all_drawn.items()}
        return cls(_named(three, errors), control, how, against)

    def texts(self, numbers: pd.DataFrame) -> dict[str, list[str]]:
        """Return the columns that are printed."""
        without = self.control.quantile(0.5)
        base = _base(without, numbers["rate"].to_numpy())
        benefit = [numbers[f"rd{end}"].to_numpy() for end in ENDS]
        if not self.how.is_good:
            benefit = [-benefit[0], -benefit[2], -benefit[1]]
        return {
            "frequencies": [
                _frequencies(base, without, *(numbers[f"rate{end}"].iloc[k] for end in ENDS))
                for k in range(len(numbers))
            ],
            "risk ratio": _intervals(numbers, "rr"),
            "risk difference": _intervals(numbers, "rd"),
            "NNT": [number_needed(*row) for row in zip(*benefit, numbers["rd_mcse"], strict=True)],
        }


def _named(
    three: dict[str, NDArray[np.float64]], errors: dict[str, NDArray[np.float64]]
) -> dict[str, NDArray[np.float64]]:
    """Return medians, limits and errors by the names of their columns."""
    found = {f"{name}{end}": x[k] for name, x in three.items() for k, end in enumerate(ENDS)}
    return found | {f"{name}_mcse": error for name, error in errors.items()}


def _median_error(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Monte Carlo standard error of medians, by the spread of those of the chains."""
    return replicate_error(np.quantile(drawn, 0.5, axis=1)[:, None])


def _base(without: float, rates: NDArray[np.float64]) -> int:
    """Return of how many people to count: 100, or more where responses are rare."""
    least = float(np.nanmin([without, *rates]))
    return next((base for base in (100, 1000) if base * least >= 10), 10_000)


def _frequencies(base: int, without: float, rate: float, lower: float, upper: float) -> str:
    if np.isnan(rate):
        return ""
    start, middle, low, high = (f"{base * share:.0f}" for share in (without, rate, lower, upper))
    return f"of {base}: {start} without, {middle} ({low} to {high}) with"


def _intervals(numbers: pd.DataFrame, name: str) -> list[str]:
    ends = [numbers[f"{name}{end}"].to_numpy() for end in ENDS]
    digits = decimals((ends[2] - ends[1])[np.isfinite(ends[0])] / 4)
    rows = zip(*ends, numbers[f"{name}_mcse"], strict=True)
    return ["" if np.isnan(row[0]) else interval(*row, digits=digits) for row in rows]


def _caption(posterior: Posterior, found: _Found, definition: str, level: float) -> str:
    is_good, name = found.how.is_good, shortened(found.against)
    who, verb, side = (
        ("Responders", "respond", "above") if is_good else ("Events", "have one", "below")
    )
    said = (
        f"{who}: {definition.strip().rstrip('.')}. Treatment versus {name}, where "
        f"{found.control.said(found.against, verb)}; medians with "
        f"{interval_words(posterior, level)}s; risk differences {side} 0 favour the treatment "
        f"(NNTB: to benefit, NNTH: to harm). {found.how.words}"
    )
    return captioned(posterior, located(posterior, said))


def _notes(posterior: Posterior, found: _Found) -> list[str]:
    unposterior = (
        "No posterior: medians and intervals are those of the sampling distribution of the "
        "estimates, carried through the conversion."
    )
    return [
        found.control.standing(posterior, found.against),
        *found.how.notes,
        *([] if is_credible(posterior) else [unposterior]),
        *briefly(posterior),
    ]
