"""Trials as scikit-learn's ``cv_results_``: a dict of arrays, one entry a finished trial. Pure functions.

The keys are those of ``RandomizedSearchCV``. Every objective is among the scores, in its own unit; its rank 1 is
the best, whichever way is better.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from moopt.frames import value_matrix
from moopt.objectives import PARAM, Floats, Objective
from moopt.search_cv.scoring import SCORE, is_cost
from moopt.trial import State, StepResult, Trial

if TYPE_CHECKING:
    import pandas as pd

_TIMES = {"fit_time": "fit_s", "score_time": "score_s"}


def finished(trials: Sequence[Trial]) -> list[Trial]:
    """The trials that have a row: complete, stopped and failed, by number."""
    return [trial for trial in trials if trial.state.finished]


def cv_results(
    trials: Sequence[Trial],
    params: Sequence[Mapping[str, Any]],
    objectives: Sequence[Objective],
    *,
    n_splits: int,
    error_score: float = np.nan,
    train: bool = False,
    alias: str | None = None,
    also: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The table of finished trials (n) with their parameters (n), in the same order.

    Keys: ``number`` (the trial's), ``params``, ``param_<name>`` (masked where not set), ``mean_fit_time``,
    ``std_fit_time`` and the same of ``score_time`` (wall-clock seconds), and for each score ``split<k>_test_<score>``,
    ``mean_test_<score>``, ``std_test_<score>`` and ``rank_test_<score>``; with ``train`` also the training scores.
    Where a trial failed, its missing folds have ``error_score``. ``alias`` is the score that also goes by the name
    ``score``. ``also`` (n) are choices that are no parameters; they have a ``param_<name>`` each.
    """
    table: dict[str, Any] = {"number": np.array([trial.number for trial in trials], dtype=np.int64)}
    for key, detail in _TIMES.items():
        table |= _mean_std(key, _folds(trials, n_splits, attrgetter("details"), detail))
    table |= param_arrays(params)
    table |= param_arrays(also)
    table["params"] = [dict(one) for one in params]
    directions = {objective.name: objective.direction for objective in objectives}
    for name in _names(trials, directions):
        scores = _filled(trials, _folds(trials, n_splits, attrgetter("values"), name), error_score)
        trained = _filled(trials, _folds(trials, n_splits, attrgetter("train"), name), error_score)
        sign = -1.0 if directions.get(name, "maximize") == "maximize" else 1.0
        means = _means(trials, scores, name)
        for key in (name, SCORE) if name == alias != SCORE else (name,):
            table |= _splits(f"test_{key}", scores)
            table |= {f"mean_test_{key}": means, f"rank_test_{key}": _ranks(sign * means)}
            if train and not is_cost(name):
                table |= _splits(f"train_{key}", trained)
    return table


def _names(trials: Sequence[Trial], objectives: Mapping[str, str]) -> list[str]:
    """The objectives, then the scores that are only recorded."""
    measured = (name for trial in trials for step in trial.steps.values() for name in step.values)
    return list(dict.fromkeys([*objectives, *measured]))


def _folds(
    trials: Sequence[Trial], n_splits: int, part: Callable[[StepResult], Mapping[str, Any]], name: str
) -> Floats:
    """Shape (n, n_splits): a value in a part of each step, NaN where there is none."""
    out = np.full((len(trials), n_splits), np.nan)
    for row, trial in enumerate(trials):
        for step, result in trial.steps.items():
            found = part(result).get(name)
            if found is not None:
                out[row, step] = found
    return out


def _filled(trials: Sequence[Trial], scores: Floats, error_score: float) -> Floats:
    failed = np.array([trial.state is State.FAILED for trial in trials], dtype=bool)
    return np.where(np.isnan(scores) & failed[:, None], error_score, scores)


def _mean_std(key: str, scores: Floats) -> dict[str, Any]:
    return {f"mean_{key}": scores.mean(axis=1), f"std_{key}": scores.std(axis=1)}


def _splits(key: str, scores: Floats) -> dict[str, Any]:
    return {f"split{k}_{key}": scores[:, k] for k in range(scores.shape[1])} | _mean_std(key, scores)


def _means(trials: Sequence[Trial], scores: Floats, name: str) -> Floats:
    """Of a complete trial the very value that the front shows, to the last bit; of the others the mean of the folds."""
    means = scores.mean(axis=1)
    known = [trial.values.get(name, mean) for trial, mean in zip(trials, means, strict=True)]
    complete = np.array([trial.state is State.COMPLETE for trial in trials], dtype=bool)
    return np.where(complete, known, means)


def _ranks(losses: Floats) -> NDArray[np.int32]:
    """1 for the least loss; equals share the better rank, NaN comes last."""
    known = np.where(np.isnan(losses), np.inf, losses)
    return np.array([1 + np.sum(known < one) for one in known], dtype=np.int32)


def param_arrays(params: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """``param_<name>``: one masked array a parameter, masked where a trial does not set it."""
    names = dict.fromkeys(name for one in params for name in one)
    return {PARAM + name: _masked([one.get(name, _UNSET) for one in params]) for name in names}


_UNSET: Any = object()


def _masked(values: Sequence[Any]) -> Any:
    known = [value for value in values if value is not _UNSET]
    kinds = {type(value) for value in known}
    plain = kinds <= {int, float, np.float64, np.int64} or kinds in ({bool}, {np.bool_})
    column = np.ma.MaskedArray(np.empty(len(values), dtype=np.array(known).dtype if plain else object), mask=True)
    for row, value in enumerate(values):
        if value is not _UNSET:
            column[row] = value
    return column


def front_frame(
    objectives: Sequence[Objective], trials: Sequence[Trial], params: Sequence[Mapping[str, Any]]
) -> pd.DataFrame:
    """Trials (n) with their parameters (n), plain values: number, the objectives, ``param_<name>``; None: not set."""
    import pandas as pd

    values = value_matrix(objectives, trials)
    columns: dict[str, Any] = {"number": np.array([trial.number for trial in trials], dtype=np.int64)}
    columns |= {objective.name: values[:, column] for column, objective in enumerate(objectives)}
    for name, column in param_arrays(params).items():
        columns[name] = column.data if not column.mask.any() else column.astype(object).filled(None)
    return pd.DataFrame(columns)
