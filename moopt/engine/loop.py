"""Run trials on an executor: submit steps, wait for the first to end, hand its result to the ledger.

Steady state: as soon as a worker is free the next step starts, and no generation waits for its slowest
member. The folds of one trial are submitted before those of the next; where trials may be stopped early each worker
has a trial of its own, so that it is judged after each step.
"""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from types import FrameType

from moopt.earlier import Found
from moopt.engine.judge import Stopped
from moopt.engine.ledger import Ledger
from moopt.engine.stall import gain_and_noise
from moopt.errors import SearchFailed, UsageError, WrongResult
from moopt.requests import LOOK_S, Request, Requests
from moopt.searchers.base import EXHAUSTED, WAIT, Signal
from moopt.space.codec import Key
from moopt.trial import Evaluator, Source, State, StepResult, Trial

HEARTBEAT_S = 2.0
COSTLY_PROPOSAL_S = 0.01
"""Where a worker would wait longer than this for a proposal, trials are started before a worker is free."""
TRIALS_AHEAD = 2
"""So many of them: steps that end together, and a model that is fitted anew, else leave a worker idle."""
FIRST_TRIALS = 10
"""A search whose first trials all fail is stopped after this many."""


class Stop(StrEnum):
    """Why a search ended."""

    TRIALS = "all trials are done"
    STEPS = "all steps are done"
    TIME = "the time is up"
    STALLED = "the front has stalled"
    EXHAUSTED = "every config of the space was evaluated"
    INTERRUPTED = "interrupted"
    ASKED = "stopped on request"


@dataclass(frozen=True, slots=True)
class Budget:
    """What a search may spend."""

    n_trials: int | None = None
    """Trials of the study in total, without siblings."""
    timeout_s: float | None = None
    """Wall-clock seconds, after which no trial is started; those of a pause are not counted."""
    max_steps: int | None = None
    """Steps of the study in total; no trial is started that could take it past them."""
    stall_window: int | None = None
    """Trials over which the front must have grown by more than its noise; None: it need not."""


@dataclass(slots=True)
class _Open:
    """A trial with steps still to do."""

    trial: Trial
    waiting: list[int]
    running: dict[Future[tuple[StepResult, ...]], int] = field(default_factory=dict)
    stopped: Stopped | None = None
    """Why no other step is submitted; those that run are kept."""

    @property
    def done(self) -> bool:
        """Nothing of it waits or runs."""
        return not self.waiting and not self.running


