"""From step results to what became of a trial: its values, its state, what the searcher is told. Pure functions."""

from __future__ import annotations

import math
import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import replace
from typing import Any

from moopt.engine.judge import Stopped
from moopt.errors import StepTimeout, WorkerDied, WrongResult, nearest
from moopt.objectives import Objective, loss, losses, violation
from moopt.searchers.base import Observation
from moopt.trial import STOPPED, Failure, Json, State, StepResult, Trial

_TRACEBACK_CHARACTERS = 4000


def step_values(objectives: Sequence[Objective], returned: Any) -> dict[str, float]:
    """What a function returned, as values by objective; a bare number where there is one objective.

    Raises WrongResult for anything but a mapping of every objective, and nothing else, to a number.
    """
    names = [objective.name for objective in objectives]
    if len(names) == 1 and isinstance(returned, int | float) and not isinstance(returned, bool):
        returned = {names[0]: returned}
    if not isinstance(returned, Mapping):
        raise WrongResult(f"the function returned {short(returned)}; expected a dict with {', '.join(names)}")
    for name in returned:
        if name not in names:
            raise WrongResult(f"the function returned an unknown objective {name!r}{nearest(str(name), names)}")
    for name in names:
        if name not in returned:
            raise WrongResult(f"the function returned no {name!r}; expected a dict with {', '.join(names)}")
    return {name: _number(name, returned[name]) for name in names}


def _number(name: str, given: Any) -> float:
    try:
        return float(given)
    except (TypeError, ValueError):
        raise WrongResult(f"objective {name} is {short(given)}; expected a number") from None


def short(given: Any) -> str:
    """A value as it may stand in a message."""
    text = repr(given)
    return text if len(text) <= 60 else f"{text[:57]}..."


def mean_values(objectives: Sequence[Objective], steps: Mapping[int, StepResult]) -> dict[str, float]:
    """Objective name -> mean over the steps that measured it; without those that none did."""
    means = {}
    for objective in objectives:
        measured = [
            steps[step].values[objective.name] for step in sorted(steps) if objective.name in steps[step].values
        ]
        if measured:
            means[objective.name] = math.fsum(measured) / len(measured)
    return means


def completed(objectives: Sequence[Objective], trial: Trial, finished_at: float) -> Trial:
    """The trial after its last step: complete, or failed where a step says so, a value is missing or has no finite
    loss.
    """
    values = mean_values(objectives, trial.steps)
    done = replace(trial, state=State.COMPLETE, values=values, fit=_fit(trial), finished_at=finished_at)
    for step, result in sorted(trial.steps.items()):
        if result.failure:
            return _failed(done, Failure.ERROR, f"step {step}: {result.failure}")
    for objective in objectives:
        if objective.name not in values:
            return _failed(done, Failure.WRONG_RESULT, f"no step measured the objective {objective.name}")
        value = values[objective.name]
        if not math.isfinite(value):
            return _failed(done, Failure.NOT_FINITE, f"{objective.name} is {value}")
        if not math.isfinite(loss(objective, value)):
            message = f"{objective.name} is {value:g}, but is compared by its logarithm: it must be above 0"
            return _failed(done, Failure.NOT_FINITE, message)
    return done


def failed(objectives: Sequence[Objective], trial: Trial, error: BaseException, finished_at: float) -> Trial:
    """The trial after a step raised ``error``; the steps that were done stay with it."""
    values = mean_values(objectives, trial.steps)
    attributes = dict(trial.attributes)
    if _kind(error) is Failure.ERROR:
        attributes["traceback"] = "".join(traceback.format_exception(error))[-_TRACEBACK_CHARACTERS:]
    ended = replace(trial, values=values, fit=_fit(trial), finished_at=finished_at, attributes=attributes)
    return _failed(ended, _kind(error), _message(error))


def stopped(
    objectives: Sequence[Objective], trial: Trial, why: Stopped, expected: Mapping[str, float], finished_at: float
) -> Trial:
    """The trial that does not go on: its values are the means of the steps done, ``expected`` those of all steps."""
    record: dict[str, Json] = {"after": len(trial.steps), "expected": dict(expected)}
    if why.limit is None:
        record["by"] = why.by
        message = f"beaten by trial {why.by} after {why.after} of {trial.n_steps} steps"
    else:
        name, limit = why.limit.name, why.limit.limit
        record["limit"] = name
        message = f"{name} {expected[name]:.4g} misses its limit {limit:g} after {why.after} of {trial.n_steps} steps"
    return replace(
        trial,
        state=State.STOPPED,
        values=mean_values(objectives, trial.steps),
        message=message,
        fit=_fit(trial),
        finished_at=finished_at,
        attributes={**trial.attributes, STOPPED: record},
    )


def was_stopped(trial: Trial) -> bool:
    """Whether it is stopped, or was before it was resumed."""
    record = trial.attributes.get(STOPPED)
    return isinstance(record, Mapping) and "expected" in record


def resumed(trial: Trial) -> Trial:
    """A stopped trial as one that runs."""
    return replace(trial, state=State.RUNNING, values={}, message="", finished_at=None)


def _failed(trial: Trial, kind: Failure, message: str) -> Trial:
    return replace(trial, state=State.FAILED, failure=kind, message=message)


def _fit(trial: Trial) -> int:
    return trial.number if trial.fit is None else trial.fit


def _kind(error: BaseException) -> Failure:
    match error:
        case WrongResult():
            return Failure.WRONG_RESULT
        case StepTimeout():
            return Failure.TIMEOUT
        case MemoryError():
            return Failure.OUT_OF_MEMORY
        case WorkerDied() | BrokenExecutor():
            return Failure.CRASH
        case _:
            return Failure.ERROR


def _message(error: BaseException) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, WrongResult | StepTimeout | WorkerDied) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def observation(objectives: Sequence[Objective], trial: Trial) -> Observation:
    """What the searcher is told of a finished trial."""
    if trial.state is State.STOPPED:
        return stopped_observation(objectives, trial)
    usable = trial.state is not State.FAILED
    return Observation(
        number=trial.number,
        config=trial.config,
        origin=trial.origin,
        state=trial.state,
        losses=losses(objectives, trial.values) if usable else None,
        violation=violation(objectives, trial.values) if usable else 0.0,
        steps_done=len(trial.steps),
        steps_planned=trial.n_steps,
        fit=trial.fit,
    )


def stopped_observation(objectives: Sequence[Objective], trial: Trial) -> Observation:
    """What the searcher was told when the trial was stopped, whatever became of it since."""
    record = trial.attributes[STOPPED]
    return Observation(
        number=trial.number,
        config=trial.config,
        origin=trial.origin,
        state=State.STOPPED,
        losses=losses(objectives, record["expected"]),
        violation=violation(objectives, record["expected"]),
        steps_done=record["after"],
        steps_planned=trial.n_steps,
        fit=trial.fit,
    )
