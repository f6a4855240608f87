"""Trials as data frames: the columns that programs and people see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from moopt import pareto
from moopt.columns import Trials
from moopt.objectives import PARAM, Floats, Objective, loss_matrix, violations
from moopt.trial import State, Trial

if TYPE_CHECKING:
    import pandas as pd


def trials_frame(
    objectives: Sequence[Objective], trials: Sequence[Trial], steps_done: Mapping[int, int] | None = None
) -> pd.DataFrame:
    """One row a trial, by number.

    Columns: ``number, state, failure`` (its kind), ``n_steps`` (done), ``fit, source, violation`` (in losses), the
    objectives in their own units, then ``param_<name>`` with None where a hyperparameter is inactive. Values that
    are not known are missing. ``steps_done`` tells the steps by trial number where trials were read without them.
    """
    import pandas as pd

    values = value_matrix(objectives, trials)
    numbers = [trial.number for trial in trials]
    n_steps = [len(trial.steps) for trial in trials] if steps_done is None else [steps_done.get(n, 0) for n in numbers]
    columns: dict[str, Any] = {
        "number": np.array(numbers, dtype=np.int64),
        "state": pd.array([trial.state.value for trial in trials], dtype="str"),
        "failure": pd.array([trial.failure.value if trial.failure else None for trial in trials], dtype="str"),
        "n_steps": np.array(n_steps, dtype=np.int64),
        "fit": pd.array([trial.fit for trial in trials], dtype="Int64"),
        "source": pd.array([trial.source.value for trial in trials], dtype="str"),
        "violation": violations(objectives, values),
    }
    columns |= {objective.name: values[:, column] for column, objective in enumerate(objectives)}
    configs = [trial.config for trial in trials]
    names = dict.fromkeys(name for config in configs for name in config)
    columns |= {PARAM + name: _param([config.get(name) for config in configs]) for name in names}
    return pd.DataFrame(columns)


def _param(values: list[Any]) -> Any:
    """A column that keeps whole numbers whole: plain numbers where all are there, else Python's own values."""
    kinds = set(map(type, values))
    if kinds in ({int}, {float}, {bool}):
        return np.array(values)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def value_matrix(objectives: Sequence[Objective], trials: Sequence[Trial]) -> Floats:
    """Values (n, m) of trials, NaN where one has none."""
    if isinstance(trials, Trials):
        return trials.matrix(objectives)
    names = [objective.name for objective in objectives]
    flat = [trial.values.get(name, np.nan) for trial in trials for name in names]
    return np.array(flat, dtype=np.float64).reshape(-1, len(names))


def front_trials(objectives: Sequence[Objective], trials: Sequence[Trial]) -> list[Trial]:
    """The non-dominated complete trials, by number; whether they meet the limits does not matter."""
    complete = Trials.of(trials).where(State.COMPLETE)
    return list(complete.take(pareto.nondominated(loss_matrix(objectives, complete.matrix(objectives)))))


def front_frame(
    objectives: Sequence[Objective], trials: Sequence[Trial], steps_done: Mapping[int, int] | None = None
) -> pd.DataFrame:
    """:func:`front_trials` as a frame, columns as in :func:`trials_frame`."""
    return trials_frame(objectives, front_trials(objectives, trials), steps_done)
