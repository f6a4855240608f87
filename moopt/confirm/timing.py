"""The latency of models on a quiet machine: wall-clock, in rounds, each model in a fresh process, in random order.

Before and after each model a fixed workload is timed. Where it takes a tenth longer than it can, the machine is busy:
the model is timed again at the end of the round, at most twice, and then its round is flagged.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from moopt.measure import wall
from moopt.measure.clock import Budget
from moopt.measure.machine import calibration
from moopt.measure.percentiles import percentiles
from moopt.objectives import Floats
from moopt.trial import Json

BUSY = 1.1
MOST_TRIES = 3


@dataclass(frozen=True)
class ModelFile:
    """A model file and how it is read."""

    path: Path
    load: Callable[[Path], Any]


@dataclass(frozen=True)
class Visit:
    """A model's part of a round, in the quietest of its tries."""

    found: wall.Round
    before_ms: float
    """The fixed workload before it, ..."""
    after_ms: float
    """... and after it."""
    busy: bool
    tries: int

    @property
    def worst_ms(self) -> float:
        """By which a quieter try is known."""
        return max(self.before_ms, self.after_ms)


class QuietClock:
    """Times models round by round; what it saw is there after every visit, also where Ctrl+C ends a round."""

    def __init__(
        self, models: Mapping[int, ModelFile], X: Any, batches: Sequence[int], budget: Budget = wall.BUDGET
    ) -> None:
        self._models, self._X, self._batches, self._budget = models, X, tuple(batches), budget
        # Thread-CPU time tells on a machine that is busy from the start.
        self._least_ms = calibration(time.thread_time_ns)
        self._last_ms = self._calibrated()
        self.visits: dict[int, dict[int, Visit]] = {}
        """Model -> round -> its visit."""
        self.failed: dict[int, Exception] = {}
        """Models that could not be timed."""

    def run_round(self, number: int, rng: np.random.Generator) -> None:
        """One round: every model once, those that the machine was too busy for again."""
        waiting = list(self._models)
        for tries in range(1, MOST_TRIES + 1):
            rng.shuffle(waiting)
            waiting = [model for model in waiting if self._is_to_repeat(model, number, tries)]

    def _is_to_repeat(self, model: int, number: int, tries: int) -> bool:
        if model in self.failed:
            return False
        before_ms, file = self._last_ms, self._models[model]
        try:
            found = wall.measure(file.path, self._X, self._batches, load=file.load, budget=self._budget)
        except Exception as error:
            self.failed[model] = error
            return False
        after_ms = self._calibrated()
        visit = Visit(found, before_ms, after_ms, max(before_ms, after_ms) > BUSY * self._least_ms, tries)
        earlier = self.visits.setdefault(model, {}).get(number)
        quieter = visit if earlier is None else min(earlier, visit, key=lambda one: one.worst_ms)
        self.visits[model][number] = Visit(quieter.found, quieter.before_ms, quieter.after_ms, quieter.busy, tries)
        return visit.busy

    def _calibrated(self) -> float:
        self._last_ms = calibration()
        self._least_ms = min(self._least_ms, self._last_ms)
        return self._last_ms


def measured(visits: Sequence[Visit], latencies: Mapping[str, int]) -> dict[str, Json]:
    """``latency``, ``rss_mb`` and ``load_s`` of a confirmation's measures; empty without a visit.

    Busy rounds count only where no round was quiet. The median is that of the rounds' medians, ``low_ms`` and
    ``high_ms`` are the least and the greatest of these. Percentiles are over all calls.
    """
    if not visits:
        return {}
    quiet = [one for one in visits if not one.busy] or visits
    return {
        "latency": {name: _timing(visits, quiet, batch) for name, batch in latencies.items()},
        "rss_mb": round(statistics.median(one.found.rss_mb for one in quiet), 1),
        "load_s": statistics.median(one.found.load_s for one in quiet),
    }


def claimed(rounds: Sequence[Floats]) -> dict[str, float]:
    """Upper bounds of percentiles over all calls, or over those of the slowest round where that says more.

    Calls of a process are alike and processes differ, so that all calls together look surer than they are.
    """
    each = [percentiles(one) for one in rounds]
    everything = percentiles(np.concatenate(rounds))
    return {
        name: max([ms, *(one[name] for one in each if name in one)]) for name, ms in everything.items() if name != "p50"
    }


def _timing(visits: Sequence[Visit], quiet: Sequence[Visit], batch: int) -> dict[str, Json]:
    medians = [_median_ms(one, batch) for one in quiet]
    samples = [_samples_ms(one, batch) for one in quiet]
    single = all(one.found.calls_a_sample[batch] == 1 for one in quiet)  # means of several calls have no percentile
    return {
        "median_ms": statistics.median(medians),
        "low_ms": min(medians),
        "high_ms": max(medians),
        "n": sum(len(one.found.samples[batch]) * one.found.calls_a_sample[batch] for one in quiet),
        "batch": batch,
        "percentiles": claimed(samples) if single else {},
        "rounds": [
            {
                "median_ms": _median_ms(one, batch),
                "calibration_before_s": one.before_ms / 1e3,
                "calibration_after_s": one.after_ms / 1e3,
                "flagged": one.busy,
                "tries": one.tries,
            }
            for one in visits
        ],
    }


def _samples_ms(visit: Visit, batch: int) -> Floats:
    return np.asarray(visit.found.samples[batch] / 1e6)


def _median_ms(visit: Visit, batch: int) -> float:
    return float(np.median(_samples_ms(visit, batch)))
