"""Priors of a share, between 0 and 1."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from nma.arrays import xlogy
from nma.priors._values import finite, require

__all__ = ["Beta"]


@final
@dataclass(frozen=True)
class Beta:
    r"""Beta prior of a share, :math:`p(x) \propto x^{a - 1} (1 - x)^{b - 1}` on 0 to 1.

    What r of n people tell, after a uniform prior, is ``Beta(r + 1, n - r + 1)``.

    Parameters
    ----------
    a, b : float
        Above zero; the mean is a/(a + b).
    origin : str, optional
        Where the numbers came from, when the library chose them.

    Raises
    ------
    ModelError
        If a or b is not above zero, or not finite.

    Examples
    --------
    >>> import nma
    >>> nma.priors.Beta(31, 71)
    Beta(a=31, b=71)
    """

    a: float
    b: float
    origin: str = field(default="", compare=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        right = finite(self.a, self.b) and min(self.a, self.b) > 0
        require(right, self, "a and b must be positive")

    @property
    def support(self) -> tuple[float, float]:
        """From 0 to 1."""
        return 0.0, 1.0

    def quantile(self, probability: float) -> float:
        """Value below which the quantity lies with the given probability."""
        from scipy.special import betaincinv

        return float(betaincinv(self.a, self.b, probability))

    def log_density(self, x: Any, xp: Any = np) -> Any:
        """Natural logarithm of the density."""
        level = math.lgamma(self.a) + math.lgamma(self.b) - math.lgamma(self.a + self.b)
        is_inside = (x > 0) & (x < 1)
        safe = xp.where(is_inside, x, 0.5)
        inside = xlogy(self.a - 1, safe, xp) + xlogy(self.b - 1, 1 - safe, xp) - level
        return xp.where(is_inside, inside, -math.inf)
