"""The picklable callable of a worker: build, fit and measure one fold of a config.

Every fold measures every objective, so a trial's value is the plain mean over its folds. All of it runs with one
native thread, the estimator's own ``n_jobs`` set to 1: a study's parallelism is that of its workers.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from moopt.data import Data, Ints, Reference, Rows
from moopt.measure import Measures, measures
from moopt.measure.samples import LATENCY
from moopt.models.pipelines import PipelineBuilder
from moopt.objectives import Objective
from moopt.trial import Config, StepResult

TRAIN_ROWS = 5_000
"""So many training rows show over- and underfitting as well as all of them, and cost less."""
_MOST_WARNINGS = 5
_LONGEST_WARNING = 200


@dataclass(frozen=True)
class CrossValidation:
    """An Evaluator: one step is one fold.

    Raises whatever the estimator raises. Warnings, those of convergence too, are kept in the step's details and
    not shown: a search makes thousands.
    """

    data: Reference
    build: Callable[[Config], Any]
    """Config -> unfitted estimator; picklable by cloudpickle."""
    measures: Measures
    train_rows: int | None = None
    """How many training rows are scored at most, evenly spread; None is all, 0 is none."""

    @property
    def n_steps(self) -> int:
        """The folds."""
        return self.data.n_folds

    def __call__(self, config: Config, step: int) -> tuple[StepResult, ...]:
        """Fit on the training rows of a fold, measure on its validation rows."""
        from threadpoolctl import threadpool_limits

        start = time.perf_counter()
        rows = opened(self.data)
        train, valid = rows.folds[step]
        with threadpool_limits(1), _kept_warnings() as warned:
            estimator = one_thread(self.build(config))
            fit_cpu_s, fit_s = _fit(estimator, rows, train)
            X, y = _cut(estimator, rows, valid, train)
            score_start = time.perf_counter()
            values = self.measures.quality(estimator, X, y, cut_params(rows.score_params, rows.X, valid))
            score_s = time.perf_counter() - score_start
            train_values = self._train_scores(estimator, rows, train)
            costs, latencies = self.measures.cost(estimator, X, fit_cpu_s)
        details: dict[str, Any] = {"fit_s": fit_s, "fit_cpu_s": fit_cpu_s, "score_s": score_s, "rss_mb": _rss_mb()}
        if latencies:
            details[LATENCY] = latencies
        if warned:
            details["warnings"] = warned
        seconds = time.perf_counter() - start
        return (StepResult({**values, **costs}, train_values, seconds, details=details),)

    def _train_scores(self, estimator: Any, rows: Rows, train: Ints) -> dict[str, float]:
        if self.train_rows == 0:
            return {}
        some = train if self.train_rows is None else spread(train, self.train_rows)
        X, y = _cut(estimator, rows, some, train)
        return self.measures.quality(estimator, X, y, cut_params(rows.score_params, rows.X, some))


def file_evaluator(data: Data, objectives: Sequence[Objective], n_folds: int = 5) -> CrossValidation:
    """The evaluator of preset pipelines on the search rows of a data file.

    Raises DataError for a class with fewer rows than folds, ObjectiveError for an objective that no model's
    evaluation can measure.
    """
    return CrossValidation(
        data.reference(n_folds),
        PipelineBuilder(data.columns, data.spec.seed),
        measures(objectives, data.classes, data.positive),
        train_rows=TRAIN_ROWS,
    )


@lru_cache(maxsize=2)
def opened(data: Reference) -> Rows:
    """The rows of a reference, read once a process."""
    return data.load()


def one_thread(estimator: Any) -> Any:
    """The estimator with every ``n_jobs`` of several threads in it set to 1: workers and clocks want one."""
    if hasattr(estimator, "get_params"):
        jobs = {
            name: 1
            for name, value in estimator.get_params().items()
            if name.split("__")[-1] == "n_jobs" and isinstance(value, int) and value != 1
        }
        if jobs:
            estimator.set_params(**jobs)
    return estimator


def spread(rows: Ints, n: int) -> Ints:
    """At most n of the rows, evenly spread."""
    return rows if len(rows) <= n else rows[np.linspace(0, len(rows) - 1, n).astype(np.intp)]


def cut_params(params: Mapping[str, Any], X: Any, indices: Ints) -> dict[str, Any]:
    """Arguments with those that have a value a row cut to the given rows."""
    from sklearn.utils.validation import _check_method_params

    return dict(_check_method_params(X, params=params, indices=indices)) if params else {}


def _cut(estimator: Any, rows: Rows, indices: Ints, train: Ints | None) -> tuple[Any, Any]:
    """Rows of X and y; of a precomputed kernel also the columns of the training rows."""
    from sklearn.utils.metaestimators import _safe_split

    X, y = _safe_split(estimator, rows.X, rows.y, indices, train)
    return X, y


def _fit(estimator: Any, rows: Rows, train: Ints) -> tuple[float, float]:
    """Fit in place; CPU and wall-clock seconds."""
    X, y = _cut(estimator, rows, train, None)
    params = cut_params(rows.fit_params, rows.X, train)
    cpu, wall = time.process_time(), time.perf_counter()
    if y is None:
        estimator.fit(X, **params)
    else:
        estimator.fit(X, y, **params)
    return time.process_time() - cpu, time.perf_counter() - wall


def _rss_mb() -> float:
    """Resident memory of this process, MB (1,000,000 bytes)."""
    import psutil

    return float(round(psutil.Process().memory_info().rss / 1e6, 1))


@contextmanager
def _kept_warnings() -> Iterator[dict[str, int]]:
    """Warnings raised inside, not shown: text -> how often, filled at the end."""
    found: dict[str, int] = {}
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        yield found
    for one in raised:
        text = f"{one.category.__name__}: {str(one.message).strip().splitlines()[0]}"[:_LONGEST_WARNING]
        if text in found or len(found) < _MOST_WARNINGS:
            found[text] = found.get(text, 0) + 1
