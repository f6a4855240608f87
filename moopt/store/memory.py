"""A store for a study without a file: it lives as long as its process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from moopt.columns import Trials
from moopt.errors import StudyBusy, StudyExists, StudyNotFound, UsageError
from moopt.store.base import StudyRecord, Writer
from moopt.store.rows import from_text, to_text
from moopt.trial import Artefact, Confirmation, Decision, Event, EventKind, Json, StepResult, Trial


@dataclass(slots=True)
class _Kept:
    """What is kept of one study."""

    record: StudyRecord
    trials: list[Trial] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    confirmations: list[Confirmation] = field(default_factory=list)
    artefacts: list[Artefact] = field(default_factory=list)
    revision: int = 0
    writer: MemoryWriter | None = None


class MemoryStore:
    """Studies in this process's memory."""

    def __init__(self) -> None:
        self.location = "in memory"
        self.artefact_folder: Path | None = None
        self._studies: dict[str, _Kept] = {}

    def studies(self) -> list[StudyRecord]:
        """All studies, by time of creation."""
        return sorted((kept.record for kept in self._studies.values()), key=lambda record: record.created_at)

    def study(self, name: str | None = None) -> StudyRecord:
        """One study; without a name the only one there is."""
        return self._kept(name).record

    def create_study(
        self,
        record: StudyRecord,
        trials: Sequence[Trial] = (),
        events: Sequence[Event] = (),
        decisions: Sequence[Decision] = (),
        confirmations: Sequence[Confirmation] = (),
    ) -> None:
        """Keep a new study with all that it holds; raises StudyExists."""
        self._refuse_taken(record.name)
        self._studies[record.name] = _Kept(record, list(trials), list(events), list(decisions), list(confirmations))

    def rename_study(self, name: str, new_name: str) -> None:
        """Raises StudyExists where the new name is taken, StudyBusy while it is being written."""
        kept = self._not_busy(name)
        if not new_name.strip():
            raise UsageError(f"the new name of study {name!r} is empty; give a text")
        self._refuse_taken(new_name)
        kept.record = replace(kept.record, name=new_name)
        kept.revision += 1
        self._studies = {one.record.name: one for one in self._studies.values()}

    def delete_study(self, name: str) -> None:
        """With all that belongs to it. Raises StudyBusy while it is being written."""
        self._not_busy(name)
        del self._studies[name]

    def write(self, name: str) -> Writer:
        """Take the study's lease; raises StudyBusy where it is held."""
        kept = self._not_busy(name)
        kept.writer = MemoryWriter(kept)
        return kept.writer

    def is_running(self, name: str) -> bool:
        """Whether a coordinator holds the lease."""
        return self._kept(name).writer is not None

    def revision(self, name: str) -> int:
        """Grows with every write to the study."""
        return self._kept(name).revision

    def trials(self, name: str, *, with_steps: bool = True) -> list[Trial]:
        """All trials by number."""
        trials = self._kept(name).trials
        return list(trials) if with_steps else [replace(trial, steps={}) for trial in trials]

    def columns(self, name: str, known: Trials | None = None) -> Trials:  # noqa: ARG002 - all are at hand
        """All trials by number, as columns and without their steps."""
        return Trials.of(self.trials(name, with_steps=False))

    def steps_done(self, name: str) -> dict[int, int]:
        """Trial number -> how many of its steps are stored, for those that have any."""
        return {trial.number: len(trial.steps) for trial in self._kept(name).trials if trial.steps}

    def trial(self, name: str, number: int) -> Trial:
        """One trial; raises UsageError with the numbers there are."""
        trials = self._kept(name).trials
        if not 0 <= number < len(trials):
            known = f"it has 0 to {len(trials) - 1}" if trials else "it has none yet"
            raise UsageError(f"study {name!r} has no trial {number}; {known}")
        return trials[number]

    def some_trials(self, name: str, numbers: Sequence[int]) -> list[Trial]:
        """Those of these trials that there are, by number."""
        wanted = set(numbers)
        return [trial for trial in self._kept(name).trials if trial.number in wanted]

    def events(self, name: str) -> list[Event]:
        """The study's history, in order."""
        return list(self._kept(name).events)

    def decisions(self, name: str) -> list[Decision]:
        """Oldest first."""
        return list(self._kept(name).decisions)

    def confirmations(self, name: str) -> list[Confirmation]:
        """Oldest first."""
        return list(self._kept(name).confirmations)

    def artefacts(self, name: str) -> list[Artefact]:
        """Oldest first."""
        return list(self._kept(name).artefacts)

    def add_decision(self, name: str, decision: Decision) -> None:
        """Raises UsageError where there is no such trial."""
        kept = self._with_trial(name, decision.number)
        kept.decisions.append(decision)
        kept.revision += 1

    def add_confirmation(self, name: str, confirmation: Confirmation) -> None:
        """Raises UsageError where there is no such trial."""
        kept = self._with_trial(name, confirmation.number)
        plain = from_text(to_text({"machine": confirmation.machine, "measures": confirmation.measures}))
        kept.confirmations.append(replace(confirmation, **plain))
        kept.revision += 1

    def add_artefact(self, name: str, artefact: Artefact) -> None:
        """Raises UsageError where there is no such trial."""
        kept = self._with_trial(name, artefact.number)
        kept.artefacts.append(artefact)
        kept.revision += 1

    def add_note(self, name: str, number: int, text: str) -> None:
        """A note on a trial."""
        trial = self.trial(name, number)
        self._replace(name, replace(trial, notes=(*trial.notes, text)))

    def set_attribute(self, name: str, key: str, value: Json, number: int | None = None) -> None:
        """An attribute of a trial, or of the study where ``number`` is None."""
        kept, value = self._kept(name), from_text(to_text(value))
        if number is None:
            kept.record = replace(kept.record, attributes={**kept.record.attributes, key: value})
            kept.revision += 1
        else:
            trial = self.trial(name, number)
            self._replace(name, replace(trial, attributes={**trial.attributes, key: value}))

    def close(self) -> None:
        """Nothing to close."""

    def _replace(self, name: str, trial: Trial) -> None:
        kept = self._kept(name)
        kept.trials[trial.number] = trial
        kept.revision += 1

    def _kept(self, name: str | None) -> _Kept:
        if name is None and len(self._studies) == 1:
            return next(iter(self._studies.values()))
        if name in self._studies:
            return self._studies[name]
        listed = ", ".join(map(repr, self._studies))
        if not listed:
            raise StudyNotFound("the store in memory holds no study; make one with create_study")
        if name is None:
            raise StudyNotFound(f"the store in memory holds several studies: {listed}; name one")
        raise StudyNotFound(f"the store in memory holds no study {name!r}; it holds {listed}")

    def _with_trial(self, name: str, number: int) -> _Kept:
        self.trial(name, number)
        return self._kept(name)

    def _refuse_taken(self, name: str) -> None:
        if name in self._studies:
            raise StudyExists(
                f"the store in memory holds a study {name!r} already; go on with it (resume=True), or give another name"
            )

    def _not_busy(self, name: str) -> _Kept:
        kept = self._kept(name)
        if kept.writer is not None:
            raise StudyBusy(f"study {name!r} is being written by this process; close that study first")
        return kept


