"""Full Markov chain Monte Carlo, for what has no faster engine and to check those that have."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from multiprocessing import current_process
from typing import TYPE_CHECKING, Any, Literal, final, get_args

import numpy as np

from nma import _arviz
from nma.engines._convergence import judge
from nma.engines._pymc import (
    Parametrisation,
    build,
    integrable,
    is_of_arms,
    sampled_arms,
)
from nma.engines._settings import require_whole
from nma.errors import EngineError
from nma.problem import Draws, Problem, Scale

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["NUTS"]

Sampler = Literal["pymc", "nutpie"]


@final
@dataclass(frozen=True)
class NUTS:
    r"""The No-U-Turn sampler on the whole model, by PyMC or nutpie.

    Random effects of normal evidence are integrated out unless asked otherwise, so that only
    beta and the scales are sampled: near :math:`\tau = 0` the sampled forms meet a funnel

    .. math:: p(u, \tau) \propto \tau^{-k} \exp(-|u|^2 / \tau^2) \, p(\tau)

    and give divergences and a biased tau. Every chain is judged: R-hat above 1.01, effective
    draws below 100 per chain, any divergence, or a fraction of missing energy information below
    0.3 makes a poor fit, and every table from it begins by saying so.

    Parameters
    ----------
    draws : int, default 1000
        Draws kept in each chain.
    tune : int, default 1000
        Steps of each chain before that, in which the sampler learns its step size and scales.
    chains : int, default 4
        Independent chains; R-hat needs two.
    seed : int, default 0
        The same seed gives the same draws on any number of cores.
    parametrisation : {"integrated", "non-centred", "centred"}
        How random effects enter. "integrated" applies to normal evidence with one scale; those
        of arm-level evidence are then sampled non-centred.
    target_accept : float, default 0.99
        Average acceptance the step size is tuned to; nearer to one is slower and surer.
    sampler : {"pymc", "nutpie"}
        nutpie only when asked for, so that a seed means one thing.
    cores : int, optional
        Chains run at once; as many as there are cores if not given. PyMC runs them in turn, with
        the same draws, in a process that may start no others, such as a worker of a cluster.
    progress : bool, default True
        Whether to show a progress bar.

    Raises
    ------
    EngineError
        If a number is no whole number that makes sense, ``target_accept`` is not between 0 and 1,
        or a choice is none of those.

    Examples
    --------
    >>> import nma
    >>> nma.engines.NUTS(draws=2000, seed=1, progress=False)
    NUTS(draws=2000, tune=1000, chains=4, seed=1, parametrisation='integrated',
    target_accept=0.99, sampler='pymc', cores=None, progress=False)

    References
    ----------
    Hoffman and Gelman 2014, Journal of Machine Learning Research 15:1593-1623;
    Betancourt and Girolami 2015, arXiv:1312.0906, on centring.
    """

    draws: int = 1000
    tune: int = 1000
    chains: int = 4
    seed: int = 0
    parametrisation: Parametrisation = "integrated"
    target_accept: float = 0.99
    sampler: Sampler = "pymc"
    cores: int | None = None
    progress: bool = True

    def __post_init__(self) -> None:
        for name, least in (("draws", 1), ("tune", 1), ("chains", 1), ("seed", 0)):
            require_whole(self, name, least)
        require_whole(self, "cores", 1, optional=True)
        if self.draws * self.chains > MOST:
            message = f"{self.draws * self.chains:,} draws are asked for: {MOST:,} is the most."
            raise EngineError(message)
        if not isinstance(self.target_accept, float | int) or not 0 < self.target_accept < 1:
            message = f"target_accept={self.target_accept!r} is not between 0 and 1."
            raise EngineError(message)
        for name, choices in (("parametrisation", Parametrisation), ("sampler", Sampler)):
            if getattr(self, name) not in get_args(choices):
                listed = ", ".join(map(repr, get_args(choices)))
                message = f"{name}={getattr(self, name)!r} is not a choice: use {listed}."
                raise EngineError(message)

    def unsuited(self, problem: Problem) -> str | None:
        """Return why the engine cannot answer in the form that was asked for."""
        instead = "use NUTS(parametrisation='non-centred')"
        if self.parametrisation == "integrated" and not integrable(problem):
            return f"random effects with several scales cannot be integrated out: {instead}"
        if self.parametrisation == "centred":
            nil = [scale.name for scale in problem.scales if scale.prior.support[1] <= 0]
            if nil:
                return f"effects whose scale {nil[0]} is zero cannot be centred: {instead}"
        return None

    def model(self, problem: Problem) -> Any:
        """Return the problem as the ``pymc.Model`` that would be sampled.

        Parameters
        ----------
        problem : Problem
            Such as ``posterior.problem``.

        Returns
        -------
        pymc.Model
            Its variables carry names and dims, so PyMC's own tools can be used on it.

        Raises
        ------
        EngineError
            If the engine cannot answer the problem in the form that was asked for.

        Examples
        --------
        >>> import nma
        >>> problem = nma.fit(nma.datasets.network("back_pain")).problem
        >>> {"beta", "tau"} <= set(nma.engines.NUTS().model(problem).named_vars)
        True
        """
        return build(problem, self.parametrisation)

    def sample(self, problem: Problem) -> Draws:
        """Return draws of beta, the scales, trial levels and sampled random effects.

        Raises
        ------
        EngineError
            If the problem is unsuited, the sampler failed, or it was interrupted before there
            was a draw; an interruption later keeps the draws there are, and says so.
        """
        reason = self.unsuited(problem)
        if reason is not None:
            message = f"NUTS cannot answer: {reason}."
            raise EngineError(message)
        model = self.model(problem)
        with _quiet():
            values, statistics = _run(self, model)
        whole = _finished(values, statistics)
        if not whole["chain"] or not whole["draw"].stop:
            raise EngineError(INTERRUPTED) from KeyboardInterrupt()
        values = _reported(values.isel(whole), problem)
        statistics = statistics.isel(whole)
        judgement = judge(values[_learnt(values, problem)], statistics)
        stopped = _interrupted(self, values)
        return Draws(
            sampler=partial(_kept, values),
            diagnostics=judgement.worst,
            notices=_notices(self, problem, statistics),
            faults=(*stopped, *judgement.faults),
            statistics=statistics,
            convergence=judgement.convergence,
            software={name: version(name) for name in ("pymc", "pytensor", self.sampler)},
            interrupted=bool(stopped),
        )


MOST = 10_000_000
"""Draws that a run may be asked for, all chains together: far beyond use, and gigabytes."""

DENSE = 100
"""Quantities up to which PyMC learns their correlations, and not only their scales."""

INTERRUPTED = (
    "Sampling was interrupted before there was a draw to keep. Run it again; with fewer draws, or "
    "by another engine, if it takes too long."
)


KNOWN = (
    "PyTensor could not link to a BLAS",
    "Cannot cache compiled function",
    "QuadPotentialFullAdapt is an experimental feature",
    r"np\.dot\(\) is faster on contiguous arrays",
)
"""Warnings that tell the user of this library nothing."""


def _kept(values: xr.Dataset) -> xr.Dataset:
    return values


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence PyMC while it samples: what its log would say is in the diagnostics.

    PyTensor warns that it found no BLAS, which code compiled by numba does without; numba, of
    code that it cannot keep for the next session, or that could be faster; PyMC, that learning
    correlations is new.
    """
    logger = logging.getLogger("pymc")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            for known in KNOWN:
                warnings.filterwarnings("ignore", message=known)
            yield
    finally:
        logger.setLevel(level)


