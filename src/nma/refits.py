"""Many fits at once: in order, by any executor, each failure by its name, what finished kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial
from threading import current_thread, main_thread
from typing import Any, Generic, Protocol, TypeVar, final

from nma.errors import EngineError, ModelError, in_short
from nma.fitting import fit
from nma.model import Model
from nma.network import Network
from nma.posterior import Posterior
from nma.protocols import Engine

__all__ = ["Executor", "Refit", "Refits", "refit_all"]

T = TypeVar("T")


class Executor(Protocol):
    """Whatever has ``map``, such as those of ``concurrent.futures``.

    A ``map`` that hands results on one by one, in order, lets an interruption keep the finished
    ones; one that waits for them all loses them.
    """

    def map(self, function: Callable[[Any], Any], values: Iterable[Any], /) -> Iterable[Any]:
        """Return the function of every value, in order."""


@final
@dataclass(frozen=True, eq=False)
class Refit:
    """One fit to be made; it can be sent to another process.

    Parameters
    ----------
    label : str
        What it is called in answers and failures.
    network : Network
        The evidence.
    model : Model
        The model.
    engine : Engine
        What samples it.
    """

    label: str
    network: Network
    model: Model
    engine: Engine

    @classmethod
    def of(
        cls,
        posterior: Posterior,
        label: str,
        *,
        network: Network | None = None,
        model: Model | None = None,
    ) -> Refit:
        """Return the fit that made a posterior, with other evidence or another model.

        An engine that shows its own progress is asked not to: there is one bar for them all.
        """
        return cls(
            label,
            posterior.network if network is None else network,
            posterior.model if model is None else model,
            _silent(posterior.engine),
        )


@final
@dataclass(frozen=True, eq=False)
class Refits(Generic[T]):
    """What became of many fits, each by its label and in the order asked for.

    Parameters
    ----------
    done : mapping of str to anything
        What was read from the fits that finished.
    poor : mapping of str to str
        Which of those must not be relied on, and why.
    failed : mapping of str to str
        Why the others gave no answer.
    missing : tuple of str
        Those that an interruption left undone.
    """

    done: Mapping[str, T]
    poor: Mapping[str, str]
    failed: Mapping[str, str]
    missing: tuple[str, ...]

    @property
    def partial(self) -> str:
        """Words for a caption if an interruption left fits undone, else empty."""
        if not self.missing:
            return ""
        count = len(self.done) + len(self.failed) + len(self.missing)
        return f"PARTIAL, interrupted after {count - len(self.missing)} of {count} fits:"

    @property
    def notices(self) -> tuple[str, ...]:
        """What the reader must know, as sentences."""
        return (
            *(f"{label}: the fit failed. {reason}" for label, reason in self.failed.items()),
            *(f"{label}: {fault}" for label, fault in self.poor.items()),
            *([f"Not fitted: {', '.join(self.missing)}."] if self.missing else []),
        )


def refit_all(
    tasks: Sequence[Refit],
    read: Callable[[Posterior], T],
    *,
    executor: Executor | None = None,
    progress: bool = True,
) -> Refits[T]:
    """Fit many times and read each posterior, wherever that is done.

    The numbers are the same whatever the executor: a fit depends on its task alone. One that fails
    is reported by its label and spoils no other. An interruption keeps what has finished.

    Parameters
    ----------
    tasks : sequence of Refit
        What to fit; their labels differ.
    read : callable
        What to keep of a posterior, worked out where it was fitted. For processes it must be
        picklable: a function of a module, a ``functools.partial`` of one, or a method of a value.
    executor : Executor, optional
        Where to fit; here, one after another, if not given.
    progress : bool, default True
        Whether to show a bar; it is shown on terminals and in notebooks only, on stderr.

    Raises
    ------
    ModelError
        If two tasks have one label.
    EngineError
        If no fit succeeded, with every reason.
    KeyboardInterrupt
        If it comes before there is anything to keep.
    """
    labels = [task.label for task in tasks]
    if len(set(labels)) < len(labels):
        message = f"Fits need names that differ; these do not: {', '.join(map(repr, labels))}."
        raise ModelError(message)
    answers, stopped = _gathered(partial(_one, read), tasks, executor, progress=progress)
    named = dict(zip(labels, answers, strict=False))
    undone = labels[len(answers) :]
    broken = {} if isinstance(stopped, KeyboardInterrupt) else dict.fromkeys(undone, _told(stopped))
    failed = {label: said.failure for label, said in named.items() if said.failure} | broken
    done = {label: said.value for label, said in named.items() if not said.failure}
    if not done and isinstance(stopped, KeyboardInterrupt):
        raise stopped
    if not done and failed:
        listed = "; ".join(f"{label}: {reason}" for label, reason in failed.items())
        message = f"None of {len(tasks)} fits succeeded. {listed}"
        raise EngineError(message) from stopped
    return Refits(
        done=done,
        poor={label: said.poor for label, said in named.items() if said.poor},
        failed=failed,
        missing=tuple(undone) if isinstance(stopped, KeyboardInterrupt) else (),
    )


@final
@dataclass(frozen=True, eq=False)
class _Answer:
    """What came of one fit, as it is sent home."""

    value: Any = None
    poor: str = ""
    failure: str = ""
    stopped: bool = False


def _one(read: Callable[[Posterior], Any], task: Refit) -> _Answer:
    """Fit and read; a failure is an answer too.

    An engine may catch the user's interruption, to keep its draws or to say that it has none: it
    is passed on, since the user wants to stop. Out of a thread, as workers of a cluster have, it
    goes as an answer: raised there it ends the worker, and the next one tries the fit again.
    """
    try:
        posterior = fit(task.network, task.model, engine=task.engine)
        if not posterior.draws.interrupted:
            return _Answer(read(posterior), posterior.poor)
    except KeyboardInterrupt:
        if current_thread() is main_thread():
            raise
    except Exception as error:  # noqa: BLE001  of whatever kind, it must not take the others along
        if not isinstance(error.__cause__, KeyboardInterrupt):
            return _Answer(failure=_told(error))
    if current_thread() is main_thread():
        raise KeyboardInterrupt
    return _Answer(stopped=True)


def _told(error: BaseException | None) -> str:
    return f"{type(error).__name__}: {in_short(error)}"


def _gathered(
    job: Callable[[Refit], _Answer],
    tasks: Sequence[Refit],
    executor: Executor | None,
    *,
    progress: bool,
) -> tuple[list[_Answer], BaseException | None]:
    """Return the answers there are, in order, and what stopped them if they are not all."""
    answers: list[_Answer] = []
    with _bar(len(tasks), wanted=progress) as advance:
        try:
            for answer in map(job, tasks) if executor is None else executor.map(job, tasks):
                if answer.stopped:
                    return answers, KeyboardInterrupt()
                answers.append(answer)
                advance()
        except (KeyboardInterrupt, Exception) as error:  # noqa: BLE001  an executor may break
            return answers, error
    return answers, None


@contextmanager
def _bar(count: int, *, wanted: bool) -> Iterator[Callable[[], None]]:
    """Show a bar where somebody can see it, and give a function that moves it on."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    if not wanted or not (console.is_terminal or console.is_jupyter):
        yield lambda: None
        return
    columns = ("fits", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        yield partial(bar.advance, bar.add_task("", total=count))


def _silent(engine: Engine) -> Engine:
    """Return the engine without a progress bar of its own, if it has one."""
    shows = is_dataclass(engine) and "progress" in {entry.name for entry in fields(engine)}
    return replace(engine, progress=False) if shows else engine  # type: ignore[type-var]
