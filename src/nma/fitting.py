"""One verb: a network and a model become a posterior."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nma import engines, versions
from nma.errors import EngineError, ModelError
from nma.model import Model, problem
from nma.network import Network
from nma.posterior import Posterior
from nma.reach import joined, told_apart

if TYPE_CHECKING:
    from nma.problem import Draws, Problem
    from nma.protocols import Engine

__all__ = ["fit"]


def fit(network: Network, model: Model | None = None, *, engine: Engine | None = None) -> Posterior:
    """Return the posterior of a model given a network.

    Parameters
    ----------
    network : Network
        The evidence.
    model : Model, optional
        Consistency and random effects with default priors if not given; the defaults become
        numbers once, are kept in the result, and ``summary`` prints them.
    engine : Engine, optional
        If not given, the first of ``engines.Gaussian()``, ``engines.Laplace()`` and
        ``engines.NUTS()`` that suits the problem and finds nothing wrong with its own answer;
        where it is NUTS, notices say what kept the faster ones from answering.

    Returns
    -------
    Posterior
        What every other verb takes; it keeps the resolved model, every notice, and the versions,
        engine and seed that made it.

    Raises
    ------
    DataError
        If the network is not connected.
    ModelError
        If a default prior cannot be sized.
    EngineError
        If the engine does not suit the problem.

    Examples
    --------
    >>> import nma
    >>> posterior = nma.fit(nma.datasets.network("back_pain"))
    >>> posterior
    <Posterior: 9 trials, 4 treatments, Consistency, Random, by Gaussian;
    next: nma.summary, nma.league_table, nma.sucra, nma.plots.forest>
    """
    if not isinstance(network, Network):
        made = "make one by nma.Network.from_arms or from_contrasts"
        if isinstance(getattr(network, "network", None), Network):
            made = "give its `.network`"
        message = f"fit takes a Network, and this is a {type(network).__name__}: {made}."
        raise ModelError(message)
    resolved = (Model() if model is None else model).resolve(network)
    task = problem(resolved, network)
    if engine is None:
        chosen, draws, passed_over = _first_that_answers(task)
    else:
        chosen, draws, passed_over = engine, engine.sample(task), ()
    targets = _targets(resolved, network)
    return Posterior(
        network=network,
        model=resolved,
        engine=chosen,
        problem=task,
        draws=draws,
        targets=targets,
        notices=(
            *network.notices,
            *joined(network, resolved.structure),
            *_untold(resolved, network, task, targets, draws),
            *passed_over,
            *draws.notices,
        ),
        provenance={
            **_versions(),
            **draws.software,
            "engine": repr(chosen),
            "data": _digest(task),
        },
    )


def _targets(model: Model, network: Network) -> pd.DataFrame:
    """Return every treatment, at the covariates' values where effects are reported."""
    covariates = model.structure.covariates(network)
    return pd.DataFrame({"treatment": list(network.treatments), **covariates})


def _untold(
    model: Model, network: Network, task: Problem, targets: pd.DataFrame, draws: Draws
) -> list[str]:
    """Return what the prior tells in place of the trials; least squares, without one, says so."""
    if draws.intervals != "credible":
        return []
    try:
        levels = model.structure.levels(network, targets)
    except ModelError:  # no level outside a trial
        return []
    return [*told_apart(task, model.structure, network.treatments, levels)]


def _first_that_answers(task: Problem) -> tuple[Engine, Draws, tuple[str, ...]]:
    """Return the first engine that suits and finds nothing wrong with its own answer.

    What NUTS says is taken as it is, with what kept the faster ones from answering.
    """
    fast: tuple[Engine, ...] = (engines.Gaussian(), engines.Laplace())
    slow: tuple[Engine, ...] = (engines.NUTS(), engines.NUTS(parametrisation="non-centred"))
    passed_over: list[str] = []
    for engine in (*fast, *slow):
        reason = engine.unsuited(task)
        if reason is None:
            draws = engine.sample(task)
            if engine in slow or not draws.faults:
                return engine, draws, tuple(passed_over) if engine in slow else ()
            reason = " ".join(draws.faults).rstrip(".")
        passed_over.append(f"{type(engine).__name__} was not used: {reason}.")
    message = f"No engine suits this model and these data. {' '.join(passed_over)}"
    raise EngineError(message)


@cache
def _versions() -> dict[str, str]:
    return versions.installed(("bayesnma", "numpy", "scipy", "pandas", "xarray"))


def _digest(task: Problem) -> str:
    """Return a digest of the labels and levels of the arms and of the evidence."""
    import hashlib

    digest = hashlib.sha256()
    for column in ("study", "treatment"):
        digest.update("\x1f".join(task.arms[column].tolist()).encode())
    for part in task.evidence:
        for name in sorted(vars(part)):
            value = getattr(part, name)
            for array in value.values() if isinstance(value, Mapping) else [value]:
                if isinstance(array, np.ndarray):
                    digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]
