"""Service time of ``predict``, as it can be known while other workers keep the machine busy.

The least thread-CPU time of many calls is within a few percent of a quiet machine's, where wall-clock times are
off by factors. It says nothing about percentiles, waiting or several threads.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

_ENOUGH_CALLS = 30
_ENOUGH_S = 0.04
_MOST_S = 0.15
_FEWEST_CALLS = 10
_MOST_REQUESTS = 16


class Latency(NamedTuple):
    """A service time and how it was found."""

    ms: float
    """Least thread-CPU time of a call, milliseconds."""
    n_calls: int
    """Calls timed, the warm-up left out."""


def latency(predict: Callable[[Any], Any], X: Any, batch: int = 1) -> Latency:
    """Thread-CPU time of ``predict`` on ``batch`` rows of X (n, d), taken in turn from different places.

    At least 30 calls over 40 ms, but no more calls once .15 s are spent (10 at the least). Rows are repeated where X
    has fewer than a batch. The caller sees to it that one thread computes.
    """
    requests = _requests(X, batch)
    predict(requests[0])
    best, spent, n_calls = float("inf"), 0.0, 0
    with _collector_off():
        while not _enough(n_calls, spent):
            rows = requests[n_calls % len(requests)]
            start = time.thread_time_ns()
            predict(rows)
            took = (time.thread_time_ns() - start) / 1e9
            best, spent, n_calls = min(best, took), spent + took, n_calls + 1
    return Latency(best * 1e3, n_calls)


def _enough(n_calls: int, spent: float) -> bool:
    if n_calls < _FEWEST_CALLS:
        return False
    return spent >= _MOST_S or (n_calls >= _ENOUGH_CALLS and spent >= _ENOUGH_S)


def _requests(X: Any, batch: int) -> list[Any]:
    """Batches that begin at evenly spread rows."""
    import numpy as np
    from sklearn.utils import _safe_indexing
    from sklearn.utils.validation import _num_samples

    n = _num_samples(X)
    starts = np.unique(np.linspace(0, max(n - batch, 0), _MOST_REQUESTS).astype(int))
    return [_safe_indexing(X, (start + np.arange(batch)) % n) for start in starts]


@contextmanager
def _collector_off() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
