"""What works for a search: the executor that its steps run on, and a user's function as an evaluator."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from moopt.arguments import n_workers
from moopt.engine import outcome
from moopt.errors import SpecError
from moopt.objectives import Objective
from moopt.pool import ProcessPool, SerialExecutor
from moopt.trial import Config, StepResult


class FunctionEvaluator:
    """A user's function of a config as an evaluator of one step."""

    n_steps = 1

    def __init__(self, function: Callable[[dict[str, Any]], Any], objectives: tuple[Objective, ...]) -> None:
        self._function = function
        self._objectives = objectives

    def __call__(self, config: Config, step: int) -> tuple[StepResult, ...]:
        """Call the function and check what it returns; raises WrongResult."""
        del step  # there is only one
        started = time.perf_counter()
        values = outcome.step_values(self._objectives, self._function(dict(config)))
        return (StepResult(values, seconds=time.perf_counter() - started),)


@contextmanager
def executor_of(
    given: Executor | None, n_jobs: int | None, step_timeout_s: float | None, memory_limit_mb: float | None
) -> Iterator[tuple[Executor, int]]:
    """The executor to run on and how many steps may be in flight; one that was made here is shut down."""
    if given is not None:
        if step_timeout_s is not None or memory_limit_mb is not None:
            raise SpecError("step_timeout_s and memory_limit_mb belong to moopt's own processes; leave out executor=")
        yield given, n_workers(n_jobs) if n_jobs is not None else _slots(given)
        return
    workers = n_workers(1 if n_jobs is None else n_jobs)
    if workers == 1 and step_timeout_s is None and memory_limit_mb is None:
        yield SerialExecutor(), 1
        return
    pool = ProcessPool(workers, step_timeout_s=step_timeout_s, memory_limit_mb=memory_limit_mb)
    try:
        yield pool, workers
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown(wait=True)


def _slots(executor: Executor) -> int:
    return int(getattr(executor, "_max_workers", None) or os.cpu_count() or 1)
