"""Many fits at once: one answer whatever the executor, failures by name, interruptions kept."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rich.console

import nma
from nma.errors import EngineError, ModelError
from nma.heterogeneity import Random
from nma.priors import HalfNormal
from nma.problem import Draws, Problem
from nma.refits import Refit, Refits, refit_all

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCALES = (0.3, 0.6, 1.2, 2.4)


@pytest.fixture(scope="module")
def posterior() -> nma.Posterior:
    return nma.fit(nma.datasets.network("senn2013"), engine=nma.engines.Gaussian(draws=64))


def tasks(posterior: nma.Posterior, engine: Any = None) -> list[Refit]:
    found = [
        Refit.of(
            posterior,
            f"scale {scale}",
            model=replace(posterior.model, heterogeneity=Random(HalfNormal(scale))),
        )
        for scale in SCALES
    ]
    return found if engine is None else [replace(task, engine=engine) for task in found]


def scale_of(problem: Problem) -> float:
    (scale,) = problem.scales
    assert isinstance(scale.prior, HalfNormal)
    return scale.prior.scale


def read(posterior: nma.Posterior) -> tuple[float, NDArray[np.float64]]:
    """Return moments and draws."""
    assert posterior.draws.moments is not None
    return posterior.draws.moments.log_evidence, posterior.draws.values["beta"].to_numpy()


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as made:
        yield made


@pytest.fixture(params=["here", "threads", "processes"])
def executor(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Where fits are made."""
    if request.param == "threads":
        with ThreadPoolExecutor(1) as made:
            yield made
    else:
        yield request.getfixturevalue("pool") if request.param == "processes" else None


@dataclass(frozen=True)
class Last:
    """An executor with nothing but ``map``, which works from the last task to the first."""

    def map(self, function: Callable[[Any], Any], values: Iterable[Any], /) -> list[Any]:
        return [function(value) for value in list(values)[::-1]][::-1]


def test_the_numbers_are_the_same_whatever_the_executor(
    posterior: nma.Posterior, pool: ProcessPoolExecutor
) -> None:
    here = refit_all(tasks(posterior), read)
    with ThreadPoolExecutor(4) as threads:
        there = refit_all(tasks(posterior), read, executor=threads)
    apart = refit_all(tasks(posterior), read, executor=pool)
    backwards = refit_all(tasks(posterior), read, executor=Last())
    assert list(here.done) == [f"scale {scale}" for scale in SCALES]
    assert len({log for log, _ in here.done.values()}) == len(SCALES)
    for other in (there, apart, backwards):
        assert list(other.done) == list(here.done)
        for (log, beta), (log_there, beta_there) in zip(
            here.done.values(), other.done.values(), strict=True
        ):
            assert log_there == log
            np.testing.assert_array_equal(beta_there, beta)
        assert other.notices == here.notices == ()
    assert here.partial == ""


def test_a_refit_of_the_same_is_the_same(posterior: nma.Posterior) -> None:
    (again,) = refit_all([Refit.of(posterior, "again")], read).done.values()
    log, beta = read(posterior)
    assert again[0] == log
    np.testing.assert_array_equal(again[1], beta)


@dataclass(frozen=True)
class Moody:
    """The exact engine, but what happens at some scales is its own affair."""

    fail: tuple[float, ...] = ()
    stop: float | None = None
    caught: float | None = None
    poor: float | None = None

    def unsuited(self, problem: Problem) -> str | None:
        return None

    def sample(self, problem: Problem) -> Draws:
        scale = scale_of(problem)
        if scale in self.fail:
            message = f"no luck at {scale}"
            raise ZeroDivisionError(message)
        if scale == self.stop:
            raise KeyboardInterrupt
        if scale == self.caught:
            message = "stopped before a draw"
            raise EngineError(message) from KeyboardInterrupt()
        draws = nma.engines.Gaussian(draws=64).sample(problem)
        if scale == self.poor:
            return replace(draws, faults=("R-hat is 1.2.",), interrupted=False)
        return draws


def test_one_that_fails_is_named_and_spoils_no_other(
    posterior: nma.Posterior, executor: Any
) -> None:
    mine = tasks(posterior, Moody(fail=(0.6,), poor=1.2))
    found = refit_all(mine, read, executor=executor)
    assert list(found.done) == ["scale 0.3", "scale 1.2", "scale 2.4"]
    assert found.failed == {"scale 0.6": "ZeroDivisionError: no luck at 0.6"}
    assert found.notices == (
        "scale 0.6: the fit failed. ZeroDivisionError: no luck at 0.6",
        "scale 1.2: POOR FIT, do not rely on it: R-hat is 1.2.",
    )
    assert found.partial == ""


