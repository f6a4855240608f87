"""Results that came free with another trial's fit: from what an evaluator returns to trials. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from moopt.engine import outcome
from moopt.errors import SpaceError, WrongResult
from moopt.objectives import Objective
from moopt.space import Key, Space
from moopt.trial import Config, Failure, Source, State, StepResult, Trial


def packed(space: Space, trial: Trial, results: Any) -> StepResult:
    """What an evaluator returned for one step of a trial: the trial's own result, which holds those of its siblings.

    What a sibling changes becomes canonical. Raises WrongResult where the results are not a tuple of StepResult, the
    trial's own first, or its siblings not configs of the space, each once, and the same as in the steps done before.
    """
    if not isinstance(results, tuple) or not results or not all(isinstance(one, StepResult) for one in results):
        raise WrongResult(f"the evaluator returned {outcome.short(results)}; expected a tuple of StepResult")
    own: StepResult = results[0]
    others: Sequence[StepResult] = results[1:]
    if own.changes:
        raise WrongResult("the evaluator's first result has changes; it is the config's own, siblings come after it")
    configs = [_config(space, trial.config, one) for one in others]
    keys = [space.key(config) for config in configs]
    _check_new(space.key(trial.config), keys, others)
    for step, done in trial.steps.items():
        _check_same(keys, [space.key(_config(space, trial.config, one)) for one in done.siblings], others, step)
    siblings = [
        replace(one, changes={name: config[name] for name in one.changes if name in config})
        for one, config in zip(others, configs, strict=True)
    ]
    return replace(own, siblings=tuple(siblings))


def _config(space: Space, config: Config, result: StepResult) -> Config:
    """The sibling's own. Raises WrongResult."""
    try:
        return space.check({**config, **result.changes})
    except SpaceError as error:
        raise WrongResult(f"the sibling with {_words(result.changes)} is no config of the space: {error}") from None


def _check_new(own: Key, keys: Sequence[Key], results: Sequence[StepResult]) -> None:
    for one, key in zip(results, keys, strict=True):
        if key == own:
            raise WrongResult(f"the sibling with {_words(one.changes)} is the config itself; name what differs from it")
        if keys.count(key) > 1:
            raise WrongResult(f"the evaluator returned the sibling with {_words(one.changes)} twice; return each once")


def _check_same(keys: Sequence[Key], before: Sequence[Key], results: Sequence[StepResult], step: int) -> None:
    if set(keys) == set(before):
        return
    new = [one for one, key in zip(results, keys, strict=True) if key not in before]
    told = f"gave the sibling with {_words(new[0].changes)}, which step {step} lacks" if new else ""
    raise WrongResult(
        f"the evaluator {told or f'left out a sibling that step {step} has'}; "
        "every step of a config gives the same siblings, with failure= where one has no result"
    )


def _words(changes: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in changes.items()) or "no changes"


def trials_of(space: Space, objectives: Sequence[Objective], parent: Trial) -> list[Trial]:
    """The siblings of a finished trial as trials, whose numbers are still the parent's.

    Each ends by its own values, whatever became of the parent. There are none where the parent did not do all its
    steps: what was measured of them then stays with the parent's steps.
    """
    if len(parent.steps) < parent.n_steps or not any(one.siblings for one in parent.steps.values()):
        return []
    found: dict[Key, dict[int, StepResult]] = {}
    for step, result in sorted(parent.steps.items()):
        for one in result.siblings:
            found.setdefault(space.key(_config(space, parent.config, one)), {})[step] = one
    return [_trial(objectives, parent, space.from_key(key), steps) for key, steps in found.items()]


def _trial(objectives: Sequence[Objective], parent: Trial, config: Config, steps: Mapping[int, StepResult]) -> Trial:
    trial = Trial(
        number=parent.number,
        config=config,
        source=Source.SIBLING,
        n_steps=parent.n_steps,
        steps={step: one for step, one in steps.items() if not one.failure},
        fit=parent.number,
        created_at=parent.created_at,
        finished_at=parent.finished_at,
    )
    failures = [f"step {step}: {one.failure}" for step, one in steps.items() if one.failure]
    if not failures:
        return outcome.completed(objectives, trial, parent.finished_at or 0.0)
    values = outcome.mean_values(objectives, trial.steps)
    return replace(trial, state=State.FAILED, values=values, failure=Failure.ERROR, message=failures[0])
