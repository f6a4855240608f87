"""Service time of ``predict``, as it can be known while other workers keep the machine busy.

A low quantile of the thread-CPU time of many calls is near a quiet machine's median, where wall-clock times are off
by factors (`tests/benchmarks/latency.py` measures both). The least one alone is too low by some percent on a quiet
machine, and a higher quantile takes what the others do to the caches for the model's. It says nothing about
percentiles, waiting or several threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from moopt.measure.clock import Budget, Clock, Nanoseconds, timings
from moopt.measure.samples import pack, thinned
from moopt.trial import Json

BUDGET = Budget(calls=30, seconds=0.06, most_seconds=0.2, fewest=10)
"""Calls that a search times, in thread-CPU seconds."""
QUANTILE = 0.05
"""Which quantile of the times is the latency."""
_MOST_REQUESTS = 16


class Latency(NamedTuple):
    """A service time and how it was found."""

    ns: Nanoseconds
    """Thread-CPU nanoseconds a call (n,), least first; at most 64 order statistics of what was taken."""
    n_calls: int
    """Calls timed, warm-up calls left out."""
    calls_a_sample: int
    """Calls that share a reading of the clock; a sample is their mean."""
    input: str
    """What a call is given: ``frame``, ``array``, or another type's name."""

    @property
    def ms(self) -> float:
        """The 5 % quantile of the times, in milliseconds."""
        return float(np.quantile(self.ns, QUANTILE)) / 1e6

    def record(self) -> dict[str, Json]:
        """What a step keeps of it, as JSON; :func:`moopt.measure.samples.samples` reads the times again."""
        return {
            "input": self.input,
            "n_calls": self.n_calls,
            "calls_a_sample": self.calls_a_sample,
            "samples": pack(self.ns),
        }


def latency(
    predict: Callable[[Any], Any],
    X: Any,
    batch: int = 1,
    *,
    clock: Clock = time.thread_time_ns,
    budget: Budget = BUDGET,
) -> Latency:
    """Thread-CPU times of ``predict`` on ``batch`` rows of X (n, d), taken in turn from different places.

    At least 30 calls over .06 s, but no more calls once .2 s are spent (10 at the least). Rows are repeated where X
    has fewer than a batch. The caller sees to it that one thread computes. Raises ObjectiveError where the clock
    cannot resolve even many calls, and whatever ``predict`` raises.
    """
    found = timings(predict, requests(X, batch), clock, budget)
    return Latency(thinned(found.ns), len(found.ns) * found.calls, found.calls, input_kind(X))


def requests(X: Any, batch: int) -> list[Any]:
    """Up to 16 batches of rows of X (n, d), of its own type, that begin at evenly spread rows."""
    from sklearn.utils import _safe_indexing
    from sklearn.utils.validation import _num_samples

    n = _num_samples(X)
    starts = np.unique(np.linspace(0, max(n - batch, 0), _MOST_REQUESTS).astype(int))
    return [_safe_indexing(X, (start + np.arange(batch)) % n) for start in starts]


def input_kind(X: Any) -> str:
    """What a model is given as its rows: ``frame``, ``array``, or another type's name. It decides a latency."""
    if hasattr(X, "iloc"):
        return "frame"
    return "array" if isinstance(X, np.ndarray) else type(X).__name__
