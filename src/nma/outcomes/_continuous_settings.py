"""Settings of continuous outcomes that do not go together."""

from __future__ import annotations

from typing import Any, Protocol

from nma.errors import ModelError

__all__ = ["Settings", "require_fitting"]


class Settings(Protocol):
    """The settings of a continuous outcome that need, or forbid, another one."""

    @property
    def n(self) -> str | None:
        """Column of participants."""

    @property
    def measure(self) -> str:
        """Name of the measure."""

    @property
    def instrument(self) -> str | None:
        """Column of instruments."""

    @property
    def instruments(self) -> Any:
        """What the names in that column mean."""

    @property
    def reference_sd(self) -> Any:
        """The standard deviation of each instrument."""

    @property
    def scores(self) -> str | None:
        """What the means are of."""


def require_fitting(outcome: Settings) -> None:
    """Refuse settings that need another one."""
    column = outcome.instrument
    own_sds = outcome.measure == "SMD" and outcome.reference_sd is None
    lacking = {
        f"scores={outcome.scores!r} is not a choice: say scores='final' or scores='change'.": (
            outcome.scores not in {None, "final", "change"}
        ),
        "measure='ROM' is refused for changes from baseline: their ratio depends on where the "
        "scale begins, and has no value at a change of zero. Use measure='MD' or 'SMD'.": (
            outcome.measure == "ROM" and outcome.scores == "change"
        ),
        "measure='ROM' has no units and reverses no sign: leave `instrument` out, and read "
        "instruments of the other direction apart.": (
            outcome.measure == "ROM" and outcome.instrument is not None
        ),
        f"instrument={column!r} is not a column: name the one that tells each arm's instrument.": (
            column is not None and not (column and isinstance(column, str))
        ),
        "reference_sd goes with measure='SMD': a mean difference is in points already.": (
            outcome.reference_sd is not None and outcome.measure != "SMD"
        ),
        "reference_sd is by instrument: name the column of each arm's instrument, `instrument`.": (
            outcome.reference_sd is not None and outcome.instrument is None
        ),
        "`instruments` says what names mean: name the column that holds them, `instrument`.": (
            outcome.instruments is not None and outcome.instrument is None
        ),
        "measure='SMD' needs the participants of every arm for the trial's own SD: name `n`, or "
        "give reference_sd={...}.": own_sds and outcome.n is None,
    }
    for message, is_so in lacking.items():
        if is_so:
            raise ModelError(message)