def _run(engine: NUTS, model: Any) -> tuple[xr.Dataset, xr.Dataset]:
    """Return the posterior and the sampler's statistics, (chain, draw, ...)."""
    cores = min(engine.chains, engine.cores or os.cpu_count() or 1)
    if engine.sampler == "pymc" and current_process().daemon:
        cores = 1
    sample = _by_pymc if engine.sampler == "pymc" else _by_nutpie
    result = sample(engine, model, cores)
    return _arviz.group(result, "posterior"), _arviz.group(result, "sample_stats")


def _by_pymc(engine: NUTS, model: Any, cores: int) -> Any:
    import pymc as pm

    try:
        return pm.sample(
            model=model,
            draws=engine.draws,
            tune=engine.tune,
            chains=engine.chains,
            cores=cores,
            random_seed=engine.seed,
            init="jitter+adapt_full" if _size(model) <= DENSE else "jitter+adapt_diag",
            target_accept=engine.target_accept,
            nuts_sampler="pymc",
            progressbar=engine.progress,
            compute_convergence_checks=False,
            callback=_stop_them_all(engine) if cores == 1 else None,
            compile_kwargs={"mode": "NUMBA"},
        )
    except pm.exceptions.SamplingError as error:
        message = f"PyMC could not sample the model: {error}"
        raise EngineError(message) from error
    except ValueError as error:
        if "Not enough samples" in str(error):
            raise EngineError(INTERRUPTED) from KeyboardInterrupt()
        raise


