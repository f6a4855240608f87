"""A study from Python: make it, load it, run a function over it, or ask and tell."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from moopt import earlier, pareto
from moopt.arguments import budget_of, forgiving_of, valid_n_warm, valid_name, valid_seed
from moopt.certainty import stored_certainty, with_certainty
from moopt.engine import outcome
from moopt.engine.ledger import Ledger
from moopt.engine.loop import Loop, Stop
from moopt.engine.workers import FunctionEvaluator, executor_of
from moopt.errors import MooptWarning, SpecError, UsageError, WrongResult
from moopt.identity import check_same
from moopt.objectives import Floats, Objective, as_objectives, loss_matrix
from moopt.requests import STOPPED, WANTED, Requests
from moopt.searchers import search_options
from moopt.searchers.base import EXHAUSTED, Signal
from moopt.searchers.pymoo import PymooAlgorithm
from moopt.space import Space, as_space
from moopt.space.codec import Key
from moopt.store import open_store
from moopt.store.base import Store, StudyRecord
from moopt.trial import Config, Evaluator, Json, Source, State, StepResult, Trial
from moopt.versions import versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from ConfigSpace import ConfigurationSpace


def create_study(
    name: str,
    space: ConfigurationSpace | Space | Mapping[str, Any],
    objectives: Iterable[str | Objective],
    *,
    algorithm: str | PymooAlgorithm = "nsga2",
    store: str | Path | Store | None = None,
    seed: int | None = None,
    surrogate: str | None = None,
    population: int | None = None,
    operators: str | None = None,
    defaults: Sequence[Mapping[str, Any]] | None = None,
    start: Sequence[Mapping[str, Any]] = (),
    warm_start_from: Study | str | Path | Store | tuple[str | Path | Store, str] | None = None,
    n_warm: int = 10,
    portfolio: Sequence[Mapping[str, Any]] = (),
    n_steps: int = 1,
    spec: Mapping[str, Json] | None = None,
    resume: bool = False,
) -> Study:
    """Make a study, or with ``resume`` go on with the one of that name.

    ``space`` is a ConfigSpace space or a dict such as ``{"depth": (1, 20), "kind": ["a", "b"]}``. ``store`` is a
    file (one SQLite database, many studies), or None to keep the study in memory. Without a ``seed`` one is drawn
    and stored. ``algorithm`` is a name, or any algorithm of pymoo as a :class:`~moopt.PymooAlgorithm`, whose options
    are its own. ``operators`` are those made for hyperparameters and small budgets ("auto"), or those of published
    tables: "sbx", for moead also "de".

    The default configs are tried first: those given, else the space's own. Then come your own, ``start``, and then at
    most ``n_warm`` of another study's front, spread over it: ``warm_start_from`` is a study, a store with one study,
    or a store and a name. Those that do not lie in this space are left out with a MooptWarning. Last comes
    ``portfolio``: configs that did well elsewhere, marked as such. A study that is gone on with takes what of ``start``
    it does not know, and needs no other study and no portfolio any more.

    Raises SpaceError, ObjectiveError or SpecError for what cannot be; StudyExists where the name is taken and
    ``resume`` is false; StudyMismatch, with the differences, where the stored study is another one.
    """
    opened = _opened(store, create=True)
    codec = as_space(space)
    own = [codec.check(config) for config in start]
    given = algorithm if isinstance(algorithm, PymooAlgorithm) else None
    options = {"surrogate": surrogate, "population": population, "operators": operators}
    record = StudyRecord(
        name=valid_name(name),
        space=codec.as_json(),
        objectives=as_objectives(objectives),
        search=_search(algorithm, {key: value for key, value in options.items() if value is not None}),
        seed=valid_seed(seed),
        n_steps=n_steps,
        spec=dict(spec or {}),
        versions=versions(),
        created_at=time.time(),
    )
    if resume and any(stored.name == name for stored in opened.studies()):
        stored = opened.study(name)
        check_same(record if seed is not None else replace(record, seed=stored.seed), stored, opened)
        study = Study(opened, stored, given)
        study._enqueue_unknown(own)
        return study
    first = [codec.default()] if defaults is None else [codec.check(config) for config in defaults]
    elsewhere = [codec.check(config) for config in portfolio]
    warm = [] if warm_start_from is None else _front_of(warm_start_from, codec, valid_n_warm(n_warm))
    opened.create_study(record)
    study = Study(opened, record, given)
    with study._written() as ledger:
        ledger.enqueue(first, Source.DEFAULT)
        ledger.enqueue(own, Source.ENQUEUED)
        attributes = [{earlier.FROM: one.origin} for one in warm]
        ledger.enqueue([one.config for one in warm], Source.WARM_START, attributes)
        ledger.enqueue(elsewhere, Source.PORTFOLIO)
    return study


def _front_of(
    given: Study | str | Path | Store | tuple[str | Path | Store, str], space: Space, n: int
) -> list[earlier.Found]:
    """The configs of another study's front to start from."""
    if isinstance(given, Study):
        return earlier.front_configs(space, given.store, given.record, n)
    place, name = given if isinstance(given, tuple) else (given, None)
    if not isinstance(place, str | Path):
        return earlier.front_configs(space, place, place.study(name), n)
    opened = open_store(place, read_only=True, create=False)
    try:
        return earlier.front_configs(space, opened, opened.study(name), n)
    finally:
        opened.close()


