"""What a running study knows and writes: the one place that keeps trials, searcher and store in step.

The ledger holds the study's lease from its making to ``close``. Every change is committed to the store
before the searcher hears of it, so a study that was killed goes on from its events as if nothing had been.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import repeat
from typing import Any

from moopt.earlier import FROM, Found
from moopt.engine import outcome
from moopt.engine.judge import Judge, Stopped
from moopt.engine.siblings import packed, trials_of
from moopt.errors import UsageError
from moopt.searchers import make_searcher
from moopt.searchers.base import Pending, Searcher, Signal
from moopt.searchers.pymoo import PymooAlgorithm
from moopt.space import Space
from moopt.space.codec import Key
from moopt.store.base import Store, StudyRecord
from moopt.trial import Config, EventKind, Json, Source, State, StepResult, Trial


class Ledger:
    """The coordinator's books of one study. Raises StudyBusy where another process keeps them."""

    def __init__(self, store: Store, record: StudyRecord, algorithm: PymooAlgorithm | None = None) -> None:
        self.record = record
        self.objectives = record.objectives
        self.space = Space.from_json(record.space)
        self._judge = Judge(self.objectives, record.n_steps)
        self._known_at_start: dict[int, int] = {}
        self._writer = store.write(record.name)
        try:
            self.trials = store.trials(record.name)
            self._searcher = self._replayed(store, algorithm)
        except BaseException:
            self._writer.close()
            raise
        self._keys: set[Key] = set()
        self._n_keyed = 0
        self._n_siblings = sum(trial.source is Source.SIBLING for trial in self.trials)
        self.lent: set[int] = set()
        self.proposal_s = 0.0
        self._queue = deque(trial.number for trial in self.trials if trial.state is State.QUEUED)

    def _replayed(self, store: Store, algorithm: PymooAlgorithm | None) -> Searcher:
        searcher = make_searcher(self.record.search, self.space, len(self.objectives), self.record.seed, algorithm)
        told_as_stopped: set[int] = set()
        for event in store.events(self.record.name):
            trial = self.trials[event.number]
            if event.kind is EventKind.STARTED:
                searcher.started(Pending(trial.number, trial.config, trial.origin))
                self._known_at_start[trial.number] = len(self._judge)
            elif outcome.was_stopped(trial) and trial.number not in told_as_stopped:
                # It may have been resumed since.
                told_as_stopped.add(trial.number)
                searcher.tell(outcome.stopped_observation(self.objectives, trial))
            else:
                self._tell(searcher, trial)
        return searcher

    def _tell(self, searcher: Searcher, trial: Trial) -> None:
        searcher.tell(outcome.observation(self.objectives, trial))
        if trial.state is State.COMPLETE:
            self._judge.add(trial)

    # What is there to do

    def unfinished(self) -> list[Trial]:
        """Trials in flight when the study was last stopped; those lent to the caller of ``ask`` are not among them."""
        return [trial for trial in self.trials if trial.state is State.RUNNING and trial.number not in self.lent]

    def has_success(self) -> bool:
        """Whether a trial ended without a failure."""
        return any(trial.state in (State.COMPLETE, State.STOPPED) for trial in self.trials)

    def n_fits(self) -> int:
        """Trials started so far, without siblings."""
        return len(self.trials) - self._n_siblings - len(self._queue)

    def n_steps_spent(self) -> int:
        """Steps that were evaluated, and all those of the trials that are running.

        The step that failed a trial is one of them.
        """
        return sum(map(_steps_spent, self.trials))

    def enqueue(
        self, configs: Iterable[Config], source: Source, attributes: Sequence[Mapping[str, Json]] = ()
    ) -> list[Trial]:
        """Keep configs (valid ones) to be run before the searcher is asked; those known already are left out.

        ``attributes`` are those of their trials, one for each where there are any.
        """
        added = []
        for config, own in zip(configs, attributes or repeat({}), strict=False):
            if not self._is_new(config):
                continue
            trial = replace(self._new_trial(config, source=source), attributes=own)
            self._writer.queue(trial)
            self.trials.append(trial)
            self._queue.append(trial.number)
            added.append(trial)
        return added

    def start_next(self, evaluated: Mapping[Key, Found] | None = None) -> Trial | Signal:
        """The next trial, started: a queued one, else the searcher's proposal, else what it says instead.

        Where its config is among those ``evaluated`` elsewhere, it comes with all its steps.
        """
        if self._queue:
            trial = self.trials[self._queue.popleft()]
        else:
            asked_at = time.perf_counter()
            proposal = self._searcher.ask(len(self.trials))
            self.proposal_s = time.perf_counter() - asked_at
            if isinstance(proposal, Signal):
                return proposal
            trial = self._new_trial(proposal.config, proposal.origin)
            self.trials.append(trial)
        found = evaluated.get(self.space.key(trial.config)) if evaluated else None
        trial = replace(trial, state=State.RUNNING) if found is None else _reused(trial, found)
        self._writer.start(trial)
        self._searcher.started(Pending(trial.number, trial.config, trial.origin))
        self._known_at_start[trial.number] = len(self._judge)
        self.trials[trial.number] = trial
        for step, result in trial.steps.items():
            self._writer.step(trial.number, step, result)
        return trial

    def _new_trial(self, config: Config, origin: object = None, source: Source = Source.SEARCH) -> Trial:
        return Trial(
            number=len(self.trials),
            config=config,
            origin=origin,
            source=source,
            n_steps=self.record.n_steps,
            created_at=time.time(),
        )

    # What became of it

    def as_step(self, number: int, results: Any) -> StepResult:
        """What an evaluator returned for a step of the trial, to be added. Raises WrongResult."""
        return packed(self.space, self.trials[number], results)

    def add_step(self, number: int, step: int, result: StepResult) -> Trial:
        """The trial with one more step, committed."""
        trial = self._with_step(number, step, result)
        self._writer.step(number, step, result)
        return trial

    def add_last_step(self, number: int, step: int, result: StepResult) -> Trial:
        """The trial after its last step, both in one commit: complete, or failed where its values are no result."""
        self._with_step(number, step, result)
        return self._finish(self._completed(number), {step: result})

    def _with_step(self, number: int, step: int, result: StepResult) -> Trial:
        trial = self.trials[number]
        self.trials[number] = replace(trial, steps={**trial.steps, step: result})
        return self.trials[number]

    def complete(self, number: int) -> Trial:
        """The trial whose steps are all committed: complete, or failed where its values are no result."""
        return self._finish(self._completed(number))

    def _completed(self, number: int) -> Trial:
        return outcome.completed(self.objectives, self.trials[number], time.time())

    def fail(self, number: int, error: BaseException) -> Trial:
        """The trial after one of its steps raised."""
        return self._finish(outcome.failed(self.objectives, self.trials[number], error, time.time()))

    def verdict(self, number: int, forgiving: float, *, known_at_start: bool = False) -> Stopped | None:
        """Why a trial does not go on after its steps so far; None where it does.

        With ``known_at_start`` it is compared with the trials that were told before it started, and with no later one.
        """
        n_known = self._known_at_start[number] if known_at_start else None
        return self._judge.verdict(self.trials[number], forgiving, n_known)

    def stop(self, number: int, why: Stopped, *, known_at_start: bool = False) -> Trial:
        """The trial after it was stopped."""
        trial = self.trials[number]
        expected = self._judge.expected(trial, self._known_at_start[number] if known_at_start else None)
        return self._finish(outcome.stopped(self.objectives, trial, why, expected, time.time()))

    def resume(self, number: int) -> Trial:
        """A stopped trial, running again. Raises UsageError for any other."""
        stopped = [trial.number for trial in self.trials if trial.state is State.STOPPED]
        if number not in stopped:
            known = f"those are {', '.join(map(str, stopped))}" if stopped else "there is none"
            raise UsageError(f"trial {number} was not stopped early; give the number of one that was: {known}")
        trial = outcome.resumed(self.trials[number])
        self._writer.resume(trial)
        self.trials[number] = trial
        return trial

    def _finish(self, trial: Trial, last: Mapping[int, StepResult] | None = None) -> Trial:
        """The trial in the store, and told; in the same commit its siblings, but for configs that are known already."""
        born = [one for one in trials_of(self.space, self.objectives, trial) if self._is_new(one.config)]
        born = [replace(one, number=number) for number, one in enumerate(born, start=len(self.trials))]
        self._writer.finish(trial, last, born)
        if born:
            trial = replace(trial, steps={step: replace(one, siblings=()) for step, one in trial.steps.items()})
        self.trials[trial.number] = trial
        self._tell(self._searcher, trial)
        for one in born:
            self.trials.append(one)
            self._searcher.started(Pending(one.number, one.config))
            self._tell(self._searcher, one)
        self._n_siblings += len(born)
        return trial

    def _is_new(self, config: Config) -> bool:
        """Whether no trial has this config. Keys are made when asked for: a study without siblings does without."""
        self._keys.update(self.space.key(trial.config) for trial in self.trials[self._n_keyed :])
        self._n_keyed = len(self.trials)
        return self.space.key(config) not in self._keys

    def heartbeat(self) -> None:
        """Show other processes that this one is alive."""
        self._writer.heartbeat()

    def close(self) -> None:
        """Give the lease back."""
        self._writer.close()


def _reused(trial: Trial, found: Found) -> Trial:
    """The trial with what was measured elsewhere; a default config stays one, since others are compared with it."""
    source = trial.source if trial.source is Source.DEFAULT else Source.REUSED
    attributes = {**trial.attributes, FROM: {**found.origin, "reused": True}}
    return replace(trial, state=State.RUNNING, source=source, attributes=attributes, steps=dict(found.steps))


def is_reused(trial: Trial) -> bool:
    """Whether its results were measured in another study."""
    origin = trial.attributes.get(FROM)
    return isinstance(origin, Mapping) and origin.get("reused") is True


def _steps_spent(trial: Trial) -> int:
    if trial.state is State.RUNNING and not is_reused(trial):
        return trial.n_steps
    failed_in_a_step = trial.state is State.FAILED and len(trial.steps) < trial.n_steps
    return 0 if trial.source is Source.SIBLING or is_reused(trial) else len(trial.steps) + failed_in_a_step
