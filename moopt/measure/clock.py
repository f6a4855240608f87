"""Calls of a function, timed one after another: what the latency of the search and of the quiet machine share.

It imports nothing of moopt while all goes well, since fresh processes are sent it by value: what they load is
counted as the model's.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Clock = Callable[[], int]
"""Nanoseconds since whenever."""
Nanoseconds = NDArray[np.int64]

_TICKS = 50
"""A reading must span so many ticks of its clock: the clock's own step and cost then are 2 % of it at most."""
_MOST_CALLS_A_READING = 2**16
_STEPS = 10
_MOST_READINGS = 10**6


class Budget(NamedTuple):
    """When the clock has seen enough."""

    calls: int
    """At least so many calls, ..."""
    seconds: float
    """... over so many seconds,"""
    most_seconds: float
    """but no more than these seconds,"""
    fewest: int
    """unless there were fewer calls than this."""
    warm_up: int = 1
    """Calls before that, which are not timed."""

    def spent(self, n_calls: int, seconds: float) -> bool:
        """Whether these calls, over these seconds, are enough."""
        if n_calls < self.fewest:
            return False
        return seconds >= self.most_seconds or (n_calls >= self.calls and seconds >= self.seconds)


class Timings(NamedTuple):
    """What the clock saw."""

    ns: Nanoseconds
    """Nanoseconds a call (n,), a reading each, in the order they were taken."""
    calls: int
    """Calls that share a reading; each of its times is their mean."""


def timings(predict: Callable[[Any], Any], requests: Sequence[Any], clock: Clock, budget: Budget) -> Timings:
    """Time ``predict`` on the requests in turn, warm-up calls left out, the garbage collector off.

    Calls that are too short for the clock are read several at once. Raises ObjectiveError where even tens of
    thousands of them take no time.
    """
    for number in range(budget.warm_up):
        predict(requests[number % len(requests)])
    with _collector_off():
        calls = _calls_a_reading(predict, requests, clock)
        read: list[int] = []
        total = 0
        while not budget.spent(len(read) * calls, total / 1e9):
            read.append(_reading(predict, requests, clock, len(read) * calls, calls))
            total += read[-1]
    return Timings(np.asarray(read, dtype=np.int64) // calls, calls)


def _calls_a_reading(predict: Callable[[Any], Any], requests: Sequence[Any], clock: Clock) -> int:
    """The least power of two of calls that the clock resolves."""
    resolved = _TICKS * _tick(clock)
    calls = 1
    while _reading(predict, requests, clock, 0, calls) < resolved:
        calls *= 2
        if calls > _MOST_CALLS_A_READING:
            raise _unresolved(f"{_MOST_CALLS_A_READING} calls of predict take no time")
    return calls


def _reading(predict: Callable[[Any], Any], requests: Sequence[Any], clock: Clock, first: int, calls: int) -> int:
    n = len(requests)
    start = clock()
    for number in range(first, first + calls):
        predict(requests[number % n])
    return clock() - start


def _tick(clock: Clock) -> int:
    """The least of some steps of the clock: its resolution, or what it costs to read."""
    steps: list[int] = []
    last = clock()
    for _ in range(_MOST_READINGS):
        now = clock()
        if now > last:
            steps.append(now - last)
        if len(steps) == _STEPS:
            break
        last = now
    if not steps:
        raise _unresolved("the clock stands still")
    return min(steps)


def _unresolved(what: str) -> Exception:
    from moopt.errors import ObjectiveError

    return ObjectiveError(
        f"the latency is too short for this machine's clock: {what}\nDeclare more rows a call, such as latency_b256."
    )


@contextmanager
def _collector_off() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
