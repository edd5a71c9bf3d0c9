"""What the library knows about measures by their names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, get_args

from nma.errors import ModelError, nearest
from nma.protocols import Better

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["RATIOS", "UNSAID", "has_unit_one", "require_better", "require_measure"]

RATIOS = frozenset({"OR", "RR", "HR", "IRR", "ROM"})
"""Measures analysed as logarithms and printed back-transformed."""

KNOWN = RATIOS | {"MD", "SMD", "RD"}
"""Measures whose scale the library knows; other names are the user's own."""

UNSAID: Better = ""  # type: ignore[assignment]
"""Stands where the user has not said which direction is better; there is no default."""


def has_unit_one(measure: str) -> bool:
    """Return whether 1 is the natural size of one unit: log ratios and SMDs."""
    return measure in RATIOS or measure == "SMD"


def require_better(better: str) -> None:
    """Refuse a direction that was left out or misspelt."""
    if better not in get_args(Better):
        said = f"better={better!r} is not a direction" if better else "`better` is missing"
        message = (
            f"{said}: say better='lower' if lower values are better for the patient (pain, "
            "disability) or better='higher' if higher values are (responders, function). "
            "There is no default, because a wrong one turns every ranking upside down."
        )
        raise ModelError(message)


def require_measure(measure: str, known: Collection[str] = ()) -> None:
    """Refuse a measure that was left out, or is not among those an outcome offers."""
    if not measure:
        message = "`measure` is missing: name the measure, such as measure='MD'."
        raise ModelError(message)
    plain = re.sub("^(LOG|LN)", "", re.sub(r"[\s_.-]", "", measure.upper()))
    if plain in KNOWN and measure not in KNOWN:
        on = "; its effects are logarithms" if plain in RATIOS else ""
        message = f"measure={measure!r} would not be recognised: write {plain!r}{on}."
        raise ModelError(message)
    if plain not in KNOWN and (name := _spelled_out(measure)):
        message = (
            f"measure={measure!r} would not be recognised: write {name!r}, and give logarithms."
        )
        raise ModelError(message)
    if known and measure not in known:
        listed = ", ".join(map(repr, sorted(known)))
        message = f"measure={measure!r} is not offered here: use {listed}.{nearest(measure, known)}"
        raise ModelError(message)


def _spelled_out(measure: str) -> str | None:
    """Return the short name of a ratio measure that is written out, such as an odds ratio."""
    words = measure.casefold()
    if "ratio" not in words and "relative risk" not in words:
        return None
    names = {"odds": "OR", "hazard": "HR", "rate": "IRR", "mean": "ROM", "risk": "RR"}
    return next((name for word, name in names.items() if word in words), "OR")
