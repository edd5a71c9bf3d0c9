"""What differences of levels determine of beta, and what they leave open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Directions", "directions"]

RANK = 1e-10
"""Singular values below this share of the largest are rounding."""

TOUCHED = 1e-8
"""Share of a function's coefficients along undetermined directions that is rounding."""


@final
@dataclass(frozen=True, eq=False)
class Directions:
    """What flat priors leave determined: beta in two orthogonal parts.

    Parameters
    ----------
    known, unknown : array, (parameter, direction)
        Orthonormal directions that the trials determine, and those they do not.
    """

    known: NDArray[np.float64]
    unknown: NDArray[np.float64]

    def determine(self, functions: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which linear functions of beta are determined.

        Parameters
        ----------
        functions : array, (function, parameter)
            The coefficients.
        """
        along = np.linalg.norm(functions @ self.unknown, axis=1)
        return np.asarray(along <= TOUCHED * np.linalg.norm(functions, axis=1))


def directions(X: NDArray[np.float64]) -> Directions:
    """Return which directions of beta observed differences of levels determine.

    Standard errors do not enter, since none is infinite: they cannot blur the rank, however far
    apart they lie. Every parameter counts in its own unit.

    Parameters
    ----------
    X : array, (contrast, parameter)
        Differences of levels.
    """
    size = np.linalg.norm(X, axis=0)
    unit = np.where(size > 0, size, 1.0)
    _, singular, turned = np.linalg.svd(X / unit, full_matrices=True)
    rank = int((singular > RANK * singular.max(initial=0.0)).sum())
    unknown, _ = np.linalg.qr(turned.T[:, rank:] / unit[:, None])
    both, _ = np.linalg.qr(np.column_stack([unknown, np.eye(len(unit))]))
    return Directions(both[:, len(unit) - rank :], unknown)
