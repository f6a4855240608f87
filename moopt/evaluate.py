"""The picklable callable of a worker: build and fit one fold of a config, measure all that the fit gives.

Every fold measures every objective, so a trial's value is the plain mean over its folds. All of it runs with one
native thread, the estimator's own ``n_jobs`` set to 1: a study's parallelism is that of its workers.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from moopt.data import Data, Ints, Reference, Rows
from moopt.deploy.backends import MAX_DISAGREEMENT, SKLEARN
from moopt.measure import Measures, measures
from moopt.measure.deployed import on_backends
from moopt.measure.samples import LATENCY
from moopt.measure.staged import staged
from moopt.measure.variants import Expansion, Variant, variants
from moopt.models.pipelines import PipelineBuilder, parameters
from moopt.objectives import Objective
from moopt.space import Space
from moopt.trial import Config, StepResult

TRAIN_ROWS = 5_000
"""So many training rows show over- and underfitting as well as all of them, and cost less."""
_MOST_WARNINGS = 5
_LONGEST_WARNING = 200
_LONGEST_FAILURE = 300


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
    expansions: tuple[Expansion, ...] = ()
    """What else is made of a fit; each of it is measured like the config itself and becomes a sibling."""

    @property
    def n_steps(self) -> int:
        """The folds."""
        return self.data.n_folds

    def __call__(self, config: Config, step: int) -> tuple[StepResult, ...]:
        """Fit on the training rows of a fold, measure on its validation rows: the config's own result, then siblings'.

        A variant that raises is a sibling's failure and no more. The config's own raises, but for one that cannot be
        deployed: its siblings may.
        """
        from threadpoolctl import threadpool_limits

        start = time.perf_counter()
        rows = opened(self.data)
        with threadpool_limits(1), _kept_warnings() as warned:
            fold = _fitted(one_thread(self.build(config)), rows, *rows.folds[step])
            own, *others = variants(fold.estimator, config, self.expansions)
            result = self._guarded(own, fold) if own.is_deployed and others else self._measured(own, fold)
            seconds = time.perf_counter() - start
            siblings = [self._guarded(one, fold) for one in others]
        details = {**result.details, **({"warnings": warned} if warned else {})}
        return (replace(result, seconds=seconds, details=details), *siblings)

    def _guarded(self, variant: Variant, fold: _Fold) -> StepResult:
        start = time.perf_counter()
        try:
            result = self._measured(variant, fold)
        except Exception as error:
            said = " ".join(str(error).split())[:_LONGEST_FAILURE]
            result = StepResult({}, failure=f"{type(error).__name__}: {said}")
        return replace(result, changes=variant.changes, seconds=time.perf_counter() - start)

    def _measured(self, variant: Variant, fold: _Fold) -> StepResult:
        fitted, rows = variant.make(), fold.rows
        fit_s, fit_cpu_s = variant.fit_share * fold.fit_s, variant.fit_share * fold.fit_cpu_s
        X, y = fold.cut(fold.valid)
        model, told = variant.deploy(fitted, X)
        start = time.perf_counter()
        values = self.measures.quality(model, X, y, cut_params(rows.score_params, rows.X, fold.valid))
        score_s = time.perf_counter() - start
        train = self._train_scores(fitted, fold)
        costs, latencies = self.measures.cost(model, X, fit_cpu_s)
        details: dict[str, Any] = {"fit_s": fit_s, "fit_cpu_s": fit_cpu_s, "score_s": score_s, "rss_mb": _rss_mb()}
        if latencies:
            details[LATENCY] = latencies
        return StepResult({**values, **costs}, train, details={**details, **told})

    def _train_scores(self, model: Any, fold: _Fold) -> dict[str, float]:
        if self.train_rows == 0:
            return {}
        rows = fold.rows
        some = fold.train if self.train_rows is None else spread(fold.train, self.train_rows)
        X, y = fold.cut(some)
        return self.measures.quality(model, X, y, cut_params(rows.score_params, rows.X, some))


@dataclass(frozen=True)
class _Fold:
    """An estimator fitted on the training rows of a fold."""

    estimator: Any
    rows: Rows
    train: Ints
    valid: Ints
    fit_cpu_s: float
    fit_s: float
    """Wall-clock seconds."""

    def cut(self, indices: Ints) -> tuple[Any, Any]:
        """Rows of X and y; of a precomputed kernel the columns of the training rows."""
        return _cut(self.estimator, self.rows, indices, self.train)


def file_evaluator(
    data: Data,
    objectives: Sequence[Objective],
    n_folds: int = 5,
    staged_space: Space | None = None,
    backends: Sequence[str] = (SKLEARN,),
    max_disagreement: float = MAX_DISAGREEMENT,
) -> CrossValidation:
    """The evaluator of preset pipelines on the search rows of a data file, each on these backends.

    With the space of the study as ``staged_space``, prefixes of its ensembles become siblings. Raises DataError for a
    class with fewer rows than folds, ObjectiveError for an objective that no model's evaluation can measure.
    """
    return CrossValidation(
        data.reference(n_folds),
        PipelineBuilder(data.columns, data.spec.seed),
        measures(objectives, data.classes, data.positive),
        train_rows=TRAIN_ROWS,
        expansions=(
            *(staged(staged_space, parameters(staged_space.names)) if staged_space is not None else ()),
            *on_backends(backends, max_disagreement),
        ),
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


def _fitted(estimator: Any, rows: Rows, train: Ints, valid: Ints) -> _Fold:
    """Fit the estimator in place."""
    X, y = _cut(estimator, rows, train, None)
    params = cut_params(rows.fit_params, rows.X, train)
    cpu, wall = time.process_time(), time.perf_counter()
    if y is None:
        estimator.fit(X, **params)
    else:
        estimator.fit(X, y, **params)
    return _Fold(estimator, rows, train, valid, time.process_time() - cpu, time.perf_counter() - wall)


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
