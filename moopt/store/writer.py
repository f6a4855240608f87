"""The coordinator's door to a study in a SQL database: each call is one commit and renews the lease."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, bindparam, insert, select, update

from moopt.errors import StudyBusy
from moopt.store import rows, schema
from moopt.store.engine import in_words
from moopt.trial import EventKind, State, StepResult, Trial

_STUDIES, _TRIALS = schema.studies, schema.trials
_RENEW = (
    update(_STUDIES)
    .where(_STUDIES.c.id == bindparam("study"), _STUDIES.c.lease_token == bindparam("token"))
    .values(lease_beat_at=bindparam("now"), revision=_STUDIES.c.revision + 1)
)
_BEAT = _RENEW.values(revision=_STUDIES.c.revision)
_FREE = (
    update(_STUDIES)
    .where(_STUDIES.c.id == bindparam("study"), _STUDIES.c.lease_token == bindparam("token"))
    .values(lease_token=None, revision=_STUDIES.c.revision + 1)
)
_OF_TRIAL = (_TRIALS.c.study_id == bindparam("study"), _TRIALS.c.number == bindparam("trial"))
_RESULT = ("state", "objectives", "failure", "message", "fit", "finished_at")
_END = update(_TRIALS).where(*_OF_TRIAL).values({name: bindparam(f"new_{name}") for name in _RESULT})
_END_WITH_ATTRIBUTES = _END.values(attributes=bindparam("new_attributes"))
_QUEUED = select(_TRIALS.c.number).where(
    _TRIALS.c.study_id == bindparam("study"), _TRIALS.c.state == State.QUEUED.value
)
_RUN = update(_TRIALS).where(*_OF_TRIAL).values(state=bindparam("new_state"))
_ATTRIBUTES = select(_TRIALS.c.attributes).where(*_OF_TRIAL)
_ADD_TRIAL, _ADD_STEP, _ADD_EVENT = insert(_TRIALS), insert(schema.steps), insert(schema.events)


class SqlWriter:
    """Holds the lease of one study until ``close``."""

    def __init__(self, engine: Engine, path: Path, name: str, study: int, token: str) -> None:
        self._engine, self._path, self._name = engine, path, name
        self._study, self._token = study, token
        self._closed = False
        with in_words(path), engine.connect() as connection:
            self._queued = set(connection.execute(_QUEUED, {"study": study}).scalars())

    def queue(self, trial: Trial) -> None:
        """Keep a trial that will run later."""
        with self._commit() as connection:
            self._add(connection, trial)
        self._queued.add(trial.number)

    def start(self, trial: Trial) -> None:
        """The trial and its ``started`` event."""
        with self._commit() as connection:
            if trial.number in self._queued:
                connection.execute(_RUN, {**self._place(trial), "new_state": trial.state.value})
            else:
                self._add(connection, trial)
            self._event(connection, EventKind.STARTED, trial.number)

    def step(self, number: int, step: int, result: StepResult) -> None:
        """One finished step of a running trial."""
        with self._commit() as connection:
            self._steps(connection, number, {step: result})

    def finish(
        self, trial: Trial, steps: Mapping[int, StepResult] | None = None, siblings: Sequence[Trial] = ()
    ) -> None:
        """A finished trial with its ``told`` event, and the steps not yet stored."""
        with self._commit() as connection:
            self._steps(connection, trial.number, steps or {})
            result = rows.result_row(trial)
            if trial.attributes:
                # The user may have written others while the trial ran: they stay.
                stored = connection.execute(_ATTRIBUTES, self._place(trial)).scalar_one()
                kept = rows.from_text(stored) if stored else {}
                result = {**result, "attributes": rows.to_text({**kept, **trial.attributes})}
            statement = _END_WITH_ATTRIBUTES if trial.attributes else _END
            new = {f"new_{name}": value for name, value in result.items()}
            connection.execute(statement, {**self._place(trial), **new})
            self._event(connection, EventKind.TOLD, trial.number)
            for sibling in siblings:
                self._add(connection, sibling)
                self._steps(connection, sibling.number, sibling.steps)
                self._event(connection, EventKind.STARTED, sibling.number)
                self._event(connection, EventKind.TOLD, sibling.number)

    def heartbeat(self) -> None:
        """Renew the lease."""
        with self._commit(_BEAT):
            pass

    def close(self) -> None:
        """Give the lease back; doing so twice does nothing."""
        if self._closed:
            return
        self._closed = True
        with in_words(self._path), self._engine.begin() as connection:
            connection.execute(_FREE, {"study": self._study, "token": self._token})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _commit(self, renewal: Any = _RENEW) -> Iterator[Connection]:
        """One transaction; raises StudyBusy, and writes nothing, where the lease was taken by another."""
        if self._closed:
            raise StudyBusy(f"the lease of study {self._name!r} was given back; take it again to write")
        with in_words(self._path), self._engine.begin() as connection:
            renewed = connection.execute(renewal, {"study": self._study, "token": self._token, "now": time.time()})
            if renewed.rowcount != 1:
                raise StudyBusy(
                    f"study {self._name!r} was taken over by another process, or deleted; nothing was written"
                )
            yield connection

    def _place(self, trial: Trial) -> dict[str, int]:
        return {"study": self._study, "trial": trial.number}

    def _add(self, connection: Connection, trial: Trial) -> None:
        connection.execute(_ADD_TRIAL, {"study_id": self._study, **rows.trial_row(trial)})

    def _steps(self, connection: Connection, number: int, steps: Mapping[int, StepResult]) -> None:
        for step, result in steps.items():
            connection.execute(_ADD_STEP, {"study_id": self._study, **rows.step_row(number, step, result)})

    def _event(self, connection: Connection, kind: EventKind, number: int) -> None:
        connection.execute(_ADD_EVENT, {"study_id": self._study, "kind": kind.value, "number": number})
