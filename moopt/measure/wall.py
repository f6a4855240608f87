"""The clock of the quiet machine: wall-clock service time, load time and memory of a model file.

Each round is a fresh process with one native thread, which loads the file as a server would. Nothing of moopt is
imported there: what the process runs is sent to it by value, so that its memory and its times are the model's own.
Whoever measures sees to it that nothing else runs (:func:`moopt.measure.machine.calibration` tells).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle

from moopt.errors import UsageError
from moopt.measure.artefact import load_model
from moopt.measure.clock import Budget, Nanoseconds, timings
from moopt.measure.latency import input_kind, requests
from moopt.pool import ProcessPool

BUDGET = Budget(calls=160, seconds=0.3, most_seconds=2.0, fewest=15, warm_up=5)
"""Calls of a round for each batch size. Three rounds of the fewest are enough for a p90, three of 160 for a p99."""


@dataclass(frozen=True)
class Round:
    """What one fresh process measured of a model file."""

    samples: Mapping[int, Nanoseconds]
    """Rows a call -> wall-clock nanoseconds a call (n,), in the order they were taken."""
    calls_a_sample: Mapping[int, int]
    """Rows a call -> calls that share a reading of the clock; above 1 where one is too short for it, and then
    percentiles are of their means."""
    input: str
    """What a call is given: ``frame``, ``array``, or another type's name."""
    start_s: float
    """Seconds of the first load, with the import of the libraries that it needs."""
    load_s: float
    """Seconds of another load, the libraries at hand."""
    base_mb: float
    """Resident memory of the process with the request rows, before it loads, in MB (1,000,000 bytes)."""
    rss_mb: float
    """The same after the first load: the libraries and the model come on top."""


def measure(
    model: Path,
    X: Any,
    batches: Sequence[int] = (1,),
    *,
    load: Callable[[Path], Any] = load_model,
    budget: Budget = BUDGET,
    timeout_s: float | None = None,
    memory_limit_mb: float | None = None,
) -> Round:
    """One round of a model file in a fresh process: ``predict`` on rows of X (n, d), for each batch size.

    ``load`` makes of the file's path an object with ``predict``; a function that imports what it needs inside keeps
    the process free of the rest. The model's own ``n_jobs`` counts. Raises UsageError for a file that is not there
    or a batch below 1, MemoryError where it does not fit into ``memory_limit_mb``, WorkerDied where it takes the
    process down, StepTimeout after ``timeout_s``, and whatever ``load`` and ``predict`` raise.
    """
    if not model.is_file():
        raise UsageError(f"there is no model file {model}")
    if not batches or min(batches) < 1:
        raise UsageError(f"batches is {list(batches)!r}; give the rows of a call, whole numbers from 1")
    rows = {batch: requests(X, batch) for batch in batches}
    with ProcessPool(1, step_timeout_s=timeout_s, memory_limit_mb=memory_limit_mb) as pool:
        with _by_value(_measured, timings, load):
            future = pool.submit(_measured, load, model, rows, budget)
        taken, seconds, memory = future.result()
    return Round(
        samples={batch: ns for batch, (ns, _) in taken.items()},
        calls_a_sample={batch: calls for batch, (_, calls) in taken.items()},
        input=input_kind(X),
        start_s=seconds[0],
        load_s=seconds[1],
        base_mb=memory[0],
        rss_mb=memory[1],
    )


def _measured(
    load: Callable[[Path], Any], path: Path, rows: Mapping[int, Sequence[Any]], budget: Budget
) -> tuple[dict[int, tuple[Nanoseconds, int]], list[float], list[float]]:
    """In the process: times by batch, seconds of the two loads, memory before and after the first."""
    import psutil

    def resident_mb() -> float:
        return float(psutil.Process().memory_info().rss) / 1e6

    memory = [resident_mb()]
    model, start_s = _loaded(load, path)
    memory.append(resident_mb())
    del model  # two at a time would need room for both
    model, load_s = _loaded(load, path)
    taken = {batch: timings(model.predict, given, time.perf_counter_ns, budget) for batch, given in rows.items()}
    return {batch: (found.ns, found.calls) for batch, found in taken.items()}, [start_s, load_s], memory


def _loaded(load: Callable[[Path], Any], path: Path) -> tuple[Any, float]:
    start = time.perf_counter()
    model = load(path)
    return model, time.perf_counter() - start


@contextmanager
def _by_value(*functions: Callable[..., Any]) -> Iterator[None]:
    """Meanwhile pickle moopt's functions with their code, so that who reads them imports nothing of moopt."""
    names = {function.__module__ for function in functions}
    modules = [sys.modules[name] for name in sorted(names) if name.startswith("moopt.")]
    for module in modules:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in modules:
            cloudpickle.unregister_pickle_by_value(module)
