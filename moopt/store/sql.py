"""The store in a SQL database: one SQLite file."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from moopt.errors import StoreError, StudyExists, StudyNotFound, UsageError
from moopt.store import lease, rows, schema
from moopt.store.base import StudyRecord, Writer
from moopt.store.engine import check_file, in_words, prepare, sqlite_engine
from moopt.store.writer import SqlWriter
from moopt.trial import Decision, Event, EventKind, Json, StepResult, Trial

_STUDIES, _TRIALS, _STEPS = schema.studies, schema.trials, schema.steps


class SqlStore:
    """Studies in one SQLite file, with a folder of artefacts beside it."""

    def __init__(self, path: Path, *, read_only: bool = False, create: bool = True) -> None:
        create = create and not read_only
        check_file(path, create=create)
        self._path = path
        self._read_only = read_only
        self._engines: dict[tuple[int, bool], Engine] = {}
        self.location = str(path)
        self.artefacts: Path | None = path.with_name(f"{path.stem}.artefacts")
        prepare(self._engine(read_only=read_only), path, create=create)

    def __reduce__(self) -> tuple[Any, ...]:
        # Connections do not travel: a copy in another process opens its own.
        return _reopened, (self._path, self._read_only)

    # Studies

    def studies(self) -> list[StudyRecord]:
        """All studies, by time of creation."""
        with self._reading() as connection:
            found = connection.execute(select(_STUDIES).order_by(_STUDIES.c.created_at, _STUDIES.c.id))
            return [rows.study_of(row) for row in found]

    def study(self, name: str | None = None) -> StudyRecord:
        """One study; without a name the only one there is."""
        with self._reading() as connection:
            return rows.study_of(self._row(connection, name))

    def create_study(self, record: StudyRecord) -> None:
        """Keep a new study; raises StudyExists."""
        with self._writing() as connection:
            self._refuse_taken(connection, record.name)
            connection.execute(insert(_STUDIES), rows.study_row(record))

    def rename_study(self, name: str, new_name: str) -> None:
        """Raises StudyExists where the new name is taken, StudyBusy while it is being written."""
        with self._writing() as connection:
            row = self._row(connection, name)
            lease.refuse_held(row)
            if not new_name.strip():
                raise UsageError(f"the new name of study {name!r} is empty; give a text")
            self._refuse_taken(connection, new_name)
            connection.execute(update(_STUDIES).where(_STUDIES.c.id == row.id).values(name=new_name))
            _touch(connection, row.id)

    def delete_study(self, name: str) -> None:
        """With all that belongs to it. Raises StudyBusy while it is being written."""
        with self._writing() as connection:
            row = self._row(connection, name)
            lease.refuse_held(row)
            for table in schema.OF_A_STUDY:
                connection.execute(delete(table).where(table.c.study_id == row.id))
            connection.execute(delete(_STUDIES).where(_STUDIES.c.id == row.id))

    def write(self, name: str) -> Writer:
        """Take the study's lease; raises StudyBusy where a living process holds it."""
        with self._writing() as connection:
            row = self._row(connection, name)
            lease.refuse_held(row)
            token = lease.take(connection, row.id)
        return SqlWriter(self._engine(read_only=False), self._path, name, row.id, token)

    def is_running(self, name: str) -> bool:
        """Whether a living coordinator holds the lease."""
        with self._reading() as connection:
            return lease.is_held(self._row(connection, name))

    # Reading

    def revision(self, name: str) -> int:
        """Grows with every write to the study."""
        with self._reading() as connection:
            return int(self._row(connection, name, _STUDIES.c.revision).revision)

    def trials(self, name: str, *, with_steps: bool = True) -> list[Trial]:
        """All trials by number."""
        with self._reading() as connection:
            study = self._row(connection, name, _STUDIES.c.id).id
            return self._trials(connection, study, with_steps=with_steps)

    def trial(self, name: str, number: int) -> Trial:
        """One trial, whole."""
        with self._reading() as connection:
            study = self._row(connection, name, _STUDIES.c.id).id
            found = self._trials(connection, study, number=number)
            if not found:
                raise UsageError(_no_trial(connection, study, name, number))
            return found[0]

    def events(self, name: str) -> list[Event]:
        """The study's history, in order."""
        with self._reading() as connection:
            events = schema.events
            query = select(events.c.kind, events.c.number).where(
                events.c.study_id == self._row(connection, name, _STUDIES.c.id).id
            )
            return [Event(EventKind(kind), number) for kind, number in connection.execute(query.order_by(events.c.id))]

    def decisions(self, name: str) -> list[Decision]:
        """Oldest first."""
        with self._reading() as connection:
            table = schema.decisions
            query = select(table).where(table.c.study_id == self._row(connection, name, _STUDIES.c.id).id)
            return [rows.decision_of(row) for row in connection.execute(query.order_by(table.c.id))]

    # What any reader may write

    def add_decision(self, name: str, decision: Decision) -> None:
        """Raises UsageError where there is no such trial."""
        decision_row = {**rows.decision_row(decision), "decided_at": decision.decided_at or time.time()}
        with self._writing() as connection:
            study = self._with_trial(connection, name, decision.number)
            connection.execute(insert(schema.decisions), {**decision_row, "study_id": study})
            _touch(connection, study)

    def add_note(self, name: str, number: int, text: str) -> None:
        """A note on a trial."""
        with self._writing() as connection:
            study = self._with_trial(connection, name, number)
            note = {"study_id": study, "number": number, "text": text, "written_at": time.time()}
            connection.execute(insert(schema.notes), note)
            _touch(connection, study)

    def set_attribute(self, name: str, key: str, value: Json, number: int | None = None) -> None:
        """An attribute of a trial, or of the study where ``number`` is None."""
        with self._writing() as connection:
            if number is None:
                study = self._row(connection, name).id
                table, place = _STUDIES, _STUDIES.c.id == study
            else:
                study = self._with_trial(connection, name, number)
                table, place = _TRIALS, (_TRIALS.c.study_id == study) & (_TRIALS.c.number == number)
            text = connection.execute(select(table.c.attributes).where(place)).scalar_one()
            attributes = {**(rows.from_text(text) if text else {}), key: value}
            connection.execute(update(table).where(place).values(attributes=rows.to_text(attributes)))
            _touch(connection, study)

    def close(self) -> None:
        """Close every connection."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()

    # Connections

    def _engine(self, *, read_only: bool) -> Engine:
        # Keyed by process: a forked child must not use its parent's connections.
        key = os.getpid(), read_only
        if key not in self._engines:
            self._engines[key] = sqlite_engine(self._path, read_only=read_only)
        return self._engines[key]

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        if not self._path.exists():
            raise StoreError(f"the store {self._path} is gone; was it moved or deleted?")
        with in_words(self._path), self._engine(read_only=True).connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        if not self._path.exists():
            raise StoreError(f"the store {self._path} is gone; was it moved or deleted?")
        with in_words(self._path), self._engine(read_only=False).begin() as connection:
            yield connection

    # Rows

    def _row(self, connection: Connection, name: str | None, *columns: Any) -> Row[Any]:
        query = select(*(columns or (_STUDIES,)))
        found = connection.execute(query if name is None else query.where(_STUDIES.c.name == name)).all()
        if len(found) == 1:
            return found[0]
        names = connection.execute(select(_STUDIES.c.name).order_by(_STUDIES.c.id)).scalars().all()
        if not names:
            raise StudyNotFound(f"the store {self.location} holds no study; make one with 'moopt run'")
        listed = ", ".join(map(repr, names))
        if name is None:
            raise StudyNotFound(f"the store {self.location} holds several studies: {listed}; name one")
        raise StudyNotFound(f"the store {self.location} holds no study {name!r}; it holds {listed}")

    def _refuse_taken(self, connection: Connection, name: str) -> None:
        if connection.execute(select(_STUDIES.c.id).where(_STUDIES.c.name == name)).first():
            raise StudyExists(
                f"the store {self.location} holds a study {name!r} already; "
                "go on with it (resume=True), or give another name"
            )

    def _with_trial(self, connection: Connection, name: str, number: int) -> int:
        study = int(self._row(connection, name, _STUDIES.c.id).id)
        found = select(_TRIALS.c.number).where(_TRIALS.c.study_id == study, _TRIALS.c.number == number)
        if connection.execute(found).first() is None:
            raise UsageError(_no_trial(connection, study, name, number))
        return study

    def _trials(
        self, connection: Connection, study: int, *, with_steps: bool = True, number: int | None = None
    ) -> list[Trial]:
        def of_study(table: Any) -> Any:
            found = select(table).where(table.c.study_id == study)
            return found if number is None else found.where(table.c.number == number)

        steps: dict[int, dict[int, StepResult]] = defaultdict(dict)
        if with_steps:
            for row in connection.execute(of_study(_STEPS)):
                steps[row.number][row.step] = rows.step_of(row)
        notes: dict[int, tuple[str, ...]] = defaultdict(tuple)
        for row in connection.execute(of_study(schema.notes).order_by(schema.notes.c.id)):
            notes[row.number] += (row.text,)
        found = connection.execute(of_study(_TRIALS).order_by(_TRIALS.c.number))
        return [rows.trial_of(row, steps.get(row.number, {}), notes.get(row.number, ())) for row in found]


def _touch(connection: Connection, study: int) -> None:
    connection.execute(update(_STUDIES).where(_STUDIES.c.id == study).values(revision=_STUDIES.c.revision + 1))


def _no_trial(connection: Connection, study: int, name: str, number: int) -> str:
    numbers: Sequence[int] = (
        connection.execute(select(_TRIALS.c.number).where(_TRIALS.c.study_id == study)).scalars().all()
    )
    known = f"it has 0 to {max(numbers)}" if numbers else "it has none yet"
    return f"study {name!r} has no trial {number}; {known}"


def _reopened(path: Path, read_only: bool) -> SqlStore:
    return SqlStore(path, read_only=read_only, create=False)