def test_where_all_fail_every_reason_is_told(posterior: nma.Posterior) -> None:
    with pytest.raises(EngineError, match="None of 4 fits succeeded") as refused:
        refit_all(tasks(posterior, Moody(fail=SCALES)), read)
    assert all(
        f"scale {s}: ZeroDivisionError: no luck at {s}" in str(refused.value) for s in SCALES
    )


def kept(found: Refits[Any], count: int) -> None:
    assert list(found.done) == [f"scale {scale}" for scale in SCALES[:count]]
    assert found.missing == tuple(f"scale {scale}" for scale in SCALES[count:])
    assert found.partial == f"PARTIAL, interrupted after {count} of 4 fits:"
    assert found.notices == (f"Not fitted: {', '.join(found.missing)}.",)


@pytest.mark.parametrize("how", ["stop", "caught"])
def test_an_interruption_keeps_what_has_finished(
    posterior: nma.Posterior, executor: Any, how: str
) -> None:
    engine = Moody(stop=1.2) if how == "stop" else Moody(caught=1.2)
    mine = tasks(posterior, engine)
    kept(refit_all(mine, read, executor=executor), 2)


def test_an_engine_that_keeps_its_draws_is_still_stopped(posterior: nma.Posterior) -> None:
    """NUTS hands back what it had when the user pressed the keys: no answer to compare."""
    kept(refit_all(tasks(posterior, Halved()), read), 2)


@dataclass(frozen=True)
class Halved:
    """Keeps half of its draws at the third scale."""

    def unsuited(self, problem: Problem) -> str | None:
        return None

    def sample(self, problem: Problem) -> Draws:
        draws = nma.engines.Gaussian(draws=64).sample(problem)
        return replace(draws, interrupted=scale_of(problem) == SCALES[2])


def test_an_interruption_cancels_what_has_not_begun(posterior: nma.Posterior) -> None:
    begun: list[str] = []

    def slowly(task_posterior: nma.Posterior) -> None:
        begun.append(str(task_posterior.model.heterogeneity))
        time.sleep(0.02)

    many = [
        replace(task, label=f"{task.label}, {k}") for k in range(25) for task in tasks(posterior)
    ]
    stopping = [many[0], replace(many[1], label="stop", engine=Moody(stop=0.6)), *many[2:]]
    with ThreadPoolExecutor(1) as executor:
        found = refit_all(stopping, slowly, executor=executor)
    assert list(found.done) == ["scale 0.3, 0"]
    assert len(begun) < 50


def test_an_interruption_before_anything_has_finished_goes_through(
    posterior: nma.Posterior,
) -> None:
    with pytest.raises(KeyboardInterrupt):
        refit_all(tasks(posterior, Moody(stop=0.3)), read)


@dataclass(frozen=True)
class Breaking:
    """An executor that breaks after two results."""

    def map(self, function: Callable[[Any], Any], values: Iterable[Any], /) -> Iterator[Any]:
        for number, value in enumerate(values):
            if number == 2:
                message = "a worker died"
                raise RuntimeError(message)
            yield function(value)


def test_an_executor_that_breaks_loses_only_the_rest(posterior: nma.Posterior) -> None:
    found = refit_all(tasks(posterior), read, executor=Breaking())
    assert list(found.done) == ["scale 0.3", "scale 0.6"]
    assert found.failed == dict.fromkeys(["scale 1.2", "scale 2.4"], "RuntimeError: a worker died")
    assert found.missing == ()


def test_what_cannot_be_sent_to_a_process_is_said(
    posterior: nma.Posterior, pool: ProcessPoolExecutor
) -> None:
    with pytest.raises(EngineError, match=r"(?i)pickle"):
        refit_all(tasks(posterior)[:2], lambda p: p.draws, executor=pool)


def test_names_must_differ(posterior: nma.Posterior) -> None:
    with pytest.raises(ModelError, match="names that differ"):
        refit_all([Refit.of(posterior, "a"), Refit.of(posterior, "a")], read)


def test_the_bar_of_an_engine_gives_way_to_one_for_all(posterior: nma.Posterior) -> None:
    loud = replace(posterior, engine=nma.engines.NUTS(seed=3, progress=True))
    assert Refit.of(loud, "a").engine == nma.engines.NUTS(seed=3, progress=False)
    assert Refit.of(posterior, "a").engine is posterior.engine


@pytest.mark.parametrize(("terminal", "progress", "shown"), [(0, 1, 0), (1, 0, 0), (1, 1, 1)])
def test_the_bar_is_shown_on_terminals_alone(
    posterior: nma.Posterior,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    terminal: int,
    progress: int,
    shown: int,
) -> None:
    monkeypatch.setattr(rich.console.Console, "is_terminal", property(lambda _: bool(terminal)))
    refit_all(tasks(posterior), read, progress=bool(progress))
    said = capsys.readouterr()
    assert said.out == ""
    assert ("4/4" in said.err) == bool(shown)
    assert bool(said.err) == bool(shown)
