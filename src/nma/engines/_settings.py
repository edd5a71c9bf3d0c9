"""What engines ask of their own settings."""

from __future__ import annotations

from typing import Any

import numpy as np

from nma.errors import EngineError

__all__ = ["require_whole"]


def require_whole(engine: Any, name: str, least: int, *, optional: bool = False) -> None:
    """Refuse a setting that is no whole number of ``least`` or more.

    Raises
    ------
    EngineError
        With the setting, its value and what it must be.
    """
    value = getattr(engine, name)
    if optional and value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        message = f"{name}={value!r} is not a whole number of {least} or more."
        raise EngineError(message)
