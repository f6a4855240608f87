"""The Store protocol: where studies live, and who may write what.

One coordinator writes a study's trials, through a Writer that holds the study's lease; a second one
is refused. Workers never touch the store. Anyone may read at any time, and may record a decision, a note or a
confirmation in one short transaction.

Order of a step: ``Writer.start`` is committed before the trial's first step is submitted; each
``Writer.step`` is committed before the searcher is told; ``Writer.finish`` commits the last step
together with the trial's result and its ``told`` event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from moopt.columns import Trials
    from moopt.objectives import Objective
    from moopt.trial import Artefact, Confirmation, Decision, Event, Json, StepResult, Trial

PIPELINE = "pipeline"
"""The ``kind`` of a spec whose configs are pipelines of the model families."""


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """What a study is, apart from its trials. Two runs with equal records continue each other."""

    name: str
    space: Mapping[str, Json]
    """As ``Space.as_json`` gives it."""
    objectives: tuple[Objective, ...]
    search: Mapping[str, Json]
    """``algorithm`` and its options."""
    seed: int
    n_steps: int = 1
    """Steps a trial."""
    spec: Mapping[str, Json] = field(default_factory=dict)
    """How a trial is evaluated: data (file, SHA-256, target...), models, cross-validation. Empty for a function."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Versions of Python and the libraries at creation; they may differ when the study goes on."""
    created_at: float = 0.0
    """Unix seconds."""
    attributes: Mapping[str, Json] = field(default_factory=dict)
    """The user's own, and what a search notes: ``stopped``, ``other_versions``."""


class Writer(Protocol):
    """The one coordinator's door: holds the study's lease from its making to ``close``.

    Every call is one commit and renews the lease. Raises StudyBusy, and writes nothing, where another process
    took it, and in a forked copy of its own process.
    """

    def queue(self, trial: Trial) -> None:
        """Keep a trial that will run later (state queued); no event."""
        ...

    def start(self, trial: Trial) -> None:
        """The trial (state running; new, or queued before) and its ``started`` event.

        Attributes and notes that the user gave to a queued trial stay.
        """
        ...

    def step(self, number: int, step: int, result: StepResult) -> None:
        """One finished step of a running trial."""
        ...

    def finish(
        self, trial: Trial, steps: Mapping[int, StepResult] | None = None, siblings: Sequence[Trial] = ()
    ) -> None:
        """A finished trial with its ``told`` event and the steps not yet stored (the last one).

        Each sibling that its fit gave is a whole finished trial with its steps, a ``started`` and a ``told`` event;
        the steps of the trial that paid no longer hold their results.
        """
        ...

    def resume(self, trial: Trial) -> None:
        """A stopped trial that runs again; no event, since the searcher knows it."""
        ...

    def heartbeat(self) -> None:
        """Renew the lease; call it at least every few seconds while nothing else is written."""
        ...

    def close(self) -> None:
        """Give the lease back; doing so twice does nothing."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Store(Protocol):
    """Studies with their trials, events, decisions and artefacts."""

    location: str
    """What the user gave to open it, for messages: a path, or ``in memory``."""
    artefact_folder: Path | None
    """The folder of artefacts beside it (made when first needed); None in memory."""

    # Studies. Every method that takes a name raises StudyNotFound, with the names there are.
    def studies(self) -> list[StudyRecord]:
        """All studies, by time of creation."""
        ...

    def study(self, name: str | None = None) -> StudyRecord:
        """One study; without a name the only one there is, else StudyNotFound names them all."""
        ...

    def create_study(
        self,
        record: StudyRecord,
        trials: Sequence[Trial] = (),
        events: Sequence[Event] = (),
        decisions: Sequence[Decision] = (),
        confirmations: Sequence[Confirmation] = (),
    ) -> None:
        """Keep a new study, in one commit with all that it holds where it comes from elsewhere; raises StudyExists."""
        ...

    def rename_study(self, name: str, new_name: str) -> None:
        """Raises StudyExists where the new name is taken, StudyBusy while it is being written."""
        ...

    def delete_study(self, name: str) -> None:
        """With all that belongs to it, its artefact files too. Raises StudyBusy while it is being written."""
        ...

    def write(self, name: str) -> Writer:
        """Take the study's lease; raises StudyBusy where a living process holds it."""
        ...

    def is_running(self, name: str) -> bool:
        """Whether a living coordinator holds the lease."""
        ...

    # Reading
    def revision(self, name: str) -> int:
        """Grows with every write to the study; cheap to poll."""
        ...

    def trials(self, name: str, *, with_steps: bool = True) -> list[Trial]:
        """All trials by number; without ``with_steps`` their ``steps`` are left empty (much faster)."""
        ...

    def columns(self, name: str, known: Trials | None = None) -> Trials:
        """All trials by number, as columns and without their steps: the way to read a hundred thousand of them.

        ``known`` is what an earlier call gave of this study: then only trials that have begun or may have gone on
        since are read. An attribute that somebody gave a finished trial meanwhile is not among that.
        """
        ...

    def steps_done(self, name: str) -> dict[int, int]:
        """Trial number -> how many of its steps are stored, for those that have any."""
        ...

    def trial(self, name: str, number: int) -> Trial:
        """One trial, whole; raises UsageError with the numbers there are."""
        ...

    def some_trials(self, name: str, numbers: Sequence[int]) -> list[Trial]:
        """Those of these trials that there are, whole, by number: the way to read more than a few."""
        ...

    def events(self, name: str) -> list[Event]:
        """The study's history, in order."""
        ...

    def decisions(self, name: str) -> list[Decision]:
        """Oldest first."""
        ...

    def confirmations(self, name: str) -> list[Confirmation]:
        """Oldest first."""
        ...

    def artefacts(self, name: str) -> list[Artefact]:
        """Oldest first; whether a file is still there and right is for :mod:`moopt.store.artefacts` to say."""
        ...

    # What any reader may write
    def add_decision(self, name: str, decision: Decision) -> None:
        """Raises UsageError where there is no such trial."""
        ...

    def add_confirmation(self, name: str, confirmation: Confirmation) -> None:
        """Raises UsageError where there is no such trial."""
        ...

    def add_artefact(self, name: str, artefact: Artefact) -> None:
        """Record a file that lies in the folder of artefacts; raises UsageError where there is no such trial."""
        ...

    def add_note(self, name: str, number: int, text: str) -> None:
        """A note on a trial."""
        ...

    def set_attribute(self, name: str, key: str, value: Json, number: int | None = None) -> None:
        """An attribute of a trial, or of the study where ``number`` is None.

        Raises UsageError for a value that JSON cannot say.
        """
        ...

    def close(self) -> None:
        """Close every connection; doing so twice does nothing."""
        ...