class Loop:
    """One run of a search: which trials are open, which steps are in flight."""

    def __init__(
        self,
        ledger: Ledger,
        evaluator: Evaluator,
        executor: Executor,
        n_workers: int,
        budget: Budget,
        *,
        evaluated: Mapping[Key, Found] | None = None,
        forgiving: float | None = None,
        deterministic: bool = False,
        raise_errors: bool = False,
        requests: Requests | None = None,
    ) -> None:
        self._ledger = ledger
        self._evaluator = evaluator
        self._executor = executor
        self._n_workers = n_workers
        self._budget = budget
        self._evaluated = evaluated
        self._forgiving = forgiving
        self._deterministic = deterministic
        self._raise_errors = raise_errors
        self._requests = requests
        self._paused = False
        self._open: dict[int, _Open] = {}
        self._held: dict[int, BaseException | Stopped | None] = {}
        self._deadline = time.monotonic() + budget.timeout_s if budget.timeout_s is not None else None
        self._interrupted = threading.Event()
        self._stop: Stop | None = None
        self.detail = ""
        """More on why it ended, in words."""

    def run(self) -> Stop:
        """Until the budget is spent, the space used up, or the user interrupts.

        Raises SearchFailed when the first trials all fail, KeyboardInterrupt when the user interrupts twice, and
        with ``raise_errors`` the first error of a step, UsageError when the searcher waits for trials of others.
        """
        with _interrupts() as self._interrupted:
            for trial in self._ledger.unfinished():
                self._reopen(trial)
            while True:
                self._submit()
                if not self._collect() and not self._rest():
                    break
        self._tell_held(0)
        return self._stop or Stop.TRIALS

    # Submitting

    def _submit(self) -> None:
        while (opened := self._next_open()) is not None:
            if not opened.waiting:  # its results were there already
                continue
            step = opened.waiting.pop(0)
            future = self._executor.submit(self._evaluator, dict(opened.trial.config), step)
            opened.running[future] = step

    def _next_open(self) -> _Open | None:
        """The trial whose step is next to submit, if a worker is free for it and nothing speaks against going on.

        One step more than there are workers waits in the executor, so that no worker is idle while its result
        is stored. A trial is started for that only where proposals take their time, as those of a model do: it is
        proposed without the results that are due.
        """
        if self._held_back():
            return None
        in_flight = sum(len(opened.running) for opened in self._open.values())
        if self._forgiving is not None:
            return self._next_to_judge(in_flight)
        if in_flight < self._n_workers + (self._n_workers > 1):
            for opened in self._open.values():
                if opened.waiting:
                    return opened
        if in_flight < self._n_workers + self._trials_ahead() and self._may_start():
            return self._start_trial()
        return None

    def _next_to_judge(self, in_flight: int) -> _Open | None:
        """The same where trials may be stopped: one of which no step runs, so that each is judged after each step.

        Where no such trial is left and none may be started, a free worker takes another step of one that runs, unless
        what it finds might then depend on the timing.
        """
        if in_flight >= self._n_workers + self._trials_ahead():
            return None
        for opened in self._open.values():
            if opened.waiting and not opened.running:
                return opened
        started = self._start_trial() if self._may_start() else None
        if started is not None or self._deterministic or in_flight >= self._n_workers:
            return started
        return next((opened for opened in self._open.values() if opened.waiting), None)

    def _held_back(self) -> bool:
        """Whether nothing may be submitted: the user interrupted, or somebody asked for an end or a pause."""
        asked = self._requests.asked() if self._requests is not None else None
        if self._interrupted.is_set():
            self._stop = Stop.INTERRUPTED
        elif asked is Request.STOP:
            self._stop = Stop.ASKED
        self._paused = asked is Request.PAUSE and self._stop is not Stop.INTERRUPTED
        return self._paused or self._stop in (Stop.INTERRUPTED, Stop.ASKED)

    def _rest(self) -> bool:
        """Nothing is in flight. In a pause with something left to do wait a moment; False where the search is over."""
        if not self._paused or (self._stop is not None and not self._open):
            return False
        self._interrupted.wait(LOOK_S)
        self._ledger.heartbeat()
        if self._deadline is not None:
            self._deadline += LOOK_S
        return True

    def _trials_ahead(self) -> int:
        if self._n_workers == 1 or self._deterministic:
            return 0
        if self._ledger.proposal_s > COSTLY_PROPOSAL_S:
            return TRIALS_AHEAD
        return 0 if self._forgiving is None else 1

    def _may_start(self) -> bool:
        if self._stop is not None or (self._deterministic and not self._result_is_due()):
            return False
        self._stop = self._spent()
        return self._stop is None

    def _spent(self) -> Stop | None:
        """Which part of the budget is spent."""
        budget, ledger = self._budget, self._ledger
        if budget.n_trials is not None and ledger.n_fits() >= budget.n_trials:
            return Stop.TRIALS
        if budget.max_steps is not None and ledger.n_steps_spent() + ledger.record.n_steps > budget.max_steps:
            return Stop.STEPS
        if self._deadline is not None and time.monotonic() >= self._deadline:
            return Stop.TIME
        if budget.stall_window is not None and self._has_stalled(budget.stall_window):
            return Stop.STALLED
        return None

    def _has_stalled(self, window: int) -> bool:
        found = gain_and_noise(self._ledger.objectives, self._ledger.trials, window)
        if found is None or found[0] > found[1]:
            return False
        gain, noise = found
        self.detail = (
            f"its hypervolume grew by {gain:.2%} in the last {window} trials, of which {noise:.2%} may be noise"
        )
        return True

    def _start_trial(self) -> _Open | None:
        started = self._ledger.start_next(self._evaluated)
        if started is WAIT and not self._open:
            # Nothing runs whose end could help; it can only be one that was held back.
            self._tell_held(0)
            started = self._ledger.start_next(self._evaluated)
            if started is WAIT:
                raise UsageError("the search waits: tell the results of the trials that ask gave first")
        if isinstance(started, Signal):
            if started is EXHAUSTED:
                self._stop = Stop.EXHAUSTED
            return None
        return self._reopen(started)

    def _reopen(self, trial: Trial) -> _Open:
        waiting = [step for step in range(trial.n_steps) if step not in trial.steps]
        opened = self._open[trial.number] = _Open(trial, waiting)
        if trial.steps and waiting:
            self._judge(opened)
        if opened.done:
            self._end(trial.number)
        return opened

    # Collecting

    def _collect(self) -> bool:
        """Wait for the next result and pass it on; False when nothing is in flight."""
        futures = {future: number for number, opened in self._open.items() for future in opened.running}
        if not futures:
            return False
        done, _ = wait(futures, timeout=HEARTBEAT_S, return_when=FIRST_COMPLETED)
        if not done:
            self._ledger.heartbeat()
        for future, number in futures.items():
            if future in done and number in self._open:
                self._take(number, future)
        return True

    def _take(self, number: int, future: Future[tuple[StepResult, ...]]) -> None:
        opened = self._open[number]
        step = opened.running.pop(future)
        result = self._result(number, future)
        if isinstance(result, BaseException):
            for other in opened.running:
                other.cancel()
            self._end(number, result)
            return
        if opened.done and opened.stopped is None and not self._deterministic:
            del self._open[number]
            self._check_first_trials(self._ledger.add_last_step(number, step, result))
            return
        opened.trial = self._ledger.add_step(number, step, result)
        if opened.waiting:
            self._judge(opened)
        if opened.done:
            self._end(number)

    def _judge(self, opened: _Open) -> None:
        """Drop the steps that a trial need not do any more."""
        if self._forgiving is None:
            return
        number = opened.trial.number
        opened.stopped = self._ledger.verdict(number, self._forgiving, known_at_start=self._deterministic)
        if opened.stopped is not None:
            opened.waiting.clear()
            opened.running = {future: step for future, step in opened.running.items() if not future.cancel()}

    def _result(self, number: int, future: Future[tuple[StepResult, ...]]) -> StepResult | BaseException:
        error = future.exception()
        if error is not None:
            return error
        try:
            return self._ledger.as_step(number, future.result())
        except WrongResult as wrong:
            return wrong

    def _end(self, number: int, error: BaseException | None = None) -> None:
        """No step is left, or one raised: tell the searcher, or hold that back until its turn."""
        opened = self._open.pop(number)
        is_whole = len(opened.trial.steps) == opened.trial.n_steps
        self._held[number] = error or (None if is_whole else opened.stopped)
        if not self._deterministic:
            self._tell(number)

    def _tell(self, number: int) -> None:
        found = self._held.pop(number)
        if isinstance(found, BaseException):
            failed = self._ledger.fail(number, found)
            if self._raise_errors:
                raise found
            self._check_first_trials(failed)
        elif found is not None:
            self._ledger.stop(number, found, known_at_start=self._deterministic)
        else:
            self._check_first_trials(self._ledger.complete(number))

    def _check_first_trials(self, trial: Trial) -> None:
        if trial.state is not State.FAILED or self._ledger.has_success():
            return
        ended = [one for one in self._ledger.trials if one.state is State.FAILED and one.source is not Source.SIBLING]
        if len(ended) < FIRST_TRIALS:
            return
        (message, count), *_ = Counter(trial.message for trial in ended).most_common(1)
        raise SearchFailed(
            f"the first {len(ended)} trials all failed, {count} of them with: {message}\n"
            "Mend the cause and run again; the failed trials are kept."
        )

    # With several workers, the same proposals whatever the timing

    def _result_is_due(self) -> bool:
        """Let trial k start only when just the results of the trials up to k - n_workers have been told."""
        self._tell_held(self._n_workers - 1)
        return len(self._open) + len(self._held) < self._n_workers

    def _tell_held(self, n_pending: int) -> None:
        """Tell held results, lowest number first, until ``n_pending`` trials are pending or one is still running."""
        while self._held and len(self._open) + len(self._held) > n_pending:
            first = min(self._held)
            if any(number < first for number in self._open):
                return
            self._tell(first)


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Ctrl+C once sets the event, twice raises KeyboardInterrupt. Outside the main thread nothing is changed."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return

    def handle(_signal: int, _frame: FrameType | None) -> None:
        if event.is_set():
            raise KeyboardInterrupt
        event.set()

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)
