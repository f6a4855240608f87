"""Local processes as a ``concurrent.futures.Executor`` that survives what it runs.

A thread a worker takes tasks from one queue and talks to its process over that process's own pipe. So a process that
dies, hangs or is killed concerns one task and nothing else.
"""

from __future__ import annotations

import contextlib
import pickle
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, TypeVar

import cloudpickle

from moopt.errors import SpecError, StepTimeout, UsageError, WorkerDied
from moopt.pool.process import Process
from moopt.pool.worker import OUT_OF_MEMORY, RESULT, Answer, Setup

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Submitted:
    future: Future[Any]
    function: bytes
    arguments: bytes


class ProcessPool(Executor):
    """``n_workers`` processes of one native thread each.

    Functions, arguments and results may be anything that cloudpickle takes: lambdas, closures, what a notebook
    defines. What a task prints goes to standard error.

    - A process that dies fails its task with WorkerDied; another one takes its place.
    - A task that runs longer than ``step_timeout_s`` is killed, with the processes it started, and fails with
      StepTimeout. The time to start a process does not count.
    - An allocation beyond ``memory_limit_mb`` (10**6 bytes, of one process, Linux only) fails with MemoryError.
    - ``initializer`` is called once in each process before its first task.
    - Ctrl+C does not reach the processes; they end with this one, however it ends.

    A task's exception carries the worker's traceback as a note; one that cannot be carried over becomes a
    RuntimeError with its type and text.
    """

    def __init__(
        self,
        n_workers: int,
        *,
        step_timeout_s: float | None = None,
        memory_limit_mb: float | None = None,
        initializer: Callable[[], object] | None = None,
    ) -> None:
        _check_number(
            "n_workers", n_workers, "a number of processes from 1", isinstance(n_workers, int) and n_workers >= 1
        )
        for name, limit in (("step_timeout_s", step_timeout_s), ("memory_limit_mb", memory_limit_mb)):
            _check_number(name, limit, "a number above 0", limit is None or limit > 0)
        if memory_limit_mb is not None and sys.platform != "linux":
            raise SpecError(f"memory_limit_mb works on Linux only; leave it out on {sys.platform}")
        self._max_workers = n_workers
        self._timeout_s = step_timeout_s
        self._setup = Setup(None if initializer is None else _dumps("the initializer", initializer), memory_limit_mb)
        self._tasks: SimpleQueue[_Submitted | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[_WorkerThread] = []
        self._closed = False

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Queue a call. The function is read at this moment, and sent to a process again only when it changed.

        Raises UsageError where the function or an argument cannot be pickled, RuntimeError after ``shutdown``.
        """
        task = _Submitted(Future(), _dumps("the function", function), _dumps("an argument", (args, kwargs)))
        with self._lock:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            self._tasks.put(task)
            if len(self._threads) < self._max_workers:
                self._threads.append(_WorkerThread(self._tasks, self._setup, self._timeout_s))
                self._threads[-1].start()
        return task.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more tasks, and end every process once the tasks are done.

        With ``cancel_futures`` those that no process runs yet are cancelled. Without ``wait`` this returns at once,
        and together with ``cancel_futures`` nobody wants the running tasks either: their processes are killed.
        """
        with self._lock:
            if not self._closed:
                self._closed = True
                for _ in self._threads:
                    self._tasks.put(None)
        if cancel_futures:
            self._cancel_waiting()
        if cancel_futures and not wait:
            for thread in self._threads:
                thread.kill()
        if wait or cancel_futures:
            for thread in self._threads:
                thread.join()

    def _cancel_waiting(self) -> None:
        ends = 0
        with contextlib.suppress(Empty):
            while True:
                task = self._tasks.get_nowait()
                if task is None:
                    ends += 1
                else:
                    task.future.cancel()
                    task.future.set_running_or_notify_cancel()
        for _ in range(ends):
            self._tasks.put(None)


class _WorkerThread(threading.Thread):
    """Runs one task after another in a process of its own, and replaces the process when it ended."""

    def __init__(self, tasks: SimpleQueue[_Submitted | None], setup: Setup, timeout_s: float | None) -> None:
        super().__init__(name="moopt-worker", daemon=True)
        self._tasks = tasks
        self._setup = setup
        self._timeout_s = timeout_s
        self._process: Process | None = None
        self._killed = False

    def run(self) -> None:
        while (task := self._tasks.get()) is not None:
            if task.future.set_running_or_notify_cancel():
                self._run(task)
            del task
        if self._process is not None:
            self._process.close()

    def _run(self, task: _Submitted) -> None:
        try:
            if self._process is None:
                self._process = Process()
                self._process.set_up(self._setup)
            if self._killed:
                self._process.kill()
            answer = self._process.call(task.function, task.arguments, self._timeout_s)
        except (WorkerDied, StepTimeout, OSError) as error:
            if self._process is not None:
                self._process.close()
            self._process = None
            task.future.set_exception(error)
            return
        _settle(task.future, answer)

    def kill(self) -> None:
        """End the process at once; the running task fails with WorkerDied."""
        self._killed = True
        process = self._process
        if process is not None:
            process.kill()


def _settle(future: Future[Any], answer: Answer) -> None:
    if answer.kind == RESULT:
        try:
            future.set_result(pickle.loads(answer.value))
        except Exception as error:
            future.set_exception(RuntimeError(f"the result cannot be read: {type(error).__name__}: {error}"))
        return
    failed = MemoryError(answer.text) if answer.kind == OUT_OF_MEMORY else _exception(answer)
    failed.add_note(f"In the worker process:\n{answer.traceback}")
    future.set_exception(failed)


def _exception(answer: Answer) -> Exception:
    """The task's own exception, or its text where it cannot be carried over."""
    try:
        error = pickle.loads(answer.value) if answer.value else None
    except Exception:
        error = None
    return error if isinstance(error, Exception) else RuntimeError(answer.text)


def _dumps(what: str, value: object) -> bytes:
    try:
        data: bytes = cloudpickle.dumps(value)
    except Exception as error:
        raise UsageError(
            f"{what} cannot be sent to a worker process: {error}\n"
            "Make it inside the function, or work in this process alone (n_jobs=1)."
        ) from error
    return data


def _check_number(name: str, given: object, expected: str, valid: bool) -> None:
    if not valid or isinstance(given, bool):
        raise SpecError(f"{name} is {given!r}; give {expected}")