class MemoryWriter:
    """Holds the lease of one study in memory."""

    def __init__(self, kept: _Kept) -> None:
        self._kept = kept

    def queue(self, trial: Trial) -> None:
        """Keep a trial that will run later."""
        self._put(trial)

    def start(self, trial: Trial) -> None:
        """The trial and its ``started`` event."""
        if trial.number < len(self._kept.trials):
            queued = self._kept.trials[trial.number]
            trial = replace(trial, attributes=queued.attributes, notes=queued.notes)
        self._put(trial)
        self._kept.events.append(Event(EventKind.STARTED, trial.number))

    def step(self, number: int, step: int, result: StepResult) -> None:
        """One finished step of a running trial."""
        trial = self._kept.trials[number]
        self._put(replace(trial, steps={**trial.steps, step: result}))

    def finish(
        self, trial: Trial, steps: Mapping[int, StepResult] | None = None, siblings: Sequence[Trial] = ()
    ) -> None:
        """A finished trial with its ``told`` event, and the steps not yet stored."""
        stored = self._kept.trials[trial.number]
        done = {**stored.steps, **(steps or {})}
        # The user may have written notes and attributes while the trial ran: they stay.
        self._put(
            replace(
                trial,
                steps={step: replace(one, siblings=()) for step, one in done.items()} if siblings else done,
                attributes={**stored.attributes, **trial.attributes},
                notes=stored.notes,
            )
        )
        self._kept.events.append(Event(EventKind.TOLD, trial.number))
        for sibling in siblings:
            self._put(sibling)
            self._kept.events += [Event(EventKind.STARTED, sibling.number), Event(EventKind.TOLD, sibling.number)]

    def resume(self, trial: Trial) -> None:
        """A stopped trial that runs again."""
        stored = self._kept.trials[trial.number]
        self._put(replace(trial, steps=stored.steps, attributes=stored.attributes, notes=stored.notes))

    def heartbeat(self) -> None:
        """Nothing to renew."""
        self._check()

    def close(self) -> None:
        """Give the lease back."""
        if self._kept.writer is self:
            self._kept.writer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _put(self, trial: Trial) -> None:
        self._check()
        trials = self._kept.trials
        if trial.number == len(trials):
            trials.append(trial)
        else:
            trials[trial.number] = trial
        self._kept.revision += 1

    def _check(self) -> None:
        if self._kept.writer is not self:
            raise StudyBusy(f"the lease of study {self._kept.record.name!r} was given back; take it again to write")