def load_study(store: str | Path | Store, name: str | None = None, *, algorithm: PymooAlgorithm | None = None) -> Study:
    """A stored study; the name may be left out where the store holds one study only.

    A study that searches with an algorithm of pymoo is read without it; to go on with it give ``algorithm`` again.

    Raises StoreError where there is no store, StudyNotFound with the names there are.
    """
    opened = _opened(store, create=False)
    return Study(opened, opened.study(name), algorithm)


class Study:
    """A space, objectives, a searcher, a seed and all trials, kept in a store.

    Made by :func:`create_study` and :func:`load_study`. Reading needs nothing; the first write takes the study's
    lease, which ``optimize`` gives back at its end and ``ask`` keeps until ``close``.
    """

    def __init__(self, store: Store, record: StudyRecord, algorithm: PymooAlgorithm | None = None) -> None:
        self.store = store
        self._algorithm = algorithm
        self.record = record
        self.space = Space.from_json(record.space)
        self._ledger: Ledger | None = None

    def __repr__(self) -> str:
        return f"<moopt.Study {self.name!r}: {self.record.search['algorithm']} in {self.store.location}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def name(self) -> str:
        """Its name in the store."""
        return self.record.name

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What it improves."""
        return self.record.objectives

    # Searching

    def optimize(
        self,
        function: Callable[[dict[str, Any]], Any] | Evaluator,
        n_trials: int | None = None,
        *,
        n_jobs: int | None = None,
        executor: Executor | None = None,
        timeout_s: float | None = None,
        max_steps: int | None = None,
        stop_when_stalled: bool | int = False,
        early_stopping: bool | float = True,
        reuse: bool = False,
        step_timeout_s: float | None = None,
        memory_limit_mb: float | None = None,
        deterministic: bool = False,
        raise_errors: bool = False,
    ) -> Stop:
        """Evaluate configs until the study has ``n_trials`` trials in total, and say why it ended.

        Besides ``n_trials``, whichever comes first: ``timeout_s`` seconds; ``max_steps`` steps (folds) of the study
        in total, never more; and with ``stop_when_stalled`` a front whose hypervolume has not grown by more than
        its noise over the last 30 trials, or as many as you say, see :mod:`moopt.engine.stall`. Why and when it ended
        stays with the study, as its attribute ``stopped``.

        With ``early_stopping``, a trial of three or more steps ends (state ``stopped``) as soon as its steps done leave
        it no chance: a complete trial beats it in all objectives, or it cannot meet a limit that another met. A number
        says how many standard deviations its remaining steps may be better than expected (see :mod:`moopt.stopping`):
        a larger one stops fewer trials. The attribute ``stopped`` of the trial names the one that beat it, and
        :meth:`resume_trial` lets it go on.

        With ``reuse`` a config that another study of the store evaluated completely, with the same spec (data, splits),
        objectives and versions, is not run: its trial takes the values measured there and is marked by its source
        ``reused`` (a default config stays a default) and its attribute ``from``. It counts as a trial of
        ``n_trials``, and its steps as none of ``max_steps``.

        ``function`` takes a config (a dict) and returns a dict of every objective; a lambda will do. Whatever it
        raises fails its trial, and the search goes on. ``n_jobs`` processes work at once (-1: one a core; default:
        this process alone), or ``executor`` is any ``concurrent.futures.Executor`` with ``n_jobs`` steps in flight.
        ``step_timeout_s`` and ``memory_limit_mb`` fail one trial and need processes.
        With ``deterministic`` the proposals of several workers do not depend on timing. With ``raise_errors`` the
        first error of a step is raised, after its trial was kept as failed.

        Ctrl+C once ends after the running steps, twice at once; calling again goes on. What the explorer asks for, a
        stop or a pause, is heard between steps, see :mod:`moopt.requests`.
        Raises SpecError for arguments that cannot be; SearchFailed when the first ten trials all fail; StudyBusy where
        another process writes the study.
        """
        budget = budget_of(n_trials, timeout_s, max_steps, stop_when_stalled, self.record.n_steps)
        evaluator = self._evaluator(function)
        forgiving = forgiving_of(early_stopping, self.record.n_steps)
        evaluated = self._evaluated_elsewhere() if reuse else None
        with (
            self._written() as ledger,
            executor_of(executor, n_jobs, step_timeout_s, memory_limit_mb) as (pool, workers),
        ):
            requests = Requests(self.store, self.name)
            loop = Loop(
                ledger,
                evaluator,
                pool,
                workers,
                budget,
                evaluated=evaluated,
                forgiving=forgiving,
                deterministic=deterministic,
                raise_errors=raise_errors,
                requests=requests,
            )
            requests.clear()
            self._note_start(n_trials)
            stop = loop.run()
            self._note_stop(stop, loop.detail)
            return stop

    def _evaluated_elsewhere(self) -> dict[Key, earlier.Found]:
        if not self.record.spec:
            raise SpecError(
                f"study {self.name!r} does not say how a trial is evaluated, so nothing can be reused; "
                "give create_study spec=, such as {'function': 'v1', 'data': 'churn 2025'}"
            )
        return earlier.evaluated(self.space, self.store, self.record, versions())

    def _note_start(self, n_trials: int | None) -> None:
        """Keep in the study what is wanted, and that it goes on with other versions; why it ended before is past."""
        self.store.set_attribute(self.name, WANTED, {"n_trials": n_trials, "at": time.time()})
        attributes = self.store.study(self.name).attributes
        if attributes.get(STOPPED) is not None:
            self.store.set_attribute(self.name, STOPPED, None)
        if versions() != self.record.versions and attributes.get(earlier.OTHER_VERSIONS) != versions():
            self.store.set_attribute(self.name, earlier.OTHER_VERSIONS, versions())

    def _note_stop(self, stop: Stop, detail: str) -> None:
        reason = f"{stop.value}: {detail}" if detail else stop.value
        self.store.set_attribute(self.name, STOPPED, {"why": stop.name.lower(), "reason": reason, "at": time.time()})

    @property
    def stopped(self) -> dict[str, Json] | None:
        """Why (``why``, and ``reason`` in words) and when (``at``, Unix seconds) its search last ended, if it did."""
        return self.store.study(self.name).attributes.get(STOPPED)

    def _evaluator(self, function: Callable[[dict[str, Any]], Any] | Evaluator) -> Evaluator:
        if not callable(function):
            raise SpecError(f"optimize was given {type(function).__name__}; give a function of a config")
        given: Any = function
        evaluator: Evaluator = given if hasattr(given, "n_steps") else FunctionEvaluator(given, self.objectives)
        if evaluator.n_steps != self.record.n_steps:
            raise SpecError(
                f"study {self.name!r} has {self.record.n_steps} steps a trial, the evaluator {evaluator.n_steps}; "
                "give n_steps= to create_study"
            )
        return evaluator

    def enqueue(self, config: Mapping[str, Any]) -> None:
        """Have a config tried before the searcher is asked; one that is known already is left out.

        Raises SpaceError where it is not in the space.
        """
        checked = self.space.check(config)
        with self._written() as ledger:
            ledger.enqueue([checked], Source.ENQUEUED)

    def resume_trial(self, number: int) -> None:
        """Have a trial that was stopped early do its missing steps at the next :meth:`optimize`, before any other.

        It is not stopped again. Raises UsageError for a trial that was not stopped.
        """
        with self._written() as ledger:
            ledger.resume(number)

    def _enqueue_unknown(self, configs: Sequence[Config]) -> None:
        """Queue valid configs; the study is not opened for writing where it knows them all."""
        known = {self.space.key(trial.config) for trial in self._trials()} if configs else set()
        if any(self.space.key(config) not in known for config in configs):
            with self._written() as ledger:
                ledger.enqueue(configs, Source.ENQUEUED)

    def ask(self) -> Trial:
        """The next trial to evaluate; its result goes to :meth:`tell`.

        Raises UsageError when every config of the space was tried, or when results must be told first.
        """
        ledger = self._books()
        started = ledger.start_next()
        if isinstance(started, Signal):
            reason = "every config of the space was tried" if started is EXHAUSTED else "tell pending results first"
            raise UsageError(f"study {self.name!r} has no config to propose: {reason}")
        ledger.lent.add(started.number)
        return started

    def tell(self, trial: Trial | int, values: Mapping[str, float] | float | None, *, reason: str = "") -> Trial:
        """The trial with its result: a value for every objective, or None where it failed, with the ``reason``.

        NaN and other values without a finite loss make a failed trial. Raises UsageError for a trial that is not
        pending, WrongResult (nothing is told then) for a missing or unknown objective.
        """
        ledger = self._books()
        number = trial if isinstance(trial, int) else trial.number
        if not 0 <= number < len(ledger.trials) or ledger.trials[number].state is not State.RUNNING:
            raise UsageError(f"trial {number} is not pending; tell takes a trial that ask gave, once")
        if values is None:
            ended = ledger.fail(number, WrongResult(reason or "told as failed"))
        else:
            ended = ledger.add_last_step(number, 0, StepResult(outcome.step_values(self.objectives, values)))
        ledger.lent.discard(number)
        return ended

    def close(self) -> None:
        """Give the lease back, so that another process may write. Nothing is lost by leaving it out."""
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None

    def _books(self) -> Ledger:
        if self._ledger is None:
            self._ledger = Ledger(self.store, self.record, self._algorithm)
        return self._ledger

    @contextmanager
    def _written(self) -> Iterator[Ledger]:
        """The ledger for one piece of work; the lease stays only if it was held before."""
        held = self._ledger is not None
        try:
            yield self._books()
        finally:
            if not held:
                self.close()

    # Confirming

    def confirm(
        self,
        trials: Sequence[int] | None = None,
        *,
        rounds: int = 5,
        repeats: float = 0.1,
        confidence: float = 0.9,
        score_again: bool = False,
        n_jobs: int | None = None,
        data: str | Path | None = None,
    ) -> pd.DataFrame:
        """Measure the front, its near misses and the defaults, or these trials, as they would ship; see
        :meth:`confirmed` for what it gives.

        Each is fitted on all search rows (its model is kept beside the store), scored on the test split with
        intervals of this ``confidence``, and timed on this machine in ``rounds``; let nothing else run. The test
        split is scored once: a second call times again, and scores only with ``score_again``. ``repeats`` is the
        share of the search's steps for cross-validations with other splits, the front's first. ``n_jobs`` processes
        fit at once. ``data`` stands in for the data file where it moved.

        What the user should know is a MooptWarning each. Raises ConfirmError for a study of a function, for data that
        are not those of the search, and where no trial can be confirmed; DataError for a data file that cannot be
        read; StudyBusy while the study is searched; UsageError for trials that are not complete.
        """
        from moopt.confirm import Options, confirm, subject_of

        options = Options(rounds, repeats, confidence, score_again, n_jobs)
        report = confirm(
            self.store,
            self.record,
            subject_of(self.record, None if data is None else Path(data)),
            options,
            trials=trials,
        )
        for note in report.notes:
            warnings.warn(note, MooptWarning, stacklevel=2)
        return self.confirmed()

    def confirmed(self) -> pd.DataFrame:
        """What was confirmed beside what the search measured, a row a trial; see
        :func:`moopt.beside.confirmed_frame` for the columns.
        """
        from moopt.beside import confirmed_frame

        trials = self.store.trials(self.name, with_steps=False)
        return confirmed_frame(self.objectives, trials, self.store.confirmations(self.name))

    # Reading

    def _trials(self) -> list[Trial]:
        return self._ledger.trials if self._ledger is not None else self.store.trials(self.name, with_steps=False)

    def trials(self) -> pd.DataFrame:
        """One row a trial: number, state, failure, n_steps, fit, violation, the objectives, param_<name>."""
        from moopt.frames import trials_frame

        return trials_frame(
            self.objectives, self.store.trials(self.name, with_steps=False), self.store.steps_done(self.name)
        )

    def front(self) -> pd.DataFrame:
        """The non-dominated complete trials: columns as in :meth:`trials`, then how sure they are.

        These are those of :func:`moopt.certainty.with_certainty`; there are none where a trial is a single step and
        none is confirmed.
        """
        from moopt.frames import front_frame

        trials = self.store.trials(self.name, with_steps=False)
        frame = front_frame(self.objectives, trials, self.store.steps_done(self.name))
        return with_certainty(frame, stored_certainty(self.store, self.name, self.objectives, trials))

    def hypervolume(self, ideal: Mapping[str, float] | None = None, nadir: Mapping[str, float] | None = None) -> float:
        """Hypervolume of the complete trials, in losses scaled so that ``ideal`` is 0 and ``nadir`` 1, up to 1.1.

        Both are values by objective, in its own unit; left out, they are those of the study's own front, and
        then two hypervolumes of different fronts cannot be compared. 0 where no trial is complete.
        Source: Zitzler and Thiele 1999, doi:10.1109/4235.797969.
        """
        values = [trial.values for trial in self._trials() if trial.state is State.COMPLETE]
        if not values:
            return 0.0
        losses = loss_matrix(self.objectives, self._matrix(values))
        own_ideal, own_nadir = pareto.ideal_nadir(losses[pareto.nondominated(losses)])
        return pareto.hypervolume(
            losses,
            own_ideal if ideal is None else loss_matrix(self.objectives, self._matrix([ideal]))[0],
            own_nadir if nadir is None else loss_matrix(self.objectives, self._matrix([nadir]))[0],
        )

    def _matrix(self, values: Sequence[Mapping[str, float]]) -> Floats:
        return np.array([[row[objective.name] for objective in self.objectives] for row in values])


def _search(algorithm: str | PymooAlgorithm, options: dict[str, Any]) -> dict[str, Json]:
    if not isinstance(algorithm, PymooAlgorithm):
        return search_options(algorithm, **options)
    if options:
        raise SpecError(f"{next(iter(options))} is no option of a pymoo algorithm here; give it to {algorithm.name}")
    return algorithm.as_json()


def _opened(store: str | Path | Store | None, *, create: bool) -> Store:
    return open_store(store, create=create) if store is None or isinstance(store, str | Path) else store
