"""Fits on a cluster: Dask's executor on this machine, and joblib's pool of processes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

import nma
from nma.checks import leave_one_study_out, prior_sensitivity
from nma.checks._without import without
from nma.problem import Draws, Problem
from nma.refits import Refit, refit_all

if TYPE_CHECKING:
    import pandas as pd


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The executor of a cluster of two processes that nothing outside this machine reaches."""
    distributed = pytest.importorskip("distributed")
    scratch = tmp_path_factory.mktemp("dask")
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            local_directory=str(scratch),
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client.get_executor()


@pytest.fixture(scope="module")
def loky() -> Iterator[Any]:
    """The executor behind ``joblib.Parallel``."""
    pytest.importorskip("joblib")
    from joblib.externals.loky import get_reusable_executor

    executor = get_reusable_executor(max_workers=2)
    yield executor
    executor.shutdown(wait=True)


@pytest.fixture(scope="module")
def posterior() -> nma.Posterior:
    return nma.fit(nma.datasets.network("parkinson"), engine=nma.engines.Gaussian(draws=64))


def same(here: pd.DataFrame, there: pd.DataFrame) -> None:
    assert there.equals(here)
    assert there.attrs == here.attrs


@pytest.mark.parametrize("check", [leave_one_study_out, prior_sensitivity])
@pytest.mark.parametrize("executor", ["dask", "loky"])
def test_the_numbers_are_the_same_as_here(
    posterior: nma.Posterior, request: pytest.FixtureRequest, executor: str, check: Any
) -> None:
    same(check(posterior), check(posterior, executor=request.getfixturevalue(executor)))


@dataclass(frozen=True)
class Moody:
    """The exact engine, but without one of the trials it fails or is interrupted."""

    study: str
    interrupted: bool = False

    def unsuited(self, problem: Problem) -> str | None:
        return None

    def sample(self, problem: Problem) -> Draws:
        if self.study in set(problem.arms["study"]):
            return nma.engines.Gaussian(draws=64).sample(problem)
        if self.interrupted:
            raise KeyboardInterrupt
        message = f"no luck without {self.study}"
        raise ZeroDivisionError(message)


@pytest.mark.parametrize("executor", ["dask", "loky"])
def test_a_fit_that_fails_is_named_and_spoils_no_other(
    posterior: nma.Posterior, request: pytest.FixtureRequest, executor: str
) -> None:
    first, study, *_ = posterior.network.trials
    moody = replace(posterior, engine=Moody(study))
    found = leave_one_study_out(moody, executor=request.getfixturevalue(executor))
    assert f"{study}: the fit failed. ZeroDivisionError: no luck without {study}" in found.notes
    whole = leave_one_study_out(posterior)
    others = [name for name in posterior.network.trials if name != study]
    assert first in others
    assert found.loc[others].equals(whole.loc[others])


def test_an_interruption_on_a_cluster_keeps_what_has_finished_and_the_worker(
    posterior: nma.Posterior, dask: Any
) -> None:
    studies = list(posterior.network.trials)
    engine = Moody(studies[2], interrupted=True)
    tasks = [
        Refit.of(
            replace(posterior, engine=engine), study, network=without(posterior.network, study)
        )
        for study in studies
    ]
    before = workers(dask)
    found = refit_all(tasks, log_evidence, executor=dask)
    assert list(found.done) == studies[:2]
    assert found.missing == tuple(studies[2:])
    assert not found.failed
    assert workers(dask) == before


def workers(dask: Any) -> set[str]:
    """Return the addresses of the workers: one that is started again has another."""
    return set(dask._client.scheduler_info(n_workers=-1)["workers"])


def log_evidence(posterior: nma.Posterior) -> float:
    assert posterior.draws.moments is not None
    return posterior.draws.moments.log_evidence


def test_chains_run_on_a_cluster_whose_workers_may_start_no_process(
    posterior: nma.Posterior, dask: Any
) -> None:
    engine = nma.engines.NUTS(draws=30, tune=30, chains=2, cores=2, progress=False)
    task = Refit.of(replace(posterior, engine=engine), "NUTS")
    assert refit_all([task], shape, executor=dask).done == {"NUTS": (2, 30, 4)}


def shape(posterior: nma.Posterior) -> tuple[int, ...]:
    return posterior.draws.values["beta"].shape
