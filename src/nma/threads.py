"""Linear algebra on one thread: small matrices gain nothing from more, and busy machines lose."""

from __future__ import annotations

from functools import cache
from typing import Any

__all__ = ["one_thread"]


@cache
def _controller() -> Any:
    """Return the controller of the BLAS libraries; finding them costs far more than a limit."""
    from scipy.linalg import lapack  # noqa: F401  its BLAS must be there to be found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_thread() -> Any:
    """Return a context in which BLAS keeps to one thread."""
    return _controller().limit(limits=1, user_api="blas")
