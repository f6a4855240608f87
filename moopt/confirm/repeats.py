"""Repeats of the cross-validation with other splits, for the trials that matter, out of a share of the folds spent."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from typing import Any, NamedTuple

from moopt.engine.outcome import mean_values
from moopt.objectives import Objective
from moopt.trial import Evaluator, StepResult, Trial

MOST_REPEATS = 5
"""Of one trial."""


class Repeat(NamedTuple):
    """One more cross-validation of a trial."""

    trial: Trial
    repeat: int
    """From 1; 0 is that of the search."""


def plan(trials: Sequence[Trial], done: Mapping[int, int], n_spent: int, share: float, n_steps: int) -> list[Repeat]:
    """The repeats that ``share`` of the ``n_spent`` steps of the search pay for, ``n_steps`` each.

    Trials are given by importance: each gets its first repeat before any gets its second. Those that are ``done``
    (trial number -> repeats) are paid already.
    """
    n_left = (math.floor(share * n_spent + 1e-9) // n_steps if n_steps else 0) - sum(done.values())
    wanted = [
        Repeat(trial, repeat)
        for repeat in range(1, MOST_REPEATS + 1)
        for trial in trials
        if repeat > done.get(trial.number, 0)
    ]
    return wanted[: max(0, n_left)]


def run(
    repeats: Sequence[Repeat],
    evaluator: Callable[[int], Evaluator],
    executor: Executor,
    objectives: Sequence[Objective],
) -> tuple[dict[int, dict[str, list[float]]], dict[int, Exception]]:
    """Trial number -> objective -> its value in each new repeat; and the errors of those that failed, by trial.

    ``evaluator`` gives what evaluates a config on the splits of a repeat.
    """
    running: list[tuple[Repeat, list[Future[Any]]]] = []
    for one in repeats:
        evaluate = evaluator(one.repeat)
        steps = [executor.submit(evaluate, one.trial.config, step) for step in range(evaluate.n_steps)]
        running.append((one, steps))
    values: dict[int, dict[str, list[float]]] = {}
    failed: dict[int, Exception] = {}
    for (trial, _), futures in running:
        try:
            results: dict[int, StepResult] = {step: future.result()[0] for step, future in enumerate(futures)}
        except Exception as error:
            failed[trial.number] = error
            continue
        of_trial = values.setdefault(trial.number, {})
        for name, value in mean_values(objectives, results).items():
            of_trial.setdefault(name, []).append(value)
    return values, failed
