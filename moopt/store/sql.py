"""The store in a SQL database: one SQLite file."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, Table, bindparam, delete, func, insert, select, update

from moopt.columns import Trials
from moopt.errors import StudyExists, StudyNotFound, UsageError
from moopt.store import artefacts, lease, rows, schema
from moopt.store.base import StudyRecord, Writer
from moopt.store.database import Database
from moopt.store.writer import SqlWriter
from moopt.trial import Artefact, Confirmation, Decision, Event, EventKind, Json, State, Trial

_STUDIES, _TRIALS, _STEPS = schema.studies, schema.trials, schema.steps
_FINAL = (State.COMPLETE, State.FAILED)
"""Trials in these states change no more; a stopped one may be resumed."""
_AT_ONCE = 500
"""A statement names at most so many trials."""
_OF_STUDY = select(*(_TRIALS.c[name] for name in rows.TRIAL)).where(_TRIALS.c.study_id == bindparam("of_study"))
_BEGUN_SINCE = _OF_STUDY.where(_TRIALS.c.number > bindparam("last")).order_by(_TRIALS.c.number)


class SqlStore:
    """Studies in one SQLite file, with a folder of artefacts beside it."""

    def __init__(self, path: Path, *, read_only: bool = False, create: bool = True) -> None:
        self._database = Database(path, read_only=read_only, create=create and not read_only)
        self._path, self._read_only = path, read_only
        self.location = str(path)
        self.artefact_folder: Path | None = path.with_name(f"{path.stem}.artefacts")

    def __reduce__(self) -> tuple[Any, ...]:
        # Connections do not travel: a copy in another process opens its own.
        return _reopened, (self._path, self._read_only)

    # Studies

    def studies(self) -> list[StudyRecord]:
        """All studies, by time of creation."""
        with self._database.reading() as connection:
            found = connection.execute(select(_STUDIES).order_by(_STUDIES.c.created_at, _STUDIES.c.id))
            return [rows.study_of(row) for row in found]

    def study(self, name: str | None = None) -> StudyRecord:
        """One study; without a name the only one there is."""
        with self._database.reading() as connection:
            return rows.study_of(self._row(connection, name))

    def create_study(
        self,
        record: StudyRecord,
        trials: Sequence[Trial] = (),
        events: Sequence[Event] = (),
        decisions: Sequence[Decision] = (),
        confirmations: Sequence[Confirmation] = (),
    ) -> None:
        """Keep a new study with all that it holds, in one commit; raises StudyExists."""
        with self._database.writing() as connection:
            self._refuse_taken(connection, record.name)
            made = connection.execute(insert(_STUDIES), rows.study_row(record)).inserted_primary_key
            study = int(made[0]) if made else 0
            for table, found in _content(trials, events, decisions, confirmations):
                if found:
                    connection.execute(insert(table), [{"study_id": study, **row} for row in found])

    def rename_study(self, name: str, new_name: str) -> None:
        """Raises StudyExists where the new name is taken, StudyBusy while it is being written."""
        with self._database.writing() as connection:
            row = self._row(connection, name, _STUDIES.c.id, *lease.COLUMNS)
            lease.refuse_held(row)
            if not new_name.strip():
                raise UsageError(f"the new name of study {name!r} is empty; give a text")
            self._refuse_taken(connection, new_name)
            connection.execute(update(_STUDIES).where(_STUDIES.c.id == row.id).values(name=new_name))
            _touch(connection, row.id)

    def delete_study(self, name: str) -> None:
        """With all that belongs to it, its artefact files too. Raises StudyBusy while it is being written."""
        with self._database.writing() as connection:
            row = self._row(connection, name, _STUDIES.c.id, *lease.COLUMNS)
            lease.refuse_held(row)
            files = _own_files(connection, row.id)
            for table in schema.OF_A_STUDY:
                connection.execute(delete(table).where(table.c.study_id == row.id))
            connection.execute(delete(_STUDIES).where(_STUDIES.c.id == row.id))
        artefacts.remove(self, files)

    def write(self, name: str) -> Writer:
        """Take the study's lease; raises StudyBusy where a living process holds it."""
        with self._database.writing() as connection:
            row = self._row(connection, name, _STUDIES.c.id, *lease.COLUMNS)
            lease.refuse_held(row)
            token = lease.take(connection, row.id)
        return SqlWriter(self._database, name, row.id, token)

    def is_running(self, name: str) -> bool:
        """Whether a living coordinator holds the lease."""
        with self._database.reading() as connection:
            return lease.is_held(self._row(connection, name, *lease.COLUMNS))

    # Reading

    def revision(self, name: str) -> int:
        """Grows with every write to the study."""
        with self._database.reading() as connection:
            return int(self._row(connection, name, _STUDIES.c.revision).revision)

    def trials(self, name: str, *, with_steps: bool = True) -> list[Trial]:
        """All trials by number."""
        with self._database.reading() as connection:
            study = self._row(connection, name, _STUDIES.c.id).id
            return self._trials(connection, study, with_steps=with_steps)

    def columns(self, name: str, known: Trials | None = None) -> Trials:
        """All trials by number, as columns and without their steps."""
        with self._database.reading() as connection, _collector_paused():
            row = self._row(connection, name)
            names = [objective.name for objective in rows.study_of(row).objectives]
            last = -1 if known is None else int(known.number.max(initial=-1))
            found = self._database.all_rows(connection, _BEGUN_SINCE, {"of_study": row.id, "last": last})
            unsettled = [] if known is None else known.number[~np.isin(known.state, _FINAL)].tolist()
            for at in range(0, len(unsettled), _AT_ONCE):
                some = _OF_STUDY.where(_TRIALS.c.number.in_(unsettled[at : at + _AT_ONCE]))
                found += map(tuple, connection.execute(some, {"of_study": row.id}))
            fresh = rows.columns_of(found, names, _notes(connection, row.id))
            return fresh if known is None else known.updated(fresh)

    def steps_done(self, name: str) -> dict[int, int]:
        """Trial number -> how many of its steps are stored, for those that have any."""
        with self._database.reading() as connection:
            study = self._row(connection, name, _STUDIES.c.id).id
            query = (
                select(_STEPS.c.number, func.count().label("steps"))
                .where(_STEPS.c.study_id == study)
                .group_by(_STEPS.c.number)
            )
            return {row.number: row.steps for row in connection.execute(query)}

    def trial(self, name: str, number: int) -> Trial:
        """One trial, whole."""
        with self._database.reading() as connection:
            study = self._row(connection, name, _STUDIES.c.id).id
            found = self._trials(connection, study, numbers=[number])
            if not found:
                raise UsageError(_no_trial(connection, study, name, number))
            return found[0]

    def some_trials(self, name: str, numbers: Sequence[int]) -> list[Trial]:
        """Those of these trials that there are, whole, by number."""
        wanted = sorted(set(numbers))
        with self._database.reading() as connection:
            study = self._row(connection, name, _STUDIES.c.id).id
            parts = [wanted[at : at + _AT_ONCE] for at in range(0, len(wanted), _AT_ONCE)]
            return [one for part in parts for one in self._trials(connection, study, numbers=part)]

    def events(self, name: str) -> list[Event]:
        """The study's history, in order."""
        with self._database.reading() as connection:
            events = schema.events
            query = select(events.c.kind, events.c.number).where(
                events.c.study_id == self._row(connection, name, _STUDIES.c.id).id
            )
            return [Event(EventKind(kind), number) for kind, number in connection.execute(query.order_by(events.c.id))]

    def decisions(self, name: str) -> list[Decision]:
        """Oldest first."""
        return [rows.decision_of(row) for row in self._records(name, schema.decisions)]

    def confirmations(self, name: str) -> list[Confirmation]:
        """Oldest first."""
        return [rows.confirmation_of(row) for row in self._records(name, schema.confirmations)]

    def artefacts(self, name: str) -> list[Artefact]:
        """Oldest first."""
        return [rows.artefact_of(row) for row in self._records(name, schema.artefacts)]

    # What any reader may write

    def add_decision(self, name: str, decision: Decision) -> None:
        """Raises UsageError where there is no such trial."""
        self._add(name, schema.decisions, rows.decision_row(decision))

    def add_confirmation(self, name: str, confirmation: Confirmation) -> None:
        """Raises UsageError where there is no such trial."""
        self._add(name, schema.confirmations, rows.confirmation_row(confirmation))

    def add_artefact(self, name: str, artefact: Artefact) -> None:
        """Raises UsageError where there is no such trial."""
        self._add(name, schema.artefacts, rows.artefact_row(artefact))

    def add_note(self, name: str, number: int, text: str) -> None:
        """A note on a trial."""
        self._add(name, schema.notes, rows.note_row(number, text))

    def set_attribute(self, name: str, key: str, value: Json, number: int | None = None) -> None:
        """An attribute of a trial, or of the study where ``number`` is None."""
        with self._database.writing() as connection:
            if number is None:
                study = self._row(connection, name, _STUDIES.c.id).id
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
        self._database.close()

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

    def _records(self, name: str, table: Table) -> Sequence[Row[Any]]:
        """The rows of a study's table, in the order in which they were added."""
        with self._database.reading() as connection:
            query = select(table).where(table.c.study_id == self._row(connection, name, _STUDIES.c.id).id)
            return connection.execute(query.order_by(table.c.id)).all()

    def _add(self, name: str, table: Table, row: rows.Row) -> None:
        """A row about a trial, in one short transaction."""
        with self._database.writing() as connection:
            study = self._with_trial(connection, name, row["number"])
            connection.execute(insert(table), {"study_id": study, **row})
            _touch(connection, study)

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
        self, connection: Connection, study: int, *, with_steps: bool = True, numbers: Sequence[int] | None = None
    ) -> list[Trial]:
        def of_study(table: Table, names: Sequence[str]) -> Any:
            found = select(*(table.c[name] for name in names)).where(table.c.study_id == study)
            return found if numbers is None else found.where(table.c.number.in_(numbers))

        by_step = of_study(_STEPS, rows.STEP).order_by(_STEPS.c.number, _STEPS.c.step)
        steps = rows.steps_of(connection.execute(by_step).all()) if with_steps else {}
        found = connection.execute(of_study(_TRIALS, rows.TRIAL).order_by(_TRIALS.c.number)).all()
        return rows.trials_of(found, steps, _notes(connection, study, numbers))


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Rows by the hundred thousand hold no cycles; Python would look for some among them again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _notes(connection: Connection, study: int, numbers: Sequence[int] | None = None) -> dict[int, tuple[str, ...]]:
    """The notes of a study's trials, or of some of them, by number."""
    table = schema.notes
    query = select(table.c.number, table.c.text).where(table.c.study_id == study).order_by(table.c.id)
    found: dict[int, tuple[str, ...]] = defaultdict(tuple)
    for row in connection.execute(query if numbers is None else query.where(table.c.number.in_(numbers))):
        found[row.number] += (row.text,)
    return found


def _content(
    trials: Sequence[Trial],
    events: Sequence[Event],
    decisions: Sequence[Decision],
    confirmations: Sequence[Confirmation],
) -> Sequence[tuple[Table, list[rows.Row]]]:
    """The rows of what a study holds, by table, without the study's number."""
    return (
        (_TRIALS, [rows.trial_row(trial) for trial in trials]),
        (_STEPS, [rows.step_row(trial.number, step, one) for trial in trials for step, one in trial.steps.items()]),
        (schema.notes, [rows.note_row(trial.number, note) for trial in trials for note in trial.notes]),
        (schema.events, [rows.event_row(event.kind, event.number) for event in events]),
        (schema.decisions, [rows.decision_row(decision) for decision in decisions]),
        (schema.confirmations, [rows.confirmation_row(confirmation) for confirmation in confirmations]),
    )


def _own_files(connection: Connection, study: int) -> list[str]:
    """Artefact files of a study that no other study has, too."""
    table = schema.artefacts
    others = select(table.c.path).where(table.c.study_id != study)
    return list(
        connection.execute(select(table.c.path).where(table.c.study_id == study, table.c.path.not_in(others))).scalars()
    )


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