def _size(model: Any) -> int:
    return int(sum(np.size(value) for value in model.initial_point().values()))


def _stop_them_all(engine: NUTS) -> Callable[..., None]:
    """Return a callback that passes an interruption on to the chains that would follow.

    PyMC running its chains in turn ends only the one that was interrupted.
    """
    last = engine.tune + engine.draws - 1
    reached = {"chain": 0, "step": last}

    def stop(trace: Any, draw: Any) -> None:  # noqa: ARG001  PyMC names the arguments
        if draw.chain != reached["chain"] and reached["step"] < last:
            raise KeyboardInterrupt
        reached["chain"], reached["step"] = draw.chain, draw.draw_idx

    return stop


def _by_nutpie(engine: NUTS, model: Any, cores: int) -> Any:
    try:
        import nutpie
    except ImportError as error:
        message = "sampler='nutpie' needs the nutpie package: pip install 'bayesnma[nutpie]'."
        raise EngineError(message) from error
    compiled = nutpie.compile_pymc_model(model, backend="numba")
    return nutpie.sample(
        compiled,
        draws=engine.draws,
        tune=engine.tune,
        chains=engine.chains,
        cores=cores,
        seed=engine.seed,
        target_accept=engine.target_accept,
        progress_bar=engine.progress,
    )


def _finished(values: xr.Dataset, statistics: xr.Dataset) -> dict[str, Any]:
    """Return which chains and draws are there in full, as many as there are in all."""
    import xarray as xr

    finite = np.ones((values.sizes["chain"], values.sizes["draw"]), dtype=bool)
    for table in (*values.data_vars.values(), statistics["energy"]):
        others = [dim for dim in table.dims if dim not in {"chain", "draw"}]
        there = xr.apply_ufunc(np.isfinite, table).all(others)
        finite &= there.transpose("chain", "draw").to_numpy()
    lengths = np.where(finite.all(axis=1), finite.shape[1], finite.argmin(axis=1))
    order = np.argsort(-lengths, kind="stable")
    kept = int(np.argmax(lengths[order] * np.arange(1, len(order) + 1))) + 1
    chains = np.sort(order[:kept])
    return {"chain": chains.tolist(), "draw": slice(int(lengths[chains].min()))}


def _reported(values: xr.Dataset, problem: Problem) -> xr.Dataset:
    """Return the draws under the names of the problem, known scales among them."""
    known = {s.name: s.prior.support[0] for s in problem.scales if _is_known(s)}
    names = {"beta", "u", *(scale.name for scale in problem.scales)}
    kept = values[[v for v in values.data_vars if v in names or is_of_arms(str(v))]]
    shape = (values.sizes["chain"], values.sizes["draw"])
    for name, value in known.items():
        kept[name] = (("chain", "draw"), np.full(shape, float(value)))
    return kept.transpose("chain", "draw", ...)


def _is_known(scale: Scale) -> bool:
    return scale.prior.support[0] == scale.prior.support[1]


def _learnt(values: xr.Dataset, problem: Problem) -> list[str]:
    """Return the quantities to judge: all but known scales and sums of the others."""
    known = {scale.name for scale in problem.scales if _is_known(scale)}
    return [str(name) for name in values.data_vars if name not in {*known, "u"}]


def _interrupted(engine: NUTS, values: xr.Dataset) -> list[str]:
    chains, draws = values.sizes["chain"], values.sizes["draw"]
    if (chains, draws) == (engine.chains, engine.draws):
        return []
    kept = f"{draws} of {engine.draws} draws in {chains} of {engine.chains} chains are kept"
    return [f"Sampling was interrupted: {kept}."]


def _notices(engine: NUTS, problem: Problem, statistics: xr.Dataset) -> tuple[str, ...]:
    found = []
    if engine.parametrisation == "integrated" and sampled_arms(problem, "integrated").any():
        found.append("Random effects of trials that report arms were sampled, non-centred.")
    limits = [n for n in ("reached_max_treedepth", "maxdepth_reached") if n in statistics]
    short = max((float(statistics[name].mean()) for name in limits), default=0.0)
    if short > 0.01:
        found.append(f"{short:.0%} of the trajectories were cut short: sampling was slow.")
    return tuple(found)
