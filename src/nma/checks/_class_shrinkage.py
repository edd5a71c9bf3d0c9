"""How far treatments are drawn to their class: on their own, shrunken, and what the class does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from nma.checks._scale import scale_numbers
from nma.errors import DataError, ModelError
from nma.estimates import (
    briefly,
    captioned,
    functions,
    interval_words,
    require_level,
    scale_name,
)
from nma.posterior import require_posterior
from nma.refits import Executor, Refit, refit_all
from nma.structures import Consistency
from nma.tables import Table, decimals, interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nma.network import Network
    from nma.posterior import Posterior

__all__ = ["class_shrinkage"]

LABEL = "treatments on their own"
"""What the other model is called."""

NUMBERS = ("", "_sd", "_lower", "_upper", "_mcse")
"""What is told of each effect; the first is the mean."""

NEAR = 0.1
"""Standard deviations from the class below which no share of the way can be told."""


def class_shrinkage(
    posterior: Posterior,
    *,
    comparator: str | None = None,
    level: float = 0.95,
    executor: Executor | None = None,
    progress: bool = True,
) -> Table:
    r"""Return how far the treatments of each class moved from what they show on their own.

    The resolved model is fitted again with every treatment a class of its own, so that nothing is
    shared but the heterogeneity. With that effect :math:`\hat\delta_t`, the one in the model at
    hand :math:`\tilde\delta_t` and the mean of its class :math:`\tilde m_{c(t)}`, all against one
    comparator, the share of the way that a treatment moved is

    .. math:: \frac{\hat\delta_t - \tilde\delta_t}{\hat\delta_t - \tilde m_{c(t)}}

    which is 0 where it stays and 1 where it is the class; beyond these where what it was compared
    with moved too. In a common-effect model of a star it is
    :math:`v_t / (v_t + \tau_{class}^2)`, with :math:`v_t` the variance of the treatment's own
    estimate. Under a wrapper, such as a regression, effects are those at its reported values.

    Parameters
    ----------
    posterior : Posterior
        A fitted model with ``structures.Classes``, or around it.
    comparator : str, optional
        What effects are against; the network's reference if not given.
    level : float, default 0.95
        Probability of the equal-tailed intervals.
    executor : Executor, optional
        Where to fit: anything with ``map``, such as those of ``concurrent.futures``. Here if not
        given; the numbers are the same.
    progress : bool, default True
        Whether to show a bar, on terminals and in notebooks.

    Returns
    -------
    Table
        By ``class`` and ``treatment``, for every treatment that is not alone in its class:
        posterior means ``own``, ``shrunken`` and ``class_mean``, each with ``_sd``, ``_lower``,
        ``_upper`` and ``_mcse``, on the scale of the model; and ``moved``, NaN where a treatment on
        its own is as good as its class.

    Raises
    ------
    ModelError
        If the model has no classes, all of them have one treatment, or the comparator is unknown.
    EngineError
        If the fit failed.

    Examples
    --------
    >>> import nma
    >>> network = nma.datasets.network("back_pain")
    >>> exercise = dict.fromkeys(
    ...     ["standard exercise", "individualised exercise", "multimodal care"], "exercise"
    ... )
    >>> structure = nma.structures.Classes(
    ...     classes={"passive control": "passive control", **exercise}
    ... )
    >>> posterior = nma.fit(network, nma.Model(structure))
    >>> table = nma.checks.class_shrinkage(posterior, comparator="passive control")
    >>> table["moved"].round(2).tolist()
    [0.42, 0.54, 0.38]

    References
    ----------
    Dominici et al. 1999, doi:10.1080/01621459.1999.10473861; Owen et al. 2015,
    doi:10.1016/j.jval.2015.01.006.
    """
    require_posterior(posterior, "class_shrinkage")
    require_level(level)
    against = posterior.network.reference if comparator is None else comparator
    posterior.network.codes([against])
    classes = _inside(posterior.model.structure)
    members = _members(classes, posterior.network, against)
    apart, notes = _apart(classes, posterior.network)
    whole: Any = _around(posterior.model.structure, apart)
    task = Refit.of(posterior, LABEL, model=replace(posterior.model, structure=whole))
    asked = {"own": _levels(apart, posterior.network, [*members], against)}
    found = refit_all([task], partial(_read, asked, level), executor=executor, progress=progress)
    here = {
        "shrunken": _levels(classes, posterior.network, [*members], against),
        "class_mean": _levels(classes, posterior.network, [*members.values()], against),
    }
    numbers = {**found.done[LABEL], **_read(here, level, posterior)}
    said = [*found.notices, *notes, *_scale_notes(posterior, classes, level)]
    return _tabulated(posterior, members, numbers, said, against=against, level=level)


def _inside(structure: Any) -> Any:
    """Return the classes that a structure is, or has below what it wraps."""
    inner = structure
    while not (hasattr(inner, "members") and hasattr(inner, "grouped")):
        inner = getattr(inner, "base", None)
        if inner is None:
            message = (
                f"The model has no classes: its structure is {type(structure).__name__}. "
                "nma.structures.Classes makes treatments share what their class does."
            )
            raise ModelError(message)
    return inner


def _around(structure: Any, apart: Any) -> Any:
    """Return the same structure around other classes."""
    if hasattr(structure, "members") and hasattr(structure, "grouped"):
        return apart
    return replace(structure, base=_around(structure.base, apart))


def _members(classes: Any, network: Network, against: str) -> dict[str, str]:
    """Return the class of each treatment that is not alone in it, in the order of classes."""
    of: Mapping[str, str] = {name: classes.members[name] for name in network.treatments}
    several = [*of.values()]
    found = {name: cls for name, cls in of.items() if several.count(cls) > 1 and name != against}
    if not found:
        message = "Every class has one treatment, so none is drawn to any other."
        raise ModelError(message)
    order = list(dict.fromkeys(found.values()))
    return dict(sorted(found.items(), key=lambda pair: order.index(pair[1])))


def _apart(classes: Any, network: Network) -> tuple[Any, list[str]]:
    """Return classes of one treatment each, and what is to be said of them."""
    alone = tuple((name, name) for name in network.treatments)
    apart = replace(classes, classes=alone)
    try:
        return apart.resolve(network), []
    except (DataError, ModelError):  # the base is meant for the classes alone
        plain = replace(apart, base=Consistency(Consistency.default(network)))
        name = type(classes.base).__name__
        said = f"On their own treatments are as under Consistency, since {name} relates classes."
        return plain.resolve(network), [said]


def _levels(
    classes: Any, network: Network, names: Sequence[str], against: str
) -> NDArray[np.float64]:
    """Return levels of treatments or classes less the comparator's, (name, parameter)."""
    arms = pd.DataFrame({"treatment": [against, *names]}).assign(**classes.covariates(network))
    z = classes.levels(network, arms)
    return np.asarray(z[1:] - z[0])


