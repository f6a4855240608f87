"""The coordinator's door to a study in a SQL database: each call is one commit and renews the lease."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import (
    Connection,
    CursorResult,
    Dialect,
    Engine,
    bindparam,
    insert,
    literal_column,
    null,
    select,
    update,
)

from moopt.errors import StudyBusy
from moopt.store import rows, schema
from moopt.store.engine import in_words
from moopt.trial import EventKind, State, StepResult, Trial

_STUDIES, _TRIALS = schema.studies, schema.trials
_HELD = (_STUDIES.c.id == bindparam("study"), _STUDIES.c.lease_token == bindparam("token"))
_OF_TRIAL = (_TRIALS.c.study_id == bindparam("study"), _TRIALS.c.number == bindparam("trial"))
_RESULT = ("state", "objectives", "failure", "message", "fit", "finished_at", "attributes")


class _Statements:
    """What a writer says, compiled once: to SQLAlchemy each execution costs more than the work to SQLite."""

    def __init__(self, dialect: Dialect) -> None:
        def said(statement: Any, columns: Collection[str] | None = None) -> Callable[..., CursorResult[Any]]:
            compiled = statement.compile(dialect=dialect, column_keys=columns)
            text, order = str(compiled), compiled.positiontup

            def execute(connection: Connection, values: Mapping[str, Any]) -> CursorResult[Any]:
                given = values if order is None else tuple(values[name] for name in order)
                return connection.exec_driver_sql(text, given)

            return execute

        renewed = update(_STUDIES).where(*_HELD)
        beat: dict[str, Any] = {"lease_beat_at": bindparam("now")}
        grown: dict[str, Any] = {"revision": _STUDIES.c.revision + literal_column("1")}
        ended: dict[str, Any] = {name: bindparam(f"new_{name}") for name in _RESULT}
        self.renew = said(renewed.values(**beat, **grown))
        self.beat = said(renewed.values(**beat))
        self.free = said(renewed.values(lease_token=null(), **grown))
        self.run = said(update(_TRIALS).where(*_OF_TRIAL).values(state=bindparam("new_state")))
        self.end = said(update(_TRIALS).where(*_OF_TRIAL).values(ended))
        self.attributes = said(select(_TRIALS.c.attributes).where(*_OF_TRIAL))
        self.queued = said(
            select(_TRIALS.c.number).where(_OF_TRIAL[0], _TRIALS.c.state == literal_column(f"'{State.QUEUED}'"))
        )
        self.add_trial = said(insert(_TRIALS), _TRIALS.c.keys())
        self.add_step = said(insert(schema.steps), schema.steps.c.keys())
        self.add_event = said(insert(schema.events), ["study_id", "kind", "number"])


class SqlWriter:
    """Holds the lease of one study until ``close``."""

    def __init__(self, engine: Engine, path: Path, name: str, study: int, token: str) -> None:
        self._engine, self._path, self._name = engine, path, name
        self._study, self._token = study, token
        self._closed = False
        self._say = _Statements(engine.dialect)
        with in_words(path), engine.connect() as connection:
            self._queued = set(self._say.queued(connection, {"study": study}).scalars())

    def queue(self, trial: Trial) -> None:
        """Keep a trial that will run later."""
        with self._commit() as connection:
            self._add(connection, trial)
        self._queued.add(trial.number)

    def start(self, trial: Trial) -> None:
        """The trial and its ``started`` event."""
        with self._commit() as connection:
            if trial.number in self._queued:
                self._say.run(connection, {**self._place(trial), "new_state": trial.state.value})
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
            # The user may have written attributes while the trial ran: they stay.
            stored = self._say.attributes(connection, self._place(trial)).scalar_one()
            if stored:
                result["attributes"] = rows.to_text({**rows.from_text(stored), **trial.attributes})
            new = {f"new_{name}": value for name, value in result.items()}
            self._say.end(connection, {**self._place(trial), **new})
            self._event(connection, EventKind.TOLD, trial.number)
            for sibling in siblings:
                self._add(connection, sibling)
                self._steps(connection, sibling.number, sibling.steps)
                self._event(connection, EventKind.STARTED, sibling.number)
                self._event(connection, EventKind.TOLD, sibling.number)

    def heartbeat(self) -> None:
        """Renew the lease."""
        with self._commit(self._say.beat):
            pass

    def close(self) -> None:
        """Give the lease back; doing so twice does nothing."""
        if self._closed:
            return
        self._closed = True
        with in_words(self._path), self._engine.begin() as connection:
            self._say.free(connection, {"study": self._study, "token": self._token})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _commit(self, renew: Callable[..., CursorResult[Any]] | None = None) -> Iterator[Connection]:
        """One transaction; raises StudyBusy, and writes nothing, where the lease was taken by another."""
        if self._closed:
            raise StudyBusy(f"the lease of study {self._name!r} was given back; take it again to write")
        with in_words(self._path), self._engine.begin() as connection:
            held = {"study": self._study, "token": self._token, "now": time.time()}
            if (renew or self._say.renew)(connection, held).rowcount != 1:
                raise StudyBusy(
                    f"study {self._name!r} was taken over by another process, or deleted; nothing was written"
                )
            yield connection

    def _place(self, trial: Trial) -> dict[str, int]:
        return {"study": self._study, "trial": trial.number}

    def _add(self, connection: Connection, trial: Trial) -> None:
        self._say.add_trial(connection, {"study_id": self._study, **rows.trial_row(trial)})

    def _steps(self, connection: Connection, number: int, steps: Mapping[int, StepResult]) -> None:
        for step, result in steps.items():
            self._say.add_step(connection, {"study_id": self._study, **rows.step_row(number, step, result)})

    def _event(self, connection: Connection, kind: EventKind, number: int) -> None:
        self._say.add_event(connection, {"study_id": self._study, "kind": kind.value, "number": number})
