"""The parameters of a structure: effects of components, interactions, coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nma.errors import shortened
from nma.estimates import (
    Estimates,
    briefly,
    captioned,
    functions,
    interval_words,
    is_credible,
    meanings,
)
from nma.least_squares import differences, estimable
from nma.model import part_names
from nma.posterior import require_posterior
from nma.tables import Table, decimals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.posterior import Posterior

__all__ = ["parameter_table", "reported", "undetermined"]

LISTED = 8
"""Names that a note lists."""


def parameter_table(posterior: Posterior, *, level: float = 0.95, random: bool = False) -> Table:
    r"""Return the parameters of the structure, one row for each.

    Effects against the first treatment under consistency, of components and named interactions, of
    a node-split, coefficients of a regression: whatever the structure, one of a user's own too,
    has as parameters. Of what the trials do not determine a posterior repeats the prior, and least
    squares says nothing.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    level : float, default 0.95
        Probability of the equal-tailed intervals.
    random : bool, default False
        Whether to add the random effects, whose prior a scale multiplies, such as shrunken
        interactions or deviations of treatments from their class.

    Returns
    -------
    Table
        By ``parameter``: ``estimate``, ``lower`` and ``upper`` on the measure's own scale
        (back-transformed for ratio measures: ratios, or by what factor they change with one unit
        of a covariate); ``mean``, ``sd`` and ``mcse`` on the scale of the model; ``p_better``, the
        probability of the better side of no effect, which for a coefficient means that effects get
        better as the covariate rises; ``told``, whether the trials determine it, by the rank of
        the differences of levels within trials, or, of a random effect, whether any trial has it.

    Raises
    ------
    ModelError
        If the level is not between 0 and 1.

    Examples
    --------
    >>> import nma
    >>> structure = nma.structures.Components(separator=" + ", inactive="usual care")
    >>> posterior = nma.fit(nma.datasets.network("musician"), nma.Model(structure))
    >>> table = nma.parameter_table(posterior)
    >>> table["told"].to_dict()
    {'exercise': True, 'telephone CBT': True}

    References
    ----------
    Lu and Ades 2004, doi:10.1002/sim.1875, on basic parameters; Welton et al. 2009,
    doi:10.1093/aje/kwp014, on those of components.
    """
    require_posterior(posterior, "parameter_table")
    names, scale = posterior.problem.parameters.names, posterior.problem.parameters.scale
    rows = np.flatnonzero([random or multiplier is None for multiplier in scale])
    contrasts = np.eye(len(names))[rows]
    told = _told(posterior, contrasts)
    asked = [names[row] for row in rows]
    structure = part_names(posterior.model)["structure"]
    return reported(
        posterior,
        functions(posterior, contrasts, level),
        index=pd.Index(asked, name="parameter"),
        more={"told": told},
        caption=f"Parameters of {structure}, {posterior.network.measure} with "
        f"{interval_words(posterior, level)}s; {posterior.network.better} is better.",
        notes=undetermined(posterior, asked, told),
    )


def _told(posterior: Posterior, contrasts: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which parameters the trials determine; of random effects, which some trial has."""
    problem = posterior.problem
    touched = np.abs(differences(problem)).sum(axis=0) > 0
    scaled = np.array([scale is not None for scale in problem.parameters.scale], dtype=bool)
    which = contrasts.argmax(axis=1)
    return np.where(scaled[which], touched[which], estimable(problem, contrasts))


def undetermined(
    posterior: Posterior, names: Sequence[str], told: NDArray[np.bool_]
) -> tuple[str, ...]:
    """Return a sentence that names what the trials do not determine, if there is any."""
    untold = [name for name, known in zip(names, told, strict=True) if not known]
    if not untold:
        return ()
    more = f" and {len(untold) - LISTED} more" if len(untold) > LISTED else ""
    listed = ", ".join(shortened(name) for name in untold[:LISTED])
    structure = part_names(posterior.model)["structure"]
    rests = (
        f"what is said of them rests on the prior of the structure, {structure}"
        if is_credible(posterior)
        else "their cells are left empty"
    )
    return (f"The trials do not determine {listed}{more}: {rests}.",)


def reported(
    posterior: Posterior,
    found: Estimates,
    *,
    index: pd.Index[Any],
    more: dict[str, Any],
    caption: str,
    notes: Sequence[str],
) -> Table:
    """Return a table of functions of beta, on the measure's own scale and on that of the model.

    Parameters
    ----------
    posterior : Posterior
        A fitted model.
    found : Estimates
        Of the functions.
    index : Index
        What they are called.
    more : dict of str to array
        Columns that stand after the numbers.
    caption : str
        What they are.
    notes : sequence of str
        What stands before the notices of the fit.
    """
    natural = np.exp if posterior.network.ratio else np.asarray
    with np.errstate(over="ignore"):  # a diffuse prior reaches ratios that no number holds
        own = {name: natural(getattr(found, name)) for name in ("lower", "upper")}
        columns = {"estimate": natural(found.mean), **own}
    digits = decimals(found.sd[np.isfinite(found.sd)])
    return Table(
        columns
        | {"mean": found.mean, "sd": found.sd, "mcse": found.mcse, "p_better": found.better}
        | more,
        index=index,
        digits=dict.fromkeys((*columns, "mean", "sd"), digits) | {"mcse": digits + 2},
        probabilities=["p_better"],
        unprinted=[] if posterior.network.ratio else ["mean"],
        caption=captioned(posterior, caption),
        notes=(*notes, *meanings(posterior), *briefly(posterior)),
    )