def _read(
    asked: Mapping[str, NDArray[np.float64]], level: float, fitted: Posterior
) -> dict[str, NDArray[np.float64]]:
    """Return mean, sd, lower, upper and mcse of each, (name, number).

    Parameters of what a wrapper adds come after those of its base, and are left at zero.
    """
    size = len(fitted.problem.parameters.names)
    told = {}
    for name, z in asked.items():
        padded = np.pad(z, ((0, 0), (0, size - z.shape[1])))
        found = functions(fitted, padded, level)
        numbers = [found.mean, found.sd, found.lower, found.upper, found.mcse]
        told[name] = np.stack(numbers, axis=1)
    return told


def _tabulated(
    posterior: Posterior,
    members: Mapping[str, str],
    numbers: Mapping[str, NDArray[np.float64]],
    said: Sequence[str],
    *,
    against: str,
    level: float,
) -> Table:
    rows = pd.MultiIndex.from_tuples(
        [(cls, name) for name, cls in members.items()], names=["class", "treatment"]
    )
    table = pd.DataFrame(index=rows)
    for name in ("own", "shrunken", "class_mean"):
        for k, end in enumerate(NUMBERS):
            table[f"{name}{end}"] = numbers[name][:, k]
    far = table["own"] - table["class_mean"]
    told = far.abs() > NEAR * table["own_sd"]
    table["moved"] = ((table["own"] - table["shrunken"]) / far).where(told)
    digits = decimals(table["own_sd"].to_numpy())
    names = [str(name) for name in table]
    shown = [name for name in names if not name.endswith(("_lower", "_upper", "_mcse"))]
    result = Table(
        table,
        caption=captioned(
            posterior,
            f"Treatments on their own, shrunken and the mean of their class, "
            f"{scale_name(posterior)} versus {against}; {interval_words(posterior, level)}s are in "
            "columns not printed, such as own_lower.",
        ),
        notes=[*_moved_notes(table["moved"]), *said, *briefly(posterior)],
        digits=dict.fromkeys(shown, digits) | {"moved": 2},
        unprinted=[name for name in names if name not in shown],
    )
    result.attrs = {
        "poor": posterior.poor,
        "data": posterior.network.caption,
        "comparator": against,
        "level": level,
        "ratio": posterior.network.ratio,
        "measure": posterior.network.measure,
        "better": posterior.network.better,
        "interval": f"{posterior.draws.intervals} interval",
    }
    return result


def _moved_notes(moved: pd.Series[float]) -> list[str]:
    if moved.isna().all():
        return ["On their own the treatments are as good as their classes: no share can be told."]
    if (moved.dropna() - 1).abs().max() < 1e-6:
        return []
    alone = moved.droplevel("class")
    far, near = alone.idxmax(), alone.idxmin()
    said = (
        f"The share of the way to the class (moved) is {moved.median():.2f} at the median, from "
        f"{moved.min():.2f} ({near}) to {moved.max():.2f} ({far})."
    )
    return [said]


def _scale_notes(posterior: Posterior, classes: Any, level: float) -> list[str]:
    """Return the scale within classes."""
    name = getattr(classes, "name", "")
    if name not in {scale.name for scale in posterior.problem.scales}:
        return ["Treatments of a class are the same by the model, so they are its mean."]
    median, lower, upper = scale_numbers(posterior, name, level)[:3]
    if lower == upper:
        return [f"{name} is {median:.4g}, taken as known."]
    digits = decimals(np.array([(upper - lower) / 4]))
    told = interval(median, lower, upper, 0.0, digits=digits)
    return [f"{name} is {told}: near zero it draws treatments to their class."]
