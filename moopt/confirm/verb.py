"""The confirm verb: refit, score once on the test split, repeat with other splits, time on a quiet machine, keep."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from moopt import confirmed, uncertainty
from moopt.confirm import notes, repeats
from moopt.confirm.candidates import Candidate, asked_for, candidates
from moopt.confirm.fitting import Fitted, fit_models
from moopt.confirm.models import Refit, opened
from moopt.confirm.scores import check_labels, no_interval
from moopt.confirm.subject import Subject
from moopt.confirm.timing import QuietClock, measured
from moopt.deploy.backends import SKLEARN
from moopt.deploy.converter import close as close_converter
from moopt.engine.workers import executor_of
from moopt.errors import ConfirmError, SpecError, StudyBusy
from moopt.evaluate import opened as opened_folds
from moopt.measure.machine import fingerprint
from moopt.store.base import Store, StudyRecord
from moopt.trial import Confirmation, Json, Source, Trial

Watch: TypeAlias = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """How a study is confirmed. Raises SpecError for what cannot be."""

    rounds: int = 5
    """Rounds of timing."""
    repeats: float = 0.1
    """Share of the steps that the search spent, for repeats with other splits."""
    confidence: float = uncertainty.CONFIDENCE
    """Of the intervals."""
    score_again: bool = False
    """Score on the test split though it was looked at before."""
    n_jobs: int | None = None
    """Processes that fit at once; None is this one, -1 one a core. Timing is one process after the other."""

    def __post_init__(self) -> None:
        if isinstance(self.rounds, bool) or not isinstance(self.rounds, int) or self.rounds < 1:
            raise SpecError(f"rounds is {self.rounds!r}; give how often each model is timed, such as 5")
        if not 0 <= self.repeats <= 1:
            raise SpecError(f"repeats is {self.repeats!r}; give a share of the search's folds from 0 to 1, such as 0.1")
        if not 0 < self.confidence < 1:
            raise SpecError(f"confidence is {self.confidence!r}; give a number between 0 and 1, such as 0.9")


@dataclass(frozen=True)
class Report:
    """What a confirmation did."""

    candidates: tuple[Candidate, ...]
    look: int
    """How often the test split was scored, this time included; 0 where it never was."""
    notes: tuple[str, ...]
    """What the user should know, a line each."""


def confirm(
    store: Store,
    record: StudyRecord,
    subject: Subject,
    options: Options | None = None,
    *,
    trials: Sequence[int] | None = None,
    watch: Watch = lambda _: None,
) -> Report:
    """Confirm a study's front, near misses and defaults, or the given trials, and keep what was found in its store.

    ``watch`` is told what goes on. A trial that cannot be confirmed is a recorded failure. Ctrl+C while models are
    timed keeps the rounds done. Raises StudyBusy while the study is searched, ConfirmError where no trial is complete,
    where the test split is of one class, or where no trial can be confirmed; UsageError for trials that are not
    complete.
    """
    if store.is_running(record.name):
        raise StudyBusy(f"study {record.name!r} is being searched; confirm it when that has ended, on a quiet machine")
    every = store.trials(record.name)
    if trials is None:
        chosen = candidates(record.objectives, every, record.seed)
    else:
        chosen = asked_for(record.objectives, every, trials)
    run = _Confirming(store, record, subject, options or Options(), chosen, watch)
    try:
        return run(every)
    finally:
        opened.cache_clear()  # they would hold the data of this process for ever
        opened_folds.cache_clear()
        close_converter()


class _Confirming:
    """One confirmation on its way."""

    def __init__(
        self,
        store: Store,
        record: StudyRecord,
        subject: Subject,
        options: Options,
        chosen: Sequence[Candidate],
        watch: Watch,
    ) -> None:
        self._store, self._record, self._subject, self._options = store, record, subject, options
        self._chosen, self._watch = chosen, watch
        self._test = opened(subject.source).test
        self._earlier = store.confirmations(record.name)
        self._looks = confirmed.looks(self._earlier)
        self._score = self._test is not None and (options.score_again or self._looks == 0)
        if self._test is not None and subject.classes:
            check_labels(self._test.y)
        self._too_small = "" if self._test is None else no_interval(self._test.y, subject.classes)
        self._fitted = Fitted()
        self._repeats: dict[int, dict[str, list[float]]] = {}
        self._not_repeated: dict[int, Exception] = {}
        self._clock: QuietClock | None = None

    def __call__(self, every: Sequence[Trial]) -> Report:
        """All of it, in its order."""
        with tempfile.TemporaryDirectory(prefix="moopt-") as folder:
            self._fit(every, Path(folder))
            try:
                self._time()
            finally:
                self._keep()
        failed = self._failed()
        if not self._fitted.files:
            number, error = next(iter(failed.items()))
            raise ConfirmError(f"none of {len(failed)} trials could be confirmed; trial {number}: {error}")
        look = self._looks + self._score
        said = notes.about(
            look=look,
            scored=self._score,
            unscored=sorted({one.trial.number for one in self._chosen} - set(self._known_scores()) - set(failed)),
            no_test=self._test is None,
            too_small=self._too_small,
            in_memory=self._store.artefact_folder is None,
            visits=self._clock.visits if self._clock else {},
            failed=failed,
            not_repeated=self._not_repeated,
        )
        return Report(tuple(self._chosen), look, tuple(said))

    def _fit(self, every: Sequence[Trial], folder: Path) -> None:
        """Models and repeats, as many at once as there are processes."""
        subject, options, record = self._subject, self._options, self._record
        refit = Refit(
            subject.source,
            subject.build,
            subject.measures,
            record.seed,
            options.confidence,
            with_interval=not self._too_small,
            ships=subject.ships,
        )
        trials = [one.trial for one in self._chosen]
        with executor_of(None, options.n_jobs, None, None) as (executor, _):
            self._fitted = fit_models(
                self._store, record.name, trials, refit, executor, folder, score=self._score, watch=self._watch
            )
            done = confirmed.repeats(self._earlier)
            planned = self._planned(every, {number: _n_repeats(values) for number, values in done.items()})
            if planned and subject.evaluator is not None:
                self._watch(f"cross-validating again with other splits: {len(planned)} repeats")
                new, self._not_repeated = repeats.run(planned, subject.evaluator, executor, record.objectives)
                self._repeats = {number: _joined(done.get(number, {}), values) for number, values in new.items()}

    def _planned(self, every: Sequence[Trial], done: Mapping[int, int]) -> list[repeats.Repeat]:
        n_spent = sum(len(trial.steps) for trial in every if trial.source not in (Source.SIBLING, Source.REUSED))
        fitted = [one.trial for one in self._chosen if one.trial.number in self._fitted.files]
        return repeats.plan(fitted, done, n_spent, self._options.repeats, self._record.n_steps)

    def _time(self) -> None:
        """Nothing else of moopt runs meanwhile."""
        rows = self._test or opened(self._subject.source).search
        rng = np.random.default_rng((self._record.seed, len(self._earlier)))
        batches = sorted(set(self._subject.latencies.values()))
        self._clock = QuietClock(self._fitted.files, rows.X, batches)
        for number in range(self._options.rounds):
            self._watch(f"timing {len(self._fitted.files)} models, round {number + 1} of {self._options.rounds}")
            self._clock.run_round(number, rng)

    def _keep(self) -> None:
        """What was found, also where it was broken off."""
        machine, now, failed = fingerprint(), time.time(), self._failed()
        for candidate in self._chosen:
            number = candidate.trial.number
            measures = self._measures(number) | ({"failure": failed[number]} if number in failed else {})
            self._store.add_confirmation(self._record.name, Confirmation(number, machine, measures, now))

    def _measures(self, number: int) -> dict[str, Json]:
        visits = self._clock.visits.get(number, {}) if self._clock else {}
        found: dict[str, Json] = {
            **measured(list(visits.values()), self._subject.latencies),
            "size_kb": self._fitted.size_kb.get(number),
            "backend": self._fitted.backend.get(number, SKLEARN),
        }
        if number in self._fitted.scored:
            found |= {**self._fitted.scored[number], "look": self._looks + 1}
        if number in self._repeats:
            found["repeats"] = self._repeats[number]
        return found

    def _failed(self) -> dict[int, str]:
        """Trial -> why it could not be confirmed."""
        failed = self._fitted.failed | (self._clock.failed if self._clock else {})
        return {number: f"{type(error).__name__}: {error}" for number, error in failed.items()}

    def _known_scores(self) -> list[int]:
        return [*confirmed.scored(self._earlier), *self._fitted.scored]


def _n_repeats(values: Mapping[str, Sequence[float]]) -> int:
    return max(map(len, values.values()), default=0)


def _joined(done: Mapping[str, Sequence[float]], new: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    return {name: [*done.get(name, ()), *values] for name, values in new.items()}
